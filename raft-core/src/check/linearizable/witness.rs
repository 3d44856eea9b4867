//! The witness check: the log says in which order everything happened. Does that order explain what
//! clients saw?
//!
//! A write takes effect at the index of its entry in Raft's log. A read takes effect at the index
//! up to which the store that served it had applied the log, after the write there. Reads at one
//! index can have any order, so they are sorted by their beginning. That puts all operations, of
//! all keys, in one line. The check walks along the line once, and asks of every operation:
//! * is there exactly one point for it, if it was answered; at most one, if its end is unknown;
//!   none, if it is a write that failed;
//! * is its time, if known, between its beginning and its end;
//! * did everything before it in the line begin before it ended (otherwise real time and the log
//!   contradict each other);
//! * is its answer the one that a plain store gives there?
//!
//! If so, the line is an order that linearizability asks for. If not, two facts contradict each
//! other, and the [`Contradiction`] has them. A history whose log is not a witness can still be
//! linearizable in another order. But a Raft whose log contradicts its clients is broken, too.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::history::{History, OperationId, Request};
use super::meaning::{ABSENT, Meaning, Register};
use crate::order::sort_by;
use crate::time::Time;

/// Where in the log an operation took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The operation.
    pub operation: OperationId,
    /// A write's entry; for a read, the last entry applied to the store that served it.
    pub index: u64,
    /// When it took effect, if that is known.
    pub at: Option<Time>,
}

/// Two facts that can't both be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The first fact.
    pub first: String,
    /// The second fact, which contradicts the first.
    pub second: String,
    /// The operation whose answer, point or interval shows it.
    pub operation: OperationId,
    /// The other one, if there is another.
    pub other: Option<OperationId>,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, but {}", self.first, self.second)
    }
}

impl core::error::Error for Contradiction {}

/// Checks that the operations of the history, at these points, give the answers that clients got.
///
/// Give one point for each time that an operation took effect, in any order: a write that was
/// applied twice has two.
///
/// # Errors
/// The first contradiction found.
pub fn check(history: &History, points: &[Point]) -> Result<(), Contradiction> {
    let mut line = points.to_vec();
    sort_by(&mut line, |point| {
        let operation = history.operation(point.operation);
        let is_read = u64::from(operation.request == Request::Get);
        (point.index, is_read << 32 | u64::from(operation.invoked))
    });
    let mut walk = Walk {
        history,
        registers: vec![(ABSENT, None); history.keys().len()],
        placed: vec![None; history.operations().len()],
        latest: None,
        written: None,
    };
    for point in &line {
        walk.placed_once(point)?;
        walk.within_its_interval(point)?;
        walk.not_after_a_later_one(point)?;
        walk.answered_as_the_store_does(point)?;
    }
    walk.nothing_missing()
}

/// What is known at a place in the line.
struct Walk<'a> {
    history: &'a History,
    /// For each key its value, and the point that set it.
    registers: Vec<(Register, Option<Point>)>,
    /// For each operation its point so far.
    placed: Vec<Option<Point>>,
    /// The point so far whose operation began last.
    latest: Option<Point>,
    /// The last write.
    written: Option<Point>,
}

