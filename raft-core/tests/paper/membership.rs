//! §6, cluster membership changes.

use raft_core::raft::{AppendOutcome, LogIndex, MembershipChange, Message, Observation, Payload, Refusal};

use crate::support::{Answer, Cluster, Event, ms, s, set};

/// S1 leads S1 to S3; S4 and S5 have joined as learners and caught up.
fn with_learners() -> Cluster {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "a");
    cluster.join(s(4));
    cluster.join(s(5));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4, 5]));
    cluster.run(ms(200));
    assert_eq!(cluster.applied(s(5)), ["a"]);
    cluster
}

#[test]
fn s6_new_servers_catch_up_before_they_count() {
    let mut cluster = with_learners();
    cluster.isolate(s(2));
    cluster.isolate(s(3));
    cluster.mend(s(1), s(4));
    cluster.mend(s(4), s(1));
    cluster.propose(s(1), "b");
    cluster.settle();
    assert_eq!(cluster.applied(s(1)), ["a"], "learners are in no majority");
    cluster.run(ms(400));
    assert!(!cluster.leads(s(1)));
    for learner in [s(4), s(5)] {
        cluster.campaign(learner);
        cluster.settle();
        assert_eq!(cluster.raft(learner).role().name(), "follower", "a learner doesn't campaign");
    }
}

#[test]
fn s6_voters_change_through_a_joint_membership_and_the_leader_completes_it() {
    let mut cluster = with_learners();
    let change = cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
    let joint = *cluster.raft(s(1)).configuration();
    assert!(joint.is_joint(), "in force as soon as it is in the log, committed or not");
    assert_eq!((joint.voters, joint.outgoing), (set(&[1, 4, 5]), set(&[1, 2, 3])));
    assert!(matches!(cluster.answer(change), Some(Answer::Accepted(_))));
    cluster.run(ms(200));
    for server in [s(1), s(4), s(5)] {
        let after = cluster.raft(server).configuration();
        assert_eq!((after.voters, after.outgoing), (set(&[1, 4, 5]), set(&[])), "{server}");
    }
    let memberships =
        cluster.raft(s(1)).log().iter_from(LogIndex(1)).filter(|e| matches!(e.payload, Payload::Membership(_)));
    assert_eq!(memberships.count(), 3, "learners, joint, final");
}

#[test]
fn s6_a_joint_membership_decides_by_both_majorities() {
    // With the leader in both: neither two of the old alone nor two of the new alone commit.
    for (reached, enough) in [(&[2_u8, 3][..], false), (&[4, 5], false), (&[2, 4], true), (&[3, 5], true)] {
        let mut cluster = with_learners();
        let groups: Vec<u8> = std::iter::once(1).chain(reached.iter().copied()).collect();
        cluster.partition(&[&groups]);
        let before = cluster.commit(s(1));
        cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
        cluster.settle();
        assert_eq!(cluster.commit(s(1)) > before, enough, "S1 reaches {reached:?}");
    }
}

#[test]
fn s6_a_joint_election_takes_both_majorities() {
    for (up, elected) in [(&[1_u8, 2, 3][..], false), (&[1, 4, 5], false), (&[1, 2, 4], true)] {
        let mut cluster = with_learners();
        // Everybody has the joint membership, nobody knows that it is committed.
        cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
        for member in 2..=5 {
            cluster.deliver(s(1), s(member));
        }
        cluster.drop_everything();
        cluster.crash(s(1));
        cluster.restart(s(1));
        cluster.partition(&[up]);
        cluster.run(ms(3_000));
        assert_eq!(cluster.leader().is_some(), elected, "up: {up:?}");
    }
}

#[test]
fn s6_any_server_of_either_set_can_lead_while_joint() {
    for candidate in 2..=5 {
        let mut cluster = with_learners();
        cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
        for member in 2..=5 {
            cluster.deliver(s(1), s(member));
        }
        cluster.drop_everything();
        cluster.crash(s(1));
        cluster.sleep(ms(150));
        cluster.campaign(s(candidate));
        cluster.settle();
        assert!(cluster.observed(s(candidate), |seen| matches!(seen, Observation::BecameLeader { .. })));
        cluster.run(ms(500));
        // It completes the change, and steps down if it isn't part of the outcome.
        let leader = cluster.leader().unwrap_or(s(candidate));
        cluster.run(ms(2_000));
        let leader = cluster.leader().unwrap_or(leader);
        assert!([s(4), s(5)].contains(&leader), "S{candidate} began, {leader} leads:\n{}", cluster.status());
        assert_eq!(cluster.raft(leader).configuration().voters, set(&[1, 4, 5]));
        assert!(!cluster.raft(leader).configuration().is_joint());
    }
}

