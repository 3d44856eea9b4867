//! Starting and stopping single servers of a local cluster, and stopping all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::advice::{LastWords, Obstacle, Remedy, anew, command, names};
use super::file::{Data, Ending, LocalServer, Locked, State};
use super::known;
use super::process::Process;
use super::start::check_secret;
use crate::client::{Client, Request, exchange};
use crate::output::named;
use crate::{Unusable, view};

/// How long a server may take until it answers.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// How long a server may take until it has caught up with the others, before it is left to do so
/// by itself.
const READY_MAX: Duration = Duration::from_secs(10);

/// How long servers may take to stop before they are killed.
const STOP_MAX: Duration = Duration::from_secs(15);

/// How long a killed process may take to be gone.
const KILL_MAX: Duration = Duration::from_secs(10);

/// How often servers are looked at while something is waited for.
pub const LOOK: Duration = Duration::from_millis(50);

/// Checks that a server's ports are free. Somebody may still take them before the server does; it
/// says so then itself.
///
/// # Errors
/// Which isn't, in a sentence without its full stop.
pub fn check_ports(server: &LocalServer) -> Result<(), String> {
    for address in [&server.http, &server.peer] {
        if let Err(error) = TcpListener::bind(address) {
            let why = if error.kind() == ErrorKind::AddrInUse {
                "is busy".to_owned()
            } else {
                format!("can't be used: {error}")
            };
            return Err(format!("{address}, for S{}, {why}: stop what listens there", server.server));
        }
    }
    Ok(())
}

/// How a server begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// It has a data folder.
    Known,
    /// It founds the cluster with the others.
    Found,
    /// It waits until it is added.
    Join,
}

/// How a server begins by itself, without being told to join.
///
/// # Errors
/// It can't.
pub fn begin(server: &LocalServer, folder: &Path) -> Result<Begin, Obstacle> {
    let number = server.server;
    let data = server.data(folder);
    match (server.found_data(folder), server.has_begun) {
        (Data::Whole, _) => Ok(Begin::Known),
        (Data::None, false) => Ok(Begin::Found),
        (Data::None, true) => Err(Obstacle {
            server: number,
            why: format!(
                "the data folder of S{number} is gone ({}), and a server that has forgotten its votes doesn't begin as \
                 if it were new",
                named(&data)
            ),
            remedy: Remedy::PutFolderBack,
        }),
        (Data::Nameless, _) => Err(Obstacle {
            server: number,
            why: format!(
                "{} is missing, and without it nobody knows whose data is there",
                named(&data.join("folder.json"))
            ),
            remedy: Remedy::MendFolder,
        }),
    }
}

/// Starts a server's process, and notes it.
///
/// # Errors
/// It can't be started.
pub fn spawn(locked: &Locked, folder: &Path, state: &mut State, number: u8, begin: Begin) -> Result<Child, Unusable> {
    let server = state.server(number)?.clone();
    let own = server.folder(folder);
    fs::create_dir_all(&own).map_err(|error| Unusable(format!("{} can't be created: {error}", named(&own))))?;
    let errors = File::create(server.errors(folder))
        .map_err(|error| Unusable(format!("{} can't be written: {error}", named(&server.errors(folder)))))?;
    let program = std::env::current_exe()
        .map_err(|error| Unusable(format!("this program's own file can't be found: {error}")))?;
    let mut process = Command::new(program);
    process
        .arg("node")
        .args(["--id", &number.to_string()])
        .arg("--data")
        .arg(server.data(folder))
        .args(["--cluster", &state.cluster])
        .args(["--peer-listen", &server.peer, "--http-listen", &server.http])
        .arg("--secret-file")
        .arg(folder.join("secret"))
        .arg("--log-file")
        .arg(server.log(folder));
    for member in &state.servers {
        process.args(["--member", &format!("{}={}/{}", member.server, member.peer, member.http)]);
    }
    match begin {
        Begin::Known => {}
        Begin::Found => drop(process.arg("--found")),
        Begin::Join => drop(process.arg("--join")),
    }
    if state.playground {
        process.arg("--playground");
    }
    // A group of its own, so that Ctrl-C reaches this command alone, which then stops the servers.
    process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).process_group(0);
    let mut child = process.spawn().map_err(|error| Unusable(format!("S{number} can't be started: {error}")))?;
    let server = state.server_mut(number)?;
    server.process = Process::of(child.id());
    server.ending = None;
    if let Err(error) = locked.write(state) {
        // Nobody would know of it.
        let _ = child.kill();
        let _ = child.wait();
        return Err(error);
    }
    Ok(child)
}

