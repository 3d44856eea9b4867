//! The command as its users see it: what it prints and writes, and how it ends.

mod hostile;
#[cfg(target_os = "linux")]
mod interrupts;
mod lessons;
#[cfg(target_os = "linux")]
mod long;
mod support;

use std::fs;

use raft_core::format::recording::{Known, Recording, State};
use serde_json::Value;
use support::{FINE, FOUND, UNDECIDED, UNUSABLE, USAGE, command, folder, raftarium};
use tempfile::TempDir;

/// A correct run, with a person who writes and a leader that crashes.
const STORY: &str = r#"{
  "raftarium": 1,
  "note": "A leader crashes.",
  "seed": "7",
  "until": "3s",
  "servers": 3,
  "clients": { "count": 0 },
  "actions": [
    { "at": "1s", "do": "submit", "command": "put x 1" },
    { "at": "1.5s", "do": "crash", "server": "leader" },
    { "at": "2.5s", "do": "submit", "command": "get x" }
  ]
}"#;

fn story() -> (TempDir, String) {
    let folder = folder();
    fs::write(folder.path().join("story.json"), STORY).unwrap();
    let link = raftarium(folder.path(), &["link", "story.json"]).ended(FINE).out;
    (folder, link.trim().to_owned())
}

#[test]
fn help_is_worth_reading() {
    let folder = folder();
    let help = raftarium(folder.path(), &["--help"]).ended(FINE).out;
    for part in ["hunt", "replay", "show", "link", "check", "rules", "completions", "Examples:", "Exit status:"] {
        assert!(help.contains(part), "{part}");
    }
    for name in ["hunt", "replay", "show", "link", "check", "rules", "completions"] {
        let help = raftarium(folder.path(), &[name, "--help"]).ended(FINE).out;
        assert!(help.contains("Example"), "{name}");
        assert!(!help.contains('\x1b'), "no colours where there is no terminal");
    }
    assert!(raftarium(folder.path(), &["--version"]).ended(FINE).out.starts_with("raftarium "));
    assert!(raftarium(folder.path(), &["completions", "bash"]).ended(FINE).out.contains("--keep-going"));
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused() {
    let folder = folder();
    let cases: [(&[&str], &str); 19] = [
        (&[], "Usage:"),
        (&["fly"], "unrecognized subcommand"),
        (&["hunt", "--seeds", "7..3"], "the range is empty"),
        (&["hunt", "--seeds", "x"], "“x” is not a seed: write 0..1000, or 17"),
        (&["hunt", "--seeds", "18446744073709551616"], "“18446744073709551616” is not a seed"),
        (&["hunt", "--seeds", "5..0"], "the range is empty"),
        (&["hunt", "--jobs", "0"], "0 is not in 1..=1024"),
        (&["hunt", "--jobs", "1025"], "1025 is not in 1..=1024"),
        (&["hunt", "--jobs", "99999999999999999999"], "too large"),
        (&["hunt", "--nodes", "10"], "10 is not in 1..=9"),
        (&["hunt", "--for", "10s"], "the last 10s are calm: allow more time"),
        (&["hunt", "--faults", "rain"], "[possible values: calm, crashes, network"),
        (&["hunt", "--without", "vote-once-a-term"], "vote-once-per-term"),
        (&["hunt", "--out", "-"], "--out needs the name of a file"),
        (&["replay"], "<FILE|LINK>"),
        (
            &["replay", "x", "--trace", "-", "--history", "-"],
            "--trace and --history can’t both write to the standard output",
        ),
        (&["replay", "x", "--trace", "y", "--shiviz", "y"], "--trace and --shiviz can’t both write to y"),
        (&["replay", "x", "--json", "--history", "-"], "--json and --history can’t both write to the standard output"),
        (&["replay", "x", "--history", "x"], "--history would overwrite the run itself, x"),
    ];
    for (arguments, words) in cases {
        let done = raftarium(folder.path(), arguments).ended(USAGE);
        assert!(done.err.contains(words), "{arguments:?}: {}", done.err);
        assert_eq!(done.out, "");
    }
}

#[test]
fn a_calm_hunt_finds_nothing() {
    let folder = folder();
    let done = raftarium(folder.path(), &["hunt", "--seeds", "0..4", "--for", "20s", "--jobs", "2"]).ended(FINE);
    assert!(done.out.starts_with("4 of 4 seeds (0..4), 20s each, faults: full: no violation\n"), "{}", done.out);
    assert!(done.out.contains("rare states reached:"), "{}", done.out);
    assert_eq!(done.err, "", "no progress where there is no terminal");
    let json = raftarium(folder.path(), &["hunt", "--seeds", "3..=4", "--for", "20s", "--json"]).ended(FINE).json();
    assert_eq!((&json["played"], &json["violations"]), (&2.into(), &Value::Array(Vec::new())));
    assert!(json["marks"]["leader-deposed"].is_u64());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written");
}

#[test]
fn the_largest_number_is_a_seed_too() {
    let folder = folder();
    for (seeds, told, played) in [
        ("18446744073709551615", "1 of 1 seeds (18446744073709551615..=18446744073709551615)", 1),
        ("18446744073709551613..=18446744073709551615", "3 of 3 seeds", 3),
        ("18446744073709551613..18446744073709551615", "2 of 2 seeds (18446744073709551613..18446744073709551615)", 2),
    ] {
        let hunt = ["hunt", "--seeds", seeds, "--for", "11s"];
        let done = raftarium(folder.path(), &hunt).ended(FINE);
        assert!(done.out.starts_with(told), "{}", done.out);
        let json = raftarium(folder.path(), &[&hunt[..], &["--json"]].concat()).ended(FINE).json();
        assert_eq!(json["played"], played);
        let end = if seeds.contains("=") || played == 1 { "18446744073709551616" } else { "18446744073709551615" };
        assert_eq!(json["seeds"]["to"], end);
    }
    // A failing seed is shrunk, and the printed command finds it again.
    let without = ["hunt", "--without", "vote-once-per-term", "--for", "20s", "--shrink-tries", "200"];
    let last = ["--seeds", "18446744073709551600..=18446744073709551615", "--keep-going"];
    let done = raftarium(folder.path(), &[&without[..], &last].concat()).ended(FOUND);
    assert!(done.out.contains("\n  again:   raftarium hunt --seeds 184467440737095516"), "{}", done.out);
}

#[cfg(target_os = "linux")]
#[test]
fn as_many_seeds_are_played_at_the_same_time_as_the_system_allows() {
    let folder = folder();
    let hunt = |threads_room: &str| {
        let script = format!("ulimit -v {threads_room}; exec \"$0\" hunt --seeds 0..40 --for 11s --jobs 1024");
        let mut shell = std::process::Command::new("sh");
        shell.current_dir(folder.path()).args(["-c", &script, env!("CARGO_BIN_EXE_raftarium")]);
        // The threads' stacks are so large that creating a thread fails, and not the work of one.
        shell.env("RUST_MIN_STACK", "300000000").env("MALLOC_ARENA_MAX", "1");
        support::Done::of(shell.output().expect("there is a shell"))
    };
    let few = hunt("1000000").ended(FINE);
    assert!(few.out.starts_with("40 of 40 seeds"), "{}", few.out);
    let remark = few.err.strip_prefix("Only ").and_then(|rest| rest.split_once(" of 1024 seeds are played"));
    assert!(remark.is_some_and(|(count, _)| (1..10).contains(&count.parse().unwrap_or(0))), "{}", few.err);
    assert_eq!(few.err.lines().count(), 1, "{}", few.err);
    let none = hunt("200000").ended(UNUSABLE);
    assert!(none.err.starts_with("error: no seed can be played: ") && none.out.is_empty(), "{}", none.err);
}

#[test]
fn a_hunt_without_a_rule_finds_a_violation_shrinks_it_and_writes_it_down() {
    let folder = folder();
    let hunt = ["hunt", "--without", "vote-once-per-term", "--for", "20s", "--seeds", "0..50", "--out", "found.json"];
    let done = raftarium(folder.path(), &hunt).ended(FOUND);
    let (_, found) = done.out.split_once("\nSeed ").expect(&done.out);
    let (seed, found) = found.split_once(": ").expect(&done.out);
    assert!(found.starts_with("One Vote a Term is violated at "), "{}", done.out);
    assert!(done.out.contains("raftarium replay found.json\n"), "{}", done.out);
    let again = format!("raftarium hunt --seeds {seed} --for 20s --without vote-once-per-term\n");
    assert!(done.out.contains(&again), "{}", done.out);
    // The file and the link fail in the same way, and play the same run.
    let link = done.out.split_whitespace().find(|word| word.contains("#run=")).expect("a link").to_owned();
    for run in ["found.json", &link] {
        let replayed = raftarium(folder.path(), &["replay", run]).ended(FOUND);
        assert!(replayed.out.contains("One Vote a Term is violated at "), "{}", replayed.out);
        assert!(
            replayed.out.contains(", as expected\n") && replayed.out.ends_with(", as expected\n"),
            "{}",
            replayed.out
        );
    }
    let file = fs::read_to_string(folder.path().join("found.json")).unwrap();
    assert!(file.contains("\"without\": [\"vote-once-per-term\"]"), "{file}");
    // However many seeds are played at the same time, the lowest failing one is found, and it
    // shrinks to the same run.
    let arguments = [&hunt[..], &["--jobs", "3", "--json"]].concat();
    let json = raftarium(folder.path(), &arguments).ended(FOUND).json();
    assert_eq!(json["shrunk"]["link"], Value::String(link));
    assert_eq!(fs::read_to_string(folder.path().join("found.json")).unwrap(), file);
    assert!(json["shrunk"]["actions"].as_u64().unwrap() < 5);
}

/// The run in which a hunt finds that a single server, of which half is no majority, never leads.
const STUCK: [&str; 5] = ["hunt", "--without", "win-by-majority", "--seeds", "2"];

#[test]
fn what_no_property_stops_is_handed_on_by_file_link_and_trace() {
    let folder = folder();
    let options = ["--shrink-tries", "200", "--out", "found.json", "--json"];
    let hunt = raftarium(folder.path(), &[&STUCK[..], &options].concat()).ended(FOUND).json();
    let sentence = hunt["shrunk"]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Liveness is violated: at ") && sentence.ends_with("nobody leads"), "{sentence}");
    let link = hunt["shrunk"]["link"].as_str().unwrap();
    assert!(link.contains("&found=Liveness&at=") && link.ends_with("+nobody+leads"), "{link}");
    let shown = raftarium(folder.path(), &["show", link]).ended(FINE).out;
    let file = fs::read_to_string(folder.path().join("found.json")).unwrap();
    let without_note = |text: &str| text.lines().filter(|line| !line.contains("\"note\"")).collect::<String>();
    assert_eq!(without_note(&shown), without_note(&file), "both say the same");
    assert_eq!(raftarium(folder.path(), &["link", "found.json"]).ended(FINE).out.trim(), link);
    let (_, alone) = link.split_once("#run=").unwrap();
    fs::write(folder.path().join("link.txt"), alone).unwrap();
    for run in ["found.json", link, alone, "link.txt"] {
        let replayed = raftarium(folder.path(), &["replay", run, "--trace", "t.jsonl"]).ended(FOUND).out;
        assert!(replayed.contains(", as expected\n"), "{replayed}");
        assert!(replayed.ends_with(&format!("\n{sentence}, as expected\n")), "{replayed}");
        let trace = fs::read_to_string(folder.path().join("t.jsonl")).unwrap();
        let last: Value = serde_json::from_str(trace.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&last["kind"], &last["what"], &last["text"]),
            (&"found".into(), &"Liveness".into(), &sentence.into())
        );
        assert_eq!(last["time"], hunt["shrunk"]["until"]);
    }
    let json = raftarium(folder.path(), &["replay", link, "--json"]).ended(FOUND).json();
    assert_eq!((&json["as_expected"], &json["found"]), (&true.into(), &json["expected"]));
    // Up to a moment before it, nothing is expected of it.
    let early = raftarium(folder.path(), &["replay", link, "--until", "1s"]).ended(FINE).out;
    assert!(early.ends_with("\nNothing wrong was found.\n"), "{early}");
}

