//! What clients asked for and which answers they got, in the order in which it happened.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::interner::{Interner, TextId};
use crate::time::Time;

/// An operation's place in its history: operations are numbered from 0 in the order in which they
/// began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub(super) u32);

impl OperationId {
    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// A key's place in its history: keys are numbered from 0 in the order in which they were first
/// used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(super) u32);

/// What a client asks for. `T` is the text of a value: `&str` going in, a [`TextId`] once it is
/// recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<T> {
    /// What is the key's value?
    Get,
    /// From now on the key has this value.
    Put {
        /// The new value.
        value: T,
    },
    /// From now on the key has no value.
    Delete,
    /// If the key has the expected value, it has the new one from now on. A key without a value
    /// never has the expected one.
    CompareAndSet {
        /// The value it must have.
        expected: T,
        /// The value it gets then.
        new: T,
    },
}

/// The answer to a client. Systems differ in how much they tell: `None` stands for what a system
/// doesn't tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// To a get: the value, or that there is none.
    Found(Option<T>),
    /// To a put: done.
    Written {
        /// Whether the key had a value before.
        replaced: Option<bool>,
    },
    /// To a delete: done.
    Deleted {
        /// Whether the key had a value before.
        existed: Option<bool>,
    },
    /// To a compare-and-set: the value was as expected and is the new one now.
    Swapped,
    /// To a compare-and-set: the value was not as expected, and is unchanged.
    NotSwapped {
        /// What it was instead: a value, or none at all (`Some(None)`).
        actual: Option<Option<T>>,
    },
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<T> {
    /// With an answer.
    Answered(Outcome<T>),
    /// Certainly without any effect.
    Failed,
    /// Unknown: it has taken effect, will do so later, or never will.
    Unknown,
}

impl<T> Request<T> {
    pub(super) fn map<U>(self, mut text: impl FnMut(T) -> U) -> Request<U> {
        match self {
            Request::Get => Request::Get,
            Request::Put { value } => Request::Put { value: text(value) },
            Request::Delete => Request::Delete,
            Request::CompareAndSet { expected, new } => {
                Request::CompareAndSet { expected: text(expected), new: text(new) }
            }
        }
    }

    /// Its name on the command line and in a history's file.
    pub const fn name(&self) -> &'static str {
        match self {
            Request::Get => "get",
            Request::Put { .. } => "put",
            Request::Delete => "delete",
            Request::CompareAndSet { .. } => "cas",
        }
    }

    /// Whether an answer is of the right kind for it.
    pub(super) const fn fits<U>(&self, outcome: &Outcome<U>) -> bool {
        matches!(
            (self, outcome),
            (Request::Get, Outcome::Found(_))
                | (Request::Put { .. }, Outcome::Written { .. })
                | (Request::Delete, Outcome::Deleted { .. })
                | (Request::CompareAndSet { .. }, Outcome::Swapped | Outcome::NotSwapped { .. })
        )
    }
}

impl<T> End<T> {
    pub(super) fn map<U>(self, mut text: impl FnMut(T) -> U) -> End<U> {
        match self {
            End::Answered(outcome) => End::Answered(match outcome {
                Outcome::Found(value) => Outcome::Found(value.map(text)),
                Outcome::Written { replaced } => Outcome::Written { replaced },
                Outcome::Deleted { existed } => Outcome::Deleted { existed },
                Outcome::Swapped => Outcome::Swapped,
                Outcome::NotSwapped { actual } => Outcome::NotSwapped { actual: actual.map(|a| a.map(&mut text)) },
            }),
            End::Failed => End::Failed,
            End::Unknown => End::Unknown,
        }
    }
}

/// One operation of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The client that asked for it.
    pub client: u64,
    /// The key it is about.
    pub key: KeyId,
    /// What was asked for.
    pub request: Request<TextId>,
    /// The position of its beginning among the history's events.
    pub invoked: u32,
    /// When it began, for people to read.
    pub began: Option<Time>,
    /// The position of its end among the history's events, and how it ended; `None` while it is
    /// under way.
    pub end: Option<(u32, End<TextId>)>,
    /// When it ended, for people to read.
    pub ended: Option<Time>,
}