/// Those of a cluster's servers that answer, and whose processes aren't known to this folder.
pub fn answering_elsewhere(state: &State) -> Vec<u8> {
    let unknown = state.servers.iter().filter(|server| server.running().is_none());
    unknown.filter(|server| status_of(state, server).is_some()).map(|server| server.server).collect()
}

/// What a server says of itself; none if it doesn't answer, or somebody else does.
fn status_of(state: &State, server: &LocalServer) -> Option<view::Status> {
    let client = Client::of(Vec::new(), LOOK);
    let asked = client.ask(&server.http, &Request::get("/status".into()), Duration::from_secs(1));
    let exchange::Outcome::Done(answer) = asked else { return None };
    let status = view::Status::read(&answer.body)?;
    (status.cluster == state.cluster && status.server == server.server).then_some(status)
}

/// How servers are at one look.
pub struct Seen {
    /// What those say that answer. A stranger at a server's address isn't listened to.
    pub answers: Vec<view::Status>,
    /// Those that have ended, with their status if it is known.
    pub ended: Vec<(u8, Option<ExitStatus>)>,
}

/// Looks at these servers once.
pub fn look(state: &State, children: &mut BTreeMap<u8, Child>, servers: &[LocalServer]) -> Seen {
    let mut seen = Seen { answers: Vec::new(), ended: Vec::new() };
    for server in servers {
        let number = server.server;
        match children.get_mut(&number).map(Child::try_wait) {
            Some(Ok(Some(status))) => {
                seen.ended.push((number, Some(status)));
                continue;
            }
            None if server.running().is_none() => {
                seen.ended.push((number, None));
                continue;
            }
            _ => {}
        }
        seen.answers.extend(status_of(state, server));
    }
    seen
}

/// Stops those servers of a cluster that are wanted: they are asked to, and killed if they take too
/// long, or at once if `is_urgent`. Returns the numbers of those that were killed.
///
/// # Errors
/// A signal can't be sent, or the file can't be written.
pub fn stop_servers(
    locked: &Locked,
    state: &mut State,
    is_wanted: impl Fn(u8) -> bool,
    is_urgent: &dyn Fn() -> bool,
) -> Result<Vec<u8>, Unusable> {
    let mut running = Vec::new();
    for server in state.servers.iter_mut().filter(|server| is_wanted(server.server)) {
        if let Some(process) = server.running() {
            running.push((server.server, process.clone()));
            server.ending = Some(Ending::Stopped);
        }
    }
    // Servers are stopped even if that can't be noted.
    let noted = locked.write(state);
    let failed = |error: std::io::Error| Unusable(format!("a server can't be signalled: {error}"));
    for (_, process) in &running {
        process.signal(Signal::TERM).map_err(failed)?;
        process.signal(Signal::CONT).map_err(failed)?; // It may be paused.
    }
    let deadline = Instant::now() + STOP_MAX;
    let mut killed = Vec::new();
    for (number, process) in &running {
        while !process.wait(LOOK) {
            if Instant::now() > deadline || is_urgent() {
                process.signal(Signal::KILL).map_err(failed)?;
                killed.push(*number);
                if !process.wait(KILL_MAX) {
                    return Err(Unusable(format!("S{number}, process {}, doesn't end even by SIGKILL", process.pid)));
                }
            }
        }
    }
    noted.map(|()| killed)
}

