//! The log in memory: entries after the last compaction, in shared chunks and a tail.
//!
//! Chunks never change and are shared between clones, so that a checkpoint of a whole cluster costs
//! microseconds however long its logs are. Entries that came together stay together: a batch is one
//! [`EntryRun`] in its leader's log, in the messages, in the followers' logs and among the
//! committed entries, and is never copied. The tail belongs to this log alone: entries that come
//! one by one are added to it without a check for other owners.
//!
//! Invariants, asserted where they could break:
//! * indexes are consecutive: `last.index - base.index` entries are held, by the chunks in their
//!   order and then the tail;
//! * terms never go down from one entry to the next;
//! * no chunk is empty, and the tail isn't full;
//! * memory kept for later chunks has a chunk's size, is empty and not shared, and is bounded.

use alloc::vec::Vec;
use core::ops::Range;

use super::entry::{Entries, Entry, EntryRun, Room};
use super::types::{EntryId, LogIndex, Term};

/// A tail of this many entries becomes a chunk.
const CHUNK: usize = 64;

/// A run of fewer entries isn't worth a chunk of its own, which would make the search for an entry
/// longer.
const RUN_MIN: usize = 16;

/// The memory of this many chunks is kept when they are compacted away: enough for a server that
/// compacts some thousands of entries at a time, and little for one that has compacted a million.
const SPARE_MAX: usize = 64;

/// The entries `(base, last]` of a server's log.
#[derive(Clone, Debug)]
pub struct Log {
    /// The last entry compacted away; zero if none was.
    base: EntryId,
    last: EntryId,
    chunks: Vec<Chunk>,
    tail: Vec<Entry>,
    bytes: u64,
    spare: Spare,
}

/// Memory of chunks that were compacted away and that no other log shared. The next chunks are
/// placed there, so that a log that is compacted now and then allocates nothing.
#[derive(Debug, Default)]
struct Spare(Vec<Room>);

/// A clone has the same entries, but not the spare memory.
impl Clone for Spare {
    fn clone(&self) -> Spare {
        Spare::default()
    }
}

#[derive(Clone, Debug)]
struct Chunk {
    /// Index of its first entry.
    first: LogIndex,
    entries: EntryRun,
}

impl Chunk {
    /// The index after its last entry.
    fn end(&self) -> LogIndex {
        self.first.plus(self.entries.len() as u64)
    }

    /// The places of its entries from index `from` up to `last`.
    fn range(&self, from: LogIndex, last: LogIndex) -> Range<usize> {
        let place = |index: LogIndex| index.distance_from(self.first) as usize;
        place(from)..place(last.next().min(self.end()))
    }
}

impl Log {
    /// An empty log that follows `base`.
    pub fn after(base: EntryId) -> Log {
        Log { base, last: base, chunks: Vec::new(), tail: Vec::new(), bytes: 0, spare: Spare::default() }
    }

    /// The last entry compacted away: the one just before the first entry held.
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
        match self.chunk_of(index) {
            Some(chunk) => chunk.entries.get(index.distance_from(chunk.first) as usize),
            None => self.tail.get(index.distance_from(self.tail_first()) as usize),
        }
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

    /// The identity of the entry at `index`, if known.
    pub fn id_at(&self, index: LogIndex) -> Option<EntryId> {
        self.term_at(index).map(|term| EntryId::new(index, term))
    }

    /// Whether this log has exactly that entry, as far as is known.
    pub fn contains(&self, id: EntryId) -> bool {
        self.term_at(id.index) == Some(id.term)
    }

    /// Whether it holds this entry, or begins after it: entries before its base are in a snapshot.
    pub fn covers(&self, id: EntryId) -> bool {
        id.index <= self.base.index || self.contains(id)
    }

    /// Adds an entry at the end. Returns its identity.
    #[inline]
    pub fn append(&mut self, entry: Entry) -> EntryId {
        self.note(&entry);
        self.tail.push(entry);
        if self.tail.len() == CHUNK {
            self.close_tail();
        }
        self.last
    }

    /// Adds entries at the end. Returns the last one's identity. From now on this log shares them
    /// with the other owners of the run.
    pub fn append_run(&mut self, run: &EntryRun) -> EntryId {
        if run.len() < RUN_MIN {
            for entry in run.iter() {
                self.append(entry.clone());
            }
            return self.last;
        }
        self.close_tail();
        self.chunks.push(Chunk { first: self.last.index.next(), entries: run.clone() });
        for entry in run.iter() {
            self.note(entry);
        }
        self.last
    }

    /// Counts an entry that is about to be added at the end.
    fn note(&mut self, entry: &Entry) {
        assert!(entry.term >= self.last.term, "an entry of term {} appended after {}", entry.term, self.last);
        self.last = EntryId::new(self.last.index.next(), entry.term);
        self.bytes += entry.payload.size();
    }

