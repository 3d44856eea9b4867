//! Histories of any system, from a stream of events.

use alloc::collections::BTreeMap;
use core::fmt;

use super::history::{End, History, HistoryError, OperationId, Outcome, Request};
use crate::time::Time;

/// What happens to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It begins.
    Invoke,
    /// It ends, with its result.
    Ok,
    /// It ends, and certainly had no effect.
    Fail,
    /// Its client gives up: the operation has had an effect, will have one later, or never will.
    Info,
}

/// What kind of operation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads a key.
    Get,
    /// Writes a key.
    Put,
    /// Removes a key.
    Delete,
    /// Writes a key if it has the expected value.
    CompareAndSet,
}

impl OperationKind {
    /// `get`, `put`, `delete`, `cas`.
    pub const fn name(self) -> &'static str {
        match self {
            OperationKind::Get => "get",
            OperationKind::Put => "put",
            OperationKind::Delete => "delete",
            OperationKind::CompareAndSet => "cas",
        }
    }
}

/// One line of a history: a client's operation begins or ends. The order of the events is the order
/// in real time.
///
/// An end may repeat fields of the beginning, with equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The client. It has one operation at a time.
    pub client: u64,
    /// What happens to it.
    pub kind: EventKind,
    /// What kind of operation it is.
    pub operation: OperationKind,
    /// The key it is about.
    pub key: &'a str,
    /// The value to write, of a put or a compare-and-set; the value found, at the end of a get.
    pub value: Option<&'a str>,
    /// The value that a compare-and-set expects.
    pub expected: Option<&'a str>,
    /// At an operation's end with a result: whether a get found a value (not needed if there is a
    /// `value`); whether a compare-and-set swapped (needed); whether the key of a put or a delete
    /// had a value before (if the system tells).
    pub found: Option<bool>,
    /// When, for people to read.
    pub time: Option<Time>,
}

/// Makes a [`History`] of a stream of [`Event`]s.
///
/// ```
/// use raft_core::check::linearizable::{Event, EventKind, OperationKind, Recorder};
///
/// let get = Event {
///     client: 1,
///     kind: EventKind::Invoke,
///     operation: OperationKind::Get,
///     key: "x",
///     value: None,
///     expected: None,
///     found: None,
///     time: None,
/// };
/// let mut recorder = Recorder::new();
/// recorder.push(&get)?;
/// assert_eq!(recorder.push(&get).unwrap_err().to_string(), "event 2, of client 1: its get of event 1 has not ended");
/// recorder.push(&Event { kind: EventKind::Ok, value: Some("1"), ..get })?;
/// assert_eq!(recorder.history().operations().len(), 1);
/// # Ok::<(), raft_core::check::linearizable::EventError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    history: History,
    /// What each client is waiting for.
    under_way: BTreeMap<u64, OperationId>,
}

impl Recorder {
    /// A recorder that has recorded nothing yet.
    pub fn new() -> Recorder {
        Recorder::default()
    }

    /// Records the next event. Its number in the stream, from 0, is also its position among the
    /// history's events.
    ///
    /// # Errors
    /// When the event makes no sense after the ones before it. Then nothing is recorded.
    pub fn push(&mut self, event: &Event<'_>) -> Result<(), EventError> {
        let problem = match event.kind {
            EventKind::Invoke => self.begin(event),
            _ => self.end(event),
        };
        problem.map_err(|problem| EventError { event: self.history.events(), client: event.client, problem })
    }

    /// The history so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The history, when nothing more comes.
    pub fn into_history(self) -> History {
        self.history
    }

    fn begin(&mut self, event: &Event<'_>) -> Result<(), EventProblem> {
        if let Some(&id) = self.under_way.get(&event.client) {
            let operation = self.history.operation(id);
            return Err(EventProblem::NotEnded { operation: operation.request.name(), event: operation.invoked });
        }
        let need = |field: Option<_>, name| field.ok_or(EventProblem::Missing { field: name, why: "to begin with" });
        let refuse = |present: bool, field| if present { Err(EventProblem::Unexpected { field }) } else { Ok(()) };
        let takes_value = matches!(event.operation, OperationKind::Put | OperationKind::CompareAndSet);
        refuse(event.value.is_some() && !takes_value, "value")?;
        refuse(event.expected.is_some() && event.operation != OperationKind::CompareAndSet, "expected")?;
        refuse(event.found.is_some(), "found")?;
        let request = match event.operation {
            OperationKind::Get => Request::Get,
            OperationKind::Put => Request::Put { value: need(event.value, "value")? },
            OperationKind::Delete => Request::Delete,
            OperationKind::CompareAndSet => {
                Request::CompareAndSet { expected: need(event.expected, "expected")?, new: need(event.value, "value")? }
            }
        };
        let id = self.history.invoke(event.client, event.key, request, event.time).map_err(EventProblem::History)?;
        self.under_way.insert(event.client, id);
        Ok(())
    }

