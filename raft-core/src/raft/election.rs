//! Elections: campaigns, votes, and stepping down (Raft §5.2, §5.4.1; dissertation §4.2.3, §6.2,
//! §9.6).

use core::ops::ControlFlow::{self, Break};

use super::entry::Payload;
use super::io::{HardState, Output, Refusal, Standing};
use super::message::{Message, PreVote, PreVoteResponse, RequestVote, RequestVoteResponse};
use super::observation::{CampaignReason, Observation, StepDownReason, VoteRefusal, WithheldReason};
use super::role::{Campaign, Leader, Role};
use super::rules::Rule;
use super::server::Server;
use super::types::{EntryId, ServerId, ServerSet, Term};
use super::{Raft, quorum};
use crate::time::Time;

/// The result of a campaign, by the votes counted so far.
#[must_use]
pub(super) enum CampaignOutcome {
    Open,
    Won { votes: ServerSet },
    Lost { refusals: ServerSet },
}

impl Raft {
    // ---------------------------------------------------------------- campaigning

    /// Campaigns if no leader has been heard for an election timeout.
    pub(super) fn on_election_timer(&mut self, out: &mut Output) {
        if self.server.now >= self.server.election_deadline {
            let silent = self.server.election_timeout;
            self.campaign(CampaignReason::ElectionTimeout { silent }, out);
        }
    }

    /// Campaigns, or first asks whether a campaign would succeed, or notes the reason why it
    /// doesn't.
    pub(super) fn campaign(&mut self, why: CampaignReason, out: &mut Output) {
        let Raft { server, role } = self;
        debug_assert!(role.leader().is_none(), "a leader doesn't campaign");
        let timed_out = matches!(why, CampaignReason::ElectionTimeout { .. });
        if timed_out && matches!(role, Role::Candidate(_)) {
            server.slow_campaigns = server.slow_campaigns.saturating_add(1);
        }
        server.arm_election_timer();
        server.campaigns = server.campaigns.saturating_add(1);
        if timed_out {
            // Even if it may not campaign: no client should be sent to a leader that isn't heard.
            server.leader = None;
        }
        if let Some(reason) = server.campaign_withheld(timed_out) {
            if reason != WithheldReason::NotAVoter {
                out.observe(|| Observation::CampaignWithheld { reason });
            }
            return;
        }
        let at_leaders_wish = matches!(why, CampaignReason::LeadershipTransfer { .. });
        if server.config.pre_vote && !at_leaders_wish {
            self.begin_pre_vote(why, out);
        } else {
            self.begin_election(why, at_leaders_wish, out);
        }
    }

    fn begin_pre_vote(&mut self, why: CampaignReason, out: &mut Output) {
        let Raft { server, role } = self;
        let me = server.config.id;
        server.leader = None;
        let mut campaign = Campaign::default();
        let term = server.hard_state.term;
        out.observe(|| Observation::Campaigned { term: term.next(), pre_vote: true, why });
        let ask = Message::PreVote(PreVote { term, last: server.log.last() });
        for voter in server.members().all_voters().iter().filter(|voter| *voter != me) {
            server.send(voter, ask.clone(), out);
        }
        let outcome = campaign.count(server, me, true, true, out);
        *role = Role::PreCandidate(campaign);
        self.conclude_campaign(outcome, out);
    }

