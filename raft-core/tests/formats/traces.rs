//! Logs of a run: the trace, and the ShiViz log.

use std::collections::BTreeMap;

use raft_core::format::{kebab, shiviz, trace};
use raft_core::sim::{Listening, News, Simulation, What};
use raft_core::time::Time;
use regex_lite::Regex;
use serde_json::Value;

use crate::runs::every_action_in_a_run;

fn world() -> Simulation {
    let mut world = Simulation::new(every_action_in_a_run().scenario).unwrap();
    world.listen(Listening::News);
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
            What::Message(event) => format!("message-{}", kebab(event)),
            what => kebab(what),
        };
        assert_eq!(value["kind"], variant, "a kind has the name of its variant");
        *kinds.entry(value["kind"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    for kind in ["crashed", "started", "became-leader", "cut", "began", "ended"] {
        assert!(kinds.contains_key(kind), "{kind} is not among {kinds:?}");
    }
}

#[test]
fn a_trace_tells_of_every_message_and_of_every_change_of_state() {
    let mut world = world();
    world.listen(Listening::Messages);
    let mut recorder = trace::Recorder::new();
    let mut told = 0;
    while world.step_until(Time::from_secs(8)) {
        let news = world.take_news();
        told += news.len();
        recorder.hear(&world, &news);
    }
    let text = recorder.take_text();
    assert_eq!(recorder.take_text(), "", "what was taken is forgotten");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let states = lines.iter().filter(|line| line["kind"] == "state").count();
    assert_eq!(lines.len(), told + states);
    let times: Vec<u64> = lines.iter().map(|line| line["time"].as_u64().unwrap()).collect();
    assert!(times.is_sorted());

    // A message is told of from when it is sent, with what it says.
    let mut under_way = BTreeMap::new();
    let mut contents = 0;
    for line in &lines {
        let kind = line["kind"].as_str().unwrap();
        if kind == "message-sent" {
            assert!(line["from"].is_string() && line["to"].is_string(), "{line}");
            contents += usize::from(line["content"]["term"].is_u64());
            assert_eq!(under_way.insert(line["message"].as_u64().unwrap(), line["time"].as_u64()), None, "{line}");
        } else if kind == "message-arrived" {
            assert!(under_way.contains_key(&line["message"].as_u64().unwrap()), "{line}");
        } else {
            assert_eq!(line.get("message").is_some(), kind.starts_with("message-"), "{line}");
        }
    }
    assert!(under_way.len() > 500 && contents > 200, "{} {contents}", under_way.len());

    // Who reads all states knows what each server is in the end.
    let mut known: BTreeMap<String, serde_json::Map<String, Value>> = BTreeMap::new();
    for line in &lines {
        if line["kind"] == "state" {
            let state = known.entry(line["server"].as_str().unwrap().to_owned()).or_default();
            let before = state.clone();
            let fields = line.as_object().unwrap().iter();
            let about = ["time", "server", "kind", "weight", "text"];
            state.extend(
                fields.filter(|(name, _)| !about.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())),
            );
            let begins = line.get("role").is_some() && line.get("members").is_some();
            assert!(*state != before || begins, "nothing is said twice: {line}");
        }
    }
    let mut up = 0;
    for machine in world.machines() {
        let Some(raft) = machine.raft() else { continue };
        up += 1;
        let state = &known[&machine.id().to_string()];
        assert_eq!(state["role"], raft.role().name());
        assert_eq!(state["term"], raft.term().0);
        assert_eq!(state["commit"], raft.commit_index().0);
        assert_eq!(state["applied"], raft.applied_index().0);
        assert_eq!(state["last"]["index"], raft.log().last().index.0);
    }
    assert!(up > 1);
}

type Clock = BTreeMap<String, u64>;

#[test]
fn a_shiviz_log_has_the_vector_clocks_of_a_run() {
    let mut plain = world();
    plain.run_until(Time::from_secs(8));
    let mut watched = world();
    let mut recorder = shiviz::Recorder::new();
    watched.listen(Listening::Messages);
    watched.run_until(Time::from_secs(8));
    let heard = watched.take_news();
    heard.iter().for_each(|news| recorder.hear(news));
    assert_eq!((watched.trace_hash(), watched.now()), (plain.trace_hash(), plain.now()), "watching changes nothing");
    let news: Vec<News> = heard.into_iter().filter(|news| !news.is_of_traffic()).collect();
    assert_eq!(news, plain.take_news(), "who listens to messages hears the rest as everybody does");

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
