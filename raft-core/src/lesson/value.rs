//! What an expression is about.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::listed::listed;
use crate::raft::{ServerId, ServerSet};
use crate::time::Duration;

listed! {
    /// What kind of thing a value is.
    Kind {
        /// Something is so, or it isn't.
        Flag "yes or no";
        /// A whole number: a term, an index, how many.
        Number "a number";
        /// A length of time.
        Time "a length of time";
        /// A server, or nobody.
        Server "a server";
        /// Some servers.
        Servers "servers";
        /// What a server does at the moment.
        Role "a role";
        /// A key, a value, an answer.
        Text "a text";
    }
}

listed! {
    /// What a server does at the moment.
    RoleWord {
        /// It is down.
        Crashed "crashed";
        /// It follows a leader, or waits for one.
        Follower "follower";
        /// It asks whether it would be elected.
        PreCandidate "pre-candidate";
        /// It asks for votes.
        Candidate "candidate";
        /// It leads.
        Leader "leader";
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Whether something is so.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A length of time, in microseconds.
    Time(i64),
    /// A server; `None` is nobody.
    Server(Option<ServerId>),
    /// Some servers.
    Servers(ServerSet),
    /// What a server does.
    Role(RoleWord),
    /// A text.
    Text(String),
}

impl Value {
    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Flag(_) => Kind::Flag,
            Value::Number(_) => Kind::Number,
            Value::Time(_) => Kind::Time,
            Value::Server(_) => Kind::Server,
            Value::Servers(_) => Kind::Servers,
            Value::Role(_) => Kind::Role,
            Value::Text(_) => Kind::Text,
        }
    }

    /// What stands for a fact about nobody: not so, 0, nobody, nothing.
    pub(super) fn nothing(kind: Kind) -> Value {
        match kind {
            Kind::Flag => Value::Flag(false),
            Kind::Number => Value::Number(0),
            Kind::Time => Value::Time(0),
            Kind::Server => Value::Server(None),
            Kind::Servers => Value::Servers(ServerSet::EMPTY),
            Kind::Role => Value::Role(RoleWord::Crashed),
            Kind::Text => Value::Text(String::new()),
        }
    }

    pub(super) fn is_so(&self) -> bool {
        matches!(self, Value::Flag(true))
    }

    /// As a sentence has it: `S3`, `S1, S2 and S4`, `nobody`, `0.150 s`; with a language's words
    /// for “and” and “nobody”.
    pub fn said(&self, and: &str, nobody: &str) -> String {
        match self {
            Value::Server(None) => nobody.to_string(),
            Value::Servers(servers) => {
                let names: Vec<String> = servers.iter().map(|server| server.to_string()).collect();
                match names.split_last() {
                    None => nobody.to_string(),
                    Some((last, [])) => last.clone(),
                    Some((last, others)) => format!("{} {and} {last}", others.join(", ")),
                }
            }
            other => other.to_string(),
        }
    }
}

/// In English; see [`Value::said`].
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(so) => f.write_str(if *so { "yes" } else { "no" }),
            Value::Number(number) => number.fmt(f),
            Value::Time(micros) => {
                let length = Duration::from_micros(micros.unsigned_abs());
                let sign = if *micros < 0 { "−" } else { "" };
                write!(f, "{sign}{}", length.rounded())
            }
            Value::Server(Some(server)) => server.fmt(f),
            Value::Server(None) | Value::Servers(_) => f.write_str(&self.said("and", "nobody")),
            Value::Role(role) => f.write_str(role.name()),
            Value::Text(text) => f.write_str(text),
        }
    }
}

impl From<ServerId> for Value {
    fn from(server: ServerId) -> Value {
        Value::Server(Some(server))
    }
}

impl From<Option<ServerId>> for Value {
    fn from(server: Option<ServerId>) -> Value {
        Value::Server(server)
    }
}

impl From<ServerSet> for Value {
    fn from(servers: ServerSet) -> Value {
        Value::Servers(servers)
    }
}

impl From<bool> for Value {
    fn from(so: bool) -> Value {
        Value::Flag(so)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Value {
        Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Duration> for Value {
    fn from(length: Duration) -> Value {
        Value::Time(i64::try_from(length.as_micros()).unwrap_or(i64::MAX))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}
