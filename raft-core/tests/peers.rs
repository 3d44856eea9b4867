//! Messages from peers are never trusted: a message that no correct server would send is ignored
//! and observed, and no message makes a server panic.

mod support;

use raft_core::raft::{
    AppendEntries, AppendEntriesResponse, AppendOutcome, Configuration, DiskId, Entries, Entry, EntryId, Input,
    InstallSnapshot, InstallSnapshotResponse, LogIndex, Message, Observation, Output, Payload, Piece, PreVote,
    PreVoteResponse, ReadIndex, ReadIndexResponse, RequestVote, RequestVoteResponse, Role, ServerSet, Snapshot,
    SnapshotMeta, SnapshotProgress, Term, TimeoutNow,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use raft_core::time::Time;
use support::{Cluster, command, id, ms, s, set};

fn append(term: u64, previous: EntryId, terms: &[u64]) -> Message {
    let entries: Entries = terms.iter().map(|term| command(*term, "x")).collect();
    Message::AppendEntries(AppendEntries {
        term: Term(term),
        previous,
        entries,
        commit: LogIndex(9),
        round: 1,
        probe: 0,
    })
}

fn answer(term: u64, round: u64, outcome: AppendOutcome) -> Message {
    Message::AppendEntriesResponse(AppendEntriesResponse {
        term: Term(term),
        round,
        probe: 0,
        clock: Time::from_millis(150),
        patience: ms(150),
        received: LogIndex::ZERO,
        outcome,
    })
}

/// Everything about a server that a message could change.
fn everything(cluster: &Cluster, server: u8) -> String {
    let raft = cluster.raft(s(server));
    let log: Vec<&Entry> = raft.log().iter_from(LogIndex::ZERO).collect();
    let progress: Vec<String> = match raft.role() {
        Role::Leader(leader) => cluster.servers().into_iter().map(|s| format!("{:?}", leader.progress(s))).collect(),
        _ => Vec::new(),
    };
    format!(
        "{:?} {} {:?} {log:?} {:?} {progress:?}",
        raft.hard_state(),
        raft.role().name(),
        raft.leader(),
        raft.commit_index()
    )
}

#[test]
fn a_follower_ignores_and_observes_what_no_leader_sends() {
    let impossible = [
        ("entries whose terms go down", s(1), append(3, id(1, 1), &[3, 2])),
        ("entries whose terms go down", s(1), append(3, id(1, 1), &[0])),
        ("entries of a later term than their leader’s", s(1), append(3, id(1, 1), &[4])),
        ("an entry of a later term than the message’s", s(1), append(3, id(1, 4), &[])),
        ("a second leader in the same term", s(3), append(3, id(1, 1), &[3])),
        ("a message from the server itself", s(2), append(3, id(1, 1), &[3])),
    ];
    for (what, from, message) in impossible {
        let mut cluster = Cluster::with(3).log(s(2), 3, &[1, 1]).start();
        cluster.arrive(s(1), s(2), append(3, id(9, 3), &[]));
        let before = everything(&cluster, 2);
        cluster.arrive(from, s(2), message);
        assert_eq!(everything(&cluster, 2), before, "{what}");
        assert!(
            cluster
                .observed(s(2), |seen| matches!(seen, Observation::ImpossibleMessage { what: it, .. } if *it == what))
        );
    }
}

#[test]
fn a_leader_ignores_and_observes_what_no_member_sends() {
    let snapshot = |progress| {
        let (term, last) = (Term(1), id(1, 1));
        Message::InstallSnapshotResponse(InstallSnapshotResponse { term, round: 1, last, progress, may_vote: true })
    };
    let impossible = [
        ("a match beyond the leader’s log", answer(1, 1, AppendOutcome::Matched(LogIndex(99)))),
        ("an answer to a round that hasn’t begun", answer(1, 99, AppendOutcome::Matched(LogIndex(1)))),
        ("a snapshot beyond the leader’s log", snapshot(SnapshotProgress::Installed(LogIndex(99)))),
        ("another leader in the leader’s own term", append(1, EntryId::ZERO, &[])),
    ];
    for (what, message) in impossible {
        let mut cluster = Cluster::led(3);
        let before = everything(&cluster, 1);
        cluster.arrive(s(2), s(1), message);
        assert_eq!(everything(&cluster, 1), before, "{what}");
        assert!(
            cluster
                .observed(s(1), |seen| matches!(seen, Observation::ImpossibleMessage { what: it, .. } if *it == what))
        );
    }
}

#[test]
fn a_leader_listens_to_no_strangers() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "x=1");
    let before = everything(&cluster, 1);
    for number in [9, 127] {
        cluster.arrive(s(number), s(1), answer(1, 1, AppendOutcome::Matched(LogIndex(2))));
        let nothing_there = AppendOutcome::Conflict { previous: LogIndex(2), hint: EntryId::ZERO };
        cluster.arrive(s(number), s(1), answer(1, 1, nothing_there));
        cluster.arrive(
            s(number),
            s(1),
            answer(1, 1, AppendOutcome::Damaged { previous: LogIndex(2), last: EntryId::ZERO }),
        );
    }
    assert_eq!(everything(&cluster, 1), before);
}

