//! Failed assertions of the core: the search reports them like violations, and goes on.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread catches panics now.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: Cell<Option<String>> = const { Cell::new(None) };
}

static QUIET: Once = Once::new();

/// Runs something that can panic.
///
/// # Errors
/// The panic's message and place.
pub fn catch<T>(something: impl FnOnce() -> T) -> Result<T, String> {
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CATCHING.get() {
                return usual(info);
            }
            let place =
                info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
            CAUGHT.set(Some(format!("{}{place}", info.payload_as_str().unwrap_or("no message"))));
        }));
    });
    CATCHING.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(something));
    CATCHING.set(false);
    outcome.map_err(|_| CAUGHT.take().unwrap_or_else(|| "for an unknown reason".to_owned()))
}
