//! Faults during membership changes, in several steps, and why Raft survives them:
//! * **change while isolated**: a leader that no other server hears is asked to replace the others.
//!   The change needs a majority of the servers that it would replace;
//! * **remove an isolated leader**: the others remove a leader that they don't hear, which learns
//!   of its removal when it hears them again, before it learns of anything else. It commits no more
//!   of its own log than has been compared with theirs;
//! * **isolate with newcomers**: a leader is cut off together with learners and with new voters.
//!   None of these may confirm that it leads;
//! * **replace voters**: several voters are replaced at once, so that few of the old ones stay.
//!   Both majorities are asked until the change is over;
//! * **shrink the membership**: all but one or two servers leave at once, and the leader crashes at
//!   that moment. The servers that stay, and those that have the final membership, can always elect
//!   a leader;
//! * **distant newcomer**: a server that is far away joins. It always lacks the entries of the last
//!   round trip, but it keeps up, and becomes a voter soon;
//! * **remove a leader that joined**: it crashes with the entry that removes it. The others may
//!   need its vote until they have that entry, too.

use alloc::vec::Vec;

use rand::RngExt;

use super::Storm;
use crate::raft::{ServerId, ServerSet};
use crate::sim::{Action, Target};
use crate::time::{Duration, Time};

impl Storm {
    /// An isolated leader is asked to replace two others by servers that it could reach.
    pub(super) fn change_while_isolated(&mut self, at: Time) {
        let leader = self.any_server();
        if !(self.leaves_left(2) && self.joins_left(2)) {
            return;
        }
        self.put(at, Action::TransferLeadership(leader));
        let mut at = at + self.around_millis(200);
        self.cut_for_a_while(at, Action::Isolate(Target::Server(leader)));
        let others: Vec<ServerId> = ServerSet::first(self.servers).iter().filter(|other| *other != leader).collect();
        for other in others.iter().take(2) {
            at += self.around_millis(30);
            self.put(at, Action::RemoveServer(*other));
        }
        for _ in 0..2 {
            at += self.around_millis(30);
            self.put(at, Action::AddServer);
        }
    }

    /// The others remove a leader that they don't hear. It comes back while they do so.
    pub(super) fn remove_isolated(&mut self, at: Time) {
        let leader = self.any_server();
        if !(self.leaves_left(1) && self.joins_left(1)) {
            return;
        }
        self.put(at, Action::AddServer);
        self.put(at, Action::TransferLeadership(leader));
        let at = at + self.around_millis(400);
        self.put(at, Action::Isolate(Target::Server(leader)));
        let at = at + Duration::from_millis(300) + self.around_millis(300);
        self.put(at, Action::RemoveServer(leader));
        let at = at + self.around_millis(120);
        self.put(at, Action::HealAll);
    }

    /// A leader and the newcomers reach no other server, while both sides are written to and read.
    pub(super) fn isolate_with_newcomers(&mut self, at: Time) {
        let mut at = at;
        if self.random.random_range(0..2_u32) == 0 && self.joins_left(1) {
            let joins = if self.random.random_range(0..2_u32) == 0 { Action::AddServer } else { Action::AddLearner };
            self.put(at, joins);
            at += self.around_millis(150);
        }
        self.read_at(at, Target::Leader);
        self.cut_for_a_while(at, Action::IsolateWithNewcomers(Target::Leader));
    }

    /// Several voters are replaced at once, and perhaps cut off from the new ones.
    pub(super) fn replace_voters(&mut self, at: Time) {
        let most = u32::from(self.servers).saturating_sub(1).min(4);
        let count = self.random.random_range(1..=most.max(1));
        if !self.replacements_left(count) {
            return;
        }
        for _ in 0..count {
            self.put(at, Action::AddServer);
        }
        for server in self.some_servers(count) {
            self.put(at, Action::RemoveServer(server));
        }
        let at = at + self.around_millis(400);
        match self.random.random_range(0..3_u32) {
            0 => {
                self.read_at(at, Target::Leader);
                self.cut_for_a_while(at, Action::IsolateWithNewcomers(Target::Leader));
            }
            1 => {
                self.put(at, Action::Crash(Target::Leader));
                self.restart_later(at);
            }
            _ => {}
        }
    }

