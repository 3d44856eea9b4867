//! The simulators' workload and journeys, for `run.js`. The module imports nothing: `run.js`
//! measures the time.

#[path = "../../src/simulator/workload.rs"]
mod workload;

use std::cell::RefCell;

use raft_core::sim::{Simulation, Timeline};
use raft_core::time::Time;
use workload::{Disks, Journey};

// The same allocator as in the page.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

thread_local! {
    static PLAYED: RefCell<Option<Simulation>> = const { RefCell::new(None) };
    static TRAVELLED: RefCell<Option<Timeline>> = const { RefCell::new(None) };
}

/// Plays the workload with all checkers on. Returns the number of events.
#[unsafe(no_mangle)]
pub extern "C" fn simulate(seconds: u32) -> f64 {
    let world = workload::play(u64::from(seconds), Disks::Perfect, true);
    let events = world.events() as f64;
    PLAYED.replace(Some(world));
    events
}

/// The trace hash of the last run.
#[unsafe(no_mangle)]
pub extern "C" fn trace_hash() -> u64 {
    PLAYED.with_borrow(|world| world.as_ref().map_or(0, Simulation::trace_hash))
}

/// Plays a journey's run to its end, for `seek`.
#[unsafe(no_mangle)]
pub extern "C" fn prepare(journey: u32, seconds: u32) {
    let journey = [Journey::Page, Journey::Workload, Journey::Faulty][journey as usize];
    TRAVELLED.replace(Some(workload::travel(journey, u64::from(seconds))));
}

/// Seeks to a moment, in microseconds. Returns how many events have been played there.
#[unsafe(no_mangle)]
pub extern "C" fn seek(micros: f64) -> f64 {
    let time = Time::from_micros(micros as u64);
    TRAVELLED.with_borrow_mut(|run| run.as_mut().map_or(-1.0, |run| run.seek(time).event as f64))
}

/// The most events between two checkpoints of that run, which is the most that a seek replays.
#[unsafe(no_mangle)]
pub extern "C" fn longest_gap() -> f64 {
    TRAVELLED.with_borrow(|run| run.as_ref().map_or(0.0, |run| run.holdings().longest_gap as f64))
}

/// The estimated size of its checkpoints, in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn checkpoint_bytes() -> f64 {
    TRAVELLED.with_borrow(|run| run.as_ref().map_or(0.0, |run| run.holdings().bytes as f64))
}
