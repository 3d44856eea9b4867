//! Storms: random faults for a hunt, drawn in advance from a seed as a list of actions.
//!
//! Because they are drawn in advance, a failing run can be shrunk by leaving actions out, and
//! shared as a file or a link. What isn't known in advance (which server leads, which one is
//! writing) is a [`Target`] that is looked up when the time comes.
//!
//! *Swarm testing*: each seed draws which kinds of faults it has at all, how often each comes, how
//! fast the network and the disks are, and how soon logs are compacted. A run in which everything
//! happens at once reaches fewer states than many runs in which some things never happen.
//!
//! A storm never breaks more than Raft promises to survive:
//! * disks are lost only where a quorum holds the rest;
//! * where there are leases, clocks drift no more than leases allow, and are set back only where a
//!   leader that notices it forgets its lease;
//! * where there are leases, a server's election timeout never gets shorter at a restart;
//! * where some servers don't check their quorum, all ask for pre-votes; and where servers don't
//!   ask, all have the same election timeout;
//! * a write takes no longer than the limit at which a disk counts as stalled.
//!
//! A storm ends with [`Action::HealQuorum`]: a bare quorum is healed, everything else stays broken
//! for good, and the cluster must come back to work.
//!
//! `parameters` draws the world, `kinds` lists the kinds of faults, and `faults` says what each
//! does. The longer ones, several faults in a harmful order, are in `network`, `leadership`,
//! `membership` and `restarts`.

mod faults;
mod kinds;
mod leadership;
mod membership;
mod network;
mod parameters;
mod restarts;

use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::action::{Action, Target, TimedAction};
use super::concern;
use super::parameters::{LimitParameters, MACHINES_MAX, NetworkParameters, Parameters, SERVERS_MAX};
use super::scenario::Scenario;
use crate::hash::mix;
use crate::order::sort_by;
use crate::raft::{Rules, ServerId, ServerSet};
use crate::time::{Duration, Time};
use kinds::{KINDS, Kind};
use parameters::SLOW_DISK;

/// How long before its end a hunt's run becomes calm: time for an election, a commit, an answer,
/// and equal stores.
pub const CALM_AFTER: Duration = Duration::from_secs(10);

/// Which kinds of faults a hunt has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// No faults: a busy cluster on a calm network.
    Calm,
    /// Crashes and restarts.
    Crashes,
    /// Cuts, partitions, loss, delay, duplication.
    Network,
    /// Crashes, slow, stalled and failing disks, corrupt records, lost disks.
    Disks,
    /// Pauses, drifting and jumping clocks.
    Clocks,
    /// Servers that join and leave, transfers of leadership, and crashes.
    Membership,
    /// Everything.
    #[default]
    Full,
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 7] = [
        Profile::Calm,
        Profile::Crashes,
        Profile::Network,
        Profile::Disks,
        Profile::Clocks,
        Profile::Membership,
        Profile::Full,
    ];

    /// Its name, as typed on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Calm => "calm",
            Profile::Crashes => "crashes",
            Profile::Network => "network",
            Profile::Disks => "disks",
            Profile::Clocks => "clocks",
            Profile::Membership => "membership",
            Profile::Full => "full",
        }
    }

    fn has(self, profiles: &[Profile]) -> bool {
        self == Profile::Full || profiles.contains(&self)
    }
}

/// The scenario of a hunt: a busy cluster, a storm, and calm at the end. If the number of `servers`
/// isn't given, it is drawn: 1, 2, 3, 5 or 7. If no cluster has so many, neither has the scenario a
/// storm, and no world is made of it. A run that is no longer than [`CALM_AFTER`] has no storm
/// either.
pub fn hunt(seed: u64, servers: Option<u8>, length: Duration, profile: Profile, rules: Rules) -> Scenario {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(mix(seed, concern::STORM, 0));
    let drawn = pick(&mut random, &[1, 2, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 7, 7, 7]);
    let mut scenario = Scenario::new(seed, servers.unwrap_or(drawn));
    scenario.parameters.rules = rules;
    if !(1..=SERVERS_MAX).contains(&scenario.parameters.servers) {
        return scenario;
    }
    parameters::draw(&mut random, &mut scenario.parameters);
    if mix(seed, concern::STORM, 1).is_multiple_of(16) {
        // All servers have the same election timeout, so that they campaign at the same time and
        // votes are split.
        let timing = &mut scenario.parameters.timing;
        timing.election_timeout_min = timing.election_timeout_max;
    }
    let servers = scenario.parameters.servers;
    let timeout_factors = core::array::from_fn(|_| pick(&mut random, &TIMEOUT_FACTORS));
    let mut storm = Storm {
        random,
        servers,
        end: Time::ZERO + (length - CALM_AFTER),
        parameters: scenario.parameters.clone(),
        newcomers: 0,
        joins: 0,
        leaves: 0,
        replacements: 0,
        renewals: 0,
        set_back: Time::ZERO,
        timeout_factors,
        actions: Vec::new(),
    };
    if profile != Profile::Calm {
        storm.draw_faults(profile);
    }
    let alone = pick(&mut storm.random, &[0, 0, 1]);
    storm.put(storm.end, Action::HealQuorum(alone));
    sort_by(&mut storm.actions, |timed| (timed.at.as_micros(), 0));
    (scenario.parameters, scenario.actions) = (storm.parameters, storm.actions);
    scenario
}

