//! Data folders on a real disk, as a driver uses them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use raft_core::raft::{
    Configuration, DiskId, Durable, Entry, EntryId, HardState, LogIndex, LogWrite, Payload, Receipt, SNAPSHOT_SIZE_MAX,
    ServerId, ServerSet, Snapshot, SnapshotMeta, Standing, Term, Write,
};
use raftarium_node::storage::{
    FORMAT, FileStorage, Folder, FolderError, FolderSettings, Founded, KnownDisks, Loaded, Storage as _, StorageError,
};
use tempfile::TempDir;

fn server(number: u8) -> ServerId {
    ServerId::new(number).unwrap()
}

fn settings() -> FolderSettings {
    let founded = Founded::Bootstrap([1, 2, 3].map(server).into_iter().collect());
    FolderSettings { cluster: "orchard".to_owned(), server: server(2), founded }
}

fn new_folder() -> (TempDir, Folder) {
    let at = tempfile::tempdir().unwrap();
    let folder = Folder::open_or_create(at.path(), &settings()).unwrap();
    (at, folder)
}

/// Why a folder can't be opened, without the path of the test's folder.
fn refusal(at: &Path, settings: &FolderSettings) -> (FolderError, String) {
    let error = Folder::open_or_create(at, settings).unwrap_err();
    let sentence = error.to_string().replace(&at.display().to_string(), "DIR");
    (error, sentence)
}

/// Something of everything.
fn writes() -> Vec<Write> {
    let last = EntryId::new(LogIndex(2), Term(3));
    let configuration = Configuration::of_voters(ServerSet::first(3));
    let meta = SnapshotMeta { last, configuration, configuration_index: LogIndex(1) };
    let hard_state = HardState {
        term: Term(5),
        voted_for: Some(server(3)),
        standing: Standing::Member,
        decided_at: LogIndex(2),
        lost: EntryId::ZERO,
        disk: DiskId(77),
        asking_life: 4,
    };
    let payloads = [
        Payload::NoOp,
        Payload::Command(b"x=1"[..].into()),
        Payload::Command(vec![9; 100].into()),
        Payload::Membership(configuration.into()),
        Payload::Admission { server: server(3), disk: DiskId(300) },
    ];
    let entries = payloads.into_iter().map(|payload| Entry { term: Term(4), payload }).collect();
    let receipt = Receipt { sequence: 1, last: EntryId::ZERO };
    vec![
        Write { hard_state: Some(hard_state), snapshot: None, log: None, receipt },
        Write {
            hard_state: None,
            snapshot: Some(Snapshot::new(meta, b"the state machine"[..].into()).into()),
            log: Some(LogWrite { after: LogIndex(2), entries }),
            receipt,
        },
    ]
}

fn written() -> Durable {
    let [hard, rest] = &writes()[..] else { unreachable!() };
    let entries = rest.log.as_ref().unwrap().entries.as_slice().to_vec();
    Durable { hard_state: hard.hard_state.unwrap(), snapshot: rest.snapshot.clone(), entries }
}

#[test]
fn what_is_stored_in_a_folder_is_there_when_it_is_opened_again() {
    let (at, folder) = new_folder();
    assert!(folder.is_new() && folder.disk_id() != DiskId(0));
    let mut storage = FileStorage::open(&folder).unwrap();
    assert!(storage.load().unwrap().is_new);
    storage.store(&writes()).unwrap();
    let disk = folder.disk_id();
    drop((storage, folder));
    for _ in 0..2 {
        let folder = Folder::open_or_create(at.path(), &settings()).unwrap();
        assert_eq!((folder.disk_id(), folder.is_new(), folder.founded()), (disk, false, settings().founded));
        assert_eq!((folder.cluster(), folder.server(), folder.path()), ("orchard", server(2), at.path()));
        let loaded = FileStorage::open(&folder).unwrap().load().unwrap();
        assert_eq!(loaded, Loaded { durable: written(), is_new: false, damaged: None });
    }
}

#[test]
fn no_two_disks_have_the_same_number() {
    let disks: Vec<DiskId> = (0..20).map(|_| new_folder().1.disk_id()).collect();
    for (place, disk) in disks.iter().enumerate() {
        assert!(!disks[..place].contains(disk));
    }
}

#[test]
fn folders_above_are_created_too() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("cluster/7/server-2");
    assert!(Folder::open_or_create(&path, &settings()).unwrap().is_new());
    assert!(!Folder::open_or_create(&path, &settings()).unwrap().is_new());
}

