//! The loop that owns a server's [`Raft`] and carries out what it decides.
//!
//! It has a thread of its own. Whatever happens reaches it through channels: messages from peers,
//! requests of clients, reports of the disk. It gives them to [`Raft::step`] one by one, with the
//! time of the server's own clock, and does what the output says, in its order. It never waits for
//! a disk, a peer or a client. The disk has a thread of its own, too (`disk`); a snapshot is
//! taken of a clone, in a third.
//!
//! # What becomes of a request
//! A command gets an entry of the log ([`Output::accepted`]). When an entry is applied at that
//! index, its term says whether it is this one. Until then nobody knows, and nobody is told that
//! the command failed. Every request is answered once: with the outcome, with a refusal, or with
//! the doubt ([`Failure::Unknown`]).
//!
//! # A storage that fails
//! After a failed write nobody knows what the disk holds, so the server stops, opens the storage
//! again, and starts from what is really there. A full disk is no failure: its writes wait, new
//! commands are refused, and the server goes on when there is room.

mod disk;
mod request;
mod status;

#[cfg(test)]
mod tests;

pub use request::{Applied, Consistency, Doubt, Failure, Look, Request};
pub use status::{DiskState, Follower, Loss, OTHER_DISK, Status};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use disk::{Disk, Report};
use raft_core::raft::{
    Config, Configuration, DiskId, Durable, EntryId, Input, LogIndex, Message, Observation, Output, Payload, Proposal,
    Raft, Refusal, RequestId, ServerId, ServerSet, Standing, Start, Term,
};
use raft_core::state_machine::{RestoreError, StateMachine};
use raft_core::time::Time;
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::Clock;
use crate::peers::Incoming;
use crate::storage::{Damaged, Loaded, Storage, StorageError};

/// The most inputs of one kind that are taken before the others are looked at.
const TURN_MAX: usize = 256;

/// The most commands that are proposed together.
const BATCH_MAX: usize = 1_024;

/// How long a server that stops waits for another one to lead, and for what it has in its log.
const HAND_OVER_MAX: Duration = Duration::from_secs(2);

/// How long to wait before a storage that failed is opened again.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);

/// The way to the other servers.
pub trait Network: Send + 'static {
    /// Sends a message, or drops it; never waits. Returns the message's number if it was sent.
    fn send(&self, to: ServerId, message: &Message) -> Option<u64>;
}

/// Those who are told what happens in the driver's thread, as it happens. They must not wait.
pub trait Audience<M>: Send + 'static {
    /// The committed entry at this index has admitted this disk of a server.
    fn admitted(&mut self, index: LogIndex, server: ServerId, disk: DiskId);

    /// A command was applied.
    fn applied(&mut self, index: LogIndex, command: &[u8], answer: &[u8]);

    /// The state machine was replaced by a snapshot that ends at this index, or was read from disk.
    fn restored(&mut self, index: LogIndex, machine: &M);

    /// This server leads now, in this term, and has applied everything that was committed before.
    fn leads(&mut self, term: Term, machine: &M);

    /// Whether it wants to know each step.
    fn listens(&mut self) -> bool;

    /// A step was taken, at this moment, and left the server like this.
    fn stepped(&mut self, now: Time, raft: &Raft, observations: &[Observation]);

    /// A message came in.
    fn received(&mut self, now: Time, incoming: &Incoming);

    /// A message went out, with this number; or was dropped here, without one.
    fn sent(&mut self, now: Time, to: ServerId, message: &Message, number: Option<u64>);
}

/// How a server starts if its storage is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Founding {
    /// It is one of those that found the cluster.
    Founder(Configuration),
    /// It waits until it is added to a cluster.
    Joiner,
}

