//! Disks that are lost when something was wrong with them already, or not for the first time; and
//! what counts of their servers meanwhile.

use raft_core::raft::{AppendOutcome, Config, LogIndex, Message, Payload, ServerId, SnapshotProgress, Standing};

use crate::returning::{give_vote_back, replace_disk, standing};
use crate::support::{Answer, Cluster, ms, s, set};

/// Messages between the two, one way and then the other, so many times.
fn exchange(cluster: &mut Cluster, one: ServerId, other: ServerId, times: usize) {
    for _ in 0..times {
        cluster.deliver_all(one, other);
        cluster.deliver_all(other, one);
    }
}

/// S1 leads. S3's disk, once damaged, matches again and says so, which comes late; it elects S2,
/// with which it commits "new"; then it is lost, and the next disk answers S1, which is cut off
/// from S2. What came late.
fn a_late_match_of_a_damaged_disk(cluster: &mut Cluster) -> Message {
    cluster.elect(s(1));
    cluster.run(ms(200));
    cluster.hold(s(1), s(3));
    cluster.hold(s(3), s(1));
    cluster.restart_damaged(s(3), 0);
    cluster.cut_both(s(1), s(2));
    for _ in 0..100 {
        if cluster.on_the_way(s(1), s(3)).is_empty() {
            cluster.advance(ms(1));
        }
    }
    exchange(cluster, s(1), s(3), 1);
    cluster.deliver_all(s(1), s(3));
    let late = cluster.take(s(3), s(1), 0);
    assert!(matches!(&late, Message::AppendEntriesResponse(m) if matches!(m.outcome, AppendOutcome::Matched(_))));
    cluster.sleep(ms(151));
    cluster.campaign(s(2));
    exchange(cluster, s(2), s(3), 10);
    cluster.propose(s(2), "new");
    exchange(cluster, s(2), s(3), 10);
    assert_eq!(cluster.applied(s(2)), ["new"]);
    cluster.crash(s(3));
    cluster.cut_both(s(2), s(3));
    cluster.restart_wiped(s(3));
    cluster.fire_timer(s(1));
    exchange(cluster, s(1), s(3), 4);
    assert!(cluster.leads(s(1)), "{}", cluster.status());
    late
}

#[test]
fn a_late_match_of_a_damaged_disk_confirms_no_read_with_the_next_one() {
    let mut cluster = Cluster::new(3);
    let late = a_late_match_of_a_damaged_disk(&mut cluster);
    let read = cluster.read(s(1));
    exchange(&mut cluster, s(1), s(3), 1);
    cluster.arrive(s(3), s(1), late);
    let leased = cluster.lease_read(s(1));
    for read in [read, leased] {
        assert!(!matches!(cluster.answer(read), Some(Answer::Read(_))), "S2 has committed something else");
    }
}

#[test]
fn a_late_match_of_a_damaged_disk_commits_nothing_with_the_next_one() {
    let mut cluster = Cluster::new(3);
    let late = a_late_match_of_a_damaged_disk(&mut cluster);
    cluster.propose(s(1), "old");
    exchange(&mut cluster, s(1), s(3), 1);
    cluster.arrive(s(3), s(1), late);
    cluster.propose(s(1), "older");
    assert_eq!(cluster.applied(s(1)), [""; 0]);
}

/// S3's first new disk is admitted in the log that S1 has after its snapshot, and so is its second
/// one.
#[test]
fn a_second_new_disk_is_not_barred_by_the_admission_of_the_first() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(200));
    replace_disk(&mut cluster, s(1), s(3));
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    cluster.run(ms(200));
    cluster.snapshot(s(1));
    give_vote_back(&mut cluster, s(1), s(3));
    for server in 1..=3 {
        cluster.crash(s(server));
    }
    cluster.drop_everything();
    cluster.restart(s(1));
    cluster.restart(s(3));
    cluster.sleep(ms(151));
    cluster.campaign(s(1));
    cluster.settle();
    cluster.propose(s(1), "x");
    cluster.run(ms(500));
    assert_eq!((cluster.applied(s(1)), standing(&cluster, 3)), (&["x".to_owned()][..], Standing::Member));
}

