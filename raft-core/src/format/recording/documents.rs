//! The JSON Schema of a line, and the list of events in `docs/formats.md`.

use alloc::format;
use alloc::string::String;

use serde_json::{Map, Value, json};

use super::table::{EVENTS, Fields, Header, Place, Row};
use super::{EVENT, HEADER, VERSION};
use crate::format::json::{definitions, object_schema};
use crate::format::message::message_schema;

/// The JSON Schema of a line of a recording of this minor version (draft 2020-12).
pub fn json_schema() -> Value {
    let header = schema_of(HEADER, json!(VERSION), &[Header::ROWS], &[HEADER]);
    let header = described(header, "The first line.");
    let events = EVENTS.iter().map(|row| {
        let server: &[&str] = if row.by_server { &[EVENT, "server"] } else { &[EVENT] };
        described(schema_of(EVENT, json!(row.name), &[Place::ROWS, row.fields], server), row.doc)
    });
    let mut definitions = definitions();
    definitions.insert("Message".into(), message_schema());
    let lines: Value = [header].into_iter().chain(events).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of a Raftarium recording",
        "description": "The header, or what a server of a cluster observed. See docs/formats.md.",
        "oneOf": lines,
        "$defs": definitions,
    })
}

/// An object with a constant by which it is known, and these fields.
fn schema_of(name: &'static str, constant: Value, rows: &[&[Row]], needed: &[&str]) -> Value {
    let rows = || rows.iter().copied().flatten();
    let fields = rows().map(|row| (row.name, described((row.schema)(), row.doc)));
    let mut schema = object_schema([(name, json!({ "const": constant }))].into_iter().chain(fields));
    let must = rows().filter(|row| row.must).map(|row| row.name).chain(needed.iter().copied());
    schema["required"] = must.collect();
    schema
}

fn described(schema: Value, doc: &str) -> Value {
    let Value::Object(mut fields) = schema else { return schema };
    fields.insert("description".into(), json!(doc.trim()));
    Value::Object(fields)
}

/// The fields of the header and of all lines, and the events with theirs, as tables in Markdown: a
/// part of `docs/formats.md`.
pub fn events_in_words() -> String {
    let mut words = String::from("| field of the header | type | what |\n| --- | --- | --- |\n");
    words += &format!("| **`{HEADER}`** | number | The major version, {VERSION}. |\n");
    words += &rows_in_words(Header::ROWS, "");
    words += "\n| field of every other line | type | what |\n| --- | --- | --- |\n";
    words += &rows_in_words(Place::ROWS, "");
    words += &format!("| **`{EVENT}`** | text | What happened. |\n");
    words += "\n| `event` | field | type | what |\n| --- | --- | --- | --- |\n";
    let mut told: Map<String, Value> = Map::new();
    for row in EVENTS {
        words += &format!("| `{}` | | | {} |\n", row.name, row.doc.trim());
        // Two events have the same fields.
        let names: String = row.fields.iter().map(|row| row.name).collect();
        match told.get(&names).and_then(Value::as_str) {
            Some(first) if !names.is_empty() => words += &format!("| | as with `{first}` | | |\n"),
            _ => words += &rows_in_words(row.fields, "| "),
        }
        told.insert(names, json!(row.name));
    }
    words
}

/// Fields that must be there are in bold type.
fn rows_in_words(rows: &[Row], before: &str) -> String {
    let row = |row: &Row| {
        let name = if row.must { format!("**`{}`**", row.name) } else { format!("`{}`", row.name) };
        let type_name = row.type_name.replace(' ', "");
        let type_name = match type_name.as_str() {
            "history::Line" => "a line of a client history",
            "Content" => "a message",
            "Carried" => "Payload",
            "Vec<Appended>" => "a list of objects with `term`: Term and, if it is known, `payload`: Payload",
            "Vec<EntryId>" => "a list of EntryId",
            "Role" | "Unit" | "Epoch" | "LossReason" | "Weight" => &names_in_words(&(row.schema)()),
            "String" => "text",
            other => other,
        };
        format!("{before}| {name} | {type_name} | {} |\n", row.doc.trim())
    };
    rows.iter().map(row).collect()
}

fn names_in_words(schema: &Value) -> String {
    let names = schema["enum"].as_array().map_or(&[][..], |names| names);
    let names = names.iter().filter_map(Value::as_str).map(|name| format!("`{name}`"));
    names.collect::<alloc::vec::Vec<_>>().join(", ")
}
