//! Economy: for what servers send each other there are reasons. A storm of messages violates no
//! other property, but still brings a cluster down.
//!
//! # What explains a message
//! The messages from one server to another are counted, a second at a time. They are explained by
//! * **time**: a heartbeat in each interval, and the questions of a campaign in each election
//!   timeout, by the sender's own clock;
//! * **entries**: each append with entries that the receiver hasn't been sent in this leadership;
//! * **snapshots**: each piece that the receiver hasn't been sent yet;
//! * **reads**: for each read of a client, a question to the leader and a round of heartbeats;
//! * **disturbances**: a message between the two that was lost, or overtaken by a later one,
//!   explains some that are sent again. A loss counts only if the receiver is heard: a message
//!   without an answer needn't be sent again and again. Disturbances explain at most a few times
//!   what the other reasons do, or else a storm that disturbs itself would be its own excuse;
//! * **questions**: each explains one answer.
//!
//! The bytes of entries and snapshots are explained in the same way. Every ten seconds the
//! snapshots that one server began to send to another are counted: a few are explained, and one
//! more for each loss, restart and new leadership. So is one for each second in which the
//! receiver's disk takes longer for a write than a heartbeat interval, because then the receiver
//! may fall behind for ever. Messages that wait in a server for its disk are explained by the
//! senders' windows of appends.
//!
//! # The bound
//! Twice what is explained is allowed. [`Simulation::economy`](crate::sim::Simulation::economy)
//! gives the largest share of it that was used: less than half in a healthy cluster, more than all
//! in a storm.

use alloc::vec::Vec;

use super::Property;
use super::safety::{CheckResult, Checker, MACHINES};
use super::view::Machines;
use crate::clock::TRUE_RATE;
use crate::raft::{
    AppendEntries, Claim, Config, EntryId, InstallSnapshot, LogIndex, Message, Raft, Role, ServerId, ServerSet, Term,
    Turn,
};
use crate::time::{Duration, Time};

/// How long messages are counted before they are judged.
const WINDOW: Duration = Duration::from_secs(1);

/// For how many windows snapshots are counted.
const SNAPSHOT_WINDOWS: u32 = 10;

/// How many messages need no reason: some things happen now and then.
const MESSAGES_ANYWAY: u64 = 8;

/// How many appends may be sent once more, whatever they hold.
const APPENDS_ANYWAY: u64 = 3;

/// How many bytes each message has that time explains.
const BYTES_EACH: u64 = 64;

/// How many messages each disturbance explains, and at most how many times as many as the other
/// reasons do.
const AGAIN_EACH: u64 = 4;
const AGAIN_MAX: u64 = 4;

/// How many snapshots in ten seconds need no reason.
const SNAPSHOTS_ANYWAY: u64 = 4;

/// How many answers without a question need no reason. A correct server sends none.
const ANSWERS_ANYWAY: u64 = 8;

/// How many windows of appends the messages that wait for a disk may answer, and how many more may
/// wait there.
const HELD_WINDOWS: u64 = 2;
const HELD_ANYWAY: u64 = 64;

/// A server that has sent this many messages within a window is judged before the window ends.
const MANY: u32 = 1 << 12;

/// What servers have sent each other, in numbers.
#[derive(Clone, Debug)]
pub(super) struct Economy {
    /// From each server that has sent or received a message to each other one: `from * servers +
    /// to`.
    pairs: Vec<Pair>,
    servers: usize,
    /// For each server.
    paces: Vec<Pace>,
    /// Reads that clients have asked for in this window.
    reads: u64,
    /// When this window ends.
    pub(super) ends: Time,
    windows: u32,
    /// The largest share used of what is allowed, in thousandths.
    peak: u64,
}

/// How many messages to each other server time explains in a window.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// At the clock's present rate.
    now: u64,
    /// At the highest rate in this window.
    most: u64,
}

