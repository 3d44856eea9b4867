//! How a server that hands a request on, and the leader that answers it, prove themselves to each
//! other: by the secret that the servers share, as on the connections between peers.
//!
//! The request says from which server it comes, to which one it goes, in which cluster, and has a
//! nonce. Its proof is an authentication code of these and of all of the request that is handed on;
//! the answer's is one of the same, and of the answer. Whoever asks proves itself first: who merely
//! connects gets nothing to guess the secret with. Servers without a secret prove that they mean
//! the same cluster, and nothing more: that keeps apart those that meet by mistake.
//!
//! With a secret, the client's token stays with the server that has looked at it, which says whose
//! it was. Whoever sits in the leader's place doesn't get it.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use http_body_util::{BodyExt, Limited};
use raft_core::raft::ServerId;
use sha2::{Digest, Sha256};

use super::access::Bearer;
use super::forward::{FORWARDED, IDEMPOTENCY_KEY, NOT_DONE};
use super::problem::{Kind, Problem};
use crate::peers::Secrets;

/// The answer's proof.
pub const PROOF: HeaderName = HeaderName::from_static("raftarium-proof");

/// The headers of a request that are handed on, besides the token.
pub(super) const HANDED_ON: [HeaderName; 4] =
    [header::CONTENT_TYPE, header::IF_MATCH, header::IF_NONE_MATCH, IDEMPOTENCY_KEY];

/// The headers of an answer that are handed back.
const HANDED_BACK: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    header::ETAG,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    HeaderName::from_static("idempotent-replayed"),
    NOT_DONE,
];

/// The most bytes of an answer's body: a problem with the largest value in it, all escaped.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The version of all this.
const VERSION: &str = "1";

/// What a request that is handed on says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claims {
    from: ServerId,
    to: ServerId,
    cluster: String,
    /// Whose token the server has seen that hands it on.
    pub(super) bearer: Bearer,
    nonce: String,
    /// The digest of the body, so that a stranger is refused before its body is read.
    content: String,
}

/// A request that has been handed on: what its answer must prove.
pub(super) struct Asked {
    digest: [u8; 32],
}

/// A sum over parts, each with its length.
struct Sum(Sha256);

impl Sum {
    fn new(label: &str) -> Sum {
        Sum(Sha256::new()).and(label.as_bytes())
    }

    fn and(self, part: &[u8]) -> Sum {
        Sum(self.0.chain_update((part.len() as u64).to_be_bytes()).chain_update(part))
    }

    fn and_headers(self, names: &[HeaderName], headers: &HeaderMap) -> Sum {
        names.iter().fold(self, |sum, name| {
            let values: Vec<_> = headers.get_all(name).iter().collect();
            let sum = sum.and(name.as_str().as_bytes()).and(&(values.len() as u64).to_be_bytes());
            values.into_iter().fold(sum, |sum, value| sum.and(value.as_bytes()))
        })
    }

    fn done(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

fn content(body: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(body))
}

fn unproven() -> Problem {
    let why = "the request says that another server hands it on, and doesn't prove it: servers of a cluster have the \
               same name of the cluster, and the same secret";
    Problem::new(Kind::Misdirected, why)
}

impl Claims {
    /// Of a request with this body that goes from one server of the cluster to another.
    ///
    /// # Errors
    /// Without randomness there is no nonce.
    pub(super) fn new(
        from: ServerId,
        to: ServerId,
        cluster: &str,
        bearer: Bearer,
        body: &[u8],
    ) -> Result<Claims, getrandom::Error> {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce)?;
        Ok(Claims { from, to, cluster: cluster.into(), bearer, nonce: STANDARD.encode(nonce), content: content(body) })
    }

