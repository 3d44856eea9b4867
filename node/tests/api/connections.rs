//! What connections may do, and how long.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{LAST_REQUEST, PATIENCE, Running, alone_with, several, several_with};

async fn connect(server: &Running, send: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(send.as_bytes()).await.unwrap();
    stream
}

/// Reads the status of an answer.
async fn status_of(stream: &mut TcpStream) -> String {
    let mut read = [0; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut read)).await.expect("an answer").unwrap();
    String::from_utf8(read.to_vec()).unwrap().strip_prefix("HTTP/1.1 ").unwrap().to_owned()
}

/// Asks for a stream, on a connection of its own.
async fn open(server: &Running, path: &str) -> (TcpStream, String) {
    let mut stream = connect(server, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
    let status = status_of(&mut stream).await;
    (stream, status)
}

/// Everything up to the connection's end.
async fn all_of(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut read)).await.expect("the connection ends").unwrap();
    String::from_utf8(read).unwrap()
}

/// Asks whether the server lives, on a connection that stays open.
async fn ask(stream: &mut TcpStream) {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    answered(stream).await;
}

/// Reads the answer to that.
async fn answered(stream: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.ends_with(b"alive\n") {
        let read_one = tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("an answer");
        read.push(read_one.unwrap_or_else(|error| panic!("{error} after {:?}", String::from_utf8_lossy(&read))));
    }
    assert!(read.starts_with(b"HTTP/1.1 200 OK"), "{:?}", String::from_utf8_lossy(&read));
}

#[tokio::test]
async fn a_request_that_does_not_arrive_in_time_is_given_up() {
    let (_folder, server) = alone_with(|options| options.limits.arrival = Duration::from_millis(200)).await;
    let head = "PUT /kv/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc";
    let answer = all_of(&mut connect(&server, head).await).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request-timed-out"), "{answer}");
    // There is nobody to answer before the head is there. A connection on which nothing comes ends,
    // too.
    for part in ["GET /healthz HTTP/1.1\r\nhost:", ""] {
        let answer = all_of(&mut connect(&server, part).await).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let (_folder, server) = alone_with(|options| {
        options.limits.connections_max = 1;
        options.limits.request = PATIENCE * 10;
    })
    .await;
    let mut first = connect(&server, "").await;
    ask(&mut first).await;
    let mut second = connect(&server, "GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    // The server has done something a hundred times, and not this.
    for _ in 0..100 {
        ask(&mut first).await;
    }
    let waits = second.try_read(&mut [0]).unwrap_err();
    assert_eq!(waits.kind(), std::io::ErrorKind::WouldBlock);
    drop(first);
    assert_eq!(status_of(&mut second).await, "404");
    drop(second);
    server.stop().await;
}

/// Clients that stay keep nobody from seeing how the server is, and followers from nothing.
#[tokio::test]
async fn some_places_are_kept_for_other_servers_and_for_health() {
    let (_folder, _, servers) = several_with(2, |options| {
        options.limits.connections_max = 3;
        options.limits.request = Duration::from_secs(2);
    })
    .await;
    let leader = &servers[0];
    let mut streams = Vec::new();
    let refused = loop {
        // Other servers have connections here, too, and let them go.
        let (stream, status) = open(leader, "/watch").await;
        if status == "200" {
            streams.push(stream);
            continue;
        }
        assert_eq!(status, "503");
        let answer = leader.get("/nothing").await;
        if answer.status != 404 {
            break answer;
        }
    };
    assert_eq!(servers[1].put("/kv/x", "1").await.status, 200, "a follower hands it on");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "busy"), "{}", refused.text());
    assert_eq!(refused.header("connection"), Some("close"));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(leader.get(path).await.status, 200);
    }
    let metrics = leader.get("/metrics").await.text();
    let value = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("{name} in {metrics}")).parse::<u64>().unwrap()
    };
    assert!(value("raftarium_http_connections") > streams.len() as u64, "{metrics}");
    assert!(value("raftarium_http_connections_full_total") >= 2, "{metrics}");
    // Who asks nothing is let go soon.
    let mut silent = connect(leader, "").await;
    assert_eq!(all_of(&mut silent).await, "");
    // The next one gets the place of who has gone.
    drop(streams.pop());
    while leader.get("/kv/x").await.status != 200 {
        tokio::task::yield_now().await;
    }
    drop(streams);
    for server in servers {
        server.stop().await;
    }
}

/// A stream says something every ten seconds; nobody has to wait for that.
#[tokio::test]
async fn the_place_of_who_read_a_stream_is_free_when_they_have_gone() {
    let (_folder, server) = alone_with(|options| {
        options.limits.connections_max = 2;
        options.limits.request = PATIENCE * 5;
    })
    .await;
    let began = tokio::time::Instant::now();
    for path in ["/watch?prefix=nosuch", "/events"] {
        for _ in 0..10 {
            assert_eq!(open(&server, path).await.1, "200");
        }
    }
    // Two at a time would take a hundred seconds by the heartbeats.
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    server.stop().await;
}

