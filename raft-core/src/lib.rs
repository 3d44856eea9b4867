//! A sans-IO Raft, a replicated key-value store, and the deterministic world to break them in.
//!
//! * [`raft`]: the consensus protocol, one server as a pure function of its inputs;
//! * [`state_machine`]: what a replicated state machine is: the store, or your own;
//! * [`kv`]: the replicated key-value store, with client sessions and snapshots;
//! * [`once`]: a layer around any state machine, by which a retried request is carried out once;
//! * [`sim`]: the world around the servers: virtual time, a network, disks, clients, faults;
//! * [`check`]: what must always hold, checked after every event;
//! * [`format`](mod@format): runs as files and links, their news as traces, and what servers
//!   observed as recordings;
//! * [`trial`]: hunts for failures, what counts as one, and how to shrink it;
//! * `lesson` (with the feature `serde`): what lessons claim, ask and set as a task;
//! * [`time`]: virtual time.
//!
//! The library has no clock, no sockets, no threads, no files and no randomness except the seeds it
//! is given. It is `#![no_std]`, so the compiler proves it.
//!
//! # Three servers, driven by hand
//! A server takes one [`Input`](raft::Input) at a time and says in an [`Output`](raft::Output) what
//! to do. Here messages arrive at once, disks write at once, and a state machine is a list of
//! commands; time passes only when nothing else is left to do. `examples/node.rs` does the same
//! with threads, files and a real clock.
//! ```
//! use raft_core::raft::{Config, Configuration, Input, Output, Payload, Proposal, Raft, ServerId, ServerSet, Start};
//! use raft_core::time::Time;
//! use std::collections::VecDeque;
//!
//! struct Cluster {
//!     servers: Vec<Raft>,
//!     applied: Vec<Vec<String>>, // by each server
//!     now: Time,
//! }
//!
//! impl Cluster {
//!     /// Gives a server an input, and does everything that follows from it.
//!     fn step(&mut self, server: ServerId, input: Input) {
//!         let mut inputs = VecDeque::from([(server, input)]);
//!         let mut out = Output::default();
//!         while let Some((me, input)) = inputs.pop_front() {
//!             self.servers[me.slot()].step(self.now, input, &mut out);
//!             for write in out.writes.drain(..) {
//!                 inputs.push_back((me, Input::Durable(write.receipt))); // An instant disk.
//!             }
//!             for envelope in out.messages.drain(..) {
//!                 inputs.push_back((envelope.to, Input::Message { from: me, message: envelope.message }));
//!             }
//!             for (_, entry) in out.committed_entries() {
//!                 if let Payload::Command(bytes) = &entry.payload {
//!                     self.applied[me.slot()].push(String::from_utf8_lossy(bytes).into_owned());
//!                 }
//!             }
//!         }
//!     }
//!
//!     /// Lets time pass up to the next deadline.
//!     fn wait(&mut self) {
//!         let next = self.servers.iter().min_by_key(|raft| raft.deadline()).unwrap();
//!         let server = next.id();
//!         self.now = next.deadline();
//!         self.step(server, Input::TimerDue);
//!     }
//! }
//!
//! let voters = ServerSet::first(3);
//! let start = |id| {
//!     Raft::new(Config::new(id, 7), Start::Bootstrap(Configuration::of_voters(voters)), Time::ZERO)
//! };
//! let servers = voters.iter().map(start).collect::<Result<Vec<_>, _>>()?;
//! let mut cluster = Cluster { servers, applied: vec![vec![]; 3], now: Time::ZERO };
//!
//! // Elect: one server's election timeout passes first, and the others vote for it.
//! cluster.wait();
//! let leader = cluster.servers.iter().find(|raft| raft.is_leader()).expect("one of them leads").id();
//!
//! // Propose and commit: the leader has it applied as soon as a majority has it on disk.
//! cluster.step(leader, Input::Propose(Proposal { id: 1, command: b"x=1".as_slice().into() }));
//! assert_eq!(cluster.applied[leader.slot()], ["x=1"]);
//!
//! // Apply: the next heartbeat tells the others that it is committed.
//! cluster.wait();
//! assert_eq!(cluster.applied, [["x=1"], ["x=1"], ["x=1"]]);
//! # Ok::<(), raft_core::raft::StartError>(())
//! ```
#![no_std]
#![deny(missing_docs)]

// The examples of the readme and the guide are tested, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
#[cfg(doctest)]
#[doc = include_str!("../GUIDE.md")]
struct Guide;

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bytes;
pub mod check;
mod clock;
pub mod codec;
pub mod format;
mod hash;
pub mod kv;
#[cfg(feature = "serde")]
pub mod lesson;
mod listed;
pub mod once;
mod order;
pub mod raft;
mod shared;
mod shared_map;
pub mod sim;
mod sorted;
pub mod state_machine;
pub mod text;
pub mod time;
pub mod trial;
