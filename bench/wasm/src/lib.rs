//! The simulators' workload and journeys, for `run.js`. Nothing is imported: time is measured
//! outside.

#[path = "../../src/simulator/workload.rs"]
mod workload;

use std::cell::RefCell;

use raft_core::sim::{Simulation, Timeline};
use raft_core::time::Time;
use workload::{Disks, Journey};

// As the page has.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

thread_local! {
    static PLAYED: RefCell<Option<Simulation>> = const { RefCell::new(None) };
    static TRAVELLED: RefCell<Option<Timeline>> = const { RefCell::new(None) };
}

/// Plays the workload with all checkers on; how many events.
#[unsafe(no_mangle)]
pub extern "C" fn simulate(seconds: u32) -> f64 {
    let world = workload::play(u64::from(seconds), Disks::Perfect, true);
    let events = world.events() as f64;
    PLAYED.replace(Some(world));
    events
}

/// The trace hash of what was played last.
#[unsafe(no_mangle)]
pub extern "C" fn trace_hash() -> u64 {
    PLAYED.with_borrow(|world| world.as_ref().map_or(0, Simulation::trace_hash))
}

/// Plays a journey's run to its end, to be travelled through.
#[unsafe(no_mangle)]
pub extern "C" fn prepare(journey: u32, seconds: u32) {
    let journey = [Journey::Page, Journey::Workload, Journey::Faulty][journey as usize];
    TRAVELLED.replace(Some(workload::travel(journey, u64::from(seconds))));
}

/// Goes to a moment, in microseconds; how many events have been played there.
#[unsafe(no_mangle)]
pub extern "C" fn seek(micros: f64) -> f64 {
    let time = Time::from_micros(micros as u64);
    TRAVELLED.with_borrow_mut(|run| run.as_mut().map_or(-1.0, |run| run.seek(time).event as f64))
}

/// The most events that a seek replays in that run: between two of its checkpoints.
#[unsafe(no_mangle)]
pub extern "C" fn longest_gap() -> f64 {
    TRAVELLED.with_borrow(|run| run.as_ref().map_or(0.0, |run| run.holdings().longest_gap as f64))
}

/// What its checkpoints weigh, in bytes, by estimate.
#[unsafe(no_mangle)]
pub extern "C" fn checkpoint_bytes() -> f64 {
    TRAVELLED.with_borrow(|run| run.as_ref().map_or(0.0, |run| run.holdings().bytes as f64))
}
