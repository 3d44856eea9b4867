//! The log: what replaces entries, what is sent, and snapshots.

use raft_core::raft::{
    AppendOutcome, Config, Configuration, Durable, EntryId, Input, InstallSnapshot, InstallSnapshotResponse, LogIndex,
    Message, Observation, Output, ProgressState, Refusal, Role, Rule, SNAPSHOT_SIZE_MAX, Snapshot, SnapshotMeta,
    SnapshotProgress, Term,
};

use crate::both_ways::both_ways;
use crate::support::{Answer, Cluster, Event, command, id, image, ms, s, set};

#[test]
fn an_old_append_delivered_twice_with_a_crash_between_drops_nothing() {
    both_ways(Rule::TruncateOnlyOnConflict, "lost", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        for command in ["a", "b", "c"] {
            cluster.propose(s(1), command);
        }
        let copies = [cluster.on_the_way(s(1), s(3))[0].clone(), cluster.on_the_way(s(1), s(3))[0].clone()];
        for _ in 0..3 {
            cluster.deliver(s(1), s(3));
            cluster.deliver(s(3), s(1));
        }
        assert_eq!(cluster.applied(s(1)), ["a", "b", "c"], "S3's acknowledgement was the second one needed");
        for copy in copies {
            cluster.arrive(s(1), s(3), copy);
            cluster.crash(s(3));
            cluster.restart(s(3));
            let last = cluster.last(s(3));
            if last != id(4, 1) {
                cluster.violated(format!("S3 has lost what it acknowledged: its log ends with {last}"));
            }
        }
    });
}

/// `matched` and `next` of every member, as `leader` knows them.
fn marks(cluster: &Cluster, leader: u8) -> Vec<(u64, u64)> {
    let Role::Leader(role) = cluster.raft(s(leader)).role() else { panic!("S{leader} doesn't lead") };
    let members = cluster.servers().into_iter().filter_map(|member| role.progress(member));
    members.map(|progress| (progress.matched.0, progress.next.0)).collect()
}

#[test]
fn what_is_known_to_match_never_goes_back_however_late_the_answers() {
    let mut cluster = Cluster::led(3);
    for command in ["a", "b", "c", "d", "e"] {
        cluster.propose(s(1), command);
    }
    cluster.deliver_all(s(1), s(2));
    for _ in 0..5 {
        cluster.duplicate(s(2), s(1));
    }
    cluster.reverse(s(2), s(1));
    let mut before = marks(&cluster, 1);
    while !cluster.on_the_way(s(2), s(1)).is_empty() {
        cluster.deliver(s(2), s(1));
        let after = marks(&cluster, 1);
        for ((matched_before, _), (matched, next)) in before.iter().zip(&after) {
            assert!(matched >= matched_before, "{before:?} → {after:?}");
            assert!(next > matched, "{after:?}");
        }
        before = after;
    }
    assert_eq!(cluster.matched(s(1), s(2)), 6);
}

#[test]
fn a_divergence_of_a_thousand_entries_heals_in_rounds_proportional_to_its_terms() {
    // S1 and S2 agree on ten entries; then S2 has a thousand of its own, of ten terms, and S1 a
    // thousand of ten others.
    let own = |first: u64| -> Vec<u64> {
        let tail = (0..10).flat_map(|n| std::iter::repeat_n(first + 2 * n, 100));
        std::iter::repeat_n(1, 10).chain(tail).collect()
    };
    let (mine, theirs) = (own(3), own(2));
    let mut cluster = Cluster::with(3).log(s(1), 30, &mine).log(s(2), 30, &theirs).log(s(3), 30, &mine).start();
    cluster.take_events();
    cluster.elect(s(1));
    cluster.run(ms(200));
    let rejections = cluster.take_events().into_iter().filter(|event| {
        matches!(event, Event::Arrived(from, _, Message::AppendEntriesResponse(m))
            if *from == s(2) && matches!(m.outcome, AppendOutcome::Conflict { .. }))
    });
    let rejections = rejections.count();
    assert!((1..=10).contains(&rejections), "{rejections} rejections for ten terms");
    assert_eq!(cluster.last(s(2)), cluster.last(s(1)));
}

