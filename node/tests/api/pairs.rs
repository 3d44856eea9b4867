use http::Method;
use serde_json::json;

use super::client::{PATIENCE, Running, alone, alone_with, several, several_with};

#[tokio::test]
async fn a_value_is_written_read_and_removed() {
    let (_folder, server) = alone().await;
    let missing = server.get("/kv/greeting").await;
    assert_eq!((missing.status, missing.problem()), (404, "no-such-key".into()));
    let written = server.put("/kv/greeting", "good morning").await;
    assert_eq!(written.status, 200, "{}", written.text());
    assert_eq!(written.json()["replaced"], false);
    let revision = written.json()["revision"].as_u64().unwrap();
    assert_eq!(written.header("etag"), Some(format!("\"{revision}\"").as_str()));
    for consistency in ["linearizable", "lease", "local"] {
        let found = server.get(&format!("/kv/greeting?consistency={consistency}")).await;
        assert_eq!((found.status, found.text()), (200, "good morning".into()));
        assert_eq!(found.header("etag"), written.header("etag"));
    }
    let again = server.put("/kv/greeting", "good night").await.json();
    assert_eq!(again["replaced"], true);
    assert!(again["revision"].as_u64().unwrap() > revision);
    let removed = server.ask(Method::DELETE, "/kv/greeting", &[], b"").await.json();
    assert_eq!(removed["existed"], true);
    assert_eq!(server.get("/kv/greeting").await.status, 404);
    let removed = server.ask(Method::DELETE, "/kv/greeting", &[], b"").await.json();
    assert_eq!(removed["existed"], false);
    server.stop().await;
}

#[tokio::test]
async fn values_are_bytes_and_keys_may_be_any_text() {
    let (_folder, server) = alone().await;
    let bytes = [0, 255, 10, 13, 0];
    for key in ["a/b/c", "%C3%A4%20%22%2F%3F", "%F0%9F%A6%80"] {
        assert_eq!(server.ask(Method::PUT, &format!("/kv/{key}"), &[], &bytes).await.status, 200);
        assert_eq!(server.get(&format!("/kv/{key}")).await.body, bytes);
    }
    assert_eq!(server.put("/kv/empty", "").await.status, 200);
    let empty = server.get("/kv/empty").await;
    assert_eq!((empty.status, empty.body.len()), (200, 0));
    let pairs = server.get("/kv").await.json()["pairs"].clone();
    let keys: Vec<_> = pairs.as_array().unwrap().iter().map(|pair| pair["key"].clone()).collect();
    assert_eq!(keys, ["a/b/c", "empty", "ä \"/?", "🦀"]);
    assert_eq!(pairs[0]["value_base64"], "AP8KDQA=");
    assert_eq!(pairs[1]["value"], "");
    server.stop().await;
}

#[tokio::test]
async fn limits_hold_at_and_above_them() {
    let (_folder, server) = alone().await;
    let largest = "v".repeat(65_536);
    assert_eq!(server.put("/kv/x", &largest).await.status, 200);
    assert_eq!(server.get("/kv/x").await.body.len(), 65_536);
    let larger = server.put("/kv/x", &format!("{largest}v")).await;
    assert_eq!((larger.status, larger.problem()), (413, "too-large".into()));
    let absurd = server.put("/kv/x", &largest.repeat(5)).await;
    assert_eq!((absurd.status, absurd.problem()), (413, "too-large".into()));
    let key = "k".repeat(256);
    assert_eq!(server.put(&format!("/kv/{key}"), "1").await.status, 200);
    let longer = server.put(&format!("/kv/{key}k"), "1").await;
    assert_eq!((longer.status, longer.problem()), (400, "bad-request".into()));
    assert!(longer.detail().contains("256"), "{}", longer.detail());
    assert_eq!(server.get("/kv/%FF").await.problem(), "bad-request");
    server.stop().await;
}

