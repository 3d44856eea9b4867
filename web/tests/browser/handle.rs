//! The handle as the page uses it.

use js_sys::{Array, Reflect};
use raft_core::format::link::encode_action;
use raft_core::raft::ServerId;
use raft_core::sim::{Action, Target};
use raft_web::Run;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn get(value: &JsValue, name: &str) -> JsValue {
    let found = Reflect::get(value, &name.into()).expect("views are objects");
    assert!(!found.is_undefined(), "the view has no {name}");
    found
}

/// Asserts that a view has exactly the properties that an interface of `view.d.ts` declares.
fn assert_shape(view: &JsValue, interface: &str) {
    let mut declared = declared(interface);
    let view: &js_sys::Object = view.unchecked_ref();
    let keys = js_sys::Object::keys(view);
    let mut present: Vec<String> = keys.iter().filter_map(|key| key.as_string()).collect();
    declared.sort_unstable();
    present.sort_unstable();
    assert_eq!(present, declared, "{interface}");
}

/// The properties that an interface of `view.d.ts` declares.
fn declared(interface: &str) -> Vec<&'static str> {
    let types = include_str!("../../view.d.ts");
    let start = types.find(&format!("export interface {interface} {{")).expect("the interface is declared");
    let body = &types[start..start + types[start..].find("\n}").expect("it ends")];
    body.lines()
        .skip(1)
        .map(str::trim)
        .filter(|line| !line.starts_with("//") && !line.starts_with('/') && !line.starts_with('*'))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        .collect()
}

#[wasm_bindgen_test]
fn every_view_has_the_shape_that_the_page_was_promised() {
    let mut run = Run::new("42", 5, None, None).expect("a run");
    run.act(&encode_action(&Action::Submit("put x 1".into()))).expect("a command");
    run.advance_to(2_000_000.0);
    run.act(&encode_action(&Action::Crash(Target::Leader))).expect("a crash");
    let frame = run.frame().expect("a frame");
    assert_shape(&frame, "Frame");
    assert_shape(&get(&frame, "quorum"), "QuorumView");
    let first = |list: JsValue| Array::from(&list).get(0);
    assert_shape(&first(get(&frame, "servers")), "ServerView");
    // A message is a row of numbers, one a field.
    let row = js_sys::Float64Array::from(get(&frame, "messages")).length();
    assert!(row > 0 && row % 11 == 0 && declared("MessageView").len() == 11);
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
    let refused = |result: Result<(), JsValue>| {
        let error: js_sys::Error = result.expect_err("it must be refused").dyn_into().expect("an Error");
        String::from(error.message())
    };
    assert!(refused(Run::new("soon", 5, None, None).map(drop)).contains("is no seed"));
    let mut run = Run::new("1", 3, None, None).expect("a run");
    let mut act = |action: Action| refused(run.act(&encode_action(&action)));
    let fourth = ServerId::new(4).expect("a server");
    assert_eq!(act(Action::Restart(fourth)), "there is no S4 in this cluster");
    assert_eq!(act(Action::Submit("put x".into())), "put needs a key and a value: put x 1");
    assert!(act(Action::Partition(vec![0])).contains("name one for each"));
    assert!(refused(run.act(&[0])).contains("expected an action that this version knows"));
}
