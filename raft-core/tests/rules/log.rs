//! Rules about appending, committing and snapshots.

use raft_core::raft::{AppendEntries, Entries, LogIndex, Message, Rule, Term};

use crate::both_ways::{both_ways, try_to_elect};
use crate::support::{Cluster, id, ms, s};

#[test]
fn logs_have_no_holes_because_an_append_builds_on_an_entry_both_have() {
    both_ways(Rule::CheckPreviousEntry, "State machine safety", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.propose(s(1), "a");
        cluster.propose(s(1), "b");
        cluster.take(s(1), s(3), 0);
        cluster.settle();
        cluster.run(ms(200));
    });
}

#[test]
fn an_old_append_drops_nothing_acknowledged_because_only_conflicts_do() {
    both_ways(Rule::TruncateOnlyOnConflict, "State machine safety", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(2));
        cluster.propose(s(1), "a");
        cluster.propose(s(1), "b");
        cluster.duplicate(s(1), s(3));
        cluster.deliver(s(1), s(3));
        cluster.deliver(s(1), s(3));
        cluster.deliver(s(3), s(1));
        cluster.deliver(s(3), s(1));
        assert_eq!(cluster.applied(s(1)), ["a", "b"]);
        // The copy of the first append arrives after the second.
        cluster.deliver(s(1), s(3));
        cluster.crash(s(1));
        cluster.heal();
        assert!(try_to_elect(cluster, s(3)));
        cluster.propose(s(3), "c");
        cluster.settle();
    });
}

#[test]
fn a_divergent_tail_is_not_applied_because_only_what_is_verified_is_committed() {
    both_ways(Rule::CommitOnlyVerified, "State machine safety", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(1));
        cluster.propose(s(1), "old");
        assert!(try_to_elect(cluster, s(2)));
        assert_eq!((cluster.last(s(1)), cluster.commit(s(2))), (id(2, 1), 2));
        let heartbeat = AppendEntries {
            term: Term(2),
            previous: id(1, 1),
            entries: Entries::None,
            commit: LogIndex(2),
            round: 1,
            probe: 0,
        };
        cluster.arrive(s(2), s(1), Message::AppendEntries(heartbeat));
    });
}

#[test]
fn what_is_committed_stays_because_a_majority_holds_it() {
    both_ways(Rule::CommitByMajority, "State machine safety", Cluster::with(3), |cluster| {
        cluster.elect(s(1));
        cluster.isolate(s(1));
        cluster.propose(s(1), "x=1");
        assert!(try_to_elect(cluster, s(2)));
        cluster.propose(s(2), "x=2");
        cluster.settle();
    });
}

/// Figure 8, a to e: S1 leads, crashes, leads again and finds its old entry on a majority; S5 may
/// still replace it.
#[test]
fn an_older_terms_entry_is_not_committed_by_counting_as_figure_8_shows() {
    // The figure knows no pre-vote, and a term that reaches nobody is a part of it.
    let setup = Cluster::with(5).config(|config| config.pre_vote = false);
    both_ways(Rule::CommitOnlyOwnTerm, "State machine safety", setup, |cluster| {
        // (a) S1 leads term 1 and replicates the entry at index 2 to S2 only. Index 1 is
        // everybody's.
        cluster.elect(s(1));
        cluster.partition(&[&[1, 2]]);
        cluster.propose(s(1), "S1's");
        cluster.settle();
        assert_eq!((cluster.last(s(2)), cluster.last(s(3))), (id(2, 1), id(1, 1)));
        // (b) S1 crashes. S5 is elected with the votes of S3 and S4, and takes another entry at
        // index 2 for itself.
        cluster.crash(s(1));
        cluster.partition(&[&[3, 4, 5]]);
        win(cluster, 5, &[3, 4]);
        assert_eq!(cluster.terms(s(5)), [1, 2]);
        // (c) S5 crashes. S1 restarts and is elected, at its second try: S3 has a vote to give only
        // in a later term than S5's. It goes on replicating its old entry, and then a majority has
        // it.
        cluster.crash(s(5));
        cluster.restart(s(1));
        cluster.partition(&[&[1, 2, 3]]);
        cluster.sleep(ms(150));
        cluster.campaign(s(1));
        cluster.settle();
        assert!(!cluster.leads(s(1)));
        win(cluster, 1, &[2, 3]);
        assert_eq!(cluster.terms(s(1)), [1, 1, 3]);
        for member in [s(2), s(3)] {
            // The append of its old entry arrives; that of its own term doesn't.
            let append = AppendEntries {
                term: Term(3),
                previous: id(1, 1),
                entries: cluster.raft(s(1)).log().slice(LogIndex(2), 1, u64::MAX),
                commit: LogIndex(1),
                round: 1,
                probe: 0,
            };
            cluster.arrive(s(1), member, Message::AppendEntries(append));
            cluster.deliver(member, s(1));
        }
        cluster.drop_everything();
        assert_eq!(cluster.last(s(3)), id(2, 1), "a majority has the old entry");
        // (d) S1 crashes again. S5 is elected by S3 and S4, whose logs end in earlier terms than
        // its own, and overwrites it.
        cluster.crash(s(1));
        cluster.restart(s(5));
        cluster.partition(&[&[3, 4, 5]]);
        cluster.run_until(ms(5_000), "S5 leads and commits", |cluster| {
            cluster.leads(s(5)) && cluster.commit(s(5)) >= 3 && cluster.commit(s(3)) >= 3
        });
        assert_eq!(cluster.raft(s(3)).log().id_at(LogIndex(2)), Some(id(2, 2)));
        // (e) Had S1 replicated its entry of term 3 as well, S5 could not have been elected:
        // `paper.rs`, §5.4.
    });
}

/// `candidate` campaigns and is elected by `voters`; what it sends as a leader is lost.
fn win(cluster: &mut Cluster, candidate: u8, voters: &[u8]) {
    cluster.sleep(ms(150));
    cluster.campaign(s(candidate));
    for voter in voters {
        cluster.deliver(s(candidate), s(*voter));
        cluster.deliver(s(*voter), s(candidate));
    }
    assert!(cluster.leads(s(candidate)), "{}", cluster.status());
    cluster.drop_everything();
}

#[test]
fn a_store_never_goes_back_because_old_snapshots_are_ignored() {
    let setup = Cluster::with(3).config(|config| config.entries_kept = 0);
    both_ways(Rule::IgnoreOldSnapshots, "went back", setup, |cluster| {
        cluster.elect(s(1));
        cluster.lose_sight_of(s(3));
        cluster.propose(s(1), "a");
        cluster.settle();
        cluster.snapshot(s(1));
        cluster.heal();
        cluster.run_until(ms(500), "a snapshot on its way", |cluster| {
            cluster.raft(s(1)).log().first_index() > LogIndex(1) && cluster.commit(s(3)) == 2
        });
        let copy = cluster.take_events().into_iter().find_map(|event| match event {
            crate::support::Event::Arrived(_, to, message @ Message::InstallSnapshot(_)) if to == s(3) => Some(message),
            _ => None,
        });
        cluster.propose(s(1), "b");
        cluster.run(ms(100));
        assert_eq!(cluster.applied(s(3)), ["a", "b"]);
        cluster.arrive(s(1), s(3), copy.expect("S3 was sent a snapshot"));
    });
}