#[tokio::test]
async fn conditions_on_revisions_and_on_values() {
    let (_folder, server) = alone().await;
    let put = async |path: &str, headers: &[(&str, &str)], body: &str| {
        server.ask(Method::PUT, path, headers, body.as_bytes()).await
    };
    let first = put("/kv/x", &[("if-none-match", "*")], "1").await.json()["revision"].as_u64().unwrap();
    let there = put("/kv/x", &[("if-none-match", "*")], "2").await;
    assert_eq!((there.status, there.problem()), (412, "precondition-failed".into()));
    assert_eq!(there.json()["revision"], first);
    let second = put("/kv/x", &[("if-match", &format!("\"{first}\""))], "2").await.json()["revision"].clone();
    let late = put("/kv/x", &[("if-match", &format!("\"{first}\""))], "3").await;
    assert_eq!((late.status, &late.json()["revision"]), (412, &second));
    assert_eq!(server.get("/kv/x").await.text(), "2");
    // By value.
    let swapped = put("/kv/x?expected=2", &[], "3").await;
    assert_eq!((swapped.status, swapped.json()["replaced"].as_bool()), (200, Some(true)));
    let differs = put("/kv/x?expected_base64=Mg%3D%3D", &[], "4").await;
    assert_eq!((differs.status, differs.problem()), (409, "value-differs".into()));
    assert_eq!(differs.json()["value"], "3");
    assert_eq!(put("/kv/y?expected=1", &[], "4").await.problem(), "value-differs");
    // Deletes have conditions, too.
    let kept = server.ask(Method::DELETE, "/kv/x", &[("if-match", "\"1\"")], b"").await;
    assert_eq!(kept.problem(), "precondition-failed");
    let gone = server.ask(Method::DELETE, "/kv/y", &[("if-match", "\"1\"")], b"").await;
    assert_eq!((gone.problem(), gone.json()["revision"].is_null()), ("precondition-failed".into(), true));
    for (headers, path) in [
        (vec![("if-match", "12")], "/kv/x"),
        (vec![("if-match", "\"a\"")], "/kv/x"),
        (vec![("if-none-match", "\"1\"")], "/kv/x"),
        (vec![("if-match", "\"1\""), ("if-none-match", "*")], "/kv/x"),
        (vec![], "/kv/x?expected=1&expected_base64=MQ"),
        (vec![], "/kv/x?expected_base64=!"),
        (vec![], "/kv/x?expectd=1"),
    ] {
        assert_eq!(put(path, &headers, "9").await.problem(), "bad-request", "{headers:?} {path}");
    }
    assert_eq!(server.get("/kv/x").await.text(), "3");
    server.stop().await;
}

/// Any server takes it, and whatever else is written meanwhile.
#[tokio::test]
async fn a_key_that_must_exist_is_written_if_it_does() {
    let (_folder, _, servers) = several_with(2, |options| options.limits.request = PATIENCE).await;
    let any = ("if-match", "*");
    let put = async |server: &Running, body: &[u8]| server.ask(Method::PUT, "/kv/x", &[any], body).await;
    for server in &servers {
        let absent = put(server, b"1").await;
        assert_eq!((absent.status, absent.problem()), (412, "precondition-failed".into()));
        assert!(absent.json()["revision"].is_null());
        assert_eq!(server.ask(Method::DELETE, "/kv/x", &[any], b"").await.status, 412);
        assert_eq!(server.ask(Method::PUT, "/kv/x?expected=1", &[any], b"2").await.status, 412);
        assert_eq!(server.get("/kv/x").await.status, 404);
    }
    servers[0].put("/kv/x", "0").await;
    let writes = (0..20).map(|number: usize| put(&servers[number % 2], b"1"));
    for (place, written) in futures_util::future::join_all(writes).await.into_iter().enumerate() {
        assert_eq!((written.status, &written.json()["replaced"]), (200, &true.into()), "{place}: {}", written.text());
    }
    let key = ("idempotency-key", "k");
    let refused = servers[1].ask(Method::PUT, "/kv/x", &[any, key], b"2").await;
    assert_eq!(refused.problem(), "bad-request");
    assert!(refused.detail().contains("name the revision"), "{}", refused.detail());
    assert_eq!(servers[1].get("/kv/x").await.text(), "1");
    assert_eq!(servers[1].ask(Method::DELETE, "/kv/x", &[any], b"").await.json()["existed"], true);
    assert_eq!(put(&servers[1], b"3").await.status, 412);
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_value_is_read_only_if_it_has_the_revision_that_is_asked_for() {
    let (_folder, server) = alone().await;
    let tag = server.put("/kv/x", "1").await.header("etag").unwrap().to_owned();
    let ask = async |path: &str, tag: &str| server.ask(Method::GET, path, &[("if-match", tag)], b"").await;
    for tag in [tag.as_str(), "*"] {
        assert_eq!((ask("/kv/x", tag).await.status, ask("/kv/x", tag).await.text()), (200, "1".into()));
        assert_eq!(ask("/kv/y", tag).await.status, 404);
    }
    let other = ask("/kv/x", "\"0\"").await;
    assert_eq!((other.status, other.problem()), (412, "precondition-failed".into()));
    assert_eq!(format!("\"{}\"", other.json()["revision"]), tag);
    assert_eq!(ask("/kv/x", "1").await.problem(), "bad-request");
    server.stop().await;
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let (_folder, server) = alone().await;
    let key = [("idempotency-key", "7c9e6679-7425-40de-944b-e07fc1f90ae7")];
    let put = async |path: &str, body: &str| server.ask(Method::PUT, path, &key, body.as_bytes()).await;
    let first = put("/kv/x", "1").await;
    assert_eq!(first.header("idempotent-replayed"), None);
    server.put("/kv/x", "theirs").await;
    let again = put("/kv/x", "1").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), first.json());
    assert_eq!(server.get("/kv/x").await.text(), "theirs");
    let other = put("/kv/x", "2").await;
    assert_eq!((other.status, other.problem()), (422, "idempotency-key-reused".into()));
    let long = "k".repeat(129);
    for bad in ["", long.as_str()] {
        let answer = server.ask(Method::PUT, "/kv/x", &[("idempotency-key", bad)], b"1").await;
        assert_eq!(answer.problem(), "bad-request", "{bad}");
    }
    server.stop().await;
}

