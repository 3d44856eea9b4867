//! The bridge between `raft-core` and the page.
use wasm_bindgen::prelude::*;
/// Placeholder until the run handle lands.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").into()
}
