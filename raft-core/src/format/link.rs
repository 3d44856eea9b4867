//! A run as a link: a short text for the part of an address after the `#`, which no server ever
//! sees.
//!
//! # Form
//! base64url without padding, of
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | the version, at present 1 |
//! | number | the seed |
//! | number | until when, in microseconds |
//! | 1 or 9 | 0, or 1 and the trace hash there, lowest byte first |
//! | number | which parameters differ from the defaults, a bit each, and |
//! | numbers | those parameters, in the order of their bits |
//! | number | how many actions there are, and |
//! | … | each of them: microseconds since the one before, a byte for its kind, what it is about |
//! | 4 | a checksum of everything before it, lowest byte first |
//!
//! A number takes seven bits of each byte, lowest first, and the top bit is set in all bytes except
//! the last. A server is a byte. A target is a server's byte, 0 for the leader or 255 for the
//! writer.
//!
//! # Never to be changed
//! In all versions, the last four bytes are the checksum and the first byte is the version, so that
//! a damaged link can be told from one of a later version. Within a version, kinds, positions of
//! bits and defaults keep their meaning; new ones get new numbers.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher;

use super::base64::{self, TextError};
use super::units::quote;
use super::{ACTIONS_MAX, Run, RunError};
use crate::codec::{DecodeError, Problem, Read, Reader, put_bytes, put_number};
use crate::hash::ThoroughHasher;
use crate::kv::CommandLine;
use crate::raft::{Rule, Rules, ServerId};
use crate::sim::{
    Action, CheckParameters, ClientParameters, DiskParameters, LimitParameters, MACHINES_MAX, MessageKind,
    NetworkParameters, Parameters, Ppm, Scenario, Target, TimedAction, TimingParameters, actions, parameters,
};
use crate::time::{Duration, Time};

/// The version that is written, and the only one there is so far.
pub const VERSION: u8 = 1;

/// The most characters of a link: about 8,000 actions. A larger run needs a file.
pub const CHARACTERS_MAX: usize = 65_536;

/// The name of the link among what is after the `#` of an address: `#run=…`.
pub const NAME: &str = "run";

/// A link that can't be read, or a run that can't be made one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// There is nothing after the `#`.
    Empty,
    /// More than [`CHARACTERS_MAX`] characters.
    TooLong {
        /// How many there are.
        characters: usize,
    },
    /// A character that no link has.
    Character {
        /// Its position, from 0.
        position: usize,
        /// The character.
        found: char,
    },
    /// It ends in the middle of a byte.
    CutShort,
    /// The checksum doesn't fit.
    Damaged,
    /// A version that this program doesn't know.
    Version {
        /// The version.
        found: u8,
    },
    /// The bytes make no sense.
    Bytes(DecodeError),
    /// It doesn't describe a valid run.
    Run(RunError),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Empty => f.write_str("the link names no run: there is nothing after its #run="),
            LinkError::TooLong { characters } => {
                write!(
                    f,
                    "{characters} characters are too many for a link, which has at most {CHARACTERS_MAX}: use a file"
                )
            }
            LinkError::Character { position, found } => {
                write!(f, "character {} of the link is “{found}”, which no link has: copy it again", position + 1)
            }
            LinkError::CutShort => {
                f.write_str("the link is damaged at its end, or ends too early: copy the whole of it")
            }
            LinkError::Damaged => f.write_str("the link is damaged or incomplete: copy the whole of it again"),
            LinkError::Version { found } => {
                write!(
                    f,
                    "the link was made by another version of Raftarium: it has format {found}, this version reads {VERSION}"
                )
            }
            LinkError::Bytes(error) => write!(f, "the link makes no sense: {error}"),
            LinkError::Run(error) => write!(f, "the link makes no run: {error}"),
        }
    }
}

impl core::error::Error for LinkError {}

impl From<Box<DecodeError>> for LinkError {
    fn from(error: Box<DecodeError>) -> LinkError {
        LinkError::Bytes(*error)
    }
}

/// The run as a link, without an address before it.
///
/// ```
/// use raft_core::format::{Run, link};
/// use raft_core::sim::Scenario;
///
/// let run = Run { scenario: Scenario::new(7, 3), ..Run::default() };
/// let text = link::write(&run)?;
/// assert!(text.len() < 20);
/// assert_eq!(link::read(&text)?, run);
/// # Ok::<(), link::LinkError>(())
/// ```
///
/// # Errors
/// A run that can't be played, or is too long for a link.
pub fn write(run: &Run) -> Result<String, LinkError> {
    let text = seal(encode(run).map_err(LinkError::Run)?);
    if text.len() > CHARACTERS_MAX { Err(LinkError::TooLong { characters: text.len() }) } else { Ok(text) }
}

