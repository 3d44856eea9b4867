//! Damaged files: what is found is right, or is known to be lost, or is refused. Nothing wrong is
//! ever believed.

use std::collections::BTreeMap;

use super::super::record::{Mirror, seal_entry};
use super::super::{Damaged, engine};
use super::*;

type Contents = BTreeMap<String, Vec<u8>>;

/// What has become of damaged files.
#[derive(Debug, Default)]
struct Outcomes {
    right: u32,
    lost: u32,
    refused: u32,
}

impl Outcomes {
    /// Starts a server on damaged files that should hold `expected`.
    fn judge(&mut self, contents: &Contents, expected: &Durable, what: &str) {
        let files = SimulatedFiles::of(contents);
        let (mut storage, loaded) = match load(&files) {
            Ok(loaded) => loaded,
            Err(StorageError::Damaged(sentence)) => {
                assert!(sentence.contains("remove this server from the cluster"), "{what}: {sentence}");
                self.refused += 1;
                return;
            }
            Err(other) => panic!("{what}: {other}"),
        };
        assert_true(&loaded, expected, what);
        let Loaded { mut durable, damaged, .. } = loaded;
        match damaged {
            None => self.right += 1,
            Some(_) => self.lost += 1,
        }
        // What was found is there the next time, too, and can be written to.
        let entry = Entry { term: durable.hard_state.term, payload: Payload::NoOp };
        let base = durable.snapshot.as_ref().map_or(LogIndex::ZERO, |snapshot| snapshot.meta.last.index);
        let after = base.plus(durable.entries.len() as u64);
        let log = Some(LogWrite { after, entries: [entry.clone()].into_iter().collect() });
        let write =
            Write { hard_state: None, snapshot: None, log, receipt: Receipt { sequence: 1, last: EntryId::ZERO } };
        storage.store(&[write]).unwrap_or_else(|error| panic!("{what}: {error}"));
        drop(storage);
        durable.entries.push(entry);
        let again = load(&files).unwrap_or_else(|error| panic!("{what}: {error}")).1;
        assert_eq!((again.durable, again.damaged), (durable, None), "{what}");
    }
}

fn last_of(durable: &Durable) -> EntryId {
    let base = durable.snapshot.as_ref().map_or(EntryId::ZERO, |snapshot| snapshot.meta.last);
    let index = base.index.plus(durable.entries.len() as u64);
    durable.entries.last().map_or(base, |entry| EntryId::new(index, entry.term))
}

/// Everything that was found is true, and what is missing is known to be missing.
fn assert_true(loaded: &Loaded, expected: &Durable, what: &str) {
    let found = &loaded.durable;
    assert!(expected.entries.starts_with(&found.entries), "{what}: entries that are not in the log");
    assert_eq!(found.snapshot, expected.snapshot, "{what}");
    let (held, left) = (last_of(expected), last_of(found));
    let damaged = (held != left).then_some(Damaged { held, left });
    assert_eq!(loaded.damaged, damaged, "{what}");
    let lost = if damaged.is_some() { expected.hard_state.lost.max(held) } else { expected.hard_state.lost };
    assert_eq!(found.hard_state, HardState { lost, ..expected.hard_state }, "{what}");
    assert!(!loaded.is_new || *expected == Durable::default(), "{what}");
}

/// A folder of a small store, with a snapshot or without, closed or killed.
fn small_folder(with_snapshot: bool, closed: bool) -> (Contents, Durable) {
    let files = new_folder();
    let (mut storage, _) = load(&files).unwrap();
    let (calls, expected) = small_store(8);
    for call in &calls {
        storage.store(call).unwrap();
    }
    let mut expected = expected.last().unwrap().clone();
    if with_snapshot {
        let mut image = Image::from(&expected);
        let last = image.log().id_at(LogIndex(5)).unwrap();
        let snapshot = Some(Writer::new(1).snapshot(last));
        let write = Write { hard_state: None, snapshot, log: None, receipt: Receipt { sequence: 9, last } };
        image.take(&write, write.parts());
        storage.store(&[write]).unwrap();
        expected = image.durable();
    }
    let contents = if closed {
        drop(storage);
        files.contents()
    } else {
        kill(storage, &files).contents()
    };
    (contents, expected)
}

fn all_small_folders() -> impl Iterator<Item = (Contents, Durable, String)> {
    [(false, false), (false, true), (true, false), (true, true)].into_iter().map(|(with_snapshot, closed)| {
        let (contents, expected) = small_folder(with_snapshot, closed);
        (contents, expected, format!("snapshot: {with_snapshot}, closed: {closed}"))
    })
}

