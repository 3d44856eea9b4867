//! Handing a request to the leader.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use raft_core::raft::ServerId;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use serde_json::Value;

use super::access::Bearer;
use super::problem::{Kind, Problem};
use super::proof::{Asked, Claims, HANDED_ON};
use super::tls::{Https, trusting};
use super::trouble::{Subject, Trouble};
use super::{App, shortened, with_leader};
use crate::driver::{Doubt, Failure};
use crate::peers::Secrets;

/// Says that a request comes from another server, and proves it ([`proof`](super::proof)). It won't
/// be handed on once more.
pub const FORWARDED: HeaderName = HeaderName::from_static("raftarium-forwarded");

/// The header with a request's key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request that has arrived whole.
pub struct Whole {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Whose token it had.
    bearer: Bearer,
    /// Whether it may have reached the leader that it was handed to last.
    left: AtomicBool,
}

impl Whole {
    /// A request in one piece.
    pub fn new(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Whole {
        Whole { method, uri, headers, body, bearer: Bearer::Anyone, left: AtomicBool::new(false) }
    }

    /// With what is known of its token.
    #[must_use]
    pub fn of(self, bearer: Option<Bearer>) -> Whole {
        Whole { bearer: bearer.unwrap_or(Bearer::Anyone), ..self }
    }
}

/// Why a request isn't done yet.
pub enum Hindrance {
    /// What this server knows of it.
    Failure(Failure),
    /// Nothing was done, and this is the answer if it stays so.
    Answer(Response),
}

/// Why a server gave no document.
pub(super) enum Silence {
    /// HTTPS where this server speaks plain HTTP, or the reverse.
    SpeaksOtherwise,
    /// Anything else, in words.
    NoAnswer(String),
}

/// How long a leader may take to answer a greeting.
const GREETING_MAX: Duration = Duration::from_secs(2);

/// The largest document that is read of another server.
const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// Whether the other side answered the beginning of TLS with something else.
fn is_plain(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)) = error.downcast_ref() {
            return true;
        }
        cause = inner(error);
    }
    false
}

/// What a person can make the most of: the last cause. The same cause has the same words at every
/// time.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = inner(last) {
        last = cause;
    }
    match last.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { .. })) => {
            "its certificate has expired".into()
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { .. })) => {
            "its certificate isn't valid yet".into()
        }
        _ => last.to_string(),
    }
}

/// What caused an error. One of input or output holds its cause, and names that one's cause as its
/// own.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(held) => Some(held),
        None => error.source(),
    }
}

/// Keeps connections to other servers' APIs.
#[derive(Debug)]
pub struct Forwarder {
    pub(super) secrets: Secrets,
    /// Where the leader was met last: it speaks what this server speaks.
    met: Mutex<Option<String>>,
    /// Why the leader can't be handed anything.
    trouble: Mutex<Trouble>,
    https: Option<Https>,
    idle_max: Duration,
    made: Mutex<Made>,
}

/// How long a connection to another server is kept while nothing is sent on it. That server closes
/// it when it has heard nothing for its [`Limits::arrival`](super::Limits): if it did so just when
/// a request is sent, nobody would know whether the request arrived.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Keeps connections that are made with one configuration.
#[derive(Clone, Debug)]
struct Made {
    with: Arc<ClientConfig>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Made {
    fn with(with: Arc<ClientConfig>, idle_max: Duration) -> Made {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(1)));
        let connector = HttpsConnector::from((connector, Arc::clone(&with)));
        let mut builder = Client::builder(TokioExecutor::new());
        // The library sends a request again only if none of it was written, since the connection
        // had been closed meanwhile. A request that was cut off isn't: it may have been done.
        builder.retry_canceled_requests(true).pool_max_idle_per_host(64).pool_idle_timeout(idle_max);
        Made { with, client: builder.build(connector) }
    }
}

impl Forwarder {
    /// Speaks HTTPS with the other servers if this server has it, and plain HTTP otherwise: all
    /// servers of a cluster have it or none. Proves itself by the secrets that they share.
    pub fn new(https: Option<Https>, secrets: Secrets) -> Forwarder {
        Forwarder::with_idle_max(https, secrets, IDLE_MAX)
    }

    fn with_idle_max(https: Option<Https>, secrets: Secrets, idle_max: Duration) -> Forwarder {
        // Plain connections verify nothing.
        let with = https.as_ref().map_or_else(|| Arc::new(trusting(RootCertStore::empty())), Https::client);
        let made = Mutex::new(Made::with(with, idle_max));
        Forwarder { secrets, met: Mutex::default(), trouble: Mutex::default(), https, idle_max, made }
    }

