//! `cargo xtask build` makes the page: a folder that any static host can serve.
//!
//! `dist/` is `www/` with `pkg/` (the wasm modules with their JavaScript glue, and the tables that
//! the page shares with the library), bundled by esbuild as `xtask/bundle.js` says. The page is
//! assembled in a temporary folder beside `dist/` and swapped in at the end, so that a failed build
//! leaves the last good page in place.

use crate::sizes::{self, Compress, FileSize};
use crate::{lessons, order, setup, tools};
use anyhow::{Context, Result, bail, ensure};
use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// The target triple of everything that runs in a browser.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Build faster, with names in stack traces and source maps; the result is large, and budgets
    /// are not checked
    #[arg(long)]
    pub debug: bool,
    /// Put the page into raftarium.zip, too: it works from any folder that a web server serves
    #[arg(long)]
    pub zip: bool,
}

/// Builds the page, and fails if it exceeds its budgets.
pub fn run(options: &Options) -> Result<()> {
    let sizes = build(options)?;
    if options.zip {
        let file = tools::root().join("raftarium.zip");
        zip_page(&tools::root().join("dist"), &file)?;
        println!("raftarium.zip has all of it: {} bytes.", fs::metadata(&file)?.len());
    }
    let complaints = sizes::over_budget(&sizes);
    if options.debug {
        println!("A debug build: the budgets were not checked.");
    } else if !complaints.is_empty() {
        bail!("{}", complaints.join("; "));
    }
    Ok(())
}

/// A crate that becomes a wasm module of the page.
struct Bridge {
    package: &'static str,
    /// The name of its library.
    library: &'static str,
    /// The name of the module and its glue.
    module: &'static str,
    /// The features of the crate that are in it.
    features: &'static [&'static str],
    /// The profile by which it is compiled.
    profile: &'static str,
    /// Compiler flags in place of those in `.cargo/config.toml`.
    flags: Option<&'static [&'static str]>,
    /// Whether its functions are put into an order in which they compress well, which takes a
    /// while.
    ordered: bool,
}

/// The module of the first load, as small as possible.
const WEB: Bridge = Bridge {
    package: "raft-web",
    library: "raft_web",
    module: "raft_web",
    features: &[],
    profile: "web",
    flags: None,
    ordered: true,
};

/// The module that is loaded when something asks for it, as fast as possible.
const LAB: Bridge = Bridge {
    package: "raft-lab",
    library: "raft_lab",
    module: "raft_lab",
    features: &["trials"],
    profile: "lab",
    flags: Some(&["-Ctarget-feature=+simd128"]),
    ordered: false,
};

/// The module that judges what somebody does in a lesson, as small as possible: whoever learns has
/// no use for the lab.
const LESSONS: Bridge = Bridge {
    package: "raft-lab",
    library: "raft_lab",
    module: "raft_lessons",
    features: &["lessons"],
    profile: "web",
    flags: None,
    ordered: true,
};

/// All of them.
const BRIDGES: [&Bridge; 3] = [&WEB, &LAB, &LESSONS];

/// The tables of the library that the page's scripts import.
const TABLES: &str = "tables.js";

/// Builds the page into `dist/` and prints its size. The caller checks the budgets.
pub fn build(options: &Options) -> Result<Vec<FileSize>> {
    setup::ensure_target(WASM_TARGET)?;
    setup::ensure_npm_packages()?;
    let root = tools::root();
    let staging = tempfile::Builder::new().prefix(".dist-").tempdir_in(&root)?;
    let (sources, page) = (staging.path().join("sources"), staging.path().join("dist"));
    copy_page(&root.join("www"), &sources)?;
    let package = sources.join("pkg");
    for bridge in BRIDGES {
        // One after the other: two are made of one crate, and would overwrite each other.
        bind(bridge, &compile(bridge, options)?, &package, options)?;
    }
    fs::write(package.join(TABLES), raft_core::format::schema::tables_for_the_page())?;
    lessons::write(&package)?;
    offer_types(&package, &root.join("www/pkg"))?;
    let mut bundler = tools::program("node");
    bundler.arg("xtask/bundle.js").args([&sources, &page]).args(options.debug.then_some("debug"));
    let bundled = bundler.status().context("cannot start node")?;
    ensure!(bundled.success(), "the page could not be bundled: xtask/bundle.js failed");
    let sizes = sizes::measure(&page, if options.debug { Compress::AtOnce } else { Compress::Slowly })?;
    swap_in(&page, &root.join("dist"), &staging.path().join("previous"))?;
    println!("dist/ is ready:\n{}", sizes::table(&sizes));
    Ok(sizes)
}