/// What is refused is said in few words, and alike when it is repeated.
#[tokio::test]
async fn a_long_value_is_not_told_by_a_refused_compare_and_set() {
    let (_folder, _, servers) = several(2).await;
    for (value, is_told) in [("v".repeat(256), true), ("v".repeat(257), false), ("\0".repeat(65_536), false)] {
        let revision = servers[0].put("/kv/long", &value).await.json()["revision"].clone();
        let own = format!("\"{revision}\"");
        for (number, server) in servers.iter().enumerate() {
            let key = format!("{number} {revision}");
            for headers in [&[("idempotency-key", key.as_str()), ("if-match", &own)][..1], &[], &[("if-match", &own)]] {
                let ask = async || server.ask(Method::PUT, "/kv/long?expected=x", headers, b"y").await;
                let first = ask().await;
                assert_eq!((first.status, first.problem()), (409, "value-differs".into()), "{}", first.text());
                assert_eq!(first.json()["revision"], revision);
                assert_eq!(first.json().get("value").is_some(), is_told);
                assert!(first.body.len() < 1_000, "{}", first.body.len());
                assert_eq!(ask().await.json(), first.json());
            }
        }
        // What a condition refuses is still its own.
        let other = servers[0].ask(Method::PUT, "/kv/long?expected=x", &[("if-match", "\"1\"")], b"y").await;
        assert_eq!((other.problem(), &other.json()["revision"]), ("precondition-failed".into(), &revision));
    }
    for server in servers {
        server.stop().await;
    }
}

/// Nobody can have all keys forgotten by asking for what is refused.
#[tokio::test]
async fn refused_requests_do_not_make_the_servers_forget_the_others() {
    let (_folder, server) = alone().await;
    server.put("/kv/long", &"v".repeat(65_536)).await;
    let precious = async || server.ask(Method::PUT, "/kv/x", &[("idempotency-key", "precious")], b"mine").await;
    let first = precious().await;
    for number in 0..300 {
        let key = format!("refused {number}");
        let refused = server.ask(Method::PUT, "/kv/long?expected=x", &[("idempotency-key", &key)], b"y").await;
        assert_eq!(refused.status, 409);
    }
    let again = precious().await;
    assert_eq!((again.header("idempotent-replayed"), again.json()), (Some("true"), first.json()));
    server.stop().await;
}

