//! Messages as bytes between servers, and as JSON: what is written is read again, a change of it is
//! noticed, and nothing that a peer sends does more than be refused.

#[path = "support/any_message.rs"]
mod any_message;

use std::collections::BTreeSet;
use std::fmt::Display;

use proptest::collection::vec;
use proptest::prelude::*;
use raft_core::codec::{DecodeError, Problem};
use raft_core::format::message::{read, write};
use raft_core::raft::{
    DiskId, Entries, Entry, EntryId, FactTaker, HardState, LogIndex, Message, ServerId, SnapshotMeta, Standing, Term,
};

use any_message::{any_message, one_of_each};

fn bytes_of(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn problem(bytes: &[u8]) -> (u64, &'static str, Problem) {
    let DecodeError { offset, expected, problem } = Message::decode(bytes).unwrap_err();
    (offset, expected, problem)
}

/// Servers of several releases talk to each other, and recordings live on: these are for good. With
/// `UPDATE_MESSAGES=1` they are written: to add some.
#[test]
fn the_bytes_and_the_json_of_messages_stay_as_they_are() {
    let of_each = |m: &Message| format!("{} {}\n{}\n", m.name(), hex(&bytes_of(m)), write(m));
    let written: String = one_of_each().iter().map(of_each).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wire/messages.txt");
    if std::env::var_os("UPDATE_MESSAGES").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    for (written, kept) in written.lines().zip(kept.lines()) {
        assert_eq!(written, kept);
    }
    assert_eq!(written.lines().count(), kept.lines().count());
}

#[test]
fn there_is_one_of_each() {
    let places: BTreeSet<usize> = one_of_each().iter().map(Message::place).collect();
    assert_eq!(places, (0..Message::COUNT).collect());
}

#[test]
fn every_piece_of_a_message_is_refused_as_cut_short() {
    for message in one_of_each() {
        let bytes = bytes_of(&message);
        assert_eq!(Message::decode(&bytes).as_ref(), Ok(&message));
        for end in 0..bytes.len() {
            let (offset, expected, why) = problem(&bytes[..end]);
            assert_eq!(why, Problem::Ended, "{} up to {end}: {expected}", message.name());
            assert!(offset <= end as u64);
        }
        let more = [&bytes[..], &[0]].concat();
        assert_eq!(problem(&more), (bytes.len() as u64, "the end", Problem::Trailing { bytes: 1 }));
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    type Case<'a> = (&'a [u8], (u64, &'a str, Problem));
    let cases: [Case<'_>; 12] = [
        (&[], (0, "version 1", Problem::Ended)),
        (&[2, 9, 5], (0, "version 1", Problem::UnknownByte { found: 2 })),
        (&[1, 0], (1, "the number of a message", Problem::UnknownByte { found: 0 })),
        (&[1, 200, 5], (1, "the number of a message", Problem::UnknownByte { found: 200 })),
        (&[1, 9, 0x80, 0], (2, "`term` of TimeoutNow", Problem::BadNumber)),
        (&[1, 4, 5, 2], (3, "`granted` of RequestVoteResponse", Problem::UnknownByte { found: 2 })),
        (&[1, 8, 5, 1, 7, 4, 4], (6, "`progress` of InstallSnapshotResponse", Problem::UnknownByte { found: 4 })),
        // An entry that says nothing known; servers that don't exist, come twice, or are too many.
        (&[1, 5, 5, 7, 4, 1, 5, 9], (7, "`entries` of AppendEntries", Problem::UnknownByte { found: 9 })),
        (&[1, 5, 5, 7, 4, 1, 5, 4, 0], (8, "`entries` of AppendEntries", Problem::UnknownByte { found: 0 })),
        (&[1, 7, 5, 1, 7, 4, 2, 3, 3], (8, "`meta` of InstallSnapshot", Problem::OutOfOrder)),
        (&[1, 7, 5, 1, 7, 4, 1, 128], (7, "`meta` of InstallSnapshot", Problem::UnknownByte { found: 128 })),
        (&[1, 7, 5, 1, 7, 4, 128, 1], (6, "`meta` of InstallSnapshot", Problem::UnknownByte { found: 128 })),
    ];
    for (bytes, expected) in cases {
        assert_eq!(problem(bytes), expected, "{bytes:?}");
    }
}

/// Whatever length is claimed, what follows is looked at first. (Room for so many entries, or so
/// many bytes, there would be nowhere.)
#[test]
fn a_claimed_length_allocates_nothing() {
    let longest: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let entries = [&[1, 5, 5, 7, 4], longest, &[5, 1, 5, 1]].concat();
    assert_eq!(problem(&entries), (5, "`entries` of AppendEntries", Problem::Ended));
    // Two entries have four bytes at least.
    assert_eq!(problem(&[1, 5, 5, 7, 4, 2, 5, 1, 5]), (5, "`entries` of AppendEntries", Problem::Ended));
    let command = [&[1, 5, 5, 7, 4, 1, 5, 2], longest, b"x=1"].concat();
    assert_eq!(problem(&command), (18, "`entries` of AppendEntries", Problem::Ended));
    let piece = [&[1, 7, 5, 1, 7, 4, 0, 0, 0, 3, 9, 1, 0], longest, b"state"].concat();
    assert_eq!(problem(&piece), (23, "`piece` of InstallSnapshot", Problem::Ended));
}

#[test]
fn what_is_wrong_with_json_is_said_in_a_sentence() {
    let long = "x".repeat(100_000);
    for (text, sentence) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[]", "expected an object with the text message"),
        (r#"{"message":7}"#, "expected an object with the text message"),
        (r#"{"message":"ping-pong"}"#, "there is no message \"ping-pong\""),
        (&format!(r#"{{"message":"{long}"}}"#), &format!("there is no message {:?}", &long[..40])),
        (r#"{"message":"timeout-now"}"#, "timeout-now needs the field term"),
        (r#"{"message":"timeout-now","term":1,"x":2}"#, "timeout-now has no field \"x\""),
        (r#"{"message":"timeout-now","term":-1}"#, "term: expected a number, not -1"),
        (r#"{"message":"timeout-now","term":"1"}"#, "term: expected a number, not a text"),
        (r#"{"message":"pre-vote","term":1,"last":{"index":1}}"#, "last: an object needs the field term"),
        (r#"{"message":"pre-vote","term":1,"last":{"index":1.5,"term":1}}"#, "last.index: expected a number, not 1.5"),
        (r#"{"message":"request-vote-response","term":1,"granted":null}"#, "granted: expected true or false, not null"),
    ] {
        assert_eq!(read(text).unwrap_err().to_string(), sentence);
    }
    let append = |entry: &str| {
        let text = r#"{"message":"append-entries","term":1,"previous":{"index":0,"term":0},"commit":0,"round":1,"probe":1,"entries":[{"term":1,"payload":ENTRY}]}"#;
        read(&text.replace("ENTRY", entry)).map_err(|error| error.to_string())
    };
    assert!(append(r#"{"is":"admission","server":"S127","disk":1}"#).is_ok());
    let servers =
        |voters| format!(r#"{{"is":"membership","configuration":{{"voters":{voters},"outgoing":[],"learners":[]}}}}"#);
    assert!(append(&servers(r#"["S1","S2"]"#)).is_ok());
    for (entry, sentence) in [
        (r#"{"is":"wish"}"#, "entries.payload: \"wish\" is none of what it can be"),
        (r#"{"is":"no-op","more":1}"#, "entries.payload: no-op has no field \"more\""),
        (r#"{"is":"command","command":"§"}"#, "entries.payload.command: expected bytes in base64url, not a text"),
        (&servers(r#"["S2","S1"]"#), "entries.payload.configuration.voters: S1 isn't above the one before it"),
        (&servers("7"), "entries.payload.configuration.voters: expected a list of servers, not 7"),
    ] {
        assert_eq!(append(entry), Err(sentence.to_owned()));
    }
    for server in ["S0", "S128", "S01", "S+1", "s1", "S", "1"] {
        let error = append(&format!(r#"{{"is":"admission","server":"{server}","disk":1}}"#)).unwrap_err();
        assert_eq!(error, "entries.payload.server: expected a server, like \"S3\", not a text", "{server}");
    }
}

/// The page shows these.
#[test]
fn what_people_are_told_of_a_message() {
    struct Told(Vec<String>);
    impl FactTaker for Told {
        fn text(&mut self, label: &'static str, text: &dyn Display) {
            self.0.push(format!("{label}: {text}"));
        }

        fn entries(&mut self, label: &'static str, entries: &Entries) {
            self.0.push(format!("{label}: {} of them", entries.len()));
        }
    }
    let told = |message: &Message| {
        let mut told = Told(Vec::new());
        message.facts(&mut told);
        let [term, rest @ ..] = &told.0[..] else { panic!("{} has a term", message.name()) };
        assert_eq!(*term, "term: 5");
        rest.join(", ")
    };
    let told: Vec<String> = one_of_each().iter().map(told).collect();
    assert_eq!(
        told,
        [
            "last entry: 7@4",
            "granted: yes",
            "last entry: 7@4",
            "granted: no",
            "previous entry: 7@4, entries: 4 of them, leader’s commit index: 6, round: 11",
            "matches up to: 6",
            "matches on a new disk, up to: 6",
            "refused: lacks the entry at 9; the logs may agree up to 7@4",
            "refused: its disk lost what comes after 7@4",
            "refused: the term is over",
            "stands for: everything up to 7@4, piece: from byte 500 of 1000",
            "has received: 505 bytes",
            "has installed: everything up to 7",
            "refused: the term is over",
            "",
            "request: 13",
            "index: 8",
            "index: none",
        ]
    );
    let yes: Vec<bool> = one_of_each().iter().map(Message::says_yes).collect();
    let refusals = [3, 7, 8, 9, 13, 17];
    assert_eq!(yes, (0..18).map(|place| !refusals.contains(&place)).collect::<Vec<_>>());
}

/// What a disk holds, as bytes: the same for ever, because a later release reads the disks of this
/// one.
#[test]
fn the_bytes_of_what_disks_hold_stay_as_they_are() {
    let id = |index, term| EntryId::new(LogIndex(index), Term(term));
    let states = [
        (HardState::default(), "0000010000000000"),
        (
            HardState {
                term: Term(300),
                voted_for: ServerId::new(127),
                standing: Standing::Joining,
                decided_at: LogIndex(6),
                lost: id(8, 5),
                disk: DiskId(u64::MAX),
                asking_life: u32::MAX,
            },
            "ac02017f02060805ffffffffffffffffff01ffffffff0f",
        ),
        (HardState { standing: Standing::Barred, ..HardState::default() }, "0000030000000000"),
    ];
    for (state, expected) in states {
        let mut bytes = Vec::new();
        state.encode(&mut bytes);
        assert_eq!(hex(&bytes), expected);
        assert_eq!(HardState::decode(&bytes), Ok(state));
    }
    let mut seen = Vec::new();
    for message in one_of_each() {
        match message {
            Message::AppendEntries(append) => seen.extend(append.entries.as_slice().iter().map(|entry| {
                let mut bytes = Vec::new();
                entry.encode(&mut bytes);
                assert_eq!(Entry::decode(&bytes).as_ref(), Ok(entry));
                hex(&bytes)
            })),
            Message::InstallSnapshot(install) => {
                let mut bytes = Vec::new();
                install.meta.encode(&mut bytes);
                assert_eq!(SnapshotMeta::decode(&bytes), Ok(install.meta));
                seen.push(hex(&bytes));
            }
            _ => {}
        }
    }
    let expected = ["0501", "050203783d31", "0503030102030301027f0109", "050401ac02", "0704030102030301027f010903"];
    assert_eq!(seen, expected);
}

#[test]
fn what_a_disk_holds_is_read_as_strictly_as_a_message() {
    let problem = |bytes: &[u8]| {
        let DecodeError { offset, expected, problem } = HardState::decode(bytes).unwrap_err();
        (offset, expected, problem)
    };
    let state = "a hard state";
    assert_eq!(problem(&[]), (0, state, Problem::Ended));
    assert_eq!(problem(&[5, 1, 0]), (2, state, Problem::UnknownByte { found: 0 }));
    assert_eq!(problem(&[5, 0, 4]), (2, state, Problem::UnknownByte { found: 4 }));
    let beyond = [5, 0, 1, 0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x10];
    assert_eq!(problem(&beyond), (7, state, Problem::OutOfRange { found: 1 << 32 }));
    assert_eq!(problem(&[5, 0, 1, 0, 0, 0, 0, 0, 9]), (8, "the end", Problem::Trailing { bytes: 1 }));
    let longest: &[u8] = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let command = [&[5, 2], longest, b"x=1"].concat();
    assert_eq!(Entry::decode(&command).unwrap_err().problem, Problem::Ended);
    let meta = SnapshotMeta::decode(&[7, 4, 2, 3, 3, 0, 0, 3]).unwrap_err();
    assert_eq!((meta.offset, meta.problem), (4, Problem::OutOfOrder));
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(message in any_message()) {
        let mut bytes = b"before".to_vec();
        message.encode(&mut bytes);
        prop_assert_eq!(Message::decode(&bytes[6..]), Ok(message.clone()), "what was there before is left alone");
        let json = write(&message);
        prop_assert!(!json.contains('\n'));
        prop_assert_eq!(read(&json), Ok(message));
    }

    /// Each message has one form: what is read is written as it was.
    #[test]
    fn any_bytes_are_one_message_or_none(message in any_message(), at in any::<usize>(), byte: u8, rest in vec(any::<u8>(), 0..3)) {
        let mut bytes = bytes_of(&message);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.extend(rest);
        if let Ok(other) = Message::decode(&bytes) {
            prop_assert_eq!(bytes_of(&other), bytes);
        }
    }
}
