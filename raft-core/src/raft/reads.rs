//! Linearizable reads without writing to the log (Raft §8, dissertation §6.4).
//!
//! Every read ends: it is released, or refused within a bound, whatever it waits for.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::essence::Ages;
use super::io::{Output, ReadMode, Refusal, RequestId};
use super::message::{Message, ReadIndex, ReadIndexResponse};
use super::observation::{LeaseRefusal, Observation, ReadProof, ReadWait};
use super::progress::Progress;
use super::role::Leader;
use super::rules::Rule;
use super::server::Server;
use super::types::{DiskId, LogIndex, ServerId};
use crate::time::{Duration, Time};

/// A read that a leader can't answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingRead {
    pub(super) origin: ReadOrigin,
    mode: ReadMode,
    /// When it is refused, at the latest. Pending reads are in the order of their deadlines.
    pub(super) deadline: Time,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    /// It waits until the leader has committed an entry of its own term.
    OwnCommit,
    /// It waits for a round to be assigned to. Its index is fixed already: each read has its own.
    Unassigned { index: LogIndex },
    /// It waits until a quorum has answered this round.
    Round { index: LogIndex, round: u64 },
}

/// Where a read came from.
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

/// A read that is confirmed and waits until its index is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ConfirmedRead {
    index: LogIndex,
    id: RequestId,
    deadline: Time,
}

/// The reads of this server's own callers that aren't among a leader's pending ones.
#[derive(Clone, Debug, Default)]
pub(super) struct LocalReads {
    /// In the order of their numbers and of their deadlines. Answered reads are dropped once they
    /// are the oldest. Each is found by its number, and none is moved for another's sake, however
    /// many there are.
    forwarded: VecDeque<ForwardedRead>,
    /// The number of the next question. Its lower half is zero if this life has no numbers to give
    /// yet.
    next_question: u64,
    /// In the order of their indexes.
    confirmed: Vec<ConfirmedRead>,
    /// No later than the earliest deadline in `confirmed`.
    confirmed_deadline: Time,
}

impl ReadOrigin {
    fn of(follower: ServerId, m: &ReadIndex) -> ReadOrigin {
        ReadOrigin::Follower(follower, m.disk, m.request)
    }
}

impl PendingRead {
    /// The round whose answers it waits for.
    pub(super) fn round(&self) -> Option<u64> {
        if let Stage::Round { round, .. } = self.stage { Some(round) } else { None }
    }

    /// See [`Raft::hash_essence`](super::Raft::hash_essence).
    pub(super) fn hash_essence(&self, ages: &Ages, state: &mut impl Hasher) {
        let PendingRead { origin, mode, deadline, stage } = self;
        (origin, mode, ages.until(*deadline), stage).hash(state);
    }
}

impl LocalReads {
    /// See [`Raft::hash_essence`](super::Raft::hash_essence).
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

    /// When the first of them must be refused, or a little earlier.
    #[inline]
    pub(super) fn deadline(&self) -> Time {
        let forwarded = self.forwarded.front().map_or(Time::NEVER, |read| read.deadline);
        if self.confirmed.is_empty() { forwarded } else { forwarded.min(self.confirmed_deadline) }
    }

    /// The clock went back: no deadline may be later than `latest`.
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

    /// Hands out the reads whose index is at most `applied`.
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

