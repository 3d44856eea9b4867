//! Finds and runs other programs, and always prints the command first.

use anyhow::{Context, Result, ensure};
use cargo_metadata::Message;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace, where every command runs.
pub fn root() -> PathBuf {
    // Cargo says at run time where the package is. The path from compile time could be that of
    // another checkout which shares the target folder.
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let package = PathBuf::from(package);
    package.parent().map(Path::to_path_buf).unwrap_or(package)
}

/// The cargo that runs this program, with the root as its working directory.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Any other program, with the root as its working directory.
pub fn program(name: impl Into<OsString>) -> Command {
    let mut command = Command::new(name.into());
    command.current_dir(root());
    command
}

/// `npm` or `npx`, which are scripts under Windows.
pub fn npm(name: &str) -> Command {
    if cfg!(windows) { program(format!("{name}.cmd")) } else { program(name) }
}

/// Prints the command as a person would type it.
pub fn announce(command: &Command) {
    println!("$ {}", as_typed(command));
    // What the command itself prints must come after this line.
    let _ = std::io::stdout().flush();
}

/// Runs the command and fails when it does.
pub fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command.status().with_context(|| format!("cannot start `{}`", as_typed(command)))?;
    ensure!(status.success(), "`{}` failed", as_typed(command));
    Ok(())
}

/// Runs a `cargo build` and returns the path of the program, or the wasm module, of that name.
pub fn build(cargo: &mut Command, name: &str) -> Result<PathBuf> {
    announce(cargo);
    cargo.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = cargo.spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo's output was not captured")?;
    let mut product = None;
    for message in Message::parse_stream(BufReader::new(stdout)) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.target.name == name
        {
            let module = artifact.filenames.into_iter().find(|path| path.extension() == Some("wasm"));
            product = artifact.executable.or(module).map(PathBuf::from).or(product);
        }
    }
    ensure!(child.wait()?.success(), "{name} did not compile");
    product.with_context(|| format!("cargo reported no product {name}"))
}

/// A program that holds tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestProgram {
    /// The name of its target.
    pub name: String,
    /// Whether it exists only for its tests: a file of `tests/`, not a library or a program, which
    /// can have tests as well.
    pub only_tests: bool,
    pub path: PathBuf,
}

/// Runs a `cargo test --no-run` and returns the test programs.
pub fn test_programs(cargo: &mut Command) -> Result<Vec<TestProgram>> {
    announce(cargo);
    cargo.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let mut child = cargo.spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo's output was not captured")?;
    let mut programs = Vec::new();
    for message in Message::parse_stream(BufReader::new(stdout)) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.profile.test
            && let Some(path) = artifact.executable
        {
            let only_tests = artifact.target.is_test();
            programs.push(TestProgram { name: artifact.target.name, only_tests, path: path.into() });
        }
    }
    ensure!(child.wait()?.success(), "the tests did not compile");
    Ok(programs)
}

impl TestProgram {
    /// How many tests it has, ignored ones included.
    pub fn tests(&self) -> Result<usize> {
        let output = Command::new(&self.path).args(["--list", "--format", "terse"]).output();
        let output = output.with_context(|| format!("cannot start {}", self.path.display()))?;
        ensure!(output.status.success(), "{} can't list its tests", self.name);
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.ends_with(": test")).count())
    }
}

/// Runs the command, passes on its output, and counts the tests that have passed.
pub fn run_tests(command: &mut Command) -> Result<usize> {
    announce(command);
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{}`", as_typed(command)))?;
    let mut stdout = BufReader::new(child.stdout.take().context("the output was not captured")?);
    let (mut line, mut tests) = (Vec::new(), 0);
    while stdout.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().write_all(&line)?;
        tests += passed_tests(&String::from_utf8_lossy(&line)).unwrap_or(0);
        line.clear();
    }
    ensure!(child.wait()?.success(), "`{}` failed", as_typed(command));
    Ok(tests)
}

/// Runs the command and returns its output; fails when it does.
pub fn output(command: &mut Command) -> Result<String> {
    announce(command);
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start `{}`", as_typed(command)))?;
    ensure!(output.status.success(), "`{}` failed", as_typed(command));
    Ok(String::from_utf8(output.stdout)?)
}

/// The number of tests in a summary line of cargo, wasm-bindgen or Playwright.
fn passed_tests(line: &str) -> Option<usize> {
    let line = line.trim();
    if let Some(count) = line.strip_prefix("# pass ") {
        return count.parse().ok();
    }
    let rest = line.strip_prefix("test result: ok. ").unwrap_or(line);
    let (count, rest) = rest.split_once(" passed")?;
    let is_closing = rest.starts_with(';') || rest.starts_with(" (") || rest.is_empty();
    if is_closing { count.parse().ok() } else { None }
}

/// The first of the named programs that is on the search path.
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let candidates = names.iter().flat_map(|name| {
        folders.iter().map(move |folder| folder.join(name).with_extension(env::consts::EXE_EXTENSION))
    });
    candidates.into_iter().find(|path| path.is_file())
}

fn as_typed(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quoted(&value?.to_string_lossy()))));
    let program = Path::new(command.get_program()).file_stem().unwrap_or(command.get_program());
    let program = std::iter::once(program.to_string_lossy().into_owned());
    let arguments = command.get_args().map(|argument| quoted(&argument.to_string_lossy()));
    variables.chain(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    if text.contains(' ') || text.is_empty() { format!("'{text}'") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/some/where/cargo");
        command.args(["doc", "--no-deps", "a b"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(as_typed(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'a b'");
    }

    #[test]
    fn closing_lines_of_every_runner_are_counted() {
        for (line, expected) in [
            ("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s", Some(12)),
            ("test result: ok. 3 passed; 0 failed; 0 ignored; 0 filtered out", Some(3)),
            ("  17 passed (12.3s)\n", Some(17)),
            ("  17 passed", Some(17)),
            ("# pass 20", Some(20)),
            ("test a_message_is_passed ... ok", None),
            ("test result: FAILED. 3 passed; 1 failed", None),
            ("the 2 passed on", None),
        ] {
            assert_eq!(passed_tests(line), expected, "{line}");
        }
    }

    #[test]
    fn a_missing_program_is_not_found() {
        assert_eq!(find(&["raftarium-no-such-program"]), None);
    }
}
