//! What clients may count on, beside the linearizability of all they see.
//!
//! * **Exactly Once**: a write takes effect once, however often its client tried it (Raft §8).
//! * **Fresh Reads**: a read shows everything that was committed when it was asked for, by whatever
//!   leader (Raft §8).

use core::fmt;

use super::Property;
use super::safety::{Checker, Verdict};
use crate::time::Time;

impl Checker {
    /// A write takes effect at an index of the log, where it took effect at another one before. The
    /// operation says what it is and whose.
    ///
    /// # Errors
    /// The violation that this is.
    #[cold]
    pub fn took_effect_again(&self, now: Time, operation: fmt::Arguments<'_>, before: u64, index: u64) -> Verdict {
        let first = format_args!("{operation} took effect at {before}");
        self.broken(Property::ExactlyOnce, now, first, format_args!("it took effect again at {index}"))
    }

    /// A state machine that isn't the store doesn't keep to what is asked of one.
    ///
    /// # Errors
    /// The violation that this is.
    #[cold]
    pub fn broke_contract(&self, now: Time, first: fmt::Arguments<'_>, second: fmt::Arguments<'_>) -> Verdict {
        self.broken(Property::StateMachineContract, now, first, second)
    }

    /// A client has the answer to a read, from a store that had applied everything up to `applied`;
    /// everything up to `due` was committed when a server was asked.
    ///
    /// # Errors
    /// The violation, if the answer may not show all of that.
    pub fn answered_read(&self, now: Time, operation: fmt::Arguments<'_>, due: u64, applied: u64) -> Verdict {
        if applied >= due {
            return Ok(());
        }
        let first = format_args!("entry {due} was committed when a server was asked for {operation}");
        let second = format_args!("the answer comes from a store that had applied no further than {applied}");
        self.broken(Property::FreshReads, now, first, second)
    }
}