/// The texts between a mark and the next.
fn between<'a>(text: &'a str, begins: &str, ends: char) -> Vec<&'a str> {
    text.split(begins).skip(1).map(|rest| rest.split(ends).next().unwrap()).collect()
}

/// Of every rule there is a run that goes wrong without it, and its link says how: those that the
/// page shows, and those of the table.
#[test]
fn every_rule_has_a_link_that_fails_as_it_says() {
    let folder = folder();
    let kept = |path: &str| fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let page = kept("www/run/counterexamples.js").replace("' +\n    '", "");
    let of_page = between(&page, "\n  '", '\'');
    let rules = raftarium(folder.path(), &["rules", "--json"]).ended(FINE).json();
    assert_eq!(of_page.len(), rules.as_array().unwrap().len(), "one for each");
    let table = kept("docs/rules.md");
    let of_table = between(&table, "`#run=A", '`');
    assert!(of_table.len() + 2 >= of_page.len(), "{} are listed", of_table.len());
    let of_page = of_page.into_iter().map(|link| format!("#run={link}"));
    let mut liveness = 0;
    for link in of_page.chain(of_table.into_iter().map(|link| format!("#run=A{link}"))) {
        let done = raftarium(folder.path(), &["replay", &link]).ended(FOUND);
        assert!(done.out.contains(", as expected\n"), "{link}: {}", done.out);
        // Where a link says what was found, that was found again.
        assert_eq!(done.out.ends_with(", as expected\n"), link.contains("&found="), "{link}: {}", done.out);
        liveness += u32::from(link.contains("&found=Liveness&"));
    }
    assert!(liveness >= 3, "{liveness} of them are about liveness");
}

