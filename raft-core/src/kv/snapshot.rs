//! Snapshots: a store as bytes, and back.
//!
//! In order: the letters `RKVS`; the version, 2; the applied index; the store's revision; the
//! number of pairs, and each key (ascending) with its revision and its value; the number of
//! sessions, and for each its id (ascending), client, last use, newest forgotten serial, the number
//! of answers that it remembers, and each serial (ascending) with its outcome; and finally the
//! digest of everything before, eight bytes, lowest first.
//!
//! Version 1 had no revisions. It was never on a disk that outlives its process, and isn't read.
//!
//! Numbers, texts (keys) and bytes (values) are as in [`codec`](crate::codec).

use super::Domain;
use super::codec::{put_outcome, read_key, read_outcome, read_value};
use super::session::{Answer, Session, SessionId, Settings};
use super::store::Store;
use crate::codec::{DecodeError, Problem, Read, Reader, put_bytes, put_number};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

const MAGIC: &[u8; 4] = b"RKVS";
const VERSION: u8 = 2;
const HEADER_BYTES: usize = MAGIC.len() + 1;
const CHECKSUM_BYTES: usize = 8;

/// Why a store can't be restored from bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotError {
    /// They don't begin like a snapshot, or are too few.
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
    /// They are undamaged, but no store can have this content.
    Nonsense(DecodeError),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::NotASnapshot { bytes } => {
                write!(f, "these {bytes} bytes are not a snapshot of a store")
            }
            SnapshotError::UnknownVersion { found } => {
                write!(f, "the snapshot is of version {found}, and only version {VERSION} can be read")
            }
            SnapshotError::Damaged { stored, computed } => {
                write!(f, "the snapshot is damaged: its digest is {computed:016x}, and it ends with {stored:016x}")
            }
            SnapshotError::Nonsense(error) => write!(f, "the snapshot makes no sense {error}"),
        }
    }
}

impl core::error::Error for SnapshotError {}