#[test]
fn every_question_of_an_older_term_is_answered_with_the_newer_one() {
    let last = id(1, 1);
    let meta = SnapshotMeta {
        last,
        configuration: Configuration::of_voters(set(&[1, 2, 3])),
        configuration_index: LogIndex::ZERO,
    };
    let data = b"x"[..].into();
    let questions = [
        Message::PreVote(PreVote { term: Term(1), last }),
        Message::RequestVote(RequestVote { term: Term(1), last, leadership_transfer: true }),
        append(1, id(1, 1), &[1]),
        Message::InstallSnapshot(Box::new(InstallSnapshot {
            term: Term(1),
            round: 1,
            meta,
            size: 1,
            checksum: 0,
            offset: 0,
            piece: Piece::of(&data, 0, 1),
        })),
        Message::ReadIndex(ReadIndex { term: Term(1), disk: DiskId(0), request: 7 }),
    ];
    for question in questions {
        let mut cluster = Cluster::with(3).log(s(2), 3, &[1]).start();
        let before = everything(&cluster, 2);
        cluster.arrive(s(1), s(2), question.clone());
        assert_eq!(everything(&cluster, 2), before, "{question:?}");
        let answers = cluster.on_the_way(s(2), s(1));
        assert_eq!(answers.len(), 1, "{question:?}");
        assert_eq!(answers[0].term(), Term(3));
        assert_eq!(answers[0].name(), format!("{}Response", question.name()));
        // And the answer deposes the candidate.
        cluster.arrive(s(2), s(1), answers[0].clone());
        assert_eq!(cluster.term(s(1)), 3);
    }
}

// -------------------------------------------------------------------- extreme values

/// The cluster elects and commits, and still does after every server has restarted from its disk.
fn goes_on(cluster: &mut Cluster) {
    for round in ["before", "after"] {
        cluster.run(ms(2_000));
        let leader = cluster.leader().expect("somebody leads");
        let before = cluster.commit(leader);
        cluster.propose(leader, round);
        cluster.run(ms(500));
        for server in cluster.servers() {
            assert!(cluster.commit(server) > before, "{server} {round} the restart");
            cluster.crash(server);
        }
        for server in cluster.servers() {
            cluster.restart(server);
        }
    }
}

#[test]
fn a_term_at_the_end_of_its_range_stops_nobody() {
    for term in [Term(u64::MAX), Term(u64::MAX - 1), Term(1 << 63), Term::MAX, Term(Term::MAX.0 - 1), Term(1 << 32)] {
        let stale = AppendOutcome::StaleTerm;
        let last = EntryId::ZERO;
        let messages = [
            answer(term.0, 1, stale),
            Message::PreVote(PreVote { term, last }),
            Message::PreVoteResponse(PreVoteResponse { term, asked_in: term, granted: false }),
            Message::RequestVote(RequestVote { term, last, leadership_transfer: true }),
            Message::TimeoutNow(TimeoutNow { term }),
            append(term.0, EntryId::ZERO, &[]),
        ];
        for message in messages {
            let mut cluster = Cluster::led(3);
            for to in [s(1), s(3)] {
                cluster.arrive(s(2), to, message.clone());
            }
            goes_on(&mut cluster);
        }
    }
}

