//! Starting and stopping the servers of a local cluster.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::file::{self, Ending, LocalServer, Locked, State};
use super::process::Process;
use super::{StartOptions, known};
use crate::client::{Client, Request, exchange};
use crate::output::named;
use crate::text::{SENTENCE_MAX, Text, shortened};
use crate::{Unusable, view};

/// How many servers a cluster has that isn't told.
const SERVERS: u8 = 3;

/// The first port of a cluster that isn't told.
const PORT: u16 = 8_101;

/// How long a cluster may take until a server leads.
const LEADER_MAX: Duration = Duration::from_secs(60);

/// How long a server may take until it answers.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// How long servers may take to stop before they are killed.
const STOP_MAX: Duration = Duration::from_secs(15);

/// How long a killed process may take to be gone.
const KILL_MAX: Duration = Duration::from_secs(10);

/// How often servers are looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// How many lines of a log are shown.
const LOG_LINES: usize = 5;

/// A cluster that runs.
pub struct Started {
    /// What is known of it.
    pub state: State,
    /// The processes of its servers, by their numbers.
    pub children: BTreeMap<u8, Child>,
}

/// How a person calls this program here: by its name if that finds it, and otherwise by its path,
/// as after `cargo run`.
pub fn program() -> String {
    let name = "raftarium";
    let Ok(own) = std::env::current_exe() else { return name.into() };
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| same_file::is_same_file(folder.join(name), &own).unwrap_or(false)) {
        return name.into();
    }
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let short = here.ok().and_then(|here| own.strip_prefix(here).ok().map(Path::to_owned));
    named(&short.map_or(own, |short| Path::new(".").join(short)))
}

/// A command line of this program for a cluster's folder, to be shown.
pub fn command(task: &str, folder: &Path) -> String {
    format!("`{} {task}{}`", program(), folder_option(folder))
}

/// The option that names a folder, if it isn't the usual one.
fn folder_option(folder: &Path) -> String {
    if folder == Path::new(file::FOLDER) { String::new() } else { format!(" --data {}", named(folder)) }
}

/// Starts a cluster, and waits until a server leads. Stops it again if that fails, or if
/// `is_enough` says so.
///
/// # Errors
/// Why it can't start.
pub fn start(options: &StartOptions, is_enough: &dyn Fn() -> bool) -> Result<Started, Unusable> {
    let folder = &options.place.data;
    fs::create_dir_all(folder).map_err(|error| Unusable(format!("{} can't be created: {error}", named(folder))))?;
    let locked = Locked::take(folder)?;
    let mut state = match file::read(folder)? {
        Some(state) => {
            check_known(&state, options)?;
            state
        }
        None => create(&locked, options)?,
    };
    state.playground = options.playground;
    let lost: Vec<u8> = state
        .servers
        .iter()
        .filter(|server| server.has_begun && !server.has_data(folder))
        .map(|server| server.server)
        .collect();
    if let Some(first) = lost.first() {
        let all = lost.iter().map(|server| format!("S{server}")).collect::<Vec<_>>().join(", ");
        let rest = state.servers.len() - lost.len();
        let place = named(&state.server(*first)?.data(folder));
        let sentence = format!(
            "the data folder of {all} is gone ({place}): a server that has forgotten its votes doesn't begin as if it \
             were new."
        );
        if rest * 2 <= state.servers.len() {
            return Err(Unusable(format!(
                "{sentence} The others are no majority, and can't go on without it: put the folder back, \
                 or start a new cluster in another folder (--data)"
            )));
        }
        crate::output::remark(format_args!(
            "{sentence} The others start without it. Put the folder back and use {}; or give it up: \
             {}, then {}",
            command(&format!("cluster restart {first}"), folder),
            command(&format!("members remove {first}"), folder),
            command(&format!("cluster restart {first} --join"), folder),
        ));
    }
    let starting: Vec<LocalServer> =
        state.servers.iter().filter(|server| !lost.contains(&server.server)).cloned().collect();
    for server in &starting {
        check_ports(server)?;
    }
    let mut children = BTreeMap::new();
    let mut started = (|| {
        for server in &starting {
            let how = if server.has_begun || server.has_data(folder) { Begin::Known } else { Begin::Found };
            children.insert(server.server, spawn(&locked, folder, &mut state, server.server, how)?);
        }
        wait(folder, &state, &mut children, &starting, LEADER_MAX, is_enough, |answers| {
            answers.iter().any(|status| status.role == "leader" && status.leader_number() == Some(status.server))
        })
    })();
    if started.is_ok() {
        started = locked.write(&mut state);
    }
    if let Err(error) = started {
        let _ = stop_all(&locked, &mut state, &|| true);
        return Err(error);
    }
    Ok(Started { state, children })
}

