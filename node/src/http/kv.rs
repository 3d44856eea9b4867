//! Pairs: read, write, list.

use std::ops::Bound;
use std::time::Duration;

use axum::Json;
use axum::body::HttpBody as _;
use axum::extract::{Query, Request, State, rejection::QueryRejection};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use raft_core::check::linearizable::{EventKind, OperationKind};
use raft_core::kv::{Field, Key, Operation, Outcome, Store, TextError, Value};
use raft_core::raft::Refusal;
use serde::Deserialize;
use serde_json::json;

use super::cluster::whole;
use super::forward::IDEMPOTENCY_KEY;
use super::problem::{Kind, Problem};
use super::stream::{put_value, written_bytes};
use super::{App, BODY_BYTES_MAX, LeadersTask, Led, Named, Shared, lead, named, read_until_answered, whole_body};
use crate::driver::{Consistency, Failure};
use crate::events::{Events, RequestEvent};
use crate::store::{Answer, Condition, Hosted, RequestKey, Write, pairs};

/// The most pairs of one list.
pub const LIST_MAX: usize = 1_000;

/// How many pairs a list has unless the request says otherwise.
const LIST_DEFAULT: usize = 100;

/// A list ends with the pair that makes it longer than this, in bytes as they are sent.
const LIST_BYTES: usize = 1 << 20;

/// What a pair takes in a list besides its key and its value, at most.
const PAIR_BYTES: usize = 100;

/// The most bytes of a list: its last pair may be the largest, and all of it escaped.
const LIST_BYTES_MAX: usize = LIST_BYTES + 6 * (2 * Key::BYTES_MAX + Value::BYTES_MAX) + 2 * PAIR_BYTES;

/// The header that says that a write had been done before.
const REPLAYED: &str = "idempotent-replayed";

/// How fresh an answer must be, as a request says it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HowFresh {
    #[default]
    Linearizable,
    Lease,
    Local,
}

