//! The roles of a server, and the state that only one role has. The methods of [`Leader`] and
//! [`Campaign`] are in the files for each topic.

use alloc::vec::Vec;
use core::ops::ControlFlow;

use super::config::Config;
use super::io::RequestId;
use super::observation::StepDownReason;
use super::progress::Progress;
use super::reads::PendingRead;
use super::rounds::Rounds;
use super::server::Server;
use super::types::{LogIndex, ServerId, ServerSet};
use crate::time::Time;

/// A server's role, with the state that only this role has.
#[derive(Clone, Debug)]
pub enum Role {
    /// It follows a leader, or waits for one.
    Follower,
    /// It asks the others whether they would vote for it.
    PreCandidate(Campaign),
    /// It asks for votes.
    Candidate(Campaign),
    /// It leads.
    Leader(Leader),
}

/// The votes of a campaign. Voters are counted, not answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Campaign {
    /// The voters that said yes.
    pub granted: ServerSet,
    /// The voters that said no.
    pub refused: ServerSet,
}

/// What only a leader has (Raft Figure 2, "volatile state on leaders").
#[derive(Clone, Debug)]
pub struct Leader {
    /// By the member's slot; the leader's own is empty.
    pub(super) progress: Vec<Option<Progress>>,
    /// Servers that the membership in force leaves out. They are sent the log until they have that
    /// membership and know that it is committed.
    pub(super) leaving: ServerSet,
    /// Servers that left, have that membership on their disks, and were told that it is committed.
    pub(super) told: ServerSet,
    /// Index of its first own entry: no read is answered and no membership changed before that is
    /// committed.
    pub(super) first_own: LogIndex,
    pub(super) heartbeat_due: Time,
    /// The heartbeat rounds, the latest of which is the current one.
    pub(super) rounds: Rounds,
    pub(super) pending_reads: Vec<PendingRead>,
    /// The round that the newest read with a round waits for.
    pub(super) read_round: u64,
    pub(super) uncommitted_bytes: u64,
    pub(super) transfer: Option<Transfer>,
    /// A successor was told to campaign in this term: there are no more leases.
    pub(super) lease_given_up: bool,
}

/// The leader isn't in the membership that it has committed: it leads no longer (Raft §6).
pub(super) struct Removed;

/// Whether a leader goes on leading after a step that may have committed something.
pub(super) type Leadership = ControlFlow<Removed>;

/// A leadership transfer under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub(super) id: RequestId,
    /// The successor.
    pub to: ServerId,
    pub(super) deadline: Time,
    pub(super) handed_over: bool,
}

/// A leadership transfer whose leader has stepped down: the next leader decides the result of the
/// request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HandedOver {
    pub(super) id: RequestId,
    pub(super) to: ServerId,
    pub(super) deadline: Time,
}

impl From<Removed> for StepDownReason {
    fn from(_: Removed) -> StepDownReason {
        StepDownReason::Removed
    }
}

impl Role {
    /// Its name, for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Role::Follower => "follower",
            Role::PreCandidate(_) => "pre-candidate",
            Role::Candidate(_) => "candidate",
            Role::Leader(_) => "leader",
        }
    }

    /// The votes of its campaign, if it campaigns.
    pub const fn campaign(&self) -> Option<&Campaign> {
        match self {
            Role::PreCandidate(campaign) | Role::Candidate(campaign) => Some(campaign),
            _ => None,
        }
    }

    /// Its state as the leader, if it leads.
    #[inline]
    pub(super) const fn leader(&self) -> Option<&Leader> {
        if let Role::Leader(leader) = self { Some(leader) } else { None }
    }
}

impl Leader {
    /// The state of a leader that has just been elected, and has done nothing yet.
    pub(super) fn elected(server: &Server) -> Leader {
        Leader {
            progress: Vec::new(),
            leaving: ServerSet::EMPTY,
            told: ServerSet::EMPTY,
            first_own: server.log.last().index.next(),
            heartbeat_due: server.now,
            rounds: Rounds::new(),
            pending_reads: Vec::new(),
            read_round: 0,
            uncommitted_bytes: server.log.iter_from(server.commit.next()).map(|entry| entry.payload.size()).sum(),
            transfer: None,
            lease_given_up: false,
        }
    }

    /// When its timer is due.
    #[inline]
    pub(super) fn deadline(&self) -> Time {
        let transfer = self.transfer.as_ref().map_or(Time::NEVER, |transfer| transfer.deadline);
        let read = self.pending_reads.first().map_or(Time::NEVER, |read| read.deadline);
        self.heartbeat_due.min(transfer).min(read)
    }

    /// What it knows about `member`.
    pub fn progress(&self, member: ServerId) -> Option<&Progress> {
        self.progress.get(member.slot())?.as_ref()
    }

    pub(super) fn progress_mut(&mut self, member: ServerId) -> Option<&mut Progress> {
        self.progress.get_mut(member.slot())?.as_mut()
    }

    /// When the next heartbeat is due.
    pub fn heartbeat_due(&self) -> Time {
        self.heartbeat_due
    }

    /// The current heartbeat round.
    pub fn round(&self) -> u64 {
        self.rounds.latest()
    }

    /// The leadership transfer under way.
    pub fn transfer(&self) -> Option<Transfer> {
        self.transfer
    }

    /// Servers that the membership in force leaves out, until they needn't be told so any more.
    pub fn leaving(&self) -> ServerSet {
        self.leaving
    }

    /// The round whose answers the oldest read waits for.
    pub fn round_awaited(&self) -> Option<u64> {
        self.pending_reads.first().and_then(PendingRead::round)
    }

    /// Bytes of entries that aren't committed.
    pub fn uncommitted_bytes(&self) -> u64 {
        self.uncommitted_bytes
    }

    pub(super) fn clock_went_back(&mut self, now: Time, config: &Config) {
        self.heartbeat_due = self.heartbeat_due.min(now + config.heartbeat_interval);
        if let Some(transfer) = &mut self.transfer {
            transfer.deadline = transfer.deadline.min(now + config.election_timeout_max);
        }
        let latest = now + config.election_timeout_max.max(config.disk_stall_max).times(2);
        for read in &mut self.pending_reads {
            read.deadline = read.deadline.min(latest);
        }
        // It is unknown now when the rounds began, so there is no lease that depends on one.
        self.rounds.forget();
        for progress in self.progress.iter_mut().flatten() {
            progress.clock_went_back(now);
        }
    }
}
