//! `replay` plays one run and tells its story.

use std::path::{Path, PathBuf};

use clap::Args;
use raft_core::check::linearizable::WORK_DEFAULT;
use raft_core::format::{Found, Run};
use raft_core::raft::{Raft, ServerId};
use raft_core::sim::{Machine, Simulation};
use raft_core::time::{Duration, Time};
use raft_core::trial::{Finding, Playing};
use serde_json::{Value, json};

use crate::interrupt::Interrupt;
use crate::output::{BAD, BOLD, GOOD, ODD};
use crate::teller::{Teller, quoted};
use crate::text::{NAME_MAX, Text, escaped, shortened};
use crate::{Ending, Unusable, input, output, panics};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
                  raftarium replay failure-seed-17.json\n  \
                  raftarium replay 'http://127.0.0.1:8080/#run=AQcA…' --until 2.5s --all\n  \
                  raftarium replay failure.json --trace - | jq 'select(.server == \"S3\")'\n\n\
                  With a log on the standard output, the story isn't printed, and its end goes to the standard error.\n\n\
                  If the run says what was found in it, the command judges it anew and says whether that is as expected.\n\n\
                  Exit status: 0 nothing wrong was found, 1 something wrong was found, 2 the command line is wrong, \
                  3 the run can't be read, or a log not written, 130 Ctrl-C or SIGTERM: what there was by then has been told.")]
pub struct Options {
    /// A scenario file (`-` for the standard input), or a link
    #[arg(value_name = "FILE|LINK")]
    run: String,
    /// Play up to this moment, such as 2.5s, instead of the run's own
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    until: Option<Duration>,
    /// Print all news, not only the notable ones
    #[arg(long)]
    pub all: bool,
    /// Write what happened as JSON lines (`-` for the standard output)
    #[arg(long, value_name = "OUT")]
    pub trace: Option<PathBuf>,
    /// Write the requests of clients and their answers, for `raftarium check`
    #[arg(long, value_name = "OUT")]
    pub history: Option<PathBuf>,
    /// Write a log of messages with vector clocks, for ShiViz
    #[arg(long, value_name = "OUT")]
    pub shiviz: Option<PathBuf>,
    /// Write what each server observed, with its whole state and all messages, as JSON lines
    #[arg(long, value_name = "OUT")]
    pub recording: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How long a run goes on after its last action if its file doesn't say.
const AFTERMATH: Duration = Duration::from_secs(10);

impl Options {
    /// Checks that no two outputs go to the same place.
    pub fn check(&self) -> Result<(), String> {
        let logs = [
            ("--trace", &self.trace),
            ("--history", &self.history),
            ("--shiviz", &self.shiviz),
            ("--recording", &self.recording),
        ];
        let mut places: Vec<(&str, &Path)> = Vec::new();
        if self.json {
            places.push(("--json", Path::new(output::STANDARD)));
        }
        for (name, path) in logs {
            let Some(path) = path.as_deref() else { continue };
            let shown = match path {
                _ if output::is_standard(path) => "the standard output".into(),
                _ => escaped(&path.to_string_lossy(), NAME_MAX),
            };
            if let Some((other, _)) = places.iter().find(|(_, known)| output::is_same_place(known, path)) {
                return Err(format!("{other} and {name} can’t both write to {shown}"));
            }
            if !output::is_standard(path) && output::is_same_place(path, Path::new(&self.run)) {
                return Err(format!("{name} would overwrite the run itself, {shown}"));
            }
            places.push((name, path));
        }
        Ok(())
    }
}

/// The verdict on a run at its end.
enum Verdict {
    Fine,
    Wrong(Finding),
    /// An assertion of the core failed.
    Panicked(String),
    /// It was interrupted.
    Open,
}

/// What is said to have been found in a run, and whether it was found anew.
struct Claim {
    found: Found,
    holds: bool,
}

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let source = input::run(&options.run)?;
    let last = source.run.scenario.actions.last().map_or(Time::ZERO, |timed| timed.at);
    let claimed = source.found.as_ref().map_or(Time::ZERO, |found| found.at);
    let own = if source.open_ended { claimed.max(last + AFTERMATH) } else { source.run.until };
    let until = options.until.map_or(own, |until| Time::ZERO + until);
    let expected = source.run.hash.filter(|_| !source.open_ended && until == source.run.until);
    let run = Run { until, ..source.run };
    // Whoever plays less of it has not come to that.
    let found = source.found.filter(|found| found.at <= until);
    run.check().map_err(|error| Unusable(error.to_string()))?;
    let interrupt = Interrupt::watch()?;
    let mut playing = Playing::new(&run).map_err(|error| Unusable(error.to_string()))?;
    let mut teller = Teller::new(options, &interrupt, until)?;
    teller.print(&quoted(&source.note))?;
    teller.begin(playing.world_mut())?;
    // A failed assertion of the core ends a run, as a violation does.
    let played = panics::catch(|| playing.play(&mut teller));
    teller.end(playing.world_mut())?;
    let world = playing.world();
    // The expected hash is the one at the end, which an interrupted run doesn't reach.
    let expected = expected.filter(|_| !matches!(played, Ok(false)));
    let mut text = Text::new();
    let mut value = Value::Null;
    if options.json {
        value = state_as_json(&run, world, expected);
    } else {
        text = state_in_words(world, expected);
    }
    let now = world.now();
    let verdict = match played {
        Ok(true) => judge(playing, &interrupt, &teller),
        Ok(false) => Verdict::Open,
        Err(panic) => Verdict::Panicked(format!("at {now}, {panic}")),
    };
    let claim = found.map(|found| compare(&run, found, &verdict, &interrupt, &teller));
    if let Verdict::Wrong(finding) = &verdict {
        teller.conclude(finding)?;
    }
    teller.clear();
    if options.json {
        verdict_as_json(&mut value, &verdict, claim.as_ref());
        output::print(&Text::json(&value))?;
    } else {
        text.append(&verdict_in_words(&verdict, claim.as_ref(), now, until));
        teller.print_end(&text)?;
    }
    Ok(match verdict {
        Verdict::Open => Ending::Interrupted,
        Verdict::Fine if claim.is_none_or(|claim| !claim.holds) => Ending::Fine,
        Verdict::Fine | Verdict::Wrong(_) | Verdict::Panicked(_) => Ending::Found,
    })
}

