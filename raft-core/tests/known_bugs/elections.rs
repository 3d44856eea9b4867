//! Terms, votes, pre-votes, and who gets to lead.

use raft_core::raft::{Message, PreVoteResponse, RequestVoteResponse, Role, Term};

use crate::support::{Cluster, Setup, image, ms, s};

/// So many servers that campaign without asking first.
fn blunt(count: u8) -> Setup {
    Cluster::with(count).config(|config| config.pre_vote = false)
}

#[test]
fn a_later_term_beats_a_longer_log() {
    // The candidate's log ends with 5@3, the voter's with 9@2; S3 is down.
    let mut cluster =
        Cluster::with(3).log(s(1), 3, &[1, 1, 1, 1, 3]).log(s(2), 3, &[1, 2, 2, 2, 2, 2, 2, 2, 2]).start();
    cluster.crash(s(3));
    cluster.sleep(ms(150));
    cluster.campaign(s(2));
    cluster.settle();
    assert!(!cluster.leads(s(2)), "its log is longer, and ends in an earlier term");
    cluster.elect(s(1));
}

#[test]
fn a_voter_that_answers_twice_counts_once() {
    let mut cluster = blunt(5).start();
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    cluster.deliver(s(1), s(2));
    cluster.duplicate(s(2), s(1));
    cluster.duplicate(s(2), s(1));
    assert_eq!(cluster.deliver_all(s(2), s(1)), 3);
    assert!(matches!(cluster.raft(s(1)).role(), Role::Candidate(campaign) if campaign.granted.len() == 2));
    cluster.deliver(s(1), s(3));
    cluster.deliver(s(3), s(1));
    assert!(cluster.leads(s(1)));
}

#[test]
fn a_crash_between_a_vote_and_its_write_makes_no_second_vote() {
    // The crash leaves nothing of the write, or all of it.
    for kept in 0..=1 {
        let mut cluster = blunt(3).start();
        cluster.sleep(ms(150));
        cluster.hold_disk(s(3));
        cluster.campaign(s(1));
        cluster.deliver(s(1), s(3));
        assert!(cluster.on_the_way(s(3), s(1)).is_empty(), "the vote is not durable yet");
        assert_eq!(cluster.disk(s(3)).unsynced_parts(), 1);
        cluster.crash_keeping(s(3), kept);
        cluster.restart(s(3));
        cluster.release_disk(s(3));
        let voted = cluster.raft(s(3)).hard_state().voted_for;
        assert_eq!((cluster.term(s(3)), voted), if kept == 1 { (1, Some(s(1))) } else { (0, None) });
        cluster.drop_everything();
        cluster.sleep(ms(150));
        cluster.campaign(s(2));
        cluster.settle();
        assert_eq!(cluster.leads(s(2)), kept == 0, "S3 has a vote left only if it knows of none");
    }
}

#[test]
fn term_vote_and_log_are_found_again_after_a_crash_at_any_moment() {
    // Two elections and three writes; after each message that arrives, everybody crashes and
    // restarts, once.
    for crash_after in 0.. {
        let mut cluster = blunt(3).start();
        cluster.sleep(ms(150));
        cluster.campaign(s(1));
        cluster.settle();
        for command in ["a", "b", "c"] {
            cluster.propose(s(1), command);
        }
        cluster.sleep(ms(300));
        cluster.campaign(s(2));
        let mut arrived = 0;
        while let Some((from, to)) = cluster.next_busy_link(None).filter(|_| arrived < crash_after) {
            cluster.deliver(from, to);
            arrived += 1;
        }
        let before: Vec<_> = cluster.servers().into_iter().map(|server| found(&cluster, server)).collect();
        for server in cluster.servers() {
            cluster.crash(server);
            cluster.restart(server);
            assert_eq!(cluster.raft(server).log(), cluster.disk(server).image().log());
        }
        let after: Vec<_> = cluster.servers().into_iter().map(|server| found(&cluster, server)).collect();
        assert_eq!(after, before, "after {crash_after} messages");
        if arrived < crash_after {
            break;
        }
    }
}

