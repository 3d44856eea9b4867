//! The consensus protocol: one server's [`Raft`], a pure function of its inputs.
//!
//! # What it does
//! Several servers keep the same log of commands, so that the same state machine runs on each of
//! them and goes on while any majority of them can reach each other. Safety never depends on
//! timing; progress does. The rules are those of *In Search of an Understandable Consensus
//! Algorithm (Extended Version)* by Ongaro and Ousterhout ("Raft §…" here) and of Ongaro's
//! dissertation *Consensus: Bridging Theory and Practice* ("dissertation §…").
//!
//! # Terms and elections (`election`)
//! Time is divided into terms, each with at most one leader. A follower that hears no leader for a
//! random election timeout becomes a *pre-candidate* and asks whether it would be voted for; with a
//! quorum's yes it raises its term, becomes a *candidate* and asks for votes. A voter gives one
//! vote a term, puts it on its disk before it says so, and refuses a candidate whose log is behind
//! its own (Raft §5.4.1). Whoever has a quorum's votes leads. A server that sees a higher term
//! adopts it and follows. While a server hears a leader, or has just restarted and may have
//! promised to, it ignores campaigns; a leader that hears no quorum steps down. Votes take as long
//! as disks do: nobody campaigns while its own term or vote is being written, and a candidate whose
//! campaign ran out of time, or was lost without having asked before, gives the next one more.
//!
//! # The log (`append`, `replicate`)
//! Only the leader appends, and it never removes anything from its own log. Each append names the
//! entry before it; a follower that lacks that entry rejects and says where to look, so that the
//! leader skips a whole term of disagreement at a time. A follower drops entries only where they
//! conflict. Per member the leader keeps a [`Progress`]: it probes for where the logs agree, then
//! streams, bounded by a window, or sends a snapshot when the entries are gone.
//!
//! # Commitment
//! An entry of the leader's own term is committed when a quorum has it on its disks; everything
//! before it is committed with it (Raft §5.4.2). The leader counts itself only once its own disk
//! has the entry, though it replicates before that (dissertation §10.2.1). Followers learn the
//! commit index with the next append or heartbeat.
//!
//! # Disks (`durability`)
//! A write that has become durable is an *input*, and a message that promises something is held
//! back here until the write it rests on is durable. What [`Output::messages`] holds may be sent at
//! once; a driver can't get the order wrong. A candidate's own vote counts, like everybody's, once
//! it is durable. A leader whose disk has stalled steps down.
//!
//! What a follower has received and not yet on its disk counts for nothing, but isn't sent to it
//! again: an acknowledgement says both.
//!
//! A damaged record is never taken for an absent one: a server whose disk has lost entries
//! remembers how its log ended ([`HardState::lost`]), votes as if it still had them, doesn't
//! campaign, and says so to its leader, which then counts on nothing that it doesn't hold. Once its
//! log has grown back to there, it is as before. A follower that lost entries and doesn't know (its
//! disk lied, or was put back) is noticed by what it rejects, and sent them again.
//!
//! A disk has an identity of its own ([`DiskId`]). A server that lost everything comes back with
//! another disk, and doesn't vote ([`Standing`]) before a leader has *admitted* that disk by an
//! entry of the log, and that is committed. Only a learner's disk is admitted: while the name is a
//! voter's, what the old disk promised may still be on its way. So a lost disk is replaced, under
//! the same name or another, by taking the name out of the voters and adding it anew; whether the
//! server founded the cluster or joined later makes no difference. Until then what the new disk
//! acknowledges commits nothing, and the rounds that it answers confirm no read and give no lease:
//! on the old one the server may have promised itself to a later leader.
//!
//! # Snapshots (`snapshots`)
//! When the log has outgrown its bound, the state machine's owner is asked for a snapshot, and the
//! log before it is dropped. A member so far behind that the entries are gone gets the snapshot in
//! pieces, more at a time the more it has confirmed. A leader keeps the log that members need which
//! answer, as far as memory allows, so that nobody who is there is sent one snapshot after another.
//!
//! # Membership and transfer (`change`)
//! A membership is in force from when it is appended. Voters change through joint consensus, which
//! the leader leaves by itself. A new voter must be a learner that keeps up (dissertation §4.2.1),
//! and whose disk is admitted. A leader that isn't in the new membership steps down once it is
//! committed, and tells the voter that has most of its log to campaign at once. Those that leave
//! are sent the log until they have it from there; one that was cut off meanwhile is sent it when
//! it comes back and asks for votes. Leadership can be handed to a chosen voter, which campaigns at
//! once; the request is answered when that voter is heard to lead.
//!
//! A learner may have the best log of all, by a leader that crashed, while somebody goes by a
//! membership that nobody else has and that needs its vote. It refuses that, for the log asked with
//! is behind; but who hears no leader and is asked so campaigns itself, by the membership that it
//! knows. It counts no vote of its own, leads until an entry of its term is committed, and goes
//! like a leader that was removed.
//!
//! # Reads (`reads`)
//! A read is answered at the commit index of its arrival, once the leader has committed an entry of
//! its own term and a quorum has answered a heartbeat round begun after it arrived; or under a
//! lease, which runs from the *start* of an acknowledged round, for as long as those who answered
//! said that they ignore campaigns. A follower asks its leader for the index. Every read ends, with
//! an answer or a refusal.
//!
//! # Roles and messages
//! Who handles what; everything else is ignored. "All" includes learners, which are followers that
//! no quorum counts.
//!
//! | message | follower | pre-candidate | candidate | leader |
//! | --- | --- | --- | --- | --- |
//! | PreVote, RequestVote | answer | answer | answer | answer |
//! | PreVoteResponse | – | count | – | – |
//! | RequestVoteResponse | – | – | count | – |
//! | AppendEntries, InstallSnapshot | follow, handle | follow, handle | follow, handle | impossible |
//! | their responses | – | – | – | handle |
//! | TimeoutNow | campaign | – | – | – |
//! | ReadIndex | refuse | refuse | refuse | handle |
//! | ReadIndexResponse | handle | handle | handle | handle |
//!
//! Most of what is said is an empty append to a follower that has everything, and its answer, which
//! is no news: both are seen at once to be *routine* (`routine`), and nothing else is looked at.
//!
//! # Caveats
//! * Raft tolerates crashes, not lies: a peer that sends what no correct server would is ignored
//!   where that can be seen, and believed where it can't. `guards` has the bounds: no message makes
//!   a server panic, spoils its disk, or uses up the terms at once.
//! * Raft can't elect anybody when the only server with links to a quorum lacks an entry that the
//!   others have, and those that have it reach no quorum (the *constrained election* of OmniPaxos):
//!   no vote may be given, and none is.
//! * A disk that has lost entries can stop a cluster. Its server doesn't know that they were never
//!   committed, and refuses everybody whose log ends before them. Where nobody else has them, and
//!   no majority is left without that server, in one of the memberships that somebody goes by,
//!   nobody is elected who could tell it better. To replace the disk doesn't help then, for who has
//!   lost everything doesn't vote either.
//! * Where disks take longer for a write than an election timeout, elections take long: a campaign
//!   is a write, and whoever is writing one term can't vote in the next. Four servers, one of them
//!   down, with disks that take half a second and without pre-votes, elect a leader in eight
//!   seconds on average, and in twenty at worst. Pre-votes make that shorter.
//! * A clock that was set back is noticed at the next step, if it shows less than at the last one.
//!   A driver that is told of such a change steps at once ([`Input::TimerDue`]); one that can't be
//!   told reads a clock that is never set. Otherwise a lease is believed once more when the clock
//!   comes by where it was.
//! * Lease reads are safe only while clocks drift no more than the configured bound. A leader that
//!   sees a quorum's clocks run apart further confirms its reads instead; but it can't see that at
//!   once, and a clock that stops is beyond the bound from the first moment.
//! * Two disks with the same number are one to everybody: a server that loses its disk and comes
//!   back with the number of the old one could vote twice. Whoever starts a server on an empty disk
//!   must give it a number that it never had. And a disk whose name was given to another one must
//!   not be put back: it learns of that from the log, but not from a snapshot.
//! * A voter that lost its disk is counted in the majority that is needed, and doesn't vote, until
//!   it has been taken out of the voters, for which a majority must be left.
//! * Leases hold while servers are configured differently. But a server that restarts with a
//!   shorter election timeout forgets the longer patience that it promised: let the longer one pass
//!   before it starts again, or read without leases meanwhile.
//! * A removed server that nobody it knows of is still a member with, or whose term has run ahead
//!   while pre-votes are off, isn't reached by the leader: it never learns, and disturbs nobody
//!   that checks quorums and hears a leader. With pre-votes off, and less patience than the others,
//!   it may raise the terms by way of those that hear none, for as long as it runs.
//! * At most 127 servers, numbered 1 to 127.