#[test]
fn a_rejection_that_arrives_twice_takes_the_leader_back_once() {
    let mut cluster = Cluster::with(3).log(s(1), 9, &[1, 1, 1, 1, 1, 9]).log(s(2), 9, &[1, 1]).start();
    cluster.crash(s(3));
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    while !cluster.leads(s(1)) {
        cluster.deliver(s(1), s(2));
        cluster.deliver(s(2), s(1));
    }
    cluster.deliver(s(1), s(2));
    cluster.duplicate(s(2), s(1));
    cluster.take_events();
    cluster.deliver(s(2), s(1));
    let after_first = marks(&cluster, 1);
    cluster.deliver(s(2), s(1));
    assert_eq!(marks(&cluster, 1), after_first);
    let back = |event: &&Event| matches!(event, Event::Observed(_, Observation::BackedOff { .. }));
    let events = cluster.take_events();
    assert_eq!(events.iter().filter(back).count(), 1);
    assert_eq!(cluster.on_the_way(s(1), s(2)).len(), 1, "and nothing is sent twice for it");
}

// -------------------------------------------------------------------- snapshots

/// S1 leads S1, S2 and S3, which keep nothing before a snapshot.
fn forgetful() -> Cluster {
    Cluster::with(3).config(|config| config.entries_kept = 0).led()
}

#[test]
fn an_append_from_before_a_snapshot_changes_nothing() {
    let mut cluster = forgetful();
    cluster.propose(s(1), "a");
    cluster.propose(s(1), "b");
    let old = cluster.on_the_way(s(1), s(3));
    cluster.run(ms(100));
    cluster.snapshot(s(3));
    cluster.propose(s(1), "c");
    cluster.run(ms(100));
    let log = cluster.raft(s(3)).log().clone();
    assert_eq!(log.first_index(), LogIndex(4), "what the old appends hold is compacted");
    for append in old {
        cluster.arrive(s(1), s(3), append);
        assert_eq!(*cluster.raft(s(3)).log(), log);
    }
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c"]);
}

/// S1 sends S3 the snapshot up to 3@1, and its own log goes on to entry 5.
fn sending_a_snapshot() -> Cluster {
    sending_a_snapshot_in(forgetful())
}

fn sending_a_snapshot_in(mut cluster: Cluster) -> Cluster {
    cluster.lose_sight_of(s(3));
    cluster.propose(s(1), "a");
    cluster.propose(s(1), "b");
    cluster.settle();
    cluster.snapshot(s(1));
    cluster.propose(s(1), "c");
    cluster.propose(s(1), "d");
    cluster.settle();
    cluster.heal();
    // It takes the leader a moment to notice that its append was lost.
    while !cluster.on_the_way(s(1), s(3)).iter().any(|message| matches!(message, Message::InstallSnapshot(_))) {
        cluster.drop_all(s(1), s(3));
        cluster.advance(ms(50));
        cluster.deliver_all(s(1), s(3));
        cluster.deliver_all(s(3), s(1));
        assert!(cluster.now().as_micros() < 3_000_000, "{}", cluster.status());
    }
    cluster.drop_all(s(3), s(1));
    assert!(is_sending_a_snapshot(&cluster));
    cluster
}

fn is_sending_a_snapshot(cluster: &Cluster) -> bool {
    let Role::Leader(role) = cluster.raft(s(1)).role() else { panic!("S1 doesn't lead") };
    matches!(role.progress(s(3)).map(|progress| &progress.state), Some(ProgressState::Snapshot(_)))
}

