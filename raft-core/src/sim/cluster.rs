//! The cluster: its machines, the membership that the operator wants, and who was mended at the end
//! of a storm.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use super::machine::Machine;
use super::operator::Wanted;
use crate::raft::{Configuration, Raft, ServerId, ServerSet};

/// The machines and what is to become of their membership.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    machines: Vec<Machine>,
    /// So many servers founded the cluster.
    founders: u8,
    /// The membership that the operator wants, if it is to change.
    wanted: Option<Wanted>,
    /// Whether the operator is scheduled.
    operating: bool,
    /// The servers that the end of a storm has mended.
    healed: ServerSet,
}

/// There is a machine for every server that is named: a name that isn't there is refused where it
/// comes in.
impl Index<ServerId> for Cluster {
    type Output = Machine;

    // There are many of these, and on the page each copy counts.
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
    /// Founded by the servers of these machines.
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

    /// The servers of those machines that are so.
    pub(super) fn those(&self, are_so: &dyn Fn(&Machine) -> bool) -> ServerSet {
        Machine::those(&self.machines, are_so)
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

    /// The membership by whoever has committed most; with every server down, by the disk that is
    /// most up to date.
    pub(super) fn configuration(&self) -> Configuration {
        // A new server knows of no members yet.
        let knowing = self.running().filter(|raft| !raft.configuration().voters.is_empty());
        let newest = knowing.max_by_key(|raft| (raft.commit_index(), raft.term()));
        let on_disk = || {
            let newest = self.machines.iter().max_by_key(|machine| machine.disk().image().log().last())?;
            newest.disk().image().configuration()
        };
        let founders = || Configuration::of_voters(ServerSet::first(self.founders));
        newest.map(|raft| *raft.configuration()).or_else(on_disk).unwrap_or_else(founders)
    }

    /// Every membership that may be in force or come into force again: a server that is down, or
    /// behind, may know of one that nobody else does.
    pub(super) fn known_configurations(&self) -> Vec<Configuration> {
        let by_each = self.machines.iter().filter_map(|machine| {
            machine.raft().map(|raft| *raft.configuration()).or_else(|| machine.disk().image().configuration())
        });
        by_each.chain([self.configuration()]).filter(|configuration| !configuration.voters.is_empty()).collect()
    }

    pub(super) fn wanted(&self) -> Option<Wanted> {
        self.wanted
    }

    /// Another membership is wanted, or none: what was wanted before.
    pub(super) fn want(&mut self, wanted: Option<Wanted>) -> Option<Wanted> {
        core::mem::replace(&mut self.wanted, wanted)
    }

    /// Whether the operator is scheduled; from now on it is, or isn't.
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
