//! Keys and values: UTF-8 text of a bounded size, checked once and then shared.

use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;

/// Which of the two texts a limit or an error is about.
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

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $bytes_max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The most bytes of UTF-8 it may have. The fewest is 1.
            pub const BYTES_MAX: usize = $bytes_max;

            /// Checks the text's length and takes a copy of it.
            ///
            /// # Errors
            /// When the text is empty or longer than [`BYTES_MAX`](Self::BYTES_MAX).
            pub fn new(text: &str) -> Result<Self, TextError> {
                Field::$name.check(text.len() as u64)?;
                Ok(Self(text.into()))
            }

            /// Takes a copy of a text whose length has been checked already.
            pub(super) fn checked(text: &str) -> Self {
                debug_assert_eq!(Field::$name.check(text.len() as u64), Ok(()));
                Self(text.into())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// So that a map can be searched with borrowed text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
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

#[cfg(test)]
mod tests {
    use super::*;
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
    fn a_clone_shares_the_text() {
        let key = Key::new("shared").unwrap();
        assert!(core::ptr::eq(key.as_str(), key.clone().as_str()));
        assert!(!core::ptr::eq(key.as_str(), Key::new("shared").unwrap().as_str()));
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
