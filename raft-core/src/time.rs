//! Virtual time: whole microseconds, never a float, never read from a real clock.
//!
//! A [`Time`] is a reading of *some* clock: the world's, or one server's, which may drift, jump or
//! stop. The type doesn't tell the two apart, so every function says which clock it means.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// A reading of a clock, in microseconds since that clock's zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

/// A length of time, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Time {
    /// The clock's zero.
    pub const ZERO: Time = Time(0);
    /// Later than all other times: "never".
    pub const NEVER: Time = Time(u64::MAX);

    /// The moment `micros` microseconds after the clock's zero.
    pub const fn from_micros(micros: u64) -> Time {
        Time(micros)
    }

    /// The moment `millis` milliseconds after the clock's zero.
    pub const fn from_millis(millis: u64) -> Time {
        Time(millis.saturating_mul(1_000))
    }

    /// The moment `seconds` seconds after the clock's zero.
    pub const fn from_secs(seconds: u64) -> Time {
        Time(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the clock's zero.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it isn't later.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Duration {
        Duration(micros)
    }

    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Duration {
        Duration(millis.saturating_mul(1_000))
    }

    /// `seconds` seconds.
    pub const fn from_secs(seconds: u64) -> Duration {
        Duration(seconds.saturating_mul(1_000_000))
    }

    /// The length in microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// This length times `factor`.
    pub const fn times(self, factor: u64) -> Duration {
        Duration(self.0.saturating_mul(factor))
    }

    /// This length rounded down to whole milliseconds, for people.
    #[must_use]
    pub const fn rounded(self) -> Duration {
        Duration(self.0 / 1_000 * 1_000)
    }

    /// `percent` hundredths of this length, rounded down.
    pub const fn percent(self, percent: u64) -> Duration {
        Duration(self.0.saturating_mul(percent) / 100)
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, length: Duration) -> Time {
        Time(self.0.saturating_add(length.0))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, length: Duration) {
        *self = *self + length;
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

impl Sub for Duration {
    type Output = Duration;
    fn sub(self, other: Duration) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }
}

/// Prints `1.250 s`, the notation used everywhere.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Time::NEVER {
            return f.write_str("never");
        }
        fmt::Display::fmt(&Duration(self.0), f)
    }
}

/// Prints `1.250 s`; a length that isn't a whole number of milliseconds shows its microseconds,
/// too.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if rest.is_multiple_of(1_000) {
            write!(f, "{seconds}.{:03} s", rest / 1_000)
        } else {
            write!(f, "{seconds}.{rest:06} s")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn times_are_written_in_seconds() {
        assert_eq!(Time::from_millis(1_250).to_string(), "1.250 s");
        assert_eq!(Time::from_micros(1_250_001).to_string(), "1.250001 s");
        assert_eq!(Time::from_secs(12).to_string(), "12.000 s");
        assert_eq!(Duration::from_micros(900).to_string(), "0.000900 s");
        assert_eq!(Time::NEVER.to_string(), "never");
    }

    #[test]
    fn arithmetic_saturates_instead_of_wrapping() {
        assert_eq!(Time::NEVER + Duration::from_secs(1), Time::NEVER);
        assert_eq!(Time::ZERO.since(Time::from_secs(1)), Duration::ZERO);
        assert_eq!(Time::from_secs(3).since(Time::from_secs(1)), Duration::from_secs(2));
        assert_eq!(Duration::from_secs(1) - Duration::from_secs(2), Duration::ZERO);
        assert_eq!(Duration::from_millis(200).percent(90), Duration::from_millis(180));
        assert_eq!(Duration::from_micros(1_999).rounded(), Duration::from_millis(1));
        assert_eq!(Duration::from_millis(200).times(3), Duration::from_millis(600));
    }
}