mod append;
mod change;
mod config;
mod drift;
mod durability;
mod election;
mod entry;
mod essence;
mod guards;
mod image;
mod io;
mod log;
mod membership;
mod message;
mod observation;
mod progress;
mod quorum;
mod reads;
mod replicate;
mod rounds;
mod routine;
mod rules;
mod sentences;
mod snapshots;
mod types;

use alloc::sync::Arc;
use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

pub use crate::bytes::Bytes;
pub use config::{Config, ConfigError};
pub use drift::{DriftWatch, Reading};
pub use entry::{Entries, Entry, Payload, Run};
pub use image::Image;
pub use io::{
    Committed, Durable, DurableError, HardState, Input, LogWrite, Output, Proposal, ReadMode, Receipt, Refusal,
    Refused, RequestId, Standing, Start, Write,
};
pub use log::Log;
pub use membership::{ChangeError, Configuration, MembershipChange, MembershipLog};
pub use message::{
    AppendEntries, AppendEntriesResponse, AppendOutcome, Envelope, InstallSnapshot, InstallSnapshotResponse, Message,
    Piece, PreVote, PreVoteResponse, ReadIndex, ReadIndexResponse, RequestVote, RequestVoteResponse, Snapshot,
    SnapshotMeta, SnapshotProgress, TimeoutNow,
};
pub use observation::{
    CampaignReason, LeaseRefusal, Observation, ReadProof, ReadWait, StepDownReason, VoteRefusal, WithheldReason,
};
pub use progress::{CatchUp, Progress, ProgressState, SnapshotTransfer, Window};
pub use quorum::{is_majority, majority_of, reached_by_majority};
pub use rules::{Rule, Rules};
pub use sentences::{Sentence, Weight};
pub use snapshots::SNAPSHOT_SIZE_MAX;
pub use types::{DiskId, EntryId, LogIndex, ServerId, ServerSet, Term};