/// What a command line says must be so of the cluster that is there.
fn check_known(state: &State, options: &StartOptions) -> Result<(), Unusable> {
    let folder = &options.place.data;
    let shown = named(folder);
    let running: Vec<_> =
        state.servers.iter().filter_map(|server| Some((server.server, server.running()?.pid))).collect();
    if !running.is_empty() {
        let processes: Vec<_> = running.iter().map(|(server, pid)| format!("S{server} is process {pid}")).collect();
        return Err(Unusable(format!(
            "the cluster in {shown} runs already ({}): stop it with {}, or start another one with --data and --port",
            processes.join(", "),
            command("cluster stop", folder)
        )));
    }
    let count = state.servers.len();
    if let Some(servers) = options.servers.filter(|servers| usize::from(*servers) != count) {
        return Err(Unusable(format!(
            "the cluster in {shown} has {count} servers, and not {servers}: leave out --servers, or choose another \
             folder with --data"
        )));
    }
    let first = &state.servers[0].http;
    if let Some(port) = options.port.filter(|port| !first.ends_with(&format!(":{port}"))) {
        return Err(Unusable(format!(
            "the cluster in {shown} begins at {first}, and not at port {port}: leave out --port, or choose another \
             folder with --data"
        )));
    }
    Ok(())
}

/// Makes a new cluster in a folder that holds nothing else.
fn create(locked: &Locked, options: &StartOptions) -> Result<State, Unusable> {
    let folder = &options.place.data;
    let shown = named(folder);
    let (servers, port) = (options.servers.unwrap_or(SERVERS), options.port.unwrap_or(PORT));
    let last = u32::from(port) + u32::from(servers) - 1;
    if last > u32::from(u16::MAX) {
        return Err(Unusable(format!(
            "{servers} servers from port {port} on would need port {last}: choose a lower --port"
        )));
    }
    let entries = fs::read_dir(folder).map_err(|error| Unusable(format!("{shown} can't be read: {error}")))?;
    // A secret alone is what a start left behind that ended early.
    let other = entries
        .flatten()
        .map(|entry| entry.file_name())
        .find(|name| !["lock", "secret", "cluster.json.new"].iter().any(|own| name == *own));
    if let Some(other) = other {
        return Err(Unusable(format!(
            "{shown} isn't empty, and isn't a cluster's folder: it holds {}, and no cluster.json; choose another one \
             with --data",
            named(Path::new(&other))
        )));
    }
    let random = |bytes: &mut [u8]| {
        getrandom::fill(bytes)
            .map_err(|error| Unusable(format!("the system gives no randomness for a secret: {error}")))
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (mut name, mut secret) = ([0; 4], [0; 32]);
    random(&mut name)?;
    random(&mut secret)?;
    let path = folder.join("secret");
    let written = (|| {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
        writeln!(file, "{}", hex(&secret))?;
        file.sync_all()
    })();
    written.map_err(|error| Unusable(format!("{} can't be written: {error}", named(&path))))?;
    let mut state = State::new(format!("local-{}", hex(&name)), servers, port);
    locked.write(&mut state)?;
    Ok(state)
}

/// Checks that a server's ports are free. Somebody may still take them before the server does; it
/// says so then itself.
fn check_ports(server: &LocalServer) -> Result<(), Unusable> {
    for address in [&server.http, &server.peer] {
        if let Err(error) = TcpListener::bind(address) {
            let why = if error.kind() == ErrorKind::AddrInUse {
                "is busy".to_owned()
            } else {
                format!("can't be used: {error}")
            };
            return Err(Unusable(format!(
                "{address}, for S{}, {why}: stop what listens there, or start a new cluster with another --port and --data",
                server.server
            )));
        }
    }
    Ok(())
}

/// How a server begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// It has a data folder.
    Known,
    /// It founds the cluster with the others.
    Found,
    /// It waits until it is added.
    Join,
}

