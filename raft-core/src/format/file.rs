//! A run as a file: JSON, to be read, edited and kept under version control.
//!
//! ```json
//! {
//!   "raftarium": 1,
//!   "note": "The leader loses power while a write is on its way.",
//!   "seed": "7",
//!   "until": "5s",
//!   "servers": 3,
//!   "without": ["persist-before-acknowledging"],
//!   "actions": [
//!     { "at": "1s", "do": "submit", "command": "put x 1" },
//!     { "at": "1.005s", "do": "crash", "server": "leader" }
//!   ]
//! }
//! ```
//!
//! Only `raftarium`, the version, and `seed` are required; everything else has the value of the
//! default world if it is left out. Lengths of time and shares are texts with units ([`units`]). A
//! seed is a text, too, because not every program keeps all the digits of a large number. An
//! unknown field is refused by its name: a typing error must not silently become a default.
//!
//! `docs/scenario.schema.json` says the same for editors and other programs.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::found::{self, FoundError};
use super::units::{self, UnitError, quote};
use super::{Run, RunError};
use crate::check::Guarantee;
use crate::kv::CommandLine;
use crate::raft::{Rule, Rules, ServerId};
use crate::sim::{self, Action, MessageKind, Parameters, Ppm, Scenario, Target, TimedAction};
use crate::sim::{action_fields, actions, parameters};
use crate::time::{Duration, Time};

/// The version that is written, and the only one there is so far.
pub const VERSION: u64 = 1;

/// The most bytes of a file.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The content of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// What it is about, for people; may be empty.
    pub note: String,
    /// The run.
    pub run: Run,
    /// Whether it says neither how far to play nor what was found. [`Run::until`] is zero then; but
    /// a file may also name that moment.
    pub open_ended: bool,
    /// What was found wrong with the run, if something was.
    pub found: Option<super::Found>,
}

impl File {
    fn check(&self) -> Result<(), FileError> {
        self.run.check().map_err(FileError::Run)?;
        let Some(found) = &self.found else { return Ok(()) };
        // A file that names the very beginning means it; a link with it stands for the whole run.
        if self.run.until == Time::ZERO && !self.open_ended && found.at > Time::ZERO {
            return Err(FileError::Found(FoundError::Later { at: found.at, until: Time::ZERO }));
        }
        found.check(&self.run).map_err(FileError::Found)
    }
}

/// A file that can't be read, or a run that can't be made one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// More than [`BYTES_MAX`] bytes.
    TooLarge {
        /// How many there are.
        bytes: usize,
    },
    /// It is something else: it doesn't name the format at all.
    Foreign,
    /// A version that this program doesn't know.
    Version {
        /// The version.
        found: u64,
    },
    /// It isn't JSON, or it doesn't have this form.
    Json {
        /// The line, from 1; 0 if the error is about no line.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        why: String,
    },
    /// It doesn't describe a valid run.
    Run(RunError),
    /// What it says was found can't have been.
    Found(FoundError),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::TooLarge { bytes } => {
                write!(f, "{bytes} bytes are too many for a scenario file, which has at most {BYTES_MAX}")
            }
            FileError::Foreign => {
                write!(f, "it is no scenario file: one is JSON, and begins with {{\"raftarium\": {VERSION}, …")
            }
            FileError::Version { found } => write!(
                f,
                "the file was made by another version of Raftarium: it has format {found}, this version reads {VERSION}"
            ),
            FileError::Json { line: 0, why, .. } => f.write_str(why),
            FileError::Json { line, column, why } => write!(f, "line {line}, column {column}: {why}"),
            FileError::Run(error) => error.fmt(f),
            FileError::Found(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FileError {}

/// Whether a file of so many bytes is read, for those who would rather ask before they load it.
///
/// # Errors
/// There are more than [`BYTES_MAX`].
pub fn check_size(bytes: usize) -> Result<(), FileError> {
    if bytes > BYTES_MAX { Err(FileError::TooLarge { bytes }) } else { Ok(()) }
}

/// Reads a file.
///
/// # Errors
/// Whatever is wrong with it.
pub fn read(text: &str) -> Result<File, FileError> {
    check_size(text.len())?;
    // The version first, because a later version may have fields that this one doesn't know.
    if !text.trim_start().starts_with('{') {
        return Err(FileError::Foreign);
    }
    let Version { raftarium } = serde_json::from_str(text).map_err(|error| json(&error))?;
    let raftarium = raftarium.ok_or(FileError::Foreign)?;
    if raftarium != VERSION {
        return Err(FileError::Version { found: raftarium });
    }
    let form: Form = serde_json::from_str(text).map_err(|error| json(&error))?;
    let scenario = form.scenario();
    let found: Option<super::Found> = form.found.map(Into::into);
    // Whoever names what was found means to play so far.
    let named = form.until.map(|until| Time::ZERO + until.0).or(found.as_ref().map(|found| found.at));
    let (until, open_ended) = (named.unwrap_or(Time::ZERO), named.is_none());
    let run = Run { scenario, until, hash: form.hash.map(|hash| hash.0) };
    let file = File { note: form.note, run, open_ended, found };
    file.check()?;
    Ok(file)
}

/// The run as a file.
///
/// # Errors
/// A run that can't be played.
pub fn write(file: &File) -> Result<String, FileError> {
    file.check()?;
    let mut text = serde_json::to_string_pretty(&Form::of(file)).map_err(|error| json(&error))?;
    text = one_line_each(&text);
    text.push('\n');
    Ok(text)
}

/// An action as a file has it, without its time.
pub(crate) fn read_action(mut fields: serde_json::Map<String, serde_json::Value>) -> Result<Action, String> {
    fields.insert("at".to_owned(), "0s".into());
    // By way of its text: to read it from a value would need all of that code a second time.
    let text = serde_json::Value::Object(fields).to_string();
    let entry: Entry = serde_json::from_str(&text).map_err(|error| match json(&error) {
        FileError::Json { why, .. } => why,
        error => error.to_string(),
    })?;
    Ok(entry.0.action)
}

fn json(error: &serde_json::Error) -> FileError {
    let (line, column) = (error.line(), error.column());
    let sentence = error.to_string();
    // The message names the place once, at its beginning.
    let why = sentence.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&sentence).to_owned();
    FileError::Json { line, column, why }
}

