//! A disk driven by hand: its durable state and the pending writes.

use std::collections::VecDeque;

use raft_core::raft::{Durable, HardState, Image, Log, Receipt, Write};

/// One server's disk.
#[derive(Clone, Debug)]
pub struct Disk {
    image: Image,
    /// Writes that aren't durable yet, oldest first.
    pending: VecDeque<Write>,
    /// Whether writes stay pending until a test syncs them.
    pub held: bool,
}

impl Disk {
    /// A disk that holds `durable`.
    pub fn holding(durable: &Durable) -> Disk {
        Disk { image: durable.into(), pending: VecDeque::new(), held: false }
    }

    /// What a server would find if it started now.
    pub fn durable(&self) -> Durable {
        self.image.durable()
    }

    /// The durable hard state.
    pub fn hard_state(&self) -> HardState {
        self.image.hard_state()
    }

    /// The durable log.
    pub fn log(&self) -> &Log {
        self.image.log()
    }

    /// The pending writes, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &Write> {
        self.pending.iter()
    }

    /// How many parts the pending writes have: each can be the last that a crash leaves.
    pub fn pending_parts(&self) -> usize {
        self.pending.iter().map(Write::parts).sum()
    }

    /// Takes a write; it isn't durable yet.
    pub fn submit(&mut self, write: Write) {
        self.pending.push_back(write);
    }

    /// The oldest pending write becomes durable. Returns the receipt for the server.
    pub fn sync_one(&mut self) -> Option<Receipt> {
        let write = self.pending.pop_front()?;
        self.image.take(&write, usize::MAX);
        Some(write.receipt)
    }

    /// The power fails: only the first `parts` parts of the pending writes reach the disk.
    pub fn lose_power(&mut self, mut parts: usize) {
        for write in core::mem::take(&mut self.pending) {
            let of_this = parts.min(write.parts());
            self.image.take(&write, of_this);
            parts -= of_this;
        }
    }
}
