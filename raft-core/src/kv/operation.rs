//! What clients ask for, and the answers.

use super::text::{Key, Value};
use super::word::Word;
use core::fmt;

/// A change to the store. It travels through the log, inside a [`Command`](super::Command).
///
/// `Display` prints the line that parses to it: `put x 1`, `delete x`, `cas x 1 2`. A value that is
/// no text is escaped there; lines say only texts, so that such a line doesn't parse.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Sets the key to the value, whatever it was before. Gives [`Outcome::Written`].
    Put {
        /// The key to set.
        key: Key,
        /// Its value from now on.
        value: Value,
    },
    /// Removes the key, if it is there. Gives [`Outcome::Deleted`].
    Delete {
        /// The key to remove.
        key: Key,
    },
    /// Sets the key to `new` if its value is `expected`, else changes nothing. An absent key has no
    /// value, so it never matches. Gives [`Outcome::Swapped`] or [`Outcome::NotSwapped`].
    CompareAndSet {
        /// The key to set.
        key: Key,
        /// The value it must have now.
        expected: Value,
        /// Its value from now on, if it does.
        new: Value,
    },
}

impl Operation {
    /// The key that it changes.
    pub fn key(&self) -> &Key {
        match self {
            Operation::Put { key, .. } | Operation::Delete { key } | Operation::CompareAndSet { key, .. } => key,
        }
    }

    /// The same operation, borrowed.
    pub(super) fn as_ref(&self) -> OperationRef<'_> {
        match self {
            Operation::Put { key, value } => OperationRef::Put { key: key.as_str(), value: value.as_bytes() },
            Operation::Delete { key } => OperationRef::Delete { key: key.as_str() },
            Operation::CompareAndSet { key, expected, new } => {
                OperationRef::CompareAndSet { key: key.as_str(), expected: expected.as_bytes(), new: new.as_bytes() }
            }
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Display for OperationRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OperationRef::Put { key, value } => write!(f, "put {} {}", Word(key.as_bytes()), Word(value)),
            OperationRef::Delete { key } => write!(f, "delete {}", Word(key.as_bytes())),
            OperationRef::CompareAndSet { key, expected, new } => {
                write!(f, "cas {} {} {}", Word(key.as_bytes()), Word(expected), Word(new))
            }
        }
    }
}

/// An [`Operation`] that borrows from an entry's bytes, its key and values checked but not copied:
/// applying an entry allocates only what the store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperationRef<'a> {
    Put { key: &'a str, value: &'a [u8] },
    Delete { key: &'a str },
    CompareAndSet { key: &'a str, expected: &'a [u8], new: &'a [u8] },
}

impl<'a> OperationRef<'a> {
    /// The key that it changes.
    pub(super) fn key(&self) -> &'a str {
        match *self {
            OperationRef::Put { key, .. } | OperationRef::Delete { key } | OperationRef::CompareAndSet { key, .. } => {
                key
            }
        }
    }

    /// What the key's value is once the operation has taken effect.
    pub(super) fn sets(&self) -> Option<&'a [u8]> {
        match *self {
            OperationRef::Put { value, .. } => Some(value),
            OperationRef::Delete { .. } => None,
            OperationRef::CompareAndSet { new, .. } => Some(new),
        }
    }

    pub(super) fn to_owned(self) -> Operation {
        match self {
            OperationRef::Put { key, value } => Operation::Put { key: Key::checked(key), value: Value::checked(value) },
            OperationRef::Delete { key } => Operation::Delete { key: Key::checked(key) },
            OperationRef::CompareAndSet { key, expected, new } => Operation::CompareAndSet {
                key: Key::checked(key),
                expected: Value::checked(expected),
                new: Value::checked(new),
            },
        }
    }
}

/// A question that changes nothing. It is answered by [`Store::query`](super::Store::query),
/// outside the log.
///
/// `Display` prints the line that parses to it: `get x`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// What is the key's value? Gives [`Outcome::Found`].
    Get {
        /// The key to look up.
        key: Key,
    },
}

impl Query {
    /// The key that it reads.
    pub fn key(&self) -> &Key {
        let Query::Get { key } = self;
        key
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "get {}", Word(self.key().as_bytes()))
    }
}

