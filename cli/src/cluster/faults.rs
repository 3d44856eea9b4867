//! Breaking a local cluster on purpose: real processes, and the links between them.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::file::{Ending, LocalServer, Locked, State};
use super::process::{Condition, Process};
use super::{advice, known};
use crate::Unusable;
use crate::client::{Client, Request, Safety, exchange};

/// How long a process may take to end, stand still or go on.
const SIGNAL_MAX: Duration = Duration::from_secs(10);

/// How long a server may take to change a link.
const LINK_MAX: Duration = Duration::from_secs(5);

/// How a link is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Nothing passes.
    pub cut: bool,
    /// Everything comes later by this.
    pub delay: Duration,
    /// So many of a hundred messages are lost.
    pub loss_percent: u8,
}

impl Fault {
    /// It isn't.
    pub const NONE: Fault = Fault { cut: false, delay: Duration::ZERO, loss_percent: 0 };
}

/// The cluster in a folder, if it is one to be broken.
fn playground(folder: &Path) -> Result<State, Unusable> {
    let state = known(folder)?;
    if state.playground {
        return Ok(state);
    }
    Err(Unusable(format!(
        "the cluster isn't a playground: stop it, and start it with {}",
        advice::command("cluster start --playground", folder)
    )))
}

fn process(server: &LocalServer) -> Result<&Process, Unusable> {
    server.running().ok_or_else(|| Unusable(format!("S{} doesn't run", server.server)))
}

fn signal(process: &Process, signal: Signal) -> Result<(), Unusable> {
    let failed = |error| Unusable(format!("process {} can't be signalled: {error}", process.pid));
    process.signal(signal).map_err(failed)
}

/// `raftarium cluster crash`.
pub fn crash(folder: &Path, number: u8) -> Result<String, Unusable> {
    playground(folder)?.server(number)?;
    let locked = Locked::take(folder)?;
    let mut state = playground(folder)?;
    let process = process(state.server(number)?)?.clone();
    // First of all, so that it isn't taken for one that ended by itself.
    state.server_mut(number)?.ending = Some(Ending::Crashed);
    locked.write(&mut state)?;
    signal(&process, Signal::KILL)?;
    if !process.wait(SIGNAL_MAX) {
        return Err(Unusable(format!("S{number}, process {}, doesn't end even by SIGKILL", process.pid)));
    }
    Ok(format!(
        "S{number} crashed. Start it again with {}",
        advice::command(&format!("cluster restart {number}"), folder)
    ))
}

/// `raftarium cluster pause`.
pub fn pause(folder: &Path, number: u8) -> Result<String, Unusable> {
    becomes(folder, number, Signal::STOP, Condition::Paused)?;
    Ok(format!(
        "S{number} stands still. Let it go on with {}",
        advice::command(&format!("cluster resume {number}"), folder)
    ))
}

/// `raftarium cluster resume`.
pub fn resume(folder: &Path, number: u8) -> Result<String, Unusable> {
    becomes(folder, number, Signal::CONT, Condition::Running)?;
    Ok(format!("S{number} goes on"))
}

fn becomes(folder: &Path, number: u8, by: Signal, condition: Condition) -> Result<(), Unusable> {
    const LOOK: Duration = Duration::from_millis(5);
    let state = playground(folder)?;
    let process = process(state.server(number)?)?;
    signal(process, by)?;
    let deadline = std::time::Instant::now() + SIGNAL_MAX;
    loop {
        match process.condition() {
            now if now == condition => return Ok(()),
            Condition::Gone => return Err(Unusable(format!("S{number} doesn't run"))),
            _ if std::time::Instant::now() > deadline => {
                return Err(Unusable(format!("S{number} doesn't obey the signal")));
            }
            _ => std::thread::sleep(LOOK),
        }
    }
}