fn installed(index: u64) -> Message {
    let round = 1;
    let progress = SnapshotProgress::Installed(LogIndex(index));
    Message::InstallSnapshotResponse(InstallSnapshotResponse {
        term: Term(1),
        round,
        last: id(3, 1),
        progress,
        may_vote: true,
    })
}

#[test]
fn a_lost_answer_to_a_snapshot_is_made_up_for() {
    let mut cluster = sending_a_snapshot();
    cluster.deliver_all(s(1), s(3));
    assert!(cluster.drop_all(s(3), s(1)) > 0);
    assert!(is_sending_a_snapshot(&cluster));
    cluster.run(ms(200));
    assert!(!is_sending_a_snapshot(&cluster));
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c", "d"]);
}

#[test]
fn an_answer_beyond_the_snapshot_ends_its_transfer_too() {
    let mut cluster = sending_a_snapshot();
    cluster.arrive(s(3), s(1), installed(4));
    assert!(!is_sending_a_snapshot(&cluster));
    assert_eq!(cluster.matched(s(1), s(3)), 4);
}

#[test]
fn an_answer_short_of_the_snapshot_does_not_end_its_transfer_for_ever() {
    let mut cluster = sending_a_snapshot();
    cluster.arrive(s(3), s(1), installed(2));
    assert!(is_sending_a_snapshot(&cluster), "it lacks what the leader has no more");
    cluster.run(ms(200));
    assert!(!is_sending_a_snapshot(&cluster));
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c", "d"]);
}

#[test]
fn what_a_member_has_of_one_snapshot_counts_for_no_other() {
    let mut cluster = sending_a_snapshot();
    let (round, progress) = (1, SnapshotProgress::Received(2));
    for (last, known) in [(id(2, 1), 0), (id(3, 1), 2)] {
        let answer = InstallSnapshotResponse { term: Term(1), round, last, progress, may_vote: true };
        cluster.arrive(s(3), s(1), Message::InstallSnapshotResponse(answer));
        let Role::Leader(role) = cluster.raft(s(1)).role() else { panic!("S1 doesn't lead") };
        let Some(ProgressState::Snapshot(transfer)) = role.progress(s(3)).map(|progress| &progress.state) else {
            panic!("S1 sends S3 no snapshot")
        };
        assert_eq!(transfer.offset, known, "what S1 sends goes up to 3@1, and S3 has two bytes of one up to {last}");
    }
}

#[test]
fn a_snapshot_replaced_at_the_leader_while_it_is_sent_arrives_all_the_same() {
    let mut cluster = sending_a_snapshot();
    cluster.snapshot(s(1));
    let leader = cluster.raft(s(1));
    assert_eq!(leader.snapshot().map(|snapshot| snapshot.meta.last.index), Some(LogIndex(5)));
    assert_eq!(leader.log().base(), EntryId::new(LogIndex(3), Term(1)), "what follows the one on its way is kept");
    cluster.run(ms(300));
    assert!(!is_sending_a_snapshot(&cluster));
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c", "d"]);
}

/// How many messages two servers exchange, without time passing, until none is in flight.
fn said(cluster: &mut Cluster, one: u8, other: u8) -> usize {
    let mut count = 0;
    while count < 1_000 {
        let more = cluster.deliver_all(s(one), s(other)) + cluster.deliver_all(s(other), s(one));
        if more == 0 {
            break;
        }
        count += more;
    }
    count
}

