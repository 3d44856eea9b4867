//! Ctrl-C and SIGTERM. The first signal makes a long command print what it has so far; the second
//! stops it at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::{INTERRUPTED, Unusable};

/// Whether a signal has asked the command to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on the first signal only sets the flag.
    pub fn watch() -> Result<Interrupt, Unusable> {
        let interrupt = Interrupt::default();
        let watch = |signal| -> io::Result<()> {
            // The order matters: the conditional shutdown runs first, and finds the flag unset at
            // the first signal.
            flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&interrupt.0))?;
            flag::register(signal, Arc::clone(&interrupt.0))?;
            Ok(())
        };
        for signal in [SIGINT, SIGTERM] {
            watch(signal).map_err(|error| Unusable(format!("signal handlers can't be installed: {error}")))?;
        }
        Ok(interrupt)
    }

    /// Whether a signal has come.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
