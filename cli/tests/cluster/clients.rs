//! `put`, `get`, `delete`, `cas`, `list`, `watch`, `members` and `status`, beside a server that the
//! test plays.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fake::{Fake, Reply, answer, nobody, problem};
use crate::support::{Done, FINE, Killed, NO, UNKNOWN, UNUSABLE, USAGE, command, folder, raftarium};

/// A command, with these servers.
fn ask(servers: &[&str], arguments: &[&str]) -> Done {
    let servers = servers.join(",");
    raftarium(folder().path(), &[arguments, &["--servers", &servers]].concat())
}

fn written(revision: u64) -> Reply {
    answer(200, &json!({ "revision": revision, "replaced": false }))
}

#[test]
fn a_put_sends_the_value_with_a_key_of_its_own() {
    let fake = Fake::start(|number, _| written(number as u64 + 7));
    assert_eq!(ask(&[&fake.address], &["put", "a/ü ?", "blue"]).ended(FINE).out(), "new, revision 7\n");
    let json = ask(&[&fake.address], &["put", "x", "", "--json"]).ended(FINE).json();
    assert_eq!(json, json!({ "revision": 8, "replaced": false, "replayed": false }));
    let all = fake.received();
    assert_eq!((all[0].line.as_str(), all[0].body.as_slice()), ("PUT /kv/a%2F%C3%BC%20%3F", &b"blue"[..]));
    assert_eq!((all[1].line.as_str(), all[1].body.as_slice()), ("PUT /kv/x", &b""[..]));
    let keys: Vec<_> = all.iter().map(|request| request.header("idempotency-key").expect("a key")).collect();
    assert!(keys.iter().all(|key| key.len() == 32) && keys[0] != keys[1], "{keys:?}");
}