/// The leader's log begins with an entry of a later term than the follower's last one, and the
/// follower reports "damaged" instead of "conflict".
#[test]
fn a_damaged_follower_that_lacks_what_is_compacted_is_sent_the_snapshot_at_once() {
    let meta = SnapshotMeta {
        last: id(3, 2),
        configuration: Configuration::of_voters(set(&[1, 2, 3])),
        configuration_index: LogIndex::ZERO,
    };
    let snapshot = Snapshot::new(meta, b"a\nb"[..].into());
    let whole = Durable { snapshot: Some(snapshot.into()), entries: vec![command(2, "c")], ..image(2, &[]) };
    let mut damaged = image(2, &[1, 1, 1]);
    damaged.hard_state.lost = id(5, 1);
    let mut cluster = Cluster::new(3);
    cluster.tolerate();
    for (server, durable) in [(1, whole.clone()), (2, whole), (3, damaged)] {
        cluster.crash(s(server));
        cluster.restart_from(s(server), durable);
    }
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    said(&mut cluster, 1, 2);
    assert!(cluster.leads(s(1)));
    let messages = said(&mut cluster, 1, 3);
    assert!(messages < 20, "{messages} messages");
    assert_eq!(cluster.last(s(3)), cluster.last(s(1)));
}

/// A follower's acknowledgement from before its disk lost entries is late: the leader already knows
/// of the loss.
#[test]
fn acknowledgements_from_before_a_loss_count_no_more() {
    let mut cluster = Cluster::settled(3);
    cluster.tolerate();
    cluster.hold(s(3), s(1));
    cluster.propose(s(1), "a");
    cluster.run(ms(10));
    let before = cluster.on_the_way(s(3), s(1));
    cluster.deliver_all(s(3), s(1));
    let mut damaged = image(1, &[1]);
    damaged.hard_state.lost = cluster.last(s(3));
    cluster.crash(s(3));
    cluster.restart_from(s(3), damaged);
    let matched = |cluster: &Cluster| match cluster.raft(s(1)).role() {
        Role::Leader(leader) => leader.progress(s(3)).map(|progress| progress.matched),
        _ => None,
    };
    cluster.run(ms(60));
    let said = cluster.on_the_way(s(3), s(1));
    let loss = |message: &Message| matches!(message, Message::AppendEntriesResponse(m) if matches!(m.outcome, AppendOutcome::Damaged { .. }));
    let report = said.iter().position(loss).expect("it tells of its loss");
    cluster.hold(s(1), s(3));
    cluster.deliver_nth(s(3), s(1), report);
    assert!(matched(&cluster) < Some(LogIndex(2)));
    for message in before {
        cluster.arrive(s(3), s(1), message);
    }
    assert!(
        matched(&cluster) < Some(LogIndex(2)),
        "S3 has lost entry 2, and S1 takes it to have {:?}",
        matched(&cluster)
    );
    // What the leader sends now counts.
    cluster.let_go(s(1), s(3));
    cluster.let_go(s(3), s(1));
    cluster.run(ms(200));
    assert_eq!(matched(&cluster), Some(cluster.last(s(1)).index));
}

/// S3 needs a snapshot, and with each round trip the leader's log grows by sixteen entries.
fn catches_up_while_writes_go_on(config: impl Fn(&mut Config) + 'static) {
    let mut cluster = Cluster::with(3).config(config).settled();
    cluster.lose_sight_of(s(3));
    let mut number = 0;
    let mut write = |cluster: &mut Cluster| {
        number += 1;
        cluster.propose(s(1), &format!("w{number:06}"));
        cluster.settle();
    };
    (0..400).for_each(|_| write(&mut cluster));
    cluster.heal();
    cluster.hold(s(1), s(3));
    cluster.hold(s(3), s(1));
    for round in 0.. {
        assert!(round < 200, "{}", cluster.status());
        (0..16).for_each(|_| write(&mut cluster));
        cluster.deliver_all(s(1), s(3));
        cluster.deliver_all(s(3), s(1));
        cluster.advance(ms(10));
        if cluster.commit(s(1)) - cluster.commit(s(3)) <= 40 {
            break;
        }
    }
}

/// Each round trip brings enough entries to trigger a snapshot.
#[test]
fn a_follower_catches_up_by_snapshot_while_writes_go_on() {
    catches_up_while_writes_go_on(|config| {
        (config.snapshot_after_entries, config.entries_kept) = (16, 4);
        config.snapshot_piece_max = 64;
    });
}

