//! Reads recordings, line by line or as a whole.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value};

use super::table::{EVENTS, Fields, Header, Place, State, What};
use super::terms::Terms;
use super::{BYTES_MAX, EVENT, HEADER, LINE_BYTES_MAX, MINOR_VERSION, Recorded, VERSION};
use crate::format::json::{FieldError, quoted};
use crate::raft::LogIndex;
use crate::time::Time;

/// A recording that can't be read: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingError {
    /// The line, from 1; 0 if it isn't about a line.
    pub line: u64,
    /// What is wrong there.
    pub problem: RecordingProblem,
}

/// What is wrong with a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingProblem {
    /// More than [`BYTES_MAX`] bytes.
    TooLarge {
        /// How many there are.
        bytes: u64,
    },
    /// A line of more than [`LINE_BYTES_MAX`] bytes.
    LongLine {
        /// How many there are.
        bytes: u64,
    },
    /// No JSON.
    Json {
        /// The column, from 1.
        column: u64,
        /// What is wrong there.
        why: String,
    },
    /// JSON, but not an object.
    NoObject,
    /// It doesn't begin with a header.
    NoHeader,
    /// A header of a version that isn't read.
    Version {
        /// What stands there, the beginning of it.
        found: String,
    },
    /// A second header names another cluster than the first.
    OtherCluster {
        /// The name of that one.
        found: String,
        /// The name in the first.
        first: String,
    },
    /// An event that there isn't.
    Event {
        /// Its name, the beginning of it.
        found: String,
    },
    /// A field of this version that there isn't.
    Stranger {
        /// The event, or the header's first field.
        of: &'static str,
        /// The field's name, the beginning of it.
        field: String,
    },
    /// A field that is missing or has another form.
    Field {
        /// The event, or the header's first field.
        of: &'static str,
        /// Which field, and what is wrong with it.
        error: FieldError,
    },
    /// Fields that don't fit together.
    Contradiction {
        /// The event.
        of: &'static str,
        /// What is wrong with them.
        why: &'static str,
    },
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}", self.line)?;
            match &self.problem {
                RecordingProblem::Json { column, .. } => write!(f, ", column {column}: ")?,
                _ => f.write_str(": ")?,
            }
        }
        match &self.problem {
            RecordingProblem::TooLarge { bytes } => {
                write!(f, "{bytes} bytes are too many for a recording, which has at most {BYTES_MAX}: split it by time")
            }
            RecordingProblem::LongLine { bytes } => write!(
                f,
                "{bytes} bytes are too many for a line, which has at most {LINE_BYTES_MAX}: leave out the contents of \
                 entries, or put a number in the place of the bytes of commands"
            ),
            RecordingProblem::Json { why, .. } => f.write_str(why),
            RecordingProblem::NoObject => f.write_str("expected an object, with an “event”"),
            RecordingProblem::NoHeader => {
                write!(f, "a recording begins with a header: put {{\"{HEADER}\":{VERSION}}} before this line")
            }
            RecordingProblem::Version { found } => {
                write!(f, "{HEADER}: this reads version {VERSION}, not {found}: read it with the version that wrote it")
            }
            RecordingProblem::OtherCluster { found, first } => {
                write!(f, "this header is of the cluster {found}, and the first one of {first}: keep them apart")
            }
            RecordingProblem::Event { found } => {
                let names: Vec<&str> = EVENTS.iter().map(|row| row.name).collect();
                write!(f, "there is no event {found}: there are {}", names.join(", "))
            }
            RecordingProblem::Stranger { of, field } => write!(
                f,
                "{of}: there is no field {field}: leave it out, or say a higher `minor` in the header if it is new"
            ),
            RecordingProblem::Field { of, error } => write!(f, "{of}: {error}"),
            RecordingProblem::Contradiction { of, why } => write!(f, "{of}: {why}"),
        }
    }
}

impl core::error::Error for RecordingError {}

/// Reads a recording line by line. After an error it can go on with the next line.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    lines: u64,
    header: Option<Header>,
}

impl Reader {
    /// A reader that expects a header first.
    pub fn new() -> Reader {
        Reader::default()
    }

    /// The first header, once it has been read.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// How many lines have been read, the empty ones and those with errors, too.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Reads the next line. `None` if it isn't an event: a header, which may come again where
    /// recordings of the same cluster follow each other; an empty line; an event of a later minor
    /// version.
    ///
    /// # Errors
    /// What is wrong with the line. Nothing else happens.
    pub fn read_line(&mut self, line: &str) -> Result<Option<Recorded>, RecordingError> {
        self.lines = self.lines.saturating_add(1);
        self.read(line).map_err(|problem| RecordingError { line: self.lines, problem })
    }

