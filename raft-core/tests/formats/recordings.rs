//! Recordings: whoever reads the lines knows what was so, and nothing that wasn't.

use std::collections::{BTreeMap, BTreeSet};

use raft_core::check::linearizable::{Event, EventKind, OperationKind, Verdict};
use raft_core::format::message::Content;
use raft_core::format::recording::{
    BYTES_ALL, Carried, Epoch, Header, Heard, Known, LINE_BYTES_MAX, LossReason, MessageId, Note, Reader, Recorded,
    Recorder, Recording, Requested, Role, Sent, State, UNDER_WAY_MAX, Watcher, What, json_schema,
};
use raft_core::format::{history, kebab};
use raft_core::raft::{
    AppendEntries, Config, Configuration, Entries, Entry, EntryId, Input, LogIndex, Message, Output, Payload, Raft,
    RequestVote, Rules, ServerId, ServerSet, Start, Term, TimeoutNow,
};
use raft_core::sim::{Action, Listening, Machine, Profile, Scenario, Simulation, TimedAction, hunt};
use raft_core::time::{Duration, Time};
use serde_json::{Value, json};

use crate::runs::every_action_in_a_run;
use crate::schema::fits;

fn server(number: u8) -> ServerId {
    ServerId::new(number).expect("a server")
}

/// Plays a scenario, and calls `each` after each event with the world and the new lines.
fn record(scenario: Scenario, until: Time, mut each: impl FnMut(&Simulation, Vec<Recorded>)) -> Header {
    let mut world = Simulation::new(scenario).expect("a scenario makes a world");
    world.listen(Listening::Messages);
    let (mut recorder, header) = Recorder::begin(&world, "a test");
    each(&world, recorder.take());
    while world.step_until(until) {
        let news = world.take_news();
        recorder.hear(&world, &news);
        each(&world, recorder.take());
    }
    header
}

fn recording_of(scenario: Scenario, until: Time) -> Recording {
    let mut events = Vec::new();
    let header = record(scenario, until, |_, lines| events.extend(lines));
    Recording { header, events }
}

/// Whether exactly what is so is known of a machine. The terms of its whole log are compared if
/// `thoroughly`.
fn assert_known(known: &Known, machine: &Machine, thoroughly: bool, when: &str) {
    let Some(server) = known.server(machine.id()) else {
        assert_eq!(machine.incarnation(), 0, "{when}: nothing is known of {}", machine.id());
        return;
    };
    assert_eq!(server.up, Some(machine.is_up()), "{when}");
    assert_eq!(server.life, Some(u64::from(machine.incarnation())), "{when}");
    let state = &server.state;
    let Some(raft) = machine.raft() else {
        assert_eq!(*state, State::default(), "{when}: a server that is down has no state");
        return;
    };
    let snapshot = raft.snapshot().map(|snapshot| snapshot.meta.last);
    assert_eq!(
        (state.role, state.term, state.vote, state.leader),
        (Some(Role::of(raft.role())), Some(raft.term()), Some(raft.hard_state().voted_for), Some(raft.leader())),
        "{when}: {}",
        raft.id()
    );
    assert_eq!(
        (state.commit, state.applied, state.durable, state.members, state.snapshot),
        (
            Some(raft.commit_index()),
            Some(raft.applied_index()),
            Some(raft.durable_index()),
            Some(*raft.configuration()),
            Some(snapshot)
        ),
        "{when}: {}",
        raft.id()
    );
    let log = raft.log();
    assert_eq!((state.base, state.last), (Some(log.base()), Some(log.last())), "{when}: {}", raft.id());
    if thoroughly {
        let range = (!log.is_empty()).then(|| (log.first_index(), log.last().index));
        assert_eq!(server.terms_known(), range, "{when}: {}", raft.id());
        for (place, entry) in (0..).zip(log.iter_from(log.first_index())) {
            let index = log.first_index().plus(place);
            assert_eq!(server.term_at(index), Some(entry.term), "{when}: {index} in {}", raft.id());
            // What was in the log at its start is known by its terms only.
            if let Some(payload) = server.payload_at(index) {
                assert_eq!(payload, &Carried::Whole(entry.payload.clone()), "{when}: {index} in {}", raft.id());
            }
        }
    }
}

