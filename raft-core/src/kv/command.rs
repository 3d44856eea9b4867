//! Commands: what the log's entries carry for the store.
//!
//! | byte | open a session | put | delete | compare-and-set |
//! | --- | --- | --- | --- | --- |
//! | 0: version | 1 | 1 | 1 | 1 |
//! | 1: kind | 1 | 2 | 3 | 4 |
//! | then | client | session, serial, behind | session, serial, behind | session, serial, behind |
//! | then | | key, value | key | key, expected, new |
//!
//! All but the first two bytes are numbers, texts (keys) and bytes (values) as in
//! [`codec`](crate::codec). `behind` is
//! this serial minus the oldest one that the client still awaits: 0 for a client that has one
//! operation in flight.

use super::codec::{read_key, read_value};
use super::operation::{Operation, OperationRef};
use super::session::SessionId;
use crate::codec::{DecodeError, Problem, Reader, put_bytes, put_number};
use alloc::vec::Vec;
use core::fmt;

const VERSION: u8 = 1;

const OPEN_SESSION: u8 = 1;
const PUT: u8 = 2;
const DELETE: u8 = 3;
const COMPARE_AND_SET: u8 = 4;

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
}

impl Command {
    /// The command as bytes, to be proposed as a log entry.
    ///
    /// # Panics
    /// When the session is 0, the serial is 0, or `oldest_awaited` is not between 1 and `serial`:
    /// only a bug in the client's code can cause these.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Command::OpenSession { client } => {
                let mut bytes = Vec::with_capacity(12);
                bytes.extend_from_slice(&[VERSION, OPEN_SESSION]);
                put_number(&mut bytes, *client);
                bytes
            }
            Command::Apply { session, serial, oldest_awaited, operation } => {
                let oldest_awaited = *oldest_awaited;
                assert!(session.0 >= 1, "session ids are log indexes, from 1");
                assert!(
                    (1..=*serial).contains(&oldest_awaited),
                    "the oldest awaited serial, {oldest_awaited}, is not between 1 and {serial}"
                );
                let operation = operation.as_ref();
                let (kind, texts) = parts(&operation);
                let text_bytes: usize = texts.iter().flatten().map(|text| text.len()).sum();
                // Numbers and lengths seldom take more than 12 bytes.
                let mut bytes = Vec::with_capacity(text_bytes + 12);
                bytes.extend_from_slice(&[VERSION, kind]);
                put_number(&mut bytes, session.0);
                put_number(&mut bytes, *serial);
                put_number(&mut bytes, serial - oldest_awaited);
                for text in texts.iter().flatten() {
                    put_bytes(&mut bytes, text);
                }
                bytes
            }
        }
    }

    /// Reads a command back.
    ///
    /// # Errors
    /// When the bytes are not exactly one command. Never panics, whatever the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Command, DecodeError> {
        CommandRef::decode(bytes).map(CommandRef::to_owned)
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

/// Prints the operation as its line, then the session and serial: `put x 1 (session 3, serial 2)`.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::OpenSession { client } => write!(f, "open a session for client {client}"),
            Command::Apply { session, serial, operation, .. } => write!(f, "{operation} ({session}, serial {serial})"),
        }
    }
}

/// A [`Command`] that borrows its key and values from the entry's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandRef<'a> {
    OpenSession { client: u64 },
    Apply { session: SessionId, serial: u64, oldest_awaited: u64, operation: OperationRef<'a> },
}

