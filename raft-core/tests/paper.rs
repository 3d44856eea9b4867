//! What the paper says, section by section: *In Search of an Understandable Consensus Algorithm
//! (Extended Version)*. Each test is named for what must hold.
//!
//! The servers here do what the paper's do and a little more: they ask before they campaign, and
//! whoever hears a leader ignores campaigns (see the essay of [`raft_core::raft`]). Where a
//! schedule of the paper's knows nothing of it, it is switched off.

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
