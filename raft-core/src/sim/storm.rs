//! Storms: random faults for a hunt, drawn beforehand from a seed as a list of actions.
//!
//! Drawn beforehand, a failing run can be shrunk by leaving actions out, and shared as a file or a
//! link. What can't be known beforehand (who leads, who is writing) is a [`Target`] that is looked
//! up when the time comes.
//!
//! *Swarm testing*: each seed draws which kinds of fault it has at all, how often each comes, how
//! fast the network and the disks are, and how soon logs are compacted. A run in which everything
//! happens at once reaches fewer states than many runs in which some things never happen.
//!
//! A storm never breaks more than Raft promises to survive: disks are lost only where a quorum
//! holds the rest, clocks drift no more than leases allow where there are leases, and are set back
//! only where a leader forgets its lease over it; a write takes no longer than the limit at which a
//! disk counts as stalled. Where leases are, a server's election timeout never gets shorter at a
//! restart; where some check no quorum, all ask before they campaign; and where they don't, all are
//! equally patient. It ends with [`Action::HealQuorum`]: a bare quorum is mended, everything else
//! stays broken for good, and the cluster must come back to work.

use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::action::{Action, Target, TimedAction};
use super::client::ClientId;
use super::concern;
use super::parameters::{DiskParameters, LimitParameters, MACHINES_MAX, NetworkParameters, Parameters};
use super::scenario::Scenario;
use crate::hash::mix;
use crate::raft::{Rules, ServerId, ServerSet};
use crate::time::{Duration, Time};

/// How long before its end a hunt's run calms down: time for an election, a commit, an answer, and
/// equal stores.
pub const CALM_AFTER: Duration = Duration::from_secs(10);

/// Which kinds of faults a hunt has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// None: a busy cluster on a calm network.
    Calm,
    /// Crashes and restarts.
    Crashes,
    /// Cuts, partitions, loss, delay, duplication.
    Network,
    /// Crashes, slow, stalled and failing disks, rotten records, lost disks.
    Disks,
    /// Pauses, drifting and jumping clocks.
    Clocks,
    /// Servers that join and leave, leadership handed over, besides crashes.
    Membership,
    /// Everything.
    #[default]
    Full,
}

/// A kind of fault, with the profiles that have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Crash,
    CrashWriting,
    Pause,
    Cut,
    Impair,
    Partition,
    Isolate,
    Bridge,
    Loss,
    Duplication,
    Latency,
    Fsync,
    Stall,
    FailWrite,
    Rot,
    Wipe,
    ClockRate,
    ClockJump,
    Campaign,
    Transfer,
    Join,
    Leave,
    KillAll,
    Flap,
    Swizzle,
    Ring,
    Roll,
    OneWay,
    Straggle,
    Full,
    Tear,
    Usurp,
    Lag,
    Rhythm,
    Coup,
    Oust,
    Late,
    Haunt,
    Overdue,
    Corner,
    Swap,
    Shrink,
    Amnesia,
    Learn,
    Return,
    Renew,
    SetBack,
    LastMoment,
    SlowDisks,
    Reconfigure,
    Retire,
    Distance,
    Relic,
}