/// What one server sends to another.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    /// The term of the leadership in which the following was sent.
    term: Term,
    /// Entries sent in it: all from `lowest` to `front`, and some between there and `highest`.
    lowest: LogIndex,
    front: LogIndex,
    highest: LogIndex,
    /// The snapshot that is being sent, and up to which byte.
    snapshot: EntryId,
    sent_to: u64,
    /// How many of the other's questions have no answer yet.
    owed: i64,
    /// The number of the latest message that arrived at the other.
    latest: u64,
    /// In this window.
    count: Count,
    /// How many messages of the window before had something new. If they were lost, they are sent
    /// again in this one.
    fresh_before: u32,
    /// Snapshots begun since they were judged last, and how many reasons there are for more of
    /// them.
    snapshots: u64,
    causes: u64,
}

/// What is counted in a window.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Messages that are not answers.
    messages: u32,
    /// Of these, the ones with something that the other hasn't been sent yet.
    fresh: u32,
    /// Messages that were lost on the way.
    lost: u32,
    /// Messages that arrived after a later one.
    overtaken: u32,
    /// Answers from the other that arrived.
    heard: u32,
    /// Bytes of entries and snapshots.
    bytes: u64,
    fresh_bytes: u64,
    /// The largest such message.
    largest: u64,
}

impl Pair {
    /// Starts to count anew what the other has been sent.
    fn begin(&mut self, term: Term) {
        self.term = term;
        (self.lowest, self.front, self.highest) = (LogIndex(u64::MAX), LogIndex::ZERO, LogIndex::ZERO);
        self.snapshot = EntryId::ZERO;
        self.causes += 1;
    }

    fn append(&mut self, m: &AppendEntries) {
        if m.entries.is_empty() {
            return;
        }
        if m.term != self.term {
            self.begin(m.term);
        }
        let (first, last) = (m.previous.index.next(), m.previous.index.plus(m.entries.len() as u64));
        let fresh = if first < self.lowest {
            // What was sent from a later index may follow right after it.
            self.front = if last.next() < self.lowest { last } else { self.front.max(last) };
            self.lowest = first;
            true
        } else if last > self.front && (first <= self.front.next() || last <= self.highest) {
            // The other had the entries in between already.
            self.front = last;
            true
        } else {
            last > self.highest
        };
        self.highest = self.highest.max(last);
        self.count.carry(m.entries.size(), fresh);
    }

    fn piece(&mut self, m: &InstallSnapshot) {
        let bytes = m.piece.bytes().len() as u64;
        if bytes == 0 {
            return;
        }
        if m.term != self.term {
            self.begin(m.term);
        }
        if m.meta.last != self.snapshot {
            (self.snapshot, self.sent_to) = (m.meta.last, 0);
            self.snapshots += 1;
        }
        let end = m.offset + bytes;
        let fresh = end > self.sent_to;
        self.sent_to = self.sent_to.max(end);
        self.count.carry(bytes, fresh);
    }
}

impl Count {
    fn carry(&mut self, bytes: u64, fresh: bool) {
        self.bytes += bytes;
        self.largest = self.largest.max(bytes);
        if fresh {
            self.fresh += 1;
            self.fresh_bytes += bytes;
        }
    }
}

/// How much was sent, and how much of it is explained.
struct Spent {
    what: Kind,
    sent: u64,
    explained: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Messages,
    Bytes,
    Snapshots,
    Answers,
    Held,
}

impl Spent {
    /// The share of what is allowed, in thousandths.
    fn used(&self) -> u64 {
        self.sent * 500 / self.explained.max(1)
    }
}

impl Economy {
    pub(super) fn new() -> Economy {
        Economy {
            pairs: Vec::new(),
            servers: 0,
            paces: Vec::new(),
            reads: 0,
            ends: Time::ZERO + WINDOW,
            windows: 0,
            peak: 0,
        }
    }

    /// Makes room for what `server` sends and receives.
    pub(super) fn meet(&mut self, server: ServerId) {
        if server.slot() < self.servers {
            return;
        }
        let (before, now) = (self.servers, server.slot() + 1);
        let pair = |place: usize| match (place / now, place % now) {
            (from, to) if from < before && to < before => self.pairs[from * before + to],
            _ => Pair::default(),
        };
        self.pairs = (0..now * now).map(pair).collect();
        self.paces.resize(now, Pace::default());
        self.servers = now;
    }

