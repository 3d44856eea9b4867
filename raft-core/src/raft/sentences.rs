//! Observations as sentences: the one place where what a server noticed becomes prose, for the
//! page, the command line and the tests alike.

use alloc::format;
use alloc::string::{String, ToString};

use super::io::{Refusal, Standing};
use super::membership::{ChangeError, Configuration};
use super::observation::{
    CampaignReason, LeaseRefusal, Observation, ReadProof, ReadWait, StepDownReason, VoteRefusal, WithheldReason,
};
use super::quorum::Share;
use super::types::{EntryId, LogIndex, ServerId, ServerSet, Term};

/// An observation in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// A whole sentence.
    pub text: String,
    /// How much it matters.
    pub weight: Weight,
    /// Where the rule behind it is written; empty if there is none.
    pub section: &'static str,
}

/// How much a sentence matters to a person who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Routine: only for the list of events.
    Detail,
    /// Worth showing while it is the newest.
    Notable,
    /// Changes the leader, the members, or what can happen.
    Turning,
}

impl Observation {
    /// How much it matters. This makes no text.
    pub fn weight(&self) -> Weight {
        match self {
            Observation::Campaigned { pre_vote: false, .. }
            | Observation::BecameLeader { .. }
            | Observation::MembershipEntered { .. }
            | Observation::MembershipReverted { .. }
            | Observation::TransferBegan { .. }
            | Observation::TransferCompleted { .. }
            | Observation::TransferTimedOut { .. }
            | Observation::Repaired { .. }
            | Observation::Barred { .. }
            | Observation::Admitted { .. } => Weight::Turning,
            Observation::BecameFollower { why, .. } => match why {
                StepDownReason::OtherLeader { .. } => Weight::Notable,
                StepDownReason::HigherTerm { .. }
                | StepDownReason::QuorumLost { .. }
                | StepDownReason::DiskStalled { .. }
                | StepDownReason::Removed => Weight::Turning,
            },
            // Every follower learns of a commit; only the leader's is the cause.
            Observation::Committed { by, .. } if by.is_empty() => Weight::Detail,
            Observation::Committed { .. }
            | Observation::Campaigned { pre_vote: true, .. }
            | Observation::CampaignWithheld { .. }
            | Observation::VoteGranted { pre_vote: false, .. }
            | Observation::VoteRefused { .. }
            | Observation::CampaignLost { .. }
            | Observation::ImpossibleMessage { .. }
            | Observation::Truncated { .. }
            | Observation::AppendRejected { .. }
            | Observation::BackedOff { .. }
            | Observation::CommitWaitsForOwnTerm { .. }
            | Observation::SnapshotSent { .. }
            | Observation::SnapshotInstalled { .. }
            | Observation::Compacted { .. }
            | Observation::TransferHandedOver { .. }
            | Observation::HeirCalled { .. }
            | Observation::RemovedReminded { .. }
            | Observation::RequestRefused { .. }
            | Observation::PeerDamaged { .. }
            | Observation::Admitting { .. } => Weight::Notable,
            Observation::FollowsLeader { .. }
            | Observation::TermAdopted { .. }
            | Observation::VoteGranted { pre_vote: true, .. }
            | Observation::VoteCounted { .. }
            | Observation::StaleMessage { .. }
            | Observation::Appended { .. }
            | Observation::Resent { .. }
            | Observation::SnapshotIgnored { .. }
            | Observation::ReadWaits { .. }
            | Observation::ReadReleased { .. }
            | Observation::LeaseUnavailable { .. } => Weight::Detail,
        }
    }

