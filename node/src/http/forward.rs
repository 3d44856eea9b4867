//! Handing a request to the leader.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use raft_core::raft::ServerId;

use super::App;
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
#[derive(Clone, Debug)]
pub struct Forwarder {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Default for Forwarder {
    fn default() -> Forwarder {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(std::time::Duration::from_secs(1)));
        let mut builder = Client::builder(TokioExecutor::new());
        // A request that was cut off isn't sent again by the library: it may have been done.
        builder.retry_canceled_requests(false).pool_max_idle_per_host(64);
        Forwarder { client: builder.build(connector) }
    }
}

impl Forwarder {
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
        let uri = app.address_of(leader).and_then(|address| format!("http://{address}{path}").parse::<Uri>().ok());
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
        match self.client.request(onward).await {
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