use crate::hash::mix;
use crate::time::{Duration, Time};
use durability::Disk;
use reads::{LocalReads, PendingRead};
use rounds::Rounds;
use snapshots::IncomingSnapshot;

/// One server of a Raft cluster. See the [module's essay](self).
#[derive(Clone, Debug)]
pub struct Raft {
    config: Config,
    random: Xoshiro256PlusPlus,
    /// The latest reading of this server's clock.
    now: Time,

    // Persistent (Raft Figure 2); what is on the disk of it is `disk`'s business.
    hard_state: HardState,
    log: Log,
    snapshot: Option<Arc<Snapshot>>,
    membership: MembershipLog,
    disk: Disk,

    // Volatile.
    commit: LogIndex,
    /// Everything up to here has been handed out to be applied.
    applied: LogIndex,
    leader: Option<ServerId>,
    role: Role,
    election_deadline: Time,
    /// The timeout that `election_deadline` came from, for those who draw it.
    election_timeout: Duration,
    /// Until then, campaigns are ignored: a leader has been heard (dissertation §4.2.3).
    patient_until: Time,
    /// Campaigns in a row that ran out of time, or were lost though the server's own vote took its
    /// time. The votes are on their way to slow disks, perhaps.
    slow_campaigns: u32,
    /// Whether the latest vote of this server's own took long to write.
    slow_vote: bool,
    /// How often it has campaigned, or asked whether it should, since it heard a leader.
    campaigns: u32,
    /// Since it last heard a leader, somebody whose log is older has asked for its vote, though it
    /// is no voter by its own log.
    vote_needed: bool,
    /// Entries of the log that admit a disk under this server's name, and that aren't known to be
    /// committed and on the disk yet.
    admissions: Vec<(LogIndex, DiskId)>,
    incoming: Option<IncomingSnapshot>,
    snapshot_asked: bool,
    /// A snapshot up to here was too large: another is asked for when there is as much again to put
    /// into it.
    snapshot_tried: LogIndex,
    /// The size of the entries applied since the last snapshot.
    applied_bytes: u64,
    reads: LocalReads,
    /// A leadership that this server gave away, until it is seen who leads.
    handed_over: Option<HandedOver>,
    /// The log is known to equal that of this term's leader up to here, on the disk or not.
    agreed: (Term, LogIndex),
    /// The entries last cut out of the log (or put into it together), from where on, and their
    /// size: members that are equally far, and the disk, get the same ones.
    slice: Option<(LogIndex, Entries, u64)>,
}

/// What a server is, with the state that only such a server has.
#[derive(Clone, Debug)]
pub enum Role {
    /// It follows, or waits for somebody to follow.
    Follower,
    /// It asks whether it would be voted for.
    PreCandidate(Campaign),
    /// It asks for votes.
    Candidate(Campaign),
    /// It leads.
    Leader(Leader),
}

