//! §7, log compaction.

use raft_core::raft::{
    AppendEntries, Entries, EntryId, InstallSnapshot, LogIndex, Message, Payload, Piece, ProgressState, Role, Snapshot,
    SnapshotMeta, SnapshotProgress, Term,
};

use crate::support::{Cluster, Event, Setup, id, ms, s, set};

/// Servers that keep nothing before a snapshot.
fn forgetful(count: u8) -> Setup {
    Cluster::with(count).config(|config| config.entries_kept = 0)
}

/// S1 has compacted "a" and "b" away while S3 was cut off.
fn far_behind(setup: Setup) -> Cluster {
    let mut cluster = setup.led();
    cluster.lose_sight_of(s(3));
    cluster.propose(s(1), "a");
    cluster.propose(s(1), "b");
    cluster.settle();
    cluster.snapshot(s(1));
    assert_eq!(cluster.raft(s(1)).log().base(), id(3, 1));
    cluster
}

#[test]
fn s7_a_snapshot_replaces_the_log_up_to_the_last_entry_applied() {
    let mut cluster = forgetful(3).led();
    cluster.propose(s(1), "a");
    cluster.settle();
    cluster.snapshot(s(1));
    let raft = cluster.raft(s(1));
    assert_eq!((raft.log().base(), raft.log().len(), raft.log().last()), (id(2, 1), 0, id(2, 1)));
    let snapshot = raft.snapshot().expect("it has one");
    assert_eq!((snapshot.meta.last, &snapshot.data()[..]), (id(2, 1), &b"a"[..]));
    // A restart begins from it.
    cluster.crash(s(1));
    cluster.restart(s(1));
    assert_eq!((cluster.commit(s(1)), cluster.applied(s(1))), (2, &["a".to_owned()][..]));
}

#[test]
fn s7_each_server_takes_its_own_when_its_log_has_grown() {
    let mut cluster = forgetful(3).config(|config| config.snapshot_after_entries = 10).led();
    for n in 0..25 {
        cluster.propose(s(1), &n.to_string());
        cluster.settle();
    }
    cluster.run(ms(100));
    for server in cluster.servers() {
        assert!(cluster.raft(server).log().len() < 10, "{server}");
        assert_eq!(cluster.applied(server).len(), 25);
    }
    let mut large =
        forgetful(3).config(|config| (config.snapshot_after_entries, config.snapshot_after_bytes) = (0, 500)).start();
    large.elect(s(1));
    for _ in 0..20 {
        large.propose(s(1), &"x".repeat(100));
        large.settle();
    }
    assert!(large.raft(s(1)).log().bytes() <= 700, "{} bytes", large.raft(s(1)).log().bytes());
}

#[test]
fn s7_a_follower_too_far_behind_is_sent_the_snapshot_and_then_the_log() {
    let mut cluster = far_behind(forgetful(3));
    cluster.propose(s(1), "c");
    cluster.settle();
    cluster.heal();
    cluster.take_events();
    cluster.run(ms(200));
    assert!(cluster.take_events().contains(&Event::Restored(s(3), id(3, 1))));
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c"]);
    assert_eq!(cluster.raft(s(3)).log().base(), id(3, 1));
    assert_eq!(cluster.last(s(3)), cluster.last(s(1)));
}

#[test]
fn s7_a_follower_slightly_behind_is_served_from_the_log() {
    let mut cluster = Cluster::led(3);
    cluster.isolate(s(3));
    cluster.propose(s(1), "a");
    cluster.settle();
    cluster.snapshot(s(1));
    cluster.heal();
    cluster.take_events();
    cluster.run(ms(200));
    assert_eq!(cluster.applied(s(3)), ["a"]);
    let restored = |event: &Event| matches!(event, Event::Restored(..));
    assert!(!cluster.take_events().iter().any(restored));
}

#[test]
fn s7_pieces_lost_doubled_and_reordered_make_the_same_snapshot() {
    let mut cluster = far_behind(forgetful(3).config(|config| config.snapshot_piece_max = 1));
    for round in 0..3 {
        cluster.propose(s(1), &format!("a longer command {round}"));
    }
    cluster.settle();
    cluster.snapshot(s(1));
    cluster.heal();
    let mut arrived = 0;
    for turn in 0.. {
        cluster.advance(ms(10));
        cluster.deliver_all(s(1), s(2));
        cluster.deliver_all(s(2), s(1));
        if turn % 3 == 0 && !cluster.on_the_way(s(1), s(3)).is_empty() {
            cluster.duplicate(s(1), s(3));
            cluster.reverse(s(1), s(3));
        }
        if turn % 7 == 0 {
            cluster.drop_all(s(1), s(3));
        }
        arrived += cluster.deliver_all(s(1), s(3));
        if turn % 11 == 0 {
            cluster.drop_all(s(3), s(1));
        }
        cluster.deliver_all(s(3), s(1));
        if cluster.applied(s(3)).len() == 5 {
            break;
        }
        assert!(turn < 5_000, "{}", cluster.status());
    }
    assert!(arrived > 50, "it came in many pieces");
    assert_eq!(cluster.applied(s(3)), cluster.applied(s(1)));
}

