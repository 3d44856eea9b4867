//! Runs to write and to read: one with every action, and random ones.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use raft_core::format::{LENGTH_MAX, Run};
use raft_core::raft::{Rule, Rules, ServerId};
use raft_core::sim::{
    Action, CERTAIN, CheckParameters, ClientParameters, DiskParameters, LimitParameters, MACHINES_MAX, MessageKind,
    NetworkParameters, OwnTiming, Parameters, SERVERS_MAX, Scenario, Target, TimedAction, TimingParameters,
};
use raft_core::time::{Duration, Time};

/// The same cases every time, so that the tests are deterministic.
pub fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { cases: count, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() }
}

pub fn s(number: u8) -> ServerId {
    ServerId::new(number).expect("a test names servers from 1")
}

pub fn run_of(actions: Vec<TimedAction>) -> Run {
    let scenario = Scenario { actions, ..Scenario::new(7, 5) };
    Run { scenario, until: Time::from_secs(5), hash: Some(0xfeed_0000_0000_0001) }
}

fn own_timing() -> OwnTiming {
    OwnTiming {
        election_timeout_min: Duration::from_millis(300),
        election_timeout_max: Duration::from_millis(900),
        pre_vote: true,
        check_quorum: false,
    }
}

/// One of each kind, in the order of the table.
pub fn every_action() -> Vec<Action> {
    let (min, max) = (Duration::from_millis(2), Duration::from_micros(30_500));
    let all = vec![
        Action::Crash(Target::Leader),
        Action::Restart(s(1)),
        Action::RestartAll,
        Action::Pause(Target::Server(s(2))),
        Action::Resume(s(2)),
        Action::ResumeAll,
        Action::Campaign(s(3)),
        Action::SetClockRate { server: s(4), rate: 1_040_000 },
        Action::JumpClock { server: s(5), by: -2_000_000 },
        Action::Wipe(Target::Server(s(5))),
        Action::Rot(Target::Leader),
        Action::FailWrite(Target::Writer),
        Action::StallDisk { server: s(1), stalled: true },
        Action::SetFsync { server: s(1), min, max },
        Action::Cut { from: s(1), to: s(2) },
        Action::Heal { from: s(1), to: s(2) },
        Action::Impair { from: s(2), to: s(1), delay: max, share: 250_001 },
        Action::Partition(vec![0, 0, 1, 1, 7]),
        Action::Isolate(Target::Leader),
        Action::HealAll,
        Action::SetLoss(CERTAIN),
        Action::SetDuplication(1),
        Action::SetLatency { min, max },
        Action::DropMessage(0),
        Action::DuplicateMessage(17),
        Action::HoldMessage(1_000_000),
        Action::DeliverMessage(u64::MAX),
        Action::TransferLeadership(s(3)),
        Action::AddServer,
        Action::RemoveServer(s(3)),
        Action::Submit("put \"über x\" 'it’s'".into()),
        Action::HealQuorum(3),
        Action::TearWrite(Target::Writer),
        Action::FillDisk { server: s(2), full: true },
        Action::Mute(Target::Leader),
        Action::Deafen(Target::Server(s(3))),
        Action::SetStraggling { share: 12_345, delay: max },
        Action::SetLate { of: MessageKind::Votes, share: 500_000, delay: Duration::from_secs(60), copies: true },
        Action::IsolateWithNewcomers(Target::Leader),
        Action::AddLearner,
        Action::AddBack(s(3)),
        Action::RenewDisk(Target::Server(s(4))),
        Action::ShiftClock { target: Target::Leader, by: -3_600_000_000 },
        own_timing().action(s(2)),
        Action::ReadAt(Target::Leader),
        Action::ReadAnywhere,
    ];
    assert!(all.iter().map(Action::name).eq(Action::NAMES.iter().copied()), "a new action needs an example here");
    all
}

/// Every action, a quarter of a second apart.
pub fn every_action_in_a_run() -> Run {
    let timed = (1..).map(|count| Time::from_millis(250 * count)).zip(every_action());
    run_of(timed.map(|(at, action)| TimedAction { at, action }).collect())
}

fn server() -> impl Strategy<Value = ServerId> {
    (1..=MACHINES_MAX).prop_map(s)
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![server().prop_map(Target::Server), Just(Target::Leader), Just(Target::Writer)]
}

fn length() -> impl Strategy<Value = Duration> {
    // Short and long times, round and odd ones.
    prop_oneof![0..1_000_u64, (0..5_000_u64).prop_map(|ms| ms * 1_000), 0..=LENGTH_MAX.as_micros()]
        .prop_map(Duration::from_micros)
}

