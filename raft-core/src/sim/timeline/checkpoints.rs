//! Checkpoints: whole worlds, kept at intervals along a branch. Everything between two of them is
//! replayed.
//!
//! # What one costs
//! Logs, stores and histories are shared between clones and copied only where they are written to,
//! so that a checkpoint costs what changes until the next one. Measured with five servers and a
//! busy client (`cargo run --release -p raftarium-core --example timeline`): a checkpoint takes 10
//! to 20 µs and 90 kB, half of which is history that the world itself has compacted since.
//! Replaying an event takes 0.3 µs, and 0.6 µs in WebAssembly. A seek replays at most [`SPACING`]
//! events and takes 0.6 ms, or 1.2 ms at the 99th percentile.
//!
//! # How many are kept
//! One every [`SPACING`] events, until there are too many (`thinning`).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem::size_of;

use super::playhead::Playhead;
use crate::raft::Entry;
use crate::sim::{Flight, Machine, OperationRecord, Simulation};
use crate::time::Time;

/// Events between two checkpoints, until some are thinned out.
pub(super) const SPACING: u64 = 2_000;

/// A world to go back to.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) head: Playhead,
    /// The estimated bytes that it shares with no other checkpoint.
    pub(super) weight: usize,
}

impl Checkpoint {
    pub(super) fn of(head: &Playhead) -> Arc<Checkpoint> {
        let mut head = head.clone();
        head.fresh = Vec::new();
        Arc::new(Checkpoint { weight: weigh(&head.world), head })
    }

    pub(super) fn event(&self) -> u64 {
        self.head.world.events()
    }
}

/// Entries or records in a chunk, which clones share (see `shared` and `raft::log`).
const CHUNK: usize = 64;

/// The bytes that a clone of this world will not share once the world has moved on: the last chunk
/// of everything that grows, and everything small. An estimate, within a factor of two.
fn weigh(world: &Simulation) -> usize {
    let logs: usize = world.machines().iter().map(weigh_machine).sum();
    let messages = world.network().flights().count() * size_of::<Flight>();
    let operations = CHUNK * size_of::<OperationRecord>();
    size_of::<Simulation>() + logs + messages + operations
}

fn weigh_machine(machine: &Machine) -> usize {
    let chunk = CHUNK * size_of::<Entry>();
    let writes = machine.disk().unsynced() * 128;
    let running = machine.raft().map_or(0, |raft| chunk + raft.log().len() as usize / CHUNK * size_of::<usize>());
    // A few chunks of pairs and sessions, with their texts. The others are shared.
    let stored = machine.store().map_or(0, |store| (store.len() + store.sessions().len()).min(4 * CHUNK) * 128);
    size_of::<Machine>() + chunk + writes + running + stored
}

/// The newest checkpoint that satisfies `condition`. The condition must hold up to some checkpoint
/// and for none after it. The first one, at the run's beginning, counts as satisfying every
/// condition.
pub(super) fn newest(checkpoints: &[Arc<Checkpoint>], condition: impl Fn(&Playhead) -> bool) -> &Checkpoint {
    let place = checkpoints.partition_point(|checkpoint| condition(&checkpoint.head));
    &checkpoints[place.saturating_sub(1)]
}

/// The newest checkpoint at or before an event.
pub(super) fn newest_by_event(checkpoints: &[Arc<Checkpoint>], event: u64) -> &Checkpoint {
    newest(checkpoints, |head| head.world.events() <= event)
}

/// The newest checkpoint at or before a time.
pub(super) fn newest_by_time(checkpoints: &[Arc<Checkpoint>], time: Time) -> &Checkpoint {
    newest(checkpoints, |head| head.world.now() <= time)
}
