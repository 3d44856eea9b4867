//! What the leader knows about one member's log: [`Progress`], a small state machine per peer.
//!
//! ```text
//!             matched                       too far behind
//!   Probe ──────────────▶ Replicate    Probe ──────────────▶ Snapshot
//!     ▲   rejected, lost      │          ▲      installed        │
//!     └───────────────────────┘          └───────────────────────┘
//! ```
//!
//! *Probe*: the leader doesn't know up to where the logs agree, and finds out with one append at a
//! time. *Replicate*: it knows, and streams appends without waiting, bounded by a [`Window`].
//! *Snapshot*: the entries that the member needs are compacted away, and it gets pieces of a
//! snapshot instead.
//!
//! Invariant: `next > matched`, and `matched` never goes down, unless the member says that its disk
//! has lost entries.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::config::Config;
use super::drift::{DriftWatch, Reading};
use super::essence::Ages;
use super::message::Snapshot;
use super::types::{DiskId, LogIndex};
use crate::time::{Duration, Time};

/// What a leader knows about one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The member's log is known to equal the leader's up to here, on its disk (Raft Figure 2,
    /// `matchIndex`).
    pub matched: LogIndex,
    /// The next entry to send (Raft Figure 2, `nextIndex`).
    pub next: LogIndex,
    /// What the leader does about the member.
    pub state: ProgressState,
    /// Numbers the probes: a rejection counts only if it answers the current one.
    pub probe: u64,
    /// The heartbeat round in which the leader came to know the member as it is now: with this
    /// place in the membership, on this disk. Answers to earlier rounds don't count for it.
    pub since_round: u64,
    /// The latest round when `matched` was last raised. If a member rejects an append of a later
    /// round because it lacks an entry up to there, it has lost that entry.
    pub matched_round: u64,
    /// Whether the member may vote on the disk it has, by its last answer; `None` before it has
    /// said so.
    pub may_vote: Option<bool>,
    /// The first round in which the member can say that it may vote: answers to earlier ones may be
    /// from another disk.
    pub vouches_since: u64,
    /// Whether it has said that it is on a disk that waits to be admitted.
    pub joins: bool,
    /// The disk that the leader last admitted for it, the time, and the index of the entry.
    pub admitted: Option<(DiskId, Time, LogIndex)>,
    /// How fast it catches up, if it is a learner.
    pub catch_up: CatchUp,
    /// The latest heartbeat round answered.
    pub acked_round: u64,
    /// When that round began, on the leader's clock.
    pub acked_round_began: Time,
    /// When the member was last heard, on the leader's clock.
    pub heard: Time,
    /// How long the member ignores campaigns from when it heard the leader, by its last answer.
    pub patience: Duration,
    /// Whether its clock and the leader's run apart.
    pub drift: DriftWatch,
    /// When it was last sent an append, on the leader's clock.
    pub sent: Time,
    /// Whether the last stream ended with a rejection or a loss.
    pub(super) careful: bool,
}

/// What the leader does about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgressState {
    /// It looks for the point up to which the logs agree.
    Probe {
        /// Whether a probe is on its way.
        waiting: bool,
        /// Whether the last probe had no answer in time. Then the next ones only ask, and carry no
        /// entries: a member that may be down isn't sent the log again and again.
        unanswered: bool,
    },
    /// It streams entries.
    Replicate(Window),
    /// It sends a snapshot.
    Snapshot(SnapshotTransfer),
}

/// A snapshot on its way to one member, several pieces at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotTransfer {
    /// The snapshot; the transfer keeps it even if the leader takes a newer one meanwhile.
    pub snapshot: Arc<Snapshot>,
    /// Bytes the member has confirmed, from the start.
    pub offset: u64,
    /// Where the next piece to send begins. The bytes between `offset` and here are on their way.
    pub sent: u64,
    /// The latest round when bytes were last confirmed, or pieces were sent again from `offset`. If
    /// an answer to a later round confirms no more, the bytes after `offset` are lost.
    pub moved_round: u64,
    /// The first round that the member is known to have answered after it began anew: it has lost
    /// the bytes from before, and answers that speak of them may still come late.
    pub anew_round: u64,
}

impl SnapshotTransfer {
    /// Whether another piece may be sent. No more may be on its way than has been confirmed so far
    /// plus one piece, nor more than the window holds. So a member that may be down is sent little,
    /// and a member that answers soon gets as much as it can take.
    pub(super) fn may_send(&self, piece_max: u64, window_max: u64) -> bool {
        let on_its_way = self.sent - self.offset;
        self.sent < self.snapshot.data().len() as u64
            && on_its_way < window_max
            && on_its_way < self.offset.saturating_add(piece_max)
    }

