//! What is handed on to the leader: who gets it, and whose answer is believed.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::client::{PATIENCE, Running, alone_with, free_addresses, options, several_with, start};

/// Files with a secret and with tokens, and the header that opens everything.
struct Files {
    folder: TempDir,
}

const CLIENT: (&str, &str) = ("authorization", "Bearer client-client-client");
const ADMINISTRATOR: (&str, &str) = ("authorization", "Bearer admin-admin-admin-admin");

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("secret", "the secret of this cluster"),
            ("client", "client-client-client"),
            ("administrator", "admin-admin-admin-admin"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        Files { folder }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.folder.path().join(name))
    }
}

/// Servers of which the one that leads goes on to do so, though the machine has much else to do.
async fn steady(count: u8, limit: Duration) -> (TempDir, Vec<Running>) {
    let (folder, _, servers) = several_with(count, |options| {
        options.election_timeout = STEADY;
        options.limits.request = limit;
    })
    .await;
    (folder, servers)
}

/// The election timeout of such servers.
const STEADY: Duration = Duration::from_secs(2);

/// Two servers that have a secret and ask for tokens; the first one leads.
async fn guarded(files: &Files) -> (TempDir, Vec<Running>) {
    let folder = tempfile::tempdir().unwrap();
    let members = free_addresses(2);
    let mut servers = Vec::new();
    for number in 1..=2 {
        let mut options = options(folder.path(), number, &members);
        options.election_timeout = STEADY;
        options.secret = files.path("secret");
        options.client_tokens = files.path("client");
        options.administrator_tokens = files.path("administrator");
        servers.push(start(options).await);
    }
    let leads = async {
        loop {
            let status = servers[0].ask(Method::GET, "/status", &[CLIENT], b"").await.json();
            if status["is_ready"] == true {
                return status["leader"]["server"].as_u64().unwrap() as usize - 1;
            }
            tokio::task::yield_now().await;
        }
    };
    let leader = tokio::time::timeout(PATIENCE, leads).await.expect("one leads");
    servers.swap(0, leader);
    (folder, servers)
}

/// Makes a follower believe that its leader's clients' port is elsewhere.
pub(super) async fn move_leader(servers: &[Running], headers: &[(&str, &str)], http: &str) {
    move_server(servers, 0, headers, http).await;
}

