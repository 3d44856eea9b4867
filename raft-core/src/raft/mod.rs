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
//! And of what isn't a message:
//!
//! | input | follower | pre-candidate | candidate | leader |
//! | --- | --- | --- | --- | --- |
//! | Durable, SnapshotTaken | handle | handle | handle | handle |
//! | TimerDue, when nobody was heard | campaign | campaign | campaign | heartbeat |
//! | Campaign | campaign | campaign | campaign | – |
//! | Read | ask the leader | ask the leader | ask the leader | handle |
//! | Propose, ProposeBatch, ChangeMembership, TransferLeadership | refuse | refuse | refuse | handle |
//!
//! Both tables are [`Raft::step`] and what it calls in this file. What every server has is a
//! `Server`, and what only a role has is the role's. A leader's handlers are methods of [`Leader`],
//! to which the server is lent: nobody can call them without a leader in hand. None of them ends
//! its role. It says what has become of it, and [`Raft`], which holds the role, carries that out.
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

mod accessors;
mod append;
mod change;
mod config;
mod drift;
mod durability;
mod election;
mod entry;
mod essence;
mod facts;
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
mod role;
mod rounds;
mod routine;
mod rules;
mod sentences;
mod server;
mod snapshots;
mod start;
mod terms;
mod types;
mod wire;

pub use crate::bytes::Bytes;
pub use config::{Config, ConfigError};
pub use drift::{DriftWatch, Reading};
pub use entry::{Entries, Entry, Payload, Run};
pub use facts::FactTaker;
pub use image::Image;
pub use io::{
    Committed, Durable, DurableError, HardState, Input, LogWrite, Output, Proposal, ReadMode, Receipt, Refusal,
    Refused, RequestId, Standing, Start, Write,
};
pub use log::Log;
pub use membership::{ChangeError, Configuration, MembershipChange, MembershipLog};
pub(crate) use message::messages;
pub use message::{
    AppendEntries, AppendEntriesResponse, AppendOutcome, Claim, Envelope, InstallSnapshot, InstallSnapshotResponse,
    Message, Piece, PreVote, PreVoteResponse, ReadIndex, ReadIndexResponse, RequestVote, RequestVoteResponse, Sender,
    Snapshot, SnapshotMeta, SnapshotProgress, TimeoutNow, Turn,
};
pub use observation::{
    CampaignReason, LeaseRefusal, Observation, ReadProof, ReadWait, StepDownReason, VoteRefusal, WithheldReason,
};
pub use progress::{CatchUp, Progress, ProgressState, SnapshotTransfer, Window};
pub use quorum::{is_majority, majority_of, reached_by_majority};
pub use role::{Campaign, Leader, Role, Transfer};
pub use rules::{Rule, Rules};
pub use sentences::{Sentence, Weight};
pub use snapshots::SNAPSHOT_SIZE_MAX;
pub use start::StartError;
pub use types::{DiskId, EntryId, LogIndex, ServerId, ServerSet, Term};
#[cfg(feature = "serde")]
pub(crate) use wire::values;

use crate::time::Time;
use server::Server;

/// One server of a Raft cluster. See the [module's essay](self).
#[derive(Clone, Debug)]
pub struct Raft {
    server: Server,
    role: Role,
}

