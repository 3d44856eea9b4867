//! `cargo xtask mutants` plants bugs one at a time, and sees whether tests and hunts find them.
//!
//! The source contains none of them. `mutants/*.toml` says what each replaces (`catalogue`). All of
//! them are put into one copy of the library, each behind a switch (`splice`, `copy`), so that
//! everything is built only once; an environment variable chooses the mutant of a run (`trials`).
//! The results go into `docs/mutants.md` (`report`).
//!
//! A mutant that tests miss needs a test. One that hunts miss shows which fault the simulated world
//! lacks, or which check is blind.

mod catalogue;
mod copy;
mod kept;
mod report;
mod splice;
mod trials;

use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use catalogue::Mutant;
use indicatif::{ProgressBar, ProgressStyle};
use kept::Kept;
use report::Trial;
use std::fs;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;
use trials::{Hunt, Programs, Tests};

/// How many seeds a hunt has.
const SEEDS: u64 = 2_000;

#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Only these mutants, or those of these concerns; print the results, and write nothing
    #[arg(long, value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    only: Vec<String>,
    /// Try only tests; print the results, and write nothing
    #[arg(long, conflicts_with = "hunts")]
    tests: bool,
    /// Try only hunts; print the results, and write nothing
    #[arg(long)]
    hunts: bool,
    /// How many seeds to hunt in; with another number than the default, write nothing
    #[arg(long, value_name = "N", default_value_t = SEEDS, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Run all of them, also those whose results are known from an earlier run
    #[arg(long)]
    fresh: bool,
    /// How many mutants to run at the same time; by default as many as there are processors
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// Runs the mutants and prints the results; if all were run, writes `docs/mutants.md`.
pub fn run(options: &Options) -> Result<()> {
    let start = Instant::now();
    let mutants = catalogue::read(&tools::root().join("mutants"))?;
    let chosen = choose(&mutants, &options.only)?;
    let sources = copy::write(&mutants)?;
    println!("{} mutants are in {}.", mutants.len(), copy::workspace().display());
    let kept = Kept::open(&copy::folder().join("results.jsonl"), sources, options.fresh)?;
    let programs = trials::build(!options.hunts, !options.tests, options.seeds)?;
    let trials = try_all(&chosen, &programs, &kept, options)?;
    let page = report::page(&trials, options.seeds);
    let whole = options.only.is_empty() && !options.tests && !options.hunts && options.seeds == SEEDS;
    if whole {
        let path = tools::root().join("docs/mutants.md");
        fs::write(&path, &page).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{} is written.", path.display());
    } else {
        println!("\n{page}");
    }
    for complaint in report::complaints(&trials) {
        println!("note: {complaint}");
    }
    let (tests, hunts) = report::shares(&trials);
    println!("Tests find {tests}; hunts find {hunts}; in {:.0} minutes.", start.elapsed().as_secs_f64() / 60.0,);
    if whole && (tests.percent() < report::TESTS_GOAL || hunts.percent() < report::HUNTS_GOAL) {
        bail!("the goals are {} % by tests and {} % by hunts", report::TESTS_GOAL, report::HUNTS_GOAL);
    }
    Ok(())
}

fn choose<'m>(mutants: &'m [Mutant], only: &[String]) -> Result<Vec<&'m Mutant>> {
    let is_called = |mutant: &Mutant, name: &str| mutant.name == name || mutant.concern == name;
    for name in only {
        ensure!(
            mutants.iter().any(|mutant| is_called(mutant, name)),
            "there is no mutant and no concern called {name}"
        );
    }
    let wanted = |mutant: &&Mutant| only.is_empty() || only.iter().any(|name| is_called(mutant, name));
    Ok(mutants.iter().filter(wanted).collect())
}

fn try_all<'m>(chosen: &[&'m Mutant], programs: &Programs, kept: &Kept, options: &Options) -> Result<Vec<Trial<'m>>> {
    let jobs = options.jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}, {eta} left")?;
    let bar = ProgressBar::new(chosen.len() as u64).with_style(style);
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let trials = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        while let Some(mutant) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let tests = if options.hunts { None } else { Some(test(mutant, programs, kept)?) };
            let outside = mutant.outside_hunts.is_some() && options.only.is_empty();
            let hunt = match options.tests || outside {
                true => None,
                false => Some(hunt(mutant, programs, kept, options.seeds)?),
            };
            let trial = Trial { mutant, tests, hunt };
            missed.fetch_add(usize::from(trial.is_missed()), Ordering::Relaxed);
            bar.suspend(|| println!("{}", trial.line()));
            bar.set_message(format!("{} missed", missed.load(Ordering::Relaxed)));
            bar.inc(1);
            if let Ok(mut trials) = trials.lock() {
                trials.push(trial);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.min(chosen.len()).max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a worker panicked")))
    })?;
    bar.finish_and_clear();
    let mut trials = trials.into_inner().unwrap_or_default();
    // In the catalogue's order.
    trials.sort_by_key(|trial: &Trial<'_>| chosen.iter().position(|mutant| mutant.name == trial.mutant.name));
    Ok(trials)
}

fn test(mutant: &Mutant, programs: &Programs, kept: &Kept) -> Result<Tests> {
    if let Some(tests) = kept.tests(mutant) {
        return Ok(tests);
    }
    let tests = programs.test(&mutant.name)?;
    kept.keep_tests(mutant, &tests)?;
    Ok(tests)
}

fn hunt(mutant: &Mutant, programs: &Programs, kept: &Kept, seeds: u64) -> Result<Hunt> {
    if let Some(hunt) = kept.hunt(mutant, seeds) {
        return Ok(hunt);
    }
    let hunt = programs.hunt(Some(&mutant.name))?;
    kept.keep_hunt(mutant, seeds, &hunt)?;
    Ok(hunt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Mutant> {
        catalogue::read(&tools::root().join("mutants")).unwrap_or_else(|error| panic!("{error:#}"))
    }

    #[test]
    fn mutants_are_chosen_by_name_or_by_concern() {
        let mutants = all();
        let chosen = choose(&mutants, &["kv".into(), mutants[0].name.clone()]).unwrap();
        assert!(chosen.iter().any(|mutant| mutant.concern == "kv"));
        assert_eq!(chosen[0].name, mutants[0].name);
        assert!(choose(&mutants, &["no-such-mutant".into()]).is_err());
        assert_eq!(choose(&mutants, &[]).unwrap().len(), mutants.len());
    }
}