/// While the pieces of one snapshot are in flight, the log grows by several times what triggers the
/// next snapshot.
#[test]
fn a_follower_catches_up_where_snapshots_are_larger_than_what_they_are_taken_after() {
    catches_up_while_writes_go_on(|config| {
        (config.snapshot_after_entries, config.snapshot_after_bytes) = (0, 300);
        (config.entries_kept, config.snapshot_piece_max) = (4, 64);
    });
}

/// The entries that a member needs after its snapshot count as needed, even if they would be kept
/// anyway as part of the last entries.
#[test]
fn what_follows_a_snapshot_that_is_being_sent_is_kept() {
    let mut cluster = Cluster::with(3)
        .config(|config| {
            (config.snapshot_after_entries, config.snapshot_after_bytes) = (0, 280);
            (config.entries_kept, config.snapshot_piece_max) = (256, 64);
        })
        .led();
    cluster.lose_sight_of(s(3));
    let write = |cluster: &mut Cluster| {
        cluster.propose(s(1), "seven b");
        cluster.settle();
    };
    (0..400).for_each(|_| write(&mut cluster));
    cluster.heal();
    let begun = |event: &Event| match event {
        Event::Sent(_, to, Message::InstallSnapshot(m)) if *to == s(3) => Some(m.meta.last.index),
        _ => None,
    };
    cluster.take_events();
    cluster.hold(s(3), s(1));
    let sent = loop {
        cluster.advance(ms(10));
        cluster.deliver_all(s(1), s(3));
        let sent = cluster.take_events().iter().find_map(begun);
        if let Some(sent) = sent {
            break sent;
        }
        cluster.deliver_all(s(3), s(1));
    };
    // The next snapshot is taken while that one is in flight.
    while cluster.raft(s(1)).snapshot().is_some_and(|snapshot| snapshot.meta.last.index == sent) {
        write(&mut cluster);
    }
    let first = cluster.raft(s(1)).log().first_index();
    assert!(first <= sent.next(), "S3 has a snapshot up to {sent} soon, and S1 nothing before {first}");
}

/// S3 needs a snapshot, which S1 sends in pieces of eight bytes.
fn behind_by_a_snapshot_of_many_pieces() -> Cluster {
    let mut cluster = Cluster::with(3).config(|config| (config.entries_kept, config.snapshot_piece_max) = (0, 8)).led();
    cluster.lose_sight_of(s(3));
    for number in 0..100 {
        cluster.propose(s(1), &format!("w{number:06}"));
    }
    cluster.settle();
    cluster.snapshot(s(1));
    cluster.heal();
    cluster
}

#[test]
fn pieces_of_a_snapshot_do_not_multiply_where_everything_arrives_twice() {
    let mut cluster = behind_by_a_snapshot_of_many_pieces();
    cluster.take_events();
    let mut most = 0;
    for _ in 0..2_000 {
        for (from, to) in [(s(1), s(3)), (s(3), s(1))] {
            most = most.max(cluster.on_the_way(from, to).len());
            if !cluster.on_the_way(from, to).is_empty() {
                cluster.duplicate(from, to);
                cluster.deliver(from, to);
                cluster.reverse(from, to);
                cluster.deliver_all(from, to);
            }
        }
        cluster.deliver_all(s(1), s(2));
        cluster.deliver_all(s(2), s(1));
        cluster.advance(ms(1));
        if cluster.applied(s(3)).len() == 100 {
            break;
        }
    }
    assert_eq!(cluster.applied(s(3)).len(), 100, "{}", cluster.status());
    let is_piece =
        |event: &&Event| matches!(event, Event::Sent(_, _, Message::InstallSnapshot(m)) if !m.piece.bytes().is_empty());
    let pieces = cluster.take_events().iter().filter(is_piece).count();
    assert!((100..=130).contains(&pieces) && most < 150, "{pieces} pieces sent, {most} on their way at once");
}

