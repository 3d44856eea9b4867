//! The rule about clients that ask again.

use raft_core::check::Property;
use raft_core::kv::Outcome;
use raft_core::raft::{Rule, Rules};
use raft_core::sim::{Action, End, Scenario, Simulation};
use raft_core::time::{Duration, Time};

use crate::both_ways::both_ways_from;

/// Swaps by a client so impatient that it often asks again while its first try is being answered:
/// those answered with "not swapped", although nobody else uses the key.
fn swaps_in_a_hurry(rules: Rules) -> Vec<String> {
    let mut faults = Vec::new();
    for seed in 1..=10 {
        let mut scenario = Scenario::new(seed, 3);
        scenario.parameters.rules = rules;
        scenario.parameters.clients.count = 0;
        scenario.parameters.clients.attempt_timeout = Duration::from_millis(100);
        scenario.parameters.network.latency_max = Duration::from_millis(40);
        let mut world = Simulation::new(scenario).expect("the parameters make a world");
        world.run_until(Time::from_secs(1));
        for line in ["put x 1", "cas x 1 2"] {
            world.act(Action::Submit(line.into())).expect("a command");
            world.run_until(world.now() + Duration::from_secs(3));
        }
        let answer = world.operations().next_back().and_then(|swap| swap.end.clone());
        if let Some((_, End::Answered(Outcome::NotSwapped { actual }))) = answer {
            faults.push(format!("applied twice: not swapped, for the value is {actual:?} (seed {seed})"));
        }
        if let Some(violation) = world.violation() {
            assert_eq!(violation.property, Property::ExactlyOnce, "{violation}");
            faults.push(format!("applied twice: {violation} (seed {seed})"));
        }
    }
    faults
}

#[test]
fn a_retry_is_applied_once_because_it_is_recognised() {
    both_ways_from(Rules::ALL, Rule::DeduplicateRetries, "applied twice", swaps_in_a_hurry);
}
