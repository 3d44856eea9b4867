//! Any text as the lines of a recording: what is read can be written and read again, and to believe
//! it does no harm.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raft_core::format::recording::{BYTES_ALL, Header, Known, Reader};

fuzz_target!(|text: &str| {
    let (mut reader, mut again, mut known) = (Reader::new(), Reader::new(), Known::new());
    let header = Header::default().line();
    // Most inputs have no header.
    assert_eq!(reader.read_line(&header), Ok(None));
    assert_eq!(again.read_line(&header), Ok(None));
    for line in text.lines() {
        match reader.read_line(line) {
            Ok(None) => {}
            Ok(Some(recorded)) => {
                assert_eq!(again.read_line(&recorded.line(BYTES_ALL)), Ok(Some(recorded.clone())));
                known.take(&recorded);
                for (_, server) in known.servers() {
                    if let Some((first, last)) = server.terms_known() {
                        assert!(first <= last && server.term_at(first).is_some() && server.term_at(last).is_some());
                    }
                }
            }
            Err(error) => assert!(error.to_string().starts_with("line ")),
        }
    }
});
