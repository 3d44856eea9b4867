//! What was found wrong with a run goes with it: in an address, in a file, in a trace.

use proptest::prelude::*;
use raft_core::check::{Guarantee, Property};
use raft_core::format::file::{self, File};
use raft_core::format::found::{FoundError, read, write, write_address};
use raft_core::format::{FACT_MAX, Found, LENGTH_MAX, Run, link, trace};
use raft_core::time::{Duration, Time};
use raft_core::trial::{Finding, Hunt, play};
use serde_json::Value;

use crate::runs::{cases, every_action_in_a_run, run};

fn run_of(seconds: u64) -> Run {
    Run { until: Time::from_secs(seconds), ..every_action_in_a_run() }
}

fn stuck(at: Time) -> Found {
    let (first, second) = ("the storm was over for S1 at 0.000 s".into(), "at 5.000 s nobody leads".into());
    Found { what: Guarantee::Liveness, at, first, second }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn whatever_is_written_is_read_again(
        run in run(),
        what in prop::sample::select(Guarantee::ALL.to_vec()),
        before in any::<u64>(),
        facts in (".{0,60}", ".{0,60}"),
    ) {
        let at = Time::from_micros(before % (run.until.as_micros() + 1));
        let found = Found { what, at, first: facts.0, second: facts.1 };
        let address = write_address("https://example.org/r/?seed=1#old", &run, Some(&found)).unwrap();
        prop_assert_eq!(link::read(&address).unwrap(), run.clone(), "{}", address);
        prop_assert_eq!(read(&address, &run), Ok(Some(found.clone())), "{}", address);
        prop_assert!(address.is_ascii() && !address.contains(' '), "{}", address);
        let file = File { run, found: Some(found), ..File::default() };
        let text = file::write(&file).unwrap();
        prop_assert_eq!(file::read(&text), Ok(file), "{}", text);
    }

    #[test]
    fn any_words_at_all_are_read_or_refused(words in ".{0,80}", at in ".{0,12}") {
        let run = run_of(5);
        for words in [format!("#run=A&{words}"), format!("#found={words}&at={at}"), format!("#found=Liveness&at={at}&first={words}")] {
            if let Ok(Some(found)) = read(&words, &run) {
                prop_assert_eq!(read(&write(&found), &run), Ok(Some(found)));
            }
        }
    }
}

#[test]
fn without_a_finding_nothing_is_another() {
    let run = run_of(5);
    let address = write_address("https://example.org/", &run, None).unwrap();
    assert_eq!(address, link::write_address("https://example.org/", &run).unwrap());
    assert_eq!(read(&address, &run), Ok(None));
    assert!(!file::write(&File { run, ..File::default() }).unwrap().contains("found"));
}

#[test]
fn an_address_is_pinned_to_the_letter() {
    let run = run_of(5);
    let link = link::write(&run).unwrap();
    let found =
        Found { first: "“put x 1” & more".into(), second: String::new(), ..stuck(Time::from_micros(1_250_000)) };
    let words = "found=Liveness&at=1.25s&first=%E2%80%9Cput+x+1%E2%80%9D+%26+more";
    assert_eq!(write_address("", &run, Some(&found)).unwrap(), format!("#run={link}&{words}"));
    // In whatever order, and whatever else it says.
    for address in [format!("https://x/#{words}&run={link}"), format!("#a=b&run={link}&c&{words}&d=e")] {
        assert_eq!(link::read(&address), Ok(run.clone()), "{address}");
        assert_eq!(read(&address, &run), Ok(Some(found.clone())), "{address}");
    }
    let lease = Found { what: Guarantee::Property(Property::OneVoteATerm), ..found };
    assert!(write(&lease).starts_with("found=One+Vote+a+Term&at=1.25s&"));
}

#[test]
fn what_cannot_have_been_found_is_refused_in_a_sentence() {
    let run = run_of(5);
    let names = Guarantee::ALL.map(Guarantee::name).join(", ");
    assert!(names.starts_with("Linearizability, Liveness, Election Safety, "), "{names}");
    let long = "x".repeat(FACT_MAX + 1);
    let table = [
        ("found=Luck&at=1s", format!("“Luck” is nothing that can be found: there are {names}")),
        ("found=&at=1s", format!("“” is nothing that can be found: there are {names}")),
        ("found=Liveness", "it doesn’t say when: at=1.25s".into()),
        ("found=Liveness&at=soon", "“soon” is no length of time: write it like 50ms, 1.25s or 900us".into()),
        ("found=Liveness&at=5.000001s", "5.000001 s lies after the end of the run, which is at 5.000 s".into()),
        (&format!("found=Liveness&at=1s&second={long}"), "a fact has at most 2000 characters".into()),
    ];
    for (words, why) in table {
        let error = read(&format!("#run=A&{words}"), &run).unwrap_err();
        assert_eq!(error.to_string(), format!("what was found: {why}"), "{words}");
    }
    // The very beginning stands for the whole run, which lasts a day at most.
    let whole = Run { until: Time::ZERO, ..run.clone() };
    assert!(read("#found=Liveness&at=24h", &whole).is_ok());
    let late = Time::ZERO + LENGTH_MAX + Duration::from_micros(1);
    assert!(
        matches!(read("#found=Liveness&at=86400.000001s", &whole), Err(FoundError::Later { at, .. }) if at == late)
    );
    let file = File { run, found: Some(stuck(Time::from_secs(6))), ..File::default() };
    let sentence = "what was found: 6.000 s lies after the end of the run, which is at 5.000 s";
    assert_eq!(file::write(&file).unwrap_err().to_string(), sentence);
}

