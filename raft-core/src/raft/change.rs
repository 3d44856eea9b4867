//! Changing the members (Raft §6, dissertation §4) and the leader (dissertation §3.10).

use alloc::sync::Arc;
use core::ops::ControlFlow::{Break, Continue};

use super::Configuration;
use super::entry::Payload;
use super::io::{Output, Refusal, RequestId};
use super::membership::MembershipChange;
use super::message::{Message, TimeoutNow};
use super::observation::{Observation, StepDownReason};
use super::progress::Progress;
use super::role::{HandedOver, Leader, Leadership, Removed, Transfer};
use super::rules::Rule;
use super::server::Server;
use super::types::{DiskId, EntryId, LogIndex, ServerId, ServerSet};

impl Leader {
    // ---------------------------------------------------------------- membership

    pub(super) fn on_change_membership(
        &mut self,
        server: &mut Server,
        id: RequestId,
        change: MembershipChange,
        out: &mut Output,
    ) {
        match self.lawful_change(server, change) {
            Ok(configuration) => {
                let entry = self.append_membership(server, configuration, out);
                out.accepted.push((id, entry));
            }
            Err(reason) => out.refuse(id, reason),
        }
    }

    /// The configuration to append for `change`, or the reason why none may be appended now.
    fn lawful_change(&self, server: &Server, change: MembershipChange) -> Result<Configuration, Refusal> {
        if let Some(transfer) = &self.transfer {
            return Err(Refusal::Transferring { to: transfer.to });
        }
        if server.log_is_full() {
            return Err(Refusal::LogFull);
        }
        if server.commit < self.first_own && server.rule(Rule::OwnCommitBeforeChange) {
            return Err(Refusal::NoOwnCommitYet);
        }
        let current = server.membership.current();
        let index = server.membership.current_index();
        if (index > server.commit || current.is_joint()) && server.rule(Rule::OneChangeAtATime) {
            return Err(Refusal::ChangeInProgress { index });
        }
        let mut next = current.enter(change).map_err(Refusal::Senseless)?;
        let last = server.log.last().index;
        for voter in change.voters.difference(current.voters).iter() {
            let progress = self.progress(voter);
            let matched = progress.map_or(LogIndex::ZERO, |progress| progress.matched);
            // It must at least know that it is a member.
            if matched < index || !progress.is_some_and(|progress| server.keeps_up(progress)) {
                return Err(Refusal::LearnerBehind { server: voter, matched, last });
            }
            // And its disk must have been admitted. Until then it gives no votes (it may be a voter
            // that lost its disk), and a quorum that needs its vote could never be reached again.
            let admitted = progress.is_some_and(|progress| progress.may_vote == Some(true));
            if !admitted && server.rule(Rule::BarAmnesiacVoters) {
                return Err(Refusal::NotAdmitted { server: voter });
            }
        }
        // Voters that lost their disks still count. If too few others were left, no leader could be
        // elected any more.
        let lost = |voter: ServerId| self.progress(voter).is_some_and(|progress| progress.may_vote == Some(false));
        let silenced = change.voters.those(&lost);
        if let Some(voter) = silenced.iter().next()
            && !super::quorum::is_majority(change.voters, change.voters.difference(silenced))
        {
            return Err(Refusal::NotAdmitted { server: voter });
        }
        if !server.rule(Rule::ChangeThroughJoint) {
            next = next.leave();
        }
        Ok(next)
    }

    /// A member says that it may not vote on the `disk` it has. A learner's disk is admitted, by an
    /// entry that every server can see; after that, the disk that had this name before is no member
    /// any more. A voter's disk is not admitted: its old disk may have given a vote that is still
    /// on its way, so the server must leave the voters first.
    pub(super) fn admit_disk(&mut self, server: &mut Server, member: ServerId, disk: DiskId, out: &mut Output) {
        let settled = server.membership.current_index() <= server.commit && !server.membership.current().is_joint();
        let learns = server.membership.current().learners.contains(member);
        let now = server.now;
        let Some(progress) = self.progress(member) else {
            return;
        };
        // The entry may have been compacted before the learner received it. Then it is appended
        // again, but not all the time, and not while it is on its way to the learner's disk.
        let pause = server.config.election_timeout_max.times(2);
        let (base, matched) = (server.log.base().index, progress.matched);
        let just_admitted = progress
            .admitted
            .is_some_and(|(last, at, index)| last == disk && (now < at + pause || index > base && index > matched));
        let able = server.commit >= self.first_own && self.transfer.is_none() && !server.log_is_full();
        if !(settled && learns && able && server.keeps_up(progress)) || just_admitted || disk == DiskId::default() {
            return;
        }
        let admission = self.append_own(server, Payload::Admission { server: member, disk }, out);
        // Answers to the rounds so far may carry promises of the disk that the member had before.
        let round = self.rounds.begin_quietly(now);
        if let Some(progress) = self.progress_mut(member) {
            progress.admitted = Some((disk, now, admission.index));
            progress.begin_anew(round);
        }
        out.observe(|| Observation::Admitting { server: member });
        self.replicate(server, out);
    }

