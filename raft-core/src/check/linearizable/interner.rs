//! Texts as small numbers: a search compares and counts values millions of times, and never reads
//! their text.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::hash::Hasher;

use crate::hash::ThoroughHasher;

/// The number of a key's or a value's text in its history: equal texts have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(pub(super) u32);

/// A free slot of the table.
const EMPTY: u32 = u32::MAX;

/// Numbers texts in the order of their first appearance.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    texts: Vec<Arc<str>>,
    /// Open addressing, a power of two long and at most half full.
    table: Vec<u32>,
}

impl Interner {
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn text(&self, id: TextId) -> &Arc<str> {
        &self.texts[id.0 as usize]
    }

    pub(super) fn find(&self, text: &str) -> Option<TextId> {
        if self.table.is_empty() {
            return None;
        }
        let id = self.table[self.slot(text)];
        (id != EMPTY).then_some(TextId(id))
    }

    pub(super) fn intern(&mut self, text: &str) -> TextId {
        if self.texts.len() * 2 >= self.table.len() {
            self.grow();
        }
        let slot = self.slot(text);
        if self.table[slot] == EMPTY {
            self.table[slot] = self.texts.len() as u32;
            self.texts.push(text.into());
        }
        TextId(self.table[slot])
    }

    /// Where the text is in the table, or would be.
    fn slot(&self, text: &str) -> usize {
        let mask = self.table.len() - 1;
        let mut hasher = ThoroughHasher::new(text.len() as u64);
        hasher.write(text.as_bytes());
        let mut slot = hasher.finish() as usize & mask;
        while self.table[slot] != EMPTY && *self.texts[self.table[slot] as usize] != *text {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.table = vec![EMPTY; (self.table.len() * 2).max(16)];
        for id in 0..self.texts.len() {
            let slot = self.slot(&self.texts[id]);
            self.table[slot] = id as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn equal_texts_have_equal_numbers() {
        let mut interner = Interner::default();
        assert_eq!(interner.find("0"), None);
        for number in (0..1_000).chain(0..1_000) {
            assert_eq!(interner.intern(&number.to_string()), TextId(number));
        }
        assert_eq!(interner.len(), 1_000);
        assert_eq!(&**interner.text(TextId(7)), "7");
        assert_eq!(interner.find("999"), Some(TextId(999)));
        assert_eq!(interner.find("1000"), None);
        assert_eq!(interner.intern(""), TextId(1_000));
    }
}
