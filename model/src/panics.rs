//! Failed assertions of the core. They are found like violations, and end nothing.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether a panic of this thread will be caught.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static CAUGHT: Cell<Option<String>> = const { Cell::new(None) };
}

static QUIET: Once = Once::new();

/// Does something that may panic.
///
/// # Errors
/// What the panic says, and where.
pub fn catch<T>(something: impl FnOnce() -> T) -> Result<T, String> {
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CATCHING.get() {
                return usual(info);
            }
            let place =
                info.location().map_or_else(String::new, |place| format!(" at {}:{}", place.file(), place.line()));
            CAUGHT.set(Some(format!("{}{place}", info.payload_as_str().unwrap_or("it doesn’t say why"))));
        }));
    });
    CATCHING.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(something));
    CATCHING.set(false);
    outcome.map_err(|_| CAUGHT.take().unwrap_or_else(|| "nobody knows why".to_owned()))
}
