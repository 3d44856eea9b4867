//! The sentences that tell what happened. They are put into words when somebody reads them.

use raft_core::raft::Weight;
use raft_core::sim::timeline::Told;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::js::micros;
use crate::json::to_js;
use crate::run::Run;

/// One sentence; see `StoryLine` in `view.d.ts`.
#[derive(Serialize)]
pub struct StoryLine {
    number: f64,
    time: f64,
    server: u32,
    kind: &'static str,
    weight: &'static str,
    text: String,
    section: &'static str,
}

#[wasm_bindgen]
impl Run {
    /// The newest `limit` sentences with a number above `after`, oldest first.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "StoryLine[]")]
    pub fn story(&mut self, after: f64, limit: u32) -> Result<JsValue, JsValue> {
        let told = self.timeline.story(after.max(0.0) as u64, limit as usize);
        to_js(&told.iter().map(line).collect::<Vec<_>>())
    }

    /// Goes to right after the event that the sentence of that number tells of.
    #[wasm_bindgen(js_name = seekNews)]
    pub fn seek_news(&mut self, number: f64) {
        self.travel(|timeline| timeline.seek_news(number.max(0.0) as u64));
    }
}

pub fn line(told: &Told) -> StoryLine {
    let news = &told.news;
    let sentence = news.sentence();
    StoryLine {
        number: told.number as f64,
        time: micros(news.at),
        server: news.server().map_or(0, |server| u32::from(server.number())),
        kind: news.kind(),
        weight: match sentence.weight {
            Weight::Detail => "detail",
            Weight::Notable => "notable",
            Weight::Turning => "turning",
        },
        text: sentence.text,
        section: sentence.section,
    }
}
