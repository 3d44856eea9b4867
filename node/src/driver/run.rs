//! What comes to a driver, and how it takes it: one step after the other, some of each kind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use raft_core::raft::{EntryId, Input, LogIndex, Output, Proposal, Raft, Refusal, RequestId, Term};
use raft_core::state_machine::StateMachine;
use tokio::sync::{mpsc, oneshot};

use super::disk::{Disk, Report};
use super::request::Waiter;
use super::start::{Begun, Outside};
use super::status::tell_of;
use super::stop::Stopping;
use super::{DiskState, Doubt, DriverError, Failure, Look, Loss, Request, Status};
use crate::peers::Incoming;

/// The most inputs of one kind that are taken before the others are looked at.
const TURN_MAX: usize = 256;

/// The most commands that are proposed together.
const BATCH_MAX: usize = 1_024;

/// A snapshot that another thread has taken.
pub(super) struct Taken {
    pub(super) index: LogIndex,
    pub(super) data: Arc<[u8]>,
}

pub(super) struct Driver<'a, M> {
    pub(super) outside: &'a mut Outside<M>,
    pub(super) raft: Raft,
    pub(super) out: Output,
    pub(super) machine: M,
    pub(super) applied: LogIndex,
    // Before the disk, whose thread ends when nobody hears it any more.
    pub(super) reports: mpsc::UnboundedReceiver<Report>,
    pub(super) disk: Disk,
    pub(super) disk_state: DiskState,
    pub(super) snapshots: (mpsc::UnboundedSender<Taken>, mpsc::UnboundedReceiver<Taken>),
    pub(super) next_request: RequestId,
    /// Commands and membership changes that aren't in the log yet.
    pub(super) proposing: BTreeMap<RequestId, Waiter>,
    /// Those that are in the log and wait to be applied. The term says whether the entry that is
    /// applied at the index is still the same one.
    pub(super) waiting: BTreeMap<LogIndex, (Term, Waiter)>,
    pub(super) reading: BTreeMap<RequestId, Look<M>>,
    pub(super) transferring: BTreeMap<RequestId, oneshot::Sender<Result<(), Failure>>>,
    pub(super) batch: Vec<Proposal>,
    /// The term for which the audience was told that this server leads.
    pub(super) told_to_lead: Term,
    /// Set once the server is told to stop.
    pub(super) stopping: Option<Stopping>,
    /// A state machine that can't be restored, or a storage that failed.
    pub(super) broken: Option<DriverError>,
}

