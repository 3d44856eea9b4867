//! What is on this server's disk, what is on its way there, and the messages that wait for it.
//!
//! A promise must not leave before what it promises is durable (Raft Figure 2: "updated on stable
//! storage before responding"). Writes become durable in the order in which they were handed out,
//! so a promise needs only the number of the write that it depends on.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::Raft;
use super::essence::Ages;
use super::io::{HardState, LogWrite, Output, Receipt, Standing, Write};
use super::message::{Envelope, Message, Snapshot};
use super::observation::{Observation, StepDownReason};
use super::role::Role;
use super::rules::Rule;
use super::server::Server;
use super::types::{DiskId, EntryId, LogIndex, ServerId};
use crate::time::{Duration, Time};

/// What Raft knows about its disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    /// Everything up to here is durable.
    log: LogIndex,
    /// The number of the last write handed out, and of the last one that is durable.
    issued: u64,
    durable: u64,
    /// The number of the last write that changed something in the hard state that promises depend
    /// on, and of the last one that changed [`HardState::asking_life`].
    hard_state_write: u64,
    asking_write: u64,
    /// Whether the last hard state on the disk lets the server vote, and lacks no entries.
    whole: bool,
    /// The number of the last write that dropped entries: earlier writes say nothing about the
    /// entries that are at those indexes now.
    cutting_write: u64,
    /// When each write that isn't durable yet was handed out, oldest first. For the oldest, it is
    /// when the write before it was done, if that is later.
    writing: Vec<Time>,
    /// Messages, each with the write that it waits for, in the order of the writes.
    held: Vec<(u64, Envelope)>,
    /// What this step has to write so far.
    pending: Pending,
}

#[derive(Clone, Debug, Default)]
struct Pending {
    hard_state: bool,
    asking_life: bool,
    snapshot: Option<Arc<Snapshot>>,
    /// The log was cut after this index, and perhaps appended to.
    log: Option<LogIndex>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        !self.hard_state && !self.asking_life && self.snapshot.is_none() && self.log.is_none()
    }
}

/// Whether two answers differ only in the round that they answer.
fn says_the_same(one: &Message, other: &Message) -> bool {
    match (one, other) {
        (Message::AppendEntriesResponse(old), Message::AppendEntriesResponse(new)) => {
            (old.outcome, old.received, old.probe) == (new.outcome, new.received, new.probe)
        }
        (Message::InstallSnapshotResponse(old), Message::InstallSnapshotResponse(new)) => {
            (old.last, old.progress, old.may_vote) == (new.last, new.progress, new.may_vote)
        }
        _ => false,
    }
}

impl Disk {
    pub(super) fn holding(log: LogIndex) -> Disk {
        Disk { log, ..Disk::default() }
    }

    /// A server that starts from this hard state derives the same one from it each time.
    pub(super) fn begin_with(&mut self, hard_state: &HardState) {
        self.whole = hard_state.is_whole();
    }

    pub(super) fn log(&self) -> LogIndex {
        self.log
    }

    pub(super) fn is_writing(&self) -> bool {
        self.issued > self.durable
    }

    /// How many writes are on their way to the disk.
    pub(super) fn unfinished(&self) -> usize {
        self.writing.len()
    }

    /// The messages that wait for the disk.
    pub(super) fn held(&self) -> impl DoubleEndedIterator<Item = &Envelope> + ExactSizeIterator {
        self.held.iter().map(|(_, envelope)| envelope)
    }

    pub(super) fn clock_went_back(&mut self, now: Time) {
        for issued in &mut self.writing {
            *issued = (*issued).min(now);
        }
    }

    /// The log was cut, and this step's write will tell the disk. What was durable beyond the cut
    /// is not what the log holds now.
    pub(super) fn cut(&mut self, last: LogIndex) {
        self.log = self.log.min(last);
        self.cutting_write = self.issued + 1;
    }

