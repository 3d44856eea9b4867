//! Messages as the page sees them: rows of plain numbers, since there may be hundreds in every
//! frame.

use js_sys::Float64Array;
use raft_core::raft::{AppendOutcome, Message, SnapshotProgress};
use raft_core::sim::{Body, Endpoint, Flight, Reply};
use serde::{Serialize, Serializer};
use wasm_bindgen::prelude::*;

use crate::Run;
use crate::view::micros;

/// The kinds of messages; the page knows them by the names in `KINDS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    RequestVote,
    Vote,
    PreVote,
    PreVoteAnswer,
    Append,
    Heartbeat,
    AppendAnswer,
    Snapshot,
    SnapshotAnswer,
    TimeoutNow,
    ReadIndex,
    ReadIndexAnswer,
    Request,
    Answer,
}

const KINDS: [&str; 14] = [
    "request-vote",
    "vote",
    "pre-vote",
    "pre-vote-answer",
    "append",
    "heartbeat",
    "append-answer",
    "snapshot",
    "snapshot-answer",
    "timeout-now",
    "read-index",
    "read-index-answer",
    "request",
    "answer",
];

/// See `MessageView` in `view.d.ts`.
pub struct MessageView {
    id: f64,
    kind: Kind,
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
            Body::Request(_) => (Kind::Request, 0, true),
            Body::Answer(answer) => (Kind::Answer, 0, matches!(answer.reply, Reply::Done(_) | Reply::SessionOpened(_))),
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
            lost: flight.lost.map_or(0.0, micros),
            held: flight.held.map_or(0.0, micros),
            entries,
            success,
        }
    }

    /// In the order of the fields of `view.d.ts`.
    fn row(&self) -> [f64; 11] {
        [
            self.id,
            f64::from(self.kind as u8),
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

/// Messages, a row each.
pub struct Messages(Vec<f64>);

impl Messages {
    pub fn of(messages: impl Iterator<Item = MessageView>) -> Messages {
        Messages(messages.flat_map(|message| message.row()).collect())
    }
}

/// As one `Float64Array`, which is copied at once.
impl Serialize for Messages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_wasm_bindgen::preserve::serialize(&Float64Array::from(&self.0[..]), serializer)
    }
}

#[wasm_bindgen]
impl Run {
    /// The names of the kinds of messages, a line each, in the order of their numbers, from 0.
    #[wasm_bindgen(js_name = messageKinds)]
    pub fn message_kinds() -> String {
        raft_core::text::joined(&KINDS, "\n")
    }
}

/// A message's kind, how many entries it carries, and whether it says yes.
fn describe(message: &Message) -> (Kind, u32, bool) {
    match message {
        Message::PreVote(_) => (Kind::PreVote, 0, true),
        Message::PreVoteResponse(m) => (Kind::PreVoteAnswer, 0, m.granted),
        Message::RequestVote(_) => (Kind::RequestVote, 0, true),
        Message::RequestVoteResponse(m) => (Kind::Vote, 0, m.granted),
        Message::AppendEntries(m) if m.entries.is_empty() => (Kind::Heartbeat, 0, true),
        Message::AppendEntries(m) => (Kind::Append, m.entries.len() as u32, true),
        Message::AppendEntriesResponse(m) => {
            (Kind::AppendAnswer, 0, matches!(m.outcome, AppendOutcome::Matched(_) | AppendOutcome::Joining { .. }))
        }
        Message::InstallSnapshot(_) => (Kind::Snapshot, 0, true),
        Message::InstallSnapshotResponse(m) => (Kind::SnapshotAnswer, 0, m.progress != SnapshotProgress::StaleTerm),
        Message::TimeoutNow(_) => (Kind::TimeoutNow, 0, true),
        Message::ReadIndex(_) => (Kind::ReadIndex, 0, true),
        Message::ReadIndexResponse(m) => (Kind::ReadIndexAnswer, 0, m.index.is_some()),
    }
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

    #[test]
    fn kinds_are_listed_in_the_order_of_their_numbers() {
        let listed = [Kind::RequestVote, Kind::AppendAnswer, Kind::Answer].map(|kind| KINDS[kind as usize]);
        assert_eq!(listed, ["request-vote", "append-answer", "answer"]);
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
            assert!(row[1] < KINDS.len() as f64 && row[5] <= micros(run.world().now()) && row[6] >= row[5]);
        }
    }
}
