//! Our servers in memory, in one thread: messages arrive at once and in order, disks are instant.
//!
//! This does what a driver must do, and no more: it takes every write and reports it durable,
//! delivers every message, counts every committed entry, and hands in every requested snapshot.

use std::mem;
use std::sync::Arc;

use raft_core::raft::{
    Bytes, Config, Configuration, Durable, Entry, Envelope, Input, Output, Payload, Proposal, Raft, ReadMode, ServerId,
    ServerSet, Start,
};
use raft_core::time::Time;

use super::COMPACT_EVERY;

/// A cluster of our servers.
pub struct Cluster {
    servers: Vec<Raft>,
    /// The messages in flight, and the memory for the messages that follow from them.
    on_the_way: Mail,
    arriving: Mail,
    out: Output,
    now: Time,
    /// Commands applied, by server.
    pub applied: Vec<u64>,
    /// Reads answered.
    pub answered: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// This server is cut off.
    pub cut_off: Option<ServerId>,
    snapshot: Arc<[u8]>,
}

/// Messages, grouped by the step that sent them. They stay where the step put them: only the
/// vectors are swapped.
#[derive(Default)]
struct Mail {
    bags: Vec<(ServerId, Vec<Envelope>)>,
    /// How many of the bags are full; the memory of the others is reused.
    full: usize,
}

impl Mail {
    fn take(&mut self, from: ServerId, messages: &mut Vec<Envelope>) {
        if self.full == self.bags.len() {
            self.bags.push((from, Vec::new()));
        }
        let bag = &mut self.bags[self.full];
        bag.0 = from;
        mem::swap(&mut bag.1, messages);
        self.full += 1;
    }
}

/// Settings that differ from the defaults.
pub type Settings<'a> = &'a dyn Fn(&mut Config);

/// Logs as long as the peer's.
pub fn compacting(config: &mut Config) {
    config.snapshot_after_entries = COMPACT_EVERY;
    config.entries_kept = COMPACT_EVERY;
}

/// Logs that are never compacted.
pub fn keeping_all(config: &mut Config) {
    config.snapshot_after_entries = 0;
    config.snapshot_after_bytes = 0;
    config.uncommitted_bytes_max = u64::MAX;
}

impl Cluster {
    /// A cluster that has just elected a leader.
    pub fn new(servers: u8, settings: Settings<'_>) -> Cluster {
        let voters = ServerSet::first(servers);
        let starts = voters.iter().map(|_| Start::Bootstrap(Configuration::of_voters(voters))).collect();
        let mut cluster = Cluster::start(voters, starts, settings);
        cluster.elect();
        cluster
    }

    /// Servers that start with these logs on their disks. Each server's term is that of its last
    /// entry.
    pub fn with_logs(logs: Vec<Vec<Entry>>, settings: Settings<'_>) -> Cluster {
        let voters = ServerSet::first(logs.len() as u8);
        let restart = |entries: Vec<Entry>| {
            let mut durable = Durable { entries, ..Durable::default() };
            durable.hard_state.term = durable.entries.last().map(|entry| entry.term).unwrap_or_default();
            Start::Restart(durable, Configuration::of_voters(voters))
        };
        Cluster::start(voters, logs.into_iter().map(restart).collect(), settings)
    }

    fn start(voters: ServerSet, starts: Vec<Start>, settings: Settings<'_>) -> Cluster {
        let start = |(id, start)| {
            let mut config = Config::new(id, 7);
            settings(&mut config);
            Raft::new(config, start, Time::ZERO).expect("a server that can start")
        };
        Cluster {
            servers: voters.iter().zip(starts).map(start).collect(),
            on_the_way: Mail::default(),
            arriving: Mail::default(),
            out: Output::default(),
            now: Time::ZERO,
            applied: vec![0; voters.len()],
            answered: 0,
            delivered: 0,
            cut_off: None,
            snapshot: Arc::from([]),
        }
    }

    /// Lets time pass until there is a leader, and all servers know what it has committed.
    pub fn elect(&mut self) {
        while self.leader().is_none() {
            self.pass_time();
        }
        self.pass_time();
    }

