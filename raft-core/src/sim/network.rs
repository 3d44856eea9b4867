//! The simulated network: what it does to messages, and the messages that are on their way.
//!
//! Faults, and why Raft survives them:
//! * **loss** and **cut links** (each direction on its own): every message is repeated until it is
//!   answered or has become pointless;
//! * **delay** and **reordering** (one link slower than the others, a message held and released,
//!   stragglers): terms, rounds and probe numbers tell which request a response belongs to;
//! * **late messages**, from before a crash, a lost disk or a removal: what a server asked or
//!   promised in an earlier life, or on another disk, is told apart from what it asks and promises
//!   now;
//! * **duplication**: every message may be handled twice without harm, and retried commands carry a
//!   serial number.
//!
//! The world drives its network by time. Whoever drives servers by hand can drive one so, too:
//! [`Network::put`], [`Network::take`], [`Network::set_cut`].

use alloc::sync::Arc;
use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::action::MessageKind;
use super::client::{Answer, ClientId, Reply};
use super::flight::{Body, Endpoint, Flight, Loss, LossReason};
use super::news::{MessageEvent, What};
use super::observers::Observers;
use super::parameters::{CERTAIN, MACHINES_MAX, NetworkParameters, Ppm};
use super::queue::{Event, Place, Queue};
use crate::raft::{Message, ServerId};
use crate::sorted::Sorted;
use crate::time::{Duration, Time};

/// What is wrong with one direction of a link, besides what the whole network does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Impairment {
    /// How much longer each message takes.
    pub delay: Duration,
    /// How many messages are lost.
    pub loss: Ppm,
}

/// How many messages are late, by how much at most, and whether only copies are late, of messages
/// that are in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Lateness {
    share: Ppm,
    delay: Duration,
    copies: bool,
}

/// The network.
#[derive(Clone, Debug)]
pub struct Network {
    parameters: NetworkParameters,
    random: Xoshiro256PlusPlus,
    /// `cuts[from]` has bit `to` set where that direction is cut.
    cuts: [u16; MACHINES_MAX as usize],
    impaired: Sorted<(ServerId, ServerId), Impairment>,
    /// How many messages between servers are held up (stragglers), and for how long at most.
    straggling: (Ppm, Duration),
    /// The lateness of each kind of messages.
    late: [Lateness; MessageKind::ALL.len()],
    /// Whether any messages are late.
    some_late: bool,
    /// The messages on their way, by place. Places are reused; an event names its message's place.
    flights: Vec<Option<Flight>>,
    free: Vec<u32>,
    sent: u64,
}

/// The message of a new place, before it is filled in.
const BLANK: Flight = Flight {
    number: 0,
    from: Endpoint::Client(ClientId::PERSON),
    to: Endpoint::Client(ClientId::PERSON),
    sent: Time::ZERO,
    arrives: Time::ZERO,
    lost: None,
    held: None,
    late: false,
    body: Body::Answer(Answer { attempt: 0, reply: Reply::Lost }),
};

impl Network {
    /// A network that does this to messages, with luck of its own.
    pub fn new(parameters: NetworkParameters, seed: u64) -> Network {
        Network {
            parameters,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            cuts: [0; MACHINES_MAX as usize],
            impaired: Sorted::default(),
            straggling: (0, Duration::ZERO),
            late: Default::default(),
            some_late: false,
            flights: Vec::new(),
            free: Vec::new(),
            sent: 0,
        }
    }

    /// Sends a message, perhaps twice, perhaps to be lost, and schedules its arrival in `queue`.
    pub(super) fn send(
        &mut self,
        queue: &mut Queue,
        observers: &mut Observers,
        now: Time,
        from: Endpoint,
        to: Endpoint,
        body: Body,
    ) {
        let sent = self.sent;
        // Clients use connections, which lose messages but don't duplicate them.
        let late = match &body {
            Body::Raft(message) if self.parameters.duplication > 0 || self.some_late => {
                self.send_copies(queue, observers, now, from, to, message)
            }
            Body::Request(_) if self.some_late => self.be_late(MessageKind::Requests),
            _ => Duration::ZERO,
        };
        let copies = sent + 1..self.sent + 1;
        let message = self.send_once(queue, observers, now, from, to, body, late);
        for copy in copies {
            observers.tell_of_message(now, || MessageEvent::Duplicated { message, copy, by_hand: false });
        }
    }

