//! What is on a disk, what is not yet, and what a crash leaves of it.

use raft_core::raft::{LogIndex, Message};

use crate::support::{Cluster, Event, id, ms, s};

/// The entry at index 2 is written, overwritten, and written again, and only the first two writes become durable.
#[test]
fn a_write_vouches_for_nothing_that_was_overwritten_after_it_even_by_the_same_entry() {
    let setup = Cluster::with(5).config(|config| {
        config.pre_vote = false;
        config.append_entries_max = 1;
    });
    let mut cluster = setup.start();
    cluster.elect(s(1));
    cluster.hold_disk(s(5));
    // W1: S1's entry at index 2, which reaches S5 alone.
    cluster.propose(s(1), "first");
    cluster.deliver(s(1), s(5));
    cluster.isolate(s(1));
    // W2, W3: S2's term, and its entry at the same index.
    cluster.sleep(ms(150));
    cluster.campaign(s(2));
    for member in [s(3), s(4), s(5)] {
        cluster.deliver(s(2), member);
        cluster.deliver_all(member, s(2));
    }
    assert!(cluster.leads(s(2)));
    cluster.deliver(s(2), s(5));
    assert_eq!(cluster.last(s(5)), id(2, 2));
    cluster.drop_everything();
    cluster.crash(s(2));
    // W4, W5: S1's next term, and its old entry once more.
    cluster.heal();
    cluster.sleep(ms(300));
    cluster.fire_timer(s(1));
    cluster.drop_everything();
    while cluster.is_up(s(1)) && !cluster.leads(s(1)) {
        cluster.campaign(s(1));
        for member in [s(3), s(4), s(5)] {
            cluster.deliver_all(s(1), member);
            cluster.deliver_all(member, s(1));
        }
        assert!(cluster.term(s(1)) < 9, "{}", cluster.status());
    }
    cluster.run(ms(60));
    assert_eq!(cluster.raft(s(5)).log().id_at(LogIndex(2)), Some(id(2, 1)));
    // Everything becomes durable but the write that brought the old entry back.
    while cluster.disk(s(5)).log().last() != id(2, 2) || cluster.disk(s(5)).pending().any(|w| w.hard_state.is_some()) {
        cluster.fsync_one(s(5));
    }
    cluster.run(ms(120));
    assert_eq!(cluster.disk(s(5)).log().last(), id(2, 2));
    cluster.crash(s(5));
    cluster.restart(s(5));
    cluster.release_disk(s(5));
    cluster.run(ms(500));
    assert_eq!(cluster.applied(s(5)), cluster.applied(s(1)), "S5 catches up:\n{}", cluster.status());
}

/// Entries are on their way to a follower's disk when a snapshot replaces them.
#[test]
fn a_write_vouches_for_no_snapshot_that_came_after_it() {
    let mut cluster = Cluster::with(3).config(|config| config.entries_kept = 0).start();
    cluster.elect(s(1));
    cluster.hold_disk(s(3));
    cluster.propose(s(1), "a");
    cluster.settle();
    cluster.cut_both(s(1), s(3));
    cluster.propose(s(1), "b");
    cluster.propose(s(1), "c");
    cluster.settle();
    cluster.snapshot(s(1));
    cluster.heal();
    cluster.run(ms(60));
    cluster.take_events();
    // S1 knows nothing of S3 any more but that it must be sent the snapshot.
    let got_it = |event: &Event| matches!(event, Event::Arrived(_, to, Message::InstallSnapshot(_)) if *to == s(3));
    cluster.run(ms(200));
    assert!(cluster.take_events().iter().any(got_it));
    assert_eq!(cluster.raft(s(3)).log().base(), id(4, 1));
    // The entries become durable; the snapshot, written after them, does not.
    cluster.fsync_one(s(3));
    assert!(cluster.raft(s(3)).durable_index() <= cluster.disk(s(3)).log().last().index);
    cluster.run(ms(120));
    cluster.crash(s(3));
    cluster.restart(s(3));
    cluster.release_disk(s(3));
    cluster.run(ms(300));
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c"], "S3 catches up:\n{}", cluster.status());
}
