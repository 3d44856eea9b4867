//! Elections: campaigns, votes, and stepping down (Raft §5.2, §5.4.1; dissertation §4.2.3, §6.2,
//! §9.6).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::entry::{Entries, Entry, Payload};
use super::io::{HardState, Output, Refusal, Standing};
use super::message::{Message, PreVote, PreVoteResponse, RequestVote, RequestVoteResponse};
use super::observation::{CampaignReason, Observation, StepDownReason, VoteRefusal, WithheldReason};
use super::rounds::Rounds;
use super::rules::Rule;
use super::types::{EntryId, LogIndex, ServerId, ServerSet, Term};
use super::{Campaign, Leader, Raft, Role};
use crate::time::Time;

impl Raft {
    // ---------------------------------------------------------------- campaigning

    /// Campaigns, or asks first whether that would succeed, or doesn't for a reason.
    pub(super) fn campaign(&mut self, why: CampaignReason, out: &mut Output) {
        if self.is_leader() {
            return;
        }
        let timed_out = matches!(why, CampaignReason::ElectionTimeout { .. });
        if timed_out && matches!(self.role, Role::Candidate(_)) {
            self.slow_campaigns = self.slow_campaigns.saturating_add(1);
        }
        self.arm_election_timer();
        self.campaigns = self.campaigns.saturating_add(1);
        if timed_out {
            self.leader = None; // Even if it may not campaign: nobody should be sent to a leader that isn't heard.
        }
        if let Some(reason) = self.campaign_withheld(timed_out) {
            if reason != WithheldReason::NotAVoter {
                out.observe(|| Observation::CampaignWithheld { reason });
            }
            return;
        }
        let at_leaders_wish = matches!(why, CampaignReason::LeadershipTransfer { .. });
        if self.config.pre_vote && !at_leaders_wish {
            self.begin_pre_vote(why, out);
        } else {
            self.begin_election(why, at_leaders_wish, out);
        }
    }

