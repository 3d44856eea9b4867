//! The data folder of one server: whose it is, and that only one process uses it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `folder.json` | the format's version, the cluster, the server, the disk, how it was founded; a checksum |
//! | `disks.json` | what [`KnownDisks`](super::KnownDisks) notes |
//! | `lock` | nothing that lasts: a process that uses the folder holds a lock on it (`flock`) |
//! | everything else | what [`FileStorage`](super::FileStorage) stores |
//!
//! A folder is created as a whole or not at all. All its files are written under other names and
//! synced, and `folder.json.new` is the last to get its real name. As long as that file is there,
//! nothing has ever been stored, and the creation begins again. So a file that is missing later
//! was lost, and isn't taken for one that never was. (Folders of the first format were created
//! without `disks.json`.)

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use raft_core::raft::{DiskId, ServerId, ServerSet};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::file::{self, RealFiles};
use super::sealed::{Sealed, seal, unseal};
use super::{StorageError, disks, durable};

/// The version of the folder's format that is written, and the latest that is read. All earlier
/// ones are read, too.
pub const FORMAT: u32 = 2;

/// From this version on, `disks.json` is created with the folder.
const FORMAT_WITH_DISKS: u64 = 2;

/// The longest name of a cluster, in bytes.
pub const CLUSTER_NAME_MAX: usize = 255;

const FOLDER: &str = "folder.json";
const FOLDER_NEW: &str = "folder.json.new";
const LOCK: &str = "lock";

/// A folder file that is longer was written by nobody.
const FOLDER_FILE_MAX: u64 = 64 << 10;

/// What to do about a disk that can't be believed. It is what such an error ends with.
pub const REPLACE: &str = "remove this server from the cluster, empty the folder, and add the server again";

/// Whose folder it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSettings {
    /// The name of the cluster: 1 to [`CLUSTER_NAME_MAX`] bytes.
    pub cluster: String,
    /// The server.
    pub server: ServerId,
    /// How the server begins if the folder is new. A folder that exists already knows it, and goes
    /// by that.
    pub founded: Founded,
}

/// How a server began on this disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Founded {
    /// It founded the cluster together with these voters.
    Bootstrap(ServerSet),
    /// It joined a cluster that was there.
    Joining,
}

/// The data folder of one server, locked for as long as this value lives, or a
/// [`FileStorage`](super::FileStorage) in it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    identity: Identity,
    is_new: bool,
    lock: Arc<Lock>,
}

/// What `folder.json` says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    format: u64,
    cluster: String,
    server: ServerId,
    disk: DiskId,
    founded: Founded,
}

/// The lock on a folder. The operating system gives it back when the process ends, in whatever way.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
    /// Whether a storage is open in the folder.
    stores: AtomicBool,
}

/// The right to be the one storage in a folder. It holds the lock.
#[derive(Debug)]
pub(super) struct Claim(Arc<Lock>);

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.stores.store(false, Ordering::Release);
    }
}

