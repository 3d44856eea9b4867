//! A cluster of bare [`Raft`] cores, driven by hand: nothing happens unless a test asks for it, and
//! then always in the same order. There is no randomness, no latency and no client.
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
//! * **Time**: each server has a clock. [`Cluster::sleep`] lets them run without firing timers,
//!   [`Cluster::advance`] fires the timers that come due and leaves messages in flight,
//!   [`Cluster::run`] lets messages arrive at once as well. [`Cluster::shift_clock`] moves one
//!   clock alone, either way; [`Cluster::stop_clock`] stops it.
//! * **Messages** wait in a queue per link until delivered, dropped, duplicated, reordered or
//!   taken. A *cut* link loses what it carries; a *held* one keeps it, whatever [`Cluster::settle`]
//!   and [`Cluster::run`] do.
//! * **Disks** are instant, unless held: then writes wait for [`Cluster::fsync`]. A crash loses
//!   them, or keeps a chosen prefix.
//! * **State machine**: the list of commands applied.
//! * **Checked after every step**: one leader a term, and the same entry at an index wherever it is
//!   applied, restored or applied again. A test that expects violations uses [`Cluster::tolerate`].

#![allow(dead_code, unused_imports)] // Each test file uses only a part of this.

pub mod disk;
pub mod hostile;
pub mod network;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use raft_core::raft::{
    Config, Configuration, DiskId, Durable, Entry, EntryId, HardState, Input, LogIndex, MembershipChange, Message,
    Observation, Output, Payload, Proposal, Raft, ReadMode, Refusal, RequestId, Role, Rule, ServerId, ServerSet, Start,
    Term, Write,
};
use raft_core::time::{Duration, Time};

pub use disk::Disk;
pub use network::{Link, Network};

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
    /// A server's timer fired, at this time.
    Timer(ServerId, Time),
    /// A message was sent.
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
    /// A server asked for a snapshot, since its log has outgrown its bound.
    SnapshotWanted(ServerId),
    /// Something that must always hold doesn't. Only with [`Cluster::tolerate`].
    Violated(String),
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A proposal or membership change entered the log here; it can still be lost.
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
    /// Its bootstrap membership, which restarts need again.
    bootstrap: Configuration,
    /// The server's own clock.
    clock: Time,
    clock_stopped: bool,
    disk: Disk,
    /// The state machine: the commands applied, oldest first.
    applied: Vec<String>,
    /// The last entry applied.
    applied_index: LogIndex,
}

/// A change of every server's parameters.
type ConfigChange = Box<dyn Fn(&mut Config)>;

/// How to start a cluster. See [`Cluster::with`].
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
        self.configure.push(Box::new(change));
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

    /// Starts all servers, at time 0.
    pub fn start(self) -> Cluster {
        let bootstrap = Configuration { learners: self.learners, ..Configuration::of_voters(self.voters) };
        let mut cluster = Cluster {
            servers: BTreeMap::new(),
            network: Network::default(),
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
    /// The time; a server's clock shows it unless it was moved or stopped.
    now: Time,
    /// Whether requests for snapshots are ignored, so that a test takes them by hand.
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
    /// How many new disks there have been.
    disks: u64,
}

// -------------------------------------------------------------------- starting

impl Cluster {
    /// Servers 1 to `count` with empty logs and the standard parameters.
    pub fn new(count: u8) -> Cluster {
        Cluster::with(count).start()
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
            clock: self.now,
            clock_stopped: false,
            disk: Disk::holding(durable),
            applied: Vec::new(),
            applied_index: LogIndex::ZERO,
        };
        self.servers.insert(server, place);
    }

    fn start_server(&mut self, server: ServerId, start: Start) {
        let place = self.server_mut(server);
        let raft =
            Raft::new(place.config.clone(), start, place.clock).unwrap_or_else(|error| panic!("{server}: {error}"));
        // All volatile state is gone; the state machine starts from the snapshot.
        (place.applied, place.applied_index) = match raft.snapshot() {
            None => (Vec::new(), LogIndex::ZERO),
            Some(snapshot) => (parse_snapshot(snapshot.data()), snapshot.meta.last.index),
        };
        place.raft = Some(raft);
    }

    /// Changes a server's parameters from its next start on.
    pub fn configure(&mut self, server: ServerId, change: impl FnOnce(&mut Config)) {
        change(&mut self.server_mut(server).config);
    }

    /// From now on violations are recorded in [`Cluster::violations`] instead of failing the test.
    pub fn tolerate(&mut self) {
        self.tolerant = true;
    }
}

