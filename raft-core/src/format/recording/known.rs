//! What is known of the servers, from one line of a recording to the next.

use alloc::collections::BTreeMap;

use super::Recorded;
use super::table::{Duplicated, Lost, Received, Sent, State, What};
use super::terms::Terms;
use super::values::Carried;
use crate::raft::{EntryId, LogIndex, ServerId, Term};
use crate::time::Time;

/// The most messages that are known to be under way. If there are more, those with the lowest
/// numbers of the first servers are forgotten: in the stream of one server alone nothing says what
/// became of them.
pub const UNDER_WAY_MAX: usize = 100_000;

/// What is known of all servers and of the messages between them, after some lines of a recording.
/// What hasn't been said is unknown.
///
/// It needs as much memory as what it knows, whatever the lines claim: a log of a million entries
/// that are named in one line as five terms takes the room of five terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    servers: BTreeMap<ServerId, KnownServer>,
    under_way: BTreeMap<MessageId, Time>,
}

/// What is known of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownServer {
    /// Which life it is in, or was at last.
    pub life: Option<u64>,
    /// The number of its last line in that life.
    pub sequence: Option<u64>,
    /// Whether it runs.
    pub up: Option<bool>,
    /// Its state. The fields of the log's content are empty: see [`KnownServer::term_at`] and
    /// [`KnownServer::payload_at`].
    pub state: State,
    terms: Terms,
    payloads: BTreeMap<LogIndex, Carried>,
}

/// What identifies a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MessageId {
    /// The sender.
    pub from: ServerId,
    /// The sender's life, if it is known.
    pub life: Option<u64>,
    /// Its number in that life.
    pub number: u64,
}

/// What a line is after those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The next one.
    Next {
        /// When the message that it is about was sent, if that is known. Asked of what receives,
        /// loses or duplicates one that is under way.
        sent: Option<Time>,
    },
    /// One that has come before, or that is older: nothing became known by it.
    Repeated,
    /// Lines of its server are missing before it. What was known of the server has been forgotten.
    AfterGap {
        /// As in [`Heard::Next`].
        sent: Option<Time>,
    },
}

impl Known {
    /// Nothing is known.
    pub fn new() -> Known {
        Known::default()
    }

    /// What is known of a server, if it has been heard of.
    pub fn server(&self, server: ServerId) -> Option<&KnownServer> {
        self.servers.get(&server)
    }

    /// The servers that have been heard of, and what is known of them.
    pub fn servers(&self) -> impl Iterator<Item = (ServerId, &KnownServer)> {
        self.servers.iter().map(|(server, known)| (*server, known))
    }

    /// The messages that were sent, and neither received nor lost, as far as is known; and when
    /// they were sent.
    pub fn under_way(&self) -> impl Iterator<Item = (MessageId, Time)> {
        self.under_way.iter().map(|(message, sent)| (*message, *sent))
    }

    /// Takes the next line.
    pub fn take(&mut self, recorded: &Recorded) -> Heard {
        let mut gap = false;
        if let Some(server) = recorded.server {
            let known = self.servers.entry(server).or_default();
            match known.order(recorded) {
                Order::Next => {}
                Order::Repeated => return Heard::Repeated,
                Order::AfterGap => gap = true,
            }
            known.hear(&recorded.what);
        }
        let sent = self.hear_of_message(recorded);
        if gap { Heard::AfterGap { sent } } else { Heard::Next { sent } }
    }

    fn hear_of_message(&mut self, recorded: &Recorded) -> Option<Time> {
        match &recorded.what {
            What::Sent(Sent { number, .. }) => {
                let message = MessageId { from: recorded.server?, life: recorded.life, number: *number };
                self.note_under_way(message, recorded.time);
                None
            }
            What::Received(Received { from, from_life, number, .. })
            | What::Lost(Lost { from, from_life, number, .. }) => {
                self.under_way.remove(&MessageId { from: *from, life: *from_life, number: (*number)? })
            }
            What::Duplicated(Duplicated { from, from_life, number, copy, .. }) => {
                let message = MessageId { from: *from, life: *from_life, number: *number };
                let sent = self.under_way.get(&message).copied();
                self.note_under_way(MessageId { number: *copy, ..message }, recorded.time);
                sent
            }
            _ => None,
        }
    }

    fn note_under_way(&mut self, message: MessageId, at: Time) {
        self.under_way.insert(message, at);
        if self.under_way.len() > UNDER_WAY_MAX {
            self.under_way.pop_first();
        }
    }
}

