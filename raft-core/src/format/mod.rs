//! Runs as text: what a scenario looks like in a file, in a link and in a log.
//!
//! # A run to share
//! A [`Run`] is a scenario and a moment of it: how far to play, and the trace hash of the run
//! there. The hash tells when another version plays the run differently. A run has two forms with
//! the same content:
//! * [`link`]: short, for an address; bytes in base64url. Made for machines;
//! * `file` (with the feature `serde`): JSON, to be read, edited and kept under version control.
//!
//! A file, and an address that holds a link, can also say what was [`Found`] wrong with the run: it
//! opens as that failure ([`found`]).
//!
//! # What came of a run
//! With the feature `serde`:
//! * `trace`: what happened, an event a line, each with its reason;
//! * `history`: what clients asked and were answered, to be judged by
//!   [`crate::check::linearizable`]; it can be of any system;
//! * `message`: what servers say to each other, for recordings; as bytes they say it by
//!   [`Message::encode`](crate::raft::Message::encode);
//! * `recording`: what the servers of a cluster observed, simulated or real;
//!
//! and, without that feature, [`shiviz`]: all messages between servers, with vector clocks, for the
//! ShiViz visualiser.
//!
//! # What comes from outside is not trusted
//! Everything that is read is checked before it is used: sizes before anything is allocated,
//! numbers against the limits below, and the whole by [`Scenario::check`]. An error is a sentence
//! that names the place; nothing else happens. What is written is checked in the same way, so that
//! it can be read again.
//!
//! # Versions
//! Files and links carry a version. A later version of Raftarium reads what an earlier one wrote;
//! an earlier one refuses what a later one wrote, and says so. Tags and positions never change
//! their meaning. A run that can be *read* doesn't necessarily *play* the same: the hash tells.

mod base64;
#[cfg(feature = "serde")]
pub mod file;
pub mod found;
#[cfg(feature = "serde")]
pub mod history;
#[cfg(feature = "serde")]
mod json;
pub mod link;
#[cfg(feature = "serde")]
pub mod message;
#[cfg(feature = "serde")]
pub mod recording;
#[cfg(feature = "serde")]
pub mod schema;
pub mod shiviz;
#[cfg(feature = "serde")]
pub mod trace;
pub mod units;

use alloc::string::String;
use core::fmt;

use crate::check::Guarantee;
#[cfg(feature = "serde")]
pub use json::FieldError;

pub use crate::sim::LENGTH_MAX;
use crate::sim::{Scenario, ScenarioError};
use crate::time::Time;

/// The most actions a run has in a file or a link.
pub const ACTIONS_MAX: usize = 100_000;

/// A scenario and a moment of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// What is played.
    pub scenario: Scenario,
    /// Up to when.
    pub until: Time,
    /// The trace hash of the run there
    /// ([`Simulation::trace_hash`](crate::sim::Simulation::trace_hash) after
    /// [`run_until`](crate::sim::Simulation::run_until)), where it is known.
    pub hash: Option<u64>,
}

/// The most characters of a fact.
pub const FACT_MAX: usize = 2_000;

/// What was found wrong with a run, as whoever hands it on says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What doesn't hold.
    pub what: Guarantee,
    /// When it showed: not after the run's moment.
    pub at: Time,
    /// What was so. Empty, like the other, where whoever plays the run sees both facts: properties
    /// are checked while it is played.
    pub first: String,
    /// What contradicts it.
    pub second: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { what, at, first, second } = self;
        write!(f, "{} is violated at {at}", what.name())?;
        if first.is_empty() { Ok(()) } else { write!(f, ": {first}, but {second}") }
    }
}

/// A run that can't be written or read, or not be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunError {
    /// Too many actions.
    TooManyActions {
        /// How many there are.
        found: u64,
    },
    /// A time beyond [`LENGTH_MAX`].
    TooLong {
        /// What the time is of.
        what: &'static str,
        /// The position of the action, from 0, if it is in an action.
        action: Option<usize>,
    },
    /// The scenario makes no sense.
    Scenario {
        /// The position of the action, from 0, if an action makes no sense.
        action: Option<usize>,
        /// Why.
        error: ScenarioError,
    },
}

impl Run {
    /// Whether it is within the limits and can be played.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), RunError> {
        let actions = &self.scenario.actions;
        if actions.len() > ACTIONS_MAX {
            return Err(RunError::TooManyActions { found: actions.len() as u64 });
        }
        within("the end of the run", None, self.until)?;
        for (position, timed) in actions.iter().enumerate() {
            within("its time", Some(position), timed.at)?;
        }
        self.scenario.find_fault().map_err(|(action, error)| RunError::Scenario { action, error })
    }

    /// Leaves out the actions after its end, and those about servers that would have joined only
    /// later, which had no effect. What came before plays as it did, but the run's hash is
    /// forgotten.
    pub fn cut(&mut self) {
        self.scenario.cut(self.until);
        self.hash = None;
    }
}

fn within(what: &'static str, action: Option<usize>, at: Time) -> Result<(), RunError> {
    if at.since(Time::ZERO) <= LENGTH_MAX { Ok(()) } else { Err(RunError::TooLong { what, action }) }
}

/// The place of an action, counted from 1, for people.
struct Place(Option<usize>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(position) => write!(f, "action {}: ", position + 1),
            None => Ok(()),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::TooManyActions { found } => {
                write!(f, "a run has at most {ACTIONS_MAX} actions, not {found}")
            }
            RunError::TooLong { what, action } => {
                let hours = LENGTH_MAX.as_micros() / 3_600_000_000;
                write!(f, "{}{what} is more than {hours} hours: shorten it", Place(*action))
            }
            // This error names the action itself, and counts from 0.
            RunError::Scenario { action: Some(position), error: ScenarioError::OutOfOrder { .. } } => {
                write!(f, "{}it comes before the action listed before it: sort them by time", Place(Some(*position)))
            }
            RunError::Scenario { action, error } => write!(f, "{}{error}", Place(*action)),
        }
    }
}

impl core::error::Error for RunError {}

/// The name of a variant, in the style of names in files: `VoteRefused { .. }` is `vote-refused`.
pub fn kebab(value: &dyn fmt::Debug) -> String {
    /// Takes text up to the first character that isn't part of a name.
    struct Name(String);

    impl fmt::Write for Name {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            for character in text.chars() {
                match character {
                    'A'..='Z' if !self.0.is_empty() => self.0.extend(['-', character.to_ascii_lowercase()]),
                    _ if character.is_alphanumeric() => self.0.push(character.to_ascii_lowercase()),
                    _ => return Err(fmt::Error),
                }
            }
            Ok(())
        }
    }

    let mut name = Name(String::new());
    // An error only says that the name is complete.
    let _ = fmt::write(&mut name, format_args!("{value:?}"));
    name.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Action;

    #[test]
    fn variants_have_names_for_files() {
        assert_eq!(kebab(&Action::RestartAll), "restart-all");
        assert_eq!(kebab(&Action::SetLoss(7)), "set-loss");
        assert_eq!(kebab(&crate::raft::Rule::VoteOncePerTerm), crate::raft::Rule::VoteOncePerTerm.name());
    }
}
