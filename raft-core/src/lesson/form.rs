//! A lesson as a file.
//!
//! A lesson has a course and words. The course says what is played, what is claimed, asked and set
//! as a task; the words are there once for each language, so that a translation touches nothing
//! else. `docs/lessons.md` has the format.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde_json::{Map, Value as Json};

use super::course::Values;
use super::value::Value;
use crate::format::file;
use crate::format::units;
use crate::listed::listed;
use crate::raft::ServerId;
use crate::sim::{Action, Scenario};
use crate::time::Duration;

/// The version that is read, and the only one there is so far.
pub const VERSION: u64 = 1;
/// The most bytes of a file.
pub const BYTES_MAX: usize = 256 * 1024;
/// The most sentences of a step.
pub const SENTENCES_MAX: usize = 3;
/// The most characters of a sentence.
pub(super) const SENTENCE_MAX: usize = 200;
/// A prediction has at least and at most so many answers.
pub(super) const ANSWERS: core::ops::RangeInclusive<usize> = 2..=4;

/// What is wrong with a lesson.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LessonError {
    /// Where: `step 3, claim 2`; empty if it is the file as a whole.
    pub place: String,
    /// What is wrong there.
    pub why: String,
}

impl LessonError {
    pub(super) fn at(place: impl Into<String>, why: impl fmt::Display) -> LessonError {
        LessonError { place: place.into(), why: why.to_string() }
    }
}

impl fmt::Display for LessonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() { f.write_str(&self.why) } else { write!(f, "{}: {}", self.place, self.why) }
    }
}

impl core::error::Error for LessonError {}

/// A lesson.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The chapter that it belongs to.
    pub chapter: String,
    /// How long it takes, about.
    pub minutes: u8,
    /// The world it begins in: a scenario file without `raftarium`, `seed` and `actions`.
    pub(super) world: Map<String, Json>,
    /// The steps, in order.
    pub(super) steps: Vec<Step>,
    /// By language (`en`): the words.
    pub words: BTreeMap<String, Words>,
}

/// A step. It is told, predicted or done; exactly one of these says so.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What is played before the sentences stand there.
    pub told: Option<Vec<Line>>,
    /// What is played after somebody has answered.
    pub predicted: Option<Vec<Line>>,
    /// What is to be reached.
    pub done: Option<String>,
    /// For a prediction: when each answer is right, once that has been played.
    pub answers: Vec<String>,
    /// For a task: one way to reach it.
    pub solution: Vec<Line>,
    /// It begins a run of its own, in this world.
    pub world: Option<Map<String, Json>>,
    /// What each sentence claims; empty where it claims nothing that could be checked.
    pub claims: Vec<String>,
    /// What the last words of a task claim, or the words for each answer.
    pub replies: Vec<String>,
    /// What the words name in braces, besides the names that were given.
    pub say: Vec<(String, String)>,
    /// What is to be looked at: servers, and parts of the page.
    pub look: Vec<String>,
    /// The parts of the page that are there from this step on.
    pub show: Vec<String>,
}

/// A line of a course, as the file has it.
pub(super) type Line = Map<String, Json>;

/// What a line of a course says.
pub(super) enum Deed {
    /// Play until something is so, for at most so long.
    Until(String, Duration),
    /// Give names to values, as they are now.
    Let(Vec<(String, String)>),
    /// Do something to the world: an action of a scenario file, without a time. A name that was
    /// given stands there after a dollar sign.
    Act,
}

impl Deed {
    /// Reads a line.
    pub fn of(line: &Line) -> Result<Deed, String> {
        let only = |known: &[&str]| match line.keys().find(|field| !known.contains(&field.as_str())) {
            Some(field) => Err(format!("“{}” has no place in this line: leave it out", units::quote(field))),
            None => Ok(()),
        };
        let text = |value: &Json| value.as_str().map(ToOwned::to_owned).ok_or("a condition is a text");
        if let Some(until) = line.get("until") {
            only(&["until", "within"])?;
            let within = match line.get("within") {
                None => WITHIN,
                Some(length) => units::duration(&text(length)?).map_err(|error| error.to_string())?,
            };
            return Ok(Deed::Until(text(until)?, within));
        }
        let Some(names) = line.get("let") else { return Ok(Deed::Act) };
        only(&["let"])?;
        let mut given = Vec::new();
        for (name, of) in names.as_object().ok_or("“let” takes names and what they stand for")? {
            given.push((name.clone(), text(of)?));
        }
        Ok(Deed::Let(given))
    }
}

