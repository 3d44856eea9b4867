//! Who belongs, and what those do who don't any more.

use raft_core::raft::{ChangeError, Entry, Message, Observation, Payload, PreVote, Refusal, Standing, Term};

use crate::support::{Cluster, Event, id, ms, s, set};

#[test]
fn a_new_leader_changes_no_membership_before_it_has_committed_in_its_own_term() {
    let mut cluster = Cluster::led(3);
    cluster.isolate(s(1));
    cluster.sleep(ms(300));
    cluster.campaign(s(2));
    while !cluster.leads(s(2)) {
        cluster.deliver(s(2), s(3));
        cluster.deliver(s(3), s(2));
    }
    let change = cluster.change(s(2), set(&[2, 3]), set(&[]));
    assert_eq!(cluster.refusal(change), Refusal::NoOwnCommitYet);
    cluster.settle();
    let change = cluster.change(s(2), set(&[2, 3]), set(&[]));
    cluster.settle();
    assert!(cluster.answer(change).is_some_and(|answer| matches!(answer, crate::support::Answer::Accepted(_))));
}

#[test]
fn a_leader_that_removes_itself_manages_the_change_without_counting_itself() {
    let mut cluster = Cluster::settled(3);
    cluster.change(s(1), set(&[2, 3]), set(&[]));
    // S2 answers, S3 doesn't: one of the two who will remain, and S1 itself.
    cluster.isolate(s(3));
    cluster.settle();
    let joint = cluster.commit(s(1));
    assert_eq!(joint, 1, "the joint membership needs a majority of S2 and S3, which S1 isn't part of");
    assert!(cluster.leads(s(1)), "and until then S1 leads");
    cluster.heal();
    cluster.run_until(ms(2_000), "S2 or S3 leads", |cluster| !cluster.leads(s(1)) && cluster.leader().is_some());
    cluster.run(ms(100));
    for server in [s(2), s(3)] {
        assert_eq!(cluster.raft(server).configuration().voters, set(&[2, 3]));
        assert!(!cluster.raft(server).configuration().is_joint());
    }
    cluster.run(ms(3_000));
    assert!(!cluster.leads(s(1)), "S1 is gone for good");
}

#[test]
fn a_leader_that_was_removed_tells_the_others_before_it_goes() {
    let mut cluster = Cluster::settled(3);
    cluster.change(s(1), set(&[2, 3]), set(&[]));
    // No time passes: nobody but S1 can tell them.
    cluster.settle();
    assert!(!cluster.leads(s(1)));
    for server in [s(2), s(3)] {
        assert!(cluster.commit(server) >= 3, "{server} knows that S1 is gone:\n{}", cluster.status());
    }
}

#[test]
fn a_server_outside_its_latest_membership_campaigns_while_that_is_not_committed() {
    // Of two servers S1 removes itself; only S1 has the entry that completes it, and S2 can't win
    // without S1's vote.
    let mut cluster = Cluster::settled(2);
    cluster.change(s(1), set(&[2]), set(&[]));
    cluster.deliver(s(1), s(2));
    cluster.deliver(s(2), s(1));
    assert_eq!((cluster.last(s(1)).index.0, cluster.last(s(2)).index.0), (3, 2));
    assert!(!cluster.raft(s(1)).configuration().is_voter(s(1)));
    cluster.crash(s(1));
    cluster.drop_everything();
    cluster.restart(s(1));
    cluster.run_until(ms(5_000), "S2 leads alone", |cluster| {
        cluster.leads(s(2)) && cluster.raft(s(2)).configuration().voters == set(&[2]) && cluster.commit(s(2)) >= 4
    });
}

#[test]
fn a_removed_follower_disturbs_nobody() {
    let mut cluster = Cluster::settled(3);
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.settle();
    let term = cluster.term(s(1));
    cluster.run(ms(5_000));
    assert_eq!((cluster.leader(), cluster.term(s(1)), cluster.term(s(2))), (Some(s(1)), term, term));
}

