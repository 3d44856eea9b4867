//! What happened, for those who watch: servers' observations and the world's own events, as data and as sentences.

use alloc::format;
use alloc::string::String;

use super::client::ClientId;
use super::parameters::Ppm;
use crate::raft::{Observation, Sentence, ServerId, Weight};
use crate::time::Time;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// When, on the world's clock.
    pub at: Time,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A server noticed something.
    Observed(ServerId, Observation),
    /// A server lost power; so many writes were on their way to its disk.
    Crashed(ServerId, usize),
    /// A server started, in its nth life.
    Started(ServerId, u32),
    /// A link was cut in one direction.
    Cut(ServerId, ServerId),
    /// A link was healed in one direction.
    Healed(ServerId, ServerId),
    /// The network was split into groups.
    Partitioned(String),
    /// Every link works again.
    AllHealed,
    /// Another share of messages is lost from now on.
    LossSet(Ppm),
    /// A client began an operation.
    Began(ClientId, String),
    /// A client's operation ended.
    Ended(ClientId, String, String),
}

impl News {
    /// The server it is about, if it is about one.
    pub fn server(&self) -> Option<ServerId> {
        match self.what {
            What::Observed(server, _) | What::Crashed(server, _) | What::Started(server, _) => Some(server),
            _ => None,
        }
    }

    /// In words.
    pub fn sentence(&self) -> Sentence {
        let (weight, text) = match &self.what {
            What::Observed(server, observation) => return observation.sentence(*server),
            What::Crashed(server, 0) => (Weight::Turning, format!("{server} crashed. All it knew is on its disk.")),
            What::Crashed(server, _) => {
                (Weight::Turning, format!("{server} crashed while it was writing: what wasn’t synced may be gone."))
            }
            What::Started(server, 1) => (Weight::Detail, format!("{server} started.")),
            What::Started(server, _) => {
                (Weight::Turning, format!("{server} restarted with what was on its disk; all else it forgot."))
            }
            What::Cut(from, to) => (Weight::Turning, format!("The link from {from} to {to} is cut.")),
            What::Healed(from, to) => (Weight::Turning, format!("The link from {from} to {to} works again.")),
            What::Partitioned(groups) => (Weight::Turning, format!("The network is split: {groups}.")),
            What::AllHealed => (Weight::Turning, String::from("Every link works again.")),
            What::LossSet(ppm) => {
                let (percent, rest) = (ppm / 10_000, ppm % 10_000 / 100);
                (Weight::Turning, format!("From now on {percent}.{rest:02} % of messages are lost."))
            }
            What::Began(client, request) => (Weight::Detail, format!("{} asks: {request}.", capital(*client))),
            What::Ended(client, request, answer) => {
                let weight = if *client == ClientId::PERSON { Weight::Notable } else { Weight::Detail };
                (weight, format!("{} has an answer to {request}: {answer}.", capital(*client)))
            }
        };
        let section = match &self.what {
            What::Crashed(..) | What::Started(..) => "Raft §5.5",
            What::Cut(..) | What::Partitioned(_) => "Raft §5.1",
            What::Began(..) | What::Ended(..) => "Raft §8",
            _ => "",
        };
        Sentence { text, weight, section }
    }
}

fn capital(client: ClientId) -> String {
    if client == ClientId::PERSON { String::from("Client 1 (you)") } else { format!("Client {}", client.0) }
}
