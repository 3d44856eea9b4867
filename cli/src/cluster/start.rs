//! Starting a local cluster: all of its servers, or those that don't run.
//!
//! A server that doesn't start keeps nobody else from running: as long as the others are a
//! majority, they go on, and what is the matter is said. A *first* start is all or nothing. If it
//! fails, nothing of it is left, so that the next one is free to choose other ports.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use raftarium_node::peers::Secrets;

use super::StartOptions;
use super::advice::{LastWords, Obstacle, Remedy, command, names, together};
use super::file::{LocalServer, Locked, OWN_NAMES, State};
use super::lifecycle::{LOOK, begin, check_ports, look, spawn, stop_servers};
use super::process::Condition;
use crate::output::{named, remark};
use crate::{Unusable, view};

/// How many servers a cluster has that isn't told.
const SERVERS: u8 = 3;

/// The first port of a cluster that isn't told.
const PORT: u16 = 8_101;

/// How long a cluster may take until a server leads.
const LEADER_MAX: Duration = Duration::from_secs(60);

/// How long the other servers may take to answer once one leads, before the start is over without
/// them.
const REST_MAX: Duration = Duration::from_secs(10);

/// A cluster that runs.
pub struct Started {
    /// What is known of it.
    pub state: State,
    /// The processes of the servers that were started, by their numbers.
    pub children: BTreeMap<u8, Child>,
    /// The servers that ran before.
    pub ran: Vec<u8>,
    /// The servers that don't run, each of which has been told of.
    pub missing: Vec<u8>,
}

/// Whether the cluster may run already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It must not.
    All,
    /// Servers that run are left as they are, and the others are started.
    Rest,
}

/// Starts a cluster, and waits until a server leads. What it has started is stopped again if that
/// fails, or if `is_enough` says so.
///
/// # Errors
/// Why it can't start.
pub fn start(options: &StartOptions, scope: Scope, is_enough: &dyn Fn() -> bool) -> Result<Started, Unusable> {
    let folder = &options.place.data;
    let new_folders = missing_folders(folder);
    let had_lock = folder.join("lock").exists();
    fs::create_dir_all(folder).map_err(|error| Unusable(format!("{} can't be created: {error}", named(folder))))?;
    let locked = Locked::take(folder)?;
    let known = super::remembered(folder);
    if let Ok(Some(mut state)) = known {
        super::refuse_copy(&state, folder)?;
        check_known(&mut state, options, scope)?;
        return bring_up(&locked, state, folder, Round::Later, is_enough);
    }
    let started = known.and_then(|_| first_start(&locked, options, is_enough));
    if started.is_err() {
        if !had_lock {
            let _ = fs::remove_file(folder.join("lock"));
        }
        for new in new_folders {
            let _ = fs::remove_dir(new); // It isn't removed if there is anything in it.
        }
    }
    started
}

/// The folders on this path that aren't there, the innermost first.
fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let parts = path.ancestors().take_while(|part| !part.as_os_str().is_empty() && !part.exists());
    parts.map(Path::to_owned).collect()
}

fn first_start(locked: &Locked, options: &StartOptions, is_enough: &dyn Fn() -> bool) -> Result<Started, Unusable> {
    let state = planned(options)?;
    for server in &state.servers {
        check_ports(server).map_err(|why| {
            Unusable(format!("{why}; or start the new cluster with another --port (and --data for a second one)"))
        })?;
    }
    let servers = state.servers.clone();
    let started = found(locked, &options.place.data, state)
        .and_then(|state| bring_up(locked, state, &options.place.data, Round::First, is_enough));
    if started.is_err() {
        locked.remove_all(&servers);
    }
    started
}