/// Sets how a server's link to another one is disturbed, in both directions.
fn set_link(at: &LocalServer, to: &LocalServer, fault: Fault) -> Result<(), String> {
    let body = json!({
        "cut": fault.cut,
        "delay_ms": u64::try_from(fault.delay.as_millis()).unwrap_or(u64::MAX),
        "loss_percent": fault.loss_percent,
    })
    .to_string();
    let request = Request {
        method: "PUT",
        path: format!("/links/{}", to.server),
        headers: vec![("content-type", "application/json".into())],
        body: Some(body.as_bytes()),
        safety: Safety::Once,
    };
    match Client::of(Vec::new(), LINK_MAX).ask(&at.http, &request, LINK_MAX) {
        exchange::Outcome::Done(_) => Ok(()),
        exchange::Outcome::Problem(problem) => Err(problem.sentence()),
        exchange::Outcome::NotSent(why) | exchange::Outcome::NoAnswer(why) => Err(why),
    }
}

/// Whether a server can be told anything.
fn hears(server: &LocalServer) -> bool {
    server.process.as_ref().is_some_and(|process| process.condition() == Condition::Running)
}

/// `raftarium cluster cut` and `slow`.
pub fn disturb(folder: &Path, number: u8, other: Option<u8>, fault: Fault) -> Result<String, Unusable> {
    let state = playground(folder)?;
    let server = state.server(number)?;
    let others: Vec<&LocalServer> = match other {
        Some(other) if other == number => {
            return Err(Unusable(format!("S{number} has no link to itself: name two servers")));
        }
        Some(other) => vec![state.server(other)?],
        None => state.servers.iter().filter(|other| other.server != number).collect(),
    };
    if others.is_empty() {
        return Err(Unusable(format!("S{number} is alone: it has no links")));
    }
    for other in &others {
        // A delay counts for both directions already at one end. A cut is made at both, so that it
        // stays when one of them starts anew.
        let ends = [(server, *other), (*other, server)];
        let hearing: Vec<_> = ends.into_iter().filter(|(at, _)| hears(at)).collect();
        let (told, spared) = if fault.cut { (&hearing[..], &[][..]) } else { hearing.split_at(hearing.len().min(1)) };
        if told.is_empty() {
            return Err(Unusable(format!(
                "neither S{} nor S{} runs, and links are disturbed within servers",
                server.server, other.server
            )));
        }
        let told = told.iter().map(|(at, to)| (at, to, fault));
        for (at, to, fault) in told.chain(spared.iter().map(|(at, to)| (at, to, Fault::NONE))) {
            set_link(at, to, fault).map_err(Unusable)?;
        }
    }
    let whom: Vec<_> = others.iter().map(|other| format!("S{}", other.server)).collect();
    let whom = whom.join(", ");
    Ok(if fault.cut {
        format!("nothing passes between S{number} and {whom}")
    } else {
        let loss =
            if fault.loss_percent > 0 { format!(", and {} % are lost", fault.loss_percent) } else { String::new() };
        format!("what passes between S{number} and {whom} comes {} ms later{loss}", fault.delay.as_millis())
    })
}

/// `raftarium cluster heal`.
pub fn heal(folder: &Path) -> Result<String, Unusable> {
    let state = playground(folder)?;
    let hearing: Vec<&LocalServer> = state.servers.iter().filter(|server| hears(server)).collect();
    if hearing.is_empty() {
        return Err(Unusable("no server runs: there is nothing to heal".into()));
    }
    for server in &hearing {
        for other in state.servers.iter().filter(|other| other.server != server.server) {
            set_link(server, other, Fault::NONE).map_err(Unusable)?;
        }
    }
    let paused: Vec<_> = state
        .servers
        .iter()
        .filter(|server| server.process.as_ref().is_some_and(|process| process.condition() == Condition::Paused))
        .map(|server| format!("S{}", server.server))
        .collect();
    if paused.is_empty() {
        return Ok("all links are healed".into());
    }
    Ok(format!(
        "the links are healed, except what {} itself cuts, which is paused: resume it, and heal again",
        paused.join(", ")
    ))
}
