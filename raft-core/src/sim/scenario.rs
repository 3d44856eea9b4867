//! A scenario: everything a run is made from.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::action::{Action, OwnTiming, Target, TimedAction};
use super::parameters::{CERTAIN, MACHINES_MAX, ParameterError, Parameters};
use super::{ClientId, Simulation};
use crate::raft::{Config, ConfigError, ServerId};
use crate::time::{Duration, Time};

/// A hundred times too fast.
const CLOCK_RATE_MAX: u32 = 100_000_000;

/// The recipe of a run: the same scenario plays the same events, wherever and however often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// Every source of chance is seeded from it.
    pub seed: u64,
    /// What the world is made of.
    pub parameters: Parameters,
    /// What is done to it, in the order of time.
    pub actions: Vec<TimedAction>,
}

/// A scenario that can't be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScenarioError {
    /// Its parameters make no world.
    Parameters(ParameterError),
    /// An action is about a server that isn't there.
    NoSuchServer(ServerId),
    /// An action is about the link of a server to itself.
    LinkToItself(ServerId),
    /// A partition doesn't name a group for each server.
    Groups {
        /// Groups named.
        given: usize,
        /// Servers there are.
        servers: u8,
    },
    /// A clock rate beyond reason.
    ClockRate(u32),
    /// No more servers can join this run.
    TooManyServers,
    /// A command that can't be read.
    Line {
        /// The command.
        line: String,
        /// What is wrong with it.
        why: String,
    },
    /// The actions are not in the order of their times.
    OutOfOrder {
        /// Position of the first that comes too early, from 0.
        position: usize,
    },
}

impl Scenario {
    /// The default world with this seed and so many servers.
    pub fn new(seed: u64, servers: u8) -> Scenario {
        Scenario { seed, parameters: Parameters { servers, ..Parameters::default() }, actions: Vec::new() }
    }

