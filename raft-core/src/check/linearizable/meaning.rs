//! What an operation says about a register: what must hold for it to take effect, and what holds
//! after it.

use super::history::{Operation, Outcome, Request};
use super::interner::TextId;

/// A register's value: [`ABSENT`], or a text's number plus one.
pub(super) type Register = u32;

/// The register has no value, as at the beginning.
pub(super) const ABSENT: Register = 0;

/// What the register must be for the operation to have the effect that was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Any,
    Is(Register),
    IsNot(Register),
    /// No value fits.
    Never,
}

impl Need {
    pub(super) fn allows(self, register: Register) -> bool {
        match self {
            Need::Any => true,
            Need::Is(value) => register == value,
            Need::IsNot(value) => register != value,
            Need::Never => false,
        }
    }

    /// Whether it doesn't allow `value`.
    pub(super) fn excludes(self, value: Register) -> bool {
        !self.allows(value)
    }
}

/// The common form of all operations and answers: a need and, perhaps, a new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) need: Need,
    pub(super) set: Option<Register>,
}

pub(super) fn register(value: Option<TextId>) -> Register {
    value.map_or(ABSENT, |id| id.0 + 1)
}

pub(super) fn value(register: Register) -> Option<TextId> {
    register.checked_sub(1).map(TextId)
}

impl Meaning {
    /// What the operation means if this is its answer.
    pub(super) fn answered(request: Request<TextId>, outcome: Outcome<TextId>) -> Meaning {
        let had_value = |had: Option<bool>| match had {
            None => Need::Any,
            Some(true) => Need::IsNot(ABSENT),
            Some(false) => Need::Is(ABSENT),
        };
        let (need, set) = match (request, outcome) {
            (Request::Get, Outcome::Found(found)) => (Need::Is(register(found)), None),
            (Request::Put { value }, Outcome::Written { replaced }) => {
                (had_value(replaced), Some(register(Some(value))))
            }
            (Request::Delete, Outcome::Deleted { existed }) => (had_value(existed), Some(ABSENT)),
            (Request::CompareAndSet { expected, new }, Outcome::Swapped) => {
                (Need::Is(register(Some(expected))), Some(register(Some(new))))
            }
            (Request::CompareAndSet { expected, .. }, Outcome::NotSwapped { actual: None }) => {
                (Need::IsNot(register(Some(expected))), None)
            }
            (Request::CompareAndSet { expected, .. }, Outcome::NotSwapped { actual: Some(actual) }) => {
                // A compare-and-set that finds the expected value and doesn't swap contradicts
                // itself.
                let contradiction = actual == Some(expected);
                (if contradiction { Need::Never } else { Need::Is(register(actual)) }, None)
            }
            // `History::complete` takes no answer that doesn't fit the request.
            _ => (Need::Never, None),
        };
        // Setting the value that is there already changes nothing.
        let set = set.filter(|&value| need != Need::Is(value));
        Meaning { need, set }
    }

    /// What an operation without an answer does, if it takes effect. `None` if no other operation
    /// can notice: a get, or a compare-and-set from a value to the same.
    pub(super) fn unanswered(request: Request<TextId>) -> Option<Meaning> {
        let meaning = match request {
            Request::Get => return None,
            Request::Put { value } => Meaning { need: Need::Any, set: Some(register(Some(value))) },
            Request::Delete => Meaning { need: Need::Any, set: Some(ABSENT) },
            Request::CompareAndSet { .. } => Meaning::answered(request, Outcome::Swapped),
        };
        meaning.set.is_some().then_some(meaning)
    }

    /// What the operation means; `None` if it certainly did nothing.
    pub(super) fn of(operation: &Operation) -> Option<Meaning> {
        match operation.answer() {
            Some((_, outcome)) => Some(Meaning::answered(operation.request, outcome)),
            None if operation.failed() => None,
            None => Meaning::unanswered(operation.request),
        }
    }

    /// The register after it; `None` if it can't take effect there.
    pub(super) fn apply(self, before: Register) -> Option<Register> {
        self.need.allows(before).then(|| self.set.unwrap_or(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_comes_down_to_a_need_and_a_new_value() {
        let (one, two) = (TextId(1), TextId(2));
        let cas = Request::CompareAndSet { expected: one, new: two };
        let same = Request::CompareAndSet { expected: one, new: one };
        let put = Request::Put { value: one };
        let table = [
            (Request::Get, Outcome::Found(None), Need::Is(ABSENT), None),
            (Request::Get, Outcome::Found(Some(one)), Need::Is(2), None),
            (put, Outcome::Written { replaced: None }, Need::Any, Some(2)),
            (put, Outcome::Written { replaced: Some(true) }, Need::IsNot(ABSENT), Some(2)),
            (put, Outcome::Written { replaced: Some(false) }, Need::Is(ABSENT), Some(2)),
            (Request::Delete, Outcome::Deleted { existed: None }, Need::Any, Some(ABSENT)),
            (Request::Delete, Outcome::Deleted { existed: Some(true) }, Need::IsNot(ABSENT), Some(ABSENT)),
            (Request::Delete, Outcome::Deleted { existed: Some(false) }, Need::Is(ABSENT), None),
            (cas, Outcome::Swapped, Need::Is(2), Some(3)),
            (same, Outcome::Swapped, Need::Is(2), None),
            (cas, Outcome::NotSwapped { actual: None }, Need::IsNot(2), None),
            (cas, Outcome::NotSwapped { actual: Some(None) }, Need::Is(ABSENT), None),
            (cas, Outcome::NotSwapped { actual: Some(Some(two)) }, Need::Is(3), None),
            (cas, Outcome::NotSwapped { actual: Some(Some(one)) }, Need::Never, None),
        ];
        for (request, outcome, need, set) in table {
            assert_eq!(Meaning::answered(request, outcome), Meaning { need, set }, "{request:?} {outcome:?}");
        }
        assert_eq!(Meaning::unanswered(Request::Get), None);
        assert_eq!(Meaning::unanswered(same), None);
        assert_eq!(Meaning::unanswered(cas), Some(Meaning { need: Need::Is(2), set: Some(3) }));
    }

    #[test]
    fn needs_allow_and_exclude() {
        for register in 0..4 {
            assert!(Need::Any.allows(register) && !Need::Never.allows(register));
            assert_eq!(Need::Is(2).allows(register), !Need::IsNot(2).allows(register));
            assert_eq!(Need::Is(2).excludes(register), register != 2);
        }
        assert_eq!(Meaning { need: Need::Is(1), set: Some(2) }.apply(1), Some(2));
        assert_eq!(Meaning { need: Need::Is(1), set: None }.apply(1), Some(1));
        assert_eq!(Meaning { need: Need::Is(1), set: None }.apply(2), None);
    }
}
