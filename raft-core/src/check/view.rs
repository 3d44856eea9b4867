//! What a checker sees of a server's machine: what is really so, whatever the server says.

use crate::clock::Clock;
use crate::raft::{Image, Raft, ServerId, ServerSet};
use crate::time::{Duration, Time};

/// The machine that a server runs on. Whoever has servers checked says by this what there is.
pub trait MachineView {
    /// Its server's name.
    fn id(&self) -> ServerId;

    /// The server, while it runs.
    fn raft(&self) -> Option<&Raft>;

    /// What is durable on its disk: what a crash would leave at least.
    fn image(&self) -> &Image;

    /// How many writes are on their way to its disk.
    fn unsynced(&self) -> usize;

    /// Whether its disk finishes no write at present.
    fn is_stalled(&self) -> bool;

    /// The longest that its disk takes for a write, unless it is stalled.
    fn fsync_max(&self) -> Duration;

    /// The clock that the server reads.
    fn clock(&self) -> &Clock;

    /// What that clock shows when the world's shows `now`.
    fn clock_reading(&self, now: Time) -> Time {
        self.clock().read(now)
    }
}

/// All machines, by number. One piece of code checks them, whatever they are.
pub trait Machines {
    /// The machine of that slot ([`ServerId::slot`]), if there is one.
    fn get(&self, slot: usize) -> Option<&dyn MachineView>;
}

/// The servers of those machines that are so. One piece of code, whatever is asked.
#[inline(never)]
pub(super) fn those(machines: &dyn Machines, are_so: &dyn Fn(&dyn MachineView) -> bool) -> ServerSet {
    let mut those = ServerSet::EMPTY;
    let mut slot = 0;
    while let Some(machine) = machines.get(slot) {
        if are_so(machine) {
            those.insert(machine.id());
        }
        slot += 1;
    }
    those
}
