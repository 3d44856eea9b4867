//! What applying an entry did: the answer to whoever proposed it.
//!
//! As bytes it is small, has a version, and has exactly one form, as a command's is:
//!
//! | byte | what | then |
//! | --- | --- | --- |
//! | 0 | version | 1 |
//! | 1 | 1: a session was opened | session, client, the number of sessions that expired, each of them |
//! | | 2: an operation was executed; 3: it had been executed before | session, serial, outcome |
//! | | 4: a direct operation was executed | revision, outcome |
//! | | 5: a direct operation's condition didn't hold | revision |
//! | | 6: refused, since the session has expired | session, serial |
//! | | 7: refused, since the serial is too old | session, serial, newest forgotten serial |
//! | | 8: refused, since it is no command | offset, what was expected, the problem and its numbers |
//!
//! Numbers, texts and bytes are as in [`codec`](crate::codec). A revision is 0 where the key has no
//! value.

use super::codec::{put_outcome, read_outcome};
use super::command::EXPECTED;
use super::operation::Outcome;
use super::session::SessionId;
use crate::codec::{DecodeError, Problem, Read, Reader, put_number};
use alloc::vec::Vec;
use core::fmt;

/// What applying one entry did: the same on every server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Applied {
    /// A session was opened.
    SessionOpened {
        /// Its id, which the client must be told.
        session: SessionId,
        /// The client that asked.
        client: u64,
        /// The sessions that expired to make room, if any.
        expired: Vec<SessionId>,
    },
    /// An operation has its answer.
    Answered {
        /// The session it belongs to.
        session: SessionId,
        /// Its number within the session.
        serial: u64,
        /// What it did.
        outcome: Outcome,
        /// Whether it had been executed before, so that nothing was done this time.
        duplicate: bool,
    },
    /// A direct operation has its answer.
    Direct {
        /// What it did. `None` if its condition didn't hold, and nothing was done.
        outcome: Option<Outcome>,
        /// This entry's index, if it set the key or removed its value. Otherwise the revision of
        /// the pair that is there; `None` if the key has no value.
        revision: Option<u64>,
    },
    /// Nothing was done, and nothing will be done.
    Refused(StoreRefusal),
}

/// Why an entry had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreRefusal {
    /// There is no session with that id: it expired, or never existed.
    SessionExpired {
        /// The session that the command names.
        session: SessionId,
        /// The operation's number within it.
        serial: u64,
    },
    /// The session has forgotten whether this serial was executed, so it must not be executed now.
    SerialTooOld {
        /// The session that the command names.
        session: SessionId,
        /// The operation's number within it.
        serial: u64,
        /// Outcomes up to this serial are forgotten.
        newest_forgotten: u64,
    },
    /// The entry's bytes are no command.
    Malformed(DecodeError),
}

impl fmt::Display for StoreRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreRefusal::SessionExpired { session, serial } => write!(
                f,
                "{session} has expired, so its operation {serial} was not executed now; \
                 whether an earlier try was can't be known any more"
            ),
            StoreRefusal::SerialTooOld { session, serial, newest_forgotten } => write!(
                f,
                "operation {serial} of {session} was not executed now: \
                 the outcomes of its operations up to {newest_forgotten} are forgotten"
            ),
            StoreRefusal::Malformed(error) => write!(f, "the entry is not a command: {error}"),
        }
    }
}

impl core::error::Error for StoreRefusal {}

/// For a person, in few words: `session 2 is open`, `written over the old value`.
impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Applied::SessionOpened { session, .. } => write!(f, "{session} is open"),
            Applied::Answered { outcome, .. } | Applied::Direct { outcome: Some(outcome), .. } => outcome.fmt(f),
            Applied::Direct { outcome: None, revision: Some(revision) } => {
                write!(f, "not done: the key's revision is {revision}")
            }
            Applied::Direct { outcome: None, revision: None } => f.write_str("not done: the key has no value"),
            Applied::Refused(refusal) => refusal.fmt(f),
        }
    }
}

const VERSION: u8 = 1;

// What comes after the version. Never renumber one: a server may get answers from one of another
// version.
const SESSION_OPENED: u8 = 1;
const EXECUTED: u8 = 2;
const DUPLICATE: u8 = 3;
const DIRECT: u8 = 4;
const CONDITION_FAILED: u8 = 5;
const SESSION_EXPIRED: u8 = 6;
const SERIAL_TOO_OLD: u8 = 7;
const MALFORMED: u8 = 8;

