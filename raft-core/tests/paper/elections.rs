//! §5.1, terms, and §5.2, leader election.

use std::collections::BTreeSet;

use raft_core::raft::{AppendEntries, Entries, EntryId, LogIndex, Message, RequestVote, Role, Term};

use crate::support::{Cluster, Setup, ms, s};

/// So many servers that campaign without asking first, as in the paper.
fn plain(count: u8) -> Setup {
    Cluster::with(count).config(|config| (config.pre_vote, config.check_quorum) = (false, false))
}

/// A heartbeat of `leader` in `term`.
fn heartbeat(term: u64) -> Message {
    let (previous, entries) = (EntryId::ZERO, Entries::None);
    Message::AppendEntries(AppendEntries {
        term: Term(term),
        previous,
        entries,
        commit: LogIndex::ZERO,
        round: 1,
        probe: 0,
    })
}

// -------------------------------------------------------------------- §5.1

#[test]
fn s5_1_a_server_that_starts_is_a_follower_of_term_zero() {
    let cluster = Cluster::new(3);
    for server in cluster.servers() {
        assert!(matches!(cluster.raft(server).role(), Role::Follower));
        assert_eq!((cluster.term(server), cluster.raft(server).leader()), (0, None));
    }
}

#[test]
fn s5_1_whoever_sees_a_higher_term_adopts_it_and_follows() {
    // A follower, a candidate and a leader, by each kind of message that carries a term.
    let ask = RequestVote { term: Term(9), last: EntryId::ZERO, leadership_transfer: false };
    for message in [heartbeat(9), Message::RequestVote(ask)] {
        let mut cluster = plain(3).start();
        cluster.arrive(s(3), s(2), message.clone());
        assert_eq!(cluster.term(s(2)), 9);

        let mut cluster = plain(3).start();
        cluster.campaign(s(1));
        assert!(matches!(cluster.raft(s(1)).role(), Role::Candidate(_)));
        cluster.arrive(s(3), s(1), message.clone());
        assert_eq!(cluster.term(s(1)), 9);
        assert!(matches!(cluster.raft(s(1)).role(), Role::Follower));

        let mut cluster = plain(3).led();
        cluster.arrive(s(3), s(1), message);
        assert_eq!(cluster.term(s(1)), 9);
        assert!(!cluster.leads(s(1)));
    }
}

#[test]
fn s5_1_an_answer_with_a_higher_term_deposes_a_leader() {
    let mut cluster = plain(3).led();
    cluster.isolate(s(1));
    cluster.elect(s(2));
    cluster.heal();
    // S1's heartbeat is refused, and the refusal says why.
    cluster.advance(ms(50));
    cluster.deliver(s(1), s(3));
    cluster.deliver(s(3), s(1));
    assert!(!cluster.leads(s(1)));
    assert_eq!(cluster.term(s(1)), 2);
}

#[test]
fn s5_1_what_comes_from_an_older_term_is_refused() {
    let mut cluster = plain(3).log(s(2), 5, &[1, 1]).start();
    let log = cluster.raft(s(2)).log().clone();
    let append = AppendEntries {
        term: Term(4),
        previous: EntryId::ZERO,
        entries: Entries::One(crate::support::command(4, "late")),
        commit: LogIndex(1),
        round: 1,
        probe: 0,
    };
    cluster.arrive(s(1), s(2), Message::AppendEntries(append));
    let ask = RequestVote { term: Term(4), last: EntryId::new(LogIndex(9), Term(4)), leadership_transfer: false };
    cluster.arrive(s(3), s(2), Message::RequestVote(ask));
    let raft = cluster.raft(s(2));
    assert_eq!((raft.log(), raft.commit_index(), raft.leader()), (&log, LogIndex::ZERO, None));
    assert_eq!((raft.term(), raft.hard_state().voted_for), (Term(5), None));
    for from in [s(1), s(3)] {
        assert_eq!(cluster.on_the_way(s(2), from)[0].term(), Term(5), "the sender learns of the newer term");
    }
}

// -------------------------------------------------------------------- §5.2

#[test]
fn s5_2_a_follower_that_hears_nobody_campaigns_after_an_election_timeout() {
    let mut cluster = plain(3).start();
    let wait = cluster.raft(s(1)).deadline();
    let due: Vec<_> = cluster.servers().into_iter().map(|server| cluster.raft(server).deadline()).collect();
    for due in due {
        assert!((150_000..=300_000).contains(&due.as_micros()));
    }
    cluster.stop_clock(s(2));
    cluster.stop_clock(s(3));
    cluster.sleep(ms(wait.as_micros() / 1_000));
    cluster.fire_timer(s(1));
    assert!(matches!(cluster.raft(s(1)).role(), Role::Follower), "it isn't time yet");
    cluster.sleep(ms(1));
    cluster.fire_timer(s(1));
    assert!(matches!(cluster.raft(s(1)).role(), Role::Candidate(_)));
    let hard_state = cluster.raft(s(1)).hard_state();
    assert_eq!((hard_state.term, hard_state.voted_for), (Term(1), Some(s(1))), "it votes for itself");
    for voter in [s(2), s(3)] {
        assert!(matches!(cluster.on_the_way(s(1), voter)[..], [Message::RequestVote(_)]));
    }
}