/// Starts a server's process, and notes it.
fn spawn(locked: &Locked, folder: &Path, state: &mut State, number: u8, begin: Begin) -> Result<Child, Unusable> {
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

/// Waits until the servers' answers are as wanted.
///
/// # Errors
/// One of them has ended, or the time is over.
fn wait(
    folder: &Path,
    state: &State,
    children: &mut BTreeMap<u8, Child>,
    servers: &[LocalServer],
    limit: Duration,
    is_enough: &dyn Fn() -> bool,
    is_as_wanted: impl Fn(&[view::Status]) -> bool,
) -> Result<(), Unusable> {
    let deadline = Instant::now() + limit;
    let client = Client::of(Vec::new(), LOOK);
    loop {
        if is_enough() {
            return Err(Unusable("it was interrupted before a server led".into()));
        }
        let mut answers = Vec::new();
        for server in servers {
            if let Some(child) = children.get_mut(&server.server)
                && let Ok(Some(status)) = child.try_wait()
            {
                return Err(Unusable(LastWords::of(folder, server, Some(status)).in_short()));
            }
            let asked = client.ask(&server.http, &Request::get("/status".into()), Duration::from_secs(1));
            if let exchange::Outcome::Done(answer) = asked
                && let Some(status) = view::Status::read(&answer.body)
            {
                if status.cluster != state.cluster || status.server != server.server {
                    return Err(Unusable(format!(
                        "{} is answered by another server than S{} of this cluster: stop that one first",
                        server.http, server.server
                    )));
                }
                answers.push(status);
            }
        }
        if is_as_wanted(&answers) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Unusable(format!(
                "after {} s, {} of {} servers answer, and none leads: see their logs, {}/N/log",
                limit.as_secs(),
                answers.len(),
                servers.len(),
                named(folder)
            )));
        }
        std::thread::sleep(LOOK);
    }
}

/// How a server ended, and what it said last.
pub struct LastWords {
    /// How it ended.
    pub sentence: String,
    /// Its last lines, the latest last.
    pub lines: Vec<String>,
}

impl LastWords {
    /// Those of a server that has ended, with this status if it is known.
    pub fn of(folder: &Path, server: &LocalServer, status: Option<ExitStatus>) -> LastWords {
        let mut source = server.errors(folder);
        let mut lines = tail(&source);
        if lines.is_empty() {
            source = server.log(folder);
            lines = tail(&source);
        }
        let how = status.map_or_else(String::new, |status| format!(" ({status})"));
        let and = if lines.is_empty() { "without a word" } else { "its last words are in" };
        let place = if lines.is_empty() { String::new() } else { format!(" {}", named(&source)) };
        LastWords { sentence: format!("S{} has ended{how}; {and}{place}", server.server), lines }
    }

    /// In one sentence.
    fn in_short(&self) -> String {
        match self.lines.last() {
            // It says `error: …`, as all commands do.
            Some(last) => {
                let last = last.strip_prefix("error: ").unwrap_or(last);
                format!("{}: {}", self.sentence, shortened(last, SENTENCE_MAX / 2))
            }
            None => self.sentence.clone(),
        }
    }
}

/// The last lines of a file; none if it can't be read.
fn tail(path: &Path) -> Vec<String> {
    const BYTES_MAX: u64 = 4 << 10;
    let read = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(BYTES_MAX)))?;
        let mut bytes = Vec::new();
        file.take(BYTES_MAX).read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    // The first line may have lost its beginning.
    let whole =
        if bytes.len() as u64 == BYTES_MAX { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    let lines: Vec<&str> = whole.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].iter().map(|line| (*line).to_owned()).collect()
}

