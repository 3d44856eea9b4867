//! `cargo xtask test` runs every check and every test.
//!
//! It runs a list of [`Part`]s in order. Each prints what it runs, and a table at the end shows how
//! long each took and how it ended. The table also has the parts that did not run, with the reason.

use crate::package::{self, WASM_TARGET};
use crate::{comments, setup, tools};
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Leave out the parts that need a browser
    #[arg(long)]
    pub native: bool,
    /// Run only these parts (and the build, if one of them needs it)
    #[arg(long, value_name = "PART", num_args = 1.., value_delimiter = ',')]
    pub only: Vec<Part>,
    /// Go on with the later parts after a failure
    #[arg(long)]
    pub keep_going: bool,
}

/// The parts, in the order in which they run: those that are fast and fail often come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Formatting, and comments within a hundred columns
    Fmt,
    /// Clippy on everything, natively
    Clippy,
    /// Clippy on what runs in the page
    ClippyWasm,
    /// Tests of all crates, natively
    Native,
    /// A thousand storms of a minute each, with every fault, and the trace hashes, optimised
    Hunt,
    /// A million states of small clusters, explored breadth-first, and the counterexamples without
    /// each rule
    Model,
    /// Processes of real servers, killed a hundred times under load: nothing acknowledged is lost
    Cluster,
    /// Examples in the documentation
    Doctest,
    /// The documentation builds without a warning
    Rustdoc,
    /// The core needs no operating system
    Independence,
    /// The crates can be published: each is packed, and its package builds
    Publish,
    /// The wasm tests, in Node
    WasmNode,
    /// The wasm tests, in headless Chrome
    WasmChrome,
    /// The page, within its budgets
    Build,
    /// Formatting of JavaScript and style sheets
    FmtPage,
    /// Types of the page's JavaScript
    Types,
    /// What the page computes without a browser, in Node
    UnitPage,
    /// The page in a real browser
    Page,
}

