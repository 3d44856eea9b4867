//! Reads that are not written to the log.

use raft_core::raft::{Config, LeaseRefusal, Message, Refusal, Role};

use crate::support::{Answer, Cluster, ms, s, set};

/// S2 is elected by those it reaches, and `x=1` is committed.
fn s2_leads_and_writes(cluster: &mut Cluster) {
    cluster.campaign(s(2));
    cluster.settle();
    cluster.propose(s(2), "x=1");
    cluster.settle();
    assert_eq!(cluster.applied(s(2)), ["x=1"]);
}

/// S2 hears S1, on whose patience S1's lease rests, but learns of a later term by accident. The
/// candidate of that term asks for its vote then.
#[test]
fn a_voter_that_hears_a_leader_does_not_vote_even_in_its_own_term() {
    let mut cluster = Cluster::with(3).config(|config| config.pre_vote = false).start();
    cluster.sleep(ms(150));
    cluster.campaign(s(2));
    let late = cluster.take(s(2), s(3), 0);
    cluster.drop_everything();
    cluster.elect(s(1));
    cluster.run(ms(60));
    cluster.cut_both(s(1), s(3));
    cluster.hold(s(3), s(2));
    let term = cluster.term(s(1));
    cluster.time_out(s(3));
    assert_eq!(cluster.term(s(3)), term + 1, "S3 hears nobody and campaigns");
    // S3 refuses an old question of S2's, which tells S2 the term; only then S3's own question
    // arrives.
    cluster.arrive(s(2), s(3), late);
    assert!(matches!(cluster.deliver_nth(s(3), s(2), 1), Message::RequestVoteResponse(_)));
    assert_eq!(cluster.term(s(2)), term + 1);
    assert!(matches!(cluster.deliver(s(3), s(2)), Message::RequestVote(_)));
    cluster.isolate(s(1));
    cluster.let_go(s(3), s(2));
    cluster.settle();
    if cluster.leads(s(3)) {
        cluster.propose(s(3), "x=1");
        cluster.settle();
    }
    let read = cluster.lease_read(s(1));
    if let Some(Answer::Read(seen)) = cluster.answer(read) {
        assert_eq!(seen, cluster.applied(s(3)), "S1 answers under its lease what S3 has changed");
    }
}

#[test]
fn an_answer_from_before_a_read_confirms_nothing_for_it() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    // Heartbeats are answered, and the answers take their time.
    cluster.advance(ms(50));
    cluster.deliver_all(s(1), s(2));
    cluster.deliver_all(s(1), s(3));
    let late = [cluster.take(s(2), s(1), 0), cluster.take(s(3), s(1), 0)];
    cluster.isolate(s(1));
    cluster.sleep(ms(150));
    s2_leads_and_writes(&mut cluster);
    // Twice each: a count of answers must not be fooled either.
    let read = cluster.read(s(1));
    for (from, message) in [s(2), s(3), s(2), s(3)].into_iter().zip(late.iter().chain(&late)) {
        cluster.arrive(from, s(1), message.clone());
    }
    assert_eq!(cluster.answer(read), None, "S1 can't know that it leads no more");
}

#[test]
fn each_read_of_a_batch_has_an_index_of_its_own() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    cluster.isolate(s(3));
    cluster.propose(s(1), "x=1");
    cluster.deliver(s(1), s(2));
    let acknowledged = cluster.take(s(2), s(1), 0);
    let first = cluster.read(s(1));
    // The write is committed after the first read came, by an answer to an earlier round.
    cluster.arrive(s(2), s(1), acknowledged);
    assert_eq!(cluster.applied(s(1)), ["x=1"]);
    assert_eq!(cluster.answer(first), None);
    let second = cluster.read(s(1));
    cluster.settle();
    assert!(matches!(cluster.answer(first), Some(Answer::Read(_))));
    assert_eq!(cluster.answer(second), Some(&Answer::Read(vec!["x=1".into()])));
}

