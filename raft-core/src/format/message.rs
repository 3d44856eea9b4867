//! Messages between servers as JSON, for recordings: an object a message, on one line.
//!
//! ```json
//! {"message":"request-vote","term":5,"last":{"index":7,"term":4},"leadership_transfer":false}
//! ```
//!
//! The fields of a message, and the types that they are made of, come from the tables by which it
//! travels as bytes ([`Message::encode`]); `docs/formats.md` lists both. Every field must be there,
//! and no other. Numbers have up to 64 bits, which not every reader of JSON keeps.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt::{self, Write};

use serde_json::{Map, Value};

use super::{base64, kebab};
use crate::raft::{
    self, AppendOutcome, Bytes, Configuration, DiskId, Entries, Entry, EntryId, LogIndex, Message, Payload, Piece,
    ServerId, ServerSet, SnapshotMeta, SnapshotProgress, Term, messages, values,
};
use crate::time::{Duration, Time};

/// Which message it is.
const MESSAGE: &str = "message";
/// Which of several things something is.
const IS: &str = "is";

/// Why a text is no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageError {
    /// The fields that lead to what is wrong, the innermost first.
    within: Vec<&'static str>,
    problem: String,
}

impl MessageError {
    fn new(problem: String) -> MessageError {
        MessageError { within: Vec::new(), problem }
    }

    fn expected<T>(what: &str, found: &Value) -> Result<T, MessageError> {
        let found = match found {
            Value::Null => "null".to_owned(),
            Value::Bool(found) => found.to_string(),
            Value::Number(found) => found.to_string(),
            // What is in these may be long, and anybody's.
            Value::String(_) => "a text".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        };
        Err(MessageError::new(format!("expected {what}, not {found}")))
    }

    fn within(mut self, field: &'static str) -> MessageError {
        self.within.push(field);
        self
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, field) in self.within.iter().rev().enumerate() {
            write!(f, "{}{field}", if place > 0 { "." } else { "" })?;
        }
        write!(f, "{}{}", if self.within.is_empty() { "" } else { ": " }, self.problem)
    }
}

impl core::error::Error for MessageError {}

/// What can be in a message.
trait Json: Sized {
    fn put(&self, to: &mut String);

    fn read(value: &Value) -> Result<Self, MessageError>;
}

/// A field of an object that is being written: not the first.
fn put_field(to: &mut String, name: &str, value: &impl Json) {
    // Writing to a String can't fail.
    let _ = write!(to, ",\"{name}\":");
    value.put(to);
}

/// An object with these fields and no others.
fn object<'v>(value: &'v Value, what: &str, fields: &[&str]) -> Result<&'v Map<String, Value>, MessageError> {
    let Value::Object(object) = value else { return MessageError::expected(what, value) };
    if object.len() > fields.len() {
        let is_strange = |name: &&String| !fields.contains(&name.as_str());
        let stranger = object.keys().find(is_strange).map_or("", |name| name);
        return Err(MessageError::new(format!("{what} has no field {}", quoted(stranger))));
    }
    match fields.iter().find(|name| !object.contains_key(**name)) {
        Some(missing) => Err(MessageError::new(format!("{what} needs the field {missing}"))),
        None => Ok(object),
    }
}

/// The beginning of a name that anybody may have chosen.
fn quoted(name: &str) -> String {
    format!("{:?}", name.chars().take(40).collect::<String>())
}

fn field<T: Json>(object: &Map<String, Value>, name: &'static str) -> Result<T, MessageError> {
    T::read(object.get(name).unwrap_or(&Value::Null)).map_err(|error| error.within(name))
}

