//! A server's parameters, and the check that they make sense together.

use core::fmt;

use super::rules::Rules;
use super::snapshots::SNAPSHOT_SIZE_MAX;
use super::types::ServerId;
use crate::time::Duration;

/// A server's parameters. [`Config::new`] gives the paper's timing; everything can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its name.
    pub id: ServerId,
    /// Seeds the election timeouts. Two servers with the same seed and the same name draw the same
    /// ones.
    pub seed: u64,
    /// A follower that hears nothing for a time between this and [`Config::election_timeout_max`]
    /// campaigns (Raft §5.2).
    pub election_timeout_min: Duration,
    /// The longest election timeout. Even if it is less than twice the shortest one, a server that
    /// has campaigned in vain waits for up to twice the shortest: otherwise servers that time out
    /// together would refuse each other for ever.
    pub election_timeout_max: Duration,
    /// How often a leader sends heartbeats.
    pub heartbeat_interval: Duration,
    /// Whether servers ask before they campaign (dissertation §9.6).
    pub pre_vote: bool,
    /// A leader that hears no quorum for an election timeout steps down, and servers that hear a
    /// leader ignore campaigns (dissertation §6.2, §4.2.3). Lease reads need it.
    pub check_quorum: bool,
    /// The most entries in one append.
    pub append_entries_max: usize,
    /// The most bytes in one append; a single larger entry is sent all the same.
    pub append_bytes_max: u64,
    /// The most appends on the way to one member without an answer.
    pub window_appends_max: usize,
    /// The most bytes on the way to one member without an answer.
    pub window_bytes_max: u64,
    /// The most bytes of entries that aren't committed, as [`Payload::size`](super::Payload::size)
    /// counts; further proposals are refused. A single larger one is accepted while nothing else
    /// waits.
    pub uncommitted_bytes_max: u64,
    /// The most bytes of snapshot in one message.
    pub snapshot_piece_max: u64,
    /// The largest snapshot that is taken, from the state machine's owner and from a leader, in
    /// bytes. It can't be more than [`SNAPSHOT_SIZE_MAX`]; less is for tests, as the members of a
    /// cluster must agree on it.
    pub snapshot_size_max: u64,
    /// A snapshot is wanted when the log holds this many applied entries; 0: never.
    pub snapshot_after_entries: u64,
    /// A snapshot is wanted when the log's entries take this many bytes; 0: never.
    pub snapshot_after_bytes: u64,
    /// Entries kept before a snapshot's last one, so that a member slightly behind needs no
    /// snapshot.
    pub entries_kept: u64,
    /// How far behind the leader's log a learner may be and still become a voter, in entries.
    pub learner_lag_max: u64,
    /// A leader whose disk doesn't finish a write for this long steps down; no server with such a
    /// disk campaigns.
    pub disk_stall_max: Duration,
    /// The most that any two servers' clocks may run apart, in percent. Leases are shortened by it.
    /// At 100 or more, or while the clocks of a quorum are seen to run further apart, there are no
    /// leases, and lease reads are confirmed like others.
    pub clock_drift_max: u64,
    /// Which safety rules hold: all, unless you want to see why they exist.
    pub rules: Rules,
}

/// Parameters that don't make sense together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// A parameter that must be positive is zero.
    Zero(&'static str),
    /// The shortest election timeout is longer than the longest.
    TimeoutsReversed,
    /// A follower would campaign between two heartbeats.
    HeartbeatTooSlow {
        /// The heartbeat interval.
        heartbeat_interval: Duration,
        /// The shortest election timeout.
        election_timeout_min: Duration,
    },
}

