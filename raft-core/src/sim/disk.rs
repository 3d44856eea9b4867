//! A simulated disk: what is durable, what is on its way, and what a crash leaves.
//!
//! Writes are handed to the disk at once and become durable in order, in groups: one fsync covers
//! everything that was handed in before it began. Faults, and why Raft survives them:
//! * **slow fsync**: promises wait for it, and other servers' disks are enough for a quorum;
//! * **a stalled disk**: it finishes no write. No promise that depends on a write leaves the
//!   server, and a leader steps down;
//! * **a full disk**: a write that needs room waits, and so do all writes after it, as on a stalled
//!   disk. Terms and votes are written in place, so that a server without room still helps to elect
//!   one that has room;
//! * **a crash loses unsynced writes**, all of them or all but the first ones: no promise rested on
//!   them, and what is left is a prefix, which an earlier crash could have left as well;
//! * **a torn write**: the crash cuts the last write between any two of its parts. Each part is
//!   whole or absent, which its checksum tells, so that what is left is a prefix again;
//! * **a failed fsync**: the server no longer knows what is on its disk, so it crashes, and
//!   restarts from what is really there;
//! * **a corrupt record**: its checksum doesn't match at the next start. The log is cut before it,
//!   and the server remembers how far the log went: it votes as if it still held those entries,
//!   doesn't campaign, and tells its leader (a damaged record is never taken for an absent one);
//! * **a lost disk**: the server comes back without any state, and votes again only after a
//!   membership change that took its vote away first.
//!
//! The last two destroy copies. They happen only where a quorum holds everything that this disk may
//! be counted for, without it.
//!
//! The world drives its disks by time. Whoever drives servers by hand can drive disks so, too:
//! [`Disk::holding`], [`Disk::submit`], [`Disk::sync_one`], [`Disk::lose_power_after`].

use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::parameters::DiskParameters;
use crate::raft::{Durable, Image, Receipt, Write};
use crate::time::{Duration, Time};

/// One server's disk.
#[derive(Clone, Debug)]
pub struct Disk {
    parameters: DiskParameters,
    random: Xoshiro256PlusPlus,
    image: Image,
    /// Whether everything was lost once. A server that starts from this disk no longer counts as a
    /// founder of the cluster.
    wiped: bool,
    /// The writes that were handed in and aren't durable yet, oldest first.
    unsynced: Vec<Write>,
    /// How many of those the fsync under way covers; 0 if there is none.
    syncing: usize,
    /// Whether it is stalled, so that it finishes no write.
    stalled: bool,
    /// Whether an fsync came due during a stall. It counts when the stall is over.
    overdue: bool,
    /// Whether it has no room left.
    full: bool,
}

impl Disk {
    pub(super) fn new(parameters: DiskParameters, seed: u64) -> Disk {
        Disk {
            parameters,
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            image: Image::default(),
            wiped: false,
            unsynced: Vec::new(),
            syncing: 0,
            stalled: false,
            overdue: false,
            full: false,
        }
    }

    /// A disk that holds this already and takes no time, to be driven by hand.
    pub fn holding(durable: &Durable) -> Disk {
        let instant = DiskParameters { fsync_min: Duration::ZERO, fsync_max: Duration::ZERO };
        Disk { image: durable.into(), ..Disk::new(instant, 0) }
    }

    /// What is durable.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// Whether everything was lost once.
    pub fn is_wiped(&self) -> bool {
        self.wiped
    }

    /// How fast it writes at present.
    pub fn parameters(&self) -> &DiskParameters {
        &self.parameters
    }

    /// How many writes aren't durable yet.
    pub fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// The writes on their way, oldest first.
    pub fn writes(&self) -> &[Write] {
        &self.unsynced
    }

    /// How many parts these have: each can be the last that a crash leaves.
    pub fn unsynced_parts(&self) -> usize {
        self.unsynced.iter().map(Write::parts).sum()
    }

    /// Whether writes are durable as soon as they are handed in.
    pub(super) fn is_instant(&self) -> bool {
        self.parameters.fsync_max == Duration::ZERO
    }

    /// Whether a write that is handed in now is durable at once: it takes no time, and nothing
    /// holds it up.
    pub(super) fn writes_at_once(&self) -> bool {
        self.is_instant() && !self.stalled && !self.full && self.unsynced.is_empty()
    }

