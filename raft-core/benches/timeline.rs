//! Travelling through a ten-minute run: a seek to anywhere, a step back, and what playing costs
//! with checkpoints.
//!
//! `cargo bench -p raftarium-core --bench timeline`; `examples/timeline.rs` shows percentiles and
//! memory.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use raft_core::sim::{Scenario, Timeline};
use raft_core::time::{Duration, Time};

const SECONDS: u64 = 600;

fn busy() -> Scenario {
    let mut scenario = Scenario::new(1, 5);
    scenario.parameters.clients.think_time = Duration::from_millis(20);
    scenario
}

/// Scattered times of the run.
fn scattered() -> impl Iterator<Item = Time> {
    let mut state = 7_u64;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Time::from_micros((state >> 24) % (SECONDS * 1_000_000))
    })
}

fn travel(c: &mut Criterion) {
    let mut run = Timeline::new(busy()).expect("a scenario that can be played");
    run.play_until(Time::from_secs(SECONDS));
    let mut times = scattered();
    c.bench_function("seek to anywhere", |b| {
        b.iter(|| black_box(times.next().map(|time| run.seek(time))));
    });
    c.bench_function("step back", |b| b.iter(|| run.step_back() || run.seek(Time::from_secs(SECONDS)).event > 0));
    let id = run.playing().id();
    c.bench_function("the tape in 2,000 buckets", |b| {
        b.iter(|| run.tape(id, Time::ZERO, Time::from_secs(SECONDS), 2_000).expect("a branch that is there"));
    });
    let mut group = c.benchmark_group("with checkpoints");
    group.sample_size(20);
    group.bench_function("play a minute", |b| {
        let new = || Timeline::new(busy()).expect("a scenario that can be played");
        b.iter_batched(
            new,
            |mut run| {
                run.play_until(Time::from_secs(60));
                run
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, travel);
criterion_main!(benches);