#[test]
fn a_value_comes_from_the_standard_input_or_a_file() {
    let fake = Fake::always(written(1));
    let folder = folder();
    let bytes = b"\x00\xff\r\n\x1b";
    fs::write(folder.path().join("value"), bytes).unwrap();
    raftarium(folder.path(), &["put", "x", "--file", "value", "--servers", &fake.address]).ended(FINE);
    let mut child = command(folder.path(), &["cas", "x", "", "-", "--servers", &fake.address]);
    let mut child = Killed(child.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
    child.0.stdin.take().unwrap().write_all(bytes).unwrap();
    assert!(child.0.wait().unwrap().success());
    let all = fake.received();
    assert!(all.iter().all(|request| request.body == bytes), "{all:?}");
    assert_eq!(all[1].line, "PUT /kv/x?expected=");
    raftarium(folder.path(), &["put", "x", "--file", "none", "--servers", &fake.address])
        .complained("none can't be read");
    assert_eq!(fake.received().len(), 2);
}

#[test]
fn a_get_prints_the_value_s_bytes_and_nothing_else() {
    let bytes = b"\x1b[2J\xff\n";
    let fake = Fake::always(Reply::Answer(200, vec![("etag", "\"12\"".into())], bytes.to_vec()));
    assert_eq!(ask(&[&fake.address], &["get", "x"]).ended(FINE).bytes, bytes);
    let json = ask(&[&fake.address], &["get", "x", "--json", "--consistency", "local"]).ended(FINE).json();
    assert_eq!(json, json!({ "key": "x", "value_base64": "G1sySv8K", "revision": 12 }));
    assert_eq!(fake.lines(), ["GET /kv/x?consistency=linearizable", "GET /kv/x?consistency=local"]);
}

#[test]
fn a_no_is_not_a_failure() {
    let missing = Fake::always(problem(404, "no-such-key", json!({})));
    let done = ask(&[&missing.address], &["get", "x"]).ended(NO);
    assert_eq!((done.out().as_str(), done.err.as_str()), ("", "the detail of no-such-key\n"));
    // What is there instead is said, to people and to programs.
    let cases = [
        (json!({ "value": "a\u{1b}\nb", "revision": 4 }), ": it is “a\\u{1b}\\nb”, of revision 4\n"),
        (json!({ "value_base64": "/w==", "revision": 5 }), ": it is “\\xff”, of revision 5\n"),
        (json!({ "value": "x".repeat(5_000), "revision": 6 }), "x”, of revision 6\n"),
        (json!({}), "value-differs\n"),
    ];
    for (there, words) in cases {
        let other = Fake::always(problem(409, "value-differs", there.clone()));
        let done = ask(&[&other.address], &["cas", "x", "blue", "red"]).ended(NO);
        assert!(done.err.starts_with("the detail of value-differs") && done.err.ends_with(words), "{}", done.err);
        assert!(done.err.len() < 1_500 && done.out().is_empty(), "{}", done.err);
        let json = ask(&[&other.address], &["cas", "x", "blue", "red", "--json"]).ended(NO).json();
        for (name, value) in there.as_object().unwrap() {
            assert_eq!(&json["error"][name], value);
        }
        if there == json!({}) {
            assert!(json["error"]["value"].is_null() && json["error"]["revision"].is_null(), "{json}");
            assert!(json["error"].as_object().unwrap().contains_key("value"), "{json}");
        }
    }
    let condition = Fake::always(problem(412, "precondition-failed", json!({})));
    ask(&[&condition.address], &["put", "x", "1", "--if-absent"]).ended(NO);
    ask(&[&condition.address], &["put", "x", "1", "--if-revision", "7"]).ended(NO);
    ask(&[&condition.address], &["delete", "x", "--if-revision", "8"]).ended(NO);
    let all = condition.received();
    assert_eq!(all[0].header("if-none-match"), Some("*"));
    assert_eq!((all[1].header("if-match"), all[2].header("if-match")), (Some("\"7\""), Some("\"8\"")));
    assert_eq!(all.len(), 3, "a no isn't asked for twice");
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused() {
    let cases: [(&[&str], &str); 11] = [
        (&["put", "x"], "required"),
        (&["put", "", "1"], "a key has at least one character"),
        (&["put", "x", "1", "--file", "y"], "cannot be used with"),
        (&["put", "x", "1", "--if-absent", "--if-revision", "1"], "cannot be used with"),
        (&["put", "x", "1", "--key", "a b"], "a call's key has"),
        (&["get", "x", "--servers", "8101"], "write host:port"),
        (&["get", "x", "--timeout", "0s"], "longer than nothing"),
        (&["list", "--limit", "0"], "0 is not in"),
        (&["members", "add", "0", "a:1", "b:1"], "no server's number"),
        (&["members", "add", "4", "a", "b:1"], "is no address"),
        (&["get", "x", "--consistency", "eventual"], "possible values"),
    ];
    for (arguments, words) in cases {
        let done = raftarium(folder().path(), arguments).ended(USAGE);
        assert!(done.err.contains(words), "{arguments:?}: {}", done.err);
    }
}

/// Whoever names a folder means the cluster in it, whatever the environment says.
#[test]
fn a_folder_that_is_named_counts_more_than_the_environment() {
    let fake = Fake::always(written(1));
    let folder = folder();
    let mut put = command(folder.path(), &["put", "a", "b", "--data", "."]);
    Done::of(put.env("RAFTARIUM_SERVERS", &fake.address).output().unwrap()).complained("holds no cluster");
    assert!(fake.received().is_empty());
}

#[test]
fn servers_that_are_not_there_are_passed_over() {
    let fake = Fake::always(written(1));
    ask(&[&nobody(), &nobody(), &fake.address], &["put", "x", "1"]).ended(FINE);
    assert_eq!(fake.received().len(), 1);
    // From the environment, too.
    let folder = folder();
    let mut get = command(folder.path(), &["put", "x", "1"]);
    let done = Done::of(get.env("RAFTARIUM_SERVERS", format!("{},{}", nobody(), fake.address)).output().unwrap());
    done.ended(FINE);
    assert_eq!(fake.received().len(), 2);
    // Nobody at all is told at once, and nothing can have been done.
    let (one, other) = (nobody(), nobody());
    ask(&[&one, &other], &["put", "x", "1", "--timeout", "10min"])
        .complained(&format!("no server could be reached at {one}, {other} ("));
}

#[test]
fn the_leader_that_a_server_names_is_asked_next() {
    let leader = Fake::always(written(5));
    let bystander = Fake::always(written(6));
    let hint = json!({ "leader": { "server": 3, "http": leader.address }, "retry_after": 1 });
    let follower = Fake::always(problem(503, "no-leader", hint));
    let done = ask(&[&follower.address, &bystander.address], &["put", "x", "1"]).ended(FINE);
    assert_eq!(done.out(), "new, revision 5\n");
    assert_eq!((follower.received().len(), leader.received().len(), bystander.received().len()), (1, 1, 0));
    let key = |fake: &Fake| fake.received()[0].header("idempotency-key").map(str::to_owned);
    assert_eq!(key(&follower), key(&leader), "it is the same call");
}

/// Each would hold the request until its time is over: it was removed, say.
#[test]
fn servers_that_know_no_leader_are_passed_over_for_one_that_does() {
    let status = |is_ready: bool| answer(200, &json!({ "server": 1, "cluster": "c", "is_ready": is_ready }));
    let removed = || {
        Fake::start(move |_, request| match request.line.as_str() {
            "GET /status" => status(false),
            _ => problem(503, "no-leader", json!({ "retry_after": 1 })),
        })
    };
    let (first, second) = (removed(), removed());
    let member = Fake::start(move |_, request| match request.line.as_str() {
        "GET /status" => status(true),
        _ => written(5),
    });
    let all = [&first.address[..], &second.address, &member.address];
    ask(&all, &["put", "x", "1"]).ended(FINE);
    ask(&all, &["members", "remove", "2"]).ended(FINE);
    let lines = |fake: &Fake| fake.lines().into_iter().filter(|line| line != "GET /status").collect::<Vec<_>>();
    assert_eq!(lines(&first), ["PUT /kv/x", "DELETE /members/2"]);
    assert!(lines(&second).is_empty(), "{:?}", second.lines());
    assert_eq!(lines(&member), ["PUT /kv/x", "DELETE /members/2"]);
    // A refusal of a later version that says that another try may do isn't the end.
    let other = Fake::start(move |_, request| match request.line.as_str() {
        "GET /status" => status(false),
        _ => problem(503, "no-member", json!({ "retry_after": 1 })),
    });
    ask(&[&other.address, &member.address], &["put", "x", "1"]).ended(FINE);
}

#[test]
fn two_servers_that_name_each_other_are_not_asked_without_a_pause() {
    // A server gives way to the next for ever, as in an election that doesn't end.
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let elsewhere = nobody();
    let fake = Fake::start(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        problem(503, "no-leader", json!({ "leader": { "server": 2, "http": elsewhere } }))
    });
    let done = ask(&[&fake.address], &["get", "x", "--timeout", "1s"]).ended(UNUSABLE);
    assert!(done.err.contains("the detail of no-leader"), "{}", done.err);
    let asked = asked.load(Ordering::SeqCst);
    assert!((2..=11).contains(&asked), "{asked} times in a second");
}

#[test]
fn a_write_without_an_answer_is_made_again_with_the_same_key() {
    let fake = Fake::start(|number, _| match number {
        0 => Reply::Close,
        1 => problem(504, "unknown-outcome", json!({})),
        _ => Reply::Answer(
            200,
            vec![("idempotent-replayed", "true".into())],
            br#"{"revision":3,"existed":true}"#.to_vec(),
        ),
    });
    let done = ask(&[&fake.address], &["delete", "x", "--key", "order-17"]).ended(FINE);
    assert_eq!(done.out(), "deleted, revision 3 (done before, by a call with the same key)\n");
    let all = fake.received();
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|request| request.header("idempotency-key") == Some("order-17")), "{all:?}");
}

