//! The world's queue of events, in the order of their times; events of the same time in the order
//! in which they were scheduled.

use alloc::vec::Vec;

use super::client::ClientId;
use crate::raft::ServerId;
use crate::time::Time;

/// Where a message is kept, and the lower half of its number, because places are reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) place: u32,
    pub(super) number: u32,
}

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A message reaches its receiver, or the place where it is lost.
    Arrive { flight: Place },
    /// A server's deadline.
    Wake { server: ServerId },
    /// A disk's fsync is done.
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

/// Actions come after all other events of their instant, however early they were scheduled: a
/// person acts on what has happened.
const AFTER_EVERYTHING: u64 = 1 << 63;

impl Scheduled {
    /// Time and order as one number. Comparing two of these takes no branch, which the processor
    /// would mispredict.
    #[inline(always)]
    fn key(&self) -> u128 {
        u128::from(self.at.as_micros()) << 64 | u128::from(self.order)
    }
}

/// A sorted list, with the next event at its end. It holds few events at a time, some fifty. Most
/// new ones are messages that are due before almost all others: they go a few places from the end,
/// which is cheaper than keeping a heap.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    latest_first: Vec<Scheduled>,
    pushed: u64,
    actions: u64,
}

/// How many places from the end are looked at one by one. Beyond them the search is binary.
const NEAR: usize = 16;

impl Queue {
    pub(super) fn push(&mut self, at: Time, event: Event) {
        self.pushed += 1;
        self.insert(Scheduled { at, order: self.pushed, event });
    }

    /// Schedules an action: after everything else of its instant, in the order of the script.
    pub(super) fn push_action(&mut self, at: Time, position: u32) {
        self.actions += 1;
        self.insert(Scheduled { at, order: AFTER_EVERYTHING | self.actions, event: Event::Act { position } });
    }

    fn insert(&mut self, scheduled: Scheduled) {
        let later = |other: &Scheduled| other.key() > scheduled.key();
        let near = self.latest_first.len().saturating_sub(NEAR);
        let place = match self.latest_first[near..].iter().rposition(later) {
            Some(place) => near + place + 1,
            None => self.latest_first[..near].partition_point(later),
        };
        self.latest_first.insert(place, scheduled);
    }

    /// An action was inserted into the script at `place`: the scheduled ones from there on move one
    /// position further.
    pub(super) fn shift_actions(&mut self, place: u32) {
        for scheduled in &mut self.latest_first {
            if let Event::Act { position } = &mut scheduled.event
                && *position >= place
            {
                *position += 1;
            }
        }
    }

    /// When the next event is.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.latest_first.last().map(|next| next.at)
    }

    pub(super) fn pop(&mut self) -> Option<(Time, Event)> {
        self.latest_first.pop().map(|next| (next.at, next.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

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

    #[test]
    fn however_many_there_are_they_come_in_order() {
        let (mut queue, mut waiting, mut pushed) = (Queue::default(), BTreeMap::new(), 0);
        for step in 0_u64..20_000 {
            // It grows for a while, then shrinks. Many events are due at the same instant, and none
            // is pushed into the past.
            if step % 3 < if step / 1_000 % 2 == 0 { 2 } else { 1 } {
                let now = queue.next_at().unwrap_or(Time::ZERO).as_micros();
                let at = Time::from_micros(now + (step.wrapping_mul(0x9e37_79b9) >> 8) % 200);
                let event = Event::Act { position: pushed };
                queue.push(at, event);
                waiting.insert((at, pushed), event);
                pushed += 1;
            } else {
                assert_eq!(queue.pop(), waiting.pop_first().map(|((at, _), event)| (at, event)));
            }
            assert_eq!(queue.next_at(), waiting.keys().next().map(|(at, _)| *at));
        }
        assert!(pushed > 9_000);
    }
}