#[test]
fn a_followers_reads_have_indexes_of_their_own() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    cluster.hold(s(1), s(3));
    cluster.propose(s(1), "x=1");
    cluster.deliver(s(1), s(2));
    let acknowledged = cluster.take(s(2), s(1), 0);
    let first = cluster.read(s(3));
    cluster.deliver(s(3), s(1));
    // The write is committed while the first read still waits for its round; then the second comes.
    cluster.arrive(s(2), s(1), acknowledged);
    assert_eq!(cluster.applied(s(1)), ["x=1"]);
    let second = cluster.read(s(3));
    cluster.deliver(s(3), s(1));
    cluster.settle();
    // The answers overtake the entries.
    let waiting = cluster.on_the_way(s(1), s(3));
    let answers = waiting.iter().filter(|message| matches!(message, Message::ReadIndexResponse(_)));
    for answer in answers {
        cluster.arrive(s(1), s(3), answer.clone());
    }
    assert_eq!(cluster.answer(first), Some(&Answer::Read(vec![])));
    assert_eq!(cluster.answer(second), None, "S3 hasn't applied the write yet");
    cluster.heal();
    cluster.run(ms(120));
    assert_eq!(cluster.answer(second), Some(&Answer::Read(vec!["x=1".into()])));
}

#[test]
fn a_lease_is_lost_when_the_leaders_clock_goes_back() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    assert!(cluster.raft(s(1)).lease().is_ok());
    cluster.isolate(s(1));
    cluster.shift_clock(s(1), -100);
    cluster.fire_timer(s(1));
    cluster.sleep(ms(150));
    s2_leads_and_writes(&mut cluster);
    // By S1's clock no more than 60 ms have passed since its heartbeats were answered.
    let read = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(read), None);
}

#[test]
fn a_lease_is_over_when_the_leaders_clock_jumps_ahead() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    cluster.isolate(s(1));
    cluster.shift_clock(s(1), 200);
    let read = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(read), None);
}

#[test]
fn a_lease_holds_through_the_restart_of_those_it_rests_on() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    for server in [s(2), s(3)] {
        cluster.crash(server);
        cluster.restart(server);
    }
    cluster.isolate(s(1));
    cluster.campaign(s(2));
    cluster.settle();
    assert!(!cluster.leads(s(2)), "neither has forgotten that it may have promised to wait");
    let read = cluster.lease_read(s(1));
    assert!(matches!(cluster.answer(read), Some(Answer::Read(_))));
}

#[test]
fn a_candidate_waits_for_its_own_patience_too() {
    let mut cluster = Cluster::with(3).config(|config| config.pre_vote = false).led();
    cluster.run(ms(60));
    cluster.campaign(s(2));
    cluster.settle();
    assert_eq!((cluster.leader(), cluster.term(s(2))), (Some(s(1)), 1), "its own vote is a vote too");
}

#[test]
fn every_read_that_is_not_answered_is_refused_with_its_reason() {
    let mut cluster = Cluster::new(3);
    let nobody = cluster.read(s(3));
    assert_eq!(cluster.refusal(nobody), Refusal::NotLeader { leader: None });
    cluster.elect(s(1));
    cluster.run(ms(60));
    // Its leader is gone before it can answer.
    cluster.isolate(s(1));
    let forwarded = cluster.read(s(3));
    let waiting = cluster.read(s(1));
    cluster.run(ms(400));
    assert_eq!(cluster.refusal(forwarded), Refusal::ReadTimedOut);
    assert_eq!(cluster.refusal(waiting), Refusal::LeadershipLost);
    // Its leader has been deposed, and says so.
    cluster.heal();
    cluster.run(ms(1_000));
    let leader = cluster.leader().expect("somebody leads");
    let asker = cluster.servers().into_iter().find(|server| *server != leader).expect("there are three");
    cluster.hold(asker, leader);
    let asked = cluster.read(asker);
    let question = cluster.take(asker, leader, cluster.on_the_way(asker, leader).len() - 1);
    cluster.crash(leader);
    cluster.restart(leader);
    cluster.arrive(asker, leader, question);
    cluster.deliver_all(leader, asker);
    assert!(matches!(cluster.refusal(asked), Refusal::NotLeader { .. }));
}

