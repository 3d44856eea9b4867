//! The world around the servers: virtual time, a network, disks, clients, and what people do to
//! them.
//!
//! # A run is its seed and its actions
//! [`Simulation`] plays events in the order of their times (whole microseconds). Events of the same
//! time are played in the order in which they were scheduled. Every source of randomness has its
//! own generator, seeded from the run's seed and the source's name, so that a change in one place
//! doesn't change what another place draws. The same [`Scenario`] plays the same events everywhere,
//! and [`Simulation::trace_hash`] proves it: it is folded from every event.
//!
//! # What a person does is an action
//! [`Simulation::act`] does something now, after all other events of this instant, and adds it to
//! the script: [`Simulation::scenario`] is the run's complete recipe at any time.
//!
//! # What is simulated
//! * `network`: latency, loss, duplication, links cut, slow or lossy in each direction, messages
//!   held and released;
//! * `disk`: fsyncs that take time, stall or fail, full disks, crashes that lose or tear what
//!   wasn't synced, corrupt records, lost disks;
//! * [`Clock`]: servers' clocks that drift, jump or stop;
//! * `machine`: crashes, restarts, pauses;
//! * `operator`: servers that join and leave;
//! * `client`: clients that look for the leader, time out and try again;
//! * [`own`]: state machines other than the store, and their clients;
//! * `storm`: random faults for a hunt, drawn in advance as actions; `marks`: the rare states that
//!   were reached.
//!
//! [`timeline`] travels through a run: back, forward, and into other futures.
//!
//! # Caveats
//! Computing takes no time. Messages between a client and a server are lost or delayed, but not
//! duplicated, because they stand for connections. The operator always knows the leader, and gives
//! it its orders directly, not over the network.

mod action;
mod client;
mod clients;
mod cluster;
mod disk;
mod drive;
mod flight;
mod history;
mod machine;
mod marks;
mod network;
mod news;
mod observers;
mod operator;
pub mod own;
mod parameters;
mod perform;
mod queue;
mod reach;
mod scenario;
mod script;
mod serve;
mod storm;
pub mod timeline;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

pub use crate::clock::{Clock, TRUE_RATE};
pub use action::{Action, MessageKind, Target, TimedAction};
pub(crate) use action::{action_fields, actions};
pub use client::{Answer, Call, ClientId, ClientRequest, End, OperationRecord, Reply, Trouble};
pub use disk::Disk;
pub use flight::{Body, Endpoint, Flight, Loss, LossReason};
pub(crate) use history::history_with_points;
#[cfg(feature = "serde")]
pub(crate) use history::text_of;
pub use history::{check_run, history_of};
pub use machine::Machine;
pub use marks::{Mark, Marks};
pub use network::{Impairment, Network};
pub use news::{MessageEvent, MomentKind, News, What};
pub use observers::Listening;
pub use own::{Ask, Luck, OwnCall, OwnCounts, OwnEnd, OwnMethod, OwnOperation, Service};
pub(crate) use parameters::parameters;
pub use parameters::{
    CERTAIN, CheckParameters, ClientParameters, DiskParameters, LENGTH_MAX, LimitParameters, MACHINES_MAX,
    NetworkParameters, OwnTiming, ParameterError, Parameters, Ppm, SERVERS_MAX, TimingParameters,
};
pub use reach::Reach;
pub use scenario::{Scenario, ScenarioError};
pub use storm::{CALM_AFTER, Profile, hunt};
pub use timeline::Timeline;

use crate::check::{Checker, Violation};
use crate::hash::{TraceHasher, mix};
use crate::raft::{self, Input, Message, Output, Rule, ServerId, ServerSet};
use crate::time::Time;
use clients::Clients;
use cluster::Cluster;
use machine::Missed;
use observers::Observers;
use own::{OwnEvent, OwnWorld};
use queue::{Event, Place, Queue};
use script::Script;

