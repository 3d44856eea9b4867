//! What a server must not forget, on a disk: [`Storage`] says what is promised, and
//! [`FileStorage`] keeps it in the files of a [`Folder`].
//!
//! A folder belongs to one server of one cluster, and one process uses it at a time.
//! `docs/storage.md` says what is in it, which damage is repaired, which is refused, and which
//! isn't seen.

mod disks;
mod durable;
mod engine;
mod faulty;
mod file;
mod folder;
mod mirror;
mod record;
mod sealed;
#[cfg(test)]
mod simulated;
mod snapshot;
#[cfg(test)]
mod tests;

pub use disks::{DiskError, KnownDisks};
pub use durable::FileStorage;
pub use faulty::{Faults, Faulty};
pub use folder::{CLUSTER_NAME_MAX, FORMAT, Folder, FolderError, FolderSettings, Founded, REPLACE};
#[doc(hidden)]
pub use record::read_any_content;

use raft_core::raft::{Durable, EntryId, Write};

/// A place where a server's writes become durable.
///
/// Its methods block: a thread of its own calls them.
pub trait Storage: Send + 'static {
    /// Reads everything that is stored. Called once, before the first [`store`](Self::store).
    ///
    /// # Errors
    /// When the storage can't be read, or holds what no server wrote.
    fn load(&mut self) -> Result<Loaded, StorageError>;

    /// Makes all these writes durable, in their order, with one sync. When it returns `Ok`, a crash
    /// of the machine at any later moment leaves all of them; a crash before that leaves some
    /// number of the first writes, each of them whole or not at all.
    ///
    /// # Errors
    /// [`StorageError::Full`]: nothing of it was stored, and the same call may be made again, or
    /// another one. Everything else: what is stored is known only to who opens the storage again.
    /// Until then, every call fails.
    ///
    /// # Panics
    /// If nothing was loaded before.
    fn store(&mut self, writes: &[Write]) -> Result<(), StorageError>;
}

/// What was found in a [`Storage`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// What the server starts with ([`Start::Restart`](raft_core::raft::Start)). If records were
    /// damaged, its hard state says so ([`HardState::lost`](raft_core::raft::HardState)).
    pub durable: Durable,
    /// Whether anything was ever stored. A new storage has never.
    pub is_new: bool,
    /// How the log once ended, and where it ends now, if records at its end are damaged.
    pub damaged: Option<Damaged>,
}

/// Entries that the disk has lost. The server starts all the same, and its peers repair it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The last entry that the disk once held.
    pub held: EntryId,
    /// The last entry that can still be read; zero if there is none.
    pub left: EntryId,
}

/// Why a storage can't be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// There is no room on the disk. Nothing was stored, nothing was lost.
    #[error("no room is left on the disk; nothing is lost, and writes go on when there is room")]
    Full,
    /// A read, a write or a sync failed.
    #[error("{what} failed: {source}")]
    Failed {
        /// What was tried: `the sync of /var/lib/raftarium/1/log`.
        what: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// What is stored can't be believed, and peers can't repair it by themselves.
    #[error("{0}")]
    Damaged(String),
}