impl Raft {
    /// Takes one thing that happened, at `now` on this server's own clock, and decides everything
    /// that follows from it.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Output) {
        out.clear();
        self.read_clock(now);
        let Raft { server, role } = self;
        match (input, role) {
            (Input::Message { from, ref message }, _) => return self.take_message(from, message, out),
            (Input::Durable(receipt), _) => self.on_durable(receipt, out),
            (Input::TimerDue, role) => {
                server.expire_requests(out);
                match role {
                    Role::Leader(leader) => {
                        let leadership = leader.on_timer(server, out);
                        self.conclude_leadership(leadership, out);
                    }
                    _ => self.on_election_timer(out),
                }
            }
            (Input::Campaign, Role::Leader(_)) => {} // It has what it would campaign for.
            (Input::Campaign, _) => self.campaign(CampaignReason::Asked, out),
            (Input::SnapshotTaken { index, data }, role) => {
                let needed = role.leader().and_then(|leader| leader.needed_by_members(server));
                server.on_snapshot_taken(index, data, needed, out);
            }
            (Input::Read { id, mode }, Role::Leader(leader)) => leader.on_read(server, id, mode, out),
            (Input::Read { id, .. }, _) => server.forward_read(id, out),
            (Input::Propose(proposal), Role::Leader(leader)) => leader.on_propose(server, proposal, out),
            (Input::ProposeBatch(proposals), Role::Leader(leader)) => leader.on_propose_batch(server, proposals, out),
            (Input::ChangeMembership { id, change }, Role::Leader(leader)) => {
                leader.on_change_membership(server, id, change, out);
            }
            (Input::TransferLeadership { id, to }, Role::Leader(leader)) => {
                leader.on_transfer_leadership(server, id, to, out);
            }
            (Input::Propose(Proposal { id, .. }), _)
            | (Input::ChangeMembership { id, .. }, _)
            | (Input::TransferLeadership { id, .. }, _) => server.refuse_request(id, out),
            (Input::ProposeBatch(proposals), _) => {
                proposals.iter().for_each(|proposal| server.refuse_request(proposal.id, out));
            }
        }
        self.server.finish(out);
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
            self.server.finish(out);
        }
    }

    /// When to call [`Raft::step`] with [`Input::TimerDue`] at the latest, on this server's own
    /// clock.
    #[inline]
    pub fn deadline(&self) -> Time {
        let Raft { server, role } = self;
        let role = match role {
            Role::Leader(leader) => leader.deadline().min(server.disk_stall_deadline()),
            _ => server.election_deadline,
        };
        role.min(server.request_deadline())
    }

    #[inline]
    fn read_clock(&mut self, now: Time) {
        if now < self.server.now {
            self.clock_went_back(now);
        }
        self.server.now = now;
    }

    #[cold]
    fn clock_went_back(&mut self, now: Time) {
        let Raft { server, role } = self;
        server.clock_went_back(now);
        if let Role::Leader(leader) = role {
            leader.clock_went_back(now, &server.config);
        }
    }

    fn on_message(&mut self, from: ServerId, message: &Message, out: &mut Output) {
        if let Some(what) = self.implausible(message) {
            out.observe(|| Observation::ImpossibleMessage { from, what });
            return;
        }
        if let Role::Leader(leader) = &mut self.role {
            leader.remind_removed(&self.server, from, message, out);
        }
        if !self.admit(from, message, out) {
            return;
        }
        let Raft { server, role } = self;
        match (message, role) {
            (Message::PreVote(m), _) => self.on_pre_vote(from, m, out),
            (Message::PreVoteResponse(m), Role::PreCandidate(campaign)) => {
                let outcome = campaign.on_pre_vote_response(server, from, m, out);
                self.conclude_campaign(outcome, out);
            }
            (Message::RequestVote(m), _) => self.on_request_vote(from, m, out),
            (Message::RequestVoteResponse(m), Role::Candidate(campaign)) => {
                let outcome = campaign.on_request_vote_response(server, from, m, out);
                self.conclude_campaign(outcome, out);
            }
            (Message::AppendEntries(m), Role::Follower) => server.on_append_entries(from, m, out),
            (Message::InstallSnapshot(m), Role::Follower) => server.on_install_snapshot(from, m, out),
            (Message::AppendEntriesResponse(m), Role::Leader(leader)) => {
                let leadership = leader.on_append_entries_response(server, from, m, out);
                self.conclude_leadership(leadership, out);
            }
            (Message::InstallSnapshotResponse(m), Role::Leader(leader)) => {
                let leadership = leader.on_install_snapshot_response(server, from, m, out);
                self.conclude_leadership(leadership, out);
            }
            (Message::TimeoutNow(_), Role::Follower) => {
                self.campaign(CampaignReason::LeadershipTransfer { leader: from }, out);
            }
            (Message::ReadIndex(m), Role::Leader(leader)) => leader.on_read_index(server, from, m, out),
            (Message::ReadIndex(m), _) => server.refuse_read_index(from, m, out),
            (Message::ReadIndexResponse(m), _) => server.on_read_index_response(from, m, out),
            // Answers that come too late.
            (
                Message::PreVoteResponse(_)
                | Message::RequestVoteResponse(_)
                | Message::AppendEntriesResponse(_)
                | Message::InstallSnapshotResponse(_),
                _,
            ) => {}
            // Whoever hears a leader follows it by now.
            (Message::AppendEntries(_) | Message::InstallSnapshot(_) | Message::TimeoutNow(_), _) => {}
        }
    }
}
