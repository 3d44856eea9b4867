//! Faults of the network in several steps, and why Raft survives them:
//! * **flapping**: a link fails and heals all the time. Terms rise and pre-votes fail, until a
//!   server is heard long enough to lead;
//! * **bridge**: two halves of the cluster that only one server reaches. A quorum needs that
//!   server, and it votes once a term;
//! * **ring**: every server reaches a majority, but no two reach the same one. A leader is heard by
//!   a majority, and the others ignore campaigns;
//! * **swizzle** (FoundationDB's word): links fail one by one and heal in another order. Raft
//!   doesn't rely on links that work in both directions, or between all servers;
//! * **late messages**: see [`Action::SetLate`]. Terms, rounds and serial numbers tell an old
//!   message from a new one.

use rand::RngExt;

use super::{Storm, pick};
use crate::raft::ServerId;
use crate::sim::{Action, MessageKind};
use crate::time::{Duration, Time};

impl Storm {
    /// A link fails and heals several times.
    pub(super) fn flap(&mut self, at: Time) {
        if let Some((from, to)) = self.two_servers() {
            let mut at = at;
            for _ in 0..6 {
                self.put(at, Action::Cut { from, to });
                at += self.around_millis(120);
                self.put(at, Action::Heal { from, to });
                at += self.around_millis(120);
            }
        }
    }

    /// Two halves of the cluster, and one server that reaches both.
    pub(super) fn bridge(&mut self, at: Time) {
        let bridge = self.any_server();
        let half = |s: ServerId| s.number() % 2;
        for (from, to) in self.links() {
            if from != bridge && to != bridge && half(from) != half(to) {
                self.put(at, Action::Cut { from, to });
            }
        }
        let back = at + self.around_millis(1_500);
        self.put(back, Action::HealAll);
    }

    /// Every server reaches a majority, but no two reach the same one.
    pub(super) fn ring(&mut self, at: Time) {
        let reach = self.servers / 4 + 1;
        for (from, to) in self.links() {
            let apart = (from.number() + self.servers - to.number()) % self.servers;
            if apart.min(self.servers - apart) > reach {
                self.put(at, Action::Cut { from, to });
            }
        }
        let back = at + self.around_millis(1_500);
        self.put(back, Action::HealAll);
    }

    /// Cuts the links of all servers one by one, and heals them in another order.
    pub(super) fn swizzle(&mut self, at: Time) {
        let mut links = self.links();
        let mut at = at;
        for round in 0..2 {
            for place in (1..links.len()).rev() {
                let other = self.random.random_range(0..=place as u32) as usize;
                links.swap(place, other);
            }
            for (from, to) in links.clone() {
                let action = if round == 0 { Action::Cut { from, to } } else { Action::Heal { from, to } };
                self.put(at, action);
                at += self.around_millis(30);
            }
        }
    }

    /// Messages of some kind, or of all kinds, are late by up to a minute, or a copy of each is.
    pub(super) fn late_messages(&mut self, at: Time) {
        let of = pick(&mut self.random, &MessageKind::ALL);
        let all = of == MessageKind::Everything;
        let share = pick(&mut self.random, if all { &[2_000, 10_000] } else { &[20_000, 200_000] });
        let seconds = pick(&mut self.random, &[1, 5, 60]);
        let copies = self.random.random_range(0..3_u32) > 0;
        self.put(at, Action::SetLate { of, share, delay: Duration::from_secs(seconds), copies });
        let back = at + self.around_millis(4_000);
        self.put(back, Action::SetLate { of, share: 0, delay: Duration::ZERO, copies });
    }
}
