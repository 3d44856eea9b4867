//! Which disk each of the other servers has, as far as this one knows: `disks.json` in its folder.
//!
//! A server that comes back with another disk has forgotten what it promised on the old one. If it
//! were believed, it could vote twice in a term, or elect a leader that lacks what it once
//! acknowledged. So whoever hears of a server's disk writes that down before it believes anything
//! that comes from it, and knows the next one for another.
//!
//! A disk that replaces an earlier one has been admitted by an entry of the log
//! ([`Payload::Admission`](raft_core::raft::Payload::Admission)). Of two disks of a server, the one
//! that was admitted by the later entry is its disk. One that founded the cluster needed none.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use raft_core::raft::{DiskId, LogIndex, ServerId};
use serde::{Deserialize, Serialize};

use super::file;
use super::folder::{Folder, FolderError};
use super::sealed::{Sealed, seal, unseal};

/// The version of the file that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// The name of the file.
pub(super) const DISKS: &str = "disks.json";
const DISKS_NEW: &str = "disks.json.new";

/// The disks of servers, on the disk of this one.
#[derive(Debug)]
pub struct KnownDisks {
    folder: PathBuf,
    known: Mutex<BTreeMap<ServerId, Known>>,
}

/// The disk that a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    disk: DiskId,
    /// The index of the entry that admitted it; zero if it founded the cluster.
    admitted_at: LogIndex,
}

/// What is wrong with a disk that a server says it has.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// It isn't the one that the server is known to have.
    #[error("{server} is known to have the disk {known}, and this one is {claimed}", known = Hex(*known), claimed = Hex(*claimed))]
    Another {
        /// The server.
        server: ServerId,
        /// The disk that it is known to have.
        known: DiskId,
        /// The one that it says it has.
        claimed: DiskId,
    },
    /// It couldn't be written down, so it isn't believed.
    #[error("the disk of {server} couldn't be noted in {}: {source}", path.display())]
    Failed {
        /// The server.
        server: ServerId,
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// A disk's number, as `folder.json` has it.
struct Hex(DiskId);

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0.0)
    }
}

/// Creates the file of a server that knows no other one yet.
pub(super) fn create(folder: &Path) -> io::Result<()> {
    file::write_synced(&folder.join(DISKS), to_json(&BTreeMap::new()).as_bytes())
}

impl KnownDisks {
    /// Reads what the folder's server has noted. In folders of the first format, the file is there
    /// from the first note on.
    ///
    /// # Errors
    /// When the file can't be read, isn't what was written, or was lost.
    pub fn open(folder: &Folder) -> Result<KnownDisks, FolderError> {
        let path = folder.path().join(DISKS);
        let known = match fs::read_to_string(&path) {
            Ok(text) => from_json(&text).map_err(|why| FolderError::Damaged { path, why })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !folder.has_disks_from_the_start() => {
                BTreeMap::new()
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(FolderError::Damaged { path, why: "this file isn't text".to_owned() });
            }
            Err(source) => {
                return Err(FolderError::Failed { what: format!("the reading of {}", path.display()), source });
            }
        };
        Ok(KnownDisks { folder: folder.path().to_owned(), known: Mutex::new(known) })
    }

    /// A server says that it votes on this disk, which was admitted by the entry at that index, or
    /// founded the cluster if that is zero. When this returns `Ok`, it is durably known by it.
    ///
    /// # Errors
    /// [`DiskError`]: then nothing that it says on this disk may be believed.
    pub fn recognise(&self, server: ServerId, disk: DiskId, admitted_at: LogIndex) -> Result<(), DiskError> {
        let mut all = self.known();
        if let Some(known) = all.get(&server) {
            if known.disk == disk && admitted_at <= known.admitted_at {
                return Ok(());
            }
            if known.disk != disk && admitted_at <= known.admitted_at {
                return Err(DiskError::Another { server, known: known.disk, claimed: disk });
            }
        }
        let mut next = all.clone();
        next.insert(server, Known { disk, admitted_at });
        self.write(&next).map_err(|source| DiskError::Failed { server, path: self.folder.join(DISKS), source })?;
        *all = next;
        Ok(())
    }

