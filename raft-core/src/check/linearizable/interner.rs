//! Texts as small numbers: a search compares and counts values millions of times, and never reads
//! their text.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::numbers::Numbers;
use crate::hash::ThoroughHasher;

/// The number of a key's or a value's text in its history: equal texts have equal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextId(pub(super) u32);

/// Numbers texts in the order of their first appearance.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    texts: Vec<Arc<str>>,
    numbers: Numbers,
}

impl Interner {
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn text(&self, id: TextId) -> &Arc<str> {
        &self.texts[id.0 as usize]
    }

    pub(super) fn find(&self, text: &str) -> Option<TextId> {
        self.numbers.find(hash(text), |number| *self.texts[number as usize] == *text).map(TextId)
    }

    pub(super) fn intern(&mut self, text: &str) -> TextId {
        self.find(text).unwrap_or_else(|| {
            let number = self.numbers.push(hash(text), |number| hash(&self.texts[number as usize]));
            self.texts.push(text.into());
            TextId(number)
        })
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = ThoroughHasher::new(text.len() as u64);
    hasher.write(text.as_bytes());
    hasher.finish()
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
