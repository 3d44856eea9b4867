//! A map in sorted chunks that clones share: a checkpoint of a large store costs next to nothing,
//! and so does the first change after it. It also needs less code than a tree, which matters to the
//! page.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// The most pairs in a chunk.
const CHUNK: usize = 64;

/// Pairs in the order of their keys, each key once. A change copies at most the pair's chunk.
#[derive(Clone, Debug)]
pub(crate) struct SharedMap<K, V> {
    /// No chunk is empty, and none holds more than [`CHUNK`] pairs.
    chunks: Vec<Arc<Vec<(K, V)>>>,
    len: usize,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> SharedMap<K, V> {
        SharedMap { chunks: Vec::new(), len: 0 }
    }
}

/// A key that can be found by another type with the same order, such as a borrowed text.
pub(crate) trait SearchedBy<Q: ?Sized> {
    /// How the key compares with what is searched for.
    fn order(&self, sought: &Q) -> Ordering;
}

/// Every key is found by its equal.
impl<K: Ord> SearchedBy<K> for K {
    fn order(&self, sought: &K) -> Ordering {
        self.cmp(sought)
    }
}

/// Compares the pairs, however they are spread over chunks.
impl<K: PartialEq, V: PartialEq> PartialEq for SharedMap<K, V> {
    fn eq(&self, other: &SharedMap<K, V>) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for SharedMap<K, V> {}

impl<K, V> SharedMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// In key order.
    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        Iter { chunks: &self.chunks, chunk: &[], last_chunk: &[], left: self.len }
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    /// The chunk and the place in it where a key is, or would belong.
    fn place<Q: ?Sized>(&self, key: &Q) -> (usize, Result<usize, usize>)
    where
        K: SearchedBy<Q>,
    {
        // Most maps are small: a single chunk needs no search for the chunk.
        let number = match self.chunks.len() {
            0 | 1 => 0,
            _ => self.chunks.partition_point(|chunk| chunk[0].0.order(key).is_le()).saturating_sub(1),
        };
        let chunk = self.chunks.get(number).map_or(&[][..], |chunk| chunk);
        (number, chunk.binary_search_by(|(own, _)| own.order(key)))
    }

    /// The pairs from a key on, in key order: with the key's own pair, or only those after it. What
    /// lies before isn't walked through.
    pub(crate) fn iter_from<'a, Q: ?Sized>(
        &'a self,
        key: &Q,
        with_it: bool,
    ) -> impl Iterator<Item = &'a (K, V)> + Clone + use<'a, Q, K, V>
    where
        K: SearchedBy<Q>,
    {
        let (number, place) = self.place(key);
        let place = place.map_or_else(|next| next, |its_own| its_own + usize::from(!with_it));
        let (first, rest) = match self.chunks.get(number..) {
            Some([first, rest @ ..]) => (&first[place..], rest),
            _ => (&[][..], &[][..]),
        };
        first.iter().chain(rest.iter().flat_map(|chunk| chunk.iter()))
    }

    pub(crate) fn get<Q: ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: SearchedBy<Q>,
    {
        let (chunk, place) = self.place(key);
        let place = place.ok()?;
        Some(&self.chunks[chunk][place].1)
    }

    pub(crate) fn get_mut<Q: ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: SearchedBy<Q>,
    {
        let (chunk, place) = self.place(key);
        let place = place.ok()?;
        Some(&mut Arc::make_mut(&mut self.chunks[chunk])[place].1)
    }

    /// Puts a value under a key; gives the value that was there before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (number, place) = self.place(&key);
        if self.chunks.is_empty() {
            self.chunks.push(Arc::default());
        }
        let chunk = Arc::make_mut(&mut self.chunks[number]);
        let place = match place {
            Ok(place) => return Some(core::mem::replace(&mut chunk[place].1, value)),
            Err(place) => place,
        };
        chunk.insert(place, (key, value));
        self.len += 1;
        if chunk.len() > CHUNK {
            // Keys that are inserted in order leave full chunks behind.
            let kept = if place == CHUNK { CHUNK } else { CHUNK / 2 };
            let rest = chunk.split_off(kept);
            self.chunks.insert(number + 1, Arc::new(rest));
        }
        None
    }

    pub(crate) fn remove<Q: ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: SearchedBy<Q>,
    {
        let (number, place) = self.place(key);
        let place = place.ok()?;
        let chunk = Arc::make_mut(&mut self.chunks[number]);
        let value = chunk.remove(place).1;
        self.len -= 1;
        // Two small neighbours are merged, or many removals would leave many small chunks.
        let next = number + 1;
        if self.chunks[number].is_empty() {
            self.chunks.remove(number);
        } else if self.chunks.get(next).is_some_and(|chunk| chunk.len() + self.chunks[number].len() <= CHUNK / 2) {
            let rest = self.chunks.remove(next);
            Arc::make_mut(&mut self.chunks[number]).extend_from_slice(&rest);
        }
        Some(value)
    }
}

