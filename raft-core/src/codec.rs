//! The encoding in commands, snapshots and links: numbers, texts and bytes, and a reader that
//! trusts nothing.
//!
//! A number is LEB128: seven bits a byte, lowest first, the top bit set on all but the last. Only
//! the shortest form is accepted, so that equal things have equal bytes. A text is its length in
//! bytes as a number, then its UTF-8. Bytes are their number, then they themselves. Nothing depends
//! on the platform.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// Where and why bytes can't be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecodeError {
    /// Where the wrong part begins, in bytes from the start.
    pub offset: u64,
    /// What should have been there.
    pub expected: &'static str,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at the place that a [`DecodeError`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The bytes end too early.
    Ended,
    /// The byte has no meaning there.
    UnknownByte {
        /// The byte.
        found: u8,
    },
    /// A number that does not fit in 64 bits, or is not in its shortest form.
    BadNumber,
    /// A number outside of the range that makes sense there.
    OutOfRange {
        /// The number.
        found: u64,
    },
    /// A text, or bytes, of a length that isn't allowed there.
    BadLength {
        /// Its length in bytes, of UTF-8 if it is a text.
        bytes: u64,
        /// The fewest it may have: 1, or 0.
        bytes_min: u64,
        /// The most it may have.
        bytes_max: u64,
    },
    /// A text that is not UTF-8.
    NotUtf8,
    /// Not above the one before it, in a list that must ascend.
    OutOfOrder,
    /// Bytes are left over at the end.
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
            Problem::BadLength { bytes, bytes_min, bytes_max } => {
                write!(f, "it has {bytes} bytes, and not {bytes_min} to {bytes_max}")
            }
            Problem::NotUtf8 => f.write_str("the text is not UTF-8"),
            Problem::OutOfOrder => f.write_str("it is not above the one before it"),
            Problem::Trailing { bytes: 1 } => f.write_str("1 byte is left over"),
            Problem::Trailing { bytes } => write!(f, "{bytes} bytes are left over"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// What reading gives. The error is boxed, because it is large: what is handed on at each `?` is
/// code, and code is what the page's module weighs.
pub(crate) type Read<T> = Result<T, Box<DecodeError>>;

impl From<Box<DecodeError>> for DecodeError {
    fn from(error: Box<DecodeError>) -> DecodeError {
        *error
    }
}

/// Appends a number.
pub(crate) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends a text or other bytes, with their number before them.
pub(crate) fn put_bytes(bytes: &mut Vec<u8>, others: &[u8]) {
    put_number(bytes, others.len() as u64);
    bytes.extend_from_slice(others);
}

/// Reads bytes from front to back, and checks everything before it is used. It never allocates,
/// however large a length in the bytes is.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader::new_at(bytes, 0)
    }

    /// Begins at `offset`, which must be within the bytes.
    pub(crate) fn new_at(bytes: &'a [u8], offset: usize) -> Self {
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

    /// The error for a part that began at `offset`.
    pub(crate) fn error<T>(offset: usize, expected: &'static str, problem: Problem) -> Read<T> {
        Err(Box::new(DecodeError { offset: offset as u64, expected, problem }))
    }

    pub(crate) fn byte(&mut self, expected: &'static str) -> Read<u8> {
        match self.bytes.get(self.offset) {
            Some(&byte) => {
                self.offset += 1;
                Ok(byte)
            }
            None => Self::error(self.offset, expected, Problem::Ended),
        }
    }

    /// A byte that is neither below `least` nor above `most`.
    pub(crate) fn byte_within(&mut self, expected: &'static str, least: u8, most: u8) -> Read<u8> {
        let start = self.offset;
        match self.byte(expected)? {
            found if found < least || found > most => Self::error(start, expected, Problem::UnknownByte { found }),
            byte => Ok(byte),
        }
    }

    pub(crate) fn number(&mut self, expected: &'static str) -> Read<u64> {
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
    pub(crate) fn positive(&mut self, expected: &'static str) -> Read<u64> {
        self.number_within(expected, 1, u64::MAX)
    }

    /// A number that is neither below `least` nor above `most`.
    pub(crate) fn number_within(&mut self, expected: &'static str, least: u64, most: u64) -> Read<u64> {
        let start = self.offset;
        match self.number(expected)? {
            found if found < least || found > most => Self::error(start, expected, Problem::OutOfRange { found }),
            number => Ok(number),
        }
    }

    /// A text of 1 to `bytes_max` bytes.
    pub(crate) fn text(&mut self, expected: &'static str, bytes_max: u64) -> Read<&'a str> {
        let start = self.offset;
        let text = self.sized(expected, 1, bytes_max)?;
        core::str::from_utf8(text).or_else(|_| Self::error(start, expected, Problem::NotUtf8))
    }

    /// `bytes_min` to `bytes_max` bytes, with their number before them.
    pub(crate) fn sized(&mut self, expected: &'static str, bytes_min: u64, bytes_max: u64) -> Read<&'a [u8]> {
        let start = self.offset;
        let bytes = self.number(expected)?;
        if !(bytes_min..=bytes_max).contains(&bytes) {
            return Self::error(start, expected, Problem::BadLength { bytes, bytes_min, bytes_max });
        }
        self.bytes(bytes, expected).or_else(|_| Self::error(start, expected, Problem::Ended))
    }

    /// The next `count` bytes, if there are so many.
    pub(crate) fn bytes(&mut self, count: u64, expected: &'static str) -> Read<&'a [u8]> {
        let rest = &self.bytes[self.offset..];
        match usize::try_from(count).ok().and_then(|count| rest.get(..count)) {
            Some(bytes) => {
                self.offset += bytes.len();
                Ok(bytes)
            }
            None => Self::error(self.offset, expected, Problem::Ended),
        }
    }

    /// All bytes that have not been read.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.offset..];
        self.offset = self.bytes.len();
        rest
    }

    /// All bytes must have been read by now.
    pub(crate) fn end(&self) -> Read<()> {
        match self.bytes.len() - self.offset {
            0 => Ok(()),
            left => Self::error(self.offset, "the end", Problem::Trailing { bytes: left as u64 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::{format, vec};

    fn written(number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        put_number(&mut bytes, number);
        bytes
    }

    fn read(bytes: &[u8]) -> Read<u64> {
        let mut reader = Reader::new(bytes);
        let number = reader.number("a number")?;
        reader.end()?;
        Ok(number)
    }

    fn problem<T: fmt::Debug>(result: Read<T>) -> (u64, Problem) {
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
        for bits in 0..64 {
            for number in [1 << bits, (1 << bits) - 1, u64::MAX >> bits, 0x9e37_79b9_7f4a_7c15 >> bits] {
                assert_eq!(read(&written(number)), Ok(number));
            }
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
    fn a_number_within_bounds_may_be_each_of_them() {
        for number in 0..6 {
            let read = Reader::new(&[number]).number_within("2 to 4", 2, 4);
            let found = u64::from(number);
            match number {
                2..=4 => assert_eq!(read, Ok(found)),
                _ => assert_eq!(problem(read), (0, Problem::OutOfRange { found })),
            }
        }
    }

    #[test]
    fn texts_are_checked_before_they_are_taken() {
        let read = |bytes: &[u8], most| {
            let mut reader = Reader::new(bytes);
            let text = reader.text("a text", most).map(|text| text.to_string());
            text.map(|text| (text, reader.offset()))
        };
        assert_eq!(read(b"\x02hi!", 256).unwrap(), ("hi".to_string(), 3), "what follows is left alone");
        assert_eq!(problem(read(b"\x03hi", 256)), (0, Problem::Ended));
        assert_eq!(problem(read(b"\x02\xc3\x28", 256)), (0, Problem::NotUtf8));
        assert_eq!(problem(read(b"\x00", 256)), (0, Problem::BadLength { bytes: 0, bytes_min: 1, bytes_max: 256 }));
        // The limit is checked first, whatever the length, and nothing is allocated.
        for bytes_max in [256, 65_536] {
            assert_eq!(problem(read(&written(bytes_max), bytes_max)), (0, Problem::Ended));
            for bytes in [bytes_max + 1, u64::from(u32::MAX) + 2, u64::MAX] {
                assert_eq!(
                    problem(read(&written(bytes), bytes_max)),
                    (0, Problem::BadLength { bytes, bytes_min: 1, bytes_max })
                );
            }
        }
    }

    #[test]
    fn bytes_are_counted_before_they_are_taken() {
        let read = |bytes: &[u8], most| {
            let mut reader = Reader::new(bytes);
            let read = reader.sized("bytes", 0, most).map(<[u8]>::to_vec);
            read.map(|read| (read, reader.offset()))
        };
        assert_eq!(read(b"\x02\xff\0!", 2), Ok((vec![0xff, 0], 3)), "what follows is left alone");
        assert_eq!(read(b"\0!", 0), Ok((vec![], 1)));
        assert_eq!(problem(read(b"\x03hi", 256)), (0, Problem::Ended));
        assert_eq!(problem(read(b"", 256)), (0, Problem::Ended));
        for bytes in [257, u64::from(u32::MAX) + 2, u64::MAX] {
            assert_eq!(
                problem(read(&written(bytes), 256)),
                (0, Problem::BadLength { bytes, bytes_min: 0, bytes_max: 256 })
            );
        }
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
            (Problem::BadLength { bytes: 300, bytes_min: 1, bytes_max: 256 }, "it has 300 bytes, and not 1 to 256"),
            (Problem::BadLength { bytes: 9, bytes_min: 0, bytes_max: 8 }, "it has 9 bytes, and not 0 to 8"),
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
