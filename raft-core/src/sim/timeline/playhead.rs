//! A world at a position of a branch: what plays, what is kept as a checkpoint, what stands beside
//! another to compare.

use alloc::vec::Vec;

use super::position::{Intervention, Position};
use crate::sim::{Listening, News, Simulation};
use crate::time::Time;

/// A world and how it came there.
#[derive(Clone, Debug)]
pub(super) struct Playhead {
    pub(super) world: Simulation,
    /// How much news there has been up to here; the newest piece has this number.
    pub(super) told: u64,
    /// When the last event was, for the clock may stand later.
    pub(super) last: Time,
    /// The news of the last event.
    pub(super) fresh: Vec<News>,
}

impl Playhead {
    pub(super) fn new(mut world: Simulation) -> Playhead {
        world.listen(Listening::News);
        let last = world.now();
        Playhead { world, told: 0, last, fresh: Vec::new() }
    }

    pub(super) fn position(&self) -> Position {
        Position { event: self.world.events(), time: self.world.now() }
    }

    /// Whether the clock stands at the last event, and not between two.
    pub(super) fn is_at_event(&self) -> bool {
        self.world.now() == self.last
    }

    /// Plays the next event, or takes the next action that was taken by hand, if it is due by `until`; whether there was such
    /// a one.
    pub(super) fn step(&mut self, interventions: &[Intervention], until: Time) -> bool {
        let next = interventions.partition_point(|intervention| intervention.after.event < self.world.events());
        match interventions.get(next) {
            // Nothing else comes before it, so that its place among the events is exactly the one
            // it had.
            Some(intervention) if intervention.after.event == self.world.events() => {
                if intervention.after.time > until {
                    return false;
                }
                self.world.run_until(intervention.after.time);
                let again = self.world.act(intervention.action.clone());
                again.unwrap_or_else(|error| panic!("what was done once can be done again: {error}"));
            }
            _ => {
                if !self.world.step_until(until) {
                    return false;
                }
            }
        }
        self.hear();
        true
    }

    /// Takes in what the world tells of its last event.
    pub(super) fn hear(&mut self) {
        self.last = self.world.now();
        self.fresh.clear();
        self.world.observers.swap_news(&mut self.fresh);
        self.told += self.fresh.iter().filter(|news| !news.is_of_traffic()).count() as u64;
    }

    /// Plays everything up to `until`, unheard, and lets the clock stand there.
    pub(super) fn play_unheard(&mut self, interventions: &[Intervention], until: Time) {
        while self.step(interventions, until) {}
        self.world.run_until(until);
    }
}
