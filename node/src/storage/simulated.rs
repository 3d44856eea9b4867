//! A simulated folder for tests: it loses what wasn't synced, tears what was being written, fails
//! and fills up when it is told to.
//!
//! A crash leaves of each file what was synced, and any of the writes since then: each whole, cut
//! short, or not at all, in any combination, because an operating system writes pages in whatever
//! order it likes. Of the names it leaves those that were synced, and the first few of the changes
//! since then.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::file::{Files, OpenFile};

/// A folder; clones are the same folder.
#[derive(Clone, Debug, Default)]
pub(super) struct SimulatedFiles(Arc<Mutex<World>>);

#[derive(Debug, Default)]
struct World {
    files: BTreeMap<u64, Content>,
    /// What a process sees.
    names: BTreeMap<String, u64>,
    /// What a crash leaves for certain.
    synced_names: BTreeMap<String, u64>,
    name_changes: Vec<NameChange>,
    next_file: u64,
    /// How many operations that change or sync something are let through, and what is wrong with
    /// those after them.
    good: Option<(u64, Fault)>,
    /// Operations so far.
    operations: u64,
    /// Syncs so far.
    syncs: u64,
    /// How many bytes all files may have together.
    room: Option<u64>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The machine has stopped: nothing works any more.
    Stopped,
    /// One operation fails, and those after it work.
    FailsOnce,
    /// One operation finds no room, and those after it do.
    FullOnce,
}

#[derive(Clone, Debug, Default)]
struct Content {
    seen: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Clone, Debug)]
enum NameChange {
    Set(String, u64),
    Rename(String, String),
    Remove(String),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Change::Length(length) => bytes.resize(*length as usize, 0),
            Change::Write(offset, written) => {
                let end = *offset as usize + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset as usize..end].copy_from_slice(written);
            }
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            NameChange::Set(name, file) => {
                names.insert(name.clone(), *file);
            }
            NameChange::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            NameChange::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

impl World {
    /// Every operation that changes or syncs something begins with this.
    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        match &mut self.good {
            None => Ok(()),
            Some((0, Fault::Stopped)) => Err(io::Error::other("the machine has stopped")),
            Some((0, fault)) => {
                let fault = *fault;
                self.good = None;
                Err(match fault {
                    Fault::FullOnce => io::ErrorKind::StorageFull.into(),
                    _ => io::Error::other("it was told to fail"),
                })
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    fn has_room_for(&self, file: u64, length: u64) -> bool {
        let others = self.names.values().filter(|other| **other != file);
        let used: u64 = others.map(|other| self.files[other].seen.len() as u64).sum();
        self.room.is_none_or(|room| used + length <= room)
    }
}

impl SimulatedFiles {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// Lets `operations` operations through; `fault` is wrong with what follows.
    pub(super) fn break_after(&self, operations: u64, fault: Fault) {
        self.world().good = Some((operations, fault));
    }

    /// Nothing is wrong any more.
    pub(super) fn mend(&self) {
        self.world().good = None;
    }

    /// Whether the fault that was asked for hasn't come yet, or lasts.
    pub(super) fn is_broken(&self) -> bool {
        self.world().good.is_some()
    }

    /// How many operations there were.
    pub(super) fn operations(&self) -> u64 {
        self.world().operations
    }

    /// How many syncs there were.
    pub(super) fn syncs(&self) -> u64 {
        self.world().syncs
    }

    /// All files may have so many bytes together; `None` for as many as they like.
    pub(super) fn set_room(&self, room: Option<u64>) {
        self.world().room = room;
    }

    /// How many bytes all files have.
    pub(super) fn used(&self) -> u64 {
        let world = self.world();
        world.names.values().map(|file| world.files[file].seen.len() as u64).sum()
    }

    /// What a process sees, by name.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let world = self.world();
        world.names.iter().map(|(name, file)| (name.clone(), world.files[file].seen.clone())).collect()
    }

    /// A folder with these files, all of them synced.
    pub(super) fn of(contents: &BTreeMap<String, Vec<u8>>) -> SimulatedFiles {
        let mut world = World::default();
        for (name, bytes) in contents {
            let content = Content { seen: bytes.clone(), synced: bytes.clone(), unsynced: Vec::new() };
            world.files.insert(world.next_file, content);
            world.names.insert(name.clone(), world.next_file);
            world.next_file += 1;
        }
        world.synced_names = world.names.clone();
        SimulatedFiles(Arc::new(Mutex::new(world)))
    }

    /// What a crash of the machine leaves, drawn from a seed.
    pub(super) fn after_power_failure(&self, seed: u64) -> SimulatedFiles {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let world = self.world();
        let mut names = world.synced_names.clone();
        let kept = random.random_range(0..=world.name_changes.len());
        for change in &world.name_changes[..kept] {
            change.apply(&mut names);
        }
        // Some crashes leave nothing that isn't synced, some everything, and most a part.
        let likely = [0.0, 0.5, 0.9, 1.0][random.random_range(0..4)];
        let mut contents = BTreeMap::new();
        for (name, file) in names {
            let content = &world.files[&file];
            let mut bytes = content.synced.clone();
            for change in &content.unsynced {
                if !random.random_bool(likely) {
                    continue;
                }
                match change {
                    Change::Write(offset, written) if random.random_range(0..4) == 0 => {
                        let torn = random.random_range(0..=written.len());
                        Change::Write(*offset, written[..torn].to_vec()).apply(&mut bytes);
                    }
                    whole => whole.apply(&mut bytes),
                }
            }
            contents.insert(name, bytes);
        }
        SimulatedFiles::of(&contents)
    }
}

#[derive(Debug)]
struct SimulatedFile {
    files: SimulatedFiles,
    file: u64,
}

impl SimulatedFile {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut world = self.files.world();
        world.operate()?;
        let before = world.files[&self.file].seen.len() as u64;
        let length = match &change {
            Change::Length(length) => *length,
            Change::Write(offset, written) => before.max(offset + written.len() as u64),
        };
        if length > before && !world.has_room_for(self.file, length) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let content = world.files.get_mut(&self.file).unwrap();
        change.apply(&mut content.seen);
        content.unsynced.push(change);
        Ok(())
    }
}

impl OpenFile for SimulatedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.files.world().files[&self.file].seen.len() as u64)
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let world = self.files.world();
        let seen = &world.files[&self.file].seen;
        let from = usize::try_from(offset).ok().and_then(|offset| seen.get(offset..));
        let from = from.and_then(|rest| rest.get(..bytes.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
        bytes.copy_from_slice(from);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Change::Write(offset, bytes.to_vec()))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(len))
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.files.world();
        world.operate()?;
        world.syncs += 1;
        let content = world.files.get_mut(&self.file).unwrap();
        content.synced = content.seen.clone();
        content.unsynced.clear();
        Ok(())
    }
}

impl Files for SimulatedFiles {
    fn open(&self, name: &str) -> io::Result<Arc<dyn OpenFile>> {
        let file = *self.world().names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimulatedFile { files: self.clone(), file }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn OpenFile>> {
        let mut world = self.world();
        world.operate()?;
        let file = world.next_file;
        world.next_file += 1;
        world.files.insert(file, Content::default());
        world.change_names(NameChange::Set(name.to_owned(), file));
        drop(world);
        self.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        world.operate()?;
        if !world.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        world.change_names(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.world();
        world.operate()?;
        if !world.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        world.change_names(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.world().names.keys().cloned().collect())
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.world();
        world.operate()?;
        world.syncs += 1;
        world.synced_names = world.names.clone();
        world.name_changes.clear();
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("simulated").join(name)
    }
}