    /// All servers but one or two leave at once, the leader crashes, and most servers come back
    /// later.
    pub(super) fn shrink_membership(&mut self, at: Time) {
        let stay = self.random.random_range(1..=2_u32);
        let everyone: Vec<ServerId> = self.all_servers().iter().collect();
        let leave = self.some_servers(everyone.len() as u32).into_iter().skip(stay as usize).collect::<Vec<_>>();
        let mut at = at;
        if self.random.random_range(0..2_u32) == 0 {
            // One of the leaving servers leads, and another one is down.
            if let [leader, down, ..] = leave[..] {
                self.put(at, Action::TransferLeadership(leader));
                at += self.around_millis(150);
                self.put(at, Action::Crash(Target::Server(down)));
            }
        }
        for server in &leave {
            self.put(at, Action::RemoveServer(*server));
        }
        at += self.around_millis(60);
        self.put(at, Action::Crash(Target::Leader));
        at += self.around_millis(100);
        match leave.first() {
            Some(leader) => self.put(at, Action::Restart(*leader)),
            None => self.put(at, Action::RestartAll),
        }
        at += Duration::from_millis(600) + self.around_millis(1_000);
        self.put(at, Action::RestartAll);
        for server in leave {
            self.put(at, Action::AddBack(server));
        }
    }

    /// A server joins that is far from the others, which are written to.
    pub(super) fn distant_newcomer(&mut self, at: Time) {
        if !self.joins_left(1) {
            return;
        }
        let delay = Duration::from_millis(40) + self.around_millis(20);
        let back = at + Duration::from_millis(4_000);
        let near = ServerSet::first(self.servers);
        for far in self.all_servers().difference(near).iter() {
            for server in near.iter() {
                for (from, to) in [(server, far), (far, server)] {
                    self.put(at, Action::Impair { from, to, delay, share: 0 });
                    self.put(back, Action::Heal { from, to });
                }
            }
        }
        self.put(at, Action::AddServer);
    }

    /// A server that joined leads, is removed, and crashes with the entry that removes it: the
    /// others may need its vote until they have that entry, too.
    pub(super) fn remove_joined_leader(&mut self, at: Time) {
        let leaving = ServerId::new(self.servers + self.random.random_range(1..=self.newcomers.max(1)));
        if let Some(leaving) = leaving.filter(|_| self.newcomers > 0 && self.leaves_left(1)) {
            self.put(at, Action::TransferLeadership(leaving));
            self.remove_and_crash(leaving, at + Duration::from_millis(250));
        }
    }

    /// Does the same, as the last fault of the storm, to the only joined server that is left: the
    /// quorum that is healed then may not be enough without it.
    pub(super) fn remove_last_joined(&mut self, end: Time) {
        let mut joined = self.all_servers().difference(ServerSet::first(self.servers)).iter();
        let Some(leaving) = joined.next() else { return };
        let before = |millis: u64| Time::ZERO + (end.since(Time::ZERO) - Duration::from_millis(millis));
        for other in joined {
            self.put(before(5_000), Action::RemoveServer(other));
        }
        self.put(before(4_000), Action::AddBack(leaving));
        let fsync = self.parameters.disk.fsync_max.as_micros() / 1_000;
        self.put(before(1_300 + fsync), Action::HealAll);
        self.put(before(1_300 + fsync), Action::RestartAll);
        self.put(before(850 + fsync), Action::TransferLeadership(leaving));
        self.remove_and_crash(leaving, before(400 + fsync));
    }

    /// A leader is removed, and crashes when it knows of its removal and the others don't.
    fn remove_and_crash(&mut self, leaving: ServerId, at: Time) {
        let latency = Duration::from_millis(50);
        self.put(at, Action::SetLatency { min: latency, max: latency });
        let at = at + latency;
        self.put(at, Action::RemoveServer(leaving));
        // The order takes some time. The joint membership takes a round trip and a write until it
        // is committed; then the leader knows that it is removed. The others know it after another
        // latency.
        let mut at = at + latency.times(3) + self.parameters.disk.fsync_max + self.around_millis(15);
        self.put(at, Action::Isolate(Target::Leader));
        self.put(at, Action::Crash(Target::Leader));
        at += Duration::from_millis(20);
        self.put(at, Action::RestartAll);
        self.put(at, Action::HealAll);
        self.usual_latency(at);
    }
}