impl From<HowFresh> for Consistency {
    fn from(how: HowFresh) -> Consistency {
        match how {
            HowFresh::Linearizable => Consistency::Linearizable,
            HowFresh::Lease => Consistency::Lease,
            HowFresh::Local => Consistency::Local,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetQuery {
    #[serde(default)]
    consistency: HowFresh,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    #[serde(default)]
    prefix: String,
    after: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    keys_only: bool,
    #[serde(default)]
    consistency: HowFresh,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutQuery {
    expected: Option<String>,
    expected_base64: Option<String>,
}

type Queried<T> = Result<Query<T>, QueryRejection>;

fn query<T>(queried: Queried<T>, form: &str) -> Result<T, Problem> {
    match queried {
        Ok(Query(query)) => Ok(query),
        Err(error) => Err(Problem::new(Kind::BadRequest, format!("the query isn't {form}: {}", error.body_text()))),
    }
}

fn key_of(text: &str) -> Result<Key, Problem> {
    Key::new(text).map_err(|error| Problem::new(Kind::BadRequest, error.to_string()))
}

fn value_of(bytes: &[u8]) -> Result<Value, Problem> {
    Value::new(bytes).map_err(|error| Problem::new(Kind::TooLarge, error.to_string()))
}

/// How long a value that is announced as too long may take to arrive.
const REFUSED_MAX: Duration = Duration::from_millis(500);

/// Refuses a value by its announced length. A client that waits for a word before it sends the body
/// (`Expect: 100-continue`) needn't send it then. From others the body is taken for a moment, if it
/// isn't absurd: a connection that is closed with unread bytes is reset, and the answer is lost.
async fn announced(app: &App, request: Request) -> Result<Request, Problem> {
    match request.body().size_hint().exact() {
        Some(bytes) if bytes > Value::BYTES_MAX as u64 => {
            let waits = request.headers().contains_key(header::EXPECT);
            if bytes <= BODY_BYTES_MAX as u64 && !waits {
                // Whether it arrives or not, it is refused.
                let _ = tokio::time::timeout(REFUSED_MAX, whole_body(app, request.into_body())).await;
            }
            let error = TextError::TooLong { field: Field::Value, bytes, bytes_max: Value::BYTES_MAX as u64 };
            Err(Problem::new(Kind::TooLarge, error.to_string()))
        }
        _ => Ok(request),
    }
}

fn etag(revision: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// Whether the client has this revision already, as `If-None-Match` says (RFC 9110 §13.1.2).
fn has(headers: &HeaderMap, revision: u64) -> bool {
    let texts = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let own = format!("\"{revision}\"");
    texts.flat_map(|text| text.split(',')).map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == own)
}

pub async fn get(
    State(app): Shared,
    key: Named,
    queried: Queried<GetQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = key_of(&named(key)?)?;
    let GetQuery { consistency } = query(queried, "?consistency=linearizable|lease|local")?;
    let matched = Match::of(&headers)?;
    let wanted = key.clone();
    let look = move |hosted: &Hosted, _| {
        let pair = pairs(hosted).get_with_revision(&wanted);
        pair.map(|(value, revision)| (value.as_bytes().to_vec(), revision))
    };
    // What is read as of any time says nothing of when.
    let told = match consistency {
        HowFresh::Local => Told { events: &app.events, event: None },
        HowFresh::Linearizable | HowFresh::Lease => Told::begin_get(&app, &key),
    };
    let answered = read_until_answered(&app, consistency.into(), look).await;
    match &answered {
        Ok(pair) => told.end(EventKind::Ok, pair.as_ref().map(|(value, _)| value.as_slice()), Some(pair.is_some())),
        Err(_) => told.end(EventKind::Fail, None, None),
    }
    match answered? {
        None => Err(Problem::new(Kind::NoSuchKey, format!("there is no key {:?}", key.as_str()))),
        Some((_, revision)) if matches!(matched, Some(Match::Revision(other)) if other != revision) => {
            Err(condition_failed(Some(revision)))
        }
        Some((_, revision)) if has(&headers, revision) => {
            Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag(revision))]).into_response())
        }
        Some((value, revision)) => {
            let room = app.values.take(value.len(), app.limits.request).await?;
            let mut response = room.hold(value).into_response();
            response.headers_mut().insert(header::ETAG, etag(revision));
            Ok(response)
        }
    }
}

pub async fn list(State(app): Shared, queried: Queried<ListQuery>) -> Result<Response, Problem> {
    let form = "?prefix=…&after=KEY&limit=1..1000&keys_only=true|false&consistency=linearizable|lease|local";
    let ListQuery { prefix, after, limit, keys_only, consistency } = query(queried, form)?;
    let limit = limit.unwrap_or(LIST_DEFAULT);
    if limit == 0 || limit > LIST_MAX {
        return Err(Problem::new(Kind::BadRequest, format!("a list has 1 to {LIST_MAX} pairs, not {limit}")));
    }
    let look = move |hosted: &Hosted, index| {
        let store = pairs(hosted);
        let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut listed = Vec::new();
        let mut bytes = 0;
        let mut next = None;
        let mut last = None::<String>;
        for (key, value, revision) in store.range(&prefix, start) {
            if listed.len() == limit || bytes > LIST_BYTES {
                next = last;
                break;
            }
            let mut pair = json!({ "key": key.as_str(), "revision": revision });
            bytes += PAIR_BYTES + written_bytes(key.as_str().as_bytes());
            if !keys_only {
                bytes += written_bytes(value.as_bytes());
                put_value(&mut pair, value.as_bytes());
            }
            listed.push(pair);
            last = Some(key.as_str().to_owned());
        }
        // The index up to which the list has seen everything: who watches from the next one on
        // misses nothing.
        json!({ "revision": index, "pairs": listed, "next": next })
    };
    let room = app.lists.take(LIST_BYTES_MAX, app.limits.request).await?;
    let list = read_until_answered(&app, consistency.into(), look).await?;
    let body = room.hold(list.to_string().into_bytes());
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

pub async fn put(
    State(app): Shared,
    key: Named,
    queried: Queried<PutQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let key = key_of(&named(key)?)?;
    let PutQuery { expected, expected_base64 } = query(queried, "?expected=VALUE or ?expected_base64=VALUE")?;
    let request = announced(&app, request).await?;
    let request = whole(&app, request).await?;
    let value = value_of(&request.body)?;
    let expected = match (expected, expected_base64) {
        (None, None) => None,
        (Some(text), None) => Some(text.into_bytes()),
        (None, Some(text)) => match STANDARD.decode(&text) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                return Err(Problem::new(Kind::BadRequest, format!("expected_base64 isn't in base64: {error}")));
            }
        },
        (Some(_), Some(_)) => {
            return Err(Problem::new(Kind::BadRequest, "give expected or expected_base64, not both"));
        }
    };
    let operation = match expected {
        None => Operation::Put { key, value },
        Some(expected) => Operation::CompareAndSet { key, expected: value_of(&expected)?, new: value },
    };
    write(&app, request, operation).await
}

