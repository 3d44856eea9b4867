//! Client sessions: what makes a retried operation take effect once (dissertation §6.3).

use super::codec::outcome_parts;
use super::digest::{Digest, Domain};
use super::operation::Outcome;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// A session's name: the log index at which the entry that opened it was applied. From 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}", self.0)
    }
}

/// How a store treats its sessions. All servers of a cluster must have the same settings: they
/// decide what a log entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Whether a serial seen before is answered from memory instead of being executed again. On by
    /// default; off, a retry or a copy made by the network executes again, which is what sessions
    /// are there to prevent (Raft §8, dissertation §6.3).
    pub deduplicate: bool,
    /// The most sessions kept; opening one more expires the least recently used. 1,024 by default;
    /// 0 is taken as 1.
    pub sessions_max: u32,
    /// The most outcomes a session remembers, hence the most operations a client may have in
    /// flight. 16 by default; with 0, a retry is never answered but refused.
    pub answers_max: u32,
    /// A session that was last used more than this many log indexes ago has expired. `None`, the
    /// default: never for that reason.
    pub session_idle_max: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            deduplicate: true,
            sessions_max: 1024,
            answers_max: 16,
            session_idle_max: None,
        }
    }
}

/// One client's session, as every server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub(super) id: SessionId,
    pub(super) client: u64,
    pub(super) last_used: u64,
    pub(super) newest_forgotten: u64,
    /// By ascending serial, all above `newest_forgotten`. One for a client that has one operation
    /// in flight.
    pub(super) answers: Vec<Answer>,
}

/// The outcome of one serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) serial: u64,
    pub(super) outcome: Outcome,
    /// Kept, because an outcome may carry a large value.
    digest: u64,
}

impl Answer {
    pub(super) fn new(serial: u64, outcome: Outcome) -> Self {
        let (tag, value) = outcome_parts(&outcome);
        let digest = Digest::new(Domain::Answer)
            .number(serial)
            .number(u64::from(tag))
            .bytes(value.map_or(&[], |value| value.as_str().as_bytes()))
            .finish();
        Answer {
            serial,
            outcome,
            digest,
        }
    }
}

/// What a session knows of a serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// It has not been executed.
    New,
    /// It has, with this outcome.
    Answered(Outcome),
    /// It may have been: what was known of serials up to `newest_forgotten` is gone.
    Forgotten { newest_forgotten: u64 },
}

impl Session {
    pub(super) fn new(id: SessionId, client: u64) -> Self {
        Session {
            id,
            client,
            last_used: id.0,
            newest_forgotten: 0,
            answers: Vec::new(),
        }
    }

    /// Its name.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The number that the client which opened it goes by.
    pub fn client(&self) -> u64 {
        self.client
    }

    /// The log index of the last command that named it, or that opened it.
    pub fn last_used(&self) -> u64 {
        self.last_used
    }

    /// Serials up to this one are refused: their outcomes are forgotten. 0 when none are.
    pub fn newest_forgotten(&self) -> u64 {
        self.newest_forgotten
    }

    /// The serials it remembers with their outcomes, ascending.
    pub fn answers(&self) -> impl DoubleEndedIterator<Item = (u64, &Outcome)> {
        self.answers.iter().map(|a| (a.serial, &a.outcome))
    }

    /// Forgets the outcomes that the client no longer awaits.
    pub(super) fn forget_below(&mut self, oldest_awaited: u64) {
        let count = self.answers.partition_point(|a| a.serial < oldest_awaited);
        self.answers.drain(..count);
        self.newest_forgotten = self.newest_forgotten.max(oldest_awaited.saturating_sub(1));
    }

    pub(super) fn recall(&self, serial: u64) -> Recall {
        if serial <= self.newest_forgotten {
            return Recall::Forgotten {
                newest_forgotten: self.newest_forgotten,
            };
        }
        match self.answers.binary_search_by_key(&serial, |a| a.serial) {
            Ok(at) => Recall::Answered(self.answers[at].outcome.clone()),
            Err(_) => Recall::New,
        }
    }

    /// Remembers an outcome, and forgets the oldest while there are more than `answers_max`. What
    /// is forgotten so is refused from then on rather than executed a second time.
    pub(super) fn record(&mut self, serial: u64, outcome: Outcome, answers_max: u32) {
        if serial <= self.newest_forgotten {
            // Only without deduplication, which executes even what is too old.
            return;
        }
        let answer = Answer::new(serial, outcome);
        match self.answers.binary_search_by_key(&serial, |a| a.serial) {
            Ok(at) => self.answers[at] = answer,
            Err(at) => self.answers.insert(at, answer),
        }
        while self.answers.len() as u64 > u64::from(answers_max) {
            self.newest_forgotten = self.answers.remove(0).serial;
        }
    }

    fn is_idle(&self, index: u64, settings: &Settings) -> bool {
        settings
            .session_idle_max
            .is_some_and(|idle_max| index - self.last_used > idle_max)
    }

    fn digest(&self) -> u64 {
        let answers = self
            .answers
            .iter()
            .fold(0u64, |sum, answer| sum.wrapping_add(answer.digest));
        Digest::new(Domain::Session)
            .number(self.id.0)
            .number(self.client)
            .number(self.last_used)
            .number(self.newest_forgotten)
            .number(self.answers.len() as u64)
            .number(answers)
            .finish()
    }
}

/// All sessions of a store. A clone shares them until one side changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sessions {
    table: Arc<BTreeMap<SessionId, Session>>,
    /// The sum of all sessions' digests.
    digest: u64,
}

impl Sessions {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session> {
        self.table.get(&id)
    }

    /// In the order they were opened.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Session> {
        self.table.values()
    }

    /// Opens a session at `index`, and says which ones had to go: the idle ones, then the least
    /// recently used until there is room.
    pub(super) fn open(&mut self, index: u64, client: u64, settings: &Settings) -> Vec<SessionId> {
        let mut expired: Vec<SessionId> = self
            .table
            .values()
            .filter(|session| session.is_idle(index, settings))
            .map(Session::id)
            .collect();
        for &id in &expired {
            self.remove(id);
        }
        while self.len() as u64 >= u64::from(settings.sessions_max.max(1)) {
            let oldest = self.table.values().min_by_key(|session| session.last_used);
            let id = oldest.expect("a full table is not empty").id;
            self.remove(id);
            expired.push(id);
        }
        self.insert(Session::new(SessionId(index), client));
        expired
    }

    /// Uses a session at `index`, or answers `None` when there is none of that name (any more).
    pub(super) fn with<R>(
        &mut self,
        id: SessionId,
        index: u64,
        settings: &Settings,
        job: impl FnOnce(&mut Session) -> R,
    ) -> Option<R> {
        if self.get(id)?.is_idle(index, settings) {
            self.remove(id);
            return None;
        }
        let session = Arc::make_mut(&mut self.table).get_mut(&id)?;
        let before = session.digest();
        session.last_used = index;
        let result = job(session);
        self.digest = self
            .digest
            .wrapping_sub(before)
            .wrapping_add(session.digest());
        Some(result)
    }

    pub(super) fn insert(&mut self, session: Session) {
        self.digest = self.digest.wrapping_add(session.digest());
        let before = Arc::make_mut(&mut self.table).insert(session.id, session);
        assert!(before.is_none(), "an index opens one session only");
    }

    fn remove(&mut self, id: SessionId) {
        if let Some(session) = Arc::make_mut(&mut self.table).remove(&id) {
            self.digest = self.digest.wrapping_sub(session.digest());
        }
    }
}
