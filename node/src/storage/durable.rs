//! A server's disk: [`FileStorage`].
//!
//! # Files
//! | file | what it holds |
//! | --- | --- |
//! | `state.redb` | the state, and the log's entries: a database (`engine`) |
//! | `snapshot-N` | the snapshot (`snapshot`) |
//! | `mirror` | the state once more (`mirror`) |
//! | `state.new` | a database that is being made anew |
//!
//! # Order
//! A call of [`Storage::store`] writes the snapshot's file, if there is one, and syncs it; commits
//! all changes to the database, with its one sync; and writes the mirror. If it is the hard state
//! or the snapshot that changed, the mirror is synced, too. So a newer state is in the database
//! before it is in the mirror, and what was promised is in both.
//!
//! # What a start believes
//! Each state has a number, its *sequence*.
//!
//! | the database | what is believed |
//! | --- | --- |
//! | is as new as the mirror, or newer | the database |
//! | is one state behind: redb fell back to its commit before the last, because the last is damaged | the mirror's state, and the entries that both states have |
//! | is further behind, unreadable, or missing a state | the mirror's state, without entries; unless the mirror may be old, because the power failed |
//!
//! Whatever entries the believed state had and that can't be read are remembered as lost
//! ([`HardState::lost`](raft_core::raft::HardState)), so that peers repair them. Everything else
//! that is missing can't be repaired like that, and is refused: a mirror or snapshot that can't be
//! read, and a state that exists nowhere.

use std::io;
use std::sync::Arc;

use raft_core::raft::{DiskId, Durable, Entry, EntryId, LogIndex, SNAPSHOT_SIZE_MAX, Snapshot, Term, Write};

use super::engine::{Changes, Engine, EngineError, Held};
use super::file::{Files, RealFiles, is_full};
use super::folder::{Claim, Folder, REPLACE};
use super::mirror::MirrorFile;
use super::record::{SnapshotRef, State};
use super::{Damaged, Loaded, Storage, StorageError, snapshot};

const DATABASE: &str = "state.redb";
const DATABASE_NEW: &str = "state.new";
const MIRROR: &str = "mirror";

/// The files that are there in every folder.
pub(super) const NAMES: [&str; 2] = [DATABASE, MIRROR];

/// A [`Storage`] in the files of a [`Folder`].
///
/// It holds the folder's lock until it is dropped. A snapshot of up to
/// [`SNAPSHOT_SIZE_MAX`] bytes can be stored. Room that removed
/// entries leave is used again; the file of the database may stay as large as it was.
#[derive(Debug)]
pub struct FileStorage {
    files: Box<dyn Files>,
    disk: DiskId,
    mirror: MirrorFile,
    database: DatabaseFile,
    /// The newest state that is durable; `None` before [`Storage::load`].
    state: Option<State>,
    snapshot_size_max: u64,
    /// For as long as it is held, nobody else uses the folder.
    _claim: Option<Claim>,
}

/// What has become of the database.
#[derive(Debug)]
enum DatabaseFile {
    /// It is open.
    Open(Engine),
    /// There was no room. It is opened again with the next call.
    Closed,
    /// It can't be read, for this reason.
    Unreadable(String),
    /// Something failed. What is stored is found out by who opens the storage again.
    Failed,
}

/// Creates the files of a new folder, and makes them durable.
pub(super) fn create(files: &dyn Files, disk: DiskId) -> Result<(), StorageError> {
    let failed = |name: &'static str| failed("the creation of", files, name);
    Engine::create(files, DATABASE, disk, &State::default(), &[]).map_err(|error| in_database(files, error))?;
    let file = files.create(MIRROR).map_err(failed(MIRROR))?;
    MirrorFile::create(&*file, disk).map_err(failed(MIRROR))?;
    files.sync().map_err(failed(MIRROR))
}

