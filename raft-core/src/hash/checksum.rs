//! The checksum of a snapshot's bytes: [`checksum`].
//!
//! A snapshot may be large, and each server that makes or receives one reads all of it for its
//! checksum. So the checksum takes eight bytes at a time, in eight lanes, none of which waits for
//! another's product: as fast as memory delivers the bytes.
//!
//! Every step is a bijection of the lane for a given word, and of the word for a given lane. So any
//! change within one word of eight bytes changes the result; any other change goes unnoticed once
//! in 2⁶⁴ times.

use super::{GOLDEN, last_word};

const LANES: usize = 8;

/// The checksum of these bytes, the same on every platform.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    // Lanes begin differently, so that swapped words are noticed.
    let mut lanes: [u64; LANES] = core::array::from_fn(|lane| GOLDEN.wrapping_mul(lane as u64 + 1));
    let (words, rest) = bytes.as_chunks::<8>();
    let mut rounds = words.chunks_exact(LANES);
    for words in &mut rounds {
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = fold(*lane, u64::from_le_bytes(*word));
        }
    }
    // The end is filled up with zeros; the length distinguishes them from zeros in the bytes.
    let end = rounds.remainder().iter().map(|word| u64::from_le_bytes(*word)).chain([last_word(rest)]);
    for (lane, word) in lanes.iter_mut().zip(end) {
        *lane = fold(*lane, word);
    }
    lanes.into_iter().fold(bytes.len() as u64, fold)
}

#[inline]
fn fold(lane: u64, word: u64) -> u64 {
    // A product's upper bits depend on all bits below them; the rotation moves them down.
    (lane ^ word).wrapping_mul(GOLDEN).rotate_left(29)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn some(len: usize) -> Vec<u8> {
        (0..len).map(|place| (place * 37 + place / 251) as u8).collect()
    }

    #[test]
    fn it_is_pinned() {
        // These numbers are part of every trace hash, and servers of different versions send them
        // to each other.
        let texts = [&b""[..], b"a", b"snapshot", &some(1_000)];
        let expected = [0x9262_34d9_ac1f_48b6, 0x2c63_5ae4_d476_44f5, 0x28f7_6fe6_bcbe_2c8d, 0x759e_2520_5143_a8f0];
        assert_eq!(texts.map(checksum), expected);
    }

    #[test]
    fn whatever_changes_within_a_word_is_noticed() {
        for len in [1, 7, 8, 9, 63, 64, 65, 127, 128, 200] {
            let bytes = some(len);
            let before = checksum(&bytes);
            for place in 0..len {
                for bit in 0..8 {
                    let mut changed = bytes.clone();
                    changed[place] ^= 1 << bit;
                    assert_ne!(checksum(&changed), before, "bit {bit} at {place} of {len}");
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_missing_added_or_moved_are_noticed() {
        for len in 0..200 {
            let bytes = some(len);
            let before = checksum(&bytes);
            assert_ne!(checksum(&[&bytes[..], &[0]].concat()), before, "a zero more than {len}");
            assert_ne!(checksum(&alloc::vec![0; len]), checksum(&alloc::vec![0; len + 1]));
            for distance in [1, 8, 64] {
                if len > distance {
                    let mut turned = bytes.clone();
                    turned.rotate_left(distance);
                    assert_ne!(checksum(&turned), before, "{len} turned by {distance}");
                }
            }
        }
    }
}
