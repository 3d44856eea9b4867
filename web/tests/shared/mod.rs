//! Tests that run natively, in Node and in a browser: the same scenario plays the same events in all three.

use raft_core::raft::ServerId;
use raft_core::sim::{Action, Scenario, Simulation, Storm, Target, storm};
use raft_core::time::{Duration, Time};
use wasm_bindgen_test::wasm_bindgen_test;

/// Twenty seconds of a busy cluster in a storm, with everything that draws a random number.
fn stormy(seed: u64, servers: u8) -> Simulation {
    let mut scenario = Scenario::new(seed, servers);
    scenario.parameters.clients.count = 3;
    scenario.parameters.clients.think_time = Duration::from_millis(60);
    scenario.parameters.network.duplication = 10_000;
    scenario.parameters.timing.snapshot_after_entries = 50;
    let faults = Storm {
        length: Duration::from_secs(16),
        crash_every: Duration::from_millis(1_200),
        down_for: Duration::from_millis(900),
        cut_every: Duration::from_millis(2_500),
        cut_for: Duration::from_millis(1_500),
        loss_max: 200_000,
    };
    scenario.actions = storm(seed, servers, &faults);
    let mut world = Simulation::new(scenario).expect("the parameters make a world");
    world.run_until(Time::from_secs(20));
    assert_eq!(world.violation(), None);
    world
}

/// What the worlds below come to. A change here is a change of every shared link: it wants a reason in the commit.
const HASHES: [(u64, u8, u64); 3] = [
    (1, 5, 6_230_646_731_881_553_628),
    (2, 3, 8_853_348_802_346_663_838),
    (18_446_744_073_709_551_615, 9, 15_135_396_383_558_765_289),
];

#[wasm_bindgen_test(unsupported = test)]
fn the_same_scenario_has_the_same_trace_hash_everywhere() {
    let hashes = HASHES.map(|(seed, servers, _)| (seed, servers, stormy(seed, servers).trace_hash()));
    assert_eq!(hashes, HASHES);
}

#[wasm_bindgen_test(unsupported = test)]
fn acting_by_hand_has_the_same_trace_hash_everywhere() {
    let mut world = Simulation::new(Scenario::new(7, 5)).expect("the parameters make a world");
    world.run_until(Time::from_millis(900));
    let s = |number| ServerId::new(number).expect("servers are numbered from 1");
    let actions = [
        Action::Submit("put greeting \"good morning\"".into()),
        Action::Cut { from: s(1), to: s(2) },
        Action::Crash(Target::Leader),
        Action::Partition(vec![0, 0, 1, 1, 1]),
        Action::HealAll,
    ];
    for action in actions {
        world.act(action).expect("the actions make sense");
        world.run_until(world.now() + Duration::from_micros(123_457));
    }
    world.run_until(Time::from_secs(5));
    assert_eq!(world.violation(), None);
    assert_eq!(world.trace_hash(), BY_HAND);
}

const BY_HAND: u64 = 1_050_494_297_391_930_474;
