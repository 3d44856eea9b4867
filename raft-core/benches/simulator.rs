//! The simulator: virtual seconds of a busy cluster of five, with checkers and without, and in a
//! storm.
//!
//! `cargo bench -p raftarium-core --bench simulator`; criterion compares with the previous run. The
//! throughput is in virtual seconds.

use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use raft_core::raft::Rules;
use raft_core::sim::{Action, Listening, Profile, Scenario, Simulation, Target, TimedAction, hunt};
use raft_core::time::{Duration, Time};

const SECONDS: u64 = 60;

/// Four busy clients; the leader is isolated for three seconds of every ten.
fn busy(lossy: bool) -> Scenario {
    let mut scenario = Scenario::new(1, 5);
    scenario.parameters.clients.count = 4;
    scenario.parameters.clients.think_time = Duration::from_millis(30);
    scenario.parameters.network.loss = if lossy { 10_000 } else { 0 };
    for at in (10..SECONDS).step_by(10) {
        let actions = [(at, Action::Isolate(Target::Leader)), (at + 3, Action::HealAll)];
        let timed = actions.map(|(at, action)| TimedAction { at: Time::from_secs(at), action });
        scenario.actions.extend(timed);
    }
    scenario
}

fn play(
    group: &mut BenchmarkGroup<criterion::measurement::WallTime>,
    name: &str,
    scenario: &Scenario,
    set: fn(&mut Simulation),
) {
    let world = || {
        let mut world = Simulation::new(scenario.clone()).expect("a scenario that can be played");
        set(&mut world);
        world
    };
    group.bench_function(name, |b| {
        b.iter_batched(
            world,
            |mut world| {
                world.run_until(Time::from_secs(SECONDS));
                assert!(world.violation().is_none());
                world
            },
            BatchSize::LargeInput,
        );
    });
}

fn simulator(c: &mut Criterion) {
    let mut group = c.benchmark_group("virtual seconds");
    group.sample_size(20).throughput(Throughput::Elements(SECONDS));
    play(&mut group, "checkers off", &busy(true), Simulation::stop_checking);
    play(&mut group, "checkers on", &busy(true), |_| {});
    play(&mut group, "checkers and news on", &busy(true), |world| world.listen(Listening::News));
    let storm = hunt(1, Some(5), Duration::from_secs(SECONDS), Profile::Full, Rules::ALL);
    play(&mut group, "a storm of everything", &storm, |_| {});
    group.finish();
}

criterion_group!(benches, simulator);
criterion_main!(benches);
