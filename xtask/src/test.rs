//! `cargo xtask test`: every check and every test, in one command.
use anyhow::{Result, bail};
#[derive(Debug, clap::Args)]
pub struct Options {}
/// Not here yet.
pub fn run(_: &Options) -> Result<()> {
    bail!("`cargo xtask test` is under construction")
}