/// The votes of a campaign. Voters are counted, not answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Campaign {
    /// Who said yes.
    pub granted: ServerSet,
    /// Who said no.
    pub refused: ServerSet,
}

/// What only a leader has (Raft Figure 2, "volatile state on leaders").
#[derive(Clone, Debug)]
pub struct Leader {
    /// By the member's slot; the leader's own is empty.
    progress: Vec<Option<Progress>>,
    /// Those that the membership in force leaves out. They get the log until they have it from
    /// there that they are left out, and that it is committed.
    leaving: ServerSet,
    /// Who left, has that on its disk, and was told that it is committed.
    told: ServerSet,
    /// Index of its first own entry: nothing is read or reconfigured before that is committed.
    first_own: LogIndex,
    heartbeat_due: Time,
    /// The heartbeat rounds, the latest of which is the current one.
    rounds: Rounds,
    pending_reads: Vec<PendingRead>,
    /// The round the newest confirmed-by-round read waits for.
    read_round: u64,
    uncommitted_bytes: u64,
    transfer: Option<Transfer>,
    /// A successor was told to campaign in this term: leases are over.
    lease_given_up: bool,
}

/// A leadership transfer under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    id: RequestId,
    /// The successor.
    pub to: ServerId,
    deadline: Time,
    handed_over: bool,
}

/// A leadership transfer whose leader has stepped down: who leads next decides what becomes of the
/// request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct HandedOver {
    id: RequestId,
    to: ServerId,
    deadline: Time,
}

impl Raft {
    /// Starts a server at `now`, a reading of its own clock.
    ///
    /// # Errors
    /// Parameters that make no sense together, or a disk image that can't be a server's.
    pub fn new(config: Config, start: Start, now: Time) -> Result<Raft, StartError> {
        config.check().map_err(StartError::Config)?;
        guards::check_start(&start)?;
        let (durable, bootstrap) = match start {
            Start::Bootstrap(configuration) => (Durable::default(), configuration),
            Start::Restart(durable, configuration) => (durable, configuration),
            Start::Join { disk } => {
                if disk == DiskId::default() {
                    return Err(StartError::DiskUnnamed);
                }
                let hard_state = HardState { standing: Standing::Joining, disk, ..HardState::default() };
                (Durable { hard_state, ..Durable::default() }, Configuration::default())
            }
        };
        let (base, mut membership) = match &durable.snapshot {
            None => (EntryId::ZERO, MembershipLog::new(LogIndex::ZERO, bootstrap)),
            Some(snapshot) => {
                let meta = &snapshot.meta;
                (meta.last, MembershipLog::new(meta.configuration_index, meta.configuration))
            }
        };
        let mut log = Log::after(base);
        let mut admissions = Vec::new();
        for entry in durable.entries {
            let index = log.last().index.next();
            match &entry.payload {
                Payload::Membership(configuration) => membership.append(index, **configuration),
                Payload::Admission { server, disk } if *server == config.id => admissions.push((index, *disk)),
                _ => {}
            }
            log.append(entry);
        }
        let mut random = Xoshiro256PlusPlus::seed_from_u64(config.seed ^ (u64::from(config.id.number()) << 56));
        // Nobody uses the first number: so a seed's election timeouts are what they were when
        // somebody did, and old runs play on.
        let _: u64 = random.random();
        let mut raft = Raft {
            now,
            hard_state: durable.hard_state,
            disk: Disk::holding(log.last().index),
            log,
            snapshot: durable.snapshot,
            membership,
            commit: base.index,
            applied: base.index,
            leader: None,
            role: Role::Follower,
            election_deadline: Time::ZERO,
            election_timeout: Duration::ZERO,
            // It may have acknowledged a leader just before it crashed, whose lease rests on its
            // patience.
            patient_until: now + config.election_timeout_min,
            slow_campaigns: 0,
            slow_vote: false,
            campaigns: 0,
            vote_needed: false,
            admissions,
            incoming: None,
            snapshot_asked: false,
            snapshot_tried: LogIndex::ZERO,
            applied_bytes: 0,
            reads: LocalReads::default(),
            handed_over: None,
            agreed: (Term::ZERO, LogIndex::ZERO),
            slice: None,
            random,
            config,
        };
        // What was lost may have come back without the disk's having been told so.
        if raft.log.last() >= raft.hard_state.lost {
            raft.hard_state.lost = EntryId::ZERO;
        }
        raft.disk.begin_with(&raft.hard_state);
        raft.arm_election_timer();
        Ok(raft)
    }

