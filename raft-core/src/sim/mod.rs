//! The world around the servers: virtual time, a network, disks, clients, and what people do to them.
//!
//! # A run is its seed and its actions
//! [`Simulation`] plays events in the order of their times (whole microseconds) and, where those are equal, of their being
//! scheduled. Every source of chance has a generator of its own, seeded from the run's seed and its own name, so that a
//! change in one place doesn't reshuffle the luck of another. The same [`Scenario`] plays the same events everywhere, and
//! [`Simulation::trace_hash`] proves it: it is folded from every event.
//!
//! # What a person does is an action
//! [`Simulation::act`] does something now, after everything else of this instant, and notes it: [`Simulation::scenario`] is
//! the run's complete recipe at any time.
//!
//! # What is simulated
//! * `network`: latency, loss, duplication, links cut in each direction;
//! * `disk`: fsyncs that take time, and crashes that lose what wasn't synced;
//! * `client`: clients that look for the leader, time out and try again;
//! * `storm`: random faults, drawn beforehand as actions.
//!
//! # Caveats
//! Servers' clocks agree with the world's, computing takes no time, and messages between a client and a server are lost or
//! delayed but not repeated (they stand for connections).

mod action;
mod client;
mod disk;
mod machine;
mod network;
mod news;
mod parameters;
mod queue;
mod reach;
mod scenario;
mod storm;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

pub use action::{Action, Target, TimedAction};
pub use client::{Answer, Call, ClientId, ClientRequest, End, OperationRecord, Reply, Trouble};
pub use disk::{Disk, Image};
pub use machine::Machine;
pub use network::{Body, Endpoint, Flight, Network};
pub use news::{News, What};
pub use parameters::{
    CERTAIN, ClientParameters, DiskParameters, NetworkParameters, ParameterError, Parameters, Ppm, SERVERS_MAX,
    TimingParameters,
};
pub use reach::Reach;
pub use scenario::{Scenario, ScenarioError};
pub use storm::{Storm, storm};

use crate::check::{Checker, Violation};
use crate::hash::{TraceHasher, mix};
use crate::kv::{Applied, Command, LineError, Request, Store};
use crate::raft::{self, Config, Configuration, Input, Output, Payload, Raft, Rule, ServerId, ServerSet, Start};
use crate::shared::Shared;
use crate::time::Time;
use client::{Client, Conclusion, Wish};
use machine::{Asker, Process};
use queue::{Event, Queue};

/// The concerns that have luck of their own.
mod concern {
    pub(super) const NETWORK: u64 = 1;
    pub(super) const DISK: u64 = 2;
    pub(super) const RAFT: u64 = 3;
    pub(super) const CLIENT: u64 = 4;
}

/// A world in which a cluster lives. See the [module's essay](self).
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Shared between clones, for a script may be long.
    scenario: Arc<Scenario>,
    now: Time,
    queue: Queue,
    network: Network,
    machines: Vec<Machine>,
    clients: Vec<Client>,
    operations: Shared<OperationRecord>,
    checker: Option<Checker>,
    violation: Option<Violation>,
    hasher: TraceHasher,
    events: u64,
    /// Grows when a log, a store or a replication mark may have changed.
    revision: u64,
    /// Grows when a client operation began or ended.
    operations_revision: u64,
    listening: bool,
    news: Vec<News>,
    /// Reused from step to step.
    out: Output,
}

