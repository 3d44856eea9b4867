//! The library's hashes. Each is the same in every build and on every platform; none is
//! cryptographic. They tell two runs, two texts or two states apart.
//!
//! | hash | what it is for | what it is good at |
//! | --- | --- | --- |
//! | [`TraceHasher`] | a run's trace, and keys of numbers in a table | a word costs one multiplication |
//! | [`ThoroughHasher`], [`mix`] | seeds, the short number by which a link knows its run, texts in a table | each bit of the result depends on every bit |
//! | [`Digest`] | equal stores, and whether a store's snapshot is whole | digests of a set's members can be added up |
//! | [`checksum`] | whether a snapshot's bytes arrived as they left | eight lanes: as fast as the bytes come from memory |
//!
//! Why so many: the values of each are stored or sent somewhere. A trace's hash and a seed are part
//! of every shared link, a digest is part of every snapshot of a store, and servers of different
//! versions compare checksums. Another formula for one of them would break those, so tests pin
//! their values. What they have in common is in this file.

mod checksum;
mod digest;
mod portable;

pub(crate) use checksum::checksum;
pub(crate) use digest::Digest;
pub(crate) use portable::{ThoroughHasher, TraceHasher, mix};

/// 2⁶⁴ divided by the golden ratio, made odd: its bits look random and multiply well (Knuth, *The
/// Art of Computer Programming*, volume 3, §6.4), and multiplying by it loses nothing.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The rest of bytes that are read eight at a time, as a word filled up with zeros.
#[inline]
fn last_word(rest: &[u8]) -> u64 {
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(last)
}
