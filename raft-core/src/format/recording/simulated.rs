//! Records a simulated run.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::table::{Duplicated, Header, Lost, Note, Requested, What};
use super::values::{Epoch, LossReason, Unit};
use super::watcher::Watcher;
use super::{MINOR_VERSION, Recorded};
use crate::format::{Found, history};
use crate::raft::{Message, Sentence, ServerId, ServerSet, Weight};
use crate::sim::{self, Body, Endpoint, Flight, MessageEvent, News, OperationRecord, Simulation};
use crate::time::Time;

/// Records a run, from what the world tells a listener to messages
/// ([`Listening::Messages`](crate::sim::Listening)) and from a look at its servers after each
/// event.
///
/// ```
/// use raft_core::format::recording::{BYTES_ALL, Recorder, Recording};
/// use raft_core::sim::{Listening, Scenario, Simulation};
/// use raft_core::time::Time;
///
/// let mut world = Simulation::new(Scenario::new(7, 3))?;
/// world.listen(Listening::Messages);
/// let (mut recorder, header) = Recorder::begin(&world, "an example");
/// while world.step_until(Time::from_secs(2)) {
///     let news = world.take_news();
///     recorder.hear(&world, &news);
/// }
/// let recording = Recording { header, events: recorder.take() };
/// assert_eq!(Recording::read(&recording.write(BYTES_ALL)), Ok(recording));
/// # Ok::<(), raft_core::sim::ScenarioError>(())
/// ```
///
/// # What is recorded how
/// * `time` is the world's clock, whatever the servers' clocks say.
/// * Messages between clients and servers are left out: a request is of the whole operation.
/// * A message is received when it arrives, even if its receiver is paused.
/// * What is done to the world, and what a server notices, is a note.
/// * A client at the command line that enters several commands at once begins one when the one
///   before has ended, and the recording says so.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// By the servers' slots.
    watchers: Vec<Option<Watcher>>,
    under_way: BTreeMap<u64, Way>,
    /// What clients have begun: the first is under way, and the others wait.
    asked: BTreeMap<u8, VecDeque<history::Line>>,
    recorded: Vec<Recorded>,
}

/// A message on its way, or lost on it.
#[derive(Clone, Debug)]
struct Way {
    /// The life of its sender, if it is known.
    from_life: Option<u64>,
    flight: Arc<Flight>,
}

impl Recorder {
    /// Begins with the world as it is. `by` is the program that records.
    pub fn begin(world: &Simulation, by: &str) -> (Recorder, Header) {
        let mut recorder = Recorder::default();
        let mut servers = ServerSet::EMPTY;
        for machine in world.machines() {
            servers.insert(machine.id());
            if machine.is_up() {
                recorder.start(world.now(), machine.id(), u64::from(machine.incarnation()));
            }
        }
        recorder.look(world);
        let header = Header {
            minor: Some(MINOR_VERSION),
            by: Some(by.to_string()),
            cluster: None,
            servers: Some(servers),
            unit: Some(Unit::Microsecond),
            epoch: Some(Epoch::Run),
        };
        (recorder, header)
    }

    /// Hears what is told of one event, and looks at the servers after it. Call it after each
    /// event, with all the news of that event.
    pub fn hear(&mut self, world: &Simulation, news: &[News]) {
        // The copies that the network makes of a message leave before it.
        let mut copies: BTreeMap<u64, Vec<&News>> = BTreeMap::new();
        for news in news {
            if let sim::What::Message(MessageEvent::Duplicated { copy, .. }) = news.what {
                copies.insert(copy, Vec::new());
            }
        }
        for news in news {
            match &news.what {
                sim::What::Message(MessageEvent::Duplicated { message, copy, by_hand }) => {
                    self.duplicate(news.at, *message, *copy, *by_hand);
                    for of_copy in copies.remove(copy).unwrap_or_default() {
                        self.hear_one(world, of_copy);
                    }
                }
                sim::What::Message(event) if copies.contains_key(&event.message()) => match event {
                    MessageEvent::Sent(flight) => self.note_sent(flight),
                    _ => copies.entry(event.message()).or_default().push(news),
                },
                _ => self.hear_one(world, news),
            }
        }
        self.look(world);
    }

    /// What was found wrong with the run is the last line: a note of the kind `found`.
    pub fn conclude(&mut self, found: &Found, text: &str) {
        let sentence = Sentence { text: text.to_string(), weight: Weight::Turning, section: "" };
        self.push(found.at, None, What::Note(Box::new(Note::of("found", sentence))));
    }

    /// The lines so far. They are forgotten.
    pub fn take(&mut self) -> Vec<Recorded> {
        core::mem::take(&mut self.recorded)
    }

