//! The database of the state and the log: redb, kept from harming the server.
//!
//! redb finds damage by checksums over all of its pages, which are verified whenever it opens. It
//! is written for files that are whole, however, and says itself that it may panic on others. So
//! nothing of it is called outside of [`guarded`], which makes an error of a panic. A database
//! that panicked isn't used any more.

use std::fmt;
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use raft_core::raft::{DiskId, Entry, EntryId, LogIndex};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, Table, TableDefinition};

use super::file::{Files, OpenFile, is_full};
use super::record::{RecordError, State, open_entry, seal_entry};

/// Under key 0, the [`State`].
const STATE: TableDefinition<u8, &[u8]> = TableDefinition::new("state");

/// Under its index, each entry.
const LOG: TableDefinition<u64, &[u8]> = TableDefinition::new("log");

/// How much memory the database may use for pages, in bytes. They are written once and, as long as
/// nothing is damaged, not read before the next start.
const CACHE: usize = 16 << 20;

/// Why the database can't be used.
#[derive(Debug)]
pub(super) enum EngineError {
    /// There is no room.
    Full,
    /// The operating system says so.
    Failed(io::Error),
    /// It is damaged, or behaves as if it were.
    Unreadable(String),
}

type Result<T> = std::result::Result<T, EngineError>;

/// redb's many errors.
impl<E: Into<redb::Error>> From<E> for EngineError {
    fn from(error: E) -> EngineError {
        match error.into() {
            redb::Error::Io(error) if is_full(&error) => EngineError::Full,
            // These two are what redb makes of a file that isn't one of its own, or that was cut.
            redb::Error::Io(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                EngineError::Unreadable(error.to_string())
            }
            redb::Error::Io(error) => EngineError::Failed(error),
            other => EngineError::Unreadable(other.to_string()),
        }
    }
}

/// Makes an error of a panic. What the panic has left half done is in the database alone, which
/// isn't used after an error.
fn guarded<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it doesn't say why");
        Err(EngineError::Unreadable(format!("the database stopped: {said}")))
    })
}

/// An open database.
pub(super) struct Engine {
    /// `None` only while it is being dropped.
    database: Option<Database>,
    disk: DiskId,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("disk", &self.disk).finish_non_exhaustive()
    }
}

/// What a database holds.
pub(super) struct Held {
    pub(super) state: State,
    /// The index that the log begins with, and the entries as far as they are readable.
    pub(super) entries: Vec<Entry>,
    /// Why the entry after these can't be read, if the state says that there is one.
    pub(super) broken: Option<String>,
}

