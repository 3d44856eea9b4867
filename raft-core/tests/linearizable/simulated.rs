//! What clients see of simulated clusters in storms is linearizable, in the order of the log.

use raft_core::check::linearizable::{Monitor, MonitorStatus, Verdict};
use raft_core::raft::{Rule, Rules};
use raft_core::sim::{Profile, Scenario, Simulation, check_run, history_of, hunt};
use raft_core::time::{Duration, Time};
use raft_core::trial::quick::{Judgement, judge};

use super::assert_order;

/// A busy cluster in a storm of every kind of fault.
fn stormy(seed: u64) -> Scenario {
    hunt(seed, None, Duration::from_secs(60), Profile::Full, Rules::ALL)
}

#[test]
fn fifty_storms_look_like_one_store_to_their_clients() {
    let mut operations = 0;
    let mut unknown = 0;
    for seed in 0..50 {
        let mut world = Simulation::new(stormy(seed)).unwrap();
        world.run_until(Time::from_secs(60));
        let history = history_of(world.operations());
        match history.check() {
            Verdict::Linearizable(order) => assert_order(&history, &order),
            Verdict::NotLinearizable(explanation) => panic!("seed {seed}: {explanation}"),
            Verdict::Undecided { work, .. } => panic!("seed {seed}: undecided after {work}"),
        }
        assert_eq!(judge(world.operations()), Judgement::Linearizable, "seed {seed}");
        check_run(world.operations()).unwrap_or_else(|contradiction| panic!("seed {seed}: {contradiction}"));
        operations += history.operations().len();
        unknown += history.operations().iter().filter(|o| o.answer().is_none() && !o.failed()).count();
    }
    assert!(
        operations > 10_000 && unknown > 100,
        "only {operations} operations, {unknown} of unknown end: the storms are too mild"
    );
}

#[test]
fn a_monitor_follows_a_run() {
    let mut world = Simulation::new(stormy(3)).unwrap();
    let mut monitor = Monitor::new();
    for second in 1..=20 {
        world.run_until(Time::from_secs(second));
        let history = history_of(world.operations());
        assert_eq!(monitor.update(&history, 1_000_000), MonitorStatus::Linearizable, "at {second} s");
    }
}

#[test]
fn the_quick_verdict_is_never_another_than_the_search_s() {
    let (mut fine, mut broken, mut open) = (0, 0, 0);
    for rule in [Rule::ConfirmBeforeReading, Rule::OwnCommitBeforeReading, Rule::DeduplicateRetries] {
        for seed in 0..200 {
            let rules = Rules::ALL.without(rule);
            let scenario = hunt(seed, None, Duration::from_secs(30), Profile::Full, rules);
            let mut world = Simulation::new(scenario).unwrap();
            // The checker would stop the run before clients see much of the violation.
            world.stop_checking();
            world.run_until(Time::from_secs(30));
            let verdict = history_of(world.operations()).check();
            match (judge(world.operations()), verdict) {
                (Judgement::Linearizable, Verdict::Linearizable(_)) => fine += 1,
                (Judgement::NotLinearizable { .. }, Verdict::NotLinearizable(_)) => broken += 1,
                (Judgement::Undecided { .. }, _) => open += 1,
                (quick, slow) => panic!("{rule:?}, seed {seed}: {quick:?} and {slow:?}"),
            }
        }
    }
    assert!(fine > 200 && broken > 5 && open < 200, "{fine} fine, {broken} broken, {open} open");
}
