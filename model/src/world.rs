//! What is explored: a small cluster's parameters, and bounds on what can happen in it.

use crate::marks::Mark;
use raft_core::raft::{Config, MembershipChange, Rules, ServerId, ServerSet};
use raft_core::sim::{
    ClientParameters, DiskParameters, LimitParameters, NetworkParameters, Parameters, TimingParameters,
};
use raft_core::time::Duration;

/// A small cluster and bounds on its actions. Within the bounds, everything is tried, in every
/// order.
#[derive(Clone, Debug)]
pub struct World {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about, for people.
    pub about: &'static str,
    /// How many servers there are.
    pub servers: u8,
    /// How many of them are founders; the others wait to be added.
    pub founders: u8,
    /// How their clocks run.
    pub clocks: Clocks,
    /// Whether writes take time: promises wait for them, and a server can lose power before they
    /// are done.
    pub slow_disks: bool,
    /// Whether a loss of power can tear a write, or leave any prefix of several; otherwise all
    /// unsynced writes are lost, or none.
    pub torn_writes: bool,
    /// Whether servers use pre-vote.
    pub pre_vote: bool,
    /// The most entries in one append.
    pub append_entries_max: u64,
    /// Entries after which a server takes a snapshot; 0: never.
    pub snapshot_after_entries: u64,
    /// Whether it begins with the first server as leader, everything committed, and all servers
    /// knowing that. Otherwise nothing has happened yet.
    pub begins_led: bool,
    /// Whether there is a store: a client opens a session, and then tries the same write again and
    /// again. Otherwise commands have no meaning.
    pub retries: bool,
    /// Which of Raft's rules are on.
    pub rules: Rules,
    /// How much may happen.
    pub bounds: Bounds,
    /// Its share of the states, relative to the other worlds.
    pub weight: usize,
    /// Whether messages that can't matter any more are kept, and equal machines are kept apart: for
    /// tests that this makes no difference.
    pub keeps_everything: bool,
    /// The marks that a search through the world must reach.
    pub expected: &'static [Mark],
}

/// How the servers' clocks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clocks {
    /// Each server has its own clock. It stands still until the server's timer fires, and then
    /// shows exactly when the timer was due. So any timer can fire at any moment, as if clocks
    /// drifted without bound. There are no leases, because these need such a bound.
    Apart,
    /// All clocks show the same time. It passes in steps, each to the next moment at which some
    /// timer is due, and then this timer fires. Check-quorum and leases are on.
    Together,
}

/// How often each kind of action can happen.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// No server campaigns beyond this term.
    pub term_max: u64,
    /// Timers that fire at servers that don't lead.
    pub election_timers: u8,
    /// Timers that fire at leaders.
    pub heartbeats: u8,
    /// Campaigns on request.
    pub campaigns: u8,
    /// Steps of time, if clocks run together.
    pub passes: u8,
    /// Losses of power.
    pub crashes: u8,
    /// Messages that arrive twice.
    pub duplicates: u8,
    /// Commands proposed.
    pub proposals: u8,
    /// Reads.
    pub reads: u8,
    /// Membership changes. Each is requested once at most, from a leader, in this order.
    pub changes: Vec<MembershipChange>,
    /// The servers to which leadership can be transferred, each once.
    pub transfers: ServerSet,
    /// The servers that can lose their disks, as long as everything on the disk is also on all
    /// other disks, and none of these has been lost.
    pub wipes: ServerSet,
    /// How many messages can be in flight from one server to another. When one more is sent, the
    /// oldest is lost.
    pub link_max: usize,
    /// Only these servers' election timers fire.
    pub campaigners: ServerSet,
    /// Whether the first timer that fires is the first server's: before that, the servers differ
    /// only in their names.
    pub first_first: bool,
}