/// The server has no leader to hand the write to, and after its end it will hear of none.
#[tokio::test]
async fn a_server_that_stops_answers_the_writes_that_wait_for_a_leader() {
    let (_folder, _, mut servers) = several(2).await;
    servers.pop().unwrap().stop().await;
    let last = servers.pop().unwrap();
    last.wait_until("it sees that it leads nobody", |status| status["leader"].is_null()).await;
    let head = "PUT /kv/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\nexpect: 100-continue\r\n\r\n";
    let mut stream = connect(&last, head).await;
    // The server has begun with the request when it asks for the body.
    let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut read = vec![0; go_on.len()];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut read)).await.expect("it asks for the body").unwrap();
    assert_eq!(read, go_on);
    stream.write_all(b"1").await.unwrap();
    let (answer, ()) = tokio::join!(all_of(&mut stream), last.stop());
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("urn:raftarium:problem:stopping"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
}

/// A request may be on its way on any connection that is open.
#[tokio::test]
async fn a_server_that_stops_hears_those_who_have_connected() {
    let (_folder, server) = alone_with(|options| options.limits.last_request = LAST_REQUEST).await;
    let url = server.url.clone();
    let mut first = connect(&server, "").await;
    let mut second = connect(&server, "").await;
    ask(&mut second).await;
    let asks = async {
        Running::is_closed(&url).await;
        for stream in [&mut first, &mut second] {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
            let answer = all_of(stream).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
        }
    };
    tokio::join!(server.stop(), asks);
}

/// What was said is whole: the answer is still waited for.
#[tokio::test]
async fn a_client_that_ends_its_sending_side_is_answered() {
    let (_folder, server) = alone_with(|_| {}).await;
    let head = "PUT /kv/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\n\r\n1";
    let mut stream = connect(&server, head).await;
    stream.shutdown().await.unwrap();
    let answer = all_of(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"replaced\":false"), "{answer}");
    server.stop().await;
}

/// Nobody waits for the rest of what is refused in any case.
#[tokio::test]
async fn a_value_that_is_announced_as_too_long_is_not_waited_for() {
    let (_folder, server) = alone_with(|options| options.limits.arrival = PATIENCE * 2).await;
    for bytes in [65_537, 300_000] {
        for expect in ["", "expect: 100-continue\r\n"] {
            let head = format!("PUT /kv/x HTTP/1.1\r\nhost: localhost\r\ncontent-length: {bytes}\r\n{expect}\r\n");
            let answer = all_of(&mut connect(&server, &head).await).await;
            assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("too-large"), "{answer}");
        }
    }
    server.stop().await;
}

/// What would be stored as something else than was meant isn't stored.
#[tokio::test]
async fn a_body_that_is_not_what_its_bytes_are_is_refused() {
    let (_folder, server) = alone_with(|_| {}).await;
    for (header, status) in [
        ("transfer-encoding: gzip, chunked", "400"),
        ("content-length: 1\r\ncontent-encoding: gzip", "415"),
        ("content-length: 1\r\ncontent-range: bytes 0-0/2", "400"),
        ("content-length: 1\r\nexpect: nonsense", "417"),
    ] {
        let body = if header.contains("chunked") { "1\r\nx\r\n0\r\n\r\n" } else { "x" };
        let head = format!("PUT /kv/x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n\r\n{body}");
        let answer = all_of(&mut connect(&server, &head).await).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains("urn:raftarium:"), "{answer}");
    }
    assert_eq!(server.get("/kv/x").await.status, 404);
    server.stop().await;
}

/// Something in between may judge a request by another name than the server does.
#[tokio::test]
async fn a_request_says_once_for_whom_it_is() {
    let (_folder, server) = alone_with(|_| {}).await;
    for (version, target, hosts, status) in [
        ("1.1", "/healthz", "host: localhost\r\n", 200),
        ("1.0", "/healthz", "", 200),
        ("1.1", "/healthz", "", 400),
        ("1.1", "/healthz", "host:\r\n", 400),
        ("1.1", "/healthz", "host: localhost\r\nhost: evil.example\r\n", 400),
        ("1.1", "http://localhost/healthz", "host: localhost\r\n", 200),
        ("1.1", "http://evil.example/healthz", "host: localhost\r\n", 400),
        // A server without tokens answers to no other name.
        ("1.1", "http://evil.example/healthz", "host: evil.example\r\n", 403),
        ("1.0", "http://evil.example/healthz", "", 403),
        ("1.1", "/healthz", "host: localhost\r\norigin: http://localhost\r\norigin: http://evil\r\n", 400),
    ] {
        let head = format!("GET {target} HTTP/{version}\r\n{hosts}connection: close\r\n\r\n");
        let answer = all_of(&mut connect(&server, &head).await).await;
        assert_eq!(answer.split(' ').nth(1), Some(status.to_string().as_str()), "{head}: {answer}");
    }
    server.stop().await;
}

/// The beginning of a TLS handshake.
#[tokio::test]
async fn tls_on_a_plain_port_is_told_what_the_port_speaks() {
    let (_folder, server) = alone_with(|_| {}).await;
    let mut stream = connect(&server, "\x16\x03\x01\x00\x05hello").await;
    stream.shutdown().await.unwrap();
    let answer = all_of(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("this port speaks HTTP: write http://"), "{answer}");
    server.stop().await;
}
