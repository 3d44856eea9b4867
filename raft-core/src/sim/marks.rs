//! Marks: the rare states that hunts must reach. A mark that stays at zero over many seeds means
//! that a fault or a path is never exercised.

use crate::raft::{
    Configuration, LeaseRefusal, Observation, ReadProof, ReadWait, Refusal, StepDownReason, VoteRefusal,
    WithheldReason, is_majority,
};

macro_rules! marks {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// A rare state.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Mark {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Mark {
            /// All of them.
            pub const ALL: &'static [Mark] = &[$(Mark::$name,)+];

            /// What it stands for.
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Mark::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

marks! {
    /// A candidate that lost its election.
    SplitVote,
    /// A vote refused because the candidate's log is behind.
    VoteRefusedForLog,
    /// A vote refused because it was given to another candidate.
    VoteRefusedForAnother,
    /// A campaign ignored by a server that hears from a leader.
    CampaignIgnored,
    /// A leader that stepped down because it heard from no quorum.
    QuorumLost,
    /// A leader that stepped down because its disk stalled.
    LeaderDiskStalled,
    /// A leader that stepped down because it was removed.
    LeaderRemoved,
    /// A leader deposed by a higher term.
    LeaderDeposed,
    /// A suffix of a log truncated.
    SuffixTruncated,
    /// A membership undone because its entry was truncated.
    MembershipReverted,
    /// An append rejected.
    AppendRejected,
    /// A lost append sent again.
    AppendResent,
    /// A commit that had to wait for an entry of the leader's own term.
    CommitWaited,
    /// A snapshot sent to a member that is too far behind.
    SnapshotSent,
    /// A snapshot installed.
    SnapshotInstalled,
    /// A snapshot that came too late.
    SnapshotIgnored,
    /// A log compacted into a snapshot.
    Compacted,
    /// A joint membership in force.
    JointMembership,
    /// A learner in the membership.
    LearnerAdded,
    /// A change refused for a learner that is behind.
    LearnerBehind,
    /// A change refused while another is under way.
    ChangeRefused,
    /// A successor told to take over.
    TransferHandedOver,
    /// A transfer completed: the successor leads.
    TransferCompleted,
    /// A removed server told of its removal, which it had missed.
    RemovedReminded,
    /// A transfer that took too long.
    TransferTimedOut,
    /// A read that waited for a round of confirmations.
    ReadWaitedForRound,
    /// A read that waited for the leader's first commit.
    ReadWaitedForOwnCommit,
    /// A read that waited to be applied.
    ReadWaitedForApply,
    /// A read answered under a lease.
    LeaseRead,
    /// A lease that had run out.
    LeaseExpired,
    /// A message of an older term ignored.
    StaleMessage,
    /// A vote refused by a server without the right to vote.
    NoStanding,
    /// A campaign withheld because the server's disk has lost entries.
    DamagedWithheld,
    /// A damaged log repaired.
    Repaired,
    /// A leader that learned that a member's log is damaged.
    PeerDamaged,
    /// A proposal refused during a transfer.
    RefusedDuringTransfer,
    /// A write torn by a crash.
    WriteTorn,
    /// A write that waited for room on a full disk.
    WriteWaitedForRoom,
    /// A piece of a snapshot lost midway.
    SnapshotPieceLost,
    /// A snapshot of which at least sixteen pieces were sent.
    SnapshotOfManyPieces,
    /// A message that arrived after its receiver had crashed and started again.
    MessageOutlivedCrash,
    /// A message that arrived after its sender or its receiver had lost its disk.
    MessageOutlivedDisk,
    /// An order to take over that arrived after the transfer had been given up.
    TakeOverTooLate,
    /// A leader cut off together with newcomers.
    LeaderIsolatedWithNewcomers,
    /// A read sent to a deposed leader that doesn't know it yet.
    ReadAtDeposedLeader,
    /// A change of so many voters that those which stay are a majority neither before nor after it.
    VotersSwapped,
    /// A server that was removed and is a voter again.
    CameBack,
    /// A server that lost its disk and is a voter again under its number.
    DiskRenewed,
    /// A disk that was admitted.
    DiskAdmitted,
    /// A change refused for a learner whose disk hasn't been admitted.
    LearnerNotAdmitted,
    /// A campaign postponed because the last vote isn't on the disk yet.
    CampaignAwaitsDisk,
    /// A learner that stays a learner.
    LearnerStays,
    /// A leader's clock set back while it held a lease.
    LeaseSetBack,
    /// A leader with its own timing.
    LeaderConfiguredDifferently,
    /// A write that takes longer than the shortest election timeout.
    WriteSlow,
    /// An election won on a disk that takes longer for a write than the shortest election timeout.
    ElectedOnSlowDisk,
    /// A command refused because too much is uncommitted.
    RefusedTooMuchUncommitted,
    /// A client's session opened by a try that it had given up.
    SessionOpenedLate,
}

/// How often each rare state was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    counts: [u32; Mark::ALL.len()],
}

impl Default for Marks {
    fn default() -> Marks {
        Marks { counts: [0; Mark::ALL.len()] }
    }
}