/// A file for redb.
#[derive(Debug)]
struct Backend(Arc<dyn OpenFile>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

impl Engine {
    /// Opens a database, and verifies all of it.
    pub(super) fn open(file: Arc<dyn OpenFile>, disk: DiskId) -> Result<Engine> {
        guarded(|| {
            let mut builder = Builder::new();
            let database =
                builder.set_check_integrity_on_open(true).set_cache_size(CACHE).create_with_backend(Backend(file))?;
            Ok(Engine { database: Some(database), disk })
        })
    }

    /// Creates a database with this state and these entries, under a name that nothing uses.
    pub(super) fn create(files: &dyn Files, name: &str, disk: DiskId, state: &State, entries: &[Entry]) -> Result<()> {
        let file = files.create(name).map_err(redb::Error::Io)?;
        let mut engine = Engine::open(file, disk)?;
        engine.change(|changes| {
            let mut index = state.base().index;
            for entry in entries {
                index = index.next();
                changes.insert(index, entry)?;
            }
            changes.finish(state)
        })?;
        engine.close()
    }

    fn database(&self) -> &Database {
        self.database.as_ref().expect("it is there until it is dropped")
    }

    /// Reads everything. An entry that can't be read ends the log.
    pub(super) fn read(&self) -> Result<Held> {
        guarded(|| {
            let transaction = self.database().begin_read()?;
            let state = read_state(&transaction.open_table(STATE)?, self.disk)?;
            let log = transaction.open_table(LOG)?;
            let mut held = Held { entries: Vec::new(), broken: None, state };
            let mut index = held.state.base().index;
            for row in log.range(index.0.saturating_add(1)..)? {
                let (key, record) = row?;
                // Beyond the end that the state tells there can't be any.
                if index >= held.state.last.index {
                    break;
                }
                index = index.next();
                let entry = match key.value() == index.0 {
                    true => open_entry(self.disk, index, record.value()).map_err(|why| why.to_string()),
                    false => Err("it is missing".to_owned()),
                };
                match entry {
                    Ok(entry) => held.entries.push(entry),
                    Err(why) => {
                        held.broken = Some(format!("entry {index}: {why}"));
                        return Ok(held);
                    }
                }
            }
            if index < held.state.last.index {
                held.broken = Some(format!("entry {}: it is missing", index.next()));
            }
            Ok(held)
        })
    }

    /// The state alone.
    pub(super) fn read_state(&self) -> Result<State> {
        guarded(|| {
            let transaction = self.database().begin_read()?;
            read_state(&transaction.open_table(STATE)?, self.disk)
        })
    }

    /// Makes changes, all or none, and makes them durable with one sync.
    pub(super) fn change(&mut self, make: impl FnOnce(&mut Changes<'_>) -> Result<()>) -> Result<()> {
        guarded(|| {
            let transaction = self.database().begin_write()?;
            {
                let (state, log) = (transaction.open_table(STATE)?, transaction.open_table(LOG)?);
                make(&mut Changes { state, log, disk: self.disk })?;
            }
            Ok(transaction.commit()?)
        })
    }

    /// Closes the database, and says if that failed. (What has been changed is durable already.)
    pub(super) fn close(mut self) -> Result<()> {
        let database = self.database.take();
        guarded(|| Ok(database.map_or(Ok(()), Database::close)?))
    }
}

/// redb does some work when a database is dropped.
impl Drop for Engine {
    fn drop(&mut self) {
        let database = self.database.take();
        // What was stored is durable already; the next start finds what isn't.
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

fn read_state(table: &impl ReadableTable<u8, &'static [u8]>, disk: DiskId) -> Result<State> {
    let unreadable = |why: String| EngineError::Unreadable(format!("the state: {why}"));
    let record = table.get(0)?.ok_or_else(|| unreadable("it is missing".to_owned()))?;
    State::open(disk, record.value()).map_err(|why: RecordError| unreadable(why.to_string()))
}

/// Changes that become durable together.
pub(super) struct Changes<'a> {
    state: Table<'a, u8, &'static [u8]>,
    log: Table<'a, u64, &'static [u8]>,
    disk: DiskId,
}

impl Changes<'_> {
    /// Stores an entry at `index`.
    pub(super) fn insert(&mut self, index: LogIndex, entry: &Entry) -> Result<()> {
        self.log.insert(index.0, &*seal_entry(self.disk, index, entry))?;
        Ok(())
    }

    /// Puts any record, or none, where that of the entry at `index` belongs.
    #[cfg(test)]
    pub(super) fn put_record(&mut self, index: LogIndex, record: Option<&[u8]>) {
        match record {
            Some(record) => self.log.insert(index.0, record).unwrap(),
            None => self.log.remove(index.0).unwrap(),
        };
    }

    /// Removes the entries after `index`.
    pub(super) fn remove_after(&mut self, index: LogIndex) -> Result<()> {
        Ok(self.log.retain_in::<u64, _>((Bound::Excluded(index.0), Bound::Unbounded), |_, _| false)?)
    }

    /// Removes the entries up to `index`.
    pub(super) fn remove_up_to(&mut self, index: LogIndex) -> Result<()> {
        Ok(self.log.retain_in::<u64, _>(..=index.0, |_, _| false)?)
    }

    /// The identity of the entry at `index`; `None` if there is none.
    pub(super) fn id_at(&self, index: LogIndex) -> Result<Option<EntryId>> {
        let Some(record) = self.log.get(index.0)? else { return Ok(None) };
        match open_entry(self.disk, index, record.value()) {
            Ok(entry) => Ok(Some(EntryId::new(index, entry.term))),
            Err(why) => Err(EngineError::Unreadable(format!("entry {index}: {why}"))),
        }
    }

    /// Stores the state that belongs to these changes.
    pub(super) fn finish(&mut self, state: &State) -> Result<()> {
        self.state.insert(0, &*state.seal(self.disk))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_the_database_is_an_error() {
        let place = 7;
        for (error, said) in [
            (guarded::<()>(|| panic!("no page {place}")), "the database stopped: no page 7"),
            (guarded(|| panic!("no page")), "the database stopped: no page"),
            (guarded(|| std::panic::panic_any(7)), "the database stopped: it doesn't say why"),
        ] {
            let Err(EngineError::Unreadable(why)) = error else { panic!("{error:?}") };
            assert_eq!(why, said);
        }
        assert_eq!(guarded(|| Ok(3)).unwrap(), 3);
    }
}
