//! A run that is being played and judged, however long it is.
//!
//! [`Playing`] plays a run piece by piece. A watcher looks at it in between: it takes the news,
//! shows how far the run has come, or stops it. What is settled is judged on the way and forgotten,
//! so that a long run takes hardly more memory than a short one.

use alloc::vec::Vec;

use super::past::Past;
use super::{CATCHING_UP, Finding, GLANCE, GRACE, Played, Stuck, WRITES, calm_of, what_is_missing};
use crate::check::linearizable::witness::{self, Point};
use crate::check::linearizable::{History, Verdict};
use crate::format::Run;
use crate::sim::history_with_points;
use crate::sim::{CALM_AFTER, ClientId, ScenarioError, Simulation};
use crate::time::Time;

/// The most events played between two looks of the watcher: some milliseconds' work.
const EVENTS_AT_ONCE: u32 = 16_384;

/// Watches a run while it is played. A function can be a watcher.
pub trait Watcher {
    /// Called after some thousands of events, and after the last one. Returns whether to go on.
    ///
    /// Operations that ended before this moment may be forgotten afterwards. The world may be
    /// another one than before: if the forgotten past of a run is in doubt, the run is played once
    /// more to be judged.
    fn look(&mut self, world: &mut Simulation) -> bool;

    /// Called after each event while the run is played for the first time, for what must be seen
    /// before the next one.
    fn see(&mut self, _world: &mut Simulation) {}
}

impl<F: FnMut(&mut Simulation) -> bool> Watcher for F {
    fn look(&mut self, world: &mut Simulation) -> bool {
        self(world)
    }
}

/// A run that is being played, piece by piece. What is settled is judged on the way and forgotten.
#[derive(Clone, Debug)]
pub struct Playing {
    world: Simulation,
    until: Time,
    /// When the storm was over, until the cluster has been seen back at work.
    calm: Option<Time>,
    stuck: Option<Finding>,
    past: Past,
    /// What the cluster lacks to be back at work since a storm was over.
    lacks: Lacks,
}

/// What a cluster lacks to be back at work since that time.
pub(super) type Lacks = fn(&Simulation, Time) -> Option<Stuck>;

impl Playing {
    /// The run at its beginning.
    ///
    /// # Errors
    /// A run that can't be played.
    pub fn new(run: &Run) -> Result<Playing, ScenarioError> {
        Ok(Playing::of(Simulation::new(run.scenario.clone())?, run, what_is_missing))
    }

    /// The run at its beginning, in a world that the caller has made.
    pub(super) fn of(world: Simulation, run: &Run, lacks: Lacks) -> Playing {
        let owed = !run.scenario.parameters.checks.only_harm;
        let calm = calm_of(&run.scenario).filter(|calm| owed && *calm <= run.until);
        Playing { world, until: run.until, calm, stuck: None, past: Past::default(), lacks }
    }

    /// The world as it is now.
    pub fn world(&self) -> &Simulation {
        &self.world
    }

    /// The world, to listen to it or to count its marks. Don't play it on: that spoils the trial.
    pub fn world_mut(&mut self) -> &mut Simulation {
        &mut self.world
    }

    /// Plays up to the run's moment, or to the first thing that is wrong. Returns false if the
    /// watcher stopped it.
    pub fn play(&mut self, watcher: &mut impl Watcher) -> bool {
        if let Some(calm) = self.calm
            && !(self.run_until(calm, watcher) && self.settle(calm, self.until, watcher))
        {
            return false;
        }
        self.stuck.is_some() || self.run_until(self.until, watcher)
    }

    /// Judges what has been played, and plays on a little if the cluster isn't back at work after a
    /// storm. Returns `None` if the watcher stopped it.
    pub fn judge(mut self, work_max: u64, watcher: &mut impl Watcher) -> Option<Played> {
        // A run that ends sooner is owed nothing yet.
        if let Some(calm) = self.calm.filter(|calm| *calm + CALM_AFTER <= self.until) {
            let slow = self.world.scenario().parameters.disk.fsync_max.times(WRITES);
            // Counted from the calm, and not from the run's end: one that ends when the time was up
            // is judged like the one in which it was found.
            let deadline = calm + CALM_AFTER + GRACE + slow;
            if !self.settle(calm, deadline, watcher) {
                return None;
            }
            let behind =
                |world| matches!((self.lacks)(world, calm), Some(Stuck::Behind { .. } | Stuck::NotChanged { .. }));
            if self.calm.is_some() && behind(&self.world) && !self.settle(calm, deadline + CATCHING_UP, watcher) {
                return None;
            }
            if self.calm.is_some() && self.stuck.is_none() && self.world.violation().is_none() {
                self.stuck = (self.lacks)(&self.world, calm).map(|why| self.stuck(why, calm));
            }
        }
        let mut finding = self.world.violation().cloned().map(Finding::Violation);
        if finding.is_none() && (self.past.is_empty() || !self.past.explains(&self.world)) {
            finding = self.what_clients_saw(work_max, watcher)?;
        }
        Some(Played { finding: finding.or(self.stuck), world: self.world })
    }

