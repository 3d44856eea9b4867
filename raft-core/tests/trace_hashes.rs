//! The same scenario plays the same events, whether the rules can be switched off or are compiled
//! in for good.
//!
//! `cargo test -p raftarium-core` and `cargo test -p raftarium-core --no-default-features` compare
//! with the same numbers. The wasm bridge's tests do so in Node and in a browser.

#[path = "support/trace_hashes.rs"]
mod trace_hashes;

#[test]
fn storms_have_the_trace_hashes_written_down() {
    assert_eq!(trace_hashes::storms(), trace_hashes::STORMS);
}

#[test]
fn a_thousand_short_storms_have_the_trace_hashes_written_down() {
    assert_eq!(trace_hashes::thousand(), trace_hashes::THOUSAND);
}

#[test]
fn a_run_by_hand_has_the_trace_hash_written_down() {
    assert_eq!(trace_hashes::by_hand(), trace_hashes::BY_HAND);
}
