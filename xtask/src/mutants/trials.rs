//! Runs tests and hunts with one planted bug switched on, and returns the results.

use super::copy::{self, VARIABLE};
use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Test programs in the order in which they run: those that are fast and find much come first.
/// Programs that aren't listed come at the end.
const ORDER: [&str; 12] = [
    "paper",
    "known_bugs",
    "peers",
    "inspection",
    "properties",
    "scripts",
    "stories",
    "timeline_traffic",
    "raft_core",
    "rules",
    "formats",
    "cluster",
];

/// It compares hashes of whole runs with recorded ones. It would notice every change, right or
/// wrong, and so says nothing about the other tests.
const LEFT_OUT: &str = "trace_hashes";

/// A mutant that floods the network must not exhaust the machine's memory.
const MEMORY_MAX_KIB: u64 = 4 << 20;

/// How long a run may take: this, plus several times as long as without a mutant.
const PATIENCE: Duration = Duration::from_secs(20);
const PATIENCE_TIMES: u32 = 4;

/// The programs to run.
pub struct Programs {
    tests: Vec<TestProgram>,
    /// The command, and how long a hunt in all seeds takes without a mutant.
    hunt: Option<(PathBuf, Duration)>,
    seeds: u64,
}

struct TestProgram {
    name: String,
    path: PathBuf,
    takes: Duration,
}

/// The result of the tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tests {
    Passed,
    /// A test of that program found the mutant.
    Failed {
        program: String,
        test: String,
        how: How,
    },
}

/// How a test finds a mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    Fails,
    Crashes,
    OutOfTime,
}

/// The result of a hunt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hunt {
    Nothing,
    Found {
        property: String,
        seed: u64,
        at: Duration,
        /// At least half of all seeds find it within a virtual second.
        too_easy: bool,
    },
    /// The hunt was killed, because a run didn't end or used too much memory.
    Broken(How),
}

impl Hunt {
    pub fn found(&self) -> bool {
        *self != Hunt::Nothing
    }
}

/// Builds the programs from the copy, and runs them without a mutant, to know that they pass and
/// how long they take.
pub fn build(tests: bool, hunts: bool, seeds: u64) -> Result<Programs> {
    let mut programs = Programs { tests: Vec::new(), hunt: None, seeds };
    if tests {
        let arguments = ["test", "--package", "raftarium-core", "--lib", "--tests", "--no-run"];
        for tools::TestProgram { name, path, .. } in tools::test_programs(&mut cargo(&arguments))? {
            if name != LEFT_OUT {
                programs.tests.push(TestProgram { name, path, takes: Duration::ZERO });
            }
        }
        let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
        programs.tests.sort_by_key(|program| (rank(&program.name), program.name.clone()));
        ensure!(!programs.tests.is_empty(), "there are no tests");
    }
    if hunts {
        let path = tools::build(&mut cargo(&["build", "--release", "--package", "raftarium"]), "raftarium")?;
        programs.hunt = Some((path, Duration::from_secs(3_600)));
    }
    println!("Without a mutant: the tests must pass, and a hunt must find nothing.");
    for program in &mut programs.tests {
        let start = Instant::now();
        let end = program.run(None, Duration::from_secs(3_600))?;
        program.takes = start.elapsed();
        if let Some((test, how)) = end {
            bail!("{}: {test} {} without any mutant", program.name, how.in_words());
        }
    }
    let start = Instant::now();
    if programs.hunt.is_some() && programs.hunt(None)?.found() {
        bail!("a hunt finds something without any mutant: `raftarium hunt --seeds 0..{seeds}` says what");
    }
    if let Some((_, takes)) = &mut programs.hunt {
        *takes = start.elapsed();
    }
    Ok(programs)
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = tools::cargo();
    // The flags with which this program was built must not affect the copy.
    cargo.env_remove("RUSTFLAGS").current_dir(copy::workspace());
    cargo.args(arguments).arg("--target-dir").arg(copy::folder().join("target"));
    cargo
}

