//! The operator: gives the leader the orders that bring the membership to what is wanted.
//!
//! # A server that lost its disk
//! The server has forgotten its promises, so it must not count before its vote has been taken away
//! and given back. The operator takes it out of the voters first (makes it a learner, or removes it
//! for a while), and then treats it like any server that joins.

use alloc::vec::Vec;

use super::flight::Body;
use super::machine::Machine;
use super::marks::Mark;
use super::news::What;
use super::parameters::MACHINES_MAX;
use super::queue::Event;
use super::{Simulation, concern};
use crate::check::Asked;
use crate::hash::mix;
use crate::raft::{Configuration, Input, MembershipChange, Message, Payload, Raft, Role, ServerId, ServerSet};
use crate::time::{Duration, Time};

/// How often the operator looks.
const LOOKS_EVERY: Duration = Duration::from_millis(40);

/// The membership that the operator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    /// The servers that are to be voters in the end.
    voters: ServerSet,
    /// The servers that are to be learners in the end.
    learners: ServerSet,
    /// The servers that lost their disks and must become learners before they may vote again.
    demoted: ServerSet,
    /// The servers that lost their disks and must be removed before they may vote again.
    removed: ServerSet,
    /// The servers that lost their disks and have been without a vote since.
    renewed: ServerSet,
    /// The servers that were members before and are to be members again.
    returning: ServerSet,
    /// Since when a change is wanted.
    since: Time,
}

impl Wanted {
    /// Whether these servers are enough to bring it about.
    pub(super) fn is_possible_with(&self, servers: ServerSet) -> bool {
        Configuration::of_voters(self.voters).has_quorum(servers)
    }
}

impl Simulation {
    /// The name of the next server that joins, if there can be one more.
    pub(super) fn next_server(&self) -> Option<ServerId> {
        let number = self.cluster.len() + 1;
        if number <= MACHINES_MAX { ServerId::new(number) } else { None }
    }

    /// A new machine starts, and is to become a voter or a learner.
    pub(super) fn add_server(&mut self, votes: bool) {
        // `act` refuses what is too many; a script can still come here.
        let Some(server) = self.next_server() else { return };
        self.cluster.add(Machine::new(server, self.script.parameters().disk, self.script.seed()));
        self.tell(if votes { What::Joining(server) } else { What::JoiningToLearn(server) });
        self.start(server);
        let mut wanted = self.wanted_now();
        if votes {
            wanted.voters.insert(server);
        } else {
            wanted.learners.insert(server);
        }
        self.want(wanted);
    }

    /// A server is to leave; the last voter can't.
    pub(super) fn remove_server(&mut self, server: ServerId) {
        let mut wanted = self.wanted_now();
        wanted.voters.remove(server);
        wanted.learners.remove(server);
        if !wanted.voters.is_empty() {
            self.tell(What::Leaving(server));
            self.want(wanted);
        }
    }

    /// A server that was a member is to be a voter again.
    pub(super) fn add_back(&mut self, server: ServerId) {
        if !self.cluster[server].is_up() {
            self.start(server);
        }
        let mut wanted = self.wanted_now();
        if !wanted.voters.insert(server) {
            return;
        }
        wanted.learners.remove(server);
        wanted.returning.insert(server);
        self.tell(What::ComingBack(server));
        self.want(wanted);
    }

    /// A server has lost its disk. A new one, if there can be one, is to take its place.
    pub(super) fn replace(&mut self, server: ServerId) {
        let mut wanted = self.wanted_now();
        // Even if it is wanted back at once, it has to leave first.
        wanted.removed.insert(server);
        self.cluster.want(Some(wanted));
        self.add_server(true);
        self.remove_server(server);
    }

    /// A server has lost its disk, and is to have its vote back once it has been without one.
    pub(super) fn renew(&mut self, server: ServerId) {
        let mut wanted = self.wanted_now();
        if !wanted.voters.contains(server) && !wanted.learners.contains(server) {
            return;
        }
        // Both ways are safe, so either is taken.
        if mix(self.script.seed(), concern::CHOICE, self.now.as_micros()).is_multiple_of(2) {
            wanted.demoted.insert(server);
        } else {
            wanted.removed.insert(server);
        }
        self.tell(What::ComingBack(server));
        self.want(wanted);
    }

    fn wanted_now(&self) -> Wanted {
        self.cluster.wanted().unwrap_or_else(|| {
            let Configuration { voters, learners, .. } = self.cluster.configuration();
            let none = ServerSet::EMPTY;
            Wanted { voters, learners, demoted: none, removed: none, renewed: none, returning: none, since: self.now }
        })
    }

    fn want(&mut self, wanted: Wanted) {
        // The operator is impatient: it doesn't look whether an earlier change is finished, and is
        // refused if it isn't. But what is wanted of it at the same moment becomes one change.
        if self.cluster.want(Some(wanted)).is_some() && wanted.since < self.now {
            self.order(&wanted);
        }
        if !self.cluster.set_operating(true) {
            self.queue.push(self.now + LOOKS_EVERY, Event::Operate);
        }
    }

    /// The membership that the server with the highest commit index knows. If every server is down,
    /// it is the one on the most up-to-date disk.
    pub fn configuration(&self) -> Configuration {
        self.cluster.configuration()
    }

