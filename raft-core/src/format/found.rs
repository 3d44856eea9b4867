//! What was found wrong with a run, handed on with it: in a file as a field of its own, in an
//! address as words after the link.
//!
//! ```text
//! https://example.org/r/#run=AQeAiXoB…&found=Liveness&at=13.12s&first=the+storm+…&second=at+13.120+s+nobody+leads
//! ```
//!
//! The link is the same with it and without. It is a claim: nobody has to believe it, and whoever
//! plays the run judges anew ([`crate::trial`]).

use alloc::string::{String, ToString};
use core::fmt;

#[cfg(feature = "serde")]
use form_urlencoded::{Serializer, parse};

#[cfg(feature = "serde")]
use super::link::{self, LinkError};
use super::units::{self, UnitError, quote};
use super::{FACT_MAX, Found, LENGTH_MAX, Run};
use crate::check::Guarantee;
use crate::time::Time;

/// Something that can't have been found in the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FoundError {
    /// Nothing that can be found is called so.
    Unknown(String),
    /// An address says this twice.
    Twice(&'static str),
    /// An address has this in an encoding that can't be read.
    Damaged(&'static str),
    /// It doesn't say when.
    NoMoment,
    /// It says when in a way that can't be read.
    Moment(UnitError),
    /// The run ends before that.
    Later {
        /// When it is said to have been found.
        at: Time,
        /// When the run ends.
        until: Time,
    },
    /// A fact of more than [`FACT_MAX`] characters.
    LongFact,
}

impl fmt::Display for FoundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what was found: ")?;
        match self {
            FoundError::Unknown(name) => {
                write!(f, "“{}” is nothing that can be found: there are ", quote(name))?;
                for (place, guarantee) in Guarantee::ALL.iter().enumerate() {
                    write!(f, "{}{}", if place > 0 { ", " } else { "" }, guarantee.name())?;
                }
                Ok(())
            }
            FoundError::Twice(name) => write!(f, "“{name}” is there twice: leave one out"),
            FoundError::Damaged(name) => write!(f, "“{name}” is damaged: copy the whole link once more"),
            FoundError::NoMoment => f.write_str("it doesn’t say when: at=1.25s"),
            FoundError::Moment(error) => error.fmt(f),
            FoundError::Later { at, until } => write!(f, "{at} lies after the end of the run, which is at {until}"),
            FoundError::LongFact => write!(f, "a fact has at most {FACT_MAX} characters"),
        }
    }
}

impl core::error::Error for FoundError {}

impl Found {
    /// Whether it can have been found in the run.
    ///
    /// # Errors
    /// It can't.
    pub fn check(&self, run: &Run) -> Result<(), FoundError> {
        let Found { at, ref first, ref second, .. } = *self;
        let long = |fact: &String| fact.chars().count() > FACT_MAX;
        match run.until {
            // The very beginning stands for the whole run.
            Time::ZERO if at.since(Time::ZERO) > LENGTH_MAX => {
                Err(FoundError::Later { at, until: Time::ZERO + LENGTH_MAX })
            }
            until if until > Time::ZERO && at > until => Err(FoundError::Later { at, until }),
            _ if long(first) || long(second) => Err(FoundError::LongFact),
            _ => Ok(()),
        }
    }
}

/// What is called so.
///
/// # Errors
/// Nothing is.
pub fn what(name: &str) -> Result<Guarantee, FoundError> {
    Guarantee::named(name).ok_or_else(|| FoundError::Unknown(name.to_string()))
}

/// What is said to have been found in a run: its name, when, and the two facts, each as an address
/// has it.
///
/// # Errors
/// Whatever is wrong with it.
pub fn said(name: &str, at: Option<&str>, first: String, second: String, run: &Run) -> Result<Found, FoundError> {
    let at = units::duration(at.ok_or(FoundError::NoMoment)?).map_err(FoundError::Moment)?;
    let found = Found { what: what(name)?, at: Time::ZERO + at, first, second };
    found.check(run)?;
    Ok(found)
}

/// What an address says was found in its run, if it says so.
///
/// # Errors
/// Whatever is wrong with it.
#[cfg(feature = "serde")]
pub fn read(address: &str, run: &Run) -> Result<Option<Found>, FoundError> {
    let words = address.trim().rsplit('#').next().unwrap_or_default();
    let Some(name) = value(words, "found")? else { return Ok(None) };
    let at = value(words, "at")?;
    let [first, second] = [value(words, "first")?, value(words, "second")?].map(Option::unwrap_or_default);
    said(&name, at.as_deref(), first, second, run).map(Some)
}

/// The value of that name among an address's words, if it has one.
#[cfg(feature = "serde")]
fn value(words: &str, name: &'static str) -> Result<Option<String>, FoundError> {
    let mut values = words.split('&').filter(|word| parse(word.as_bytes()).next().is_some_and(|(of, _)| of == name));
    let Some(word) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(FoundError::Twice(name));
    }
    if is_damaged(word) {
        return Err(FoundError::Damaged(name));
    }
    Ok(parse(word.as_bytes()).next().map(|(_, value)| value.into_owned()))
}

/// Whether something in a word isn't encoded as forms are: the decoder takes that as it is, or puts
/// a character in its place.
#[cfg(feature = "serde")]
fn is_damaged(word: &str) -> bool {
    let is_code = |rest: &str| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
    let replaced = |text: &str| text.contains('\u{fffd}');
    let decoded = parse(word.as_bytes()).next().is_some_and(|(_, value)| replaced(&value));
    let meant = replaced(word) || word.to_ascii_uppercase().contains("%EF%BF%BD");
    word.split('%').skip(1).any(|rest| !is_code(rest)) || decoded && !meant
}

/// The words for an address, to stand after its link.
#[cfg(feature = "serde")]
pub fn write(found: &Found) -> String {
    let Found { what, at, first, second } = found;
    let mut words = Serializer::new(String::new());
    words.append_pair("found", what.name()).append_pair("at", &units::write_duration(at.since(Time::ZERO)));
    for (name, fact) in [("first", first), ("second", second)].into_iter().filter(|(_, fact)| !fact.is_empty()) {
        words.append_pair(name, fact);
    }
    words.finish()
}

/// The run as an address, with what was found in it, if something was.
///
/// ```
/// use raft_core::check::Guarantee;
/// use raft_core::format::{Found, Run, found, link};
/// use raft_core::time::Time;
///
/// let run = Run { until: Time::from_secs(5), ..Run::default() };
/// let nobody = "nobody leads".to_string();
/// let stuck = Found { what: Guarantee::Liveness, at: run.until, first: "it is calm".to_string(), second: nobody };
/// let address = found::write_address("https://example.org/", &run, Some(&stuck))?;
/// assert!(address.ends_with("&found=Liveness&at=5s&first=it+is+calm&second=nobody+leads"));
/// assert_eq!(link::read(&address)?, run);
/// assert_eq!(found::read(&address, &run), Ok(Some(stuck)));
/// # Ok::<(), link::LinkError>(())
/// ```
///
/// # Errors
/// As for [`link::write_address`].
#[cfg(feature = "serde")]
pub fn write_address(base: &str, run: &Run, found: Option<&Found>) -> Result<String, LinkError> {
    let mut address = link::write_address(base, run)?;
    if let Some(found) = found {
        address.push('&');
        address += &write(found);
    }
    Ok(address)
}