    fn end(&mut self, event: &Event<'_>) -> Result<(), EventProblem> {
        let &id = self.under_way.get(&event.client).ok_or(EventProblem::NothingUnderWay)?;
        self.compare(event, id)?;
        let end = match event.kind {
            EventKind::Invoke | EventKind::Info => End::Unknown,
            EventKind::Fail => End::Failed,
            EventKind::Ok => End::Answered(outcome(event)?),
        };
        self.history.complete(id, end, event.time).map_err(EventProblem::History)?;
        self.under_way.remove(&event.client);
        Ok(())
    }

    /// Whether an end repeats what the beginning said, where it says anything.
    fn compare(&self, event: &Event<'_>, id: OperationId) -> Result<(), EventProblem> {
        let operation = self.history.operation(id);
        let is = |field: Option<&str>, text| field.is_none_or(|field| *field == **self.history.text(text));
        let unequal = |field| EventProblem::Differs { field, event: operation.invoked };
        if event.operation.name() != operation.request.name() {
            return Err(unequal("op"));
        }
        if self.history.find_key(event.key) != Some(operation.key) {
            return Err(unequal("key"));
        }
        match operation.request {
            Request::Get | Request::Delete if event.expected.is_some() => {
                Err(EventProblem::Unexpected { field: "expected" })
            }
            Request::Delete if event.value.is_some() => Err(EventProblem::Unexpected { field: "value" }),
            Request::Put { .. } if event.expected.is_some() => Err(EventProblem::Unexpected { field: "expected" }),
            Request::Put { value } | Request::CompareAndSet { new: value, .. } if !is(event.value, value) => {
                Err(unequal("value"))
            }
            Request::CompareAndSet { expected, .. } if !is(event.expected, expected) => Err(unequal("expected")),
            _ => Ok(()),
        }
    }
}

/// What an operation's end with a result says about it.
fn outcome<'a>(event: &Event<'a>) -> Result<Outcome<&'a str>, EventProblem> {
    Ok(match (event.operation, event.found) {
        (OperationKind::Get, None) if event.value.is_none() => {
            return Err(EventProblem::Missing { field: "value", why: "(or \"found\": false) to end a get" });
        }
        (OperationKind::Get, Some(true)) if event.value.is_none() => {
            return Err(EventProblem::Missing { field: "value", why: "to tell what was found" });
        }
        (OperationKind::Get, Some(false)) if event.value.is_some() => {
            return Err(EventProblem::Unexpected { field: "value" });
        }
        (OperationKind::Get, _) => Outcome::Found(event.value),
        (OperationKind::Put, found) => Outcome::Written { replaced: found },
        (OperationKind::Delete, found) => Outcome::Deleted { existed: found },
        (OperationKind::CompareAndSet, Some(true)) => Outcome::Swapped,
        (OperationKind::CompareAndSet, Some(false)) => Outcome::NotSwapped { actual: None },
        (OperationKind::CompareAndSet, None) => {
            return Err(EventProblem::Missing { field: "found", why: "to tell whether the cas swapped" });
        }
    })
}

/// An event that makes no sense where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventError {
    /// Its number in the stream, from 0.
    pub event: u32,
    /// The client.
    pub client: u64,
    /// Why it makes no sense.
    pub problem: EventProblem,
}

/// Why an event makes no sense. Events are numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventProblem {
    /// The client begins an operation while it waits for another.
    NotEnded {
        /// The kind of operation for which it waits.
        operation: &'static str,
        /// The event in which that began.
        event: u32,
    },
    /// The client ends an operation but has begun none.
    NothingUnderWay,
    /// A field is missing.
    Missing {
        /// Its name.
        field: &'static str,
        /// What it is needed for.
        why: &'static str,
    },
    /// A field has no meaning there.
    Unexpected {
        /// Its name.
        field: &'static str,
    },
    /// A field of the end differs from the beginning's.
    Differs {
        /// The field.
        field: &'static str,
        /// The event in which the operation began.
        event: u32,
    },
    /// The history can't take it.
    History(HistoryError),
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}, of client {}: {}", self.event + 1, self.client, self.problem)
    }
}

