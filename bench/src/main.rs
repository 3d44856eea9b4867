//! Raftarium beside other Raft libraries and simulators, in one run: see `RESULTS.md`.
//!
//! `cargo xtask bench` builds this and what it starts, and runs it.

mod consensus;
mod linearizability;
mod measure;
mod programs;
mod simulator;

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
    /// Less work in each measurement
    #[arg(long)]
    quick: bool,
    /// How often everything is measured
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    repetitions: u16,
    /// Only contests whose row or name contains one of these
    #[arg(long, num_args = 1.., value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    programs: programs::Programs,
}

/// How much work there is in a measurement.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    divisor: usize,
}

impl Scale {
    /// So much of it, or less in a quick run.
    pub fn of(self, work: usize) -> usize {
        work / self.divisor
    }
}

fn main() -> Result<()> {
    let options = Options::parse();
    let scale = Scale { divisor: if options.quick { 5 } else { 1 } };
    let mut contests = consensus::contests(scale);
    contests.extend(simulator::contests(scale, &options.programs));
    contests.extend(linearizability::contests());
    let asked_for = |name: &str| options.only.is_empty() || options.only.iter().any(|part| name.contains(part));
    contests.retain(|contest| asked_for(contest.row) || asked_for(&contest.name));
    for outcome in measure::run(contests, usize::from(options.repetitions))? {
        println!("{outcome}");
    }
    Ok(())
}