    /// The committed entry at this index has admitted this disk of a server: from now on, no
    /// earlier one is recognised.
    ///
    /// # Errors
    /// [`DiskError::Failed`]: it is known, but not durably.
    pub fn admitted(&self, server: ServerId, disk: DiskId, index: LogIndex) -> Result<(), DiskError> {
        let mut all = self.known();
        if all.get(&server).is_some_and(|known| index <= known.admitted_at) {
            return Ok(()); // The log is read again.
        }
        all.insert(server, Known { disk, admitted_at: index });
        self.write(&all).map_err(|source| DiskError::Failed { server, path: self.folder.join(DISKS), source })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<ServerId, Known>> {
        // Whoever panicked has replaced the whole map, or nothing.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, known: &BTreeMap<ServerId, Known>) -> io::Result<()> {
        let new = self.folder.join(DISKS_NEW);
        file::write_synced(&new, to_json(known).as_bytes())?;
        fs::rename(&new, self.folder.join(DISKS))?;
        file::sync_folder(&self.folder)
    }
}

/// `disks.json`, in the order of its fields.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisksFile {
    format: u32,
    /// By the servers' numbers.
    disks: BTreeMap<u8, DiskEntry>,
    checksum: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiskEntry {
    /// In hexadecimal: JSON's numbers have too few digits in some readers.
    disk: String,
    admitted_at: u64,
}

impl Sealed for DisksFile {
    fn checksum(&mut self) -> &mut String {
        &mut self.checksum
    }
}

fn to_json(known: &BTreeMap<ServerId, Known>) -> String {
    let entry = |known: &Known| DiskEntry { disk: Hex(known.disk).to_string(), admitted_at: known.admitted_at.0 };
    let disks = known.iter().map(|(server, known)| (server.number(), entry(known))).collect();
    seal(DisksFile { format: FORMAT, disks, checksum: String::new() })
}

/// Reads what [`to_json`] has written. The error says what is wrong.
fn from_json(text: &str) -> Result<BTreeMap<ServerId, Known>, String> {
    let file: DisksFile = unseal(text)?;
    if file.format != FORMAT {
        return Err(format!("it has the format {}, and this version of Raftarium knows {FORMAT}", file.format));
    }
    let mut known = BTreeMap::new();
    for (number, entry) in &file.disks {
        let server = ServerId::new(*number).ok_or_else(|| format!("there is no server {number}"))?;
        let disk = u64::from_str_radix(&entry.disk, 16).map_err(|_| format!("the disk of {server} has no number"))?;
        known.insert(server, Known { disk: DiskId(disk), admitted_at: LogIndex(entry.admitted_at) });
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use raft_core::raft::ServerSet;

    use super::super::{FolderSettings, Founded};
    use super::*;

    const OLD: DiskId = DiskId(7);
    const NEW: DiskId = DiskId(0xfedc_ba98_7654_3210);

    fn server(number: u8) -> ServerId {
        ServerId::new(number).unwrap()
    }

    fn folder(path: &Path) -> Folder {
        let founded = Founded::Bootstrap(ServerSet::first(3));
        let settings = FolderSettings { cluster: "test".into(), server: server(1), founded };
        Folder::open_or_create(path, &settings).unwrap()
    }

    #[test]
    fn a_disk_is_remembered_until_a_later_one_is_admitted() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path());
        let is_another = |known: &KnownDisks, disk, index| {
            matches!(known.recognise(server(2), disk, LogIndex(index)), Err(DiskError::Another { .. }))
        };
        let known = KnownDisks::open(&folder).unwrap();
        known.recognise(server(2), OLD, LogIndex(0)).unwrap();
        drop(known);

        let known = KnownDisks::open(&folder).unwrap();
        assert!(is_another(&known, NEW, 0));
        known.recognise(server(2), OLD, LogIndex(0)).unwrap();
        known.admitted(server(2), NEW, LogIndex(9)).unwrap();
        known.admitted(server(2), OLD, LogIndex(5)).unwrap();
        drop(known);

        let known = KnownDisks::open(&folder).unwrap();
        assert!(is_another(&known, OLD, 0) && is_another(&known, OLD, 9), "its time is over");
        known.recognise(server(2), NEW, LogIndex(9)).unwrap();
        known.recognise(server(2), NEW, LogIndex(0)).unwrap();
        // Whoever hasn't heard of the admission yet learns of it from the disk itself.
        known.recognise(server(2), DiskId(3), LogIndex(12)).unwrap();
        assert!(is_another(&known, NEW, 9));
    }

    #[test]
    fn a_file_that_was_damaged_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path());
        let path = place.path().join(DISKS);
        KnownDisks::open(&folder).unwrap().recognise(server(2), OLD, LogIndex(0)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for damaged in ["", "{}", &text[1..], &text.replace("07", "08"), &text.replace(": 1,", ": 2,")] {
            fs::write(&path, damaged).unwrap();
            let why = KnownDisks::open(&folder).unwrap_err().to_string();
            assert!(why.contains(DISKS) && why.ends_with(super::super::REPLACE), "{why}");
        }
    }

    /// Who can't write a disk down must not believe it.
    #[test]
    fn a_disk_that_cannot_be_noted_is_not_recognised() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path());
        let known = KnownDisks::open(&folder).unwrap();
        fs::create_dir(place.path().join(DISKS_NEW)).unwrap();
        let failed = known.recognise(server(2), OLD, LogIndex(0)).unwrap_err();
        assert!(matches!(failed, DiskError::Failed { .. }), "{failed}");
        fs::remove_dir(place.path().join(DISKS_NEW)).unwrap();
        known.recognise(server(2), NEW, LogIndex(0)).unwrap();
    }
}
