//! Client sessions: they make a retried operation take effect only once (dissertation §6.3).

use super::Domain;
use super::codec::outcome_parts;
use super::operation::Outcome;
use super::text::Value;
use crate::shared_map::SharedMap;
use alloc::vec::Vec;
use core::fmt;

/// A session's id: the log index at which the entry that opened it was applied. From 1.
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
    /// Whether a serial seen before is answered from memory instead of executed again. On by
    /// default. If it is off, a retry or a copy made by the network executes again, which sessions
    /// exist to prevent (Raft §8, dissertation §6.3).
    pub deduplicate: bool,
    /// The most sessions kept; opening one more expires the least recently used. 1,024 by default;
    /// 0 is taken as 1.
    pub sessions_max: u32,
    /// The most outcomes that a session remembers, and so the most operations that a client may
    /// have in flight. 16 by default; with 0, a retry is always refused.
    pub answers_max: u32,
    /// A session that was last used more than this many log indexes ago has expired. With `None`,
    /// the default, idle sessions don't expire.
    pub session_idle_max: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { deduplicate: true, sessions_max: 1024, answers_max: 16, session_idle_max: None }
    }
}

/// One client's session, as every server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub(super) id: SessionId,
    pub(super) client: u64,
    pub(super) last_used: u64,
    pub(super) newest_forgotten: u64,
    /// Sorted by serial, all above `newest_forgotten`. A client with one operation in flight has
    /// one.
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
        let digest = Domain::Answer
            .digest()
            .number(serial)
            .number(u64::from(tag))
            .bytes(value.map_or(&[], Value::as_bytes))
            .finish();
        Answer { serial, outcome, digest }
    }
}

/// What a session knows of a serial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// It has not been executed.
    New,
    /// It has been executed, with this outcome.
    Answered(Outcome),
    /// It may have been executed: the outcomes of serials up to `newest_forgotten` are forgotten.
    Forgotten { newest_forgotten: u64 },
}

impl Session {
    pub(super) fn new(id: SessionId, client: u64) -> Self {
        Session { id, client, last_used: id.0, newest_forgotten: 0, answers: Vec::new() }
    }

    /// Its id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The number of the client that opened it.
    pub fn client(&self) -> u64 {
        self.client
    }

    /// The log index of the last command in it, or of the one that opened it.
    pub fn last_used(&self) -> u64 {
        self.last_used
    }

    /// Serials up to this one are refused: their outcomes are forgotten. 0 when none are.
    pub fn newest_forgotten(&self) -> u64 {
        self.newest_forgotten
    }