/// One of these, each as likely as the others.
fn pick<T: Copy>(random: &mut Xoshiro256PlusPlus, choices: &[T]) -> T {
    choices[random.random_range(0..choices.len() as u32) as usize]
}

/// A storm that is being drawn.
struct Storm {
    random: Xoshiro256PlusPlus,
    servers: u8,
    end: Time,
    parameters: Parameters,
    /// How many servers may join: those numbered after the first ones. Faults can hit them, too.
    newcomers: u8,
    joins: u32,
    leaves: u32,
    replacements: u32,
    renewals: u32,
    /// When a leader's clock was last set back.
    set_back: Time,
    /// The factor by which each server's election timeout is longer than the world's, once it has
    /// been restarted with its own timeout, where a timeout may change only once.
    timeout_factors: [u64; MACHINES_MAX as usize],
    actions: Vec<TimedAction>,
}

/// How often a kind of fault comes in one seed, on average, in milliseconds: from all the time to
/// now and then.
const INTERVALS: [u64; 6] = [400, 1_000, 2_500, 6_000, 15_000, 40_000];

/// The most joins: a cluster that only grows needs ever more servers for a quorum.
const JOINS_MAX: u32 = 4;

/// The most removals: a cluster that only shrinks soon survives no fault.
const LEAVES_MAX: u32 = 2;

/// The most replaced voters: each newcomer needs a number of its own, and there are no more than
/// [`MACHINES_MAX`].
const REPLACEMENTS_MAX: u32 = 4;

/// The most lost disks of servers that come back: one without a vote is one fewer that may fail.
const RENEWALS_MAX: u32 = 8;

/// The factors by which a server's election timeout can be longer than the world's.
const TIMEOUT_FACTORS: [u64; 4] = [1, 1, 2, 3];

impl Storm {
    /// Draws the kinds of faults that this storm has, and then all its faults.
    fn draw_faults(&mut self, profile: Profile) {
        // Some seeds have most kinds of faults. Others have one or two, which then can do their
        // worst: a fault of several steps succeeds only where little else happens.
        let chosen_of_24 = pick(&mut self.random, if profile == Profile::Full { &[1, 2, 4, 8, 16] } else { &[8, 16] });
        let mut chosen = Vec::new();
        for (kind, profiles) in KINDS {
            let on = self.random.random_range(0..24_u32) < chosen_of_24;
            let every = Duration::from_millis(pick(&mut self.random, &INTERVALS));
            if on && profile.has(profiles) {
                chosen.push((*kind, every.max(kind.length())));
            }
        }
        let busy = self.parameters.clients.count >= 8 || self.random.random_range(0..2_u32) == 0;
        if chosen.iter().any(|(kind, _)| *kind == Kind::RotIsolatedLeader) && busy && self.takes_many_writes() {
            // A leader that is cut off takes many commands, and the others soon have snapshots.
            self.parameters.clients.count = 8;
            self.parameters.limits = LimitParameters { entries_kept: 0, ..Parameters::default().limits };
            self.parameters.timing.snapshot_after_entries = 5;
            self.parameters.timing.snapshot_piece_max = self.parameters.timing.snapshot_piece_max.max(64);
        }
        // Faults can hit the servers that join, too. One joins for certain, so that actions may
        // name such a server.
        let joins = |(kind, _): &(Kind, Duration)| {
            matches!(
                kind,
                Kind::AddServer | Kind::ReplaceVoters | Kind::AddLearner | Kind::RemoveIsolated | Kind::DistantNewcomer
            )
        };
        if chosen.iter().any(joins) && self.joins_left(1) {
            let at = Time::ZERO + self.around_millis(3_000);
            self.put(at, Action::AddServer);
            self.newcomers = 4;
        }
        for (kind, every) in chosen {
            let mut at = Time::ZERO + self.around(every);
            while at < self.end {
                self.put_fault(kind, at);
                at += self.around(every);
            }
            if kind == Kind::RemoveJoinedLeader {
                self.remove_last_joined(self.end);
            }
        }
    }

