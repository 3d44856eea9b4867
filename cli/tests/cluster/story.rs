//! Clusters of real processes, from their start to their end.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Done, FINE, Killed, NO, UNUSABLE, command, commands_in, folder, follow, raftarium};

/// How long anything may take before a test fails: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(90);

/// How often is looked whether something has happened.
const LOOK: Duration = Duration::from_millis(50);

/// A local cluster in a folder of its own. Its processes end with it.
struct Local {
    folder: TempDir,
    port: u16,
}

impl Local {
    fn new() -> Local {
        Local { folder: folder(), port: free_ports(3) }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> Done {
        raftarium(self.path(), arguments)
    }

    /// A command to the cluster, which must succeed.
    #[track_caller]
    fn does(&self, arguments: &[&str]) -> String {
        self.run(arguments).ended(FINE).out()
    }

    #[track_caller]
    fn start(&self, more: &[&str]) -> Done {
        let port = self.port.to_string();
        self.run(&[&["cluster", "start", "--port", &port], more].concat()).ended(FINE)
    }

    fn data(&self) -> PathBuf {
        self.path().join("raftarium-data")
    }

    fn address(&self, server: u64) -> String {
        format!("127.0.0.1:{}", u64::from(self.port) + server - 1)
    }

    /// The numbers of the servers' processes.
    fn processes(&self) -> BTreeMap<u64, i32> {
        let Ok(text) = fs::read_to_string(self.data().join("cluster.json")) else { return BTreeMap::new() };
        let document: Value = serde_json::from_str(&text).expect("a whole file");
        let process = |server: &Value| {
            let pid = server["process"]["pid"].as_i64()?;
            Some((server["server"].as_u64()?, i32::try_from(pid).ok()?))
        };
        document["servers"].as_array().unwrap().iter().filter_map(process).collect()
    }

    /// What the servers say of themselves, by number.
    fn statuses(&self) -> BTreeMap<u64, Value> {
        let json = self.run(&["cluster", "status", "--json"]).ended(FINE).json();
        let status = |server: &Value| {
            let status = server.get("status")?;
            Some((status["server"].as_u64()?, status.clone()))
        };
        json["servers"].as_array().unwrap().iter().filter_map(status).collect()
    }

    /// Waits until what the servers say is as wanted.
    #[track_caller]
    fn wait<T>(&self, what: &str, wanted: impl Fn(&BTreeMap<u64, Value>) -> Option<T>) -> T {
        let deadline = Instant::now() + LIMIT;
        loop {
            let statuses = self.statuses();
            if let Some(found) = wanted(&statuses) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what} doesn't come about: {statuses:#?}");
            thread::sleep(LOOK);
        }
    }

    /// The leader that a majority follows, if it isn't `old`.
    #[track_caller]
    fn leader_besides(&self, old: u64) -> u64 {
        self.wait("a leader", |statuses| {
            let leads = |(number, status): (&u64, &Value)| {
                let followers = statuses.values().filter(|other| other["leader"]["server"] == *number);
                (status["role"] == "leader" && *number != old && followers.count() >= 2).then_some(*number)
            };
            statuses.iter().find_map(leads)
        })
    }

    /// Does what a sentence advises for a server whose data can't be used, word by word. In the end
    /// it is one of three voters, and has the data.
    #[track_caller]
    fn follows(&self, server: u64, said: &str) {
        let (_, advice) = said.split_once("et the others give it their data: ").expect("an advice");
        let steps = commands_in(advice);
        for step in &steps {
            follow(self.path(), step);
        }
        assert!(steps.last().unwrap().contains("members promote"), "{steps:?}");
        let members = self.does(&["members"]);
        assert_eq!(members.matches("voter").count(), 3, "{members}");
        self.catches_up(server);
        let address = self.address(server);
        assert_eq!(self.does(&["get", "colour", "--servers", &address, "--consistency", "local"]), "blue");
    }

