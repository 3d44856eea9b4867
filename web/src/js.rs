//! How values cross the border to JavaScript, and how a refusal does.

use raft_core::codec::DecodeError;
use raft_core::format::RunError;
use raft_core::format::link::LinkError;
use raft_core::sim::ScenarioError;
use raft_core::sim::timeline::BranchError;
use raft_core::time::{Duration, Time};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// What can't be done, as a sentence for a person.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) String);

impl From<Refusal> for JsValue {
    fn from(refusal: Refusal) -> JsValue {
        JsError::new(&refusal.0).into()
    }
}

/// The library's errors say what is wrong in a sentence.
macro_rules! refused_in_the_words_of {
    ($($error:ty),+) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Refusal {
                Refusal(error.to_string())
            }
        })+
    };
}
refused_in_the_words_of!(BranchError, DecodeError, LinkError, RunError, ScenarioError);

/// A moment as the page counts: microseconds in a JavaScript number, exact for 285 years.
pub(crate) fn micros(time: Time) -> f64 {
    time.as_micros() as f64
}

/// A length of time as the page counts.
pub(crate) fn length_micros(length: Duration) -> f64 {
    length.as_micros() as f64
}

/// The moment that the page counts so; one before the beginning is the beginning.
pub(crate) fn moment(micros: f64) -> Time {
    Time::from_micros(micros.max(0.0) as u64)
}

/// A view as an object of JavaScript.
pub(crate) fn to_js(view: &impl Serialize) -> Result<JsValue, JsValue> {
    Ok(view.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
}
