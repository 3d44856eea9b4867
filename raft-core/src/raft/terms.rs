//! What a server does with a message by its term alone, before any handler (Raft §5.1): it answers
//! an older term with the newer one, adopts a higher one, and follows the leader of the current
//! one.

use super::Raft;
use super::io::Output;
use super::message::{
    AppendEntriesResponse, AppendOutcome, InstallSnapshotResponse, Message, ReadIndexResponse, RequestVoteResponse,
    SnapshotProgress,
};
use super::observation::{Observation, StepDownReason, VoteRefusal};
use super::role::Role;
use super::rules::Rule;
use super::types::{LogIndex, ServerId};
use crate::time::Duration;

impl Raft {
    /// All the reasons not to handle a message: it is impossible, too old, or a campaign while a
    /// leader is heard. Also what a higher term does to the receiver. Returns whether to go on.
    pub(super) fn admit(&mut self, from: ServerId, message: &Message, out: &mut Output) -> bool {
        if from == self.server.config.id {
            out.observe(|| Observation::ImpossibleMessage { from, what: "a message from the server itself" });
            return false;
        }
        let (theirs, mine) = (message.term(), self.server.hard_state.term);
        if theirs < mine {
            return self.admit_stale(from, message, out);
        }
        if theirs > mine {
            if let Message::PreVote(_) = message {
                return true; // Asking must not disturb (dissertation §9.6).
            }
            if let Message::RequestVote(m) = message
                && !m.leadership_transfer
                && let Some(until) = self.patience()
            {
                // Dissertation §4.2.3: a server neither votes nor adopts the term while it hears a
                // leader.
                let (term, leader) = (m.term, self.server.leader);
                out.observe(|| Observation::VoteRefused {
                    candidate: from,
                    term,
                    pre_vote: false,
                    reason: VoteRefusal::HearsLeader { leader, until },
                });
                return false;
            }
            if self.is_leader() && !self.server.rule(Rule::StepDownOnHigherTerm) {
                return false;
            }
            let believed = self.server.believed(theirs);
            self.become_follower(believed, StepDownReason::HigherTerm { by: from }, out);
            if believed < theirs {
                out.observe(|| Observation::ImpossibleMessage { from, what: "a term that is too far ahead" });
                return false;
            }
        }
        if message.is_from_leader() { self.admit_leader(from, out) } else { true }
    }

    /// A message of an older term: questions are answered, so that the sender learns of the newer
    /// term.
    fn admit_stale(&mut self, from: ServerId, message: &Message, out: &mut Output) -> bool {
        let mine = self.server.hard_state.term;
        if !self.server.rule(Rule::RefuseStaleTerms) && matches!(message, Message::AppendEntries(_)) {
            return matches!(self.role, Role::Follower);
        }
        let answer = match message {
            // A pre-vote of an older term is refused in its own handler, with the reason.
            Message::PreVote(_) => return true,
            // A pre-vote raises no server's term, so the answer may well come from an older one; it
            // says which question it answers. Without it, a voter that doesn't campaign would never
            // learn of the newer term, and no leader could be elected.
            Message::PreVoteResponse(_) => return true,
            Message::RequestVote(m) => {
                let term = m.term;
                out.observe(|| Observation::VoteRefused {
                    candidate: from,
                    term,
                    pre_vote: false,
                    reason: VoteRefusal::StaleTerm { mine },
                });
                Some(Message::RequestVoteResponse(RequestVoteResponse { term: mine, granted: false }))
            }
            Message::AppendEntries(m) => Some(Message::AppendEntriesResponse(AppendEntriesResponse {
                term: mine,
                round: m.round,
                probe: m.probe,
                clock: self.server.now,
                patience: Duration::ZERO,
                received: LogIndex::ZERO,
                outcome: AppendOutcome::StaleTerm,
            })),
            Message::InstallSnapshot(m) => Some(Message::InstallSnapshotResponse(InstallSnapshotResponse {
                term: mine,
                round: m.round,
                last: m.meta.last,
                progress: SnapshotProgress::StaleTerm,
                may_vote: false,
            })),
            Message::ReadIndex(m) => {
                let (disk, request) = (m.disk, m.request);
                Some(Message::ReadIndexResponse(ReadIndexResponse { term: mine, disk, request, index: None }))
            }
            Message::RequestVoteResponse(_)
            | Message::AppendEntriesResponse(_)
            | Message::InstallSnapshotResponse(_)
            | Message::TimeoutNow(_)
            | Message::ReadIndexResponse(_) => None,
        };
        let (theirs, name) = (message.term(), message.name());
        out.observe(|| Observation::StaleMessage { from, theirs, mine, name });
        if let Some(message) = answer {
            self.server.send(from, message, out);
        }
        false
    }

    /// The sender leads the current term: follow it.
    fn admit_leader(&mut self, from: ServerId, out: &mut Output) -> bool {
        if self.is_leader() {
            out.observe(|| Observation::ImpossibleMessage { from, what: "another leader in the leader’s own term" });
            return false;
        }
        if self.server.leader.is_some_and(|leader| leader != from) {
            out.observe(|| Observation::ImpossibleMessage { from, what: "a second leader in the same term" });
            return false;
        }
        if !matches!(self.role, Role::Follower) {
            self.become_follower(self.server.hard_state.term, StepDownReason::OtherLeader { leader: from }, out);
        }
        if self.server.leader.is_none() {
            self.server.leader = Some(from);
            self.server.vote_needed = false;
            let term = self.server.hard_state.term;
            out.observe(|| Observation::FollowsLeader { term, leader: from });
            self.server.settle_transfer(from, out);
        }
        self.server.hear_leader();
        true
    }
}