/// What a command line says must be so of the cluster that is there.
fn check_known(state: &mut State, options: &StartOptions, scope: Scope) -> Result<(), Unusable> {
    let folder = &options.place.data;
    let shown = named(folder);
    let running: Vec<_> =
        state.servers.iter().filter_map(|server| Some((server.server, server.running()?.pid))).collect();
    let dead = names(state.servers.iter().filter(|server| server.running().is_none()).map(|server| server.server));
    let processes: Vec<_> = running.iter().map(|(server, pid)| format!("S{server} is process {pid}")).collect();
    let processes = processes.join(", ");
    let stop = command("cluster stop", folder);
    if !running.is_empty() && dead.is_empty() {
        return Err(Unusable(format!(
            "the cluster in {shown} runs already ({processes}): stop it with {stop}, or start another one with --data \
             and --port"
        )));
    }
    if !running.is_empty() && scope == Scope::All {
        return Err(Unusable(format!(
            "a part of the cluster in {shown} runs already ({processes}), and {dead} {} not: {} starts just what is \
             missing, and {stop} stops it",
            if dead.contains(',') { "do" } else { "does" },
            command("cluster start", folder),
        )));
    }
    if !running.is_empty() && options.playground && !state.playground {
        return Err(Unusable(format!(
            "a part of the cluster in {shown} runs already ({processes}), and not as a playground: stop it first with \
             {stop}"
        )));
    }
    if running.is_empty() {
        state.playground = options.playground;
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

/// The new cluster that a command line asks for, in a folder that holds nothing else.
fn planned(options: &StartOptions) -> Result<State, Unusable> {
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
    // The cluster's own files alone are what a first start left behind that was killed.
    let names = entries.flatten().map(|entry| entry.file_name());
    if let Some(other) = names.into_iter().find(|name| !OWN_NAMES.iter().any(|own| name == own)) {
        return Err(Unusable(format!(
            "{shown} isn't empty, and isn't a cluster's folder: it holds {}, and no cluster.json; choose another one \
             with --data",
            named(Path::new(&other))
        )));
    }
    let name = format!("local-{}", hex(&random::<4>()?));
    Ok(State { playground: options.playground, ..State::new(name, servers, port) })
}

/// Writes the files of a new cluster.
fn found(locked: &Locked, folder: &Path, mut state: State) -> Result<State, Unusable> {
    draw_secret(folder)?;
    locked.write(&mut state)?;
    Ok(state)
}

fn random<const N: usize>() -> Result<[u8; N], Unusable> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Unusable(format!("the system gives no randomness for a secret: {error}")))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a new secret for the servers to know each other by.
fn draw_secret(folder: &Path) -> Result<(), Unusable> {
    let secret = hex(&random::<32>()?);
    let (path, new) = (folder.join("secret"), folder.join("secret.new"));
    let write = || {
        let _ = fs::remove_file(&new); // Its permissions would be kept.
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
        writeln!(file, "{secret}")?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().map_err(|error| Unusable(format!("{} can't be written: {error}", named(&path))))
}

/// Checks the secret that all servers of a cluster share. One that is gone is replaced while no
/// server runs: nobody knows the old one then.
///
/// # Errors
/// It can't be used, and what to do.
pub fn check_secret(state: &State, folder: &Path) -> Result<(), Unusable> {
    let path = folder.join("secret");
    let running = names(state.servers.iter().filter(|server| server.running().is_some()).map(|server| server.server));
    let (stop, start) = (command("cluster stop", folder), command("cluster start", folder));
    if fs::symlink_metadata(&path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
        if running.is_empty() {
            draw_secret(folder)?;
            remark(format_args!("{} was gone: the servers get a new secret.", named(&path)));
            return Ok(());
        }
        return Err(Unusable(format!(
            "{} is gone, by which the servers know each other, and {running} still {} by the old one: use {stop}, and \
             then {start}, which draws a new one",
            named(&path),
            if running.contains(',') { "go" } else { "goes" },
        )));
    }
    match Secrets::read(&path) {
        Ok(_) => Ok(()),
        Err(error) => {
            let stop = if running.is_empty() { String::new() } else { format!("{stop}, ") };
            Err(Unusable(format!(
                "{error}. Mend that, or have a new secret drawn: {stop}`rm {}`, {start}",
                super::advice::word(&path)
            )))
        }
    }
}

/// Which start of a cluster it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// The first: it is all or nothing.
    First,
    /// A later one: a majority will do.
    Later,
}

/// Starts those servers that don't run, and waits until one leads.
fn bring_up(
    locked: &Locked,
    mut state: State,
    folder: &Path,
    round: Round,
    is_enough: &dyn Fn() -> bool,
) -> Result<Started, Unusable> {
    check_secret(&state, folder)?;
    let (running, missing): (Vec<_>, Vec<_>) =
        state.servers.iter().cloned().partition(|server| server.running().is_some());
    let mut obstacles = Vec::new();
    let mut children = BTreeMap::new();
    for server in missing {
        let number = server.server;
        let started = begin(&server, folder).and_then(|begin| {
            let blocked = |why| Obstacle { server: number, why, remedy: Remedy::ClearTheWay };
            check_ports(&server).map_err(blocked)?;
            spawn(locked, folder, &mut state, number, begin).map_err(|Unusable(why)| blocked(why))
        });
        match started {
            Ok(child) => drop(children.insert(number, child)),
            Err(obstacle) => obstacles.push(obstacle),
        }
    }
    let mut outcome = if round == Round::First && !obstacles.is_empty() {
        Err(not_at_all(&obstacles, round, folder))
    } else {
        wait_for_leader(&state, folder, &mut children, &mut obstacles, round, is_enough)
    };
    outcome = outcome.and_then(|()| locked.write(&mut state));
    if let Err(error) = outcome {
        let _ = stop_servers(locked, &mut state, |server| children.contains_key(&server), &|| true);
        return Err(error);
    }
    for obstacle in &obstacles {
        remark(obstacle.beside_a_majority(&state, folder)?);
    }
    let ran = running.iter().map(|server| server.server).collect();
    let missing = obstacles.iter().map(|obstacle| obstacle.server).collect();
    Ok(Started { state, children, ran, missing })
}

/// Waits until a server leads and the others answer. Servers that end are taken out of `children`
/// and become obstacles.
fn wait_for_leader(
    state: &State,
    folder: &Path,
    children: &mut BTreeMap<u8, Child>,
    obstacles: &mut Vec<Obstacle>,
    round: Round,
    is_enough: &dyn Fn() -> bool,
) -> Result<(), Unusable> {
    let is_running = |server: &&LocalServer| {
        server.process.as_ref().is_some_and(|process| process.condition() == Condition::Running)
    };
    // One that ended in the meantime is found to have ended.
    let mut watched: Vec<LocalServer> = state
        .servers
        .iter()
        .filter(|server| children.contains_key(&server.server) || is_running(server))
        .cloned()
        .collect();
    let began = Instant::now();
    let mut led_since = None;
    loop {
        if is_enough() {
            return Err(Unusable("it was interrupted before a server led".into()));
        }
        let seen = look(state, children, &watched);
        for (number, status) in seen.ended {
            watched.retain(|server| server.server != number);
            children.remove(&number);
            let server = state.server(number)?;
            // Somebody may have taken a port just before the server could.
            let remedy = if check_ports(server).is_err() { Remedy::ClearTheWay } else { Remedy::MendFolder };
            let why = LastWords::of(folder, server, status).quoted();
            obstacles.push(Obstacle { server: number, why, remedy });
        }
        let all_answer = seen.answers.len() == watched.len();
        let is_led = is_led(&seen.answers, obstacles);
        let waited_for_rest = is_led.then(|| led_since.get_or_insert_with(Instant::now).elapsed());
        let has_failed = !is_led
            && !obstacles.is_empty()
            && (round == Round::First || (all_answer && is_no_majority(&seen.answers)));
        if has_failed {
            return Err(not_at_all(obstacles, round, folder));
        }
        if is_led && all_answer {
            return Ok(());
        }
        if waited_for_rest.is_some_and(|waited| waited > REST_MAX) {
            let silent =
                watched.iter().filter(|server| seen.answers.iter().all(|answer| answer.server != server.server));
            remark(format_args!(
                "{} runs, and doesn't answer yet: see {}/N/log",
                names(silent.map(|server| server.server)),
                named(folder)
            ));
            return Ok(());
        }
        if all_answer && let Some(why) = nobody_can_lead(&seen.answers) {
            return Err(Unusable(format!("{why}{}", stopped_again(children))));
        }
        if began.elapsed() > LEADER_MAX {
            let words = match watched.first() {
                Some(first) if round == Round::First => {
                    LastWords::of(folder, first, None).lines.pop().unwrap_or_default()
                }
                _ => format!("see their logs, {}/N/log", named(folder)),
            };
            return Err(Unusable(format!(
                "after {} s, {} of {} servers answer, and none leads: {words}{}",
                LEADER_MAX.as_secs(),
                seen.answers.len(),
                state.servers.len(),
                stopped_again(children),
            )));
        }
        std::thread::sleep(LOOK);
    }
}

/// Whether a server leads: one of these, or one that they follow, and that runs without this
/// command having started it. Its ports are busy then.
fn is_led(answers: &[view::Status], obstacles: &[Obstacle]) -> bool {
    let is_in_the_way = |leader: u8| {
        obstacles.iter().any(|obstacle| obstacle.server == leader && obstacle.remedy == Remedy::ClearTheWay)
    };
    answers.iter().any(|status| {
        status
            .leader_number()
            .is_some_and(|leader| (leader == status.server && status.role == "leader") || is_in_the_way(leader))
    })
}

/// Why none of these servers, which are all that run, can ever lead, if their disks have all lost a
/// part of the log.
fn nobody_can_lead(answers: &[view::Status]) -> Option<String> {
    let all_lack = !answers.is_empty() && answers.iter().all(|status| status.lacks().is_some());
    let lacking = if all_lack { view::lacking(answers.iter()) } else { None };
    lacking.map(|lacking| {
        format!("{lacking}: put one server's folder back that is whole, or restore all from copies of one stop")
    })
}

/// What is said of the servers that were started in vain.
fn stopped_again(children: &BTreeMap<u8, Child>) -> String {
    match children.len() {
        0 => String::new(),
        1 => format!(". {} was stopped again", names(children.keys().copied())),
        _ => format!(". {} were stopped again", names(children.keys().copied())),
    }
}

/// Whether these servers, which are all that answer, can't elect a leader, as far as they know the
/// members themselves.
fn is_no_majority(answers: &[view::Status]) -> bool {
    let Some(knowing) = answers.iter().max_by_key(|status| status.commit_index) else { return true };
    let voters: Vec<u8> =
        knowing.members.iter().filter(|member| member.kind == "voter").map(|member| member.server).collect();
    let there = voters.iter().filter(|voter| answers.iter().any(|answer| answer.server == **voter)).count();
    !voters.is_empty() && there * 2 <= voters.len()
}

/// The sentence for a cluster that doesn't start because of these servers.
fn not_at_all(obstacles: &[Obstacle], round: Round, folder: &Path) -> Unusable {
    let start = command("cluster start", folder);
    if let ([only], Round::Later) = (obstacles, round) {
        return Unusable(only.without_a_majority(&start));
    }
    let sentence = |obstacle: &Obstacle| match round {
        Round::First => format!("S{} doesn't start: {}", obstacle.server, obstacle.why),
        Round::Later => {
            format!("S{} doesn't start: {} ({})", obstacle.server, obstacle.why, obstacle.remedy.in_short())
        }
    };
    let mut sentences: Vec<String> = obstacles.iter().map(sentence).collect();
    sentences.push(match round {
        Round::First => "nothing of the new cluster is left".into(),
        Round::Later => format!("without them there is no majority: bring back as many as it takes, and use {start}"),
    });
    Unusable(together(&sentences))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_secret_is_its_owner_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = State::new("local-1".into(), 3, 8_101);
        let path = folder.path().join("secret");
        fs::write(folder.path().join("secret.new"), "left behind, open to all").unwrap();
        // One that is gone is drawn anew while nobody knows the old one.
        check_secret(&state, folder.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap().trim().len(), 64);
        let before = fs::read(&path).unwrap();
        check_secret(&state, folder.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), before, "a good one is kept");

        fs::write(&path, "short").unwrap();
        let Unusable(why) = check_secret(&state, folder.path()).unwrap_err();
        assert!(why.contains("at least") && why.contains(&format!("`rm {}`", path.display())), "{why}");
        assert!(!why.contains("cluster stop"), "{why}");
        fs::remove_file(&path).unwrap();
        state.server_mut(2).unwrap().process = super::super::process::Process::of(std::process::id());
        let Unusable(why) = check_secret(&state, folder.path()).unwrap_err();
        assert!(why.contains("S2 still goes by the old one") && why.contains("cluster stop"), "{why}");
        assert!(!path.exists());
    }

    #[test]
    fn a_majority_is_one_of_the_voters_that_the_servers_know() {
        let status = |server, commit_index, voters: &[u8]| {
            let member = |server: &u8| view::Member { server: *server, kind: "voter".into(), http: None };
            view::Status { server, commit_index, members: voters.iter().map(member).collect(), ..Default::default() }
        };
        assert!(is_no_majority(&[]));
        assert!(is_no_majority(&[status(1, 5, &[1, 2, 3])]));
        assert!(!is_no_majority(&[status(1, 5, &[1, 2, 3]), status(3, 4, &[1, 2, 3])]));
        assert!(!is_no_majority(&[status(1, 9, &[1]), status(3, 4, &[1, 2, 3])]), "who knows most counts");
        assert!(is_no_majority(&[status(1, 9, &[1, 2]), status(3, 4, &[1, 2, 3])]));
        assert!(!is_no_majority(&[status(4, 0, &[])]), "it doesn't know yet");
    }

    /// A majority that works isn't stopped because its leader was started by somebody else.
    #[test]
    fn a_leader_that_runs_from_elsewhere_leads() {
        let status = |server, role: &str, leader: Option<u8>| view::Status {
            server,
            role: role.into(),
            leader: leader.map(|server| view::Leader { server }),
            ..Default::default()
        };
        let obstacle = |remedy| [Obstacle { server: 2, why: "127.0.0.1:8102, for S2, is busy".into(), remedy }];
        let followers = [status(1, "follower", Some(2)), status(3, "follower", None)];
        assert!(is_led(&followers, &obstacle(Remedy::ClearTheWay)));
        assert!(!is_led(&followers, &obstacle(Remedy::MendFolder)), "it led, and has ended");
        assert!(!is_led(&followers, &[]));
        assert!(is_led(&[status(1, "leader", Some(1))], &[]));
        assert!(!is_led(&[status(1, "candidate", None)], &obstacle(Remedy::ClearTheWay)));
    }

    #[test]
    fn nobody_can_lead_if_all_have_lost_a_part_of_the_log() {
        let status = |server, lost_log| view::Status { server, lost_log, ..Default::default() };
        let up_to = view::EntryId { index: 9, term: 1 };
        let lost = view::LostLog { from_index: 4, up_to, repaired_at: None };
        let why = nobody_can_lead(&[status(1, Some(lost)), status(2, Some(lost))]).unwrap();
        assert!(why.starts_with("S1 (entries 4 to 9) and S2 (entries 4 to 9) have lost"), "{why}");
        assert_eq!(nobody_can_lead(&[status(1, Some(lost)), status(2, None)]), None, "S2 may lead");
        let whole = view::LostLog { repaired_at: Some(1), ..lost };
        assert_eq!(nobody_can_lead(&[status(1, Some(whole))]), None);
        assert_eq!(nobody_can_lead(&[]), None);
    }

    #[test]
    fn what_was_made_on_the_way_to_a_folder_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, outer) = (folder.path().join("a/b"), folder.path().join("a"));
        assert_eq!(missing_folders(&inner), [inner.clone(), outer.clone()]);
        fs::create_dir(&outer).unwrap();
        assert_eq!(missing_folders(&inner), [inner]);
        assert!(missing_folders(folder.path()).is_empty());
    }
}
