//! Whether what the clients have seen is linearizable.

use raft_core::check::linearizable::Verdict;
use raft_core::format::Run;
use raft_core::sim::{End, Scenario, Simulation, Timeline, history_of};
use raft_core::trial::quick::{Judgement, judge};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::js::{Refusal, run_of, to_js};

/// How often the search for an order looks at an operation: about a second of work. It searches
/// only where the order of the log explains nothing.
const WORK: u64 = 10_000_000;

/// The most branches of a run that are remembered; beyond that, it is played from its beginning.
const BRANCHES_MAX: usize = 8;

/// See `VerdictView` in `lab.d.ts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct VerdictView {
    state: &'static str,
    answers: u32,
    first: String,
    second: String,
}

/// Judges one run again and again, as it goes on. It plays the run itself, and remembers how far it
/// has come.
#[wasm_bindgen]
#[derive(Default)]
pub struct Judge {
    last: Option<(Scenario, Timeline)>,
}

#[wasm_bindgen]
impl Judge {
    /// A judge who knows no run.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Judge {
        Judge::default()
    }

    /// Whether what the clients of the run in the bytes have seen up to its moment is linearizable.
    ///
    /// # Errors
    /// A sentence, if the bytes are no run that can be played.
    #[wasm_bindgen(unchecked_return_type = "VerdictView")]
    pub fn judge(&mut self, bytes: &[u8]) -> Result<JsValue, JsValue> {
        to_js(&verdict_on(self.come_to(run_of(bytes)?)?))
    }
}

impl Judge {
    /// The world of a run at its moment.
    fn come_to(&mut self, run: Run) -> Result<&Simulation, Refusal> {
        let Run { scenario, until, .. } = run;
        let timeline = match self.last.take().and_then(|last| gone_on(last, &scenario)) {
            Some(timeline) => timeline,
            None => Timeline::by_hand(scenario.clone())?,
        };
        let (_, timeline) = self.last.insert((scenario, timeline));
        timeline.seek(until);
        Ok(timeline.world())
    }
}

/// The timeline of the last run, if this one only goes on from it: nothing else was done in it, or
/// only something at its end.
fn gone_on((last, mut timeline): (Scenario, Timeline), scenario: &Scenario) -> Option<Timeline> {
    let same = (last.seed, &last.parameters) == (scenario.seed, &scenario.parameters);
    let more = scenario.actions.strip_prefix(&last.actions[..])?;
    if !same || timeline.branches().len() > BRANCHES_MAX {
        return None;
    }
    if let Some(next) = more.first() {
        // It may have been played further than the page has come.
        if timeline.position().time > next.at {
            timeline.seek(next.at);
        }
        timeline.act_out(more.to_vec()).ok()?;
    }
    Some(timeline)
}

