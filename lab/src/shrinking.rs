//! Making a failing run small.

use std::cell::Cell;

use raft_core::format::{Found, Run};
use raft_core::sim::Simulation;
use raft_core::trial::{self, Failure, Shrunk};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::found::FindingView;
use crate::js::{Bytes, Refusal, bytes_of, run_of, to_js};

/// How often the search for an order looks at an operation when a candidate is judged: only the
/// final run must explain why its history is not linearizable.
const WORK: u64 = 200_000;

/// See `ShrunkView` in `lab.d.ts`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ShrunkView {
    bytes: Bytes,
    finding: Option<FindingView>,
}

/// How a run fails: by the name of what is violated.
type Fails = Option<Failure<&'static str>>;

/// A search for a smaller run that fails in the same way. It is done in pieces: each goes once more
/// through what the search has done so far, where everything is known already, and then on. The
/// library's search needn't know of it, and finds what it finds in one go.
#[wasm_bindgen]
pub struct Shrinking {
    run: Run,
    failure: Failure<&'static str>,
    tries_max: u32,
    /// What came of each candidate so far.
    known: Vec<Fails>,
    best: Run,
    over: bool,
}

#[wasm_bindgen]
impl Shrinking {
    /// Begins to shrink the run in the bytes, in at most so many tries.
    ///
    /// # Errors
    /// A sentence, if the bytes are no run, or nothing is wrong with it.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], tries_max: u32) -> Result<Shrinking, JsValue> {
        Ok(Shrinking::of(run_of(bytes)?, tries_max)?)
    }

    /// Tries so many more candidates. Returns whether the search is over.
    pub fn work(&mut self, tries: u32) -> bool {
        let place = Cell::new(0);
        let limit = self.known.len() + tries as usize;
        let known = &mut self.known;
        let fails = |candidate: &Run| {
            if place.get() == known.len() {
                known.push(failure_of(candidate));
            }
            place.set(place.get() + 1);
            known[place.get() - 1].clone()
        };
        let go_on = || place.get() < limit;
        let shrunk = trial::shrink_while(&self.run, &self.failure, self.tries_max, fails, &go_on);
        let Shrunk { run, tries, finished } = shrunk;
        self.best = run;
        self.over = finished || tries >= self.tries_max;
        self.over
    }

    /// How many candidates were tried.
    #[wasm_bindgen(getter)]
    pub fn tries(&self) -> u32 {
        self.known.len() as u32
    }

    /// How many actions the smallest run so far has.
    #[wasm_bindgen(getter)]
    pub fn actions(&self) -> u32 {
        self.best.scenario.actions.len() as u32
    }

    /// The smallest run so far, which ends with its failure, and what is wrong with it.
    ///
    /// # Errors
    /// None in practice: a run that fails can be handed on.
    #[wasm_bindgen(unchecked_return_type = "ShrunkView")]
    pub fn smallest(&self) -> Result<JsValue, JsValue> {
        to_js(&self.ended()?)
    }
}

impl Shrinking {
    fn of(run: Run, tries_max: u32) -> Result<Shrinking, Refusal> {
        let finding = trial::play(&run)?.finding;
        let finding =
            finding.ok_or_else(|| Refusal("nothing is wrong with this run: there is nothing to shrink".into()))?;
        let failure = Failure { kind: finding.name(), at: finding.at() };
        Ok(Shrinking { best: run.clone(), run, failure, tries_max, known: Vec::new(), over: false })
    }

    /// The smallest run so far. A shrunk run needs its own finding, for that of the original run
    /// doesn't fit it.
    fn ended(&self) -> Result<ShrunkView, Refusal> {
        let mut run = self.best.clone();
        let finding = trial::play(&run)?.finding;
        if let Some(finding) = &finding {
            let Found { .. } = finding.end(&mut run);
        }
        let mut world = Simulation::new(run.scenario.clone())?;
        world.run_until(run.until);
        run.hash = Some(world.trace_hash());
        Ok(ShrunkView { bytes: bytes_of(&run)?, finding: finding.as_ref().map(FindingView::from) })
    }
}

fn failure_of(run: &Run) -> Fails {
    let finding = trial::play_within(run, WORK).ok()?.finding?;
    Some(Failure { kind: finding.name(), at: finding.at() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::raft::{Rule, Rules};
    use raft_core::time::Duration;
    use raft_core::trial::{Hunt, shrink};

    fn failing() -> Run {
        let rules = Rules::ALL.without(Rule::VoteOncePerTerm);
        let hunt = Hunt { servers: Some(3), length: Duration::from_secs(20), rules, ..Hunt::default() };
        let fails = |seed| {
            let run = hunt.run(seed).unwrap();
            failure_of(&run).map(|_| run)
        };
        (0..50).find_map(fails).expect("a seed that fails")
    }

    #[test]
    fn in_pieces_it_finds_what_it_finds_in_one_go() {
        let run = failing();
        let mut shrinking = Shrinking::of(run.clone(), 5_000).unwrap();
        let whole = shrink(&run, &shrinking.failure, 5_000, failure_of);
        let mut pieces = 0;
        let mut before = run.scenario.actions.len() as u32;
        while !shrinking.work(7) {
            pieces += 1;
            assert!(shrinking.actions() <= before && shrinking.tries() <= 7 * pieces);
            before = shrinking.actions();
        }
        assert!(pieces > 5 && whole.finished);
        assert_eq!((shrinking.tries(), &shrinking.best), (whole.tries, &whole.run));
        assert!(shrinking.actions() < run.scenario.actions.len() as u32 / 4);
        let ShrunkView { bytes, finding } = shrinking.ended().unwrap();
        let again = run_of(&bytes.0).unwrap();
        let finding = finding.expect("it fails still");
        assert_eq!(finding.property, shrinking.failure.kind);
        let played = trial::play(&again).unwrap();
        assert_eq!(played.finding.as_ref().map(FindingView::from), Some(finding));
        assert_eq!(again.hash, Some(played.world.trace_hash()));
    }

    #[test]
    fn whoever_stops_early_has_the_smallest_so_far() {
        let mut shrinking = Shrinking::of(failing(), 20).unwrap();
        assert!(!shrinking.work(5));
        assert!(shrinking.ended().unwrap().finding.is_some());
        while !shrinking.work(5) {}
        assert_eq!(shrinking.tries(), 20, "no more than was allowed");
    }

    #[test]
    fn what_does_not_fail_cannot_be_shrunk() {
        let run = Run { until: raft_core::time::Time::from_secs(1), ..Run::default() };
        assert!(Shrinking::of(run, 10).err().unwrap().0.starts_with("nothing is wrong with this run"));
    }
}
