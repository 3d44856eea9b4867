//! Breadth-first search through a [`World`].

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use stateright::{Checker, Model as _};

use crate::marks::Mark;
use crate::model::Model;
use crate::state::{Action, Trouble};
use crate::world::World;

/// The result of a search.
#[derive(Debug)]
pub struct Explored {
    /// How many different states were seen.
    pub states: usize,
    /// How many states were generated, repetitions included.
    pub steps: usize,
    /// How many actions deep the search came. Everything that can happen in fewer actions has been
    /// explored.
    pub depth: usize,
    /// Whether everything within the bounds has been explored.
    pub complete: bool,
    /// The most messages in flight in any state.
    pub flights_most: usize,
    /// How many different machines there were.
    pub nodes: usize,
    /// The marks that were reached.
    pub marks: Vec<Mark>,
    /// How long it took.
    pub took: Duration,
    /// The shortest path to each kind of trouble.
    pub troubles: Vec<(Trouble, Vec<Action>)>,
}

/// The progress of a search.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Different states so far.
    pub states: usize,
    /// Actions in a row so far.
    pub depth: usize,
    /// How long it has taken.
    pub took: Duration,
}

/// Explores `world` until about `states_max` states have been seen. Ends early if something is
/// wrong.
pub fn explore(world: World, states_max: usize, threads: usize, mut tell: impl FnMut(Progress)) -> Explored {
    let began = Instant::now();
    let checker =
        Model::new(world).checker().threads(threads).finish_when(stateright::HasDiscoveries::AnyFailures).spawn_bfs();
    let mut stopped = false;
    let mut told = Instant::now();
    while !checker.is_done() {
        let states = checker.unique_state_count();
        if states >= states_max && !stopped {
            checker.model().stop();
            stopped = true;
        }
        if told.elapsed() >= Duration::from_secs(1) {
            told = Instant::now();
            tell(Progress { states, depth: actions_to(checker.max_depth()), took: began.elapsed() });
        }
        thread::sleep(Duration::from_millis(20));
    }
    let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), actions_to(checker.max_depth()));
    let checker = checker.join();
    checker.model().go_on();
    let troubles = checker.discoveries().into_values().map(|path| {
        let trouble = path.last_state().trouble.clone().expect("a discovery is a state with trouble");
        (Arc::unwrap_or_clone(trouble), path.into_actions())
    });
    let troubles: Vec<_> = troubles.collect();
    Explored {
        states,
        steps,
        depth,
        complete: !stopped && troubles.is_empty(),
        flights_most: checker.model().flights_most(),
        nodes: checker.model().distinct_nodes(),
        marks: checker.model().marks(),
        took: began.elapsed(),
        troubles,
    }
}

/// The depth counts the first state as the first step.
fn actions_to(depth: usize) -> usize {
    depth.saturating_sub(1)
}
