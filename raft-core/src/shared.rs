//! A vector that only grows, in chunks shared between clones: a checkpoint of a long history costs next to nothing.

use alloc::sync::Arc;
use alloc::vec::Vec;

const CHUNK: usize = 64;

/// Appended to and changed in place; cloned in time proportional to its length over the chunk size.
#[derive(Clone, Debug)]
pub(crate) struct Shared<T> {
    chunks: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Shared<T> {
        Shared { chunks: Vec::new() }
    }
}

impl<T: Clone> Shared<T> {
    pub(crate) fn len(&self) -> usize {
        let Some(last) = self.chunks.last() else { return 0 };
        (self.chunks.len() - 1) * CHUNK + last.len()
    }

    pub(crate) fn push(&mut self, value: T) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            Arc::make_mut(chunk).push(value);
        }
    }

    pub(crate) fn get_mut(&mut self, position: usize) -> Option<&mut T> {
        Arc::make_mut(self.chunks.get_mut(position / CHUNK)?).get_mut(position % CHUNK)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_do_not_see_each_others_changes() {
        let mut original = Shared::default();
        for number in 0..150 {
            original.push(number);
        }
        let mut copy = original.clone();
        copy.push(150);
        *copy.get_mut(70).unwrap() = 0;
        assert_eq!((original.len(), copy.len()), (150, 151));
        assert_eq!((original.iter().nth(70), copy.iter().nth(70)), (Some(&70), Some(&0)));
        assert!(copy.get_mut(150).is_some() && copy.get_mut(151).is_none());
        assert!(original.iter().copied().eq(0..150));
    }
}