impl fmt::Display for EventProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventProblem::NotEnded { operation, event } => {
                write!(f, "its {operation} of event {} has not ended", event + 1)
            }
            EventProblem::NothingUnderWay => f.write_str("it ends an operation, but has begun none"),
            EventProblem::Missing { field, why } => write!(f, "\"{field}\" is needed {why}"),
            EventProblem::Unexpected { field } => write!(f, "\"{field}\" has no meaning here"),
            EventProblem::Differs { field, event } => {
                write!(f, "its \"{field}\" is not that of the operation it began in event {}", event + 1)
            }
            EventProblem::History(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EventError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn event(kind: EventKind, operation: OperationKind) -> Event<'static> {
        Event { client: 1, kind, operation, key: "x", value: None, expected: None, found: None, time: None }
    }

    #[test]
    fn results_are_read_as_the_format_says() {
        use OperationKind::{CompareAndSet, Delete, Get, Put};
        let table = [
            (Get, None, Some("1"), None, Ok(Outcome::Found(Some("1")))),
            (Get, None, Some("1"), Some(true), Ok(Outcome::Found(Some("1")))),
            (Get, None, None, Some(false), Ok(Outcome::Found(None))),
            (Get, None, None, None, Err("\"value\" is needed (or \"found\": false) to end a get")),
            (Get, None, None, Some(true), Err("\"value\" is needed to tell what was found")),
            (Get, None, Some("1"), Some(false), Err("\"value\" has no meaning here")),
            (Put, Some("1"), None, None, Ok(Outcome::Written { replaced: None })),
            (Put, Some("1"), Some("1"), Some(true), Ok(Outcome::Written { replaced: Some(true) })),
            (Put, Some("1"), Some("2"), None, Err("its \"value\" is not that of the operation it began in event 1")),
            (Delete, None, None, Some(false), Ok(Outcome::Deleted { existed: Some(false) })),
            (Delete, None, Some("1"), None, Err("\"value\" has no meaning here")),
            (CompareAndSet, Some("1"), None, Some(true), Ok(Outcome::Swapped)),
            (CompareAndSet, Some("1"), Some("1"), Some(false), Ok(Outcome::NotSwapped { actual: None })),
            (CompareAndSet, Some("1"), None, None, Err("\"found\" is needed to tell whether the cas swapped")),
        ];
        for (operation, asked, value, found, expected) in table {
            let mut recorder = Recorder::new();
            let begin = event(EventKind::Invoke, operation);
            let begin = Event { value: asked, expected: (operation == CompareAndSet).then_some("0"), ..begin };
            recorder.push(&begin).unwrap();
            let pushed = recorder.push(&Event { value, found, ..event(EventKind::Ok, operation) });
            let history = recorder.history();
            let got = pushed.map(|()| match history.operations()[0].end.unwrap().1.map(|id| &**history.text(id)) {
                End::Answered(outcome) => outcome,
                other => panic!("{other:?}"),
            });
            match (got, expected) {
                (Err(error), Err(sentence)) => {
                    assert_eq!(error.to_string(), "event 2, of client 1: ".to_string() + sentence)
                }
                (got, expected) => assert_eq!(got.ok(), expected.ok(), "{operation:?} {value:?} {found:?}"),
            }
        }
    }

    #[test]
    fn events_out_of_order_are_refused_by_name_and_change_nothing() {
        use EventKind::{Fail, Info, Invoke, Ok};
        use OperationKind::{CompareAndSet, Delete, Get, Put};
        let mut recorder = Recorder::new();
        let mut refused = |event: Event<'_>| recorder.push(&event).unwrap_err().problem.to_string();
        assert_eq!(refused(event(Ok, Get)), "it ends an operation, but has begun none");
        assert_eq!(refused(event(Invoke, Put)), "\"value\" is needed to begin with");
        assert_eq!(refused(event(Invoke, CompareAndSet)), "\"expected\" is needed to begin with");
        assert_eq!(refused(Event { value: Some("1"), ..event(Invoke, Delete) }), "\"value\" has no meaning here");
        assert_eq!(refused(Event { expected: Some("1"), ..event(Invoke, Get) }), "\"expected\" has no meaning here");
        assert_eq!(refused(Event { found: Some(true), ..event(Invoke, Get) }), "\"found\" has no meaning here");
        recorder.push(&event(Invoke, Get)).unwrap();
        let mut refused = |event: Event<'_>| recorder.push(&event).unwrap_err().to_string();
        assert_eq!(refused(event(Invoke, Get)), "event 2, of client 1: its get of event 1 has not ended");
        let differs = "is not that of the operation it began in event 1";
        assert_eq!(refused(event(Fail, Put)), "event 2, of client 1: its \"op\" ".to_string() + differs);
        assert_eq!(
            refused(Event { key: "y", ..event(Info, Get) }),
            "event 2, of client 1: its \"key\" ".to_string() + differs
        );
        assert_eq!(
            refused(Event { client: 2, ..event(Info, Get) }),
            "event 2, of client 2: it ends an operation, but has begun none"
        );
        recorder.push(&event(Info, Get)).unwrap();
        recorder.push(&event(Invoke, Get)).unwrap();
        recorder.push(&event(Fail, Get)).unwrap();
        let history = recorder.into_history();
        assert_eq!((history.events(), history.operations().len()), (4, 2));
        assert!(history.operations()[1].failed() && !history.operations()[0].failed());
    }
}
