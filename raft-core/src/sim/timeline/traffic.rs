//! The messages in a stretch of time, and the states of the servers: what a space-time diagram is
//! drawn from.
//!
//! It is not recorded while the run is played. Instead, the stretch is replayed beside the present
//! world, with a listener to all messages. If it is asked for one moment after the other, as while
//! playing, it plays on from the last one, so that each event is played once.
//!
//! # Caveats
//! A message that reaches a paused server counts as arrived, although the server handles it only
//! when it runs again.

use alloc::vec::Vec;

use super::branches::{Branch, BranchId};
use super::checkpoints;
use super::playhead::Playhead;
use super::position::Intervention;
use super::story::Told;
use crate::raft::{Raft, ServerId, Term, Weight};
use crate::sim::{Flight, Listening, Loss, Machine, MessageEvent, What};
use crate::time::Time;

/// The most messages that are kept. Beyond it the oldest are dropped, and the stretch begins later.
pub const PASSAGES_MAX: usize = 8_192;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way, or held.
    UnderWay,
    /// It came to its receiver at this time.
    Arrived(Time),
    /// It was lost.
    Lost(Loss),
}

/// A message and what became of it.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The message, as it was when it was last seen on its way.
    pub flight: Flight,
    /// What became of it.
    pub fate: Fate,
}

/// The state of a server from a time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerState {
    /// Since when. For the first state of each server, this is the beginning of the stretch.
    pub at: Time,
    /// The server.
    pub server: ServerId,
    /// Whether it was up.
    pub up: bool,
    /// Whether it was paused.
    pub paused: bool,
    /// Its term; while it is down, the one on its disk.
    pub term: Term,
    /// Its role's name; empty while it is down.
    pub role: &'static str,
}

/// What happened in a stretch of time. It may hold more than was asked for, on either side.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// From when on nothing is missing.
    pub from: Time,
    /// Up to when it has been found out.
    pub to: Time,
    /// Messages, in the order in which they were sent; at the beginning, those that were on their
    /// way then.
    pub passages: Vec<Passage>,
    /// Changes of the servers' states, in order.
    pub states: Vec<ServerState>,
    /// The news that is more than a detail, in order.
    pub news: Vec<Told>,
}

/// A world that is played beside the present one, and the messages seen in it.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    branch: BranchId,
    /// How many interventions the branch had when the watch began. A later one can fall where the
    /// watch has already been.
    interventions: usize,
    head: Playhead,
    /// The messages that are certain to be lost, but haven't come yet to where they will be lost.
    doomed: Vec<u64>,
    traffic: Traffic,
}

