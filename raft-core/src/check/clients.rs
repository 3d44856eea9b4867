//! What clients can rely on, besides linearizability.
//!
//! * **Exactly Once**: a write takes effect once, however often its client tried it (Raft §8).
//! * **Fresh Reads**: a read shows everything that any leader had committed when the client asked
//!   (Raft §8).

use core::fmt;

use super::Property;
use super::safety::{About, CheckResult, Checker};
use crate::raft::LogIndex;
use crate::time::Time;

impl Checker {
    /// A write takes effect at an index of the log, but has already taken effect at another.
    /// `operation` describes it and its client.
    ///
    /// # Errors
    /// Always: this is a violation.
    #[cold]
    pub fn took_effect_again(&self, now: Time, operation: fmt::Arguments<'_>, before: u64, index: u64) -> CheckResult {
        let first = format_args!("{operation} took effect at {before}");
        let second = format_args!("it took effect again at {index}");
        self.broken(Property::ExactlyOnce, now, first, second).at(LogIndex(before)).at(LogIndex(index))
    }

    /// A state machine that isn't the store doesn't keep to what is asked of one.
    ///
    /// # Errors
    /// The violation that this is.
    #[cold]
    pub fn broke_contract(&self, now: Time, first: fmt::Arguments<'_>, second: fmt::Arguments<'_>) -> CheckResult {
        self.broken(Property::StateMachineContract, now, first, second)
    }

    /// A client has the answer to a read, from a store that had applied everything up to `applied`;
    /// everything up to `due` was committed when a server was asked.
    ///
    /// # Errors
    /// The violation, if the answer may not show all of that.
    pub fn answered_read(&self, now: Time, operation: fmt::Arguments<'_>, due: u64, applied: u64) -> CheckResult {
        if applied >= due {
            return Ok(());
        }
        let first = format_args!("entry {due} was committed when a server was asked for {operation}");
        let second = format_args!("the answer comes from a store that had applied no further than {applied}");
        self.broken(Property::FreshReads, now, first, second).at(LogIndex(due))
    }
}
