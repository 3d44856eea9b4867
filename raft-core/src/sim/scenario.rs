//! A scenario: everything a run is made from.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::action::{Action, Target, TimedAction};
use super::parameters::{CERTAIN, ParameterError, Parameters};
use super::{ClientId, Simulation};
use crate::raft::{Config, ConfigError, ServerId};

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
        self.parameters.check().map_err(ScenarioError::Parameters)?;
        self.check_timing().map_err(|e| ScenarioError::Parameters(ParameterError::Timing(e)))?;
        if let Some(position) = (1..self.actions.len()).find(|i| self.actions[*i].at < self.actions[*i - 1].at) {
            return Err(ScenarioError::OutOfOrder { position });
        }
        self.actions.iter().try_for_each(|timed| self.check_action(&timed.action))
    }

    fn check_timing(&self) -> Result<(), ConfigError> {
        let Some(id) = ServerId::new(ClientId::PERSON.0) else { return Ok(()) };
        let timing = self.parameters.timing;
        Config {
            election_timeout_min: timing.election_timeout_min,
            election_timeout_max: timing.election_timeout_max,
            heartbeat_interval: timing.heartbeat_interval,
            ..Config::new(id, 0)
        }
        .check()
    }

    /// Whether an action makes sense in this world.
    ///
    /// # Errors
    /// Why it doesn't.
    pub fn check_action(&self, action: &Action) -> Result<(), ScenarioError> {
        let servers = self.parameters.servers;
        let exists = |server: ServerId| {
            if server.number() <= servers { Ok(()) } else { Err(ScenarioError::NoSuchServer(server)) }
        };
        match action {
            Action::Crash(Target::Server(server)) | Action::Restart(server) => exists(*server),
            Action::Cut { from, to } | Action::Heal { from, to } => {
                exists(*from)?;
                exists(*to)?;
                if from == to { Err(ScenarioError::LinkToItself(*from)) } else { Ok(()) }
            }
            Action::Partition(groups) if groups.len() != usize::from(servers) => {
                Err(ScenarioError::Groups { given: groups.len(), servers })
            }
            Action::SetLoss(ppm) if *ppm > CERTAIN => {
                Err(ScenarioError::Parameters(ParameterError::Probability("network loss", *ppm)))
            }
            Action::Submit(line) => Simulation::check_line(line)
                .map_err(|error| ScenarioError::Line { line: line.clone(), why: error.to_string() }),
            Action::Crash(Target::Leader) | Action::Partition(_) | Action::HealAll | Action::SetLoss(_) => Ok(()),
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
            ScenarioError::Line { why, .. } => f.write_str(why),
            ScenarioError::OutOfOrder { position } => {
                write!(f, "action {position} comes before the one listed before it: sort them by time")
            }
        }
    }
}

impl core::error::Error for ScenarioError {}