impl Simulation {
    /// A world at time zero, its servers just started.
    ///
    /// # Errors
    /// A scenario that makes no world.
    pub fn new(scenario: Scenario) -> Result<Simulation, ScenarioError> {
        scenario.check()?;
        let parameters = &scenario.parameters;
        let seed = scenario.seed;
        let mut queue = Queue::default();
        for (position, action) in scenario.actions.iter().enumerate() {
            queue.push_action(action.at, position as u32);
        }
        let servers = ServerSet::first(parameters.servers);
        let machines = servers
            .iter()
            .map(|id| Machine {
                id,
                disk: Disk::new(parameters.disk, mix(seed, concern::DISK, u64::from(id.number()))),
                incarnation: 0,
                process: None,
                wake: Time::NEVER,
                since: Time::ZERO,
            })
            .collect();
        let clients = (1..=parameters.clients.count.saturating_add(1))
            .map(|number| {
                let seed = mix(seed, concern::CLIENT, u64::from(number));
                Client::new(ClientId(number), seed, parameters.servers, &parameters.clients)
            })
            .collect();
        let mut simulation = Simulation {
            now: Time::ZERO,
            queue,
            network: Network::new(parameters.network, mix(seed, concern::NETWORK, 0)),
            machines,
            clients,
            operations: Shared::default(),
            checker: Some(Checker::new(servers)),
            violation: None,
            hasher: TraceHasher::new(seed),
            events: 0,
            revision: 0,
            operations_revision: 0,
            listening: false,
            news: Vec::new(),
            out: Output::default(),
            scenario: Arc::new(scenario),
        };
        for server in servers.iter() {
            simulation.start(server);
        }
        for slot in 0..simulation.clients.len() {
            simulation.schedule_client(slot);
        }
        Ok(simulation)
    }

    // ---------------------------------------------------------------- playing

    /// Plays the next event; whether there was one to play. Nothing is played after a violation.
    pub fn step(&mut self) -> bool {
        self.step_until(Time::NEVER)
    }

    /// Plays the next event if it is due by `time`; whether there was such a one. The clock stays at the last event.
    pub fn step_until(&mut self, time: Time) -> bool {
        // An event that turns out to be nothing must not drag a later one along.
        while self.violation.is_none() && self.queue.next_at().is_some_and(|at| at <= time) {
            let Some((at, event)) = self.queue.pop() else { return false };
            assert!(at >= self.now, "an event of {at} is played at {}", self.now);
            if self.play(at, event) {
                self.events += 1;
                return true;
            }
        }
        false
    }

    /// Plays every event up to `time`, and lets the clock stand there; how many. Fewer if a violation stops the run.
    pub fn run_until(&mut self, time: Time) -> u64 {
        let before = self.events;
        while self.step_until(time) {}
        if self.violation.is_none() {
            self.now = self.now.max(time);
        }
        self.events - before
    }

    /// Does something now: after everything else of this instant. It becomes part of the scenario.
    ///
    /// # Errors
    /// An action that makes no sense in this world; nothing happens then.
    pub fn act(&mut self, action: Action) -> Result<(), ScenarioError> {
        self.scenario.check_action(&action)?;
        self.run_until(self.now);
        if self.violation.is_some() {
            return Ok(());
        }
        self.perform(&action);
        self.events += 1;
        let at = self.now;
        let actions = &mut Arc::make_mut(&mut self.scenario).actions;
        let place = actions.partition_point(|timed| timed.at <= at);
        actions.insert(place, TimedAction { at, action });
        // What was scripted for later is named by its position, which has moved by one.
        self.queue.shift_actions(place as u32);
        Ok(())
    }

    /// Whether anything happened.
    fn play(&mut self, at: Time, event: Event) -> bool {
        match event {
            Event::Arrive { flight } => {
                self.now = at;
                self.arrive(flight)
            }
            Event::Wake { server } => self.wake(at, server),
            Event::Synced { server, incarnation } => {
                let machine = &self.machines[server.slot()];
                if machine.incarnation != incarnation || machine.process.is_none() {
                    return false;
                }
                self.now = at;
                self.synced(server);
                true
            }
            Event::ClientWake { client } => {
                if self.clients[client.slot()].wake != at {
                    return false;
                }
                self.now = at;
                self.clients[client.slot()].wake = Time::NEVER;
                self.client_acts(client.slot());
                true
            }
            Event::Act { position } => {
                self.now = at;
                if let Some(timed) = self.scenario.actions.get(position as usize) {
                    let action = timed.action.clone();
                    self.perform(&action);
                }
                true
            }
        }
    }

    fn fold(&mut self, kind: u8, value: impl Hash) {
        self.hasher.write_u64(self.now.as_micros() << 8 | u64::from(kind));
        value.hash(&mut self.hasher);
    }

