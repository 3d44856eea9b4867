//! How much memory a ten-minute run takes with all its past.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use raft_core::sim::{Scenario, Timeline};
use raft_core::time::{Duration, Time};

/// Counts the bytes in use. This test is alone in its process, so that nothing else is counted.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code, reason = "an allocator can be counted only from within")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = IN_USE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const MIB: usize = 1 << 20;

#[test]
fn ten_busy_minutes_of_five_servers_stay_under_64_mib() {
    let mut scenario = Scenario::new(1, 5);
    scenario.parameters.clients.think_time = Duration::from_millis(20);
    let before = IN_USE.load(Ordering::Relaxed);
    let mut run = Timeline::new(scenario).unwrap();
    run.play_until(Time::from_secs(600));
    let played = IN_USE.load(Ordering::Relaxed) - before;
    assert!(run.world().operations().count() > 9_000, "the client was busy");

    // Seeking, and reading the news there, leaks nothing.
    for second in (0..600).rev().step_by(7) {
        run.seek(Time::from_secs(second));
        run.story(0, 4_096);
        run.step_back();
    }
    let travelled = IN_USE.load(Ordering::Relaxed) - before;
    assert!(travelled < played + 2 * MIB, "{played} bytes before, {travelled} after");
    let most = MOST.load(Ordering::Relaxed) - before;
    assert!(most < 64 * MIB, "{} MiB at most, {:?}", most / MIB, run.holdings());
    println!("{} KiB at most, {} KiB after travelling; {:?}", most / 1_024, travelled / 1_024, run.holdings());
}
