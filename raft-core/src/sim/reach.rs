//! Which servers reach each other, and whether a group of them could commit anything.

use super::flight::Endpoint;
use super::machine::Machine;
use super::network::Network;
use crate::raft::{Configuration, Raft, ServerId, ServerSet, majority_of};

/// What the cluster could do at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The voters, by the membership that the server with the highest commit index knows.
    pub voters: ServerSet,
    /// The voters that run.
    pub running: ServerSet,
    /// The largest group of running voters in which all reach each other, in both directions.
    pub largest: ServerSet,
    /// How many voters make a majority.
    pub needed: usize,
}

impl Reach {
    pub(super) fn of(machines: &[Machine], network: &Network) -> Reach {
        // A new server knows no members yet.
        let knowing = machines.iter().filter_map(Machine::raft).filter(|raft| !raft.configuration().voters.is_empty());
        let newest = knowing.max_by_key(|raft| raft.commit_index());
        let all = ServerSet::first(machines.len() as u8);
        let configuration = newest.map_or(Configuration::of_voters(all), |raft: &Raft| *raft.configuration());
        let voters = configuration.all_voters();
        let running = Machine::those(machines, &|machine| machine.is_up() && voters.contains(machine.id()));
        let linked = |a: ServerId, b: ServerId| {
            let (a, b) = (Endpoint::Server(a), Endpoint::Server(b));
            !network.is_cut(a, b) && !network.is_cut(b, a)
        };
        Reach {
            voters,
            running,
            largest: largest_group(running, &linked),
            needed: majority_of(configuration.voters.len()),
        }
    }

    /// Whether anything can be committed.
    pub fn can_commit(&self) -> bool {
        self.largest.len() >= self.needed
    }
}

/// The largest subset in which every server is linked with every other; of equals, the one with the
/// lower numbers. There are at most nine voters, so all subsets can be tried, branch by branch.
fn largest_group(servers: ServerSet, linked: &impl Fn(ServerId, ServerId) -> bool) -> ServerSet {
    fn grow(group: ServerSet, rest: ServerSet, best: &mut ServerSet, linked: &impl Fn(ServerId, ServerId) -> bool) {
        if group.len() > best.len() {
            *best = group;
        }
        if group.len() + rest.len() <= best.len() {
            return;
        }
        let mut rest = rest;
        while let Some(server) = rest.iter().next() {
            rest.remove(server);
            let mut larger = group;
            larger.insert(server);
            let fitting = rest.those(&|other| linked(server, other));
            grow(larger, fitting, best, linked);
        }
    }
    let mut best = ServerSet::EMPTY;
    grow(ServerSet::EMPTY, servers, &mut best, linked);
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_largest_group_is_found_in_any_shape() {
        let s = |n: u8| ServerId::new(n).unwrap();
        let five = ServerSet::first(5);
        let group = |links: &[(u8, u8)]| {
            largest_group(five, &|a, b| links.iter().any(|l| (s(l.0), s(l.1)) == (a, b) || (s(l.1), s(l.0)) == (a, b)))
        };
        assert_eq!(group(&[]).len(), 1, "nobody reaches anybody");
        assert_eq!(group(&[(1, 2), (3, 4), (4, 5), (3, 5)]).to_string(), "S3, S4, S5");
        assert_eq!(group(&[(1, 2), (2, 3), (3, 4), (4, 5)]).len(), 2, "a chain has no larger group than a link");
        assert_eq!(largest_group(five, &|_, _| true), five);
        assert_eq!(largest_group(ServerSet::EMPTY, &|_, _| true), ServerSet::EMPTY);
    }
}
