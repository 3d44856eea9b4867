//! The state machine itself: committed entries in, answers out.

use super::Domain;
use super::applied::{Applied, StoreRefusal};
use super::command::CommandRef;
use super::operation::{OperationRef, Outcome, Query};
use super::pairs::Pairs;
use super::session::{Recall, Session, SessionId, Sessions, Settings};
use super::text::{Key, Value};
use core::ops::Bound;

/// One server's copy of the replicated store.
///
/// A clone shares keys, values and whole maps with the original until one of the two changes.
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

impl Store {
    /// An empty store that has applied nothing.
    pub fn new(settings: Settings) -> Self {
        Store { settings, applied_index: 0, pairs: Pairs::default(), sessions: Sessions::default() }
    }

    /// Applies the committed entry at `index`. Entries that aren't commands (a leader's no-op, a
    /// membership change) have indexes, too, so indexes ascend but may have gaps.
    ///
    /// It never panics on the bytes: an entry that is no command is refused, on every server alike.
    ///
    /// # Panics
    /// When `index` is not above [`applied_index`](Self::applied_index): entries are applied once,
    /// in log order.
    pub fn apply(&mut self, index: u64, bytes: &[u8]) -> Applied {
        assert!(index > self.applied_index, "entry {index} applied after entry {}", self.applied_index);
        self.applied_index = index;
        match CommandRef::decode(bytes) {
            Err(error) => Applied::Refused(StoreRefusal::Malformed(*error)),
            Ok(CommandRef::OpenSession { client }) => Applied::SessionOpened {
                session: SessionId(index),
                client,
                expired: self.sessions.open(index, client, &self.settings),
            },
            Ok(CommandRef::Apply { session, serial, oldest_awaited, operation }) => {
                self.apply_once(index, session, serial, oldest_awaited, operation)
            }
            Ok(CommandRef::Direct { condition, operation }) => {
                let revision_of = |pairs: &Pairs| pairs.get(operation.key()).map(|(_, revision)| revision);
                let before = revision_of(&self.pairs);
                let outcome = condition.holds(before).then(|| self.pairs.execute(index, operation));
                let changed = self.pairs.revision == index;
                Applied::Direct { outcome, revision: if changed { Some(index) } else { before } }
            }
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
        let answered = |outcome, duplicate| Applied::Answered { session: id, serial, outcome, duplicate };
        let applied = self.sessions.with(id, index, settings, |session| {
            session.forget_below(oldest_awaited);
            if settings.deduplicate {
                match session.recall(serial) {
                    Recall::New => {}
                    Recall::Answered(outcome) => return answered(outcome, true),
                    Recall::Forgotten { newest_forgotten } => {
                        return Applied::Refused(StoreRefusal::SerialTooOld { session: id, serial, newest_forgotten });
                    }
                }
            }
            let outcome = pairs.execute(index, operation);
            session.record(serial, outcome.clone(), settings.answers_max);
            answered(outcome, false)
        });
        applied.unwrap_or(Applied::Refused(StoreRefusal::SessionExpired { session: id, serial }))
    }

    /// Answers a query from the present state. The caller must know that it is fresh enough.
    pub fn query(&self, query: &Query) -> Outcome {
        Outcome::Found { value: self.get(query.key()).cloned() }
    }

    /// The key's value, if it has one.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.get_with_revision(key).map(|(value, _)| value)
    }

    /// The key's value, if it has one, and the pair's revision: the index of the entry that set it.
    pub fn get_with_revision(&self, key: &Key) -> Option<(&Value, u64)> {
        self.pairs.get(key.as_str())
    }

    /// The store's revision: the index of the last entry that changed a pair, or removed one. 0 if
    /// none has.
    pub fn revision(&self) -> u64 {
        self.pairs.revision
    }

