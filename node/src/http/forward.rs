//! Handing a request to the leader.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use raft_core::raft::ServerId;
use rustls::{ClientConfig, RootCertStore};

use super::App;
use super::tls::{Https, trusting};
use crate::driver::{Doubt, Failure};

/// Says that a request comes from another server, which won't be handed on once more.
pub const FORWARDED: HeaderName = HeaderName::from_static("raftarium-forwarded");

/// The headers that are handed on.
const HANDED_ON: [HeaderName; 5] =
    [header::AUTHORIZATION, header::CONTENT_TYPE, header::IF_MATCH, header::IF_NONE_MATCH, IDEMPOTENCY_KEY];

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
    /// Whether it may have reached the leader that it was handed to last.
    left: AtomicBool,
}

impl Whole {
    /// A request in one piece.
    pub fn new(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Whole {
        Whole { method, uri, headers, body, left: AtomicBool::new(false) }
    }
}

/// Keeps connections to other servers' APIs.
#[derive(Debug)]
pub struct Forwarder {
    https: Option<Https>,
    made: Mutex<Made>,
}

/// Keeps connections that are made with one configuration.
#[derive(Clone, Debug)]
struct Made {
    with: Arc<ClientConfig>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Made {
    fn with(with: Arc<ClientConfig>) -> Made {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(std::time::Duration::from_secs(1)));
        let connector = HttpsConnector::from((connector, Arc::clone(&with)));
        let mut builder = Client::builder(TokioExecutor::new());
        // A request that was cut off isn't sent again by the library: it may have been done.
        builder.retry_canceled_requests(false).pool_max_idle_per_host(64);
        Made { with, client: builder.build(connector) }
    }
}

impl Forwarder {
    /// Speaks HTTPS with the other servers if this server has it, and plain HTTP otherwise: all
    /// servers of a cluster have it or none.
    pub fn new(https: Option<Https>) -> Forwarder {
        // Plain connections verify nothing.
        let with = https.as_ref().map_or_else(|| Arc::new(trusting(RootCertStore::empty())), Https::client);
        Forwarder { https, made: Mutex::new(Made::with(with)) }
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
                *made = Made::with(current);
            }
        }
        made.client.clone()
    }

    /// Hands a request to the leader, and its answer back.
    ///
    /// # Errors
    /// [`Failure::NotLeader`] if it is certain that nothing arrived, or that the other server did
    /// nothing because it doesn't lead.
    pub async fn forward(&self, app: &App, leader: ServerId, request: &Whole) -> Result<Response, Failure> {
        let nobody = Failure::NotLeader { leader: None };
        if request.headers.contains_key(FORWARDED) {
            return Err(nobody);
        }
        let path = request.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let scheme = self.scheme();
        let uri = app.address_of(leader).and_then(|address| format!("{scheme}://{address}{path}").parse::<Uri>().ok());
        let Some(uri) = uri else { return Err(nobody) };
        let mut onward = http::Request::new(Full::new(request.body.clone()));
        *onward.method_mut() = request.method.clone();
        *onward.uri_mut() = uri;
        for name in HANDED_ON {
            for value in request.headers.get_all(&name) {
                onward.headers_mut().append(&name, value.clone());
            }
        }
        onward.headers_mut().insert(FORWARDED, HeaderValue::from(u16::from(app.server.number())));
        request.left.store(true, Ordering::Relaxed);
        match self.client().request(onward).await {
            Ok(response) if response.headers().contains_key(NOT_DONE) => {
                request.left.store(false, Ordering::Relaxed);
                Err(nobody)
            }
            Ok(response) => Ok(response.map(Body::new)),
            Err(error) if error.is_connect() => {
                request.left.store(false, Ordering::Relaxed);
                Err(nobody)
            }
            Err(_) => Err(Failure::Unknown(Doubt::LeaderSilent)),
        }
    }

    /// Whether the request may be on its way to a leader, or done by it.
    pub fn has_left(&self, request: &Whole) -> bool {
        request.left.load(Ordering::Relaxed)
    }
}

/// Says to the server that handed a request on: nothing was done, because this server doesn't lead.
pub const NOT_DONE: HeaderName = HeaderName::from_static("raftarium-not-done");
