//! A machine's disk: what is durable, what is on its way, and what a loss of power leaves.
//!
//! It does what the simulator's disk does, so that what is found here plays there: one sync covers
//! everything handed in before it began, and of what isn't synced, a loss of power leaves some
//! beginning.

use std::hash::{Hash, Hasher};

use raft_core::raft::{DiskId, Image, Log, Receipt, Write};

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk {
    image: Image,
    /// Which disk it is. Zero is a founder's first; whoever starts from another is nobody until it
    /// is admitted.
    number: DiskId,
    /// Handed in and not durable yet, oldest first.
    unsynced: Vec<Write>,
    /// How many of those the sync under way covers; 0 if none is.
    syncing: usize,
}

impl Disk {
    /// A new one.
    pub fn empty(number: DiskId) -> Disk {
        Disk { image: Image::default(), number, unsynced: Vec::new(), syncing: 0 }
    }

    /// What is durable.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Which disk it is.
    pub fn number(&self) -> DiskId {
        self.number
    }

    /// Takes a write; where no sync is under way, one begins.
    pub fn submit(&mut self, write: Write) {
        self.unsynced.push(write);
        self.syncing = self.syncing.max(1);
    }

    /// Whether a sync is under way.
    pub fn is_syncing(&self) -> bool {
        self.syncing > 0
    }

    /// The sync under way is done, and the next one begins, if more waits: the last receipt it
    /// covers.
    pub fn sync(&mut self) -> Option<Receipt> {
        let mut receipt = None;
        for write in self.unsynced.drain(..self.syncing) {
            self.image.take(&write, usize::MAX);
            receipt = Some(write.receipt);
        }
        self.syncing = self.unsynced.len();
        receipt
    }

    /// Everything handed in is durable: the last receipt.
    pub fn sync_all(&mut self) -> Option<Receipt> {
        self.syncing = self.unsynced.len();
        self.sync()
    }

    /// How many parts the unsynced writes have: as many plus one beginnings can be left of them.
    pub fn unsynced_parts(&self) -> usize {
        self.unsynced.iter().map(Write::parts).sum()
    }

    /// The power fails, and so many parts of what wasn't synced have reached the disk.
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

/// What a log holds.
pub fn hash_log<H: Hasher>(log: &Log, state: &mut H) {
    (log.base(), log.last()).hash(state);
    for entry in log.iter_from(log.first_index()) {
        entry.hash(state);
    }
}