#[test]
fn large_entries_ask_for_a_snapshot_no_more_often_than_they_fill_its_bound() {
    let mut cluster = Cluster::with(1)
        .config(|config| {
            (config.snapshot_after_entries, config.snapshot_after_bytes) = (0, 16 << 10);
            config.entries_kept = 256;
        })
        .led();
    let large = "y".repeat(1 << 10);
    let mut wanted = 0;
    for _ in 0..320 {
        cluster.propose(s(1), &large);
        cluster.settle();
        wanted += cluster.take_events().iter().filter(|event| matches!(event, Event::SnapshotWanted(_))).count();
    }
    assert!((15..=22).contains(&wanted), "320 KiB were written, and {wanted} snapshots of 16 KiB each asked for");
    assert!(cluster.raft(s(1)).log().bytes() < 32 << 10);
}

#[test]
fn a_snapshot_that_nobody_takes_is_refused_where_it_is_handed_in() {
    let mut cluster = Cluster::led(1);
    cluster.propose(s(1), "a");
    cluster.settle();
    let mut raft = cluster.raft(s(1)).clone();
    let mut out = Output::default();
    let too_large = Input::SnapshotTaken { index: raft.applied_index(), data: vec![0; (1 << 30) + 1].into() };
    raft.step(cluster.now(), too_large, &mut out);
    assert_eq!(out.snapshot_refused, Some(Refusal::SnapshotTooLarge { size: (1 << 30) + 1, limit: 1 << 30 }));
    assert_eq!(raft.log().first_index(), LogIndex(1), "the log is still needed");
    raft.step(cluster.now(), Input::SnapshotTaken { index: LogIndex(99), data: b""[..].into() }, &mut out);
    assert_eq!((out.snapshot_refused, out.refused.is_empty()), (Some(Refusal::SnapshotUseless), true));
}

/// The snapshot has three bytes, and comes in pieces of two. A member's limit is set lower than the
/// largest snapshot, so that the sizes around it can be tried.
#[test]
fn a_snapshot_as_large_as_the_limit_is_streamed_and_one_byte_more_is_not() {
    for (limit, is_taken) in [(4, true), (3, true), (2, false)] {
        let mut cluster =
            Cluster::with(3).config(|config| (config.entries_kept, config.snapshot_piece_max) = (0, 2)).led();
        cluster.crash(s(3));
        cluster.configure(s(3), |config| config.snapshot_size_max = limit);
        cluster.propose(s(1), "a");
        cluster.propose(s(1), "b");
        cluster.run(ms(1_000));
        cluster.snapshot(s(1));
        assert_eq!(cluster.raft(s(1)).snapshot().unwrap().data().len(), 3);
        cluster.take_events();
        cluster.restart(s(3));
        cluster.run(ms(1_000));
        let held = cluster.raft(s(3)).snapshot().map(|snapshot| snapshot.data().len());
        assert_eq!(held, is_taken.then_some(3), "where {limit} bytes are the limit");
        assert_eq!(cluster.applied(s(3)).len(), if is_taken { 2 } else { 0 });
        let what = "a snapshot larger than any that is taken";
        let refusal = Event::Observed(s(3), Observation::ImpossibleMessage { from: s(1), what });
        assert_eq!(cluster.take_events().contains(&refusal), !is_taken, "where {limit} bytes are the limit");
    }
    // Where it is handed in, the refusal says the size and the limit.
    let mut cluster = Cluster::with(1).config(|config| config.snapshot_size_max = 2).led();
    cluster.propose(s(1), "a");
    cluster.settle();
    let hand_in = |size| {
        let mut raft = cluster.raft(s(1)).clone();
        let mut out = Output::default();
        let index = raft.applied_index();
        raft.step(cluster.now(), Input::SnapshotTaken { index, data: vec![0; size].into() }, &mut out);
        out.snapshot_refused.map(|refusal| refusal.to_string())
    };
    assert_eq!((hand_in(1), hand_in(2)), (None, None));
    assert_eq!(hand_in(3).unwrap(), "the snapshot has 3 bytes, and no member takes more than 2");
    // No parameter lifts the limit above what memory is kept for.
    let limitless = Cluster::with(3).config(|config| (config.entries_kept, config.snapshot_size_max) = (0, u64::MAX));
    let cluster = sending_a_snapshot_in(limitless.led());
    let on_the_way = cluster.on_the_way(s(1), s(3));
    let sent = on_the_way.iter().find_map(|message| match message {
        Message::InstallSnapshot(message) => Some(message),
        _ => None,
    });
    let sized = |size| Box::new(InstallSnapshot { size, ..(**sent.unwrap()).clone() });
    for (size, is_refused) in [(SNAPSHOT_SIZE_MAX, false), (SNAPSHOT_SIZE_MAX + 1, true)] {
        let mut raft = cluster.raft(s(3)).clone();
        let mut out = Output { listen: true, ..Output::default() };
        raft.receive(cluster.now(), s(1), &Message::InstallSnapshot(sized(size)), &mut out);
        let refused = out.observations.iter().any(|seen| matches!(seen, Observation::ImpossibleMessage { .. }));
        assert_eq!(refused, is_refused, "{size} bytes");
    }
}

