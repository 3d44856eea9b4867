//! The copy of the workspace under `target/mutants/` that holds all planted bugs.

use super::catalogue::Mutant;
use super::splice::{Planted, splice, without_const};
use crate::tools;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The variable that switches a mutant on, by its name.
pub const VARIABLE: &str = "RAFT_MUTANT";

/// Folders that are copied.
const FOLDERS: [&str; 3] = ["raft-core", "cli", "lessons"];
/// Single files that the compiler and the tests need besides.
const FILES: [&str; 4] = ["Cargo.lock", "rust-toolchain.toml", "docs/formats.md", "docs/scenario.schema.json"];

/// Where the library's source is.
const SOURCE: &str = "raft-core/src";

/// The folder of everything that is generated here.
pub fn folder() -> PathBuf {
    tools::root().join("target/mutants")
}

/// The copy's own workspace.
pub fn workspace() -> PathBuf {
    folder().join("workspace")
}

/// Fingerprints of the sources without the mutants.
#[derive(Debug, Clone, Copy)]
pub struct Sources {
    /// Of everything that a test depends on.
    pub tests: u64,
    /// Of everything that a hunt depends on: the same without the tests.
    pub hunts: u64,
}

/// Writes the copy. It leaves unchanged files alone, so that they needn't be compiled again.
pub fn write(mutants: &[Mutant]) -> Result<Sources> {
    let (root, copy) = (tools::root(), workspace());
    let mut files = BTreeSet::new();
    for folder in FOLDERS {
        list(&root.join(folder), Path::new(folder), &mut files)?;
    }
    files.extend(FILES.map(PathBuf::from));
    let mut texts = BTreeMap::new();
    for file in files {
        let text = fs::read(root.join(&file)).with_context(|| format!("cannot read {}", file.display()))?;
        texts.insert(file, text);
    }
    let sources = Sources {
        tests: hash(&texts, |_| true),
        hunts: hash(&texts, |file| !file.starts_with("raft-core/tests") && !file.starts_with("cli/tests")),
    };
    let mut planted = planted(mutants)?;
    let mut others = BTreeMap::new();
    for (path, text) in &texts {
        if let Ok(file) = path.strip_prefix(SOURCE)
            && let (Some(file), Ok(text)) = (file.to_str(), str::from_utf8(text))
            && !planted.contains_key(file)
        {
            others.insert(file.to_owned(), text.to_owned());
        }
    }
    without_const(&mut planted.values_mut().chain(others.values_mut()).collect::<Vec<_>>());
    for (file, text) in planted.into_iter().chain(others) {
        texts.insert(Path::new(SOURCE).join(file), text.into());
    }
    let library = Path::new(SOURCE).join("lib.rs");
    if let Some(text) = texts.get_mut(&library) {
        text.extend_from_slice(b"\n#[doc(hidden)]\npub mod mutant;\n");
    }
    texts.insert(Path::new(SOURCE).join("mutant.rs"), switches(mutants).into());
    texts.insert("Cargo.toml".into(), manifest(&fs::read_to_string(root.join("Cargo.toml"))?)?.into());
    remove_others(&copy, &texts)?;
    for (file, text) in texts {
        let path = copy.join(file);
        if fs::read(&path).is_ok_and(|there| there == text) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(sources)
}

fn hash(texts: &BTreeMap<PathBuf, Vec<u8>>, counts: impl Fn(&Path) -> bool) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (file, text) in texts.iter().filter(|(file, _)| counts(file)) {
        (file, text).hash(&mut hasher);
    }
    hasher.finish()
}

