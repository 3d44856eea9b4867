//! Faults that aim at a leader and its lease, in several steps, and why Raft survives them:
//! * **depose an isolated leader**: the leader is cut off, and before its lease can run out another
//!   server campaigns, or is handed the leadership. A server that has heard from the leader lately
//!   doesn't vote, and a leader that hands over has given up its lease;
//! * **slow answers**: all answers to the leader come late, and then no server hears the leader any
//!   more. Its lease runs from when it asked, not from when it was answered;
//! * **isolate each leader**: every leader is cut off soon after it was elected, or two of them in
//!   turn, as in Figure 8. Entries of an earlier leader are committed only under an entry of the
//!   leader's own term;
//! * **overdue transfer**: a leader tells its successor to take over, gives the transfer up, and
//!   its order is obeyed after all. The leader has given up its lease for good, and the rest is an
//!   ordinary election;
//! * **use a lease to the end**: a leader with a slow clock, among servers with fast clocks, is
//!   heard no more, and is read from until its lease is over. The lease is shorter than what it
//!   rests on, by as much as clocks may run apart;
//! * **change timeouts**: server after server is restarted with other timeouts. Safety rests on no
//!   timeout, and a lease only on the timeouts that the other servers state.

use rand::RngExt;

use super::{Storm, TIMEOUT_FACTORS, pick};
use crate::raft::ServerSet;
use crate::sim::parameters::CERTAIN;
use crate::sim::{Action, DiskParameters, MessageKind, OwnTiming, TRUE_RATE, Target};
use crate::time::{Duration, Time};

impl Storm {
    /// Another server leads before a leader that was cut off can know it.
    pub(super) fn depose_isolated(&mut self, at: Time) {
        let successor = self.any_server();
        let cut_off = pick(&mut self.random, &[Action::Isolate, Action::Mute, Action::Deafen]);
        if self.random.random_range(0..2_u32) == 0 {
            self.put(at, Action::TransferLeadership(successor));
            let cut = at + self.around_millis(8);
            self.read_at(cut, Target::Leader);
            self.cut_for_a_while(cut, cut_off(Target::Leader));
        } else {
            self.read_at(at, Target::Leader);
            self.cut_for_a_while(at, cut_off(Target::Leader));
            let mut at = at;
            for _ in 0..3 {
                at += self.around_millis(20);
                self.put(at, Action::Campaign(successor));
            }
        }
    }

    /// Answers reach a leader late, and then it is heard no more while late answers still come.
    pub(super) fn slow_answers(&mut self, at: Time) {
        let leader = self.any_server();
        self.put(at, Action::TransferLeadership(leader));
        let at = at + self.around_millis(200);
        let delay = Duration::from_millis(50) + self.around_millis(80);
        for from in ServerSet::first(self.servers).iter().filter(|from| *from != leader) {
            self.put(at, Action::Impair { from, to: leader, delay, share: 0 });
        }
        let at = at + delay + self.around_millis(200);
        self.read_at(at, Target::Server(leader));
        self.cut_for_a_while(at, Action::Mute(Target::Server(leader)));
    }

    /// Leader after leader is cut off soon after it was elected.
    pub(super) fn isolate_each_leader(&mut self, at: Time) {
        if self.random.random_range(0..3_u32) > 0 {
            return self.figure_8(at);
        }
        let interval = self.around_millis(200) + Duration::from_millis(100);
        let mut at = at;
        for _ in 0..8 {
            self.put(at, Action::HealAll);
            self.put(at, Action::Isolate(Target::Leader));
            at += interval.percent(50) + self.around(interval.percent(50));
        }
        self.put(at, Action::HealAll);
    }

