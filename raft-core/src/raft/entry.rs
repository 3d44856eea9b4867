//! What the log holds: [`Entry`], and [`Entries`], a run of consecutive ones that is cheap to share.
//!
//! Long payloads and runs are shared, never copied: the same bytes stand in the leader's log, in four messages,
//! on five simulated disks and in every checkpoint of the timeline.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::bytes::Bytes;
use super::membership::Configuration;
use super::types::Term;

/// One entry of the replicated log. Its index is where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The term in which a leader created it.
    pub term: Term,
    /// What it says.
    pub payload: Payload,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// Nothing: a new leader's first entry, so that it has one of its own term to commit (Raft §8).
    NoOp,
    /// A command for the state machine; the consensus module never looks inside.
    Command(Bytes),
    /// A membership, in force from the moment it is appended (Raft §6).
    Membership(Arc<Configuration>),
}

impl Payload {
    /// The bytes it counts for where a size is bounded: its own, and a fixed sum for the entry around it.
    pub fn size(&self) -> u64 {
        const AROUND: u64 = 16;
        match self {
            Payload::NoOp => AROUND,
            Payload::Command(bytes) => AROUND + bytes.len() as u64,
            Payload::Membership(_) => AROUND + 64,
        }
    }
}

/// A run of consecutive entries. One entry, the common case, needs no allocation; more are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entries {
    /// None: a heartbeat, or a probe.
    #[default]
    None,
    /// Just one.
    One(Entry),
    /// Two or more.
    Many(Arc<[Entry]>),
}

impl Entries {
    /// The entries as a slice.
    pub fn as_slice(&self) -> &[Entry] {
        match self {
            Entries::None => &[],
            Entries::One(entry) => core::slice::from_ref(entry),
            Entries::Many(entries) => entries,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Entries::None)
    }

    /// What is left without the first `count`.
    #[must_use]
    pub fn skip(&self, count: usize) -> Entries {
        if count == 0 {
            return self.clone();
        }
        self.as_slice().iter().skip(count).cloned().collect()
    }
}

impl From<Vec<Entry>> for Entries {
    fn from(mut entries: Vec<Entry>) -> Entries {
        match entries.len() {
            0 => Entries::None,
            1 => entries.pop().map_or(Entries::None, Entries::One),
            _ => Entries::Many(entries.into()),
        }
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Entries {
        let mut entries = entries.into_iter();
        let Some(first) = entries.next() else {
            return Entries::None;
        };
        let Some(second) = entries.next() else {
            return Entries::One(first);
        };
        let mut all = Vec::with_capacity(2 + entries.size_hint().0);
        all.push(first);
        all.push(second);
        all.extend(entries);
        Entries::Many(all.into())
    }
}
