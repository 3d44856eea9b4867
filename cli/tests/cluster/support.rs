//! The command as a process, for the tests of it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub const FINE: i32 = 0;
pub const NO: i32 = 1;
pub const USAGE: i32 = 2;
pub const UNUSABLE: i32 = 3;
pub const UNKNOWN: i32 = 4;

/// The result of a command.
#[derive(Debug)]
pub struct Done {
    pub status: i32,
    pub bytes: Vec<u8>,
    pub err: String,
}

impl Done {
    pub fn of(output: Output) -> Done {
        Done {
            status: output.status.code().expect("it ended by itself"),
            bytes: output.stdout,
            err: String::from_utf8(output.stderr).expect("the command prints text"),
        }
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("the command prints text")
    }

    #[track_caller]
    pub fn ended(self, status: i32) -> Done {
        assert_eq!(self.status, status, "\n{}\n{}", String::from_utf8_lossy(&self.bytes), self.err);
        self
    }

    /// It ended with status 3 and one sentence that has these words.
    #[track_caller]
    pub fn complained(self, words: &str) {
        assert_eq!(self.status, UNUSABLE, "{self:?}");
        let sentence = self.err.strip_prefix("error: ").unwrap_or_else(|| panic!("{self:?}"));
        assert!(sentence.contains(words), "{sentence}");
        assert_eq!(sentence.matches('\n').count(), 1, "{sentence}");
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What the standard output has, a document a line.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        self.out().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_raftarium"));
    command.args(arguments);
    alone(folder, command)
}

/// A command in a folder, untouched by the environment of the tests.
fn alone(folder: &Path, mut command: Command) -> Command {
    command.current_dir(folder).stdin(Stdio::null());
    for name in ["RAFTARIUM_SERVERS", "RAFTARIUM_TOKEN_FILE", "RAFTARIUM_CA", "NO_COLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    // It asks nobody in between, whatever the environment says.
    command.env("http_proxy", "http://127.0.0.1:1").env("ALL_PROXY", "http://127.0.0.1:1");
    command
}

pub fn raftarium(folder: &Path, arguments: &[&str]) -> Done {
    Done::of(command(folder, arguments).output().expect("the command runs"))
}

/// The commands that a sentence shows.
pub fn commands_in(sentence: &str) -> Vec<String> {
    sentence.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Does what a sentence says, by a shell, as a person would.
#[track_caller]
pub fn follow(folder: &Path, line: &str) -> Done {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]);
    Done::of(alone(folder, shell).output().expect("a shell runs")).ended(FINE)
}

pub fn folder() -> TempDir {
    TempDir::new().expect("a folder to write to")
}

/// A process that is killed at the end of the test, whatever happens.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