/// Why a data folder can't be used. Each says what is the matter, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is the folder of another cluster.
    #[error(
        "{} belongs to the cluster {found:?}, and not to {wanted:?}: give each cluster folders of its own",
        path.display()
    )]
    OtherCluster {
        /// The folder.
        path: PathBuf,
        /// The cluster that it belongs to.
        found: String,
        /// The cluster that it should belong to.
        wanted: String,
    },
    /// It is the folder of another server.
    #[error("{} belongs to server {found}, and not to {wanted}: give each server a folder of its own", path.display())]
    OtherServer {
        /// The folder.
        path: PathBuf,
        /// The server that it belongs to.
        found: ServerId,
        /// The server that it should belong to.
        wanted: ServerId,
    },
    /// A later version of Raftarium wrote it.
    #[error(
        "{} has the format {found}, and this version of Raftarium knows formats up to {FORMAT}: use the version that \
         wrote it, or a later one",
        path.display()
    )]
    LaterVersion {
        /// The folder.
        path: PathBuf,
        /// Its format's version.
        found: u64,
    },
    /// Another process uses it.
    #[error("{} is in use by {}: stop that one first", path.display(), Holder(*process))]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The process, if it said its number.
        process: Option<u32>,
    },
    /// There is something else in it.
    #[error("{} is not empty, and not a data folder of Raftarium: it holds {found:?}; choose another one", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// One of the things in it.
        found: String,
    },
    /// What it says about itself can't be believed, or parts of it are missing.
    #[error("{}: {why}: {REPLACE}", path.display())]
    Damaged {
        /// The file that is damaged or missing.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The settings make no sense.
    #[error("{0}")]
    Settings(String),
    /// It can't be read or written.
    #[error("{what} failed: {source}")]
    Failed {
        /// What was tried, and where.
        what: String,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Who holds a lock, in words.
struct Holder(Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(process) => write!(f, "process {process}"),
            None => f.write_str("another process"),
        }
    }
}

/// For `map_err`: what failed, and where.
fn failed<'a>(what: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> FolderError + 'a {
    move |source| FolderError::Failed { what: format!("{what} {}", path.display()), source }
}

impl Folder {
    /// Whether a server's data is, or should be, at that path.
    pub fn is_at(path: impl AsRef<Path>) -> bool {
        let path = path.as_ref();
        std::iter::once(FOLDER).chain(names(FORMAT.into())).any(|name| path.join(name).exists())
    }

    /// Opens the data folder at `path`, or creates it: the folders above it, too.
    ///
    /// # Errors
    /// When it can't be used, or isn't the folder that these settings mean: see [`FolderError`].
    pub fn open_or_create(path: impl AsRef<Path>, settings: &FolderSettings) -> Result<Folder, FolderError> {
        let path = path.as_ref();
        settings.check()?;
        create_folders(path)?;
        // Nothing is written into somebody else's folder, not even a lock.
        look_around(path)?;
        let lock = Arc::new(lock(path)?);
        // Only now is it certain that no other process is about to create it.
        let is_new = look_around(path)?;
        let identity = if is_new { create(path, settings)? } else { read(path)? };
        if identity.cluster != settings.cluster {
            let (found, wanted) = (identity.cluster, settings.cluster.clone());
            return Err(FolderError::OtherCluster { path: path.to_owned(), found, wanted });
        }
        if identity.server != settings.server {
            let (found, wanted) = (identity.server, settings.server);
            return Err(FolderError::OtherServer { path: path.to_owned(), found, wanted });
        }
        for name in names(identity.format) {
            let path = path.join(name);
            if !path.try_exists().map_err(failed("the search for", &path))? {
                return Err(FolderError::Damaged { path, why: "this file is missing".to_owned() });
            }
        }
        Ok(Folder { path: path.to_owned(), identity, is_new, lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the cluster.
    pub fn cluster(&self) -> &str {
        &self.identity.cluster
    }

    /// The server.
    pub fn server(&self) -> ServerId {
        self.identity.server
    }

    /// The number of this disk: drawn at random when the folder was created, and not zero.
    pub fn disk_id(&self) -> DiskId {
        self.identity.disk
    }

    /// How the server began on this disk.
    pub fn founded(&self) -> Founded {
        self.identity.founded
    }

    /// Whether `disks.json` was created with it.
    pub(super) fn has_disks_from_the_start(&self) -> bool {
        self.identity.format >= FORMAT_WITH_DISKS
    }

    /// Whether it was created just now.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The right to be the one storage in this folder; `None` if there is one already.
    pub(super) fn claim(&self) -> Option<Claim> {
        let taken = self.lock.stores.swap(true, Ordering::AcqRel);
        (!taken).then(|| Claim(Arc::clone(&self.lock)))
    }
}

impl FolderSettings {
    fn check(&self) -> Result<(), FolderError> {
        let bytes = self.cluster.len();
        if !(1..=CLUSTER_NAME_MAX).contains(&bytes) {
            let why = format!("the cluster's name has {bytes} bytes; 1 to {CLUSTER_NAME_MAX} are possible");
            return Err(FolderError::Settings(why));
        }
        match self.founded {
            Founded::Bootstrap(voters) if !voters.contains(self.server) => Err(FolderError::Settings(format!(
                "server {} can't found a cluster in which it doesn't vote: name it among the voters",
                self.server
            ))),
            Founded::Bootstrap(_) | Founded::Joining => Ok(()),
        }
    }
}

/// Creates the folder, and those above it, so that a crash doesn't take them away again.
fn create_folders(path: &Path) -> Result<(), FolderError> {
    let exists = path.try_exists().map_err(failed("the search for the folder", path))?;
    if exists || path.as_os_str().is_empty() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new(""));
    create_folders(above)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => created.map_err(failed("the creation of the folder", path))?,
    }
    sync_folder(if above.as_os_str().is_empty() { Path::new(".") } else { above })
}

/// Makes the names in a folder durable.
fn sync_folder(path: &Path) -> Result<(), FolderError> {
    file::sync_folder(path).map_err(failed("the sync of the folder", path))
}

/// The files that a folder of this format has besides its own.
fn names(format: u64) -> impl Iterator<Item = &'static str> {
    durable::NAMES.into_iter().chain((format >= FORMAT_WITH_DISKS).then_some(disks::DISKS))
}