fn range() -> impl Strategy<Value = (Duration, Duration)> {
    (length(), length()).prop_map(|(a, b)| (a.min(b), a.max(b)))
}

fn positive() -> impl Strategy<Value = Duration> {
    length().prop_map(|length| length.max(Duration::from_micros(1)))
}

fn link() -> impl Strategy<Value = (ServerId, ServerId)> {
    (server(), server()).prop_filter("a link has two ends", |(from, to)| from != to)
}

fn command() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}".prop_map(|key| format!("get {key}")),
        "[a-z]{1,8}".prop_map(|key| format!("delete {key}")),
        ("[a-z]{1,8}", "[a-zäß→0-9 ]{1,12}").prop_map(|(key, value)| format!("put {key} \"{value}\"")),
        ("[a-z]{1,3}", 0..99_u32).prop_map(|(key, value)| format!("cas {key} {value} {}", value + 1)),
    ]
}

pub fn action() -> impl Strategy<Value = Action> {
    let share = 0..=CERTAIN;
    let jump = -(LENGTH_MAX.as_micros() as i64)..=LENGTH_MAX.as_micros() as i64;
    let on_servers = prop_oneof![
        target().prop_map(Action::Crash),
        target().prop_map(Action::Pause),
        target().prop_map(Action::Wipe),
        target().prop_map(Action::Rot),
        target().prop_map(Action::FailWrite),
        target().prop_map(Action::Isolate),
        target().prop_map(Action::TearWrite),
        target().prop_map(Action::Mute),
        target().prop_map(Action::Deafen),
        target().prop_map(Action::IsolateWithNewcomers),
        target().prop_map(Action::RenewDisk),
        target().prop_map(Action::ReadAt),
        (target(), jump.clone()).prop_map(|(target, by)| Action::ShiftClock { target, by }),
        server().prop_map(Action::AddBack),
        (server(), any::<bool>()).prop_map(|(server, full)| Action::FillDisk { server, full }),
        server().prop_map(Action::Restart),
        server().prop_map(Action::Resume),
        server().prop_map(Action::Campaign),
        server().prop_map(Action::TransferLeadership),
        server().prop_map(Action::RemoveServer),
        (server(), 0..=100_000_000_u32).prop_map(|(server, rate)| Action::SetClockRate { server, rate }),
        (server(), jump).prop_map(|(server, by)| Action::JumpClock { server, by }),
        (server(), any::<bool>()).prop_map(|(server, stalled)| Action::StallDisk { server, stalled }),
        (server(), range()).prop_map(|(server, (min, max))| Action::SetFsync { server, min, max }),
    ];
    let on_links = prop_oneof![
        link().prop_map(|(from, to)| Action::Cut { from, to }),
        link().prop_map(|(from, to)| Action::Heal { from, to }),
        (link(), length(), share.clone()).prop_map(|((from, to), delay, share)| Action::Impair {
            from,
            to,
            delay,
            share
        }),
        prop::collection::vec(any::<u8>(), usize::from(SERVERS_MAX)..=usize::from(MACHINES_MAX))
            .prop_map(Action::Partition),
    ];
    let on_everything = prop_oneof![
        Just(Action::RestartAll),
        Just(Action::ResumeAll),
        Just(Action::HealAll),
        Just(Action::AddServer),
        Just(Action::AddLearner),
        Just(Action::ReadAnywhere),
        (prop::sample::select(&MessageKind::ALL[..]), share.clone(), length(), any::<bool>())
            .prop_map(|(of, share, delay, copies)| Action::SetLate { of, share, delay, copies }),
        share.clone().prop_map(Action::SetLoss),
        (share.clone(), length()).prop_map(|(share, delay)| Action::SetStraggling { share, delay }),
        share.prop_map(Action::SetDuplication),
        range()
            .prop_map(|(min, max)| Action::SetLatency {
                min: min.max(Duration::from_micros(1)),
                max: max + Duration::from_micros(1)
            })
            .prop_filter(
                "within a day",
                |action| !matches!(action, Action::SetLatency { max, .. } if *max > LENGTH_MAX)
            ),
        any::<u64>().prop_map(Action::DropMessage),
        any::<u64>().prop_map(Action::DuplicateMessage),
        any::<u64>().prop_map(Action::HoldMessage),
        any::<u64>().prop_map(Action::DeliverMessage),
        any::<u64>().prop_map(Action::HealQuorum),
        command().prop_map(|line| Action::Submit(line.into())),
    ];
    prop_oneof![4 => on_servers, 2 => on_links, 3 => on_everything]
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let network = (range(), 0..=CERTAIN, 0..=CERTAIN).prop_map(|((min, max), loss, duplication)| NetworkParameters {
        latency_min: min.max(Duration::from_micros(1)),
        latency_max: max.max(Duration::from_micros(1)),
        loss,
        duplication,
    });
    let disk = range().prop_map(|(fsync_min, fsync_max)| DiskParameters { fsync_min, fsync_max });
    let limits = (any::<u64>(), 1..u64::from(u32::MAX), 1..u64::MAX);
    let timing = (range(), any::<[bool; 2]>(), limits).prop_map(|((min, max), [a, b], (entries, append, piece))| {
        let min = min.max(Duration::from_micros(2));
        TimingParameters {
            election_timeout_min: min,
            election_timeout_max: max.max(min),
            heartbeat_interval: min.percent(50),
            pre_vote: a,
            check_quorum: b,
            snapshot_after_entries: entries,
            append_entries_max: append,
            snapshot_piece_max: piece,
        }
    });
    let limits = (1..=u64::MAX, 1..=u64::MAX, 1..=u64::MAX, 1..=u64::MAX, any::<[u64; 2]>()).prop_map(
        |(append_bytes_max, window_appends_max, window_bytes_max, uncommitted_bytes_max, [bytes, entries_kept])| {
            LimitParameters {
                append_bytes_max,
                window_appends_max,
                window_bytes_max,
                uncommitted_bytes_max,
                snapshot_after_bytes: bytes,
                entries_kept,
            }
        },
    );
    let reads = (0..=CERTAIN, any::<bool>());
    let clients = (any::<u8>(), positive(), 1..=u8::MAX, reads, positive(), positive()).prop_map(
        |(count, think_time, keys, (extra_reads, lease_reads), attempt_timeout, operation_timeout)| ClientParameters {
            count,
            think_time,
            keys,
            extra_reads,
            lease_reads,
            attempt_timeout,
            operation_timeout,
        },
    );
    let rules = prop::sample::subsequence(Rule::ALL.to_vec(), 0..=Rule::ALL.len())
        .prop_map(|off| off.into_iter().fold(Rules::ALL, Rules::without));
    let checks = any::<bool>().prop_map(|only_harm| CheckParameters { only_harm });
    (1..=SERVERS_MAX, network, disk, timing, limits, clients, checks, rules).prop_map(
        |(servers, network, disk, timing, limits, clients, checks, rules)| Parameters {
            servers,
            network,
            disk,
            timing,
            limits,
            clients,
            checks,
            rules,
        },
    )
}