/// The run as the bytes within a link, of any length, for programs that use this form in their own
/// way. The page's two modules hand each other runs so.
///
/// # Errors
/// A run that can't be played.
pub fn encode(run: &Run) -> Result<Vec<u8>, RunError> {
    run.check()?;
    let mut bytes = Vec::with_capacity(64 + 8 * run.scenario.actions.len());
    bytes.push(VERSION);
    put_number(&mut bytes, run.scenario.seed);
    put_number(&mut bytes, run.until.as_micros());
    bytes.push(u8::from(run.hash.is_some()));
    if let Some(hash) = run.hash {
        bytes.extend_from_slice(&hash.to_le_bytes());
    }
    put_parameters(&mut bytes, &run.scenario.parameters);
    put_number(&mut bytes, run.scenario.actions.len() as u64);
    let mut before = Time::ZERO;
    for timed in &run.scenario.actions {
        put_number(&mut bytes, timed.at.since(before).as_micros());
        before = timed.at;
        put_action(&mut bytes, &timed.action);
    }
    Ok(bytes)
}

/// The run as an address: `base` with the link after a `#`.
///
/// # Errors
/// Like [`write()`].
pub fn write_address(base: &str, run: &Run) -> Result<String, LinkError> {
    let base = base.split('#').next().unwrap_or(base);
    Ok(format!("{base}#{NAME}={}", write(run)?))
}

/// Reads a link: an address with the link after its `#`, or the link alone. What else an address
/// says there, as what was found in the run (`found::read`), is passed over.
///
/// # Errors
/// Whatever is wrong with it.
pub fn read(text: &str) -> Result<Run, LinkError> {
    let text = text.trim();
    let text = text.rsplit('#').next().unwrap_or(text);
    let named = text.split('&').find_map(|part| part.strip_prefix(NAME)?.strip_prefix('='));
    let text = named.unwrap_or(text);
    if text.is_empty() {
        return Err(LinkError::Empty);
    }
    if text.len() > CHARACTERS_MAX {
        return Err(LinkError::TooLong { characters: text.len() });
    }
    decode(&unseal(text)?)
}

/// The run of the bytes within a link: what [`encode`] made.
///
/// # Errors
/// Whatever is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<Run, LinkError> {
    let mut reader = Reader::new(bytes);
    let version = reader.byte("a version")?;
    if version != VERSION {
        return Err(LinkError::Version { found: version });
    }
    let seed = reader.number("the seed")?;
    let until = Time::from_micros(reader.number("the end of the run")?);
    let known = read_number(&mut reader, "whether there is a trace hash", 1)? != 0;
    let hash = if known { Some(read_hash(&mut reader)?) } else { None };
    let parameters = read_parameters(&mut reader)?;
    let actions = read_actions(&mut reader)?;
    reader.end()?;
    let run = Run { scenario: Scenario { seed, parameters, actions }, until, hash };
    run.check().map_err(LinkError::Run)?;
    Ok(run)
}

/// A field of an action as scripts have it. Which of these a field is depends on what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// A server, a time or length in microseconds, a share in parts per million, a message, a draw;
    /// or a yes or no, as 1 or 0.
    Number(i64),
    /// A command; `leader` or `writer`; a kind of messages.
    Text(String),
    /// A group number for each server.
    Groups(Vec<u8>),
}

/// A script's action that can't be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlainError {
    /// Nothing that can be done is called so.
    Unknown(String),
    /// A field is missing, isn't what it must be, or is one too many.
    Field {
        /// What is to be done.
        action: &'static str,
        /// What it needs.
        expected: &'static str,
    },
}

impl fmt::Display for PlainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlainError::Unknown(name) => write!(f, "“{}” is nothing that can be done", quote(name)),
            PlainError::Field { action, expected } => write!(f, "“{action}” needs {expected}"),
        }
    }
}

impl core::error::Error for PlainError {}

