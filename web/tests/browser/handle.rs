//! The handle as the page uses it.

use std::slice;

use js_sys::Array;
use raft_web::Run;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use crate::views::{self, get, said};

wasm_bindgen_test_configure!(run_in_browser);

const TYPES: &str = include_str!("../../view.d.ts");

/// Asserts that a view has exactly the properties that an interface of `view.d.ts` declares.
fn assert_shape(view: &JsValue, interface: &str) {
    views::assert_shape(TYPES, view, interface);
}

fn act(run: &mut Run, name: &str, fields: &[JsValue]) -> Result<(), JsValue> {
    run.act(name, fields.to_vec())
}

#[wasm_bindgen_test]
fn every_view_has_the_shape_that_the_page_was_promised() {
    let mut run = Run::new("42", 5, None, None).expect("a run");
    act(&mut run, "submit", &["put x 1".into()]).expect("a command");
    run.advance_to(2_000_000.0);
    act(&mut run, "crash", &["leader".into()]).expect("a crash");
    let frame = run.frame().expect("a frame");
    assert_shape(&frame, "Frame");
    assert_shape(&get(&frame, "quorum"), "QuorumView");
    let first = |list: JsValue| Array::from(&list).get(0);
    assert_shape(&first(get(&frame, "servers")), "ServerView");
    // A message is a row of numbers, one a field.
    let row = js_sys::Float64Array::from(get(&frame, "messages")).length();
    assert!(row > 0 && row % 11 == 0 && views::declared(TYPES, "MessageView").len() == 11);
    let logs = run.logs(1.0, 10).expect("logs");
    assert_shape(&first(logs.clone()), "LogView");
    assert_shape(&first(get(&first(logs), "entries")), "EntryView");
    assert_shape(&first(run.stores().expect("stores")), "StoreView");
    assert_shape(&first(run.operations(1).expect("operations")), "OperationView");
    assert_shape(&first(run.story(0.0, 1).expect("a story")), "StoryLine");
    assert_shape(&first(run.branches().expect("branches")), "BranchView");
    assert_shape(&run.beside(1).expect("a frame"), "Frame");
    assert!(get(&frame, "now").as_f64().is_some() && get(&frame, "violation").is_null());
}

#[wasm_bindgen_test]
fn a_fresh_seed_comes_from_the_system_and_a_given_one_replays() {
    let fresh = Run::new("", 5, None, None).expect("a fresh run");
    assert_ne!(fresh.seed(), Run::new("", 5, None, None).expect("another").seed());
    let hash = |seed: &str| {
        let mut run = Run::new(seed, 5, None, None).expect("a run");
        run.advance_to(3_000_000.0);
        run.trace_hash()
    };
    assert_eq!(hash(&fresh.seed()), hash(&fresh.seed()));
    assert_eq!(hash("1").len(), 16);
}

#[wasm_bindgen_test]
fn what_cannot_be_done_is_thrown_as_an_error_with_a_sentence() {
    let refused = |result: Result<(), JsValue>| said(result.expect_err("it must be refused"));
    assert!(refused(Run::new("soon", 5, None, None).map(drop)).contains("is no seed"));
    let mut run = Run::new("1", 3, None, None).expect("a run");
    let mut refused = |name: &str, fields: &[JsValue]| refused(act(&mut run, name, fields));
    assert_eq!(refused("restart", &[4.into()]), "there is no S4 in this cluster");
    assert_eq!(refused("submit", &["put x".into()]), "put needs a key and a value: put x 1");
    let groups: JsValue = Array::of1(&0.into()).into();
    assert!(refused("partition", slice::from_ref(&groups)).contains("name one for each"));
    assert_eq!(refused("fly", &[]), "“fly” is nothing that can be done");
    for wrong in [JsValue::UNDEFINED, JsValue::NULL, groups, js_sys::Object::new().into()] {
        let sentence = refused("restart", &[wrong]);
        assert_eq!(sentence, "“restart” needs a server");
    }
}
