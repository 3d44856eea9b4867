//! The small world as a transition system: its states, the actions possible in each, and their
//! results.
//!
//! A server is the core's own [`Raft`], and everything it does comes from its own `step`. Around it
//! there is as little as possible: a disk, a set of messages in flight, and a count of past
//! actions. The output of a step is carried out in the same order as in the simulator.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use raft_core::check::Property;
use raft_core::raft::{Configuration, DiskId, Input, Proposal, Raft, ReadMode, RequestId, ServerId, Start};
use raft_core::time::Time;

use crate::disk::Disk;
use crate::intern::{Identified, Interner};
use crate::judge::History;
use crate::marks::{Mark, Marks};
use crate::node::{Flight, Node};
use crate::state::{Action, PANIC, Spent, State};
use crate::step::Step;
use crate::world::{Clocks, World};

/// The transition system of a [`World`].
#[derive(Debug)]
pub struct Model {
    /// The world.
    pub world: World,
    nodes: Interner<Node>,
    pub(crate) flights: Interner<Flight>,
    histories: Interner<History>,
    /// Whether the search should end: no state has actions any more.
    stop: AtomicBool,
    /// Whether the first trouble of each kind has been reported.
    told: [AtomicBool; KINDS],
    /// The most messages in flight in any state.
    flights_most: AtomicUsize,
    /// The marks that have been reached.
    pub(crate) marks: Marks,
}

/// The first disk of a server that founds the cluster.
const FOUNDERS: DiskId = DiskId(0);

/// Reads are numbered from here, to distinguish them from proposals.
const READS: RequestId = 1_000;

/// The kinds of trouble: the properties, and a failed assertion.
const KINDS: usize = Property::ALL.len() + 1;

impl Model {
    /// A world before anything has happened.
    pub fn new(world: World) -> Model {
        Model {
            world,
            nodes: Interner::default(),
            flights: Interner::default(),
            histories: Interner::default(),
            stop: AtomicBool::new(false),
            told: [const { AtomicBool::new(false) }; KINDS],
            flights_most: AtomicUsize::new(0),
            marks: Marks::default(),
        }
    }

    /// Ends the search.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Lets the search go on.
    pub fn go_on(&self) {
        self.stop.store(false, Ordering::Relaxed);
    }