    /// Waits until a server has applied everything that the leader has committed by now.
    #[track_caller]
    fn catches_up(&self, server: u64) {
        let commit = |statuses: &BTreeMap<u64, Value>| {
            statuses.values().filter_map(|status| status["commit_index"].as_u64()).max()
        };
        let goal = self.wait("an answer", commit);
        self.wait("that it catches up", |statuses| {
            (statuses.get(&server)?["applied_index"].as_u64()? >= goal).then_some(())
        });
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // The cluster's file may be an old one, or gone.
        let in_lock = |server: u64| fs::read_to_string(self.data().join(format!("{server}/data/lock"))).ok();
        let locks = (1..=3).filter_map(in_lock).filter_map(|said| said.trim().parse().ok());
        for pid in self.processes().into_values().chain(locks).filter(|pid| *pid > 0) {
            // Only what was started in this folder.
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let folder = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            let is_ours = folder == self.path().canonicalize().unwrap_or_default();
            if is_ours && command.windows(4).any(|part| part == b"node") {
                let _ = kill_process(Pid::from_raw(pid).expect("a process"), Signal::KILL);
            }
        }
    }
}

/// The first of so many ports in a row that are free, with those that peers use below. They are
/// below those that the system gives to outgoing connections, which would take a port while its
/// server is stopped.
fn free_ports(count: u16) -> u16 {
    loop {
        let given = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = 11_000 + u16::try_from(u32::from(given) * 7_919 % 20_000).unwrap();
        let all =
            (0..count).flat_map(|place| [port.checked_add(place), port.checked_add(place).map(|port| port - 1_000)]);
        let listeners: Vec<_> = all.map(|port| TcpListener::bind(("127.0.0.1", port?)).ok()).collect();
        if listeners.iter().all(Option::is_some) {
            return port;
        }
    }
}

/// What Raftarium comes from: a cluster that is used, broken and mended.
#[test]
fn a_leader_is_killed_and_nothing_is_lost() {
    let local = Local::new();
    let told = local.start(&["--playground"]).out();
    assert!(told.contains("raftarium put colour blue") && told.contains("curl"), "{told}");
    local.run(&["cluster", "start"]).complained("runs already");
    let first = local.leader_besides(0);
    assert!(local.does(&["put", "colour", "blue"]).starts_with("new, revision "));

    let said = local.does(&["cluster", "crash", &first.to_string()]);
    assert!(said.contains(&format!("cluster restart {first}")), "{said}");
    local.run(&["cluster", "crash", &first.to_string()]).complained("doesn't run");
    let second = local.leader_besides(first);
    for server in (1..=3).filter(|server| *server != first) {
        assert_eq!(local.does(&["get", "colour", "--servers", &local.address(server)]), "blue");
    }
    assert!(local.does(&["put", "shape", "round"]).starts_with("new"));
    assert!(local.does(&["cas", "colour", "blue", "green"]).starts_with("replaced"));
    local.run(&["cas", "colour", "blue", "red"]).ended(NO);
    let view = local.does(&["cluster", "status"]);
    assert!(view.contains("crashed") && view.contains(&format!("S{second} leads")), "{view}");

    // What doesn't run is started, and the rest is left alone.
    let processes = local.processes();
    let said = local.does(&["cluster", "start"]);
    let others: Vec<_> = (1..=3).filter(|server| *server != first).map(|server| format!("S{server}")).collect();
    assert!(said.starts_with(&format!("{} ran already; S{first} started.\n", others.join(", "))), "{said}");
    assert!(local.processes().iter().all(|(server, pid)| (processes[server] != *pid) == (*server == first)));
    local.run(&["cluster", "start", &first.to_string()]).complained("runs already");
    local.catches_up(first);
    let address = local.address(first);
    assert_eq!(local.does(&["get", "colour", "--servers", &address, "--consistency", "local"]), "green");
    assert_eq!(local.does(&["list", "--servers", &address]), "colour = green\nshape = round\n");

    let processes = local.processes();
    assert_eq!(local.does(&["cluster", "stop"]), "The cluster is stopped; its data is kept.\n");
    for pid in processes.values() {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!command.windows(4).any(|part| part == b"node"), "process {pid} still runs");
    }
    local.run(&["get", "colour"]).complained("no server could be reached");
    // Its data is there at the next start, without a playground this time.
    local.start(&[]);
    assert_eq!(local.does(&["get", "colour"]), "green");
    local.run(&["cluster", "crash", "1"]).complained("isn't a playground");
    local.does(&["cluster", "stop"]);
}

