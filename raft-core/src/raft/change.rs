//! Changing who belongs (Raft §6, dissertation §4) and who leads (dissertation §3.10).

use super::io::{Output, Refusal, RequestId};
use super::membership::MembershipChange;
use super::message::{Message, TimeoutNow};
use super::observation::{Observation, StepDownReason};
use super::rules::Rule;
use super::types::{LogIndex, ServerId, ServerSet};
use super::{Configuration, Raft, Role, Transfer};

impl Raft {
    // ---------------------------------------------------------------- membership

    pub(super) fn on_change_membership(&mut self, id: RequestId, change: MembershipChange, out: &mut Output) {
        match self.lawful_change(change) {
            Ok(configuration) => {
                let entry = self.append_membership(configuration, out);
                out.accepted.push((id, entry));
            }
            Err(reason) => out.refuse(id, reason),
        }
    }

    /// The configuration to append for `change`, or why none may be appended now.
    fn lawful_change(&self, change: MembershipChange) -> Result<Configuration, Refusal> {
        let Role::Leader(leader) = &self.role else {
            return Err(Refusal::NotLeader { leader: self.leader });
        };
        if let Some(transfer) = &leader.transfer {
            return Err(Refusal::Transferring { to: transfer.to });
        }
        if self.commit < leader.first_own && self.rule(Rule::OwnCommitBeforeChange) {
            return Err(Refusal::NoOwnCommitYet);
        }
        let current = self.membership.current();
        let index = self.membership.current_index();
        if (index > self.commit || current.is_joint()) && self.rule(Rule::OneChangeAtATime) {
            return Err(Refusal::ChangeInProgress { index });
        }
        let mut next = current.enter(change).map_err(Refusal::Senseless)?;
        let last = self.log.last().index;
        for server in change.voters.difference(current.voters).iter() {
            let matched = leader.progress(server).map_or(LogIndex::ZERO, |progress| progress.matched);
            // It must at least know that it belongs: until then it gives no votes (it may be a voter that lost its disk), and a quorum
            // that needs its vote could never be had again.
            if matched < index || matched.plus(self.config.learner_lag_max) < last {
                return Err(Refusal::LearnerBehind { server, matched, last });
            }
        }
        if !self.rule(Rule::ChangeThroughJoint) {
            next = next.leave();
        }
        Ok(next)
    }

    /// A membership entered the log, or came with a snapshot; `before` was in force until now.
    pub(super) fn on_membership(&mut self, before: Configuration, index: LogIndex, out: &mut Output) {
        let configuration = *self.membership.current();
        if configuration != before {
            out.observe(|| Observation::MembershipEntered { index, configuration });
        }
        self.learn_standing(index, out);
        if let Role::Leader(leader) = &mut self.role {
            leader.leaving = leader.leaving.union(before.members()).difference(configuration.members());
            leader.leaving.remove(self.config.id);
        }
        self.follow_members();
    }

    /// What the leader does once the membership in force is committed: leave a joint one, or go if it isn't in it.
    pub(super) fn on_membership_committed(&mut self, out: &mut Output) {
        if !self.is_leader() || self.membership.current_index() > self.commit {
            return;
        }
        self.follow_members();
        let current = *self.membership.current();
        if current.is_joint() {
            self.append_membership(current.leave(), out);
            return;
        }
        let steps_down = !current.is_voter(self.config.id);
        let leaving = self.leaving();
        if steps_down || !leaving.is_empty() {
            // Those that leave are told that they do, for nobody will talk to them any more; and if the leader itself does,
            // the others are told while there is somebody to tell them.
            self.tell_commit(if steps_down { current.members().union(leaving) } else { leaving }, out);
        }
        if let Role::Leader(leader) = &mut self.role {
            leader.leaving = ServerSet::EMPTY;
        }
        self.follow_members();
        if steps_down {
            // Raft §6: the leader steps down once C_new is committed.
            self.become_follower(self.hard_state.term, StepDownReason::Removed, out);
        }
    }

    // ---------------------------------------------------------------- leadership transfer

    pub(super) fn on_transfer_leadership(&mut self, id: RequestId, to: ServerId, out: &mut Output) {
        let can_lead = to != self.config.id && self.members().voters.contains(to);
        let deadline = self.now + self.config.election_timeout_max;
        let Role::Leader(leader) = &mut self.role else {
            return out.refuse(id, Refusal::NotLeader { leader: self.leader });
        };
        if let Some(transfer) = &leader.transfer {
            let to = transfer.to;
            return out.refuse(id, Refusal::Transferring { to });
        }
        if !can_lead {
            return out.refuse(id, Refusal::CannotLead { server: to });
        }
        leader.transfer = Some(Transfer { id, to, deadline, handed_over: false });
        out.observe(|| Observation::TransferBegan { to });
        self.send_entries(to, out);
        self.continue_transfer(out);
    }

    /// Hands over as soon as the successor has the whole log.
    pub(super) fn continue_transfer(&mut self, out: &mut Output) {
        let (last, term) = (self.log.last().index, self.hard_state.term);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let Some(transfer) = leader.transfer else {
            return;
        };
        let ready = leader.progress(transfer.to).is_some_and(|progress| progress.matched == last);
        if !ready || transfer.handed_over {
            return;
        }
        // From now on it may be elected at any moment, although this server is still heard.
        leader.lease_given_up = true;
        leader.transfer = Some(Transfer { handed_over: true, ..transfer });
        out.observe(|| Observation::TransferHandedOver { to: transfer.to });
        self.send(transfer.to, Message::TimeoutNow(TimeoutNow { term }), out);
    }

    /// Gives up a transfer that took too long: the leader goes back to work.
    pub(super) fn expire_transfer(&mut self, out: &mut Output) {
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        if let Some(transfer) = leader.transfer
            && self.now >= transfer.deadline
        {
            leader.transfer = None;
            out.observe(|| Observation::TransferTimedOut { to: transfer.to });
            out.refuse(transfer.id, Refusal::TransferTimedOut { to: transfer.to });
        }
    }
}