impl Part {
    fn title(self) -> &'static str {
        match self {
            Part::Fmt => "formatting",
            Part::Clippy => "clippy, native",
            Part::ClippyWasm => "clippy, wasm32",
            Part::Native => "native tests",
            Part::Hunt => "a thousand storms",
            Part::Model => "a million states",
            Part::Cluster => "real servers",
            Part::Doctest => "documentation examples",
            Part::Rustdoc => "documentation",
            Part::Independence => "platform independence",
            Part::Publish => "packages",
            Part::WasmNode => "wasm tests in Node",
            Part::WasmChrome => "wasm tests in Chrome",
            Part::Build => "build of the page",
            Part::FmtPage => "formatting of the page",
            Part::Types => "types of the page",
            Part::UnitPage => "unit tests of the page",
            Part::Page => "page tests",
        }
    }

    fn needs_browser(self) -> bool {
        matches!(self, Part::WasmChrome | Part::Page)
    }

    fn needs_build(self) -> bool {
        matches!(self, Part::Types | Part::Page)
    }

    fn run(self) -> Result<Passed> {
        match self {
            Part::Fmt => fmt(),
            Part::Clippy => clippy(&["--workspace", "--all-targets", "--features", "xtask/test-runner"]),
            Part::ClippyWasm => clippy_wasm(),
            Part::Native => native(),
            Part::Hunt => hunt(),
            Part::Model => model(),
            Part::Cluster => cluster(),
            Part::Doctest => run_some_tests(cargo("test").args(["--workspace", "--doc"])),
            Part::Rustdoc => {
                tools::run(cargo("doc").args(["--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
                    .map(Passed::check)
            }
            Part::Independence => independence(),
            Part::Publish => publish(),
            Part::WasmNode => wasm_node(),
            Part::WasmChrome => wasm_chrome(),
            Part::Build => package::run(&package::Options::default()).map(Passed::check),
            Part::FmtPage => fmt_page(),
            Part::Types => types(),
            Part::UnitPage => {
                setup::ensure_node()?;
                run_some_tests(tools::program("node").args(["--test", "--test-reporter=tap", "page-tests/unit/"]))
            }
            Part::Page => page(),
        }
    }
}

/// Packs the crates and builds what was packed, each time in a new folder: cargo keeps unpacked
/// crates by that folder's path and their version, and would build an older one's sources again.
fn publish() -> Result<Passed> {
    let folder = tempfile::Builder::new().prefix("publish-").tempdir_in(tools::root().join("target"))?;
    let packages = ["--package", "raftarium-core", "--package", "raftarium-node", "--package", "raftarium"];
    let mut command = cargo("package");
    // Nobody debugs these builds, and they are quicker without what debuggers need.
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.args(packages).arg("--allow-dirty").arg("--target-dir").arg(folder.path());
    tools::run(&mut command).map(Passed::check)
}

/// A part that passed, with its number of tests if it counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passed {
    tests: Option<usize>,
}

impl Passed {
    fn check((): ()) -> Self {
        Passed { tests: None }
    }

    fn tests(tests: usize) -> Self {
        Passed { tests: Some(tests) }
    }
}

fn cargo(subcommand: &str) -> Command {
    let mut cargo = tools::cargo();
    cargo.arg(subcommand);
    cargo
}

/// Formatting, also of the packages outside the workspace, and the width of comments.
fn fmt() -> Result<Passed> {
    for folder in ["", "bench", "bench/peers/madsim", "bench/peers/turmoil"] {
        tools::run(cargo("fmt").current_dir(tools::root().join(folder)).args(["--all", "--check"]))?;
    }
    comments::check().map(Passed::check)
}

/// All native tests. Every test target must have tests: otherwise one that is hidden completely by
/// a feature would seem to pass.
fn native() -> Result<Passed> {
    let all = ["--workspace", "--lib", "--bins", "--tests", "--examples"];
    for program in tools::test_programs(cargo("test").args(all).arg("--no-run"))? {
        ensure!(!program.only_tests || program.tests()? > 0, "the test target {} has no tests", program.name);
    }
    // Tests of real servers wait more than they compute.
    let threads = 2 * thread::available_parallelism().map_or(1, NonZeroUsize::get);
    run_some_tests(cargo("test").args(all).env("RUST_TEST_THREADS", threads.to_string()))
}

/// Runs tests, of which there must be some: a suite that runs none must not seem to pass.
fn run_some_tests(command: &mut Command) -> Result<Passed> {
    let tests = tools::run_tests(command)?;
    ensure!(tests > 0, "no test ran");
    Ok(Passed::tests(tests))
}

/// Plays storms natively and optimised, as a developer would. A rare state that none of them
/// reaches is a failure, as a violation is. The trace hashes check that the optimised build plays
/// the same events as every other build.
fn hunt() -> Result<Passed> {
    let same = ["--release", "--package", "raftarium-core", "--test", "trace_hashes"];
    let hashes = run_some_tests(cargo("test").args(same))?;
    let hunt = ["--release", "--package", "raftarium", "--", "hunt", "--seeds", "0..1000", "--all-marks"];
    let shrunk = std::env::temp_dir().join("raftarium-hunt.json");
    tools::run(cargo("run").args(hunt).arg("--out").arg(shrunk))?;
    Ok(hashes)
}

/// Explores small clusters breadth-first. The simulator must find every violation that the model
/// finds without a rule.
fn model() -> Result<Passed> {
    let package = ["--release", "--package", "raftarium-model"];
    let tests = run_some_tests(cargo("test").args(package).args(["--lib", "--bins", "--tests"]))?;
    tools::run(cargo("run").args(package).args(["--", "--states", "1000000"]))?;
    Ok(tests)
}

/// Kills real servers. `RAFTARIUM_KILLS` says how often, a hundred times by default.
fn cluster() -> Result<Passed> {
    let torture = ["--package", "raftarium", "--test", "torture", "--", "--ignored", "--nocapture", "--test-threads=1"];
    run_some_tests(cargo("test").args(torture))
}

fn clippy(arguments: &[&str]) -> Result<Passed> {
    tools::run(cargo("clippy").args(arguments).args(["--", "-D", "warnings"])).map(Passed::check)
}

fn clippy_wasm() -> Result<Passed> {
    setup::ensure_target(WASM_TARGET)?;
    // The core's tests and benchmarks need not compile for the page; the bridges' must.
    clippy(&["--package", "raftarium-core", "--lib", "--target", WASM_TARGET])?;
    clippy(&["--package", "raft-web", "--package", "raft-lab", "--all-targets", "--target", WASM_TARGET])
}

/// Packages that depend on the operating system or the browser.
const PLATFORM_PACKAGES: [&str; 7] =
    ["getrandom", "js-sys", "libc", "rustix", "wasm-bindgen", "web-sys", "windows-sys"];
/// A target that has no operating system, and so no standard library.
const BARE_TARGET: &str = "x86_64-unknown-none";

fn independence() -> Result<Passed> {
    let arguments = ["--package", "raftarium-core", "--edges", "normal", "--target", "all", "--prefix", "none"];
    let tree = tools::output(cargo("tree").args(arguments))?;
    let found = platform_packages(&tree);
    ensure!(found.is_empty(), "raft-core depends on {}", found.join(", "));
    setup::ensure_target(BARE_TARGET)?;
    let check = ["--package", "raftarium-core", "--lib", "--target", BARE_TARGET];
    tools::run(cargo("check").args(check))?;
    tools::run(cargo("check").args(check).args(["--features", "serde"]))?;
    tools::run(cargo("check").args(check).arg("--no-default-features")).map(Passed::check)
}

/// Which of `PLATFORM_PACKAGES` the printed dependency tree names.
fn platform_packages(tree: &str) -> Vec<&str> {
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    let mut found: Vec<_> = names.filter(|name| PLATFORM_PACKAGES.contains(name)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn wasm_tests() -> Result<Command> {
    setup::ensure_target(WASM_TARGET)?;
    // Cargo would build the runner by itself, but silently, and the first build takes a while.
    tools::run(cargo("build").args(["--package", "xtask", "--features", "test-runner", "--bin", "wasm-test-runner"]))?;
    let mut cargo = cargo("test");
    cargo.args(["--package", "raft-web", "--package", "raft-lab", "--lib", "--tests", "--target", WASM_TARGET]);
    // In seconds, for a whole test file. A busy machine with two cores is slow to start a browser.
    cargo.env("WASM_BINDGEN_TEST_TIMEOUT", "120").env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60");
    Ok(cargo)
}

fn wasm_node() -> Result<Passed> {
    setup::ensure_node()?;
    run_some_tests(wasm_tests()?.env("WASM_BINDGEN_TEST_ONLY_NODE", "1"))
}

fn wasm_chrome() -> Result<Passed> {
    let (browser, driver) = (setup::ensure_browser()?, setup::ensure_driver()?);
    let settings = tempfile::Builder::new().suffix(".json").tempfile()?;
    let common = fs::read_to_string(tools::root().join("web/webdriver.json"))?;
    fs::write(settings.path(), with_browser(&common, &browser)?)?;
    run_some_tests(
        wasm_tests()?
            .env("WASM_BINDGEN_TEST_ONLY_WEB", "1")
            .env("WASM_BINDGEN_USE_BROWSER", "1")
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", settings.path())
            .env("CHROMEDRIVER", driver),
    )
}

/// The settings of `web/webdriver.json` with this browser added, since the driver would search for
/// another one.
fn with_browser(settings: &str, browser: &Path) -> Result<String> {
    let mut settings: serde_json::Value = serde_json::from_str(settings)?;
    let options = settings.get_mut("goog:chromeOptions").and_then(|options| options.as_object_mut());
    options
        .context("webdriver.json has no goog:chromeOptions")?
        .insert("binary".into(), browser.display().to_string().into());
    Ok(settings.to_string())
}

fn fmt_page() -> Result<Passed> {
    setup::ensure_npm_packages()?;
    tools::run(tools::npm("npx").args(["--no", "--", "prettier", "--check", "**/*.{css,js}"])).map(Passed::check)
}

fn types() -> Result<Passed> {
    setup::ensure_npm_packages()?;
    tools::run(tools::npm("npx").args(["--no", "--", "tsc", "-p", "www/jsconfig.json"])).map(Passed::check)
}

fn page() -> Result<Passed> {
    setup::ensure_npm_packages()?;
    let browser = setup::ensure_headless_browser()?;
    // A page test replays a saved file with the command.
    let command = tools::build(cargo("build").args(["--package", "raftarium"]), "raftarium")?;
    let mut tests = tools::npm("npx");
    tests.args(["--no", "--", "playwright", "test"]).env("CHROMIUM", browser).env("RAFTARIUM_COMMAND", command);
    run_some_tests(&mut tests)
}

/// How a part ended.
#[derive(Debug)]
enum Outcome {
    Passed(Passed, Duration),
    Failed(String, Duration),
    LeftOut(&'static str),
}

/// Runs the parts that were asked for and fails when one of them does.
pub fn run(options: &Options) -> Result<()> {
    let mut outcomes = Vec::new();
    for (part, plan) in plan(options) {
        let has_failed = outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Failed(..)));
        let outcome = match plan {
            Err(reason) => Outcome::LeftOut(reason),
            Ok(()) if has_failed && !options.keep_going => {
                Outcome::LeftOut("an earlier part failed (--keep-going goes on)")
            }
            Ok(()) => run_part(part),
        };
        outcomes.push((part, outcome));
    }
    println!("\n{}", table(&outcomes));
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Failed(..)))
        .map(|(part, _)| part.title())
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn run_part(part: Part) -> Outcome {
    println!("\n=== {} ===", part.title());
    let start = Instant::now();
    match part.run() {
        Ok(passed) => Outcome::Passed(passed, start.elapsed()),
        Err(error) => {
            let error = format!("{error:#}");
            println!("{} failed: {error}", part.title());
            Outcome::Failed(error, start.elapsed())
        }
    }
}

/// Every part, with the reason if it is left out.
fn plan(options: &Options) -> Vec<(Part, Result<(), &'static str>)> {
    let is_asked_for = |part: Part| {
        options.only.is_empty()
            || options.only.contains(&part)
            || (part == Part::Build && options.only.iter().any(|part| part.needs_build()))
    };
    let reason = |part: Part| {
        if !is_asked_for(part) {
            Err("not among --only")
        } else if options.native && part.needs_browser() {
            Err("needs a browser (--native)")
        } else {
            Ok(())
        }
    };
    Part::value_variants().iter().map(|&part| (part, reason(part))).collect()
}

fn table(outcomes: &[(Part, Outcome)]) -> String {
    let mut text = String::new();
    let mut line = |title: &str, seconds: &str, result: &str| {
        let _ = writeln!(text, "  {title:<24}{seconds:>8}  {result}");
    };
    let (mut passed, mut failed, mut skipped, mut total) = (0, 0, 0, Duration::ZERO);
    line("part", "seconds", "result");
    for (part, outcome) in outcomes {
        match outcome {
            Outcome::Passed(details, time) => {
                passed += 1;
                total += *time;
                let result = match details.tests {
                    Some(1) => "passed, 1 test".into(),
                    Some(tests) => format!("passed, {tests} tests"),
                    None => "passed".into(),
                };
                line(part.title(), &seconds(*time), &result);
            }
            Outcome::Failed(error, time) => {
                failed += 1;
                total += *time;
                let error = error.lines().next().unwrap_or_default();
                line(part.title(), &seconds(*time), &format!("FAILED: {error}"));
            }
            Outcome::LeftOut(reason) => {
                skipped += 1;
                line(part.title(), "", &format!("left out: {reason}"));
            }
        }
    }
    line("all", &seconds(total), "");
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    format!("{text}\n\nparts: {passed} passed, {failed} failed{skipped}")
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parse(line: &str) -> Options {
        Line::try_parse_from(line.split(' ')).unwrap().options
    }

    fn planned(line: &str) -> Vec<Part> {
        plan(&parse(line)).into_iter().filter(|(_, plan)| plan.is_ok()).map(|(part, _)| part).collect()
    }

    #[test]
    fn everything_runs_unless_told_otherwise() {
        assert_eq!(planned("test"), Part::value_variants());
    }

    #[test]
    fn native_leaves_out_what_needs_a_browser_and_says_so() {
        let plan = plan(&parse("test --native"));
        let left_out: Vec<_> = plan.iter().filter_map(|(part, plan)| Some((*part, plan.err()?))).collect();
        let reason = "needs a browser (--native)";
        assert_eq!(left_out, [(Part::WasmChrome, reason), (Part::Page, reason)]);
    }

    #[test]
    fn only_takes_several_parts_and_keeps_their_order() {
        assert_eq!(planned("test --only native fmt"), [Part::Fmt, Part::Native]);
        assert_eq!(planned("test --only native,fmt"), [Part::Fmt, Part::Native]);
        assert!(Line::try_parse_from(["test", "--only", "everything"]).is_err());
    }

    #[test]
    fn a_part_that_needs_the_page_brings_the_build_along() {
        assert_eq!(planned("test --only page"), [Part::Build, Part::Page]);
        assert_eq!(planned("test --only types"), [Part::Build, Part::Types]);
        assert_eq!(planned("test --only page --native"), [Part::Build]);
    }

    #[test]
    fn the_table_says_how_each_part_went() {
        let second = Duration::from_secs(1);
        let outcomes = [
            (Part::Fmt, Outcome::Passed(Passed { tests: None }, second)),
            (Part::Native, Outcome::Passed(Passed { tests: Some(12) }, second * 2)),
            (Part::Types, Outcome::Failed("one\ntwo".into(), second)),
            (Part::Page, Outcome::LeftOut("no reason")),
        ];
        let text = table(&outcomes);
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["formatting", "1.0", "passed"]);
        assert!(lines[2].ends_with("2.0  passed, 12 tests"), "{text}");
        assert!(lines[3].ends_with("FAILED: one"), "{text}");
        assert!(lines[4].ends_with("left out: no reason"), "{text}");
        assert!(lines[5].ends_with("4.0"), "{text}");
        assert_eq!(lines.last(), Some(&"parts: 2 passed, 1 failed, 1 skipped"));
        assert!(table(&outcomes[..2]).ends_with("\nparts: 2 passed, 0 failed"));
    }

    #[test]
    fn platform_packages_are_found_by_their_whole_name() {
        let tree = "raft-core v0.1.0 (/a)\nrand v0.10.4\nrand_core v0.10.1\n";
        assert!(platform_packages(tree).is_empty());
        let tree = "raft-core v0.1.0\nlibc v1\ngetrandom v0.4.3\nlibc v1 (*)\nlibc-free v1\n";
        assert_eq!(platform_packages(tree), ["getrandom", "libc"]);
    }

    #[test]
    fn the_browser_is_added_to_the_drivers_settings() {
        let settings = r#"{"goog:chromeOptions": {"args": ["a"]}}"#;
        let settings = with_browser(settings, Path::new("/usr/bin/chromium")).unwrap();
        let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
        assert_eq!(settings["goog:chromeOptions"]["binary"], "/usr/bin/chromium");
        assert_eq!(settings["goog:chromeOptions"]["args"][0], "a");
        assert!(with_browser("{}", Path::new("/x")).is_err());
    }
}
