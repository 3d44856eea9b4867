//! Watches one server, and says what is another than before.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::table::{Facts, Note, Received, Requested, Sent, State, What};
use super::terms::Terms;
use super::values::{Appended, Carried};
use super::{LossReason, Lost, Recorded, TEXT_MAX};
use crate::check::linearizable::Event;
use crate::format::history;
use crate::format::message::Content;
use crate::raft::{EntryId, LogIndex, Message, Observation, Raft, Sentence, ServerId};
use crate::time::Time;

/// The most new entries of a log that a line has. If there are more, it is a `state`.
const APPENDED_MAX: u64 = 10_000;

/// The most terms of a log that a line has: the newest.
const TERMS_MAX: usize = 100_000;

/// Watches one server during one life, and makes numbered lines of what it sees.
///
/// For a step of the server the lines come in this order: [`received`](Watcher::received), if a
/// message is its input; [`observed`](Watcher::observed) for each observation;
/// [`stepped`](Watcher::stepped); [`sent`](Watcher::sent) for each message of its output, when it
/// really goes out.
///
/// Only [`stepped`](Watcher::stepped) must be called for every step; lines that nobody wants
/// needn't be made. While nobody reads at all, call nothing; before the next line, call
/// [`forget`](Watcher::forget), and everything is said anew.
#[derive(Clone, Debug)]
pub struct Watcher {
    server: ServerId,
    life: u64,
    /// The number of the last line.
    sequence: u64,
    /// What the lines have said up to now.
    said: Option<Box<Said>>,
}

#[derive(Clone, Debug)]
struct Said {
    facts: Facts,
    terms: Terms,
}

impl Watcher {
    /// A watcher that has said nothing. `life` must be higher than in any earlier life of the
    /// server; its peers name it when they have received a message from it.
    pub fn new(server: ServerId, life: u64) -> Watcher {
        Watcher { server, life, sequence: 0, said: None }
    }

    /// The server.
    pub fn server(&self) -> ServerId {
        self.server
    }

    /// Which life of it is watched.
    pub fn life(&self) -> u64 {
        self.life
    }

    /// The number of the last line, from 1; 0 if there was none.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The server starts: the first line of its life.
    pub fn started(&mut self, time: Time) -> Recorded {
        self.next(time, What::Started)
    }

    /// The server stops: the last line of its life.
    pub fn stopped(&mut self, time: Time) -> Recorded {
        self.next(time, What::Stopped)
    }

    /// The server crashed, which it couldn't say itself.
    pub fn crashed(&self, time: Time) -> Recorded {
        Recorded { sequence: None, ..self.at(time, What::Crashed) }
    }

    /// What is another in the server since the last call; at the first call, everything. Call it
    /// after each step, before what the step decided is carried out.
    ///
    /// This compares some numbers. Entries of the log are looked at only if they are new; many new
    /// ones at once aren't told one by one.
    pub fn stepped(&mut self, time: Time, raft: &Raft) -> Option<Recorded> {
        let facts = Facts::of(raft);
        let Some(said) = &mut self.said else {
            return Some(self.everything(time, raft, facts));
        };
        if facts == said.facts {
            return None;
        }
        let mut state = facts.changed_since(&said.facts);
        if state.last.is_some() || state.base.is_some() {
            let log = raft.log();
            let end = said.facts.last.index;
            // Without a term in the log, it ends at its base, which is in both.
            let agreed =
                if said.terms.range().is_some() { said.terms.agree_up_to(log) } else { end.min(log.last().index) };
            let first = agreed.max(log.base().index).next();
            let count = log.last().index.next().distance_from(first);
            if count > APPENDED_MAX {
                return Some(self.everything(time, raft, facts));
            }
            if agreed < end {
                state.truncated = Some(agreed);
                said.terms.truncate_after(agreed);
            }
            if agreed < log.base().index {
                // A snapshot stands for what is between.
                said.terms.drop_to(LogIndex::MAX);
            }
            if count > 0 {
                state.first = Some(first);
                let appended = log
                    .iter_from(first)
                    .map(|entry| Appended { term: entry.term, payload: Some(Carried::Whole(entry.payload.clone())) });
                let appended: Vec<Appended> = appended.collect();
                for (place, entry) in (0..).zip(&appended) {
                    said.terms.push(EntryId::new(first.plus(place), entry.term));
                }
                state.appended = Some(appended);
            }
            said.terms.drop_to(log.base().index);
        }
        said.facts = facts;
        Some(self.next(time, What::Changed(Box::new(state))))
    }