    /// Makes a chunk of the tail.
    fn close_tail(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        let first = self.tail_first();
        let room = if self.tail.len() == CHUNK { self.spare.0.pop() } else { None };
        let entries = match room {
            Some(room) => room.filled(&mut self.tail),
            None => self.tail.drain(..).collect(),
        };
        self.chunks.push(Chunk { first, entries });
    }

    /// Drops the first `count` chunks.
    fn drop_chunks(&mut self, count: usize) {
        for chunk in self.chunks.drain(..count) {
            if self.spare.0.len() < SPARE_MAX
                && let Some(room) = chunk.entries.emptied(CHUNK)
            {
                self.spare.0.push(room);
            }
        }
    }

    /// Drops every entry after `index`.
    pub fn truncate_after(&mut self, index: LogIndex) {
        assert!(index >= self.base.index, "truncated after {index}, inside the snapshot up to {}", self.base);
        if index >= self.last.index {
            return;
        }
        self.bytes -= self.bytes_in(index, self.last.index);
        let term = self.term_at(index).unwrap_or(self.base.term);
        let in_tail = index.next().distance_from(self.tail_first()) as usize;
        self.tail.truncate(in_tail);
        self.chunks.truncate(self.chunks.partition_point(|chunk| chunk.first <= index));
        if let Some(cut) = self.chunks.last_mut()
            && cut.end() > index.next()
        {
            let kept = index.next().distance_from(cut.first) as usize;
            if kept < CHUNK {
                // A few entries mustn't keep the memory of many.
                self.tail = cut.entries[..kept].to_vec();
                self.chunks.pop();
            } else {
                cut.entries = cut.entries.part(0..kept);
            }
        }
        self.last = EntryId::new(index, term);
    }

    /// Drops every entry up to `base`, which has been put into a snapshot. If this log doesn't have
    /// that entry, it keeps nothing (Raft §7: "the follower discards its entire log").
    pub fn compact_to(&mut self, base: EntryId) {
        if base.index <= self.base.index {
            return;
        }
        let last = if self.contains(base) { self.last } else { base };
        let first = if last == base { self.last.index.next() } else { base.index.next() };
        self.bytes -= self.bytes_in(self.base.index, first.previous());
        self.tail.drain(..first.distance_from(self.tail_first()) as usize);
        self.drop_chunks(self.chunks.partition_point(|chunk| chunk.end() <= first));
        (self.base, self.last) = (base, last);
        if let Some(cut) = self.chunks.first_mut()
            && cut.first < first
        {
            cut.entries = cut.entries.part(cut.range(first, cut.end()));
            cut.first = first;
        }
    }

    /// The entries from `from` on: at most `count`, and at most `bytes` large unless the first
    /// alone is larger.
    pub fn slice(&self, from: LogIndex, count: usize, bytes: u64) -> Entries {
        let available = self.last.index.next().distance_from(from);
        let count = available.min(count as u64) as usize;
        if from <= self.base.index || count == 0 {
            return Entries::None;
        }
        if count == 1 {
            return self.get(from).cloned().map_or(Entries::None, Entries::One);
        }
        let (mut taken, mut size) = (0, 0);
        for entry in self.iter_from(from).take(count) {
            size += entry.payload.size();
            if taken > 0 && size > bytes {
                break;
            }
            taken += 1;
        }
        let last = from.plus(taken as u64 - 1);
        let shared = self.shared(from, last);
        if shared.len() == taken {
            return shared;
        }
        let mut entries = Vec::with_capacity(taken);
        while entries.len() < taken {
            let together = self.together(from.plus(entries.len() as u64));
            entries.extend_from_slice(&together[..together.len().min(taken - entries.len())]);
        }
        entries.into()
    }

    /// The first entries from `from` to `last` that can be shared as they are, without a copy; at
    /// least one, if the first is held.
    pub(super) fn shared(&self, from: LogIndex, last: LogIndex) -> Entries {
        match self.chunk_of(from) {
            Some(chunk) if from > self.base.index => chunk.entries.part(chunk.range(from, last)).into(),
            _ => self.get(from).cloned().map_or(Entries::None, Entries::One),
        }
    }

    /// The entries from `from` on (from the first one held, if that is earlier).
    pub fn iter_from(&self, from: LogIndex) -> impl Iterator<Item = &Entry> {
        let from = from.max(self.first_index());
        let (mut next, mut together): (_, &[Entry]) = (from, &[]);
        core::iter::from_fn(move || {
            if together.is_empty() {
                together = self.together(next);
            }
            let (first, rest) = together.split_first()?;
            (next, together) = (next.next(), rest);
            Some(first)
        })
    }

