//! §5.3, log replication.

use raft_core::raft::{AppendEntries, AppendOutcome, Entries, EntryId, LogIndex, Message, Payload, Term};

use crate::support::{Answer, Cluster, Event, command, id, ms, s};

fn append(term: u64, previous: EntryId, terms: &[u64], commit: u64) -> Message {
    let entries: Entries = terms.iter().map(|term| command(*term, "from the leader")).collect();
    let commit = LogIndex(commit);
    Message::AppendEntries(AppendEntries { term: Term(term), previous, entries, commit, round: 1, probe: 7 })
}

/// What S2 answers to S1's append.
fn outcome(cluster: &Cluster) -> AppendOutcome {
    match cluster.on_the_way(s(2), s(1)).last() {
        Some(Message::AppendEntriesResponse(m)) => {
            assert_eq!((m.round, m.probe), (1, 7), "an answer says what it answers");
            m.outcome
        }
        other => panic!("S2 answered {other:?}"),
    }
}

#[test]
fn s5_3_an_entry_is_committed_once_a_majority_has_it_and_is_applied_everywhere() {
    let mut cluster = Cluster::led(5);
    let write = cluster.propose(s(1), "x=1");
    assert_eq!(cluster.answer(write), Some(&Answer::Accepted(id(2, 1))));
    cluster.deliver(s(1), s(2));
    cluster.deliver(s(2), s(1));
    assert_eq!(cluster.commit(s(1)), 1, "two of five have it");
    cluster.deliver(s(1), s(3));
    cluster.deliver(s(3), s(1));
    assert_eq!(cluster.commit(s(1)), 2, "three of five have it");
    assert_eq!(cluster.applied(s(1)), ["x=1"]);
    assert_eq!(cluster.applied(s(2)), [""; 0], "S2 hasn't heard that it is committed");
    cluster.run(ms(100));
    for server in cluster.servers() {
        assert_eq!(cluster.applied(server), ["x=1"]);
    }
}

#[test]
fn s5_3_a_slow_follower_slows_nobody_down_and_is_retried_for_ever() {
    let mut cluster = Cluster::led(3);
    cluster.isolate(s(3));
    for n in 0..50 {
        cluster.propose(s(1), &n.to_string());
        cluster.settle();
    }
    assert_eq!(cluster.applied(s(1)).len(), 50);
    cluster.run(ms(5_000));
    cluster.heal();
    cluster.run(ms(500));
    assert_eq!(cluster.applied(s(3)), cluster.applied(s(1)));
}

#[test]
fn s5_3_an_append_whose_previous_entry_is_missing_is_refused() {
    // S2's log is 1@1, 2@1, 3@2.
    let cases = [
        (id(4, 2), "beyond its end"),
        (id(3, 1), "of another term"),
        (id(3, 3), "of another term"),
        (id(1, 2), "of another term"),
    ];
    for (previous, why) in cases {
        let mut cluster = Cluster::with(3).log(s(2), 3, &[1, 1, 2]).start();
        cluster.arrive(s(1), s(2), append(3, previous, &[3], 0));
        assert!(
            matches!(outcome(&cluster), AppendOutcome::Conflict { previous: at, .. } if at == previous.index),
            "{why}"
        );
        assert_eq!(cluster.terms(s(2)), [1, 1, 2]);
    }
}

#[test]
fn s5_3_an_entry_that_conflicts_is_deleted_with_all_that_follow() {
    let mut cluster = Cluster::with(3).log(s(2), 3, &[1, 1, 2, 2, 2]).start();
    cluster.arrive(s(1), s(2), append(3, id(2, 1), &[2, 3], 0));
    assert_eq!(outcome(&cluster), AppendOutcome::Matched(LogIndex(4)));
    assert_eq!(cluster.terms(s(2)), [1, 1, 2, 3]);
}

#[test]
fn s5_3_entries_that_are_there_already_change_nothing() {
    let mut cluster = Cluster::with(3).log(s(2), 3, &[1, 1, 2, 2]).start();
    let before = cluster.raft(s(2)).log().clone();
    cluster.arrive(s(1), s(2), append(3, EntryId::ZERO, &[1, 1], 0));
    assert_eq!(outcome(&cluster), AppendOutcome::Matched(LogIndex(2)), "no more is known to match");
    assert_eq!(*cluster.raft(s(2)).log(), before, "what follows doesn't conflict");
}