/// The concerns that have their own random generators.
mod concern {
    pub(super) const NETWORK: u64 = 1;
    pub(super) const DISK: u64 = 2;
    pub(super) const RAFT: u64 = 3;
    pub(super) const CLIENT: u64 = 4;
    pub(super) const STORM: u64 = 5;
    pub(super) const CHOICE: u64 = 6;
    // 7 is the clocks' after a storm (`trial`).
    pub(super) const OWN: u64 = 8;
}

/// A world in which a cluster lives. See the [module's essay](self).
#[derive(Clone, Debug)]
pub struct Simulation {
    script: Script,
    now: Time,
    queue: Queue,
    network: Network,
    cluster: Cluster,
    clients: Clients,
    /// Where the servers host another state machine than the store, all that is for that.
    own: Option<Box<dyn OwnWorld>>,
    observers: Observers,
    hasher: TraceHasher,
    events: u64,
    /// Grows when a log, a store or a replication mark may have changed.
    revision: u64,
    /// The output of a step, reused from step to step. It is `None` while a step is under way.
    out: Option<Box<Output>>,
}

impl Simulation {
    /// A world at time zero, its servers just started.
    ///
    /// # Errors
    /// A scenario that can't be played.
    pub fn new(scenario: Scenario) -> Result<Simulation, ScenarioError> {
        let script = Script::new(scenario)?;
        let (parameters, seed) = (script.parameters(), script.seed());
        let servers = ServerSet::first(parameters.servers);
        let mut checker = Checker::new(servers, MACHINES_MAX);
        if parameters.checks.only_harm {
            checker.only_harm();
        }
        let mut simulation = Simulation {
            now: Time::ZERO,
            queue: Queue::default(),
            network: Network::new(parameters.network, mix(seed, concern::NETWORK, 0)),
            cluster: Cluster::of(servers.iter().map(|id| Machine::new(id, parameters.disk, seed)).collect()),
            clients: Clients::new(parameters, seed),
            own: None,
            observers: Observers::new(checker),
            hasher: TraceHasher::new(seed),
            events: 0,
            revision: 0,
            out: None,
            script,
        };
        simulation.schedule_action(0);
        for server in servers.iter() {
            simulation.start(server);
        }
        for client in simulation.clients.names() {
            simulation.schedule_client(client);
        }
        Ok(simulation)
    }

    // ---------------------------------------------------------------- playing

    /// Plays the next event. Returns whether there was one to play: after a violation there is
    /// none.
    pub fn step(&mut self) -> bool {
        self.step_until(Time::NEVER)
    }

    /// Plays the next event if it is due by `time`. Returns whether one was played. The clock stays
    /// at the last event.
    pub fn step_until(&mut self, time: Time) -> bool {
        // A void event (a superseded timer, say) isn't counted. The one after it is played instead,
        // but only if it is due, too.
        while self.violation().is_none() && self.queue.next_at().is_some_and(|at| at <= time) {
            let Some((at, event)) = self.queue.pop() else { return false };
            assert!(at >= self.now, "an event of {at} is played at {}", self.now);
            if self.play(at, event) {
                self.events += 1;
                return true;
            }
        }
        false
    }

    /// Plays every event up to `time`, and leaves the clock there. Returns how many it played,
    /// fewer if a violation stops the run.
    pub fn run_until(&mut self, time: Time) -> u64 {
        let before = self.events;
        while self.step_until(time) {}
        if self.violation().is_none() {
            self.now = self.now.max(time);
        }
        self.events - before
    }

    /// Whether an action makes sense in this world as it is now, with the servers that there are.
    ///
    /// # Errors
    /// Why it doesn't.
    pub fn check_action(&self, action: &Action) -> Result<(), ScenarioError> {
        self.script.scenario().check_with(action, self.cluster.len())
    }