    /// What `server` noticed, as a sentence.
    pub fn sentence(&self, server: ServerId) -> Sentence {
        let me = server;
        let (section, text) = match *self {
            Observation::Campaigned { term, pre_vote, why } => campaigned(me, term, pre_vote, why),
            Observation::CampaignWithheld { reason } => ("", withheld(me, reason)),
            Observation::BecameLeader { term, votes } => {
                ("Raft §5.2", format!("{me} leads term {term}: it has the votes of {votes}."))
            }
            Observation::BecameFollower { term, why } => stepped_down(me, term, why),
            Observation::FollowsLeader { term, leader } => {
                ("Raft §5.2", format!("{me} follows {leader} in term {term}."))
            }
            Observation::TermAdopted { from, to, by } => {
                ("Raft §5.1", format!("{me} went from term {from} to {to}, for {by} is that far."))
            }
            Observation::VoteGranted { candidate, term, pre_vote: true } => {
                ("dissertation §9.6", format!("{me} would vote for {candidate} in term {term}."))
            }
            Observation::VoteGranted { candidate, term, pre_vote: false } => {
                ("Raft §5.2", format!("{me} votes for {candidate} in term {term}."))
            }
            Observation::VoteRefused { candidate, term, pre_vote, reason } => {
                refused(me, candidate, term, pre_vote, reason)
            }
            Observation::VoteCounted { voter, granted, pre_vote, votes, needed } => {
                let verb = match (granted, pre_vote) {
                    (true, true) => "would vote",
                    (true, false) => "voted",
                    (false, true) => "would not vote",
                    (false, false) => "did not vote",
                };
                let have = votes.len();
                ("Raft §5.2", format!("{voter} {verb} for {me}: {have} of {needed} votes needed."))
            }
            Observation::CampaignLost { term, refusals } => {
                ("Raft §5.2", format!("{me} can’t win in term {term}: {refusals} refused."))
            }
            Observation::StaleMessage { from, theirs, mine, name } => {
                ("Raft §5.1", format!("{me} set aside {from}’s {name} of term {theirs}, for it is in term {mine}."))
            }
            Observation::ImpossibleMessage { from, what } => {
                ("", format!("{me} ignored a message from {from} that no correct server sends: {what}."))
            }
            Observation::Appended { first, last, leader } => appended(me, first, last, leader),
            Observation::Truncated { after, dropped_to, conflict } => (
                "Raft §5.3",
                if after.next() == dropped_to.index {
                    format!("{me} dropped its entry {dropped_to}: the leader’s {conflict} conflicts with it.")
                } else {
                    let first = after.next();
                    format!(
                        "{me} dropped its entries {first} to {dropped_to}: the leader’s {conflict} conflicts with them."
                    )
                },
            ),
            Observation::AppendRejected { leader, previous, mine, hint } => rejected(me, leader, previous, mine, hint),
            Observation::BackedOff { peer, from, to } => {
                ("Raft §5.3", format!("{me} goes back from {from} to {to} in {peer}’s log."))
            }
            Observation::Resent { peer, from } => {
                ("Raft §5.3", format!("{me} sends {peer} everything from {from} again: an append seems lost."))
            }
            Observation::Committed { from, to, by, share, outgoing } => committed(me, from, to, by, [share, outgoing]),
            Observation::CommitWaitsForOwnTerm { held, term } => (
                "Raft §5.4.2",
                format!("{me} can’t commit {held} yet, though a quorum holds it: it is of an older term than {term}."),
            ),
            Observation::SnapshotSent { peer, last, size } => (
                "Raft §7",
                format!(
                    "{me} sends {peer} its snapshot up to {last} ({size} bytes): the entries {peer} lacks are gone."
                ),
            ),
            Observation::SnapshotInstalled { last, kept } => {
                let rest = if kept { "kept what follows it" } else { "replaced its log by it" };
                ("Raft §7", format!("{me} installed a snapshot up to {last} and {rest}."))
            }
            Observation::SnapshotIgnored { last, commit } => {
                ("Raft §7", format!("{me} ignored a snapshot up to {last}: it has committed {commit} already."))
            }
            Observation::Compacted { last } => ("Raft §7", format!("{me} put its log up to {last} into a snapshot.")),
            Observation::MembershipEntered { index, configuration } => {
                let now = describe(&configuration);
                ("Raft §6", format!("{me} goes by the membership at {index} from now on: {now}."))
            }
            Observation::MembershipReverted { configuration } => {
                let now = describe(&configuration);
                ("Raft §6", format!("{me} is back to the membership before: {now}."))
            }
            Observation::ReadWaits { reason, .. } => ("dissertation §6.4", waits(me, reason)),
            Observation::ReadReleased { index, by, .. } => ("dissertation §6.4", released(me, index, by)),
            Observation::LeaseUnavailable { reason } => ("dissertation §6.4.1", no_lease(me, reason)),
            Observation::TransferBegan { to } => {
                ("dissertation §3.10", format!("{me} is handing leadership over to {to}."))
            }
            Observation::TransferHandedOver { to } => {
                ("dissertation §3.10", format!("{to} has the whole log: {me} tells it to campaign."))
            }
            Observation::TransferCompleted { to } => ("dissertation §3.10", format!("{to} leads, as {me} wished.")),
            Observation::HeirCalled { heir } => {
                ("dissertation §4.2.2", format!("{me} is leaving: it tells {heir} to campaign at once."))
            }
            Observation::RemovedReminded { server } => (
                "dissertation §4.2.3",
                format!("{server} was removed and doesn’t know it yet: {me} sends it the log up to there."),
            ),
            Observation::TransferTimedOut { to } => {
                ("dissertation §3.10", format!("{to} didn’t take over in time: {me} leads on."))
            }
            Observation::RequestRefused { reason } => ("", format!("{me} refused a request: {reason}.")),
            Observation::Repaired { lost } => (
                "Protocol-Aware Recovery",
                format!("{me} has back what its disk had lost, up to {lost}: it may campaign again."),
            ),
            Observation::PeerDamaged { peer, last } => (
                "Protocol-Aware Recovery",
                if last == EntryId::ZERO {
                    format!("{me} learned that {peer}’s disk holds no entries: it sends {peer} everything.")
                } else {
                    format!(
                        "{me} learned that {peer}’s disk has lost entries: it counts nothing for {peer} after {last}."
                    )
                },
            ),
            Observation::Barred { index } => (
                "dissertation §3.8",
                format!(
                    "{me} lost its disk, but has a vote by the membership at {index}: it won’t vote until it is removed and added anew."
                ),
            ),
            Observation::Admitted { index } => (
                "dissertation §3.8",
                format!("{me}’s disk is admitted by the entry at {index}: it may vote where a membership counts it."),
            ),
            Observation::Admitting { server } => {
                ("dissertation §3.8", format!("{me} admits the disk that {server} has now."))
            }
        };
        Sentence { text, weight: self.weight(), section }
    }
}

