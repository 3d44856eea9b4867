//! The observers of the world: the checker of what must always hold, the marks of a hunt, and the
//! listener to news. None of them changes what is played.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::marks::{Mark, Marks};
use super::news::{MessageEvent, News, What};
use crate::check::{Checker, Violation};
use crate::raft::Observation;
use crate::time::Time;

/// How much is told to the listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listening {
    /// Nothing: there is no listener.
    #[default]
    Off,
    /// What servers notice, what clients ask for and are answered, and what is done to the world.
    News,
    /// Every message as well: that it was sent, and what became of it.
    Messages,
}

/// All observers of a world.
#[derive(Clone, Debug)]
pub(super) struct Observers {
    checker: Option<Checker>,
    marks: Option<Marks>,
    violation: Option<Box<Violation>>,
    listening: Listening,
    news: Vec<News>,
}

impl Observers {
    /// A checker, and no other observer.
    pub(super) fn new(checker: Checker) -> Observers {
        Observers { checker: Some(checker), ..Observers::nobody() }
    }

    /// Nobody watches.
    pub(super) fn nobody() -> Observers {
        Observers { checker: None, marks: None, violation: None, listening: Listening::Off, news: Vec::new() }
    }

    // ---------------------------------------------------------------- the checker

    /// The checker, to be told something.
    #[inline]
    pub(super) fn checker_mut(&mut self) -> Option<&mut Checker> {
        self.checker.as_mut()
    }

    /// The checker, to be asked something.
    pub(super) fn checker(&self) -> Option<&Checker> {
        self.checker.as_ref()
    }

    /// The checker judges something. The first violation stops the run.
    #[inline]
    pub(super) fn judge(&mut self, check: impl FnOnce(&mut Checker) -> Result<(), Box<Violation>>) {
        if let Some(checker) = &mut self.checker
            && let Err(violation) = check(checker)
        {
            self.violation.get_or_insert(violation);
        }
    }

    pub(super) fn stop_checking(&mut self) {
        self.checker = None;
    }

    pub(super) fn violation(&self) -> Option<&Violation> {
        self.violation.as_deref()
    }

    // ---------------------------------------------------------------- marks

    pub(super) fn count_marks(&mut self) {
        self.marks.get_or_insert_default();
    }

    pub(super) fn marks(&self) -> Option<&Marks> {
        self.marks.as_ref()
    }

    /// A rare state was reached.
    pub(super) fn mark(&mut self, mark: Mark) {
        if let Some(marks) = &mut self.marks {
            marks.reach(mark);
        }
    }

    /// A server has noticed something that may be rare.
    pub(super) fn count(&mut self, observation: &Observation) {
        if let Some(marks) = &mut self.marks {
            marks.count(observation);
        }
    }

    // ---------------------------------------------------------------- listeners

    pub(super) fn listen(&mut self, listening: Listening) {
        self.listening = listening;
    }

    /// Whether any observer wants to know what servers notice.
    #[inline]
    pub(super) fn want_observations(&self) -> bool {
        self.listening != Listening::Off || self.marks.is_some()
    }

    /// Tells the listener, if there is one.
    #[inline]
    pub(super) fn tell(&mut self, at: Time, what: impl FnOnce() -> What) {
        if self.listening != Listening::Off {
            self.push(at, what());
        }
    }

    /// Tells a listener to messages what becomes of one. What a person does to a message is told to
    /// every listener, with [`Observers::tell`].
    #[inline]
    pub(super) fn tell_of_message(&mut self, at: Time, event: impl FnOnce() -> MessageEvent) {
        if self.listening == Listening::Messages {
            self.push(at, What::Message(event()));
        }
    }

    #[inline(never)]
    fn push(&mut self, at: Time, what: What) {
        self.news.push(News { at, what });
    }

    pub(super) fn take_news(&mut self) -> Vec<News> {
        core::mem::take(&mut self.news)
    }

    /// Swaps the news with an empty list, whose memory is used for the next news.
    pub(super) fn swap_news(&mut self, empty: &mut Vec<News>) {
        core::mem::swap(&mut self.news, empty);
    }
}