/// For `map_err`: what failed, and where.
fn failed<'a>(
    what: &'static str,
    files: &'a dyn Files,
    name: &'a str,
) -> impl FnOnce(io::Error) -> StorageError + use<'a> {
    move |source| match is_full(&source) {
        true => StorageError::Full,
        false => StorageError::Failed { what: format!("{what} {}", files.path(name).display()), source },
    }
}

/// The error for something that peers can't repair.
fn damaged(files: &dyn Files, name: &str, why: &str) -> StorageError {
    StorageError::Damaged(format!("{}: {why}: {REPLACE}", files.path(name).display()))
}

fn in_database(files: &dyn Files, error: EngineError) -> StorageError {
    match error {
        EngineError::Full => StorageError::Full,
        EngineError::Failed(source) => failed("the use of", files, DATABASE)(source),
        // The next start repairs it, or says that it can't be repaired.
        EngineError::Unreadable(why) => {
            StorageError::Damaged(format!("{}: {why}: start the server again", files.path(DATABASE).display()))
        }
    }
}

/// What a start believes.
struct Believed {
    state: State,
    entries: Vec<Entry>,
    /// Whether the database holds exactly this.
    stored: bool,
}

impl FileStorage {
    /// Opens the storage in a folder.
    ///
    /// # Errors
    /// When its files can't be used or believed.
    pub fn open(folder: &Folder) -> Result<FileStorage, StorageError> {
        let claim = folder.claim().ok_or_else(|| {
            let source = io::Error::new(io::ErrorKind::ResourceBusy, "this process has opened it already");
            StorageError::Failed { what: format!("the opening of the storage in {}", folder.path().display()), source }
        })?;
        FileStorage::open_files(Box::new(RealFiles(folder.path().to_owned())), folder.disk_id(), Some(claim))
    }

