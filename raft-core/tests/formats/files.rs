use proptest::prelude::*;
use raft_core::format::file::{BYTES_MAX, File, FileError, read, write};
use raft_core::format::{Run, link};
use raft_core::raft::{Rule, Rules};
use raft_core::sim::{Scenario, Simulation};
use raft_core::time::Time;

use crate::runs::{cases, every_action_in_a_run, run, run_of};

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn whatever_is_written_is_read_again(run in run(), note in ".{0,40}") {
        let file = File { note, run, ..File::default() };
        let text = write(&file).unwrap();
        prop_assert_eq!(read(&text), Ok(file.clone()), "{}", text);
        // A link and a file say the same.
        prop_assert_eq!(link::read(&link::write(&file.run).unwrap()).unwrap(), file.run);
    }

    #[test]
    fn any_text_at_all_is_read_or_refused(text in ".{0,200}") {
        prop_assert!(read(&text).is_err());
    }

    #[test]
    fn a_file_cut_short_or_changed_is_read_or_refused(
        run in run(),
        place in any::<prop::sample::Index>(),
        other in "[ -~]",
    ) {
        let text = write(&File { run, ..File::default() }).unwrap();
        let places: Vec<usize> = text.trim_end().char_indices().filter(|(_, c)| c.is_ascii()).map(|(at, _)| at).collect();
        let place = places[place.index(places.len())];
        prop_assert!(read(&text[..place]).is_err());
        let mut changed = text;
        changed.replace_range(place..=place, &other);
        if let Ok(other) = read(&changed) {
            prop_assert_eq!(read(&write(&other).unwrap()), Ok(other));
        }
    }
}

#[test]
fn a_file_is_made_to_be_read() {
    let mut run = every_action_in_a_run();
    run.scenario.actions.truncate(2);
    run.scenario.parameters.network.loss = 25_000;
    run.scenario.parameters.rules = Rules::ALL.without(Rule::VoteOncePerTerm).without(Rule::CommitByMajority);
    let text = write(&File { note: "Two votes.".into(), run, ..File::default() }).unwrap();
    let expected = r#"{
  "raftarium": 1,
  "note": "Two votes.",
  "seed": "7",
  "until": "5s",
  "hash": "feed000000000001",
  "servers": 5,
  "network": {
    "latency_min": "6ms",
    "latency_max": "14ms",
    "loss": "2.5%",
    "duplication": "0%"
  },
  "without": ["vote-once-per-term", "commit-by-majority"],
  "actions": [
    { "at": "250ms", "do": "crash", "server": "leader" },
    { "at": "500ms", "do": "restart", "server": "S1" }
  ]
}
"#;
    assert_eq!(text, expected);
}

