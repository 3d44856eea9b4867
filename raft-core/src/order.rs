//! Sorting, compiled once. The standard library's sort is compiled for each type of items, every
//! time to six kilobytes of WebAssembly.

use alloc::vec::Vec;

/// Sorts items by two numbers each. Those with the same numbers keep their order.
pub(crate) fn sort_by<T>(items: &mut Vec<T>, key: impl Fn(&T) -> (u64, u64)) {
    let numbered = items.iter().enumerate().map(|(place, item)| {
        let (first, second) = key(item);
        (first, second, place)
    });
    let mut order: Vec<(u64, u64, usize)> = numbered.collect();
    order.sort_unstable();
    let mut left: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(order.into_iter().filter_map(|(.., place)| left[place].take()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn it_sorts_and_keeps_the_order_of_equals() {
        let mut items = vec![(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        sort_by(&mut items, |(first, _)| (*first, 0));
        assert_eq!(items, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
        sort_by(&mut items, |(first, letter)| (*first, u64::from(u32::from(*letter) % 2)));
        assert_eq!(items, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
        sort_by(&mut Vec::<u8>::new(), |_| (0, 0));
    }
}
