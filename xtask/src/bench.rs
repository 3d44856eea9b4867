//! `cargo xtask bench` compares Raftarium with other Raft libraries and simulators, and writes the
//! README's table.
//!
//! It builds and runs the programs in `bench/`, which are outside this workspace and do the
//! measuring. They write `bench/RESULTS.md`, `bench/results.json` and `bench/plots/`; the README's
//! table is made from `results.json`.

use crate::package::WASM_TARGET;
use crate::{setup, tools};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Tells glibc to keep freed memory. Otherwise glibc sometimes returns a whole log's memory to the
/// kernel and asks for it again a moment later, depending on what happens to lie behind it in the
/// heap. That chance would decide contests.
const KEEP_MEMORY: &str = "glibc.malloc.trim_threshold=1073741824:glibc.malloc.mmap_threshold=33554432";

#[derive(Debug, Clone, Default, clap::Args)]
pub struct Options {
    /// Measure with less work and fewer repetitions: under two minutes, once everything is built
    #[arg(long)]
    pub quick: bool,
    /// How often to measure everything
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..))]
    pub repetitions: Option<u16>,
    /// Only contests whose row or name contains one of these; print the results, and write nothing
    #[arg(long, value_name = "TEXT", num_args = 1.., value_delimiter = ',')]
    pub only: Vec<String>,
    /// Measure nothing, only renew the README's table
    #[arg(long, conflicts_with_all = ["quick", "repetitions", "only"])]
    pub table: bool,
}

/// Measures everything and writes the results.
pub fn run(options: &Options) -> Result<()> {
    if !options.table {
        setup::ensure_node()?;
        setup::ensure_target(WASM_TARGET)?;
        let mut bench = tools::program(build("", &["--release", "--package", "raftarium-bench"], "raftarium-bench")?);
        bench.arg("--madsim").arg(build("peers/madsim", &["--release"], "raftarium-bench-madsim")?);
        bench.arg("--turmoil").arg(build("peers/turmoil", &["--release"], "raftarium-bench-turmoil")?);
        let wasm = ["--profile", "web", "--package", "raftarium-bench-wasm", "--target", WASM_TARGET];
        bench.arg("--wasm").arg(build("", &wasm, "raftarium_bench_wasm")?);
        bench.env("GLIBC_TUNABLES", KEEP_MEMORY);
        bench.arg("--into").arg(tools::root().join("bench")).arg("--rustc").arg(compiler()?);
        if options.quick {
            bench.arg("--quick");
        }
        if let Some(repetitions) = options.repetitions {
            bench.arg("--repetitions").arg(repetitions.to_string());
        }
        for part in &options.only {
            bench.arg("--only").arg(part);
        }
        tools::run(&mut bench)?;
        if !options.only.is_empty() {
            return Ok(());
        }
    }
    renew_table()
}

/// Builds one of the programs in a folder of `bench/`, with that folder's own settings.
fn build(folder: &str, arguments: &[&str], name: &str) -> Result<PathBuf> {
    let mut cargo = tools::cargo();
    cargo.current_dir(tools::root().join("bench").join(folder)).args(["build", "--locked"]).args(arguments);
    // It would override the flags in the folder's own `.cargo/config.toml`, without which madsim
    // simulates nothing.
    cargo.env_remove("RUSTFLAGS");
    tools::build(&mut cargo, name)
}

fn compiler() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).current_dir(tools::root()).arg("--version").output();
    Ok(String::from_utf8(output.context("cannot start rustc")?.stdout)?.trim().to_owned())
}

// ---------------------------------------------------------------- the README's table

const BEGIN: &str = "<!-- Made by `cargo xtask bench`: -->";
const END: &str = "<!-- … up to here. -->";

fn renew_table() -> Result<()> {
    let readme = tools::root().join("README.md");
    let text = fs::read_to_string(&readme)?;
    fs::write(&readme, with_table(&text, &table(&results()?)?)?)?;
    println!("The table in README.md is that of bench/results.json.");
    Ok(())
}

