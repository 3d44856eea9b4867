//! The past of a long run, which is judged on the way and then forgotten.
//!
//! What clients asked and were answered is judged at a run's end. In a long run this may be more
//! than memory holds. But what the log explains ([`quick`]) need not be kept: one record for each
//! key, with the key's value, stands for all of it.
//!
//! # How far
//! The past reaches up to an index of the log. Everything that is still to come must lie beyond it:
//! an operation under way began after others were over, so it belongs after them in the log, and
//! the past ends at the highest index of those. If an operation turns up before that index all the
//! same, or if the log doesn't explain an answer, everything is in doubt. Perhaps another order
//! explains it. To find out, the whole run must be judged, and therefore played once more, because
//! what was forgotten is gone.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::quick::{self, Judgement};
use crate::kv::Request;
use crate::sim::{End, OperationRecord, Simulation};
use crate::time::Time;

/// How many operations may accumulate before some are forgotten. Most runs never have more.
const MANY: u64 = 4_096;

/// A client's number is a byte.
const CLIENTS: usize = 256;

/// See the [module's essay](self).
#[derive(Clone, Debug)]
pub(super) struct Past {
    /// How many operations may accumulate before some are forgotten.
    many: u64,
    /// How many operations had begun when some were last forgotten.
    begun: u64,
    /// The operations that were copied from the world and that the world still has, by number.
    taken: BTreeSet<u32>,
    /// The copied operations beyond `index`.
    held: Vec<OperationRecord>,
    /// The records that stand for everything up to `index`, one for each key.
    behind: Vec<OperationRecord>,
    /// How far in the log the past reaches.
    index: u64,
    /// Whether something wasn't explained.
    doubtful: bool,
}

impl Default for Past {
    fn default() -> Past {
        Past::of_pieces(MANY)
    }
}

impl Past {
    /// An empty past, which forgets operations whenever this many more have begun.
    fn of_pieces(many: u64) -> Past {
        Past { many, begun: 0, taken: BTreeSet::new(), held: Vec::new(), behind: Vec::new(), index: 0, doubtful: false }
    }

    /// Whether nothing has been forgotten.
    pub(super) fn is_empty(&self) -> bool {
        self.begun == 0
    }

    /// Forgets what is settled, if many operations have accumulated, except for those that `needed`
    /// names.
    pub(super) fn settle(&mut self, world: &mut Simulation, needed: impl Fn(&OperationRecord) -> bool) {
        if world.operations_begun() < self.begun + self.many {
            return;
        }
        self.begun = world.operations_begun();
        self.take(world);
        let (taken, now) = (&self.taken, world.now());
        world.forget_operations(|record| {
            let lost = record.point.is_none();
            // The run's history may not have written down yet what ended at this very instant.
            let over = record.end.as_ref().is_some_and(|(at, _)| *at < now);
            over && (lost || taken.contains(&record.number)) && !needed(record)
        });
        let still_there = world.operations().map(|record| record.number).filter(|number| taken.contains(number));
        self.taken = still_there.collect();
    }

    /// Whether the log explains everything up to now.
    pub(super) fn explains(&mut self, world: &Simulation) -> bool {
        self.take(world);
        let rest = world.operations().filter(|record| !self.taken.contains(&record.number));
        let all = self.behind.iter().chain(&self.held).chain(rest);
        !self.doubtful && quick::judge(all) == Judgement::Linearizable
    }

    /// Copies the operations that have ended, and condenses those that lie before everything under
    /// way.
    fn take(&mut self, world: &Simulation) {
        // When the oldest operation under way began.
        let mut since = world.now();
        let mut busy = [false; CLIENTS];
        for record in world.operations() {
            match &record.end {
                // Not its client's first: it waits for its turn.
                None if busy[usize::from(record.client.0)] => {}
                None => {
                    busy[usize::from(record.client.0)] = true;
                    since = since.min(record.began);
                }
                // Without an answer, and without an effect so far: it may take effect later.
                Some((_, end)) if record.point.is_some() || matches!(end, End::Answered(_)) => {
                    if self.taken.insert(record.number) {
                        self.hold(record);
                    }
                }
                Some(_) => {}
            }
        }
        if self.doubtful {
            (self.held, self.behind) = (Vec::new(), Vec::new());
        } else {
            self.condense(since);
        }
    }

