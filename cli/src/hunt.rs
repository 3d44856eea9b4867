//! `hunt` plays many storms at the same time, and shrinks the first run that fails.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::time::Instant;
use std::{fmt, thread};

use clap::Args;
use clap::builder::PossibleValuesParser;
use indicatif::ProgressBar;
use raft_core::check::Guarantee;
use raft_core::check::linearizable::WORK_DEFAULT;
use raft_core::format::{Found, LENGTH_MAX, Run, found, kebab, units};
use raft_core::raft::{Rule, Rules};
use raft_core::sim::{CALM_AFTER, Marks, Profile, SERVERS_MAX, Scenario, Simulation};
use raft_core::time::{Duration, Time};
use raft_core::trial::{self, Failure, Finding, Hunt, Shrunk};
use serde_json::{Value, json};

use crate::exchange::{BASE_URL, address, file_of, hash_of};
use crate::input::Source;
use crate::interrupt::Interrupt;
use crate::output::{BAD, BOLD, DIM, GOOD, ODD, PLAIN, grouped, roughly};
use crate::seeds::Seeds;
use crate::text::Text;
use crate::{Ending, Unusable, input, output, panics};

/// The most seeds that are played at the same time: more than any machine has processors.
const JOBS_MAX: u16 = 1_024;

#[derive(Args)]
#[command(
    after_help = "Exit status: 0 no violation, 1 a violation was found (or, with --all-marks, a rare state never reached), 2 the command line is wrong, \
                        3 the scenario can't be written, 130 Ctrl-C or SIGTERM: what was found by then has been printed.",
    after_long_help = "Each seed draws its own world and its own storm. A run fails if one of Raft's safety properties is violated, if an \
                       assertion of the core fails, if what clients saw is not linearizable, or if a healed quorum does not \
                       come back to work after the storm. The first failure is shrunk: to fewer actions, a shorter time, a simpler world.\n\n\
                       Examples:\n  \
                       raftarium hunt --seeds 0..10000 --jobs 8\n  \
                       raftarium hunt --without vote-once-per-term --nodes 3 --for 20s\n  \
                       raftarium hunt --without persist-before-acknowledging --only-harm\n  \
                       raftarium hunt --seeds 0..500 --faults disks --keep-going --json > disks.json\n\n\
                       To use many machines, give each its own range of seeds (docs/hunting.md).\n\n\
                       Ctrl-C and SIGTERM end a hunt, even while it shrinks: it prints and writes what it has found. A second one stops it at once.\n\n\
                       Exit status: 0 no violation, 1 a violation was found (or, with --all-marks, a rare state never reached), \
                       2 the command line is wrong, 3 the scenario can't be written, 130 it was interrupted."
)]
pub struct Options {
    /// The seeds to play: A..B without B, A..=B with B, or a single seed
    #[arg(long, value_name = "A..B", default_value = "0..100", value_parser = Seeds::read)]
    seeds: Seeds,
    /// How many servers; by default drawn from the seed (3, 5 or 7)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(SERVERS_MAX)))]
    nodes: Option<u8>,
    /// How much virtual time to play of each seed: more than 10s; the last 10s are calm
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = length)]
    length: Duration,
    /// Which faults the storms have
    #[arg(long, value_name = "PROFILE", default_value = "full",
        value_parser = PossibleValuesParser::new(Profile::ALL.map(Profile::name)))]
    faults: String,
    /// Switch off a rule of Raft (`raftarium rules` lists them); can be given more than once
    #[arg(long, value_name = "RULE", hide_possible_values = true,
        value_parser = PossibleValuesParser::new(Rule::ALL.map(Rule::name)))]
    without: Vec<String>,
    /// Look only for harm: two leaders in a term, logs or stores that differ, a lost entry, a wrong
    /// answer. A promise that is broken on the way ends no run
    #[arg(long)]
    only_harm: bool,
    /// How many seeds to play at the same time, up to 1024; by default as many as there are
    /// processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(JOBS_MAX)))]
    jobs: Option<u16>,
    /// Play all seeds, and count the violations, instead of stopping at the first
    #[arg(long)]
    keep_going: bool,
    /// Fail also if a rare state was never reached, since the hunt then says nothing about it
    #[arg(long)]
    all_marks: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Where to write the shrunk scenario; by default failure-seed-N.json
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The address of the page that the link opens
    #[arg(long, value_name = "URL", default_value = BASE_URL, value_parser = address)]
    base_url: String,
    /// How many candidates to try when shrinking; 0 leaves the failure as it is
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    shrink_tries: u32,
}

