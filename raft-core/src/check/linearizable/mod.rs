//! Linearizability: whether one single store could have shown clients what they saw.
//!
//! # What it means
//! A history is linearizable (Herlihy and Wing, 1990) if there is an order of its operations in
//! which
//! * each answer is the one that a plain store gives when it is asked in this order, and
//! * each operation comes after all operations that ended before it began.
//!
//! In other words: each operation takes effect at one instant between its beginning and its end.
//! This is what Raft promises to clients (Raft §8, dissertation §6.3), and all that they notice of
//! Raft.
//!
//! # Operations whose end is unknown
//! A client that gives up doesn't know whether its operation took effect, will take effect later,
//! or never will ([`End::Unknown`], and every operation without an end). Such an operation can have
//! any place in the order after its beginning, or none. An operation that certainly had no effect
//! ([`End::Failed`]) needs no check.
//!
//! # Two checks
//! * The **black-box search** ([`History::check`]) knows only what clients know. It can't be fooled
//!   by a wrong log. Keys are searched one by one: if each of them has an order, the whole has one
//!   (Herlihy and Wing's locality). Finding an order is NP-complete, so the search has a limit to
//!   its work; beyond it the verdict is [`Verdict::Undecided`], never "fine".
//! * The **witness check** ([`witness::check`]) is told where in Raft's log each operation took
//!   effect, and verifies that this is such an order, in O(n log n) steps, always with a verdict.
//!   But it is only as good as what it is told.
//!
//! # The parts
//! A [`History`] records what each client asked and which answer it got. A [`Recorder`] makes a
//! history of a stream of [`Event`]s from any system, and reports an event that makes no sense. A
//! [`Monitor`] checks a history that grows. An [`Explanation`] names the few operations that
//! contradict each other, and the moment at which that shows.
//!
//! Inside, `meaning` brings all operations to one form: which value the register must have before,
//! and which it has afterwards. `problem` prepares one key's history for `search`, whose
//! documentation explains how most of the work is avoided. `explain` has the proof that its small
//! sub-histories are real counterexamples.
//!
//! # Caveats
//! * Every key begins without a value. A history that starts later needs a put for each key that
//!   has one.
//! * The order is that of the history's events. Times are only for people to read.
//! * The search is fast if most values are unique, as they should be in a test. With few different
//!   values, many clients and a compare-and-set in every second operation it may give up.

mod dead;
mod events;
mod explain;
mod history;
mod interner;
mod meaning;
mod monitor;
mod numbers;
mod problem;
mod search;
pub mod witness;
mod words;

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use events::{Event, EventError, EventKind, EventProblem, OperationKind, Recorder};
pub use explain::Explanation;
pub use history::{End, History, HistoryError, KeyId, Operation, OperationId, Outcome, Request};
pub use interner::TextId;
pub use monitor::{Monitor, MonitorStatus};

use explain::explain;
use problem::{Problem, Scratch, View};
use search::{Found, search};

/// How often [`History::check`] looks at an operation at most: some seconds of work.
pub const WORK_DEFAULT: u64 = 50_000_000;

/// What is known about a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is linearizable, and this is an order that shows it.
    Linearizable(Order),
    /// It is not, and this is why.
    NotLinearizable(Box<Explanation>),
    /// Undecided: the work allowed was used up.
    Undecided {
        /// How often the search looked at an operation.
        work: u64,
        /// The keys on which it gave up.
        keys: Vec<KeyId>,
    },
}

/// For each key an order of its operations that explains all answers.
///
/// Failed operations are left out, and so are operations without an answer that need not have
/// happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    keys: Vec<Vec<OperationId>>,
}

impl Order {
    /// One key's operations, in order.
    pub fn of_key(&self, key: KeyId) -> &[OperationId] {
        self.keys.get(key.0 as usize).map_or(&[], |order| order)
    }

    /// All operations in one order.
    ///
    /// Each takes effect as early as it can: when it begins, or when the last operation before it
    /// on its key has begun. That is never after its own end, and it sorts the operations of
    /// different keys as they happened.
    pub fn of_all(&self, history: &History) -> Vec<OperationId> {
        let mut all = Vec::new();
        for order in &self.keys {
            let mut instant = 0;
            for &id in order {
                instant = instant.max(history.operation(id).invoked);
                all.push((instant, id));
            }
        }
        // The sort is stable: the operations of one key keep their order. Two keys share no
        // instant, because each instant is the beginning of one operation.
        crate::order::sort_by(&mut all, |&(instant, _)| (instant.into(), 0));
        all.into_iter().map(|(_, id)| id).collect()
    }
}

impl History {
    /// Whether the history is linearizable, with at most [`WORK_DEFAULT`] of work.
    pub fn check(&self) -> Verdict {
        self.check_within(WORK_DEFAULT)
    }

    /// Whether the history is linearizable, looking at operations no more than about `work_max`
    /// times. An explanation, if one is needed, may take as much again.
    pub fn check_within(&self, work_max: u64) -> Verdict {
        let mut scratch = Scratch::default();
        let mut order = Order::default();
        let mut undecided = Vec::new();
        let mut work = 0;
        for key in self.keys() {
            // No key may use up the work that the others need: a violation that can be found should
            // be.
            let allowed = (work_max - work) / 2;
            let (judgement, done) = judge(self, key, allowed, &mut scratch);
            work += done.min(allowed);
            match judgement {
                Judgement::Fine(steps) => order.keys.push(steps),
                Judgement::Broken => {
                    let explanation = explain(self, key, work_max, &mut scratch);
                    return Verdict::NotLinearizable(Box::new(explanation));
                }
                Judgement::Undecided => {
                    undecided.push(key);
                    order.keys.push(Vec::new());
                }
            }
        }
        if undecided.is_empty() { Verdict::Linearizable(order) } else { Verdict::Undecided { work, keys: undecided } }
    }
}

/// What is known about one key.
enum Judgement {
    Fine(Vec<OperationId>),
    Broken,
    Undecided,
}

fn judge(history: &History, key: KeyId, work_max: u64, scratch: &mut Scratch) -> (Judgement, u64) {
    let problem = Problem::new(&View::whole(history), key, scratch);
    let (found, work) = search(&problem, work_max);
    let judgement = match found {
        Found::Order(steps) => {
            Judgement::Fine(steps.into_iter().map(|step| problem.operations[step as usize]).collect())
        }
        Found::NoOrder => Judgement::Broken,
        Found::GaveUp => Judgement::Undecided,
    };
    (judgement, work)
}
