//! Questions that drivers, pages and checkers can ask a server.

use alloc::sync::Arc;

use super::Raft;
use super::config::Config;
use super::io::HardState;
use super::log::Log;
use super::membership::Configuration;
use super::message::{Envelope, Snapshot};
use super::observation::LeaseRefusal;
use super::role::Role;
use super::types::{LogIndex, ServerId, Term};
use crate::time::{Duration, Time};

impl Raft {
    /// Its name.
    pub fn id(&self) -> ServerId {
        self.server.config.id
    }

    /// Its parameters.
    pub fn config(&self) -> &Config {
        &self.server.config
    }

    /// Its term, its vote and its standing.
    pub fn hard_state(&self) -> HardState {
        self.server.hard_state
    }

    /// Its term.
    pub fn term(&self) -> Term {
        self.server.hard_state.term
    }

    /// Its role.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// Whether it leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Whether it asks for votes, or asks who would vote for it.
    pub fn is_campaigning(&self) -> bool {
        matches!(self.role, Role::PreCandidate(_) | Role::Candidate(_))
    }

    /// The leader of its term, if it knows one.
    pub fn leader(&self) -> Option<ServerId> {
        self.server.leader
    }

    /// Its log.
    pub fn log(&self) -> &Log {
        &self.server.log
    }

    /// Shares the memory of its log with another copy, if that holds the same entries. A driver
    /// that keeps such a copy (of what is on the disk, say) then needs the memory only once.
    pub fn share_log(&mut self, copy: &Log) {
        if self.server.log == *copy {
            self.server.log = copy.clone();
        }
    }

    /// Its latest snapshot.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.server.snapshot.as_ref()
    }

    /// The commit index: everything up to here is committed, as far as this server knows.
    pub fn commit_index(&self) -> LogIndex {
        self.server.commit
    }

    /// Everything up to here has been handed out to be applied.
    pub fn applied_index(&self) -> LogIndex {
        self.server.applied
    }

    /// Everything up to here is on its own disk.
    pub fn durable_index(&self) -> LogIndex {
        self.server.disk.log()
    }

    /// Its log is known to equal its leader's up to here; zero if it hasn't compared the two.
    pub fn agreed_index(&self) -> LogIndex {
        let (term, index) = self.server.agreed;
        if term == self.server.hard_state.term { index } else { LogIndex::ZERO }
    }

    /// Whether a write is on its way to the disk.
    pub fn is_writing(&self) -> bool {
        self.server.disk.is_writing()
    }

    /// The membership in force.
    pub fn configuration(&self) -> &Configuration {
        self.server.members()
    }

    /// The index of the entry that brought the membership in force.
    pub fn configuration_index(&self) -> LogIndex {
        self.server.membership.current_index()
    }

    /// When its election timer started, and when it runs out. A leader has none.
    pub fn election_timer(&self) -> Option<(Time, Duration)> {
        (!self.is_leader()).then_some((self.server.election_deadline, self.server.election_timeout))
    }

    /// The time, by this server's clock, until which it ignores campaigns, because it has heard a
    /// leader or was started a short time ago (dissertation §4.2.3). None if it would listen to
    /// one.
    pub fn ignores_campaigns_until(&self) -> Option<Time> {
        self.patience()
    }

    /// The time, by this server's clock, until which no other server can have been elected.
    ///
    /// A quorum answered a round that began at some time. Each of these servers ignores campaigns
    /// from when it heard that round, which was later, for as long as its answer said. The bound on
    /// drift is subtracted (dissertation §6.4.1). What a server said holds as long as it runs; see
    /// the module's caveats for a server that restarts with a shorter election timeout.
    ///
    /// # Errors
    /// Why there is no lease.
    pub fn lease(&self) -> Result<Time, LeaseRefusal> {
        let leader = self.role.leader().ok_or(LeaseRefusal::Expired { at: Time::ZERO })?;
        leader.lease(&self.server)
    }

    /// Whether the disk holds the hard state, or at least everything in it that promises depend on.
    pub fn hard_state_is_durable(&self) -> bool {
        self.server.hard_state_is_durable()
    }

    /// How many writes are on their way to the disk.
    pub fn unfinished_writes(&self) -> usize {
        self.server.disk.unfinished()
    }

    /// The messages that wait for the disk, for a look inside.
    pub fn held_messages(&self) -> impl DoubleEndedIterator<Item = &Envelope> + ExactSizeIterator {
        self.server.disk.held()
    }
}
