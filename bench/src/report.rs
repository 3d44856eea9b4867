//! Writes the results: `RESULTS.md`, `results.json` and the pictures in `plots/`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::growth::{self, CURVES, Curve, TIMELINE};
use crate::measure::{Outcome, POINT_REPETITIONS, Summary, figure, whole};
use crate::rows::{self, Goal, Row};
use crate::simulator::LOOP;
use crate::{OURS, RAFT_RS, plot};

/// A finished run.
pub struct Report {
    pub outcomes: Vec<Outcome>,
    pub repetitions: u16,
    pub quick: bool,
    pub rustc: String,
}

const INTRODUCTION: &str = "\
# Results

Raftarium beside other Raft libraries and simulators, all measured in one run. Made by `cargo xtask bench`, as are `results.json` and the table in
the project's README: don't edit them by hand.

* Contenders are measured in turn, again and again, so that other load on the machine affects all of them alike. Shown are the median, the lowest and the highest
  figure.
* Time is CPU time of the working thread (of the whole process if a contender starts threads), so that waiting for a processor doesn't count.
* Every feature that users have on is on: the servers' own assertions, pre-vote, check-quorum. Nothing is built or done specially for the benchmark; the
  build profiles are the project's own.
* raft-rs is measured as people use it (`MemStorage`, a `propose()` for each command) and at its best (a store without a lock that takes entries by value, a
  batch in one message). Goals are against its best. Messages stay in memory and are passed by value or, as ours can be, in place; logs are compacted alike, and an entry
  counts when *every* server has applied it.
* glibc's allocator is told to keep freed memory, for all contenders: otherwise it would be chance whether it returns memory to the kernel and asks for it again.
* Our followers learn of a commit with the next message, raft-rs's with a separate one. In a series of rounds the next round brings it; after the last round a
  heartbeat does, whose time is counted.
";

impl Report {
    /// Writes everything into that folder.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let goals = rows::goals()?;
        let judged: Vec<(Goal, Row)> =
            goals.into_iter().filter_map(|goal| goal.judge(&self.outcomes).map(|row| (goal, row))).collect();
        let rows: Vec<&Row> = judged.iter().map(|(_, row)| row).collect();
        write(&folder.join("results.json"), &(serde_json::to_string_pretty(&rows)? + "\n"))?;
        let plots = folder.join("plots");
        fs::create_dir_all(&plots).with_context(|| format!("cannot make {}", plots.display()))?;
        for curve in &CURVES {
            plot::draw(curve, &self.outcomes, contenders(curve), &plots.join(picture(curve)))?;
        }
        write(&folder.join("RESULTS.md"), &self.text(&judged))?;
        let met = rows.iter().filter(|row| row.met).count();
        println!("{met} of {} goals are met: see {}", rows.len(), folder.join("RESULTS.md").display());
        Ok(())
    }

    fn text(&self, judged: &[(Goal, Row)]) -> String {
        let mut text = INTRODUCTION.to_owned();
        if self.quick {
            text += "\n**This was a quick run, with less work and fewer repetitions: the figures are less certain.**\n";
        }
        self.machine(&mut text);
        self.goals(&mut text, judged);
        unmet(&mut text, judged);
        self.details(&mut text);
        for curve in &CURVES {
            self.curve(&mut text, curve);
        }
        text
    }

    fn machine(&self, text: &mut String) {
        let of = |name| version(include_str!("../Cargo.lock"), name);
        let madsim = version(include_str!("../peers/madsim/Cargo.lock"), "madsim");
        let turmoil = version(include_str!("../peers/turmoil/Cargo.lock"), "turmoil");
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let _ = write!(
            text,
            "\n## Machine and versions\n\n| | |\n| --- | --- |\n\
             | processor | {} ({processors} for this run) |\n\
             | system | {} on {} |\n\
             | compiler | {} |\n\
             | Node | {} |\n\
             | Raftarium | {} |\n\
             | raft-rs | {}, protobuf-codec |\n\
             | madsim, turmoil | {madsim}, {turmoil}, both with raft-rs |\n\
             | porcupine-rs | {} |\n\
             | repetitions | {}, of points of a curve {} |\n",
            processor(),
            std::env::consts::OS,
            std::env::consts::ARCH,
            self.rustc,
            node(),
            of("raftarium-core"),
            of("raft"),
            of("porcupine-rs"),
            self.repetitions,
            POINT_REPETITIONS.min(self.repetitions.into()),
        );
    }

    fn goals(&self, text: &mut String, judged: &[(Goal, Row)]) {
        let met = judged.iter().filter(|(_, row)| row.met).count();
        let _ = write!(
            text,
            "\n## Goals\n\n{met} of {} are met. A row stands for all its variants, and shows the one in which we do worst.\n\n\
             | work | Raftarium | peer | times better | goal | |\n| --- | --- | --- | --- | --- | --- |\n",
            judged.len()
        );
        for (goal, row) in judged {
            let peer = match (&goal.peer, row.peer) {
                (Some(name), Some(theirs)) if theirs.fract() == 0.0 => format!("{} ({name})", whole(theirs as u64)),
                (Some(name), Some(theirs)) => format!("{} ({name})", figure(theirs)),
                _ => "–".to_owned(),
            };
            let ratio = row.ratio.map_or("–".to_owned(), figure);
            let met = if row.met { "met" } else { "**not met**" };
            let _ = writeln!(text, "| {} | {} | {peer} | {ratio} | {} | {met} |", row.name, figure(row.ours), row.goal);
        }
        text.push_str(
            "\nVOPR is TigerBeetle's simulator, with its own workload (3–5 replicas, checkers and disk faults on). It can't be built here; the figure was \
             measured on the same machine and is quoted.\n",
        );
    }

    fn details(&self, text: &mut String) {
        text.push_str(
            "\n## Everything measured\n\nAllocations and messages are those of all servers together, for each entry, round, read or operation; of simulators, \
             for each virtual second, sent by us and in the bare loop, delivered in madsim and turmoil.\n\n\
             | work | contender | median | lowest to highest | allocations | messages | ours is better by |\n\
             | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for outcome in self.outcomes.iter().filter(|outcome| outcome.at.is_none()) {
            for summary in &outcome.summaries {
                let Summary { name, median, lowest, highest, allocations, messages } = summary;
                let or_nothing = |count: &Option<f64>| count.map_or(String::new(), figure);
                let ratio = if *name == OURS { String::new() } else { format!("{}×", figure(outcome.ratio(summary))) };
                let work = if *name == OURS { outcome.name.as_str() } else { "" };
                let _ = writeln!(
                    text,
                    "| {work} | {name} | {} {} | {} to {} | {} | {} | {ratio} |",
                    figure(*median),
                    outcome.unit,
                    figure(*lowest),
                    figure(*highest),
                    or_nothing(allocations),
                    or_nothing(messages),
                );
            }
        }
    }

    fn curve(&self, text: &mut String, curve: &Curve) {
        let names = contenders(curve);
        let _ = write!(text, "\n## {}\n\nIn {}.\n\n| {} |", curve.title, curve.y, curve.x);
        let heads = names.iter().map(|name| format!(" {name} |")).collect::<String>();
        let _ = writeln!(text, "{heads}\n| --- |{}", " --- |".repeat(names.len()));
        for outcome in self.outcomes.iter().filter(|outcome| outcome.row == curve.row) {
            let _ = write!(text, "| {} |", whole(outcome.at.unwrap_or_default()));
            for name in names {
                let cell = outcome.of(name).map_or(String::new(), cell);
                let _ = write!(text, " {cell} |");
            }
            text.push('\n');
        }
        let slopes = names.iter().map(|name| {
            let slope = growth::slope(&growth::points(&self.outcomes, curve.row, name));
            format!("{name} with the power {slope:.2} ({})", growth::slope_in_words(slope))
        });
        let slopes = slopes.collect::<Vec<_>>().join(", ");
        let _ = write!(text, "\nGrows: {slopes}.\n\n![{}](plots/{})\n", curve.title, picture(curve));
    }
}

