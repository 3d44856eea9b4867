//! The keys and their values, with a digest that is updated with every change.

use super::Domain;
use super::operation::{OperationRef, Outcome};
use super::text::{Key, Value};
use crate::shared_map::SharedMap;

/// The pairs of a store. A clone shares them until one side changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    slots: SharedMap<Key, Slot>,
    /// The sum of all slots' digests. A sum does not depend on the order in which the pairs came.
    digest: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    value: Value,
    /// The digest of key and value, kept so that replacing a large value need not read the old one.
    digest: u64,
}

impl Slot {
    fn new(key: &str, value: &[u8]) -> Self {
        let digest = Domain::Pair.digest().bytes(key.as_bytes()).bytes(value).finish();
        Slot { value: Value::checked(value), digest }
    }
}

impl Pairs {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.slots.get(key).map(|slot| &slot.value)
    }

    /// In key order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> + DoubleEndedIterator + Clone {
        self.slots.iter().map(|(key, slot)| (key, &slot.value))
    }

    /// Carries out an operation.
    pub(super) fn execute(&mut self, operation: OperationRef<'_>) -> Outcome {
        match operation {
            OperationRef::Put { key, value } => Outcome::Written { replaced: self.put(key, value) },
            OperationRef::Delete { key } => Outcome::Deleted { existed: self.delete(key) },
            OperationRef::CompareAndSet { key, expected, new } => match self.get(key) {
                Some(actual) if actual.as_bytes() == expected => {
                    self.put(key, new);
                    Outcome::Swapped
                }
                actual => Outcome::NotSwapped { actual: actual.cloned() },
            },
        }
    }

    /// Sets a key; tells whether it had a value before.
    pub(super) fn put(&mut self, key: &str, value: &[u8]) -> bool {
        let new = Slot::new(key, value);
        self.digest = self.digest.wrapping_add(new.digest);
        match self.slots.get_mut(key) {
            Some(slot) => {
                self.digest = self.digest.wrapping_sub(slot.digest);
                *slot = new;
                true
            }
            None => {
                self.slots.insert(Key::checked(key), new);
                false
            }
        }
    }

    /// Removes a key; tells whether it had a value.
    fn delete(&mut self, key: &str) -> bool {
        match self.slots.remove(key) {
            Some(slot) => {
                self.digest = self.digest.wrapping_sub(slot.digest);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{generator, operation, random_operation, value};
    use super::*;
    use alloc::vec::Vec;

    fn execute(pairs: &mut Pairs, line: &str) -> Outcome {
        pairs.execute(operation(line).as_ref())
    }

    #[test]
    fn each_operation_does_what_it_says() {
        let mut pairs = Pairs::default();
        let table = [
            ("put x 1", Outcome::Written { replaced: false }, Some("1")),
            ("put x 2", Outcome::Written { replaced: true }, Some("2")),
            ("put x 2", Outcome::Written { replaced: true }, Some("2")),
            ("cas x 2 3", Outcome::Swapped, Some("3")),
            ("cas x 2 4", Outcome::NotSwapped { actual: Some(value("3")) }, Some("3")),
            ("cas x 3 3", Outcome::Swapped, Some("3")),
            ("delete x", Outcome::Deleted { existed: true }, None),
            ("delete x", Outcome::Deleted { existed: false }, None),
            ("cas x 3 4", Outcome::NotSwapped { actual: None }, None),
        ];
        for (line, outcome, x) in table {
            assert_eq!(execute(&mut pairs, line), outcome, "{line}");
            assert_eq!(pairs.get("x").and_then(Value::as_str), x, "{line}");
            assert_eq!(pairs.len(), usize::from(x.is_some()));
        }
        // Other keys were never touched, and the empty map has the empty digest.
        assert_eq!(pairs, Pairs::default());
    }

    #[test]
    fn pairs_are_in_key_order() {
        let mut pairs = Pairs::default();
        for line in ["put b 2", "put a 1", "put c 3", "put aa 4"] {
            execute(&mut pairs, line);
        }
        let listed: Vec<_> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_bytes())).collect();
        assert_eq!(listed, [("a", &b"1"[..]), ("aa", b"4"), ("b", b"2"), ("c", b"3")]);
        assert_eq!(pairs.iter().next_back().unwrap().0.as_str(), "c");
    }

    /// The digest must not depend on earlier operations, or two servers, one of which was sent a
    /// snapshot, would differ.
    #[test]
    fn the_digest_depends_on_the_pairs_alone() {
        let mut random = generator(6);
        let mut pairs = Pairs::default();
        for _ in 0..300 {
            pairs.execute(random_operation(&mut random).as_ref());
            let mut rebuilt = Pairs::default();
            for (key, value) in pairs.iter().rev() {
                rebuilt.put(key.as_str(), value.as_bytes());
            }
            assert_eq!(rebuilt.digest(), pairs.digest());
            assert_eq!(rebuilt, pairs);
        }
        assert!(pairs.len() > 20);
    }

    #[test]
    fn the_digest_tells_pairs_apart() {
        let digest = |lines: &[&str]| {
            let mut pairs = Pairs::default();
            for line in lines {
                execute(&mut pairs, line);
            }
            pairs.digest()
        };
        assert_eq!(digest(&[]), 0);
        assert_ne!(digest(&["put x 1"]), digest(&["put x 2"]));
        assert_ne!(digest(&["put x 1"]), digest(&["put y 1"]));
        // Values exchanged between two keys.
        assert_ne!(digest(&["put x 1", "put y 2"]), digest(&["put x 2", "put y 1"]));
        // The same value twice does not cancel out, as it would in an exclusive or of values.
        assert_ne!(digest(&["put x 1", "put y 1"]), digest(&[]));
    }

    #[test]
    fn a_clone_stays_as_it_was() {
        let mut pairs = Pairs::default();
        execute(&mut pairs, "put x 1");
        let checkpoint = pairs.clone();
        execute(&mut pairs, "put x 2");
        assert_eq!(checkpoint.get("x"), Some(&value("1")));
        assert_eq!(pairs.get("x"), Some(&value("2")));
        assert_ne!(pairs.digest(), checkpoint.digest());
    }
}
