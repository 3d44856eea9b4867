//! The members of a cluster: [`Configuration`], its quorums, and the allowed steps from one to the
//! next (Raft §6).
//!
//! A change of voters goes through *joint consensus*: while both sets are in force, everything that
//! needs a majority needs one of each. A change of learners alone needs no joint step, because
//! learners count in no majority. Everything here is a pure function of its arguments.

use alloc::vec::Vec;

use super::quorum;
use super::types::{LogIndex, ServerId, ServerSet};

/// A cluster membership, as an entry of the log carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Configuration {
    /// The voters; in a joint configuration, the new ones (C_new).
    pub voters: ServerSet,
    /// In a joint configuration, the old voters (C_old); otherwise empty.
    pub outgoing: ServerSet,
    /// Members that receive the log and don't vote.
    pub learners: ServerSet,
}

/// The membership that an operator asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MembershipChange {
    /// The voters wanted. Each must be a voter or a learner that has caught up already.
    pub voters: ServerSet,
    /// The learners wanted.
    pub learners: ServerSet,
}

/// Why a membership change makes no sense, whichever server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeError {
    /// It leaves no voters.
    NoVoters,
    /// A server would be a voter and a learner at once.
    VoterAndLearner(ServerId),
    /// It changes nothing.
    Unchanged,
    /// A new voter isn't a learner yet: add it as one first, and let it catch up.
    NotALearnerYet(ServerId),
}

impl Configuration {
    /// A configuration of `voters` alone.
    pub const fn of_voters(voters: ServerSet) -> Configuration {
        Configuration { voters, outgoing: ServerSet::EMPTY, learners: ServerSet::EMPTY }
    }

    /// Whether two sets of voters are in force at once.
    pub const fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether `server` votes, in either set.
    pub const fn is_voter(&self, server: ServerId) -> bool {
        self.all_voters().contains(server)
    }

    /// The voters of both sets.
    pub const fn all_voters(&self) -> ServerSet {
        self.voters.union(self.outgoing)
    }

    /// Every server that the log is sent to.
    pub const fn members(&self) -> ServerSet {
        self.all_voters().union(self.learners)
    }

    /// Whether `servers` hold a majority; if two sets are in force, a majority of each.
    pub fn has_quorum(&self, servers: ServerSet) -> bool {
        quorum::is_majority(self.voters, servers) && (!self.is_joint() || quorum::is_majority(self.outgoing, servers))
    }

    /// Whether the servers outside `refusing` can still be a quorum.
    pub fn can_still_win(&self, refusing: ServerSet) -> bool {
        self.has_quorum(self.all_voters().difference(refusing))
    }

    /// The highest value that a quorum has reached, given what each voter has reached.
    pub fn reached_by_quorum<T: Copy + Ord + Default>(&self, reached: impl Fn(ServerId) -> T) -> T {
        let incoming = quorum::reached_by_majority(self.voters, &reached);
        if self.is_joint() { incoming.min(quorum::reached_by_majority(self.outgoing, &reached)) } else { incoming }
    }

    /// The configuration to append for `change`: joint if the voters change, final if only the
    /// learners do.
    ///
    /// # Errors
    /// [`ChangeError`], if the change makes no sense.
    pub fn enter(&self, change: MembershipChange) -> Result<Configuration, ChangeError> {
        if change.voters.is_empty() {
            return Err(ChangeError::NoVoters);
        }
        if let Some(server) = change.voters.intersection(change.learners).iter().next() {
            return Err(ChangeError::VoterAndLearner(server));
        }
        if change.voters == self.voters && change.learners == self.learners {
            return Err(ChangeError::Unchanged);
        }
        let new_voters = change.voters.difference(self.voters);
        if let Some(server) = new_voters.difference(self.learners).iter().next() {
            return Err(ChangeError::NotALearnerYet(server));
        }
        let outgoing = if change.voters == self.voters { ServerSet::EMPTY } else { self.voters };
        // A demoted voter still votes in C_old, and is a learner already: so it never stops being a
        // member that the log is sent to.
        Ok(Configuration { voters: change.voters, outgoing, learners: change.learners })
    }

    /// The configuration that ends a joint one.
    #[must_use]
    pub const fn leave(&self) -> Configuration {
        Configuration { voters: self.voters, outgoing: ServerSet::EMPTY, learners: self.learners }
    }
}

/// The configurations in this server's log, oldest first. The last one is in force (Raft §6: "a
/// server always uses the latest configuration in its log, regardless of whether the entry is
/// committed"), and truncating the log brings back the one before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MembershipLog {
    /// Never empty: the first is the snapshot's, or the one the cluster began with.
    configurations: Vec<(LogIndex, Configuration)>,
}

impl MembershipLog {
    /// Starts with `base`, in force since `index` (0: since the beginning).
    pub fn new(index: LogIndex, base: Configuration) -> MembershipLog {
        MembershipLog { configurations: alloc::vec![(index, base)] }
    }

    /// The configuration in force.
    pub fn current(&self) -> &Configuration {
        &self.latest().1
    }

    /// The index of the entry that brought the configuration in force.
    pub fn current_index(&self) -> LogIndex {
        self.latest().0
    }

    fn latest(&self) -> &(LogIndex, Configuration) {
        self.configurations.last().expect("a membership log always holds its base")
    }

    /// The configuration that is in force for a log that ends at `index`.
    pub fn at(&self, index: LogIndex) -> &Configuration {
        let later = self.configurations.partition_point(|(at, _)| *at <= index);
        &self.configurations[later.saturating_sub(1)].1
    }

    /// Like [`MembershipLog::at`], with the index of the entry that brought it.
    pub fn entry_at(&self, index: LogIndex) -> (LogIndex, Configuration) {
        let later = self.configurations.partition_point(|(at, _)| *at <= index);
        self.configurations[later.saturating_sub(1)]
    }

    /// The configurations that can be in force if everything up to `commit` is known to be
    /// committed: the one at `commit`, and all later ones.
    pub fn since(&self, commit: LogIndex) -> impl Iterator<Item = &Configuration> {
        let later = self.configurations.partition_point(|(at, _)| *at <= commit);
        self.configurations[later.saturating_sub(1)..].iter().map(|(_, configuration)| configuration)
    }

    /// A membership entry was appended.
    pub fn append(&mut self, index: LogIndex, configuration: Configuration) {
        assert!(index > self.current_index(), "membership at {index} appended after {}", self.current_index());
        self.configurations.push((index, configuration));
    }

    /// The log was cut off after `last`. Returns whether that changed the configuration in force.
    pub fn truncate_after(&mut self, last: LogIndex) -> bool {
        let kept = self.configurations.partition_point(|(at, _)| *at <= last).max(1);
        let changed = kept < self.configurations.len();
        self.configurations.truncate(kept);
        changed
    }

    /// The log was compacted up to `first` included: older configurations are never needed again.
    pub fn compact_to(&mut self, first: LogIndex) {
        let current_at_first = self.configurations.partition_point(|(at, _)| *at <= first).max(1);
        self.configurations.drain(..current_at_first - 1);
    }

    /// The configuration that is known to be committed, if `commit` is the commit index.
    pub fn committed(&self, commit: LogIndex) -> &Configuration {
        self.at(commit)
    }
}
