//! What each kind of fault does. Most are one action, and another one that ends the fault. The
//! longer ones are in `network`, `leadership`, `membership` and `restarts`.

use rand::RngExt;

use super::kinds::Kind;
use super::parameters::SLOW_DISK_MAX;
use super::{Storm, pick};
use crate::sim::{Action, DiskParameters, TRUE_RATE, Target};
use crate::time::{Duration, Time};

impl Storm {
    /// Puts one fault of this kind into the storm.
    pub(super) fn put_fault(&mut self, kind: Kind, at: Time) {
        let servers = self.all_servers();
        match kind {
            Kind::Crash => {
                let target = self.any_target();
                self.put(at, Action::Crash(target));
                self.restart_later(at);
            }
            Kind::CrashWriting => {
                self.put(at, Action::Crash(Target::Writer));
                self.restart_later(at);
            }
            Kind::CrashAll => {
                for server in servers.iter() {
                    self.put(at, Action::Crash(Target::Server(server)));
                }
                self.restart_later(at);
            }
            Kind::RollingRestart => self.rolling_restart(at),
            Kind::Pause => {
                let target = self.any_target();
                self.put(at, Action::Pause(target));
                let back = at + self.around_millis(400);
                self.put(back, Action::ResumeAll);
            }
            Kind::Cut => {
                if let Some((from, to)) = self.two_servers() {
                    self.put(at, Action::Cut { from, to });
                    let back = at + self.around_millis(1_200);
                    self.put(back, Action::Heal { from, to });
                }
            }
            Kind::Flap => self.flap(at),
            Kind::Swizzle => self.swizzle(at),
            Kind::Impair => {
                if let Some((from, to)) = self.two_servers() {
                    let delay = self.around_millis(60);
                    let loss = self.random.random_range(0..500_000);
                    self.put(at, Action::Impair { from, to, delay, share: loss });
                    let back = at + self.around_millis(1_500);
                    self.put(back, Action::Heal { from, to });
                }
            }
            Kind::Partition => {
                let groups = servers.iter().map(|_| self.random.random_range(0..2)).collect();
                self.cut_for_a_while(at, Action::Partition(groups));
            }
            Kind::Isolate => {
                let target = self.any_target();
                self.cut_for_a_while(at, Action::Isolate(target));
            }
            Kind::Bridge => self.bridge(at),
            Kind::Ring => self.ring(at),
            Kind::CutOneWay => {
                let target = self.any_target();
                let deaf = self.random.random_range(0..2_u32) == 0;
                self.cut_for_a_while(at, if deaf { Action::Deafen(target) } else { Action::Mute(target) });
            }
            Kind::DeposeIsolated => self.depose_isolated(at),
            Kind::SlowAnswers => self.slow_answers(at),
            Kind::IsolateEachLeader => self.isolate_each_leader(at),
            Kind::ChangeWhileIsolated => self.change_while_isolated(at),
            Kind::RemoveIsolated => self.remove_isolated(at),
            Kind::LateMessages => self.late_messages(at),
            Kind::OldMessages => self.old_messages(at),
            Kind::OverdueTransfer => self.overdue_transfer(at),
            Kind::IsolateWithNewcomers => self.isolate_with_newcomers(at),
            Kind::ReplaceVoters => self.replace_voters(at),
            Kind::ShrinkMembership => self.shrink_membership(at),
            Kind::LoseDiskAndLeader => self.lose_disk_and_leader(at),
            Kind::ChangeTimeouts => self.change_timeouts(at),
            Kind::RemoveJoinedLeader => self.remove_joined_leader(at),
            Kind::DistantNewcomer => self.distant_newcomer(at),
            Kind::RotIsolatedLeader => self.rot_isolated_leader(at),
            Kind::UseLeaseToTheEnd => self.use_lease_to_the_end(at),
            Kind::AddLearner => {
                if self.joins_left(1) {
                    self.put(at, Action::AddLearner);
                }
            }
            Kind::AddBack => {
                let server = self.any_server();
                self.put(at, Action::AddBack(server));
            }
            Kind::RenewDisk => {
                let target = self.any_target();
                if self.renewals_left() {
                    self.put(at, Action::RenewDisk(target));
                    self.restart_later(at);
                }
            }
            Kind::SetClockBack if self.parameters.clients.lease_reads => self.set_leaders_clock_back(at),
            Kind::SetClockBack => self.set_clock_back(at),
            Kind::SlowDisks => self.slow_disks(at),
            Kind::Loss => {
                let share = pick(&mut self.random, &[0, 20_000, 100_000, 300_000]);
                self.put(at, Action::SetLoss(share));
            }
            Kind::Duplication => {
                let share = pick(&mut self.random, &[0, 20_000, 200_000, 600_000]);
                self.put(at, Action::SetDuplication(share));
            }
            Kind::Stragglers => {
                let share = pick(&mut self.random, &[0, 10_000, 100_000]);
                let delay = self.around_millis(500);
                self.put(at, Action::SetStraggling { share, delay });
            }
            Kind::Latency => {
                let (min, max) = pick(&mut self.random, &[(1, 2), (1, 30), (5, 120), (50, 90)]);
                let (min, max) = (Duration::from_millis(min), Duration::from_millis(max));
                self.put(at, Action::SetLatency { min, max });
            }
            Kind::SetFsync => {
                let server = self.any_server();
                let max = pick(&mut self.random, &[1, 10, 60, 200, SLOW_DISK_MAX]);
                let (min, max) = (Duration::from_millis(max / 2), Duration::from_millis(max));
                self.put(at, Action::SetFsync { server, min, max });
            }
            Kind::StallDisk => {
                let server = self.any_server();
                self.put(at, Action::StallDisk { server, stalled: true });
                let back = at + self.around_millis(900);
                self.put(back, Action::StallDisk { server, stalled: false });
            }
            Kind::FillDisk => {
                let server = self.any_server();
                self.put(at, Action::FillDisk { server, full: true });
                let back = at + self.around_millis(900);
                self.put(back, Action::FillDisk { server, full: false });
            }
            Kind::TearWrite => {
                self.put(at, Action::TearWrite(Target::Writer));
                self.restart_later(at);
            }
            Kind::FailWrite => {
                let target = if self.random.random_range(0..2_u32) == 0 { Target::Writer } else { self.any_target() };
                self.put(at, Action::FailWrite(target));
                self.restart_later(at);
            }
            Kind::Rot => {
                let target = self.any_target();
                self.put(at, Action::Rot(target));
                self.restart_later(at);
            }
            Kind::Wipe => {
                // The operator replaces the server: its name is never used again.
                let server = self.any_server();
                self.put(at, Action::Wipe(Target::Server(server)));
                self.restart_later(at);
            }
            Kind::ClockRate => {
                let server = self.any_server();
                // Leases are safe only while clocks stay within the bound that they assume.
                let rates: &[u32] = if self.parameters.clients.lease_reads {
                    &[960_000, 1_000_000, 1_040_000]
                } else {
                    &[0, 300_000, 1_000_000, 1_200_000, 3_000_000]
                };
                let rate = pick(&mut self.random, rates);
                self.put(at, Action::SetClockRate { server, rate });
                let back = at + self.around_millis(2_000);
                self.put(back, Action::SetClockRate { server, rate: TRUE_RATE });
            }
            Kind::ClockJump => {
                let server = self.any_server();
                let micros = pick(&mut self.random, &[-2_000_000, -100_000, 100_000, 5_000_000]);
                if !self.parameters.clients.lease_reads {
                    self.put(at, Action::JumpClock { server, by: micros });
                }
            }
            Kind::Campaign => {
                let server = self.any_server();
                self.put(at, Action::Campaign(server));
            }
            Kind::Transfer => {
                let to = self.any_server();
                self.put(at, Action::TransferLeadership(to));
            }
            Kind::AddServer => {
                if self.joins_left(1) {
                    self.put(at, Action::AddServer);
                }
            }
            Kind::RemoveServer => {
                let server = self.any_server();
                if self.leaves_left(1) {
                    self.put(at, Action::RemoveServer(server));
                }
            }
        }
    }