fn results() -> Result<Vec<Value>> {
    let file = tools::root().join("bench/results.json");
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not a list of results", file.display()))
}

/// The text with the part between the markers replaced.
fn with_table(text: &str, table: &str) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("README.md has no line {BEGIN}"))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("README.md has no line {END}"))?;
    Ok(format!("{before}{BEGIN}\n\n{table}\n{END}{after}"))
}

fn table(results: &[Value]) -> Result<String> {
    let mut text =
        "| work | Raftarium | peer | times better | goal | |\n| --- | --- | --- | --- | --- | --- |\n".to_owned();
    for result in results {
        let string = |key: &str| result[key].as_str().with_context(|| format!("{result} has no {key}"));
        let number = |key: &str| result[key].as_f64().map_or("–".to_owned(), figure);
        let met = result["met"].as_bool().with_context(|| format!("{result} doesn't say whether it is met"))?;
        text += &format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            string("name")?,
            number("ours"),
            number("peer"),
            number("ratio"),
            string("goal")?,
            if met { "met" } else { "not met" }
        );
    }
    Ok(text)
}

/// A figure for people: with commas between thousands, and all its digits, since it was rounded
/// before.
fn figure(value: f64) -> String {
    let text = value.to_string();
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut figure = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            figure.push(',');
        }
        figure.push(digit);
    }
    figure + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> String {
        fs::read_to_string(tools::root().join(file)).unwrap()
    }

    #[test]
    fn there_is_a_result_for_each_goal() {
        let goals: Vec<Value> = serde_json::from_str(&read("bench/goals.json")).unwrap();
        let results = results().unwrap();
        let of = |rows: &[Value], key: &str| rows.iter().map(|row| row[key].clone()).collect::<Vec<_>>();
        for key in ["name", "goal"] {
            assert_eq!(of(&results, key), of(&goals, key), "run `cargo xtask bench`");
        }
        for result in &results {
            let mut keys: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
            keys.sort_unstable();
            assert_eq!(keys, ["goal", "met", "name", "ours", "peer", "ratio"]);
            assert!(result["ours"].as_f64().is_some_and(|ours| ours >= 0.0), "{result}");
            assert!(result["met"].is_boolean(), "{result}");
            for key in ["peer", "ratio"] {
                assert!(result[key].is_null() || result[key].as_f64().is_some_and(|number| number > 0.0), "{result}");
            }
        }
    }

    #[test]
    fn the_readme_and_the_report_show_the_results() {
        let (readme, results) = (read("README.md"), results().unwrap());
        let renewed = with_table(&readme, &table(&results).unwrap()).unwrap();
        assert!(readme == renewed, "run `cargo xtask bench --table`");
        let report = read("bench/RESULTS.md");
        for result in &results {
            assert!(report.contains(result["name"].as_str().unwrap()), "RESULTS.md doesn't show {result}");
        }
        for picture in ["servers", "log", "divergence", "time"].map(|name| format!("plots/growth-{name}.svg")) {
            assert!(report.contains(&picture) && read(&format!("bench/{picture}")).contains("<svg"), "{picture}");
        }
    }

    #[test]
    fn what_is_measured_is_optimised_as_what_is_shipped() {
        let profile = |file: &str| {
            let text = read(file);
            let section = text.split_once("\n[profile.web]\n").unwrap().1;
            section.split("\n\n").next().unwrap().to_owned()
        };
        assert_eq!(profile("bench/Cargo.toml"), profile("Cargo.toml"));
    }

    #[test]
    fn figures_have_commas_between_thousands() {
        for (value, text) in [(1_360_000.0, "1,360,000"), (999.0, "999"), (0.0166, "0.0166"), (1_000.5, "1,000.5")] {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn a_text_without_markers_is_refused() {
        assert!(with_table("# Raftarium", "").is_err());
        let text = format!("a\n{BEGIN}\nold\n{END}\nb");
        assert_eq!(with_table(&text, "new\n").unwrap(), format!("a\n{BEGIN}\n\nnew\n\n{END}\nb"));
    }
}