    /// The member says, in answer to `round`, that it has this many `bytes`; `latest` is the latest
    /// round. Returns whether there is something to send because of it.
    pub(super) fn confirm(&mut self, bytes: u64, round: u64, latest: u64) -> bool {
        if bytes > self.snapshot.data().len() as u64 || round < self.anew_round {
            return false;
        }
        if bytes > self.offset {
            self.sent = self.sent.max(bytes);
        } else if round > self.moved_round && (bytes < self.offset || self.sent > bytes) {
            self.sent = bytes; // What was sent before that round is lost, or the member began anew.
            if bytes < self.offset {
                self.anew_round = round;
            }
        } else {
            return false;
        }
        (self.offset, self.moved_round) = (bytes, latest);
        true
    }
}

/// Whether a learner is fit to vote. The leader measures how long the learner takes to catch up
/// with the point where the log ended when it had last caught up (dissertation §4.2.1). The last
/// such catch-up must have been shorter than an election timeout, however long the log has become
/// meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CatchUp {
    goal: LogIndex,
    began: Time,
    /// Whether the last catch-up was short enough.
    quick: bool,
}

impl CatchUp {
    fn new(goal: LogIndex, began: Time) -> CatchUp {
        CatchUp { goal, began, quick: false }
    }

    /// The learner holds everything up to `matched`, and the log ends at `last`.
    pub fn note(&mut self, matched: LogIndex, last: LogIndex, now: Time, limit: Duration) {
        if matched >= self.goal {
            let quick = now.since(self.began) <= limit;
            *self = CatchUp { goal: last, began: now, quick };
        }
    }

    /// Whether it keeps up, and has not gone silent since.
    pub fn keeps_up(&self, now: Time, limit: Duration) -> bool {
        self.quick && now.since(self.began) <= limit
    }

    /// See [`Raft::hash_essence`](super::Raft::hash_essence).
    pub(super) fn hash_essence(&self, ages: &Ages, state: &mut impl Hasher) {
        let CatchUp { goal, began, quick } = self;
        let too_long = ages.config.election_timeout_max + Duration::from_micros(1);
        (goal, quick, ages.since(*began, too_long)).hash(state);
    }

    fn clock_went_back(&mut self, now: Time) {
        self.began = self.began.min(now);
    }
}

/// Appends sent and not answered, bounded by count and by bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Window {
    appends: Vec<InFlight>,
    bytes: u64,
    /// How many appends may be on their way, if that is fewer than the configuration says.
    at_once: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct InFlight {
    last: LogIndex,
    bytes: u64,
    round: u64,
}

impl Window {
    /// A window that grows: no more appends may be on their way than have arrived, plus one. If
    /// appends overtake each other, each one that comes too early is sent again: a stream that
    /// filled the window at once would be sent dozens of times.
    fn careful() -> Window {
        Window { at_once: Some(1), ..Window::default() }
    }

    /// Whether another append must wait.
    pub fn is_full(&self, appends_max: usize, bytes_max: u64) -> bool {
        self.appends.len() >= self.at_once.unwrap_or(appends_max).min(appends_max) || self.bytes >= bytes_max
    }

    /// How many appends are on their way.
    pub fn len(&self) -> usize {
        self.appends.len()
    }

    /// Whether no append is on its way.
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
        if let Some(at_once) = &mut self.at_once {
            *at_once += arrived;
        }
    }

    /// Whether an append of an earlier round than `round` hasn't arrived, if the member's log is
    /// known to have `received` everything up to there. An append sent after it has been answered,
    /// so it is probably lost. An append that has arrived only waits for the member's disk.
    pub fn lost_before(&self, round: u64, received: LogIndex) -> bool {
        let missing = self.appends.iter().find(|append| append.last > received);
        missing.is_some_and(|append| append.round < round)
    }
}

impl Progress {
    /// What a new leader assumes about a member: nothing is known, and `next` is after the leader's
    /// own last entry (Raft Figure 2).
    ///
    /// Only answers to `round` and later ones are the member's.
    pub fn new(next: LogIndex, round: u64, now: Time) -> Progress {
        Progress {
            matched: LogIndex::ZERO,
            next,
            state: ProgressState::Probe { waiting: false, unanswered: false },
            probe: 0,
            since_round: round,
            matched_round: 0,
            may_vote: None,
            vouches_since: 0,
            joins: false,
            admitted: None,
            catch_up: CatchUp::new(next.previous(), now),
            acked_round: 0,
            acked_round_began: Time::ZERO,
            heard: now,
            patience: Duration::ZERO,
            drift: DriftWatch::default(),
            sent: Time::ZERO,
            careful: false,
        }
    }

