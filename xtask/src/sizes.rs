//! The page's size on the wire, and the budgets of its parts.

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// What may be loaded until a cluster lives, gzipped, in bytes.
pub const FIRST_BUDGET: usize = 275_000;
/// The budget of the wasm module of the first load, gzipped, in bytes.
pub const WASM_BUDGET: usize = 175_000;

/// A part of the page that is loaded when something asks for it.
struct Later {
    name: &'static str,
    /// What the names of its files begin with.
    files: &'static [&'static str],
    /// Gzipped, in bytes.
    budget: usize,
}

/// All of them. Every other file belongs to the first load.
const LATER: [Later; 1] = [Later { name: "lab", files: &["raft_lab", "worker-"], budget: 400_000 }];

/// One file of the page and its size, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSize {
    /// Relative to `dist/`, with forward slashes.
    pub name: String,
    pub raw: usize,
    pub gzipped: usize,
}

/// Measures every file under `folder` that a browser can load (all but type declarations), and puts
/// the compressed file beside each, for servers that send those.
pub fn measure(folder: &Path) -> Result<Vec<FileSize>> {
    let mut sizes = Vec::new();
    measure_into(folder, "", &mut sizes)?;
    sizes.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sizes)
}

fn measure_into(folder: &Path, prefix: &str, sizes: &mut Vec<FileSize>) -> Result<()> {
    for entry in folder.read_dir().with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            measure_into(&entry.path(), &format!("{name}/"), sizes)?;
        } else if !name.ends_with(".d.ts") && !name.ends_with(".gz") {
            let bytes = std::fs::read(entry.path())?;
            let gzipped = gzip(&bytes)?;
            std::fs::write(folder.join(format!("{}.gz", entry.file_name().to_string_lossy())), &gzipped)?;
            sizes.push(FileSize { name, raw: bytes.len(), gzipped: gzipped.len() });
        }
    }
    Ok(())
}

pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// The sizes as a table, with the totals of the parts and their budgets.
pub fn table(sizes: &[FileSize]) -> String {
    let width = sizes.iter().map(|file| file.name.len()).max().unwrap_or(0).max(FIRST.len());
    let mut text = String::new();
    let mut line = |name: &str, raw: &str, gzipped: &str, budget: &str| {
        let row = format!("  {name:<width$}  {raw:>10}  {gzipped:>10}  {budget}");
        let _ = writeln!(text, "{}", row.trim_end());
    };
    line("file", "raw", "gzipped", "budget, gzipped");
    for (part, files, budget) in parts(sizes) {
        for file in &files {
            let budget = if part == FIRST && is_wasm(file) { kilobytes(WASM_BUDGET) } else { String::new() };
            line(&file.name, &kilobytes(file.raw), &kilobytes(file.gzipped), &budget);
        }
        let raw = files.iter().map(|file| file.raw).sum();
        line(part, &kilobytes(raw), &kilobytes(gzipped(&files)), &kilobytes(budget));
    }
    text
}

/// One sentence for each budget that is exceeded.
pub fn over_budget(sizes: &[FileSize]) -> Vec<String> {
    let parts = parts(sizes);
    let module: usize = parts[0].1.iter().filter(|file| is_wasm(file)).map(|file| file.gzipped).sum();
    let parts = parts.iter().map(|(part, files, budget)| (*part, gzipped(files), *budget));
    [("the wasm module", module, WASM_BUDGET)]
        .into_iter()
        .chain(parts)
        .filter(|(_, size, budget)| size > budget)
        .map(|(what, size, budget)| {
            format!("{what} weighs {} gzipped, over its budget of {}", kilobytes(size), kilobytes(budget))
        })
        .collect()
}

const FIRST: &str = "first load";

/// The parts of the page, with their files and their budgets; the first load comes first.
fn parts(sizes: &[FileSize]) -> Vec<(&'static str, Vec<&FileSize>, usize)> {
    let of = |later: &Later, file: &FileSize| later.files.iter().any(|name| file.name.starts_with(name));
    let first = sizes.iter().filter(|file| !LATER.iter().any(|later| of(later, file)));
    let later =
        LATER.iter().map(|later| (later.name, sizes.iter().filter(|file| of(later, file)).collect(), later.budget));
    [(FIRST, first.collect(), FIRST_BUDGET)].into_iter().chain(later).collect()
}

fn is_wasm(file: &FileSize) -> bool {
    file.name.ends_with(".wasm")
}

fn gzipped(files: &[&FileSize]) -> usize {
    files.iter().map(|file| file.gzipped).sum()
}

/// Thousands of bytes, with one decimal.
fn kilobytes(bytes: usize) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{} KB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, gzipped: usize) -> FileSize {
        FileSize { name: name.into(), raw: gzipped * 3, gzipped }
    }

    #[test]
    fn a_page_exactly_at_its_budgets_passes() {
        let sizes = [
            file("a.wasm", WASM_BUDGET),
            file("a.js", FIRST_BUDGET - WASM_BUDGET),
            file("raft_lab_bg.wasm", LATER[0].budget),
        ];
        assert_eq!(over_budget(&sizes), Vec::<String>::new());
    }

    #[test]
    fn one_byte_over_any_budget_is_named() {
        let wasm = over_budget(&[file("a.wasm", WASM_BUDGET + 1)]);
        assert_eq!(wasm.len(), 1, "{wasm:?}");
        assert!(wasm[0].starts_with("the wasm module"), "{wasm:?}");
        let first = over_budget(&[file("a.js", FIRST_BUDGET), file("b.js", 1)]);
        assert_eq!(first.len(), 1, "{first:?}");
        assert!(first[0].starts_with("first load weighs"), "{first:?}");
        let lab = over_budget(&[file("raft_lab_bg-X.wasm", LATER[0].budget), file("worker-Y.js", 1)]);
        assert_eq!(lab.len(), 1, "{lab:?}");
        assert!(lab[0].starts_with("lab weighs"), "{lab:?}");
    }

    #[test]
    fn kilobytes_are_rounded_to_one_decimal() {
        assert_eq!(kilobytes(0), "0.0 KB");
        assert_eq!(kilobytes(49), "0.0 KB");
        assert_eq!(kilobytes(50), "0.1 KB");
        assert_eq!(kilobytes(160_000), "160.0 KB");
    }

    #[test]
    fn the_table_has_a_row_for_every_file_and_every_part() {
        let text = table(&[file("index.html", 1_000), file("a.wasm", 2_000), file("worker-X.js", 500)]);
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(lines.len(), 6, "{text}");
        assert_eq!(lines[2][5..], ["175.0", "KB"], "{text}");
        assert_eq!(lines[3][..6], ["first", "load", "9.0", "KB", "3.0", "KB"], "{text}");
        assert_eq!(lines[4][0], "worker-X.js");
        assert_eq!(lines[5][..5], ["lab", "1.5", "KB", "0.5", "KB"], "{text}");
    }

    #[test]
    fn declarations_are_not_weighed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pkg")).unwrap();
        std::fs::write(folder.path().join("pkg/a.d.ts"), "x").unwrap();
        std::fs::write(folder.path().join("pkg/a.js"), "x".repeat(1_000)).unwrap();
        let sizes = measure(folder.path()).unwrap();
        assert_eq!(sizes.len(), 1);
        assert_eq!((sizes[0].name.as_str(), sizes[0].raw), ("pkg/a.js", 1_000));
        assert!(sizes[0].gzipped < 100);
    }
}