impl Operation {
    /// Its answer, and the position of that among the events; `None` while there is none.
    pub fn answer(&self) -> Option<(u32, Outcome<TextId>)> {
        match self.end {
            Some((position, End::Answered(outcome))) => Some((position, outcome)),
            _ => None,
        }
    }

    /// Whether it certainly had no effect.
    pub fn failed(&self) -> bool {
        matches!(self.end, Some((_, End::Failed)))
    }
}

/// An operation on a key begins or is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyEvent {
    Invoked(OperationId),
    Answered(OperationId),
}

/// What happened to one key.
#[derive(Clone, Debug)]
pub(super) struct KeyHistory {
    pub(super) name: TextId,
    pub(super) events: Vec<KeyEvent>,
    pub(super) answers: u32,
}

/// The most events a history takes.
const EVENTS_MAX: u32 = u32::MAX >> 2;
/// No key has this name yet.
const NO_KEY: u32 = u32::MAX;

/// What clients asked for and which answers they got, in the order in which it happened. Every key
/// begins without a value.
///
/// ```
/// use raft_core::check::linearizable::{End, History, Outcome, Request, Verdict};
///
/// let mut history = History::new();
/// let put = history.invoke(1, "x", Request::Put { value: "1" }, None)?;
/// history.complete(put, End::Answered(Outcome::Written { replaced: None }), None)?;
/// let get = history.invoke(2, "x", Request::Get, None)?;
/// history.complete(get, End::Answered(Outcome::Found(None)), None)?;
///
/// let Verdict::NotLinearizable(explanation) = history.check() else { panic!("the read is stale") };
/// assert_eq!(
///     explanation.to_string(),
///     "x is not linearizable, as its history shows at event 4: client 2's get x (events 3 to 4) found no value, but client 1's put \
///      x 1 (events 1 to 2) was over before that began, and nothing can have deleted x in between"
/// );
/// # Ok::<(), raft_core::check::linearizable::HistoryError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct History {
    texts: Interner,
    /// For each text, the key of that name.
    key_named: Vec<u32>,
    pub(super) keys: Vec<KeyHistory>,
    operations: Vec<Operation>,
    events: u32,
}

impl History {
    /// A history in which nothing has happened yet.
    pub fn new() -> History {
        History::default()
    }

    /// Notes that a client asks for something, after everything noted before.
    ///
    /// # Errors
    /// When the history is full.
    pub fn invoke(
        &mut self,
        client: u64,
        key: &str,
        request: Request<&str>,
        time: Option<Time>,
    ) -> Result<OperationId, HistoryError> {
        if self.events >= EVENTS_MAX {
            return Err(HistoryError::Full);
        }
        let id = OperationId(self.operations.len() as u32);
        let key = self.intern_key(key);
        let request = request.map(|text| self.texts.intern(text));
        let invoked = self.next_event();
        self.operations.push(Operation { client, key, request, invoked, began: time, end: None, ended: None });
        self.keys[key.0 as usize].events.push(KeyEvent::Invoked(id));
        Ok(id)
    }

    /// Notes how an operation ends, after everything noted before.
    ///
    /// # Errors
    /// When it has ended already, or the answer is of the wrong kind.
    pub fn complete(&mut self, id: OperationId, end: End<&str>, time: Option<Time>) -> Result<(), HistoryError> {
        let operation = self.operations.get_mut(id.0 as usize).ok_or(HistoryError::NoSuchOperation)?;
        if operation.end.is_some() {
            return Err(HistoryError::EndedAlready);
        }
        if let End::Answered(outcome) = &end {
            if !operation.request.fits(outcome) {
                return Err(HistoryError::WrongAnswer { request: operation.request.name() });
            }
            let key = &mut self.keys[operation.key.0 as usize];
            key.events.push(KeyEvent::Answered(id));
            key.answers += 1;
        }
        operation.end = Some((self.events, end.map(|text| self.texts.intern(text))));
        operation.ended = time;
        self.next_event();
        Ok(())
    }

