//! Converts a path through the small world into a scenario that the simulator, and so the page, can
//! play.
//!
//! The simulator follows the path step by step, using only actions that a person could take:
//! deliver this message, set that clock forward, cut the power. Timeouts, latencies and disks are
//! so slow that nothing happens by itself in between. What depends on chance (which server a client
//! asks first, how much of a write survives) is found by trying seeds.

use std::fmt;
use std::sync::Arc;

use raft_core::format::Run;
use raft_core::raft::{
    Entry, EntryId, Envelope, HardState, Image, Message, Payload, Piece, Raft, ReadIndex, ReadIndexResponse, ServerId,
    ServerSet,
};
use raft_core::sim::{
    Action as WorldAction, Body, Endpoint, Flight as SimFlight, Machine, Reply, Scenario, ScenarioError, Simulation,
    Target,
};
use raft_core::time::{Duration, Time};
use raft_core::trial::{self, Finding};

use crate::model::Model;
use crate::node::Flight;
use crate::panics;
use crate::state::{Action, State, Trouble};
use crate::world::{Clocks, World};

/// How many seeds are tried.
const SEEDS: u64 = 3_000;

/// The time between two steps.
const GAP: Duration = Duration::from_millis(2);

/// After how long the client retries, if it does.
const RETRIES_AFTER: Duration = Duration::from_millis(20);

/// A little more than the interval at which the simulator's operator looks.
const OPERATOR: Duration = Duration::from_millis(41);

/// Why the simulator can't follow a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Astray {
    /// The scenario is invalid.
    Scenario(ScenarioError),
    /// An assertion fails.
    Panic(String),
    /// The simulator does something else than the small world.
    At {
        /// Which step, from 1.
        step: usize,
        /// What should have happened.
        action: String,
        /// Why it can't.
        why: String,
    },
    /// It followed the whole path, and found nothing wrong, or another violation.
    Verdict {
        /// What it should have found.
        expected: String,
        /// What it found.
        found: Option<String>,
    },
}

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Astray::Scenario(error) => error.fmt(f),
            Astray::Panic(why) => write!(f, "an assertion fails: {why}"),
            Astray::At { step, action, why } => write!(f, "step {step} (“{action}”) can’t be played: {why}"),
            Astray::Verdict { expected, found: None } => {
                write!(f, "it plays, but this violation isn’t found: {expected}")
            }
            Astray::Verdict { expected, found: Some(found) } => {
                write!(f, "it plays, but {found}, instead of: {expected}")
            }
        }
    }
}

/// The run of the simulator in which the same happens, with the same violation.
///
/// # Errors
/// Why the seed that came furthest failed.
pub fn play(world: &World, actions: &[Action], trouble: &Trouble) -> Result<Run, Astray> {
    let states = states(world, actions);
    let mut furthest = None;
    for seed in 0..SEEDS {
        let played = panics::catch(|| try_seed(world, &states, actions, seed, trouble));
        let error = match played.unwrap_or_else(|panic| Err(Astray::Panic(panic))) {
            Ok(run) => return Ok(run),
            Err(error) => error,
        };
        let reached = |error: &Astray| if let Astray::At { step, .. } = error { *step } else { usize::MAX };
        if furthest.as_ref().is_none_or(|before| reached(&error) > reached(before)) {
            furthest = Some(error);
        }
    }
    Err(furthest.expect("at least one seed was tried"))
}

fn try_seed(world: &World, states: &[State], actions: &[Action], seed: u64, trouble: &Trouble) -> Result<Run, Astray> {
    let run = lead(world, states, actions, seed, None)?;
    // Play it again with latencies so long that messages don't arrive by themselves, but are seen
    // to move.
    let latency = run.until.since(Time::ZERO).times(3);
    judge(lead(world, states, actions, seed, Some(latency))?, trouble)
}

fn judge(run: Run, trouble: &Trouble) -> Result<Run, Astray> {
    let played = trial::play(&run).map_err(Astray::Scenario)?;
    match played.finding {
        Some(finding) if finding.name() == trouble.name() => Ok(run),
        found => Err(Astray::Verdict { expected: trouble.to_string(), found: found.as_ref().map(Finding::to_string) }),
    }
}