fn snapshot_from(leader: u64, last: EntryId, configuration: Configuration, index: u64) -> Message {
    let meta = SnapshotMeta { last, configuration, configuration_index: LogIndex(index) };
    let snapshot = Snapshot::new(meta.clone(), b""[..].into());
    Message::InstallSnapshot(Box::new(InstallSnapshot {
        term: Term(leader),
        round: 1,
        meta,
        size: 0,
        checksum: snapshot.checksum(),
        offset: 0,
        piece: Piece::of(snapshot.data(), 0, 0),
    }))
}

#[test]
fn a_snapshot_that_no_server_took_reaches_neither_the_log_nor_the_disk() {
    let (trio, nobody) = (Configuration::of_voters(set(&[1, 2, 3])), Configuration::default());
    let two_roles = Configuration { learners: set(&[3]), ..trio };
    let snapshots = [
        ("an index that no log reaches", id(u64::MAX, 1), trio, 0),
        ("an index that no log reaches", id(LogIndex::MAX.0 + 1, 1), trio, 0),
        ("a snapshot whose membership is from after its end", id(5, 1), trio, 1_000),
        ("a membership that no cluster has", id(5, 1), nobody, 5),
        ("a membership that no cluster has", id(5, 1), two_roles, 5),
        ("an entry of a later term than the message’s", id(5, 2), trio, 0),
    ];
    for (what, last, configuration, index) in snapshots {
        let mut cluster = Cluster::led(3);
        let before = everything(&cluster, 2);
        cluster.arrive(s(1), s(2), snapshot_from(1, last, configuration, index));
        assert_eq!(everything(&cluster, 2), before, "{what}");
        assert!(
            cluster
                .observed(s(2), |seen| matches!(seen, Observation::ImpossibleMessage { what: it, .. } if *it == what))
        );
        // What follows it changes nothing either.
        let membership = Entry { term: Term(1), payload: Payload::Membership(trio.into()) };
        let follows = AppendEntries {
            term: Term(1),
            previous: last,
            entries: Entries::One(membership),
            commit: LogIndex::ZERO,
            round: 1,
            probe: 0,
        };
        cluster.arrive(s(1), s(2), Message::AppendEntries(follows));
        goes_on(&mut cluster);
    }
}

// -------------------------------------------------------------------- nonsense

