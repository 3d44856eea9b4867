//! A machine's disk: what is durable, what is on its way, and what a loss of power leaves.
//!
//! It does what the simulator's disk does, so that what is found here plays there: one sync covers
//! everything handed in before it began, and of what isn't synced, a loss of power leaves some
//! beginning.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use raft_core::raft::{DiskId, Durable, EntryId, HardState, Log, Receipt, Snapshot, Write};

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk {
    image: Image,
    /// Handed in and not durable yet, oldest first.
    unsynced: Vec<Write>,
    /// How many of those the sync under way covers; 0 if none is.
    syncing: usize,
}

/// What would be found on it after a loss of power.
#[derive(Clone, Debug)]
pub struct Image {
    hard_state: HardState,
    snapshot: Option<Arc<Snapshot>>,
    log: Log,
    /// Which disk it is. Zero is a founder's first; whoever starts from another is nobody until it
    /// is admitted.
    number: DiskId,
}

impl Disk {
    /// A new one.
    pub fn empty(number: DiskId) -> Disk {
        let log = Log::after(EntryId::ZERO);
        let image = Image { hard_state: HardState::default(), snapshot: None, log, number };
        Disk { image, unsynced: Vec::new(), syncing: 0 }
    }

    /// What is durable.
    pub fn image(&self) -> &Image {
        &self.image
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
        self.unsynced.iter().map(parts_of).sum()
    }

    /// The power fails, and so many parts of what wasn't synced have reached the disk.
    pub fn lose_power(&mut self, mut parts: usize) {
        for write in std::mem::take(&mut self.unsynced) {
            let of_this = parts.min(parts_of(&write));
            self.image.take(&write, of_this);
            parts -= of_this;
        }
        self.syncing = 0;
    }
}

/// The pieces a write can be torn into: hard state, snapshot, the cut of the log with its first
/// entry, each further entry.
fn parts_of(write: &Write) -> usize {
    usize::from(write.hard_state.is_some())
        + usize::from(write.snapshot.is_some())
        + write.log.as_ref().map_or(0, |log| log.entries.len().max(1))
}

impl Image {
    /// The hard state.
    pub fn hard_state(&self) -> HardState {
        self.hard_state
    }

    /// The snapshot.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Which disk it is.
    pub fn number(&self) -> DiskId {
        self.number
    }

    /// Whether nothing has ever been written.
    pub fn is_blank(&self) -> bool {
        self.hard_state == HardState::default() && self.snapshot.is_none() && self.log.last() == EntryId::ZERO
    }

    /// Whether it holds this entry, in its log or in its snapshot.
    pub fn holds(&self, id: EntryId) -> bool {
        id.index <= self.log.base().index || self.log.contains(id)
    }

    /// What a server that starts finds.
    pub fn durable(&self) -> Durable {
        let entries = self.log.iter_from(self.log.first_index()).cloned().collect();
        Durable { hard_state: self.hard_state, snapshot: self.snapshot.clone(), entries }
    }

    /// Takes the first `parts` parts of a write.
    fn take(&mut self, write: &Write, parts: usize) {
        let mut left = parts;
        let mut next_part = || {
            let there_is = left > 0;
            left = left.saturating_sub(1);
            there_is
        };
        if let Some(hard_state) = write.hard_state
            && next_part()
        {
            self.hard_state = hard_state;
        }
        if let Some(snapshot) = &write.snapshot
            && next_part()
        {
            let last = snapshot.meta.last;
            if last.index < self.log.base().index {
                self.log = Log::after(last);
            } else {
                self.log.compact_to(last);
            }
            self.snapshot = Some(Arc::clone(snapshot));
        }
        let Some(log) = &write.log else { return };
        let entries = log.entries.as_slice();
        if entries.is_empty() && next_part() {
            self.log.truncate_after(log.after);
        }
        for (place, entry) in entries.iter().enumerate() {
            if !next_part() {
                return;
            }
            // The cut and the first entry are one record.
            if place == 0 {
                self.log.truncate_after(log.after);
            }
            self.log.append(entry.clone());
        }
    }
}

impl Hash for Disk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Disk { image, unsynced, syncing } = self;
        (image, syncing, unsynced.len()).hash(state);
        // The numbers of receipts follow from their order.
        for Write { hard_state, snapshot, log, receipt } in unsynced {
            (hard_state, snapshot, receipt.last).hash(state);
            if let Some(log) = log {
                (log.after, &log.entries).hash(state);
            }
        }
    }
}

impl Hash for Image {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Image { hard_state, snapshot, log, number } = self;
        (hard_state, snapshot, number).hash(state);
        hash_log(log, state);
    }
}

/// What a log holds.
pub fn hash_log<H: Hasher>(log: &Log, state: &mut H) {
    (log.base(), log.last()).hash(state);
    for entry in log.iter_from(log.first_index()) {
        entry.hash(state);
    }
}