    /// Takes one thing that happened, at `now` on this server's own clock, and decides everything
    /// that follows from it.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Output) {
        out.clear();
        self.read_clock(now);
        match input {
            Input::Message { from, ref message } => return self.take_message(from, message, out),
            Input::TimerDue => self.on_timer(out),
            Input::Durable(receipt) => self.on_durable(receipt, out),
            Input::Propose(proposal) => self.on_propose(proposal, out),
            Input::ProposeBatch(proposals) => self.on_propose_batch(proposals, out),
            Input::Read { id, mode } => self.on_read(id, mode, out),
            Input::SnapshotTaken { index, data } => self.on_snapshot_taken(index, data, out),
            Input::ChangeMembership { id, change } => self.on_change_membership(id, change, out),
            Input::TransferLeadership { id, to } => self.on_transfer_leadership(id, to, out),
            Input::Campaign => self.campaign(CampaignReason::Asked, out),
        }
        self.finish(out);
    }

    /// The same as [`Raft::step`] with an [`Input::Message`], for a message that stays where it is.
    pub fn receive(&mut self, now: Time, from: ServerId, message: &Message, out: &mut Output) {
        out.clear();
        self.read_clock(now);
        self.take_message(from, message, out);
    }

    fn take_message(&mut self, from: ServerId, message: &Message, out: &mut Output) {
        if !self.on_routine(from, message, out) {
            self.on_message(from, message, out);
            self.finish(out);
        }
    }

    /// When to call [`Raft::step`] with [`Input::TimerDue`] at the latest, on this server's own
    /// clock.
    #[inline]
    pub fn deadline(&self) -> Time {
        let role = match &self.role {
            Role::Leader(leader) => {
                let transfer = leader.transfer.as_ref().map_or(Time::NEVER, |transfer| transfer.deadline);
                let read = leader.pending_reads.first().map_or(Time::NEVER, |read| read.deadline);
                leader.heartbeat_due.min(transfer).min(read).min(self.disk_stall_deadline())
            }
            _ => self.election_deadline,
        };
        let handed_over = self.handed_over.as_ref().map_or(Time::NEVER, |handed_over| handed_over.deadline);
        role.min(handed_over).min(self.reads.deadline())
    }

    // ---------------------------------------------------------------- the table of roles and
    // messages

    fn on_message(&mut self, from: ServerId, message: &Message, out: &mut Output) {
        if let Some(what) = self.implausible(message) {
            out.observe(|| Observation::ImpossibleMessage { from, what });
            return;
        }
        self.remind_removed(from, message, out);
        if !self.admit(from, message, out) {
            return;
        }
        match (message, &self.role) {
            (Message::PreVote(m), _) => self.on_pre_vote(from, m, out),
            (Message::PreVoteResponse(m), Role::PreCandidate(_)) => self.on_pre_vote_response(from, m, out),
            (Message::RequestVote(m), _) => self.on_request_vote(from, m, out),
            (Message::RequestVoteResponse(m), Role::Candidate(_)) => self.on_request_vote_response(from, m, out),
            (Message::AppendEntries(m), Role::Follower) => self.on_append_entries(from, m, out),
            (Message::InstallSnapshot(m), Role::Follower) => self.on_install_snapshot(from, m, out),
            (Message::AppendEntriesResponse(m), Role::Leader(_)) => self.on_append_entries_response(from, m, out),
            (Message::InstallSnapshotResponse(m), Role::Leader(_)) => self.on_install_snapshot_response(from, m, out),
            (Message::TimeoutNow(_), Role::Follower) => {
                self.campaign(CampaignReason::LeadershipTransfer { leader: from }, out);
            }
            (Message::ReadIndex(m), _) => self.on_read_index(from, m, out),
            (Message::ReadIndexResponse(m), _) => self.on_read_index_response(from, m, out),
            _ => {} // An answer that comes too late, or a question to somebody else.
        }
    }

    /// Every reason not to look at a message, before anybody looks: what is impossible, what is too
    /// old, and what a higher term does to the receiver. Whether to go on.
    fn admit(&mut self, from: ServerId, message: &Message, out: &mut Output) -> bool {
        if from == self.config.id {
            out.observe(|| Observation::ImpossibleMessage { from, what: "a message from the server itself" });
            return false;
        }
        let (theirs, mine) = (message.term(), self.hard_state.term);
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
                // Dissertation §4.2.3: neither vote nor adopt the term while a leader is heard.
                let (term, leader) = (m.term, self.leader);
                out.observe(|| Observation::VoteRefused {
                    candidate: from,
                    term,
                    pre_vote: false,
                    reason: VoteRefusal::HearsLeader { leader, until },
                });
                return false;
            }
            if self.is_leader() && !self.rule(Rule::StepDownOnHigherTerm) {
                return false;
            }
            let believed = self.believed(theirs);
            self.become_follower(believed, StepDownReason::HigherTerm { by: from }, out);
            if believed < theirs {
                out.observe(|| Observation::ImpossibleMessage { from, what: "a term that is too far ahead" });
                return false;
            }
        }
        if message.is_from_leader() { self.admit_leader(from, out) } else { true }
    }

    /// A message of an older term: questions are answered, so that the sender learns of the newer
    /// one.
    fn admit_stale(&mut self, from: ServerId, message: &Message, out: &mut Output) -> bool {
        let mine = self.hard_state.term;
        if !self.rule(Rule::RefuseStaleTerms) && matches!(message, Message::AppendEntries(_)) {
            return matches!(self.role, Role::Follower);
        }
        let answer = match message {
            // A pre-vote of an older term is refused in its own handler, with the reason.
            Message::PreVote(_) => return true,
            // Asking raised nobody's term, so that the answer may well come from an older one; it
            // says which question it answers. A voter that doesn't campaign would never learn of
            // the newer term otherwise, and nobody could be elected.
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
                clock: self.now,
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
            _ => None,
        };
        let (theirs, name) = (message.term(), message.name());
        out.observe(|| Observation::StaleMessage { from, theirs, mine, name });
        if let Some(message) = answer {
            self.send(from, message, out);
        }
        false
    }

    /// The sender leads the current term: follow it.
    fn admit_leader(&mut self, from: ServerId, out: &mut Output) -> bool {
        if self.is_leader() {
            out.observe(|| Observation::ImpossibleMessage { from, what: "another leader in the leader's own term" });
            return false;
        }
        if self.leader.is_some_and(|leader| leader != from) {
            out.observe(|| Observation::ImpossibleMessage { from, what: "a second leader in the same term" });
            return false;
        }
        if !matches!(self.role, Role::Follower) {
            self.become_follower(self.hard_state.term, StepDownReason::OtherLeader { leader: from }, out);
        }
        if self.leader.is_none() {
            self.leader = Some(from);
            self.vote_needed = false;
            let term = self.hard_state.term;
            out.observe(|| Observation::FollowsLeader { term, leader: from });
            self.settle_transfer(from, out);
        }
        self.hear_leader();
        true
    }

    /// The leader has just been heard.
    #[inline]
    fn hear_leader(&mut self) {
        self.patient_until = self.now + self.config.election_timeout_min;
        (self.slow_campaigns, self.campaigns) = (0, 0);
        self.arm_election_timer();
    }

    fn on_timer(&mut self, out: &mut Output) {
        self.expire_reads(out);
        self.expire_handed_over(out);
        if self.is_leader() {
            self.on_leader_timer(out);
        } else if self.now >= self.election_deadline {
            let silent = self.election_timeout;
            self.campaign(CampaignReason::ElectionTimeout { silent }, out);
        }
    }

    /// What every step ends with: the write it made, the entries it committed, the reads they
    /// release.
    fn finish(&mut self, out: &mut Output) {
        if !self.admissions.is_empty() {
            self.settle_admissions(out);
        }
        self.flush_write(out);
        while self.applied < self.commit {
            let first = self.applied.next();
            let entries = self.log.shared(first, self.commit);
            if entries.is_empty() {
                break;
            }
            self.applied = self.applied.plus(entries.len() as u64);
            self.applied_bytes += entries.size();
            out.committed.push(Committed { first, entries });
        }
        self.reads.take_applied(self.applied, out);
        out.snapshot_wanted = self.wants_snapshot();
    }

    // ---------------------------------------------------------------- small things everybody needs

    /// Whether a safety rule holds.
    #[inline]
    fn rule(&self, rule: Rule) -> bool {
        self.config.rules.on(rule)
    }

    /// Asserts an invariant of our own, unless rules that it rests on are switched off.
    #[inline]
    #[track_caller]
    fn must_hold(&self, invariant: bool, what: &str) {
        assert!(
            invariant || self.config.rules != Rules::ALL,
            "{}: {what} (term {}, log {}..{}, commit {}, applied {})",
            self.config.id,
            self.hard_state.term,
            self.log.base(),
            self.log.last(),
            self.commit,
            self.applied,
        );
    }

    #[inline]
    fn read_clock(&mut self, now: Time) {
        if now < self.now {
            self.clock_went_back(now);
        }
        self.now = now;
    }

    /// The clock went back: no deadline may lie further off than it did when it was set.
    #[cold]
    fn clock_went_back(&mut self, now: Time) {
        let latest = now + self.config.election_timeout_max;
        self.election_deadline = self.election_deadline.min(latest);
        self.patient_until = self.patient_until.min(now + self.config.election_timeout_min);
        self.reads.clock_went_back(latest);
        if let Some(handed_over) = &mut self.handed_over {
            handed_over.deadline = handed_over.deadline.min(latest);
        }
        self.disk.clock_went_back(now);
        if let Role::Leader(leader) = &mut self.role {
            leader.clock_went_back(now, &self.config);
        }
    }

    #[inline]
    fn arm_election_timer(&mut self) {
        let (min, max) = (self.config.election_timeout_min.as_micros(), self.config.election_timeout_max.as_micros());
        self.election_timeout = Duration::from_micros(self.random.random_range(min..=max));
        if self.campaigns > 0 && self.config.draws_narrowly() {
            // Those that draw from so narrow a range campaign together time after time. Each time
            // waits for another time, and each server.
            let luck = mix(self.config.seed, u64::from(self.config.id.number()), u64::from(self.campaigns));
            let extra = luck % (min - (max - min));
            self.election_timeout = self.election_timeout + Duration::from_micros(extra);
        }
        if self.slow_campaigns > 0 {
            // Drawn, too, and from far apart: those whose disks are equally slow would go on
            // getting in each other's way otherwise, where all that are left must vote for the same
            // one.
            let allowance = self.slow_disk_allowance().as_micros();
            let extra = self.random.random_range(0..=allowance.saturating_mul(3));
            self.election_timeout = self.election_timeout + Duration::from_micros(extra);
        }
        self.election_deadline = self.now + self.election_timeout;
    }

    /// How much longer than an election timeout it may take, about, until this server campaigns
    /// again, for disks may be slow: twice as long after each campaign in vain, up to what two
    /// writes may take, for that is what a candidate needs. Who campaigns again sooner undoes what
    /// the others are about to promise.
    fn slow_disk_allowance(&self) -> Duration {
        let doubled = 1 << (self.slow_campaigns.saturating_sub(1)).min(16);
        self.config.election_timeout_min.times(doubled).min(self.config.disk_stall_max.times(2))
    }

    fn send(&self, to: ServerId, message: Message, out: &mut Output) {
        out.messages.push(Envelope { to, message });
    }

    /// The same for the messages that are sent all the time: each is built where it will lie. To
    /// build it elsewhere and to copy it as soon as that is done takes longer than all the rest,
    /// for the processor has to wait until what was just written can be read.
    #[inline]
    fn send_new(&self, to: ServerId, message: impl FnOnce() -> Message, out: &mut Output) {
        out.messages.extend(core::iter::once_with(|| Envelope { to, message: message() }));
    }

    /// The membership that counts.
    fn members(&self) -> &Configuration {
        if self.rule(Rule::MembershipFollowsLog) { self.membership.current() } else { self.membership.at(self.commit) }
    }

    /// Until when campaigns are ignored, if they are.
    fn patience(&self) -> Option<Time> {
        if !self.config.check_quorum || !self.rule(Rule::IgnoreCampaignsUnderLeader) {
            return None;
        }
        let until = if self.is_leader() { Time::NEVER } else { self.patient_until };
        (self.now < until).then_some(until)
    }
}

