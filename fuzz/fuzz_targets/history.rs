//! Reads any text as a client history, and judges it with little work allowed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raft_core::check::linearizable::Verdict;
use raft_core::format::history;

fuzz_target!(|text: &str| {
    match history::read(text) {
        Ok(history) => {
            if let Verdict::NotLinearizable(why) = history.check_within(10_000) {
                let evidence = why.evidence(&history);
                assert!(!matches!(evidence.check_within(100_000), Verdict::Linearizable(_)), "{why}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
