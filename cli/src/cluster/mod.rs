//! `cluster`: a real cluster on this machine, its servers processes of their own.
//!
//! `file` is what the cluster remembers of itself, `process` knows one process from another.
//! `lifecycle` starts and stops servers, `foreground` stays with them and shows how they are, and
//! `faults` breaks them on purpose.
//!
//! A command takes the folder's lock, reads the file, acts, and writes the file. What it is about
//! to do to a process is written before it is done, so that whoever watches can tell a server that
//! was ended from one that ended by itself.

mod faults;
pub mod file;
mod foreground;
mod lifecycle;
mod process;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::client::connection_timeout;
use crate::client::members::server_number;
use crate::output::named;
use crate::text::Text;
use crate::view::Note;
use crate::{Ending, Unusable, output};

/// How far below its clients' port a server's port for its peers is.
pub const PEER_PORT_DISTANCE: u16 = 1_000;

/// The most servers.
const SERVERS_MAX: i64 = 9;

const EXIT_STATUS: &str = "Exit status:\n  \
    0  done\n  \
    2  the command line is wrong\n  \
    3  it can't be done; the sentence says why and what to do";

/// Options of `cluster`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXIT_STATUS, after_long_help = format!(
    "Without a command of its own, it starts the servers, shows how they are until Ctrl-C, and stops them. \
     Their data stays in the folder, and is there at the next start.\n\n\
     Examples:\n  raftarium cluster                        three servers, until Ctrl-C\n  \
     raftarium cluster start --playground     in the background, to be broken on purpose\n  \
     raftarium cluster crash 2                S2 is killed, as by a power failure\n  \
     raftarium cluster cut 1 3                nothing passes between S1 and S3\n  \
     raftarium cluster heal\n  \
     raftarium cluster stop\n\n{EXIT_STATUS}"
))]
pub struct Options {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    start: StartOptions,
}

/// How a cluster is started.
#[derive(Args, Clone, Debug)]
struct StartOptions {
    /// How many servers; 3 for a new cluster
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=SERVERS_MAX))]
    servers: Option<u8>,
    /// The first server's port for clients; the others follow, and ports for peers are 1000 lower.
    /// 8101 for a new cluster
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(i64::from(PEER_PORT_DISTANCE) + 1..))]
    port: Option<u16>,
    /// Let servers be crashed and paused, and links be cut and slowed down
    #[arg(long)]
    playground: bool,
    #[command(flatten)]
    place: Place,
}

/// Where a cluster is.
#[derive(Args, Clone, Debug)]
struct Place {
    /// The cluster's folder
    #[arg(long, value_name = "DIR", default_value = file::FOLDER)]
    data: PathBuf,
}

/// A server of a local cluster.
#[derive(Args, Clone, Debug)]
struct OneServer {
    /// The server's number
    #[arg(value_parser = server_number)]
    server: u8,
    #[command(flatten)]
    place: Place,
}

/// The links of a server.
#[derive(Args, Clone, Debug)]
struct Links {
    /// The server's number
    #[arg(value_parser = server_number)]
    server: u8,
    /// The server at the other end; all others if it is left out
    #[arg(value_parser = server_number)]
    other: Option<u8>,
    #[command(flatten)]
    place: Place,
}

#[derive(Subcommand)]
enum Task {
    /// Start it in the background; return when a server leads
    Start(StartOptions),
    /// Stop it; its data stays
    Stop(Place),
    /// Say how its servers are
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Kill a server, as by a power failure (playground)
    Crash(OneServer),
    /// Start a server again that has crashed or ended
    Restart {
        #[command(flatten)]
        server: OneServer,
        /// Begin with an empty data folder, and wait to be added: for a server whose folder is lost
        #[arg(long)]
        join: bool,
    },
    /// Make a server stand still (playground)
    Pause(OneServer),
    /// Let a paused server go on (playground)
    Resume(OneServer),
    /// Let nothing pass between servers (playground)
    Cut(Links),
    /// Undo all cuts and delays (playground)
    Heal(Place),
    /// Delay and lose what passes between servers (playground); a cut link is slow instead
    Slow {
        #[command(flatten)]
        links: Links,
        /// By how much every message is delayed
        #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = connection_timeout)]
        delay: Duration,
        /// How many of a hundred messages are lost
        #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
        loss: u8,
    },
}

/// `raftarium cluster`.
pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let said = match &options.task {
        None => return foreground::run(&options.start),
        Some(Task::Start(start)) => return background(start),
        Some(Task::Status { json, place }) => return status(place, *json),
        Some(Task::Stop(place)) => lifecycle::stop(&place.data)?,
        Some(Task::Crash(one)) => faults::crash(&one.place.data, one.server)?,
        Some(Task::Restart { server, join }) => lifecycle::restart(&server.place.data, server.server, *join)?,
        Some(Task::Pause(one)) => faults::pause(&one.place.data, one.server)?,
        Some(Task::Resume(one)) => faults::resume(&one.place.data, one.server)?,
        Some(Task::Cut(links)) => {
            let fault = faults::Fault { cut: true, ..faults::Fault::NONE };
            faults::disturb(&links.place.data, links.server, links.other, fault)?
        }
        Some(Task::Heal(place)) => faults::heal(&place.data)?,
        Some(Task::Slow { links, delay, loss }) => {
            let fault = faults::Fault { cut: false, delay: *delay, loss_percent: *loss };
            faults::disturb(&links.place.data, links.server, links.other, fault)?
        }
    };
    output::print(Text::new().line(said)).map(|_| Ending::Fine)
}

fn background(options: &StartOptions) -> Result<Ending, Unusable> {
    let started = lifecycle::start(options, &|| false)?;
    let mut text = lifecycle::introduction(&started.state, &options.place.data);
    text.line(format_args!("It runs until {}", lifecycle::command("cluster stop", &options.place.data)));
    output::print(&text).map(|_| Ending::Fine)
}

/// The cluster in a folder.
///
/// # Errors
/// There is none, or its file can't be read.
fn known(folder: &std::path::Path) -> Result<file::State, Unusable> {
    file::read(folder)?.ok_or_else(|| {
        Unusable(format!(
            "there is no cluster in {}: start one with {}, or name its folder with --data",
            named(folder),
            lifecycle::command("cluster start", folder)
        ))
    })
}

/// What is known of the processes of a cluster's servers, for people.
fn notes(state: &file::State) -> Vec<Note> {
    let note = |server: &file::LocalServer| {
        let condition = server.process.as_ref().map(process::Process::condition);
        let words = match (condition, server.ending) {
            (Some(process::Condition::Running), _) => "",
            (Some(process::Condition::Paused), _) => "paused",
            (_, Some(file::Ending::Crashed)) => "crashed",
            (_, Some(file::Ending::Stopped)) => "stopped",
            (Some(process::Condition::Gone), None) => "ended by itself",
            (None, None) => "never started",
        };
        Note { address: server.http.clone(), server: server.server, words: words.to_owned() }
    };
    state.servers.iter().map(note).collect()
}

fn status(place: &Place, is_json: bool) -> Result<Ending, Unusable> {
    let state = known(&place.data)?;
    crate::view::once(state.servers.iter().map(|server| server.http.clone()).collect(), &notes(&state), is_json)
}