    /// Does something now: after everything else of this instant. It becomes part of the scenario.
    ///
    /// # Errors
    /// An action that makes no sense in this world; nothing happens then.
    pub fn act(&mut self, action: Action) -> Result<(), ScenarioError> {
        self.script.scenario().check_action(&action)?;
        if matches!(action, Action::AddServer | Action::AddLearner) && self.cluster.len() >= MACHINES_MAX {
            return Err(ScenarioError::TooManyServers);
        }
        self.run_until(self.now);
        if self.violation().is_some() {
            return Ok(());
        }
        self.perform(&action);
        self.events += 1;
        // Later actions are scheduled by their positions in the script, which have moved by one.
        let place = self.script.insert(self.now, action);
        self.queue.shift_actions(place);
        Ok(())
    }

    /// Plays an event. Returns whether anything happened: not if the event is void.
    fn play(&mut self, at: Time, event: Event) -> bool {
        match event {
            Event::Arrive { flight } => {
                self.now = at;
                self.arrive(flight)
            }
            Event::Wake { server } => self.wake(at, server),
            Event::Synced { server, incarnation } => {
                let machine = &self.cluster[server];
                if machine.incarnation != incarnation || machine.process.is_none() {
                    return false;
                }
                self.now = at;
                self.synced(server);
                true
            }
            Event::ClientWake { client } => {
                if self.clients[client].wake != at {
                    return false;
                }
                self.now = at;
                self.clients[client].wake = Time::NEVER;
                self.client_acts(client);
                true
            }
            Event::Operate => {
                self.now = at;
                self.operate();
                true
            }
            Event::Act { position } => {
                self.now = at;
                self.schedule_action(position + 1);
                if let Some(timed) = self.script.action(position) {
                    let action = timed.action.clone();
                    self.perform(&action);
                }
                true
            }
        }
    }

    /// Only the script's next action is in the queue, so that a clone of the queue is small however
    /// long the script is.
    fn schedule_action(&mut self, position: u32) {
        if let Some(timed) = self.script.action(position) {
            self.queue.push_action(timed.at, position);
        }
    }

    fn fold(&mut self, kind: u8, value: impl Hash) {
        let mut hasher = self.begin_fold(kind);
        value.hash(&mut hasher);
        self.hasher = hasher;
    }

    /// The hasher after the time and the kind of an event. The caller folds in what else belongs to
    /// the event.
    fn begin_fold(&self, kind: u8) -> TraceHasher {
        let mut hasher = self.hasher;
        hasher.write_u64(self.now.as_micros() << 8 | u64::from(kind));
        hasher
    }

    // ---------------------------------------------------------------- messages

    fn send(&mut self, from: Endpoint, to: Endpoint, body: Body) {
        self.network.send(&mut self.queue, &mut self.observers, self.now, from, to, body);
    }

    fn arrive(&mut self, place: Place) -> bool {
        self.network.arriving(place).is_some_and(|slot| self.land(slot))
    }

    /// A message comes to the end of its way. It is large, so it is read in place, and a server
    /// receives it there.
    fn land(&mut self, slot: usize) -> bool {
        let Some(flight) = self.network.in_slot(slot) else { return false };
        let (from, to) = (flight.from, flight.to);
        let number = flight.number;
        let cut = flight.lost.is_none() && self.network.is_cut(from, to);
        let lost = flight.lost.is_some() || cut;
        let mut hasher = self.begin_fold(1);
        (from, to, lost).hash(&mut hasher);
        if !lost {
            flight.body.hash(&mut hasher);
        }
        self.hasher = hasher;
        let down = if let Endpoint::Server(to) = to { !self.cluster[to].is_up() } else { false };
        if let (Endpoint::Server(from), Endpoint::Server(to), Body::Raft(message)) = (from, to, &flight.body)
            && let Some(checker) = self.observers.checker_mut()
        {
            checker.landed(from, to, number, message, lost || down);
        }
        if flight.lost.is_none() {
            let at = self.now;
            self.observers.tell_of_message(at, || match (cut, down) {
                (true, _) => MessageEvent::Lost(number, Loss { at, why: LossReason::Cut }),
                (false, true) => MessageEvent::Lost(number, Loss { at, why: LossReason::ReceiverDown }),
                (false, false) => MessageEvent::Arrived(number),
            });
        }
        if lost {
            if matches!(&flight.body, Body::Raft(Message::InstallSnapshot(piece)) if piece.offset > 0) {
                self.observers.mark(Mark::SnapshotPieceLost);
            }
            self.network.free(slot);
            return true;
        }
        if self.observers.marks().is_some() {
            self.mark_landing(slot);
        }
        let Some(flight) = self.network.in_slot(slot) else { return false };
        if let (Endpoint::Server(server), Endpoint::Server(from), Body::Raft(_)) = (to, from, &flight.body)
            && self.cluster[server].paused.is_none()
        {
            self.receive(server, from, slot);
            return true;
        }
        let Some(body) = self.network.remove(slot) else { return false };
        match to {
            Endpoint::Server(server) => {
                if let Some(missed) = &mut self.cluster[server].paused {
                    missed.push(Missed::Message(from, body));
                } else {
                    self.deliver(server, from, body);
                }
            }
            Endpoint::Client(client) => {
                if let Body::Answer(answer) = body {
                    self.client_hears(client, answer);
                }
            }
        }
        true
    }