/// Judges what has been played.
fn judge(playing: Playing, interrupt: &Interrupt, teller: &Teller<'_>) -> Verdict {
    let mut watcher = |world: &mut Simulation| {
        teller.show_progress(world.now());
        !interrupt.came()
    };
    match panics::catch(|| playing.judge(WORK_DEFAULT, &mut watcher)) {
        Err(panic) => Verdict::Panicked(panic.to_string()),
        Ok(None) => Verdict::Open,
        Ok(Some(judged)) => judged.finding.map_or(Verdict::Fine, Verdict::Wrong),
    }
}

/// Whether what is said to have been found was found, or is found in the run up to that moment: it
/// may go on, and what was done later may make up for it. What was done at the very moment may have
/// led to it, or have come after it.
fn compare(run: &Run, found: Found, verdict: &Verdict, interrupt: &Interrupt, teller: &Teller<'_>) -> Claim {
    let is_it = |verdict: &Verdict| matches!(verdict, Verdict::Wrong(finding) if finding.is(&found));
    let found_in = |kept: &dyn Fn(Time) -> bool| {
        let mut shorter = Run { until: found.at, hash: None, ..run.clone() };
        shorter.scenario.actions.retain(|timed| kept(timed.at));
        if shorter == (Run { hash: None, ..run.clone() }) {
            return false;
        }
        let mut watcher = |_: &mut Simulation| !interrupt.came();
        let played = panics::catch(|| {
            let mut playing = Playing::new(&shorter).ok()?;
            playing.play(&mut watcher).then_some(playing)
        });
        let playing = played.ok().flatten();
        playing.is_some_and(|playing| is_it(&judge(playing, interrupt, teller)))
    };
    let is_open = matches!(verdict, Verdict::Open);
    let holds = is_it(verdict) || !is_open && (found_in(&|at| at <= found.at) || found_in(&|at| at < found.at));
    Claim { found, holds }
}

fn verdict_in_words(verdict: &Verdict, claim: Option<&Claim>, now: Time, until: Time) -> Text {
    let mut text = Text::new();
    match verdict {
        Verdict::Wrong(finding) => text.styled(BAD, finding),
        Verdict::Panicked(sentence) => text.styled(BAD, sentence),
        Verdict::Fine => text.styled(GOOD, "Nothing wrong was found"),
        Verdict::Open => text
            .styled(ODD, "Interrupted")
            .add(format_args!(": it came to {now} of {until}, and nothing wrong was found up to there")),
    };
    let Some(Claim { found, holds }) = claim.filter(|_| !matches!(verdict, Verdict::Open)) else {
        if matches!(verdict, Verdict::Fine) {
            text.add(".");
        }
        text.end_line();
        return text;
    };
    let (what, at) = (found.what.name(), found.at);
    match verdict {
        Verdict::Wrong(finding) if finding.is(found) => text.add(", as expected"),
        _ if *holds => text
            .add(format_args!(", but up to {at} "))
            .styled(BAD, format_args!("{what} is violated"))
            .add(", as expected"),
        _ => text.add(", but ").styled(ODD, format_args!("a violation of {what} at {at} is expected")),
    };
    text.end_line();
    if !holds && !found.first.is_empty() {
        text.line(format_args!(
            "It was said that {}, but {}",
            shortened(&found.first, FACT_MAX),
            shortened(&found.second, FACT_MAX)
        ));
    }
    text
}

