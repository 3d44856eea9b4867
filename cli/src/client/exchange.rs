//! One request to one server, and what can become of it.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use raft_core::kv;
use serde_json::{Map, Value, json};
use ureq::config::ConfigBuilder;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::typestate::AgentScope;

/// The beginning of a problem's `type`.
const TYPE_PREFIX: &str = "urn:raftarium:problem:";

/// The kind of the problem that a compare-and-set meets which finds another value.
pub const VALUE_DIFFERS: &str = "value-differs";

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// How long a connection may take to come about.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Whether a request that may have arrived may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// It changes nothing.
    Read,
    /// The servers know it by its idempotency key, and do it once.
    Keyed,
    /// It must not be made again.
    Once,
}

/// A request, to any server.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'static str,
    /// Its path and query, percent-encoded.
    pub path: String,
    /// Its headers, beside the token's.
    pub headers: Vec<(&'static str, String)>,
    /// Its body; none for a method that has none.
    pub body: Option<&'a [u8]>,
    /// Whether it may be made again.
    pub safety: Safety,
}

impl Request<'_> {
    /// A read.
    pub fn get(path: String) -> Request<'static> {
        Request { method: "GET", path, headers: Vec::new(), body: None, safety: Safety::Read }
    }
}

/// A request that was done.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The server that answered: `host:port`.
    pub from: String,
    /// The value of `ETag`.
    pub etag: Option<String>,
    /// Whether the servers had done it before, and repeat their answer.
    pub replayed: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// A problem that a server answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Its kind: the end of the document's `type`. Empty if the answer isn't such a document.
    pub kind: String,
    /// The whole document.
    pub document: Map<String, Value>,
    /// The status.
    pub status: u16,
    from: String,
}

impl Problem {
    /// The problem in an answer of the server at `from`.
    pub fn of(from: &str, status: u16, body: &[u8]) -> Problem {
        let document: Map<String, Value> = serde_json::from_slice(body).unwrap_or_default();
        let kind = document.get("type").and_then(Value::as_str).and_then(|name| name.strip_prefix(TYPE_PREFIX));
        Problem { kind: kind.unwrap_or_default().to_owned(), document, status, from: from.to_owned() }
    }

    /// What is wrong, in the server's words. They come from outside: print them escaped.
    pub fn sentence(&self) -> String {
        let text = |name| self.document.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        match text("detail").or(text("title")) {
            Some(detail) if !self.kind.is_empty() => detail.to_owned(),
            _ => format!("{} answers with status {}, and not as a Raftarium server would", self.from, self.status),
        }
    }

    /// Where the leader is reached, if the server says so.
    pub fn leader(&self) -> Option<&str> {
        let address = self.document.get("leader")?.get("http")?.as_str()?;
        // The token goes there: nothing but an address is believed.
        is_address(address).then_some(address)
    }

    /// How long to wait before the request is made again.
    pub fn retry_after(&self) -> Duration {
        let seconds = self.document.get("retry_after").and_then(Value::as_u64).unwrap_or(0);
        Duration::from_secs(seconds.min(60))
    }
}

/// Whether a text is `host:port`.
pub fn is_address(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    text.len() <= 260 && text.chars().all(is_plain) && port.is_some_and(|port| port.parse::<u16>().is_ok_and(|p| p > 0))
}

/// What became of one request to one server.
#[derive(Debug)]
pub enum Outcome {
    /// It was done.
    Done(Answer),
    /// The server answered with a problem.
    Problem(Problem),
    /// It never left: there was no connection.
    NotSent(String),
    /// It may have arrived; there is no answer.
    NoAnswer(String),
}

/// Why a call, with all that was tried for it, didn't do what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A clear no, as the answer to what was asked.
    No(Problem),
    /// The servers refused; the sentence says why.
    Refused(String),
    /// No server could be reached; the sentence says which were tried.
    Unreachable(String),
    /// Whether it was done isn't known.
    Unknown {
        /// Why not.
        why: String,
        /// The key by which the same call can be made again.
        key: Option<String>,
    },
}