    /// Figure 8 of the paper: two servers lead in turn, and the one that isn't to lead is cut off.
    /// The appends of one of them take some time. Those of the other arrive when they no longer
    /// count.
    fn figure_8(&mut self, at: Time) {
        let Some((one, other)) = self.two_servers() else { return };
        let of = MessageKind::Appends;
        let (soon, never) = (Duration::from_millis(40) + self.around_millis(80), Duration::from_secs(4));
        // A server with a slow disk may still be writing the entries of one leader when the other
        // leader replaces them, and so on.
        let slow = (self.random.random_range(0..3_u32) == 0).then(|| self.any_server());
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
            // No campaign succeeds before the others have forgotten the last leader.
            at += self.parameters.timing.election_timeout_max;
            for _ in 0..4 {
                self.put(at, Action::Campaign(leads));
                at += self.around_millis(40);
            }
            at += delay.min(self.around_millis(200));
        }
        self.put(at, Action::HealAll);
        self.put(at, Action::SetLate { of, share: 0, delay: Duration::ZERO, copies: false });
        if let Some(server) = slow {
            at += self.around_millis(150);
            self.put(at, Action::Crash(Target::Server(server)));
            self.put(at, Action::SetFsync { server, min: fsync_min, max: fsync_max });
            self.restart_later(at);
        }
    }

    /// A successor is told to take over so late that the leader has given the transfer up, and the
    /// leader hears no other server when the successor campaigns.
    pub(super) fn overdue_transfer(&mut self, at: Time) {
        let to = self.any_server();
        let of = MessageKind::Transfers;
        let delay = Duration::from_millis(pick(&mut self.random, &[700, 1_200, 3_000]));
        self.put(at, Action::SetLate { of, share: 1_000_000, delay, copies: false });
        self.put(at, Action::TransferLeadership(to));
        let mut at = at + Duration::from_millis(100);
        if self.random.random_range(0..3_u32) == 0 && self.joins_left(1) {
            self.put(at, Action::AddLearner);
        }
        self.put(at, Action::SetLate { of, share: 0, delay, copies: false });
        // The order arrives after half of its delay at the earliest.
        at += delay.percent(50) - Duration::from_millis(120);
        self.read_at(at, Target::Leader);
        for _ in 0..3 {
            self.put(at, Action::Deafen(Target::Leader));
            at += Duration::from_millis(40) + self.around_millis(60);
            self.put(at, Action::HealAll);
            at += self.around_millis(20);
        }
    }

    /// A lease is used up to its last moment, with clocks as far apart as they may be.
    pub(super) fn use_lease_to_the_end(&mut self, at: Time) {
        let leader = self.any_server();
        let (min, max) = (Duration::from_millis(1), Duration::from_millis(2));
        self.put(at, Action::SetLatency { min, max });
        self.put(at, Action::TransferLeadership(leader));
        for server in self.all_servers().iter() {
            let rate = if server == leader { 953_000 } else { 1_045_000 };
            self.put(at, Action::SetClockRate { server, rate });
        }
        let mut at = at + Duration::from_millis(300);
        self.read_at(at, Target::Server(leader));
        for _ in 0..3 {
            at += self.around_millis(100);
            self.put(at, Action::Isolate(Target::Server(leader)));
            at += Duration::from_millis(170);
            self.put(at, Action::HealAll);
            at += Duration::from_millis(80);
        }
        for server in self.all_servers().iter() {
            self.put(at, Action::SetClockRate { server, rate: TRUE_RATE });
        }
        self.usual_latency(at);
    }

    /// One server after the other is restarted with other timeouts.
    pub(super) fn change_timeouts(&mut self, at: Time) {
        let mut at = at;
        let leases = self.parameters.clients.lease_reads;
        // If a server votes although it hears from a leader, every server must ask for pre-votes.
        let may_skip_check = !leases && self.parameters.timing.pre_vote && self.random.random_range(0..2_u32) == 0;
        for server in self.some_servers(u32::from(self.servers)) {
            // A lease may rest on what a server promised in its last life, so its timeout changes
            // only once, and only to a longer one.
            let drawn =
                if leases { self.timeout_factors[server.slot()] } else { pick(&mut self.random, &TIMEOUT_FACTORS) };
            // Without pre-votes, a removed server that can't be told so goes on campaigning, and a
            // server with a longer timeout never leads for long.
            let factor = if self.parameters.timing.pre_vote { drawn } else { 1 };
            let check_quorum = !may_skip_check || self.random.random_range(0..2_u32) == 0;
            let timing = &self.parameters.timing;
            let with = OwnTiming {
                election_timeout_min: timing.election_timeout_min.times(factor),
                election_timeout_max: timing.election_timeout_max.times(factor),
                pre_vote: timing.pre_vote,
                check_quorum,
            };
            self.put(at, with.action(server));
            self.put(at, Action::Crash(Target::Server(server)));
            at += self.around_millis(40);
            self.put(at, Action::Restart(server));
            at += self.around_millis(150);
        }
    }
}
