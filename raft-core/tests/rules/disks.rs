//! Rules about what must be on a disk before anybody relies on it.

use raft_core::raft::Rule;

use crate::both_ways::{both_ways, elect_and_write};
use crate::support::{Cluster, id, ms, s};

#[test]
fn what_was_acknowledged_survives_the_power_because_it_was_durable_before() {
    both_ways(Rule::PersistBeforeAcknowledging, "State machine safety", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(3));
        cluster.hold_disk(s(2));
        cluster.propose(s(1), "x=1");
        cluster.settle();
        // S1 never comes back; S2 loses what its disk had not finished.
        cluster.crash(s(1));
        cluster.crash(s(2));
        cluster.restart(s(2));
        cluster.release_disk(s(2));
        cluster.heal();
        elect_and_write(cluster, s(3), "x=2");
    });
}

#[test]
fn what_is_committed_survives_the_leaders_crash_because_it_counts_its_own_disk_only() {
    both_ways(Rule::PersistBeforeCounting, "State machine safety", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(3));
        cluster.hold_disk(s(1));
        cluster.propose(s(1), "x=1");
        cluster.settle();
        assert_eq!(cluster.matched(s(1), s(2)), 2, "S2 has it on its disk; S1 doesn't");
        cluster.crash(s(1));
        cluster.restart(s(1));
        cluster.release_disk(s(1));
        cluster.crash(s(2));
        cluster.heal();
        elect_and_write(cluster, s(3), "x=2");
    });
}

#[test]
fn an_overwritten_write_vouches_for_nothing_because_writes_are_matched_by_term() {
    let setup = Cluster::with(5).config(|config| config.pre_vote = false);
    both_ways(Rule::MatchWritesByTerm, "State machine safety", setup, |cluster| {
        cluster.elect(s(1));
        cluster.hold_disk(s(3));
        cluster.propose(s(1), "old");
        cluster.deliver(s(1), s(3));
        cluster.isolate(s(1));
        // S2 is elected by S4 and S5. S3 refuses, but adopts its term: that write comes after the
        // old entry's.
        cluster.sleep(ms(150));
        cluster.campaign(s(2));
        for voter in [s(3), s(4), s(5)] {
            cluster.deliver(s(2), voter);
            cluster.deliver_all(voter, s(2));
        }
        assert!(cluster.leads(s(2)));
        cluster.isolate(s(5));
        cluster.settle();
        assert_eq!(cluster.last(s(3)), id(2, 2), "the old entry has been overwritten in memory");
        // The old entry and the new term become durable; the entry of the new term doesn't. S3 is
        // asked once more.
        cluster.fsync_one(s(3));
        cluster.fsync_one(s(3));
        assert_eq!(cluster.disk(s(3)).image().log().last(), id(2, 1));
        cluster.run(ms(120));
        // S3 loses it, and meets those that never had it.
        cluster.crash(s(2));
        cluster.crash(s(4));
        cluster.crash(s(3));
        cluster.restart(s(3));
        cluster.release_disk(s(3));
        cluster.heal();
        cluster.run(ms(3_000));
    });
}
