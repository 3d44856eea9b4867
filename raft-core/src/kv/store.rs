//! The state machine itself: committed entries in, answers out.

use super::codec::DecodeError;
use super::command::CommandRef;
use super::digest::{Digest, Domain};
use super::operation::{OperationRef, Outcome, Query};
use super::pairs::Pairs;
use super::session::{Recall, Session, SessionId, Sessions, Settings};
use super::text::{Key, Value};
use alloc::vec::Vec;
use core::fmt;

/// One server's copy of the replicated store.
///
/// A clone shares keys, values and whole maps with the original until one of them changes.
///
/// ```
/// use raft_core::kv::{Applied, Command, Operation, Outcome, Request, SessionId, Settings, Store};
///
/// let mut store = Store::new(Settings::default());
/// store.apply(2, &Command::OpenSession { client: 7 }.encode());
///
/// let Request::Write(operation) = "put x 1".parse().unwrap() else { unreachable!() };
/// let command = Command::Apply {
///     session: SessionId(2),
///     serial: 1,
///     oldest_awaited: 1,
///     operation,
/// };
/// let written = |duplicate| Applied::Answered {
///     session: SessionId(2),
///     serial: 1,
///     outcome: Outcome::Written { replaced: false },
///     duplicate,
/// };
/// assert_eq!(store.apply(3, &command.encode()), written(false));
/// // The client heard nothing and tries again: answered, but not executed, a second time.
/// assert_eq!(store.apply(4, &command.encode()), written(true));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub(super) settings: Settings,
    pub(super) applied_index: u64,
    pub(super) pairs: Pairs,
    pub(super) sessions: Sessions,
}

/// What applying one entry did: the same on every server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Applied {
    /// A session was opened.
    SessionOpened {
        /// Its name, to be told to the client.
        session: SessionId,
        /// The client that asked.
        client: u64,
        /// The sessions that expired to make room, if any.
        expired: Vec<SessionId>,
    },
    /// An operation has its answer.
    Answered {
        /// The session it belongs to.
        session: SessionId,
        /// Its number within the session.
        serial: u64,
        /// What it did.
        outcome: Outcome,
        /// Whether it had been executed before, so that this time nothing was done.
        duplicate: bool,
    },
    /// Nothing was done, and nothing will be.
    Refused(Refusal),
}

/// Why an entry had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// No session of that name: it expired, or there never was one.
    SessionExpired {
        /// The session the command named.
        session: SessionId,
        /// The operation's number within it.
        serial: u64,
    },
    /// The session has forgotten whether this serial was executed, so it must not be executed now.
    SerialTooOld {
        /// The session the command named.
        session: SessionId,
        /// The operation's number within it.
        serial: u64,
        /// Outcomes up to this serial are forgotten.
        newest_forgotten: u64,
    },
    /// The entry's bytes are no command.
    Malformed(DecodeError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::SessionExpired { session, serial } => write!(
                f,
                "{session} has expired, so its operation {serial} was not executed now; \
                 whether an earlier try was can't be known any more"
            ),
            Refusal::SerialTooOld {
                session,
                serial,
                newest_forgotten,
            } => write!(
                f,
                "operation {serial} of {session} was not executed now: \
                 the outcomes of its operations up to {newest_forgotten} are forgotten"
            ),
            Refusal::Malformed(error) => write!(f, "the entry is not a command: {error}"),
        }
    }
}

impl core::error::Error for Refusal {}

impl Store {
    /// An empty store that has applied nothing.
    pub fn new(settings: Settings) -> Self {
        Store {
            settings,
            applied_index: 0,
            pairs: Pairs::default(),
            sessions: Sessions::default(),
        }
    }

    /// Applies the committed entry at `index`. Entries that are no commands (a leader's no-op, a
    /// membership change) also take up indexes, so indexes ascend but may skip.
    ///
    /// It never panics on the bytes: an entry that is no command is refused, here as on every other
    /// server.
    ///
    /// # Panics
    /// When `index` is not above [`applied_index`](Self::applied_index): entries are applied once,
    /// in log order.
    pub fn apply(&mut self, index: u64, bytes: &[u8]) -> Applied {
        assert!(
            index > self.applied_index,
            "entry {index} applied after entry {}",
            self.applied_index
        );
        self.applied_index = index;
        match CommandRef::decode(bytes) {
            Err(error) => Applied::Refused(Refusal::Malformed(error)),
            Ok(CommandRef::OpenSession { client }) => Applied::SessionOpened {
                session: SessionId(index),
                client,
                expired: self.sessions.open(index, client, &self.settings),
            },
            Ok(CommandRef::Apply {
                session,
                serial,
                oldest_awaited,
                operation,
            }) => self.apply_once(index, session, serial, oldest_awaited, operation),
        }
    }

    /// Executes an operation unless its session has seen its serial before.
    fn apply_once(
        &mut self,
        index: u64,
        id: SessionId,
        serial: u64,
        oldest_awaited: u64,
        operation: OperationRef<'_>,
    ) -> Applied {
        let settings = &self.settings;
        let pairs = &mut self.pairs;
        let answered = |outcome, duplicate| Applied::Answered {
            session: id,
            serial,
            outcome,
            duplicate,
        };
        let applied = self.sessions.with(id, index, settings, |session| {
            session.forget_below(oldest_awaited);
            if settings.deduplicate {
                match session.recall(serial) {
                    Recall::New => {}
                    Recall::Answered(outcome) => return answered(outcome, true),
                    Recall::Forgotten { newest_forgotten } => {
                        return Applied::Refused(Refusal::SerialTooOld {
                            session: id,
                            serial,
                            newest_forgotten,
                        });
                    }
                }
            }
            let outcome = pairs.execute(operation);
            session.record(serial, outcome.clone(), settings.answers_max);
            answered(outcome, false)
        });
        applied.unwrap_or(Applied::Refused(Refusal::SessionExpired {
            session: id,
            serial,
        }))
    }

    /// Answers a query from the state as it is now. Whether that is fresh enough is for the caller
    /// to know.
    pub fn query(&self, query: &Query) -> Outcome {
        Outcome::Found {
            value: self.get(query.key()).cloned(),
        }
    }

    /// The key's value, if it has one.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.pairs.get(key.as_str())
    }

    /// All pairs, in key order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Key, &Value)> + Clone {
        self.pairs.iter()
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sessions, in the order they were opened.
    pub fn sessions(&self) -> impl DoubleEndedIterator<Item = &Session> {
        self.sessions.iter()
    }

    /// The session of that name, unless it expired.
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(id)
    }

    /// The index of the last entry applied; 0 when there is none. Entries that are no commands
    /// don't count.
    pub fn applied_index(&self) -> u64 {
        self.applied_index
    }

    /// How it treats its sessions.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A number that stores in equal states share and that, but for a chance of about one in 2⁶⁴,
    /// others don't: over the pairs, the sessions and the applied index, not the settings. Takes
    /// constant time.
    pub fn digest(&self) -> u64 {
        Digest::new(Domain::Store)
            .number(self.applied_index)
            .number(self.pairs.len() as u64)
            .number(self.pairs.digest())
            .number(self.sessions.len() as u64)
            .number(self.sessions.digest())
            .finish()
    }
}
