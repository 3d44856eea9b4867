//! What the paper says, section by section: *In Search of an Understandable Consensus Algorithm
//! (Extended Version)*. Each test is named for what must hold.
//!
//! The servers here do a little more than the paper's: they have pre-vote, and a server that hears
//! a leader ignores campaigns (see the essay of [`raft_core::raft`]). Tests of schedules that
//! assume otherwise switch these off.

mod support;

#[path = "paper/commitment.rs"]
mod commitment;
#[path = "paper/elections.rs"]
mod elections;
#[path = "paper/figures.rs"]
mod figures;
#[path = "paper/membership.rs"]
mod membership;
#[path = "paper/replication.rs"]
mod replication;
#[path = "paper/requests.rs"]
mod requests;
#[path = "paper/snapshots.rs"]
mod snapshots;
