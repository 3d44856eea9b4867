//! Shrinks a failing run: fewer actions, a shorter time, a simpler world, as long as it fails in
//! the same way.
//!
//! This is delta debugging (Zeller and Hildebrandt, 2002): leave out halves of the actions, then
//! quarters, and so on down to single ones; keep what still fails. In between, simplify the world.
//! Without one of its actions a run plays differently from there on, with other random choices. So
//! a candidate that doesn't fail is tried with a few other seeds before it is dismissed, where that
//! is worth the time. The same failure always shrinks in the same way.

use alloc::vec::Vec;

use crate::format::Run;
use crate::sim::{Action, CALM_AFTER, Parameters, Scenario, TimedAction};
use crate::time::{Duration, Time};

/// How a run fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<K> {
    /// In which way. A candidate must fail in the same way.
    pub kind: K,
    /// When.
    pub at: Time,
}

/// A run made small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The run. Its moment is that of the failure, or before, where that comes of waiting.
    pub run: Run,
    /// How many candidates were tried.
    pub tries: u32,
    /// Whether it went on until nothing more could be left out, and wasn't cut short by the number
    /// of tries or stopped.
    pub finished: bool,
}

/// Shrinks `run`, which fails like `failure`, in at most `tries_max` tries. `fails` plays a run and
/// says how it fails, if it does.
pub fn shrink<K: PartialEq>(
    run: &Run,
    failure: &Failure<K>,
    tries_max: u32,
    fails: impl FnMut(&Run) -> Option<Failure<K>>,
) -> Shrunk {
    shrink_while(run, failure, tries_max, fails, &|| true)
}

/// Like [`shrink`], for as long as `go_on` allows. Stopped early, it returns the smallest run so
/// far.
pub fn shrink_while<K: PartialEq>(
    run: &Run,
    failure: &Failure<K>,
    tries_max: u32,
    fails: impl FnMut(&Run) -> Option<Failure<K>>,
    go_on: &dyn Fn() -> bool,
) -> Shrunk {
    let (best, kind) = (run.clone(), &failure.kind);
    let mut shrinker = Shrinker { best, kind, fails, thorough: false, tries: 0, tries_max, go_on };
    shrinker.cut(failure.at);
    while !shrinker.is_spent() {
        let before = shrinker.best.clone();
        shrinker.drop_actions();
        shrinker.simplify_world();
        shrinker.close_gaps();
        shrinker.fail_sooner();
        if shrinker.best == before {
            if shrinker.thorough {
                break;
            }
            shrinker.thorough = true;
        }
    }
    Shrunk { finished: !shrinker.is_spent(), tries: shrinker.tries, run: shrinker.best }
}

/// How many other seeds a candidate that doesn't fail is tried with, if it leaves out many actions,
/// or if few are left.
const SEEDS: u64 = 4;

/// How many seeds are tried for a sooner failure.
const LUCK: u64 = 40;

/// A failure within this percentage of the time comes much sooner.
const SOONER: u64 = 80;

/// This many actions are many to leave out at once.
const MUCH: usize = 4;

/// This many actions are few.
const LITTLE: usize = 40;

struct Shrinker<'a, K, F> {
    best: Run,
    kind: &'a K,
    fails: F,
    /// Whether everything else has been tried, so that other seeds are tried for every candidate.
    thorough: bool,
    tries: u32,
    tries_max: u32,
    go_on: &'a dyn Fn() -> bool,
}

