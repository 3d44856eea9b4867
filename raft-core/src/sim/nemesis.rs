//! Nemeses: several faults in a bad order, each with a story of its own. Why Raft survives them:
//! * **flapping**: a link fails and heals all the time. Terms rise, pre-votes fail, and whoever is
//!   heard longest leads;
//! * **bridge**: two halves that only one server reaches. A quorum needs that server, and it votes
//!   once a term;
//! * **ring**: everybody reaches a majority, no two the same one. A leader is heard by a majority,
//!   the others ignore campaigns;
//! * **swizzle**: links fail one by one and heal in another order. Nobody promised that "reaches"
//!   goes both ways, or all the way round;
//! * **rolling restarts**: everything promised is on a disk;
//! * **usurper**: the leader is cut off, and before its lease can run out somebody campaigns, or is
//!   handed the leadership. Who has heard the leader lately doesn't vote, and a leader that hands
//!   over has given its lease up;
//! * **lag**: all answers to the leader take their time, and then nobody hears it any more. Its
//!   lease runs from when it asked, not from when it was answered;
//! * **rhythm**: every leader is cut off soon after it was elected, or two of them in turn, as in
//!   Figure 8. What an earlier leader left behind counts only under an entry of the leader's own;
//! * **coup**: a leader that nobody hears is asked to replace the others. The change needs a
//!   majority of those that it would replace;
//! * **ouster**: the others remove a leader that nobody hears, which learns of it when it hears
//!   them again, before it learns of anything else. It commits no more of its own log than has been
//!   compared with theirs;
//! * **haunting**: copies of what was said come back after a crash, a lost disk or a removal. What
//!   a server asked or promised before is told from what it does now;
//! * **overdue**: a leader tells its successor to take over, gives the transfer up, and is obeyed
//!   after all. It had given its lease up for good, and everything else is an election like any
//!   other;
//! * **last moment**: a leader whose clock is slow, among others whose clocks are fast, is heard no
//!   more and read until its lease is over. By so much as clocks may run apart, it is shorter than
//!   what it rests on;
//! * **corner**: a leader is cut off together with learners and with voters that are new. None of
//!   them may confirm that it leads;
//! * **swap**: several voters are replaced at once, so that few of the old ones stay. Both
//!   majorities are asked until the change is over;
//! * **shrinking**: all but one or two leave at once, and whoever led goes down at that moment. Who
//!   stays, and who has the final membership, can always elect somebody;
//! * **amnesia**: some voters lag behind, another one loses its disk, and the leader goes down. Who
//!   has lost its disk votes for nobody, so that the leader's log is needed;
//! * **distance**: a server that is far away joins, which lacks what has come within a round trip
//!   whenever somebody looks. It keeps up all the same, and votes soon;
//! * **relic**: a leader that nobody hears goes on taking commands, and when it is heard again, its
//!   disk has lost the last of them, and the others have put what stands there with them into a
//!   snapshot. Whoever has lost entries is told of none that it could still hold;
//! * **reconfiguration**: server after server is restarted with other timeouts. Safety rests on no
//!   timeout, and leases on those that the others state.

use alloc::vec::Vec;

use rand::RngExt;