    /// Appends a membership of the leader's own making, and sends it to every server in it.
    fn append_membership(&mut self, server: &mut Server, configuration: Configuration, out: &mut Output) -> EntryId {
        let id = self.append_own(server, Payload::Membership(Arc::new(configuration)), out);
        self.replicate(server, out);
        id
    }

    /// A membership of the leader's own has entered the log; `before` was in force until now.
    pub(super) fn on_membership(&mut self, server: &mut Server, before: Configuration, out: &mut Output) {
        let configuration = *server.membership.current();
        self.leaving = self.leaving.union(before.members()).difference(configuration.members());
        self.told = self.told.difference(configuration.members());
        self.leaving.remove(server.config.id);
        self.follow_members(server);
        self.ask_anew(server, configuration.learners.difference(before.learners));
        // Fewer may be asked than before: what they have answered may be enough now.
        self.release_confirmed_reads(server, out);
    }

    /// A server that has just become a learner may have been a member before, on a disk that it has
    /// lost since. The leader asks it again what it holds and whether it may vote; answers that
    /// were on their way until now tell neither.
    fn ask_anew(&mut self, server: &Server, learners: ServerSet) {
        let now = server.now;
        for learner in learners.iter().filter(|learner| *learner != server.config.id) {
            if self.progress(learner).is_some_and(|progress| progress.matched > LogIndex::ZERO) {
                let round = self.rounds.begin_quietly(now);
                if let Some(progress) = self.progress_mut(learner) {
                    progress.begin_anew(round);
                }
            }
        }
    }

    /// What the leader does once the membership in force is committed: it ends a joint membership,
    /// and it steps down if it isn't in the membership.
    pub(super) fn on_membership_committed(&mut self, server: &mut Server, out: &mut Output) -> Leadership {
        if server.membership.current_index() > server.commit {
            return Continue(());
        }
        if !server.rule(Rule::MembershipFollowsLog) {
            self.follow_members(server); // Without that rule it is in force from now on.
        }
        let current = *server.membership.current();
        if current.is_joint() {
            self.append_membership(server, current.leave(), out);
            return Continue(());
        }
        if current.is_voter(server.config.id) {
            self.let_go(server, out);
            return Continue(());
        }
        // Raft §6: the leader steps down once C_new is committed. It tells the others while it
        // still leads.
        self.tell_commit(server, current.members().union(self.leaving), out);
        self.call_on_heir(server, current.voters, out);
        Break(Removed)
    }

    /// A leader that leaves doesn't let the others wait for an election timeout: it tells the voter
    /// that has most of its log to campaign at once.
    fn call_on_heir(&self, server: &Server, voters: ServerSet, out: &mut Output) {
        let matched = |voter: &ServerId| self.progress(*voter).map(|progress| progress.matched);
        // If there are several, the first.
        if let Some(heir) = voters.iter().min_by_key(|voter| core::cmp::Reverse(matched(voter))) {
            out.observe(|| Observation::HeirCalled { heir });
            server.send(heir, Message::TimeoutNow(TimeoutNow { term: server.hard_state.term }), out);
        }
    }

    /// Stops replicating to servers that the membership in force leaves out, once it is committed
    /// and they have it. It tells them that it is committed, because no server will talk to them
    /// any more.
    pub(super) fn let_go(&mut self, server: &mut Server, out: &mut Output) {
        let index = server.membership.current_index();
        if self.leaving.is_empty() || index > server.commit {
            return;
        }
        // If a server's log ends before this one begins, only a snapshot can tell it.
        let needed = index.max(server.log.base().index);
        let has_it = |member: ServerId| self.progress(member).is_some_and(|progress| progress.matched >= needed);
        let gone = self.leaving.those(&has_it);
        self.tell_commit(server, gone, out);
        self.told = self.told.union(gone);
        self.forget_leavers(server, gone);
    }

    /// Stops talking to a server that leaves and hasn't been heard for an election timeout; see
    /// [`Leader::remind_removed`].
    pub(super) fn forget_silent_leavers(&mut self, server: &Server) {
        let patience = server.config.election_timeout_max;
        if self.leaving.is_empty() || server.membership.current_index() > server.commit {
            return;
        }
        let silent =
            |member: ServerId| self.progress(member).is_none_or(|progress| progress.heard + patience <= server.now);
        self.forget_leavers(server, self.leaving.those(&silent));
    }

    fn forget_leavers(&mut self, server: &Server, gone: ServerSet) {
        if !gone.is_empty() {
            self.leaving = self.leaving.difference(gone);
            self.follow_members(server);
        }
    }

