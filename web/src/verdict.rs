//! Whether what the clients have seen is linearizable.

use raft_core::sim::End;
use raft_core::trial::quick::{Judgement, judge};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::js::to_js;
use crate::run::Run;

/// See `VerdictView` in `view.d.ts`.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct VerdictView {
    state: &'static str,
    answers: u32,
    first: String,
    second: String,
}

#[wasm_bindgen]
impl Run {
    /// Whether what the clients have seen so far is linearizable. The time it takes grows with how
    /// much they have seen.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "VerdictView")]
    pub fn verdict(&self) -> Result<JsValue, JsValue> {
        to_js(&self.judged())
    }
}

impl Run {
    fn judged(&self) -> VerdictView {
        let answered = self.world().operations().filter(|record| matches!(record.end, Some((_, End::Answered(_)))));
        let answers = answered.count() as u32;
        let (state, first, second) = match judge(self.world().operations()) {
            Judgement::Linearizable => ("linearizable", String::new(), String::new()),
            Judgement::NotLinearizable { first, second } => ("broken", first, second),
            Judgement::Undecided { first, second } => ("undecided", first, second),
        };
        VerdictView { state, answers, first, second }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_judged_as_it_goes() {
        let mut run = Run::create("7", 3, "").unwrap();
        let fine =
            |answers| VerdictView { state: "linearizable", answers, first: String::new(), second: String::new() };
        assert_eq!(run.judged(), fine(0));
        run.advance_to(5e6);
        let later = run.judged();
        assert!(later.answers > 5);
        assert_eq!(later, fine(later.answers));
    }
}
