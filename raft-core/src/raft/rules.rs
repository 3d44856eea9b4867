//! The rules Raft's safety rests on, each a switch: what it prevents, and where the paper says so.
//!
//! All are on by default. Switching one off shows why it exists, and proves that the checkers can
//! see what happens without it. With the crate's feature `switchable-rules` off, [`Rules::on`] is
//! the constant `true` and nothing of this is left in the compiled core.

/// A rule that can be switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Rule {
    /// A voter refuses a candidate whose log is behind its own.
    CompareLogsBeforeVoting,
    /// A voter gives one vote a term.
    VoteOncePerTerm,
    /// A vote is on the disk before the candidate hears of it.
    PersistBeforeVoting,
    /// A leader needs the votes of a majority.
    WinByMajority,
    /// A server that sees a higher term adopts it and follows.
    StepDownOnHigherTerm,
    /// A message of an older term is refused.
    RefuseStaleTerms,
    /// Entries are on the disk before they are acknowledged.
    PersistBeforeAcknowledging,
    /// The leader counts itself only for entries on its own disk.
    PersistBeforeCounting,
    /// A finished write vouches only for what hasn't been overwritten since: the index alone tells
    /// nothing.
    MatchWritesByTerm,
    /// An append builds only on an entry that both sides have.
    CheckPreviousEntry,
    /// Entries are dropped only where they conflict.
    TruncateOnlyOnConflict,
    /// A follower commits no further than what the append has verified.
    CommitOnlyVerified,
    /// An entry is committed when a majority holds it.
    CommitByMajority,
    /// Only entries of the leader's own term are committed by counting.
    CommitOnlyOwnTerm,
    /// A snapshot older than the commit index is ignored.
    IgnoreOldSnapshots,
    /// Voters change through a joint configuration.
    ChangeThroughJoint,
    /// One membership change at a time.
    OneChangeAtATime,
    /// A new leader commits an entry of its own term before it changes the membership.
    OwnCommitBeforeChange,
    /// A membership is in force when appended, and the one before when that is truncated.
    MembershipFollowsLog,
    /// A server that lost its disk doesn't vote under its old name.
    BarAmnesiacVoters,
    /// A leader confirms that it still leads before it answers a read.
    ConfirmBeforeReading,
    /// A new leader commits an entry of its own term before it answers a read.
    OwnCommitBeforeReading,
    /// A read waits until its index is applied.
    ApplyBeforeReading,
    /// A lease runs from when the acknowledged heartbeat was sent.
    LeaseFromSending,
    /// A lease is given up when leadership is handed over.
    GiveUpLeaseOnTransfer,
    /// A server that hears a leader, or has just restarted, ignores campaigns.
    IgnoreCampaignsUnderLeader,
    /// A retried command is applied once.
    DeduplicateRetries,
}

/// A set of rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules(u32);

impl Rule {
    /// Every rule, in the order of the paper's concerns.
    pub const ALL: [Rule; 27] = [
        Rule::CompareLogsBeforeVoting,
        Rule::VoteOncePerTerm,
        Rule::PersistBeforeVoting,
        Rule::WinByMajority,
        Rule::StepDownOnHigherTerm,
        Rule::RefuseStaleTerms,
        Rule::PersistBeforeAcknowledging,
        Rule::PersistBeforeCounting,
        Rule::MatchWritesByTerm,
        Rule::CheckPreviousEntry,
        Rule::TruncateOnlyOnConflict,
        Rule::CommitOnlyVerified,
        Rule::CommitByMajority,
        Rule::CommitOnlyOwnTerm,
        Rule::IgnoreOldSnapshots,
        Rule::ChangeThroughJoint,
        Rule::OneChangeAtATime,
        Rule::OwnCommitBeforeChange,
        Rule::MembershipFollowsLog,
        Rule::BarAmnesiacVoters,
        Rule::ConfirmBeforeReading,
        Rule::OwnCommitBeforeReading,
        Rule::ApplyBeforeReading,
        Rule::LeaseFromSending,
        Rule::GiveUpLeaseOnTransfer,
        Rule::IgnoreCampaignsUnderLeader,
        Rule::DeduplicateRetries,
    ];