#[test]
fn what_was_found_is_found_again_though_the_run_goes_on() {
    let folder = folder();
    let options = ["--shrink-tries", "200", "--out", "found.json", "--json"];
    let hunt = raftarium(folder.path(), &[&STUCK[..], &options].concat()).ended(FOUND).json();
    let micros = hunt["shrunk"]["until"].as_u64().unwrap();
    let file = fs::read_to_string(folder.path().join("found.json")).unwrap();
    // Whoever breaks something after the storm is promised nothing, but that was later, or at that
    // very moment.
    for (at, until) in [(micros + 1_000_000, micros + 2_000_000), (micros, micros)] {
        let mut file: Value = serde_json::from_str(&file).unwrap();
        file["until"] = format!("{until}us").into();
        file["actions"]
            .as_array_mut()
            .unwrap()
            .push(serde_json::json!({ "at": format!("{at}us"), "do": "set-loss", "share": "1%" }));
        file.as_object_mut().unwrap().remove("hash");
        fs::write(folder.path().join("later.json"), file.to_string()).unwrap();
        let replayed = raftarium(folder.path(), &["replay", "later.json"]).ended(FOUND).out;
        let (_, last) = replayed.trim_end().rsplit_once('\n').unwrap();
        assert!(last.starts_with("Nothing wrong was found, but up to "), "{last}");
        assert!(last.ends_with(" Liveness is violated, as expected"), "{last}");
    }
}

