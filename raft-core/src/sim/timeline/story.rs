//! The news leading up to the present position: the newest few thousand pieces, each under its number.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::News;

/// The most that is remembered, and the most that is looked up again after a seek.
pub const STORY_MAX: usize = 4_096;

/// A piece of news and its number in its branch, from 1. Branches share the numbers up to where they part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its number.
    pub number: u64,
    /// The news.
    pub news: News,
}

/// What is remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    news: VecDeque<News>,
    told: u64,
}

impl Story {
    /// Forgets everything; the next piece comes after number `told`.
    pub(super) fn restart_after(&mut self, told: u64) {
        self.news.clear();
        self.told = told;
    }

    pub(super) fn tell(&mut self, news: &[News]) {
        let surplus = (self.news.len() + news.len()).saturating_sub(STORY_MAX);
        self.news.drain(..surplus.min(self.news.len()));
        self.news.extend(news.iter().cloned());
        self.told += news.len() as u64;
    }

    /// The number of the oldest piece remembered; of the next to come if there is none.
    pub(super) fn first(&self) -> u64 {
        self.told + 1 - self.news.len() as u64
    }

    /// Puts older news, which end right before what is remembered, in front of it.
    pub(super) fn put_before(&mut self, older: Vec<News>) {
        for piece in older.into_iter().rev() {
            if self.news.len() < STORY_MAX {
                self.news.push_front(piece);
            }
        }
    }

    /// The remembered ones from number `from` on.
    pub(super) fn from(&self, from: u64) -> Vec<Told> {
        let first = self.first();
        let skipped = from.saturating_sub(first);
        let rest = self.news.iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX));
        rest.zip(first + skipped..).map(|(news, number)| Told { number, news: news.clone() }).collect()
    }
}
