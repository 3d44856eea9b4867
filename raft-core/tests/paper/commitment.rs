//! §5.4, safety: the election restriction, and committing entries from previous terms. §5.5 and
//! §5.6 at the end.

use raft_core::raft::{LogIndex, Observation};

use crate::support::{Cluster, id, ms, s};

#[test]
fn s5_4_1_a_vote_goes_to_a_log_at_least_as_up_to_date() {
    // The candidate's log, the voter's, and whether it gets the vote: later term first, then
    // length.
    let cases: [(&[u64], &[u64], bool); 8] = [
        (&[1], &[1], true),
        (&[1, 1], &[1], true),
        (&[1], &[1, 1], false),
        (&[1, 2], &[1, 1, 1, 1], true),
        (&[1, 1, 1, 1], &[1, 2], false),
        (&[1, 2, 2], &[1, 2], true),
        (&[1, 2], &[1, 2, 2], false),
        (&[], &[1], false),
    ];
    for (candidate, voter, granted) in cases {
        let mut cluster = Cluster::with(3).log(s(1), 2, candidate).log(s(2), 2, voter).start();
        cluster.crash(s(3));
        cluster.sleep(ms(150));
        cluster.campaign(s(1));
        cluster.settle();
        assert_eq!(cluster.leads(s(1)), granted, "{candidate:?} before {voter:?}");
    }
}

#[test]
fn s5_4_1_whoever_is_elected_has_everything_committed() {
    // Each possible majority commits an entry alone; then each of the others may try to be elected.
    for alone in 2..=3 {
        for candidate in 2..=3 {
            let mut cluster = Cluster::led(3);
            cluster.isolate(s(alone));
            cluster.propose(s(1), "x=1");
            cluster.settle();
            assert_eq!(cluster.applied(s(1)), ["x=1"]);
            cluster.heal();
            cluster.crash(s(1));
            cluster.sleep(ms(150));
            cluster.campaign(s(candidate));
            cluster.settle();
            assert_eq!(cluster.leads(s(candidate)), candidate != alone);
            cluster.run(ms(2_000));
            let leader = cluster.leader().expect("two of three are up");
            assert_eq!(cluster.applied(leader), ["x=1"]);
        }
    }
}

#[test]
fn s5_4_2_entries_of_earlier_terms_are_committed_with_one_of_the_leaders_own() {
    let mut cluster = Cluster::with(3).log(s(1), 2, &[1, 2]).log(s(2), 2, &[1, 2]).start();
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    while !cluster.leads(s(1)) {
        cluster.deliver(s(1), s(2));
        cluster.deliver(s(2), s(1));
    }
    assert_eq!(
        (cluster.commit(s(1)), cluster.last(s(1))),
        (0, id(3, 3)),
        "a majority has 2@2, and that commits nothing"
    );
    cluster.settle();
    assert_eq!(cluster.commit(s(1)), 3);
    assert_eq!(cluster.applied(s(1)), ["1@1", "2@2"]);
}

/// Figure 8 (c): a majority has the old entry, and the leader doesn't commit it, and says why.
#[test]
fn s5_4_2_figure_8_c_an_older_terms_entry_on_a_majority_is_not_committed() {
    let cluster = figure_8_c();
    let held = cluster.raft(s(1)).log().id_at(LogIndex(2)).expect("it holds the old entry");
    assert_eq!((held, cluster.matched(s(1), s(2)), cluster.matched(s(1), s(3))), (id(2, 2), 2, 2));
    assert_eq!(cluster.commit(s(1)), 0);
}

/// Figure 8 (d): S5 may still be elected and replace it.
#[test]
fn s5_4_2_figure_8_d_the_entry_may_still_be_replaced() {
    let mut cluster = figure_8_c();
    cluster.crash(s(1));
    cluster.restart(s(5));
    cluster.partition(&[&[3, 4, 5]]);
    cluster.run_until(ms(5_000), "S5 leads and commits", |cluster| {
        cluster.leads(s(5)) && [s(3), s(4), s(5)].iter().all(|server| cluster.commit(*server) >= 3)
    });
    for server in [s(3), s(4), s(5)] {
        assert_eq!(cluster.raft(server).log().id_at(LogIndex(2)), Some(id(2, 3)));
    }
}

