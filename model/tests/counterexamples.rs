//! The simulator plays each counterexample in `counterexamples/`, with the rule and without it.

use std::fs;
use std::path::{Path, PathBuf};

use raft_core::format::Run;
use raft_core::format::file;
use raft_core::raft::{Rule, Rules};
use raft_core::trial;
use raftarium_model::counterexample::{Counterexample, lacking, table_in};
use raftarium_model::worlds;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Each file's rule, counterexample and run.
fn all() -> Vec<(Rule, Counterexample, Run)> {
    let files = fs::read_dir(root().join("model/counterexamples")).expect("there is a folder of them");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a file can be read");
        let file = file::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let about = Counterexample::of(&file.note).unwrap_or_else(|| panic!("{}: {}", path.display(), file.note));
        let rule = Rule::named(&about.rule).expect("a rule of that name");
        assert_eq!(path.file_stem().and_then(|stem| stem.to_str()), Some(rule.name()));
        (rule, about, file.run)
    };
    files.map(|entry| read(entry.expect("an entry of the folder").path())).collect()
}

#[test]
fn without_its_rule_each_violates_the_property_that_it_names() {
    for (rule, about, run) in all() {
        assert!(run.scenario.parameters.rules.switched_off().eq([rule]), "{rule:?} alone is switched off");
        let finding = trial::play(&run).expect("a run that was checked").finding;
        let finding = finding.unwrap_or_else(|| panic!("without {rule:?} nothing is wrong"));
        assert_eq!(finding.name(), about.property, "without {rule:?}: {finding}");
    }
}

#[test]
fn with_its_rule_nothing_is_wrong() {
    for (rule, _, mut run) in all() {
        run.scenario.parameters.rules = Rules::ALL;
        let played = trial::play(&run).expect("a run that was checked");
        assert_eq!(played.finding.map(|finding| finding.to_string()), None, "with {rule:?}");
    }
}

#[test]
fn every_rule_has_one_or_a_reason_why_not() {
    let shown: Vec<Rule> = all().into_iter().map(|(rule, ..)| rule).collect();
    for rule in Rule::ALL {
        assert_eq!(worlds::without(rule).is_some(), shown.contains(&rule), "{rule:?}");
        assert_eq!(
            lacking(rule).is_none(),
            shown.contains(&rule),
            "{rule:?} has a file, or a reason why there is none"
        );
    }
}

#[test]
fn the_table_in_the_document_says_what_the_files_say() {
    let document = fs::read_to_string(root().join("docs/model.md")).expect("there is a document");
    let renewed = table_in(&document, &root().join("model/counterexamples")).expect("a table can be made");
    let advice = "renew it: cargo run --release -p raftarium-model -- counterexamples --table-only";
    assert!(document == renewed, "the table in docs/model.md is old: {advice}");
}