#[test]
fn servers_are_paused_and_links_are_cut_and_healed() {
    let local = Local::new();
    local.start(&["--playground"]);
    let first = local.leader_besides(0);
    let name = first.to_string();
    local.does(&["cluster", "pause", &name]);
    let view = local.does(&["cluster", "status"]);
    assert!(view.contains("paused"), "{view}");
    let second = local.leader_besides(first);
    assert!(local.does(&["put", "colour", "blue"]).starts_with("new"));
    local.does(&["cluster", "resume", &name]);
    local.catches_up(first);

    // Nobody hears the leader, so another one leads; then everybody hears everybody again.
    local.does(&["cluster", "cut", &second.to_string()]);
    let third = local.leader_besides(second);
    assert!(local.does(&["put", "colour", "green"]).starts_with("replaced"));
    local.does(&["cluster", "heal"]);
    local.catches_up(second);
    let slow = local.does(&["cluster", "slow", &third.to_string(), "--delay", "20ms", "--loss", "1"]);
    assert!(slow.contains("comes 20 ms later, and 1 % are lost"), "{slow}");
    assert_eq!(local.does(&["get", "colour"]), "green");
    // A paused server doesn't keep the others from being stopped.
    local.does(&["cluster", "pause", "1"]);
    local.does(&["cluster", "stop"]);
}

#[test]
fn a_lost_folder_is_not_taken_for_a_new_one() {
    let local = Local::new();
    local.start(&[]);
    local.does(&["put", "colour", "blue"]);
    local.does(&["cluster", "stop"]);
    let kept = local.data().join("2/kept");
    fs::rename(local.data().join("2/data"), &kept).unwrap();
    let view = local.run(&["cluster", "status"]).ended(FINE).out();
    assert!(view.contains("stopped, its data folder is gone"), "{view}");
    let done = local.run(&["cluster", "start"]).ended(NO);
    assert!(
        done.err.contains("the data folder of S2 is gone") && done.err.contains("members remove 2"),
        "{}",
        done.err
    );
    assert!(!local.data().join("2/data").exists());
    assert_eq!(local.does(&["get", "colour"]), "blue");
    local.run(&["cluster", "restart", "2"]).complained("a server that has forgotten its votes");
    // As the sentences say, in another order: it is still a member when it starts.
    let said = local.does(&["cluster", "restart", "2", "--join"]);
    let (peer, http) = (format!("127.0.0.1:{}", local.port + 1 - 1_000), local.address(2));
    let add = format!("raftarium members add 2 {peer} {http}");
    let steps = ["raftarium members remove 2", &add, "raftarium members promote 2"].map(|step| said.find(step));
    assert!(steps.is_sorted() && steps[0].is_some(), "{said}");
    let aside = |said: &str| {
        let moved = "`mv raftarium-data/2/data raftarium-data/2/data.old-1`";
        let steps =
            ["members remove 2", "cluster stop 2", moved, "cluster restart 2 --join", &add, "members promote 2"];
        let steps = steps.map(|step| said.find(step));
        assert!(steps.is_sorted() && steps[0].is_some(), "{said}");
    };
    aside(&local.run(&["cluster", "restart", "2", "--join"]).ended(UNUSABLE).err);
    local.does(&["members", "remove", "2"]);
    local.does(&["cluster", "stop", "2"]);
    fs::remove_dir_all(local.data().join("2/data")).unwrap();
    let said = local.does(&["cluster", "restart", "2", "--join"]);
    assert!(said.contains(&add) && !said.contains("members remove"), "{said}");
    local.does(&["members", "add", "2", &peer, &http]);
    local.catches_up(2);
    local.does(&["members", "promote", "2"]);
    let members = local.does(&["members"]);
    assert_eq!(members.matches("voter").count(), 3, "{members}");
    assert_eq!(local.does(&["get", "colour", "--servers", &http, "--consistency", "local"]), "blue");
    // An old copy isn't believed any more. What to do stands where it is seen, and works.
    local.does(&["cluster", "stop", "2"]);
    fs::remove_dir_all(local.data().join("2/data")).unwrap();
    fs::rename(&kept, local.data().join("2/data")).unwrap();
    local.does(&["cluster", "start", "2"]);
    local.wait("that it may not vote", |statuses| statuses.get(&2)?["no_vote_because"].as_str().map(drop));
    let view = local.does(&["cluster", "status"]);
    let advice = view.lines().find(|line| line.contains("S2 may not vote. Let the others")).expect(&view);
    aside(advice);
    local.follows(2, advice);
    local.does(&["cluster", "stop"]);
}