/// The text of a field by which the rest is understood.
fn word<'v>(value: &'v Value, field: &'static str) -> Result<&'v str, MessageError> {
    match value.get(field) {
        Some(Value::String(word)) => Ok(word),
        _ => Err(MessageError::new(format!("expected an object with the text {field}"))),
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
            let mut to = format!("{{\"{MESSAGE}\":\"{}\"", name_of(message.name()));
            match message {
                $(Message::$message(m) => {
                    $(put_field(&mut to, stringify!($field), &m.$field);)+
                })+
            }
            to.push('}');
            to
        }

        /// Reads what [`write()`] has written.
        ///
        /// # Errors
        /// What is wrong with it, and where.
        pub fn read(text: &str) -> Result<Message, MessageError> {
            let value: Value = serde_json::from_str(text).map_err(|error| MessageError::new(error.to_string()))?;
            let name = word(&value, MESSAGE)?;
            $(if name == name_of(stringify!($message)) {
                let object = object(&value, name, &[MESSAGE, $(stringify!($field)),+])?;
                let message = raft::$message { $($field: field(object, stringify!($field))?),+ };
                return Ok(Message::$message(message.into()));
            })+
            Err(MessageError::new(format!("there is no message {}", quoted(name))))
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

/// A comment for people who have the file before them, and not the library.
fn said(doc: &str) -> String {
    let mut said = String::new();
    let mut rest = doc.trim();
    while let Some((before, after)) = rest.split_once("[`") {
        let (name, after) = after.split_once("`]").unwrap_or((after, ""));
        let _ = write!(said, "{before}`{}`", name_of(name));
        rest = after;
    }
    said + rest
}

macro_rules! define_values {
    (
        numbers { $($number:ty: $get:expr, $of:expr;)+ }
        structs { $($struct:ident { $($field:ident: $type:ident),+ })+ }
        choices { $($choice:ident { $(
            $tag:literal $name:literal $variant:ident
            $(($only:ident: $of_only:ident))? $({ $($part:ident: $of_part:ident),+ })?;
        )+ })+ }
    ) => {
        $(impl Json for $number {
            fn put(&self, to: &mut String) {
                let get: fn(&$number) -> u64 = $get;
                let _ = write!(to, "{}", get(self));
            }

            fn read(value: &Value) -> Result<$number, MessageError> {
                let of: fn(u64) -> $number = $of;
                value.as_u64().map_or_else(|| MessageError::expected("a number", value), |number| Ok(of(number)))
            }
        })+

        $(impl Json for $struct {
            fn put(&self, to: &mut String) {
                let start = to.len();
                $(put_field(to, stringify!($field), &self.$field);)+
                to.replace_range(start..=start, "{");
                to.push('}');
            }

            fn read(value: &Value) -> Result<$struct, MessageError> {
                let object = object(value, "an object", &[$(stringify!($field)),+])?;
                Ok($struct { $($field: field(object, stringify!($field))?),+ })
            }
        })+

        $(impl Json for $choice {
            fn put(&self, to: &mut String) {
                match self {
                    $($choice::$variant $(($only))? $({ $($part),+ })? => {
                        let _ = write!(to, "{{\"{IS}\":\"{}\"", $name);
                        $(put_field(to, stringify!($only), $only);)?
                        $($(put_field(to, stringify!($part), $part);)+)?
                    })+
                }
                to.push('}');
            }

            fn read(value: &Value) -> Result<$choice, MessageError> {
                match word(value, IS)? {
                    $($name => {
                        let names = &[IS, $(stringify!($only))? $($(stringify!($part)),+)?];
                        let _object = object(value, $name, names)?;
                        $(let $only = field(_object, stringify!($only))?;)?
                        $($(let $part = field(_object, stringify!($part))?;)+)?
                        Ok($choice::$variant $(($only))? $({ $($part),+ })?)
                    })+
                    other => Err(MessageError::new(format!("{} is none of what it can be", quoted(other)))),
                }
            }
        })+

        /// The table of what messages are made of: the rest of that part.
        fn list_values(to: &mut String) {
            to.push_str("| type | as bytes | as JSON |\n| --- | --- | --- |\n");
            let numbers = [$(stringify!($number)),+].join(", ");
            let _ = writeln!(to, "| {numbers} | a number; times and durations in microseconds | a number |");
            for (of, bytes, json) in BY_HAND {
                let _ = writeln!(to, "| {of} | {bytes} | {json} |");
            }
            $(
                let fields = [$(format!("`{}`: {}", stringify!($field), stringify!($type))),+].join(", ");
                let _ = writeln!(to, "| {} | {fields} | an object with these |", stringify!($struct));
            )+
            $(
                let choices: Vec<String> = [$((
                    $tag,
                    $name,
                    &[$((stringify!($only), stringify!($of_only)))? $($((stringify!($part), stringify!($of_part))),+)?][..],
                )),+].iter().map(|(tag, name, parts): &(u8, &str, &[(&str, &str)])| {
                    let parts: Vec<String> = parts.iter().map(|(part, of)| format!(", `{part}`: {of}")).collect();
                    format!("{tag} (`{name}`){}", parts.concat())
                }).collect();
                let _ = writeln!(
                    to,
                    "| {} | {} | an object with these, and with the name as `{IS}` |",
                    stringify!($choice),
                    choices.join("; "),
                );
            )+
        }
    };
}
values!(define_values);

/// What isn't in the table of values: its name, what it is as bytes, and what it is as JSON.
const BY_HAND: [(&str, &str, &str); 6] = [
    ("bool", "0 or 1", "true or false"),
    ("Option", "0, or 1 and what it is", "null, or what it is"),
    ("ServerId", "a byte, 1 to 127", "`\"S3\"`"),
    ("ServerSet", "a byte: how many; each server, ascending", "a list of servers, ascending"),
    ("Bytes, Piece", "a number: how many; the bytes", "a text: base64url without padding"),
    ("Entries", "a number: how many; each entry", "a list of entries"),
];

/// The lists of messages and of what they are made of: a part of `docs/formats.md`.
pub fn messages_in_words() -> String {
    let mut words = String::new();
    list_messages(&mut words);
    words.push('\n');
    list_values(&mut words);
    words
}

impl Json for bool {
    fn put(&self, to: &mut String) {
        let _ = write!(to, "{self}");
    }

    fn read(value: &Value) -> Result<bool, MessageError> {
        value.as_bool().map_or_else(|| MessageError::expected("true or false", value), Ok)
    }
}

impl<T: Json> Json for Option<T> {
    fn put(&self, to: &mut String) {
        match self {
            Some(value) => value.put(to),
            None => to.push_str("null"),
        }
    }

    fn read(value: &Value) -> Result<Option<T>, MessageError> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }
}

impl<T: Json> Json for Arc<T> {
    fn put(&self, to: &mut String) {
        (**self).put(to);
    }

    fn read(value: &Value) -> Result<Arc<T>, MessageError> {
        T::read(value).map(Arc::new)
    }
}

impl Json for ServerId {
    fn put(&self, to: &mut String) {
        let _ = write!(to, "\"{self}\"");
    }

    fn read(value: &Value) -> Result<ServerId, MessageError> {
        let number = value.as_str().and_then(|text| text.strip_prefix('S'));
        // As servers are written, and no other way.
        let number = number.filter(|digits| digits.starts_with(|first: char| matches!(first, '1'..='9')));
        let server = number.and_then(|digits| ServerId::new(digits.parse().ok()?));
        server.map_or_else(|| MessageError::expected("a server, like \"S3\"", value), Ok)
    }
}

fn put_list<T: Json>(to: &mut String, list: impl Iterator<Item: Borrow<T>>) {
    to.push('[');
    for (place, of_list) in list.enumerate() {
        if place > 0 {
            to.push(',');
        }
        of_list.borrow().put(to);
    }
    to.push(']');
}

fn read_list<'v, T: Json>(
    value: &'v Value,
    what: &str,
) -> Result<impl Iterator<Item = Result<T, MessageError>> + use<'v, T>, MessageError> {
    let Value::Array(list) = value else { return MessageError::expected(what, value) };
    Ok(list.iter().map(T::read))
}

