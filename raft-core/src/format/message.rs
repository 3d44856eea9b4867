//! Messages between servers as JSON, for recordings: an object a message, on one line.
//!
//! ```json
//! {"message":"request-vote","term":5,"last":{"index":7,"term":4},"leadership_transfer":false}
//! ```
//!
//! The fields of a message, and the types that they are made of, come from the tables by which it
//! travels as bytes ([`Message::encode`]); `docs/formats.md` lists both. Every field must be there,
//! and no other. Numbers have up to 64 bits, which not every reader of JSON keeps.
//!
//! A recording may say less of a message than there is: see [`Content`].

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write;

use serde_json::{Map, Value, json};

use super::json::{
    FieldError, Json, field, list_values, object, object_schema, put_field, quoted, without_counts, word,
};
use super::kebab;
use crate::raft::{
    self, AppendOutcome, DiskId, Entries, EntryId, LogIndex, Message, Piece, SnapshotMeta, SnapshotProgress, Term,
    messages,
};
use crate::time::{Duration, Time};

/// Which message it is.
const MESSAGE: &str = "message";

/// What a recording says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Whole(Message),
    /// Less: fields are missing, or there is a number where bytes were.
    Part {
        /// The name of the message, as in files.
        name: String,
        /// The fields that are known, as they stand there.
        fields: Map<String, Value>,
    },
}

impl Content {
    /// The name of the message, as in files.
    pub fn name(&self) -> String {
        match self {
            Content::Whole(message) => name_of(message.name()),
            Content::Part { name, .. } => name.clone(),
        }
    }

    /// Its term, if that is known.
    pub fn term(&self) -> Option<Term> {
        match self {
            Content::Whole(message) => Some(message.term()),
            Content::Part { fields, .. } => fields.get("term").and_then(Value::as_u64).map(Term),
        }
    }

    /// Its name and its term, and nothing else.
    pub(super) fn without_the_rest(&self) -> Content {
        let term = self.term().map(|term| ("term".to_owned(), Value::from(term.0)));
        Content::Part { name: self.name(), fields: term.into_iter().collect() }
    }
}

impl Json for Content {
    fn put(&self, to: &mut String, bytes_max: usize) {
        match self {
            Content::Whole(message) => put(message, to, bytes_max),
            Content::Part { name, fields } => {
                // Writing to a String can't fail.
                let _ = write!(to, "{{\"{MESSAGE}\":\"{name}\"");
                for (name, value) in fields {
                    let _ = write!(to, ",\"{name}\":{value}");
                }
                to.push('}');
            }
        }
    }

    fn read(value: &Value) -> Result<Content, FieldError> {
        let name = word(value, MESSAGE)?;
        if let Ok(message) = read_value(value) {
            return Ok(Content::Whole(message));
        }
        let Value::Object(object) = value else { return FieldError::expected("a message", value) };
        check_part(name, without_counts(value).as_ref().and_then(Value::as_object).unwrap_or(object))?;
        let mut fields = object.clone();
        fields.remove(MESSAGE);
        Ok(Content::Part { name: name.to_owned(), fields })
    }

    fn schema() -> Value {
        json!({ "$ref": "#/$defs/Message" })
    }
}

macro_rules! define_messages {
    ($(
        $(#[doc = $doc:literal])+
        $number:literal $message:ident $(in $box:ident)? $sign:literal,
        $turn:ident $(($yes:ident))? from $sender:ident, $kind:ident, $weight:ident {
            $($(#[$of_field:meta])+ $field:ident: $type:ty $(=> $($label:literal)? $(by $said:ident)?)?,)+
        }
    )+) => {
        /// A message as a line, without a line break.
        pub fn write(message: &Message) -> String {
            let mut to = String::new();
            put(message, &mut to, usize::MAX);
            to
        }

        fn put(message: &Message, to: &mut String, bytes_max: usize) {
            // Writing to a String can't fail.
            let _ = write!(to, "{{\"{MESSAGE}\":\"{}\"", name_of(message.name()));
            match message {
                $(Message::$message(m) => {
                    $(put_field(to, stringify!($field), &m.$field, bytes_max);)+
                })+
            }
            to.push('}');
        }

        /// Reads what [`write()`] has written.
        ///
        /// # Errors
        /// What is wrong with it, and where.
        pub fn read(text: &str) -> Result<Message, FieldError> {
            read_value(&serde_json::from_str(text).map_err(|error| FieldError::new(error.to_string()))?)
        }

        fn read_value(value: &Value) -> Result<Message, FieldError> {
            let name = word(value, MESSAGE)?;
            $(if name == name_of(stringify!($message)) {
                let object = object(value, name, &[MESSAGE, $(stringify!($field)),+])?;
                let message = raft::$message { $($field: field(object, stringify!($field))?),+ };
                return Ok(Message::$message(message.into()));
            })+
            Err(FieldError::new(format!("there is no message {}", quoted(name))))
        }

        /// Checks that the fields that are there are those of this message, and have the right
        /// form.
        fn check_part(name: &str, fields: &Map<String, Value>) -> Result<(), FieldError> {
            $(if name == name_of(stringify!($message)) {
                for of in fields.keys() {
                    if ![MESSAGE, $(stringify!($field)),+].contains(&of.as_str()) {
                        return Err(FieldError::new(format!("{name} has no field {}", quoted(of))));
                    }
                }
                $(if fields.contains_key(stringify!($field)) {
                    field::<$type>(fields, stringify!($field))?;
                })+
                return Ok(());
            })+
            Err(FieldError::new(format!("there is no message {}", quoted(name))))
        }

        /// The JSON Schema of a message in a recording: every field may be missing.
        pub(super) fn message_schema() -> Value {
            json!({ "oneOf": [$(
                part_schema(&name_of(stringify!($message)), [$((stringify!($field), <$type>::schema())),+]),
            )+] })
        }

        /// The table of messages in Markdown: a part of `docs/formats.md`.
        fn list_messages(to: &mut String) {
            to.push_str("| number | `message` | fields, in the order of the bytes | what |\n| --- | --- | --- | --- |\n");
            $(
                let fields = [$(format!("`{}`: {}", stringify!($field), stringify!($type).replace(' ', ""))),+].join("; ");
                let what = concat!($($doc),+);
                let _ = writeln!(to, "| {} | `{}` | {fields} | {} |", $number, name_of(stringify!($message)), said(what));
            )+
        }
    };
}
messages!(define_messages);

/// The name of a message in files.
fn name_of(name: &str) -> String {
    kebab(&format_args!("{name}"))
}

fn part_schema<const FIELDS: usize>(name: &str, fields: [(&'static str, Value); FIELDS]) -> Value {
    let mut schema = object_schema(fields);
    schema["properties"][MESSAGE] = json!({ "const": name });
    schema["required"] = json!([MESSAGE]);
    schema
}

/// A comment for people who have the file before them, and not the library.
pub(super) fn said(doc: &str) -> String {
    let mut said = String::new();
    let mut rest = doc.trim();
    while let Some((before, after)) = rest.split_once("[`") {
        let (name, after) = after.split_once("`]").unwrap_or((after, ""));
        let _ = write!(said, "{before}`{}`", name_of(name));
        rest = after;
    }
    said + rest
}

/// The lists of messages and of what they are made of: a part of `docs/formats.md`.
pub fn messages_in_words() -> String {
    let mut words = String::new();
    list_messages(&mut words);
    words.push('\n');
    list_values(&mut words);
    words
}
