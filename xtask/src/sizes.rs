//! The page's size on the wire, and its budgets.

use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// The budget of all that is loaded until a cluster lives, gzipped, in bytes.
pub const FIRST_LOAD_BUDGET: usize = 250_000;
/// The budget of the first load's wasm module, gzipped, in bytes.
pub const WASM_BUDGET: usize = 175_000;

const PAGE: &str = "index.html";

/// A part of the page: what its files are, and its budget, gzipped, in bytes.
struct Part {
    name: &'static str,
    has: fn(&FileSize) -> bool,
    budget: usize,
}

/// The budget of what is loaded when a lesson is, gzipped, in bytes.
const LESSON_BUDGET: usize = 15_000;

/// All of them. A file belongs to the first that has it.
const PARTS: [Part; 6] = [
    Part { name: "the first load", has: |file| file.first, budget: FIRST_LOAD_BUDGET },
    Part {
        name: "lab",
        has: |file| file.name.starts_with("raft_lab") || file.name.starts_with("worker-"),
        budget: 400_000,
    },
    Part { name: "judge of lessons", has: |file| file.name.starts_with("raft_lessons"), budget: 240_000 },
    // Somebody loads one at a time; each has a budget of its own.
    Part { name: "all lessons", has: is_lesson, budget: usize::MAX },
    Part { name: "room of lessons", has: |file| file.name.starts_with("lessons-"), budget: 20_000 },
    Part { name: "panels and dialogs", has: |_| true, budget: 40_000 },
];

/// Each part with its files.
fn parts(sizes: &[FileSize]) -> impl Iterator<Item = (&'static Part, Vec<&FileSize>)> {
    PARTS.iter().enumerate().map(|(place, part)| {
        let is_here = |file: &&FileSize| PARTS.iter().position(|part| (part.has)(file)) == Some(place);
        (part, sizes.iter().filter(is_here).collect())
    })
}

fn gzipped(files: &[&FileSize]) -> usize {
    files.iter().map(|file| file.gzipped).sum()
}

/// One file of the page and its size, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSize {
    /// Relative to `dist/`, with forward slashes.
    pub name: String,
    pub raw: usize,
    /// As most servers compress it while they send it.
    pub gzipped: usize,
    /// As it is compressed beside the file.
    pub beside: usize,
    /// Whether it belongs to the first load: it is the page itself, or the page names it. All else
    /// comes when it is asked for.
    pub first: bool,
}

/// How the files beside the page's own are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compress {
    /// As most servers do.
    AtOnce,
    /// As small as can be, which takes seconds for each megabyte.
    Slowly,
}

/// Measures every file under `folder` that a browser can load (all but type declarations), and puts
/// the compressed file beside each, for servers that send those: as small as can be, or at once.
pub fn measure(folder: &Path, compress: Compress) -> Result<Vec<FileSize>> {
    let mut sizes = Vec::new();
    measure_into(folder, "", compress, &mut sizes)?;
    let page = std::fs::read_to_string(folder.join(PAGE)).unwrap_or_default();
    for file in &mut sizes {
        file.first = file.name == PAGE || page.contains(&format!("=\"{}\"", file.name));
    }
    sizes.sort_by(|a, b| (!a.first, &a.name).cmp(&(!b.first, &b.name)));
    Ok(sizes)
}

fn measure_into(folder: &Path, prefix: &str, compress: Compress, sizes: &mut Vec<FileSize>) -> Result<()> {
    for entry in folder.read_dir().with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            measure_into(&entry.path(), &format!("{name}/"), compress, sizes)?;
        } else if !name.ends_with(".d.ts") && !name.ends_with(".gz") {
            let bytes = std::fs::read(entry.path())?;
            let gzipped = gzip(&bytes)?;
            let slowly = if compress == Compress::Slowly { Some(gzip_slowly(&bytes)?) } else { None };
            let beside = slowly.as_ref().unwrap_or(&gzipped);
            std::fs::write(folder.join(format!("{}.gz", entry.file_name().to_string_lossy())), beside)?;
            let (gzipped, beside) = (gzipped.len(), beside.len());
            sizes.push(FileSize { name, raw: bytes.len(), gzipped, beside, first: false });
        }
    }
    Ok(())
}

pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn gzip_slowly(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, bytes, &mut compressed)?;
    Ok(compressed)
}

/// The sizes as a table, with totals and budgets.
pub fn table(sizes: &[FileSize]) -> String {
    let width = sizes.iter().map(|file| file.name.len()).max().unwrap_or(0).max("panels and dialogs".len());
    let mut text = String::new();
    let mut line = |name: &str, raw: &str, gzipped: &str, beside: &str, budget: &str| {
        let row = format!("  {name:<width$}  {raw:>10}  {gzipped:>10}  {beside:>10}  {budget}");
        let _ = writeln!(text, "{}", row.trim_end());
    };
    line("file", "raw", "gzipped", "its .gz", "budget, gzipped");
    for (part, files) in parts(sizes) {
        for file in &files {
            let budget = match file {
                file if file.first && is_wasm(file) => kilobytes(WASM_BUDGET),
                file if is_lesson(file) => kilobytes(LESSON_BUDGET),
                _ => String::new(),
            };
            line(&file.name, &kilobytes(file.raw), &kilobytes(file.gzipped), &kilobytes(file.beside), &budget);
        }
        let raw = files.iter().map(|file| file.raw).sum();
        let beside = files.iter().map(|file| file.beside).sum();
        let total = if part.budget == usize::MAX { String::new() } else { kilobytes(part.budget) };
        line(part.name, &kilobytes(raw), &kilobytes(gzipped(&files)), &kilobytes(beside), &total);
    }
    text
}