#[test]
fn s7_a_change_of_leader_midway_starts_over() {
    let mut cluster = far_behind(forgetful(3).config(|config| config.snapshot_piece_max = 1));
    cluster.snapshot(s(2));
    cluster.heal();
    // The first leader sends a piece or two.
    let received = |cluster: &Cluster| {
        cluster.on_the_way(s(3), s(1)).iter().any(|message| {
            matches!(message, Message::InstallSnapshotResponse(m) if m.progress == SnapshotProgress::Received(1))
        })
    };
    while !received(&cluster) {
        cluster.advance(ms(10));
        cluster.deliver_all(s(1), s(3));
        if !received(&cluster) {
            cluster.deliver_all(s(3), s(1));
        }
        cluster.deliver_all(s(1), s(2));
        cluster.deliver_all(s(2), s(1));
    }
    cluster.crash(s(1));
    cluster.drop_everything();
    cluster.elect(s(2));
    cluster.run(ms(1_000));
    assert_eq!(cluster.applied(s(3)), ["a", "b"]);
}

/// A snapshot up to `last` of S1 in `term`, in one piece.
fn whole(term: u64, last: EntryId, data: &str) -> Message {
    let configuration = raft_core::raft::Configuration::of_voters(set(&[1, 2, 3]));
    let meta = SnapshotMeta { last, configuration, configuration_index: LogIndex::ZERO };
    let snapshot = Snapshot::new(meta, data.as_bytes().into());
    Message::InstallSnapshot(Box::new(InstallSnapshot {
        term: Term(term),
        round: 1,
        meta: snapshot.meta.clone(),
        size: snapshot.data().len() as u64,
        checksum: snapshot.checksum(),
        offset: 0,
        piece: Piece::of(snapshot.data(), 0, u64::MAX),
    }))
}

#[test]
fn s7_what_follows_the_snapshot_stays_if_the_log_has_its_last_entry() {
    let mut cluster = forgetful(3).log(s(2), 2, &[1, 1, 2, 2]).start();
    cluster.tolerate(); // The harness has seen none of these entries applied.
    cluster.arrive(s(1), s(2), whole(2, id(3, 2), "1@1\n2@1\n3@2"));
    assert_eq!(cluster.terms(s(2)), [2], "4@2 stays");
    assert_eq!((cluster.raft(s(2)).log().base(), cluster.commit(s(2))), (id(3, 2), 3));
    assert_eq!(cluster.disk(s(2)).image().log().last(), id(4, 2));
}

#[test]
fn s7_the_whole_log_goes_if_it_lacks_the_snapshots_last_entry() {
    for log in [&[1, 1, 1, 1][..], &[1]] {
        let mut cluster = forgetful(3).log(s(2), 2, log).start();
        cluster.tolerate(); // The harness has seen none of these entries applied.
        cluster.arrive(s(1), s(2), whole(2, id(3, 2), "x\ny\nz"));
        assert_eq!(cluster.terms(s(2)), [] as [u64; 0], "{log:?}");
        assert_eq!((cluster.last(s(2)), cluster.commit(s(2))), (id(3, 2), 3));
        assert_eq!(cluster.applied(s(2)), ["x", "y", "z"]);
    }
}

#[test]
fn s7_a_snapshot_carries_the_membership_of_its_last_entry() {
    let mut cluster = forgetful(3).led();
    cluster.join(s(4));
    cluster.lose_sight_of(s(3));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.run(ms(100));
    cluster.snapshot(s(1));
    cluster.heal();
    cluster.run(ms(300));
    assert_eq!(cluster.raft(s(3)).configuration().learners, set(&[4]));
    assert!(
        !cluster.raft(s(3)).log().iter_from(LogIndex(1)).any(|entry| matches!(entry.payload, Payload::Membership(_)))
    );
    cluster.crash(s(3));
    cluster.restart(s(3));
    assert_eq!(cluster.raft(s(3)).configuration().learners, set(&[4]), "and it is there after a restart");
}

#[test]
fn s7_a_snapshot_that_makes_no_sense_changes_nothing() {
    let good = |change: fn(&mut InstallSnapshot)| {
        let Message::InstallSnapshot(mut message) = whole(2, id(3, 2), "x\ny\nz") else { panic!("a snapshot") };
        change(&mut message);
        Message::InstallSnapshot(message)
    };
    let nonsense = [
        good(|m| m.checksum += 1),
        good(|m| m.size = u64::MAX),
        good(|m| m.size -= 1),
        good(|m| m.offset = u64::MAX),
        good(|m| m.offset = 3),
        good(|m| m.meta.last = id(3, 9)),
    ];
    for message in nonsense {
        let mut cluster = forgetful(3).log(s(2), 2, &[1]).start();
        cluster.arrive(s(1), s(2), message.clone());
        assert_eq!((cluster.terms(s(2)), cluster.commit(s(2))), (vec![1], 0), "{message:?}");
        assert_eq!(cluster.raft(s(2)).snapshot(), None);
    }
}