/// The same, of any server.
async fn move_server(servers: &[Running], which: usize, headers: &[(&str, &str)], http: &str) {
    let server = servers[which].ask(Method::GET, "/status", headers, b"").await.json()["server"].clone();
    let place = json!({ "http": http, "unseen": true }).to_string();
    let path = format!("/members/{server}");
    let moved = servers[0].ask(Method::PATCH, &path, headers, place.as_bytes()).await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    let knows = async {
        loop {
            let members = servers[1].ask(Method::GET, "/members", headers, b"").await.json();
            if members["members"].as_array().unwrap().iter().any(|member| member["http"] == http) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, knows).await.expect("the follower hears of it");
}

#[tokio::test]
async fn another_cluster_at_the_leaders_address_does_nothing() {
    let (_folder, servers) = steady(2, Duration::from_secs(5)).await;
    let (_other_folder, other) = alone_with(|options| options.cluster = "other".into()).await;
    move_leader(&servers, &[], other.url.strip_prefix("http://").unwrap()).await;
    let doubted = servers[1].put("/kv/x", "1").await;
    assert_eq!((doubted.status, doubted.problem()), (504, "unknown-outcome".into()), "{}", doubted.text());
    assert!(doubted.detail().contains("hasn't proved"), "{}", doubted.detail());
    assert_eq!(other.get("/kv/x").await.status, 404);
    assert_eq!(servers[0].get("/kv/x").await.status, 404);
    other.stop().await;
    for server in servers {
        server.stop().await;
    }
}

/// A server of the cluster that isn't the leader proves that it has done nothing.
#[tokio::test]
async fn another_server_at_the_leaders_address_says_that_nothing_was_done() {
    let limit = Duration::from_millis(500);
    let (_folder, servers) = steady(3, limit).await;
    // An address is one server's only.
    move_server(&servers, 2, &[], &free_addresses(1)[&1].http).await;
    move_leader(&servers, &[], servers[2].url.strip_prefix("http://").unwrap()).await;
    let refused = servers[1].put("/kv/x", "1").await;
    assert_eq!((refused.status, refused.problem()), (503, "no-leader".into()), "{}", refused.text());
    assert!(refused.detail().contains("another server answers at its address"), "{}", refused.detail());
    assert_eq!(servers[0].get("/kv/x").await.status, 404);
    for server in servers {
        server.stop().await;
    }
}

/// Whoever sits in the leader's place is not believed, and gets no token.
#[tokio::test]
async fn a_stranger_at_the_leaders_address_is_not_believed_and_gets_no_token() {
    let files = Files::new();
    let (_folder, servers) = guarded(&files).await;
    // Handing on works without a token on the way, and each token still opens what it is for.
    let written = servers[1].ask(Method::PUT, "/kv/x", &[CLIENT], b"1").await;
    assert_eq!(written.status, 200, "{}", written.text());
    let forbidden = servers[1].ask(Method::DELETE, "/members/9", &[CLIENT], b"").await;
    assert_eq!(forbidden.problem(), "forbidden");
    let refused = servers[1].ask(Method::DELETE, "/members/9", &[ADMINISTRATOR], b"").await;
    assert_eq!(refused.problem(), "membership-refused", "{}", refused.text());

    // A server that is looked for at a new address lets itself be asked by the secret.
    let follower = servers[1].ask(Method::GET, "/status", &[CLIENT], b"").await.json();
    let port = servers[1].url.rsplit_once(':').unwrap().1;
    let place = json!({ "http": format!("localhost:{port}") }).to_string();
    let path = format!("/members/{}", follower["server"]);
    let moved = servers[1].ask(Method::PATCH, &path, &[ADMINISTRATOR], place.as_bytes()).await;
    assert_eq!((moved.status, &moved.json()["seen"]), (200, &json!(true)), "{}", moved.text());

    let stranger = TcpListener::bind("127.0.0.1:0").await.unwrap();
    move_leader(&servers, &[ADMINISTRATOR], &stranger.local_addr().unwrap().to_string()).await;
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{",
        "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
        "HTTP/1.1 503 No\r\nraftarium-not-done: 1\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nraftarium-proof: AAAA\r\ncontent-length: 900000000\r\n\r\n",
        // It speaks plain HTTP when it is greeted.
        "HTTP/1.1 400 No\r\nraftarium-speaks-https: 1\r\ncontent-length: 0\r\n\r\n",
    ] {
        let heard = heard_by(&stranger, answer);
        let asks = servers[1].ask(Method::PUT, "/kv/y", &[CLIENT], b"secret value");
        let (request, doubted) = tokio::join!(heard, asks);
        assert_eq!(
            (doubted.status, doubted.problem()),
            (504, "unknown-outcome".into()),
            "{answer}: {}",
            doubted.text()
        );
        assert!(!request.contains("client-client") && !request.contains("authorization"), "{request}");
    }
    for server in servers {
        server.stop().await;
    }
}

/// What a stranger is handed that greets as a server does, and then gives this answer.
async fn heard_by(stranger: &TcpListener, answer: &str) -> String {
    loop {
        let (mut stream, _) = stranger.accept().await.unwrap();
        let mut read = Vec::new();
        let greets = |read: &[u8]| read.starts_with(b"GET /healthz ") && read.ends_with(b"\r\n\r\n");
        while !greets(&read) && !read.ends_with(b"\r\n\r\nsecret value") {
            read.push(stream.read_u8().await.unwrap());
        }
        if !greets(&read) {
            stream.write_all(answer.as_bytes()).await.unwrap();
            return String::from_utf8(read).unwrap();
        }
        let greeted = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(greeted.as_bytes()).await.unwrap();
    }
}

/// Who says that it speaks HTTPS isn't believed that nothing was done, so it gets nothing before.
#[tokio::test]
async fn a_stranger_that_speaks_https_gets_no_request_in_plain_http() {
    let (_folder, servers) = steady(2, Duration::from_secs(5)).await;
    let stranger = TcpListener::bind("127.0.0.1:0").await.unwrap();
    move_leader(&servers, &[], &stranger.local_addr().unwrap().to_string()).await;
    let greets = async {
        loop {
            let (mut stream, _) = stranger.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n\r\n") {
                read.push(stream.read_u8().await.unwrap());
            }
            assert!(read.starts_with(b"GET /healthz "), "{:?}", String::from_utf8_lossy(&read));
            let hint = "HTTP/1.1 400 No\r\nraftarium-speaks-https: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(hint.as_bytes()).await.unwrap();
        }
    };
    let refused = tokio::select! {
        refused = servers[1].put("/kv/x", "secret value") => refused,
        () = greets => unreachable!(),
    };
    assert_eq!((refused.status, refused.problem()), (503, "no-leader".into()), "{}", refused.text());
    assert!(refused.detail().ends_with("; nothing was done"), "{}", refused.detail());
    drop(stranger);
    for server in servers {
        server.stop().await;
    }
}

