//! Simulators: virtual seconds per second of CPU time, with the same workload.

pub mod event_loop;
#[path = "../../peers/node.rs"]
pub mod node;
pub mod workload;

use crate::OURS;
use crate::measure::{Contest, Cost, Sample, cost_of};
use crate::programs::Programs;
use event_loop::Played;
use raft_core::sim::{Machine, Simulation, Timeline};
use workload::{Disks, Journey};

pub const PLAIN: &str = "simulator";
pub const CHECKED: &str = "simulator, checked";
pub const FAULTY: &str = "simulator, disk faults";
pub const WASM: &str = "simulator, wasm";
pub const SEEK: &str = "seek";

/// raft-rs in a bare event loop, with encoded messages.
pub const LOOP: &str = "raft-rs, bare loop";
pub const BY_VALUE: &str = "raft-rs, bare loop, no encoding";
pub const MADSIM: &str = "raft-rs in madsim";
pub const TURMOIL: &str = "raft-rs in turmoil";
/// Ours, natively.
pub const NATIVE: &str = "Raftarium, native";

/// The length of a run, also in a quick measurement.
const SECONDS: u64 = 600;

/// All contests about the simulator.
pub fn contests(programs: &Programs) -> Vec<Contest> {
    let seconds = SECONDS;
    let unit = "virtual s/CPU s";
    let mut plain = Contest::new(PLAIN, format!("{seconds} virtual seconds, checkers off"), unit)
        .with(OURS, move || ours(seconds, Disks::Perfect, false))
        .with(LOOP, move || bare::<event_loop::Bytes>(seconds))
        .with(BY_VALUE, move || bare::<event_loop::Value>(seconds));
    for (name, program) in [(MADSIM, &programs.madsim), (TURMOIL, &programs.turmoil)] {
        if let Some(program) = program.clone() {
            plain = plain.with_fallible(name, move || program.simulate(seconds));
        }
    }
    let mut contests = vec![
        plain,
        Contest::new(CHECKED, format!("{seconds} virtual seconds, all checkers on"), unit)
            .with(OURS, move || ours(seconds, Disks::Perfect, true)),
        Contest::new(FAULTY, format!("{seconds} virtual seconds, checkers and disk faults on"), unit)
            .with(OURS, move || ours(seconds, Disks::Faulty, true)),
    ];
    if let Some(page) = &programs.wasm {
        let module = page.clone();
        let wasm = Contest::new(WASM, format!("{seconds} virtual seconds, checkers on, in wasm (Node)"), unit)
            .with_fallible(OURS, move || module.simulate(seconds))
            .with(NATIVE, move || ours(seconds, Disks::Perfect, true));
        contests.push(wasm);
        let journeys = [
            (Journey::Page, "as the page opens"),
            (Journey::Workload, "of the simulators' workload"),
            (Journey::Faulty, "of the same with disk faults"),
        ];
        for (journey, what) in journeys {
            let module = page.clone();
            let name = format!("seek to a random moment of {} minutes {what}, wasm, 99th percentile", seconds / 60);
            contests.push(Contest::less(SEEK, name, "ms").with_fallible(OURS, move || module.seek(journey, seconds)));
        }
    }
    contests
}

/// Our simulator.
pub fn ours(seconds: u64, disks: Disks, checkers: bool) -> Sample {
    let mut world = None;
    let cost = cost_of(|| world = Some(workload::play(seconds, disks, checkers)));
    let played = world.as_ref().map(played).expect("it has been played");
    if disks == Disks::Perfect {
        check(&played, seconds);
    }
    sample(seconds, &cost, played.sent)
}

fn played(world: &Simulation) -> Played {
    let applied = |machine: &Machine| machine.raft().map(|raft| raft.applied_index().0);
    let applied = world.machines().iter().filter_map(applied).max().unwrap_or(0);
    Played { sent: world.network().sent(), applied }
}

/// Checks that a contender has done the work: of 50 commands a second, only a few are lost while
/// there is no leader.
fn check(played: &Played, seconds: u64) {
    let Played { sent, applied } = *played;
    assert!((45 * seconds..50 * seconds).contains(&applied), "{applied} entries were applied in {seconds} s");
    // At least eight messages for each entry.
    assert!(sent > 8 * applied, "{applied} entries were applied with {sent} messages");
}

/// The workload on a timeline, as the page plays it.
pub fn travel_of(seconds: u64) -> Timeline {
    workload::travel(Journey::Workload, seconds)
}

fn bare<W: event_loop::Wire>(seconds: u64) -> Sample {
    let mut played = Played { sent: 0, applied: 0 };
    let cost = cost_of(|| played = event_loop::play::<W>(seconds, 1));
    check(&played, seconds);
    sample(seconds, &cost, played.sent)
}

fn sample(seconds: u64, cost: &Cost, messages: u64) -> Sample {
    Sample {
        figure: seconds as f64 / cost.seconds,
        allocations: Some(cost.allocations as f64 / seconds as f64),
        messages: Some(messages as f64 / seconds as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_are_alike() {
        let theirs = event_loop::play::<event_loop::Bytes>(SECONDS, 1);
        let world = workload::play(SECONDS, Disks::Perfect, true);
        let ours = played(&world);
        println!("{} events of ours, {ours:?}; theirs, {theirs:?}", world.events());
        let alike = ours.applied.abs_diff(theirs.applied) < theirs.applied / 50;
        assert!(alike, "{} entries were applied, {} by raft-rs", ours.applied, theirs.applied);
    }
}