    const fn scheme(&self) -> &'static str {
        if self.https.is_some() { "https" } else { "http" }
    }

    /// What makes requests; a new one when the authority was read again.
    fn client(&self) -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(https) = &self.https {
            let current = https.client();
            if !Arc::ptr_eq(&current, &made.with) {
                *made = Made::with(current, self.idle_max);
            }
        }
        made.client.clone()
    }

    /// Hands a request to the leader, and its answer back. A leader that wasn't met yet is greeted
    /// before it gets anything: as long as it can't be reached, it is certain that nothing was
    /// done. And one that speaks HTTPS where this server doesn't can't prove that it does.
    ///
    /// # Errors
    /// [`Failure::NotLeader`], or an answer, if it is certain that nothing arrived, or that the
    /// other server did nothing; [`Failure::Unknown`] if it gave no answer that it has proved.
    pub async fn forward(&self, app: &App, leader: ServerId, request: &Whole) -> Result<Response, Hindrance> {
        let nobody = Hindrance::Failure(Failure::NotLeader { leader: None });
        if request.headers.contains_key(FORWARDED) {
            return Err(nobody);
        }
        let path = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let Some(address) = app.address_of(leader) else { return Err(nobody) };
        let Ok(uri) = format!("{}://{address}{path}", self.scheme()).parse::<Uri>() else { return Err(nobody) };
        if !self.has_met(&address) {
            match self.greet(app, leader, &address).await {
                Ok(()) => {}
                Err(Silence::SpeaksOtherwise) => return Ok(self.speaks_otherwise(app, leader).into_response()),
                Err(Silence::NoAnswer(why)) => {
                    return Err(self.unreachable(app, format!("{leader} leads, but can't be reached: {why}")));
                }
            }
        }
        let mut onward = http::Request::new(Full::new(request.body.clone()));
        *onward.method_mut() = request.method.clone();
        *onward.uri_mut() = uri;
        for name in HANDED_ON {
            for value in request.headers.get_all(&name) {
                onward.headers_mut().append(&name, value.clone());
            }
        }
        let signed = self.sign(app, leader, request.bearer, &mut onward, &request.body);
        let Ok(asked) = signed else { return Err(nobody) };
        if !self.secrets.are_secret() {
            // Then a proof is worth nothing against strangers, and the token is looked at there.
            for value in request.headers.get_all(header::AUTHORIZATION) {
                onward.headers_mut().append(header::AUTHORIZATION, value.clone());
            }
        }
        request.left.store(true, Ordering::Relaxed);
        match self.client().request(onward).await {
            Err(error) if error.is_connect() && is_plain(&error) => {
                request.left.store(false, Ordering::Relaxed);
                Ok(self.speaks_otherwise(app, leader).into_response())
            }
            Ok(response) => match asked.proven(&self.secrets, response).await {
                Ok(mut response) => {
                    if response.headers_mut().remove(NOT_DONE).is_none() {
                        self.tell(None);
                        return Ok(response);
                    }
                    request.left.store(false, Ordering::Relaxed);
                    if response.status() == StatusCode::MISDIRECTED_REQUEST {
                        let why = format!("{leader} leads, but another server answers at its address");
                        return Err(self.unreachable(app, why));
                    }
                    Err(Hindrance::Answer(response))
                }
                Err(why) => {
                    // It may be another one now, and speak otherwise.
                    self.meet(None);
                    self.tell(Some(format!("who answers for {leader} hasn't proved to be {leader}: {why}")));
                    Err(Hindrance::Failure(Failure::Unknown(Doubt::LeaderUnproven)))
                }
            },
            Err(error) if error.is_connect() => {
                request.left.store(false, Ordering::Relaxed);
                let why = format!("{leader} leads, but can't be reached: {}", innermost(&error));
                Err(self.unreachable(app, why))
            }
            Err(error) => {
                self.tell(Some(format!("{leader} was handed a request, and didn't answer: {}", innermost(&error))));
                Err(Hindrance::Failure(Failure::Unknown(Doubt::LeaderSilent)))
            }
        }
    }

    /// Proves by whom a request is sent to another server. Returns what its answer must prove.
    ///
    /// # Errors
    /// Without randomness there is no proof.
    fn sign(
        &self,
        app: &App,
        to: ServerId,
        bearer: Bearer,
        request: &mut http::Request<Full<Bytes>>,
        body: &[u8],
    ) -> Result<Asked, getrandom::Error> {
        let claims = Claims::new(app.server, to, &app.cluster, bearer, body)?;
        let (claims, asked) = claims.sign(&self.secrets, request.method(), request.uri(), request.headers());
        request.headers_mut().insert(FORWARDED, claims);
        Ok(asked)
    }

    /// Notes that the leader speaks HTTPS and this server doesn't, or the reverse. Returns what
    /// clients are told, whose requests can't be handed on.
    fn speaks_otherwise(&self, app: &App, leader: ServerId) -> Problem {
        let (there, here) = if self.https.is_some() { ("plain HTTP", "HTTPS") } else { ("HTTPS", "plain HTTP") };
        let why = format!(
            "{leader}, which leads, speaks {there} with clients, and this server {here}, so that it can't hand requests \
             on: all servers of a cluster speak HTTPS, or none does; start the one anew that isn't as the others \
             (--http-tls-cert, --http-tls-key, --http-tls-ca)"
        );
        app.troubles.set(Subject::Scheme, Some(why.clone()));
        with_leader(app, Problem::new(Kind::NoLeader, format!("{why}; nothing was done")))
    }

    /// Whether the leader was met at this address, and speaks HTTPS if this server does, and plain
    /// HTTP otherwise.
    pub(super) fn has_met(&self, address: &str) -> bool {
        self.met.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(address)
    }

    fn meet(&self, address: Option<&str>) {
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = address.map(str::to_owned);
    }

    /// Looks whether the leader speaks HTTPS if this server does, and plain HTTP otherwise.
    ///
    /// # Errors
    /// If it doesn't, or isn't there.
    pub(super) async fn greet(&self, app: &App, leader: ServerId, address: &str) -> Result<(), Silence> {
        let greeted = self.ask(None, address, "/healthz", None, GREETING_MAX).await.map(|_| ());
        self.meet(greeted.is_ok().then_some(address));
        match &greeted {
            Ok(()) => app.troubles.set(Subject::Scheme, None),
            Err(Silence::SpeaksOtherwise) => drop(self.speaks_otherwise(app, leader)),
            // It isn't there yet, say: it is asked again.
            Err(Silence::NoAnswer(_)) => {}
        }
        greeted
    }

    /// What a server of this cluster says of itself to clients at this address. It lets itself be
    /// asked by the secret, and proves itself by it; without a secret, by the header
    /// `authorization`.
    ///
    /// # Errors
    /// Why it isn't known to be there.
    pub(super) async fn status(
        &self,
        app: &App,
        server: ServerId,
        address: &str,
        authorization: Option<&HeaderValue>,
        time_max: Duration,
    ) -> Result<Value, String> {
        let (status, body) = match self.ask(Some((app, server)), address, "/status", authorization, time_max).await {
            Ok(answer) => answer,
            Err(Silence::NoAnswer(why)) => return Err(why),
            Err(Silence::SpeaksOtherwise) => {
                let there = if self.https.is_some() { "plain HTTP" } else { "HTTPS" };
                return Err(format!("it speaks {there} there, and the cluster doesn't"));
            }
        };
        if status == StatusCode::MISDIRECTED_REQUEST {
            return Err("another server answers there".into());
        }
        if !status.is_success() {
            return Err(format!("who answers there doesn't say who it is ({status})"));
        }
        let document: Value = serde_json::from_slice(&body).unwrap_or_default();
        match (document["cluster"].as_str(), document["server"].as_u64()) {
            (Some(cluster), Some(number)) if cluster == app.cluster && number == u64::from(server.number()) => {
                Ok(document)
            }
            (Some(cluster), Some(number)) => Err(format!("S{number} of cluster {} answers there", shortened(cluster))),
            _ => Err("who answers there is no server of Raftarium".into()),
        }
    }

    /// Asks a server for a document.
    async fn ask(
        &self,
        whom: Option<(&App, ServerId)>,
        address: &str,
        path: &str,
        authorization: Option<&HeaderValue>,
        time_max: Duration,
    ) -> Result<(StatusCode, Bytes), Silence> {
        let uri = format!("{}://{address}{path}", self.scheme()).parse::<Uri>();
        let uri = uri.map_err(|error| Silence::NoAnswer(error.to_string()))?;
        let mut request = http::Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = uri;
        let mut proves = None;
        if let Some((app, server)) = whom.filter(|_| self.secrets.are_secret()) {
            let signed = self.sign(app, server, Bearer::Administrator, &mut request, b"");
            proves = Some(signed.map_err(|error| Silence::NoAnswer(error.to_string()))?);
        } else if let Some(authorization) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        let client = self.client();
        let asked = async {
            let response = client.request(request).await.map_err(|error| {
                if is_plain(&error) { Silence::SpeaksOtherwise } else { Silence::NoAnswer(innermost(&error)) }
            })?;
            if response.headers().contains_key(SPEAKS_HTTPS) {
                return Err(Silence::SpeaksOtherwise);
            }
            let response = match proves {
                Some(asked) => asked.proven(&self.secrets, response).await.map_err(Silence::NoAnswer)?,
                None => response.map(Body::new),
            };
            let status = response.status();
            let body = Limited::new(response.into_body(), DOCUMENT_BYTES_MAX).collect().await;
            let body = body.map_err(|error| Silence::NoAnswer(error.to_string()))?;
            Ok((status, body.to_bytes()))
        };
        match tokio::time::timeout(time_max, asked).await {
            Ok(asked) => asked,
            Err(_) => Err(Silence::NoAnswer(format!("nothing came within {} ms", time_max.as_millis()))),
        }
    }

    /// Nothing was done, since the leader isn't there. The next request greets it first.
    fn unreachable(&self, app: &App, why: String) -> Hindrance {
        self.meet(None);
        let problem = with_leader(app, Problem::new(Kind::NoLeader, format!("{why}; nothing was done")));
        self.tell(Some(why));
        Hindrance::Answer(problem.into_response())
    }

    /// Says what is wrong with handing requests on, if anything is.
    fn tell(&self, why: Option<String>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.set(why.map(|why| format!("a request can't be handed on: {why}")));
    }

    /// Whether the request may be on its way to a leader, or done by it.
    pub fn has_left(&self, request: &Whole) -> bool {
        request.left.load(Ordering::Relaxed)
    }
}

