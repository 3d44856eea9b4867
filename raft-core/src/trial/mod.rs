//! A run on trial: played, judged, and, if it fails, shrunk to what matters.
//!
//! # A hunt
//! [`Hunt`] makes a run from a seed: a storm ([`crate::sim::hunt`]), and writes of the person after
//! it. [`play`] plays a run and judges it. What it finds is a [`Finding`], and [`shrink`] makes the
//! failing run small. `raftarium hunt` does this for many seeds at once, and the tests for some.
//!
//! # What is judged
//! * **Safety** while the run goes on: the first [`Violation`] ends it.
//! * **What clients saw**, at the end: their history must be linearizable
//!   ([`crate::check::linearizable`]). If a black-box search, which knows nothing of the log, can't
//!   decide that within bounds, the order of the log must explain the history. That can always be
//!   decided.
//! * **Liveness** after a storm. If the run's last fault is [`Action::HealQuorum`], there must come
//!   a moment within [`CALM_AFTER`] and [`GRACE`] (or later, where disks are slow or a server is
//!   far behind) at which there is a leader, a write of the person has been answered (if one was
//!   asked for in time), and all members that are well and that the leader reaches have applied
//!   that write and have equal stores. A server is well if it was healed, or if all its faults are
//!   over. One such moment is enough, because what was not healed may go on disturbing. A clock
//!   that was set forward or back is no excuse, however far.
//!
//! A run in which only harm is looked for
//! ([`CheckParameters::only_harm`](crate::sim::CheckParameters)) goes on past broken promises, and
//! owes no liveness.
//!
//! [`Playing`] does it step by step, so that it can be watched. It needs little memory, however
//! long a run is: what the order of the log explains is settled for good, and forgotten. Only if
//! the log doesn't explain everything is the whole history needed, and the run played once more.
//!
//! Everything that is judged is in the run: a run made from a file or a link is judged as the hunt
//! did that found it. What is said to have been found ([`Found`]) plays no part in that: it is a
//! claim, to be compared with what is found anew ([`Finding::is`]). [`Finding::end`] makes it.
//!
//! Runs that host a state machine of one's own are hunted, judged and shrunk by [`own`].
//!
//! # Caveats
//! A failed assertion of the core is a panic, which this library can't catch: a program that plays
//! many runs has to.

pub mod own;
mod past;
mod playing;
pub mod quick;
mod shrink;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

pub use playing::{Playing, Watcher};
pub use shrink::{Failure, Shrunk, shrink, shrink_while};

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::check::linearizable::witness::Contradiction;
use crate::check::linearizable::{Explanation, WORK_DEFAULT};
use crate::check::{Guarantee, Violation};
use crate::format::{FACT_MAX, Found, Run, link, units};
use crate::hash::mix;
use crate::kv::{Outcome, Request};
use crate::order::sort_by;
use crate::raft::{Raft, Rules, ServerId, ServerSet};
use crate::sim::{
    self, Action, CALM_AFTER, ClientId, End, Endpoint, Impairment, LENGTH_MAX, Machine, OperationRecord, Profile,
    SERVERS_MAX, Scenario, ScenarioError, Simulation, TRUE_RATE, TimedAction,
};
use crate::time::{Duration, Time};

/// How much longer than [`CALM_AFTER`] the stores may take to become equal.
pub const GRACE: Duration = Duration::from_secs(3);

/// How many writes to disk, one after the other, the cluster gets time for in addition: on disks
/// that take as long as an election, a few elections and a session.
const WRITES: u64 = 40;

/// How much longer a server may take that has lost or missed very much. Sending that one entry a
/// message, over a network that reorders messages, is slow, but it comes to an end.
const CATCHING_UP: Duration = Duration::from_secs(30);

/// How often it is checked whether the cluster is back at work.
const GLANCE: Duration = Duration::from_millis(10);

/// How often the person writes after a storm, while there is time for an answer.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// How far clocks are set at the end of a storm, in microseconds: an hour and a day, forward and
/// back.
const FAR: [i64; 4] = [3_600_000_000, -3_600_000_000, 86_400_000_000, -86_400_000_000];

/// The concern whose random generator decides about that.
const CLOCKS: u64 = 7;

