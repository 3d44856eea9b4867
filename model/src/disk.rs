//! A machine's disk: what is durable, what is being written, and what a loss of power leaves.
//!
//! It behaves like the simulator's disk, so that counterexamples play there: one sync covers
//! everything handed in before it began, and a loss of power leaves some prefix of what isn't
//! synced.

use std::hash::{Hash, Hasher};

use raft_core::raft::{DiskId, Image, Log, Receipt, Write};

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk {
    image: Image,
    /// Its identity. Zero is a founder's first disk; a server on any other disk has no vote until
    /// this is admitted.
    number: DiskId,
    /// Writes that aren't durable yet, oldest first.
    unsynced: Vec<Write>,
    /// How many of these the current sync covers; 0 if there is none.
    syncing: usize,
}

impl Disk {
    /// A new disk.
    pub fn empty(number: DiskId) -> Disk {
        Disk { image: Image::default(), number, unsynced: Vec::new(), syncing: 0 }
    }

    /// What is durable.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Its identity.
    pub fn number(&self) -> DiskId {
        self.number
    }

    /// Takes a write, and begins a sync if there is none.
    pub fn submit(&mut self, write: Write) {
        self.unsynced.push(write);
        self.syncing = self.syncing.max(1);
    }

    /// Whether there is a sync now.
    pub fn is_syncing(&self) -> bool {
        self.syncing > 0
    }

    /// Ends the current sync, and begins the next one if more is waiting. Returns the last receipt
    /// that it covers.
    pub fn sync(&mut self) -> Option<Receipt> {
        let mut receipt = None;
        for write in self.unsynced.drain(..self.syncing) {
            self.image.take(&write, usize::MAX);
            receipt = Some(write.receipt);
        }
        self.syncing = self.unsynced.len();
        receipt
    }

    /// Makes everything durable. Returns the last receipt.
    pub fn sync_all(&mut self) -> Option<Receipt> {
        self.syncing = self.unsynced.len();
        self.sync()
    }

    /// How many parts the unsynced writes have: a crash can leave any number of them, from none to
    /// all.
    pub fn unsynced_parts(&self) -> usize {
        self.unsynced.iter().map(Write::parts).sum()
    }

    /// The power fails; this many parts of what wasn't synced have reached the disk.
    pub fn lose_power(&mut self, mut parts: usize) {
        for write in std::mem::take(&mut self.unsynced) {
            let of_this = parts.min(write.parts());
            self.image.take(&write, of_this);
            parts -= of_this;
        }
        self.syncing = 0;
    }
}

impl Hash for Disk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Disk { image, number, unsynced, syncing } = self;
        (image.hard_state(), image.snapshot(), number).hash(state);
        hash_log(image.log(), state);
        (syncing, unsynced.len()).hash(state);
        // The numbers of receipts follow from their order.
        for Write { hard_state, snapshot, log, receipt } in unsynced {
            (hard_state, snapshot, receipt.last).hash(state);
            if let Some(log) = log {
                (log.after, &log.entries).hash(state);
            }
        }
    }
}

/// Hashes the content of a log.
pub fn hash_log<H: Hasher>(log: &Log, state: &mut H) {
    (log.base(), log.last()).hash(state);
    for entry in log.iter_from(log.first_index()) {
        entry.hash(state);
    }
}
