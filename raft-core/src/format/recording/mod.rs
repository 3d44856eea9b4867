//! Recordings: what the servers of a cluster observed, as JSON lines.
//!
//! A simulated run is written as a recording, and a real server streams one of what it observes.
//! Whoever reads one can draw the cluster as it was, and check what it did, without the program
//! that wrote it.
//!
//! ```json
//! {"raftarium-recording":1,"by":"raftarium 0.1.0","cluster":"orders","servers":["S1","S2","S3"],"unit":"us","epoch":"unix"}
//! {"time":1250,"server":"S3","life":2,"sequence":17,"event":"changed","role":"candidate","term":5,"vote":"S3","leader":null}
//! {"time":1250,"server":"S3","life":2,"sequence":18,"event":"sent","to":"S1","number":9,"message":{"message":"request-vote","term":5,"last":{"index":7,"term":4},"leadership_transfer":false}}
//! {"time":1900,"server":"S1","life":1,"sequence":40,"event":"received","from":"S3","from_life":2,"number":9}
//! ```
//!
//! # What a line says
//! The first line is a [`Header`]. Every other line is one event ([`What`]) and says when, and who
//! observed it ([`Recorded`]). The tables of this module have all events and fields;
//! `docs/formats.md` lists them, and `docs/recording.schema.json` is their JSON Schema.
//!
//! # State
//! State is absolute: a line that says `"commit":7` means just that, whatever was before. What a
//! line leaves out is as it was, and is unknown before it was said for the first time. [`Known`]
//! keeps the account: it takes one line after the other, and says what is known of each server.
//!
//! So a reader can begin at any line, and knows little at first. To know all, it begins with a
//! `state` of each server, which says everything but the contents of the log's entries.
//!
//! # Numbers
//! A server numbers its lines, from 1 in each of its lives. If a number is missing, lines are
//! missing, and what was known of that server isn't any more. A reader that lost its connection
//! asks for what follows the last number that it has; a server that has forgotten some of that
//! sends a `state` instead. A number that comes again is a line that comes again.
//!
//! A message is identified by its sender, the sender's life and its number: so what was received is
//! tied to what was sent.
//!
//! # Writing one
//! A [`Watcher`] beside each server is all that a driver needs. It is given the server after each
//! step, and returns a line if something is another than before. It compares some numbers, and
//! looks at no entry but those that are new.
//!
//! ```
//! use raft_core::format::recording::{BYTES_ALL, Header, Known, Reader, Role, Watcher};
//! use raft_core::raft::{Config, Configuration, Input, Output, Raft, ServerId, ServerSet, Start};
//! use raft_core::time::Time;
//!
//! let me = ServerId::FIRST;
//! let cluster = Configuration::of_voters(ServerSet::first(1));
//! let mut raft = Raft::new(Config::new(me, 7), Start::Bootstrap(cluster), Time::ZERO)?;
//! let mut watcher = Watcher::new(me, 1); // Its first life.
//! let mut lines = vec![Header { cluster: Some("mine".into()), ..Header::default() }.line()];
//!
//! let now = Time::ZERO;
//! lines.push(watcher.started(now).line(BYTES_ALL));
//! lines.extend(watcher.stepped(now, &raft).map(|recorded| recorded.line(BYTES_ALL))); // All its state.
//!
//! let (now, mut out) = (raft.deadline(), Output::default());
//! let mut inputs = vec![Input::TimerDue];
//! while let Some(input) = inputs.pop() {
//!     raft.step(now, input, &mut out);
//!     // After each step, and before what it decided is carried out:
//!     lines.extend(watcher.stepped(now, &raft).map(|recorded| recorded.line(BYTES_ALL)));
//!     for write in out.writes.drain(..) {
//!         inputs.push(Input::Durable(write.receipt)); // A disk that writes at once.
//!     }
//! }
//! assert!(lines.iter().any(|line| line.contains(r#""event":"changed","role":"leader""#)));
//!
//! // Whoever reads the lines knows what the server knew.
//! let (mut reader, mut known) = (Reader::new(), Known::new());
//! for line in &lines {
//!     if let Some(recorded) = reader.read_line(line)? {
//!         known.take(&recorded);
//!     }
//! }
//! let server = known.server(me).expect("it has been heard of");
//! assert_eq!(server.state.role, Some(Role::Leader));
//! assert_eq!(server.state.commit, Some(raft.commit_index()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Recorder`] does it for a simulated run.
//!
//! # Versions
//! The header's `raftarium-recording` is the major version: a reader refuses another one. A later
//! *minor* version has further events, and further fields beside those of an event. A reader passes
//! over them if the header says that the recording has a later minor version than the reader; of
//! its own version it refuses whatever it doesn't know.
//!
//! # Caveats
//! * Where logs differ is found by the terms of their entries, as Raft itself does it. If log
//!   matching is violated *within* one server's log, so that an entry is replaced by another of the
//!   same index and term, the recording doesn't show it.
//! * If several steps of a server are done between two looks at it, what was so only in between
//!   isn't recorded.