/// What a hunt makes its runs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hunt {
    /// How many servers, 1 to [`SERVERS_MAX`]; drawn from the seed if not given.
    pub servers: Option<u8>,
    /// How long a run is: more than [`CALM_AFTER`], and no more than [`LENGTH_MAX`].
    pub length: Duration,
    /// Which faults it has.
    pub profile: Profile,
    /// Which rules hold.
    pub rules: Rules,
    /// Whether it looks only for harm, past broken promises
    /// ([`is_harm`](crate::check::Property::is_harm)).
    pub only_harm: bool,
}

/// A minute with every fault and every rule.
impl Default for Hunt {
    fn default() -> Hunt {
        Hunt {
            servers: None,
            length: Duration::from_secs(60),
            profile: Profile::Full,
            rules: Rules::ALL,
            only_harm: false,
        }
    }
}

/// A hunt that can't be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HuntError {
    /// No cluster has so many servers.
    Servers {
        /// How many were asked for.
        given: u8,
    },
    /// A run so short has no storm before its calm.
    TooShort {
        /// How long it was to be.
        given: Duration,
    },
    /// No run is so long.
    TooLong {
        /// How long it was to be.
        given: Duration,
    },
    /// A run of it can't be played.
    Scenario(ScenarioError),
}

impl fmt::Display for HuntError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = |length: Duration| units::write_duration(length);
        match self {
            HuntError::Servers { given } => {
                write!(
                    f,
                    "a hunt’s clusters have 1 to {SERVERS_MAX} servers, not {given}: set `servers` to one of these"
                )
            }
            HuntError::TooShort { given } => write!(
                f,
                "a hunt’s run of {} has no storm, for its last {} are calm: make `length` more than that",
                written(*given),
                written(CALM_AFTER)
            ),
            HuntError::TooLong { given } => {
                write!(
                    f,
                    "a hunt’s run of {} is too long: `length` is at most {}",
                    written(*given),
                    written(LENGTH_MAX)
                )
            }
            HuntError::Scenario(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for HuntError {}

impl From<ScenarioError> for HuntError {
    fn from(error: ScenarioError) -> HuntError {
        HuntError::Scenario(error)
    }
}

impl Hunt {
    /// Whether it is one that can be.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), HuntError> {
        let given = self.length;
        match self.servers {
            Some(given) if !(1..=SERVERS_MAX).contains(&given) => Err(HuntError::Servers { given }),
            _ if given <= CALM_AFTER => Err(HuntError::TooShort { given }),
            _ if given > LENGTH_MAX => Err(HuntError::TooLong { given }),
            _ => Ok(()),
        }
    }

    /// The run of this seed.
    ///
    /// # Errors
    /// A hunt that can't be: see [`Hunt::check`].
    pub fn run(&self, seed: u64) -> Result<Run, HuntError> {
        self.check()?;
        let mut scenario = sim::hunt(seed, self.servers, self.length, self.profile, self.rules);
        scenario.parameters.checks.only_harm = self.only_harm;
        let calm = Time::ZERO + (self.length - CALM_AFTER);
        self.set_clocks(&mut scenario, calm);
        let mut at = calm;
        while at + scenario.parameters.clients.operation_timeout <= calm + CALM_AFTER {
            let number = at.since(calm).as_micros() / PROBE_INTERVAL.as_micros() + 1;
            scenario.actions.push(TimedAction { at, action: Action::Submit(format!("put calm {number}").into()) });
            at += PROBE_INTERVAL;
        }
        Ok(Run { scenario, until: Time::ZERO + self.length, hash: None })
    }

    /// In some seeds, clocks are set far forward or back right before the calm: the cluster must
    /// come back to work after that, too. Not where leases rest on the clocks.
    fn set_clocks(&self, scenario: &mut Scenario, calm: Time) {
        let parameters = &scenario.parameters;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(mix(scenario.seed, CLOCKS, 0));
        let faulty = matches!(self.profile, Profile::Clocks | Profile::Full) && !parameters.clients.lease_reads;
        if !faulty || random.random_range(0..3_u32) > 0 {
            return;
        }
        let servers = parameters.servers;
        for _ in 0..2 {
            let place = scenario.actions.iter().rposition(|timed| matches!(timed.action, Action::HealQuorum(_)));
            let server = ServerId::new(random.random_range(1..=servers));
            let micros = FAR[random.random_range(0..FAR.len() as u32) as usize];
            if let (Some(place), Some(server)) = (place, server) {
                let action = Action::JumpClock { server, by: micros };
                scenario.actions.insert(place, TimedAction { at: calm, action });
            }
        }
    }

    /// The command that hunts in this seed alone.
    pub fn command(&self, seed: u64) -> String {
        let mut command = format!("raftarium hunt --seeds {seed} --for {}", units::write_duration(self.length));
        if let Some(servers) = self.servers {
            command += &format!(" --nodes {servers}");
        }
        if self.profile != Profile::Full {
            command += &format!(" --faults {}", self.profile.name());
        }
        for rule in self.rules.switched_off() {
            command += &format!(" --without {}", rule.name());
        }
        if self.only_harm {
            command += " --only-harm";
        }
        command
    }

    /// What to print when a test finds something in the run of a seed: the finding, the command
    /// that finds it again and shrinks it, and the link that shows it.
    pub fn report(&self, seed: u64, finding: &Finding) -> String {
        let mut run = match self.run(seed) {
            Ok(run) => run,
            Err(error) => return format!("seed {seed}: {finding}\nthere is no run of it: {error}\n"),
        };
        finding.end(&mut run);
        let link = match link::write(&run) {
            Ok(link) => format!("to see it:    cargo run --release -p raftarium -- replay '{link}'"),
            Err(error) => format!("there is no link to it: {error}"),
        };
        format!("seed {seed}: {finding}\nto shrink it: cargo run --release -p {}\n{link}\n", {
            let command = self.command(seed);
            command.replacen("raftarium", "raftarium --", 1)
        })
    }
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A property was violated: two facts contradict each other.
    Violation(Violation),
    /// What clients saw can't have come from a single store.
    NotLinearizable {
        /// Why not.
        why: Explanation,
        /// When it became visible.
        at: Time,
    },
    /// Whether what clients saw is linearizable could not be decided, and the log, which should
    /// decide it, contradicts the clients.
    AnotherStory {
        /// The contradiction between the log and what a client was told.
        why: Contradiction,
        /// When the client was told.
        at: Time,
    },
    /// The cluster doesn't come back to work after a storm.
    Stuck {
        /// What it lacks.
        why: Stuck,
        /// When it should have had it.
        at: Time,
        /// When the storm was over.
        calm: Time,
        /// For whom it was over.
        healed: ServerSet,
        /// Who leads.
        leader: Option<ServerId>,
    },
}

/// What a cluster lacks that should be back at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// There is no leader.
    NoLeader,
    /// None of the person's writes was answered.
    NoAnswer {
        /// The last of them, in words.
        asked: String,
        /// Why it was not.
        why: String,
    },
    /// A healed server has not applied what was written.
    Behind {
        /// The server.
        server: ServerId,
        /// Where the write is.
        index: u64,
    },
    /// The membership isn't what the operator wants, although nothing is wrong with the servers it
    /// concerns.
    NotChanged {
        /// The members that are wanted.
        wanted: ServerSet,
    },
    /// A removed server has not learned of its removal.
    NotTold {
        /// The server.
        server: ServerId,
    },
    /// Two servers have applied the same entries and have different stores.
    StoresDiffer {
        /// One of them.
        first: ServerId,
        /// The other.
        second: ServerId,
        /// The index up to which both have applied.
        index: u64,
    },
}

