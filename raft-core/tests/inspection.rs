//! What a server reports about itself, how values compare and print, and exact limits: the mutants
//! of `cargo mutants` that no other test catches.

mod support;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::slice;
use std::sync::Arc;

use raft_core::raft::{
    AppendEntries, Config, Configuration, DiskId, Durable, DurableError, Entry, EntryId, HardState, LogIndex, Message,
    Observation, Output, Payload, Piece, Raft, Reading, Refusal, Role, Rule, Rules, Snapshot, SnapshotMeta, Standing,
    Start, StartError, Term, TimeoutNow, Window, WithheldReason,
};
use raft_core::raft::{DriftWatch, Input, Log};
use raft_core::time::{Duration, Time};
use support::{Answer, Cluster, Event, command, id, image, ms, s, set};

#[test]
fn a_server_says_what_its_disk_has_and_whether_it_is_writing() {
    let mut cluster = Cluster::settled(3);
    assert!(!cluster.raft(s(1)).is_writing());
    cluster.hold_disk(s(1));
    cluster.propose(s(1), "x=1");
    let raft = cluster.raft(s(1));
    assert_eq!((raft.is_writing(), raft.durable_index(), raft.log().last()), (true, LogIndex(1), id(2, 1)));
    cluster.release_disk(s(1));
    let raft = cluster.raft(s(1));
    assert_eq!((raft.is_writing(), raft.durable_index()), (false, LogIndex(2)));
    cluster.crash(s(1));
    cluster.restart(s(1));
    assert_eq!(cluster.raft(s(1)).durable_index(), LogIndex(2), "what it found is durable");
}

#[test]
fn a_leader_says_how_it_leads() {
    let mut cluster = Cluster::settled(3);
    let Role::Leader(leader) = cluster.raft(s(1)).role() else { panic!("S1 leads") };
    let (round, due) = (leader.round(), leader.heartbeat_due());
    assert_eq!((leader.uncommitted_bytes(), leader.transfer()), (0, None));
    assert!(round > 1 && due > cluster.clock(s(1)), "the next heartbeat is still to come");
    cluster.hold(s(1), s(2));
    cluster.hold(s(1), s(3));
    cluster.propose(s(1), "x=1");
    cluster.transfer(s(1), s(3));
    cluster.run(ms(60));
    let Role::Leader(leader) = cluster.raft(s(1)).role() else { panic!("S1 leads") };
    assert_eq!(leader.uncommitted_bytes(), Payload::Command(b"x=1"[..].into()).size());
    assert_eq!(leader.transfer().map(|transfer| transfer.to), Some(s(3)));
    assert!(leader.round() > round && leader.heartbeat_due() > due);
}

#[test]
fn a_campaign_says_who_has_voted_and_only_a_campaign_does() {
    let mut cluster = Cluster::with(3).config(|config| config.pre_vote = false).start();
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    let campaign = cluster.raft(s(1)).role().campaign().expect("it campaigns");
    assert_eq!((campaign.granted, campaign.refused), (set(&[1]), set(&[])));
    assert_eq!(cluster.raft(s(2)).role().campaign(), None);
}

#[test]
fn a_membership_says_which_entry_brought_it() {
    let mut cluster = Cluster::settled(3);
    assert_eq!(cluster.raft(s(1)).configuration_index(), LogIndex::ZERO);
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.run(ms(200));
    assert_eq!(cluster.raft(s(1)).configuration_index(), LogIndex(3), "the joint one stands at 2");
}

#[test]
fn a_follower_says_how_far_it_has_compared_its_log() {
    let mut cluster = Cluster::settled(3);
    cluster.hold_disk(s(3));
    cluster.propose(s(1), "x=1");
    cluster.settle();
    assert_eq!(cluster.raft(s(3)).agreed_index(), LogIndex(2), "on its disk or not");
    cluster.crash(s(3));
    cluster.restart(s(3));
    assert_eq!(cluster.raft(s(3)).agreed_index(), LogIndex::ZERO);
}

