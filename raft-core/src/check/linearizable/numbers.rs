//! Which number an item of a list has, found by the item's hash.
//!
//! `hashbrown`'s table does the same, somewhat faster, but a library that depends on it makes the
//! page's module larger even where nobody uses it.

use alloc::vec;
use alloc::vec::Vec;

/// The numbers of the items of a list that somebody else keeps: from 0, none left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    /// Open addressing, a power of two long and at most half full: a number and one, or 0.
    slots: Vec<u32>,
    count: u32,
}

impl Numbers {
    /// The number, among those of this hash, for which `is_it` holds.
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() { None } else { self.slots[self.slot(hash, is_it)].checked_sub(1) }
    }

    /// Gives the next number to an item of this hash, which has none yet. `hash_of` gives the
    /// hashes of those that have.
    pub(super) fn push(&mut self, hash: u64, hash_of: impl Fn(u32) -> u64) -> u32 {
        let number = self.count;
        if self.count as usize * 2 >= self.slots.len() {
            self.slots = vec![0; (self.slots.len() * 2).max(16)];
            (0..number).for_each(|number| self.put(number, hash_of(number)));
        }
        self.put(number, hash);
        self.count += 1;
        number
    }

    fn put(&mut self, number: u32, hash: u64) {
        let slot = self.slot(hash, |_| false);
        self.slots[slot] = number + 1;
    }

    /// Where the item is, or would be.
    fn slot(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != 0 && !is_it(self.slots[slot] - 1) {
            slot = (slot + 1) & mask;
        }
        slot
    }
}