    fn hear_one(&mut self, world: &Simulation, news: &News) {
        let at = news.at;
        match &news.what {
            sim::What::Started(server, life) => self.start(at, *server, u64::from(*life)),
            sim::What::Crashed(server, _) => {
                if let Some(watcher) = self.watchers.get_mut(server.slot()).and_then(Option::take) {
                    self.recorded.push(watcher.crashed(at));
                }
            }
            sim::What::Observed(server, observation) => {
                if let Some(watcher) = watcher_of(&mut self.watchers, *server) {
                    self.recorded.push(watcher.observed(at, observation));
                }
            }
            sim::What::Began(operation) => self.begin_request(at, operation),
            sim::What::Ended(operation) => self.end_request(at, operation),
            sim::What::Message(MessageEvent::Sent(flight)) => self.send(world, at, flight),
            sim::What::Message(MessageEvent::Arrived(number)) => self.receive(at, *number),
            sim::What::Message(MessageEvent::Lost(number, loss)) => self.lose(at, *number, *loss),
            _ => {
                let note = Note::of(news.kind(), news.sentence());
                self.push(at, news.server(), What::Note(Box::new(note)));
            }
        }
    }

    fn start(&mut self, at: Time, server: ServerId, life: u64) {
        if self.watchers.len() <= server.slot() {
            self.watchers.resize(server.slot() + 1, None);
        }
        let mut watcher = Watcher::new(server, life);
        self.recorded.push(watcher.started(at));
        self.watchers[server.slot()] = Some(watcher);
    }

    /// Looks at all servers.
    fn look(&mut self, world: &Simulation) {
        for machine in world.machines() {
            self.look_at(world, machine.id());
        }
    }

    fn look_at(&mut self, world: &Simulation, server: ServerId) {
        let raft = world.machine(server).and_then(sim::Machine::raft);
        if let (Some(raft), Some(watcher)) = (raft, watcher_of(&mut self.watchers, server)) {
            self.recorded.extend(watcher.stepped(world.now(), raft));
        }
    }

    fn note_sent(&mut self, flight: &Arc<Flight>) {
        let Some((from, ..)) = between_servers(flight) else { return };
        let from_life = watcher_of(&mut self.watchers, from).map(|watcher| watcher.life());
        self.under_way.insert(flight.number, Way { from_life, flight: Arc::clone(flight) });
    }

    fn send(&mut self, world: &Simulation, at: Time, flight: &Arc<Flight>) {
        let Some((from, to, message)) = between_servers(flight) else { return };
        // What it says comes of the state it has now.
        self.look_at(world, from);
        self.note_sent(flight);
        if let Some(watcher) = watcher_of(&mut self.watchers, from) {
            self.recorded.push(watcher.sent(at, to, flight.number, message));
        }
    }

    fn duplicate(&mut self, at: Time, number: u64, copy: u64, by_hand: bool) {
        let original = self.under_way.get(&number).map(|original| original.from_life);
        let Some(way) = self.under_way.get_mut(&copy) else { return };
        way.from_life = match original {
            Some(from_life) => from_life,
            // It was lost at once, and the copy isn't.
            None if !by_hand => way.from_life,
            // It may be of an earlier life than its sender's present one.
            None => None,
        };
        let from_life = way.from_life;
        let Some((from, to, _)) = between_servers(&way.flight) else { return };
        self.push(at, None, What::Duplicated(Duplicated { from, from_life, number, copy, to: Some(to) }));
    }

    fn receive(&mut self, at: Time, number: u64) {
        let Some(Way { from_life, flight }) = self.under_way.remove(&number) else { return };
        let Some((from, to, message)) = between_servers(&flight) else { return };
        if let Some(watcher) = watcher_of(&mut self.watchers, to) {
            self.recorded.push(watcher.received(at, from, from_life, number, message));
        }
    }

    fn lose(&mut self, at: Time, number: u64, loss: sim::Loss) {
        let Some(Way { from_life, flight }) = self.under_way.remove(&number) else { return };
        let Some((from, to, _)) = between_servers(&flight) else { return };
        let lost = Lost {
            from,
            from_life,
            number: Some(number),
            to: Some(to),
            why: Some(LossReason::from(loss.why)),
            at: (loss.at != at).then_some(loss.at),
        };
        self.push(at, None, What::Lost(lost));
    }

    fn begin_request(&mut self, at: Time, operation: &OperationRecord) {
        let line = history::Line::of_record(operation).at(None);
        let asked = self.asked.entry(operation.client.0).or_default();
        asked.push_back(line.clone());
        if asked.len() == 1 {
            self.push(at, None, What::Requested(Box::new(Requested::of_line(line))));
        }
    }

    fn end_request(&mut self, at: Time, operation: &OperationRecord) {
        let mut lines = Vec::from([history::Line::of_record(operation).at(None)]);
        if let Some(asked) = self.asked.get_mut(&operation.client.0) {
            asked.pop_front();
            lines.extend(asked.front().cloned());
        }
        for line in lines {
            self.push(at, None, What::Requested(Box::new(Requested::of_line(line))));
        }
    }

    /// A line that no server itself has observed.
    fn push(&mut self, time: Time, server: Option<ServerId>, what: What) {
        self.recorded.push(Recorded { time, server, life: None, sequence: None, what });
    }
}

fn watcher_of(watchers: &mut [Option<Watcher>], server: ServerId) -> Option<&mut Watcher> {
    watchers.get_mut(server.slot())?.as_mut()
}

/// The sender, the receiver and the message, if it is one between servers.
fn between_servers(flight: &Flight) -> Option<(ServerId, ServerId, &Message)> {
    match (flight.from, flight.to, &flight.body) {
        (Endpoint::Server(from), Endpoint::Server(to), Body::Raft(message)) => Some((from, to, message)),
        _ => None,
    }
}