#[test]
fn a_file_says_what_was_found_after_the_hash() {
    let file = File { run: run_of(5), found: Some(stuck(Time::from_secs(5))), ..File::default() };
    let text = file::write(&file).unwrap();
    let expected = r#"
  "hash": "feed000000000001",
  "found": {
    "what": "Liveness",
    "at": "5s",
    "first": "the storm was over for S1 at 0.000 s",
    "second": "at 5.000 s nobody leads"
  },
  "servers": 5,
"#;
    assert!(text.contains(expected), "{text}");
    // Who says what was found need not say how far to play.
    let silent = text.replace("  \"until\": \"5s\",\n", "");
    assert_ne!(silent, text);
    assert_eq!(file::read(&silent).unwrap(), file);
    let table = [
        ("\"Liveness\"", "\"Luck\"", "“Luck” is nothing that can be found: there are Linearizability, Liveness, "),
        (
            "\"at\": \"5s\"",
            "\"at\": \"6s\"",
            "what was found: 6.000 s lies after the end of the run, which is at 5.000 s",
        ),
        ("\"at\": \"5s\",", "", "missing field `at`"),
        ("\"first\"", "\"frist\"", "unknown field `frist`, expected one of `what`, `at`, `first`, `second`"),
    ];
    for (is, becomes, why) in table {
        let error = file::read(&text.replacen(is, becomes, 1)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// A run whose cluster doesn't come back to work, for no answer comes in time.
fn without_liveness() -> Run {
    let mut run = Hunt { length: Duration::from_secs(20), ..Hunt::default() }.run(1).unwrap();
    run.scenario.parameters.clients.operation_timeout = Duration::from_millis(1);
    run
}

#[test]
fn a_finding_is_the_same_after_any_journey() {
    let mut run = without_liveness();
    let finding = play(&run).unwrap().finding.expect("a finding");
    let found = finding.end(&mut run);
    assert_eq!((found.what, found.at, run.until), (Guarantee::Liveness, Time::from_secs(23), Time::from_secs(23)));
    assert!(found.first.starts_with("the storm was over for S") && found.first.contains(" at 10.000 s"), "{found:?}");
    assert!(found.second.starts_with("at 23.000 s no write has been answered, “put calm "), "{found:?}");
    let address = write_address("https://example.org/", &run, Some(&found)).unwrap();
    let file = file::write(&File { run: run.clone(), found: Some(found.clone()), ..File::default() }).unwrap();
    let file = file::read(&file).unwrap();
    let again = link::read(&address).unwrap();
    for (run, found) in [(file.run, file.found), (again.clone(), read(&address, &again).unwrap())] {
        let played = play(&run).unwrap();
        assert!(played.finding.is_some_and(|finding| finding.is(&found.expect("it is said"))));
        assert_eq!(played.world.now(), run.until, "nothing is waited for any more");
    }
    let other = Found { at: Time::from_secs(22), ..found.clone() };
    assert!(!finding.is(&other) && !finding.is(&Found { what: Guarantee::Linearizability, ..found }));
}

#[test]
fn the_facts_of_a_property_are_left_to_who_plays_the_run() {
    use raft_core::raft::{Rule, Rules};
    let hunt = Hunt { rules: Rules::ALL.without(Rule::PersistBeforeVoting), ..Hunt::default() };
    let mut run = hunt.run(0).unwrap();
    let finding = play(&run).unwrap().finding.expect("a finding");
    assert!(matches!(finding, Finding::Violation(_)));
    assert!(!finding.found().first.is_empty());
    let found = finding.end(&mut run);
    assert_eq!((found.first.as_str(), found.second.as_str()), ("", ""));
    assert!(run.scenario.actions.iter().all(|timed| timed.at <= run.until));
    assert!(play(&run).unwrap().finding.is_some_and(|again| again == finding && again.is(&found)));
}

#[test]
fn a_trace_ends_with_what_was_found() {
    let finding = play(&without_liveness()).unwrap().finding.expect("a finding");
    let line = trace::last_line(&finding.found(), &finding.to_string());
    assert!(!line.contains('\n'));
    let value: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&value["time"], &value["kind"], &value["what"]),
        (&23_000_000.into(), &"found".into(), &"Liveness".into())
    );
    assert_eq!(value["text"], finding.to_string());
    assert_eq!(value["second"], finding.found().second);
}

#[test]
fn an_address_says_each_thing_once_and_whole() {
    let run = run_of(5);
    let said = |words: &str| read(&format!("#run=A&found=Liveness&at=4s&{words}"), &run);
    assert_eq!(said("found=Linearizability"), Err(FoundError::Twice("found")));
    assert_eq!(said("first=a&first=a"), Err(FoundError::Twice("first")));
    for damaged in ["first=a%2", "first=%", "first=%zz", "first=%e2%80", "first=%ff"] {
        assert_eq!(said(damaged), Err(FoundError::Damaged("first")), "{damaged}");
    }
    let first = |words| said(words).map(|found| found.expect("it says so").first);
    assert_eq!(first("first=a%EF%BF%BDb"), Ok("a\u{fffd}b".into()), "somebody meant that character");
    assert_eq!(first("first=100%25&second=b"), Ok("100%".into()));
}

#[test]
fn a_file_that_names_the_beginning_means_it() {
    let text =
        |until: &str| format!(r#"{{"raftarium":1,"seed":"1"{until},"found":{{"what":"Liveness","at":"155ms"}}}}"#);
    let later = FoundError::Later { at: Time::from_millis(155), until: Time::ZERO };
    assert_eq!(file::read(&text(r#","until":"0s""#)), Err(file::FileError::Found(later)));
    assert_eq!(file::read(&text("")).map(|file| file.run.until), Ok(Time::from_millis(155)));
}
