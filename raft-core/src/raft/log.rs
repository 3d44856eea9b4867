//! The log in memory: entries after the last compaction, in shared chunks and a tail.
//!
//! Chunks never change and are shared between clones, so that a checkpoint of a whole cluster costs microseconds however long its
//! logs are. The tail is the log's own: what comes next is put there without asking who else looks at it.
//!
//! Invariants, asserted where they could break:
//! * indexes are consecutive: `last.index - base.index` entries are held;
//! * terms never go down from one entry to the next;
//! * every chunk is full, and the tail isn't.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::entry::{Entries, Entry};
use super::types::{EntryId, LogIndex, Term};

const CHUNK: usize = 64;

/// The entries `(base, last]` of a server's log.
#[derive(Clone, Debug)]
pub struct Log {
    /// The last entry compacted away; zero if none was.
    base: EntryId,
    last: EntryId,
    /// Index of the first place of the first chunk (of the tail, if there is no chunk); at most the first entry's index.
    origin: LogIndex,
    chunks: Vec<Arc<[Entry]>>,
    tail: Vec<Entry>,
    bytes: u64,
}

impl Log {
    /// An empty log that follows `base`.
    pub fn after(base: EntryId) -> Log {
        Log { base, last: base, origin: base.index.next(), chunks: Vec::new(), tail: Vec::new(), bytes: 0 }
    }

    /// The last entry compacted away: what stands before the first entry held.
    pub fn base(&self) -> EntryId {
        self.base
    }

    /// The last entry's identity; [`Log::base`] if none is held.
    pub fn last(&self) -> EntryId {
        self.last
    }

    /// Index of the first entry held (or that will be).
    pub fn first_index(&self) -> LogIndex {
        self.base.index.next()
    }

    /// How many entries are held.
    pub fn len(&self) -> u64 {
        self.last.index.distance_from(self.base.index)
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.last.index == self.base.index
    }

    /// The size of the entries held, as [`Payload::size`](super::entry::Payload::size) counts.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The entry at `index`, if it is held.
    #[inline]
    pub fn get(&self, index: LogIndex) -> Option<&Entry> {
        if index <= self.base.index || index > self.last.index {
            return None;
        }
        let (chunk, place) = self.place(index);
        Some(if chunk == self.chunks.len() { &self.tail[place] } else { &self.chunks[chunk][place] })
    }

