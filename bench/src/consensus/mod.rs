//! The consensus core alone, in memory: replication, heartbeats, reads.
//!
//! The comparison is fair: one thread, messages passed in memory with as little work as the library
//! allows, pre-vote and check-quorum on for both, logs compacted alike, and an entry counts when
//! *every* server has applied it. The servers' own assertions are on, as for every user.
//!
//! Commands arrive as from a network: in a buffer that is reused, so that both must copy them out
//! of it. Commands that arrive together are copied together, and are slices of the copy: both
//! libraries have shared bytes for that (`Bytes`). A single command is copied alone.

pub mod behind;
pub mod ours;
pub mod raft_rs;

use crate::measure::{Contest, Sample, cost_of};
use crate::{MEM, OURS, RAFT_RS, Scale};
use ::raft::storage::MemStorage;
use raft_rs::{Lean, Proposing, Store};

/// How many entries a log keeps; at twice as many it is compacted.
pub const COMPACT_EVERY: u64 = 4_096;

pub const SINGLE: &str = "single";
pub const BATCH: &str = "batch";
pub const IDLE: &str = "idle";
pub const READS: &str = "reads";

/// All contests about the consensus core.
pub fn contests(scale: Scale) -> Vec<Contest> {
    let mut contests = Vec::new();
    for servers in [3, 5] {
        for size in [16, 256] {
            contests.push(replication(servers, 1, size, scale));
        }
    }
    for servers in [3, 5] {
        for batch in [64, 256] {
            for size in [16, 256] {
                contests.push(replication(servers, batch, size, scale));
            }
        }
    }
    contests.push(idle(5, scale));
    for servers in [3, 5] {
        for batch in [1, 64] {
            contests.push(reads(servers, batch, scale));
        }
    }
    contests.extend(behind::contests(scale));
    contests
}

fn replication(servers: u8, batch: usize, size: usize, scale: Scale) -> Contest {
    let total = scale.of(if batch == 1 { 40_000 } else { 200_000 });
    let (row, how) =
        if batch == 1 { (SINGLE, "one entry a round".to_owned()) } else { (BATCH, format!("{batch} entries a batch")) };
    Contest::new(row, format!("{servers} servers, {how}, {size} B"), "entries/s")
        .with(OURS, move || replicate_ours(servers, batch, size, total))
        .with(RAFT_RS, move || replicate_raft_rs::<Lean>(servers, Proposing::Together, batch, size, total))
        .with(MEM, move || replicate_raft_rs::<MemStorage>(servers, Proposing::OneByOne, batch, size, total))
}

/// Rounds before the measurement, so that logs have been compacted and buffers have grown.
fn warm_up(batch: usize) -> usize {
    (3 * COMPACT_EVERY as usize / batch).max(10)
}

pub fn replicate_ours(servers: u8, batch: usize, size: usize, total: usize) -> Sample {
    let mut cluster = ours::Cluster::new(servers, &ours::compacting);
    let leader = cluster.leader().expect("a leader");
    let received = vec![0xa5; size * batch];
    for _ in 0..warm_up(batch) {
        cluster.propose(leader, &received, size);
    }
    cluster.pass_time();
    let (before, delivered) = (cluster.applied.clone(), cluster.delivered);
    let rounds = total / batch;
    let mut in_rounds = 0;
    let cost = cost_of(|| {
        for _ in 0..rounds {
            cluster.propose(leader, &received, size);
        }
        in_rounds = cluster.delivered - delivered;
        // Followers learn of a commit with the next message; of the last round's commit, with a
        // heartbeat.
        cluster.pass_time();
    });
    let done = rounds * batch;
    for (applied, before) in cluster.applied.iter().zip(before) {
        assert_eq!(applied - before, done as u64, "a server hasn't applied everything");
    }
    sample(done, &cost, in_rounds)
}