    /// Whether it can be played.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.find_fault().map_err(|(_, error)| error)
    }

    /// The first thing that is wrong with it, with the position of the action, from 0, where it is
    /// an action that is wrong.
    pub(crate) fn find_fault(&self) -> Result<(), (Option<usize>, ScenarioError)> {
        let general = |error| (None, ScenarioError::Parameters(error));
        self.parameters.check().map_err(general)?;
        self.check_timing().map_err(|error| general(ParameterError::Timing(error)))?;
        if let Some(position) = (1..self.actions.len()).find(|i| self.actions[*i].at < self.actions[*i - 1].at) {
            return Err((Some(position), ScenarioError::OutOfOrder { position }));
        }
        let servers = self.servers_ever();
        let actions = self.actions.iter().enumerate();
        actions
            .map(|(i, timed)| (i, self.check_with(&timed.action, servers)))
            .try_for_each(|(position, checked)| checked.map_err(|error| (Some(position), error)))
    }

    /// Leaves out what comes later, and what was done to servers that would have joined only then.
    pub(crate) fn cut(&mut self, end: Time) {
        self.actions.retain(|timed| timed.at <= end);
        let servers = self.servers_ever();
        let mut actions = core::mem::take(&mut self.actions);
        actions.retain(|timed| !matches!(self.check_with(&timed.action, servers), Err(ScenarioError::NoSuchServer(_))));
        self.actions = actions;
    }

    /// The highest number that a server can have. Servers may join while the run goes on: which
    /// numbers exist is known only then.
    fn servers_ever(&self) -> u8 {
        let joining = |timed: &TimedAction| matches!(timed.action, Action::AddServer | Action::AddLearner);
        let joining = self.actions.iter().any(joining);
        if joining { MACHINES_MAX } else { self.parameters.servers }
    }

    fn check_timing(&self) -> Result<(), ConfigError> {
        self.check_config(None)
    }

    /// Whether a server can run with these parameters, and perhaps some of its own.
    fn check_config(&self, own: Option<&OwnTiming>) -> Result<(), ConfigError> {
        let Some(id) = ServerId::new(ClientId::PERSON.0) else { return Ok(()) };
        let mut config = Config::new(id, 0);
        self.parameters.timing.apply_to(&mut config);
        self.parameters.limits.apply_to(&mut config);
        if let Some(own) = own {
            own.apply_to(&mut config);
        }
        config.check()
    }

    /// Whether an action makes sense in this world.
    ///
    /// # Errors
    /// Why it doesn't.
    pub fn check_action(&self, action: &Action) -> Result<(), ScenarioError> {
        self.check_with(action, self.servers_ever())
    }

    fn check_with(&self, action: &Action, servers_ever: u8) -> Result<(), ScenarioError> {
        let servers = self.parameters.servers;
        let exists = |server: ServerId| {
            if server.number() <= servers_ever { Ok(()) } else { Err(ScenarioError::NoSuchServer(server)) }
        };
        let aims = |target: Target| if let Target::Server(server) = target { exists(server) } else { Ok(()) };
        let likely = |name, ppm| {
            if ppm <= CERTAIN { Ok(()) } else { Err(ScenarioError::Parameters(ParameterError::Probability(name, ppm))) }
        };
        match action {
            Action::Crash(target)
            | Action::Pause(target)
            | Action::Wipe(target)
            | Action::Rot(target)
            | Action::FailWrite(target)
            | Action::TearWrite(target)
            | Action::Isolate(target)
            | Action::Mute(target)
            | Action::Deafen(target)
            | Action::IsolateWithNewcomers(target)
            | Action::RenewDisk(target)
            | Action::ReadAt(target)
            | Action::ShiftClock { target, .. } => aims(*target),
            Action::Restart(server)
            | Action::Resume(server)
            | Action::Campaign(server)
            | Action::JumpClock { server, .. }
            | Action::StallDisk { server, .. }
            | Action::FillDisk { server, .. }
            | Action::TransferLeadership(server)
            | Action::RemoveServer(server)
            | Action::AddBack(server) => exists(*server),
            Action::Configure { server, with } => {
                let fits = self.check_config(Some(with));
                fits.map_err(|error| ScenarioError::Parameters(ParameterError::Timing(error)))?;
                exists(*server)
            }
            Action::SetClockRate { server, rate } => {
                if *rate > CLOCK_RATE_MAX {
                    return Err(ScenarioError::ClockRate(*rate));
                }
                exists(*server)
            }
            Action::SetFsync { server, min, max } => {
                if min > max {
                    return Err(ScenarioError::Parameters(ParameterError::Reversed("disk fsync")));
                }
                exists(*server)
            }
            Action::Cut { from, to } | Action::Heal { from, to } | Action::Impair { from, to, .. } => {
                exists(*from)?;
                exists(*to)?;
                if from == to {
                    return Err(ScenarioError::LinkToItself(*from));
                }
                if let Action::Impair { loss, .. } = action { likely("link loss", *loss) } else { Ok(()) }
            }
            Action::Partition(groups)
                if groups.len() < usize::from(servers) || groups.len() > usize::from(MACHINES_MAX) =>
            {
                Err(ScenarioError::Groups { given: groups.len(), servers })
            }
            Action::SetStraggling { share, .. } => likely("network straggling", *share),
            Action::SetLate { share, .. } => likely("share of late messages", *share),
            Action::SetLoss(ppm) => likely("network loss", *ppm),
            Action::SetDuplication(ppm) => likely("network duplication", *ppm),
            Action::SetLatency { min, .. } if *min == Duration::ZERO => {
                Err(ScenarioError::Parameters(ParameterError::Zero("the shortest network latency")))
            }
            Action::SetLatency { min, max } if min > max => {
                Err(ScenarioError::Parameters(ParameterError::Reversed("network latency")))
            }
            Action::Submit(line) => Simulation::check_line(line)
                .map_err(|error| ScenarioError::Line { line: line.clone(), why: error.to_string() }),
            Action::Partition(_)
            | Action::HealAll
            | Action::RestartAll
            | Action::ResumeAll
            | Action::SetLatency { .. }
            | Action::DropMessage(_)
            | Action::DuplicateMessage(_)
            | Action::HoldMessage(_)
            | Action::DeliverMessage(_)
            | Action::AddServer
            | Action::AddLearner
            | Action::ReadAnywhere
            | Action::HealQuorum(_) => Ok(()),
        }
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScenarioError::Parameters(error) => error.fmt(f),
            ScenarioError::NoSuchServer(server) => write!(f, "there is no {server} in this cluster"),
            ScenarioError::LinkToItself(server) => write!(f, "{server} has no link to itself: name two servers"),
            ScenarioError::Groups { given, servers } => {
                write!(f, "the partition names {given} groups for {servers} servers: name one for each")
            }
            ScenarioError::ClockRate(rate) => {
                write!(
                    f,
                    "a clock rate of {rate} parts per million is too fast: {CLOCK_RATE_MAX} is the most there can be"
                )
            }
            ScenarioError::TooManyServers => {
                write!(f, "a run has at most {MACHINES_MAX} servers, those that have left included: start a new one")
            }
            ScenarioError::Line { why, .. } => f.write_str(why),
            ScenarioError::OutOfOrder { position } => {
                write!(f, "action {position} comes before the one listed before it: sort them by time")
            }
        }
    }
}

impl core::error::Error for ScenarioError {}
