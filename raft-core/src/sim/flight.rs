//! Messages on their way: their senders and receivers, what they say, and how they are lost.

use super::client::{Answer, ClientId, ClientRequest};
use crate::raft::{Message, ServerId};
use crate::time::Time;

/// The sender or the receiver of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A server.
    Server(ServerId),
    /// A client.
    Client(ClientId),
}

/// `S3`, `client 2`.
impl core::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Endpoint::Server(server) => server.fmt(f),
            Endpoint::Client(client) => client.fmt(f),
        }
    }
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Between servers.
    Raft(Message),
    /// From a client to a server.
    Request(ClientRequest),
    /// From a server to a client.
    Answer(Answer),
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Numbers all messages of the run.
    pub number: u64,
    /// The sender.
    pub from: Endpoint,
    /// The receiver.
    pub to: Endpoint,
    /// When it left.
    pub sent: Time,
    /// When it arrives, or would have arrived.
    pub arrives: Time,
    /// When and why it is lost on the way, if it is.
    pub lost: Option<Loss>,
    /// Since when a person holds it, if one does. It stays where it is until it is delivered by
    /// hand.
    pub held: Option<Time>,
    /// Whether it is late, by [`Action::SetLate`](super::Action::SetLate). Then it is lost only if
    /// its link is cut when it arrives.
    pub late: bool,
    /// What it says.
    pub body: Body,
}

/// How a message is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// When. How far it has come by then is where it is lost.
    pub at: Time,
    /// Why.
    pub why: LossReason,
}

/// Why a message is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossReason {
    /// The network, or its link, loses a share of messages.
    Chance,
    /// Its link is cut, or was when it was sent.
    Cut,
    /// Its receiver is down.
    ReceiverDown,
    /// A person dropped it.
    Dropped,
}