    /// All that is known of the server, as the first line for a new reader. It has the number of
    /// the last line, which it takes into account: that reader gets what follows. Other readers
    /// don't need it.
    pub fn state(&self, time: Time, raft: &Raft) -> Recorded {
        let (state, _) = whole(raft, &Facts::of(raft));
        self.at(time, What::State(Box::new(state)))
    }

    /// Forgets what was said, so that the next [`Watcher::stepped`] says everything.
    pub fn forget(&mut self) {
        self.said = None;
    }

    fn everything(&mut self, time: Time, raft: &Raft, facts: Facts) -> Recorded {
        let (state, terms) = whole(raft, &facts);
        self.said = Some(Box::new(Said { facts, terms }));
        self.next(time, What::State(Box::new(state)))
    }

    /// The server sends a message, under a number that none had before in this life.
    pub fn sent(&mut self, time: Time, to: ServerId, number: u64, message: &Message) -> Recorded {
        let message = Some(Content::Whole(message.clone()));
        self.next(time, What::Sent(Sent { to, number, message }))
    }

    /// The server received a message, which `from` sent under this number in this life of its own,
    /// if it is known in which.
    pub fn received(
        &mut self,
        time: Time,
        from: ServerId,
        from_life: Option<u64>,
        number: u64,
        message: &Message,
    ) -> Recorded {
        let message = Some(Content::Whole(message.clone()));
        self.next(time, What::Received(Received { from, from_life, number: Some(number), message }))
    }

    /// A message that the server has sent is lost, as it knows.
    pub fn lost(&mut self, time: Time, to: ServerId, number: u64, why: LossReason) -> Recorded {
        let (from, from_life) = (self.server, Some(self.life));
        let lost = Lost { from, from_life, number: Some(number), to: Some(to), why: Some(why), at: None };
        self.next(time, What::Lost(lost))
    }

    /// A client's request to this server began or ended. A client has one request at a time: where
    /// it may have several under way, each has a client's number of its own. If nobody knows what
    /// became of it, it ends with [`EventKind::Info`](crate::check::linearizable::EventKind).
    pub fn request(&mut self, time: Time, requested: Requested) -> Recorded {
        self.next(time, What::Requested(Box::new(requested)))
    }

    /// The server decided or noticed something, in words. To make the sentence costs more than
    /// the other lines do.
    pub fn observed(&mut self, time: Time, observation: &Observation) -> Recorded {
        let note = Note::of(observation.name(), observation.sentence(self.server));
        self.next(time, What::Note(Box::new(note)))
    }

    /// The driver noticed something that isn't one of the server's own observations.
    pub fn noticed(&mut self, time: Time, note: Note) -> Recorded {
        self.next(time, What::Note(Box::new(note)))
    }

    fn next(&mut self, time: Time, what: What) -> Recorded {
        self.sequence += 1;
        self.at(time, what)
    }

    fn at(&self, time: Time, what: What) -> Recorded {
        Recorded { time, server: Some(self.server), life: Some(self.life), sequence: Some(self.sequence), what }
    }
}

fn whole(raft: &Raft, facts: &Facts) -> (State, Terms) {
    let terms = Terms::of(raft.log());
    let newest = &terms.runs()[terms.runs().len().saturating_sub(TERMS_MAX)..];
    (State { terms: Some(newest.to_vec()), ..State::from(facts) }, terms)
}

impl Requested {
    /// What happens to a request that has neither a condition nor a request key. The event's own
    /// time is left out: that of the line counts.
    pub fn of(event: &Event<'_>) -> Requested {
        Requested::of_line(history::Line::of(event))
    }

    pub(super) fn of_line(line: history::Line) -> Requested {
        Requested { request: line.at(None), revision_expected: None, request_key: None, repeated: None }
    }
}

impl Note {
    /// What a sentence says, at most [`TEXT_MAX`] characters of it.
    pub(super) fn of(kind: &str, sentence: Sentence) -> Note {
        let Sentence { text, weight, section } = sentence;
        let text: String = text.chars().take(TEXT_MAX).collect();
        let section = (!section.is_empty()).then(|| section.to_owned());
        Note { kind: kind.to_owned(), weight: Some(weight), text, section }
    }
}