/// The places in a file that are worth to be tried: every `stride`th byte where something is
/// written, and every 4,099th in the long rows of zeros of a database.
fn places(bytes: &[u8], stride: usize) -> impl Iterator<Item = usize> + '_ {
    let written = |at: usize| bytes[at & !63..].iter().take(64).any(|byte| *byte != 0);
    (0..bytes.len()).filter(move |at| at % 4_099 == 0 || (at % stride == 0 && written(*at)))
}

/// One bit of every seventh byte of the database (another bit in each), and of every byte of the
/// other files, is flipped. `every_bit` below doesn't skip any.
#[test]
fn a_flipped_bit_is_never_believed() {
    flip_bits(7);
}

#[test]
#[ignore = "takes minutes: every byte of the database"]
fn a_flipped_bit_anywhere_is_never_believed() {
    flip_bits(1);
}

fn flip_bits(stride: usize) {
    let mut outcomes = Outcomes::default();
    for (contents, expected, which) in all_small_folders() {
        for (name, bytes) in &contents {
            let stride = if name == "state.redb" { stride } else { 1 };
            for at in places(bytes, stride) {
                let mut damaged = contents.clone();
                damaged.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
                outcomes.judge(&damaged, &expected, &format!("{which}, {name}, byte {at}"));
            }
        }
    }
    let Outcomes { right, lost, refused } = outcomes;
    assert!(right > 100 && lost > 100 && refused > 100, "{outcomes:?}");
}

#[test]
fn a_file_that_was_cut_or_lengthened_is_never_believed() {
    let mut outcomes = Outcomes::default();
    for (contents, expected, which) in all_small_folders() {
        for (name, bytes) in &contents {
            let stride = if name == "state.redb" { 61 } else { 1 };
            for length in places(bytes, stride).chain([bytes.len() + 1, bytes.len() + 4096]) {
                let mut damaged = contents.clone();
                damaged.get_mut(name).unwrap().resize(length, 0);
                outcomes.judge(&damaged, &expected, &format!("{which}, {name}, cut to {length}"));
            }
            let mut damaged = contents.clone();
            damaged.remove(name);
            outcomes.judge(&damaged, &expected, &format!("{which}, {name}, removed"));
        }
    }
    let Outcomes { right, lost, refused } = outcomes;
    assert!(right > 10 && lost > 10 && refused > 10, "{outcomes:?}");
}

#[test]
fn a_sector_or_a_page_of_nothing_is_never_believed() {
    let mut outcomes = Outcomes::default();
    for (contents, expected, which) in all_small_folders() {
        for (name, bytes) in &contents {
            for size in [512, 4096] {
                for at in (0..bytes.len()).step_by(size) {
                    let end = (at + size).min(bytes.len());
                    if bytes[at..end].iter().all(|byte| *byte == 0) {
                        continue;
                    }
                    for byte in [0, 0xff] {
                        let mut damaged = contents.clone();
                        damaged.get_mut(name).unwrap()[at..end].fill(byte);
                        outcomes.judge(&damaged, &expected, &format!("{which}, {name}, {size} bytes at {at}"));
                    }
                }
            }
        }
    }
    assert!(outcomes.right > 0 && outcomes.lost > 0 && outcomes.refused > 0, "{outcomes:?}");
}

/// The files after each call of a random story.
fn history(seed: u64) -> Vec<(Contents, Durable)> {
    let files = new_folder();
    let (mut storage, _) = load(&files).unwrap();
    let mut writer = Writer::new(seed);
    let mut history = Vec::new();
    for _ in 0..25 {
        storage.store(&writer.call()).unwrap();
        history.push((files.contents(), writer.durable()));
    }
    history
}

/// redb falls back to its commit before the last if the last is damaged, without a word.
#[test]
fn a_database_that_is_one_call_behind_is_noticed() {
    let (mut whole, mut kept) = (0, 0);
    for seed in 70..90 {
        for pair in history(seed).windows(2) {
            let [(old, _), (new, expected)] = pair else { unreachable!() };
            let mut mixed = new.clone();
            mixed.insert("state.redb".to_owned(), old["state.redb"].clone());
            let loaded = load(&SimulatedFiles::of(&mixed)).unwrap().1;
            assert_true(&loaded, expected, &format!("seed {seed}"));
            whole += u32::from(loaded.damaged.is_none());
            kept += u32::from(loaded.damaged.is_some() && !loaded.durable.entries.is_empty());
            Outcomes::default().judge(&mixed, expected, &format!("seed {seed}"));
        }
    }
    assert!(whole > 0 && kept > 0, "{whole} {kept}");
}