// -------------------------------------------------------------------- inspecting

impl Cluster {
    #[track_caller]
    fn server(&self, server: ServerId) -> &Server {
        self.servers.get(&server).unwrap_or_else(|| panic!("there is no {server} in this cluster"))
    }

    #[track_caller]
    fn server_mut(&mut self, server: ServerId) -> &mut Server {
        self.servers.get_mut(&server).unwrap_or_else(|| panic!("there is no {server} in this cluster"))
    }

    /// All servers, up or down.
    pub fn servers(&self) -> Vec<ServerId> {
        self.servers.keys().copied().collect()
    }

    /// Whether there is such a server.
    pub fn has(&self, server: ServerId) -> bool {
        self.servers.contains_key(&server)
    }

    /// Whether a server is up.
    pub fn is_up(&self, server: ServerId) -> bool {
        self.server(server).raft.is_some()
    }

    /// A server's core.
    #[track_caller]
    pub fn raft(&self, server: ServerId) -> &Raft {
        self.server(server).raft.as_ref().unwrap_or_else(|| panic!("{server} is down"))
    }

    /// A server's disk.
    pub fn disk(&self, server: ServerId) -> &Disk {
        &self.server(server).disk
    }

    /// The network, to look at.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// How much time has passed.
    pub fn now(&self) -> Time {
        self.now
    }

    /// A server's own clock.
    pub fn clock(&self, server: ServerId) -> Time {
        self.server(server).clock
    }

    /// The leader of the highest term, among those up.
    pub fn leader(&self) -> Option<ServerId> {
        self.leaders_now().into_iter().max_by_key(|leader| self.raft(*leader).term())
    }

    /// All servers that believe they lead.
    pub fn leaders_now(&self) -> Vec<ServerId> {
        let leads = |(id, server): (&ServerId, &Server)| server.raft.as_ref().filter(|r| r.is_leader()).map(|_| *id);
        self.servers.iter().filter_map(leads).collect()
    }

    /// Whether a server leads.
    pub fn leads(&self, server: ServerId) -> bool {
        self.is_up(server) && self.raft(server).is_leader()
    }

    /// A server's term.
    #[track_caller]
    pub fn term(&self, server: ServerId) -> u64 {
        self.raft(server).term().0
    }

    /// A server's commit index.
    #[track_caller]
    pub fn commit(&self, server: ServerId) -> u64 {
        self.raft(server).commit_index().0
    }

    /// The commands a server has applied, or had when it crashed.
    #[track_caller]
    pub fn applied(&self, server: ServerId) -> &[String] {
        &self.server(server).applied
    }

    /// The terms of a server's log, from the first entry it holds.
    #[track_caller]
    pub fn terms(&self, server: ServerId) -> Vec<u64> {
        self.raft(server).log().iter_from(LogIndex::ZERO).map(|entry| entry.term.0).collect()
    }

    /// The last entry of a server's log.
    #[track_caller]
    pub fn last(&self, server: ServerId) -> EntryId {
        self.raft(server).log().last()
    }

    /// What `leader` knows to be on `member`'s disk.
    #[track_caller]
    pub fn matched(&self, leader: ServerId, member: ServerId) -> u64 {
        let Role::Leader(role) = self.raft(leader).role() else { panic!("{leader} doesn't lead") };
        role.progress(member).unwrap_or_else(|| panic!("{leader} doesn't know {member}")).matched.0
    }

    /// The outcome of a request so far.
    pub fn answer(&self, request: RequestId) -> Option<&Answer> {
        self.answers.get(&request)
    }

    /// Why a request was refused.
    #[track_caller]
    pub fn refusal(&self, request: RequestId) -> Refusal {
        match self.answer(request) {
            Some(Answer::Refused(reason)) => *reason,
            other => panic!("request {request} wasn't refused: {other:?}"),
        }
    }

    /// The events since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether `server` has made such an observation since [`Cluster::take_events`].
    pub fn observed(&self, server: ServerId, is_it: impl Fn(&Observation) -> bool) -> bool {
        self.events.iter().any(|event| matches!(event, Event::Observed(by, it) if *by == server && is_it(it)))
    }