/// The states on the path, the first one included.
fn states(world: &World, actions: &[Action]) -> Vec<State> {
    use stateright::Model as _;
    let model = Model::new(world.clone());
    let mut states = model.init_states();
    for action in actions {
        let next = model.next_state(&states[states.len() - 1], action.clone());
        states.push(next.expect("what happened once happens again"));
    }
    states
}

/// Makes the simulator follow the path.
fn lead(
    world: &World,
    states: &[State],
    actions: &[Action],
    seed: u64,
    latency: Option<Duration>,
) -> Result<Run, Astray> {
    let mut parameters = world.parameters();
    if let Some(latency) = latency {
        (parameters.network.latency_min, parameters.network.latency_max) = (latency, latency);
    }
    if world.clocks == Clocks::Together {
        // Which timer fires first depends on the seed.
        parameters.timing.election_timeout_max = parameters.timing.election_timeout_min + Duration::from_millis(100);
    }
    let clients = &mut parameters.clients;
    if world.retries {
        clients.attempt_timeout = RETRIES_AFTER;
    } else if actions.iter().any(|action| matches!(action, Action::Propose(_))) {
        // The client doesn't wait for answers: each command is a new operation.
        let timeout = Duration::from_micros(500);
        (clients.attempt_timeout, clients.operation_timeout) = (timeout, timeout);
    }
    let scenario = Scenario { seed, parameters, actions: Vec::new() };
    let simulation = Simulation::new(scenario).map_err(Astray::Scenario)?;
    let mut guide = Guide { simulation, world, passed: false, changes: 0, tries: 0 };
    guide.begin().map_err(Astray::Scenario)?;
    for (place, action) in actions.iter().enumerate() {
        let astray = |why: String| Astray::At { step: place + 1, action: action.to_string(), why };
        guide.take(action).map_err(astray)?;
        // The last step has the violation: the simulator's checker stops there, so the state can
        // differ.
        if place + 1 < actions.len() {
            guide.compare(&states[place + 1]).map_err(astray)?;
        }
    }
    // The result of a read is judged when the client gets the answer.
    let _ = guide.deliver_answer(|reply| matches!(reply, Reply::Done(_)));
    let until = guide.simulation.now() + GAP;
    Ok(Run { scenario: guide.simulation.scenario().clone(), until, hash: None })
}

/// The simulator on the path.
struct Guide<'a> {
    simulation: Simulation,
    world: &'a World,
    /// Whether time must pass before the next action.
    passed: bool,
    /// How many membership changes have been asked for.
    changes: usize,
    /// How often the client has tried, if it retries.
    tries: usize,
}

type Done<T = ()> = Result<T, String>;