#[test]
fn what_was_said_to_be_found_and_is_not_is_told() {
    let (folder, link) = story();
    let claim = "&found=Liveness&at=3s&first=the+storm+was+over&second=nobody%1b+leads";
    let told = raftarium(folder.path(), &["replay", &(link.clone() + claim)]).ended(FINE).out;
    let end = "\nNothing wrong was found, but a violation of Liveness at 3.000 s is expected\n\
               It was said that the storm was over, but nobody\\u{1b} leads\n";
    assert!(told.ends_with(end), "{told}");
    let json = raftarium(folder.path(), &["replay", &(link.clone() + claim), "--json"]).ended(FINE).json();
    assert_eq!((&json["as_expected"], &json["found"]), (&false.into(), &Value::Null));
    assert_eq!((&json["expected"]["what"], &json["expected"]["time"]), (&"Liveness".into(), &3_000_000.into()));
    for (claim, why) in [
        ("&found=Luck&at=1s", "what was found: “Luck” is nothing that can be found: there are Linearizability, "),
        ("&found=Liveness&at=4s", "what was found: 4.000 s lies after the end of the run, which is at 3.000 s"),
        ("&found=Liveness", "what was found: it doesn’t say when: at=1.25s"),
    ] {
        let done = raftarium(folder.path(), &["replay", &(link.clone() + claim)]).ended(UNUSABLE);
        assert!(done.err.starts_with(&format!("error: {why}")) && done.out.is_empty(), "{}", done.err);
    }
}

