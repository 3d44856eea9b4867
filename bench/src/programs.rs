//! Contenders that are separate programs: each prints its result as one line of JSON.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::measure::Sample;
use crate::simulator::workload::{Disks, Journey, play};

/// The paths of those that were built.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Programs {
    /// The program that hosts raft-rs in madsim
    #[arg(long, value_name = "PROGRAM", value_parser = host)]
    pub madsim: Option<Host>,
    /// The program that hosts raft-rs in turmoil
    #[arg(long, value_name = "PROGRAM", value_parser = host)]
    pub turmoil: Option<Host>,
    /// Our simulator as a wasm module, for Node
    #[arg(long, value_name = "MODULE", value_parser = module)]
    pub wasm: Option<Module>,
}

/// A simulator that hosts raft-rs.
#[derive(Clone, Debug)]
pub struct Host {
    program: PathBuf,
}

/// Our simulator as a wasm module.
#[derive(Clone, Debug)]
pub struct Module {
    file: PathBuf,
}

fn host(path: &str) -> Result<Host> {
    let program = PathBuf::from(path);
    ensure!(program.is_file(), "there is no program {path}");
    Ok(Host { program })
}

fn module(path: &str) -> Result<Module> {
    let file = PathBuf::from(path);
    ensure!(file.is_file(), "there is no module {path}");
    Ok(Module { file })
}

/// The output of a host.
#[derive(Deserialize)]
struct Hosted {
    cpu_seconds: f64,
    delivered: u64,
}

impl Host {
    /// Plays the workload.
    pub fn simulate(&self, seconds: u64) -> Result<Sample> {
        let Hosted { cpu_seconds, delivered } = ask(Command::new(&self.program).arg(seconds.to_string()))?;
        let per_second = delivered as f64 / seconds as f64;
        Ok(Sample { figure: seconds as f64 / cpu_seconds, allocations: None, messages: Some(per_second) })
    }
}

/// The output of the module's runner for the workload.
#[derive(Deserialize)]
struct Simulated {
    cpu_seconds: f64,
    trace_hash: String,
}

/// Its output for a journey.
#[derive(Deserialize)]
struct Travelled {
    p99_millis: f64,
}

impl Module {
    /// Plays the workload with all checkers on. The run must be the same as natively.
    pub fn simulate(&self, seconds: u64) -> Result<Sample> {
        let Simulated { cpu_seconds, trace_hash } = ask(self.node().args(["simulate", &seconds.to_string()]))?;
        let native = play(seconds, Disks::Perfect, true);
        let sent = native.network().sent();
        let native = native.trace_hash().to_string();
        ensure!(trace_hash == native, "the run has trace hash {trace_hash} in wasm and {native} natively");
        let per_second = sent as f64 / seconds as f64;
        Ok(Sample { figure: seconds as f64 / cpu_seconds, allocations: None, messages: Some(per_second) })
    }

    /// Seeks to random moments of a run.
    pub fn seek(&self, journey: Journey, seconds: u64) -> Result<Sample> {
        let kind = (journey as u32).to_string();
        let Travelled { p99_millis } = ask(self.node().args(["seek", &seconds.to_string(), &kind]))?;
        Ok(Sample { figure: p99_millis, ..Sample::default() })
    }

    fn node(&self) -> Command {
        let mut node = Command::new("node");
        node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/wasm/run.js")).arg(&self.file);
        node
    }
}

fn ask<T: for<'a> Deserialize<'a>>(command: &mut Command) -> Result<T> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{program} failed: {}{said}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(said.trim()).with_context(|| format!("{program} said: {said}"))
}