    /// The violations so far, with [`Cluster::tolerate`].
    pub fn violations(&self) -> &[String] {
        &self.violations
    }
}

// -------------------------------------------------------------------- requests

impl Cluster {
    /// A client hands `server` a command.
    pub fn propose(&mut self, server: ServerId, command: &str) -> RequestId {
        let id = self.request();
        self.step(server, Input::Propose(Proposal { id, command: command.as_bytes().into() }));
        id
    }

    /// A client hands `server` several commands at once.
    pub fn propose_batch(&mut self, server: ServerId, commands: &[&str]) -> Vec<RequestId> {
        let proposals: Vec<Proposal> = commands
            .iter()
            .map(|command| Proposal { id: self.request(), command: command.as_bytes().into() })
            .collect();
        let ids = proposals.iter().map(|proposal| proposal.id).collect();
        self.step(server, Input::ProposeBatch(proposals));
        ids
    }

    /// A read, confirmed by heartbeats.
    pub fn read(&mut self, server: ServerId) -> RequestId {
        let id = self.request();
        self.step(server, Input::Read { id, mode: ReadMode::Confirmed });
        id
    }

    /// A read under a lease.
    pub fn lease_read(&mut self, server: ServerId) -> RequestId {
        let id = self.request();
        self.step(server, Input::Read { id, mode: ReadMode::Lease });
        id
    }

    /// An operator asks `server` for this membership.
    pub fn change(&mut self, server: ServerId, voters: ServerSet, learners: ServerSet) -> RequestId {
        let id = self.request();
        self.step(server, Input::ChangeMembership { id, change: MembershipChange { voters, learners } });
        id
    }

    /// An operator asks `server` to hand leadership over to `to`.
    pub fn transfer(&mut self, server: ServerId, to: ServerId) -> RequestId {
        let id = self.request();
        self.step(server, Input::TransferLeadership { id, to });
        id
    }

    /// `server` takes a snapshot of everything it has applied.
    pub fn snapshot(&mut self, server: ServerId) {
        let place = self.server(server);
        let (index, data) = (place.applied_index, write_snapshot(&place.applied));
        self.step(server, Input::SnapshotTaken { index, data });
    }

    /// `server` is told to campaign.
    pub fn campaign(&mut self, server: ServerId) {
        self.step(server, Input::Campaign);
    }

    /// Makes `server` the leader in the regular way: no server hears a leader any more, it
    /// campaigns, and everything is delivered.
    ///
    /// # Panics
    /// If it doesn't win. A running leader votes for no other server, so there must be a quorum
    /// without it.
    #[track_caller]
    pub fn elect(&mut self, server: ServerId) {
        let patience = self.raft(server).config().election_timeout_min;
        self.sleep(patience);
        self.campaign(server);
        self.settle();
        assert!(self.leads(server), "{server} was to lead and doesn't:\n{}", self.status());
    }

    fn request(&mut self) -> RequestId {
        self.next_request += 1;
        self.next_request
    }
}

// -------------------------------------------------------------------- time

impl Cluster {
    /// Time passes without firing timers, as if no server had looked at its clock. Due timers fire
    /// later.
    pub fn sleep(&mut self, length: Duration) {
        self.now += length;
        for server in self.servers.values_mut().filter(|server| !server.clock_stopped) {
            server.clock += length;
        }
    }

    /// Time passes; timers fire when due; messages stay in flight.
    pub fn advance(&mut self, length: Duration) {
        self.pass(length, false);
    }

    /// Time passes; timers fire when due; every message arrives at once.
    pub fn run(&mut self, length: Duration) {
        self.settle();
        self.pass(length, true);
    }

    /// Runs until `condition` holds.
    ///
    /// # Panics
    /// If it doesn't within `patience`.
    #[track_caller]
    pub fn run_until(&mut self, patience: Duration, what: &str, condition: impl Fn(&Cluster) -> bool) {
        let end = self.now + patience;
        self.settle();
        while !condition(self) {
            assert!(self.now < end, "{what}: not within {patience}:\n{}", self.status());
            self.pass(ms(1), true);
        }
    }

