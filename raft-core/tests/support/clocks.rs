//! How time passes.

use raft_core::raft::{Input, ServerId};
use raft_core::sim::TRUE_RATE;
use raft_core::time::Duration;

use super::{Cluster, Event, ms};

impl Cluster {
    /// Time passes and no timer goes off, as if nobody had looked at the clock. What is due goes
    /// off later.
    pub fn sleep(&mut self, length: Duration) {
        self.now += length;
    }

    /// Time passes; timers go off when due; messages stay on their way.
    pub fn advance(&mut self, length: Duration) {
        self.pass(length, false);
    }

    /// Time passes; timers go off when due; every message arrives at once.
    pub fn run(&mut self, length: Duration) {
        self.settle();
        self.pass(length, true);
    }

    /// Runs until `condition` holds.
    ///
    /// # Panics
    /// If it doesn't within `patience`.
    #[track_caller]
    pub fn run_until(&mut self, patience: Duration, what: &str, condition: impl Fn(&Cluster) -> bool) {
        let end = self.now + patience;
        self.settle();
        while !condition(self) {
            assert!(self.now < end, "{what}: not within {patience}:\n{}", self.status());
            self.pass(ms(1), true);
        }
    }

    fn pass(&mut self, length: Duration, deliver: bool) {
        let end = self.now + length;
        let mut fired = 0;
        loop {
            // The server whose timer goes off next, and how long until then; of two at once the one
            // with the lower number.
            let next = self.servers.iter().filter_map(|(id, server)| {
                let due = server.raft.as_ref()?.deadline();
                Some((server.clock.world_time_of(due).since(self.now), *id))
            });
            let left = end.since(self.now);
            let Some((wait, server)) = next.min().filter(|(wait, _)| *wait <= left) else {
                self.sleep(left);
                return;
            };
            fired = if wait == Duration::ZERO { fired + 1 } else { 0 };
            assert!(fired < 10_000, "{server}'s timer goes off again and again at {}", self.now);
            self.sleep(wait);
            self.fire_timer(server);
            if deliver {
                self.settle();
            }
        }
    }

    /// Tells `server` to look at its clock.
    pub fn fire_timer(&mut self, server: ServerId) {
        self.events.push(Event::Timer(server, self.now));
        self.step(server, Input::TimerDue);
    }

    /// Moves `server`'s clock alone, forward or (with a negative number of milliseconds) back. No
    /// timer goes off.
    pub fn shift_clock(&mut self, server: ServerId, millis: i64) {
        let now = self.now;
        self.server_mut(server).clock.jump(now, millis * 1_000);
    }

    /// Moves `server`'s clock alone to the moment its timer is due, and fires it.
    pub fn time_out(&mut self, server: ServerId) {
        let (now, wait) = (self.now, self.raft(server).deadline().since(self.clock(server)));
        self.server_mut(server).clock.jump(now, wait.as_micros() as i64);
        self.fire_timer(server);
    }

    /// Stops `server`'s clock.
    pub fn stop_clock(&mut self, server: ServerId) {
        let now = self.now;
        self.server_mut(server).clock.set_rate(now, 0);
    }

    /// Lets `server`'s clock go on from where it stopped.
    pub fn start_clock(&mut self, server: ServerId) {
        let now = self.now;
        self.server_mut(server).clock.set_rate(now, TRUE_RATE);
    }
}