    /// Sets the leader's clock back, where leases rest on clocks, and cuts it off.
    fn set_leaders_clock_back(&mut self, at: Time) {
        // A leader that notices this forgets what its lease rests on, and it notices if it
        // does anything before its clock has caught up with its old time. So the clock goes
        // far back, and so seldom that it has caught up before the next time.
        let far = Duration::from_secs(10);
        if at >= self.set_back + far.times(2) {
            self.set_back = at;
            self.put(at, Action::ShiftClock { target: Target::Leader, by: -(far.as_micros() as i64) });
            self.read_at(at, Target::Leader);
            let at = at + self.around_millis(30);
            self.cut_for_a_while(at, Action::Isolate(Target::Leader));
        }
    }

    /// Sets a clock back, perhaps while the server waits for its disk.
    fn set_clock_back(&mut self, at: Time) {
        let target = self.any_target();
        let micros = pick(&mut self.random, &[-50_000, -300_000, -3_000_000, -3_600_000_000]);
        if let (Target::Server(server), 0) = (target, self.random.random_range(0..2_u32)) {
            // A server that waits for its disk goes on waiting, and no longer than before.
            self.put(at, Action::TransferLeadership(server));
            let hangs = at + Duration::from_millis(100);
            self.put(hangs, Action::StallDisk { server, stalled: true });
            let back = hangs + Duration::from_millis(2_500);
            self.put(back, Action::StallDisk { server, stalled: false });
        }
        self.put(at + Duration::from_millis(150), Action::ShiftClock { target, by: micros });
    }

    /// All disks are slow for a while.
    fn slow_disks(&mut self, at: Time) {
        let max = pick(&mut self.random, &[60, 200, SLOW_DISK_MAX]);
        let (min, max) = (Duration::from_millis(max * 3 / 4), Duration::from_millis(max));
        let back = at + Duration::from_millis(1_000) + self.around_millis(3_000);
        let DiskParameters { fsync_min, fsync_max } = self.parameters.disk;
        for server in self.all_servers().iter() {
            self.put(at, Action::SetFsync { server, min, max });
            self.put(back, Action::SetFsync { server, min: fsync_min, max: fsync_max });
        }
    }
}
