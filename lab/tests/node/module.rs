//! What the worker gets from the module.

use js_sys::Uint8Array;
use raft_core::format::link;
use raft_core::lesson;
use raft_core::sim::Profile;
use raft_core::time::Duration;
use raft_core::trial;
use raft_lab::{Hunt, Judge, Lessons, Shrinking, history, read_file, shiviz, trace, write_file};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::views::{assert_shape, get, said};

const TYPES: &str = include_str!("../../lab.d.ts");

const FILE: &str = r#"{ "raftarium": 1, "note": "why", "seed": "7", "until": "5s", "servers": 3,
    "found": { "what": "Liveness", "at": "2s", "first": "it is calm", "second": "nobody leads" } }"#;

fn bytes_of(view: &JsValue) -> Vec<u8> {
    Uint8Array::from(get(view, "bytes")).to_vec()
}

#[wasm_bindgen_test]
fn a_file_is_read_and_written() {
    let file = read_file(FILE).expect("a file");
    assert_shape(TYPES, &file, "FileView");
    let found = get(&file, "found");
    assert_shape(TYPES, &found, "FoundView");
    let text = |of: &JsValue, name: &str| get(of, name).as_string().expect("a text");
    let words = (text(&found, "first"), text(&found, "second"));
    let at = get(&found, "time").as_f64().expect("a time");
    let what = Some(text(&found, "property"));
    let again = write_file(&bytes_of(&file), text(&file, "note"), what, at, words.0, words.1).expect("a file");
    assert!(again.contains("\"note\": \"why\"") && again.contains("\"at\": \"2s\""), "{again}");
    let error = said(read_file("hello").expect_err("that is no file"));
    assert!(error.starts_with("it is no scenario file"), "{error}");
}

#[wasm_bindgen_test]
fn a_run_is_judged_and_its_logs_are_written() {
    let bytes = bytes_of(&read_file(FILE).expect("a file"));
    let verdict = Judge::new().judge(&bytes).expect("a verdict");
    assert_shape(TYPES, &verdict, "VerdictView");
    assert_eq!(get(&verdict, "state"), "linearizable");
    assert!(get(&verdict, "answers").as_f64() > Some(5.0));
    let trace = trace(&bytes, None, 0.0, String::new(), String::new()).expect("a trace");
    assert!(trace.lines().count() > 20);
    assert!(shiviz(&bytes).expect("a log").contains("sends AppendEntries of term "));
    assert!(history(&bytes).expect("a history").contains("\"kind\":\"invoke\""));
    let error = said(shiviz(&[]).expect_err("that is no run"));
    assert!(!error.is_empty());
}

#[wasm_bindgen_test]
fn a_hunt_finds_here_what_it_finds_natively_and_shrinks_it() {
    let rule = raft_core::raft::Rule::VoteOncePerTerm;
    let mut hunt = Hunt::new(3, 20e6, Profile::Full.name(), rule.name()).expect("a hunt");
    let native = trial::Hunt {
        servers: Some(3),
        length: Duration::from_secs(20),
        rules: raft_core::raft::Rules::ALL.without(rule),
        ..trial::Hunt::default()
    };
    let mut found = None;
    for seed in 0..20 {
        hunt.begin(&seed.to_string()).expect("a trial");
        let view = loop {
            let view = hunt.play_on().expect("it plays");
            if !view.is_undefined() {
                break view;
            }
        };
        assert_shape(TYPES, &view, "TrialView");
        let played = trial::play(&native.run(seed).expect("a run")).expect("it plays");
        assert_eq!(get(&view, "events").as_f64(), Some(played.world.events() as f64), "seed {seed}");
        let finding = get(&view, "finding");
        assert_eq!(finding.is_null(), played.finding.is_none(), "seed {seed}");
        if let Some(native) = played.finding {
            assert_shape(TYPES, &finding, "FindingView");
            assert_eq!(get(&finding, "sentence"), native.to_string().as_str());
            found = Some(bytes_of(&view));
            break;
        }
    }
    let run = found.expect("something is found without that rule");
    let mut shrinking = Shrinking::new(&run, 30).expect("it fails");
    while !shrinking.work(10) {}
    let shrunk = shrinking.smallest().expect("a run");
    assert_shape(TYPES, &shrunk, "ShrunkView");
    let small = link::decode(&bytes_of(&shrunk)).expect("a run");
    assert!(small.scenario.actions.len() < link::decode(&run).expect("a run").scenario.actions.len());
    assert_eq!(small.scenario.actions.len(), shrinking.actions() as usize);
}

const LESSON: &str = include_str!("../../../lessons/a-leader-is-elected.json");

/// What a text of JSON is in the page.
fn parsed(text: &str) -> JsValue {
    js_sys::JSON::parse(text).expect("JSON")
}

#[wasm_bindgen_test]
fn a_lesson_is_shown_and_its_task_is_judged_here_as_natively() {
    let types = include_str!("../../lessons.d.ts");
    let read = Lessons::new(LESSON, "7", "de").expect("a lesson");
    let view = read.view().expect("a view");
    let lesson = lesson::Lesson::read(LESSON).expect("a lesson");
    let plan = lesson::plan(&lesson, 7).expect("a plan");
    // What the page's build writes.
    let native = lesson.shown(&plan, 7, "de").expect("a view");
    assert_eq!(view, serde_json::to_string(&native).expect("JSON"));
    assert_shape(types, &parsed(&view), "LessonView");
    assert_shape(types, &get(&get(&parsed(&view), "steps"), "0"), "StepView");
    let task = native.steps.iter().position(|step| step.kind == "done").expect("a task");
    assert_eq!(read.done(task, &native.runs[native.steps[task].run]), Ok(None));
    let solved = native.runs.last().expect("a run");
    assert_shape(types, &parsed(&read.done(task, solved).expect("judged").expect("done")), "ReachedView");
    let error = said(Lessons::new("{}", "7", "en").err().expect("that is no lesson"));
    assert!(error.starts_with("it is no lesson"), "{error}");
}
