//! Hashers for `core::hash::Hash`. They override everything that would depend on the platform: the
//! size of `usize`, the byte order.

use core::hash::Hasher;
use core::marker::PhantomData;

use super::{GOLDEN, last_word};

/// How a word is folded into 64 bits.
pub(crate) trait Fold {
    fn fold(state: u64, word: u64) -> u64;
}

/// Every bit of the state depends on every bit of the word at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thorough {}

/// From one state, different words lead to different states; and different states stay different
/// after equal words. That takes a third of the time, and a run folds half a million words a
/// minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quick {}

impl Fold for Thorough {
    #[inline]
    fn fold(state: u64, word: u64) -> u64 {
        // One round of a multiply-and-fold hash: the upper half of a product depends on every bit
        // of both factors.
        let (upper, lower) = product(state ^ word ^ GOLDEN, 0xd6e8_feb8_6659_fd93);
        lower ^ upper ^ state.rotate_left(23)
    }
}

impl Fold for Quick {
    #[inline]
    fn fold(state: u64, word: u64) -> u64 {
        (state.rotate_left(23) ^ word).wrapping_mul(GOLDEN)
    }
}

/// Folds everything that it is given into 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortableHasher<F> {
    state: u64,
    how: PhantomData<F>,
}

/// For short inputs, and for results that must be spread evenly.
pub(crate) type ThoroughHasher = PortableHasher<Thorough>;

/// For a run's trace.
pub(crate) type TraceHasher = PortableHasher<Quick>;

impl<F: Fold> PortableHasher<F> {
    pub(crate) const fn new(start: u64) -> PortableHasher<F> {
        PortableHasher { state: start, how: PhantomData }
    }

    #[inline]
    fn fold(&mut self, word: u64) {
        self.state = F::fold(self.state, word);
    }
}

/// The upper and the lower half of a product.
#[cfg(not(target_family = "wasm"))]
#[inline]
fn product(a: u64, b: u64) -> (u64, u64) {
    let whole = u128::from(a) * u128::from(b);
    ((whole >> 64) as u64, whole as u64)
}

#[cfg(target_family = "wasm")]
use product_of_halves as product;

/// The same by halves: WebAssembly has no wider product, and its substitute multiplies 128 bits by
/// 128.
#[cfg(any(target_family = "wasm", test))]
#[inline]
fn product_of_halves(a: u64, b: u64) -> (u64, u64) {
    let half = |word: u64| u64::from(word as u32);
    let ((a1, a0), (b1, b0)) = ((a >> 32, half(a)), (b >> 32, half(b)));
    let low = a0 * b0;
    // None of these sums overflows: a product of halves leaves room for two more halves.
    let middle = a1 * b0 + (low >> 32);
    let other = a0 * b1 + half(middle);
    (a1 * b1 + (middle >> 32) + (other >> 32), other << 32 | half(low))
}

/// A number is one word, whatever its width.
macro_rules! numbers {
    ($($write:ident: $number:ty),* $(,)?) => {
        $(fn $write(&mut self, n: $number) {
            self.fold(n as u64);
        })*
    };
}

impl<F: Fold> Hasher for PortableHasher<F> {
    fn finish(&self) -> u64 {
        self.state
    }
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.fold(last_word(rest) ^ ((rest.len() as u64) << 56));
        }
    }
    fn write_u128(&mut self, n: u128) {
        self.fold(n as u64);
        self.fold((n >> 64) as u64);
    }
    numbers!(write_u8: u8, write_u16: u16, write_u32: u32, write_u64: u64, write_usize: usize);
    numbers!(write_i8: i8, write_i16: i16, write_i32: i32, write_i64: i64, write_isize: isize);
}

/// Mixes a seed with the number of a concern, so that each concern has random numbers of its own.
pub(crate) fn mix(seed: u64, concern: u64, number: u64) -> u64 {
    let mut hasher = ThoroughHasher::new(seed);
    hasher.fold(concern);
    hasher.fold(number);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::hash::Hash;

    fn hash_of(value: impl Hash) -> u64 {
        let mut hasher = ThoroughHasher::new(0);
        value.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn the_hash_is_pinned() {
        // These numbers are part of the contract: a changed hash breaks every shared link.
        assert_eq!(hash_of(7_u64), 5520692831520286977);
        assert_eq!(hash_of("raft"), 0xe21a60e8d6be0599);
        assert_eq!(hash_of((1_usize, -1_i64, 2_u128)), 0x4c2a6563f6aa88e1);
    }

    #[test]
    fn a_product_by_halves_is_the_product() {
        let mut word = 7_u64;
        for _ in 0..1_000 {
            let other = word.rotate_left(17) ^ mix(word, 0, 0);
            for (a, b) in [(word, other), (word, u64::MAX), (u64::MAX, u64::MAX), (word >> 32, other << 32)] {
                let whole = u128::from(a) * u128::from(b);
                assert_eq!(product_of_halves(a, b), ((whole >> 64) as u64, whole as u64), "{a} times {b}");
            }
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        }
    }

    #[test]
    fn lengths_and_order_matter() {
        assert_ne!(hash_of([0_u8].as_slice()), hash_of([0_u8, 0].as_slice()));
        assert_ne!(hash_of((1_u64, 2_u64)), hash_of((2_u64, 1_u64)));
        assert_ne!(mix(1, 2, 3), mix(1, 3, 2));
    }
}
