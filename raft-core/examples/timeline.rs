//! The cost of time travel: how long a seek takes, how large a checkpoint is, how much memory a run
//! takes.
//!
//! `cargo run --release -p raftarium-core --example timeline [-- MINUTES]` plays runs of five
//! servers (ten minutes by default): with a busy client (think time 20 ms), in a storm of network
//! faults, and, a tenth as long, in a storm of every kind of fault. It seeks to random times in
//! each.

#![allow(clippy::disallowed_types, clippy::disallowed_methods)] // What is measured here is real time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration as Elapsed, Instant};

use raft_core::raft::Rules;
use raft_core::sim::timeline::MomentKind;
use raft_core::sim::{Profile, Scenario, Simulation, Timeline, hunt};
use raft_core::time::{Duration, Time};

/// Counts the bytes in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator can be counted only from within")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    let minutes = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10);
    let length = Duration::from_secs(60 * minutes);
    let mut busy = Scenario::new(1, 5);
    busy.parameters.clients.think_time = Duration::from_millis(20);
    measure("a busy client", busy, length);
    let storm = |length, profile| hunt(1, Some(5), length, profile, Rules::ALL);
    measure("a storm over the network", storm(length, Profile::Network), length);
    let tenth = Duration::from_secs(6 * minutes);
    measure("a storm of everything", storm(tenth, Profile::Full), tenth);
}

fn measure(name: &str, scenario: Scenario, length: Duration) {
    println!("{length} of {name}");
    let end = Time::ZERO + length;
    let before = IN_USE.load(Relaxed);

    let start = Instant::now();
    let mut plain = Simulation::new(scenario.clone()).expect("a scenario that can be played");
    plain.run_until(end);
    let took = start.elapsed();
    println!(
        "  straight play        {:>9.1} ms, {} events, {:.0} ns each",
        millis(took),
        plain.events(),
        per(took, plain.events())
    );
    println!("  the world alone      {:>9.1} KiB", kib(IN_USE.load(Relaxed) - before));
    let clones = 1_000;
    let start = Instant::now();
    for _ in 0..clones {
        black_box(plain.clone());
    }
    println!("  a clone              {:>9.1} µs", per(start.elapsed(), clones) / 1_000.0);
    drop(plain);

    let before = IN_USE.load(Relaxed);
    let start = Instant::now();
    let mut run = Timeline::new(scenario).expect("a scenario that can be played");
    run.play_until(end);
    let took = start.elapsed();
    let events = run.position().event;
    println!("  with the timeline    {:>9.1} ms, {:.0} ns an event", millis(took), per(took, events));
    println!("  all in memory        {:>9.1} KiB, {:?}", kib(IN_USE.load(Relaxed) - before), run.holdings());

    let reached = run.position().time.as_micros();
    let targets: Vec<Time> = scattered(7).take(1_000).map(|number| Time::from_micros(number % reached)).collect();
    let id = run.playing().id();
    let to_the_end = |run: &mut Timeline, _| {
        run.seek(Time::from_micros(reached));
    };
    let nothing = |_: &mut Timeline, _| {};
    show(&mut run, "seek anywhere", targets.len(), nothing, |run, turn| {
        run.seek(targets[turn]);
    });
    let go = |run: &mut Timeline, turn: usize| {
        run.seek(targets[turn]);
    };
    show(&mut run, "… and look up its story", targets.len(), go, |run, _| {
        black_box(run.story(0, 200));
    });
    show(&mut run, "step back from there", targets.len(), go, |run, _| {
        run.step_back();
    });
    show(&mut run, "step back once more", targets.len(), nothing, |run, _| {
        run.step_back();
    });
    show(&mut run, "drag back by 0.1 %", 1_000, nothing, |run, turn| {
        run.seek(Time::from_micros(reached - reached / 1_000 * turn as u64));
    });
    show(&mut run, "to the last election", 50, to_the_end, |run, _| {
        if let Some(moment) = run.previous_moment(&[MomentKind::Election]) {
            run.seek_event(moment.event);
        }
    });
    show(&mut run, "tape in 2,000 buckets", 50, nothing, |run, _| {
        black_box(run.tape(id, Time::ZERO, Time::from_micros(reached), 2_000).expect("the branch is there"));
    });
    println!("  all in memory        {:>9.1} KiB after travelling", kib(IN_USE.load(Relaxed) - before));
}

/// Does something many times and shows how long it took. The whole row is repeated five times, and
/// the fastest of each counts: the others only show how busy the machine was.
fn show(
    run: &mut Timeline,
    name: &str,
    turns: usize,
    mut before: impl FnMut(&mut Timeline, usize),
    mut action: impl FnMut(&mut Timeline, usize),
) {
    let mut quickest = vec![Elapsed::MAX; turns];
    for _ in 0..5 {
        for (turn, quickest) in quickest.iter_mut().enumerate() {
            before(run, turn);
            let start = Instant::now();
            action(run, turn);
            *quickest = start.elapsed().min(*quickest);
        }
    }
    quickest.sort_unstable();
    let at = |share: usize| millis(quickest[(turns - 1) * share / 100]);
    println!(
        "  {name:<24} {:>7.3} ms in the middle, {:.3} at the 99th percentile, {:.3} at most",
        at(50),
        at(99),
        at(100)
    );
}

fn millis(took: Elapsed) -> f64 {
    took.as_secs_f64() * 1_000.0
}

/// Nanoseconds for each.
fn per(took: Elapsed, count: u64) -> f64 {
    took.as_secs_f64() * 1e9 / count as f64
}

fn kib(bytes: usize) -> f64 {
    bytes as f64 / 1_024.0
}

/// Scattered numbers.
fn scattered(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 24
    })
}