/// What a driver is started with.
pub struct Setup<M> {
    /// The server's parameters.
    pub config: Config,
    /// How it starts if its storage is new.
    pub founding: Founding,
    /// What a server that founds the cluster waits for, if its storage is new: that all others who
    /// found it know its disk. Until then it takes no part, and promises nothing. An error says why
    /// it must not, and ends the driver. Nothing to wait for if there is nobody else.
    pub known_to_founders: Option<oneshot::Receiver<Result<(), String>>>,
    /// The number of its disk ([`DiskId`]).
    pub disk: DiskId,
    /// Opens its storage: at the start, and again after a failure.
    pub open: Box<dyn FnMut() -> Result<Box<dyn Storage>, StorageError> + Send>,
    /// The state machine, empty.
    pub machine: M,
    /// The way to the other servers.
    pub network: Box<dyn Network>,
    /// Those who are told what happens.
    pub audience: Box<dyn Audience<M>>,
    /// Messages from the other servers.
    pub incoming: mpsc::Receiver<Incoming>,
    /// How many requests may wait.
    pub requests_max: usize,
}

/// Why a server can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The storage can't be opened, read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Parameters, or what the disk holds, make no sense.
    #[error("the server can't start: {0}")]
    Start(#[from] raft_core::raft::StartError),
    /// It isn't one of those that found the cluster, or not on this disk.
    #[error("{0}")]
    NotAFounder(String),
    /// The state machine can't read the snapshot.
    #[error("the snapshot can't be restored: {0}")]
    Restore(RestoreError),
    /// A thread can't be started.
    #[error("a thread can't be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The driver's thread panicked; its own message says more.
    #[error("the server's thread has ended by a failed assertion")]
    Panicked,
}

/// How others speak to a driver. A clone speaks to the same one.
pub struct Handle<M> {
    requests: mpsc::Sender<Request<M>>,
    status: watch::Receiver<Arc<Status>>,
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Handle { requests: self.requests.clone(), status: self.status.clone() }
    }
}

impl<M: Send + 'static> Handle<M> {
    /// The server's state after its last step.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status.borrow())
    }

    /// Its state, for someone who wants to wait until it changes.
    pub fn watch(&self) -> watch::Receiver<Arc<Status>> {
        self.status.clone()
    }

    /// Has the cluster apply a command.
    ///
    /// # Errors
    /// [`Failure`]; only [`Failure::is_certain`] ones say that nothing was done.
    pub async fn propose(&self, command: raft_core::raft::Bytes) -> Result<Applied, Failure> {
        self.ask(|reply| Request::Propose { command, reply }).await
    }

    /// Looks at the state machine.
    ///
    /// # Errors
    /// When it can't be known that the state is fresh enough.
    pub async fn read<R: Send + 'static>(
        &self,
        consistency: Consistency,
        look: impl FnOnce(&M, u64) -> R + Send + 'static,
    ) -> Result<R, Failure> {
        let (tell, told) = oneshot::channel();
        let look: Look<M> = Box::new(move |state| {
            let _ = tell.send(state.map(|(machine, index)| look(machine, index)));
        });
        self.hand_in(Request::Read { consistency, look })?;
        told.await.unwrap_or(Err(Failure::Stopping))
    }

    /// Changes the membership. Returns the entry that did it, once it is committed.
    ///
    /// # Errors
    /// Why not, or that it isn't known.
    pub async fn change_membership(&self, change: raft_core::raft::MembershipChange) -> Result<EntryId, Failure> {
        self.ask(|reply| Request::ChangeMembership { change, reply }).await
    }

    /// Hands leadership to another server. Returns once that server leads.
    ///
    /// # Errors
    /// Why not.
    pub async fn transfer(&self, to: ServerId) -> Result<(), Failure> {
        self.ask(|reply| Request::Transfer { to, reply }).await
    }

    /// Has the server take no more commands, and hand its leadership over if it leads. Returns when
    /// that has succeeded, or can't any more. Until [`stop`](Self::stop) the server is a member
    /// like others: what was handed to its successor may need its disk.
    pub async fn leave(&self) {
        let (reply, left) = oneshot::channel();
        if self.requests.send(Request::Leave { reply }).await.is_ok() {
            // If nobody answers, the driver has ended.
            let _ = left.await;
        }
    }

    /// Has the server stop, after it has handed leadership over if it leads.
    pub async fn stop(&self) {
        let _ = self.requests.send(Request::Stop).await;
    }

    /// Whether the driver has ended: it takes no more requests, and its status stays as it is.
    pub fn has_ended(&self) -> bool {
        self.requests.is_closed()
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Request<M>,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        self.hand_in(request(reply))?;
        answer.await.unwrap_or(Err(Failure::Unknown(Doubt::Stopped)))
    }

    fn hand_in(&self, request: Request<M>) -> Result<(), Failure> {
        self.requests.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Failure::Busy,
            mpsc::error::TrySendError::Closed(_) => Failure::Stopping,
        })
    }
}

