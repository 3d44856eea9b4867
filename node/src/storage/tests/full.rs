//! A full disk: nothing of a call is stored, and calls go on when there is room.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use super::super::{Folder, FolderSettings, Founded};
use super::*;

#[test]
fn wherever_there_is_no_room_the_call_can_be_made_again() {
    let (mut times, mut failed) = (0, 0);
    for seed in 40..43 {
        let mut writer = Writer::new(seed);
        let mut expected = vec![writer.durable()];
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let call = writer.call();
                expected.push(writer.durable());
                call
            })
            .collect();
        // Until all of it goes well, because there aren't so many operations.
        for operation in 0.. {
            let files = new_folder();
            let (mut storage, _) = load(&files).unwrap();
            files.break_after(operation, Fault::FullOnce);
            for (number, call) in calls.iter().enumerate() {
                let when = format!("seed {seed}, operation {operation}, call {number}");
                match storage.store(call) {
                    Ok(()) => continue,
                    Err(StorageError::Full) => times += 1,
                    // The mirror is written in a place that it has already. There are file systems
                    // that need room for that, too: then the call is stored, and the server stops.
                    Err(StorageError::Failed { what, .. }) if what.contains("mirror") => {
                        failed += 1;
                        drop(storage);
                        storage = open(&files).unwrap();
                        assert_eq!(storage.load().unwrap().durable, expected[number + 1], "{when}");
                        continue;
                    }
                    Err(other) => panic!("{when}: {other}"),
                }
                let left = load(&SimulatedFiles::of(&files.contents())).unwrap().1;
                assert_eq!((left.durable, left.damaged), (expected[number].clone(), None), "{when}");
                storage.store(call).unwrap_or_else(|error| panic!("{when}: {error}"));
            }
            let never_full = files.is_broken();
            drop(storage);
            files.mend();
            assert_eq!(load(&files).unwrap().1.durable, writer.durable());
            if never_full {
                break;
            }
        }
    }
    assert!(times > 50 && failed > 0, "{times} {failed}");
}

#[test]
fn a_disk_that_stays_full_refuses_every_call_and_takes_them_later() {
    let files = new_folder();
    let (mut storage, _) = load(&files).unwrap();
    files.set_room(Some(files.used() + 20_000));
    let mut writer = Writer { command_max: 20_000, ..Writer::new(50) };
    let mut stored = writer.durable();
    let refused = loop {
        let call = writer.call();
        match storage.store(&call) {
            Ok(()) => stored = writer.durable(),
            Err(StorageError::Full) => break call,
            Err(other) => panic!("{other}"),
        }
    };
    for _ in 0..5 {
        assert!(matches!(storage.store(&refused), Err(StorageError::Full)));
    }
    assert_eq!(load(&SimulatedFiles::of(&files.contents())).unwrap().1.durable, stored);
    files.set_room(None);
    storage.store(&refused).unwrap();
    drop(storage);
    assert_eq!(load(&files).unwrap().1.durable, writer.durable());
}

/// The part of a snapshot that found room would take it from the entries.
#[test]
fn a_snapshot_that_finds_no_room_leaves_nothing_behind() {
    let files = new_folder();
    let (mut storage, _) = load(&files).unwrap();
    let (calls, _) = small_store(3);
    for call in &calls {
        storage.store(call).unwrap();
    }
    let before = files.used();
    files.set_room(Some(before + 3_500_000));
    let last = EntryId::new(LogIndex(3), Term(1));
    let meta = SnapshotMeta { last, configuration: Configuration::default(), configuration_index: LogIndex(0) };
    let snapshot = Some(Arc::new(Snapshot::new(meta, vec![3; 5_000_000].into())));
    let write = Write { hard_state: None, snapshot, log: None, receipt: Receipt { sequence: 4, last } };
    assert!(matches!(storage.store(std::slice::from_ref(&write)), Err(StorageError::Full)));
    assert_eq!(files.used(), before);
    files.set_room(None);
    storage.store(&[write]).unwrap();
    assert!(files.used() > before + 5_000_000);
}

/// A small file system in memory, for as long as this lives.
struct SmallDisk<'a>(&'a Path);

impl SmallDisk<'_> {
    fn mount(at: &Path, bytes: u64) -> Option<SmallDisk<'_>> {
        let size = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "raftarium-test"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(SmallDisk(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "{} is still mounted", self.0.display());
    }
}

#[test]
fn a_real_disk_that_fills_up_loses_nothing() {
    let at = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(at.path(), 8 << 20) else {
        // The harness hides what tests print, and a test that is skipped must say so.
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "SKIPPED a_real_disk_that_fills_up_loses_nothing: only root can mount a small disk").unwrap();
        return;
    };
    let data = at.path().join("server");
    let ballast = at.path().join("ballast");
    let voters = ServerSet::first(3);
    let settings =
        FolderSettings { cluster: "test".to_owned(), server: ServerId::FIRST, founded: Founded::Bootstrap(voters) };
    let folder = Folder::open_or_create(&data, &settings).unwrap();
    let mut storage = FileStorage::open(&folder).unwrap();
    storage.load().unwrap();
    let mut writer = Writer { command_max: 20_000, ..Writer::new(60) };
    let mut stored = writer.durable();
    let mut refusals = 0;
    for number in 0..60 {
        if number == 10 {
            let mut file = std::fs::File::create(&ballast).unwrap();
            let error = std::iter::repeat_with(|| file.write_all(&[1; 4096])).find_map(Result::err).unwrap();
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        }
        let call = writer.call();
        while let Err(error) = storage.store(&call) {
            assert!(matches!(error, StorageError::Full), "call {number}: {error}");
            refusals += 1;
            if refusals < 3 {
                continue;
            }
            // What was answered is there, though there is no room for anything else.
            drop(storage);
            storage = FileStorage::open(&folder).unwrap();
            assert_eq!(storage.load().unwrap().durable, stored, "call {number}");
            std::fs::remove_file(&ballast).unwrap();
        }
        stored = writer.durable();
    }
    assert_eq!(refusals, 3, "it never filled up");
    drop(storage);
    drop(folder);
    let folder = Folder::open_or_create(&data, &settings).unwrap();
    assert_eq!(FileStorage::open(&folder).unwrap().load().unwrap().durable, stored);
}
