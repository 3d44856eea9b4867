//! The message that a server is receiving, as far as the checks need it: the message itself is gone
//! when the step is over.

use crate::raft::{AppendOutcome, Claim, DiskId, EntryId, LogIndex, Message, ServerId, SnapshotProgress, Term};

/// A message that is being received.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    pub(super) from: Option<ServerId>,
    /// The message's term; for an answer to a pre-vote, the term in which the question was asked.
    pub(super) term: Term,
    pub(super) content: Content,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Content {
    #[default]
    Other,
    /// The entry that it follows, its last entry, and the leader's commit index.
    Append {
        previous: EntryId,
        last: EntryId,
        commit: LogIndex,
    },
    /// A piece of a snapshot up to `last`.
    Piece {
        last: EntryId,
    },
    /// An answer to a leader, in its round.
    Answer {
        round: u64,
        says: Says,
    },
    /// A candidate's question whether the receiver would vote, with the sender's last entry.
    PreVote {
        last: EntryId,
    },
    /// The sender says that it would vote.
    Consent,
    /// A request for a vote, with the sender's last entry, and whether a leader asked for the
    /// campaign.
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
    /// The entry that was missing, up to where the logs may agree, and which probe this answers.
    Rejected {
        previous: LogIndex,
        hint: EntryId,
        probe: u64,
        /// Whether the sender's disk has lost entries.
        lost: bool,
    },
    /// How much of a snapshot has arrived, at a sender whose disk may vote.
    MayVote,
    /// The sender's disk may not vote. The disk's identity, if the message has it.
    Joins(Option<DiskId>),
}

impl Taken {
    pub(super) fn of(from: ServerId, message: &Message) -> Taken {
        let mut term = message.term();
        let content = match message.claim() {
            Some(Claim::AppendEntries(m)) => {
                let last = match m.entries.as_slice().last() {
                    Some(entry) => EntryId::new(m.previous.index.plus(m.entries.len() as u64), entry.term),
                    None => m.previous,
                };
                Content::Append { previous: m.previous, last, commit: m.commit }
            }
            Some(Claim::InstallSnapshot(m)) => Content::Piece { last: m.meta.last },
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
                Content::Answer { round: m.round, says }
            }
            Some(Claim::InstallSnapshotResponse(m)) if m.progress != SnapshotProgress::StaleTerm => {
                let says = if m.may_vote { Says::MayVote } else { Says::Joins(None) };
                Content::Answer { round: m.round, says }
            }
            Some(Claim::PreVote(m)) => Content::PreVote { last: m.last },
            Some(Claim::PreVoteResponse(m)) if m.granted => {
                term = m.asked_in;
                Content::Consent
            }
            Some(Claim::RequestVote(m)) => Content::RequestVote { last: m.last, wished: m.leadership_transfer },
            Some(Claim::TimeoutNow(_)) => Content::TimeoutNow,
            Some(
                Claim::InstallSnapshotResponse(_)
                | Claim::PreVoteResponse(_)
                | Claim::RequestVoteResponse(_)
                | Claim::ReadIndex(_)
                | Claim::ReadIndexResponse(_),
            )
            | None => Content::Other,
        };
        Taken { from: Some(from), term, content }
    }
}
