//! A lesson as it is played: every claim is asserted, every prediction is answered by the run, and
//! every task is solved once.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::expression::{Expression, Names, is_free};
use super::facts::{Happened, Scene};
use super::form::{self, Deed, Lesson, LessonError, Line, Step, StepKind, Words};
use super::value::Value;
use crate::format::Run;
use crate::sim::{Listening, Scenario, Simulation};
use crate::time::{Duration, Time};

/// What names stand for.
pub type Values = BTreeMap<String, Value>;

/// A lesson, played once from a seed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is played. A run ends where a task begins, and where a step begins in another world.
    pub runs: Vec<Run>,
    /// By step: what is shown of which run.
    pub steps: Vec<Planned>,
}

/// A step, played once.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The number of its run in [`Plan::runs`].
    pub run: usize,
    /// From when on it is shown.
    pub from: Time,
    /// Up to when: for a task, when its solution has reached it.
    pub to: Time,
    /// What the names in its words stand for where it begins.
    pub first: Values,
    /// And where it ends.
    pub last: Values,
    /// For a prediction: the number of the right answer, from 0.
    pub right: Option<usize>,
    /// What is to be looked at: servers and parts of the page.
    pub look: Vec<String>,
    /// What a task is judged by.
    pub(super) task: Option<Task>,
}

/// What it takes to judge whether a task has been done.
#[derive(Clone, Debug)]
pub(super) struct Task {
    goal: Expression,
    say: Vec<(String, Expression)>,
    bound: Values,
    operations: u64,
    from: Time,
    /// Where everybody begins.
    begin: Scenario,
}

/// A task that has been done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The first moment at which what was wanted was so.
    pub at: Time,
    /// What the names in its last words stand for there.
    pub words: Values,
}

impl Task {
    /// What the names in its last words stand for in a world.
    fn words(&self, course: &Course) -> Values {
        let scene = Scene { bound: &self.bound, ..course.scene() };
        said(&self.bound, &self.say, &scene)
    }

    fn reached(&self, course: &Course) -> Reached {
        Reached { at: course.world.now(), words: self.words(course) }
    }
}

/// How often it is looked whether something is so, if nothing happens meanwhile.
const TICK: Duration = Duration::from_millis(1);

/// A world on its way through a lesson.
struct Course {
    world: Simulation,
    happened: Vec<Happened>,
    since: Time,
    operations: u64,
    bound: Values,
}

impl Course {
    fn begin(world: &serde_json::Map<String, serde_json::Value>, seed: u64, bound: Values) -> Result<Course, String> {
        let scenario = form::scenario(world, seed)?;
        let world = listening(Simulation::new(scenario).map_err(|error| error.to_string())?);
        Ok(Course { world, happened: Vec::new(), since: Time::ZERO, operations: 0, bound })
    }