#[test]
fn a_hunt_that_keeps_going_counts() {
    let folder = folder();
    let arguments = ["hunt", "--without", "persist-before-counting", "--for", "11s", "--seeds", "0..6", "--keep-going"];
    let arguments = [&arguments[..], &["--shrink-tries", "0"]].concat();
    let done = raftarium(folder.path(), &arguments).ended(FOUND);
    assert!(done.out.starts_with("6 of 6 seeds"), "{}", done.out);
    assert!(done.out.contains(" of seeds: "), "{}", done.out);
    assert!(done.out.contains("failure-seed-"), "{}", done.out);
    // A finding is printed even if it can't be written.
    let done = raftarium(folder.path(), &[&arguments[..], &["--out", "no/such/folder"]].concat()).ended(UNUSABLE);
    assert!(done.err.starts_with("error: no/such/folder can't be written: "), "{}", done.err);
    assert!(done.out.starts_with("6 of 6 seeds") && done.out.contains("#run="), "{}", done.out);
    assert!(done.out.contains("  replay:  none: no/such/folder can't be written: "), "{}", done.out);
}

#[test]
fn a_replay_tells_the_story_and_writes_the_logs() {
    let (folder, link) = story();
    let logs = ["--trace", "t.jsonl", "--history", "h.jsonl", "--shiviz", "s.log", "--recording", "r.jsonl"];
    let done = raftarium(folder.path(), &[&["replay", "story.json"][..], &logs].concat()).ended(FINE);
    assert!(done.out.starts_with("A leader crashes.\n\n"), "{}", done.out);
    for words in [" leads term 1: it has the votes of ", " crashed", " leads term 2", "is down; on its disk", "; x=1\n"]
    {
        assert!(done.out.contains(words), "{words}: {}", done.out);
    }
    assert!(done.out.ends_with("Nothing wrong was found.\n"), "{}", done.out);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("t.jsonl").lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert_eq!(read("h.jsonl").lines().count(), 4, "two operations, each with its beginning and its end");
    assert!(
        read("s.log").starts_with("S1 {\"S1\":1}\n")
            || read("s.log").starts_with("S2 {\"S2\":1}\n")
            || read("s.log").starts_with("S3 {\"S3\":1}\n")
    );
    let checked = raftarium(folder.path(), &["check", "h.jsonl"]).ended(FINE);
    assert_eq!(checked.out, "linearizable: 2 operations on 1 key\n");
    // The recording ends with what is printed of the servers, and has the same history and notes.
    let recording = Recording::read(&read("r.jsonl")).unwrap();
    assert_eq!(recording.history(), read("h.jsonl"));
    let mut known = Known::new();
    recording.events.iter().for_each(|recorded| _ = known.take(recorded));
    for (server, known) in known.servers() {
        let State { role, term, last, commit, applied, .. } = known.state;
        let said = match role {
            None => format!("{server} is down"),
            Some(role) => format!(
                "{server} {}: term {}, log up to {}, commit {}, applied {};",
                role.name(),
                term.unwrap(),
                last.unwrap(),
                commit.unwrap(),
                applied.unwrap()
            ),
        };
        assert!(done.out.contains(&said), "{said}: {}", done.out);
    }
    // Who listens to more hears the rest as before.
    raftarium(folder.path(), &["replay", "story.json", "--trace", "only.jsonl"]).ended(FINE);
    assert_eq!(read("only.jsonl"), read("t.jsonl"));
    raftarium(folder.path(), &["replay", "story.json", "--recording", "only.jsonl", "--json"]).ended(FINE);
    assert_eq!(read("only.jsonl"), read("r.jsonl"));
    // Its link plays the same run, and holds the hash.
    let linked = raftarium(folder.path(), &["replay", &link]).ended(FINE);
    assert!(linked.out.contains(", as expected\n"), "{}", linked.out);
    let hash = |out: &str| out.split_once("trace hash ").unwrap().1[..16].to_owned();
    assert_eq!(hash(&linked.out), hash(&done.out));
    // Up to a moment, with all news, and as JSON.
    let early = raftarium(folder.path(), &["replay", &link, "--until", "1.2s", "--all"]).ended(FINE);
    assert!(early.out.contains("The servers at 1.200 s:") && !early.out.contains("crashed"), "{}", early.out);
    assert!(early.out.contains("asks: put x 1"), "{}", early.out);
    let json = raftarium(folder.path(), &["replay", &link, "--json"]).ended(FINE).json();
    assert_eq!((&json["hash"], &json["plays_differently"]), (&hash(&done.out).into(), &false.into()));
    assert_eq!(json["servers"].as_array().unwrap().len(), 3);
    let coloured = raftarium(folder.path(), &["replay", &link, "--color", "always"]).ended(FINE);
    assert!(coloured.out.contains('\x1b') && !done.out.contains('\x1b'));
}

