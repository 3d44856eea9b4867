//! What happened, as JSON lines: one event per line, each with its reason.
//!
//! ```json
//! {"time":1253000,"server":"S3","kind":"vote-refused","weight":"notable","text":"S3 refused …","section":"Raft §5.4.1"}
//! ```
//!
//! `time` is in microseconds of the world's clock; `server` is missing where the event is about
//! none; `weight` is `turning`, `notable` or `detail`; `text` is the sentence that the page shows;
//! `section` says where to read on, and is missing where nothing is cited.
//!
//! A message is told of by its number, from when it is sent; that line has more fields, of which
//! `content` is the message between servers as [`super::message`] writes it:
//! ```json
//! {"time":1253000,"kind":"message-sent","weight":"detail","text":"…","message":12,"from":"S1","to":"S3","content":{…}}
//! ```
//! What is another in a server after an event than before it is a line of the kind `state`. At
//! first that is everything:
//! ```json
//! {"time":1253000,"server":"S3","kind":"state","weight":"detail","text":"S3 is a follower of term 5.","term":5,"leader":1}
//! ```
//! What is found wrong with the run is the last line, of the kind `found`, with three fields more:
//! ```json
//! {"time":1253000,"kind":"found","weight":"turning","text":"…","what":"Liveness","first":"…","second":"…"}
//! ```

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use serde::Serialize;

use super::recording::Observed;
use super::{Found, message};
use crate::raft::{Sentence, Weight};
use crate::sim::{Body, MessageEvent, News, Simulation, What};
use crate::time::Time;

#[derive(Serialize)]
struct Line<'a> {
    time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    kind: &'static str,
    weight: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    section: &'a str,
}

/// Writes the trace of a run, from what the world tells a listener to messages
/// ([`Listening::Messages`](crate::sim::Listening)) and from a look at its servers after each
/// event.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// What was last said of each server, by its slot.
    said: Vec<Option<Observed>>,
    text: String,
}

impl Recorder {
    /// A recorder that has heard nothing.
    pub fn new() -> Recorder {
        Recorder::default()
    }

    /// Writes down what is told of one event, and what is another in the servers after it. Call it
    /// after each event, with all the news of that event.
    pub fn hear(&mut self, world: &Simulation, news: &[News]) {
        for news in news {
            self.write(news);
        }
        self.look(world);
    }

    /// Takes the lines so far, each with a line break. They are forgotten.
    pub fn take_text(&mut self) -> String {
        core::mem::take(&mut self.text)
    }

    fn write(&mut self, news: &News) {
        let mut line = line(news);
        if let What::Message(event) = &news.what {
            // The object goes on. Writing to a String can't fail.
            line.pop();
            let _ = write!(line, ",\"message\":{}", event.message());
            if let MessageEvent::Sent(flight) = event {
                let _ = write!(line, ",\"from\":\"{}\",\"to\":\"{}\"", flight.from, flight.to);
                if let Body::Raft(content) = &flight.body {
                    let _ = write!(line, ",\"content\":{}", message::write(content));
                }
            }
            line.push('}');
        }
        self.text += &line;
        self.text.push('\n');
    }

    fn look(&mut self, world: &Simulation) {
        for machine in world.machines() {
            let slot = machine.id().slot();
            if self.said.len() <= slot {
                self.said.resize_with(slot + 1, || None);
            }
            // A server that is down has no state; when it is up again, everything is said anew.
            let now = machine.raft().map(Observed::of);
            let changes = now.as_ref().and_then(|now| now.changes_since(self.said[slot].as_ref()));
            if let (Some(now), Some(changes)) = (&now, changes) {
                let server = machine.id();
                let (role, term) = (now.role().name(), now.term());
                let text = format!("{server} is a {role} of term {term}.");
                let line = state_line(world.now(), &server.to_string(), &text);
                self.text += &line[..line.len() - 1];
                self.text += &changes;
                self.text += "}\n";
            }
            self.said[slot] = now;
        }
    }
}

/// A line about a server's state, to which its fields are still to be added.
fn state_line(at: Time, server: &str, text: &str) -> String {
    write_line(&Line {
        time: at.as_micros(),
        server: Some(server.to_string()),
        kind: "state",
        weight: weight_name(Weight::Detail),
        text,
        section: "",
    })
}

fn write_line(line: &Line<'_>) -> String {
    serde_json::to_string(line).expect("texts and numbers are JSON")
}

/// A piece of news as a line, without a line break.
pub fn line(news: &News) -> String {
    let Sentence { text, weight, section } = news.sentence();
    write_line(&Line {
        time: news.at.as_micros(),
        server: news.server().map(|server| server.to_string()),
        kind: news.kind(),
        weight: weight_name(weight),
        text: &text,
        section,
    })
}

#[derive(Serialize)]
struct LastLine<'a> {
    time: u64,
    kind: &'static str,
    weight: &'static str,
    text: &'a str,
    what: &'static str,
    first: &'a str,
    second: &'a str,
}

/// What was found wrong with the run as the last line, without a line break.
pub fn last_line(found: &Found, text: &str) -> String {
    let Found { what, at, first, second } = found;
    let line = LastLine {
        time: at.as_micros(),
        kind: "found",
        weight: weight_name(Weight::Turning),
        text,
        what: what.name(),
        first,
        second,
    };
    serde_json::to_string(&line).expect("texts and numbers are JSON")
}

/// `turning`, `notable` or `detail`.
pub const fn weight_name(weight: Weight) -> &'static str {
    match weight {
        Weight::Turning => "turning",
        Weight::Notable => "notable",
        Weight::Detail => "detail",
    }
}
