//! What each guarantee says, for people, and where it comes from.

use super::{Guarantee, Property};

impl Guarantee {
    /// What it says, in a sentence.
    pub const fn says(self) -> &'static str {
        match self {
            Guarantee::Linearizability => {
                "What clients saw is what one store might have shown them, one after the other."
            }
            Guarantee::Liveness => "When a storm is over for a quorum, it elects a leader, and answers again.",
            Guarantee::Property(property) => property.says(),
        }
    }

    /// Where that is said first: a section of the paper or of the dissertation; empty where nobody
    /// else says it.
    pub const fn source(self) -> &'static str {
        match self {
            Guarantee::Linearizability => "Raft §8",
            Guarantee::Liveness => "Raft §5.6",
            Guarantee::Property(property) => property.source(),
        }
    }
}

impl Property {
    const fn says(self) -> &'static str {
        match self {
            Property::ElectionSafety => "At most one server leads a term, over the whole run.",
            Property::LeaderAppendOnly => "A leader never drops or changes an entry of its own log.",
            Property::LogMatching => "Logs that hold an entry with the same index and term are equal up to it.",
            Property::LeaderCompleteness => "A new leader has everything that was committed in earlier terms.",
            Property::StateMachineSafety => "No two servers apply different entries at the same index.",
            Property::MonotonicState => "Term, commit index and last applied never go back while a server runs.",
            Property::OneVoteATerm => "A server’s vote changes only with its term, across restarts too.",
            Property::DurablePromise => "A vote or an acknowledgement that is sent is on its sender’s disk.",
            Property::DurableCommit => "What is committed is on the disks of a quorum.",
            Property::ExactlyOnce => "A write takes effect once, however often its client tries it.",
            Property::LawfulMembership => "Majorities of a membership and of the next one have a server in common.",
            Property::FreshReads => "A read shows everything that was committed when it was asked for.",
            Property::VerifiedCommit => "A follower commits only what it has compared with its leader’s log.",
            Property::EveryRequestEnds => "A server answers or refuses every request within a bounded time.",
            Property::OrderlyElections => {
                "No server campaigns or votes too soon, or leads without a quorum for too long."
            }
            Property::Economy => "Servers send not many more messages and bytes than the load calls for.",
            Property::StateMachineContract => {
                "A state machine keeps to what is asked of one: equal entries, equal states."
            }
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Property::ElectionSafety
            | Property::LeaderAppendOnly
            | Property::LogMatching
            | Property::LeaderCompleteness
            | Property::StateMachineSafety => "Raft Figure 3",
            Property::MonotonicState | Property::DurablePromise | Property::VerifiedCommit => "Raft Figure 2",
            Property::OneVoteATerm => "Raft §5.2",
            Property::DurableCommit => "Raft §5.3",
            Property::ExactlyOnce | Property::FreshReads | Property::EveryRequestEnds => "Raft §8",
            Property::LawfulMembership => "Raft §6",
            Property::OrderlyElections => "dissertation §4.2.3, §6.2, §9.6",
            Property::Economy => "dissertation §10",
            Property::StateMachineContract => "",
        }
    }
}
