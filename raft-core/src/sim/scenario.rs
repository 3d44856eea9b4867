//! A scenario: everything a run is made from.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::ClientId;
use super::action::{Action, MessageKind, Target, TimedAction, action_fields, actions};
use super::parameters::{self, MACHINES_MAX, OwnTiming, ParameterError, Parameters, Ppm};
use crate::kv::CommandLine;
use crate::raft::{Config, ConfigError, ServerId};
use crate::time::{Duration, Time};

/// A hundred times too fast.
const CLOCK_RATE_MAX: u32 = 100_000_000;

/// The recipe of a run: the same scenario plays the same events, wherever and however often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// Every source of randomness is seeded from it.
    pub seed: u64,
    /// What the world is made of.
    pub parameters: Parameters,
    /// What is done to it, in the order of time.
    pub actions: Vec<TimedAction>,
}

/// A scenario that can't be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScenarioError {
    /// Its parameters don't make a valid world.
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
    /// A clock rate that is too high.
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
    /// The default world with this seed and this many servers.
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

    /// The first thing that is wrong with it, and the position of the wrong action, from 0, if it
    /// is an action.
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

    /// Leaves out the actions after `end`, and those about servers that would have joined only
    /// later.
    pub(crate) fn cut(&mut self, end: Time) {
        self.actions.retain(|timed| timed.at <= end);
        let servers = self.servers_ever();
        let mut actions = core::mem::take(&mut self.actions);
        actions.retain(|timed| !matches!(self.check_with(&timed.action, servers), Err(ScenarioError::NoSuchServer(_))));
        self.actions = actions;
    }

    /// The highest number that a server can have. Servers may join during the run, and which
    /// numbers exist is known only then.
    fn servers_ever(&self) -> u8 {
        let joining = |timed: &TimedAction| matches!(timed.action, Action::AddServer | Action::AddLearner);
        let joining = self.actions.iter().any(joining);
        if joining { MACHINES_MAX } else { self.parameters.servers }
    }

    fn check_timing(&self) -> Result<(), ConfigError> {
        self.check_config(None)
    }

    /// Whether a server can run with these parameters, and perhaps with its own timing.
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

    pub(super) fn check_with(&self, action: &Action, servers_ever: u8) -> Result<(), ScenarioError> {
        check_fields(action, servers_ever)?;
        let parameters = |error| Err(ScenarioError::Parameters(error));
        // What only one kind of action requires.
        match action {
            Action::Configure { .. } => self
                .check_config(action.own_timing().as_ref())
                .or_else(|error| parameters(ParameterError::Timing(error))),
            Action::SetFsync { min, max, .. } if min > max => parameters(ParameterError::Reversed("disk fsync")),
            Action::SetLatency { min, .. } if *min == Duration::ZERO => {
                parameters(ParameterError::Zero("the shortest network latency"))
            }
            Action::SetLatency { min, max } if min > max => parameters(ParameterError::Reversed("network latency")),
            Action::Cut { from, to } | Action::Heal { from, to } | Action::Impair { from, to, .. } if from == to => {
                Err(ScenarioError::LinkToItself(*from))
            }
            Action::Partition(groups) => {
                let (given, servers) = (groups.len(), self.parameters.servers);
                let fits = (usize::from(servers)..=usize::from(MACHINES_MAX)).contains(&given);
                if fits { Ok(()) } else { Err(ScenarioError::Groups { given, servers }) }
            }
            Action::Submit(line) => line
                .request()
                .map(|_| ())
                .map_err(|error| ScenarioError::Line { line: line.text().into(), why: error.to_string() }),
            _ => Ok(()),
        }
    }
}

/// Whether each field of an action is valid by itself, in a world with at most this many servers.
fn check_fields(action: &Action, servers: u8) -> Result<(), ScenarioError> {
    macro_rules! check {
        ($(
            $(#[$doc:meta])+
            $number:literal $name:literal $action:ident $(($($only:ident),+))? $({ $($field:ident),+ })?;
        )+) => {
            match action {
                $(Action::$action $(($($only),+))? $({ $($field),+ })? => {
                    $($(by_field::$only($only, servers)?;)+)?
                    $($(by_field::$field($field, servers)?;)+)?
                })+
            }
        };
    }
    actions!(check);
    Ok(())
}

/// The check of each field, by its name.
mod by_field {
    use super::*;

    macro_rules! define {
        ($($field:ident: $type:ty, $may_be:ident, $name:literal $form:ident, $example:literal;)+) => {
            $(
                #[inline]
                pub(super) fn $field(value: &$type, servers: u8) -> Result<(), ScenarioError> {
                    may_be::$may_be(concat!("“", $name, "”"), value, servers)
                }
            )+
        };
    }
    action_fields!(define);
}

/// The checks of fields.
mod may_be {
    use super::*;

    pub(super) fn existing(_: &str, server: &ServerId, servers: u8) -> Result<(), ScenarioError> {
        if server.number() <= servers { Ok(()) } else { Err(ScenarioError::NoSuchServer(*server)) }
    }

    pub(super) fn aimed(called: &str, target: &Target, servers: u8) -> Result<(), ScenarioError> {
        if let Target::Server(server) = target { existing(called, server, servers) } else { Ok(()) }
    }

    pub(super) fn clock_rate(_: &str, rate: &u32, _: u8) -> Result<(), ScenarioError> {
        if *rate <= CLOCK_RATE_MAX { Ok(()) } else { Err(ScenarioError::ClockRate(*rate)) }
    }

    pub(super) fn length(called: &'static str, length: &Duration, _: u8) -> Result<(), ScenarioError> {
        parameters::may_be::length(called, *length).map_err(ScenarioError::Parameters)
    }

    pub(super) fn jump(called: &'static str, micros: &i64, servers: u8) -> Result<(), ScenarioError> {
        length(called, &Duration::from_micros(micros.unsigned_abs()), servers)
    }

    pub(super) fn share(called: &'static str, share: &Ppm, _: u8) -> Result<(), ScenarioError> {
        parameters::may_be::share(called, *share).map_err(ScenarioError::Parameters)
    }

    pub(super) fn free<T>(_: &str, _: &T, _: u8) -> Result<(), ScenarioError> {
        Ok(())
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
