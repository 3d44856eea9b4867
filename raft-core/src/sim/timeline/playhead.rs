//! A world at a position of a branch. One is being played, checkpoints keep others, and one can be
//! compared with the present.

use alloc::vec::Vec;

use super::position::{Intervention, Position};
use crate::sim::{Listening, News, Simulation};
use crate::time::Time;

/// A world, and what is known of its way to here.
#[derive(Clone, Debug)]
pub(super) struct Playhead {
    pub(super) world: Simulation,
    /// How many pieces of news there have been up to here. The newest piece has this number.
    pub(super) told: u64,
    /// The time of the last event. The clock may stand later.
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

    /// Plays the next event, or does the next intervention again, if it is due by `until`. Returns
    /// whether there was one.
    pub(super) fn step(&mut self, interventions: &[Intervention], until: Time) -> bool {
        let next = interventions.partition_point(|intervention| intervention.after.event < self.world.events());
        match interventions.get(next) {
            // No event is played before it, so that its place among the events is exactly the one
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
        self.world.swap_news(&mut self.fresh);
        self.told += self.fresh_told();
    }

    /// The number of the newest piece of news before the last event.
    pub(super) fn told_before(&self) -> u64 {
        self.told - self.fresh_told()
    }

    /// How many of the last event's news have a number: messages have none.
    fn fresh_told(&self) -> u64 {
        self.fresh.iter().filter(|news| !news.is_of_traffic()).count() as u64
    }

    /// Plays everything up to `until`, without keeping the news, and leaves the clock there.
    pub(super) fn play_unheard(&mut self, interventions: &[Intervention], until: Time) {
        while self.step(interventions, until) {}
        self.world.run_until(until);
    }
}
