//! Who sent what to whom in a stretch of time, and how the servers stood: what a space-time diagram
//! is drawn from.
//!
//! It is not remembered while the run is played, but found out by playing the stretch again, aside.
//! Asked for one moment after the other, as while playing, it plays on from the last, so that each
//! event is looked at once.
//!
//! # Caveats
//! A message that reaches a paused server has arrived, though the server looks at it only when it
//! goes on.

use alloc::vec::Vec;

use super::playhead::Playhead;
use super::{BranchId, Deed, Flight, Told, What, checkpoints};
use crate::raft::{Raft, ServerId, Term, Weight};
use crate::sim::news::DROPPED;
use crate::sim::{Endpoint, Machine, Timeline};
use crate::time::Time;

/// The most messages that are kept; beyond it, the oldest go, and the stretch begins later.
pub const PASSAGES_MAX: usize = 8_192;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is on its way, or held.
    UnderWay,
    /// It came to its receiver at this time.
    Arrived(Time),
    /// It was lost at this time: on its way, or because its receiver was down.
    Lost(Time),
}

/// A message's way.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The message, as it was when it was last seen on its way.
    pub flight: Flight,
    /// What became of it.
    pub fate: Fate,
}

/// How a server stood from a time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Since when; for the first of each server, when the stretch begins.
    pub at: Time,
    /// The server.
    pub server: ServerId,
    /// Whether it ran.
    pub up: bool,
    /// Whether it stood still.
    pub paused: bool,
    /// Its term; while it is down, the one on its disk.
    pub term: Term,
    /// Its role's name; while it is down, nothing.
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
    /// Changes of the servers' standing, in order.
    pub standings: Vec<Standing>,
    /// What was told that is more than a detail, in order.
    pub news: Vec<Told>,
}

/// A world that is played aside, and what was seen of it.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    branch: BranchId,
    /// How much had been done by hand when it began: what is done since may come where it has
    /// already been.
    deeds: usize,
    head: Playhead,
    /// How many messages it has seen sent.
    sent: u64,
    /// Those that are on their way, in the order of the passages.
    under_way: Vec<UnderWay>,
    traffic: Traffic,
}

/// A message that is on its way.
#[derive(Clone, Copy, Debug)]
struct UnderWay {
    /// Where it stands among the passages.
    passage: usize,
    /// Where the network keeps it.
    place: usize,
}

impl Watch {
    fn begin(branch: BranchId, deeds: &[Deed], mut head: Playhead, from: Time) -> Watch {
        head.play_unheard(deeds, from);
        head.fresh.clear();
        let at = head.world.now();
        let standings = head.world.machines().iter().map(|machine| Standing::of(machine, at)).collect();
        let traffic = Traffic { from: at, to: at, passages: Vec::new(), standings, news: Vec::new() };
        let mut watch = Watch { branch, deeds: deeds.len(), head, sent: 0, under_way: Vec::new(), traffic };
        watch.look();
        watch
    }

    fn play(&mut self, deeds: &[Deed], to: Time) {
        while self.head.step(deeds, to) {
            self.look();
        }
        self.head.world.run_until(to);
        self.traffic.to = self.traffic.to.max(self.head.world.now());
    }

    /// Compares the world with what it was before the last event.
    fn look(&mut self) {
        let Watch { head, traffic, under_way, sent, .. } = self;
        let world = &head.world;
        let now = world.now();
        traffic.to = now;
        for machine in world.machines() {
            let standing = Standing::of(machine, now);
            let last = traffic.standings.iter().rev().find(|last| last.server == standing.server);
            if last.is_none_or(|last| Standing { at: now, ..*last } != standing) {
                traffic.standings.push(standing);
            }
        }
        let first = head.told + 1 - head.fresh.len() as u64;
        let notable = (first..).zip(&head.fresh).filter(|(_, news)| news.weight() != Weight::Detail);
        traffic.news.extend(notable.map(|(number, news)| Told { number, news: news.clone() }));

        // Who has left, and what else is new about those who are still there.
        under_way.retain(|known| {
            let passage = &mut traffic.passages[known.passage];
            match world.network().at(known.place, passage.flight.number) {
                Some(flight) => {
                    (passage.flight.lost, passage.flight.held) = (flight.lost, flight.held);
                    true
                }
                None => {
                    passage.fate = fate(head, &passage.flight);
                    false
                }
            }
        });
        if world.network().sent() > *sent {
            let (known, first) = (under_way.len(), traffic.passages.len());
            let fresh = world.network().placed().filter(|(_, flight)| flight.number > *sent);
            // By number; few leave at the same event.
            for (place, flight) in fresh {
                let at = traffic.passages[first..].partition_point(|passage| passage.flight.number < flight.number);
                traffic.passages.insert(first + at, Passage { flight: flight.clone(), fate: Fate::UnderWay });
                under_way.insert(known + at, UnderWay { passage: first, place });
            }
            for (passage, fresh) in (first..).zip(&mut under_way[known..]) {
                fresh.passage = passage;
            }
            *sent = world.network().sent();
        }
        if traffic.passages.len() > PASSAGES_MAX {
            let kept = traffic.passages.len() - PASSAGES_MAX / 2;
            let from = traffic.passages[kept].flight.sent;
            self.forget_before(from);
        }
    }