    // ---------------------------------------------------------------- messages

    fn send(&mut self, from: Endpoint, to: Endpoint, body: Body) {
        let Simulation { queue, network, now, .. } = self;
        network.send(*now, from, to, body, |flight, arrives| queue.push(arrives, Event::Arrive { flight }));
    }

    fn arrive(&mut self, place: u32) -> bool {
        let Some(flight) = self.network.take(place) else { return false };
        let lost = flight.lost.is_some() || self.network.is_cut(flight.from, flight.to);
        self.fold(1, (flight.from, flight.to, lost));
        if lost {
            return true;
        }
        flight.body.hash(&mut self.hasher);
        match (flight.to, flight.body) {
            (Endpoint::Server(server), Body::Raft(message)) => {
                if let Endpoint::Server(from) = flight.from {
                    self.step_raft(server, Input::Message { from, message });
                }
            }
            (Endpoint::Server(server), Body::Request(request)) => self.serve(server, request),
            (Endpoint::Client(client), Body::Answer(answer)) => self.client_hears(client, answer),
            _ => {}
        }
        true
    }

    // ---------------------------------------------------------------- servers

    fn start(&mut self, server: ServerId) {
        let parameters = &self.scenario.parameters;
        let (timing, rules) = (parameters.timing, parameters.rules);
        let bootstrap = Configuration::of_voters(ServerSet::first(parameters.servers));
        let machine = &mut self.machines[server.slot()];
        let first = machine.incarnation == 0;
        machine.incarnation += 1;
        machine.since = self.now;
        let life = u64::from(server.number()) << 32 | u64::from(machine.incarnation);
        let mut config = Config::new(server, mix(self.scenario.seed, concern::RAFT, life));
        config.election_timeout_min = timing.election_timeout_min;
        config.election_timeout_max = timing.election_timeout_max;
        config.heartbeat_interval = timing.heartbeat_interval;
        config.disk_stall_max = timing.election_timeout_max.times(2);
        config.pre_vote = timing.pre_vote;
        config.check_quorum = timing.check_quorum;
        config.snapshot_after_entries = timing.snapshot_after_entries;
        config.rules = rules;
        let settings = store_settings(rules);
        let start =
            if first { Start::Bootstrap(bootstrap) } else { Start::Restart(machine.disk.image().durable(), bootstrap) };
        let store = match machine.disk.image().snapshot() {
            Some(snapshot) => Store::restore(&snapshot.data, settings).expect("a synced snapshot can be read again"),
            None => Store::new(settings),
        };
        let raft =
            Raft::new(config, start, self.now).expect("parameters were checked, and a disk image is a past state");
        let requests = 0;
        machine.process = Some(Process { raft, store, proposed: Default::default(), reading: Vec::new(), requests });
        machine.wake = Time::NEVER;
        let incarnation = machine.incarnation;
        self.revision += 1;
        self.tell(What::Started(server, incarnation));
        self.schedule_server(server);
        if let (Some(checker), Some(raft)) = (&mut self.checker, self.machines[server.slot()].raft()) {
            checker.started(server, raft);
        }
    }

    fn crash(&mut self, server: ServerId) {
        let machine = &mut self.machines[server.slot()];
        if machine.process.take().is_none() {
            return;
        }
        let unsynced = machine.disk.unsynced();
        machine.disk.lose_power();
        machine.wake = Time::NEVER;
        machine.since = self.now;
        self.revision += 1;
        self.tell(What::Crashed(server, unsynced));
        if let Some(checker) = &mut self.checker {
            checker.crashed(server);
        }
    }

    fn wake(&mut self, at: Time, server: ServerId) -> bool {
        let machine = &mut self.machines[server.slot()];
        if machine.wake != at {
            return false; // Superseded, or the machine crashed since.
        }
        machine.wake = Time::NEVER;
        let Some(process) = &machine.process else { return false };
        if process.raft.deadline() > at {
            self.schedule_server(server);
            return false;
        }
        self.now = at;
        self.fold(2, server);
        self.step_raft(server, Input::TimerDue);
        true
    }

