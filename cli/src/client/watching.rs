//! `watch`: changes as they happen, without a gap.
//!
//! A connection can end at any time. The next one begins after the last revision that was heard, at
//! whichever server can be reached, so that no change is missed or told twice. If the servers don't
//! keep changes that far back, the watch ends and says so.

use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::exchange::{Failure, Outcome, Problem};
use super::store::{encoded, shown, value_in};
use super::{Client, Connection, EXIT_STATUS, Request, document, told};
use crate::output::{BOLD, DIM};
use crate::text::Text;
use crate::{Ending, Unusable, output};

/// Servers say every ten seconds that they live: who is silent for longer doesn't.
const SILENCE_MAX: Duration = Duration::from_secs(25);

/// The longest line of a stream that is read, in bytes.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// The pause before all servers are tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// Options of `watch`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "It goes on until Ctrl-C, and changes to another server if one can't be reached for --timeout at most. \
     With --json, each change is a line.\n\n\
     Examples:\n  raftarium watch\n  raftarium watch user/ --from 120 --json\n\n{EXIT_STATUS}"
))]
pub struct Options {
    /// Only keys that begin so
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
    /// From this revision on; from now on if it is left out
    #[arg(long, value_name = "REVISION")]
    from: Option<u64>,
    #[command(flatten)]
    connection: Connection,
}

/// One server-sent event.
#[derive(Debug, Default, PartialEq)]
struct Event {
    id: Option<u64>,
    kind: String,
    data: String,
}

/// Reads server-sent events.
struct Events<R> {
    lines: R,
}

impl<R: BufRead> Events<R> {
    /// The next one; none at the end of the stream.
    fn next(&mut self) -> std::io::Result<Option<Event>> {
        let mut event = Event::default();
        loop {
            let mut line = Vec::new();
            let length = (&mut self.lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                if length as u64 == LINE_BYTES_MAX {
                    return Err(std::io::Error::other("a line of the stream is too long"));
                }
                // An event that was cut off doesn't count.
                return Ok(None);
            }
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            let Ok(line) = String::from_utf8(line) else {
                return Err(std::io::Error::other("the stream isn't text"));
            };
            if line.is_empty() {
                return Ok(Some(event));
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => event.id = value.parse().ok(),
                "event" => event.kind = value.to_owned(),
                "data" => {
                    if !event.data.is_empty() {
                        event.data.push('\n');
                    }
                    event.data += value;
                }
                // A comment begins with a colon; unknown fields are ignored.
                _ => {}
            }
        }
    }
}

/// Why a connection to one server ended.
enum End {
    /// It never came about; another server may go on.
    Unreachable(String),
    /// It ended; another may go on.
    Lost(String),
    /// The watch can't go on.
    Final(Failure),
    /// Nobody reads any more.
    Closed,
}

/// `raftarium watch`.
pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let connection = &options.connection;
    let client = connection.client()?;
    let mut from = match options.from {
        Some(from) => from,
        // Where now is, so that the first connection can be replaced, too.
        None => match now(&client) {
            Ok(revision) => revision + 1,
            Err(failure) => return told(&failure, connection.json),
        },
    };
    // Since when no server has been reached. How long nothing has changed doesn't count.
    let mut alone_since = Instant::now();
    loop {
        let mut last = String::new();
        for address in client.servers() {
            match follow(&client, address, options, &mut from)? {
                End::Closed => return Ok(Ending::Fine),
                End::Final(failure) => return told(&failure, connection.json),
                End::Unreachable(why) => last = why,
                End::Lost(why) => {
                    last = why;
                    alone_since = Instant::now();
                }
            }
        }
        if alone_since.elapsed() > client.timeout() {
            let all = client.servers().join(", ");
            let why = format!("no server could be reached at {all} ({last}); the next revision would have been {from}");
            return told(&Failure::Unreachable(why), connection.json);
        }
        std::thread::sleep(PAUSE);
    }
}

/// The store's revision.
fn now(client: &Client) -> Result<u64, Failure> {
    let answer = client.call(&Request::get("/kv?limit=1&keys_only=true".into()))?;
    let page = document(&answer)?;
    page["revision"].as_u64().ok_or_else(|| Failure::Refused(format!("{} doesn't say its revision", answer.from)))
}

