//! What is told as it happens: changes of the store, and what the server observes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State, rejection::QueryRejection};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::problem::{Kind, Problem};
use super::serve::Client;
use super::{App, Shared};
use crate::changes::{Change, Changes, Gone};

/// How often a stream says that it still lives.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// When a client whose stream ended, because the server stops, is to connect again.
const COME_BACK: Duration = Duration::from_secs(1);

/// The most changes in one piece of a stream.
const PIECE_MAX: usize = 256;

/// A piece of a stream ends with the change that makes it longer than this.
const PIECE_BYTES: usize = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchQuery {
    #[serde(default)]
    prefix: String,
    from: Option<u64>,
}

/// Server-sent events: an event a change, with the revision as its id.
pub async fn watch_changes(
    State(app): Shared,
    query: Result<Query<WatchQuery>, QueryRejection>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| {
        Problem::new(Kind::BadRequest, format!("the query isn't ?prefix=…&from=REVISION: {}", error.body_text()))
    })?;
    // A browser that connects again says what it has heard last.
    let heard = super::header(&headers, "last-event-id")?
        .map(|id| {
            id.parse::<u64>().map_err(|_| Problem::new(Kind::BadRequest, "the header Last-Event-ID isn't a revision"))
        })
        .transpose()?;
    let known = *app.changes.known().borrow();
    // `from` is the first revision wanted; a revision that was heard isn't wanted again.
    let after = heard.or(query.from.map(|from| from.saturating_sub(1))).unwrap_or(known);
    app.changes.after(after, 0).map_err(|gone| gone_problem(after, gone))?;
    let changes = Arc::clone(&app.changes);
    let stopping = goes_on(&app)?;
    let watcher = Watcher { known: changes.known(), changes, stopping, prefix: query.prefix, after };
    let pieces = stream::unfold(Some(watcher), |watcher| async {
        let mut watcher = watcher?;
        let piece = watcher.next().await;
        let goes_on = matches!(piece, Piece::Text(_));
        let (Piece::Text(text) | Piece::Last(text)) = piece;
        Some((Ok::<_, Infallible>(Bytes::from(text)), goes_on.then_some(watcher)))
    });
    let body = Body::from_stream(pieces.take_until(gone(client)));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    // A server may be asked for what it hasn't heard of yet, as another one has: it waits.
    Ok((headers, [(REVISION, known)], body).into_response())
}

/// The header that says with a stream of changes which revision this server had come to when it
/// began.
const REVISION: &str = "raftarium-revision";

/// Waits until the client has gone.
async fn gone(client: Option<Extension<Client>>) {
    match client {
        Some(Extension(client)) => client.gone().await,
        None => std::future::pending().await,
    }
}

/// What says when a stream ends because the server stops. A server that stops already begins none.
fn goes_on(app: &App) -> Result<watch::Receiver<bool>, Problem> {
    let stopping = app.stopping.clone();
    if *stopping.borrow() {
        return Err(Problem::new(Kind::Stopping, "this server is stopping; another one goes on"));
    }
    Ok(stopping)
}

/// Waits until the server stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Without a sender there is no server any more.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

fn gone_problem(after: u64, gone: Gone) -> Problem {
    let why = format!(
        "the changes after revision {after} aren't all kept: list the keys, and watch from the list's revision on; \
         the earliest possible is {}",
        gone.since + 1
    );
    Problem::new(Kind::RevisionGone, why).with("earliest", gone.since + 1)
}

struct Watcher {
    changes: Arc<Changes>,
    known: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    prefix: String,
    /// Everything up to this revision has been told.
    after: u64,
}

enum Piece {
    Text(String),
    Last(String),
}

impl Watcher {
    /// The next piece of the stream. A reader that is too slow misses changes; then the stream says
    /// so, and ends. A server that stops says where to go on, and ends it: others tell the rest.
    async fn next(&mut self) -> Piece {
        // Changes of other keys don't put it off, however many they are.
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            let known = *self.known.borrow_and_update();
            match self.changes.after(self.after, PIECE_MAX) {
                Err(gone) => {
                    let problem = gone_problem(self.after, gone).document();
                    return Piece::Last(format!("event: problem\ndata: {problem}\n\n"));
                }
                Ok(changes) => {
                    // Only if the piece isn't full has everything that was known been told.
                    let mut told = if changes.len() < PIECE_MAX { known } else { 0 };
                    let mut text = String::new();
                    for change in &changes {
                        if text.len() > PIECE_BYTES {
                            told = 0;
                            break;
                        }
                        self.after = change.revision.max(self.after);
                        if change.key.starts_with(&self.prefix) {
                            text += &event(change);
                        }
                    }
                    self.after = told.max(self.after);
                    if !text.is_empty() {
                        return Piece::Text(text);
                    }
                    if changes.len() == PIECE_MAX && Instant::now() < heartbeat {
                        continue;
                    }
                }
            }
            // The revision goes along, so that who connects again needn't go back further.
            let after = self.after;
            tokio::select! {
                biased;
                () = stopped(&mut self.stopping) => {
                    let wait = COME_BACK.as_millis();
                    let text = format!(": this server stops; go on at another one\nid: {after}\nretry: {wait}\n\n");
                    return Piece::Last(text);
                }
                () = sleep_until(heartbeat) => {
                    let told = if after > known {
                        format!("this server has come to {known}; what comes after {after} is told")
                    } else {
                        format!("nothing new up to {after}")
                    };
                    return Piece::Text(format!(": {told}\nid: {after}\n\n"));
                }
                known = self.known.changed() => {
                    if known.is_err() {
                        return Piece::Last(String::new());
                    }
                }
            }
        }
    }
}