use super::action::{Action, MessageKind, Target};
use super::parameters::{CERTAIN, DiskParameters, MACHINES_MAX, NetworkParameters, OwnTiming};
use super::storm::{PATIENCE, Storm, pick};
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
        for server in self.everyone().iter() {
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
            self.read_at(cut, Target::Leader);
            self.part(cut, cut_off(Target::Leader));
        } else {
            self.read_at(at, Target::Leader);
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
            self.put(at, Action::Impair { from, to: leader, delay, share: 0 });
        }
        let at = at + delay + self.millis(200);
        self.read_at(at, Target::Server(leader));
        self.part(at, Action::Mute(Target::Server(leader)));
    }

    /// Leader after leader is cut off soon after it was elected.
    pub(super) fn rhythm(&mut self, at: Time) {
        if self.random.random_range(0..3_u32) > 0 {
            return self.figure_8(at);
        }
        let beat = self.millis(200) + Duration::from_millis(100);
        let mut at = at;
        for _ in 0..8 {
            self.put(at, Action::HealAll);
            self.put(at, Action::Isolate(Target::Leader));
            at += beat.percent(50) + self.about(beat.percent(50));
        }
        self.put(at, Action::HealAll);
    }

    /// Figure 8 as it is drawn: two servers lead in turn, and whoever isn't to lead is cut off.
    /// What the one appends takes its time, what the other appends comes when nobody takes it any
    /// more.
    fn figure_8(&mut self, at: Time) {
        let Some((one, other)) = self.two() else { return };
        let of = MessageKind::Appends;
        let (soon, never) = (Duration::from_millis(40) + self.millis(80), Duration::from_secs(4));
        // Whose disk is slow may be writing still what one of them has sent when the other replaces
        // it, and that when it is replaced again.
        let slow = (self.random.random_range(0..3_u32) == 0).then(|| self.anyone());
        let DiskParameters { fsync_min, fsync_max } = self.parameters.disk;
        if let Some(server) = slow {
            let (min, max) = (Duration::from_millis(300), Duration::from_millis(550));
            self.put(at, Action::SetFsync { server, min, max });
        }
        self.put(at, Action::TransferLeadership(one));
        let mut at = at + Duration::from_millis(200);
        let turns = [(other, one, never), (one, other, soon)];
        for (leads, waits, delay) in turns.into_iter().cycle().take(7) {
            self.put(at, Action::HealAll);
            self.put(at, Action::Isolate(Target::Server(waits)));
            self.put(at, Action::SetLate { of, share: CERTAIN, delay, copies: false });
            // Nobody campaigns with success before the others have forgotten the last leader.
            at += self.parameters.timing.election_timeout_max;
            for _ in 0..4 {
                self.put(at, Action::Campaign(leads));
                at += self.millis(40);
            }
            at += delay.min(self.millis(200));
        }
        self.put(at, Action::HealAll);
        self.put(at, Action::SetLate { of, share: 0, delay: Duration::ZERO, copies: false });
        if let Some(server) = slow {
            at += self.millis(150);
            self.put(at, Action::Crash(Target::Server(server)));
            self.put(at, Action::SetFsync { server, min: fsync_min, max: fsync_max });
            self.restart_later(at);
        }
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

    /// Messages of some kind, or of all, are late by up to a minute, or a copy of each is.
    pub(super) fn late(&mut self, at: Time) {
        let of = pick(&mut self.random, &MessageKind::ALL);
        let all = of == MessageKind::Everything;
        let share = pick(&mut self.random, if all { &[2_000, 10_000] } else { &[20_000, 200_000] });
        let seconds = pick(&mut self.random, &[1, 5, 60]);
        let copies = self.random.random_range(0..3_u32) > 0;
        self.put(at, Action::SetLate { of, share, delay: Duration::from_secs(seconds), copies });
        let back = at + self.millis(4_000);
        self.put(back, Action::SetLate { of, share: 0, delay: Duration::ZERO, copies });
    }

    /// What a server said and heard in a short life comes back when it has crashed, lost its disk
    /// or left meanwhile.
    pub(super) fn haunt(&mut self, at: Time) {
        let kinds = [
            MessageKind::Votes,
            MessageKind::Acknowledgements,
            MessageKind::Acknowledgements,
            MessageKind::Reads,
            MessageKind::Reads,
            MessageKind::Reads,
        ];
        let of = pick(&mut self.random, &kinds);
        let server = self.anyone();
        let share = 1_000_000;
        let delay = Duration::from_millis(pick(&mut self.random, &[600, 1_200, 2_400, 8_000]));
        self.read_at(at, Target::Server(server));
        // Many things are numbered from a life's beginning on: this one is as long as its copies
        // are late, so that they come when the next one is at the same numbers.
        self.put(at, Action::Crash(Target::Server(server)));
        let mut at = at + self.millis(30);
        self.put(at, Action::Restart(server));
        self.put(at, Action::SetLate { of, share, delay, copies: true });
        at += delay.percent(50) + self.about(delay.percent(20));
        match self.random.random_range(0..5_u32) {
            0 if self.renewals_left() => self.put(at, Action::RenewDisk(Target::Server(server))),
            1 if self.renewals_left() => {
                // Damaged first, and then lost: what was said before is about the disk before last.
                self.put(at, Action::Rot(Target::Server(server)));
                at += self.millis(30);
                self.put(at, Action::Restart(server));
                at += self.millis(150);
                self.put(at, Action::RenewDisk(Target::Server(server)));
            }
            2 if self.leaves_left(1) && self.joins_left(1) => {
                self.put(at, Action::RemoveServer(server));
                let back = at + self.millis(300);
                self.put(back, Action::AddBack(server));
            }
            _ => self.put(at, Action::Crash(Target::Server(server))),
        }
        self.put(at, Action::SetLate { of, share: 0, delay, copies: true });
        let back = at + self.millis(100);
        self.put(back, Action::Restart(server));
    }

    /// A successor is told to take over so late that the leader has given the transfer up, and
    /// nobody is heard by the leader when it does.
    pub(super) fn overdue(&mut self, at: Time) {
        let to = self.anyone();
        let of = MessageKind::Transfers;
        let delay = Duration::from_millis(pick(&mut self.random, &[700, 1_200, 3_000]));
        self.put(at, Action::SetLate { of, share: 1_000_000, delay, copies: false });
        self.put(at, Action::TransferLeadership(to));
        let mut at = at + Duration::from_millis(100);
        if self.random.random_range(0..3_u32) == 0 && self.joins_left(1) {
            self.put(at, Action::AddLearner);
        }
        self.put(at, Action::SetLate { of, share: 0, delay, copies: false });
        // It comes after half of the delay at the earliest.
        at += delay.percent(50) - Duration::from_millis(120);
        self.read_at(at, Target::Leader);
        for _ in 0..3 {
            self.put(at, Action::Deafen(Target::Leader));
            at += Duration::from_millis(40) + self.millis(60);
            self.put(at, Action::HealAll);
            at += self.millis(20);
        }
    }

    /// A lease is used up to its last moment, by clocks as far apart as they may be.
    pub(super) fn last_moment(&mut self, at: Time) {
        let leader = self.anyone();
        let (min, max) = (Duration::from_millis(1), Duration::from_millis(2));
        self.put(at, Action::SetLatency { min, max });
        self.put(at, Action::TransferLeadership(leader));
        for server in self.everyone().iter() {
            let rate = if server == leader { 953_000 } else { 1_045_000 };
            self.put(at, Action::SetClockRate { server, rate });
        }
        let mut at = at + Duration::from_millis(300);
        self.read_at(at, Target::Server(leader));
        for _ in 0..3 {
            at += self.millis(100);
            self.put(at, Action::Isolate(Target::Server(leader)));
            at += Duration::from_millis(170);
            self.put(at, Action::HealAll);
            at += Duration::from_millis(80);
        }
        for server in self.everyone().iter() {
            self.put(at, Action::SetClockRate { server, rate: super::TRUE_RATE });
        }
        self.usual_latency(at);
    }

    /// A leader and whoever is new reach nobody else, while both sides are written to and read.
    pub(super) fn corner(&mut self, at: Time) {
        let mut at = at;
        if self.random.random_range(0..2_u32) == 0 && self.joins_left(1) {
            let joins = if self.random.random_range(0..2_u32) == 0 { Action::AddServer } else { Action::AddLearner };
            self.put(at, joins);
            at += self.millis(150);
        }
        self.read_at(at, Target::Leader);
        self.part(at, Action::IsolateWithNewcomers(Target::Leader));
    }

    /// Several voters are replaced at once, and perhaps cut off from those that come.
    pub(super) fn swap(&mut self, at: Time) {
        let most = u32::from(self.servers).saturating_sub(1).min(4);
        let count = self.random.random_range(1..=most.max(1));
        if !self.swaps_left(count) {
            return;
        }
        for _ in 0..count {
            self.put(at, Action::AddServer);
        }
        for server in self.some(count) {
            self.put(at, Action::RemoveServer(server));
        }
        let at = at + self.millis(400);
        match self.random.random_range(0..3_u32) {
            0 => {
                self.read_at(at, Target::Leader);
                self.part(at, Action::IsolateWithNewcomers(Target::Leader));
            }
            1 => {
                self.put(at, Action::Crash(Target::Leader));
                self.restart_later(at);
            }
            _ => {}
        }
    }

    /// All but one or two leave at once, whoever led crashes, and most come back later.
    pub(super) fn shrink(&mut self, at: Time) {
        let stay = self.random.random_range(1..=2_u32);
        let everyone: Vec<ServerId> = self.everyone().iter().collect();
        let leave = self.some(everyone.len() as u32).into_iter().skip(stay as usize).collect::<Vec<_>>();
        let mut at = at;
        if self.random.random_range(0..2_u32) == 0 {
            // One of those that leave leads, and another one is down.
            if let [leader, down, ..] = leave[..] {
                self.put(at, Action::TransferLeadership(leader));
                at += self.millis(150);
                self.put(at, Action::Crash(Target::Server(down)));
            }
        }
        for server in &leave {
            self.put(at, Action::RemoveServer(*server));
        }
        at += self.millis(60);
        self.put(at, Action::Crash(Target::Leader));
        at += self.millis(100);
        match leave.first() {
            Some(leader) => self.put(at, Action::Restart(*leader)),
            None => self.put(at, Action::RestartAll),
        }
        at += Duration::from_millis(600) + self.millis(1_000);
        self.put(at, Action::RestartAll);
        for server in leave {
            self.put(at, Action::AddBack(server));
        }
    }

    /// Whoever joins is far from the others, who are written to.
    pub(super) fn distance(&mut self, at: Time) {
        if !self.joins_left(1) {
            return;
        }
        let delay = Duration::from_millis(40) + self.millis(20);
        let back = at + Duration::from_millis(4_000);
        let near = ServerSet::first(self.servers);
        for far in self.everyone().difference(near).iter() {
            for server in near.iter() {
                for (from, to) in [(server, far), (far, server)] {
                    self.put(at, Action::Impair { from, to, delay, share: 0 });
                    self.put(back, Action::Heal { from, to });
                }
            }
        }
        self.put(at, Action::AddServer);
    }

    /// Whoever joined leads, is removed, and crashes with the news of it: the others may need its
    /// vote until they have that, too.
    pub(super) fn retire(&mut self, at: Time) {
        let leaver = ServerId::new(self.servers + self.random.random_range(1..=self.newcomers.max(1)));
        if let Some(leaver) = leaver.filter(|_| self.newcomers > 0 && self.leaves_left(1)) {
            self.put(at, Action::TransferLeadership(leaver));
            self.send_off(leaver, at + Duration::from_millis(250));
        }
    }

    /// The same as the last thing, of the only one left that has joined: what is mended then may
    /// not be enough without it.
    pub(super) fn retire_last(&mut self, end: Time) {
        let mut joined = self.everyone().difference(ServerSet::first(self.servers)).iter();
        let Some(leaver) = joined.next() else { return };
        let before = |millis: u64| Time::ZERO + (end.since(Time::ZERO) - Duration::from_millis(millis));
        for other in joined {
            self.put(before(5_000), Action::RemoveServer(other));
        }
        self.put(before(4_000), Action::AddBack(leaver));
        let fsync = self.parameters.disk.fsync_max.as_micros() / 1_000;
        self.put(before(1_300 + fsync), Action::HealAll);
        self.put(before(1_300 + fsync), Action::RestartAll);
        self.put(before(850 + fsync), Action::TransferLeadership(leaver));
        self.send_off(leaver, before(400 + fsync));
    }

    /// A leader is removed, and crashes when it knows so and the others don't.
    fn send_off(&mut self, leaver: ServerId, at: Time) {
        let way = Duration::from_millis(50);
        self.put(at, Action::SetLatency { min: way, max: way });
        let at = at + way;
        self.put(at, Action::RemoveServer(leaver));
        // The order takes some time, and there and back, and a write, that both memberships count.
        // Then it knows that it is gone, and it takes once more the way until the others do.
        let mut at = at + way.times(3) + self.parameters.disk.fsync_max + self.millis(15);
        self.put(at, Action::Isolate(Target::Leader));
        self.put(at, Action::Crash(Target::Leader));
        at += Duration::from_millis(20);
        self.put(at, Action::RestartAll);
        self.put(at, Action::HealAll);
        self.usual_latency(at);
    }

    /// As many voters as may be lag behind, another one loses its disk, for the second time
    /// perhaps, and the leader crashes while that one is replaying the log.
    pub(super) fn amnesia(&mut self, at: Time) {
        let everyone = self.some(u32::from(self.servers));
        let Some((lost, others)) = everyone.split_first().filter(|(_, others)| others.len() > 1) else { return };
        let mut at = at;
        let lose = |storm: &mut Storm, at: Time| {
            if storm.renewals_left() {
                storm.put(at, Action::RenewDisk(Target::Server(*lost)));
                let back = at + storm.millis(15);
                storm.put(back, Action::Restart(*lost));
            }
        };
        if self.random.random_range(0..2_u32) == 0 {
            // The log tells of it then as of a learner.
            lose(self, at);
            at += Duration::from_millis(600) + self.millis(800);
        }
        let lagging = &others[..others.len() / 2];
        let mut groups = alloc::vec![0; usize::from(MACHINES_MAX)];
        for server in lagging {
            groups[server.slot()] = 1;
        }
        self.put(at, Action::Partition(groups));
        at += self.millis(200);
        let delay = self.millis(50);
        for from in others.iter().filter(|from| !lagging.contains(from)) {
            self.put(at, Action::Impair { from: *from, to: *lost, delay, share: 0 });
        }
        at += self.millis(50);
        lose(self, at);
        at += self.millis(250);
        self.put(at, Action::Crash(Target::Leader));
        self.put(at, Action::HealAll);
        let back = at + Duration::from_millis(500) + self.millis(800);
        self.put(back, Action::RestartAll);
    }

    /// A leader is cut off with what it is asked for, loses the last of it, and comes back when
    /// another leads that has something else there, in a snapshot.
    pub(super) fn relic(&mut self, at: Time) {
        let Some((leader, heir)) = self.two() else { return };
        let next = self.anyone();
        self.put(at, Action::TransferLeadership(leader));
        let mut at = at + Duration::from_millis(200);
        self.put(at, Action::Isolate(Target::Server(leader)));
        // The others have little more by then than it has.
        let (min, max) = (Duration::from_millis(25), Duration::from_millis(40));
        self.put(at + Duration::from_millis(30), Action::SetLatency { min, max });
        at += Duration::from_millis(260);
        for _ in 0..6 {
            self.put(at, Action::Campaign(heir));
            at += Duration::from_millis(30);
        }
        self.put(at, Action::Rot(Target::Server(leader)));
        // Who has been elected since looks for the end of its log from the end of its own.
        at += self.millis(120);
        self.put(at, Action::TransferLeadership(next));
        at += Duration::from_millis(100);
        self.usual_latency(at);
        self.put(at, Action::HealAll);
        self.put(at, Action::Restart(leader));
    }

    /// One server after the other gets other timeouts, and is restarted for it.
    pub(super) fn reconfigure(&mut self, at: Time) {
        let mut at = at;
        let leases = self.parameters.clients.lease_reads;
        // Where somebody votes although it hears a leader, nobody may campaign without asking.
        let loose = !leases && self.parameters.timing.pre_vote && self.random.random_range(0..2_u32) == 0;
        for server in self.some(u32::from(self.servers)) {
            // A lease may rest on what a server promised in its last life: it becomes more patient
            // once at the most.
            let drawn = if leases { self.patience[server.slot()] } else { pick(&mut self.random, &PATIENCE) };
            // Where nobody asks first, one that was removed and can't be told campaigns on, and
            // whoever is more patient never leads for long.
            let times = if self.parameters.timing.pre_vote { drawn } else { 1 };
            let check_quorum = !loose || self.random.random_range(0..2_u32) == 0;
            let timing = &self.parameters.timing;
            let with = OwnTiming {
                election_timeout_min: timing.election_timeout_min.times(times),
                election_timeout_max: timing.election_timeout_max.times(times),
                pre_vote: timing.pre_vote,
                check_quorum,
            };
            self.put(at, with.action(server));
            self.put(at, Action::Crash(Target::Server(server)));
            at += self.millis(40);
            self.put(at, Action::Restart(server));
            at += self.millis(150);
        }
    }

    /// Messages take as long as this world has them take.
    fn usual_latency(&mut self, at: Time) {
        let NetworkParameters { latency_min: min, latency_max: max, .. } = self.parameters.network;
        self.put(at, Action::SetLatency { min, max });
    }

    /// Clients read at one server for a while, even if it leads no more.
    pub(super) fn read_at(&mut self, at: Time, target: Target) {
        self.put(at, Action::ReadAt(target));
        let back = at + Duration::from_millis(500) + self.millis(1_500);
        self.put(back, Action::ReadAnywhere);
    }

    /// So many different servers, in any order; no more than there may be.
    fn some(&mut self, count: u32) -> Vec<ServerId> {
        let mut servers: Vec<ServerId> = self.everyone().iter().collect();
        for place in (1..servers.len()).rev() {
            let other = self.random.random_range(0..=place as u32) as usize;
            servers.swap(place, other);
        }
        servers.truncate(count as usize);
        servers
    }

    /// Every link, each direction on its own.
    fn links(&self) -> Vec<(ServerId, ServerId)> {
        let servers = ServerSet::first(self.servers);
        let from_one = |from| servers.iter().filter(move |to| *to != from).map(move |to| (from, to));
        servers.iter().flat_map(from_one).collect()
    }
}
