//! How values and refusals cross the border to JavaScript.

use std::error::Error;

use wasm_bindgen::prelude::*;

#[cfg(feature = "trials")]
pub(crate) use trials::*;

/// What can't be done, as a sentence for a person.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) String);

/// The library's errors say in a sentence what is wrong.
impl<E: Error> From<E> for Refusal {
    fn from(error: E) -> Refusal {
        Refusal(error.to_string())
    }
}

impl From<Refusal> for JsValue {
    fn from(refusal: Refusal) -> JsValue {
        JsError::new(&refusal.0).into()
    }
}

#[cfg(feature = "trials")]
mod trials {
    use raft_core::format::link::{self, LinkError};
    use raft_core::format::{Run, RunError};
    use raft_core::time::Time;
    use serde::Serialize;
    use wasm_bindgen::prelude::*;

    use super::Refusal;

    /// The run of the bytes within a link.
    pub(crate) fn run_of(bytes: &[u8]) -> Result<Run, Refusal> {
        link::decode(bytes).map_err(|error| match error {
            // Nobody has given a link, so errors speak of the run.
            LinkError::Run(error) => error.into(),
            error => error.into(),
        })
    }

    /// The bytes within a link to a run.
    pub(crate) fn bytes_of(run: &Run) -> Result<Bytes, RunError> {
        link::encode(run).map(Bytes)
    }

    /// Bytes, as one `Uint8Array`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) struct Bytes(pub(crate) Vec<u8>);

    impl Serialize for Bytes {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serde_wasm_bindgen::preserve::serialize(&js_sys::Uint8Array::from(&self.0[..]), serializer)
        }
    }

    /// A moment as the page has it: microseconds in a JavaScript number.
    pub(crate) fn micros(time: Time) -> f64 {
        time.as_micros() as f64
    }

    /// The moment of the page's microseconds; one before the beginning is the beginning.
    pub(crate) fn moment(micros: f64) -> Time {
        Time::from_micros(micros.max(0.0) as u64)
    }

    /// A view as a JavaScript value.
    pub(crate) fn to_js(view: &impl Serialize) -> Result<JsValue, JsValue> {
        Ok(view.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?)
    }
}
