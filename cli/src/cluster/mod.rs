//! `cluster`: a real cluster on this machine, its servers processes of their own.
//!
//! `file` is what the cluster remembers of itself, and `rebuild` writes it anew if it is lost;
//! `process` knows one process from another. `lifecycle` starts and stops servers one by one,
//! `start` a whole cluster. `foreground` stays with them and shows how they are, `faults` breaks
//! them on purpose, and `advice` says what people can do.
//!
//! A command takes the folder's lock, reads the file, acts, and writes the file. What it is about
//! to do to a process is written before it is done, so that whoever watches can tell a server that
//! was ended from one that ended by itself.

mod advice;
mod faults;
pub mod file;
mod foreground;
mod lifecycle;
mod process;
mod rebuild;
mod start;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use clap::{Args, Subcommand};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::client::connection_timeout;
use crate::client::members::server_number;
use crate::output::named;
use crate::text::Text;
use crate::view::{Expected, Note};
use crate::{Ending, Unusable, output};

/// How far below its clients' port a server's port for its peers is.
pub const PEER_PORT_DISTANCE: u16 = 1_000;

/// The most servers.
const SERVERS_MAX: i64 = 9;

const EXIT_STATUS: &str = "Exit status:\n  \
    0  done\n  \
    1  it runs, but not all of its servers do (`start`)\n  \
    2  the command line is wrong\n  \
    3  it can't be done; the sentence says why and what to do";

/// Options of `cluster`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXIT_STATUS, after_long_help = format!(
    "Without a command of its own, it starts the servers, shows how they are until Ctrl-C, and stops them. \
     Their data stays in the folder, and is there at the next start.\n\n\
     Examples:\n  raftarium cluster                        three servers, until Ctrl-C\n  \
     raftarium cluster start --playground     in the background, to be broken on purpose\n  \
     raftarium cluster restart 2              S2 is stopped and started again, as for an upgrade\n  \
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
    /// Start it in the background, or what doesn't run of it; return when a server leads
    Start {
        /// Start this server alone
        #[arg(value_parser = server_number, conflicts_with_all = ["servers", "port", "playground"])]
        server: Option<u8>,
        #[command(flatten)]
        options: StartOptions,
    },
    /// Stop it; its data stays
    Stop {
        /// Stop this server alone, by SIGTERM: it hands leadership over and answers what it can
        #[arg(value_parser = server_number)]
        server: Option<u8>,
        #[command(flatten)]
        place: Place,
    },
    /// Say how its servers are
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Write its file, cluster.json, anew by what its servers' folders hold: for one that is lost,
    /// damaged, or another cluster's
    Rebuild(Place),
    /// Kill a server by SIGKILL, as by a power failure (playground); `stop N` is the gentle way
    Crash(OneServer),
    /// Start a server again that has crashed or ended; stop it first if it runs, as for an upgrade
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
        Some(Task::Start { server: None, options }) => return background(options),
        Some(Task::Start { server: Some(server), options }) => lifecycle::start_one(&options.place.data, *server)?,
        Some(Task::Status { json, place }) => return status(place, *json),
        Some(Task::Stop { server: None, place }) => lifecycle::stop(&place.data)?,
        Some(Task::Stop { server: Some(server), place }) => lifecycle::stop_one(&place.data, *server)?,
        Some(Task::Rebuild(place)) => rebuild::rebuild(&place.data)?,
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

/// Whether a signal has come that ends this command.
fn signals() -> Result<Arc<AtomicBool>, Unusable> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| Unusable(format!("signal handlers can't be installed: {error}")))?;
    }
    Ok(stop)
}

fn background(options: &StartOptions) -> Result<Ending, Unusable> {
    let stop = signals()?;
    let started = start::start(options, start::Scope::Rest, &|| stop.load(Ordering::Relaxed))?;
    let folder = &options.place.data;
    let mut text = Text::new();
    if !started.ran.is_empty() {
        let new = advice::names(started.children.keys().copied());
        let new = if new.is_empty() { "no other".into() } else { new };
        text.line(format_args!("{} ran already; {new} started.", advice::names(started.ran.iter().copied())));
    }
    let running = started.state.servers.len() - started.missing.len();
    text.append(&advice::introduction(&started.state, running, folder));
    text.line(format_args!("It runs until {}", advice::command("cluster stop", folder)));
    output::print(&text)?;
    Ok(if started.missing.is_empty() { Ending::Fine } else { Ending::Found })
}

/// The cluster in a folder.
///
/// # Errors
/// There is none, or its file can't be read.
fn known(folder: &std::path::Path) -> Result<file::State, Unusable> {
    remembered(folder)?.ok_or_else(|| no_cluster(folder))
}

/// The same as its file has it: for whoever looks all the time, and may meet another command that
/// has started a server and not noted it yet.
fn known_as_written(folder: &std::path::Path) -> Result<file::State, Unusable> {
    file::read(folder)?.ok_or_else(|| no_cluster(folder))
}

fn no_cluster(folder: &std::path::Path) -> Unusable {
    Unusable(format!(
        "there is no cluster in {}: start one with {}, or name its folder with --data",
        named(folder),
        advice::command("cluster start", folder)
    ))
}

