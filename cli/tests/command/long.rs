//! Runs of hours take no more memory than runs of minutes.

use std::fs;
use std::process::Command;

use crate::support::{Done, FINE, folder, raftarium};

/// Runs the command with at most `kilobytes` of address space.
fn within(folder: &std::path::Path, kilobytes: u32, arguments: &[&str]) -> Done {
    let script = format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.current_dir(folder).args(["-c", &script, env!("CARGO_BIN_EXE_raftarium")]).args(arguments);
    Done::of(shell.output().expect("there is a shell"))
}

#[test]
fn a_replay_of_an_hour_has_room_in_little_memory() {
    let folder = folder();
    let path = folder.path();
    let run = r#"{"raftarium": 1, "seed": "1", "until": "1h", "clients": {"count": 3}, "actions": [
        { "at": "10min", "do": "submit", "command": "put x 1" }, { "at": "20min", "do": "crash", "server": "leader" },
        { "at": "30min", "do": "restart-all" }, { "at": "40min", "do": "submit", "command": "get x" }]}"#;
    fs::write(path.join("hour.json"), run).unwrap();
    // A little more than three minutes need.
    let room = 40_000;
    within(path, room, &["replay", "hour.json", "--until", "3min"]).ended(FINE);
    let told = within(path, room, &["replay", "hour.json"]).ended(FINE);
    assert!(told.out.contains("\nThe servers at 3600.000 s:\n"), "{}", &told.out[told.out.len() - 1_000..]);
    assert!(told.out.ends_with("Nothing wrong was found.\n"));
    assert_eq!(told.err, "", "no progress where there is no terminal");
    let json = within(path, room, &["replay", "hour.json", "--json", "--history", "h.jsonl"]).ended(FINE).json();
    assert_eq!(json["interrupted"], false);
    // The history in the file is complete, though the replay has forgotten all of it, and the
    // black-box search gives the same verdict.
    let lines = fs::read_to_string(path.join("h.jsonl")).unwrap().matches("\"invoke\"").count();
    assert_eq!(json["operations"], lines);
    assert!(lines > 30_000, "{lines}");
    let checked = raftarium(path, &["check", "h.jsonl"]).ended(FINE).out;
    assert!(checked.starts_with("linearizable: "), "{checked}");
}