/// What a server must find again: term, vote and the end of its log.
fn found(cluster: &Cluster, server: raft_core::raft::ServerId) -> (u64, Option<raft_core::raft::ServerId>, u64) {
    (cluster.term(server), cluster.raft(server).hard_state().voted_for, cluster.last(server).index.0)
}

#[test]
fn a_pre_vote_is_not_a_vote() {
    let mut cluster = Cluster::new(5);
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    for voter in 2..=5 {
        cluster.deliver(s(1), s(voter));
    }
    // Two say yes, and S1 campaigns; the other two say it late.
    cluster.deliver(s(2), s(1));
    cluster.deliver(s(3), s(1));
    assert!(matches!(cluster.raft(s(1)).role(), Role::Candidate(_)));
    cluster.deliver(s(4), s(1));
    cluster.deliver(s(5), s(1));
    assert!(matches!(cluster.raft(s(1)).role(), Role::Candidate(campaign) if campaign.granted.len() == 1));
    assert!(!cluster.leads(s(1)));
    // And an answer to an earlier question counts for nothing in a later one.
    cluster.drop_everything();
    cluster.time_out(s(1));
    let late = PreVoteResponse { term: Term(0), asked_in: Term(0), granted: true };
    for voter in 2..=5 {
        cluster.arrive(s(voter), s(1), Message::PreVoteResponse(late.clone()));
    }
    assert!(matches!(cluster.raft(s(1)).role(), Role::PreCandidate(campaign) if campaign.granted.len() == 1));
}

#[test]
fn a_vote_is_no_answer_to_a_pre_vote() {
    let mut cluster = Cluster::new(3);
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    let vote = RequestVoteResponse { term: Term(0), granted: true };
    cluster.arrive(s(2), s(1), Message::RequestVoteResponse(vote));
    assert!(matches!(cluster.raft(s(1)).role(), Role::PreCandidate(campaign) if campaign.granted.len() == 1));
}

#[test]
fn asking_before_campaigning_raises_nobodys_term() {
    let mut cluster = Cluster::led(3);
    cluster.isolate(s(3));
    cluster.run(ms(5_000));
    assert_eq!(cluster.term(s(3)), 1, "it has asked many times and never had a quorum");
    // Its question has a higher term in mind than the leader's, and disturbs nobody when it
    // arrives.
    cluster.heal();
    cluster.campaign(s(3));
    cluster.settle();
    cluster.run(ms(1_000));
    assert_eq!((cluster.leader(), cluster.term(s(1)), cluster.term(s(2))), (Some(s(1)), 1, 1));
}

#[test]
fn split_pre_votes_end_in_one_leader() {
    let mut cluster = Cluster::new(4);
    cluster.sleep(ms(300));
    for candidate in 1..=4 {
        cluster.campaign(s(candidate));
    }
    cluster.run(ms(3_000));
    assert_eq!(cluster.leaders_now().len(), 1);
}

#[test]
fn a_pre_vote_of_a_voter_in_an_older_term_counts() {
    let mut cluster = Cluster::with(3).log(s(1), 7, &[1, 1]).log(s(2), 5, &[1]).start();
    cluster.crash(s(3));
    cluster.elect(s(1));
    assert_eq!(cluster.term(s(2)), 8);
}

// -------------------------------------------------------------------- partial connectivity

/// How often the leader of the moment commits something in three seconds of this network, and by
/// how much the terms grow.
fn work_done(mut cluster: Cluster, shape: impl Fn(&mut Cluster)) -> (usize, u64) {
    cluster.elect(s(1));
    cluster.run(ms(100));
    shape(&mut cluster);
    cluster.run(ms(1_500));
    let highest = |cluster: &Cluster| cluster.servers().iter().map(|server| cluster.term(*server)).max().unwrap_or(0);
    let term = highest(&cluster);
    let mut committed = 0;
    for _ in 0..30 {
        cluster.run(ms(100));
        let Some(leader) = cluster.leader() else { continue };
        let before = cluster.commit(leader);
        cluster.propose(leader, "x");
        cluster.settle();
        committed += usize::from(cluster.leads(leader) && cluster.commit(leader) > before);
    }
    (committed, highest(&cluster) - term)
}

