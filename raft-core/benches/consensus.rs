//! The consensus core in memory: replication, heartbeats and reads, with messages that arrive at once and disks that are instant.
//!
//! `cargo bench -p raft-core --bench consensus`; criterion compares with the run before.

use std::collections::VecDeque;
use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use raft_core::raft::{
    Config, Configuration, Input, Message, Output, Proposal, Raft, ReadMode, ServerId, ServerSet, Start,
};
use raft_core::time::Time;

struct Cluster {
    servers: Vec<Raft>,
    on_the_way: VecDeque<(ServerId, ServerId, Message)>,
    out: Output,
    now: Time,
    leader: ServerId,
}

impl Cluster {
    /// A cluster with a leader.
    fn new(servers: u8) -> Cluster {
        let voters = ServerSet::first(servers);
        let start = |id| {
            let start = Start::Bootstrap(Configuration::of_voters(voters));
            Raft::new(Config::new(id, 7), start, Time::ZERO).expect("a server that can start")
        };
        let servers: Vec<Raft> = voters.iter().map(start).collect();
        let leader = servers[0].id();
        let mut cluster =
            Cluster { servers, on_the_way: VecDeque::new(), out: Output::default(), now: Time::ZERO, leader };
        while !cluster.servers.iter().any(Raft::is_leader) {
            cluster.pass_time();
        }
        cluster.leader = cluster.servers.iter().find(|raft| raft.is_leader()).map_or(leader, Raft::id);
        cluster
    }

    fn step(&mut self, server: ServerId, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next {
            self.servers[server.slot()].step(self.now, input, &mut self.out);
            for envelope in self.out.messages.drain(..) {
                self.on_the_way.push_back((envelope.to, server, envelope.message));
            }
            black_box(&self.out.committed);
            next = self.out.writes.last().map(|write| Input::Durable(write.receipt));
            if next.is_none() && self.out.snapshot_wanted {
                let index = self.servers[server.slot()].applied_index();
                next = Some(Input::SnapshotTaken { index, data: [].into() });
            }
        }
    }

    /// Delivers until nothing moves.
    fn settle(&mut self) {
        while let Some((to, from, message)) = self.on_the_way.pop_front() {
            self.step(to, Input::Message { from, message });
        }
    }

    /// To the next deadline, with what follows from it.
    fn pass_time(&mut self) {
        let next = self.servers.iter().min_by_key(|raft| raft.deadline()).expect("servers");
        let server = next.id();
        self.now = self.now.max(next.deadline());
        self.step(server, Input::TimerDue);
        self.settle();
    }

    fn propose(&mut self, count: usize) {
        let proposal = |id| Proposal { id, command: [0xa5; 16].as_slice().into() };
        let input = match count {
            1 => Input::Propose(proposal(0)),
            _ => Input::ProposeBatch((0..count as u64).map(proposal).collect()),
        };
        self.step(self.leader, input);
        self.settle();
    }

    fn read(&mut self, count: usize) {
        for id in 0..count as u64 {
            self.step(self.leader, Input::Read { id, mode: ReadMode::Confirmed });
        }
        self.settle();
    }
}

fn replication(c: &mut Criterion) {
    let mut group = c.benchmark_group("replicate");
    for servers in [3, 5] {
        for batch in [1, 64, 256] {
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::new(format!("{servers} servers"), batch), |b| {
                let mut cluster = Cluster::new(servers);
                b.iter(|| cluster.propose(batch));
            });
        }
    }
    group.finish();
}

fn heartbeats(c: &mut Criterion) {
    let mut cluster = Cluster::new(5);
    c.bench_function("a round of heartbeats, 5 servers", |b| b.iter(|| cluster.pass_time()));
}

fn reads(c: &mut Criterion) {
    let mut group = c.benchmark_group("ReadIndex, 3 servers");
    for batch in [1, 64] {
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |b| {
            let mut cluster = Cluster::new(3);
            cluster.propose(1);
            b.iter(|| cluster.read(batch));
        });
    }
    group.finish();
}

fn elections(c: &mut Criterion) {
    c.bench_function("an election of five", |b| {
        b.iter_batched(|| (), |()| Cluster::new(5), BatchSize::SmallInput);
    });
}

criterion_group!(benches, replication, heartbeats, reads, elections);
criterion_main!(benches);