const KINDS: &[(Kind, &[Profile])] = {
    use Profile::{Clocks, Crashes, Disks, Membership, Network};
    &[
        (Kind::Crash, &[Crashes, Disks, Membership]),
        (Kind::CrashWriting, &[Crashes, Disks]),
        (Kind::KillAll, &[Crashes, Disks]),
        (Kind::Roll, &[Crashes]),
        (Kind::Pause, &[Clocks]),
        (Kind::Cut, &[Network]),
        (Kind::Impair, &[Network]),
        (Kind::Partition, &[Network]),
        (Kind::Isolate, &[Network, Membership]),
        (Kind::Bridge, &[Network]),
        (Kind::Ring, &[Network]),
        (Kind::Flap, &[Network]),
        (Kind::Swizzle, &[Network]),
        (Kind::Loss, &[Network]),
        (Kind::Duplication, &[Network]),
        (Kind::Latency, &[Network]),
        (Kind::Fsync, &[Disks]),
        (Kind::Stall, &[Disks]),
        (Kind::FailWrite, &[Disks]),
        (Kind::Rot, &[Disks]),
        (Kind::Wipe, &[Disks]),
        (Kind::ClockRate, &[Clocks]),
        (Kind::ClockJump, &[Clocks]),
        (Kind::Campaign, &[Clocks, Membership]),
        (Kind::Transfer, &[Membership]),
        (Kind::Join, &[Membership]),
        (Kind::Leave, &[Membership]),
        (Kind::OneWay, &[Network]),
        (Kind::Straggle, &[Network]),
        (Kind::Full, &[Disks]),
        (Kind::Tear, &[Crashes, Disks]),
        (Kind::Usurp, &[Network, Membership]),
        (Kind::Lag, &[Network]),
        (Kind::Rhythm, &[Network]),
        (Kind::Coup, &[Membership]),
        (Kind::Oust, &[Membership]),
        (Kind::Late, &[Network]),
        (Kind::Haunt, &[Crashes, Disks, Network, Membership]),
        (Kind::Overdue, &[Network, Membership]),
        (Kind::Corner, &[Membership]),
        (Kind::Swap, &[Membership]),
        (Kind::Shrink, &[Membership]),
        (Kind::Amnesia, &[Disks, Membership]),
        (Kind::Learn, &[Membership]),
        (Kind::Return, &[Membership]),
        (Kind::Renew, &[Disks, Membership]),
        (Kind::SetBack, &[Clocks]),
        (Kind::LastMoment, &[Clocks]),
        (Kind::SlowDisks, &[Disks]),
        (Kind::Reconfigure, &[Crashes, Clocks, Membership]),
        (Kind::Retire, &[Membership]),
        (Kind::Distance, &[Membership]),
        (Kind::Relic, &[Disks]),
    ]
};