    /// Counts the rare states that a message shows by arriving.
    fn mark_landing(&mut self, slot: usize) {
        let Some(flight) = self.network.in_slot(slot) else { return };
        let (Endpoint::Server(from), Endpoint::Server(to), Body::Raft(message)) =
            (flight.from, flight.to, &flight.body)
        else {
            return;
        };
        let (sender, receiver) = (&self.cluster[from], &self.cluster[to]);
        let outlived_crash = flight.sent < receiver.started;
        let outlived_disk = flight.sent < sender.disk_lost || flight.sent < receiver.disk_lost;
        let patience = self.script.parameters().timing.election_timeout_max;
        let special = match message {
            Message::TimeoutNow(m) => {
                let in_term = receiver.raft().is_some_and(|raft| raft.term() == m.term);
                let late = self.now.since(flight.sent) > patience;
                (in_term && late).then_some(Mark::TakeOverTooLate)
            }
            Message::InstallSnapshot(m) => {
                let before = m.offset / (m.piece.bytes().len() as u64).max(1);
                (before >= 15).then_some(Mark::SnapshotOfManyPieces)
            }
            _ => None,
        };
        for (mark, reached) in
            [(Mark::MessageOutlivedCrash, outlived_crash), (Mark::MessageOutlivedDisk, outlived_disk)]
        {
            if reached {
                self.observers.mark(mark);
            }
        }
        if let Some(mark) = special {
            self.observers.mark(mark);
        }
    }

    fn deliver(&mut self, server: ServerId, from: Endpoint, body: Body) {
        match (from, body) {
            (Endpoint::Server(from), Body::Raft(message)) => {
                if let Some(checker) = self.observers.checker_mut() {
                    checker.received(self.now, server, from, &message);
                }
                self.step_raft(server, Input::Message { from, message });
            }
            (_, Body::Request(request)) => self.serve(server, request),
            _ => {}
        }
    }

    fn tell(&mut self, what: What) {
        self.observers.tell(self.now, || what);
    }

    /// Something concerns the state machine that is hosted instead of the store, or its clients.
    #[cold]
    #[inline(never)]
    fn own_takes(&mut self, event: OwnEvent<'_>) {
        if let Some(own) = self.own.take() {
            own.take(self, event);
        }
    }
}

/// What a world can be asked about itself.
impl Simulation {
    /// The time on the world's clock.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The scenario played, with everything done so far.
    pub fn scenario(&self) -> &Scenario {
        self.script.scenario()
    }

    /// How many events have been played.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Folded from every event so far: two runs with the same hash have played the same.
    pub fn trace_hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// The machines, by number.
    pub fn machines(&self) -> &[Machine] {
        self.cluster.machines()
    }