#[test]
fn what_a_server_cannot_start_from_is_said_in_a_sentence() {
    let start = |durable: Durable| {
        let configuration = Configuration::of_voters(set(&[1, 2, 3]));
        Raft::new(Config::new(s(1), 7), Start::Restart(durable, configuration), Time::ZERO).expect_err("it is damaged")
    };
    let term = |term| HardState { term: Term(term), ..HardState::default() };
    let backwards =
        Durable { hard_state: term(3), entries: vec![command(3, "a"), command(2, "b")], ..Durable::default() };
    let error = start(backwards);
    assert_eq!(error, StartError::Durable(DurableError::TermsOutOfOrder(LogIndex(2))));
    assert!(error.to_string().contains("terms go down at index 2"), "{error}");
    let ahead = Durable { hard_state: term(1), entries: vec![command(3, "a")], ..Durable::default() };
    let error = start(ahead);
    assert!(error.to_string().contains("1@3") && error.to_string().contains("the server’s term is 1"), "{error}");
    let mut config = Config::new(s(1), 7);
    config.heartbeat_interval = Duration::ZERO;
    let error = Raft::new(config, Start::Join { disk: DiskId(1) }, Time::ZERO).expect_err("a heartbeat takes time");
    assert!(!error.to_string().is_empty());
}

#[test]
fn a_rule_has_a_purpose_and_a_source_of_its_own_and_rules_print_what_is_off() {
    for rule in Rule::ALL {
        let alike = |other: &Rule| other.prevents() == rule.prevents() && *other != rule;
        let shared = Rule::ALL.iter().filter(|other| alike(other)).count();
        assert!(shared <= 1, "{}", rule.name());
        let source = rule.source();
        assert!(source.contains(' '), "{source}");
    }
    assert_eq!(format!("{:?}", Rules::ALL), "all");
    let without = Rules::ALL.without(Rule::VoteOncePerTerm);
    assert_eq!(format!("{without:?}"), "all without vote-once-per-term");
    assert_eq!(format!("{:?}", set(&[1, 3])), "{S1, S3}");
}

#[test]
fn why_a_server_does_not_campaign_is_a_sentence_of_its_own() {
    let sentence = |reason| Observation::CampaignWithheld { reason }.sentence(s(2)).text;
    let all = [
        WithheldReason::NotAVoter,
        WithheldReason::Standing(Standing::Joining),
        WithheldReason::Standing(Standing::Barred),
        WithheldReason::Damaged { lost: id(4, 2) },
        WithheldReason::DiskStalled,
        WithheldReason::NotDurable,
        WithheldReason::Exhausted,
    ]
    .map(sentence);
    let said = [
        "isn’t a voter",
        "waits to be added",
        "may have voted before",
        "back to 4@2",
        "has stalled",
        "still being written",
        "no further term",
    ];
    for (sentence, said) in all.iter().zip(said) {
        assert!(sentence.starts_with("S2 doesn’t campaign") && sentence.contains(said), "{sentence}");
    }
}

#[test]
fn pieces_logs_and_snapshots_compare_by_what_they_hold() {
    let hash = |piece: &Piece| {
        let mut hasher = DefaultHasher::new();
        piece.hash(&mut hasher);
        hasher.finish()
    };
    let (one, other): (Arc<[u8]>, Arc<[u8]>) = (b"abcd"[..].into(), b"xxab"[..].into());
    let (ab, ab_elsewhere, cd) = (Piece::of(&one, 0, 2), Piece::of(&other, 2, 4), Piece::of(&one, 2, 4));
    assert_eq!((&ab, hash(&ab)), (&ab_elsewhere, hash(&ab_elsewhere)));
    assert!(ab != cd && hash(&ab) != hash(&cd));

    let snapshot = |data: &[u8]| {
        let (configuration, configuration_index) = (Configuration::default(), LogIndex::ZERO);
        Snapshot::new(SnapshotMeta { last: id(3, 1), configuration, configuration_index }, data.into())
    };
    assert_eq!(snapshot(b"").checksum(), 0x9262_34d9_ac1f_48b6);
    assert_eq!(snapshot(b"a").checksum(), 0x2c63_5ae4_d476_44f5);

    let log = |base: EntryId, entries: &[Entry]| {
        let mut log = Log::after(base);
        for entry in entries {
            log.append(entry.clone());
        }
        log
    };
    let (x, y) = (command(1, "x"), command(1, "y"));
    assert_eq!(log(EntryId::ZERO, slice::from_ref(&x)), log(EntryId::ZERO, slice::from_ref(&x)));
    assert_ne!(log(EntryId::ZERO, slice::from_ref(&x)), log(EntryId::ZERO, slice::from_ref(&y)), "another entry");
    assert_ne!(log(EntryId::ZERO, slice::from_ref(&x)), log(EntryId::ZERO, &[x.clone(), y.clone()]), "a longer one");
    assert_ne!(log(id(1, 1), slice::from_ref(&x)), log(id(2, 1), &[x]), "another beginning");
}

