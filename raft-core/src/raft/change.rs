//! Changing who belongs (Raft §6, dissertation §4) and who leads (dissertation §3.10).

use super::entry::Payload;
use super::io::{Output, Refusal, RequestId};
use super::membership::MembershipChange;
use super::message::{Message, TimeoutNow};
use super::observation::{Observation, StepDownReason};
use super::progress::Progress;
use super::rules::Rule;
use super::types::{DiskId, LogIndex, ServerId, ServerSet};
use super::{Configuration, HandedOver, Raft, Role, Transfer};

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
        if self.log_is_full() {
            return Err(Refusal::LogFull);
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
            let progress = leader.progress(server);
            let matched = progress.map_or(LogIndex::ZERO, |progress| progress.matched);
            // It must at least know that it belongs.
            if matched < index || !progress.is_some_and(|progress| self.keeps_up(progress)) {
                return Err(Refusal::LearnerBehind { server, matched, last });
            }
            // And its disk must have been admitted: until then it gives no votes (it may be a voter
            // that lost its disk), and a quorum that needs its vote could never be had again.
            let admitted = progress.is_some_and(|progress| progress.may_vote == Some(true));
            if !admitted && self.rule(Rule::BarAmnesiacVoters) {
                return Err(Refusal::NotAdmitted { server });
            }
        }
        // Voters that lost their disks go on counting: where too few others would be left, nobody
        // could be elected any more.
        let lost = |server: ServerId| leader.progress(server).is_some_and(|progress| progress.may_vote == Some(false));
        let silenced = change.voters.those(&lost);
        if let Some(server) = silenced.iter().next()
            && !super::quorum::is_majority(change.voters, change.voters.difference(silenced))
        {
            return Err(Refusal::NotAdmitted { server });
        }
        if !self.rule(Rule::ChangeThroughJoint) {
            next = next.leave();
        }
        Ok(next)
    }

    /// Whether a learner is fit to vote: hardly behind, or so quick that it only ever lacks what
    /// has come since.
    fn keeps_up(&self, progress: &Progress) -> bool {
        let near = progress.matched.plus(self.config.learner_lag_max) >= self.log.last().index;
        near || progress.catch_up.keeps_up(self.now, self.config.election_timeout_max)
    }

    /// A member says that it may not vote on the `disk` it has. A learner's disk is admitted, by an
    /// entry that everybody can see: whatever ran under its name before is no member any more. Not
    /// a voter's: its old disk may have given a vote that is still on its way, so it must leave the
    /// voters first.
    pub(super) fn admit_disk(&mut self, server: ServerId, disk: DiskId, out: &mut Output) {
        let settled = self.membership.current_index() <= self.commit && !self.membership.current().is_joint();
        let learns = self.membership.current().learners.contains(server);
        let now = self.now;
        let Role::Leader(leader) = &self.role else {
            return;
        };
        let Some(progress) = leader.progress(server) else {
            return;
        };
        // The entry may have been compacted before the learner came to it: then it is asked for
        // again, but not all the time, and not while it is on its way to the learner's disk.
        let pause = self.config.election_timeout_max.times(2);
        let (base, matched) = (self.log.base().index, progress.matched);
        let just_admitted = progress
            .admitted
            .is_some_and(|(last, at, index)| last == disk && (now < at + pause || index > base && index > matched));
        let able = self.commit >= leader.first_own && leader.transfer.is_none() && !self.log_is_full();
        if !(settled && learns && able && self.keeps_up(progress)) || just_admitted || disk == DiskId::default() {
            return;
        }
        let admission = self.append_own(Payload::Admission { server, disk }, out);
        if let Role::Leader(leader) = &mut self.role {
            // What the disk before has promised is on its way, perhaps, as answers to the rounds so
            // far.
            let round = leader.rounds.begin_quietly(now);
            if let Some(progress) = leader.progress_mut(server) {
                progress.admitted = Some((disk, now, admission.index));
                progress.begin_anew(round);
            }
        }
        out.observe(|| Observation::Admitting { server });
        self.replicate(out);
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
            leader.told = leader.told.difference(configuration.members());
            leader.leaving.remove(self.config.id);
        }
        self.follow_members();
        self.ask_anew(configuration.learners.difference(before.learners));
        // Fewer may be asked than before: what they have answered may be enough now.
        self.release_confirmed_reads(out);
    }

    /// Whoever has just become a learner may have been a member before, on a disk that it has lost
    /// since: what it holds, and whether it may vote, is asked anew, and what was on its way until
    /// now tells neither.
    fn ask_anew(&mut self, learners: ServerSet) {
        let now = self.now;
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        for learner in learners.iter().filter(|learner| *learner != self.config.id) {
            if leader.progress(learner).is_some_and(|progress| progress.matched > LogIndex::ZERO) {
                let round = leader.rounds.begin_quietly(now);
                if let Some(progress) = leader.progress_mut(learner) {
                    progress.begin_anew(round);
                }
            }
        }
    }

    /// What the leader does once the membership in force is committed: leave a joint one, or go if
    /// it isn't in it.
    pub(super) fn on_membership_committed(&mut self, out: &mut Output) {
        if !self.is_leader() || self.membership.current_index() > self.commit {
            return;
        }
        if !self.rule(Rule::MembershipFollowsLog) {
            self.follow_members(); // Without that rule it is in force from now on.
        }
        let current = *self.membership.current();
        if current.is_joint() {
            self.append_membership(current.leave(), out);
            return;
        }
        if current.is_voter(self.config.id) {
            return self.let_go(out);
        }
        // Raft §6: the leader steps down once C_new is committed. The others are told while there
        // is somebody to tell them.
        self.tell_commit(current.members().union(self.leaving()), out);
        self.call_on_heir(current.voters, out);
        self.become_follower(self.hard_state.term, StepDownReason::Removed, out);
    }

    /// A leader that leaves doesn't let the others wait for an election timeout: whoever has most
    /// of its log campaigns at once.
    fn call_on_heir(&self, voters: ServerSet, out: &mut Output) {
        let Role::Leader(leader) = &self.role else {
            return;
        };
        let matched = |voter: &ServerId| leader.progress(*voter).map(|progress| progress.matched);
        // Of several, the first.
        if let Some(heir) = voters.iter().min_by_key(|voter| core::cmp::Reverse(matched(voter))) {
            out.observe(|| Observation::HeirCalled { heir });
            self.send(heir, Message::TimeoutNow(TimeoutNow { term: self.hard_state.term }), out);
        }
    }

    /// Lets go of those that the membership in force leaves out, once it is committed and they have
    /// it: they are told so, for nobody will talk to them any more.
    pub(super) fn let_go(&mut self, out: &mut Output) {
        let index = self.membership.current_index();
        let Role::Leader(leader) = &self.role else {
            return;
        };
        if leader.leaving.is_empty() || index > self.commit {
            return;
        }
        // Whose log ends where this one doesn't begin yet can't be told but by a snapshot.
        let has_it = |server: ServerId| {
            leader.progress(server).is_some_and(|progress| progress.matched >= index.max(self.log.base().index))
        };
        let gone = leader.leaving.those(&has_it);
        self.tell_commit(gone, out);
        if let Role::Leader(leader) = &mut self.role {
            leader.told = leader.told.union(gone);
        }
        self.forget_leavers(gone);
    }

    /// Whoever leaves and hasn't been heard for an election timeout is talked to no more; see
    /// [`Raft::remind_removed`].
    pub(super) fn forget_silent_leavers(&mut self) {
        let patience = self.config.election_timeout_max;
        let Role::Leader(leader) = &self.role else {
            return;
        };
        if leader.leaving.is_empty() || self.membership.current_index() > self.commit {
            return;
        }
        let silent =
            |server: ServerId| leader.progress(server).is_none_or(|progress| progress.heard + patience <= self.now);
        self.forget_leavers(leader.leaving.those(&silent));
    }

    fn forget_leavers(&mut self, gone: ServerSet) {
        if let Role::Leader(leader) = &mut self.role
            && !gone.is_empty()
        {
            leader.leaving = leader.leaving.difference(gone);
            self.follow_members();
        }
    }

    /// Who asks for votes and doesn't belong was cut off when it was removed: it gets the log until
    /// it knows. Not one of a later term, for its answers would depose the leader.
    pub(super) fn remind_removed(&mut self, from: ServerId, message: &Message, out: &mut Output) {
        let asks = matches!(message, Message::PreVote(_) | Message::RequestVote(_));
        if !asks || message.term() > self.hard_state.term || from == self.config.id {
            return;
        }
        let current = self.membership.current();
        let settled = self.membership.current_index() <= self.commit && !current.is_joint();
        let stranger = !current.members().contains(from);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        // Who was told in this term knows the term, too: what it asked in an earlier one is late.
        let late = message.term() < self.hard_state.term && leader.told.contains(from);
        if settled && stranger && !late && leader.leaving.insert(from) {
            out.observe(|| Observation::RemovedReminded { server: from });
            self.follow_members();
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

    /// The leader steps down with a transfer under way. If it has handed over and a higher term has
    /// come, its successor may have been elected: the next leader that it hears tells.
    pub(super) fn give_up_transfer(&mut self, transfer: Transfer, why: StepDownReason, out: &mut Output) {
        let Transfer { id, to, handed_over, .. } = transfer;
        if handed_over && matches!(why, StepDownReason::HigherTerm { .. }) {
            self.handed_over = Some(HandedOver { id, to, deadline: self.now + self.config.election_timeout_max });
        } else {
            out.refuse(id, Refusal::LeadershipLost);
        }
    }

    /// Somebody leads: a transfer that waited for it has succeeded or failed.
    pub(super) fn settle_transfer(&mut self, leader: ServerId, out: &mut Output) {
        if let Some(HandedOver { id, to, .. }) = self.handed_over.take() {
            if leader == to {
                out.transferred.push(id);
                out.observe(|| Observation::TransferCompleted { to });
            } else {
                out.refuse(id, Refusal::LeadershipLost);
            }
        }
    }

    /// Nobody has been heard to lead since: what became of the transfer isn't known here.
    pub(super) fn expire_handed_over(&mut self, out: &mut Output) {
        if let Some(handed_over) = self.handed_over
            && self.now >= handed_over.deadline
        {
            self.handed_over = None;
            out.refuse(handed_over.id, Refusal::LeadershipLost);
        }
    }
}