    /// How many different machines there were, in all states together.
    pub fn distinct_nodes(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn is_timeless(&self) -> bool {
        self.world.clocks == Clocks::Apart
    }

    fn founders(&self) -> Configuration {
        Configuration::of_voters(self.world.founding())
    }

    /// The membership with which a server on this disk starts.
    pub(crate) fn began(&self, disk: &Disk) -> Configuration {
        if disk.number() == FOUNDERS { self.founders() } else { Configuration::default() }
    }

    /// Starts a server from its disk.
    fn start(&self, id: ServerId, disk: &Disk, now: Time) -> Raft {
        let image = disk.image();
        let start = match (disk.number(), image.is_blank()) {
            (FOUNDERS, true) => Start::Bootstrap(self.founders()),
            (number, true) => Start::Join { disk: number },
            (_, false) => Start::Restart(image.durable(), self.began(disk)),
        };
        Raft::new(self.world.config(id), start, now)
            .unwrap_or_else(|error| panic!("parameters were checked, and a disk image is a past state: {error}"))
    }

    fn the_node(&self, mut node: Node) -> Arc<Node> {
        node.identify(self.is_timeless());
        if self.world.keeps_everything { Arc::new(node) } else { self.nodes.the(node) }
    }
}

impl stateright::Model for Model {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let start = |id: ServerId| {
            let disk = Disk::empty(if self.world.founding().contains(id) { FOUNDERS } else { DiskId(1) });
            self.the_node(Node::new(self.start(id, &disk, Time::ZERO), disk, Time::ZERO))
        };
        let blank = State {
            nodes: self.world.ids().iter().map(start).collect(),
            flights: Vec::new(),
            history: self.histories.the(History::new(self.world.servers)),
            spent: Spent::default(),
            now: Time::ZERO,
            trouble: None,
        };
        vec![if self.world.begins_led { self.led(blank) } else { blank }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.trouble.is_some() || self.stop.load(Ordering::Relaxed) {
            return;
        }
        for (slot, node) in state.nodes.iter().enumerate() {
            if let Some(id) = ServerId::new(slot as u8 + 1) {
                self.actions_of(id, node, state, actions);
            }
        }
        self.passes(state, actions);
        for (place, flight) in state.flights.iter().enumerate() {
            // Of several equal messages, one is enough.
            if state.flights[..place].iter().any(|earlier| earlier.fingerprint() == flight.fingerprint()) {
                continue;
            }
            if state.nodes[flight.to.slot()].raft.is_some() {
                actions.push(Action::Deliver(Arc::clone(flight)));
                if state.spent.duplicates < self.world.bounds.duplicates {
                    actions.push(Action::Duplicate(Arc::clone(flight)));
                }
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut next = last.clone();
        let spent = &mut next.spent;
        match action {
            Action::Timer(id) => {
                let leads = next.nodes[id.slot()].raft.as_ref().is_some_and(Raft::is_leader);
                *(if leads { &mut spent.heartbeats } else { &mut spent.election_timers }) += 1;
                self.step(&mut next, id, |step| {
                    if self.is_timeless() {
                        let deadline = step.node.raft.as_ref().map_or(Time::ZERO, Raft::deadline);
                        step.node.clock = step.node.clock.max(deadline);
                    }
                    step.take(Input::TimerDue);
                });
            }
            Action::Campaign(id) => {
                spent.campaigns += 1;
                self.step(&mut next, id, |step| step.take(Input::Campaign));
            }
            Action::Pass => {
                spent.passes += 1;
                next.now = next_deadline(last)?;
                return Some(next);
            }
            Action::Sync(id) => self.step(&mut next, id, |step| {
                if let Some(receipt) = step.node.disk.sync() {
                    step.take(Input::Durable(receipt));
                }
            }),
            Action::Crash(id, parts) => {
                spent.crashes += 1;
                self.step(&mut next, id, |step| {
                    let most = step.node.disk.unsynced_parts();
                    let what = [
                        (Mark::LeaderCrashed, step.node.raft.as_ref().is_some_and(Raft::is_leader)),
                        (Mark::WriteTorn, 0 < parts && parts < most),
                        (Mark::WriteSurvived, 0 < parts && parts == most),
                    ];
                    for (mark, _) in what.into_iter().filter(|(_, happened)| *happened) {
                        self.marks.meet(mark);
                    }
                    step.crash();
                    step.node.disk.lose_power(parts);
                    step.judge_crash();
                });
            }
            Action::Wipe(id) => {
                spent.wipes.insert(id);
                let number = DiskId(1 + spent.wipes.len() as u64);
                self.step(&mut next, id, |step| {
                    step.crash();
                    step.node.disk = Disk::empty(number);
                });
            }
            Action::Restart(id) => self.step(&mut next, id, |step| {
                step.node.raft = Some(self.start(id, &step.node.disk, step.node.clock));
            }),
            Action::Deliver(flight) => {
                remove(&mut next.flights, &flight);
                self.step(&mut next, flight.to, |step| step.take_message(&flight));
            }
            Action::Duplicate(flight) => {
                spent.duplicates += 1;
                self.step(&mut next, flight.to, |step| step.take_message(&flight));
            }
            Action::Propose(id) => {
                spent.proposals += 1;
                let number = spent.proposals;
                let command = if self.world.retries { last.history.next_try()? } else { [number].as_slice().into() };
                let proposal = Proposal { id: RequestId::from(number), command };
                self.step(&mut next, id, |step| step.take(Input::Propose(proposal)));
            }
            Action::Read(id) => {
                spent.reads += 1;
                let (read, due) = (READS + RequestId::from(spent.reads), last.history.committed_index());
                let mode = if self.is_timeless() { ReadMode::Confirmed } else { ReadMode::Lease };
                self.step(&mut next, id, |step| {
                    step.node.reads.push((read, due));
                    step.take(Input::Read { id: read, mode });
                    let leads = step.node.raft.as_ref().is_some_and(Raft::is_leader);
                    if mode == ReadMode::Lease && leads && step.node.reads.is_empty() {
                        self.marks.meet(Mark::LeaseRead);
                    }
                });
            }
            Action::Change(id) => {
                let change = *self.world.bounds.changes.get(usize::from(spent.changes))?;
                spent.changes += 1;
                self.step(&mut next, id, |step| step.take(Input::ChangeMembership { id: 0, change }));
            }
            Action::Transfer(id, to) => {
                spent.transfers.insert(to);
                self.step(&mut next, id, |step| step.take(Input::TransferLeadership { id: 0, to }));
            }
        }
        // An action that changes nothing, such as a refused request, is left out.
        (!next.is_like(last)).then_some(next)
    }

    fn properties(&self) -> Vec<stateright::Property<Model>> {
        properties()
    }

    fn format_action(&self, action: &Action) -> String {
        action.to_string()
    }
}

impl Model {
    /// The world once the first server leads, and everything has happened that needs no request.
    fn led(&self, mut state: State) -> State {
        use stateright::Model as _;
        let Some(first) = ServerId::new(1) else { return state };
        if !self.is_timeless() {
            state.now = next_deadline(&state).unwrap_or(state.now);
        }
        // The followers learn of the commit with the next heartbeat.
        let mut heartbeats = u8::from(self.is_timeless());
        let mut waiting = vec![Action::Timer(first)];
        while let Some(action) = waiting.pop() {
            state = self.next_state(&state, action).unwrap_or(state);
            let syncing = |(slot, node): (usize, &Arc<Node>)| {
                let id = ServerId::new(slot as u8 + 1).filter(|_| node.disk.is_syncing())?;
                Some(Action::Sync(id))
            };
            let sync = state.nodes.iter().enumerate().find_map(syncing);
            waiting.extend(sync.or_else(|| state.flights.first().map(|flight| Action::Deliver(Arc::clone(flight)))));
            if waiting.is_empty() && heartbeats > 0 {
                heartbeats -= 1;
                waiting.push(Action::Timer(first));
            }
        }
        State { spent: Spent::default(), ..state }
    }

    /// Time can pass if clocks run together and no due timer has yet to fire.
    fn passes(&self, state: &State, actions: &mut Vec<Action>) {
        let in_bounds = !self.is_timeless() && state.spent.passes < self.world.bounds.passes;
        if in_bounds && next_deadline(state).is_some_and(|due| due > state.now) {
            actions.push(Action::Pass);
        }
    }

    /// The actions of one machine, besides messages.
    fn actions_of(&self, id: ServerId, node: &Node, state: &State, actions: &mut Vec<Action>) {
        let (bounds, spent) = (&self.world.bounds, &state.spent);
        let Some(raft) = &node.raft else {
            actions.push(Action::Restart(id));
            return;
        };
        let leads = raft.is_leader();
        let differ = self.world.begins_led || !bounds.first_first || spent.election_timers > 0;
        let may_campaign = (differ || ServerId::new(1) == Some(id))
            && bounds.campaigners.contains(id)
            && raft.term().0 < bounds.term_max;
        let due = self.is_timeless() || raft.deadline() <= state.now;
        let in_bounds = match leads {
            true => spent.heartbeats < bounds.heartbeats,
            false => may_campaign && spent.election_timers < bounds.election_timers,
        };
        if due && in_bounds {
            actions.push(Action::Timer(id));
        }
        if !leads && may_campaign && spent.campaigns < bounds.campaigns {
            actions.push(Action::Campaign(id));
        }
        if node.disk.is_syncing() {
            actions.push(Action::Sync(id));
        }
        if spent.crashes < bounds.crashes {
            let most = node.disk.unsynced_parts();
            let beginnings = (0..=most).filter(|parts| self.world.torn_writes || *parts == 0 || *parts == most);
            actions.extend(beginnings.map(|parts| Action::Crash(id, parts)));
        }
        if bounds.wipes.difference(spent.wipes).contains(id) && may_lose_disk(id, state) {
            actions.push(Action::Wipe(id));
        }
        if leads && spent.proposals < bounds.proposals {
            actions.push(Action::Propose(id));
        }
        if raft.leader().is_some() && spent.reads < bounds.reads {
            actions.push(Action::Read(id));
        }
        if leads && usize::from(spent.changes) < bounds.changes.len() {
            actions.push(Action::Change(id));
        }
        if leads {
            let to = bounds.transfers.difference(spent.transfers);
            actions.extend(to.iter().filter(|to| *to != id).map(|to| Action::Transfer(id, to)));
        }
    }

    /// Plays a step of one machine, and puts the result into the world.
    fn step(&self, state: &mut State, id: ServerId, act: impl FnOnce(&mut Step)) {
        let mut node = Node::clone(&state.nodes[id.slot()]);
        if !self.is_timeless() {
            node.clock = state.now;
        }
        let history = Arc::clone(&state.history);
        let mut step = Step { model: self, id, node, sent: Vec::new(), trouble: None, state };
        act(&mut step);
        let Step { node, sent, trouble, .. } = step;
        state.nodes[id.slot()] = self.the_node(node);
        let needed = |flight: &Flight| {
            !self.world.bounds.wipes.is_empty()
                || self.world.keeps_everything
                || !state.nodes[flight.to.slot()].needs_no(flight.from, &flight.message)
        };
        state.flights.retain(|flight| flight.to != id || needed(flight));
        for flight in sent.into_iter().filter(|flight| needed(flight)) {
            self.put_on_its_way(&mut state.flights, flight);
        }
        self.flights_most.fetch_max(state.flights.len(), Ordering::Relaxed);
        if !Arc::ptr_eq(&history, &state.history) {
            state.history = self.histories.the(History::clone(&state.history));
        }
        state.trouble = trouble.map(Arc::new);
    }

    /// If links are bounded, the messages of each link stay in the order of sending, because the
    /// oldest one is dropped first. Otherwise their order has no meaning.
    fn put_on_its_way(&self, flights: &mut Vec<Arc<Flight>>, flight: Arc<Flight>) {
        if self.world.bounds.link_max == usize::MAX {
            let place = flights.partition_point(|other| other.fingerprint() < flight.fingerprint());
            return flights.insert(place, flight);
        }
        let link = |flight: &Flight| (flight.from, flight.to);
        let begin = flights.partition_point(|other| link(other) < link(&flight));
        let mut end = flights.partition_point(|other| link(other) <= link(&flight));
        if end - begin >= self.world.bounds.link_max {
            flights.remove(begin);
            end -= 1;
        }
        flights.insert(end, flight);
    }

    /// The marks that have been reached.
    pub fn marks(&self) -> Vec<Mark> {
        self.marks.met()
    }

    /// The most messages in flight in any state.
    pub fn flights_most(&self) -> usize {
        self.flights_most.load(Ordering::Relaxed)
    }
}

/// All properties, and that no assertion fails, as properties of stateright.
fn properties() -> Vec<stateright::Property<Model>> {
    /// Reported only once: the first time has the shortest path.
    fn holds<const KIND: usize>(model: &Model, state: &State) -> bool {
        let Some(trouble) = &state.trouble else { return true };
        let name = Property::ALL.get(KIND).map_or(PANIC, |property| property.name());
        trouble.name() != name || model.told[KIND].swap(true, Ordering::Relaxed)
    }
    macro_rules! always {
        ($($kind:literal)*) => {
            vec![$(stateright::Property::always(Property::ALL.get($kind).map_or(PANIC, |p| p.name()), holds::<$kind>)),*]
        };
    }
    let mut properties = always!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    properties.truncate(KINDS);
    assert_eq!(properties.len(), KINDS, "each kind of trouble has a property");
    properties
}

/// Whether a correct cluster can lose this server's disk: all others still have their first disks,
/// and these hold everything that it holds.
fn may_lose_disk(id: ServerId, state: &State) -> bool {
    let log = state.nodes[id.slot()].disk.image().log();
    let mut others = state.nodes.iter().enumerate().filter(|(slot, _)| *slot != id.slot());
    others.all(|(_, node)| {
        let image = node.disk.image();
        node.disk.number() == FOUNDERS && (image.holds(log.last()) || log.last().index.0 == 0)
    })
}

fn remove(flights: &mut Vec<Arc<Flight>>, flight: &Flight) {
    if let Some(place) = flights.iter().position(|other| other.fingerprint() == flight.fingerprint()) {
        flights.remove(place);
    }
}

/// When the next timer is due, if clocks run together.
fn next_deadline(state: &State) -> Option<Time> {
    state.nodes.iter().filter_map(|node| Some(node.raft.as_ref()?.deadline())).min()
}
