//! The JSON Schema accepts what the reader accepts. Checked with a small validator for the parts of
//! JSON Schema that it uses.

use raft_core::check::Guarantee;
use raft_core::format::file::{File, read, write};
use raft_core::format::message::messages_in_words;
use raft_core::format::recording;
use raft_core::format::schema::{actions_in_words, guarantees_in_words, json_schema};
use raft_core::format::{FACT_MAX, Found};
use raft_core::lesson::{self, Lesson};
use raft_core::raft::{Rule, Rules};
use raft_core::sim::Parameters;
use raft_core::time::Time;
use regex_lite::Regex;
use serde_json::{Map, Value, json};

use crate::kept::kept_as_made;
use crate::runs::every_action_in_a_run;

#[test]
fn the_documents_say_what_the_tables_say() {
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    kept_as_made("docs/scenario.schema.json", |_| schema.clone());
    let schema = serde_json::to_string_pretty(&lesson::json_schema()).unwrap() + "\n";
    kept_as_made("docs/lesson.schema.json", |_| schema.clone());
    let schema = serde_json::to_string_pretty(&recording::json_schema()).unwrap() + "\n";
    kept_as_made("docs/recording.schema.json", |_| schema.clone());
    kept_as_made("docs/formats.md", |kept| {
        let lists = [
            ("actions", actions_in_words()),
            ("guarantees", guarantees_in_words()),
            ("messages", messages_in_words()),
            ("events", recording::events_in_words()),
        ];
        lists.into_iter().fold(kept.to_owned(), |kept, (name, made)| put_between(&kept, name, &made))
    });
}

/// Rows of three texts, as the page's formatter wants them.
fn rows_of(texts: impl Iterator<Item = [&'static str; 3]>) -> String {
    let row = |texts: [&str; 3]| {
        let [one, two, three] = texts.map(|text| format!("'{text}'"));
        let row = format!("  [{one}, {two}, {three}],\n");
        if row.chars().count() <= 121 { row } else { format!("  [\n    {one},\n    {two},\n    {three},\n  ],\n") }
    };
    texts.map(row).collect()
}

/// The page has these texts as modules of its own, and not in the simulator's, which each visitor
/// waits for.
#[test]
fn the_page_tells_of_every_guarantee() {
    let rows = rows_of(Guarantee::ALL.into_iter().map(|of| [of.name(), of.says(), of.source()]));
    kept_as_made("www/words/guarantees.js", |_| {
        format!(
            "// @ts-check\n\
            // What runs are judged by: each guarantee's name, what it says, and its source.\n\
            // Made from raft-core/src/check/words.rs by UPDATE_DOCS=1; don't edit it by hand.\n\n\
            /** @type {{[name: string, says: string, source: string][]}} */\n\
            export const guarantees = [\n{rows}];\n"
        )
    });
}

#[test]
fn the_page_tells_of_every_rule() {
    let rows = rows_of(Rule::ALL.into_iter().map(|rule| [rule.name(), rule.prevents(), rule.source()]));
    let about = [
        "@ts-check",
        "Every rule that can be switched off: its name, what goes wrong without it, and the source that",
        "says so. Made from raft-core/src/raft/rules.rs by UPDATE_DOCS=1; don't edit it by hand.",
    ];
    let about: String = about.iter().map(|line| format!("// {line}\n")).collect();
    kept_as_made("www/run/rules.js", |_| {
        format!(
            "{about}\n/** @type {{[name: string, prevents: string, source: string][]}} */\n\
            export const rules = [\n{rows}];\n"
        )
    });
}

/// The document with `list` where the list of these is.
fn put_between(document: &str, these: &str, list: &str) -> String {
    let (begins, ends) = (format!("<!-- {these} -->\n"), format!("<!-- end of {these} -->\n"));
    let (before, rest) = document.split_once(&begins).expect("the list begins");
    let (_, after) = rest.split_once(&ends).expect("the list ends");
    format!("{before}{begins}{list}{ends}{after}")
}

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../docs/scenario.schema.json")).expect("the schema is JSON")
}