impl Finding {
    /// When it was found.
    pub fn at(&self) -> Time {
        match self {
            Finding::Violation(violation) => violation.at,
            Finding::NotLinearizable { at, .. } | Finding::AnotherStory { at, .. } | Finding::Stuck { at, .. } => *at,
        }
    }

    /// What is violated.
    pub fn what(&self) -> Guarantee {
        match self {
            Finding::Violation(Violation { property, .. }) => Guarantee::Property(*property),
            Finding::NotLinearizable { .. } | Finding::AnotherStory { .. } => Guarantee::Linearizability,
            Finding::Stuck { .. } => Guarantee::Liveness,
        }
    }

    /// What is violated, in a word or two.
    pub fn name(&self) -> &'static str {
        self.what().name()
    }

    /// What was found, to be handed on with its facts.
    pub fn found(&self) -> Found {
        let (first, second) = match self {
            Finding::Violation(Violation { first, second, .. }) => (first.clone(), second.clone()),
            Finding::NotLinearizable { why, .. } => (why.second.clone(), why.first.clone()),
            Finding::AnotherStory { why, .. } => (why.first.clone(), why.second.clone()),
            Finding::Stuck { why, at, calm, healed, leader } => {
                let leads = leader.map_or_else(String::new, |leader| format!(" and {leader} leads"));
                (format!("the storm was over for {healed} at {calm}{leads}"), format!("at {at} {why}"))
            }
        };
        let cut = |fact: String| fact.chars().take(FACT_MAX).collect();
        Found { what: self.what(), at: self.at(), first: cut(first), second: cut(second) }
    }

    /// Whether it is what was said to have been found, at that moment. Its facts may be told
    /// otherwise.
    pub fn is(&self, found: &Found) -> bool {
        (self.what(), self.at()) == (found.what, found.at)
    }

    /// Makes of the run in which it was found one that ends with it, and says what to hand on with
    /// that.
    pub fn end(&self, run: &mut Run) -> Found {
        let mut found = self.found();
        if let Guarantee::Property(_) = found.what {
            // Whoever plays the run sees them.
            (found.first, found.second) = (String::new(), String::new());
        }
        run.until = found.at;
        run.cut();
        found
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Violation(violation) => violation.fmt(f),
            Finding::NotLinearizable { why, .. } => write!(f, "Linearizability is violated: {why}"),
            Finding::AnotherStory { why, .. } => {
                write!(f, "Linearizability is in doubt: the log tells another story than the clients: {why}")
            }
            Finding::Stuck { why, at, .. } => write!(f, "Liveness is violated: at {at}, after a storm, {why}"),
        }
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stuck::NoLeader => f.write_str("nobody leads"),
            Stuck::NoAnswer { asked, why } => write!(f, "no write has been answered, “{asked}” the last: {why}"),
            Stuck::Behind { server, index } => write!(f, "{server} still has not applied entry {index}"),
            Stuck::NotChanged { wanted } => write!(f, "the membership still isn’t what is wanted, {wanted}"),
            Stuck::NotTold { server } => write!(f, "{server} still doesn’t know that it has been removed"),
            Stuck::StoresDiffer { first, second, index } => {
                write!(f, "{first} and {second} have both applied everything up to {index}, but their stores differ")
            }
        }
    }
}

