//! Whether the cluster could commit a write at present, by what its servers, disks and links can
//! do, and in words if it couldn't.

use core::fmt;

use super::cluster::Cluster;
use super::flight::Endpoint;
use super::machine::Machine;
use super::network::Network;
use crate::raft::{Configuration, EntryId, Raft, ServerId, ServerSet, Standing, Term};

/// What the cluster could do at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The membership in force, as far as anybody knows.
    pub configuration: Configuration,
    /// The leader of the highest term, unless it is paused.
    pub leader: Option<ServerId>,
    /// The voters that answer the leader and can store what it sends: they run, their disks work,
    /// their links with it are whole in both directions, and they know no higher term. Without a
    /// leader, the most that would answer any one voter. The leader or that voter is one of them,
    /// if its own disk works.
    pub reached: ServerSet,
    /// The voters that are down.
    pub down: ServerSet,
    /// The voters that run and do nothing: they are paused, or their disks hang.
    pub still: ServerSet,
    /// The other voters whose disks are full.
    pub full: ServerSet,
    /// The other voters that have lost what they stored, or are new, and may not vote yet.
    pub barred: ServerSet,
    /// Whether the voters that could answer would be a quorum, if all links were whole.
    pub enough: bool,
    /// Whether another leader can be elected: a quorum would answer it, and the leader, if there is
    /// one, hears no quorum. (Servers with full or hanging disks are heard, and keep a leader that
    /// can't commit.)
    pub electable: bool,
    /// Whether a voter asks for votes, or asks who would vote for it.
    pub campaigning: bool,
}

impl Reach {
    pub(super) fn of(cluster: &Cluster, network: &Network) -> Reach {
        let configuration = cluster.configuration();
        let voters = configuration.all_voters();
        let those = |are_so: &dyn Fn(&Machine) -> bool| Machine::those(cluster.machines(), are_so).intersection(voters);
        let down = those(&|machine| !machine.is_up());
        let still = those(&|machine| machine.is_paused() || machine.disk().is_stalled()).difference(down);
        let full = those(&|machine| machine.disk().is_full()).difference(down.union(still));
        let barred = those(&|machine| machine.raft().is_some_and(is_barred)).difference(still.union(full));
        let able = voters.difference(down).difference(still).difference(full).difference(barred);
        let term = |server: ServerId| cluster[server].raft().map_or(Term::ZERO, Raft::term);
        let linked = |servers: ServerSet, with: ServerId| {
            servers.those(&|server| {
                let (one, other) = (Endpoint::Server(server), Endpoint::Server(with));
                !network.is_cut(one, other) && !network.is_cut(other, one)
            })
        };
        let mut reached = ServerSet::EMPTY;
        let mut electable = false;
        for server in able.iter() {
            let answering = linked(able, server);
            electable |= configuration.has_quorum(answering);
            if answering.len() > reached.len() {
                reached = answering;
            }
        }
        let leader = cluster.leader().filter(|leader| !cluster[*leader].is_paused());
        if let Some(leader) = leader {
            reached = linked(able, leader).those(&|server| term(server) <= term(leader));
            let awake = those(&|machine| !machine.is_paused()).difference(down).difference(barred);
            electable &= cluster[leader].disk().is_stalled() || !configuration.has_quorum(linked(awake, leader));
        }
        let enough = configuration.has_quorum(able);
        let campaigning = able.iter().any(|server| cluster[server].raft().is_some_and(Raft::is_campaigning));
        Reach { configuration, leader, reached, down, still, full, barred, enough, electable, campaigning }
    }

    /// Whether the leader could commit a write now.
    pub fn can_commit(&self) -> bool {
        self.leader.is_some() && self.configuration.has_quorum(self.reached)
    }
}

/// Whether its disk has lost something, or is new to the cluster: it may not vote yet.
fn is_barred(raft: &Raft) -> bool {
    let hard_state = raft.hard_state();
    hard_state.standing != Standing::Member || hard_state.lost != EntryId::ZERO
}

/// `S2 leads, 4 of 5 answer: writes commit`, and the like: first what is so, then what follows.
impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reached, voters) = (self.reached.len(), self.configuration.all_voters().len());
        let elects = !self.can_commit() && self.electable;
        if !self.can_commit() && !elects && !self.enough {
            let mut between = "";
            for (servers, one, several) in [
                (self.down, "is down", "are down"),
                (self.still, "stands still", "stand still"),
                (self.full, "has no room", "have no room"),
                (self.barred, "can’t vote yet", "can’t vote yet"),
            ] {
                if servers != ServerSet::EMPTY {
                    write!(f, "{between}{} {}", servers.len(), if servers.len() == 1 { one } else { several })?;
                    between = ", ";
                }
            }
        } else if let Some(leader) = self.leader {
            write!(f, "{leader} leads, {reached} of {voters} {}", if reached == 1 { "answers" } else { "answer" })?;
        } else if elects {
            f.write_str("nobody leads")?;
        } else {
            write!(f, "{reached} of {voters} reach each other")?;
        }
        f.write_str(match () {
            () if self.can_commit() => ": writes commit",
            () if elects && self.campaigning => ": an election is on",
            () if elects => ": an election is due",
            () if self.configuration.is_joint() => ": no majority of both memberships",
            () => ": no majority",
        })
    }
}