    fn synced(&mut self, server: ServerId) {
        self.fold(3, server);
        let now = self.now;
        let machine = &mut self.machines[server.slot()];
        let (receipt, next) = machine.disk.synced(now);
        let incarnation = machine.incarnation;
        if let Some(next) = next {
            self.queue.push(next, Event::Synced { server, incarnation });
        }
        if let Some(receipt) = receipt {
            self.step_raft(server, Input::Durable(receipt));
        }
    }

    /// Feeds one input to a server and carries out everything it decides.
    fn step_raft(&mut self, server: ServerId, input: Input) {
        self.feed(server, input, None);
    }

    /// Like [`Simulation::step_raft`], for an input on a client's behalf.
    fn feed(&mut self, server: ServerId, input: Input, asker: Option<Asker>) {
        let mut input = Some(input);
        let mut asker = asker;
        while let Some(next) = input.take() {
            let mut out = core::mem::take(&mut self.out);
            out.listen = self.listening;
            if let Some(process) = &mut self.machines[server.slot()].process {
                process.raft.step(self.now, next, &mut out);
                input = self.carry_out(server, &mut out, asker.take());
            }
            self.out = out;
        }
        self.schedule_server(server);
    }

    /// Carries out what a step decided, in the order that [`Output`] asks for; what to feed the server next, if anything.
    fn carry_out(&mut self, server: ServerId, out: &mut Output, asker: Option<Asker>) -> Option<Input> {
        let mut follow_up = None;
        self.check_step(server, out);
        for observation in out.observations.drain(..) {
            self.news.push(News { at: self.now, what: What::Observed(server, observation) });
        }
        if !out.writes.is_empty() || !out.committed.is_empty() {
            self.revision += 1;
        }
        for write in out.writes.drain(..) {
            let now = self.now;
            let machine = &mut self.machines[server.slot()];
            let incarnation = machine.incarnation;
            let instant = machine.disk.is_instant();
            if let Some(done) = machine.disk.submit(now, write) {
                if instant {
                    follow_up = machine.disk.synced(now).0.map(Input::Durable);
                } else {
                    self.queue.push(done, Event::Synced { server, incarnation });
                }
            }
        }
        for envelope in out.messages.drain(..) {
            let to = Endpoint::Server(envelope.to);
            if envelope.to.slot() < self.machines.len() {
                self.send(Endpoint::Server(server), to, Body::Raft(envelope.message));
            }
        }
        for (_, id) in &out.accepted {
            if let (Some(process), Some(asker)) = (&mut self.machines[server.slot()].process, asker) {
                process.proposed.insert(id.index, (id.term, asker));
            }
        }
        self.apply(server, out);
        self.answer_reads(server, out);
        for refused in out.refused.drain(..) {
            self.refuse(server, asker, refused);
        }
        if out.snapshot_wanted
            && let Some(process) = &self.machines[server.slot()].process
        {
            let data = Arc::from(process.store.snapshot());
            follow_up = follow_up.or(Some(Input::SnapshotTaken { index: process.raft.applied_index(), data }));
        }
        follow_up
    }

    fn check_step(&mut self, server: ServerId, out: &Output) {
        let Some(checker) = &mut self.checker else { return };
        let machine = &self.machines[server.slot()];
        if let Some(raft) = machine.raft()
            && let Err(violation) = checker.stepped(self.now, raft, out, &self.machines)
        {
            self.violation.get_or_insert(violation);
        }
    }

    fn apply(&mut self, server: ServerId, out: &mut Output) {
        let settings = store_settings(self.scenario.parameters.rules);
        let Some(process) = &mut self.machines[server.slot()].process else { return };
        if let Some(snapshot) = out.restore.take() {
            process.store = Store::restore(&snapshot.data, settings).expect("a snapshot arrives whole or not at all");
        }
        let mut answers = Vec::new();
        for committed in out.committed.drain(..) {
            let applied = match &committed.entry.payload {
                Payload::Command(bytes) => Some(process.store.apply(committed.index.0, bytes)),
                Payload::NoOp | Payload::Membership(_) => None,
            };
            let Some((term, asker)) = process.proposed.remove(&committed.index) else { continue };
            let reply = match applied {
                Some(applied) if term == committed.entry.term => reply_to(applied),
                _ => Reply::Lost,
            };
            answers.push((asker, reply));
        }
        for (asker, reply) in answers {
            self.answer(server, asker, reply);
        }
    }

