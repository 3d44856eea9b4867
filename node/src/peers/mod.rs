//! Messages between servers.

use raft_core::raft::{Message, ServerId};

/// A message that came in.
#[derive(Debug)]
pub struct Incoming {
    /// Its sender.
    pub from: ServerId,
    /// The sender's incarnation.
    pub life: u64,
    /// The message's number within it.
    pub number: u64,
    /// What it says.
    pub message: Message,
    /// How many bytes it took.
    pub bytes: usize,
}
