//! Lessons: every claim of every lesson is asserted, every prediction is answered by the run, every
//! task is solved and is unsolved before; and a lesson that is wrong about something fails.

#[path = "support/kept.rs"]
mod kept;

use std::fs;

use kept::kept_as_made;
use proptest::prelude::*;
use raft_core::format::{Run, link};
use raft_core::lesson::{self, Expression, Lesson, Names, StepKind, events, facts_in_words, filled, plan};
use raft_core::raft::ServerSet;
use raft_core::sim::{Action, Simulation, Target, Timeline};
use raft_core::time::{Duration, Time};
use serde_json::{Value, json};

/// All lessons, by their files' names.
fn lessons() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../lessons");
    let mut all: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the folder of lessons")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a lesson"))
        })
        .collect();
    all.sort();
    assert!(!all.is_empty(), "there are no lessons");
    all
}

#[test]
fn all_that_lessons_claim_is_so_from_every_seed() {
    for (name, text) in lessons() {
        let lesson = Lesson::read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for seed in 0..21 {
            plan(&lesson, seed).unwrap_or_else(|error| panic!("{name}, seed {seed}: {error}"));
        }
    }
}

/// The page plays the runs of a plan by itself, and must come to the same.
#[test]
fn a_plan_s_runs_play_to_the_same_hash_and_fit_into_a_link() {
    for (name, text) in lessons() {
        let lesson = Lesson::read(&text).expect("a lesson");
        let plan = plan(&lesson, 7).expect("a plan");
        for run in &plan.runs {
            let mut again = Simulation::new(run.scenario.clone()).expect("a world");
            again.run_until(run.until);
            assert_eq!(Some(again.trace_hash()), run.hash, "{name}");
            assert_eq!(link::decode(&link::encode(run).expect("bytes")).as_ref(), Ok(run), "{name}");
        }
        assert_eq!(plan.steps.len(), lesson.len());
        for (i, step) in plan.steps.iter().enumerate() {
            assert!(step.from <= step.to && step.run < plan.runs.len(), "{name}, step {}", i + 1);
            assert_eq!(step.right.is_some(), lesson.kind(i) == StepKind::Predicted, "{name}, step {}", i + 1);
            if lesson.kind(i) != StepKind::Done {
                assert!(step.to <= plan.runs[step.run].until, "{name}, step {}", i + 1);
            }
        }
    }
}

#[test]
fn whoever_goes_to_where_a_step_begins_sees_nothing_that_is_done_in_it() {
    let plan = plan(&Lesson::read(&example().to_string()).expect("a lesson"), 7).expect("a plan");
    let predicted = &plan.steps[1];
    let [crash] = &plan.runs[predicted.run].scenario.actions[..] else { panic!("one thing is done") };
    assert_eq!(crash.at, predicted.from + Duration::from_micros(1));
}

/// A translation touches nothing but words: one lesson shows it.
#[test]
fn a_lesson_speaks_a_second_language() {
    let several = lessons().into_iter().filter(|(_, text)| Lesson::read(text).expect("a lesson").words.len() > 1);
    assert!(several.count() > 0);
}

/// What a lesson weighs when it is loaded.
#[test]
fn a_lesson_is_small() {
    for (name, text) in lessons() {
        assert!(text.len() < 15_000, "{name} has {} bytes", text.len());
    }
}

fn example() -> Value {
    json!({
        "raftarium-lesson": 1,
        "chapter": "agreeing",
        "minutes": 1,
        "world": { "servers": 3, "clients": { "count": 0 } },
        "steps": [
            {
                "told": [{ "until": "leader != nobody" }, { "let": { "old": "leader" } }],
                "claims": ["size(leaders) = 1", ""],
                "say": { "who": "leader" },
                "look": ["old", "logs"]
            },
            {
                "predicted": [{ "do": "crash", "server": "$old" }, { "until": "elapsed >= 2s" }, { "let": { "late": "leader" } }],
                "answers": ["leader = nobody", "leader != nobody"],
                "replies": ["", "leader != old"]
            },
            { "done": "size(up) = 3", "solution": [{ "do": "restart-all" }, { "let": { "heir": "leader" } }] }
        ],
        "words": { "en": { "title": "", "aim": "", "steps": [
            { "heading": "A leader", "sentences": ["{who} leads.", "So it is."] },
            {
                "heading": "Now",
                "sentences": ["{old} crashes."],
                "answers": [{ "answer": "Nobody", "reply": "No." }, { "answer": "Somebody", "reply": "Yes." }]
            },
            { "heading": "Do", "sentences": ["Do."], "hint": "So.", "done": "Done." }
        ] } }
    })
}