pub fn replicate_raft_rs<S: Store>(servers: u8, how: Proposing, batch: usize, size: usize, total: usize) -> Sample {
    let mut cluster = raft_rs::Cluster::<S>::new(u64::from(servers), Some(COMPACT_EVERY));
    // One entry needs no batch.
    let how = if batch == 1 { Proposing::OneByOne } else { how };
    let received = vec![0xa5; size * batch];
    for _ in 0..warm_up(batch) {
        cluster.propose(how, &received, size);
    }
    let (before, delivered) = (cluster.applied(), cluster.delivered);
    let rounds = total / batch;
    let cost = cost_of(|| {
        for _ in 0..rounds {
            cluster.propose(how, &received, size);
        }
    });
    let done = rounds * batch;
    assert_eq!(cluster.applied() - before, done as u64, "a server hasn't applied everything");
    sample(done, &cost, cluster.delivered - delivered)
}

fn sample(done: usize, cost: &crate::measure::Cost, delivered: u64) -> Sample {
    let each = |count: u64| Some(count as f64 / done as f64);
    Sample { figure: done as f64 / cost.seconds, allocations: each(cost.allocations), messages: each(delivered) }
}

/// Only heartbeats: a round is one heartbeat to every follower, and all answers.
fn idle(servers: u8, scale: Scale) -> Contest {
    let rounds = scale.of(100_000);
    let ours = move || {
        let mut cluster = ours::Cluster::new(servers, &ours::compacting);
        let leader = cluster.leader();
        (0..1_000).for_each(|_| cluster.pass_time());
        let delivered = cluster.delivered;
        let cost = cost_of(|| (0..rounds).for_each(|_| cluster.pass_time()));
        assert_eq!(cluster.leader(), leader, "an idle cluster has another leader");
        let delivered = cluster.delivered - delivered;
        assert_eq!(delivered, rounds as u64 * 2 * u64::from(servers - 1), "something else than heartbeats happened");
        sample(rounds, &cost, delivered)
    };
    let theirs = move || {
        let mut cluster = raft_rs::Cluster::<Lean>::new(u64::from(servers), Some(COMPACT_EVERY));
        (0..1_000).for_each(|_| cluster.tick());
        let delivered = cluster.delivered;
        let cost = cost_of(|| (0..rounds).for_each(|_| cluster.tick()));
        assert!(cluster.leads(), "an idle cluster has another leader");
        sample(rounds, &cost, cluster.delivered - delivered)
    };
    Contest::new(IDLE, format!("{servers} servers, idle"), "heartbeat rounds/s").with(OURS, ours).with(RAFT_RS, theirs)
}

/// Linearizable reads at the leader, each confirmed by a round of heartbeats (ReadIndex).
fn reads(servers: u8, batch: usize, scale: Scale) -> Contest {
    let rounds = scale.of(100_000) / batch;
    let ours = move || {
        let mut cluster = ours::Cluster::new(servers, &ours::compacting);
        let leader = cluster.leader().expect("a leader");
        cluster.propose(leader, &[0; 16], 16);
        (0..100).for_each(|_| cluster.read(leader, batch));
        let (answered, delivered) = (cluster.answered, cluster.delivered);
        let cost = cost_of(|| (0..rounds).for_each(|_| cluster.read(leader, batch)));
        assert_eq!(cluster.answered - answered, (rounds * batch) as u64, "a read wasn't answered");
        sample(rounds * batch, &cost, cluster.delivered - delivered)
    };
    let theirs = move || {
        let mut cluster = raft_rs::Cluster::<Lean>::new(u64::from(servers), Some(COMPACT_EVERY));
        cluster.propose(Proposing::OneByOne, &[0; 16], 16);
        let mut number = 0;
        (0..100).for_each(|_| cluster.read(batch, &mut number));
        let (answered, delivered) = (cluster.answered(), cluster.delivered);
        let cost = cost_of(|| (0..rounds).for_each(|_| cluster.read(batch, &mut number)));
        assert_eq!(cluster.answered() - answered, (rounds * batch) as u64, "a read wasn't answered");
        sample(rounds * batch, &cost, cluster.delivered - delivered)
    };
    let how = if batch == 1 { "one at a time".to_owned() } else { format!("{batch} at once") };
    Contest::new(READS, format!("{servers} servers, ReadIndex {how}"), "reads/s").with(OURS, ours).with(RAFT_RS, theirs)
}
