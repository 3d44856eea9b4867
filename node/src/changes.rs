//! The latest changes of the store, for those who watch it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// The most changes that are kept.
const CHANGES_MAX: usize = 65_536;

/// The most bytes of keys and values that are kept.
const BYTES_MAX: usize = 32 << 20;

/// A pair that was set or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: String,
    /// Its new value; none if it was removed.
    pub value: Option<bytes::Bytes>,
    /// The revision at which it was changed: its entry's index.
    pub revision: u64,
}

impl Change {
    fn size(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, bytes::Bytes::len) + size_of::<Change>()
    }
}

/// The latest changes, in the order of their revisions. Older ones are forgotten.
#[derive(Debug)]
pub struct Changes {
    kept: Mutex<Kept>,
    /// The index up to which everything is known.
    known: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    changes: VecDeque<Change>,
    bytes: usize,
    /// All changes after this revision are here.
    since: u64,
}

/// The changes after that revision aren't kept any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The earliest revision from which one can watch.
    pub since: u64,
}

impl Default for Changes {
    fn default() -> Changes {
        Changes { kept: Mutex::default(), known: watch::Sender::new(0) }
    }
}

impl Changes {
    /// Begins anew at this index: what was before can't be told one by one.
    pub fn restart(&self, index: u64) {
        *self.lock() = Kept { since: index, ..Kept::default() };
        self.known.send_replace(index);
    }

    /// Takes in what the entry at this index has changed, if anything.
    pub fn applied(&self, index: u64, change: Option<Change>) {
        if let Some(change) = change {
            let mut kept = self.lock();
            kept.bytes += change.size();
            kept.changes.push_back(change);
            while kept.changes.len() > CHANGES_MAX || kept.bytes > BYTES_MAX {
                let Some(oldest) = kept.changes.pop_front() else { break };
                kept.bytes -= oldest.size();
                kept.since = oldest.revision;
            }
        }
        self.known.send_replace(index);
    }

    /// At most `count` changes after this revision.
    ///
    /// # Errors
    /// When some of them are forgotten.
    pub fn after(&self, revision: u64, count: usize) -> Result<Vec<Change>, Gone> {
        let kept = self.lock();
        if revision < kept.since {
            return Err(Gone { since: kept.since });
        }
        let first = kept.changes.partition_point(|change| change.revision <= revision);
        Ok(kept.changes.range(first..).take(count).cloned().collect())
    }

    /// Becomes different whenever more is known; its value is the index up to which it is.
    pub fn known(&self) -> watch::Receiver<u64> {
        self.known.subscribe()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(revision: u64, bytes: usize) -> Change {
        Change { key: "k".into(), value: Some(vec![0; bytes].into()), revision }
    }

    #[test]
    fn changes_are_told_from_any_revision_that_is_kept() {
        let changes = Changes::default();
        changes.restart(10);
        for index in 11..20 {
            changes.applied(index, (index % 2 == 0).then(|| change(index, 1)));
        }
        let revisions = |from, count| {
            changes.after(from, count).map(|found| found.iter().map(|change| change.revision).collect::<Vec<_>>())
        };
        assert_eq!(revisions(10, 9), Ok(vec![12, 14, 16, 18]));
        assert_eq!(revisions(12, 2), Ok(vec![14, 16]));
        assert_eq!(revisions(13, 2), Ok(vec![14, 16]));
        assert_eq!(revisions(19, 2), Ok(vec![]));
        assert_eq!(revisions(9, 2), Err(Gone { since: 10 }));
        assert_eq!(*changes.known().borrow(), 19);
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_forgotten_is_said() {
        let changes = Changes::default();
        for index in 1..=CHANGES_MAX as u64 + 5 {
            changes.applied(index, Some(change(index, 0)));
        }
        assert_eq!(changes.after(4, 1), Err(Gone { since: 5 }));
        assert_eq!(changes.after(5, 1).unwrap()[0].revision, 6);
        for index in 100_000..100_010 {
            changes.applied(index, Some(change(index, BYTES_MAX / 4)));
        }
        let kept = changes.after(100_006, 9).unwrap();
        assert_eq!(kept.iter().map(|change| change.revision).collect::<Vec<_>>(), [100_007, 100_008, 100_009]);
        assert_eq!(changes.after(100_005, 9), Err(Gone { since: 100_006 }));
    }
}
