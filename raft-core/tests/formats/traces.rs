//! What came of a run, as logs: a trace, and who sent what to whom.

use std::collections::BTreeMap;

use raft_core::format::{kebab, shiviz, trace};
use raft_core::sim::{Simulation, What};
use raft_core::time::Time;
use regex_lite::Regex;
use serde_json::Value;

use crate::runs::every_action_in_a_run;

fn world() -> Simulation {
    let mut world = Simulation::new(every_action_in_a_run().scenario).unwrap();
    world.listen(true);
    world
}

#[test]
fn a_trace_has_a_line_for_every_piece_of_news() {
    let mut world = world();
    world.run_until(Time::from_secs(8));
    let mut kinds = BTreeMap::new();
    let news = world.take_news();
    for news in &news {
        let line = trace::line(news);
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], news.at.as_micros());
        assert_eq!(value["text"], news.sentence().text);
        assert_eq!(value.get("server").is_some(), news.server().is_some());
        let variant = match &news.what {
            What::Observed(_, observation) => kebab(observation),
            what => kebab(what),
        };
        assert_eq!(value["kind"], variant, "a kind has the name of its variant");
        *kinds.entry(value["kind"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    for kind in ["crashed", "started", "became-leader", "cut", "began", "ended"] {
        assert!(kinds.contains_key(kind), "{kind} is not among {kinds:?}");
    }
}

type Clock = BTreeMap<String, u64>;

#[test]
fn a_shiviz_log_has_the_vector_clocks_of_a_run() {
    let mut plain = world();
    plain.run_until(Time::from_secs(8));
    let mut watched = world();
    let mut recorder = shiviz::Recorder::new();
    let mut heard = 0;
    recorder.run_until(&mut watched, Time::from_secs(8), |_| heard += 1);
    assert_eq!((watched.trace_hash(), watched.now()), (plain.trace_hash(), plain.now()), "watching changes nothing");
    assert_eq!(heard, plain.take_news().len());

    let log = recorder.take_text();
    // The named groups of JavaScript are written as Rust's are.
    let expression = Regex::new(shiviz::EXPRESSION).unwrap();
    let mut last: BTreeMap<String, Clock> = BTreeMap::new();
    let (mut sends, mut receives, mut end) = (0, 0, 0);
    for event in expression.captures_iter(&log) {
        assert_eq!(event.get(0).unwrap().start(), end, "nothing is between the events");
        end = event.get(0).unwrap().end() + 1;
        let host = event["host"].to_owned();
        let clock: Clock = serde_json::from_str(&event["clock"]).unwrap();
        let before = last.insert(host.clone(), clock.clone()).unwrap_or_default();
        assert_eq!(clock[&host], before.get(&host).copied().unwrap_or(0) + 1, "an event is one step of its server");
        for (other, count) in &before {
            assert!(clock[other] >= *count, "a clock never goes back");
        }
        for (other, count) in &clock {
            assert!(*count <= last[other].get(other).copied().unwrap_or(0), "nobody knows of what is yet to come");
        }
        sends += usize::from(event["event"].contains("sends "));
        if event["event"].contains("receives ") {
            receives += 1;
            let from = event["event"].rsplit_once("from ").unwrap().1;
            assert!(clock[from] > 0);
        }
    }
    assert_eq!(end, log.len());
    assert!(receives > 100 && receives <= sends, "{receives} of {sends}");
}