fn event(change: &Change) -> String {
    let mut data = json!({ "key": change.key, "revision": change.revision });
    let kind = match &change.value {
        None => "delete",
        Some(value) => {
            put_value(&mut data, value);
            "put"
        }
    };
    format!("id: {}\nevent: {kind}\ndata: {data}\n\n", change.revision)
}

/// How many bytes a value takes in a document.
pub(super) fn written_bytes(value: &[u8]) -> usize {
    match std::str::from_utf8(value) {
        Ok(text) => text.bytes().map(escaped_bytes).sum(),
        Err(_) => value.len().div_ceil(3) * 4,
    }
}

/// How many bytes a byte of a text takes in JSON (RFC 8259 §7).
const fn escaped_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

/// A value in a document: as text if it is UTF-8, in base64 otherwise.
pub(super) fn put_value(document: &mut serde_json::Value, value: &[u8]) {
    match std::str::from_utf8(value) {
        Ok(text) => document["value"] = text.into(),
        Err(_) => document["value_base64"] = STANDARD.encode(value).into(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    after: Option<u64>,
    life: Option<u64>,
}

/// What this server observes: a recording, a line an event.
pub async fn events(
    State(app): Shared,
    query: Result<Query<EventsQuery>, QueryRejection>,
    client: Option<Extension<Client>>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| {
        Problem::new(Kind::BadRequest, format!("the query isn't ?after=SEQUENCE&life=LIFE: {}", error.body_text()))
    })?;
    if query.after.is_some() != query.life.is_some() {
        // Sequences are counted anew in each life: one alone says nothing.
        let why = "give after and life together, as the last line has them (sequence and life), or neither";
        return Err(Problem::new(Kind::BadRequest, why));
    }
    let stopping = goes_on(&app)?;
    let follower = app.events.follow(query.after, query.life).map_err(|why| Problem::new(Kind::RevisionGone, why))?;
    // A recording has no last word: whoever follows it goes on with `after`.
    let pieces = stream::unfold((follower, stopping), |(mut follower, mut stopping)| async {
        let lines = tokio::select! {
            lines = follower.next(HEARTBEAT) => lines?,
            () = stopped(&mut stopping) => return None,
        };
        Some((Ok::<_, Infallible>(lines), (follower, stopping)))
    });
    let body = Body::from_stream(pieces.take_until(gone(client)));
    let headers = [(header::CONTENT_TYPE, "application/jsonl"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_written_value_is_known_before_it_is_written() {
        for value in [(0..=127).collect::<Vec<u8>>(), (0..=255).collect(), "ä🦀".into(), vec![], vec![255; 4]] {
            let mut document = json!({});
            put_value(&mut document, &value);
            let name = if document.get("value").is_some() { r#"{"value":""}"# } else { r#"{"value_base64":""}"# };
            assert_eq!(document.to_string().len() - name.len(), written_bytes(&value));
        }
    }

    /// What is waiting for a reader is bounded in bytes, and nothing is left out.
    #[tokio::test]
    async fn large_changes_come_in_small_pieces() {
        let changes = Arc::new(Changes::default());
        for revision in 1..=9 {
            let value = Some(Bytes::from(vec![0; 10_000]));
            changes.applied(revision, Some(Change { key: "k".into(), value, revision }));
        }
        let (_stop, stopping) = watch::channel(false);
        let mut watcher = Watcher { known: changes.known(), changes, stopping, prefix: String::new(), after: 0 };
        let mut told = Vec::new();
        while told.len() < 9 {
            let Piece::Text(text) = watcher.next().await else { panic!("it goes on") };
            assert!(text.len() <= PIECE_BYTES + 61_000, "{}", text.len());
            told.extend(text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse::<u64>().ok()));
        }
        assert_eq!(told, (1..=9).collect::<Vec<_>>());
    }

    /// What another server has told of may not have come here yet; and it may never come.
    #[tokio::test(start_paused = true)]
    async fn who_watches_from_the_future_hears_how_far_the_server_has_come() {
        let changes = Arc::new(Changes::default());
        let change = |revision| Some(Change { key: "k".into(), value: None, revision });
        changes.applied(3, change(3));
        let (_stop, stopping) = watch::channel(false);
        let known = changes.known();
        let changed = Arc::clone(&changes);
        let mut watcher = Watcher { known, changes, stopping, prefix: String::new(), after: 5 };
        let Piece::Text(text) = watcher.next().await else { panic!("it goes on") };
        assert_eq!(text, ": this server has come to 3; what comes after 5 is told\nid: 5\n\n");
        changed.applied(5, change(5));
        changed.applied(6, change(6));
        let Piece::Text(text) = watcher.next().await else { panic!("it goes on") };
        assert_eq!(text.lines().next(), Some("id: 6"));
    }

    /// Who hears nothing for long connects again, and has to be told then how far it had come:
    /// earlier changes may be forgotten by that time.
    #[tokio::test(start_paused = true)]
    async fn a_watcher_of_quiet_keys_hears_how_far_it_has_come_while_others_change() {
        let changes = Arc::new(Changes::default());
        let (_stop, stopping) = watch::channel(false);
        let known = changes.known();
        let mut watcher = Watcher { known, changes: Arc::clone(&changes), stopping, prefix: "mine/".into(), after: 0 };
        let began = Instant::now();
        let others = tokio::spawn(async move {
            for index in 1.. {
                let change = Change { key: "other".into(), value: None, revision: index };
                changes.applied(index, Some(change));
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
        });
        let piece = tokio::time::timeout(HEARTBEAT * 3, watcher.next()).await;
        let Ok(Piece::Text(text)) = piece else { panic!("it goes on, and says so in time") };
        others.abort();
        assert_eq!(began.elapsed(), HEARTBEAT);
        assert_eq!(text, ": nothing new up to 15\nid: 15\n\n", "and the fifteenth came after 9.8 s");
    }
}
