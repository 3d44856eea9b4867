//! What a server noticed, and why. These are data; `sentences` makes prose of them.

use super::io::{Refusal, RequestId, Standing};
use super::membership::Configuration;
use super::quorum::Share;
use super::types::{EntryId, LogIndex, ServerId, ServerSet, Term};
use crate::time::{Duration, Time};

/// One thing that a server decided or noticed, with the facts it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Observation {
    /// It began to campaign; with `pre_vote` it only asks so far.
    Campaigned {
        /// The term it campaigns for.
        term: Term,
        /// Whether this is only the question before the campaign.
        pre_vote: bool,
        /// Why now.
        why: CampaignReason,
    },
    /// Its election timeout passed, but it may not campaign.
    CampaignWithheld {
        /// Why not.
        reason: WithheldReason,
    },
    /// It won.
    BecameLeader {
        /// Its term.
        term: Term,
        /// The servers that voted for it.
        votes: ServerSet,
    },
    /// It follows now, after another role.
    BecameFollower {
        /// Its term.
        term: Term,
        /// Why.
        why: StepDownReason,
    },
    /// It follows this leader from now on.
    FollowsLeader {
        /// The term.
        term: Term,
        /// The leader.
        leader: ServerId,
    },
    /// It learned of a higher term.
    TermAdopted {
        /// Its term before.
        from: Term,
        /// Its term now.
        to: Term,
        /// The server that told it.
        by: ServerId,
    },
    /// It granted its vote.
    VoteGranted {
        /// The candidate.
        candidate: ServerId,
        /// For which term.
        term: Term,
        /// Whether it was only asked whether it would vote so.
        pre_vote: bool,
    },
    /// It refused its vote.
    VoteRefused {
        /// The candidate.
        candidate: ServerId,
        /// For which term.
        term: Term,
        /// Whether it was only asked whether it would vote so.
        pre_vote: bool,
        /// Why.
        reason: VoteRefusal,
    },
    /// A candidate counted an answer.
    VoteCounted {
        /// The voter.
        voter: ServerId,
        /// Whether it was a yes.
        granted: bool,
        /// Whether this is only the question before the campaign.
        pre_vote: bool,
        /// The votes it has.
        votes: ServerSet,
        /// Votes that make a majority (of the incoming voters).
        needed: usize,
    },
    /// A campaign can't be won any more.
    CampaignLost {
        /// Its term; for a question before a campaign, the term that was asked about.
        term: Term,
        /// The servers that refused.
        refusals: ServerSet,
    },
    /// A message of an older term was set aside.
    StaleMessage {
        /// The sender.
        from: ServerId,
        /// Its term.
        theirs: Term,
        /// The server's own.
        mine: Term,
        /// The message's name.
        name: &'static str,
    },
    /// A message that no correct peer sends was ignored.
    ImpossibleMessage {
        /// The sender.
        from: ServerId,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It took entries into its log.
    Appended {
        /// Index of the first.
        first: LogIndex,
        /// The last.
        last: EntryId,
        /// The leader that sent them; a leader appends its own.
        leader: ServerId,
    },
    /// It dropped entries that conflict with the leader's.
    Truncated {
        /// The index of the last entry that it kept.
        after: LogIndex,
        /// Its last entry before.
        dropped_to: EntryId,
        /// The leader's first entry that conflicts.
        conflict: EntryId,
    },
    /// It rejected an append, because its log lacks the entry before.
    AppendRejected {
        /// The leader that sent it.
        leader: ServerId,
        /// The entry the append builds on.
        previous: EntryId,
        /// The term it has there instead, if any.
        mine: Option<Term>,
        /// The entry from which the leader should try next.
        hint: EntryId,
    },
    /// A leader went back in a member's log.
    BackedOff {
        /// The member.
        peer: ServerId,
        /// The next index before.
        from: LogIndex,
        /// The next index now.
        to: LogIndex,
    },
    /// A leader found that an append was lost, and sends it again.
    Resent {
        /// The member.
        peer: ServerId,
        /// The first index that is sent again.
        from: LogIndex,
    },
    /// The commit index rose.
    Committed {
        /// Before.
        from: LogIndex,
        /// Now.
        to: LogIndex,
        /// The voters that hold it, as far as the leader knows; empty on a follower, which only
        /// learns of it.
        by: ServerSet,
        /// How many of the voters these are.
        share: Share,
        /// In a joint membership, how many of the outgoing voters these are, too.
        outgoing: Share,
    },
    /// The commit index could not rise although a quorum holds more entries: they are of older
    /// terms (Raft §5.4.2).
    CommitWaitsForOwnTerm {
        /// A quorum holds the log up to here.
        held: EntryId,
        /// The leader's term.
        term: Term,
    },
    /// A member lacks entries that are gone from the log: the leader sends it a snapshot.
    SnapshotSent {
        /// The member.
        peer: ServerId,
        /// What the snapshot covers.
        last: EntryId,
        /// Its size in bytes.
        size: u64,
    },
    /// It replaced its state by a leader's snapshot.
    SnapshotInstalled {
        /// What it covers.
        last: EntryId,
        /// Whether entries after it were kept.
        kept: bool,
    },
    /// It ignored a snapshot that covers nothing new.
    SnapshotIgnored {
        /// What it covers.
        last: EntryId,
        /// The server's own commit index.
        commit: LogIndex,
    },
    /// It dropped the first part of its log, which a snapshot covers.
    Compacted {
        /// What the snapshot covers.
        last: EntryId,
    },
    /// A membership is in force from now on.
    MembershipEntered {
        /// The entry that brought it.
        index: LogIndex,
        /// The membership.
        configuration: Configuration,
    },
    /// A membership was truncated away; the one before is in force again.
    MembershipReverted {
        /// The membership in force now.
        configuration: Configuration,
    },
    /// A read must wait.
    ReadWaits {
        /// The read.
        id: RequestId,
        /// What it waits for.
        reason: ReadWait,
    },
    /// A read can be answered.
    ReadReleased {
        /// The read.
        id: RequestId,
        /// The index at which it is answered.
        index: LogIndex,
        /// How leadership was confirmed.
        by: ReadProof,
    },
    /// A lease read isn't possible, and is confirmed by heartbeats instead.
    LeaseUnavailable {
        /// Why.
        reason: LeaseRefusal,
    },
    /// A leadership transfer began.
    TransferBegan {
        /// The successor.
        to: ServerId,
    },
    /// The successor was told to campaign.
    TransferHandedOver {
        /// The successor.
        to: ServerId,
    },
    /// The successor has been heard to lead.
    TransferCompleted {
        /// The successor.
        to: ServerId,
    },
    /// A leader that isn't in the membership it has committed told a voter to campaign at once.
    HeirCalled {
        /// The voter that has most of its log.
        heir: ServerId,
    },
    /// A server that was removed without learning of it asked for votes: it gets the log until it
    /// knows.
    RemovedReminded {
        /// The server.
        server: ServerId,
    },
    /// The successor didn't take over in time.
    TransferTimedOut {
        /// The successor that was chosen.
        to: ServerId,
    },
    /// A request was refused.
    RequestRefused {
        /// Why.
        reason: Refusal,
    },
    /// The log is as up to date again as it was before the disk was damaged.
    Repaired {
        /// How the log ended before.
        lost: EntryId,
    },
    /// A leader learned that a member's disk has lost entries that it had acknowledged.
    PeerDamaged {
        /// The member.
        peer: ServerId,
        /// The last entry the member has.
        last: EntryId,
    },
    /// The server lost its disk under a name that already has a vote: it doesn't vote before its
    /// name has left the voters and its disk has been admitted.
    Barred {
        /// The index of the entry that shows it: a membership that names it a voter, or another
        /// disk's admission.
        index: LogIndex,
    },
    /// The server's disk has been admitted: it may vote if a membership counts it.
    Admitted {
        /// The index of the entry that admits it.
        index: LogIndex,
    },
    /// A leader admits the disk of a learner.
    Admitting {
        /// The learner.
        server: ServerId,
    },
}

