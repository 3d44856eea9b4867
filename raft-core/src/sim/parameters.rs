//! What a simulated world is made of: how many servers, how slow its network and disks are, how
//! busy its clients.

use core::fmt;

use super::action::OwnTiming;
use crate::raft::{Config, Rules};
use crate::time::Duration;

/// The most servers a simulated cluster has.
pub const SERVERS_MAX: u8 = 9;

/// The most machines there ever are in a run, those that have left included: each that joins gets a
/// number of its own.
pub const MACHINES_MAX: u8 = 16;

/// A probability, in parts per million.
pub type Ppm = u32;

/// One million: certainty.
pub const CERTAIN: Ppm = 1_000_000;

/// A world's parameters. [`Parameters::default`] is five servers on a calm local network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// How many servers the cluster starts with, 1 to [`SERVERS_MAX`].
    pub servers: u8,
    /// The network between them, and to the clients.
    pub network: NetworkParameters,
    /// Their disks.
    pub disk: DiskParameters,
    /// Their timing.
    pub timing: TimingParameters,
    /// Their limits, where those aren't with the timing.
    pub limits: LimitParameters,
    /// Those who use the cluster.
    pub clients: ClientParameters,
    /// Which of Raft's safety rules hold.
    pub rules: Rules,
}

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkParameters {
    /// The shortest time a message takes.
    pub latency_min: Duration,
    /// The longest; each takes a time drawn evenly from between, so that they overtake each other.
    pub latency_max: Duration,
    /// How many are lost.
    pub loss: Ppm,
    /// How many arrive twice.
    pub duplication: Ppm,
}

/// How disks write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskParameters {
    /// The shortest time from a write to its being durable.
    pub fsync_min: Duration,
    /// The longest. At zero, writes are durable at once.
    pub fsync_max: Duration,
}

/// Raft's timing and limits, the same on every server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimingParameters {
    /// The shortest election timeout.
    pub election_timeout_min: Duration,
    /// The longest election timeout.
    pub election_timeout_max: Duration,
    /// How often a leader makes itself heard.
    pub heartbeat_interval: Duration,
    /// Whether servers ask before they campaign.
    pub pre_vote: bool,
    /// Whether leaders step down that hear no quorum.
    pub check_quorum: bool,
    /// Entries after which a server takes a snapshot; 0: never. It keeps as many before the
    /// snapshot's last one, for members slightly behind, but no more than
    /// [`LimitParameters::entries_kept`].
    pub snapshot_after_entries: u64,
    /// The most entries in one append.
    pub append_entries_max: u64,
    /// The most bytes of a snapshot in one message.
    pub snapshot_piece_max: u64,
}

/// Limits to what is kept and what is on its way, the same on every server. Small ones are reached
/// with little data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitParameters {
    /// The most bytes of entries in one append; a single larger entry still goes.
    pub append_bytes_max: u64,
    /// The most appends on the way to one member without an answer.
    pub window_appends_max: u64,
    /// The most bytes of entries on the way to one member without an answer.
    pub window_bytes_max: u64,
    /// The most bytes of entries that aren't committed; further commands are refused.
    pub uncommitted_bytes_max: u64,
    /// Bytes of entries after which a server takes a snapshot; 0: never.
    pub snapshot_after_bytes: u64,
    /// Entries kept before a snapshot's last one, but no more than
    /// [`TimingParameters::snapshot_after_entries`]. And a learner that lags by more than a fourth
    /// of that is near enough to vote only if it keeps up.
    pub entries_kept: u64,
}

/// What the run's own clients do, besides the person at the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientParameters {
    /// How many there are.
    pub count: u8,
    /// How long each waits, on average, between an answer and its next command.
    pub think_time: Duration,
    /// How many different keys they use.
    pub keys: u8,
    /// So many of their commands are reads for certain, asked of any server, whoever leads; of the
    /// rest, one in five is.
    pub extra_reads: Ppm,
    /// Whether reads may be answered under a lease.
    pub lease_reads: bool,
    /// How long a client waits for an answer before it asks another server.
    pub attempt_timeout: Duration,
    /// How long it tries altogether.
    pub operation_timeout: Duration,
}

impl TimingParameters {
    pub(super) fn apply_to(&self, config: &mut Config) {
        config.election_timeout_min = self.election_timeout_min;
        config.election_timeout_max = self.election_timeout_max;
        config.disk_stall_max = stall_max(self.election_timeout_max);
        config.heartbeat_interval = self.heartbeat_interval;
        config.pre_vote = self.pre_vote;
        config.check_quorum = self.check_quorum;
        config.snapshot_after_entries = self.snapshot_after_entries;
        config.append_entries_max = usize::try_from(self.append_entries_max).unwrap_or(usize::MAX);
        config.snapshot_piece_max = self.snapshot_piece_max;
    }
}