/// Where the rule is written, and the sentence.
type Parts = (&'static str, String);

fn campaigned(me: ServerId, term: Term, pre_vote: bool, why: CampaignReason) -> Parts {
    let cause = match why {
        CampaignReason::ElectionTimeout { silent } => {
            format!("it heard no leader within its election timeout of {}", silent.rounded())
        }
        CampaignReason::PreVoteWon { votes } => format!("{votes} would vote for it"),
        CampaignReason::LeadershipTransfer { leader } => {
            format!("{leader} hands leadership over to it")
        }
        CampaignReason::Asked => "it was told to".to_string(),
    };
    if pre_vote {
        ("dissertation §9.6", format!("{me} asks who would vote for it in term {term}: {cause}."))
    } else {
        ("Raft §5.2", format!("{me} campaigns in term {term}: {cause}."))
    }
}

fn withheld(me: ServerId, reason: WithheldReason) -> String {
    match reason {
        WithheldReason::NotAVoter => format!("{me} doesn’t campaign: it isn’t a voter."),
        WithheldReason::Standing(standing) => {
            format!("{me} doesn’t campaign: {}.", no_standing(standing))
        }
        WithheldReason::Damaged { lost } => {
            format!("{me} doesn’t campaign: its disk has lost entries, and its log isn’t back to {lost} yet.")
        }
        WithheldReason::DiskStalled => format!("{me} doesn’t campaign: its disk has stalled."),
        WithheldReason::NotDurable => {
            format!("{me} doesn’t campaign: its term or its vote is still being written.")
        }
        WithheldReason::Exhausted => format!("{me} doesn’t campaign: there is no further term, or no further index."),
    }
}

fn no_standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Member => "it may vote",
        Standing::Joining => "its disk is new, and it waits to be added",
        Standing::Barred => "it lost its disk, and may have voted before",
    }
}