    /// Takes a write, which is durable at once; see [`Disk::writes_at_once`].
    pub(super) fn write_at_once(&mut self, write: &Write) -> Receipt {
        debug_assert!(self.writes_at_once());
        self.draw_duration();
        self.image.take(write, usize::MAX);
        write.receipt
    }

    /// Takes a write. Where an fsync begins with it, the time at which it will be done.
    pub fn submit(&mut self, now: Time, write: Write) -> Option<Time> {
        self.unsynced.push(write);
        self.begin_sync(now)
    }

    fn begin_sync(&mut self, now: Time) -> Option<Time> {
        if self.syncing > 0 {
            return None;
        }
        self.syncing = match self.full {
            true => self.unsynced.iter().take_while(|write| !takes_room(write)).count(),
            false => self.unsynced.len(),
        };
        if self.syncing == 0 {
            return None;
        }
        Some(now + self.draw_duration())
    }

    /// How long an fsync takes. A disk that takes no time draws a number, too, so that later draws
    /// don't depend on the disk's speed.
    fn draw_duration(&mut self) -> Duration {
        let (min, max) = (self.parameters.fsync_min.as_micros(), self.parameters.fsync_max.as_micros());
        Duration::from_micros(self.random.random_range(min..=max))
    }

    /// The fsync is done. Returns the last receipt that it covers, and when the next fsync will be
    /// done, if more writes are waiting.
    pub(super) fn synced(&mut self, now: Time) -> (Option<Receipt>, Option<Time>) {
        if self.stalled {
            self.overdue = true;
            return (None, None);
        }
        let mut receipt = None;
        for write in self.unsynced.drain(..self.syncing) {
            self.image.take(&write, usize::MAX);
            receipt = Some(write.receipt);
        }
        self.syncing = 0;
        (receipt, self.begin_sync(now))
    }

    /// The oldest write alone becomes durable, by hand: its receipt, if there is one.
    pub fn sync_one(&mut self) -> Option<Receipt> {
        if self.unsynced.is_empty() {
            return None;
        }
        let write = self.unsynced.remove(0);
        self.syncing = self.syncing.saturating_sub(1);
        self.image.take(&write, usize::MAX);
        Some(write.receipt)
    }

    /// Whether it finishes no write at present.
    pub fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// Stalls, or goes on; when the write that waited for it will be done, if one did.
    pub fn set_stalled(&mut self, now: Time, stalled: bool) -> Option<Time> {
        self.stalled = stalled;
        (!stalled && core::mem::take(&mut self.overdue)).then_some(now)
    }

    /// Whether it has no room left.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Whether a write waits for room.
    pub fn waits_for_room(&self) -> bool {
        self.full && self.unsynced.len() > self.syncing
    }

    /// Fills the disk, or makes room again. Returns when the writes that waited for room will be
    /// done, if there are any. A write under way has its room already.
    pub(super) fn set_full(&mut self, now: Time, full: bool) -> Option<Time> {
        self.full = full;
        if full { None } else { self.begin_sync(now) }
    }

    pub(super) fn set_fsync(&mut self, min: Duration, max: Duration) {
        (self.parameters.fsync_min, self.parameters.fsync_max) = (min, max);
    }

    /// Loses everything.
    pub(super) fn wipe(&mut self) {
        self.unsynced.clear();
        self.syncing = 0;
        self.full = false;
        self.image = Image::default();
        self.wiped = true;
    }

    /// Corrupts one record of the log: everything from there on is dropped, and remembered as lost.
    pub(super) fn rot(&mut self) {
        let log = self.image.log();
        if log.is_empty() {
            return;
        }
        let rotten = log.base().index.plus(self.random.random_range(1..=log.len()));
        self.image.lose_after(rotten.previous());
    }

    /// The power fails. Of the writes that aren't durable, a prefix may have reached the disk all
    /// the same. Returns whether a write was torn.
    pub(super) fn lose_power(&mut self) -> bool {
        self.lose_power_within(0, self.unsynced_parts())
    }

    /// The power fails in the middle of the last write, if that has several parts. Returns whether
    /// a write was torn.
    pub(super) fn lose_power_writing(&mut self) -> bool {
        let parts = self.unsynced_parts();
        match self.unsynced.last().map(Write::parts) {
            Some(last) if last > 1 => self.lose_power_within(parts - last + 1, parts - 1),
            _ => self.lose_power(),
        }
    }

    /// The power fails after some number of parts in this range have been written.
    fn lose_power_within(&mut self, least: usize, most: usize) -> bool {
        let survive = if most == 0 { 0 } else { self.random.random_range(least as u32..=most as u32) as usize };
        self.lose_power_after(survive)
    }