/// Puts the page into a file. The same page makes the same file.
fn zip_page(page: &Path, file: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in walkdir::WalkDir::new(page).sort_by_file_name() {
        let entry = entry?;
        // Few servers send what is compressed beside a file, and the zip is compressed.
        if entry.file_type().is_file() && entry.path().extension().is_none_or(|end| end != "gz") {
            names.push(entry.into_path());
        }
    }
    let mut zip =
        zip::ZipWriter::new(fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?);
    for path in names {
        let name = Path::new("raftarium").join(path.strip_prefix(page)?);
        zip.start_file_from_path(name, zip::write::SimpleFileOptions::default())?;
        zip.write_all(&fs::read(&path)?)?;
    }
    zip.finish()?;
    Ok(())
}

/// Compiles a bridge and returns the path of its wasm module.
fn compile(bridge: &Bridge, options: &Options) -> Result<PathBuf> {
    let mut cargo = tools::cargo();
    cargo.args(["build", "--package", bridge.package, "--lib", "--target", WASM_TARGET]);
    if !bridge.features.is_empty() {
        cargo.arg("--no-default-features").args(["--features", &bridge.features.join(",")]);
    }
    cargo.args(["--profile", if options.debug { "dev" } else { bridge.profile }]);
    // Where a panic happened is said with a path. It is the same, and as short, on every machine.
    let folders = registry_folders()?;
    let remapped = folders.iter().map(|folder| format!("--remap-path-prefix={}/=", folder.display()));
    match bridge.flags {
        None => {
            for flag in remapped {
                cargo.arg("--config").arg(format!("target.{WASM_TARGET}.rustflags=[{flag:?}]"));
            }
        }
        Some(flags) => {
            let all: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).chain(remapped).collect();
            // The separator that cargo asks for, since a flag can contain spaces.
            cargo.env("CARGO_ENCODED_RUSTFLAGS", all.join("\u{1f}"));
        }
    }
    tools::build(&mut cargo, bridge.library)
}

/// The folders into which cargo unpacks the crates of each registry.
fn registry_folders() -> Result<Vec<PathBuf>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let Some(Ok(registries)) = home.map(|home| fs::read_dir(home.join("registry/src"))) else { return Ok(Vec::new()) };
    let mut folders = Vec::new();
    for registry in registries {
        folders.push(registry?.path());
    }
    folders.sort();
    Ok(folders)
}

/// Writes a module into `pkg/`, with its glue as an ES module, and its types.
fn bind(bridge: &Bridge, wasm: &Path, package: &Path, options: &Options) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(bridge.module)
        .web(true)?
        .typescript(true)
        .debug(options.debug)
        // The page tells where the module is: bundled, it has another name.
        .omit_default_module_path(true)
        .remove_name_section(!options.debug)
        .remove_producers_section(!options.debug);
    bindgen.generate(package).context("wasm-bindgen failed")?;
    // These describe the module's raw exports, which only the glue calls.
    fs::remove_file(package.join(format!("{}_bg.wasm.d.ts", bridge.module)))?;
    if bridge.ordered && !options.debug {
        let module = package.join(format!("{}_bg.wasm", bridge.module));
        fs::write(&module, order::by_likeness(&fs::read(&module)?)?)?;
    }
    Ok(())
}

/// Copies the part of `www/` that belongs to the page.
fn copy_page(from: &Path, to: &Path) -> Result<()> {
    ensure!(from.join("index.html").is_file(), "{} has no index.html", from.display());
    copy_folder(from, to, true)
}

