//! The bytes under commands and snapshots: numbers, texts and outcomes, and a reader that trusts
//! nothing.
//!
//! A number is LEB128: seven bits a byte, lowest first, the top bit set on all but the last. Only
//! the shortest form is accepted, so that equal things have equal bytes. A text is its length in
//! bytes as a number, then its UTF-8. No width depends on the platform.

use super::operation::Outcome;
use super::text::{Field, TextError, Value};
use alloc::vec::Vec;
use core::fmt;

/// Where and why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecodeError {
    /// Where the thing that is wrong begins, in bytes from the start.
    pub offset: u64,
    /// What should have been there.
    pub expected: &'static str,
    /// What is wrong with what is there.
    pub problem: Problem,
}

/// What is wrong at the place a [`DecodeError`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The bytes end before it does.
    Ended,
    /// The byte means nothing there.
    UnknownByte {
        /// The byte.
        found: u8,
    },
    /// A number that does not fit in 64 bits, or is written longer than it need be.
    BadNumber,
    /// A number outside of what makes sense there.
    OutOfRange {
        /// The number.
        found: u64,
    },
    /// A text of a length that its field does not allow.
    BadLength(TextError),
    /// A text that is not UTF-8.
    NotUtf8,
    /// Not above the one before it, in a list that must ascend.
    OutOfOrder,
    /// Bytes that nothing accounts for.
    Trailing {
        /// How many.
        bytes: u64,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecodeError { offset, expected, problem } = self;
        write!(f, "at byte {offset}: expected {expected}, but ")?;
        match problem {
            Problem::Ended => f.write_str("the bytes end"),
            Problem::UnknownByte { found } => write!(f, "found {found:#04x}"),
            Problem::BadNumber => f.write_str("the number is not in its shortest 64-bit form"),
            Problem::OutOfRange { found } => write!(f, "found {found}"),
            Problem::BadLength(error) => error.fmt(f),
            Problem::NotUtf8 => f.write_str("the text is not UTF-8"),
            Problem::OutOfOrder => f.write_str("it is not above the one before it"),
            Problem::Trailing { bytes: 1 } => f.write_str("1 byte is left over"),
            Problem::Trailing { bytes } => write!(f, "{bytes} bytes are left over"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Appends a number.
pub(crate) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends a text.
pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

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

/// An outcome's tag and the value it carries: its whole content, for the encoding and for the
/// digest.
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

/// Appends an outcome: its tag, then the value if it carries one.
pub(super) fn put_outcome(bytes: &mut Vec<u8>, outcome: &Outcome) {
    let (tag, value) = outcome_parts(outcome);
    bytes.push(tag);
    if let Some(value) = value {
        put_text(bytes, value.as_str());
    }
}

/// Reads bytes from front to back, checking each thing before it is used. Nothing is allocated
/// here, so no length, however large, can make it allocate.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader::new_at(bytes, 0)
    }

    /// Begins at `offset`, which must be within the bytes.
    pub(super) fn new_at(bytes: &'a [u8], offset: usize) -> Self {
        assert!(offset <= bytes.len(), "{offset} of {}", bytes.len());
        Reader { bytes, offset }
    }

    /// How many bytes have been read.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// How many bytes have not been read.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// The error for a thing that began at `offset`.
    pub(crate) fn error<T>(offset: usize, expected: &'static str, problem: Problem) -> Result<T, DecodeError> {
        Err(DecodeError { offset: offset as u64, expected, problem })
    }

    pub(crate) fn byte(&mut self, expected: &'static str) -> Result<u8, DecodeError> {
        match self.bytes.get(self.offset) {
            Some(&byte) => {
                self.offset += 1;
                Ok(byte)
            }
            None => Self::error(self.offset, expected, Problem::Ended),
        }
    }

    pub(crate) fn number(&mut self, expected: &'static str) -> Result<u64, DecodeError> {
        let start = self.offset;
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let Ok(byte) = self.byte(expected) else {
                return Self::error(start, expected, Problem::Ended);
            };
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit; a last byte of zero could have been left out.
            if (shift == 63 && byte > 1) || (shift > 0 && byte == 0) {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Self::error(start, expected, Problem::BadNumber)
    }

    /// A number that can't be 0: log indexes, session ids and serials begin at 1.
    pub(super) fn positive(&mut self, expected: &'static str) -> Result<u64, DecodeError> {
        let start = self.offset;
        match self.number(expected)? {
            0 => Self::error(start, expected, Problem::OutOfRange { found: 0 }),
            number => Ok(number),
        }
    }

    pub(super) fn text(&mut self, field: Field) -> Result<&'a str, DecodeError> {
        let expected = match field {
            Field::Key => "a key",
            Field::Value => "a value",
        };
        let start = self.offset;
        let length = self.number(expected)?;
        if let Err(error) = field.check(length) {
            return Self::error(start, expected, Problem::BadLength(error));
        }
        // The field's limit bounds the length, so that it fits whatever a usize is.
        let length = length as usize;
        let rest = &self.bytes[self.offset..];
        let Some(text) = rest.get(..length) else {
            return Self::error(start, expected, Problem::Ended);
        };
        let Ok(text) = core::str::from_utf8(text) else {
            return Self::error(start, expected, Problem::NotUtf8);
        };
        self.offset += length;
        Ok(text)
    }

    /// As many bytes as `count` says, if there are so many.
    pub(crate) fn bytes(&mut self, count: u64, expected: &'static str) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.offset..];
        match usize::try_from(count).ok().and_then(|count| rest.get(..count)) {
            Some(bytes) => {
                self.offset += bytes.len();
                Ok(bytes)
            }
            None => Self::error(self.offset, expected, Problem::Ended),
        }
    }

    pub(super) fn outcome(&mut self) -> Result<Outcome, DecodeError> {
        let start = self.offset;
        let expected = "an outcome";
        Ok(match self.byte(expected)? {
            WRITTEN_NEW => Outcome::Written { replaced: false },
            WRITTEN_OVER => Outcome::Written { replaced: true },
            DELETED => Outcome::Deleted { existed: true },
            DELETED_NOTHING => Outcome::Deleted { existed: false },
            SWAPPED => Outcome::Swapped,
            NOT_SWAPPED => Outcome::NotSwapped { actual: Some(Value::checked(self.text(Field::Value)?)) },
            NOT_SWAPPED_ABSENT => Outcome::NotSwapped { actual: None },
            FOUND => Outcome::Found { value: Some(Value::checked(self.text(Field::Value)?)) },
            FOUND_NOTHING => Outcome::Found { value: None },
            found => return Self::error(start, expected, Problem::UnknownByte { found }),
        })
    }

    /// All bytes must have been read by now.
    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        match self.bytes.len() - self.offset {
            0 => Ok(()),
            left => Self::error(self.offset, "the end", Problem::Trailing { bytes: left as u64 }),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::testing::{generator, random_number, value};
    use super::*;
    use alloc::string::ToString;
    use alloc::{format, vec};

    fn written(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_number(&mut bytes, number);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<u64, DecodeError> {
        let mut reader = Reader::new(bytes);
        let number = reader.number("a number")?;
        reader.end()?;
        Ok(number)
    }

    fn problem<T: fmt::Debug>(result: Result<T, DecodeError>) -> (u64, Problem) {
        let error = result.unwrap_err();
        (error.offset, error.problem)
    }

    #[test]
    fn numbers_take_a_byte_for_every_seven_bits() {
        let table: [(u64, &[u8]); 8] = [
            (0, &[0]),
            (1, &[1]),
            (0x7f, &[0x7f]),
            (0x80, &[0x80, 1]),
            (0x3fff, &[0xff, 0x7f]),
            (0x4000, &[0x80, 0x80, 1]),
            (u64::MAX >> 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ];
        for (number, bytes) in table {
            assert_eq!(written(number), bytes, "{number}");
            assert_eq!(read(bytes), Ok(number));
        }
        let mut random = generator(1);
        for _ in 0..2_000 {
            let number = random_number(&mut random);
            assert_eq!(read(&written(number)), Ok(number));
        }
    }

    #[test]
    fn a_number_has_one_form_and_64_bits() {
        for bytes in [&[0x80, 0][..], &[0x81, 0x80, 0], &[0xff, 0x80, 0x80, 0]] {
            assert_eq!(problem(read(bytes)), (0, Problem::BadNumber), "{bytes:?}");
        }
        // The tenth byte holds the 64th bit and nothing else.
        let mut bytes = vec![0xff; 9];
        for tenth in 0..=255u8 {
            bytes.push(tenth);
            let expected = match tenth {
                1 => Ok(u64::MAX),
                _ => Err(Problem::BadNumber),
            };
            assert_eq!(read(&bytes).map_err(|e| e.problem), expected, "{tenth}");
            bytes.pop();
        }
    }

    #[test]
    fn a_number_cut_short_is_named_where_it_begins() {
        for count in 0..10 {
            let mut bytes = vec![7];
            bytes.extend(vec![0x80; count]);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.number("a number"), Ok(7));
            assert_eq!(problem(reader.number("a number")), (1, Problem::Ended));
        }
    }

    #[test]
    fn zero_is_not_positive() {
        assert_eq!(Reader::new(&[1]).positive("one"), Ok(1));
        assert_eq!(problem(Reader::new(&[0]).positive("one")), (0, Problem::OutOfRange { found: 0 }));
        assert_eq!(problem(Reader::new(&[]).positive("one")), (0, Problem::Ended));
    }

    #[test]
    fn texts_are_checked_before_they_are_taken() {
        let read = |bytes: &[u8], field| {
            let mut reader = Reader::new(bytes);
            let text = reader.text(field).map(|text| text.to_string());
            text.map(|text| (text, reader.offset()))
        };
        assert_eq!(read(b"\x02hi!", Field::Key).unwrap(), ("hi".to_string(), 3), "what follows is left alone");
        assert_eq!(problem(read(b"\x03hi", Field::Key)), (0, Problem::Ended));
        assert_eq!(problem(read(b"\x02\xc3\x28", Field::Key)), (0, Problem::NotUtf8));
        assert_eq!(
            problem(read(b"\x00", Field::Value)),
            (0, Problem::BadLength(TextError::Empty { field: Field::Value }))
        );
        // Whatever length is claimed, the field's limit comes first and nothing is allocated.
        for (field, bytes_max) in [(Field::Key, 256), (Field::Value, 65_536)] {
            assert_eq!(problem(read(&written(bytes_max), field)), (0, Problem::Ended));
            for bytes in [bytes_max + 1, u64::from(u32::MAX) + 2, u64::MAX] {
                let error = TextError::TooLong { field, bytes, bytes_max };
                assert_eq!(problem(read(&written(bytes), field)), (0, Problem::BadLength(error)));
            }
        }
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
            assert_eq!(reader.outcome(), Ok(outcome));
        }
        assert_eq!(reader.end(), Ok(()));
        assert_eq!(problem(reader.outcome()), (13, Problem::Ended));
        for found in [0, 10, 255] {
            let error = problem(Reader::new(&[found]).outcome());
            assert_eq!(error, (0, Problem::UnknownByte { found }));
        }
        assert_eq!(problem(Reader::new(&[6]).outcome()), (1, Problem::Ended));
        assert_eq!(problem(Reader::new(&[8]).outcome()), (1, Problem::Ended));
    }

    #[test]
    fn errors_say_where_what_and_why() {
        let sentence = |problem| {
            let error = DecodeError { offset: 3, expected: "a key", problem };
            let sentence = error.to_string();
            let rest = sentence.strip_prefix("at byte 3: expected a key, but ");
            rest.unwrap().to_string()
        };
        let table = [
            (Problem::Ended, "the bytes end"),
            (Problem::UnknownByte { found: 10 }, "found 0x0a"),
            (Problem::BadNumber, "the number is not in its shortest 64-bit form"),
            (Problem::OutOfRange { found: 10 }, "found 10"),
            (Problem::BadLength(TextError::Empty { field: Field::Key }), "the key is empty: a key has 1 to 256 bytes"),
            (Problem::NotUtf8, "the text is not UTF-8"),
            (Problem::OutOfOrder, "it is not above the one before it"),
            (Problem::Trailing { bytes: 1 }, "1 byte is left over"),
            (Problem::Trailing { bytes: 2 }, "2 bytes are left over"),
        ];
        for (problem, words) in table {
            assert_eq!(sentence(problem), words);
        }
        assert_eq!(
            format!("{}", Reader::new(&[1, 2]).end().unwrap_err()),
            "at byte 0: expected the end, but 2 bytes are left over"
        );
    }

    #[test]
    #[should_panic(expected = "3 of 2")]
    fn a_reader_begins_within_its_bytes() {
        Reader::new_at(&[1, 2], 2).end().unwrap();
        Reader::new_at(&[1, 2], 3);
    }
}
