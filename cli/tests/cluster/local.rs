//! `cluster`, as far as it needs no server that runs: what it refuses, and what it believes of its
//! file.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{FINE, Killed, UNUSABLE, USAGE, folder, raftarium};

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
    assert!(status.contains("unreachable") && status.contains("ended by itself"), "{status}");
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

    remember(path, Value::Null, &[]);
    raftarium(path, &["cluster", "crash", "4"]).complained("there is no S4: the cluster has S1");
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

#[test]
fn a_busy_port_is_named() {
    let folder = folder();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let arguments = ["cluster", "start", "--servers", "1", "--port", &port];
    let done = raftarium(folder.path(), &arguments).ended(UNUSABLE);
    assert!(done.err.contains(&format!("127.0.0.1:{port}, for S1, is busy")), "{}", done.err);
    // It has made the folder, and can use it when the port is free.
    raftarium(folder.path(), &["cluster", "status"]).ended(FINE);
}

#[cfg(unix)]
#[test]
fn the_secret_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    raftarium(folder.path(), &["cluster", "start", "--servers", "1", "--port", &port]).ended(UNUSABLE);
    let secret = folder.path().join("raftarium-data/secret");
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&secret).unwrap().trim().len(), 64);
}