    pub(super) fn open_files(
        files: Box<dyn Files>,
        disk: DiskId,
        claim: Option<Claim>,
    ) -> Result<FileStorage, StorageError> {
        let file = match files.open(MIRROR) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(&*files, MIRROR, "this file is missing"));
            }
            opened => opened.map_err(failed("the opening of", &*files, MIRROR))?,
        };
        let mirror = MirrorFile::open(file, disk).map_err(failed("the reading of", &*files, MIRROR))?;
        let Some(mirror) = mirror else {
            let why = "this file can't be read, so nothing shows whether the other files are the newest";
            return Err(damaged(&*files, MIRROR, why));
        };
        let database = match open_database(&*files, disk) {
            Ok(engine) => DatabaseFile::Open(engine),
            Err(EngineError::Unreadable(why)) => DatabaseFile::Unreadable(why),
            Err(other) => return Err(in_database(&*files, other)),
        };
        let snapshot_size_max = SNAPSHOT_SIZE_MAX;
        Ok(FileStorage { files, disk, mirror, database, state: None, snapshot_size_max, _claim: claim })
    }

    /// The same, with a lower limit for the size of snapshots, in bytes: for tests, together with
    /// [`Config::snapshot_size_max`](raft_core::raft::Config::snapshot_size_max).
    #[must_use]
    pub fn with_snapshot_size_max(mut self, bytes: u64) -> FileStorage {
        self.snapshot_size_max = bytes.min(SNAPSHOT_SIZE_MAX);
        self
    }

    /// Everything in the database, or why it can't be read.
    fn read_database(&self) -> Result<Result<Held, String>, StorageError> {
        match &self.database {
            DatabaseFile::Open(engine) => match engine.read() {
                Ok(held) => Ok(Ok(held)),
                Err(EngineError::Unreadable(why)) => Ok(Err(why)),
                Err(other) => Err(in_database(&*self.files, other)),
            },
            DatabaseFile::Unreadable(why) => Ok(Err(why.clone())),
            DatabaseFile::Closed => Err(StorageError::Full),
            DatabaseFile::Failed => Err(self.failed_before()),
        }
    }

    /// See the table above.
    fn believe(&self, held: Result<Held, String>) -> Result<Believed, StorageError> {
        let mirrored = self.mirror.state();
        let why = match held {
            Ok(held) if held.state.sequence > mirrored.sequence || held.state == *mirrored => {
                let stored = held.broken.is_none();
                return Ok(Believed { state: held.state, entries: held.entries, stored });
            }
            Ok(held) if held.state.sequence.checked_add(1) == Some(mirrored.sequence) => {
                let entries = in_both(&held, mirrored);
                return Ok(Believed { state: mirrored.clone(), entries, stored: false });
            }
            Ok(_) => "another file has been put into this place".to_owned(),
            Err(why) => why,
        };
        if !self.mirror.is_certain() {
            let why = format!("{why}; and as the machine has stopped since, nothing shows how the log ended");
            return Err(damaged(&*self.files, DATABASE, &why));
        }
        Ok(Believed { state: mirrored.clone(), entries: Vec::new(), stored: false })
    }

    fn read_snapshot(&self, state: &State) -> Result<Option<Snapshot>, StorageError> {
        let Some(expected) = &state.snapshot else { return Ok(None) };
        let name = snapshot::name(expected.number);
        let read = snapshot::read(&*self.files, self.disk, expected, self.snapshot_size_max);
        let read = read.map_err(failed("the reading of", &*self.files, &name))?;
        read.map(Some).map_err(|why| damaged(&*self.files, &name, &why))
    }

    /// Makes the database anew, with this content.
    fn rebuild(&mut self, state: &State, entries: &[Entry]) -> Result<(), StorageError> {
        // The old one must not be written any more.
        self.database = DatabaseFile::Closed;
        let files = &*self.files;
        let engine = Engine::create(files, DATABASE_NEW, self.disk, state, entries)
            .map_err(|error| in_database(files, error))
            .and_then(|()| files.rename(DATABASE_NEW, DATABASE).map_err(failed("the renaming of", files, DATABASE_NEW)))
            .and_then(|()| files.sync().map_err(failed("the sync of the folder of", files, DATABASE)))
            .and_then(|()| open_database(files, self.disk).map_err(|error| in_database(files, error)));
        match engine {
            Ok(engine) => self.database = DatabaseFile::Open(engine),
            Err(error) => {
                self.database = DatabaseFile::Failed;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Removes files that no state names. What can't be removed now is removed by the next start.
    fn clean_up(&self, state: &State) {
        let used = state.snapshot.map(|snapshot| snapshot::name(snapshot.number));
        for name in self.files.names().unwrap_or_default() {
            if name == DATABASE_NEW || (snapshot::is_name(&name) && Some(&name) != used.as_ref()) {
                let _ = self.files.remove(&name);
            }
        }
    }

    fn failed_before(&self) -> StorageError {
        let source = io::Error::other("something failed before; start the server again to find out what is stored");
        failed("the use of", &*self.files, DATABASE)(source)
    }

    /// Opens the database again, after there was no room.
    fn reopen(&mut self) -> Result<(), StorageError> {
        match open_database(&*self.files, self.disk) {
            Ok(engine) => self.database = DatabaseFile::Open(engine),
            Err(EngineError::Full) => return Err(StorageError::Full),
            Err(other) => {
                self.database = DatabaseFile::Failed;
                return Err(in_database(&*self.files, other));
            }
        }
        Ok(())
    }

    /// Writes the snapshot's file, if there is a snapshot, and makes it durable.
    fn write_snapshot(&self, number: u64, writes: &[Write]) -> Result<Option<SnapshotRef>, StorageError> {
        // Those before the last one would be replaced at once.
        let last = writes.iter().rev().find_map(|write| write.snapshot.as_ref());
        let size_max = self.snapshot_size_max;
        let written = last.map(|last| snapshot::write(&*self.files, self.disk, number, last, size_max));
        written.transpose().map_err(failed("the writing of", &*self.files, &snapshot::name(number)))
    }

    /// Stores all of it in the database, and returns the new state.
    fn commit(&mut self, old: &State, snapshot: Option<SnapshotRef>, writes: &[Write]) -> Result<State, StorageError> {
        let sequence = old.sequence.saturating_add(1);
        let snapshot = snapshot.or(old.snapshot);
        let mut new = State { sequence, same: old.last.index, snapshot, ..old.clone() };
        let files = &*self.files;
        let DatabaseFile::Open(engine) = &mut self.database else { return Err(self.failed_before()) };
        let committed = engine.change(|changes| {
            let mut base = old.base();
            for write in writes {
                apply(changes, write, &mut base, &mut new)?;
            }
            assert_eq!(base, new.base(), "a log begins after its snapshot");
            changes.finish(&new)
        });
        committed.map(|()| new).map_err(|error| in_database(files, error))
    }

    /// After there was no room: whether the state after `old` is stored nevertheless. It is if only
    /// what the database does after a commit had no room.
    fn is_stored(&mut self, old: &State) -> Result<Option<State>, StorageError> {
        // After an error, redb refuses to go on without being opened again.
        self.database = DatabaseFile::Closed;
        self.reopen()?;
        let DatabaseFile::Open(engine) = &self.database else { unreachable!("it has just been opened") };
        match engine.read_state() {
            Ok(state) if state.sequence == old.sequence => Ok(None),
            Ok(state) if state.sequence == old.sequence.saturating_add(1) => Ok(Some(state)),
            Ok(_) => Err(damaged(&*self.files, DATABASE, "another file has been put into this place")),
            Err(error) => Err(in_database(&*self.files, error)),
        }
    }

    /// Everything that a call of [`Storage::store`] does with a database that is open.
    fn store_all(&mut self, old: &State, writes: &[Write]) -> Result<(), StorageError> {
        let written = self.write_snapshot(old.sequence.saturating_add(1), writes);
        let committed = written.and_then(|snapshot| match self.commit(old, snapshot, writes) {
            Err(StorageError::Full) => self.is_stored(old)?.ok_or(StorageError::Full),
            committed => committed,
        });
        if matches!(committed, Err(StorageError::Full)) {
            // A part of a snapshot takes room that others need.
            self.clean_up(old);
        }
        let new = committed?;
        let promised = new.hard_state != old.hard_state || new.snapshot != old.snapshot;
        let mirrored = self.mirror.write(&new, promised);
        let snapshot_is_new = new.snapshot != old.snapshot;
        self.state = Some(new);
        // Its place in the file is written already. But there are file systems that never write in
        // place, and may have no room. It isn't `Full`, because the call is stored.
        mirrored.map_err(|source| {
            let what = format!("the writing of {}", self.files.path(MIRROR).display());
            StorageError::Failed { what, source }
        })?;
        if let Some(unused) = old.snapshot.filter(|_| snapshot_is_new) {
            // If it can't be removed, the next start does it.
            let _ = self.files.remove(&snapshot::name(unused.number));
        }
        Ok(())
    }
}

fn open_database(files: &dyn Files, disk: DiskId) -> Result<Engine, EngineError> {
    match files.open(DATABASE) {
        Ok(file) => Engine::open(file, disk),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(EngineError::Unreadable("this file is missing".to_owned()))
        }
        Err(error) => Err(redb::Error::Io(error).into()),
    }
}

/// The entries that both the state in the database and the one after it have.
fn in_both(held: &Held, next: &State) -> Vec<Entry> {
    let (base, next_base) = (held.state.base(), next.base());
    let common = next.same.distance_from(base.index).min(held.entries.len() as u64) as usize;
    let common = &held.entries[..common];
    if next_base == base {
        return common.to_vec();
    }
    // The next state's log begins later, after an entry that this one has, or has nothing of it.
    let place = next_base.index.distance_from(base.index) as usize;
    match place.checked_sub(1).and_then(|last| common.get(last)) {
        Some(entry) if entry.term == next_base.term => common[place..].to_vec(),
        _ => Vec::new(),
    }
}

/// Does to the database what [`Image::take`](raft_core::raft::Image::take) does in memory. `base`
/// is the entry before the log's first one.
fn apply(changes: &mut Changes<'_>, write: &Write, base: &mut EntryId, state: &mut State) -> Result<(), EngineError> {
    if let Some(hard_state) = write.hard_state {
        state.hard_state = hard_state;
    }
    if let Some(snapshot) = &write.snapshot {
        let covered = snapshot.meta.last;
        let is_in_log = match covered.index {
            index if index == base.index => true,
            index if index == state.last.index => covered == state.last,
            index if index < base.index || index > state.last.index => false,
            index => changes.id_at(index)? == Some(covered),
        };
        if is_in_log {
            changes.remove_up_to(covered.index)?;
        } else {
            changes.remove_after(LogIndex::ZERO)?;
            state.last = covered;
        }
        *base = covered;
    }
    if let Some(log) = &write.log {
        let after = log.after;
        assert!(base.index <= after && after <= state.last.index, "{after} isn't in the log {base} to {}", state.last);
        if after < state.last.index {
            changes.remove_after(after)?;
            state.same = state.same.min(after);
            state.last = match after == base.index {
                true => *base,
                false => changes
                    .id_at(after)?
                    .ok_or_else(|| EngineError::Unreadable(format!("entry {after}: it is missing")))?,
            };
        }
        for entry in log.entries.as_slice() {
            state.last = EntryId::new(state.last.index.next(), entry.term);
            changes.insert(state.last.index, entry)?;
        }
    }
    Ok(())
}

impl Storage for FileStorage {
    fn load(&mut self) -> Result<Loaded, StorageError> {
        let held = self.read_database()?;
        let Believed { mut state, mut entries, stored } = self.believe(held)?;
        let snapshot = self.read_snapshot(&state)?;
        // Terms begin at 1 and never go down. No server wrote an entry that says otherwise.
        let mut last = state.base();
        let in_order = entries.iter().take_while(|entry| {
            let follows = entry.term > Term::ZERO && entry.term >= last.term;
            if follows {
                last = EntryId::new(last.index.next(), entry.term);
            }
            follows
        });
        let in_order = in_order.count();
        entries.truncate(in_order);
        let damaged = (last != state.last).then_some(Damaged { held: state.last, left: last });
        if !stored || damaged.is_some() {
            // A folder in which nothing was ever stored stays one.
            if state.sequence > 0 {
                state.sequence = state.sequence.saturating_add(1);
            }
            if let Some(damaged) = damaged {
                state.hard_state.lost = state.hard_state.lost.max(damaged.held);
            }
            (state.last, state.same) = (last, last.index);
            self.rebuild(&state, &entries)?;
        }
        self.mirror.write(&state, true).map_err(failed("the writing of", &*self.files, MIRROR))?;
        self.clean_up(&state);
        let is_new = state.sequence == 0;
        let durable = Durable { hard_state: state.hard_state, snapshot: snapshot.map(Arc::new), entries };
        self.state = Some(state);
        Ok(Loaded { durable, is_new, damaged })
    }

    fn store(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        let old = self.state.clone().expect("a storage is loaded before anything is stored");
        if writes.is_empty() {
            return Ok(());
        }
        if matches!(self.database, DatabaseFile::Closed) {
            self.reopen()?;
        }
        let stored = match self.database {
            DatabaseFile::Open(_) => self.store_all(&old, writes),
            _ => Err(self.failed_before()),
        };
        if !matches!(stored, Ok(()) | Err(StorageError::Full)) {
            self.database = DatabaseFile::Failed;
        }
        stored
    }
}

impl Drop for FileStorage {
    fn drop(&mut self) {
        // Everything that the mirror says is durable by now, unless something failed.
        if self.state.as_ref() == Some(self.mirror.state()) && matches!(self.database, DatabaseFile::Open(_)) {
            // If it can't be written, the next start is as careful as after a crash.
            let _ = self.mirror.close();
        }
    }
}
