//! How cost grows with the number of servers, the length of the log, the divergence of two logs,
//! and virtual time.

use raft_core::raft::{Entry, Payload, Term};

use crate::consensus::{self, behind, ours, raft_rs};
use crate::measure::{Contest, Outcome, Sample, cost_of};
use crate::simulator::event_loop::{self, Bytes};
use crate::simulator::workload::{self, Disks};
use crate::simulator::{LOOP, travel_of};
use crate::{OURS, RAFT_RS, Scale};
use raft_rs::{Lean, Proposing};

/// One measured curve.
pub struct Curve {
    /// The name of its contests' row, and of its picture.
    pub row: &'static str,
    pub title: &'static str,
    /// The label of the x axis: what grows.
    pub x: &'static str,
    /// The label of the y axis: the cost.
    pub y: &'static str,
}

pub const CURVES: [Curve; 4] = [
    Curve {
        row: "growth-servers",
        title: "Cost of an entry with the number of servers",
        x: "servers",
        y: "CPU µs an entry, one entry a round, until all have applied it",
    },
    Curve {
        row: "growth-log",
        title: "Cost of an entry with the length of the log",
        x: "entries kept",
        y: "CPU µs an entry, 3 servers, one entry a round",
    },
    Curve {
        row: "growth-divergence",
        title: "Cost of making logs equal that have parted",
        x: "terms that only one of the two logs has, 4 entries each",
        y: "CPU µs until the follower has applied everything",
    },
    Curve {
        row: "growth-time",
        title: "Cost of a virtual minute with the length of the run",
        x: "virtual minutes",
        y: "CPU ms a virtual minute, the simulators' workload, all checkers on",
    },
];

/// Ours, played on a timeline, as in the page.
pub const TIMELINE: &str = "Raftarium, timeline";

/// The contests behind all curves.
pub fn contests(scale: Scale) -> Vec<Contest> {
    let [servers, log, divergence, time] = &CURVES;
    let mut contests = Vec::new();
    let at = |curve: &Curve, x: u64| {
        let unit = curve.y.split(',').next().unwrap_or_default();
        Contest { at: Some(x), ..Contest::less(curve.row, format!("{x} {}", curve.x), unit) }
    };
    for count in scale.some(&[3, 5, 9, 17, 33, 65, 101]) {
        let total = (scale.of(120_000) as u64 / count) as usize;
        let contest = at(servers, count)
            .with(OURS, move || micros(consensus::replicate_ours(count as u8, 1, 16, total)))
            .with(RAFT_RS, move || {
                micros(consensus::replicate_raft_rs::<Lean>(count as u8, Proposing::Together, 1, 16, total))
            });
        contests.push(contest);
    }
    for entries in scale.some(&[100, 1_000, 10_000, 100_000, 1_000_000]) {
        let total = scale.of(30_000);
        let contest = at(log, entries)
            .with(OURS, move || append_ours(entries, total))
            .with(RAFT_RS, move || append_raft_rs(entries, total));
        contests.push(contest);
    }
    for terms in scale.some(&[1, 10, 100, 1_000]) {
        let contest =
            at(divergence, terms).with(OURS, move || agree_ours(terms)).with(RAFT_RS, move || agree_raft_rs(terms));
        contests.push(contest);
    }
    for minutes in scale.some(&[1, 4, 15, 60]) {
        let contest = at(time, minutes)
            .with(OURS, move || minute_of(minutes, |seconds| workload::play(seconds, Disks::Perfect, true)))
            .with(TIMELINE, move || minute_of(minutes, travel_of))
            .with(LOOP, move || minute_of(minutes, |seconds| event_loop::play::<Bytes>(seconds, 1)));
        contests.push(contest);
    }
    contests
}

/// Converts entries a second into microseconds an entry.
fn micros(sample: Sample) -> Sample {
    Sample { figure: 1e6 / sample.figure, ..sample }
}

fn minute_of<T>(minutes: u64, play: impl FnOnce(u64) -> T) -> Sample {
    let mut played = None;
    let cost = cost_of(|| played = Some(play(60 * minutes)));
    Sample { figure: cost.seconds * 1_000.0 / minutes as f64, ..Sample::default() }
}

// ---------------------------------------------------------------- long logs

/// How many proposals are in a batch that fills a log.
const FILLING: usize = 64;

/// The size of a command, in bytes.
const SIZE: usize = 16;

/// Rounds before the measurement: the log is filled half-way to its next compaction.
fn filling(entries: u64) -> u64 {
    entries * 3 / 2 / FILLING as u64
}