/// Otherwise it would be sent the log, or a snapshot, once more for every question that is late.
#[test]
fn a_late_question_of_a_server_that_knows_of_its_removal_reminds_nobody() {
    let mut cluster = Cluster::settled(3);
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.settle();
    assert!(cluster.commit(s(3)) >= 3, "S3 was told");
    cluster.arrive(s(3), s(1), Message::PreVote(PreVote { term: Term(0), last: id(0, 0) }));
    let reminded = |it: &Observation| *it == Observation::RemovedReminded { server: s(3) };
    assert!(!cluster.observed(s(1), reminded));
}

#[test]
fn every_refused_change_comes_back_with_its_reason() {
    let mut cluster = Cluster::settled(3);
    let cases: [(&[u8], &[u8], Refusal); 5] = [
        (&[], &[], Refusal::Senseless(ChangeError::NoVoters)),
        (&[1, 2, 3], &[3], Refusal::Senseless(ChangeError::VoterAndLearner(s(3)))),
        (&[1, 2, 3], &[], Refusal::Senseless(ChangeError::Unchanged)),
        (&[1, 2, 3, 4], &[], Refusal::Senseless(ChangeError::NotALearnerYet(s(4)))),
        (&[3, 4], &[], Refusal::Senseless(ChangeError::NotALearnerYet(s(4)))),
    ];
    for (voters, learners, reason) in cases {
        let change = cluster.change(s(1), set(voters), set(learners));
        assert_eq!(cluster.refusal(change), reason);
    }
    let change = cluster.change(s(2), set(&[1, 2]), set(&[]));
    assert_eq!(cluster.refusal(change), Refusal::NotLeader { leader: Some(s(1)) });
    cluster.hold(s(1), s(2));
    cluster.hold(s(1), s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[3]));
    let second = cluster.change(s(1), set(&[1]), set(&[2, 3]));
    assert_eq!(cluster.refusal(second), Refusal::ChangeInProgress { index: raft_core::raft::LogIndex(2) });
    cluster.heal();
    cluster.run(ms(100));
    cluster.transfer(s(1), s(2));
    let third = cluster.change(s(1), set(&[1, 2, 3]), set(&[]));
    assert_eq!(cluster.refusal(third), Refusal::Transferring { to: s(2) });
}

#[test]
fn a_learner_that_lags_is_not_made_a_voter() {
    let mut cluster = Cluster::with(3).config(|config| config.learner_lag_max = 2).settled();
    cluster.join(s(4));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.run(ms(100));
    cluster.lose_sight_of(s(4));
    for command in ["a", "b", "c"] {
        cluster.propose(s(1), command);
    }
    cluster.settle();
    let change = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
    let (matched, last) = (raft_core::raft::LogIndex(3), raft_core::raft::LogIndex(6));
    assert_eq!(cluster.refusal(change), Refusal::LearnerBehind { server: s(4), matched, last });
    cluster.heal();
    cluster.run(ms(100));
    cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
    cluster.run(ms(100));
    assert_eq!(cluster.raft(s(4)).configuration().voters, set(&[1, 2, 3, 4]));
}

/// A round trip to the learner takes as long as many writes do: it lacks what has come since it
/// last answered, and always will.
#[test]
fn a_learner_one_round_trip_behind_becomes_a_voter_however_many_writes_that_is() {
    let mut cluster = Cluster::with(3).config(|config| config.learner_lag_max = 8).settled();
    cluster.join(s(4));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.run(ms(200));
    cluster.hold(s(1), s(4));
    cluster.hold(s(4), s(1));
    let write = |cluster: &mut Cluster| {
        for _ in 0..50 {
            cluster.propose(s(1), "x");
            cluster.settle();
        }
    };
    let mut refused = 0;
    loop {
        write(&mut cluster);
        cluster.deliver_all(s(1), s(4));
        cluster.deliver_all(s(4), s(1));
        write(&mut cluster);
        let change = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
        match cluster.answer(change) {
            Some(crate::support::Answer::Accepted(_)) => break,
            _ => refused += 1,
        }
        assert!(refused < 5, "{:?}", cluster.answer(change));
        cluster.advance(ms(2));
    }
}

