//! The world's agenda: events in the order of their times, and of their being scheduled where those are equal.

use alloc::collections::BinaryHeap;
use core::cmp::Ordering;

use super::client::ClientId;
use super::network::Place;
use crate::raft::ServerId;
use crate::time::Time;

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A message reaches its receiver, or the place where it is lost.
    Arrive { flight: Place },
    /// A server's deadline.
    Wake { server: ServerId },
    /// A disk has finished the writes it was at.
    Synced { server: ServerId, incarnation: u32 },
    /// A client has something to do.
    ClientWake { client: ClientId },
    /// The operator looks whether the membership is as wanted.
    Operate,
    /// The next action of the script.
    Act { position: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scheduled {
    at: Time,
    order: u64,
    event: Event,
}

/// Actions come after everything else of their instant, however early they were scheduled: a person acts on what has happened.
const AFTER_EVERYTHING: u64 = 1 << 63;

impl Scheduled {
    /// Time and order as one number: which of two is less takes no branch then, and nobody could foretell which way it goes.
    #[inline(always)]
    fn key(&self) -> u128 {
        u128::from(self.at.as_micros()) << 64 | u128::from(self.order)
    }
}

/// Earliest first: `BinaryHeap` gives the greatest.
impl Ord for Scheduled {
    fn cmp(&self, other: &Scheduled) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Scheduled) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    #[inline(always)]
    fn le(&self, other: &Scheduled) -> bool {
        other.key() <= self.key()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Scheduled>,
    pushed: u64,
    actions: u64,
}

impl Queue {
    pub(super) fn push(&mut self, at: Time, event: Event) {
        self.pushed += 1;
        self.heap.push(Scheduled { at, order: self.pushed, event });
    }

    /// Schedules an action: after everything else of its instant, in the order of the script.
    pub(super) fn push_action(&mut self, at: Time, position: u32) {
        self.actions += 1;
        self.heap.push(Scheduled { at, order: AFTER_EVERYTHING | self.actions, event: Event::Act { position } });
    }

    /// An action was inserted into the script at `place`: those still to come from there on stand one further now.
    pub(super) fn shift_actions(&mut self, place: u32) {
        if self.heap.is_empty() {
            return;
        }
        let mut all = core::mem::take(&mut self.heap).into_vec();
        for scheduled in &mut all {
            if let Event::Act { position } = &mut scheduled.event
                && *position >= place
            {
                *position += 1;
            }
        }
        self.heap = all.into();
    }

    /// When the next event is.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|next| next.at)
    }

    pub(super) fn pop(&mut self) -> Option<(Time, Event)> {
        self.heap.pop().map(|next| (next.at, next.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_then_by_order_and_actions_last() {
        let mut queue = Queue::default();
        let client = |n| Event::ClientWake { client: ClientId(n) };
        queue.push_action(Time::from_secs(1), 0);
        queue.push(Time::from_secs(2), client(1));
        queue.push(Time::from_secs(1), client(2));
        queue.push(Time::from_secs(1), client(3));
        queue.push_action(Time::from_secs(1), 1);
        assert_eq!(queue.next_at(), Some(Time::from_secs(1)));
        let order: alloc::vec::Vec<Event> = core::iter::from_fn(|| queue.pop().map(|(_, event)| event)).collect();
        let act = |position| Event::Act { position };
        assert_eq!(order, [client(2), client(3), act(0), act(1), client(1)]);
    }
}
