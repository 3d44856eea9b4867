//! Linearizable reads without writing to the log (Raft §8, dissertation §6.4).

use super::io::{Output, ReadMode, Refusal, RequestId};
use super::message::{Message, ReadIndex, ReadIndexResponse};
use super::observation::{LeaseRefusal, Observation, ReadProof, ReadWait};
use super::progress::Progress;
use super::rules::Rule;
use super::types::{LogIndex, ServerId};
use super::{Leader, Raft, Role};
use crate::time::Time;

/// A read that a leader can't answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PendingRead {
    pub(super) origin: ReadOrigin,
    mode: ReadMode,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Until the leader has committed an entry of its own.
    OwnCommit,
    /// For a round to be assigned to. The read's index is fixed already: each read has its own.
    Unassigned { index: LogIndex },
    /// Until a quorum has answered this round.
    Round { index: LogIndex, round: u64 },
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadOrigin {
    /// A caller of this server.
    Local(RequestId),
    /// A follower, by its own number.
    Follower(ServerId, u64),
}

/// A read that this server has asked its leader about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ForwardedRead {
    request: u64,
    id: RequestId,
    leader: ServerId,
    pub(super) deadline: Time,
}

impl Raft {
    pub(super) fn on_read(&mut self, id: RequestId, mode: ReadMode, out: &mut Output) {
        if self.is_leader() {
            return self.lead_read(ReadOrigin::Local(id), mode, out);
        }
        let Some(leader) = self.leader else {
            return out.refuse(id, Refusal::NotLeader { leader: None });
        };
        self.next_read_request = self.next_read_request.wrapping_add(1);
        let request = self.next_read_request;
        let deadline = self.now + self.config.election_timeout_max;
        self.forwarded_reads.push(ForwardedRead { request, id, leader, deadline });
        out.observe(|| Observation::ReadWaits { id, reason: ReadWait::Leader { leader } });
        self.send(leader, Message::ReadIndex(ReadIndex { term: self.hard_state.term, request }), out);
    }

    pub(super) fn on_read_index(&mut self, from: ServerId, m: &ReadIndex, out: &mut Output) {
        let origin = ReadOrigin::Follower(from, m.request);
        if self.is_leader() {
            self.lead_read(origin, ReadMode::Confirmed, out);
        } else {
            self.refuse_read(origin, Refusal::NotLeader { leader: self.leader }, out);
        }
    }

    pub(super) fn on_read_index_response(&mut self, from: ServerId, m: &ReadIndexResponse, out: &mut Output) {
        let Some(place) = self.forwarded_reads.iter().position(|r| r.request == m.request && r.leader == from) else {
            return;
        };
        let read = self.forwarded_reads.swap_remove(place);
        match m.index {
            Some(index) => self.release_local(read.id, index, ReadProof::Leader(from), out),
            None => out.refuse(read.id, Refusal::NotLeader { leader: self.leader }),
        }
    }

    pub(super) fn expire_forwarded_reads(&mut self, out: &mut Output) {
        let now = self.now;
        self.forwarded_reads.retain(|read| {
            let waits = now < read.deadline;
            if !waits {
                out.refuse(read.id, Refusal::ReadTimedOut);
            }
            waits
        });
    }

    // ---------------------------------------------------------------- the leader's part

    fn lead_read(&mut self, origin: ReadOrigin, mode: ReadMode, out: &mut Output) {
        let index = self.commit;
        let own_commit_needed = self.rule(Rule::OwnCommitBeforeReading);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        if self.commit < leader.first_own && own_commit_needed {
            let entry = leader.first_own;
            leader.pending_reads.push(PendingRead { origin, mode, stage: Stage::OwnCommit });
            return observe_wait(origin, ReadWait::OwnCommit { entry }, out);
        }
        if let Some(proof) = self.proof_at_once(mode, out) {
            return self.release(origin, index, proof, out);
        }
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        leader.pending_reads.push(PendingRead { origin, mode, stage: Stage::Unassigned { index } });
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
        if self.members().has_quorum([self.config.id].into_iter().collect()) {
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

    /// Until when no other server can have been elected, by this server's clock.
    ///
    /// A quorum answered a round that began at some time; each of them ignores campaigns for the shortest election timeout from
    /// when it heard that round, which was later. The bound on drift is taken off (dissertation §6.4.1).
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
        let began_with = |trusted: &dyn Fn(&Progress) -> bool| {
            self.members().reached_by_quorum(|server| match leader.progress(server) {
                _ if server == self.config.id => self.now,
                Some(progress) if trusted(progress) && from_sending => progress.acked_round_began,
                Some(progress) if trusted(progress) => progress.heard,
                _ => Time::ZERO,
            })
        };
        let began = began_with(&|progress| !progress.drift.drifts());
        if began == Time::ZERO {
            let without_drift = began_with(&|_| true);
            return Err(if without_drift > Time::ZERO { LeaseRefusal::ClockDrift } else { LeaseRefusal::ClockJumped });
        }
        let until = began + self.config.election_timeout_min.percent(100 - self.config.clock_drift_max);
        if self.now < until { Ok(until) } else { Err(LeaseRefusal::Expired { at: until }) }
    }

    /// The leader has committed an entry of its own: reads that waited for it go on.
    pub(super) fn start_waiting_reads(&mut self, out: &mut Output) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let waiting = core::mem::take(&mut leader.pending_reads);
        for read in waiting {
            self.lead_read(read.origin, read.mode, out);
        }
    }

