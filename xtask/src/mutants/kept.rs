//! The results of earlier runs. An interrupted run goes on where it stopped, and unchanged mutants
//! aren't run again.

use super::catalogue::{Edit, Mutant};
use super::copy::Sources;
use super::trials::{Hunt, Tests};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

/// The results that are still valid, and the file to which new ones are added.
pub struct Kept {
    sources: Sources,
    known: BTreeMap<u64, (Option<Tests>, Option<Hunt>)>,
    file: Mutex<File>,
}

/// A line of the file: the result of one mutant.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Of the sources, the mutant's edits, and the number of seeds if it is a hunt.
    fingerprint: u64,
    mutant: String,
    tests: Option<Tests>,
    hunt: Option<Hunt>,
}

impl Kept {
    /// Opens the file. Results for other sources than `sources` aren't used; with `fresh`, none
    /// are.
    pub fn open(path: &Path, sources: Sources, fresh: bool) -> Result<Kept> {
        let text = if fresh { String::new() } else { fs::read_to_string(path).unwrap_or_default() };
        let mut known: BTreeMap<u64, (Option<Tests>, Option<Hunt>)> = BTreeMap::new();
        // A line that can't be read is incomplete, or was written by another version.
        for line in text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            let (tests, hunt) = known.entry(line.fingerprint).or_default();
            *tests = line.tests.or(tests.take());
            *hunt = line.hunt.or(hunt.take());
        }
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = Mutex::new(file.with_context(|| format!("cannot write {}", path.display()))?);
        Ok(Kept { sources, known, file })
    }

    /// The result of the tests of that mutant, if they were run before.
    pub fn tests(&self, mutant: &Mutant) -> Option<Tests> {
        self.known.get(&self.fingerprint(mutant, None))?.0.clone()
    }

    /// The result of a hunt for that mutant in so many seeds, if it was run before.
    pub fn hunt(&self, mutant: &Mutant, seeds: u64) -> Option<Hunt> {
        self.known.get(&self.fingerprint(mutant, Some(seeds)))?.1.clone()
    }

    pub fn keep_tests(&self, mutant: &Mutant, tests: &Tests) -> Result<()> {
        self.add(self.fingerprint(mutant, None), mutant, Some(tests.clone()), None)
    }

    pub fn keep_hunt(&self, mutant: &Mutant, seeds: u64, hunt: &Hunt) -> Result<()> {
        self.add(self.fingerprint(mutant, Some(seeds)), mutant, None, Some(hunt.clone()))
    }

    fn add(&self, fingerprint: u64, mutant: &Mutant, tests: Option<Tests>, hunt: Option<Hunt>) -> Result<()> {
        let line = Line { fingerprint, mutant: mutant.name.clone(), tests, hunt };
        let text = serde_json::to_string(&line)? + "\n";
        match self.file.lock() {
            Ok(mut file) => Ok(file.write_all(text.as_bytes())?),
            Err(_) => Ok(()), // Another worker has panicked, and says so.
        }
    }

    fn fingerprint(&self, mutant: &Mutant, seeds: Option<u64>) -> u64 {
        let mut hasher = DefaultHasher::new();
        (if seeds.is_some() { self.sources.hunts } else { self.sources.tests }, seeds).hash(&mut hasher);
        for Edit { file, within, find, replace, form } in &mutant.edits {
            (file, within, find, replace, *form as u8).hash(&mut hasher);
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::catalogue::Form;

    fn mutant(find: &str) -> Mutant {
        let edit =
            Edit { file: "a.rs".into(), within: None, find: find.into(), replace: "b".into(), form: Form::Expression };
        Mutant {
            name: "one".into(),
            what: "It breaks a thing.".into(),
            concern: "log".into(),
            edits: vec![edit],
            equivalent: None,
            survives_tests: None,
            survives_hunts: None,
            outside_hunts: None,
        }
    }

    fn sources(number: u64) -> Sources {
        Sources { tests: number, hunts: number }
    }

    #[test]
    fn what_has_not_changed_is_known_from_an_earlier_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        let kept = Kept::open(&path, sources(1), false).unwrap();
        kept.keep_tests(&mutant("a"), &Tests::Passed).unwrap();
        kept.keep_hunt(&mutant("a"), 100, &Hunt::Nothing).unwrap();
        assert_eq!(kept.tests(&mutant("a")), None, "it is for the next run");
        let kept = Kept::open(&path, sources(1), false).unwrap();
        assert_eq!(kept.tests(&mutant("a")), Some(Tests::Passed));
        assert_eq!(kept.hunt(&mutant("a"), 100), Some(Hunt::Nothing));
        assert_eq!(kept.hunt(&mutant("a"), 200), None, "in other seeds");
        assert_eq!(kept.tests(&mutant("c")), None, "another mutant of that name");
        let kept = Kept::open(&path, Sources { tests: 2, hunts: 1 }, false).unwrap();
        assert_eq!(kept.tests(&mutant("a")), None, "other tests");
        assert_eq!(kept.hunt(&mutant("a"), 100), Some(Hunt::Nothing), "by which no hunt goes");
        assert_eq!(Kept::open(&path, sources(1), true).unwrap().tests(&mutant("a")), None, "asked not to");
    }

    #[test]
    fn a_line_that_was_cut_short_is_no_result() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        Kept::open(&path, sources(1), false).unwrap().keep_tests(&mutant("a"), &Tests::Passed).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert_eq!(Kept::open(&path, sources(1), false).unwrap().tests(&mutant("a")), None);
    }
}