impl Guide<'_> {
    fn begin(&mut self) -> Result<(), ScenarioError> {
        for server in self.world.ids().iter().filter(|_| self.world.slow_disks) {
            self.simulation.act(WorldAction::StallDisk { server, stalled: true })?;
        }
        Ok(())
    }

    /// Does an action, and lets everything happen that follows at once.
    fn act(&mut self, action: WorldAction) -> Done {
        self.simulation.act(action).map_err(|error| error.to_string())?;
        self.simulation.run_until(self.simulation.now());
        Ok(())
    }

    fn wait(&mut self, time: Duration) {
        self.simulation.run_until(self.simulation.now() + time);
    }

    fn machine(&self, server: ServerId) -> Done<&Machine> {
        self.simulation.machine(server).ok_or_else(|| format!("there is no {server}"))
    }

    fn raft(&self, server: ServerId) -> Done<&Raft> {
        self.machine(server)?.raft().ok_or_else(|| format!("{server} is down"))
    }

    fn take(&mut self, action: &Action) -> Done {
        if self.simulation.violation().is_some() {
            return Err("something is wrong already".to_owned());
        }
        if std::mem::take(&mut self.passed) && !matches!(action, Action::Timer(_)) {
            let deadlines = self.simulation.machines().iter().filter_map(|machine| Some(machine.raft()?.deadline()));
            let due = deadlines.min().ok_or("no server runs")?;
            self.simulation.run_until(Time::ZERO + due.since(Time::ZERO + GAP.times(10)));
        } else if !matches!(action, Action::Pass) {
            self.wait(GAP);
        }
        match action {
            Action::Pass => {
                self.passed = true;
                Ok(())
            }
            Action::Timer(server) => self.fire_timer(*server),
            Action::Campaign(server) => self.act(WorldAction::Campaign(*server)),
            Action::Sync(server) => {
                // Only one sync.
                self.act(WorldAction::StallDisk { server: *server, stalled: false })?;
                self.wait(Duration::from_micros(2));
                self.act(WorldAction::StallDisk { server: *server, stalled: true })
            }
            Action::Crash(server, _) => self.act(WorldAction::Crash(Target::Server(*server))),
            Action::Restart(server) => self.act(WorldAction::Restart(*server)),
            Action::Wipe(server) => self.act(WorldAction::Wipe(Target::Server(*server))),
            Action::Deliver(flight) => {
                let number = self.find(flight)?;
                self.act(WorldAction::DeliverMessage(number))
            }
            Action::Duplicate(flight) => {
                let number = self.find(flight)?;
                self.act(WorldAction::DuplicateMessage(number))?;
                self.act(WorldAction::DeliverMessage(number))
            }
            Action::Propose(server) if self.world.retries => self.try_again(*server),
            Action::Propose(server) => self.ask(*server, "put x 1"),
            Action::Read(server) => self.ask(*server, "get x"),
            Action::Change(server) => self.change(*server),
            Action::Transfer(server, to) => {
                self.leads(*server)?;
                self.act(WorldAction::TransferLeadership(*to))
            }
        }
    }

    fn fire_timer(&mut self, server: ServerId) -> Done {
        let now = self.simulation.now();
        let deadline = self.raft(server)?.deadline();
        match self.world.clocks {
            Clocks::Apart => {
                let shown = self.machine(server)?.clock_reading(now);
                let micros = i64::try_from(deadline.since(shown).as_micros()).map_err(|error| error.to_string())?;
                self.act(WorldAction::JumpClock { server, by: micros })
            }
            // It fires by itself.
            Clocks::Together => {
                self.simulation.run_until(deadline);
                Ok(())
            }
        }
    }

    /// The number of the same message in the simulator.
    fn find(&self, wanted: &Flight) -> Done<u64> {
        let ends = (Endpoint::Server(wanted.from), Endpoint::Server(wanted.to));
        let same = |flight: &&SimFlight| {
            (flight.from, flight.to) == ends
                && matches!(&flight.body, Body::Raft(message) if essence(message) == essence(&wanted.message))
        };
        let numbers = self.simulation.network().flights().filter(same).map(|flight| flight.number);
        numbers.min().ok_or_else(|| {
            let there = self.simulation.network().flights().filter(|flight| (flight.from, flight.to) == ends);
            let there: Vec<String> = there.map(|flight| format!("{:?}", flight.body)).collect();
            format!("there is no such message; there are {there:?}, and none is {:?}", wanted.message)
        })
    }

    /// The person enters a command, and it must go to this server.
    fn ask(&mut self, server: ServerId, line: &str) -> Done {
        self.act(WorldAction::Submit(line.into()))?;
        self.deliver_request(server)
    }

    fn deliver_request(&mut self, server: ServerId) -> Done {
        let to_it =
            |flight: &&SimFlight| flight.to == Endpoint::Server(server) && matches!(flight.body, Body::Request(_));
        let number = self.simulation.network().flights().filter(to_it).map(|flight| flight.number).max();
        self.act(WorldAction::DeliverMessage(number.ok_or_else(|| format!("the client doesn’t ask {server}"))?))
    }

    /// The person enters one command: the client opens a session, writes in it, gets no answer, and
    /// retries.
    fn try_again(&mut self, server: ServerId) -> Done {
        self.tries += 1;
        match self.tries {
            1 => return self.ask(server, "put x 1"),
            2 => self.deliver_answer(|reply| matches!(reply, Reply::SessionOpened(_)))?,
            _ => self.wait(RETRIES_AFTER),
        }
        self.deliver_request(server)
    }

    fn deliver_answer(&mut self, wanted: impl Fn(&Reply) -> bool) -> Done {
        let answers = self.simulation.network().flights().filter_map(|flight| match &flight.body {
            Body::Answer(answer) if wanted(&answer.reply) => Some(flight.number),
            _ => None,
        });
        let number = answers.max().ok_or("the client has no answer")?;
        self.wait(GAP);
        self.act(WorldAction::DeliverMessage(number))
    }

    fn leads(&self, server: ServerId) -> Done {
        if self.simulation.leader() == Some(server) {
            Ok(())
        } else {
            Err(format!("the operator doesn’t see {server} lead"))
        }
    }

    /// The operator is told to remove voters.
    fn change(&mut self, server: ServerId) -> Done {
        self.leads(server)?;
        let wanted = self.world.bounds.changes[self.changes].voters;
        let before = match self.changes.checked_sub(1) {
            Some(last) => self.world.bounds.changes[last].voters,
            None => self.world.ids(),
        };
        self.changes += 1;
        let leaving: ServerSet = before.difference(wanted);
        if !wanted.is_subset_of(before) || leaving.is_empty() {
            return Err("the operator can’t be told to do this".to_owned());
        }
        for server in leaving.iter() {
            self.act(WorldAction::RemoveServer(server))?;
        }
        // A second order is given at once; the first one when the operator looks next.
        if self.changes == 1 {
            self.wait(OPERATOR);
        }
        Ok(())
    }

    /// Whether the simulator's servers are in the same state as the small world's.
    fn compare(&self, state: &State) -> Done {
        for (slot, node) in state.nodes.iter().enumerate() {
            let machine = &self.simulation.machines()[slot];
            let image = machine.disk().image();
            let there = (image.hard_state(), image.log().last());
            if on_disk(node.disk.image()) != there {
                return Err(format!(
                    "{}’s disk holds {there:?} and not {:?}",
                    machine.id(),
                    on_disk(node.disk.image())
                ));
            }
            let (here, there) = (node.raft.as_ref().map(summary), machine.raft().map(summary));
            if here != there {
                return Err(format!("{} is {there:?} and not {here:?}", machine.id()));
            }
        }
        Ok(())
    }
}

