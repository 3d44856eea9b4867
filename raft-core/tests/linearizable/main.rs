//! Tests the linearizability checkers with hand-made histories, by trying all orders, against each
//! other, and with what clients see in simulated storms. `tests/second_opinion` compares them with
//! another library.

mod by_hand;
mod every_order;
mod generate;
mod simulated;

use raft_core::check::linearizable::witness::{self, Point};
use raft_core::check::linearizable::{Explanation, History, Order, Verdict};

/// Checks the order with the witness check, which shares no code with the search.
#[track_caller]
fn assert_order(history: &History, order: &Order) {
    let line = order.of_all(history);
    let points: Vec<Point> =
        line.iter().zip(1..).map(|(&operation, index)| Point { operation, index, at: None }).collect();
    witness::check(history, &points).unwrap_or_else(|contradiction| panic!("{contradiction}"));
}

/// Checks that the explanation's few operations are a counterexample by themselves, and that all of
/// them are needed.
#[track_caller]
fn assert_evidence(history: &History, explanation: &Explanation) {
    let evidence = explanation.evidence(history);
    let Verdict::NotLinearizable(again) = evidence.check() else { panic!("no evidence: {explanation}") };
    assert!(explanation.smallest && again.smallest);
    assert_eq!(again.conflicting.len(), explanation.conflicting.len(), "{explanation}; {again}");
    assert_eq!(again.event + 1, evidence.events(), "the moment is the last event: {explanation}");
}

/// Whether the history is linearizable. Also checks the verdict's order or explanation.
#[track_caller]
fn is_linearizable(history: &History) -> bool {
    match history.check() {
        Verdict::Linearizable(order) => {
            assert_order(history, &order);
            true
        }
        Verdict::NotLinearizable(explanation) => {
            assert_evidence(history, &explanation);
            false
        }
        Verdict::Undecided { work, .. } => panic!("undecided after {work}"),
    }
}