#[test]
fn s7_a_snapshot_of_what_is_not_applied_or_already_there_is_refused() {
    let mut cluster = forgetful(3).led();
    cluster.propose(s(1), "a");
    cluster.settle();
    cluster.snapshot(s(1));
    let before = cluster.raft(s(1)).snapshot().cloned();
    for index in [0, 1, 2, 3, 99] {
        let taken = raft_core::raft::Input::SnapshotTaken { index: LogIndex(index), data: b"nonsense"[..].into() };
        cluster.step(s(1), taken);
        assert_eq!(cluster.raft(s(1)).snapshot().cloned(), before, "at {index}");
    }
}

#[test]
fn s7_a_snapshot_of_what_is_committed_already_vouches_for_nothing_beyond() {
    let mut cluster = forgetful(3).log(s(2), 2, &[1, 1, 1, 1, 1]).start();
    cluster.tolerate(); // The harness has seen none of these entries applied elsewhere.
    let heartbeat = AppendEntries {
        term: Term(2),
        previous: id(3, 1),
        entries: Entries::None,
        commit: LogIndex(3),
        round: 1,
        probe: 0,
    };
    cluster.arrive(s(1), s(2), Message::AppendEntries(heartbeat));
    assert_eq!((cluster.commit(s(2)), cluster.last(s(2)).index.0), (3, 5));
    cluster.arrive(s(1), s(2), whole(2, id(2, 1), "1@1\n2@1"));
    let answer = cluster.on_the_way(s(2), s(1)).pop();
    let Some(Message::InstallSnapshotResponse(answer)) = answer else { panic!("S2 answered {answer:?}") };
    assert_eq!(answer.progress, SnapshotProgress::Installed(LogIndex(3)), "4@1 and 5@1 may be an older leader's");
}

/// The bytes `from..to` of a snapshot that [`whole`] sends at once.
fn piece(last: EntryId, data: &str, from: u64, to: u64) -> Message {
    let Message::InstallSnapshot(mut message) = whole(2, last, data) else { panic!("a snapshot") };
    (message.offset, message.piece) = (from, Piece::of(&data.as_bytes().into(), from, to));
    Message::InstallSnapshot(message)
}

#[test]
fn s7_a_late_piece_of_an_older_snapshot_takes_nothing_from_a_newer_one() {
    let mut cluster = forgetful(3).log(s(2), 2, &[1]).start();
    cluster.tolerate(); // The harness has seen none of these entries applied.
    cluster.arrive(s(1), s(2), piece(id(3, 2), "x\ny\nz", 0, 2));
    cluster.arrive(s(1), s(2), piece(id(2, 2), "x\ny", 0, 1));
    cluster.arrive(s(1), s(2), piece(id(3, 2), "x\ny\nz", 2, 5));
    assert_eq!(cluster.applied(s(2)), ["x", "y", "z"]);
}

/// How many bytes of a snapshot S3 has, as far as S1 knows.
fn confirmed(cluster: &Cluster) -> u64 {
    let Role::Leader(leader) = cluster.raft(s(1)).role() else { panic!("S1 doesn't lead") };
    match leader.progress(s(3)).map(|progress| &progress.state) {
        Some(ProgressState::Snapshot(transfer)) => transfer.offset,
        _ => 0,
    }
}

#[test]
fn s7_a_member_that_restarts_midway_is_sent_the_snapshot_from_its_beginning() {
    let mut cluster = far_behind(forgetful(3).config(|config| config.snapshot_piece_max = 1));
    cluster.heal();
    while confirmed(&cluster) == 0 {
        cluster.advance(ms(10));
        for (from, to) in [(1, 2), (2, 1), (1, 3), (3, 1)] {
            cluster.deliver_all(s(from), s(to));
        }
    }
    cluster.crash(s(3));
    cluster.drop_everything();
    cluster.restart(s(3));
    cluster.run(ms(1_000));
    assert_eq!(cluster.applied(s(3)), ["a", "b"]);
}

#[test]
fn s7_a_server_that_installs_a_snapshot_instead_of_its_own_asks_for_one_again() {
    let mut cluster = forgetful(3).config(|config| config.snapshot_after_entries = 3).start();
    cluster.snapshots_by_hand = true;
    let work = |cluster: &mut Cluster| {
        for command in ["a", "b", "c"] {
            cluster.propose(s(1), command);
        }
        cluster.run(ms(100));
    };
    let wanted = |cluster: &mut Cluster| cluster.take_events().contains(&Event::SnapshotWanted(s(3)));
    cluster.elect(s(1));
    work(&mut cluster);
    assert!(wanted(&mut cluster));
    cluster.lose_sight_of(s(3));
    work(&mut cluster);
    cluster.snapshot(s(1));
    cluster.heal();
    cluster.run(ms(300));
    assert!(cluster.take_events().iter().any(|event| matches!(event, Event::Restored(server, _) if *server == s(3))));
    work(&mut cluster);
    assert!(wanted(&mut cluster));
}