#[test]
fn what_a_recording_says_is_what_was_so() {
    let (mut received, mut truncated, mut compacted, mut restarted, mut lost, mut copies) = (0, 0, 0, 0, 0, 0);
    for seed in 0..200 {
        let scenario = hunt(seed, None, Duration::from_secs(20), Profile::Full, Rules::ALL);
        let (mut known, mut reader) = (Known::new(), Reader::new());
        let mut sent: BTreeMap<MessageId, (Time, Option<Content>)> = BTreeMap::new();
        let mut events = 0;
        reader.read_line(&Header::default().line()).expect("a header");
        record(scenario, Time::from_secs(3), |world, lines| {
            let quiet = !lines.iter().any(|line| matches!(&line.what, What::Changed(state) if state.last.is_some()));
            for line in lines {
                let when = format!("seed {seed}, {line:?}");
                let read = reader.read_line(&line.line(BYTES_ALL)).unwrap_or_else(|error| panic!("{error}: {when}"));
                assert_eq!(read.as_ref(), Some(&line), "a line says what it was made of");
                if let What::Changed(state) = &line.what {
                    // What a reader could guess is said all the same.
                    let end = known.server(line.server.unwrap()).unwrap().state.last.unwrap().index;
                    let last = state.last.map_or(end, |last| last.index);
                    let kept =
                        state.first.map_or(last, LogIndex::previous).max(state.base.unwrap_or(EntryId::ZERO).index);
                    assert_eq!(state.truncated.is_some(), kept < end, "{when}: the log ended at {end}");
                }
                let heard = known.take(&line);
                assert!(matches!(heard, Heard::Next { .. }), "{heard:?}: {when}");
                match &line.what {
                    What::Sent(Sent { number, message, .. }) => {
                        let id = MessageId { from: line.server.unwrap(), life: line.life, number: *number };
                        let message = (line.time, message.clone());
                        assert_eq!(sent.insert(id, message), None, "{when}: the number was given twice");
                    }
                    What::Received(of) => {
                        let id = MessageId { from: of.from, life: of.from_life, number: of.number.unwrap() };
                        let (at, message) = sent.get(&id).unwrap_or_else(|| panic!("{when}: nobody sent it"));
                        assert_eq!(message, &of.message, "{when}");
                        assert_eq!(heard, Heard::Next { sent: Some(*at) }, "{when}");
                        received += 1;
                    }
                    What::Lost(of) => {
                        let id = MessageId { from: of.from, life: of.from_life, number: of.number.unwrap() };
                        let (at, _) = sent.get(&id).unwrap_or_else(|| panic!("{when}: nobody sent it"));
                        assert_eq!(heard, Heard::Next { sent: Some(*at) }, "{when}");
                        lost += 1;
                    }
                    What::Duplicated(of) => {
                        let id = MessageId { from: of.from, life: of.from_life, number: of.number };
                        let (_, message) = sent.get(&id).unwrap_or_else(|| panic!("{when}: nobody sent it")).clone();
                        sent.insert(MessageId { number: of.copy, ..id }, (line.time, message));
                        copies += 1;
                    }
                    What::Changed(state) => {
                        truncated += usize::from(state.truncated.is_some());
                        compacted += usize::from(state.base.is_some());
                    }
                    What::Started => restarted += usize::from(line.life > Some(1)),
                    _ => {}
                }
            }
            events += 1;
            for machine in world.machines() {
                let when = format!("seed {seed}, event {} at {}", world.events(), world.now());
                assert_known(&known, machine, !quiet || events % 500 == 0, &when);
            }
        });
    }
    // The runs have all that there is to be recorded.
    for (what, count) in [("received", received), ("lost", lost), ("copied", copies)] {
        assert!(count > 1_000, "{what}: {count}");
    }
    for (what, count) in [("truncated", truncated), ("compacted", compacted), ("restarted", restarted)] {
        assert!(count > 20, "{what}: {count}");
    }
}

/// A run in which a leader is cut off, and what it appended is replaced.
fn busy() -> Recording {
    let mut scenario = hunt(11, Some(3), Duration::from_secs(20), Profile::Full, Rules::ALL);
    scenario.parameters.timing.snapshot_after_entries = 20;
    recording_of(scenario, Time::from_secs(6))
}

