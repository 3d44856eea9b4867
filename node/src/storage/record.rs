//! What is stored, as bytes: the state, the log's entries, and the mirror.
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
//! | 2, mirror | 0 or 1, its slot | [`Mirror`] |
//! | 3, entry | its index | [`Entry::encode`] |
//! | 4, snapshot | its number | [`SnapshotMeta::encode`](raft_core::raft::SnapshotMeta::encode) |
//!
//! Numbers have eight bytes, lowest first; what `raft-core` encodes has the form that it says.
//! Whatever the bytes are, the result is a value or an error, and nothing is allocated because they
//! claim a length.

use std::fmt;

use raft_core::codec::DecodeError;
use raft_core::raft::{DiskId, Entry, EntryId, HardState, LogIndex, SnapshotMeta, Term};

const CHECKSUM: usize = 4;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    State = 1,
    Mirror = 2,
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
pub(super) struct Mirror {
    /// Counts the writes of the mirror.
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

impl Mirror {
    /// The slot that it is written to: not the one before its own, so that a torn write leaves the
    /// one before.
    pub(super) fn slot(&self) -> u64 {
        self.turn % 2
    }

    pub(super) fn seal(&self, disk: DiskId) -> Vec<u8> {
        seal(disk, Kind::Mirror, self.slot(), |bytes| {
            put(bytes, self.turn);
            put(bytes, self.boot);
            put(bytes, u64::from(self.closed));
            self.state.put(bytes);
        })
    }

    pub(super) fn open(disk: DiskId, slot: u64, record: &[u8]) -> Result<Mirror, RecordError> {
        let mut numbers = Numbers(open(disk, Kind::Mirror, slot, record)?);
        let (turn, boot, closed) = (numbers.take()?, numbers.take()?, numbers.take_bool()?);
        let mirror = Mirror { turn, boot, closed, state: State::take(numbers)? };
        if mirror.slot() == slot { Ok(mirror) } else { Err(RecordError::Content) }
    }
}

/// Reads these bytes as the content of a record of each kind. What can be read is written again, as
/// it was. For fuzzing, which would never find the right checksums.
#[doc(hidden)]
pub fn read_any_content(content: &[u8]) {
    let disk = DiskId(1);
    let put_content = |bytes: &mut Vec<u8>| bytes.extend_from_slice(content);
    if let Ok(state) = State::open(disk, &seal(disk, Kind::State, 0, put_content)) {
        assert_eq!(state.seal(disk), seal(disk, Kind::State, 0, put_content));
    }
    for slot in [0, 1] {
        if let Ok(mirror) = Mirror::open(disk, slot, &seal(disk, Kind::Mirror, slot, put_content)) {
            assert_eq!(mirror.seal(disk), seal(disk, Kind::Mirror, slot, put_content));
        }
    }
    let index = LogIndex(7);
    if let Ok(entry) = open_entry(disk, index, &seal(disk, Kind::Entry, index.0, put_content)) {
        assert_eq!(seal_entry(disk, index, &entry), seal(disk, Kind::Entry, index.0, put_content));
    }
    if let Ok(meta) = SnapshotMeta::decode(content) {
        let mut bytes = Vec::new();
        meta.encode(&mut bytes);
        assert_eq!(bytes, content);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn state() -> State {
        let id = |index, term| EntryId::new(LogIndex(index), Term(term));
        let snapshot = SnapshotRef { number: 5, last: id(3, 2), length: 1_000, checksum: 77 };
        let hard_state = HardState { term: Term(4), asking_life: 9, ..HardState::default() };
        State { sequence: 6, hard_state, last: id(8, 4), same: LogIndex(7), snapshot: Some(snapshot) }
    }

    #[test]
    fn a_record_is_of_its_disk_and_its_place() {
        let disk = DiskId(300);
        let record = state().seal(disk);
        assert_eq!(State::open(disk, &record), Ok(state()));
        assert_eq!(State::open(DiskId(301), &record), Err(RecordError::Checksum));
        assert_eq!(open(disk, Kind::State, 1, &record), Err(RecordError::Checksum));
        assert_eq!(open(disk, Kind::Mirror, 0, &record), Err(RecordError::Checksum));
        assert_eq!(open(disk, Kind::State, 0, &record[..3]), Err(RecordError::Short));
    }

    #[test]
    fn a_mirror_is_of_its_slot() {
        let disk = DiskId(300);
        for turn in [8, 9] {
            let mirror = Mirror { turn, boot: 1, closed: true, state: state() };
            let record = mirror.seal(disk);
            assert_eq!(Mirror::open(disk, turn % 2, &record), Ok(mirror));
            assert_eq!(Mirror::open(disk, 1 - turn % 2, &record), Err(RecordError::Checksum));
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let disk = DiskId(300);
        let record = state().seal(disk);
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(State::open(disk, &flipped), Err(RecordError::Checksum), "bit {bit}");
        }
        for length in 0..record.len() {
            assert!(State::open(disk, &record[..length]).is_err(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_content_is_read_as_it_was_written_or_refused(content in vec(any::<u8>(), 0..200)) {
            read_any_content(&content);
        }

        #[test]
        fn a_changed_content_is_read_as_it_was_written_or_refused(at: usize, byte: u8) {
            let mut content = state().seal(DiskId(1)).split_off(CHECKSUM);
            let at = at % content.len();
            content[at] = byte;
            read_any_content(&content);
        }
    }
}
