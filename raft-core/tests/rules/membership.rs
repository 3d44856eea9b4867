//! Rules about changing who belongs.

use raft_core::raft::{Rule, Rules};

use crate::both_ways::{both_ways, both_ways_from, elect_and_write, faults, try_to_elect};
use crate::support::{Cluster, ms, s, set};

/// S1 leads S1, S2 and S3, and S4 and S5 catch up as learners.
fn add_two_learners(cluster: &mut Cluster) {
    cluster.elect(s(1));
    cluster.join(s(4));
    cluster.join(s(5));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4, 5]));
    cluster.run(ms(200));
    assert_eq!(cluster.matched(s(1), s(5)), 4, "they belong, and the disks of both are admitted");
}

#[test]
fn old_and_new_voters_never_decide_apart_because_a_change_is_joint() {
    both_ways(Rule::ChangeThroughJoint, "State machine safety", Cluster::with(3), |cluster| {
        add_two_learners(cluster);
        cluster.partition(&[&[1, 4, 5], &[2, 3]]);
        cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
        cluster.propose(s(1), "x=1");
        cluster.settle();
        assert!(try_to_elect(cluster, s(2)), "S2 and S3 are a majority of the voters they know");
        cluster.propose(s(2), "x=2");
        cluster.settle();
    });
}

#[test]
fn old_and_new_voters_never_decide_apart_because_changes_come_one_at_a_time() {
    both_ways(Rule::OneChangeAtATime, "State machine safety", Cluster::with(3), |cluster| {
        add_two_learners(cluster);
        cluster.partition(&[&[1, 4, 5], &[2, 3]]);
        // The second change begins from the first, which the old voters have not agreed to.
        cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
        cluster.change(s(1), set(&[1, 4]), set(&[5]));
        cluster.propose(s(1), "x=1");
        cluster.settle();
        assert!(try_to_elect(cluster, s(2)), "S2 and S3 are a majority of the voters they know");
        cluster.propose(s(2), "x=2");
        cluster.settle();
    });
}

/// The bug of single-server changes (raft-dev, 10 July 2015): two leaders each change one server,
/// from the same configuration, and their majorities don't overlap.
#[test]
fn changes_of_two_leaders_do_not_cross_because_each_commits_in_its_own_term_first() {
    let one_by_one = Rules::ALL.without(Rule::ChangeThroughJoint);
    let schedule = |cluster: &mut Cluster| {
        cluster.elect(s(1));
        cluster.join(s(5));
        cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[5]));
        cluster.run(ms(200));
        // S1 adds S5, and nobody else hears of it.
        cluster.partition(&[&[1, 5], &[2, 3, 4]]);
        cluster.change(s(1), set(&[1, 2, 3, 4, 5]), set(&[]));
        cluster.settle();
        // S2 is elected by S3 and S4, and removes S4, which has heard no more from it than the
        // question.
        cluster.sleep(ms(150));
        cluster.campaign(s(2));
        for _ in 0..2 {
            for voter in [s(3), s(4)] {
                cluster.deliver(s(2), voter);
                cluster.deliver(voter, s(2));
            }
        }
        assert!(cluster.leads(s(2)));
        cluster.partition(&[&[2, 3], &[1, 4, 5]]);
        cluster.change(s(2), set(&[1, 2, 3]), set(&[5]));
        cluster.propose(s(2), "x=2");
        cluster.run(ms(200));
        // S1 is elected again, by S4 and S5, if its three of five are a majority.
        cluster.crash(s(1));
        cluster.restart(s(1));
        cluster.run(ms(3_000));
    };
    let faults = |rules| faults(rules, Cluster::with(4), schedule);
    if cfg!(feature = "switchable-rules") {
        both_ways_from(one_by_one, Rule::OwnCommitBeforeChange, "State machine safety", faults);
        // Through a joint configuration the same schedule goes well even without the rule.
        assert!(faults(Rules::ALL.without(Rule::OwnCommitBeforeChange)).is_empty());
    }
    assert!(faults(Rules::ALL).is_empty());
}

#[test]
fn a_restarted_server_counts_the_right_majority_because_the_membership_follows_its_log() {
    both_ways(Rule::MembershipFollowsLog, "State machine safety", Cluster::with(3), |cluster| {
        add_two_learners(cluster);
        cluster.partition(&[&[1, 2, 4, 5], &[3]]);
        cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
        cluster.settle();
        assert!(!cluster.raft(s(1)).configuration().is_joint(), "the change is complete");
        cluster.partition(&[&[1, 4, 5], &[2, 3]]);
        cluster.propose(s(1), "x=1");
        cluster.settle();
        assert_eq!(cluster.applied(s(1)), ["x=1"]);
        // S2 has the new membership in its log. It restarts, and knows of nothing that is
        // committed.
        cluster.crash(s(2));
        cluster.restart(s(2));
        elect_and_write(cluster, s(2), "x=2");
    });
}
