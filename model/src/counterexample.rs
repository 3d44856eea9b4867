//! The note in a counterexample's file, and the table of all counterexamples.

use std::fs;
use std::path::Path;

use raft_core::format::file;
use raft_core::raft::Rule;

use crate::state::{Action, Trouble};
use crate::worlds;

/// The line before the table in the document.
const BEGIN: &str =
    "<!-- Made by `cargo run --release -p raftarium-model -- counterexamples`. Don't edit it by hand. -->\n";
/// The line after it.
const END: &str = "<!-- The end of the table. -->\n";

/// The shortest violation without a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The rule's name.
    pub rule: String,
    /// How many actions it takes.
    pub length: usize,
    /// The property that is violated at its end.
    pub property: String,
    /// The actions and the violation, as sentences.
    pub story: String,
}

impl Counterexample {
    /// The counterexample of a path through a small world.
    pub fn new(rule: Rule, actions: &[Action], trouble: &Trouble) -> Counterexample {
        let mut story: Vec<String> = actions.iter().map(|action| format!("{action}.")).collect();
        story.push(format!("Then {trouble}."));
        Counterexample {
            rule: rule.name().to_owned(),
            length: actions.len(),
            property: trouble.name().to_owned(),
            story: story.join(" "),
        }
    }

    /// The note in its file.
    pub fn note(&self) -> String {
        let Counterexample { rule, length, property, story } = self;
        let actions = if *length == 1 { "action leads" } else { "actions lead" };
        format!("Without {rule}, {length} {actions} to a violation of {property}, and fewer don’t. {story}")
    }

    /// The counterexample that this note describes.
    pub fn of(note: &str) -> Option<Counterexample> {
        let (rule, rest) = note.strip_prefix("Without ")?.split_once(", ")?;
        let (length, rest) = rest.split_once(" to a violation of ")?;
        let length = length.split(' ').next()?;
        let (property, story) = rest.split_once(", and fewer don’t. ")?;
        let (rule, property, story) = (rule.to_owned(), property.to_owned(), story.to_owned());
        Some(Counterexample { rule, length: length.parse().ok()?, property, story })
    }
}

/// The document with its table made again from the files in `folder`.
///
/// # Errors
/// The document has no place for the table, or a file has no such note.
pub fn table_in(document: &str, folder: &Path) -> Result<String, String> {
    let (before, rest) = document.split_once(BEGIN).ok_or("the document has no line before the table")?;
    let (_, after) = rest.split_once(END).ok_or("the document has no line after the table")?;
    let mut table =
        "\n| without | world, or what the worlds lack | actions | violated property | scenario |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for rule in Rule::ALL {
        let name = rule.name();
        let path = folder.join(format!("{name}.json"));
        let row = match (worlds::without(rule), fs::read_to_string(&path)) {
            (Some(world), Ok(text)) => {
                let file = file::read(&text).map_err(|error| format!("{}: {error}", path.display()))?;
                let about = Counterexample::of(&file.note);
                let Counterexample { length, property, .. } =
                    about.ok_or_else(|| format!("{}: its note doesn’t describe a counterexample", path.display()))?;
                let link = format!("[{name}.json](../model/counterexamples/{name}.json)");
                format!("| `{name}` | {} | {length} | {property} | {link} |\n", world.describe())
            }
            _ => {
                let reason =
                    lacking(rule).ok_or_else(|| format!("{name} has neither a file nor a reason why there is none"))?;
                format!("| `{name}` | {reason} | – | – | – |\n")
            }
        };
        table.push_str(&row);
    }
    table.push('\n');
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

/// What the small worlds lack to show the need for a rule.
pub fn lacking(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::StepDownOnHigherTerm => Some(
            "progress: nothing unsafe happens, because the others ignore a leader of an older term, but that leader never rejoins. \
             [Hunts](rules.md) find that",
        ),
        _ => None,
    }
}