/// What a server can be asked about itself: for drivers, pages and checkers.
impl Raft {
    /// Its name.
    pub fn id(&self) -> ServerId {
        self.config.id
    }

    /// Its parameters.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its term, its vote and its standing.
    pub fn hard_state(&self) -> HardState {
        self.hard_state
    }

    /// Its term.
    pub fn term(&self) -> Term {
        self.hard_state.term
    }

    /// What it is.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// Whether it leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// The leader of its term, if it knows one.
    pub fn leader(&self) -> Option<ServerId> {
        self.leader
    }

    /// Its log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Shares the memory of its log with another copy, if that holds the same: a driver that keeps
    /// one (of what is on the disk, say) needs the room only once.
    pub fn share_log(&mut self, copy: &Log) {
        if self.log == *copy {
            self.log = copy.clone();
        }
    }

    /// Its latest snapshot.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// Everything up to here is committed, as far as it knows.
    pub fn commit_index(&self) -> LogIndex {
        self.commit
    }

    /// Everything up to here has been handed out to be applied.
    pub fn applied_index(&self) -> LogIndex {
        self.applied
    }

    /// Everything up to here is on its own disk.
    pub fn durable_index(&self) -> LogIndex {
        self.disk.log()
    }

    /// Up to here its log is known to equal its leader's; zero where it hasn't compared the two.
    pub fn agreed_index(&self) -> LogIndex {
        let (term, index) = self.agreed;
        if term == self.hard_state.term { index } else { LogIndex::ZERO }
    }