    /// Holds a message until the write `needed` is durable. A leader goes on asking while the disk
    /// hangs. If two answers differ only in the round that they answer, the last one is enough.
    fn hold(&mut self, needed: u64, envelope: Envelope) {
        if let Some((write, last)) = self.held.last_mut()
            && *write == needed
            && last.to == envelope.to
            && says_the_same(&last.message, &envelope.message)
        {
            *last = envelope;
        } else {
            self.held.push((needed, envelope));
        }
    }

    /// See [`Raft::hash_essence`]: writes are counted from the last durable one, and all writes at
    /// least as old as a stall are alike.
    pub(super) fn hash_essence(&self, ages: &Ages, state: &mut impl Hasher) {
        let Disk { log, issued, durable, hard_state_write, asking_write, whole, cutting_write, writing, held, pending } =
            self;
        debug_assert!(pending.is_empty(), "a step ends with handing out what is to be written");
        let ahead = |write: &u64| write.saturating_sub(*durable);
        (log, whole, ahead(issued), ahead(hard_state_write), ahead(asking_write)).hash(state);
        (ahead(cutting_write), held.len()).hash(state);
        for issued in writing {
            ages.since(*issued, ages.config.disk_stall_max).hash(state);
        }
        for (needed, envelope) in held {
            ahead(needed).hash(state);
            ages.hash_held(envelope, state);
        }
    }

    /// The write that everything decided so far depends on: this step's, if it writes, or else the
    /// last one.
    fn needed(&self) -> u64 {
        self.issued + u64::from(!self.pending.is_empty())
    }
}

impl Raft {
    pub(super) fn on_durable(&mut self, receipt: Receipt, out: &mut Output) {
        let Raft { server, role } = self;
        assert!(
            receipt.sequence <= server.disk.issued,
            "{}: write {} is reported durable, but only {} were handed out",
            server.config.id,
            receipt.sequence,
            server.disk.issued
        );
        if receipt.sequence <= server.disk.durable {
            return;
        }
        let slow_vote = server.finish_writes(receipt, out);
        if let Some(took) = slow_vote
            && !matches!(role, Role::Leader(_))
        {
            server.allow_for_slow_vote(took);
        }
        server.notice_repair(out);
        self.count_own_vote(out);
        // Its own vote may have made it the leader.
        if let Role::Leader(leader) = &mut self.role {
            let leadership = leader.advance_commit(&mut self.server, out);
            self.conclude_leadership(leadership, out);
        }
    }
}

impl Server {
    pub(super) fn set_hard_state(&mut self, hard_state: HardState) {
        self.must_hold(hard_state.term >= self.hard_state.term, "a term never goes down");
        if self.hard_state.term < hard_state.term {
            // These are promises of an older term that haven't left yet. No server needs them, and
            // the log may change under them.
            self.disk.held.clear();
        }
        if self.hard_state != hard_state {
            self.hard_state = hard_state;
            self.disk.pending.hard_state = true;
        }
    }

    /// Begins a life that asks. No promise depends on its number: heartbeats are answered while a
    /// slow disk writes it.
    pub(super) fn set_asking_life(&mut self, asking_life: u32) {
        self.hard_state.asking_life = asking_life;
        self.disk.pending.asking_life = true;
    }

    /// The log changed: everything after `after` was dropped, and the entries that it holds there
    /// now were appended.
    pub(super) fn write_log(&mut self, after: LogIndex) {
        self.slice = None;
        // If it is the second change in the same step, one write covers both.
        let earlier = self.disk.pending.log.unwrap_or(after);
        self.disk.pending.log = Some(after.min(earlier));
    }

