//! `cargo xtask …`: everything a contributor runs, and everything that CI runs.
//!
//! Each command has a file: `package.rs` builds the page, `serve.rs` serves it, `test.rs` tests the
//! whole project, `mutants` plants bugs and sees whether tests and hunts find them, `bench.rs`
//! measures everything. `sizes.rs` measures what was built, `tools.rs` finds and runs other
//! programs, and `setup.rs` installs missing ones.

mod bench;
#[cfg(test)]
mod circles;
#[cfg(test)]
mod citations;
mod comments;
mod lessons;
mod mutants;
mod order;
mod package;
#[cfg(test)]
mod page_rooms;
#[cfg(test)]
mod rooms;
mod serve;
mod setup;
mod sizes;
mod test;
mod tools;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Build, serve and test Raftarium")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the page into dist/, ready for any static host
    Build(package::Options),
    /// Build the page and serve it on this machine
    Serve(serve::Options),
    /// Compare Raftarium's speed with other Raft libraries and simulators
    Bench(bench::Options),
    /// Run every check and every test, as CI does
    Test(test::Options),
    /// Plant bugs, one at a time, and see whether tests and hunts find them
    Mutants(mutants::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Build(options) => package::run(&options),
        Command::Serve(options) => serve::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Mutants(options) => mutants::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_unknown_command_is_refused() {
        assert!(Cli::try_parse_from(["cargo xtask", "fly"]).is_err());
    }
}
