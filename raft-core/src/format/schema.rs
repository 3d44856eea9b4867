//! What a scenario file can contain, for other programs: a JSON Schema, and the table by which
//! scripts of the page say what is to be done. Both are made from the tables of the parameters
//! (`sim/parameters.rs`) and the actions (`sim/action.rs`).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::{ACTIONS_MAX, FACT_MAX, LENGTH_MAX, file};
use crate::check::{Guarantee, Property};
use crate::raft::{Message, Rule};
use crate::sim::{MACHINES_MAX, MessageKind, MomentKind, SERVERS_MAX, action_fields, actions, parameters};

/// A parameter.
struct Parameter {
    part: &'static str,
    name: &'static str,
    form: &'static str,
    doc: &'static str,
}

/// A field that actions can have.
struct Field {
    name: &'static str,
    in_files: &'static str,
    form: &'static str,
}

/// What can be done.
struct Row {
    name: &'static str,
    /// Its name in the library, by which other actions' comments refer to it.
    action: &'static str,
    fields: &'static [&'static str],
    doc: &'static str,
}

macro_rules! define_parameters {
    ($($(#[doc = $of:literal])+ $part:ident: $Part:ident { $(
        $(#[doc = $doc:literal])+
        $place:literal ($taken_for:literal) $name:ident: $type:ty = $default:expr, $form:ident $called:literal;
    )+ })+) => {
        /// The parts of the parameters, and what each is about.
        const PARTS: &[(&str, &str)] = &[$((stringify!($part), concat!($($of),+)),)+];

        /// The parameters in their parts, in the order of the file.
        const PARAMETERS: &[Parameter] = &[$($(Parameter {
            part: stringify!($part),
            name: stringify!($name),
            form: stringify!($form),
            doc: concat!($($doc),+),
        },)+)+];
    };
}
parameters!(define_parameters);

macro_rules! define_fields {
    ($($field:ident: $type:ty, $may_be:ident, $name:literal $form:ident, $example:literal;)+) => {
        /// In the order of the file.
        const FIELDS: &[Field] = &[$(Field {
            name: stringify!($field),
            in_files: $name,
            form: stringify!($form),
        },)+];
    };
}
action_fields!(define_fields);

macro_rules! define_actions {
    ($(
        $(#[doc = $doc:literal])+
        $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
    )+) => {
        /// By their numbers in links.
        const ROWS: &[Row] = &[$(Row {
            name: $name,
            action: stringify!($action),
            fields: &[$($(stringify!($only)),+)? $($(stringify!($field)),+)?],
            doc: concat!($($doc),+),
        },)+];
    };
}
actions!(define_actions);

/// A comment as a sentence for readers of files: it calls things by their names in files.
fn said(doc: &str) -> String {
    let mut said = String::new();
    let mut rest = doc.trim();
    while let Some((before, after)) = rest.split_once("[`") {
        let (path, after) = after.split_once("`]").unwrap_or((after, ""));
        let name = path.rsplit("::").next().unwrap_or(path);
        let name = ROWS.iter().find(|row| row.action == name).map_or(name, |row| row.name);
        said += &format!("{before}`{name}`");
        rest = after;
    }
    said + rest
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// The schema of a form's values.
fn form(form: &str) -> Value {
    match form {
        "length" | "time" | "Length" => reference("length"),
        "share" | "Share" => reference("share"),
        "flag" | "Flag" => json!({ "type": "boolean" }),
        "count" | "Number" => reference("number"),
        "amount" => json!({ "type": "integer", "minimum": 1 }),
        "small" => json!({ "type": "integer", "minimum": 0, "maximum": u8::MAX }),
        "Aim" => reference("target"),
        "Server" => reference("server"),
        "Jump" => reference("jump"),
        "Text" => json!({ "type": "string" }),
        "Kind" => json!({ "enum": MessageKind::ALL.map(MessageKind::name) }),
        "Groups" => json!({
            "type": "array",
            "minItems": 1,
            "maxItems": MACHINES_MAX,
            "items": { "type": "integer", "minimum": 0, "maximum": u8::MAX },
        }),
        other => unreachable!("a form that the schema doesn't know: {other}"),
    }
}

fn described(mut of: Value, description: String) -> Value {
    of["description"] = description.into();
    of
}

pub(crate) fn object(description: String, required: &[&str], properties: Map<String, Value>) -> Value {
    let object = json!({
        "type": "object",
        "description": description,
        "additionalProperties": false,
        "properties": properties,
    });
    if required.is_empty() { object } else { merged(object, json!({ "required": required })) }
}

pub(crate) fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

/// An action's fields, in the order of the file.
fn fields_of(row: &Row) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| row.fields.contains(&field.name))
}