    /// A server that asks for votes and isn't a member was cut off when it was removed. It gets the
    /// log until it knows that. But not if its term is later: its answers would depose the leader.
    pub(super) fn remind_removed(&mut self, server: &Server, from: ServerId, message: &Message, out: &mut Output) {
        let asks = matches!(message, Message::PreVote(_) | Message::RequestVote(_));
        if !asks || message.term() > server.hard_state.term || from == server.config.id {
            return;
        }
        let current = server.membership.current();
        let settled = server.membership.current_index() <= server.commit && !current.is_joint();
        let stranger = !current.members().contains(from);
        // A server that was told in this term knows the term, too: a question of an earlier one is
        // late.
        let late = message.term() < server.hard_state.term && self.told.contains(from);
        if settled && stranger && !late && self.leaving.insert(from) {
            out.observe(|| Observation::RemovedReminded { server: from });
            self.follow_members(server);
        }
    }

    // ---------------------------------------------------------------- leadership transfer

    pub(super) fn on_transfer_leadership(
        &mut self,
        server: &mut Server,
        id: RequestId,
        to: ServerId,
        out: &mut Output,
    ) {
        let can_lead = to != server.config.id && server.members().voters.contains(to);
        let deadline = server.now + server.config.election_timeout_max;
        if let Some(transfer) = &self.transfer {
            let to = transfer.to;
            return out.refuse(id, Refusal::Transferring { to });
        }
        if !can_lead {
            return out.refuse(id, Refusal::CannotLead { server: to });
        }
        self.transfer = Some(Transfer { id, to, deadline, handed_over: false });
        out.observe(|| Observation::TransferBegan { to });
        self.send_entries(server, to, out);
        self.continue_transfer(server, out);
    }

    /// Hands over leadership as soon as the successor has the whole log.
    pub(super) fn continue_transfer(&mut self, server: &Server, out: &mut Output) {
        let (last, term) = (server.log.last().index, server.hard_state.term);
        let Some(transfer) = self.transfer else {
            return;
        };
        let ready = self.progress(transfer.to).is_some_and(|progress| progress.matched == last);
        if !ready || transfer.handed_over {
            return;
        }
        // From now on the successor can be elected at any moment, although this server is still
        // heard.
        self.lease_given_up = true;
        self.transfer = Some(Transfer { handed_over: true, ..transfer });
        out.observe(|| Observation::TransferHandedOver { to: transfer.to });
        server.send(transfer.to, Message::TimeoutNow(TimeoutNow { term }), out);
    }

    /// Gives up a transfer that took too long: the leader accepts proposals again.
    pub(super) fn expire_transfer(&mut self, server: &Server, out: &mut Output) {
        if let Some(transfer) = self.transfer
            && server.now >= transfer.deadline
        {
            self.transfer = None;
            out.observe(|| Observation::TransferTimedOut { to: transfer.to });
            out.refuse(transfer.id, Refusal::TransferTimedOut { to: transfer.to });
        }
    }
}

impl Server {
    /// Whether a learner is fit to vote: it is hardly behind, or so quick that it lacks only what
    /// has come since.
    fn keeps_up(&self, progress: &Progress) -> bool {
        let near = progress.matched.plus(self.config.learner_lag_max) >= self.log.last().index;
        near || progress.catch_up.keeps_up(self.now, self.config.election_timeout_max)
    }

    /// A membership entered the log, or came with a snapshot; `before` was in force until now.
    pub(super) fn on_membership(&mut self, before: Configuration, index: LogIndex, out: &mut Output) {
        let configuration = *self.membership.current();
        if configuration != before {
            out.observe(|| Observation::MembershipEntered { index, configuration });
        }
        self.learn_standing(index, out);
    }

    /// The leader steps down with a transfer under way. If it has handed over and a higher term has
    /// come, its successor may have been elected; the next leader that it hears decides that.
    pub(super) fn give_up_transfer(&mut self, transfer: Transfer, why: StepDownReason, out: &mut Output) {
        let Transfer { id, to, handed_over, .. } = transfer;
        if handed_over && matches!(why, StepDownReason::HigherTerm { .. }) {
            self.handed_over = Some(HandedOver { id, to, deadline: self.now + self.config.election_timeout_max });
        } else {
            out.refuse(id, Refusal::LeadershipLost);
        }
    }

    /// A leader is heard: a transfer that waited for it has succeeded or failed.
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

    /// No leader has been heard since the handover: this server can't know whether the transfer
    /// succeeded.
    pub(super) fn expire_handed_over(&mut self, out: &mut Output) {
        if let Some(handed_over) = self.handed_over
            && self.now >= handed_over.deadline
        {
            self.handed_over = None;
            out.refuse(handed_over.id, Refusal::LeadershipLost);
        }
    }
}
