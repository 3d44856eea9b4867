//! Linearizable reads without writing to the log (Raft §8, dissertation §6.4).
//!
//! Every read ends: with its release, or with a refusal within a bound, wherever it waits.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::essence::Ages;
use super::io::{Output, ReadMode, Refusal, RequestId};
use super::message::{Message, ReadIndex, ReadIndexResponse};
use super::observation::{LeaseRefusal, Observation, ReadProof, ReadWait};
use super::progress::Progress;
use super::rules::Rule;
use super::types::{DiskId, LogIndex, ServerId};
use super::{Leader, Raft, Role};
use crate::time::{Duration, Time};

/// A read that a leader can't answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingRead {
    pub(super) origin: ReadOrigin,
    mode: ReadMode,
    /// When it is refused, at the latest. They come in this order.
    pub(super) deadline: Time,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// Until the leader has committed an entry of its own.
    OwnCommit,
    /// For a round to be assigned to. The read's index is fixed already: each read has its own.
    Unassigned { index: LogIndex },
    /// Until a quorum has answered this round.
    Round { index: LogIndex, round: u64 },
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ReadOrigin {
    /// A caller of this server.
    Local(RequestId),
    /// A follower, by its disk and its own number.
    Follower(ServerId, DiskId, u64),
}

/// A read that this server has asked its leader about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ForwardedRead {
    request: u64,
    id: RequestId,
    leader: ServerId,
    deadline: Time,
    answered: bool,
}

/// A read that is confirmed and waits for its index to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ConfirmedRead {
    index: LogIndex,
    id: RequestId,
    deadline: Time,
}

/// The reads of this server's own callers that aren't with a leader's pending ones.
#[derive(Clone, Debug, Default)]
pub(super) struct LocalReads {
    /// In the order of their numbers and of their deadlines. Those answered go when they are the
    /// oldest: each is looked for by its number, and none is moved for another's sake, however many
    /// there are.
    forwarded: VecDeque<ForwardedRead>,
    /// The number of the next question; its lower half is zero where this life has none to give
    /// yet.
    next_question: u64,
    /// In the order of their indexes.
    confirmed: Vec<ConfirmedRead>,
    /// No later than the earliest deadline of those.
    confirmed_deadline: Time,
}

impl PendingRead {
    /// The round whose answers it waits for.
    pub(super) fn round(&self) -> Option<u64> {
        if let Stage::Round { round, .. } = self.stage { Some(round) } else { None }
    }

    /// See [`Raft::hash_essence`].
    pub(super) fn hash_essence(&self, ages: &Ages, state: &mut impl Hasher) {
        let PendingRead { origin, mode, deadline, stage } = self;
        (origin, mode, ages.until(*deadline), stage).hash(state);
    }
}

impl LocalReads {
    /// See [`Raft::hash_essence`].
    pub(super) fn hash_essence(&self, ages: &Ages, state: &mut impl Hasher) {
        let LocalReads { forwarded, next_question, confirmed, confirmed_deadline } = self;
        (next_question, forwarded.len(), confirmed.len()).hash(state);
        for ForwardedRead { request, id, leader, deadline, answered } in forwarded {
            (request, id, leader, ages.until(*deadline), answered).hash(state);
        }
        for ConfirmedRead { index, id, deadline } in confirmed {
            (index, id, ages.until(*deadline)).hash(state);
        }
        if !confirmed.is_empty() {
            ages.until(*confirmed_deadline).hash(state);
        }
    }

    /// When the first of them is to be refused, or a little earlier.
    #[inline]
    pub(super) fn deadline(&self) -> Time {
        let forwarded = self.forwarded.front().map_or(Time::NEVER, |read| read.deadline);
        if self.confirmed.is_empty() { forwarded } else { forwarded.min(self.confirmed_deadline) }
    }

    /// The clock went back: no deadline may lie further off than `latest`.
    pub(super) fn clock_went_back(&mut self, latest: Time) {
        let confirmed = self.confirmed.iter_mut().map(|read| &mut read.deadline);
        for deadline in self.forwarded.iter_mut().map(|read| &mut read.deadline).chain(confirmed) {
            *deadline = latest.min(*deadline);
        }
        self.confirmed_deadline = self.confirmed_deadline.min(latest);
    }

    /// Takes the answer to a question, if `leader` was asked it and hasn't answered yet.
    fn take_forwarded(&mut self, leader: ServerId, request: u64) -> Option<ForwardedRead> {
        let place = self.forwarded.binary_search_by_key(&request, |read| read.request).ok()?;
        let read = self.forwarded.get_mut(place).filter(|read| read.leader == leader && !read.answered)?;
        read.answered = true;
        let taken = *read;
        self.drop_answered();
        Some(taken)
    }

