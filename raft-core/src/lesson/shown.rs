//! A lesson as the page shows it: what is played, and what is said, in one language.
//!
//! The page's build writes one for each lesson and language, so that the page plays a lesson
//! without having to plan it first; one that somebody opens is planned there.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

use super::course::{Plan, filled};
use super::form::{Lesson, LessonError};
use crate::format::link;

/// A lesson, planned, in one language. In brackets in its texts stand terms, with the names of
/// their entries in the glossary: `[majorities](majority)`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// The chapter that it belongs to.
    pub chapter: String,
    /// How long it takes, about.
    pub minutes: u8,
    /// The seed from which it was planned.
    pub seed: String,
    /// The language that it speaks.
    pub language: String,
    /// All that it could speak.
    pub languages: Vec<String>,
    /// Its name.
    pub title: String,
    /// What one can do after it.
    pub aim: String,
    /// What it plays, as what follows `#run=` in links.
    pub runs: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<StepShown>,
}

/// A step, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepShown {
    /// `told`, `predicted` or `done`.
    pub kind: &'static str,
    /// Which of the runs is shown.
    pub run: usize,
    /// From when on, in virtual microseconds.
    pub from: u64,
    /// Up to when; for a task, when its solution has reached it.
    pub to: u64,
    /// Its heading.
    pub heading: String,
    /// Up to three.
    pub sentences: Vec<String>,
    /// For a prediction: what can be answered.
    pub answers: Vec<AnswerShown>,
    /// For a prediction: which of them is right, from 0.
    pub right: Option<usize>,
    /// For a task: a hint.
    pub hint: String,
    /// What to look at: servers, and parts of the page.
    pub look: Vec<String>,
    /// The parts of the page that are there from this step on.
    pub show: Vec<String>,
}

/// An answer, as it is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnswerShown {
    /// The answer.
    pub answer: String,
    /// What is said to those who gave it.
    pub reply: String,
}

impl Lesson {
    /// The language that is spoken where one is asked for (`de-CH`): that one, or English, or the
    /// first that there is.
    pub fn language(&self, wanted: &str) -> &str {
        let general = wanted.split('-').next().unwrap_or_default();
        let known = |language: &&str| self.words.contains_key(*language);
        let first = self.words.keys().next().map_or("", String::as_str);
        [wanted, general, "en"]
            .into_iter()
            .find(known)
            .map_or(first, |found| self.words.get_key_value(found).map_or(first, |(language, _)| language))
    }

    /// What the page shows of it, as it was planned from a seed.
    ///
    /// # Errors
    /// It says nothing in that language, or a run is too large for a link.
    pub fn shown(&self, plan: &Plan, seed: u64, language: &str) -> Result<Shown, LessonError> {
        let none = || LessonError::at("", alloc::format!("it says nothing in “{language}”"));
        let words = self.words.get(language).ok_or_else(none)?;
        let place = |step: usize| alloc::format!("words in {language}, step {}", step + 1);
        let mut steps = Vec::new();
        for (i, (said, planned)) in words.steps.iter().zip(&plan.steps).enumerate() {
            let error = |why| LessonError::at(place(i), why);
            let first = |text: &String| filled(text, &planned.first, words).map_err(error);
            let mut answers = Vec::new();
            for one in &said.answers {
                let reply = filled(&one.reply, &planned.last, words).map_err(error)?;
                answers.push(AnswerShown { answer: first(&one.answer)?, reply });
            }
            steps.push(StepShown {
                kind: self.kind(i).name(),
                run: planned.run,
                from: planned.from.as_micros(),
                to: planned.to.as_micros(),
                heading: first(&said.heading)?,
                sentences: said.sentences.iter().map(first).collect::<Result<_, _>>()?,
                answers,
                right: planned.right,
                hint: first(&said.hint)?,
                look: planned.look.clone(),
                show: self.show(i).to_vec(),
            });
        }
        let mut runs = Vec::new();
        for run in &plan.runs {
            runs.push(link::write(run).map_err(|error| LessonError::at("", error))?);
        }
        Ok(Shown {
            chapter: self.chapter.clone(),
            minutes: self.minutes,
            seed: seed.to_string(),
            language: language.to_owned(),
            languages: self.words.keys().cloned().collect(),
            title: words.title.clone(),
            aim: words.aim.clone(),
            runs,
            steps,
        })
    }
}
