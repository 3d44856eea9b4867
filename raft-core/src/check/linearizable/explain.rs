//! Why a history has no order: the moment at which that shows, and the few operations that prove
//! it.
//!
//! # The moment
//! If a history has no order, no longer history has one: take an order of the longer history, cut
//! it after the last operation that is answered in the shorter one, and it is an order of the
//! shorter one. So the first answer at which the history so far has no order is found by bisection.
//! Before its answer, an operation counts as one that may have happened or not.
//!
//! # The smallest sub-history
//! Leaving a *write* out proves nothing: without `put x 1`, an innocent `get x` that found 1 has no
//! order either. What can be left out of a proof is an operation's *answer*: an operation whose
//! answer is taken as never heard can be placed anywhere after its beginning, or nowhere. Every
//! order of the history is also an order of the history with an answer forgotten. So if there is no
//! order with all but a few answers forgotten, there is none with all answers, and those few are
//! the conflict. Forgetting more never makes an order impossible. So bisection finds how many of
//! the oldest answers can be forgotten; the next one is needed; and so on. No remaining answer can
//! be forgotten.
//!
//! The operations that set the values that these found are named with them, as *supporting*: they
//! can't help wherever they are placed, which is part of the proof. Together they are a history
//! that has no order, small enough to read.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::history::{History, KeyEvent, KeyId, OperationId};
use super::interner::TextId;
use super::meaning::{ABSENT, Meaning, Need, Register};
use super::problem::{Problem, Scratch, View};
use super::search::{Found, search};
use super::words::{Quoted, list};
use crate::order::sort_by;
use crate::time::Time;

/// Why the history of a key is not linearizable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The key's name.
    pub key: Arc<str>,
    /// The answer that can't be right, as a position among the history's events.
    pub event: u32,
    /// When that was, if the history has times.
    pub at: Option<Time>,
    /// The operations whose answers contradict each other, in the order in which they began. The
    /// one with the answer at `event` is among them.
    pub conflicting: Vec<OperationId>,
    /// The operations that set the values that those found, in the order in which they began.
    pub supporting: Vec<OperationId>,
    /// Whether the moment is certainly the earliest, and each conflicting answer certainly needed.
    /// False only if the work allowed wasn't enough to be sure; the explanation is still right.
    pub smallest: bool,
    /// What speaks against the last answer.
    pub first: String,
    /// The last answer.
    pub second: String,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not linearizable, as its history shows at ", Quoted(&self.key))?;
        match self.at {
            Some(at) => write!(f, "{at}")?,
            None => write!(f, "event {}", self.event + 1)?,
        }
        write!(f, ": {}, but {}", self.second, self.first)
    }
}

impl Explanation {
    /// The conflicting operations, and the supporting ones without their answers, as a history of
    /// their own. It isn't linearizable either, and that shows at its last event.
    pub fn evidence(&self, history: &History) -> History {
        let mut evidence = History::new();
        let mut events: Vec<(u32, OperationId)> = Vec::new();
        for &id in self.conflicting.iter().chain(&self.supporting) {
            let operation = history.operation(id);
            events.push((operation.invoked, id));
            if self.conflicting.contains(&id) {
                events.extend(operation.answer().map(|(position, _)| (position, id)));
            }
        }
        sort_by(&mut events, |(position, id)| ((*position).into(), id.0.into()));
        let text = |id: TextId| &**history.text(id);
        let mut numbered: Vec<(OperationId, OperationId)> = Vec::new();
        for (position, id) in events {
            let operation = history.operation(id);
            if position == operation.invoked {
                let key = history.key(operation.key);
                let request = operation.request.map(text);
                let invoked = evidence.invoke(operation.client, key, request, operation.began);
                numbered.extend(invoked.ok().map(|new| (id, new)));
            } else if let (Some((_, end)), Some((_, new))) = (operation.end, numbered.iter().find(|pair| pair.0 == id))
            {
                let completed = evidence.complete(*new, end.map(text), operation.ended);
                debug_assert_eq!(completed, Ok(()), "a part of a history is one");
            }
        }
        evidence
    }
}

/// Finds out why a key's history has no order. It must have none.
pub(super) fn explain(history: &History, key: KeyId, work_max: u64, scratch: &mut Scratch) -> Explanation {
    let mut prober = Prober { history, key, scratch, work_left: work_max, sure: true };
    let answers = prober.earliest();
    let conflicting = prober.conflict(&answers);
    let smallest = prober.sure;
    let last = answers[answers.len() - 1];
    let event = position_of_answer(history, last);
    let view = View { history, until: event + 1, released: None };
    let supporting = supporting(&view, key, &conflicting);
    let (first, second) = facts(&view, key, &conflicting, &supporting, last);
    Explanation {
        key: history.key(key).clone(),
        event,
        at: history.operation(last).ended,
        conflicting,
        supporting,
        smallest,
        first,
        second,
    }
}