    fn drop_answered(&mut self) {
        while self.forwarded.front().is_some_and(|read| read.answered) {
            self.forwarded.pop_front();
        }
    }

    /// Hands out those that everything up to `applied` is enough for.
    #[inline]
    pub(super) fn take_applied(&mut self, applied: LogIndex, out: &mut Output) {
        if !self.confirmed.is_empty() {
            let ready = self.confirmed.partition_point(|read| read.index <= applied);
            out.reads.extend(self.confirmed.drain(..ready).map(|read| read.id));
        }
    }

    fn confirm(&mut self, read: ConfirmedRead) {
        let earliest = if self.confirmed.is_empty() { Time::NEVER } else { self.confirmed_deadline };
        self.confirmed_deadline = earliest.min(read.deadline);
        let place = self.confirmed.partition_point(|other| other.index <= read.index);
        self.confirmed.insert(place, read);
    }

    /// Refuses those that have waited too long.
    fn expire(&mut self, now: Time, out: &mut Output) {
        while let Some(read) = self.forwarded.front().filter(|read| read.deadline <= now) {
            out.refuse(read.id, Refusal::ReadTimedOut);
            self.forwarded.pop_front();
            self.drop_answered();
        }
        if !self.confirmed.is_empty() && self.confirmed_deadline <= now {
            self.confirmed.retain(|read| {
                let waits = now < read.deadline;
                if !waits {
                    out.refuse(read.id, Refusal::ReadTimedOut);
                }
                waits
            });
            self.confirmed_deadline = self.confirmed.iter().map(|read| read.deadline).min().unwrap_or(Time::NEVER);
        }
    }
}

impl Raft {
    pub(super) fn on_read(&mut self, id: RequestId, mode: ReadMode, out: &mut Output) {
        if self.is_leader() {
            return self.lead_read(ReadOrigin::Local(id), mode, self.now + self.read_patience(), out);
        }
        let Some(leader) = self.leader else {
            return out.refuse(id, Refusal::NotLeader { leader: None });
        };
        let request = self.number_question();
        let deadline = self.now + self.config.election_timeout_max;
        self.reads.forwarded.push_back(ForwardedRead { request, id, leader, deadline, answered: false });
        out.observe(|| Observation::ReadWaits { id, reason: ReadWait::Leader { leader } });
        let question = ReadIndex { term: self.hard_state.term, disk: self.hard_state.disk, request };
        self.ask(leader, Message::ReadIndex(question), out);
    }

    /// A number that no question of this disk ever had. An answer may be on its way for a long
    /// time, and a server starts again with the same parameters: a life of the server that asks has
    /// a number of its own, which is on the disk before the first question leaves.
    fn number_question(&mut self) -> u64 {
        if self.reads.next_question as u32 == 0 {
            let asking_life = self.hard_state.asking_life.wrapping_add(1);
            self.set_asking_life(asking_life);
            self.reads.next_question = u64::from(asking_life) << 32 | 1;
        }
        let number = self.reads.next_question;
        self.reads.next_question = number.wrapping_add(1);
        number
    }

    /// How long a leader may take to confirm a read: enough for an election's worth of heartbeats,
    /// and for a commit on slow disks.
    fn read_patience(&self) -> Duration {
        self.config.election_timeout_max.max(self.config.disk_stall_max).times(2)
    }

    pub(super) fn on_read_index(&mut self, from: ServerId, m: &ReadIndex, out: &mut Output) {
        let origin = ReadOrigin::Follower(from, m.disk, m.request);
        if self.is_leader() {
            self.lead_read(origin, ReadMode::Confirmed, self.now + self.read_patience(), out);
        } else {
            self.refuse_read(origin, Refusal::NotLeader { leader: self.leader }, out);
        }
    }

    pub(super) fn on_read_index_response(&mut self, from: ServerId, m: &ReadIndexResponse, out: &mut Output) {
        if m.disk != self.hard_state.disk {
            return; // To a question of a disk that was lost.
        }
        let Some(read) = self.reads.take_forwarded(from, m.request) else {
            return;
        };
        match m.index {
            Some(index) => self.release_local(read.id, index, read.deadline, ReadProof::Leader(from), out),
            None => out.refuse(read.id, Refusal::NotLeader { leader: self.leader }),
        }
    }

    /// Refuses the reads that have waited too long, for an answer or to be applied.
    pub(super) fn expire_reads(&mut self, out: &mut Output) {
        self.reads.expire(self.now, out);
        let now = self.now;
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let overdue = leader.pending_reads.partition_point(|read| read.deadline <= now);
        let overdue: Vec<PendingRead> = leader.pending_reads.drain(..overdue).collect();
        for read in overdue {
            self.refuse_read(read.origin, Refusal::ReadTimedOut, out);
        }
    }