    /// A step begins.
    fn mark(&mut self) {
        self.happened.clear();
        self.since = self.world.now();
        self.operations = self.world.operations_begun();
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            world: &self.world,
            since: self.since,
            happened: &self.happened,
            operations: self.operations,
            bound: &self.bound,
        }
    }

    fn names(&self) -> Names {
        let mut names = Names::new();
        for (name, value) in &self.bound {
            names.insert(name.clone(), value.kind());
        }
        names
    }

    fn hear(&mut self) {
        for news in self.world.take_news() {
            self.happened.push(Happened { kind: news.kind(), server: news.server() });
        }
    }

    /// Plays up to a moment, and everything that happens at it, so that the run is the same when it
    /// is played again: its actions are done after everything else of their moment.
    fn play_to(&mut self, time: Time) {
        self.world.run_until(time);
        self.hear();
    }

    fn read(&self, text: &str) -> Result<Expression, String> {
        Expression::read(text, &self.names()).map_err(|error| format!("“{text}”: {error}"))
    }

    fn condition(&self, text: &str) -> Result<Expression, String> {
        Expression::read_condition(text, &self.names()).map_err(|error| format!("“{text}”: {error}"))
    }

    /// Whether a claim is so; one that claims nothing is.
    fn claims(&self, place: &str, claims: &[String]) -> Result<(), LessonError> {
        for (i, claim) in claims.iter().enumerate().filter(|(_, claim)| !claim.is_empty()) {
            let place = format!("{place} {}", i + 1);
            let read = self.condition(claim).map_err(|why| LessonError::at(place.as_str(), why))?;
            if !read.is_so(&self.scene()) {
                return Err(LessonError::at(place, format!("“{claim}” isn’t so at {}", self.moment())));
            }
        }
        Ok(())
    }

    fn moment(&self) -> String {
        format!("{} (seed {})", self.world.now(), self.world.scenario().seed)
    }

    fn play(&mut self, lines: &[Line]) -> Result<(), String> {
        for (i, line) in lines.iter().enumerate() {
            self.deed(line).map_err(|why| format!("line {}: {why}", i + 1))?;
        }
        Ok(())
    }

    fn deed(&mut self, line: &Line) -> Result<(), String> {
        match Deed::of(line)? {
            Deed::Until(text, within) => {
                let condition = self.condition(&text)?;
                if !self.reach(&condition, within) {
                    return Err(format!("“{text}” isn’t so within {within}: it is {} by now", self.moment()));
                }
            }
            Deed::Let(names) => self.name(names)?,
            Deed::Act => {
                // Whoever goes to where a step begins sees nothing that is done in it.
                if self.world.now() == self.since {
                    self.play_to(self.since + Duration::from_micros(1));
                }
                let action = form::action(line, &self.bound, self.world.machines().len())?;
                self.world.act(action).map_err(|error| error.to_string())?;
                self.hear();
            }
        }
        Ok(())
    }

    /// Gives names to what expressions come to now.
    fn name(&mut self, names: Vec<(String, String)>) -> Result<(), String> {
        // All are about the names that there were before.
        let mut given = Vec::new();
        for (name, text) in names {
            if !is_free(&name) {
                return Err(format!("nothing can be called “{name}”: the word has a meaning, or is no word"));
            }
            let value = self.read(&text)?.value(&self.scene());
            if value == Value::Server(None) {
                return Err(format!("“{text}” is nobody at {}", self.moment()));
            }
            given.push((name, value));
        }
        for (name, value) in given {
            self.bound.insert(name, value);
        }
        Ok(())
    }

    /// Plays until something is so; whether it came to that.
    fn reach(&mut self, condition: &Expression, within: Duration) -> bool {
        let limit = self.world.now() + within;
        self.play_to(self.world.now());
        loop {
            if condition.is_so(&self.scene()) {
                return true;
            }
            if self.world.now() >= limit || self.world.violation().is_some() {
                return false;
            }
            // It may be about the time alone, so not only events are looked at.
            let tick = limit.min(self.world.now() + TICK);
            let next = self.world.next_event_at().map_or(tick, |next| next.min(tick));
            self.play_to(next);
        }
    }

    fn run(&self) -> Run {
        let hash = Some(self.world.trace_hash());
        Run { scenario: self.world.scenario().clone(), until: self.world.now(), hash }
    }

    /// What a step says besides the names that were given.
    fn said(&self, step: &Step) -> Result<Vec<(String, Expression)>, String> {
        let names = self.names();
        let read = |(name, text): &(String, String)| {
            let read = Expression::read(text, &names).map_err(|error| format!("“{name}”: {error}"))?;
            Ok((name.clone(), read))
        };
        step.say.iter().map(read).collect()
    }

    /// What the names in a step's words stand for.
    fn words(&self, step: &Step) -> Result<Values, String> {
        Ok(said(&self.bound, &self.said(step)?, &self.scene()))
    }
}

/// What names stand for in words.
fn said(bound: &Values, say: &[(String, Expression)], scene: &Scene) -> Values {
    let mut words = bound.clone();
    for (name, read) in say {
        words.insert(name.clone(), read.value(scene));
    }
    words
}

fn listening(mut world: Simulation) -> Simulation {
    world.listen(Listening::News);
    world
}