// The problems of what is no command.
const ENDED: u8 = 0;
const UNKNOWN_BYTE: u8 = 1;
const BAD_NUMBER: u8 = 2;
const OUT_OF_RANGE: u8 = 3;
const BAD_LENGTH: u8 = 4;
const NOT_UTF8: u8 = 5;
const OUT_OF_ORDER: u8 = 6;
const TRAILING: u8 = 7;

impl Applied {
    /// As bytes, for a driver that carries the answer to a client without knowing the store.
    ///
    /// ```
    /// use raft_core::kv::{Applied, Settings, Store};
    /// use raft_core::state_machine::StateMachine;
    ///
    /// let mut machine: Box<dyn StateMachine> = Box::new(Store::new(Settings::default()));
    /// let answer = machine.apply(1, b"no command");
    /// assert!(matches!(Applied::decode(&answer), Ok(Applied::Refused(_))));
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![VERSION];
        let mut put = |kind: u8, numbers: &[u64]| {
            bytes.push(kind);
            numbers.iter().for_each(|number| put_number(&mut bytes, *number));
        };
        match self {
            Applied::SessionOpened { session, client, expired } => {
                put(SESSION_OPENED, &[session.0, *client, expired.len() as u64]);
                expired.iter().for_each(|session| put_number(&mut bytes, session.0));
            }
            Applied::Answered { session, serial, outcome, duplicate } => {
                put(if *duplicate { DUPLICATE } else { EXECUTED }, &[session.0, *serial]);
                put_outcome(&mut bytes, outcome);
            }
            Applied::Direct { outcome: Some(outcome), revision } => {
                put(DIRECT, &[revision.unwrap_or(0)]);
                put_outcome(&mut bytes, outcome);
            }
            Applied::Direct { outcome: None, revision } => put(CONDITION_FAILED, &[revision.unwrap_or(0)]),
            Applied::Refused(StoreRefusal::SessionExpired { session, serial }) => {
                put(SESSION_EXPIRED, &[session.0, *serial]);
            }
            Applied::Refused(StoreRefusal::SerialTooOld { session, serial, newest_forgotten }) => {
                put(SERIAL_TOO_OLD, &[session.0, *serial, *newest_forgotten]);
            }
            Applied::Refused(StoreRefusal::Malformed(error)) => {
                let expected = EXPECTED.iter().position(|text| *text == error.expected).unwrap_or(0);
                put(MALFORMED, &[error.offset, expected as u64]);
                put_problem(&mut bytes, error.problem);
            }
        }
        bytes
    }

    /// Reads an answer back.
    ///
    /// # Errors
    /// When the bytes are not exactly one answer that a store can give. Never panics, whatever the
    /// bytes, and allocates no more than a small multiple of their number.
    pub fn decode(bytes: &[u8]) -> Result<Applied, DecodeError> {
        let mut reader = Reader::new(bytes);
        let reader = &mut reader;
        reader.byte_within("answer version 1", VERSION, VERSION)?;
        let applied = match reader.byte_within("an answer's kind, 1 to 8", SESSION_OPENED, MALFORMED)? {
            SESSION_OPENED => {
                let session = read_session(reader)?;
                let client = reader.number("a client's number")?;
                let mut expired = Vec::new();
                for _ in 0..reader.number("the number of sessions that expired")? {
                    expired.push(read_session(reader)?);
                }
                Applied::SessionOpened { session, client, expired }
            }
            kind @ (EXECUTED | DUPLICATE) => Applied::Answered {
                session: read_session(reader)?,
                serial: reader.positive(SERIAL)?,
                outcome: read_outcome_of_operation(reader)?,
                duplicate: kind == DUPLICATE,
            },
            DIRECT => read_direct(reader)?,
            CONDITION_FAILED => Applied::Direct { outcome: None, revision: read_revision(reader)? },
            SESSION_EXPIRED => Applied::Refused(StoreRefusal::SessionExpired {
                session: read_session(reader)?,
                serial: reader.positive(SERIAL)?,
            }),
            SERIAL_TOO_OLD => {
                let session = read_session(reader)?;
                let serial = reader.positive(SERIAL)?;
                let newest_forgotten = reader.number_within("a forgotten serial, from this one", serial, u64::MAX)?;
                Applied::Refused(StoreRefusal::SerialTooOld { session, serial, newest_forgotten })
            }
            _ => Applied::Refused(StoreRefusal::Malformed(DecodeError {
                offset: reader.number("an offset")?,
                expected: EXPECTED[reader.number_within("what was expected", 0, EXPECTED.len() as u64 - 1)? as usize],
                problem: read_problem(reader)?,
            })),
        };
        reader.end()?;
        Ok(applied)
    }
}

