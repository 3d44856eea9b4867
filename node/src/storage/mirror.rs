//! The mirror: a small file that says what the newest state is, so that an older one, or none, is
//! never taken for it.
//!
//! It has two slots, which are written in turn, each in a sector of its own: a torn write leaves
//! the other one. A slot is written after each sync of the database, and is itself synced
//! only now and then, because a process that is killed loses no write. What is lost with the power
//! is at most [`UNSYNCED_MAX`] of them, and never one that brought another hard state or snapshot.

use std::io;
use std::sync::{Arc, OnceLock};

use raft_core::raft::DiskId;

use super::file::OpenFile;
use super::record::{Mirror, State};

/// How many bytes a slot has: more than a sector of any disk.
const SLOT: u64 = 4096;

/// A slot begins with the length of its record, in two bytes.
const LENGTH: usize = 2;

/// The longest record that is looked at. A sector of 512 bytes has room for it and its length.
const RECORD_MAX: usize = 510;

/// After so many writes in a row that needn't be synced, one is.
pub(super) const UNSYNCED_MAX: u32 = 64;

#[derive(Debug)]
pub(super) struct MirrorFile {
    file: Arc<dyn OpenFile>,
    disk: DiskId,
    newest: Mirror,
    /// Whether the slot before the newest one is readable. If not, what is unreadable may have been
    /// newer.
    whole: bool,
    unsynced: u32,
}

impl MirrorFile {
    /// Fills a new file, which begins with the blank state.
    pub(super) fn create(file: &dyn OpenFile, disk: DiskId) -> io::Result<()> {
        file.set_len(0)?;
        // All of it is written, so that no later write needs room on the disk.
        file.write(0, &[0; 2 * SLOT as usize])?;
        for turn in [1, 2] {
            write_slot(file, disk, &Mirror { turn, boot: boot(), closed: true, state: State::default() })?;
        }
        file.sync()
    }

    /// The newest readable slot of a file; `None` if there is none.
    pub(super) fn open(file: Arc<dyn OpenFile>, disk: DiskId) -> io::Result<Option<MirrorFile>> {
        let slots = [read_slot(&*file, disk, 0)?, read_slot(&*file, disk, 1)?];
        let whole = slots.iter().all(Option::is_some);
        let newest = slots.into_iter().flatten().max_by_key(|mirror| mirror.turn);
        Ok(newest.map(|newest| MirrorFile { file, disk, newest, whole, unsynced: 0 }))
    }

    /// The newest state it knows of.
    pub(super) fn state(&self) -> &State {
        &self.newest.state
    }

    /// Whether no later state can have been lost from it: it was closed, or the machine hasn't lost
    /// its power since.
    pub(super) fn is_certain(&self) -> bool {
        let same_boot = self.newest.boot != 0 && self.newest.boot == boot();
        self.whole && (self.newest.closed || same_boot)
    }

    /// Writes a newer state. It is synced if that is asked for, or if many were not.
    pub(super) fn write(&mut self, state: &State, sync: bool) -> io::Result<()> {
        self.put(state.clone(), false, sync)
    }

    /// Says that the storage is closed, so that nothing later can be lost.
    pub(super) fn close(&mut self) -> io::Result<()> {
        self.put(self.newest.state.clone(), true, true)
    }

    fn put(&mut self, state: State, closed: bool, sync: bool) -> io::Result<()> {
        // A file can say any number.
        let turn = self.newest.turn.checked_add(1).ok_or(io::ErrorKind::InvalidData)?;
        let mirror = Mirror { turn, boot: boot(), closed, state };
        write_slot(&*self.file, self.disk, &mirror)?;
        self.newest = mirror;
        self.unsynced += 1;
        if sync || self.unsynced >= UNSYNCED_MAX {
            self.file.sync()?;
            self.unsynced = 0;
        }
        Ok(())
    }
}

fn write_slot(file: &dyn OpenFile, disk: DiskId, mirror: &Mirror) -> io::Result<()> {
    let record = mirror.seal(disk);
    assert!(record.len() <= RECORD_MAX, "a mirror of {} bytes isn't written at once", record.len());
    let mut bytes = (record.len() as u16).to_le_bytes().to_vec();
    bytes.extend_from_slice(&record);
    file.write(mirror.slot() * SLOT, &bytes)
}

fn read_slot(file: &dyn OpenFile, disk: DiskId, slot: u64) -> io::Result<Option<Mirror>> {
    let available = file.len()?.saturating_sub(slot * SLOT).min(SLOT);
    let mut bytes = vec![0; available as usize];
    if !bytes.is_empty() {
        file.read(slot * SLOT, &mut bytes)?;
    }
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH>() else { return Ok(None) };
    let length = usize::from(u16::from_le_bytes(*length));
    let record = rest.get(..length).filter(|_| length <= RECORD_MAX);
    Ok(record.and_then(|record| Mirror::open(disk, slot, record).ok()))
}

/// A number for this run of the machine, from its start to its end; 0 if it has none.
fn boot() -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let read = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let digits: String = read.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        u64::from_str_radix(&digits, 16).unwrap_or(0)
    })
}