#[test]
fn a_log_has_the_standard_output_to_itself() {
    let (folder, _) = story();
    for (log, first) in [
        ("--trace", "{\"time\":"),
        ("--history", "{\"client\":1"),
        ("--shiviz", "S"),
        ("--recording", "{\"raftarium-recording\":1,"),
    ] {
        let done = raftarium(folder.path(), &["replay", "story.json", log, "-"]).ended(FINE);
        assert!(done.out.starts_with(first), "{}", done.out);
        assert!(!done.out.contains("leads term 1: it has the votes of ") || log != "--history", "{}", done.out);
        assert!(!done.out.contains("Nothing wrong was found"), "{}", done.out);
        assert!(done.err.ends_with("Nothing wrong was found.\n"), "{}", done.err);
        raftarium(folder.path(), &["replay", "story.json", log, "file"]).ended(FINE);
        assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), done.out);
    }
    // A file that can't be written is reported before anything is printed.
    let done = raftarium(folder.path(), &["replay", "story.json", "--trace", "no/such/file"]).ended(UNUSABLE);
    assert!(done.out.is_empty() && done.err.starts_with("error: no/such/file can't be written: "), "{}", done.err);
}

/// Whatever its name is: many paths can lead to one file.
#[test]
fn a_log_is_never_written_over_the_run_or_another_log() {
    let (folder, _) = story();
    let in_folder = |name: &str| folder.path().join(name);
    fs::hard_link(in_folder("story.json"), in_folder("hard.json")).unwrap();
    let absolute = in_folder("story.json").display().to_string();
    let mut names = vec!["story.json", "./story.json", "hard.json", &absolute];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("story.json", in_folder("soft.json")).unwrap();
        names.push("soft.json");
    }
    for name in names {
        let done = raftarium(folder.path(), &["replay", "story.json", "--trace", name]).ended(USAGE);
        assert!(done.err.contains("--trace would overwrite the run itself"), "{name}: {}", done.err);
        assert_eq!(fs::read_to_string(in_folder("story.json")).unwrap(), STORY);
    }
    let both = ["replay", "story.json", "--trace", "new", "--history", "./new"];
    let done = raftarium(folder.path(), &both).ended(USAGE);
    assert!(done.err.contains("--trace and --history can’t both write to ./new"), "{}", done.err);
    raftarium(folder.path(), &["replay", "story.json", "--trace", "one", "--history", "other"]).ended(FINE);
}

