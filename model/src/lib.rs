//! Every state of a small Raft cluster.
//!
//! Hunts play long runs of large clusters and see a tiny part of what can happen. Here it is the
//! other way round: a cluster of two or three servers, in which little may happen, but of that
//! *everything*, in every order. Most mistakes of a consensus protocol show in small worlds
//! already, and what has been looked through whole needs no luck.
//!
//! # What is explored
//! A [`World`] is a small cluster's parameters with bounds: so many timers that fire, messages that
//! come twice, losses of power, proposals, reads, changes. The [`Model`] is all that may happen in
//! it, as [`stateright`] explores it, breadth-first. The servers are the core's own: each step is
//! one call of [`Raft::step`](raft_core::raft::Raft::step), and what it decides is carried out as
//! the simulator does it.
//! * **Messages** come in any order, or twice, or never: one that stays on its way for ever is one
//!   that was lost.
//! * **Disks** finish a write whenever they like; a loss of power before that leaves nothing of it,
//!   all, or some beginning.
//! * **Timers** fire whenever they are set: see [`Clocks`].
//!
//! # When two states are the same
//! States that differ only in the time, in luck, in the numbers of writes or in messages that
//! nobody needs any more are one: a server is what
//! [`Raft::hash_essence`](raft_core::raft::Raft::hash_essence) says. What was before belongs to a
//! state only where a property asks for it (`judge`).
//!
//! # What must hold
//! The properties of [`raft_core::check`], formulated anew (`judge`), and that no assertion of the
//! core fails.
//!
//! # Without a rule
//! For each of the rules that can be switched off there is a world in which that is missed
//! ([`worlds::without`]). The shortest way there becomes a scenario ([`scenario`]) that the
//! simulator and the page play; they are kept in `counterexamples/`.
//!
//! # Caveats
//! * A fingerprint has 64 bits: that two different states are taken for one is improbable, not
//!   impossible.
//! * "Complete" means: within the bounds. What takes a longer log, a fourth term or a second crash
//!   isn't there.
//! * Nothing is said of progress: every state may be the last.
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