pub async fn delete(State(app): Shared, key: Named, request: Request) -> Result<Response, Problem> {
    let key = key_of(&named(key)?)?;
    let request = whole(&app, request).await?;
    write(&app, request, Operation::Delete { key }).await
}

/// A write, as a request asks for it.
struct Asked {
    write: Write,
    /// Whether the key must have a value, whichever it is. The log has no such condition.
    must_exist: bool,
}

impl LeadersTask for Asked {
    type Done = Answer;

    /// That a key must exist is the condition that it has the revision that was just read. If that
    /// has changed meanwhile, somebody else's write has come between, and the next one is read.
    async fn attempt(&self, app: &App) -> Result<Answer, Failure> {
        if !self.must_exist {
            return propose(app, &self.write).await;
        }
        loop {
            let key = self.write.operation.key().clone();
            let look = move |hosted: &Hosted, _| pairs(hosted).get_with_revision(&key).map(|(_, revision)| revision);
            let revision = match app.handle.read(Consistency::Linearizable, look).await {
                // Nothing is in doubt: the next leader is asked.
                Err(Failure::Refused(Refusal::LeadershipLost)) => Err(Failure::Refused(Refusal::ReadTimedOut)),
                revision => revision,
            };
            let Some(revision) = revision? else { return Ok(Answer::ConditionFailed { revision: None }) };
            let write = Write { condition: Condition::Revision(revision), ..self.write.clone() };
            match propose(app, &write).await? {
                Answer::ConditionFailed { revision: Some(_) } => {}
                answer => return Ok(answer),
            }
        }
    }
}

/// Has the cluster do a write.
async fn propose(app: &App, write: &Write) -> Result<Answer, Failure> {
    let told = Told::begin_write(app, write);
    match app.handle.propose(write.command()).await {
        Ok(applied) => {
            let answer = Answer::of(applied.entry.index.0, &applied.answer);
            told.end_write(&answer);
            Ok(answer)
        }
        Err(failure) => {
            told.end(if failure.is_certain() { EventKind::Fail } else { EventKind::Info }, None, None);
            Err(failure)
        }
    }
}

async fn write(app: &App, request: super::forward::Whole, operation: Operation) -> Result<Response, Problem> {
    let (condition, must_exist) = condition(&request.headers)?;
    let request_key = request_key(&request.headers)?;
    if must_exist && request_key.is_some() {
        // A repetition might find another revision, and would be another write.
        let why = "If-Match: * doesn't work with an Idempotency-Key: name the revision";
        return Err(Problem::new(Kind::BadRequest, why));
    }
    let asked = Asked { write: Write { operation, condition, request_key }, must_exist };
    match lead(app, &request, &asked).await? {
        Led::Here(answer) => written(&asked.write, answer),
        Led::There(response) => Ok(response),
    }
}

