//! Whether two servers' clocks run apart further than leases allow: [`DriftWatch`].
//!
//! A lease depends on a bound on clock drift that can't be enforced (dissertation §6.4.1). But the
//! leader can watch for drift. Each answer carries its sender's clock, and the leader knows, by its
//! own clock, a span within which that reading was taken. Two such readings far enough apart bound
//! how fast the other clock runs. The bounds are rigorous: a clock within the limit is never
//! accused. A clock beyond the limit is found once enough time has passed to tell it from a slow
//! network. Until then, the lease depends on the stated bound alone.

use crate::time::{Duration, Time};

/// Watches one member's clock against the leader's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriftWatch {
    anchor: Option<Reading>,
    latest: Option<Time>,
    drifts: bool,
}

/// The other clock's reading, taken somewhere between two moments of the leader's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Not before this, by the leader's clock.
    pub from: Time,
    /// Not after this, by the leader's clock.
    pub to: Time,
    /// What the other clock showed.
    pub shown: Time,
}

impl DriftWatch {
    /// Whether the clocks were last seen to run apart further than allowed.
    pub fn drifts(&self) -> bool {
        self.drifts
    }

    /// Takes a reading. `percent` is the most that the clocks may run apart. Spans shorter than
    /// `span` prove nothing either way.
    pub fn take(&mut self, reading: Reading, percent: u64, span: Duration) {
        // Answers can overtake each other: an older reading is no news.
        if self.latest.is_some_and(|latest| reading.from < latest) {
            return;
        }
        self.latest = Some(reading.from);
        let Some(anchor) = self.anchor else {
            self.anchor = Some(reading);
            return;
        };
        let shortest = reading.from.since(anchor.to).as_micros();
        let longest = reading.to.since(anchor.from).as_micros();
        // A larger limit is the same as none; and so the products below can't overflow.
        let limit = 100 + u128::from(percent.min(1 << 32));
        let back = reading.shown < anchor.shown;
        let elapsed = reading.shown.since(anchor.shown).as_micros();
        // These rates are beyond the limit, whatever the messages' delays were.
        let fast = u128::from(elapsed) * 100 > u128::from(longest) * limit;
        let slow = u128::from(elapsed) * limit < u128::from(shortest) * 100;
        if back || fast || slow {
            *self = DriftWatch { anchor: Some(reading), latest: self.latest, drifts: true };
        } else if shortest >= span.as_micros() {
            // The clock has been within the limit for this long: it is trusted again. The watch
            // begins anew, so that a change shows soon.
            *self = DriftWatch { anchor: Some(reading), latest: self.latest, drifts: false };
        }
    }

    /// The leader's own clock was set: what it showed before says nothing any more.
    pub fn forget(&mut self) {
        *self = DriftWatch { drifts: self.drifts, ..DriftWatch::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(1);

    /// Readings every 50 ms of a clock that runs at `rate` percent, with delays up to 20 ms.
    fn watched(rate: u64, seconds: u64) -> DriftWatch {
        let mut watch = DriftWatch::default();
        for beat in 0..seconds * 20 {
            let sent = beat * 50_000;
            let (there, back) = (beat * 7_919 % 10_000, beat * 104_729 % 10_000);
            let shown = Time::from_micros((sent + there) * rate / 100 + 5_000_000);
            let (from, to) = (Time::from_micros(sent), Time::from_micros(sent + there + back));
            watch.take(Reading { from, to, shown }, 10, SPAN);
        }
        watch
    }

    #[test]
    fn a_clock_within_the_limit_is_never_accused() {
        for rate in [91, 95, 100, 105, 109] {
            assert!(!watched(rate, 60).drifts(), "{rate} %");
        }
    }

    #[test]
    fn a_clock_beyond_the_limit_is_found_out() {
        for rate in [0, 50, 85, 115, 200] {
            assert!(watched(rate, 5).drifts(), "{rate} %");
        }
    }

    #[test]
    fn a_clock_that_jumps_is_found_out_at_once_and_believed_again_later() {
        let reading = |at: u64, shown: u64| Reading {
            from: Time::from_millis(at),
            to: Time::from_millis(at + 5),
            shown: Time::from_millis(shown),
        };
        for jump in [0, 9_000] {
            let mut watch = DriftWatch::default();
            watch.take(reading(1_000, 5_000), 10, SPAN);
            watch.take(reading(1_100, 5_100), 10, SPAN);
            assert!(!watch.drifts());
            watch.take(reading(1_200, jump), 10, SPAN);
            assert!(watch.drifts(), "jumped to {jump}");
            watch.take(reading(1_250, jump + 50), 10, SPAN);
            assert!(watch.drifts(), "too early to tell");
            watch.take(reading(2_300, jump + 1_100), 10, SPAN);
            assert!(!watch.drifts());
        }
    }

    #[test]
    fn clocks_at_the_end_of_time_and_any_limit_can_be_reckoned_with() {
        let reading = |from, to, shown| Reading {
            from: Time::from_micros(from),
            to: Time::from_micros(to),
            shown: Time::from_micros(shown),
        };
        let end = u64::MAX;
        for percent in [0, 10, end] {
            let mut watch = DriftWatch::default();
            watch.take(reading(0, 0, 0), percent, SPAN);
            watch.take(reading(end, end, end), percent, SPAN);
            assert!(!watch.drifts());
            watch.take(reading(end, end, 0), percent, SPAN);
            assert!(watch.drifts());
        }
    }

    #[test]
    fn an_answer_that_was_overtaken_is_no_evidence() {
        let mut watch = DriftWatch::default();
        let reading = |from: u64, to: u64, shown: u64| Reading {
            from: Time::from_millis(from),
            to: Time::from_millis(to),
            shown: Time::from_millis(shown),
        };
        watch.take(reading(100, 110, 105), 10, SPAN);
        watch.take(reading(50, 120, 60), 10, SPAN);
        assert!(!watch.drifts());
    }
}