    fn campaign_withheld(&self, timed_out: bool) -> Option<WithheldReason> {
        let me = self.config.id;
        // Dissertation §4.2.2: a server outside its latest configuration may still be needed until
        // that is committed. Which one is committed is forgotten in a restart: then it may be any
        // of those that the log holds.
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
            // A new term would undo the vote that is being written, and the next one again: on slow
            // disks nobody would ever win.
            Some(WithheldReason::NotDurable)
        } else {
            None
        }
    }

    fn begin_pre_vote(&mut self, why: CampaignReason, out: &mut Output) {
        self.leader = None;
        self.role = Role::PreCandidate(Campaign::default());
        let term = self.hard_state.term;
        out.observe(|| Observation::Campaigned { term: term.next(), pre_vote: true, why });
        let ask = Message::PreVote(PreVote { term, last: self.log.last() });
        for voter in self.members().all_voters().iter().filter(|voter| *voter != self.config.id) {
            self.send(voter, ask.clone(), out);
        }
        self.count_vote(self.config.id, true, out);
    }

    fn begin_election(&mut self, why: CampaignReason, at_leaders_wish: bool, out: &mut Output) {
        let me = self.config.id;
        // Its own vote is a vote too: it must not be given while a leader may count on its
        // patience.
        if !at_leaders_wish && let Some(until) = self.patience() {
            let (term, leader) = (self.hard_state.term.next(), self.leader);
            let reason = VoteRefusal::HearsLeader { leader, until };
            out.observe(|| Observation::VoteRefused { candidate: me, term, pre_vote: false, reason });
            self.role = Role::Follower;
            return;
        }
        let term = self.hard_state.term.next();
        self.set_hard_state(HardState { term, voted_for: Some(me), ..self.hard_state });
        self.leader = None;
        self.role = Role::Candidate(Campaign::default());
        out.observe(|| Observation::Campaigned { term, pre_vote: false, why });
        let ask =
            Message::RequestVote(RequestVote { term, last: self.log.last(), leadership_transfer: at_leaders_wish });
        for voter in self.members().all_voters().iter().filter(|voter| *voter != me) {
            // Asking for votes promises that its own is given, and that its log is what it says:
            // both must be durable.
            self.promise(voter, ask.clone(), Rule::PersistBeforeVoting, out);
        }
        if !self.rule(Rule::PersistBeforeVoting) {
            self.count_vote(me, true, out);
        }
    }

    /// A candidate's own vote counts like anybody's: once it is on the disk. Where one vote is
    /// enough to win, a crash could otherwise let the server lead the same term twice.
    pub(super) fn count_own_vote(&mut self, out: &mut Output) {
        let me = self.config.id;
        if let Role::Candidate(campaign) = &self.role
            && !campaign.granted.contains(me)
            && self.hard_state_is_durable()
        {
            self.count_vote(me, true, out);
        }
    }

    fn count_vote(&mut self, voter: ServerId, granted: bool, out: &mut Output) {
        let configuration = *self.members();
        let by_majority = self.rule(Rule::WinByMajority);
        let (campaign, pre_vote) = match &mut self.role {
            Role::PreCandidate(campaign) => (campaign, true),
            Role::Candidate(campaign) => (campaign, false),
            _ => return,
        };
        let news = if granted { campaign.granted.insert(voter) } else { campaign.refused.insert(voter) };
        let campaign = *campaign;
        if news && voter != self.config.id {
            let needed = super::quorum::majority_of(configuration.voters.len());
            out.observe(|| Observation::VoteCounted { voter, granted, pre_vote, votes: campaign.granted, needed });
        }
        let won = if by_majority { configuration.has_quorum(campaign.granted) } else { campaign.granted.len() > 1 };
        if won && pre_vote {
            self.begin_election(CampaignReason::PreVoteWon { votes: campaign.granted }, false, out);
        } else if won {
            self.become_leader(campaign, out);
        } else if !configuration.can_still_win(campaign.refused) {
            let mine = self.hard_state.term;
            let term = if pre_vote { mine.next() } else { mine };
            out.observe(|| Observation::CampaignLost { term, refusals: campaign.refused });
            if !pre_vote {
                // Who doesn't ask first may lose time after time, and undo each time what others
                // are writing.
                let gets_in_the_way = self.slow_vote || !self.config.pre_vote;
                self.slow_campaigns = if gets_in_the_way { self.slow_campaigns.saturating_add(1) } else { 0 };
            }
            self.role = Role::Follower;
        }
    }

    // ---------------------------------------------------------------- voting

    pub(super) fn on_pre_vote(&mut self, from: ServerId, m: &PreVote, out: &mut Output) {
        let refusal = if m.term < self.hard_state.term {
            Some(VoteRefusal::StaleTerm { mine: self.hard_state.term })
        } else if let Some(until) = self.patience() {
            Some(VoteRefusal::HearsLeader { leader: self.leader, until })
        } else {
            self.refuses_log(m.last)
        };
        self.observe_vote(from, m.term.next(), true, refusal, out);
        self.note_need(refusal);
        let granted = refusal.is_none();
        let answer = PreVoteResponse { term: self.hard_state.term, asked_in: m.term, granted };
        self.send(from, Message::PreVoteResponse(answer), out);
    }

    pub(super) fn on_pre_vote_response(&mut self, from: ServerId, m: &PreVoteResponse, out: &mut Output) {
        if m.asked_in == self.hard_state.term {
            self.count_vote(from, m.granted, out);
        }
    }

    pub(super) fn on_request_vote(&mut self, from: ServerId, m: &RequestVote, out: &mut Output) {
        let once = self.rule(Rule::VoteOncePerTerm);
        // A higher term is not even looked at while a leader is heard, but this server may have
        // learned of the term in another way since. The leader's lease rests on its patience all
        // the same.
        let patience = self.patience().filter(|_| !m.leadership_transfer);
        let refusal = match (self.hard_state.voted_for, patience) {
            (Some(other), _) if other != from && once => Some(VoteRefusal::AlreadyVoted { other }),
            (_, Some(until)) => Some(VoteRefusal::HearsLeader { leader: self.leader, until }),
            _ => self.refuses_log(m.last),
        };
        self.observe_vote(from, m.term, false, refusal, out);
        self.note_need(refusal);
        let granted = refusal.is_none();
        let answer = Message::RequestVoteResponse(RequestVoteResponse { term: self.hard_state.term, granted });
        if granted {
            self.set_hard_state(HardState { voted_for: Some(from), ..self.hard_state });
            self.arm_election_timer();
            self.promise(from, answer, Rule::PersistBeforeVoting, out);
        } else {
            self.send(from, answer, out);
        }
    }

    pub(super) fn on_request_vote_response(&mut self, from: ServerId, m: &RequestVoteResponse, out: &mut Output) {
        self.count_vote(from, m.granted, out);
    }

    /// The reasons against a vote that hold before the campaign and in it.
    fn refuses_log(&self, theirs: EntryId) -> Option<VoteRefusal> {
        // What the disk has lost counts as if it were there: it may have been acknowledged.
        let mine = self.log.last().max(self.hard_state.lost);
        if self.hard_state.standing != Standing::Member && self.rule(Rule::BarAmnesiacVoters) {
            Some(VoteRefusal::NoStanding(self.hard_state.standing))
        } else if theirs < mine && self.rule(Rule::CompareLogsBeforeVoting) {
            Some(VoteRefusal::LogBehind { mine, theirs })
        } else {
            None
        }
    }

    /// Whoever asks in vain for its log may go by a membership that isn't in this server's, and
    /// that needs its vote. With more than they have it can be elected, if it must be by those that
    /// it knows of: it leads until it has committed something, and goes. Not so a server that was
    /// removed: others that were, and don't know it, ask it all the time.
    fn note_need(&mut self, refusal: Option<VoteRefusal>) {
        let behind = matches!(refusal, Some(VoteRefusal::LogBehind { .. }));
        if behind && self.leader.is_none() && self.members().learners.contains(self.config.id) {
            self.vote_needed = true;
        }
    }

    fn observe_vote(
        &self,
        candidate: ServerId,
        term: Term,
        pre_vote: bool,
        refusal: Option<VoteRefusal>,
        out: &mut Output,
    ) {
        out.observe(|| match refusal {
            None => Observation::VoteGranted { candidate, term, pre_vote },
            Some(reason) => Observation::VoteRefused { candidate, term, pre_vote, reason },
        });
    }

    // ---------------------------------------------------------------- becoming

    fn become_leader(&mut self, campaign: Campaign, out: &mut Output) {
        let (me, term) = (self.config.id, self.hard_state.term);
        self.leader = Some(me);
        (self.slow_campaigns, self.campaigns, self.vote_needed) = (0, 0, false);
        let uncommitted_bytes = self.log.iter_from(self.commit.next()).map(|entry| entry.payload.size()).sum();
        self.role = Role::Leader(Leader {
            progress: Vec::new(),
            leaving: ServerSet::EMPTY,
            told: ServerSet::EMPTY,
            first_own: self.log.last().index.next(),
            heartbeat_due: self.now,
            rounds: Rounds::new(),
            pending_reads: Vec::new(),
            read_round: 0,
            uncommitted_bytes,
            transfer: None,
            lease_given_up: false,
        });
        out.observe(|| Observation::BecameLeader { term, votes: campaign.granted });
        self.settle_transfer(me, out);
        self.follow_members();
        // Raft §8: an entry of its own term, so that it learns what is committed.
        self.append_own(Payload::NoOp, out);
        self.begin_round(out);
    }

    /// Follows from now on. A higher `term` is adopted.
    pub(super) fn become_follower(&mut self, term: Term, why: StepDownReason, out: &mut Output) {
        let before = self.hard_state.term;
        if term > before {
            self.set_hard_state(HardState { term, voted_for: None, ..self.hard_state });
            if let StepDownReason::HigherTerm { by } = why {
                out.observe(|| Observation::TermAdopted { from: before, to: term, by });
            }
            self.leader = None;
            self.incoming = None;
        }
        let was = core::mem::replace(&mut self.role, Role::Follower);
        if let Role::Leader(leader) = &was {
            self.leader = None;
            self.give_up_leadership(leader, why, out);
            self.arm_election_timer();
            // It no longer hears a leader, for there was none but itself.
            self.patient_until = Time::ZERO;
        }
        if !matches!(was, Role::Follower) {
            out.observe(|| Observation::BecameFollower { term, why });
        }
    }

    fn give_up_leadership(&mut self, leader: &Leader, why: StepDownReason, out: &mut Output) {
        if let Some(transfer) = leader.transfer {
            self.give_up_transfer(transfer, why, out);
        }
        for read in &leader.pending_reads {
            self.refuse_read(read.origin, Refusal::LeadershipLost, out);
        }
    }

    /// A leader's own entry: into the log, and on its way to the disk.
    pub(super) fn append_own(&mut self, payload: Payload, out: &mut Output) -> EntryId {
        if let Role::Leader(leader) = &mut self.role {
            leader.uncommitted_bytes += payload.size();
        }
        let after = self.log.last().index;
        let id = self.take_entry(Entry { term: self.hard_state.term, payload }, out);
        self.write_log(after);
        let me = self.config.id;
        out.observe(|| Observation::Appended { first: id.index, last: id, leader: me });
        id
    }

    /// Puts entries at the end of the log, but for the first that are `known`; a run is shared with
    /// whoever it came from.
    pub(super) fn take_entries(&mut self, entries: &Entries, known: usize, out: &mut Output) {
        match entries {
            Entries::Many(run) if !run.iter().any(|entry| entry.payload.is_about_members()) => {
                let run = run.part(known..run.len());
                let ends = run.first().zip(run.last());
                let in_order = ends.is_none_or(|(first, _)| first.term >= self.log.last().term);
                self.must_hold(in_order, "terms never go down along the log");
                let in_time = ends.is_none_or(|(_, last)| last.term <= self.hard_state.term);
                self.must_hold(in_time, "no entry is of a later term than its holder's");
                self.log.append_run(&run);
            }
            _ => {
                for entry in &entries.as_slice()[known..] {
                    self.take_entry(entry.clone(), out);
                }
            }
        }
    }

    /// Puts an entry at the end of the log; a membership is in force at once (Raft §6), an
    /// admission when it is committed.
    pub(super) fn take_entry(&mut self, entry: Entry, out: &mut Output) -> EntryId {
        self.must_hold(entry.term >= self.log.last().term, "terms never go down along the log");
        self.must_hold(entry.term <= self.hard_state.term, "no entry is of a later term than its holder's");
        let configuration = match &entry.payload {
            Payload::Membership(configuration) => Some(Arc::clone(configuration)),
            Payload::Admission { server, disk } if *server == self.config.id => {
                self.admissions.push((self.log.last().index.next(), *disk));
                None
            }
            _ => None,
        };
        let id = self.log.append(entry);
        if let Some(configuration) = configuration {
            // Something may be sent at once because of it, and what was cut out of the log before
            // lacks this entry.
            self.slice = None;
            let before = *self.membership.current();
            self.membership.append(id.index, *configuration);
            self.on_membership(before, id.index, out);
        }
        id
    }

    /// The highest index that a leader may count for itself.
    pub(super) fn own_match(&self) -> LogIndex {
        if self.rule(Rule::PersistBeforeCounting) { self.disk.log() } else { self.log.last().index }
    }
}
