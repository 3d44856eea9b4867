//! A cluster of bare [`Raft`] cores, driven by hand: nothing happens unless a test asks for it, and
//! then always in the same order. No dice, no latency, no client.
//!
//! ```text
//! let mut cluster = Cluster::new(3);             // S1 to S3, time 0, nobody leads
//! cluster.elect(s(1));                           // S1 leads, everybody knows
//! let write = cluster.propose(s(1), "x=1");      // S1's messages are on their way
//! cluster.deliver(s(1), s(2));                   // one of them arrives
//! cluster.drop_all(s(1), s(3));                  // the others are lost
//! cluster.settle();                              // everything on its way arrives, until nothing moves
//! assert_eq!(cluster.applied(s(2)), ["x=1"]);
//! ```
//!
//! * **Time**: each server has a clock. [`Cluster::sleep`] lets them run with no timer going off,
//!   [`Cluster::advance`] fires the timers that come due and leaves the messages on their way,
//!   [`Cluster::run`] lets messages arrive at once as well. [`Cluster::shift_clock`] moves one
//!   clock alone, either way; [`Cluster::stop_clock`] stops it.
//! * **Messages** wait in a queue per link until delivered, dropped, duplicated, reordered or
//!   taken. A *cut* link loses what it carries; a *held* one keeps it, whatever [`Cluster::settle`]
//!   and [`Cluster::run`] do.
//! * **Disks** are instant, unless held: then writes wait for [`Cluster::fsync`]. A crash loses
//!   them, or keeps a chosen beginning.
//! * **State machine**: the list of commands applied.
//! * **Checked after every step**: one leader a term, and the same entry at an index wherever it is
//!   applied, restored or applied again. A test that switches rules off to see that fail asks for
//!   [`Cluster::tolerate`].

#![allow(dead_code, unused_imports)] // Each test file uses its own part of this.

pub mod hostile;

mod clocks;
mod disks;
mod looking;
mod messages;
mod requests;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use raft_core::raft::{
    Config, Configuration, DiskId, Durable, Entry, EntryId, HardState, LogIndex, Message, Observation, Payload, Raft,
    Refusal, RequestId, Rule, ServerId, ServerSet, Start, Term, Write,
};
use raft_core::sim::{Clock, Disk, Network, NetworkParameters};
use raft_core::time::{Duration, Time};

pub use messages::Link;

/// Server number `number`.
#[track_caller]
pub fn s(number: u8) -> ServerId {
    ServerId::new(number).expect("servers are numbered 1 to 127")
}

/// The servers with these numbers.
pub fn set(numbers: &[u8]) -> ServerSet {
    numbers.iter().map(|number| s(*number)).collect()
}

/// `count` milliseconds.
pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The entry at `index` of `term`.
pub const fn id(index: u64, term: u64) -> EntryId {
    EntryId::new(LogIndex(index), Term(term))
}

/// An entry with a command.
pub fn command(term: u64, text: &str) -> Entry {
    Entry { term: Term(term), payload: Payload::Command(text.as_bytes().into()) }
}

/// A disk image: a log with entries of these terms (the command at index 3 of term 2 is `3@2`), and
/// `term` as the server's.
pub fn image(term: u64, terms: &[u64]) -> Durable {
    let entries = (1_u64..).zip(terms).map(|(index, term)| command(*term, &id(index, *term).to_string())).collect();
    let hard_state = HardState { term: Term(term), ..HardState::default() };
    Durable { hard_state, snapshot: None, entries }
}

