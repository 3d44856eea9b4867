//! §8, client interaction: who answers, and when a read is answered. With it the dissertation's
//! §3.10, leadership transfer.

use raft_core::raft::{Message, ReadMode, Refusal, RequestVoteResponse, Term};

use crate::support::{Answer, Cluster, ms, s};

#[test]
fn s8_who_does_not_lead_says_who_does() {
    let mut cluster = Cluster::new(3);
    let early = cluster.propose(s(2), "x=1");
    assert_eq!(cluster.refusal(early), Refusal::NotLeader { leader: None });
    cluster.elect(s(1));
    let late = cluster.propose(s(2), "x=1");
    assert_eq!(cluster.refusal(late), Refusal::NotLeader { leader: Some(s(1)) });
}

#[test]
fn s8_a_leader_answers_a_read_once_a_quorum_has_answered_a_later_heartbeat() {
    let mut cluster = Cluster::led(5);
    cluster.propose(s(1), "x=1");
    cluster.run(ms(100));
    let read = cluster.read(s(1));
    assert_eq!(cluster.answer(read), None);
    cluster.deliver(s(1), s(2));
    cluster.deliver(s(2), s(1));
    assert_eq!(cluster.answer(read), None, "two of five, itself included");
    cluster.deliver(s(1), s(3));
    cluster.deliver(s(3), s(1));
    assert_eq!(cluster.answer(read), Some(&Answer::Read(vec!["x=1".into()])));
}

#[test]
fn s8_a_new_leaders_reads_wait_for_its_first_commit() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "x=1");
    cluster.deliver(s(1), s(2));
    cluster.deliver(s(2), s(1));
    cluster.crash(s(1));
    cluster.sleep(ms(300));
    cluster.campaign(s(2));
    while !cluster.leads(s(2)) {
        cluster.deliver(s(2), s(3));
        cluster.deliver(s(3), s(2));
    }
    let (confirmed, leased) = (cluster.read(s(2)), cluster.lease_read(s(2)));
    assert_eq!((cluster.answer(confirmed), cluster.answer(leased)), (None, None));
    cluster.settle();
    for read in [confirmed, leased] {
        assert_eq!(cluster.answer(read), Some(&Answer::Read(vec!["x=1".into()])));
    }
}

#[test]
fn s8_a_single_server_answers_at_once() {
    let mut cluster = Cluster::led(1);
    cluster.propose(s(1), "x=1");
    let read = cluster.read(s(1));
    assert_eq!(cluster.answer(read), Some(&Answer::Read(vec!["x=1".into()])));
}

#[test]
fn s8_a_follower_answers_a_read_after_asking_its_leader() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "x=1");
    cluster.settle();
    assert_eq!(cluster.applied(s(3)), [""; 0], "S3 doesn't know that it is committed");
    let read = cluster.read(s(3));
    cluster.settle();
    assert_eq!(cluster.answer(read), Some(&Answer::Read(vec!["x=1".into()])));
}

#[test]
fn s8_a_lease_answers_without_asking_until_it_ends() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    let sent = cluster.on_the_way(s(1), s(2)).len();
    let read = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(read), Some(&Answer::Read(vec![])));
    assert_eq!(cluster.on_the_way(s(1), s(2)).len(), sent, "nobody was asked");
    // A lease is as long as the shortest election timeout less the drift of the clocks: 150 ms less
    // 10 %.
    let until = cluster.raft(s(1)).lease().expect("it holds");
    cluster.isolate(s(1));
    cluster.sleep(until.since(cluster.clock(s(1))));
    let late = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(late), None);
}

#[test]
fn s8_a_lease_counts_the_drift_of_the_clocks() {
    let lease = |drift| {
        let mut cluster = Cluster::with(3).config(move |config| config.clock_drift_max = drift).led();
        cluster.run(ms(60));
        let round_began = cluster.clock(s(1));
        cluster.read(s(1));
        cluster.settle();
        cluster.raft(s(1)).lease().map(|until| until.since(round_began).as_micros())
    };
    assert_eq!((lease(0), lease(10), lease(50)), (Ok(150_000), Ok(135_000), Ok(75_000)));
    assert!(lease(100).is_err(), "no lease at all");
    let mut unchecked = Cluster::with(3).config(|config| config.check_quorum = false).start();
    unchecked.elect(s(1));
    unchecked.run(ms(60));
    assert!(unchecked.raft(s(1)).lease().is_err(), "without check-quorum nobody waits for a leader");
}

#[test]
fn s8_reads_that_come_together_share_a_round() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    let reads: Vec<u64> = (0..100).map(|_| cluster.read(s(1))).collect();
    let questions = cluster.on_the_way(s(1), s(2)).len();
    assert_eq!(questions, 1, "the first asks; the others wait for the next round");
    cluster.settle();
    for read in reads {
        assert!(matches!(cluster.answer(read), Some(Answer::Read(_))));
    }
    assert_eq!(ReadMode::default(), ReadMode::Confirmed);
}

// -------------------------------------------------------------------- dissertation §3.10