/// A server's own timing, which must fit the world's.
fn own(timing: TimingParameters, (more, width, [pre_vote, check_quorum]): (u64, u64, [bool; 2])) -> OwnTiming {
    let min = timing.heartbeat_interval + Duration::from_micros(1 + more);
    let election_timeout_max = (min + Duration::from_micros(width)).min(LENGTH_MAX);
    let election_timeout_min = min.min(election_timeout_max);
    OwnTiming { election_timeout_min, election_timeout_max, pre_vote, check_quorum }
}

fn any_own() -> impl Strategy<Value = (u64, u64, [bool; 2])> {
    (0..9_000_000_u64, 0..=LENGTH_MAX.as_micros(), any::<[bool; 2]>())
}

prop_compose! {
    /// Any run.
    pub fn run()(
        seed in any::<u64>(),
        parameters in prop_oneof![Just(Parameters::default()), parameters()],
        actions in prop::collection::vec((length(), action()), 0..60),
        configured in prop::collection::vec((length(), server(), any_own()), 0..3),
        until in length(),
        hash in any::<Option<u64>>(),
    ) -> Run {
        let mut actions: Vec<TimedAction> = actions
            .into_iter()
            .map(|(at, action)| TimedAction { at: Time::ZERO + at, action })
            .collect();
        for (at, server, with) in configured {
            let action = own(parameters.timing, with).action(server);
            actions.push(TimedAction { at: Time::ZERO + at, action });
        }
        // These make every server exist that an action names.
        actions.push(TimedAction { at: Time::ZERO, action: Action::AddServer });
        actions.sort_by_key(|timed| timed.at);
        Run { scenario: Scenario { seed, parameters, actions }, until: Time::ZERO + until, hash }
    }
}
