//! Any bytes as the content of a stored record: of the state, the mirror, an entry, a snapshot.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raftarium_node::storage::read_any_content;

fuzz_target!(|content: &[u8]| read_any_content(content));