const SERIAL: &str = "a serial number, from 1";

fn read_session(reader: &mut Reader<'_>) -> Read<SessionId> {
    reader.positive("a session's id, from 1").map(SessionId)
}

fn read_revision(reader: &mut Reader<'_>) -> Read<Option<u64>> {
    Ok(Some(reader.number("a revision, or 0")?).filter(|revision| *revision > 0))
}

fn read_outcome_of_operation(reader: &mut Reader<'_>) -> Read<Outcome> {
    let start = reader.offset();
    match read_outcome(reader)? {
        Outcome::Found { .. } => Reader::error(start, "an operation's outcome", Problem::BadNumber),
        outcome => Ok(outcome),
    }
}

fn read_direct(reader: &mut Reader<'_>) -> Read<Applied> {
    let start = reader.offset();
    let revision = read_revision(reader)?;
    let outcome = read_outcome_of_operation(reader)?;
    let nothing = matches!(outcome, Outcome::Deleted { existed: false } | Outcome::NotSwapped { actual: None });
    if nothing == revision.is_some() {
        let found = revision.unwrap_or(0);
        return Reader::error(start, "a revision that fits the outcome", Problem::OutOfRange { found });
    }
    Ok(Applied::Direct { outcome: Some(outcome), revision })
}

fn put_problem(bytes: &mut Vec<u8>, problem: Problem) {
    let (kind, numbers) = match problem {
        Problem::Ended => (ENDED, [None; 3]),
        Problem::UnknownByte { found } => (UNKNOWN_BYTE, [Some(u64::from(found)), None, None]),
        Problem::BadNumber => (BAD_NUMBER, [None; 3]),
        Problem::OutOfRange { found } => (OUT_OF_RANGE, [Some(found), None, None]),
        Problem::BadLength { bytes, bytes_min, bytes_max } => {
            (BAD_LENGTH, [Some(bytes), Some(bytes_min), Some(bytes_max)])
        }
        Problem::NotUtf8 => (NOT_UTF8, [None; 3]),
        Problem::OutOfOrder => (OUT_OF_ORDER, [None; 3]),
        Problem::Trailing { bytes } => (TRAILING, [Some(bytes), None, None]),
    };
    bytes.push(kind);
    numbers.into_iter().flatten().for_each(|number| put_number(bytes, number));
}

fn read_problem(reader: &mut Reader<'_>) -> Read<Problem> {
    let start = reader.offset();
    let expected = "a problem";
    Ok(match reader.byte(expected)? {
        ENDED => Problem::Ended,
        UNKNOWN_BYTE => Problem::UnknownByte { found: reader.number_within("a byte", 0, 255)? as u8 },
        BAD_NUMBER => Problem::BadNumber,
        OUT_OF_RANGE => Problem::OutOfRange { found: reader.number("what was found")? },
        BAD_LENGTH => Problem::BadLength {
            bytes: reader.number("a length")?,
            bytes_min: reader.number("the least length")?,
            bytes_max: reader.number("the greatest length")?,
        },
        NOT_UTF8 => Problem::NotUtf8,
        OUT_OF_ORDER => Problem::OutOfOrder,
        TRAILING => Problem::Trailing { bytes: reader.number("what is left over")? },
        found => return Reader::error(start, expected, Problem::UnknownByte { found }),
    })
}

#[cfg(test)]
mod tests {
    use super::super::codec::tests::all_outcomes;
    use super::super::testing::{Bench, generator, random_command, random_number, random_store, value};
    use super::super::{Command, Settings};
    use super::*;
    use alloc::string::ToString;
    use rand::{Rng, RngExt};

    const SESSION: SessionId = SessionId(5);

    fn problem(bytes: &[u8]) -> (u64, Problem) {
        let error = Applied::decode(bytes).unwrap_err();
        (error.offset, error.problem)
    }

    fn answered(outcome: Outcome, duplicate: bool) -> Applied {
        Applied::Answered { session: SESSION, serial: 2, outcome, duplicate }
    }

