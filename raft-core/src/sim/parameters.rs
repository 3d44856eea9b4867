//! What a simulated world is made of: how many servers, how slow its network and disks are, how
//! busy its clients.

use core::fmt;

use crate::raft::{Config, Rules};
use crate::time::Duration;

/// The most servers a simulated cluster has.
pub const SERVERS_MAX: u8 = 9;

/// The most machines that a run ever has, including those that have left: each that joins gets a
/// number of its own.
pub const MACHINES_MAX: u8 = crate::check::MACHINES as u8;

/// A probability, in parts per million.
pub type Ppm = u32;

/// Certainty: one million parts per million.
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
    /// Their limits, except for those that are with the timing.
    pub limits: LimitParameters,
    /// The clients of the cluster.
    pub clients: ClientParameters,
    /// What ends the run, of all that is checked.
    pub checks: CheckParameters,
    /// Which of Raft's safety rules hold.
    pub rules: Rules,
}

/// The longest length of time in a scenario, and the longest run in a file or a link: a day.
pub const LENGTH_MAX: Duration = Duration::from_secs(86_400);

/// Hands the parameters to a macro, part by part. A row has the parameter's place in links, the
/// value that links take it for where they don't name it, its name, its type, its default, its
/// check, and what errors call it. Old links must stay readable: a place is never given to another
/// parameter, and the value that it is taken for never changes, even if the default does. New
/// parameters get the next places. 0 and 19 are the number of servers and the rules.
macro_rules! parameters {
    ($then:ident) => {
        $then! {
            /// How messages travel.
            network: NetworkParameters {
                /// The shortest time a message takes.
                1 (6_000) latency_min: Duration = Duration::from_millis(6), time "the shortest network latency";
                /// The longest time a message takes. Each draws its time evenly from between, so
                /// that messages overtake each other.
                2 (14_000) latency_max: Duration = Duration::from_millis(14), time "the longest network latency";
                /// How many are lost.
                3 (0) loss: Ppm = 0, share "the network loss";
                /// How many arrive twice.
                4 (0) duplication: Ppm = 0, share "the network duplication";
            }
            /// How disks write.
            disk: DiskParameters {
                /// The shortest time until a write is durable.
                5 (1_000) fsync_min: Duration = Duration::from_millis(1), length "the disks’ shortest fsync";
                /// The longest time until a write is durable. At zero, writes are durable at once.
                6 (3_000) fsync_max: Duration = Duration::from_millis(3), length "the disks’ longest fsync";
            }
            /// Raft's timing and limits, the same on every server.
            timing: TimingParameters {
                /// The shortest election timeout.
                7 (150_000) election_timeout_min: Duration = Duration::from_millis(150),
                    length "the shortest election timeout";
                /// The longest election timeout.
                8 (300_000) election_timeout_max: Duration = Duration::from_millis(300),
                    length "the longest election timeout";
                /// How often a leader sends heartbeats.
                9 (50_000) heartbeat_interval: Duration = Duration::from_millis(50), length "the heartbeat interval";
                /// Whether servers ask for pre-votes before they campaign.
                10 (1) pre_vote: bool = true, flag "pre-votes";
                /// Whether a leader steps down when it hears from no quorum.
                11 (1) check_quorum: bool = true, flag "the quorum check";
                /// Entries after which a server takes a snapshot; 0: never. It keeps as many before
                /// the snapshot's last one, for members slightly behind, but no more than
                /// [`LimitParameters::entries_kept`].
                12 (4_096) snapshot_after_entries: u64 = 4_096, count "the entries before a snapshot";
                /// The most entries in one append.
                20 (256) append_entries_max: u64 = 256, amount "the entries of an append";
                /// The most bytes of a snapshot in one message.
                21 (65_536) snapshot_piece_max: u64 = 64 << 10, amount "the bytes of a piece";
            }
            /// Limits to what is kept and what is on its way, the same on every server. Small
            /// limits are reached with little data.
            limits: LimitParameters {
                /// The most bytes of entries in one append; a single larger entry still goes.
                23 (1_048_576) append_bytes_max: u64 = 1 << 20, amount "the bytes of an append";
                /// The most unanswered appends to one member.
                24 (64) window_appends_max: u64 = 64, amount "the appends in a window";
                /// The most bytes of entries in unanswered appends to one member.
                25 (16_777_216) window_bytes_max: u64 = 16 << 20, amount "the bytes in a window";
                /// The most bytes of uncommitted entries; further commands are refused.
                26 (67_108_864) uncommitted_bytes_max: u64 = 64 << 20, amount "the bytes that aren’t committed";
                /// Bytes of entries after which a server takes a snapshot; 0: never.
                27 (16_777_216) snapshot_after_bytes: u64 = 16 << 20, count "the bytes before a snapshot";
                /// Entries kept before a snapshot's last one, but no more than
                /// [`TimingParameters::snapshot_after_entries`]. Also, a learner that lags by more
                /// than a fourth of this number may become a voter only if it keeps up.
                28 (256) entries_kept: u64 = 256, count "the entries kept";
            }
            /// What the run's own clients do, besides the person at the command line.
            clients: ClientParameters {
                /// How many there are.
                13 (1) count: u8 = 1, small "the number of clients";
                /// How long each waits, on average, between an answer and its next command.
                14 (250_000) think_time: Duration = Duration::from_millis(250), time "the clients’ think time";
                /// How many different keys they use.
                15 (4) keys: u8 = 4, small "the number of keys";
                /// This share of their commands are extra reads, each sent to a random server,
                /// whether it leads or not. Of the other commands, one in five is a read.
                22 (0) extra_reads: Ppm = 0, share "the share of extra reads";
                /// Whether reads may be answered under a lease.
                16 (0) lease_reads: bool = false, flag "lease reads";
                /// How long a client waits for an answer before it asks another server.
                17 (250_000) attempt_timeout: Duration = Duration::from_millis(250),
                    time "the clients’ attempt timeout";
                /// How long a client tries altogether, before it gives up.
                18 (2_000_000) operation_timeout: Duration = Duration::from_secs(2),
                    time "the clients’ operation timeout";
            }
            /// What ends the run, of all that is checked.
            checks: CheckParameters {
                /// Whether only harm does ([`crate::check::Property::is_harm`]): the run goes on
                /// past a broken promise, to show what comes of it.
                29 (0) only_harm: bool = false, flag "whether only harm ends the run";
            }
        }
    };
}
pub(crate) use parameters;

