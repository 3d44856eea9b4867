//! Messages of every kind: one of each, and any.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use raft_core::raft::{
    AppendEntries, AppendEntriesResponse, AppendOutcome, Configuration, DiskId, Entry, EntryId, InstallSnapshot,
    InstallSnapshotResponse, LogIndex, Message, Payload, Piece, PreVote, PreVoteResponse, ReadIndex, ReadIndexResponse,
    RequestVote, RequestVoteResponse, ServerId, ServerSet, SnapshotMeta, SnapshotProgress, Term, TimeoutNow,
};
use raft_core::time::{Duration, Time};

fn servers(numbers: &[u8]) -> ServerSet {
    numbers.iter().filter_map(|number| ServerId::new(*number)).collect()
}

fn piece(bytes: &[u8]) -> Piece {
    Piece::of(&Arc::from(bytes), 0, bytes.len() as u64)
}

/// One message of each kind, in the order of the table, no two fields of which are alike. Between
/// them they have everything that can be in a message.
pub fn one_of_each() -> Vec<Message> {
    let (term, last) = (Term(5), EntryId::new(LogIndex(7), Term(4)));
    let joint = Configuration { voters: servers(&[1, 2, 3]), outgoing: servers(&[1, 2, 127]), learners: servers(&[9]) };
    let payloads = [
        Payload::NoOp,
        Payload::Command(b"x=1"[..].into()),
        Payload::Membership(joint.into()),
        Payload::Admission { server: ServerId::FIRST, disk: DiskId(300) },
    ];
    let entries = payloads.into_iter().map(|payload| Entry { term, payload }).collect();
    let append = |outcome| {
        Message::AppendEntriesResponse(AppendEntriesResponse {
            term,
            round: 11,
            probe: 12,
            clock: Time::from_micros(1_000_000),
            patience: Duration::from_micros(150_000),
            received: LogIndex(8),
            outcome,
        })
    };
    let snapshot = |progress| {
        Message::InstallSnapshotResponse(InstallSnapshotResponse { term, round: 11, last, progress, may_vote: true })
    };
    let matched = LogIndex(6);
    vec![
        Message::PreVote(PreVote { term, last }),
        Message::PreVoteResponse(PreVoteResponse { term, asked_in: Term(4), granted: true }),
        Message::RequestVote(RequestVote { term, last, leadership_transfer: true }),
        Message::RequestVoteResponse(RequestVoteResponse { term, granted: false }),
        Message::AppendEntries(AppendEntries {
            term,
            previous: last,
            entries,
            commit: LogIndex(6),
            round: 11,
            probe: 12,
        }),
        append(AppendOutcome::Matched(matched)),
        append(AppendOutcome::Joining { matched, disk: DiskId(u64::MAX) }),
        append(AppendOutcome::Conflict { previous: LogIndex(9), hint: last }),
        append(AppendOutcome::Damaged { previous: LogIndex(9), last }),
        append(AppendOutcome::StaleTerm),
        Message::InstallSnapshot(Box::new(InstallSnapshot {
            term,
            round: 11,
            meta: SnapshotMeta { last, configuration: joint, configuration_index: LogIndex(3) },
            size: 1_000,
            checksum: u64::MAX - 1,
            offset: 500,
            piece: piece(b"state"),
        })),
        snapshot(SnapshotProgress::Received(505)),
        snapshot(SnapshotProgress::Installed(LogIndex(7))),
        snapshot(SnapshotProgress::StaleTerm),
        Message::TimeoutNow(TimeoutNow { term }),
        Message::ReadIndex(ReadIndex { term, disk: DiskId(300), request: 13 }),
        Message::ReadIndexResponse(ReadIndexResponse {
            term,
            disk: DiskId(300),
            request: 13,
            index: Some(LogIndex(8)),
        }),
        Message::ReadIndexResponse(ReadIndexResponse { term, disk: DiskId(300), request: 13, index: None }),
    ]
}

fn number() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![0..300_u64, any::<u64>(), Just(u64::MAX)]
}

fn term() -> impl Strategy<Value = Term> + Clone {
    number().prop_map(Term)
}

fn index() -> impl Strategy<Value = LogIndex> + Clone {
    number().prop_map(LogIndex)
}

fn disk() -> impl Strategy<Value = DiskId> + Clone {
    number().prop_map(DiskId)
}

