//! The tables: what a recording's header says, what servers can observe, and what is known of each.
//! Types, writer, reader, the JSON Schema and the list in `docs/formats.md` are made from them.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::values::{Appended, Epoch, LossReason, Role, Unit};
use crate::format::history;
use crate::format::json::{FieldError, Json, field, put_field};
use crate::format::message::Content;
use crate::raft::{Configuration, EntryId, LogIndex, Raft, ServerId, ServerSet, Term, Weight};
use crate::time::Time;

/// What is observed of a running server besides its log's content, at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::format) struct Observed(Facts);

impl Observed {
    pub(in crate::format) fn of(raft: &Raft) -> Observed {
        Observed(Facts::of(raft))
    }

    pub(in crate::format) fn role(&self) -> Role {
        self.0.role
    }

    pub(in crate::format) fn term(&self) -> Term {
        self.0.term
    }

    /// What is another than before, or all of it, as fields of an object: a comma before each.
    /// `None` if nothing is.
    pub(in crate::format) fn changes_since(&self, before: Option<&Observed>) -> Option<String> {
        let state = before.map_or_else(|| State::from(&self.0), |before| self.0.changed_since(&before.0));
        let mut fields = String::new();
        state.put(&mut fields, 0);
        (!fields.is_empty()).then_some(fields)
    }
}

/// Hands to a macro what is known of a server besides its log, and how a running server is asked
/// for it.
macro_rules! state_facts {
    ($then:ident) => {
        $then! {
            /// Its role.
            role: Role = |raft| Role::of(raft.role());
            /// Its term.
            term: Term = Raft::term;
            /// The server that it voted for in that term; null if it voted for none.
            vote: Option<ServerId> = |raft| raft.hard_state().voted_for;
            /// The leader of that term, as far as it knows; null if it knows none.
            leader: Option<ServerId> = Raft::leader;
            /// Its commit index.
            commit: LogIndex = Raft::commit_index;
            /// Everything up to here has been handed to its state machine.
            applied: LogIndex = Raft::applied_index;
            /// Everything up to here is on its own disk.
            durable: LogIndex = Raft::durable_index;
            /// The membership in force for it.
            members: Configuration = |raft| *raft.configuration();
            /// The last entry that its latest snapshot covers; null if it has no snapshot.
            snapshot: Option<EntryId> = |raft| raft.snapshot().map(|snapshot| snapshot.meta.last);
            /// The last entry that is gone from its log, because a snapshot covers it; index 0 if
            /// none is.
            base: EntryId = |raft| raft.log().base();
            /// The last entry of its log.
            last: EntryId = |raft| raft.log().last();
        }
    };
}

/// The type of a field that must be there, or may be.
macro_rules! held {
    (must $type:ty) => { $type };
    (may $type:ty) => { Option<$type> };
}

macro_rules! put {
    (must $to:ident, $name:expr, $value:expr, $bytes_max:ident) => {
        put_field($to, $name, $value, $bytes_max)
    };
    (may $to:ident, $name:expr, $value:expr, $bytes_max:ident) => {
        if let Some(value) = $value {
            put_field($to, $name, value, $bytes_max);
        }
    };
}

macro_rules! take {
    (must $object:ident, $name:expr) => {{
        if !$object.contains_key($name) {
            return Err(FieldError::new(format!("the field {} is missing", $name)));
        }
        field($object, $name)?
    }};
    (may $object:ident, $name:expr) => {
        if $object.contains_key($name) { Some(field($object, $name)?) } else { None }
    };
}

/// One field of a structure.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) must: bool,
    pub(super) type_name: &'static str,
    pub(super) doc: &'static str,
    pub(super) schema: fn() -> Value,
}

/// Several fields, next to others on a line or as an object of their own.
pub(super) trait Fields: Sized {
    const ROWS: &[Row];

    /// Writes each field with a comma before it.
    fn put(&self, to: &mut String, bytes_max: usize);

    /// Takes its fields out of an object that may have others.
    fn take(object: &Map<String, Value>) -> Result<Self, FieldError>;
}