/// With both rules of the dissertation (§9.6 pre-vote, §6.2 check-quorum), and without.
fn careful_and_blunt(count: u8) -> [Cluster; 2] {
    let reckless = Cluster::with(count).config(|config| (config.pre_vote, config.check_quorum) = (false, false));
    [Cluster::new(count), reckless.start()]
}

#[test]
fn a_leader_that_hears_nobody_gives_way_to_one_that_does() {
    // Everybody hears S1, and S1 hears nobody.
    let shape = |cluster: &mut Cluster| {
        for other in 2..=5 {
            cluster.cut(s(other), s(1));
        }
    };
    let [careful, reckless] = careful_and_blunt(5).map(|cluster| work_done(cluster, shape));
    assert_eq!(careful, (30, 0), "one leader emerges, stays, and commits");
    assert_eq!(reckless.0, 0, "without check-quorum S1 keeps everybody waiting for ever");
}

#[test]
fn a_chain_has_one_leader_that_stays() {
    let shape = |cluster: &mut Cluster| cluster.connect_only(&[(1, 2), (2, 3)]);
    assert_eq!(work_done(Cluster::new(3), shape), (30, 0));
}

#[test]
fn one_server_that_reaches_a_quorum_is_enough() {
    // A star: only S3 reaches everybody.
    let shape = |cluster: &mut Cluster| cluster.connect_only(&[(3, 1), (3, 2), (3, 4), (3, 5)]);
    assert_eq!(work_done(Cluster::new(5), shape), (30, 0));
}

#[test]
fn a_bridge_between_two_halves_has_one_leader_that_stays() {
    // S1 and S2, S4 and S5, and S3, which reaches all of them.
    let shape = |cluster: &mut Cluster| cluster.connect_only(&[(1, 2), (1, 3), (2, 3), (3, 4), (3, 5), (4, 5)]);
    assert_eq!(work_done(Cluster::new(5), shape), (30, 0));
}

#[test]
fn a_ring_has_one_leader_that_stays() {
    let shape = |cluster: &mut Cluster| cluster.connect_only(&[(1, 2), (2, 3), (3, 4), (4, 5), (5, 1)]);
    assert_eq!(work_done(Cluster::new(5), shape), (30, 0));
}

#[test]
fn a_server_that_hears_nobody_disturbs_nobody() {
    let shape = |cluster: &mut Cluster| {
        for other in [1, 2, 4, 5] {
            cluster.cut(s(other), s(3));
        }
    };
    let [careful, reckless] = careful_and_blunt(5).map(|cluster| work_done(cluster, shape));
    assert_eq!(careful, (30, 0));
    assert!(
        reckless.1 >= 2,
        "without pre-vote it raises everybody's term again and again, though it waits longer each time: {reckless:?}"
    );
}

#[test]
fn images_of_damaged_disks_are_refused() {
    use raft_core::raft::{Config, Configuration, DurableError, LogIndex, Raft, ServerSet, Start, StartError};
    use raft_core::time::Time;
    let start = |term, terms: &[u64]| {
        let bootstrap = Configuration::of_voters(ServerSet::first(3));
        Raft::new(Config::new(s(1), 1), Start::Restart(image(term, terms), bootstrap), Time::ZERO)
            .map(|raft| raft.term())
    };
    assert_eq!(start(3, &[1, 3]).map(|term| term.0), Ok(3));
    let reversed = DurableError::TermsOutOfOrder(LogIndex(3));
    assert_eq!(start(3, &[1, 3, 2]), Err(StartError::Durable(reversed)));
    let ahead = DurableError::TermAhead { entry: crate::support::id(2, 3), term: Term(2) };
    assert_eq!(start(2, &[1, 3]), Err(StartError::Durable(ahead)));
}

#[test]
fn nobody_is_elected_while_a_lease_holds_however_soon_after_its_end() {
    let mut cluster = Cluster::led(3);
    cluster.isolate(s(1));
    cluster.sleep(ms(134));
    cluster.campaign(s(2));
    cluster.settle();
    assert!(cluster.raft(s(1)).lease().is_ok());
    assert!(!cluster.leads(s(2)), "S3 ignores campaigns for longer than S1's lease lasts");
}
