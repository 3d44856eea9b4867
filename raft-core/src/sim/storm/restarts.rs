//! Faults with restarts and lost disks, in several steps, and why Raft survives them:
//! * **rolling restarts**: everything promised is on a disk;
//! * **old messages**: copies of messages come back after a crash, a lost disk or a removal. What a
//!   server asked or promised before is told apart from what it asks or promises now;
//! * **lose a disk and the leader**: some voters lag behind, another one loses its disk, and the
//!   leader crashes. A server that has lost its disk votes for no other, so that the leader's log
//!   is needed;
//! * **rot an isolated leader's log**: a leader that no other server hears goes on taking commands.
//!   When it is heard again, its disk has lost the last of them, and the others have other entries
//!   there, in a snapshot. A server that has lost entries is told of no entry that it could still
//!   hold.

use rand::RngExt;

use super::{Storm, pick};
use crate::sim::parameters::CERTAIN;
use crate::sim::{Action, MACHINES_MAX, MessageKind, Target};
use crate::time::{Duration, Time};

impl Storm {
    /// Crashes and restarts all servers, one after the other.
    pub(super) fn rolling_restart(&mut self, at: Time) {
        let mut at = at;
        for server in self.all_servers().iter() {
            self.put(at, Action::Crash(Target::Server(server)));
            at += self.around_millis(150);
            self.put(at, Action::Restart(server));
        }
    }

    /// Copies of what a server said and heard in a short life arrive after it has crashed, lost its
    /// disk or left.
    pub(super) fn old_messages(&mut self, at: Time) {
        let kinds = [
            MessageKind::Votes,
            MessageKind::Acknowledgements,
            MessageKind::Acknowledgements,
            MessageKind::Reads,
            MessageKind::Reads,
            MessageKind::Reads,
        ];
        let of = pick(&mut self.random, &kinds);
        let server = self.any_server();
        let share = CERTAIN;
        let delay = Duration::from_millis(pick(&mut self.random, &[600, 1_200, 2_400, 8_000]));
        self.read_at(at, Target::Server(server));
        // Many things are numbered from the beginning of a life. This life is as long as its copies
        // are late, so that they arrive when the next life has reached the same numbers.
        self.put(at, Action::Crash(Target::Server(server)));
        let mut at = at + self.around_millis(30);
        self.put(at, Action::Restart(server));
        self.put(at, Action::SetLate { of, share, delay, copies: true });
        at += delay.percent(50) + self.around(delay.percent(20));
        match self.random.random_range(0..5_u32) {
            0 if self.renewals_left() => self.put(at, Action::RenewDisk(Target::Server(server))),
            1 if self.renewals_left() => {
                // Damaged first and then lost: the copies are about the disk before the last one.
                self.put(at, Action::Rot(Target::Server(server)));
                at += self.around_millis(30);
                self.put(at, Action::Restart(server));
                at += self.around_millis(150);
                self.put(at, Action::RenewDisk(Target::Server(server)));
            }
            2 if self.leaves_left(1) && self.joins_left(1) => {
                self.put(at, Action::RemoveServer(server));
                let back = at + self.around_millis(300);
                self.put(back, Action::AddBack(server));
            }
            _ => self.put(at, Action::Crash(Target::Server(server))),
        }
        self.put(at, Action::SetLate { of, share: 0, delay, copies: true });
        let back = at + self.around_millis(100);
        self.put(back, Action::Restart(server));
    }

    /// As many voters as possible lag behind, another one loses its disk (perhaps for the second
    /// time), and the leader crashes while that server replays the log.
    pub(super) fn lose_disk_and_leader(&mut self, at: Time) {
        let servers = self.some_servers(u32::from(self.servers));
        let Some((lost, others)) = servers.split_first().filter(|(_, others)| others.len() > 1) else { return };
        let mut at = at;
        let lose = |storm: &mut Storm, at: Time| {
            if storm.renewals_left() {
                storm.put(at, Action::RenewDisk(Target::Server(*lost)));
                let back = at + storm.around_millis(15);
                storm.put(back, Action::Restart(*lost));
            }
        };
        if self.random.random_range(0..2_u32) == 0 {
            // The log then says that it was a learner.
            lose(self, at);
            at += Duration::from_millis(600) + self.around_millis(800);
        }
        let lagging = &others[..others.len() / 2];
        let mut groups = alloc::vec![0; usize::from(MACHINES_MAX)];
        for server in lagging {
            groups[server.slot()] = 1;
        }
        self.put(at, Action::Partition(groups));
        at += self.around_millis(200);
        let delay = self.around_millis(50);
        for from in others.iter().filter(|from| !lagging.contains(from)) {
            self.put(at, Action::Impair { from: *from, to: *lost, delay, share: 0 });
        }
        at += self.around_millis(50);
        lose(self, at);
        at += self.around_millis(250);
        self.put(at, Action::Crash(Target::Leader));
        self.put(at, Action::HealAll);
        let back = at + Duration::from_millis(500) + self.around_millis(800);
        self.put(back, Action::RestartAll);
    }

    /// A leader is cut off with the commands that it takes, loses the last of them, and comes back
    /// when another leader has other entries there, in a snapshot.
    pub(super) fn rot_isolated_leader(&mut self, at: Time) {
        let Some((leader, successor)) = self.two_servers() else { return };
        let next = self.any_server();
        self.put(at, Action::TransferLeadership(leader));
        let mut at = at + Duration::from_millis(200);
        self.put(at, Action::Isolate(Target::Server(leader)));
        // By then the others have only a few more entries than it has.
        let (min, max) = (Duration::from_millis(25), Duration::from_millis(40));
        self.put(at + Duration::from_millis(30), Action::SetLatency { min, max });
        at += Duration::from_millis(260);
        for _ in 0..6 {
            self.put(at, Action::Campaign(successor));
            at += Duration::from_millis(30);
        }
        self.put(at, Action::Rot(Target::Server(leader)));
        // A leader elected since then probes the log from the end of its own.
        at += self.around_millis(120);
        self.put(at, Action::TransferLeadership(next));
        at += Duration::from_millis(100);
        self.usual_latency(at);
        self.put(at, Action::HealAll);
        self.put(at, Action::Restart(leader));
    }
}
