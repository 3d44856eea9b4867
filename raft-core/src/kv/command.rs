//! Commands: what the log's entries carry for the store.
//!
//! | byte | open a session | put | delete | compare-and-set |
//! | --- | --- | --- | --- | --- |
//! | 0: version | 1 | 1 | 1 | 1 |
//! | 1: kind | 1 | 2 | 3 | 4 |
//! | then | client | session, serial, behind | session, serial, behind | session, serial, behind |
//! | then | | key, value | key | key, expected, new |
//!
//! Kinds 5 to 7 are a direct put, delete and compare-and-set: in place of session, serial and
//! behind they have the condition, which is a byte: 0 for none, 1 if the key must have no value, 2
//! if its revision must be the number that follows.
//!
//! All but these bytes are numbers, texts (keys) and bytes (values) as in [`codec`](crate::codec).
//! `behind` is this serial minus the oldest one that the client still awaits: 0 for a client that
//! has one operation in flight.

use super::codec::{read_key, read_value};
use super::operation::{Operation, OperationRef};
use super::session::SessionId;
use crate::codec::{DecodeError, Read, Reader, put_bytes, put_number};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

const VERSION: u8 = 1;

const OPEN_SESSION: u8 = 1;
const PUT: u8 = 2;
const DELETE: u8 = 3;
const COMPARE_AND_SET: u8 = 4;
/// What is added to an operation's kind if it is direct.
const DIRECT: u8 = 3;

const ALWAYS: u8 = 0;
const ABSENT: u8 = 1;
const REVISION: u8 = 2;

/// All that [`Command::decode`] says that it expected. Answers name one by its place here, so never
/// reorder them.
pub(super) const EXPECTED: [&str; 11] = [
    "command version 1",
    "a command's kind, 1 to 7",
    "a client's number",
    "a session's id, from 1",
    "a serial number, from 1",
    "the distance to the oldest awaited serial",
    "a condition, 0 to 2",
    "a revision",
    "a key",
    "a value",
    "the end",
];

/// What a log entry asks the store to do.
///
/// ```
/// use raft_core::kv::{Command, SessionId};
/// let command = Command::OpenSession { client: 7 };
/// assert_eq!(Command::decode(&command.encode()), Ok(command));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Opens a session for a client that has none (dissertation §6.3, `RegisterClient`). The index
    /// at which it is applied becomes the session's id.
    OpenSession {
        /// The client's number. It decides nothing; it shows people whose session it is.
        client: u64,
    },
    /// Applies an operation, once, within a session.
    Apply {
        /// The client's session.
        session: SessionId,
        /// The operation's number within the session, from 1. A retry has the same one.
        serial: u64,
        /// The lowest serial whose answer the client still awaits: at least 1, and at most
        /// `serial`, whose answer it awaits, too. The session can forget the outcomes of lower
        /// ones.
        oldest_awaited: u64,
        /// What to do.
        operation: Operation,
    },
    /// Applies an operation outside of any session, each time that it is in the log: a retry may be
    /// executed twice. Who proposes it knows other means against that: a condition that a second
    /// execution doesn't meet, or request keys ([`Once`](crate::once::Once)).
    Direct {
        /// Only if this holds.
        condition: Condition,
        /// What to do.
        operation: Operation,
    },
}

/// What must hold of the key's pair for a [`Command::Direct`] to be executed. It is looked at when
/// the entry is applied, after everything before it in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Nothing.
    Always,
    /// The key has no value.
    Absent,
    /// The key has a value, and this is the pair's revision. None has revision 0.
    Revision(u64),
}

impl Condition {
    /// Whether it holds of a pair with this revision; `None` if the key has no value.
    pub(super) fn holds(self, revision: Option<u64>) -> bool {
        match self {
            Condition::Always => true,
            Condition::Absent => revision.is_none(),
            Condition::Revision(wanted) => revision == Some(wanted),
        }
    }
}

