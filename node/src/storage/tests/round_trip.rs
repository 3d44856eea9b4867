//! What is stored is found again.

use super::super::mirror::UNSYNCED_MAX;
use super::*;

#[test]
fn a_new_folder_has_nothing_and_says_so() {
    let files = new_folder();
    for _ in 0..3 {
        let (storage, loaded) = load(&files).unwrap();
        assert_eq!(loaded, Loaded { is_new: true, ..Loaded::default() });
        drop(storage);
    }
}

#[test]
fn after_each_call_a_restart_finds_what_the_image_says() {
    for seed in 0..12 {
        let mut writer = Writer::new(seed);
        let mut files = new_folder();
        let (mut storage, _) = load(&files).unwrap();
        for number in 0..60 {
            let call = writer.call();
            storage.store(&call).unwrap();
            match writer.up_to(3) {
                0 => drop(storage),
                1 => files = kill(storage, &files),
                _ => continue,
            }
            let (again, loaded) = load(&files).unwrap();
            assert_eq!(loaded.durable, writer.durable(), "seed {seed}, call {number}");
            assert_eq!((loaded.is_new, loaded.damaged), (false, None), "seed {seed}, call {number}");
            storage = again;
        }
        drop(storage);
        assert_eq!(load(&files).unwrap().1.durable, writer.durable(), "seed {seed}");
        let names: Vec<String> = files.contents().into_keys().collect();
        let snapshots = names.iter().filter(|name| name.starts_with("snapshot-")).count();
        assert_eq!(names.len(), 2 + snapshots, "{names:?}");
        assert!(snapshots <= 1, "{names:?}");
    }
}

#[test]
fn a_call_without_a_snapshot_or_another_hard_state_syncs_once() {
    let files = new_folder();
    let (mut storage, _) = load(&files).unwrap();
    let (calls, _) = small_store(40);
    let mut once = 0;
    for call in &calls {
        let before = files.syncs();
        storage.store(call).unwrap();
        let syncs = files.syncs() - before;
        let promises = call[0].hard_state.is_some();
        assert!(syncs <= if promises { 2 } else { 1 }, "{syncs} syncs");
        once += u32::from(syncs == 1);
    }
    assert!(once >= 26, "{once}");
    // Many writes, one call: one sync.
    let writes: Vec<Write> = {
        let (calls, _) = small_store(60);
        calls[40..].iter().map(|call| Write { hard_state: None, ..call[0].clone() }).collect()
    };
    let before = files.syncs();
    storage.store(&writes).unwrap();
    assert_eq!(files.syncs() - before, 1);
    // Now and then, the mirror is synced besides.
    storage.store(&writes[..1]).unwrap(); // It cuts the log, and the database may become smaller.
    let before = files.syncs();
    for _ in 0..3 * UNSYNCED_MAX {
        storage.store(&writes[..1]).unwrap();
    }
    assert_eq!(files.syncs() - before, u64::from(3 * UNSYNCED_MAX + 3));
}

#[test]
fn room_that_removed_entries_leave_is_used_again() {
    let files = new_folder();
    let (mut storage, _) = load(&files).unwrap();
    let mut writer = Writer::new(3);
    let mut most = [0; 2];
    for round in 0..40 {
        for _ in 0..20 {
            let after = writer.image.log().last().index;
            let entry = Entry { term: Term(1), payload: Payload::Command(Bytes::from(vec![round as u8; 4000])) };
            let hard_state = Some(HardState { term: Term(1), ..HardState::default() });
            let log = Some(LogWrite { after, entries: [entry].into_iter().collect() });
            let receipt = Receipt { sequence: 1, last: EntryId::ZERO };
            let write = Write { hard_state, snapshot: None, log, receipt };
            writer.image.take(&write, write.parts());
            storage.store(&[write]).unwrap();
        }
        let last = writer.image.log().last();
        let write = Write {
            hard_state: None,
            snapshot: Some(writer.snapshot(last)),
            log: None,
            receipt: Receipt { sequence: 1, last },
        };
        writer.image.take(&write, write.parts());
        storage.store(&[write]).unwrap();
        let half = usize::from(round >= 5);
        most[half] = most[half].max(files.used());
    }
    assert!(most[1] <= most[0] + 100_000, "it grew from {} to {} bytes", most[0], most[1]);
    drop(storage);
    assert_eq!(load(&files).unwrap().1.durable, writer.durable());
}

#[test]
fn a_storage_of_another_disk_is_not_read() {
    let files = new_folder();
    drop(load(&files).unwrap());
    let error = FileStorage::open_files(Box::new(files), DiskId(5), None).unwrap_err();
    assert!(error.to_string().contains("mirror: this file can't be read"), "{error}");
}

#[test]
#[should_panic(expected = "loaded before")]
fn nothing_is_stored_before_it_is_known_what_is_there() {
    let mut storage = open(&new_folder()).unwrap();
    let _ = storage.store(&small_store(1).0[0]);
}
