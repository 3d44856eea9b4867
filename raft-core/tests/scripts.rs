//! Plays `tests/scripts/*.script` and compares what happens with what they say happens.
//!
//! The scripts are the documentation of behaviour: each shows one thing, with every message and
//! every reason. The language is described in `runner/mod.rs`. After a change of behaviour that is
//! meant, `UPDATE_SCRIPTS=1 cargo test -p raftarium-core --test scripts` writes down what happens
//! now: read the difference before committing it. `SCRIPT=election` plays only the scripts whose
//! names contain that.

mod runner;
mod support;

use std::fs;
use std::path::PathBuf;

use runner::{difference, play};

const TOPICS: [&str; 12] = [
    "election",
    "replication",
    "commit",
    "restart",
    "disk",
    "membership",
    "snapshot",
    "read",
    "lease",
    "transfer",
    "partition",
    "rules",
];

/// Every script: where it is, and its text.
fn scripts() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "script"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

fn name(path: &std::path::Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

#[test]
fn every_script_happens_as_it_says() {
    let update = std::env::var_os("UPDATE_SCRIPTS").is_some();
    let wanted = std::env::var("SCRIPT").unwrap_or_default();
    let mut failures = String::new();
    for (path, script) in scripts() {
        if !name(&path).contains(&wanted) {
            continue;
        }
        let file = format!("tests/scripts/{}.script", name(&path));
        match play(&script) {
            Err(error) => failures += &format!("{file}:{}: {}\n\n", error.line, error.what),
            Ok(played) if update && played != script => fs::write(&path, played).expect("a script can be written"),
            Ok(played) => {
                if let Some(difference) = difference(&script, &played) {
                    failures += &format!("{file}: it happened otherwise\n{difference}\n");
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "\n\n{failures}If that is how it should be, write it down: \
         UPDATE_SCRIPTS=1 cargo test -p raftarium-core --test scripts\n"
    );
}

#[test]
fn every_script_says_what_it_shows_and_where_the_paper_does() {
    let scripts = scripts();
    assert!(scripts.len() >= 40, "there are only {} scripts", scripts.len());
    for topic in TOPICS {
        let of_topic = |(path, _): &(PathBuf, String)| name(path).starts_with(&format!("{topic}-"));
        assert!(scripts.iter().any(of_topic), "there is no script about {topic}");
    }
    for (path, script) in scripts {
        let name = name(&path);
        assert!(TOPICS.iter().any(|topic| name.starts_with(&format!("{topic}-"))), "{name}: of what topic is it?");
        let prose: Vec<&str> = script.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(!prose.is_empty(), "{name} doesn't open with what it shows");
        assert!(
            prose.iter().any(|line| line.contains('§') || line.contains("Raft Figure")),
            "{name} doesn't say which section it shows"
        );
    }
}

#[test]
fn a_line_that_can_not_be_played_is_named_with_the_reason() {
    let cases = [
        ("> cluster nodes=3\n> jump 1\n", 2, "`jump 1`: no such command, or not with these arguments"),
        ("> campaign 1\n", 1, "`campaign 1`: there is no cluster yet: begin with `cluster nodes=3`"),
        ("> cluster nodes=0\n", 1, "nodes=N must be 1 to 9"),
        ("> cluster nodes=3 size=4\n", 1, "`size` is none of nodes, leader, learners"),
        ("# A comment\n\n> cluster nodes=3\n> config pre-vote=off\n", 4, "move this line before it"),
        ("> config pre-vote=maybe\n", 1, "`pre-vote` is on or off, not `maybe`"),
        ("> config colour=red\n", 1, "there is no parameter `colour` to set"),
        ("> without honesty\n", 1, "there is no rule `honesty`"),
        ("> cluster nodes=3\n> run 5\n", 2, "`5` is no length of time: 150ms, 2s, 700us"),
        ("> cluster nodes=3\n> deliver 1 2\n", 2, "no such message is on its way"),
        ("> cluster nodes=3\n> campaign 4\n", 2, "there is no S4 in this cluster"),
        ("> cluster nodes=3\n> crash 1\n> campaign 1\n", 3, "S1 is down"),
        ("> cluster nodes=3\n> cut 1 to 2\n", 2, "which link? `1 -> 2`, or `1 2` for both directions"),
        ("> cluster nodes=3\nwhat now\n", 2, "`what now`: neither a command"),
        ("  S1 leads.\n", 1, "neither a command"),
    ];
    for (script, line, reason) in cases {
        if script.contains("without") && !cfg!(feature = "switchable-rules") {
            continue; // Such scripts aren't played then.
        }
        let error = play(script).expect_err(script);
        assert_eq!(error.line, line, "{script}");
        assert!(error.what.contains(reason), "{script}: {}", error.what);
    }
}

#[test]
fn playing_keeps_comments_and_replaces_what_was_printed() {
    let script = "# A word first. §5.2\n\n> cluster nodes=1\n  nonsense\n\n# And one after.\n> status\n";
    let played = play(script).unwrap();
    let status = "  S1@0 follower, log to nothing, commit 0\n";
    assert_eq!(
        played,
        format!("# A word first. §5.2\n\n> cluster nodes=1\n{status}\n# And one after.\n> status\n{status}")
    );
    assert_eq!(play(&played), Ok(played.clone()), "playing again changes nothing");
}

#[test]
fn a_snapshot_of_nothing_new_is_refused_and_the_script_says_so() {
    let played = play("> cluster nodes=1\n> snapshot 1\n").unwrap();
    let refused = "  The snapshot is refused by S1: ";
    assert!(played.lines().last().is_some_and(|line| line.starts_with(refused)), "{played}");
}

#[test]
fn a_difference_shows_the_lines_that_differ_and_what_is_around_them() {
    let numbered = |skip: usize| (1..=20).filter(|n| *n != skip).map(|n| format!("line {n}\n")).collect::<String>();
    assert_eq!(difference(&numbered(0), &numbered(0)), None);
    let came = numbered(0).replace("line 10\n", "line ten\nand more\n");
    let difference = difference(&numbered(0), &came).unwrap();
    let expected = "     7 line 7\n     8 line 8\n     9 line 9\n-   10 line 10\n+   10 line ten\n+   11 and more\n";
    assert!(difference.starts_with(expected), "{difference}");
    assert_eq!(difference.lines().count(), 9, "{difference}");
}