    /// Lets `server` campaign first.
    pub fn elect_by_order(&mut self, server: ServerId) {
        let latest = self.servers.iter().map(Raft::deadline).max().unwrap_or(Time::ZERO);
        self.now = latest;
        self.step(server, Input::Campaign);
        self.settle();
        assert_eq!(self.leader(), Some(server), "the server that should lead doesn't");
    }

    pub fn leader(&self) -> Option<ServerId> {
        self.servers.iter().filter(|raft| raft.is_leader()).max_by_key(|raft| raft.term()).map(Raft::id)
    }

    pub fn server(&self, id: ServerId) -> &Raft {
        &self.servers[id.slot()]
    }

    /// Gives a server an input, and does everything that follows.
    pub fn step(&mut self, server: ServerId, input: Input) {
        self.servers[server.slot()].step(self.now, input, &mut self.out);
        self.carry_out(server);
    }

    fn carry_out(&mut self, server: ServerId) {
        let mut snapshot_wanted = false;
        while let Some(next) = self.take_output(server, &mut snapshot_wanted) {
            self.servers[server.slot()].step(self.now, next, &mut self.out);
        }
    }

    /// Sends a server's messages. Returns its next input. A requested snapshot is taken once
    /// everything is written.
    fn take_output(&mut self, server: ServerId, snapshot_wanted: &mut bool) -> Option<Input> {
        if !self.out.messages.is_empty() {
            self.on_the_way.take(server, &mut self.out.messages);
        }
        if !self.out.committed.is_empty() {
            let commands = self.out.committed_entries();
            let commands = commands.filter(|(_, entry)| matches!(entry.payload, Payload::Command(_)));
            self.applied[server.slot()] += commands.count() as u64;
        }
        self.answered += self.out.reads.len() as u64;
        assert!(self.out.refused.is_empty(), "{:?}", self.out.refused);
        *snapshot_wanted |= self.out.snapshot_wanted;
        match self.out.writes.last() {
            Some(write) => Some(Input::Durable(write.receipt)),
            None if mem::take(snapshot_wanted) => {
                let index = self.servers[server.slot()].applied_index();
                Some(Input::SnapshotTaken { index, data: Arc::clone(&self.snapshot) })
            }
            None => None,
        }
    }

    /// Delivers messages until none is in flight.
    pub fn settle(&mut self) {
        while self.on_the_way.full > 0 {
            mem::swap(&mut self.on_the_way, &mut self.arriving);
            let mut mail = mem::take(&mut self.arriving);
            for (from, messages) in &mut mail.bags[..mail.full] {
                for Envelope { to, message } in &*messages {
                    if self.cut_off.is_none_or(|cut| cut != *from && cut != *to) {
                        self.delivered += 1;
                        self.servers[to.slot()].receive(self.now, *from, message, &mut self.out);
                        self.carry_out(*to);
                    }
                }
                messages.clear();
            }
            mail.full = 0;
            self.arriving = mail;
        }
    }

    /// Moves the time to the next deadline, and does everything that follows.
    pub fn pass_time(&mut self) {
        // The first of several at the same time.
        let Some((next, server)) = self.servers.iter().map(|raft| (raft.deadline(), raft.id())).min() else { return };
        self.now = self.now.max(next);
        self.step(server, Input::TimerDue);
        self.settle();
    }

    /// Proposes the commands in these bytes, each `size` bytes long, at once, and delivers until no
    /// message is in flight. The received bytes are copied once, since the network's buffer is
    /// reused; the commands are slices of this copy.
    pub fn propose(&mut self, leader: ServerId, received: &[u8], size: usize) {
        let whole = Bytes::from(received);
        let proposal = |from: usize| Proposal { id: from as u64, command: whole.slice(from..from + size) };
        let input = match received.len() == size {
            true => Input::Propose(Proposal { id: 0, command: whole }),
            false => Input::ProposeBatch((0..received.len()).step_by(size).map(proposal).collect()),
        };
        self.step(leader, input);
        self.settle();
    }

    /// Asks for `count` reads at once, and delivers until no message is in flight.
    pub fn read(&mut self, leader: ServerId, count: usize) {
        for id in 0..count as u64 {
            self.step(leader, Input::Read { id, mode: ReadMode::Confirmed });
        }
        self.settle();
    }

    /// From now on snapshots have this content.
    pub fn set_snapshot(&mut self, data: Arc<[u8]>) {
        self.snapshot = data;
    }
}
