//! The page's size on the wire, and its budgets.

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// The budget of the whole page, gzipped, in bytes.
pub const PAGE_BUDGET: usize = 275_000;
/// The budget of the wasm module, gzipped, in bytes.
pub const WASM_BUDGET: usize = 175_000;

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

/// The sizes as a table, with totals and budgets.
pub fn table(sizes: &[FileSize]) -> String {
    let width = sizes.iter().map(|file| file.name.len()).max().unwrap_or(0).max("whole page".len());
    let mut text = String::new();
    let mut line = |name: &str, raw: &str, gzipped: &str, budget: &str| {
        let row = format!("  {name:<width$}  {raw:>10}  {gzipped:>10}  {budget}");
        let _ = writeln!(text, "{}", row.trim_end());
    };
    line("file", "raw", "gzipped", "budget, gzipped");
    for file in sizes {
        let budget = if is_wasm(file) { kilobytes(WASM_BUDGET) } else { String::new() };
        line(&file.name, &kilobytes(file.raw), &kilobytes(file.gzipped), &budget);
    }
    let (raw, gzipped) = total(sizes);
    line("whole page", &kilobytes(raw), &kilobytes(gzipped), &kilobytes(PAGE_BUDGET));
    text
}

/// One sentence for each budget that is exceeded.
pub fn over_budget(sizes: &[FileSize]) -> Vec<String> {
    let wasm = sizes.iter().filter(|file| is_wasm(file)).map(|file| file.gzipped).sum();
    let (_, page) = total(sizes);
    [("the wasm module", wasm, WASM_BUDGET), ("the whole page", page, PAGE_BUDGET)]
        .into_iter()
        .filter(|(_, size, budget)| size > budget)
        .map(|(what, size, budget)| {
            format!("{what} weighs {} gzipped, over its budget of {}", kilobytes(size), kilobytes(budget))
        })
        .collect()
}

fn is_wasm(file: &FileSize) -> bool {
    file.name.ends_with(".wasm")
}

fn total(sizes: &[FileSize]) -> (usize, usize) {
    sizes.iter().fold((0, 0), |(raw, gzipped), file| (raw + file.raw, gzipped + file.gzipped))
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
        let sizes = [file("a.wasm", WASM_BUDGET), file("a.js", PAGE_BUDGET - WASM_BUDGET)];
        assert_eq!(over_budget(&sizes), Vec::<String>::new());
    }

    #[test]
    fn one_byte_over_either_budget_is_named() {
        let wasm = over_budget(&[file("pkg/a.wasm", WASM_BUDGET + 1)]);
        assert_eq!(wasm.len(), 1, "{wasm:?}");
        assert!(wasm[0].starts_with("the wasm module"), "{wasm:?}");
        let page = over_budget(&[file("a.js", PAGE_BUDGET), file("b.js", 1)]);
        assert_eq!(page.len(), 1, "{page:?}");
        assert!(page[0].starts_with("the whole page"), "{page:?}");
    }

    #[test]
    fn kilobytes_are_rounded_to_one_decimal() {
        assert_eq!(kilobytes(0), "0.0 KB");
        assert_eq!(kilobytes(49), "0.0 KB");
        assert_eq!(kilobytes(50), "0.1 KB");
        assert_eq!(kilobytes(160_000), "160.0 KB");
    }

    #[test]
    fn the_table_has_a_row_for_every_file_and_the_total() {
        let text = table(&[file("index.html", 1_000), file("pkg/a.wasm", 2_000)]);
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.contains("index.html") && text.contains(&kilobytes(WASM_BUDGET)), "{text}");
        assert!(text.lines().last().is_some_and(|line| line.contains("9.0 KB") && line.contains("3.0 KB")), "{text}");
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