/// The action of that name, with its fields in the order in which links have them. Whether it makes
/// sense in a world is for that world to say.
///
/// # Errors
/// There is no such action, or it has other fields.
pub fn action_of(name: &str, fields: Vec<Plain>) -> Result<Action, PlainError> {
    let place = Action::NAMES.iter().position(|action| *action == name);
    let place = place.ok_or_else(|| PlainError::Unknown(name.to_string()))?;
    let mut values = fields.into_iter();
    let number = place as u8 + 1;
    let read = read_action_from(number, 0, &mut Fields { source: Source::Plain(&mut values), failed: None });
    let action = Action::NAMES[place];
    match read {
        Err(error) => Err(PlainError::Field { action, expected: error.expected }),
        Ok(_) if values.next().is_some() => Err(PlainError::Field { action, expected: "fewer fields" }),
        Ok(action) => Ok(action),
    }
}

fn read_hash(reader: &mut Reader<'_>) -> Read<u64> {
    let bytes = reader.bytes(8, "the trace hash")?;
    Ok(bytes.iter().rev().fold(0, |hash, byte| hash << 8 | u64::from(*byte)))
}

/// The outer form of a link: the bytes and their checksum, in base64url.
pub fn seal(mut bytes: Vec<u8>) -> String {
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    base64::encode(&bytes)
}

/// The bytes within a link's outer form.
///
/// # Errors
/// A text that doesn't have that form, or was damaged.
pub fn unseal(text: &str) -> Result<Vec<u8>, LinkError> {
    let mut bytes = base64::decode(text).map_err(|error| match error {
        TextError::Character(position, found) => LinkError::Character { position, found },
        TextError::End => LinkError::CutShort,
    })?;
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or(LinkError::CutShort)?;
    if checksum(content) != *sum {
        return Err(LinkError::Damaged);
    }
    bytes.truncate(bytes.len() - 4);
    Ok(bytes)
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut hasher = ThoroughHasher::new(u64::from(VERSION));
    hasher.write(bytes);
    (hasher.finish() as u32).to_le_bytes()
}

// ---------------------------------------------------------------- parameters

/// How many parameters there are.
const FIELDS: usize = 30;

/// The places of the parameters that aren't in the table.
const SERVERS: usize = 0;
const WITHOUT: usize = 19;

/// How many servers a link has that doesn't say so: the default when version 1 was made.
const SERVERS_TAKEN_FOR: u64 = 5;

/// What a link encodes as a number, be it a parameter or a field of an action.
trait Numbered: Copy {
    /// The highest number that there is.
    const MOST: u64;
    /// What it is, for errors.
    const CALLED: &'static str;
    /// How its bytes are made of a plain value.
    const FORM: Form = Form::Number;
    fn number(self) -> u64;
    fn of(number: u64) -> Self;
}

macro_rules! numbered {
    ($($type:ty, $called:literal $(as $form:expr)?, $most:expr, |$value:ident| $number:expr, |$from:ident| $of:expr;)+) => {
        $(impl Numbered for $type {
            const MOST: u64 = $most;
            const CALLED: &'static str = $called;
            $(const FORM: Form = $form;)?
            fn number(self) -> u64 {
                let $value = self;
                $number
            }
            fn of($from: u64) -> $type {
                $of
            }
        })+
    };
}

numbered! {
    u64, "a number", u64::MAX, |value| value, |number| number;
    u32, "a share", u32::MAX as u64, |value| u64::from(value), |number| number as u32;
    u8, "a small number", u8::MAX as u64, |value| u64::from(value), |number| number as u8;
    i64, "a jump" as Form::Jump, u64::MAX, |value| zigzag(value), |number| unzigzag(number);
    bool, "a yes or no", 1, |value| u64::from(value), |number| number != 0;
    Duration, "a length of time", u64::MAX, |value| value.as_micros(), |number| Duration::from_micros(number);
}