/// What a lesson says in one language. In braces stand names of values (`{leader}`), in brackets
/// terms of the glossary (`[quorum](quorum)`).
#[derive(Clone, Debug)]
pub struct Words {
    /// Its name.
    pub title: String,
    /// What one can do after it.
    pub aim: String,
    /// The word between the last two of several servers.
    pub and: String,
    /// The word for no server.
    pub nobody: String,
    /// A step each.
    pub steps: Vec<StepWords>,
}

/// What a step says.
#[derive(Clone, Debug)]
pub struct StepWords {
    /// Its heading.
    pub heading: String,
    /// Up to three sentences.
    pub sentences: Vec<String>,
    /// For a prediction: the answers, and what is said to each.
    pub answers: Vec<AnswerWords>,
    /// For a task: a hint.
    pub hint: String,
    /// What is said when a task is done.
    pub done: String,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct AnswerWords {
    /// The answer.
    pub answer: String,
    /// What is said to those who gave it.
    pub reply: String,
}

/// An object of the file that is being read. It is read by hand: what derives readers makes ten
/// times as much code, which the page loads.
struct Fields<'a> {
    of: &'a Map<String, Json>,
    place: String,
}

impl<'a> Fields<'a> {
    /// An object that has no fields but these.
    fn of(value: &'a Json, place: String, known: &[&str]) -> Result<Fields<'a>, LessonError> {
        let Some(of) = value.as_object() else { return Err(LessonError::at(place, "an object is missing here")) };
        let fields = Fields { of, place };
        match of.keys().find(|field| !known.contains(&field.as_str())) {
            Some(field) => fields.error(format!("it has no `{}`: there are {}", units::quote(field), known.join(", "))),
            None => Ok(fields),
        }
    }

    fn error<T>(&self, why: String) -> Result<T, LessonError> {
        Err(LessonError::at(self.place.as_str(), why))
    }

    fn needs(&self, name: &str) -> Result<&'a Json, LessonError> {
        self.of.get(name).map_or_else(|| self.error(format!("`{name}` is missing")), Ok)
    }

    fn text(&self, name: &str, of: &Json) -> Result<String, LessonError> {
        of.as_str().map_or_else(|| self.error(format!("`{name}` takes a text")), |text| Ok(text.to_owned()))
    }

    fn needed_text(&self, name: &str) -> Result<String, LessonError> {
        self.text(name, self.needs(name)?)
    }

    fn maybe_text(&self, name: &str) -> Result<Option<String>, LessonError> {
        self.of.get(name).map(|of| self.text(name, of)).transpose()
    }

    /// A list; an empty one where there is none.
    fn list(&self, name: &str) -> Result<&'a [Json], LessonError> {
        match self.of.get(name) {
            None => Ok(&[]),
            Some(Json::Array(list)) => Ok(list),
            Some(_) => self.error(format!("`{name}` takes a list")),
        }
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, LessonError> {
        let mut texts = Vec::new();
        for of in self.list(name)? {
            texts.push(self.text(name, of)?);
        }
        Ok(texts)
    }

    fn course(&self, name: &str) -> Result<Vec<Line>, LessonError> {
        let mut course = Vec::new();
        for (i, line) in self.list(name)?.iter().enumerate() {
            match line {
                Json::Object(line) => course.push(line.clone()),
                _ => return self.error(format!("line {} of `{name}` is no object", i + 1)),
            }
        }
        Ok(course)
    }

    fn maybe_script(&self, name: &str) -> Result<Option<Vec<Line>>, LessonError> {
        if self.of.contains_key(name) { self.course(name).map(Some) } else { Ok(None) }
    }

    fn map(&self, name: &str) -> Result<Option<&'a Map<String, Json>>, LessonError> {
        match self.of.get(name) {
            None => Ok(None),
            Some(Json::Object(map)) => Ok(Some(map)),
            Some(_) => self.error(format!("`{name}` takes an object")),
        }
    }
}

fn step(value: &Json, place: String) -> Result<Step, LessonError> {
    let known =
        ["told", "predicted", "done", "answers", "solution", "world", "claims", "replies", "say", "look", "show"];
    let fields = Fields::of(value, place, &known)?;
    let mut say = Vec::new();
    for (name, of) in fields.map("say")?.into_iter().flatten() {
        say.push((name.clone(), fields.text(name, of)?));
    }
    Ok(Step {
        told: fields.maybe_script("told")?,
        predicted: fields.maybe_script("predicted")?,
        done: fields.maybe_text("done")?,
        answers: fields.texts("answers")?,
        solution: fields.course("solution")?,
        world: fields.map("world")?.cloned(),
        claims: fields.texts("claims")?,
        replies: fields.texts("replies")?,
        say,
        look: fields.texts("look")?,
        show: fields.texts("show")?,
    })
}

