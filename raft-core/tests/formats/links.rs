use proptest::prelude::*;
use raft_core::format::link::{self, CHARACTERS_MAX, LinkError, Plain, read, seal, unseal, write, write_address};
use raft_core::format::{Run, RunError};
use raft_core::raft::{Rules, ServerId};
use raft_core::sim::{Action, MessageKind, Profile, Scenario, Target, TimedAction, hunt};
use raft_core::time::{Duration, Time};

use crate::runs::{cases, every_action_in_a_run, run, run_of};

/// The promised maximal length of a link to a run with a hundred actions.
const PROMISED: usize = 2_000;

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn whatever_is_written_is_read_again(run in run()) {
        let text = write(&run).unwrap();
        prop_assert_eq!(read(&text), Ok(run.clone()));
        prop_assert_eq!(read(&write_address("https://example.org/r/?seed=1#old", &run).unwrap()), Ok(run));
    }

    #[test]
    fn any_text_at_all_is_read_or_refused(text in ".{0,200}") {
        let _ = read(&text);
    }

    #[test]
    fn a_damaged_link_is_refused(run in run(), place in any::<prop::sample::Index>(), other in "[A-Za-z0-9_-]") {
        let text = write(&run).unwrap();
        let place = place.index(text.len());
        let mut damaged = text.clone();
        damaged.replace_range(place..=place, &other);
        if damaged != text {
            prop_assert!(read(&damaged).is_err());
        }
        prop_assert!(read(&text[..place]).is_err(), "cut short");
        prop_assert!(read(&(text + &other)).is_err(), "something after it");
    }

    /// A correct checksum can come with any content.
    #[test]
    fn any_bytes_at_all_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&sealed(&bytes));
    }

    #[test]
    fn a_run_with_a_byte_changed_is_read_or_refused(
        run in run(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = unseal(&write(&run).unwrap()).unwrap();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Ok(other) = read(&sealed(&bytes)) {
            prop_assert_eq!(read(&write(&other).unwrap()), Ok(other));
        }
    }
}

#[test]
fn a_hundred_typical_actions_fit_into_two_thousand_characters() {
    let mut actions = Vec::new();
    let kinds = every_action_in_a_run().scenario.actions;
    for (number, timed) in (0..100).zip(kinds.iter().cycle()) {
        let at = Time::from_micros(number * 612_345);
        let mut action = timed.action.clone();
        if let Action::DeliverMessage(message) = &mut action {
            *message = 123_456;
        }
        actions.push(TimedAction { at, action });
    }
    let text = write(&run_of(actions)).unwrap();
    assert!(text.len() <= PROMISED / 2, "{} characters", text.len());
}

#[test]
fn a_hundred_actions_of_a_storm_fit_into_two_thousand_characters() {
    let mut longest = 0;
    for seed in 0..200 {
        let mut scenario = hunt(u64::MAX - seed, None, Duration::from_secs(60), Profile::Full, Rules::ALL);
        for start in (0..scenario.actions.len()).step_by(100) {
            let mut piece = Scenario { actions: Vec::new(), ..scenario.clone() };
            let end = scenario.actions.len().min(start + 100);
            piece.actions = scenario.actions[start..end].to_vec();
            // A part of a run can lack the actions that add its servers.
            piece.actions.truncate(99);
            piece.actions.insert(0, TimedAction { at: Time::ZERO, action: Action::AddServer });
            let run = Run { scenario: piece, until: Time::from_secs(60), hash: Some(u64::MAX) };
            longest = longest.max(write(&run).unwrap().len());
        }
        scenario.actions.truncate(8_000);
        let whole = Run { scenario, ..Run::default() };
        match write(&whole) {
            Ok(text) => assert_eq!(read(&text), Ok(whole)),
            Err(error) => assert!(matches!(error, LinkError::TooLong { .. }), "{error}"),
        }
    }
    assert!(longest <= PROMISED * 7 / 10, "{longest} characters");
}

