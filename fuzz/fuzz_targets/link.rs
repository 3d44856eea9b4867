//! Reads any bytes as a link's text, and as the content behind a correct checksum: the reader must
//! not rely on the checksum.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raft_core::format::link;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = link::read(text);
    }
    match link::read(&link::seal(bytes.to_vec())) {
        Ok(run) => assert_eq!(link::read(&link::write(&run).expect("what was read can be written")), Ok(run)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