    fn pass(&mut self, length: Duration, deliver: bool) {
        let end = self.now + length;
        let mut fired = 0;
        loop {
            // The server whose timer fires next, and how long until then; of equal ones, the one
            // with the lower number.
            let next = self.servers.iter().filter_map(|(id, server)| {
                let due = server.raft.as_ref()?.deadline();
                let wait = due.since(server.clock);
                (wait == Duration::ZERO || !server.clock_stopped).then_some((wait, *id))
            });
            let left = end.since(self.now);
            let Some((wait, server)) = next.min().filter(|(wait, _)| *wait <= left) else {
                self.sleep(left);
                return;
            };
            fired = if wait == Duration::ZERO { fired + 1 } else { 0 };
            assert!(fired < 10_000, "{server}'s timer goes off again and again at {}", self.now);
            self.sleep(wait);
            self.fire_timer(server);
            if deliver {
                self.settle();
            }
        }
    }

    /// Tells `server` to look at its clock.
    pub fn fire_timer(&mut self, server: ServerId) {
        self.events.push(Event::Timer(server, self.now));
        self.step(server, Input::TimerDue);
    }

    /// Moves only `server`'s clock, forward or (with a negative number of milliseconds) back. No
    /// timer fires.
    pub fn shift_clock(&mut self, server: ServerId, millis: i64) {
        let place = self.server_mut(server);
        let micros = place.clock.as_micros().saturating_add_signed(millis * 1_000);
        place.clock = Time::from_micros(micros);
    }

    /// Moves only `server`'s clock to the moment when its timer is due, and fires it.
    pub fn time_out(&mut self, server: ServerId) {
        let due = self.raft(server).deadline();
        let place = self.server_mut(server);
        place.clock = place.clock.max(due);
        self.fire_timer(server);
    }

    /// Stops `server`'s clock.
    pub fn stop_clock(&mut self, server: ServerId) {
        self.server_mut(server).clock_stopped = true;
    }

    /// Lets `server`'s clock go on from where it stopped.
    pub fn start_clock(&mut self, server: ServerId) {
        self.server_mut(server).clock_stopped = false;
    }
}

// -------------------------------------------------------------------- messages

impl Cluster {
    /// The messages in flight from one server to another, oldest first.
    pub fn on_the_way(&self, from: ServerId, to: ServerId) -> Vec<Message> {
        self.network.on_the_way((from, to))
    }