/// It has lost even the first disk's admission, and hears of that one before its own.
#[test]
fn a_second_new_disk_that_was_damaged_is_not_barred_by_the_admission_of_the_first() {
    let mut cluster = Cluster::with(3).config(|config| config.append_entries_max = 1).led();
    cluster.run(ms(200));
    replace_disk(&mut cluster, s(1), s(3));
    replace_disk(&mut cluster, s(1), s(3));
    let admits = |(_, payload): &(u64, Payload)| matches!(payload, Payload::Admission { .. });
    let payloads = cluster.raft(s(3)).log().iter_from(LogIndex(1)).map(|entry| entry.payload.clone());
    let (first, _) = (1..).zip(payloads).find(admits).expect("it was admitted");
    cluster.restart_damaged(s(3), first as usize - 1);
    cluster.crash(s(1));
    cluster.drop_everything();
    cluster.sleep(ms(400));
    cluster.campaign(s(2));
    cluster.hold(s(2), s(3));
    for _ in 0..2_000 {
        match cluster.on_the_way(s(2), s(3)).is_empty() {
            true => cluster.advance(ms(1)),
            false => _ = cluster.deliver(s(2), s(3)),
        }
        cluster.deliver_all(s(3), s(2));
        assert_eq!(standing(&cluster, 3), Standing::Member);
    }
    cluster.let_go(s(2), s(3));
    cluster.propose(s(2), "x");
    cluster.run(ms(500));
    assert_eq!(cluster.applied(s(2)), ["x"]);
}

/// S1 reaches S2, and S3, whose disk is new; all others reach each other.
#[test]
fn a_leader_that_has_its_quorum_only_by_a_lost_disk_gives_way() {
    let mut cluster = Cluster::led(5);
    cluster.run(ms(200));
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    cluster.run(ms(200));
    cluster.cut_both(s(1), s(4));
    cluster.cut_both(s(1), s(5));
    cluster.run(ms(3_000));
    let leader = cluster.leader().expect("S2, S4 and S5 reach each other");
    cluster.propose(leader, "x");
    cluster.run(ms(500));
    assert_eq!(cluster.applied(leader), ["x"], "{}", cluster.status());
}

fn in_pieces(config: &mut Config) {
    config.snapshot_piece_max = 8;
    config.entries_kept = 0;
}

/// `leader` leads, and S3 has nothing of what is in the snapshot that S1 takes; then S2 is down.
fn one_with_a_snapshot_and_one_without(leader: ServerId, config: impl Fn(&mut Config) + 'static) -> Cluster {
    let mut cluster = Cluster::with(3).config(config).start();
    cluster.elect(leader);
    cluster.run(ms(200));
    cluster.lose_sight_of(s(3));
    for number in 0..40 {
        cluster.propose(leader, &format!("x={number}"));
        cluster.settle();
    }
    cluster.run(ms(100));
    cluster.snapshot(s(1));
    cluster.crash(s(2));
    cluster.drop_everything();
    cluster.heal();
    cluster
}

/// The answer to the last piece overtakes the one before.
#[test]
fn answers_to_pieces_that_overtake_each_other_hold_up_no_commit() {
    let mut cluster = one_with_a_snapshot_and_one_without(s(2), in_pieces);
    cluster.sleep(ms(400));
    cluster.campaign(s(1));
    cluster.hold(s(3), s(1));
    let says = |message: &Message, installed: bool| match message {
        Message::InstallSnapshotResponse(m) => matches!(m.progress, SnapshotProgress::Installed(_)) == installed,
        _ => false,
    };
    let mut overtaken = false;
    for _ in 0..20_000 {
        cluster.settle();
        let waiting = cluster.on_the_way(s(3), s(1));
        let installed = waiting.iter().position(|message| says(message, true));
        match (waiting.first(), installed) {
            (None, _) => cluster.advance(ms(1)),
            (Some(first), Some(place)) if place > 0 && says(first, false) => {
                cluster.deliver_nth(s(3), s(1), place);
                cluster.deliver(s(3), s(1));
                overtaken = true;
                break;
            }
            _ => _ = cluster.deliver(s(3), s(1)),
        }
    }
    assert!(overtaken);
    cluster.heal();
    cluster.run(ms(1_000));
    let read = cluster.read(s(1));
    cluster.run(ms(500));
    assert!(matches!(cluster.answer(read), Some(Answer::Read(_))), "{}", cluster.status());
}