    fn direct(outcome: Option<Outcome>, revision: Option<u64>) -> Applied {
        Applied::Direct { outcome, revision }
    }

    /// Servers of another version must read the answers of this one.
    #[test]
    fn the_encoding_is_pinned() {
        let expired = alloc::vec![SessionId(9), SessionId(3)];
        let too_old = StoreRefusal::SerialTooOld { session: SESSION, serial: 2, newest_forgotten: 4 };
        let malformed = |bytes: &[u8]| Applied::Refused(StoreRefusal::Malformed(Command::decode(bytes).unwrap_err()));
        let table: [(Applied, &[u8]); 16] = [
            (Applied::SessionOpened { session: SESSION, client: 300, expired }, &[1, 1, 5, 0xac, 2, 2, 9, 3]),
            (answered(Outcome::Written { replaced: true }, false), &[1, 2, 5, 2, 2]),
            (answered(Outcome::NotSwapped { actual: Some(value("7")) }, true), &[1, 3, 5, 2, 6, 1, b'7']),
            (direct(Some(Outcome::Written { replaced: false }), Some(128)), &[1, 4, 0x80, 1, 1]),
            (direct(Some(Outcome::Deleted { existed: false }), None), &[1, 4, 0, 4]),
            (direct(Some(Outcome::NotSwapped { actual: Some(value("")) }), Some(6)), &[1, 4, 6, 6, 0]),
            (direct(None, Some(6)), &[1, 5, 6]),
            (direct(None, None), &[1, 5, 0]),
            (Applied::Refused(StoreRefusal::SessionExpired { session: SESSION, serial: 2 }), &[1, 6, 5, 2]),
            (Applied::Refused(too_old), &[1, 7, 5, 2, 4]),
            (malformed(&[]), &[1, 8, 0, 0, 0]),
            (malformed(&[9]), &[1, 8, 0, 0, 1, 9]),
            (malformed(&[1, 1, 0x80, 0]), &[1, 8, 2, 2, 2]),
            (malformed(&[1, 3, 0, 1, 0, 1, b'x']), &[1, 8, 2, 3, 3, 0]),
            (malformed(&[1, 6, 0, 0]), &[1, 8, 3, 8, 4, 0, 1, 0x80, 2]),
            (malformed(&[1, 1, 0, 0, 0]), &[1, 8, 3, 10, 7, 2]),
        ];
        for (applied, bytes) in table {
            assert_eq!(applied.encode(), bytes, "{applied}");
            assert_eq!(Applied::decode(bytes), Ok(applied));
        }
        let not_utf8 = malformed(&[1, 6, 0, 1, 0xff]);
        assert_eq!(Applied::decode(&not_utf8.encode()), Ok(not_utf8));
    }

    #[test]
    fn whatever_a_store_answers_is_decoded_and_no_prefix_or_extension_of_it_is() {
        let mut random = generator(13);
        for seed in 0..40 {
            let mut store = random_store(seed);
            for _ in 0..60 {
                let mut command = random_command(&mut random).encode();
                if random.random_range(0..3) == 0 {
                    let at = random.random_range(0..command.len());
                    command[at] = random.random();
                }
                let applied = store.apply(store.applied_index() + 1, &command);
                let mut bytes = applied.encode();
                assert_eq!(Applied::decode(&bytes).as_ref(), Ok(&applied));
                for length in 0..bytes.len() {
                    assert_eq!(problem(&bytes[..length]).1, Problem::Ended, "{applied} cut to {length}");
                }
                bytes.push(0);
                assert_eq!(problem(&bytes), (bytes.len() as u64 - 1, Problem::Trailing { bytes: 1 }));
            }
        }
    }

