//! The storage on a simulated disk: what it stores is what [`Image`] says, whatever happens to the
//! machine, and whatever happens to the files.

mod crashes;
mod damage;
mod full;
mod round_trip;

use std::sync::Arc;

use raft_core::raft::{
    Bytes, Configuration, DiskId, Durable, Entry, EntryId, HardState, Image, LogIndex, LogWrite, Payload, Receipt,
    ServerId, ServerSet, Snapshot, SnapshotMeta, Standing, Term, Write,
};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::durable;
use super::simulated::{Fault, SimulatedFiles};
use super::{FileStorage, Loaded, Storage, StorageError};

const DISK: DiskId = DiskId(0x0123_4567_89ab_cdef);

/// A new folder.
fn new_folder() -> SimulatedFiles {
    let files = SimulatedFiles::default();
    durable::create(&files, DISK).unwrap();
    files
}

fn open(files: &SimulatedFiles) -> Result<FileStorage, StorageError> {
    FileStorage::open_files(Box::new(files.clone()), DISK, None)
}

fn load(files: &SimulatedFiles) -> Result<(FileStorage, Loaded), StorageError> {
    let mut storage = open(files)?;
    let loaded = storage.load()?;
    Ok((storage, loaded))
}

/// What a kill of the process leaves: everything that it has written.
fn kill(storage: FileStorage, files: &SimulatedFiles) -> SimulatedFiles {
    files.break_after(0, Fault::Stopped);
    drop(storage);
    SimulatedFiles::of(&files.contents())
}

/// Stored in any order, these are writes that a server could make.
struct Writer {
    random: Xoshiro256PlusPlus,
    image: Image,
    sequence: u64,
    /// How long commands are, most of the time, in bytes.
    command_max: usize,
}

impl Writer {
    fn new(seed: u64) -> Writer {
        let random = Xoshiro256PlusPlus::seed_from_u64(seed);
        Writer { random, image: Image::default(), sequence: 0, command_max: 100 }
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.random.random_range(0..one_in) == 0
    }

    fn up_to(&mut self, most: u64) -> u64 {
        self.random.random_range(0..=most)
    }

    fn hard_state(&mut self) -> HardState {
        let old = self.image.hard_state();
        HardState {
            term: Term(old.term.0 + self.up_to(2)),
            voted_for: ServerId::new(self.up_to(3) as u8),
            standing: [Standing::Member, Standing::Joining, Standing::Barred][self.up_to(2) as usize],
            decided_at: LogIndex(self.up_to(1000)),
            lost: EntryId::ZERO,
            disk: DiskId(self.up_to(3)),
            asking_life: self.up_to(u64::from(u32::MAX)) as u32,
        }
    }

    fn entry(&mut self, term: Term) -> Entry {
        let command_max = if self.chance(20) { 6000 } else { self.command_max as u64 };
        let payload = match self.up_to(9) {
            0 => Payload::NoOp,
            1 => Payload::Membership(Arc::new(Configuration::of_voters(ServerSet::first(1 + self.up_to(8) as u8)))),
            2 => Payload::Admission { server: ServerId::FIRST, disk: DiskId(1 + self.up_to(8)) },
            _ => {
                let length = self.up_to(command_max);
                let bytes: Vec<u8> = (0..length).map(|_| self.random.random()).collect();
                Payload::Command(Bytes::from(bytes))
            }
        };
        Entry { term, payload }
    }

    /// A snapshot that ends with this entry.
    fn snapshot(&mut self, last: EntryId) -> Arc<Snapshot> {
        let configuration = Configuration::of_voters(ServerSet::first(3));
        let configuration_index = LogIndex(self.up_to(last.index.0));
        let length = self.up_to(2000);
        let data: Vec<u8> = (0..length).map(|_| self.random.random()).collect();
        Arc::new(Snapshot::new(SnapshotMeta { last, configuration, configuration_index }, data.into()))
    }

    fn write(&mut self) -> Write {
        let hard_state = (self.sequence == 0 || self.chance(3)).then(|| self.hard_state());
        let term = hard_state.unwrap_or(self.image.hard_state()).term.max(Term(1));
        let hard_state = hard_state.map(|hard_state| HardState { term, ..hard_state });
        let (mut base, mut last) = (self.image.log().base(), self.image.log().last());
        let mut snapshot = None;
        let mut after = None;
        if self.chance(6) && last.index > base.index {
            // Of this server's own log.
            let index = LogIndex(base.index.0 + 1 + self.up_to(last.index.distance_from(base.index) - 1));
            base = self.image.log().id_at(index).unwrap();
            snapshot = Some(self.snapshot(base));
        } else if self.chance(12) {
            // Of a leader, in the place of everything.
            (base, after) = (EntryId::new(last.index.plus(1 + self.up_to(5)), term), Some(()));
            last = base;
            snapshot = Some(self.snapshot(base));
        }
        let log = (after.is_some() || self.chance(4) || (hard_state.is_none() && snapshot.is_none())).then(|| {
            let back = if self.chance(4) { self.up_to(last.index.distance_from(base.index)) } else { 0 };
            let count = self.up_to(4);
            let entries = (0..count).map(|_| self.entry(term)).collect();
            LogWrite { after: LogIndex(last.index.0 - back), entries }
        });
        self.sequence += 1;
        let receipt = Receipt { sequence: self.sequence, last: EntryId::ZERO };
        let write = Write { hard_state, snapshot, log, receipt };
        self.image.take(&write, write.parts());
        write
    }

    /// The writes of one call.
    fn call(&mut self) -> Vec<Write> {
        let count = 1 + self.up_to(2);
        (0..count).map(|_| self.write()).collect()
    }

    fn durable(&self) -> Durable {
        self.image.durable()
    }
}

/// A server that votes, and appends an entry of each kind; and then one entry a call.
fn small_store(entries: u64) -> (Vec<Vec<Write>>, Vec<Durable>) {
    let mut writer = Writer { command_max: 30, ..Writer::new(7) };
    let mut calls = Vec::new();
    let mut expected = vec![writer.durable()];
    for number in 0..entries {
        let hard_state = HardState { term: Term(1 + number / 3), voted_for: ServerId::new(1), ..HardState::default() };
        let after = writer.image.log().last().index;
        let entry = writer.entry(hard_state.term);
        let log = Some(LogWrite { after, entries: [entry].into_iter().collect() });
        let receipt = Receipt { sequence: number + 1, last: EntryId::ZERO };
        let hard_state = (number % 3 == 0).then_some(hard_state);
        let write = Write { hard_state, snapshot: None, log, receipt };
        writer.image.take(&write, write.parts());
        calls.push(vec![write]);
        expected.push(writer.durable());
    }
    (calls, expected)
}
