//! Failed assertions of the core. They end a run like a violation does, and not the command.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

use raft_core::format::Run;
use raft_core::sim::Simulation;
use raft_core::time::Time;

/// A panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// Where in the source.
    pub place: String,
    /// What it says.
    pub message: String,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an assertion failed at {}: {}", self.place, self.message)
    }
}

thread_local! {
    /// Whether a panic of this thread will be caught.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// From now on panics that are caught are noted, and not printed.
pub fn install() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| if CATCHING.get() { note(info) } else { usual(info) }));
}

fn note(info: &PanicHookInfo<'_>) {
    let place = info.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()));
    let message = info.payload_as_str().unwrap_or("it doesn’t say why").to_owned();
    CAUGHT.set(Some(Panic { place, message }));
}

/// Does something that may panic.
pub fn catch<T>(something: impl FnOnce() -> T) -> Result<T, Panic> {
    CATCHING.set(true);
    // What was being changed when it panicked is thrown away, or only looked at.
    let outcome = panic::catch_unwind(AssertUnwindSafe(something));
    CATCHING.set(false);
    outcome.map_err(|_| {
        let unknown = || Panic { place: "an unknown place".into(), message: "it doesn’t say why".into() };
        CAUGHT.take().unwrap_or_else(unknown)
    })
}

/// When a run panics that does.
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
