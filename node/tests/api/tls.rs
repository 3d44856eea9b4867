//! HTTPS between clients and servers, and from a follower to the leader.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::Empty;
use raftarium_node::http::HttpsFiles;
use raftarium_node::server::Options;
use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::authority::{certify, new_authority};
use super::client::{
    LAST_REQUEST, PATIENCE, Running, alone_with, client, free_addresses, options, several_with, start, trusting,
};
use super::forward::move_leader;
use super::streams::Stream;

/// An authority, and the files of a server whose certificate comes from it.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let folder = tempfile::tempdir().unwrap();
        let issuer = new_authority(&folder.path().join("authority.pem"));
        let authority = Authority { folder, issuer };
        authority.renew(&authority.files());
        authority
    }

    fn files(&self) -> HttpsFiles {
        let path = |name: &str| -> PathBuf { self.folder.path().join(name) };
        HttpsFiles { certificate: path("certificate.pem"), key: path("key.pem"), authority: path("authority.pem") }
    }

    /// Writes a new certificate of this authority into these files.
    fn renew(&self, files: &HttpsFiles) {
        self.renew_with(files, |_| {});
    }

    fn renew_with(&self, files: &HttpsFiles, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        certify(&params, &self.issuer, &files.certificate, &files.key);
    }
}

/// Whether a client that believes this authority alone gets an answer.
async fn is_believed(server: &Running, authority: &Path) -> Result<(), String> {
    let request = http::Request::builder().uri(format!("{}/healthz", server.url)).body(Empty::<Bytes>::new()).unwrap();
    let answer = tokio::time::timeout(PATIENCE, client(Some(authority)).request(request)).await.unwrap();
    match answer {
        Ok(response) => {
            assert_eq!(response.status(), 200);
            Ok(())
        }
        Err(error) => Err(format!("{error:?}")),
    }
}

#[tokio::test]
async fn requests_and_streams_go_by_https_and_so_does_what_is_handed_on() {
    let authority = Authority::new();
    let (_folder, _, servers) = several_with(3, |options| options.https = Some(authority.files())).await;
    assert!(servers[0].url.starts_with("https://"));
    let revision = servers[0].put("/kv/x", "to the leader").await.json()["revision"].as_u64().unwrap();
    let mut watch = Stream::open(&servers[2], &format!("/watch?from={revision}")).await;
    assert!(watch.event().await.contains("to the leader"));
    let handed_on = servers[1].put("/kv/x", "to a follower").await;
    assert_eq!(handed_on.status, 200, "{}", handed_on.text());
    assert!(watch.event().await.contains("to a follower"));
    assert_eq!(servers[2].get("/kv/x").await.text(), "to a follower");
    for server in servers {
        server.stop().await;
    }
}

/// A follower hands nothing on to a leader whose certificate it doesn't believe, and nothing is
/// said to be unknown then: it never left.
#[tokio::test]
async fn a_leader_with_a_certificate_of_another_authority_is_not_believed() {
    let (ours, other) = (Authority::new(), Authority::new());
    let trusted = ours.folder.path().join("trusted.pem");
    let trust = |authority: &Authority| std::fs::copy(authority.files().authority, &trusted).unwrap();
    trust(&ours);
    let (_folder, _, mut servers) = several_with(2, |options| {
        options.https = Some(HttpsFiles { authority: trusted.clone(), ..ours.files() });
        options.limits.request = Duration::from_secs(1);
    })
    .await;
    for server in &mut servers {
        server.authority = Some(ours.files().authority);
    }
    trust(&other);
    assert!(servers[1].reloader.reload().is_empty());
    let refused = servers[1].put("/kv/x", "1").await;
    assert_eq!((refused.status, refused.problem()), (503, "no-leader".into()), "{}", refused.text());
    assert!(refused.detail().contains("can't be reached: invalid peer certificate"), "{}", refused.detail());
    assert_eq!(servers[0].get("/kv/x").await.status, 404);
    trust(&ours);
    assert!(servers[1].reloader.reload().is_empty());
    assert_eq!(servers[1].put("/kv/x", "1").await.status, 200);
    for server in servers {
        server.stop().await;
    }
}