    /// What is wrong with what clients saw, if anything is. The outer `None` says that the watcher
    /// stopped it.
    fn what_clients_saw(&self, work_max: u64, watcher: &mut impl Watcher) -> Option<Option<Finding>> {
        let (history, points) = self.history(watcher)?;
        let ended = |at: Option<Time>| at.unwrap_or(self.world.now());
        Some(match history.check_within(work_max) {
            Verdict::Linearizable(_) => None,
            Verdict::NotLinearizable(why) => Some(Finding::NotLinearizable { at: ended(why.at), why: *why }),
            Verdict::Undecided { .. } => witness::check(&history, &points).err().map(|why| {
                let at = ended(history.operation(why.operation).ended);
                Finding::AnotherStory { why, at }
            }),
        })
    }

    /// Plays on until the cluster is back at work, but no further than `limit`. Returns false if
    /// the watcher stopped it.
    fn settle(&mut self, calm: Time, limit: Time, watcher: &mut impl Watcher) -> bool {
        while self.stuck.is_none() && self.world.violation().is_none() {
            let at = self.world.now();
            match (self.lacks)(&self.world, calm) {
                None => {
                    self.calm = None;
                    break;
                }
                Some(why @ Stuck::StoresDiffer { .. }) => self.stuck = Some(self.stuck(why, calm)),
                Some(_) if at >= limit => break,
                Some(_) if !self.run_until(limit.min(at + GLANCE), watcher) => return false,
                Some(_) => {}
            }
        }
        true
    }

    /// What the cluster lacks now.
    fn stuck(&self, why: Stuck, calm: Time) -> Finding {
        let world = &self.world;
        Finding::Stuck { why, at: world.now(), calm, healed: world.healed(), leader: world.leader() }
    }

    fn run_until(&mut self, time: Time, watcher: &mut impl Watcher) -> bool {
        let calm = self.calm;
        loop {
            let more = run_some(&mut self.world, time, &mut |world| watcher.see(world));
            if !watcher.look(&mut self.world) {
                return false;
            }
            // The person's writes after the storm are kept: they show whether the cluster is back
            // at work.
            self.past.settle(&mut self.world, |record| {
                record.client == ClientId::PERSON && calm.is_some_and(|calm| record.began >= calm)
            });
            if !more {
                return true;
            }
        }
    }

    /// Everything that clients have seen, and where in the log it took effect. Plays the run once
    /// more, if some of it was forgotten.
    fn history(&self, watcher: &mut impl Watcher) -> Option<(History, Vec<Point>)> {
        if self.past.is_empty() {
            return Some(history_with_points(self.world.operations()));
        }
        let scenario = self.world.scenario().clone();
        let mut again = Simulation::new(scenario).unwrap_or_else(|error| panic!("it has been played: {error}"));
        // The checks found nothing the first time, and would find nothing again.
        again.stop_checking();
        loop {
            let more = run_some(&mut again, self.world.now(), &mut |_| {});
            if !watcher.look(&mut again) {
                return None;
            }
            if !more {
                return Some(history_with_points(again.operations()));
            }
        }
    }
}

