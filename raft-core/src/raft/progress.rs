//! How far the leader is with one member: [`Progress`], a small state machine per peer.
//!
//! ```text
//!             matched                       too far behind
//!   Probe ──────────────▶ Replicate    Probe ──────────────▶ Snapshot
//!     ▲   rejected, lost      │          ▲      installed        │
//!     └───────────────────────┘          └───────────────────────┘
//! ```
//!
//! *Probe*: the leader doesn't know where the logs agree; one append at a time finds out.
//! *Replicate*: it knows, and streams appends without waiting, bounded by a [`Window`].
//! *Snapshot*: the entries needed are compacted away; pieces of a snapshot go instead.
//!
//! Invariant: `next > matched`, and `matched` never goes down, unless the member says that its disk has lost entries.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::config::Config;
use super::drift::{DriftWatch, Reading};
use super::message::Snapshot;
use super::types::LogIndex;
use crate::time::Time;

/// What a leader knows about one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The member's log is known to equal the leader's up to here, on its disk (Raft Figure 2, `matchIndex`).
    pub matched: LogIndex,
    /// The next entry to send (Raft Figure 2, `nextIndex`).
    pub next: LogIndex,
    /// What is being done about it.
    pub state: ProgressState,
    /// Numbers the probes: a rejection counts only if it answers the current one.
    pub probe: u64,
    /// The latest heartbeat round answered.
    pub acked_round: u64,
    /// When that round began, on the leader's clock.
    pub acked_round_began: Time,
    /// When the member was last heard, on the leader's clock.
    pub heard: Time,
    /// Whether its clock and the leader's run apart.
    pub drift: DriftWatch,
    /// When it was last sent an append, on the leader's clock.
    pub sent: Time,
}

/// What the leader does about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgressState {
    /// It looks for where the logs agree.
    Probe {
        /// Whether a probe is on its way.
        waiting: bool,
    },
    /// It streams.
    Replicate(Window),
    /// It sends a snapshot.
    Snapshot(SnapshotTransfer),
}

/// A snapshot on its way to one member, a piece at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotTransfer {
    /// The snapshot; kept even if the leader takes a newer one meanwhile.
    pub snapshot: Arc<Snapshot>,
    /// Bytes the member has confirmed.
    pub offset: u64,
}

/// Appends sent and not answered, bounded by count and by bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    appends: Vec<InFlight>,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InFlight {
    last: LogIndex,
    bytes: u64,
    round: u64,
}

impl Window {
    /// Whether another append must wait.
    pub fn is_full(&self, appends_max: usize, bytes_max: u64) -> bool {
        self.appends.len() >= appends_max || self.bytes >= bytes_max
    }

    /// How many appends are on their way.
    pub fn len(&self) -> usize {
        self.appends.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.appends.is_empty()
    }

    /// Bytes on their way.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// An append up to `last` was sent in heartbeat round `round`.
    pub fn add(&mut self, last: LogIndex, bytes: u64, round: u64) {
        assert!(self.appends.last().is_none_or(|append| append.last < last), "appends leave in order");
        self.appends.push(InFlight { last, bytes, round });
        self.bytes += bytes;
    }

    /// Everything up to `matched` has arrived.
    pub fn free_to(&mut self, matched: LogIndex) {
        let arrived = self.appends.iter().take_while(|append| append.last <= matched).count();
        self.bytes -= self.appends.drain(..arrived).map(|append| append.bytes).sum::<u64>();
    }

    /// Whether an append of an earlier round than `round` hasn't arrived, where the member's log is known to have `received` so much: what
    /// was sent after it has been answered, so it is probably lost. One that has arrived waits for the member's disk.
    pub fn lost_before(&self, round: u64, received: LogIndex) -> bool {
        let missing = self.appends.iter().find(|append| append.last > received);
        missing.is_some_and(|append| append.round < round)
    }
}

impl Progress {
    /// What a new leader assumes: nothing known, next after its own last entry (Raft Figure 2).
    pub fn new(next: LogIndex, now: Time) -> Progress {
        Progress {
            matched: LogIndex::ZERO,
            next,
            state: ProgressState::Probe { waiting: false },
            probe: 0,
            acked_round: 0,
            acked_round_began: Time::ZERO,
            heard: now,
            drift: DriftWatch::default(),
            sent: Time::ZERO,
        }
    }

