//! Nemeses: several faults in a bad order, each with a story of its own. Why Raft survives them:
//! * **flapping**: a link fails and heals all the time. Terms rise, pre-votes fail, and whoever is heard longest leads;
//! * **bridge**: two halves that only one server reaches. A quorum needs that server, and it votes once a term;
//! * **ring**: everybody reaches a majority, no two the same one. A leader is heard by a majority, the others ignore campaigns;
//! * **swizzle**: links fail one by one and heal in another order. Nobody promised that "reaches" goes both ways, or all the way round;
//! * **rolling restarts**: everything promised is on a disk;
//! * **usurper**: the leader is cut off, and before its lease can run out somebody campaigns, or is handed the leadership. Who has heard the leader lately doesn't
//!   vote, and a leader that hands over has given its lease up;
//! * **lag**: all answers to the leader take their time, and then nobody hears it any more. Its lease runs from when it asked, not from when it was answered;
//! * **rhythm**: every leader is cut off soon after it was elected, as in Figure 8. What an earlier leader left behind counts only under an entry of the
//!   leader's own;
//! * **coup**: a leader that nobody hears is asked to replace the others. The change needs a majority of those that it would replace;
//! * **ouster**: the others remove a leader that nobody hears, which learns of it when it hears them again, before it learns of anything else. It commits no more
//!   of its own log than has been compared with theirs.

use alloc::vec::Vec;

use rand::RngExt;

use super::action::{Action, Target};
use super::storm::{Storm, pick};
use crate::raft::{ServerId, ServerSet};
use crate::time::{Duration, Time};

impl Storm {
    pub(super) fn flap(&mut self, at: Time) {
        if let Some((from, to)) = self.two() {
            let mut at = at;
            for _ in 0..6 {
                self.put(at, Action::Cut { from, to });
                at += self.millis(120);
                self.put(at, Action::Heal { from, to });
                at += self.millis(120);
            }
        }
    }

    /// Two halves that only one server reaches, which reaches both.
    pub(super) fn bridge(&mut self, at: Time) {
        let bridge = self.anyone();
        let half = |s: ServerId| s.number() % 2;
        for (from, to) in self.links() {
            if from != bridge && to != bridge && half(from) != half(to) {
                self.put(at, Action::Cut { from, to });
            }
        }
        let back = at + self.millis(1_500);
        self.put(back, Action::HealAll);
    }

    /// Everybody reaches a majority, no two the same one.
    pub(super) fn ring(&mut self, at: Time) {
        let reach = self.servers / 4 + 1;
        for (from, to) in self.links() {
            let apart = (from.number() + self.servers - to.number()) % self.servers;
            if apart.min(self.servers - apart) > reach {
                self.put(at, Action::Cut { from, to });
            }
        }
        let back = at + self.millis(1_500);
        self.put(back, Action::HealAll);
    }

    /// Cuts the links of some servers one by one, and heals them in another order.
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
                at += self.millis(30);
            }
        }
    }

    pub(super) fn roll(&mut self, at: Time) {
        let mut at = at;
        for server in ServerSet::first(self.servers).iter() {
            self.put(at, Action::Crash(Target::Server(server)));
            at += self.millis(150);
            self.put(at, Action::Restart(server));
        }
    }

    /// Somebody else leads before a leader that was cut off can know.
    pub(super) fn usurp(&mut self, at: Time) {
        let usurper = self.anyone();
        let cut_off = pick(&mut self.random, &[Action::Isolate, Action::Mute, Action::Deafen]);
        if self.random.random_range(0..2_u32) == 0 {
            self.put(at, Action::TransferLeadership(usurper));
            let cut = at + self.millis(8);
            self.part(cut, cut_off(Target::Leader));
        } else {
            self.part(at, cut_off(Target::Leader));
            let mut at = at;
            for _ in 0..3 {
                at += self.millis(20);
                self.put(at, Action::Campaign(usurper));
            }
        }
    }

    /// Answers reach a leader late, and then it is heard no more while late answers still come.
    pub(super) fn lag(&mut self, at: Time) {
        let leader = self.anyone();
        self.put(at, Action::TransferLeadership(leader));
        let at = at + self.millis(200);
        let delay = Duration::from_millis(50) + self.millis(80);
        for from in ServerSet::first(self.servers).iter().filter(|from| *from != leader) {
            self.put(at, Action::Impair { from, to: leader, delay, loss: 0 });
        }
        let at = at + delay + self.millis(200);
        self.part(at, Action::Mute(Target::Server(leader)));
    }

    /// Leader after leader is cut off soon after it was elected.
    pub(super) fn rhythm(&mut self, at: Time) {
        let beat = self.millis(200) + Duration::from_millis(100);
        let mut at = at;
        for _ in 0..8 {
            self.put(at, Action::HealAll);
            self.put(at, Action::Isolate(Target::Leader));
            at += beat.percent(50) + self.about(beat.percent(50));
        }
        self.put(at, Action::HealAll);
    }

    /// The isolated leader is asked to replace others by servers that it reaches.
    pub(super) fn coup(&mut self, at: Time) {
        let leader = self.anyone();
        if !(self.leaves_left(2) && self.joins_left(2)) {
            return;
        }
        self.put(at, Action::TransferLeadership(leader));
        let mut at = at + self.millis(200);
        self.part(at, Action::Isolate(Target::Server(leader)));
        let others: Vec<ServerId> = ServerSet::first(self.servers).iter().filter(|other| *other != leader).collect();
        for other in others.iter().take(2) {
            at += self.millis(30);
            self.put(at, Action::RemoveServer(*other));
        }
        for _ in 0..2 {
            at += self.millis(30);
            self.put(at, Action::AddServer);
        }
    }

    /// The others remove a leader that they don't hear, and it comes back as they do.
    pub(super) fn oust(&mut self, at: Time) {
        let leader = self.anyone();
        if !(self.leaves_left(1) && self.joins_left(1)) {
            return;
        }
        self.put(at, Action::AddServer);
        self.put(at, Action::TransferLeadership(leader));
        let at = at + self.millis(400);
        self.put(at, Action::Isolate(Target::Server(leader)));
        let at = at + Duration::from_millis(300) + self.millis(300);
        self.put(at, Action::RemoveServer(leader));
        let at = at + self.millis(120);
        self.put(at, Action::HealAll);
    }

    /// Every link, each direction on its own.
    fn links(&self) -> Vec<(ServerId, ServerId)> {
        let servers = ServerSet::first(self.servers);
        let from_one = |from| servers.iter().filter(move |to| *to != from).map(move |to| (from, to));
        servers.iter().flat_map(from_one).collect()
    }
}
