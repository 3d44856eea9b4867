//! What a server's disk holds, for code that keeps it itself: simulated disks, and searches for
//! what a crash can leave.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::entry::Payload;
use super::io::{Durable, HardState, Write};
use super::log::Log;
use super::membership::Configuration;
use super::message::Snapshot;
use super::types::{EntryId, LogIndex};

/// What would be found on a disk after a power failure.
#[derive(Clone, Debug)]
pub struct Image {
    hard_state: HardState,
    snapshot: Option<Arc<Snapshot>>,
    log: Log,
}

impl Default for Image {
    /// A disk on which nothing has ever been written.
    fn default() -> Image {
        Image { hard_state: HardState::default(), snapshot: None, log: Log::after(EntryId::ZERO) }
    }
}

impl From<&Durable> for Image {
    fn from(durable: &Durable) -> Image {
        let base = durable.snapshot.as_ref().map_or(EntryId::ZERO, |snapshot| snapshot.meta.last);
        let mut log = Log::after(base);
        for entry in &durable.entries {
            log.append(entry.clone());
        }
        Image { hard_state: durable.hard_state, snapshot: durable.snapshot.clone(), log }
    }
}

impl Image {
    /// The hard state.
    pub fn hard_state(&self) -> HardState {
        self.hard_state
    }

    /// The snapshot.
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Whether nothing has ever been written.
    pub fn is_blank(&self) -> bool {
        self.hard_state == HardState::default() && self.snapshot.is_none() && self.log.last() == EntryId::ZERO
    }

    /// Whether it has this entry: in its log, or in its snapshot.
    pub fn holds(&self, id: EntryId) -> bool {
        self.log.covers(id)
    }

    /// The latest membership that this disk knows of, if any: the log's last one, or the
    /// snapshot's.
    pub fn configuration(&self) -> Option<Configuration> {
        let in_log = self.log.iter_from(self.log.first_index()).filter_map(|entry| match &entry.payload {
            Payload::Membership(configuration) => Some(**configuration),
            _ => None,
        });
        in_log.last().or_else(|| self.snapshot.as_ref().map(|snapshot| snapshot.meta.configuration))
    }

    /// What a server that starts on this disk finds.
    pub fn durable(&self) -> Durable {
        let entries: Vec<_> = self.log.iter_from(self.log.first_index()).cloned().collect();
        Durable { hard_state: self.hard_state, snapshot: self.snapshot.clone(), entries }
    }

    /// Takes the first `parts` of a write's [parts](Write::parts), in the order that [`Write`]
    /// declares.
    pub fn take(&mut self, write: &Write, mut parts: usize) {
        let mut next_part = || {
            let there_is = parts > 0;
            parts = parts.saturating_sub(1);
            there_is
        };
        if let Some(hard_state) = write.hard_state
            && next_part()
        {
            self.hard_state = hard_state;
        }
        if let Some(snapshot) = &write.snapshot
            && next_part()
        {
            let last = snapshot.meta.last;
            if last.index < self.log.base().index {
                // No server takes such a step back, unless a rule is switched off. Then the image
                // must show it.
                self.log = Log::after(last);
            } else {
                self.log.compact_to(last);
            }
            self.snapshot = Some(Arc::clone(snapshot));
        }
        if let Some(log) = &write.log {
            // The cut and the first entry are one record: a log that was cut without the entry that
            // follows would have lost entries that the leader never said conflict.
            let mut first = true;
            for entry in log.entries.as_slice() {
                if !next_part() {
                    return;
                }
                if first {
                    self.log.truncate_after(log.after);
                    first = false;
                }
                self.log.append(entry.clone());
            }
            if first && next_part() {
                self.log.truncate_after(log.after);
            }
        }
    }

    /// The log after `index` can't be read any more: it is given up, and remembered as lost.
    pub fn lose_after(&mut self, index: LogIndex) {
        let lost = self.log.last().max(self.hard_state.lost);
        self.log.truncate_after(index);
        self.hard_state.lost = lost;
    }
}
