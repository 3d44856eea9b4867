//! `lesson` checks lessons: it plays each from many seeds, and asserts what it claims, asks and
//! sets as a task. It can also tell one, for whoever writes or translates it.

use std::path::PathBuf;

use clap::Args;
use raft_core::lesson::{BYTES_MAX, Lesson, Plan, StepKind, filled, plan};
use serde_json::json;

use crate::output::{BOLD, DIM};
use crate::seeds::Seeds;
use crate::text::Text;
use crate::{Ending, Unusable, input, output, panics};

#[derive(Args)]
#[command(after_help = "docs/lessons.md describes the format.\n\nExamples:\n  raftarium lesson lessons/*.json\n  \
                  raftarium lesson --tell en my-lesson.json")]
pub struct Options {
    /// Lessons (- for the standard input)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The seeds to play each lesson from
    #[arg(long, value_name = "A..B", value_parser = Seeds::read, default_value = "0..21")]
    seeds: Seeds,
    /// Print what the lesson says in this language, with the values of its first seed
    #[arg(long, value_name = "LANGUAGE", conflicts_with = "json")]
    tell: Option<String>,
    /// Print JSON, an object for each lesson
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<Ending, Unusable> {
    let mut ending = Ending::Fine;
    for path in &options.files {
        let text = input::text(path, BYTES_MAX)?;
        let name = output::named(path);
        let checked = panics::catch(|| check(&text, options)).unwrap_or_else(|panic| Err(panic.to_string()));
        let why = checked.as_ref().err();
        if options.json {
            let object =
                json!({ "lesson": name, "seeds": options.seeds.to_string(), "fine": why.is_none(), "why": why });
            output::print(&Text::json(&object))?;
        } else {
            let mut said = Text::new();
            match &checked {
                Ok((lesson, first)) => {
                    if let Some(language) = &options.tell {
                        tell(&mut said, lesson, first, language).map_err(Unusable)?;
                    } else {
                        let steps = lesson.len();
                        said.line(format_args!("{name}: fine: {steps} steps, seeds {}", options.seeds));
                    }
                }
                Err(why) => {
                    said.line(format_args!("{name}: {why}"));
                }
            }
            output::print(&said)?;
        }
        if why.is_some() {
            ending = Ending::Found;
        }
    }
    Ok(ending)
}

/// The lesson, and its plan from the first seed.
fn check(text: &str, options: &Options) -> Result<(Lesson, Plan), String> {
    let lesson = Lesson::read(text).map_err(|error| error.to_string())?;
    let mut first = None;
    for place in 0.. {
        let Some(seed) = options.seeds.at(place) else { break };
        let planned = plan(&lesson, seed).map_err(|error| format!("seed {seed}: {error}"))?;
        first.get_or_insert(planned);
    }
    let first = first.ok_or("there are no seeds to play it from")?;
    Ok((lesson, first))
}

fn tell(said: &mut Text, lesson: &Lesson, plan: &Plan, language: &str) -> Result<(), String> {
    let known: Vec<&str> = lesson.words.keys().map(String::as_str).collect();
    let words = lesson.words.get(language);
    let words = words.ok_or_else(|| format!("it says nothing in “{language}”: it has {}", known.join(", ")))?;
    said.styled(BOLD, &words.title).end_line().line(&words.aim);
    for (i, (step, planned)) in words.steps.iter().zip(&plan.steps).enumerate() {
        let fill = |text: &str, last: bool| filled(text, if last { &planned.last } else { &planned.first }, words);
        let kind = lesson.kind(i);
        said.end_line().styled(BOLD, format_args!("{}. {}", i + 1, fill(&step.heading, false)?));
        said.styled(DIM, format_args!("  {} to {}", planned.from, planned.to)).end_line();
        for sentence in &step.sentences {
            said.line(format_args!("  {}", fill(sentence, false)?));
        }
        for (place, answer) in step.answers.iter().enumerate() {
            let mark = if planned.right == Some(place) { "✓" } else { "·" };
            said.line(format_args!("  {mark} {}", fill(&answer.answer, false)?));
            said.line(format_args!("      {}", fill(&answer.reply, true)?));
        }
        if kind == StepKind::Done {
            said.line(format_args!("  hint: {}", fill(&step.hint, false)?));
            said.line(format_args!("  done: {}", fill(&step.done, true)?));
        }
    }
    Ok(())
}
