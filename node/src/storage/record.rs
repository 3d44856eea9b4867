//! What is stored, as bytes: the state, the log's entries, and the witness.
//!
//! # A record
//! Everything is stored as a *record*: a checksum (CRC-32, four bytes, lowest first), and the
//! content. The checksum covers the disk's number, the record's kind and its place, too, which
//! aren't stored with it. So a record of another disk, or one that is in the wrong place, is as
//! unreadable as a damaged one.
//!
//! | kind | place | content |
//! | --- | --- | --- |
//! | 1, state | 0 | [`State`] |
//! | 2, witness | 0 or 1, its slot | [`Witness`] |
//! | 3, entry | its index | [`Entry::encode`] |
//! | 4, snapshot | its number | [`SnapshotMeta::encode`](raft_core::raft::SnapshotMeta::encode) |
//!
//! Numbers have eight bytes, lowest first; what `raft-core` encodes has the form that it says.
//! Whatever the bytes are, the result is a value or an error, and nothing is allocated because they
//! claim a length.

use std::fmt;

use raft_core::codec::DecodeError;
use raft_core::raft::{DiskId, Entry, EntryId, HardState, LogIndex, Term};

const CHECKSUM: usize = 4;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    State = 1,
    Witness = 2,
    Entry = 3,
    Snapshot = 4,
}

/// Why a record can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// It has too few bytes.
    Short,
    /// Its checksum is wrong: it is damaged, in the wrong place, or of another disk.
    Checksum,
    /// Its content makes no sense.
    Content,
    /// The part of it that the core encodes makes no sense.
    Core(DecodeError),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Short => f.write_str("it is too short"),
            RecordError::Checksum => f.write_str("its checksum is wrong"),
            RecordError::Content => f.write_str("its content makes no sense"),
            RecordError::Core(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RecordError {}

impl From<DecodeError> for RecordError {
    fn from(error: DecodeError) -> RecordError {
        RecordError::Core(error)
    }
}

fn checksum(disk: DiskId, kind: Kind, place: u64, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&disk.0.to_le_bytes());
    hasher.update(&[kind as u8]);
    hasher.update(&place.to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

/// Makes a record of a content.
pub(super) fn seal(disk: DiskId, kind: Kind, place: u64, content: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0; CHECKSUM];
    content(&mut bytes);
    let sum = checksum(disk, kind, place, &bytes[CHECKSUM..]);
    bytes[..CHECKSUM].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The content of a record.
pub(super) fn open(disk: DiskId, kind: Kind, place: u64, record: &[u8]) -> Result<&[u8], RecordError> {
    let (sum, content) = record.split_first_chunk::<CHECKSUM>().ok_or(RecordError::Short)?;
    let expected = checksum(disk, kind, place, content);
    if u32::from_le_bytes(*sum) == expected { Ok(content) } else { Err(RecordError::Checksum) }
}

/// The record of the entry at `index`.
pub(super) fn seal_entry(disk: DiskId, index: LogIndex, entry: &Entry) -> Vec<u8> {
    seal(disk, Kind::Entry, index.0, |bytes| entry.encode(bytes))
}

/// Reads a record of [`seal_entry`].
pub(super) fn open_entry(disk: DiskId, index: LogIndex, record: &[u8]) -> Result<Entry, RecordError> {
    Ok(Entry::decode(open(disk, Kind::Entry, index.0, record)?)?)
}

/// Everything that is stored, except the entries and the snapshot's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Counts the calls that stored something: later states have larger numbers. Zero: nothing was
    /// ever stored.
    pub(super) sequence: u64,
    pub(super) hard_state: HardState,
    /// The last entry of the log, or of the snapshot if no entry follows it.
    pub(super) last: EntryId,
    /// The state before this one had the same entries up to here, apart from those that the
    /// snapshot has replaced since.
    pub(super) same: LogIndex,
    pub(super) snapshot: Option<SnapshotRef>,
}

/// Which file holds the snapshot, and what must be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SnapshotRef {
    /// The number in the file's name: no two snapshots of a folder have the same.
    pub(super) number: u64,
    /// The last entry that it covers.
    pub(super) last: EntryId,
    /// The length of the file in bytes.
    pub(super) length: u64,
    /// CRC-32 of the whole file.
    pub(super) checksum: u32,
}