impl Options {
    /// Checks that the scenario isn't written to the standard output.
    pub fn check(&self) -> Result<(), String> {
        match &self.out {
            Some(path) if output::is_standard(path) => {
                Err("--out needs the name of a file: the standard output has the summary".into())
            }
            _ => Ok(()),
        }
    }
}

fn length(text: &str) -> Result<Duration, String> {
    let length = input::time(text)?;
    match length {
        _ if length <= CALM_AFTER => {
            Err(format!("the last {} are calm: allow more time", units::write_duration(CALM_AFTER)))
        }
        _ if length > LENGTH_MAX => Err(format!("at most {} are allowed", units::write_duration(LENGTH_MAX))),
        _ => Ok(length),
    }
}

/// In which way a run fails.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A property, linearizability or liveness is violated.
    Violation(&'static str),
    /// An assertion fails at this place of the source.
    Panic(String),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Violation(name) => f.write_str(name),
            Kind::Panic(place) => write!(f, "assertion at {place}"),
        }
    }
}

/// The result of a seed.
struct Outcome {
    seed: u64,
    events: u64,
    played: Duration,
    marks: Marks,
    /// The most traffic between two servers, in thousandths of what Economy allows.
    economy: u64,
    failed: Option<Failed>,
}

/// How a run failed.
#[derive(Clone)]
struct Failed {
    seed: u64,
    failure: Failure<Kind>,
    sentence: String,
    /// What was found, unless an assertion failed.
    finding: Option<Finding>,
}

/// The run of a seed, in a hunt that the command line allows.
fn run_of(hunt: &Hunt, seed: u64) -> Run {
    hunt.run(seed).unwrap_or_else(|error| unreachable!("the command line was checked: {error}"))
}

/// Plays a run and judges it; `None` if it is interrupted.
fn try_run(run: &Run, work_max: u64, interrupt: &Interrupt) -> Option<Outcome> {
    let seed = run.scenario.seed;
    match panics::catch(|| trial::play_watched(run, work_max, &mut |_: &mut Simulation| !interrupt.came())) {
        Ok(Ok(played)) => played.map(|played| {
            let world = &played.world;
            let failed = played.finding.map(|finding| {
                let failure = Failure { kind: Kind::Violation(finding.name()), at: finding.at() };
                Failed { seed, failure, sentence: finding.to_string(), finding: Some(finding) }
            });
            Outcome {
                seed,
                events: world.events(),
                played: world.now().since(Time::ZERO),
                marks: world.marks().copied().unwrap_or_default(),
                economy: world.economy().unwrap_or(0),
                failed,
            }
        }),
        Ok(Err(error)) => unreachable!("a checked run makes no world: {error}"),
        Err(panic) => {
            let at = panics::moment(run);
            let failure = Failure { kind: Kind::Panic(panic.place.clone()), at };
            let failed = Some(Failed { seed, failure, sentence: format!("at {at}, {panic}"), finding: None });
            let played = at.since(Time::ZERO);
            Some(Outcome { seed, events: 0, played, marks: Marks::default(), economy: 0, failed })
        }
    }
}

/// Lets a shrunk run end with its failure, and notes its hash there. Gives the finding, and a
/// sentence about it: a shrunk run needs its own, for the one of the original run doesn't fit it.
fn end(run: &mut Run) -> (Option<Found>, Option<String>) {
    // Nothing can interrupt this.
    let failed = try_run(run, WORK_DEFAULT, &Interrupt::default()).and_then(|outcome| outcome.failed);
    let finding = failed.as_ref().and_then(|failed| failed.finding.as_ref());
    let found = finding.map(|finding| finding.end(run));
    run.hash = hash_of(run);
    (found, failed.map(|failed| failed.sentence))
}