fn follow(client: &Client, address: &str, options: &Options, from: &mut u64) -> Result<End, Unusable> {
    let request = Request::get(format!("/watch?prefix={}&from={from}", encoded(&options.prefix)));
    let response = match client.follow(address, &request, SILENCE_MAX) {
        Ok(response) => response,
        Err(Outcome::NotSent(why) | Outcome::NoAnswer(why)) => return Ok(End::Unreachable(why)),
        Err(Outcome::Problem(_) | Outcome::Done(_)) => unreachable!("an answer isn't judged before it is read"),
    };
    let status = response.status();
    let body = response.into_body().into_reader();
    if !status.is_success() {
        const PROBLEM_BYTES_MAX: u64 = 64 << 10;
        let mut bytes = Vec::new();
        let _ = body.take(PROBLEM_BYTES_MAX).read_to_end(&mut bytes);
        let problem = Problem::of(address, status.as_u16(), &bytes);
        return Ok(if problem.kind == "revision-gone" {
            End::Final(Failure::No(problem))
        } else if status.is_server_error() || problem.kind == "request-timed-out" {
            End::Unreachable(problem.sentence())
        } else {
            End::Final(Failure::Refused(problem.sentence()))
        });
    }
    let mut events = Events { lines: BufReader::new(body) };
    loop {
        let event = match events.next() {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(End::Lost(format!("{address}: the stream ended"))),
            Err(error) => return Ok(End::Lost(format!("{address}: {error}"))),
        };
        if event.kind == "problem" {
            let problem = Problem::of(address, 410, event.data.as_bytes());
            return Ok(End::Final(Failure::No(problem)));
        }
        if matches!(event.kind.as_str(), "put" | "delete") {
            let Ok(data) = serde_json::from_str::<Value>(&event.data) else {
                return Ok(End::Lost(format!("{address}: an event isn't JSON")));
            };
            if !output::print(&line(&event.kind, &data, options.connection.json))? {
                return Ok(End::Closed);
            }
        }
        if let Some(id) = event.id {
            *from = (*from).max(id.saturating_add(1));
        }
    }
}

fn line(kind: &str, data: &Value, is_json: bool) -> Text {
    if is_json {
        let mut change = json!({ "change": kind });
        if let (Some(change), Some(data)) = (change.as_object_mut(), data.as_object()) {
            change.extend(data.clone());
        }
        return Text::of_json(&format!("{change}\n"));
    }
    let mut text = Text::new();
    text.styled(DIM, &data["revision"]).add(" ").add(kind).add(" ");
    text.styled(BOLD, data["key"].as_str().unwrap_or("?"));
    if let Some(value) = value_in(data) {
        text.add(" = ").append(&shown(&value));
    }
    text.end_line();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(stream: &str) -> Vec<Event> {
        let mut events = Events { lines: stream.as_bytes() };
        std::iter::from_fn(|| events.next().expect("a stream in memory")).collect()
    }

    #[test]
    fn events_are_read_as_the_standard_has_them() {
        let all =
            events(": hello\nid: 7\n\nid:8\r\nevent: put\r\ndata: {\ndata: }\r\n\r\nid: 9\nevent: put\ndata: cut");
        assert_eq!(
            all,
            [Event { id: Some(7), ..Event::default() }, Event { id: Some(8), kind: "put".into(), data: "{\n}".into() },],
            "what is cut off isn't an event"
        );
    }

    #[test]
    fn a_change_is_a_line_whatever_is_in_it() {
        let data = json!({ "key": "a\nb", "revision": 3, "value": "x\u{1b}y" });
        let text = line("put", &data, false);
        assert_eq!(text.as_str().matches('\n').count(), 1);
        assert!(text.as_str().contains("a\\nb") && text.as_str().contains("x\\u{1b}y"));
        let json: Value = serde_json::from_str(line("put", &data, true).as_str()).unwrap();
        assert_eq!((&json["change"], &json["key"]), (&"put".into(), &"a\nb".into()));
    }
}