/// Plays a lesson from a seed.
///
/// # Errors
/// The first that is wrong with it: an expression that isn't one, something that doesn't come, a
/// claim that isn't so, a prediction with no right answer or with several, a task that is done
/// before anybody did it, or that its solution doesn't do; words with a name that stands for
/// nothing.
pub fn plan(lesson: &Lesson, seed: u64) -> Result<Plan, LessonError> {
    let mut plan = Plan { runs: Vec::new(), steps: Vec::new() };
    let mut course =
        Course::begin(&lesson.world, seed, BTreeMap::new()).map_err(|why| LessonError::at("world", why))?;
    // Steps whose run is still being played.
    let mut open = 0;
    for (i, step) in lesson.steps.iter().enumerate() {
        let place = format!("step {}", i + 1);
        let error = |why: String| LessonError::at(place.as_str(), why);
        if let Some(world) = &step.world {
            close(&mut plan, &mut open, &course);
            course = Course::begin(world, seed, course.bound).map_err(error)?;
        }
        course.mark();
        let from = course.world.now();
        let first = |course: &Course| course.words(step).map_err(error);
        let mut planned = Planned {
            run: plan.runs.len(),
            from,
            to: from,
            first: BTreeMap::new(),
            last: BTreeMap::new(),
            right: None,
            look: Vec::new(),
            task: None,
        };
        match lesson.kind(i) {
            StepKind::Told => {
                course.play(step.told.as_deref().unwrap_or_default()).map_err(error)?;
                planned.first = first(&course)?;
                course.claims(&format!("{place}, claim"), &step.claims)?;
            }
            StepKind::Predicted => {
                planned.first = first(&course)?;
                course.claims(&format!("{place}, claim"), &step.claims)?;
                course.play(step.predicted.as_deref().unwrap_or_default()).map_err(error)?;
                planned.right = Some(right_answer(&course, step).map_err(error)?);
                course.claims(&format!("{place}, reply"), &step.replies)?;
            }
            StepKind::Done => {
                // What is done there is somebody else's: the run up to here is theirs.
                close(&mut plan, &mut open, &course);
                planned.run = plan.runs.len();
                plan.runs.push(course.run());
                planned.first = first(&course)?;
                course.claims(&format!("{place}, claim"), &step.claims)?;
                let task = solve(&mut course, step).map_err(error)?;
                // Somebody else does it in another way, so what it says at its end knows no names
                // that were given on this one.
                planned.last = task.words(&course);
                planned.task = Some(task);
                course.claims(&format!("{place}, reply"), &step.replies)?;
            }
        }
        planned.to = course.world.now();
        if planned.task.is_none() {
            planned.last = course.words(step).map_err(error)?;
        }
        planned.look = looked_at(step, &course).map_err(error)?;
        named(lesson, i, &planned)?;
        open += usize::from(planned.task.is_none());
        plan.steps.push(planned);
    }
    close(&mut plan, &mut open, &course);
    Ok(plan)
}

/// A run ends: that of the last steps.
fn close(plan: &mut Plan, open: &mut usize, course: &Course) {
    if *open > 0 {
        plan.runs.push(course.run());
    }
    *open = 0;
}

fn right_answer(course: &Course, step: &Step) -> Result<usize, String> {
    let mut right = Vec::new();
    for (i, answer) in step.answers.iter().enumerate() {
        let read = course.condition(answer).map_err(|why| format!("answer {}, {why}", i + 1))?;
        if read.is_so(&course.scene()) {
            right.push(i);
        }
    }
    match right[..] {
        [one] => Ok(one),
        [] => Err(format!("no answer is right at {}", course.moment())),
        _ => Err(format!("several answers are right at {}", course.moment())),
    }
}