    /// Forgets what was over before `from`, and what was still under way then if it is too old to
    /// matter.
    fn forget_before(&mut self, from: Time) {
        let traffic = &mut self.traffic;
        if from <= traffic.from {
            return;
        }
        let over = |passage: &Passage| match passage.fate {
            Fate::UnderWay => false,
            Fate::Arrived(at) | Fate::Lost(at) => at < from,
        };
        traffic.passages.retain(|passage| !over(passage));
        // All that are on their way have stayed, in their order.
        let stayed = (0..).zip(&traffic.passages).filter(|(_, passage)| passage.fate == Fate::UnderWay);
        for (known, (passage, _)) in self.under_way.iter_mut().zip(stayed) {
            known.passage = passage;
        }
        traffic.news.retain(|told| told.news.at >= from);
        // The last before the stretch says how a server stood when it began.
        let standings = core::mem::take(&mut traffic.standings);
        for (place, standing) in standings.iter().enumerate() {
            let next = standings[place + 1..].iter().find(|next| next.server == standing.server);
            if next.is_none_or(|next| next.at > from) {
                traffic.standings.push(*standing);
            }
        }
        traffic.from = from;
    }
}

/// What became of a message that has left with the last event.
fn fate(head: &Playhead, flight: &Flight) -> Fate {
    let world = &head.world;
    let now = world.now();
    let heard = match flight.to {
        Endpoint::Server(server) => world.machine(server).is_some_and(Machine::is_up),
        Endpoint::Client(_) => true,
    };
    // A held message is gone as soon as it is dropped, and so doesn't say where it was lost.
    let dropped = || head.fresh.iter().any(|news| news.what == What::MessageTouched(flight.number, DROPPED));
    match flight.lost {
        Some(at) => Fate::Lost(at.min(now)),
        None if !heard || world.network().is_cut(flight.from, flight.to) || dropped() => Fate::Lost(now),
        None => Fate::Arrived(now),
    }
}

impl Standing {
    fn of(machine: &Machine, at: Time) -> Standing {
        let raft = machine.raft();
        Standing {
            at,
            server: machine.id(),
            up: raft.is_some(),
            paused: machine.is_paused(),
            term: raft.map_or(machine.disk().image().hard_state().term, Raft::term),
            role: raft.map_or("", |raft| raft.role().name()),
        }
    }
}

impl Timeline {
    /// What happened on the branch being played from one time to another, as far as it is known.
    /// What it finds out is kept until the next call, so that looking on is quick; of messages, no
    /// more than [`PASSAGES_MAX`].
    pub fn traffic(&mut self, from: Time, to: Time) -> &Traffic {
        let last = self.watch.take();
        let branch = self.branch();
        let to = to.min(branch.end().time);
        let from = from.min(to);
        let nearest = checkpoints::newest_by_time(&branch.checkpoints, from);
        let usable = |watch: &Watch| {
            let same = watch.branch == branch.id() && watch.deeds == branch.deeds.len();
            same && watch.traffic.from <= from && nearest.event() <= watch.head.world.events()
        };
        let begin = || Watch::begin(branch.id(), &branch.deeds, nearest.head.clone(), from);
        let mut watch = last.filter(usable).unwrap_or_else(begin);
        watch.forget_before(from);
        watch.play(&branch.deeds, to);
        &self.watch.insert(watch).traffic
    }
}
