//! One simulated machine: a disk that survives crashes, and, while it runs, a Raft server with its store.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::client::ClientId;
use super::disk::Disk;
use crate::kv::{Query, Store};
use crate::raft::{LogIndex, Raft, RequestId, ServerId, Term};
use crate::time::Time;

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) id: ServerId,
    pub(super) disk: Disk,
    /// Counts starts: what belongs to an earlier life is ignored.
    pub(super) incarnation: u32,
    pub(super) process: Option<Process>,
    /// When the machine is scheduled to wake.
    pub(super) wake: Time,
    /// When it last started or crashed.
    pub(super) since: Time,
}

/// What a crash ends.
#[derive(Clone, Debug)]
pub struct Process {
    pub(super) raft: Raft,
    pub(super) store: Store,
    /// Who waits for the entry at an index, and in which term it was proposed.
    pub(super) proposed: BTreeMap<LogIndex, (Term, Asker)>,
    /// Reads under way.
    pub(super) reading: Vec<(RequestId, Asker, Query)>,
    pub(super) requests: RequestId,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) client: ClientId,
    pub(super) attempt: u64,
}

impl Machine {
    /// Its name.
    pub fn id(&self) -> ServerId {
        self.id
    }

    /// Its disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// The Raft server, while it runs.
    pub fn raft(&self) -> Option<&Raft> {
        self.process.as_ref().map(|process| &process.raft)
    }

    /// The store, while it runs.
    pub fn store(&self) -> Option<&Store> {
        self.process.as_ref().map(|process| &process.store)
    }

    /// How often it has started.
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }
}