    fn answer_reads(&mut self, server: ServerId, out: &mut Output) {
        for id in out.reads.drain(..) {
            let Some(process) = &mut self.machines[server.slot()].process else { return };
            let Some(place) = process.reading.iter().position(|(read, ..)| *read == id) else { continue };
            let (_, asker, query) = process.reading.swap_remove(place);
            let outcome = process.store.query(&query);
            self.answer(server, asker, Reply::Done(outcome));
        }
    }

    fn refuse(&mut self, server: ServerId, asker: Option<Asker>, refused: raft::Refused) {
        let Some(process) = &mut self.machines[server.slot()].process else { return };
        let read = process.reading.iter().position(|(read, ..)| *read == refused.id);
        let asker = match read {
            Some(place) => Some(process.reading.swap_remove(place).1),
            None => asker,
        };
        let Some(asker) = asker else { return };
        let reply = match refused.reason {
            raft::Refusal::NotLeader { leader } => Reply::NotLeader(leader),
            reason => Reply::NotNow(reason),
        };
        self.answer(server, asker, reply);
    }

    fn schedule_server(&mut self, server: ServerId) {
        let machine = &mut self.machines[server.slot()];
        let Some(process) = &machine.process else { return };
        let deadline = process.raft.deadline().max(self.now);
        if deadline < machine.wake {
            machine.wake = deadline;
            self.queue.push(deadline, Event::Wake { server });
        }
    }

    // ---------------------------------------------------------------- clients and servers

    fn serve(&mut self, server: ServerId, request: ClientRequest) {
        let asker = Asker { client: request.client, attempt: request.attempt };
        let Some(process) = &mut self.machines[server.slot()].process else {
            return self.answer(server, asker, Reply::Unreachable);
        };
        process.requests += 1;
        let id = process.requests;
        let command = match request.call {
            Call::Read(query) => {
                process.reading.push((id, asker, query));
                return self.feed(server, Input::Read { id, mode: raft::ReadMode::Confirmed }, None);
            }
            Call::OpenSession => Command::OpenSession { client: u64::from(request.client.0) },
            // A client has one operation at a time: it awaits no older answer than this one's.
            Call::Write { session, serial, operation } => {
                Command::Apply { session, serial, oldest_awaited: serial, operation }
            }
        };
        let proposal = raft::Proposal { id, command: Arc::from(command.encode()) };
        self.feed(server, Input::Propose(proposal), Some(asker));
    }

    fn answer(&mut self, server: ServerId, asker: Asker, reply: Reply) {
        let answer = Answer { attempt: asker.attempt, reply };
        self.send(Endpoint::Server(server), Endpoint::Client(asker.client), Body::Answer(answer));
    }

    fn client_hears(&mut self, client: ClientId, answer: Answer) {
        let (now, servers) = (self.now, self.scenario.parameters.servers);
        let conclusion = self.clients[client.slot()].take_answer(now, answer, servers);
        if let Some(conclusion) = conclusion {
            self.conclude(client.slot(), conclusion);
        }
        self.client_acts(client.slot());
    }

    /// Lets a client do everything it has to do now.
    fn client_acts(&mut self, slot: usize) {
        loop {
            let parameters = self.scenario.parameters.clients;
            let servers = self.scenario.parameters.servers;
            match self.clients[slot].wish(self.now, servers, &parameters) {
                Wish::Wait => break,
                Wish::Begin => self.client_begins(slot),
                Wish::End(conclusion) => self.conclude(slot, conclusion),
                Wish::Send(server, request) => {
                    let from = Endpoint::Client(request.client);
                    self.fold(4, (request.client, server));
                    self.send(from, Endpoint::Server(server), Body::Request(request));
                }
            }
        }
        self.schedule_client(slot);
    }

