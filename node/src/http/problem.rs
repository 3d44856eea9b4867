//! Errors as problem details (RFC 9457): one table.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value};

use super::forward::NOT_DONE;

/// Declares the kinds of problems: name in code, name in the document's `type`, status, title, and
/// whether the same request may be made again without knowing more.
macro_rules! problems {
    ($($(#[$doc:meta])* $kind:ident $name:literal $status:literal $title:literal $retry:literal;)*) => {
        /// What kind of problem a request met.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// Its name, the end of the document's `type`.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            /// The status of the response.
            pub const fn status(self) -> u16 {
                match self { $(Kind::$kind => $status,)* }
            }

            /// What it is, in a few words that don't depend on the case.
            pub const fn title(self) -> &'static str {
                match self { $(Kind::$kind => $title,)* }
            }

            /// Whether nothing was done and the same request may succeed a moment later.
            pub const fn may_be_retried(self) -> bool {
                match self { $(Kind::$kind => $retry,)* }
            }
        }
    };
}

problems! {
    /// The request itself is wrong.
    BadRequest "bad-request" 400 "the request makes no sense" false;
    /// No token, or a wrong one.
    Unauthorized "unauthorized" 401 "a token is needed" false;
    /// A client's token, where an administrator's is needed.
    Forbidden "forbidden" 403 "an administrator's token is needed" false;
    /// A page of another site asks.
    ForeignOrigin "foreign-origin" 403 "requests of other sites' pages are refused" false;
    /// The server wasn't started as a playground.
    NoPlayground "no-playground" 403 "the server is no playground" false;
    /// Nothing is at this address.
    NoSuchResource "no-such-resource" 404 "nothing is at this address" false;
    /// The key has no value.
    NoSuchKey "no-such-key" 404 "the key has no value" false;
    /// The address exists, and this method doesn't work there.
    MethodNotAllowed "method-not-allowed" 405 "the method doesn't work here" false;
    /// The request came too slowly.
    RequestTimedOut "request-timed-out" 408 "the request took too long to arrive" true;
    /// A membership change that can't be now, or ever.
    MembershipRefused "membership-refused" 409 "the membership was not changed" false;
    /// A compare-and-set by value found another value.
    ValueDiffers "value-differs" 409 "the key has another value" false;
    /// The events from that revision on aren't kept any more.
    RevisionGone "revision-gone" 410 "the events since that revision are gone" false;
    /// A request that another server hands on, and that isn't for this one, or isn't proven.
    Misdirected "misdirected" 421 "the request is for another server" false;
    /// `If-Match` or `If-None-Match` doesn't hold.
    PreconditionFailed "precondition-failed" 412 "the key has another revision" false;
    /// The body, or what is in the address, is too large.
    TooLarge "too-large" 413 "the request is too large" false;
    /// The body is encoded, and would be taken for something else.
    UnknownEncoding "unknown-encoding" 415 "the body's encoding isn't understood here" false;
    /// The client expects what isn't done here.
    ExpectationFailed "expectation-failed" 417 "what the request expects isn't done here" false;
    /// The request's key was used for another request.
    KeyReused "idempotency-key-reused" 422 "this idempotency key belongs to another request" false;
    /// Our own fault.
    Internal "internal" 500 "the server met a fault of its own" false;
    /// More requests wait than this server takes.
    Busy "busy" 503 "too many requests wait here" true;
    /// No leader is known, or the leader can't be reached.
    NoLeader "no-leader" 503 "no leader can be reached" true;
    /// The leader changed while the request was under way; nothing was done.
    LeaderChanged "leader-changed" 503 "the leader changed; nothing was done" true;
    /// The read couldn't be confirmed.
    NotConfirmed "not-confirmed" 503 "the read could not be confirmed" true;
    /// The server is stopping.
    Stopping "stopping" 503 "this server is stopping" true;
    /// Nobody knows whether it was done.
    UnknownOutcome "unknown-outcome" 504 "whether it was done isn't known" false;
    /// The disk is full.
    DiskFull "disk-full" 507 "the disk is full" true;
}

/// The beginning of a problem's `type`.
pub const TYPE_PREFIX: &str = "urn:raftarium:problem:";

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds after which a request may be made again.
const RETRY_AFTER: u64 = 1;

/// A problem, ready to be answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What kind it is.
    pub kind: Kind,
    detail: String,
    more: Map<String, Value>,
    not_done: bool,
}

impl Problem {
    /// A problem of this kind, with a sentence on this case.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem { kind, detail: detail.into(), more: Map::new(), not_done: false }
    }

    /// Tells the server that handed the request on that it may hand it to another one.
    #[must_use]
    pub(super) fn not_done(mut self) -> Problem {
        self.not_done = true;
        self
    }

    /// With another member of the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The document.
    pub fn document(&self) -> Value {
        let mut document = Map::new();
        document.insert("type".into(), format!("{TYPE_PREFIX}{}", self.kind.name()).into());
        document.insert("title".into(), self.kind.title().into());
        document.insert("status".into(), self.kind.status().into());
        document.insert("detail".into(), self.detail.clone().into());
        if self.kind.may_be_retried() {
            document.insert("retry_after".into(), RETRY_AFTER.into());
        }
        document.extend(self.more.clone());
        document.into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = self.document().to_string();
        body.push('\n');
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if self.kind.may_be_retried() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.not_done {
            headers.insert(NOT_DONE, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_an_error_status() {
        let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!((400..600).contains(&kind.status()), "{kind:?}");
            assert!(!kind.may_be_retried() || kind.status() >= 500 || kind.status() == 408, "{kind:?}");
        }
    }

    #[test]
    fn a_doubt_is_never_offered_for_a_retry() {
        assert!(!Kind::UnknownOutcome.may_be_retried());
        let document = Problem::new(Kind::UnknownOutcome, "x").document();
        assert_eq!(document.get("retry_after"), None);
        assert_eq!(document["type"], "urn:raftarium:problem:unknown-outcome");
    }
}