/// What happened in the cluster, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A server noticed something.
    Observed(ServerId, Observation),
    /// A server was told to look at its clock, when so much time had passed.
    Timer(ServerId, Time),
    /// A message is on its way.
    Sent(ServerId, ServerId, Message),
    /// A message was sent over a cut link.
    Lost(ServerId, ServerId, Message),
    /// A message arrived.
    Arrived(ServerId, ServerId, Message),
    /// A message arrived at a server that is down.
    Missed(ServerId, ServerId, Message),
    /// A server handed a write to its disk.
    Writing(ServerId, Write),
    /// A server's entries were applied, or an entry was (with its command, if it has one).
    Applied(ServerId, EntryId, Payload),
    /// A server's state machine was replaced by a snapshot up to here.
    Restored(ServerId, EntryId),
    /// A request got its answer.
    Answered(ServerId, RequestId, Answer),
    /// A server's log has outgrown its bound.
    SnapshotWanted(ServerId),
    /// Something that must always hold doesn't. Only with [`Cluster::tolerate`].
    Violated(String),
}

/// Stands for a snapshot that is handed in, where requests have numbers from 1.
pub const SNAPSHOT: RequestId = 0;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A proposal or membership change entered the log here; it may still be lost.
    Accepted(EntryId),
    /// A read saw these commands applied.
    Read(Vec<String>),
    /// The successor leads.
    Transferred,
    /// It was refused.
    Refused(Refusal),
}

/// One server: its core while it is up, and what is around it.
pub struct Server {
    /// The core; `None` while the server is down.
    raft: Option<Raft>,
    config: Config,
    /// What it was bootstrapped with; restarts need it again.
    bootstrap: Configuration,
    /// The server's own clock.
    clock: Clock,
    disk: Disk,
    /// The state machine: the commands applied, oldest first.
    applied: Vec<String>,
    /// The last entry applied.
    applied_index: LogIndex,
}

/// A change of every server's parameters.
type ConfigChange = Rc<dyn Fn(&mut Config)>;

/// How a cluster begins. See [`Cluster::with`].
#[derive(Clone)]
pub struct Setup {
    voters: ServerSet,
    learners: ServerSet,
    configure: Vec<ConfigChange>,
    images: BTreeMap<ServerId, Durable>,
}

impl Setup {
    /// Changes every server's parameters.
    #[must_use]
    pub fn config(mut self, change: impl Fn(&mut Config) + 'static) -> Setup {
        self.configure.push(Rc::new(change));
        self
    }

    /// Switches a rule off, everywhere.
    #[must_use]
    pub fn without(self, rule: Rule) -> Setup {
        self.config(move |config| config.rules = config.rules.without(rule))
    }

    /// `server` starts with this on its disk; see [`image`].
    #[must_use]
    pub fn disk(mut self, server: ServerId, durable: Durable) -> Setup {
        self.images.insert(server, durable);
        self
    }

    /// `server` starts in `term`, with a log of entries of these terms.
    #[must_use]
    pub fn log(self, server: ServerId, term: u64, terms: &[u64]) -> Setup {
        self.disk(server, image(term, terms))
    }

    /// These servers are learners from the beginning.
    #[must_use]
    pub fn learners(mut self, learners: ServerSet) -> Setup {
        self.learners = learners;
        self
    }

    /// Starts all servers, and makes S1 the leader.
    #[track_caller]
    pub fn led(self) -> Cluster {
        let mut cluster = self.start();
        cluster.elect(s(1));
        cluster
    }

    /// The same, and everybody hears from it what is committed.
    #[track_caller]
    pub fn settled(self) -> Cluster {
        let mut cluster = self.led();
        cluster.run(ms(100));
        cluster
    }

    /// Starts all servers, at time 0.
    pub fn start(self) -> Cluster {
        let bootstrap = Configuration { learners: self.learners, ..Configuration::of_voters(self.voters) };
        let mut cluster = Cluster {
            servers: BTreeMap::new(),
            network: Network::new(NetworkParameters::default(), 0),
            held_links: BTreeSet::new(),
            now: Time::ZERO,
            snapshots_by_hand: false,
            events: Vec::new(),
            answers: BTreeMap::new(),
            next_request: 0,
            leaders: BTreeMap::new(),
            history: BTreeMap::new(),
            tolerant: false,
            violations: Vec::new(),
            configure: self.configure,
            disks: 0,
        };
        for server in bootstrap.members().iter() {
            let durable = self.images.get(&server).cloned().unwrap_or_default();
            cluster.add_server(server, bootstrap, &durable);
            cluster.start_server(server, Start::Restart(durable, bootstrap));
        }
        cluster
    }
}

