//! The dead ends that a search remembers, so that it enters each of them once.

use alloc::vec;
use alloc::vec::Vec;
use core::hash::Hasher;

use crate::hash::TraceHasher;

/// A set of keys that all have the same number of words.
#[derive(Debug)]
pub(super) struct DeadEnds {
    words: usize,
    /// The keys, one after the other.
    keys: Vec<u64>,
    /// Open addressing, a power of two long and at most half full: a key's number plus one, or 0.
    table: Vec<u32>,
}

impl DeadEnds {
    /// An empty set for keys of `words` words.
    pub(super) fn new(words: usize) -> DeadEnds {
        DeadEnds { words, keys: Vec::new(), table: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn contains(&self, key: &[u64]) -> bool {
        !self.is_empty() && self.table[self.slot(key)] != 0
    }

    pub(super) fn insert(&mut self, key: &[u64]) {
        if self.count() * 2 >= self.table.len() {
            self.grow();
        }
        let slot = self.slot(key);
        if self.table[slot] == 0 {
            self.keys.extend_from_slice(key);
            self.table[slot] = self.count() as u32;
        }
    }

    fn count(&self) -> usize {
        self.keys.len() / self.words
    }

    fn key(&self, number: usize) -> &[u64] {
        &self.keys[number * self.words..][..self.words]
    }

    /// Where the key is in the table, or would be.
    fn slot(&self, key: &[u64]) -> usize {
        let mask = self.table.len() - 1;
        let mut hasher = TraceHasher::new(0);
        for &word in key {
            hasher.write_u64(word);
        }
        let mut slot = hasher.finish() as usize & mask;
        while self.table[slot] != 0 && self.key(self.table[slot] as usize - 1) != key {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.table = vec![0; (self.table.len() * 2).max(64)];
        for number in 0..self.count() {
            let slot = self.slot(self.key(number));
            self.table[slot] = number as u32 + 1;
        }
    }
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
        assert_eq!(dead.count(), 1_000);
        assert!((0..1_000).all(|number| dead.contains(&[number, number % 7])));
        assert!((0..1_000).all(|number| !dead.contains(&[number, number % 7 + 1])));
    }
}
