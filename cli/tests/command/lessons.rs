//! `raftarium lesson`: a teacher checks a lesson, and reads it aloud.

use std::fs;

use crate::support::{FINE, FOUND, UNUSABLE, folder, raftarium};

/// The example of the document.
fn example() -> &'static str {
    let text = include_str!("../../../docs/lessons.md");
    text.split_once("```json\n").and_then(|(_, rest)| rest.split_once("```")).expect("an example").0
}

#[test]
fn a_lesson_is_checked_and_told() {
    let folder = folder();
    fs::write(folder.path().join("mine.json"), example()).unwrap();
    let said = raftarium(folder.path(), &["lesson", "mine.json"]).ended(FINE).out;
    assert_eq!(said, "mine.json: fine: 3 steps, seeds 0..21\n");
    let told = raftarium(folder.path(), &["lesson", "--tell", "en", "--seeds", "7..8", "mine.json"]).ended(FINE).out;
    assert!(told.contains("1. A leader") && told.contains("S2 leads."), "{told}");
    assert!(told.contains("✓ Somebody") && told.contains("· Nobody"), "{told}");
    let said = raftarium(folder.path(), &["lesson", "--tell", "tlh", "mine.json"]).ended(UNUSABLE).err;
    assert!(said.contains("it says nothing in “tlh”: it has en"), "{said}");
    let json = raftarium(folder.path(), &["lesson", "--json", "mine.json"]).ended(FINE).json();
    assert_eq!(json["fine"], true);
}

#[test]
fn a_lesson_that_claims_what_is_not_so_is_found_out() {
    let folder = folder();
    let wrong = example().replace("size(leaders) = 1", "size(leaders) = 2");
    fs::write(folder.path().join("wrong.json"), &wrong).unwrap();
    fs::write(folder.path().join("mine.json"), example()).unwrap();
    // Each is checked, though the first is wrong.
    let said = raftarium(folder.path(), &["lesson", "wrong.json", "mine.json"]).ended(FOUND).out;
    assert!(said.starts_with("wrong.json: seed 0: step 1, claim 1: “size(leaders) = 2” isn’t so at 0."), "{said}");
    assert!(said.ends_with("mine.json: fine: 3 steps, seeds 0..21\n"), "{said}");
    let json = raftarium(folder.path(), &["lesson", "--json", "wrong.json"]).ended(FOUND).json();
    assert!(json["why"].as_str().unwrap().contains("claim 1"));
    fs::write(folder.path().join("no.json"), "\u{89}PNG").unwrap();
    let said = raftarium(folder.path(), &["lesson", "no.json"]).ended(FOUND).out;
    assert!(said.starts_with("no.json: "), "{said}");
    raftarium(folder.path(), &["lesson", "gone.json"]).ended(UNUSABLE);
}