macro_rules! define {
    ($($(#[$of:meta])+ $part:ident: $Part:ident { $(
        $(#[$doc:meta])+
        $place:literal ($taken_for:literal) $name:ident: $type:ty = $default:expr, $form:ident $called:literal;
    )+ })+) => {
        /// The value of a parameter that a link doesn't name.
        const TAKEN_FOR: [u64; FIELDS] = {
            let mut numbers = [0; FIELDS];
            numbers[SERVERS] = SERVERS_TAKEN_FOR;
            $($(numbers[$place] = $taken_for;)+)+
            numbers
        };

        /// The most that a parameter can be.
        const MOST: [u64; FIELDS] = {
            let mut numbers = [0; FIELDS];
            numbers[SERVERS] = <u8 as Numbered>::MOST;
            numbers[WITHOUT] = (1 << Rule::ALL.len()) - 1;
            $($(numbers[$place] = <$type as Numbered>::MOST;)+)+
            numbers
        };

        fn numbers(parameters: &Parameters) -> [u64; FIELDS] {
            let mut numbers = [0; FIELDS];
            numbers[SERVERS] = parameters.servers.number();
            numbers[WITHOUT] = without(parameters.rules);
            $($(numbers[$place] = parameters.$part.$name.number();)+)+
            numbers
        }

        fn parameters(numbers: &[u64; FIELDS]) -> Parameters {
            let off = |rule: &Rule| numbers[WITHOUT] & 1 << rule.number() != 0;
            Parameters {
                servers: Numbered::of(numbers[SERVERS]),
                $($part: $Part { $($name: Numbered::of(numbers[$place]),)+ },)+
                rules: Rule::ALL.into_iter().filter(off).fold(Rules::ALL, Rules::without),
            }
        }
    };
}
parameters!(define);

/// A bit for each rule that is off.
fn without(rules: Rules) -> u64 {
    rules.switched_off().fold(0, |bits, rule| bits | 1 << rule.number())
}

#[inline(never)]
fn put_parameters(bytes: &mut Vec<u8>, parameters: &Parameters) {
    let numbers = numbers(parameters);
    let differs = |field: &usize| numbers[*field] != TAKEN_FOR[*field];
    put_number(bytes, (0..FIELDS).filter(differs).fold(0, |bits, field| bits | 1 << field));
    for field in (0..FIELDS).filter(differs) {
        put_number(bytes, numbers[field]);
    }
}

fn read_parameters(reader: &mut Reader<'_>) -> Read<Parameters> {
    let start = reader.offset();
    let named = reader.number("the parameters")?;
    if named >> FIELDS != 0 {
        return Reader::error(start, "parameters that this version knows", Problem::OutOfRange { found: named });
    }
    let mut numbers = TAKEN_FOR;
    for (field, number) in numbers.iter_mut().enumerate().filter(|(field, _)| named & 1 << field != 0) {
        *number = read_number(reader, "a parameter", MOST[field])?;
    }
    Ok(parameters(&numbers))
}

// ---------------------------------------------------------------- actions

const LEADER: u8 = 0;
const WRITER: u8 = 255;

/// The smallest action: a time and a kind.
const ACTION_BYTES_MIN: u64 = 2;

