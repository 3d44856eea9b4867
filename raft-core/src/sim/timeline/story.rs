//! The news up to the present position: the newest few thousand pieces, each with its number.

use alloc::vec::Vec;

use crate::sim::News;

/// How many pieces are remembered at least (and at most twice as many), and the most that are
/// looked up again after a seek.
pub const STORY_MAX: usize = 4_096;

/// A piece of news and its number in its branch, from 1. Branches share the numbers up to where
/// they part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its number.
    pub number: u64,
    /// The news.
    pub news: News,
}

/// The remembered news.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    news: Vec<News>,
    told: u64,
}

impl Story {
    /// Forgets everything; the next piece comes after number `told`.
    pub(super) fn restart_after(&mut self, told: u64) {
        self.news.clear();
        self.told = told;
    }

    pub(super) fn tell(&mut self, news: &[News]) {
        self.news.extend_from_slice(news);
        // Not at every piece, because this moves all pieces that stay.
        if self.news.len() > 2 * STORY_MAX {
            self.news.drain(..self.news.len() - STORY_MAX);
        }
        self.told += news.len() as u64;
    }

    /// The number of the oldest remembered piece; if there is none, that of the next piece to come.
    pub(super) fn first(&self) -> u64 {
        self.told + 1 - self.news.len() as u64
    }

    /// Puts older news in front of what is remembered. It must end right before that.
    pub(super) fn put_before(&mut self, mut older: Vec<News>) {
        let room = STORY_MAX.saturating_sub(self.news.len());
        older.drain(..older.len().saturating_sub(room));
        older.append(&mut self.news);
        self.news = older;
    }

    /// The remembered news from number `from` on.
    pub(super) fn from(&self, from: u64) -> Vec<Told> {
        let first = self.first();
        let skipped = from.saturating_sub(first);
        let rest = usize::try_from(skipped).ok().and_then(|skipped| self.news.get(skipped..)).unwrap_or_default();
        rest.iter().zip(first + skipped..).map(|(news, number)| Told { number, news: news.clone() }).collect()
    }
}