/// A run that has been played.
#[derive(Clone, Debug)]
pub struct Played {
    /// The world at the end: at the run's moment, at a violation, or a little later if a storm took
    /// long to settle.
    pub world: Simulation,
    /// What is wrong with the run, if anything is.
    pub finding: Option<Finding>,
}

/// Plays a run up to its moment and judges it.
///
/// # Errors
/// A run that can't be played.
pub fn play(run: &Run) -> Result<Played, ScenarioError> {
    play_within(run, WORK_DEFAULT)
}

/// Like [`play`], with a bound on the work of the black-box search for linearizability.
///
/// # Errors
/// A run that can't be played.
pub fn play_within(run: &Run, work_max: u64) -> Result<Played, ScenarioError> {
    let played = play_watched(run, work_max, &mut |_: &mut Simulation| true)?;
    Ok(played.unwrap_or_else(|| unreachable!("this watcher never stops it")))
}

/// Like [`play_within`], with a watcher that can stop it. Returns `None` in that case.
///
/// # Errors
/// A run that can't be played.
pub fn play_watched(run: &Run, work_max: u64, watcher: &mut impl Watcher) -> Result<Option<Played>, ScenarioError> {
    let mut playing = Playing::new(run)?;
    playing.world_mut().count_marks();
    Ok(if playing.play(watcher) { playing.judge(work_max, watcher) } else { None })
}

/// When the storm was over, if there was one, and if nothing was done after it except for clients'
/// commands.
pub fn calm_of(scenario: &Scenario) -> Option<Time> {
    let mut faults = scenario.actions.iter().rev().filter(|timed| !matches!(timed.action, Action::Submit(_)));
    faults.next().filter(|timed| matches!(timed.action, Action::HealQuorum(_))).map(|timed| timed.at)
}

