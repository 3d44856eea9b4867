//! The dead ends that a search remembers, so that it enters each of them once.

use alloc::vec::Vec;
use core::hash::Hasher;

use super::numbers::Numbers;
use crate::hash::TraceHasher;

/// A set of keys that all have the same number of words.
#[derive(Debug)]
pub(super) struct DeadEnds {
    words: usize,
    /// The keys, one after the other.
    keys: Vec<u64>,
    numbers: Numbers,
}

impl DeadEnds {
    /// An empty set for keys of `words` words.
    pub(super) fn new(words: usize) -> DeadEnds {
        DeadEnds { words, keys: Vec::new(), numbers: Numbers::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn contains(&self, key: &[u64]) -> bool {
        self.numbers.find(hash(key), |number| self.nth(number) == key).is_some()
    }

    pub(super) fn insert(&mut self, key: &[u64]) {
        if !self.contains(key) {
            let (keys, words) = (&self.keys, self.words);
            self.numbers.push(hash(key), |number| hash(&keys[number as usize * words..][..words]));
            self.keys.extend_from_slice(key);
        }
    }

    fn nth(&self, number: u32) -> &[u64] {
        &self.keys[number as usize * self.words..][..self.words]
    }
}

fn hash(key: &[u64]) -> u64 {
    let mut hasher = TraceHasher::new(0);
    for &word in key {
        hasher.write_u64(word);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_nothing_else() {
        let mut dead = DeadEnds::new(2);
        assert!(dead.is_empty() && !dead.contains(&[0, 0]));
        for number in 0..1_000 {
            dead.insert(&[number, number % 7]);
            dead.insert(&[number, number % 7]);
        }
        assert_eq!(dead.keys.len() / 2, 1_000);
        assert!((0..1_000).all(|number| dead.contains(&[number, number % 7])));
        assert!((0..1_000).all(|number| !dead.contains(&[number, number % 7 + 1])));
    }
}