#[test]
fn s5_3_a_heartbeat_is_checked_like_any_append() {
    let mut cluster = Cluster::with(3).log(s(2), 3, &[1, 1]).start();
    cluster.arrive(s(1), s(2), append(3, id(2, 1), &[], 0));
    assert_eq!(outcome(&cluster), AppendOutcome::Matched(LogIndex(2)));
    cluster.arrive(s(1), s(2), append(3, id(3, 1), &[], 0));
    assert!(matches!(outcome(&cluster), AppendOutcome::Conflict { .. }));
}

#[test]
fn s5_3_a_follower_commits_the_lesser_of_the_leaders_commit_and_the_last_new_entry() {
    for (commit, entries, expected) in [(1, 2, 1), (9, 2, 3), (3, 2, 3), (9, 0, 1), (0, 2, 0)] {
        let mut cluster = Cluster::with(3).log(s(2), 1, &[1]).start();
        cluster.arrive(s(1), s(2), append(1, id(1, 1), &vec![1; entries], commit));
        assert_eq!(cluster.commit(s(2)), expected, "commit {commit}, {entries} new entries");
    }
}

#[test]
fn s5_3_the_commit_index_never_goes_back() {
    let mut cluster = Cluster::with(3).log(s(2), 1, &[1, 1]).start();
    cluster.arrive(s(1), s(2), append(1, id(2, 1), &[], 2));
    cluster.arrive(s(1), s(2), append(1, id(2, 1), &[], 1));
    assert_eq!(cluster.commit(s(2)), 2);
}

#[test]
fn s5_3_a_leader_never_overwrites_or_deletes_its_own_entries() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "x=1");
    let before = cluster.raft(s(1)).log().clone();
    // What can't be: another leader in its own term. It keeps its log, whatever it is told.
    cluster.arrive(s(2), s(1), append(1, EntryId::ZERO, &[1], 1));
    assert_eq!(*cluster.raft(s(1)).log(), before);
    assert!(cluster.leads(s(1)));
}

#[test]
fn s5_3_a_rejection_skips_a_whole_term_of_conflict() {
    let mut cluster = Cluster::with(3).log(s(2), 6, &[1, 1, 4, 4, 5, 5, 5]).start();
    cluster.arrive(s(1), s(2), append(6, id(7, 6), &[6], 0));
    let hint = |cluster: &Cluster| match outcome(cluster) {
        AppendOutcome::Conflict { hint, .. } => hint,
        other => panic!("{other:?}"),
    };
    assert_eq!(hint(&cluster), id(7, 5));
    cluster.arrive(s(1), s(2), append(6, id(7, 4), &[6], 0));
    assert_eq!(hint(&cluster), id(4, 4), "the three of term 5 can't be the leader's");
    cluster.arrive(s(1), s(2), append(6, id(7, 3), &[6], 0));
    assert_eq!(hint(&cluster), id(2, 1));
}

#[test]
fn s5_3_commands_are_applied_in_the_order_of_the_log_on_every_server() {
    let mut cluster = Cluster::led(5);
    cluster.propose_batch(s(1), &["a", "b", "c"]);
    cluster.propose(s(1), "d");
    for member in 2..=5 {
        cluster.reverse(s(1), s(member));
    }
    cluster.run(ms(500));
    for server in cluster.servers() {
        assert_eq!(cluster.applied(server), ["a", "b", "c", "d"]);
    }
}

#[test]
fn s5_3_a_batch_goes_out_in_one_append() {
    let mut cluster = Cluster::led(3);
    cluster.propose_batch(s(1), &["a", "b", "c"]);
    assert!(matches!(&cluster.on_the_way(s(1), s(2))[..], [Message::AppendEntries(m)] if m.entries.len() == 3));
}

#[test]
fn s5_3_a_new_leader_begins_with_an_entry_of_its_own_term() {
    let cluster = Cluster::led(3);
    let first = cluster.raft(s(1)).log().get(LogIndex(1)).expect("it has one");
    assert_eq!((first.term, &first.payload), (Term(1), &Payload::NoOp));
}