    fn client_begins(&mut self, slot: usize) {
        let parameters = self.scenario.parameters.clients;
        let now = self.now;
        let client = &mut self.clients[slot];
        let number = match client.waiting.pop_front() {
            Some(number) => number,
            None => {
                let number = self.operations.len() as u32 + 1;
                let request = client.invent(number, &parameters);
                let id = client.id;
                self.note_operation(id, request);
                number
            }
        };
        let Some(record) = self.operations.get_mut(number as usize - 1) else { return };
        record.began = now;
        let request = record.request.clone();
        self.fold(5, (number, &request));
        self.clients[slot].begin(now, number, request, &parameters);
    }

    fn note_operation(&mut self, client: ClientId, request: Request) -> u32 {
        let number = self.operations.len() as u32 + 1;
        self.tell_with(|| What::Began(client, request.to_string()));
        self.operations.push(OperationRecord { number, client, request, began: self.now, end: None });
        self.operations_revision += 1;
        number
    }

    fn conclude(&mut self, slot: usize, conclusion: Conclusion) {
        let parameters = self.scenario.parameters.clients;
        let end = match conclusion {
            Conclusion::Answered(outcome) => End::Answered(outcome),
            Conclusion::GivenUp { perhaps_done, session_expired } => {
                let trouble = self.trouble(session_expired);
                if perhaps_done { End::Unknown(trouble) } else { End::Failed(trouble) }
            }
        };
        let now = self.now;
        let client = self.clients[slot].id;
        let Some(number) = self.clients[slot].end(now, &parameters) else { return };
        self.operations_revision += 1;
        let Some(record) = self.operations.get_mut(number as usize - 1) else { return };
        record.end = Some((now, end));
        let record = record.clone();
        self.tell_with(|| What::Ended(client, record.request.to_string(), record.answer()));
    }

    fn trouble(&self, session_expired: bool) -> Trouble {
        let reach = self.reach();
        let led = reach.largest.iter().any(|s| self.machines[s.slot()].raft().is_some_and(Raft::is_leader));
        Trouble {
            within: self.scenario.parameters.clients.operation_timeout,
            led,
            up: reach.running.len() as u8,
            voters: reach.voters.len() as u8,
            needed: reach.needed as u8,
            reachable: reach.largest.len() as u8,
            session_expired,
        }
    }

    fn schedule_client(&mut self, slot: usize) {
        let client = &mut self.clients[slot];
        let due = client.due().max(self.now);
        if due < client.wake {
            client.wake = due;
            let client = client.id;
            self.queue.push(due, Event::ClientWake { client });
        } else if due > client.wake {
            // The earlier wake-up finds nothing to do and schedules the next.
        }
    }

    // ---------------------------------------------------------------- actions

    fn perform(&mut self, action: &Action) {
        self.fold(6, action);
        match action {
            Action::Crash(target) => {
                if let Some(server) = self.resolve(*target) {
                    self.crash(server);
                }
            }
            Action::Restart(server) => {
                if !self.machines[server.slot()].is_up() {
                    self.start(*server);
                }
            }
            Action::Cut { from, to } => {
                if self.network.set_cut(*from, *to, true, self.now) {
                    self.tell(What::Cut(*from, *to));
                }
            }
            Action::Heal { from, to } => {
                if self.network.set_cut(*from, *to, false, self.now) {
                    self.tell(What::Healed(*from, *to));
                }
            }
            Action::Partition(groups) => self.partition(groups),
            Action::HealAll => {
                self.partition(&[]);
                self.tell(What::AllHealed);
            }
            Action::SetLoss(ppm) => {
                self.network.set_loss(*ppm);
                self.tell(What::LossSet(*ppm));
            }
            Action::Submit(line) => {
                if let Ok(request) = line.parse::<Request>() {
                    let number = self.note_operation(ClientId::PERSON, request);
                    let slot = ClientId::PERSON.slot();
                    self.clients[slot].waiting.push_back(number);
                    self.client_acts(slot);
                }
            }
        }
    }