impl Kind {
    /// How long it goes on, about: it comes no more often than that.
    const fn takes(self) -> Duration {
        match self {
            Kind::Swizzle | Kind::Coup | Kind::Oust => Duration::from_millis(1_500),
            Kind::Haunt | Kind::Overdue | Kind::Corner | Kind::Swap | Kind::Relic => Duration::from_millis(1_500),
            Kind::Distance => Duration::from_millis(4_000),
            Kind::Rhythm | Kind::LastMoment | Kind::Shrink | Kind::Amnesia | Kind::SlowDisks | Kind::Reconfigure => {
                Duration::from_millis(3_000)
            }
            _ => Duration::ZERO,
        }
    }
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

/// The scenario of a hunt: a busy cluster, a storm, and calm at the end. Without a number of
/// `servers` it draws 1, 2, 3, 5 or 7.
pub fn hunt(seed: u64, servers: Option<u8>, length: Duration, profile: Profile, rules: Rules) -> Scenario {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(mix(seed, concern::STORM, 0));
    let drawn = pick(&mut random, &[1, 2, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 7, 7, 7]);
    let mut scenario = Scenario::new(seed, servers.unwrap_or(drawn));
    scenario.parameters.rules = rules;
    draw_parameters(&mut random, &mut scenario.parameters);
    if mix(seed, concern::STORM, 1).is_multiple_of(16) {
        // Nothing tells the servers' patience apart: who campaigns first is for the campaigns to
        // settle.
        let timing = &mut scenario.parameters.timing;
        timing.election_timeout_min = timing.election_timeout_max;
    }
    let servers = scenario.parameters.servers;
    let patience = core::array::from_fn(|_| pick(&mut random, &PATIENCE));
    let mut storm = Storm {
        random,
        servers,
        end: Time::ZERO + (length - CALM_AFTER),
        parameters: scenario.parameters.clone(),
        newcomers: 0,
        joins: 0,
        leaves: 0,
        swaps: 0,
        renewals: 0,
        set_back: Time::ZERO,
        patience,
        actions: Vec::new(),
    };
    if profile != Profile::Calm {
        storm.blow(profile);
    }
    let alone = pick(&mut storm.random, &[0, 0, 1]);
    storm.put(storm.end, Action::HealQuorum(alone));
    storm.actions.sort_by_key(|timed| timed.at);
    (scenario.parameters, scenario.actions) = (storm.parameters, storm.actions);
    scenario
}

fn draw_parameters(random: &mut Xoshiro256PlusPlus, parameters: &mut Parameters) {
    let millis = Duration::from_millis;
    let (min, max) = pick(random, &[(1, 3), (1, 20), (5, 15), (10, 40)]);
    parameters.network =
        NetworkParameters { latency_min: millis(min), latency_max: millis(max), loss: 0, duplication: 0 };
    // The last three are as slow as they may be: the slowest disk still counts as working.
    let disks: &[(u64, u64)] = match random.random_range(0..6_u32) {
        0 => &[(50, 150), (200, SLOW_DISK_MAX / 2), (SLOW_DISK_MAX * 3 / 4, SLOW_DISK_MAX)],
        _ => &[(0, 0), (0, 1), (1, 5), (2, 30)],
    };
    let (min, max) = pick(random, disks);
    parameters.disk = DiskParameters { fsync_min: millis(min), fsync_max: millis(max) };
    parameters.timing.snapshot_after_entries = pick(random, &[0, 5, 20, 100]);
    parameters.timing.append_entries_max = pick(random, &[1, 2, 8, 256]);
    parameters.timing.snapshot_piece_max = pick(random, &[16, 64, 64 << 10]);
    let slow = parameters.disk.fsync_max >= SLOW_DISK;
    parameters.timing.pre_vote = random.random_range(0..4_u32) > 0;
    parameters.clients.count = pick(random, &[1, 2, 4, 8]);
    parameters.clients.think_time = millis(pick(random, &[15, 40, 120]));
    draw_limits(random, &mut parameters.limits);
    if slow {
        // One entry after the other, and a slow write for each: a server that lags would take
        // minutes.
        parameters.timing.append_entries_max = parameters.timing.append_entries_max.max(8);
        parameters.limits = Parameters::default().limits;
    }
    if parameters.timing.append_entries_max < 8 || parameters.limits.append_bytes_max < 1_000 {
        // Single entries that overtake each other come to few a second: not more than that is asked
        // for.
        parameters.clients.count = parameters.clients.count.min(2);
        parameters.clients.think_time = parameters.clients.think_time.max(millis(40));
    }
    if parameters.timing.append_entries_max == 1 || parameters.limits.append_bytes_max < 1_000 {
        // Entry by entry, a round trip for each: whoever joins must come nearer to the end of a log
        // that grows meanwhile.
        parameters.clients.think_time = parameters.clients.think_time.max(millis(80));
        if parameters.network.latency_max > millis(20) {
            (parameters.network.latency_min, parameters.network.latency_max) = (millis(5), millis(15));
        }
    }
    if parameters.clients.count >= ClientId::SLACK.0 && parameters.limits.snapshot_after_bytes > 0 {
        // As many of their long values as of short ones.
        parameters.limits.snapshot_after_bytes = parameters.limits.snapshot_after_bytes.max(1_200);
    }
    parameters.clients.extra_reads = pick(random, &[0, 500_000, 900_000]);
    // Many keys make a large snapshot, which has many pieces.
    parameters.clients.keys = pick(random, &[1, 2, 5, 60]);
    if !slow && random.random_range(0..8_u32) == 0 {
        // So many write that something is on its way all the time, and nobody who lags behind at
        // all has everything at any moment.
        parameters.clients.count = 8;
        parameters.clients.think_time = millis(15);
        parameters.clients.extra_reads = 0;
        parameters.timing.append_entries_max = 256;
        parameters.limits = LimitParameters { entries_kept: pick(random, &[0, 3]), ..Parameters::default().limits };
    }
    parameters.clients.lease_reads = random.random_range(0..3_u32) == 0;
    parameters.clients.attempt_timeout = millis(pick(random, &[100, 250, 600]));
    // To the leader, to a follower and back again, and a write on each: an operation may need a
    // session first, and a few tries.
    let answer = parameters.network.latency_max.times(4) + parameters.disk.fsync_max.times(2);
    parameters.clients.operation_timeout = parameters.clients.operation_timeout.max(answer.times(3));
}

/// Small limits are reached with little data.
fn draw_limits(random: &mut Xoshiro256PlusPlus, limits: &mut LimitParameters) {
    if random.random_range(0..3_u32) > 0 {
        return;
    }
    limits.append_bytes_max = pick(random, &[1, 100, 1 << 20]);
    limits.window_appends_max = pick(random, &[1, 2, 64]);
    limits.window_bytes_max = pick(random, &[1, 200, 16 << 20]);
    limits.uncommitted_bytes_max = pick(random, &[1, 200, 64 << 20]);
    limits.snapshot_after_bytes = pick(random, &[0, 300, 2_000, 16 << 20]);
    limits.entries_kept = pick(random, &[0, 3, 256]);
}

pub(super) fn pick<T: Copy>(random: &mut Xoshiro256PlusPlus, choices: &[T]) -> T {
    choices[random.random_range(0..choices.len() as u32) as usize]
}

pub(super) struct Storm {
    pub(super) random: Xoshiro256PlusPlus,
    pub(super) servers: u8,
    end: Time,
    pub(super) parameters: Parameters,
    /// Servers that may have joined are numbered up to so many beyond the first ones; faults are
    /// theirs as well.
    pub(super) newcomers: u8,
    joins: u32,
    leaves: u32,
    swaps: u32,
    renewals: u32,
    /// When a leader's clock was set back last.
    set_back: Time,
    /// How many times the world's election timeout each server waits once it has been restarted for
    /// it, where that may not change again.
    pub(super) patience: [u64; MACHINES_MAX as usize],
    actions: Vec<TimedAction>,
}

/// How often a kind of fault comes in one seed: never, now and then, or all the time.
const INTERVALS: [u64; 6] = [400, 1_000, 2_500, 6_000, 15_000, 40_000];

/// A cluster that only grows needs ever more servers for a quorum.
const JOINS_MAX: u32 = 4;

/// And one that only shrinks soon survives nothing.
const LEAVES_MAX: u32 = 2;

/// Machines have a number each, and there are no more than [`MACHINES_MAX`].
const SWAPS_MAX: u32 = 4;

/// A server without a vote is one fewer that may fail.
const RENEWALS_MAX: u32 = 8;

/// How many times the world's election timeout a server may wait.
pub(super) const PATIENCE: [u64; 4] = [1, 1, 2, 3];

/// From so long a write on, nobody campaigns without asking.
const SLOW_DISK: Duration = Duration::from_millis(100);

/// The longest a write takes on a slow disk, in milliseconds: a little less than what counts as a
/// stall in a world of 150 to 300 ms.
const SLOW_DISK_MAX: u64 = 590;

impl Storm {
    fn blow(&mut self, profile: Profile) {
        // Some seeds have most kinds of fault, some have one or two, which then have room to do
        // their worst: what takes several steps in a row comes about only where little else
        // happens.
        let of_24 = pick(&mut self.random, if profile == Profile::Full { &[1, 2, 4, 8, 16] } else { &[8, 16] });
        let mut chosen = Vec::new();
        for (kind, profiles) in KINDS {
            let on = self.random.random_range(0..24_u32) < of_24;
            let every = Duration::from_millis(pick(&mut self.random, &INTERVALS));
            if on && profile.has(profiles) {
                chosen.push((*kind, every.max(kind.takes())));
            }
        }
        let busy = self.parameters.clients.count >= 8 || self.random.random_range(0..2_u32) == 0;
        if chosen.iter().any(|(kind, _)| *kind == Kind::Relic) && busy && self.keeps_up() {
            // A leader that is cut off takes as much as the others have in a snapshot soon.
            self.parameters.clients.count = 8;
            self.parameters.limits = LimitParameters { entries_kept: 0, ..Parameters::default().limits };
            self.parameters.timing.snapshot_after_entries = 5;
            self.parameters.timing.snapshot_piece_max = self.parameters.timing.snapshot_piece_max.max(64);
        }
        // Whoever may join is there to be broken, too: one joins for certain, so that its number
        // makes sense.
        let joins = |(kind, _): &(Kind, Duration)| {
            matches!(kind, Kind::Join | Kind::Swap | Kind::Learn | Kind::Oust | Kind::Distance)
        };
        if chosen.iter().any(joins) && self.joins_left(1) {
            let at = Time::ZERO + self.millis(3_000);
            self.put(at, Action::AddServer);
            self.newcomers = 4;
        }
        for (kind, every) in chosen {
            let mut at = Time::ZERO + self.about(every);
            while at < self.end {
                self.throw(kind, at);
                at += self.about(every);
            }
            if kind == Kind::Retire {
                self.retire_last(self.end);
            }
        }
    }