/// The files that have mutants, with all their mutants in place.
pub fn planted(mutants: &[Mutant]) -> Result<BTreeMap<String, String>> {
    let mut files: BTreeMap<&str, Vec<Planted<'_>>> = BTreeMap::new();
    for (place, mutant) in mutants.iter().enumerate() {
        for edit in &mutant.edits {
            files.entry(&edit.file).or_default().push((place + 1, &mutant.name, edit));
        }
    }
    let (mut texts, mut misplaced) = (BTreeMap::new(), Vec::new());
    for (file, edits) in files {
        let path = tools::root().join(SOURCE).join(file);
        let source = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        match splice(&source, &edits) {
            Ok(text) => _ = texts.insert(file.to_owned(), text),
            Err(error) => misplaced.push(format!("{error:#}")),
        }
    }
    ensure!(misplaced.is_empty(), "some mutants don't fit the source:\n{}", misplaced.join("\n"));
    Ok(texts)
}

/// All files below a folder, by their paths from the root, without build output.
fn list(folder: &Path, path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = path.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            files.insert(path);
        } else if entry.file_name() != "target" {
            list(&entry.path(), &path, files)?;
        }
    }
    Ok(())
}

/// Removes files that were copied before and don't exist any more.
fn remove_others(copy: &Path, texts: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    let mut there = BTreeSet::new();
    for folder in FOLDERS.iter().filter(|folder| copy.join(folder).is_dir()) {
        list(&copy.join(folder), Path::new(folder), &mut there)?;
    }
    for file in there.iter().filter(|file| !texts.contains_key(*file)) {
        fs::remove_file(copy.join(file))?;
    }
    Ok(())
}

/// The workspace's manifest, for the copied packages. It allows unused code, since a mutant can
/// leave some.
fn manifest(text: &str) -> Result<String> {
    let mut manifest: toml::Table = toml::from_str(text).context("Cargo.toml")?;
    let workspace = manifest.get_mut("workspace").and_then(|value| value.as_table_mut());
    let workspace = workspace.context("Cargo.toml has no workspace")?;
    workspace.insert("members".into(), vec!["raft-core", "cli"].into());
    workspace.insert("lints".into(), toml::from_str::<toml::Table>("[rust]\nunused = \"allow\"")?.into());
    Ok(toml::to_string(&manifest)?)
}

/// The module with the switches.
fn switches(mutants: &[Mutant]) -> String {
    let mut names = String::new();
    for mutant in mutants {
        let _ = writeln!(names, "    \"{}\",", mutant.name);
    }
    format!(
        "//! Which planted bug is on, if one is.\n\n\
         extern crate std as platform;\n\n\
         use self::platform::sync::LazyLock;\n\
         use self::platform::{{env, panic}};\n\n\
         /// By number, from 1.\n\
         static NAMES: [&str; {}] = [\n{names}];\n\n\
         static ACTIVE: LazyLock<usize> = LazyLock::new(|| match env::var(\"{VARIABLE}\") {{\n    \
             Err(_) => 0,\n    \
             Ok(name) => match NAMES.iter().position(|known| *known == name) {{\n        \
                 Some(place) => place + 1,\n        \
                 None => panic!(\"there is no mutant {{name}}\"),\n    \
             }},\n\
         }});\n\n\
         /// Whether the mutant of that number is on.\n\
         #[inline]\n\
         pub fn on(number: usize) -> bool {{\n    *ACTIVE == number\n}}\n",
        mutants.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::catalogue;

    #[test]
    fn every_mutant_has_its_place_in_the_source() {
        let mutants = catalogue::read(&tools::root().join("mutants")).unwrap_or_else(|error| panic!("{error:#}"));
        let texts = planted(&mutants).unwrap_or_else(|error| panic!("{error:#}"));
        for (file, text) in texts {
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }

    #[test]
    fn the_copys_manifest_is_the_workspaces_own_with_fewer_members() {
        let text = "[workspace]\nmembers = [\"a\", \"b\"]\n\n[workspace.lints.rust]\nunused_must_use = \"deny\"\n\n\
                    [profile.dev]\nopt-level = 1\n";
        let copied = manifest(text).unwrap();
        assert!(copied.contains("\"raft-core\", \"cli\"") && copied.contains("opt-level = 1"), "{copied}");
        assert!(!copied.contains("deny"), "{copied}");
    }
}
