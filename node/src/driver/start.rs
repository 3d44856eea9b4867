//! How a driver begins: from what is on its disk, at the start and after a storage that failed.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use raft_core::raft::{Configuration, DiskId, Durable, EntryId, LogIndex, Raft, Start, Term};
use raft_core::state_machine::StateMachine;
use tokio::sync::{mpsc, oneshot, watch};

use super::run::Driver;
use super::{Audience, DiskState, DriverError, Founding, Handle, Loss, Network, Request, Running, Setup, Status};
use crate::clock::Clock;
use crate::peers::Incoming;
use crate::storage::{Damaged, Loaded, Storage, StorageError};

/// How long to wait before a storage that failed is opened again.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);

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
pub(super) struct Begun<M> {
    pub(super) raft: Raft,
    pub(super) machine: M,
    pub(super) applied: LogIndex,
    pub(super) storage: Box<dyn Storage>,
}

/// What outlives a failed storage.
pub(super) struct Outside<M> {
    pub(super) clock: Clock,
    pub(super) network: Box<dyn Network>,
    pub(super) audience: Box<dyn Audience<M>>,
    pub(super) incoming: mpsc::Receiver<Incoming>,
    pub(super) requests: mpsc::Receiver<Request<M>>,
    pub(super) status: watch::Sender<Arc<Status>>,
    /// What it still waits for before it takes part.
    pub(super) known_to_founders: Option<oneshot::Receiver<Result<(), String>>>,
    /// What the disk has lost, as it was found the last time.
    pub(super) loss: Option<Loss>,
    /// How often it was found.
    pub(super) losses: u64,
}