#[test]
fn d3_10_leadership_is_handed_to_a_caught_up_successor_without_a_timeout() {
    let mut cluster = Cluster::settled(3);
    cluster.transfer(s(1), s(3));
    assert!(matches!(cluster.on_the_way(s(1), s(3)).last(), Some(Message::TimeoutNow(_))));
    cluster.settle();
    assert!(cluster.leads(s(3)) && !cluster.leads(s(1)));
    assert_eq!(cluster.term(s(3)), 2);
}

#[test]
fn d3_10_the_successor_gets_the_whole_log_first_and_no_new_entries_come() {
    let mut cluster = Cluster::settled(3);
    cluster.hold(s(1), s(3));
    cluster.propose(s(1), "x=1");
    cluster.settle();
    cluster.transfer(s(1), s(3));
    let late = cluster.propose(s(1), "x=2");
    assert_eq!(cluster.refusal(late), Refusal::Transferring { to: s(3) });
    assert!(!cluster.on_the_way(s(1), s(3)).iter().any(|message| matches!(message, Message::TimeoutNow(_))));
    cluster.let_go(s(1), s(3));
    cluster.settle();
    assert!(cluster.leads(s(3)));
    assert_eq!(cluster.applied(s(3)), ["x=1"]);
}

#[test]
fn d3_10_a_transfer_that_takes_too_long_is_given_up() {
    let mut cluster = Cluster::settled(3);
    cluster.crash(s(3));
    let transfer = cluster.transfer(s(1), s(3));
    cluster.run(ms(310));
    assert_eq!(cluster.refusal(transfer), Refusal::TransferTimedOut { to: s(3) });
    cluster.propose(s(1), "x=1");
    cluster.settle();
    assert_eq!(cluster.applied(s(1)), ["x=1"], "it is back at work");
}

#[test]
fn d3_10_only_a_voter_other_than_the_leader_can_succeed_it() {
    let mut cluster = Cluster::settled(3);
    for (asked, to, reason) in [
        (s(1), s(1), Refusal::CannotLead { server: s(1) }),
        (s(1), s(9), Refusal::CannotLead { server: s(9) }),
        (s(2), s(3), Refusal::NotLeader { leader: Some(s(1)) }),
    ] {
        let transfer = cluster.transfer(asked, to);
        assert_eq!(cluster.refusal(transfer), reason);
    }
    cluster.crash(s(2));
    cluster.transfer(s(1), s(2));
    let second = cluster.transfer(s(1), s(3));
    assert_eq!(cluster.refusal(second), Refusal::Transferring { to: s(2) });
}

#[test]
fn d3_10_a_transfer_is_answered_once_the_successor_is_heard_to_lead() {
    let mut cluster = Cluster::led(3);
    let transfer = cluster.transfer(s(1), s(3));
    assert_eq!(cluster.answer(transfer), None);
    cluster.run(ms(100));
    assert_eq!((cluster.leader(), cluster.answer(transfer)), (Some(s(3)), Some(&Answer::Transferred)));
}

#[test]
fn d3_10_a_transfer_after_which_another_leads_has_failed() {
    let mut cluster = Cluster::settled(3);
    cluster.hold(s(3), s(2));
    let transfer = cluster.transfer(s(1), s(3));
    cluster.deliver_all(s(1), s(3));
    cluster.hold(s(1), s(3));
    // S3 campaigns and deposes S1, but S1's vote never reaches it.
    cluster.settle();
    assert!(cluster.term(s(1)) == 2 && cluster.leader().is_none(), "{}", cluster.status());
    cluster.isolate(s(3));
    // Soon enough for S1 not to have given up waiting.
    cluster.sleep(ms(150));
    for _ in 0..2 {
        cluster.campaign(s(2)); // At first it learns of the term only.
        cluster.settle();
    }
    assert!(cluster.leads(s(2)));
    assert_eq!(cluster.refusal(transfer), Refusal::LeadershipLost);
}

#[test]
fn d3_10_a_transfer_is_answered_even_if_nobody_is_heard_to_lead() {
    let mut cluster = Cluster::led(3);
    let transfer = cluster.transfer(s(1), s(3));
    cluster.deliver_all(s(1), s(3));
    cluster.deliver_all(s(3), s(1));
    cluster.isolate(s(1));
    cluster.run(ms(1_000));
    assert_eq!(cluster.refusal(transfer), Refusal::LeadershipLost);
}

#[test]
fn d3_10_a_leader_that_steps_down_before_it_has_handed_over_answers_the_transfer() {
    let mut cluster = Cluster::led(3);
    cluster.isolate(s(1));
    let behind = cluster.propose(s(1), "x=1");
    let transfer = cluster.transfer(s(1), s(3));
    cluster.configure(s(1), |config| config.election_timeout_max = ms(300));
    let term = cluster.term(s(1));
    let append = cluster.on_the_way(s(1), s(3)).len();
    assert_eq!((append, cluster.answer(transfer)), (0, None), "S3 lacks {behind:?}");
    cluster.arrive(
        s(2),
        s(1),
        Message::RequestVoteResponse(RequestVoteResponse { term: Term(term + 5), granted: false }),
    );
    assert_eq!(cluster.refusal(transfer), Refusal::LeadershipLost);
}