#[test]
fn s6_a_membership_that_is_truncated_was_never_in_force() {
    let mut cluster = with_learners();
    cluster.isolate(s(1));
    cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
    assert!(cluster.raft(s(1)).configuration().is_joint());
    cluster.sleep(ms(300));
    cluster.campaign(s(2));
    cluster.settle();
    assert!(cluster.leads(s(2)));
    cluster.heal();
    cluster.run(ms(1_000));
    let configuration = cluster.raft(s(1)).configuration();
    assert_eq!((configuration.voters, configuration.learners), (set(&[1, 2, 3]), set(&[4, 5])));
    assert!(!configuration.is_joint());
}

#[test]
fn s6_a_server_uses_the_latest_membership_in_its_log_after_a_restart() {
    let mut cluster = with_learners();
    cluster.crash(s(3));
    cluster.restart(s(3));
    assert_eq!(cluster.commit(s(3)), 0);
    assert_eq!(cluster.raft(s(3)).configuration().learners, set(&[4, 5]));
}

#[test]
fn s6_removed_servers_can_not_disrupt_the_cluster() {
    let mut cluster = with_learners();
    // S2 and S3 never hear that they are removed: the entry that completes it is lost to them.
    cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
    for member in 2..=5 {
        cluster.deliver_all(s(1), s(member));
        cluster.deliver_all(s(member), s(1));
    }
    cluster.cut(s(1), s(2));
    cluster.cut(s(1), s(3));
    cluster.settle();
    let term = cluster.term(s(1));
    cluster.run(ms(5_000));
    assert_eq!((cluster.leader(), cluster.term(s(1)), cluster.term(s(4))), (Some(s(1)), term, term));
}

#[test]
fn s6_a_server_that_hears_a_leader_ignores_campaigns() {
    let mut cluster = Cluster::with(3).config(|config| config.pre_vote = false).led();
    cluster.isolate(s(3));
    cluster.run(ms(400));
    cluster.heal();
    cluster.campaign(s(3));
    cluster.deliver_all(s(3), s(2));
    assert_eq!(cluster.term(s(2)), 1, "it neither votes nor adopts the term");
    assert!(cluster.on_the_way(s(2), s(3)).is_empty());
}

#[test]
fn s6_one_change_at_a_time() {
    let mut cluster = with_learners();
    cluster.hold(s(1), s(2));
    cluster.hold(s(1), s(3));
    let first = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[5]));
    let Some(Answer::Accepted(entry)) = cluster.answer(first).cloned() else { panic!("accepted") };
    let second = cluster.change(s(1), set(&[1, 2, 3, 5]), set(&[4]));
    assert_eq!(cluster.refusal(second), Refusal::ChangeInProgress { index: entry.index });
    cluster.heal();
    cluster.run(ms(200));
    cluster.change(s(1), set(&[1, 2, 3, 4, 5]), set(&[]));
    cluster.run(ms(200));
    assert_eq!(cluster.raft(s(5)).configuration().voters, set(&[1, 2, 3, 4, 5]));
}

#[test]
fn s6_learners_come_and_go_without_a_joint_membership() {
    let mut cluster = with_learners();
    let change = MembershipChange { voters: set(&[1, 2, 3]), learners: set(&[4]) };
    let next = cluster.raft(s(1)).configuration().enter(change).expect("it makes sense");
    assert!(!next.is_joint());
    cluster.change(s(1), change.voters, change.learners);
    cluster.run(ms(100));
    cluster.propose(s(1), "b");
    cluster.run(ms(200));
    assert_eq!((cluster.applied(s(4)), cluster.applied(s(5))), (&["a".into(), "b".into()][..], &["a".into()][..]));
}

#[test]
fn s6_a_voter_can_become_a_learner_and_keeps_its_log() {
    let mut cluster = with_learners();
    cluster.change(s(1), set(&[1, 2, 4]), set(&[3, 5]));
    cluster.run(ms(200));
    cluster.propose(s(1), "b");
    cluster.run(ms(100));
    assert_eq!(cluster.applied(s(3)), ["a", "b"]);
    assert!(!cluster.raft(s(3)).configuration().is_voter(s(3)));
}

