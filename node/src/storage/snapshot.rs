//! The snapshot, in a file of its own.
//!
//! `snapshot-N` holds the length of a record (four bytes, lowest first), the record of what the
//! snapshot stands for, and the state machine's bytes. The state says how long the file is, and the
//! checksum of all of it. It is written and synced before a state names it, and removed after a
//! state that doesn't is durable.

use std::io;
use std::sync::Arc;

use raft_core::raft::{DiskId, Snapshot, SnapshotMeta};

use super::file::Files;
use super::record::{Kind, SnapshotRef, open, seal};

/// So many bytes are written or read at a time.
const PIECE: usize = 1 << 20;

/// No record of what a snapshot stands for is longer: three sets of 127 servers, and numbers.
const META_MAX: u64 = 1024;

const LENGTH: u64 = 4;

/// The name of the file.
pub(super) fn name(number: u64) -> String {
    format!("snapshot-{number}")
}

/// Whether a file has, or had, such a name.
pub(super) fn is_name(name: &str) -> bool {
    name.strip_prefix("snapshot-").is_some_and(|number| number.parse::<u64>().is_ok())
}

/// Writes a snapshot of at most `size_max` bytes into a file of its own, and makes it durable.
pub(super) fn write(
    files: &dyn Files,
    disk: DiskId,
    number: u64,
    snapshot: &Snapshot,
    size_max: u64,
) -> io::Result<SnapshotRef> {
    let data = snapshot.data();
    let size = data.len() as u64;
    assert!(size <= size_max, "the core takes no snapshot of {size} bytes: at most {size_max}");
    let meta = seal(disk, Kind::Snapshot, number, |bytes| snapshot.meta.encode(bytes));
    let head = [&(meta.len() as u32).to_le_bytes()[..], &meta].concat();
    let file = files.create(&name(number))?;
    let mut hasher = crc32fast::Hasher::new();
    let mut length = 0;
    for piece in std::iter::once(&head[..]).chain(data.chunks(PIECE)) {
        hasher.update(piece);
        file.write(length, piece)?;
        length += piece.len() as u64;
    }
    file.sync()?;
    files.sync()?;
    Ok(SnapshotRef { number, last: snapshot.meta.last, length, checksum: hasher.finalize() })
}

/// Reads a snapshot of at most `size_max` bytes. The inner error says what is wrong with it.
pub(super) fn read(
    files: &dyn Files,
    disk: DiskId,
    expected: &SnapshotRef,
    size_max: u64,
) -> io::Result<Result<Snapshot, String>> {
    let file = match files.open(&name(expected.number)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err("this file is missing".to_owned())),
        opened => opened?,
    };
    let length = file.len()?;
    if length != expected.length {
        return Ok(Err(format!("this file has {length} bytes, and not {}", expected.length)));
    }
    let mut hasher = crc32fast::Hasher::new();
    let mut at = 0;
    let mut next = |bytes: &mut [u8]| -> io::Result<()> {
        for piece in bytes.chunks_mut(PIECE) {
            file.read(at, piece)?;
            hasher.update(piece);
            at += piece.len() as u64;
        }
        Ok(())
    };
    let wrong = || Ok(Err("its checksum is wrong".to_owned()));
    let mut meta_length = [0; LENGTH as usize];
    if length < LENGTH {
        return wrong();
    }
    next(&mut meta_length)?;
    let meta_length = u64::from(u32::from_le_bytes(meta_length));
    let Some(size) = (length - LENGTH).checked_sub(meta_length) else { return wrong() };
    if meta_length > META_MAX {
        return wrong();
    }
    if size > size_max {
        return Ok(Err(format!("it holds a snapshot of {size} bytes, and none has more than {size_max}")));
    }
    let mut meta = vec![0; meta_length as usize];
    next(&mut meta)?;
    // Memory is taken only now that the file is known to be so long.
    let mut data: Arc<[u8]> = std::iter::repeat_n(0, size as usize).collect();
    next(Arc::get_mut(&mut data).expect("nobody else has it yet"))?;
    if hasher.finalize() != expected.checksum {
        return wrong();
    }
    let meta = match open(disk, Kind::Snapshot, expected.number, &meta) {
        Ok(content) => SnapshotMeta::decode(content).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    Ok(match meta {
        Ok(meta) if meta.last == expected.last => Ok(Snapshot::new(meta, data)),
        Ok(meta) => Err(format!("it stands for {}, and not for {}", meta.last, expected.last)),
        Err(why) => Err(why),
    })
}
