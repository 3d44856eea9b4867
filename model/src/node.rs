//! One machine of the small world, and a message in flight.

use std::fmt;
use std::hash::{Hash, Hasher};

use raft_core::raft::{
    AppendEntriesResponse, AppendOutcome, LogIndex, Message, Raft, ReadIndexResponse, RequestId, Role, ServerId, Term,
};
use raft_core::time::Time;

use crate::disk::Disk;
use crate::intern::{Identified, fingerprint, hasher};

/// A machine: a disk, and, while it runs, a server.
#[derive(Clone, Debug)]
pub struct Node {
    id: ServerId,
    /// The server, while it runs.
    pub raft: Option<Raft>,
    /// Its disk.
    pub disk: Disk,
    /// The last time that its clock showed.
    pub clock: Time,
    /// The term and the index up to which it has compared its log with its leader's.
    pub compared: (Term, LogIndex),
    /// Its unanswered reads, each with the index that the answer must show at least.
    pub reads: Vec<(RequestId, LogIndex)>,
    identity: u64,
}

impl Node {
    /// A machine that has just started.
    pub fn new(raft: Raft, disk: Disk, clock: Time) -> Node {
        Node {
            id: raft.id(),
            raft: Some(raft),
            disk,
            clock,
            compared: Default::default(),
            reads: Vec::new(),
            identity: 0,
        }
    }

    /// Updates its fingerprint. With `timeless`, the clock isn't part of it.
    pub fn identify(&mut self, timeless: bool) {
        let mut hasher = hasher();
        (self.id, self.raft.is_some()).hash(&mut hasher);
        if !timeless && self.raft.is_some() {
            self.clock.hash(&mut hasher);
        }
        if let Some(raft) = &self.raft {
            raft.hash_essence(&mut hasher);
        }
        (&self.disk, &self.reads, self.compared).hash(&mut hasher);
        self.identity = hasher.finish();
    }

    /// Whether a message to it can be removed, because it can't make a difference any more,
    /// whatever happens. Most of these are answers that the server doesn't wait for any more. This
    /// is right only if disks aren't lost, since it relies on the term on the disk.
    pub fn needs_no(&self, from: ServerId, message: &Message) -> bool {
        let durable = self.disk.image().hard_state().term;
        let term = message.term();
        if term > durable {
            return false;
        }
        let now = self.raft.as_ref().filter(|raft| raft.term() == term).map(Raft::role);
        match message {
            Message::PreVoteResponse(m) => m.asked_in < durable,
            // A server that isn't a candidate of the term now never will be, and a vote counts
            // once.
            Message::RequestVoteResponse(_) => match now {
                Some(Role::Candidate(campaign)) => campaign.granted.contains(from) || campaign.refused.contains(from),
                _ => true,
            },
            Message::AppendEntriesResponse(_) | Message::InstallSnapshotResponse(_) => {
                !matches!(now, Some(Role::Leader(_) | Role::Candidate(_)))
            }
            Message::TimeoutNow(_) | Message::ReadIndexResponse(_) => term < durable,
            _ => false,
        }
    }
}

impl Identified for Node {
    fn fingerprint(&self) -> u64 {
        self.identity
    }
}

/// A message on its way.
#[derive(Debug)]
pub struct Flight {
    /// The sender.
    pub from: ServerId,
    /// The receiver.
    pub to: ServerId,
    /// The message.
    pub message: Message,
    identity: u64,
}

impl Flight {
    /// A message in flight. With `timeless`, clock readings are left out.
    pub fn new(from: ServerId, to: ServerId, mut message: Message, timeless: bool) -> Flight {
        if let Message::AppendEntriesResponse(answer) = &mut message
            && timeless
        {
            answer.clock = Time::ZERO;
        }
        let identity = fingerprint(&(from, to, &message));
        Flight { from, to, message, identity }
    }
}

impl Identified for Flight {
    fn fingerprint(&self) -> u64 {
        self.identity
    }
}

impl fmt::Display for Flight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Flight { from, to, message, .. } = self;
        let Term(term) = message.term();
        write!(f, "{} of term {term} from {from} to {to}", message.name())?;
        match message {
            Message::RequestVote(m) => write!(f, " (last {})", m.last),
            Message::PreVoteResponse(m) => write!(f, " ({})", if m.granted { "yes" } else { "no" }),
            Message::RequestVoteResponse(m) => write!(f, " ({})", if m.granted { "yes" } else { "no" }),
            Message::AppendEntries(m) => {
                write!(f, " (after {}, {} entries, commit {})", m.previous, m.entries.len(), m.commit)
            }
            Message::AppendEntriesResponse(AppendEntriesResponse { outcome, .. }) => match outcome {
                AppendOutcome::Matched(index) => write!(f, " (matches up to {index})"),
                AppendOutcome::Conflict { previous, .. } => write!(f, " (conflict at {previous})"),
                AppendOutcome::Joining { matched, .. } => write!(f, " (may not vote, matches up to {matched})"),
                AppendOutcome::Damaged { last, .. } => write!(f, " (damaged, last {last})"),
                AppendOutcome::StaleTerm => f.write_str(" (stale term)"),
            },
            Message::InstallSnapshot(m) => write!(f, " (up to {})", m.meta.last),
            Message::ReadIndexResponse(ReadIndexResponse { index: Some(index), .. }) => write!(f, " (at {index})"),
            _ => Ok(()),
        }
    }
}