#[test]
fn s6_a_removed_server_that_was_cut_off_learns_of_it_when_it_comes_back() {
    let mut cluster = Cluster::led(3);
    cluster.isolate(s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.run(ms(2_000));
    let term = cluster.term(s(1));
    assert!(cluster.raft(s(3)).configuration().is_voter(s(3)), "nobody could tell it");
    cluster.heal();
    cluster.run(ms(1_000));
    assert!(cluster.observed(s(1), |o| *o == Observation::RemovedReminded { server: s(3) }));
    let removed = cluster.raft(s(3));
    assert_eq!(
        (removed.configuration().voters, removed.commit_index()),
        (set(&[1, 2]), cluster.raft(s(1)).commit_index())
    );
    assert_eq!((cluster.leader(), cluster.term(s(1))), (Some(s(1)), term), "and nobody was disturbed");
    // From then on, it is left alone, and leaves the others alone.
    let told = cluster.take_events().len();
    cluster.run(ms(2_000));
    let about_it = |event: &Event| matches!(event, Event::Sent(from, to, _) if *from == s(3) || *to == s(3));
    assert!(told > 0 && !cluster.take_events().iter().any(about_it));
}

#[test]
fn s6_a_removed_server_of_a_later_term_is_not_reminded_for_its_answers_would_depose_the_leader() {
    let mut cluster = Cluster::with(3).config(|config| config.pre_vote = false).led();
    cluster.isolate(s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.run(ms(2_000));
    assert!(cluster.term(s(3)) > cluster.term(s(1)));
    cluster.heal();
    cluster.run(ms(2_000));
    assert_eq!((cluster.leader(), cluster.term(s(1))), (Some(s(1)), 1));
}

/// What a member has may be too old to be named in an append. Then it is told by the snapshot.
#[test]
fn s6_a_removed_server_is_not_let_go_for_an_answer_that_comes_when_it_can_not_be_told_any_more() {
    let mut cluster = Cluster::with(3).config(|config| config.entries_kept = 0).led();
    cluster.hold(s(3), s(1));
    cluster.hold(s(1), s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.settle();
    let last = cluster.last(s(1));
    while cluster.last(s(3)) != last {
        cluster.deliver(s(1), s(3));
    }
    assert!(cluster.raft(s(3)).commit_index() < last.index && cluster.raft(s(1)).commit_index() == last.index);
    let late = cluster.on_the_way(s(3), s(1)).pop().expect("S3 has acknowledged it");
    assert!(matches!(&late, Message::AppendEntriesResponse(m) if m.outcome == AppendOutcome::Matched(last.index)));
    cluster.propose(s(1), "a");
    cluster.settle();
    // Nothing is kept for who is silent; and before S1 looks at its clock, it hears S3.
    cluster.stop_clock(s(3));
    cluster.run(ms(290));
    cluster.shift_clock(s(1), 10);
    cluster.snapshot(s(1));
    assert!(cluster.raft(s(1)).log().base().index > last.index);
    cluster.drop_everything();
    cluster.let_go(s(3), s(1));
    cluster.let_go(s(1), s(3));
    cluster.arrive(s(3), s(1), late);
    cluster.start_clock(s(3));
    cluster.run(ms(100));
    assert_eq!(cluster.raft(s(3)).commit_index(), cluster.raft(s(1)).commit_index(), "{}", cluster.status());
}

#[test]
fn s6_a_removed_server_that_stays_silent_is_sent_nothing_any_more() {
    let mut cluster = Cluster::led(3);
    cluster.crash(s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.run(ms(1_000));
    cluster.take_events();
    cluster.run(ms(1_000));
    let to_it = |event: &Event| matches!(event, Event::Sent(_, to, _) | Event::Lost(_, to, _) if *to == s(3));
    assert!(!cluster.take_events().iter().any(to_it));
}

#[test]
fn s6_a_leader_that_leaves_calls_on_the_voter_that_has_most_of_its_log() {
    let mut cluster = Cluster::led(4);
    cluster.hold(s(1), s(2));
    cluster.propose(s(1), "x=1");
    cluster.change(s(1), set(&[2, 3, 4]), set(&[]));
    cluster.settle();
    assert!(cluster.observed(s(1), |o| *o == Observation::HeirCalled { heir: s(3) }), "S2 is behind");
    cluster.let_go(s(1), s(2));
    cluster.settle();
    // No time has passed.
    assert!(cluster.leads(s(3)), "{}", cluster.status());
}

#[test]
fn s6_a_leader_answers_no_read_by_the_new_majority_alone_and_steps_down() {
    let mut cluster = with_learners();
    cluster.partition(&[&[1, 4, 5]]);
    cluster.change(s(1), set(&[1, 4, 5]), set(&[]));
    cluster.run(ms(150));
    assert!(cluster.leads(s(1)));
    let reads = [cluster.read(s(1)), cluster.lease_read(s(1))];
    cluster.run(ms(50));
    assert!(reads.iter().all(|read| cluster.answer(*read).is_none()), "S2 and S3 may have elected another");
    cluster.run(ms(300));
    assert!(!cluster.leads(s(1)));
}

#[test]
fn s6_a_learner_that_is_removed_is_told_so() {
    let mut cluster = with_learners();
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.run(ms(200));
    let removed = cluster.raft(s(5));
    assert_eq!(removed.configuration().learners, set(&[4]));
    assert_eq!(removed.commit_index(), cluster.raft(s(1)).commit_index());
}

#[test]
fn s6_a_leader_that_becomes_a_learner_makes_way_for_a_voter() {
    let mut cluster = Cluster::settled(4);
    cluster.change(s(1), set(&[1, 3, 4]), set(&[2]));
    cluster.run(ms(100));
    cluster.change(s(1), set(&[3, 4]), set(&[1, 2]));
    cluster.settle();
    // No time has passed. S2, a learner, has as much of the log.
    assert_eq!(cluster.leaders_now(), [s(3)], "{}", cluster.status());
}