    /// The serials that it remembers, ascending, with their outcomes.
    pub fn answers(&self) -> impl ExactSizeIterator<Item = (u64, &Outcome)> + DoubleEndedIterator {
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
            return Recall::Forgotten { newest_forgotten: self.newest_forgotten };
        }
        match self.answers.binary_search_by_key(&serial, |a| a.serial) {
            Ok(at) => Recall::Answered(self.answers[at].outcome.clone()),
            Err(_) => Recall::New,
        }
    }

    /// Remembers an outcome, and forgets the oldest while there are more than `answers_max`. From
    /// then on the forgotten serials are refused, not executed a second time.
    pub(super) fn record(&mut self, serial: u64, outcome: Outcome, answers_max: u32) {
        if serial <= self.newest_forgotten {
            // This happens only without deduplication, which executes even serials that are too
            // old.
            return;
        }
        match self.answers.binary_search_by_key(&serial, |a| a.serial) {
            Ok(at) => self.answers[at] = Answer::new(serial, outcome),
            Err(at) => {
                // Made in place at the end, where it belongs unless a later serial came first.
                self.answers.extend(core::iter::once_with(|| Answer::new(serial, outcome)));
                self.answers[at..].rotate_right(1);
            }
        }
        while self.answers.len() as u64 > u64::from(answers_max) {
            self.newest_forgotten = self.answers.remove(0).serial;
        }
    }

    fn is_idle(&self, index: u64, settings: &Settings) -> bool {
        settings.session_idle_max.is_some_and(|idle_max| index - self.last_used > idle_max)
    }

    fn digest(&self) -> u64 {
        let answers = self.answers.iter().fold(0u64, |sum, answer| sum.wrapping_add(answer.digest));
        Domain::Session
            .digest()
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
    /// Each with its digest.
    table: SharedMap<SessionId, (Session, u64)>,
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
        self.table.get(&id).map(|(session, _)| session)
    }

    /// In the order they were opened.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Session> + DoubleEndedIterator {
        self.table.iter().map(|(_, (session, _))| session)
    }

    /// Opens a session at `index`. Gives the sessions that expired for it: the idle ones, then the
    /// least recently used until there is room.
    pub(super) fn open(&mut self, index: u64, client: u64, settings: &Settings) -> Vec<SessionId> {
        let mut expired: Vec<SessionId> =
            self.iter().filter(|session| session.is_idle(index, settings)).map(Session::id).collect();
        for &id in &expired {
            self.remove(id);
        }
        while self.len() as u64 >= u64::from(settings.sessions_max.max(1)) {
            let oldest = self.iter().min_by_key(|session| session.last_used);
            let id = oldest.expect("a full table is not empty").id;
            self.remove(id);
            expired.push(id);
        }
        self.insert(Session::new(SessionId(index), client));
        expired
    }

    /// Uses a session at `index`; `None` if there is none with that id, or none any more.
    pub(super) fn with<R>(
        &mut self,
        id: SessionId,
        index: u64,
        settings: &Settings,
        job: impl FnOnce(&mut Session) -> R,
    ) -> Option<R> {
        let (session, digest) = self.table.get_mut(&id)?;
        if session.is_idle(index, settings) {
            self.remove(id);
            return None;
        }
        session.last_used = index;
        let result = job(session);
        let before = core::mem::replace(digest, session.digest());
        self.digest = self.digest.wrapping_sub(before).wrapping_add(*digest);
        Some(result)
    }

    pub(super) fn insert(&mut self, session: Session) {
        let digest = session.digest();
        self.digest = self.digest.wrapping_add(digest);
        let before = self.table.insert(session.id, (session, digest));
        assert!(before.is_none(), "an index opens one session only");
    }

    fn remove(&mut self, id: SessionId) {
        if let Some((_, digest)) = self.table.remove(&id) {
            self.digest = self.digest.wrapping_sub(digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::tests::all_outcomes;
    use super::super::testing::Bench;
    use super::super::{Applied, Command, StoreRefusal};
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::string::ToString;
    use alloc::vec;

    fn written(number: u64) -> Outcome {
        // Any outcome will do, as long as neighbours differ.
        Outcome::Written { replaced: number.is_multiple_of(2) }
    }

    /// A session that has executed these serials.
    fn session(serials: &[u64], answers_max: u32) -> Session {
        let mut session = Session::new(SessionId(1), 9);
        for &serial in serials {
            session.record(serial, written(serial), answers_max);
        }
        session
    }

    fn remembered(session: &Session) -> Vec<u64> {
        session.answers().map(|(serial, _)| serial).collect()
    }

    #[test]
    fn a_session_remembers_each_serial_whatever_the_order() {
        let session = session(&[3, 1, 2, 7], 16);
        assert_eq!(remembered(&session), [1, 2, 3, 7]);
        for serial in [1, 2, 3, 7] {
            assert_eq!(session.recall(serial), Recall::Answered(written(serial)));
        }
        for serial in [4, 5, 6, 8, u64::MAX] {
            assert_eq!(session.recall(serial), Recall::New);
        }
        assert_eq!(session.newest_forgotten(), 0);
    }

    #[test]
    fn what_the_client_no_longer_awaits_is_forgotten() {
        let mut session = session(&[1, 2, 3, 4], 16);
        session.forget_below(1);
        assert_eq!(remembered(&session), [1, 2, 3, 4]);
        session.forget_below(3);
        assert_eq!(remembered(&session), [3, 4]);
        let forgotten = Recall::Forgotten { newest_forgotten: 2 };
        assert_eq!(session.recall(1), forgotten);
        assert_eq!(session.recall(2), forgotten);
        assert_eq!(session.recall(3), Recall::Answered(written(3)));
        // A late copy that was sent earlier brings nothing back.
        session.forget_below(2);
        assert_eq!(session.newest_forgotten(), 2);
        session.forget_below(9);
        assert!(remembered(&session).is_empty());
        assert_eq!(session.recall(8), Recall::Forgotten { newest_forgotten: 8 });
        assert_eq!(session.recall(9), Recall::New);
    }

    #[test]
    fn the_oldest_answers_give_way_to_new_ones() {
        let session = session(&[1, 2, 3, 4], 2);
        assert_eq!(remembered(&session), [3, 4]);
        assert_eq!(session.newest_forgotten(), 2);
        assert_eq!(session.recall(2), Recall::Forgotten { newest_forgotten: 2 });
        assert_eq!(session.recall(5), Recall::New);
    }

    #[test]
    fn an_answer_that_there_is_no_room_for_is_forgotten_and_not_unknown() {
        let session = session(&[u64::MAX], 0);
        assert!(remembered(&session).is_empty());
        assert_eq!(session.recall(u64::MAX), Recall::Forgotten { newest_forgotten: u64::MAX });
    }

    #[test]
    fn recording_again_replaces_and_recording_the_forgotten_does_nothing() {
        let mut session = session(&[1, 2, 3], 16);
        session.record(2, Outcome::Swapped, 16);
        assert_eq!(session.recall(2), Recall::Answered(Outcome::Swapped));
        assert_eq!(remembered(&session), [1, 2, 3]);
        session.forget_below(3);
        session.record(2, Outcome::Swapped, 16);
        assert_eq!(remembered(&session), [3]);
        assert_eq!(session.newest_forgotten(), 2);
    }

    #[test]
    fn every_part_of_a_session_is_in_its_digest() {
        let base = session(&[1, 2], 16);
        let mut variants = vec![base.clone(), session(&[1], 16), session(&[1, 3], 16)];
        for change in [
            (|session| session.id.0 += 1) as fn(&mut Session),
            |session| session.client += 1,
            |session| session.last_used += 1,
            |session| session.newest_forgotten += 1,
        ] {
            let mut changed = base.clone();
            change(&mut changed);
            variants.push(changed);
        }
        for outcome in all_outcomes() {
            let mut changed = base.clone();
            changed.record(3, outcome, 16);
            variants.push(changed);
        }
        let digests: BTreeSet<u64> = variants.iter().map(Session::digest).collect();
        assert_eq!(digests.len(), variants.len());
    }

    fn small(sessions_max: u32) -> Settings {
        Settings { sessions_max, ..Settings::default() }
    }

    fn expired(session: u64, serial: u64) -> Applied {
        Applied::Refused(StoreRefusal::SessionExpired { session: SessionId(session), serial })
    }

    fn open_sessions(bench: &Bench) -> Vec<u64> {
        bench.store.sessions().map(|session| session.id().0).collect()
    }

    #[test]
    fn a_session_is_named_for_the_index_that_opened_it() {
        let mut store = super::super::Store::new(Settings::default());
        let applied = store.apply(41, &Command::OpenSession { client: 7 }.encode());
        assert_eq!(applied, Applied::SessionOpened { session: SessionId(41), client: 7, expired: vec![] });
        let session = store.session(SessionId(41)).unwrap();
        assert_eq!(session.id(), SessionId(41));
        assert_eq!((session.client(), session.last_used()), (7, 41));
        assert_eq!((session.newest_forgotten(), session.answers().len()), (0, 0));
        assert_eq!(store.session(SessionId(7)), None);
        assert_eq!(SessionId(41).to_string(), "session 41");
    }

    #[test]
    fn opening_one_too_many_expires_the_least_recently_used() {
        let mut bench = Bench::new(small(3));
        assert_eq!(bench.open(), (1, vec![]));
        assert_eq!(bench.open(), (2, vec![]));
        assert_eq!(bench.open(), (3, vec![]));
        // A retry and a refusal are uses too: the client is alive.
        bench.answer(1, 1, "put x 1");
        bench.answer(2, 1, "put x 1");
        bench.answer(1, 1, "put x 1");
        assert_eq!(bench.open(), (7, vec![3]));
        assert_eq!(bench.open(), (8, vec![2]));
        assert_eq!(open_sessions(&bench), [1, 7, 8]);
        assert_eq!(bench.run(3, 1, "put x 2"), expired(3, 1));
        assert_eq!(bench.run(2, 2, "put x 2"), expired(2, 2));
        assert_eq!(bench.get("x"), Some("1"));
        assert_eq!(bench.store.session(SessionId(1)).unwrap().last_used(), 6);
    }

    #[test]
    fn room_for_none_is_room_for_one() {
        for sessions_max in [0, 1] {
            let mut bench = Bench::new(small(sessions_max));
            assert_eq!(bench.open(), (1, vec![]));
            assert_eq!(bench.open(), (2, vec![1]));
            bench.answer(2, 1, "put x 1");
        }
    }

    #[test]
    fn by_default_1024_sessions_live() {
        let mut bench = Bench::new(Settings::default());
        for index in 1..=1024 {
            assert_eq!(bench.open(), (index, vec![]));
        }
        assert_eq!(bench.open(), (1025, vec![1]));
        assert_eq!(open_sessions(&bench).len(), 1024);
    }

    #[test]
    fn an_idle_session_expires_by_log_indexes() {
        let settings = Settings { session_idle_max: Some(3), ..Settings::default() };
        let mut bench = Bench::new(settings);
        bench.open();
        bench.open();
        // Session 1 was last used at 1 and is used again at 4: 3 later, and still alive.
        bench.answer(2, 1, "put x 1");
        bench.answer(1, 1, "put y 1");
        bench.answer(1, 2, "put y 2");
        bench.answer(1, 3, "put y 3");
        // Session 2 was last used at 3 and is used again at 7: 4 later.
        assert_eq!(open_sessions(&bench), [1, 2]);
        assert_eq!(bench.run(2, 2, "put x 2"), expired(2, 2));
        assert_eq!(open_sessions(&bench), [1]);
        assert_eq!(bench.get("x"), Some("1"));
    }

    #[test]
    fn opening_a_session_clears_away_all_idle_ones() {
        let settings = Settings { session_idle_max: Some(3), sessions_max: 4, ..Settings::default() };
        let mut bench = Bench::new(settings);
        for _ in 0..4 {
            bench.open();
        }
        assert_eq!(bench.open(), (5, vec![1]));
        bench.answer(4, 1, "put x 1");
        bench.answer(4, 2, "put x 1");
        assert_eq!(bench.open(), (8, vec![2, 3]));
        assert_eq!(open_sessions(&bench), [4, 5, 8]);
    }

    #[test]
    fn when_all_are_idle_none_need_make_room_besides() {
        let settings = Settings { session_idle_max: Some(0), sessions_max: 1, ..Settings::default() };
        let mut bench = Bench::new(settings);
        assert_eq!(bench.open(), (1, vec![]));
        assert_eq!(bench.open(), (2, vec![1]));
        // The next entry is one index later, which is too late.
        assert_eq!(bench.run(2, 1, "put x 1"), expired(2, 1));
        assert_eq!(bench.store.sessions().count(), 0);
    }

    #[test]
    #[should_panic(expected = "an index opens one session only")]
    fn a_name_is_given_once() {
        let mut sessions = Sessions::default();
        sessions.insert(session(&[], 1));
        sessions.insert(session(&[], 1));
    }

    #[test]
    fn the_digest_of_all_sessions_follows_every_change() {
        let mut sessions = Sessions::default();
        let settings = small(2);
        let check = |sessions: &Sessions| {
            let mut rebuilt = Sessions::default();
            for session in sessions.iter().rev() {
                rebuilt.insert(session.clone());
            }
            assert_eq!(rebuilt, *sessions);
        };
        for index in 1..20 {
            sessions.open(index * 10, index, &settings);
            check(&sessions);
            let used = sessions.with(SessionId(index * 10), index * 10 + 1, &settings, |session| {
                session.record(1, Outcome::Swapped, 1);
            });
            assert_eq!(used, Some(()));
            check(&sessions);
        }
        assert_eq!(sessions.len(), 2);
    }
}
