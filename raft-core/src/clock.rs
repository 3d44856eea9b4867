//! A server's own clock: it may run fast or slow, jump, or stop.
//!
//! Why Raft survives it: only the leases' safety rests on time, and they state the bound on clock
//! drift that they need. A clock that jumps or stops makes its server campaign early, or late.

use crate::time::{Duration, Time};

/// The rate of a clock that keeps the world's time, in parts per million.
pub const TRUE_RATE: u32 = 1_000_000;

/// A server's clock as a function of the world's time: a straight line since the last adjustment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    world: Time,
    local: Time,
    rate: u32,
}

impl Clock {
    /// A clock that keeps the world's time.
    pub const TRUE: Clock = Clock { world: Time::ZERO, local: Time::ZERO, rate: TRUE_RATE };

    /// What it shows at the world's time `now`.
    pub fn read(&self, now: Time) -> Time {
        if self.rate == TRUE_RATE {
            return self.local + now.since(self.world);
        }
        // Whole seconds and the fraction are multiplied separately: each product fits in 64 bits.
        let (rate, second) = (u64::from(self.rate), u64::from(TRUE_RATE));
        let elapsed = now.since(self.world).as_micros();
        let (whole, rest) = ((elapsed / second).saturating_mul(rate), elapsed % second * rate / second);
        self.local + Duration::from_micros(whole.saturating_add(rest))
    }

    /// The world's time at which it will show `reading` or more; never, if it has stopped before.
    pub fn world_time_of(&self, reading: Time) -> Time {
        if reading <= self.local {
            return self.world;
        }
        let wanted = reading.since(self.local).as_micros();
        if reading == Time::NEVER || self.rate == 0 {
            return Time::NEVER;
        }
        if self.rate == TRUE_RATE {
            return self.world + Duration::from_micros(wanted);
        }
        let (rate, second) = (u64::from(self.rate), u64::from(TRUE_RATE));
        let (whole, rest) = ((wanted / rate).saturating_mul(second), (wanted % rate * second).div_ceil(rate));
        self.world + Duration::from_micros(whole.saturating_add(rest))
    }

    /// The world's time at which it showed `reading` or more, if it hasn't been adjusted since.
    pub fn showed(&self, reading: Time) -> Option<Time> {
        (reading >= self.local).then(|| self.world_time_of(reading))
    }

    /// From now on it runs at `rate` parts per million of the world's time; at 0 it stands still.
    pub fn set_rate(&mut self, now: Time, rate: u32) {
        *self = Clock { world: now, local: self.read(now), rate };
    }

    /// Sets it forward, or back, by this many microseconds; never before its own zero.
    pub fn jump(&mut self, now: Time, micros: i64) {
        let shown = self.read(now).as_micros();
        *self = Clock { world: now, local: Time::from_micros(shown.saturating_add_signed(micros)), rate: self.rate };
    }

    /// How fast it runs, in parts per million.
    pub fn rate(&self) -> u32 {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_runs_fast_stops_and_jumps() {
        let at = Time::from_secs;
        let mut clock = Clock::TRUE;
        assert_eq!((clock.read(at(5)), clock.world_time_of(at(7))), (at(5), at(7)));
        clock.set_rate(at(10), 2 * TRUE_RATE);
        assert_eq!((clock.read(at(11)), clock.world_time_of(at(14))), (at(12), at(12)));
        clock.set_rate(at(12), 0);
        assert_eq!((clock.read(at(99)), clock.world_time_of(at(15))), (at(14), Time::NEVER));
        clock.set_rate(at(20), TRUE_RATE);
        clock.jump(at(20), -4_000_000);
        assert_eq!(clock.read(at(21)), at(11));
        clock.jump(at(21), i64::MIN);
        assert_eq!(clock.read(at(21)), Time::ZERO);
        assert_eq!(clock.world_time_of(Time::NEVER), Time::NEVER);
    }

    #[test]
    fn it_reckons_as_exactly_as_wider_numbers_would() {
        for rate in [1, 333_333, 999_999, 1_000_001, 3_000_000, u32::MAX] {
            let clock = Clock { world: Time::ZERO, local: Time::ZERO, rate };
            let second = u128::from(TRUE_RATE);
            for micros in [0, 1, 999_999, 1_000_000, 1_234_567, 86_400_000_001, 1 << 53, u64::MAX / 2, u64::MAX - 1] {
                let narrow = |wide: u128| Time::from_micros(u64::try_from(wide).unwrap_or(u64::MAX));
                let (time, wide, rate) = (Time::from_micros(micros), u128::from(micros), u128::from(rate));
                assert_eq!(clock.read(time), narrow(wide * rate / second), "rate {rate}, {micros}");
                assert_eq!(clock.world_time_of(time), narrow((wide * second).div_ceil(rate)), "rate {rate}, {micros}");
            }
        }
    }

    #[test]
    fn waking_at_the_computed_time_is_never_too_early() {
        for rate in [1, 333_333, 999_999, 1_000_001, 1_700_000, 3_000_000] {
            let mut clock = Clock::TRUE;
            clock.set_rate(Time::from_micros(17), rate);
            for reading in [18, 19, 1_000, 123_457] {
                let reading = Time::from_micros(reading);
                assert!(clock.read(clock.world_time_of(reading)) >= reading, "rate {rate}, {reading}");
            }
        }
    }
}
