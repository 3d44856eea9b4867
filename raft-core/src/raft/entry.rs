//! The content of the log: [`Entry`], and [`Entries`], consecutive entries that are cheap to share.
//!
//! Long payloads and runs are shared, never copied: the same bytes are in the leader's log, in four
//! messages, on five simulated disks and in every checkpoint of the timeline.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::{Deref, Range};

use super::membership::Configuration;
use super::types::{DiskId, ServerId, Term};
use crate::bytes::Bytes;

/// One entry of the replicated log. It doesn't hold its index: its place in the log gives that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The term in which a leader created it.
    pub term: Term,
    /// What it says.
    pub payload: Payload,
}

impl Entry {
    /// Fills a place that has no entry; it owns no memory.
    const NOTHING: Entry = Entry { term: Term::ZERO, payload: Payload::NoOp };
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
    /// A learner runs on this disk. Once this entry is committed, the learner may vote if a
    /// membership counts it, and any other disk under its name may not.
    Admission {
        /// The learner.
        server: ServerId,
        /// Its disk.
        disk: DiskId,
    },
}

impl Payload {
    /// Whether it is for the consensus module itself, which acts on it as soon as it enters the
    /// log.
    pub(super) const fn is_about_members(&self) -> bool {
        matches!(self, Payload::Membership(_) | Payload::Admission { .. })
    }

    /// The bytes it counts for wherever a size is bounded: its own, and a fixed sum for the entry
    /// around it.
    pub fn size(&self) -> u64 {
        const AROUND: u64 = 16;
        match self {
            Payload::NoOp => AROUND,
            Payload::Command(bytes) => AROUND + bytes.len() as u64,
            Payload::Membership(_) => AROUND + 64,
            Payload::Admission { .. } => AROUND + 16,
        }
    }
}

/// Consecutive entries. One entry, the common case, needs no allocation; more than one are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Entries {
    /// None: a heartbeat, or a probe.
    #[default]
    None,
    /// Just one.
    One(Entry),
    /// Two or more.
    Many(EntryRun),
}

/// A run of consecutive entries: all of those that were put together once, or a part of them. The
/// same run is in the leader's log, on its way to four servers and in their logs, and has one
/// reference count for the whole.
#[derive(Clone)]
pub struct EntryRun {
    whole: Arc<[Entry]>,
    // These are `u32` because two machine words would make every message larger.
    from: u32,
    to: u32,
}

impl EntryRun {
    /// The entries in `range`.
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> EntryRun {
        let Range { start, end } = range;
        assert!(start <= end && end <= self.len(), "{start}..{end} of {} entries", self.len());
        let at = |place: usize| self.from + place as u32;
        EntryRun { whole: Arc::clone(&self.whole), from: at(start), to: at(end) }
    }

    /// Takes the entries out and returns their memory, if it has room for exactly `count` entries
    /// and no other run shares it.
    pub(super) fn emptied(mut self, count: usize) -> Option<Room> {
        let entries = Arc::get_mut(&mut self.whole).filter(|entries| entries.len() == count)?;
        for entry in entries {
            *entry = Entry::NOTHING;
        }
        Some(Room(self.whole))
    }
}

/// Memory for entries, with none in it; see [`EntryRun::emptied`].
#[derive(Debug)]
pub(super) struct Room(Arc<[Entry]>);

impl Room {
    /// Moves `entries` into this memory; there must be exactly as many as it has room for.
    pub(super) fn filled(mut self, entries: &mut Vec<Entry>) -> EntryRun {
        let places = Arc::get_mut(&mut self.0).expect("nobody else's");
        places.swap_with_slice(entries);
        entries.clear();
        let to = self.0.len() as u32;
        EntryRun { whole: self.0, from: 0, to }
    }
}

#[cfg(test)]
impl Room {
    /// Whether it has room for exactly `count` entries, is shared with no other run, and is empty.
    pub(super) fn is_empty_for(&self, count: usize) -> bool {
        self.0.len() == count && Arc::strong_count(&self.0) == 1 && self.0.iter().all(|entry| *entry == Entry::NOTHING)
    }
}

#[cfg(test)]
impl EntryRun {
    /// Whether the two share their memory.
    pub(super) fn is_the_same(&self, other: &EntryRun) -> bool {
        Arc::ptr_eq(&self.whole, &other.whole) && (self.from, self.to) == (other.from, other.to)
    }
}

impl FromIterator<Entry> for EntryRun {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> EntryRun {
        let whole: Arc<[Entry]> = entries.into_iter().collect();
        let to = u32::try_from(whole.len()).expect("fewer entries than any memory holds");
        EntryRun { whole, from: 0, to }
    }
}

impl Deref for EntryRun {
    type Target = [Entry];

    #[inline]
    fn deref(&self) -> &[Entry] {
        &self.whole[self.from as usize..self.to as usize]
    }
}

/// By content: the run that it is a part of doesn't matter.
impl PartialEq for EntryRun {
    fn eq(&self, other: &EntryRun) -> bool {
        **self == **other
    }
}

impl Eq for EntryRun {}

impl core::hash::Hash for EntryRun {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl core::fmt::Debug for EntryRun {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        (**self).fmt(f)
    }
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

    /// How large they are together, as [`Payload::size`] counts.
    pub fn size(&self) -> u64 {
        self.as_slice().iter().map(|entry| entry.payload.size()).sum()
    }

    /// What is left without the first `count`.
    #[must_use]
    pub fn skip(&self, count: usize) -> Entries {
        match self {
            Entries::Many(run) => run.part(count.min(run.len())..run.len()).into(),
            _ if count == 0 => self.clone(),
            _ => Entries::None,
        }
    }
}

impl From<EntryRun> for Entries {
    fn from(run: EntryRun) -> Entries {
        match &*run {
            [] => Entries::None,
            [only] => Entries::One(only.clone()),
            _ => Entries::Many(run),
        }
    }
}

impl From<Vec<Entry>> for Entries {
    fn from(mut entries: Vec<Entry>) -> Entries {
        match entries.len() {
            0 => Entries::None,
            1 => entries.pop().map_or(Entries::None, Entries::One),
            _ => Entries::Many(entries.into_iter().collect()),
        }
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Entries {
        entries.into_iter().collect::<Vec<_>>().into()
    }
}
