//! A follower that was cut off catches up, by log or by snapshot, until it has applied everything.

use raft_core::raft::{Config, Entry, Payload, ServerId, Term};

use super::COMPACT_EVERY;
use super::ours::{Cluster, keeping_all};
use super::raft_rs::{self, Lean, Store};
use crate::measure::{Contest, Cost, Sample, cost_of, whole};
use crate::{OURS, RAFT_RS, Scale};

pub const BEHIND: &str = "behind";

/// The size of an entry, in bytes.
const SIZE: usize = 16;

/// The size of the state machine, a counter of applied entries, in bytes.
const COUNTER: usize = 8;

pub fn contests(scale: Scale) -> Vec<Contest> {
    let entries = scale.of(1_000_000);
    let mut contests = vec![
        Contest::less(BEHIND, format!("{} entries behind, by log", whole(entries as u64)), "ms")
            .with(OURS, move || by_log_ours(entries))
            .with(RAFT_RS, move || by_log_raft_rs(entries)),
    ];
    for (size, what) in [(COUNTER, "8 B"), (1 << 20, "1 MiB")] {
        let name = format!("{} entries behind, by a snapshot of {what}", whole(entries as u64));
        let contest = Contest::less(BEHIND, name, "ms")
            .with(OURS, move || by_snapshot_ours(entries, size))
            .with(RAFT_RS, move || by_snapshot_raft_rs(entries, size));
        contests.push(contest);
    }
    contests
}

fn sample(entries: usize, cost: &Cost, messages: u64) -> Sample {
    let each = |count: u64| Some(count as f64 / entries as f64);
    Sample { figure: cost.seconds * 1_000.0, allocations: each(cost.allocations), messages: each(messages) }
}

/// Appends are as large as the peer's, however many entries that is.
fn in_large_appends(config: &mut Config) {
    keeping_all(config);
    config.append_entries_max = usize::MAX;
}

/// The logs are compacted when everything has been applied. A leader keeps entries for a member
/// that it heard not long ago, as far as memory allows; here the member has been away for longer,
/// so memory allows no more than the peer keeps.
fn compacting_at_the_end(config: &mut Config) {
    in_large_appends(config);
    config.snapshot_after_entries = COMPACT_EVERY;
    config.snapshot_after_bytes = COMPACT_EVERY * SIZE as u64;
    config.entries_kept = COMPACT_EVERY;
}

fn entries_of_ours(count: usize) -> Vec<Entry> {
    let entry = |number: usize| {
        let mut command = [0xa5; SIZE];
        command[..8].copy_from_slice(&number.to_le_bytes());
        Entry { term: Term(1), payload: Payload::Command(command.as_slice().into()) }
    };
    (0..count).map(entry).collect()
}

fn server(number: u8) -> ServerId {
    ServerId::new(number).expect("a server's number")
}

/// Three servers; the third has an empty log and is cut off.
fn two_and_one(entries: usize, settings: super::ours::Settings<'_>, snapshot: usize) -> Cluster {
    let log = entries_of_ours(entries);
    let mut cluster = Cluster::with_logs(vec![log.clone(), log, Vec::new()], settings);
    cluster.set_snapshot(vec![0xa5; snapshot].into());
    leave_out_the_third(&mut cluster);
    assert_eq!(cluster.applied[..2], [entries as u64; 2], "the others haven't applied everything");
    cluster
}

/// The first server leads, and the second knows everything that it has committed; the third is cut
/// off.
pub fn leave_out_the_third(cluster: &mut Cluster) {
    cluster.cut_off = Some(server(3));
    cluster.elect_by_order(server(1));
    while cluster.server(server(2)).applied_index() < cluster.server(server(1)).log().last().index {
        cluster.pass_time();
    }
}

/// Runs until the third server knows everything that is committed.
pub fn catch_up(cluster: &mut Cluster) -> (Cost, u64) {
    let delivered = cluster.delivered;
    let commit = cluster.server(server(1)).commit_index();
    cluster.cut_off = None;
    let cost = cost_of(|| {
        while cluster.server(server(3)).applied_index() < commit {
            cluster.pass_time();
        }
    });
    (cost, cluster.delivered - delivered)
}

fn by_log_ours(entries: usize) -> Sample {
    let mut cluster = two_and_one(entries, &in_large_appends, 0);
    let (cost, messages) = catch_up(&mut cluster);
    assert_eq!(cluster.applied[2], entries as u64, "the third server hasn't applied everything");
    sample(entries, &cost, messages)
}

fn by_snapshot_ours(entries: usize, size: usize) -> Sample {
    let mut cluster = two_and_one(entries, &compacting_at_the_end, size);
    let (cost, messages) = catch_up(&mut cluster);
    assert!(cluster.applied[2] < COMPACT_EVERY, "it didn't come by a snapshot");
    sample(entries, &cost, messages)
}

fn entries_of_raft_rs(count: usize) -> Vec<raft::eraftpb::Entry> {
    let entry = |number: usize| {
        let mut command = vec![0xa5; SIZE];
        command[..8].copy_from_slice(&number.to_le_bytes());
        let (term, index) = (1, number as u64 + 1);
        raft::eraftpb::Entry { term, index, data: command.into(), ..raft::eraftpb::Entry::default() }
    };
    (0..count).map(entry).collect()
}

fn two_and_one_of_raft_rs(entries: usize) -> raft_rs::Cluster<Lean> {
    let log = entries_of_raft_rs(entries);
    let stores = vec![Lean::holding(log.clone(), 3), Lean::holding(log, 3), Lean::holding(Vec::new(), 3)];
    let mut cluster = raft_rs::Cluster::start(stores, None);
    leave_out_the_third_of_raft_rs(&mut cluster);
    for id in [1, 2] {
        assert_eq!(cluster.applied_by(id), entries as u64, "the others haven't applied everything");
    }
    cluster
}

/// The same with raft-rs.
pub fn leave_out_the_third_of_raft_rs(cluster: &mut raft_rs::Cluster<Lean>) {
    cluster.cut_off = Some(3);
    cluster.elect(1);
    while cluster.applied_index(2) < cluster.applied_index(1) {
        cluster.tick();
    }
}

pub fn catch_up_raft_rs(cluster: &mut raft_rs::Cluster<Lean>) -> (Cost, u64) {
    let delivered = cluster.delivered;
    let commit = cluster.applied_index(1);
    cluster.cut_off = None;
    let cost = cost_of(|| {
        while cluster.applied_index(3) < commit {
            cluster.tick();
        }
    });
    (cost, cluster.delivered - delivered)
}

fn by_log_raft_rs(entries: usize) -> Sample {
    let mut cluster = two_and_one_of_raft_rs(entries);
    let (cost, messages) = catch_up_raft_rs(&mut cluster);
    assert_eq!(cluster.applied_by(3), entries as u64, "the third server hasn't applied everything");
    sample(entries, &cost, messages)
}

fn by_snapshot_raft_rs(entries: usize, size: usize) -> Sample {
    let mut cluster = two_and_one_of_raft_rs(entries);
    let last = cluster.applied_index(1);
    let store = cluster.store(1);
    store.take_snapshot(last, vec![0xa5; size]);
    store.compact(last - COMPACT_EVERY);
    let (cost, messages) = catch_up_raft_rs(&mut cluster);
    assert!(cluster.applied_by(3) < COMPACT_EVERY, "it didn't come by a snapshot");
    sample(entries, &cost, messages)
}
