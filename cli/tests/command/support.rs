//! The command as a process, for the tests of it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub const FINE: i32 = 0;
pub const FOUND: i32 = 1;
pub const USAGE: i32 = 2;
pub const UNDECIDED: i32 = 2;
pub const UNUSABLE: i32 = 3;
#[cfg(target_os = "linux")]
pub const INTERRUPTED: i32 = 130;

/// The result of a command.
pub struct Done {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn of(output: Output) -> Done {
        let text = |bytes| String::from_utf8(bytes).expect("the command prints text");
        Done {
            status: output.status.code().expect("it ended by itself"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    #[track_caller]
    pub fn ended(self, status: i32) -> Done {
        assert_eq!(self.status, status, "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn complained(self, sentence: &str) {
        assert_eq!(
            (self.status, self.out.as_str(), self.err.as_str()),
            (UNUSABLE, "", &*format!("error: {sentence}\n"))
        );
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("it prints JSON")
    }
}

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_raftarium"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null());
    command
}

pub fn raftarium(folder: &Path, arguments: &[&str]) -> Done {
    Done::of(command(folder, arguments).output().expect("the command runs"))
}

pub fn folder() -> TempDir {
    TempDir::new().expect("a folder to write to")
}
