//! A sans-IO Raft, a replicated key-value store, and the deterministic world to break them in.
//!
//! * [`raft`]: the consensus protocol, one server as a pure function of its inputs;
//! * [`kv`]: the replicated key-value store, with client sessions and snapshots;
//! * [`sim`]: the world around the servers: virtual time, a network, disks, clients, faults;
//! * [`check`]: what must always hold, checked after every event;
//! * [`format`](mod@format): runs as files and links, and what came of them as logs;
//! * [`trial`]: hunts for failures, what counts as one, and how to make it small;
//! * [`time`]: virtual time.
//!
//! The library has no clock, no sockets, no threads, no files and no randomness but the seeds it is given: it is
//! `#![no_std]`, so that the compiler proves it.
#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod check;
pub mod format;
mod hash;
pub mod kv;
pub mod raft;
mod shared;
pub mod sim;
pub mod time;
pub mod trial;
