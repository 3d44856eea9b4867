//! What a lesson can contain, for editors and other programs: a JSON Schema, made from the tables
//! of the parameters and the actions.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::form::{ANSWERS, PARTS, SENTENCE_MAX, SENTENCES_MAX, StepKind, VERSION};
use crate::format::schema::{actions_of_lessons, definitions, merged, object, world};

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn list(description: &str, items: Value) -> Value {
    json!({ "type": "array", "description": description, "items": items })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": alloc::format!("#/$defs/{name}") })
}

fn fields<const N: usize>(of: [(&str, Value); N]) -> Map<String, Value> {
    of.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An object whose fields have names of somebody's own.
fn named(description: &str, of: Value) -> Value {
    json!({ "type": "object", "description": description, "additionalProperties": of })
}

/// A line of a course.
fn line() -> Value {
    let until = fields([
        ("until", text("Play until this condition is so.")),
        ("within", merged(reference("length"), json!({ "description": "How long at most: 10s if left out." }))),
    ]);
    let names = fields([("let", named("Give names to what expressions come to now.", json!({ "type": "string" })))]);
    let mut all: Vec<Value> = Vec::new();
    all.push(object("Play on.".to_owned(), &["until"], until));
    all.push(object("Give names.".to_owned(), &["let"], names));
    all.extend(actions_of_lessons());
    json!({ "oneOf": all })
}

/// A step of a kind.
fn step(kind: StepKind) -> Value {
    let course = |about: &str| list(about, reference("line"));
    let conditions = |about: &str| list(about, json!({ "type": "string" }));
    let mut all = fields([
        (
            "world",
            merged(reference("world"), json!({ "description": "The step begins a run of its own, in this world." })),
        ),
        ("claims", conditions("A condition for each sentence; empty where it claims nothing that can be checked.")),
        ("say", named("What names in the words stand for.", json!({ "type": "string" }))),
        ("look", list("What to look at: servers, or parts of the page.", json!({ "type": "string" }))),
        ("show", list("The parts of the page that are there from this step on.", json!({ "enum": PARTS }))),
    ]);
    let replies = || conditions("The same for what is said to each answer, or at the end of a task.");
    let (about, needed, own) = match kind {
        StepKind::Told => (
            "Something happens, and is explained.",
            &["told"][..],
            fields([("told", course("What is played before the sentences stand there."))]),
        ),
        StepKind::Predicted => {
            let answers =
                conditions("When each answer is right, once that has been played: at the end exactly one is.");
            let many = json!({ "minItems": ANSWERS.start(), "maxItems": ANSWERS.end() });
            let own = [
                ("predicted", course("What is played once somebody has answered.")),
                ("answers", merged(answers, many)),
                ("replies", replies()),
            ];
            ("Somebody says what will happen, and then it does.", &["predicted", "answers"][..], fields(own))
        }
        StepKind::Done => {
            let own = [
                ("done", text("The condition that it comes to; it isn’t so before the solution.")),
                ("solution", merged(course("One way to come to it."), json!({ "minItems": 1 }))),
                ("replies", replies()),
            ];
            ("Somebody has to reach something.", &["done", "solution"][..], fields(own))
        }
    };
    all.extend(own);
    object(about.to_owned(), needed, all)
}

/// What is said in one language.
fn words() -> Value {
    let sentence = json!({ "type": "string", "maxLength": SENTENCE_MAX });
    let answer = fields([("answer", text("The answer.")), ("reply", text("What is said to those who gave it."))]);
    let answer = object("An answer, and what is said to it.".to_owned(), &["answer", "reply"], answer);
    let sentences = list("What it says.", sentence);
    let step = fields([
        ("heading", text("Its heading.")),
        ("sentences", merged(sentences, json!({ "minItems": 1, "maxItems": SENTENCES_MAX }))),
        ("answers", list("For a prediction.", answer)),
        ("hint", text("For a task: a hint.")),
        ("done", text("For a task: what is said when it is done.")),
    ]);
    let words = fields([
        ("title", text("Its name.")),
        ("aim", text("What one can do after it.")),
        ("and", text("The word between the last two of several servers; “and” if left out.")),
        ("nobody", text("The word for no server; “nobody” if left out.")),
        (
            "steps",
            list(
                "A step each, in the order of the course.",
                object(
                    "What a step says. In braces stand names of values, in brackets terms: `[majorities](majority)`."
                        .to_owned(),
                    &["heading", "sentences"],
                    step,
                ),
            ),
        ),
    ]);
    object("What it says in one language.".to_owned(), &["title", "aim", "steps"], words)
}

/// The JSON Schema of lessons: `docs/lesson.schema.json`.
pub fn json_schema() -> Value {
    let steps = json!({ "oneOf": StepKind::ALL.map(step) });
    let lesson = fields([
        ("$schema", text("Where this schema is, for editors.")),
        ("raftarium-lesson", json!({ "const": VERSION, "description": "The version of the format." })),
        ("chapter", text("The chapter that it belongs to.")),
        (
            "minutes",
            json!({ "type": "integer", "minimum": 0, "maximum": u8::MAX, "description": "How long it takes." }),
        ),
        ("world", merged(reference("world"), json!({ "description": "The world that it begins in." }))),
        ("steps", merged(list("The course, step by step.", steps), json!({ "minItems": 1 }))),
        ("words", named("By language (`en`): what it says.", reference("words"))),
    ]);
    let required = ["raftarium-lesson", "chapter", "minutes", "steps", "words"];
    let about = "A lesson, which plays in a simulated Raft cluster. See docs/lessons.md.";
    let name = json!({
        "type": "string",
        "pattern": r"^\$[A-Za-z_][A-Za-z0-9_]*$",
        "description": "A name that was given, after a dollar sign.",
    });
    let own = json!({
        "name": name,
        "world": object("The world that a run happens in.".to_owned(), &[], world()),
        "line": line(),
        "words": words(),
    });
    merged(
        object(about.to_owned(), &required, lesson),
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Raftarium lesson",
            "$defs": merged(definitions(), own),
        }),
    )
}
