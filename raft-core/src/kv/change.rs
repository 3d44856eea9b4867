//! What changed: for whoever watches the store.

use super::applied::Applied;
use super::command::CommandRef;
use super::text::{Key, Value};
use crate::codec::{DecodeError, Problem, Reader};

/// A change of one pair. An entry of the log makes at most one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The key.
    pub key: Key,
    /// Its value from now on; `None` if it has none any more. It may be the value that it had
    /// before: a put sets the key whatever its value was.
    pub value: Option<Value>,
    /// The index of the entry that made the change: the pair's revision and the store's.
    pub revision: u64,
}

impl Change {
    /// The change that a store made when it applied the entry at `index`, with that command and
    /// that answer; `None` if it made none: the operation had been executed before, it was refused,
    /// its condition didn't hold, or there was nothing to delete or to swap.
    ///
    /// This needs nothing of the store, so that a driver can tell whoever watches after it has
    /// given away the state machine.
    ///
    /// ```
    /// use raft_core::kv::{Change, Command, Condition, Request, Settings, Store, Value};
    /// use raft_core::state_machine::StateMachine;
    ///
    /// let Ok(Request::Write(operation)) = "put x 1".parse() else { unreachable!() };
    /// let command = Command::Direct { condition: Condition::Absent, operation }.encode();
    /// let mut machine: Box<dyn StateMachine> = Box::new(Store::new(Settings::default()));
    ///
    /// let answer = machine.apply(7, &command);
    /// let change = Change::of(7, &command, &answer)?.expect("it is the key's first value");
    /// assert_eq!((change.value, change.revision), (Value::new("1").ok(), 7));
    ///
    /// let answer = machine.apply(8, &command);
    /// assert_eq!(Change::of(8, &command, &answer)?, None);
    /// # Ok::<(), raft_core::codec::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// When the answer is none that a store gives, or isn't one to this command.
    pub fn of(index: u64, command: &[u8], answer: &[u8]) -> Result<Option<Change>, DecodeError> {
        let outcome = match Applied::decode(answer)? {
            Applied::Answered { outcome, duplicate: false, .. } | Applied::Direct { outcome: Some(outcome), .. } => {
                outcome
            }
            Applied::Answered { duplicate: true, .. }
            | Applied::Direct { outcome: None, .. }
            | Applied::SessionOpened { .. }
            | Applied::Refused(_) => return Ok(None),
        };
        if !outcome.is_change() {
            return Ok(None);
        }
        let operation = match CommandRef::decode(command)? {
            CommandRef::Apply { operation, .. } | CommandRef::Direct { operation, .. } => operation,
            CommandRef::OpenSession { .. } => {
                let found = command[1];
                return Ok(Reader::error(
                    1,
                    "an operation, to which this is the answer",
                    Problem::UnknownByte { found },
                )?);
            }
        };
        Ok(Some(Change {
            key: Key::checked(operation.key()),
            value: operation.sets().map(Value::checked),
            revision: index,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{command, generator, key, operation, random_command, random_store, value};
    use super::super::{Command, Condition, Settings, Store};
    use super::*;
    use alloc::collections::BTreeMap;
    use rand::RngExt;

    /// Applies a command as the next entry, and gives what a watcher is told.
    fn watch(store: &mut Store, command: &Command) -> Option<Change> {
        let index = store.applied_index() + 1;
        let command = command.encode();
        let answer = store.apply(index, &command).encode();
        Change::of(index, &command, &answer).unwrap()
    }

    #[test]
    fn only_what_changes_a_pair_is_a_change() {
        let mut store = Store::new(Settings::default());
        assert_eq!(watch(&mut store, &Command::OpenSession { client: 7 }), None);
        let change = |text: Option<&str>, revision| Some(Change { key: key("x"), value: text.map(value), revision });
        let table = [
            (1, "put x 1", change(Some("1"), 2)),
            (1, "put x 1", None), // A retry.
            (2, "put x 1", change(Some("1"), 4)),
            (3, "cas x 2 3", None),
            (4, "cas x 1 \"\"", change(Some(""), 6)),
            (5, "delete x", change(None, 7)),
            (6, "delete x", None),
            (5, "delete x", None), // Too late.
        ];
        for (serial, line, told) in table {
            assert_eq!(watch(&mut store, &command(1, serial, line)), told, "{line}");
        }
        let direct = |condition, line| Command::Direct { condition, operation: operation(line) };
        assert_eq!(watch(&mut store, &direct(Condition::Revision(7), "put x 1")), None);
        assert_eq!(watch(&mut store, &direct(Condition::Absent, "put x 1")), change(Some("1"), 11));
        assert_eq!(watch(&mut store, &direct(Condition::Absent, "put x 2")), None);
        assert_eq!(watch(&mut store, &direct(Condition::Revision(11), "delete x")), change(None, 13));
        let index = store.applied_index() + 1;
        let answer = store.apply(index, b"no command").encode();
        assert_eq!(Change::of(index, b"no command", &answer), Ok(None));
    }

    /// Whoever watches from the start has every pair, with its revision, and the store's revision.
    #[test]
    fn a_watcher_that_is_told_of_all_changes_has_the_store() {
        for seed in 0..30 {
            let mut random = generator(seed);
            let mut store = random_store(seed);
            let mut seen: BTreeMap<Key, (Value, u64)> =
                store.range("", core::ops::Bound::Unbounded).map(|(k, v, r)| (k.clone(), (v.clone(), r))).collect();
            for _ in 0..200 {
                let command = match random.random_range(0..3) {
                    0 => random_command(&mut random),
                    _ => {
                        let lines = ["put x 1", "del x", "cas x 1 2", "put y 1", "cas y 1 1"];
                        let condition = super::super::testing::random_condition(&mut random, store.revision());
                        Command::Direct { condition, operation: operation(lines[random.random_range(0..lines.len())]) }
                    }
                };
                let before = store.revision();
                match watch(&mut store, &command) {
                    Some(Change { key, value, revision }) => {
                        assert_eq!(revision, store.revision());
                        assert!(revision > before);
                        match value {
                            Some(value) => drop(seen.insert(key, (value, revision))),
                            None => assert!(seen.remove(&key).is_some()),
                        }
                    }
                    None => assert_eq!(store.revision(), before),
                }
                let pairs = store.range("", core::ops::Bound::Unbounded);
                assert!(pairs.eq(seen.iter().map(|(key, (value, revision))| (key, value, *revision))));
            }
        }
    }

    #[test]
    fn an_answer_to_something_else_is_an_error() {
        let put = command(1, 1, "put x 1").encode();
        let mut store = Store::new(Settings::default());
        let opened = Command::OpenSession { client: 7 }.encode();
        store.apply(1, &opened);
        let answer = store.apply(2, &put).encode();
        assert_eq!(
            Change::of(2, &opened, &answer).unwrap_err().to_string(),
            "at byte 1: expected an operation, to which this is the answer, but found 0x01"
        );
        assert!(Change::of(2, b"", &answer).is_err());
        assert!(Change::of(2, &put, b"").is_err());
    }

    use alloc::string::ToString;
}
