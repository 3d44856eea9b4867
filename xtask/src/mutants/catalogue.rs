//! Reads the planted bugs from `mutants/*.toml`, one file for each concern.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The concerns of the planted bugs; each has its own file.
pub const CONCERNS: [&str; 9] =
    ["election", "log", "membership", "reads", "snapshots", "disks", "kv", "once", "driver"];

/// One planted bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Its name, and the value of the variable that switches it on.
    pub name: String,
    /// What it breaks, in a sentence.
    pub what: String,
    /// The file it stands in, without the ending.
    pub concern: String,
    /// What it changes: in most cases one place.
    pub edits: Vec<Edit>,
    /// If nothing can tell it from the original, why. It isn't counted then.
    pub equivalent: Option<String>,
    /// If the tests don't find it, why.
    pub survives_tests: Option<String>,
    /// If hunts don't find it, why.
    pub survives_hunts: Option<String>,
    /// If it can't change anything in the world that hunts play, what that world lacks. Hunts skip
    /// it then.
    pub outside_hunts: Option<String>,
}

/// A replacement in one place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Below `raft-core/src`.
    pub file: String,
    /// A piece of the file that contains `find` and occurs only once; needed if `find` occurs more
    /// often.
    pub within: Option<String>,
    /// The text to replace. It must occur once.
    pub find: String,
    /// The replacement.
    #[serde(default)]
    pub replace: String,
    /// What kind of code it is.
    #[serde(default)]
    pub form: Form,
}

/// What kind of code is replaced. This decides how the switch is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// An expression by another.
    #[default]
    Expression,
    /// Some statements by others, or by none.
    Statements,
    /// The pattern of a match arm, which is skipped. It has no replacement.
    Arm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    mutant: Vec<WrittenMutant>,
}

/// A mutant with one edit has the edit's fields beside its own; a mutant with several has a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMutant {
    name: String,
    what: String,
    equivalent: Option<String>,
    survives_tests: Option<String>,
    survives_hunts: Option<String>,
    outside_hunts: Option<String>,
    file: Option<String>,
    within: Option<String>,
    find: Option<String>,
    replace: Option<String>,
    form: Option<Form>,
    edit: Option<Vec<Edit>>,
}

/// Reads all files of the folder.
pub fn read(folder: &Path) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for concern in CONCERNS {
        let path = folder.join(concern).with_extension("toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        mutants.extend(parse(concern, &text).with_context(|| path.display().to_string())?);
    }
    let mut names = BTreeSet::new();
    for mutant in &mutants {
        ensure!(names.insert(&mutant.name), "two mutants are called {}: rename one", mutant.name);
    }
    Ok(mutants)
}

fn parse(concern: &str, text: &str) -> Result<Vec<Mutant>> {
    let written: Written = toml::from_str(text)?;
    written.mutant.into_iter().map(|mutant| mutant.checked(concern)).collect()
}

impl WrittenMutant {
    fn checked(self, concern: &str) -> Result<Mutant> {
        let name = self.name;
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        ensure!(plain && !name.is_empty(), "`{name}` is not a name: use small letters, digits and hyphens");
        let edits = match (self.file, self.find, self.edit) {
            (Some(file), Some(find), None) => {
                let (within, replace) = (self.within, self.replace.unwrap_or_default());
                vec![Edit { file, within, find, replace, form: self.form.unwrap_or_default() }]
            }
            (None, None, Some(edits)) if !edits.is_empty() => edits,
            _ => bail!("{name} needs either `file` and `find`, or a list `[[mutant.edit]]` of such"),
        };
        for edit in &edits {
            ensure!(
                edit.form == Form::Arm || edit.find != edit.replace,
                "{name} replaces `{}` by itself",
                edit.find.trim()
            );
            ensure!(edit.form != Form::Arm || edit.replace.is_empty(), "{name}: an arm has no replacement");
        }
        let both = self.survives_hunts.is_some() && self.outside_hunts.is_some();
        ensure!(!both, "{name} can have either `survives_hunts` or `outside_hunts`, not both");
        ensure!(!self.what.trim().is_empty(), "{name} doesn't say what it breaks");
        Ok(Mutant {
            name,
            what: self.what,
            concern: concern.to_owned(),
            edits,
            equivalent: self.equivalent,
            survives_tests: self.survives_tests,
            survives_hunts: self.survives_hunts,
            outside_hunts: self.outside_hunts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_of_one_edit_and_one_of_two_are_read() {
        let text = r#"
            [[mutant]]
            name = "one"
            what = "It breaks a thing."
            file = "raft/a.rs"
            find = "a > b"
            replace = "a >= b"

            [[mutant]]
            name = "two"
            what = "It breaks two."
            survives_hunts = "Nobody looks."
            [[mutant.edit]]
            file = "raft/a.rs"
            find = "f();"
            form = "statements"
            [[mutant.edit]]
            file = "raft/b.rs"
            within = "match x { None => 1 }"
            find = "None"
            form = "arm"
        "#;
        let mutants = parse("log", text).unwrap();
        assert_eq!(mutants[0].edits[0].replace, "a >= b");
        assert_eq!((mutants[1].edits[0].form, mutants[1].edits[1].form), (Form::Statements, Form::Arm));
        assert_eq!(mutants[1].survives_hunts.as_deref(), Some("Nobody looks."));
        assert_eq!(mutants[1].concern, "log");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let refused = |fields: &str| {
            let text = format!("[[mutant]]\nname = \"m\"\nwhat = \"w\"\n{fields}");
            format!("{:#}", parse("log", &text).unwrap_err())
        };
        assert!(refused("").contains("m needs either `file` and `find`"));
        assert!(refused("file = \"a\"\nfind = \"x\"\nreplace = \"x\"").contains("replaces `x` by itself"));
        assert!(
            refused("file = \"a\"\nfind = \"x\"\nreplace = \"y\"\nform = \"arm\"")
                .contains("an arm has no replacement")
        );
        assert!(refused("file = \"a\"\nfind = \"x\"\nfond = \"y\"").contains("fond"));
        let text = "[[mutant]]\nname = \"Not A Name\"\nwhat = \"w\"\nfile = \"a\"\nfind = \"x\"\n";
        assert!(format!("{:#}", parse("log", text).unwrap_err()).contains("is not a name"));
    }
}