/// Nobody at the leader's address gets as far as a connection: it is certain that nothing was done.
#[tokio::test]
async fn a_request_has_not_left_as_long_as_the_leader_was_not_met() {
    let authority = Authority::new();
    let (_folder, _, servers) = several_with(2, |options| {
        options.https = Some(authority.files());
        options.election_timeout = Duration::from_secs(2);
        options.limits.request = Duration::from_millis(700);
    })
    .await;
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    move_leader(&servers, &[], &mute.local_addr().unwrap().to_string()).await;
    let refused = servers[1].put("/kv/x", "1").await;
    assert_eq!((refused.status, refused.problem()), (503, "no-leader".into()), "{}", refused.text());
    assert_eq!(servers[0].get("/kv/x").await.status, 404);
    for server in servers {
        server.stop().await;
    }
}

/// A server that was started without its certificate, or with one where the others have none.
/// Clients' addresses are right then: they aren't told to change them.
#[tokio::test]
async fn servers_of_which_one_speaks_https_and_another_doesnt_say_so() {
    let authority = Authority::new();
    for odd_speaks_https in [false, true] {
        let odd = |number: u8| (number == 2) == odd_speaks_https;
        let (folder, members) = (tempfile::tempdir().unwrap(), free_addresses(2));
        let mut servers = Vec::new();
        for number in [1, 2] {
            let https = odd(number).then(|| authority.files());
            servers.push(start(Options { https, ..options(folder.path(), number, &members) }).await);
        }
        // It may be ready only until it has heard from the leader.
        let status = servers[0].wait_until("a leader", |status| status["leader"].is_object()).await;
        if status["leader"]["server"] == 2 {
            servers.swap(0, 1);
        }
        let is_https = |server: &Running| server.url.starts_with("https:");
        let words = |is_https| if is_https { "HTTPS" } else { "plain HTTP" };
        let (there, here) = (words(is_https(&servers[0])), words(is_https(&servers[1])));
        let sentence = format!("which leads, speaks {there} with clients, and this server {here}");
        let refused = servers[1].put("/kv/x", "1").await;
        assert_eq!((refused.status, refused.problem()), (503, "no-leader".into()), "{}", refused.text());
        assert!(refused.detail().contains(&sentence) && refused.detail().ends_with("; nothing was done"));
        assert_eq!(refused.header("raftarium-speaks-https"), None);
        // It may also be not ready for a moment because it has just begun to follow.
        let says_so = |status: &serde_json::Value| status["is_ready"] == false && status["troubles"][0].is_string();
        let status = servers[1].wait_until("it isn't ready", says_so).await;
        assert!(status["troubles"][0].as_str().unwrap().contains(&sentence), "{status}");
        let ready = servers[1].get("/readyz").await;
        assert!(ready.status == 503 && ready.text().contains(&sentence), "{}", ready.text());
        // It need not be asked to hand something on.
        let other = servers[1].get("/status").await.json()["server"].as_u64().unwrap();
        let led = servers[0].ask(Method::POST, &format!("/members/{other}/transfer"), &[], b"").await;
        assert_eq!(led.status, 200, "{}", led.text());
        let found = servers[0].wait_until("it sees it itself", says_so).await;
        assert!(found["troubles"][0].as_str().unwrap().starts_with(&format!("S{other}, ")), "{found}");
        assert_eq!(servers[1].put("/kv/x", "1").await.status, 200);
        for server in servers {
            server.stop().await;
        }
    }
}

#[tokio::test]
async fn a_certificate_is_renewed_while_the_server_runs() {
    let (old, new) = (Authority::new(), Authority::new());
    let files = old.files();
    let (_folder, server) = alone_with(|options| options.https = Some(files.clone())).await;
    let (believes_old, believes_new) = (old.folder.path().join("old.pem"), new.files().authority);
    std::fs::copy(&files.authority, &believes_old).unwrap();
    is_believed(&server, &believes_old).await.unwrap();
    let why = is_believed(&server, &believes_new).await.unwrap_err();
    assert!(why.contains("UnknownIssuer") || why.contains("BadSignature"), "{why}");

    std::fs::write(&files.key, "no key").unwrap();
    let useless = server.reloader.reload();
    assert_eq!(useless.len(), 1);
    assert!(
        useless[0].to_string().starts_with(&format!("the private key {}: ", files.key.display())),
        "{}",
        useless[0]
    );
    is_believed(&server, &believes_old).await.unwrap();

    new.renew(&files);
    assert!(server.reloader.reload().is_empty());
    is_believed(&server, &believes_new).await.unwrap();
    is_believed(&server, &believes_old).await.unwrap_err();
    server.stop().await;
}

