//! A raft-rs server for the simulators: ticks of 50 ms, an election after ten, a heartbeat every
//! two; its state machine hashes what it applies.
//!
//! It is the same in every host: the bare event loop, madsim and turmoil.

use protobuf::Message as _;
use raft::eraftpb::{ConfState, Entry, Message};
use raft::storage::MemStorage;
use raft::{Config, RawNode, StateRole};

/// How many servers there are.
pub const SERVERS: u64 = 5;
/// The time between two ticks.
pub const TICK_MILLIS: u64 = 50;
/// The time between two commands.
pub const PROPOSE_MILLIS: u64 = 20;
/// The size of a command, in bytes.
pub const COMMAND_SIZE: usize = 32;
/// The leader is isolated once in this time …
pub const ISOLATE_EVERY_SECONDS: u64 = 10;
/// … for this long.
pub const ISOLATED_SECONDS: u64 = 3;

/// A log is compacted when it holds twice as many entries.
const ENTRIES_KEPT: u64 = 4_096;

/// A server.
pub struct Node {
    raw: RawNode<MemStorage>,
    /// Entries applied.
    pub applied: u64,
    hash: u64,
    compacted: u64,
}

impl Node {
    /// One of `SERVERS`, just started.
    pub fn new(id: u64) -> Node {
        let voters: Vec<u64> = (1..=SERVERS).collect();
        let store = MemStorage::new_with_conf_state(ConfState::from((voters, vec![])));
        let config = Config {
            id,
            election_tick: 10,
            heartbeat_tick: 2,
            max_size_per_msg: 1 << 20,
            max_inflight_msgs: 256,
            pre_vote: true,
            check_quorum: true,
            ..Config::default()
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raw = RawNode::new(&config, store, &logger).expect("a server that can start");
        Node { raw, applied: 0, hash: 0, compacted: 0 }
    }

    /// Its term, if it leads.
    pub fn leads_in(&self) -> Option<u64> {
        (self.raw.raft.state == StateRole::Leader).then_some(self.raw.raft.term)
    }

    /// Time passes.
    pub fn tick(&mut self, send: impl FnMut(Message)) {
        self.raw.tick();
        self.work(send);
    }

    /// Takes a client's command. A refused one is dropped.
    pub fn propose(&mut self, number: u64, send: impl FnMut(Message)) {
        let mut command = vec![7; COMMAND_SIZE];
        command[..8].copy_from_slice(&number.to_le_bytes());
        let _ = self.raw.propose(Vec::new(), command);
        self.work(send);
    }

    /// Takes a message. A refused one is dropped.
    pub fn receive(&mut self, message: Message, send: impl FnMut(Message)) {
        let _ = self.raw.step(message);
        self.work(send);
    }

    fn work(&mut self, mut send: impl FnMut(Message)) {
        while self.raw.has_ready() {
            let mut ready = self.raw.ready();
            ready.take_messages().into_iter().for_each(&mut send);
            if !ready.snapshot().is_empty() {
                let snapshot = ready.snapshot().clone();
                self.raw.mut_store().wl().apply_snapshot(snapshot).expect("a newer snapshot");
            }
            self.apply(ready.take_committed_entries());
            if !ready.entries().is_empty() {
                self.raw.mut_store().wl().append(ready.entries()).expect("entries that follow");
            }
            if let Some(state) = ready.hs() {
                self.raw.mut_store().wl().set_hardstate(state.clone());
            }
            ready.take_persisted_messages().into_iter().for_each(&mut send);
            let mut rest = self.raw.advance(ready);
            if let Some(commit) = rest.commit_index() {
                self.raw.mut_store().wl().mut_hard_state().commit = commit;
            }
            rest.take_messages().into_iter().for_each(&mut send);
            self.apply(rest.take_committed_entries());
            self.raw.advance_apply();
        }
        let applied = self.raw.raft.raft_log.applied;
        if applied - self.compacted >= 2 * ENTRIES_KEPT {
            self.compacted = applied - ENTRIES_KEPT;
            self.raw.mut_store().wl().compact(self.compacted).expect("an index within the log");
        }
    }

    fn apply(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            self.applied += 1;
            let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            self.hash = entry.data.iter().fold(self.hash ^ entry.index, fold);
        }
    }
}

/// A message as bytes.
pub fn encode(message: &Message) -> Vec<u8> {
    message.write_to_bytes().expect("a message that can be written")
}

/// A message from its bytes.
pub fn decode(bytes: &[u8]) -> Message {
    Message::parse_from_bytes(bytes).expect("what `encode` wrote")
}

/// The leader among the servers that can be reached; of two, the one with the later term.
pub fn leader<'a>(nodes: impl IntoIterator<Item = &'a Node>, isolated: u64) -> Option<u64> {
    let leaders = (1..).zip(nodes).filter_map(|(id, node)| Some((node.leads_in()?, id)));
    leaders.filter(|(_, id)| *id != isolated).max().map(|(_, id)| id)
}