impl Json for ServerSet {
    fn put(&self, to: &mut String) {
        put_list::<ServerId>(to, self.iter());
    }

    fn read(value: &Value) -> Result<ServerSet, MessageError> {
        let mut servers = ServerSet::EMPTY;
        let mut last = None;
        for server in read_list::<ServerId>(value, "a list of servers")? {
            let server = server?;
            if last >= Some(server) {
                return Err(MessageError::new(format!("{server} isn't above the one before it")));
            }
            last = Some(server);
            servers.insert(server);
        }
        Ok(servers)
    }
}

impl Json for Entries {
    fn put(&self, to: &mut String) {
        put_list::<Entry>(to, self.as_slice().iter());
    }

    fn read(value: &Value) -> Result<Entries, MessageError> {
        read_list(value, "a list of entries")?.collect()
    }
}

fn put_bytes(to: &mut String, bytes: &[u8]) {
    let _ = write!(to, "\"{}\"", base64::encode(bytes));
}

fn read_bytes(value: &Value) -> Result<Vec<u8>, MessageError> {
    let bytes = value.as_str().and_then(|text| base64::decode(text).ok());
    bytes.map_or_else(|| MessageError::expected("bytes in base64url", value), Ok)
}

impl Json for Bytes {
    fn put(&self, to: &mut String) {
        put_bytes(to, self);
    }

    fn read(value: &Value) -> Result<Bytes, MessageError> {
        read_bytes(value).map(|bytes| bytes[..].into())
    }
}

impl Json for Piece {
    fn put(&self, to: &mut String) {
        put_bytes(to, self.bytes());
    }

    fn read(value: &Value) -> Result<Piece, MessageError> {
        let bytes: Arc<[u8]> = read_bytes(value)?.into();
        Ok(Piece::of(&bytes, 0, bytes.len() as u64))
    }
}
