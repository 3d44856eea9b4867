//! The world's faults do what they say, and a correct cluster survives them.

use raft_core::raft::{Configuration, Observation, Refusal, ServerId, ServerSet, Standing};
use raft_core::sim::{
    Action, Body, ClientId, End, Endpoint, Listening, Mark, MessageKind, OperationRecord, OwnTiming, Scenario,
    Simulation, Target, What,
};
use raft_core::time::{Duration, Time};

fn s(number: u8) -> ServerId {
    ServerId::new(number).expect("a test names servers from 1")
}

fn set(numbers: &[u8]) -> ServerSet {
    numbers.iter().map(|number| s(*number)).collect()
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A world in which only the test submits commands.
fn quiet(servers: u8) -> Scenario {
    let mut scenario = Scenario::new(7, servers);
    scenario.parameters.clients.count = 0;
    scenario
}

/// The world of a scenario once there is a leader that has committed something.
#[track_caller]
fn at_work(scenario: Scenario) -> Simulation {
    let mut world = Simulation::new(scenario).expect("the test's parameters make a world");
    world.count_marks();
    until(&mut world, "a leader", |world| world.leader().is_some());
    submit(&mut world, "put x 0");
    world
}

#[track_caller]
fn act(world: &mut Simulation, action: Action) {
    world.act(action).expect("the test's actions make sense");
}

/// Plays on until `condition` holds, for ten seconds at most.
#[track_caller]
fn until(world: &mut Simulation, what: &str, condition: impl Fn(&Simulation) -> bool) {
    let deadline = world.now() + Duration::from_secs(10);
    while !condition(world) {
        assert!(world.now() < deadline, "{what}: not within ten seconds");
        world.run_until(world.now() + ms(1));
        assert_eq!(world.violation(), None);
    }
}

#[track_caller]
fn submit(world: &mut Simulation, line: &str) -> OperationRecord {
    act(world, Action::Submit(line.into()));
    until(world, line, |world| last_of_person(world).end.is_some());
    last_of_person(world).clone()
}

fn last_of_person(world: &Simulation) -> &OperationRecord {
    world.operations().rev().find(|operation| operation.client == ClientId::PERSON).expect("a command was submitted")
}

fn answered(operation: &OperationRecord) -> bool {
    matches!(operation.end, Some((_, End::Answered(_))))
}

fn standing(world: &Simulation, server: ServerId) -> Option<Standing> {
    Some(world.machine(server)?.raft()?.hard_state().standing)
}

/// Whether a membership is in force and committed.
fn settled(world: &Simulation, voters: &[u8], learners: &[u8]) -> bool {
    let wanted = Configuration { learners: set(learners), ..Configuration::of_voters(set(voters)) };
    let leader = world.leader().and_then(|leader| world.machine(leader)?.raft());
    leader.is_some_and(|raft| *raft.configuration() == wanted && raft.commit_index() >= raft.configuration_index())
}

fn mark(world: &Simulation, mark: Mark) -> u32 {
    world.marks().expect("they are counted").get(mark)
}

// -------------------------------------------------------------------- clients

/// A commit takes three times as long as a client's first try.
fn impatient() -> Scenario {
    let mut scenario = quiet(3);
    let parameters = &mut scenario.parameters;
    (parameters.disk.fsync_min, parameters.disk.fsync_max) = (ms(70), ms(70));
    parameters.clients.attempt_timeout = ms(40);
    scenario
}

#[test]
fn a_client_whose_tries_are_shorter_than_a_commit_waits_longer_until_it_is_served() {
    let mut world = Simulation::new(impatient()).unwrap();
    until(&mut world, "a leader", |world| world.leader().is_some());
    assert!(answered(&submit(&mut world, "put x 1")));
}

#[test]
fn a_session_counts_whichever_try_opened_it() {
    let mut world = Simulation::new(impatient()).unwrap();
    world.count_marks();
    until(&mut world, "a leader", |world| world.leader().is_some());
    assert!(answered(&submit(&mut world, "put x 1")));
    assert!(mark(&world, Mark::SessionOpenedLate) > 0);
}

// -------------------------------------------------------------------- lives

#[test]
fn a_server_has_the_same_parameters_in_each_life() {
    let mut world = at_work(quiet(3));
    let config = |world: &Simulation| world.machine(s(2)).unwrap().raft().unwrap().config().clone();
    let before = config(&world);
    act(&mut world, Action::Crash(Target::Server(s(2))));
    act(&mut world, Action::Restart(s(2)));
    assert_eq!(config(&world), before, "its seed among them");
}

#[test]
fn a_server_runs_with_parameters_of_its_own_from_its_next_start_on() {
    let mut world = at_work(quiet(3));
    let with = OwnTiming {
        election_timeout_min: ms(400),
        election_timeout_max: ms(500),
        pre_vote: false,
        check_quorum: false,
    };
    act(&mut world, with.action(s(2)));
    let config = |world: &Simulation| world.machine(s(2)).unwrap().raft().unwrap().config().clone();
    assert_eq!(config(&world).election_timeout_min, ms(150), "it runs");
    act(&mut world, Action::Crash(Target::Server(s(2))));
    act(&mut world, Action::Restart(s(2)));
    let own = config(&world);
    assert_eq!((own.election_timeout_min, own.election_timeout_max), (ms(400), ms(500)));
    assert!(!own.pre_vote && !own.check_quorum);
    let hasty = OwnTiming { election_timeout_min: ms(50), ..with };
    let refused = world.act(hasty.action(s(2))).unwrap_err().to_string();
    assert!(refused.contains("must be shorter than the shortest election timeout"), "{refused}");
}

// -------------------------------------------------------------------- membership

#[test]
fn what_an_operator_is_asked_for_at_once_is_one_change() {
    let mut world = at_work(quiet(3));
    world.listen(Listening::News);
    for action in [Action::AddServer, Action::AddServer, Action::RemoveServer(s(2)), Action::RemoveServer(s(3))] {
        act(&mut world, action);
    }
    until(&mut world, "S4 and S5 instead of S2 and S3", |world| settled(world, &[1, 4, 5], &[]));
    let joint = |what: &What| match what {
        What::Observed(_, Observation::MembershipEntered { configuration, .. }) => {
            configuration.is_joint().then_some(*configuration)
        }
        _ => None,
    };
    let expected = Configuration { voters: set(&[1, 4, 5]), outgoing: set(&[1, 2, 3]), learners: ServerSet::EMPTY };
    let seen: Vec<_> = world.take_news().iter().filter_map(|news| joint(&news.what)).collect();
    assert!(!seen.is_empty() && seen.iter().all(|configuration| *configuration == expected), "{seen:?}");
    assert!(mark(&world, Mark::VotersSwapped) > 0);
    assert!(answered(&submit(&mut world, "put x 1")));
}

#[test]
fn a_learner_may_stay_one() {
    let mut world = at_work(quiet(3));
    act(&mut world, Action::AddLearner);
    until(&mut world, "S4 as a learner", |world| settled(world, &[1, 2, 3], &[4]));
    world.run_until(world.now() + Duration::from_secs(2));
    assert!(settled(&world, &[1, 2, 3], &[4]));
    assert!(mark(&world, Mark::LearnerStays) > 0);
    act(&mut world, Action::RemoveServer(s(4)));
    until(&mut world, "S4 out", |world| settled(world, &[1, 2, 3], &[]));
}

#[test]
fn a_removed_server_comes_back_under_its_number() {
    let mut world = at_work(quiet(3));
    act(&mut world, Action::RemoveServer(s(3)));
    until(&mut world, "S3 out", |world| settled(world, &[1, 2], &[]));
    act(&mut world, Action::Crash(Target::Server(s(3))));
    act(&mut world, Action::AddBack(s(3)));
    assert!(world.machine(s(3)).unwrap().is_up(), "it is switched on");
    until(&mut world, "S3 back", |world| settled(world, &[1, 2, 3], &[]));
    until(&mut world, "the operator at rest", |world| mark(world, Mark::CameBack) == 1);
    act(&mut world, Action::AddBack(s(3)));
    world.run_until(world.now() + Duration::from_secs(1));
    assert_eq!(mark(&world, Mark::CameBack), 1, "who is a voter need not come back");
}

#[test]
fn a_server_that_lost_its_disk_votes_again_under_its_number_once_its_vote_was_taken_away() {
    // At different moments, since there are two ways to take a vote away.
    for wait in 0..8 {
        let mut world = at_work(quiet(3));
        world.run_until(world.now() + ms(wait));
        act(&mut world, Action::RenewDisk(Target::Server(s(3))));
        assert!(world.machine(s(3)).unwrap().disk().image().is_blank());
        act(&mut world, Action::Restart(s(3)));
        assert_eq!(standing(&world, s(3)), Some(Standing::Joining));
        until(&mut world, "S3 without a vote", |world| !world.configuration().is_voter(s(3)));
        until(&mut world, "S3 back", |world| settled(world, &[1, 2, 3], &[]));
        until(&mut world, "S3’s right to vote", |world| standing(world, s(3)) == Some(Standing::Member));
        until(&mut world, "the operator at rest", |world| mark(world, Mark::DiskRenewed) == 1);
    }
}

#[test]
fn who_lost_its_disk_loses_its_vote_even_if_it_is_wanted_back_at_once() {
    let mut world = at_work(quiet(3));
    act(&mut world, Action::Wipe(Target::Server(s(3))));
    act(&mut world, Action::Restart(s(3)));
    act(&mut world, Action::AddBack(s(3)));
    until(&mut world, "S3 without a vote", |world| !world.configuration().is_voter(s(3)));
    until(&mut world, "S3 back, beside the one that replaced it", |world| settled(world, &[1, 2, 3, 4], &[]));
    until(&mut world, "S3’s right to vote", |world| standing(world, s(3)) == Some(Standing::Member));
}

// -------------------------------------------------------------------- disks

#[test]
fn a_disk_is_lost_only_where_every_quorum_of_the_others_has_somebody_who_holds_what_is_committed() {
    for lagging in [false, true] {
        let mut world = at_work(quiet(3));
        let leader = world.leader().unwrap();
        let others: Vec<ServerId> = set(&[1, 2, 3]).iter().filter(|other| *other != leader).collect();
        if lagging {
            // Only the leader and one other server hold what is written now.
            act(&mut world, Action::Isolate(Target::Server(others[0])));
            assert!(answered(&submit(&mut world, "put x 1")));
        }
        // The lagging server needs the leader, to get what the lost disk held.
        act(&mut world, Action::RenewDisk(Target::Server(others[1])));
        assert!(world.machine(others[1]).unwrap().disk().is_wiped());
        // Now two are left, and both are needed.
        act(&mut world, Action::RenewDisk(Target::Server(others[0])));
        assert!(!world.machine(others[0]).unwrap().disk().is_wiped(), "it only crashed");
        act(&mut world, Action::RestartAll);
        act(&mut world, Action::HealAll);
        until(&mut world, "everybody back", |world| settled(world, &[1, 2, 3], &[]));
        assert_eq!(submit(&mut world, "get x").answer(), if lagging { "1" } else { "0" });
    }
}

#[test]
fn a_cluster_comes_to_work_on_disks_as_slow_as_they_may_be() {
    let mut scenario = quiet(3);
    // The limit is 600 ms.
    (scenario.parameters.disk.fsync_min, scenario.parameters.disk.fsync_max) = (ms(500), ms(590));
    scenario.parameters.clients.operation_timeout = Duration::from_secs(8);
    let mut world = Simulation::new(scenario).unwrap();
    world.count_marks();
    until(&mut world, "a leader", |world| world.leader().is_some());
    assert!(answered(&submit(&mut world, "put x 1")));
    assert!(mark(&world, Mark::ElectedOnSlowDisk) > 0 && mark(&world, Mark::WriteSlow) > 0);
    assert_eq!(mark(&world, Mark::LeaderDiskStalled), 0);
}

#[test]
fn small_limits_are_reached_with_little_data() {
    let mut scenario = quiet(3);
    scenario.parameters.clients.count = 8;
    scenario.parameters.clients.think_time = ms(5);
    let limits = &mut scenario.parameters.limits;
    (limits.append_bytes_max, limits.window_appends_max, limits.window_bytes_max) = (1, 1, 1);
    (limits.uncommitted_bytes_max, limits.snapshot_after_bytes, limits.entries_kept) = (1, 300, 0);
    let mut world = at_work(scenario);
    world.listen(Listening::News);
    world.run_until(world.now() + Duration::from_secs(5));
    assert_eq!(world.violation(), None);
    assert!(mark(&world, Mark::RefusedTooMuchUncommitted) > 0 && mark(&world, Mark::Compacted) > 0);
    let refused = |what: &What| {
        matches!(
            what,
            What::Observed(_, Observation::RequestRefused { reason: Refusal::TooMuchUncommitted { limit: 1, .. } })
        )
    };
    assert!(world.take_news().iter().any(|news| refused(&news.what)));
    assert!(world.operations().filter(|operation| answered(operation)).count() > 20);
}

// -------------------------------------------------------------------- messages

/// How many messages of a kind are late, and how many are in time.
fn late_and_in_time(world: &Simulation, kind: MessageKind) -> (usize, usize) {
    let of_kind = |body: &Body| matches!(body, Body::Raft(message) if MessageKind::of(message) == kind);
    let flights: Vec<bool> =
        world.network().flights().filter(|flight| of_kind(&flight.body)).map(|flight| flight.late).collect();
    let late = flights.iter().filter(|late| **late).count();
    (late, flights.len() - late)
}

#[test]
fn a_copy_is_late_and_the_message_itself_in_time() {
    let mut world = at_work(quiet(3));
    let (share, delay) = (1_000_000, Duration::from_secs(60));
    act(&mut world, Action::SetLate { of: MessageKind::Appends, share, delay, copies: true });
    assert!(answered(&submit(&mut world, "put x 1")), "the messages themselves are in time");
    act(&mut world, Action::SetLate { of: MessageKind::Appends, share: 0, delay, copies: true });
    world.run_until(world.now() + ms(20));
    let kinds = |world: &Simulation| late_and_in_time(world, MessageKind::Appends).0;
    let there = kinds(&world);
    assert!(there > 0 && late_and_in_time(&world, MessageKind::Acknowledgements).0 == 0);
    let now = world.now();
    for flight in world.network().flights().filter(|flight| flight.late) {
        assert!(flight.arrives >= flight.sent + delay.percent(50) && flight.arrives <= now + delay);
    }
    world.run_until(now + Duration::from_secs(61));
    assert_eq!((kinds(&world), world.violation()), (0, None));
}

#[test]
fn a_late_message_outlives_crashes_and_cuts_but_does_not_come_through_a_cut_link() {
    for healed in [false, true] {
        let mut world = at_work(quiet(3));
        let leader = world.leader().unwrap();
        let other = set(&[1, 2, 3]).iter().find(|other| *other != leader).unwrap();
        let (share, delay) = (1_000_000, Duration::from_secs(4));
        act(&mut world, Action::SetLate { of: MessageKind::Acknowledgements, share, delay, copies: true });
        world.run_until(world.now() + ms(300));
        act(&mut world, Action::SetLate { of: MessageKind::Acknowledgements, share: 0, delay, copies: true });
        act(&mut world, Action::Isolate(Target::Server(leader)));
        act(&mut world, Action::Crash(Target::Server(leader)));
        world.run_until(world.now() + ms(500));
        act(&mut world, Action::Restart(leader));
        let from_before = |world: &Simulation| {
            let of_link = |from, to| (from, to) == (Endpoint::Server(other), Endpoint::Server(leader));
            world.network().flights().filter(|f| f.late && of_link(f.from, f.to) && f.lost.is_none()).count()
        };
        assert!(from_before(&world) > 0, "what is late is not lost at a cut");
        if healed {
            act(&mut world, Action::HealAll);
        }
        let before = mark(&world, Mark::MessageOutlivedCrash);
        world.run_until(world.now() + Duration::from_secs(5));
        assert_eq!((from_before(&world), world.violation()), (0, None));
        assert_eq!(mark(&world, Mark::MessageOutlivedCrash) > before, healed);
    }
}

#[test]
fn an_order_to_take_over_may_come_after_the_transfer_was_given_up() {
    let mut world = at_work(quiet(3));
    let leader = world.leader().unwrap();
    let heir = set(&[1, 2, 3]).iter().find(|other| *other != leader).unwrap();
    let (share, delay) = (1_000_000, Duration::from_secs(2));
    act(&mut world, Action::SetLate { of: MessageKind::Transfers, share, delay, copies: false });
    act(&mut world, Action::TransferLeadership(heir));
    until(&mut world, "the transfer given up", |world| mark(world, Mark::TransferTimedOut) > 0);
    assert_eq!(world.leader(), Some(leader));
    assert!(answered(&submit(&mut world, "put x 1")));
    until(&mut world, "the order", |world| mark(world, Mark::TakeOverTooLate) > 0);
    until(&mut world, "the heir", |world| world.leader() == Some(heir));
    assert!(answered(&submit(&mut world, "put x 2")));
}

#[test]
fn a_leader_cut_off_with_newcomers_answers_no_reads_and_commits_nothing() {
    let mut world = at_work(quiet(3));
    for _ in 0..2 {
        act(&mut world, Action::AddLearner);
    }
    until(&mut world, "two learners", |world| settled(world, &[1, 2, 3], &[4, 5]));
    let leader = world.leader().unwrap();
    act(&mut world, Action::IsolateWithNewcomers(Target::Leader));
    assert_eq!(mark(&world, Mark::LeaderIsolatedWithNewcomers), 1);
    let reaches = |to: u8| !world.network().is_cut(Endpoint::Server(leader), Endpoint::Server(s(to)));
    assert!((1..=5).all(|number| s(number) == leader || reaches(number) == (number > 3)));
    let commit = world.machine(leader).unwrap().raft().unwrap().commit_index();
    until(&mut world, "another leader", |world| world.leader().is_some_and(|other| other != leader));
    assert!(answered(&submit(&mut world, "put x 1")));
    assert_eq!(submit(&mut world, "get x").answer(), "1", "whoever answered");
    assert_eq!(world.machine(leader).unwrap().raft().unwrap().commit_index(), commit);
}

#[test]
fn a_leader_whose_clock_is_set_back_has_no_lease_for_a_while() {
    let mut scenario = quiet(3);
    scenario.parameters.clients.lease_reads = true;
    let mut world = at_work(scenario);
    world.run_until(Time::from_secs(20));
    let leader = world.leader().unwrap();
    let lease = |world: &Simulation| world.machine(leader).unwrap().raft().unwrap().lease().is_ok();
    assert!(lease(&world));
    act(&mut world, Action::ShiftClock { target: Target::Leader, by: -10_000_000 });
    assert_eq!(mark(&world, Mark::LeaseSetBack), 1);
    assert_eq!(world.machine(leader).unwrap().clock_reading(world.now()), Time::from_secs(10));
    // It notices with the next thing that it does.
    act(&mut world, Action::Submit("get x".into()));
    until(&mut world, "an answer", |world| last_of_person(world).end.is_some());
    assert!(answered(last_of_person(&world)));
    until(&mut world, "a lease again", lease);
}

/// On a disk that writes at once, a single step can write, apply and request a snapshot.
#[test]
fn every_server_takes_its_snapshots_where_disks_write_at_once() {
    let mut scenario = Scenario::new(1, 3);
    let parameters = &mut scenario.parameters;
    (parameters.disk.fsync_min, parameters.disk.fsync_max) = (ms(0), ms(0));
    (parameters.clients.count, parameters.clients.think_time) = (8, ms(2));
    parameters.timing.snapshot_after_entries = 20;
    let mut world = Simulation::new(scenario).expect("the test's parameters make a world");
    world.run_until(Time::from_secs(5));
    assert_eq!(world.violation(), None);
    for machine in world.machines() {
        let raft = machine.raft().expect("all are up");
        let since = raft.snapshot().map_or(0, |snapshot| snapshot.meta.last.index.0);
        let applied = raft.applied_index().0;
        assert!(applied > 100 && applied - since < 20, "{} has applied {applied}, since {since}", machine.id());
    }
}

/// The page reads logs, stores and operations again when a number has changed. So the number must
/// change whenever one of them does, whatever it was that changed them.
#[test]
fn revisions_change_with_what_they_stand_for() {
    let logs = |world: &Simulation| {
        let of = |machine: &raft_core::sim::Machine| {
            let raft = machine.raft()?;
            let leads = world.leader() == Some(machine.id());
            let marks: Vec<_> = match raft.role() {
                raft_core::raft::Role::Leader(leader) if leads => {
                    (1..=5).map(|n| leader.progress(s(n)).map(|progress| (progress.matched, progress.next))).collect()
                }
                _ => Vec::new(),
            };
            let log = raft.log();
            let places = (log.base(), log.last(), raft.commit_index(), raft.applied_index(), raft.durable_index());
            Some((places, marks, machine.store().map(|store| store.iter().count())))
        };
        format!("{:?}", world.machines().iter().map(of).collect::<Vec<_>>())
    };
    let operations = |world: &Simulation| {
        let of = |record: &OperationRecord| (record.number, record.end.is_some(), record.point, record.applied);
        world.operations().rev().take(40).map(of).collect::<Vec<_>>()
    };
    for seed in 0..6 {
        let mut scenario = Scenario::new(seed, 5);
        scenario.parameters.timing.check_quorum = true;
        let mut world = Simulation::new(scenario).unwrap();
        let (mut looked_like, mut asked) = (logs(&world), operations(&world));
        let mut revisions = (world.revision(), world.operations_revision());
        for event in 0..12_000 {
            if event % 2_000 == 1_000
                && let Some(leader) = world.leader()
            {
                // It hears nobody, and steps down without a write.
                act(&mut world, Action::Isolate(Target::Server(leader)));
            } else if event % 2_000 == 1_900 {
                act(&mut world, Action::HealAll);
            }
            assert!(world.step(), "seed {seed}: there is always something to come");
            let (look, ask) = (logs(&world), operations(&world));
            let now = world.now();
            assert!(
                look == looked_like || world.revision() != revisions.0,
                "seed {seed}, {now}: {looked_like} → {look}"
            );
            assert!(
                ask == asked || world.operations_revision() != revisions.1,
                "seed {seed}, {now}: {asked:?} → {ask:?}"
            );
            (looked_like, asked) = (look, ask);
            revisions = (world.revision(), world.operations_revision());
        }
    }
}