/// Anything a client may ask for.
///
/// It parses from, and prints as, a line of text:
///
/// ```
/// use raft_core::kv::Request;
/// let request: Request = r#"put greeting "good morning""#.parse().unwrap();
/// assert_eq!(request.to_string(), r#"put greeting "good morning""#);
/// assert_eq!(
///     "cas x 1".parse::<Request>().unwrap_err().to_string(),
///     "cas needs a key, the expected value and the new value: cas x 1 2",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// An operation, to be replicated and then applied.
    Write(Operation),
    /// A query, to be answered from a store that is known to be fresh.
    Read(Query),
}

impl Request {
    /// Its key.
    pub fn key(&self) -> &Key {
        match self {
            Request::Write(operation) => operation.key(),
            Request::Read(query) => query.key(),
        }
    }
}

impl From<Operation> for Request {
    fn from(operation: Operation) -> Self {
        Request::Write(operation)
    }
}

impl From<Query> for Request {
    fn from(query: Query) -> Self {
        Request::Read(query)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Write(operation) => operation.fmt(f),
            Request::Read(query) => query.fmt(f),
        }
    }
}

/// What an operation did, or what a query found.
///
/// `Display` is the answer for a person, in few words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The put took effect.
    Written {
        /// Whether the key had a value before.
        replaced: bool,
    },
    /// The delete took effect: the key has no value now.
    Deleted {
        /// Whether it had a value before.
        existed: bool,
    },
    /// The compare-and-set found the expected value and set the new one.
    Swapped,
    /// The compare-and-set found something else and changed nothing.
    NotSwapped {
        /// What it found; `None` when the key was not there.
        actual: Option<Value>,
    },
    /// The query's answer.
    Found {
        /// The key's value; `None` when the key is not there.
        value: Option<Value>,
    },
}

impl Outcome {
    /// Whether it is that of an operation that changed a pair: set it (also to the value that it
    /// had), or removed it.
    pub fn is_change(&self) -> bool {
        matches!(self, Outcome::Written { .. } | Outcome::Deleted { existed: true } | Outcome::Swapped)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Written { replaced: false } => f.write_str("written: the key is new"),
            Outcome::Written { replaced: true } => f.write_str("written over the old value"),
            Outcome::Deleted { existed: true } => f.write_str("deleted"),
            Outcome::Deleted { existed: false } => f.write_str("nothing to delete: no such key"),
            Outcome::Swapped => f.write_str("swapped"),
            Outcome::NotSwapped { actual: Some(value) } => {
                write!(f, "not swapped: the value is {}", Word(value.as_bytes()))
            }
            Outcome::NotSwapped { actual: None } => f.write_str("not swapped: no such key"),
            Outcome::Found { value: Some(value) } => Word(value.as_bytes()).fmt(f),
            Outcome::Found { value: None } => f.write_str("no such key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{generator, key, operation, random_operation, value};
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_request_knows_its_key() {
        for line in ["put k 1", "get k", "delete k", "cas k 1 2"] {
            let request: Request = line.parse().unwrap();
            assert_eq!(request.key(), &key("k"), "{line}");
        }
        assert_eq!(operation("put k 1").key(), &key("k"));
        assert_eq!(Query::Get { key: key("k") }.key(), &key("k"));
    }

    #[test]
    fn operations_and_queries_are_requests() {
        let operation = operation("put k 1");
        assert_eq!(Request::from(operation.clone()), Request::Write(operation.clone()));
        let query = Query::Get { key: key("k") };
        assert_eq!(Request::from(query.clone()), Request::Read(query));
    }

    #[test]
    fn borrowing_loses_nothing() {
        let mut random = generator(2);
        for _ in 0..200 {
            let operation = random_operation(&mut random);
            assert_eq!(operation.as_ref().to_owned(), operation);
        }
    }

    #[test]
    fn answers_are_honest_sentences() {
        let table = [
            (Outcome::Written { replaced: false }, "written: the key is new"),
            (Outcome::Written { replaced: true }, "written over the old value"),
            (Outcome::Deleted { existed: true }, "deleted"),
            (Outcome::Deleted { existed: false }, "nothing to delete: no such key"),
            (Outcome::Swapped, "swapped"),
            (Outcome::NotSwapped { actual: Some(value("3 or 4")) }, "not swapped: the value is \"3 or 4\""),
            (Outcome::NotSwapped { actual: None }, "not swapped: no such key"),
            (Outcome::Found { value: Some(value("3")) }, "3"),
            (Outcome::Found { value: None }, "no such key"),
        ];
        for (outcome, words) in table {
            assert_eq!(outcome.to_string(), words);
        }
    }
}
