//! The consensus core in memory: replication, heartbeats and reads, with messages that arrive at
//! once and disks that are instant.
//!
//! `cargo bench -p raftarium-core --bench consensus`; criterion compares with the previous run.

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
        self.servers[server.slot()].step(self.now, input, &mut self.out);
        self.carry_out(server);
    }

    fn carry_out(&mut self, server: ServerId) {
        loop {
            for envelope in self.out.messages.drain(..) {
                self.on_the_way.push_back((envelope.to, server, envelope.message));
            }
            black_box(&self.out.committed);
            let raft = &mut self.servers[server.slot()];
            let next = match self.out.writes.last() {
                Some(write) => Input::Durable(write.receipt),
                None if self.out.snapshot_wanted => {
                    Input::SnapshotTaken { index: raft.applied_index(), data: [].into() }
                }
                None => return,
            };
            raft.step(self.now, next, &mut self.out);
        }
    }

    /// Delivers messages until none is in flight.
    fn settle(&mut self) {
        while let Some((to, from, message)) = self.on_the_way.pop_front() {
            self.servers[to.slot()].receive(self.now, from, &message, &mut self.out);
            self.carry_out(to);
        }
    }

    /// Moves the clock to the next deadline, and does what follows.
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
