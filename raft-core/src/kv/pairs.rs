//! The keys and their values, with a digest that follows every change.

use super::digest::{Digest, Domain};
use super::operation::{OperationRef, Outcome};
use super::text::{Key, Value};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

/// The pairs of a store. A clone shares them until one side changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs {
    slots: Arc<BTreeMap<Key, Slot>>,
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
    fn new(key: &str, value: &str) -> Self {
        let digest = Digest::new(Domain::Pair)
            .bytes(key.as_bytes())
            .bytes(value.as_bytes())
            .finish();
        Slot {
            value: Value::checked(value),
            digest,
        }
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
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Value)> + Clone {
        self.slots.iter().map(|(key, slot)| (key, &slot.value))
    }

    /// Carries out an operation.
    pub(super) fn execute(&mut self, operation: OperationRef<'_>) -> Outcome {
        match operation {
            OperationRef::Put { key, value } => Outcome::Written {
                replaced: self.put(key, value),
            },
            OperationRef::Delete { key } => Outcome::Deleted {
                existed: self.delete(key),
            },
            OperationRef::CompareAndSet { key, expected, new } => match self.get(key) {
                Some(actual) if actual.as_str() == expected => {
                    self.put(key, new);
                    Outcome::Swapped
                }
                actual => Outcome::NotSwapped {
                    actual: actual.cloned(),
                },
            },
        }
    }

    /// Sets a key; says whether it was there before.
    pub(super) fn put(&mut self, key: &str, value: &str) -> bool {
        let new = Slot::new(key, value);
        self.digest = self.digest.wrapping_add(new.digest);
        let slots = Arc::make_mut(&mut self.slots);
        match slots.get_mut(key) {
            Some(slot) => {
                self.digest = self.digest.wrapping_sub(slot.digest);
                *slot = new;
                true
            }
            None => {
                slots.insert(Key::checked(key), new);
                false
            }
        }
    }

    /// Removes a key; says whether it was there.
    fn delete(&mut self, key: &str) -> bool {
        match Arc::make_mut(&mut self.slots).remove(key) {
            Some(slot) => {
                self.digest = self.digest.wrapping_sub(slot.digest);
                true
            }
            None => false,
        }
    }
}