/// One sentence for each budget that is exceeded.
pub fn over_budget(sizes: &[FileSize]) -> Vec<String> {
    let module = sizes.iter().filter(|file| file.first && is_wasm(file)).map(|file| file.gzipped).sum();
    let parts = parts(sizes).map(|(part, files)| (part.name, gzipped(&files), part.budget));
    let lessons = sizes.iter().filter(|file| is_lesson(file)).map(|file| (&*file.name, file.gzipped, LESSON_BUDGET));
    [("the wasm module", module, WASM_BUDGET)]
        .into_iter()
        .chain(parts)
        .chain(lessons)
        .filter(|(_, size, budget)| size > budget)
        .map(|(what, size, budget)| {
            format!("{what} weighs {} gzipped, over its budget of {}", kilobytes(size), kilobytes(budget))
        })
        .collect()
}

fn is_lesson(file: &FileSize) -> bool {
    file.name.starts_with("lesson.")
}

fn is_wasm(file: &FileSize) -> bool {
    file.name.ends_with(".wasm")
}

/// Thousands of bytes, with one decimal.
fn kilobytes(bytes: usize) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{} KB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn file(name: &str, gzipped: usize) -> FileSize {
        FileSize { name: name.into(), raw: gzipped * 3, gzipped, beside: gzipped, first: true }
    }

    fn later(name: &str, gzipped: usize) -> FileSize {
        FileSize { first: false, ..file(name, gzipped) }
    }

    #[test]
    fn a_page_exactly_at_its_budgets_passes() {
        let sizes = [
            file("a.wasm", WASM_BUDGET),
            file("a.js", FIRST_LOAD_BUDGET - WASM_BUDGET),
            later("raft_lab.wasm", 400_000),
        ];
        assert_eq!(over_budget(&sizes), Vec::<String>::new());
    }

    #[test]
    fn one_byte_over_any_budget_is_named() {
        let wasm = over_budget(&[file("pkg/a.wasm", WASM_BUDGET + 1)]);
        assert_eq!(wasm.len(), 1, "{wasm:?}");
        assert!(wasm[0].starts_with("the wasm module"), "{wasm:?}");
        let page = over_budget(&[file("a.js", FIRST_LOAD_BUDGET), file("b.js", 1)]);
        assert_eq!(page.len(), 1, "{page:?}");
        assert!(page[0].starts_with("the first load"), "{page:?}");
        let lab = over_budget(&[later("raft_lab_bg-X.wasm", 400_000), later("worker-Y.js", 1)]);
        assert_eq!(lab.len(), 1, "{lab:?}");
        assert!(lab[0].starts_with("lab weighs"), "{lab:?}");
        let lesson =
            over_budget(&[later("lesson.a.en-X.js", LESSON_BUDGET), later("lesson.b.en-X.js", LESSON_BUDGET + 1)]);
        assert_eq!(lesson.len(), 1, "{lesson:?}");
        assert!(lesson[0].starts_with("lesson.b.en-X.js weighs"), "{lesson:?}");
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
        let sizes = [file("index.html", 1_000), file("a.wasm", 2_000), later("worker-X.js", 500), later("b.js", 4_000)];
        let text = table(&sizes);
        assert_eq!(text.lines().count(), 11, "{text}");
        assert!(text.contains("index.html") && text.contains(&kilobytes(WASM_BUDGET)), "{text}");
        let row = |name: &str| text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        assert!(row("the first load").contains("9.0 KB") && row("the first load").contains("3.0 KB"), "{text}");
        assert!(row("lab").contains("0.5 KB") && row("panels and dialogs").contains("4.0 KB"), "{text}");
    }

    #[test]
    fn what_the_page_names_is_the_first_load() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [("index.html", "<script src=\"main-1.js\">"), ("main-1.js", "import('later-1.js')"), ("later-1.js", "")]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let sizes = measure(folder.path(), Compress::Slowly).unwrap();
        let first: Vec<_> = sizes.iter().map(|file| (file.name.as_str(), file.first)).collect();
        assert_eq!(first, [("index.html", true), ("main-1.js", true), ("later-1.js", false)]);
        // However large it is.
        let all = [file("index.html", 1), later("raft_lab.js", FIRST_LOAD_BUDGET)];
        assert_eq!(over_budget(&all), Vec::<String>::new());
    }

    #[test]
    fn declarations_are_not_weighed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pkg")).unwrap();
        std::fs::write(folder.path().join("pkg/a.d.ts"), "x").unwrap();
        std::fs::write(folder.path().join("pkg/a.js"), "x".repeat(1_000)).unwrap();
        let sizes = measure(folder.path(), Compress::Slowly).unwrap();
        assert_eq!(sizes.len(), 1);
        assert_eq!((sizes[0].name.as_str(), sizes[0].raw), ("pkg/a.js", 1_000));
        assert!(sizes[0].gzipped < 100 && sizes[0].beside <= sizes[0].gzipped);
        let beside = std::fs::read(folder.path().join("pkg/a.js.gz")).unwrap();
        assert_eq!(beside.len(), sizes[0].beside);
        let mut read = String::new();
        flate2::read::GzDecoder::new(&beside[..]).read_to_string(&mut read).unwrap();
        assert_eq!(read, "x".repeat(1_000));
    }
}