    // ---------------------------------------------------------------- the leader's part

    fn lead_read(&mut self, origin: ReadOrigin, mode: ReadMode, deadline: Time, out: &mut Output) {
        let index = self.commit;
        let own_commit_needed = self.rule(Rule::OwnCommitBeforeReading);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        if self.commit < leader.first_own && own_commit_needed {
            let entry = leader.first_own;
            leader.pending_reads.push(PendingRead { origin, mode, deadline, stage: Stage::OwnCommit });
            return observe_wait(origin, ReadWait::OwnCommit { entry }, out);
        }
        if let Some(proof) = self.proof_at_once(mode, out) {
            return self.release(origin, index, deadline, proof, out);
        }
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        leader.pending_reads.push(PendingRead { origin, mode, deadline, stage: Stage::Unassigned { index } });
        let free = !leader.reads_wait_for_current_round();
        if free {
            self.begin_round(out);
        }
        // Where a round is on its way already, the read waits for the next one.
        let round = self.current_round() + u64::from(!free);
        observe_wait(origin, ReadWait::Round { round }, out);
    }

    fn current_round(&self) -> u64 {
        if let Role::Leader(leader) = &self.role { leader.rounds.latest() } else { 0 }
    }

    /// What shows, without asking anybody, that this server still leads.
    fn proof_at_once(&self, mode: ReadMode, out: &mut Output) -> Option<ReadProof> {
        if !self.rule(Rule::ConfirmBeforeReading) {
            return Some(ReadProof::Nothing);
        }
        if self.is_a_quorum() {
            return Some(ReadProof::Alone);
        }
        if mode == ReadMode::Confirmed {
            return None;
        }
        match self.lease() {
            Ok(until) => Some(ReadProof::Lease(until)),
            Err(reason) => {
                out.observe(|| Observation::LeaseUnavailable { reason });
                None
            }
        }
    }

    /// Whether this server alone is a quorum.
    fn is_a_quorum(&self) -> bool {
        self.members().has_quorum([self.config.id].into_iter().collect())
    }

    /// Until when no other server can have been elected, by this server's clock.
    ///
    /// A quorum answered a round that began at some time; each of them ignores campaigns for as
    /// long as it said in its answer from when it heard that round, which was later. The bound on
    /// drift is taken off (dissertation §6.4.1). What a server said holds as long as it runs; see
    /// the module's caveats for one that restarts with a shorter election timeout.
    ///
    /// # Errors
    /// Why there is no lease.
    pub fn lease(&self) -> Result<Time, LeaseRefusal> {
        let Role::Leader(leader) = &self.role else {
            return Err(LeaseRefusal::Expired { at: Time::ZERO });
        };
        if !self.config.check_quorum {
            return Err(LeaseRefusal::NoCheckQuorum);
        }
        if self.config.clock_drift_max >= 100 {
            return Err(LeaseRefusal::ClockDrift);
        }
        let given_up = leader.lease_given_up || leader.transfer.is_some();
        if given_up && self.rule(Rule::GiveUpLeaseOnTransfer) {
            return Err(LeaseRefusal::Transferring);
        }
        let from_sending = self.rule(Rule::LeaseFromSending);
        let began = |progress: &Progress| if from_sending { progress.acked_round_began } else { progress.heard };
        // Until when a quorum ignores campaigns, as far as `counts` counts; zero where no quorum
        // does.
        let until_with = |counts: &dyn Fn(&Progress) -> bool| {
            self.members().reached_by_quorum(|server| match leader.progress(server) {
                // A leader votes for nobody while it leads; what ends that ends the lease.
                _ if server == self.config.id => Time::NEVER,
                Some(progress) if self.counts(progress) && began(progress) > Time::ZERO && counts(progress) => {
                    // What a member says is no reason to believe in more than this server's own
                    // patience.
                    let patience = progress.patience.min(self.config.election_timeout_min);
                    began(progress) + patience.percent(100 - self.config.clock_drift_max)
                }
                _ => Time::ZERO,
            })
        };
        let patient = |progress: &Progress| progress.patience > Duration::ZERO;
        let until = until_with(&|progress| patient(progress) && !progress.drift.drifts());
        if until == Time::ZERO {
            return Err(if until_with(&patient) > Time::ZERO {
                LeaseRefusal::ClockDrift
            } else if until_with(&|_| true) > Time::ZERO {
                LeaseRefusal::NoCheckQuorum
            } else {
                LeaseRefusal::ClockJumped
            });
        }
        if self.now < until { Ok(until) } else { Err(LeaseRefusal::Expired { at: until }) }
    }

