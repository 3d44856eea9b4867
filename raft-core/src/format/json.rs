//! What JSON objects of messages and recordings consist of: numbers, servers, entries and so on.
//! Most of it comes from the table of the values that travel in messages.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt::{self, Write};

use serde_json::{Map, Value, json};

use super::base64;
use crate::raft::{
    AppendOutcome, Bytes, Configuration, DiskId, Entries, Entry, EntryId, LogIndex, Payload, Piece, ServerId,
    ServerSet, SnapshotMeta, SnapshotProgress, Term, values,
};
use crate::time::{Duration, Time};

/// Which of several things something is.
const IS: &str = "is";

/// Why a text isn't what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The fields that lead to what is wrong, the innermost first.
    within: Vec<&'static str>,
    problem: String,
}

impl FieldError {
    pub(super) fn new(problem: String) -> FieldError {
        FieldError { within: Vec::new(), problem }
    }

    pub(super) fn expected<T>(what: &str, found: &Value) -> Result<T, FieldError> {
        let found = match found {
            Value::Null => "null".to_owned(),
            Value::Bool(found) => found.to_string(),
            Value::Number(found) => found.to_string(),
            // What is in these may be long, and anybody's.
            Value::String(_) => "a text".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        };
        Err(FieldError::new(format!("expected {what}, not {found}")))
    }

    pub(super) fn within(mut self, field: &'static str) -> FieldError {
        self.within.push(field);
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, field) in self.within.iter().rev().enumerate() {
            write!(f, "{}{field}", if place > 0 { "." } else { "" })?;
        }
        write!(f, "{}{}", if self.within.is_empty() { "" } else { ": " }, self.problem)
    }
}

impl core::error::Error for FieldError {}

/// What can be in a message.
pub(super) trait Json: Sized {
    /// Writes it. Bytes that are more than `bytes_max` are written as their number: see
    /// [`without_counts`].
    fn put(&self, to: &mut String, bytes_max: usize);

    fn read(value: &Value) -> Result<Self, FieldError>;

    /// The JSON Schema of it.
    fn schema() -> Value;
}

/// A field of an object that is being written: not the first.
pub(super) fn put_field(to: &mut String, name: &str, value: &impl Json, bytes_max: usize) {
    // Writing to a String can't fail.
    let _ = write!(to, ",\"{name}\":");
    value.put(to, bytes_max);
}

/// An object with these fields and no others.
pub(super) fn object<'v>(value: &'v Value, what: &str, fields: &[&str]) -> Result<&'v Map<String, Value>, FieldError> {
    let Value::Object(object) = value else { return FieldError::expected(what, value) };
    if object.len() > fields.len() {
        let is_strange = |name: &&String| !fields.contains(&name.as_str());
        let stranger = object.keys().find(is_strange).map_or("", |name| name);
        return Err(FieldError::new(format!("{what} has no field {}", quoted(stranger))));
    }
    match fields.iter().find(|name| !object.contains_key(**name)) {
        Some(missing) => Err(FieldError::new(format!("{what} needs the field {missing}"))),
        None => Ok(object),
    }
}

/// The beginning of a name that anybody may have chosen.
pub(super) fn quoted(name: &str) -> String {
    format!("{:?}", name.chars().take(40).collect::<String>())
}

pub(super) fn field<T: Json>(object: &Map<String, Value>, name: &'static str) -> Result<T, FieldError> {
    T::read(object.get(name).unwrap_or(&Value::Null)).map_err(|error| error.within(name))
}

