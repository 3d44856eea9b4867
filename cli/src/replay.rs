//! `replay`: one run, played and told.

use std::path::PathBuf;

use clap::Args;
use raft_core::format::{Run, history, shiviz, trace};
use raft_core::raft::{Raft, ServerId, Weight};
use raft_core::sim::{Machine, News, Simulation};
use raft_core::time::{Duration, Time};
use raft_core::trial;
use serde_json::{Value, json};

use crate::output::{BAD, BOLD, DIM, GOOD, ODD, PLAIN};
use crate::panics::{self, Panic};
use crate::text::{SENTENCE_MAX, Text, shortened};
use crate::{Ending, Unusable, input, output};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
                  raftarium replay failure-seed-17.json\n  \
                  raftarium replay 'http://127.0.0.1:8080/#run=AQcA…' --until 2.5s --all\n  \
                  raftarium replay failure.json --trace - | jq 'select(.server == \"S3\")'\n\n\
                  Exit status: 0 nothing wrong was found, 1 something was, 3 the run can't be read.")]
pub struct Options {
    /// A scenario file (`-` for the standard input), or a link
    #[arg(value_name = "FILE|LINK")]
    run: String,
    /// Play up to this moment, like 2.5s, instead of the run's own
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    until: Option<Duration>,
    /// Tell of everything, not only of what is worth telling
    #[arg(long)]
    all: bool,
    /// Write what happened as JSON lines, an event each (`-` for the standard output)
    #[arg(long, value_name = "OUT")]
    trace: Option<PathBuf>,
    /// Write what clients asked and were answered, for `raftarium check`
    #[arg(long, value_name = "OUT")]
    history: Option<PathBuf>,
    /// Write a log of messages with vector clocks, for ShiViz
    #[arg(long, value_name = "OUT")]
    shiviz: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What has been played.
struct Told {
    world: Simulation,
    news: Vec<News>,
    shiviz: String,
    panic: Option<Panic>,
}

/// How long after its last action a run goes on that doesn't say.
const AFTERMATH: Duration = Duration::from_secs(10);

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let source = input::run(&options.run)?;
    let last = source.run.scenario.actions.last().map_or(Time::ZERO, |timed| timed.at);
    let own = if source.open_ended { last + AFTERMATH } else { source.run.until };
    let until = options.until.map_or(own, |until| Time::ZERO + until);
    let run = Run { until, ..source.run.clone() };
    run.check().map_err(|error| Unusable(error.to_string()))?;
    let told = tell(&run, options.shiviz.is_some())?;
    write_logs(options, &told)?;
    let expected = source.run.hash.filter(|_| !source.open_ended && until == source.run.until);
    let hash = told.world.trace_hash();
    let differs = expected.is_some_and(|expected| expected != hash);
    let (finding, undecided) = match &told.panic {
        Some(panic) => (Some(format!("at {}, {panic}", told.world.now())), false),
        None => match panics::catch(|| trial::judge_at_end(told.world.clone())) {
            Ok(judged) => (judged.finding.map(|finding| finding.to_string()), judged.undecided),
            Err(panic) => (Some(panic.to_string()), false),
        },
    };
    let text = if options.json {
        let servers: Vec<Value> = told.world.machines().iter().map(as_json).collect();
        let value = json!({
            "seed": run.scenario.seed.to_string(),
            "until": told.world.now().as_micros(),
            "events": told.world.events(),
            "hash": format!("{hash:016x}"),
            "plays_differently": differs,
            "violation": finding,
            "undecided": undecided,
            "servers": servers,
            "operations": told.world.operations().count(),
        });
        Text::json(&value)
    } else {
        let mut text = story(&told.news, options.all, &source.note);
        text.end_line().styled(BOLD, format_args!("The servers at {}:", told.world.now())).end_line();
        for machine in told.world.machines() {
            text.add("  ").styled(BOLD, machine.id()).line(in_words(machine));
        }
        let events = output::grouped(told.world.events());
        text.end_line().add(format_args!("{events} events; trace hash {hash:016x}"));
        if let Some(expected) = expected.filter(|_| differs) {
            let words = format!("but {expected:016x} is expected: this run now plays differently");
            text.add(", ").styled(ODD, words);
        } else if expected.is_some() {
            text.add(", as expected");
        }
        text.end_line();
        match &finding {
            Some(sentence) => text.styled(BAD, sentence).end_line(),
            None if undecided => text
                .styled(ODD, "Nothing wrong was found")
                .line("; it is undecided whether what clients saw is linearizable"),
            None => text.styled(GOOD, "Nothing wrong was found").line("."),
        };
        text
    };
    output::print(&text)?;
    Ok(if finding.is_some() { Ending::Found } else { Ending::Fine })
}

