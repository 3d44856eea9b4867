//! The simulated network: what it does to messages, and which of them are on their way.
//!
//! Faults, and why Raft survives them:
//! * **loss** and **cut links** (each direction on its own): every message is repeated until it is answered or has become pointless;
//! * **delay** and **reordering**: terms, rounds and probe numbers tell what an answer answers;
//! * **duplication**: every message may be handled twice without harm, and retried commands carry a serial number.

use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::client::{Answer, ClientId, ClientRequest};
use super::parameters::{CERTAIN, NetworkParameters, Ppm, SERVERS_MAX};
use crate::raft::{Message, ServerId};
use crate::time::{Duration, Time};

/// Who sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A server.
    Server(ServerId),
    /// A client.
    Client(ClientId),
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Between servers.
    Raft(Message),
    /// From a client to a server.
    Request(ClientRequest),
    /// From a server to a client.
    Answer(Answer),
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Numbers all messages of the run.
    pub number: u64,
    /// The sender.
    pub from: Endpoint,
    /// The receiver.
    pub to: Endpoint,
    /// When it left.
    pub sent: Time,
    /// When it arrives, or would have arrived.
    pub arrives: Time,
    /// Where it is lost on the way, if it is.
    pub lost: Option<Time>,
    /// What it says.
    pub body: Body,
}

/// The network.
#[derive(Clone, Debug)]
pub struct Network {
    parameters: NetworkParameters,
    random: Xoshiro256PlusPlus,
    /// `cuts[from]` has bit `to` set where that direction is cut.
    cuts: [u16; SERVERS_MAX as usize],
    /// Places are reused; an event names its message's place.
    flights: Vec<Option<Flight>>,
    free: Vec<u32>,
    sent: u64,
}

impl Network {
    pub(super) fn new(parameters: NetworkParameters, seed: u64) -> Network {
        Network {
            parameters,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            cuts: [0; SERVERS_MAX as usize],
            flights: Vec::new(),
            free: Vec::new(),
            sent: 0,
        }
    }

    /// Puts a message on its way, perhaps twice, perhaps to be lost. Tells `schedule` where and when it arrives.
    pub(super) fn send(
        &mut self,
        now: Time,
        from: Endpoint,
        to: Endpoint,
        body: Body,
        mut schedule: impl FnMut(u32, Time),
    ) {
        // Clients speak over connections, which lose messages but don't repeat them.
        if matches!(body, Body::Raft(_)) && self.chance(self.parameters.duplication) {
            self.send_once(now, from, to, body.clone(), &mut schedule);
        }
        self.send_once(now, from, to, body, &mut schedule);
    }

    fn send_once(&mut self, now: Time, from: Endpoint, to: Endpoint, body: Body, schedule: &mut impl FnMut(u32, Time)) {
        let latency = self.latency();
        let arrives = now + latency;
        let lost = self.chance(self.parameters.loss) || self.is_cut(from, to);
        let lost = lost.then(|| now + latency.percent(50));
        self.sent += 1;
        let flight = Flight { number: self.sent, from, to, sent: now, arrives, lost, body };
        let place = match self.free.pop() {
            Some(place) => {
                self.flights[place as usize] = Some(flight);
                place
            }
            None => {
                self.flights.push(Some(flight));
                self.flights.len() as u32 - 1
            }
        };
        schedule(place, arrives);
    }

    /// The message at `place` has come to the end of its way.
    pub(super) fn take(&mut self, place: u32) -> Option<Flight> {
        let flight = self.flights.get_mut(place as usize)?.take()?;
        self.free.push(place);
        Some(flight)
    }

    /// The messages on their way, in no particular order.
    pub fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.flights.iter().flatten()
    }

    /// Messages sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether nothing gets from `from` to `to`.
    pub fn is_cut(&self, from: Endpoint, to: Endpoint) -> bool {
        let (Endpoint::Server(from), Endpoint::Server(to)) = (from, to) else { return false };
        self.cuts[from.slot()] & (1 << to.slot()) != 0
    }

    /// Cuts or heals one direction of a link; whether that changes anything. What is on its way is lost at a cut.
    pub(super) fn set_cut(&mut self, from: ServerId, to: ServerId, cut: bool, now: Time) -> bool {
        let row = &mut self.cuts[from.slot()];
        let before = *row;
        if cut {
            *row |= 1 << to.slot()
        } else {
            *row &= !(1 << to.slot())
        }
        let changed = *row != before;
        if cut && changed {
            for flight in self.flights.iter_mut().flatten() {
                if flight.from == Endpoint::Server(from) && flight.to == Endpoint::Server(to) && flight.lost.is_none() {
                    flight.lost = Some(now);
                }
            }
        }
        changed
    }

    pub(super) fn set_loss(&mut self, loss: Ppm) {
        self.parameters.loss = loss.min(CERTAIN);
    }

    /// The share of messages that is lost at present.
    pub fn loss(&self) -> Ppm {
        self.parameters.loss
    }

    fn latency(&mut self) -> Duration {
        let (min, max) = (self.parameters.latency_min.as_micros(), self.parameters.latency_max.as_micros());
        Duration::from_micros(if min == max { min } else { self.random.random_range(min..=max) })
    }

    /// Draws only where there is something to draw, so that a world without loss is as lucky as one with.
    fn chance(&mut self, ppm: Ppm) -> bool {
        ppm > 0 && self.random.random_range(0..CERTAIN) < ppm
    }
}
