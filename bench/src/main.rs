//! Raftarium beside other Raft libraries and simulators, in one run: see `RESULTS.md`.
//!
//! `cargo xtask bench` builds this and what it starts, and runs it.

mod consensus;
mod growth;
mod linearizability;
mod measure;
mod plot;
mod programs;
mod report;
mod rows;
mod simulator;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

pub const OURS: &str = "Raftarium";
/// At its best.
pub const RAFT_RS: &str = "raft-rs, lean";
/// As people use it.
pub const MEM: &str = "raft-rs, MemStorage";

#[derive(Parser)]
#[command(about = "Measures Raftarium beside other Raft libraries and simulators")]
struct Options {
    /// Measure with less work
    #[arg(long)]
    quick: bool,
    /// How often to measure everything; by default seven times, or three in a quick run
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    repetitions: Option<u16>,
    /// Only contests whose row or name contains one of these; print the results, and write nothing
    #[arg(long, num_args = 1.., value_delimiter = ',')]
    only: Vec<String>,
    /// Where to write the results
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
    /// The compiler's version, for the report
    #[arg(long, value_name = "VERSION", default_value = "unknown")]
    rustc: String,
    #[command(flatten)]
    programs: programs::Programs,
}

/// How much work a measurement does.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    quick: bool,
}

impl Scale {
    /// This much work, or less in a quick run.
    pub fn of(self, work: usize) -> usize {
        if self.quick { work / 5 } else { work }
    }

    /// These points of a curve; in a quick run every second one, without the last.
    pub fn some(self, points: &[u64]) -> Vec<u64> {
        if self.quick { points[..points.len() - 1].iter().copied().step_by(2).collect() } else { points.to_vec() }
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let scale = Scale { quick: options.quick };
    let repetitions = options.repetitions.unwrap_or(if options.quick { 3 } else { 7 });
    let mut contests = consensus::contests(scale);
    contests.extend(simulator::contests(&options.programs));
    contests.extend(linearizability::contests());
    contests.extend(growth::contests(scale));
    if !options.only.is_empty() {
        let asked_for = |name: &str| options.only.iter().any(|part| name.contains(part));
        contests.retain(|contest| asked_for(contest.row) || asked_for(&contest.name));
        for outcome in measure::run(contests, repetitions.into())? {
            println!("{outcome}");
        }
        return Ok(());
    }
    let outcomes = measure::run(contests, repetitions.into())?;
    let report = report::Report { outcomes, repetitions, quick: options.quick, rustc: options.rustc };
    report.write(&options.into)
}
