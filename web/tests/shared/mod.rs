//! Tests that run natively, in Node and in a browser: the same scenario plays the same events in
//! all three.

#[path = "../../../raft-core/tests/support/trace_hashes.rs"]
mod trace_hashes;

use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test(unsupported = test)]
fn the_same_scenario_has_the_same_trace_hash_everywhere() {
    assert_eq!(trace_hashes::storms(), trace_hashes::STORMS);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_thousand_scenarios_have_the_same_trace_hashes_everywhere() {
    assert_eq!(trace_hashes::thousand(), trace_hashes::THOUSAND);
}

#[wasm_bindgen_test(unsupported = test)]
fn acting_by_hand_has_the_same_trace_hash_everywhere() {
    assert_eq!(trace_hashes::by_hand(), trace_hashes::BY_HAND);
}