    /// The power fails after so many parts of what wasn't durable have been written. Whether a
    /// write was torn.
    pub fn lose_power_after(&mut self, mut parts: usize) -> bool {
        let mut torn = false;
        for write in core::mem::take(&mut self.unsynced) {
            let of_this = parts.min(write.parts());
            torn |= of_this > 0 && of_this < write.parts();
            self.image.take(&write, of_this);
            parts -= of_this;
        }
        self.syncing = 0;
        self.overdue = false;
        torn
    }
}

/// Whether a write needs room on the disk. A hard state is written in place.
fn takes_room(write: &Write) -> bool {
    write.snapshot.is_some() || write.log.as_ref().is_some_and(|log| !log.entries.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::{Entry, EntryId, HardState, LogIndex, LogWrite, Payload, Term};
    use alloc::vec;

    /// The log is cut after `after`, and entries of these terms follow; with it comes a term.
    fn write(term: u64, after: u64, terms: &[u64]) -> Write {
        let hard_state = Some(HardState { term: Term(term), ..HardState::default() });
        let entries: Vec<Entry> =
            terms.iter().map(|term| Entry { term: Term(*term), payload: Payload::NoOp }).collect();
        let log = Some(LogWrite { after: LogIndex(after), entries: entries.into() });
        Write { hard_state, snapshot: None, log, receipt: Receipt { sequence: term, last: EntryId::ZERO } }
    }

    fn holding(terms: &[u64]) -> Disk {
        let mut disk = Disk::new(DiskParameters { fsync_min: Duration::ZERO, fsync_max: Duration::ZERO }, 7);
        disk.write_at_once(&write(1, 0, terms));
        disk
    }

    fn terms(image: &Image) -> Vec<u64> {
        image.log().iter_from(LogIndex::ZERO).map(|entry| entry.term.0).collect()
    }

    #[test]
    fn an_overwrite_that_is_torn_leaves_what_was_there_or_a_beginning_of_what_replaces_it() {
        let left = [(1, &[1, 1, 1][..]), (2, &[1, 1, 1]), (2, &[1, 2]), (2, &[1, 2, 2])];
        for (parts, (term, log)) in left.into_iter().enumerate() {
            let mut image = holding(&[1, 1, 1]).image;
            image.take(&write(2, 1, &[2, 2]), parts);
            assert_eq!((image.hard_state().term.0, &terms(&image)[..]), (term, log), "after {parts} parts");
        }
    }

    #[test]
    fn a_disk_that_rots_remembers_where_its_log_ended() {
        let mut disk = holding(&[1, 1, 1]);
        for _ in 0..2 {
            disk.rot();
            assert!(disk.image.log().len() < 3);
            assert_eq!(disk.image.hard_state().lost, EntryId::new(LogIndex(3), Term(1)));
        }
    }

    #[test]
    fn by_hand_writes_are_finished_one_at_a_time_and_a_crash_leaves_what_it_is_told_to() {
        let mut disk = Disk::holding(&Durable::default());
        for term in 1..=3 {
            disk.submit(Time::ZERO, write(term, term - 1, &[term]));
        }
        assert_eq!((disk.unsynced(), disk.unsynced_parts()), (3, 6));
        assert_eq!(disk.sync_one().map(|receipt| receipt.sequence), Some(1));
        assert_eq!((terms(disk.image()), disk.writes().len()), (vec![1], 2));
        assert!(disk.lose_power_after(3), "the last write is torn");
        assert_eq!((terms(disk.image()), disk.image().hard_state().term), (vec![1, 2], Term(3)));
        assert_eq!((disk.unsynced(), disk.sync_one()), (0, None));
    }

    #[test]
    fn what_was_finished_by_hand_is_not_finished_again_by_the_fsync_that_covered_it() {
        let mut disk = Disk::holding(&Durable::default());
        let (first, second) = (Time::from_millis(1), Time::from_millis(2));
        assert_eq!(disk.submit(first, write(1, 0, &[1])), Some(first));
        assert_eq!(disk.submit(first, write(2, 1, &[2])), None, "the fsync under way covers the first alone");
        assert!(disk.sync_one().is_some());
        assert_eq!(disk.synced(second), (None, Some(second)));
        assert_eq!(disk.synced(second).0.map(|receipt| receipt.sequence), Some(2));
    }
}