fn stepped_down(me: ServerId, term: Term, why: StepDownReason) -> Parts {
    match why {
        StepDownReason::HigherTerm { by } => {
            ("Raft §5.1", format!("{me} is a follower again: {by} is in the higher term {term}."))
        }
        StepDownReason::OtherLeader { leader } => {
            ("Raft §5.2", format!("{me} gives up its campaign: {leader} was elected in term {term}."))
        }
        StepDownReason::QuorumLost { heard } => (
            "dissertation §6.2",
            format!(
                "{me} steps down in term {term}: for an election timeout it heard only {heard}, and that is no quorum."
            ),
        ),
        StepDownReason::DiskStalled { stalled } => {
            ("", format!("{me} steps down in term {term}: its disk hasn’t finished a write for {}.", stalled.rounded()))
        }
        StepDownReason::Removed => {
            ("Raft §6", format!("{me} steps down in term {term}: the cluster goes on without it."))
        }
    }
}

fn refused(me: ServerId, candidate: ServerId, term: Term, pre_vote: bool, reason: VoteRefusal) -> Parts {
    let would = if pre_vote { "would refuse" } else { "refused" };
    let (section, cause) = match reason {
        VoteRefusal::StaleTerm { mine } => ("Raft §5.1", format!("{me} is in term {mine} already")),
        VoteRefusal::AlreadyVoted { other } if other == me => ("Raft §5.2", "it has voted for itself".to_string()),
        VoteRefusal::AlreadyVoted { other } => ("Raft §5.2", format!("it has voted for {other}")),
        VoteRefusal::LogBehind { mine, theirs } => (
            "Raft §5.4.1",
            if theirs == EntryId::ZERO {
                format!("{candidate}’s log is empty, {me}’s own ends with {mine}")
            } else {
                format!("{candidate}’s last entry is {theirs}, older than {me}’s own {mine}")
            },
        ),
        VoteRefusal::HearsLeader { leader: Some(leader), .. } if leader == me => {
            ("dissertation §4.2.3", format!("{me} leads itself"))
        }
        VoteRefusal::HearsLeader { leader: Some(leader), .. } => {
            ("dissertation §4.2.3", format!("it heard {leader}, its leader, a moment ago"))
        }
        VoteRefusal::HearsLeader { leader: None, .. } => {
            ("dissertation §4.2.3", "it may have promised its patience to a leader just now".to_string())
        }
        VoteRefusal::NoStanding(standing) => ("dissertation §3.8", no_standing(standing).to_string()),
    };
    let text = if candidate == me {
        format!("{me} doesn’t vote for itself in term {term}: {cause}.")
    } else {
        format!("{me} {would} {candidate} its vote in term {term}: {cause}.")
    };
    (section, text)
}

fn appended(me: ServerId, first: LogIndex, to: EntryId, leader: ServerId) -> Parts {
    let what = if first == to.index { to.to_string() } else { format!("{first} to {to}") };
    let text = if leader == me {
        format!("{me} appended {what} to its own log.")
    } else {
        format!("{me} appended {what} from {leader}.")
    };
    ("Raft §5.3", text)
}

fn rejected(me: ServerId, leader: ServerId, previous: EntryId, mine: Option<Term>, hint: EntryId) -> Parts {
    let cause = match mine {
        Some(term) => format!("it has term {term} there"),
        None => "its log is shorter".to_string(),
    };
    let look = if hint == EntryId::ZERO { "the beginning".to_string() } else { hint.to_string() };
    ("Raft §5.3", format!("{me} rejected {leader}’s append after {previous}: {cause}. It proposes {look}."))
}

fn committed(me: ServerId, from: LogIndex, to: LogIndex, by: ServerSet, [share, outgoing]: [Share; 2]) -> Parts {
    let (what, is) = if from.next() == to {
        (format!("Entry {to}"), "is")
    } else {
        (format!("Entries {} to {to}", from.next()), "are")
    };
    if by.is_empty() {
        let what = what.replacen('E', "e", 1);
        ("Raft §5.3", format!("{me} learned that {what} {is} committed."))
    } else {
        let it = if is == "is" { "it" } else { "them" };
        let hold = if by.len() == 1 { "holds" } else { "hold" };
        // In a joint membership, each of both sets needs its own majority (Raft §6).
        let joint = if outgoing.voters > 0 { format!("; of the outgoing voters {outgoing}") } else { String::new() };
        ("Raft §5.3", format!("{what} {is} committed: {by} {hold} {it} on disk ({share}{joint})."))
    }
}

fn describe(configuration: &Configuration) -> String {
    let mut text = if configuration.is_joint() {
        format!("voters {} together with {}", configuration.outgoing, configuration.voters)
    } else {
        format!("voters {}", configuration.voters)
    };
    if !configuration.learners.is_empty() {
        text += &format!(", learners {}", configuration.learners);
    }
    text
}