/// A file of an earlier run is put back, or there is none at all, while the servers run.
#[test]
fn servers_that_run_are_found_by_their_folders() {
    let local = Local::new();
    local.start(&[]);
    let file = local.data().join("cluster.json");
    local.does(&["put", "colour", "blue"]);
    local.does(&["cluster", "stop"]);
    let old = fs::read(&file).unwrap();
    local.start(&[]);
    let processes = local.processes();

    // Without the file and its copy, nothing is taken for a new cluster, and nothing is lost.
    let copy = local.data().join("cluster.json.copy");
    fs::remove_file(&file).unwrap();
    fs::remove_file(&copy).unwrap();
    for task in [&["start"][..], &["status"], &["stop"], &["stop", "1"]] {
        local.run(&[&["cluster"][..], task].concat()).complained(
            "raftarium-data is the folder of a cluster: it holds the data of S1, S2, S3. But \
             raftarium-data/cluster.json, which says what belongs to it, is gone, and so is its copy",
        );
    }
    let addresses = (1..=3).map(|server| local.address(server)).collect::<Vec<_>>().join(",");
    assert_eq!(local.does(&["get", "colour", "--servers", &addresses]), "blue");
    // It is written anew by what is there, with the servers that run, and also while none does.
    let rebuilt = |said: &str| {
        assert!(said.contains("`raftarium cluster rebuild`") || said.contains("cluster rebuild`"), "{said}");
        assert!(local.does(&["cluster", "rebuild"]).contains("is written anew: cluster local-"));
        local.run(&["cluster", "rebuild"]).complained("is whole");
    };
    rebuilt(&local.run(&["cluster", "status"]).err);
    assert_eq!(local.processes(), processes);
    local.does(&["cluster", "stop"]);
    let other = String::from_utf8(fs::read(&file).unwrap()).unwrap().replace("\"local-", "\"local-other-");
    fs::write(&file, &other).unwrap();
    fs::write(&copy, &other).unwrap();
    let said = local.run(&["cluster", "start"]).ended(UNUSABLE).err;
    assert!(said.contains("raftarium-data/cluster.json is of the cluster local-other-"), "{said}");
    rebuilt(&said);
    assert_eq!(fs::read_to_string(local.data().join("cluster.json.replaced")).unwrap(), other);
    local.start(&[]);
    assert_eq!(local.does(&["get", "colour"]), "blue");
    let processes = local.processes();
    let processes_of = |numbers: &[u64]| {
        let each = numbers.iter().map(|number| format!("S{number} is process {}", processes[number]));
        each.collect::<Vec<_>>().join(", ")
    };

    fs::write(&file, &old).unwrap();
    let status = local.run(&["cluster", "status"]).ended(FINE);
    assert!(!status.out().contains("stopped") && status.out().contains("leader"), "{}", status.out());
    assert!(status.err.contains(&processes_of(&[1, 2, 3])), "{}", status.err);
    let started = local.run(&["cluster", "start"]).ended(UNUSABLE);
    assert!(started.err.contains(&format!("runs already ({})", processes_of(&[1, 2, 3]))), "{}", started.err);
    local.run(&["cluster", "start", "2"]).ended(UNUSABLE);
    assert!(local.does(&["cluster", "stop", "2"]).starts_with("S2 is stopped"));
    assert_eq!(local.run(&["cluster", "status"]).ended(FINE).err, "", "the stop has noted the others");
    assert!(local.does(&["cluster", "start", "2"]).starts_with("S2 runs again"));
    let second = local.processes()[&2];

    fs::write(&file, &old).unwrap();
    assert_eq!(local.does(&["cluster", "stop"]), "The cluster is stopped; its data is kept.\n");
    for pid in processes.values().chain([&second]) {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!command.windows(4).any(|part| part == b"node"), "process {pid} still runs");
    }
    // Locks of servers that don't run any more mean nothing.
    fs::write(&file, &old).unwrap();
    assert!(local.does(&["cluster", "stop"]).contains("doesn't run"));
}