#[test]
fn the_largest_hundred_actions_fit_too() {
    let partition =
        |number: u64| TimedAction { at: Time::from_micros(number * 876_543), action: Action::Partition(vec![9; 9]) };
    let mut run = run_of((0..100).map(partition).collect());
    run.scenario.parameters.servers = 9;
    run.scenario.seed = u64::MAX;
    let text = write(&run).unwrap();
    assert!(text.len() <= PROMISED, "{} characters", text.len());
}

#[test]
fn a_script_says_an_action_by_its_name_and_plain_values() {
    use link::Plain::{Groups, Number, Text};
    let said = |name: &str, fields: &[Plain]| link::action_of(name, fields.to_vec());
    let text = |text: &str| Text(text.into());
    let server = |number| ServerId::new(number).unwrap();
    let (millisecond, second) = (Duration::from_millis(1), Duration::from_secs(1));
    let late = Action::SetLate { of: MessageKind::Votes, copies: false, share: 3, delay: millisecond };
    for (name, fields, action) in [
        ("restart-all", vec![], Action::RestartAll),
        ("crash", vec![Number(3)], Action::Crash(Target::Server(server(3)))),
        ("crash", vec![text("leader")], Action::Crash(Target::Leader)),
        ("tear-write", vec![text("writer")], Action::TearWrite(Target::Writer)),
        ("restart", vec![Number(2)], Action::Restart(server(2))),
        ("jump-clock", vec![Number(1), Number(-7)], Action::JumpClock { server: server(1), by: -7 }),
        ("stall-disk", vec![Number(1), Number(1)], Action::StallDisk { server: server(1), stalled: true }),
        ("set-latency", vec![Number(1_000), Number(1_000_000)], Action::SetLatency { min: millisecond, max: second }),
        ("partition", vec![Groups(vec![0, 1, 1])], Action::Partition(vec![0, 1, 1])),
        ("drop-message", vec![Number(1 << 40)], Action::DropMessage(1 << 40)),
        ("submit", vec![text("put né 1")], Action::Submit("put né 1".into())),
        ("set-late", vec![text("votes"), Number(0), Number(3), Number(1_000)], late),
    ] {
        assert_eq!(said(name, &fields), Ok(action), "{name}");
    }
    for (name, fields, sentence) in [
        ("fly", vec![], "“fly” is nothing that can be done"),
        ("crash", vec![], "“crash” needs a target"),
        ("crash", vec![text("votes")], "“crash” needs a target"),
        ("crash", vec![Number(0)], "“crash” needs a target"),
        ("crash", vec![Number(255)], "“crash” needs a target"),
        ("restart", vec![text("leader")], "“restart” needs a server"),
        ("restart", vec![Number(0)], "“restart” needs a server"),
        ("restart", vec![Number(300)], "“restart” needs a server"),
        ("restart-all", vec![Number(1)], "“restart-all” needs fewer fields"),
        ("set-loss", vec![Number(-1)], "“set-loss” needs a share"),
        ("set-loss", vec![Number(1 << 40)], "“set-loss” needs a share"),
        ("stall-disk", vec![Number(1), Number(2)], "“stall-disk” needs a yes or no"),
        ("jump-clock", vec![Number(1), text("soon")], "“jump-clock” needs a jump"),
        ("partition", vec![Groups(vec![0; 256])], "“partition” needs a group for each server"),
        ("submit", vec![Number(1)], "“submit” needs a command"),
        ("set-late", vec![text("leader"), Number(0), Number(3), Number(1)], "“set-late” needs a kind of messages"),
    ] {
        assert_eq!(said(name, &fields).unwrap_err().to_string(), sentence, "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_link_is_said_in_a_sentence() {
    let good = write(&every_action_in_a_run()).unwrap();
    let sentence = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(sentence("https://example.org/#run="), "the link names no run: there is nothing after its #run=");
    assert_eq!(sentence(""), "the link names no run: there is nothing after its #run=");
    assert_eq!(
        sentence(&good.replacen(&good[3..4], "+", 1)),
        format!(
            "character {} of the link is “+”, which no link has: copy it again",
            good.find(&good[3..4]).unwrap() + 1
        )
    );
    assert_eq!(sentence(&good[..20]), "the link is damaged or incomplete: copy the whole of it again");
    assert_eq!(sentence(&good[..21]), "the link is damaged at its end, or ends too early: copy the whole of it");
    let long = "A".repeat(CHARACTERS_MAX + 1);
    assert_eq!(
        sentence(&long),
        format!(
            "{} characters are too many for a link, which has at most {CHARACTERS_MAX}: use a file",
            CHARACTERS_MAX + 1
        )
    );
    assert_eq!(
        sentence(&sealed(&[2, 0, 0])),
        "the link was made by another version of Raftarium: it has format 2, this version reads 1"
    );
    let cases: [(&[u8], &str); 14] = [
        (&[], "at byte 0: expected a version, but the bytes end"),
        (&[1], "at byte 1: expected the seed, but the bytes end"),
        (&[1, 0x80, 0], "at byte 1: expected the seed, but the number is not in its shortest 64-bit form"),
        (&[1, 7, 0, 2], "at byte 3: expected whether there is a trace hash, but found 2"),
        (&[1, 7, 0, 1, 0, 0], "at byte 4: expected the trace hash, but the bytes end"),
        (
            &[1, 7, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x04],
            "at byte 4: expected parameters that this version knows, but found 1073741824",
        ),
        (&[1, 7, 0, 0, 1, 0x80, 0x02], "at byte 5: expected a parameter, but found 256"),
        (&[1, 7, 0, 0, 0, 1, 0], "at byte 5: expected no more actions than fit, but found 1"),
        (&[1, 7, 0, 0, 0, 1, 0, 99], "at byte 7: expected an action that this version knows, but found 0x63"),
        (&[1, 7, 0, 0, 0, 1, 0, 2, 0], "at byte 8: expected a server, but found 0x00"),
        (&[1, 7, 0, 0, 0, 1, 0, 1, 200], "at byte 8: expected a target, but found 0xc8"),
        (&[1, 7, 0, 0, 0, 1, 0, 18, 17], "at byte 8: expected a group for each server, but found 17"),
        (&[1, 7, 0, 0, 0, 1, 0, 31, 9, b'g'], "at byte 9: expected a command, but the bytes end"),
        (&[1, 7, 0, 0, 0, 0, 0], "at byte 6: expected the end, but 1 byte is left over"),
    ];
    for (bytes, why) in cases {
        assert_eq!(sentence(&sealed(bytes)), format!("the link makes no sense: {why}"), "{bytes:?}");
    }
    let cases: [(&[u8], &str); 7] = [
        (&[1, 7, 0, 0, 1, 10, 0], "a cluster has 1 to 9 servers, not 10"),
        (&[1, 7, 0, 0, 0, 1, 0, 2, 6], "action 1: there is no S6 in this cluster"),
        (&[1, 7, 0, 0, 0, 1, 0, 15, 1, 1], "action 1: S1 has no link to itself: name two servers"),
        (&[1, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0], "the end of the run is more than 24 hours: shorten it"),
        (
            &[1, 7, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 3],
            "action 1: its time is more than 24 hours: shorten it",
        ),
        (&[1, 7, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f], "a run has at most 100000 actions, not 268435455"),
        (&[1, 7, 0, 0, 0, 2, 0, 3, 0, 31, 3, b'g', b'e', b't'], "action 2: get needs a key: get x"),
    ];
    for (bytes, why) in cases {
        assert_eq!(sentence(&sealed(bytes)), format!("the link makes no run: {why}"), "{bytes:?}");
    }
}

#[test]
fn a_run_that_makes_no_sense_makes_no_link() {
    let mut late = run_of(Vec::new());
    late.until = Time::NEVER;
    assert!(matches!(write(&late), Err(LinkError::Run(RunError::TooLong { .. }))));
    let mut run = every_action_in_a_run();
    run.scenario.actions.reverse();
    assert_eq!(
        write(&run).unwrap_err().to_string(),
        "the link makes no run: action 2: it comes before the action listed before it: sort them by time"
    );
}

fn sealed(bytes: &[u8]) -> String {
    seal(bytes.to_vec())
}
