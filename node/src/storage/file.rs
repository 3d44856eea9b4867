//! The files in a data folder, behind a trait: real ones, and in tests simulated ones that lose
//! what wasn't synced.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder that holds files by name.
pub(super) trait Files: Debug + Send + 'static {
    /// Opens the file of that name.
    fn open(&self, name: &str) -> io::Result<Arc<dyn OpenFile>>;

    /// Creates an empty file of that name; what was there under that name is gone.
    fn create(&self, name: &str) -> io::Result<Arc<dyn OpenFile>>;

    /// Gives a file another name; what was there under that name is gone.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// The names of all files.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Makes the names durable.
    fn sync(&self) -> io::Result<()>;

    /// The path of the file, for people.
    fn path(&self, name: &str) -> PathBuf;
}

/// An open file.
pub(super) trait OpenFile: Debug + Send + Sync + 'static {
    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Reads all these bytes from `offset` on.
    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Writes all these bytes from `offset` on.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts it, or lengthens it with zeros.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Makes its length and content durable.
    fn sync(&self) -> io::Result<()>;
}

/// A real folder.
#[derive(Debug)]
pub(super) struct RealFiles(pub(super) PathBuf);

impl Files for RealFiles {
    fn open(&self, name: &str) -> io::Result<Arc<dyn OpenFile>> {
        let file = OpenOptions::new().read(true).write(true).open(self.path(name))?;
        forget_cached(&file);
        Ok(Arc::new(file))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn OpenFile>> {
        let mut options = OpenOptions::new();
        Ok(Arc::new(options.read(true).write(true).create(true).truncate(true).open(self.path(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().into_string().ok()));
        entries.filter_map(Result::transpose).collect()
    }

    fn sync(&self) -> io::Result<()> {
        sync_folder(&self.0)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl OpenFile for File {
    fn len(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(bytes, offset)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// After a failed sync, the system takes pages for written that aren't, and goes on showing them.
/// What a server believes when it starts must come from the disk itself. This is only an advice:
/// the system's cache is all there is if it doesn't take it.
fn forget_cached(file: &File) {
    #[cfg(target_os = "linux")]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Writes a whole new file, and makes its content durable.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Whether the disk, or what this user may have of it, is full.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