    /// The term at `index`, if known: held entries, and the one at [`Log::base`].
    #[inline]
    pub fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index == self.last.index {
            return Some(self.last.term);
        }
        if index == self.base.index {
            return Some(self.base.term);
        }
        self.get(index).map(|entry| entry.term)
    }

    /// The identity of what stands at `index`, if known.
    pub fn id_at(&self, index: LogIndex) -> Option<EntryId> {
        self.term_at(index).map(|term| EntryId::new(index, term))
    }

    /// Whether this log has exactly that entry, as far as is known.
    pub fn contains(&self, id: EntryId) -> bool {
        self.term_at(id.index) == Some(id.term)
    }

    /// Adds an entry at the end; its identity.
    #[inline]
    pub fn append(&mut self, entry: Entry) -> EntryId {
        assert!(entry.term >= self.last.term, "an entry of term {} appended after {}", entry.term, self.last);
        self.last = EntryId::new(self.last.index.next(), entry.term);
        self.bytes += entry.payload.size();
        self.tail.push(entry);
        if self.tail.len() == CHUNK {
            self.chunks.push(self.tail.drain(..).collect());
        }
        self.last
    }

    /// Drops every entry after `index`.
    pub fn truncate_after(&mut self, index: LogIndex) {
        assert!(index >= self.base.index, "truncated after {index}, inside the snapshot up to {}", self.base);
        if index >= self.last.index {
            return;
        }
        self.bytes -= self.bytes_in(index, self.last.index);
        let term = self.term_at(index).unwrap_or(self.base.term);
        let kept = index.distance_from(self.origin.previous()) as usize;
        if let Some(cut) = self.chunks.get(kept / CHUNK) {
            self.tail = cut[..kept % CHUNK].to_vec();
            self.chunks.truncate(kept / CHUNK);
        } else {
            self.tail.truncate(kept % CHUNK);
        }
        self.last = EntryId::new(index, term);
    }

    /// Drops every entry up to `base`, which has been put into a snapshot. If this log doesn't have that entry, it keeps
    /// nothing (Raft §7: "the follower discards its entire log").
    pub fn compact_to(&mut self, base: EntryId) {
        if base.index <= self.base.index {
            return;
        }
        if !self.contains(base) || base.index == self.last.index {
            *self = Log::after(base);
            return;
        }
        self.bytes -= self.bytes_in(self.base.index, base.index);
        self.base = base;
        // Some entry after the new base is held, so that no more is dropped than there are chunks.
        let dropped = self.first_index().distance_from(self.origin) as usize / CHUNK;
        self.chunks.drain(..dropped);
        self.origin = self.origin.plus((dropped * CHUNK) as u64);
    }

    /// The entries from `from` on: at most `count`, and at most `bytes` large unless the first alone is larger.
    pub fn slice(&self, from: LogIndex, count: usize, bytes: u64) -> Entries {
        let available = self.last.index.next().distance_from(from);
        let count = available.min(count as u64);
        if from <= self.base.index || count == 0 {
            return Entries::None;
        }
        if count == 1 {
            return self.get(from).cloned().map_or(Entries::None, Entries::One);
        }
        let mut size = 0;
        let mut fits = |entry: &&Entry| {
            let first = size == 0;
            size += entry.payload.size();
            first || size <= bytes
        };
        let mut entries = Vec::with_capacity(count as usize);
        for run in self.runs_from(from) {
            let room = &run[..run.len().min(count as usize - entries.len())];
            let before = entries.len();
            entries.extend(room.iter().take_while(&mut fits).cloned());
            if entries.len() < before + room.len() || entries.len() as u64 == count {
                break;
            }
        }
        entries.into()
    }

    /// The entries from `from` on (from the first one held, if that is earlier).
    pub fn iter_from(&self, from: LogIndex) -> impl Iterator<Item = &Entry> {
        let from = from.max(self.first_index());
        (from.0..=self.last.index.0).filter_map(|index| self.get(LogIndex(index)))
    }

    /// The same, as they lie in the chunks.
    fn runs_from(&self, from: LogIndex) -> impl Iterator<Item = &[Entry]> {
        let from = from.max(self.first_index());
        let (chunk, place) = self.place(from);
        let runs = self.chunks.iter().map(|chunk| &chunk[..]).chain([self.tail.as_slice()]);
        runs.skip(chunk).enumerate().map(move |(position, entries)| {
            let skipped = if position == 0 { place.min(entries.len()) } else { 0 };
            &entries[skipped..]
        })
    }

    /// The last entry at or before `index` whose term is at most `term`: the best guess where two logs may agree, given that
    /// the other has `term` at `index`. Terms only grow along a log, so a whole term is skipped at once.
    pub fn last_not_after(&self, index: LogIndex, term: Term) -> EntryId {
        let (mut known, mut beyond) = (self.base.index, index.min(self.last.index).next());
        // Invariant: the term at `known` is at most `term` (or it is the base), that at `beyond` is more or it is out of range.
        while beyond.distance_from(known) > 1 {
            let middle = known.plus(beyond.distance_from(known) / 2);
            if self.term_at(middle).is_some_and(|at| at <= term) { known = middle } else { beyond = middle }
        }
        self.id_at(known).unwrap_or(self.base)
    }

    fn place(&self, index: LogIndex) -> (usize, usize) {
        let offset = index.distance_from(self.origin) as usize;
        (offset / CHUNK, offset % CHUNK)
    }

    /// The size of the entries `(after, last]`.
    pub(super) fn bytes_in(&self, after: LogIndex, last: LogIndex) -> u64 {
        if last == after.next() {
            return self.get(last).map_or(0, |entry| entry.payload.size());
        }
        let mut left = last.distance_from(after) as usize;
        let mut bytes = 0;
        for run in self.runs_from(after.next()) {
            let run = &run[..run.len().min(left)];
            bytes += run.iter().map(|entry| entry.payload.size()).sum::<u64>();
            left -= run.len();
            if left == 0 {
                break;
            }
        }
        bytes
    }
}

#[cfg(test)]
impl Log {
    /// How many of its chunks are another log's, too, and how many it has.
    pub(crate) fn shared_chunks(&self, other: &Log) -> (usize, usize) {
        let shared = self.chunks.iter().filter(|chunk| other.chunks.iter().any(|own| Arc::ptr_eq(own, chunk)));
        (shared.count(), self.chunks.len())
    }
}