impl LimitParameters {
    pub(super) fn apply_to(&self, config: &mut Config) {
        config.append_bytes_max = self.append_bytes_max;
        config.window_appends_max = usize::try_from(self.window_appends_max).unwrap_or(usize::MAX);
        config.window_bytes_max = self.window_bytes_max;
        config.uncommitted_bytes_max = self.uncommitted_bytes_max;
        config.snapshot_after_bytes = self.snapshot_after_bytes;
        config.entries_kept = self.entries_kept;
        // Who lags by more may need a snapshot.
        config.learner_lag_max = config.learner_lag_max.min(self.entries_kept / 4);
    }
}

impl OwnTiming {
    pub(super) fn apply_to(&self, config: &mut Config) {
        config.election_timeout_min = self.election_timeout_min;
        config.election_timeout_max = self.election_timeout_max;
        config.disk_stall_max = stall_max(self.election_timeout_max);
        config.pre_vote = self.pre_vote;
        config.check_quorum = self.check_quorum;
    }
}

/// How long a write may take on a server whose longest election timeout is that.
pub(super) fn stall_max(election_timeout_max: Duration) -> Duration {
    election_timeout_max.times(2)
}

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters {
            servers: 5,
            network: NetworkParameters {
                latency_min: Duration::from_millis(6),
                latency_max: Duration::from_millis(14),
                loss: 0,
                duplication: 0,
            },
            disk: DiskParameters { fsync_min: Duration::from_millis(1), fsync_max: Duration::from_millis(3) },
            timing: TimingParameters {
                election_timeout_min: Duration::from_millis(150),
                election_timeout_max: Duration::from_millis(300),
                heartbeat_interval: Duration::from_millis(50),
                pre_vote: true,
                check_quorum: true,
                snapshot_after_entries: 4_096,
                append_entries_max: 256,
                snapshot_piece_max: 64 << 10,
            },
            limits: LimitParameters {
                append_bytes_max: 1 << 20,
                window_appends_max: 64,
                window_bytes_max: 16 << 20,
                uncommitted_bytes_max: 64 << 20,
                snapshot_after_bytes: 16 << 20,
                entries_kept: 256,
            },
            clients: ClientParameters {
                count: 1,
                think_time: Duration::from_millis(250),
                keys: 4,
                extra_reads: 0,
                lease_reads: false,
                attempt_timeout: Duration::from_millis(250),
                operation_timeout: Duration::from_secs(2),
            },
            rules: Rules::ALL,
        }
    }
}

/// Parameters that make no world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterError {
    /// Too few or too many servers.
    Servers(u8),
    /// A range whose lower end is above its upper end.
    Reversed(&'static str),
    /// A probability above one.
    Probability(&'static str, Ppm),
    /// A time that must be positive is zero.
    Zero(&'static str),
    /// The servers' own parameters make no sense together.
    Timing(crate::raft::ConfigError),
}

impl Parameters {
    /// Whether they make a world.
    ///
    /// # Errors
    /// The first that doesn't fit.
    pub fn check(&self) -> Result<(), ParameterError> {
        if self.servers == 0 || self.servers > SERVERS_MAX {
            return Err(ParameterError::Servers(self.servers));
        }
        if self.network.latency_min > self.network.latency_max {
            return Err(ParameterError::Reversed("network latency"));
        }
        if self.disk.fsync_min > self.disk.fsync_max {
            return Err(ParameterError::Reversed("disk fsync"));
        }
        let shares = [
            ("network loss", self.network.loss),
            ("network duplication", self.network.duplication),
            ("share of extra reads", self.clients.extra_reads),
        ];
        for (name, ppm) in shares {
            if ppm > CERTAIN {
                return Err(ParameterError::Probability(name, ppm));
            }
        }
        let positive = [
            // A message that takes no time could answer itself for ever within one instant.
            ("the shortest network latency", self.network.latency_min),
            ("the clients' think time", self.clients.think_time),
            ("the clients' attempt timeout", self.clients.attempt_timeout),
            ("the clients' operation timeout", self.clients.operation_timeout),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, length)| *length == Duration::ZERO) {
            return Err(ParameterError::Zero(name));
        }
        if self.clients.keys == 0 && self.clients.count > 0 {
            return Err(ParameterError::Zero("the number of keys"));
        }
        Ok(())
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParameterError::Servers(count) => {
                write!(f, "a cluster has 1 to {SERVERS_MAX} servers, not {count}")
            }
            ParameterError::Reversed(name) => {
                write!(f, "the {name}'s shortest time is longer than its longest: swap them")
            }
            ParameterError::Probability(name, ppm) => {
                write!(f, "the {name} is {ppm} parts per million: {CERTAIN} is the most there can be")
            }
            ParameterError::Zero(name) => write!(f, "{name} is zero: give it a positive value"),
            ParameterError::Timing(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ParameterError {}