/// Pretty-printed JSON with each action, and each list without objects, on one line, so that a
/// person sees it at a glance.
fn one_line_each(pretty: &str) -> String {
    let mut text = String::with_capacity(pretty.len());
    let mut joining = None;
    for line in pretty.lines() {
        let bare = line.trim_start();
        let depth = line.len() - bare.len();
        match joining {
            Some(opened) => {
                let closes = depth == opened;
                if !(bare.starts_with(']') || text.ends_with('[')) {
                    text.push(' ');
                }
                text.push_str(bare);
                joining = (!closes).then_some(opened);
            }
            None => {
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(line);
                let list = bare.ends_with('[') && !bare.starts_with("\"actions\"");
                joining = (bare == "{" && depth > 0 || list).then_some(depth);
            }
        }
    }
    text
}

// ---------------------------------------------------------------- the form

/// The version alone.
#[derive(Deserialize)]
struct Version {
    raftarium: Option<u64>,
}

/// The file, field by field. A value of the default world isn't written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Form {
    raftarium: u64,
    /// The address of the schema, which editors look for.
    #[serde(default, rename = "$schema", skip_serializing)]
    _schema: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    seed: Seed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Length>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<Found>,
    #[serde(default = "default_servers")]
    servers: u8,
    #[serde(default, skip_serializing_if = "is_default")]
    network: NetworkParameters,
    #[serde(default, skip_serializing_if = "is_default")]
    disk: DiskParameters,
    #[serde(default, skip_serializing_if = "is_default")]
    timing: TimingParameters,
    #[serde(default, skip_serializing_if = "is_default")]
    limits: LimitParameters,
    #[serde(default, skip_serializing_if = "is_default")]
    clients: ClientParameters,
    #[serde(default, skip_serializing_if = "is_default")]
    checks: CheckParameters,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    without: Vec<RuleName>,
    #[serde(default)]
    actions: Vec<Entry>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn default_servers() -> u8 {
    Parameters::default().servers
}

impl Form {
    fn of(file: &File) -> Form {
        let Scenario { seed, parameters, actions } = &file.run.scenario;
        let until = file.run.until.since(Time::ZERO);
        Form {
            raftarium: VERSION,
            _schema: String::new(),
            note: file.note.clone(),
            seed: Seed(*seed),
            until: (!file.open_ended || until > Duration::ZERO).then_some(Length(until)),
            hash: file.run.hash.map(Hash),
            found: file.found.clone().map(Found::from),
            servers: parameters.servers,
            network: NetworkParameters::of(&parameters.network),
            disk: DiskParameters::of(&parameters.disk),
            timing: TimingParameters::of(&parameters.timing),
            limits: LimitParameters::of(&parameters.limits),
            clients: ClientParameters::of(&parameters.clients),
            checks: CheckParameters::of(&parameters.checks),
            without: parameters.rules.switched_off().map(RuleName).collect(),
            actions: actions.iter().map(|timed| Entry(timed.clone())).collect(),
        }
    }

