//! How many connections are open: places for clients, and some that are kept for other servers and
//! for whoever asks how this one is.
//!
//! Without these, clients who stay (streams, say) could keep followers from handing on writes, and
//! nobody could see why. A connection that finds no place of a client gets a kept one, and may use
//! it for what it is kept for. Anything else waits there for a moment until a client has gone, and
//! is refused then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::forward::FORWARDED;
use super::problem::{Kind, Problem};
use crate::metrics::Connections;

/// How many places are kept.
const KEPT: usize = 32;

/// What the kept places are for, besides other servers.
const KEPT_FOR: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// How often the log says that there is no place.
const TOLD_AGAIN: Duration = Duration::from_secs(60);

/// All places.
#[derive(Debug)]
pub struct Places {
    clients_max: usize,
    clients: Arc<Semaphore>,
    kept: Arc<Semaphore>,
    /// How often a connection has found no place of a client.
    full: AtomicU64,
    told: Mutex<Option<Instant>>,
}

/// The place of one connection, as long as it is open.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    is_kept: bool,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// So many for clients.
    pub fn new(clients_max: usize) -> Places {
        let clients_max = clients_max.min(Semaphore::MAX_PERMITS);
        let (clients, kept) = (Arc::new(Semaphore::new(clients_max)), Arc::new(Semaphore::new(KEPT)));
        Places { clients_max, clients, kept, full: AtomicU64::new(0), told: Mutex::default() }
    }

    /// What is counted of the connections.
    pub(super) fn connections(&self) -> Connections {
        let taken = self.clients_max - self.clients.available_permits() + KEPT - self.kept.available_permits();
        // One place waits for the next connection.
        Connections { open: taken.saturating_sub(1) as u64, times_full: self.full.load(Ordering::Relaxed) }
    }

    /// Waits for a place for the next connection.
    pub(super) async fn enter(self: &Arc<Places>) -> Place {
        let permit = tokio::select! {
            biased;
            permit = Arc::clone(&self.clients).acquire_owned() => self.place(false, permit.ok()),
            permit = Arc::clone(&self.kept).acquire_owned() => self.place(true, permit.ok()),
        };
        match permit {
            Some(place) => place,
            // Nobody closes the semaphores.
            None => std::future::pending().await,
        }
    }

    /// A place, if one is free.
    pub(super) fn try_enter(self: &Arc<Places>) -> Option<Place> {
        let client = self.place(false, Arc::clone(&self.clients).try_acquire_owned().ok());
        client.or_else(|| self.place(true, Arc::clone(&self.kept).try_acquire_owned().ok()))
    }

    fn place(self: &Arc<Places>, is_kept: bool, permit: Option<OwnedSemaphorePermit>) -> Option<Place> {
        let held = Mutex::new(Held { is_kept, _permit: permit? });
        Some(Place { places: Arc::clone(self), held })
    }
}

impl Place {
    /// Says that the connection is there for which this place is. While it was waited for, a client
    /// may have gone.
    pub(super) fn is_taken(&self) {
        let places = &self.places;
        if self.is_kept() && !self.become_client(Arc::clone(&places.clients).try_acquire_owned().ok()) {
            places.full.fetch_add(1, Ordering::Relaxed);
            let mut told = places.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_none_or(|told| told.elapsed() >= TOLD_AGAIN) {
                *told = Some(Instant::now());
                tracing::warn!(
                    "all {} places for clients' connections are taken (--connections): further clients wait for a \
                     moment, and are refused then; other servers, /healthz, /readyz and /metrics have {KEPT} more",
                    places.clients_max
                );
            }
        }
    }

    /// Whether the place is one that is kept for others than clients.
    pub(super) fn is_kept(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_kept
    }

    fn become_client(&self, permit: Option<OwnedSemaphorePermit>) -> bool {
        let Some(permit) = permit else { return false };
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Held { is_kept: false, _permit: permit };
        true
    }

    /// Waits until a request may be made from here.
    ///
    /// # Errors
    /// The response that is given if it may not be in time.
    pub(super) async fn admit<B>(&self, request: &Request<B>, time_max: Duration) -> Result<(), Problem> {
        let is_other_server = request.headers().contains_key(FORWARDED);
        if !self.is_kept() || is_other_server || KEPT_FOR.contains(&request.uri().path()) {
            return Ok(());
        }
        let client = Arc::clone(&self.places.clients).acquire_owned();
        let permit = tokio::time::timeout(time_max, client).await;
        if self.become_client(permit.ok().and_then(Result::ok)) {
            return Ok(());
        }
        Err(Problem::new(Kind::Busy, "too many connections are open here; ask another server"))
    }
}