#[test]
fn a_write_whose_outcome_stays_unknown_says_so_and_what_to_do() {
    for reply in [problem(504, "unknown-outcome", json!({})), Reply::Close, answer(502, &json!({}))] {
        let fake = Fake::always(reply);
        let done = ask(&[&fake.address], &["put", "x", "1", "--timeout", "300ms"]).ended(UNKNOWN);
        let key = fake.received()[0].header("idempotency-key").unwrap().to_owned();
        assert!(done.err.contains(&format!("make the same call again with --key {key}")), "{}", done.err);
        let done =
            ask(&[&fake.address], &["put", "x", "1", "--timeout", "300ms", "--key", "k", "--json"]).ended(UNKNOWN);
        assert_eq!(
            (&done.json()["error"]["kind"], &done.json()["error"]["key"]),
            (&"unknown-outcome".into(), &"k".into())
        );
    }
    // A doubt isn't taken back by a refusal.
    let fake =
        Fake::start(|number, _| if number == 0 { Reply::Close } else { problem(401, "unauthorized", json!({})) });
    ask(&[&fake.address], &["put", "x", "1"]).ended(UNKNOWN);
    // But a read that was refused simply failed.
    let fake = Fake::always(problem(504, "unknown-outcome", json!({})));
    ask(&[&fake.address], &["get", "x", "--timeout", "300ms"]).ended(UNUSABLE);
}

