//! The cluster: its machines, the membership that the operator wants, and the servers that were
//! healed at the end of a storm.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use super::machine::Machine;
use super::operator::Wanted;
use crate::raft::{Configuration, Raft, ServerId, ServerSet};

/// The machines, and the membership that the operator wants for them.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    machines: Vec<Machine>,
    /// How many servers founded the cluster.
    founders: u8,
    /// The membership that the operator wants, if it is to change.
    wanted: Option<Wanted>,
    /// Whether the operator's next look is scheduled.
    operating: bool,
    /// The servers that were healed at the end of a storm.
    healed: ServerSet,
}

/// Every server that is named has a machine: an unknown name is refused where it comes in.
impl Index<ServerId> for Cluster {
    type Output = Machine;

    // This is called in many places, and each inlined copy makes the page's module larger.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn index(&self, server: ServerId) -> &Machine {
        &self.machines[server.slot()]
    }
}

impl IndexMut<ServerId> for Cluster {
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn index_mut(&mut self, server: ServerId) -> &mut Machine {
        &mut self.machines[server.slot()]
    }
}

impl Cluster {
    /// A cluster that the servers of these machines found.
    pub(super) fn of(machines: Vec<Machine>) -> Cluster {
        Cluster { founders: machines.len() as u8, machines, wanted: None, operating: false, healed: ServerSet::EMPTY }
    }

    pub(super) fn machines(&self) -> &Vec<Machine> {
        &self.machines
    }

    /// How many machines there are.
    pub(super) fn len(&self) -> u8 {
        self.machines.len() as u8
    }

    /// The names of all machines.
    pub(super) fn servers(&self) -> ServerSet {
        ServerSet::first(self.len())
    }

    pub(super) fn has(&self, server: ServerId) -> bool {
        server.slot() < self.machines.len()
    }

    pub(super) fn add(&mut self, machine: Machine) {
        self.machines.push(machine);
    }

    /// The servers whose machines satisfy the condition.
    pub(super) fn those(&self, condition: &dyn Fn(&Machine) -> bool) -> ServerSet {
        Machine::those(&self.machines, condition)
    }

    /// The servers that run.
    pub(super) fn running(&self) -> impl Iterator<Item = &Raft> {
        self.machines.iter().filter_map(Machine::raft)
    }

    /// The leader of the highest term.
    pub(super) fn leader(&self) -> Option<ServerId> {
        let leaders = self.running().filter(|raft| raft.is_leader());
        leaders.max_by_key(|raft| raft.term()).map(Raft::id)
    }

    /// The membership that the server with the highest commit index knows. If every server is down,
    /// it is the one on the most up-to-date disk.
    pub(super) fn configuration(&self) -> Configuration {
        // A new server knows no members yet.
        let knowing = self.running().filter(|raft| !raft.configuration().voters.is_empty());
        let newest = knowing.max_by_key(|raft| (raft.commit_index(), raft.term()));
        let on_disk = || {
            let newest = self.machines.iter().max_by_key(|machine| machine.disk().image().log().last())?;
            newest.disk().image().configuration()
        };
        let founders = || Configuration::of_voters(ServerSet::first(self.founders));
        newest.map(|raft| *raft.configuration()).or_else(on_disk).unwrap_or_else(founders)
    }

    /// Every membership that is in force or may come into force again. A server that is down or
    /// behind may know a membership that no other server knows.
    pub(super) fn known_configurations(&self) -> Vec<Configuration> {
        let by_each = self.machines.iter().filter_map(|machine| {
            machine.raft().map(|raft| *raft.configuration()).or_else(|| machine.disk().image().configuration())
        });
        by_each.chain([self.configuration()]).filter(|configuration| !configuration.voters.is_empty()).collect()
    }

    pub(super) fn wanted(&self) -> Option<Wanted> {
        self.wanted
    }

    /// Sets the membership that the operator wants, if any. Returns what it wanted before.
    pub(super) fn want(&mut self, wanted: Option<Wanted>) -> Option<Wanted> {
        core::mem::replace(&mut self.wanted, wanted)
    }

    /// Notes whether the operator's next look is scheduled. Returns whether it was before.
    pub(super) fn set_operating(&mut self, operating: bool) -> bool {
        core::mem::replace(&mut self.operating, operating)
    }

    pub(super) fn healed(&self) -> ServerSet {
        self.healed
    }

    pub(super) fn note_healed(&mut self, servers: ServerSet) {
        self.healed = servers;
    }
}