fn waits(me: ServerId, reason: ReadWait) -> String {
    match reason {
        ReadWait::OwnCommit { entry } => {
            format!("A read at {me} waits until entry {entry}, the first of its own term, is committed.")
        }
        ReadWait::Round { round } => {
            format!("A read at {me} waits for a quorum to answer heartbeat round {round}.")
        }
        ReadWait::Leader { leader } => {
            format!("A read at {me} waits for {leader} to say up to where to apply.")
        }
        ReadWait::Apply { index } => format!("A read at {me} waits until entry {index} is applied."),
    }
}

fn released(me: ServerId, index: LogIndex, by: ReadProof) -> String {
    let proof = match by {
        ReadProof::Round(round) => format!("a quorum answered heartbeat round {round}"),
        ReadProof::Lease(until) => format!("its lease holds until {until} by its clock"),
        ReadProof::Alone => "it is a quorum by itself".to_string(),
        ReadProof::Leader(leader) => format!("{leader} said so"),
        ReadProof::Nothing => "nobody checked".to_string(),
    };
    format!("{me} may answer a read at {index}: {proof}.")
}

fn no_lease(me: ServerId, reason: LeaseRefusal) -> String {
    let cause = match reason {
        LeaseRefusal::Expired { at } => format!("it ran out at {at} by its clock"),
        LeaseRefusal::Transferring => "leadership is being handed over".to_string(),
        LeaseRefusal::NoCheckQuorum => "leaders don’t check for a quorum".to_string(),
        LeaseRefusal::ClockDrift => "the clocks may drift too far apart".to_string(),
        LeaseRefusal::ClockJumped => "its clock went back, and no quorum has answered since".to_string(),
    };
    format!("{me} has no lease to read under: {cause}.")
}

/// For the end of a sentence: `S3 doesn't lead; S1 does`.
impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Refusal::NotLeader { leader: Some(leader) } => write!(f, "this server doesn’t lead, {leader} does"),
            Refusal::NotLeader { leader: None } => f.write_str("this server doesn’t lead, and knows nobody who does"),
            Refusal::LeadershipLost => f.write_str("leadership was lost before the request was decided"),
            Refusal::Transferring { to } => write!(f, "leadership is being handed over to {to}"),
            Refusal::TooMuchUncommitted { waiting, limit } => {
                write!(f, "{waiting} bytes wait to be committed already, and the limit is {limit}")
            }
            Refusal::NoOwnCommitYet => f.write_str("the leader hasn’t committed an entry of its own term yet"),
            Refusal::ChangeInProgress { index } => {
                write!(f, "the membership change at {index} isn’t finished")
            }
            Refusal::Senseless(error) => error.fmt(f),
            Refusal::NotAdmitted { server } => {
                write!(f, "{server} may not vote yet: its disk has not been admitted, try again in a moment")
            }
            Refusal::SnapshotTooLarge { size, limit } => {
                write!(f, "the snapshot has {size} bytes, and no member takes more than {limit}")
            }
            Refusal::LearnerBehind { server, matched, last } => {
                write!(f, "learner {server} has {matched} of {last} entries: let it catch up first")
            }
            Refusal::CannotLead { server } => {
                write!(f, "{server} can’t take over: it must be another voter")
            }
            Refusal::TransferTimedOut { to } => write!(f, "{to} didn’t take over in time"),
            Refusal::ReadTimedOut => f.write_str("the leader didn’t say in time where to read"),
            Refusal::LogFull => f.write_str("the log has reached the last index there is"),
            Refusal::SnapshotUseless => f.write_str("the snapshot covers nothing new, or what isn’t applied"),
        }
    }
}

impl core::fmt::Display for ChangeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            ChangeError::NoVoters => f.write_str("the membership asked for has no voters"),
            ChangeError::VoterAndLearner(server) => {
                write!(f, "{server} can’t be a voter and a learner at once")
            }
            ChangeError::Unchanged => f.write_str("the membership asked for is the one there is"),
            ChangeError::NotALearnerYet(server) => {
                write!(f, "{server} must be a learner before it votes: add it as one and let it catch up")
            }
        }
    }
}