    /// Sends the copies of a message, if there are to be any. Returns by how much the message
    /// itself is late.
    #[inline(never)]
    fn send_copies(
        &mut self,
        queue: &mut Queue,
        observers: &mut Observers,
        now: Time,
        from: Endpoint,
        to: Endpoint,
        message: &Message,
    ) -> Duration {
        let copy = || Body::Raft(message.clone());
        if self.chance(self.parameters.duplication) {
            self.send_once(queue, observers, now, from, to, copy(), Duration::ZERO);
        }
        let mut late = Duration::ZERO;
        if !self.some_late {
            return late;
        }
        for kind in [MessageKind::Everything, MessageKind::of(message)] {
            let by = self.be_late(kind);
            if by == Duration::ZERO {
                continue;
            }
            if self.late[kind as usize].copies {
                self.send_once(queue, observers, now, from, to, copy(), by);
            } else {
                late = late.max(by);
            }
        }
        late
    }

    /// By how much a message of this kind is late.
    fn be_late(&mut self, kind: MessageKind) -> Duration {
        let Lateness { share, delay, .. } = self.late[kind as usize];
        if !self.chance(share) {
            return Duration::ZERO;
        }
        let delay = delay.as_micros();
        Duration::from_micros(self.random.random_range(delay / 2..=delay))
    }

    /// Sends one message. Returns its number.
    #[allow(clippy::too_many_arguments)]
    fn send_once(
        &mut self,
        queue: &mut Queue,
        observers: &mut Observers,
        now: Time,
        from: Endpoint,
        to: Endpoint,
        body: Body,
        late: Duration,
    ) -> u64 {
        let impairment = self.impairment(from, to);
        let latency = self.latency() + impairment.delay + self.straggle(from, to) + late;
        let arrives = now + latency;
        let lost = if self.chance(self.parameters.loss) || self.chance(impairment.loss) {
            Some(LossReason::Chance)
        } else {
            self.is_cut(from, to).then_some(LossReason::Cut)
        };
        let lost = lost.map(|why| Loss { at: now + latency.percent(50), why });
        let place = self.free_place();
        // Field by field, in place. A flight that is built elsewhere and copied here stalls the
        // processor: the copy loads what was stored a moment ago.
        let flight = self.flights[place as usize].get_or_insert(BLANK);
        flight.number = self.sent;
        flight.from = from;
        flight.to = to;
        flight.sent = now;
        flight.arrives = arrives;
        flight.lost = lost;
        flight.late = late > Duration::ZERO;
        flight.body = body;
        queue.push(arrives, Event::Arrive { flight: Place { place, number: self.sent as u32 } });
        observers.tell_of_message(now, || MessageEvent::Sent(Arc::new(flight.clone())));
        if let Some(loss) = lost {
            observers.tell_of_message(now, || MessageEvent::Lost(flight.number, loss));
        }
        self.sent
    }

    /// Numbers one more message: a place for it.
    #[inline]
    fn free_place(&mut self) -> u32 {
        self.sent += 1;
        self.free.pop().unwrap_or_else(|| {
            self.flights.push(None);
            self.flights.len() as u32 - 1
        })
    }

    /// Puts a message on its way that waits for [`Network::take`], whatever the parameters: its
    /// number. Nothing gets through where the link is cut.
    pub fn put(&mut self, now: Time, from: Endpoint, to: Endpoint, body: Body) -> Option<u64> {
        if self.is_cut(from, to) {
            return None;
        }
        let (place, number) = (self.free_place(), self.sent);
        let flight = Flight { number, from, to, sent: now, arrives: Time::NEVER, held: Some(now), body, ..BLANK };
        self.flights[place as usize] = Some(flight);
        Some(number)
    }

    /// Takes the message of that number off its way: what it says.
    pub fn take(&mut self, number: u64) -> Option<Body> {
        self.remove(self.find(number)?)
    }

    /// Where the message that was to arrive at `place` is, unless it is held or has left already.
    pub(super) fn arriving(&self, place: Place) -> Option<usize> {
        let slot = place.place as usize;
        let there = |flight: &&Flight| flight.number as u32 == place.number && flight.held.is_none();
        self.in_slot(slot).filter(there).map(|_| slot)
    }