/// The figure, and how many messages it took where that was counted.
fn cell(summary: &Summary) -> String {
    match summary.messages {
        Some(messages) if summary.allocations.is_none() => {
            format!("{} ({} messages)", figure(summary.median), figure(messages))
        }
        _ => figure(summary.median),
    }
}

fn contenders(curve: &Curve) -> &'static [&'static str] {
    if curve.row == "growth-time" { &[OURS, TIMELINE, LOOP] } else { &[OURS, RAFT_RS] }
}

fn picture(curve: &Curve) -> String {
    format!("{}.svg", curve.row)
}

/// What is written down about each goal that isn't met.
fn unmet(text: &mut String, judged: &[(Goal, Row)]) {
    let unmet: Vec<_> = judged.iter().filter(|(_, row)| !row.met).collect();
    if unmet.is_empty() {
        return;
    }
    text.push_str("\n## Where a goal isn't met, and where the time goes\n");
    for (goal, row) in unmet {
        let note = note(include_str!("../notes.md"), &goal.row).unwrap_or("Not looked into yet.");
        let _ = write!(text, "\n### {}\n\n{note}\n", row.name);
    }
}

/// A section of the notes.
fn note<'a>(notes: &'a str, row: &str) -> Option<&'a str> {
    let (_, rest) = notes.split_once(&format!("\n## {row}\n"))?;
    Some(rest.split("\n## ").next().unwrap_or(rest).trim())
}

/// A package's version, as a lock file says.
fn version(lock: &str, name: &str) -> String {
    let after = lock.split_once(&format!("name = \"{name}\"\nversion = \"")).map(|(_, rest)| rest);
    after.and_then(|rest| rest.split('"').next()).unwrap_or("unknown").to_owned()
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = known.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    model.unwrap_or("unknown").trim().to_owned()
}

fn node() -> String {
    let output = Command::new("node").arg("--version").output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.ok().filter(|said| !said.is_empty()).unwrap_or_else(|| "none".to_owned())
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::slope;

    #[test]
    fn every_note_is_about_a_goal() {
        let rows: Vec<String> = rows::goals().unwrap().into_iter().map(|goal| goal.row).collect();
        for line in include_str!("../notes.md").lines() {
            if let Some(row) = line.strip_prefix("## ") {
                assert!(rows.iter().any(|known| known == row), "there is no row {row}");
                assert!(note(include_str!("../notes.md"), row).is_some_and(|note| !note.is_empty()));
            }
        }
    }

    #[test]
    fn figures_have_three_digits_that_count() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(whole), ["0", "999", "1,000", "1,234,567"]);
        for (value, text) in [
            (1_234_567.0, "1,230,000"),
            (999_999.0, "1,000,000"),
            (1_000.0, "1,000"),
            (999.4, "999"),
            (12.345, "12.3"),
            (1.0, "1.00"),
            (0.012_345, "0.0123"),
            (0.0, "0"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn a_slope_is_the_exponent() {
        let squares: Vec<(f64, f64)> = [1.0, 10.0, 100.0].map(|x: f64| (x, 3.0 * x * x)).into();
        assert!((slope(&squares) - 2.0).abs() < 1e-9);
        assert_eq!(growth::slope_in_words(2.0), "quadratic");
    }
}
