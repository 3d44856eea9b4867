//! How values and refusals cross the border to JavaScript.

use raft_core::format::RunError;
use raft_core::format::found::FoundError;
use raft_core::format::link::{LinkError, PlainError};
use raft_core::sim::ScenarioError;
use raft_core::sim::timeline::BranchError;
use raft_core::time::{Duration, Time};
use wasm_bindgen::prelude::*;

/// What can't be done, as a sentence for a person.
#[derive(Debug)]
pub(crate) struct PageError(pub(crate) String);

impl From<PageError> for JsValue {
    fn from(refusal: PageError) -> JsValue {
        JsError::new(&refusal.0).into()
    }
}

/// The library's errors say in a sentence what is wrong.
macro_rules! refused_in_the_words_of {
    ($($error:ty),+) => {
        $(impl From<$error> for PageError {
            fn from(error: $error) -> PageError {
                PageError(error.to_string())
            }
        })+
    };
}
refused_in_the_words_of!(BranchError, FoundError, LinkError, PlainError, RunError, ScenarioError);

/// A moment as the page has it: microseconds in a JavaScript number, exact for 285 years.
pub(crate) fn micros(time: Time) -> f64 {
    time.as_micros() as f64
}

/// A length of time as the page has it: microseconds, too.
pub(crate) fn length_micros(length: Duration) -> f64 {
    length.as_micros() as f64
}

/// The moment of the page's microseconds; one before the beginning is the beginning.
pub(crate) fn moment(micros: f64) -> Time {
    Time::from_micros(micros.max(0.0) as u64)
}