fn on_disk(image: &Image) -> (HardState, EntryId) {
    (image.hard_state(), image.log().last())
}

/// A summary of a server's state.
fn summary(raft: &Raft) -> String {
    let held: Vec<Message> = raft.held_messages().map(|Envelope { message, .. }| essence(message)).collect();
    format!(
        "{} in {:?}, log up to {}, commit {}, applied {}, members {:?}, holding back {held:?}",
        raft.role().name(),
        raft.hard_state(),
        raft.log().last(),
        raft.commit_index(),
        raft.applied_index(),
        raft.configuration(),
    )
}

/// A message without the fields that depend on randomness, time, or the client.
fn essence(message: &Message) -> Message {
    let mut message = message.clone();
    match &mut message {
        Message::AppendEntriesResponse(m) => m.clock = Time::ZERO,
        Message::ReadIndex(ReadIndex { request, .. })
        | Message::ReadIndexResponse(ReadIndexResponse { request, .. }) => {
            *request = 0;
        }
        Message::AppendEntries(m) => {
            let blank = |mut entry: Entry| {
                if let Payload::Command(command) = &mut entry.payload {
                    *command = [].as_slice().into();
                }
                entry
            };
            m.entries = m.entries.as_slice().iter().cloned().map(blank).collect();
        }
        Message::InstallSnapshot(m) => {
            (m.size, m.checksum) = (0, 0);
            m.piece = Piece::of(&Arc::from([]), 0, 0);
        }
        _ => {}
    }
    message
}