impl<'a, M: StateMachine + Clone> Driver<'a, M> {
    pub(super) fn new(begun: Begun<M>, outside: &'a mut Outside<M>) -> Result<Driver<'a, M>, DriverError> {
        let (report, reports) = mpsc::unbounded_channel();
        let disk = Disk::start(begun.storage, report)?;
        Ok(Driver {
            outside,
            raft: begun.raft,
            out: Output::default(),
            machine: begun.machine,
            applied: begun.applied,
            disk,
            disk_state: DiskState::Fine,
            reports,
            snapshots: mpsc::unbounded_channel(),
            next_request: 0,
            proposing: BTreeMap::new(),
            waiting: BTreeMap::new(),
            reading: BTreeMap::new(),
            transferring: BTreeMap::new(),
            batch: Vec::new(),
            told_to_lead: Term::ZERO,
            stopping: None,
            broken: None,
        })
    }

    /// Runs until it is told to stop, or can't go on; then returns why.
    pub(super) async fn run(mut self) -> Option<DriverError> {
        self.publish();
        if let Err(ended) = self.wait_for_founders().await {
            self.end(ended.as_ref());
            return ended;
        }
        loop {
            let now = self.outside.clock.now();
            let mut deadline = self.raft.deadline();
            let has_left = self
                .stopping
                .as_ref()
                .is_some_and(|stopping| self.has_handed_over(stopping) || now >= stopping.give_up);
            match &mut self.stopping {
                Some(Stopping { ends: true, .. }) if has_left => {
                    self.end(None);
                    return None;
                }
                Some(stopping) if has_left => {
                    for left in stopping.leaving.drain(..) {
                        let _ = left.send(());
                    }
                }
                Some(stopping) => deadline = deadline.min(stopping.give_up),
                None => {}
            }
            let wait = Duration::from_micros(deadline.since(now).as_micros());
            tokio::select! {
                biased;
                Some(report) = self.reports.recv() => self.take_report(report),
                Some(incoming) = self.outside.incoming.recv() => self.receive(&incoming),
                Some(request) = self.outside.requests.recv() => self.take_request(request),
                Some(taken) = self.snapshots.1.recv() => {
                    self.step(Input::SnapshotTaken { index: taken.index, data: taken.data });
                    if let Some(reason @ Refusal::SnapshotTooLarge { .. }) = self.out.snapshot_refused {
                        tracing::error!("{reason}: the log grows on, and who needs a snapshot gets none");
                    }
                }
                () = tokio::time::sleep(wait) => self.step(Input::TimerDue),
            }
            self.take_what_waits();
            self.propose_batch();
            self.publish();
            if let Some(error) = self.broken.take() {
                self.end(Some(&error));
                return Some(error);
            }
        }
    }

    /// Takes no part before the others that found the cluster know this server's disk. A server
    /// that has voted on a disk is known by it from then on, so that nobody takes another disk for
    /// that one. An error says with which outcome the driver ends instead.
    async fn wait_for_founders(&mut self) -> Result<(), Option<DriverError>> {
        loop {
            let Some(known) = &mut self.outside.known_to_founders else { return Ok(()) };
            tokio::select! {
                known = known => {
                    self.outside.known_to_founders = None;
                    match known {
                        Ok(Ok(())) => self.publish(),
                        Ok(Err(why)) => return Err(Some(DriverError::NotAFounder(why))),
                        // Nobody waits for the founders any more: the process ends.
                        Err(_) => return Err(None),
                    }
                }
                Some(_) = self.outside.incoming.recv() => {}
                Some(request) = self.outside.requests.recv() => {
                    let failure = Failure::NotLeader { leader: None };
                    match request {
                        Request::Propose { reply, .. } => Waiter::Command(reply).fail(failure),
                        Request::ChangeMembership { reply, .. } => Waiter::Membership(reply).fail(failure),
                        Request::Read { look, .. } => look(Err(failure)),
                        Request::Transfer { reply, .. } => drop(reply.send(Err(failure))),
                        // It has nothing to hand over.
                        Request::Leave { reply } => drop(reply.send(())),
                        Request::Stop => return Err(None),
                    }
                }
            }
        }
    }

    /// Takes what has come meanwhile, some of each kind.
    fn take_what_waits(&mut self) {
        for _ in 0..TURN_MAX {
            let Ok(report) = self.reports.try_recv() else { break };
            self.take_report(report);
        }
        for _ in 0..TURN_MAX {
            let Ok(incoming) = self.outside.incoming.try_recv() else { break };
            self.receive(&incoming);
        }
        while self.batch.len() < BATCH_MAX {
            let Ok(request) = self.outside.requests.try_recv() else { break };
            self.take_request(request);
        }
        if self.raft.deadline() <= self.outside.clock.now() {
            self.step(Input::TimerDue);
        }
    }

    fn take_report(&mut self, report: Report) {
        match report {
            Report::Durable(receipt) => self.step(Input::Durable(receipt)),
            Report::Full => {
                // Whoever hosts the driver knows which disk it is, and sees the status.
                tracing::debug!("the disk is full");
                self.disk_state = DiskState::Full;
            }
            Report::Room => {
                tracing::debug!("the disk has room again");
                self.disk_state = DiskState::Fine;
            }
            Report::Failed(error) => self.broken = Some(error.into()),
        }
    }

    fn receive(&mut self, incoming: &Incoming) {
        let now = self.outside.clock.now();
        self.outside.audience.received(now, incoming);
        self.begin_step();
        self.raft.receive(now, incoming.from, &incoming.message, &mut self.out);
        self.act(now);
    }

    pub(super) fn step(&mut self, input: Input) {
        let now = self.outside.clock.now();
        self.begin_step();
        self.raft.step(now, input, &mut self.out);
        self.act(now);
    }

    fn begin_step(&mut self) {
        self.out.listen = self.outside.audience.listens();
    }

    fn new_request(&mut self) -> RequestId {
        self.next_request += 1;
        self.next_request
    }

    fn take_request(&mut self, request: Request<M>) {
        // Order matters between a client's requests only if it waits for the first one's answer.
        match request {
            Request::Propose { command, reply } => {
                if let Some(failure) = self.takes_no_writes() {
                    return Waiter::Command(reply).fail(failure);
                }
                let id = self.new_request();
                self.proposing.insert(id, Waiter::Command(reply));
                self.batch.push(Proposal { id, command });
            }
            Request::Read { consistency, look } => match consistency.mode() {
                None => look(Ok((&self.machine, self.applied.0))),
                Some(mode) => {
                    let id = self.new_request();
                    self.reading.insert(id, look);
                    self.step(Input::Read { id, mode });
                }
            },
            Request::ChangeMembership { change, reply } => {
                if let Some(failure) = self.takes_no_writes() {
                    return Waiter::Membership(reply).fail(failure);
                }
                let id = self.new_request();
                self.proposing.insert(id, Waiter::Membership(reply));
                self.step(Input::ChangeMembership { id, change });
            }
            Request::Transfer { to, reply } => {
                let id = self.new_request();
                self.transferring.insert(id, reply);
                self.step(Input::TransferLeadership { id, to });
            }
            Request::Leave { reply } => self.begin_to_stop().leaving.push(reply),
            Request::Stop => self.begin_to_stop().ends = true,
        }
    }

    fn takes_no_writes(&self) -> Option<Failure> {
        if self.stopping.is_some() {
            Some(Failure::Stopping)
        } else if self.disk_state == DiskState::Full {
            Some(Failure::DiskFull)
        } else {
            None
        }
    }

    fn propose_batch(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.step(Input::ProposeBatch(batch));
        }
    }