#[test]
fn sizes_count_the_bytes_and_a_little_around_them() {
    let size = |bytes: usize| Payload::Command(vec![0; bytes].into()).size();
    assert_eq!(size(100) - size(99), 1);
    assert!(size(0) > 0 && Payload::NoOp.size() == size(0));
    let membership = Payload::Membership(Arc::new(Configuration::default())).size();
    assert!(membership > size(0) && membership < size(100));
    assert!(Window::default().is_empty());
    let mut window = Window::default();
    window.add(LogIndex(2), 9, 1);
    assert!(!window.is_empty());
}

#[test]
fn an_output_is_emptied_by_each_step() {
    let configuration = Configuration::of_voters(set(&[1]));
    let mut raft = Raft::new(Config::new(s(1), 7), Start::Bootstrap(configuration), Time::ZERO).expect("it starts");
    let mut out = Output::listening();
    raft.step(Time::from_secs(1), Input::TimerDue, &mut out);
    assert!(!out.writes.is_empty() && !out.observations.is_empty());
    raft.step(Time::from_secs(1), Input::TimerDue, &mut out);
    assert!(out.writes.is_empty() && out.observations.is_empty() && out.listen);
}

#[test]
fn a_second_change_of_learners_waits_for_the_first_though_neither_is_joint() {
    let mut cluster = Cluster::settled(3);
    cluster.join(s(4));
    cluster.join(s(5));
    cluster.hold(s(1), s(2));
    cluster.hold(s(1), s(3));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    let second = cluster.change(s(1), set(&[1, 2, 3]), set(&[4, 5]));
    assert_eq!(cluster.refusal(second), Refusal::ChangeInProgress { index: LogIndex(2) });
}

#[test]
fn a_learner_may_vote_when_it_is_exactly_as_far_behind_as_allowed() {
    for (behind, allowed) in [(2, true), (3, false)] {
        let mut cluster = Cluster::with(3).config(|config| config.learner_lag_max = 2).settled();
        cluster.join(s(4));
        cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
        cluster.run(ms(200));
        cluster.lose_sight_of(s(4));
        for n in 0..behind {
            cluster.propose(s(1), &format!("x={n}"));
        }
        cluster.settle();
        let change = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
        assert_eq!(matches!(cluster.answer(change), Some(Answer::Accepted(_))), allowed, "{behind} behind");
    }
}

#[test]
fn a_successor_is_told_to_campaign_once() {
    let mut cluster = Cluster::settled(3);
    cluster.take_events();
    cluster.hold(s(3), s(1));
    cluster.transfer(s(1), s(3));
    for number in 0..3 {
        cluster.run(ms(20));
        cluster.propose(s(1), &format!("x={number}"));
    }
    cluster.isolate(s(3));
    cluster.run(ms(100));
    let told = |event: &&Event| matches!(event, Event::Sent(_, _, Message::TimeoutNow(_)));
    assert_eq!(cluster.take_events().iter().filter(told).count(), 1);
}

#[test]
fn the_limit_on_uncommitted_bytes_may_be_met_exactly() {
    let size = Payload::Command(b"x=1"[..].into()).size();
    let mut cluster = Cluster::with(3).config(move |config| config.uncommitted_bytes_max = 2 * size).settled();
    cluster.isolate(s(1));
    let answers = [0, 1, 2].map(|_| {
        let request = cluster.propose(s(1), "x=1");
        matches!(cluster.answer(request), Some(Answer::Accepted(_)))
    });
    assert_eq!(answers, [true, true, false]);
}