/// The results of all seeds so far.
#[derive(Default)]
struct Tally {
    played: u64,
    events: u64,
    time: Duration,
    marks: Marks,
    /// The most traffic between two servers, in thousandths of what Economy allows, and the lowest
    /// seed that has it.
    economy: Option<(u64, u64)>,
    failed: Vec<Failed>,
    /// The seeds that were not played because a signal came.
    left: Option<Seeds>,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        self.played += 1;
        self.events += outcome.events;
        self.time = self.time + outcome.played;
        self.marks.add(&outcome.marks);
        let more = |(most, seed): (u64, u64)| (outcome.economy, seed) > (most, outcome.seed);
        if self.economy.is_none_or(more) {
            self.economy = Some((outcome.economy, outcome.seed));
        }
        self.failed.extend(outcome.failed);
    }
}

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let off = options.without.iter().filter_map(|name| Rule::named(name));
    let hunt = Hunt {
        servers: options.nodes,
        length: options.length,
        profile: Profile::ALL.into_iter().find(|profile| profile.name() == options.faults).unwrap_or_default(),
        rules: off.fold(Rules::ALL, Rules::without),
        only_harm: options.only_harm,
    };
    let interrupt = Interrupt::watch()?;
    let start = Instant::now();
    let mut tally = play_all(options, &hunt, &interrupt)?;
    let wall = start.elapsed().as_secs_f64();
    tally.failed.sort_by_key(|failed| failed.seed);
    let small = tally.failed.first().map(|failed| make_small(options, &hunt, failed, &interrupt));
    let told = Told { options, hunt: &hunt, tally: &tally, wall, small: small.as_ref(), interrupted: interrupt.came() };
    output::print(&if options.json { Text::json(&told.as_json()) } else { told.in_words() })?;
    if let Some(Small { file: Err(why), .. }) = small {
        return Err(Unusable(why));
    }
    let missed = options.all_marks && tally.marks.iter().any(|(_, count)| count == 0);
    Ok(match () {
        () if told.interrupted => Ending::Interrupted,
        () if tally.failed.is_empty() && !missed => Ending::Fine,
        () => Ending::Found,
    })
}

// ---------------------------------------------------------------- without a rule

/// The most characters of a link that a table has room for.
const LISTED_LINK_MAX: usize = 2_000;

/// What stands in place of a longer link.
const TOO_LONG: &str = "too long: *New run*, *Rules* in the page has a shorter one";

/// The result of a hunt without one rule, as a row of a Markdown table; and whether what it found
/// is a broken promise, which need not have done harm.
pub fn row_without(rule: Rule, seeds: Seeds, only_harm: bool, shrink_tries: u32) -> Result<(String, bool), Unusable> {
    let options = Options {
        seeds,
        nodes: None,
        length: Hunt::default().length,
        faults: Profile::Full.name().to_owned(),
        without: Vec::new(),
        only_harm,
        jobs: None,
        keep_going: true,
        all_marks: false,
        json: false,
        out: None,
        base_url: BASE_URL.to_owned(),
        shrink_tries,
    };
    let hunt = Hunt { rules: Rules::ALL.without(rule), only_harm, ..Hunt::default() };
    // No signal is caught here: the rows printed before an interruption are complete.
    let interrupt = Interrupt::default();
    let mut tally = play_all(&options, &hunt, &interrupt)?;
    tally.failed.sort_by_key(|failed| failed.seed);
    let start = format!("| `{}` | {} |", rule.name(), rule.prevents());
    let Some(first) = tally.failed.first() else {
        return Ok((format!("{start} 0 of {} | | | | |", tally.played), false));
    };
    let mut shrunk = trial::shrink(&run_of(&hunt, first.seed), &first.failure, shrink_tries, |candidate| {
        try_run(candidate, WORK_OF_SHRINKING, &interrupt)?.failed.map(|failed| failed.failure)
    });
    let (found, sentence) = end(&mut shrunk.run);
    let promise = matches!(&found, Some(Found { what: Guarantee::Property(property), .. }) if !property.is_harm());
    let sentence = sentence.unwrap_or_else(|| first.sentence.clone());
    let Scenario { parameters, actions, .. } = &shrunk.run.scenario;
    let link = found::write_address("", &shrunk.run, found.as_ref()).ok();
    let link = link.filter(|link| link.len() <= LISTED_LINK_MAX).map_or(TOO_LONG.into(), |link| format!("`{link}`"));
    let row = format!(
        "{start} {} of {} | {} | {} servers, {} actions, {} | {} | {link} |",
        tally.failed.len(),
        tally.played,
        first.seed,
        parameters.servers,
        actions.len(),
        shrunk.run.until,
        sentence.replace('|', "\\|").replace('\n', " "),
    );
    Ok((row, promise))
}