    fn digest(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> [u8; 32] {
        let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        Sum::new("raftarium forward 1: request")
            .and(&[self.from.number(), self.to.number()])
            .and(self.cluster.as_bytes())
            .and(self.bearer.name().as_bytes())
            .and(self.nonce.as_bytes())
            .and(method.as_str().as_bytes())
            .and(target.as_bytes())
            .and_headers(&HANDED_ON, headers)
            .and(self.content.as_bytes())
            .done()
    }

    /// The value of [`FORWARDED`], with the proof, and what the answer must prove.
    pub(super) fn sign(
        &self,
        secrets: &Secrets,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> (HeaderValue, Asked) {
        let Claims { from, to, cluster, bearer, nonce, content } = self;
        let digest = self.digest(method, uri, headers);
        let proof = STANDARD.encode(secrets.prove(&[b"request", &digest]));
        let (from, to, bearer) = (from.number(), to.number(), bearer.name());
        let text = format!("{VERSION} {from} {to} {cluster} {bearer} {nonce} {content} {proof}");
        let value = HeaderValue::from_str(&text).expect("a cluster's name is letters, digits, -, _ and .");
        (value, Asked { digest })
    }

    /// Reads the claims of a request, and looks whether they are proven.
    ///
    /// # Errors
    /// The response to what isn't handed on by a server that knows the secret.
    pub(super) fn read(
        secrets: &Secrets,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(Claims, Asked), Problem> {
        let text = super::header(headers, FORWARDED.as_str())?.ok_or_else(unproven)?;
        let fields: Vec<&str> = text.split(' ').collect();
        let [VERSION, from, to, cluster, bearer, nonce, content, proof] = fields[..] else { return Err(unproven()) };
        let server = |text: &str| text.parse().ok().and_then(ServerId::new).ok_or_else(unproven);
        let bearer = Bearer::named(bearer).ok_or_else(unproven)?;
        let claims = Claims {
            from: server(from)?,
            to: server(to)?,
            cluster: cluster.into(),
            bearer,
            nonce: nonce.into(),
            content: content.into(),
        };
        let digest = claims.digest(method, uri, headers);
        let proof = STANDARD.decode(proof).map_err(|_| unproven())?;
        if secrets.is_proof(&[b"request", &digest], &proof) { Ok((claims, Asked { digest })) } else { Err(unproven()) }
    }

    /// Refuses another body than the one that was handed on.
    ///
    /// # Errors
    /// The response that says so.
    pub(super) fn are_of(&self, body: &[u8]) -> Result<(), Problem> {
        if self.content == content(body) { Ok(()) } else { Err(unproven()) }
    }

    /// Refuses what is for another server.
    ///
    /// # Errors
    /// The response that says so.
    pub(super) fn are_for(&self, server: ServerId, cluster: &str) -> Result<(), Problem> {
        if self.to == server && self.cluster == cluster {
            return Ok(());
        }
        let Claims { to, cluster: other, .. } = self;
        let why = format!("the request is for {to} of the cluster {other}, and this is {server} of {cluster}");
        Err(Problem::new(Kind::Misdirected, why))
    }
}

impl Asked {
    fn digest(&self, answer: &http::response::Parts, body: &[u8]) -> [u8; 32] {
        Sum::new("raftarium forward 1: answer")
            .and(&self.digest)
            .and(&answer.status.as_u16().to_be_bytes())
            .and_headers(&HANDED_BACK, &answer.headers)
            .and(body)
            .done()
    }

    /// Gives an answer its proof.
    pub(super) async fn prove(&self, secrets: &Secrets, answer: Response) -> Response {
        let (mut parts, body) = answer.into_parts();
        let body = match Limited::new(body, ANSWER_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            // The other server takes it for an answer that it doesn't understand.
            Err(error) => return Problem::new(Kind::Internal, error.to_string()).into_response(),
        };
        let proof = STANDARD.encode(secrets.prove(&[b"answer", &self.digest(&parts, &body)]));
        parts.headers.insert(PROOF, HeaderValue::from_str(&proof).expect("base64 is printable"));
        Response::from_parts(parts, Body::from(body))
    }

    /// The answer, with nothing in it that isn't proven.
    ///
    /// # Errors
    /// Why it isn't known to be the answer of the server that was asked, in a sentence without its
    /// full stop.
    pub(super) async fn proven<B>(&self, secrets: &Secrets, answer: http::Response<B>) -> Result<Response, String>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (mut parts, body) = answer.into_parts();
        let Some(proof) = parts.headers.get(PROOF).and_then(|proof| STANDARD.decode(proof).ok()) else {
            return Err(format!("it answered {} without a proof that it is that server", parts.status));
        };
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| format!("its answer broke off: {error}"))?.to_bytes();
        if !secrets.is_proof(&[b"answer", &self.digest(&parts, &body)], &proof) {
            return Err(format!("it answered {}, and its proof is wrong", parts.status));
        }
        let mut headers = HeaderMap::new();
        for name in &HANDED_BACK {
            for value in parts.headers.get_all(name) {
                headers.append(name, value.clone());
            }
        }
        parts.headers = headers;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(number: u8) -> ServerId {
        ServerId::new(number).unwrap()
    }

    fn request() -> (Method, Uri, HeaderMap, Bytes) {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static("\"7\""));
        (Method::PUT, "/kv/x?expected=1".parse().unwrap(), headers, Bytes::from_static(b"value"))
    }

    fn signed(secrets: &Secrets) -> ((Method, Uri, HeaderMap, Bytes), Asked) {
        let (method, uri, mut headers, body) = request();
        let claims = Claims::new(server(2), server(1), "mine", Bearer::Client, &body).unwrap();
        let (value, asked) = claims.sign(secrets, &method, &uri, &headers);
        headers.insert(FORWARDED, value);
        ((method, uri, headers, body), asked)
    }

    /// Every part counts, and so does the secret.
    #[test]
    fn a_request_that_was_changed_on_its_way_is_not_proven() {
        let mine = Secrets::of_this_machine("mine");
        let ((method, uri, headers, body), _) = signed(&mine);
        let read = |secrets: &Secrets, method: &Method, uri: &str, headers: &HeaderMap, body: &[u8]| {
            let (claims, _) = Claims::read(secrets, method, &uri.parse().unwrap(), headers)?;
            claims.are_of(body).map(|()| claims)
        };
        let uri = uri.to_string();
        let claims = read(&mine, &method, &uri, &headers, &body).unwrap();
        assert_eq!(claims.bearer, Bearer::Client);
        claims.are_for(server(1), "mine").unwrap();
        for (number, cluster) in [(2, "mine"), (1, "other")] {
            assert_eq!(claims.are_for(server(number), cluster).unwrap_err().kind, Kind::Misdirected);
        }
        let is_refused = |result: Result<Claims, Problem>| assert_eq!(result.unwrap_err().kind, Kind::Misdirected);
        is_refused(read(&Secrets::of_this_machine("other"), &method, &uri, &headers, &body));
        is_refused(read(&mine, &Method::DELETE, &uri, &headers, &body));
        is_refused(read(&mine, &method, "/kv/y?expected=1", &headers, &body));
        is_refused(read(&mine, &method, &uri, &headers, b"other"));
        let mut without = headers.clone();
        without.remove(header::IF_MATCH);
        is_refused(read(&mine, &method, &uri, &without, &body));
        let text = headers[FORWARDED].to_str().unwrap();
        for (from, to) in [("1 2 1 ", "1 3 1 "), ("1 2 1 ", "1 2 3 "), (" client ", " administrator "), ("1 2", "2 2")]
        {
            let mut changed = headers.clone();
            changed.insert(FORWARDED, HeaderValue::from_str(&text.replacen(from, to, 1)).unwrap());
            assert_ne!(changed, headers);
            is_refused(read(&mine, &method, &uri, &changed, &body));
        }
    }

    #[tokio::test]
    async fn an_answer_is_handed_back_only_as_the_leader_gave_it() {
        let mine = Secrets::of_this_machine("mine");
        let ((method, uri, headers, _), asked) = signed(&mine);
        let (_, heard) = Claims::read(&mine, &method, &uri, &headers).unwrap();
        let answer = || ([(header::ETAG, "\"8\"")], "done").into_response();
        let mut proven = heard.prove(&mine, answer()).await;
        proven.headers_mut().insert("set-cookie", HeaderValue::from_static("x"));
        let taken = asked.proven(&mine, proven).await.unwrap();
        assert_eq!(taken.headers()[header::ETAG], "\"8\"");
        assert_eq!(taken.headers().get("set-cookie"), None, "it isn't proven");
        assert_eq!(taken.into_body().collect().await.unwrap().to_bytes(), "done");

        let is_refused = async |asked: &Asked, answer| assert!(asked.proven(&mine, answer).await.is_err());
        is_refused(&asked, answer()).await;
        is_refused(&asked, heard.prove(&Secrets::of_this_machine("other"), answer()).await).await;
        // Another request's answer, though the request was the same.
        is_refused(&signed(&mine).1, heard.prove(&mine, answer()).await).await;
        for change in [
            |answer: &mut Response| *answer.status_mut() = http::StatusCode::CREATED,
            |answer: &mut Response| *answer.body_mut() = Body::from("dome"),
            |answer: &mut Response| drop(answer.headers_mut().remove(header::ETAG)),
            |answer: &mut Response| drop(answer.headers_mut().insert(NOT_DONE, HeaderValue::from_static("1"))),
        ] {
            let mut changed = heard.prove(&mine, answer()).await;
            change(&mut changed);
            is_refused(&asked, changed).await;
        }
    }
}