/// The JSON Schema of scenario files: `docs/scenario.schema.json`.
pub fn json_schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let mut properties = Map::new();
    let mut add = |name: &str, of: Value| properties.insert(name.to_owned(), of);
    add("$schema", text("Where this schema is, for editors."));
    add("raftarium", json!({ "const": file::VERSION, "description": "The version of the format." }));
    add("note", text("What the run is about, for people."));
    add("seed", reference("seed"));
    add("until", described(reference("length"), "How far to play.".into()));
    let hash = text("The run's trace hash there: a version that plays the run differently says so.");
    add("hash", merged(hash, json!({ "pattern": "^[0-9a-fA-F]{16}$" })));
    add("found", what_was_found());
    for (name, of) in world() {
        add(&name, of);
    }
    let action = |row: &Row| {
        let mut properties = Map::new();
        properties.insert("at".into(), reference("length"));
        properties.insert("do".into(), json!({ "const": row.name }));
        properties.extend(fields_of(row).map(|field| (field.in_files.to_owned(), form(field.form))));
        let required: Vec<&str> = ["at", "do"].into_iter().chain(fields_of(row).map(|field| field.in_files)).collect();
        object(said(row.doc), &required, properties)
    };
    add(
        "actions",
        json!({
            "type": "array",
            "maxItems": ACTIONS_MAX,
            "description": "What is done, in the order of time.",
            "items": { "oneOf": ROWS.iter().map(action).collect::<Vec<_>>() },
        }),
    );
    let about =
        "A run of a simulated Raft cluster: the world it happens in, and what is done to it. See docs/formats.md.";
    let schema = object(about.into(), &["raftarium", "seed"], properties);
    merged(
        schema,
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Raftarium scenario",
            "$defs": definitions(),
        }),
    )
}

/// The world that a run happens in.
pub(crate) fn world() -> Map<String, Value> {
    let mut world = Map::new();
    let servers = json!({
        "type": "integer",
        "minimum": 1,
        "maximum": SERVERS_MAX,
        "description": "How many servers there are at first; 5 if left out.",
    });
    world.insert("servers".into(), servers);
    for (part, about) in PARTS {
        let of = PARAMETERS.iter().filter(|parameter| parameter.part == *part);
        let fields = of.map(|of| (of.name.to_owned(), described(form(of.form), said(of.doc))));
        world.insert((*part).into(), object(said(about), &[], fields.collect()));
    }
    let without = json!({
        "type": "array",
        "description": "Rules of Raft that are switched off. `raftarium rules` lists them.",
        "items": { "enum": Rule::ALL.map(Rule::name) },
    });
    world.insert("without".into(), without);
    world
}

/// What can be done in a lesson: without a time, and with names in the place of servers.
pub(crate) fn actions_of_lessons() -> Vec<Value> {
    let named = |field: &Field| match field.form {
        "Aim" | "Server" | "Groups" => json!({ "anyOf": [form(field.form), reference("name")] }),
        other => form(other),
    };
    let action = |row: &Row| {
        let mut properties = Map::new();
        properties.insert("do".into(), json!({ "const": row.name }));
        properties.extend(fields_of(row).map(|field| (field.in_files.to_owned(), named(field))));
        let required: Vec<&str> = ["do"].into_iter().chain(fields_of(row).map(|field| field.in_files)).collect();
        object(said(row.doc), &required, properties)
    };
    ROWS.iter().map(action).collect()
}

/// What was found wrong with the run.
fn what_was_found() -> Value {
    let mut fields = Map::new();
    let what = json!({ "enum": Guarantee::ALL.map(Guarantee::name), "description": "What doesn't hold." });
    fields.insert("what".into(), what);
    fields.insert("at".into(), described(reference("length"), "When it showed: not after `until`.".into()));
    let fact = |about: &str| json!({ "type": "string", "maxLength": FACT_MAX, "description": about });
    fields.insert("first".into(), fact("What was so, where playing the run doesn't show it."));
    fields.insert("second".into(), fact("What contradicts it."));
    let about = "What was found wrong with the run. A claim: whoever plays the run judges anew.";
    object(about.into(), &["what", "at"], fields)
}

/// What can be found wrong with a run, in words: a part of `docs/formats.md`.
pub fn guarantees_in_words() -> String {
    let names = Guarantee::ALL.map(|guarantee| format!("`{}`", guarantee.name()));
    format!("{}.\n", names.join(", "))
}

