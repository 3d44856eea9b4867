//! A disk driven by hand: what is durable, and the writes on their way there.

use std::collections::VecDeque;

use raft_core::raft::{Durable, HardState, Image, Log, Receipt, Write};

/// One server's disk.
#[derive(Clone, Debug)]
pub struct Disk {
    image: Image,
    /// Handed in and not durable yet, oldest first.
    pending: VecDeque<Write>,
    /// Whether writes stay pending until somebody says otherwise.
    pub held: bool,
}

impl Disk {
    /// A disk that holds `durable`.
    pub fn holding(durable: &Durable) -> Disk {
        Disk { image: durable.into(), pending: VecDeque::new(), held: false }
    }

    /// What a server that starts now would find.
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

    /// The writes on their way, oldest first.
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

    /// The oldest pending write becomes durable: what to tell the server.
    pub fn sync_one(&mut self) -> Option<Receipt> {
        let write = self.pending.pop_front()?;
        self.image.take(&write, usize::MAX);
        Some(write.receipt)
    }

    /// The power fails: of the pending writes, the first `parts` parts have reached the disk all
    /// the same.
    pub fn lose_power(&mut self, mut parts: usize) {
        for write in core::mem::take(&mut self.pending) {
            let of_this = parts.min(write.parts());
            self.image.take(&write, of_this);
            parts -= of_this;
        }
    }
}
