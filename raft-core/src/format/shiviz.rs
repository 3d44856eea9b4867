//! Who sent what to whom, with vector clocks: a log for the
//! [ShiViz](https://bestchai.bitbucket.io/shiviz/) visualiser, which draws space-time diagrams.
//!
//! Two lines an event, which ShiViz reads with the expression [`EXPRESSION`]:
//!
//! ```text
//! S1 {"S1":4,"S2":2}
//! 1.253 s: sends RequestVote of term 3 to S2
//! ```
//!
//! [`Recorder`] watches a [`Simulation`] event by event and writes down what servers send and
//! receive, and what turns the run. A server's clock goes up with each of its events; a message
//! carries its sender's clock as it was when it was sent.
//!
//! # Caveats
//! Messages between clients and servers are left out. A message that reaches a paused server is
//! received when it arrives, not when the server goes on and looks at it. One that a person
//! duplicates counts as sent anew. All three say at most that more was known than really was, never
//! less.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use crate::raft::{Message, ServerId, Weight};
use crate::sim::{Body, Endpoint, MACHINES_MAX, Simulation};
use crate::time::Time;

/// What to enter as ShiViz's parsing expression.
pub const EXPRESSION: &str = r"(?<host>\S+) (?<clock>\{.*\})\n(?<event>.*)";

type Clock = [u64; MACHINES_MAX as usize];

/// A message on its way, as far as the log is concerned.
#[derive(Clone, Debug)]
struct Way {
    from: ServerId,
    to: ServerId,
    clock: Clock,
    what: String,
    /// Whether it is known to be lost on the way.
    lost: bool,
}

/// Writes the log of a run that it watches.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    clocks: [Clock; MACHINES_MAX as usize],
    under_way: BTreeMap<u64, Way>,
    text: String,
}

impl Recorder {
    /// A recorder that has seen nothing.
    pub fn new() -> Recorder {
        Recorder::default()
    }

    /// Plays `world` up to `time`, event by event, and takes down what happens. The world must be
    /// listening ([`Simulation::listen`]) for more than messages to be taken down; its news are
    /// handed to `hear`.
    pub fn run_until(&mut self, world: &mut Simulation, time: Time, mut hear: impl FnMut(crate::sim::News)) {
        self.watch(world, &[]);
        while world.step_until(time) {
            let news = world.take_news();
            self.watch(world, &news);
            news.into_iter().for_each(&mut hear);
        }
        world.run_until(time);
    }

    /// Takes down what happened with the last event, for those who play the world themselves: call
    /// it before the first and after each, with the news of it.
    pub fn watch(&mut self, world: &Simulation, news: &[crate::sim::News]) {
        news.iter().for_each(|news| self.note_news(news));
        self.look(world);
    }

    /// Takes what has been added to the log since the last time.
    pub fn take_text(&mut self) -> String {
        core::mem::take(&mut self.text)
    }

    fn note_news(&mut self, news: &crate::sim::News) {
        let sentence = news.sentence();
        if let Some(server) = news.server()
            && sentence.weight == Weight::Turning
        {
            self.clocks[server.slot()][server.slot()] += 1;
            self.write(server, news.at, &sentence.text);
        }
    }

    /// Compares the messages on their way with those of the last time: who is gone has arrived, who
    /// is new was sent.
    fn look(&mut self, world: &Simulation) {
        let mut gone = core::mem::take(&mut self.under_way);
        let mut still = BTreeMap::new();
        let mut sent = Vec::new();
        for flight in world.network().flights() {
            let (Endpoint::Server(from), Endpoint::Server(to), Body::Raft(message)) =
                (flight.from, flight.to, &flight.body)
            else {
                continue;
            };
            match gone.remove(&flight.number) {
                Some(way) => drop(still.insert(flight.number, Way { lost: flight.lost.is_some(), ..way })),
                None => sent.push((flight.number, from, to, message, flight.lost.is_some())),
            }
        }
        self.under_way = still;
        for way in gone.into_values() {
            self.arrive(world, way);
        }
        sent.sort_by_key(|(number, ..)| *number);
        for (number, from, to, message, lost) in sent {
            let what = describe(message);
            self.clocks[from.slot()][from.slot()] += 1;
            let mut line = String::new();
            let _ = write!(line, "sends {what} to {to}{}", if lost { "; it will be lost" } else { "" });
            self.write(from, world.now(), &line);
            self.under_way.insert(number, Way { from, to, clock: self.clocks[from.slot()], what, lost });
        }
    }

    fn arrive(&mut self, world: &Simulation, way: Way) {
        let cut = world.network().is_cut(Endpoint::Server(way.from), Endpoint::Server(way.to));
        let up = world.machine(way.to).is_some_and(crate::sim::Machine::is_up);
        if way.lost || cut || !up {
            return;
        }
        let mine = &mut self.clocks[way.to.slot()];
        for (mine, theirs) in mine.iter_mut().zip(way.clock) {
            *mine = (*mine).max(theirs);
        }
        mine[way.to.slot()] += 1;
        let mut line = String::new();
        let _ = write!(line, "receives {} from {}", way.what, way.from);
        self.write(way.to, world.now(), &line);
    }

    fn write(&mut self, host: ServerId, at: Time, what: &str) {
        // Writing to a String can't fail.
        let _ = write!(self.text, "{host} {{");
        let clock = self.clocks[host.slot()];
        let known = (1..).zip(clock).filter(|(_, count)| *count > 0);
        for (place, (number, count)) in known.enumerate() {
            let comma = if place > 0 { "," } else { "" };
            let _ = write!(self.text, "{comma}\"S{number}\":{count}");
        }
        let _ = writeln!(self.text, "}}\n{at}: {what}");
    }
}

/// `AppendEntries of term 3`.
fn describe(message: &Message) -> String {
    format!("{} of term {}", message.name(), message.term())
}
