//! What the cluster is said to be able to do, held against what it does.

#[path = "support/quiet.rs"]
mod quiet;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use raft_core::raft::ServerId;
use raft_core::sim::{Action, End, Reach, Simulation, Target};
use raft_core::time::Duration;

use quiet::{quiet, s};

fn play(world: &mut Simulation, millis: u64) {
    world.run_until(world.now() + Duration::from_millis(millis));
    assert!(world.violation().is_none(), "seed {}: {}", world.scenario().seed, world.violation().unwrap());
}

/// Plays until a server leads that every other voter answers.
fn settle(world: &mut Simulation) -> ServerId {
    for _ in 0..5_000 {
        if let Reach { leader: Some(leader), reached, configuration, .. } = world.reach()
            && reached == configuration.all_voters()
            && world.machine(leader).unwrap().raft().unwrap().commit_index()
                == world.machine(leader).unwrap().raft().unwrap().log().last().index
        {
            return leader;
        }
        play(world, 1);
    }
    panic!("seed {}: {}", world.scenario().seed, world.reach());
}

fn act(world: &mut Simulation, action: Action) {
    world.act(action).expect("a test does what can be done");
}

/// Submits a write; whether it is answered within the time that clients have.
fn writes(world: &mut Simulation, value: u32) -> bool {
    act(world, Action::Submit(format!("put x {value}").as_str().into()));
    for _ in 0..60 {
        play(world, 50);
        let newest = world.operations().next_back().expect("a command was submitted");
        if let Some((_, end)) = &newest.end {
            return matches!(end, End::Answered(_));
        }
    }
    panic!("clients give up after two seconds");
}

#[test]
fn every_state_of_the_cluster_has_its_sentence() {
    let mut world = quiet(7, 5);
    assert_eq!(world.reach().to_string(), "nobody leads: an election is due", "at the beginning");
    let leader = settle(&mut world);
    assert_eq!(world.reach().to_string(), format!("{leader} leads, 5 of 5 answer: writes commit"));
    let others: Vec<ServerId> = (1..=5).map(s).filter(|server| *server != leader).collect();

    let told = |faults: &[Action]| {
        let mut world = world.clone();
        for fault in faults {
            act(&mut world, fault.clone());
        }
        world.reach().to_string()
    };
    let at = Target::Server;
    let full = |server| Action::FillDisk { server, full: true };
    let stalled = |server| Action::StallDisk { server, stalled: true };
    assert_eq!(told(&[Action::Crash(at(others[0]))]), format!("{leader} leads, 4 of 5 answer: writes commit"));
    assert_eq!(told(&[Action::Crash(at(leader))]), "nobody leads: an election is due");
    assert_eq!(told(&[Action::Pause(at(leader))]), "nobody leads: an election is due");
    assert_eq!(
        told(&[Action::Pause(at(others[0])), stalled(others[1]), stalled(others[2])]),
        "3 stand still: no majority"
    );
    assert_eq!(
        told(&[Action::Crash(at(leader)), Action::Pause(at(others[0])), full(others[1])]),
        "1 is down, 1 stands still, 1 has no room: no majority"
    );
    assert_eq!(told(&[stalled(leader)]), format!("{leader} leads, 4 of 5 answer: writes commit"));
    assert_eq!(told(&[Action::Isolate(at(leader))]), format!("{leader} leads, 1 of 5 answers: an election is due"));
    assert_eq!(
        told(&[Action::Crash(at(leader)), Action::Isolate(at(others[0])), Action::Isolate(at(others[1]))]),
        "2 of 5 reach each other: no majority"
    );
    assert_eq!(
        told(&[Action::Isolate(at(others[0])), Action::Isolate(at(others[1])), Action::Isolate(at(leader))]),
        format!("{leader} leads, 1 of 5 answers: no majority")
    );
    let mut alone = quiet(1, 1);
    settle(&mut alone);
    assert_eq!(alone.reach().to_string(), "S1 leads, 1 of 1 answers: writes commit");
    act(&mut alone, Action::Crash(at(s(1))));
    assert_eq!(alone.reach().to_string(), "1 is down: no majority");
}

#[test]
fn a_cut_in_one_direction_is_no_answer() {
    let mut world = quiet(7, 3);
    let leader = settle(&mut world);
    for (from, to) in [(leader, s(leader.number() % 3 + 1)), (s(leader.number() % 3 + 1), leader)] {
        let mut world = world.clone();
        act(&mut world, Action::Cut { from, to });
        assert_eq!(world.reach().to_string(), format!("{leader} leads, 2 of 3 answer: writes commit"));
    }
}

/// Faults at random, and then none: from there on the sentence foretells what a client will see.
#[test]
fn what_is_said_is_what_a_client_sees() {
    let (mut commits, mut elections, mut none) = (0, 0, 0);
    for seed in 0..400 {
        let random = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
        let servers = random.random_range(1..=7);
        let mut world = quiet(seed, servers);
        settle(&mut world);
        for _ in 0..random.random_range(1..8) {
            let (one, other) = (s(random.random_range(1..=servers)), s(random.random_range(1..=servers)));
            let aim = Target::Server(one);
            let fault = match random.random_range(0..11) {
                0 | 1 => Action::Crash(aim),
                2 | 3 => Action::Pause(aim),
                4 => Action::StallDisk { server: one, stalled: true },
                5 => Action::FillDisk { server: one, full: true },
                6 => Action::Isolate(aim),
                7 => Action::Wipe(aim),
                8 => Action::Partition((0..servers).map(|_| random.random_range(0..2)).collect()),
                9 if one != other => Action::Cut { from: one, to: other },
                _ => Action::Restart(one),
            };
            // Not every fault is possible at every moment.
            let _ = world.act(fault);
            play(&mut world, random.random_range(0..300));
        }
        // What is on its way arrives.
        let calm = if random.random() { 20 } else { 1_500 };
        play(&mut world, calm);
        let reach = world.reach();
        let said = reach.to_string();
        if reach.can_commit() {
            commits += 1;
            assert!(said.ends_with("writes commit"), "seed {seed}: {said}");
            assert!(writes(&mut world, 1), "seed {seed}: {said}");
        } else if reach.electable {
            elections += 1;
            let follows = if reach.campaigning { "an election is on" } else { "an election is due" };
            assert!(said.ends_with(follows), "seed {seed}: {said}");
            assert!((0..10).any(|value| writes(&mut world, value)), "seed {seed}: {said}, and nobody was elected");
        } else {
            none += 1;
            assert!(said.contains("no majority"), "seed {seed}: {said}");
            assert!(!writes(&mut world, 1), "seed {seed}: {said}, and a write was answered");
        }
    }
    assert!(commits > 50 && none > 50 && elections > 5, "{commits} commit, {elections} elect, {none} have no majority");
}
