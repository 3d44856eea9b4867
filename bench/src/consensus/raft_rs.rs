//! raft-rs's servers in memory, in one thread, driven as its documentation says.
//!
//! It is measured twice: with its own `MemStorage` (which is behind a lock, and copies entries),
//! and at its best, with the leanest possible store.

use std::collections::VecDeque;

use bytes::Bytes;
use raft::eraftpb::{ConfState, Entry, EntryType, HardState, Message, MessageType, Snapshot};
use raft::storage::MemStorage;
use raft::{Config, Error, GetEntriesContext, LightReady, RaftState, RawNode, StateRole, Storage, StorageError};

/// What a driver needs from a store, besides what raft-rs itself reads.
pub trait Store: Storage + Sized {
    /// An empty one, for these voters.
    fn of(voters: ConfState) -> Self;
    fn append(&mut self, entries: Vec<Entry>);
    fn set_hard_state(&mut self, state: HardState);
    fn set_commit(&mut self, commit: u64);
    /// Drops everything before `first`.
    fn compact(&mut self, first: u64);
    fn install(&mut self, snapshot: Snapshot);
}

impl Store for MemStorage {
    fn of(voters: ConfState) -> Self {
        MemStorage::new_with_conf_state(voters)
    }

    fn append(&mut self, entries: Vec<Entry>) {
        self.wl().append(&entries).expect("entries that follow");
    }

    fn set_hard_state(&mut self, state: HardState) {
        self.wl().set_hardstate(state);
    }

    fn set_commit(&mut self, commit: u64) {
        self.wl().mut_hard_state().commit = commit;
    }

    fn compact(&mut self, first: u64) {
        self.wl().compact(first).expect("an index within the log");
    }

    fn install(&mut self, snapshot: Snapshot) {
        self.wl().apply_snapshot(snapshot).expect("a newer snapshot");
    }
}

/// A store without a lock that takes entries by value.
#[derive(Default)]
pub struct Lean {
    state: RaftState,
    /// Index and term of the entry before the first.
    before: (u64, u64),
    entries: VecDeque<Entry>,
    snapshot: Option<Snapshot>,
}

impl Lean {
    /// A store that holds these entries, from index 1 on.
    pub fn holding(entries: Vec<Entry>, voters: u64) -> Lean {
        let term = entries.last().map_or(1, |entry| entry.term);
        let hard_state = HardState { term, ..HardState::default() };
        let state = RaftState::new(hard_state, voters_of(voters));
        Lean { state, entries: entries.into(), ..Lean::default() }
    }

    /// The position of an index among the entries.
    fn place(&self, index: u64) -> usize {
        (index - self.before.0 - 1) as usize
    }

    /// Takes a snapshot of everything applied, with this as the state machine's bytes.
    pub fn take_snapshot(&mut self, index: u64, data: Vec<u8>) {
        let mut snapshot = Snapshot { data: data.into(), ..Snapshot::default() };
        let meta = snapshot.mut_metadata();
        meta.index = index;
        meta.term = self.term(index).expect("an index within the log");
        meta.set_conf_state(self.state.conf_state.clone());
        self.snapshot = Some(snapshot);
    }
}

impl Store for Lean {
    fn of(voters: ConfState) -> Self {
        Lean { state: RaftState::new(HardState::default(), voters), ..Lean::default() }
    }

    fn append(&mut self, entries: Vec<Entry>) {
        let first = entries[0].index;
        self.entries.truncate(self.place(first));
        self.entries.extend(entries);
    }

    fn set_hard_state(&mut self, state: HardState) {
        self.state.hard_state = state;
    }

    fn set_commit(&mut self, commit: u64) {
        self.state.hard_state.commit = commit;
    }

    fn compact(&mut self, first: u64) {
        let place = self.place(first);
        self.before = (first - 1, self.entries[place - 1].term);
        self.entries.drain(..place);
    }

    fn install(&mut self, snapshot: Snapshot) {
        let meta = snapshot.get_metadata();
        self.before = (meta.index, meta.term);
        self.state.hard_state.commit = meta.index;
        self.state.conf_state = meta.get_conf_state().clone();
        self.entries.clear();
        self.snapshot = Some(snapshot);
    }
}

