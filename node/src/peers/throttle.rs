//! Lines of the log that strangers cause are limited.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Lets the first few lines of every interval through, and counts the others.
#[derive(Debug)]
pub(super) struct Throttle {
    lines: u32,
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    since: Instant,
    lines: u32,
    withheld: u64,
}

impl Throttle {
    pub(super) fn new(lines: u32, interval: Duration) -> Throttle {
        Throttle { lines, interval, state: Mutex::new(State { since: Instant::now(), lines: 0, withheld: 0 }) }
    }

    /// Whether a line may be written now; then, how many were withheld since the last one.
    pub(super) fn pass(&self) -> Option<u64> {
        let mut state = self.state.lock().expect("no holder panics");
        let now = Instant::now();
        if now.duration_since(state.since) >= self.interval {
            (state.since, state.lines) = (now, 0);
        }
        if state.lines == self.lines {
            state.withheld += 1;
            return None;
        }
        state.lines += 1;
        Some(std::mem::take(&mut state.withheld))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_beyond_the_limit_are_counted_and_told_with_the_next_one() {
        let throttle = Throttle::new(2, Duration::from_secs(10));
        let passed: Vec<_> = (0..5).map(|_| throttle.pass()).collect();
        assert_eq!(passed, [Some(0), Some(0), None, None, None]);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(throttle.pass(), None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([throttle.pass(), throttle.pass(), throttle.pass()], [Some(4), Some(0), None]);
    }
}