fn position_of_answer(history: &History, id: OperationId) -> u32 {
    history.operation(id).answer().map_or(u32::MAX, |answer| answer.0)
}

/// Asks again and again whether there is an order, within a limit for all questions together.
struct Prober<'a> {
    history: &'a History,
    key: KeyId,
    scratch: &'a mut Scratch,
    work_left: u64,
    /// Whether every question found its answer.
    sure: bool,
}

impl Prober<'_> {
    fn has_no_order(&mut self, until: u32, released: Option<&[bool]>) -> bool {
        let view = View { history: self.history, until, released };
        let problem = Problem::new(&view, self.key, self.scratch);
        // One hard question must not use up what many easy ones need.
        let (found, work) = search(&problem, self.work_left / 8);
        self.work_left -= work.min(self.work_left);
        self.sure &= found != Found::GaveUp;
        found == Found::NoOrder
    }

    /// The key's answers up to the first at which there is no order.
    fn earliest(&mut self) -> Vec<OperationId> {
        let events = &self.history.key_history(self.key).events;
        let answered = |event: &KeyEvent| if let KeyEvent::Answered(id) = event { Some(*id) } else { None };
        let mut answers: Vec<OperationId> = events.iter().filter_map(answered).collect();
        // With `some` answers there is an order, or it isn't known; with `none` there is none.
        let (mut some, mut none) = (0, answers.len());
        while some + 1 < none {
            let middle = some + (none - some) / 2;
            let until = position_of_answer(self.history, answers[middle - 1]) + 1;
            if self.has_no_order(until, None) { none = middle } else { some = middle }
        }
        answers.truncate(none);
        answers
    }

    /// Forgets as many answers as possible, the oldest first. Gives the operations whose answers
    /// are needed, in the order in which they began.
    fn conflict(&mut self, answers: &[OperationId]) -> Vec<OperationId> {
        let Some((&last, others)) = answers.split_last() else { return Vec::new() };
        let until = position_of_answer(self.history, last) + 1;
        let mut released = vec![false; self.history.operations().len()];
        let mut needed = vec![last];
        let mut decided = 0;
        while decided < others.len() {
            // Nothing more can be found out. The rest has to stay.
            if self.work_left == 0 {
                self.sure = false;
                needed.extend(&others[decided..]);
                break;
            }
            // Without the answers from `decided` to `none` there is no order; without those to
            // `some` there is.
            let (mut none, mut some) = (decided, others.len() + 1);
            while none + 1 < some {
                let middle =
                    if none == decided && some > others.len() { others.len() } else { none + (some - none) / 2 };
                others[decided..middle].iter().for_each(|id| released[id.0 as usize] = true);
                let still = self.has_no_order(until, Some(&released));
                others[decided..middle].iter().for_each(|id| released[id.0 as usize] = false);
                if still { none = middle } else { some = middle }
            }
            others[decided..none].iter().for_each(|id| released[id.0 as usize] = true);
            needed.extend(others.get(none));
            decided = none + 1;
        }
        sort_by(&mut needed, |id| (id.0.into(), 0));
        needed
    }
}

/// The operations that set what the conflicting ones need, and what those need in turn.
fn supporting(view: &View<'_>, key: KeyId, conflicting: &[OperationId]) -> Vec<OperationId> {
    let mut needs: Vec<Need> = Vec::new();
    let note = |needs: &mut Vec<Need>, need| {
        let known = matches!(need, Need::Any | Need::Never) || needs.contains(&need);
        if !known {
            needs.push(need);
        }
    };
    for &id in conflicting {
        let Some((meaning, _)) = view.role(id) else { continue };
        note(&mut needs, meaning.need);
        // Also what it would have needed without an answer: then it would not contradict the
        // others.
        without_answer(view, id).into_iter().for_each(|meaning| note(&mut needs, meaning.need));
    }
    let begun = |event| if let KeyEvent::Invoked(id) = event { Some(id) } else { None };
    let mut rest: Vec<(OperationId, Meaning)> = view
        .events(key)
        .filter_map(begun)
        .filter(|id| !conflicting.contains(id))
        .filter_map(|id| without_answer(view, id).map(|meaning| (id, meaning)))
        .collect();
    let mut found = Vec::new();
    let mut checked = 0;
    while let Some(&need) = needs.get(checked) {
        checked += 1;
        rest.retain(|&(id, meaning)| {
            let serves = meaning.set.is_some_and(|value| need.allows(value));
            if serves {
                note(&mut needs, meaning.need);
                found.push(id);
            }
            !serves
        });
    }
    sort_by(&mut found, |id| (id.0.into(), 0));
    found
}

/// What an operation may have done if its answer is forgotten.
fn without_answer(view: &View<'_>, id: OperationId) -> Option<Meaning> {
    let operation = view.history.operation(id);
    if operation.failed() { None } else { Meaning::unanswered(operation.request) }
}

