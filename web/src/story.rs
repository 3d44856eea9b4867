//! The sentences of a run, numbered, the newest few thousand of them. They are put into words when somebody reads them.

use std::collections::VecDeque;

use raft_core::raft::Weight;
use raft_core::sim::News;
use serde::Serialize;

use crate::view::micros;

/// How many are kept.
const KEPT: usize = 4_096;

/// What has happened, as far as it is remembered.
#[derive(Default)]
pub struct Story {
    news: VecDeque<News>,
    told: u64,
}

/// One sentence; see `StoryLine` in `view.d.ts`.
#[derive(Serialize)]
pub struct StoryLine {
    number: f64,
    time: f64,
    server: u32,
    weight: &'static str,
    text: String,
    section: &'static str,
}

impl Story {
    /// Adds what has happened since.
    pub fn tell(&mut self, news: Vec<News>) {
        self.told += news.len() as u64;
        self.news.extend(news);
        let forgotten = self.news.len().saturating_sub(KEPT);
        self.news.drain(..forgotten);
    }

    /// The newest sentence's number.
    pub fn told(&self) -> u64 {
        self.told
    }

    /// The newest `limit` with a number above `after`, oldest first.
    pub fn lines(&self, after: u64, limit: usize) -> Vec<StoryLine> {
        let fresh = usize::try_from(self.told.saturating_sub(after)).unwrap_or(usize::MAX);
        let count = fresh.min(limit).min(self.news.len());
        let first = self.told - count as u64 + 1;
        let newest = self.news.iter().skip(self.news.len() - count);
        newest.enumerate().map(|(place, news)| line(first + place as u64, news)).collect()
    }
}

fn line(number: u64, news: &News) -> StoryLine {
    let sentence = news.sentence();
    StoryLine {
        number: number as f64,
        time: micros(news.at),
        server: news.server().map_or(0, |server| u32::from(server.number())),
        weight: match sentence.weight {
            Weight::Detail => "detail",
            Weight::Notable => "notable",
            Weight::Turning => "turning",
        },
        text: sentence.text,
        section: sentence.section,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::sim::What;
    use raft_core::time::Time;

    #[test]
    fn the_newest_are_kept_under_their_own_numbers() {
        let mut story = Story::default();
        for millis in 0..5_000 {
            story.tell(vec![News { at: Time::from_millis(millis), what: What::AllHealed }]);
        }
        let numbers = |after, limit| story.lines(after, limit).iter().map(|line| line.number).collect::<Vec<_>>();
        assert_eq!(numbers(4_997, 10), [4_998.0, 4_999.0, 5_000.0]);
        assert_eq!(numbers(0, 2), [4_999.0, 5_000.0]);
        assert_eq!(numbers(0, usize::MAX).len(), KEPT);
        assert_eq!(numbers(5_000, 9), [0.0; 0]);
        assert_eq!(story.lines(4_999, 9)[0].time, 4_999_000.0);
    }
}