    /// The machine an action is about now.
    fn resolve(&self, target: Target) -> Option<ServerId> {
        match target {
            Target::Server(server) => Some(server),
            Target::Leader => self.leader(),
        }
    }

    fn partition(&mut self, groups: &[u8]) {
        let servers = ServerSet::first(self.machines.len() as u8);
        let group = |server: ServerId| groups.get(server.slot());
        for from in servers.iter() {
            for to in servers.iter().filter(|to| *to != from) {
                self.network.set_cut(from, to, group(from) != group(to), self.now);
            }
        }
        if !groups.is_empty() {
            let groups = groups.to_vec();
            self.tell_with(|| What::Partitioned(describe_groups(&groups)));
        }
    }

    fn tell(&mut self, what: What) {
        self.tell_with(|| what);
    }

    fn tell_with(&mut self, what: impl FnOnce() -> What) {
        if self.listening {
            self.news.push(News { at: self.now, what: what() });
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
        &self.scenario
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
        &self.machines
    }

    /// One machine.
    pub fn machine(&self, server: ServerId) -> Option<&Machine> {
        self.machines.get(server.slot())
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The operations of all clients, by number.
    pub fn operations(&self) -> impl DoubleEndedIterator<Item = &OperationRecord> {
        self.operations.iter()
    }

    /// The violation that stopped the run, if one did.
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// Grows whenever a log, a store or a replication mark may have changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Grows whenever a client operation began or ended.
    pub fn operations_revision(&self) -> u64 {
        self.operations_revision
    }

    /// When the next event is due.
    pub fn next_event_at(&self) -> Option<Time> {
        self.queue.next_at()
    }

    /// The leader of the highest term.
    pub fn leader(&self) -> Option<ServerId> {
        let leaders = self.machines.iter().filter_map(Machine::raft).filter(|raft| raft.is_leader());
        leaders.max_by_key(|raft| raft.term()).map(Raft::id)
    }

    /// Who reaches whom, as things are.
    pub fn reach(&self) -> Reach {
        Reach::of(&self.machines, &self.network)
    }

    /// Collects news from now on (or no longer).
    pub fn listen(&mut self, listening: bool) {
        self.listening = listening;
    }

    /// Takes the news collected since the last time.
    pub fn take_news(&mut self) -> Vec<News> {
        core::mem::take(&mut self.news)
    }

    /// Switches the safety checks off, for those who measure what they cost.
    pub fn stop_checking(&mut self) {
        self.checker = None;
    }

    /// Reads a line as the person at the command line would enter it, without entering it.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn check_line(line: &str) -> Result<(), LineError> {
        line.parse::<Request>().map(|_| ())
    }
}

impl OperationRecord {
    /// Its answer or the honest reason why there is none, in words; empty while it is under way.
    pub fn answer(&self) -> String {
        match &self.end {
            None => String::new(),
            Some((_, End::Answered(outcome))) => outcome.to_string(),
            Some((_, End::Failed(trouble))) => trouble.to_string(),
            Some((_, End::Unknown(trouble))) => format!("{trouble}; it may have been done, or may be yet"),
        }
    }
}

fn store_settings(rules: raft::Rules) -> crate::kv::Settings {
    crate::kv::Settings { deduplicate: rules.on(Rule::DeduplicateRetries), ..Default::default() }
}

fn reply_to(applied: Applied) -> Reply {
    match applied {
        Applied::SessionOpened { session, .. } => Reply::SessionOpened(session),
        Applied::Answered { outcome, .. } => Reply::Done(outcome),
        Applied::Refused(_) => Reply::SessionExpired,
    }
}

/// `S1, S2 | S3, S4, S5`.
fn describe_groups(groups: &[u8]) -> String {
    let mut numbers: Vec<u8> = groups.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    let sides = numbers.iter().map(|number| {
        let members = groups.iter().enumerate().filter(|(_, group)| *group == number);
        let members: ServerSet = members.filter_map(|(slot, _)| ServerId::new(slot as u8 + 1)).collect();
        members.to_string()
    });
    sides.collect::<Vec<_>>().join(" | ")
}