macro_rules! name_observations {
    ($($what:ident $name:literal;)+) => {
        impl Observation {
            /// The names of all of them.
            pub const NAMES: &[&str] = &[$($name),+];

            /// Its name in files: the variant's name in lower case.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Observation::$what { .. } => $name,)+
                }
            }
        }
    };
}
name_observations! {
    Campaigned "campaigned";
    CampaignWithheld "campaign-withheld";
    BecameLeader "became-leader";
    BecameFollower "became-follower";
    FollowsLeader "follows-leader";
    TermAdopted "term-adopted";
    VoteGranted "vote-granted";
    VoteRefused "vote-refused";
    VoteCounted "vote-counted";
    CampaignLost "campaign-lost";
    StaleMessage "stale-message";
    ImpossibleMessage "impossible-message";
    Appended "appended";
    Truncated "truncated";
    AppendRejected "append-rejected";
    BackedOff "backed-off";
    Resent "resent";
    Committed "committed";
    CommitWaitsForOwnTerm "commit-waits-for-own-term";
    SnapshotSent "snapshot-sent";
    SnapshotInstalled "snapshot-installed";
    SnapshotIgnored "snapshot-ignored";
    Compacted "compacted";
    MembershipEntered "membership-entered";
    MembershipReverted "membership-reverted";
    ReadWaits "read-waits";
    ReadReleased "read-released";
    LeaseUnavailable "lease-unavailable";
    TransferBegan "transfer-began";
    TransferHandedOver "transfer-handed-over";
    TransferCompleted "transfer-completed";
    HeirCalled "heir-called";
    RemovedReminded "removed-reminded";
    TransferTimedOut "transfer-timed-out";
    RequestRefused "request-refused";
    Repaired "repaired";
    PeerDamaged "peer-damaged";
    Barred "barred";
    Admitted "admitted";
    Admitting "admitting";
}