/// Plays some events, but none after `time`. Returns whether there are more. If not, the clock
/// stands at `time`. `see` is called after each event.
fn run_some(world: &mut Simulation, time: Time, see: &mut dyn FnMut(&mut Simulation)) -> bool {
    for _ in 0..EVENTS_AT_ONCE {
        if !world.step_until(time) {
            world.run_until(time);
            return false;
        }
        see(world);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Guarantee;
    use crate::check::linearizable::WORK_DEFAULT;
    use crate::kv::{Outcome, Value};
    use crate::raft::{Rule, Rules};
    use crate::sim::Listening;
    use crate::sim::history_of;
    use crate::sim::{Action, End, OperationRecord, Profile, Scenario, Target, TimedAction};
    use crate::time::Duration;
    use crate::trial::{Hunt, play};
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;

    /// A run of this length forgets much of its past.
    const LONG: Time = Time::from_secs(150);

    fn busy(actions: impl IntoIterator<Item = (u64, Action)>, rules: Rules) -> Run {
        let mut scenario = Scenario::new(7, 5);
        scenario.parameters.rules = rules;
        scenario.parameters.clients.count = 4;
        scenario.parameters.clients.think_time = Duration::from_millis(30);
        scenario.parameters.clients.keys = 1;
        let timed = |(second, action)| TimedAction { at: Time::from_secs(second), action };
        scenario.actions = actions.into_iter().map(timed).collect();
        Run { scenario, until: LONG, hash: None }
    }

    #[test]
    fn a_long_run_is_judged_though_most_of_it_is_forgotten() {
        let crashes = (1..20).flat_map(|n| [(n * 7, Action::Crash(Target::Leader)), (n * 7 + 3, Action::RestartAll)]);
        let mut playing = Playing::new(&busy(crashes, Rules::ALL)).unwrap();
        let mut most = 0;
        let mut watcher = |world: &mut Simulation| {
            most = most.max(world.operations().count());
            true
        };
        assert!(playing.play(&mut watcher));
        let left = playing.world().operations().count();
        assert!(playing.world().operations_begun() > 6_000 && left < 5_000, "{left} are left");
        let mut watcher = |_: &mut Simulation| panic!("nothing has to be played once more");
        let played = playing.judge(1_000_000, &mut watcher).unwrap();
        assert_eq!(played.finding, None);
        assert!(most < 5_000, "{most} at the same time");
    }

    #[test]
    fn what_the_log_does_not_explain_is_judged_by_the_whole_run() {
        // A leader without followers answers from its own store.
        let rules = Rules::ALL.without(Rule::ConfirmBeforeReading);
        let mut run = busy([], rules);
        run.scenario.parameters.timing.check_quorum = false;
        run.scenario.parameters.clients.extra_reads = 950_000;
        let parted = Time::from_secs(146);
        let mut before = Simulation::new(run.scenario.clone()).unwrap();
        before.run_until(parted);
        let mut groups = vec![0; 5];
        groups[before.leader().unwrap().slot()] = 1;
        run.scenario.actions.push(TimedAction { at: parted, action: Action::Partition(groups) });
        let mut playing = Playing::new(&run).unwrap();
        playing.world_mut().stop_checking();
        assert!(playing.play(&mut |_: &mut Simulation| true));
        assert!(!playing.past.is_empty());
        let mut again = 0;
        let judge = |playing: Playing, again: &mut u32| {
            let mut watcher = |world: &mut Simulation| {
                *again += u32::from(world.now() < LONG);
                *again < 1_000
            };
            playing.judge(10_000_000, &mut watcher)
        };
        let played = judge(playing.clone(), &mut again).unwrap();
        let Some(Finding::NotLinearizable { at, .. }) = played.finding else { panic!("{:?}", played.finding) };
        assert!(at > parted, "{at}");
        assert!(again > 3, "it was played once more");
        assert!(judge(playing, &mut 1_000).is_none(), "and that may be broken off, too");
    }

    /// Half a calm minute in which nothing is wrong, and the last read in it that found something.
    fn calm() -> (Playing, u32) {
        let hunt = Hunt { profile: Profile::Calm, length: Duration::from_secs(30), ..Hunt::default() };
        let mut playing = Playing::new(&hunt.run(1).unwrap()).unwrap();
        assert!(playing.play(&mut |_: &mut Simulation| true));
        let read = |operation: &&OperationRecord| {
            matches!(operation.end, Some((_, End::Answered(Outcome::Found { value: Some(_) }))))
        };
        let number = playing.world().operations().rfind(read).expect("a read that found something").number;
        (playing, number)
    }

    fn finding(playing: &Playing, work_max: u64) -> Option<Finding> {
        playing.clone().judge(work_max, &mut |_: &mut Simulation| true).unwrap().finding
    }

    #[test]
    fn what_clients_saw_is_found_where_it_cannot_be_and_nothing_else_is() {
        let (mut playing, number) = calm();
        assert_eq!(finding(&playing, WORK_DEFAULT), None);
        playing.world_mut().tell_client(number, Outcome::Found { value: Some(Value::new("never").unwrap()) });
        assert_eq!(playing.world().violation(), None);
        let finding = finding(&playing, WORK_DEFAULT).expect("nobody has ever written that");
        assert!(matches!(finding, Finding::NotLinearizable { .. }));
        let found = finding.found();
        assert_eq!((found.what, found.at), (Guarantee::Linearizability, finding.at()));
        assert!(finding.to_string().ends_with(&format!("{}, but {}", found.first, found.second)), "{finding}");
        assert!(found.first.contains("found never"), "{found:?}");
    }

    #[test]
    fn a_run_that_ends_when_the_time_was_up_is_judged_like_the_one_in_which_that_was_found() {
        // In the last somebody is behind, and given longer: that is counted from the calm, too.
        let seeds = (0..30).map(|seed| (Rule::WinByMajority, seed)).chain([(Rule::StepDownOnHigherTerm, 11)]);
        let mut kinds = 0;
        for (rule, seed) in seeds {
            let mut run = Hunt { rules: Rules::ALL.without(rule), ..Hunt::default() }.run(seed).unwrap();
            let Some(finding @ Finding::Stuck { .. }) = play(&run).unwrap().finding else { continue };
            let found = finding.end(&mut run);
            let again = play(&run).unwrap();
            assert_eq!(again.finding, Some(finding), "seed {seed}");
            assert_eq!((again.world.now(), run.until), (found.at, found.at), "seed {seed}");
            kinds += 1;
        }
        assert!(kinds > 2, "{kinds} were stuck");
    }

    #[test]
    fn where_only_harm_is_looked_for_a_run_goes_on_past_a_broken_promise() {
        let hunt = Hunt {
            servers: Some(3),
            length: Duration::from_secs(20),
            rules: Rules::ALL.without(Rule::VoteOncePerTerm),
            ..Hunt::default()
        };
        let (mut promises, mut harm) = (0, 0);
        for seed in 0..40 {
            let first = play(&hunt.run(seed).unwrap()).unwrap();
            let run = Hunt { only_harm: true, ..hunt }.run(seed).unwrap();
            let later = play(&run).unwrap();
            let Some(Finding::Violation(broken)) = &first.finding else {
                assert_eq!(later.finding, None, "seed {seed}");
                continue;
            };
            assert!(!broken.property.is_harm(), "seed {seed}: {broken}");
            promises += 1;
            // Up to there the same was played.
            let mut world = Simulation::new(run.scenario.clone()).unwrap();
            while world.events() < first.world.events() && world.step() {}
            assert_eq!(world.trace_hash(), first.world.trace_hash(), "seed {seed}");
            match later.finding {
                None => assert_eq!(later.world.now(), run.until, "it owes no liveness"),
                Some(Finding::Violation(violation)) => {
                    assert!(violation.property.is_harm() && violation.at >= broken.at, "seed {seed}: {violation}");
                    let [leader, other] = violation.servers.iter().collect::<Vec<_>>()[..] else {
                        panic!("{violation}: of {}", violation.servers)
                    };
                    assert!(violation.to_string().contains(&leader.to_string()), "{violation}");
                    assert!(violation.to_string().contains(&other.to_string()), "{violation}");
                    harm += 1;
                }
                Some(finding) => assert_eq!(finding.what(), Guarantee::Linearizability, "seed {seed}"),
            }
        }
        assert!(promises > harm && harm > 1, "{promises} promises, {harm} times harm");
    }

    #[test]
    fn the_log_decides_what_the_search_cannot() {
        let (mut playing, number) = calm();
        let history = history_of(playing.world().operations());
        assert!(matches!(history.check_within(0), Verdict::Undecided { .. }), "it isn't allowed to look at anything");
        assert_eq!(finding(&playing, 0), None);
        // The read was served, the log says, from a store that had applied nothing yet.
        playing.world_mut().misplace(number, 0);
        let found = finding(&playing, 0).expect("the log doesn't explain it");
        assert!(matches!(found, Finding::AnotherStory { .. }), "{found:?}");
        assert_eq!(found.name(), "Linearizability");
        let sentence = found.to_string();
        assert!(sentence.contains("the log tells another story than the clients"), "{sentence}");
        assert_eq!(finding(&playing, WORK_DEFAULT), None, "the search knows an order");
    }

    #[test]
    fn whoever_watches_may_break_it_off() {
        let run = Hunt::default().run(3).unwrap();
        let mut looks = 0;
        let mut watcher = |_: &mut Simulation| {
            looks += 1;
            looks < 2
        };
        let mut playing = Playing::new(&run).unwrap();
        assert!(!playing.play(&mut watcher));
        assert!(playing.world().now() < run.until);
        assert_eq!(looks, 2);
    }

    #[test]
    fn however_closely_it_is_watched_a_run_plays_the_same() {
        let run = Hunt::default().run(3).unwrap();
        let mut heard = 0;
        let mut closely = |world: &mut Simulation| {
            heard += world.take_news().iter().filter(|news| news.is_of_traffic()).count();
            true
        };
        let mut playing = Playing::new(&run).unwrap();
        playing.world_mut().listen(Listening::Messages);
        playing.world_mut().count_marks();
        assert!(playing.play(&mut closely));
        let mut plain = Simulation::new(run.scenario.clone()).unwrap();
        plain.run_until(run.until);
        assert_eq!(plain.trace_hash(), playing.world().trace_hash());
        let (watched, played) = (playing.judge(1_000_000, &mut closely).unwrap(), play(&run).unwrap());
        assert!(heard > 1_000, "{heard} messages");
        assert_eq!((watched.finding, watched.world.trace_hash()), (played.finding, played.world.trace_hash()));
    }
}