    #[test]
    fn every_outcome_and_every_number_comes_back() {
        let mut random = generator(14);
        for outcome in all_outcomes() {
            let is_found = matches!(outcome, Outcome::Found { .. });
            for duplicate in [false, true] {
                let applied = answered(outcome.clone(), duplicate);
                assert_eq!(Applied::decode(&applied.encode()).ok(), (!is_found).then_some(applied));
            }
            // A revision exactly where the key has a value, or had one that was removed.
            let fits = |revision: Option<u64>| {
                let applied = direct(Some(outcome.clone()), revision);
                Applied::decode(&applied.encode()) == Ok(applied)
            };
            let nothing = matches!(outcome, Outcome::Deleted { existed: false } | Outcome::NotSwapped { actual: None });
            assert_eq!(fits(None), nothing && !is_found, "{outcome}");
            assert_eq!(fits(Some(3)), !nothing && !is_found, "{outcome}");
        }
        for _ in 0..1_000 {
            let mut number = || random_number(&mut random).max(1);
            let (session, serial) = (SessionId(number()), number());
            let expired = (0..serial % 5).map(|_| SessionId(number())).collect();
            for applied in [
                Applied::SessionOpened { session, client: number(), expired },
                Applied::Refused(StoreRefusal::SessionExpired { session, serial }),
                Applied::Refused(StoreRefusal::SerialTooOld { session, serial, newest_forgotten: u64::MAX }),
                direct(None, Some(serial)),
            ] {
                assert_eq!(Applied::decode(&applied.encode()), Ok(applied));
            }
        }
    }

    #[test]
    fn nonsense_is_named() {
        let unknown = |found| Problem::UnknownByte { found };
        let out_of_range = |found| Problem::OutOfRange { found };
        let table: [(&[u8], u64, Problem); 17] = [
            (&[], 0, Problem::Ended),
            (&[2, 5, 0], 0, unknown(2)),
            (&[1, 0], 1, unknown(0)),
            (&[1, 9], 1, unknown(9)),
            (&[1, 1, 0, 7, 0], 2, out_of_range(0)),
            (&[1, 1, 5, 7, 2, 1], 6, Problem::Ended),
            (&[1, 1, 5, 7, 1, 0], 5, out_of_range(0)),
            (&[1, 2, 0, 2, 1], 2, out_of_range(0)),
            (&[1, 2, 5, 0, 1], 3, out_of_range(0)),
            (&[1, 2, 5, 2, 99], 4, unknown(99)),
            (&[1, 7, 5, 2, 1], 4, out_of_range(1)),
            (&[1, 8, 0, 11, 0], 3, out_of_range(11)),
            (&[1, 8, 0, 0, 8], 4, unknown(8)),
            (&[1, 8, 0, 0, 1, 0x80, 2], 5, out_of_range(256)),
            (&[1, 4, 0, 1], 2, out_of_range(0)),
            (&[1, 4, 3, 4], 2, out_of_range(3)),
            (&[1, 1, 5, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 14, Problem::Ended),
        ];
        for (bytes, offset, what) in table {
            assert_eq!(problem(bytes), (offset, what), "{bytes:?}");
        }
    }

    #[test]
    fn whatever_decodes_has_one_encoding() {
        let mut random = generator(15);
        let mut decoded = 0;
        for _ in 0..50_000 {
            let mut bytes = alloc::vec![0; random.random_range(2..16)];
            random.fill_bytes(&mut bytes);
            bytes[0] = VERSION;
            bytes[1] = random.random_range(0..10);
            for byte in &mut bytes[2..] {
                *byte >>= random.random_range(0..8_u32);
            }
            if let Ok(applied) = Applied::decode(&bytes) {
                assert_eq!(applied.encode(), bytes);
                decoded += 1;
            }
        }
        assert!(decoded > 500, "only {decoded} decoded");
    }

    #[test]
    fn an_expectation_that_no_decoder_has_becomes_the_first() {
        let error = DecodeError { offset: 1, expected: "a wonder", problem: Problem::Ended };
        let read = Applied::decode(&Applied::Refused(StoreRefusal::Malformed(error)).encode());
        let error = DecodeError { expected: EXPECTED[0], ..error };
        assert_eq!(read, Ok(Applied::Refused(StoreRefusal::Malformed(error))));
    }

    #[test]
    fn answers_are_short_sentences() {
        let mut bench = Bench::new(Settings::default());
        assert_eq!(bench.apply(&Command::OpenSession { client: 7 }).to_string(), "session 1 is open");
        assert_eq!(bench.run(1, 1, "put x 1").to_string(), "written: the key is new");
        assert_eq!(direct(Some(Outcome::Swapped), Some(1)).to_string(), "swapped");
        assert_eq!(direct(None, Some(7)).to_string(), "not done: the key's revision is 7");
        assert_eq!(direct(None, None).to_string(), "not done: the key has no value");
        assert!(bench.run(2, 1, "put x 1").to_string().starts_with("session 2 has expired"));
    }
}
