//! Any bytes as a message from a peer, and any text as one in a recording.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raft_core::format::message;
use raft_core::raft::Message;

fuzz_target!(|bytes: &[u8]| {
    match Message::decode(bytes) {
        Ok(read) => {
            let mut written = Vec::new();
            read.encode(&mut written);
            assert_eq!(written, bytes, "a message has one form");
            assert_eq!(message::read(&message::write(&read)), Ok(read));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        match message::read(text) {
            Ok(read) => assert_eq!(message::read(&message::write(&read)), Ok(read)),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});