#[test]
fn a_follower_whose_read_waits_at_a_leader_that_steps_down_is_told() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    cluster.cut(s(2), s(1));
    cluster.hold(s(1), s(3));
    let read = cluster.read(s(3));
    cluster.settle();
    cluster.cut(s(3), s(1));
    cluster.advance(ms(200));
    assert_eq!(cluster.answer(read), None);
    cluster.advance(ms(99));
    cluster.fire_timer(s(1));
    cluster.deliver_all(s(1), s(3));
    if !cluster.leads(s(1)) {
        assert!(matches!(cluster.refusal(read), Refusal::NotLeader { .. }));
    }
}

/// The leader's answer takes its time, and meanwhile the server that asked starts anew, asks again,
/// and has missed a write.
fn a_late_answer_releases_no_later_read(start_anew: impl Fn(&mut Cluster)) {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "x=1");
    cluster.run(ms(100));
    cluster.hold(s(1), s(2));
    cluster.read(s(2));
    cluster.settle();
    let answer = |message: &Message| matches!(message, Message::ReadIndexResponse(_));
    let place = cluster.on_the_way(s(1), s(2)).iter().position(answer).expect("S1 has answered");
    let late = cluster.take(s(1), s(2), place);
    cluster.crash(s(2));
    cluster.drop_everything();
    cluster.let_go(s(1), s(2));
    start_anew(&mut cluster);
    cluster.run(ms(200));
    cluster.hold(s(1), s(2));
    cluster.propose(s(1), "x=2");
    cluster.settle();
    assert_eq!(cluster.applied(s(1)), ["x=1", "x=2"]);
    let read = cluster.read(s(2));
    cluster.arrive(s(1), s(2), late);
    assert_eq!(cluster.answer(read), None, "the old answer is no answer to it");
    cluster.let_go(s(1), s(2));
    cluster.run(ms(100));
    assert_eq!(cluster.answer(read), Some(&Answer::Read(vec!["x=1".to_owned(), "x=2".to_owned()])));
}

#[test]
fn an_answer_to_a_read_from_before_a_restart_releases_no_later_read() {
    a_late_answer_releases_no_later_read(|cluster| cluster.restart(s(2)));
}

/// Two disks under one name number their questions alike.
#[test]
fn an_answer_to_a_read_from_before_a_lost_disk_releases_no_later_read() {
    a_late_answer_releases_no_later_read(|cluster| cluster.restart_wiped(s(2)));
}

#[test]
fn a_question_leaves_only_when_the_number_of_its_life_is_on_the_disk() {
    let mut cluster = Cluster::settled(3);
    cluster.hold_disk(s(2));
    let first = cluster.read(s(2));
    cluster.settle();
    assert_eq!(cluster.answer(first), None);
    cluster.fsync(s(2));
    cluster.run(ms(60));
    assert!(matches!(cluster.answer(first), Some(Answer::Read(_))));
    let second = cluster.read(s(2));
    cluster.run(ms(60));
    assert!(matches!(cluster.answer(second), Some(Answer::Read(_))), "once a life is enough");
}

#[test]
fn a_followers_read_whose_entries_do_not_come_is_refused() {
    let mut cluster = Cluster::settled(3);
    cluster.hold(s(1), s(3));
    cluster.propose(s(1), "x=1");
    cluster.settle();
    let read = cluster.read(s(3));
    cluster.settle();
    let answer = |message: &Message| matches!(message, Message::ReadIndexResponse(_));
    let place = cluster.on_the_way(s(1), s(3)).iter().position(answer).expect("S1 has answered");
    let answer = cluster.take(s(1), s(3), place);
    cluster.arrive(s(1), s(3), answer);
    cluster.isolate(s(3));
    cluster.run(ms(1_000));
    assert_eq!(cluster.refusal(read), Refusal::ReadTimedOut);
}

/// The read waits for a round that a server was asked to answer which is no voter any more.
#[test]
fn a_read_is_answered_when_the_membership_shrinks_to_its_leader() {
    let mut cluster = Cluster::settled(2);
    cluster.hold_disk(s(1));
    cluster.change(s(1), set(&[1]), set(&[]));
    cluster.deliver_all(s(1), s(2));
    cluster.hold(s(1), s(2));
    let reads = [cluster.read(s(1)), cluster.read(s(1))];
    cluster.deliver_all(s(2), s(1));
    cluster.release_disk(s(1));
    cluster.crash(s(2));
    assert!(!cluster.raft(s(1)).configuration().is_joint());
    for read in reads {
        assert!(matches!(cluster.answer(read), Some(Answer::Read(_))));
    }
}

