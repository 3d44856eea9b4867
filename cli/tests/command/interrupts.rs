//! Ctrl-C and SIGTERM: the first makes a long command print what it has, the second stops it at
//! once.
//!
//! No test sleeps. Linux says when a process is ready for a signal, and how many threads it has.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Done, FOUND, INTERRUPTED, command, folder, raftarium};

fn start(folder: &Path, arguments: &[&str], out: Stdio) -> Child {
    let child = command(folder, arguments).stdout(out).stderr(Stdio::piped()).spawn().expect("the command runs");
    // Wait until both signal handlers are installed.
    let wanted = 1 << (Signal::INT.as_raw() - 1) | 1 << (Signal::TERM.as_raw() - 1);
    wait_for(&child, |status| {
        let caught = u64::from_str_radix(field(status, "SigCgt:"), 16).expect("a mask");
        caught & wanted == wanted
    });
    child
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0").trim()
}

fn threads(status: &str) -> u32 {
    field(status, "Threads:").parse().unwrap_or(0)
}

/// Waits until `ready` accepts what Linux says about a process.
fn wait_for(child: &Child, ready: impl Fn(&str) -> bool) {
    let status = format!("/proc/{}/status", child.id());
    while !ready(&fs::read_to_string(&status).expect("the process is there")) {
        thread::yield_now();
    }
}

fn send(child: &Child, signal: Signal) {
    let process = Pid::from_child(child);
    kill_process(process, signal).expect("the process is there");
}

fn end(child: Child) -> Done {
    Done::of(child.wait_with_output().expect("the command runs"))
}

/// More seeds than could ever be played.
const ALL_SEEDS: &str = "0..=18446744073709551615";

#[test]
fn a_hunt_that_is_interrupted_tells_how_far_it_came() {
    let folder = folder();
    for signal in [Signal::INT, Signal::TERM] {
        // Long seeds and short ones: one that is being played is interrupted.
        for (length, seeds) in [("11s", ALL_SEEDS), ("24h", "7..1000")] {
            let arguments = ["hunt", "--seeds", seeds, "--for", length, "--jobs", "2"];
            let child = start(folder.path(), &arguments, Stdio::piped());
            wait_for(&child, |status| threads(status) == 3);
            send(&child, signal);
            let told = end(child).ended(INTERRUPTED).out;
            let of = if seeds == ALL_SEEDS { " of 18,446,744,073,709,551,616 seeds (" } else { " of 993 seeds (" };
            assert!(told.contains(of) && told.contains(": no violation\n"), "{told}");
            assert!(told.contains(" rare states reached:\n"), "{told}");
            let (_, left) = told.split_once("\nInterrupted: to play the rest, use --seeds ").expect(&told);
            let first: u64 = left.split_once("..").and_then(|(first, _)| first.parse().ok()).expect(left);
            let played: u64 = told.split_once(' ').and_then(|(n, _)| n.replace(',', "").parse().ok()).expect(&told);
            let begun = first - if seeds == ALL_SEEDS { 0 } else { 7 };
            // One thread may still be busy with a seed while the other plays any number of later
            // ones.
            assert!(begun <= played, "{told}");
        }
    }
    let child = start(folder.path(), &["hunt", "--seeds", ALL_SEEDS, "--json"], Stdio::piped());
    send(&child, Signal::INT);
    let json = end(child).ended(INTERRUPTED).json();
    assert_eq!((&json["interrupted"], &json["shrunk"]), (&true.into(), &Value::Null));
    assert!(json["left"].as_str().is_some_and(|left| left.ends_with("..=18446744073709551615")), "{json}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was found, and nothing is written");
}

#[test]
fn a_hunt_that_is_interrupted_while_it_shrinks_tells_and_writes_what_it_has() {
    let folder = folder();
    let arguments = ["hunt", "--without", "persist-before-counting", "--for", "10min", "--nodes", "9", "--jobs", "1"];
    let child = start(folder.path(), &[&arguments[..], &["--out", "found.json"]].concat(), Stdio::piped());
    // One thread plays, and ends when a seed has failed.
    wait_for(&child, |status| threads(status) == 2);
    wait_for(&child, |status| threads(status) == 1);
    send(&child, Signal::INT);
    let told = end(child).ended(INTERRUPTED).out;
    assert!(told.contains(" tries, until it was interrupted.\n"), "{told}");
    assert!(told.contains("\nInterrupted when every seed that matters had been played\n"), "{told}");
    let (_, sentence) = told.split_once("\nSeed ").expect(&told);
    let (_, sentence) = sentence.split_once(": ").expect(&told);
    let (sentence, _) = sentence.split_once('\n').expect(&told);
    // The written file has the same sentence, fails in the same way, and is the same run.
    let replayed = raftarium(folder.path(), &["replay", "found.json"]).ended(FOUND).out;
    assert!(
        replayed.contains(", as expected\n") && replayed.ends_with(&format!("{sentence}, as expected\n")),
        "{replayed}"
    );
}

#[test]
fn a_replay_that_is_interrupted_tells_how_far_it_came() {
    let folder = folder();
    fs::write(folder.path().join("day.json"), r#"{"raftarium": 1, "seed": "1", "until": "24h"}"#).unwrap();
    let arguments = ["replay", "day.json", "--trace", "t.jsonl", "--history", "h.jsonl"];
    let mut child = start(folder.path(), &arguments, Stdio::piped());
    // Wait until it has begun to print.
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut told = String::new();
    out.read_line(&mut told).unwrap();
    send(&child, Signal::TERM);
    out.read_to_string(&mut told).unwrap();
    end(child).ended(INTERRUPTED);
    assert!(told.contains("\nThe servers at ") && told.contains(" events; trace hash "), "{told}");
    let (_, last) = told.split_once("\nInterrupted: it came to ").expect(&told);
    assert!(last.ends_with(" s of 86400.000 s, and nothing wrong was found up to there\n"), "{last}");
    // The logs consist of whole lines up to there.
    let trace = fs::read_to_string(folder.path().join("t.jsonl")).unwrap();
    assert!(trace.ends_with("}\n") && trace.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(raftarium(folder.path(), &["check", "h.jsonl"]).out.starts_with("linearizable"));
    let child = start(folder.path(), &["replay", "day.json", "--json"], Stdio::piped());
    send(&child, Signal::INT);
    let json = end(child).ended(INTERRUPTED).json();
    assert_eq!((&json["interrupted"], &json["violation"]), (&true.into(), &Value::Null));
}

#[test]
fn a_second_signal_stops_the_command_at_once() {
    let folder = folder();
    fs::write(folder.path().join("day.json"), r#"{"raftarium": 1, "seed": "1", "until": "24h"}"#).unwrap();
    for arguments in [&["replay", "day.json", "--all"][..], &["hunt", "--seeds", ALL_SEEDS]] {
        // Nobody reads its output, and the pipe is full: after the first signal, it waits for ever.
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(&[b'.'; 64 * 1024]).unwrap();
        let mut child = start(folder.path(), arguments, writer.into());
        let status = loop {
            send(&child, Signal::INT);
            thread::yield_now();
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
        };
        assert_eq!(status.code(), Some(INTERRUPTED), "{arguments:?}");
        drop(reader);
    }
}