/// Forms that several fields have.
pub(crate) fn definitions() -> Value {
    let text =
        |pattern: &str, description: &str| json!({ "type": "string", "pattern": pattern, "description": description });
    let seed = "A whole number below 2 to the power of 64, as a text, because not every program keeps all its digits.";
    let length = "A length of time of at most a day, like 50ms or 1.25s; no finer than a microsecond.";
    let jump = "A length of time, forwards or (with a minus) backwards.";
    let target = "A server, or the leader of the highest term, or a server with a write on its way to its disk; \
                  leader and writer are looked up when the time comes.";
    json!({
        "seed": text("^[0-9]{1,20}$", seed),
        "length": text(r"^[0-9]+(\.[0-9]+)? *(us|µs|ms|s|min|h)$", length),
        "jump": text(r"^-?[0-9]+(\.[0-9]+)? *(us|µs|ms|s|min|h)$", jump),
        "share": text(r"^[0-9]+(\.[0-9]+)? *%$", "A share, like 2.5%; no finer than 0.0001%."),
        "server": text("^S[1-9][0-9]*$", "A server, like S3."),
        "target": text("^(S[1-9][0-9]*|leader|writer)$", target),
        "number": { "type": "integer", "minimum": 0 },
    })
}

/// The list of what can be done, as a table in Markdown: a part of `docs/formats.md`.
pub fn actions_in_words() -> String {
    let form = |field: &Field| match field.form {
        "Aim" => "a target".to_owned(),
        "Server" => "a server".to_owned(),
        "Share" => "a share".to_owned(),
        "Jump" => "a length, or minus a length".to_owned(),
        "Flag" => "true or false".to_owned(),
        "Length" => "a length".to_owned(),
        "Groups" => "a number for each server".to_owned(),
        "Number" => "a number".to_owned(),
        "Text" => "a text".to_owned(),
        _ => {
            let kinds = MessageKind::ALL.map(|kind| format!("`{}`", kind.name()));
            format!("one of {}", kinds.join(", "))
        }
    };
    let row = |row: &Row| {
        let fields: Vec<String> =
            fields_of(row).map(|field| format!("`{}`: {}", field.in_files, form(field))).collect();
        format!("| `{}` | {} | {} |\n", row.name, fields.join("; "), said(row.doc))
    };
    "| `do` | fields | what |\n| --- | --- | --- |\n".to_owned() + &ROWS.iter().map(row).collect::<String>()
}

/// What the page needs of these tables at once, as a JavaScript module.
pub fn tables_for_the_page() -> String {
    // What a value is in a script. Numbers are as the library has them: servers by their numbers,
    // times in microseconds, shares in parts per million.
    let script_type = |of: &Field| match of.form {
        "Flag" => "boolean",
        "Text" | "Kind" => "string",
        "Groups" => "number[]",
        "Aim" => "number | 'leader' | 'writer'",
        _ => "number",
    };
    let script_action = |row: &Row| {
        let fields = fields_of(row).map(|of| format!(", {}: {}", of.in_files, script_type(of))).collect::<String>();
        format!("{{ do: '{}'{fields} }}", row.name)
    };
    let in_files = |name: &&str| FIELDS.iter().find(|field| field.name == *name).map(|field| field.in_files);
    let actions: Map<String, Value> =
        ROWS.iter().map(|row| (row.name.into(), row.fields.iter().map(in_files).collect())).collect();
    let actions = Value::from(actions);
    let mut module = String::from("// Made by `cargo xtask build` from the tables in raft-core (format/schema.rs).\n");
    let mut add = |about: &str, of: &str, name: &str, value: Value| {
        module += &format!("\n/** {about} @type {{{of}}} */\nexport const {name} = {value};\n");
    };
    let of = "Record<string, string[]>";
    add("By the name of an action: its fields, in the order in which `Run.act` takes them.", of, "fields", actions);
    add("No run is longer, in microseconds.", "number", "longestRun", LENGTH_MAX.as_micros().into());
    add("No run has more servers, those that have left included.", "number", "mostServers", MACHINES_MAX.into());
    let properties = &Property::ALL[..Property::OF_EVERY_RUN];
    let names = |of: &dyn Fn(&Property) -> bool| -> Vec<Value> {
        properties.iter().filter(|one| of(one)).map(|one| one.name().into()).collect()
    };
    add("What is checked after every event.", "string[]", "properties", names(&|_| true).into());
    add("What of that is harm, and not only a broken promise.", "string[]", "harm", names(&|one| one.is_harm()).into());
    let moments = MomentKind::ALL.map(MomentKind::name);
    let of_moments = "Kinds of moments. In a set of them, bit n stands for number n.";
    add(of_moments, "string[]", "moments", moments.to_vec().into());
    let signs: Vec<Value> = (Message::SIGNS.to_owned() + Message::OTHER_SIGNS).lines().map(Value::from).collect();
    let kinds = MessageKind::ALL.map(MessageKind::name);
    add("Kinds of messages, as actions name them.", "string[]", "kinds", kinds.to_vec().into());
    add("What is drawn as a message, by the numbers in frames.", "string[]", "signs", signs.into());
    let all = ROWS.iter().map(script_action).collect::<Vec<_>>().join("\n *   | ");
    module + "\n/**\n * What can be done, as scripts of the page say it.\n * @typedef {" + &all + "} Action\n */\n"
}
