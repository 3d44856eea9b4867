//! The terms of a log's entries, in as little memory as there are terms.

use alloc::vec::Vec;

use crate::raft::{EntryId, Log, LogIndex, Term};

/// The terms of the entries `[first known, end]` of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms {
    /// The first entry of each run of entries of the same term, by index.
    runs: Vec<EntryId>,
    /// The last entry's index; without meaning if there are no runs.
    end: LogIndex,
}

impl Terms {
    /// Those of these runs, of which the last goes up to `end`; `None` if they aren't in the order
    /// of their indexes, or go beyond it.
    pub(super) fn new(runs: Vec<EntryId>, end: LogIndex) -> Option<Terms> {
        let in_order = runs.is_sorted_by(|one, other| one.index < other.index);
        (in_order && runs.last().is_none_or(|last| last.index <= end)).then_some(Terms { runs, end })
    }

    /// Those of the entries that a log holds. It takes no longer for more entries of a term.
    pub(super) fn of(log: &Log) -> Terms {
        let mut runs = Vec::new();
        let mut last = log.last();
        while last.index > log.base().index {
            let first = first_of_run(log, last);
            runs.push(EntryId::new(first, last.term));
            let before = first.previous();
            last = EntryId::new(before, log.term_at(before).unwrap_or(Term::ZERO));
        }
        runs.reverse();
        Terms { runs, end: log.last().index }
    }

    pub(super) fn runs(&self) -> &[EntryId] {
        &self.runs
    }

    /// The indexes of the first and the last entry whose terms are known.
    pub(super) fn range(&self) -> Option<(LogIndex, LogIndex)> {
        self.runs.first().map(|first| (first.index, self.end))
    }

    fn run_of(&self, index: LogIndex) -> Option<EntryId> {
        if index > self.end {
            return None;
        }
        let after = self.runs.partition_point(|run| run.index <= index);
        self.runs.get(after.checked_sub(1)?).copied()
    }

    pub(super) fn term_at(&self, index: LogIndex) -> Option<Term> {
        self.run_of(index).map(|run| run.term)
    }

    /// An entry follows the last one. If there is none, it is the first that is known.
    pub(super) fn push(&mut self, entry: EntryId) {
        if self.runs.last().is_none_or(|last| last.term != entry.term) {
            self.runs.push(entry);
        }
        self.end = entry.index;
    }

    /// Every entry after `index` is dropped.
    pub(super) fn truncate_after(&mut self, index: LogIndex) {
        if index < self.end {
            let kept = self.runs.partition_point(|run| run.index <= index);
            self.runs.truncate(kept);
            self.end = index;
        }
    }

    /// Every entry up to `index` is dropped.
    pub(super) fn drop_to(&mut self, index: LogIndex) {
        if index >= self.end {
            self.runs.clear();
            return;
        }
        let begun = self.runs.partition_point(|run| run.index <= index.next());
        if begun > 0 {
            self.runs.drain(..begun - 1);
            self.runs[0].index = self.runs[0].index.max(index.next());
        }
    }

    /// The last index up to which a log that came after this one holds the same entries: where two
    /// entries have the same index and the same term, all before them are the same, too (Raft §5.3,
    /// log matching). What is before the beginning of either is the same.
    pub(super) fn agree_up_to(&self, log: &Log) -> LogIndex {
        let Some((first, end)) = self.range() else { return LogIndex::ZERO };
        let mut at = end.min(log.last().index);
        while at >= first && at > log.base().index {
            let (Some(mine), Some(theirs)) = (self.run_of(at), log.id_at(at)) else { return at };
            if mine.term == theirs.term {
                return at;
            }
            // Both runs have one term only, and it isn't the same.
            at = mine.index.max(first_of_run(log, theirs)).previous();
        }
        at
    }
}

/// The index of the first entry of the run of entries of the same term.
fn first_of_run(log: &Log, entry: EntryId) -> LogIndex {
    match entry.term {
        Term::ZERO => log.first_index(),
        Term(term) => log.last_not_after(entry.index, Term(term - 1)).index.next().max(log.first_index()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::raft::{Entry, Payload};

    /// A log that holds entries of these terms, of which the first ones are compacted away.
    fn log_of(terms: &[u64], gone: usize) -> Log {
        let mut log = Log::after(EntryId::ZERO);
        for term in terms {
            log.append(Entry { term: Term(*term), payload: Payload::NoOp });
        }
        let last = LogIndex(gone.min(terms.len()) as u64);
        log.compact_to(log.id_at(last).expect("it is held"));
        log
    }

    proptest! {
        #[test]
        fn the_terms_of_a_log_are_those_of_its_entries(
            both in prop::collection::vec(0..3_u64, 0..12),
            mine in prop::collection::vec(0..2_u64, 0..9),
            theirs in prop::collection::vec(0..2_u64, 0..9),
            (gone, more_gone) in (0..8_usize, 0..8_usize),
        ) {
            // What they share comes first; after that, terms of one are even and of the other odd.
            let climb = |before: u64, steps: &[u64], by: u64, odd: u64| {
                let start = before.next_multiple_of(2) + 2 + odd;
                steps.iter().scan(start, |term, step| { *term += step * by; Some(*term) }).collect::<Vec<u64>>()
            };
            let shared = climb(0, &both, 1, 0);
            let last = shared.last().copied().unwrap_or(0);
            let [mine, theirs] = [(mine, 0), (theirs, 1)].map(|(steps, odd)| [&shared[..], &climb(last, &steps, 2, odd)].concat());
            let old = log_of(&mine, gone);
            let terms = Terms::of(&old);
            for index in 0..20 {
                let index = LogIndex(index);
                prop_assert_eq!(terms.term_at(index), old.get(index).map(|entry| entry.term));
            }
            // A log forgets no less as time passes.
            let gone = gone.min(mine.len());
            let new = log_of(&theirs, (gone + more_gone).min(theirs.len()));
            let same = mine.iter().zip(&theirs).take_while(|(one, other)| one == other).count() as u64;
            let agreed = terms.agree_up_to(&new);
            if !old.is_empty() && new.base().index.0 <= same && old.base().index.0 <= same {
                prop_assert_eq!(agreed, LogIndex(same).max(old.base().index).max(new.base().index.min(old.last().index)));
            }
            let mut dropped = terms.clone();
            dropped.drop_to(LogIndex(more_gone as u64));
            let mut cut = terms.clone();
            cut.truncate_after(LogIndex(more_gone as u64));
            for index in 0..20 {
                let term = terms.term_at(LogIndex(index));
                prop_assert_eq!(dropped.term_at(LogIndex(index)), term.filter(|_| index > more_gone as u64));
                prop_assert_eq!(cut.term_at(LogIndex(index)), term.filter(|_| index <= more_gone as u64));
            }
        }
    }
}
