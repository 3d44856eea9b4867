//! A quick verdict on a simulated run, which is never wrong: for a page that shows it all the time.
//!
//! If the order of the log explains what clients saw, it is a linearization, found in O(n log n)
//! steps: it is enough to walk along the log key by key (Herlihy and Wing's locality). If it
//! doesn't, that proves nothing yet, because another order might. Then the most common
//! counterexample is looked for, a **stale read**: an operation that left or found another value
//! was over before the read began, and no operation can have set the read's value in between.
//! Anything else is left undecided; [`History::check`](crate::check::linearizable::History::check)
//! decides it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::kv::{Operation, Outcome, Request, Value};
use crate::sim::{End, OperationRecord};

/// What is known about a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// What clients saw is linearizable so far, and the log's order shows it.
    Linearizable,
    /// It is not linearizable, whatever comes later: these two facts can't both be right.
    NotLinearizable {
        /// The first fact.
        first: String,
        /// What contradicts it.
        second: String,
    },
    /// The log's order doesn't explain it; perhaps another order does.
    Undecided {
        /// What the log says.
        first: String,
        /// What it doesn't explain.
        second: String,
    },
}

/// Judges what the clients of a run have seen so far.
pub fn judge<'a>(operations: impl Iterator<Item = &'a OperationRecord>) -> Judgement {
    for of_key in in_line(operations).chunk_by(|a, b| key(a) == key(b)) {
        if let Err((first, second, suspects)) = walk(of_key) {
            let stale = suspects.into_iter().flatten().find_map(|suspect| stale(of_key, suspect));
            return match stale {
                Some((first, second)) => Judgement::NotLinearizable { first, second },
                None => Judgement::Undecided { first, second },
            };
        }
    }
    Judgement::Linearizable
}

/// A record for each key that stands for all of these operations, if the order of the log explains
/// them. Operations after them in the log, and only those, may be judged together with these
/// records instead: a long run needn't remember more.
pub fn condense<'a>(operations: impl Iterator<Item = &'a OperationRecord>) -> Option<Vec<OperationRecord>> {
    let mut condensed = Vec::new();
    for of_key in in_line(operations).chunk_by(|a, b| key(a) == key(b)) {
        let (register, latest) = walk(of_key).ok()?;
        let Some(latest) = latest else { continue };
        let key = latest.request.key().clone();
        // It has no answer, so that nothing contradicts it: it only sets the key's value.
        condensed.push(OperationRecord {
            request: match register.cloned() {
                Some(value) => Operation::Put { key, value }.into(),
                None => Operation::Delete { key }.into(),
            },
            end: None,
            point: of_key.iter().filter_map(|record| record.point).max(),
            ..latest.clone()
        });
    }
    Some(condensed)
}

/// Key by key, in the order of the log.
fn in_line<'a>(operations: impl Iterator<Item = &'a OperationRecord>) -> Vec<&'a OperationRecord> {
    let records: Vec<&OperationRecord> = operations.collect();
    let place = |(number, record): (usize, &&'a OperationRecord)| {
        (key(record), record.point.unwrap_or(u64::MAX), is_read(record), record.began, number)
    };
    let mut sorted: Vec<_> = records.iter().enumerate().map(place).collect();
    sorted.sort_unstable();
    sorted.into_iter().map(|(.., number)| records[number]).collect()
}

/// What the log says, what it doesn't explain, and the operations that show it.
type Unexplained<'a> = (String, String, [Option<&'a OperationRecord>; 2]);

/// The key's last value, and the one of its operations that began last.
type Walked<'a> = (Option<&'a Value>, Option<&'a OperationRecord>);

/// Walks along one key's operations, in the order of the log.
fn walk<'a>(line: &[&'a OperationRecord]) -> Result<Walked<'a>, Unexplained<'a>> {
    let mut register: Option<&Value> = None;
    // The operation that began last, of all so far.
    let mut latest: Option<&OperationRecord> = None;
    for &record in line {
        let answer = answer(record);
        let unexplained = |first, second| Err((first, second, [Some(record), None]));
        if record.point.is_none() {
            match answer {
                Some(_) => return unexplained(named(record), String::from("it took effect nowhere in the log")),
                None => continue,
            }
        }
        if let Some(later) = latest
            && answer.is_some()
            && record.end.as_ref().is_some_and(|(end, _)| *end < later.began)
        {
            let first = format!("{} was over before {} began", named(record), named(later));
            return Err((first, String::from("the log has them the other way round"), [Some(record), Some(later)]));
        }
        if latest.is_none_or(|latest| record.began > latest.began) {
            latest = Some(record);
        }
        if !is_read(record) && failed(record) {
            return unexplained(named(record), String::from("it took effect all the same"));
        }
        let (outcome, after) = take(record, register);
        if answer.is_some_and(|answer| *answer != outcome) {
            let there = register.map_or("no value", |value| value.as_str().unwrap_or("no text"));
            return unexplained(named(record), format!("the log has {there} there"));
        }
        register = after;
    }
    Ok((register, latest))
}