    /// The leader has committed an entry of its own: reads that waited for it go on.
    pub(super) fn start_waiting_reads(&mut self, out: &mut Output) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let waiting = core::mem::take(&mut leader.pending_reads);
        for read in waiting {
            self.lead_read(read.origin, read.mode, read.deadline, out);
        }
    }

    /// Releases the reads whose round a quorum has answered, and begins a round for those that came
    /// meanwhile.
    pub(super) fn release_confirmed_reads(&mut self, out: &mut Output) {
        let Role::Leader(leader) = &self.role else {
            return;
        };
        if leader.pending_reads.is_empty() {
            return;
        }
        let me = self.config.id;
        let answered = |s: ServerId| {
            if s == me { u64::MAX } else { leader.progress(s).filter(|p| self.counts(p)).map_or(0, |p| p.acked_round) }
        };
        let confirmed = self.members().reached_by_quorum(answered);
        let mut released = 0;
        let next = loop {
            let Role::Leader(leader) = &self.role else {
                return;
            };
            match leader.pending_reads.get(released).copied() {
                Some(PendingRead { origin, deadline, stage: Stage::Round { index, round }, .. })
                    if round <= confirmed =>
                {
                    released += 1;
                    self.release(origin, index, deadline, ReadProof::Round(round), out);
                }
                next => break next,
            }
        };
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        leader.pending_reads.drain(..released);
        // A read that waits for a round that is under way comes first: those behind it join the
        // next one.
        let under_way = next.is_some_and(|read| matches!(read.stage, Stage::Round { .. }));
        let unassigned = leader.pending_reads.last().is_some_and(|read| matches!(read.stage, Stage::Unassigned { .. }));
        if unassigned && !under_way {
            self.begin_round(out);
            if self.is_a_quorum() {
                self.release_confirmed_reads(out); // Nobody will answer that round.
            }
        }
    }

    fn release(&mut self, origin: ReadOrigin, index: LogIndex, deadline: Time, proof: ReadProof, out: &mut Output) {
        match origin {
            ReadOrigin::Local(id) => self.release_local(id, index, deadline, proof, out),
            ReadOrigin::Follower(server, disk, request) => {
                let term = self.hard_state.term;
                let answer = ReadIndexResponse { term, disk, request, index: Some(index) };
                self.send(server, Message::ReadIndexResponse(answer), out);
            }
        }
    }

    fn release_local(&mut self, id: RequestId, index: LogIndex, deadline: Time, by: ReadProof, out: &mut Output) {
        out.observe(|| Observation::ReadReleased { id, index, by });
        if index <= self.applied || !self.rule(Rule::ApplyBeforeReading) {
            out.reads.push(id);
            return;
        }
        out.observe(|| Observation::ReadWaits { id, reason: ReadWait::Apply { index } });
        self.reads.confirm(ConfirmedRead { index, id, deadline });
    }

    pub(super) fn refuse_read(&self, origin: ReadOrigin, reason: Refusal, out: &mut Output) {
        match origin {
            ReadOrigin::Local(id) => out.refuse(id, reason),
            ReadOrigin::Follower(server, disk, request) => {
                let answer = ReadIndexResponse { term: self.hard_state.term, disk, request, index: None };
                self.send(server, Message::ReadIndexResponse(answer), out);
            }
        }
    }
}

impl Leader {
    /// The round just begun is for every read that waits for one.
    pub(super) fn assign_reads(&mut self) {
        let assigned = self.reads_with_a_round();
        for read in &mut self.pending_reads[assigned..] {
            if let Stage::Unassigned { index } = read.stage {
                read.stage = Stage::Round { index, round: self.rounds.latest() };
                self.read_round = self.rounds.latest();
            }
        }
    }

    /// Whether a read waits for the answers to the round it was assigned last.
    pub(super) fn reads_wait_for_current_round(&self) -> bool {
        let latest = self.reads_with_a_round().checked_sub(1);
        latest.is_some_and(|latest| self.pending_reads[latest].round() == Some(self.read_round))
    }

    /// How many reads wait for a round: they come first, in the order of the rounds. There may be
    /// many, so that nobody looks at all of them.
    fn reads_with_a_round(&self) -> usize {
        self.pending_reads.partition_point(|read| matches!(read.stage, Stage::Round { .. }))
    }
}

fn observe_wait(origin: ReadOrigin, reason: ReadWait, out: &mut Output) {
    if let ReadOrigin::Local(id) = origin {
        out.observe(|| Observation::ReadWaits { id, reason });
    }
}
