//! The loop that owns a server's [`Raft`] and carries out what it decides.
//!
//! It has a thread of its own. Whatever happens reaches it through channels: messages from peers,
//! requests of clients, reports of the disk. It gives them to [`Raft::step`] one by one, with the
//! time of the server's own clock, and does what the output says, in its order. It never waits for
//! a disk, a peer or a client. The disk has a thread of its own, too (`disk`); a snapshot is
//! taken of a clone, in a third.
//!
//! # What becomes of a request
//! A command gets an entry of the log
//! ([`Output::accepted`](raft_core::raft::Output::accepted)). When an entry is applied at that
//! index, its term says whether it is this one. Until then nobody knows, and nobody is told that
//! the command failed. Every request is answered once: with the outcome, with a refusal, or with
//! the doubt ([`Failure::Unknown`]).
//!
//! # A storage that fails
//! After a failed write nobody knows what the disk holds, so the server stops, opens the storage
//! again, and starts from what is really there. A full disk is no failure: its writes wait, new
//! commands are refused, and the server goes on when there is room.
//!
//! # Files
//! `handle` is how others speak to a driver. `start` begins it, `run` takes what comes, `act` does
//! what a step has decided, `stop` hands leadership over before the end.

mod act;
mod disk;
mod handle;
mod request;
mod run;
mod start;
mod status;
mod stop;

#[cfg(test)]
mod tests;

pub use handle::{Handle, Running};
pub use request::{Applied, Consistency, Doubt, Failure, Look, Request};
pub use start::start;
pub use status::{DiskState, Follower, Loss, OTHER_DISK, Status};

use raft_core::raft::{Config, Configuration, DiskId, LogIndex, Message, Observation, Raft, ServerId, Term};
use raft_core::state_machine::RestoreError;
use raft_core::time::Time;
use tokio::sync::{mpsc, oneshot};

use crate::peers::Incoming;
use crate::storage::{Storage, StorageError};

/// The way to the other servers.
pub trait Network: Send + 'static {
    /// Sends a message, or drops it; never waits. Returns the message's number if it was sent.
    fn send(&self, to: ServerId, message: &Message) -> Option<u64>;
}

/// Those who are told what happens in the driver's thread, as it happens. They must not wait.
pub trait Audience<M>: Send + 'static {
    /// The committed entry at this index has admitted this disk of a server.
    fn admitted(&mut self, index: LogIndex, server: ServerId, disk: DiskId);

    /// A command was applied.
    fn applied(&mut self, index: LogIndex, command: &[u8], answer: &[u8]);

    /// The state machine was replaced by a snapshot that ends at this index, or was read from disk.
    fn restored(&mut self, index: LogIndex, machine: &M);

    /// This server leads now, in this term, and has applied everything that was committed before.
    fn leads(&mut self, term: Term, machine: &M);

    /// Whether it wants to know each step.
    fn listens(&mut self) -> bool;

    /// A step was taken, at this moment, and left the server like this.
    fn stepped(&mut self, now: Time, raft: &Raft, observations: &[Observation]);

    /// A message came in.
    fn received(&mut self, now: Time, incoming: &Incoming);

    /// A message went out, with this number; or was dropped here, without one.
    fn sent(&mut self, now: Time, to: ServerId, message: &Message, number: Option<u64>);
}

/// How a server starts if its storage is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Founding {
    /// It is one of those that found the cluster.
    Founder(Configuration),
    /// It waits until it is added to a cluster.
    Joiner,
}

/// What a driver is started with.
pub struct Setup<M> {
    /// The server's parameters.
    pub config: Config,
    /// How it starts if its storage is new.
    pub founding: Founding,
    /// What a server that founds the cluster waits for, if its storage is new: that all others who
    /// found it know its disk. Until then it takes no part, and promises nothing. An error says why
    /// it must not, and ends the driver. Nothing to wait for if there is nobody else.
    pub known_to_founders: Option<oneshot::Receiver<Result<(), String>>>,
    /// The number of its disk ([`DiskId`]).
    pub disk: DiskId,
    /// Opens its storage: at the start, and again after a failure.
    pub open: Box<dyn FnMut() -> Result<Box<dyn Storage>, StorageError> + Send>,
    /// The state machine, empty.
    pub machine: M,
    /// The way to the other servers.
    pub network: Box<dyn Network>,
    /// Those who are told what happens.
    pub audience: Box<dyn Audience<M>>,
    /// Messages from the other servers.
    pub incoming: mpsc::Receiver<Incoming>,
    /// How many requests may wait.
    pub requests_max: usize,
}

/// Why a server can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The storage can't be opened, read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Parameters, or what the disk holds, make no sense.
    #[error("the server can't start: {0}")]
    Start(#[from] raft_core::raft::StartError),
    /// It isn't one of those that found the cluster, or not on this disk.
    #[error("{0}")]
    NotAFounder(String),
    /// The state machine can't read the snapshot.
    #[error("the snapshot can't be restored: {0}")]
    Restore(RestoreError),
    /// A thread can't be started.
    #[error("a thread can't be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The driver's thread panicked; its own message says more.
    #[error("the server's thread has ended by a failed assertion")]
    Panicked,
}
