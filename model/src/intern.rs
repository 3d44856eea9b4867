//! Stores each distinct value once: most states share most of their parts, and millions of states
//! must fit into memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use ahash::{AHasher, RandomState};

/// How many locks the exploring threads share, to reduce contention.
const SHARDS: usize = 64;

/// A value with a fingerprint: two with the same fingerprint count as equal.
pub trait Identified {
    /// The fingerprint.
    fn fingerprint(&self) -> u64;
}

/// All distinct values of a type so far.
#[derive(Debug)]
pub struct Interner<T> {
    shards: Vec<Mutex<Shard<T>>>,
}

type Shard<T> = HashMap<u64, Arc<T>, BuildHasherDefault<Unchanged>>;

impl<T: Identified> Interner<T> {
    /// The stored value that equals this one.
    pub fn the(&self, thing: T) -> Arc<T> {
        let fingerprint = thing.fingerprint();
        let shard = &self.shards[fingerprint as usize % SHARDS];
        let mut known = shard.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(fingerprint).or_insert_with(|| Arc::new(thing)))
    }
}

impl<T> Interner<T> {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }
}

impl<T> Default for Interner<T> {
    fn default() -> Interner<T> {
        Interner { shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect() }
    }
}

/// A value's fingerprint, made from its hash.
pub fn fingerprint(thing: &impl Hash) -> u64 {
    let mut hasher = hasher();
    thing.hash(&mut hasher);
    hasher.finish()
}

/// The hasher for fingerprints. It has a fixed seed, so that a search is the same each time.
pub fn hasher() -> AHasher {
    RandomState::with_seeds(1, 2, 3, 4).build_hasher()
}

/// A fingerprint needn't be hashed again.
#[derive(Debug, Default)]
struct Unchanged(u64);

impl Hasher for Unchanged {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}