impl Command {
    /// The command as bytes, to be proposed as a log entry.
    ///
    /// # Panics
    /// When the session is 0, the serial is 0, or `oldest_awaited` is not between 1 and `serial`:
    /// only a bug in the client's code can cause these.
    pub fn encode(&self) -> Vec<u8> {
        let (operation, added) = match self {
            Command::OpenSession { client } => {
                let mut bytes = Vec::with_capacity(12);
                bytes.extend_from_slice(&[VERSION, OPEN_SESSION]);
                put_number(&mut bytes, *client);
                return bytes;
            }
            Command::Apply { operation, .. } => (operation.as_ref(), 0),
            Command::Direct { operation, .. } => (operation.as_ref(), DIRECT),
        };
        let (kind, texts) = parts(&operation);
        let text_bytes: usize = texts.iter().flatten().map(|text| text.len()).sum();
        // Numbers and lengths seldom take more than 12 bytes.
        let mut bytes = Vec::with_capacity(text_bytes + 12);
        bytes.extend_from_slice(&[VERSION, kind + added]);
        match self {
            Command::OpenSession { .. } => {}
            Command::Apply { session, serial, oldest_awaited, .. } => {
                let oldest_awaited = *oldest_awaited;
                assert!(session.0 >= 1, "session ids are log indexes, from 1");
                assert!(
                    (1..=*serial).contains(&oldest_awaited),
                    "the oldest awaited serial, {oldest_awaited}, is not between 1 and {serial}"
                );
                put_number(&mut bytes, session.0);
                put_number(&mut bytes, *serial);
                put_number(&mut bytes, serial - oldest_awaited);
            }
            Command::Direct { condition: Condition::Always, .. } => bytes.push(ALWAYS),
            Command::Direct { condition: Condition::Absent, .. } => bytes.push(ABSENT),
            Command::Direct { condition: Condition::Revision(revision), .. } => {
                bytes.push(REVISION);
                put_number(&mut bytes, *revision);
            }
        }
        for text in texts.iter().flatten() {
            put_bytes(&mut bytes, text);
        }
        bytes
    }

    /// Reads a command back.
    ///
    /// # Errors
    /// When the bytes are not exactly one command. Never panics, whatever the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Command, DecodeError> {
        Ok(CommandRef::decode(bytes)?.to_owned())
    }
}

/// What an entry's bytes ask a store for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// To open a session.
    Session,
    /// To apply an operation.
    Operation,
    /// Nothing: they are no command.
    Nothing,
}

/// What an entry's bytes ask a store for, and the same for people, in few words: `session for
/// client 7`, `put x 1`, or `9 bytes` if they are no command.
pub fn in_words(entry: &[u8]) -> (Asks, String) {
    match CommandRef::decode(entry) {
        Ok(CommandRef::OpenSession { client }) => (Asks::Session, format!("session for client {client}")),
        Ok(CommandRef::Apply { operation, .. } | CommandRef::Direct { operation, .. }) => {
            (Asks::Operation, operation.to_string())
        }
        Err(_) => (Asks::Nothing, format!("{} bytes", entry.len())),
    }
}

/// The operation's kind byte, and its key and values in the order in which they are written.
fn parts<'a>(operation: &OperationRef<'a>) -> (u8, [Option<&'a [u8]>; 3]) {
    let key = Some(operation.key().as_bytes());
    match *operation {
        OperationRef::Put { value, .. } => (PUT, [key, Some(value), None]),
        OperationRef::Delete { .. } => (DELETE, [key, None, None]),
        OperationRef::CompareAndSet { expected, new, .. } => (COMPARE_AND_SET, [key, Some(expected), Some(new)]),
    }
}

/// Prints the operation as its line, then the session and serial, or the condition: `put x 1
/// (session 3, serial 2)`, `put x 1 (if its revision is 7)`.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::OpenSession { client } => write!(f, "open a session for client {client}"),
            Command::Apply { session, serial, operation, .. } => write!(f, "{operation} ({session}, serial {serial})"),
            Command::Direct { condition: Condition::Always, operation } => operation.fmt(f),
            Command::Direct { condition: Condition::Absent, operation } => {
                write!(f, "{operation} (if the key has no value)")
            }
            Command::Direct { condition: Condition::Revision(revision), operation } => {
                write!(f, "{operation} (if its revision is {revision})")
            }
        }
    }
}