/// The thread of a driver.
pub struct Running {
    ended: oneshot::Receiver<Result<(), DriverError>>,
}

impl Running {
    /// Waits until it has ended, and its storage is closed: after [`Handle::stop`], or because it
    /// couldn't go on.
    ///
    /// # Errors
    /// Why it couldn't go on.
    pub async fn ended(&mut self) -> Result<(), DriverError> {
        (&mut self.ended).await.unwrap_or(Err(DriverError::Panicked))
    }
}

/// Starts a driver.
///
/// # Errors
/// When the storage can't be read, or holds what can't be a server's.
pub fn start<M: StateMachine + Clone>(setup: Setup<M>) -> Result<(Handle<M>, Running), DriverError> {
    let Setup { config, founding, known_to_founders, disk, mut open, .. } = setup;
    let Setup { machine, network, mut audience, incoming, requests_max, .. } = setup;
    let (request_sender, requests) = mpsc::channel(requests_max);
    let clock = Clock::start();
    let empty = machine.clone();
    let start_again = move |open: &mut dyn FnMut() -> Result<Box<dyn Storage>, StorageError>,
                            audience: &mut dyn Audience<M>|
          -> Result<Begun<M>, DriverError> {
        let mut storage = open()?;
        let loaded = storage.load()?;
        if let Some(Damaged { held, left }) = loaded.damaged {
            tracing::warn!(
                "the disk has lost entries: its log ended with {held} once, and can be read up to {left}. \
                 This server can't lead before it has the rest again, from a leader whose log is whole. \
                 Look after this disk"
            );
        }
        let raft = Raft::new(config.clone(), beginning(loaded, founding, disk), clock.now())?;
        let mut machine = empty.clone();
        let mut applied = LogIndex::ZERO;
        if let Some(snapshot) = raft.snapshot() {
            machine.restore(snapshot.data()).map_err(DriverError::Restore)?;
            applied = snapshot.meta.last.index;
        }
        audience.restored(applied, &machine);
        Ok(Begun { raft, machine, applied, storage })
    };
    let begun = start_again(&mut *open, &mut *audience)?;
    let loss = Loss::of(&begun.raft);
    let losses = u64::from(loss.is_some());
    let known_to_founders = known_to_founders.filter(|_| is_blank(&begun.raft));
    let is_founding = known_to_founders.is_some();
    let first = Status { is_founding, ..Status::of(&begun.raft, begun.applied, DiskState::Fine) };
    let first = first.with_losses(loss, losses);
    let (status, watched) = watch::channel(Arc::new(first));
    let handle = Handle { requests: request_sender, status: watched };
    let outside = Outside { clock, network, audience, incoming, requests, status, known_to_founders, loss, losses };
    let (tell, ended) = oneshot::channel();
    thread::Builder::new().name("raft".into()).spawn(move || {
        // If this panics, nothing is told, and that says it.
        let result = drive(begun, outside, move |audience| start_again(&mut *open, audience));
        let _ = tell.send(result);
    })?;
    Ok((handle, Running { ended }))
}

/// Drives a server until it is told to stop, each time from what is on its disk.
fn drive<M: StateMachine + Clone>(
    mut begun: Begun<M>,
    mut outside: Outside<M>,
    mut begin_again: impl FnMut(&mut dyn Audience<M>) -> Result<Begun<M>, DriverError>,
) -> Result<(), DriverError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    loop {
        match runtime.block_on(Driver::new(begun, &mut outside)?.run()) {
            None => return Ok(()),
            Some(error @ DriverError::Storage(_)) => {
                tracing::error!("{error}; starting again from what is on the disk");
                runtime.block_on(async { tokio::time::sleep(STORAGE_PAUSE).await });
                begun = begin_again(&mut *outside.audience)?;
                if let Some(loss) = Loss::of(&begun.raft) {
                    outside.loss = Some(loss);
                    outside.losses += 1;
                }
            }
            Some(error) => return Err(error),
        }
    }
}