#[test]
fn a_server_that_stands_still_does_not_use_up_the_time_of_the_others() {
    // Connections come about, and nothing else does.
    let still = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = still.local_addr().unwrap().to_string();
    let fake = Fake::always(written(1));
    ask(&[&address, &fake.address], &["put", "x", "1", "--timeout", "2s"]).ended(FINE);
    assert_eq!(fake.received().len(), 1);
    drop(still);
}

#[test]
fn a_change_of_the_membership_is_asked_for_once() {
    let fake = Fake::always(Reply::Close);
    let other = Fake::always(answer(200, &json!({})));
    let done = ask(&[&fake.address, &other.address], &["members", "remove", "2"]).ended(UNKNOWN);
    assert!(done.err.contains("look before you ask for it again"), "{}", done.err);
    assert_eq!((fake.lines(), other.received().len()), (vec!["DELETE /members/2".to_owned()], 0));
    // What never left is asked of the next one.
    let there = [&nobody()[..], &other.address];
    ask(&there, &["members", "add", "S4", "127.0.0.1:7104", "127.0.0.1:8104"]).ended(FINE);
    let moved = ask(&there, &["members", "move", "4", "--http", "127.0.0.1:8114"]).ended(FINE);
    assert!(moved.out().contains("Whether it answers there wasn't looked at"), "{}", moved.out());
    ask(&there, &["members", "move", "4", "--http", "127.0.0.1:8114", "--unseen"]).ended(FINE);
    let seen = Fake::always(answer(200, &json!({ "seen": true })));
    let moved = ask(&[&seen.address], &["members", "move", "4", "--http", "127.0.0.1:8114"]).ended(FINE);
    assert_eq!(moved.out(), "S4 answers at its new place, and the members know it\n");
    let unaware = Fake::always(answer(200, &json!({ "seen": true, "unaware": [2] })));
    let moved = ask(&[&unaware.address], &["members", "move", "4", "--http", "127.0.0.1:8114"]).ended(FINE);
    assert!(moved.out().starts_with("S4 answers at its new place, and S2 doesn't know it yet"), "{}", moved.out());
    ask(&there, &["members", "move", "4"]).ended(USAGE);
    ask(&there, &["members", "promote", "4"]).ended(FINE);
    assert_eq!(ask(&there, &["members", "transfer", "4"]).ended(FINE).out(), "S4 leads now\n");
    let all = other.received();
    let lines = [
        "POST /members",
        "PATCH /members/4",
        "PATCH /members/4",
        "POST /members/4/promote",
        "POST /members/4/transfer",
    ];
    assert_eq!(other.lines(), lines);
    assert_eq!(all[1].body, br#"{"http":"127.0.0.1:8114"}"#);
    assert_eq!(all[2].body, br#"{"http":"127.0.0.1:8114","unseen":true}"#);
    let member: Value = serde_json::from_slice(&all[0].body).unwrap();
    assert_eq!(member, json!({ "server": 4, "peer": "127.0.0.1:7104", "http": "127.0.0.1:8104" }));
}

#[test]
fn tokens_come_from_a_file() {
    let fake = Fake::start(|_, request| match request.header("authorization") {
        Some("Bearer 0123456789abcdef") => answer(200, &json!({ "revision": 1, "pairs": [], "next": null })),
        _ => problem(401, "unauthorized", json!({})),
    });
    let folder = folder();
    fs::write(folder.path().join("token"), "\n0123456789abcdef\nother\n").unwrap();
    let arguments = ["list", "--servers", &fake.address];
    raftarium(folder.path(), &arguments).complained("the detail of unauthorized");
    assert_eq!(fake.received().len(), 1, "a refusal isn't asked for twice");
    raftarium(folder.path(), &[&arguments[..], &["--token-file", "token"]].concat()).ended(FINE);
    let mut list = command(folder.path(), &arguments);
    Done::of(list.env("RAFTARIUM_TOKEN_FILE", "token").output().unwrap()).ended(FINE);
    fs::write(folder.path().join("token"), "\n").unwrap();
    raftarium(folder.path(), &[&arguments[..], &["--token-file", "token"]].concat()).complained("token holds no token");
    fs::write(folder.path().join("token"), "a\tb").unwrap();
    raftarium(folder.path(), &[&arguments[..], &["--token-file", "token"]].concat()).complained("that no token has");
}

#[test]
fn what_is_no_raftarium_is_named() {
    let fake = Fake::always(Reply::Answer(404, Vec::new(), b"<html>".to_vec()));
    let words = format!("{} answers with status 404, and not as a Raftarium server would", fake.address);
    ask(&[&fake.address], &["get", "x"]).complained(&words);
    let fake = Fake::always(Reply::Answer(301, vec![("location", "http://127.0.0.1:1/".into())], Vec::new()));
    ask(&[&fake.address], &["get", "x"]).complained("answers with status 301");
    let fake = Fake::always(Reply::Answer(200, Vec::new(), b"<html>".to_vec()));
    ask(&[&fake.address], &["list"]).complained("isn't the JSON that was expected");
}

#[test]
fn a_list_goes_on_until_its_end() {
    let fake = Fake::start(|number, _| {
        let page = |pairs, next: Option<&str>| answer(200, &json!({ "revision": 9, "pairs": pairs, "next": next }));
        match number % 2 {
            0 => {
                page(json!([{ "key": "a", "value": "1\n", "revision": 1 }, { "key": "b&", "revision": 2 }]), Some("b&"))
            }
            _ => page(json!([{ "key": "c\u{1b}", "value_base64": "/w==", "revision": 3 }]), None),
        }
    });
    let done = ask(&[&fake.address], &["list", "p/"]).ended(FINE);
    assert_eq!(done.out(), "a = 1\\n\nb&\nc\\u{1b} = \\xff\n");
    let lines = ask(&[&fake.address], &["list", "--keys-only", "--json"]).ended(FINE).json_lines();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["key"], "c\u{1b}");
    assert_eq!(ask(&[&fake.address], &["list", "--limit", "2"]).ended(FINE).out().lines().count(), 2);
    let first = "GET /kv?prefix=p%2F&limit=100&keys_only=false&consistency=linearizable";
    assert_eq!(fake.lines()[..2], [first.to_owned(), format!("{first}&after=b%26")]);
    assert_eq!(fake.lines()[4], "GET /kv?prefix=&limit=2&keys_only=false&consistency=linearizable");
}

#[test]
fn a_watch_goes_on_where_it_was_without_a_gap() {
    let stream = |text: &str| Reply::Answer(200, vec![("content-type", "text/event-stream".into())], text.into());
    let fake = Fake::start(move |number, _| match number {
        0 => answer(200, &json!({ "revision": 4, "pairs": [], "next": null })),
        1 => stream(
            "id: 5\nevent: put\ndata: {\"key\":\"x\",\"value\":\"1\",\"revision\":5}\n\n: nothing new up to 7\nid: 7\n\n",
        ),
        2 => stream("id: 8\nevent: delete\ndata: {\"key\":\"x\",\"revision\":8}\n\n"),
        3 => problem(503, "busy", json!({})),
        _ => problem(410, "revision-gone", json!({})),
    });
    let done = ask(&[&fake.address], &["watch", "p"]).ended(NO);
    assert_eq!(done.out(), "5 put x = 1\n8 delete x\n");
    assert_eq!(done.err, "the detail of revision-gone\n");
    let all = fake.lines();
    assert_eq!(all[0], "GET /kv?limit=1&keys_only=true");
    let from: Vec<_> = all[1..].iter().map(|line| line.rsplit_once('=').unwrap().1).collect();
    assert_eq!(from, ["5", "8", "9", "9"]);
    assert!(all[1].starts_with("GET /watch?prefix=p&"), "{all:?}");
}

/// In a rolling restart every connection ends in its turn, and none may have told anything. Only
/// the time without any server counts.
#[test]
fn an_idle_watch_outlives_all_its_connections() {
    let stream = |text: &str| Reply::Answer(200, vec![("content-type", "text/event-stream".into())], text.into());
    let fake = Fake::start(move |number, _| match number {
        0 => answer(200, &json!({ "revision": 4, "pairs": [], "next": null })),
        1..=3 => {
            // Longer than the command may be without a server.
            thread::sleep(Duration::from_millis(250));
            stream("")
        }
        4 => stream("id: 5\nevent: put\ndata: {\"key\":\"x\",\"value\":\"1\",\"revision\":5}\n\n"),
        _ => problem(410, "revision-gone", json!({})),
    });
    let done = ask(&[&fake.address, &nobody()], &["watch", "--timeout", "200ms"]).ended(NO);
    assert_eq!(done.out(), "5 put x = 1\n");
    let from: Vec<_> = fake.lines()[1..].iter().map(|line| line.rsplit_once('=').unwrap().1.to_owned()).collect();
    assert_eq!(from, ["5", "5", "5", "5", "6"]);
    // Without any server, it ends.
    let fake = Fake::start(|number, _| match number {
        0 => answer(200, &json!({ "revision": 4, "pairs": [], "next": null })),
        _ => Reply::Close,
    });
    let done = ask(&[&fake.address], &["watch", "--timeout", "200ms"]).ended(UNUSABLE);
    assert!(done.err.contains("the next revision would have been 5"), "{}", done.err);
}

fn status_of(server: u8, role: &str, term: u64, address: &str) -> Value {
    json!({
        "server": server, "cluster": "x", "role": role, "term": term, "leader": { "server": 1, "http": null },
        "log": { "first_index": 1, "last": { "index": 9, "term": term }, "durable_index": 9 },
        "commit_index": 9, "applied_index": 9, "disk": "fine", "may_vote": true,
        "members": [{ "server": server, "kind": "voter", "peer": null, "http": address }],
    })
}

#[test]
fn a_status_shows_all_servers_and_obeys_none() {
    let hostile = "\u{1b}]0;owned\u{7}";
    let fake = Fake::always(answer(200, &status_of(1, hostile, 3, "x:1")));
    let gone = nobody();
    let done = ask(&[&fake.address, &gone], &["status"]).ended(FINE);
    assert!(!done.out().contains('\u{1b}') && done.out().contains("\\u{1b}]0;owned\\u{7}"), "{}", done.out());
    assert!(done.out().contains("9@3") && done.out().contains("unreachable"), "{}", done.out());
    let json = ask(&[&fake.address, &gone], &["status", "--json"]).ended(FINE).json();
    let servers = json["servers"].as_array().unwrap();
    assert_eq!(servers[0]["status"]["log"]["last"]["index"], 9);
    assert!(servers.iter().any(|server| server["http"] == *gone && server["reachable"] == false), "{json}");
    ask(&[&gone], &["status"]).ended(UNUSABLE);
}

#[test]
fn a_live_view_tells_each_change_where_there_is_no_terminal() {
    let fake =
        Fake::start(|number, _| answer(200, &status_of(1, if number < 2 { "follower" } else { "leader" }, 3, "")));
    let folder = folder();
    for (form, first, second) in
        [(None, "S1 follower in term 3", "S1 leader in term 3"), (Some("--json"), "\"role\":\"leader\"", "")]
    {
        let arguments = ["status", "--watch", "--servers", &fake.address];
        let arguments = [&arguments[..], form.as_slice()].concat();
        let mut child = Killed(command(folder.path(), &arguments).stdout(Stdio::piped()).spawn().unwrap());
        let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
        let mut next = || lines.next().expect("it goes on").expect("text");
        for words in [first, second].iter().filter(|words| !words.is_empty()) {
            let line = next();
            assert!(line.contains(words), "{line}");
        }
    }
}

/// Servers that wait for a leader answer late. The last one's answer must not be drowned by a try
/// that has no time left.
#[test]
fn a_late_refusal_is_not_made_a_doubt() {
    let fake = Fake::start(|_, _| {
        thread::sleep(Duration::from_millis(1_100));
        problem(503, "no-leader", json!({}))
    });
    let done = ask(&[&fake.address], &["put", "x", "1", "--timeout", "2s"]).ended(UNUSABLE);
    assert!(done.err.contains("the detail of no-leader"), "{}", done.err);
    assert_eq!(fake.lines().iter().filter(|line| line.starts_with("PUT")).count(), 1);
}

/// Without a majority, servers say no after a while of their own, which has nothing to do with how
/// long the command is to try.
#[test]
fn a_command_tries_as_long_as_it_is_told_to() {
    let slow = Duration::from_millis(1_500);
    for (timeout, tries) in [(1, 1), (4, 2)] {
        let fake = Fake::start(move |_, request| {
            if request.line.ends_with("/status") {
                return answer(200, &json!({ "server": 1, "is_ready": false }));
            }
            thread::sleep(slow);
            problem(503, "no-leader", json!({}))
        });
        let began = Instant::now();
        let done = ask(&[&fake.address], &["get", "x", "--timeout", &format!("{timeout}s")]).ended(UNUSABLE);
        let took = began.elapsed().as_millis();
        // What can't be confirmed in time isn't an answer; what was said in time is.
        let said = if tries == 1 { "no answer within the time limit" } else { "the detail of no-leader" };
        assert!(done.err.contains(said), "{}", done.err);
        let at_least = timeout * 1_000;
        assert!((at_least - 100..at_least + 1_500).contains(&took), "{timeout} s became {took} ms");
        assert_eq!(fake.lines().iter().filter(|line| line.starts_with("GET /kv")).count(), tries);
    }
}

#[test]
fn a_leader_that_comes_late_is_still_asked() {
    let fake = Fake::start(|number, request| match number {
        0 => {
            thread::sleep(Duration::from_millis(1_600));
            problem(503, "no-leader", json!({}))
        }
        1..=3 => answer(200, &json!({ "server": 1, "is_ready": false })),
        _ if request.line == "GET /status" => answer(200, &json!({ "server": 1, "is_ready": true })),
        _ => written(7),
    });
    let done = ask(&[&fake.address], &["put", "x", "1", "--timeout", "3s"]).ended(FINE);
    assert_eq!(done.out(), "new, revision 7\n");
    assert_eq!(fake.lines().len(), 6, "{:?}", fake.lines());
}

/// A help that doesn't name the exit codes would leave scripts to guess.
#[test]
fn the_help_says_how_commands_end() {
    for name in ["put", "get", "delete", "cas", "list", "watch", "members", "status"] {
        let help = raftarium(folder().path(), &[name, "--help"]).ended(FINE).out();
        for words in ["Example", "0  done", "1  the answer is no", "4  whether it was done isn't known"] {
            assert!(help.contains(words), "{name}: {help}");
        }
    }
    let help = raftarium(folder().path(), &["cluster", "--help"]).ended(FINE).out();
    assert!(help.contains("Example") && help.contains("3  it can't be done"), "{help}");
}