#[test]
fn reads_that_a_smaller_membership_lets_go_on_are_followed_by_the_entry_that_made_it_smaller() {
    let mut cluster = Cluster::settled(3);
    // A round of heartbeats for the first read is on its way; the second waits for the next round.
    for other in [s(2), s(3)] {
        cluster.hold(s(1), other);
    }
    let reads = [cluster.read(s(1)), cluster.read(s(1))];
    // S1 alone, and a new learner: for that one, there is nothing in the log yet after what it was
    // told of.
    cluster.join(s(4));
    cluster.hold(s(1), s(4));
    cluster.change(s(1), set(&[1]), set(&[4]));
    // The heartbeat to S3 is lost. Its answer to the joint membership commits that and ends it: S1
    // needs nobody's answer now, and begins the next round. S2 has been sent what came before, and
    // is silent.
    cluster.take(s(1), s(3), 0);
    cluster.let_go(s(1), s(3));
    cluster.settle();
    assert!(reads.iter().all(|read| matches!(cluster.answer(*read), Some(crate::support::Answer::Read(_)))));
    cluster.let_go(s(1), s(2));
    cluster.run(ms(500));
    for server in [s(1), s(2), s(3)] {
        assert_eq!(cluster.raft(server).configuration().voters, set(&[1]), "{server} knows:\n{}", cluster.status());
    }
}

/// S1's disk is slow, and S2 has more than what the old membership let count.
#[test]
fn what_the_membership_in_force_holds_is_committed_before_that_membership_is() {
    let mut cluster = Cluster::settled(5);
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    for server in [3, 4] {
        cluster.deliver(s(1), s(server));
    }
    cluster.propose(s(1), "x=1");
    cluster.deliver_all(s(1), s(2));
    cluster.deliver_all(s(2), s(1));
    assert_eq!(cluster.commit(s(1)), 1, "of the old five, only two have more");
    cluster.hold_disk(s(1));
    cluster.deliver(s(3), s(1));
    assert!(cluster.commit(s(1)) == 2 && !cluster.raft(s(1)).configuration().is_joint());
    // S2 says nothing any more; whatever comes next shows that S1 and S2 have it.
    cluster.deliver(s(4), s(1));
    assert_eq!(cluster.applied(s(1)), ["x=1"]);
}

#[test]
fn a_learner_that_lacks_the_membership_in_force_is_not_made_a_voter() {
    let mut cluster = Cluster::settled(3);
    for server in [4, 5] {
        cluster.join(s(server));
    }
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4, 5]));
    cluster.run(ms(300));
    cluster.isolate(s(4));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.settle();
    let change = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
    assert!(matches!(cluster.refusal(change), Refusal::LearnerBehind { server, .. } if server == s(4)));
    cluster.heal();
    cluster.run(ms(100));
    let change = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
    assert!(matches!(cluster.answer(change), Some(crate::support::Answer::Accepted(_))));
}

#[test]
fn a_stranger_that_asks_for_votes_during_a_change_is_not_taken_for_one_that_was_removed() {
    let mut cluster = Cluster::settled(3);
    for server in [4, 5] {
        cluster.join(s(server));
    }
    for voter in [2, 3] {
        cluster.hold(s(1), s(voter));
    }
    cluster.change(s(1), set(&[1, 2, 3]), set(&[5]));
    let ask = Message::PreVote(PreVote { term: Term(1), last: cluster.last(s(2)) });
    let reminded = |it: &Observation| *it == Observation::RemovedReminded { server: s(4) };
    cluster.arrive(s(4), s(1), ask.clone());
    assert!(!cluster.observed(s(1), reminded), "who belongs isn't settled yet");
    cluster.heal();
    cluster.run(ms(100));
    cluster.arrive(s(4), s(1), ask);
    assert!(cluster.observed(s(1), reminded));
}