    fn read(&mut self, line: &str) -> Result<Option<Recorded>, RecordingProblem> {
        if line.len() > LINE_BYTES_MAX {
            return Err(RecordingProblem::LongLine { bytes: line.len() as u64 });
        }
        let line = if self.lines == 1 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        if line.trim().is_empty() {
            return Ok(None);
        }
        let object = match serde_json::from_str(line) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Err(RecordingProblem::NoObject),
            Err(error) => {
                let sentence = error.to_string();
                let place = format!(" at line {} column {}", error.line(), error.column());
                let why = sentence.strip_suffix(&place).unwrap_or(&sentence).to_owned();
                return Err(RecordingProblem::Json { column: error.column() as u64, why });
            }
        };
        match object.get(HEADER) {
            Some(version) => self.take_header(&object, version).map(|()| None),
            None => self.event(&object),
        }
    }

    fn take_header(&mut self, object: &Map<String, Value>, version: &Value) -> Result<(), RecordingProblem> {
        if version.as_u64() != Some(VERSION) {
            let found = if version.is_number() { version.to_string() } else { "that".to_owned() };
            return Err(RecordingProblem::Version { found });
        }
        let header = Header::take(object).map_err(|error| RecordingProblem::Field { of: HEADER, error })?;
        if !is_later(&header) {
            let known = |name: &str| name == HEADER || Header::ROWS.iter().any(|row| row.name == name);
            no_strangers(object, HEADER, known)?;
        }
        match &self.header {
            None => self.header = Some(header),
            Some(first) => {
                if let (Some(found), Some(first)) = (&header.cluster, &first.cluster)
                    && found != first
                {
                    let (found, first) = (quoted(found), quoted(first));
                    return Err(RecordingProblem::OtherCluster { found, first });
                }
                // What follows may be of a later version than what was before.
                if header.minor > first.minor {
                    self.header = Some(header);
                }
            }
        }
        Ok(())
    }

    fn event(&self, object: &Map<String, Value>) -> Result<Option<Recorded>, RecordingProblem> {
        let Some(header) = &self.header else { return Err(RecordingProblem::NoHeader) };
        let name = object.get(EVENT).and_then(Value::as_str);
        let Some(name) = name else {
            let error = FieldError::new(format!("expected an object with the text {EVENT}"));
            return Err(RecordingProblem::Field { of: "line", error });
        };
        let Some(row) = EVENTS.iter().find(|row| row.name == name) else {
            return if is_later(header) { Ok(None) } else { Err(RecordingProblem::Event { found: quoted(name) }) };
        };
        let of = row.name;
        if !is_later(header) {
            let rows = || Place::ROWS.iter().chain(row.fields);
            no_strangers(object, of, |name| name == EVENT || rows().any(|row| row.name == name))?;
        }
        let wrong = |error| RecordingProblem::Field { of, error };
        let Place { time, server, life, sequence } = Place::take(object).map_err(wrong)?;
        let Some(what) = What::take(name, object).map_err(wrong)? else { return Ok(None) };
        let contradiction = if row.by_server && server.is_none() {
            Some("it needs the field server: a server is who observes it")
        } else if life.is_some() && server.is_none() {
            Some("there is no life without a server")
        } else if sequence.is_some() && life.is_none() {
            Some("there is no sequence without a life")
        } else {
            match &what {
                What::State(state) | What::Changed(state) => contradiction_in(state),
                _ => None,
            }
        };
        match contradiction {
            Some(why) => Err(RecordingProblem::Contradiction { of, why }),
            None => Ok(Some(Recorded { time, server, life, sequence, what })),
        }
    }
}

/// Whether it is of a later minor version than this reader.
fn is_later(header: &Header) -> bool {
    header.minor.is_some_and(|minor| minor > MINOR_VERSION)
}

fn no_strangers(
    object: &Map<String, Value>,
    of: &'static str,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), RecordingProblem> {
    match object.keys().find(|name| !is_known(name)) {
        Some(stranger) => Err(RecordingProblem::Stranger { of, field: quoted(stranger) }),
        None => Ok(()),
    }
}

/// What doesn't fit together in what is said of a log.
fn contradiction_in(state: &State) -> Option<&'static str> {
    let State { base, last, first, appended, terms, .. } = state;
    if first.is_some() != appended.is_some() {
        return Some("the fields first and appended belong together");
    }
    if let (Some(first), Some(appended)) = (first, appended) {
        let end = first.0.checked_add(appended.len() as u64).filter(|end| *end <= LogIndex::MAX.0);
        let Some(end) = end else { return Some("first: no log has an entry with that index") };
        if *first == LogIndex::ZERO || appended.is_empty() {
            return Some("appended: expected at least one entry, and first at least 1");
        }
        if last.is_some_and(|last| last.index.0 != end - 1) {
            return Some("last isn’t the last entry that is appended");
        }
    }
    if let Some(terms) = terms {
        let Some(last) = last else { return Some("terms needs the field last: where the last term ends") };
        if Terms::new(terms.clone(), last.index).is_none() {
            return Some("terms: expected the first entry of each term, in the order of the indexes, up to last");
        }
        let before = base.map_or(LogIndex::ZERO, |base| base.index);
        if terms.first().is_some_and(|first| first.index <= before) {
            return Some("terms: its first entry isn’t in the log, which begins after base");
        }
    }
    None
}

/// A recording as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Its header.
    pub header: Header,
    /// Its events, in the order of the lines.
    pub events: Vec<Recorded>,
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(text: &str) -> Result<Recording, RecordingError> {
        if text.len() > BYTES_MAX {
            let problem = RecordingProblem::TooLarge { bytes: text.len() as u64 };
            return Err(RecordingError { line: 0, problem });
        }
        let mut reader = Reader::new();
        let mut events = Vec::new();
        for line in text.lines() {
            events.extend(reader.read_line(line)?);
        }
        let problem = RecordingProblem::NoHeader;
        let header = reader.header.ok_or(RecordingError { line: reader.lines.max(1), problem })?;
        Ok(Recording { header, events })
    }

    /// All lines. See [`Recorded::line`] for `bytes_max`.
    pub fn write(&self, bytes_max: usize) -> String {
        let events = self.events.iter().map(|recorded| recorded.line(bytes_max) + "\n");
        self.header.line() + "\n" + &events.collect::<String>()
    }

    /// What its clients asked and were answered, as a client history
    /// ([`history`](crate::format::history)): the lines of its requests, with their times.
    pub fn history(&self) -> String {
        let line = |time: Time, what: &What| match what {
            What::Requested(requested) => Some(requested.request.clone().at(Some(time)).write() + "\n"),
            _ => None,
        };
        self.events.iter().filter_map(|recorded| line(recorded.time, &recorded.what)).collect()
    }
}