/// Why a server campaigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CampaignReason {
    /// It heard no leader for an election timeout (Raft §5.2).
    ElectionTimeout {
        /// How long.
        silent: Duration,
    },
    /// A quorum would vote for it.
    PreVoteWon {
        /// The servers that would.
        votes: ServerSet,
    },
    /// The leader asked it to.
    LeadershipTransfer {
        /// The leader.
        leader: ServerId,
    },
    /// A caller told it to ([`Input::Campaign`](super::Input::Campaign)).
    Asked,
}

/// Why a server doesn't campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WithheldReason {
    /// It isn't a voter.
    NotAVoter,
    /// It lost its disk, or waits to be admitted.
    Standing(Standing),
    /// Its disk hasn't finished a write for too long.
    DiskStalled,
    /// Its term or its vote is still being written.
    NotDurable,
    /// Its disk has lost entries, and it doesn't have all of them back yet.
    Damaged {
        /// How its log ended before.
        lost: EntryId,
    },
    /// Its term is [`Term::MAX`], or its log has reached [`LogIndex::MAX`], except for a few
    /// indexes: there is no further one.
    Exhausted,
}

/// Why a server stopped leading or campaigning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepDownReason {
    /// A higher term (Raft §5.1).
    HigherTerm {
        /// The server that told it.
        by: ServerId,
    },
    /// Another won the election of its term.
    OtherLeader {
        /// The winner.
        leader: ServerId,
    },
    /// It heard no quorum for an election timeout (dissertation §6.2).
    QuorumLost {
        /// The servers that it heard, itself included.
        heard: ServerSet,
    },
    /// Its disk hasn't finished a write for too long.
    DiskStalled {
        /// How long.
        stalled: Duration,
    },
    /// It isn't a voter any more (Raft §6).
    Removed,
}

/// Why a vote was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VoteRefusal {
    /// The candidate's term is older.
    StaleTerm {
        /// The server's own term.
        mine: Term,
    },
    /// The vote of that term is given already.
    AlreadyVoted {
        /// The candidate that has it.
        other: ServerId,
    },
    /// The candidate's log is behind (Raft §5.4.1).
    LogBehind {
        /// The server's own last entry.
        mine: EntryId,
        /// The candidate's.
        theirs: EntryId,
    },
    /// It hears a leader, or restarted so recently that it may have heard one before (dissertation
    /// §4.2.3).
    HearsLeader {
        /// The leader, if it knows one.
        leader: Option<ServerId>,
        /// Until when it ignores campaigns, by its own clock.
        until: Time,
    },
    /// It may not vote: it lost its disk, or waits to be admitted.
    NoStanding(Standing),
}

/// What a read waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadWait {
    /// The leader's first commit in its own term (Raft §8).
    OwnCommit {
        /// The entry that must be committed.
        entry: LogIndex,
    },
    /// A round of heartbeats (dissertation §6.4).
    Round {
        /// The round.
        round: u64,
    },
    /// The leader's answer.
    Leader {
        /// The leader.
        leader: ServerId,
    },
    /// The state machine, which must catch up.
    Apply {
        /// The index that must be applied.
        index: LogIndex,
    },
}

/// How a leader knew that it still led.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadProof {
    /// A quorum answered this round.
    Round(u64),
    /// The lease holds until this time, by the leader's clock.
    Lease(Time),
    /// It is a quorum by itself.
    Alone,
    /// The leader answered for it.
    Leader(ServerId),
    /// Nothing: the rule is switched off.
    Nothing,
}

/// Why there is no lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseRefusal {
    /// It ran out.
    Expired {
        /// The time when it ran out.
        at: Time,
    },
    /// It was given up for a transfer.
    Transferring,
    /// Leases need check-quorum.
    NoCheckQuorum,
    /// The clocks may drift too much.
    ClockDrift,
    /// The leader's own clock went backwards since the heartbeats were sent.
    ClockJumped,
}