/// `raftarium cluster stop`.
pub fn stop(folder: &Path) -> Result<String, Unusable> {
    known(folder)?;
    let locked = Locked::take(folder)?;
    let mut state = known(folder)?;
    if state.servers.iter().all(|server| server.running().is_none()) {
        return Ok(format!("The cluster in {} doesn't run.", named(folder)));
    }
    let killed = stop_servers(&locked, &mut state, |_| true, &|| false)?;
    Ok(stopped(&killed))
}

/// What is said of a cluster that was stopped.
pub fn stopped(killed: &[u8]) -> String {
    if killed.is_empty() {
        return "The cluster is stopped; its data is kept.".into();
    }
    let all = names(killed.iter().copied());
    format!("The cluster is stopped; its data is kept. {all} took too long and had to be killed.")
}

/// `raftarium cluster stop N`.
pub fn stop_one(folder: &Path, number: u8) -> Result<String, Unusable> {
    known(folder)?.server(number)?;
    let locked = Locked::take(folder)?;
    let mut state = known(folder)?;
    if state.server(number)?.running().is_none() {
        return Ok(format!("S{number} doesn't run."));
    }
    let killed = stop_servers(&locked, &mut state, |server| server == number, &|| false)?;
    let how = if killed.is_empty() { "" } else { " It took too long and had to be killed." };
    let left = state.servers.iter().filter(|server| server.running().is_some()).count();
    let rest = if left == 0 {
        ""
    } else if left * 2 <= state.servers.len() {
        " The others are no majority without it: nothing can be read or written until it is back."
    } else {
        " The others go on."
    };
    let start = command(&format!("cluster start {number}"), folder);
    Ok(format!("S{number} is stopped; its data is kept.{how}{rest} Start it again with {start}"))
}

/// `raftarium cluster start N`.
pub fn start_one(folder: &Path, number: u8) -> Result<String, Unusable> {
    known(folder)?.server(number)?;
    let locked = Locked::take(folder)?;
    let mut state = known(folder)?;
    if let Some(process) = state.server(number)?.running() {
        return Err(Unusable(format!(
            "S{number} runs already (process {}): {} stops it and starts it again",
            process.pid,
            command(&format!("cluster restart {number}"), folder)
        )));
    }
    let how = begin_one(&state, folder, number)?;
    run_one(&locked, &mut state, folder, number, how)
}

/// `raftarium cluster restart`.
pub fn restart(folder: &Path, number: u8, join: bool) -> Result<String, Unusable> {
    known(folder)?.server(number)?;
    let locked = Locked::take(folder)?;
    let mut state = known(folder)?;
    super::refuse_copy(&state, folder)?;
    let server = state.server(number)?.clone();
    let how = match (join, server.found_data(folder)) {
        (false, _) => begin_one(&state, folder, number)?,
        (true, Data::None) => {
            check_secret(&state, folder)?;
            Begin::Join
        }
        (true, Data::Whole) => {
            return Err(Unusable(format!(
                "S{number} has its data in {}, and goes on with them: {} restarts it so. If the others don't believe \
                 these data any more, let them give it theirs: {}",
                named(&server.data(folder)),
                command(&format!("cluster restart {number}"), folder),
                anew(&server, folder, true)
            )));
        }
        (true, Data::Nameless) => return Err(told(&state, folder, begin(&server, folder).err())),
    };
    // Only now that it is known to be able to begin again.
    stop_servers(&locked, &mut state, |server| server == number, &|| false)?;
    run_one(&locked, &mut state, folder, number, how)
}

/// How a server begins, once its folder and the secret have been looked at.
fn begin_one(state: &State, folder: &Path, number: u8) -> Result<Begin, Unusable> {
    super::refuse_copy(state, folder)?;
    check_secret(state, folder)?;
    begin(state.server(number)?, folder).map_err(|obstacle| told(state, folder, Some(obstacle)))
}

/// Why a server that has ended by itself can't simply be started again, and what to do; none if it
/// may well be.
pub fn hindrance(state: &State, folder: &Path, server: &LocalServer) -> Option<String> {
    let obstacle = match begin(server, folder) {
        Err(obstacle) => obstacle,
        Ok(_) => {
            let why = LastWords::of(folder, server, None).why()?;
            let remedy = if check_ports(server).is_err() { Remedy::ClearTheWay } else { Remedy::MendFolder };
            Obstacle { server: server.server, why, remedy }
        }
    };
    Some(told(state, folder, Some(obstacle)).0)
}