enum Order {
    Next,
    Repeated,
    AfterGap,
}

impl KnownServer {
    /// The term of the entry at `index`, if it is known. The last entry before the log's beginning
    /// counts, too.
    pub fn term_at(&self, index: LogIndex) -> Option<Term> {
        let of = |id: Option<EntryId>| id.filter(|id| id.index == index).map(|id| id.term);
        self.terms.term_at(index).or(of(self.state.last)).or(of(self.state.base))
    }

    /// The indexes of the first and the last of the entries whose terms are all known, without a
    /// gap.
    pub fn terms_known(&self) -> Option<(LogIndex, LogIndex)> {
        self.terms.range()
    }

    /// What is in the entry at `index`, if that is known.
    pub fn payload_at(&self, index: LogIndex) -> Option<&Carried> {
        self.payloads.get(&index)
    }

    fn forget(&mut self) {
        let KnownServer { life, sequence, .. } = *self;
        *self = KnownServer { life, sequence, ..KnownServer::default() };
    }

    /// What a line is after those before it. If there is a gap, everything is forgotten.
    fn order(&mut self, recorded: &Recorded) -> Order {
        let Some(life) = recorded.life else { return Order::Next };
        let is_whole = matches!(recorded.what, What::Started | What::State(_));
        if self.life.is_some_and(|known| life < known) {
            return Order::Repeated;
        }
        let was_known = self.life.is_some();
        let is_other = self.life != Some(life);
        if is_other {
            *self = KnownServer { life: Some(life), ..KnownServer::default() };
        }
        let order = match (recorded.sequence, self.sequence) {
            // The server itself hasn't said it, and others may be late to.
            (None, _) if is_other && was_known => Order::AfterGap,
            (None, _) => return Order::Next,
            (Some(_), None) if is_other && was_known && !is_whole => Order::AfterGap,
            (Some(_), None) => Order::Next,
            (Some(next), Some(last)) => match recorded.what {
                What::State(_) if next >= last => Order::Next,
                _ if next <= last => Order::Repeated,
                _ if next - last == 1 || is_whole => Order::Next,
                _ => Order::AfterGap,
            },
        };
        if let Order::AfterGap = order {
            self.forget();
        }
        if !matches!(order, Order::Repeated) && recorded.sequence.is_some() {
            self.sequence = recorded.sequence;
        }
        order
    }

    fn hear(&mut self, what: &What) {
        match what {
            What::Started => {
                self.forget();
                self.up = Some(true);
            }
            What::Stopped | What::Crashed => {
                self.forget();
                self.up = Some(false);
            }
            What::State(state) => {
                self.forget();
                self.up = Some(true);
                self.apply(state);
            }
            What::Changed(state) => {
                self.up = Some(true);
                self.apply(state);
            }
            What::Sent(_) | What::Received(_) => self.up = Some(true),
            What::Lost(_) | What::Duplicated(_) | What::Requested(_) | What::Note(_) => {}
        }
    }

    fn apply(&mut self, state: &State) {
        self.state.adopt(state);
        if let (Some(runs), Some(last)) = (&state.terms, state.last) {
            self.terms = Terms::new(runs.clone(), last.index).unwrap_or_default();
            self.payloads.clear();
        }
        if let Some(kept) = state.truncated {
            self.truncate_after(kept);
        }
        if let (Some(first), Some(appended)) = (state.first, &state.appended) {
            self.truncate_after(first.previous());
            if self.terms.range().is_some_and(|(_, end)| end.next() < first) {
                self.forget_terms(); // What is between is unknown.
            }
            for (place, entry) in (0..).zip(appended) {
                let index = first.plus(place);
                self.terms.push(EntryId::new(index, entry.term));
                if let Some(payload) = &entry.payload {
                    self.payloads.insert(index, payload.clone());
                }
            }
        }
        if let Some(base) = state.base {
            self.terms.drop_to(base.index);
            self.payloads = self.payloads.split_off(&base.index.next());
        }
        if let Some(last) = state.last {
            self.truncate_after(last.index);
            // What was said of the terms ends elsewhere: something wasn't said.
            if self.terms.range().is_some() && self.terms.term_at(last.index) != Some(last.term) {
                self.forget_terms();
            }
        }
    }

    fn truncate_after(&mut self, index: LogIndex) {
        self.terms.truncate_after(index);
        self.payloads.split_off(&index.next());
    }

    fn forget_terms(&mut self) {
        (self.terms, self.payloads) = Default::default();
    }
}
