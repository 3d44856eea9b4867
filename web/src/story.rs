//! News as the sentences of the page. They are put into words when somebody reads them.

use raft_core::raft::Weight;
use raft_core::sim::timeline::Told;
use serde::Serialize;

use crate::view::micros;

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
