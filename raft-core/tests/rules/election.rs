//! Rules about terms, votes and leaders.

use raft_core::raft::{Rule, Rules};

use crate::both_ways::{both_ways, elect_and_write, try_to_elect};
use crate::support::{Cluster, Setup, ms, s};

/// So many servers that campaign without asking first.
fn blunt(count: u8) -> Setup {
    Cluster::with(count).config(|config| config.pre_vote = false)
}

#[test]
fn a_leader_has_every_committed_entry_because_voters_compare_logs() {
    both_ways(Rule::CompareLogsBeforeVoting, "State machine safety", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(3));
        cluster.propose(s(1), "x=1");
        cluster.settle();
        assert_eq!(cluster.applied(s(1)), ["x=1"], "S1 and S2 commit it without S3");
        cluster.heal();
        cluster.crash(s(1));
        elect_and_write(cluster, s(3), "x=2");
    });
}

#[test]
fn a_term_has_one_leader_because_a_voter_votes_once() {
    both_ways(Rule::VoteOncePerTerm, "Election safety", blunt(3), |cluster| {
        cluster.sleep(ms(150));
        for candidate in [s(1), s(2)] {
            cluster.campaign(candidate);
            cluster.deliver(candidate, s(3));
        }
        cluster.deliver(s(3), s(1));
        cluster.deliver(s(3), s(2));
    });
}

#[test]
fn a_term_has_one_leader_because_a_vote_is_durable_before_it_is_given() {
    both_ways(Rule::PersistBeforeVoting, "Election safety", blunt(3), |cluster| {
        cluster.sleep(ms(150));
        cluster.hold_disk(s(3));
        cluster.campaign(s(1));
        cluster.deliver(s(1), s(3));
        cluster.deliver_all(s(3), s(1));
        // The power fails before S3's vote is on its disk.
        cluster.crash(s(3));
        cluster.restart(s(3));
        cluster.release_disk(s(3));
        cluster.drop_everything();
        cluster.sleep(ms(150));
        cluster.campaign(s(2));
        cluster.deliver(s(2), s(3));
        cluster.deliver_all(s(3), s(2));
    });
}

#[test]
fn a_term_has_one_leader_because_it_takes_a_majority() {
    both_ways(Rule::WinByMajority, "Election safety", blunt(5), |cluster| {
        cluster.sleep(ms(150));
        for (candidate, voter) in [(s(1), s(3)), (s(2), s(4))] {
            cluster.campaign(candidate);
            cluster.deliver(candidate, voter);
            cluster.deliver(voter, candidate);
        }
    });
}

#[test]
fn a_deposed_leader_comes_back_because_it_follows_a_higher_term() {
    // Without the other safety net: a leader that hears no quorum would step down by itself in
    // the end.
    let setup = Cluster::with(3).config(|config| config.check_quorum = false);
    both_ways(Rule::StepDownOnHigherTerm, "never came back", setup, |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(1));
        cluster.elect(s(2));
        cluster.propose(s(2), "x=1");
        cluster.heal();
        cluster.run(ms(5_000));
        if cluster.applied(s(1)) != ["x=1"] {
            cluster.violated(format!("S1 never came back:\n{}", cluster.status()));
        }
    });
}

#[test]
fn what_a_deposed_leader_sent_overwrites_nothing_because_its_term_is_refused() {
    both_ways(Rule::RefuseStaleTerms, "State machine safety", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.propose(s(1), "old");
        let late = cluster.take(s(1), s(3), 0);
        cluster.isolate(s(1));
        assert!(try_to_elect(cluster, s(2)));
        cluster.hold(s(2), s(3));
        cluster.propose(s(2), "new");
        cluster.deliver(s(2), s(3));
        cluster.settle();
        assert_eq!(cluster.applied(s(2)), ["new"]);
        assert_eq!(cluster.applied(s(3)), [""; 0], "S3 holds it and has not heard that it is committed");
        cluster.arrive(s(1), s(3), late);
        cluster.crash(s(2));
        cluster.heal();
        cluster.run(ms(2_000));
    });
}

#[test]
fn a_lost_disk_casts_no_second_vote_because_its_server_is_barred() {
    both_ways(Rule::BarAmnesiacVoters, "Election safety", blunt(3), |cluster| {
        cluster.sleep(ms(150));
        cluster.campaign(s(1));
        cluster.deliver(s(1), s(3));
        cluster.deliver(s(3), s(1));
        assert!(cluster.leads(s(1)));
        cluster.drop_everything();
        cluster.crash(s(3));
        cluster.restart_wiped(s(3));
        cluster.sleep(ms(150));
        cluster.campaign(s(2));
        cluster.deliver(s(2), s(3));
        cluster.deliver_all(s(3), s(2));
    });
}

#[test]
fn asking_for_less_than_every_rule_is_said_out_loud() {
    let without = Rules::ALL.without(Rule::WinByMajority);
    assert_eq!(format!("{without:?}"), "all without win-by-majority");
    assert_eq!(format!("{:?}", Rules::ALL), "all");
}
