//! A storage that is slow, full or broken when it is told to be: [`Faulty`].

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use raft_core::raft::Write;

use super::{Loaded, Storage, StorageError};

/// A layer around a storage that does what its [`Faults`] say.
#[derive(Debug)]
pub struct Faulty<S> {
    storage: S,
    faults: Faults,
}

/// What a [`Faulty`] storage should do. Clones mean the same storage, and any thread can change
/// them at any time.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Wanted>>);

#[derive(Debug, Default)]
struct Wanted {
    delay: Duration,
    full: bool,
    /// How many calls are good before one fails.
    good_calls: Option<u64>,
    has_failed: bool,
}

impl Faults {
    /// Each call of [`Storage::store`] takes so much longer from now on. It waits before it stores
    /// anything.
    pub fn set_delay(&self, delay: Duration) {
        self.wanted().delay = delay;
    }

    /// Whether there is no room from now on: calls are refused with [`StorageError::Full`], and
    /// nothing of them is stored.
    pub fn set_full(&self, full: bool) {
        self.wanted().full = full;
    }

    /// Lets the next `calls` calls through, and fails the one after them: nothing of it is stored.
    /// From then on every call fails, as with a real storage.
    pub fn fail_after(&self, calls: u64) {
        self.wanted().good_calls = Some(calls);
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        // Each change is made at once, so it doesn't matter if a thread panicked after one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Faulty<S> {
    /// Puts a layer around a storage.
    pub fn new(storage: S, faults: Faults) -> Faulty<S> {
        Faulty { storage, faults }
    }

    /// The storage without the layer.
    pub fn into_inner(self) -> S {
        self.storage
    }
}

impl<S: Storage> Storage for Faulty<S> {
    fn load(&mut self) -> Result<Loaded, StorageError> {
        self.storage.load()
    }

    fn store(&mut self, writes: &[Write]) -> Result<(), StorageError> {
        let delay = self.faults.wanted().delay;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        {
            let mut wanted = self.faults.wanted();
            if !wanted.has_failed && wanted.full {
                return Err(StorageError::Full);
            }
            match &mut wanted.good_calls {
                Some(0) => wanted.has_failed = true,
                Some(calls) => *calls -= 1,
                None => {}
            }
            if wanted.has_failed {
                let source = io::Error::other("it was told to fail");
                return Err(StorageError::Failed { what: "the write to a faulty disk".to_owned(), source });
            }
        }
        self.storage.store(writes)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Counts calls.
    #[derive(Default)]
    struct Counting(u64);

    impl Storage for Counting {
        fn load(&mut self) -> Result<Loaded, StorageError> {
            Ok(Loaded::default())
        }

        fn store(&mut self, _: &[Write]) -> Result<(), StorageError> {
            self.0 += 1;
            Ok(())
        }
    }

    #[test]
    fn a_full_storage_stores_nothing_and_goes_on_when_there_is_room() {
        let faults = Faults::default();
        let mut storage = Faulty::new(Counting::default(), faults.clone());
        storage.store(&[]).unwrap();
        faults.set_full(true);
        assert!(matches!(storage.store(&[]), Err(StorageError::Full)));
        assert!(matches!(storage.store(&[]), Err(StorageError::Full)));
        faults.set_full(false);
        storage.store(&[]).unwrap();
        assert_eq!(storage.into_inner().0, 2);
    }

    #[test]
    fn the_nth_call_fails_and_all_after_it() {
        let faults = Faults::default();
        let mut storage = Faulty::new(Counting::default(), faults.clone());
        faults.fail_after(2);
        storage.store(&[]).unwrap();
        storage.store(&[]).unwrap();
        for _ in 0..3 {
            let error = storage.store(&[]).unwrap_err();
            assert_eq!(error.to_string(), "the write to a faulty disk failed: it was told to fail");
        }
        assert_eq!(storage.into_inner().0, 2);
    }

    #[test]
    fn a_slow_storage_takes_its_time() {
        let faults = Faults::default();
        let mut storage = Faulty::new(Counting::default(), faults.clone());
        let delay = Duration::from_millis(20);
        faults.set_delay(delay);
        let began = Instant::now();
        storage.store(&[]).unwrap();
        assert!(began.elapsed() >= delay);
        assert_eq!(storage.into_inner().0, 1);
    }
}