#[tokio::test]
async fn keys_are_listed_in_order_and_in_pages() {
    let (_folder, server) = alone().await;
    for number in 0..25 {
        server.put(&format!("/kv/n/{number:02}"), "v").await;
    }
    server.put("/kv/m", "v").await;
    server.put("/kv/o", "v").await;
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = server.get(&format!("/kv?prefix=n/&limit=10&keys_only=true{after}")).await.json();
        for pair in page["pairs"].as_array().unwrap() {
            assert_eq!(pair.get("value"), None);
            seen.push(pair["key"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, (0..25).map(|number| format!("n/{number:02}")).collect::<Vec<_>>());
    assert_eq!(server.get("/kv?prefix=zzz").await.json()["pairs"], json!([]));
    let revision = async |how: &str| server.get(&format!("/kv?consistency={how}")).await.json()["revision"].clone();
    assert_eq!(revision("local").await, revision("linearizable").await);
    for bad in ["limit=0", "limit=1001", "limit=x", "consistency=none", "unknown=1"] {
        assert_eq!(server.get(&format!("/kv?{bad}")).await.problem(), "bad-request", "{bad}");
    }
    server.stop().await;
}

/// However many pairs are asked for, a list has only so many bytes.
#[tokio::test]
async fn a_list_of_large_values_comes_in_several_pages() {
    let (_folder, server) = alone().await;
    let value = "v".repeat(65_536);
    let count = 30;
    for number in 0..count {
        assert_eq!(server.put(&format!("/kv/{number:02}"), &value).await.status, 200);
    }
    let first = server.get("/kv?limit=1000").await.json();
    let listed = first["pairs"].as_array().unwrap().len();
    assert!(listed < count && listed * value.len() >= 1 << 20, "{listed} of {count}");
    assert_eq!(first["next"], format!("{:02}", listed - 1));
    let second = server.get(&format!("/kv?limit=1000&after={:02}", listed - 1)).await.json();
    assert_eq!((second["pairs"].as_array().unwrap().len(), second["next"].is_null()), (count - listed, true));
    // What counts is what is sent.
    for number in 0..count {
        assert_eq!(server.put(&format!("/kv/{number:02}"), &"\0".repeat(65_536)).await.status, 200);
    }
    let escaped = server.get("/kv?limit=1000").await;
    assert!(escaped.body.len() < 1_500_000, "{}", escaped.body.len());
    assert_eq!(escaped.json()["pairs"].as_array().unwrap().len(), 3);
    // Keys alone are small.
    let keys = server.get("/kv?limit=1000&keys_only=true").await.json();
    assert_eq!(keys["pairs"].as_array().unwrap().len(), count);
    server.stop().await;
}

#[tokio::test]
async fn any_server_takes_any_request() {
    let (_folder, _, servers) = several(3).await;
    for (number, server) in servers.iter().enumerate() {
        let written = server.put(&format!("/kv/k{number}"), "v").await;
        assert_eq!(written.status, 200, "{}", written.text());
        for other in &servers {
            assert_eq!(other.get(&format!("/kv/k{number}")).await.text(), "v");
        }
    }
    // What is wrong is said by the leader as by the others.
    let there = servers[1].ask(Method::PUT, "/kv/k0", &[("if-none-match", "*")], b"2").await;
    assert_eq!(there.problem(), "precondition-failed");
    // What a request says in its headers reaches the leader.
    for server in &servers {
        let put = async |name, value, body: &[u8]| server.ask(Method::PUT, "/kv/k1", &[(name, value)], body).await;
        let key = server.url.rsplit(':').next().unwrap();
        assert_eq!(put("idempotency-key", key, b"once").await.header("idempotent-replayed"), None);
        let again = put("idempotency-key", key, b"once").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        let tag = again.header("etag").unwrap().to_owned();
        assert_eq!(put("if-match", &tag, b"changed").await.status, 200);
        assert_eq!(put("if-match", &tag, b"too late").await.problem(), "precondition-failed");
        assert_eq!(server.get("/kv/k1").await.text(), "changed");
    }
    for server in servers {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_token_is_handed_on_with_its_request() {
    let tokens = tempfile::tempdir().unwrap();
    let client = tokens.path().join("client");
    std::fs::write(&client, "client-client-client\n").unwrap();
    let token = [("authorization", "Bearer client-client-client")];
    let folder = tempfile::tempdir().unwrap();
    let members = super::client::free_addresses(3);
    let mut servers = Vec::new();
    for number in 1..=3 {
        let mut options = super::client::options(folder.path(), number, &members);
        options.client_tokens = Some(client.clone());
        servers.push(super::client::start(options).await);
    }
    for server in &servers {
        // It waits for a leader, and finds it; two of the three have to hand it on.
        let written = server.ask(Method::PUT, "/kv/x", &token, b"1").await;
        assert_eq!(written.status, 200, "{}", written.text());
    }
    for server in servers {
        server.stop().await;
    }
}

/// The leader that takes a write can't reach the other server any more. Whoever asked is told that
/// the outcome is unknown if the write is in the log, and otherwise that it wasn't done.
#[tokio::test]
async fn a_write_that_is_in_the_log_when_its_time_is_over_is_in_doubt() {
    for asked in 0..2 {
        let limit = std::time::Duration::from_secs(1);
        let (_folder, members, servers) = several_with(2, |options| options.limits.request = limit).await;
        let leader = &servers[0];
        servers[1].put("/kv/x", "1").await;
        let last = async || leader.get("/status").await.json()["log"]["last"]["index"].as_u64().unwrap();
        let own = leader.get("/status").await.json()["server"].as_u64().unwrap() as u8;
        let other = members.keys().find(|number| **number != own).unwrap();
        let before = last().await;
        assert_eq!(leader.put(&format!("/links/{other}"), r#"{"cut":true}"#).await.status, 200);
        let written = servers[asked].put("/kv/x", "2").await;
        let expected = if last().await > before { (504, "unknown-outcome") } else { (503, "no-leader") };
        assert_eq!((written.status, written.problem().as_str()), expected, "{}", written.text());
        for server in servers {
            server.stop().await;
        }
    }
}

#[tokio::test]
async fn a_write_waits_for_the_next_leader() {
    let (_folder, _, mut servers) = several(3).await;
    servers[1].put("/kv/x", "1").await;
    let leader = servers.remove(0);
    let (_, written) = tokio::join!(leader.stop(), servers[0].put("/kv/x", "2"));
    // The old leader may have had it already when it stopped; then nobody knows.
    assert!(written.status == 200 || written.problem() == "unknown-outcome", "{}", written.text());
    let written = servers[0].put("/kv/x", "3").await;
    assert_eq!(written.status, 200, "{}", written.text());
    assert_eq!(servers[1].get("/kv/x").await.text(), "3");
    for server in servers {
        server.stop().await;
    }
}

const NOBODY: &str = "no leader is known: 1 of 2 voters answers this server, and a majority is needed";

#[tokio::test]
async fn without_a_majority_nothing_is_promised() {
    let (_folder, _, mut servers) = several(2).await;
    servers[0].put("/kv/x", "1").await;
    let other = servers.pop().unwrap();
    other.stop().await;
    let last = &servers[0];
    let written = last.put("/kv/x", "2").await;
    assert!([503, 504].contains(&written.status), "{}", written.text());
    let read = last.get("/kv/x").await;
    assert_eq!(read.status, 503, "{}", read.text());
    assert!(read.header("retry-after").is_some());
    assert_eq!(last.get("/kv/x?consistency=local").await.text(), "1");
    assert_eq!(last.get("/healthz").await.status, 200);
    last.wait_until("it sees that it leads nobody", |status| status["leader"].is_null()).await;
    let ready = last.get("/readyz").await;
    assert_eq!((ready.status, ready.text()), (503, format!("not ready: {NOBODY}\n")));
    let read = last.get("/kv/x").await;
    assert_eq!((read.status, read.json()["detail"].as_str()), (503, Some(NOBODY)));
    assert_eq!(last.get("/status").await.json()["voters_answering"], 1);
    servers.pop().unwrap().stop().await;
}

#[tokio::test]
async fn what_is_stored_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || super::client::options(folder.path(), 1, &Default::default());
    let server = super::client::start(options()).await;
    let key = [("idempotency-key", "once")];
    let first = server.ask(Method::PUT, "/kv/x", &key, b"1").await;
    server.stop().await;
    let mut without = options();
    without.founding = None;
    let server = super::client::start(without).await;
    let found = server.get("/kv/x").await;
    assert_eq!((found.text(), found.header("etag")), ("1".into(), first.header("etag")));
    let again = server.ask(Method::PUT, "/kv/x", &key, b"1").await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    server.stop().await;
}

#[tokio::test]
async fn tokens_are_needed_where_they_are_asked_for() {
    let tokens = tempfile::tempdir().unwrap();
    let (client, administrator) = (tokens.path().join("client"), tokens.path().join("administrator"));
    std::fs::write(&client, "client-client-client\n").unwrap();
    std::fs::write(&administrator, "admin-admin-admin\n").unwrap();
    let (_folder, server) = alone_with(|options| {
        options.client_tokens = Some(client);
        options.administrator_tokens = Some(administrator);
    })
    .await;
    let refused = server.get("/kv/x").await;
    assert_eq!((refused.status, refused.problem()), (401, "unauthorized".into()));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    assert_eq!(server.get("/healthz").await.status, 200);
    let client = [("authorization", "Bearer client-client-client")];
    assert_eq!(server.ask(Method::PUT, "/kv/x", &client, b"1").await.status, 200);
    let refused = server.ask(Method::DELETE, "/members/2", &client, b"").await;
    assert_eq!((refused.status, refused.problem()), (403, "forbidden".into()));
    assert_eq!(server.ask(Method::GET, "/events", &client, b"").await.problem(), "forbidden");
    let administrator = [("authorization", "Bearer admin-admin-admin")];
    assert_eq!(server.ask(Method::DELETE, "/members/2", &administrator, b"").await.problem(), "membership-refused");
    server.stop().await;
}

/// What isn't understood is refused, and nothing is done: a condition most of all.
#[tokio::test]
async fn what_a_request_says_beyond_what_it_may_say_is_refused() {
    let (_folder, server) = alone().await;
    server.put("/kv/acct", "1").await;
    for (method, path) in [
        (Method::DELETE, "/kv/acct?expected=99"),
        (Method::PUT, "/kv/acct?expect=99"),
        (Method::DELETE, "/members/9?expected=99"),
        (Method::POST, "/members/9/promote?x"),
        (Method::PUT, "/links/2?x=1"),
    ] {
        let refused = server.ask(method.clone(), path, &[], b"{}").await;
        assert_eq!((refused.status, refused.problem()), (400, "bad-request".into()), "{method} {path}");
    }
    assert_eq!(server.get("/kv/acct").await.text(), "1");
    server.stop().await;
}

/// U+FFFD stands in for what isn't UTF-8 in many a decoder; here it is a value like others.
#[tokio::test]
async fn an_address_that_is_no_text_is_never_taken_for_another_one() {
    let (_folder, server) = alone().await;
    server.put("/kv/fffd", "\u{fffd}").await;
    server.put("/kv/%EF%BF%BD", "1").await;
    for path in ["/kv/fffd?expected=%ff", "/kv/fffd?expected=%zz", "/kv/%zz", "/kv/%"] {
        let refused = server.put(path, "2").await;
        assert_eq!((refused.status, refused.problem()), (400, "bad-request".into()), "{path}");
    }
    for path in ["/kv?prefix=%ff", "/kv?after=%ff", "/watch?prefix=%ff"] {
        assert_eq!(server.get(path).await.problem(), "bad-request", "{path}");
    }
    assert_eq!(server.get("/kv/fffd").await.text(), "\u{fffd}");
    assert_eq!(server.put("/kv/fffd?expected=%EF%BF%BD", "a b").await.status, 200);
    assert_eq!(server.put("/kv/fffd?expected=a+b", "c").await.status, 200, "a plus sign is a space");
    server.stop().await;
}

/// A client that has the value already isn't sent it again.
#[tokio::test]
async fn a_value_that_the_client_has_is_not_sent_again() {
    let (_folder, server) = alone().await;
    let tag = server.put("/kv/x", "1").await.header("etag").unwrap().to_owned();
    let ask = async |tags: &str| server.ask(Method::GET, "/kv/x", &[("if-none-match", tags)], b"").await;
    for tags in [tag.clone(), format!("\"0\", W/{tag}"), "*".to_owned()] {
        let same = ask(&tags).await;
        assert_eq!((same.status, same.text(), same.header("etag")), (304, String::new(), Some(tag.as_str())), "{tags}");
    }
    server.put("/kv/x", "2").await;
    assert_eq!((ask(&tag).await.status, ask(&tag).await.text()), (200, "2".into()));
    server.ask(Method::DELETE, "/kv/x", &[], b"").await;
    assert_eq!(ask("*").await.status, 404);
    server.stop().await;
}
