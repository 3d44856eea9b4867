//! Lessons that somebody opens, and whether a task has been done. Only what the page shows of ours
//! comes without it: the page's build has planned them.

use raft_core::format::link;
use raft_core::lesson::{self, Lesson, Plan, filled};
use wasm_bindgen::prelude::*;

use crate::js::Refusal;

/// A lesson that has been read, and played once.
#[wasm_bindgen]
pub struct Lessons {
    lesson: Lesson,
    plan: Plan,
    seed: u64,
    language: String,
}

#[wasm_bindgen]
impl Lessons {
    /// Reads a lesson and plays it from a seed. It speaks the language that is asked for, or
    /// English, or the first that it has.
    ///
    /// # Errors
    /// A sentence, if it is none, or claims what isn't so.
    #[wasm_bindgen(constructor)]
    pub fn new(text: &str, seed: &str, language: &str) -> Result<Lessons, JsValue> {
        Ok(Lessons::of(text, seed, language)?)
    }

    /// All that it says and shows: `LessonView` in `lessons.d.ts`, as JSON.
    ///
    /// # Errors
    /// A sentence, if a run of it is too large for a link.
    pub fn view(&self) -> Result<String, JsValue> {
        Ok(self.shown()?)
    }

    /// Whether a task has been done in the run in the link: `ReachedView` in `lessons.d.ts`, as
    /// JSON; nothing if it hasn't.
    ///
    /// # Errors
    /// A sentence, if the step is no task, or the run hasn't gone on from where it begins.
    pub fn done(&self, step: usize, run: &str) -> Result<Option<String>, JsValue> {
        Ok(self.reached(step, run)?)
    }
}

impl Lessons {
    fn of(text: &str, seed: &str, language: &str) -> Result<Lessons, Refusal> {
        let lesson = Lesson::read(text)?;
        let seed = seed.parse().map_err(|_| Refusal(format!("“{seed}” is no seed")))?;
        let plan = lesson::plan(&lesson, seed)?;
        let language = lesson.language(language).to_owned();
        Ok(Lessons { lesson, plan, seed, language })
    }

    fn shown(&self) -> Result<String, Refusal> {
        Ok(serde_json::to_string(&self.lesson.shown(&self.plan, self.seed, &self.language)?)?)
    }

    fn reached(&self, step: usize, run: &str) -> Result<Option<String>, Refusal> {
        let planned = self.plan.steps.get(step).ok_or_else(|| Refusal(format!("there is no step {step}")))?;
        let Some(reached) = planned.done(&link::read(run)?).map_err(Refusal)? else { return Ok(None) };
        let words = &self.lesson.words[&self.language];
        let said = filled(&words.steps[step].done, &reached.words, words).map_err(Refusal)?;
        let at = serde_json::Value::from(reached.at.as_micros());
        Ok(Some(format!("{{\"at\":{at},\"said\":{}}}", serde_json::Value::from(said))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::lesson::StepKind;

    const LESSON: &str = include_str!("../../lessons/a-leader-is-elected.json");

    #[test]
    fn a_lesson_is_shown_in_a_language_that_it_has() {
        let lesson = Lessons::of(LESSON, "7", "en-GB").unwrap();
        let view: serde_json::Value = serde_json::from_str(&lesson.shown().unwrap()).unwrap();
        assert_eq!((view["title"].as_str(), view["language"].as_str()), (Some("A leader is elected"), Some("en")));
        assert_eq!(view["steps"].as_array().unwrap().len(), lesson.lesson.len());
        let german = Lessons::of(LESSON, "7", "de").unwrap().shown().unwrap();
        assert!(german.contains("Ein Leader wird gewählt"));
    }

    #[test]
    fn a_task_is_judged_in_somebody_s_own_run() {
        let lesson = Lessons::of(LESSON, "7", "").unwrap();
        let task = (0..lesson.lesson.len()).find(|step| lesson.lesson.kind(*step) == StepKind::Done).unwrap();
        let run = |place: usize| link::write(&lesson.plan.runs[place]).unwrap();
        assert_eq!(lesson.reached(task, &run(lesson.plan.steps[task].run)), Ok(None));
        // The run after it has its solution.
        let said = lesson.reached(task, &run(lesson.plan.runs.len() - 1)).unwrap().unwrap();
        assert!(said.contains("won term") && said.contains("\"at\":"), "{said}");
        assert!(lesson.reached(99, "").is_err());
        assert!(lesson.reached(0, &run(0)).is_err());
        assert!(lesson.reached(task, "no link").is_err());
    }

    #[test]
    fn what_is_no_lesson_is_refused() {
        assert!(Lessons::of("{}", "7", "en").is_err());
        assert!(Lessons::of(LESSON, "-7", "en").is_err());
    }
}