/// Plays a run and takes down what happens, up to a panic if there is one.
fn tell(run: &Run, vector_clocks: bool) -> Result<Told, Unusable> {
    let world = Simulation::new(run.scenario.clone()).map_err(|error| Unusable(error.to_string()))?;
    let (mut world, mut news, mut recorder) = (world, Vec::new(), shiviz::Recorder::new());
    world.listen(true);
    let played = panics::catch(|| {
        if vector_clocks {
            recorder.run_until(&mut world, run.until, |piece| news.push(piece));
        } else {
            world.run_until(run.until);
        }
    });
    news.extend(world.take_news());
    Ok(Told { world, news, shiviz: recorder.into_text(), panic: played.err() })
}

fn write_logs(options: &Options, told: &Told) -> Result<(), Unusable> {
    if let Some(path) = &options.trace {
        let lines: Vec<String> = told.news.iter().map(|news| trace::line(news) + "\n").collect();
        output::write(path, &Text::of_json(&lines.concat()))?;
    }
    if let Some(path) = &options.history {
        output::write(path, &Text::of_json(&history::write(told.world.operations())))?;
    }
    if let Some(path) = &options.shiviz {
        output::write(path, &Text::of_lines(&told.shiviz))?;
        output::remark(format_args!("ShiViz reads {} with the expression {}", output::named(path), shiviz::EXPRESSION));
    }
    Ok(())
}

fn story(news: &[News], all: bool, note: &str) -> Text {
    let mut text = quoted(note);
    for news in news {
        let sentence = news.sentence();
        let style = match sentence.weight {
            Weight::Detail if !all => continue,
            Weight::Detail => DIM,
            Weight::Notable => PLAIN,
            Weight::Turning => BOLD,
        };
        text.styled(DIM, format_args!("{:>12}", news.at.to_string())).add("  ");
        text.styled(style, shortened(&sentence.text, SENTENCE_MAX));
        if !sentence.section.is_empty() {
            text.styled(DIM, format_args!(" [{}]", sentence.section));
        }
        text.end_line();
    }
    text
}

/// Lines of a note that are shown.
const NOTE_LINES_MAX: usize = 12;

/// A run's note, and an empty line after it. A second line of it begins so that nobody takes it for one of the story.
fn quoted(note: &str) -> Text {
    let mut text = Text::new();
    let lines: Vec<&str> = note.trim_end().lines().collect();
    for (place, line) in lines.iter().take(NOTE_LINES_MAX).enumerate() {
        text.add(if place == 0 { "" } else { "| " }).styled(BOLD, shortened(line, SENTENCE_MAX)).end_line();
    }
    if lines.len() > NOTE_LINES_MAX {
        text.line(format_args!("| and {} lines more", lines.len() - NOTE_LINES_MAX));
    }
    if !lines.is_empty() {
        text.end_line();
    }
    text
}

/// The most characters of a key or a value that are shown.
const PAIR_MAX: usize = 40;

/// Pairs of a store that are shown.
const PAIRS_MAX: usize = 8;

/// How a server stands, to be said after its name.
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
