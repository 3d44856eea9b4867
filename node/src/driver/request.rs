//! What clients ask the driver, and how it answers.

use std::fmt;

use raft_core::raft::{Bytes, EntryId, MembershipChange, ReadMode, Refusal, ServerId};
use tokio::sync::oneshot;

/// Something that the driver is asked to do.
pub enum Request<M> {
    /// Have the cluster apply a command.
    Propose {
        /// The state machine's command.
        command: Bytes,
        /// Gets the answer, once a majority has the command on disk and it is applied here.
        reply: oneshot::Sender<Result<Applied, Failure>>,
    },
    /// Look at the state machine.
    Read {
        /// How fresh it must be.
        consistency: Consistency,
        /// Is called with the state machine when it is fresh enough, or with why it never will be.
        look: Look<M>,
    },
    /// Change the membership.
    ChangeMembership {
        /// The membership wanted.
        change: MembershipChange,
        /// Is answered when the change is committed, with its entry.
        reply: oneshot::Sender<Result<EntryId, Failure>>,
    },
    /// Hand leadership to another server.
    Transfer {
        /// The server that should lead.
        to: ServerId,
        /// Is answered when that server leads.
        reply: oneshot::Sender<Result<(), Failure>>,
    },
    /// Take no more commands; a leader hands its leadership over.
    Leave {
        /// Is answered when that has succeeded, or can't any more. The server follows until it is
        /// told to stop.
        reply: oneshot::Sender<()>,
    },
    /// Stop; a leader hands its leadership over first.
    Stop,
}

/// Whoever waits for an entry.
pub(super) enum Waiter {
    Command(oneshot::Sender<Result<Applied, Failure>>),
    Membership(oneshot::Sender<Result<EntryId, Failure>>),
}

impl Waiter {
    pub(super) fn fail(self, failure: Failure) {
        // Whoever asked may have gone away.
        match self {
            Waiter::Command(reply) => drop(reply.send(Err(failure))),
            Waiter::Membership(reply) => drop(reply.send(Err(failure))),
        }
    }
}

/// Called with the state machine and the index of the last entry that is applied to it.
pub type Look<M> = Box<dyn FnOnce(Result<(&M, u64), Failure>) + Send>;

/// How fresh the state must be that a read sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// As of some moment between question and answer: nothing older than what anybody was told
    /// before. The leader confirms by a round of messages that it still leads.
    #[default]
    Linearizable,
    /// The same, but by the leader's lease if it has one: no round of messages. It is only as good
    /// as the clocks: they may run apart by [`Config::clock_drift_max`](raft_core::raft::Config).
    Lease,
    /// Whatever this server has applied; it may be old.
    Local,
}

impl Consistency {
    pub(super) fn mode(self) -> Option<ReadMode> {
        match self {
            Consistency::Linearizable => Some(ReadMode::Confirmed),
            Consistency::Lease => Some(ReadMode::Lease),
            Consistency::Local => None,
        }
    }
}

/// A command that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its entry.
    pub entry: EntryId,
    /// The state machine's answer.
    pub answer: Vec<u8>,
}

/// Why a request was not done, or isn't known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This server doesn't lead, and did nothing.
    NotLeader {
        /// The leader that it knows of.
        leader: Option<ServerId>,
    },
    /// Nothing was done, and nothing will be.
    Refused(Refusal),
    /// Another leader's entry has taken this one's place in the log: nothing was done, and nothing
    /// will be.
    Overwritten,
    /// It may have been done, or may still be.
    Unknown(Doubt),
    /// The disk is full. Nothing was done.
    DiskFull,
    /// More requests wait than this server takes. Nothing was done.
    Busy,
    /// The server is stopping. Nothing was done.
    Stopping,
}

/// Why the outcome of a request isn't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It took longer than the request's time limit.
    TimedOut,
    /// The server got the outcome inside a snapshot, where single commands can't be told apart.
    InSnapshot,
    /// The server stopped, or lost its disk, while the request was under way.
    Stopped,
    /// The leader that the request was handed to didn't answer.
    LeaderSilent,
    /// Who answers at the leader's address hasn't proved to be the leader.
    LeaderUnproven,
}

impl Failure {
    /// Whether it is certain that nothing was done and nothing will be: the same request can be
    /// made again without being done twice.
    pub fn is_certain(&self) -> bool {
        !matches!(self, Failure::Unknown(_) | Failure::Refused(Refusal::LeadershipLost))
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Doubt::TimedOut => "no majority of the servers has confirmed it in time",
            Doubt::InSnapshot => "this server learned the outcome as part of a snapshot",
            Doubt::Stopped => "this server stopped while the request was under way",
            Doubt::LeaderSilent => "the leader didn't answer",
            Doubt::LeaderUnproven => "who answers at the leader's address hasn't proved to be the leader",
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotLeader { leader: Some(leader) } => write!(f, "this server doesn't lead; {leader} does"),
            Failure::NotLeader { leader: None } => f.write_str("no leader is known"),
            Failure::Refused(reason) => reason.fmt(f),
            Failure::Overwritten => f.write_str("another leader's entry took its place in the log: it was not done"),
            Failure::Unknown(doubt) => write!(f, "whether it was done isn't known: {doubt}"),
            Failure::DiskFull => f.write_str("the disk is full: nothing is lost, but nothing can be written"),
            Failure::Busy => f.write_str("too many requests wait here"),
            Failure::Stopping => f.write_str("this server is stopping"),
        }
    }
}