    fn scenario(&self) -> Scenario {
        let parameters = Parameters {
            servers: self.servers,
            network: self.network.parameters(),
            disk: self.disk.parameters(),
            timing: self.timing.parameters(),
            limits: self.limits.parameters(),
            clients: self.clients.parameters(),
            checks: self.checks.parameters(),
            rules: self.without.iter().fold(Rules::ALL, |rules, rule| rules.without(rule.0)),
        };
        let actions = self.actions.iter().map(|entry| entry.0.clone()).collect();
        Scenario { seed: self.seed.0, parameters, actions }
    }
}

/// What was found.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Found {
    what: What,
    at: Length,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    first: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    second: String,
}

impl From<super::Found> for Found {
    fn from(super::Found { what, at, first, second }: super::Found) -> Found {
        Found { what: What(what), at: Length(at.since(Time::ZERO)), first, second }
    }
}

impl From<Found> for super::Found {
    fn from(Found { what, at, first, second }: Found) -> super::Found {
        super::Found { what: what.0, at: Time::ZERO + at.0, first, second }
    }
}

/// A parameter's form in the file.
trait InFile {
    type Form;
}

impl InFile for Duration {
    type Form = Length;
}

impl InFile for Ppm {
    type Form = Share;
}

impl InFile for bool {
    type Form = bool;
}

impl InFile for u64 {
    type Form = u64;
}

impl InFile for u8 {
    type Form = u8;
}

/// The parts of the parameters, with their fields in the file's own types.
macro_rules! define_parts {
    ($($(#[$of:meta])+ $part:ident: $Part:ident { $(
        $(#[$doc:meta])+
        $place:literal ($taken_for:literal) $name:ident: $type:ty = $default:expr, $form:ident $called:literal;
    )+ })+) => {
        $(
            #[derive(Clone, PartialEq, Deserialize, Serialize)]
            #[serde(default, deny_unknown_fields)]
            struct $Part {
                $($name: <$type as InFile>::Form,)+
            }

            impl $Part {
                fn of(parameters: &sim::$Part) -> $Part {
                    $Part { $($name: parameters.$name.into(),)+ }
                }

                fn parameters(&self) -> sim::$Part {
                    sim::$Part { $($name: self.$name.clone().into(),)+ }
                }
            }

            impl Default for $Part {
                fn default() -> $Part {
                    $Part::of(&sim::$Part::default())
                }
            }
        )+
    };
}
parameters!(define_parts);

// ---------------------------------------------------------------- values as texts

