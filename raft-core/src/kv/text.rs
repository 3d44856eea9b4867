//! Keys and values: a key is UTF-8 text, a value any bytes. Both are of a bounded size, checked
//! once and then cheap to clone. Short ones are stored in place and long ones are shared, like a
//! log's commands ([`Bytes`]).

use super::word;
use crate::bytes::Bytes;
use crate::shared_map::SearchedBy;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

/// To which of the two a limit or an error belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A [`Key`].
    Key,
    /// A [`Value`].
    Value,
}

impl Field {
    /// The most bytes it may have. A key has at least 1, and a value may have none.
    pub const fn bytes_max(self) -> usize {
        match self {
            Field::Key => Key::BYTES_MAX,
            Field::Value => Value::BYTES_MAX,
        }
    }

    /// Checks a length in bytes against this field's limits.
    ///
    /// # Errors
    /// When the length is above [`bytes_max`](Self::bytes_max), or a key's is 0.
    pub const fn check(self, bytes: u64) -> Result<(), TextError> {
        let bytes_max = self.bytes_max() as u64;
        if bytes == 0 && matches!(self, Field::Key) {
            Err(TextError::Empty)
        } else if bytes > bytes_max {
            Err(TextError::TooLong { field: self, bytes, bytes_max })
        } else {
            Ok(())
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Key => "key",
            Field::Value => "value",
        })
    }
}

/// Why a text can't be a key, or bytes can't be a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextError {
    /// A key has no bytes at all.
    Empty,
    /// It has more bytes than its field allows.
    TooLong {
        /// What it was meant to be.
        field: Field,
        /// Its length in bytes.
        bytes: u64,
        /// The most it may have.
        bytes_max: u64,
    },
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TextError::Empty => write!(f, "the key is empty: a key has 1 to {} bytes", Key::BYTES_MAX),
            TextError::TooLong { field, bytes, bytes_max } => {
                write!(f, "the {field} has {bytes} bytes: a {field} has at most {bytes_max}")
            }
        }
    }
}

impl core::error::Error for TextError {}

/// The name of a pair in the store: 1 to 256 bytes of UTF-8, ordered by its bytes. Cheap to clone.
///
/// ```
/// use raft_core::kv::Key;
/// assert_eq!(Key::new("x").unwrap().as_str(), "x");
/// assert_eq!(
///     Key::new("").unwrap_err().to_string(),
///     "the key is empty: a key has 1 to 256 bytes",
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Bytes);

impl Key {
    /// The most bytes of UTF-8 it may have. The fewest is 1.
    pub const BYTES_MAX: usize = 256;

    /// Checks the text's length and takes a copy of it.
    ///
    /// # Errors
    /// When the text is empty or longer than [`BYTES_MAX`](Self::BYTES_MAX).
    pub fn new(text: &str) -> Result<Key, TextError> {
        Field::Key.check(text.len() as u64)?;
        Ok(Key(text.as_bytes().into()))
    }

    /// Takes a copy of a text whose length has been checked already.
    pub(super) fn checked(text: &str) -> Key {
        debug_assert_eq!(Field::Key.check(text.len() as u64), Ok(()));
        Key(text.as_bytes().into())
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_else(|_| panic!("it was made of a text"))
    }

    /// Its UTF-8, without a check that it is.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// As `str` does it, byte for byte: a trace hash doesn't depend on how a text is stored.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.0, state);
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By its bytes.
impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        (*self.0).cmp(&*other.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.as_str())
    }
}

/// So that a map can be searched with borrowed text.
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// Texts are ordered by their bytes.
impl SearchedBy<str> for Key {
    #[inline]
    fn order(&self, sought: &str) -> Ordering {
        let (own, sought) = (self.as_bytes(), sought.as_bytes());
        // Mostly the first byte decides, and a call of the C library's comparison would take
        // longer.
        match own.first().cmp(&sought.first()) {
            Ordering::Equal => own.cmp(sought),
            decided => decided,
        }
    }
}

/// What the store holds under a key: 0 to 65,536 bytes (64 KiB), text or not. Cheap to clone.
///
/// A key with an empty value is not an absent key.
///
/// `Display` shows it to people: a printable text as it is, and anything else quoted and escaped.
///
/// ```
/// use raft_core::kv::Value;
/// assert_eq!(Value::new("good morning").unwrap().to_string(), "good morning");
/// assert_eq!(Value::new([0x68, 0x69, 0xff]).unwrap().to_string(), r#""hi\xff""#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Bytes);

impl Value {
    /// The most bytes it may have. It may have none.
    pub const BYTES_MAX: usize = 65_536;

    /// Checks the length and takes a copy of the bytes.
    ///
    /// # Errors
    /// When there are more than [`BYTES_MAX`](Self::BYTES_MAX).
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Value, TextError> {
        let bytes = bytes.as_ref();
        Field::Value.check(bytes.len() as u64)?;
        Ok(Value(bytes.into()))
    }

    /// Takes a copy of bytes whose number has been checked already.
    #[inline(never)]
    pub(super) fn checked(bytes: &[u8]) -> Value {
        debug_assert_eq!(Field::Value.check(bytes.len() as u64), Ok(()));
        Value(bytes.into())
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value as a text, if it is one: UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }
}

/// A value that is a text has the hash of that text, as a key has.
impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash(&self.0, state);
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_str() {
            Some(text) => write!(f, "Value({text:?})"),
            None => write!(f, "Value({self})"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        word::write(f, &self.0, false)
    }
}