impl Failure {
    /// As JSON.
    pub fn document(&self) -> Value {
        match self {
            Failure::No(problem) => {
                let mut document = json!({ "kind": problem.kind, "detail": problem.sentence() });
                for name in ["value", "value_base64", "revision"] {
                    if let Some(value) = problem.document.get(name) {
                        document[name] = value.clone();
                    }
                }
                if problem.kind == VALUE_DIFFERS && !problem.document.contains_key("revision") {
                    (document["value"], document["revision"]) = (Value::Null, Value::Null);
                }
                document
            }
            Failure::Refused(why) => json!({ "kind": "refused", "detail": why }),
            Failure::Unreachable(why) => json!({ "kind": "unreachable", "detail": why }),
            Failure::Unknown { why, key } => json!({ "kind": "unknown-outcome", "detail": why, "key": key }),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::No(problem) => f.write_str(&problem.sentence()),
            Failure::Refused(why) | Failure::Unreachable(why) => f.write_str(why),
            Failure::Unknown { why, key: Some(key) } => write!(
                f,
                "whether it was done isn't known ({why}): read, or make the same call again with --key {key}, \
                 which does it once"
            ),
            Failure::Unknown { why, key: None } => {
                write!(f, "whether it was done isn't known ({why}): look before you ask for it again")
            }
        }
    }
}

/// What makes requests: no proxies, no redirects, a connection for each request.
#[derive(Clone, Debug)]
pub struct Agent {
    scheme: &'static str,
    agent: ureq::Agent,
}

impl Agent {
    /// Speaks plain HTTP.
    pub fn plain() -> Agent {
        Agent { scheme: "http", agent: config().build().into() }
    }

    /// Whether it speaks HTTPS.
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Speaks HTTPS, with servers whose certificates come from the authorities in a PEM file.
    ///
    /// # Errors
    /// What is wrong with the file's content.
    pub fn https(authorities: &[u8]) -> Result<Agent, String> {
        let mut roots = Vec::new();
        for item in parse_pem(authorities) {
            match item {
                Ok(PemItem::Certificate(certificate)) => roots.push(certificate),
                Ok(_) => {}
                Err(error) => return Err(format!("isn't valid PEM: {error}")),
            }
        }
        if roots.is_empty() {
            return Err("holds no certificate, as PEM".to_owned());
        }
        // If there is a provider already, it will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&roots)).build();
        Ok(Agent { scheme: "https", agent: config().tls_config(tls).https_only(true).build().into() })
    }
}

fn config() -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        // A connection that is used again can end at any moment, and then nobody knows whether the
        // request had arrived.
        .max_idle_connections(0)
        .user_agent(concat!("raftarium/", env!("CARGO_PKG_VERSION")))
}

/// Makes a request to the server at `address`, and waits at most `limit`.
pub fn exchange(agent: &Agent, address: &str, token: Option<&str>, request: &Request<'_>, limit: Duration) -> Outcome {
    let response = match open(agent, address, token, request, Limit::Whole(limit)) {
        Ok(response) => response,
        Err(outcome) => return outcome,
    };
    let (parts, body) = response.into_parts();
    let mut bytes = Vec::new();
    let limited = body.into_with_config().limit(ANSWER_BYTES_MAX).reader().read_to_end(&mut bytes);
    if let Err(error) = limited {
        return Outcome::NoAnswer(format!("{address}: the answer broke off: {error}"));
    }
    if !parts.status.is_success() {
        return Outcome::Problem(Problem::of(address, parts.status.as_u16(), &bytes));
    }
    let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    Outcome::Done(Answer {
        from: address.to_owned(),
        etag: header("etag").map(|etag| etag.trim_matches('"').to_owned()),
        replayed: header("idempotent-replayed") == Some("true"),
        body: bytes,
    })
}

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// Until the end of the answer.
    Whole(Duration),
    /// Until the answer begins, and then until something more of it is there. It may have no end.
    Endless {
        /// Until it begins.
        beginning: Duration,
        /// Between two pieces.
        silence: Duration,
    },
}

