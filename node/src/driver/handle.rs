//! How others speak to a driver, and wait for its end.

use std::sync::Arc;

use raft_core::raft::{EntryId, ServerId};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Applied, Consistency, Doubt, DriverError, Failure, Look, Request, Status};

/// How others speak to a driver. A clone speaks to the same one.
pub struct Handle<M> {
    pub(super) requests: mpsc::Sender<Request<M>>,
    pub(super) status: watch::Receiver<Arc<Status>>,
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

    pub(super) fn hand_in(&self, request: Request<M>) -> Result<(), Failure> {
        self.requests.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Failure::Busy,
            mpsc::error::TrySendError::Closed(_) => Failure::Stopping,
        })
    }
}

/// The thread of a driver.
pub struct Running {
    pub(super) ended: oneshot::Receiver<Result<(), DriverError>>,
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
