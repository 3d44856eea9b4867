//! A cluster at work and in trouble: elections, replicated writes, failovers, lost majorities,
//! storms.

#[path = "support/quiet.rs"]
mod quiet;

use raft_core::kv::{Key, Outcome};
use raft_core::raft::{LeaseRefusal, Observation, ReadProof, ServerId};
use raft_core::sim::{
    Action, ClientId, End, Listening, OperationRecord, Parameters, Scenario, Simulation, Target, What,
};
use raft_core::time::{Duration, Time};
use raft_core::trial::{self, Hunt};

use quiet::{quiet, s};

/// Plays on until `condition` holds; fails if it doesn't within `patience`.
#[track_caller]
fn until(world: &mut Simulation, patience: Duration, what: &str, condition: impl Fn(&Simulation) -> bool) {
    let deadline = world.now() + patience;
    while !condition(world) {
        assert!(world.now() < deadline, "{what}: not within {patience} (seed {})", world.scenario().seed);
        world.run_until(world.now() + Duration::from_millis(1));
        sound(world);
    }
}

#[track_caller]
fn sound(world: &Simulation) {
    assert!(world.violation().is_none(), "seed {}: {}", world.scenario().seed, world.violation().unwrap());
}

fn elected(world: &Simulation) -> bool {
    world.leader().is_some()
}

/// Submits a command as the person at the command line, and plays until the operation has ended.
#[track_caller]
fn submit(world: &mut Simulation, line: &str) -> OperationRecord {
    world.act(Action::Submit(line.into())).expect("the test's commands can be read");
    until(world, Duration::from_secs(5), line, |world| last_of_person(world).end.is_some());
    last_of_person(world).clone()
}

fn written(operation: &OperationRecord) -> bool {
    matches!(operation.end, Some((_, End::Answered(Outcome::Written { .. }))))
}

fn last_of_person(world: &Simulation) -> &OperationRecord {
    world.operations().rev().find(|operation| operation.client == ClientId::PERSON).expect("a command was submitted")
}

fn stored(world: &Simulation, server: ServerId, key: &str) -> Option<String> {
    let store = world.machine(server)?.store()?;
    store.get(&Key::new(key).unwrap()).map(ToString::to_string)
}

fn everywhere(world: &Simulation, key: &str, value: Option<&str>) -> bool {
    world.machines().iter().filter(|m| m.is_up()).all(|m| stored(world, m.id(), key).as_deref() == value)
}

const SOON: Duration = Duration::from_secs(3);

#[test]
fn clusters_of_one_to_nine_elect_a_leader_and_replicate() {
    for servers in 1..=9 {
        let mut world = quiet(7, servers);
        until(&mut world, SOON, "a leader", elected);
        let operation = submit(&mut world, "put x 1");
        assert_eq!(operation.answer(), "written: the key is new", "{servers} servers");
        until(&mut world, SOON, "the write everywhere", |world| everywhere(world, "x", Some("1")));
        assert_eq!(submit(&mut world, "get x").answer(), "1");
        assert_eq!(submit(&mut world, "cas x 1 2").answer(), "swapped");
        assert_eq!(submit(&mut world, "cas x 1 3").answer(), "not swapped: the value is 2");
        assert_eq!(submit(&mut world, "delete x").answer(), "deleted");
        until(&mut world, SOON, "the deletion everywhere", |world| everywhere(world, "x", None));
    }
}

/// They time out together, ask together and refuse each other together, again and again, unless in
/// the end they wait for different times.
#[test]
fn servers_whose_shortest_election_timeout_is_the_longest_elect_a_leader() {
    for (servers, pre_vote) in [(2, true), (3, true), (5, true), (9, true), (3, false), (5, false)] {
        for seed in 0..5 {
            let mut scenario = Scenario::new(seed, servers);
            let Parameters { clients, network, timing, .. } = &mut scenario.parameters;
            clients.count = 0;
            network.latency_min = network.latency_max;
            timing.election_timeout_max = timing.election_timeout_min;
            timing.pre_vote = pre_vote;
            let mut world = Simulation::new(scenario).expect("the parameters make a world");
            until(&mut world, Duration::from_secs(5), "a leader", elected);
        }
    }
}

#[test]
fn another_server_takes_over_when_the_leader_crashes() {
    let mut world = quiet(11, 5);
    until(&mut world, SOON, "a leader", elected);
    submit(&mut world, "put x 1");
    let first = world.leader().unwrap();
    let term = world.machine(first).unwrap().raft().unwrap().term();
    world.act(Action::Crash(Target::Leader)).unwrap();
    assert_ne!(world.leader(), Some(first));
    until(&mut world, SOON, "another leader", elected);
    let second = world.leader().unwrap();
    assert_ne!(second, first);
    assert!(world.machine(second).unwrap().raft().unwrap().term() > term);
    assert_eq!(submit(&mut world, "get x").answer(), "1", "what was acknowledged is still there");
    assert!(written(&submit(&mut world, "put x 2")));
    world.act(Action::Restart(first)).unwrap();
    until(&mut world, SOON, "the old leader caught up", |world| stored(world, first, "x").as_deref() == Some("2"));
}

