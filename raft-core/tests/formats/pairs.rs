//! Runs as a link and as a file, side by side in `pairs.jsonl`, which the page's own code for files
//! is tested with, too. Existing pairs must stay valid, since people keep links and files.
//!
//! `UPDATE_PAIRS=1 cargo test -p raftarium-core --features serde --test formats` adds new ones.

use std::fs;
use std::path::PathBuf;

use raft_core::check::{Guarantee, Property};
use raft_core::format::{Found, Run, file, found, link};
use raft_core::raft::{Rule, Rules};
use raft_core::sim::{Action, Profile, TimedAction, hunt};
use raft_core::time::{Duration, Time};
use serde_json::{Value, json};

use crate::runs::{every_action_in_a_run, run_of};

fn place() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/pairs.jsonl"))
}

/// A run with every action, one with none, one in which every parameter differs from its default,
/// and storms.
fn files() -> Vec<file::File> {
    let mut odd = run_of(Vec::new());
    odd.hash = None;
    odd.scenario.seed = u64::MAX;
    let parameters = &mut odd.scenario.parameters;
    parameters.servers = 9;
    let micros = Duration::from_micros;
    (parameters.network.latency_min, parameters.network.latency_max) = (micros(900), micros(1_000_001));
    (parameters.network.loss, parameters.network.duplication) = (1, 999_999);
    (parameters.disk.fsync_min, parameters.disk.fsync_max) = (micros(0), micros(86_400_000_000));
    let timing = &mut parameters.timing;
    (timing.election_timeout_min, timing.election_timeout_max) = (micros(200_000), micros(400_500));
    (timing.heartbeat_interval, timing.pre_vote, timing.check_quorum) = (micros(49_999), false, false);
    (timing.snapshot_after_entries, timing.append_entries_max, timing.snapshot_piece_max) = (u64::MAX, 7, 1 << 60);
    let limits = &mut parameters.limits;
    (limits.append_bytes_max, limits.window_appends_max, limits.window_bytes_max) = (1, 2, 3);
    (limits.uncommitted_bytes_max, limits.snapshot_after_bytes, limits.entries_kept) = (u64::MAX, 0, 5);
    let clients = &mut parameters.clients;
    (clients.count, clients.keys, clients.lease_reads, clients.extra_reads) = (0, 255, true, 500_000);
    clients.think_time = micros(1_000);
    (clients.attempt_timeout, clients.operation_timeout) = (micros(1_500_000), micros(60_000_000));
    parameters.rules = [Rule::VoteOncePerTerm, Rule::DeduplicateRetries, Rule::CommitOnlyVerified]
        .into_iter()
        .fold(Rules::ALL, Rules::without);
    let mut past_promises = run_of(Vec::new());
    past_promises.scenario.parameters.checks.only_harm = true;
    let jump = Action::JumpClock { server: crate::runs::s(9), by: 1 };
    odd.scenario.actions.push(TimedAction { at: Time::ZERO, action: jump });
    odd.scenario.actions.push(TimedAction { at: Time::ZERO, action: Action::HealQuorum(u64::MAX - 1) });

    let file = |note, run| file::File { note, run, ..file::File::default() };
    let mut files = vec![
        file(String::new(), Run::default()),
        file("One of “everything”:\n\ta \\ and a \u{1} – ü.".into(), every_action_in_a_run()),
        file("Every dial turned.".into(), odd),
        file("Only harm ends it.".into(), past_promises),
    ];
    for seed in 0..8 {
        let scenario = hunt(seed, None, Duration::from_secs(4), Profile::Full, Rules::ALL);
        let run = Run { scenario, until: Time::from_micros(4_000_000 + seed), hash: Some(seed) };
        files.push(file(format!("Storm {seed}"), run));
    }
    for (what, first) in
        [(Guarantee::Liveness, "a “first” & 100 % + ü"), (Guarantee::Property(Property::LogMatching), "")]
    {
        let (run, at) = (every_action_in_a_run(), Time::from_micros(1_234_567));
        let found = Found { what, at, first: first.into(), second: first.to_uppercase() };
        files.push(file::File { found: Some(found), ..file("Something was found.".into(), run) });
    }
    files
}

#[test]
fn a_file_and_a_link_of_the_same_run_stand_side_by_side() {
    if std::env::var_os("UPDATE_PAIRS").is_some() {
        let pair = |file: file::File| {
            let address = found::write_address("", &file.run, file.found.as_ref()).unwrap();
            let link = address.trim_start_matches("#run=");
            json!({ "link": link, "file": file::write(&file).unwrap() }).to_string() + "\n"
        };
        let mut text = fs::read_to_string(place()).unwrap_or_default();
        for line in files().into_iter().map(pair) {
            if !text.contains(&line) {
                text.push_str(&line);
            }
        }
        fs::write(place(), text).unwrap();
    }
    let text = fs::read_to_string(place()).expect("UPDATE_PAIRS=1 makes it");
    let mut kinds = 0;
    for line in text.lines() {
        let pair: Value = serde_json::from_str(line).unwrap();
        let (link, text) = (pair["link"].as_str().unwrap(), pair["file"].as_str().unwrap());
        let read = file::read(text).unwrap();
        let address = format!("#run={link}");
        assert_eq!(link::read(&address).unwrap(), read.run);
        assert_eq!(found::read(&address, &read.run).unwrap(), read.found);
        assert_eq!(found::write_address("", &read.run, read.found.as_ref()).unwrap(), address);
        assert_eq!(file::write(&read).unwrap(), text);
        kinds = kinds.max(read.run.scenario.actions.len());
    }
    assert!(kinds >= crate::runs::every_action().len(), "a new kind of action belongs among the pairs");
}
