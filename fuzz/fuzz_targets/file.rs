//! Reads any text as a scenario file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raft_core::format::file;

fuzz_target!(|text: &str| {
    match file::read(text) {
        Ok(read) => assert_eq!(file::read(&file::write(&read).expect("what was read can be written")), Ok(read)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
