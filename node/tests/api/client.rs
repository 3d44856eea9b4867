//! Servers on free ports, and a client of theirs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{HeaderMap, Method};
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use raft_core::raft::ServerId;
use raftarium_node::driver::Handle;
use raftarium_node::http::Limits;
use raftarium_node::machine::{Address, Addresses};
use raftarium_node::server::{NewFolder, Options, Reloader, Server, ServerError};
use raftarium_node::store::Hosted;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a test waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server that stops waits for requests, where a test makes one then: much longer than
/// that takes, and less than such a server waits for all connections.
pub const LAST_REQUEST: Duration = Duration::from_millis(2_500);

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The problem's name.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let json = self.json();
        assert_eq!(json["status"], self.status);
        json["type"].as_str().unwrap().strip_prefix("urn:raftarium:problem:").unwrap().to_owned()
    }

    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap().to_owned()
    }
}

/// What makes requests, by HTTPS too if it knows an authority.
pub fn client<B>(authority: Option<&Path>) -> Client<HttpsConnector<HttpConnector>, B>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    Client::builder(TokioExecutor::new()).build(HttpsConnector::from((connector, trusting(authority))))
}

/// Believes servers whose certificates come from this authority.
pub fn trusting<'a>(authority: impl Into<Option<&'a Path>>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in authority.into().into_iter().flat_map(|path| CertificateDer::pem_file_iter(path).unwrap()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    config.with_root_certificates(roots).with_no_client_auth()
}

/// A server that runs.
pub struct Running {
    pub url: String,
    /// The authority by which its certificate is judged, if it speaks HTTPS.
    pub authority: Option<PathBuf>,
    pub reloader: Reloader,
    pub handle: Handle<Hosted>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServerError>>,
}

impl Running {
    pub async fn stop(mut self) {
        let _ = self.stop.take().unwrap().send(());
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap().unwrap();
    }

    /// Waits until nobody can connect to it any more.
    pub async fn is_closed(url: &str) {
        let address = url.rsplit_once('/').unwrap().1;
        let closed = async { while TcpStream::connect(address).await.is_ok() {} };
        tokio::time::timeout(PATIENCE, closed).await.expect("it takes no more connections");
    }

    /// Waits until it has ended by itself.
    pub async fn ended(self) -> Result<(), ServerError> {
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap()
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(bytes::Bytes::copy_from_slice(body))).unwrap();
        let client = client(self.authority.as_deref());
        let response = tokio::time::timeout(PATIENCE, client.request(request)).await.unwrap().unwrap();
        let (parts, body) = response.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes().to_vec();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], b"").await
    }

    pub async fn put(&self, path: &str, body: &str) -> Answer {
        self.ask(Method::PUT, path, &[], body.as_bytes()).await
    }

    pub async fn wait_until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let waits = async {
            loop {
                let status = self.get("/status").await.json();
                if holds(&status) {
                    return status;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waits).await.unwrap_or_else(|_| panic!("{what}"))
    }
}

pub fn options(folder: &Path, number: u8, members: &Addresses) -> Options {
    let own = members.get(&number);
    let address = |address: Option<&String>| address.map_or("127.0.0.1:0", String::as_str).parse().unwrap();
    Options {
        server: ServerId::new(number).unwrap(),
        cluster: "test".into(),
        folder: folder.join(number.to_string()),
        peer_listen: address(own.map(|own| &own.peer)),
        http_listen: address(own.map(|own| &own.http)),
        members: members.clone(),
        founding: Some(NewFolder::Found),
        secret: None,
        tls: None,
        https: None,
        client_tokens: None,
        administrator_tokens: None,
        election_timeout: Duration::from_millis(300),
        heartbeat: Duration::from_millis(50),
        // Few tests care, and all stop their servers.
        limits: Limits { last_request: Duration::from_millis(50), ..Limits::default() },
        playground: true,
    }
}

/// Addresses on ports that are free now.
pub fn free_addresses(count: u8) -> Addresses {
    let listen = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners: Vec<_> = (0..count).map(|_| (listen(), listen())).collect();
    let address = |listener: &std::net::TcpListener| listener.local_addr().unwrap().to_string();
    let addresses = listeners.iter().map(|(peer, http)| Address { peer: address(peer), http: address(http) });
    (1..).zip(addresses).collect()
}

pub async fn start(options: Options) -> Running {
    let authority = options.https.as_ref().map(|files| files.authority.clone());
    let server = Server::start(options).await.unwrap_or_else(|error| panic!("{error}"));
    let scheme = if authority.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", server.http_address());
    let (reloader, handle) = (server.reloader(), server.handle().clone());
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Running { url, authority, reloader, handle, stop: Some(stop), task }
}

/// One server that leads itself.
pub async fn alone() -> (TempDir, Running) {
    alone_with(|_| {}).await
}

pub async fn alone_with(change: impl FnOnce(&mut Options)) -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path(), 1, &Addresses::new());
    change(&mut options);
    let server = start(options).await;
    (folder, server)
}

/// Several servers, one of which leads; it is the first one returned.
pub async fn several(count: u8) -> (TempDir, Addresses, Vec<Running>) {
    several_with(count, |_| {}).await
}

/// The same, with other options.
pub async fn several_with(count: u8, change: impl Fn(&mut Options)) -> (TempDir, Addresses, Vec<Running>) {
    let folder = tempfile::tempdir().unwrap();
    let members = free_addresses(count);
    let mut servers = Vec::new();
    for number in 1..=count {
        let mut options = options(folder.path(), number, &members);
        change(&mut options);
        servers.push(start(options).await);
    }
    let status = servers[0].wait_until("a leader", |status| status["is_ready"] == true).await;
    let leader = status["leader"]["server"].as_u64().unwrap() as usize - 1;
    servers.swap(0, leader);
    (folder, members, servers)
}
