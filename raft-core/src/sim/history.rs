//! Histories of simulated runs.

use alloc::vec::Vec;

use super::OperationRecord;
use crate::check::linearizable::witness::{self, Contradiction, Point};
use crate::check::linearizable::{End, History, OperationId, Outcome, Request};
use crate::kv;
use crate::order::sort_by;

/// What the clients of a run have seen.
///
/// The history's operations are in the order in which they began; of those that began at the
/// same time, in the order in which they come here. Beginnings come before ends at the same
/// time, so that such operations count as concurrent.
///
/// # Panics
/// When a value is no text. All that clients of a simulation write comes from lines of text.
pub fn history_of<'a>(operations: impl Iterator<Item = &'a OperationRecord>) -> History {
    history_with_points(operations).0
}

/// The same, and where in the log each operation took effect.
pub(crate) fn history_with_points<'a>(operations: impl Iterator<Item = &'a OperationRecord>) -> (History, Vec<Point>) {
    let records: Vec<&OperationRecord> = operations.collect();
    let mut events = Vec::with_capacity(records.len() * 2);
    for (place, record) in records.iter().enumerate() {
        events.push((record.began, false, place));
        events.extend(record.end.as_ref().map(|(at, _)| (*at, true, place)));
    }
    // A beginning comes before an end of the same instant.
    sort_by(&mut events, |(at, is_end, _)| (2 * at.as_micros() + u64::from(*is_end), 0));
    let mut history = History::new();
    let mut ids = alloc::vec![None; records.len()];
    for (at, is_end, place) in events {
        let record = records[place];
        match (ids[place], &record.end) {
            (None, _) if !is_end => ids[place] = begin(&mut history, record),
            (Some(id), Some((_, end))) if is_end => {
                let completed = history.complete(id, end_of(end), Some(at));
                debug_assert_eq!(completed, Ok(()), "the store answers what it is asked");
            }
            _ => debug_assert!(false, "an operation ended at {at}, before it began"),
        }
    }
    let point = |(record, id): (&&OperationRecord, &Option<OperationId>)| {
        Some(Point { operation: (*id)?, index: record.point?, at: None })
    };
    let points = records.iter().zip(&ids).filter_map(point).collect();
    (history, points)
}

fn begin(history: &mut History, record: &OperationRecord) -> Option<OperationId> {
    let request = match &record.request {
        kv::Request::Read(kv::Query::Get { .. }) => Request::Get,
        kv::Request::Write(kv::Operation::Put { value, .. }) => Request::Put { value: text_of(value) },
        kv::Request::Write(kv::Operation::Delete { .. }) => Request::Delete,
        kv::Request::Write(kv::Operation::CompareAndSet { expected, new, .. }) => {
            Request::CompareAndSet { expected: text_of(expected), new: text_of(new) }
        }
    };
    let key = record.request.key().as_str();
    history.invoke(u64::from(record.client.0), key, request, Some(record.began)).ok()
}

/// The witness check of a run: whether the order of the log explains what the clients were told.
///
/// # Errors
/// The first contradiction found.
///
/// # Panics
/// As [`history_of`].
pub fn check_run<'a>(operations: impl Iterator<Item = &'a OperationRecord>) -> Result<(), Contradiction> {
    let (history, points) = history_with_points(operations);
    witness::check(&history, &points)
}

/// A value that a client of the world has written or found.
pub(crate) fn text_of(value: &kv::Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("clients of the world write texts"))
}

fn end_of(end: &super::End) -> End<&str> {
    match end {
        super::End::Answered(outcome) => End::Answered(match outcome {
            kv::Outcome::Written { replaced } => Outcome::Written { replaced: Some(*replaced) },
            kv::Outcome::Deleted { existed } => Outcome::Deleted { existed: Some(*existed) },
            kv::Outcome::Swapped => Outcome::Swapped,
            kv::Outcome::NotSwapped { actual } => Outcome::NotSwapped { actual: Some(actual.as_ref().map(text_of)) },
            kv::Outcome::Found { value } => Outcome::Found(value.as_ref().map(text_of)),
        }),
        super::End::Failed(_) => End::Failed,
        super::End::Unknown(_) => End::Unknown,
    }
}