/// A value that is a text in the file.
macro_rules! as_text {
    ($(#[$doc:meta])* $name:ident($inner:ty), $read:expr, $write:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Deserialize, Serialize)]
        #[serde(try_from = "String", into = "String")]
        struct $name($inner);

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<$name, String> {
                let read: fn(&str) -> Result<$inner, String> = $read;
                read(&text).map($name)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                let write: fn($inner) -> String = $write;
                write(value.0)
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> $name {
                $name(value)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> $inner {
                value.0
            }
        }
    };
}

as_text!(Length(Duration), |text| units::duration(text).map_err(said), units::write_duration);
as_text!(Share(Ppm), |text| units::share(text).map_err(said), units::write_share);
as_text!(Seed(u64), read_seed, |seed| seed.to_string());
as_text!(Hash(u64), read_hash, |hash| format!("{hash:016x}"));
as_text!(Server(ServerId), read_server, |server| server.to_string());
as_text!(Aim(Target), read_target, write_target);
as_text!(Kind(MessageKind), read_kind, |kind| kind.name().to_owned());
as_text!(What(Guarantee), |text| found::what(text).map_err(|error| error.to_string()), |what| what.name().to_owned());
as_text!(RuleName(Rule), read_rule, |rule| rule.name().to_owned());
as_text!(
    /// A length of time forwards or backwards.
    Jump(i64),
    read_jump,
    write_jump
);

impl Default for Length {
    fn default() -> Length {
        Length(Duration::ZERO)
    }
}

fn said(error: UnitError) -> String {
    error.to_string()
}

fn read_seed(text: &str) -> Result<u64, String> {
    let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seed = if whole { text.parse().ok() } else { None };
    seed.ok_or_else(|| format!("“{}” is no seed: a seed is a whole number from 0 to {}", quote(text), u64::MAX))
}

fn read_hash(text: &str) -> Result<u64, String> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hash = if digits { u64::from_str_radix(text, 16).ok() } else { None };
    hash.ok_or_else(|| format!("“{}” is no trace hash: a trace hash has 16 hexadecimal digits", quote(text)))
}

fn read_server(text: &str) -> Result<ServerId, String> {
    let number = text.strip_prefix('S').filter(|number| !number.starts_with(['0', '+']));
    let server = number.and_then(|number| ServerId::new(number.parse().ok()?));
    server.ok_or_else(|| format!("“{}” is no server: servers are called S1, S2 and so on", quote(text)))
}

fn read_target(text: &str) -> Result<Target, String> {
    match text {
        "leader" => Ok(Target::Leader),
        "writer" => Ok(Target::Writer),
        _ => read_server(text)
            .map(Target::Server)
            .map_err(|_| format!("“{}” is nobody: name a server like S1, or “leader” or “writer”", quote(text))),
    }
}

fn write_target(target: Target) -> String {
    match target {
        Target::Server(server) => server.to_string(),
        Target::Leader => "leader".to_owned(),
        Target::Writer => "writer".to_owned(),
    }
}

fn read_rule(text: &str) -> Result<Rule, String> {
    Rule::named(text).ok_or_else(|| format!("“{}” is no rule: `raftarium rules` lists them", quote(text)))
}

fn read_kind(text: &str) -> Result<MessageKind, String> {
    MessageKind::named(text).ok_or_else(|| {
        let names = MessageKind::ALL.map(MessageKind::name).join(", ");
        format!("“{}” is no kind of messages: there are {names}", quote(text))
    })
}

fn read_jump(text: &str) -> Result<i64, String> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text),
    };
    let micros = units::duration(length).map_err(said)?.as_micros();
    let micros = i64::try_from(micros).map_err(|_| said(UnitError::TooLarge(quote(text))))?;
    Ok(sign * micros)
}

fn write_jump(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    sign.to_owned() + &units::write_duration(Duration::from_micros(micros.unsigned_abs()))
}

// ---------------------------------------------------------------- actions

/// An action in the file.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Fields")]
struct Entry(TimedAction);

/// An action's fields, before it is known whether they belong to it.
struct Fields {
    at: Length,
    what: String,
    values: Values,
}

type Flag = bool;
type Groups = Vec<u8>;
type Number = u64;
type Text = String;

macro_rules! define_values {
    ($($field:ident: $type:ty, $may_be:ident, $name:literal $form:ident, $example:literal;)+) => {
        /// The fields' names, in the order in which they are written. One of them appears twice.
        const NAMES: &[&str] = &["at", "do", $($name),+];

        /// Reads the value of a field. A target and a server have the same name, and both are read
        /// as a target: the action says later which of the two it must be.
        #[allow(unreachable_patterns)]
        fn read_value<'de, M: MapAccess<'de>>(name: &str, map: &mut M) -> Result<(&'static str, Value), M::Error> {
            match name {
                $($name => Ok(($name, Value::$form(map.next_value()?))),)+
                _ => {
                    let expected: Vec<String> = names().map(|name| format!("`{name}`")).collect();
                    Err(M::Error::custom(format!("unknown field `{name}`, expected one of {}", expected.join(", "))))
                }
            }
        }

        /// The name of a field in files, and an example of its value there.
        fn in_files(field: &'static str) -> (&'static str, &'static str) {
            match field {
                $(stringify!($field) => ($name, $example),)+
                _ => (field, "another"),
            }
        }
    };
}
action_fields!(define_values);

/// The error for a field that an action needs and doesn't have.
fn missing(what: &str, field: &'static str) -> String {
    let (name, example) = in_files(field);
    format!("“{what}” needs a field `{name}`, like {example}")
}

/// Each name once.
fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().enumerate().filter(|(place, name)| !NAMES[..*place].contains(name)).map(|(_, name)| *name)
}

macro_rules! define_forms {
    ($($form:ident: $($type:ty),+;)+) => {
        /// The value of a field.
        #[derive(Clone, PartialEq, Serialize)]
        #[serde(untagged)]
        enum Value {
            $($form($form),)+
        }

        $($(impl From<$type> for Value {
            fn from(value: $type) -> Value {
                Value::$form(value.into())
            }
        }

        impl Taken for $type {
            fn taken(value: Value) -> Result<$type, Value> {
                if let Value::$form(value) = value { Ok(value.into()) } else { Err(value) }
            }
        })+)+
    };
}

