//! `raftarium-model`: explores small clusters breadth-first.
//!
//! Without a command it explores the worlds in which every rule is on, where nothing may be wrong.
//! `counterexamples` searches for the shortest violation without each rule, writes it as a scenario
//! file, and makes the table of `docs/model.md` from these files.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use raft_core::format::file::{self, File};
use raft_core::raft::Rule;
use raftarium_model::counterexample::{Counterexample, lacking, table_in};
use raftarium_model::explore::{Explored, Progress, explore};
use raftarium_model::{World, scenario, worlds};

/// Explores every state of a small Raft cluster, breadth-first
#[derive(Parser)]
#[command(name = "raftarium-model", version)]
struct Cli {
    #[command(flatten)]
    explore: Explore,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
struct Explore {
    /// About how many states to explore, in all worlds together
    #[arg(long, default_value_t = 1_000_000)]
    states: usize,
    /// Only the world of this name
    #[arg(long, value_name = "NAME")]
    world: Option<String>,
    /// Explore also the worlds of the counterexamples, with every rule on
    #[arg(long)]
    rules: bool,
    /// Switch a rule off, and search for a violation
    #[arg(long, value_name = "RULE")]
    without: Vec<String>,
    /// How many threads explore; with more than one, a path that is found isn't always the shortest
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Find the shortest violation without each rule, write it as a scenario file, and renew the
    /// table in docs/model.md
    Counterexamples(Counterexamples),
}

#[derive(Args)]
struct Counterexamples {
    /// Only without this rule
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// Give up after this many states
    #[arg(long, default_value_t = 20_000_000)]
    states: usize,
    /// Don't search: only make the table from the existing files
    #[arg(long)]
    table_only: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match &cli.command {
        None => explore_all(&cli.explore),
        Some(Command::Counterexamples(options)) => counterexamples(options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(3)
        }
    }
}

/// Explores the worlds in which every rule is on. Returns whether nothing is wrong.
fn explore_all(options: &Explore) -> Result<bool, String> {
    let mut worlds = worlds::all();
    if options.rules {
        worlds.extend(Rule::ALL.into_iter().filter_map(worlds::with));
    }
    for name in &options.without {
        let rule = named(name)?;
        worlds.iter_mut().for_each(|world| world.rules = world.rules.without(rule));
    }
    if let Some(name) = &options.world {
        let names: Vec<&str> = worlds.iter().map(|world| world.name).collect();
        let known = format!("there is no world “{name}”: there are {}", names.join(", "));
        worlds.retain(|world| world.name == *name);
        if worlds.is_empty() {
            return Err(known);
        }
    }
    let began = Instant::now();
    let (mut left, mut all_well, mut seen) = (options.states, true, 0);
    let mut waiting: usize = worlds.iter().map(|world| world.weight).sum();
    for world in worlds {
        // The states that a small world doesn't need go to the later ones.
        let share = left / waiting * world.weight;
        waiting -= world.weight;
        println!("{}: {}\n  {}", world.name, world.about, world.describe());
        let explored = watched(world.name, world.clone(), share, options.threads);
        left = left.saturating_sub(explored.states);
        seen += explored.states;
        all_well &= report(&world, &explored, options.threads);
    }
    let took = began.elapsed();
    println!("{} states in {}, {} states a second, {}", grouped(seen), seconds(took), rate(seen, took), memory());
    println!("{}", if all_well { "Nothing is wrong in any of them." } else { "Something is wrong." });
    Ok(all_well)
}

/// Prints the result of a search. Returns whether nothing is wrong.
fn report(world: &World, explored: &Explored, threads: usize) -> bool {
    let Explored { states, steps, depth, took, .. } = explored;
    println!(
        "  {} states by {} steps, {}, {} states a second, {}",
        grouped(*states),
        grouped(*steps),
        seconds(*took),
        rate(*states, *took),
        memory()
    );
    match (explored.complete, threads) {
        (true, _) => println!("  everything that can happen within the bounds, up to {depth} actions in a row"),
        (false, 1) => {
            println!("  everything that can happen in {} actions, and a part of what can happen in {depth}", depth - 1)
        }
        (false, _) => println!("  a part of what can happen in about {depth} actions"),
    }
    for (trouble, actions) in &explored.troubles {
        println!("  WRONG after {} actions: {trouble}", actions.len());
        for action in actions {
            println!("    {action}");
        }
    }
    let missed: Vec<String> =
        world.expected.iter().filter(|m| !explored.marks.contains(m)).map(|m| m.to_string()).collect();
    if !missed.is_empty() {
        println!("  MISSED: it never happened that {}", missed.join(", or that "));
    }
    explored.troubles.is_empty() && missed.is_empty()
}

/// Searches without each rule, and writes what it finds. Returns whether every rule that should
/// have a counterexample has one.
fn counterexamples(options: &Counterexamples) -> Result<bool, String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("model/counterexamples");
    for name in &options.rule {
        named(name)?;
    }
    let mut all_found = true;
    let asked_for = |rule: &Rule| {
        !options.table_only && (options.rule.is_empty() || options.rule.iter().any(|name| name == rule.name()))
    };
    for rule in Rule::ALL.into_iter().filter(asked_for) {
        let Some(world) = worlds::without(rule) else {
            println!(
                "{}: no small world has a counterexample: they lack {}",
                rule.name(),
                lacking(rule).unwrap_or("a world for it")
            );
            continue;
        };
        let explored = watched(rule.name(), world.clone(), options.states, 1);
        let Some((trouble, actions)) = explored.troubles.into_iter().min_by_key(|(_, actions)| actions.len()) else {
            println!("{}: nothing is wrong in {} states", rule.name(), grouped(explored.states));
            all_found = false;
            continue;
        };
        println!(
            "{}: {} actions, found among {} states: {trouble}",
            rule.name(),
            actions.len(),
            grouped(explored.states)
        );
        let run = match scenario::play(&world, &actions, &trouble) {
            Ok(run) => run,
            Err(astray) => {
                println!("  the simulator doesn’t play it: {astray}");
                actions.iter().for_each(|action| println!("    {action}"));
                all_found = false;
                continue;
            }
        };
        let note = Counterexample::new(rule, &actions, &trouble).note();
        let text =
            file::write(&File { note, run, open_ended: false, found: None }).map_err(|error| error.to_string())?;
        let path = folder.join(format!("{}.json", rule.name()));
        fs::write(&path, text).map_err(|error| format!("{} can’t be written: {error}", path.display()))?;
    }
    let document = root.join("docs/model.md");
    let before =
        fs::read_to_string(&document).map_err(|error| format!("{} can’t be read: {error}", document.display()))?;
    let after = table_in(&before, &folder)?;
    fs::write(&document, after).map_err(|error| format!("{} can’t be written: {error}", document.display()))?;
    Ok(all_found)
}

fn named(rule: &str) -> Result<Rule, String> {
    Rule::named(rule).ok_or_else(|| format!("there is no rule “{rule}”: `raftarium rules` lists them"))
}

/// Explores a world, and shows the progress on a terminal.
fn watched(name: &str, world: World, states_max: usize, threads: usize) -> Explored {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("  {msg}").expect("a plain template"));
    let explored = explore(world, states_max, threads, |Progress { states, depth, took }| {
        bar.set_message(format!(
            "{name}: {} states, {depth} actions deep, {} states a second, {}",
            grouped(states),
            rate(states, took),
            memory()
        ));
    });
    bar.finish_and_clear();
    explored
}

fn rate(states: usize, took: Duration) -> HumanCount {
    grouped((states as f64 / took.as_secs_f64().max(0.001)) as usize)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// `1,234,567`.
fn grouped(number: usize) -> HumanCount {
    HumanCount(number as u64)
}

/// The memory of this process, if the system reports it.
fn memory() -> String {
    let resident = fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    match resident {
        Some(kilobytes) => format!("{} MiB", kilobytes / 1024),
        None => "memory unknown".to_owned(),
    }
}