impl Watch {
    /// Watches a branch from one time to another, and goes on with the last watch if it can.
    pub(super) fn over(last: Option<Watch>, branch: &Branch, from: Time, to: Time) -> Watch {
        let to = to.min(branch.end().time);
        let from = from.min(to);
        let nearest = checkpoints::newest_by_time(&branch.checkpoints, from);
        let usable = |watch: &Watch| {
            let same = watch.branch == branch.id() && watch.interventions == branch.interventions.len();
            same && watch.traffic.from <= from && nearest.event() <= watch.head.world.events()
        };
        let begin = || Watch::begin(branch.id(), &branch.interventions, nearest.head.clone(), from);
        let mut watch = last.filter(usable).unwrap_or_else(begin);
        watch.forget_before(from);
        watch.play(&branch.interventions, to);
        watch
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn begin(branch: BranchId, interventions: &[Intervention], mut head: Playhead, from: Time) -> Watch {
        head.play_unheard(interventions, from);
        head.fresh.clear();
        head.world.listen(Listening::Messages);
        let (world, at) = (&head.world, head.world.now());
        let states = world.machines().iter().map(|machine| ServerState::of(machine, at)).collect();
        let mut passages: Vec<Passage> = Vec::new();
        for flight in world.network().flights() {
            // By number; there are few, and this isn't worth a sort's code on the page.
            let place = passages.partition_point(|passage| passage.flight.number < flight.number);
            passages.insert(place, Passage { flight: flight.clone(), fate: Fate::UnderWay });
        }
        let lost = passages.iter().filter(|passage| passage.flight.lost.is_some());
        let doomed = lost.map(|passage| passage.flight.number).collect();
        let traffic = Traffic { from: at, to: at, passages, states, news: Vec::new() };
        Watch { branch, interventions: interventions.len(), head, doomed, traffic }
    }

    fn play(&mut self, interventions: &[Intervention], to: Time) {
        while self.head.step(interventions, to) {
            self.take_in();
        }
        self.head.world.run_until(to);
        self.traffic.to = self.traffic.to.max(self.head.world.now());
        self.settle();
    }

    /// Takes in what the last event brought.
    fn take_in(&mut self) {
        let Watch { head, traffic, doomed, .. } = self;
        let now = head.world.now();
        traffic.to = now;
        let mut number = head.told_before();
        for news in &head.fresh {
            if let What::Message(event) = &news.what {
                traffic.note(event, news.at, doomed);
            }
            if !news.is_of_traffic() {
                number += 1;
                if news.weight() != Weight::Detail {
                    traffic.news.push(Told { number, news: news.clone() });
                }
            }
            // A server's state changes only with news about it.
            if let Some(machine) = news.server().and_then(|server| head.world.machine(server)) {
                traffic.note_state(ServerState::of(machine, now));
            }
        }
        if traffic.passages.len() > PASSAGES_MAX {
            self.settle();
            let kept = self.traffic.passages.len() - PASSAGES_MAX / 2;
            let from = self.traffic.passages[kept].flight.sent;
            self.forget_before(from);
        }
    }

    /// Marks the messages as lost that have come to where they are lost.
    fn settle(&mut self) {
        let traffic = &mut self.traffic;
        let to = traffic.to;
        self.doomed.retain(|number| {
            let Some(passage) = traffic.passage(*number) else { return false };
            let lost = passage.flight.lost.filter(|loss| loss.at <= to);
            if let Some(loss) = lost {
                passage.fate = Fate::Lost(loss);
            }
            lost.is_none()
        });
    }

    /// Forgets what was over before `from`. Messages that were still under way then stay.
    fn forget_before(&mut self, from: Time) {
        let traffic = &mut self.traffic;
        if from <= traffic.from {
            return;
        }
        let over = |passage: &Passage| match passage.fate {
            Fate::UnderWay => false,
            Fate::Arrived(at) | Fate::Lost(Loss { at, .. }) => at < from,
        };
        traffic.passages.retain(|passage| !over(passage));
        traffic.news.retain(|told| told.news.at >= from);
        // The last state before the stretch is the one in which a server begins it.
        let states = core::mem::take(&mut traffic.states);
        for (place, state) in states.iter().enumerate() {
            let next = states[place + 1..].iter().find(|next| next.server == state.server);
            if next.is_none_or(|next| next.at > from) {
                traffic.states.push(*state);
            }
        }
        traffic.from = from;
    }
}

impl Traffic {
    /// The message with this number, if it is known.
    fn passage(&mut self, number: u64) -> Option<&mut Passage> {
        let place = self.passages.binary_search_by_key(&number, |passage| passage.flight.number);
        place.ok().map(|place| &mut self.passages[place])
    }

    /// Takes in what has become of a message.
    fn note(&mut self, event: &MessageEvent, at: Time, doomed: &mut Vec<u64>) {
        // Messages are sent in the order of their numbers.
        if let MessageEvent::Sent(flight) = event {
            self.passages.push(Passage { flight: (**flight).clone(), fate: Fate::UnderWay });
        }
        let Some(passage) = self.passage(event.message()) else { return };
        match event {
            MessageEvent::Sent(_) | MessageEvent::Duplicated { .. } => {}
            MessageEvent::Held(_) => passage.flight.held = Some(at),
            MessageEvent::Released(_) => passage.flight.held = None,
            MessageEvent::Arrived(_) => passage.fate = Fate::Arrived(at),
            MessageEvent::Lost(number, loss) => {
                passage.flight.lost = Some(*loss);
                doomed.push(*number);
            }
        }
    }

    fn note_state(&mut self, state: ServerState) {
        let last = self.states.iter().rev().find(|last| last.server == state.server);
        if last.is_none_or(|last| ServerState { at: state.at, ..*last } != state) {
            self.states.push(state);
        }
    }
}

impl ServerState {
    fn of(machine: &Machine, at: Time) -> ServerState {
        let raft = machine.raft();
        ServerState {
            at,
            server: machine.id(),
            up: raft.is_some(),
            paused: machine.is_paused(),
            term: raft.map_or(machine.disk().image().hard_state().term, Raft::term),
            role: raft.map_or("", |raft| raft.role().name()),
        }
    }
}
