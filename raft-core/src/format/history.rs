//! What clients asked and were answered, as JSON lines: written for a simulated run, read from any
//! system.
//!
//! ```json
//! {"client":1,"kind":"invoke","op":"put","key":"x","value":"1","time":100}
//! {"client":2,"kind":"invoke","op":"cas","key":"x","expected":"1","value":"2","time":150}
//! {"client":1,"kind":"ok","op":"put","key":"x","value":"1","time":300}
//! {"client":2,"kind":"ok","op":"cas","key":"x","found":true,"time":420}
//! {"client":1,"kind":"invoke","op":"get","key":"x","time":500}
//! {"client":1,"kind":"ok","op":"get","key":"x","found":true,"value":"2","time":610}
//! ```
//!
//! * The order of the lines is the order in real time. A client has one operation at a time.
//! * `kind`: `invoke` begins an operation; `ok` ends it with its result; `fail` says that it
//!   certainly did not happen; `info` that it may have happened, or may still happen. An operation
//!   without an end is like one that ends with `info`.
//! * `op`: `get`, `put`, `delete` or `cas` (compare and set: `expected` becomes `value`).
//! * `found`, with `ok`: whether a `get` found a value (then `value` has it), and whether a `cas`
//!   swapped. For a `put` or a `delete` it may say whether there was a value before.
//! * `time` is for people: microseconds of any clock. It may be left out.
//!
//! The line that ends an operation may repeat fields of the line that began it; then they must be
//! the same. Unknown fields are refused by their names.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::check::linearizable::{Event, EventError, EventKind, History, OperationKind, Recorder};
use crate::kv::{Operation, Outcome, Request};
use crate::order::sort_by;
use crate::sim::{End, OperationRecord, text_of};
use crate::time::Time;

/// The most bytes of a history that is read.
pub const BYTES_MAX: usize = 1024 * 1024 * 1024;

/// One line of a history: an operation begins or ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    client: u64,
    kind: Kind,
    op: Op,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Op {
    Get,
    Put,
    Delete,
    Cas,
}

// ---------------------------------------------------------------- writing

/// The history of a simulated run, a line for each beginning and each end.
///
/// If an operation ends in the same microsecond in which another begins, the end comes first. That
/// is what really happened: an answer takes time, so it tells of something before that instant, and
/// a request of that instant is handled after it.
pub fn write<'a>(operations: impl Iterator<Item = &'a OperationRecord>) -> String {
    write_part(operations, Time::ZERO, Time::NEVER)
}

/// The part of the history from one moment on and before another. A long run's history is written
/// in parts that follow each other. When a part is written, all operations that begin or end in it
/// must be there, and all that are under way.
pub fn write_part<'a>(operations: impl Iterator<Item = &'a OperationRecord>, from: Time, before: Time) -> String {
    let mut lines: Vec<(Time, bool, u32, Line)> = Vec::new();
    let mut busy = [false; 256];
    for record in operations {
        let client = usize::from(record.client.0);
        // The person's later commands wait for the earlier ones, and have not begun.
        if busy[client] {
            continue;
        }
        busy[client] = record.end.is_none();
        if (from..before).contains(&record.began) {
            lines.push((record.began, true, record.number, beginning(record)));
        }
        if let Some((at, end)) = &record.end
            && (from..before).contains(at)
        {
            lines.push((*at, false, record.number, ending(record, *at, end)));
        }
    }
    // An end comes before a beginning of the same instant.
    sort_by(&mut lines, |(at, begins, number, _)| (2 * at.as_micros() + u64::from(*begins), (*number).into()));
    let mut text = String::new();
    for (.., line) in &lines {
        text += &line.write();
        text.push('\n');
    }
    text
}

fn beginning(record: &OperationRecord) -> Line {
    let (op, expected, value) = match &record.request {
        Request::Read(_) => (Op::Get, None, None),
        Request::Write(Operation::Put { value, .. }) => (Op::Put, None, Some(value)),
        Request::Write(Operation::Delete { .. }) => (Op::Delete, None, None),
        Request::Write(Operation::CompareAndSet { expected, new, .. }) => (Op::Cas, Some(expected), Some(new)),
    };
    Line {
        client: u64::from(record.client.0),
        kind: Kind::Invoke,
        op,
        key: record.request.key().as_str().to_string(),
        expected: expected.map(|value| text_of(value).to_string()),
        found: None,
        value: value.map(|value| text_of(value).to_string()),
        time: Some(record.began.as_micros()),
    }
}