#[test]
fn s5_2_a_candidate_with_a_majority_leads_and_says_so_at_once() {
    for count in 1..=9_u8 {
        let mut cluster = plain(count).start();
        cluster.sleep(ms(150));
        cluster.campaign(s(1));
        let majority = count / 2 + 1;
        for voter in 2..=count {
            assert_eq!(cluster.leads(s(1)), voter > majority, "{count} servers, {} votes", voter - 1);
            cluster.deliver(s(1), s(voter));
            cluster.deliver(s(voter), s(1));
        }
        assert!(cluster.leads(s(1)));
        for member in 2..=count {
            assert!(matches!(cluster.on_the_way(s(1), s(member))[0], Message::AppendEntries(_)));
        }
    }
}

#[test]
fn s5_2_a_candidate_that_hears_the_winner_follows_it() {
    let mut cluster = plain(3).start();
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    cluster.campaign(s(2));
    cluster.deliver(s(1), s(3));
    cluster.deliver(s(3), s(1));
    assert!(cluster.leads(s(1)));
    cluster.settle();
    assert!(matches!(cluster.raft(s(2)).role(), Role::Follower));
    assert_eq!((cluster.term(s(2)), cluster.raft(s(2)).leader()), (1, Some(s(1))), "in its own term");
}

#[test]
fn s5_2_a_split_vote_ends_in_another_election() {
    let mut cluster = plain(4).start();
    cluster.sleep(ms(150));
    for candidate in 1..=4 {
        cluster.campaign(s(candidate));
    }
    cluster.settle();
    assert_eq!(cluster.leader(), None, "everybody has voted for itself");
    cluster.run_until(ms(5_000), "a leader", |cluster| cluster.leader().is_some());
    assert!(cluster.term(s(1)) > 1);
}

#[test]
fn s5_2_a_vote_is_given_first_come_first_served() {
    let mut cluster = plain(3).start();
    cluster.sleep(ms(150));
    cluster.campaign(s(2));
    cluster.campaign(s(1));
    cluster.deliver(s(2), s(3));
    cluster.deliver(s(1), s(3));
    assert_eq!(cluster.raft(s(3)).hard_state().voted_for, Some(s(2)));
    assert!(matches!(cluster.on_the_way(s(3), s(1))[..], [Message::RequestVoteResponse(ref m)] if !m.granted));
}

#[test]
fn s5_2_a_voter_that_is_asked_again_says_the_same() {
    let mut cluster = plain(3).start();
    cluster.sleep(ms(150));
    cluster.campaign(s(1));
    cluster.duplicate(s(1), s(3));
    cluster.deliver(s(1), s(3));
    cluster.deliver(s(1), s(3));
    let answers = cluster.on_the_way(s(3), s(1));
    assert!(
        matches!(&answers[..], [Message::RequestVoteResponse(a), Message::RequestVoteResponse(b)] if a.granted && a == b)
    );
}

#[test]
fn s5_2_heartbeats_keep_followers_from_campaigning() {
    let mut cluster = plain(5).led();
    cluster.run(ms(10_000));
    assert_eq!((cluster.leader(), cluster.term(s(5))), (Some(s(1)), 1));
}

#[test]
fn s5_2_election_timeouts_are_drawn_anew_each_time() {
    // Whoever only asks whether it would be voted for.
    let mut cluster = Cluster::new(2);
    cluster.crash(s(2));
    let mut timeouts = BTreeSet::new();
    for _ in 0..200 {
        let (_, timeout) = cluster.raft(s(1)).election_timer().expect("it follows or campaigns");
        assert!((150_000..=300_000).contains(&timeout.as_micros()));
        timeouts.insert(timeout.as_micros());
        cluster.time_out(s(1));
    }
    assert!(timeouts.len() > 190, "only {} different timeouts of 200", timeouts.len());
    assert!(timeouts.first().is_some_and(|t| *t < 160_000) && timeouts.last().is_some_and(|t| *t > 290_000));
}

#[test]
fn s5_2_granting_a_vote_starts_the_election_timer_again() {
    let mut cluster = plain(3).start();
    cluster.sleep(ms(140));
    cluster.campaign(s(1));
    cluster.deliver(s(1), s(2));
    let due = cluster.raft(s(2)).deadline();
    assert!(due >= cluster.clock(s(2)) + ms(150));
}

#[test]
fn s5_2_a_refusal_leaves_the_election_timer_alone() {
    let mut cluster = plain(3).log(s(2), 1, &[1]).start();
    let due = cluster.raft(s(2)).deadline();
    cluster.sleep(ms(100));
    cluster.campaign(s(1));
    cluster.campaign(s(1));
    cluster.deliver_all(s(1), s(2));
    assert_eq!(cluster.raft(s(2)).deadline(), due, "or a candidate that can't win would keep everybody from winning");
}