fn step_words(value: &Json, place: String) -> Result<StepWords, LessonError> {
    let fields = Fields::of(value, place, &["heading", "sentences", "answers", "hint", "done"])?;
    let mut answers = Vec::new();
    for of in fields.list("answers")? {
        let fields = Fields::of(of, fields.place.clone(), &["answer", "reply"])?;
        answers.push(AnswerWords { answer: fields.needed_text("answer")?, reply: fields.needed_text("reply")? });
    }
    Ok(StepWords {
        heading: fields.needed_text("heading")?,
        sentences: fields.texts("sentences")?,
        answers,
        hint: fields.maybe_text("hint")?.unwrap_or_default(),
        done: fields.maybe_text("done")?.unwrap_or_default(),
    })
}

fn words(value: &Json, language: &str) -> Result<Words, LessonError> {
    let place = format!("words in {language}");
    let fields = Fields::of(value, place.clone(), &["title", "aim", "and", "nobody", "steps"])?;
    let mut steps = Vec::new();
    for (i, of) in fields.list("steps")?.iter().enumerate() {
        steps.push(step_words(of, format!("{place}, step {}", i + 1))?);
    }
    Ok(Words {
        title: fields.needed_text("title")?,
        aim: fields.needed_text("aim")?,
        and: fields.maybe_text("and")?.unwrap_or_else(|| "and".to_owned()),
        nobody: fields.maybe_text("nobody")?.unwrap_or_else(|| "nobody".to_owned()),
        steps,
    })
}

listed! {
    /// The kinds of steps.
    StepKind {
        /// Something happens, and is explained.
        Told "told";
        /// Somebody says what will happen, and then it does.
        Predicted "predicted";
        /// Somebody has to reach something.
        Done "done";
    }
}

/// The parts of the page that a lesson can point at, and bring back.
pub const PARTS: &[&str] = &[
    "ring",
    "logs",
    "tape",
    "quorum",
    "sentence",
    "legend",
    "command",
    "speed",
    "network",
    "spacetime",
    "events",
    "clients",
    "safety",
    "server",
    "stores",
];