/// Whether the folder is still to be created.
fn look_around(path: &Path) -> Result<bool, FolderError> {
    let reading = || failed("the reading of the folder", path);
    let mut other = None;
    let (mut finished, mut begun) = (false, false);
    for entry in fs::read_dir(path).map_err(reading())? {
        let name = entry.map_err(reading())?.file_name();
        match name.to_str() {
            Some(FOLDER) => finished = true,
            Some(FOLDER_NEW) => begun = true,
            // A file system of its own begins with this.
            Some(LOCK | "lost+found") => {}
            _ => other = Some(name.to_string_lossy().into_owned()),
        }
    }
    match other {
        _ if finished => Ok(false),
        _ if begun => Ok(true),
        None => Ok(true),
        Some(name) if names(FORMAT.into()).any(|ours| ours == name) => {
            Err(FolderError::Damaged { path: path.join(FOLDER), why: "this file is missing".to_owned() })
        }
        Some(found) => Err(FolderError::NotOurs { path: path.to_owned(), found }),
    }
}

/// Takes the folder's lock, or says who has it.
fn lock(path: &Path) -> Result<Lock, FolderError> {
    let lock = path.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock)
        .map_err(failed("the opening of", &lock))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            // What it says is for people only: it may be old, or not there yet.
            let mut said = String::new();
            let read = (&mut file).take(20).read_to_string(&mut said);
            let process = read.ok().and_then(|_| said.trim().parse().ok());
            return Err(FolderError::Locked { path: path.to_owned(), process });
        }
        Err(error) => return Err(failed("the locking of", &lock)(error.into())),
    }
    // Who holds the lock is said as a help, and a disk without room for it is no reason to stop.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(Lock { _file: file, stores: AtomicBool::new(false) })
}