/// Turns a value into the type that an action needs. The error is the value itself, if it has
/// another type.
trait Taken: Sized {
    fn taken(value: Value) -> Result<Self, Value>;
}

define_forms! {
    Aim: Target;
    Server: ServerId;
    Share: Ppm;
    Jump: i64;
    Flag: bool;
    Length: Duration;
    Groups: Vec<u8>;
    Number: u64;
    Text: CommandLine;
    Kind: MessageKind;
}

/// The values of an action's fields, besides its time and its name.
#[derive(Default)]
struct Values(Vec<(&'static str, Value)>);

impl Values {
    fn put(&mut self, field: &'static str, value: impl Into<Value>) {
        self.0.push((in_files(field).0, value.into()));
    }

    /// Takes out a required field.
    fn take<T: Taken>(&mut self, what: &str, field: &'static str) -> Result<T, String> {
        let found = self.0.iter().position(|(name, _)| *name == in_files(field).0);
        let (_, value) = self.0.remove(found.ok_or_else(|| missing(what, field))?);
        let value = match value {
            Value::Aim(Aim(Target::Server(server))) if field == "server" => Value::Server(Server(server)),
            value => value,
        };
        T::taken(value).map_err(|value| match value {
            Value::Aim(Aim(target)) => {
                format!("“{what}” needs a server by its name, not “{}”", write_target(target))
            }
            _ => missing(what, field),
        })
    }
}

macro_rules! define_actions {
    ($(
        $(#[$doc:meta])+
        $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
    )+) => {
        /// The values of an action's fields.
        fn values_of(action: &Action) -> Values {
            let mut values = Values::default();
            match action.clone() {
                $(Action::$action $(($($only),+))? $({ $($field),+ })? => {
                    $($(values.put(stringify!($only), $only);)+)?
                    $($(values.put(stringify!($field), $field);)+)?
                })+
            }
            values
        }

        /// The action with this name, made of the values that it takes out.
        fn action_of(what: &str, values: &mut Values) -> Result<Action, String> {
            match what {
                $($name => {
                    $($(let $only = values.take($name, stringify!($only))?;)+)?
                    $($(let $field = values.take($name, stringify!($field))?;)+)?
                    Ok(Action::$action $(($($only),+))? $({ $($field),+ })?)
                })+
                _ => Err(format!("“{}” is no action: docs/formats.md lists the actions", quote(what))),
            }
        }
    };
}
actions!(define_actions);

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let TimedAction { at, action } = &self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &Length(at.since(Time::ZERO)))?;
        map.serialize_entry("do", action.name())?;
        let Values(values) = values_of(action);
        for name in names() {
            if let Some((_, value)) = values.iter().find(|(of, _)| *of == name) {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

impl TryFrom<Fields> for Entry {
    type Error = String;
    fn try_from(Fields { at, what, mut values }: Fields) -> Result<Entry, String> {
        let action = action_of(&what, &mut values)?;
        match values.0.first() {
            None => Ok(Entry(TimedAction { at: Time::ZERO + at.0, action })),
            Some((field, _)) => Err(format!("“{what}” has no field `{field}`: leave it out")),
        }
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Fields, D::Error> {
        struct Action;

        impl<'de> Visitor<'de> for Action {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an action")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
                let (mut at, mut what, mut values) = (None, None, Values::default());
                while let Some(name) = map.next_key::<String>()? {
                    let twice = match name.as_str() {
                        "at" => at.replace(map.next_value::<Length>()?).map(|_| "at"),
                        "do" => what.replace(map.next_value::<String>()?).map(|_| "do"),
                        name => {
                            let (name, value) = read_value(name, &mut map)?;
                            let twice = values.0.iter().any(|(other, _)| *other == name);
                            values.0.push((name, value));
                            twice.then_some(name)
                        }
                    };
                    if let Some(name) = twice {
                        return Err(M::Error::duplicate_field(name));
                    }
                }
                let at = at.ok_or_else(|| M::Error::missing_field("at"))?;
                let what = what.ok_or_else(|| M::Error::missing_field("do"))?;
                Ok(Fields { at, what, values })
            }
        }

        deserializer.deserialize_map(Action)
    }
}