    /// Whether a write is on its way to the disk.
    pub fn is_writing(&self) -> bool {
        self.disk.is_writing()
    }

    /// The membership in force.
    pub fn configuration(&self) -> &Configuration {
        self.members()
    }

    /// Index of the entry that brought the membership in force.
    pub fn configuration_index(&self) -> LogIndex {
        self.membership.current_index()
    }

    /// When its election timer started, and when it runs out. A leader has none.
    pub fn election_timer(&self) -> Option<(Time, Duration)> {
        (!self.is_leader()).then_some((self.election_deadline, self.election_timeout))
    }
}

impl Role {
    /// Its name, for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Role::Follower => "follower",
            Role::PreCandidate(_) => "pre-candidate",
            Role::Candidate(_) => "candidate",
            Role::Leader(_) => "leader",
        }
    }

    /// The votes of its campaign, if it campaigns.
    pub const fn campaign(&self) -> Option<&Campaign> {
        match self {
            Role::PreCandidate(campaign) | Role::Candidate(campaign) => Some(campaign),
            _ => None,
        }
    }
}

impl Leader {
    /// What it knows about `member`.
    pub fn progress(&self, member: ServerId) -> Option<&Progress> {
        self.progress.get(member.slot())?.as_ref()
    }

    fn progress_mut(&mut self, member: ServerId) -> Option<&mut Progress> {
        self.progress.get_mut(member.slot())?.as_mut()
    }

