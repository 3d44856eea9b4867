//! When a leader's recent heartbeat rounds began: leases run from there, and followers' clocks are
//! measured against it.

use alloc::vec;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::essence::Ages;
use crate::time::Time;

/// How many rounds are remembered: a quorum that lags further behind gives no lease.
const KEPT: u64 = 64;

/// When each of the latest rounds began. Rounds are numbered from 1, without gaps.
#[derive(Clone, Debug)]
pub(super) struct Rounds {
    latest: u64,
    /// It is unknown when this round and those before it began.
    unknown: u64,
    began: Vec<Time>,
}

impl Rounds {
    pub(super) fn new() -> Rounds {
        Rounds { latest: 0, unknown: 0, began: vec![Time::ZERO; KEPT as usize] }
    }

    /// The number of the latest round, 0 before the first.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// Begins the next round.
    pub(super) fn begin(&mut self, now: Time) {
        self.latest += 1;
        self.unknown = self.unknown.max(self.latest.saturating_sub(KEPT));
        self.began[(self.latest % KEPT) as usize] = now;
    }

    /// Begins the next round for the messages sent from now on, and sends none because of it.
    /// Returns its number. Before anything was sent it is the first round, which begins by itself.
    pub(super) fn begin_quietly(&mut self, now: Time) -> u64 {
        if self.latest > 0 {
            self.begin(now);
        }
        self.latest.max(1)
    }

    /// When a round began, if that is remembered.
    pub(super) fn began(&self, round: u64) -> Option<Time> {
        (self.unknown < round && round <= self.latest).then(|| self.began[(round % KEPT) as usize])
    }

    /// See [`Raft::hash_essence`](super::Raft::hash_essence): when a round began counts only for
    /// leases.
    pub(super) fn hash_essence(&self, ages: &Ages, state: &mut impl Hasher) {
        let Rounds { latest, unknown, began: _ } = self;
        (latest, unknown).hash(state);
        if ages.config.check_quorum {
            for round in unknown + 1..=*latest {
                self.began(round).map(|began| ages.since(began, ages.config.election_timeout_min)).hash(state);
            }
        }
    }

    /// The clock went back: what it showed when the rounds began means nothing now.
    pub(super) fn forget(&mut self) {
        self.unknown = self.latest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_rounds_are_remembered() {
        let mut rounds = Rounds::new();
        assert_eq!((rounds.latest(), rounds.began(0), rounds.began(1)), (0, None, None));
        for round in 1..=200 {
            rounds.begin(Time::from_micros(round));
            assert_eq!(rounds.latest(), round);
            for asked in 0..=round + 1 {
                let known = asked > 0 && asked <= round && round - asked < KEPT;
                assert_eq!(rounds.began(asked), known.then_some(Time::from_micros(asked)), "{asked} of {round}");
            }
        }
        rounds.forget();
        assert_eq!(rounds.began(200), None);
        rounds.begin(Time::from_micros(7));
        assert_eq!((rounds.began(200), rounds.began(201)), (None, Some(Time::from_micros(7))));
    }
}
