//! Ctrl-C, and a polite request to end (SIGTERM): the first lets a long command tell what it has so
//! far, the second stops it at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::{INTERRUPTED, Unusable};

/// Whether somebody has asked the command to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on the first signal is noted, and ends nothing by itself.
    pub fn watch() -> Result<Interrupt, Unusable> {
        let interrupt = Interrupt::default();
        let watch = |signal| -> io::Result<()> {
            // In this order, so that the first signal finds nothing noted yet.
            flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&interrupt.0))?;
            flag::register(signal, Arc::clone(&interrupt.0))?;
            Ok(())
        };
        for signal in [SIGINT, SIGTERM] {
            watch(signal).map_err(|error| Unusable(format!("signals can't be watched: {error}")))?;
        }
        Ok(interrupt)
    }

    /// Whether a signal has come.
    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