    fn publish(&mut self) {
        let now = self.outside.clock.now();
        let is_whole = self.raft.hard_state().lost == EntryId::ZERO;
        if let Some(loss @ Loss { repaired: None, .. }) = &mut self.outside.loss
            && is_whole
        {
            loss.repaired = Some(SystemTime::now());
        }
        let is_founding = self.outside.known_to_founders.is_some();
        let new = Status { is_founding, ..Status::of(&self.raft, self.applied, self.disk_state) }
            .with_followers(&self.raft, now)
            .with_losses(self.outside.loss, self.outside.losses);
        self.outside.status.send_if_modified(|status| {
            let changed = **status != new;
            if changed {
                tell_of(status, &new);
                *status = Arc::new(new);
            }
            changed
        });
    }

    /// Answers all that wait: nobody knows any more what becomes of their requests.
    fn end(mut self, error: Option<&DriverError>) {
        for proposal in std::mem::take(&mut self.batch) {
            if let Some(waiter) = self.proposing.remove(&proposal.id) {
                waiter.fail(Failure::Stopping);
            }
        }
        let failure = Failure::Unknown(Doubt::Stopped);
        let waiting = std::mem::take(&mut self.waiting).into_values().map(|(_, waiter)| waiter);
        for waiter in waiting.chain(std::mem::take(&mut self.proposing).into_values()) {
            waiter.fail(failure);
        }
        for look in std::mem::take(&mut self.reading).into_values() {
            look(Err(Failure::Stopping));
        }
        for reply in std::mem::take(&mut self.transferring).into_values() {
            let _ = reply.send(Err(failure));
        }
        if error.is_none() {
            self.outside.requests.close();
            while let Ok(request) = self.outside.requests.try_recv() {
                self.take_request(request);
            }
        }
    }
}