#[test]
fn a_reader_that_has_seen_enough_ends_nothing_but_the_printing() {
    let (folder, _) = story();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut replay = command(folder.path(), &["replay", "story.json", "--all", "--history", "h.jsonl"]);
    let done = support::Done::of(replay.stdout(writer).output().unwrap()).ended(FINE);
    assert_eq!(done.err, "");
    assert_eq!(fs::read_to_string(folder.path().join("h.jsonl")).unwrap().lines().count(), 4);
}

#[test]
fn a_run_that_plays_differently_says_so() {
    let (folder, _) = story();
    let wrong = STORY.replace("\"until\"", "\"hash\": \"00000000deadbeef\", \"until\"");
    fs::write(folder.path().join("wrong.json"), wrong).unwrap();
    let done = raftarium(folder.path(), &["replay", "wrong.json"]).ended(FINE);
    assert!(done.out.contains("but 00000000deadbeef is expected: this run now plays differently\n"), "{}", done.out);
    let json = raftarium(folder.path(), &["replay", "wrong.json", "--json"]).ended(FINE).json();
    assert_eq!(json["plays_differently"], true);
}

#[test]
fn a_run_is_played_as_far_as_its_file_says_and_no_further() {
    let folder = folder();
    let write = |name: &str, until: &str| {
        fs::write(folder.path().join(name), STORY.replace("\"until\": \"3s\",", until)).unwrap();
    };
    write("zero.json", "\"until\": \"0s\",");
    write("silent.json", "");
    let played = |run: &str, end: &str| {
        let told = raftarium(folder.path(), &["replay", run]).ended(FINE).out;
        assert!(told.contains(&format!("\nThe servers at {end}:\n")), "{told}");
        told
    };
    let told = played("zero.json", "0.000 s");
    assert!(told.contains("\n0 events; ") && !told.contains("leads term"), "{told}");
    // Ten seconds after its last action.
    played("silent.json", "12.500 s");
    // A link to the beginning stands for the whole run, and the file made of it has no `until`.
    let link = raftarium(folder.path(), &["link", "silent.json"]).ended(FINE).out;
    played(link.trim(), "12.500 s");
    let shown = raftarium(folder.path(), &["show", link.trim()]).ended(FINE).out;
    assert!(!shown.contains("\"until\""), "{shown}");
    assert!(raftarium(folder.path(), &["show", "zero.json"]).ended(FINE).out.contains("\"until\": \"0s\""));
}

#[test]
fn files_and_links_turn_into_each_other() {
    let (folder, link) = story();
    assert!(link.starts_with("http://127.0.0.1:8080/#run="), "{link}");
    let shown = raftarium(folder.path(), &["show", &link]).ended(FINE).out;
    fs::write(folder.path().join("shown.json"), &shown).unwrap();
    let again =
        raftarium(folder.path(), &["link", "shown.json", "--base-url", "https://example.org/r/"]).ended(FINE).out;
    let bare = |link: &str| link.trim().split_once("#run=").unwrap().1.to_owned();
    assert_eq!(bare(&again), bare(&link));
    assert!(again.starts_with("https://example.org/r/#run="), "{again}");
    assert_eq!(raftarium(folder.path(), &["show", &bare(&link)]).ended(FINE).out, shown);
    fs::write(folder.path().join("link.txt"), &link).unwrap();
    assert_eq!(raftarium(folder.path(), &["show", "link.txt"]).ended(FINE).out, shown);
}

