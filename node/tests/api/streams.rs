use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::client::{PATIENCE, Running, alone, several};

/// A stream whose pieces are read as they come.
struct Stream {
    body: Incoming,
    text: String,
}

impl Stream {
    async fn open(server: &Running, path: &str) -> Stream {
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let request = http::Request::builder().uri(format!("{}{path}", server.url)).body(Empty::new()).unwrap();
        let response = tokio::time::timeout(PATIENCE, client.request(request)).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        Stream { body: response.into_body(), text: String::new() }
    }

    /// The next block, up to an empty line.
    async fn event(&mut self) -> String {
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
    assert_eq!(server.get("/watch?from=x").await.problem(), "bad-request");
    assert_eq!(server.ask(Method::GET, "/watch", &[("last-event-id", "x")], b"").await.problem(), "bad-request");
    server.stop().await;
}