#[test]
fn readings_of_the_same_moment_count_and_older_ones_do_not() {
    let reading = |from, shown| Reading {
        from: Time::from_millis(from),
        to: Time::from_millis(from),
        shown: Time::from_millis(shown),
    };
    let mut watch = DriftWatch::default();
    watch.take(reading(1_000, 1_000), 10, ms(1_000));
    watch.take(reading(900, 0), 10, ms(1_000));
    assert!(!watch.drifts(), "an older reading is no news");
    watch.take(reading(1_000, 500), 10, ms(1_000));
    assert!(watch.drifts(), "one of the same moment is");
    watch.forget();
    assert!(watch.drifts(), "what is forgotten is the anchor, not the verdict");
    watch.take(reading(100, 9_000), 10, ms(1_000));
    watch.take(reading(200, 9_100), 10, ms(1_000));
    assert!(watch.drifts(), "not long enough yet");
    watch.take(reading(1_200, 10_100), 10, ms(1_000));
    assert!(!watch.drifts(), "well for long enough: believed again");
}

#[test]
fn a_read_that_is_answered_in_time_is_not_refused_later_and_one_that_is_not_is() {
    let mut cluster = Cluster::settled(3);
    cluster.isolate(s(3));
    let lost = cluster.read(s(3));
    cluster.run(ms(290));
    assert_eq!(cluster.answer(lost), None, "it still waits");
    cluster.run(ms(400));
    assert_eq!(cluster.refusal(lost), Refusal::ReadTimedOut);
}

#[test]
fn an_answer_about_a_read_counts_only_from_the_leader_that_was_asked() {
    let mut cluster = Cluster::settled(3);
    cluster.hold(s(1), s(3));
    let read = cluster.read(s(3));
    let Some(Message::ReadIndex(ask)) = cluster.on_the_way(s(3), s(1)).last().cloned() else { panic!("it asks") };
    let lie = raft_core::raft::ReadIndexResponse {
        term: Term(1),
        disk: DiskId::default(),
        request: ask.request,
        index: Some(LogIndex(1)),
    };
    cluster.arrive(s(2), s(3), Message::ReadIndexResponse(lie.clone()));
    assert_eq!(cluster.answer(read), None, "S2 was not asked");
    let other = raft_core::raft::ReadIndexResponse { request: ask.request.wrapping_add(1), ..lie };
    cluster.arrive(s(1), s(3), Message::ReadIndexResponse(other));
    assert_eq!(cluster.answer(read), None, "S1 was not asked that");
}

#[test]
fn what_follows_an_old_beginning_is_taken_at_its_own_place() {
    let mut cluster = Cluster::settled(3);
    cluster.propose(s(1), "x=1");
    cluster.run(ms(100));
    cluster.isolate(s(3));
    assert_eq!(cluster.commit(s(3)), 2);
    let append = AppendEntries {
        term: Term(1),
        previous: id(1, 1),
        entries: vec![command(1, "x=1"), command(1, "x=2"), command(1, "x=3")].into_iter().collect(),
        commit: LogIndex(4),
        round: 1,
        probe: 1,
    };
    cluster.arrive(s(1), s(3), Message::AppendEntries(append));
    assert_eq!(cluster.applied(s(3)), ["x=1", "x=2", "x=3"]);
}

#[test]
fn a_joint_membership_is_not_left_because_something_older_is_committed() {
    let mut cluster = Cluster::settled(3);
    cluster.isolate(s(3));
    cluster.hold_disk(s(2));
    cluster.propose(s(1), "x=1");
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.settle();
    cluster.fsync_one(s(2));
    cluster.settle();
    assert_eq!(cluster.commit(s(1)), 2, "S2 has the command, not yet the membership");
    assert!(cluster.raft(s(1)).configuration().is_joint());
    assert_eq!(cluster.last(s(1)), id(3, 1));
}

#[test]
fn who_leaves_is_sent_the_log_as_long_as_its_leaving_is_not_committed() {
    let mut cluster = Cluster::settled(5);
    cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
    cluster.crash(s(5));
    cluster.deliver_all(s(1), s(2));
    cluster.deliver_all(s(1), s(3));
    for member in [2, 3, 4] {
        cluster.deliver_all(s(1), s(member));
        cluster.hold_disk(s(member));
        cluster.deliver_all(s(member), s(1));
    }
    cluster.run(ms(600));
    assert!(cluster.leads(s(1)) && !cluster.raft(s(1)).configuration().is_joint());
    assert!(cluster.raft(s(1)).configuration_index() > cluster.raft(s(1)).commit_index());
    cluster.take_events();
    cluster.run(ms(100));
    let to_it = |event: &Event| matches!(event, Event::Sent(_, to, _) | Event::Lost(_, to, _) if *to == s(5));
    assert!(cluster.take_events().iter().any(to_it));
}