/// The outcome of an operation on a register, and the register's value afterwards.
fn take<'a>(record: &'a OperationRecord, register: Option<&'a Value>) -> (Outcome, Option<&'a Value>) {
    let had = register.is_some();
    match &record.request {
        Request::Read(_) => (Outcome::Found { value: register.cloned() }, register),
        Request::Write(Operation::Put { value, .. }) => (Outcome::Written { replaced: had }, Some(value)),
        Request::Write(Operation::Delete { .. }) => (Outcome::Deleted { existed: had }, None),
        Request::Write(Operation::CompareAndSet { expected, new, .. }) if register == Some(expected) => {
            (Outcome::Swapped, Some(new))
        }
        Request::Write(Operation::CompareAndSet { .. }) => {
            (Outcome::NotSwapped { actual: register.cloned() }, register)
        }
    }
}

/// The proof that a read is stale, if it is: an operation that was over before the read began left
/// or found another value, and no operation can have set the read's own value between the two.
fn stale(line: &[&OperationRecord], read: &OperationRecord) -> Option<(String, String)> {
    let (ended, End::Answered(Outcome::Found { value })) = read.end.as_ref()? else { return None };
    let value = value.as_ref();
    let over_before = |record: &OperationRecord, time| {
        answer(record).is_some() && record.end.as_ref().is_some_and(|(end, _)| *end < time)
    };
    let others = line
        .iter()
        .filter(|record| over_before(record, read.began) && leaves(record).is_some_and(|left| left != value));
    // The later it began, the fewer can come between.
    let other = others.max_by_key(|record| record.began)?;
    let may_come_between = |record: &&OperationRecord| {
        may_set(record) == Some(value) && record.began <= *ended && !over_before(record, other.began)
    };
    if line.iter().any(may_come_between) {
        return None;
    }
    let first = format!("{} was over before {} began", named(other), named(read));
    Some((first, format!("nothing can have set {} to what it found in between", key(read))))
}

/// The value that the key certainly had right after an answered operation.
fn leaves(record: &OperationRecord) -> Option<Option<&Value>> {
    match answer(record)? {
        Outcome::Found { value } => Some(value.as_ref()),
        Outcome::NotSwapped { actual } => Some(actual.as_ref()),
        _ => may_set(record),
    }
}

/// The value that an operation set the key to, or may have set it to; `None` if it certainly set
/// none.
fn may_set(record: &OperationRecord) -> Option<Option<&Value>> {
    match &record.request {
        _ if failed(record) => None,
        Request::Read(_) => None,
        Request::Write(Operation::Put { value, .. }) => Some(Some(value)),
        Request::Write(Operation::Delete { .. }) => Some(None),
        Request::Write(Operation::CompareAndSet { new, .. }) => match answer(record) {
            Some(Outcome::NotSwapped { .. }) => None,
            _ => Some(Some(new)),
        },
    }
}

fn key(record: &OperationRecord) -> &str {
    record.request.key().as_str()
}

fn is_read(record: &OperationRecord) -> bool {
    matches!(record.request, Request::Read(_))
}

fn failed(record: &OperationRecord) -> bool {
    matches!(record.end, Some((_, End::Failed(_))))
}

fn answer(record: &OperationRecord) -> Option<&Outcome> {
    match &record.end {
        Some((_, End::Answered(outcome))) => Some(outcome),
        _ => None,
    }
}