    /// All pairs, in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Value)> + DoubleEndedIterator + Clone {
        self.pairs.iter().map(|(key, value, _)| (key, value))
    }

    /// The pairs whose keys begin with `prefix`, with their revisions, in key order: the order of
    /// the keys' bytes. Those before `start` are left out, and cost nothing. An empty prefix means
    /// all.
    ///
    /// A long list is read in pages by starting the next one after the last key of the one before:
    ///
    /// ```
    /// use raft_core::kv::{Settings, Store};
    /// use std::ops::Bound;
    ///
    /// # let store = Store::new(Settings::default());
    /// let first: Vec<_> = store.range("user/", Bound::Unbounded).take(100).collect();
    /// if let Some((last, ..)) = first.last() {
    ///     let next = store.range("user/", Bound::Excluded(last.as_str())).take(100);
    /// #   drop(next);
    /// }
    /// ```
    pub fn range<'a>(
        &'a self,
        prefix: &'a str,
        start: Bound<&str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Value, u64)> + Clone + use<'a> {
        self.pairs.range(prefix, start)
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sessions, in the order in which they were opened.
    pub fn sessions(&self) -> impl ExactSizeIterator<Item = &Session> + DoubleEndedIterator {
        self.sessions.iter()
    }

    /// The session with that id, if it exists and hasn't expired.
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(id)
    }

    /// The index of the last entry applied; 0 if there is none. Entries that aren't handed to
    /// [`apply`](Self::apply) don't count.
    pub fn applied_index(&self) -> u64 {
        self.applied_index
    }

    /// How the store treats its sessions.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A digest of the pairs, the sessions, all revisions and the applied index, but not of the
    /// settings. Stores in equal states have the same digest; stores in different states have
    /// different ones, except with a chance of about one in 2⁶⁴. Takes constant time.
    pub fn digest(&self) -> u64 {
        Domain::Store
            .digest()
            .number(self.applied_index)
            .number(self.pairs.revision)
            .number(self.pairs.len() as u64)
            .number(self.pairs.digest())
            .number(self.sessions.len() as u64)
            .number(self.sessions.digest())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, command, generator, key, operation, random_command, random_store, value};
    use super::super::{Command, Condition};
    use super::*;
    use crate::codec::{DecodeError, Problem};
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use rand::RngExt;

    const NEW: Outcome = Outcome::Written { replaced: false };
    const OVER: Outcome = Outcome::Written { replaced: true };

    fn bench() -> (Bench, u64) {
        let mut bench = Bench::new(Settings::default());
        let (session, _) = bench.open();
        (bench, session)
    }

    #[test]
    fn operations_are_applied_and_queries_answered() {
        let (mut bench, s) = bench();
        let get = Query::Get { key: key("x") };
        assert_eq!(bench.store.query(&get), Outcome::Found { value: None });
        assert!(bench.store.is_empty());
        assert_eq!(bench.answer(s, 1, "put x 1"), (NEW, false));
        assert_eq!(bench.answer(s, 2, "put x 2"), (OVER, false));
        assert_eq!(bench.answer(s, 3, "cas x 2 3"), (Outcome::Swapped, false));
        let found = Outcome::Found { value: Some(value("3")) };
        assert_eq!(bench.store.query(&get), found);
        assert_eq!((bench.store.len(), bench.store.is_empty()), (1, false));
        let pairs: Vec<_> = bench.store.iter().collect();
        assert_eq!(pairs, [(&key("x"), &value("3"))]);
        assert_eq!(bench.answer(s, 4, "delete x"), (Outcome::Deleted { existed: true }, false));
        assert_eq!(bench.store.get(&key("x")), None);
    }

    /// The reason for sessions: Raft §8's example of a command that is executed and then retried.
    #[test]
    fn a_retry_gets_the_first_answer_and_does_nothing() {
        let (mut bench, s) = bench();
        bench.answer(s, 1, "put x 1");
        assert_eq!(bench.answer(s, 2, "cas x 1 2"), (Outcome::Swapped, false));
        assert_eq!(bench.answer(s, 2, "cas x 1 2"), (Outcome::Swapped, true));
        assert_eq!(bench.get("x"), Some("2"));
    }

    #[test]
    fn a_retry_does_not_overwrite_what_another_client_wrote_since() {
        let (mut bench, s) = bench();
        let (other, _) = bench.open();
        bench.answer(s, 1, "put x mine");
        bench.answer(other, 1, "put x theirs");
        assert_eq!(bench.answer(s, 1, "put x mine"), (NEW, true));
        assert_eq!(bench.get("x"), Some("theirs"));
    }

    #[test]
    fn a_retried_failure_stays_a_failure() {
        let (mut bench, s) = bench();
        let (other, _) = bench.open();
        let not_swapped = Outcome::NotSwapped { actual: None };
        assert_eq!(bench.answer(s, 1, "cas x 1 2"), (not_swapped.clone(), false));
        bench.answer(other, 1, "put x 1");
        assert_eq!(bench.answer(s, 1, "cas x 1 2"), (not_swapped, true));
        assert_eq!(bench.get("x"), Some("1"));
    }

    #[test]
    fn the_same_serial_in_two_sessions_is_two_operations() {
        let (mut bench, s) = bench();
        let (other, _) = bench.open();
        assert_eq!(bench.answer(s, 1, "put x 1"), (NEW, false));
        assert_eq!(bench.answer(other, 1, "put x 2"), (OVER, false));
        assert_eq!(bench.get("x"), Some("2"));
    }

    #[test]
    fn a_straggler_is_refused() {
        let (mut bench, s) = bench();
        bench.answer(s, 1, "put x 1");
        bench.answer(s, 2, "put x 2");
        let refused = bench.run(s, 1, "put x 1");
        let refusal = StoreRefusal::SerialTooOld { session: SessionId(s), serial: 1, newest_forgotten: 1 };
        assert_eq!(refused, Applied::Refused(refusal));
        assert_eq!(bench.get("x"), Some("2"));
    }

    #[test]
    fn operations_in_flight_together_are_each_executed_once_in_any_order() {
        let (mut bench, s) = bench();
        let send = |bench: &mut Bench, serial, line| {
            bench.apply(&Command::Apply {
                session: SessionId(s),
                serial,
                oldest_awaited: 1,
                operation: operation(line),
            })
        };
        let answered =
            |serial, outcome, duplicate| Applied::Answered { session: SessionId(s), serial, outcome, duplicate };
        assert_eq!(send(&mut bench, 2, "put x 2"), answered(2, NEW, false));
        assert_eq!(send(&mut bench, 1, "put x 1"), answered(1, OVER, false));
        assert_eq!(send(&mut bench, 3, "put x 3"), answered(3, OVER, false));
        assert_eq!(send(&mut bench, 2, "put x 2"), answered(2, NEW, true));
        assert_eq!(send(&mut bench, 1, "put x 1"), answered(1, OVER, true));
        assert_eq!(bench.get("x"), Some("3"));
    }

    #[test]
    fn without_deduplication_a_retry_executes_again() {
        let mut bench = Bench::new(Settings { deduplicate: false, ..Settings::default() });
        let (s, _) = bench.open();
        let (other, _) = bench.open();
        bench.answer(s, 1, "put x 1");
        bench.answer(s, 2, "cas x 1 2");
        let not_swapped = Outcome::NotSwapped { actual: Some(value("2")) };
        assert_eq!(bench.answer(s, 2, "cas x 1 2"), (not_swapped, false));
        bench.answer(other, 1, "put x theirs");
        // Even one that is long answered.
        assert_eq!(bench.answer(s, 1, "put x 1"), (OVER, false));
        assert_eq!(bench.get("x"), Some("1"));
        // Sessions are needed all the same.
        let refusal = StoreRefusal::SessionExpired { session: SessionId(99), serial: 1 };
        assert_eq!(bench.run(99, 1, "put x 1"), Applied::Refused(refusal));
    }

    fn direct(bench: &mut Bench, condition: Condition, line: &str) -> (Option<Outcome>, Option<u64>) {
        match bench.apply(&Command::Direct { condition, operation: operation(line) }) {
            Applied::Direct { outcome, revision } => (outcome, revision),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_direct_operation_needs_no_session_and_is_executed_each_time() {
        let mut bench = Bench::new(Settings::default());
        let always = Condition::Always;
        assert_eq!(direct(&mut bench, always, "put x 1"), (Some(NEW), Some(1)));
        assert_eq!(direct(&mut bench, always, "put x 1"), (Some(OVER), Some(2)));
        assert_eq!(direct(&mut bench, always, "cas x 1 2"), (Some(Outcome::Swapped), Some(3)));
        let not_swapped = |actual| Some(Outcome::NotSwapped { actual });
        assert_eq!(direct(&mut bench, always, "cas x 1 2"), (not_swapped(Some(value("2"))), Some(3)));
        assert_eq!(direct(&mut bench, always, "delete x"), (Some(Outcome::Deleted { existed: true }), Some(5)));
        assert_eq!(direct(&mut bench, always, "delete x"), (Some(Outcome::Deleted { existed: false }), None));
        assert_eq!(direct(&mut bench, always, "cas x 1 2"), (not_swapped(None), None));
        assert_eq!((bench.store.revision(), bench.store.sessions().count()), (5, 0));
    }

    #[test]
    fn a_condition_that_does_not_hold_changes_nothing_and_says_what_is_there() {
        let mut bench = Bench::new(Settings::default());
        assert_eq!(direct(&mut bench, Condition::Revision(1), "put x 1"), (None, None));
        assert_eq!(direct(&mut bench, Condition::Revision(0), "put x 1"), (None, None), "no pair has revision 0");
        assert_eq!(direct(&mut bench, Condition::Absent, "put x 1"), (Some(NEW), Some(3)));
        assert_eq!(direct(&mut bench, Condition::Absent, "put x 2"), (None, Some(3)));
        assert_eq!(direct(&mut bench, Condition::Revision(2), "delete x"), (None, Some(3)));
        assert_eq!(direct(&mut bench, Condition::Revision(u64::MAX), "delete x"), (None, Some(3)));
        assert_eq!(bench.get("x"), Some("1"));
        assert_eq!(bench.store.get_with_revision(&key("x")), Some((&value("1"), 3)));
        // Both the condition and the expected value must be right.
        let not_swapped = Outcome::NotSwapped { actual: Some(value("1")) };
        assert_eq!(direct(&mut bench, Condition::Revision(3), "cas x 2 3"), (Some(not_swapped), Some(3)));
        assert_eq!(direct(&mut bench, Condition::Revision(4), "cas x 1 3"), (None, Some(3)));
        assert_eq!(direct(&mut bench, Condition::Revision(3), "cas x 1 3"), (Some(Outcome::Swapped), Some(9)));
        assert_eq!(
            direct(&mut bench, Condition::Revision(9), "delete x"),
            (Some(Outcome::Deleted { existed: true }), Some(10))
        );
        // The revision of what was there before doesn't come back.
        assert_eq!(direct(&mut bench, Condition::Revision(10), "put x 1"), (None, None));
        assert_eq!(bench.store.revision(), 10);
    }

    #[test]
    fn an_unknown_session_is_refused_and_its_operation_not_executed() {
        let (mut bench, s) = bench();
        for session in [s + 1, u64::MAX] {
            let refusal = StoreRefusal::SessionExpired { session: SessionId(session), serial: 4 };
            assert_eq!(bench.run(session, 4, "put x 1"), Applied::Refused(refusal));
        }
        assert!(bench.store.is_empty());
    }

    #[test]
    fn an_entry_that_is_no_command_is_skipped() {
        let (mut bench, s) = bench();
        let before = bench.store.clone();
        let error =
            DecodeError { offset: 0, expected: "command version 1", problem: Problem::UnknownByte { found: 0xff } };
        assert_eq!(bench.store.apply(7, &[0xff]), Applied::Refused(StoreRefusal::Malformed(error)));
        assert_eq!(bench.store.applied_index(), 7);
        assert_eq!(bench.store.pairs, before.pairs);
        assert_eq!(bench.store.sessions, before.sessions);
        assert!(matches!(bench.store.apply(8, &[]), Applied::Refused(StoreRefusal::Malformed(_))));
        bench.answer(s, 1, "put x 1");
        assert_eq!(bench.store.applied_index(), 9);
    }

    #[test]
    fn refusals_say_what_did_not_happen() {
        let session = SessionId(3);
        let table = [
            (
                StoreRefusal::SessionExpired { session, serial: 2 },
                "session 3 has expired, so its operation 2 was not executed now; \
                 whether an earlier try was can't be known any more",
            ),
            (
                StoreRefusal::SerialTooOld { session, serial: 2, newest_forgotten: 4 },
                "operation 2 of session 3 was not executed now: \
                 the outcomes of its operations up to 4 are forgotten",
            ),
            (
                StoreRefusal::Malformed(Command::decode(&[]).unwrap_err()),
                "the entry is not a command: \
                 at byte 0: expected command version 1, but the bytes end",
            ),
        ];
        for (refusal, words) in table {
            assert_eq!(refusal.to_string(), words);
        }
    }

    #[test]
    fn indexes_may_skip() {
        let mut store = Store::new(Settings::default());
        assert_eq!(store.applied_index(), 0);
        store.apply(1, &[]);
        store.apply(5, &[]);
        assert_eq!(store.applied_index(), 5);
    }

    #[test]
    #[should_panic(expected = "entry 5 applied after entry 5")]
    fn an_entry_is_applied_once() {
        let mut store = Store::new(Settings::default());
        store.apply(5, &[]);
        store.apply(5, &[]);
    }

    #[test]
    #[should_panic(expected = "entry 0 applied after entry 0")]
    fn there_is_no_entry_0() {
        Store::new(Settings::default()).apply(0, &[]);
    }

    #[test]
    fn every_part_of_the_state_is_in_the_digest() {
        let store = |f: fn(&mut Bench)| {
            let mut bench = Bench::new(Settings::default());
            bench.open();
            f(&mut bench);
            bench.store
        };
        let stores = [
            store(|_| {}),
            store(|bench| drop(bench.store.apply(9, &[]))),
            store(|bench| drop(bench.answer(1, 1, "put x 1"))),
            store(|bench| drop(direct(bench, Condition::Always, "put x 1"))),
            store(|bench| drop(bench.answer(1, 1, "put x 2"))),
            store(|bench| drop(bench.answer(1, 2, "put x 1"))),
            store(|bench| drop(bench.answer(1, 1, "delete x"))),
            store(|bench| drop(bench.open())),
        ];
        for (at, a) in stores.iter().enumerate() {
            for b in &stores[at + 1..] {
                assert_ne!(a.digest(), b.digest());
            }
            assert_eq!(a.digest(), a.clone().digest());
        }
        assert_ne!(Store::new(Settings::default()).digest(), stores[0].digest());
    }

    /// The purpose of Raft. And after one entry more, the digests must differ.
    #[test]
    fn stores_that_apply_the_same_entries_are_equal_at_every_index() {
        for seed in 0..20 {
            let mut random = generator(seed);
            let mut a = random_store(seed);
            let mut b = random_store(seed);
            assert_eq!(a.digest(), b.digest());
            for _ in 0..100 {
                let index = a.applied_index() + 1;
                let bytes = random_command(&mut random).encode();
                assert_eq!(a.apply(index, &bytes), b.apply(index, &bytes));
                assert_eq!(a.digest(), b.digest());
            }
            assert_eq!(a, b);
            let open = Command::OpenSession { client: 1 }.encode();
            a.apply(a.applied_index() + 1, &open);
            assert_ne!(a.digest(), b.digest());
        }
    }

    /// An outcome is remembered with the value it reports, even when the store has moved on.
    #[test]
    fn a_remembered_value_outlives_its_key() {
        let (mut bench, s) = bench();
        let (other, _) = bench.open();
        bench.answer(other, 1, "put x 7");
        let not_swapped = Outcome::NotSwapped { actual: Some(value("7")) };
        bench.answer(s, 1, "cas x 1 2");
        bench.answer(other, 2, "delete x");
        assert_eq!(bench.answer(s, 1, "cas x 1 2"), (not_swapped, true));
    }

    #[test]
    fn settings_are_kept_and_sensible() {
        let settings = *Store::new(Settings::default()).settings();
        let expected = Settings { deduplicate: true, sessions_max: 1024, answers_max: 16, session_idle_max: None };
        assert_eq!(settings, expected);
    }

    #[test]
    fn sixteen_operations_may_be_in_flight_by_default() {
        let (mut bench, s) = bench();
        let send = |bench: &mut Bench, serial| {
            bench.apply(&Command::Apply {
                session: SessionId(s),
                serial,
                oldest_awaited: 1,
                operation: operation("put x 1"),
            })
        };
        for serial in 1..=16 {
            send(&mut bench, serial);
        }
        let is_duplicate = |applied| matches!(applied, Applied::Answered { duplicate: true, .. });
        assert!(is_duplicate(send(&mut bench, 1)));
        send(&mut bench, 17);
        assert!(matches!(
            send(&mut bench, 1),
            Applied::Refused(StoreRefusal::SerialTooOld { newest_forgotten: 1, .. })
        ));
        assert!(is_duplicate(send(&mut bench, 2)));
    }

    #[test]
    fn damaged_entries_are_applied_alike() {
        let mut random = generator(11);
        let mut stores = [random_store(11), random_store(11)];
        let open = Command::OpenSession { client: 1 }.encode();
        let session = stores[0].applied_index() + 1;
        for store in &mut stores {
            store.apply(session, &open);
        }
        let mut commands = 0;
        for index in session + 1..session + 2_000 {
            let mut bytes = command(session, index, "put x 1").encode();
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
            let [a, b] = stores.each_mut().map(|store| store.apply(index, &bytes));
            assert_eq!(a, b);
            commands += u32::from(!matches!(a, Applied::Refused(StoreRefusal::Malformed(_))));
        }
        assert_eq!(stores[0], stores[1]);
        assert!(commands > 500, "only {commands} were commands still");
    }
}
