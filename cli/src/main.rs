//! `raftarium`: real clusters and simulated ones as a command.
//!
//! For real clusters: `node.rs` is a server with `log_file.rs` for its log, `client` asks
//! servers, `view` shows how they are, and `cluster` runs a whole cluster on this machine.
//!
//! For simulated ones, each command has a file. `hunt.rs` plays many seeds at the same time and
//! shrinks what fails; `replay.rs` plays one run, and `teller.rs` tells its story;
//! `exchange.rs` converts files into links and back; `judge.rs` checks a client history of any
//! system; `lesson.rs` checks lessons; `rules.rs` lists the rules that can be switched off.
//!
//! `input.rs` and `seeds.rs` read input from outside, `panics.rs` catches failed assertions of
//! the core, `interrupt.rs` handles signals, `output.rs` prints, and `text.rs` escapes what a
//! terminal would obey.

mod client;
mod cluster;
mod exchange;
mod hunt;
mod input;
mod interrupt;
mod judge;
mod lesson;
mod log_file;
mod node;
mod output;
mod panics;
mod replay;
mod rules;
mod seeds;
mod teller;
mod text;
mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, CommandFactory, Parser, Subcommand};
use text::{NAME_MAX, Text, escaped, is_harmless};

/// Runs a replicated key-value store, and breaks real and simulated clusters on purpose
#[derive(Parser)]
#[command(
    name = "raftarium",
    version,
    propagate_version = true,
    after_help = "A run is its seed and its actions: the same file, link or seed plays the same run on every machine.\n\n\
                  Exit status: 0 done, nothing wrong was found; 1 the answer is no, something wrong was found; 2 the command \
                  line is wrong; 3 it can't be done; 4 whether it was done isn't known; 130 a signal ended it. `check` \
                  also uses 2 for “undecided”.",
    after_long_help = "A run is its seed and its actions: the same file, link or seed plays the same run on every machine.\n\n\
                       Examples:\n  \
                       raftarium cluster                                    three real servers on this machine\n  \
                       raftarium put colour blue                            a value for all of them to keep\n  \
                       raftarium hunt --seeds 0..1000                       a thousand storms with every fault\n  \
                       raftarium hunt --without commit-only-own-term        what this rule prevents\n  \
                       raftarium replay failure-seed-17.json --until 12s    the story of a failure, up to a moment\n  \
                       raftarium check history.jsonl                        is another system linearizable?\n\n\
                       Exit status:\n  \
                       0  done; nothing wrong was found\n  \
                       1  the answer is no: no such key, another value; or something wrong was found: a violation, or a \
                       history that is not linearizable\n  \
                       2  the command line is wrong; with `check` also: undecided\n  \
                       3  it can't be done: a file can't be read or written, no server could be reached, or they refused\n  \
                       4  whether it was done isn't known\n  \
                       130  Ctrl-C or SIGTERM: the results so far have been printed; a second one stops at once"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Command {
    /// Run a real cluster on this machine
    Cluster(cluster::Options),
    /// Run one server of a real cluster
    Node(Box<node::Options>),
    /// Set the value of a key
    Put(client::store::PutOptions),
    /// Print the value of a key
    Get(client::store::GetOptions),
    /// Delete a key
    Delete(client::store::DeleteOptions),
    /// Set the value of a key if it has the expected one
    Cas(client::store::CasOptions),
    /// List keys and values
    List(client::store::ListOptions),
    /// Print changes as they happen
    Watch(client::watching::Options),
    /// Show or change who belongs to a cluster
    Members(client::members::Options),
    /// Show how the servers of a cluster are
    Status(view::Options),
    /// Play many storms, each from a seed, until one fails; shrink the failure
    Hunt(hunt::Options),
    /// Play a run from a file or a link and tell its story
    Replay(replay::Options),
    /// Print the scenario in a link
    Show(exchange::ShowOptions),
    /// Print the link to the run in a file
    Link(exchange::LinkOptions),
    /// Check whether a client history, of any system, is linearizable
    Check(judge::Options),
    /// Check lessons: play them, and assert all that they claim
    Lesson(lesson::Options),
    /// List the rules of Raft that can be switched off
    Rules(rules::Options),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  raftarium completions bash > ~/.local/share/bash-completion/completions/raftarium"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Fine,
    Found,
    /// The answer is no.
    No,
    /// Whether it was done isn't known.
    Unknown,
    Undecided,
    /// A signal ended it early.
    Interrupted,
}

/// The exit status after a signal: 128 plus the number of SIGINT, as in shells.
const INTERRUPTED: u8 = 130;

/// Something can't be done: a file can't be read, a server can't be reached. The sentence says why.
#[derive(Debug)]
struct Unusable(String);

impl From<std::io::Error> for Unusable {
    fn from(error: std::io::Error) -> Unusable {
        Unusable(error.to_string())
    }
}

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| harmless(error).exit());
    match cli.color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    panics::install();
    let checked = match &cli.command {
        Command::Hunt(options) => options.check(),
        Command::Replay(options) => options.check(),
        Command::Node(options) => options.check(),
        _ => Ok(()),
    };
    if let Err(why) = checked {
        Cli::command().error(ErrorKind::ArgumentConflict, why).exit();
    }
    let ending = match cli.command {
        Command::Cluster(options) => cluster::run(&options),
        Command::Node(options) => node::run(&options),
        Command::Put(options) => client::store::put(&options),
        Command::Get(options) => client::store::get(&options),
        Command::Delete(options) => client::store::delete(&options),
        Command::Cas(options) => client::store::cas(&options),
        Command::List(options) => client::store::list(&options),
        Command::Watch(options) => client::watching::run(&options),
        Command::Members(options) => client::members::run(&options),
        Command::Status(options) => view::run(&options),
        Command::Hunt(options) => hunt::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Show(options) => exchange::show(&options),
        Command::Link(options) => exchange::link(&options),
        Command::Check(options) => judge::run(&options),
        Command::Lesson(options) => lesson::run(&options),
        Command::Rules(options) => rules::run(&options),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "raftarium", &mut script);
            output::print(&Text::of_lines(&String::from_utf8_lossy(&script))).map(|_| Ending::Fine)
        }
    };
    match ending {
        Ok(Ending::Fine) => ExitCode::SUCCESS,
        Ok(Ending::Found | Ending::No) => ExitCode::from(1),
        Ok(Ending::Undecided) => ExitCode::from(2),
        Ok(Ending::Interrupted) => ExitCode::from(INTERRUPTED),
        Ok(Ending::Unknown) => ExitCode::from(4),
        Err(Unusable(why)) => {
            output::complain(&why);
            ExitCode::from(3)
        }
    }
}

/// clap's error or help, with everything escaped that a terminal would obey.
fn harmless(mut error: clap::Error) -> clap::Error {
    let plain = |argument: OsString| {
        argument.to_str().is_some_and(|text| text.len() <= NAME_MAX && text.chars().all(is_harmless))
    };
    if std::env::args_os().all(plain) {
        return error;
    }
    let quoted: Vec<(ContextKind, ContextValue)> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in quoted {
        let escaped = |text: &String| escaped(text, NAME_MAX);
        error.insert(
            kind,
            match (kind, value) {
                // A suggestion is styled text already, and repeats the arguments.
                (ContextKind::Suggested, _) => ContextValue::None,
                (_, ContextValue::String(text)) => ContextValue::String(escaped(&text)),
                (_, ContextValue::Strings(texts)) => ContextValue::Strings(texts.iter().map(escaped).collect()),
                (_, other) => other,
            },
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
