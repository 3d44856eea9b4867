//! What JavaScript sees of a view, and whether that is what its declaration promises.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};

/// A property of a view.
pub fn get(value: &JsValue, name: &str) -> JsValue {
    let found = Reflect::get(value, &name.into()).expect("views are objects");
    assert!(!found.is_undefined(), "the view has no {name}");
    found
}

/// Asserts that a view has exactly the properties that an interface declares in `types`.
pub fn assert_shape(types: &'static str, view: &JsValue, interface: &str) {
    let mut declared = declared(types, interface);
    let view: &js_sys::Object = view.unchecked_ref();
    let keys = js_sys::Object::keys(view);
    let mut present: Vec<String> = keys.iter().filter_map(|key| key.as_string()).collect();
    declared.sort_unstable();
    present.sort_unstable();
    assert_eq!(present, declared, "{interface}");
}

/// The properties that an interface declares.
pub fn declared(types: &'static str, interface: &str) -> Vec<&'static str> {
    let start = types.find(&format!("export interface {interface} ")).expect("the interface is declared");
    let body = &types[start..start + types[start..].find("\n}").expect("it ends")];
    let (head, body) = body.split_once('\n').expect("it has properties");
    let more = head.split_once(" extends ").map(|(_, base)| declared(types, base.trim_end_matches(" {")));
    body.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//") && !line.starts_with('/') && !line.starts_with('*'))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        .chain(more.unwrap_or_default())
        .collect()
}

/// The sentence of what was thrown.
pub fn said(error: JsValue) -> String {
    let error: js_sys::Error = error.dyn_into().expect("an Error");
    error.message().into()
}
