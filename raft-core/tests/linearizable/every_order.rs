//! Small histories: compares the search, its explanations and the witness check with trying all
//! orders.

use raft_core::check::linearizable::witness;
use raft_core::check::linearizable::{End, History, OperationId, Verdict};

use super::generate::{Recipe, agrees, answer, borrow, borrow_outcome, generate, perform, request};
use super::{assert_evidence, assert_order, is_linearizable};

/// Tries all orders of a history of one key, with and without each operation that has no answer.
fn has_order(history: &History) -> bool {
    let rest: Vec<OperationId> = history.ids().filter(|&id| !history.operation(id).failed()).collect();
    continues(history, None, &rest)
}

fn continues(history: &History, register: Option<String>, rest: &[OperationId]) -> bool {
    let end = |id: &OperationId| history.operation(*id).answer().map(|(position, _)| position);
    let Some(first_end) = rest.iter().filter_map(end).min() else { return true };
    rest.iter().enumerate().any(|(at, &id)| {
        if history.operation(id).invoked > first_end {
            return false;
        }
        let mut register = register.clone();
        let done = perform(&mut register, &request(history, id));
        let fits = answer(history, id).is_none_or(|said| agrees(&said, &done));
        let others = [&rest[..at], &rest[at + 1..]].concat();
        fits && continues(history, register, &others)
    })
}

fn small(seed: u64) -> Recipe {
    let pick = |of: &[u32], by: u64| of[(seed / by % of.len() as u64) as usize];
    Recipe {
        operations: pick(&[3, 4, 5, 6, 7], 1) as usize,
        clients: u64::from(pick(&[2, 3, 5], 5)),
        keys: 1,
        values: pick(&[0, 2, 3], 15),
        reads: pick(&[20, 50], 45),
        swaps: pick(&[0, 30], 90),
        deletes: pick(&[0, 15], 180),
        unknown: pick(&[0, 20, 50], 360),
        failed: pick(&[0, 10], 1_080),
        talkative: pick(&[0, 50, 100], 2_160),
        wrong: pick(&[0, 10, 40], 6_480),
    }
}

#[test]
fn the_search_finds_an_order_if_and_only_if_there_is_one() {
    let mut counts = [0; 2];
    for seed in 0..60_000 {
        let recipe = small(seed);
        let (history, points) = generate(seed, &recipe);
        let expected = has_order(&history);
        assert!(expected || recipe.wrong > 0, "seed {seed}: the generator is right");
        assert_eq!(is_linearizable(&history), expected, "seed {seed}: {recipe:?}");
        // The recorded points of effect are a witness exactly if no answer is wrong.
        let witness = witness::check(&history, &points);
        assert!(expected || witness.is_err(), "seed {seed}: a witness of what has none");
        assert!(recipe.wrong > 0 || witness.is_ok(), "seed {seed}: {}", witness.unwrap_err());
        counts[usize::from(expected)] += 1;
    }
    assert!(counts.iter().all(|&count| count > 8_000), "{counts:?} bad and good");
}

#[test]
fn the_moment_is_the_first_at_which_there_is_no_order() {
    let mut bad = 0;
    for seed in 0..60_000 {
        let recipe = Recipe { wrong: 30, ..small(seed) };
        let (history, _) = generate(seed, &recipe);
        let Verdict::NotLinearizable(explanation) = history.check() else { continue };
        bad += 1;
        // With one event less there is an order.
        let before = cut(&history, explanation.event);
        assert!(has_order(&before), "seed {seed}: {explanation}");
        assert!(!has_order(&cut(&history, explanation.event + 1)), "seed {seed}: {explanation}");
        // The evidence is a counterexample without the search, too.
        assert!(!has_order(&explanation.evidence(&history)), "seed {seed}: {explanation}");
        assert_evidence(&history, &explanation);
    }
    assert!(bad > 10_000, "only {bad} were bad");
}

/// The history's first events. Operations that fail later are left out, since they have no effect.
fn cut(history: &History, events: u32) -> History {
    let mut cut = History::new();
    let mut ids = std::collections::BTreeMap::new();
    for position in 0..events {
        for id in history.ids().filter(|&id| !history.operation(id).failed()) {
            let operation = history.operation(id);
            if operation.invoked == position {
                let request = request(history, id);
                let request = borrow(&request);
                ids.insert(id, cut.invoke(operation.client, history.key(operation.key), request, None).unwrap());
            } else if let Some(said) = answer(history, id).filter(|_| operation.answer().unwrap().0 == position) {
                let said = borrow_outcome(&said);
                cut.complete(ids[&id], End::Answered(said), None).unwrap();
            }
        }
    }
    cut
}

#[test]
fn orders_of_many_keys_are_one_order() {
    for seed in 0..500 {
        let recipe = Recipe { operations: 100, keys: 5, clients: 6, values: 3, unknown: 5, ..Recipe::PLAIN };
        let (history, points) = generate(seed, &recipe);
        assert_eq!(witness::check(&history, &points), Ok(()), "seed {seed}");
        let Verdict::Linearizable(order) = history.check() else { panic!("seed {seed}") };
        assert_order(&history, &order);
    }
}