    fn begin_election(&mut self, why: CampaignReason, at_leaders_wish: bool, out: &mut Output) {
        let patience = self.patience();
        let Raft { server, role } = self;
        let me = server.config.id;
        let term = server.hard_state.term.next();
        // Its own vote is a vote too: it must not be given while a leader may count on this
        // server's patience.
        if !at_leaders_wish && let Some(until) = patience {
            let reason = VoteRefusal::HearsLeader { leader: server.leader, until };
            out.observe(|| Observation::VoteRefused { candidate: me, term, pre_vote: false, reason });
            *role = Role::Follower;
            return;
        }
        server.set_hard_state(HardState { term, voted_for: Some(me), ..server.hard_state });
        server.leader = None;
        let mut campaign = Campaign::default();
        out.observe(|| Observation::Campaigned { term, pre_vote: false, why });
        let ask =
            Message::RequestVote(RequestVote { term, last: server.log.last(), leadership_transfer: at_leaders_wish });
        for voter in server.members().all_voters().iter().filter(|voter| *voter != me) {
            // Asking for votes promises that its own is given, and that its log is what it says:
            // both must be durable.
            server.promise(voter, ask.clone(), Rule::PersistBeforeVoting, out);
        }
        let outcome = if server.rule(Rule::PersistBeforeVoting) {
            CampaignOutcome::Open // Not even its own vote counts yet: see `count_own_vote`.
        } else {
            campaign.count(server, me, true, false, out)
        };
        *role = Role::Candidate(campaign);
        self.conclude_campaign(outcome, out);
    }

    /// A candidate's own vote counts like any other vote: once it is on the disk. If one vote is
    /// enough to win, a crash could otherwise let the server lead the same term twice.
    pub(super) fn count_own_vote(&mut self, out: &mut Output) {
        let Raft { server, role } = self;
        let me = server.config.id;
        if let Role::Candidate(campaign) = role
            && !campaign.granted.contains(me)
            && server.hard_state_is_durable()
        {
            let outcome = campaign.count(server, me, true, false, out);
            self.conclude_campaign(outcome, out);
        }
    }

    /// A pre-candidate that would be voted for campaigns, a candidate that has won leads, and
    /// either follows once it can't win any more.
    pub(super) fn conclude_campaign(&mut self, outcome: CampaignOutcome, out: &mut Output) {
        let Raft { server, role } = self;
        let pre_vote = matches!(role, Role::PreCandidate(_));
        match outcome {
            CampaignOutcome::Open => {}
            CampaignOutcome::Won { votes } if pre_vote => {
                self.begin_election(CampaignReason::PreVoteWon { votes }, false, out);
            }
            CampaignOutcome::Won { votes } => self.become_leader(votes, out),
            CampaignOutcome::Lost { refusals } => {
                let mine = server.hard_state.term;
                let term = if pre_vote { mine.next() } else { mine };
                out.observe(|| Observation::CampaignLost { term, refusals });
                if !pre_vote {
                    // A server that doesn't ask first may lose time after time, and each time undo
                    // what others are writing.
                    let gets_in_the_way = server.slow_vote || !server.config.pre_vote;
                    server.slow_campaigns = if gets_in_the_way { server.slow_campaigns.saturating_add(1) } else { 0 };
                }
                *role = Role::Follower;
            }
        }
    }

    // ---------------------------------------------------------------- voting

    /// Until when this server ignores campaigns, if it does.
    pub(super) fn patience(&self) -> Option<Time> {
        let Raft { server, role } = self;
        if !server.config.check_quorum || !server.rule(Rule::IgnoreCampaignsUnderLeader) {
            return None;
        }
        let until = if let Role::Leader(_) = role { Time::NEVER } else { server.patient_until };
        (server.now < until).then_some(until)
    }

    pub(super) fn on_pre_vote(&mut self, from: ServerId, m: &PreVote, out: &mut Output) {
        let patience = self.patience();
        let server = &mut self.server;
        let refusal = if m.term < server.hard_state.term {
            Some(VoteRefusal::StaleTerm { mine: server.hard_state.term })
        } else if let Some(until) = patience {
            Some(VoteRefusal::HearsLeader { leader: server.leader, until })
        } else {
            server.refuses_log(m.last)
        };
        observe_vote(from, m.term.next(), true, refusal, out);
        server.note_need(refusal);
        let granted = refusal.is_none();
        let answer = PreVoteResponse { term: server.hard_state.term, asked_in: m.term, granted };
        server.send(from, Message::PreVoteResponse(answer), out);
    }

