//! What a server is just taking from another, as far as the checks go by it: the message itself is
//! gone when the step is over.

use crate::raft::{AppendOutcome, Claim, DiskId, EntryId, LogIndex, Message, ServerId, SnapshotProgress, Term};

/// A message that is being taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    pub(super) from: Option<ServerId>,
    /// Of the message; of an answer to a pre-vote the term that it was asked in.
    pub(super) term: Term,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum What {
    #[default]
    Other,
    /// What it builds on, its last entry, and what is committed.
    Append {
        previous: EntryId,
        last: EntryId,
        commit: LogIndex,
    },
    /// Of a snapshot up to there.
    Piece {
        last: EntryId,
    },
    /// To a leader, in its round.
    Answer {
        round: u64,
        says: Says,
    },
    /// The sender's last entry.
    PreVote {
        last: EntryId,
    },
    /// That the sender would vote.
    Consent,
    /// The sender's last entry, and whether a leader wished for it.
    RequestVote {
        last: EntryId,
        wished: bool,
    },
    TimeoutNow,
}

/// What an answer to a leader says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    Matched,
    /// What was lacking, up to where the logs may agree, and which probe that answers.
    Rejected {
        previous: LogIndex,
        hint: EntryId,
        probe: u64,
        /// Whether the sender's disk has lost entries.
        lost: bool,
    },
    /// How much there is of a snapshot, on a disk that the sender may vote on.
    MayVote,
    /// The sender may not vote on its disk, and which that is, if it says so.
    Joins(Option<DiskId>),
}

impl Taken {
    pub(super) fn of(from: ServerId, message: &Message) -> Taken {
        let mut term = message.term();
        let what = match message.claim() {
            Some(Claim::AppendEntries(m)) => {
                let last = match m.entries.as_slice().last() {
                    Some(entry) => EntryId::new(m.previous.index.plus(m.entries.len() as u64), entry.term),
                    None => m.previous,
                };
                What::Append { previous: m.previous, last, commit: m.commit }
            }
            Some(Claim::InstallSnapshot(m)) => What::Piece { last: m.meta.last },
            Some(Claim::AppendEntriesResponse(m)) => {
                let says = match m.outcome {
                    AppendOutcome::Matched(_) => Says::Matched,
                    AppendOutcome::Conflict { previous, hint } | AppendOutcome::Damaged { previous, last: hint } => {
                        let lost = matches!(m.outcome, AppendOutcome::Damaged { .. });
                        Says::Rejected { previous, hint, probe: m.probe, lost }
                    }
                    AppendOutcome::Joining { disk, .. } => Says::Joins(Some(disk)),
                    AppendOutcome::StaleTerm => return Taken::default(),
                };
                What::Answer { round: m.round, says }
            }
            Some(Claim::InstallSnapshotResponse(m)) if m.progress != SnapshotProgress::StaleTerm => {
                let says = if m.may_vote { Says::MayVote } else { Says::Joins(None) };
                What::Answer { round: m.round, says }
            }
            Some(Claim::PreVote(m)) => What::PreVote { last: m.last },
            Some(Claim::PreVoteResponse(m)) if m.granted => {
                term = m.asked_in;
                What::Consent
            }
            Some(Claim::RequestVote(m)) => What::RequestVote { last: m.last, wished: m.leadership_transfer },
            Some(Claim::TimeoutNow(_)) => What::TimeoutNow,
            Some(
                Claim::InstallSnapshotResponse(_)
                | Claim::PreVoteResponse(_)
                | Claim::RequestVoteResponse(_)
                | Claim::ReadIndex(_)
                | Claim::ReadIndexResponse(_),
            )
            | None => What::Other,
        };
        Taken { from: Some(from), term, what }
    }
}