/// What is wrong with the example, if this is changed in it.
fn why(pointer: &str, value: Value) -> String {
    let mut form = example();
    *form.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")) = value;
    match Lesson::read(&form.to_string()).and_then(|lesson| plan(&lesson, 7)) {
        Ok(_) => String::from("fine"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_lesson_that_is_wrong_about_something_fails_and_says_where() {
    assert_eq!(why("/minutes", json!(2)), "fine");
    for (pointer, value, wrong) in [
        ("/steps/0/claims/0", json!("size(leaders) = 2"), "step 1, claim 1: “size(leaders) = 2” isn’t so at"),
        ("/steps/0/claims/0", json!("size(leaders)"), "step 1, claim 1: “size(leaders)”: column 1: this is a number"),
        (
            "/steps/0/told/0/until",
            json!("size(leaders) = 2"),
            "step 1: line 1: “size(leaders) = 2” isn’t so within 10.000 s",
        ),
        ("/steps/0/told/0", json!({ "do": "fly" }), "step 1: line 1: “fly” is no action"),
        (
            "/steps/0/told/0",
            json!({ "do": "crash", "server": "$nobody" }),
            "step 1: line 1: nothing was called “nobody”",
        ),
        ("/steps/0/told/1", json!({ "let": { "leader": "S1" } }), "nothing can be called “leader”"),
        ("/steps/0/look/0", json!("ocean"), "look, “ocean”: column 1: nothing is called “ocean” here"),
        ("/steps/1/answers/0", json!("leader != nobody"), "step 2: several answers are right"),
        ("/steps/1/answers/1", json!("leader = old"), "step 2: no answer is right"),
        ("/steps/1/replies/1", json!("leader = old"), "step 2, reply 2: “leader = old” isn’t so"),
        ("/steps/2/done", json!("size(up) = 2"), "step 3: “size(up) = 2” is so before anybody has done anything"),
        ("/steps/2/done", json!("size(up) = 4"), "step 3: the solution doesn’t come to “size(up) = 4”"),
        ("/steps/2/solution", json!([]), "step 3: a task needs a solution"),
        ("/words/en/steps/0/sentences/0", json!("{nobody} leads."), "words in en, step 1: “nobody” stands for nothing"),
        ("/words/en/steps/1/sentences/0", json!("{late} crashes."), "words in en, step 2: “late” stands for nothing"),
        ("/words/en/steps/2/done", json!("{heir} leads."), "words in en, step 3: “heir” stands for nothing"),
        ("/words/en/steps/0/sentences/0", json!("{who leads."), "words in en, step 1: “{who leads.” has a “{” without"),
        (
            "/words/en/steps/0/sentences",
            json!(["a", "b", "c", "d"]),
            "words in en, step 1: a step has one to 3 sentences",
        ),
        ("/words/en/steps/0/sentences", json!(["a"]), "words in en, step 1: there are 2 claims, and only 1 sentences"),
        ("/words/en/steps/2/hint", json!(""), "words in en, step 3: a task needs a `hint`"),
        ("/words/en/steps", json!([]), "words in en: there are 3 steps, and words for 0"),
        ("/world", json!({ "seed": "7" }), "world: a lesson’s world has no `seed`"),
        ("/world", json!({ "servers": 12 }), "world: a cluster has 1 to 9 servers, not 12"),
        ("/raftarium-lesson", json!(2), "it was made for another version"),
        ("/steps/0/told", json!(null), "step 1: `told` takes a list"),
        ("/steps/0", json!({ "claims": [] }), "step 1: it is told, predicted or done"),
        ("/steps/0", json!({ "clams": [] }), "step 1: it has no `clams`: there are told, predicted"),
        ("/steps/0/told/0", json!({ "until": "leader != nobody", "wait": "1s" }), "“wait” has no place in this line"),
        ("/steps/0/told/0", json!({ "until": 7 }), "step 1: line 1: a condition is a text"),
        ("/steps/0/told/0", json!(7), "step 1: line 1 of `told` is no object"),
        ("/words/en/steps/1/answers/0", json!({ "answer": "Nobody" }), "words in en, step 2: `reply` is missing"),
        ("/words/en", json!({ "title": "" }), "words in en: `aim` is missing"),
        ("/minutes", json!("two"), "`minutes` takes a number"),
        ("/chapter", json!(1), "`chapter` takes a text"),
    ] {
        let said = why(pointer, value);
        assert!(said.contains(wrong), "{pointer}: {said}");
    }
    assert!(Lesson::read("{}").expect_err("no lesson").to_string().contains("it is no lesson"));
}

/// As a person plays on from where a task begins, step by step.
struct Person {
    plan: lesson::Plan,
    task: usize,
    timeline: Timeline,
}

impl Person {
    fn begins(form: &Value, task: usize) -> Person {
        let lesson = Lesson::read(&form.to_string()).expect("a lesson");
        let plan = plan(&lesson, 7).expect("a plan");
        let begin = &plan.runs[plan.steps[task].run];
        let mut timeline = Timeline::by_hand(begin.scenario.clone()).expect("a world");
        timeline.play_until(begin.until);
        Person { plan, task, timeline }
    }

    fn plays_on(&mut self, millis: u64) {
        self.timeline.play_until(self.timeline.world().now() + Duration::from_millis(millis));
    }

    fn done(&self) -> Result<Option<lesson::Reached>, String> {
        let world = self.timeline.world();
        self.plan.steps[self.task].done(&Run { scenario: world.scenario().clone(), until: world.now(), hash: None })
    }

    fn acts(&mut self, action: Action) {
        self.timeline.act(action).expect("it can be done");
    }
}

#[test]
fn whatever_comes_to_it_solves_a_task() {
    let mut person = Person::begins(&example(), 2);
    assert_eq!(person.done(), Ok(None));
    person.plays_on(300);
    let old = person.timeline.world().machines().iter().find(|one| !one.is_up()).expect("the old leader").id();
    assert_eq!(person.done(), Ok(None));
    person.acts(Action::Restart(old));
    let begin = person.plan.runs[person.plan.steps[2].run].clone();
    let reached = person.done().expect("it can be judged").expect("it is done");
    assert_eq!(reached.words["old"].to_string(), old.to_string());
    assert_eq!(reached.at, begin.until + Duration::from_millis(300));
    // It stays done, whatever happens then.
    person.plays_on(50);
    person.acts(Action::Crash(Target::Server(old)));
    assert_eq!(person.done(), Ok(Some(reached)));
    assert!(person.plan.steps[0].done(&begin).is_err());
}

/// The page stands where a task begins until somebody does something: that is seen, too.
#[test]
fn what_is_done_at_the_moment_where_a_task_begins_has_happened_in_it() {
    let mut form = example();
    form["steps"][2]["done"] = json!("happened(started)");
    let mut person = Person::begins(&form, 2);
    assert_eq!(person.done(), Ok(None));
    person.acts(Action::RestartAll);
    assert!(person.done().expect("it can be judged").is_some());
}

#[test]
fn a_run_that_was_another_before_a_task_is_refused() {
    let mut person = Person::begins(&example(), 2);
    let begin = person.timeline.world().now();
    person.timeline.seek(Time::from_micros(begin.as_micros() - 100_000));
    assert_eq!(person.done(), Ok(None));
    person.acts(Action::RestartAll);
    person.plays_on(500);
    let why = person.done().expect_err("another past");
    assert!(why.contains("isn’t the same up to"), "{why}");
    let mut other = Person::begins(&example(), 2);
    other.plan = plan(&Lesson::read(&example().to_string()).expect("a lesson"), 8).expect("a plan");
    assert!(other.done().is_err());
}

/// What the page's build writes, for each language.
#[test]
fn a_lesson_is_shown_with_the_values_in_its_words() {
    for (name, text) in lessons() {
        let lesson = Lesson::read(&text).expect("a lesson");
        let plan = plan(&lesson, 7).expect("a plan");
        for language in lesson.words.keys() {
            let shown = lesson.shown(&plan, 7, language).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((shown.steps.len(), shown.runs.len()), (lesson.len(), plan.runs.len()));
            assert!(!format!("{:?}", shown.steps).replace(" {", "").contains("{"), "{name}: {shown:?}");
            for (run, planned) in shown.runs.iter().zip(&plan.runs) {
                assert_eq!(link::read(run).as_ref(), Ok(planned), "{name}");
            }
            // With its source, which judges its tasks.
            assert!(serde_json::to_string(&shown).expect("JSON").len() < 15_000, "{name} in {language}");
        }
    }
    let lesson = Lesson::read(&example().to_string()).expect("a lesson");
    assert_eq!(["en-GB", "de", ""].map(|wanted| lesson.language(wanted)), ["en"; 3]);
    let mut form = example();
    form["words"]["de"] = form["words"]["en"].clone();
    let lesson = Lesson::read(&form.to_string()).expect("a lesson");
    assert_eq!(["en-GB", "de-CH", "de", "fr"].map(|wanted| lesson.language(wanted)), ["en", "de", "de", "en"]);
}

#[test]
fn a_value_stands_in_a_sentence_as_people_write_it() {
    let mut form = example();
    form["words"]["de"] = form["words"]["en"].clone();
    form["words"]["de"]["and"] = json!("und");
    form["words"]["de"]["nobody"] = json!("niemand");
    let lesson = Lesson::read(&form.to_string()).expect("a lesson");
    let values = [
        ("who", lesson::Value::from(ServerSet::first(3))),
        ("none", lesson::Value::Server(None)),
        ("long", lesson::Value::from(Duration::from_millis(1_000))),
    ];
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let said = |language: &str| filled("{who} led for {long}, then {none}.", &values, &lesson.words[language]);
    assert_eq!(said("en").as_deref(), Ok("S1, S2 and S3 led for 1.000 s, then nobody."));
    assert_eq!(said("de").as_deref(), Ok("S1, S2 und S3 led for 1.000 s, then niemand."));
}

#[test]
fn what_is_no_expression_is_refused_with_its_column() {
    let names = Names::new();
    for (text, column, why) in [
        ("", 1, "something is missing here, where the end stands"),
        ("leader = ", 10, "something is missing here"),
        ("leader + 1", 8, "nothing can be added to a server"),
        ("S1.colour = 1", 4, "a server has no “colour”"),
        ("S1.term = S2", 11, "this is a server, not a number"),
        ("term and up", 1, "this is a number, not yes or no"),
        ("S1.value = \"x\"", 10, "“(” is missing after “value”"),
        ("some s up: s.up", 8, "“in” is missing after “s”"),
        ("some s in up: s.term", 15, "this is a number, not yes or no"),
        ("happened(rain)", 10, "nothing of the name “rain” happens"),
        ("S1.up S2.up", 7, "nothing may follow here"),
        ("S1.up = \"", 9, "a text begins here and doesn’t end"),
        ("S1.role < candidate", 9, "a role can’t be smaller"),
        ("3 days = now", 3, "nothing may follow here"),
        ("3days = now", 1, "“3days” is no length of time"),
        ("S1 & S2", 4, "“&” has no meaning here"),
    ] {
        let error = Expression::read(text, &names).expect_err(text);
        assert!(error.column == column && error.why.contains(why), "{text}: {error}");
    }
    let deep = "(".repeat(500);
    assert!(Expression::read(&deep, &names).expect_err("too deep").why.contains("too many parts"));
    let long = "not ".repeat(200);
    assert!(Expression::read(&long, &names).expect_err("too deep").why.contains("too many parts"));
}

proptest! {
    /// Whatever somebody writes, it is read or refused, and what is read has a value.
    #[test]
    fn no_text_makes_it_panic(words in proptest::collection::vec(prop_oneof![
        Just("leader"), Just("S1"), Just("."), Just("term"), Just("("), Just(")"), Just("{"), Just("}"), Just(","),
        Just("some"), Just("all"), Just("s"), Just("in"), Just("up"), Just(":"), Just("="), Just("<"), Just("+"),
        Just("not"), Just("and"), Just("or"), Just("1"), Just("2s"), Just("\"x\""), Just("times"), Just("committed"),
        Just("value"), Just("é"), Just("highest"), Just("size"), Just("nobody"),
    ], 0..24)) {
        let text = words.join(" ");
        let _ = Expression::read(&text, &Names::new());
    }
}

#[test]
fn the_document_has_every_name() {
    kept_as_made("docs/lessons.md", |kept| {
        let happenings: Vec<String> = events().iter().map(|name| format!("`{name}`")).collect();
        let parts: Vec<String> = lesson::PARTS.iter().map(|name| format!("`{name}`")).collect();
        let lists = [
            ("facts", facts_in_words()),
            ("happenings", happenings.join(", ") + "\n"),
            ("parts", parts.join(", ") + "\n"),
        ];
        lists.into_iter().fold(kept.to_owned(), |kept, (name, made)| {
            let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
            let (before, rest) = kept.split_once(&begin).expect("where the list begins");
            let (_, after) = rest.split_once(&end).expect("where it ends");
            format!("{before}{begin}{made}{end}{after}")
        })
    });
}

/// In the order of the list, which has them all.
fn in_order() -> Vec<(String, Lesson)> {
    let order = include_str!("../../lessons/order.txt");
    let mut all = lessons();
    let listed: Vec<(String, Lesson)> = order
        .split_whitespace()
        .map(|name| {
            let at = all.iter().position(|(one, _)| one == name).unwrap_or_else(|| panic!("there is no lesson {name}"));
            let (name, text) = all.remove(at);
            (name, Lesson::read(&text).expect("a lesson"))
        })
        .collect();
    assert!(all.is_empty(), "order.txt doesn’t list {:?}", all.iter().map(|(name, _)| name).collect::<Vec<_>>());
    listed
}

#[test]
fn the_guide_for_teachers_has_every_lesson() {
    let count = |lesson: &Lesson, kind| (0..lesson.len()).filter(|step| lesson.kind(*step) == kind).count();
    let mut guide = String::new();
    let mut chapter = String::new();
    for (name, lesson) in in_order() {
        if lesson.chapter != chapter {
            chapter.clone_from(&lesson.chapter);
            let title = chapter[..1].to_uppercase() + &chapter[1..];
            guide += &format!(
                "\n### {title}\n\n| lesson | minutes | after it | predictions, tasks |\n| --- | --- | --- | --- |\n"
            );
        }
        let words = &lesson.words["en"];
        let (asked, tasks) = (count(&lesson, StepKind::Predicted), count(&lesson, StepKind::Done));
        let (title, aim, minutes) = (&words.title, &words.aim, lesson.minutes);
        guide += &format!("| [{title}](../lessons/{name}.json) | {minutes} | {aim} | {asked}, {tasks} |\n");
    }
    kept_as_made("docs/teaching.md", |kept| {
        let (before, rest) = kept.split_once("<!-- guide -->\n").expect("where the guide begins");
        let (_, after) = rest.split_once("<!-- end of guide -->").expect("where it ends");
        format!("{before}<!-- guide -->\n{guide}\n<!-- end of guide -->{after}")
    });
}

/// Five minutes or less each, in four chapters.
#[test]
fn a_lesson_takes_five_minutes_at_most() {
    let all = in_order();
    assert!(all.len() >= 16);
    assert!(all.iter().all(|(_, lesson)| (1..=5).contains(&lesson.minutes)));
    let chapters: std::collections::BTreeSet<&str> = all.iter().map(|(_, lesson)| lesson.chapter.as_str()).collect();
    assert_eq!(chapters.len(), 4);
}

/// The example of the document is a lesson, and what it claims is so.
#[test]
fn the_document_s_example_is_fine() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/lessons.md")).expect("the document");
    let (_, rest) = text.split_once("```json\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let lesson = Lesson::read(example).expect("a lesson");
    for seed in 0..21 {
        assert!(plan(&lesson, seed).expect("a plan").runs.iter().all(|run| run.until > Time::ZERO));
    }
}