    pub(super) fn on_request_vote(&mut self, from: ServerId, m: &RequestVote, out: &mut Output) {
        // While a leader is heard, a higher term isn't even looked at. But this server may have
        // learned of the term in another way since. The leader's lease depends on this server's
        // patience all the same.
        let patience = self.patience().filter(|_| !m.leadership_transfer);
        let server = &mut self.server;
        let once = server.rule(Rule::VoteOncePerTerm);
        let refusal = match (server.hard_state.voted_for, patience) {
            (Some(other), _) if other != from && once => Some(VoteRefusal::AlreadyVoted { other }),
            (_, Some(until)) => Some(VoteRefusal::HearsLeader { leader: server.leader, until }),
            _ => server.refuses_log(m.last),
        };
        observe_vote(from, m.term, false, refusal, out);
        server.note_need(refusal);
        let granted = refusal.is_none();
        let answer = Message::RequestVoteResponse(RequestVoteResponse { term: server.hard_state.term, granted });
        if granted {
            server.set_hard_state(HardState { voted_for: Some(from), ..server.hard_state });
            server.arm_election_timer();
            server.promise(from, answer, Rule::PersistBeforeVoting, out);
        } else {
            server.send(from, answer, out);
        }
    }

    // ---------------------------------------------------------------- becoming

    fn become_leader(&mut self, votes: ServerSet, out: &mut Output) {
        let Raft { server, role } = self;
        let (me, term) = (server.config.id, server.hard_state.term);
        server.leader = Some(me);
        (server.slow_campaigns, server.campaigns, server.vote_needed) = (0, 0, false);
        let mut leader = Leader::elected(server);
        out.observe(|| Observation::BecameLeader { term, votes });
        server.settle_transfer(me, out);
        leader.follow_members(server);
        // Raft §8: a new leader appends an entry of its own term, so that it learns what is
        // committed.
        leader.append_own(server, Payload::NoOp, out);
        leader.begin_round(server, out);
        *role = Role::Leader(leader);
    }

    /// A leader goes on leading, or steps down.
    #[inline]
    pub(super) fn conclude_leadership(&mut self, leadership: ControlFlow<impl Into<StepDownReason>>, out: &mut Output) {
        if let Break(why) = leadership {
            self.become_follower(self.server.hard_state.term, why.into(), out);
        }
    }

    /// Becomes a follower. A higher `term` is adopted.
    pub(super) fn become_follower(&mut self, term: Term, why: StepDownReason, out: &mut Output) {
        let Raft { server, role } = self;
        let before = server.hard_state.term;
        if term > before {
            server.set_hard_state(HardState { term, voted_for: None, ..server.hard_state });
            if let StepDownReason::HigherTerm { by } = why {
                out.observe(|| Observation::TermAdopted { from: before, to: term, by });
            }
            server.leader = None;
            server.incoming = None;
        }
        let was = core::mem::replace(role, Role::Follower);
        if let Role::Leader(leader) = &was {
            server.leader = None;
            leader.give_up(server, why, out);
            server.arm_election_timer();
            // It hears no leader any more: it was the leader itself.
            server.patient_until = Time::ZERO;
        }
        if !matches!(was, Role::Follower) {
            out.observe(|| Observation::BecameFollower { term, why });
        }
    }
}

impl Campaign {
    /// Counts an answer to a pre-candidate.
    pub(super) fn on_pre_vote_response(
        &mut self,
        server: &Server,
        from: ServerId,
        m: &PreVoteResponse,
        out: &mut Output,
    ) -> CampaignOutcome {
        if m.asked_in == server.hard_state.term {
            self.count(server, from, m.granted, true, out)
        } else {
            CampaignOutcome::Open
        }
    }

    /// Counts an answer to a candidate.
    pub(super) fn on_request_vote_response(
        &mut self,
        server: &Server,
        from: ServerId,
        m: &RequestVoteResponse,
        out: &mut Output,
    ) -> CampaignOutcome {
        self.count(server, from, m.granted, false, out)
    }