#[test]
fn a_reader_that_begins_later_knows_nothing_that_is_not_so() {
    let recording = busy();
    let mut whole = Known::new();
    let states: Vec<Known> = recording
        .events
        .iter()
        .map(|recorded| {
            whole.take(recorded);
            whole.clone()
        })
        .collect();
    let count = recording.events.len();
    for begin in (0..count).step_by(count / 12) {
        let mut known = Known::new();
        for (recorded, truth) in recording.events.iter().zip(&states).skip(begin) {
            known.take(recorded);
            for (server, mine) in known.servers() {
                let truth = truth.server(server).expect("the whole recording says it");
                assert!(mine.up.is_none() || mine.up == truth.up);
                let (known, true_state) = (&mine.state, &truth.state);
                assert!(known.term.is_none() || known.term == true_state.term);
                assert!(known.role.is_none() || known.role == true_state.role);
                assert!(known.vote.is_none() || known.vote == true_state.vote);
                assert!(known.leader.is_none() || known.leader == true_state.leader);
                assert!(known.commit.is_none() || known.commit == true_state.commit);
                assert!(known.last.is_none() || known.last == true_state.last);
                assert!(known.members.is_none() || known.members == true_state.members);
                if let Some((first, last)) = mine.terms_known() {
                    assert_eq!(truth.terms_known().map(|(_, last)| last), Some(last));
                    for index in first.0..=last.0 {
                        assert_eq!(mine.term_at(LogIndex(index)), truth.term_at(LogIndex(index)));
                    }
                }
            }
        }
    }
}

#[test]
fn a_gap_makes_unknown_and_what_comes_again_changes_nothing() {
    let recording = busy();
    let place = recording.events.iter().position(|recorded| matches!(&recorded.what, What::Changed(_))).unwrap();
    let left_out = &recording.events[place];
    let mut known = Known::new();
    let mut gaps = 0;
    for (at, recorded) in recording.events.iter().enumerate().filter(|(at, _)| *at != place) {
        let heard = known.take(recorded);
        if recorded.server == left_out.server && recorded.life == left_out.life && at > place && gaps == 0 {
            assert!(matches!(heard, Heard::AfterGap { .. }), "{recorded:?}");
            gaps += 1;
            let state = &known.server(left_out.server.unwrap()).unwrap().state;
            let said = if let What::Changed(said) = &recorded.what { (**said).clone() } else { State::default() };
            assert_eq!((state.term, state.members), (said.term, said.members), "only what is said since is known");
        } else {
            assert!(matches!(heard, Heard::Next { .. }), "{recorded:?}");
        }
        let before = known.clone();
        if recorded.sequence.is_some() && !matches!(recorded.what, What::State(_)) {
            assert_eq!(known.take(recorded), Heard::Repeated);
            assert_eq!(known, before);
        }
    }
    assert_eq!(gaps, 1);
}

/// In the stream of one server alone, most of what it sends is never heard of again.
#[test]
fn what_is_under_way_is_bounded() {
    let mut watcher = Watcher::new(server(1), 1);
    let message = Message::TimeoutNow(TimeoutNow { term: Term(4) });
    let mut known = Known::new();
    let count = UNDER_WAY_MAX as u64 + 10;
    for number in 1..=count {
        known.take(&watcher.sent(Time::from_micros(number), server(2), number, &message));
    }
    let under_way: Vec<(MessageId, Time)> = known.under_way().collect();
    assert_eq!(under_way.len(), UNDER_WAY_MAX);
    let number = 11;
    let first = MessageId { from: server(1), life: Some(1), number };
    assert_eq!(under_way[0], (first, Time::from_micros(number)), "the oldest are forgotten");
}