mod documents;
mod known;
mod read;
mod simulated;
mod table;
mod terms;
mod values;
mod watcher;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

pub use documents::{events_in_words, json_schema};
pub use known::{Heard, Known, KnownServer, MessageId, UNDER_WAY_MAX};
pub use read::{Reader, Recording, RecordingError, RecordingProblem};
pub use simulated::Recorder;
pub(super) use table::Observed;
pub use table::{Duplicated, Header, Lost, Note, Received, Requested, Sent, State, What};
use table::{Fields, Place};
pub use values::{Appended, Carried, Epoch, LossReason, Role, Unit};
pub use watcher::Watcher;

use crate::raft::{ServerId, Weight};
use crate::time::Time;

/// The major version, in the header's first field.
pub const VERSION: u64 = 1;

/// The minor version.
pub const MINOR_VERSION: u64 = 0;

/// The most bytes of a line.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most bytes of a recording that is read as a whole.
pub const BYTES_MAX: usize = 1024 * 1024 * 1024;

/// The most characters of a name or of a sentence in a note.
pub const TEXT_MAX: usize = 2_000;

/// For [`Recorded::line`]: all bytes of commands and snapshots are written.
pub const BYTES_ALL: usize = usize::MAX;

/// The field by which a header is known.
const HEADER: &str = "raftarium-recording";
/// Which event it is.
const EVENT: &str = "event";

/// One line: what happened, when, and who observed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// When.
    pub time: Time,
    /// The server that observed it, or that it is about.
    pub server: Option<ServerId>,
    /// Which life of that server it was.
    pub life: Option<u64>,
    /// The number of the line in that life, if the server itself observed it.
    pub sequence: Option<u64>,
    /// What happened.
    pub what: What,
}

impl Header {
    /// The line, without a line break.
    pub fn line(&self) -> String {
        let mut line = format!("{{\"{HEADER}\":{VERSION}");
        self.put(&mut line, BYTES_ALL);
        line.push('}');
        line
    }
}

impl Recorded {
    /// The line, without a line break. Where a command or a piece of a snapshot has more than
    /// `bytes_max` bytes, it has their number instead.
    ///
    /// A line has at most [`LINE_BYTES_MAX`] bytes. To be no longer, it leaves out all such bytes;
    /// if that isn't enough, what an event has least need of; and at last it is a note that says
    /// which event it would have been.
    pub fn line(&self, bytes_max: usize) -> String {
        let line = self.written(bytes_max);
        if line.len() <= LINE_BYTES_MAX {
            return line;
        }
        let line = self.written(0);
        if line.len() <= LINE_BYTES_MAX {
            return line;
        }
        let mut shorter = self.clone();
        match &mut shorter.what {
            What::Sent(Sent { message: Some(message), .. })
            | What::Received(Received { message: Some(message), .. }) => {
                *message = message.without_the_rest();
            }
            What::State(state) | What::Changed(state) => (state.appended, state.first) = (None, None),
            _ => {}
        }
        let line = shorter.written(0);
        if line.len() <= LINE_BYTES_MAX {
            return line;
        }
        let text = format!("What would be told here as “{}” is too long.", self.what.name());
        let note = Note { kind: "too-long".to_owned(), weight: Some(Weight::Notable), text, section: None };
        Recorded { what: What::Note(Box::new(note)), ..*self }.written(0)
    }

    fn written(&self, bytes_max: usize) -> String {
        let Recorded { time, server, life, sequence, .. } = *self;
        let mut line = String::new();
        Place { time, server, life, sequence }.put(&mut line, bytes_max);
        line.replace_range(..1, "{");
        // Writing to a String can't fail.
        let _ = write!(line, ",\"{EVENT}\":\"{}\"", self.what.name());
        self.what.put(&mut line, bytes_max);
        line.push('}');
        line
    }
}