/// By what they hold, not by how it is chunked.
impl PartialEq for Log {
    fn eq(&self, other: &Log) -> bool {
        self.base == other.base
            && self.last == other.last
            && self.iter_from(LogIndex::ZERO).eq(other.iter_from(LogIndex::ZERO))
    }
}

impl Eq for Log {}

#[cfg(test)]
mod tests {
    use super::super::entry::Payload;
    use super::*;

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::after(EntryId::ZERO);
        for term in terms {
            log.append(Entry { term: Term(*term), payload: Payload::NoOp });
        }
        log
    }

    fn terms(log: &Log) -> Vec<u64> {
        log.iter_from(LogIndex::ZERO).map(|entry| entry.term.0).collect()
    }

    #[test]
    fn the_hint_skips_whole_terms() {
        let log = log(&[1, 1, 2, 2, 2, 5, 5]);
        let cases = [(7, 5, 7, 5), (7, 4, 5, 2), (7, 1, 2, 1), (4, 9, 4, 2), (99, 9, 7, 5), (3, 0, 0, 0), (0, 9, 0, 0)];
        for (index, term, at, of) in cases {
            let hint = log.last_not_after(LogIndex(index), Term(term));
            assert_eq!(hint, EntryId::new(LogIndex(at), Term(of)), "for {index}@{term}");
        }
    }

    #[test]
    fn it_behaves_as_a_plain_vector_would() {
        // Every truncation and compaction of a log of several chunks, against the obvious model.
        let all: Vec<u64> = (0..200).map(|i| i / 7 + 1).collect();
        for cut in (0..=200).step_by(9).chain([63, 64, 65, 128, 192]) {
            let mut truncated = log(&all);
            truncated.truncate_after(LogIndex(cut as u64));
            assert_eq!(terms(&truncated), &all[..cut]);
            assert_eq!(truncated.bytes(), 16 * cut as u64);
            truncated.append(Entry { term: Term(99), payload: Payload::NoOp });
            assert_eq!(truncated.last(), EntryId::new(LogIndex(cut as u64 + 1), Term(99)));
            assert_eq!(truncated.get(truncated.last().index).map(|e| e.term), Some(Term(99)));

            let mut compacted = log(&all);
            let base = compacted.id_at(LogIndex(cut as u64)).unwrap();
            compacted.compact_to(base);
            assert_eq!(terms(&compacted), &all[cut..]);
            assert_eq!(compacted.bytes(), 16 * (200 - cut as u64));
            assert_eq!((compacted.base(), compacted.last().index), (base, LogIndex(200)));
            assert_eq!(compacted.slice(LogIndex(cut as u64 + 1), 3, u64::MAX).len(), 3.min(200 - cut));
            compacted.append(Entry { term: Term(99), payload: Payload::NoOp });
            assert_eq!(compacted.len(), 201 - cut as u64);
            assert_eq!(compacted.get(LogIndex(201)).map(|e| e.term), Some(Term(99)));
        }
    }

    #[test]
    fn a_slice_is_bounded_by_count_and_bytes_but_never_empty_handed() {
        let log = log(&[1; 10]);
        assert_eq!(log.slice(LogIndex(1), 4, u64::MAX).len(), 4);
        assert_eq!(log.slice(LogIndex(1), 9, 16 * 3).len(), 3);
        assert_eq!(log.slice(LogIndex(9), 9, 1).len(), 1);
        assert_eq!(log.slice(LogIndex(11), 9, 99), Entries::None);
        assert_eq!(log.slice(LogIndex(1), 0, 99), Entries::None);
    }

    #[test]
    fn a_snapshot_that_the_log_does_not_contain_replaces_it() {
        let mut log = log(&[1, 1, 2]);
        log.compact_to(EntryId::new(LogIndex(2), Term(2)));
        assert!(log.is_empty());
        assert_eq!(log.last(), EntryId::new(LogIndex(2), Term(2)));
        log.compact_to(EntryId::new(LogIndex(1), Term(1)));
        assert_eq!(log.base().index, LogIndex(2), "going back is no compaction");
    }

    #[test]
    fn clones_share_and_do_not_disturb_each_other() {
        let original = log(&[1, 1, 2]);
        let mut copy = original.clone();
        copy.truncate_after(LogIndex(1));
        copy.append(Entry { term: Term(3), payload: Payload::NoOp });
        assert_eq!(terms(&original), [1, 1, 2]);
        assert_eq!(terms(&copy), [1, 3]);
    }
}