/// A request that is told of among what the server observes, while somebody follows that. Each try
/// of a write at this server is one; what is handed on is told of by the server that does it. If
/// nobody waits for its end any more, it may have been done.
struct Told<'a> {
    events: &'a Events,
    event: Option<RequestEvent>,
}

impl<'a> Told<'a> {
    fn begin(app: &'a App, event: impl FnOnce() -> RequestEvent) -> Told<'a> {
        let events = &*app.events;
        let mut told = Told { events, event: None };
        if events.is_followed() {
            let event = RequestEvent { client: events.new_client(), ..event() };
            if events.request(event.clone()) {
                told.event = Some(event);
            }
        }
        told
    }

    fn begin_get(app: &'a App, key: &Key) -> Told<'a> {
        Told::begin(app, || RequestEvent::new(OperationKind::Get, key.as_str()))
    }

    fn begin_write(app: &'a App, write: &Write) -> Told<'a> {
        Told::begin(app, || {
            let (operation, value, expected) = match &write.operation {
                Operation::Put { value, .. } => (OperationKind::Put, Some(value), None),
                Operation::Delete { .. } => (OperationKind::Delete, None, None),
                Operation::CompareAndSet { expected, new, .. } => {
                    (OperationKind::CompareAndSet, Some(new), Some(expected))
                }
            };
            RequestEvent {
                value: value.map(|value| in_text(value.as_bytes())),
                expected: expected.map(|value| in_text(value.as_bytes())),
                revision_expected: match write.condition {
                    Condition::Always => None,
                    Condition::Absent => Some(None),
                    Condition::Revision(revision) => Some(Some(revision)),
                },
                request_key: write.request_key.as_ref().map(|key| in_text(key.as_bytes())),
                ..RequestEvent::new(operation, write.operation.key().as_str())
            }
        })
    }

    fn end_write(mut self, answer: &Answer) {
        match answer {
            // What it asks for was done before it began, perhaps; its own effect is none.
            Answer::Done { repeated: true, .. } => {
                if let Some(event) = &mut self.event {
                    event.repeated = true;
                }
                self.end(EventKind::Fail, None, None);
            }
            Answer::Done { outcome, .. } => {
                let found = match outcome {
                    Outcome::Written { replaced } => Some(*replaced),
                    Outcome::Deleted { existed } => Some(*existed),
                    Outcome::Swapped => Some(true),
                    Outcome::NotSwapped { .. } => Some(false),
                    Outcome::Found { .. } => None,
                };
                self.end(EventKind::Ok, None, found);
            }
            Answer::ConditionFailed { .. } | Answer::KeyReused | Answer::Malformed(_) => {
                self.end(EventKind::Fail, None, None);
            }
        }
    }

    fn end(mut self, kind: EventKind, value: Option<&[u8]>, found: Option<bool>) {
        if let Some(event) = self.event.take() {
            let value = value.map(in_text).or_else(|| event.value.clone());
            self.events.request(RequestEvent { kind, value, found, ..event });
        }
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            self.events.request(RequestEvent { kind: EventKind::Info, ..event });
        }
    }
}

/// A value as a history's text: itself if it is one, and what no text begins with otherwise.
fn in_text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("\u{fffd}base64:{}", STANDARD.encode(value)),
    }
}