/// The snapshot takes seconds: it has hundreds of pieces, one a round trip of 40 ms.
#[test]
fn reads_go_on_while_the_only_other_voter_is_sent_a_snapshot() {
    let slow = |config: &mut Config| {
        (config.snapshot_piece_max, config.window_bytes_max, config.window_appends_max) = (1, 1, 1);
        config.entries_kept = 0;
    };
    let mut cluster = one_with_a_snapshot_and_one_without(s(1), slow);
    cluster.hold(s(1), s(3));
    cluster.hold(s(3), s(1));
    let mut reads = Vec::new();
    for round in 0..200 {
        if round % 10 == 0 {
            reads.push(cluster.read(s(1)));
        }
        cluster.deliver_all(s(1), s(3));
        cluster.advance(ms(20));
        cluster.deliver_all(s(3), s(1));
        cluster.advance(ms(20));
    }
    let refused = reads.iter().filter(|read| matches!(cluster.answer(**read), Some(Answer::Refused(_)))).count();
    assert_eq!(refused, 0, "{}", cluster.status());
}

/// S3 crashes again before its new disk holds anything: nothing there says that it may have voted.
#[test]
fn who_joined_and_crashed_before_anything_was_written_joins_again() {
    let mut cluster = Cluster::led(3);
    cluster.isolate(s(2));
    cluster.propose(s(1), "a");
    cluster.settle();
    assert_eq!(cluster.applied(s(1)), ["a"], "S1 and S3 have it");
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    cluster.crash(s(3));
    cluster.restart(s(3));
    cluster.partition(&[&[1], &[2, 3]]);
    cluster.run(ms(2_000));
    assert_eq!(cluster.leader(), None, "S3 may not vote: {}", cluster.status());
}

/// S3's new disk was admitted and S3 is a voter again, when an answer arrives that it gave before
/// that: S1 takes it for a server that may not vote, until it says otherwise in a later round.
#[test]
fn what_a_voter_has_acknowledged_counts_as_soon_as_it_says_that_it_may_vote() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(200));
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    cluster.run(ms(200));
    cluster.hold(s(3), s(1));
    cluster.change(s(1), set(&[1, 2]), set(&[3]));
    cluster.settle();
    // Its admission is appended, not committed: it says again and again that its disk is new.
    cluster.isolate(s(2));
    cluster.let_go(s(3), s(1));
    cluster.run(ms(60));
    cluster.hold(s(3), s(1));
    cluster.run(ms(60));
    let joins = |message: &Message| match message {
        Message::AppendEntriesResponse(m) => matches!(m.outcome, AppendOutcome::Joining { .. }),
        _ => false,
    };
    let late = cluster.on_the_way(s(3), s(1)).into_iter().rfind(joins).expect("S3 says that its disk is a new one");
    cluster.let_go(s(3), s(1));
    cluster.heal();
    cluster.run(ms(300));
    let change = cluster.change(s(1), set(&[1, 2, 3]), set(&[]));
    assert!(matches!(cluster.answer(change), Some(Answer::Accepted(_))), "{:?}", cluster.answer(change));
    cluster.run(ms(200));
    cluster.isolate(s(2));
    cluster.arrive(s(3), s(1), late);
    cluster.propose(s(1), "x");
    exchange(&mut cluster, s(1), s(3), 2);
    assert_eq!(cluster.applied(s(1)), [""; 0], "S1 isn't sure yet which disk S3 has");
    cluster.run(ms(100));
    assert_eq!(cluster.applied(s(1)), ["x"]);
}
