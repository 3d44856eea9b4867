use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use raft_core::check::linearizable::Verdict;
use raft_core::format::recording::{Header, Known, Reader, Recorded, Recording, Role, What};
use raft_core::raft::ServerId;

use super::client::{PATIENCE, Running, alone, alone_with, client, several};

/// A stream whose pieces are read as they come.
pub struct Stream {
    body: Incoming,
    text: String,
}

impl Stream {
    pub async fn open(server: &Running, path: &str) -> Stream {
        let client = client::<Empty<Bytes>>(server.authority.as_deref());
        let request = http::Request::builder().uri(format!("{}{path}", server.url)).body(Empty::new()).unwrap();
        let response = tokio::time::timeout(PATIENCE, client.request(request)).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        Stream { body: response.into_body(), text: String::new() }
    }

    /// The next block, up to an empty line.
    pub async fn event(&mut self) -> String {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if !event.starts_with(':') {
                    return event;
                }
                continue;
            }
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await.unwrap().unwrap().unwrap();
            self.text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
        }
    }
}

#[tokio::test]
async fn changes_are_told_as_they_happen_and_from_any_revision() {
    let (_folder, server) = alone().await;
    let first = server.put("/kv/a/1", "one").await.json()["revision"].as_u64().unwrap();
    let mut live = Stream::open(&server, "/watch?prefix=a/").await;
    let second = server.put("/kv/a/2", "two").await.json()["revision"].as_u64().unwrap();
    server.put("/kv/b/1", "not watched").await;
    server.ask(Method::DELETE, "/kv/none", &[], b"").await;
    let third = server.ask(Method::DELETE, "/kv/a/1", &[], b"").await.json()["revision"].as_u64().unwrap();
    let put = format!(r#"{{"key":"a/2","revision":{second},"value":"two"}}"#);
    assert_eq!(live.event().await, format!("id: {second}\nevent: put\ndata: {put}"));
    let delete = format!(r#"{{"key":"a/1","revision":{third}}}"#);
    assert_eq!(live.event().await, format!("id: {third}\nevent: delete\ndata: {delete}"));
    let mut old = Stream::open(&server, &format!("/watch?from={first}")).await;
    assert!(old.event().await.starts_with(&format!("id: {first}\nevent: put\n")));
    let mut next = Stream::open(&server, &format!("/watch?from={}", first + 1)).await;
    assert!(next.event().await.starts_with(&format!("id: {second}\n")));
    server.stop().await;
}

#[tokio::test]
async fn a_list_and_a_watch_from_its_revision_miss_nothing() {
    let (_folder, _, servers) = several(3).await;
    servers[0].put("/kv/x", "1").await;
    let list = servers[1].get("/kv").await.json();
    let from = list["revision"].as_u64().unwrap() + 1;
    let revision = servers[0].put("/kv/x", "2").await.json()["revision"].as_u64().unwrap();
    // On another server than the list.
    let mut watch = Stream::open(&servers[2], &format!("/watch?from={from}")).await;
    assert!(watch.event().await.starts_with(&format!("id: {revision}\nevent: put\n")));
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_browser_that_connects_again_goes_on_where_it_was() {
    let (_folder, server) = alone().await;
    let first = server.put("/kv/x", "1").await.json()["revision"].clone();
    let second = server.put("/kv/x", "2").await.json()["revision"].clone();
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = http::Request::builder().uri(format!("{}/watch", server.url));
    let request = request.header("last-event-id", first.to_string()).body(Empty::new()).unwrap();
    let response = client.request(request).await.unwrap();
    let mut stream = Stream { body: response.into_body(), text: String::new() };
    assert!(stream.event().await.starts_with(&format!("id: {second}\n")));
    // What it has heard counts more than where it once began.
    let request = http::Request::builder().uri(format!("{}/watch?from={first}", server.url));
    let request = request.header("last-event-id", first.to_string()).body(Empty::new()).unwrap();
    let response = client.request(request).await.unwrap();
    let mut stream = Stream { body: response.into_body(), text: String::new() };
    assert!(stream.event().await.starts_with(&format!("id: {second}\n")));
    assert_eq!(server.get("/watch?from=x").await.problem(), "bad-request");
    assert_eq!(server.ask(Method::GET, "/watch", &[("last-event-id", "x")], b"").await.problem(), "bad-request");
    server.stop().await;
}

/// More than one piece of the stream holds.
#[tokio::test]
async fn many_old_changes_are_told_without_a_gap() {
    let (_folder, server) = alone().await;
    let mut revisions = Vec::new();
    for number in 0..600 {
        let written = server.put(&format!("/kv/{}", number % 7), "v").await;
        revisions.push(written.json()["revision"].as_u64().unwrap());
    }
    let mut stream = Stream::open(&server, &format!("/watch?from={}", revisions[0])).await;
    for revision in revisions {
        let event = stream.event().await;
        assert!(event.starts_with(&format!("id: {revision}\n")), "{event} isn't {revision}");
    }
    server.stop().await;
}

/// Reads lines of a recording until what is known of the servers satisfies `holds`.
async fn read_until(stream: &mut Stream, what: &str, mut holds: impl FnMut(&Known, &Recorded) -> bool) -> (Known, u64) {
    let (mut reader, mut known) = (Reader::new(), Known::new());
    let mut last = 0;
    let reads = async {
        loop {
            while let Some((line, rest)) = stream.text.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                stream.text = rest;
                if line.is_empty() {
                    continue; // A sign of life.
                }
                let recorded = reader.read_line(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                let Some(recorded) = recorded else { continue };
                known.take(&recorded);
                if let Some(sequence) = recorded.sequence {
                    assert!(last == 0 || sequence == last + 1, "{sequence} after {last}");
                    last = sequence;
                }
                if holds(&known, &recorded) {
                    return;
                }
            }
            let frame = stream.body.frame().await.unwrap().unwrap();
            stream.text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, reads).await.unwrap_or_else(|_| panic!("{what}"));
    (known, last)
}

#[tokio::test]
async fn what_a_server_observes_is_a_recording_that_can_be_resumed() {
    let (_folder, _, servers) = several(3).await;
    let leader = &servers[0];
    let mut stream = Stream::open(leader, "/events").await;
    let own = ServerId::new(leader.get("/status").await.json()["server"].as_u64().unwrap() as u8).unwrap();
    let (mut requests, mut sent, mut received) = (0, 0, 0);
    let wrote = leader.put("/kv/x", "1").await.json()["revision"].as_u64().unwrap();
    let mut life = None;
    let (known, last) = read_until(&mut stream, "a write is told of", |known, recorded| {
        life = recorded.life.or(life);
        match &recorded.what {
            What::Requested(_) => requests += 1,
            What::Sent(_) => sent += 1,
            What::Received(_) => received += 1,
            _ => {}
        }
        let state = known.server(own).map(|server| &server.state);
        requests >= 2 && state.is_some_and(|state| state.commit.is_some_and(|commit| commit.0 >= wrote))
    })
    .await;
    let state = &known.server(own).unwrap().state;
    assert_eq!(state.role, Some(Role::Leader));
    assert!(state.last.is_some_and(|last| last.index.0 >= wrote));
    assert!(sent > 0 && received > 0, "{sent} {received}");
    drop(stream);
    // Nothing is missing, though nobody followed for a moment.
    let life = life.expect("each line of a server has it");
    let mut again = Stream::open(leader, &format!("/events?after={last}&life={life}")).await;
    let mut first = None;
    read_until(&mut again, "it goes on", |_, recorded| {
        first = first.or(recorded.sequence);
        first.is_some()
    })
    .await;
    assert_eq!(first, Some(last + 1));
    let gone = leader.get(&format!("/events?after=99999999&life={life}")).await;
    assert_eq!((gone.status, gone.problem()), (410, "revision-gone".into()));
    let gone = leader.get(&format!("/events?after={last}&life=1")).await;
    assert_eq!((gone.status, gone.problem()), (410, "revision-gone".into()));
    for alone in ["after=x&life=1".to_owned(), format!("after={last}"), format!("life={life}")] {
        assert_eq!(leader.get(&format!("/events?{alone}")).await.problem(), "bad-request", "{alone}");
    }
    for server in servers {
        server.stop().await;
    }
}

/// Streams have no end of their own: a server that stops ends them, and waits for nobody.
#[tokio::test]
async fn a_server_that_stops_ends_its_streams_and_says_where_to_go_on() {
    let (_folder, _, mut servers) = several(3).await;
    let leader = servers.remove(0);
    let revision = leader.put("/kv/x", "1").await.json()["revision"].as_u64().unwrap();
    let mut watch = Stream::open(&leader, &format!("/watch?from={revision}")).await;
    watch.event().await;
    let mut events = Stream::open(&leader, "/events").await;
    read_until(&mut events, "it begins", |_, recorded| recorded.sequence.is_some()).await;
    leader.stop().await;
    // A connection that is broken off instead is an error here.
    let rest = async |stream: Stream| {
        let rest = tokio::time::timeout(PATIENCE, stream.body.collect()).await.unwrap().expect("it ends as it should");
        stream.text + std::str::from_utf8(&rest.to_bytes()).unwrap()
    };
    let last = rest(watch).await;
    let told: u64 = last.lines().rev().find_map(|line| line.strip_prefix("id: ")).unwrap().parse().unwrap();
    assert!(told >= revision, "{last}");
    assert!(
        last.ends_with(&format!(": this server stops; go on at another one\nid: {told}\nretry: 1000\n\n")),
        "{last}"
    );
    let last = rest(events).await;
    assert!(last.is_empty() || last.ends_with('\n'), "{last}");
    // Nothing is missed at another server.
    let next = servers[0].put("/kv/x", "2").await.json()["revision"].as_u64().unwrap();
    let mut watch = Stream::open(&servers[0], &format!("/watch?from={}", told + 1)).await;
    assert!(watch.event().await.starts_with(&format!("id: {next}\n")));
    for server in servers {
        server.stop().await;
    }
}

/// What the history says of the requests must be true of them: one that wasn't carried out, since
/// its condition didn't hold or it had been carried out before, had no effect.
#[tokio::test]
async fn requests_with_conditions_and_with_keys_are_told_of() {
    let (_folder, server) = alone().await;
    let mut stream = Stream::open(&server, "/events").await;
    let put = async |headers: &[(&str, &str)], value: &str| {
        let answer = server.ask(Method::PUT, "/kv/x", headers, value.as_bytes()).await;
        (answer.status, answer.header("etag").map(str::to_owned))
    };
    let (_, first) = put(&[("if-none-match", "*")], "1").await;
    let first = first.unwrap();
    assert_eq!(put(&[("if-none-match", "*")], "2").await.0, 412);
    assert_eq!(put(&[("if-match", &first)], "3").await.0, 200);
    assert_eq!(put(&[("idempotency-key", "k")], "4").await.0, 200);
    assert_eq!(put(&[], "5").await.0, 200);
    assert_eq!(put(&[("idempotency-key", "k")], "4").await.0, 200);
    assert_eq!(put(&[("idempotency-key", "k")], "6").await.0, 422);
    assert_eq!(server.ask(Method::DELETE, "/kv/x", &[("if-match", &first)], b"").await.status, 412);
    assert_eq!(server.get("/kv/x").await.body, b"5");
    let mut lines = Vec::new();
    let what = "every request is told of";
    read_until(&mut stream, what, |_, recorded| {
        if matches!(recorded.what, What::Requested(_)) {
            lines.push(recorded.clone());
        }
        lines.len() == 18
    })
    .await;
    let told: Vec<_> = lines
        .iter()
        .map(|recorded| {
            let What::Requested(requested) = &recorded.what else { unreachable!() };
            let event = requested.request.event();
            let (expected, key) = (requested.revision_expected, requested.request_key.as_deref());
            (event.kind, event.operation, event.value, event.found, expected, key, requested.repeated)
        })
        .collect();
    use raft_core::check::linearizable::EventKind::{Fail, Invoke, Ok};
    use raft_core::check::linearizable::OperationKind::{Delete, Get, Put};
    let revision = first.trim_matches('"').parse().ok();
    let (absent, there, keyed) = (Some(None), Some(revision), Some("k"));
    let expected = [
        (Invoke, Put, Some("1"), None, absent, None, None),
        (Ok, Put, Some("1"), Some(false), absent, None, None),
        (Invoke, Put, Some("2"), None, absent, None, None),
        (Fail, Put, Some("2"), None, absent, None, None),
        (Invoke, Put, Some("3"), None, there, None, None),
        (Ok, Put, Some("3"), Some(true), there, None, None),
        (Invoke, Put, Some("4"), None, None, keyed, None),
        (Ok, Put, Some("4"), Some(true), None, keyed, None),
        (Invoke, Put, Some("5"), None, None, None, None),
        (Ok, Put, Some("5"), Some(true), None, None, None),
        (Invoke, Put, Some("4"), None, None, keyed, None),
        (Fail, Put, Some("4"), None, None, keyed, Some(true)),
        (Invoke, Put, Some("6"), None, None, keyed, None),
        (Fail, Put, Some("6"), None, None, keyed, None),
        (Invoke, Delete, None, None, there, None, None),
        (Fail, Delete, None, None, there, None, None),
        (Invoke, Get, None, None, None, None, None),
        (Ok, Get, Some("5"), Some(true), None, None, None),
    ];
    assert_eq!(told, expected);
    let events = lines;
    let history = Recording { header: Header::default(), events }.history();
    let history = raft_core::format::history::read(&history).unwrap();
    let verdict = history.check();
    assert!(matches!(verdict, Verdict::Linearizable(_)), "{verdict:?}");
    server.stop().await;
}

/// Whoever asks for everything and reads nothing is let go.
#[tokio::test]
async fn a_reader_that_stands_still_is_let_go() {
    let (_folder, server) = alone_with(|options| options.limits.stall = std::time::Duration::from_millis(200)).await;
    let value = "v".repeat(60_000);
    let address = server.url.strip_prefix("http://").unwrap();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(65_536).unwrap();
    let mut deaf = socket.connect(address.parse().unwrap()).await.unwrap();
    let request = "GET /watch HTTP/1.1\r\nhost: localhost\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut deaf, request.as_bytes()).await.unwrap();
    server.put("/kv/first", "1").await;
    let mut head = [0; 15];
    tokio::io::AsyncReadExt::read_exact(&mut deaf, &mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    // More than the system keeps for a connection.
    for number in 0..200 {
        assert_eq!(server.put(&format!("/kv/{number}"), &value).await.status, 200);
    }
    // It stands still for longer than it may: this time is what is tried here.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let mut read = Vec::new();
    let reads = tokio::io::AsyncReadExt::read_to_end(&mut deaf, &mut read);
    // It ends, before everything was read.
    let _ = tokio::time::timeout(PATIENCE, reads).await.expect("the connection is closed");
    assert!(read.len() < 200 * value.len(), "{}", read.len());
    server.stop().await;
}