    fn hold(&mut self, record: &OperationRecord) {
        let reads = matches!(record.request, Request::Read(_));
        match record.point {
            Some(point) if point > self.index || point == self.index && reads => self.held.push(record.clone()),
            _ => self.doubtful = true,
        }
    }

    fn condense(&mut self, since: Time) {
        let over =
            |record: &&OperationRecord| record.end.as_ref().is_some_and(|(at, end)| *at < since && is_answer(end));
        let Some(index) = self.held.iter().filter(over).filter_map(|record| record.point).max() else { return };
        let (behind, held) =
            core::mem::take(&mut self.held).into_iter().partition(|record| record.point <= Some(index));
        let behind: Vec<OperationRecord> = behind;
        self.held = held;
        self.index = index;
        match quick::condense(self.behind.iter().chain(&behind)) {
            Some(condensed) => self.behind = condensed,
            None => self.doubtful = true,
        }
    }
}

fn is_answer(end: &End) -> bool {
    matches!(end, End::Answered(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{Action, CALM_AFTER, Profile, Scenario, Target, TimedAction};
    use crate::time::Duration;

    fn play(past: &mut Past, world: &mut Simulation, until: Time) {
        while world.now() < until {
            world.run_until(until.min(world.now() + Duration::from_millis(700)));
            past.settle(world, |_| false);
        }
    }

    #[test]
    fn little_is_left_of_a_long_run_and_the_log_explains_the_rest() {
        let mut scenario = Scenario::new(7, 5);
        scenario.parameters.clients.think_time = Duration::from_millis(20);
        let line = "put x 1".into();
        scenario.actions.push(TimedAction { at: Time::from_secs(1), action: Action::Submit(line) });
        let mut world = Simulation::new(scenario).unwrap();
        let mut past = Past::default();
        world.run_until(Time::from_secs(400));
        let all = world.operations().count();
        assert!(all as u64 > MANY, "{all}");
        past.settle(&mut world, |_| false);
        let left = world.operations().count();
        assert!(left < 1_000, "{left} of {all} are left");
        assert!(past.held.len() < 100 && past.behind.len() == 4, "{} and {}", past.held.len(), past.behind.len());
        assert_eq!(world.operations_begun(), all as u64);
        assert!(past.explains(&world));
    }

    #[test]
    fn storms_are_explained_by_the_log_however_often_their_past_is_let_go() {
        for seed in 0..40 {
            let length = Duration::from_secs(60);
            let scenario = crate::sim::hunt(seed, None, length, Profile::Full, crate::raft::Rules::ALL);
            let mut world = Simulation::new(scenario).unwrap();
            let mut past = Past::of_pieces(8);
            play(&mut past, &mut world, Time::ZERO + length);
            assert_eq!(world.violation(), None, "seed {seed}");
            assert!(!past.is_empty() && past.explains(&world), "seed {seed}");
        }
    }

    #[test]
    fn what_contradicts_the_past_brings_doubt() {
        let mut scenario = Scenario::new(7, 3);
        scenario.actions.push(TimedAction { at: Time::from_secs(3), action: Action::Crash(Target::Leader) });
        let mut world = Simulation::new(scenario).unwrap();
        let mut past = Past::of_pieces(8);
        play(&mut past, &mut world, Time::ZERO + CALM_AFTER);
        assert!(past.index > 3 && past.clone().explains(&world));
        // A read from a store that was behind all of it, which no client can have asked for so
        // late.
        let mut stale = world.operations().find(|record| matches!(record.request, Request::Read(_))).unwrap().clone();
        (stale.number, stale.point) = (9_999, Some(2));
        past.hold(&stale);
        assert!(past.doubtful && !past.explains(&world));
    }
}