    /// The snapshot replaces the log up to its last entry. The entries that the log holds after
    /// that were there before.
    pub(super) fn write_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        let last = snapshot.meta.last.index;
        self.slice = None;
        self.disk.pending.snapshot = Some(snapshot);
        if let Some(after) = &mut self.disk.pending.log {
            *after = last;
        }
    }

    /// Like [`Server::write_snapshot`], for one that the log did not contain: nothing of the log is
    /// left.
    pub(super) fn write_snapshot_alone(&mut self, snapshot: Arc<Snapshot>) {
        let last = snapshot.meta.last.index;
        self.slice = None;
        // What the snapshot covers is durable when the snapshot is, not before.
        self.disk.cut(LogIndex::ZERO);
        self.disk.pending.snapshot = Some(snapshot);
        self.disk.pending.log = Some(last);
    }

    /// Hands out what this step has to write.
    pub(super) fn flush_write(&mut self, out: &mut Output) {
        if self.disk.pending.is_empty() {
            return;
        }
        self.disk.issued += 1;
        self.disk.writing.push(self.now);
        let pending = &mut self.disk.pending;
        let (snapshot, after) = (pending.snapshot.take(), pending.log.take());
        let promises = core::mem::take(&mut pending.hard_state);
        let asks = core::mem::take(&mut pending.asking_life);
        if promises {
            self.disk.hard_state_write = self.disk.issued;
        }
        if asks {
            self.disk.asking_write = self.disk.issued;
        }
        let hard_state = (promises || asks).then_some(self.hard_state);
        let receipt = Receipt { sequence: self.disk.issued, last: self.log.last() };
        let log = || after.map(|after| LogWrite { after, entries: self.cut_everything(after.next()) });
        // Built where it will lie, as in `send_new`.
        out.writes.extend(core::iter::once_with(|| Write { hard_state, snapshot, log: log(), receipt }));
    }

    /// Sends a message that promises something, once everything decided so far is durable. `rule`
    /// is the rule that demands this.
    pub(super) fn promise(&mut self, to: ServerId, message: Message, rule: Rule, out: &mut Output) {
        let needed = self.disk.needed();
        if needed <= self.disk.durable || !self.rule(rule) {
            self.send(to, message, out);
        } else {
            self.disk.hold(needed, Envelope { to, message });
        }
    }

    /// Sends a message that only speaks of the log up to `index`, once that is durable.
    #[inline]
    pub(super) fn promise_log(
        &mut self,
        index: LogIndex,
        to: ServerId,
        message: impl FnOnce() -> Message,
        out: &mut Output,
    ) {
        if index <= self.disk.log && self.hard_state_is_durable() {
            self.send_new(to, message, out);
        } else {
            self.promise(to, message(), Rule::PersistBeforeAcknowledging, out);
        }
    }

    /// Asks another server, once the number of this life is durable, whatever the rules.
    pub(super) fn ask(&mut self, to: ServerId, message: Message, out: &mut Output) {
        if !self.disk.pending.asking_life && self.disk.asking_write <= self.disk.durable {
            self.send(to, message, out);
        } else {
            self.disk.hold(self.disk.needed(), Envelope { to, message });
        }
    }

    /// Whether the disk holds the hard state, or at least everything in it that promises depend on.
    pub(super) fn hard_state_is_durable(&self) -> bool {
        !self.disk.pending.hard_state && self.disk.hard_state_write <= self.disk.durable
    }

    /// A write is done, and all writes before it: the messages that waited for them leave. Returns
    /// how long the write took, if it held a vote and took long.
    fn finish_writes(&mut self, receipt: Receipt, out: &mut Output) -> Option<Duration> {
        let finished = (receipt.sequence - self.disk.durable) as usize;
        let took = self.oldest_write().map_or(Duration::ZERO, |began| self.now.since(began));
        self.disk.writing.drain(..finished);
        // A disk does one write after the other: the next one begins now.
        if let Some(next) = self.disk.writing.first_mut() {
            *next = self.now;
        }
        let voting = !self.hard_state_is_durable();
        self.disk.durable = receipt.sequence;
        if self.hard_state_is_durable() {
            self.disk.whole = self.hard_state.is_whole();
        }
        // Entries that were overwritten after this write was handed out are on their way to the
        // disk once more. The index can't show that, because another entry may be there now. Term
        // and index can't either, because it may be the same entry, brought back by a third leader.
        // What a snapshot covers is durable with the snapshot, not before.
        if receipt.sequence >= self.disk.cutting_write || !self.rule(Rule::MatchWritesByTerm) {
            let known = self.log.term_at(receipt.last.index);
            self.must_hold(
                known.is_none_or(|term| term == receipt.last.term),
                "a write that wasn't cut off is in the log",
            );
            self.disk.log = self.disk.log.max(receipt.last.index.min(self.log.last().index));
        }
        let due = self.disk.held.partition_point(|(needed, _)| *needed <= self.disk.durable);
        out.messages.extend(self.disk.held.drain(..due).map(|(_, envelope)| envelope));
        let voting = voting && self.hard_state.voted_for.is_some();
        let slow = took >= self.config.heartbeat_interval;
        if voting && self.hard_state.voted_for == Some(self.config.id) {
            self.slow_vote = slow;
        }
        (voting && slow && self.hard_state_is_durable()).then_some(took)
    }

    /// The vote, or the question for votes, leaves only now, because the disk took so long. So the
    /// time that the answer may take begins now, and the other disks may be as slow as this one.
    fn allow_for_slow_vote(&mut self, took: Duration) {
        self.arm_election_timer();
        let took = took.min(self.config.disk_stall_max);
        self.election_timeout = self.election_timeout + took;
        self.election_deadline += took;
    }

    /// Admissions that are committed and on the disk say which disk may vote under this server's
    /// name. Admissions that aren't committed don't count: the leader that can't commit one may be
    /// a deposed one with an old membership.
    pub(super) fn settle_admissions(&mut self, out: &mut Output) {
        let known = self.commit.min(self.disk.log);
        let due = self.admissions.partition_point(|(index, _)| *index <= known);
        if due == 0 {
            return;
        }
        let settled: Vec<(LogIndex, DiskId)> = self.admissions.drain(..due).collect();
        for (index, disk) in settled {
            if index <= self.hard_state.decided_at {
                continue; // The log is read again, and that admission was of an earlier disk.
            }
            let standing = match self.hard_state.standing {
                _ if disk == self.hard_state.disk => Standing::Member,
                // Another disk has been admitted under this name.
                Standing::Member if self.rule(Rule::BarAmnesiacVoters) => Standing::Barred,
                unchanged => unchanged,
            };
            if standing == self.hard_state.standing {
                continue;
            }
            match standing {
                Standing::Member => out.observe(|| Observation::Admitted { index }),
                _ => out.observe(|| Observation::Barred { index }),
            }
            self.set_hard_state(HardState { standing, decided_at: index, ..self.hard_state });
        }
    }

    /// Whether the server may vote on the disk it has, and would still know that after a crash.
    pub(super) fn may_vote(&self) -> bool {
        self.hard_state.standing == Standing::Member && (self.disk.whole || self.hard_state_is_durable())
    }

    /// Whether this server lacks entries that a leader may count on, or would lack them after a
    /// crash.
    pub(super) fn disk_lost_entries(&self) -> bool {
        !self.disk.whole || !self.hard_state.is_whole()
    }

    /// Once the log on the disk is as up to date as it was before the damage, nothing is missing
    /// any more.
    fn notice_repair(&mut self, out: &mut Output) {
        let lost = self.hard_state.lost;
        if lost != EntryId::ZERO && self.log.id_at(self.disk.log).is_some_and(|held| held >= lost) {
            self.set_hard_state(HardState { lost: EntryId::ZERO, ..self.hard_state });
            out.observe(|| Observation::Repaired { lost });
        }
    }

    /// Since when the oldest unfinished write has been on its way to the disk.
    fn oldest_write(&self) -> Option<Time> {
        self.disk.writing.first().copied()
    }

    /// When the disk counts as stalled, if no write finishes before.
    pub(super) fn disk_stall_deadline(&self) -> Time {
        self.oldest_write().map_or(Time::NEVER, |issued| issued + self.config.disk_stall_max)
    }

    pub(super) fn disk_is_stalled(&self) -> bool {
        self.now >= self.disk_stall_deadline()
    }

    pub(super) fn disk_stall_reason(&self) -> StepDownReason {
        StepDownReason::DiskStalled { stalled: self.now.since(self.oldest_write().unwrap_or(self.now)) }
    }
}