/// An action is a byte for its kind and, one after the other, its fields.
#[inline(never)]
fn put_action(out: &mut Vec<u8>, action: &Action) {
    macro_rules! put {
        ($(
            $(#[$doc:meta])+
            $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
        )+) => {
            match action {
                $(Action::$action $(($($only),+))? $({ $($field),+ })? => {
                    out.push($number);
                    $($($only.put(out);)+)?
                    $($($field.put(out);)+)?
                })+
            }
        };
    }
    actions!(put);
}

fn read_actions(reader: &mut Reader<'_>) -> Result<Vec<TimedAction>, LinkError> {
    let start = reader.offset();
    let count = reader.number("the number of actions")?;
    if count > ACTIONS_MAX as u64 {
        return Err(LinkError::Run(RunError::TooManyActions { found: count }));
    }
    if count > reader.left() as u64 / ACTION_BYTES_MIN {
        Reader::error(start, "no more actions than fit", Problem::OutOfRange { found: count })?;
    }
    let mut actions = Vec::with_capacity(count as usize);
    let mut at = Time::ZERO;
    for _ in 0..count {
        at += Duration::from_micros(reader.number("the time of an action")?);
        actions.push(TimedAction { at, action: read_action(reader)? });
    }
    Ok(actions)
}

fn read_action(reader: &mut Reader<'_>) -> Read<Action> {
    let start = reader.offset();
    let kind = reader.byte("an action")?;
    read_action_from(kind, start, &mut Fields { source: Source::Bytes(reader), failed: None })
}

#[inline(never)]
fn read_action_from(kind: u8, start: usize, read: &mut Fields<'_, '_>) -> Read<Action> {
    macro_rules! read {
        ($(
            $(#[$doc:meta])+
            $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
        )+) => {
            match kind {
                $($number => {
                    $($(let $only = Coded::read(read);)+)?
                    $($(let $field = Coded::read(read);)+)?
                    Action::$action $(($($only),+))? $({ $($field),+ })?
                })+
                found => {
                    return Reader::error(start, "an action that this version knows", Problem::UnknownByte { found });
                }
            }
        };
    }
    let action = actions!(read);
    read.failed.take().map_or(Ok(action), Err)
}

/// Where an action's fields come from.
enum Source<'reader, 'bytes> {
    Bytes(&'reader mut Reader<'bytes>),
    Plain(&'reader mut dyn Iterator<Item = Plain>),
}

/// How the bytes of a plain value are made.
#[derive(Clone, Copy)]
enum Form {
    Number,
    /// A number of either sign.
    Jump,
    Server,
    Target,
    Kind,
    Groups,
    Command,
}

/// The bytes of a plain value. There are none, or they make no sense, if it isn't of that form:
/// then whoever reads them says so.
fn plain_bytes(value: Option<Plain>, form: Form) -> Vec<u8> {
    let mut bytes = Vec::new();
    match (form, value) {
        (Form::Number, Some(Plain::Number(number))) => {
            if let Ok(number) = u64::try_from(number) {
                put_number(&mut bytes, number);
            }
        }
        (Form::Jump, Some(Plain::Number(number))) => put_number(&mut bytes, zigzag(number)),
        // No server has the leader's or the writer's byte.
        (Form::Server | Form::Target, Some(Plain::Number(number))) => {
            bytes.extend(u8::try_from(number).ok().filter(|byte| (LEADER + 1..WRITER).contains(byte)));
        }
        (Form::Target, Some(Plain::Text(text))) => match &*text {
            "leader" => bytes.push(LEADER),
            "writer" => bytes.push(WRITER),
            _ => {}
        },
        (Form::Kind, Some(Plain::Text(text))) => bytes.extend(MessageKind::named(&text).map(|kind| kind as u8)),
        (Form::Groups, Some(Plain::Groups(groups))) => {
            // More than a byte can say are too many in any case.
            bytes.push(u8::try_from(groups.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(&groups);
        }
        (Form::Command, Some(Plain::Text(text))) => put_bytes(&mut bytes, text.as_bytes()),
        _ => {}
    }
    bytes
}

/// Reads an action's fields one after the other. The first error is kept until the end, and all
/// fields after it are read as empty.
struct Fields<'reader, 'bytes> {
    source: Source<'reader, 'bytes>,
    failed: Option<Box<DecodeError>>,
}

impl Fields<'_, '_> {
    /// What `read` reads, or `nothing` if it fails or an earlier field failed.
    fn take<T>(&mut self, form: Form, nothing: T, read: impl Fn(&mut Reader<'_>) -> Read<T>) -> T {
        if self.failed.is_some() {
            return nothing;
        }
        let taken = match &mut self.source {
            Source::Bytes(reader) => read(reader),
            Source::Plain(values) => read(&mut Reader::new(&plain_bytes(values.next(), form))),
        };
        taken.unwrap_or_else(|error| {
            self.failed = Some(error);
            nothing
        })
    }

    #[inline(never)]
    fn number_up_to(&mut self, form: Form, expected: &'static str, most: u64) -> u64 {
        self.take(form, 0, |reader| read_number(reader, expected, most))
    }
}

/// A field of an action among the bytes of a link.
trait Coded: Sized {
    fn put(&self, out: &mut Vec<u8>);
    /// The field that is there, or any value if there is none (the error is kept in `fields`).
    fn read(fields: &mut Fields<'_, '_>) -> Self;
}

impl<T: Numbered> Coded for T {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.number());
    }

    fn read(fields: &mut Fields<'_, '_>) -> T {
        T::of(fields.number_up_to(T::FORM, T::CALLED, T::MOST))
    }
}

impl Coded for Target {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Target::Server(server) => server.number(),
            Target::Leader => LEADER,
            Target::Writer => WRITER,
        });
    }

    #[inline(never)]
    fn read(fields: &mut Fields<'_, '_>) -> Target {
        fields.take(Form::Target, Target::Leader, read_target)
    }
}

impl Coded for ServerId {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.number());
    }

    #[inline(never)]
    fn read(fields: &mut Fields<'_, '_>) -> ServerId {
        fields.take(Form::Server, ServerId::FIRST, read_server)
    }
}