/// A backup of the whole folder names the processes of the original.
#[test]
fn a_copy_of_a_folder_commands_nobody_of_the_original() {
    let local = Local::new();
    local.start(&["--playground"]);
    local.does(&["put", "colour", "blue"]);
    let copied = Command::new("cp").args(["-a", "raftarium-data", "bak"]).current_dir(local.path()).status();
    assert!(copied.unwrap().success());
    let before = local.processes();
    for task in [&["stop"][..], &["stop", "2"]] {
        let done = local.run(&[&["cluster"][..], task, &["--data", "bak"]].concat()).ended(FINE);
        assert!(done.out().contains("doesn't run"), "{}", done.out());
        assert!(done.err.contains(&format!("process {}", before[&2])), "{}", done.err);
    }
    for task in [&["crash", "2"][..], &["pause", "2"]] {
        let done = local.run(&[&["cluster"][..], task, &["--data", "bak"]].concat()).ended(UNUSABLE);
        assert!(done.err.contains("S2 doesn't run"), "{}", done.err);
    }
    let starts = [&["start"][..], &["start", "2"], &["restart", "2"], &["restart", "2", "--join"]];
    let refuse = |said: &str| {
        for task in starts {
            let done = local.run(&[&["cluster"][..], task, &["--data", "bak"]].concat()).ended(UNUSABLE);
            assert!(done.err.contains("bak is a copy of a cluster that runs (S1 in "), "{said}: {}", done.err);
        }
    };
    refuse("all of the original runs");
    // Nor does an old copy of a server begin where the original's stands still.
    local.does(&["cluster", "stop", "2"]);
    refuse("S2 of the original doesn't run");
    local.does(&["cluster", "start", "2"]);
    assert_eq!(local.does(&["get", "colour"]), "blue");
    assert_eq!([&1, &3].map(|server| local.processes()[server]), [&1, &3].map(|server| before[server]));
    // Nor once the processes that it names are gone, and the original's are others.
    local.does(&["cluster", "stop"]);
    local.start(&[]);
    local.does(&["cluster", "stop", "2"]);
    for task in starts {
        local
            .run(&[&["cluster"][..], task, &["--data", "bak"]].concat())
            .complained("answer at their addresses, and run from another folder than bak");
    }
    // It is a folder of its own as soon as the original's servers are stopped.
    local.does(&["cluster", "stop"]);
    local.does(&["cluster", "start", "--data", "bak"]);
    assert_eq!(local.does(&["get", "colour", "--data", "bak"]), "blue");
    local.does(&["cluster", "stop", "--data", "bak"]);
}