#[test]
fn a_minority_can_not_commit_and_says_so() {
    let mut world = quiet(3, 5);
    until(&mut world, SOON, "a leader", elected);
    submit(&mut world, "put x 1");
    for number in 1..=3 {
        world.act(Action::Crash(Target::Server(s(number)))).unwrap();
    }
    let operation = submit(&mut world, "put x 2");
    assert!(!matches!(operation.end, Some((_, End::Answered(_)))), "{}", operation.answer());
    assert!(operation.answer().starts_with("no answer within 2 s (3 are down: no majority)"), "{}", operation.answer());
    let committed =
        |world: &Simulation| world.machines().iter().filter_map(|m| m.raft()).map(|r| r.commit_index()).max();
    let before = committed(&world);
    world.run_until(world.now() + Duration::from_secs(10));
    sound(&world);
    assert_eq!(committed(&world), before, "nothing is committed without a quorum");
    world.act(Action::Restart(s(1))).unwrap();
    until(&mut world, SOON, "a leader again", elected);
    assert!(written(&submit(&mut world, "put x 3")));
}

#[test]
fn an_isolated_minority_leader_acknowledges_nothing_and_rejoins() {
    let mut world = quiet(5, 5);
    until(&mut world, SOON, "a leader", elected);
    submit(&mut world, "put x 1");
    let old = world.leader().unwrap();
    let groups = (1..=5).map(|n| u8::from(s(n) == old || s(n).number() == old.number() % 5 + 1)).collect();
    world.act(Action::Partition(groups)).unwrap();
    until(&mut world, SOON, "a leader of the majority", |world| {
        world.leader().is_some_and(|leader| leader != old) && world.reach().can_commit()
    });
    assert!(written(&submit(&mut world, "put x 2")));
    assert_eq!(stored(&world, old, "x").as_deref(), Some("1"), "the minority has not moved");
    world.act(Action::HealAll).unwrap();
    until(&mut world, SOON, "agreement", |world| everywhere(world, "x", Some("2")));
}

#[test]
fn crashing_every_server_in_turn_loses_nothing_acknowledged() {
    for seed in 0..20 {
        let mut world = quiet(seed, 5);
        until(&mut world, SOON, "a leader", elected);
        for number in 1..=5 {
            assert!(written(&submit(&mut world, &format!("put k{number} {number}"))));
            world.act(Action::Crash(Target::Server(s(number)))).unwrap();
            assert_eq!(submit(&mut world, &format!("get k{number}")).answer(), number.to_string());
            world.act(Action::Restart(s(number))).unwrap();
        }
        until(&mut world, SOON, "agreement", |world| {
            (1..=5).all(|number| everywhere(world, &format!("k{number}"), Some(&number.to_string())))
        });
    }
}

#[test]
fn crashing_all_servers_at_once_loses_nothing_acknowledged() {
    for seed in 0..20 {
        let mut world = quiet(seed, 5);
        until(&mut world, SOON, "a leader", elected);
        for number in 1..=5 {
            assert!(written(&submit(&mut world, &format!("put k{number} {number}"))));
        }
        // Another write is in flight when the power fails.
        world.act(Action::Submit("put last 1".into())).unwrap();
        world.run_until(world.now() + Duration::from_millis(seed * 2));
        for number in 1..=5 {
            world.act(Action::Crash(Target::Server(s(number)))).unwrap();
        }
        world.run_until(world.now() + Duration::from_millis(100));
        for number in 1..=5 {
            world.act(Action::Restart(s(number))).unwrap();
        }
        until(&mut world, SOON, "a leader again", elected);
        for number in 1..=5 {
            assert_eq!(submit(&mut world, &format!("get k{number}")).answer(), number.to_string(), "seed {seed}");
        }
    }
}

/// A busy cluster in a storm of every kind of fault.
fn stormy(seed: u64) -> Scenario {
    Hunt::default().run(seed).expect("a hunt that can be").scenario
}

#[test]
fn two_hundred_storms_of_a_minute_violate_nothing_and_end_in_agreement() {
    let hunt = Hunt::default();
    for seed in 0..200 {
        let played = trial::play(&hunt.run(seed).expect("a hunt that can be")).expect("a hunt makes worlds");
        if let Some(finding) = played.finding {
            panic!("{}", hunt.report(seed, &finding));
        }
    }
}