    /// Whether the cluster can take many writes: entries travel together, and no disk is slow.
    fn takes_many_writes(&self) -> bool {
        self.parameters.timing.append_entries_max >= 8 && self.parameters.disk.fsync_max < SLOW_DISK
    }

    fn put(&mut self, at: Time, action: Action) {
        // The end of a fault comes with the calm at the latest, which ends it anyway.
        self.actions.push(TimedAction { at: at.min(self.end), action });
    }

    /// A length drawn evenly between nothing and twice `average`.
    fn around(&mut self, average: Duration) -> Duration {
        Duration::from_micros(self.random.random_range(1..=average.as_micros().saturating_mul(2).max(1)))
    }

    /// Like [`Storm::around`], with the average in milliseconds.
    fn around_millis(&mut self, average: u64) -> Duration {
        self.around(Duration::from_millis(average))
    }

    /// One of the first servers, or, where some may join, now and then one of those.
    fn any_server(&mut self) -> ServerId {
        let later = self.newcomers > 0 && self.random.random_range(0..4_u32) == 0;
        let number = match later {
            true => self.servers + self.random.random_range(1..=self.newcomers),
            false => self.random.random_range(1..=self.servers),
        };
        ServerId::new(number).expect("a storm has at least one server")
    }

    /// All servers that may be there.
    fn all_servers(&self) -> ServerSet {
        ServerSet::first(self.servers + self.newcomers)
    }

    /// Two different servers, or none if the same one is drawn twice.
    fn two_servers(&mut self) -> Option<(ServerId, ServerId)> {
        let (from, to) = (self.any_server(), self.any_server());
        (from != to).then_some((from, to))
    }

    /// This many different servers, in a random order; no more than there may be.
    fn some_servers(&mut self, count: u32) -> Vec<ServerId> {
        let mut servers: Vec<ServerId> = self.all_servers().iter().collect();
        for place in (1..servers.len()).rev() {
            let other = self.random.random_range(0..=place as u32) as usize;
            servers.swap(place, other);
        }
        servers.truncate(count as usize);
        servers
    }

    /// A server by its name, or the leader.
    fn any_target(&mut self) -> Target {
        if self.random.random_range(0..3_u32) == 0 { Target::Leader } else { Target::Server(self.any_server()) }
    }

    /// All links between the first servers, each direction on its own.
    fn links(&self) -> Vec<(ServerId, ServerId)> {
        let servers = ServerSet::first(self.servers);
        let from_one = |from| servers.iter().filter(move |to| *to != from).map(move |to| (from, to));
        servers.iter().flat_map(from_one).collect()
    }

    /// After a while, restarts all servers that are down then.
    fn restart_later(&mut self, at: Time) {
        let back = at + self.around_millis(700);
        self.put(back, Action::RestartAll);
    }

    /// Cuts links, and heals all of them after a while.
    fn cut_for_a_while(&mut self, at: Time, action: Action) {
        self.put(at, action);
        let back = at + self.around_millis(1_200);
        self.put(back, Action::HealAll);
    }

    /// Messages take as long again as this world's parameters say.
    fn usual_latency(&mut self, at: Time) {
        let NetworkParameters { latency_min: min, latency_max: max, .. } = self.parameters.network;
        self.put(at, Action::SetLatency { min, max });
    }

    /// Clients send their reads to one server for a while, even if it no longer leads.
    fn read_at(&mut self, at: Time, target: Target) {
        self.put(at, Action::ReadAt(target));
        let back = at + Duration::from_millis(500) + self.around_millis(1_500);
        self.put(back, Action::ReadAnywhere);
    }

    /// Whether this many more servers may join; they are counted.
    fn joins_left(&mut self, count: u32) -> bool {
        let left = self.joins + count <= JOINS_MAX;
        self.joins += if left { count } else { 0 };
        left
    }

    /// Whether this many more servers may leave; they are counted.
    fn leaves_left(&mut self, count: u32) -> bool {
        let left = self.leaves + count <= LEAVES_MAX;
        self.leaves += if left { count } else { 0 };
        left
    }

    /// Whether this many more voters may be replaced at once; they are counted.
    fn replacements_left(&mut self, count: u32) -> bool {
        let left = self.replacements + count <= REPLACEMENTS_MAX;
        self.replacements += if left { count } else { 0 };
        left
    }

    /// Whether one more disk may be lost by a server that comes back; it is counted.
    fn renewals_left(&mut self) -> bool {
        let left = self.renewals < RENEWALS_MAX;
        self.renewals += u32::from(left);
        left
    }
}
