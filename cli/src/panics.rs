//! Failed assertions of the core: they end the run, as a violation does, but not the command.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use raft_core::format::Run;
use raft_core::sim::Simulation;
use raft_core::time::Time;

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// The place in the source.
    pub place: String,
    /// The panic's message.
    pub message: String,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an assertion failed at {}: {}", self.place, self.message)
    }
}

thread_local! {
    /// Whether this thread catches panics now.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// From now on panics that are caught are recorded instead of printed.
pub fn install() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| if CATCHING.get() { note(info) } else { usual(info) }));
}

fn note(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
    let message = info.payload_as_str().unwrap_or("no message").to_owned();
    CAUGHT.set(Some(Panic { place, message }));
}

/// Runs something that can panic.
pub fn catch<T>(something: impl FnOnce() -> T) -> Result<T, Panic> {
    CATCHING.set(true);
    // After a panic, the data that was being changed is dropped, or only read.
    let outcome = panic::catch_unwind(AssertUnwindSafe(something));
    CATCHING.set(false);
    outcome.map_err(|_| {
        let unknown = || Panic { place: "an unknown place".into(), message: "no message".into() };
        CAUGHT.take().unwrap_or_else(unknown)
    })
}

/// The moment at which a run that panics does so.
pub fn moment(run: &Run) -> Time {
    let now = Cell::new(Time::ZERO);
    let _ = catch(|| {
        let Ok(mut world) = Simulation::new(run.scenario.clone()) else { return };
        while let Some(next) = world.next_event_at().filter(|next| *next <= run.until) {
            now.set(next);
            if !world.step_until(run.until) {
                break;
            }
        }
        now.set(run.until);
    });
    now.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_with_its_words() {
        install();
        let panic = catch(|| assert!("ten".len() == 10, "{} of {}", 3, 10)).unwrap_err();
        assert_eq!(panic.message, "3 of 10");
        assert!(panic.place.contains("panics.rs:"), "{}", panic.place);
        assert_eq!(catch(|| 7), Ok(7));
    }
}
