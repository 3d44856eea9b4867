//! The encoding of outcomes, keys and values.

use super::operation::Outcome;
use super::text::{Key, Value};
use crate::codec::{Problem, Read, Reader, put_bytes};
use alloc::vec::Vec;

// The tags of outcomes. Snapshots live on: never renumber one.
const WRITTEN_NEW: u8 = 1;
const WRITTEN_OVER: u8 = 2;
const DELETED: u8 = 3;
const DELETED_NOTHING: u8 = 4;
const SWAPPED: u8 = 5;
const NOT_SWAPPED: u8 = 6;
const NOT_SWAPPED_ABSENT: u8 = 7;
const FOUND: u8 = 8;
const FOUND_NOTHING: u8 = 9;

/// An outcome's tag and its value: its whole content, for the encoding and for the digest.
pub(super) fn outcome_parts(outcome: &Outcome) -> (u8, Option<&Value>) {
    match outcome {
        Outcome::Written { replaced: false } => (WRITTEN_NEW, None),
        Outcome::Written { replaced: true } => (WRITTEN_OVER, None),
        Outcome::Deleted { existed: true } => (DELETED, None),
        Outcome::Deleted { existed: false } => (DELETED_NOTHING, None),
        Outcome::Swapped => (SWAPPED, None),
        Outcome::NotSwapped { actual: Some(v) } => (NOT_SWAPPED, Some(v)),
        Outcome::NotSwapped { actual: None } => (NOT_SWAPPED_ABSENT, None),
        Outcome::Found { value: Some(v) } => (FOUND, Some(v)),
        Outcome::Found { value: None } => (FOUND_NOTHING, None),
    }
}

/// Appends an outcome: its tag, then its value if it has one.
pub(super) fn put_outcome(bytes: &mut Vec<u8>, outcome: &Outcome) {
    let (tag, value) = outcome_parts(outcome);
    bytes.push(tag);
    if let Some(value) = value {
        put_bytes(bytes, value.as_bytes());
    }
}

/// Reads a key.
pub(super) fn read_key<'a>(reader: &mut Reader<'a>) -> Read<&'a str> {
    reader.text("a key", Key::BYTES_MAX as u64)
}

/// Reads a value.
pub(super) fn read_value<'a>(reader: &mut Reader<'a>) -> Read<&'a [u8]> {
    reader.sized("a value", 0, Value::BYTES_MAX as u64)
}

/// Reads an outcome that [`put_outcome`] has written.
pub(super) fn read_outcome(reader: &mut Reader<'_>) -> Read<Outcome> {
    let start = reader.offset();
    let expected = "an outcome";
    Ok(match reader.byte(expected)? {
        WRITTEN_NEW => Outcome::Written { replaced: false },
        WRITTEN_OVER => Outcome::Written { replaced: true },
        DELETED => Outcome::Deleted { existed: true },
        DELETED_NOTHING => Outcome::Deleted { existed: false },
        SWAPPED => Outcome::Swapped,
        NOT_SWAPPED => Outcome::NotSwapped { actual: Some(Value::checked(read_value(reader)?)) },
        NOT_SWAPPED_ABSENT => Outcome::NotSwapped { actual: None },
        FOUND => Outcome::Found { value: Some(Value::checked(read_value(reader)?)) },
        FOUND_NOTHING => Outcome::Found { value: None },
        found => return Reader::error(start, expected, Problem::UnknownByte { found }),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::testing::value;
    use super::*;
    use alloc::vec;

    fn problem<T: core::fmt::Debug>(result: Read<T>) -> (u64, Problem) {
        let error = result.unwrap_err();
        (error.offset, error.problem)
    }

    pub(in crate::kv) fn all_outcomes() -> Vec<Outcome> {
        vec![
            Outcome::Written { replaced: false },
            Outcome::Written { replaced: true },
            Outcome::Deleted { existed: true },
            Outcome::Deleted { existed: false },
            Outcome::Swapped,
            Outcome::NotSwapped { actual: Some(value("7")) },
            Outcome::NotSwapped { actual: None },
            Outcome::Found { value: Some(value("8")) },
            Outcome::Found { value: None },
        ]
    }

    #[test]
    fn outcomes_keep_their_tags() {
        let mut bytes = Vec::new();
        for outcome in all_outcomes() {
            put_outcome(&mut bytes, &outcome);
        }
        assert_eq!(bytes, b"\x01\x02\x03\x04\x05\x06\x017\x07\x08\x018\x09");
        let mut reader = Reader::new(&bytes);
        for outcome in all_outcomes() {
            assert_eq!(read_outcome(&mut reader), Ok(outcome));
        }
        assert_eq!(reader.end(), Ok(()));
        assert_eq!(problem(read_outcome(&mut reader)), (13, Problem::Ended));
        for found in [0, 10, 255] {
            let error = problem(read_outcome(&mut Reader::new(&[found])));
            assert_eq!(error, (0, Problem::UnknownByte { found }));
        }
        assert_eq!(problem(read_outcome(&mut Reader::new(&[6]))), (1, Problem::Ended));
        assert_eq!(problem(read_outcome(&mut Reader::new(&[8]))), (1, Problem::Ended));
    }
}