    /// One machine.
    pub fn machine(&self, server: ServerId) -> Option<&Machine> {
        self.cluster.machines().get(server.slot())
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The operations of all clients, by number, except for the forgotten ones.
    pub fn operations(&self) -> impl DoubleEndedIterator<Item = &OperationRecord> {
        self.clients.operations()
    }

    /// How many operations clients have begun, or wait to begin, including the forgotten ones.
    pub fn operations_begun(&self) -> u64 {
        self.clients.begun()
    }

    /// Forgets operations that are over, to save memory in a long run: those that `forgettable`
    /// allows and that nothing can change any more. Some of these are kept all the same, because
    /// operations are stored in chunks.
    pub fn forget_operations(&mut self, forgettable: impl Fn(&OperationRecord) -> bool) {
        self.clients.forget(forgettable);
    }

    /// The violation that stopped the run, if one did.
    pub fn violation(&self) -> Option<&Violation> {
        self.observers.violation()
    }

    /// Grows with every step of a server: a log, a store or a replication mark may have changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows whenever a client operation began, took effect, or ended.
    pub fn operations_revision(&self) -> u64 {
        self.clients.revision()
    }

    /// When the next event is due.
    pub fn next_event_at(&self) -> Option<Time> {
        self.queue.next_at()
    }

    /// The leader of the highest term.
    pub fn leader(&self) -> Option<ServerId> {
        self.cluster.leader()
    }

    /// Whether a write could be committed at present, and why not.
    #[inline(never)]
    pub fn reach(&self) -> Reach {
        Reach::of(&self.cluster, &self.network)
    }

    /// The quorum that was healed at the end of a storm; empty before that.
    pub fn healed(&self) -> ServerSet {
        self.cluster.healed()
    }

    /// Sets which news is collected from now on. While none is, it costs nothing.
    pub fn listen(&mut self, listening: Listening) {
        self.observers.listen(listening);
    }

    /// Takes the news collected since the last time.
    pub fn take_news(&mut self) -> Vec<News> {
        self.observers.take_news()
    }

    /// The same, into an empty list, whose memory takes in the next ones.
    fn swap_news(&mut self, empty: &mut Vec<News>) {
        self.observers.swap_news(empty);
    }

    /// The scenario, shared.
    fn shared_scenario(&self) -> Arc<Scenario> {
        Arc::clone(self.script.scenario())
    }

    /// Counts rare states from now on.
    pub fn count_marks(&mut self) {
        self.observers.count_marks();
    }

    /// The rare states reached so far, if they are counted.
    pub fn marks(&self) -> Option<&Marks> {
        self.observers.marks()
    }

    /// The most traffic between two servers within a second, in thousandths of what is allowed; see
    /// [`Property::Economy`](crate::check::Property::Economy). `None` if nothing is checked.
    pub fn economy(&self) -> Option<u64> {
        self.observers.checker().map(Checker::economy)
    }

    /// Falsifies what a client was told, for tests of what clients see.
    #[cfg(test)]
    pub(crate) fn tell_client(&mut self, number: u32, outcome: crate::kv::Outcome) {
        let record = self.clients.falsify(number);
        let (at, _) = record.end.take().expect("it has ended");
        record.end = Some((at, End::Answered(outcome)));
    }

    /// Falsifies where in the log an operation took effect, for tests of what the log says.
    #[cfg(test)]
    pub(crate) fn misplace(&mut self, number: u32, point: u64) {
        self.clients.falsify(number).point = Some(point);
    }

    /// Stops checking a property, for tests of the others.
    #[cfg(test)]
    pub(crate) fn ignore(&mut self, property: Option<crate::check::Property>) {
        if let Some(checker) = self.observers.checker_mut() {
            checker.ignored = property;
        }
    }

    /// Switches the safety checks off, to measure what they cost, or where their result is known.
    pub fn stop_checking(&mut self) {
        self.observers.stop_checking();
    }
}

fn store_settings(rules: raft::Rules) -> crate::kv::Settings {
    crate::kv::Settings { deduplicate: rules.on(Rule::DeduplicateRetries), ..Default::default() }
}