#[test]
fn s5_3_what_a_slow_disk_has_not_finished_is_not_sent_again() {
    let mut cluster = Cluster::settled(3);
    cluster.hold_disk(s(3));
    cluster.take_events();
    cluster.propose(s(1), "x=1");
    cluster.propose(s(1), "x=2");
    cluster.run(ms(500));
    let sent: usize = cluster
        .take_events()
        .iter()
        .map(|event| match event {
            Event::Sent(_, to, Message::AppendEntries(append)) if *to == s(3) => append.entries.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(sent, 2, "each entry once, through ten heartbeat rounds");
    assert_eq!(cluster.applied(s(3)), ["x=1", "x=2"], "what is committed can be applied before it is on this disk");
    assert_eq!(cluster.matched(s(1), s(3)), 1, "and counts for nothing before");
    cluster.release_disk(s(3));
    cluster.settle();
    assert_eq!(cluster.matched(s(1), s(3)), 3);
}

#[test]
fn s5_3_an_acknowledgement_that_was_lost_is_made_up_for_by_the_next() {
    let mut cluster = Cluster::settled(3);
    cluster.isolate(s(2));
    cluster.propose(s(1), "x=1");
    cluster.deliver(s(1), s(3));
    assert_eq!(cluster.drop_all(s(3), s(1)), 1);
    cluster.take_events();
    cluster.run(ms(60));
    assert_eq!((cluster.matched(s(1), s(3)), cluster.commit(s(1))), (2, 2));
    let resent = |event: &Event| matches!(event, Event::Sent(_, _, Message::AppendEntries(m)) if !m.entries.is_empty());
    assert!(!cluster.take_events().iter().any(resent), "nothing needed to be sent again");
}

#[test]
fn s5_3_the_one_new_entry_of_an_append_that_begins_before_the_commit_index_is_taken() {
    let mut cluster = Cluster::with(3).log(s(2), 1, &[1, 1, 1]).start();
    cluster.arrive(s(1), s(2), append(1, id(3, 1), &[], 3));
    assert_eq!(cluster.commit(s(2)), 3);
    cluster.arrive(s(1), s(2), append(1, id(1, 1), &[1, 1, 1], 3));
    assert_eq!((cluster.last(s(2)), outcome(&cluster)), (id(4, 1), AppendOutcome::Matched(LogIndex(4))));
}

/// S1 asks S2 with this append, as one of `round` and `probe`.
fn ask(cluster: &mut Cluster, (round, probe): (u64, u64), append: Message) {
    let Message::AppendEntries(m) = append else { panic!("an append") };
    cluster.arrive(s(1), s(2), Message::AppendEntries(AppendEntries { round, probe, ..m }));
}

/// Which rounds and probes S2 has answered.
fn answered(cluster: &Cluster) -> Vec<(u64, u64)> {
    let which = |message: &Message| match message {
        Message::AppendEntriesResponse(m) => (m.round, m.probe),
        other => panic!("S2 said {other:?}"),
    };
    cluster.on_the_way(s(2), s(1)).iter().map(which).collect()
}

#[test]
fn s5_3_each_probe_has_its_own_answer_however_slow_the_disk() {
    let mut cluster = Cluster::new(3);
    cluster.hold_disk(s(2));
    for which in [(1, 7), (1, 8)] {
        ask(&mut cluster, which, append(1, EntryId::ZERO, &[1], 0));
    }
    cluster.release_disk(s(2));
    assert_eq!(answered(&cluster), [(1, 7), (1, 8)]);
}

#[test]
fn s5_3_an_answer_waits_for_everything_that_was_decided_before_it() {
    let mut cluster = Cluster::with(3).log(s(2), 1, &[1]).start();
    ask(&mut cluster, (1, 7), append(1, id(1, 1), &[], 1));
    cluster.drop_everything();
    cluster.hold_disk(s(2));
    ask(&mut cluster, (2, 7), append(1, id(1, 1), &[1], 1));
    cluster.snapshot(s(2));
    ask(&mut cluster, (3, 7), append(1, id(1, 1), &[1], 1));
    assert_eq!(answered(&cluster), []);
    cluster.fsync_one(s(2));
    assert_eq!(answered(&cluster), [(2, 7)], "the snapshot isn't written yet");
    cluster.fsync_one(s(2));
    assert_eq!(answered(&cluster), [(2, 7), (3, 7)]);
}