/// Says to the server that handed a request on: nothing was done, because this server doesn't lead.
pub const NOT_DONE: HeaderName = HeaderName::from_static("raftarium-not-done");

/// Says with the answer to plain HTTP that the port speaks HTTPS. Nothing proves it: it is a hint
/// for a server that hasn't handed anything on yet.
pub const SPEAKS_HTTPS: HeaderName = HeaderName::from_static("raftarium-speaks-https");

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use rustls::pki_types::UnixTime;

    use super::*;

    /// Reads one request without a body, and answers it.
    fn answer(stream: &mut TcpStream) {
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a whole request");
            read.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").expect("it is written");
    }

    /// Two requests, one after the other: what becomes of the second if the connection of the first
    /// was closed in the same moment.
    async fn ask_after_a_close(forwarder: &Forwarder) -> Result<Bytes, hyper_util::client::legacy::Error> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (close, is_closed) = std::sync::mpsc::channel::<()>();
        let first = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            answer(&mut stream);
            is_closed.recv().unwrap();
            drop(stream);
            listener
        });
        let ask = async || {
            let mut request = http::Request::new(Full::new(Bytes::new()));
            *request.uri_mut() = format!("http://{address}/").parse().unwrap();
            let response = forwarder.client().request(request).await?;
            Ok::<_, hyper_util::client::legacy::Error>(response.into_body().collect().await.unwrap().to_bytes())
        };
        assert_eq!(ask().await.unwrap(), "ok");
        // The library's own tasks put the connection aside, for the next request.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        // Waited for without letting the runtime see that the connection is closed.
        close.send(()).unwrap();
        let listener = first.join().unwrap();
        let second = thread::spawn(move || answer(&mut listener.accept().unwrap().0));
        let answered = ask().await;
        if answered.is_err() {
            // Nobody has connected again.
            drop(TcpStream::connect(address));
            let _ = second.join();
        } else {
            second.join().unwrap();
        }
        answered
    }

    /// This is how a write came to be in doubt without any fault. So no connection may become as
    /// old as the other server lets it.
    #[tokio::test]
    async fn a_request_isnt_in_doubt_if_idle_connections_are_let_go_before_they_are_closed() {
        let error = ask_after_a_close(&Forwarder::new(None, Secrets::of_this_machine("test")))
            .await
            .expect_err("it was written, perhaps");
        assert!(!error.is_connect(), "{error}");
        let secrets = Secrets::of_this_machine("test");
        let careful = Forwarder::with_idle_max(None, secrets, Duration::from_nanos(1));
        assert_eq!(ask_after_a_close(&careful).await.expect("it takes another connection"), "ok");
    }

    /// Or the log says it anew each second.
    #[test]
    fn the_same_cause_has_the_same_words_at_every_time() {
        let at = |second| UnixTime::since_unix_epoch(Duration::from_secs(second));
        let expired = |time| {
            let why = CertificateError::ExpiredContext { time: at(time), not_after: at(1) };
            innermost(&std::io::Error::other(rustls::Error::InvalidCertificate(why)))
        };
        assert_eq!(expired(2), expired(3));
        assert!(expired(2).contains("expired"), "{}", expired(2));
    }

    /// The side that sends must be the one that lets an idle connection go.
    #[test]
    fn idle_connections_are_let_go_long_before_the_other_side_closes_them() {
        assert!(2 * IDLE_MAX <= crate::http::Limits::default().arrival);
    }
}