/// The newest state once more, in a place of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Witness {
    /// Counts the writes of the witness.
    pub(super) turn: u64,
    /// In which run of the machine it was written: 0 if that isn't known.
    pub(super) boot: u64,
    /// Whether the storage was closed after this, so that nothing later was lost with the power.
    pub(super) closed: bool,
    pub(super) state: State,
}

fn put(to: &mut Vec<u8>, number: u64) {
    to.extend_from_slice(&number.to_le_bytes());
}

fn put_id(to: &mut Vec<u8>, id: EntryId) {
    put(to, id.index.0);
    put(to, id.term.0);
}

/// Takes numbers from the front of bytes.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn take(&mut self) -> Result<u64, RecordError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(RecordError::Short)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }

    fn take_id(&mut self) -> Result<EntryId, RecordError> {
        let index = LogIndex(self.take()?);
        Ok(EntryId::new(index, Term(self.take()?)))
    }

    fn take_bool(&mut self) -> Result<bool, RecordError> {
        match self.take()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RecordError::Content),
        }
    }
}

impl State {
    fn put(&self, to: &mut Vec<u8>) {
        let State { sequence, hard_state, last, same, snapshot } = self;
        put(to, *sequence);
        put_id(to, *last);
        put(to, same.0);
        put(to, u64::from(snapshot.is_some()));
        if let Some(SnapshotRef { number, last, length, checksum }) = snapshot {
            put(to, *number);
            put_id(to, *last);
            put(to, *length);
            put(to, u64::from(*checksum));
        }
        hard_state.encode(to);
    }

    fn take(mut numbers: Numbers<'_>) -> Result<State, RecordError> {
        let (sequence, last, same) = (numbers.take()?, numbers.take_id()?, LogIndex(numbers.take()?));
        let snapshot = if numbers.take_bool()? {
            let (number, last, length) = (numbers.take()?, numbers.take_id()?, numbers.take()?);
            let checksum = u32::try_from(numbers.take()?).map_err(|_| RecordError::Content)?;
            Some(SnapshotRef { number, last, length, checksum })
        } else {
            None
        };
        let hard_state = HardState::decode(numbers.0)?;
        Ok(State { sequence, hard_state, last, same, snapshot })
    }

    /// The last entry before the log's first one.
    pub(super) fn base(&self) -> EntryId {
        self.snapshot.map_or(EntryId::ZERO, |snapshot| snapshot.last)
    }

    pub(super) fn seal(&self, disk: DiskId) -> Vec<u8> {
        seal(disk, Kind::State, 0, |bytes| self.put(bytes))
    }

    pub(super) fn open(disk: DiskId, record: &[u8]) -> Result<State, RecordError> {
        State::take(Numbers(open(disk, Kind::State, 0, record)?))
    }
}

impl Witness {
    /// The slot that it is written to: not the one before its own, so that a torn write leaves the
    /// one before.
    pub(super) fn slot(&self) -> u64 {
        self.turn % 2
    }

    pub(super) fn seal(&self, disk: DiskId) -> Vec<u8> {
        seal(disk, Kind::Witness, self.slot(), |bytes| {
            put(bytes, self.turn);
            put(bytes, self.boot);
            put(bytes, u64::from(self.closed));
            self.state.put(bytes);
        })
    }

    pub(super) fn open(disk: DiskId, slot: u64, record: &[u8]) -> Result<Witness, RecordError> {
        let mut numbers = Numbers(open(disk, Kind::Witness, slot, record)?);
        let (turn, boot, closed) = (numbers.take()?, numbers.take()?, numbers.take_bool()?);
        let witness = Witness { turn, boot, closed, state: State::take(numbers)? };
        if witness.slot() == slot { Ok(witness) } else { Err(RecordError::Content) }
    }
}