impl<'a> CommandRef<'a> {
    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        expect_byte(&mut reader, "command version 1", VERSION..=VERSION)?;
        let kind = expect_byte(&mut reader, "a command's kind, 1 to 4", OPEN_SESSION..=COMPARE_AND_SET)?;
        let command = if kind == OPEN_SESSION {
            CommandRef::OpenSession { client: reader.number("a client's number")? }
        } else {
            Self::decode_apply(&mut reader, kind)?
        };
        reader.end()?;
        Ok(command)
    }

    fn decode_apply(reader: &mut Reader<'a>, kind: u8) -> Result<Self, DecodeError> {
        let session = SessionId(reader.positive("a session's id, from 1")?);
        let serial = reader.positive("a serial number, from 1")?;
        let start = reader.offset();
        let expected = "the distance to the oldest awaited serial, below this serial";
        let behind = reader.number(expected)?;
        if behind >= serial {
            return Reader::error(start, expected, Problem::OutOfRange { found: behind });
        }
        let key = read_key(reader)?;
        let operation = match kind {
            PUT => OperationRef::Put { key, value: read_value(reader)? },
            DELETE => OperationRef::Delete { key },
            _ => OperationRef::CompareAndSet { key, expected: read_value(reader)?, new: read_value(reader)? },
        };
        Ok(CommandRef::Apply { session, serial, oldest_awaited: serial - behind, operation })
    }

    pub(super) fn to_owned(self) -> Command {
        match self {
            CommandRef::OpenSession { client } => Command::OpenSession { client },
            CommandRef::Apply { session, serial, oldest_awaited, operation } => {
                Command::Apply { session, serial, oldest_awaited, operation: operation.to_owned() }
            }
        }
    }
}

fn expect_byte(
    reader: &mut Reader<'_>,
    expected: &'static str,
    allowed: core::ops::RangeInclusive<u8>,
) -> Result<u8, DecodeError> {
    let start = reader.offset();
    let found = reader.byte(expected)?;
    if allowed.contains(&found) { Ok(found) } else { Reader::error(start, expected, Problem::UnknownByte { found }) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{command, generator, operation, random_command};
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use rand::{Rng, RngExt};

    fn problem(bytes: &[u8]) -> (u64, Problem) {
        let error = Command::decode(bytes).unwrap_err();
        (error.offset, error.problem)
    }

    /// Later builds must read the entries that this one writes.
    #[test]
    fn the_encoding_is_pinned() {
        let table: [(Command, &[u8]); 6] = [
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
            for (at, header) in [(0, 1), (1, random.random_range(1..=4))] {
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
        let table: [(&[u8], u64, Problem); 12] = [
            (&[], 0, Problem::Ended),
            (&[0, 1, 0], 0, unknown(0)),
            (&[2, 1, 0], 0, unknown(2)),
            (&[1], 1, Problem::Ended),
            (&[1, 0, 0], 1, unknown(0)),
            (&[1, 5, 0], 1, unknown(5)),
            (&[1, 3, 0, 1, 0, 1, b'x'], 2, out_of_range(0)),
            (&[1, 3, 1, 0, 0, 1, b'x'], 3, out_of_range(0)),
            // The oldest awaited serial would be 0.
            (&[1, 3, 1, 7, 7, 1, b'x'], 4, out_of_range(7)),
            (&[1, 3, 1, 7, 0, 0], 5, Problem::BadLength { bytes: 0, bytes_min: 1, bytes_max: 256 }),
            (&[1, 2, 1, 7, 0, 1, b'x', 0x81, 0x80, 4], 7, too_long),
            (&[1, 3, 1, 7, 0, 1, 0xff], 5, Problem::NotUtf8),
        ];
        for (bytes, offset, what) in table {
            assert_eq!(problem(bytes), (offset, what), "{bytes:?}");
        }
        assert_eq!(
            Command::decode(&[1, 9]).unwrap_err().to_string(),
            "at byte 1: expected a command's kind, 1 to 4, but found 0x09"
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
        let line = alloc::format!("cas {key} {value} {value}");
        let command = command(u64::MAX, u64::MAX, &line);
        assert_eq!(Command::decode(&command.encode()), Ok(command));
    }

    #[test]
    fn a_command_prints_as_its_line_and_where_it_belongs() {
        assert_eq!(command(3, 2, "put x \"1 2\"").to_string(), "put x \"1 2\" (session 3, serial 2)");
        assert_eq!(Command::OpenSession { client: 7 }.to_string(), "open a session for client 7");
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