fn copy_folder(from: &Path, to: &Path, top: bool) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.read_dir().with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let is_folder = entry.file_type()?.is_dir();
        if !is_of_the_page(&name.to_string_lossy(), top && is_folder) {
            continue;
        }
        if is_folder {
            copy_folder(&entry.path(), &to.join(name), false)?;
        } else {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}

/// Whether a file or folder of `www/` is served. Editors' settings, notes and type declarations
/// are not, and neither is the copy of `pkg/` that `offer_types` leaves there.
fn is_of_the_page(name: &str, is_top_folder: bool) -> bool {
    !(name.starts_with('.')
        || name == "jsconfig.json"
        || name.ends_with(".d.ts")
        || name.ends_with(".md")
        || (is_top_folder && name == "pkg"))
}

/// Copies the glue, its types and the tables to where the sources in `www/` import them from, for
/// the type checker and for editors.
fn offer_types(package: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let glue = BRIDGES.map(|bridge| ["js", "d.ts"].map(|ending| format!("{}.{ending}", bridge.module)));
    for name in glue.into_iter().flatten().chain([TABLES.to_owned(), "lessons.js".to_owned()]) {
        fs::copy(package.join(&name), to.join(&name))?;
    }
    Ok(())
}

/// Moves the folder `new` to `place`, and what was there to `aside`.
fn swap_in(new: &Path, place: &Path, aside: &Path) -> Result<()> {
    let had_one = place.exists();
    if had_one {
        fs::rename(place, aside).with_context(|| format!("cannot move {} away", place.display()))?;
    }
    fs::rename(new, place)
        .inspect_err(|_| {
            if had_one {
                // The first error is the one to report; this only puts the old page back.
                let _ = fs::rename(aside, place);
            }
        })
        .with_context(|| format!("cannot move the new page to {}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn only_what_belongs_to_the_page_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (www, dist) = (folder.path().join("www"), folder.path().join("dist"));
        for name in [
            "index.html",
            "jsconfig.json",
            "types.d.ts",
            "README.md",
            ".swp",
            "pkg/raft_web.js",
            "ui/ring.js",
            "ui/pkg/a.js",
        ] {
            write(www.join(name), name);
        }
        copy_page(&www, &dist).unwrap();
        for (name, expected) in [
            ("index.html", true),
            ("ui/ring.js", true),
            ("ui/pkg/a.js", true),
            ("jsconfig.json", false),
            ("types.d.ts", false),
            ("README.md", false),
            (".swp", false),
            ("pkg", false),
        ] {
            assert_eq!(dist.join(name).exists(), expected, "{name}");
        }
    }

    #[test]
    fn the_same_page_makes_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("dist");
        for name in ["index.html", "index.html.gz", "pkg/raft_web.js"] {
            write(page.join(name), name);
        }
        let made = |name: &str| {
            let file = folder.path().join(name);
            zip_page(&page, &file).unwrap();
            fs::read(file).unwrap()
        };
        let bytes = made("a.zip");
        assert_eq!(bytes, made("b.zip"));
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["raftarium/index.html", "raftarium/pkg/raft_web.js"]);
        let mut text = String::new();
        std::io::Read::read_to_string(&mut zip.by_name("raftarium/index.html").unwrap(), &mut text).unwrap();
        assert_eq!(text, "index.html");
    }

    #[test]
    fn a_page_without_an_index_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = copy_page(folder.path(), &folder.path().join("dist")).unwrap_err();
        assert!(error.to_string().contains("no index.html"), "{error}");
    }

    #[test]
    fn the_new_page_takes_the_place_of_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(at("dist/old.html"), "old");
        write(at("new/new.html"), "new");
        swap_in(&at("new"), &at("dist"), &at("aside")).unwrap();
        assert!(at("dist/new.html").exists() && !at("dist/old.html").exists());
        assert!(at("aside/old.html").exists() && !at("new").exists());
    }

    #[test]
    fn a_swap_that_fails_leaves_the_old_page() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        write(at("dist/old.html"), "old");
        swap_in(&at("missing"), &at("dist"), &at("aside")).unwrap_err();
        assert!(at("dist/old.html").exists());
    }
}