/// In these seeds long hunts have found that a check was wrong: the one of a leader that probes
/// where the logs agree and learns it in the same step (58330), and the one that used what is known
/// of the disk before the last (21014).
#[test]
fn storms_that_a_check_once_misjudged_violate_nothing() {
    for seed in [21_014, 58_330] {
        let mut world = Simulation::new(stormy(seed)).expect("the parameters make a world");
        world.run_until(Time::from_secs(60));
        sound(&world);
    }
}

#[test]
fn the_same_scenario_plays_the_same_and_another_seed_does_not() {
    let hash = |seed| {
        let mut world = Simulation::new(stormy(seed)).unwrap();
        world.run_until(Time::from_secs(20));
        (world.trace_hash(), world.events())
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1).0, hash(5).0);
}

#[test]
fn what_a_person_does_can_be_replayed_from_the_scenario() {
    let mut live = Simulation::new(Scenario::new(42, 5)).unwrap();
    live.run_until(Time::from_millis(700));
    live.act(Action::Submit("put x 1".into())).unwrap();
    for _ in 0..40 {
        live.step();
    }
    live.act(Action::Crash(Target::Leader)).unwrap();
    live.act(Action::Cut { from: s(1), to: s(2) }).unwrap();
    live.run_until(Time::from_millis(1_900));
    live.act(Action::HealAll).unwrap();
    live.run_until(Time::from_secs(5));
    sound(&live);

    let mut replayed = Simulation::new(live.scenario().clone()).unwrap();
    replayed.run_until(Time::from_secs(5));
    assert_eq!((replayed.trace_hash(), replayed.events()), (live.trace_hash(), live.events()));
    assert_eq!(replayed.scenario(), live.scenario());
}

#[test]
fn listening_and_cloning_change_nothing() {
    let play = |world: &mut Simulation| {
        world.run_until(Time::from_secs(10));
        world.trace_hash()
    };
    let mut plain = Simulation::new(stormy(9)).unwrap();
    let mut heard = plain.clone();
    heard.listen(Listening::News);
    heard.run_until(Time::from_secs(4));
    let mut resumed = heard.clone();
    assert_eq!(play(&mut plain), play(&mut heard));
    assert_eq!(plain.trace_hash(), play(&mut resumed), "a checkpoint goes on as the run did");
    assert!(heard.take_news().len() > 100);
    assert!(plain.take_news().is_empty());
}

#[test]
fn actions_that_make_no_sense_are_refused_and_change_nothing() {
    let mut world = quiet(1, 3);
    world.run_until(Time::from_secs(1));
    let before = world.trace_hash();
    let cases = [
        (Action::Restart(s(4)), "there is no S4 in this cluster"),
        (Action::Cut { from: s(2), to: s(2) }, "S2 has no link to itself: name two servers"),
        (Action::Partition(vec![0, 1]), "the partition names 2 groups for 3 servers: name one for each"),
        (Action::SetLoss(1_000_001), "“share” is 1000001 parts per million: 1000000 is the most there can be"),
    ];
    for (action, sentence) in cases {
        assert_eq!(world.act(action).unwrap_err().to_string(), sentence);
    }
    assert!(world.act(Action::Submit("jump x".into())).is_err());
    assert_eq!(world.trace_hash(), before);
    assert!(world.scenario().actions.is_empty());
}

#[test]
fn a_leader_that_sees_the_clocks_run_apart_confirms_its_lease_reads_instead() {
    let refusals = |rate: u32| {
        let mut scenario = Scenario::new(4, 3);
        scenario.parameters.clients.lease_reads = true;
        scenario.parameters.clients.think_time = Duration::from_millis(20);
        let mut world = Simulation::new(scenario).unwrap();
        until(&mut world, SOON, "a leader", elected);
        let leader = world.leader().unwrap();
        for server in (1..=3).map(s).filter(|server| *server != leader) {
            world.act(Action::SetClockRate { server, rate }).unwrap();
        }
        world.run_until(world.now() + Duration::from_secs(4));
        world.listen(Listening::News);
        world.run_until(world.now() + Duration::from_secs(4));
        sound(&world);
        let news = world.take_news();
        let count = |wanted: &dyn Fn(&Observation) -> bool| {
            news.iter().filter(|n| matches!(&n.what, What::Observed(_, observation) if wanted(observation))).count()
        };
        let leases = count(&|o| matches!(o, Observation::ReadReleased { by: ReadProof::Lease(_), .. }));
        let drifting = count(&|o| matches!(o, Observation::LeaseUnavailable { reason: LeaseRefusal::ClockDrift }));
        (leases > 0, drifting > 0)
    };
    assert_eq!(refusals(1_000_000), (true, false), "true clocks");
    assert_eq!(refusals(1_050_000), (true, false), "within the bound");
    assert_eq!(refusals(600_000), (false, true), "two slow clocks");
    assert_eq!(refusals(1_500_000), (false, true), "two fast clocks");
}
