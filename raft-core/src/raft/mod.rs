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
//! random election timeout becomes a *pre-candidate* and asks the others whether they would vote
//! for it. If a quorum would, it raises its term, becomes a *candidate* and asks for votes. A voter
//! gives one vote a term, writes it to its disk before it sends it, and refuses a candidate whose
//! log is behind its own (Raft §5.4.1). A candidate with the votes of a quorum leads. A server that
//! sees a higher term adopts it and follows. A server ignores campaigns while it hears a leader,
//! and also just after a restart, because it may have promised to. A leader that hears no quorum
//! steps down. Votes take as long as disks do. So a server doesn't campaign while its own term or
//! vote is being written. And if a campaign ran out of time, or was lost without a pre-vote, the
//! candidate gives the next one more time.
//!
//! # The log (`append`, `replicate`)
//! Only the leader appends, and it never removes anything from its own log. Each append names the
//! entry before it. A follower that lacks that entry rejects the append and says where to look, so
//! that the leader skips a whole term of disagreement at a time. A follower drops entries only
//! where they conflict. The leader keeps a [`Progress`] for each member: it probes for the point up
//! to which the logs agree, then streams entries within a window, or sends a snapshot when the
//! entries are gone.
//!
//! # Commitment
//! An entry of the leader's own term is committed when a quorum has it on disk; everything before
//! it is committed with it (Raft §5.4.2). The leader counts itself only once its own disk has the
//! entry, though it replicates before that (dissertation §10.2.1). Followers learn the commit index
//! with the next append or heartbeat.
//!
//! # Disks (`durability`)
//! A write that has become durable is an *input*. A message that promises something is held back
//! here until the write that it depends on is durable. Everything in [`Output::messages`] can be
//! sent at once, so a driver can't get the order wrong. A candidate's own vote counts once it is
//! durable, like any other vote. A leader whose disk has stalled steps down.
//!
//! Entries that a follower has received, but doesn't have on its disk yet, don't count for a
//! commit. They aren't sent to it again, either: an acknowledgement says both how much was received
//! and how much is durable.
//!
//! A damaged record is never taken for a missing one. A server whose disk has lost entries
//! remembers how its log ended ([`HardState::lost`]), votes as if it still had them, doesn't
//! campaign, and tells its leader. The leader then counts only on what that server holds. Once its
//! log has grown back to where it ended, the server is as before. A follower may also have lost
//! entries without knowing it: its disk lied, or an old disk was put back. The leader notices that
//! by what the follower rejects, and sends the entries again.
//!
//! A disk has an identity of its own ([`DiskId`]). A server that lost everything comes back with
//! another disk. It doesn't vote ([`Standing`]) until a leader has *admitted* that disk by an entry
//! of the log, and that entry is committed. Only a learner's disk is admitted: while the server's
//! name is a voter's, promises of the old disk may still be on their way. So a lost disk is
//! replaced by taking the name out of the voters and adding it again, or adding another name;
//! whether the server founded the cluster or joined later makes no difference. Until then,
//! acknowledgements of the new disk commit nothing, and the rounds that it answers confirm no read
//! and give no lease: on the old disk, the server may have promised itself to a later leader.
//!
//! # Snapshots (`snapshots`)
//! When the log has outgrown its bound, the owner of the state machine is asked for a snapshot, and
//! the log before the snapshot is dropped. A member so far behind that its next entries are gone
//! gets the snapshot in pieces; the more it has confirmed, the more pieces are sent at a time. As
//! far as memory allows, a leader keeps the part of the log that answering members need, so that
//! none of them is sent one snapshot after another.
//!
//! # Membership and transfer (`change`)
//! A membership is in force as soon as it is appended. Voters change through joint consensus, and
//! the leader ends the joint membership by itself. A new voter must be a learner that keeps up
//! (dissertation §4.2.1) and whose disk is admitted. A leader that isn't in the new membership
//! steps down once that membership is committed, and tells the voter that has most of its log to
//! campaign at once. Servers that leave are sent the log until they have the membership without
//! them. A server that was cut off meanwhile is sent it when it comes back and asks for votes.
//! Leadership can be handed to a chosen voter, which campaigns at once; the request is answered
//! when that voter is heard to lead.
//!
//! It can happen that a learner has the best log of all, from a leader that crashed, while another
//! server goes by a membership that only it has and that needs the learner's vote. The learner
//! refuses the vote, because the other server's log is behind its own. But if it hears no leader
//! when it is asked, it campaigns itself, by the membership that it knows. It counts no vote of its
//! own. It leads until an entry of its term is committed, and then steps down like a leader that
//! was removed.
//!
//! # Reads (`reads`)
//! A read is answered at the commit index of its arrival, once the leader has committed an entry of
//! its own term and a quorum has answered a heartbeat round that began after the read arrived. Or
//! it is answered under a lease. A lease runs from the *start* of an acknowledged round, for as
//! long as the servers that answered said that they ignore campaigns. A follower asks its leader
//! for the index. Every read ends, with an answer or a refusal.
//!
//! # Roles and messages
//! This table shows which role handles which message; all others are ignored. A learner is a
//! follower that no quorum counts.
//!
//! | message | follower | pre-candidate | candidate | leader |
//! | --- | --- | --- | --- | --- |
//! | PreVote, RequestVote | answer | answer | answer | answer |
//! | PreVoteResponse | – | count | – | – |
//! | RequestVoteResponse | – | – | count | – |
//! | AppendEntries | follow, handle | follow, handle | follow, handle | impossible |
//! | InstallSnapshot | follow, handle | follow, handle | follow, handle | impossible |
//! | their responses | – | – | – | handle |
//! | TimeoutNow | campaign | – | – | – |
//! | ReadIndex | refuse | refuse | refuse | handle |
//! | ReadIndexResponse | handle | handle | handle | handle |
//!
//! And the inputs that aren't messages:
//!
//! | input | follower | pre-candidate | candidate | leader |
//! | --- | --- | --- | --- | --- |
//! | Durable, SnapshotTaken | handle | handle | handle | handle |
//! | TimerDue, if no leader was heard | campaign | campaign | campaign | heartbeat |
//! | Campaign | campaign | campaign | campaign | – |
//! | Read | ask the leader | ask the leader | ask the leader | handle |
//! | Propose, ProposeBatch | refuse | refuse | refuse | handle |
//! | ChangeMembership, TransferLeadership | refuse | refuse | refuse | handle |
//!
//! Both tables are [`Raft::step`] and what it calls in this file. The state that every server has
//! is a `Server`; the state that only one role has belongs to that role. A leader's handlers are
//! methods of [`Leader`] that borrow the server, so they can't be called without a leader in hand.
//! No handler ends its role. It returns what has become of the role, and [`Raft`], which holds the
//! role, carries that out.
//!
//! Most messages are an empty append to a follower that has everything, or its answer, which is no
//! news. Both are recognized at once as *routine* (`routine`), and nothing else is looked at.
//!
//! # Caveats
//! * Raft tolerates crashes, not lies: a message that no correct server would send is ignored where
//!   that can be seen, and believed where it can't. `guards` has the bounds: no message makes a
//!   server panic, spoils its disk, or uses up the terms at once.
//! * Raft can't elect a leader when the only server with links to a quorum lacks an entry that the
//!   others have, and the servers that have it reach no quorum (the *constrained election* of
//!   OmniPaxos): no vote may be given, and none is.
//! * A disk that has lost entries can stop a cluster. Its server doesn't know that they were never
//!   committed, and refuses every candidate whose log ends before them. If no other server has
//!   these entries, and one of the memberships that servers go by has no majority without that
//!   server, no leader is elected that could correct it. To replace the disk doesn't help then,
//!   because a server that has lost everything doesn't vote either.
//! * Where disks take longer for a write than an election timeout, elections take long: a campaign
//!   is a write, and a server that is writing one term can't vote in the next. Four servers, one of
//!   them down, with disks that take half a second and without pre-votes, elect a leader in eight
//!   seconds on average, and in twenty at worst. Pre-votes make that shorter.
//! * A clock that was set back is noticed at the next step, if it shows less than at the last one.
//!   A driver that is told of such a change must step at once ([`Input::TimerDue`]); a driver that
//!   can't be told must read a clock that is never set. Otherwise a lease is believed once more
//!   when the clock reaches its old time again.
//! * Lease reads are safe only while clocks drift no more than the configured bound. A leader that
//!   sees the clocks of a quorum drift more confirms its reads instead. But it needs some time to
//!   see that, and a clock that stops is beyond the bound from the first moment.
//! * Two disks with the same number look like one disk to the other servers: a server that loses
//!   its disk and comes back with the number of the old one could vote twice. So a server that
//!   starts on an empty disk must be given a number that it never had. And once a disk's name has
//!   been given to another disk, the first one must not be put back: it learns of that from the
//!   log, but not from a snapshot.
//! * A voter that lost its disk still counts in the size of the majority, but doesn't vote, until
//!   it has been taken out of the voters. That takes a majority of servers that do vote.
//! * Leases hold while servers are configured differently. But a server that restarts with a
//!   shorter election timeout forgets the longer patience that it promised. Let the longer timeout
//!   pass before it starts again, or read without leases meanwhile.
//! * The leader doesn't reach a removed server if none of the servers it knows of is still a
//!   member, or if its term has run ahead while pre-votes are off. Such a server never learns that
//!   it was removed. It doesn't disturb servers that check quorums and hear a leader. With
//!   pre-votes off, and with less patience than the others, it can raise the terms through servers
//!   that hear no leader, for as long as it runs.
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
pub use entry::{Entries, Entry, EntryRun, Payload};
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
pub use quorum::{Share, is_majority, majority_of, reached_by_majority};
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
            (Input::Campaign, Role::Leader(_)) => {} // It leads already.
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

    /// The same as [`Raft::step`] with an [`Input::Message`], but it only borrows the message.
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

    /// The latest time, on this server's own clock, to call [`Raft::step`] with
    /// [`Input::TimerDue`].
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
            // A candidate or pre-candidate that hears a leader is its follower by now.
            (Message::AppendEntries(_) | Message::InstallSnapshot(_) | Message::TimeoutNow(_), _) => {}
        }
    }
}