    fn pair(&mut self, from: ServerId, to: ServerId) -> Option<&mut Pair> {
        if to.slot() >= self.servers {
            return None;
        }
        self.pairs.get_mut(from.slot() * self.servers + to.slot())
    }

    /// A server's clock runs at that rate from now on; see [`Checker::paced`].
    pub(super) fn pace(&mut self, server: ServerId, rate: u32, config: &Config) {
        self.meet(server);
        let each = |interval: Duration| WINDOW.as_micros() / interval.as_micros().max(1) + 1;
        let messages = each(config.heartbeat_interval) + 2 * each(config.election_timeout_min);
        let pace = &mut self.paces[server.slot()];
        pace.now = messages * u64::from(rate.max(TRUE_RATE)) / u64::from(TRUE_RATE);
        pace.most = pace.most.max(pace.now);
    }

    pub(super) fn read(&mut self) {
        self.reads += 1;
    }

    /// A server lost everything but its disk: it is sent again what it lacks.
    pub(super) fn crashed(&mut self, server: ServerId) {
        self.meet(server);
        for other in 0..self.servers {
            self.pairs[other * self.servers + server.slot()].begin(Term::ZERO);
            self.pairs[server.slot() * self.servers + other].owed = 0;
        }
    }

    /// A server's disk is too slow for it to keep up.
    fn falls_behind(&mut self, server: ServerId) {
        for other in 0..self.servers {
            self.pairs[other * self.servers + server.slot()].causes += 1;
        }
    }

    /// A message is sent. Tells whether there are so many by now that they should be judged.
    #[inline]
    pub(super) fn sent(&mut self, from: ServerId, to: ServerId, message: &Message) -> bool {
        let Some(pair) = self.pair(from, to) else { return false };
        match message.turn() {
            Turn::Answer => {
                pair.owed -= 1;
                return false;
            }
            Turn::Question | Turn::Word => {}
        }
        match message.claim() {
            Some(Claim::AppendEntries(m)) => pair.append(m),
            Some(Claim::InstallSnapshot(m)) => pair.piece(m),
            Some(Claim::PreVote(_) | Claim::RequestVote(_) | Claim::TimeoutNow(_) | Claim::ReadIndex(_)) | None => {}
            // These are answers.
            Some(
                Claim::PreVoteResponse(_)
                | Claim::RequestVoteResponse(_)
                | Claim::AppendEntriesResponse(_)
                | Claim::InstallSnapshotResponse(_)
                | Claim::ReadIndexResponse(_),
            ) => {}
        }
        pair.count.messages += 1;
        pair.count.messages.is_multiple_of(MANY)
    }

    /// A message has arrived or was lost.
    #[inline]
    pub(super) fn landed(&mut self, from: ServerId, to: ServerId, number: u64, message: &Message, lost: bool) {
        let Some(pair) = self.pair(from, to) else { return };
        if lost {
            pair.count.lost += 1;
            return;
        }
        if number < pair.latest {
            pair.count.overtaken += 1;
        } else {
            pair.latest = number;
        }
        let Some(back) = self.pair(to, from) else { return };
        match message.turn() {
            Turn::Answer if message.is_acknowledgement() => back.count.heard += 1,
            Turn::Question => back.owed += 1,
            Turn::Answer | Turn::Word => {}
        }
    }

    /// What was sent from one server to another in this window, and how much of it is explained.
    fn judge(&self, from: usize, to: usize) -> [Spent; 4] {
        let (pair, back) = (&self.pairs[from * self.servers + to], &self.pairs[to * self.servers + from]);
        let (count, time) = (&pair.count, self.paces[from].most);
        let fresh = u64::from(count.fresh);
        let overtaken = u64::from(count.overtaken) + u64::from(back.count.overtaken);
        let again = AGAIN_EACH * (losses(pair, back) + overtaken);
        let again = again.min(AGAIN_MAX * (time + fresh + u64::from(pair.fresh_before)));
        let explained = MESSAGES_ANYWAY + time + 2 * self.reads + fresh + again;
        let bytes = BYTES_EACH * time + count.fresh_bytes + (again + APPENDS_ANYWAY) * count.largest;
        let snapshots = SNAPSHOTS_ANYWAY + pair.causes + losses(pair, back);
        let unasked = u64::try_from(-pair.owed).unwrap_or(0);
        [
            Spent { what: Kind::Messages, sent: u64::from(count.messages), explained },
            Spent { what: Kind::Bytes, sent: count.bytes, explained: bytes },
            Spent { what: Kind::Snapshots, sent: pair.snapshots, explained: snapshots },
            Spent { what: Kind::Answers, sent: unasked, explained: ANSWERS_ANYWAY },
        ]
    }

