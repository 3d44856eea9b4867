//! The keys and their values, each with the revision at which it was set, and a digest of all that
//! is updated with every change.

use super::Domain;
use super::operation::{OperationRef, Outcome};
use super::text::{Key, Value};
use crate::shared_map::SharedMap;
use core::ops::Bound;

/// The pairs of a store. A clone shares them until one side changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    slots: SharedMap<Key, Slot>,
    /// The sum of all slots' digests. A sum does not depend on the order in which the pairs came.
    digest: u64,
    /// The index of the last entry that changed a pair; 0 if none has.
    pub(super) revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    value: Value,
    /// The index of the entry that set it.
    revision: u64,
    /// The digest of key, revision and value, kept so that replacing a large value need not read
    /// the old one.
    digest: u64,
}

impl Slot {
    fn new(key: &str, value: &[u8], revision: u64) -> Self {
        let digest = Domain::Pair.digest().bytes(key.as_bytes()).number(revision).bytes(value).finish();
        Slot { value: Value::checked(value), revision, digest }
    }
}

impl Pairs {
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    /// The key's value and revision.
    pub(super) fn get(&self, key: &str) -> Option<(&Value, u64)> {
        self.slots.get(key).map(|slot| (&slot.value, slot.revision))
    }

    /// In key order, with their revisions.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value, u64)> + DoubleEndedIterator + Clone {
        self.slots.iter().map(|(key, slot)| (key, &slot.value, slot.revision))
    }

    /// The pairs whose keys begin with `prefix`, from `start` on.
    pub(super) fn range<'a>(
        &'a self,
        prefix: &'a str,
        start: Bound<&str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Value, u64)> + Clone + use<'a> {
        let (from, with_it) = match start {
            Bound::Included(key) if key > prefix => (key, true),
            Bound::Excluded(key) if key >= prefix => (key, false),
            _ => (prefix, true),
        };
        let begins = |(key, _): &&(Key, Slot)| key.as_bytes().starts_with(prefix.as_bytes());
        let pairs = self.slots.iter_from(from, with_it).take_while(begins);
        pairs.map(|(key, slot)| (key, &slot.value, slot.revision))
    }

    /// Carries out the operation of the entry at `index`.
    pub(super) fn execute(&mut self, index: u64, operation: OperationRef<'_>) -> Outcome {
        let outcome = match operation {
            OperationRef::Put { key, value } => Outcome::Written { replaced: self.put(key, value, index) },
            OperationRef::Delete { key } => Outcome::Deleted { existed: self.delete(key) },
            OperationRef::CompareAndSet { key, expected, new } => match self.get(key) {
                Some((actual, _)) if actual.as_bytes() == expected => {
                    self.put(key, new, index);
                    Outcome::Swapped
                }
                actual => Outcome::NotSwapped { actual: actual.map(|(actual, _)| actual.clone()) },
            },
        };
        if outcome.is_change() {
            self.revision = index;
        }
        outcome
    }

    /// Sets a key; tells whether it had a value before.
    pub(super) fn put(&mut self, key: &str, value: &[u8], revision: u64) -> bool {
        let new = Slot::new(key, value, revision);
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

    /// As the next entry after the last that changed a pair.
    fn execute(pairs: &mut Pairs, line: &str) -> Outcome {
        pairs.execute(pairs.revision + 1, operation(line).as_ref())
    }

    fn text<'a>(pairs: &'a Pairs, key: &str) -> Option<&'a str> {
        pairs.get(key)?.0.as_str()
    }

    fn listed<'a>(pairs: impl Iterator<Item = (&'a Key, &'a Value, u64)>) -> Vec<(&'a str, &'a str, u64)> {
        pairs.map(|(key, value, revision)| (key.as_str(), value.as_str().unwrap(), revision)).collect()
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
            assert_eq!(text(&pairs, "x"), x, "{line}");
            assert_eq!(pairs.len(), usize::from(x.is_some()));
        }
        // Other keys were never touched, and the empty map has the empty digest.
        assert_eq!(pairs, Pairs { revision: pairs.revision, ..Pairs::default() });
    }

    #[test]
    fn pairs_are_in_key_order() {
        let mut pairs = Pairs::default();
        for line in ["put b 2", "put a 1", "put c 3", "put aa 4"] {
            execute(&mut pairs, line);
        }
        assert_eq!(listed(pairs.iter()), [("a", "1", 2), ("aa", "4", 4), ("b", "2", 1), ("c", "3", 3)]);
        assert_eq!(pairs.iter().next_back().unwrap().0.as_str(), "c");
    }

    #[test]
    fn a_revision_is_the_index_of_the_last_change() {
        let mut pairs = Pairs::default();
        let table = [
            (3, "put x 1", Some(3), 3),
            (4, "put y 1", Some(3), 4),
            // A put of the same value is a change, too.
            (7, "put x 1", Some(7), 7),
            (8, "cas x 2 3", Some(7), 7),
            (9, "cas x 1 1", Some(9), 9),
            (11, "delete x", None, 11),
            (12, "delete x", None, 11),
            (13, "cas x 1 2", None, 11),
            (14, "put x 1", Some(14), 14),
        ];
        for (index, line, of_x, of_all) in table {
            pairs.execute(index, operation(line).as_ref());
            assert_eq!(pairs.get("x").map(|(_, revision)| revision), of_x, "{line}");
            assert_eq!(pairs.revision, of_all, "{line}");
        }
        assert_eq!(pairs.get("y"), Some((&value("1"), 4)));
    }

    #[test]
    fn a_range_has_the_keys_with_a_prefix_from_a_key_on() {
        let mut pairs = Pairs::default();
        for key in ["a", "b", "b/", "b/1", "b/2", "b/é", "b0", "c"] {
            pairs.put(key, b"v", 1);
        }
        let keys = |prefix, start| -> Vec<_> { pairs.range(prefix, start).map(|(key, ..)| key.as_str()).collect() };
        let (from, after) = (Bound::Included, Bound::Excluded);
        assert_eq!(keys("b/", Bound::Unbounded), ["b/", "b/1", "b/2", "b/é"]);
        assert_eq!(keys("b/", from("b/1")), ["b/1", "b/2", "b/é"]);
        assert_eq!(keys("b/", after("b/1")), ["b/2", "b/é"]);
        assert_eq!(keys("b/", after("b/")), ["b/1", "b/2", "b/é"]);
        assert_eq!(keys("b/", from("b/15")), ["b/2", "b/é"], "a key that isn't there");
        assert_eq!(keys("b/", after("b/15")), ["b/2", "b/é"]);
        // A start before the prefix changes nothing, and one behind it leaves nothing.
        assert_eq!(keys("b/", after("a")), keys("b/", Bound::Unbounded));
        assert_eq!(keys("b/", from("")), keys("b/", Bound::Unbounded));
        assert!(keys("b/", from("b0")).is_empty() && keys("b/", after("b/é")).is_empty());
        assert_eq!(keys("", after("b0")), ["c"]);
        assert_eq!(keys("", Bound::Unbounded).len(), 8);
        assert!(keys("d", Bound::Unbounded).is_empty() && keys("b/11", Bound::Unbounded).is_empty());
        assert!(Pairs::default().range("", Bound::Unbounded).next().is_none());
    }

    #[test]
    fn pages_make_up_the_whole_list() {
        let mut pairs = Pairs::default();
        for number in 0..500_u64 {
            let key = alloc::format!("{}/{:04}", number % 3, number * 37 % 500);
            pairs.put(&key, b"v", number + 1);
        }
        let expected: Vec<_> = pairs.iter().filter(|(key, ..)| key.as_str().starts_with("1/")).collect();
        for size in [1, 7, 64, 1_000] {
            let mut listed: Vec<(&Key, &Value, u64)> = Vec::new();
            loop {
                let start = listed.last().map_or(Bound::Unbounded, |(key, ..)| Bound::Excluded(key.as_str()));
                let page: Vec<_> = pairs.range("1/", start).take(size).collect();
                if page.is_empty() {
                    break;
                }
                listed.extend(page);
            }
            assert_eq!(listed, expected, "pages of {size}");
        }
    }

    /// The digest must not depend on earlier operations, or two servers, one of which was sent a
    /// snapshot, would differ.
    #[test]
    fn the_digest_depends_on_the_pairs_alone() {
        let mut random = generator(6);
        let mut pairs = Pairs::default();
        for index in 1..=300 {
            pairs.execute(index, random_operation(&mut random).as_ref());
            let mut rebuilt = Pairs { revision: pairs.revision, ..Pairs::default() };
            for (key, value, revision) in pairs.iter().rev() {
                rebuilt.put(key.as_str(), value.as_bytes(), revision);
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
        // Set later, to the same value.
        assert_ne!(digest(&["put x 1"]), digest(&["put x 1", "put x 1"]));
        // The same value twice does not cancel out, as it would in an exclusive or of values.
        assert_ne!(digest(&["put x 1", "put y 1"]), digest(&[]));
    }

    #[test]
    fn a_clone_stays_as_it_was() {
        let mut pairs = Pairs::default();
        execute(&mut pairs, "put x 1");
        let checkpoint = pairs.clone();
        execute(&mut pairs, "put x 2");
        assert_eq!(checkpoint.get("x"), Some((&value("1"), 1)));
        assert_eq!(pairs.get("x"), Some((&value("2"), 2)));
        assert_ne!(pairs.digest(), checkpoint.digest());
    }
}
