//! Every state of a small Raft cluster.
//!
//! Hunts play long runs of large clusters and see a tiny part of what can happen. This crate does
//! the opposite: in a small cluster, mostly of two or three servers, only a few things can happen,
//! but it explores *everything*, in every order. Most mistakes of a consensus protocol show in
//! small worlds, and a complete search needs no luck.
//!
//! # What is explored
//! A [`World`] is a small cluster's parameters with bounds on timers that fire, messages that
//! arrive twice, losses of power, proposals, reads, changes. The [`Model`] is the transition system
//! of a world, which [`stateright`] explores breadth-first. The servers are the core's own: each
//! step is one call of [`Raft::step`](raft_core::raft::Raft::step), and its output is carried out
//! as in the simulator.
//! * **Messages** arrive in any order, or twice, or never: a message that stays in flight for ever
//!   is a lost one.
//! * **Disks** finish a write at any time; a loss of power before that leaves nothing of it, all of
//!   it, or a prefix.
//! * **Timers** can fire at any time while they are set: see [`Clocks`].
//!
//! # When two states are the same
//! States that differ only in the time, in random numbers, in the numbers of writes or in messages
//! that can't matter any more count as the same:
//! [`Raft::hash_essence`](raft_core::raft::Raft::hash_essence) defines a server's state. The past
//! belongs to a state only where a property needs it (`judge`).
//!
//! # What must hold
//! The properties of [`raft_core::check`], formulated anew (`judge`). And no assertion of the core
//! may fail.
//!
//! # Without a rule
//! For each rule that can be switched off, except one, there is a world with a violation when it is
//! off ([`worlds::without`]). The shortest path to it becomes a scenario ([`scenario`]) that the
//! simulator and the page play; these are in `counterexamples/`.
//!
//! # Caveats
//! * A fingerprint has 64 bits: a collision of two different states is improbable, not impossible.
//! * "Complete" means within the bounds. What needs a longer log, a fourth term or a second crash
//!   is missing.
//! * Progress isn't checked: a run can end in any state.
#![deny(missing_docs)]

mod disk;
mod intern;
mod judge;
mod marks;
mod model;
mod node;
mod panics;
mod state;
mod step;
mod world;

pub mod counterexample;
pub mod explore;
pub mod scenario;
pub mod worlds;

pub use marks::Mark;
pub use model::Model;
pub use state::{Action, Spent, State, Trouble};
pub use world::{Bounds, Clocks, World};