// ---------------------------------------------------------------- playing

fn play_all(options: &Options, hunt: &Hunt, interrupt: &Interrupt) -> Result<Tally, Unusable> {
    let as_many_as_processors = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = options.jobs.map_or_else(as_many_as_processors, usize::from).min(usize::from(JOBS_MAX));
    let course = Course { seeds: options.seeds, next: AtomicU64::new(0), last: AtomicU64::new(u64::MAX) };
    let bar = progress(u64::try_from(options.seeds.count()).unwrap_or(u64::MAX));
    let start = Instant::now();
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let (tell, hear) = mpsc::channel();
        for started in 0..jobs {
            let (tell, course) = (tell.clone(), &course);
            let job = thread::Builder::new().spawn_scoped(scope, move || play_some(hunt, course, interrupt, &tell));
            match job {
                Ok(_) => {}
                Err(error) if started == 0 => return Err(Unusable(format!("no seed can be played: {error}"))),
                Err(error) => {
                    let words = "seeds are played at the same time, the system allows no more";
                    output::remark(format_args!("Only {started} of {jobs} {words}: {error}"));
                    break;
                }
            }
        }
        drop(tell);
        let mut broken_off = None;
        for (place, outcome) in hear {
            let Some(outcome) = outcome else {
                broken_off = Some(broken_off.map_or(place, |first: u64| first.min(place)));
                continue;
            };
            if outcome.failed.is_some() && !options.keep_going {
                course.last.fetch_min(place, Ordering::Relaxed);
            }
            tally.add(outcome);
            let wall = start.elapsed().as_secs_f64().max(0.001);
            let ratio = tally.time.as_micros() as f64 / 1e6 / wall;
            let rate = tally.played as f64 / wall;
            bar.set_message(format!("{rate:.0} seeds/s, {ratio:.0}× real time, {}", violations(tally.failed.len())));
            bar.set_position(tally.played);
        }
        if interrupt.came() && (tally.failed.is_empty() || options.keep_going) {
            let next = course.next.load(Ordering::Relaxed);
            tally.left = options.seeds.from(broken_off.map_or(next, |first| first.min(next)));
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(tally)
}

/// Which seeds have been started, and which still matter, by their positions in the range.
struct Course {
    seeds: Seeds,
    /// The first that no thread has started.
    next: AtomicU64,
    /// The last that matters. All seeds before it have been started, so that the hunt always finds
    /// the lowest failing seed.
    last: AtomicU64,
}

impl Course {
    /// The next seed to play, and its position.
    fn begin(&self) -> Option<(u64, u64)> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let seed = self.seeds.at(place)?;
        (place <= self.last.load(Ordering::Relaxed)).then_some((place, seed))
    }
}

fn play_some(hunt: &Hunt, course: &Course, interrupt: &Interrupt, tell: &Sender<(u64, Option<Outcome>)>) {
    while !interrupt.came()
        && let Some((place, seed)) = course.begin()
    {
        if tell.send((place, try_run(&run_of(hunt, seed), WORK_DEFAULT, interrupt))).is_err() {
            return;
        }
    }
}

fn progress(length: u64) -> ProgressBar {
    output::progress(length, "{wide_bar} {pos}/{len}  {msg}  {eta} left")
}

fn violations(count: usize) -> String {
    match count {
        0 => "no violation".into(),
        1 => "1 violation".into(),
        count => format!("{} violations", grouped(count as u64)),
    }
}

// ---------------------------------------------------------------- the first failure

/// How often the search looks at an operation when it judges a candidate: only the final run must
/// explain why its history is not linearizable.
const WORK_OF_SHRINKING: u64 = 200_000;

/// The first failure, shrunk and written to a file.
struct Small {
    seed: u64,
    shrunk: Shrunk,
    sentence: String,
    /// The file, or why it couldn't be written.
    file: Result<PathBuf, String>,
    /// The link, or why there is none.
    link: Result<String, String>,
}