/// A certificate that nobody would believe isn't taken while there is a better one. A server that
/// starts has none, and starts; who hands requests to it says why they don't arrive.
#[tokio::test]
async fn a_certificate_out_of_its_time_is_not_taken_and_said_to_be_why_requests_do_not_arrive() {
    let authority = Authority::new();
    let files = authority.files();
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let early = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    let (_folder, server) = alone_with(|options| options.https = Some(files.clone())).await;
    for (change, word) in [(expired as fn(&mut CertificateParams), "expired"), (early, "not valid yet")] {
        authority.renew_with(&files, change);
        let useless = server.reloader.reload();
        assert_eq!(useless.len(), 1, "{word}");
        let why = useless[0].to_string();
        assert!(why.starts_with("the certificate ") && why.contains(word), "{why}");
        is_believed(&server, &files.authority).await.unwrap();
    }
    // A pipe that nobody writes into isn't waited for.
    std::fs::remove_file(&files.certificate).unwrap();
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &files.certificate, kind, mode, 0).unwrap();
    let useless = server.reloader.reload();
    assert!(useless.len() == 1 && useless[0].to_string().ends_with("it isn't a regular file"), "{useless:?}");
    server.stop().await;

    std::fs::remove_file(&files.certificate).unwrap();
    authority.renew_with(&files, expired);
    let (_folder, server) = alone_with(|options| options.https = Some(files.clone())).await;
    let why = is_believed(&server, &files.authority).await.unwrap_err();
    assert!(why.contains("Expired"), "{why}");
    server.stop().await;
}

async fn connect(server: &Running) -> TcpStream {
    TcpStream::connect(server.url.strip_prefix("https://").unwrap()).await.unwrap()
}

async fn rest(mut connection: TcpStream) -> String {
    let mut read = Vec::new();
    let reads = connection.read_to_end(&mut read);
    tokio::time::timeout(PATIENCE, reads).await.expect("the connection is closed").unwrap();
    String::from_utf8_lossy(&read).into_owned()
}

#[tokio::test]
async fn plain_http_is_told_to_speak_https() {
    let authority = Authority::new();
    let (_folder, server) = alone_with(|options| options.https = Some(authority.files())).await;
    let mut plain = connect(&server).await;
    plain.write_all(b"GET /kv/x HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer x\r\n\r\n").await.unwrap();
    plain.shutdown().await.unwrap();
    let answer = rest(plain).await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"), "{answer}");
    assert!(answer.contains("this port speaks HTTPS: write https:// in place of http://"), "{answer}");
    // What follows isn't harmed.
    assert_eq!(server.ask(Method::GET, "/healthz", &[], b"").await.status, 200);
    server.stop().await;
}

/// Who has connected, and hasn't finished its handshake when the server stops, is answered like who
/// speaks plain HTTP.
#[tokio::test]
async fn a_server_that_stops_goes_on_with_handshakes() {
    let authority = Authority::new();
    let (_folder, server) = alone_with(|options| {
        options.https = Some(authority.files());
        options.limits.last_request = LAST_REQUEST;
    })
    .await;
    let url = server.url.clone();
    let connection = connect(&server).await;
    let asks = async {
        Running::is_closed(&url).await;
        let name = "127.0.0.1".try_into().unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(trusting(authority.files().authority.as_path())));
        let mut connection = connector.connect(name, connection).await.unwrap();
        connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        let reads = connection.read_to_string(&mut answer);
        tokio::time::timeout(PATIENCE, reads).await.expect("the connection is closed").unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    };
    tokio::join!(server.stop(), asks);
}

/// A handshake that isn't finished has no more time than a request.
#[tokio::test]
async fn who_does_not_finish_a_handshake_is_let_go() {
    let authority = Authority::new();
    let (_folder, server) = alone_with(|options| {
        options.https = Some(authority.files());
        options.limits.arrival = Duration::from_millis(100);
    })
    .await;
    let silent = connect(&server).await;
    let mut halfway = connect(&server).await;
    // The beginning of a record that says it has 512 bytes.
    halfway.write_all(&[0x16, 3, 1, 2, 0, 1]).await.unwrap();
    assert_eq!((rest(silent).await, rest(halfway).await), (String::new(), String::new()));
    server.stop().await;
}