impl Coded for MessageKind {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn read(fields: &mut Fields<'_, '_>) -> MessageKind {
        fields.take(Form::Kind, MessageKind::Everything, read_message_kind)
    }
}

/// A group number for each server: how many there are, and a byte for each.
impl Coded for Vec<u8> {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.len() as u8);
        out.extend_from_slice(self);
    }

    fn read(fields: &mut Fields<'_, '_>) -> Vec<u8> {
        fields.take(Form::Groups, Vec::new(), |reader| {
            let start = reader.offset();
            let count = reader.byte("the number of groups")?;
            if count > MACHINES_MAX {
                let found = u64::from(count);
                return Reader::error(start, "a group for each server", Problem::OutOfRange { found });
            }
            Ok(reader.bytes(u64::from(count), "groups")?.to_vec())
        })
    }
}

/// A command: how many bytes, and those.
impl Coded for CommandLine {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.text().len() as u64);
        out.extend_from_slice(self.text().as_bytes());
    }

    fn read(fields: &mut Fields<'_, '_>) -> CommandLine {
        let text = fields.take(Form::Command, String::new(), |reader| {
            let length = reader.number("a command")?;
            let start = reader.offset();
            match core::str::from_utf8(reader.bytes(length, "a command")?) {
                Ok(line) => Ok(line.to_string()),
                Err(_) => Reader::error(start, "a command", Problem::NotUtf8),
            }
        });
        text.into()
    }
}

fn read_target(reader: &mut Reader<'_>) -> Read<Target> {
    let start = reader.offset();
    let found = reader.byte("a target")?;
    match (found, ServerId::new(found)) {
        (LEADER, _) => Ok(Target::Leader),
        (WRITER, _) => Ok(Target::Writer),
        (_, Some(server)) => Ok(Target::Server(server)),
        _ => Reader::error(start, "a target", Problem::UnknownByte { found }),
    }
}

fn read_server(reader: &mut Reader<'_>) -> Read<ServerId> {
    let start = reader.offset();
    let found = reader.byte("a server")?;
    match ServerId::new(found) {
        Some(server) => Ok(server),
        None => Reader::error(start, "a server", Problem::UnknownByte { found }),
    }
}

fn read_message_kind(reader: &mut Reader<'_>) -> Read<MessageKind> {
    let start = reader.offset();
    let found = reader.byte("a kind of messages")?;
    match MessageKind::ALL.get(usize::from(found)) {
        Some(kind) => Ok(*kind),
        None => Reader::error(start, "a kind of messages that this version knows", Problem::UnknownByte { found }),
    }
}

fn read_number(reader: &mut Reader<'_>, expected: &'static str, most: u64) -> Read<u64> {
    let start = reader.offset();
    match reader.number(expected)? {
        number if number <= most => Ok(number),
        found => Reader::error(start, expected, Problem::OutOfRange { found }),
    }
}

/// Small numbers of either sign are small numbers.
const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_parameters_of_version_1_are_pinned() {
        // If the world's defaults change, this test goes, and the numbers stay: links name what
        // differs from the numbers.
        assert_eq!(numbers(&Parameters::default()), TAKEN_FOR);
        let numbers: BTreeSet<u8> = Rule::ALL.into_iter().map(Rule::number).collect();
        assert!((0..Rule::ALL.len() as u8).eq(numbers), "a new rule has the next number");
    }

    #[test]
    fn a_link_is_pinned_to_the_letter() {
        let mut scenario = Scenario::new(7, 3);
        let at = Time::from_millis(1_250);
        scenario.actions.push(TimedAction { at, action: Action::Crash(Target::Leader) });
        let run = Run { scenario, until: Time::from_secs(2), hash: Some(0x0123_4567_89ab_cdef) };
        let text = "AQeAiXoB782riWdFIwEBAwHQpUwBANUYPT4";
        assert_eq!(write(&run).unwrap(), text);
        assert_eq!(read(text), Ok(run));
    }

    #[test]
    fn small_jumps_of_either_sign_are_small_numbers() {
        for (number, folded) in [(0, 0), (-1, 1), (1, 2), (-2, 3), (i64::MAX, u64::MAX - 1), (i64::MIN, u64::MAX)] {
            assert_eq!(zigzag(number), folded);
            assert_eq!(unzigzag(folded), number);
        }
    }
}