fn make_small(options: &Options, hunt: &Hunt, failed: &Failed, interrupt: &Interrupt) -> Small {
    let bar = progress(u64::from(options.shrink_tries));
    bar.set_message("shrinking");
    let run = run_of(hunt, failed.seed);
    let fails = |candidate: &Run| {
        bar.inc(1);
        bar.set_message(format!("shrinking: {} actions", candidate.scenario.actions.len()));
        try_run(candidate, WORK_OF_SHRINKING, interrupt)?.failed.map(|failed| failed.failure)
    };
    let mut shrunk = trial::shrink_while(&run, &failed.failure, options.shrink_tries, fails, &|| !interrupt.came());
    bar.finish_and_clear();
    let (found, sentence) = end(&mut shrunk.run);
    let sentence = sentence.unwrap_or_else(|| failed.sentence.clone());
    let path = options.out.clone().unwrap_or_else(|| format!("failure-seed-{}.json", failed.seed).into());
    let note = format!("{sentence}\nFound by: {}", hunt.command(failed.seed));
    let link = found::write_address(&options.base_url, &shrunk.run, found.as_ref()).map_err(|error| error.to_string());
    let text = file_of(Source { run: shrunk.run.clone(), note, open_ended: false, found });
    let file = text.and_then(|text| output::write(&path, &text)).map(|()| path).map_err(|Unusable(why)| why);
    Small { seed: failed.seed, shrunk, sentence, file, link }
}

// ---------------------------------------------------------------- printing

/// Seeds that are listed one by one.
const LISTED_MAX: usize = 20;

/// Everything that is printed at the end.
struct Told<'a> {
    options: &'a Options,
    hunt: &'a Hunt,
    tally: &'a Tally,
    wall: f64,
    small: Option<&'a Small>,
    interrupted: bool,
}

impl Told<'_> {
    fn in_words(&self) -> Text {
        let Told { options, hunt, tally, wall, small, interrupted } = *self;
        let mut text = Text::new();
        text.add(format_args!(
            "{} of {} seeds ({}), {} each, faults: {}: ",
            grouped(tally.played),
            grouped(options.seeds.count()),
            options.seeds,
            units::write_duration(hunt.length),
            hunt.profile.name(),
        ));
        let style = if tally.failed.is_empty() { GOOD } else { BAD };
        text.styled(style, violations(tally.failed.len())).end_line();
        let seconds = tally.time.as_micros() as f64 / 1e6;
        text.line(format_args!(
            "{} of virtual time in {wall:.1} s: {} times real time, {:.1} seeds/s, {} events",
            roughly(tally.time),
            grouped((seconds / wall.max(0.001)) as u64),
            tally.played as f64 / wall.max(0.001),
            grouped(tally.events),
        ));
        // A hunt that stopped early would only show unreached marks.
        if tally.failed.is_empty() || options.keep_going {
            text.append(&marks_in_words(&tally.marks));
        }
        if let Some((economy, seed)) = tally.economy {
            let percent = economy.div_ceil(10);
            text.line(format_args!("at most {percent} % of the traffic that Economy allows was used, in seed {seed}"));
        }
        let mut kinds: BTreeMap<&Kind, Vec<u64>> = BTreeMap::new();
        for failed in &tally.failed {
            kinds.entry(&failed.failure.kind).or_default().push(failed.seed);
        }
        if options.keep_going && !kinds.is_empty() {
            text.end_line();
            for (kind, seeds) in kinds {
                let count = grouped(seeds.len() as u64);
                text.styled(BAD, kind).line(format_args!(": {count} of seeds: {}", list(&seeds)));
            }
        }
        if let Some(small) = small {
            text.append(&small_in_words(hunt, small, interrupted));
        }
        if interrupted {
            text.end_line().styled(ODD, "Interrupted");
            match tally.left {
                Some(left) => text.line(format_args!(": to play the rest, use --seeds {left}")),
                None => text.line(" when every seed that matters had been played"),
            };
        }
        text
    }

    fn as_json(&self) -> Value {
        let Told { options, hunt, tally, wall, small, interrupted } = *self;
        let violations: Vec<Value> = tally
            .failed
            .iter()
            .map(|failed| {
                json!({
                    "seed": failed.seed.to_string(),
                    "kind": failed.failure.kind.to_string(),
                    "time": failed.failure.at.as_micros(),
                    "sentence": failed.sentence,
                    "command": hunt.command(failed.seed),
                })
            })
            .collect();
        let marks: BTreeMap<String, u32> = tally.marks.iter().map(|(mark, count)| (kebab(&mark), count)).collect();
        let shrunk = small.map(|small| {
            let run = &small.shrunk.run;
            json!({
                "seed": small.seed.to_string(),
                "sentence": small.sentence,
                "file": small.file.as_ref().ok(),
                "link": small.link.as_ref().ok(),
                "actions": run.scenario.actions.len(),
                "servers": run.scenario.parameters.servers,
                "until": run.until.as_micros(),
                "tries": small.shrunk.tries,
                "finished": small.shrunk.finished,
            })
        });
        json!({
            "seeds": { "from": options.seeds.first().to_string(), "to": options.seeds.end().to_string() },
            "length": hunt.length.as_micros(),
            "faults": hunt.profile.name(),
            "without": hunt.rules.switched_off().map(Rule::name).collect::<Vec<_>>(),
            "only_harm": hunt.only_harm,
            "played": tally.played,
            "events": tally.events,
            "virtual_seconds": tally.time.as_micros() as f64 / 1e6,
            "wall_seconds": wall,
            "violations": violations,
            "economy": tally.economy.map(|(most, seed)| json!({ "thousandths": most, "seed": seed.to_string() })),
            "marks": marks,
            "shrunk": shrunk,
            "interrupted": interrupted,
            "left": tally.left.map(|left| left.to_string()),
        })
    }
}