    /// The oldest message from one server to another arrives.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn deliver(&mut self, from: ServerId, to: ServerId) -> Message {
        self.deliver_nth(from, to, 0)
    }

    /// The message with `older` older ones before it arrives, and so overtakes them.
    #[track_caller]
    pub fn deliver_nth(&mut self, from: ServerId, to: ServerId, older: usize) -> Message {
        let message = self.take(from, to, older);
        self.arrive(from, to, message.clone());
        message
    }

    /// Everything that is now in flight from one server to another arrives. Returns how many
    /// messages.
    pub fn deliver_all(&mut self, from: ServerId, to: ServerId) -> usize {
        let count = self.on_the_way(from, to).len();
        for _ in 0..count {
            self.deliver(from, to);
        }
        count
    }

    /// The oldest message from one server to another is lost.
    #[track_caller]
    pub fn drop_next(&mut self, from: ServerId, to: ServerId) -> Message {
        self.take(from, to, 0)
    }

    /// Everything in flight from one server to another is lost.
    pub fn drop_all(&mut self, from: ServerId, to: ServerId) -> usize {
        let count = self.on_the_way(from, to).len();
        for _ in 0..count {
            self.drop_next(from, to);
        }
        count
    }

    /// Everything in flight is lost.
    pub fn drop_everything(&mut self) -> usize {
        self.network.busy().into_iter().map(|((from, to), _)| self.drop_all(from, to)).sum()
    }

    /// Takes a message off its link, to be given back later with [`Cluster::put`] or
    /// [`Cluster::arrive`], or never.
    #[track_caller]
    pub fn take(&mut self, from: ServerId, to: ServerId, older: usize) -> Message {
        self.network
            .take((from, to), older)
            .unwrap_or_else(|| panic!("nothing is on its way from {from} to {to}:\n{}", self.status()))
    }

    /// Puts a message on a link, after everything else there: a late one, a copy, or a forgery.
    pub fn put(&mut self, from: ServerId, to: ServerId, message: Message) {
        self.network.send((from, to), message);
    }

    /// Duplicates the oldest message from one server to another; the copy is put after all other
    /// messages on the link.
    #[track_caller]
    pub fn duplicate(&mut self, from: ServerId, to: ServerId) {
        let message = self.on_the_way(from, to).into_iter().next();
        let message = message.unwrap_or_else(|| panic!("nothing is on its way from {from} to {to}"));
        self.put(from, to, message);
    }

    /// Reverses the order of the messages in flight.
    pub fn reverse(&mut self, from: ServerId, to: ServerId) {
        self.network.reverse((from, to));
    }

    /// A message arrives at once, whatever the state of the network.
    pub fn arrive(&mut self, from: ServerId, to: ServerId, message: Message) {
        if !self.is_up(to) {
            self.events.push(Event::Missed(from, to, message));
            return;
        }
        self.events.push(Event::Arrived(from, to, message.clone()));
        self.step(to, Input::Message { from, message });
    }

    /// Everything in flight arrives, and everything that is sent because of it, until nothing is in
    /// flight. No time passes.
    pub fn settle(&mut self) {
        let mut after = None;
        for _ in 0..100_000 {
            let Some((from, to)) = self.network.next_busy(after) else { return };
            after = Some((from, to));
            self.deliver(from, to);
        }
        panic!("the servers never stop talking");
    }

    /// Cuts the link from one server to another, this direction only.
    pub fn cut(&mut self, from: ServerId, to: ServerId) {
        self.network.cut((from, to));
    }

    /// Cuts both directions between two servers.
    pub fn cut_both(&mut self, one: ServerId, other: ServerId) {
        self.cut(one, other);
        self.cut(other, one);
    }

    /// Mends one direction.
    pub fn mend(&mut self, from: ServerId, to: ServerId) {
        self.network.mend((from, to));
    }

    /// Cuts `server` off from all others.
    pub fn isolate(&mut self, server: ServerId) {
        for other in self.servers() {
            if other != server {
                self.cut_both(server, other);
            }
        }
    }

    /// Cuts `server` off for so long that a leader keeps no log for it any more.
    pub fn lose_sight_of(&mut self, server: ServerId) {
        self.isolate(server);
        let patience = self.raft(server).config().election_timeout_max;
        self.run(patience + ms(50));
    }

    /// Splits the network: servers reach each other only within their group. A server that is in no
    /// group is alone.
    pub fn partition(&mut self, groups: &[&[u8]]) {
        let group = |server: ServerId| groups.iter().position(|group| group.contains(&server.number()));
        for from in self.servers() {
            for to in self.servers() {
                if from != to && (group(from).is_none() || group(from) != group(to)) {
                    self.cut(from, to);
                } else {
                    self.mend(from, to);
                }
            }
        }
    }

    /// Leaves only the links between these pairs, in both directions: chains, rings, stars,
    /// bridges.
    pub fn connect_only(&mut self, pairs: &[(u8, u8)]) {
        for from in self.servers() {
            for to in self.servers() {
                let pair = (from.number(), to.number());
                if pairs.contains(&pair) || pairs.contains(&(pair.1, pair.0)) {
                    self.mend(from, to);
                } else if from != to {
                    self.cut(from, to);
                }
            }
        }
    }

    /// Mends every link, and releases held ones.
    pub fn heal(&mut self) {
        self.network.mend_all();
    }

    /// Holds a link: messages on it wait to be delivered by hand.
    pub fn hold(&mut self, from: ServerId, to: ServerId) {
        self.network.hold((from, to));
    }

    /// Releases a held link.
    pub fn let_go(&mut self, from: ServerId, to: ServerId) {
        self.network.let_go((from, to));
    }
}

// -------------------------------------------------------------------- disks and crashes

impl Cluster {
    /// From now on `server`'s writes wait for [`Cluster::fsync`].
    pub fn hold_disk(&mut self, server: ServerId) {
        self.server_mut(server).disk.held = true;
    }

    /// `server`'s disk is instant again; pending writes become durable.
    pub fn release_disk(&mut self, server: ServerId) {
        self.fsync(server);
        self.server_mut(server).disk.held = false;
        self.fsync(server);
    }

    /// All writes handed to `server`'s disk so far become durable, one after the other. Returns how
    /// many.
    pub fn fsync(&mut self, server: ServerId) -> usize {
        let mut count = 0;
        // Writes that follow from the first one aren't included, unless the disk is instant again.
        for _ in 0..self.server(server).disk.pending().count() {
            if self.server(server).disk.pending().next().is_some() {
                self.fsync_one(server);
                count += 1;
            }
        }
        count
    }