/// What the cluster lacks to be back at work, given that it has been calm since `calm`.
fn what_is_missing(world: &Simulation, calm: Time) -> Option<Stuck> {
    let Some(leader) = world.leader() else { return Some(Stuck::NoLeader) };
    let asked = |operation: &&OperationRecord| {
        let writes = matches!(operation.request, Request::Write(_));
        operation.client == ClientId::PERSON && operation.began >= calm && writes
    };
    let done = |operation: &&OperationRecord| {
        matches!(operation.end, Some((_, End::Answered(Outcome::Written { .. } | Outcome::Deleted { .. }))))
    };
    let timeout = world.scenario().parameters.clients.operation_timeout;
    let in_time = |operation: &&OperationRecord| operation.began + timeout <= calm + CALM_AFTER;
    let index = match world.operations().filter(asked).find(done) {
        Some(operation) => operation.point.unwrap_or(0),
        None => match world.operations().filter(asked).rfind(in_time) {
            Some(_)
                if too_slow_to_ask(world, calm)
                    && let Some(index) = committed_itself(world, leader) =>
            {
                index
            }
            Some(last) => {
                let why = if last.end.is_none() { "none yet".to_string() } else { last.answer() };
                return Some(Stuck::NoAnswer { asked: last.request.to_string(), why });
            }
            None => 0,
        },
    };
    let asked = match who_has_it(world, leader, index) {
        Ok(asked) => asked,
        Err(stuck) => return Some(stuck),
    };
    let store =
        |server| world.machine(server).and_then(Machine::store).map(|store| (store.applied_index(), server, store));
    let mut stores: Vec<_> = asked.iter().filter_map(store).collect();
    sort_by(&mut stores, |(applied, server, _)| (*applied, server.number().into()));
    let differing = stores.windows(2).find(|pair| pair[0].0 == pair[1].0 && pair[0].2.digest() != pair[1].2.digest());
    differing.map(|pair| Stuck::StoresDiffer { first: pair[0].1, second: pair[1].1, index: pair[0].0 })
}

/// The leader and all that must have what it has, if they have applied everything up to `index`,
/// and whoever has left and what is wanted of the membership has its due; else what is lacking.
fn who_has_it(world: &Simulation, leader: ServerId, index: u64) -> Result<ServerSet, Stuck> {
    let Some(asked) = leader_and_followers(world, leader) else { return Err(Stuck::NoLeader) };
    for server in asked.iter() {
        // Not the state machine's own index: it hears only of commands, and an entry that a leader
        // commits of its own accord may be none.
        let raft = world.machine(server).and_then(Machine::raft);
        if raft.is_none_or(|raft| raft.applied_index().0 < index) {
            return Err(Stuck::Behind { server, index });
        }
    }
    if let Some(server) = removed_and_not_told(world, leader) {
        return Err(Stuck::NotTold { server });
    }
    if let Some((wanted, changing)) = world.wanted_members()
        && changing.iter().all(|server| is_reached(world, leader, server))
    {
        return Err(Stuck::NotChanged { wanted });
    }
    Ok(asked)
}

/// Whether the disks are so slow that a leader may be elected only after the person has stopped
/// writing, and that time has come.
fn too_slow_to_ask(world: &Simulation, calm: Time) -> bool {
    let slow = world.scenario().parameters.disk.fsync_max.times(WRITES);
    slow > CALM_AFTER && world.now() > calm + CALM_AFTER
}

/// The last committed entry, if it is of the leader's own term. It proves as much as a write of the
/// person would.
fn committed_itself(world: &Simulation, leader: ServerId) -> Option<u64> {
    let raft = world.machine(leader)?.raft()?;
    let id = raft.log().id_at(raft.commit_index())?;
    (id.term == raft.term()).then_some(id.index.0)
}

/// The leader, and the members that must have what it has: those that it reaches and that nothing
/// is wrong with. Removed servers aren't told anything any more. `None` if the leader doesn't reach
/// a quorum: then it doesn't count as a leader.
fn leader_and_followers(world: &Simulation, leader: ServerId) -> Option<ServerSet> {
    let configuration = world.configuration();
    let (up, well) =
        (Machine::is_up, |machine: &Machine| is_well(world, machine) || world.healed().contains(machine.id()));
    let reached = |condition: &dyn Fn(&Machine) -> bool| -> ServerSet {
        let reaches = |machine: &&Machine| {
            machine.id() == leader || condition(machine) && are_linked(world, leader, machine.id())
        };
        world.machines().iter().filter(reaches).map(Machine::id).collect()
    };
    configuration.has_quorum(reached(&up)).then(|| reached(&well).intersection(configuration.members()))
}

