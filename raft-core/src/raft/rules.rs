//! The rules that Raft's safety depends on, each with a switch: what it prevents, and where the
//! paper says so.
//!
//! All rules are on by default. If you switch one off, you see why it exists, and whether the
//! checkers notice what happens without it. With the crate's feature `switchable-rules` off,
//! [`Rules::on`] is the constant `true`, and nothing of this is left in the compiled core.

/// Defines the rules: the number of each in links, its name on a command line and in files, what
/// goes wrong without it, and its source. They are in the order of the paper's topics. Old links
/// must stay valid, so a new rule gets the next number, wherever in the list it is.
macro_rules! rules {
    ($($(#[$doc:meta])+ $number:literal $rule:ident $name:literal, prevents $prevents:literal, source $source:literal;)+) => {
        /// A rule that can be switched off.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Rule {
            $($(#[$doc])+ $rule,)+
        }

        impl Rule {
            /// Every rule, in the order of the paper's topics.
            pub const ALL: [Rule; [$($number),+].len()] = [$(Rule::$rule),+];

            /// Its number in links.
            pub const fn number(self) -> u8 {
                match self {
                    $(Rule::$rule => $number,)+
                }
            }

            /// Its name as typed on a command line: `compare-logs-before-voting`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Rule::$rule => $name,)+
                }
            }

            /// What goes wrong without it.
            pub const fn prevents(self) -> &'static str {
                match self {
                    $(Rule::$rule => $prevents,)+
                }
            }

            /// Where the paper says it.
            pub const fn source(self) -> &'static str {
                match self {
                    $(Rule::$rule => $source,)+
                }
            }
        }
    };
}

rules! {
    /// A voter refuses a candidate whose log is behind its own.
    0 CompareLogsBeforeVoting "compare-logs-before-voting",
        prevents "a leader that lacks committed entries",
        source "Raft §5.4.1";
    /// A voter gives one vote a term.
    1 VoteOncePerTerm "vote-once-per-term",
        prevents "two leaders in one term",
        source "Raft §5.2";
    /// A vote is on the disk before the candidate hears of it.
    2 PersistBeforeVoting "persist-before-voting",
        prevents "a second vote in the same term after a crash",
        source "Raft Figure 2";
    /// A leader needs the votes of a majority.
    3 WinByMajority "win-by-majority",
        prevents "two leaders in one term",
        source "Raft §5.2";
    /// A server that sees a higher term adopts it and follows.
    4 StepDownOnHigherTerm "step-down-on-higher-term",
        prevents "a deposed leader that goes on as if nothing had happened",
        source "Raft §5.1";
    /// A message of an older term is refused.
    5 RefuseStaleTerms "refuse-stale-terms",
        prevents "a deposed leader that overwrites its successor’s entries",
        source "Raft §5.1";
    /// Entries are on the disk before they are acknowledged.
    6 PersistBeforeAcknowledging "persist-before-acknowledging",
        prevents "committed entries lost with the power",
        source "Raft Figure 2";
    /// The leader counts itself only for entries on its own disk.
    7 PersistBeforeCounting "persist-before-counting",
        prevents "an entry committed on the strength of a copy that a crash takes away",
        source "dissertation §10.2.1";
    /// A finished write vouches only for entries that haven't been overwritten since: the index
    /// alone proves nothing.
    8 MatchWritesByTerm "match-writes-by-term",
        prevents "a write counted as done because an older one at the same index was",
        source "a disk that writes while the log changes: the ABA problem";
    /// An append builds only on an entry that both sides have.
    9 CheckPreviousEntry "check-previous-entry",
        prevents "logs with holes, or that disagree",
        source "Raft §5.3";
    /// Entries are dropped only where they conflict.
    10 TruncateOnlyOnConflict "truncate-only-on-conflict",
        prevents "acknowledged entries dropped by an old append",
        source "Raft Figure 2";
    /// A follower commits no further than the append has verified.
    11 CommitOnlyVerified "commit-only-verified",
        prevents "a divergent tail applied as if it were committed",
        source "Raft Figure 2";
    /// An entry is committed when a majority holds it.
    12 CommitByMajority "commit-by-majority",
        prevents "committed entries that the next leader lacks",
        source "Raft §5.3";
    /// Only entries of the leader's own term are committed by counting.
    13 CommitOnlyOwnTerm "commit-only-own-term",
        prevents "a committed entry overwritten, as in Figure 8",
        source "Raft §5.4.2";
    /// A snapshot older than the commit index is ignored.
    14 IgnoreOldSnapshots "ignore-old-snapshots",
        prevents "a state machine that goes back in time",
        source "Raft §7";
    /// Voters change through a joint configuration.
    15 ChangeThroughJoint "change-through-joint",
        prevents "two majorities that don’t overlap while voters change",
        source "Raft §6";
    /// One membership change at a time.
    16 OneChangeAtATime "one-change-at-a-time",
        prevents "majorities of configurations that don’t overlap",
        source "Raft §6";
    /// A new leader commits an entry of its own term before it changes the membership.
    17 OwnCommitBeforeChange "own-commit-before-change",
        prevents "two leaders after changes in different terms",
        source "raft-dev, July 2015";
    /// A membership is in force when it is appended, and the one before it when it is truncated.
    18 MembershipFollowsLog "membership-follows-log",
        prevents "servers that count different majorities",
        source "Raft §6";
    /// A server that lost its disk doesn't vote under its old name.
    19 BarAmnesiacVoters "bar-amnesiac-voters",
        prevents "a second vote, or a forgotten entry, after a lost disk",
        source "dissertation §3.8";
    /// A leader confirms that it still leads before it answers a read.
    20 ConfirmBeforeReading "confirm-before-reading",
        prevents "a stale answer from a deposed leader",
        source "Raft §8";
    /// A new leader commits an entry of its own term before it answers a read.
    21 OwnCommitBeforeReading "own-commit-before-reading",
        prevents "a stale answer from a new leader",
        source "Raft §8";
    /// A read waits until its index is applied.
    22 ApplyBeforeReading "apply-before-reading",
        prevents "a stale answer from a store that lags its log",
        source "dissertation §6.4";
    /// A lease runs from when the acknowledged heartbeat was sent.
    23 LeaseFromSending "lease-from-sending",
        prevents "a lease that outlives the followers’ patience",
        source "dissertation §6.4.1";
    /// A lease is given up when leadership is handed over.
    24 GiveUpLeaseOnTransfer "give-up-lease-on-transfer",
        prevents "a stale answer while the successor leads",
        source "dissertation §6.4.1";
    /// A server that hears a leader, or has just restarted, ignores campaigns.
    25 IgnoreCampaignsUnderLeader "ignore-campaigns-under-leader",
        prevents "a lease broken by an election it didn’t expect",
        source "dissertation §4.2.3";
    /// A retried command is applied once.
    26 DeduplicateRetries "deduplicate-retries",
        prevents "a retried command applied twice",
        source "Raft §8";
}

/// A set of rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules(u32);

impl Rule {
    /// The rule of that name.
    pub fn named(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

impl Rules {
    /// All rules: Raft as it should be.
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

    /// The rules that are switched off.
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