/// The cluster.
pub struct Cluster {
    servers: BTreeMap<ServerId, Server>,
    network: Network,
    /// Those that carry nothing by themselves.
    held_links: BTreeSet<Link>,
    /// How much time has passed; a server's clock shows it unless moved or stopped.
    now: Time,
    /// Whether nobody takes a snapshot when a server wants one.
    pub snapshots_by_hand: bool,
    events: Vec<Event>,
    answers: BTreeMap<RequestId, Answer>,
    next_request: RequestId,
    leaders: BTreeMap<Term, ServerId>,
    /// Every entry applied anywhere.
    history: BTreeMap<LogIndex, Entry>,
    tolerant: bool,
    violations: Vec<String>,
    configure: Vec<ConfigChange>,
    /// How many disks there have been that servers joined on.
    disks: u64,
}

impl Cluster {
    /// Servers 1 to `count` with empty logs and the standard parameters.
    pub fn new(count: u8) -> Cluster {
        Cluster::with(count).start()
    }

    /// The same, and S1 leads.
    pub fn led(count: u8) -> Cluster {
        Cluster::with(count).led()
    }

    /// The same, and everybody knows what is committed.
    pub fn settled(count: u8) -> Cluster {
        Cluster::with(count).settled()
    }

    /// Servers 1 to `count`, to be set up further.
    pub fn with(count: u8) -> Setup {
        Setup {
            voters: ServerSet::first(count),
            learners: ServerSet::EMPTY,
            configure: Vec::new(),
            images: BTreeMap::new(),
        }
    }

    /// A server with an empty disk that waits to be added ([`Start::Join`]).
    pub fn join(&mut self, server: ServerId) {
        assert!(!self.servers.contains_key(&server), "{server} exists: wipe it first, if it should come back empty");
        self.add_server(server, Configuration::default(), &Durable::default());
        self.start_joining(server);
    }

    fn start_joining(&mut self, server: ServerId) {
        self.disks += 1;
        self.start_server(server, Start::Join { disk: DiskId(self.disks) });
    }

    fn add_server(&mut self, server: ServerId, bootstrap: Configuration, durable: &Durable) {
        let mut config = Config::new(server, 1);
        for change in &self.configure {
            change(&mut config);
        }
        let place = Server {
            raft: None,
            config,
            bootstrap,
            clock: Clock::TRUE,
            disk: Disk::holding(durable),
            applied: Vec::new(),
            applied_index: LogIndex::ZERO,
        };
        self.servers.insert(server, place);
    }

    fn start_server(&mut self, server: ServerId, start: Start) {
        let clock = self.clock(server);
        let place = self.server_mut(server);
        let raft = Raft::new(place.config.clone(), start, clock).unwrap_or_else(|error| panic!("{server}: {error}"));
        // Everything volatile is gone; the state machine begins with the snapshot.
        (place.applied, place.applied_index) = match raft.snapshot() {
            None => (Vec::new(), LogIndex::ZERO),
            Some(snapshot) => (parse_snapshot(snapshot.data()), snapshot.meta.last.index),
        };
        place.raft = Some(raft);
    }

    /// Changes a server's parameters; it goes by them from its next start on.
    pub fn configure(&mut self, server: ServerId, change: impl FnOnce(&mut Config)) {
        change(&mut self.server_mut(server).config);
    }

    /// From now on violations are noted in [`Cluster::violations`] instead of failing the test.
    pub fn tolerate(&mut self) {
        self.tolerant = true;
    }
}

pub fn last_text(last: EntryId) -> String {
    if last == EntryId::ZERO { "nothing".to_owned() } else { last.to_string() }
}

fn write_snapshot(applied: &[String]) -> Arc<[u8]> {
    applied.join("\n").into_bytes().into()
}

fn parse_snapshot(data: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(data).lines().map(str::to_owned).collect()
}