    /// The oldest write handed to `server`'s disk becomes durable.
    #[track_caller]
    pub fn fsync_one(&mut self, server: ServerId) {
        let receipt = self.server_mut(server).disk.sync_one();
        let receipt = receipt.unwrap_or_else(|| panic!("{server} has no write on its way"));
        self.step(server, Input::Durable(receipt));
    }

    /// `server` crashes, and loses what isn't durable.
    pub fn crash(&mut self, server: ServerId) {
        self.crash_keeping(server, 0);
    }

    /// `server` crashes; only the first `parts` parts (see [`Write`]) of its pending writes have
    /// reached the disk.
    pub fn crash_keeping(&mut self, server: ServerId, parts: usize) {
        assert!(self.is_up(server), "{server} is down already");
        let place = self.server_mut(server);
        place.disk.lose_power(parts);
        place.raft = None;
    }

    /// `server` restarts from what is durable. Its clock has gone on meanwhile.
    pub fn restart(&mut self, server: ServerId) {
        assert!(!self.is_up(server), "{server} is up: crash it first");
        let place = self.server(server);
        let (durable, bootstrap) = (place.disk.durable(), place.bootstrap);
        if durable == Durable::default() && bootstrap == Configuration::default() {
            return self.start_joining(server);
        }
        self.start_server(server, Start::Restart(durable, bootstrap));
    }

    /// `server` restarts with this on its disk instead.
    pub fn restart_from(&mut self, server: ServerId, durable: Durable) {
        self.server_mut(server).disk = Disk::holding(&durable);
        self.restart(server);
    }

    /// `server` crashes, loses all but the first `kept` entries, and restarts, knowing that.
    /// Returns how its log ended before.
    pub fn restart_damaged(&mut self, server: ServerId, kept: usize) -> EntryId {
        self.crash(server);
        let mut durable = self.disk(server).durable();
        let lost = self.disk(server).log().last();
        durable.hard_state.lost = lost;
        durable.entries.truncate(kept);
        self.restart_from(server, durable);
        lost
    }

    /// `server` has lost its disk and starts under its old name ([`Start::Join`]).
    pub fn restart_wiped(&mut self, server: ServerId) {
        assert!(!self.is_up(server), "{server} is up: crash it first");
        let place = self.server_mut(server);
        place.disk = Disk::holding(&Durable::default());
        place.bootstrap = Configuration::default();
        self.start_joining(server);
    }
}

// -------------------------------------------------------------------- one step

impl Cluster {
    /// Gives `server` an input, and does everything that follows from it, except the delivery of
    /// messages.
    #[track_caller]
    pub fn step(&mut self, server: ServerId, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut out = Output::listening();
        while let Some(input) = inputs.pop_front() {
            let now = self.server(server).clock;
            let raft = self.server_mut(server).raft.as_mut().unwrap_or_else(|| panic!("{server} is down"));
            raft.step(now, input, &mut out);
            self.act(server, &mut out);
            let place = self.server_mut(server);
            if !place.disk.held {
                while let Some(receipt) = place.disk.sync_one() {
                    inputs.push_back(Input::Durable(receipt));
                }
            }
            if out.snapshot_wanted {
                self.events.push(Event::SnapshotWanted(server));
                if !self.snapshots_by_hand {
                    let place = self.server(server);
                    let (index, data) = (place.applied_index, write_snapshot(&place.applied));
                    inputs.push_back(Input::SnapshotTaken { index, data });
                }
            }
        }
        self.check(server);
    }

    /// Acts on one output, in the order its fields are declared.
    fn act(&mut self, server: ServerId, out: &mut Output) {
        self.events.extend(out.observations.drain(..).map(|observation| Event::Observed(server, observation)));
        for write in out.writes.drain(..) {
            self.events.push(Event::Writing(server, write.clone()));
            self.server_mut(server).disk.submit(write);
        }
        for envelope in out.messages.drain(..) {
            let sent = self.network.send((server, envelope.to), envelope.message.clone());
            let event = if sent { Event::Sent } else { Event::Lost };
            self.events.push(event(server, envelope.to, envelope.message));
        }
        if let Some(snapshot) = out.restore.take() {
            self.restore(server, snapshot.meta.last, parse_snapshot(snapshot.data()));
        }
        for (index, entry) in out.committed_entries() {
            self.apply(server, index, entry.clone());
        }
        for id in out.reads.drain(..) {
            let seen = self.server(server).applied.clone();
            self.answered(server, id, Answer::Read(seen));
        }
        for (id, entry) in out.accepted.drain(..) {
            self.answered(server, id, Answer::Accepted(entry));
        }
        for id in out.transferred.drain(..) {
            self.answered(server, id, Answer::Transferred);
        }
        for refused in out.refused.drain(..) {
            self.answered(server, refused.id, Answer::Refused(refused.reason));
        }
    }