/// Creates everything that belongs into a new folder.
fn create(path: &Path, settings: &FolderSettings) -> Result<Identity, FolderError> {
    let mut disk = 0;
    while disk == 0 {
        disk = getrandom::u64().map_err(|error| FolderError::Failed {
            what: "to draw a number for the disk".to_owned(),
            source: io::Error::other(error),
        })?;
    }
    let FolderSettings { cluster, server, founded } = settings.clone();
    let identity = Identity { format: FORMAT.into(), cluster, server, disk: DiskId(disk), founded };
    let new = path.join(FOLDER_NEW);
    // From here on, until the name changes, what is in this folder is an unfinished creation.
    file::write_synced(&new, identity.to_json().as_bytes()).map_err(failed("the writing of", &new))?;
    sync_folder(path)?;
    durable::create(&RealFiles(path.to_owned()), identity.disk).map_err(|error| match error {
        StorageError::Full => failed("the creation of the files in", path)(io::ErrorKind::StorageFull.into()),
        StorageError::Failed { what, source } => FolderError::Failed { what, source },
        StorageError::Damaged(why) => FolderError::Damaged { path: path.to_owned(), why },
    })?;
    disks::create(path).map_err(failed("the creation of the files in", path))?;
    sync_folder(path)?;
    fs::rename(&new, path.join(FOLDER)).map_err(failed("the renaming of", &new))?;
    sync_folder(path)?;
    Ok(identity)
}

/// `folder.json`, in the order of its fields.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderFile {
    format: u64,
    cluster: String,
    server: u8,
    /// In hexadecimal: JSON's numbers have too few digits in some readers.
    disk: String,
    founded: FoundedFile,
    checksum: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum FoundedFile {
    Bootstrap(Vec<u8>),
    Joining,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct AnyFolderFile {
    format: u64,
}

impl Sealed for FolderFile {
    fn checksum(&mut self) -> &mut String {
        &mut self.checksum
    }
}

impl Identity {
    fn to_json(&self) -> String {
        let founded = match self.founded {
            Founded::Bootstrap(voters) => FoundedFile::Bootstrap(voters.iter().map(ServerId::number).collect()),
            Founded::Joining => FoundedFile::Joining,
        };
        seal(FolderFile {
            format: self.format,
            cluster: self.cluster.clone(),
            server: self.server.number(),
            disk: format!("{:016x}", self.disk.0),
            founded,
            checksum: String::new(),
        })
    }

    /// Reads what [`Identity::to_json`] has written. The error says what is wrong.
    fn from_json(text: &str) -> Result<Identity, String> {
        let file: FolderFile = unseal(text)?;
        if !(1..=u64::from(FORMAT)).contains(&file.format) {
            return Err(format!("there is no format {}", file.format));
        }
        let server = ServerId::new(file.server).ok_or_else(|| format!("there is no server {}", file.server))?;
        let disk = u64::from_str_radix(&file.disk, 16).ok().filter(|disk| *disk != 0);
        let disk = disk.ok_or("its disk has no number")?;
        let founded = match &file.founded {
            FoundedFile::Joining => Founded::Joining,
            FoundedFile::Bootstrap(voters) => {
                let server = |number| ServerId::new(number).ok_or_else(|| format!("there is no server {number}"));
                Founded::Bootstrap(voters.iter().copied().map(server).collect::<Result<_, _>>()?)
            }
        };
        Ok(Identity { format: file.format, cluster: file.cluster, server, disk: DiskId(disk), founded })
    }
}

/// Reads `folder.json`.
fn read(path: &Path) -> Result<Identity, FolderError> {
    let file = path.join(FOLDER);
    let mut bytes = Vec::new();
    let opened = File::open(&file).map_err(failed("the opening of", &file))?;
    opened.take(FOLDER_FILE_MAX + 1).read_to_end(&mut bytes).map_err(failed("the reading of", &file))?;
    let damaged = |why| FolderError::Damaged { path: file.clone(), why };
    if bytes.len() as u64 > FOLDER_FILE_MAX {
        return Err(damaged("this file is too long".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| damaged("this file isn't text".to_owned()))?;
    match Identity::from_json(&text) {
        Ok(identity) => Ok(identity),
        // Its other fields may be ones that this version doesn't know.
        Err(why) => match serde_json::from_str::<AnyFolderFile>(&text) {
            Ok(any) if any.format > u64::from(FORMAT) => {
                Err(FolderError::LaterVersion { path: path.to_owned(), found: any.format })
            }
            _ => Err(damaged(why)),
        },
    }
}