    /// The slot of the message with this number.
    pub(super) fn find(&self, number: u64) -> Option<usize> {
        self.flights.iter().position(|f| f.as_ref().is_some_and(|f| f.number == number))
    }

    /// The message in a slot.
    pub(super) fn in_slot(&self, slot: usize) -> Option<&Flight> {
        self.flights.get(slot)?.as_ref()
    }

    /// Removes the message in a slot. Returns what it says.
    pub(super) fn remove(&mut self, slot: usize) -> Option<Body> {
        let flight = self.flights.get_mut(slot)?.take()?;
        self.free.push(slot as u32);
        Some(flight.body)
    }

    /// Removes the message in a slot, which isn't needed any more.
    pub(super) fn free(&mut self, slot: usize) {
        if let Some(flight @ Some(_)) = self.flights.get_mut(slot) {
            *flight = None;
            self.free.push(slot as u32);
        }
    }

    fn flight_mut(&mut self, number: u64) -> Option<&mut Flight> {
        self.flights.iter_mut().flatten().find(|flight| flight.number == number)
    }

    /// Holds the message with this number, if there is one.
    pub(super) fn hold(&mut self, observers: &mut Observers, number: u64, now: Time) {
        if let Some(flight) = self.flight_mut(number) {
            flight.held.get_or_insert(now);
            observers.tell(now, || What::Message(MessageEvent::Held(number)));
        }
    }

    /// Loses the message with this number where it is, if there is one.
    pub(super) fn lose(&mut self, observers: &mut Observers, number: u64, now: Time) {
        let Some(slot) = self.find(number) else { return };
        let Some(Some(flight)) = self.flights.get_mut(slot) else { return };
        let (loss, held) = (Loss { at: now, why: LossReason::Dropped }, flight.held.is_some());
        if flight.lost.is_none() {
            flight.lost = Some(loss);
            observers.tell(now, || What::Message(MessageEvent::Lost(number, loss)));
        }
        if held {
            self.free(slot); // A held message isn't scheduled to arrive: it goes at once.
        }
    }

    /// Sends the message with this number once more, if there is one.
    pub(super) fn repeat(&mut self, queue: &mut Queue, observers: &mut Observers, number: u64, now: Time) {
        let Some(flight) = self.find(number).and_then(|slot| self.in_slot(slot)).cloned() else { return };
        let copy = self.send_once(queue, observers, now, flight.from, flight.to, flight.body, Duration::ZERO);
        observers.tell(now, || What::Message(MessageEvent::Duplicated { message: number, copy, by_hand: true }));
    }