    /// Whether many may write: entries travel together, and disks are no slower than that.
    fn keeps_up(&self) -> bool {
        self.parameters.timing.append_entries_max >= 8 && self.parameters.disk.fsync_max < SLOW_DISK
    }

    pub(super) fn put(&mut self, at: Time, action: Action) {
        // What ends a fault may come no later than the calm, which ends it anyway.
        self.actions.push(TimedAction { at: at.min(self.end), action });
    }

    /// Evenly between nothing and twice `average`.
    pub(super) fn about(&mut self, average: Duration) -> Duration {
        Duration::from_micros(self.random.random_range(1..=average.as_micros().saturating_mul(2).max(1)))
    }

    pub(super) fn millis(&mut self, average: u64) -> Duration {
        self.about(Duration::from_millis(average))
    }

    /// One of the first servers, or, where some may join, now and then one of those.
    pub(super) fn anyone(&mut self) -> ServerId {
        let later = self.newcomers > 0 && self.random.random_range(0..4_u32) == 0;
        let number = match later {
            true => self.servers + self.random.random_range(1..=self.newcomers),
            false => self.random.random_range(1..=self.servers),
        };
        ServerId::new(number).expect("a storm blows over at least one server")
    }

    /// Whoever may be there.
    pub(super) fn everyone(&self) -> ServerSet {
        ServerSet::first(self.servers + self.newcomers)
    }

