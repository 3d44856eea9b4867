//! The table of goals, and whether the measurements meet them.
//!
//! A row stands for several contests; it shows the one in which we do worst.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::consensus::{BATCH, SINGLE};
use crate::measure::Outcome;

/// A line of `goals.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Goal {
    pub row: String,
    pub name: String,
    /// The peer with which the row compares.
    pub peer: Option<String>,
    /// A constant to compare with: a figure of a peer that was measured elsewhere, or just a
    /// number.
    peer_constant: Option<f64>,
    pub goal: String,
    ours_at_least: Option<f64>,
    ours_at_most: Option<f64>,
    ratio_at_least: Option<f64>,
}

/// A line of `results.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub name: String,
    pub ours: f64,
    pub peer: Option<f64>,
    /// How many times better ours is.
    pub ratio: Option<f64>,
    pub goal: String,
    pub met: bool,
}

/// The goals, in the order of the table.
pub fn goals() -> Result<Vec<Goal>> {
    serde_json::from_str(include_str!("../goals.json")).context("bench/goals.json")
}

impl Goal {
    /// Whether the outcomes meet it; `None` if nothing of it was measured.
    pub fn judge(&self, outcomes: &[Outcome]) -> Option<Row> {
        let compared = match self.row.as_str() {
            "allocations" => outcomes.iter().filter(|o| o.row == SINGLE || o.row == BATCH).map(allocations).collect(),
            "messages" => {
                outcomes.iter().filter(|o| o.row == SINGLE && o.name.starts_with('5')).map(messages).collect()
            }
            row => outcomes.iter().filter(|o| o.row == row).map(|o| self.compare(o)).collect::<Vec<_>>(),
        };
        let rows = compared.into_iter().map(|(ours, peer, ratio)| self.row(ours, peer, ratio));
        rows.min_by(|a, b| self.margin(a).total_cmp(&self.margin(b)))
    }

    fn compare(&self, outcome: &Outcome) -> (f64, Option<f64>, Option<f64>) {
        let ours = outcome.ours().median;
        if let Some(theirs) = self.peer_constant {
            let ratio = if outcome.less_is_better { theirs / ours } else { ours / theirs };
            return (ours, Some(theirs), Some(ratio));
        }
        let peer = self.peer.as_deref().and_then(|name| outcome.of(name));
        (ours, peer.map(|peer| peer.median), peer.map(|peer| outcome.ratio(peer)))
    }

    fn row(&self, ours: f64, peer: Option<f64>, ratio: Option<f64>) -> Row {
        // As shown: a figure that rounds to the goal meets it.
        let (ours, ratio) = (rounded(ours), ratio.map(rounded));
        let peer = if self.peer_constant.is_some() { peer } else { peer.map(rounded) };
        let met = self.ours_at_least.is_none_or(|least| ours >= least)
            && self.ours_at_most.is_none_or(|most| ours <= most)
            && self.ratio_at_least.is_none_or(|least| ratio.is_some_and(|ratio| ratio >= least));
        Row { name: self.name.clone(), ours, peer, ratio, goal: self.goal.clone(), met }
    }

    /// How far a row exceeds the goal: 1 just meets it.
    fn margin(&self, row: &Row) -> f64 {
        let margins = [
            self.ours_at_least.map(|least| row.ours / least),
            self.ours_at_most.map(|most| most / row.ours.max(f64::MIN_POSITIVE)),
            self.ratio_at_least.map(|least| row.ratio.unwrap_or(0.0) / least),
        ];
        margins.into_iter().flatten().fold(f64::INFINITY, f64::min)
    }
}

fn allocations(outcome: &Outcome) -> (f64, Option<f64>, Option<f64>) {
    let theirs = outcome.of(crate::RAFT_RS).and_then(|peer| peer.allocations);
    fewer(outcome.ours().allocations, theirs)
}

fn messages(outcome: &Outcome) -> (f64, Option<f64>, Option<f64>) {
    let theirs = outcome.of(crate::RAFT_RS).and_then(|peer| peer.messages);
    fewer(outcome.ours().messages, theirs)
}

fn fewer(ours: Option<f64>, theirs: Option<f64>) -> (f64, Option<f64>, Option<f64>) {
    let ours = ours.unwrap_or(f64::INFINITY);
    (ours, theirs, theirs.map(|theirs| theirs / ours))
}

/// Rounds to three significant digits: the rest is noise.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}
