//! The linearizability checker: the black-box search on histories of clients that overlap, and the
//! witness check of a run.
//!
//! `cargo bench -p raftarium-core --bench linearizability`; criterion compares with the previous
//! run.

#[path = "../tests/linearizable/generate.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod generate;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use generate::{Recipe, generate};
use raft_core::check::linearizable::{Verdict, witness};
use raft_core::sim::{Scenario, Simulation, check_run};
use raft_core::time::{Duration, Time};

fn search(c: &mut Criterion) {
    let mut group = c.benchmark_group("search");
    for (operations, keys, clients) in [(1_000, 1, 5), (10_000, 1, 5), (10_000, 10, 5), (100_000, 50, 10)] {
        let (history, points) = generate(1, &Recipe { operations, keys, clients, ..Recipe::PLAIN });
        group.throughput(Throughput::Elements(operations as u64));
        group.bench_function(BenchmarkId::new(format!("{operations} operations"), format!("{keys} keys")), |b| {
            b.iter(|| assert!(matches!(history.check(), Verdict::Linearizable(_))));
        });
        group.bench_function(BenchmarkId::new(format!("{operations} with witnesses"), format!("{keys} keys")), |b| {
            b.iter(|| assert!(witness::check(&history, &points).is_ok()));
        });
    }
    group.finish();
}

fn run(c: &mut Criterion) {
    let mut scenario = Scenario::new(1, 5);
    scenario.parameters.clients.count = 8;
    scenario.parameters.clients.think_time = Duration::from_millis(20);
    let mut world = Simulation::new(scenario).expect("a scenario that can be played");
    world.run_until(Time::from_secs(60));
    c.bench_function("a minute of a simulated run", |b| b.iter(|| assert!(check_run(world.operations()).is_ok())));
}

criterion_group!(benches, search, run);
criterion_main!(benches);