#[test]
fn what_can_not_be_read_is_refused_with_a_sentence() {
    let (folder, link) = story();
    let path = folder.path();
    let write = |name: &str, bytes: &[u8]| fs::write(path.join(name), bytes).unwrap();
    write("binary", b"abc\xff");
    write("later.json", br#"{"raftarium": 9, "seed": "1"}"#);
    write("typo.json", br#"{"raftarium": 1, "seed": "1", "untill": "3s"}"#);
    write("history.jsonl", br#"{"client":1,"kind":"ok","op":"get","key":"x"}"#);
    raftarium(path, &["replay", "none.json"])
        .complained("there is no file “none.json”, and it doesn’t look like a link either");
    raftarium(path, &["replay", "binary"]).complained("binary is not a text: byte 3 is not UTF-8");
    raftarium(path, &["replay", "later.json"]).complained(
        "later.json: the file was made by another version of Raftarium: it has format 9, this version reads 1",
    );
    let typo = raftarium(path, &["link", "typo.json"]).ended(UNUSABLE);
    assert!(typo.err.starts_with("error: typo.json: line 1, column 38: unknown field `untill`"), "{}", typo.err);
    let cut = raftarium(path, &["show", &link[..link.len() - 2]]).ended(UNUSABLE);
    assert!(cut.err.starts_with("error: the link ") && cut.err.contains(": copy the whole of it"), "{}", cut.err);
    raftarium(path, &["check", "history.jsonl"])
        .complained("history.jsonl: line 1: event 1, of client 1: it ends an operation, but has begun none");
    let folder = raftarium(path, &["check", "."]).ended(UNUSABLE);
    assert!(folder.err.starts_with("error: . can't be read: "), "{}", folder.err);
}

#[test]
fn histories_are_judged() {
    let folder = folder();
    let write = |name: &str, lines: &[&str]| fs::write(folder.path().join(name), lines.join("\n")).unwrap();
    let begun = r#"{"client":1,"kind":"invoke","op":"put","key":"x","value":"1","time":100}"#;
    let done = r#"{"client":1,"kind":"ok","op":"put","key":"x","value":"1","time":200}"#;
    let asked = r#"{"client":2,"kind":"invoke","op":"get","key":"x","time":300}"#;
    let nothing = r#"{"client":2,"kind":"ok","op":"get","key":"x","found":false,"time":400}"#;
    write("stale.jsonl", &[begun, done, asked, nothing]);
    write("fine.jsonl", &[begun, asked, nothing, done]);
    assert!(raftarium(folder.path(), &["check", "fine.jsonl"]).ended(FINE).out.starts_with("linearizable"));
    let stale = raftarium(folder.path(), &["check", "stale.jsonl"]).ended(FOUND).out;
    assert!(stale.starts_with("not linearizable: 2 operations on 1 key\n\nx is not linearizable"), "{stale}");
    assert!(stale.contains("contradict each other:\n"), "{stale}");
    let json = raftarium(folder.path(), &["check", "stale.jsonl", "--json"]).ended(FOUND).json();
    assert_eq!((&json["verdict"], &json["event"]), (&"not linearizable".into(), &4.into()));
    let json = raftarium(folder.path(), &["check", "fine.jsonl", "--json", "--work", "0"]).ended(UNDECIDED).json();
    assert_eq!(json["verdict"], "undecided");
}

#[test]
fn rules_are_listed() {
    let folder = folder();
    let text = raftarium(folder.path(), &["rules"]).ended(FINE).out;
    assert!(
        text.contains(
            "commit-only-own-term\n    prevents a committed entry overwritten, as in Figure 8 (Raft §5.4.2)\n"
        )
    );
    let json = raftarium(folder.path(), &["rules", "--json"]).ended(FINE).json();
    assert!(json.as_array().unwrap().len() >= 27);
}

/// `raftarium rules --hunt` makes this table. Every rule must be in it with a seed that fails.
#[test]
fn the_table_of_rules_names_each_with_a_seed_that_fails_without_it() {
    let table = include_str!("../../../docs/rules.md");
    for rule in raft_core::raft::Rule::ALL {
        let start = format!("| `{}` |", rule.name());
        let row = table.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("{} is not in docs/rules.md", rule.name()));
        assert!(!row.contains("| 0 of"), "{row}");
    }
}
