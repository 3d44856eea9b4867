//! Compares verdicts with porcupine-rs, on histories too large to try all orders.
#![cfg(all(test, not(target_family = "wasm")))]

#[path = "../../linearizable/generate.rs"]
#[allow(dead_code)]
mod generate;

use porcupine_rs::{Model, Operation, check_operations};
use raft_core::check::linearizable::{History, Outcome, Request, Verdict};

use generate::{Recipe, agrees, answer, generate, perform, request};

/// A register as porcupine-rs sees it.
#[derive(Clone)]
struct Register;

type Call = (Request<String>, Option<Outcome<String>>);

impl Model for Register {
    type State = Option<String>;
    type Op = Call;
    type Metadata = ();

    fn init() -> Option<String> {
        None
    }

    fn step(before: &Option<String>, (request, said): &Call) -> (bool, Option<String>) {
        let mut register = before.clone();
        let done = perform(&mut register, request);
        (said.as_ref().is_none_or(|said| agrees(said, &done)), register)
    }
}

/// porcupine-rs has no unknown outcomes: such an operation ends after all others, where it can't
/// change anything any more.
fn peer_says(history: &History) -> bool {
    let operations: Vec<Operation<Register>> = history
        .ids()
        .filter(|&id| !history.operation(id).failed())
        .map(|id| {
            let operation = history.operation(id);
            Operation {
                client_id: None,
                call_time: i64::from(operation.invoked),
                return_time: operation.answer().map_or(i64::MAX, |answer| i64::from(answer.0)),
                op: (request(history, id), answer(history, id)),
                metadata: None,
            }
        })
        .collect();
    check_operations(&operations)
}

fn is_linearizable(history: &History) -> bool {
    match history.check() {
        Verdict::Linearizable(_) => true,
        Verdict::NotLinearizable(_) => false,
        Verdict::Undecided { work, .. } => panic!("undecided after {work}"),
    }
}

#[test]
fn the_verdicts_agree() {
    let mut bad = 0;
    for seed in 0..3_000 {
        let pick = |of: &[u32], by: u64| of[(seed / by % of.len() as u64) as usize];
        let recipe = Recipe {
            operations: pick(&[20, 40, 60], 1) as usize,
            clients: u64::from(pick(&[2, 4, 6], 3)),
            values: pick(&[0, 2, 5], 9),
            swaps: pick(&[0, 20], 27),
            deletes: pick(&[0, 10], 54),
            unknown: pick(&[0, 3], 108),
            failed: 3,
            talkative: pick(&[0, 100], 216),
            wrong: pick(&[0, 1, 3], 432),
            ..Recipe::PLAIN
        };
        let (history, _) = generate(seed, &recipe);
        let expected = peer_says(&history);
        assert_eq!(is_linearizable(&history), expected, "seed {seed}: {recipe:?}");
        bad += u32::from(!expected);
    }
    assert!((500..2_500).contains(&bad), "{bad} of 3000 were bad");
}

#[test]
fn long_histories_agree_too() {
    for seed in 0..6 {
        let wrong = u32::from(seed % 2 == 1);
        let recipe =
            Recipe { operations: 1_000, clients: 5, values: [0, 5, 20][seed as usize / 2], wrong, ..Recipe::PLAIN };
        let (history, _) = generate(seed, &recipe);
        assert_eq!(is_linearizable(&history), peer_says(&history), "seed {seed}");
    }
}