/// The text of a field by which the rest is understood.
pub(super) fn word<'v>(value: &'v Value, field: &'static str) -> Result<&'v str, FieldError> {
    match value.get(field) {
        Some(Value::String(word)) => Ok(word),
        _ => Err(FieldError::new(format!("expected an object with the text {field}"))),
    }
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
            fn put(&self, to: &mut String, _: usize) {
                let get: fn(&$number) -> u64 = $get;
                let _ = write!(to, "{}", get(self));
            }

            fn read(value: &Value) -> Result<$number, FieldError> {
                let of: fn(u64) -> $number = $of;
                value.as_u64().map_or_else(|| FieldError::expected("a number", value), |number| Ok(of(number)))
            }

            fn schema() -> Value {
                json!({ "type": "integer", "minimum": 0 })
            }
        })+

        $(impl Json for $struct {
            fn put(&self, to: &mut String, bytes_max: usize) {
                let start = to.len();
                $(put_field(to, stringify!($field), &self.$field, bytes_max);)+
                to.replace_range(start..=start, "{");
                to.push('}');
            }

            fn read(value: &Value) -> Result<$struct, FieldError> {
                let object = object(value, "an object", &[$(stringify!($field)),+])?;
                Ok($struct { $($field: field(object, stringify!($field))?),+ })
            }

            fn schema() -> Value {
                reference(stringify!($struct))
            }
        })+

        $(impl Json for $choice {
            fn put(&self, to: &mut String, bytes_max: usize) {
                match self {
                    $($choice::$variant $(($only))? $({ $($part),+ })? => {
                        let _ = write!(to, "{{\"{IS}\":\"{}\"", $name);
                        $(put_field(to, stringify!($only), $only, bytes_max);)?
                        $($(put_field(to, stringify!($part), $part, bytes_max);)+)?
                    })+
                }
                to.push('}');
            }

            fn read(value: &Value) -> Result<$choice, FieldError> {
                match word(value, IS)? {
                    $($name => {
                        let names = &[IS, $(stringify!($only))? $($(stringify!($part)),+)?];
                        let _object = object(value, $name, names)?;
                        $(let $only = field(_object, stringify!($only))?;)?
                        $($(let $part = field(_object, stringify!($part))?;)+)?
                        Ok($choice::$variant $(($only))? $({ $($part),+ })?)
                    })+
                    other => Err(FieldError::new(format!("{} is none of what it can be", quoted(other)))),
                }
            }

            fn schema() -> Value {
                reference(stringify!($choice))
            }
        })+

        /// The JSON Schemas of structures and choices, by name.
        pub(super) fn definitions() -> Map<String, Value> {
            let mut definitions = Map::new();
            $(
                let fields = [$((stringify!($field), <$type>::schema())),+];
                definitions.insert(stringify!($struct).to_owned(), object_schema(fields));
            )+
            $(
                let choices = [$({
                    let fields: &[(&'static str, Value)] = &[
                        $((stringify!($only), <$of_only>::schema()))?
                        $($((stringify!($part), <$of_part>::schema())),+)?
                    ];
                    let mut schema = object_schema(fields.iter().cloned());
                    schema["properties"][IS] = json!({ "const": $name });
                    schema["required"].as_array_mut().expect("a list").insert(0, json!(IS));
                    schema
                }),+];
                definitions.insert(stringify!($choice).to_owned(), json!({ "oneOf": choices }));
            )+
            definitions
        }

        /// The table of what messages are made of: the rest of that part.
        pub(super) fn list_values(to: &mut String) {
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

/// A schema that stands among the definitions.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// The schema of an object that has these fields, and no others.
pub(super) fn object_schema(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let properties: Map<String, Value> = fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let required: Vec<&String> = properties.keys().collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}

/// What isn't in the table of values: its name, what it is as bytes, and what it is as JSON.
const BY_HAND: [(&str, &str, &str); 6] = [
    ("bool", "0 or 1", "true or false"),
    ("Option", "0, or 1 and what it is", "null, or what it is"),
    ("ServerId", "a byte, 1 to 127", "`\"S3\"`"),
    ("ServerSet", "a byte: how many; each server, ascending", "a list of servers, ascending"),
    ("Bytes, Piece", "a number: how many; the bytes", "a text: base64url without padding"),
    ("Entries", "a number: how many; each entry", "a list of entries"),
];

impl Json for bool {
    fn put(&self, to: &mut String, _: usize) {
        let _ = write!(to, "{self}");
    }

    fn read(value: &Value) -> Result<bool, FieldError> {
        value.as_bool().map_or_else(|| FieldError::expected("true or false", value), Ok)
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl<T: Json> Json for Option<T> {
    fn put(&self, to: &mut String, bytes_max: usize) {
        match self {
            Some(value) => value.put(to, bytes_max),
            None => to.push_str("null"),
        }
    }

    fn read(value: &Value) -> Result<Option<T>, FieldError> {
        if value.is_null() { Ok(None) } else { T::read(value).map(Some) }
    }

    fn schema() -> Value {
        json!({ "oneOf": [{ "type": "null" }, T::schema()] })
    }
}

impl<T: Json> Json for Arc<T> {
    fn put(&self, to: &mut String, bytes_max: usize) {
        (**self).put(to, bytes_max);
    }

    fn read(value: &Value) -> Result<Arc<T>, FieldError> {
        T::read(value).map(Arc::new)
    }

    fn schema() -> Value {
        T::schema()
    }
}

impl Json for ServerId {
    fn put(&self, to: &mut String, _: usize) {
        let _ = write!(to, "\"{self}\"");
    }

    fn read(value: &Value) -> Result<ServerId, FieldError> {
        let number = value.as_str().and_then(|text| text.strip_prefix('S'));
        // As servers are written, and no other way.
        let number = number.filter(|digits| digits.starts_with(|first: char| matches!(first, '1'..='9')));
        let server = number.and_then(|digits| ServerId::new(digits.parse().ok()?));
        server.map_or_else(|| FieldError::expected("a server, like \"S3\"", value), Ok)
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^S[1-9][0-9]{0,2}$" })
    }
}

pub(super) fn put_list<T: Json>(to: &mut String, list: impl Iterator<Item: Borrow<T>>, bytes_max: usize) {
    to.push('[');
    for (place, of_list) in list.enumerate() {
        if place > 0 {
            to.push(',');
        }
        of_list.borrow().put(to, bytes_max);
    }
    to.push(']');
}

pub(super) fn read_list<'v, T: Json>(
    value: &'v Value,
    what: &str,
) -> Result<impl Iterator<Item = Result<T, FieldError>> + use<'v, T>, FieldError> {
    let Value::Array(list) = value else { return FieldError::expected(what, value) };
    Ok(list.iter().map(T::read))
}

impl Json for ServerSet {
    fn put(&self, to: &mut String, bytes_max: usize) {
        put_list::<ServerId>(to, self.iter(), bytes_max);
    }

    fn read(value: &Value) -> Result<ServerSet, FieldError> {
        let mut servers = ServerSet::EMPTY;
        let mut last = None;
        for server in read_list::<ServerId>(value, "a list of servers")? {
            let server = server?;
            if last >= Some(server) {
                return Err(FieldError::new(format!("{server} isn't above the one before it")));
            }
            last = Some(server);
            servers.insert(server);
        }
        Ok(servers)
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": ServerId::schema() })
    }
}

impl Json for Entries {
    fn put(&self, to: &mut String, bytes_max: usize) {
        put_list::<Entry>(to, self.as_slice().iter(), bytes_max);
    }

    fn read(value: &Value) -> Result<Entries, FieldError> {
        read_list(value, "a list of entries")?.collect()
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": Entry::schema() })
    }
}

fn put_bytes(to: &mut String, bytes: &[u8], bytes_max: usize) {
    let _ = match bytes.len() {
        count if count > bytes_max => write!(to, "{count}"),
        _ => write!(to, "\"{}\"", base64::encode(bytes)),
    };
}

/// A text, or the number of bytes that were left out.
fn bytes_schema() -> Value {
    json!({ "oneOf": [{ "type": "string", "pattern": "^[A-Za-z0-9_-]*$" }, u64::schema()] })
}

fn read_bytes(value: &Value) -> Result<Vec<u8>, FieldError> {
    let bytes = value.as_str().and_then(|text| base64::decode(text).ok());
    bytes.map_or_else(|| FieldError::expected("bytes in base64url", value), Ok)
}

impl Json for Bytes {
    fn put(&self, to: &mut String, bytes_max: usize) {
        put_bytes(to, self, bytes_max);
    }

    fn read(value: &Value) -> Result<Bytes, FieldError> {
        read_bytes(value).map(|bytes| bytes[..].into())
    }

    fn schema() -> Value {
        bytes_schema()
    }
}

impl Json for Piece {
    fn put(&self, to: &mut String, bytes_max: usize) {
        put_bytes(to, self.bytes(), bytes_max);
    }

    fn read(value: &Value) -> Result<Piece, FieldError> {
        let bytes: Arc<[u8]> = read_bytes(value)?.into();
        Ok(Piece::of(&bytes, 0, bytes.len() as u64))
    }

    fn schema() -> Value {
        bytes_schema()
    }
}

/// The fields that hold bytes.
const OF_BYTES: [&str; 2] = ["command", "piece"];

/// The value with no bytes in place of each number of bytes that were left out; `None` if none
/// were.
pub(super) fn without_counts(value: &Value) -> Option<Value> {
    match value {
        Value::Array(list) => {
            let (place, first) = list.iter().enumerate().find_map(|(at, value)| Some((at, without_counts(value)?)))?;
            let rest = list[place + 1..].iter().map(|value| without_counts(value).unwrap_or_else(|| value.clone()));
            Some(list[..place].iter().cloned().chain([first]).chain(rest).collect())
        }
        Value::Object(object) => {
            let mut changed = None;
            for (name, value) in object {
                let filled = match value {
                    Value::Number(count) if count.is_u64() && OF_BYTES.contains(&name.as_str()) => Some(json!("")),
                    value => without_counts(value),
                };
                if let Some(filled) = filled {
                    changed.get_or_insert_with(|| object.clone()).insert(name.clone(), filled);
                }
            }
            changed.map(Value::Object)
        }
        _ => None,
    }
}
