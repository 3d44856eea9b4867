//! What happens when the module is loaded.

use wasm_bindgen::prelude::*;

#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(feature = "trials")]
#[wasm_bindgen(typescript_custom_section)]
const LAB_TYPES: &str = include_str!("../lab.d.ts");

#[wasm_bindgen(start)]
fn start() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        // After this the module is dead and can't be asked: the worker finds the message here.
        let _ = js_sys::Reflect::set(&js_sys::global(), &"raftariumPanic".into(), &panic.to_string().into());
    }));
}