    /// When the next heartbeat is due.
    pub fn heartbeat_due(&self) -> Time {
        self.heartbeat_due
    }

    /// The current heartbeat round.
    pub fn round(&self) -> u64 {
        self.rounds.latest()
    }

    /// The leadership transfer under way.
    pub fn transfer(&self) -> Option<Transfer> {
        self.transfer
    }

    /// Those that the membership in force leaves out, as long as they needn't know it.
    pub fn leaving(&self) -> ServerSet {
        self.leaving
    }

    /// The round whose answers the oldest read waits for.
    pub fn round_awaited(&self) -> Option<u64> {
        self.pending_reads.first().and_then(PendingRead::round)
    }

    /// Bytes of entries that aren't committed.
    pub fn uncommitted_bytes(&self) -> u64 {
        self.uncommitted_bytes
    }

    fn clock_went_back(&mut self, now: Time, config: &Config) {
        self.heartbeat_due = self.heartbeat_due.min(now + config.heartbeat_interval);
        if let Some(transfer) = &mut self.transfer {
            transfer.deadline = transfer.deadline.min(now + config.election_timeout_max);
        }
        let latest = now + config.election_timeout_max.max(config.disk_stall_max).times(2);
        for read in &mut self.pending_reads {
            read.deadline = read.deadline.min(latest);
        }
        // When the rounds began is unknown now, and so is any lease that rests on it.
        self.rounds.forget();
        for progress in self.progress.iter_mut().flatten() {
            progress.clock_went_back(now);
        }
    }
}

/// Why a server can't start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// Its parameters make no sense together.
    Config(ConfigError),
    /// It joins on a disk without an identity of its own ([`Start::Join`]).
    DiskUnnamed,
    /// It starts again as one that joined once, and its disk holds nothing ([`Start::Join`]).
    Blank,
    /// The membership that the cluster was founded with makes no sense.
    Bootstrap(ChangeError),
    /// Its disk holds something that can't be a server's state.
    Durable(DurableError),
}

impl core::fmt::Display for StartError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            StartError::Config(error) => error.fmt(f),
            StartError::DiskUnnamed => f.write_str("the disk's number is zero: give each new disk a number of its own"),
            StartError::Blank => f.write_str("its disk holds nothing to start from: let the server join"),
            StartError::Bootstrap(error) => write!(f, "the membership to begin with can’t be: {error}"),
            StartError::Durable(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for StartError {}
