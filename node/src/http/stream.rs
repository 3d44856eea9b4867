//! What is told as it happens: changes of the store, and what the server observes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Query, State, rejection::QueryRejection};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::json;

use super::problem::{Kind, Problem};
use super::{App, Shared};
use crate::changes::{Change, Gone};

/// How often a stream says that it still lives.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The most changes in one piece of a stream.
const PIECE_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchQuery {
    #[serde(default)]
    prefix: String,
    from: Option<u64>,
}

/// Server-sent events: an event a change, with the revision as its id.
pub async fn watch(
    State(app): Shared,
    query: Result<Query<WatchQuery>, QueryRejection>,
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
    let watcher = Watcher { known: app.changes.known(), app, prefix: query.prefix, after };
    let body = Body::from_stream(stream::unfold(Some(watcher), |watcher| async {
        let mut watcher = watcher?;
        let piece = watcher.next().await;
        let goes_on = matches!(piece, Piece::Text(_));
        let (Piece::Text(text) | Piece::Last(text)) = piece;
        Some((Ok::<_, Infallible>(Bytes::from(text)), goes_on.then_some(watcher)))
    }));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
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
    app: Arc<App>,
    known: tokio::sync::watch::Receiver<u64>,
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
    /// so, and ends.
    async fn next(&mut self) -> Piece {
        loop {
            let known = *self.known.borrow_and_update();
            match self.app.changes.after(self.after, PIECE_MAX) {
                Err(gone) => {
                    let problem = gone_problem(self.after, gone).document();
                    return Piece::Last(format!("event: problem\ndata: {problem}\n\n"));
                }
                Ok(changes) => {
                    // Only if the piece isn't full has everything that was known been told.
                    let told = if changes.len() < PIECE_MAX { known } else { 0 };
                    self.after = changes.last().map_or(told, |last| last.revision.max(told)).max(self.after);
                    let wanted = changes.iter().filter(|change| change.key.starts_with(&self.prefix));
                    let text: String = wanted.map(event).collect();
                    if !text.is_empty() {
                        return Piece::Text(text);
                    }
                    if changes.len() == PIECE_MAX {
                        continue;
                    }
                }
            }
            match tokio::time::timeout(HEARTBEAT, self.known.changed()).await {
                // The revision goes along, so that who connects again needn't go back further.
                Err(_) => return Piece::Text(format!(": nothing new up to {}\nid: {}\n\n", self.after, self.after)),
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Piece::Last(String::new()),
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
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|error| {
        Problem::new(Kind::BadRequest, format!("the query isn't ?after=SEQUENCE&life=LIFE: {}", error.body_text()))
    })?;
    let follower = app.events.follow(query.after, query.life).map_err(|why| Problem::new(Kind::RevisionGone, why))?;
    let body = Body::from_stream(stream::unfold(follower, |mut follower| async {
        let lines = follower.next(HEARTBEAT).await?;
        Some((Ok::<_, Infallible>(lines), follower))
    }));
    let headers = [(header::CONTENT_TYPE, "application/jsonl"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}