/// See [`SharedMap::iter`].
pub(crate) struct Iter<'a, K, V> {
    /// The chunks that neither end has reached.
    chunks: &'a [Arc<Vec<(K, V)>>],
    /// What is left of the chunk at the front, and of the one at the back.
    chunk: &'a [(K, V)],
    last_chunk: &'a [(K, V)],
    left: usize,
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter { ..*self }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = &'a (K, V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.chunk.is_empty() {
            match self.chunks.split_first() {
                Some((first, rest)) => (self.chunk, self.chunks) = (first, rest),
                None => self.chunk = core::mem::take(&mut self.last_chunk),
            }
        }
        let (first, rest) = self.chunk.split_first()?;
        self.chunk = rest;
        self.left -= 1;
        Some(first)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.last_chunk.is_empty() {
            match self.chunks.split_last() {
                Some((last, rest)) => (self.last_chunk, self.chunks) = (last, rest),
                None => self.last_chunk = core::mem::take(&mut self.chunk),
            }
        }
        let (last, rest) = self.last_chunk.split_last()?;
        self.last_chunk = rest;
        self.left -= 1;
        Some(last)
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    fn same(map: &SharedMap<u32, u32>, tree: &BTreeMap<u32, u32>) {
        assert_eq!((map.len(), map.iter().len()), (tree.len(), tree.len()));
        assert!(map.iter().map(|(key, value)| (key, value)).eq(tree));
        assert!(map.iter().rev().map(|(key, value)| (key, value)).eq(tree.iter().rev()));
        assert!(map.chunks.iter().all(|chunk| (1..=CHUNK).contains(&chunk.len())));
    }

    #[test]
    fn it_is_a_map() {
        let (mut map, mut tree) = (SharedMap::default(), BTreeMap::new());
        for step in 0_u32..12_000 {
            let key = step.wrapping_mul(0x9e37_79b9) >> 22;
            // It grows, then shrinks, then grows again.
            let removes = if (4_000..8_000).contains(&step) { 5 } else { 2 };
            match step % 7 < removes {
                true => assert_eq!(map.remove(&key), tree.remove(&key)),
                false => assert_eq!(map.insert(key, step), tree.insert(key, step)),
            }
            if step % 3 == 0 {
                assert_eq!(map.get_mut(&(key ^ 1)), tree.get_mut(&(key ^ 1)));
            }
            assert_eq!(map.get(&key), tree.get(&key));
            if step % 50 == 0 {
                same(&map, &tree);
            }
        }
        assert!(tree.len() > 4 * CHUNK);
        for key in tree.keys().copied().collect::<Vec<_>>() {
            assert_eq!(map.remove(&key), tree.remove(&key));
            same(&map, &tree);
        }
        assert!(map.chunks.is_empty());
    }

    #[test]
    fn both_ends_of_an_iterator_meet() {
        let mut map = SharedMap::default();
        for key in 0..200_u32 {
            map.insert(key, key);
        }
        for from_the_front in [0, 1, 63, 64, 65, 100, 199, 200] {
            let mut pairs = map.iter();
            let front: Vec<_> = pairs.by_ref().take(from_the_front).map(|(key, _)| *key).collect();
            assert_eq!(pairs.len(), 200 - from_the_front);
            let back: Vec<_> = pairs.clone().rev().map(|(key, _)| *key).collect();
            assert!(front.iter().chain(back.iter().rev()).copied().eq(0..200));
            assert!(pairs.map(|(key, _)| *key).eq(from_the_front as u32..200));
        }
    }

    #[test]
    fn iteration_begins_at_any_key() {
        let (mut map, mut tree) = (SharedMap::default(), BTreeMap::new());
        assert_eq!(map.iter_from(&3, true).count(), 0);
        for key in (1..400_u32).map(|key| key * 2) {
            map.insert(key, key);
            tree.insert(key, key);
        }
        for from in 0..802 {
            let listed = |with_it| map.iter_from(&from, with_it).map(|(key, value)| (key, value));
            assert!(listed(true).eq(tree.range(from..)), "from {from}");
            assert!(listed(false).eq(tree.range(from + 1..)), "after {from}");
        }
    }

    #[test]
    fn keys_in_order_fill_the_chunks() {
        let mut map = SharedMap::default();
        for key in 0..10 * CHUNK {
            map.insert(key, ());
        }
        assert_eq!(map.chunks.len(), 10);
    }

    #[test]
    fn a_clone_shares_all_but_the_chunks_that_change() {
        let mut map = SharedMap::default();
        for key in 0..10 * CHUNK {
            map.insert(key, 0);
        }
        let checkpoint = map.clone();
        *map.get_mut(&(5 * CHUNK)).unwrap() = 1;
        assert_eq!(checkpoint.get(&(5 * CHUNK)), Some(&0));
        let shared = map.chunks.iter().zip(&checkpoint.chunks).filter(|(a, b)| Arc::ptr_eq(a, b));
        assert_eq!(shared.count(), 9);
        assert_ne!(map, checkpoint);
        *map.get_mut(&(5 * CHUNK)).unwrap() = 0;
        assert_eq!(map, checkpoint);
    }
}
