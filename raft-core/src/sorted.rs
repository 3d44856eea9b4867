//! A map for few keys, or for keys that are inserted in order: a sorted list. It needs less code
//! than a tree, which matters to the page, and is quicker for its uses here.

use alloc::vec::Vec;

/// Pairs in the order of their keys, each key once.
#[derive(Clone, Debug)]
pub(crate) struct Sorted<K, V> {
    pairs: Vec<(K, V)>,
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Sorted<K, V> {
        Sorted { pairs: Vec::new() }
    }
}

impl<K: Copy + Ord, V> Sorted<K, V> {
    fn place(&self, key: K) -> Result<usize, usize> {
        // A key that comes in order goes to the end.
        match self.pairs.last() {
            Some((last, _)) if *last < key => Err(self.pairs.len()),
            _ => self.pairs.binary_search_by_key(&key, |(key, _)| *key),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The pair with the lowest key.
    pub(crate) fn first(&self) -> Option<&(K, V)> {
        self.pairs.first()
    }

    /// The highest key.
    pub(crate) fn last(&self) -> Option<K> {
        self.pairs.last().map(|(key, _)| *key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.pairs.iter()
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.pairs.iter_mut().map(|(_, value)| value)
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.place(key).ok().map(|place| &self.pairs[place].1)
    }

    /// Puts a value under a key; gives the value that was there before.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(key) {
            Ok(place) => Some(core::mem::replace(&mut self.pairs[place].1, value)),
            Err(place) => {
                self.pairs.insert(place, (key, value));
                None
            }
        }
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        self.place(key).ok().map(|place| self.pairs.remove(place).1)
    }

    /// Removes the lowest key.
    pub(crate) fn remove_first(&mut self) {
        if !self.pairs.is_empty() {
            self.pairs.remove(0);
        }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(K) -> bool) {
        self.pairs.retain(|(key, _)| keep(*key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn it_is_a_map() {
        let (mut sorted, mut tree) = (Sorted::default(), BTreeMap::new());
        for step in 0_u32..5_000 {
            let key = step.wrapping_mul(0x9e37_79b9) >> 24;
            match step % 7 {
                0 | 1 => assert_eq!(sorted.remove(key), tree.remove(&key)),
                2 if step % 5 == 0 => {
                    sorted.remove_first();
                    tree.pop_first();
                }
                3 if step % 11 == 0 => {
                    sorted.retain(|key| key % 3 != 0);
                    tree.retain(|key, _| key % 3 != 0);
                }
                _ => assert_eq!(sorted.insert(key, step), tree.insert(key, step)),
            }
            assert_eq!(sorted.get(key), tree.get(&key));
            assert_eq!(sorted.len(), tree.len());
            assert!(sorted.pairs.iter().map(|(key, value)| (key, value)).eq(&tree));
        }
    }
}