fn append_ours(entries: u64, total: usize) -> Sample {
    let mut cluster = ours::Cluster::new(3, &|config| {
        ours::keeping_all(config);
        config.snapshot_after_entries = entries;
        config.entries_kept = entries;
    });
    let leader = cluster.leader().expect("a leader");
    (0..filling(entries)).for_each(|_| cluster.propose(leader, &[0xa5; SIZE * FILLING], SIZE));
    let cost = cost_of(|| {
        (0..total).for_each(|_| cluster.propose(leader, &[0xa5; SIZE], SIZE));
        cluster.pass_time();
    });
    Sample { figure: cost.seconds * 1e6 / total as f64, ..Sample::default() }
}

fn append_raft_rs(entries: u64, total: usize) -> Sample {
    let mut cluster = raft_rs::Cluster::<Lean>::new(3, Some(entries));
    (0..filling(entries)).for_each(|_| cluster.propose(Proposing::Together, &[0xa5; SIZE * FILLING], SIZE));
    let cost = cost_of(|| (0..total).for_each(|_| cluster.propose(Proposing::OneByOne, &[0xa5; SIZE], SIZE)));
    Sample { figure: cost.seconds * 1e6 / total as f64, ..Sample::default() }
}

// ---------------------------------------------------------------- divergent logs

const ENTRIES_A_TERM: u64 = 4;

/// The terms of two logs with a common beginning. After it, the leader's log has even terms and the
/// follower's odd ones, so that no term shows where they diverge. The leader's log ends later.
fn parted(terms: u64) -> [Vec<u64>; 2] {
    let log = |first: u64| {
        let own = (0..terms).flat_map(move |n| [first + 2 * n; ENTRIES_A_TERM as usize]);
        [1; ENTRIES_A_TERM as usize].into_iter().chain(own)
    };
    [log(2).chain([2 * terms + 2]).collect(), log(3).collect()]
}

fn agree_ours(terms: u64) -> Sample {
    let command = [0xa5; 16].as_slice();
    let entry = |term: &u64| Entry { term: Term(*term), payload: Payload::Command(command.into()) };
    let [leaders, followers] = parted(terms).map(|log| log.iter().map(entry).collect::<Vec<_>>());
    let mut cluster = ours::Cluster::with_logs(vec![leaders.clone(), leaders, followers], &ours::keeping_all);
    behind::leave_out_the_third(&mut cluster);
    let (cost, messages) = behind::catch_up(&mut cluster);
    Sample { figure: cost.seconds * 1e6, messages: Some(messages as f64), ..Sample::default() }
}

fn agree_raft_rs(terms: u64) -> Sample {
    let entry = |(index, term): (u64, &u64)| {
        let data = vec![0xa5; 16].into();
        raft::eraftpb::Entry { term: *term, index, data, ..raft::eraftpb::Entry::default() }
    };
    let [leaders, followers] = parted(terms).map(|log| (1..).zip(&log).map(entry).collect::<Vec<_>>());
    let logs = [leaders.clone(), leaders, followers];
    let stores = logs.into_iter().map(|log| Lean::holding(log, 3)).collect();
    let mut cluster = raft_rs::Cluster::start(stores, None);
    behind::leave_out_the_third_of_raft_rs(&mut cluster);
    let (cost, messages) = behind::catch_up_raft_rs(&mut cluster);
    Sample { figure: cost.seconds * 1e6, messages: Some(messages as f64), ..Sample::default() }
}

// ---------------------------------------------------------------- slopes

/// The points of one contender.
pub fn points(outcomes: &[Outcome], row: &str, name: &str) -> Vec<(f64, f64)> {
    let of = outcomes.iter().filter(|outcome| outcome.row == row);
    of.filter_map(|outcome| Some((outcome.at? as f64, outcome.of(name)?.median))).collect()
}

/// The exponent with which cost grows: the slope of the line through the points on logarithmic
/// scales, by least squares.
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let logs = || points.iter().map(|(x, y)| (x.ln(), y.ln()));
    let (mean_x, mean_y) = (logs().map(|p| p.0).sum::<f64>() / count, logs().map(|p| p.1).sum::<f64>() / count);
    let covariance: f64 = logs().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

/// The slope in words.
pub fn slope_in_words(slope: f64) -> &'static str {
    match slope {
        s if s < -0.1 => "falls",
        s if s < 0.1 => "constant",
        s if s < 0.8 => "less than linear",
        s if s < 1.2 => "linear",
        s if s < 1.8 => "more than linear",
        s if s < 2.2 => "quadratic",
        _ => "more than quadratic",
    }
}