/// Stops all servers of a cluster: they are asked to, and killed if they take too long, or at once
/// if `is_urgent`. Returns the numbers of those that were killed.
///
/// # Errors
/// A signal can't be sent, or the file can't be written.
pub fn stop_all(locked: &Locked, state: &mut State, is_urgent: &dyn Fn() -> bool) -> Result<Vec<u8>, Unusable> {
    let mut running = Vec::new();
    for server in &mut state.servers {
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
    let count = state.servers.iter().filter(|server| server.running().is_some()).count();
    if count == 0 {
        return Ok(format!("The cluster in {} doesn't run.", named(folder)));
    }
    let killed = stop_all(&locked, &mut state, &|| false)?;
    Ok(stopped(&killed))
}

/// What is said of a cluster that was stopped.
pub fn stopped(killed: &[u8]) -> String {
    if killed.is_empty() {
        return "The cluster is stopped; its data is kept.".into();
    }
    let all: Vec<_> = killed.iter().map(|server| format!("S{server}")).collect();
    format!("The cluster is stopped; its data is kept. {} took too long and had to be killed.", all.join(", "))
}

/// `raftarium cluster restart`.
pub fn restart(folder: &Path, number: u8, join: bool) -> Result<String, Unusable> {
    known(folder)?.server(number)?;
    let locked = Locked::take(folder)?;
    let mut state = known(folder)?;
    let server = state.server(number)?.clone();
    if let Some(process) = server.running() {
        return Err(Unusable(format!("S{number} runs (process {}): crash or stop it first", process.pid)));
    }
    let has_data = server.has_data(folder);
    let begin = match (has_data, server.has_begun, join) {
        (true, _, false) => Begin::Known,
        (false, false, false) => Begin::Found,
        (false, _, true) => Begin::Join,
        (true, _, true) => {
            return Err(Unusable(format!(
                "S{number} has its data in {}: start it without --join",
                named(&server.data(folder))
            )));
        }
        (false, true, false) => {
            return Err(Unusable(format!(
                "the data folder of S{number} is gone ({}): a server that has forgotten its votes doesn't begin as if it \
                 were new. Put the folder back; or give it up: {}, then {}",
                named(&server.data(folder)),
                command(&format!("members remove {number}"), folder),
                command(&format!("cluster restart {number} --join"), folder)
            )));
        }
    };
    check_ports(&server)?;
    let mut children = BTreeMap::from([(number, spawn(&locked, folder, &mut state, number, begin)?)]);
    let one = [server.clone()];
    let answered = wait(folder, &state, &mut children, &one, ANSWER_MAX, &|| false, |answers| !answers.is_empty());
    locked.write(&mut state)?;
    answered?;
    let next = if begin == Begin::Join {
        let add = format!("members add {number} {} {}", server.peer, server.http);
        format!("; add it: {}", command(&add, folder))
    } else {
        String::new()
    };
    Ok(format!("S{number} runs again{next}"))
}

/// How to talk to a cluster.
pub fn introduction(state: &State, folder: &Path) -> Text {
    let mut text = Text::new();
    let first = &state.servers[0].http;
    let all: Vec<_> = state.servers.iter().map(|server| server.http.as_str()).collect();
    let (program, data) = (program(), folder_option(folder));
    let count = state.servers.len();
    text.line(format_args!(
        "{count} {} of cluster {}, data in {}.",
        if count == 1 { "server" } else { "servers" },
        state.cluster,
        named(folder)
    ));
    text.line("").line("Talk to it from another terminal:");
    text.line(format_args!("  {program} put colour blue{data}"));
    text.line(format_args!("  {program} get colour{data}"));
    text.line(format_args!("  curl -X PUT --data blue http://{first}/kv/colour"));
    text.line(format_args!("  curl http://{first}/kv/colour"));
    if count > 1 {
        text.line(format_args!("Any of its servers takes any request: {}.", all.join(", ")));
    }
    if state.playground {
        text.line(format_args!("Break it: {program} cluster crash 1{data}, restart, pause, resume, cut, slow, heal."));
    }
    text.line("");
    text
}