/// Figure 8 (e): with an entry of S1's own term on a majority both are committed, and S5 can't win.
#[test]
fn s5_4_2_figure_8_e_with_an_entry_of_the_leaders_term_it_is_committed_for_good() {
    let mut cluster = figure_8_c();
    cluster.run(ms(200));
    assert_eq!(cluster.commit(s(1)), 3);
    cluster.crash(s(1));
    cluster.restart(s(5));
    cluster.heal();
    for _ in 0..5 {
        cluster.sleep(ms(300));
        cluster.campaign(s(5));
        cluster.settle();
        assert!(!cluster.leads(s(5)), "S2 and S3 have an entry of a later term");
    }
    cluster.run(ms(3_000));
    let leader = cluster.leader().expect("S2 or S3");
    assert_eq!(cluster.raft(leader).log().id_at(LogIndex(2)), Some(id(2, 2)));
}

/// Figure 8 up to (c): S1 leads term 4 with 2@2 on S1, S2 and S3, and 3@4 on nobody else; S5, down,
/// has 2@3.
fn figure_8_c() -> Cluster {
    let setup = Cluster::with(5).config(|config| (config.pre_vote, config.append_entries_max) = (false, 1));
    let setup = setup.log(s(1), 3, &[1, 2]).log(s(2), 3, &[1, 2]).log(s(3), 3, &[1]).log(s(4), 3, &[1]);
    let mut cluster = setup.log(s(5), 3, &[1, 3]).start();
    cluster.crash(s(5));
    cluster.partition(&[&[1, 2, 3]]);
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    for voter in [s(2), s(3)] {
        cluster.deliver(s(1), voter);
        cluster.deliver(voter, s(1));
    }
    assert!(cluster.leads(s(1)), "{}", cluster.status());
    // S3 has no 2@2: it says so, and gets it. One entry an append; the leader's own goes no
    // further.
    cluster.deliver(s(1), s(3));
    cluster.deliver(s(3), s(1));
    cluster.deliver(s(1), s(3));
    cluster.deliver(s(3), s(1));
    // S2 has it already, and says so in answer to a heartbeat after it.
    cluster.drop_everything();
    let heartbeat = raft_core::raft::AppendEntries {
        term: cluster.raft(s(1)).term(),
        previous: id(2, 2),
        entries: raft_core::raft::Entries::None,
        commit: LogIndex::ZERO,
        round: 1,
        probe: 0,
    };
    cluster.arrive(s(1), s(2), raft_core::raft::Message::AppendEntries(heartbeat));
    cluster.deliver(s(2), s(1));
    assert!(
        cluster.observed(
            s(1),
            |seen| matches!(seen, Observation::CommitWaitsForOwnTerm { held, .. } if *held == id(2, 2))
        )
    );
    cluster.drop_everything();
    cluster
}

#[test]
fn s5_5_requests_repeated_after_a_crash_do_no_harm() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "x=1");
    let append = cluster.on_the_way(s(1), s(2))[0].clone();
    cluster.settle();
    let log = cluster.raft(s(2)).log().clone();
    cluster.crash(s(2));
    cluster.restart(s(2));
    cluster.arrive(s(1), s(2), append);
    assert_eq!(*cluster.raft(s(2)).log(), log);
    cluster.run(ms(100));
    assert_eq!(cluster.applied(s(2)), ["x=1"]);
}

#[test]
fn s5_6_a_leader_leads_on_while_messages_take_much_less_than_an_election_timeout() {
    let mut cluster = Cluster::led(3);
    // Each message takes 20 ms: a tenth of the average timeout.
    for _ in 0..200 {
        let on_the_way = cluster.busy_links();
        cluster.advance(ms(20));
        for ((from, to), count) in on_the_way {
            for _ in 0..count {
                cluster.deliver(from, to);
            }
        }
    }
    assert_eq!((cluster.leader(), cluster.term(s(2))), (Some(s(1)), 1));
}