impl Storage for Lean {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(self.state.clone())
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        size_max: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low <= self.before.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        // Stop at the size limit, so that a million entries aren't copied only to be dropped.
        let size_max = size_max.into().unwrap_or(u64::MAX);
        let mut size = 0;
        let within = |entry: &&Entry| {
            let first = size == 0;
            size += u64::from(protobuf::Message::compute_size(*entry));
            first || size <= size_max
        };
        Ok(self.entries.range(self.place(low)..self.place(high)).take_while(within).cloned().collect())
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        let (before, term) = self.before;
        match index {
            _ if index == before => Ok(term),
            _ if index < before => Err(Error::Store(StorageError::Compacted)),
            _ => match self.entries.get(self.place(index)) {
                Some(entry) => Ok(entry.term),
                None => Err(Error::Store(StorageError::Unavailable)),
            },
        }
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.before.0 + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.before.0 + self.entries.len() as u64)
    }

    fn snapshot(&self, _: u64, _: u64) -> raft::Result<Snapshot> {
        self.snapshot.clone().ok_or(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
    }
}

/// How commands are proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposing {
    /// Each command with a call of `propose`.
    OneByOne,
    /// All commands in one message.
    Together,
}

struct Node<S: Store> {
    raw: RawNode<S>,
    inbox: Vec<Message>,
    applied: u64,
    applied_index: u64,
    compacted: u64,
    answered: u64,
}

/// A cluster of raft-rs's servers.
pub struct Cluster<S: Store> {
    nodes: Vec<Node<S>>,
    /// One inbox is emptied at a time, and its memory is reused.
    spare: Vec<Message>,
    /// How many entries a log keeps; at twice as many it is compacted. `None`: never.
    kept: Option<u64>,
    /// Messages delivered.
    pub delivered: u64,
    /// This server is cut off.
    pub cut_off: Option<u64>,
}

fn voters_of(count: u64) -> ConfState {
    ConfState::from(((1..=count).collect::<Vec<_>>(), vec![]))
}

impl<S: Store> Cluster<S> {
    /// A cluster that has just elected server 1.
    pub fn new(servers: u64, kept: Option<u64>) -> Cluster<S> {
        let mut cluster = Cluster::start((0..servers).map(|_| S::of(voters_of(servers))).collect(), kept);
        cluster.elect(1);
        cluster
    }

    /// Servers with these stores.
    pub fn start(stores: Vec<S>, kept: Option<u64>) -> Cluster<S> {
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let start = |(id, store)| {
            let config = Config {
                id,
                election_tick: 10,
                heartbeat_tick: 1,
                max_size_per_msg: 1 << 20,
                max_inflight_msgs: 1_024,
                pre_vote: true,
                check_quorum: true,
                ..Config::default()
            };
            let raw = RawNode::new(&config, store, &logger).expect("a server that can start");
            Node { raw, inbox: Vec::new(), applied: 0, applied_index: 0, compacted: 0, answered: 0 }
        };
        Cluster { nodes: (1..).zip(stores).map(start).collect(), spare: Vec::new(), kept, delivered: 0, cut_off: None }
    }

    /// Lets `server` campaign, and win.
    pub fn elect(&mut self, server: u64) {
        self.node(server).raw.campaign().expect("a server that may campaign");
        self.settle();
        assert_eq!(self.node(server).raw.raft.state, StateRole::Leader, "the server that should lead doesn't");
    }

    fn node(&mut self, id: u64) -> &mut Node<S> {
        &mut self.nodes[id as usize - 1]
    }

    /// Commands applied by the server that has applied the fewest.
    pub fn applied(&self) -> u64 {
        self.nodes.iter().map(|node| node.applied).min().unwrap_or(0)
    }

    pub fn applied_by(&mut self, id: u64) -> u64 {
        self.node(id).applied
    }

    pub fn applied_index(&mut self, id: u64) -> u64 {
        self.node(id).applied_index
    }

    /// Reads answered.
    pub fn answered(&self) -> u64 {
        self.nodes.iter().map(|node| node.answered).sum()
    }

    pub fn store(&mut self, id: u64) -> &mut S {
        self.node(id).raw.mut_store()
    }

    /// Delivers messages until none is in flight.
    pub fn settle(&mut self) {
        while self.pass() {}
    }