impl World {
    /// The world's parameters for the simulator.
    pub fn parameters(&self) -> Parameters {
        let second = Duration::from_secs;
        let (election_timeout_min, election_timeout_max, heartbeat_interval) = match self.clocks {
            // Nothing is due by itself within a run.
            Clocks::Apart => (second(10), second(10), second(9)),
            Clocks::Together => (second(1), second(1), Duration::from_millis(500)),
        };
        Parameters {
            servers: self.founders,
            network: NetworkParameters { latency_min: second(60), latency_max: second(60), loss: 0, duplication: 0 },
            disk: match self.slow_disks {
                true => DiskParameters { fsync_min: Duration::from_micros(10), fsync_max: Duration::from_micros(10) },
                false => DiskParameters { fsync_min: Duration::ZERO, fsync_max: Duration::ZERO },
            },
            timing: TimingParameters {
                election_timeout_min,
                election_timeout_max,
                heartbeat_interval,
                pre_vote: self.pre_vote,
                check_quorum: self.clocks == Clocks::Together,
                snapshot_after_entries: self.snapshot_after_entries,
                append_entries_max: self.append_entries_max,
                snapshot_piece_max: 64 << 10,
            },
            // A leader keeps entries that are in its snapshot only for members that answer.
            limits: LimitParameters { entries_kept: 0, ..Parameters::default().limits },
            clients: ClientParameters {
                count: 0,
                lease_reads: self.clocks == Clocks::Together,
                attempt_timeout: second(3_600),
                operation_timeout: second(3_600),
                ..Parameters::default().clients
            },
            checks: Parameters::default().checks,
            rules: self.rules,
        }
    }

    /// One server's parameters. They are the same after each of its starts.
    pub fn config(&self, id: ServerId) -> Config {
        let Parameters { timing, limits, rules, .. } = self.parameters();
        let base = Config::new(id, 1);
        Config {
            election_timeout_min: timing.election_timeout_min,
            election_timeout_max: timing.election_timeout_max,
            heartbeat_interval: timing.heartbeat_interval,
            disk_stall_max: timing.election_timeout_max.times(2),
            pre_vote: timing.pre_vote,
            check_quorum: timing.check_quorum,
            snapshot_after_entries: timing.snapshot_after_entries,
            entries_kept: limits.entries_kept,
            append_entries_max: usize::try_from(timing.append_entries_max).unwrap_or(usize::MAX),
            snapshot_piece_max: timing.snapshot_piece_max,
            rules,
            ..base
        }
    }

    /// The world and its bounds in a line.
    pub fn describe(&self) -> String {
        let Bounds {
            term_max,
            election_timers,
            heartbeats,
            campaigns,
            passes,
            crashes,
            duplicates,
            proposals,
            reads,
            changes,
            transfers,
            wipes,
            link_max,
            campaigners,
            first_first: _,
        } = &self.bounds;
        let counted = |count: usize, one: &str, many: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {many}")),
        };
        let whether = |there: bool, what: &str| there.then(|| what.to_owned());
        let number = |count: &u8| usize::from(*count);
        let parts = [
            counted(usize::from(self.servers), "server", "servers"),
            counted(usize::from(self.servers - self.founders), "of them new", "of them new"),
            whether(self.begins_led, "with a leader to begin with"),
            whether(self.clocks == Clocks::Together, "a common clock, with leases"),
            whether(self.slow_disks, if self.torn_writes { "slow disks and torn writes" } else { "slow disks" }),
            whether(self.pre_vote, "pre-votes"),
            whether(self.snapshot_after_entries > 0, "snapshots"),
            whether(self.append_entries_max == 1, "one entry an append"),
            Some(format!("terms up to {term_max}")),
            counted(number(election_timers), "election timeout", "election timeouts"),
            whether(campaigners.len() < usize::from(self.servers), "not at every server"),
            counted(number(campaigns), "campaign on request", "campaigns on request"),
            counted(number(heartbeats), "heartbeat", "heartbeats"),
            counted(number(passes), "step of time", "steps of time"),
            counted(number(crashes), "crash", "crashes"),
            whether(!wipes.is_empty(), "1 lost disk"),
            counted(number(duplicates), "duplicated message", "duplicated messages"),
            counted(number(proposals), "proposal", "proposals"),
            whether(self.retries, "retried in a store"),
            counted(number(reads), "read", "reads"),
            counted(changes.len(), "membership change", "membership changes"),
            counted(transfers.len(), "transfer", "transfers"),
            (*link_max < usize::MAX).then(|| format!("at most {link_max} in flight on each link")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The founders.
    pub fn founding(&self) -> ServerSet {
        ServerSet::first(self.founders)
    }

    /// The servers there are.
    pub fn ids(&self) -> ServerSet {
        ServerSet::first(self.servers)
    }
}
