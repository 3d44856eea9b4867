//! A small 64-bit digest that is the same on every platform, in every build and release.
//!
//! Eight bytes at a time are mixed in by an exclusive or, a multiplication by an odd constant and a
//! shift. For a given word each step maps states one to one, and for a given state it maps words
//! one to one: two inputs of equal length that differ in a single word never share a digest. So a
//! flipped bit, or any damage within eight aligned bytes, is caught for certain; for the rest the
//! chance of a miss is about one in 2⁶⁴. It is no defence against someone who means harm.

/// 2⁶⁴ divided by the golden ratio, made odd: its bits look random and multiply well (Knuth, *The
/// Art of Computer Programming*, volume 3, §6.4).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a digest is of. Things of different kinds with equal content have different digests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Domain {
    Pair = 1,
    Session = 2,
    Answer = 3,
    Store = 4,
    Snapshot = 5,
}

/// A digest being taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digest(u64);

impl Digest {
    pub(super) fn new(domain: Domain) -> Self {
        Digest(0).number(domain as u64)
    }

    /// Mixes in one number.
    pub(super) fn number(self, number: u64) -> Self {
        let mixed = (self.0 ^ number).wrapping_mul(MULTIPLIER);
        Digest(mixed ^ (mixed >> 32))
    }

    /// Mixes in bytes and how many they are, so that `ab`, `c` differs from `a`, `bc`.
    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        let mut digest = self.number(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            digest = digest.number(u64::from_le_bytes(*word));
        }
        if rest.is_empty() {
            return digest;
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        digest.number(u64::from_le_bytes(last))
    }

    /// The digest. A last scramble spreads the last word over all bits (the finalizer of
    /// SplitMix64), because the digests of a set's members are added up.
    pub(super) fn finish(self) -> u64 {
        let mut digest = self.0;
        digest = (digest ^ (digest >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        digest = (digest ^ (digest >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        digest ^ (digest >> 31)
    }
}