    /// Begins the next window, in which `now` is.
    fn begin_window(&mut self, now: Time) {
        self.windows += 1;
        let judged = self.windows.is_multiple_of(SNAPSHOT_WINDOWS);
        for from in 0..self.servers {
            for to in from..self.servers {
                let (there, back) = (from * self.servers + to, to * self.servers + from);
                let lost =
                    [losses(&self.pairs[there], &self.pairs[back]), losses(&self.pairs[back], &self.pairs[there])];
                for (place, lost) in [there, back].into_iter().zip(lost) {
                    let pair = &mut self.pairs[place];
                    pair.fresh_before = core::mem::take(&mut pair.count).fresh;
                    pair.causes += lost;
                    if judged {
                        (pair.snapshots, pair.causes) = (0, 0);
                    }
                }
            }
        }
        for pace in &mut self.paces {
            pace.most = pace.now;
        }
        self.reads = 0;
        let windows = now.since(Time::ZERO).as_micros() / WINDOW.as_micros() + 1;
        self.ends = Time::ZERO + WINDOW.times(windows);
    }
}

/// Whether so much has been applied since the last snapshot that the next one is due.
fn is_snapshot_due(raft: &Raft) -> bool {
    let (config, applied) = (raft.config(), raft.applied_index());
    let since = raft.snapshot().map_or(LogIndex::ZERO, |snapshot| snapshot.meta.last.index);
    let (entries, bytes) = (config.snapshot_after_entries, config.snapshot_after_bytes);
    let many = entries > 0 && applied.distance_from(since) >= entries;
    many || bytes > 0 && raft.log().bytes() >= bytes && raft.log().bytes_in(since, applied) >= bytes
}

/// How many lost messages between the two explain that others are sent: no more than answers were
/// heard from the receiver.
fn losses(pair: &Pair, back: &Pair) -> u64 {
    u64::from((pair.count.lost + back.count.lost).min(pair.count.heard))
}

impl Checker {
    /// A message between servers has arrived or was lost. Message numbers grow in the order in
    /// which messages were sent.
    #[inline]
    pub fn landed(&mut self, from: ServerId, to: ServerId, number: u64, message: &Message, lost: bool) {
        self.economy.landed(from, to, number, message, lost);
    }

    /// The largest share of what is allowed that one server has sent another, in thousandths.
    pub fn economy(&self) -> u64 {
        self.economy.peak
    }

    /// A window is over: judges everything that was sent in it, and the messages that wait for
    /// disks.
    #[cold]
    pub(super) fn close_window(&mut self, now: Time, me: ServerId, machines: &dyn Machines) -> CheckResult {
        for slot in 0..MACHINES {
            let Some(machine) = machines.get(slot) else { break };
            let Some(raft) = machine.raft() else { continue };
            self.replication.second(raft);
            if raft.id() != me {
                self.check_compacted(now, raft)?;
            }
            let (sent, slot) = (raft.held_messages().len() as u64, raft.id().slot());
            let explained = HELD_ANYWAY + HELD_WINDOWS * raft.config().window_appends_max as u64;
            self.note_spent(now, slot, slot, &Spent { what: Kind::Held, sent, explained })?;
            if machine.fsync_max() > raft.config().heartbeat_interval {
                self.economy.falls_behind(raft.id());
            }
        }
        for from in 0..self.economy.servers {
            for to in 0..self.economy.servers {
                self.check_economy(now, from, to)?;
            }
        }
        self.economy.begin_window(now);
        Ok(())
    }

    /// Economy: `from` has sent `to` no more than twice what can be explained.
    pub(super) fn check_economy(&mut self, now: Time, from: usize, to: usize) -> CheckResult {
        for spent in self.economy.judge(from, to) {
            self.note_spent(now, from, to, &spent)?;
        }
        Ok(())
    }

