//! The store as a state machine like any other: what it answers is bytes.

use super::store::Store;
use crate::state_machine::{RestoreError, StateMachine};
use alloc::vec::Vec;

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
}

#[cfg(test)]
mod tests {
    use super::super::testing::{generator, random_command};
    use super::super::{Applied, Command, Settings};
    use super::*;
    use alloc::boxed::Box;
    use alloc::string::ToString;
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