/// Writes into the log what an operator wants to know of a server's state.
fn tell_of(old: &Status, new: &Status) {
    if (old.leader, old.term, old.role) != (new.leader, new.term, new.role) {
        match new.leader {
            Some(leader) if leader == new.server => tracing::info!("this server leads in term {}", new.term.0),
            Some(leader) => tracing::info!("{leader} leads in term {}", new.term.0),
            None if old.leader.is_some() || old.role != new.role => {
                tracing::info!("no leader is known in term {}; this server is a {}", new.term.0, new.role);
            }
            None => {}
        }
    }
    if old.standing != Standing::Barred
        && let Some(why) = new.barred()
    {
        tracing::warn!("this server may not vote: {why}");
    }
    if old.configuration != new.configuration {
        tracing::info!("the membership is another from index {} on", new.configuration_index.0);
    }
    if old.lost != EntryId::ZERO && new.lost == EntryId::ZERO {
        tracing::info!("what the disk had lost is there again, up to {}", old.lost);
    }
    if old.snapshot != new.snapshot
        && let Some(last) = new.snapshot
    {
        tracing::info!("there is a snapshot of everything up to {last}");
    }
}

/// How a server starts that found this on its disk.
fn beginning(loaded: Loaded, founding: Founding, disk: DiskId) -> Start {
    match (loaded.is_new, founding) {
        (true, Founding::Founder(configuration)) => Start::Bootstrap(configuration),
        (true, Founding::Joiner) => Start::Join { disk },
        // It crashed before it had written anything: it is as good as new.
        (false, Founding::Joiner) if loaded.durable == Durable::default() => Start::Join { disk },
        (false, Founding::Founder(configuration)) => {
            // The disk of a founder gets its name when the server starts again: it may have been
            // replaced by another one since, and be admitted as a learner's later.
            let mut durable = loaded.durable;
            durable.hard_state.disk = disk;
            Start::Restart(durable, configuration)
        }
        (false, Founding::Joiner) => Start::Restart(loaded.durable, Configuration::default()),
    }
}

/// Whether a server has never promised anything.
fn is_blank(raft: &Raft) -> bool {
    raft.term() == Term::ZERO && raft.log().last() == EntryId::ZERO
}

/// A server that has been read from its storage.
struct Begun<M> {
    raft: Raft,
    machine: M,
    applied: LogIndex,
    storage: Box<dyn Storage>,
}

/// What outlives a failed storage.
struct Outside<M> {
    clock: Clock,
    network: Box<dyn Network>,
    audience: Box<dyn Audience<M>>,
    incoming: mpsc::Receiver<Incoming>,
    requests: mpsc::Receiver<Request<M>>,
    status: watch::Sender<Arc<Status>>,
    /// What it still waits for before it takes part.
    known_to_founders: Option<oneshot::Receiver<Result<(), String>>>,
    /// What the disk has lost, as it was found the last time.
    loss: Option<Loss>,
    /// How often it was found.
    losses: u64,
}

/// Whoever waits for an entry.
enum Waiter {
    Command(oneshot::Sender<Result<Applied, Failure>>),
    Membership(oneshot::Sender<Result<EntryId, Failure>>),
}

impl Waiter {
    fn fail(self, failure: Failure) {
        // Whoever asked may have gone away.
        match self {
            Waiter::Command(reply) => drop(reply.send(Err(failure))),
            Waiter::Membership(reply) => drop(reply.send(Err(failure))),
        }
    }
}

/// A snapshot that another thread has taken.
struct Taken {
    index: LogIndex,
    data: Arc<[u8]>,
}

/// A server that stops.
struct Stopping {
    /// When it ends in any case.
    give_up: Time,
    /// The transfer of its leadership that hasn't succeeded or failed yet.
    handover: Option<RequestId>,
    /// Whom it has tried to hand its leadership to.
    tried: ServerSet,
    /// Those who wait until it has left.
    leaving: Vec<oneshot::Sender<()>>,
    /// Whether it ends then.
    ends: bool,
}

