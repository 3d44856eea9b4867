use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use super::client::{alone, several};

fn document() -> Value {
    serde_json::from_str(raftarium_node::http::OPENAPI).unwrap()
}

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Every path and method of the document is there, and no other method works on a path.
#[tokio::test]
async fn the_document_and_the_server_have_the_same_routes() {
    let (_folder, server) = alone().await;
    let document = document();
    let served: BTreeSet<String> = raftarium_node::http::paths().map(|path| path.replace("{*", "{")).collect();
    let described: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(served, described);
    for path in &described {
        for method in METHODS {
            let is_described = document["paths"][path].get(method).is_some();
            if is_described && (path == "/watch" || path == "/events") {
                continue; // Streams don't end.
            }
            let concrete = path.replace("{server}", "2").replace("{key}", "x");
            let verb: Method = method.to_uppercase().parse().unwrap();
            let answer = server.ask(verb, &concrete, &[], b"").await;
            assert_eq!(answer.status != 405, is_described, "{method} {path}: {}", answer.text());
            if !is_described {
                assert_eq!(answer.problem(), "method-not-allowed");
                continue;
            }
            let responses = document["paths"][path][method]["responses"].as_object().unwrap();
            assert!(responses.contains_key(&answer.status.to_string()), "{method} {path}: {}", answer.status);
        }
    }
    server.stop().await;
}

/// A parameter that is overlooked may have been a condition.
#[tokio::test]
async fn parameters_that_the_document_does_not_have_are_refused() {
    let (_folder, server) = alone().await;
    let document = document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, described) in methods.as_object().unwrap() {
            if !METHODS.contains(&method.as_str()) {
                continue; // What all methods have in common.
            }
            let concrete = path.replace("{server}", "2").replace("{key}", "x");
            let verb: Method = method.to_uppercase().parse().unwrap();
            let answer = server.ask(verb, &format!("{concrete}?nosuch=1"), &[], b"").await;
            assert_eq!((answer.status, answer.problem()), (400, "bad-request".into()), "{method} {path}");
            assert!(described["responses"]["400"].is_object(), "{method} {path}");
        }
    }
    server.stop().await;
}

fn schema<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
        None => schema,
    }
}

/// Checks the little of JSON Schema that the document uses.
fn check(document: &Value, wanted: &Value, found: &Value, place: &str) {
    let wanted = schema(document, wanted);
    let types: Vec<&str> = match &wanted["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        _ => vec![],
    };
    let is = match found {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() || number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.is_empty() || types.contains(&is), "{place} is {is}, not {types:?}");
    if let Some(choices) = wanted["enum"].as_array() {
        assert!(choices.contains(found), "{place} is {found}, none of {choices:?}");
    }
    if let Some(members) = found.as_object() {
        for name in wanted["required"].as_array().into_iter().flatten() {
            assert!(members.contains_key(name.as_str().unwrap()), "{place} lacks {name}");
        }
        if let Some(properties) = wanted["properties"].as_object() {
            for (name, value) in members {
                let property = properties.get(name).unwrap_or_else(|| panic!("{place}.{name} isn't described"));
                check(document, property, value, &format!("{place}.{name}"));
            }
        }
    }
    for (at, item) in found.as_array().into_iter().flatten().enumerate() {
        check(document, &wanted["items"], item, &format!("{place}[{at}]"));
    }
}

#[tokio::test]
async fn answers_are_as_the_document_says() {
    let (_folder, server) = alone().await;
    server.put("/kv/x", "1").await;
    let document = document();
    for (method, path, described, body) in [
        ("get", "/status", "/status", ""),
        ("get", "/members", "/members", ""),
        ("get", "/links", "/links", ""),
        ("get", "/kv?prefix=x", "/kv", ""),
        ("put", "/kv/y", "/kv/{key}", "1"),
        ("put", "/kv/y?expected=2", "/kv/{key}", "1"),
        ("delete", "/kv/y", "/kv/{key}", ""),
        ("get", "/kv/none", "/kv/{key}", ""),
        ("put", "/links/2", "/links/{server}", "{}"),
        ("post", "/members/9/promote", "/members/{server}/promote", ""),
        ("get", "/watch?from=x", "/watch", ""),
        ("get", "/openapi.json", "/openapi.json", ""),
    ] {
        let answer = server.ask(method.to_uppercase().parse().unwrap(), path, &[], body.as_bytes()).await;
        let response = &document["paths"][described][method]["responses"][answer.status.to_string()];
        let media = if answer.status < 300 { "application/json" } else { "application/problem+json" };
        assert_eq!(answer.header("content-type"), Some(media), "{method} {path}");
        check(&document, &response["content"][media]["schema"], &answer.json(), &format!("{method} {path}"));
    }
    server.stop().await;
}

/// The metrics in a text, with their types.
fn types(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect()
}

/// What counts since the start is a counter, and nothing else is.
#[tokio::test]
async fn metrics_have_the_type_that_their_help_says() {
    let (_folder, _, servers) = several(2).await;
    servers[0].put("/kv/x", "1").await;
    let text = servers[0].get("/metrics").await.text();
    let types = types(&text);
    let (mut counters, mut gauges) = (0, 0);
    for (name, kind) in &types {
        let help = text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} "))).unwrap();
        assert_eq!(help.contains("since the start"), *kind == "counter", "{name} is a {kind}: {help}");
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && line.starts_with(name)).collect();
        let of_this = |line: &&str| line[name.len()..].starts_with(['{', ' ']);
        match *kind {
            "counter" => {
                counters += 1;
                let total = format!("{name}_total");
                assert!(samples.iter().any(|line| line.starts_with(&total)), "{name}: {samples:?}");
                assert!(!samples.iter().any(of_this), "{name}: {samples:?}");
            }
            "gauge" => {
                gauges += 1;
                assert!(samples.iter().any(of_this), "{name}: {samples:?}");
                assert!(!name.ends_with("_total"), "{name}");
            }
            kind => assert_eq!(kind, "histogram", "{name}"),
        }
    }
    assert!(counters >= 8 && gauges >= 15, "{counters} counters, {gauges} gauges");
    let sent = |text: &str| -> u64 {
        let sample = text.lines().find_map(|line| line.strip_prefix("raftarium_peer_messages_sent_total{")).unwrap();
        sample.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let before = sent(&text);
    servers[0].put("/kv/x", "2").await;
    assert!(sent(&servers[0].get("/metrics").await.text()) > before);
    for server in servers {
        server.stop().await;
    }
}

/// Alerts speak of metrics that there are.
#[tokio::test]
async fn every_alert_is_about_a_metric_that_there_is() {
    let (_folder, _, mut servers) = several(2).await;
    let server = servers.remove(0);
    server.put("/kv/x", "1").await;
    let metrics = server.get("/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = metrics.text();
    // A counter's samples have another name than the counter.
    let described: BTreeSet<String> = types(&text)
        .into_iter()
        .map(|(name, kind)| if kind == "counter" { format!("{name}_total") } else { name.to_owned() })
        .collect();
    let alerts = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/alerts.yml")).unwrap();
    let mut named = 0;
    for word in alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        if word.starts_with("raftarium_") {
            named += 1;
            assert!(described.contains(word), "{word} is no metric");
        }
    }
    assert!(named > 8, "{named}");
    for line in ["raftarium_is_leader 1", "raftarium_disk_full 0"] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    server.stop().await;
    servers.remove(0).stop().await;
}
