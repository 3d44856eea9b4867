//! A command's bytes: [`Bytes`].

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Deref;

/// As many as there is room for in an [`Entry`](super::Entry) anyway.
const FEW: usize = 22;

/// Bytes that are never changed, and are cheap to clone: a few stand in place, many are shared.
///
/// Most commands of a key-value store are short. Each is cloned a dozen times on its way through a cluster, so that counting who
/// shares it costs more than copying it.
///
/// ```
/// # use raft_core::raft::Bytes;
/// let command = Bytes::from(b"x=1".as_slice());
/// assert_eq!(*command, *b"x=1");
/// ```
#[derive(Clone)]
pub struct Bytes(Kept);

#[derive(Clone)]
enum Kept {
    Few { len: u8, bytes: [u8; FEW] },
    Many(Arc<[u8]>),
}

impl Deref for Bytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Few { len, bytes } => &bytes[..usize::from(*len)],
            Kept::Many(bytes) => bytes,
        }
    }
}

#[cfg(test)]
impl Bytes {
    /// How many share them.
    pub(super) fn shared_by(&self) -> usize {
        match &self.0 {
            Kept::Few { .. } => 1,
            Kept::Many(bytes) => Arc::strong_count(bytes),
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

/// By content: where they are kept is nobody's business.
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
            assert_eq!(bytes, Bytes::from(plain.clone()));
            assert_eq!(bytes, Bytes::from(Arc::from(plain.clone())));
            assert_ne!(bytes, Bytes::from([plain.as_slice(), &[0]].concat()));
            assert_eq!(alloc::format!("{bytes:?}"), alloc::format!("{plain:?}"));
        }
    }

    #[test]
    fn an_entry_is_no_larger_for_them() {
        assert!(size_of::<Entry>() <= 32);
    }
}