#[test]
fn a_database_that_is_further_behind_is_not_believed() {
    let history = history(91);
    for (now, (new, expected)) in history.iter().enumerate() {
        for (old, _) in &history[..now.saturating_sub(1)] {
            let mut mixed = new.clone();
            mixed.insert("state.redb".to_owned(), old["state.redb"].clone());
            let loaded = load(&SimulatedFiles::of(&mixed)).unwrap().1;
            assert_true(&loaded, expected, "an old database");
            assert!(loaded.durable.entries.is_empty());
        }
    }
}

/// A power failure takes the last writes of the mirror, which aren't synced.
#[test]
fn a_mirror_that_is_behind_does_no_harm() {
    let history = history(92);
    for (now, (new, expected)) in history.iter().enumerate() {
        for (old, _) in &history[..now] {
            let mut mixed = new.clone();
            mixed.insert("mirror".to_owned(), old["mirror"].clone());
            let loaded = load(&SimulatedFiles::of(&mixed)).unwrap().1;
            assert_eq!((&loaded.durable, loaded.damaged), (expected, None));
        }
    }
}

/// The mirror is synced with every promise, so that not even a power failure and a damaged
/// database together make a server forget its vote.
#[test]
fn a_promise_outlives_a_power_failure_and_the_database() {
    let mut started = 0;
    for seed in 0..30 {
        let files = new_folder();
        let (mut storage, _) = load(&files).unwrap();
        let mut writer = Writer::new(seed);
        for _ in 0..6 {
            storage.store(&writer.call()).unwrap();
        }
        for power in 0..4 {
            let mut left = files.after_power_failure(power).contents();
            left.insert("state.redb".to_owned(), vec![7; 5000]);
            let loaded = match load(&SimulatedFiles::of(&left)) {
                Ok((_, loaded)) => loaded,
                // A slot is torn. What was in it may have been newer.
                Err(StorageError::Damaged(sentence)) => {
                    assert!(sentence.contains("the machine has stopped since"), "{sentence}");
                    continue;
                }
                Err(other) => panic!("seed {seed}: {other}"),
            };
            started += 1;
            let (found, expected) = (loaded.durable, writer.durable());
            let lost = found.hard_state.lost;
            assert_eq!(found.hard_state, HardState { lost, ..expected.hard_state }, "seed {seed}");
            assert_eq!((found.snapshot, found.entries), (expected.snapshot, vec![]), "seed {seed}");
        }
    }
    assert!(started > 30, "{started}");
}

/// Changes what the mirror says of the machine's run.
fn of_another_run(contents: &mut Contents) {
    let bytes = contents.get_mut("mirror").unwrap();
    for slot in [0, 1] {
        let at = slot as usize * 4096;
        let length = usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let record = &mut bytes[at + 2..at + 2 + length];
        let mirror = Mirror::open(DISK, slot, record).unwrap();
        let changed = Mirror { boot: mirror.boot ^ 1, ..mirror };
        record.copy_from_slice(&changed.seal(DISK));
    }
}

#[test]
fn a_damaged_database_is_refused_if_the_mirror_may_be_old() {
    for (closed, with_snapshot) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut contents, expected) = small_folder(with_snapshot, closed);
        of_another_run(&mut contents);
        let whole = load(&SimulatedFiles::of(&contents)).unwrap().1;
        assert_eq!((whole.durable, whole.damaged), (expected.clone(), None), "an undamaged one isn't refused");
        contents.insert("state.redb".to_owned(), vec![7; 5000]);
        let loaded = load(&SimulatedFiles::of(&contents));
        match (closed, loaded) {
            (true, Ok((_, loaded))) => assert_true(&loaded, &expected, "closed"),
            (false, Err(StorageError::Damaged(sentence))) => {
                assert!(sentence.contains("the machine has stopped since"), "{sentence}");
            }
            (closed, other) => panic!("closed: {closed}, {other:?}"),
        }
    }
}

#[test]
fn a_damaged_database_is_refused_if_the_mirror_is_damaged_too() {
    let (contents, expected) = small_folder(false, false);
    let mut refused = 0;
    for slot in [0, 4096] {
        let mut damaged = contents.clone();
        damaged.get_mut("mirror").unwrap()[slot + 10] ^= 1;
        let loaded = load(&SimulatedFiles::of(&damaged)).unwrap().1;
        assert_eq!((&loaded.durable, loaded.damaged), (&expected, None), "the database is whole");
        damaged.insert("state.redb".to_owned(), vec![7; 5000]);
        let sentence = load(&SimulatedFiles::of(&damaged)).unwrap_err().to_string();
        refused += u32::from(sentence.contains("nothing shows how the log ended"));
    }
    assert_eq!(refused, 2);
}