/// The two facts that contradict each other: the last answer, and what speaks against it.
fn facts(
    view: &View<'_>,
    key: KeyId,
    conflicting: &[OperationId],
    supporting: &[OperationId],
    last: OperationId,
) -> (String, String) {
    let history = view.history;
    let second = history.describe(last);
    let Some((meaning, _)) = view.role(last) else { return (String::new(), second) };
    let story = Story { view, key, conflicting, supporting, last, meaning };
    let first =
        story.alone().or_else(|| story.stale()).or_else(|| story.used_twice()).unwrap_or_else(|| story.others());
    (first, second)
}

/// What is known about a conflict that is put in words.
struct Story<'a> {
    view: &'a View<'a>,
    key: KeyId,
    conflicting: &'a [OperationId],
    supporting: &'a [OperationId],
    last: OperationId,
    meaning: Meaning,
}

impl Story<'_> {
    fn history(&self) -> &History {
        self.view.history
    }

    /// All operations that take part, except the last.
    fn rest(&self) -> impl Iterator<Item = OperationId> {
        let all = self.conflicting.iter().chain(self.supporting).copied();
        all.filter(|&id| id != self.last)
    }

    /// What an operation did, or may have done if its answer has no part in the conflict.
    fn meaning(&self, id: OperationId) -> Option<Meaning> {
        if self.conflicting.contains(&id) {
            self.view.role(id).map(|(meaning, _)| meaning)
        } else {
            without_answer(self.view, id)
        }
    }

    /// The operations that may set the key to this value, including the last.
    fn writers(&self, value: Register) -> Vec<OperationId> {
        let all = self.conflicting.iter().chain(self.supporting).copied();
        all.filter(|&id| self.meaning(id).is_some_and(|meaning| meaning.set == Some(value))).collect()
    }

    /// Whether the one certainly came before the other.
    fn before(&self, one: OperationId, other: OperationId) -> bool {
        let answered = self.view.history.operation(one).answer();
        answered.is_some_and(|(position, _)| position < self.history().operation(other).invoked)
    }

    /// The last answer contradicts itself, or nothing at all supports it.
    fn alone(&self) -> Option<String> {
        match self.meaning.need {
            Need::Never => Some("that is what it expected".into()),
            _ if self.rest().next().is_some() => None,
            Need::Is(value) => {
                Some(format!("by then nothing can have {}", self.history().setting_in_words(self.key, value)))
            }
            Need::IsNot(ABSENT) => {
                Some(format!("by then nothing can have given {} a value", self.history().quoted_key(self.key)))
            }
            _ => None,
        }
    }

    /// The last operation found a value that was gone when it began: another value was there since,
    /// and nothing can have brought this one back.
    fn stale(&self) -> Option<String> {
        let Need::Is(value) = self.meaning.need else { return None };
        let writers = self.writers(value);
        let other = self.conflicting.iter().copied().find(|&id| {
            let Some(meaning) = self.meaning(id) else { return false };
            let left = meaning.set.or(if let Need::Is(value) = meaning.need { Some(value) } else { None });
            left.is_some_and(|left| left != value)
                && self.before(id, self.last)
                && writers.iter().all(|&writer| writer != id && self.before(writer, id))
        })?;
        Some(format!(
            "{} was over before that began, and nothing can have {} in between",
            self.history().describe(other),
            self.history().setting_in_words(self.key, value)
        ))
    }

    /// More operations replaced a value than there were times at which it was set.
    fn used_twice(&self) -> Option<String> {
        let Need::Is(value) = self.meaning.need else { return None };
        let writers = self.writers(value);
        let replaces = |id: &OperationId| {
            self.meaning(*id).is_some_and(|meaning| meaning.need == Need::Is(value) && meaning.set.is_some())
        };
        let others: Vec<String> = self
            .conflicting
            .iter()
            .filter(|&&id| id != self.last)
            .filter(|id| replaces(id))
            .map(|&id| self.history().describe(id))
            .collect();
        let times = writers.len() + usize::from(value == ABSENT);
        if !replaces(&self.last) || others.len() < times {
            return None;
        }
        let setting = match &writers[..] {
            [] => format!("{} had no value only at the beginning", self.history().quoted_key(self.key)),
            [writer] if value != ABSENT => {
                let setting = self.history().setting_in_words(self.key, value);
                format!("only {} {setting}, once", self.history().name_operation(*writer))
            }
            _ => return None,
        };
        Some(format!("{} replaced the same value, and {setting}", list(&others)))
    }

    /// What is true of any conflict.
    fn others(&self) -> String {
        let mut rest: Vec<OperationId> = self.rest().collect();
        sort_by(&mut rest, |id| (id.0.into(), 0));
        let rest: Vec<String> = rest.into_iter().map(|id| self.history().describe(id)).collect();
        match &rest[..] {
            [one] => format!("{one} leaves no place for it"),
            _ => format!("there is no order of {} that leaves a place for it", list(&rest)),
        }
    }
}