#[test]
fn reads_at_a_cut_off_leader_that_checks_no_quorum_are_refused() {
    let mut cluster = Cluster::with(3).config(|config| config.check_quorum = false).settled();
    cluster.isolate(s(1));
    let reads: Vec<_> = (0..50).map(|_| cluster.read(s(1))).collect();
    cluster.run(ms(2_000));
    assert!(cluster.leads(s(1)), "it never learns");
    for read in reads {
        assert_eq!(cluster.refusal(read), Refusal::ReadTimedOut);
    }
}

/// Servers are given another election timeout one after the other, and the leader has the longer
/// one first.
#[test]
fn a_lease_rests_on_the_followers_patience_and_not_on_the_leaders_own() {
    let mut cluster = Cluster::new(3);
    for server in [1, 2, 3] {
        cluster.crash(s(server));
    }
    cluster
        .configure(s(1), |config| (config.election_timeout_min, config.election_timeout_max) = (ms(1_500), ms(3_000)));
    for server in [1, 2, 3] {
        cluster.restart(s(server));
    }
    cluster.sleep(ms(1_600));
    cluster.campaign(s(1));
    cluster.settle();
    cluster.run(ms(100));
    let read = cluster.lease_read(s(1));
    assert!(matches!(cluster.answer(read), Some(Answer::Read(_))), "there is a lease");
    cluster.isolate(s(1));
    cluster.sleep(ms(160));
    s2_leads_and_writes(&mut cluster);
    let read = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(read), None, "S2 has been elected");
}

#[test]
fn a_lease_rests_on_nobody_who_does_not_ignore_campaigns() {
    let mut cluster = Cluster::new(3);
    for server in [2, 3] {
        cluster.crash(s(server));
        cluster.configure(s(server), |config| config.check_quorum = false);
        cluster.restart(s(server));
    }
    cluster.elect(s(1));
    cluster.run(ms(100));
    assert_eq!(cluster.raft(s(1)).lease(), Err(LeaseRefusal::NoCheckQuorum));
    cluster.isolate(s(1));
    s2_leads_and_writes(&mut cluster);
    let read = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(read), None);
}

/// What no leader can know: a server that comes back with a shorter election timeout keeps no
/// longer promise that it gave before. The essay says so; this is what happens where nobody lets
/// the longer one pass first.
#[test]
fn a_restart_with_a_shorter_election_timeout_breaks_a_lease_that_rests_on_the_longer_one() {
    let long =
        |config: &mut Config| (config.election_timeout_min, config.election_timeout_max) = (ms(1_500), ms(3_000));
    for wait in [false, true] {
        let mut cluster = Cluster::with(3).config(long).settled();
        cluster.isolate(s(1));
        for server in [s(2), s(3)] {
            cluster.crash(server);
            cluster.configure(server, |config| {
                (config.election_timeout_min, config.election_timeout_max) = (ms(150), ms(300));
            });
        }
        if wait {
            cluster.sleep(ms(1_500));
        }
        cluster.restart(s(2));
        cluster.restart(s(3));
        cluster.sleep(ms(160));
        s2_leads_and_writes(&mut cluster);
        let read = cluster.lease_read(s(1));
        let stale = cluster.answer(read) == Some(&Answer::Read(Vec::new()));
        assert_eq!(stale, !wait, "{:?}", cluster.answer(read));
    }
}

