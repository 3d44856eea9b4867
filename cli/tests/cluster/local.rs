//! `cluster`, as far as it needs no server that runs: what it refuses, and what it believes of its
//! file.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::fake::{Fake, answer};
use crate::support::{FINE, Killed, UNUSABLE, USAGE, command, commands_in, folder, follow, raftarium};

/// A cluster's file with one server, whose process this is.
fn remember(folder: &Path, process: Value, more: &[(&str, Value)]) {
    fs::create_dir_all(folder.join("raftarium-data")).unwrap();
    let mut document = json!({
        "format": 1, "cluster": "local-1", "playground": true,
        "servers": [{
            "server": 1, "peer": "127.0.0.1:1", "http": "127.0.0.1:2",
            "has_begun": true, "process": process, "ending": null,
        }],
    });
    for (name, value) in more {
        document[*name] = value.clone();
    }
    fs::write(folder.join("raftarium-data/cluster.json"), document.to_string()).unwrap();
    let secret = folder.join("raftarium-data/secret");
    fs::write(&secret, "0123456789abcdef0123456789abcdef\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_number_that_is_another_process_s_by_now_is_left_alone() {
    let folder = folder();
    let mut other = Killed(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
    remember(folder.path(), json!({ "pid": other.0.id(), "began": "at another time" }), &[]);
    let stopped = raftarium(folder.path(), &["cluster", "stop"]).ended(FINE);
    assert_eq!(stopped.out(), "The cluster in raftarium-data doesn't run.\n");
    for task in ["crash", "pause", "resume"] {
        raftarium(folder.path(), &["cluster", task, "1"]).complained("S1 doesn't run");
    }
    let status = raftarium(folder.path(), &["cluster", "status"]).ended(FINE).out();
    assert!(
        status.contains("unreachable")
            && status.contains("ended unexpectedly")
            && status.contains("`")
            && status.contains("cluster start 1"),
        "{status}"
    );
    assert!(other.0.try_wait().unwrap().is_none(), "it still runs");
}

#[test]
fn a_file_of_another_version_is_not_touched() {
    let folder = folder();
    remember(folder.path(), Value::Null, &[("format", 2.into())]);
    let before = fs::read(folder.path().join("raftarium-data/cluster.json")).unwrap();
    let tasks: [&[&str]; 7] = [
        &["cluster"],
        &["cluster", "start"],
        &["cluster", "stop"],
        &["cluster", "status"],
        &["cluster", "crash", "1"],
        &["cluster", "restart", "1"],
        &["get", "x"],
    ];
    for arguments in tasks {
        raftarium(folder.path(), arguments).complained("has format 2, and this version of Raftarium reads 1");
    }
    assert_eq!(fs::read(folder.path().join("raftarium-data/cluster.json")).unwrap(), before);
}

#[test]
fn what_can_not_be_is_refused_in_a_sentence() {
    let folder = folder();
    let path = folder.path();
    for task in [&["stop"][..], &["status"], &["crash", "1"], &["restart", "1"], &["cut", "1"], &["heal"]] {
        raftarium(path, &[&["cluster"][..], task].concat())
            .complained("there is no cluster in raftarium-data: start one");
    }
    assert!(!path.join("raftarium-data").exists(), "and nothing is made by asking");
    fs::write(path.join("file"), "").unwrap();
    raftarium(path, &["cluster", "start", "--data", "file/x"]).complained("file/x can't be created");
    fs::create_dir(path.join("photos")).unwrap();
    fs::write(path.join("photos/cat.jpg"), "").unwrap();
    raftarium(path, &["cluster", "start", "--data", "photos"]).complained("photos isn't empty");
    raftarium(path, &["cluster", "start", "--data", "high", "--port", "65530", "--servers", "9"])
        .complained("port 65538");
    raftarium(path, &["cluster", "start", "--servers", "10"]).ended(USAGE);
    raftarium(path, &["cluster", "start", "--port", "1000"]).ended(USAGE);
    raftarium(path, &["cluster", "--servers", "3", "stop"]).ended(USAGE);
    raftarium(path, &["cluster", "start", "2", "--playground"]).ended(USAGE);
    raftarium(path, &["cluster", "stop", "0"]).ended(USAGE);

    remember(path, Value::Null, &[]);
    for task in ["crash", "start", "stop", "restart"] {
        raftarium(path, &["cluster", task, "4"]).complained("there is no S4: the cluster has S1");
    }
    assert_eq!(raftarium(path, &["cluster", "stop", "1"]).ended(FINE).out(), "S1 doesn't run.\n");
    raftarium(path, &["cluster", "cut", "1", "1"]).complained("S1 has no link to itself");
    raftarium(path, &["cluster", "slow", "1"]).complained("S1 is alone");
    raftarium(path, &["cluster", "heal"]).complained("no server runs");
    raftarium(path, &["cluster", "start", "--servers", "3"]).complained("has 1 servers, and not 3");
    raftarium(path, &["cluster", "start", "--port", "9000"]).complained("begins at 127.0.0.1:2");
    remember(path, Value::Null, &[("playground", false.into())]);
    for task in [&["crash", "1"][..], &["pause", "1"], &["resume", "1"], &["cut", "1"], &["slow", "1"], &["heal"]] {
        raftarium(path, &[&["cluster"][..], task].concat()).complained("the cluster isn't a playground");
    }
}

#[test]
fn a_server_whose_folder_is_gone_does_not_begin_anew() {
    let folder = folder();
    remember(folder.path(), Value::Null, &[]);
    for task in [&["start"][..], &["restart", "1"]] {
        raftarium(folder.path(), &[&["cluster"][..], task].concat())
            .complained("a server that has forgotten its votes doesn't begin as if it were new");
    }
}

/// A first start that fails is as if it had never been tried: the next one may choose other ports.
#[test]
fn a_first_start_that_fails_leaves_nothing() {
    let folder = folder();
    let path = folder.path();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let start = ["cluster", "start", "--servers", "1", "--port", &port];
    let done = raftarium(path, &start).ended(UNUSABLE);
    assert!(done.err.contains(&format!("127.0.0.1:{port}, for S1, is busy")), "{}", done.err);
    raftarium(path, &[&start[..], &["--data", "a/b"]].concat()).complained("is busy");
    fs::create_dir(path.join("mine")).unwrap();
    raftarium(path, &[&start[..], &["--data", "mine"]].concat()).complained("is busy");
    assert_eq!(fs::read_dir(path).unwrap().count(), 1, "nothing but the folder that was there");
    assert_eq!(fs::read_dir(path.join("mine")).unwrap().count(), 0);
    fs::write(path.join("mine/cat.jpg"), "").unwrap();
    raftarium(path, &[&start[..], &["--data", "mine"]].concat()).complained("mine isn't empty");
    assert_eq!(fs::read_dir(path.join("mine")).unwrap().count(), 1);
    fs::remove_dir_all(path.join("mine")).unwrap();

    // The servers themselves fail, since their files' paths are too long; the cluster's own aren't.
    drop(busy);
    let mut long = "x".repeat(200);
    while long.len() < 4_076 {
        let rest = (4_076 - long.len() - 1).min(200);
        long += &format!("/{}", "x".repeat(rest));
    }
    raftarium(path, &[&start[..], &["--data", &long]].concat()).complained("nothing of the new cluster is left");
    assert_eq!(fs::read_dir(path).unwrap().count(), 0);
}

/// Each sentence leads to the next step, and the last one to a cluster that is known again.
#[test]
fn a_damaged_or_lost_file_of_the_cluster_is_put_back_as_the_sentence_says() {
    let folder = folder();
    let path = folder.path();
    let (file, copy) = (path.join("raftarium-data/cluster.json"), path.join("raftarium-data/cluster.json.copy"));
    remember(path, Value::Null, &[]);
    let good = fs::read(&file).unwrap();
    fs::write(&copy, &good).unwrap();
    for spoil in
        [|file: &Path| fs::write(file, "{\"format\":1,").unwrap(), |file: &Path| fs::remove_file(file).unwrap()]
    {
        spoil(&file);
        for arguments in [&["cluster", "status"][..], &["cluster", "start"], &["cluster", "stop"], &["get", "x"]] {
            let done = raftarium(path, arguments);
            done.complained("a copy is there: `cp raftarium-data/cluster.json.copy raftarium-data/cluster.json`");
        }
        let said = raftarium(path, &["cluster", "start"]).err;
        assert!(said.contains("is damaged") || said.contains("is gone"), "{said}");
        for command in commands_in(&said) {
            follow(path, &command);
        }
        assert_eq!(fs::read(&file).unwrap(), good);
    }
    fs::write(&file, "").unwrap();
    fs::write(&copy, "").unwrap();
    raftarium(path, &["cluster", "start"])
        .complained("and so is its copy. The servers' own data, in raftarium-data/N/data");
    fs::remove_file(&copy).unwrap();
    raftarium(path, &["cluster", "start"])
        .complained("is damaged: EOF while parsing a value at line 1 column 0; and its copy is gone");
}

/// Somebody else may have begun to listen where a server of the cluster did.
#[test]
fn a_stranger_at_a_server_s_address_is_not_taken_for_it() {
    let folder = folder();
    let document = |cluster: &str, server: u64| {
        json!({
            "server": server, "cluster": cluster, "role": "leader", "term": 7, "leader": { "server": server },
            "members": [{ "server": server, "kind": "voter", "http": "127.0.0.1:9" }], "is_ready": true,
        })
    };
    for (cluster, server) in [("other", 1), ("local-1", 2)] {
        let fake = Fake::always(answer(200, &document(cluster, server)));
        let one = json!([{
            "server": 1, "peer": "127.0.0.1:1", "http": fake.address,
            "has_begun": true, "process": null, "ending": "stopped",
        }]);
        remember(folder.path(), Value::Null, &[("servers", one)]);
        let words = format!("S{server} of cluster {cluster} answers here");
        for arguments in [&["cluster", "status"][..], &["status"]] {
            let done = raftarium(folder.path(), arguments);
            let table = done.out();
            assert!(table.contains("stranger") && table.contains(&words), "{done:?}");
            assert!(table.contains("nobody leads") && !table.contains("127.0.0.1:9"), "{table}");
        }
        // Nothing is written to it, and nothing is believed that is read from it.
        for arguments in [&["put", "x", "1"][..], &["get", "x"], &["members", "remove", "3"]] {
            raftarium(folder.path(), arguments).complained(&words);
        }
        raftarium(folder.path(), &["watch", "--from", "1", "--timeout", "100ms"]).complained(&words);
        assert!(fake.lines().iter().all(|line| line == "GET /status"), "{:?}", fake.lines());
        let json = raftarium(folder.path(), &["cluster", "status", "--json"]).ended(FINE).json();
        assert_eq!((&json["servers"][0]["stranger"], json["servers"].as_array().unwrap().len()), (&true.into(), 1));
    }
    let fake = Fake::always(answer(200, &document("local-1", 1)));
    let one = json!([{
        "server": 1, "peer": "127.0.0.1:1", "http": fake.address,
        "has_begun": true, "process": null, "ending": "stopped",
    }]);
    remember(folder.path(), Value::Null, &[("servers", one)]);
    let mut status = command(folder.path(), &["status"]);
    let table = String::from_utf8(status.output().unwrap().stdout).unwrap();
    assert!(table.contains("S1 leads term 7"), "{table}");
}