#[test]
fn a_founding_that_was_recorded_stays_as_it_is() {
    let (at, folder) = new_folder();
    drop(folder);
    let joining = FolderSettings { founded: Founded::Joining, ..settings() };
    assert_eq!(Folder::open_or_create(at.path(), &joining).unwrap().founded(), settings().founded);
    let at = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert_eq!(Folder::open_or_create(at.path(), &joining).unwrap().founded(), Founded::Joining);
    }
}

#[test]
fn a_folder_of_somebody_else_is_refused_in_a_sentence() {
    let (at, folder) = new_folder();
    drop(folder);
    let other = FolderSettings { cluster: "garden".to_owned(), ..settings() };
    let (error, sentence) = refusal(at.path(), &other);
    assert!(matches!(error, FolderError::OtherCluster { .. }));
    assert_eq!(
        sentence,
        r#"DIR belongs to the cluster "orchard", and not to "garden": give each cluster folders of its own"#
    );
    let other = FolderSettings { server: server(3), ..settings() };
    let (error, sentence) = refusal(at.path(), &other);
    assert!(matches!(error, FolderError::OtherServer { .. }));
    assert_eq!(sentence, "DIR belongs to server S2, and not to S3: give each server a folder of its own");
}

#[test]
fn one_process_uses_a_folder_at_a_time() {
    let (at, folder) = new_folder();
    let (error, sentence) = refusal(at.path(), &settings());
    assert!(matches!(error, FolderError::Locked { process: Some(process), .. } if process == std::process::id()));
    assert_eq!(sentence, format!("DIR is in use by process {}: stop that one first", std::process::id()));
    let storage = FileStorage::open(&folder).unwrap();
    assert!(matches!(FileStorage::open(&folder), Err(StorageError::Failed { .. })));
    // The storage holds the lock, too.
    drop(folder);
    assert!(matches!(refusal(at.path(), &settings()).0, FolderError::Locked { .. }));
    drop(storage);
    let folder = Folder::open_or_create(at.path(), &settings()).unwrap();
    FileStorage::open(&folder).unwrap();
    FileStorage::open(&folder).unwrap();
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let at = tempfile::tempdir().unwrap();
    fs::write(at.path().join("thesis.txt"), "everything").unwrap();
    let (error, sentence) = refusal(at.path(), &settings());
    assert!(matches!(error, FolderError::NotOurs { .. }));
    assert_eq!(
        sentence,
        r#"DIR is not empty, and not a data folder of Raftarium: it holds "thesis.txt"; choose another one"#
    );
    assert_eq!(fs::read_dir(at.path()).unwrap().count(), 1);
}

