//! The state machine that servers host: the key-value store, with request keys around it, and the
//! members' addresses around both. And its commands and answers, as the HTTP API needs them.

use raft_core::kv::{self, Applied, Command, Operation, Outcome, Settings, Store};
use raft_core::once::{self, Envelope, Once};
use raft_core::raft::Bytes;

pub use raft_core::kv::Condition;
pub use raft_core::once::RequestKey;

use crate::changes::Change;
use crate::machine::{self, Machine};

/// What servers host.
pub type Hosted = Machine<Once<Store>>;

/// An empty one.
pub fn hosted() -> Hosted {
    Machine::new(Once::new(Store::new(Settings::default()), once::Settings::default()))
}

/// The store inside.
pub fn pairs(hosted: &Hosted) -> &Store {
    hosted.inner().inner()
}

/// A write, as clients ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What to do.
    pub operation: Operation,
    /// What must hold for it.
    pub condition: Condition,
    /// The key by which a repetition is recognized, if there is one.
    pub request_key: Option<RequestKey>,
}

impl Write {
    /// The write as a command for the log.
    pub fn command(&self) -> Bytes {
        let command = Command::Direct { condition: self.condition, operation: self.operation.clone() };
        machine::wrap(&Envelope { key: self.request_key.clone(), command: command.encode() }.encode())
    }

    /// Whether the condition holds of a pair with this revision, so that a refusal must be for the
    /// value that a compare-and-set expects: of one that is long, only the revision is remembered.
    pub fn is_held_by(&self, revision: u64) -> bool {
        let condition_holds = match self.condition {
            Condition::Always => true,
            Condition::Absent => false,
            Condition::Revision(wanted) => wanted == revision,
        };
        condition_holds && matches!(self.operation, Operation::CompareAndSet { .. })
    }
}

/// The answer to a [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was executed.
    Done {
        /// What it did.
        outcome: Outcome,
        /// The pair's revision afterwards; the entry's index if the key has no value then.
        revision: u64,
        /// Whether it had been executed before, so that nothing was done this time.
        repeated: bool,
    },
    /// Its condition didn't hold. Nothing was done.
    ConditionFailed {
        /// The pair's revision; none if the key has no value. If the condition
        /// [holds](Write::is_held_by) of it, the value was another one than expected, and long.
        revision: Option<u64>,
    },
    /// Its request key belongs to another write. Nothing was done.
    KeyReused,
    /// The state machine couldn't read it: a fault of ours.
    Malformed(String),
}

impl Answer {
    /// Reads the state machine's answer to the entry at `index`.
    pub fn of(index: u64, answer: &[u8]) -> Answer {
        let (index, inner, repeated) = match once::Answer::decode(answer) {
            Ok(once::Answer::Applied { answer }) => (index, answer, false),
            Ok(once::Answer::Repeated { index, answer }) => (index, answer, true),
            Ok(once::Answer::KeyReused { .. }) => return Answer::KeyReused,
            Ok(once::Answer::NoEnvelope) => return Answer::Malformed("the entry has no envelope".into()),
            Err(error) => return Answer::Malformed(error.to_string()),
        };
        match Applied::decode(&inner) {
            Ok(Applied::Direct { outcome: Some(outcome), revision }) => {
                Answer::Done { outcome, revision: revision.unwrap_or(index), repeated }
            }
            Ok(Applied::Direct { outcome: None, revision }) => Answer::ConditionFailed { revision },
            Ok(other) => Answer::Malformed(other.to_string()),
            Err(error) => Answer::Malformed(error.to_string()),
        }
    }
}

/// What the entry at `index` has changed, if anything.
pub fn change(index: u64, command: &[u8], answer: &[u8]) -> Option<Change> {
    let (_, command) = Envelope::open(machine::unwrap(command)?).ok()?;
    let Ok(once::Answer::Applied { answer }) = once::Answer::decode(answer) else { return None };
    let kv::Change { key, value, revision } = kv::Change::of(index, command, &answer).ok()??;
    Some(Change {
        key: key.as_str().to_owned(),
        value: value.map(|value| bytes::Bytes::copy_from_slice(value.as_bytes())),
        revision,
    })
}