/// Nobody can say in another server's name that it has looked at a token.
#[tokio::test]
async fn a_client_that_poses_as_a_server_is_refused() {
    let files = Files::new();
    let (_folder, server) = alone_with(|options| {
        options.secret = files.path("secret");
        options.client_tokens = files.path("client");
    })
    .await;
    let proof = "A".repeat(43) + "=";
    for claims in ["1", "", &format!("1 2 1 test administrator AAAA AAAA {proof}")] {
        let headers = [("raftarium-forwarded", claims), CLIENT];
        let refused = server.ask(Method::PUT, "/kv/x", &headers, b"1").await;
        assert_eq!((refused.status, refused.problem()), (421, "misdirected".into()), "{claims}: {}", refused.text());
        assert_eq!(refused.header("raftarium-proof"), None, "there is nothing to guess the secret with");
    }
    assert_eq!(server.ask(Method::GET, "/kv/x", &[CLIENT], b"").await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_leader_that_cannot_be_reached_is_named_and_so_is_why() {
    let limit = Duration::from_millis(500);
    let (_folder, servers) = steady(2, limit).await;
    let nobody = free_addresses(1)[&1].http.clone();
    move_leader(&servers, &[], &nobody).await;
    let refused = servers[1].put("/kv/x", "1").await;
    assert_eq!((refused.status, refused.problem()), (503, "no-leader".into()), "{}", refused.text());
    let leader = servers[0].get("/status").await.json()["server"].clone();
    assert!(refused.detail().starts_with(&format!("S{leader} leads, but can't be reached: ")), "{}", refused.detail());
    assert!(refused.detail().contains("refused"), "{}", refused.detail());
    for server in servers {
        server.stop().await;
    }
}

/// What the leader refuses is told as the leader told it.
#[tokio::test]
async fn a_refusal_of_the_leader_is_handed_back() {
    let limit = Duration::from_millis(500);
    let (_folder, servers) = steady(2, limit).await;
    let dead = free_addresses(1)[&1].clone();
    let member = json!({ "server": 4, "peer": dead.peer, "http": dead.http }).to_string();
    let added = servers[0].ask(Method::POST, "/members", &[], member.as_bytes()).await;
    assert_eq!(added.status, 200, "{}", added.text());
    let there = servers[0].ask(Method::POST, "/members/4/promote", &[], b"").await;
    let here = servers[1].ask(Method::POST, "/members/4/promote", &[], b"").await;
    assert_eq!((there.status, there.problem()), (409, "membership-refused".into()), "{}", there.text());
    assert_eq!((here.status, here.problem()), (409, "membership-refused".into()), "{}", here.text());
    assert!(here.detail().contains("S4"), "{}", here.detail());
    assert_eq!(here.header("raftarium-not-done"), None);
    for server in servers {
        server.stop().await;
    }
}
