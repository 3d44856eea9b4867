//! What must always hold: Raft's safety properties, checked after every event.
//!
//! # The five of Raft's Figure 3
//! * **Election Safety**: at most one leader a term, over the whole run, not just at one moment.
//! * **Leader Append-Only**: a leader never drops or changes an entry of its own log.
//! * **Log Matching**: if two logs hold an entry with the same index and term, they are equal up to
//!   it. It is checked by induction: a server that puts an entry into its log must agree with all
//!   servers before it on what the entry says and which entry it follows.
//! * **Leader Completeness**: a new leader has everything committed in earlier terms.
//! * **State Machine Safety**: no two servers apply different entries at the same index.
//!
//! # What they rest on
//! * **Monotonic State**: term, commit index and last applied never go down while a server runs.
//!   The term doesn't go down at a restart either.
//! * **One Vote a Term**: a vote changes only with the term, across restarts too.
//! * **Durable Promise**: a vote or an acknowledgement *sent* is covered by what is synced on that
//!   server's disk.
//! * **Durable Commit**: what is committed is synced on a quorum's disks.
//! * **Lawful Membership**: memberships follow each other one at a time, so that their majorities
//!   meet.
//! * **Verified Commit**: a follower commits only as far as it has compared its log with its
//!   leader's (Raft Figure 2: "min(leaderCommit, index of last new entry)"). This is stricter than
//!   State Machine Safety, which is violated only where the ends of the logs differ.
//!
//! # What clients see
//! * **Exactly Once**: a write takes effect once, however often its client tried it (Raft §8).
//! * **Fresh Reads**: a read shows everything that any leader had committed when the client asked
//!   (Raft §8).
//! * **Every Request Ends**: a server answers or refuses each request within a bound.
//! * **Orderly Elections**: a server that has told a leader that it ignores campaigns for a while
//!   does so, across restarts too. No server campaigns too soon, or where it can't win. And a
//!   leader that hears no quorum doesn't lead on (dissertation §4.2.3, §6.2, §9.6).
//!
//! # What it costs
//! * **Economy**: servers send no more messages and bytes than they need for heartbeats, entries,
//!   snapshots, reads, elections, and for what was lost.
//!
//! [`linearizable`] judges the history that clients saw: whether a single store could have given it
//! to them.
//!
//! # And, where it isn't the store, what a state machine must keep to
//! * **State Machine Contract**: servers that have applied the same entries are in the same state,
//!   snapshots can be restored, and what the state machine says must always hold of it does
//!   ([`crate::state_machine`]).
//!
//! # Caveats
//! Uncommitted entries are remembered only up to a limit ([`OPEN_MAX`]). If a log brings back an
//! older one, the checker believes it. A violation names the property and two facts that can't both
//! be right. The first violation stops the run; where only harm is looked for, the first that is
//! harm ([`Property::is_harm`], [`Checker::only_harm`]).

mod by_server;
mod changes;
mod clients;
mod economy;
mod elections;
mod grounds;
mod leavers;
pub mod linearizable;
#[cfg(test)]
mod planted;
mod promises;
mod replication;
mod requests;
mod safety;
mod taken;
mod view;
mod words;

use alloc::string::String;
use core::fmt;

use crate::listed::listed;
use crate::raft::{LogIndex, ServerSet};
use crate::time::Time;

pub use requests::{Asked, patience};
pub use safety::{Checker, MACHINES, OPEN_MAX, whose_disks};
pub use view::{MachineView, Machines};

listed! {
    /// A property that must always hold. The paper's come first.
    Property {
        /// At most one leader a term (Raft Figure 3).
        ElectionSafety "Election Safety";
        /// A leader only appends to its own log (Raft Figure 3).
        LeaderAppendOnly "Leader Append-Only";
        /// Same index and term, same log up to there (Raft Figure 3).
        LogMatching "Log Matching";
        /// What is committed is in every later leader's log (Raft Figure 3).
        LeaderCompleteness "Leader Completeness";
        /// Servers apply the same entries (Raft Figure 3).
        StateMachineSafety "State Machine Safety";
        /// Term, commit index and last applied never go down.
        MonotonicState "Monotonic State";
        /// A vote changes only with the term.
        OneVoteATerm "One Vote a Term";
        /// What a server promises is on its disk.
        DurablePromise "Durable Promise";
        /// What is committed is on a quorum's disks.
        DurableCommit "Durable Commit";
        /// A client's write takes effect once, however often it is tried.
        ExactlyOnce "Exactly Once";
        /// Memberships follow each other so that their majorities meet.
        LawfulMembership "Lawful Membership";
        /// A read shows everything that was committed when the client asked.
        FreshReads "Fresh Reads";
        /// A follower commits only what it has compared with its leader's log.
        VerifiedCommit "Verified Commit";
        /// A server answers or refuses each request within a bound.
        EveryRequestEnds "Every Request Ends";
        /// No server campaigns, votes or leads on against what others rely on.
        OrderlyElections "Orderly Elections";
        /// Servers send each other what they need, and not much more.
        Economy "Economy";
        /// A state machine that isn't the store keeps to what is asked of one.
        StateMachineContract "State Machine Contract";
    }
}

/// What a run is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// What clients saw is what one store, used by one after the other, might have shown them.
    Linearizability,
    /// When a storm is over, the cluster comes back to work.
    Liveness,
    /// A property that must hold after every event.
    Property(Property),
}

impl Guarantee {
    /// All of them.
    pub const ALL: [Guarantee; 2 + Property::ALL.len()] = {
        let mut all = [Guarantee::Linearizability; 2 + Property::ALL.len()];
        all[1] = Guarantee::Liveness;
        let mut place = 0;
        while place < Property::ALL.len() {
            all[2 + place] = Guarantee::Property(Property::ALL[place]);
            place += 1;
        }
        all
    };

    /// Its name, in files and for people.
    pub const fn name(self) -> &'static str {
        match self {
            Guarantee::Linearizability => "Linearizability",
            Guarantee::Liveness => "Liveness",
            Guarantee::Property(property) => property.name(),
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Guarantee> {
        Guarantee::ALL.into_iter().find(|guarantee| guarantee.name() == name)
    }
}

impl Property {
    /// So many, the first, are looked at in every run; the others only where servers host a state
    /// machine that isn't the store.
    pub const OF_EVERY_RUN: usize = Property::StateMachineContract as usize;

    /// Whether a violation is harm: two leaders in a term, logs or stores that differ, an entry
    /// that is lost, a client that is told something wrong. All other properties are promises,
    /// which servers keep so that no harm is done: one that is broken may still do none.
    pub const fn is_harm(self) -> bool {
        matches!(
            self,
            Property::ElectionSafety
                | Property::LeaderAppendOnly
                | Property::LogMatching
                | Property::LeaderCompleteness
                | Property::StateMachineSafety
                | Property::ExactlyOnce
                | Property::FreshReads
                | Property::StateMachineContract
        )
    }
}

/// Two facts that can't both be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property that is violated.
    pub property: Property,
    /// The earlier fact.
    pub first: String,
    /// The later fact, which contradicts it.
    pub second: String,
    /// The servers that the facts are about, as far as the checker knows.
    pub servers: ServerSet,
    /// Where in the logs the entries are that the facts are about: none, one or two. In place of
    /// one that isn't, there is zero.
    pub entries: [LogIndex; 2],
    /// When the second fact showed.
    pub at: Time,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is violated at {}: {}, but {}", self.property.name(), self.at, self.first, self.second)
    }
}