#[test]
fn a_later_format_is_refused() {
    let (at, folder) = new_folder();
    drop(folder);
    let file = at.path().join("folder.json");
    for more in ["", r#""colour": "green","#] {
        let text = fs::read_to_string(&file).unwrap();
        let later = text.replace(r#""format": 2,"#, &format!(r#""format": 3,{more}"#));
        assert_ne!(later, text);
        fs::write(&file, later).unwrap();
        let (error, sentence) = refusal(at.path(), &settings());
        assert!(matches!(error, FolderError::LaterVersion { found: 3, .. }), "{sentence}");
        assert!(sentence.starts_with("DIR has the format 3, and this version of Raftarium knows formats up to 2"));
        fs::write(&file, text).unwrap();
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let at = tempfile::tempdir().unwrap();
    for cluster in ["".to_owned(), "x".repeat(256)] {
        let (error, sentence) = refusal(at.path(), &FolderSettings { cluster, ..settings() });
        assert!(matches!(error, FolderError::Settings(_)));
        assert!(sentence.starts_with("the cluster's name has "), "{sentence}");
    }
    let (_, sentence) = refusal(at.path(), &FolderSettings { server: server(4), ..settings() });
    assert_eq!(sentence, "server S4 can't found a cluster in which it doesn't vote: name it among the voters");
    assert_eq!(fs::read_dir(at.path()).unwrap().count(), 0);
}

#[test]
fn what_is_no_folder_or_may_not_be_written_is_refused() {
    let at = tempfile::tempdir().unwrap();
    let file = at.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below"), "/proc/raftarium".into()] {
        let (error, sentence) = refusal(&path, &settings());
        assert!(matches!(error, FolderError::Failed { .. }), "{sentence}");
        assert!(sentence.contains(" failed: "), "{sentence}");
    }
}

#[test]
fn a_damaged_or_edited_folder_file_is_never_believed() {
    let (at, folder) = new_folder();
    drop(folder);
    let file = at.path().join("folder.json");
    let right = fs::read(&file).unwrap();
    let refuse = |bytes: &[u8], what: &str| {
        fs::write(&file, bytes).unwrap();
        let (error, sentence) = refusal(at.path(), &settings());
        assert!(matches!(error, FolderError::Damaged { .. } | FolderError::LaterVersion { .. }), "{what}: {sentence}");
    };
    for place in 0..right.len() {
        for bit in 0..8 {
            let mut flipped = right.clone();
            flipped[place] ^= 1 << bit;
            refuse(&flipped, &format!("bit {bit} of byte {place}"));
        }
        refuse(&right[..place], &format!("cut to {place}"));
    }
    refuse(&[&right[..], b" "].concat(), "lengthened");
    refuse(&[b' '; 100_000], "very long");
    fs::write(&file, &right).unwrap();
    Folder::open_or_create(at.path(), &settings()).unwrap();
}

#[test]
fn a_folder_that_lost_a_file_is_not_a_new_one() {
    for name in ["folder.json", "state.redb", "mirror", "disks.json"] {
        let (at, folder) = new_folder();
        drop(folder);
        fs::remove_file(at.path().join(name)).unwrap();
        let (error, sentence) = refusal(at.path(), &settings());
        assert!(matches!(error, FolderError::Damaged { .. }), "{sentence}");
        assert_eq!(
            sentence,
            format!(
                "DIR/{name}: this file is missing: remove this server from the cluster, empty the folder, and add the \
                 server again"
            )
        );
    }
}

/// The creation stops anywhere, and `folder.json.new` is still there.
#[test]
fn a_creation_that_was_interrupted_begins_again() {
    let steps = ["folder.json.new", "state.redb", "mirror", "disks.json"];
    for count in 1..=steps.len() {
        let at = tempfile::tempdir().unwrap();
        for name in &steps[..count] {
            fs::write(at.path().join(name), "half of it").unwrap();
        }
        let folder = Folder::open_or_create(at.path(), &settings()).unwrap();
        assert!(folder.is_new());
        assert!(FileStorage::open(&folder).unwrap().load().unwrap().is_new);
        assert!(!at.path().join("folder.json.new").exists());
    }
}

/// Stores a snapshot of so many bytes where none may have more than `size_max`, and finds it again.
/// Returns the folder.
fn store_snapshot(size: u64, size_max: u64) -> (tempfile::TempDir, Folder) {
    let (at, folder) = new_folder();
    let open = || FileStorage::open(&folder).unwrap().with_snapshot_size_max(size_max);
    let mut storage = open();
    storage.load().unwrap();
    let data: Vec<u8> = (0..size).map(|place| (place.wrapping_mul(0x9e37_79b9) >> 13) as u8).collect();
    let meta = written().snapshot.unwrap().meta.clone();
    let snapshot = Arc::new(Snapshot::new(meta, data.into()));
    let hard_state = Some(HardState { term: Term(3), ..HardState::default() });
    let receipt = Receipt { sequence: 1, last: snapshot.meta.last };
    storage.store(&[Write { hard_state, snapshot: Some(Arc::clone(&snapshot)), log: None, receipt }]).unwrap();
    drop(storage);
    let loaded = open().load().unwrap();
    assert_eq!(loaded.damaged, None);
    assert!(loaded.durable.snapshot == Some(snapshot), "another snapshot");
    (at, folder)
}

#[test]
fn a_snapshot_of_many_pieces_is_found_again() {
    store_snapshot((5 << 20) + 1, SNAPSHOT_SIZE_MAX);
}

/// Around a lower limit, of some pieces: the code doesn't know that it isn't the real one.
const LOWER_LIMIT: u64 = (3 << 20) + 17;

#[test]
fn snapshots_below_and_at_the_limit_are_found_again() {
    store_snapshot(LOWER_LIMIT - 1, LOWER_LIMIT);
    store_snapshot(LOWER_LIMIT, LOWER_LIMIT);
}

/// The core refuses it before, so that it is an error of ours.
#[test]
#[should_panic(expected = "the core takes no snapshot of 3145746 bytes: at most 3145745")]
fn a_snapshot_above_the_limit_is_no_snapshot() {
    store_snapshot(LOWER_LIMIT + 1, LOWER_LIMIT);
}

/// No memory is taken for it.
#[test]
fn a_stored_snapshot_above_the_limit_is_refused_with_its_size() {
    let (_at, folder) = store_snapshot(LOWER_LIMIT + 1, SNAPSHOT_SIZE_MAX);
    let mut storage = FileStorage::open(&folder).unwrap().with_snapshot_size_max(LOWER_LIMIT);
    let why = storage.load().unwrap_err().to_string();
    assert!(why.contains("holds a snapshot of 3145746 bytes, and none has more than 3145745"), "{why}");
}

/// A limit that is set is never higher than the real one.
#[test]
#[ignore = "takes 2 GiB of memory"]
#[should_panic(expected = "the core takes no snapshot of 1073741825 bytes: at most 1073741824")]
fn no_limit_is_higher_than_the_largest_snapshot() {
    store_snapshot(SNAPSHOT_SIZE_MAX + 1, u64::MAX);
}

#[test]
#[ignore = "takes 1 GiB of disk and 3 GiB of memory"]
fn the_largest_snapshot_is_found_again() {
    store_snapshot(SNAPSHOT_SIZE_MAX, SNAPSHOT_SIZE_MAX);
}

/// Where the folder of a format is kept.
fn golden(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/storage/format-{format}"))
}

/// A row of zeros takes nine bytes: a zero, and how many there are, lowest byte first.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        packed.push(*first);
        let zeros = rest.iter().take_while(|byte| **byte == 0).count();
        if zeros > 0 {
            packed.extend((zeros as u64).to_le_bytes());
        }
        rest = &rest[zeros.max(1)..];
    }
    packed
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = packed;
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first == 0 {
            let (count, more) = more.split_first_chunk().unwrap();
            bytes.resize(bytes.len() + u64::from_le_bytes(*count) as usize, 0);
            rest = more;
        } else {
            bytes.push(*first);
        }
    }
    bytes
}

