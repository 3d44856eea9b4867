//! The search itself: which states it takes for the same, which messages it removes, and what it
//! finds in worlds that it explores completely.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};

use raft_core::raft::{Rule, Rules};
use raftarium_model::explore::explore;
use raftarium_model::{Bounds, Model, State, World, worlds};
use stateright::Model as _;

/// A world of two servers that is small enough to be explored completely even without removing and
/// merging.
fn tiny() -> World {
    let mut world = worlds::all().into_iter().find(|world| world.name == "elections").expect("there are elections");
    (world.servers, world.founders) = (2, 2);
    world.bounds = Bounds { duplicates: 1, link_max: usize::MAX, ..world.bounds };
    world
}

/// All combinations of the servers' states: their fingerprints, without the messages.
fn together(world: World) -> BTreeSet<Vec<u64>> {
    let model = Model::new(world);
    let mut seen = BTreeSet::new();
    let mut waiting: VecDeque<State> = model.init_states().into();
    let mut found = BTreeSet::new();
    while let Some(state) = waiting.pop_front() {
        found.insert(state.servers());
        for next in model.next_states(&state) {
            assert_eq!(next.trouble, None);
            if seen.insert(next.fingerprint()) {
                waiting.push_back(next);
            }
        }
    }
    found
}

#[test]
fn what_is_thrown_away_makes_no_difference() {
    let everything = World { keeps_everything: true, ..tiny() };
    let servers = together(tiny());
    assert!(servers.len() > 500, "{} ways for two servers to be", servers.len());
    assert!(servers == together(everything), "messages that nobody needs are needed");
}

/// Expands `visits` states, each as often as a path leads to it: states that are taken for the same
/// must have the same successors. Returns how often a known state came back.
fn how_often_states_came_back(world: World, visits: usize) -> usize {
    let model = Model::new(World { keeps_everything: true, ..world });
    let mut seen: HashMap<u64, BTreeSet<u64>> = HashMap::new();
    let mut waiting: VecDeque<State> = model.init_states().into();
    let mut came_back = 0;
    for _ in 0..visits {
        let Some(state) = waiting.pop_front() else { break };
        let next = model.next_states(&state);
        let follow = next.iter().map(State::fingerprint).collect();
        match seen.entry(state.fingerprint()) {
            Entry::Vacant(place) => {
                place.insert(follow);
                waiting.extend(next);
            }
            Entry::Occupied(before) => {
                let name = model.world.name;
                assert!(*before.get() == follow, "{name}: this is taken for one that is another: {state:#?}");
                came_back += 1;
            }
        }
    }
    came_back
}

#[test]
fn what_is_taken_for_the_same_goes_on_alike() {
    for world in worlds::all().into_iter().chain([tiny()]) {
        let (name, came_back) = (world.name, how_often_states_came_back(world, 20_000));
        assert!(came_back > 500, "states of {name} came back {came_back} times only");
    }
}

#[test]
fn a_search_is_the_same_each_time() {
    let explored = [0; 2].map(|_| explore(tiny(), usize::MAX, 1, |_| ()));
    let [first, second] = explored.map(|explored| (explored.states, explored.steps, explored.depth, explored.complete));
    assert_eq!(first, second);
    assert!(first.3, "it is seen whole");
}

#[test]
fn a_world_is_seen_whole_and_nothing_is_wrong() {
    let world = worlds::all().into_iter().find(|world| world.name == "pre-votes").expect("there are pre-votes");
    let expected = world.expected;
    let explored = explore(world, usize::MAX, 1, |_| ());
    assert_eq!(explored.troubles.len(), 0, "{:?}", explored.troubles);
    assert!(explored.complete && explored.states > 10_000, "{} states", explored.states);
    let missed: Vec<_> = expected.iter().filter(|mark| !explored.marks.contains(mark)).collect();
    assert!(missed.is_empty(), "it never happened that {missed:?}");
}

#[test]
fn the_shortest_way_to_two_votes_in_one_term_takes_three_actions() {
    let world = worlds::without(Rule::VoteOncePerTerm).expect("a world that misses it");
    let explored = explore(world, 10_000, 1, |_| ());
    let lengths: Vec<usize> = explored.troubles.iter().map(|(_, actions)| actions.len()).collect();
    assert_eq!(lengths, [3]);
}

/// The only rule without a counterexample costs no safety in a small world.
#[test]
fn a_leader_that_ignores_higher_terms_does_nothing_unsafe() {
    let mut world = tiny();
    (world.servers, world.founders) = (3, 3);
    world.slow_disks = false;
    world.bounds.link_max = 1;
    world.rules = Rules::ALL.without(Rule::StepDownOnHigherTerm);
    let explored = explore(world, usize::MAX, 1, |_| ());
    assert!(explored.troubles.is_empty() && explored.complete, "{:?}", explored.troubles);
}