impl<K: PartialEq, F: FnMut(&Run) -> Option<Failure<K>>> Shrinker<'_, K, F> {
    fn is_spent(&self) -> bool {
        self.tries >= self.tries_max || !(self.go_on)()
    }

    /// Nothing after the failure matters.
    fn cut(&mut self, at: Time) {
        self.best.until = self.best.until.min(at);
        self.best.cut();
    }

    /// Takes the candidate if it fails in the same way. Returns whether it did.
    fn try_one(&mut self, candidate: Run) -> bool {
        self.try_before(candidate, Time::NEVER)
    }

    /// Takes the candidate if it fails in the same way, by `latest`.
    fn try_before(&mut self, candidate: Run, latest: Time) -> bool {
        if self.is_spent() || candidate.scenario.check().is_err() {
            return false;
        }
        self.tries += 1;
        match (self.fails)(&candidate) {
            Some(failure) if failure.kind == *self.kind && failure.at <= latest => {
                self.best = candidate;
                self.cut(failure.at);
                true
            }
            _ => false,
        }
    }

    /// Like [`Self::try_one`], but also with other seeds, where that is worth the time.
    fn try_seeds(&mut self, candidate: Run) -> bool {
        let seed = candidate.scenario.seed;
        let (now, then) = (self.best.scenario.actions.len(), candidate.scenario.actions.len());
        let worth_it = self.thorough || now <= LITTLE || now.saturating_sub(then) >= MUCH;
        (0..=if worth_it { SEEDS } else { 0 }).any(|other| {
            let scenario = Scenario { seed: seed.wrapping_add(other), ..candidate.scenario.clone() };
            self.try_one(Run { scenario, ..candidate.clone() })
        })
    }

    fn with_actions(&self, actions: Vec<TimedAction>) -> Run {
        Run { scenario: Scenario { actions, ..self.best.scenario.clone() }, ..self.best.clone() }
    }

    /// Leaves out as many actions as it can.
    fn drop_actions(&mut self) {
        let mut size = self.best.scenario.actions.len();
        while size > 0 {
            let mut start = 0;
            while start < self.best.scenario.actions.len() {
                let actions = &self.best.scenario.actions;
                let end = actions.len().min(start + size);
                let rest = [&actions[..start], &actions[end..]].concat();
                let candidate = self.with_actions(rest);
                if !self.try_seeds(candidate) {
                    start += size;
                }
            }
            size = (size / 2).min(self.best.scenario.actions.len());
        }
    }

    /// Makes the world's parameters the default ones, or smaller, as far as it can.
    fn simplify_world(&mut self) {
        let simpler: [fn(&mut Parameters); 11] = [
            |p| p.clients.count = 0,
            |p| p.clients.count = 1,
            |p| p.clients.count = 2,
            |p| p.clients = Parameters { clients: p.clients, ..Parameters::default() }.clients,
            |p| p.clients.lease_reads = false,
            |p| p.clients.keys = 1,
            |p| p.network = Parameters::default().network,
            |p| p.disk = Parameters::default().disk,
            |p| p.timing = Parameters::default().timing,
            |p| p.timing.pre_vote = true,
            |p| p.timing.snapshot_after_entries = Parameters::default().timing.snapshot_after_entries,
        ];
        for servers in 1..self.best.scenario.parameters.servers {
            if self.try_seeds(self.with_servers(servers)) {
                break;
            }
        }
        for simplify in simpler {
            let mut candidate = self.best.clone();
            simplify(&mut candidate.scenario.parameters);
            let clients = candidate.scenario.parameters.clients.count;
            if candidate != self.best && clients <= self.best.scenario.parameters.clients.count {
                self.try_seeds(candidate);
            }
        }
    }

    /// The run with this many servers, without the actions that make no sense then.
    fn with_servers(&self, servers: u8) -> Run {
        let mut run = self.best.clone();
        run.scenario.parameters.servers = servers;
        let mut actions = core::mem::take(&mut run.scenario.actions);
        let joining = actions.iter().any(|timed| timed.action == Action::AddServer);
        for timed in &mut actions {
            if let Action::Partition(groups) = &mut timed.action
                && !joining
            {
                groups.truncate(usize::from(servers));
            }
        }
        run.scenario.actions = actions.clone();
        actions.retain(|timed| run.scenario.check_action(&timed.action).is_ok());
        run.scenario.actions = actions;
        run
    }

    /// Moves actions closer to those before them, when few are left.
    fn close_gaps(&mut self) {
        if self.best.scenario.actions.len() > LITTLE && !self.thorough {
            return;
        }
        for place in 0..self.best.scenario.actions.len() {
            for percent in [100, 50, 20] {
                let Some(sooner) = self.sooner(place, percent) else { break };
                if self.try_seeds(sooner) {
                    break;
                }
            }
        }
        // A cluster that doesn't come back to work fails when its time is up: the run gets no more
        // time than it is due.
        let last = self.best.scenario.actions.last().map_or(Time::ZERO, |timed| timed.at);
        let until = last + CALM_AFTER;
        if until < self.best.until {
            self.try_one(Run { until, ..self.best.clone() });
        }
    }

    /// Looks for a seed with which the same run fails much sooner.
    fn fail_sooner(&mut self) {
        for seed in 0..LUCK {
            let latest = Time::ZERO + self.best.until.since(Time::ZERO).percent(SOONER);
            let scenario = Scenario { seed, ..self.best.scenario.clone() };
            self.try_before(Run { scenario, ..self.best.clone() }, latest);
        }
    }

    /// The run with an action, and all actions after it, sooner, by this percentage of the time
    /// since the action before it.
    fn sooner(&self, place: usize, percent: u64) -> Option<Run> {
        let actions = &self.best.scenario.actions;
        let at = actions.get(place)?.at;
        let before = place.checked_sub(1).map_or(Time::ZERO, |place| actions[place].at);
        let by = at.since(before).percent(percent);
        if by < Duration::from_millis(1) {
            return None;
        }
        let mut actions = actions.clone();
        for timed in &mut actions[place..] {
            timed.at = Time::ZERO + (timed.at.since(Time::ZERO) - by);
        }
        let mut run = self.with_actions(actions);
        // The end isn't sooner by as much: an election takes the time it takes.
        run.until = self.best.until;
        Some(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::ServerId;
    use crate::sim::Target;

    fn s(number: u8) -> ServerId {
        ServerId::new(number).unwrap()
    }

    fn run() -> Run {
        let mut scenario = Scenario::new(1, 5);
        for second in 1..=60 {
            let server = s((second % 5) as u8 + 1);
            scenario.actions.push(TimedAction { at: Time::from_secs(second), action: Action::Restart(server) });
        }
        Run { scenario, until: Time::from_secs(100), hash: None }
    }

    #[test]
    fn two_actions_that_matter_are_all_that_is_left() {
        // Fails if S2 is restarted some time after S3, at least a second later.
        let fails = |run: &Run| {
            let first = run.scenario.actions.iter().find(|timed| timed.action == Action::Restart(s(3)))?.at;
            let late = first + Duration::from_secs(1);
            let second = |timed: &&TimedAction| timed.action == Action::Restart(s(2)) && timed.at >= late;
            run.scenario.actions.iter().find(second).map(|timed| Failure { kind: (), at: timed.at })
        };
        let failure = fails(&run()).unwrap();
        let shrunk = shrink(&run(), &failure, 10_000, fails);
        assert!(shrunk.finished);
        let actions = &shrunk.run.scenario.actions;
        assert_eq!(actions.len(), 2, "{actions:?}");
        assert_eq!((actions[0].at, actions[1].at), (Time::ZERO, Time::from_secs(1)));
        assert_eq!(shrunk.run.until, Time::from_secs(1));
        assert_eq!(shrunk.run.scenario.parameters.servers, 3, "no fewer have an S3");
        assert_eq!(shrunk.run.scenario.parameters.clients.count, 0);
        assert_eq!(shrink(&run(), &failure, 10_000, fails), shrunk);
    }

    #[test]
    fn what_is_cut_names_no_server_that_joined_later() {
        let mut run = run();
        let at = Time::from_millis(500);
        run.scenario.actions.insert(0, TimedAction { at, action: Action::Crash(Target::Server(s(7))) });
        run.scenario.actions.push(TimedAction { at: Time::from_secs(90), action: Action::AddServer });
        assert_eq!(run.check(), Ok(()));
        let fails = |run: &Run| {
            assert_eq!(run.check(), Ok(()));
            (run.scenario.actions.len() > 40).then_some(Failure { kind: (), at: Time::from_secs(50) })
        };
        let shrunk = shrink(&run, &Failure { kind: (), at: Time::from_secs(50) }, 100, fails);
        assert_eq!(shrunk.run.check(), Ok(()));
        assert_eq!(shrunk.run.scenario.actions.len(), 41);
    }

    #[test]
    fn what_is_broken_off_has_what_it_found_so_far() {
        let left = core::cell::Cell::new(3);
        let fails = |run: &Run| {
            left.set(left.get() - 1);
            Some(Failure { kind: (), at: run.until })
        };
        let failure = Failure { kind: (), at: Time::from_secs(50) };
        let shrunk = shrink_while(&run(), &failure, 1_000, fails, &|| left.get() > 0);
        assert_eq!((shrunk.tries, shrunk.finished), (3, false));
        assert!(shrunk.run.scenario.actions.len() < 50 && shrunk.run.until <= failure.at);
        let untouched = shrink_while(&run(), &failure, 1_000, fails, &|| false);
        assert_eq!(
            (untouched.tries, untouched.run.until),
            (0, failure.at),
            "what comes after the failure is cut all the same"
        );
    }

    #[test]
    fn a_failure_of_another_kind_is_none_and_tries_are_bounded() {
        let mut count = 0;
        let fails = |run: &Run| {
            count += 1;
            Some(Failure { kind: run.scenario.actions.len() == 60, at: Time::from_secs(70) })
        };
        let shrunk = shrink(&run(), &Failure { kind: true, at: Time::from_secs(70) }, 50, fails);
        assert_eq!(shrunk.run.scenario.actions.len(), 60);
        assert_eq!((shrunk.tries, count, shrunk.finished), (50, 50, false));
    }
}
