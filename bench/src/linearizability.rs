//! Linearizability: the black-box search beside porcupine-rs, on the same histories.
//!
//! Each gets the history in its own form, made beforehand. porcupine-rs gets the leanest possible
//! model of a register, with numbers for values, and a separate history for each key, which it
//! checks in threads. So the whole process's CPU time is counted, for both.

#[path = "../../raft-core/tests/linearizable/generate.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod generate;

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use generate::{Recipe, generate};
use porcupine_rs::{Model, Operation, check_operations};
use raft_core::check::linearizable::{History, OperationId, Outcome, Request, Verdict};

use crate::OURS;
use crate::measure::{Contest, Cost, Sample, cost_in_threads, whole};

pub const SEARCH: &str = "linearizability";
pub const PORCUPINE: &str = "porcupine-rs";

/// The histories of the table, the same in a quick run: they take milliseconds.
pub fn contests() -> Vec<Contest> {
    [(1_000, 1, 5), (10_000, 1, 5), (10_000, 10, 5), (100_000, 50, 10)].map(contest).into()
}

fn contest((operations, keys, clients): (usize, usize, u64)) -> Contest {
    // Made when it is first needed, before anything is measured.
    let prepared = Rc::new(LazyCell::new(move || {
        let (history, _) = generate(1, &Recipe { operations, keys, clients, talkative: 0, ..Recipe::PLAIN });
        let theirs = for_porcupine(&history);
        (history, theirs)
    }));
    let the_same = Rc::clone(&prepared);
    let keys_are = if keys == 1 { "key" } else { "keys" };
    let name = format!("{} operations on {keys} {keys_are}, {clients} clients", whole(operations as u64));
    Contest::less(SEARCH, name, "ms")
        .with(OURS, move || {
            let (history, _) = &**prepared;
            let mut verdict = None;
            let cost = cost_in_threads(|| verdict = Some(history.check()));
            assert!(matches!(verdict, Some(Verdict::Linearizable(_))), "a good history is found bad");
            sample(operations, &cost)
        })
        .with(PORCUPINE, move || {
            let (_, theirs) = &**the_same;
            let mut good = false;
            let cost = cost_in_threads(|| good = check_operations(theirs));
            assert!(good, "a good history is found bad");
            sample(operations, &cost)
        })
}

fn sample(operations: usize, cost: &Cost) -> Sample {
    let allocations = Some(cost.allocations as f64 / operations as f64);
    Sample { figure: cost.seconds * 1_000.0, allocations, messages: None }
}

/// A register, as porcupine-rs sees it.
#[derive(Clone, Debug)]
struct Register;

/// A request with its answer and its key, with numbers for texts.
#[derive(Clone, Copy, Debug)]
struct Call {
    key: u32,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Got(Option<u32>),
    Put(u32),
    Deleted,
    Swapped { expected: u32, new: u32 },
    NotSwapped { expected: u32 },
}

impl Model for Register {
    type State = Option<u32>;
    type Op = Call;
    type Metadata = ();

    fn init() -> Option<u32> {
        None
    }

    fn partition_operations(history: &[Operation<Self>]) -> Vec<Vec<Operation<Self>>> {
        let mut by_key = BTreeMap::<u32, Vec<Operation<Self>>>::new();
        for operation in history {
            by_key.entry(operation.op.key).or_default().push(operation.clone());
        }
        by_key.into_values().collect()
    }

    fn step(state: &Option<u32>, call: &Call) -> (bool, Option<u32>) {
        match call.what {
            What::Got(found) => (found == *state, *state),
            What::Put(value) => (true, Some(value)),
            What::Deleted => (true, None),
            What::Swapped { expected, new } => (*state == Some(expected), Some(new)),
            What::NotSwapped { expected } => (*state != Some(expected), *state),
        }
    }
}

fn for_porcupine(history: &History) -> Vec<Operation<Register>> {
    let number = |text| history.text(text).parse::<u32>().expect("the generator's values are numbers");
    let key = |key| history.key(key)[1..].parse::<u32>().expect("the generator's keys are numbered");
    let operation = |id: OperationId| {
        let operation = history.operation(id);
        let (ended, outcome) = operation.answer().expect("the generator's clients wait for their answers");
        let what = match (operation.request, outcome) {
            (Request::Get, Outcome::Found(found)) => What::Got(found.map(number)),
            (Request::Put { value }, _) => What::Put(number(value)),
            (Request::Delete, _) => What::Deleted,
            (Request::CompareAndSet { expected, new }, Outcome::Swapped) => {
                What::Swapped { expected: number(expected), new: number(new) }
            }
            (Request::CompareAndSet { expected, .. }, _) => What::NotSwapped { expected: number(expected) },
            (Request::Get, _) => unreachable!("a get is answered with what was found"),
        };
        let (call_time, return_time) = (i64::from(operation.invoked), i64::from(ended));
        let op = Call { key: key(operation.key), what };
        Operation { client_id: None, call_time, return_time, op, metadata: None }
    };
    history.ids().map(operation).collect()
}