/// Makes a request, and leaves the answer's body to be read.
pub fn open(
    agent: &Agent,
    address: &str,
    token: Option<&str>,
    request: &Request<'_>,
    limit: Limit,
) -> Result<ureq::http::Response<ureq::Body>, Outcome> {
    let Agent { scheme, agent } = agent;
    let uri = format!("{scheme}://{address}{}", request.path);
    let mut builder = ureq::http::Request::builder().method(request.method).uri(uri);
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    // A value that is too long is refused by its length: a server that doesn't read it to its end
    // would break the connection off, and nobody would know why.
    if request.body.is_some_and(|body| body.len() > kv::Value::BYTES_MAX) {
        builder = builder.header("expect", "100-continue");
    }
    if let Some(token) = token {
        builder = builder.header("authorization", format!("Bearer {token}"));
    }
    let built = builder.body(request.body.unwrap_or_default());
    let built = built.map_err(|error| Outcome::NotSent(format!("the request can't be made: {error}")))?;
    let (whole, beginning, silence) = match limit {
        Limit::Whole(limit) => (Some(limit), None, None),
        Limit::Endless { beginning, silence } => (None, Some(beginning), Some(silence)),
    };
    let connect = whole.or(beginning).map_or(CONNECT_MAX, |limit| limit.min(CONNECT_MAX));
    let config = agent.configure_request(built);
    let configured = config
        .timeout_global(whole)
        .timeout_connect(Some(connect))
        .timeout_recv_response(beginning)
        .timeout_per_read(silence)
        .allow_non_standard_methods(false)
        .build();
    agent.run(configured).map_err(|error| not_done(address, &error))
}

/// What a request without an answer means. Only what certainly happened before the request left
/// counts as not sent.
fn not_done(address: &str, error: &ureq::Error) -> Outcome {
    use ureq::{Error, Timeout};
    let tls = match error {
        Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        Error::Rustls(error) => Some(error),
        _ => None,
    };
    let why = match error {
        _ if let Some(rustls::Error::InvalidCertificate(why)) = tls => {
            format!("its certificate isn't believed ({why:?}): see whether --ca names the right authority")
        }
        _ if let Some(rustls::Error::InvalidMessage(_)) = tls => {
            "it doesn't speak TLS; perhaps it speaks plain HTTP: write http://".to_owned()
        }
        Error::Io(error) => error.to_string(),
        Error::HostNotFound => "no such host".to_owned(),
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => "no connection within the time limit".to_owned(),
        Error::Timeout(_) => "no answer within the time limit".to_owned(),
        other => other.to_string(),
    };
    let why = format!("{address}: {why}");
    let is_not_sent = match error {
        // Certificates are looked at before anything is sent.
        _ if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) => true,
        Error::HostNotFound | Error::ConnectionFailed | Error::BadUri(_) | Error::Http(_) => true,
        Error::Timeout(timeout) => matches!(timeout, Timeout::Connect | Timeout::Resolve),
        Error::Io(error) => matches!(
            error.kind(),
            std::io::ErrorKind::ConnectionRefused
                | std::io::ErrorKind::HostUnreachable
                | std::io::ErrorKind::NetworkUnreachable
                | std::io::ErrorKind::AddrNotAvailable
        ),
        _ => false,
    };
    if is_not_sent { Outcome::NotSent(why) } else { Outcome::NoAnswer(why) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leader_s_address_is_believed_only_if_it_is_one() {
        let problem = |address: &str| {
            Problem::of("x", 503, json!({ "leader": { "server": 1, "http": address } }).to_string().as_bytes())
        };
        for address in ["127.0.0.1:8101", "[::1]:8101", "kv-1.example.org:80"] {
            assert_eq!(problem(address).leader(), Some(address));
        }
        for address in ["", "127.0.0.1", "127.0.0.1:0", "evil@host:1", "host:1/path", "a b:1", ":8101", "x:99999"] {
            assert_eq!(problem(address).leader(), None, "{address}");
        }
    }

    #[test]
    fn an_answer_of_something_else_is_said_to_be_one() {
        let problem = Problem::of("127.0.0.1:80", 502, b"<html>");
        assert_eq!(problem.sentence(), "127.0.0.1:80 answers with status 502, and not as a Raftarium server would");
        assert_eq!(problem.kind, "");
        let problem = Problem::of("x", 404, br#"{"type":"urn:raftarium:problem:no-such-key","detail":"no x"}"#);
        assert_eq!((problem.kind.as_str(), problem.sentence()), ("no-such-key", "no x".into()));
    }
}