impl Programs {
    /// Runs one test program after the other until a test fails.
    pub fn test(&self, mutant: &str) -> Result<Tests> {
        for program in &self.tests {
            if let Some((test, how)) = program.run(Some(mutant), PATIENCE + program.takes * PATIENCE_TIMES)? {
                return Ok(Tests::Failed { program: program.name.clone(), test, how });
            }
        }
        Ok(Tests::Passed)
    }

    /// Hunts in all seeds until one finds something.
    pub fn hunt(&self, mutant: Option<&str>) -> Result<Hunt> {
        let (_, takes) = self.hunt.as_ref().context("hunts weren't built")?;
        let patience = PATIENCE + *takes * PATIENCE_TIMES;
        let report = match self.hunt_in(mutant, self.seeds, false, patience)? {
            Ok(report) => report,
            Err(how) => return Ok(Hunt::Broken(how)),
        };
        let Some(first) = report["violations"].get(0) else { return Ok(Hunt::Nothing) };
        let (seed, at) = (number(&first["seed"])?, moment(first)?);
        let property = first["kind"].as_str().context("a violation without a kind")?.to_owned();
        let too_easy = at <= SOON && self.is_too_easy(mutant, patience)?;
        Ok(Hunt::Found { property, seed, at, too_easy })
    }

    fn is_too_easy(&self, mutant: Option<&str>, patience: Duration) -> Result<bool> {
        let Ok(report) = self.hunt_in(mutant, SAMPLE, true, patience)? else { return Ok(false) };
        let violations = report["violations"].as_array().context("a report without violations")?;
        let soon = violations.iter().filter(|violation| moment(violation).is_ok_and(|at| at <= SOON)).count();
        Ok(2 * soon as u64 >= SAMPLE)
    }

    /// The report of a hunt, or how it was killed.
    fn hunt_in(
        &self,
        mutant: Option<&str>,
        seeds: u64,
        keep_going: bool,
        patience: Duration,
    ) -> Result<Result<Value, How>> {
        let (path, _) = self.hunt.as_ref().context("hunts weren't built")?;
        let folder = tempfile::tempdir()?;
        let mut arguments = vec!["hunt".into(), "--seeds".into(), format!("0..{seeds}"), "--jobs".into(), "1".into()];
        arguments.extend(["--json", "--shrink-tries", "0", "--out"].map(String::from));
        arguments.push(folder.path().join("failure.json").display().to_string());
        arguments.extend(keep_going.then(|| "--keep-going".into()));
        let mut child = start(path, &arguments, mutant)?;
        let mut stdout = child.stdout.take().context("the output was not captured")?;
        let (tell, hear) = mpsc::channel();
        thread::spawn(move || {
            let mut text = String::new();
            let _ = stdout.read_to_string(&mut text);
            let _ = tell.send(text);
        });
        let heard = hear.recv_timeout(patience);
        let _ = child.kill();
        let status = child.wait()?;
        let text = match heard {
            Ok(text) => text,
            Err(_) => return Ok(Err(How::OutOfTime)),
        };
        match status.code() {
            Some(0 | 1) => Ok(Ok(serde_json::from_str(&text).context("a hunt's report is JSON")?)),
            Some(code @ (2 | 3)) => bail!("`raftarium {}` ended with {code}", arguments.join(" ")),
            _ => Ok(Err(How::Crashes)),
        }
    }
}

/// A mutant that half of all seeds find this soon is too easy.
const SOON: Duration = Duration::from_secs(1);
/// How many seeds are sampled for that.
const SAMPLE: u64 = 20;

fn number(value: &Value) -> Result<u64> {
    let text = value.as_str().context("a seed is a string")?;
    text.parse().with_context(|| format!("`{text}` is not a seed"))
}

fn moment(violation: &Value) -> Result<Duration> {
    violation["time"].as_u64().map(Duration::from_micros).context("a violation without a time")
}

impl How {
    pub fn in_words(self) -> &'static str {
        match self {
            How::Fails => "fails",
            How::Crashes => "crashes",
            How::OutOfTime => "doesn't end",
        }
    }
}