fn solve(course: &mut Course, step: &Step) -> Result<Task, String> {
    let text = step.done.as_deref().unwrap_or_default();
    let goal = course.condition(text)?;
    let task = Task {
        goal,
        say: course.said(step)?,
        bound: course.bound.clone(),
        operations: course.operations,
        from: course.world.now(),
        begin: course.world.scenario().clone(),
    };
    if task.goal.is_so(&course.scene()) {
        return Err(format!("“{text}” is so before anybody has done anything, at {}", course.moment()));
    }
    course.play(&step.solution).map_err(|why| format!("solution, {why}"))?;
    if !task.goal.is_so(&course.scene()) {
        return Err(format!("the solution doesn’t come to “{text}”: it is {}", course.moment()));
    }
    Ok(task)
}

/// What a step points at, with the names of servers.
fn looked_at(step: &Step, course: &Course) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for spot in &step.look {
        if form::PARTS.contains(&spot.as_str()) {
            all.push(spot.clone());
            continue;
        }
        let read = course.read(spot).map_err(|why| format!("look, {why}"))?;
        match read.value(&course.scene()) {
            Value::Server(Some(server)) => all.push(server.to_string()),
            Value::Server(None) => {}
            Value::Servers(servers) => all.extend(servers.iter().map(|server| server.to_string())),
            _ => return Err(format!("look, “{spot}”: this is {}, not a server", read.kind().name())),
        }
    }
    Ok(all)
}

/// Whether all names in a step's words stand for something: what stands there first can't know what
/// is named later.
fn named(lesson: &Lesson, step: usize, planned: &Planned) -> Result<(), LessonError> {
    for (language, words) in &lesson.words {
        let said = &words.steps[step];
        let fills = |text: &String, values: &Values| {
            let place = || format!("words in {language}, step {}", step + 1);
            filled(text, values, words).map(|_| ()).map_err(|why| LessonError::at(place(), why))
        };
        for text in said.sentences.iter().chain([&said.heading, &said.hint]) {
            fills(text, &planned.first)?;
        }
        for one in &said.answers {
            fills(&one.answer, &planned.first)?;
            fills(&one.reply, &planned.last)?;
        }
        fills(&said.done, &planned.last)?;
    }
    Ok(())
}

/// A sentence with the values that its names in braces stand for.
///
/// # Errors
/// A name that stands for nothing.
pub fn filled(text: &str, values: &Values, words: &Words) -> Result<String, String> {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        whole += before;
        let Some((name, after)) = after.split_once('}') else {
            return Err(format!("“{text}” has a “{{” without a “}}”"));
        };
        let value = values.get(name).ok_or_else(|| format!("“{name}” stands for nothing in “{text}”"))?;
        whole += &value.said(&words.and, &words.nobody);
        rest = after;
    }
    Ok(whole + rest)
}

impl Planned {
    /// Whether a task has been done in a run that has gone on from where it began: at some moment
    /// since then, what is wanted was so. It doesn't matter how it came to that.
    ///
    /// # Errors
    /// The step is no task, or the run hasn't gone on from there: it was played differently before.
    pub fn done(&self, run: &Run) -> Result<Option<Reached>, String> {
        let task = self.task.as_ref().ok_or_else(|| "this step is no task".to_owned())?;
        let mut begin = run.scenario.clone();
        let own = begin.actions.split_off(task.begin.actions.len().min(begin.actions.len()));
        if begin != task.begin || own.first().is_some_and(|first| first.at < task.from) {
            return Err(format!("this run isn’t the same up to {}, where the task begins", task.from));
        }
        let mut world = Simulation::new(begin).map_err(|error| error.to_string())?;
        world.run_until(task.from);
        let mut course = Course {
            world: listening(world),
            happened: Vec::new(),
            since: task.from,
            operations: task.operations,
            bound: task.bound.clone(),
        };
        for action in own.into_iter().take_while(|action| action.at <= run.until) {
            if course.reach(&task.goal, action.at.since(course.world.now())) {
                return Ok(Some(task.reached(&course)));
            }
            course.world.act(action.action).map_err(|error| error.to_string())?;
            course.hear();
        }
        if run.until >= task.from && course.reach(&task.goal, run.until.since(course.world.now())) {
            return Ok(Some(task.reached(&course)));
        }
        Ok(None)
    }
}
