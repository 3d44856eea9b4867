//! Checks that no line of a comment is longer than a hundred columns: longer lines are hard to
//! read.

use crate::tools;
use anyhow::{Context, Result, ensure};
use std::fs;
use walkdir::{DirEntry, WalkDir};

/// How wide a line may be that holds only a comment.
const COLUMNS: usize = 100;

/// Fails if a comment of the repository has longer lines, and lists them.
pub fn check() -> Result<()> {
    let root = tools::root();
    let mut found = Vec::new();
    for entry in WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(is_source) {
        let entry = entry?;
        let Some(marks) = entry.file_name().to_str().and_then(marks).filter(|_| entry.file_type().is_file()) else {
            continue;
        };
        let file = entry.path().strip_prefix(&root)?.display();
        let text = fs::read_to_string(entry.path()).with_context(|| format!("{file} can’t be read"))?;
        found.extend(too_long(&text, marks).into_iter().map(|line| format!("{file}:{line}")));
    }
    ensure!(found.is_empty(), "comments go beyond column {COLUMNS}, break them into lines:\n{}", found.join("\n"));
    Ok(())
}

/// Whether it is a source, not generated or installed.
fn is_source(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_str().unwrap_or_default();
    let hidden = entry.depth() > 0 && name.starts_with('.') && name != ".cargo";
    !hidden && !["target", "node_modules", "dist", "pkg", "test-results", "playwright-report"].contains(&name)
}

/// How a line begins that holds only a comment, in a file of this name.
fn marks(file: &str) -> Option<&'static [&'static str]> {
    match file.rsplit_once('.')?.1 {
        "rs" => Some(&["//!", "///", "//"]),
        "js" | "ts" | "css" => Some(&["//", "/**", "/*", "* "]),
        "toml" | "yml" | "yaml" => Some(&["#"]),
        _ => None,
    }
}

/// The numbers of the lines that are too long. Rows of tables, examples and single words can’t be
/// wrapped, and are ignored.
fn too_long(text: &str, marks: &[&str]) -> Vec<usize> {
    let mut example = false;
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(comment) = marks.iter().find_map(|mark| line.trim_start().strip_prefix(mark)) else {
            example = false;
            continue;
        };
        let comment = comment.trim();
        if comment.starts_with("```") {
            example = !example;
        }
        let alone = comment.split_once("*/").is_none_or(|(_, code)| code.is_empty());
        let breaks = comment.contains(' ') && !comment.starts_with('|') && !example;
        if alone && breaks && line.chars().count() > COLUMNS {
            found.push(number);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two words of that many characters together.
    fn words(letters: usize) -> String {
        format!("{} {}", "a".repeat(letters - 2), "b")
    }

    #[test]
    fn comments_may_fill_a_line_and_no_more() {
        let text = format!("// {}\n// {}\nlet x = 1; // {}\n", words(97), words(98), words(98));
        assert_eq!(too_long(&text, marks("a.rs").unwrap()), [2]);
    }

    #[test]
    fn what_can_not_be_broken_may_be_longer() {
        let (word, long) = ("a".repeat(120), words(120));
        let text = format!("/// {word}\n/// | {long} |\n/// ```\n/// {long}\n/// ```\n/// {long}\n");
        assert_eq!(too_long(&text, marks("a.rs").unwrap()), [6]);
    }

    #[test]
    fn an_example_ends_with_its_comment() {
        let text = format!("/// ```\nfn nothing() {{}}\n/// {}\n", words(120));
        assert_eq!(too_long(&text, marks("a.rs").unwrap()), [3]);
    }

    #[test]
    fn each_kind_of_file_has_comments_of_its_own() {
        let text = format!("# {0}\n * {0}\n", words(120));
        assert_eq!(too_long(&text, marks("a.js").unwrap()), [2]);
        assert_eq!(too_long(&text, marks("a.toml").unwrap()), [1]);
        let cast = format!("/** {0} */ (x)\n/** {0} */\n", words(120));
        assert_eq!(too_long(&cast, marks("a.js").unwrap()), [2], "code may be wider");
        assert!(marks("a.md").is_none() && marks("LICENSE").is_none());
    }
}