impl Walk<'_> {
    fn effect(&self, point: &Point) -> String {
        let name = self.history.name_operation(point.operation);
        let verb = if self.is_read(point) { "was served" } else { "took effect" };
        format!("{name} {verb} at index {}", point.index)
    }

    fn is_read(&self, point: &Point) -> bool {
        self.history.operation(point.operation).request == Request::Get
    }

    fn placed_once(&mut self, point: &Point) -> Result<(), Contradiction> {
        let operation = point.operation;
        let contradiction = |first, second, other| Err(Contradiction { first, second, operation, other });
        if let Some(before) = &self.placed[operation.0 as usize] {
            return contradiction(self.effect(before), format!("it did again at index {}", point.index), None);
        }
        self.placed[operation.0 as usize] = Some(*point);
        // A read may have been served though its client never got the answer.
        if self.is_read(point) {
            return Ok(());
        }
        if self.history.operation(operation).failed() {
            let first = format!("{} certainly had no effect", self.history.name_operation(operation));
            return contradiction(first, format!("it took effect at index {}", point.index), None);
        }
        if let Some(before) = self.written.replace(*point)
            && before.index == point.index
        {
            return contradiction(self.effect(&before), self.effect(point), Some(before.operation));
        }
        Ok(())
    }

    fn within_its_interval(&self, point: &Point) -> Result<(), Contradiction> {
        let operation = self.history.operation(point.operation);
        let Some(at) = point.at else { return Ok(()) };
        let second = match (operation.began, operation.ended, operation.answer()) {
            (Some(began), ..) if at < began => format!("it began only at {began}"),
            (_, Some(ended), Some(_)) if at > ended => format!("it was answered at {ended}"),
            _ => return Ok(()),
        };
        let first = format!("{}, at {at}", self.effect(point));
        Err(Contradiction { first, second, operation: point.operation, other: None })
    }

    fn not_after_a_later_one(&mut self, point: &Point) -> Result<(), Contradiction> {
        let operation = self.history.operation(point.operation);
        let began = |point: &Point| self.history.operation(point.operation).invoked;
        if let Some(latest) = &self.latest {
            if operation.answer().is_some_and(|(end, _)| end < began(latest)) {
                return Err(Contradiction {
                    first: format!(
                        "{} was over before {} began",
                        self.effect(point),
                        self.history.name_operation(latest.operation)
                    ),
                    second: format!("that came before it, at index {}", latest.index),
                    operation: point.operation,
                    other: Some(latest.operation),
                });
            }
            if began(latest) > operation.invoked {
                return Ok(());
            }
        }
        self.latest = Some(*point);
        Ok(())
    }

    fn answered_as_the_store_does(&mut self, point: &Point) -> Result<(), Contradiction> {
        let operation = self.history.operation(point.operation);
        // An operation without a meaning has no answer that could be wrong.
        let Some(meaning) = Meaning::of(operation) else { return Ok(()) };
        let (register, setter) = &mut self.registers[operation.key.0 as usize];
        match meaning.apply(*register) {
            Some(after) if meaning.set.is_some() => (*register, *setter) = (after, Some(*point)),
            Some(_) => {}
            // A compare-and-set without an answer that didn't swap.
            None if operation.answer().is_none() => {}
            None => {
                let (register, setter) = (*register, *setter);
                let key = self.history.quoted_key(operation.key);
                let value = self.history.register_in_words(register);
                let first = match &setter {
                    Some(setter) => format!("{key} had {} since {}", owned(register, value), self.effect(setter)),
                    None => format!("{key} had no value yet at index {}", point.index),
                };
                let second = format!("{} at index {}", self.history.describe(point.operation), point.index);
                let other = setter.map(|setter| setter.operation);
                return Err(Contradiction { first, second, operation: point.operation, other });
            }
        }
        Ok(())
    }

    fn nothing_missing(&self) -> Result<(), Contradiction> {
        let missing =
            |id: &OperationId| self.placed[id.0 as usize].is_none() && self.history.operation(*id).answer().is_some();
        let Some(operation) = self.history.ids().find(missing) else { return Ok(()) };
        let first = format!("{} was answered", self.history.describe(operation));
        Err(Contradiction { first, second: "it never took effect".into(), operation, other: None })
    }
}

/// `the value 1`, `no value`.
fn owned(register: Register, words: String) -> String {
    if register == ABSENT { words } else { format!("the value {words}") }
}

#[cfg(test)]
mod tests {
    use super::super::{End, Outcome};
    use super::*;
    use alloc::string::ToString;

    const WRITTEN: End<&str> = End::Answered(Outcome::Written { replaced: None });

    fn found(value: &str) -> End<&str> {
        End::Answered(Outcome::Found((!value.is_empty()).then_some(value)))
    }

    /// One client after the other, each with one operation on x.
    fn history(operations: &[(Request<&str>, End<&str>)]) -> History {
        let mut history = History::new();
        for (client, (request, end)) in operations.iter().enumerate() {
            let at = |second| Some(Time::from_secs(client as u64 * 2 + second));
            let id = history.invoke(client as u64 + 1, "x", *request, at(0)).unwrap();
            history.complete(id, *end, at(1)).unwrap();
        }
        history
    }

