//! A vector in chunks that clones share: a checkpoint of a long history costs next to nothing.

use alloc::sync::Arc;
use alloc::vec::Vec;

const CHUNK: usize = 64;

/// A vector of chunks. A clone copies only the pointers to the chunks, and a change only its chunk.
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

    pub(crate) fn get(&self, position: usize) -> Option<&T> {
        self.chunks.get(position / CHUNK)?.get(position % CHUNK)
    }

    pub(crate) fn get_mut(&mut self, position: usize) -> Option<&mut T> {
        Arc::make_mut(self.chunks.get_mut(position / CHUNK)?).get_mut(position % CHUNK)
    }

    /// Drops everything from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.chunks.truncate(len.div_ceil(CHUNK));
        if let Some(last) = self.chunks.last_mut()
            && !len.is_multiple_of(CHUNK)
            && last.len() > len % CHUNK
        {
            Arc::make_mut(last).truncate(len % CHUNK);
        }
    }

    /// Forgets whole chunks of elements that aren't needed any more; the last chunk stays. The
    /// other elements keep their positions.
    pub(crate) fn forget(&mut self, forgettable: impl Fn(&T) -> bool) {
        let Some((_, rest)) = self.chunks.split_last_mut() else { return };
        for chunk in rest {
            if !chunk.is_empty() && chunk.iter().all(&forgettable) {
                *chunk = Arc::default();
            }
        }
    }

    /// How many elements at the beginning satisfy `condition`, which must hold for no element after
    /// those. No element may have been forgotten.
    pub(crate) fn partition_point(&self, condition: impl Fn(&T) -> bool) -> usize {
        let chunk = self.chunks.partition_point(|chunk| chunk.first().is_some_and(&condition));
        let Some(before) = chunk.checked_sub(1) else { return 0 };
        before * CHUNK + self.chunks[before].partition_point(condition)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }
}

/// The latest elements of a long list, in their places: at least `max` of them, and at most twice
/// as many. The older ones are forgotten. A clone shares its chunks.
#[derive(Clone, Debug)]
pub(crate) struct Recent<T> {
    max: usize,
    older: Shared<T>,
    newer: Shared<T>,
    /// The position of the first of the newer ones.
    begins: usize,
}

impl<T: Clone> Recent<T> {
    pub(crate) fn new(max: usize) -> Recent<T> {
        Recent { max: max.max(1), older: Shared::default(), newer: Shared::default(), begins: 0 }
    }

    /// How many there ever were: the position of the next.
    pub(crate) fn len(&self) -> usize {
        self.begins + self.newer.len()
    }

    pub(crate) fn push(&mut self, value: T) {
        if self.newer.len() == self.max {
            self.begins += self.max;
            self.older = core::mem::take(&mut self.newer);
        }
        self.newer.push(value);
    }

    /// The element of that position, unless it is forgotten.
    pub(crate) fn get_mut(&mut self, position: usize) -> Option<&mut T> {
        match position.checked_sub(self.begins) {
            Some(place) => self.newer.get_mut(place),
            None => self.older.get_mut((position + self.older.len()).checked_sub(self.begins)?),
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.older.iter().chain(self.newer.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_elements_stay_in_their_places_and_older_ones_are_forgotten() {
        let mut recent = Recent::new(100);
        for number in 0..1_050_usize {
            assert_eq!(recent.len(), number);
            recent.push(number);
            let kept = recent.iter().count();
            assert!((100.min(number + 1)..=200).contains(&kept), "{kept} of {number}");
            assert!(recent.iter().copied().eq(number + 1 - kept..number + 1));
            for position in 0..number + 3 {
                let is_kept = position <= number && position + kept > number;
                assert_eq!(recent.get_mut(position).copied(), is_kept.then_some(position));
            }
        }
        let mut copy = recent.clone();
        *copy.get_mut(1_000).unwrap() = 0;
        assert_eq!(recent.get_mut(1_000), Some(&mut 1_000));
    }

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

    #[test]
    fn what_is_forgotten_leaves_the_rest_in_its_place() {
        let mut original = Shared::default();
        (0..300).for_each(|number| original.push(number));
        let mut copy = original.clone();
        copy.forget(|number| *number != 100);
        assert_eq!((copy.len(), copy.get(63), copy.get(64), copy.get(128)), (300, None, Some(&64), None));
        assert!(
            copy.iter().copied().eq((64..128).chain(256..300)),
            "one that is needed keeps its chunk, and the last stays"
        );
        copy.push(300);
        assert_eq!((copy.len(), copy.get(300)), (301, Some(&300)));
        assert!(copy.get_mut(5).is_none());
        assert_eq!(original.iter().count(), 300);
    }

    #[test]
    fn it_is_cut_and_searched_as_a_plain_vector_would_be() {
        let all: Vec<u32> = (0..150).collect();
        let mut original = Shared::default();
        all.iter().for_each(|number| original.push(*number));
        for len in [0, 1, 63, 64, 65, 127, 128, 129, 149, 150, 151, 999] {
            let mut cut = original.clone();
            cut.truncate(len);
            assert!(cut.iter().eq(all.iter().take(len)), "cut to {len}");
            assert_eq!(cut.len(), len.min(150));
            assert_eq!(cut.get(len), None);
            assert_eq!(cut.get(len.wrapping_sub(1)), all[..len.min(150)].get(len.wrapping_sub(1)));
            assert_eq!(original.partition_point(|number| (*number as usize) < len), len.min(150));
            cut.push(7);
            assert_eq!(cut.get(len.min(150)), Some(&7));
        }
        assert!(original.iter().eq(&all));
    }
}