/// A silent member may be down: it is probed without entries.
#[test]
fn a_silent_member_is_not_sent_the_log_again_and_again() {
    let mut cluster = Cluster::settled(3);
    cluster.lose_sight_of(s(3));
    for _ in 0..20 {
        cluster.propose(s(1), &"z".repeat(1_000));
    }
    cluster.settle();
    cluster.transfer(s(1), s(2));
    cluster.run(ms(100));
    assert!(cluster.leads(s(2)));
    cluster.heal();
    // S3 answers once, and then is gone.
    cluster.run_until(ms(500), "S2 knows S3", |cluster| cluster.raft(s(3)).leader() == Some(s(2)));
    cluster.isolate(s(3));
    cluster.propose(s(2), &"z".repeat(1_000));
    cluster.run(ms(100));
    cluster.take_events();
    cluster.run(ms(2_000));
    let bytes = |event: &Event| match event {
        Event::Lost(_, to, Message::AppendEntries(m)) if *to == s(3) => m.entries.size(),
        _ => 0,
    };
    let sent: u64 = cluster.take_events().iter().map(bytes).sum();
    assert!(sent < 3_000, "{sent} bytes to a member that is gone");
}

#[test]
fn commands_that_come_together_count_as_waiting_to_be_committed() {
    let mut cluster = Cluster::with(3).config(|config| config.uncommitted_bytes_max = 1).led();
    let together = cluster.propose_batch(s(1), &["a", "b"]);
    assert!(matches!(cluster.answer(together[0]), Some(Answer::Accepted(_))), "one goes while nothing else waits");
    assert!(matches!(cluster.refusal(together[1]), Refusal::TooMuchUncommitted { limit: 1, .. }));
    let later = cluster.propose(s(1), "c");
    assert!(matches!(cluster.refusal(later), Refusal::TooMuchUncommitted { limit: 1, .. }));
    cluster.settle();
    let last = cluster.propose(s(1), "d");
    assert!(matches!(cluster.answer(last), Some(Answer::Accepted(_))));
}

#[test]
fn a_snapshot_of_many_pieces_takes_few_round_trips() {
    let mut cluster = behind_by_a_snapshot_of_many_pieces();
    let mut round_trips = 0;
    while cluster.applied(s(3)).is_empty() {
        cluster.advance(ms(10));
        for (from, to) in [(1, 2), (2, 1), (1, 3), (3, 1)] {
            cluster.deliver_all(s(from), s(to));
        }
        round_trips += 1;
        assert!(round_trips < 30, "{}", cluster.status());
    }
}