/// An old leader's answer names a round, and the same server leads again, in a later term, with
/// rounds of the same numbers.
#[test]
fn an_answer_to_an_earlier_term_of_the_same_leader_confirms_no_read() {
    let mut cluster = Cluster::new(3);
    let round = |cluster: &Cluster| match cluster.raft(s(1)).role() {
        Role::Leader(leader) => leader.round(),
        other => panic!("S1 is a {}", other.name()),
    };
    // In its first term, S1 begins a third round, of which S2 hears much later.
    cluster.elect(s(1));
    cluster.read(s(1));
    cluster.settle();
    cluster.read(s(1));
    let third = round(&cluster);
    let late = cluster.take(s(1), s(2), 0);
    cluster.settle();
    // S1 leads a second term, and S2 tells it then that the first one is over.
    for (from, to) in [(s(1), s(2)), (s(2), s(1))] {
        cluster.transfer(from, to);
        cluster.settle();
        assert!(cluster.leads(to));
    }
    cluster.arrive(s(1), s(2), late);
    let answer = cluster.take(s(2), s(1), 0);
    assert_eq!(answer.term(), cluster.raft(s(1)).term());
    // S3 is elected, and S1 doesn't hear of it, until that answer comes.
    cluster.isolate(s(1));
    cluster.sleep(ms(200));
    cluster.campaign(s(3));
    cluster.settle();
    cluster.propose(s(3), "x=2");
    cluster.settle();
    let read = cluster.read(s(1));
    while round(&cluster) < third {
        cluster.time_out(s(1));
    }
    cluster.arrive(s(2), s(1), answer);
    assert_eq!(cluster.answer(read), None, "x=2 is committed, and S1 hasn't got it");
}

/// A clock that is set back and comes by where it was looks as if no time had passed. Who looks at
/// it when it is set knows better.
#[test]
fn a_clock_set_back_ends_a_lease_if_the_server_looks_at_it_then() {
    for looks in [true, false] {
        let mut cluster = Cluster::settled(3);
        cluster.shift_clock(s(1), -300);
        if looks {
            cluster.fire_timer(s(1));
        }
        cluster.isolate(s(1));
        cluster.sleep(ms(310));
        s2_leads_and_writes(&mut cluster);
        let read = cluster.lease_read(s(1));
        let stale = cluster.answer(read) == Some(&Answer::Read(Vec::new()));
        assert_eq!(stale, !looks, "{:?}", cluster.answer(read));
    }
}

#[test]
fn a_lease_does_not_come_back_when_a_transfer_has_timed_out() {
    let mut cluster = Cluster::settled(3);
    cluster.transfer(s(1), s(2));
    let late = cluster.take(s(1), s(2), 0);
    assert!(matches!(late, Message::TimeoutNow(_)));
    cluster.run(ms(400));
    assert!(cluster.leads(s(1)));
    assert_eq!(cluster.raft(s(1)).lease(), Err(LeaseRefusal::Transferring));
    // The successor is told only now.
    cluster.isolate(s(1));
    cluster.arrive(s(1), s(2), late);
    cluster.settle();
    cluster.propose(s(2), "x=1");
    cluster.settle();
    assert_eq!(cluster.applied(s(2)), ["x=1"]);
    let read = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(read), None);
}

#[test]
fn answers_to_rounds_from_before_the_clock_went_back_give_no_lease() {
    let mut cluster = Cluster::led(3);
    cluster.run(ms(60));
    for server in [s(2), s(3)] {
        cluster.hold(server, s(1));
    }
    cluster.run(ms(50));
    cluster.shift_clock(s(1), -100);
    cluster.fire_timer(s(1));
    for server in [s(2), s(3)] {
        cluster.deliver_all(server, s(1));
    }
    cluster.isolate(s(1));
    cluster.sleep(ms(150));
    s2_leads_and_writes(&mut cluster);
    let read = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(read), None);
}

/// The followers have a longer election timeout first, and restart with the leader's.
#[test]
fn a_leader_counts_on_no_more_patience_than_its_own() {
    let mut cluster = Cluster::new(3);
    let timeouts = |cluster: &mut Cluster, min, max| {
        for server in [s(2), s(3)] {
            cluster.crash(server);
            cluster.configure(server, |config| {
                (config.election_timeout_min, config.election_timeout_max) = (ms(min), ms(max));
            });
            cluster.restart(server);
        }
    };
    timeouts(&mut cluster, 1_500, 3_000);
    cluster.sleep(ms(1_500));
    cluster.elect(s(1));
    assert!(cluster.raft(s(1)).lease().is_ok());
    cluster.isolate(s(1));
    timeouts(&mut cluster, 150, 300);
    cluster.sleep(ms(150));
    s2_leads_and_writes(&mut cluster);
    let read = cluster.lease_read(s(1));
    assert_eq!(cluster.answer(read), None);
}