    /// The member answered at `now`: it knew the leader when `round` was current, which `began` then, and its own clock showed that.
    pub(super) fn hear(&mut self, round: u64, began: Option<Time>, clock: Option<Time>, now: Time, config: &Config) {
        self.heard = now;
        // The answer was written after its round began, and before it came.
        if let (Some(from), Some(shown)) = (began, clock) {
            let span = config.election_timeout_max.times(4);
            self.drift.take(Reading { from, to: now, shown }, config.clock_drift_max, span);
        }
        if round > self.acked_round {
            self.acked_round = round;
            if let Some(began) = began {
                self.acked_round_began = began;
            }
        }
    }

    /// The member's log is known to match up to `index`; whether that is news.
    pub fn matches(&mut self, index: LogIndex) -> bool {
        let news = index > self.matched;
        self.matched = self.matched.max(index);
        self.next = self.next.max(self.matched.next());
        if let ProgressState::Replicate(window) = &mut self.state {
            window.free_to(self.matched);
        }
        news
    }

    /// The member's disk has lost entries: nothing is known to match any more.
    pub fn forget_match(&mut self) {
        self.matched = LogIndex::ZERO;
    }

    /// Look again, from `next`: what is on its way is forgotten, and answers to it no longer count as rejections.
    pub fn become_probe(&mut self, next: LogIndex) {
        self.probe += 1;
        self.next = next.max(self.matched.next());
        self.state = ProgressState::Probe { waiting: false };
    }

    /// Stream, from just after what matches.
    pub fn become_replicate(&mut self) {
        self.next = self.matched.next();
        self.state = ProgressState::Replicate(Window::default());
    }

    /// Send `snapshot`.
    pub fn become_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.probe += 1;
        self.state = ProgressState::Snapshot(SnapshotTransfer { snapshot, offset: 0 });
    }

    /// The state's name, for people.
    pub fn state_name(&self) -> &'static str {
        match self.state {
            ProgressState::Probe { .. } => "probe",
            ProgressState::Replicate(_) => "replicate",
            ProgressState::Snapshot(_) => "snapshot",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_bounded_by_count_and_by_bytes() {
        let mut window = Window::default();
        window.add(LogIndex(3), 30, 1);
        window.add(LogIndex(5), 20, 2);
        assert!(window.is_full(2, 1000) && window.is_full(9, 50) && !window.is_full(3, 51));
        window.free_to(LogIndex(2));
        assert_eq!((window.len(), window.bytes()), (2, 50));
        window.free_to(LogIndex(3));
        assert_eq!((window.len(), window.bytes()), (1, 20));
        window.free_to(LogIndex(9));
        assert!(window.is_empty());
    }

    #[test]
    fn an_append_is_lost_if_a_later_round_is_answered_without_its_having_arrived() {
        let mut window = Window::default();
        window.add(LogIndex(3), 30, 1);
        window.add(LogIndex(5), 20, 2);
        assert!(window.lost_before(2, LogIndex(2)) && !window.lost_before(1, LogIndex(2)));
        // The first has arrived and waits for the member's disk; the second is of the round that is answered.
        assert!(!window.lost_before(2, LogIndex(3)));
        assert!(window.lost_before(3, LogIndex(4)) && !window.lost_before(3, LogIndex(5)));
        window.free_to(LogIndex(3));
        assert!(!window.lost_before(2, LogIndex(3)));
        window.free_to(LogIndex(5));
        assert!(!window.lost_before(99, LogIndex::ZERO));
    }

    #[test]
    fn match_never_goes_down_and_next_stays_beyond_it() {
        let mut progress = Progress::new(LogIndex(8), Time::ZERO);
        assert!(progress.matches(LogIndex(5)));
        assert!(!progress.matches(LogIndex(3)), "an old answer is no news");
        assert_eq!(progress.matched, LogIndex(5));
        progress.become_probe(LogIndex(2));
        assert_eq!(progress.next, LogIndex(6), "probing never goes below what matches");
        assert!(progress.matches(LogIndex(9)));
        assert_eq!(progress.next, LogIndex(10));
        let before = progress.probe;
        progress.become_probe(LogIndex(10));
        assert_eq!(progress.probe, before + 1, "each probe has a number of its own");
    }
}