impl TestProgram {
    /// The first test that doesn't pass, if there is one.
    fn run(&self, mutant: Option<&str>, patience: Duration) -> Result<Option<(String, How)>> {
        let mut child = start(&self.path, &["--test-threads=1".to_owned()], mutant)?;
        let stdout = child.stdout.take().context("the output was not captured")?;
        let (tell, hear) = mpsc::channel();
        thread::spawn(move || pass_on(BufReader::new(stdout), |text| tell.send(text).is_ok()));
        let deadline = Instant::now() + patience;
        let mut progress = Progress::default();
        let end = loop {
            match hear.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(text) => progress.take(&text),
                Err(RecvTimeoutError::Timeout) => break Some(How::OutOfTime),
                Err(RecvTimeoutError::Disconnected) => break None,
            }
            if progress.failed {
                break Some(How::Fails);
            }
        };
        if end.is_some() {
            let _ = child.kill();
        }
        let status = child.wait()?;
        let how = end.or(if status.success() { None } else { Some(How::Crashes) });
        Ok(how.map(|how| (progress.test, how)))
    }
}

/// Starts a program in the library's folder, as cargo would, with a mutant switched on and limited
/// memory.
fn start(path: &std::path::Path, arguments: &[String], mutant: Option<&str>) -> Result<Child> {
    let package = copy::workspace().join("raft-core");
    let mut command = if cfg!(unix) {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -v {MEMORY_MAX_KIB} && exec \"$0\" \"$@\"")).arg(path);
        shell
    } else {
        Command::new(path)
    };
    command.args(arguments).current_dir(&package).env("CARGO_MANIFEST_DIR", &package).env_remove(VARIABLE);
    if let Some(mutant) = mutant {
        command.env(VARIABLE, mutant);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().with_context(|| format!("cannot start {}", path.display()))
}

/// Passes on output as soon as it comes: a test's name is printed before it runs, and its outcome
/// after.
fn pass_on(mut output: impl BufRead, mut tell: impl FnMut(String) -> bool) {
    while let Ok(bytes) = output.fill_buf() {
        if bytes.is_empty() {
            return;
        }
        let (text, count) = (String::from_utf8_lossy(bytes).into_owned(), bytes.len());
        output.consume(count);
        if !tell(text) {
            return;
        }
    }
}

/// The state of the test harness, from its output so far, with one test at a time.
#[derive(Default)]
struct Progress {
    line: String,
    /// The latest test.
    test: String,
    failed: bool,
}

impl Progress {
    fn take(&mut self, text: &str) {
        for character in text.chars() {
            if character == '\n' {
                self.line.clear();
            } else if !self.failed {
                self.line.push(character);
                self.look();
            }
        }
    }

    fn look(&mut self) {
        let Some(rest) = self.line.strip_prefix("test ") else { return };
        let Some((name, outcome)) = rest.split_once(" ... ") else { return };
        if self.test != name {
            self.test = name.trim_end_matches(" - should panic").to_owned();
        }
        self.failed |= outcome.starts_with("FAILED");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(texts: &[&str]) -> Progress {
        let mut progress = Progress::default();
        for text in texts {
            progress.take(text);
        }
        progress
    }

    #[test]
    fn the_first_failed_test_is_noticed_as_soon_as_it_fails() {
        let progress = heard(&["\nrunning 2 tests\ntest a::b ... ok\ntest a::c - should", " panic ... FAIL", "ED\n"]);
        assert_eq!((progress.test.as_str(), progress.failed), ("a::c", true));
        let progress = heard(&["test a::b ... ok\ntest a::c ... "]);
        assert_eq!((progress.test.as_str(), progress.failed), ("a::c", false), "it may never end");
    }

    #[test]
    fn what_a_test_prints_is_no_outcome() {
        let progress = heard(&["test a ... ok\n", "the test b ... FAILED\n"]);
        assert!(!progress.failed);
    }
}
