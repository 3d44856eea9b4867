//! What a person or a script can do to the world. Everything a person does is one of these, so that a run is its seed and
//! its actions.

use alloc::string::String;
use alloc::vec::Vec;

use super::parameters::Ppm;
use crate::raft::ServerId;
use crate::time::Time;

/// Something done to the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A server loses power: everything volatile is gone, and of what wasn't durable, perhaps a beginning is left.
    Crash(Target),
    /// A crashed server starts again from its disk. One that runs is left alone.
    Restart(ServerId),
    /// Nothing gets from one server to another any more; the other direction is left alone.
    Cut {
        /// The sender.
        from: ServerId,
        /// The receiver.
        to: ServerId,
    },
    /// Messages get from one server to another again.
    Heal {
        /// The sender.
        from: ServerId,
        /// The receiver.
        to: ServerId,
    },
    /// Servers reach each other only within their group: a group number for each server, in order.
    Partition(Vec<u8>),
    /// Every link works again.
    HealAll,
    /// From now on so many messages are lost.
    SetLoss(Ppm),
    /// The person at the command line enters a command.
    Submit(String),
}

/// Whom an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// This server.
    Server(ServerId),
    /// The leader of the highest term, if there is one when the time comes.
    Leader,
}

/// An action and when it is done: after everything else of that instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimedAction {
    /// When, on the world's clock.
    pub at: Time,
    /// What.
    pub action: Action,
}

impl From<ServerId> for Target {
    fn from(server: ServerId) -> Target {
        Target::Server(server)
    }
}