    /// The entries from `from` on that are next to each other in memory; none if `from` isn't held.
    fn together(&self, from: LogIndex) -> &[Entry] {
        let (first, entries) = match self.chunk_of(from) {
            Some(chunk) => (chunk.first, &*chunk.entries),
            None => (self.tail_first(), &*self.tail),
        };
        from.0.checked_sub(first.0).and_then(|place| entries.get(place as usize..)).unwrap_or(&[])
    }

    /// The last entry at or before `index` whose term is at most `term`. It is the best guess for
    /// where two logs agree, if the other log has `term` at `index`. Terms never go down along a
    /// log, so a whole term is skipped at once.
    pub fn last_not_after(&self, index: LogIndex, term: Term) -> EntryId {
        // Usually the logs don't differ, and an append that overtook another has left a gap. Then
        // the answer is the last entry.
        let latest = self.id_at(index.min(self.last.index));
        if let Some(latest) = latest.filter(|latest| latest.term <= term) {
            return latest;
        }
        let (mut known, mut beyond) = (self.base.index, index.min(self.last.index).next());
        // Invariant: the term at `known` is at most `term` (or `known` is the base); the term at
        // `beyond` is higher, or `beyond` is out of range.
        while beyond.distance_from(known) > 1 {
            let middle = known.plus(beyond.distance_from(known) / 2);
            if self.term_at(middle).is_some_and(|at| at <= term) { known = middle } else { beyond = middle }
        }
        self.id_at(known).unwrap_or(self.base)
    }

    /// Index of the first entry of the tail (or that will be).
    fn tail_first(&self) -> LogIndex {
        LogIndex(self.last.index.0 + 1 - self.tail.len() as u64)
    }

    /// The chunk that holds the entry at `index`; `None` if the entry is in the tail. It must be
    /// held.
    #[inline]
    fn chunk_of(&self, index: LogIndex) -> Option<&Chunk> {
        if index >= self.tail_first() {
            return None;
        }
        // Usually the newest chunk is the one.
        match self.chunks.last() {
            Some(newest) if newest.first <= index => Some(newest),
            _ => self.chunks.get(self.chunks.partition_point(|chunk| chunk.end() <= index)),
        }
    }

    /// The size of the entries `(after, last]`.
    pub(crate) fn bytes_in(&self, after: LogIndex, last: LogIndex) -> u64 {
        self.iter_from(after.next()).take(last.distance_from(after) as usize).map(|entry| entry.payload.size()).sum()
    }
}

#[cfg(test)]
impl Log {
    /// How many of its chunks the other log has, too, and how many chunks it has.
    pub(crate) fn shared_chunks(&self, other: &Log) -> (usize, usize) {
        let held = |chunk: &&Chunk| other.chunks.iter().any(|own| own.entries.is_the_same(&chunk.entries));
        let shared = self.chunks.iter().filter(held);
        (shared.count(), self.chunks.len())
    }
}