fn id() -> impl Strategy<Value = EntryId> + Clone {
    (index(), term()).prop_map(|(index, term)| EntryId::new(index, term))
}

fn set() -> impl Strategy<Value = ServerSet> {
    vec(1..=ServerId::MAX, 0..12).prop_map(|numbers| servers(&numbers))
}

fn configuration() -> impl Strategy<Value = Configuration> {
    (set(), set(), set()).prop_map(|(voters, outgoing, learners)| Configuration { voters, outgoing, learners })
}

fn payload() -> impl Strategy<Value = Payload> {
    let server = (1..=ServerId::MAX).prop_map(|number| ServerId::new(number).unwrap());
    prop_oneof![
        Just(Payload::NoOp),
        vec(any::<u8>(), 0..40).prop_map(|command| Payload::Command(command[..].into())),
        configuration().prop_map(|configuration| Payload::Membership(configuration.into())),
        (server, disk()).prop_map(|(server, disk)| Payload::Admission { server, disk }),
    ]
}

fn outcome() -> impl Strategy<Value = AppendOutcome> {
    prop_oneof![
        index().prop_map(AppendOutcome::Matched),
        (index(), disk()).prop_map(|(matched, disk)| AppendOutcome::Joining { matched, disk }),
        (index(), id()).prop_map(|(previous, hint)| AppendOutcome::Conflict { previous, hint }),
        (index(), id()).prop_map(|(previous, last)| AppendOutcome::Damaged { previous, last }),
        Just(AppendOutcome::StaleTerm),
    ]
}

/// Any message, whether a correct server could send it or not.
pub fn any_message() -> impl Strategy<Value = Message> {
    let entry = (term(), payload()).prop_map(|(term, payload)| Entry { term, payload });
    let append = (term(), id(), vec(entry, 0..4), index(), number(), number());
    let answer = (term(), number(), number(), number(), number(), index(), outcome());
    let meta = (id(), configuration(), index());
    let snapshot = (term(), number(), meta, number(), number(), number(), vec(any::<u8>(), 0..40));
    let progress = prop_oneof![
        number().prop_map(SnapshotProgress::Received),
        index().prop_map(SnapshotProgress::Installed),
        Just(SnapshotProgress::StaleTerm),
    ];
    prop_oneof![
        (term(), id()).prop_map(|(term, last)| Message::PreVote(PreVote { term, last })),
        (term(), term(), any::<bool>()).prop_map(|(term, asked_in, granted)| {
            Message::PreVoteResponse(PreVoteResponse { term, asked_in, granted })
        }),
        (term(), id(), any::<bool>()).prop_map(|(term, last, leadership_transfer)| {
            Message::RequestVote(RequestVote { term, last, leadership_transfer })
        }),
        (term(), any::<bool>())
            .prop_map(|(term, granted)| Message::RequestVoteResponse(RequestVoteResponse { term, granted })),
        append.prop_map(|(term, previous, entries, commit, round, probe)| {
            let entries = entries.into();
            Message::AppendEntries(AppendEntries { term, previous, entries, commit, round, probe })
        }),
        answer.prop_map(|(term, round, probe, clock, patience, received, outcome)| {
            let (clock, patience) = (Time::from_micros(clock), Duration::from_micros(patience));
            let answer = AppendEntriesResponse { term, round, probe, clock, patience, received, outcome };
            Message::AppendEntriesResponse(answer)
        }),
        snapshot.prop_map(
            |(term, round, (last, configuration, configuration_index), size, checksum, offset, bytes)| {
                let meta = SnapshotMeta { last, configuration, configuration_index };
                let piece = piece(&bytes);
                Message::InstallSnapshot(Box::new(InstallSnapshot { term, round, meta, size, checksum, offset, piece }))
            }
        ),
        (term(), number(), id(), progress, any::<bool>()).prop_map(|(term, round, last, progress, may_vote)| {
            Message::InstallSnapshotResponse(InstallSnapshotResponse { term, round, last, progress, may_vote })
        }),
        term().prop_map(|term| Message::TimeoutNow(TimeoutNow { term })),
        (term(), disk(), number()).prop_map(|(term, disk, request)| Message::ReadIndex(ReadIndex {
            term,
            disk,
            request
        })),
        (term(), disk(), number(), option::of(index())).prop_map(|(term, disk, request, index)| {
            Message::ReadIndexResponse(ReadIndexResponse { term, disk, request, index })
        }),
    ]
}
