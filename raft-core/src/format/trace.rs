//! What happened, as JSON lines: one event per line, each with its reason.
//!
//! ```json
//! {"time":1253000,"server":"S3","kind":"vote-refused","weight":"notable","text":"S3 refused …","section":"Raft §5.4.1"}
//! ```
//!
//! `time` is in microseconds of the world's clock; `server` is missing where the event is about
//! none; `weight` is `turning`, `notable` or `detail`; `text` is the sentence that the page shows;
//! `section` says where to read on, and is missing where nothing is cited.
//!
//! What is found wrong with the run is the last line, of the kind `found`, with three fields more:
//! ```json
//! {"time":1253000,"kind":"found","weight":"turning","text":"…","what":"Liveness","first":"…","second":"…"}
//! ```

use alloc::string::{String, ToString};

use serde::Serialize;

use super::Found;
use crate::raft::{Sentence, Weight};
use crate::sim::News;

#[derive(Serialize)]
struct Line<'a> {
    time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    kind: &'static str,
    weight: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    section: &'a str,
}

/// A piece of news as a line, without a line break.
pub fn line(news: &News) -> String {
    let Sentence { text, weight, section } = news.sentence();
    let line = Line {
        time: news.at.as_micros(),
        server: news.server().map(|server| server.to_string()),
        kind: news.kind(),
        weight: weight_name(weight),
        text: &text,
        section,
    };
    serde_json::to_string(&line).expect("texts and numbers are JSON")
}

#[derive(Serialize)]
struct LastLine<'a> {
    time: u64,
    kind: &'static str,
    weight: &'static str,
    text: &'a str,
    what: &'static str,
    first: &'a str,
    second: &'a str,
}

/// What was found wrong with the run as the last line, without a line break.
pub fn last_line(found: &Found, text: &str) -> String {
    let Found { what, at, first, second } = found;
    let line = LastLine {
        time: at.as_micros(),
        kind: "found",
        weight: weight_name(Weight::Turning),
        text,
        what: what.name(),
        first,
        second,
    };
    serde_json::to_string(&line).expect("texts and numbers are JSON")
}

/// `turning`, `notable` or `detail`.
pub const fn weight_name(weight: Weight) -> &'static str {
    match weight {
        Weight::Turning => "turning",
        Weight::Notable => "notable",
        Weight::Detail => "detail",
    }
}
