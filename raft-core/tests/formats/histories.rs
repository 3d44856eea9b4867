use proptest::prelude::*;
use raft_core::check::linearizable::Verdict;
use raft_core::format::history::{HistoryError, read, write, write_part};
use raft_core::raft::Rules;
use raft_core::sim::{Action, Profile, Simulation, TimedAction, history_of, hunt};
use raft_core::time::{Duration, Time};

use crate::runs::cases;

fn storm(seed: u64) -> Simulation {
    let mut scenario = hunt(seed, Some(3), Duration::from_secs(20), Profile::Full, Rules::ALL);
    for line in ["put x 1", "cas x 1 2", "get x", "delete x"] {
        let action = Action::Submit(line.into());
        scenario.actions.insert(0, TimedAction { at: Time::from_secs(0), action });
    }
    let mut world = Simulation::new(scenario).unwrap();
    world.run_until(Time::from_secs(20));
    world
}

#[test]
fn a_simulated_runs_history_is_read_again() {
    for seed in 0..20 {
        let world = storm(seed);
        let text = write(world.operations());
        let history = read(&text).unwrap();
        let begun = text.lines().filter(|line| line.contains("\"kind\":\"invoke\"")).count();
        assert_eq!(history.operations().len(), begun);
        // The person's commands that wait for an earlier one have not begun.
        let all = world.operations().count();
        assert!(begun <= all && all <= begun + 4, "{begun} of {all}");
        assert!(matches!(history.check(), Verdict::Linearizable(_)), "seed {seed}");
        assert_eq!(history.events() as usize, text.lines().count());
        let same = history_of(world.operations());
        assert_eq!(same.keys().len(), history.keys().len());
    }
}

#[test]
fn a_history_written_in_parts_is_the_same_history() {
    for seed in 0..10 {
        let whole = storm(seed);
        let mut world = Simulation::new(whole.scenario().clone()).unwrap();
        let (mut parts, mut from) = (String::new(), Time::ZERO);
        // Cut the history after every event, also between events of the same instant.
        while world.step_until(Time::from_secs(20)) {
            if world.events().is_multiple_of(97) {
                parts += &write_part(world.operations(), from, world.now());
                from = world.now();
                let now = world.now();
                world.forget_operations(|record| record.end.as_ref().is_some_and(|(at, _)| *at < now));
            }
        }
        parts += &write_part(world.operations(), from, Time::NEVER);
        assert_eq!(parts, write(whole.operations()), "seed {seed}");
    }
}

#[test]
fn lines_are_as_the_documentation_says() {
    let world = storm(3);
    let text = write(world.operations());
    let kinds = ["invoke", "ok", "fail", "info"].map(|kind| text.matches(&format!("\"kind\":\"{kind}\"")).count());
    assert!(kinds[0] >= kinds[1] + kinds[2] + kinds[3], "{kinds:?}");
    let first = text.lines().next().unwrap();
    assert!(first.starts_with(r#"{"client":"#) && first.contains(r#""kind":"invoke","op":"#), "{first}");
    let mut before = 0;
    for line in text.lines() {
        let time = line.rsplit_once(r#""time":"#).unwrap().1.trim_end_matches('}').parse().unwrap();
        assert!(before <= time, "the order of the lines is the order in real time");
        before = time;
    }
}

const GOOD: &str = r#"
{"client":1,"kind":"invoke","op":"put","key":"x","value":"1","time":100}
{"client":2,"kind":"invoke","op":"cas","key":"x","expected":"1","value":"2"}

{"client":1,"kind":"ok","op":"put","key":"x","value":"1","time":300}
{"client":2,"kind":"ok","op":"cas","key":"x","found":true,"time":420}
{"client":1,"kind":"invoke","op":"get","key":"x","time":500}
{"client":1,"kind":"ok","op":"get","key":"x","found":true,"value":"2","time":610}
"#;

#[test]
fn the_example_is_linearizable_and_a_stale_read_is_not() {
    assert!(matches!(read(GOOD).unwrap().check(), Verdict::Linearizable(_)));
    let stale = GOOD.replace(r#""found":true,"value":"2""#, r#""found":true,"value":"1""#);
    let Verdict::NotLinearizable(why) = read(&stale).unwrap().check() else { panic!("a stale read passes") };
    assert_eq!(&*why.key, "x");
}

#[test]
fn what_is_wrong_with_a_history_is_said_in_a_sentence() {
    let table = [
        ("nonsense", "line 1, column 2: expected ident"),
        ("{}", "line 1, column 2: missing field `client`"),
        (
            r#"{"client":1,"kind":"invoke","op":"put","key":"x","valu":"1"}"#,
            "line 1, column 55: unknown field `valu`, expected one of `client`, `kind`, `op`, `key`, `expected`, `found`, \
             `value`, `time`",
        ),
        (
            r#"{"client":1,"kind":"begin","op":"put","key":"x"}"#,
            "line 1, column 26: unknown variant `begin`, expected one of `invoke`, `ok`, `fail`, `info`",
        ),
        (
            r#"{"client":1,"kind":"ok","op":"put","key":"x"}"#,
            "line 1: event 1, of client 1: it ends an operation, but has begun none",
        ),
        (
            r#"{"client":1,"kind":"invoke","op":"cas","key":"x","value":"1"}"#,
            "line 1: event 1, of client 1: \"expected\" is needed to begin with",
        ),
    ];
    for (text, sentence) in table {
        assert_eq!(read(text).unwrap_err().to_string(), sentence, "{text}");
    }
    let twice = "\n\n".to_owned() + r#"{"client":1,"kind":"invoke","op":"get","key":"x"}"# + "\n";
    let error = read(&(twice.clone() + twice.trim_start())).unwrap_err();
    assert!(matches!(error, HistoryError::Event { line: 4, .. }), "{error}");
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn any_text_at_all_is_read_or_refused(text in "(.{0,80}\n){0,3}") {
        let _ = read(&text);
    }

    #[test]
    fn lines_in_any_order_are_read_or_refused(lines in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        let all: Vec<&str> = GOOD.lines().filter(|line| !line.is_empty()).collect();
        let text: Vec<&str> = lines.iter().map(|line| all[line.index(all.len())]).collect();
        if let Ok(history) = read(&text.join("\n")) {
            history.check();
        }
    }
}