    /// The messages on their way, in no particular order.
    pub fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.flights.iter().flatten()
    }

    /// Messages sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// What is wrong with one direction of a link.
    pub fn impairment(&self, from: Endpoint, to: Endpoint) -> Impairment {
        let (Endpoint::Server(from), Endpoint::Server(to)) = (from, to) else { return Impairment::default() };
        self.impaired.get((from, to)).copied().unwrap_or_default()
    }

    /// The directions of links that are slower or lose more than the others, and by how much.
    pub fn impaired(&self) -> impl Iterator<Item = (ServerId, ServerId, Impairment)> {
        self.impaired.iter().map(|((from, to), impairment)| (*from, *to, *impairment))
    }

    pub(super) fn impair(&mut self, from: ServerId, to: ServerId, impairment: Impairment) {
        if impairment == Impairment::default() {
            self.impaired.remove((from, to));
        } else {
            self.impaired.insert((from, to), impairment);
        }
    }

    /// Whether the link from `from` to `to` is cut.
    pub fn is_cut(&self, from: Endpoint, to: Endpoint) -> bool {
        let (Endpoint::Server(from), Endpoint::Server(to)) = (from, to) else { return false };
        self.cuts[from.slot()] & (1 << to.slot()) != 0
    }

    /// Cuts or heals one direction of a link; whether that changes anything. What is on its way is
    /// lost at a cut, but for what is late.
    pub fn set_cut(&mut self, from: ServerId, to: ServerId, cut: bool, now: Time) -> bool {
        self.set_cut_and_tell(&mut Observers::nobody(), from, to, cut, now)
    }

    /// The same, and tells what is lost by it.
    pub(super) fn set_cut_and_tell(
        &mut self,
        observers: &mut Observers,
        from: ServerId,
        to: ServerId,
        cut: bool,
        now: Time,
    ) -> bool {
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
                let of_this = flight.from == Endpoint::Server(from) && flight.to == Endpoint::Server(to);
                if of_this && !flight.late && flight.lost.is_none() {
                    let loss = Loss { at: now, why: LossReason::Cut };
                    flight.lost = Some(loss);
                    observers.tell_of_message(now, || MessageEvent::Lost(flight.number, loss));
                }
            }
        }
        changed
    }

    pub(super) fn set_loss(&mut self, loss: Ppm) {
        self.parameters.loss = loss.min(CERTAIN);
    }

    pub(super) fn set_duplication(&mut self, duplication: Ppm) {
        self.parameters.duplication = duplication.min(CERTAIN);
    }

    pub(super) fn set_latency(&mut self, min: Duration, max: Duration) {
        (self.parameters.latency_min, self.parameters.latency_max) = (min, max);
    }

    pub(super) fn set_straggling(&mut self, share: Ppm, delay: Duration) {
        self.straggling = (share.min(CERTAIN), delay);
    }

    pub(super) fn set_late(&mut self, of: MessageKind, share: Ppm, delay: Duration, copies: bool) {
        self.late[of as usize] = Lateness { share: share.min(CERTAIN), delay, copies };
        self.some_late = self.late.iter().any(|late| late.share > 0);
    }

    /// Ends all lateness, except that of messages already on their way.
    pub(super) fn end_lateness(&mut self) {
        self.late = Default::default();
        self.some_late = false;
    }

    /// By how much a message is held up, as a straggler.
    fn straggle(&mut self, from: Endpoint, to: Endpoint) -> Duration {
        let (share, delay) = self.straggling;
        let between_servers = matches!((from, to), (Endpoint::Server(_), Endpoint::Server(_)));
        if !between_servers || !self.chance(share) {
            return Duration::ZERO;
        }
        Duration::from_micros(self.random.random_range(0..=delay.as_micros()))
    }

    /// The share of messages that is held up at present, and for how long at most.
    pub fn straggling(&self) -> (Ppm, Duration) {
        self.straggling
    }

    /// What the network does to every message at present.
    pub fn parameters(&self) -> &NetworkParameters {
        &self.parameters
    }

    /// The share of messages that is lost at present.
    pub fn loss(&self) -> Ppm {
        self.parameters.loss
    }

    fn latency(&mut self) -> Duration {
        let (min, max) = (self.parameters.latency_min.as_micros(), self.parameters.latency_max.as_micros());
        Duration::from_micros(if min == max { min } else { self.random.random_range(min..=max) })
    }

    /// Draws nothing at a chance of zero, so that a world without loss has the same other draws as
    /// one with loss.
    fn chance(&mut self, ppm: Ppm) -> bool {
        ppm > 0 && self.random.random_range(0..CERTAIN) < ppm
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::{Term, TimeoutNow};

    #[test]
    fn by_hand_a_message_stays_until_it_is_taken_and_a_cut_link_carries_none() {
        let mut network = Network::new(NetworkParameters::default(), 1);
        let [one, other] = [1, 2].map(|number| ServerId::new(number).expect("servers are numbered from 1"));
        let (from, to) = (Endpoint::Server(one), Endpoint::Server(other));
        let body = |term| Body::Raft(Message::TimeoutNow(TimeoutNow { term: Term(term) }));
        let [first, second] = [1, 2].map(|term| network.put(Time::ZERO, from, to, body(term)).expect("it isn't cut"));
        assert!(first < second && network.flights().all(|flight| flight.held == Some(Time::ZERO)));
        assert_eq!((network.take(second), network.take(second)), (Some(body(2)), None));
        assert!(network.set_cut(one, other, true, Time::ZERO));
        assert_eq!(network.put(Time::ZERO, from, to, body(3)), None);
        assert!(network.put(Time::ZERO, to, from, body(4)).is_some(), "the other direction is whole");
        assert_eq!(network.take(first), Some(body(1)));
    }
}
