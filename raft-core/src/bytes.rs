//! A command's bytes: [`Bytes`].

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{Deref, Range};

/// The most bytes stored in place: an [`Entry`](crate::raft::Entry) has room for this many anyway.
const FEW: usize = 22;

/// Immutable bytes that are cheap to clone: a few are stored in place, more are shared.
///
/// Most commands of a key-value store are short. Each is cloned a dozen times on its way through a
/// cluster, so copying it costs less than counting references to it.
///
/// ```
/// # use raft_core::raft::Bytes;
/// let command = Bytes::from(b"x=1".as_slice());
/// assert_eq!(*command, *b"x=1");
/// ```
///
/// Commands that arrived together can stay in one buffer, as [parts](Bytes::slice) of it:
///
/// ```
/// # use raft_core::raft::Bytes;
/// let received = Bytes::from(b"put greeting \"good morning\";put farewell \"see you tomorrow\"".as_slice());
/// let first = received.slice(0..27);
/// assert_eq!(*first, *b"put greeting \"good morning\"");
/// ```
#[derive(Clone)]
pub struct Bytes(Kept);

#[derive(Clone)]
enum Kept {
    Few {
        len: u8,
        bytes: [u8; FEW],
    },
    Many(Arc<[u8]>),
    /// A part of shared bytes. The numbers fit beside the tag, so they make an entry no larger.
    Part {
        len: u16,
        from: u32,
        whole: Arc<[u8]>,
    },
}

impl Bytes {
    /// The number of bytes. The slice has a length, too, but finding the slice takes longer, and
    /// entries are measured more often than read.
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::Few { len, .. } => usize::from(*len),
            Kept::Many(whole) => whole.len(),
            Kept::Part { len, .. } => usize::from(*len),
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes in `range`. They share the memory of the whole, and keep all of it alive. Only
    /// parts that fit in place, and parts of more than 64 KiB, are copied.
    ///
    /// # Panics
    /// If the range goes beyond the end.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Bytes {
        let part = &self[range.clone()];
        let (before, whole) = match &self.0 {
            _ if part.len() == self.len() => return self.clone(),
            Kept::Few { .. } => return part.into(),
            Kept::Many(whole) => (0, whole),
            Kept::Part { from, whole, .. } => (*from as usize, whole),
        };
        match (u16::try_from(part.len()), u32::try_from(before + range.start)) {
            (Ok(len), Ok(from)) if part.len() > FEW => Bytes(Kept::Part { len, from, whole: Arc::clone(whole) }),
            _ => part.into(),
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Few { len, bytes } => &bytes[..usize::from(*len)],
            Kept::Many(whole) => whole,
            Kept::Part { len, from, whole } => &whole[*from as usize..][..usize::from(*len)],
        }
    }
}

#[cfg(test)]
impl Bytes {
    /// How many values share the memory.
    pub(super) fn shared_by(&self) -> usize {
        match &self.0 {
            Kept::Few { .. } => 1,
            Kept::Many(whole) | Kept::Part { whole, .. } => Arc::strong_count(whole),
        }
    }
}

impl From<&[u8]> for Bytes {
    fn from(from: &[u8]) -> Bytes {
        if from.len() > FEW {
            return Bytes(Kept::Many(from.into()));
        }
        let mut bytes = [0; FEW];
        bytes[..from.len()].copy_from_slice(from);
        Bytes(Kept::Few { len: from.len() as u8, bytes })
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(from: Vec<u8>) -> Bytes {
        from.as_slice().into()
    }
}

impl From<Arc<[u8]>> for Bytes {
    fn from(from: Arc<[u8]>) -> Bytes {
        if from.len() > FEW { Bytes(Kept::Many(from)) } else { (*from).into() }
    }
}

/// Compares the content, wherever it is stored.
impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl core::hash::Hash for Bytes {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl core::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::Entry;

    #[test]
    fn few_or_many_they_are_what_they_were_made_of() {
        for len in [0, 1, FEW - 1, FEW, FEW + 1, 1_000] {
            let plain: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let bytes = Bytes::from(plain.as_slice());
            assert_eq!(*bytes, *plain);
            assert_eq!((bytes.len(), bytes.is_empty()), (len, len == 0));
            assert_eq!(bytes, Bytes::from(plain.clone()));
            assert_eq!(bytes, Bytes::from(Arc::from(plain.clone())));
            assert_ne!(bytes, Bytes::from([plain.as_slice(), &[0]].concat()));
            assert_eq!(alloc::format!("{bytes:?}"), alloc::format!("{plain:?}"));
        }
    }

    #[test]
    fn a_part_is_what_lies_there_wherever_it_is_kept() {
        let plain: Vec<u8> = (0..200_000).map(|n| (n / 3) as u8).collect();
        for len in [0, 5, FEW, FEW + 1, 100, 1_000, plain.len()] {
            let whole = Bytes::from(&plain[..len]);
            let places = [0, 1, FEW, FEW + 1, len / 2, len.saturating_sub(FEW + 1), len.saturating_sub(1), len];
            for from in places.into_iter().filter(|from| *from <= len) {
                for to in places.into_iter().filter(|to| (from..=len).contains(to)) {
                    let part = whole.slice(from..to);
                    assert_eq!(*part, plain[from..to], "{from}..{to} of {len}");
                    assert_eq!(part.len(), to - from);
                    // And a part of the part.
                    let (third, rest) = ((to - from) / 3, to - from);
                    assert_eq!(*part.slice(third..rest), plain[from + third..to]);
                    assert_eq!(part.slice(0..rest), part);
                }
            }
        }
    }

    #[test]
    fn parts_share_the_whole_unless_they_are_few_or_very_many() {
        let whole = Bytes::from(alloc::vec![7; 200_000]);
        let parts =
            [whole.slice(0..100), whole.slice(100..65_635), whole.slice(199_900..200_000), whole.slice(0..200_000)];
        assert_eq!(whole.shared_by(), 5);
        let of_a_part = parts[1].slice(10..90);
        assert!(core::ptr::eq(&of_a_part[0], &whole[110]));
        drop(parts);
        assert_eq!(whole.shared_by(), 2, "a part of a part keeps the whole, not the part");
        let copied = [whole.slice(10..10 + FEW), whole.slice(0..65_536)];
        assert_eq!((whole.shared_by(), copied[1].len()), (2, 65_536));
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn there_is_no_part_beyond_the_end() {
        drop(Bytes::from([7; 100].as_slice()).slice(50..101));
    }

    #[test]
    fn an_entry_is_no_larger_for_them() {
        assert!(size_of::<Entry>() <= 32);
    }
}