fn verdict_as_json(value: &mut Value, verdict: &Verdict, claim: Option<&Claim>) {
    let finding = if let Verdict::Wrong(finding) = verdict { Some(finding) } else { None };
    value["violation"] = match verdict {
        Verdict::Wrong(finding) => json!(finding.to_string()),
        Verdict::Panicked(sentence) => json!(sentence),
        Verdict::Fine | Verdict::Open => Value::Null,
    };
    value["found"] = json!(finding.map(|finding| found_as_json(&finding.found())));
    value["expected"] = json!(claim.map(|claim| found_as_json(&claim.found)));
    value["as_expected"] = json!(claim.map(|claim| claim.holds));
    value["interrupted"] = json!(matches!(verdict, Verdict::Open));
}

fn found_as_json(found: &Found) -> Value {
    let Found { what, at, first, second } = found;
    json!({ "what": what.name(), "time": at.as_micros(), "first": first, "second": second })
}

fn state_in_words(world: &Simulation, expected: Option<u64>) -> Text {
    let mut text = Text::new();
    text.end_line().styled(BOLD, format_args!("The servers at {}:", world.now())).end_line();
    for machine in world.machines() {
        text.add("  ").styled(BOLD, machine.id()).line(in_words(machine));
    }
    let (events, hash) = (output::grouped(world.events()), world.trace_hash());
    text.end_line().add(format_args!("{events} events; trace hash {hash:016x}"));
    match expected {
        None => text.end_line(),
        Some(expected) if expected == hash => text.line(", as expected"),
        Some(expected) => {
            let words = format!("but {expected:016x} is expected: this run now plays differently");
            text.add(", ").styled(ODD, words).end_line()
        }
    };
    text
}

fn state_as_json(run: &Run, world: &Simulation, expected: Option<u64>) -> Value {
    let servers: Vec<Value> = world.machines().iter().map(as_json).collect();
    json!({
        "seed": run.scenario.seed.to_string(),
        "until": world.now().as_micros(),
        "events": world.events(),
        "hash": format!("{:016x}", world.trace_hash()),
        "plays_differently": expected.is_some_and(|expected| expected != world.trace_hash()),
        "servers": servers,
        "operations": world.operations_begun(),
    })
}

/// How many characters of a fact from a file or a link are shown.
const FACT_MAX: usize = 400;

/// How many characters of a key or a value are shown.
const PAIR_MAX: usize = 40;

/// How many pairs of a store are shown.
const PAIRS_MAX: usize = 8;

/// A server's state, to be printed after its name.
fn in_words(machine: &Machine) -> String {
    let Some(raft) = machine.raft() else {
        let disk = machine.disk().image();
        let state = disk.hard_state();
        let vote = state.voted_for.map_or(String::new(), |vote| format!(", vote for {vote}"));
        return format!(" is down; on its disk: term {}{vote}, log up to {}", state.term, disk.log().last());
    };
    let paused = if machine.is_paused() { ", stands still" } else { "" };
    let mut text = format!(
        " {}{paused}: term {}, log up to {}, commit {}, applied {}",
        raft.role().name(),
        raft.term(),
        raft.log().last(),
        raft.commit_index(),
        raft.applied_index(),
    );
    if let Some(store) = machine.store() {
        let pairs = store.iter().take(PAIRS_MAX).map(|(key, value)| {
            format!("{}={}", shortened(key.as_str(), PAIR_MAX), shortened(&value.to_string(), PAIR_MAX))
        });
        text +=
            &format!("; {}", if store.is_empty() { "empty".to_owned() } else { pairs.collect::<Vec<_>>().join(" ") });
        if store.len() > PAIRS_MAX {
            text += &format!(" and {} more", store.len() - PAIRS_MAX);
        }
    }
    text
}

fn as_json(machine: &Machine) -> Value {
    let leader = |raft: &Raft| raft.leader().map(|leader: ServerId| leader.to_string());
    let disk = machine.disk().image();
    json!({
        "server": machine.id().to_string(),
        "up": machine.is_up(),
        "role": machine.raft().map(|raft| raft.role().name()),
        "term": machine.raft().map_or(disk.hard_state().term, Raft::term).0,
        "leader": machine.raft().and_then(leader),
        "last": machine.raft().map_or(disk.log().last(), |raft| raft.log().last()).to_string(),
        "commit": machine.raft().map(|raft| raft.commit_index().0),
        "applied": machine.raft().map(|raft| raft.applied_index().0),
        "store_digest": machine.store().map(|store| format!("{:016x}", store.digest())),
    })
}
