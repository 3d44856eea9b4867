//! What a checker sees of a server's machine: its real state, whatever the server says.

use crate::clock::Clock;
use crate::raft::{Image, Raft, ServerId, ServerSet};
use crate::time::{Duration, Time};

/// The machine that a server runs on. Code that wants its servers checked implements this.
pub trait MachineView {
    /// The name of its server.
    fn id(&self) -> ServerId;

    /// The server's Raft state, while the server runs.
    fn raft(&self) -> Option<&Raft>;

    /// What is durable on its disk: a crash leaves at least this.
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

/// All machines, by number. A trait object, so that the checks are compiled only once.
pub trait Machines {
    /// The machine of that slot ([`ServerId::slot`]), if there is one.
    fn get(&self, slot: usize) -> Option<&dyn MachineView>;
}

/// The servers of the machines that satisfy a condition. Compiled only once, for all conditions.
#[inline(never)]
pub(super) fn servers_where(machines: &dyn Machines, condition: &dyn Fn(&dyn MachineView) -> bool) -> ServerSet {
    let mut servers = ServerSet::EMPTY;
    let mut slot = 0;
    while let Some(machine) = machines.get(slot) {
        if condition(machine) {
            servers.insert(machine.id());
        }
        slot += 1;
    }
    servers
}