/// Written once, and never again: folders of this format must be readable for ever.
#[test]
#[ignore = "writes the golden files of the format"]
fn write_the_golden_files() {
    let golden = golden(FORMAT);
    assert!(!golden.exists(), "the golden files of a format are written once");
    let (at, folder) = new_folder();
    let mut storage = FileStorage::open(&folder).unwrap();
    storage.load().unwrap();
    storage.store(&writes()).unwrap();
    let known = KnownDisks::open(&folder).unwrap();
    for (number, disk, admitted_at) in DISKS {
        known.recognise(server(number), DiskId(disk), LogIndex(admitted_at)).unwrap();
    }
    drop((storage, folder));
    fs::create_dir_all(&golden).unwrap();
    for entry in fs::read_dir(at.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name != "lock" {
            let bytes = fs::read(entry.path()).unwrap();
            assert_eq!(unpacked(&packed(&bytes)), bytes);
            fs::write(golden.join(name + ".packed"), packed(&bytes)).unwrap();
        }
    }
}

/// The disks that the kept folders know: the server, its disk, and the entry that admitted that.
const DISKS: [(u8, u64, u64); 2] = [(1, 0xfedc_ba98_7654_3210, 0), (3, 300, 5)];

/// Puts a folder of that format together, as it is kept.
fn kept(format: u32) -> TempDir {
    let at = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(golden(format)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let name = name.strip_suffix(".packed").unwrap();
        fs::write(at.path().join(name), unpacked(&fs::read(entry.path()).unwrap())).unwrap();
    }
    at
}

/// Nothing was noted in the first format's folder, and nobody knows whether that was lost.
#[test]
fn folders_of_format_1_are_readable_for_ever() {
    let at = kept(1);
    is_readable(&at);
    assert!(!at.path().join("disks.json").exists());
    let folder = Folder::open_or_create(at.path(), &settings()).unwrap();
    let known = KnownDisks::open(&folder).unwrap();
    known.recognise(server(1), DiskId(7), LogIndex(0)).unwrap();
    let known = KnownDisks::open(&folder).unwrap();
    assert!(known.recognise(server(1), DiskId(8), LogIndex(0)).is_err());
}

#[test]
fn folders_of_format_2_are_readable_for_ever() {
    let at = kept(2);
    is_readable(&at);
    let folder = Folder::open_or_create(at.path(), &settings()).unwrap();
    let known = KnownDisks::open(&folder).unwrap();
    for (number, disk, admitted_at) in DISKS {
        known.recognise(server(number), DiskId(disk), LogIndex(admitted_at)).unwrap();
        assert!(known.recognise(server(number), DiskId(8), LogIndex(admitted_at)).is_err());
    }
}

/// Looks whether a kept folder holds what was written, and can be written to.
fn is_readable(at: &TempDir) {
    let folder = Folder::open_or_create(at.path(), &settings()).unwrap();
    assert!(!folder.is_new());
    let mut storage = FileStorage::open(&folder).unwrap();
    let loaded = storage.load().unwrap();
    assert_eq!(loaded, Loaded { durable: written(), is_new: false, damaged: None });
    // And they can be written to.
    let log = Some(LogWrite { after: LogIndex(3), entries: Default::default() });
    let receipt = Receipt { sequence: 1, last: EntryId::ZERO };
    storage.store(&[Write { hard_state: None, snapshot: None, log, receipt }]).unwrap();
    drop(storage);
    let mut expected = written();
    expected.entries.truncate(1);
    assert_eq!(FileStorage::open(&folder).unwrap().load().unwrap().durable, expected);
}
