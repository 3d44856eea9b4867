//! The module as the worker uses it, in Node and in a browser.

#[cfg(target_arch = "wasm32")]
mod module;
#[cfg(target_arch = "wasm32")]
#[path = "../../../web/tests/support/views.rs"]
mod views;

/// Natively there is nothing to run here, which must be said.
#[cfg(not(target_arch = "wasm32"))]
#[test]
#[ignore = "these tests need Node or a browser: cargo xtask test --only wasm-node"]
fn the_module_is_tested_in_node() {}
