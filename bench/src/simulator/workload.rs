//! The workload of every simulator: five servers, 50 commands a second, messages that take 1 to 10
//! ms, one in a hundred of them lost, and a leader that is isolated for three seconds of every ten.
//! The timing is that of raft-rs with ticks of 50 ms: heartbeats every 100 ms, elections after 500
//! ms to 1 s.
//!
//! Our commands come from simulated clients, which wait for their answers over the same network.
//! There are just enough of them that the cluster applies as many entries as in the peers' hosts,
//! which hand commands directly to the leader. A fifth of our clients' requests are reads, which
//! aren't part of the workload: they are answered under the leader's lease, without a round of
//! heartbeats each.

use raft_core::raft::ServerId;
use raft_core::sim::{Action, Scenario, Simulation, Target, TimedAction, Timeline};
use raft_core::time::{Duration, Time};

/// Which faults the disks have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disks {
    /// None, and writes are durable at once, since the peers have no disks.
    Perfect,
    /// Writes take 1 to 3 ms, and every two seconds a disk has a fault.
    Faulty,
}

/// The scenario of this many virtual seconds.
pub fn scenario(seconds: u64, disks: Disks) -> Scenario {
    let millis = Duration::from_millis;
    let mut scenario = Scenario::new(1, 5);
    let parameters = &mut scenario.parameters;
    (parameters.network.latency_min, parameters.network.latency_max) = (millis(1), millis(10));
    parameters.network.loss = 10_000;
    (parameters.disk.fsync_min, parameters.disk.fsync_max) = match disks {
        Disks::Perfect => (Duration::ZERO, Duration::ZERO),
        Disks::Faulty => (millis(1), millis(3)),
    };
    (parameters.timing.election_timeout_min, parameters.timing.election_timeout_max) = (millis(500), millis(1_000));
    parameters.timing.heartbeat_interval = millis(100);
    parameters.clients.count = 8;
    parameters.clients.think_time = millis(103);
    parameters.clients.lease_reads = true;
    for at in (10..seconds).step_by(10) {
        put(&mut scenario, Time::from_secs(at), Action::Isolate(Target::Leader));
        put(&mut scenario, Time::from_secs(at + 3), Action::HealAll);
    }
    if disks == Disks::Faulty {
        break_disks(&mut scenario, seconds);
    }
    scenario.actions.sort_by_key(|timed| timed.at);
    scenario
}

fn put(scenario: &mut Scenario, at: Time, action: Action) {
    scenario.actions.push(TimedAction { at, action });
}

/// One fault after the other, on one server after the other; half a second after each, everything
/// works again.
fn break_disks(scenario: &mut Scenario, seconds: u64) {
    for (turn, at) in (1..seconds).step_by(2).enumerate() {
        let Some(server) = ServerId::new((turn % 5) as u8 + 1) else { continue };
        let (begins, ends) = (Time::from_secs(at), Time::from_millis(at * 1_000 + 500));
        let (fault, end) = match turn % 6 {
            0 => (Action::FailWrite(Target::Writer), Action::RestartAll),
            1 => (Action::TearWrite(Target::Writer), Action::RestartAll),
            2 => (Action::Rot(Target::Server(server)), Action::RestartAll),
            3 => (Action::StallDisk { server, stalled: true }, Action::StallDisk { server, stalled: false }),
            4 => (Action::FillDisk { server, full: true }, Action::FillDisk { server, full: false }),
            _ => (Action::Crash(Target::Writer), Action::RestartAll),
        };
        put(scenario, begins, fault);
        put(scenario, ends, end);
    }
}

/// Plays the workload, and returns the world at its end.
///
/// # Panics
/// If a checker finds a violation.
pub fn play(seconds: u64, disks: Disks, checkers: bool) -> Simulation {
    let mut world = Simulation::new(scenario(seconds, disks)).expect("a scenario that can be played");
    if !checkers {
        world.stop_checking();
    }
    world.run_until(Time::from_secs(seconds));
    if let Some(violation) = world.violation() {
        panic!("{violation}");
    }
    world
}

/// The runs in which seeks are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journey {
    /// The run that the page plays when it is opened.
    Page,
    /// The simulators' workload.
    Workload,
    /// The simulators' workload with disk faults.
    Faulty,
}

/// The timeline of such a run, played to its end.
pub fn travel(journey: Journey, seconds: u64) -> Timeline {
    let scenario = match journey {
        Journey::Page => Scenario::new(1, 5),
        Journey::Workload => scenario(seconds, Disks::Perfect),
        Journey::Faulty => scenario(seconds, Disks::Faulty),
    };
    let mut run = Timeline::new(scenario).expect("a scenario that can be played");
    run.play_until(Time::from_secs(seconds));
    run
}