/// The sentence for one server that doesn't start.
fn told(state: &State, folder: &Path, obstacle: Option<Obstacle>) -> Unusable {
    let Some(obstacle) = obstacle else { return Unusable("the folder has changed just now: try again".into()) };
    match has_majority_besides(state, obstacle.server) {
        true => match obstacle.beside_a_majority(state, folder) {
            Ok(sentence) => Unusable(sentence),
            Err(unusable) => unusable,
        },
        false => {
            let start = command(&format!("cluster start {}", obstacle.server), folder);
            Unusable(obstacle.without_a_majority(&start))
        }
    }
}

/// Whether enough servers run without this one.
fn has_majority_besides(state: &State, number: u8) -> bool {
    let others = state.servers.iter().filter(|server| server.server != number && server.running().is_some());
    others.count() * 2 > state.servers.len()
}

/// Whether one of the other servers that run counts this one among the members.
fn is_member(state: &State, number: u8) -> bool {
    let others: Vec<_> = state.servers.iter().filter(|server| server.server != number).cloned().collect();
    let seen = look(state, &mut BTreeMap::new(), &others);
    // Who leads knows best; of the others, who has the latest log.
    let best = seen.answers.iter().max_by_key(|status| (status.term, status.role == "leader", status.commit_index));
    best.is_some_and(|status| status.members.iter().any(|member| member.server == number))
}

/// Starts a server that doesn't run, and waits until it answers, and until it has caught up if it
/// can.
fn run_one(locked: &Locked, state: &mut State, folder: &Path, number: u8, how: Begin) -> Result<String, Unusable> {
    let blocked = |why| Obstacle { server: number, why, remedy: Remedy::ClearTheWay };
    check_ports(state.server(number)?).map_err(|why| told(state, folder, Some(blocked(why))))?;
    let mut children = BTreeMap::from([(number, spawn(locked, folder, state, number, how)?)]);
    let one = [state.server(number)?.clone()];
    let running = state.servers.iter().filter(|server| server.running().is_some()).count();
    let can_be_ready = how != Begin::Join && running * 2 > state.servers.len();
    let began = Instant::now();
    let is_ready = loop {
        let seen = look(state, &mut children, &one);
        if let Some((_, status)) = seen.ended.first() {
            locked.write(state)?;
            let remedy = if check_ports(&one[0]).is_err() { Remedy::ClearTheWay } else { Remedy::MendFolder };
            let why = LastWords::of(folder, &one[0], *status).quoted();
            return Err(told(state, folder, Some(Obstacle { server: number, why, remedy })));
        }
        match seen.answers.first() {
            Some(_) if !can_be_ready => break true,
            Some(status) if status.is_ready == Some(true) => break true,
            Some(_) if began.elapsed() > READY_MAX => break false,
            None if began.elapsed() > ANSWER_MAX => {
                locked.write(state)?;
                return Err(Unusable(format!(
                    "S{number} runs, but doesn't answer within {} s: see {}",
                    ANSWER_MAX.as_secs(),
                    named(&one[0].log(folder))
                )));
            }
            _ => std::thread::sleep(LOOK),
        }
    };
    locked.write(state)?;
    let next = if how == Begin::Join {
        let add = command(&format!("members add {number} {} {}", one[0].peer, one[0].http), folder);
        let promote = command(&format!("members promote {number}"), folder);
        let first = if is_member(state, number) {
            let remove = command(&format!("members remove {number}"), folder);
            format!("it is still a member, with the disk that it had before: {remove}, then {add}")
        } else {
            format!("add it: {add}")
        };
        format!("; {first}, and, when it has all, {promote}")
    } else if is_ready {
        String::new()
    } else {
        format!(", and hasn't caught up with the others yet: see {}", command("cluster status", folder))
    };
    Ok(format!("S{number} runs again{next}"))
}