macro_rules! define_fields {
    ($(
        $(#[doc = $of:literal])+
        $Fields:ident $(: $Default:ident)? { $($(#[doc = $doc:literal])+ $need:ident $field:ident: $type:ty,)* }
    )+) => {
        $(
            $(#[doc = $of])+
            #[derive(Clone, Debug, PartialEq, Eq $(, $Default)?)]
            pub struct $Fields {
                $($(#[doc = $doc])+ pub $field: held!($need $type),)*
            }

            impl Fields for $Fields {
                const ROWS: &[Row] = &[$(Row {
                    name: stringify!($field),
                    must: matches!(stringify!($need).as_bytes(), b"must"),
                    type_name: stringify!($type),
                    doc: concat!($($doc),+),
                    schema: <$type>::schema,
                },)*];

                fn put(&self, to: &mut String, bytes_max: usize) {
                    $(put!($need to, stringify!($field), &self.$field, bytes_max);)*
                }

                fn take(object: &Map<String, Value>) -> Result<$Fields, FieldError> {
                    Ok($Fields { $($field: take!($need object, stringify!($field)),)* })
                }
            }
        )+
    };
}

macro_rules! define_state {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $get:expr;)+) => {
        define_fields! {
            /// What is known of a server at a moment. What is missing is as it was.
            State: Default {
                $($(#[doc = $doc])+ may $field: $type,)+
                /// The server dropped every entry after this one from its log, before it appended
                /// any.
                may truncated: LogIndex,
                /// The index of the first entry that it appended.
                may first: LogIndex,
                /// The entries that it appended, in their order.
                may appended: Vec<Appended>,
                /// The terms in its log: the first entry of each. The first of these may be later
                /// than the log’s first entry; what is before is unknown.
                may terms: Vec<EntryId>,
            }
        }

        /// What [`State`] says besides the log's content, all of it.
        #[derive(Clone, Debug, PartialEq)]
        pub(super) struct Facts {
            $(pub(super) $field: $type,)+
        }

        impl Facts {
            pub(super) fn of(raft: &Raft) -> Facts {
                $(let $field: fn(&Raft) -> $type = $get;)+
                Facts { $($field: $field(raft),)+ }
            }

            /// What is another than before.
            pub(super) fn changed_since(&self, before: &Facts) -> State {
                State { $($field: (self.$field != before.$field).then_some(self.$field),)+ ..State::default() }
            }
        }

        impl From<&Facts> for State {
            fn from(facts: &Facts) -> State {
                State { $($field: Some(facts.$field),)+ ..State::default() }
            }
        }

        impl State {
            /// Puts what another says in the place of what this one says, except for the log's
            /// content.
            pub(super) fn adopt(&mut self, newer: &State) {
                $(if newer.$field.is_some() {
                    self.$field = newer.$field;
                })+
            }
        }
    };
}
state_facts!(define_state);

define_fields! {
    /// The first line of a recording.
    Header: Default {
        /// The minor version; 0 if it is missing. A later minor version has further events, and
        /// further fields beside those of an event: a reader that doesn't know them passes over
        /// them.
        may minor: u64,
        /// The program that wrote it.
        may by: String,
        /// The name of the cluster.
        may cluster: String,
        /// The servers, if they are known beforehand.
        may servers: ServerSet,
        /// The unit of `time`: `us` is microseconds.
        may unit: Unit,
        /// What `time` counts from: the beginning of the `run`, or the `unix` epoch.
        may epoch: Epoch,
    }

    /// Who observed it, and when. These fields are on every line but the header.
    Place {
        /// When.
        must time: Time,
        /// The server that observed it. It is missing where clients, the network or an operator
        /// observed it.
        may server: ServerId,
        /// Which life of that server it was: a number that is higher after each of its starts.
        may life: u64,
        /// The number of the line in that life: one more than that of the server’s line before. A
        /// `state` that was made for a new reader has the number of the last line that it takes
        /// into account. It is missing where the server itself didn’t observe it.
        may sequence: u64,
    }

    /// What [`What::Sent`] says.
    Sent {
        /// The receiver.
        must to: ServerId,
        /// The number of the message. Together with its sender and the sender’s life it identifies
        /// the message.
        must number: u64,
        /// What it says.
        may message: Content,
    }

    /// What [`What::Received`] says.
    Received {
        /// The sender.
        must from: ServerId,
        /// The life of the sender in which it sent the message.
        may from_life: u64,
        /// The number that its sender gave it.
        may number: u64,
        /// What it says.
        may message: Content,
    }

    /// What [`What::Lost`] says.
    Lost {
        /// The sender.
        must from: ServerId,
        /// The life of the sender in which it sent the message.
        may from_life: u64,
        /// The number that its sender gave it.
        may number: u64,
        /// The server to which it was sent.
        may to: ServerId,
        /// Why.
        may why: LossReason,
        /// When, if not at the time of this line.
        may at: Time,
    }

    /// What [`What::Duplicated`] says.
    Duplicated {
        /// The sender of the message.
        must from: ServerId,
        /// The life of the sender in which it sent the message.
        may from_life: u64,
        /// The number that its sender gave it.
        must number: u64,
        /// The number of the copy.
        must copy: u64,
        /// The receiver.
        may to: ServerId,
    }

    /// What [`What::Requested`] says.
    Requested {
        /// A line of a client history without its `time`. All of these in a row are the history.
        must request: history::Line,
        /// A write that is done only if the key has this revision; null: only if it has no value.
        /// It ends with `fail` if that doesn’t hold.
        may revision_expected: Option<u64>,
        /// The request key of a write: it is done once, however often it is asked for.
        may request_key: String,
        /// At an end: the answer is that of an earlier request with this request key. This one had
        /// no effect, and ends with `fail`.
        may repeated: bool,
    }

    /// What [`What::Note`] says.
    Note {
        /// The name of what happened, as in traces.
        must kind: String,
        /// How much it matters.
        may weight: Weight,
        /// The sentence.
        must text: String,
        /// Where to read on.
        may section: String,
    }
}

/// Hands to a macro the events: the name of each, its fields, and who can have observed it.
macro_rules! events {
    ($then:ident) => {
        $then! {
            /// A server started, in the life that this line names. Nothing is known of its state
            /// until a `state` follows.
            "started" Started by server;
            /// All that is known of a server. A stream begins with it, for each server.
            "state" State(State in Box) by server;
            /// What is another after a step of a server. What is missing is as it was.
            "changed" Changed(State in Box) by server;
            /// A server stopped by its own will. Nothing is known of its state from now on.
            "stopped" Stopped by server;
            /// A server crashed, as whoever runs it noticed. Nothing is known of its state from now
            /// on.
            "crashed" Crashed by server;
            /// A server sent a message to another server.
            "sent" Sent(Sent) by server;
            /// A server received a message. What it did about it follows.
            "received" Received(Received) by server;
            /// A message was lost, or will certainly be.
            "lost" Lost(Lost) by anybody;
            /// The network made a copy of a message.
            "duplicated" Duplicated(Duplicated) by anybody;
            /// A client’s request began or ended.
            "request" Requested(Requested in Box) by anybody;
            /// Something else happened, told in words. With a `sequence` the server decided or
            /// noticed it itself; otherwise it is about the server.
            "note" Note(Note in Box) by anybody;
        }
    };
}

macro_rules! boxed {
    ($Fields:ident) => { $Fields };
    ($Fields:ident Box) => { Box<$Fields> };
}

/// An event, for the list and the schema.
pub(super) struct EventRow {
    pub(super) name: &'static str,
    pub(super) by_server: bool,
    pub(super) doc: &'static str,
    pub(super) fields: &'static [Row],
}

macro_rules! define_events {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal $Event:ident $(($Fields:ident $(in $Box:ident)?))? by $who:ident;
    )+) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum What {
            $($(#[doc = $doc])+ $Event $((boxed!($Fields $($Box)?)))?,)+
        }

        /// The events, in the order of the list.
        pub(super) const EVENTS: &[EventRow] = &[$(EventRow {
            name: $name,
            by_server: matches!(stringify!($who).as_bytes(), b"server"),
            doc: concat!($($doc),+),
            fields: { let _fields: &[Row] = &[]; $(let _fields = <$Fields as Fields>::ROWS;)? _fields },
        },)+];

        impl What {
            /// Its name in files.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(What::$Event { .. } => $name,)+
                }
            }

            pub(super) fn put(&self, to: &mut String, bytes_max: usize) {
                $($(if let What::$Event(fields) = self {
                    return <$Fields as Fields>::put(fields, to, bytes_max);
                })?)+
            }

            /// What the event of this name says in the fields of a line; `None` if there is no such
            /// event.
            #[allow(clippy::useless_conversion)] // Some events are boxed.
            pub(super) fn take(name: &str, object: &Map<String, Value>) -> Result<Option<What>, FieldError> {
                Ok(Some(match name {
                    $($name => What::$Event $((<$Fields as Fields>::take(object)?.into()))?,)+
                    _ => return Ok(None),
                }))
            }
        }
    };
}
events!(define_events);