    /// Visits each server once: it takes all its messages, then does everything that follows.
    /// Returns whether anything happened.
    fn pass(&mut self) -> bool {
        let mut moved = false;
        for slot in 0..self.nodes.len() {
            if !self.nodes[slot].inbox.is_empty() {
                moved = true;
                let empty = std::mem::take(&mut self.spare);
                let mut came = std::mem::replace(&mut self.nodes[slot].inbox, empty);
                self.delivered += came.len() as u64;
                for message in came.drain(..) {
                    self.nodes[slot].raw.step(message).expect("a message for this server");
                }
                self.spare = came;
            }
            while self.nodes[slot].raw.has_ready() {
                moved = true;
                self.handle_ready(slot);
            }
        }
        moved
    }

    fn handle_ready(&mut self, slot: usize) {
        let node = &mut self.nodes[slot];
        let mut ready = node.raw.ready();
        node.answered += ready.take_read_states().len() as u64;
        let messages = ready.take_messages();
        if !ready.snapshot().is_empty() {
            let snapshot = ready.snapshot().clone();
            node.applied_index = snapshot.get_metadata().index;
            node.raw.mut_store().install(snapshot);
        }
        node.apply(ready.take_committed_entries());
        let entries = ready.take_entries();
        if !entries.is_empty() {
            node.raw.mut_store().append(entries);
        }
        if let Some(state) = ready.hs() {
            node.raw.mut_store().set_hard_state(state.clone());
        }
        let held_back = ready.take_persisted_messages();
        let mut rest: LightReady = node.raw.advance(ready);
        if let Some(commit) = rest.commit_index() {
            node.raw.mut_store().set_commit(commit);
        }
        node.apply(rest.take_committed_entries());
        node.raw.advance_apply();
        if let Some(kept) = self.kept
            && node.applied_index - node.compacted >= 2 * kept
        {
            node.compacted = node.applied_index - kept;
            let first = node.compacted;
            node.raw.mut_store().compact(first);
        }
        self.send(messages);
        self.send(held_back);
        self.send(rest.take_messages());
    }

    fn send(&mut self, messages: Vec<Message>) {
        for message in messages {
            if self.cut_off.is_none_or(|cut| cut != message.from && cut != message.to) {
                self.nodes[message.to as usize - 1].inbox.push(message);
            }
        }
    }

    /// Proposes the commands in these bytes, each `size` bytes long, to server 1, and delivers
    /// until no message is in flight. The received bytes are copied once, since the network's
    /// buffer is reused. Commands in one message are slices of this copy; commands one by one are
    /// copied each, as `propose()` needs.
    pub fn propose(&mut self, how: Proposing, received: &[u8], size: usize) {
        match how {
            Proposing::OneByOne => {
                for command in received.chunks(size) {
                    self.nodes[0].raw.propose(Vec::new(), command.to_vec()).expect("a leader that takes it");
                }
            }
            Proposing::Together => {
                let whole = Bytes::copy_from_slice(received);
                let entry = |from| Entry { data: whole.slice(from..from + size), ..Entry::default() };
                let entries: Vec<Entry> = (0..received.len()).step_by(size).map(entry).collect();
                let mut message = Message { from: 1, to: 1, entries: entries.into(), ..Message::default() };
                message.set_msg_type(MessageType::MsgPropose);
                self.nodes[0].raw.step(message).expect("a leader that takes it");
            }
        }
        self.settle();
    }

    /// Asks server 1 for `count` reads, and delivers until no message is in flight.
    pub fn read(&mut self, count: usize, number: &mut u64) {
        for _ in 0..count {
            *number += 1;
            self.nodes[0].raw.read_index(number.to_le_bytes().to_vec());
        }
        self.settle();
    }

    /// A tick for all servers: with `heartbeat_tick` 1, a round of heartbeats.
    pub fn tick(&mut self) {
        for node in &mut self.nodes {
            node.raw.tick();
        }
        self.settle();
    }

    pub fn leads(&self) -> bool {
        self.nodes[0].raw.raft.state == StateRole::Leader
    }
}

impl<S: Store> Node<S> {
    fn apply(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.applied_index = entry.index;
            if entry.get_entry_type() == EntryType::EntryNormal && !entry.data.is_empty() {
                self.applied += 1;
            }
        }
    }
}