/// Whether `value` fits `schema`. A keyword that the validator doesn't know fails the test.
pub fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let keywords = schema.as_object().expect("a schema is an object");
    keywords.iter().all(|(keyword, wanted)| match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" => true,
        "$ref" => {
            let name = wanted.as_str().and_then(|name| name.strip_prefix("#/$defs/")).expect("a definition here");
            fits(root, &root["$defs"][name], value)
        }
        "type" => match wanted.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("null") => value.is_null(),
            Some("integer") => value.is_u64() || value.is_i64(),
            other => panic!("type {other:?}"),
        },
        "const" => value == wanted,
        "enum" => wanted.as_array().unwrap().contains(value),
        "pattern" => value.as_str().is_none_or(|text| Regex::new(wanted.as_str().unwrap()).unwrap().is_match(text)),
        "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= wanted.as_u64().unwrap()),
        "minimum" => value.as_i64().is_none_or(|number| number >= wanted.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|number| number <= wanted.as_i64().unwrap()),
        "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= wanted.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= wanted.as_u64().unwrap()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(root, wanted, item))),
        "required" => {
            let there = |name: &Value| value.get(name.as_str().unwrap()).is_some();
            wanted.as_array().unwrap().iter().all(there)
        }
        "properties" => wanted
            .as_object()
            .unwrap()
            .iter()
            .all(|(name, schema)| value.get(name).is_none_or(|value| fits(root, schema, value))),
        "additionalProperties" => {
            let known = schema.get("properties");
            let mut others = value
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| known.is_none_or(|known| known.get(name).is_none()));
            if wanted == &json!(false) { others.next().is_none() } else { others.all(|(_, of)| fits(root, wanted, of)) }
        }
        "anyOf" => wanted.as_array().unwrap().iter().any(|schema| fits(root, schema, value)),
        "oneOf" => wanted.as_array().unwrap().iter().filter(|schema| fits(root, schema, value)).count() == 1,
        other => panic!("the validator doesn't know {other}"),
    })
}

fn valid(value: &Value) -> bool {
    let schema = schema();
    fits(&schema, &schema, value)
}

fn readable(value: &Value) -> bool {
    read(&value.to_string()).is_ok()
}

/// A file with every field and every action.
fn full() -> Value {
    let mut run = every_action_in_a_run();
    let parameters = &mut run.scenario.parameters;
    parameters.rules = Rule::ALL.into_iter().fold(Rules::ALL, Rules::without);
    parameters.network.loss = 1;
    parameters.disk.fsync_min = raft_core::time::Duration::ZERO;
    parameters.timing.pre_vote = false;
    parameters.limits.entries_kept = 0;
    parameters.clients.count = 0;
    parameters.checks.only_harm = true;
    assert_ne!(*parameters, Parameters::default());
    let facts = ("this".to_owned(), "that".to_owned());
    let found = Found { what: Guarantee::Liveness, at: Time::ZERO, first: facts.0, second: facts.1 };
    let text = write(&File { note: "Everything.".into(), run, found: Some(found), ..File::default() }).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["$schema"] = json!("scenario.schema.json");
    value
}

