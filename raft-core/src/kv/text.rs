//! Keys and values: UTF-8 text of a bounded size, checked once and then cheap to clone. A short
//! text is stored in place and a long one is shared, like a log's commands ([`Bytes`]).

use crate::bytes::Bytes;
use crate::shared_map::SearchedBy;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

/// To which kind of text a limit or an error belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A [`Key`].
    Key,
    /// A [`Value`].
    Value,
}

impl Field {
    /// The most bytes of UTF-8 such a text may have. The fewest is 1.
    pub const fn bytes_max(self) -> usize {
        match self {
            Field::Key => Key::BYTES_MAX,
            Field::Value => Value::BYTES_MAX,
        }
    }

    /// Checks a length in bytes against this field's limits.
    ///
    /// # Errors
    /// When the length is 0 or above [`bytes_max`](Self::bytes_max).
    pub const fn check(self, bytes: u64) -> Result<(), TextError> {
        let bytes_max = self.bytes_max() as u64;
        if bytes == 0 {
            Err(TextError::Empty { field: self })
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

/// Why a text can't be a key or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextError {
    /// It has no bytes at all.
    Empty {
        /// What it was meant to be.
        field: Field,
    },
    /// It has more bytes than its field allows.
    TooLong {
        /// What it was meant to be.
        field: Field,
        /// Its length in bytes of UTF-8.
        bytes: u64,
        /// The most it may have.
        bytes_max: u64,
    },
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            TextError::Empty { field } => {
                write!(f, "the {field} is empty: a {field} has 1 to {} bytes", field.bytes_max())
            }
            TextError::TooLong { field, bytes, bytes_max } => {
                write!(f, "the {field} has {bytes} bytes of UTF-8: a {field} has at most {bytes_max}")
            }
        }
    }
}

impl core::error::Error for TextError {}

/// What a key and a value are made of.
#[derive(Clone, PartialEq, Eq)]
struct Text(Bytes);

impl Text {
    fn new(text: &str) -> Text {
        Text(text.as_bytes().into())
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_else(|_| panic!("it was made of a text"))
    }
}

/// As `str` does it, byte for byte: a trace hash doesn't depend on how a text is stored.
impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
        state.write_u8(0xff);
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By its bytes.
impl Ord for Text {
    fn cmp(&self, other: &Text) -> Ordering {
        (*self.0).cmp(&*other.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $bytes_max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Text);

        impl $name {
            /// The most bytes of UTF-8 it may have. The fewest is 1.
            pub const BYTES_MAX: usize = $bytes_max;

            /// Checks the text's length and takes a copy of it.
            ///
            /// # Errors
            /// When the text is empty or longer than [`BYTES_MAX`](Self::BYTES_MAX).
            pub fn new(text: &str) -> Result<Self, TextError> {
                Field::$name.check(text.len() as u64)?;
                Ok(Self(Text::new(text)))
            }

            /// Takes a copy of a text whose length has been checked already.
            pub(super) fn checked(text: &str) -> Self {
                debug_assert_eq!(Field::$name.check(text.len() as u64), Ok(()));
                Self(Text::new(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// Its UTF-8, without a check that it is.
            pub(crate) fn as_bytes(&self) -> &[u8] {
                &self.0.0
            }
        }

        /// So that a map can be searched with borrowed text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
    };
}

bounded_text!(
    /// The name of a pair in the store: 1 to 256 bytes of UTF-8, ordered by its bytes. Cheap to
    /// clone.
    ///
    /// ```
    /// use raft_core::kv::Key;
    /// assert_eq!(Key::new("x").unwrap().as_str(), "x");
    /// assert_eq!(
    ///     Key::new("").unwrap_err().to_string(),
    ///     "the key is empty: a key has 1 to 256 bytes",
    /// );
    /// ```
    Key, 256
);

bounded_text!(
    /// What the store holds under a key: 1 to 65,536 bytes (64 KiB) of UTF-8. Cheap to clone.
    ///
    /// There is no empty value: an absent key already says "nothing here".
    Value, 65_536
);

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
        assert_eq!(refused(""), TextError::Empty { field: Field::Key });
        assert_eq!(Key::new("k").unwrap().as_str(), "k");
        assert_eq!(Key::new(&"k".repeat(256)).unwrap().as_str().len(), 256);
        assert_eq!(refused(&"k".repeat(257)), too_long(Field::Key, 257, 256));
    }

    #[test]
    fn a_value_has_1_to_65536_bytes() {
        let refused = |text: &str| Value::new(text).unwrap_err();
        assert_eq!(refused(""), TextError::Empty { field: Field::Value });
        assert_eq!(Value::new("v").unwrap().as_str(), "v");
        assert_eq!(Value::new(&"v".repeat(65_536)).unwrap().as_str().len(), 65_536);
        assert_eq!(refused(&"v".repeat(65_537)), too_long(Field::Value, 65_537, 65_536));
    }

    #[test]
    fn limits_count_bytes_and_not_characters() {
        assert!(Key::new(&"é".repeat(128)).is_ok());
        assert_eq!(Key::new(&"é".repeat(129)).unwrap_err(), too_long(Field::Key, 258, 256));
        assert!(Value::new(&"🦀".repeat(16_384)).is_ok());
        assert_eq!(Value::new(&"🦀".repeat(16_385)).unwrap_err(), too_long(Field::Value, 65_540, 65_536));
    }

    #[test]
    fn errors_say_what_was_measured_and_what_is_allowed() {
        let sentence = |error: TextError| error.to_string();
        assert_eq!(
            sentence(Key::new(&"k".repeat(300)).unwrap_err()),
            "the key has 300 bytes of UTF-8: a key has at most 256"
        );
        assert_eq!(sentence(Value::new("").unwrap_err()), "the value is empty: a value has 1 to 65536 bytes");
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
            assert_eq!((key.as_str(), value.as_str()), (text.as_str(), text.as_str()));
            assert_eq!(hash_of(&|hasher| key.hash(hasher)), hash_of(&|hasher| text.hash(hasher)));
            assert_eq!(format!("{key:?} {value:?}"), format!("Key({text:?}) Value({text:?})"));
            assert_eq!(key.order(text.as_str()), Ordering::Equal);
            assert_eq!(key.order(format!("{text}y").as_str()), Ordering::Less);
            assert_eq!(key, Key::checked(&text));
            assert_ne!(value, Value::new(&format!("{text}y")).unwrap());
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
}
