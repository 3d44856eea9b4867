//! A 64-bit digest.
//!
//! Eight bytes at a time are mixed in by an exclusive or, a multiplication by an odd constant and a
//! shift. For a given word each step maps states one to one, and for a given state it maps words
//! one to one: two inputs of equal length that differ in a single word never share a digest. So a
//! flipped bit, or any damage within eight aligned bytes, is always detected; other damage is
//! missed with a chance of about one in 2⁶⁴.

use super::{GOLDEN, last_word};

/// A digest that is being computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digest(u64);

impl Digest {
    /// Begins the digest of a thing of this kind. Things of different kinds with equal content have
    /// different digests.
    pub(crate) fn new(kind: u64) -> Self {
        Digest(0).number(kind)
    }

    /// Mixes in one number.
    pub(crate) fn number(self, number: u64) -> Self {
        let mixed = (self.0 ^ number).wrapping_mul(GOLDEN);
        Digest(mixed ^ (mixed >> 32))
    }

    /// Mixes in bytes and their number, so that `ab`, `c` differs from `a`, `bc`.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        let length = self.number(bytes.len() as u64);
        let digest = words.iter().fold(length, |digest, word| digest.number(u64::from_le_bytes(*word)));
        if rest.is_empty() { digest } else { digest.number(last_word(rest)) }
    }

    /// The digest. A last scramble spreads the last word over all bits (the finalizer of
    /// SplitMix64), because the digests of a set's members are added up.
    pub(crate) fn finish(self) -> u64 {
        let mut digest = self.0;
        digest = (digest ^ (digest >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        digest = (digest ^ (digest >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        digest ^ (digest >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec;

    /// Two kinds of things that a store has digests of.
    const PAIR: u64 = 1;
    const SNAPSHOT: u64 = 5;

    fn of(bytes: &[u8]) -> u64 {
        Digest::new(PAIR).bytes(bytes).finish()
    }

    /// Digests are compared between servers and builds and, in snapshots, between releases: they
    /// must not change.
    #[test]
    fn the_digest_is_pinned() {
        assert_eq!(Digest::new(PAIR).finish(), PINNED[0]);
        assert_eq!(of(b""), PINNED[1]);
        assert_eq!(of(b"a"), PINNED[2]);
        assert_eq!(of(b"abcdefgh"), PINNED[3]);
        assert_eq!(of("a longer text, of 28 bytes →".as_bytes()), PINNED[4]);
        assert_eq!(Digest::new(SNAPSHOT).number(u64::MAX).number(1).finish(), PINNED[5]);
    }

    // Computed independently, by the same steps in Python's unbounded integers.
    const PINNED: [u64; 6] = [
        0xfbf3_d070_40a8_e228,
        0x9ef9_ea8d_d217_236e,
        0xd2cb_819b_29a6_0e5d,
        0xab96_9f3e_2666_5306,
        0xe776_403c_b2c6_807a,
        0x06bb_e066_121f_4b9c,
    ];

    #[test]
    fn where_one_text_ends_and_the_next_begins_matters() {
        let of = |a: &[u8], b: &[u8]| Digest::new(PAIR).bytes(a).bytes(b).finish();
        assert_ne!(of(b"ab", b"c"), of(b"a", b"bc"));
        assert_ne!(of(b"abc", b""), of(b"", b"abc"));
        assert_ne!(of(b"a", b"b"), of(b"b", b"a"));
    }

    #[test]
    fn every_flipped_bit_and_every_length_shows() {
        for length in 0..40usize {
            let mut bytes = vec![0u8; length];
            let mut seen = BTreeSet::from([of(&bytes)]);
            for bit in 0..length * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                seen.insert(of(&bytes));
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            bytes.push(0);
            seen.insert(of(&bytes));
            assert_eq!(seen.len(), length * 8 + 2);
        }
    }

    #[test]
    fn kinds_of_things_are_kept_apart() {
        let seen: BTreeSet<u64> = (0..100).map(|kind| Digest::new(kind).number(5).finish()).collect();
        assert_eq!(seen.len(), 100);
    }
}