    /// Releases the reads whose round a quorum has answered, and begins a round for those that came meanwhile.
    pub(super) fn release_confirmed_reads(&mut self, out: &mut Output) {
        let Role::Leader(leader) = &self.role else {
            return;
        };
        if leader.pending_reads.is_empty() {
            return;
        }
        let me = self.config.id;
        let answered = |s: ServerId| {
            if s == me { u64::MAX } else { leader.progress(s).map_or(0, |p| p.acked_round) }
        };
        let confirmed = self.members().reached_by_quorum(answered);
        let mut released = 0;
        let next = loop {
            let Role::Leader(leader) = &self.role else {
                return;
            };
            match leader.pending_reads.get(released).copied() {
                Some(PendingRead { origin, stage: Stage::Round { index, round }, .. }) if round <= confirmed => {
                    released += 1;
                    self.release(origin, index, ReadProof::Round(round), out);
                }
                next => break next,
            }
        };
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        leader.pending_reads.drain(..released);
        // A read that waits for a round that is under way comes first: those behind it join the next one.
        let under_way = next.is_some_and(|read| matches!(read.stage, Stage::Round { .. }));
        let unassigned = leader.pending_reads.iter().any(|read| matches!(read.stage, Stage::Unassigned { .. }));
        if unassigned && !under_way {
            self.begin_round(out);
        }
    }

    fn release(&mut self, origin: ReadOrigin, index: LogIndex, proof: ReadProof, out: &mut Output) {
        match origin {
            ReadOrigin::Local(id) => self.release_local(id, index, proof, out),
            ReadOrigin::Follower(server, request) => {
                let term = self.hard_state.term;
                let answer = ReadIndexResponse { term, request, index: Some(index) };
                self.send(server, Message::ReadIndexResponse(answer), out);
            }
        }
    }

    fn release_local(&mut self, id: RequestId, index: LogIndex, by: ReadProof, out: &mut Output) {
        out.observe(|| Observation::ReadReleased { id, index, by });
        if index <= self.applied || !self.rule(Rule::ApplyBeforeReading) {
            out.reads.push(id);
            return;
        }
        out.observe(|| Observation::ReadWaits { id, reason: ReadWait::Apply { index } });
        let place = self.ready_reads.partition_point(|(at, _)| *at <= index);
        self.ready_reads.insert(place, (index, id));
    }

    pub(super) fn refuse_read(&self, origin: ReadOrigin, reason: Refusal, out: &mut Output) {
        match origin {
            ReadOrigin::Local(id) => out.refuse(id, reason),
            ReadOrigin::Follower(server, request) => {
                let answer = ReadIndexResponse { term: self.hard_state.term, request, index: None };
                self.send(server, Message::ReadIndexResponse(answer), out);
            }
        }
    }
}

impl Leader {
    /// The round just begun is for every read that waits for one.
    pub(super) fn assign_reads(&mut self) {
        for read in &mut self.pending_reads {
            if let Stage::Unassigned { index } = read.stage {
                read.stage = Stage::Round { index, round: self.rounds.latest() };
                self.read_round = self.rounds.latest();
            }
        }
    }

    /// Whether a read waits for the answers to the round it was assigned last.
    pub(super) fn reads_wait_for_current_round(&self) -> bool {
        self.pending_reads
            .iter()
            .any(|read| matches!(read.stage, Stage::Round { round, .. } if round == self.read_round))
    }
}

fn observe_wait(origin: ReadOrigin, reason: ReadWait, out: &mut Output) {
    if let ReadOrigin::Local(id) = origin {
        out.observe(|| Observation::ReadWaits { id, reason });
    }
}