#[test]
fn a_damaged_log_is_repaired_when_it_reaches_as_far_as_before_and_not_earlier() {
    let lost = id(4, 1);
    let hard_state = HardState { term: Term(1), lost, ..HardState::default() };
    let setup = Cluster::with(3).log(s(1), 1, &[1, 1, 1, 1]).log(s(2), 1, &[1, 1, 1, 1]);
    let setup = setup.disk(s(3), Durable { hard_state, ..image(1, &[1, 1]) });
    let mut cluster = setup.config(|config| config.append_entries_max = 1).start();
    cluster.isolate(s(3));
    cluster.elect(s(1));
    cluster.hold_disk(s(3));
    cluster.heal();
    let mut seen = Vec::new();
    for _ in 0..40 {
        cluster.run(ms(20));
        if cluster.disk(s(3)).unsynced() > 0 {
            cluster.fsync_one(s(3));
        }
        let raft = cluster.raft(s(3));
        seen.push((raft.durable_index() < LogIndex(4), raft.hard_state().lost == lost));
    }
    assert!(seen.contains(&(true, true)) && !seen.contains(&(true, false)), "{seen:?}");
    assert_eq!(cluster.raft(s(3)).hard_state().lost, EntryId::ZERO, "{}", cluster.status());
}

#[test]
fn a_disk_that_stalls_is_noticed_though_the_clock_was_set_back() {
    let mut cluster = Cluster::settled(3);
    cluster.run(ms(2_000));
    cluster.hold_disk(s(1));
    cluster.propose(s(1), "x=1");
    cluster.shift_clock(s(1), -2_000);
    let patience = cluster.raft(s(1)).config().disk_stall_max;
    cluster.run(patience + ms(100));
    assert!(!cluster.leads(s(1)), "{}", cluster.status());
}

#[test]
fn a_transfer_is_waited_for_as_long_as_an_election_may_take() {
    let mut cluster = Cluster::settled(3);
    let transfer = cluster.transfer(s(1), s(3));
    cluster.deliver_all(s(1), s(3));
    cluster.deliver_all(s(3), s(1));
    cluster.isolate(s(1));
    let patience = cluster.raft(s(1)).config().election_timeout_max;
    cluster.run(Duration::from_micros(patience.as_micros() - 1_000));
    assert_eq!(cluster.answer(transfer), None);
    cluster.run(ms(2));
    assert_eq!(cluster.refusal(transfer), Refusal::LeadershipLost);
}

#[test]
fn a_batch_is_in_memory_once_however_many_servers_hold_it() {
    let mut cluster = Cluster::led(3);
    let commands: Vec<String> =
        (0..40).map(|number| format!("a command too long to stand in its entry {number}")).collect();
    cluster.propose_batch(s(1), &commands.iter().map(String::as_str).collect::<Vec<_>>());
    cluster.run(ms(200));
    let at = |server: u8, index: u64| std::ptr::from_ref(cluster.raft(s(server)).log().get(LogIndex(index)).unwrap());
    for index in 2..=41 {
        assert_eq!(cluster.applied(s(3)).get(index as usize - 2), commands.get(index as usize - 2));
        assert!(at(1, index) == at(2, index) && at(1, index) == at(3, index), "entry {index} was copied");
    }
}

#[test]
fn a_message_is_received_where_it_lies_as_it_is_by_value() {
    let mut cluster = Cluster::settled(3);
    cluster.propose(s(1), "x=1");
    let message = cluster.on_the_way(s(1), s(2)).pop().expect("an append for S2");
    let (mut one, mut other) = (cluster.raft(s(2)).clone(), cluster.raft(s(2)).clone());
    let (mut by_value, mut in_place) = (Output::listening(), Output::listening());
    let now = cluster.clock(s(2));
    other.receive(now, s(1), &message, &mut in_place);
    one.step(now, Input::Message { from: s(1), message }, &mut by_value);
    assert!(!in_place.writes.is_empty());
    assert_eq!(format!("{by_value:?}{one:?}"), format!("{in_place:?}{other:?}"));
    // The earlier content is gone, too.
    let nobody = Message::TimeoutNow(TimeoutNow { term: Term(0) });
    other.receive(now, s(3), &nobody, &mut in_place);
    assert!(in_place.writes.is_empty());
}
