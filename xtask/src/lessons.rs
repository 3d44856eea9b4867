//! Lessons as the page loads them: planned once, so that it can play one at once. Beside what is
//! shown in each language lies the lesson itself, by which the page judges tasks.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use raft_core::lesson::{Lesson, plan};
use serde_json::{Value, json};

use crate::tools;

/// The seed from which the page plays lessons. Any other would do.
const SEED: u64 = 1;
/// The folder of the lessons, and the file with their names in order.
const FOLDER: &str = "lessons";
const ORDER: &str = "order.txt";

/// Writes all of them into `pkg/`, and the script that lists them.
pub fn write(package: &Path) -> Result<()> {
    let folder = tools::root().join(FOLDER);
    let order = fs::read_to_string(folder.join(ORDER)).with_context(|| format!("cannot read {FOLDER}/{ORDER}"))?;
    ensure!(!order.trim().is_empty(), "{FOLDER}/{ORDER} names no lesson");
    let mut list = String::from(
        "// Made by `cargo xtask build` from lessons/.\n// @ts-nocheck\n\n/**\n * @typedef {object} Listed\n * \
         @property {string} name\n * @property {string} chapter\n * @property {number} minutes\n * @property \
         {Record<string, { title: string, aim: string }>} words by language\n * @property {() => Promise<{ default: \
         unknown }>} source the lesson itself\n * @property {Record<string, () => Promise<{ default: \
         import('../../lab/lessons.d.ts').LessonView }>>} shown by language\n */\n\n/** All lessons, in order. @type \
         {Listed[]} */\nexport const lessons = [\n",
    );
    for name in order.split_whitespace() {
        let text = fs::read_to_string(folder.join(format!("{name}.json")))
            .with_context(|| format!("{FOLDER}/{ORDER} names “{name}”, and there is no such lesson"))?;
        list += &one(name, &text, package).map_err(|error| anyhow!("the lesson “{name}”: {error}"))?;
    }
    fs::write(package.join("lessons.js"), list + "];\n")?;
    Ok(())
}

/// Writes a lesson's files; its line in the list.
fn one(name: &str, text: &str, package: &Path) -> Result<String> {
    let lesson = Lesson::read(text)?;
    let planned = plan(&lesson, SEED)?;
    let source: Value = serde_json::from_str(text)?;
    let write = |file: &str, value: String| -> Result<String> {
        fs::write(package.join(file), value)?;
        Ok(format!("() => import('./{file}')"))
    };
    let source = write(&format!("lesson.{name}.json"), source.to_string())?;
    let (mut shown, mut words) = (Vec::new(), serde_json::Map::new());
    for (language, said) in &lesson.words {
        let view = serde_json::to_string(&lesson.shown(&planned, SEED, language)?)?;
        shown.push(format!("{}: {}", json!(language), write(&format!("lesson.{name}.{language}.json"), view)?));
        words.insert(language.clone(), json!({ "title": said.title, "aim": said.aim }));
    }
    Ok(format!(
        "  {{ name: {}, chapter: {}, minutes: {}, words: {}, source: {source}, shown: {{ {} }} }},\n",
        json!(name),
        json!(lesson.chapter),
        lesson.minutes,
        Value::from(words),
        shown.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_lessons_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let list = fs::read_to_string(folder.path().join("lessons.js")).unwrap();
        let files = fs::read_dir(tools::root().join(FOLDER)).unwrap().map(|entry| entry.unwrap().path());
        let files: BTreeSet<_> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
        assert!(files.len() >= 16, "only {} lessons", files.len());
        for path in &files {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(list.contains(&format!("name: \"{name}\"")), "{ORDER} doesn’t name {name}");
            assert!(folder.path().join(format!("lesson.{name}.en.json")).exists());
        }
        assert_eq!(list.matches("name: ").count(), files.len());
    }
}