    /// The member answered at `now`: it knew the leader when `round` was current, which `began` at
    /// that time. `said` is what the member's clock showed, and how long it ignores campaigns.
    pub(super) fn hear(
        &mut self,
        round: u64,
        began: Option<Time>,
        said: Option<(Time, Duration)>,
        now: Time,
        config: &Config,
    ) {
        self.heard = now;
        // The answer was written after its round began, and before it came.
        if let (Some(from), Some((shown, _))) = (began, said) {
            let span = config.election_timeout_max.times(4);
            self.drift.take(Reading { from, to: now, shown }, config.clock_drift_max, span);
        }
        if let Some((_, patience)) = said.filter(|_| round >= self.acked_round) {
            self.patience = patience;
        }
        if round > self.acked_round {
            self.acked_round = round;
            if let Some(began) = began {
                self.acked_round_began = began;
            }
        }
    }

    /// The member's log is known to match up to `index`, and `round` is the latest one. Returns
    /// whether that is news.
    pub fn matches(&mut self, index: LogIndex, round: u64) -> bool {
        let news = index > self.matched;
        if news {
            self.matched = index;
            self.matched_round = round;
        }
        self.next = self.next.max(self.matched.next());
        if let ProgressState::Replicate(window) = &mut self.state {
            window.free_to(self.matched);
        }
        news
    }

    /// The member's disk has lost entries: no entry is known to match any more.
    pub fn forget_match(&mut self) {
        self.matched = LogIndex::ZERO;
    }

    /// Starts to probe from `next`: appends on their way are forgotten, and rejections of them no
    /// longer count.
    pub fn become_probe(&mut self, next: LogIndex) {
        self.probe += 1;
        self.next = next.max(self.matched.next());
        self.careful |= matches!(self.state, ProgressState::Replicate(_));
        self.state = ProgressState::Probe { waiting: false, unanswered: false };
    }

    /// Starts to stream, from just after the last entry that matches.
    pub fn become_replicate(&mut self) {
        self.next = self.matched.next();
        let careful = core::mem::take(&mut self.careful);
        self.state = ProgressState::Replicate(if careful { Window::careful() } else { Window::default() });
    }

    /// Starts to send `snapshot`, and `round` is the latest one.
    pub fn become_snapshot(&mut self, snapshot: Arc<Snapshot>, round: u64) {
        self.probe += 1;
        self.state = ProgressState::Snapshot(SnapshotTransfer {
            snapshot,
            offset: 0,
            sent: 0,
            moved_round: round,
            anew_round: 0,
        });
    }

    /// From `round` on, the member's earlier promises don't count: it has a disk that its earlier
    /// answers may not have been about. The leader asks again what it holds.
    pub fn begin_anew(&mut self, round: u64) {
        (self.since_round, self.may_vote) = (round, None);
        self.forget_match();
        self.become_probe(self.next);
    }

    /// The leader's clock went back to `now`.
    pub(super) fn clock_went_back(&mut self, now: Time) {
        self.acked_round_began = Time::ZERO;
        self.drift.forget();
        self.heard = self.heard.min(now);
        self.sent = self.sent.min(now);
        self.catch_up.clock_went_back(now);
        if let Some((_, at, _)) = &mut self.admitted {
            *at = now.min(*at);
        }
    }