/// Changes records in a database that is whole as a file.
fn in_database(contents: &Contents, change: impl FnOnce(&mut engine::Changes<'_>)) -> Contents {
    let files = SimulatedFiles::of(contents);
    let file = super::super::file::Files::open(&files, "state.redb").unwrap();
    let mut engine = engine::Engine::open(file, DISK).unwrap();
    engine
        .change(|changes| {
            change(changes);
            Ok(())
        })
        .unwrap();
    engine.close().unwrap();
    files.contents()
}

#[test]
fn a_log_ends_before_the_first_entry_that_cannot_be_read() {
    for (contents, expected, which) in all_small_folders() {
        let base = expected.snapshot.as_ref().map_or(0, |snapshot| snapshot.meta.last.index.0);
        for bad in base + 1..=8 {
            let entry = |index: u64| &expected.entries[(index - base - 1) as usize];
            let record = seal_entry(DISK, LogIndex(bad), entry(bad));
            let elsewhere = seal_entry(DISK, LogIndex(bad + 1), entry(bad));
            let elsewhose = seal_entry(DiskId(1), LogIndex(bad), entry(bad));
            let mut flipped = record.clone();
            *flipped.last_mut().unwrap() ^= 1;
            let earlier = seal_entry(DISK, LogIndex(bad), &Entry { term: Term(0), ..entry(bad).clone() });
            let records = [
                None,
                Some(&flipped[..]),
                Some(&elsewhere),
                Some(&elsewhose),
                Some(&record[..3]),
                Some(&[]),
                Some(&earlier),
            ];
            for (case, bad_record) in records.into_iter().enumerate() {
                let damaged = in_database(&contents, |changes| changes.put_record(LogIndex(bad), bad_record));
                let what = format!("{which}, entry {bad}, case {case}");
                let loaded = load(&SimulatedFiles::of(&damaged)).unwrap().1;
                assert_true(&loaded, &expected, &what);
                assert_eq!(loaded.durable.entries.len() as u64, bad - base - 1, "{what}");
                Outcomes::default().judge(&damaged, &expected, &what);
            }
        }
    }
}

#[test]
fn what_was_lost_once_is_still_lost_after_a_second_damage() {
    let (contents, expected) = small_folder(false, false);
    let damaged = in_database(&contents, |changes| changes.put_record(LogIndex(4), None));
    let files = SimulatedFiles::of(&damaged);
    let (mut storage, loaded) = load(&files).unwrap();
    let lost = last_of(&expected);
    assert_eq!(loaded.durable.hard_state.lost, lost);
    // Its leader has sent one of the entries again when the disk is damaged once more.
    let log = Some(LogWrite { after: LogIndex(3), entries: [expected.entries[3].clone()].into_iter().collect() });
    let receipt = Receipt { sequence: 1, last: EntryId::ZERO };
    storage.store(&[Write { hard_state: None, snapshot: None, log, receipt }]).unwrap();
    drop(storage);
    let damaged = in_database(&files.contents(), |changes| changes.put_record(LogIndex(2), None));
    let (_, loaded) = load(&SimulatedFiles::of(&damaged)).unwrap();
    assert_eq!(loaded.durable.hard_state.lost, lost);
    let held = EntryId::new(LogIndex(4), expected.entries[3].term);
    assert_eq!(loaded.damaged.map(|damaged| damaged.held), Some(held));
    assert_eq!(loaded.durable.entries.len(), 1);
}

/// The database is made anew, and the process is killed at any operation of that.
#[test]
fn a_repair_that_is_interrupted_is_made_again() {
    let (contents, _) = small_folder(false, false);
    let damaged = in_database(&contents, |changes| changes.put_record(LogIndex(4), None));
    let whole = load(&SimulatedFiles::of(&damaged)).unwrap().1.durable;
    assert_eq!(whole.entries.len(), 3);
    for operation in 0.. {
        let files = SimulatedFiles::of(&damaged);
        files.break_after(operation, Fault::Stopped);
        drop(load(&files));
        let again =
            load(&SimulatedFiles::of(&files.contents())).unwrap_or_else(|error| panic!("{operation}: {error}")).1;
        assert_eq!(again.durable, whole, "operation {operation}");
        if files.operations() <= operation {
            return; // It came to its end.
        }
    }
}