/// `“get x” of client 2, begun at 1.250 s and answered “3”`.
fn named(record: &OperationRecord) -> String {
    let answered = answer(record).map_or_else(String::new, |answer| format!(" and answered “{answer}”"));
    format!("“{}” of {}, begun at {}{answered}", record.request, record.client, record.began)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::ClientId;
    use crate::time::Time;

    /// An operation of a client, from one second to another, at an index of the log.
    fn record(line: &str, times: (u64, u64), point: u64, outcome: Option<Outcome>) -> OperationRecord {
        OperationRecord {
            number: 1,
            client: ClientId(2),
            request: line.parse().unwrap(),
            began: Time::from_secs(times.0),
            end: outcome.map(|outcome| (Time::from_secs(times.1), End::Answered(outcome))),
            point: (point > 0).then_some(point),
            applied: None,
            due: 0,
        }
    }

    fn put(value: u64, times: (u64, u64), point: u64, replaced: bool) -> OperationRecord {
        record(&format!("put x {value}"), times, point, Some(Outcome::Written { replaced }))
    }

    fn get(value: u64, times: (u64, u64), point: u64) -> OperationRecord {
        let value = (value > 0).then(|| Value::new(format!("{value}")).unwrap());
        record("get x", times, point, Some(Outcome::Found { value }))
    }

    #[test]
    fn what_the_log_explains_is_linearizable() {
        let records = [
            put(1, (1, 2), 3, false),
            get(1, (3, 4), 3),
            put(2, (3, 6), 5, true),
            get(2, (5, 7), 5),
            record("cas x 2 3", (8, 0), 0, None),
            record("put y 3", (5, 7), 4, Some(Outcome::Written { replaced: false })),
        ];
        assert_eq!(judge(records.iter()), Judgement::Linearizable);
        assert_eq!(judge([].iter()), Judgement::Linearizable);
    }

    #[test]
    fn a_stale_read_is_proved() {
        let records = [put(1, (1, 2), 3, false), put(2, (3, 4), 4, true), get(1, (5, 6), 3)];
        let Judgement::NotLinearizable { first, second } = judge(records.iter()) else { panic!() };
        assert_eq!(
            first,
            "“put x 2” of client 2, begun at 3.000 s and answered “written over the old value” was over before \
             “get x” of client 2, begun at 5.000 s and answered “1” began"
        );
        assert_eq!(second, "nothing can have set x to what it found in between");
        let forgotten = [put(1, (1, 2), 3, false), get(0, (5, 6), 2)];
        assert!(matches!(judge(forgotten.iter()), Judgement::NotLinearizable { .. }));
        let found_before = [put(1, (1, 2), 3, false), put(2, (3, 9), 4, true), get(2, (4, 5), 4), get(1, (6, 7), 3)];
        assert!(
            matches!(judge(found_before.iter()), Judgement::NotLinearizable { .. }),
            "one has found the other value"
        );
    }

    #[test]
    fn a_past_that_is_condensed_is_judged_like_the_past_itself() {
        let swap = |outcome| record("cas x 2 3", (5, 6), 5, Some(outcome));
        let past = [
            put(1, (1, 2), 3, false),
            put(2, (3, 4), 4, true),
            swap(Outcome::Swapped),
            record("delete y", (9, 12), 6, Some(Outcome::Deleted { existed: false })),
            record("put x 7", (8, 9), 0, None),
        ];
        let condensed = condense(past.iter()).unwrap();
        assert_eq!(condensed.len(), 2, "one for each key");
        let judged = |later: &[OperationRecord]| {
            let whole = judge(past.iter().chain(later));
            let short = judge(condensed.iter().chain(later));
            let state = |judgement| core::mem::discriminant::<Judgement>(judgement);
            assert_eq!(
                state(&whole) == state(&Judgement::Linearizable),
                state(&short) == state(&Judgement::Linearizable)
            );
            whole == Judgement::Linearizable
        };
        assert!(judged(&[get(3, (7, 8), 5), put(4, (10, 11), 7, true), get(4, (12, 13), 7)]));
        assert!(judged(&[record("put y 1", (13, 14), 7, Some(Outcome::Written { replaced: false }))]));
        assert!(!judged(&[get(2, (7, 8), 5)]), "it has another value");
        assert!(!judged(&[get(0, (7, 8), 6)]), "it has one");
        assert!(!judged(&[put(4, (1, 4), 7, true)]), "it was over before one began that the log has before it");
        assert!(!judged(&[record("put y 1", (13, 14), 7, Some(Outcome::Written { replaced: true }))]));
        assert_eq!(condense([put(1, (1, 2), 3, true)].iter()), None, "what isn't explained isn't condensed");
        assert_eq!(condense([put(1, (1, 2), 0, false)].iter()), None);
    }

    #[test]
    fn what_another_order_explains_is_left_undecided() {
        let again = record("put x 1", (3, 0), 0, None);
        let records = [put(1, (1, 2), 3, false), put(2, (3, 4), 4, true), get(1, (5, 6), 3), again];
        assert!(matches!(judge(records.iter()), Judgement::Undecided { .. }), "the other put may be in between");
        let nowhere = [put(1, (1, 2), 0, false)];
        let Judgement::Undecided { second, .. } = judge(nowhere.iter()) else { panic!() };
        assert_eq!(second, "it took effect nowhere in the log");
        let wrong = [put(1, (1, 2), 3, true)];
        assert!(matches!(judge(wrong.iter()), Judgement::Undecided { .. }));
    }
}
