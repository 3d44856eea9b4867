//! A server's own clock.

use raft_core::time::Time;
use rustix::time::{ClockId, clock_gettime};

/// Reads the time since the machine started, *including the time for which it was suspended*.
///
/// A clock that stands still while the machine sleeps would make a leader believe in a lease that
/// has ended long ago. `std::time::Instant` is such a clock on Linux; this one isn't. It never goes
/// back, and nobody sets it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: u64,
}

impl Clock {
    /// A clock that shows zero now.
    pub fn start() -> Clock {
        Clock { zero: micros() }
    }

    /// What it shows now.
    pub fn now(&self) -> Time {
        Time::from_micros(micros().saturating_sub(self.zero))
    }
}

fn micros() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    (time.tv_sec as u64).saturating_mul(1_000_000) + time.tv_nsec as u64 / 1_000
}