    fn note_spent(&mut self, now: Time, from: usize, to: usize, spent: &Spent) -> CheckResult {
        self.economy.peak = self.economy.peak.max(spent.used());
        if spent.used() > 1_000 { self.wasted(now, from, to, spent) } else { Ok(()) }
    }

    #[cold]
    fn wasted(&self, now: Time, from: usize, to: usize, spent: &Spent) -> CheckResult {
        let (from, to, Spent { sent, explained, .. }) = (from + 1, to + 1, spent);
        let (what, which) = match spent.what {
            Kind::Messages => ("messages", "within a second"),
            Kind::Bytes => ("bytes", "within a second"),
            Kind::Snapshots => ("snapshots", "begun within ten seconds"),
            Kind::Answers => ("answers", "without a question"),
            Kind::Held => ("messages", "that wait for the disk"),
        };
        let first = format_args!("{explained} {what} from S{from} to S{to} {which} can be explained");
        let second = format_args!("there are {sent}");
        self.broken(Property::Economy, now, first, second)
    }

    /// A server wants a snapshot: it must have applied much since the last one.
    pub(super) fn check_snapshot_wanted(&self, now: Time, raft: &Raft) -> CheckResult {
        if is_snapshot_due(raft) {
            return Ok(());
        }
        self.out_of_order(Property::Economy, now, raft.id(), "wants a snapshot", "it has applied little since the last")
    }

    /// A server that isn't taking a step must have taken the snapshots that were due.
    fn check_compacted(&self, now: Time, raft: &Raft) -> CheckResult {
        if !is_snapshot_due(raft) {
            return Ok(());
        }
        self.out_of_order(
            Property::Economy,
            now,
            raft.id(),
            "has applied much since its last snapshot",
            "it takes none",
        )
    }

    /// Economy: a leader takes a snapshot up to `last`. It keeps entries before that only for
    /// members that answer and lag.
    #[inline(never)]
    pub(super) fn check_compaction(&self, now: Time, raft: &Raft, last: LogIndex) -> CheckResult {
        let Role::Leader(leader) = raft.role() else { return Ok(()) };
        let (me, base, config) = (raft.id(), raft.log().base().index, raft.config());
        let anyway = LogIndex(last.0.saturating_sub(config.entries_kept));
        let clock = self.elections.stepped(me);
        let needs = |server: ServerId| {
            leader.progress(server).is_some_and(|progress| {
                progress.matched < anyway && progress.heard + config.election_timeout_max.times(2) > clock
            })
        };
        if base >= anyway || ServerSet::first(MACHINES as u8).iter().any(needs) {
            return Ok(());
        }
        let (first, second) = ("keeps more of its log than it must", "no member that answers needs it");
        self.out_of_order(Property::Economy, now, me, first, second)
    }

    /// Counts what a step sends.
    pub(super) fn count_messages(&mut self, now: Time, raft: &Raft, to: ServerId, message: &Message) -> CheckResult {
        if self.economy.sent(raft.id(), to, message) {
            self.check_economy(now, raft.id().slot(), to.slot())
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::{Entry, Payload};

    /// A leader sends a member the newest entry, then the third, which follows what the member has,
    /// then the first, because the member's disk has confirmed nothing yet. When the disk has, the
    /// leader sends all that follow.
    #[test]
    fn entries_are_new_to_a_member_that_had_some_in_between() {
        let mut pair = Pair::default();
        let mut send = |index: u64| {
            let entries = alloc::vec![Entry { term: Term(1), payload: Payload::NoOp }].into();
            let previous = EntryId::new(LogIndex(index - 1), Term(1));
            let (term, commit) = (Term(1), LogIndex::ZERO);
            pair.append(&AppendEntries { term, previous, entries, commit, round: 1, probe: 0 });
            pair.count.fresh
        };
        let fresh = [90, 3, 1].into_iter().chain(4..=89).map(&mut send).last();
        assert_eq!(fresh, Some(3 + 86), "each is new");
        assert_eq!((4..=89).map(send).last(), fresh, "none is so twice");
    }
}
