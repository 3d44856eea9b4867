//! What must always hold: Raft's safety properties, checked after every event.
//!
//! # The five of Raft's Figure 3
//! * **Election Safety**: at most one leader a term, over the whole run, not just at one moment.
//! * **Leader Append-Only**: a leader never drops or changes an entry of its own log.
//! * **Log Matching**: if two logs hold an entry with the same index and term, they are equal up to
//!   it. Checked by induction: whoever puts an entry into a log must agree with everyone before on
//!   what it says and which entry it follows.
//! * **Leader Completeness**: a new leader has everything committed in earlier terms.
//! * **State Machine Safety**: no two servers apply different entries at the same index.
//!
//! # And what they rest on
//! * **Monotonic State**: term, commit index and last applied never go down while a server runs,
//!   and the term not even when it restarts.
//! * **One Vote a Term**: a vote changes only with the term, across restarts too.
//! * **Durable Promise**: a vote or an acknowledgement *sent* is covered by what is synced on that
//!   server's disk.
//! * **Durable Commit**: what is committed is synced on a quorum's disks.
//! * **Lawful Membership**: memberships follow each other one at a time, so that their majorities
//!   meet.
//! * **Verified Commit**: a follower commits only as far as it has compared its log with its
//!   leader's (Raft Figure 2: "min(leaderCommit, index of last new entry)"). Stricter than State
//!   Machine Safety, which shows the disaster only where the tails differ.
//!
//! # And what clients see
//! * **Exactly Once**: a write takes effect once, however often its client tried it (Raft §8).
//! * **Fresh Reads**: a read shows everything that was committed when it was asked for, by whatever
//!   leader (Raft §8).
//! * **Every Request Ends**: whoever asks a server for something is answered, or refused, within a
//!   bound.
//! * **Orderly Elections**: who has told a leader that it ignores campaigns for a while does so,
//!   across restarts too; nobody campaigns too soon, unasked for, or for nothing; and nobody leads
//!   on whom no quorum hears (dissertation §4.2.3, §6.2, §9.6).
//!
//! # And what it costs
//! * **Economy**: messages and bytes stay within what there is to say: heartbeats, entries,
//!   snapshots, reads, elections, and what was lost.
//!
//! [`linearizable`] judges their history: whether it is one that a single store could have given
//! them.
//!
//! # And, where it isn't the store, what a state machine must keep to
//! * **State Machine Contract**: servers that have applied the same entries are in the same state,
//!   snapshots can be restored, and what the state machine says must always hold of it does
//!   ([`crate::state_machine`]).
//!
//! # Caveats
//! Entries that never were committed are remembered only while there are few of them
//! ([`OPEN_MAX`]): a log that brings back an older one is taken at its word. A violation names the
//! property and two facts that can't both be right; the first one stops the run.

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

use alloc::string::String;
use core::fmt;

use crate::listed::listed;
use crate::time::Time;

pub use requests::{Asked, patience};
pub use safety::{Checker, MACHINES, OPEN_MAX};
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
        /// What is promised is on the promiser's disk.
        DurablePromise "Durable Promise";
        /// What is committed is on a quorum's disks.
        DurableCommit "Durable Commit";
        /// A client's write takes effect once, however often it is tried.
        ExactlyOnce "Exactly Once";
        /// Memberships follow each other so that their majorities meet.
        LawfulMembership "Lawful Membership";
        /// A read shows everything that was committed when it was asked for.
        FreshReads "Fresh Reads";
        /// A follower commits only what it has compared with its leader's log.
        VerifiedCommit "Verified Commit";
        /// Whoever asks a server for something is answered or refused within a bound.
        EveryRequestEnds "Every Request Ends";
        /// Nobody campaigns, votes or leads on against what others may count on.
        OrderlyElections "Orderly Elections";
        /// Servers say to each other what there is to say, and not much more.
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
}

/// Two facts that can't both be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property they violate.
    pub property: Property,
    /// What was so.
    pub first: String,
    /// What contradicts it.
    pub second: String,
    /// When the second came.
    pub at: Time,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is violated at {}: {}, but {}", self.property.name(), self.at, self.first, self.second)
    }
}