    /// Its name as typed on a command line: `compare-logs-before-voting`.
    pub const fn name(self) -> &'static str {
        self.text().0
    }

    /// What goes wrong without it.
    pub const fn prevents(self) -> &'static str {
        self.text().1
    }

    /// Where it is said.
    pub const fn source(self) -> &'static str {
        self.text().2
    }

    /// The rule of that name.
    pub fn named(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    const fn text(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Rule::CompareLogsBeforeVoting => {
                ("compare-logs-before-voting", "a leader that lacks committed entries", "Raft §5.4.1")
            }
            Rule::VoteOncePerTerm => ("vote-once-per-term", "two leaders in one term", "Raft §5.2"),
            Rule::PersistBeforeVoting => {
                ("persist-before-voting", "a second vote in the same term after a crash", "Raft Figure 2")
            }
            Rule::WinByMajority => ("win-by-majority", "two leaders in one term", "Raft §5.2"),
            Rule::StepDownOnHigherTerm => {
                ("step-down-on-higher-term", "a deposed leader that goes on as if nothing had happened", "Raft §5.1")
            }
            Rule::RefuseStaleTerms => {
                ("refuse-stale-terms", "a deposed leader that overwrites its successor's entries", "Raft §5.1")
            }
            Rule::PersistBeforeAcknowledging => {
                ("persist-before-acknowledging", "committed entries lost with the power", "Raft Figure 2")
            }
            Rule::PersistBeforeCounting => (
                "persist-before-counting",
                "an entry committed on the strength of a copy that a crash takes away",
                "dissertation §10.2.1",
            ),
            Rule::MatchWritesByTerm => (
                "match-writes-by-term",
                "a write counted as done because an older one at the same index was",
                "KNOWN-BUGS: async append ABA",
            ),
            Rule::CheckPreviousEntry => ("check-previous-entry", "logs with holes, or that disagree", "Raft §5.3"),
            Rule::TruncateOnlyOnConflict => {
                ("truncate-only-on-conflict", "acknowledged entries dropped by an old append", "Raft Figure 2")
            }
            Rule::CommitOnlyVerified => {
                ("commit-only-verified", "a divergent tail applied as if it were committed", "Raft Figure 2")
            }
            Rule::CommitByMajority => {
                ("commit-by-majority", "committed entries that the next leader lacks", "Raft §5.3")
            }
            Rule::CommitOnlyOwnTerm => {
                ("commit-only-own-term", "a committed entry overwritten, as in Figure 8", "Raft §5.4.2")
            }
            Rule::IgnoreOldSnapshots => ("ignore-old-snapshots", "a state machine that goes back in time", "Raft §7"),
            Rule::ChangeThroughJoint => {
                ("change-through-joint", "two majorities that don't overlap while voters change", "Raft §6")
            }
            Rule::OneChangeAtATime => {
                ("one-change-at-a-time", "majorities of configurations that don't overlap", "Raft §6")
            }
            Rule::OwnCommitBeforeChange => {
                ("own-commit-before-change", "two leaders after changes in different terms", "raft-dev, July 2015")
            }
            Rule::MembershipFollowsLog => {
                ("membership-follows-log", "servers that count different majorities", "Raft §6")
            }
            Rule::BarAmnesiacVoters => (
                "bar-amnesiac-voters",
                "a second vote, or a forgotten entry, after a lost disk",
                "dissertation §11.7.2",
            ),
            Rule::ConfirmBeforeReading => ("confirm-before-reading", "a stale answer from a deposed leader", "Raft §8"),
            Rule::OwnCommitBeforeReading => {
                ("own-commit-before-reading", "a stale answer from a new leader", "Raft §8")
            }
            Rule::ApplyBeforeReading => {
                ("apply-before-reading", "a stale answer from a store that lags its log", "dissertation §6.4")
            }
            Rule::LeaseFromSending => {
                ("lease-from-sending", "a lease that outlives the followers' patience", "dissertation §6.4.1")
            }
            Rule::GiveUpLeaseOnTransfer => {
                ("give-up-lease-on-transfer", "a stale answer while the successor leads", "dissertation §6.4.1")
            }
            Rule::IgnoreCampaignsUnderLeader => (
                "ignore-campaigns-under-leader",
                "a lease broken by an election it didn't expect",
                "dissertation §4.2.3",
            ),
            Rule::DeduplicateRetries => ("deduplicate-retries", "a retried command applied twice", "Raft §8"),
        }
    }
}

impl Rules {
    /// Raft as it should be.
    pub const ALL: Rules = Rules((1 << Rule::ALL.len()) - 1);

    /// Whether `rule` holds. Without the feature `switchable-rules`, always.
    #[inline]
    pub const fn on(self, rule: Rule) -> bool {
        !cfg!(feature = "switchable-rules") || self.0 & (1 << rule as u32) != 0
    }

    /// These rules without `rule`.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Rules {
        Rules(self.0 & !(1 << rule as u32))
    }

    /// Those of the rules that are switched off.
    pub fn switched_off(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.0 & (1 << *rule as u32) == 0)
    }
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::ALL
    }
}

impl core::fmt::Debug for Rules {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("all")?;
        for rule in self.switched_off() {
            write!(f, " without {}", rule.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_bit_and_a_name_of_its_own() {
        for (position, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(rule as usize, position, "{rule:?} is out of order in Rule::ALL");
            assert_eq!(Rule::named(rule.name()), Some(rule));
            assert!(!rule.prevents().is_empty() && !rule.source().is_empty());
        }
        assert_eq!(Rule::named("be-kind"), None);
    }

    #[test]
    fn all_rules_hold_unless_switched_off() {
        assert_eq!(Rules::default().switched_off().count(), 0);
        for rule in Rule::ALL {
            assert!(Rules::ALL.on(rule));
            let without = Rules::ALL.without(rule);
            assert_eq!(without.on(rule), !cfg!(feature = "switchable-rules"));
            assert!(without.switched_off().eq([rule]));
        }
    }
}