#[test]
fn what_is_left_out_is_as_in_the_default_world() {
    let file = read(r#"{"raftarium": 1, "seed": "18446744073709551615"}"#).unwrap();
    let scenario = Scenario { seed: u64::MAX, ..Scenario::default() };
    assert_eq!(file, File { run: Run { scenario, ..Run::default() }, open_ended: true, ..File::default() });
    let file = read(r#"{"raftarium": 1, "seed": "1", "$schema": "x", "clients": {"count": 0}}"#).unwrap();
    assert_eq!(file.run.scenario.parameters.clients.count, 0);
    assert_eq!(file.run.scenario.parameters.clients.keys, 4);
}

#[test]
fn a_file_that_ends_at_the_very_beginning_is_told_from_one_that_does_not_say() {
    let silent = "{\n  \"raftarium\": 1,\n  \"seed\": \"1\",\n  \"servers\": 5,\n  \"actions\": []\n}\n";
    let zero = silent.replace("\"servers\"", "\"until\": \"0s\",\n  \"servers\"");
    for (text, open_ended) in [(silent, true), (&zero, false)] {
        let file = read(text).unwrap();
        assert_eq!((file.run.until, file.open_ended), (Time::ZERO, open_ended));
        assert_eq!(write(&file).unwrap(), text);
    }
    // A file that names a moment keeps it.
    let run = Run { until: Time::from_secs(1), ..Run::default() };
    assert!(write(&File { run, open_ended: true, ..File::default() }).unwrap().contains("\"until\": \"1s\""));
}

#[test]
fn a_run_read_from_a_file_plays_the_same() {
    let mut world = Simulation::new(every_action_in_a_run().scenario).unwrap();
    world.run_until(Time::from_secs(9));
    let hash = Some(world.trace_hash());
    let run = Run { scenario: world.scenario().clone(), until: world.now(), hash };
    let text = write(&File { run, ..File::default() }).unwrap();
    let read = read(&text).unwrap().run;
    let mut again = Simulation::new(read.scenario).unwrap();
    again.run_until(read.until);
    assert_eq!(Some(again.trace_hash()), read.hash);
}

const FOREIGN: &str = "it is no scenario file: one is JSON, and begins with {\"raftarium\": 1, …";

#[test]
fn what_is_wrong_with_a_file_is_said_in_a_sentence() {
    let table = [
        ("", FOREIGN),
        ("\u{89}PNG", FOREIGN),
        ("[1]", FOREIGN),
        ("{}", FOREIGN),
        (r#"{"log": {"version": "1.2"}}"#, FOREIGN),
        ("{", "line 1, column 1: EOF while parsing an object"),
        (
            r#"{"raftarium": 2, "sead": {"new": "things"}}"#,
            "the file was made by another version of Raftarium: it has format 2, this version reads 1",
        ),
        (r#"{"raftarium": 1}"#, "line 1, column 16: missing field `seed`"),
        (r#"{"raftarium": 1, "seed": 7}"#, "line 1, column 26: invalid type: integer `7`, expected a string"),
        (
            r#"{"raftarium": 1, "seed": "-7"}"#,
            "line 1, column 30: “-7” is no seed: a seed is a whole number from 0 to 18446744073709551615",
        ),
        (
            "{\n  \"raftarium\": 1,\n  \"seed\": \"7\",\n  \"clients\": {\"thinktime\": \"1s\"}\n}",
            "line 4, column 25: unknown field `thinktime`, expected one of `count`, `think_time`, `keys`, `extra_reads`, `lease_reads`, \
             `attempt_timeout`, `operation_timeout`",
        ),
        (
            r#"{"raftarium": 1, "seed": "7", "without": ["thinking"]}"#,
            "line 1, column 53: “thinking” is no rule: `raftarium rules` lists them",
        ),
        (r#"{"raftarium": 1, "seed": "7", "servers": 10}"#, "a cluster has 1 to 9 servers, not 10"),
        (
            r#"{"raftarium": 1, "seed": "7", "network": {"loss": "200%"}}"#,
            "the network loss is 2000000 parts per million: 1000000 is the most there can be",
        ),
        (r#"{"raftarium": 1, "seed": "7", "until": "25h"}"#, "the end of the run is more than 24 hours: shorten it"),
        (r#"{"raftarium": 1, "seed": "7"} x"#, "line 1, column 31: trailing characters"),
    ];
    for (text, sentence) in table {
        assert_eq!(read(text).unwrap_err().to_string(), sentence, "{text}");
    }
    let table = [
        (r#"{"at": "1s"}"#, "line 4, column 13: missing field `do`"),
        (
            r#"{"at": "1s", "do": "explode"}"#,
            "line 4, column 31: “explode” is no action: docs/formats.md lists the actions",
        ),
        (
            r#"{"at": "1s", "do": "crash"}"#,
            "line 4, column 29: “crash” needs a field `server`, like \"S1\" or \"leader\"",
        ),
        (
            r#"{"at": "1s", "do": "crash", "server": "S0"}"#,
            "line 4, column 44: “S0” is nobody: name a server like S1, or “leader” or “writer”",
        ),
        (
            r#"{"at": "1s", "do": "restart", "server": "leader"}"#,
            "line 4, column 51: “restart” needs a server by its name, not “leader”",
        ),
        (
            r#"{"at": "1s", "do": "heal-all", "to": "S1"}"#,
            "line 4, column 44: “heal-all” has no field `to`: leave it out",
        ),
        (
            r#"{"at": "1s", "do": "heal-all", "why": "so"}"#,
            "line 4, column 37: unknown field `why`, expected one of `at`, `do`, `server`, `from`, `to`, `rate`, `by`, \
             `stalled`, `full`, `min`, `max`, `delay`, `share`, `groups`, `message`, `command`, `draw`, `of`, `copies`, `pre_vote`, `check_quorum`",
        ),
        (
            r#"{"at": "soon", "do": "heal-all"}"#,
            "line 4, column 14: “soon” is no length of time: write it like 50ms, 1.25s or 900us",
        ),
        (r#"{"at": "1s", "do": "restart", "server": "S6"}"#, "action 1: there is no S6 in this cluster"),
        (r#"{"at": "1s", "do": "submit", "command": "get"}"#, "action 1: get needs a key: get x"),
        (
            r#"{"at": "2s", "do": "heal-all"}, {"at": "1s", "do": "heal-all"}"#,
            "action 2: it comes before the action listed before it: sort them by time",
        ),
    ];
    for (action, sentence) in table {
        let text = format!("{{\n\"raftarium\": 1,\n\"seed\": \"7\", \"actions\": [\n {action}]}}");
        assert_eq!(read(&text).unwrap_err().to_string(), sentence, "{text}");
    }
}

#[test]
fn hostile_files_are_refused_early() {
    let large = " ".repeat(BYTES_MAX + 1);
    assert_eq!(read(&large), Err(FileError::TooLarge { bytes: BYTES_MAX + 1 }));
    let deep = "{\"raftarium\":".to_owned() + &"[".repeat(1_000_000);
    assert!(matches!(read(&deep), Err(FileError::Json { .. })));
    let deep = format!(r#"{{"raftarium": 1, "seed": {}"#, "[".repeat(1_000_000));
    assert!(matches!(read(&deep), Err(FileError::Json { .. })));
    let twice = r#"{"raftarium": 1, "seed": "1", "seed": "2"}"#;
    assert!(read(twice).unwrap_err().to_string().contains("duplicate field `seed`"));
    let many = r#"{"at":"1s","do":"heal-all"},"#.repeat(100_000) + r#"{"at":"1s","do":"heal-all"}"#;
    let many = format!(r#"{{"raftarium": 1, "seed": "1", "actions": [{many}]}}"#);
    assert_eq!(read(&many).unwrap_err().to_string(), "a run has at most 100000 actions, not 100001");
}

#[test]
fn a_run_that_makes_no_sense_makes_no_file() {
    let mut run = run_of(Vec::new());
    run.scenario.parameters.servers = 0;
    assert!(matches!(write(&File { run, ..File::default() }), Err(FileError::Run(_))));
}

/// The limits hold for every action: a length is at most a day, and a share is at most the whole.
#[test]
fn no_action_has_a_length_beyond_a_day_or_a_share_beyond_all() {
    let text = write(&File { run: every_action_in_a_run(), ..File::default() }).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (mut lengths, mut shares) = (0, 0);
    for (place, action) in file["actions"].as_array().unwrap().iter().enumerate() {
        let refused_with = |changes: &[(&str, &str)]| {
            let mut changed = file.clone();
            for (field, value) in changes {
                changed["actions"][place][*field] = (*value).into();
            }
            read(&changed.to_string()).unwrap_err().to_string()
        };
        for field in ["delay", "by", "max"].into_iter().filter(|field| action.get(field).is_some()) {
            let error = refused_with(&[(field, "86400.000001s")]);
            assert_eq!(error, format!("action {}: “{field}” is more than 24 hours: shorten it", place + 1), "{action}");
            lengths += 1;
        }
        if action.get("share").is_some() {
            let error = refused_with(&[("share", "100.0001%")]);
            assert!(error.starts_with(&format!("action {}: “share” is 1000001 parts", place + 1)), "{action}: {error}");
            shares += 1;
        }
    }
    assert_eq!((lengths, shares), (8, 5), "all of them were looked at");
}
