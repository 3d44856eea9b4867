//! `replay` plays one run and tells its story.

use std::path::{Path, PathBuf};

use clap::Args;
use raft_core::check::linearizable::WORK_DEFAULT;
use raft_core::format::Run;
use raft_core::raft::{Raft, ServerId};
use raft_core::sim::{Machine, Simulation};
use raft_core::time::{Duration, Time};
use raft_core::trial::Playing;
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
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How long a run goes on after its last action if its file doesn't say.
const AFTERMATH: Duration = Duration::from_secs(10);

impl Options {
    /// Checks that no two outputs go to the same place.
    pub fn check(&self) -> Result<(), String> {
        let logs = [("--trace", &self.trace), ("--history", &self.history), ("--shiviz", &self.shiviz)];
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
    Wrong(String),
    /// It was interrupted.
    Open,
}

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let source = input::run(&options.run)?;
    let last = source.run.scenario.actions.last().map_or(Time::ZERO, |timed| timed.at);
    let own = if source.open_ended { last + AFTERMATH } else { source.run.until };
    let until = options.until.map_or(own, |until| Time::ZERO + until);
    let expected = source.run.hash.filter(|_| !source.open_ended && until == source.run.until);
    let run = Run { until, ..source.run };
    run.check().map_err(|error| Unusable(error.to_string()))?;
    let interrupt = Interrupt::watch()?;
    let mut playing = Playing::new(&run).map_err(|error| Unusable(error.to_string()))?;
    let mut teller = Teller::new(options, &interrupt, until)?;
    teller.print(&quoted(&source.note))?;
    teller.begin(playing.world_mut());
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
        Err(panic) => Verdict::Wrong(format!("at {now}, {panic}")),
    };
    teller.clear();
    if options.json {
        let violation = if let Verdict::Wrong(sentence) = &verdict { Some(sentence) } else { None };
        value["violation"] = json!(violation);
        value["interrupted"] = json!(matches!(verdict, Verdict::Open));
        output::print(&Text::json(&value))?;
    } else {
        match &verdict {
            Verdict::Wrong(sentence) => text.styled(BAD, sentence).end_line(),
            Verdict::Fine => text.styled(GOOD, "Nothing wrong was found").line("."),
            Verdict::Open => text
                .styled(ODD, "Interrupted")
                .line(format_args!(": it came to {now} of {until}, and nothing wrong was found up to there")),
        };
        teller.print_end(&text)?;
    }
    Ok(match verdict {
        Verdict::Wrong(_) => Ending::Found,
        Verdict::Open => Ending::Interrupted,
        Verdict::Fine => Ending::Fine,
    })
}

fn judge(playing: Playing, interrupt: &Interrupt, teller: &Teller<'_>) -> Verdict {
    let mut watcher = |world: &mut Simulation| {
        teller.show_progress(world.now());
        !interrupt.came()
    };
    match panics::catch(|| playing.judge(WORK_DEFAULT, &mut watcher)) {
        Err(panic) => Verdict::Wrong(panic.to_string()),
        Ok(None) => Verdict::Open,
        Ok(Some(judged)) => match judged.finding {
            Some(finding) => Verdict::Wrong(finding.to_string()),
            None => Verdict::Fine,
        },
    }
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
            format!("{}={}", shortened(key.as_str(), PAIR_MAX), shortened(value.as_str(), PAIR_MAX))
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