#[test]
fn requests_are_a_client_history() {
    let mut count = 0;
    for seed in 0..8 {
        let mut scenario = hunt(seed, None, Duration::from_secs(20), Profile::Full, Rules::ALL);
        for (number, at) in [(1, 500), (2, 500), (3, 501)] {
            let action = Action::Submit(format!("put mine {number}").into());
            scenario.actions.push(TimedAction { at: Time::from_micros(at * 1_000), action });
        }
        scenario.actions.sort_by_key(|timed| timed.at);
        let recording = recording_of(scenario.clone(), Time::from_secs(10));
        let mut world = Simulation::new(scenario).unwrap();
        world.run_until(Time::from_secs(10));
        let text = recording.history();
        let history = history::read(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        assert!(!matches!(history.check(), Verdict::NotLinearizable(_)), "seed {seed}");
        let own = history::write(world.operations());
        assert_eq!(without_times(&text), without_times(&own), "seed {seed}: nothing is left out or added");
        count += own.lines().count();
    }
    assert!(count > 1_000, "{count} lines");
}

fn without_times(history: &str) -> BTreeSet<&str> {
    history.lines().map(|line| line.rsplit_once(",\"time\"").expect("a line has a time").0).collect()
}

/// Servers driven by hand: each knows entries of the terms given.
fn raft_with(entries: &[u64]) -> Raft {
    let cluster = Configuration::of_voters(ServerSet::first(3));
    let mut raft = Raft::new(Config::new(server(1), 7), Start::Bootstrap(cluster), Time::ZERO).unwrap();
    let term = entries.last().copied().unwrap_or(1);
    append(&mut raft, term, EntryId::ZERO, entries);
    raft
}

fn append(raft: &mut Raft, term: u64, previous: EntryId, entries: &[u64]) {
    let entries: Entries = entries
        .iter()
        .map(|term| Entry { term: Term(*term), payload: Payload::Command(vec![7; 40][..].into()) })
        .collect();
    let message = AppendEntries { term: Term(term), previous, entries, commit: LogIndex::ZERO, round: 1, probe: 1 };
    let (from, message) = (server(2), Message::AppendEntries(message));
    raft.step(Time::ZERO, Input::Message { from, message }, &mut Output::default());
}

#[test]
fn a_watcher_says_what_changed_and_no_more() {
    let id = |index, term| EntryId::new(LogIndex(index), Term(term));
    let mut raft = raft_with(&[1, 1, 2, 2]);
    let mut watcher = Watcher::new(server(1), 3);
    let changed = |recorded: Option<Recorded>| match recorded.map(|recorded| recorded.what) {
        Some(What::Changed(state)) => *state,
        other => panic!("{other:?} isn't a change"),
    };
    let Some(Recorded { what: What::State(state), sequence: Some(1), life: Some(3), .. }) =
        watcher.stepped(Time::ZERO, &raft)
    else {
        panic!("it says everything first")
    };
    assert_eq!(state.terms, Some(vec![id(1, 1), id(3, 2)]));
    assert_eq!((state.last, state.term, state.leader), (Some(id(4, 2)), Some(Term(2)), Some(Some(server(2)))));
    assert_eq!(watcher.stepped(Time::ZERO, &raft), None, "nothing changed");

    append(&mut raft, 2, id(4, 2), &[2]);
    let state = changed(watcher.stepped(Time::ZERO, &raft));
    assert_eq!((state.truncated, state.first, state.last), (None, Some(LogIndex(5)), Some(id(5, 2))));
    let appended = state.appended.clone().unwrap();
    assert_eq!(appended.len(), 1);
    let only = State { last: state.last, first: state.first, appended: state.appended.clone(), ..State::default() };
    assert_eq!(state, only, "nothing else is said");

    // Another leader's entries replace some, and in the end there are as many as before.
    append(&mut raft, 4, id(2, 1), &[3, 4, 4]);
    let state = changed(watcher.stepped(Time::ZERO, &raft));
    assert_eq!((state.truncated, state.first, state.last), (Some(LogIndex(2)), Some(LogIndex(3)), Some(id(5, 4))));
    assert_eq!(state.appended.unwrap().iter().map(|entry| entry.term.0).collect::<Vec<_>>(), [3, 4, 4]);

    // What a new reader gets counts as the last line, and doesn't change what others get.
    let state = watcher.state(Time::ZERO, &raft);
    assert_eq!(state.sequence, Some(watcher.sequence()));
    assert_eq!(watcher.stepped(Time::ZERO, &raft), None);
    let mut known = Known::new();
    known.take(&state);
    append(&mut raft, 4, id(5, 4), &[4]);
    let heard = known.take(&watcher.stepped(Time::ZERO, &raft).unwrap());
    assert_eq!(heard, Heard::Next { sent: None });
    let terms = (1..=6).map(|index| known.server(server(1)).unwrap().term_at(LogIndex(index)).unwrap().0);
    assert_eq!(terms.collect::<Vec<_>>(), [1, 1, 3, 4, 4, 4]);
}

#[test]
fn bytes_can_be_left_out() {
    let raft = raft_with(&[1, 1]);
    let mut watcher = Watcher::new(server(1), 1);
    watcher.stepped(Time::ZERO, &raft);
    let message = AppendEntries {
        term: Term(1),
        previous: EntryId::ZERO,
        entries: raft.log().iter_from(LogIndex(1)).cloned().collect(),
        commit: LogIndex::ZERO,
        round: 1,
        probe: 1,
    };
    let sent = watcher.sent(Time::ZERO, server(2), 5, &Message::AppendEntries(message));
    let mut reader = Reader::new();
    reader.read_line(&Header::default().line()).unwrap();
    for bytes_max in [0, 39, 40] {
        let line = sent.line(bytes_max);
        let read = reader.read_line(&line).unwrap().unwrap();
        assert_eq!(line.contains("\"command\":40}"), bytes_max < 40, "{line}");
        assert_eq!(read == sent, bytes_max == 40);
        let What::Sent(Sent { message: Some(content), .. }) = &read.what else { panic!("{read:?}") };
        assert_eq!((content.name(), content.term()), ("append-entries".to_owned(), Some(Term(1))));
        assert_eq!(read.line(BYTES_ALL), read.line(BYTES_ALL).trim());
        assert_eq!(reader.read_line(&read.line(BYTES_ALL)).unwrap().unwrap(), read, "it can be written again");
    }
}

#[test]
fn no_line_is_longer_than_a_reader_takes() {
    let mut reader = Reader::new();
    reader.read_line(&Header::default().line()).unwrap();
    let large = Entry { term: Term(3), payload: Payload::Command(vec![0; 3 * LINE_BYTES_MAX / 4][..].into()) };
    let small = Entry { term: Term(3), payload: Payload::Command([0; 20][..].into()) };
    let with = |entries: Vec<Entry>| {
        let entries = entries.into_iter().collect();
        let previous = EntryId::ZERO;
        Message::AppendEntries(AppendEntries {
            term: Term(3),
            previous,
            entries,
            commit: LogIndex(0),
            round: 1,
            probe: 1,
        })
    };
    let mut watcher = Watcher::new(server(1), 1);
    for (entries, rest) in [(vec![large], true), (vec![small; LINE_BYTES_MAX / 50], false)] {
        let sent = watcher.sent(Time::ZERO, server(2), 5, &with(entries));
        let line = sent.line(BYTES_ALL);
        assert!(line.len() <= LINE_BYTES_MAX);
        let read = reader.read_line(&line).unwrap().unwrap();
        let What::Sent(Sent { message: Some(Content::Part { name, fields }), .. }) = read.what else { panic!() };
        assert_eq!((name.as_str(), fields.contains_key("entries")), ("append-entries", rest));
    }
    let text = "x".repeat(LINE_BYTES_MAX);
    let note = Note { kind: "long".to_owned(), weight: None, text, section: None };
    let long =
        Recorded { time: Time::ZERO, server: None, life: None, sequence: None, what: What::Note(Box::new(note)) };
    let read = reader.read_line(&long.line(BYTES_ALL)).unwrap().unwrap();
    assert!(
        matches!(&read.what, What::Note(note) if note.kind == "too-long" && note.text.contains("“note”")),
        "{read:?}"
    );
}

#[test]
fn what_is_wrong_with_a_line_is_said_with_its_place() {
    let header = "{\"raftarium-recording\":1}";
    let wrong = |line: &str| {
        let mut reader = Reader::new();
        reader.read_line(header).unwrap();
        let error = reader.read_line(line).expect_err(line).to_string();
        error.strip_prefix("line 2").unwrap_or_else(|| panic!("{error}")).to_owned()
    };
    let of = |fields: &str| wrong(&format!("{{\"time\":1,\"server\":\"S1\",{fields}}}"));
    let cases = [
        (wrong("{\"time\":1"), ", column 9: EOF while parsing an object"),
        (wrong("7"), ": expected an object, with an “event”"),
        (wrong("{\"time\":1}"), ": line: expected an object with the text event"),
        (wrong("{\"event\":\"started\",\"server\":\"S1\"}"), ": started: the field time is missing"),
        (
            wrong("{\"event\":\"started\",\"time\":1}"),
            ": started: it needs the field server: a server is who observes it",
        ),
        (
            of("\"event\":\"bloomed\""),
            ": there is no event \"bloomed\": there are started, state, changed, stopped, crashed, sent, received, lost, duplicated, request, note",
        ),
        (
            of("\"event\":\"started\",\"colour\":1"),
            ": started: there is no field \"colour\": leave it out, or say a higher `minor` in the header if it is new",
        ),
        (of("\"event\":\"changed\",\"term\":\"5\""), ": changed: term: expected a number, not a text"),
        (of("\"event\":\"changed\",\"term\":1.5"), ": changed: term: expected a number, not 1.5"),
        (
            of("\"event\":\"changed\",\"role\":\"king\""),
            ": changed: role: \"king\" is none of follower, pre-candidate, candidate, leader",
        ),
        (of("\"event\":\"changed\",\"vote\":\"S128\""), ": changed: vote: expected a server, like \"S3\", not a text"),
        (of("\"event\":\"sent\",\"number\":1"), ": sent: the field to is missing"),
        (
            of("\"event\":\"sent\",\"number\":1,\"to\":\"S2\",\"message\":{\"message\":\"hello\"}"),
            ": sent: message: there is no message \"hello\"",
        ),
        (
            of("\"event\":\"sent\",\"number\":1,\"to\":\"S2\",\"message\":{\"message\":\"timeout-now\",\"term\":[]}"),
            ": sent: message.term: expected a number, not a list",
        ),
        (
            of("\"event\":\"sent\",\"number\":1,\"to\":\"S2\",\"message\":{\"message\":\"timeout-now\",\"when\":1}"),
            ": sent: message: timeout-now has no field \"when\"",
        ),
        (of("\"event\":\"stopped\",\"sequence\":4"), ": stopped: there is no sequence without a life"),
        (of("\"event\":\"changed\",\"first\":4"), ": changed: the fields first and appended belong together"),
        (
            of("\"event\":\"changed\",\"first\":0,\"appended\":[{\"term\":1}]"),
            ": changed: appended: expected at least one entry, and first at least 1",
        ),
        (
            of("\"event\":\"changed\",\"first\":18446744073709551615,\"appended\":[{\"term\":1}]"),
            ": changed: first: no log has an entry with that index",
        ),
        (
            of("\"event\":\"changed\",\"first\":4,\"appended\":[{\"term\":1}],\"last\":{\"index\":5,\"term\":1}"),
            ": changed: last isn’t the last entry that is appended",
        ),
        (
            of("\"event\":\"changed\",\"first\":4,\"appended\":[{\"tern\":1}]"),
            ": changed: appended: an entry has no field \"tern\"",
        ),
        (
            of("\"event\":\"state\",\"terms\":[{\"index\":1,\"term\":1}]"),
            ": state: terms needs the field last: where the last term ends",
        ),
        (
            of("\"event\":\"state\",\"terms\":[{\"index\":9,\"term\":1}],\"last\":{\"index\":5,\"term\":1}"),
            ": state: terms: expected the first entry of each term, in the order of the indexes, up to last",
        ),
        (
            of(
                "\"event\":\"state\",\"terms\":[{\"index\":1,\"term\":1}],\"last\":{\"index\":5,\"term\":1},\"base\":{\"index\":1,\"term\":1}",
            ),
            ": state: terms: its first entry isn’t in the log, which begins after base",
        ),
        (
            of(
                "\"event\":\"request\",\"request\":{\"client\":1,\"kind\":\"invoke\",\"op\":\"get\",\"key\":\"x\",\"time\":3}",
            ),
            ": request: request: the time stands beside the request, not in it",
        ),
        (
            wrong("{\"raftarium-recording\":2}"),
            ": raftarium-recording: this reads version 1, not 2: read it with the version that wrote it",
        ),
        (wrong("{\"raftarium-recording\":1,\"unit\":\"ns\"}"), ": raftarium-recording: unit: \"ns\" is none of us"),
        (
            wrong(&" ".repeat(LINE_BYTES_MAX + 1)),
            ": 16777217 bytes are too many for a line, which has at most 16777216: leave out the contents of entries, or put a number in the place of the bytes of commands",
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
    let headless = Recording::read("\n{\"time\":1,\"server\":\"S1\",\"event\":\"started\"}").unwrap_err().to_string();
    assert_eq!(headless, "line 2: a recording begins with a header: put {\"raftarium-recording\":1} before this line");
    assert!(Recording::read("").is_err());
    let two = "{\"raftarium-recording\":1,\"cluster\":\"a\"}\n{\"raftarium-recording\":1,\"cluster\":\"b\"}";
    let error = Recording::read(two).unwrap_err().to_string();
    assert_eq!(error, "line 2: this header is of the cluster \"b\", and the first one of \"a\": keep them apart");
}

#[test]
fn a_later_minor_version_is_read_as_far_as_it_is_known() {
    let lines = "\u{feff}{\"raftarium-recording\":1,\"minor\":9,\"mood\":\"good\"}\r\n\n\
        {\"time\":1,\"server\":\"S1\",\"event\":\"bloomed\"}\n\
        {\"time\":2,\"server\":\"S1\",\"event\":\"changed\",\"term\":5,\"colour\":\"red\"}\n";
    let recording = Recording::read(lines).unwrap();
    assert_eq!(recording.header.minor, Some(9));
    let [Recorded { what: What::Changed(state), .. }] = &recording.events[..] else { panic!("{recording:?}") };
    assert_eq!(**state, State { term: Some(Term(5)), ..State::default() });
}

#[test]
fn what_a_person_does_is_recorded() {
    let recording = recording_of(every_action_in_a_run().scenario, Time::from_secs(8));
    let kinds: BTreeSet<&str> = recording.events.iter().map(|recorded| recorded.what.name()).collect();
    for kind in ["started", "state", "changed", "crashed", "sent", "received", "lost", "request", "note"] {
        assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
    }
    let notes = recording.events.iter().filter_map(|recorded| match &recorded.what {
        What::Note(note) => Some((note.kind.as_str(), recorded.server.is_some(), recorded.sequence.is_some())),
        _ => None,
    });
    let notes: BTreeSet<(&str, bool, bool)> = notes.collect();
    for note in [("became-leader", true, true), ("paused", true, false), ("all-healed", false, false)] {
        assert!(notes.contains(&note), "{note:?} is not among {notes:?}");
    }
    assert_eq!(recording.header.epoch, Some(Epoch::Run));
    assert_eq!(Recording::read(&recording.write(BYTES_ALL)), Ok(recording));
}

#[test]
fn a_driver_can_say_what_it_knows() {
    let mut watcher = Watcher::new(server(1), 2);
    let message = Message::TimeoutNow(TimeoutNow { term: Term(4) });
    let event = Event {
        client: 12,
        kind: EventKind::Ok,
        operation: OperationKind::Get,
        key: "x",
        value: Some("1"),
        expected: None,
        found: None,
        time: Some(Time::ZERO),
    };
    // A write under a condition and with a request key, which had been done before.
    let put = Event { client: 13, kind: EventKind::Fail, operation: OperationKind::Put, ..event };
    let (revision_expected, request_key) = (Some(None), Some("k".to_owned()));
    let again = Requested { revision_expected, request_key, repeated: Some(true), ..Requested::of(&put) };
    let now = Time::from_micros(9);
    let lines = [
        watcher.started(now),
        watcher.received(now, server(2), Some(7), 3, &message),
        watcher.lost(now, server(3), 1, LossReason::NotConnected),
        watcher.request(now, Requested::of(&event)),
        watcher.request(now, again),
        watcher.stopped(now),
        watcher.crashed(now),
    ];
    let said: Vec<String> = lines.iter().map(|recorded| recorded.line(BYTES_ALL)).collect();
    let expected = [
        r#"{"time":9,"server":"S1","life":2,"sequence":1,"event":"started"}"#,
        r#"{"time":9,"server":"S1","life":2,"sequence":2,"event":"received","from":"S2","from_life":7,"number":3,"message":{"message":"timeout-now","term":4}}"#,
        r#"{"time":9,"server":"S1","life":2,"sequence":3,"event":"lost","from":"S1","from_life":2,"number":1,"to":"S3","why":"not-connected"}"#,
        r#"{"time":9,"server":"S1","life":2,"sequence":4,"event":"request","request":{"client":12,"kind":"ok","op":"get","key":"x","value":"1"}}"#,
        r#"{"time":9,"server":"S1","life":2,"sequence":5,"event":"request","request":{"client":13,"kind":"fail","op":"put","key":"x","value":"1"},"revision_expected":null,"request_key":"k","repeated":true}"#,
        r#"{"time":9,"server":"S1","life":2,"sequence":6,"event":"stopped"}"#,
        r#"{"time":9,"server":"S1","life":2,"event":"crashed"}"#,
    ];
    assert_eq!(said, expected);
    let mut reader = Reader::new();
    reader.read_line(&Header::default().line()).unwrap();
    for (line, recorded) in said.iter().zip(lines) {
        assert_eq!(reader.read_line(line), Ok(Some(recorded)));
    }
    // The reader takes these fields in this form alone.
    for (field, other) in [("revision_expected", "\"1\""), ("request_key", "7"), ("repeated", "null")] {
        let line = said[4].replace("\"revision_expected\":null,\"request_key\":\"k\",\"repeated\":true", "\"@\":@");
        let line = line.replacen('@', field, 1).replacen('@', other, 1);
        let why = reader.read_line(&line).unwrap_err().to_string();
        assert!(why.contains(&format!("request: {field}")), "{why}");
    }
}

#[test]
fn names_are_those_of_the_variants() {
    let started = What::Started;
    assert_eq!(started.name(), kebab(&started));
    for role in Role::ALL {
        assert_eq!(role.name(), kebab(&role));
    }
    for why in LossReason::ALL {
        assert_eq!(why.name(), kebab(&why));
    }
}

fn valid(schema: &Value, line: &str) -> bool {
    fits(schema, schema, &serde_json::from_str(line).expect("JSON"))
}

#[test]
fn the_schema_accepts_what_is_written_and_refuses_what_the_reader_refuses() {
    let schema = json_schema();
    let recording = busy();
    let mut seen: BTreeMap<String, Value> = BTreeMap::new();
    for text in recording.write(BYTES_ALL).lines().chain(recording.write(3).lines().skip(200).take(300)) {
        let value: Value = serde_json::from_str(text).unwrap();
        let of_message = value["message"]["message"].as_str().unwrap_or_default();
        let kind = format!("{} {of_message}", value["event"].as_str().unwrap_or("header"));
        let count = seen.len();
        if seen.entry(kind).or_insert(value).is_object() && (seen.len() > count || text.len() % 7 == 0) {
            assert!(valid(&schema, text), "{text}");
        }
    }
    assert!(seen.len() > 15, "{:?}", seen.keys());
    let readable = |value: &Value| {
        let mut reader = Reader::new();
        if value.get("event").is_some() {
            reader.read_line("{\"raftarium-recording\":1}").unwrap();
        }
        reader.read_line(&value.to_string()).is_ok()
    };
    for (kind, value) in &seen {
        assert!(readable(value), "{kind}");
        let mut more = value.clone();
        more["colour"] = json!(1);
        assert!(!valid(&schema, &more.to_string()) && !readable(&more), "{kind}");
        for field in value.as_object().unwrap().keys() {
            for other in [json!(-1), json!(true), json!({}), json!(["S1"]), json!("~"), json!(null)] {
                let mut changed = value.clone();
                changed[field] = other;
                let of = changed.to_string();
                let (by_schema, by_reader) = (valid(&schema, &of), readable(&changed));
                // A schema can't say how fields fit together.
                assert!(by_schema || !by_reader, "{kind}: only the reader takes {of}");
                let together = ["first", "appended", "terms", "last", "base"].contains(&field.as_str());
                assert!(by_reader || !by_schema || together, "{kind}: only the schema takes {of}");
            }
            let mut without = value.clone();
            without.as_object_mut().unwrap().remove(field);
            let (by_schema, by_reader) = (valid(&schema, &without.to_string()), readable(&without));
            let together = ["first", "appended", "last", "server", "life"].contains(&field.as_str());
            assert!(by_schema == by_reader || together && by_schema, "{kind} without {field}");
        }
    }
}

/// Lines that no correct writer writes must not disturb a reader that believes them.
#[test]
fn hostile_lines_are_refused_or_believed_and_nothing_else_happens() {
    let recording = busy();
    let lines: Vec<String> = recording.events.iter().take(3_000).map(|recorded| recorded.line(BYTES_ALL)).collect();
    let (mut reader, mut known) = (Reader::new(), Known::new());
    reader.read_line(&recording.header.line()).unwrap();
    let numbers = ["0", "1", "3", "18446744073709551615", "4611686018427387904", "99999999999999999999", "-1", "null"];
    let mut believed = 0;
    for (at, line) in lines.iter().enumerate() {
        // Each number becomes another.
        let digits: Vec<usize> = line.match_indices(':').map(|(at, _)| at + 1).collect();
        let place = digits[at % digits.len()];
        let length = line[place..].bytes().take_while(u8::is_ascii_digit).count();
        let number = if length > 0 { numbers[at % numbers.len()] } else { "" };
        let hostile = format!("{}{number}{}", &line[..place], &line[place + length..]);
        if let Ok(Some(recorded)) = reader.read_line(&hostile) {
            assert_eq!(reader.read_line(&recorded.line(BYTES_ALL)), Ok(Some(recorded.clone())), "{hostile}");
            known.take(&recorded);
            believed += 1;
            for (_, server) in known.servers() {
                if let Some((first, last)) = server.terms_known() {
                    assert!(first <= last && server.term_at(first).is_some() && server.term_at(last).is_some());
                }
            }
        }
    }
    assert!(believed > 500, "{believed}");
    // A log that claims to be as long as can be takes no room.
    let long = "{\"time\":1,\"server\":\"S1\",\"event\":\"state\",\"last\":{\"index\":4611686018427387904,\"term\":2},\
                \"terms\":[{\"index\":1,\"term\":1},{\"index\":7,\"term\":2}]}";
    known.take(&reader.read_line(long).unwrap().unwrap());
    assert_eq!(known.server(server(1)).unwrap().term_at(LogIndex(1 << 60)), Some(Term(2)));
    let vote = Message::RequestVote(RequestVote { term: Term(2), last: EntryId::ZERO, leadership_transfer: false });
    assert!(Watcher::new(server(1), 1).sent(Time::ZERO, server(2), 1, &vote).line(0).ends_with("}}"));
}
