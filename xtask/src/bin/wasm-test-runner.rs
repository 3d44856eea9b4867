//! Runs one compiled wasm test file, in Node or in a headless browser.
//!
//! Cargo calls this through `.cargo/config.toml`. It is wasm-bindgen's own runner, taken from its
//! library so that nothing has to be installed and `Cargo.lock` keeps its version in step with
//! the `wasm-bindgen` that the tests were compiled with.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
