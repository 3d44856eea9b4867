//! The shared tests in a browser, and the handle as the page uses it.

#[cfg(target_arch = "wasm32")]
mod handle;
#[cfg(target_arch = "wasm32")]
#[path = "../shared/mod.rs"]
mod shared;
#[cfg(target_arch = "wasm32")]
#[path = "../support/views.rs"]
mod views;

/// Natively there is nothing to run here, which must be said.
#[cfg(not(target_arch = "wasm32"))]
#[test]
#[ignore = "these tests need a browser: cargo xtask test --only wasm-chrome"]
fn the_handle_is_tested_in_a_browser() {}