    pub(super) fn two(&mut self) -> Option<(ServerId, ServerId)> {
        let (from, to) = (self.anyone(), self.anyone());
        (from != to).then_some((from, to))
    }

    /// Some server by name, or whoever leads.
    fn target(&mut self) -> Target {
        if self.random.random_range(0..3_u32) == 0 { Target::Leader } else { Target::Server(self.anyone()) }
    }

    /// Restarts, after a while, whoever is down then.
    pub(super) fn restart_later(&mut self, at: Time) {
        let back = at + self.millis(700);
        self.put(back, Action::RestartAll);
    }

    fn throw(&mut self, kind: Kind, at: Time) {
        let everyone = self.everyone();
        match kind {
            Kind::Crash => {
                let target = self.target();
                self.put(at, Action::Crash(target));
                self.restart_later(at);
            }
            Kind::CrashWriting => {
                self.put(at, Action::Crash(Target::Writer));
                self.restart_later(at);
            }
            Kind::KillAll => {
                for server in everyone.iter() {
                    self.put(at, Action::Crash(Target::Server(server)));
                }
                self.restart_later(at);
            }
            Kind::Roll => self.roll(at),
            Kind::Pause => {
                let target = self.target();
                self.put(at, Action::Pause(target));
                let back = at + self.millis(400);
                self.put(back, Action::ResumeAll);
            }
            Kind::Cut => {
                if let Some((from, to)) = self.two() {
                    self.put(at, Action::Cut { from, to });
                    let back = at + self.millis(1_200);
                    self.put(back, Action::Heal { from, to });
                }
            }
            Kind::Flap => self.flap(at),
            Kind::Swizzle => self.swizzle(at),
            Kind::Impair => {
                if let Some((from, to)) = self.two() {
                    let delay = self.millis(60);
                    let loss = self.random.random_range(0..500_000);
                    self.put(at, Action::Impair { from, to, delay, share: loss });
                    let back = at + self.millis(1_500);
                    self.put(back, Action::Heal { from, to });
                }
            }
            Kind::Partition => {
                let groups = everyone.iter().map(|_| self.random.random_range(0..2)).collect();
                self.part(at, Action::Partition(groups));
            }
            Kind::Isolate => {
                let target = self.target();
                self.part(at, Action::Isolate(target));
            }
            Kind::Bridge => self.bridge(at),
            Kind::Ring => self.ring(at),
            Kind::OneWay => {
                let target = self.target();
                let deaf = self.random.random_range(0..2_u32) == 0;
                self.part(at, if deaf { Action::Deafen(target) } else { Action::Mute(target) });
            }
            Kind::Usurp => self.usurp(at),
            Kind::Lag => self.lag(at),
            Kind::Rhythm => self.rhythm(at),
            Kind::Coup => self.coup(at),
            Kind::Oust => self.oust(at),
            Kind::Late => self.late(at),
            Kind::Haunt => self.haunt(at),
            Kind::Overdue => self.overdue(at),
            Kind::Corner => self.corner(at),
            Kind::Swap => self.swap(at),
            Kind::Shrink => self.shrink(at),
            Kind::Amnesia => self.amnesia(at),
            Kind::Reconfigure => self.reconfigure(at),
            Kind::Retire => self.retire(at),
            Kind::Distance => self.distance(at),
            Kind::Relic => self.relic(at),
            Kind::LastMoment => self.last_moment(at),
            Kind::Learn => {
                if self.joins_left(1) {
                    self.put(at, Action::AddLearner);
                }
            }
            Kind::Return => {
                let server = self.anyone();
                self.put(at, Action::AddBack(server));
            }
            Kind::Renew => {
                let target = self.target();
                if self.renewals_left() {
                    self.put(at, Action::RenewDisk(target));
                    self.restart_later(at);
                }
            }
            Kind::SetBack if self.parameters.clients.lease_reads => {
                // A leader that notices forgets what its lease rests on, and it notices if it does
                // anything before its clock shows again what it showed: so far back, and seldom
                // enough for the clock to have come so far.
                let far = Duration::from_secs(10);
                if at >= self.set_back + far.times(2) {
                    self.set_back = at;
                    self.put(at, Action::ShiftClock { target: Target::Leader, by: -(far.as_micros() as i64) });
                    self.read_at(at, Target::Leader);
                    let at = at + self.millis(30);
                    self.part(at, Action::Isolate(Target::Leader));
                }
            }
            Kind::SetBack => {
                let target = self.target();
                let micros = pick(&mut self.random, &[-50_000, -300_000, -3_000_000, -3_600_000_000]);
                if let (Target::Server(server), 0) = (target, self.random.random_range(0..2_u32)) {
                    // Whoever waits for its disk goes on waiting, and no longer than before.
                    self.put(at, Action::TransferLeadership(server));
                    let hangs = at + Duration::from_millis(100);
                    self.put(hangs, Action::StallDisk { server, stalled: true });
                    let back = hangs + Duration::from_millis(2_500);
                    self.put(back, Action::StallDisk { server, stalled: false });
                }
                self.put(at + Duration::from_millis(150), Action::ShiftClock { target, by: micros });
            }
            Kind::SlowDisks => {
                let max = pick(&mut self.random, &[60, 200, SLOW_DISK_MAX]);
                let (min, max) = (Duration::from_millis(max * 3 / 4), Duration::from_millis(max));
                let back = at + Duration::from_millis(1_000) + self.millis(3_000);
                let DiskParameters { fsync_min, fsync_max } = self.parameters.disk;
                for server in everyone.iter() {
                    self.put(at, Action::SetFsync { server, min, max });
                    self.put(back, Action::SetFsync { server, min: fsync_min, max: fsync_max });
                }
            }
            Kind::Loss => {
                let share = pick(&mut self.random, &[0, 20_000, 100_000, 300_000]);
                self.put(at, Action::SetLoss(share));
            }
            Kind::Duplication => {
                let share = pick(&mut self.random, &[0, 20_000, 200_000, 600_000]);
                self.put(at, Action::SetDuplication(share));
            }
            Kind::Straggle => {
                let share = pick(&mut self.random, &[0, 10_000, 100_000]);
                let delay = self.millis(500);
                self.put(at, Action::SetStraggling { share, delay });
            }
            Kind::Latency => {
                let (min, max) = pick(&mut self.random, &[(1, 2), (1, 30), (5, 120), (50, 90)]);
                let (min, max) = (Duration::from_millis(min), Duration::from_millis(max));
                self.put(at, Action::SetLatency { min, max });
            }
            Kind::Fsync => {
                let server = self.anyone();
                let max = pick(&mut self.random, &[1, 10, 60, 200, SLOW_DISK_MAX]);
                let (min, max) = (Duration::from_millis(max / 2), Duration::from_millis(max));
                self.put(at, Action::SetFsync { server, min, max });
            }
            Kind::Stall => {
                let server = self.anyone();
                self.put(at, Action::StallDisk { server, stalled: true });
                let back = at + self.millis(900);
                self.put(back, Action::StallDisk { server, stalled: false });
            }
            Kind::Full => {
                let server = self.anyone();
                self.put(at, Action::FillDisk { server, full: true });
                let back = at + self.millis(900);
                self.put(back, Action::FillDisk { server, full: false });
            }
            Kind::Tear => {
                self.put(at, Action::TearWrite(Target::Writer));
                self.restart_later(at);
            }
            Kind::FailWrite => {
                let target = if self.random.random_range(0..2_u32) == 0 { Target::Writer } else { self.target() };
                self.put(at, Action::FailWrite(target));
                self.restart_later(at);
            }
            Kind::Rot => {
                let target = self.target();
                self.put(at, Action::Rot(target));
                self.restart_later(at);
            }
            Kind::Wipe => {
                // The operator replaces it: the name is used up.
                let server = self.anyone();
                self.put(at, Action::Wipe(Target::Server(server)));
                self.restart_later(at);
            }
            Kind::ClockRate => {
                let server = self.anyone();
                // Leases promise nothing beyond the bound they state.
                let rates: &[u32] = if self.parameters.clients.lease_reads {
                    &[960_000, 1_000_000, 1_040_000]
                } else {
                    &[0, 300_000, 1_000_000, 1_200_000, 3_000_000]
                };
                let rate = pick(&mut self.random, rates);
                self.put(at, Action::SetClockRate { server, rate });
                let back = at + self.millis(2_000);
                self.put(back, Action::SetClockRate { server, rate: super::TRUE_RATE });
            }
            Kind::ClockJump => {
                let server = self.anyone();
                let micros = pick(&mut self.random, &[-2_000_000, -100_000, 100_000, 5_000_000]);
                if !self.parameters.clients.lease_reads {
                    self.put(at, Action::JumpClock { server, by: micros });
                }
            }
            Kind::Campaign => {
                let server = self.anyone();
                self.put(at, Action::Campaign(server));
            }
            Kind::Transfer => {
                let to = self.anyone();
                self.put(at, Action::TransferLeadership(to));
            }
            Kind::Join => {
                if self.joins_left(1) {
                    self.put(at, Action::AddServer);
                }
            }
            Kind::Leave => {
                let server = self.anyone();
                if self.leaves_left(1) {
                    self.put(at, Action::RemoveServer(server));
                }
            }
        }
    }

    /// Whether so many more servers may join; they are counted.
    pub(super) fn joins_left(&mut self, count: u32) -> bool {
        let left = self.joins + count <= JOINS_MAX;
        self.joins += if left { count } else { 0 };
        left
    }

    /// Whether so many more servers may leave; they are counted.
    pub(super) fn leaves_left(&mut self, count: u32) -> bool {
        let left = self.leaves + count <= LEAVES_MAX;
        self.leaves += if left { count } else { 0 };
        left
    }

    /// Whether so many more voters may be replaced at once; they are counted.
    pub(super) fn swaps_left(&mut self, count: u32) -> bool {
        let left = self.swaps + count <= SWAPS_MAX;
        self.swaps += if left { count } else { 0 };
        left
    }

    /// Whether one more disk may be lost by a server that comes back; it is counted.
    pub(super) fn renewals_left(&mut self) -> bool {
        let left = self.renewals < RENEWALS_MAX;
        self.renewals += u32::from(left);
        left
    }

    pub(super) fn part(&mut self, at: Time, action: Action) {
        self.put(at, action);
        let back = at + self.millis(1_200);
        self.put(back, Action::HealAll);
    }
}
