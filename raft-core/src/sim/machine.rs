//! One simulated machine: a disk that survives crashes, and, while it runs, a Raft server with its
//! store, or with another state machine.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::client::ClientId;
use super::concern;
use super::disk::Disk;
use super::flight::{Body, Endpoint};
use super::parameters::{DiskParameters, OwnTiming};
use crate::check::{self, MachineView};
use crate::clock::Clock;
use crate::hash::mix;
use crate::kv::{Query, Store};
#[cfg(test)]
use crate::raft::{Entry, EntryId, HardState, LogWrite, Receipt, Write};
use crate::raft::{Image, Input, LogIndex, Raft, RequestId, ServerId, ServerSet, Term};
use crate::sorted::Sorted;
use crate::state_machine::StateMachine;
use crate::time::{Duration, Time};

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(super) id: ServerId,
    pub(super) disk: Disk,
    /// Counts starts. Events of an earlier life are ignored.
    pub(super) incarnation: u32,
    pub(super) process: Option<Process>,
    /// When the machine is scheduled to wake.
    pub(super) wake: Time,
    /// Its own clock, which survives crashes.
    pub(super) clock: Clock,
    /// While it is paused: what has happened to it since.
    pub(super) paused: Option<Vec<Missed>>,
    /// The timing that it starts with, if it has its own.
    pub(super) timing: Option<OwnTiming>,
    /// When it started last, and when it lost its disk last.
    pub(super) started: Time,
    pub(super) disk_lost: Time,
}

/// Something that happened to a machine while it was paused.
#[derive(Clone, Debug)]
pub(super) enum Missed {
    /// A message came.
    Message(Endpoint, Body),
    /// A write was finished.
    Input(Input),
    /// A timer came due.
    Wake,
}

/// A running server: everything that a crash ends.
#[derive(Clone, Debug)]
pub struct Process {
    pub(super) raft: Raft,
    pub(super) hosted: Hosted,
    /// Everything up to here has been applied to what it hosts.
    pub(super) applied: LogIndex,
    /// The commands that clients wait for, by index.
    pub(super) proposed: Sorted<LogIndex, Proposed>,
    /// Reads under way.
    pub(super) reading: Vec<(Asker, Query)>,
    pub(super) requests: RequestId,
}

/// The state machine that a server hosts. The store isn't boxed: most worlds host it, and applying
/// to it is the most frequent thing that they do.
#[derive(Clone, Debug)]
pub(super) enum Hosted {
    Store(Store),
    Own(Box<dyn StateMachine>),
}

impl Hosted {
    /// The whole state as bytes.
    pub(super) fn snapshot(&self) -> Vec<u8> {
        match self {
            Hosted::Store(store) => store.snapshot(),
            Hosted::Own(machine) => machine.snapshot(),
        }
    }
}

/// A command in the log whose outcome isn't known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proposed {
    /// The term in which it was proposed.
    pub(super) term: Term,
    pub(super) asker: Asker,
    /// When the wait for it ends, on the server's clock.
    pub(super) deadline: Time,
}

/// A client that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) client: ClientId,
    pub(super) attempt: u64,
    /// The server's own number for the request; 0 if no server took it.
    pub(super) request: RequestId,
}

impl Process {
    /// When it next has something to do by itself, on its own clock.
    #[inline]
    pub(super) fn deadline(&self) -> Time {
        let waits = self.proposed.first().map_or(Time::NEVER, |(_, proposed)| proposed.deadline);
        self.raft.deadline().min(waits)
    }
}

impl Machine {
    /// A machine with an empty disk, switched off.
    pub(super) fn new(id: ServerId, disk: DiskParameters, seed: u64) -> Machine {
        Machine {
            id,
            disk: Disk::new(disk, mix(seed, concern::DISK, u64::from(id.number()))),
            incarnation: 0,
            process: None,
            wake: Time::NEVER,
            clock: Clock::TRUE,
            paused: None,
            timing: None,
            started: Time::ZERO,
            disk_lost: Time::ZERO,
        }
    }

    /// A machine whose disk holds this, for tests.
    #[cfg(test)]
    pub(crate) fn holding(id: ServerId, hard_state: HardState, entries: Vec<Entry>) -> Machine {
        let mut machine = Machine::new(id, DiskParameters { fsync_min: Duration::ZERO, fsync_max: Duration::ZERO }, 0);
        let log = Some(LogWrite { after: LogIndex::ZERO, entries: entries.into() });
        let receipt = Receipt { sequence: 1, last: EntryId::ZERO };
        machine.write(&Write { hard_state: Some(hard_state), snapshot: None, log, receipt });
        machine
    }

    /// Its disk takes a write, for tests.
    #[cfg(test)]
    pub(crate) fn write(&mut self, write: &Write) {
        self.disk.write_at_once(write);
    }

    /// Its disk takes a write and never finishes it, for tests.
    #[cfg(test)]
    pub(crate) fn hang(&mut self, write: Write) {
        self.disk.submit(Time::ZERO, write);
        self.disk.set_stalled(Time::ZERO, true);
    }

    /// A server runs on it, for tests.
    #[cfg(test)]
    pub(crate) fn run(&mut self, raft: Raft) {
        let store = Store::new(crate::kv::Settings::default());
        let (applied, proposed, reading) = (raft.applied_index(), Sorted::default(), Vec::new());
        let hosted = Hosted::Store(store);
        self.process = Some(Process { raft, hosted, applied, proposed, reading, requests: 0 });
    }

    /// The servers whose machines satisfy the condition. The condition is a `dyn`, so that this
    /// code exists only once.
    #[inline(never)]
    pub(super) fn those(machines: &[Machine], are_so: &dyn Fn(&Machine) -> bool) -> ServerSet {
        let mut those = ServerSet::EMPTY;
        for machine in machines {
            if are_so(machine) {
                those.insert(machine.id());
            }
        }
        those
    }

    /// Its name.
    pub fn id(&self) -> ServerId {
        self.id
    }

    /// Its disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether it runs.
    pub fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// The Raft server, while it runs.
    pub fn raft(&self) -> Option<&Raft> {
        self.process.as_ref().map(|process| &process.raft)
    }

    /// The store, while it runs, if that is what it hosts.
    pub fn store(&self) -> Option<&Store> {
        match &self.process.as_ref()?.hosted {
            Hosted::Store(store) => Some(store),
            Hosted::Own(_) => None,
        }
    }

    /// The state machine, while it runs, the store or another. As an [`Any`](core::any::Any) it can
    /// be downcast to what it is.
    pub fn state_machine(&self) -> Option<&dyn StateMachine> {
        Some(match &self.process.as_ref()?.hosted {
            Hosted::Store(store) => store,
            Hosted::Own(machine) => &**machine,
        })
    }

    /// What its clock shows when the world's shows `now`.
    pub fn clock_reading(&self, now: Time) -> Time {
        self.clock.read(now)
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// How often it has started.
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }
}

/// What the checker sees of it.
impl MachineView for Machine {
    fn id(&self) -> ServerId {
        self.id
    }

    fn raft(&self) -> Option<&Raft> {
        Machine::raft(self)
    }

    fn image(&self) -> &Image {
        self.disk.image()
    }

    fn unsynced(&self) -> usize {
        self.disk.unsynced()
    }

    fn is_stalled(&self) -> bool {
        self.disk.is_stalled()
    }

    fn fsync_max(&self) -> Duration {
        self.disk.parameters().fsync_max
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }
}

impl check::Machines for Vec<Machine> {
    fn get(&self, slot: usize) -> Option<&dyn MachineView> {
        Some(<[Machine]>::get(self, slot)?)
    }
}