/// The cluster in a folder, with those of its servers that run although its file doesn't know; none
/// if there is no cluster.
///
/// # Errors
/// Its file can't be read.
fn remembered(folder: &std::path::Path) -> Result<Option<file::State>, Unusable> {
    static SAID: Once = Once::new();
    static COPY: Once = Once::new();
    let mut state = file::read(folder)?;
    if let Some(state) = &mut state {
        if let Some(others) = processes_elsewhere(state) {
            COPY.call_once(|| {
                output::remark(format_args!(
                    "{} is a copy: its file names processes of another folder ({others}). They are left alone.",
                    named(folder)
                ));
            });
        }
        let found = state.find_running(folder);
        if !found.is_empty() {
            let processes: Vec<_> = state
                .servers
                .iter()
                .filter(|server| found.contains(&server.server))
                .filter_map(|server| Some(format!("S{} is process {}", server.server, server.running()?.pid)))
                .collect();
            SAID.call_once(|| {
                output::remark(format_args!(
                    "{} doesn't know of servers that run ({}). They were found by their folders, and belong to this \
                     cluster as before.",
                    named(&folder.join("cluster.json")),
                    processes.join(", ")
                ));
            });
        }
    }
    Ok(state)
}

/// The processes that a cluster's file names, and that belong to another folder, in words; none if
/// there are none.
fn processes_elsewhere(state: &file::State) -> Option<String> {
    let one = |server: &file::LocalServer| {
        let other = server.elsewhere.as_ref()?;
        Some(format!("S{} in {} is process {}", server.server, named(&other.folder), other.process.pid))
    };
    let all: Vec<_> = state.servers.iter().filter_map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Refuses to start servers of a copy while those of the original run: they would be taken for
/// them, with what they had promised before the copy was made forgotten since.
///
/// # Errors
/// The folder is a copy of one whose servers run, and what to do.
fn refuse_copy(state: &file::State, folder: &std::path::Path) -> Result<(), Unusable> {
    let Some(others) = processes_elsewhere(state) else {
        // The processes that a backup's file names may be gone, and others have taken their place.
        let answering = lifecycle::answering_elsewhere(state);
        if answering.len() * 2 <= state.servers.len() {
            return Ok(());
        }
        return Err(Unusable(format!(
            "{} of the cluster {} answer at their addresses, and run from another folder than {}: an old copy of a \
             server must not run beside the others. Use the folder that they were started with, or stop them first",
            advice::names(answering),
            crate::text::escaped(&state.cluster, crate::text::NAME_MAX),
            named(folder)
        )));
    };
    let mut originals: Vec<_> =
        state.servers.iter().filter_map(|server| Some(&server.elsewhere.as_ref()?.folder)).collect();
    originals.dedup();
    let stop: Vec<_> = originals.into_iter().map(|original| advice::command("cluster stop", original)).collect();
    Err(Unusable(format!(
        "{} is a copy of a cluster that runs ({others}): an old copy of a server must not run beside the others. To go \
         back to what the copy holds, and lose what came after it, stop the original first: {}",
        named(folder),
        stop.join(", ")
    )))
}

/// How a server's process ended, or is, in a few words; none while it runs.
fn condition(server: &file::LocalServer) -> &'static str {
    match (server.process.as_ref().map(process::Process::condition), server.ending) {
        (Some(process::Condition::Running), _) => "",
        (Some(process::Condition::Paused), _) => "paused",
        (_, Some(file::Ending::Crashed)) => "crashed",
        (_, Some(file::Ending::Stopped)) => "stopped",
        (Some(process::Condition::Gone), None) => UNEXPECTED,
        (None, None) if server.elsewhere.is_some() => "runs from another folder",
        (None, None) => "never started",
    }
}

/// How a server is that no command has ended.
const UNEXPECTED: &str = "ended unexpectedly";

/// What is known of a cluster's servers besides what they say themselves.
fn notes(state: &file::State, folder: &std::path::Path) -> Vec<Note> {
    let words = |server: &file::LocalServer| {
        let words = condition(server);
        let is_gone = server.has_begun && server.found_data(folder) == file::Data::None;
        if is_gone && !words.is_empty() { format!("{words}, its data folder is gone") } else { words.to_owned() }
    };
    let note =
        |server: &file::LocalServer| Note { address: server.http.clone(), server: server.server, words: words(server) };
    state.servers.iter().map(note).collect()
}

/// Which answers are believed.
pub fn expected(state: &file::State) -> Expected {
    let servers = state.servers.iter().map(|server| (server.http.clone(), server.server));
    Expected { cluster: state.cluster.clone(), servers: servers.collect() }
}

fn status(place: &Place, is_json: bool) -> Result<Ending, Unusable> {
    let folder = &place.data;
    let state = known(folder)?;
    let ending = crate::view::once(expected(&state), &notes(&state, folder), is_json)?;
    if is_json {
        return Ok(ending);
    }
    let mut text = Text::new();
    for server in state.servers.iter().filter(|server| condition(server) == UNEXPECTED) {
        let start = advice::command(&format!("cluster start {}", server.server), folder);
        let words = lifecycle::hindrance(&state, folder, server).unwrap_or_else(|| {
            format!("Its log is {}. Start it again with {start}", output::named(&server.log(folder)))
        });
        text.line(format_args!("S{} ended, and no command had stopped it. {words}", server.server));
    }
    for status in lifecycle::look(&state, &mut BTreeMap::new(), &state.servers).answers {
        if status.no_vote_because.is_some() {
            let server = state.server(status.server)?;
            let steps = advice::anew(server, folder, true);
            text.line(format_args!("S{} may not vote. Let the others give it their data: {steps}", status.server));
        }
    }
    output::print(&text).map(|_| ending)
}
