//! A store as bytes, and back.
//!
//! In order: the letters `RKVS`; the version, 1; the applied index; how many pairs there are, and
//! each key with its value, keys ascending; how many sessions there are, and each one's id
//! (ascending), client, last use, newest forgotten serial, how many answers it remembers, and each
//! serial (ascending) with its outcome; at last eight bytes, lowest first: the digest of everything
//! before. Numbers and texts are as in [`codec`](super::codec).

use super::codec::{DecodeError, Problem, Reader, put_number, put_outcome, put_text};
use super::digest::{Digest, Domain};
use super::session::{Answer, Session, SessionId, Settings};
use super::store::Store;
use super::text::Field;
use alloc::vec::Vec;
use core::fmt;

const MAGIC: &[u8; 4] = b"RKVS";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = MAGIC.len() + 1;
const CHECKSUM_BYTES: usize = 8;

/// Why bytes can't be restored to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotError {
    /// They don't begin as a snapshot does, or are too few to be one.
    NotASnapshot {
        /// How many bytes there are.
        bytes: u64,
    },
    /// They are of a version that this build can't read.
    UnknownVersion {
        /// The version they say.
        found: u8,
    },
    /// They are damaged or cut short: their digest is not the one they end with.
    Damaged {
        /// The digest they end with.
        stored: u64,
        /// The digest they have.
        computed: u64,
    },
    /// They are undamaged, but say something that no store can be.
    Nonsense(DecodeError),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::NotASnapshot { bytes } => {
                write!(f, "these {bytes} bytes are not a snapshot of a store")
            }
            SnapshotError::UnknownVersion { found } => write!(
                f,
                "the snapshot is of version {found}, and only version {VERSION} can be read"
            ),
            SnapshotError::Damaged { stored, computed } => write!(
                f,
                "the snapshot is damaged: its digest is {computed:016x}, and it ends with {stored:016x}"
            ),
            SnapshotError::Nonsense(error) => write!(f, "the snapshot makes no sense {error}"),
        }
    }
}

impl core::error::Error for SnapshotError {}

impl From<DecodeError> for SnapshotError {
    fn from(error: DecodeError) -> Self {
        SnapshotError::Nonsense(error)
    }
}

impl Store {
    /// The whole state as bytes: pairs, sessions and applied index, but not the settings, which
    /// belong to the cluster. Equal states give equal bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        put_number(&mut bytes, self.applied_index);
        put_number(&mut bytes, self.pairs.len() as u64);
        for (key, value) in self.iter() {
            put_text(&mut bytes, key.as_str());
            put_text(&mut bytes, value.as_str());
        }
        put_number(&mut bytes, self.sessions.len() as u64);
        for session in self.sessions() {
            put_session(&mut bytes, session);
        }
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Makes a store from a snapshot's bytes.
    ///
    /// # Errors
    /// When they are not, or are no longer, what [`snapshot`](Self::snapshot) wrote. Never panics,
    /// and never allocates more than a small multiple of what it was given.
    pub fn restore(bytes: &[u8], settings: Settings) -> Result<Store, SnapshotError> {
        let not_a_snapshot = SnapshotError::NotASnapshot {
            bytes: bytes.len() as u64,
        };
        let (body, stored) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or(not_a_snapshot)?;
        // The version comes before the checksum: a later version may have another checksum.
        match body.strip_prefix(MAGIC).and_then(|rest| rest.first()) {
            None => return Err(not_a_snapshot),
            Some(&VERSION) => {}
            Some(&found) => return Err(SnapshotError::UnknownVersion { found }),
        }
        let stored = u64::from_le_bytes(*stored);
        let computed = checksum(body);
        if stored != computed {
            return Err(SnapshotError::Damaged { stored, computed });
        }
        Ok(read_store(Reader::new_at(body, HEADER_BYTES), settings)?)
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    Digest::new(Domain::Snapshot).bytes(bytes).finish()
}

fn put_session(bytes: &mut Vec<u8>, session: &Session) {
    put_number(bytes, session.id.0);
    put_number(bytes, session.client);
    put_number(bytes, session.last_used);
    put_number(bytes, session.newest_forgotten);
    put_number(bytes, session.answers.len() as u64);
    for (serial, outcome) in session.answers() {
        put_number(bytes, serial);
        put_outcome(bytes, outcome);
    }
}

fn read_store(mut reader: Reader<'_>, settings: Settings) -> Result<Store, DecodeError> {
    let mut store = Store::new(settings);
    store.applied_index = reader.number("the applied index")?;

    let mut key_before = "";
    for _ in 0..reader.number("the number of pairs")? {
        let start = reader.offset();
        let key = reader.text(Field::Key)?;
        // No key is empty, so the first is above "".
        if key <= key_before {
            return Reader::error(start, "a key above the last", Problem::OutOfOrder);
        }
        key_before = key;
        store.pairs.put(key, reader.text(Field::Value)?);
    }

    let mut id_before = 0;
    for _ in 0..reader.number("the number of sessions")? {
        let start = reader.offset();
        let session = read_session(&mut reader, store.applied_index)?;
        if session.id.0 <= id_before {
            return Reader::error(start, "a session above the last", Problem::OutOfOrder);
        }
        id_before = session.id.0;
        store.sessions.insert(session);
    }

    reader.end()?;
    Ok(store)
}

fn read_session(reader: &mut Reader<'_>, applied_index: u64) -> Result<Session, DecodeError> {
    let id = reader.positive("a session's id, from 1")?;
    let mut session = Session::new(SessionId(id), reader.number("a client's number")?);

    let start = reader.offset();
    let expected = "a last use between the session's id and the applied index";
    session.last_used = reader.number(expected)?;
    if !(id..=applied_index).contains(&session.last_used) {
        let found = session.last_used;
        return Reader::error(start, expected, Problem::OutOfRange { found });
    }

    session.newest_forgotten = reader.number("the newest forgotten serial")?;
    let mut serial_before = session.newest_forgotten;
    for _ in 0..reader.number("the number of answers")? {
        let start = reader.offset();
        let expected = "a serial above the forgotten ones and the last";
        let serial = reader.number(expected)?;
        if serial <= serial_before {
            return Reader::error(start, expected, Problem::OutOfOrder);
        }
        serial_before = serial;
        session.answers.push(Answer::new(serial, reader.outcome()?));
    }
    Ok(session)
}