/// The answer to a write.
fn written(write: &Write, answer: Answer) -> Result<Response, Problem> {
    let (outcome, revision, repeated) = match answer {
        Answer::Done { outcome, revision, repeated } => (outcome, revision, repeated),
        Answer::ConditionFailed { revision: Some(revision) } if write.is_held_by(revision) => {
            return Err(differs(write, None).with("revision", revision));
        }
        Answer::ConditionFailed { revision } => return Err(condition_failed(revision)),
        Answer::KeyReused => {
            let why = "a request with this idempotency key was another one; draw a new key for each request";
            return Err(Problem::new(Kind::KeyReused, why));
        }
        Answer::Malformed(why) => return Err(Problem::new(Kind::Internal, why)),
    };
    let document = match outcome {
        Outcome::Written { replaced } => json!({ "revision": revision, "replaced": replaced }),
        Outcome::Swapped => json!({ "revision": revision, "replaced": true }),
        Outcome::Deleted { existed } => json!({ "revision": revision, "existed": existed }),
        Outcome::NotSwapped { actual } => {
            let Some(value) = actual else {
                let why = format!("the key {:?} has no value", write.operation.key().as_str());
                return Err(Problem::new(Kind::ValueDiffers, why));
            };
            return Err(differs(write, Some(value.as_bytes())).with("revision", revision));
        }
        Outcome::Found { .. } => return Err(Problem::new(Kind::Internal, "a write was answered like a read")),
    };
    let mut response = Json(document).into_response();
    let headers = response.headers_mut();
    if !matches!(outcome, Outcome::Deleted { .. }) {
        headers.insert(header::ETAG, etag(revision));
    }
    if repeated {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// That a key has another value than a write expects. A long one isn't said: such answers are
/// remembered for repetitions, and are kept for clients that don't read them.
fn differs(write: &Write, value: Option<&[u8]>) -> Problem {
    let why = format!("the key {:?} has another value", write.operation.key().as_str());
    match value.filter(|value| value.len() <= Store::REMEMBERED_BYTES_MAX) {
        None => Problem::new(Kind::ValueDiffers, format!("{why}, which is too long to be told here: read it")),
        Some(value) => {
            let mut there = json!({});
            put_value(&mut there, value);
            let mut problem = Problem::new(Kind::ValueDiffers, why);
            for (name, value) in there.as_object().into_iter().flatten() {
                problem = problem.with(name, value.clone());
            }
            problem
        }
    }
}

/// What `If-Match` asks for.
enum Match {
    /// That the key has a value.
    Any,
    /// That this is its revision.
    Revision(u64),
}

impl Match {
    fn of(headers: &HeaderMap) -> Result<Option<Match>, Problem> {
        let Some(tag) = super::header(headers, "if-match")? else { return Ok(None) };
        let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
        match number {
            Some(revision) => Ok(Some(Match::Revision(revision))),
            None if tag == "*" => Ok(Some(Match::Any)),
            None => {
                let why = "If-Match takes one revision in quotes, as ETag gave it (\"12\"), or * for any; not several";
                Err(Problem::new(Kind::BadRequest, why))
            }
        }
    }
}

/// What `If-Match` and `If-None-Match` ask for, and whether the key must have a value besides.
fn condition(headers: &HeaderMap) -> Result<(Condition, bool), Problem> {
    let none = super::header(headers, "if-none-match")?;
    let bad = |why: &str| Err(Problem::new(Kind::BadRequest, why.to_owned()));
    match (Match::of(headers)?, none) {
        (None, None) => Ok((Condition::Always, false)),
        (None, Some("*")) => Ok((Condition::Absent, false)),
        (None, Some(_)) => bad("If-None-Match works with * alone: only if the key has no value"),
        (Some(Match::Revision(revision)), None) => Ok((Condition::Revision(revision), false)),
        (Some(Match::Any), None) => Ok((Condition::Always, true)),
        (Some(_), Some(_)) => bad("give If-Match or If-None-Match, not both"),
    }
}

/// The problem that the key has another revision, or no value.
fn condition_failed(revision: Option<u64>) -> Problem {
    let why = match revision {
        Some(revision) => format!("the key has revision {revision}"),
        None => "the key has no value".to_owned(),
    };
    Problem::new(Kind::PreconditionFailed, why).with("revision", revision)
}

/// The key by which a repetition of this request is recognized.
fn request_key(headers: &HeaderMap) -> Result<Option<RequestKey>, Problem> {
    let Some(text) = super::header(headers, IDEMPOTENCY_KEY.as_str())? else { return Ok(None) };
    // The draft of the header's standard has it in quotes; many clients leave them out.
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    RequestKey::new(text.as_bytes())
        .map(Some)
        .map_err(|error| Problem::new(Kind::BadRequest, format!("the header Idempotency-Key: {error}")))
}
