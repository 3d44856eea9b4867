//! A disk driven by hand: what is durable, and the writes on their way there.

use std::collections::VecDeque;
use std::sync::Arc;

use raft_core::raft::{Durable, EntryId, HardState, Log, Receipt, Snapshot, Write};

/// One server's disk.
#[derive(Clone, Debug)]
pub struct Disk {
    hard_state: HardState,
    snapshot: Option<Arc<Snapshot>>,
    log: Log,
    /// Handed in and not durable yet, oldest first.
    pending: VecDeque<Write>,
    /// Whether writes stay pending until somebody says otherwise.
    pub held: bool,
}

impl Disk {
    /// A disk that holds `durable`.
    pub fn holding(durable: &Durable) -> Disk {
        let base = durable.snapshot.as_ref().map_or(EntryId::ZERO, |snapshot| snapshot.meta.last);
        let mut log = Log::after(base);
        for entry in &durable.entries {
            log.append(entry.clone());
        }
        let (hard_state, snapshot) = (durable.hard_state, durable.snapshot.clone());
        Disk { hard_state, snapshot, log, pending: VecDeque::new(), held: false }
    }

    /// What a server that starts now would find.
    pub fn durable(&self) -> Durable {
        let entries = self.log.iter_from(self.log.first_index()).cloned().collect();
        Durable { hard_state: self.hard_state, snapshot: self.snapshot.clone(), entries }
    }

    /// The durable hard state.
    pub fn hard_state(&self) -> HardState {
        self.hard_state
    }

    /// The durable log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The writes on their way, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &Write> {
        self.pending.iter()
    }

    /// How many parts the pending writes have: each can be the last that a crash leaves.
    pub fn pending_parts(&self) -> usize {
        self.pending.iter().map(parts_of).sum()
    }

    /// Takes a write; it isn't durable yet.
    pub fn submit(&mut self, write: Write) {
        self.pending.push_back(write);
    }

    /// The oldest pending write becomes durable: what to tell the server.
    pub fn sync_one(&mut self) -> Option<Receipt> {
        let write = self.pending.pop_front()?;
        self.take(&write, usize::MAX);
        Some(write.receipt)
    }

    /// The power fails: of the pending writes, the first `parts` parts have reached the disk all the same.
    pub fn lose_power(&mut self, mut parts: usize) {
        for write in core::mem::take(&mut self.pending) {
            let of_this = parts.min(parts_of(&write));
            self.take(&write, of_this);
            parts -= of_this;
        }
    }

    /// Takes the first `parts` parts of a write, in the order that [`Write`] declares.
    fn take(&mut self, write: &Write, mut parts: usize) {
        let mut next_part = || {
            let there_is = parts > 0;
            parts = parts.saturating_sub(1);
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
            self.log.compact_to(snapshot.meta.last);
            self.snapshot = Some(Arc::clone(snapshot));
        }
        let Some(log) = &write.log else { return };
        // To cut the log and to append the first entry is one part.
        let entries = log.entries.as_slice();
        for position in 0..entries.len().max(1) {
            if !next_part() {
                return;
            }
            if position == 0 {
                self.log.truncate_after(log.after);
            }
            if let Some(entry) = entries.get(position) {
                self.log.append(entry.clone());
            }
        }
    }
}

fn parts_of(write: &Write) -> usize {
    usize::from(write.hard_state.is_some())
        + usize::from(write.snapshot.is_some())
        + write.log.as_ref().map_or(0, |log| log.entries.len().max(1))
}