#[test]
fn a_cluster_in_the_foreground_shows_a_death_and_ends_by_ctrl_c() {
    let local = Local::new();
    let port = local.port.to_string();
    let mut child = command(local.path(), &["cluster", "--port", &port]);
    let mut child = Killed(child.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut until = |words: &str| loop {
        let line = lines.next().unwrap_or_else(|| panic!("it ends before it says {words}")).unwrap();
        if line.contains(words) {
            return line;
        }
    };
    until("raftarium put colour blue");
    until(" leader in term ");
    let processes = local.processes();
    kill_process(Pid::from_raw(processes[&2]).unwrap(), Signal::KILL).unwrap();
    let death = until("S2 has ended");
    assert!(death.contains("SIGKILL"), "{death}");
    until("raftarium cluster restart 2");
    until("S2 unreachable");
    // It is started again only by a command.
    local.does(&["cluster", "restart", "2"]);
    until("S2 follower");
    kill_process(Pid::from_child(&child.0), Signal::INT).unwrap();
    until("The cluster is stopped");
    assert_eq!(child.0.wait().unwrap().code(), Some(FINE));
    local.run(&["cluster", "stop"]).ended(FINE);
    local.run(&["get", "x"]).ended(UNUSABLE);
}

#[test]
fn a_server_that_can_not_start_keeps_nobody_else_from_running() {
    let local = Local::new();
    local.start(&[]);
    local.does(&["put", "colour", "blue"]);
    local.does(&["cluster", "stop"]);
    let file = |server: u64| local.data().join(format!("{server}/data/folder.json"));

    // Damaged: the server says so itself.
    fs::write(file(3), "{}").unwrap();
    fs::remove_file(local.data().join("secret")).unwrap();
    let done = local.run(&["cluster", "start"]).ended(NO);
    assert!(done.err.contains("S3 doesn't start: ") && done.err.contains("folder.json"), "{}", done.err);
    assert!(done.err.contains("the servers get a new secret"), "{}", done.err);
    assert!(done.out().starts_with("2 of 3 servers of cluster"), "{}", done.out());
    assert_eq!(local.does(&["get", "colour"]), "blue");
    let view = local.does(&["cluster", "status"]);
    assert!(view.contains("S3 ended, and no command had stopped it. S3 doesn't start: "), "{view}");
    assert!(view.contains("members remove 3") && !view.contains("Start it again with"), "{view}");
    local.follows(3, &done.err);

    // Nameless: seen from outside.
    local.does(&["cluster", "stop", "2"]);
    fs::remove_file(file(2)).unwrap();
    let sentence = "folder.json is missing, and without it nobody knows whose data is there";
    local.run(&["cluster", "restart", "2", "--join"]).complained(sentence);
    let done = local.run(&["cluster", "start", "2"]);
    assert!(done.err.contains(sentence), "{}", done.err);
    local.follows(2, &done.err);

    // Without a majority, nobody is started, and each is named.
    local.does(&["cluster", "stop"]);
    let busy = TcpListener::bind(local.address(1)).unwrap();
    let other = fs::read(file(3)).unwrap();
    fs::copy(file(2), file(3)).unwrap();
    let done = local.run(&["cluster", "start"]).ended(UNUSABLE);
    assert!(done.err.contains(&format!("{}, for S1, is busy", local.address(1))), "{}", done.err);
    assert!(done.err.contains("belongs to server S2") && done.err.contains("no majority"), "{}", done.err);
    assert!(commands_in(&done.err).last().unwrap().ends_with("cluster start"), "{}", done.err);
    assert!(local.does(&["cluster", "stop"]).contains("doesn't run"), "S2 was stopped again");
    // With one, the busy port is the only thing that is missing.
    fs::write(file(3), other).unwrap();
    let done = local.run(&["cluster", "start"]).ended(NO);
    drop(busy);
    let steps = commands_in(&done.err);
    assert!(steps.len() == 1 && steps[0].ends_with("cluster start 1"), "{}", done.err);
    follow(local.path(), &steps[0]);
    assert_eq!(local.does(&["get", "colour", "--servers", &local.address(1)]), "blue");
    local.does(&["cluster", "stop"]);
}

/// As for an upgrade: one server after the other is stopped and started. Who watches misses
/// nothing, and hears nothing twice.
#[test]
fn servers_are_restarted_in_turn_under_an_idle_watch() {
    let local = Local::new();
    local.start(&[]);
    let mut watch = command(local.path(), &["watch", "--from", "1", "--timeout", "1s"]);
    let mut watch = Killed(watch.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(watch.0.stdout.take().unwrap()).lines();
    let mut heard = || lines.next().expect("the watch goes on").unwrap();
    local.does(&["put", "a", "1"]);
    assert!(heard().ends_with(" put a = 1"));
    let before = local.processes();
    for server in 1..=3 {
        local.does(&["cluster", "restart", &server.to_string()]);
        assert_eq!(local.statuses()[&server]["is_ready"], true, "the next one may be stopped now");
    }
    assert!(local.processes().iter().all(|(server, pid)| before[server] != *pid));
    local.does(&["put", "b", "2"]);
    local.does(&["delete", "a"]);
    assert!(heard().ends_with(" put b = 2"));
    assert!(heard().ends_with(" delete a"));

    // One that leads hands over before it goes; and it is known who stopped it.
    let first = local.leader_besides(0).to_string();
    let said = local.does(&["cluster", "stop", &first]);
    assert!(said.starts_with(&format!("S{first} is stopped; its data is kept. The others go on.")), "{said}");
    local.does(&["put", "c", "3"]);
    assert!(heard().ends_with(" put c = 3"));
    let view = local.does(&["cluster", "status"]);
    assert!(view.contains("stopped") && !view.contains("no command"), "{view}");
    let second = local.leader_besides(0).to_string();
    let said = local.does(&["cluster", "stop", &second]);
    assert!(said.contains("The others are no majority without it"), "{said}");
    fs::remove_file(local.data().join("secret")).unwrap();
    local.run(&["cluster", "start", &second]).complained("secret is gone");
    let done = local.run(&["cluster", "start"]).ended(UNUSABLE);
    for step in commands_in(&done.err) {
        follow(local.path(), &step);
    }
    assert_eq!(local.statuses().len(), 3);
    local.does(&["cluster", "stop"]);
}

#[test]
fn a_refusal_says_what_is_the_limit_and_who_is_no_member() {
    let local = Local::new();
    local.start(&["--servers", "1"]);
    fs::write(local.path().join("longest"), vec![b'x'; 65_536]).unwrap();
    local.does(&["put", "x", "--file", "longest"]);
    for length in [65_537, 262_144, 262_145, 20_000_000] {
        fs::write(local.path().join("longer"), vec![b'x'; length]).unwrap();
        let done = local.run(&["put", "x", "--file", "longer"]);
        done.complained(&format!("the value has {length} bytes: a value has at most 65536"));
    }
    local.run(&["members", "remove", "9"]).complained("S9 isn't a member: there is nothing to remove");
    let refused = local.run(&["cas", "y", "1", "2"]).ended(NO);
    assert!(refused.err.ends_with("has no value\n"), "{}", refused.err);
    local.does(&["put", "y", "3"]);
    let refused = local.run(&["cas", "y", "1", "2"]).ended(NO);
    assert!(refused.err.contains("has another value: it is “3”, of revision "), "{}", refused.err);
    local.does(&["cluster", "stop"]);
}

/// One server by itself, as on a machine of its own.
#[test]
fn a_node_serves_rereads_its_tokens_and_stops() {
    let folder = folder();
    let path = folder.path();
    fs::write(path.join("tokens"), "0123456789abcdef-one\n").unwrap();
    fs::write(path.join("mine"), "0123456789abcdef-two\n").unwrap();
    let arguments =
        ["node", "--id", "1", "--data", "data", "--peer-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"];
    let refused = raftarium(path, &arguments);
    assert!(refused.status == UNUSABLE && refused.err.starts_with("error: "), "{refused:?}");

    let more = ["--found", "--token-file", "tokens", "--json", "--log", "json"];
    let mut node = command(path, &[&arguments[..], &more].concat());
    let mut node = Killed(node.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(node.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let announced: Value = serde_json::from_str(&line).expect("a line of JSON");
    let address = announced["http"].as_str().unwrap().to_owned();
    let put = |token: &str| raftarium(path, &["put", "x", "1", "--servers", &address, "--token-file", token]);
    put("tokens").ended(FINE);
    put("mine").complained("token");
    // The same folder is no other process's.
    let other = raftarium(path, &[&arguments[..], &["--found"]].concat()).ended(UNUSABLE);
    assert!(other.err.contains("in use"), "{}", other.err);

    fs::OpenOptions::new()
        .append(true)
        .open(path.join("tokens"))
        .unwrap()
        .write_all(b"0123456789abcdef-two\n")
        .unwrap();
    let process = Pid::from_child(&node.0);
    kill_process(process, Signal::HUP).unwrap();
    let deadline = Instant::now() + LIMIT;
    while put("mine").status != FINE {
        assert!(Instant::now() < deadline, "the new token isn't taken");
    }
    kill_process(process, Signal::TERM).unwrap();
    assert_eq!(node.0.wait().unwrap().code(), Some(FINE));
    let log = std::io::read_to_string(node.0.stderr.take().unwrap()).unwrap();
    assert!(!log.is_empty() && log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
}
