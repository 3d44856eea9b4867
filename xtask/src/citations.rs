//! Whatever source a sentence of the page cites can be looked up there: `www/words/sources.js`
//! says what it says.

use std::collections::BTreeSet;
use std::fs;

use crate::tools;

/// Where sentences are written that the page shows with what they cite.
const CITING: [&str; 5] = [
    "raft-core/src/raft/sentences.rs",
    "raft-core/src/raft/rules.rs",
    "raft-core/src/sim/news.rs",
    "www/run/rules.js",
    "www/words/guarantees.js",
];

/// The works that are cited.
const WORKS: [&str; 3] = ["Raft", "dissertation", "raft-dev"];

/// The texts in double or single quotes of a source's lines, without its comments.
fn texts(source: &str) -> impl Iterator<Item = &str> {
    let lines = source.lines().filter(|line| {
        let line = line.trim_start();
        !(line.starts_with("//") || line.starts_with('*') || line.starts_with("/*"))
    });
    lines.flat_map(|line| ['"', '\''].into_iter().flat_map(move |quote| line.split(quote).skip(1).step_by(2)))
}

/// What a text cites, if it is a citation: “dissertation §6.2, §9.6” are two.
fn cited(text: &str) -> Vec<String> {
    let Some(work) =
        WORKS.iter().find(|work| text.strip_prefix(**work).is_some_and(|rest| rest.starts_with([' ', ','])))
    else {
        return Vec::new();
    };
    let rest = &text[work.len()..];
    let place = rest.trim_start_matches([' ', ',']);
    match place {
        _ if *work == "raft-dev" => vec![text.to_owned()],
        _ if place.starts_with('§') => place.split(", ").map(|section| format!("{work} {section}")).collect(),
        _ if place.starts_with("Figure ") => vec![text.to_owned()],
        _ => Vec::new(),
    }
}

/// Every figure that a text names without its work: it is the paper's.
fn figures(text: &str) -> Vec<String> {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    text.split("Figure ").skip(1).map(|rest| format!("Raft Figure {}", digits(rest))).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(tools::root().join(path)).unwrap()
}

/// The names under which sources are explained.
fn explained() -> BTreeSet<String> {
    let table = read("www/words/sources.js");
    let keys = table.lines().filter_map(|line| line.strip_prefix("  '")?.strip_suffix("': ["));
    keys.map(str::to_owned).collect()
}

#[test]
fn every_source_that_is_cited_is_explained_and_no_other() {
    let explained = explained();
    let mut all = BTreeSet::new();
    for path in CITING {
        let source = read(path);
        let found: Vec<String> = texts(&source).flat_map(|text| [cited(text), figures(text)].concat()).collect();
        assert!(!found.is_empty(), "{path} cites nothing");
        all.extend(found);
    }
    // A rule's source need not be a work.
    all.extend(raft_core::raft::Rule::ALL.map(|rule| rule.source().to_owned()));
    let lacking: Vec<_> = all.difference(&explained).collect();
    assert!(lacking.is_empty(), "cited, and not explained in www/words/sources.js: {lacking:?}");
    let idle: Vec<_> = explained.difference(&all).collect();
    assert!(idle.is_empty(), "explained in www/words/sources.js, and nowhere cited: {idle:?}");
    assert!(all.len() > 20, "only {} sources were found", all.len());
}

#[test]
fn citations_are_told_from_other_texts() {
    assert_eq!(cited("Raft §5.2"), ["Raft §5.2"]);
    assert_eq!(cited("dissertation §6.2, §9.6"), ["dissertation §6.2", "dissertation §9.6"]);
    assert_eq!(cited("Raft Figure 2"), ["Raft Figure 2"]);
    assert_eq!(cited("raft-dev, July 2015"), ["raft-dev, July 2015"]);
    assert_eq!(cited("Raft is safe"), [""; 0]);
    assert_eq!(cited("Raftarium §1"), [""; 0]);
    assert_eq!(figures("overwritten, as in Figure 8"), ["Raft Figure 8"]);
    let source = "// \"Raft §1\"\nsay(\"Raft §2\", \"b\"); x('c')\n * 'Raft §3'\n";
    assert_eq!(texts(source).collect::<Vec<_>>(), ["Raft §2", "b", "c"]);
}