fn fields(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

#[test]
fn the_schema_has_the_fields_that_are_written_and_no_others() {
    let (schema, full) = (schema(), full());
    assert!(valid(&full) && readable(&full));
    assert_eq!(fields(&schema["properties"]), fields(&full));
    for part in ["found", "network", "disk", "timing", "limits", "clients", "checks"] {
        assert_eq!(fields(&schema["properties"][part]["properties"]), fields(&full[part]), "{part}");
    }
    assert_eq!(schema["properties"]["without"]["items"]["enum"], full["without"]);
    let of_schema = schema["properties"]["actions"]["items"]["oneOf"].as_array().unwrap();
    let of_file = full["actions"].as_array().unwrap();
    assert_eq!(of_schema.len(), of_file.len());
    for (schema, action) in of_schema.iter().zip(of_file) {
        assert_eq!(schema["properties"]["do"]["const"], action["do"]);
        assert_eq!(fields(&schema["properties"]), fields(action), "{action}");
        assert_eq!(schema["required"].as_array().unwrap().len(), action.as_object().unwrap().len());
    }
}

#[test]
fn the_schema_and_the_reader_refuse_the_same() {
    let full = full();
    let both = |value: &Value, expected: bool, why: &str| {
        assert_eq!(valid(value), expected, "the schema: {why}");
        assert_eq!(readable(value), expected, "the reader: {why}");
    };
    // Only the version and the seed are required.
    for field in fields(&full) {
        let mut without = full.clone();
        without.as_object_mut().unwrap().remove(field);
        if field == "servers" || field == "actions" {
            continue; // Actions name the servers.
        }
        both(&without, !["raftarium", "seed"].contains(&field.as_str()), field);
    }
    for part in ["network", "disk", "timing", "limits", "clients", "checks"] {
        for field in fields(&full[part]) {
            let mut changed = full.clone();
            changed[part].as_object_mut().unwrap().remove(field);
            assert!(valid(&changed), "{part}.{field} may be left out");
            changed[part][field] = json!({"not": "this"});
            both(&changed, false, field);
        }
        let mut changed = full.clone();
        changed[part]["more"] = json!(1);
        both(&changed, false, part);
    }
    // What was found is something, at a moment.
    for field in fields(&full["found"]) {
        let mut changed = full.clone();
        changed["found"].as_object_mut().unwrap().remove(field);
        both(&changed, !["what", "at"].contains(&field.as_str()), field);
    }
    let long = "x".repeat(FACT_MAX + 1);
    for (field, value) in [("what", "Luck"), ("at", "soon"), ("first", &long), ("second", &long), ("third", "")] {
        let mut changed = full.clone();
        changed["found"][field] = json!(value);
        both(&changed, false, field);
    }
    for guarantee in Guarantee::ALL {
        let mut changed = full.clone();
        changed["found"]["what"] = json!(guarantee.name());
        both(&changed, true, guarantee.name());
    }
    // An action needs all its fields and takes no others.
    for (place, action) in full["actions"].as_array().unwrap().iter().enumerate() {
        let alone = |action: Map<String, Value>| {
            let mut value = full.clone();
            value["actions"][place] = Value::Object(action);
            value
        };
        let action = action.as_object().unwrap();
        for field in action.keys() {
            let mut changed = action.clone();
            changed.remove(field);
            both(&alone(changed), false, &format!("action {place} without {field}"));
            let mut changed = action.clone();
            changed.insert(field.clone(), json!([]));
            both(&alone(changed), false, &format!("action {place} with another {field}"));
        }
        for (field, value) in [("server", json!("S1")), ("draw", json!(1)), ("more", json!(1)), ("by", json!("1s"))] {
            if !action.contains_key(field) {
                let mut changed = action.clone();
                changed.insert(field.into(), value);
                both(&alone(changed), false, &format!("action {place} with {field}"));
            }
        }
    }
    let cases = [
        ("seed", json!(7)),
        ("seed", json!("7a")),
        ("raftarium", json!(2)),
        ("until", json!(7)),
        ("until", json!("7")),
        ("hash", json!("7")),
        ("servers", json!(0)),
        ("servers", json!("3")),
        ("without", json!(["be-kind"])),
        ("actions", json!({})),
        ("more", json!(1)),
    ];
    for (field, value) in cases {
        let mut changed = full.clone();
        changed[field] = value;
        both(&changed, false, field);
    }
}

/// All that a lesson has that the reader looks at; conditions it reads only when it plays them.
#[test]
fn lessons_fit_their_schema_and_what_is_no_lesson_does_not() {
    let schema = lesson::json_schema();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../lessons");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let whole: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(fits(&schema, &schema, &whole), "{}", path.display());
        seen += 1;
        for (pointer, value) in [
            ("/raftarium-lesson", json!(2)),
            ("/minutes", json!("5")),
            ("/steps", json!([])),
            ("/steps/0", json!({ "told": [], "clams": [] })),
            ("/steps/0", json!({ "told": [], "done": "up = {}" })),
            ("/steps/0", json!({ "claims": [] })),
            ("/words/en/steps/0/sentences", json!(["a", "b", "c", "d"])),
            ("/words/en/steps/0", json!({ "heading": "H" })),
            ("/words/en/title", Value::Null),
        ] {
            let mut broken = whole.clone();
            *broken.pointer_mut(pointer).unwrap() = value;
            assert!(!fits(&schema, &schema, &broken), "{}: {pointer}", path.display());
            assert!(Lesson::read(&broken.to_string()).is_err(), "{}: {pointer}", path.display());
        }
    }
    assert!(seen >= 16, "only {seen} lessons");
}
