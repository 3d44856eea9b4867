//! What is wrong with a run, as it goes to JavaScript and comes from there.

use raft_core::format::{Found, found, units};
use raft_core::time::Time;
use raft_core::trial::Finding;
use serde::Serialize;

use crate::js::{Refusal, micros, moment};

/// What was found in a run. See `FoundView` in `lab.d.ts`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FoundView {
    pub(crate) property: &'static str,
    pub(crate) time: f64,
    pub(crate) at: String,
    pub(crate) first: String,
    pub(crate) second: String,
}

impl From<Found> for FoundView {
    fn from(Found { what, at, first, second }: Found) -> FoundView {
        let length = units::write_duration(at.since(Time::ZERO));
        FoundView { property: what.name(), time: micros(at), at: length, first, second }
    }
}

/// The same, with all of it in one sentence. See `FindingView` in `lab.d.ts`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FindingView {
    pub(crate) property: &'static str,
    pub(crate) time: f64,
    pub(crate) at: String,
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) sentence: String,
}

impl From<&Finding> for FindingView {
    fn from(finding: &Finding) -> FindingView {
        let FoundView { property, time, at, first, second } = finding.found().into();
        FindingView { property, time, at, first, second, sentence: finding.to_string() }
    }
}

/// What the page says was found; `None` where it names nothing.
pub(crate) fn claimed(what: Option<String>, at: f64, first: String, second: String) -> Result<Option<Found>, Refusal> {
    let Some(what) = what else { return Ok(None) };
    Ok(Some(Found { what: found::what(&what)?, at: moment(at), first, second }))
}
