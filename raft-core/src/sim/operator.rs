//! The operator: gives the leader, on its own console, the orders that bring the membership to what is wanted.

use alloc::vec::Vec;

use super::Simulation;
use super::machine::Machine;
use super::news::What;
use super::parameters::MACHINES_MAX;
use super::queue::Event;
use crate::check::Asked;
use crate::raft::{Configuration, Input, MembershipChange, ServerId, ServerSet};
use crate::time::Duration;

/// How often the operator looks.
const LOOKS_EVERY: Duration = Duration::from_millis(40);

impl Simulation {
    /// A new machine is switched on, and is to become a voter.
    pub(super) fn add_server(&mut self) {
        let number = self.machines.len() as u8 + 1;
        if number > MACHINES_MAX {
            return; // Refused where the action was given; a script may still come here.
        }
        let Some(server) = ServerId::new(number) else { return };
        self.machines.push(Machine::new(server, self.scenario.parameters.disk, self.scenario.seed));
        self.tell(What::Joining(server));
        self.start(server);
        let mut wanted = self.wanted_voters();
        wanted.insert(server);
        self.want(wanted);
    }

    /// A server is to leave; the last one can't.
    pub(super) fn remove_server(&mut self, server: ServerId) {
        let mut wanted = self.wanted_voters();
        wanted.remove(server);
        if !wanted.is_empty() {
            self.tell(What::Leaving(server));
            self.want(wanted);
        }
    }

    fn wanted_voters(&self) -> ServerSet {
        self.wanted.unwrap_or_else(|| self.configuration().voters)
    }

    fn want(&mut self, voters: ServerSet) {
        // An impatient operator: it doesn't look whether an earlier change is finished, and is refused if it isn't.
        if self.wanted.replace(voters).is_some() {
            self.order(voters);
        }
        if !self.operating {
            self.operating = true;
            self.queue.push(self.now + LOOKS_EVERY, Event::Operate);
        }
    }

    /// The membership by whoever has committed most; with every server down, by the disk that is most up to date.
    pub fn configuration(&self) -> Configuration {
        // Who is new knows of no members yet.
        let knowing =
            self.machines.iter().filter_map(Machine::raft).filter(|raft| !raft.configuration().voters.is_empty());
        let newest = knowing.max_by_key(|raft| (raft.commit_index(), raft.term()));
        let on_disk = || {
            let newest = self.machines.iter().max_by_key(|machine| machine.disk().image().log().last())?;
            newest.disk().image().configuration()
        };
        let founders = || Configuration::of_voters(ServerSet::first(self.scenario.parameters.servers));
        newest.map(|raft| *raft.configuration()).or_else(on_disk).unwrap_or_else(founders)
    }

    /// Every membership that may be in force or come into force again: a server that is down, or behind, may know of one that nobody else
    /// does.
    pub(super) fn known_configurations(&self) -> Vec<Configuration> {
        let by_each = self.machines.iter().filter_map(|machine| {
            machine.raft().map(|raft| *raft.configuration()).or_else(|| machine.disk().image().configuration())
        });
        by_each.chain([self.configuration()]).filter(|configuration| !configuration.voters.is_empty()).collect()
    }

    /// Looks whether the membership is as wanted, and gives the next order if it isn't.
    pub(super) fn operate(&mut self) {
        self.fold(7, self.wanted.map(|wanted| wanted.iter().fold(0_u64, |bits, s| bits | 1 << s.number())));
        self.operating = false;
        let Some(wanted) = self.wanted else { return };
        let leader = self.leader().filter(|leader| self.machines[leader.slot()].paused.is_none());
        if let Some(raft) = leader.and_then(|leader| self.machines[leader.slot()].raft()) {
            let current = *raft.configuration();
            let settled = raft.commit_index() >= raft.configuration_index() && !current.is_joint();
            if settled && current.voters == wanted && current.learners.is_empty() {
                self.wanted = None;
                return;
            }
            if settled {
                self.order(wanted);
            }
        }
        self.operating = true;
        self.queue.push(self.now + LOOKS_EVERY, Event::Operate);
    }

    /// Gives the leader the next order on the way to `wanted`: strangers become learners first.
    fn order(&mut self, wanted: ServerSet) {
        let leader = self.leader().filter(|leader| self.machines[leader.slot()].paused.is_none());
        let Some(raft) = leader.and_then(|leader| self.machines[leader.slot()].raft()) else { return };
        let current = *raft.configuration();
        let strangers = wanted.difference(current.members());
        let change = if strangers.is_empty() {
            MembershipChange { voters: wanted, learners: ServerSet::EMPTY }
        } else {
            MembershipChange { voters: current.voters, learners: current.learners.union(strangers) }
        };
        let server = raft.id();
        // The operator needs no answer: it looks at the result.
        let id = self.number_order(server, Asked::Change);
        self.step_raft(server, Input::ChangeMembership { id, change });
    }

    /// The leader hands over to `to`.
    pub(super) fn transfer(&mut self, to: ServerId) {
        if let Some(leader) = self.leader()
            && self.machines[leader.slot()].paused.is_none()
        {
            let id = self.number_order(leader, Asked::Transfer);
            self.step_raft(leader, Input::TransferLeadership { id, to });
        }
    }
}
