//! raft-rs in the barest possible simulator: one queue of events, and nothing else.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use raft::eraftpb::Message;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::node::{self, ISOLATE_EVERY_SECONDS, ISOLATED_SECONDS, Node, PROPOSE_MILLIS, SERVERS, TICK_MILLIS};

/// How messages travel.
pub trait Wire {
    type Packet;
    fn pack(message: Message) -> Self::Packet;
    fn unpack(packet: Self::Packet) -> Message;
}

/// Messages are encoded to bytes, as between machines.
pub struct Bytes;

impl Wire for Bytes {
    type Packet = Vec<u8>;

    fn pack(message: Message) -> Vec<u8> {
        node::encode(&message)
    }

    fn unpack(packet: Vec<u8>) -> Message {
        node::decode(&packet)
    }
}

/// Messages are passed by value, as in our simulator.
pub struct Value;

impl Wire for Value {
    type Packet = Box<Message>;

    fn pack(message: Message) -> Box<Message> {
        Box::new(message)
    }

    fn unpack(packet: Box<Message>) -> Message {
        *packet
    }
}

enum Event<P> {
    Tick(u64),
    Propose,
    Isolate,
    Heal,
    Arrive(u64, P),
}

struct Scheduled<P> {
    at: u64,
    order: u64,
    event: Event<P>,
}

/// Reversed, so that the earliest comes first: `BinaryHeap` returns the greatest.
impl<P> Ord for Scheduled<P> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<P> PartialOrd for Scheduled<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<P> PartialEq for Scheduled<P> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<P> Eq for Scheduled<P> {}

struct Queue<P> {
    heap: BinaryHeap<Scheduled<P>>,
    pushed: u64,
}

impl<P> Queue<P> {
    fn push(&mut self, at: u64, event: Event<P>) {
        self.pushed += 1;
        self.heap.push(Scheduled { at, order: self.pushed, event });
    }
}

/// The result.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    /// Messages sent, lost ones included.
    pub sent: u64,
    /// Entries applied by the server that has applied the most.
    pub applied: u64,
}

const MILLISECOND: u64 = 1_000;
const SECOND: u64 = 1_000 * MILLISECOND;

/// Plays this many virtual seconds; its clock counts microseconds.
pub fn play<W: Wire>(seconds: u64, seed: u64) -> Played {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut nodes: Vec<Node> = (1..=SERVERS).map(Node::new).collect();
    let mut queue = Queue::<W::Packet> { heap: BinaryHeap::new(), pushed: 0 };
    for id in 1..=SERVERS {
        queue.push(id * MILLISECOND, Event::Tick(id));
    }
    queue.push(PROPOSE_MILLIS * MILLISECOND, Event::Propose);
    queue.push(ISOLATE_EVERY_SECONDS * SECOND, Event::Isolate);
    let (mut isolated, mut proposed, mut sent) = (0, 0, 0);
    while let Some(Scheduled { at, event, .. }) = queue.heap.pop() {
        if at >= seconds * SECOND {
            break;
        }
        let send = |queue: &mut Queue<W::Packet>, message: Message| {
            let (from, to) = (message.from, message.to);
            sent += 1;
            let lost = random.random_range(0..100_u32) == 0;
            if from != isolated && to != isolated && !lost {
                let takes = random.random_range(MILLISECOND..=10 * MILLISECOND);
                queue.push(at + takes, Event::Arrive(to, W::pack(message)));
            }
        };
        let mut send = send;
        match event {
            Event::Tick(id) => {
                queue.push(at + TICK_MILLIS * MILLISECOND, Event::Tick(id));
                nodes[id as usize - 1].tick(|message| send(&mut queue, message));
            }
            Event::Propose => {
                queue.push(at + PROPOSE_MILLIS * MILLISECOND, Event::Propose);
                if let Some(leader) = node::leader(&nodes, isolated) {
                    proposed += 1;
                    nodes[leader as usize - 1].propose(proposed, |message| send(&mut queue, message));
                }
            }
            Event::Isolate => {
                isolated = node::leader(&nodes, 0).unwrap_or(1);
                queue.push(at + ISOLATED_SECONDS * SECOND, Event::Heal);
            }
            Event::Heal => {
                isolated = 0;
                queue.push(at + (ISOLATE_EVERY_SECONDS - ISOLATED_SECONDS) * SECOND, Event::Isolate);
            }
            Event::Arrive(to, packet) => {
                if to != isolated {
                    nodes[to as usize - 1].receive(W::unpack(packet), |message| send(&mut queue, message));
                }
            }
        }
    }
    let applied = nodes.iter().map(|node| node.applied).max().unwrap_or(0);
    Played { sent, applied }
}