impl Lesson {
    /// Reads a lesson. Its expressions are read when it is [planned](super::plan).
    ///
    /// # Errors
    /// It isn't one, or its words don't fit its course.
    pub fn read(text: &str) -> Result<Lesson, LessonError> {
        if text.len() > BYTES_MAX {
            return Err(LessonError::at("", format!("a lesson has at most {BYTES_MAX} bytes, not {}", text.len())));
        }
        let form: Json = serde_json::from_str(text).map_err(|error| LessonError::at("", error))?;
        match form.get("raftarium-lesson").map(Json::as_u64) {
            Some(Some(VERSION)) => {}
            Some(_) => {
                return Err(LessonError::at("", format!("it was made for another version: this one reads {VERSION}")));
            }
            None => return Err(LessonError::at("", "it is no lesson: one begins with {\"raftarium-lesson\": 1, …")),
        }
        let known = ["raftarium-lesson", "$schema", "chapter", "minutes", "world", "steps", "words"];
        let fields = Fields::of(&form, String::new(), &known)?;
        let mut steps = Vec::new();
        for (i, of) in fields.list("steps")?.iter().enumerate() {
            steps.push(step(of, format!("step {}", i + 1))?);
        }
        let mut said = BTreeMap::new();
        for (language, of) in fields.map("words")?.into_iter().flatten() {
            said.insert(language.clone(), words(of, language)?);
        }
        let minutes = fields.needs("minutes")?.as_u64().and_then(|minutes| u8::try_from(minutes).ok());
        let lesson = Lesson {
            chapter: fields.needed_text("chapter")?,
            minutes: minutes.map_or_else(|| fields.error("`minutes` takes a number".to_owned()), Ok)?,
            world: fields.map("world")?.cloned().unwrap_or_default(),
            steps,
            words: said,
        };
        lesson.check()?;
        Ok(lesson)
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there are none; a lesson that was read has at least one.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The kind of a step.
    pub fn kind(&self, step: usize) -> StepKind {
        let step = &self.steps[step];
        match (&step.told, &step.predicted) {
            (Some(_), _) => StepKind::Told,
            (_, Some(_)) => StepKind::Predicted,
            _ => StepKind::Done,
        }
    }

    /// The parts of the page that a step brings back.
    pub fn show(&self, step: usize) -> &[String] {
        &self.steps[step].show
    }

    fn check(&self) -> Result<(), LessonError> {
        if self.steps.is_empty() {
            return Err(LessonError::at("steps", "a lesson has at least one"));
        }
        if self.words.is_empty() {
            return Err(LessonError::at("words", "a lesson says something in at least one language"));
        }
        for (i, step) in self.steps.iter().enumerate() {
            let place = format!("step {}", i + 1);
            let error = |why: &str| Err(LessonError::at(place.as_str(), why));
            let kinds = [step.told.is_some(), step.predicted.is_some(), step.done.is_some()];
            if kinds.iter().filter(|is| **is).count() != 1 {
                return error("it is told, predicted or done: it needs exactly one of these");
            }
            if step.predicted.is_some() && !ANSWERS.contains(&step.answers.len()) {
                return error("a prediction has two to four answers");
            }
            if step.predicted.is_none() && !step.answers.is_empty() {
                return error("only a prediction has answers");
            }
            if step.done.is_some() == step.solution.is_empty() {
                return error("a task needs a solution, and only a task has one");
            }
            if let Some(part) = step.show.iter().find(|part| !PARTS.contains(&part.as_str())) {
                return error(&format!(
                    "“{}” is no part of the page: there are {}",
                    units::quote(part),
                    PARTS.join(", ")
                ));
            }
        }
        for (language, words) in &self.words {
            self.check_words(words).map_err(|LessonError { place, why }| LessonError {
                place: format!("words in {language}{}{place}", if place.is_empty() { "" } else { ", " }),
                why,
            })?;
        }
        Ok(())
    }

    fn check_words(&self, words: &Words) -> Result<(), LessonError> {
        if words.steps.len() != self.steps.len() {
            let why = format!("there are {} steps, and words for {}", self.steps.len(), words.steps.len());
            return Err(LessonError::at("", why));
        }
        for (i, (step, said)) in self.steps.iter().zip(&words.steps).enumerate() {
            let place = format!("step {}", i + 1);
            let error = |why: String| Err(LessonError::at(place.as_str(), why));
            let sentences = said.sentences.len();
            if !(1..=SENTENCES_MAX).contains(&sentences) {
                return error(format!("a step has one to {SENTENCES_MAX} sentences, not {sentences}"));
            }
            if step.claims.len() > sentences {
                return error(format!("there are {} claims, and only {sentences} sentences", step.claims.len()));
            }
            if said.answers.len() != step.answers.len() {
                return error(format!(
                    "there are {} answers, and words for {}",
                    step.answers.len(),
                    said.answers.len()
                ));
            }
            if step.replies.len() > said.answers.len().max(usize::from(step.done.is_some())) {
                return error("there are more claims of replies than replies".to_owned());
            }
            if step.done.is_some() && (said.hint.is_empty() || said.done.is_empty()) {
                return error("a task needs a `hint`, and says something when it is `done`".to_owned());
            }
            let all = said.sentences.iter().chain(said.answers.iter().flat_map(|one| [&one.answer, &one.reply]));
            for text in all.chain([&said.heading, &said.hint, &said.done]) {
                if text.chars().count() > SENTENCE_MAX {
                    return error(format!("“{}” is longer than {SENTENCE_MAX} characters", units::quote(text)));
                }
            }
        }
        Ok(())
    }
}

/// The scenario of a world, played from a seed.
pub(super) fn scenario(world: &Map<String, Json>, seed: u64) -> Result<Scenario, String> {
    for own in ["raftarium", "seed", "actions", "until", "hash", "found"] {
        if world.contains_key(own) {
            return Err(format!("a lesson’s world has no `{own}`: leave it out"));
        }
    }
    let mut form = world.clone();
    form.insert("raftarium".to_owned(), Json::from(file::VERSION));
    form.insert("seed".to_owned(), Json::from(seed.to_string()));
    let file = file::read(&Json::Object(form).to_string()).map_err(|error| error.to_string())?;
    Ok(file.run.scenario)
}

/// An action in which names stand for servers; in `groups`, a name stands for those on one side.
pub(super) fn action(form: &Line, bound: &Values, servers: usize) -> Result<Action, String> {
    if form.contains_key("at") {
        return Err("an action of a lesson has no time: it is done when its turn comes".to_owned());
    }
    let mut named = form.clone();
    for value in named.values_mut() {
        let Json::String(text) = value else { continue };
        let Some(name) = text.strip_prefix('$') else { continue };
        *value = match bound.get(name) {
            Some(Value::Server(Some(server))) => Json::from(server.to_string()),
            Some(Value::Server(None)) => return Err(format!("“{name}” is nobody")),
            Some(Value::Servers(side)) => {
                let ids = (1..=servers).filter_map(|number| ServerId::new(u8::try_from(number).ok()?));
                ids.map(|id| Json::from(u8::from(!side.contains(id)))).collect()
            }
            Some(other) => return Err(format!("“{name}” is {}, not a server", other.kind().name())),
            None => return Err(format!("nothing was called “{}”", units::quote(name))),
        };
    }
    file::read_action(named)
}

/// How long something may take, if nothing else is said.
const WITHIN: Duration = Duration::from_millis(10_000);