    /// Refuses the reads that have waited too long.
    pub(super) fn expire(&mut self, now: Time, out: &mut Output) {
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

impl Server {
    /// A read at a server that doesn't lead: it asks the leader for the index.
    pub(super) fn forward_read(&mut self, id: RequestId, out: &mut Output) {
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

    /// A number that no question of this disk ever had. An answer can be on its way for a long
    /// time, and a server starts again with the same parameters. So each life of the server that
    /// asks has a number of its own, which is on the disk before the life's first question leaves.
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

    /// How long a leader may take to confirm a read: long enough for the heartbeats of an election
    /// timeout, and for a commit on slow disks.
    fn read_patience(&self) -> Duration {
        self.config.election_timeout_max.max(self.config.disk_stall_max).times(2)
    }

    /// A follower's read at a server that doesn't lead.
    pub(super) fn refuse_read_index(&self, from: ServerId, m: &ReadIndex, out: &mut Output) {
        self.refuse_read(ReadOrigin::of(from, m), Refusal::NotLeader { leader: self.leader }, out);
    }

    pub(super) fn on_read_index_response(&mut self, from: ServerId, m: &ReadIndexResponse, out: &mut Output) {
        if m.disk != self.hard_state.disk {
            return; // It answers a question of a disk that was lost.
        }
        let Some(read) = self.reads.take_forwarded(from, m.request) else {
            return;
        };
        match m.index {
            Some(index) => self.release_local(read.id, index, read.deadline, ReadProof::Leader(from), out),
            None => out.refuse(read.id, Refusal::NotLeader { leader: self.leader }),
        }
    }

    /// Whether this server alone is a quorum.
    fn is_a_quorum(&self) -> bool {
        self.members().has_quorum([self.config.id].into_iter().collect())
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
    pub(super) fn on_read(&mut self, server: &mut Server, id: RequestId, mode: ReadMode, out: &mut Output) {
        self.lead_read(server, ReadOrigin::Local(id), mode, server.now + server.read_patience(), out);
    }

    pub(super) fn on_read_index(&mut self, server: &mut Server, from: ServerId, m: &ReadIndex, out: &mut Output) {
        let deadline = server.now + server.read_patience();
        self.lead_read(server, ReadOrigin::of(from, m), ReadMode::Confirmed, deadline, out);
    }

    /// Refuses the reads that have waited too long for this leader to confirm that it leads.
    pub(super) fn expire_reads(&mut self, server: &Server, out: &mut Output) {
        let overdue = self.pending_reads.partition_point(|read| read.deadline <= server.now);
        for read in self.pending_reads.drain(..overdue) {
            server.refuse_read(read.origin, Refusal::ReadTimedOut, out);
        }
    }

    fn lead_read(&mut self, server: &mut Server, origin: ReadOrigin, mode: ReadMode, deadline: Time, out: &mut Output) {
        let index = server.commit;
        let own_commit_needed = server.rule(Rule::OwnCommitBeforeReading);
        if server.commit < self.first_own && own_commit_needed {
            let entry = self.first_own;
            self.pending_reads.push(PendingRead { origin, mode, deadline, stage: Stage::OwnCommit });
            return observe_wait(origin, ReadWait::OwnCommit { entry }, out);
        }
        if let Some(proof) = self.proof_at_once(server, mode, out) {
            return server.release(origin, index, deadline, proof, out);
        }
        self.pending_reads.push(PendingRead { origin, mode, deadline, stage: Stage::Unassigned { index } });
        let free = !self.reads_wait_for_current_round();
        if free {
            self.begin_round(server, out);
        }
        // If a round is on its way already, the read waits for the next one.
        let round = self.rounds.latest() + u64::from(!free);
        observe_wait(origin, ReadWait::Round { round }, out);
    }

    /// The proof, without any question to another server, that this server still leads.
    fn proof_at_once(&self, server: &Server, mode: ReadMode, out: &mut Output) -> Option<ReadProof> {
        if !server.rule(Rule::ConfirmBeforeReading) {
            return Some(ReadProof::Nothing);
        }
        if server.is_a_quorum() {
            return Some(ReadProof::Alone);
        }
        if mode == ReadMode::Confirmed {
            return None;
        }
        match self.lease(server) {
            Ok(until) => Some(ReadProof::Lease(until)),
            Err(reason) => {
                out.observe(|| Observation::LeaseUnavailable { reason });
                None
            }
        }
    }

    /// See [`Raft::lease`](super::Raft::lease).
    pub(super) fn lease(&self, server: &Server) -> Result<Time, LeaseRefusal> {
        if !server.config.check_quorum {
            return Err(LeaseRefusal::NoCheckQuorum);
        }
        if server.config.clock_drift_max >= 100 {
            return Err(LeaseRefusal::ClockDrift);
        }
        let given_up = self.lease_given_up || self.transfer.is_some();
        if given_up && server.rule(Rule::GiveUpLeaseOnTransfer) {
            return Err(LeaseRefusal::Transferring);
        }
        let from_sending = server.rule(Rule::LeaseFromSending);
        let began = |progress: &Progress| if from_sending { progress.acked_round_began } else { progress.heard };
        // Until when a quorum ignores campaigns, if only the members that `counts` accepts count;
        // zero if they are no quorum.
        let until_with = |counts: &dyn Fn(&Progress) -> bool| {
            server.members().reached_by_quorum(|member| match self.progress(member) {
                // A leader votes for nobody while it leads; what ends that ends the lease.
                _ if member == server.config.id => Time::NEVER,
                Some(progress) if server.counts(progress) && began(progress) > Time::ZERO && counts(progress) => {
                    // What a member says is no reason to believe in more than this server's own
                    // patience.
                    let patience = progress.patience.min(server.config.election_timeout_min);
                    began(progress) + patience.percent(100 - server.config.clock_drift_max)
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
        if server.now < until { Ok(until) } else { Err(LeaseRefusal::Expired { at: until }) }
    }

    /// The leader has committed an entry of its own term: reads that waited for it go on.
    pub(super) fn start_waiting_reads(&mut self, server: &mut Server, out: &mut Output) {
        let waiting = core::mem::take(&mut self.pending_reads);
        for read in waiting {
            self.lead_read(server, read.origin, read.mode, read.deadline, out);
        }
    }

    /// Releases the reads whose round a quorum has answered, and begins a round for the reads that
    /// came meanwhile.
    pub(super) fn release_confirmed_reads(&mut self, server: &mut Server, out: &mut Output) {
        if self.pending_reads.is_empty() {
            return;
        }
        let me = server.config.id;
        let answered = |s: ServerId| {
            if s == me { u64::MAX } else { self.progress(s).filter(|p| server.counts(p)).map_or(0, |p| p.acked_round) }
        };
        let confirmed = server.members().reached_by_quorum(answered);
        let mut released = 0;
        while let Some(PendingRead { origin, deadline, stage: Stage::Round { index, round }, .. }) =
            self.pending_reads.get(released).copied()
            && round <= confirmed
        {
            released += 1;
            server.release(origin, index, deadline, ReadProof::Round(round), out);
        }
        self.pending_reads.drain(..released);
        // If a read waits for a round that is under way, such a read is first in the list; the
        // reads behind it join the next round.
        let under_way = self.pending_reads.first().is_some_and(|read| matches!(read.stage, Stage::Round { .. }));
        let unassigned = self.pending_reads.last().is_some_and(|read| matches!(read.stage, Stage::Unassigned { .. }));
        if unassigned && !under_way {
            self.begin_round(server, out);
            if server.is_a_quorum() {
                self.release_confirmed_reads(server, out); // Nobody will answer that round.
            }
        }
    }

    /// The round that just began is for every read that waits for one.
    pub(super) fn assign_reads(&mut self) {
        let assigned = self.reads_with_a_round();
        for read in &mut self.pending_reads[assigned..] {
            if let Stage::Unassigned { index } = read.stage {
                read.stage = Stage::Round { index, round: self.rounds.latest() };
                self.read_round = self.rounds.latest();
            }
        }
    }

    /// Whether a read waits for the answers to the round that was last assigned.
    pub(super) fn reads_wait_for_current_round(&self) -> bool {
        let latest = self.reads_with_a_round().checked_sub(1);
        latest.is_some_and(|latest| self.pending_reads[latest].round() == Some(self.read_round))
    }

    /// How many reads wait for a round. They come first, in the order of their rounds. There may be
    /// many, so this doesn't look at all of them.
    fn reads_with_a_round(&self) -> usize {
        self.pending_reads.partition_point(|read| matches!(read.stage, Stage::Round { .. }))
    }
}

fn observe_wait(origin: ReadOrigin, reason: ReadWait, out: &mut Output) {
    if let ReadOrigin::Local(id) = origin {
        out.observe(|| Observation::ReadWaits { id, reason });
    }
}
