//! How a driver ends: it hands leadership over first.

use std::time::Duration;

use raft_core::raft::{Input, RequestId, ServerSet};
use raft_core::state_machine::StateMachine;
use raft_core::time::Time;
use tokio::sync::oneshot;

use super::Status;
use super::run::Driver;

/// How long a server that stops waits for another one to lead, and for what it has in its log.
const HAND_OVER_MAX: Duration = Duration::from_secs(2);

/// A server that stops.
pub(super) struct Stopping {
    /// When it ends in any case.
    pub(super) give_up: Time,
    /// The transfer of its leadership that hasn't succeeded or failed yet.
    pub(super) handover: Option<RequestId>,
    /// Whom it has tried to hand its leadership to.
    pub(super) tried: ServerSet,
    /// Those who wait until it has left.
    pub(super) leaving: Vec<oneshot::Sender<()>>,
    /// Whether it ends then.
    pub(super) ends: bool,
}

impl<M: StateMachine + Clone> Driver<'_, M> {
    pub(super) fn begin_to_stop(&mut self) -> &mut Stopping {
        let now = self.outside.clock.now();
        let give_up = now + raft_core::time::Duration::from_micros(HAND_OVER_MAX.as_micros() as u64);
        let new = Stopping { give_up, handover: None, tried: ServerSet::EMPTY, leaving: Vec::new(), ends: false };
        self.stopping.get_or_insert(new);
        self.hand_over();
        self.stopping.as_mut().expect("it was put there before")
    }

    /// A leader that stops has the voter lead that has most of its log. If that one doesn't take
    /// over in time, it is another one's turn: a server may seem to answer that has just gone.
    pub(super) fn hand_over(&mut self) {
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
    pub(super) fn has_handed_over(&self, stopping: &Stopping) -> bool {
        let is_settled = stopping.handover.is_none() && self.transferring.is_empty();
        !self.raft.is_leader() && is_settled && self.waiting.is_empty()
    }

    /// A transfer of leadership has succeeded or failed that nobody waits for but this server.
    pub(super) fn end_handover(&mut self, id: RequestId) {
        if let Some(stopping) = &mut self.stopping {
            stopping.handover.take_if(|handover| *handover == id);
        }
    }
}
