//! The messages between servers, with vector clocks: a log for the
//! [ShiViz](https://bestchai.bitbucket.io/shiviz/) visualiser, which draws space-time diagrams.
//!
//! Each event has two lines, which ShiViz reads with the expression [`EXPRESSION`]:
//!
//! ```text
//! S1 {"S1":4,"S2":2}
//! 1.253 s: sends RequestVote of term 3 to S2
//! ```
//!
//! [`Recorder`] reads what a [`Simulation`](crate::sim::Simulation) tells a listener to messages
//! ([`Listening::Messages`](crate::sim::Listening)), and writes down what servers send and receive,
//! and the turning points of the run. A server's clock goes up with each of its events. A message
//! carries its sender's clock as it was when it was sent.
//!
//! # Caveats
//! Messages between clients and servers are left out. A message that reaches a paused server is
//! received when it arrives, not when the server runs again and handles it. A copy of a message
//! counts as a new message. Because of all three, the log may show more knowledge than there really
//! was, but never less.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use crate::raft::{Message, ServerId, Weight};
use crate::sim::{Body, Endpoint, Flight, MACHINES_MAX, MessageEvent, News, What};
use crate::time::Time;

/// The text to enter as ShiViz's parsing expression.
pub const EXPRESSION: &str = r"(?<host>\S+) (?<clock>\{.*\})\n(?<event>.*)";

type Clock = [u64; MACHINES_MAX as usize];

/// A message on its way, as far as the log is concerned.
#[derive(Clone, Debug)]
struct Way {
    from: ServerId,
    to: ServerId,
    clock: Clock,
    what: String,
}

/// Writes the log of a run from what is told of it.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    clocks: [Clock; MACHINES_MAX as usize],
    under_way: BTreeMap<u64, Way>,
    text: String,
}

impl Recorder {
    /// A recorder that has heard nothing.
    pub fn new() -> Recorder {
        Recorder::default()
    }

    /// Writes down one thing that happened. Everything that a world tells must come here, in its
    /// order.
    pub fn hear(&mut self, news: &News) {
        match &news.what {
            What::Message(MessageEvent::Sent(flight)) => self.send(news.at, flight),
            What::Message(MessageEvent::Arrived(message)) => {
                if let Some(way) = self.under_way.remove(message) {
                    self.receive(news.at, way);
                }
            }
            What::Message(MessageEvent::Lost(message, _)) => {
                self.under_way.remove(message);
            }
            _ => self.note(news),
        }
    }

    /// Takes what has been added to the log since the last time.
    pub fn take_text(&mut self) -> String {
        core::mem::take(&mut self.text)
    }

    /// Something other than a message happened to a server.
    fn note(&mut self, news: &News) {
        if let Some(server) = news.server()
            && news.weight() == Weight::Turning
        {
            self.clocks[server.slot()][server.slot()] += 1;
            self.write(server, news.at, &news.sentence().text);
        }
    }

    fn send(&mut self, at: Time, flight: &Flight) {
        let (Endpoint::Server(from), Endpoint::Server(to), Body::Raft(message)) =
            (flight.from, flight.to, &flight.body)
        else {
            return;
        };
        let what = describe(message);
        self.clocks[from.slot()][from.slot()] += 1;
        let lost = if flight.lost.is_some() { "; it will be lost" } else { "" };
        self.write(from, at, &format!("sends {what} to {to}{lost}"));
        self.under_way.insert(flight.number, Way { from, to, clock: self.clocks[from.slot()], what });
    }

    fn receive(&mut self, at: Time, way: Way) {
        let mine = &mut self.clocks[way.to.slot()];
        for (mine, theirs) in mine.iter_mut().zip(way.clock) {
            *mine = (*mine).max(theirs);
        }
        mine[way.to.slot()] += 1;
        self.write(way.to, at, &format!("receives {} from {}", way.what, way.from));
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
