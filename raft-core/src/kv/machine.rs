//! The store as a state machine like any other: what it answers is bytes.

use super::applied::Applied;
use super::operation::Outcome;
use super::store::Store;
use crate::state_machine::{RestoreError, StateMachine};
use alloc::vec::Vec;

impl Store {
    /// The longest value, in bytes, that is remembered with the answer to a direct compare-and-set
    /// that found another one than it expected. Of a longer one, the revision is remembered, as if
    /// the operation's condition hadn't held.
    pub const REMEMBERED_BYTES_MAX: usize = 256;
}

/// Commands are encoded [`Command`](super::Command)s, answers encoded
/// [`Applied`](super::Applied)s.
impl StateMachine for Store {
    fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8> {
        Store::apply(self, index, command).encode()
    }

    fn snapshot(&self) -> Vec<u8> {
        Store::snapshot(self)
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        *self = Store::restore(snapshot, self.settings).map_err(RestoreError::new)?;
        Ok(())
    }

    /// All but a long value that a direct compare-and-set has found: see
    /// [`Store::REMEMBERED_BYTES_MAX`].
    fn remembered(answer: Vec<u8>) -> Vec<u8> {
        if answer.len() <= Store::REMEMBERED_BYTES_MAX {
            return answer;
        }
        match Applied::decode(&answer) {
            Ok(Applied::Direct { outcome: Some(Outcome::NotSwapped { actual: Some(actual) }), revision })
                if actual.as_bytes().len() > Store::REMEMBERED_BYTES_MAX =>
            {
                Applied::Direct { outcome: None, revision }.encode()
            }
            _ => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{generator, random_command};
    use super::super::{Command, Condition, Key, Operation, Settings, Value};
    use super::*;
    use crate::once::{self, Answer, Envelope, Once, RequestKey};
    use alloc::boxed::Box;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;
    use rand::RngExt;

    #[test]
    fn a_store_driven_as_any_state_machine_is_the_store() {
        let mut random = generator(7);
        let settings = Settings { sessions_max: 3, answers_max: 2, ..Settings::default() };
        let mut direct = Store::new(settings);
        let mut boxed: Box<dyn StateMachine> = Box::new(Store::new(settings));
        for index in 1..400 {
            let command = match index {
                1..4 => Command::OpenSession { client: index }.encode(),
                // What is no command is answered, too.
                _ if index % 50 == 0 => alloc::vec![0xff; 3],
                _ => random_command(&mut random).encode(),
            };
            let told = Applied::decode(&boxed.apply(index, &command));
            assert_eq!(told, Ok(direct.apply(index, &command)));
            assert_eq!(boxed.snapshot(), Store::snapshot(&direct));
            if random.random_range(0..20_u32) == 0 {
                let mut restored: Box<dyn StateMachine> = Box::new(Store::new(settings));
                restored.restore(&boxed.clone().snapshot()).unwrap();
                boxed = restored;
            }
        }
        assert_eq!((&*boxed as &dyn core::any::Any).downcast_ref(), Some(&direct));
        assert_eq!(boxed.check(), Ok(()));
    }

    #[test]
    fn of_a_compare_and_set_that_found_a_long_value_the_revision_is_remembered() {
        let outcome = |bytes: usize| {
            let actual = Value::new("v".repeat(bytes)).ok();
            Applied::Direct { outcome: Some(Outcome::NotSwapped { actual }), revision: Some(7) }
        };
        let remembered = |applied: &Applied| Applied::decode(&Store::remembered(applied.encode())).unwrap();
        let short = outcome(Store::REMEMBERED_BYTES_MAX);
        assert_eq!(remembered(&short), short);
        let long = Applied::Direct { outcome: None, revision: Some(7) };
        assert_eq!(remembered(&outcome(Store::REMEMBERED_BYTES_MAX + 1)), long);
        assert_eq!(remembered(&outcome(Value::BYTES_MAX)), long);
        assert_eq!(remembered(&long), long);
        assert_eq!(Store::remembered(vec![0xff; 300]), [0xff; 300], "what is no answer stays as it is");
    }

    /// Nobody's key is forgotten because others have asked for what was refused.
    #[test]
    fn refused_requests_do_not_fill_what_is_remembered() {
        let mut machine = Once::new(Store::new(Settings::default()), once::Settings::default());
        let mut index = 0;
        let mut apply = |machine: &mut Once<Store>, key: &str, operation: Operation| {
            index += 1;
            let command = Command::Direct { condition: Condition::Always, operation }.encode();
            let envelope = Envelope { key: RequestKey::new(key).ok(), command };
            Answer::decode(&machine.apply(index, &envelope.encode())).unwrap()
        };
        let key = |text: &str| Key::new(text).unwrap();
        let value = |bytes: Vec<u8>| Value::new(bytes).unwrap();
        let precious = || Operation::Put { key: key("p"), value: value(b"mine".to_vec()) };
        let long = || value(vec![7; Value::BYTES_MAX]);
        apply(&mut machine, "", Operation::Put { key: key("long"), value: long() });
        apply(&mut machine, "precious", precious());
        let refused = || Operation::CompareAndSet { key: key("long"), expected: value(vec![]), new: value(vec![]) };
        for number in 0..300 {
            let Answer::Applied { answer } = apply(&mut machine, &format!("refused {number}"), refused()) else {
                panic!("each key is new")
            };
            let outcome = Some(Outcome::NotSwapped { actual: Some(long()) });
            assert_eq!(Applied::decode(&answer), Ok(Applied::Direct { outcome, revision: Some(1) }));
        }
        assert!(machine.bytes() < 10_000, "{}", machine.bytes());
        let again = apply(&mut machine, "refused 0", refused());
        let answer = Applied::Direct { outcome: None, revision: Some(1) }.encode();
        assert_eq!(again, Answer::Repeated { index: 3, answer });
        assert!(matches!(apply(&mut machine, "precious", precious()), Answer::Repeated { index: 2, .. }));
        let mut restored = Once::new(Store::new(Settings::default()), once::Settings::default());
        StateMachine::restore(&mut restored, &machine.snapshot()).unwrap();
        assert_eq!(restored, machine);
    }

    #[test]
    fn what_is_no_snapshot_is_named_and_settings_are_kept() {
        let settings = Settings { deduplicate: false, ..Settings::default() };
        let mut store = Store::new(settings);
        let error = StateMachine::restore(&mut store, b"nothing").unwrap_err();
        assert_eq!(error.to_string(), "these 7 bytes are not a snapshot of a store");
        let other = Store::snapshot(&Store::new(Settings::default()));
        StateMachine::restore(&mut store, &other).unwrap();
        assert_eq!(*store.settings(), settings);
    }
}