fn ending(record: &OperationRecord, at: Time, end: &End) -> Line {
    let begun = Line { time: Some(at.as_micros()), ..beginning(record) };
    match end {
        End::Failed(_) => Line { kind: Kind::Fail, ..begun },
        End::Unknown(_) => Line { kind: Kind::Info, ..begun },
        End::Answered(outcome) => {
            let found = Some(match outcome {
                Outcome::Written { replaced } => *replaced,
                Outcome::Deleted { existed } => *existed,
                Outcome::Swapped => true,
                Outcome::NotSwapped { .. } => false,
                Outcome::Found { value } => value.is_some(),
            });
            let value = match outcome {
                Outcome::Found { value } => value.as_ref().map(|value| text_of(value).to_string()),
                _ => begun.value,
            };
            Line { kind: Kind::Ok, found, value, ..begun }
        }
    }
}

// ---------------------------------------------------------------- reading

/// A history that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryError {
    /// More than [`BYTES_MAX`] bytes.
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// A line that isn't JSON, or doesn't have this form.
    Line {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        why: String,
    },
    /// A line that makes no sense after those before it.
    Event {
        /// The line, from 1.
        line: usize,
        /// Why. Its numbers count events, which are the lines that aren't empty.
        error: EventError,
    },
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryError::TooLarge { bytes } => {
                write!(f, "{bytes} bytes are too many for a history, which has at most {BYTES_MAX}: split it by keys")
            }
            HistoryError::Line { line, column, why } => write!(f, "line {line}, column {column}: {why}"),
            HistoryError::Event { line, error } => write!(f, "line {line}: {error}"),
        }
    }
}

impl core::error::Error for HistoryError {}

/// Reads a history. Empty lines are skipped.
///
/// # Errors
/// The first line that can't be read or makes no sense.
pub fn read(text: &str) -> Result<History, HistoryError> {
    if text.len() > BYTES_MAX {
        return Err(HistoryError::TooLarge { bytes: text.len() });
    }
    let mut recorder = Recorder::new();
    for (position, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        let number = position + 1;
        let line: Line = serde_json::from_str(text).map_err(|error| {
            let (column, sentence) = (error.column(), error.to_string());
            let place = format!(" at line {} column {column}", error.line());
            let why = sentence.strip_suffix(&place).unwrap_or(&sentence).to_string();
            HistoryError::Line { line: number, column, why }
        })?;
        recorder.push(&line.event()).map_err(|error| HistoryError::Event { line: number, error })?;
    }
    Ok(recorder.into_history())
}

impl Kind {
    pub(super) const ALL: [Kind; 4] = [Kind::Invoke, Kind::Ok, Kind::Fail, Kind::Info];
}

impl Op {
    pub(super) const ALL: [Op; 4] = [Op::Get, Op::Put, Op::Delete, Op::Cas];
}

impl Line {
    /// The line for an event of any system.
    pub fn of(event: &Event<'_>) -> Line {
        let text = |text: Option<&str>| text.map(ToString::to_string);
        Line {
            client: event.client,
            kind: match event.kind {
                EventKind::Invoke => Kind::Invoke,
                EventKind::Ok => Kind::Ok,
                EventKind::Fail => Kind::Fail,
                EventKind::Info => Kind::Info,
            },
            op: match event.operation {
                OperationKind::Get => Op::Get,
                OperationKind::Put => Op::Put,
                OperationKind::Delete => Op::Delete,
                OperationKind::CompareAndSet => Op::Cas,
            },
            key: event.key.to_string(),
            expected: text(event.expected),
            found: event.found,
            value: text(event.value),
            time: event.time.map(Time::as_micros),
        }
    }

    /// What it says.
    pub fn event(&self) -> Event<'_> {
        Event {
            client: self.client,
            kind: match self.kind {
                Kind::Invoke => EventKind::Invoke,
                Kind::Ok => EventKind::Ok,
                Kind::Fail => EventKind::Fail,
                Kind::Info => EventKind::Info,
            },
            operation: match self.op {
                Op::Get => OperationKind::Get,
                Op::Put => OperationKind::Put,
                Op::Delete => OperationKind::Delete,
                Op::Cas => OperationKind::CompareAndSet,
            },
            key: &self.key,
            value: self.value.as_deref(),
            expected: self.expected.as_deref(),
            found: self.found,
            time: self.time.map(Time::from_micros),
        }
    }

    /// The line, without a line break.
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    /// The line by which an operation of a simulated run begins, or, if it has ended, ends.
    pub(super) fn of_record(record: &OperationRecord) -> Line {
        record.end.as_ref().map_or_else(|| beginning(record), |(at, end)| ending(record, *at, end))
    }

    /// The same line with another time.
    #[must_use]
    pub fn at(self, time: Option<Time>) -> Line {
        Line { time: time.map(Time::as_micros), ..self }
    }
}
