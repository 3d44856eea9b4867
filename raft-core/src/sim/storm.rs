//! Storms: random faults for a hunt, drawn beforehand from a seed as a list of actions.
//!
//! Drawn beforehand, a failing run can be shrunk by leaving actions out. A storm never breaks more than Raft promises to
//! survive for ever: every crashed server restarts, every cut heals, and the last part of the run is calm.

use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::action::{Action, Target, TimedAction};
use super::parameters::Ppm;
use crate::hash::mix;
use crate::raft::{ServerId, ServerSet};
use crate::time::{Duration, Time};

/// How hard a storm blows. Each number is the time between two such faults on average; none where it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    /// How long it lasts.
    pub length: Duration,
    /// Crashes of a server, or of the leader.
    pub crash_every: Duration,
    /// How long a crashed server stays down, on average.
    pub down_for: Duration,
    /// Cuts of a link or partitions of the network.
    pub cut_every: Duration,
    /// How long a cut lasts, on average.
    pub cut_for: Duration,
    /// The most messages lost at a time; how many are changes every few seconds.
    pub loss_max: Ppm,
}

const STORM: u64 = 5;

/// The actions of a storm over a cluster of `servers`, in the order of their times.
pub fn storm(seed: u64, servers: u8, storm: &Storm) -> Vec<TimedAction> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(mix(seed, STORM, 0));
    let mut actions = Vec::new();
    let end = Time::ZERO + storm.length;
    let mut put = |at: Time, action: Action| {
        let at = at.min(end);
        actions.push(TimedAction { at, action });
    };
    let everyone = ServerSet::first(servers);
    let anyone = |random: &mut Xoshiro256PlusPlus| {
        let number = random.random_range(1..=servers);
        ServerId::new(number).unwrap_or_else(|| unreachable!("servers are numbered from 1"))
    };

    for at in moments(&mut random, storm.crash_every, end) {
        let back = at + about(&mut random, storm.down_for);
        let server = anyone(&mut random);
        let target = if random.random_range(0..3_u32) == 0 { Target::Leader } else { Target::Server(server) };
        put(at, Action::Crash(target));
        // Who led is known only when it happens: whoever is down then comes back.
        for server in everyone.iter() {
            if target == Target::Leader || target == Target::Server(server) {
                put(back, Action::Restart(server));
            }
        }
    }
    if servers > 1 {
        for at in moments(&mut random, storm.cut_every, end) {
            let back = at + about(&mut random, storm.cut_for);
            if random.random_range(0..2_u32) == 0 {
                let from = anyone(&mut random);
                let to = ServerId::new(from.number() % servers + 1).unwrap_or(from);
                put(at, Action::Cut { from, to });
            } else {
                let groups = everyone.iter().map(|_| random.random_range(0..2_u8)).collect();
                put(at, Action::Partition(groups));
            }
            put(back, Action::HealAll);
        }
    }
    if storm.loss_max > 0 {
        for at in moments(&mut random, Duration::from_secs(3), end) {
            let share = random.random_range(0..=storm.loss_max);
            put(at, Action::SetLoss(share));
        }
    }
    put(end, Action::SetLoss(0));
    put(end, Action::HealAll);
    for server in everyone.iter() {
        put(end, Action::Restart(server));
    }
    actions.sort_by_key(|timed| timed.at);
    actions
}

/// Moments about `every` apart, up to `end`.
fn moments(random: &mut Xoshiro256PlusPlus, every: Duration, end: Time) -> Vec<Time> {
    let mut moments = Vec::new();
    if every == Duration::ZERO {
        return moments;
    }
    let mut at = Time::ZERO + about(random, every);
    while at < end {
        moments.push(at);
        at += about(random, every);
    }
    moments
}

/// Evenly between nothing and twice `average`.
fn about(random: &mut Xoshiro256PlusPlus, average: Duration) -> Duration {
    Duration::from_micros(random.random_range(1..=average.as_micros().saturating_mul(2).max(1)))
}