/// A removed server that takes itself for a voter, although the leader reaches it and nothing is
/// wrong with it. It asks the voters that it knows for votes, and if the leader is one of them, the
/// leader tells it of its removal.
fn removed_and_not_told(world: &Simulation, leader: ServerId) -> Option<ServerId> {
    let members = world.configuration().members();
    // Without pre-vote it may have reached terms in which its answers would depose the leader,
    // which therefore doesn't tell it.
    let term = world.machine(leader).and_then(Machine::raft).map(Raft::term);
    let mut machines = world.machines().iter();
    let ignorant = |machine: &&Machine| {
        let id = machine.id();
        // A server that may not campaign asks no server.
        let campaigns = machine.disk().image().hard_state().is_whole();
        let asks = machine.raft().is_some_and(|raft| {
            let voters = raft.configuration().all_voters();
            voters.contains(id) && voters.contains(leader) && campaigns && Some(raft.term()) <= term
        });
        asks && !members.contains(id) && is_well(world, machine) && are_linked(world, leader, id)
    };
    machines.find(ignorant).map(Machine::id)
}

/// Whether the leader reaches a server that nothing is wrong with.
fn is_reached(world: &Simulation, leader: ServerId, server: ServerId) -> bool {
    server == leader || are_linked(world, leader, server) && world.machine(server).is_some_and(|m| is_well(world, m))
}

/// Whether all that has ever been wrong with a server is over.
fn is_well(world: &Simulation, machine: &Machine) -> bool {
    let disk = machine.disk();
    let quick = *disk.parameters() == world.scenario().parameters.disk && !disk.is_stalled() && !disk.is_full();
    machine.is_up() && !machine.is_paused() && quick && machine.clock().rate() == TRUE_RATE
}