    fn points(indexes: &[(u32, u64)]) -> Vec<Point> {
        let point = |&(operation, index)| Point { operation: OperationId(operation), index, at: None };
        indexes.iter().map(point).collect()
    }

    #[track_caller]
    fn contradiction(history: &History, indexes: &[(u32, u64)]) -> String {
        check(history, &points(indexes)).unwrap_err().to_string()
    }

    #[test]
    fn a_log_that_tells_the_clients_story_is_a_witness() {
        let put = |value| Request::Put { value };
        let history = history(&[
            (put("1"), WRITTEN),
            (Request::Get, found("1")),
            (put("2"), End::Unknown),
            (Request::Get, found("2")),
        ]);
        assert_eq!(check(&history, &points(&[(0, 5), (1, 5), (2, 6), (3, 6)])), Ok(()));
        assert_eq!(check(&history, &points(&[(3, 9), (2, 7), (1, 6), (0, 5)])), Ok(()), "the points come in any order");
        assert_eq!(
            contradiction(&history, &[(0, 5), (1, 5), (3, 5)]),
            "x had the value 1 since client 1's put x 1 (0.000 s to 1.000 s) took effect at index 5, \
             but client 4's get x (6.000 s to 7.000 s) found 2 at index 5"
        );
        assert_eq!(
            contradiction(&history, &[(0, 5), (2, 6), (3, 6)]),
            "client 2's get x (2.000 s to 3.000 s) found 1 was answered, but it never took effect"
        );
    }

    #[test]
    fn what_a_log_can_get_wrong() {
        let put = |value| Request::Put { value };
        let two = history(&[(put("1"), WRITTEN), (put("2"), WRITTEN)]);
        assert_eq!(
            contradiction(&two, &[(0, 5), (1, 4)]),
            "client 1's put x 1 (0.000 s to 1.000 s) took effect at index 5 was over before client 2's put x 2 (2.000 s to 3.000 s) \
             began, but that came before it, at index 4"
        );
        assert_eq!(
            contradiction(&two, &[(0, 5), (0, 7), (1, 6)]),
            "client 1's put x 1 (0.000 s to 1.000 s) took effect at index 5, but it did again at index 7"
        );
        assert_eq!(
            contradiction(&two, &[(0, 5), (1, 5)]),
            "client 1's put x 1 (0.000 s to 1.000 s) took effect at index 5, but client 2's put x 2 (2.000 s to 3.000 s) took effect at index 5"
        );
        let failed = history(&[(put("1"), End::Failed)]);
        assert_eq!(
            contradiction(&failed, &[(0, 3)]),
            "client 1's put x 1 (0.000 s to 1.000 s, failed) certainly had no effect, but it took effect at index 3"
        );
        assert_eq!(check(&failed, &[]), Ok(()));
        let early = history(&[(Request::Get, found("1"))]);
        assert_eq!(
            contradiction(&early, &[(0, 3)]),
            "x had no value yet at index 3, but client 1's get x (0.000 s to 1.000 s) found 1 at index 3"
        );
        let mut late = points(&[(0, 5), (1, 6)]);
        late[0].at = Some(Time::from_millis(1_500));
        assert_eq!(
            check(&two, &late).unwrap_err().to_string(),
            "client 1's put x 1 (0.000 s to 1.000 s) took effect at index 5, at 1.500 s, but it was answered at 1.000 s"
        );
        late[0].at = Some(Time::ZERO);
        late[1].at = Some(Time::from_secs(1));
        assert_eq!(
            check(&two, &late).unwrap_err().to_string(),
            "client 2's put x 2 (2.000 s to 3.000 s) took effect at index 6, at 1.000 s, but it began only at 2.000 s"
        );
    }

    #[test]
    fn an_unanswered_compare_and_set_may_have_found_something_else() {
        let cas = Request::CompareAndSet { expected: "7", new: "8" };
        let history =
            history(&[(Request::Put { value: "1" }, WRITTEN), (cas, End::Unknown), (Request::Get, found("1"))]);
        assert_eq!(check(&history, &points(&[(0, 1), (1, 2), (2, 2)])), Ok(()));
    }
}