#[test]
fn a_leader_says_no_more_to_those_who_remain_than_before_a_removal() {
    let mut cluster = Cluster::led(3);
    let said_in_a_second = |cluster: &mut Cluster| {
        cluster.run(ms(500));
        cluster.take_events();
        cluster.run(ms(1_000));
        let to_it = |event: &Event| matches!(event, Event::Sent(from, to, _) if (*from, *to) == (s(1), s(3)));
        cluster.take_events().iter().filter(|event| to_it(event)).count()
    };
    let before = said_in_a_second(&mut cluster);
    cluster.change(s(1), set(&[1, 3]), set(&[]));
    assert_eq!(said_in_a_second(&mut cluster), before);
}

/// It is asked again and again whether it may vote, and says each time that it waits to be
/// admitted.
#[test]
fn a_learner_whose_disk_hangs_is_admitted_once() {
    let mut cluster = Cluster::settled(3);
    cluster.join(s(4));
    cluster.hold(s(4), s(1));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.run(ms(100));
    cluster.hold_disk(s(4));
    cluster.let_go(s(4), s(1));
    cluster.run(ms(5_000));
    let log = cluster.raft(s(1)).log();
    let admits = |entry: &&Entry| matches!(entry.payload, Payload::Admission { .. });
    assert_eq!(log.iter_from(log.first_index()).filter(admits).count(), 1, "{}", cluster.status());
    cluster.release_disk(s(4));
    cluster.run(ms(500));
    assert_eq!(cluster.raft(s(4)).hard_state().standing, Standing::Member);
}

/// S3 makes the learner S4 a voter, and nobody hears of it; S2, whom S1 elects, reaches S4 alone,
/// and crashes.
#[test]
fn whose_vote_is_needed_by_a_membership_that_it_does_not_know_campaigns_itself() {
    let away: [fn(&mut Cluster); 2] = [|_| {}, |cluster| cluster.restart_wiped(s(2))];
    for (pre_vote, check_quorum) in [(true, true), (true, false), (false, true), (false, false)] {
        for comes_back in away {
            let setup = Cluster::with(3).learners(set(&[4])).config(move |config| {
                (config.pre_vote, config.check_quorum) = (pre_vote, check_quorum);
            });
            let mut cluster = setup.start();
            cluster.elect(s(3));
            cluster.propose(s(3), "x=1");
            cluster.run(ms(100));
            cluster.isolate(s(3));
            cluster.change(s(3), set(&[1, 2, 3, 4]), set(&[]));
            cluster.sleep(ms(300));
            cluster.campaign(s(2));
            while !cluster.leads(s(2)) {
                cluster.deliver(s(2), s(1));
                cluster.deliver(s(1), s(2));
            }
            cluster.cut_both(s(2), s(1));
            cluster.settle();
            assert!(cluster.last(s(4)).term > cluster.last(s(3)).term, "{}", cluster.status());
            cluster.crash(s(2));
            cluster.drop_everything();
            cluster.heal();
            comes_back(&mut cluster);
            let leads =
                |cluster: &Cluster| cluster.leader().is_some_and(|leader| leader != s(4) && cluster.term(leader) > 2);
            cluster.run_until(ms(10_000), "a voter leads", leads);
            cluster.propose(cluster.leader().unwrap(), "y=2");
            cluster.run(ms(2_000));
            for server in [s(1), s(3), s(4)] {
                assert_eq!(cluster.applied(server), ["x=1", "y=2"], "{}", cluster.status());
            }
            assert!(!cluster.leads(s(4)));
            assert_eq!(cluster.violations(), [""; 0]);
        }
    }
}