    /// The members that the operator wants, if it hasn't reached that membership yet, and those of
    /// them that still have to change.
    pub(crate) fn wanted_members(&self) -> Option<(ServerSet, ServerSet)> {
        let Configuration { voters, learners, .. } = self.cluster.configuration();
        self.cluster.wanted().map(|wanted| {
            let members = wanted.voters.union(wanted.learners);
            let changing = wanted.voters.difference(voters).union(wanted.learners.difference(learners));
            (members, changing.union(wanted.demoted).union(wanted.removed).intersection(members))
        })
    }

    /// The memberships in messages on their way. Servers may still learn of them, even if the
    /// leader that sent them is down and has forgotten them.
    pub(super) fn configurations_on_their_way(&self) -> Vec<Configuration> {
        let mut configurations = Vec::new();
        for flight in self.network.flights().filter(|flight| flight.lost.is_none() && !flight.late) {
            if let Body::Raft(Message::AppendEntries(m)) = &flight.body {
                configurations.extend(m.entries.as_slice().iter().filter_map(|entry| match &entry.payload {
                    Payload::Membership(configuration) => Some(**configuration),
                    _ => None,
                }));
            }
        }
        configurations
    }

    /// Looks whether the membership is as wanted, and gives the next order if it isn't.
    pub(super) fn operate(&mut self) {
        let wanted = self.cluster.wanted();
        self.fold(7, wanted);
        self.cluster.set_operating(false);
        let Some(mut wanted) = wanted else { return };
        let leader = self.cluster.leader().filter(|leader| self.cluster[*leader].paused.is_none());
        if let Some(raft) = leader.and_then(|leader| self.cluster[leader].raft()) {
            let current = *raft.configuration();
            let settled = raft.commit_index() >= raft.configuration_index() && !current.is_joint();
            if settled {
                // Servers that have no vote any more may have it back.
                let demoted = wanted.demoted.difference(current.voters);
                let removed = wanted.removed.difference(current.members());
                wanted.demoted = wanted.demoted.difference(demoted);
                wanted.removed = wanted.removed.difference(removed);
                wanted.renewed = wanted.renewed.union(demoted).union(removed);
                self.cluster.want(Some(wanted));
                let reached = current.voters == wanted.voters && current.learners == wanted.learners;
                if reached && wanted.demoted.is_empty() && wanted.removed.is_empty() {
                    self.cluster.want(None);
                    return self.mark_wanted(&wanted);
                }
                self.order(&wanted);
            }
        }
        self.cluster.set_operating(true);
        self.queue.push(self.now + LOOKS_EVERY, Event::Operate);
    }

    fn mark_wanted(&mut self, wanted: &Wanted) {
        if !wanted.renewed.intersection(wanted.voters).is_empty() {
            self.observers.mark(Mark::DiskRenewed);
        }
        if !wanted.returning.is_empty() {
            self.observers.mark(Mark::CameBack);
        }
        if !wanted.learners.is_empty() {
            self.observers.mark(Mark::LearnerStays);
        }
    }

    /// Gives the leader the next order on the way to what is wanted: servers that lost their disks
    /// lose their votes first, and servers that aren't members become learners before they become
    /// voters.
    fn order(&mut self, wanted: &Wanted) {
        let leader = self.cluster.leader().filter(|leader| self.cluster[*leader].paused.is_none());
        let Some(raft) = leader.and_then(|leader| self.cluster[leader].raft()) else { return };
        let current = *raft.configuration();
        let members = current.voters.union(current.learners);
        let demoted = wanted.demoted.intersection(current.voters);
        let removed = wanted.removed.intersection(members);
        let without = wanted.demoted.union(wanted.removed);
        let (voters, learners) = (wanted.voters.difference(without), wanted.learners.difference(without));
        let strangers = voters.union(learners).difference(members);
        // Now and then everything is ordered at once, which is refused where it must be.
        let hasty = mix(self.script.seed(), concern::CHOICE, self.now.as_micros()) % 8 == 1
            && (may_elect(wanted.voters, without) || !may_elect(wanted.voters, silenced(raft)));
        let change = if hasty {
            MembershipChange { voters: wanted.voters, learners: wanted.learners }
        } else if !demoted.is_empty() || !removed.is_empty() {
            MembershipChange {
                voters: current.voters.difference(demoted).difference(removed),
                learners: current.learners.union(demoted).difference(removed),
            }
        } else if !strangers.is_empty() {
            MembershipChange { voters: current.voters, learners: current.learners.union(strangers) }
        } else {
            MembershipChange { voters, learners }
        };
        let server = raft.id();
        // The operator needs no answer: it looks at the result.
        let id = self.number_order(server, Asked::Change(change));
        self.step_raft(server, Input::ChangeMembership { id, change });
    }

    /// The leader transfers its leadership to `to`.
    pub(super) fn transfer(&mut self, to: ServerId) {
        if let Some(leader) = self.cluster.leader()
            && self.cluster[leader].paused.is_none()
        {
            let id = self.number_order(leader, Asked::Transfer(to));
            self.step_raft(leader, Input::TransferLeadership { id, to });
        }
    }
}

/// Whether `voters` can elect a leader if `silent` never vote again.
fn may_elect(voters: ServerSet, silent: ServerSet) -> bool {
    Configuration::of_voters(voters).has_quorum(voters.difference(silent))
}

/// The members that may not vote because of their disks, as far as a leader knows.
fn silenced(leader: &Raft) -> ServerSet {
    let Role::Leader(state) = leader.role() else { return ServerSet::EMPTY };
    let known = |member| state.progress(member).is_some_and(|progress| progress.may_vote == Some(false));
    leader.configuration().members().those(&known)
}
