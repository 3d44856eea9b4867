//! Rules about reads that don't go through the log.

use raft_core::raft::Rule;

use crate::both_ways::{both_ways, must_see, try_to_elect};
use crate::support::{Answer, Cluster, ms, s};

#[test]
fn a_deposed_leader_answers_nothing_stale_because_it_asks_a_quorum_first() {
    both_ways(Rule::ConfirmBeforeReading, "stale read", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(1));
        assert!(try_to_elect(cluster, s(2)));
        cluster.propose(s(2), "x=1");
        cluster.settle();
        assert!(cluster.leads(s(1)), "S1 hasn't heard of it");
        let read = cluster.read(s(1));
        cluster.heal();
        cluster.settle();
        must_see(cluster, read, "x=1");
    });
}

#[test]
fn a_new_leader_answers_nothing_stale_because_it_commits_in_its_own_term_first() {
    both_ways(Rule::OwnCommitBeforeReading, "stale read", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(3));
        cluster.propose(s(1), "x=1");
        cluster.deliver(s(1), s(2));
        cluster.deliver(s(2), s(1));
        assert_eq!(cluster.applied(s(1)), ["x=1"], "the client has its answer; S2 doesn't know that it is committed");
        cluster.crash(s(1));
        cluster.heal();
        cluster.sleep(ms(150));
        cluster.campaign(s(2));
        while !cluster.leads(s(2)) {
            cluster.drop_all(s(2), s(1));
            cluster.deliver(s(2), s(3));
            cluster.deliver(s(3), s(2));
        }
        // S3 lacks the entry: it rejects, and that is an answer all the same.
        let read = cluster.read(s(2));
        cluster.deliver_all(s(2), s(3));
        cluster.deliver_all(s(3), s(2));
        cluster.settle();
        must_see(cluster, read, "x=1");
    });
}

#[test]
fn a_followers_answer_is_not_stale_because_it_applies_up_to_the_reads_index() {
    both_ways(Rule::ApplyBeforeReading, "stale read", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.hold(s(1), s(3));
        cluster.propose(s(1), "x=1");
        cluster.settle();
        assert_eq!(cluster.applied(s(1)), ["x=1"]);
        let read = cluster.read(s(3));
        cluster.settle();
        // The answer overtakes the entries.
        let newest = cluster.on_the_way(s(1), s(3)).len() - 1;
        cluster.deliver_nth(s(1), s(3), newest);
        cluster.heal();
        cluster.run(ms(100));
        assert!(matches!(cluster.answer(read), Some(Answer::Read(_))));
        must_see(cluster, read, "x=1");
    });
}

#[test]
fn a_lease_ends_before_the_followers_patience_because_it_runs_from_the_sending() {
    both_ways(Rule::LeaseFromSending, "stale read", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.advance(ms(50));
        cluster.deliver_all(s(1), s(2));
        cluster.deliver_all(s(1), s(3));
        // The followers' patience runs; their answers take their time.
        cluster.sleep(ms(140));
        cluster.deliver_all(s(2), s(1));
        cluster.deliver_all(s(3), s(1));
        cluster.isolate(s(1));
        cluster.sleep(ms(20));
        cluster.campaign(s(2));
        cluster.settle();
        assert!(cluster.leads(s(2)));
        cluster.propose(s(2), "x=1");
        cluster.settle();
        let read = cluster.lease_read(s(1));
        must_see(cluster, read, "x=1");
    });
}

/// S1 leads with a lease; S2 is elected meanwhile by `how`, and writes. What S1 answers under its
/// lease must not be stale.
fn read_under_the_lease_of_the_first_leader(cluster: &mut Cluster, how: impl Fn(&mut Cluster)) {
    cluster.elect(s(1));
    cluster.run(ms(60));
    how(cluster);
    if cluster.leads(s(2)) {
        cluster.propose(s(2), "x=1");
        cluster.settle();
        let read = cluster.lease_read(s(1));
        must_see(cluster, read, "x=1");
    }
}

#[test]
fn a_lease_does_not_outlive_a_transfer_because_it_is_given_up() {
    both_ways(Rule::GiveUpLeaseOnTransfer, "stale read", Cluster::with(3), |cluster| {
        read_under_the_lease_of_the_first_leader(cluster, |cluster| {
            cluster.transfer(s(1), s(2));
            cluster.deliver(s(1), s(2));
            cluster.isolate(s(1));
            cluster.settle();
            assert!(cluster.leads(s(2)), "the leader itself wished it: nobody waits");
        });
    });
}

#[test]
fn a_lease_is_not_broken_by_an_election_because_voters_that_hear_a_leader_ignore_campaigns() {
    both_ways(Rule::IgnoreCampaignsUnderLeader, "stale read", Cluster::with(3), |cluster| {
        read_under_the_lease_of_the_first_leader(cluster, |cluster| {
            cluster.isolate(s(1));
            cluster.campaign(s(2));
            cluster.settle();
        });
    });
}