struct Driver<'a, M> {
    outside: &'a mut Outside<M>,
    raft: Raft,
    out: Output,
    machine: M,
    applied: LogIndex,
    // Before the disk, whose thread ends when nobody hears it any more.
    reports: mpsc::UnboundedReceiver<Report>,
    disk: Disk,
    disk_state: DiskState,
    snapshots: (mpsc::UnboundedSender<Taken>, mpsc::UnboundedReceiver<Taken>),
    next_request: RequestId,
    /// Commands and membership changes that aren't in the log yet.
    proposing: BTreeMap<RequestId, Waiter>,
    /// Those that are in the log and wait to be applied. The term says whether the entry that is
    /// applied at the index is still the same one.
    waiting: BTreeMap<LogIndex, (Term, Waiter)>,
    reading: BTreeMap<RequestId, Look<M>>,
    transferring: BTreeMap<RequestId, oneshot::Sender<Result<(), Failure>>>,
    batch: Vec<Proposal>,
    /// The term for which the audience was told that this server leads.
    told_to_lead: Term,
    /// Set once the server is told to stop.
    stopping: Option<Stopping>,
    /// A state machine that can't be restored, or a storage that failed.
    broken: Option<DriverError>,
}

impl<'a, M: StateMachine + Clone> Driver<'a, M> {
    fn new(begun: Begun<M>, outside: &'a mut Outside<M>) -> Result<Driver<'a, M>, DriverError> {
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
    async fn run(mut self) -> Option<DriverError> {
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

    fn step(&mut self, input: Input) {
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

    fn begin_to_stop(&mut self) -> &mut Stopping {
        let now = self.outside.clock.now();
        let give_up = now + raft_core::time::Duration::from_micros(HAND_OVER_MAX.as_micros() as u64);
        let new = Stopping { give_up, handover: None, tried: ServerSet::EMPTY, leaving: Vec::new(), ends: false };
        self.stopping.get_or_insert(new);
        self.hand_over();
        self.stopping.as_mut().expect("it was put there before")
    }

    /// A leader that stops has the voter lead that has most of its log. If that one doesn't take
    /// over in time, it is another one's turn: a server may seem to answer that has just gone.
    fn hand_over(&mut self) {
        let now = self.outside.clock.now();
        let is_free = self.transferring.is_empty() && self.raft.is_leader();
        let Some(stopping) = self.stopping.as_mut().filter(|stopping| is_free && stopping.handover.is_none()) else {
            return;
        };
        let status = Status::of(&self.raft, self.applied, self.disk_state).with_followers(&self.raft, now);
        let voters = status.configuration.voters.difference(stopping.tried);
        let able = status.followers.iter().filter(|follower| follower.answers && voters.contains(follower.server));
        let Some(heir) = able.max_by_key(|follower| follower.matched) else {
            // There is nobody to hand it to.
            stopping.give_up = now;
            return;
        };
        self.next_request += 1;
        let id = self.next_request;
        stopping.tried.insert(heir.server);
        stopping.handover = Some(id);
        self.step(Input::TransferLeadership { id, to: heir.server });
    }

    /// Whether a server that stops may end. If it led, it has heard its successor: until then that
    /// one may need its vote, and clients that ask here couldn't be sent anywhere. And whoever
    /// waits for an entry of its log has been answered.
    fn has_handed_over(&self, stopping: &Stopping) -> bool {
        let is_settled = stopping.handover.is_none() && self.transferring.is_empty();
        !self.raft.is_leader() && is_settled && self.waiting.is_empty()
    }

    /// A transfer of leadership has succeeded or failed that nobody waits for but this server.
    fn end_handover(&mut self, id: RequestId) {
        if let Some(stopping) = &mut self.stopping {
            stopping.handover.take_if(|handover| *handover == id);
        }
    }

    /// Does what a step has decided, in the order in which the output's fields are declared.
    fn act(&mut self, now: Time) {
        if self.out.listen {
            self.outside.audience.stepped(now, &self.raft, &self.out.observations);
        }
        for write in self.out.writes.drain(..) {
            self.disk.write(write);
        }
        for envelope in self.out.messages.drain(..) {
            let number = self.outside.network.send(envelope.to, &envelope.message);
            self.outside.audience.sent(now, envelope.to, &envelope.message, number);
        }
        if self.out.only_speaks() {
            return;
        }
        if let Some(snapshot) = self.out.restore.take() {
            if let Err(why) = self.machine.restore(snapshot.data()) {
                self.broken = Some(DriverError::Restore(why));
                return;
            }
            self.applied = snapshot.meta.last.index;
            self.outside.audience.restored(self.applied, &self.machine);
            // The entries that it covers are not applied one by one.
            let later = self.waiting.split_off(&self.applied.next());
            for (_, waiter) in std::mem::replace(&mut self.waiting, later).into_values() {
                waiter.fail(Failure::Unknown(Doubt::InSnapshot));
            }
        }
        self.apply();
        for id in self.out.reads.drain(..) {
            if let Some(look) = self.reading.remove(&id) {
                look(Ok((&self.machine, self.applied.0)));
            }
        }
        for (id, entry) in self.out.accepted.drain(..) {
            if let Some(waiter) = self.proposing.remove(&id)
                && let Some((_, former)) = self.waiting.insert(entry.index, (entry.term, waiter))
            {
                // This server leads again, and has put another entry there.
                former.fail(Failure::Overwritten);
            }
        }
        for id in std::mem::take(&mut self.out.transferred) {
            if let Some(reply) = self.transferring.remove(&id) {
                let _ = reply.send(Ok(()));
            } else {
                self.end_handover(id);
            }
        }
        for refused in std::mem::take(&mut self.out.refused) {
            let failure = match refused.reason {
                Refusal::NotLeader { leader } => Failure::NotLeader { leader },
                reason => Failure::Refused(reason),
            };
            if let Some(waiter) = self.proposing.remove(&refused.id) {
                waiter.fail(failure);
            } else if let Some(look) = self.reading.remove(&refused.id) {
                look(Err(failure));
            } else if let Some(reply) = self.transferring.remove(&refused.id) {
                let _ = reply.send(Err(failure));
            } else {
                self.end_handover(refused.id);
            }
        }
        if self.out.snapshot_wanted {
            self.take_snapshot();
        }
        self.greet_as_leader();
        self.hand_over();
    }

    fn apply(&mut self) {
        for (index, entry) in self.out.committed_entries() {
            let mut answer = Vec::new();
            if let Payload::Admission { server, disk } = entry.payload {
                self.outside.audience.admitted(index, server, disk);
            }
            if let Payload::Command(command) = &entry.payload {
                answer = self.machine.apply(index.0, command);
                self.outside.audience.applied(index, command, &answer);
            }
            self.applied = index;
            // Most entries have no waiter on most servers.
            if let Some((term, waiter)) = self.waiting.remove(&index) {
                let id = EntryId::new(index, entry.term);
                match waiter {
                    waiter if term != entry.term => waiter.fail(Failure::Overwritten),
                    Waiter::Command(reply) => drop(reply.send(Ok(Applied { entry: id, answer }))),
                    Waiter::Membership(reply) => drop(reply.send(Ok(id))),
                }
            }
        }
        self.out.committed.clear();
    }

    /// Takes the snapshot of a clone, in a thread of its own: it may take long.
    fn take_snapshot(&mut self) {
        let machine = self.machine.clone();
        let (index, tell) = (self.applied, self.snapshots.0.clone());
        let take = move || drop(tell.send(Taken { index, data: machine.snapshot().into() }));
        if let Err(why) = thread::Builder::new().name("snapshot".into()).spawn(take) {
            // It is asked for again.
            tracing::error!("a snapshot can't be taken: no thread can be started: {why}");
        }
    }

    /// Tells the audience once a term that this server leads and knows all that was committed.
    fn greet_as_leader(&mut self) {
        let term = self.raft.term();
        if self.raft.is_leader()
            && term > self.told_to_lead
            && self.raft.log().term_at(self.applied).is_some_and(|applied| applied == term)
        {
            self.told_to_lead = term;
            self.outside.audience.leads(term, &self.machine);
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