    /// The operations, in the order in which they began.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of that number.
    ///
    /// # Panics
    /// When it is another history's.
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.0 as usize]
    }

    /// Every operation's number, in the order in which they began.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = OperationId> + use<> {
        (0..self.operations.len() as u32).map(OperationId)
    }

    /// The keys, in the order in which they were first used.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = KeyId> + use<> {
        (0..self.keys.len() as u32).map(KeyId)
    }

    /// A key's name.
    ///
    /// # Panics
    /// When it is another history's.
    pub fn key(&self, key: KeyId) -> &Arc<str> {
        self.texts.text(self.keys[key.0 as usize].name)
    }

    /// The text of a value.
    ///
    /// # Panics
    /// When it is another history's.
    pub fn text(&self, id: TextId) -> &Arc<str> {
        self.texts.text(id)
    }

    /// How many beginnings and ends were noted.
    pub fn events(&self) -> u32 {
        self.events
    }

    /// How many different values registers can have here, "no value" included.
    pub(super) fn registers(&self) -> usize {
        self.texts.len() + 1
    }

    pub(super) fn key_history(&self, key: KeyId) -> &KeyHistory {
        &self.keys[key.0 as usize]
    }

    pub(super) fn find_key(&self, name: &str) -> Option<KeyId> {
        let key = *self.key_named.get(self.texts.find(name)?.0 as usize)?;
        (key != NO_KEY).then_some(KeyId(key))
    }

    fn intern_key(&mut self, name: &str) -> KeyId {
        let name = self.texts.intern(name);
        let at = name.0 as usize;
        if self.key_named.len() <= at {
            self.key_named.resize(at + 1, NO_KEY);
        }
        if self.key_named[at] == NO_KEY {
            self.key_named[at] = self.keys.len() as u32;
            self.keys.push(KeyHistory { name, events: Vec::new(), answers: 0 });
        }
        KeyId(self.key_named[at])
    }

    fn next_event(&mut self) -> u32 {
        self.events += 1;
        self.events - 1
    }
}

/// Why something can't be noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryError {
    /// The history has as many events as it can number.
    Full,
    /// The operation belongs to another history.
    NoSuchOperation,
    /// The operation has ended before.
    EndedAlready,
    /// The answer belongs to another kind of request.
    WrongAnswer {
        /// What was asked for.
        request: &'static str,
    },
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HistoryError::Full => write!(f, "the history is full: it takes at most {EVENTS_MAX} events"),
            HistoryError::NoSuchOperation => f.write_str("the history has no such operation"),
            HistoryError::EndedAlready => f.write_str("the operation has ended before"),
            HistoryError::WrongAnswer { request } => write!(f, "that is no answer to a {request}"),
        }
    }
}

impl core::error::Error for HistoryError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn operations_remember_where_they_began_and_ended() {
        let mut history = History::new();
        let put = history.invoke(1, "x", Request::Put { value: "1" }, Some(Time::from_secs(1))).unwrap();
        let get = history.invoke(2, "y", Request::Get, None).unwrap();
        history.complete(get, End::Answered(Outcome::Found(Some("1"))), None).unwrap();
        history.complete(put, End::Unknown, Some(Time::from_secs(2))).unwrap();
        let operations = history.operations();
        assert_eq!((operations[0].invoked, operations[0].end), (0, Some((3, End::Unknown))));
        assert_eq!((operations[0].began, operations[0].ended), (Some(Time::from_secs(1)), Some(Time::from_secs(2))));
        let Some((2, Outcome::Found(Some(value)))) = operations[1].answer() else { panic!() };
        assert_eq!(operations[0].request, Request::Put { value });
        assert_eq!(&**history.text(value), "1");
        assert_eq!(&**history.key(operations[1].key), "y");
        assert_eq!((history.events(), history.find_key("y"), history.find_key("1")), (4, Some(KeyId(1)), None));
    }

    #[test]
    fn an_operation_ends_once_and_with_an_answer_that_fits() {
        let mut history = History::new();
        let get = history.invoke(1, "x", Request::Get, None).unwrap();
        let error = history.complete(get, End::Answered(Outcome::Swapped), None).unwrap_err();
        assert_eq!(error.to_string(), "that is no answer to a get");
        history.complete(get, End::Failed, None).unwrap();
        assert_eq!(history.complete(get, End::Failed, None), Err(HistoryError::EndedAlready));
        assert_eq!(history.complete(OperationId(9), End::Failed, None), Err(HistoryError::NoSuchOperation));
        assert_eq!(history.events(), 2);
    }
}