/// What `str` gives the hasher.
fn hash(bytes: &[u8], state: &mut impl Hasher) {
    state.write(bytes);
    state.write_u8(0xff);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::TraceHasher;
    use alloc::format;
    use alloc::string::ToString;

    fn too_long(field: Field, bytes: u64, bytes_max: u64) -> TextError {
        TextError::TooLong { field, bytes, bytes_max }
    }

    #[test]
    fn a_key_has_1_to_256_bytes() {
        let refused = |text: &str| Key::new(text).unwrap_err();
        assert_eq!(refused(""), TextError::Empty);
        assert_eq!(Key::new("k").unwrap().as_str(), "k");
        assert_eq!(Key::new(&"k".repeat(256)).unwrap().as_str().len(), 256);
        assert_eq!(refused(&"k".repeat(257)), too_long(Field::Key, 257, 256));
    }

    #[test]
    fn a_value_has_0_to_65536_bytes() {
        let refused = |text: &str| Value::new(text).unwrap_err();
        assert_eq!(Value::new("").unwrap().as_bytes(), b"");
        assert_eq!(Value::new("v").unwrap().as_str(), Some("v"));
        assert_eq!(Value::new([0xff, 0]).unwrap().as_bytes(), [0xff, 0]);
        assert_eq!(Value::new([0xff, 0]).unwrap().as_str(), None);
        assert_eq!(Value::new("v".repeat(65_536)).unwrap().as_bytes().len(), 65_536);
        assert_eq!(refused(&"v".repeat(65_537)), too_long(Field::Value, 65_537, 65_536));
    }

    #[test]
    fn limits_count_bytes_and_not_characters() {
        assert!(Key::new(&"é".repeat(128)).is_ok());
        assert_eq!(Key::new(&"é".repeat(129)).unwrap_err(), too_long(Field::Key, 258, 256));
        assert!(Value::new("🦀".repeat(16_384)).is_ok());
        assert_eq!(Value::new("🦀".repeat(16_385)).unwrap_err(), too_long(Field::Value, 65_540, 65_536));
    }

    #[test]
    fn errors_say_what_was_measured_and_what_is_allowed() {
        let sentence = |error: TextError| error.to_string();
        assert_eq!(sentence(Key::new(&"k".repeat(300)).unwrap_err()), "the key has 300 bytes: a key has at most 256");
        assert_eq!(sentence(Key::new("").unwrap_err()), "the key is empty: a key has 1 to 256 bytes");
        assert_eq!(
            sentence(Value::new([0xff; 65_537]).unwrap_err()),
            "the value has 65537 bytes: a value has at most 65536"
        );
    }

    #[test]
    fn a_clone_shares_a_text_that_is_not_short() {
        let shared = "a text of more bytes than there is room for in place";
        let key = Key::new(shared).unwrap();
        assert!(core::ptr::eq(key.as_str(), key.clone().as_str()));
        assert!(!core::ptr::eq(key.as_str(), Key::new(shared).unwrap().as_str()));
    }

    #[test]
    fn short_or_long_a_text_hashes_prints_and_compares_as_itself() {
        let hash_of = |text: &dyn Fn(&mut TraceHasher)| {
            let mut hasher = TraceHasher::new(1);
            text(&mut hasher);
            hasher.finish()
        };
        for len in [1, 7, 8, 21, 22, 23, 24, 200] {
            let text = "é".repeat(len / 2) + "x";
            let (key, value) = (Key::new(&text).unwrap(), Value::new(&text).unwrap());
            assert_eq!((key.as_str(), value.as_str()), (text.as_str(), Some(text.as_str())));
            assert_eq!(hash_of(&|hasher| key.hash(hasher)), hash_of(&|hasher| text.hash(hasher)));
            assert_eq!(hash_of(&|hasher| value.hash(hasher)), hash_of(&|hasher| text.hash(hasher)));
            assert_eq!(format!("{key:?} {value:?}"), format!("Key({text:?}) Value({text:?})"));
            assert_eq!(key.order(text.as_str()), Ordering::Equal);
            assert_eq!(key.order(format!("{text}y").as_str()), Ordering::Less);
            assert_eq!(key, Key::checked(&text));
            assert_ne!(value, Value::new(format!("{text}y")).unwrap());
        }
    }

    #[test]
    fn keys_are_ordered_by_their_bytes() {
        let sorted = ["A", "a", "aa", "b", "é", "🦀"];
        let keys = sorted.map(|text| Key::new(text).unwrap());
        assert!(keys.is_sorted());
        assert!(keys.iter().zip(sorted).all(|(key, text)| {
            let borrowed: &str = key.borrow();
            borrowed == text
        }));
    }

    #[test]
    fn a_printable_text_is_shown_as_it_is_and_nothing_else_is() {
        let table: [(&[u8], &str); 7] = [
            (b"plain", "plain"),
            (b"two words", "two words"),
            ("naïve → 🦀".as_bytes(), "naïve → 🦀"),
            (b"", "\"\""),
            (b"a\nb", r#""a\nb""#),
            (b"\x1b[31m", r#""\u{1b}[31m""#),
            (b"\x1b\xff", r#""\x1b\xff""#),
        ];
        for (bytes, shown) in table {
            assert_eq!(Value::new(bytes).unwrap().to_string(), shown);
        }
        assert_eq!(format!("{:?}", Value::new([0xff]).unwrap()), r#"Value("\xff")"#);
    }
}
