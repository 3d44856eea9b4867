//! A sans-IO Raft, a replicated key-value store, and the deterministic world to break them in.
//!
//! * [`raft`]: the consensus protocol, one server as a pure function of its inputs;
//! * [`kv`]: the replicated key-value store, with client sessions and snapshots;
//! * [`time`]: virtual time.
//!
//! The library has no clock, no sockets, no threads, no files and no randomness but the seeds it is given: it is
//! `#![no_std]`, so that the compiler proves it.
#![no_std]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod kv;
pub mod raft;
pub mod time;