fn list(seeds: &[u64]) -> String {
    let shown: Vec<String> = seeds.iter().take(LISTED_MAX).map(u64::to_string).collect();
    let more = if seeds.len() > LISTED_MAX { ", …" } else { "" };
    shown.join(", ") + more
}

fn marks_in_words(marks: &Marks) -> Text {
    let reached = marks.iter().filter(|(_, count)| *count > 0).count();
    let mut text = Text::new();
    let heading = format!("{reached} of {} rare states reached:", marks.iter().count());
    text.end_line().styled(BOLD, heading).end_line();
    for (mark, count) in marks.iter() {
        let meaning = mark.meaning().trim_end_matches('.');
        let style = if count == 0 { ODD } else { PLAIN };
        text.styled(style, format_args!("{:>12}  {meaning}", grouped(count))).end_line();
    }
    text
}

fn small_in_words(hunt: &Hunt, small: &Small, interrupted: bool) -> Text {
    let run = &small.shrunk.run;
    let mut text = Text::new();
    text.end_line().styled(BOLD, format_args!("Seed {}:", small.seed)).add(" ").styled(BAD, &small.sentence).end_line();
    text.line(format_args!(
        "Shrunk from {} actions to {}, to {} and {} in {} tries{}.",
        grouped(run_of(hunt, small.seed).scenario.actions.len() as u64),
        grouped(run.scenario.actions.len() as u64),
        match run.scenario.parameters.servers {
            1 => "1 server".to_owned(),
            servers => format!("{servers} servers"),
        },
        run.until,
        grouped(small.shrunk.tries),
        match small.shrunk.finished {
            true => "",
            false if interrupted => ", until it was interrupted",
            false => ", which was the limit",
        },
    ));
    let replay = match &small.file {
        Ok(path) => format!("raftarium replay {}", output::named(path)),
        Err(why) => format!("none: {why}"),
    };
    let link = small.link.clone().unwrap_or_else(|why| format!("none: {why}"));
    text.end_line();
    for (name, what) in [("replay:", replay), ("link:  ", link), ("again: ", hunt.command(small.seed))] {
        text.add("  ").styled(DIM, name).line(format_args!("  {what}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hunt_needs_time_for_its_storm() {
        assert_eq!(length("10.5s"), Ok(Duration::from_millis(10_500)));
        assert_eq!(length("10s"), Err("the last 10s are calm: allow more time".into()));
        assert_eq!(length("25h"), Err("at most 86400s are allowed".into()));
    }
}