impl Config {
    /// The paper's timing (Raft §9.3: 150–300 ms) and moderate limits.
    pub fn new(id: ServerId, seed: u64) -> Config {
        Config {
            id,
            seed,
            election_timeout_min: Duration::from_millis(150),
            election_timeout_max: Duration::from_millis(300),
            heartbeat_interval: Duration::from_millis(50),
            pre_vote: true,
            check_quorum: true,
            append_entries_max: 256,
            append_bytes_max: 1 << 20,
            window_appends_max: 64,
            window_bytes_max: 16 << 20,
            uncommitted_bytes_max: 64 << 20,
            snapshot_piece_max: 64 << 10,
            snapshot_size_max: SNAPSHOT_SIZE_MAX,
            snapshot_after_entries: 4_096,
            snapshot_after_bytes: 16 << 20,
            entries_kept: 256,
            learner_lag_max: 64,
            disk_stall_max: Duration::from_millis(600),
            clock_drift_max: 10,
            rules: Rules::ALL,
        }
    }

    /// How long a server ignores campaigns after it has heard its leader (dissertation §4.2.3). A
    /// leader's lease rests on it.
    #[inline]
    pub const fn patience(&self) -> Duration {
        if self.check_quorum { self.election_timeout_min } else { Duration::ZERO }
    }

    /// Whether election timeouts are drawn from a range so narrow that servers may time out
    /// together again and again.
    pub(super) const fn draws_narrowly(&self) -> bool {
        let (min, max) = (self.election_timeout_min.as_micros(), self.election_timeout_max.as_micros());
        max.saturating_sub(min) < min
    }

    /// Checks that the parameters make sense together.
    ///
    /// # Errors
    /// The first problem found.
    pub fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("the shortest election timeout", self.election_timeout_min.as_micros()),
            ("the heartbeat interval", self.heartbeat_interval.as_micros()),
            ("the most entries of an append", self.append_entries_max as u64),
            ("the most bytes of an append", self.append_bytes_max),
            ("the most appends on their way", self.window_appends_max as u64),
            ("the most bytes on their way", self.window_bytes_max),
            ("the most bytes that wait to be committed", self.uncommitted_bytes_max),
            ("the most bytes of a snapshot’s piece", self.snapshot_piece_max),
            ("the patience with a disk", self.disk_stall_max.as_micros()),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::Zero(name));
        }
        if self.election_timeout_min > self.election_timeout_max {
            return Err(ConfigError::TimeoutsReversed);
        }
        if self.heartbeat_interval >= self.election_timeout_min {
            return Err(ConfigError::HeartbeatTooSlow {
                heartbeat_interval: self.heartbeat_interval,
                election_timeout_min: self.election_timeout_min,
            });
        }
        Ok(())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Zero(name) => write!(f, "{name} is zero: give it a positive value"),
            ConfigError::TimeoutsReversed => {
                f.write_str("the shortest election timeout is longer than the longest: swap them")
            }
            ConfigError::HeartbeatTooSlow { heartbeat_interval, election_timeout_min } => write!(
                f,
                "the heartbeat interval ({heartbeat_interval}) must be shorter than the shortest election timeout \
                 ({election_timeout_min}), or followers campaign against a living leader"
            ),
        }
    }
}

impl core::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn parameters_that_make_no_sense_are_refused_with_the_reason() {
        type Change = fn(&mut Config);
        let cases: [(Change, &str); 5] = [
            (|c| c.append_entries_max = 0, "the most entries of an append is zero: give it a positive value"),
            (|c| c.disk_stall_max = Duration::ZERO, "the patience with a disk is zero: give it a positive value"),
            (
                |c| c.election_timeout_max = Duration::from_millis(149),
                "the shortest election timeout is longer than the longest: swap them",
            ),
            (|c| c.heartbeat_interval = c.election_timeout_min, "must be shorter than the shortest election timeout"),
            (|c| c.heartbeat_interval = Duration::from_secs(1), "or followers campaign against a living leader"),
        ];
        let good = ServerId::new(1).map(|id| Config::new(id, 1)).unwrap();
        assert_eq!(good.check(), Ok(()));
        for (change, sentence) in cases {
            let mut config = good.clone();
            change(&mut config);
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(sentence), "{error}");
        }
        let mut config = good;
        config.election_timeout_max = config.election_timeout_min;
        config.heartbeat_interval = config.election_timeout_min - Duration::from_micros(1);
        assert_eq!(config.check(), Ok(()), "the closest that is allowed");
    }
}