fn verdict_on(world: &Simulation) -> VerdictView {
    let answered = world.operations().filter(|record| matches!(record.end, Some((_, End::Answered(_)))));
    let answers = answered.count() as u32;
    let view = |state, first, second| VerdictView { state, answers, first, second };
    match judge(world.operations()) {
        Judgement::Linearizable => view("linearizable", String::new(), String::new()),
        Judgement::NotLinearizable { first, second } => view("broken", first, second),
        // Another order than the log's may explain it.
        Judgement::Undecided { first, second } => match history_of(world.operations()).check_within(WORK) {
            Verdict::Linearizable(_) => view("linearizable", first, second),
            Verdict::NotLinearizable(why) => view("broken", why.second, why.first),
            Verdict::Undecided { .. } => view("undecided", first, second),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::format::link;
    use raft_core::raft::{Rule, Rules};
    use raft_core::sim::{Action, Profile, Target, TimedAction};
    use raft_core::time::{Duration, Time};

    fn run(actions: &[(u64, Action)], until: u64) -> Run {
        let mut scenario = Scenario::new(7, 3);
        let timed =
            |(millis, action): &(u64, Action)| TimedAction { at: Time::from_millis(*millis), action: action.clone() };
        scenario.actions = actions.iter().map(timed).collect();
        Run { scenario, until: Time::from_millis(until), hash: None }
    }

    /// The world of a run that is played from its beginning.
    fn fresh(run: &Run) -> Simulation {
        let mut world = Simulation::new(run.scenario.clone()).unwrap();
        world.run_until(run.until);
        world
    }

    #[test]
    fn a_run_is_judged_as_it_goes() {
        let mut judge = Judge::new();
        let fine = |answers| VerdictView { state: "linearizable", answers, first: "".into(), second: "".into() };
        assert_eq!(verdict_on(judge.come_to(run(&[], 0)).unwrap()), fine(0));
        let later = verdict_on(judge.come_to(run(&[], 5_000)).unwrap());
        assert!(later.answers > 5);
        assert_eq!(later, fine(later.answers));
    }

    #[test]
    fn wherever_a_run_goes_its_judge_comes_to_the_same_world() {
        let put = |value: u32| Action::Submit(format!("put x {value}").as_str().into());
        let crash = Action::Crash(Target::Leader);
        let (one, two, other) = ((1_000, put(1)), (2_000, crash.clone()), (1_000, put(2)));
        let mut judge = Judge::new();
        for (actions, until) in [
            (vec![], 500),
            (vec![one.clone()], 1_000),
            (vec![one.clone()], 3_000),
            // Something is done in the past, and twice at the same moment.
            (vec![one.clone(), two.clone()], 2_000),
            (vec![one.clone(), two.clone(), (2_000, put(3))], 4_000),
            // Back, with the future still known; and on another branch.
            (vec![one.clone(), two.clone(), (2_000, put(3))], 700),
            (vec![other], 3_000),
            (vec![one.clone()], 2_500),
            (vec![one, two, (2_500, Action::RestartAll)], 6_000),
            (vec![], 6_000),
        ] {
            let run = run(&actions, until);
            let world = judge.come_to(run.clone()).unwrap();
            assert_eq!((world.now(), world.trace_hash()), (run.until, fresh(&run).trace_hash()), "{actions:?}");
        }
        // Neither is another run taken for one that goes on.
        let mut another = run(&[], 6_000);
        another.scenario.seed = 8;
        assert_eq!(judge.come_to(another.clone()).unwrap().trace_hash(), fresh(&another).trace_hash());
        another.scenario.parameters.clients.count += 1;
        assert_eq!(judge.come_to(another.clone()).unwrap().trace_hash(), fresh(&another).trace_hash());
    }

    #[test]
    fn the_runs_of_a_hunt_are_judged_as_they_were_played() {
        let mut judge = Judge::new();
        for seed in 0..10 {
            let scenario = raft_core::sim::hunt(seed, None, Duration::from_secs(10), Profile::Full, Rules::ALL);
            let run = Run { scenario, until: Time::from_secs(10), hash: None };
            let world = judge.come_to(run.clone()).unwrap();
            assert_eq!(world.trace_hash(), fresh(&run).trace_hash(), "seed {seed}");
            assert_eq!(verdict_on(world).state, "linearizable", "seed {seed}");
        }
    }

    #[test]
    fn many_branches_are_not_all_kept() {
        let mut judge = Judge::new();
        let mut actions = Vec::new();
        for n in 0..3 * BRANCHES_MAX as u64 {
            actions.push((1_000 + n, Action::Crash(Target::Leader)));
            let run = run(&actions, 5_000);
            assert_eq!(judge.come_to(run.clone()).unwrap().trace_hash(), fresh(&run).trace_hash());
            let (_, timeline) = judge.last.as_ref().unwrap();
            assert!(timeline.branches().len() <= BRANCHES_MAX + 1);
        }
    }

    /// What is seen of a leader without followers that answers from its own store.
    fn read_alone(seed: u64) -> VerdictView {
        let mut run = run(&[(1_000, Action::Submit("put x 1".into()))], 1_500);
        run.scenario.seed = seed;
        let parameters = &mut run.scenario.parameters;
        parameters.rules = Rules::ALL.without(Rule::ConfirmBeforeReading);
        parameters.timing.check_quorum = false;
        let mut judge = Judge::new();
        let leader = judge.come_to(run.clone()).unwrap().leader().expect("a leader");
        run.scenario.actions.push(TimedAction { at: run.until, action: Action::Isolate(Target::Server(leader)) });
        run.until = Time::from_secs(5);
        assert_eq!(verdict_on(judge.come_to(run.clone()).unwrap()).state, "linearizable");
        run.scenario.actions.push(TimedAction { at: run.until, action: Action::Submit("get x".into()) });
        run.until = Time::from_secs(6);
        verdict_on(judge.come_to(run.clone()).unwrap())
    }

    #[test]
    fn a_stale_read_is_found_and_one_that_another_order_explains_is_none() {
        let (mut broken, mut explained) = (0, 0);
        for seed in 0..20 {
            let view = read_alone(seed);
            let stale = view.first.contains("“get x” of client 1") || view.second.contains("“get x” of client 1");
            assert!(view.first.is_empty() || stale, "seed {seed}: {view:?}");
            broken += u32::from(view.state == "broken");
            explained += u32::from(view.state == "linearizable" && stale);
        }
        assert!(broken > 1 && explained > 1, "{broken} broken, {explained} explained");
    }

    #[test]
    fn what_is_no_run_is_refused() {
        assert!(run_of(&[1, 2]).is_err());
        let mut run = run(&[], 1_000);
        assert!(link::encode(&run).is_ok());
        run.scenario.parameters.servers = 0;
        assert!(Judge::new().come_to(run).is_err());
    }
}