/// A [`Command`] that borrows its key and values from the entry's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandRef<'a> {
    OpenSession { client: u64 },
    Apply { session: SessionId, serial: u64, oldest_awaited: u64, operation: OperationRef<'a> },
    Direct { condition: Condition, operation: OperationRef<'a> },
}

impl<'a> CommandRef<'a> {
    pub(super) fn decode(bytes: &'a [u8]) -> Read<Self> {
        let mut reader = Reader::new(bytes);
        reader.byte_within("command version 1", VERSION, VERSION)?;
        let kind = reader.byte_within("a command's kind, 1 to 7", OPEN_SESSION, DIRECT + COMPARE_AND_SET)?;
        let command = match kind {
            OPEN_SESSION => CommandRef::OpenSession { client: reader.number("a client's number")? },
            PUT..=COMPARE_AND_SET => {
                let session = SessionId(reader.positive("a session's id, from 1")?);
                let serial = reader.positive("a serial number, from 1")?;
                let expected = "the distance to the oldest awaited serial";
                let behind = reader.number_within(expected, 0, serial - 1)?;
                let operation = read_operation(&mut reader, kind)?;
                CommandRef::Apply { session, serial, oldest_awaited: serial - behind, operation }
            }
            _ => {
                let condition = match reader.byte_within("a condition, 0 to 2", ALWAYS, REVISION)? {
                    ALWAYS => Condition::Always,
                    ABSENT => Condition::Absent,
                    _ => Condition::Revision(reader.number("a revision")?),
                };
                CommandRef::Direct { condition, operation: read_operation(&mut reader, kind - DIRECT)? }
            }
        };
        reader.end()?;
        Ok(command)
    }

    pub(super) fn to_owned(self) -> Command {
        match self {
            CommandRef::OpenSession { client } => Command::OpenSession { client },
            CommandRef::Apply { session, serial, oldest_awaited, operation } => {
                Command::Apply { session, serial, oldest_awaited, operation: operation.to_owned() }
            }
            CommandRef::Direct { condition, operation } => {
                Command::Direct { condition, operation: operation.to_owned() }
            }
        }
    }
}

/// Reads the key and values of an operation of that kind.
fn read_operation<'a>(reader: &mut Reader<'a>, kind: u8) -> Read<OperationRef<'a>> {
    let key = read_key(reader)?;
    Ok(match kind {
        PUT => OperationRef::Put { key, value: read_value(reader)? },
        DELETE => OperationRef::Delete { key },
        _ => OperationRef::CompareAndSet { key, expected: read_value(reader)?, new: read_value(reader)? },
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{command, generator, operation, random_command};
    use super::*;
    use crate::codec::Problem;
    use alloc::vec;
    use rand::{Rng, RngExt};

    fn problem(bytes: &[u8]) -> (u64, Problem) {
        let error = Command::decode(bytes).unwrap_err();
        (error.offset, error.problem)
    }

    /// Later builds must read the entries that this one writes.
    #[test]
    fn the_encoding_is_pinned() {
        let direct = |condition, line| Command::Direct { condition, operation: operation(line) };
        let table: [(Command, &[u8]); 10] = [
            (Command::OpenSession { client: 0 }, &[1, 1, 0]),
            (Command::OpenSession { client: 300 }, &[1, 1, 0xac, 2]),
            (command(5, 2, "put x hi"), &[1, 2, 5, 2, 0, 1, b'x', 2, b'h', b'i']),
            (
                Command::Apply {
                    session: SessionId(128),
                    serial: 9,
                    oldest_awaited: 6,
                    operation: operation("delete x"),
                },
                &[1, 3, 0x80, 1, 9, 3, 1, b'x'],
            ),
            (command(5, 2, "put x \"\""), &[1, 2, 5, 2, 0, 1, b'x', 0]),
            (command(5, 1, "cas x a b"), &[1, 4, 5, 1, 0, 1, b'x', 1, b'a', 1, b'b']),
            (direct(Condition::Always, "put x 1"), &[1, 5, 0, 1, b'x', 1, b'1']),
            (direct(Condition::Absent, "delete x"), &[1, 6, 1, 1, b'x']),
            (direct(Condition::Revision(128), "cas x a b"), &[1, 7, 2, 0x80, 1, 1, b'x', 1, b'a', 1, b'b']),
            (direct(Condition::Revision(0), "put x 1"), &[1, 5, 2, 0, 1, b'x', 1, b'1']),
        ];
        for (command, bytes) in table {
            assert_eq!(command.encode(), bytes, "{command}");
            assert_eq!(Command::decode(bytes), Ok(command));
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_and_no_prefix_or_extension_of_it_is() {
        let mut random = generator(3);
        for _ in 0..500 {
            let command = random_command(&mut random);
            let mut bytes = command.encode();
            assert_eq!(Command::decode(&bytes).as_ref(), Ok(&command));
            for length in 0..bytes.len() {
                let (offset, problem) = problem(&bytes[..length]);
                assert_eq!(problem, Problem::Ended, "{command} cut to {length}");
                assert!(offset <= length as u64);
            }
            bytes.extend([0; 3]);
            let whole = bytes.len() as u64 - 3;
            assert_eq!(problem(&bytes), (whole, Problem::Trailing { bytes: 3 }));
        }
    }

    #[test]
    fn whatever_decodes_has_one_encoding() {
        let mut random = generator(4);
        let mut decoded = 0;
        for _ in 0..50_000 {
            let mut bytes = random_command(&mut random).encode();
            for _ in 0..random.random_range(1..3) {
                let at = random.random_range(0..bytes.len());
                bytes[at] ^= 1 << random.random_range(0..8);
            }
            if let Ok(command) = Command::decode(&bytes) {
                assert_eq!(command.encode(), bytes);
                decoded += 1;
            }
        }
        assert!(decoded > 1_000, "only {decoded} damaged commands decoded");
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut random = generator(5);
        for _ in 0..50_000 {
            let mut bytes = vec![0; random.random_range(0..40)];
            random.fill_bytes(&mut bytes);
            // Most would fail at once otherwise.
            for (at, header) in [(0, 1), (1, random.random_range(1..=7))] {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = header;
                }
            }
            if let Err(error) = Command::decode(&bytes) {
                assert!(error.offset <= bytes.len() as u64);
            }
        }
    }

    #[test]
    fn nonsense_is_named() {
        let unknown = |found| Problem::UnknownByte { found };
        let out_of_range = |found| Problem::OutOfRange { found };
        let too_long = Problem::BadLength { bytes: 65_537, bytes_min: 0, bytes_max: 65_536 };
        let table: [(&[u8], u64, Problem); 16] = [
            (&[], 0, Problem::Ended),
            (&[0, 1, 0], 0, unknown(0)),
            (&[2, 1, 0], 0, unknown(2)),
            (&[1], 1, Problem::Ended),
            (&[1, 0, 0], 1, unknown(0)),
            (&[1, 8, 0], 1, unknown(8)),
            (&[1, 3, 0, 1, 0, 1, b'x'], 2, out_of_range(0)),
            (&[1, 3, 1, 0, 0, 1, b'x'], 3, out_of_range(0)),
            // The oldest awaited serial would be 0.
            (&[1, 3, 1, 7, 7, 1, b'x'], 4, out_of_range(7)),
            (&[1, 3, 1, 7, 0, 0], 5, Problem::BadLength { bytes: 0, bytes_min: 1, bytes_max: 256 }),
            (&[1, 2, 1, 7, 0, 1, b'x', 0x81, 0x80, 4], 7, too_long),
            (&[1, 3, 1, 7, 0, 1, 0xff], 5, Problem::NotUtf8),
            (&[1, 6, 3, 1, b'x'], 2, unknown(3)),
            (&[1, 6, 2, 0x80, 0, 1, b'x'], 3, Problem::BadNumber),
            (&[1, 6, 1, 1, b'x', 0], 5, Problem::Trailing { bytes: 1 }),
            (&[1, 6], 2, Problem::Ended),
        ];
        for (bytes, offset, what) in table {
            assert_eq!(problem(bytes), (offset, what), "{bytes:?}");
        }
        assert_eq!(
            Command::decode(&[1, 9]).unwrap_err().to_string(),
            "at byte 1: expected a command's kind, 1 to 7, but found 0x09"
        );
        assert_eq!(
            Command::decode(&[9, 1]).unwrap_err().to_string(),
            "at byte 0: expected command version 1, but found 0x09"
        );
        assert_eq!(
            Command::decode(&[1, 3, 1, 7, 6, 1, b'x']),
            Ok(Command::Apply {
                session: SessionId(1),
                serial: 7,
                oldest_awaited: 1,
                operation: operation("delete x"),
            })
        );
    }

    #[test]
    fn the_largest_command_fits() {
        let (key, value) = ("k".repeat(256), "v".repeat(65_536));
        let line = format!("cas {key} {value} {value}");
        let command = command(u64::MAX, u64::MAX, &line);
        assert_eq!(Command::decode(&command.encode()), Ok(command));
    }

    #[test]
    fn a_command_prints_as_its_line_and_where_it_belongs() {
        assert_eq!(command(3, 2, "put x \"1 2\"").to_string(), "put x \"1 2\" (session 3, serial 2)");
        assert_eq!(Command::OpenSession { client: 7 }.to_string(), "open a session for client 7");
    }

    #[test]
    fn an_entry_in_words_is_its_operation_or_its_length() {
        let words = |bytes: &[u8]| in_words(bytes);
        assert_eq!(words(&command(3, 2, "put x 1").encode()), (Asks::Operation, "put x 1".into()));
        let direct = Command::Direct { condition: Condition::Absent, operation: operation("delete x") };
        assert_eq!(words(&direct.encode()), (Asks::Operation, "delete x".into()));
        assert_eq!(words(&Command::OpenSession { client: 7 }.encode()), (Asks::Session, "session for client 7".into()));
        assert_eq!(words(b"no command"), (Asks::Nothing, "10 bytes".into()));
    }

    #[test]
    fn a_direct_command_prints_as_its_line_and_its_condition() {
        let sentence = |condition| Command::Direct { condition, operation: operation("put x 1") }.to_string();
        assert_eq!(sentence(Condition::Always), "put x 1");
        assert_eq!(sentence(Condition::Absent), "put x 1 (if the key has no value)");
        assert_eq!(sentence(Condition::Revision(7)), "put x 1 (if its revision is 7)");
    }

    /// Answers say what a decoder expected by its place in the table.
    #[test]
    fn all_that_is_expected_is_in_the_table() {
        let mut random = generator(12);
        let mut expected = alloc::collections::BTreeSet::new();
        for _ in 0..50_000 {
            let mut bytes = random_command(&mut random).encode();
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..3) {
                0 => bytes.truncate(at),
                1 => bytes[at] = random.random(),
                _ => bytes.push(0),
            }
            expected.extend(Command::decode(&bytes).err().map(|error| error.expected));
        }
        assert!(expected.into_iter().eq(alloc::collections::BTreeSet::from(EXPECTED)));
    }

    fn encode(session: u64, serial: u64, oldest_awaited: u64) {
        Command::Apply { session: SessionId(session), serial, oldest_awaited, operation: operation("delete x") }
            .encode();
    }

    #[test]
    #[should_panic(expected = "session ids are log indexes, from 1")]
    fn a_session_is_not_0() {
        encode(0, 1, 1);
    }

    #[test]
    #[should_panic(expected = "the oldest awaited serial, 0, is not between 1 and 0")]
    fn a_serial_is_not_0() {
        encode(1, 0, 0);
    }

    #[test]
    #[should_panic(expected = "the oldest awaited serial, 0, is not between 1 and 2")]
    fn serials_are_awaited_from_1() {
        encode(1, 2, 0);
    }

    #[test]
    #[should_panic(expected = "the oldest awaited serial, 3, is not between 1 and 2")]
    fn a_client_awaits_the_answer_to_what_it_sends() {
        encode(1, 2, 2);
        encode(1, 2, 1);
        encode(1, 2, 3);
    }
}