    /// The member needs the log after this entry.
    pub(super) fn needs_after(&self) -> LogIndex {
        match &self.state {
            ProgressState::Snapshot(transfer) => transfer.snapshot.meta.last.index,
            _ => self.matched,
        }
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
    use crate::raft::{Configuration, EntryId, ServerSet, SnapshotMeta, Term};

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
    fn a_stream_begins_after_what_matches_whatever_was_probed() {
        let mut progress = Progress::new(LogIndex(8), 1, Time::ZERO);
        // An earlier answer, which came late.
        progress.matches(LogIndex(3), 1);
        progress.become_replicate();
        assert_eq!(progress.next, LogIndex(4));
    }

    #[test]
    fn a_stream_after_a_rejection_grows_with_what_arrives() {
        let mut progress = Progress::new(LogIndex(8), 1, Time::ZERO);
        let full = |progress: &Progress| matches!(&progress.state, ProgressState::Replicate(w) if w.is_full(3, 1_000));
        let send = |progress: &mut Progress, last| {
            if let ProgressState::Replicate(window) = &mut progress.state {
                window.add(LogIndex(last), 1, 1);
            }
        };
        progress.become_replicate();
        send(&mut progress, 1);
        assert!(!full(&progress), "nothing has gone wrong yet");
        progress.become_probe(LogIndex(1));
        progress.become_replicate();
        send(&mut progress, 1);
        assert!(full(&progress), "one at first");
        progress.matches(LogIndex(1), 1);
        send(&mut progress, 2);
        assert!(!full(&progress));
        send(&mut progress, 3);
        assert!(full(&progress), "two after one has arrived");
        progress.matches(LogIndex(3), 1);
        (4..=6).for_each(|last| send(&mut progress, last));
        assert!(full(&progress), "never more than the configuration allows");
    }

    #[test]
    fn an_append_is_lost_if_a_later_round_is_answered_without_its_having_arrived() {
        let mut window = Window::default();
        window.add(LogIndex(3), 30, 1);
        window.add(LogIndex(5), 20, 2);
        assert!(window.lost_before(2, LogIndex(2)) && !window.lost_before(1, LogIndex(2)));
        // The first append has arrived and waits for the member's disk; the second is of the round
        // that is answered.
        assert!(!window.lost_before(2, LogIndex(3)));
        assert!(window.lost_before(3, LogIndex(4)) && !window.lost_before(3, LogIndex(5)));
        window.free_to(LogIndex(3));
        assert!(!window.lost_before(2, LogIndex(3)));
        window.free_to(LogIndex(5));
        assert!(!window.lost_before(99, LogIndex::ZERO));
    }

    #[test]
    fn what_a_member_had_before_it_began_anew_is_confirmed_by_no_late_answer() {
        let meta = SnapshotMeta {
            last: EntryId::new(LogIndex(1), Term(1)),
            configuration: Configuration::of_voters(ServerSet::first(3)),
            configuration_index: LogIndex::ZERO,
        };
        let mut progress = Progress::new(LogIndex(8), 1, Time::ZERO);
        progress.become_snapshot(Arc::new(Snapshot::new(meta, alloc::vec![0; 100].into())), 1);
        let ProgressState::Snapshot(transfer) = &mut progress.state else { panic!("it sends a snapshot") };
        assert!(transfer.confirm(60, 2, 4) && transfer.confirm(10, 5, 6), "it has begun anew");
        assert!(!transfer.confirm(80, 3, 6), "that was before");
        assert_eq!((transfer.offset, transfer.sent), (10, 10));
        assert!(transfer.confirm(30, 5, 6));
    }

    #[test]
    fn a_learner_keeps_up_if_its_last_round_was_short_however_far_the_log_has_gone() {
        let (limit, ms) = (Duration::from_millis(300), Time::from_millis);
        let mut catch_up = CatchUp::new(LogIndex(1_000), ms(0));
        catch_up.note(LogIndex(999), LogIndex(1_500), ms(200), limit);
        assert!(!catch_up.keeps_up(ms(200), limit), "the first round isn't over");
        catch_up.note(LogIndex(1_000), LogIndex(1_900), ms(900), limit);
        assert!(!catch_up.keeps_up(ms(900), limit), "it took too long");
        catch_up.note(LogIndex(1_900), LogIndex(2_000), ms(1_200), limit);
        assert!(catch_up.keeps_up(ms(1_200), limit) && catch_up.keeps_up(ms(1_500), limit));
        assert!(!catch_up.keeps_up(ms(1_501), limit), "it has been silent since");
    }

    #[test]
    fn match_never_goes_down_and_next_stays_beyond_it() {
        let mut progress = Progress::new(LogIndex(8), 1, Time::ZERO);
        assert!(progress.matches(LogIndex(5), 2));
        assert!(!progress.matches(LogIndex(3), 4), "an old answer is no news");
        assert_eq!(progress.matched_round, 2);
        assert_eq!(progress.matched, LogIndex(5));
        progress.become_probe(LogIndex(2));
        assert_eq!(progress.next, LogIndex(6), "probing never goes below what matches");
        assert!(progress.matches(LogIndex(9), 4));
        assert_eq!(progress.next, LogIndex(10));
        let before = progress.probe;
        progress.become_probe(LogIndex(10));
        assert_eq!(progress.probe, before + 1, "each probe has a number of its own");
    }
}