/// By the entries, however they are divided into chunks.
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
    use crate::bytes::Bytes;

    fn log(terms: &[u64]) -> Log {
        let mut log = Log::after(EntryId::ZERO);
        for term in terms {
            log.append(Entry { term: Term(*term), payload: Payload::NoOp });
        }
        log
    }

    /// Checks how the entries lie in memory. The invariants about their content are asserted where
    /// they could break.
    fn lies_well(log: &Log) {
        let mut next = log.chunks.first().map_or(log.tail_first(), |chunk| chunk.first);
        for chunk in &log.chunks {
            assert_eq!(chunk.first, next, "chunks follow each other");
            assert!(!chunk.entries.is_empty(), "no chunk is empty");
            next = chunk.end();
        }
        assert_eq!((next, log.first_index()), (log.tail_first(), log.base.index.next()));
        assert_eq!(log.iter_from(LogIndex::ZERO).count() as u64, log.len());
        assert!(log.tail.len() < CHUNK, "the tail isn't full");
        assert!(log.spare.0.len() <= SPARE_MAX, "the memory kept is bounded");
        assert!(log.spare.0.iter().all(|room| room.is_empty_for(CHUNK)), "and there is nothing in it");
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
            lies_well(&truncated);
            assert_eq!(terms(&truncated), &all[..cut]);
            assert_eq!(truncated.bytes(), 16 * cut as u64);
            truncated.append(Entry { term: Term(99), payload: Payload::NoOp });
            assert_eq!(truncated.last(), EntryId::new(LogIndex(cut as u64 + 1), Term(99)));
            assert_eq!(truncated.get(truncated.last().index).map(|e| e.term), Some(Term(99)));

            let mut compacted = log(&all);
            let base = compacted.id_at(LogIndex(cut as u64)).unwrap();
            compacted.compact_to(base);
            lies_well(&compacted);
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
    fn a_run_is_shared_and_a_few_entries_of_it_do_not_keep_the_memory_of_all() {
        let run: EntryRun = (0..200).map(|_| Entry { term: Term(2), payload: Payload::NoOp }).collect();
        let mut shared = log(&[1, 1, 2]);
        assert_eq!(shared.append_run(&run), EntryId::new(LogIndex(203), Term(2)));
        let is_shared =
            |log: &Log, index: u64| core::ptr::eq(log.get(LogIndex(index)).unwrap(), &run[index as usize - 4]);
        assert!(is_shared(&shared, 4) && is_shared(&shared, 203));
        let Entries::Many(slice) = shared.slice(LogIndex(10), 100, u64::MAX) else { panic!("a hundred entries") };
        assert!(core::ptr::eq(&slice[0], &run[6]), "nor is a slice of it copied");

        let mut cut = shared.clone();
        cut.truncate_after(LogIndex(100));
        assert!(is_shared(&cut, 100));
        cut.truncate_after(LogIndex(10));
        assert!(!is_shared(&cut, 10), "seven of two hundred");
        assert_eq!(cut.len(), 10);

        // A chunk with few entries would only make the search longer.
        assert_eq!(shared.append_run(&run.part(0..3)).index, LogIndex(206));
        assert!(!core::ptr::eq(shared.get(LogIndex(204)).unwrap(), &run[0]));
    }

    #[test]
    fn runs_and_single_entries_lie_side_by_side_wherever_they_are_cut() {
        let mut whole = log(&[1; 70]);
        for (round, length) in [16, 100, 3, 64, 40].into_iter().enumerate() {
            let term = Term(round as u64 + 2);
            whole.append_run(&(0..length).map(|_| Entry { term, payload: Payload::NoOp }).collect());
            whole.append(Entry { term, payload: Payload::NoOp });
        }
        lies_well(&whole);
        let all = terms(&whole);
        for cut in 0..=all.len() {
            let mut truncated = whole.clone();
            truncated.truncate_after(LogIndex(cut as u64));
            lies_well(&truncated);
            assert_eq!(terms(&truncated), &all[..cut]);
            let mut compacted = whole.clone();
            compacted.compact_to(whole.id_at(LogIndex(cut as u64)).unwrap());
            lies_well(&compacted);
            assert_eq!(terms(&compacted), &all[cut..]);
        }
    }

    #[test]
    fn chunks_compacted_away_leave_their_memory_to_the_next_ones() {
        let command = Bytes::from([7; 100].as_slice());
        let entry = || Entry { term: Term(1), payload: Payload::Command(command.clone()) };
        let mut log = log(&[]);
        for _ in 0..3 * CHUNK {
            log.append(entry());
        }
        let place = |log: &Log, index: usize| core::ptr::from_ref(log.get(LogIndex(index as u64)).unwrap());
        let memory = place(&log, 1);
        assert_eq!(command.shared_by(), 1 + 3 * CHUNK);

        log.compact_to(log.id_at(LogIndex(CHUNK as u64 + 3)).unwrap());
        lies_well(&log);
        assert_eq!(log.spare.0.len(), 1, "the second chunk is still needed");
        assert_eq!(command.shared_by(), 1 + 2 * CHUNK, "what stood there is gone");
        for _ in 0..CHUNK {
            log.append(entry());
        }
        lies_well(&log);
        assert_eq!(place(&log, 3 * CHUNK + 1), memory);
        assert!(log.iter_from(LogIndex::ZERO).all(|held| *held == entry()));

        // A log that keeps no entries keeps the memory.
        log.compact_to(log.last());
        lies_well(&log);
        assert_eq!((log.spare.0.len(), command.shared_by()), (3, 1));
    }

    #[test]
    fn chunks_that_somebody_else_has_stay_as_they_are() {
        let mut log = log(&[3; 2 * CHUNK]);
        let (checkpoint, held) = (log.clone(), log.slice(LogIndex(CHUNK as u64 + 1), 2, u64::MAX));
        let base = log.id_at(LogIndex(CHUNK as u64)).unwrap();
        log.compact_to(base);
        assert!(log.spare.0.is_empty());
        drop(checkpoint);
        log.compact_to(log.last());
        assert!(log.spare.0.is_empty());
        assert!(held.as_slice().iter().all(|entry| entry.term == Term(3)));
    }

    #[test]
    fn a_million_entries_compacted_away_leave_little_memory_behind() {
        let mut log = log(&[1; 10 * SPARE_MAX * CHUNK]);
        log.compact_to(log.id_at(LogIndex(log.len() - 1)).unwrap());
        lies_well(&log);
        assert_eq!(log.spare.0.len(), SPARE_MAX);
        assert!(log.clone().spare.0.is_empty(), "nor does a checkpoint have any of it");
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