impl Marks {
    /// How often `mark` was reached.
    pub fn get(&self, mark: Mark) -> u32 {
        self.counts[mark as usize]
    }

    /// Each mark and how often it was reached.
    pub fn iter(&self) -> impl Iterator<Item = (Mark, u32)> {
        Mark::ALL.iter().map(|mark| (*mark, self.get(*mark)))
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Marks) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
    }

    pub(super) fn count(&mut self, observation: &Observation) {
        if let Some(mark) = mark_of(observation) {
            self.reach(mark);
        }
    }

    /// A rare state was reached.
    pub(super) fn reach(&mut self, mark: Mark) {
        self.counts[mark as usize] = self.counts[mark as usize].saturating_add(1);
    }
}

fn mark_of(observation: &Observation) -> Option<Mark> {
    Some(match observation {
        Observation::CampaignLost { .. } => Mark::SplitVote,
        Observation::VoteRefused { reason, .. } => match reason {
            VoteRefusal::LogBehind { .. } => Mark::VoteRefusedForLog,
            VoteRefusal::AlreadyVoted { .. } => Mark::VoteRefusedForAnother,
            VoteRefusal::HearsLeader { .. } => Mark::CampaignIgnored,
            VoteRefusal::NoStanding(_) => Mark::NoStanding,
            VoteRefusal::StaleTerm { .. } => return None,
        },
        Observation::BecameFollower { why, .. } => match why {
            StepDownReason::QuorumLost { .. } => Mark::QuorumLost,
            StepDownReason::DiskStalled { .. } => Mark::LeaderDiskStalled,
            StepDownReason::Removed => Mark::LeaderRemoved,
            StepDownReason::HigherTerm { .. } => Mark::LeaderDeposed,
            StepDownReason::OtherLeader { .. } => return None,
        },
        Observation::CampaignWithheld { reason: WithheldReason::Damaged { .. } } => Mark::DamagedWithheld,
        Observation::CampaignWithheld { reason: WithheldReason::NotDurable } => Mark::CampaignAwaitsDisk,
        Observation::Admitted { .. } => Mark::DiskAdmitted,
        Observation::Truncated { .. } => Mark::SuffixTruncated,
        Observation::MembershipReverted { .. } => Mark::MembershipReverted,
        Observation::AppendRejected { .. } => Mark::AppendRejected,
        Observation::Resent { .. } => Mark::AppendResent,
        Observation::CommitWaitsForOwnTerm { .. } => Mark::CommitWaited,
        Observation::SnapshotSent { .. } => Mark::SnapshotSent,
        Observation::SnapshotInstalled { .. } => Mark::SnapshotInstalled,
        Observation::SnapshotIgnored { .. } => Mark::SnapshotIgnored,
        Observation::Compacted { .. } => Mark::Compacted,
        Observation::MembershipEntered { configuration, .. } if is_swap(configuration) => Mark::VotersSwapped,
        Observation::MembershipEntered { configuration, .. } if configuration.is_joint() => Mark::JointMembership,
        Observation::MembershipEntered { configuration, .. } if !configuration.learners.is_empty() => {
            Mark::LearnerAdded
        }
        Observation::RequestRefused { reason } => match reason {
            Refusal::LearnerBehind { .. } => Mark::LearnerBehind,
            Refusal::ChangeInProgress { .. } => Mark::ChangeRefused,
            Refusal::Transferring { .. } => Mark::RefusedDuringTransfer,
            Refusal::NotAdmitted { .. } => Mark::LearnerNotAdmitted,
            Refusal::TooMuchUncommitted { .. } => Mark::RefusedTooMuchUncommitted,
            _ => return None,
        },
        Observation::TransferHandedOver { .. } => Mark::TransferHandedOver,
        Observation::TransferCompleted { .. } => Mark::TransferCompleted,
        Observation::RemovedReminded { .. } => Mark::RemovedReminded,
        Observation::TransferTimedOut { .. } => Mark::TransferTimedOut,
        Observation::ReadWaits { reason, .. } => match reason {
            ReadWait::Round { .. } => Mark::ReadWaitedForRound,
            ReadWait::OwnCommit { .. } => Mark::ReadWaitedForOwnCommit,
            ReadWait::Apply { .. } => Mark::ReadWaitedForApply,
            ReadWait::Leader { .. } => return None,
        },
        Observation::ReadReleased { by: ReadProof::Lease(_), .. } => Mark::LeaseRead,
        Observation::LeaseUnavailable { reason: LeaseRefusal::Expired { .. } } => Mark::LeaseExpired,
        Observation::StaleMessage { .. } => Mark::StaleMessage,
        Observation::Repaired { .. } => Mark::Repaired,
        Observation::PeerDamaged { .. } => Mark::PeerDamaged,
        _ => return None,
    })
}

/// Whether the voters that stay are a majority neither of the old voters nor of the new ones.
fn is_swap(configuration: &Configuration) -> bool {
    let stay = configuration.voters.intersection(configuration.outgoing);
    configuration.is_joint() && !is_majority(configuration.voters, stay) && !is_majority(configuration.outgoing, stay)
}