    fn answered(&mut self, server: ServerId, id: RequestId, answer: Answer) {
        self.events.push(Event::Answered(server, id, answer.clone()));
        self.answers.insert(id, answer);
    }

    fn apply(&mut self, server: ServerId, index: LogIndex, entry: Entry) {
        let place = self.server(server);
        if index != place.applied_index.next() {
            let after = place.applied_index;
            self.violated(format!("State machine safety: {server} applied {index} after {after}"));
        }
        if let Some(elsewhere) = self.history.get(&index)
            && *elsewhere != entry
        {
            let (one, other) = (EntryId::new(index, elsewhere.term), EntryId::new(index, entry.term));
            self.violated(format!("State machine safety: {server} applied {other} where {one} was applied before"));
        }
        self.events.push(Event::Applied(server, EntryId::new(index, entry.term), entry.payload.clone()));
        let place = self.server_mut(server);
        place.applied_index = index;
        if let Payload::Command(bytes) = &entry.payload {
            place.applied.push(String::from_utf8_lossy(bytes).into_owned());
        }
        self.history.entry(index).or_insert(entry);
    }

    fn restore(&mut self, server: ServerId, last: EntryId, commands: Vec<String>) {
        let before = self.history.range(..=last.index).filter_map(|(_, entry)| match &entry.payload {
            Payload::Command(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
        if !before.eq(commands.iter().cloned()) {
            self.violated(format!(
                "State machine safety: {server} restored a snapshot up to {last} that is not the history"
            ));
        }
        let place = self.server_mut(server);
        if last.index < place.applied_index {
            let ahead = place.applied_index;
            self.violated(format!("State machine safety: {server} went back from {ahead} to a snapshot up to {last}"));
        }
        self.events.push(Event::Restored(server, last));
        let place = self.server_mut(server);
        (place.applied, place.applied_index) = (commands, last.index);
    }

    fn check(&mut self, server: ServerId) {
        let raft = self.raft(server);
        if raft.is_leader() {
            let term = raft.term();
            let winner = *self.leaders.entry(term).or_insert(server);
            if winner != server {
                self.violated(format!("Election safety: {winner} and {server} lead term {term}"));
            }
        }
    }

    fn violated(&mut self, what: String) {
        assert!(self.tolerant, "{what}\n{}", self.status());
        if !self.violations.contains(&what) {
            self.events.push(Event::Violated(what.clone()));
            self.violations.push(what);
        }
    }
}

// -------------------------------------------------------------------- printing

impl Cluster {
    /// A line for each server: role, term, log, commit and vote; and the messages in flight.
    pub fn status(&self) -> String {
        let mut lines = String::new();
        for (id, server) in &self.servers {
            lines += &match &server.raft {
                None => format!("{id} is down, with {} on its disk\n", last_text(server.disk.log().last())),
                Some(raft) => {
                    let voted = raft.hard_state().voted_for.map(|to| format!(", voted for {to}")).unwrap_or_default();
                    let leader = match raft.leader().filter(|leader| leader != id) {
                        Some(leader) => format!(" of {leader}"),
                        None => String::new(),
                    };
                    let (role, last) = (raft.role().name(), last_text(raft.log().last()));
                    let (term, commit) = (raft.term(), raft.commit_index());
                    format!("{id}@{term} {role}{leader}, log to {last}, commit {commit}{voted}\n")
                }
            };
        }
        for ((from, to), count) in self.network.busy() {
            lines += &format!("{from} → {to}: {count} on the way\n");
        }
        lines
    }
}

/// `7@2`, or `nothing`.
pub fn last_text(last: EntryId) -> String {
    if last == EntryId::ZERO { "nothing".to_owned() } else { last.to_string() }
}

fn write_snapshot(applied: &[String]) -> Arc<[u8]> {
    applied.join("\n").into_bytes().into()
}

fn parse_snapshot(data: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(data).lines().map(str::to_owned).collect()
}