impl From<Box<DecodeError>> for SnapshotError {
    fn from(error: Box<DecodeError>) -> Self {
        SnapshotError::Nonsense(*error)
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
        put_number(&mut bytes, self.pairs.revision);
        put_number(&mut bytes, self.pairs.len() as u64);
        for (key, value, revision) in self.pairs.iter() {
            put_bytes(&mut bytes, key.as_bytes());
            put_number(&mut bytes, revision);
            put_bytes(&mut bytes, value.as_bytes());
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
    /// When the bytes are not exactly what [`snapshot`](Self::snapshot) wrote. Never panics, and
    /// never allocates more than a small multiple of their length.
    pub fn restore(bytes: &[u8], settings: Settings) -> Result<Store, SnapshotError> {
        let not_a_snapshot = SnapshotError::NotASnapshot { bytes: bytes.len() as u64 };
        let (body, stored) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(not_a_snapshot)?;
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
    Domain::Snapshot.digest().bytes(bytes).finish()
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

fn read_store(mut reader: Reader<'_>, settings: Settings) -> Read<Store> {
    let mut store = Store::new(settings);
    store.applied_index = reader.number("the applied index")?;
    let revision = reader.number_within("the store's revision", 0, store.applied_index)?;
    store.pairs.revision = revision;

    let mut key_before = "";
    for _ in 0..reader.number("the number of pairs")? {
        let start = reader.offset();
        let key = read_key(&mut reader)?;
        // No key is empty, so the first is above "".
        if key <= key_before {
            return Reader::error(start, "a key above the last", Problem::OutOfOrder);
        }
        key_before = key;
        let revision = reader.number_within("a pair's revision", 1, revision)?;
        store.pairs.put(key, read_value(&mut reader)?, revision);
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

fn read_session(reader: &mut Reader<'_>, applied_index: u64) -> Read<Session> {
    let id = reader.positive("a session's id, from 1")?;
    let mut session = Session::new(SessionId(id), reader.number("a client's number")?);

    let expected = "a session's last use";
    session.last_used = reader.number_within(expected, id, applied_index)?;

    session.newest_forgotten = reader.number("the newest forgotten serial")?;
    let mut serial_before = session.newest_forgotten;
    for _ in 0..reader.number("the number of answers")? {
        let start = reader.offset();
        let expected = "a serial above the last";
        let serial = reader.number(expected)?;
        if serial <= serial_before {
            return Reader::error(start, expected, Problem::OutOfOrder);
        }
        serial_before = serial;
        session.answers.push(Answer::new(serial, read_outcome(reader)?));
    }
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::super::testing::{Bench, generator, random_command, random_store};
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use rand::{Rng, RngExt};

    fn restore(bytes: &[u8]) -> Result<Store, SnapshotError> {
        Store::restore(bytes, Settings::default())
    }

    /// Appends the right checksum to any content.
    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend_from_slice(content);
        let checksum = checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    fn nonsense(content: &[u8]) -> (u64, Problem) {
        match restore(&sealed(content)) {
            Err(SnapshotError::Nonsense(error)) => {
                // Counted from the content's start, to keep the tables readable.
                (error.offset - HEADER_BYTES as u64, error.problem)
            }
            other => panic!("{content:?}: {other:?}"),
        }
    }

    /// A session with an answer, two pairs, and an index that skipped.
    fn small_store() -> Store {
        let mut bench = Bench::new(Settings::default());
        bench.open();
        bench.answer(1, 1, "put b 2");
        bench.answer(1, 2, "put a 1");
        bench.answer(1, 3, "cas a 0 3");
        bench.store.apply(200, &[]);
        bench.store
    }

    /// Later builds must read the snapshots that this one writes.
    #[test]
    fn the_format_is_pinned() {
        let content = [
            &b"\xc8\x01\x03"[..],                // applied index 200, revision 3
            b"\x02\x01a\x03\x011\x01b\x02\x012", // 2 pairs: key, revision, value
            b"\x01\x01\x09\x04\x02",             // 1 session: id 1, client 9, last used 4, forgotten to 2
            b"\x01\x03\x06\x011",                // 1 answer: serial 3, not swapped: 1
        ]
        .concat();
        assert_eq!(small_store().snapshot(), sealed(&content));
        assert_eq!(restore(&sealed(&content)), Ok(small_store()));
    }

    #[test]
    fn an_empty_store_has_a_snapshot_too() {
        let store = Store::new(Settings::default());
        assert_eq!(store.snapshot(), sealed(&[0, 0, 0, 0]));
        assert_eq!(restore(&store.snapshot()), Ok(store));
    }

    #[test]
    fn what_is_restored_is_the_same_and_goes_on_the_same() {
        for seed in 0..50 {
            let mut store = random_store(seed);
            let bytes = store.snapshot();
            let mut restored = Store::restore(&bytes, *store.settings()).unwrap();
            assert_eq!(restored, store);
            assert_eq!(restored.digest(), store.digest());
            assert_eq!(restored.snapshot(), bytes);
            let mut random = generator(seed);
            for _ in 0..50 {
                let index = store.applied_index() + random.random_range(1..3);
                let command = random_command(&mut random).encode();
                assert_eq!(restored.apply(index, &command), store.apply(index, &command));
            }
            assert_eq!(restored.digest(), store.digest());
        }
    }

    /// Without the sessions, the retry would be executed again, and on this server only
    /// (dissertation §6.3).
    #[test]
    fn a_retry_after_a_restore_is_still_recognised() {
        let mut bench = Bench::new(Settings::default());
        let (session, _) = bench.open();
        bench.answer(session, 1, "put x 1");
        let (outcome, _) = bench.answer(session, 2, "cas x 1 2");
        let restored = restore(&bench.store.snapshot()).unwrap();
        let mut bench = Bench { store: restored };
        assert_eq!(bench.answer(session, 2, "cas x 1 2"), (outcome, true));
        assert_eq!(bench.get("x"), Some("2"));
    }

    #[test]
    fn equal_states_with_different_pasts_have_equal_bytes() {
        let mut a = Bench::new(Settings::default());
        let mut b = Bench::new(Settings::default());
        // A chunk of keys is split and merged in one of them, and not in the other.
        let many = |bench: &mut Bench, line: &str| {
            for key in 0..200 {
                bench.answer(1, 1 + key, &alloc::format!("{line} k{key} 1"));
            }
        };
        for (bench, deletes) in [(&mut a, true), (&mut b, false)] {
            bench.open();
            if deletes {
                many(bench, "put");
                for key in 0..200 {
                    bench.answer(1, 201 + key, &alloc::format!("del k{key}"));
                }
            }
            bench.store.apply(1_000, &[]);
            bench.answer(1, 1_000, "put y 2");
            bench.answer(1, 1_001, "put x 1");
        }
        assert_eq!(a.store.snapshot(), b.store.snapshot());
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_refused() {
        let bytes = small_store().snapshot();
        for length in 0..bytes.len() {
            let error = restore(&bytes[..length]).unwrap_err();
            let is_short = length < HEADER_BYTES + CHECKSUM_BYTES;
            let expected = SnapshotError::NotASnapshot { bytes: length as u64 };
            assert_eq!(error == expected, is_short, "{length}: {error}");
            assert_eq!(matches!(error, SnapshotError::Damaged { .. }), !is_short);
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let error = restore(&flipped).unwrap_err();
            let right = match bit / 8 {
                0..4 => matches!(error, SnapshotError::NotASnapshot { .. }),
                4 => matches!(error, SnapshotError::UnknownVersion { .. }),
                _ => matches!(error, SnapshotError::Damaged { .. }),
            };
            assert!(right, "bit {bit}: {error}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(restore(&longer).is_err());
    }

    #[test]
    fn nonsense_with_the_right_checksum_is_named() {
        let out_of_range = |found| Problem::OutOfRange { found };
        let table: [(&[u8], u64, Problem); 29] = [
            (&[], 0, Problem::Ended),
            (&[9], 1, Problem::Ended),
            (&[9, 0], 2, Problem::Ended),
            (&[9, 0, 0], 3, Problem::Ended),
            (&[9, 0, 0, 0, 7], 4, Problem::Trailing { bytes: 1 }),
            (&[9, 10, 0, 0], 1, out_of_range(10)),
            (&[9, 0, 0x80, 0, 0], 2, Problem::BadNumber),
            // Pairs: key, revision, value.
            (&[9, 8, 1, 1, b'a'], 5, Problem::Ended),
            (&[9, 8, 1, 1, b'a', 1], 6, Problem::Ended),
            (&[9, 8, 1, 1, b'a', 1, 2, b'1'], 6, Problem::Ended),
            (&[9, 8, 1, 1, b'a', 0, 1, b'1', 0], 5, out_of_range(0)),
            (&[9, 8, 1, 1, b'a', 9, 1, b'1', 0], 5, out_of_range(9)),
            (&[9, 0, 1, 1, b'a', 1, 1, b'1', 0], 5, out_of_range(1)),
            (&[9, 8, 1, 1, 0xff, 1, 1, b'1', 0], 3, Problem::NotUtf8),
            (&[9, 8, 1, 0, 1, 1, b'1', 0], 3, Problem::BadLength { bytes: 0, bytes_min: 1, bytes_max: 256 }),
            (&[9, 8, 2, 1, b'a', 1, 1, b'1', 1, b'a', 2, 1, b'1', 0], 8, Problem::OutOfOrder),
            (&[9, 8, 2, 1, b'b', 1, 1, b'1', 1, b'a', 2, 1, b'1', 0], 8, Problem::OutOfOrder),
            // Sessions: id, client, last use, forgotten, answers.
            (&[9, 0, 0, 1, 0, 0, 9, 0, 0], 4, out_of_range(0)),
            (&[9, 0, 0, 1, 4, 0, 3, 0, 0], 6, out_of_range(3)),
            (&[9, 0, 0, 1, 4, 0, 10, 0, 0], 6, out_of_range(10)),
            (&[9, 0, 0, 1, 10, 0, 10, 0, 0], 6, out_of_range(10)),
            (&[9, 0, 0, 1, 4, 0, 4, 0], 8, Problem::Ended),
            (&[9, 0, 0, 2, 4, 0, 4, 0, 0, 4, 0, 4, 0, 0], 9, Problem::OutOfOrder),
            (&[9, 0, 0, 2, 4, 0, 4, 0, 0, 3, 0, 4, 0, 0], 9, Problem::OutOfOrder),
            // Answers: serial, outcome.
            (&[9, 0, 0, 1, 4, 0, 4, 2, 1, 2, 5], 9, Problem::OutOfOrder),
            (&[9, 0, 0, 1, 4, 0, 4, 0, 1, 0, 5], 9, Problem::OutOfOrder),
            (&[9, 0, 0, 1, 4, 0, 4, 2, 2, 3, 5, 3, 5], 11, Problem::OutOfOrder),
            (&[9, 0, 0, 1, 4, 0, 4, 2, 1, 3, 99], 10, Problem::UnknownByte { found: 99 }),
            (&[9, 0, 0, 1, 4, 0, 4, 2, 1, 3, 6, 2, b'1'], 11, Problem::Ended),
        ];
        for (content, offset, problem) in table {
            assert_eq!(nonsense(content), (offset, problem), "{content:?}");
        }
    }

    #[test]
    fn the_bounds_themselves_make_sense() {
        // Last used when opened, and at the applied index; one serial above the forgotten ones; an
        // empty value, set by the last entry.
        for content in [
            &[9, 0, 0, 1, 9, 0, 9, 0, 0][..],
            &[9, 0, 0, 1, 4, 0, 4, 2, 1, 3, 5],
            &[9, 0, 0, 2, 3, 0, 4, 0, 0, 4, 0, 4, 0, 0],
            &[9, 9, 1, 1, b'a', 9, 0, 0],
        ] {
            let bytes = sealed(content);
            assert_eq!(restore(&bytes).unwrap().snapshot(), bytes);
        }
    }

    /// A count or a length isn't trusted before what it counts has been read.
    #[test]
    fn hostile_lengths_end_with_the_bytes() {
        let mut huge = vec![];
        put_number(&mut huge, u64::MAX);
        let content = |before: &[u8]| [before, &huge].concat();
        for before in [&[9, 0][..], &[9, 0, 0], &[9, 0, 0, 1, 4, 0, 4, 0]] {
            let content = content(before);
            assert_eq!(nonsense(&content), (content.len() as u64, Problem::Ended));
        }
        let bytes_max = Key::BYTES_MAX as u64;
        assert_eq!(
            nonsense(&content(&[9, 8, 1])),
            (3, Problem::BadLength { bytes: u64::MAX, bytes_min: 1, bytes_max })
        );
    }

    #[test]
    fn no_content_makes_it_panic() {
        let mut random = generator(8);
        for seed in 0..3_000 {
            let bytes = random_store(seed % 20).snapshot();
            let mut content = bytes[HEADER_BYTES..bytes.len() - CHECKSUM_BYTES].to_vec();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(0..content.len());
                content[at] = random.random();
            }
            let bytes = sealed(&content);
            if let Ok(store) = restore(&bytes) {
                assert_eq!(store.snapshot(), bytes);
            }
            random.fill_bytes(&mut content);
            let _ = restore(&sealed(&content));
        }
    }

    #[test]
    fn more_sessions_than_the_settings_allow_are_kept_until_the_next_opens() {
        let mut bench = Bench::new(Settings::default());
        for _ in 0..5 {
            bench.open();
        }
        let settings = Settings { sessions_max: 2, ..Settings::default() };
        let store = Store::restore(&bench.store.snapshot(), settings).unwrap();
        assert_eq!(store.sessions().count(), 5);
        let mut bench = Bench { store };
        assert_eq!(bench.open(), (6, vec![1, 2, 3, 4]));
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let sentence = |error: SnapshotError| error.to_string();
        assert_eq!(sentence(SnapshotError::NotASnapshot { bytes: 3 }), "these 3 bytes are not a snapshot of a store");
        assert_eq!(
            sentence(SnapshotError::UnknownVersion { found: 1 }),
            "the snapshot is of version 1, and only version 2 can be read"
        );
        assert_eq!(
            sentence(SnapshotError::Damaged { stored: 1, computed: 0xab }),
            "the snapshot is damaged: its digest is 00000000000000ab, \
             and it ends with 0000000000000001"
        );
        assert_eq!(
            sentence(restore(&sealed(&[])).unwrap_err()),
            "the snapshot makes no sense at byte 5: \
             expected the applied index, but the bytes end"
        );
    }
}