macro_rules! define {
    ($($(#[$of:meta])+ $part:ident: $Part:ident { $(
        $(#[$doc:meta])+
        $place:literal ($taken_for:literal) $name:ident: $type:ty = $default:expr, $form:ident $called:literal;
    )+ })+) => {
        $(
            $(#[$of])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $Part {
                $($(#[$doc])+ pub $name: $type,)+
            }

            impl Default for $Part {
                fn default() -> $Part {
                    $Part { $($name: $default,)+ }
                }
            }
        )+

        impl Parameters {
            /// Whether each parameter by itself is valid.
            fn check_each(&self) -> Result<(), ParameterError> {
                $($(may_be::$form($called, self.$part.$name)?;)+)+
                Ok(())
            }
        }
    };
}
parameters!(define);

/// The check of each form of parameters.
pub(super) mod may_be {
    use super::{CERTAIN, LENGTH_MAX, ParameterError, Ppm};
    use crate::time::Duration;

    pub(in crate::sim) fn length(called: &'static str, length: Duration) -> Result<(), ParameterError> {
        if length <= LENGTH_MAX { Ok(()) } else { Err(ParameterError::TooLong(called)) }
    }

    /// A length of time that something takes.
    pub(super) fn time(called: &'static str, time: Duration) -> Result<(), ParameterError> {
        if time == Duration::ZERO { Err(ParameterError::Zero(called)) } else { length(called, time) }
    }

    pub(in crate::sim) fn share(called: &'static str, ppm: Ppm) -> Result<(), ParameterError> {
        if ppm <= CERTAIN { Ok(()) } else { Err(ParameterError::Probability(called, ppm)) }
    }

    pub(super) const fn flag(_: &'static str, _: bool) -> Result<(), ParameterError> {
        Ok(())
    }

    pub(super) const fn count(_: &'static str, _: u64) -> Result<(), ParameterError> {
        Ok(())
    }

    /// A number that isn't zero. The check of the servers' own parameters refuses zero.
    pub(super) const fn amount(_: &'static str, _: u64) -> Result<(), ParameterError> {
        Ok(())
    }

    pub(super) const fn small(_: &'static str, _: u8) -> Result<(), ParameterError> {
        Ok(())
    }
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
        // A learner that lags by more may need a snapshot.
        config.learner_lag_max = config.learner_lag_max.min(self.entries_kept / 4);
    }
}

/// Parameters that servers may differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnTiming {
    /// The shortest election timeout.
    pub election_timeout_min: Duration,
    /// The longest election timeout.
    pub election_timeout_max: Duration,
    /// Whether it asks for pre-votes before it campaigns.
    pub pre_vote: bool,
    /// Whether it steps down, as a leader, when it hears from no quorum, and ignores campaigns, as
    /// a follower, while it hears from a leader.
    pub check_quorum: bool,
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

/// How long a write may take on a server with this longest election timeout, before its disk counts
/// as stalled.
pub(super) fn stall_max(election_timeout_max: Duration) -> Duration {
    election_timeout_max.times(2)
}

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters {
            servers: 5,
            network: NetworkParameters::default(),
            disk: DiskParameters::default(),
            timing: TimingParameters::default(),
            limits: LimitParameters::default(),
            clients: ClientParameters::default(),
            checks: CheckParameters::default(),
            rules: Rules::ALL,
        }
    }
}

/// Parameters that don't make a valid world.
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
    /// A length of time beyond [`LENGTH_MAX`].
    TooLong(&'static str),
    /// The servers' own parameters make no sense together.
    Timing(crate::raft::ConfigError),
}

impl Parameters {
    /// Whether they make a valid world.
    ///
    /// # Errors
    /// The first parameter that is wrong.
    pub fn check(&self) -> Result<(), ParameterError> {
        if self.servers == 0 || self.servers > SERVERS_MAX {
            return Err(ParameterError::Servers(self.servers));
        }
        self.check_each()?;
        if self.network.latency_min > self.network.latency_max {
            return Err(ParameterError::Reversed("network latency"));
        }
        if self.disk.fsync_min > self.disk.fsync_max {
            return Err(ParameterError::Reversed("disk fsync"));
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
                write!(f, "the {name}’s shortest time is longer than its longest: swap them")
            }
            ParameterError::Probability(name, ppm) => {
                write!(f, "{name} is {ppm} parts per million: {CERTAIN} is the most there can be")
            }
            ParameterError::Zero(name) => write!(f, "{name} is zero: give it a positive value"),
            ParameterError::TooLong(name) => {
                write!(f, "{name} is more than {} hours: shorten it", LENGTH_MAX.as_micros() / 3_600_000_000)
            }
            ParameterError::Timing(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ParameterError {}
