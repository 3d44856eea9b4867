//! Messages as the page reads them: rows of plain numbers, since there may be hundreds in every
//! frame.

use raft_core::raft::Message;
use raft_core::sim::{Body, Endpoint, Flight, Reply};
use serde::{Serialize, Serializer};

use crate::js::micros;

// What else is a kind of its own for the page, besides each message between servers: those have
// their places in the table of messages as numbers, and these follow (`Message::OTHER_SIGNS`).
const HEARTBEAT: usize = Message::COUNT;
const REQUEST: usize = HEARTBEAT + 1;
const ANSWER: usize = REQUEST + 1;

/// See `MessageView` in `view.d.ts`.
pub struct MessageView {
    id: f64,
    kind: usize,
    from: i32,
    to: i32,
    term: f64,
    sent: f64,
    pub arrives: f64,
    pub lost: f64,
    pub held: f64,
    entries: u32,
    success: bool,
}

impl MessageView {
    pub fn of(flight: &Flight) -> MessageView {
        let (kind, entries, success) = match &flight.body {
            Body::Raft(message) => describe(message),
            Body::Request(_) => (REQUEST, 0, true),
            Body::Answer(answer) => (ANSWER, 0, matches!(answer.reply, Reply::Done(_) | Reply::SessionOpened(_))),
        };
        let term = if let Body::Raft(message) = &flight.body { message.term().0 as f64 } else { 0.0 };
        MessageView {
            id: flight.number as f64,
            kind,
            from: endpoint(flight.from),
            to: endpoint(flight.to),
            term,
            sent: micros(flight.sent),
            arrives: micros(flight.arrives),
            lost: flight.lost.map_or(0.0, |loss| micros(loss.at)),
            held: flight.held.map_or(0.0, micros),
            entries,
            success,
        }
    }

    /// Its fields, in the order of `MessageView` in `view.d.ts`.
    fn row(&self) -> [f64; 11] {
        [
            self.id,
            self.kind as f64,
            f64::from(self.from),
            f64::from(self.to),
            self.term,
            self.sent,
            self.arrives,
            self.lost,
            self.held,
            f64::from(self.entries),
            f64::from(u8::from(self.success)),
        ]
    }
}

/// Messages, one row each.
pub struct Messages(Vec<f64>);

impl Messages {
    pub fn of(messages: impl Iterator<Item = MessageView>) -> Messages {
        Messages(messages.flat_map(|message| message.row()).collect())
    }
}

/// As bytes, which are copied as a whole.
impl Serialize for Messages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(8 * self.0.len());
        for number in &self.0 {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        serializer.serialize_bytes(&bytes)
    }
}

/// A message's kind, how many entries it carries, and whether it says yes.
fn describe(message: &Message) -> (usize, u32, bool) {
    let entries = if let Message::AppendEntries(m) = message { Some(m.entries.len() as u32) } else { None };
    let kind = if entries == Some(0) { HEARTBEAT } else { message.place() };
    (kind, entries.unwrap_or(0), message.says_yes())
}

fn endpoint(endpoint: Endpoint) -> i32 {
    match endpoint {
        Endpoint::Server(server) => i32::from(server.number()),
        Endpoint::Client(client) => -i32::from(client.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Run;
    use raft_core::raft::{AppendEntries, Entries, Entry, EntryId, LogIndex, Payload, Term, TimeoutNow};

    #[test]
    fn kinds_are_listed_in_the_order_of_their_numbers() {
        let kinds = String::from(Message::SIGNS) + Message::OTHER_SIGNS;
        let kinds: Vec<&str> = kinds.split('\n').collect();
        let term = Term(1);
        let word = Message::TimeoutNow(TimeoutNow { term });
        let append = |entries| {
            let (previous, commit) = (EntryId::ZERO, LogIndex::ZERO);
            Message::AppendEntries(AppendEntries { term, previous, entries, commit, round: 0, probe: 0 })
        };
        let entry = Entry { term, payload: Payload::NoOp };
        for (message, kind) in
            [(word, "timeout-now"), (append(Entries::None), "heartbeat"), (append(Entries::One(entry)), "append")]
        {
            assert_eq!(kinds[describe(&message).0], kind);
        }
        assert_eq!((kinds[REQUEST], kinds[ANSWER], kinds.len()), ("request", "answer", ANSWER + 1));
    }

    #[test]
    fn a_message_is_a_row_of_numbers() {
        let mut run = Run::create("7", 3, "").unwrap();
        while run.world().network().flights().count() < 2 {
            run.step_event();
        }
        let flights: Vec<&Flight> = run.world().network().flights().collect();
        let messages = Messages::of(flights.iter().map(|flight| MessageView::of(flight)));
        assert!(!flights.is_empty() && messages.0.len() == 11 * flights.len());
        for (row, flight) in messages.0.chunks(11).zip(flights) {
            assert_eq!(row[0], flight.number as f64);
            assert!(row[1] <= ANSWER as f64 && row[5] <= micros(run.world().now()) && row[6] >= row[5]);
        }
    }
}
