//! The states of the small world, and the actions between them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use raft_core::check::Violation;
use raft_core::raft::{ServerId, ServerSet};
use raft_core::time::Time;

use crate::intern::{Identified, fingerprint};
use crate::judge::History;
use crate::node::{Flight, Node};

/// One state of the world.
#[derive(Clone, Debug)]
pub struct State {
    /// The machines.
    pub nodes: Vec<Arc<Node>>,
    /// The messages in flight, in a canonical order.
    pub flights: Vec<Arc<Flight>>,
    /// The facts about the past.
    pub history: Arc<History>,
    /// How much of the bounds has been used.
    pub spent: Spent,
    /// The time on all clocks, if they run together.
    pub now: Time,
    /// What is wrong, if anything. Such a state has no actions.
    pub trouble: Option<Arc<Trouble>>,
}

/// How often each bounded action has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spent {
    pub(crate) election_timers: u8,
    pub(crate) heartbeats: u8,
    pub(crate) campaigns: u8,
    pub(crate) passes: u8,
    pub(crate) crashes: u8,
    pub(crate) duplicates: u8,
    pub(crate) proposals: u8,
    pub(crate) reads: u8,
    pub(crate) changes: u8,
    pub(crate) transfers: ServerSet,
    pub(crate) wipes: ServerSet,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Two facts that can't both be right.
    Violation(Violation),
    /// An assertion of the core failed.
    Panic(String),
}

/// An action.
#[derive(Clone, Debug)]
pub enum Action {
    /// A server's timer fires.
    Timer(ServerId),
    /// A server is asked to campaign.
    Campaign(ServerId),
    /// Time passes to the next moment at which a timer is due.
    Pass,
    /// The current sync on a server's disk ends.
    Sync(ServerId),
    /// A server loses power; this many parts of what wasn't synced are on the disk all the same.
    Crash(ServerId, usize),
    /// A server restarts from its disk.
    Restart(ServerId),
    /// A server loses power and its disk.
    Wipe(ServerId),
    /// A message arrives.
    Deliver(Arc<Flight>),
    /// A message arrives, and stays in flight.
    Duplicate(Arc<Flight>),
    /// A client proposes a command at a server.
    Propose(ServerId),
    /// A client reads at a server.
    Read(ServerId),
    /// An operator asks a leader for the next membership change.
    Change(ServerId),
    /// An operator asks a leader to hand over.
    Transfer(ServerId, ServerId),
}

impl State {
    /// Its fingerprint.
    pub fn fingerprint(&self) -> u64 {
        fingerprint(self)
    }

    /// The fingerprint of each machine.
    pub fn servers(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| node.fingerprint()).collect()
    }

    /// Whether at most the time and the used bounds differ.
    pub(crate) fn is_like(&self, other: &State) -> bool {
        let same = |(one, other): (&Arc<Node>, &Arc<Node>)| one.fingerprint() == other.fingerprint();
        self.trouble == other.trouble
            && self.nodes.iter().zip(&other.nodes).all(same)
            && self.history.fingerprint() == other.history.fingerprint()
            && self.flights.len() == other.flights.len()
            && self.flights.iter().zip(&other.flights).all(|(one, other)| one.fingerprint() == other.fingerprint())
    }
}

/// The fingerprint covers the machines, the messages in flight, the facts about the past and the
/// used bounds.
impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let State { nodes, flights, history, spent, now, trouble } = self;
        for node in nodes {
            node.fingerprint().hash(hasher);
        }
        for flight in flights {
            flight.fingerprint().hash(hasher);
        }
        (history.fingerprint(), spent, now, trouble.as_ref().map(|trouble| trouble.name())).hash(hasher);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &State) -> bool {
        self.spent == other.spent && self.now == other.now && self.is_like(other)
    }
}

/// Two actions are equal if they have the same kind and operands.
impl PartialEq for Action {
    fn eq(&self, other: &Action) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Trouble {
    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        match self {
            Trouble::Violation(violation) => violation.property.name(),
            Trouble::Panic(_) => PANIC,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Violation(Violation { property, first, second, .. }) => {
                write!(f, "{} is violated: {first}, but {second}", property.name())
            }
            Trouble::Panic(why) => write!(f, "an assertion failed: {why}"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Timer(id) => write!(f, "{id}’s timer fires"),
            Action::Campaign(id) => write!(f, "{id} is asked to campaign"),
            Action::Pass => f.write_str("Time passes until a timer is due"),
            Action::Sync(id) => write!(f, "{id}’s disk finishes a write"),
            Action::Crash(id, 0) => write!(f, "{id} loses power"),
            Action::Crash(id, parts) => {
                write!(f, "{id} loses power, but {parts} parts of what it was writing are on its disk")
            }
            Action::Restart(id) => write!(f, "{id} starts again"),
            Action::Wipe(id) => write!(f, "{id} loses its disk"),
            Action::Deliver(flight) => write!(f, "{flight} arrives"),
            Action::Duplicate(flight) => write!(f, "{flight} arrives, and will once more"),
            Action::Propose(id) => write!(f, "A command is proposed at {id}"),
            Action::Read(id) => write!(f, "{id} is read"),
            Action::Change(id) => write!(f, "{id} is asked to change the membership"),
            Action::Transfer(id, to) => write!(f, "{id} is asked to hand over to {to}"),
        }
    }
}

/// The name of the property that a failed assertion violates.
pub(crate) const PANIC: &str = "No Panic";