/// Whether messages between the two arrive as they should, both ways.
fn are_linked(world: &Simulation, one: ServerId, other: ServerId) -> bool {
    let (one, other) = (Endpoint::Server(one), Endpoint::Server(other));
    [(one, other), (other, one)].into_iter().all(|(from, to)| {
        let network = world.network();
        !network.is_cut(from, to) && network.impairment(from, to) == Impairment::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::Rule;

    #[test]
    fn a_hunts_command_says_what_it_hunts() {
        let hunt = Hunt::default();
        assert_eq!(hunt.command(7), "raftarium hunt --seeds 7 --for 60s");
        let rules = Rules::ALL.without(Rule::VoteOncePerTerm);
        let hunt = Hunt {
            servers: Some(3),
            length: Duration::from_secs(20),
            profile: Profile::Crashes,
            rules,
            only_harm: true,
        };
        assert_eq!(
            hunt.command(7),
            "raftarium hunt --seeds 7 --for 20s --nodes 3 --faults crashes --without vote-once-per-term --only-harm"
        );
    }

    #[test]
    fn a_hunt_that_cannot_be_is_refused_and_says_why() {
        for servers in (0..=u8::MAX).filter(|servers| !(1..=SERVERS_MAX).contains(servers)) {
            let hunt = Hunt { servers: Some(servers), ..Hunt::default() };
            assert_eq!(hunt.run(1), Err(HuntError::Servers { given: servers }));
            // Neither does the storm panic, drawn without a hunt, and no world is made of it.
            let storm = sim::hunt(1, Some(servers), Hunt::default().length, Profile::Full, Rules::ALL);
            assert!(Simulation::new(storm).is_err(), "{servers} servers");
        }
        let of = |length| Hunt { length, ..Hunt::default() };
        let just_more = CALM_AFTER + Duration::from_micros(1);
        for length in [just_more, LENGTH_MAX] {
            assert_eq!(of(length).check(), Ok(()));
        }
        assert_eq!(of(just_more).run(1).unwrap().check(), Ok(()));
        for length in [Duration::ZERO, Duration::from_secs(9), CALM_AFTER] {
            assert_eq!(of(length).run(1), Err(HuntError::TooShort { given: length }));
        }
        let length = LENGTH_MAX + Duration::from_micros(1);
        assert_eq!(of(length).run(1), Err(HuntError::TooLong { given: length }));
        let sentence = of(CALM_AFTER).check().unwrap_err().to_string();
        assert_eq!(
            sentence,
            "a hunt’s run of 10s has no storm, for its last 10s are calm: make `length` more than that"
        );
        let sentence = Hunt { servers: Some(16), ..Hunt::default() }.check().unwrap_err().to_string();
        assert!(sentence.starts_with("a hunt’s clusters have 1 to 9 servers, not 16"), "{sentence}");
        let stuck = Finding::Stuck {
            why: Stuck::NoLeader,
            at: Time::ZERO,
            calm: Time::ZERO,
            healed: ServerSet::EMPTY,
            leader: None,
        };
        assert!(of(CALM_AFTER).report(1, &stuck).contains("there is no run of it"));
    }

    #[test]
    fn the_person_writes_when_the_storm_is_over() {
        let run = Hunt::default().run(3).unwrap();
        assert_eq!(calm_of(&run.scenario), Some(Time::from_secs(50)));
        let lines = run.scenario.actions.iter().filter(|timed| matches!(timed.action, Action::Submit(_)));
        assert_eq!(lines.count(), 9);
        assert_eq!(run.check(), Ok(()));
    }

    #[test]
    fn a_cluster_that_does_not_come_back_to_work_is_found() {
        let hunt = Hunt { length: Duration::from_secs(20), ..Hunt::default() };
        let mut run = hunt.run(1).unwrap();
        assert_eq!(play(&run).unwrap().finding, None);
        // No answer comes within a millisecond.
        run.scenario.parameters.clients.operation_timeout = Duration::from_millis(1);
        let finding = play(&run).unwrap().finding.expect("a finding");
        assert_eq!((finding.name(), finding.at()), ("Liveness", Time::from_secs(23)));
        let sentence = finding.to_string();
        assert!(
            sentence.starts_with("Liveness is violated: at 23.000 s, after a storm, no write has been"),
            "{sentence}"
        );
        // If something is broken after the storm, nothing is promised.
        run.scenario.actions.push(TimedAction { at: Time::from_secs(20), action: Action::SetLoss(1) });
        assert_eq!(play(&run).unwrap().finding, None);
    }

    #[test]
    fn every_server_that_is_well_again_must_have_what_the_leader_has() {
        let mut world = Simulation::new(Scenario::new(1, 3)).unwrap();
        let calm = Time::from_secs(1);
        world.run_until(calm);
        let leader = world.leader().expect("a leader");
        let last = ServerSet::first(3).iter().find(|server| *server != leader).expect("a follower");
        world.act(Action::Isolate(sim::Target::Server(last))).unwrap();
        world.act(Action::Submit("put x 1".into())).unwrap();
        world.run_until(Time::from_secs(2));
        assert_eq!(what_is_missing(&world, calm), None, "the leader doesn't reach it");
        world.act(Action::HealAll).unwrap();
        assert!(matches!(what_is_missing(&world, calm), Some(Stuck::Behind { server, .. }) if server == last));
        world.act(Action::SetClockRate { server: last, rate: 2 * TRUE_RATE }).unwrap();
        assert_eq!(what_is_missing(&world, calm), None, "something is wrong with it still");
        world.act(Action::SetClockRate { server: last, rate: TRUE_RATE }).unwrap();
        world.run_until(Time::from_secs(3));
        assert_eq!(what_is_missing(&world, calm), None);
        world.act(Action::AddServer).unwrap();
        assert!(matches!(what_is_missing(&world, calm), Some(Stuck::NotChanged { wanted }) if wanted.len() == 4));
        world.run_until(Time::from_secs(6));
        assert_eq!(what_is_missing(&world, calm), None);
        // A leader that reaches no other server doesn't count as one.
        world.act(Action::Isolate(sim::Target::Leader)).unwrap();
        assert_eq!(what_is_missing(&world, calm), Some(Stuck::NoLeader));
    }

    #[test]
    fn clocks_are_set_far_before_some_calms_and_never_where_leases_rest_on_them() {
        let far = |profile, seed| {
            let run = Hunt { profile, ..Hunt::default() }.run(seed).unwrap();
            let jumps =
                |timed: &&TimedAction| matches!(timed.action, Action::JumpClock { by, .. } if FAR.contains(&by));
            let count = run.scenario.actions.iter().filter(jumps).count();
            assert!(count == 0 || !run.scenario.parameters.clients.lease_reads, "seed {seed}");
            assert_eq!(calm_of(&run.scenario), Some(Time::from_secs(50)), "seed {seed}");
            count
        };
        assert!((0..50).map(|seed| far(Profile::Full, seed)).sum::<usize>() > 10);
        assert_eq!((0..50).map(|seed| far(Profile::Network, seed)).sum::<usize>(), 0);
    }
}
