//! What a counterexample's file says of itself, and the table that is made of all of them.

use std::fs;
use std::path::Path;

use raft_core::format::file;
use raft_core::raft::Rule;

use crate::state::{Action, Trouble};
use crate::worlds;

/// Where the table begins in the document.
const BEGIN: &str =
    "<!-- Made by `cargo run --release -p raftarium-model -- counterexamples`. Don't edit it by hand. -->\n";
/// Where it ends.
const END: &str = "<!-- The end of the table. -->\n";

/// The shortest way to go wrong without a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The rule's name.
    pub rule: String,
    /// How many actions it takes.
    pub length: usize,
    /// The property that is violated then.
    pub property: String,
    /// The actions, and what is wrong then, as sentences.
    pub story: String,
}

impl Counterexample {
    /// That of a way through the small world.
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

    /// What its file says of it.
    pub fn note(&self) -> String {
        let Counterexample { rule, length, property, story } = self;
        let actions = if *length == 1 { "action leads" } else { "actions lead" };
        format!("Without {rule}, {length} {actions} to a violation of {property}, and fewer don’t. {story}")
    }

    /// What the file with this note is about.
    pub fn of(note: &str) -> Option<Counterexample> {
        let (rule, rest) = note.strip_prefix("Without ")?.split_once(", ")?;
        let (length, rest) = rest.split_once(" to a violation of ")?;
        let length = length.split(' ').next()?;
        let (property, story) = rest.split_once(", and fewer don’t. ")?;
        let (rule, property, story) = (rule.to_owned(), property.to_owned(), story.to_owned());
        Some(Counterexample { rule, length: length.parse().ok()?, property, story })
    }
}

/// The document with its table made anew of the files in `folder`.
///
/// # Errors
/// A document without a place for the table, or a file that says nothing of itself.
pub fn table_in(document: &str, folder: &Path) -> Result<String, String> {
    let (before, rest) = document.split_once(BEGIN).ok_or("the document has no place where the table begins")?;
    let (_, after) = rest.split_once(END).ok_or("the document has no place where the table ends")?;
    let mut table =
        "\n| without | in a world of, or what that lacks | actions | what is violated | scenario |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for rule in Rule::ALL {
        let name = rule.name();
        let path = folder.join(format!("{name}.json"));
        let row = match (worlds::without(rule), fs::read_to_string(&path)) {
            (Some(world), Ok(text)) => {
                let file = file::read(&text).map_err(|error| format!("{}: {error}", path.display()))?;
                let about = Counterexample::of(&file.note);
                let Counterexample { length, property, .. } =
                    about.ok_or_else(|| format!("{}: its note isn’t a counterexample’s", path.display()))?;
                let link = format!("[{name}.json](../model/counterexamples/{name}.json)");
                format!("| `{name}` | {} | {length} | {property} | {link} |\n", world.describe())
            }
            _ => {
                let reason = lacking(rule).ok_or_else(|| format!("{name} has neither a file nor a reason why not"))?;
                format!("| `{name}` | {reason} | – | – | – |\n")
            }
        };
        table.push_str(&row);
    }
    table.push('\n');
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

/// What the small worlds lack to show what a rule is good for.
pub fn lacking(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::StepDownOnHigherTerm => Some(
            "a sense of progress: nothing unsafe happens, for nobody listens to a leader of an older term, but it never comes back. \
             [Hunts](rules.md) miss it",
        ),
        _ => None,
    }
}