    fn count(
        &mut self,
        server: &Server,
        voter: ServerId,
        granted: bool,
        pre_vote: bool,
        out: &mut Output,
    ) -> CampaignOutcome {
        let configuration = server.members();
        let news = if granted { self.granted.insert(voter) } else { self.refused.insert(voter) };
        let votes = self.granted;
        if news && voter != server.config.id {
            let needed = quorum::majority_of(configuration.voters.len());
            out.observe(|| Observation::VoteCounted { voter, granted, pre_vote, votes, needed });
        }
        let by_majority = server.rule(Rule::WinByMajority);
        let won = if by_majority { configuration.has_quorum(votes) } else { votes.len() > 1 };
        if won {
            CampaignOutcome::Won { votes }
        } else if configuration.can_still_win(self.refused) {
            CampaignOutcome::Open
        } else {
            CampaignOutcome::Lost { refusals: self.refused }
        }
    }
}

impl Leader {
    /// The leader steps down: the requests that wait for it are refused.
    fn give_up(&self, server: &mut Server, why: StepDownReason, out: &mut Output) {
        if let Some(transfer) = self.transfer {
            server.give_up_transfer(transfer, why, out);
        }
        for read in &self.pending_reads {
            server.refuse_read(read.origin, Refusal::LeadershipLost, out);
        }
    }
}

impl Server {
    fn campaign_withheld(&self, timed_out: bool) -> Option<WithheldReason> {
        let me = self.config.id;
        // Dissertation §4.2.2: a server outside its latest configuration may still be needed until
        // that one is committed. A restart forgets which one is committed; then it can be any of
        // those in the log.
        let votes = self.members().is_voter(me)
            || self.vote_needed
            || self.membership.since(self.commit).any(|membership| membership.is_voter(me));
        if !votes {
            Some(WithheldReason::NotAVoter)
        } else if self.is_exhausted() {
            Some(WithheldReason::Exhausted)
        } else if self.hard_state.standing != Standing::Member {
            Some(WithheldReason::Standing(self.hard_state.standing))
        } else if self.hard_state.lost != EntryId::ZERO {
            Some(WithheldReason::Damaged { lost: self.hard_state.lost })
        } else if self.disk_is_stalled() {
            Some(WithheldReason::DiskStalled)
        } else if timed_out && !self.hard_state_is_durable() {
            // A new term would undo the vote that is being written, and then the next one: on slow
            // disks, no server would ever win.
            Some(WithheldReason::NotDurable)
        } else {
            None
        }
    }

    /// The reasons against a vote that hold both for a pre-vote and for a vote.
    fn refuses_log(&self, theirs: EntryId) -> Option<VoteRefusal> {
        // Entries that the disk has lost count as if they were there: they may have been
        // acknowledged.
        let mine = self.log.last().max(self.hard_state.lost);
        if self.hard_state.standing != Standing::Member && self.rule(Rule::BarAmnesiacVoters) {
            Some(VoteRefusal::NoStanding(self.hard_state.standing))
        } else if theirs < mine && self.rule(Rule::CompareLogsBeforeVoting) {
            Some(VoteRefusal::LogBehind { mine, theirs })
        } else {
            None
        }
    }

    /// A candidate that is refused for its log may go by a membership that isn't in this server's
    /// log, and that needs this server's vote. This server has the better log, so it can be elected
    /// itself by the servers that it knows of, if there is no other way. It leads until it has
    /// committed something, and then steps down. This doesn't apply to a server that was removed:
    /// other removed servers, which don't know that they were, ask it all the time.
    fn note_need(&mut self, refusal: Option<VoteRefusal>) {
        let behind = matches!(refusal, Some(VoteRefusal::LogBehind { .. }));
        if behind && self.leader.is_none() && self.members().learners.contains(self.config.id) {
            self.vote_needed = true;
        }
    }
}

fn observe_vote(candidate: ServerId, term: Term, pre_vote: bool, refusal: Option<VoteRefusal>, out: &mut Output) {
    out.observe(|| match refusal {
        None => Observation::VoteGranted { candidate, term, pre_vote },
        Some(reason) => Observation::VoteRefused { candidate, term, pre_vote, reason },
    });
}