/// A random message: mostly small numbers, so that some fit by accident, and a few enormous ones.
fn nonsense(dice: &mut Xoshiro256PlusPlus) -> Message {
    let term = Term(dice.random_range(0..6));
    let round = dice.random_range(0..4);
    let mut number = {
        let mut dice = dice.clone();
        move || match dice.random_range(0..40_u32) {
            0 => u64::MAX - 1,
            1 => 1 << 40,
            _ => dice.random_range(0..6),
        }
    };
    let index = LogIndex(number());
    let last = EntryId::new(LogIndex(number()), Term(number().min(9)));
    let learners: ServerSet = if dice.random() { set(&[4]) } else { ServerSet::EMPTY };
    let configuration =
        Configuration { learners, ..Configuration::of_voters(ServerSet::first(dice.random_range(1..4))) };
    match dice.random_range(0..11_u32) {
        0 => Message::PreVote(PreVote { term, last }),
        1 => Message::PreVoteResponse(PreVoteResponse { term, asked_in: Term(number()), granted: dice.random() }),
        2 => Message::RequestVote(RequestVote { term, last, leadership_transfer: dice.random() }),
        3 => Message::RequestVoteResponse(RequestVoteResponse { term, granted: dice.random() }),
        4 | 5 => {
            let count = dice.random_range(0..4);
            let entries = (0..count).map(|_| {
                let payload = match dice.random_range(0..5_u32) {
                    0 => Payload::NoOp,
                    2 => {
                        Payload::Admission { server: s(dice.random_range(1..4)), disk: DiskId(dice.random_range(0..3)) }
                    }
                    1 => Payload::Membership(configuration.into()),
                    _ => Payload::Command(b"x"[..].into()),
                };
                Entry { term: Term(dice.random_range(0..6)), payload }
            });
            let mut entries: Vec<Entry> = entries.collect();
            if dice.random_range(0..4_u32) > 0 {
                entries.sort_by_key(|entry| entry.term);
            }
            let commit = LogIndex(number());
            let entries = entries.into();
            Message::AppendEntries(AppendEntries { term, previous: last, entries, commit, round, probe: 0 })
        }
        6 => {
            let probe = dice.random_range(0..3);
            let outcome = match dice.random_range(0..5_u32) {
                0 => AppendOutcome::Matched(index),
                3 => AppendOutcome::Joining { matched: index, disk: DiskId(dice.random_range(0..3)) },
                1 => AppendOutcome::Conflict { previous: index, hint: last },
                2 => AppendOutcome::Damaged { previous: index, last },
                _ => AppendOutcome::StaleTerm,
            };
            Message::AppendEntriesResponse(AppendEntriesResponse {
                term,
                round,
                probe,
                clock: Time::from_millis(number()),
                patience: ms(number()),
                received: LogIndex(number()),
                outcome,
            })
        }
        7 => {
            let meta = SnapshotMeta { last, configuration, configuration_index: LogIndex(number()) };
            let snapshot = Snapshot::new(meta.clone(), b"a snapshot"[..].into());
            let (offset, to) = (if dice.random() { 0 } else { number() }, number().max(4));
            Message::InstallSnapshot(Box::new(InstallSnapshot {
                term,
                round,
                meta,
                size: if dice.random() { snapshot.data().len() as u64 } else { number() },
                checksum: if dice.random() { snapshot.checksum() } else { number() },
                offset,
                piece: Piece::of(snapshot.data(), offset, offset.saturating_add(to)),
            }))
        }
        8 => {
            let progress = match dice.random_range(0..3_u32) {
                0 => SnapshotProgress::Received(number()),
                1 => SnapshotProgress::Installed(index),
                _ => SnapshotProgress::StaleTerm,
            };
            Message::InstallSnapshotResponse(InstallSnapshotResponse { term, round, last, progress, may_vote: true })
        }
        9 => Message::TimeoutNow(TimeoutNow { term }),
        _ => {
            let (request, index) = (number(), dice.random::<bool>().then_some(index));
            if dice.random() {
                Message::ReadIndex(ReadIndex { term, disk: DiskId(number()), request })
            } else {
                Message::ReadIndexResponse(ReadIndexResponse { term, disk: DiskId(number()), request, index })
            }
        }
    }
}

/// A server with a working disk, whose peers send nonsense.
#[test]
fn no_nonsense_makes_a_server_panic() {
    for seed in 0..300 {
        let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut cluster = Cluster::with(3).config(|config| config.entries_kept = 0).log(s(1), 2, &[1, 1, 2]).start();
        cluster.crash(s(2));
        cluster.crash(s(3));
        let mut raft = cluster.raft(s(1)).clone();
        let mut out = Output::listening();
        let mut now = cluster.clock(s(1));
        for step in 0..400 {
            now += ms(dice.random_range(0..40));
            let input = match dice.random_range(0..12_u32) {
                0 => Input::TimerDue,
                1 => Input::Campaign,
                2 => Input::Propose(raft_core::raft::Proposal { id: step, command: b"x"[..].into() }),
                3 => Input::Read { id: step, mode: raft_core::raft::ReadMode::Lease },
                4 => Input::SnapshotTaken { index: LogIndex(dice.random_range(0..9)), data: b"y"[..].into() },
                _ => {
                    let from = s([2, 3, 9][dice.random_range(0..3_usize)]);
                    Input::Message { from, message: nonsense(&mut dice) }
                }
            };
            raft.step(now, input, &mut out);
            if dice.random() {
                let receipts: Vec<_> = out.writes.iter().map(|write| write.receipt).collect();
                for receipt in receipts {
                    raft.step(now, Input::Durable(receipt), &mut out);
                }
            }
        }
    }
}
