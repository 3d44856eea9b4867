//! Carrying out actions.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::action::{Action, Target};
use super::client::ClientId;
use super::disk::Disk;
use super::machine::{Machine, Missed};
use super::marks::Mark;
use super::network::Impairment;
use super::news::{MessageEvent, What};
use super::own::OwnEvent;
use super::queue::Event;
use super::{Simulation, TRUE_RATE, concern};
use crate::hash::mix;
use crate::raft::{Configuration, EntryId, Input, LogIndex, Raft, ServerId, ServerSet, Standing};
use crate::time::Duration;

/// How much of a disk is lost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DiskLoss {
    /// Everything, including the term and the vote.
    Everything,
    /// A record of the log, and all records after it.
    Record,
}

impl Simulation {
    /// Carries out an action: the table says which function does what.
    pub(super) fn perform(&mut self, action: &Action) {
        self.fold(6, action);
        let now = self.now;
        match action {
            Action::Crash(target) => self.on_target(*target, Simulation::crash),
            Action::Pause(target) => self.on_target(*target, Simulation::pause),
            Action::Wipe(target) => self.on_target(*target, Simulation::wipe),
            Action::Rot(target) => self.on_target(*target, Simulation::rot),
            Action::FailWrite(target) => self.on_target(*target, Simulation::fail_write),
            Action::TearWrite(target) => self.on_target(*target, Simulation::tear_write),
            Action::Isolate(target) => self.on_target(*target, Simulation::isolate),
            Action::Mute(target) => self.on_target(*target, Simulation::mute),
            Action::Deafen(target) => self.on_target(*target, Simulation::deafen),
            Action::IsolateWithNewcomers(target) => self.on_target(*target, Simulation::isolate_with_newcomers),
            Action::Restart(server) => self.on_server(*server, Simulation::restart),
            Action::RestartAll => self.cluster.servers().iter().for_each(|server| self.restart(server)),
            Action::ResumeAll => self.cluster.servers().iter().for_each(|server| self.resume(server)),
            Action::Resume(server) => self.on_server(*server, Simulation::resume),
            Action::Campaign(server) => self.on_server(*server, Simulation::campaign),
            Action::SetClockRate { server, rate } => self.on_server(*server, |world, server| {
                world.cluster[server].clock.set_rate(now, *rate);
                world.tell(What::ClockRate(server, *rate));
                world.reschedule_server(server);
            }),
            Action::JumpClock { server, by } => {
                self.on_server(*server, |world, server| world.jump_clock(server, *by));
            }
            Action::ShiftClock { target, by } => {
                self.on_target(*target, |world, server| world.shift_clock(server, *by));
            }
            Action::StallDisk { server, stalled } => {
                self.on_server(*server, |world, server| world.stall_disk(server, *stalled));
            }
            Action::FillDisk { server, full } => {
                self.on_server(*server, |world, server| world.fill_disk(server, *full));
            }
            Action::SetFsync { server, min, max } => self.on_server(*server, |world, server| {
                world.cluster[server].disk.set_fsync(*min, *max);
                world.tell(What::DiskSpeed(server, *min, *max));
            }),
            Action::Cut { from, to } => {
                if self.set_cut(*from, *to, true) {
                    self.tell(What::Cut(*from, *to));
                }
            }
            Action::Heal { from, to } => {
                self.network.impair(*from, *to, Impairment::default());
                if self.set_cut(*from, *to, false) {
                    self.tell(What::Healed(*from, *to));
                }
            }
            Action::Impair { from, to, delay, share } => {
                self.network.impair(*from, *to, Impairment { delay: *delay, loss: *share });
                self.tell(What::Impaired(*from, *to, *delay, *share));
            }
            Action::Partition(groups) => {
                self.partition(groups);
                self.observers.tell(now, || What::Partitioned(describe_groups(groups)));
            }
            Action::HealAll => {
                self.heal_links(self.cluster.servers());
                self.tell(What::AllHealed);
            }
            Action::SetLoss(ppm) => {
                self.network.set_loss(*ppm);
                self.tell(What::LossSet(*ppm));
            }
            Action::SetDuplication(ppm) => {
                self.network.set_duplication(*ppm);
                self.tell(What::DuplicationSet(*ppm));
            }
            Action::SetStraggling { share, delay } => {
                self.network.set_straggling(*share, *delay);
                self.tell(What::StragglingSet(*share, *delay));
            }
            Action::SetLate { of, share, delay, copies } => {
                self.network.set_late(*of, *share, *delay, *copies);
                self.tell(What::LatenessSet(*of, *share, *delay, *copies));
            }
            Action::SetLatency { min, max } => {
                self.network.set_latency(*min, *max);
                self.tell(What::LatencySet(*min, *max));
            }
            Action::DropMessage(number) => self.network.lose(&mut self.observers, *number, now),
            Action::DuplicateMessage(number) => {
                self.network.repeat(&mut self.queue, &mut self.observers, *number, now);
            }
            Action::HoldMessage(number) => self.network.hold(&mut self.observers, *number, now),
            Action::DeliverMessage(number) => {
                if let Some(slot) = self.network.find(*number) {
                    self.tell(What::Message(MessageEvent::Released(*number)));
                    self.land(slot);
                }
            }
            Action::ReadAt(target) => self.on_target(*target, |world, server| {
                world.clients.set_reads_at(Some(server));
                world.tell(What::ReadsAt(server));
            }),
            Action::ReadAnywhere => {
                if self.clients.set_reads_at(None).is_some() {
                    self.tell(What::ReadsAnywhere);
                }
            }
            Action::TransferLeadership(to) => self.transfer(*to),
            Action::AddServer => self.add_server(true),
            Action::AddLearner => self.add_server(false),
            Action::RemoveServer(server) => self.remove_server(*server),
            Action::AddBack(server) => self.on_server(*server, Simulation::add_back),
            Action::RenewDisk(target) => self.on_target(*target, Simulation::renew_disk),
            Action::Configure { server, .. } => {
                if let Some(with) = action.own_timing() {
                    self.on_server(*server, |world, server| {
                        world.cluster[server].timing = Some(with);
                        world.tell(What::Configured(server, with));
                    });
                }
            }
            Action::HealQuorum(draw) => self.heal_quorum(*draw),
            Action::Submit(line) => {
                if self.own.is_some() {
                    self.own_takes(OwnEvent::Submit);
                } else if let Ok(request) = line.request() {
                    let number = self.note_operation(ClientId::PERSON, request.clone());
                    self.clients[ClientId::PERSON].waiting.push(number);
                    self.client_acts(ClientId::PERSON);
                }
            }
        }
    }

    fn on_target(&mut self, target: Target, act: impl FnOnce(&mut Simulation, ServerId)) {
        let server = match target {
            Target::Server(server) => Some(server),
            Target::Leader => self.cluster.leader(),
            Target::Writer => {
                self.cluster.machines().iter().find(|m| m.is_up() && m.disk.unsynced() > 0).map(Machine::id)
            }
        };
        if let Some(server) = server {
            self.on_server(server, act);
        }
    }

    /// Acts on a server, if it exists by now.
    fn on_server(&mut self, server: ServerId, act: impl FnOnce(&mut Simulation, ServerId)) {
        if self.cluster.has(server) {
            act(self, server);
        }
    }

    /// A crashed server starts again.
    fn restart(&mut self, server: ServerId) {
        if !self.cluster[server].is_up() {
            self.start(server);
        }
    }

    fn campaign(&mut self, server: ServerId) {
        let machine = &self.cluster[server];
        if machine.is_up() && !machine.is_paused() {
            if let Some(checker) = self.observers.checker_mut() {
                checker.urged(server);
            }
            self.step_raft(server, Input::Campaign);
        }
    }

    /// Sets a server's clock, which the server reads at once.
    fn shift_clock(&mut self, server: ServerId, micros: i64) {
        let machine = &self.cluster[server];
        if machine.is_paused() {
            return; // It can't notice the change, and a lease may rest on its noticing.
        }
        if micros < 0 && machine.raft().is_some_and(|raft| raft.lease().is_ok()) {
            self.observers.mark(Mark::LeaseSetBack);
        }
        self.jump_clock(server, micros);
        if self.cluster[server].is_up() {
            self.step_raft(server, Input::TimerDue);
        }
    }

    fn jump_clock(&mut self, server: ServerId, micros: i64) {
        let clock = &mut self.cluster[server].clock;
        let before = clock.read(self.now);
        clock.jump(self.now, micros);
        let after = clock.read(self.now);
        if let Some(checker) = self.observers.checker_mut() {
            checker.clock_set(server, before, after);
        }
        self.tell(What::ClockJumped(server, micros));
        self.reschedule_server(server);
    }

    fn pause(&mut self, server: ServerId) {
        let machine = &mut self.cluster[server];
        if machine.is_up() && !machine.is_paused() {
            machine.paused = Some(Vec::new());
            self.note_pace(server);
            self.tell(What::Paused(server));
        }
    }

    /// What the server has missed happens now, in its order.
    fn resume(&mut self, server: ServerId) {
        let Some(missed) = self.cluster[server].paused.take() else { return };
        self.tell(What::Resumed(server));
        for missed in missed {
            if !self.cluster[server].is_up() {
                return;
            }
            match missed {
                Missed::Message(from, body) => self.deliver(server, from, body),
                Missed::Input(input) => self.step_raft(server, input),
                Missed::Wake => self.on_timer(server),
            }
        }
        self.reschedule_server(server);
    }

    fn fill_disk(&mut self, server: ServerId, full: bool) {
        let now = self.now;
        let machine = &mut self.cluster[server];
        if machine.disk.is_full() == full {
            return;
        }
        let incarnation = machine.incarnation;
        if let Some(done) = machine.disk.set_full(now, full) {
            self.queue.push(done + Duration::from_micros(1), Event::Synced { server, incarnation });
        }
        self.tell(What::DiskFull(server, full));
    }

    fn stall_disk(&mut self, server: ServerId, stalled: bool) {
        let now = self.now;
        let machine = &mut self.cluster[server];
        if machine.disk.is_stalled() == stalled {
            return;
        }
        let incarnation = machine.incarnation;
        if let Some(done) = machine.disk.set_stalled(now, stalled) {
            // Later than now: an action is the last thing that happens at its instant.
            self.queue.push(done + Duration::from_micros(1), Event::Synced { server, incarnation });
        }
        self.tell(What::DiskStalled(server, stalled));
    }

    /// The write fails, and the server crashes. It finds out at its restart what is on the disk.
    fn fail_write(&mut self, server: ServerId) {
        if self.cluster[server].is_up() {
            self.tell(What::WriteFailed(server));
            self.crash(server);
        }
    }

    /// The power fails in the middle of the last write.
    fn tear_write(&mut self, server: ServerId) {
        self.crash_with(server, Disk::lose_power_writing);
    }

    fn wipe(&mut self, server: ServerId) {
        if self.lose_disk(server, self.next_server()) {
            self.replace(server);
        }
    }

    fn renew_disk(&mut self, server: ServerId) {
        if self.lose_disk(server, None) {
            self.renew(server);
        }
    }

    /// A server crashes, and loses its disk, too, if a correct cluster recovers from that. Returns
    /// whether it lost it. `heir` is to take its place.
    fn lose_disk(&mut self, server: ServerId, heir: Option<ServerId>) -> bool {
        let lost = self.may_lose_disk(server, DiskLoss::Everything);
        self.crash(server);
        if lost {
            let now = self.now;
            let machine = &mut self.cluster[server];
            machine.disk.wipe();
            machine.disk_lost = now;
            self.note_disk_loss(server, true);
            self.tell(What::Wiped(server, heir));
        }
        lost
    }

    fn rot(&mut self, server: ServerId) {
        let lost = self.may_lose_disk(server, DiskLoss::Record);
        self.crash(server);
        if lost {
            self.cluster[server].disk.rot();
            self.note_disk_loss(server, false);
            self.tell(What::Rotted(server));
        }
    }

    /// A disk has lost its log, or everything: the checker must not blame the server for that.
    fn note_disk_loss(&mut self, server: ServerId, everything: bool) {
        self.revision += 1;
        if let Some(checker) = self.observers.checker_mut() {
            checker.destroyed(server, everything);
        }
    }

    /// Whether a correct cluster recovers from the loss of this server's disk, or of a record on
    /// it, considering what other servers have lost already.
    ///
    /// An entry that isn't committed yet, but may be if a leader counts on this server's copy, must
    /// be held by a quorum without this server. A committed entry may be held by fewer: a server
    /// that has lost its disk doesn't vote, so it is enough if every quorum of the others includes
    /// one that holds the entry. A server that has lost a record does vote.
    fn may_lose_disk(&self, server: ServerId, loss: DiskLoss) -> bool {
        let known = self.cluster.known_configurations();
        if known.iter().any(Configuration::is_joint) || self.cluster.wanted().is_some() {
            return false;
        }
        let has_quorum = |servers: ServerSet| known.iter().all(|configuration| configuration.has_quorum(servers));
        let may_have_quorum = |servers: ServerSet| known.iter().any(|configuration| configuration.has_quorum(servers));
        let whole = |machine: &Machine| {
            let intact = machine.disk.image().hard_state().is_whole();
            let blank = machine.disk.is_wiped() && machine.disk.image().is_blank();
            machine.id() != server && intact && !blank
        };
        let rest = self.cluster.those(&whole);
        if !has_quorum(rest) {
            return false;
        }
        let log = self.cluster[server].disk.image().log();
        let committed = self.cluster.running().map(|raft| raft.commit_index()).max();
        let mut index = log.last().index;
        while index >= log.base().index && index > LogIndex::ZERO {
            let Some(id) = log.id_at(index) else { return false };
            let holders = self.cluster.those(&|machine| whole(machine) && machine.disk.image().holds(id));
            if has_quorum(holders) {
                return true; // A quorum also holds everything before it.
            }
            if committed.is_some_and(|committed| index <= committed) {
                return loss == DiskLoss::Everything && !may_have_quorum(rest.difference(holders));
            }
            if self.may_be_counted_on(server, id) {
                return false;
            }
            index = index.previous();
        }
        index == LogIndex::ZERO
    }

    /// Whether some leader may count on `server` for an entry: while another server has it, or
    /// `server` leads itself.
    fn may_be_counted_on(&self, server: ServerId, id: EntryId) -> bool {
        let leads = self.cluster[server].raft().is_some_and(Raft::is_leader);
        let has = |machine: &Machine| {
            machine.disk.image().log().contains(id) || machine.raft().is_some_and(|raft| raft.log().contains(id))
        };
        leads || self.cluster.machines().iter().any(|machine| machine.id() != server && has(machine))
    }

    fn isolate(&mut self, server: ServerId) {
        self.cut_off(server, true, true);
        self.tell(What::Isolated(server));
    }

    fn mute(&mut self, server: ServerId) {
        self.cut_off(server, true, false);
        self.tell(What::Muted(server));
    }

    fn deafen(&mut self, server: ServerId) {
        self.cut_off(server, false, true);
        self.tell(What::Deafened(server));
    }

    /// Cuts a server and the newcomers off from all others. A learner, or a voter of the new
    /// membership alone, must not help to decide that a server leads.
    fn isolate_with_newcomers(&mut self, server: ServerId) {
        let known = self.cluster[server].raft().map(|raft| *raft.configuration());
        let configuration = known.unwrap_or_else(|| self.cluster.configuration());
        let mut group = configuration.learners;
        if configuration.is_joint() {
            group = group.union(configuration.voters.difference(configuration.outgoing));
        }
        group.insert(server);
        if group.len() > 1 && self.cluster.leader() == Some(server) {
            self.observers.mark(Mark::LeaderIsolatedWithNewcomers);
        }
        for inside in group.iter() {
            for outside in self.cluster.servers().difference(group).iter() {
                self.set_cut(inside, outside, true);
                self.set_cut(outside, inside, true);
            }
        }
        self.tell(What::IsolatedTogether(group));
    }

    /// Cuts a server's links in the direction from it, to it, or both.
    fn cut_off(&mut self, server: ServerId, from_it: bool, to_it: bool) {
        for other in self.cluster.servers().iter().filter(|other| *other != server) {
            if from_it {
                self.set_cut(server, other, true);
            }
            if to_it {
                self.set_cut(other, server, true);
            }
        }
    }

    /// Cuts or heals one direction of a link.
    fn set_cut(&mut self, from: ServerId, to: ServerId, cut: bool) -> bool {
        self.network.set_cut_and_tell(&mut self.observers, from, to, cut, self.now)
    }

    fn partition(&mut self, groups: &[u8]) {
        let servers = self.cluster.servers();
        let group = |server: ServerId| groups.get(server.slot());
        for from in servers.iter() {
            for to in servers.iter().filter(|to| *to != from) {
                self.set_cut(from, to, group(from) != group(to));
            }
        }
    }

    /// The links among `servers` work again, without delay or loss of their own.
    fn heal_links(&mut self, servers: ServerSet) {
        for from in servers.iter() {
            for to in servers.iter().filter(|to| *to != from) {
                self.set_cut(from, to, false);
                self.network.impair(from, to, Impairment::default());
            }
        }
    }

    /// Chooses a bare quorum and heals it. Everything else stays broken; or, if the draw is odd and
    /// the chosen servers lack no entries, all other servers are down. The quorum has no servers
    /// that may not vote.
    fn heal_quorum(&mut self, draw: u64) {
        let mut known = self.cluster.known_configurations();
        known.extend(self.configurations_on_their_way());
        let mut random = Xoshiro256PlusPlus::seed_from_u64(mix(self.script.seed(), concern::CHOICE, draw));
        let able = |machine: &Machine| {
            let image = machine.disk.image();
            let votes =
                image.hard_state().standing == Standing::Member && !(machine.disk.is_wiped() && image.is_blank());
            votes && known.iter().any(|configuration| configuration.all_voters().contains(machine.id()))
        };
        let enough = |servers: ServerSet| known.iter().all(|configuration| configuration.has_quorum(servers));
        let able = self.cluster.those(&able);
        // A server that has lost entries needs another that has them.
        let whole = able.those(&|server| self.cluster[server].disk.image().hard_state().is_whole());
        let alone = draw % 2 == 1 && enough(whole);
        let mut candidates: Vec<ServerId> = if alone { whole } else { able }.iter().collect();
        let mut chosen = ServerSet::EMPTY;
        while !enough(chosen) && !candidates.is_empty() {
            chosen.insert(candidates.swap_remove(random.random_range(0..candidates.len() as u32) as usize));
        }
        // The membership that is still wanted must be possible with these servers.
        let wanted = self.cluster.wanted().filter(|wanted| wanted.is_possible_with(chosen));
        self.cluster.want(wanted);
        if alone {
            for server in self.cluster.servers().difference(chosen).iter() {
                self.crash(server);
            }
        }
        self.network.set_loss(0);
        self.network.set_duplication(0);
        self.network.set_straggling(0, Duration::ZERO);
        self.network.end_lateness();
        self.clients.set_reads_at(None);
        let calm = self.script.parameters().network;
        self.network.set_latency(calm.latency_min, calm.latency_max);
        self.heal_links(chosen);
        let disk = self.script.parameters().disk;
        for server in chosen.iter() {
            if !self.cluster[server].is_up() {
                self.start(server);
            }
            self.resume(server);
            self.stall_disk(server, false);
            self.fill_disk(server, false);
            self.cluster[server].disk.set_fsync(disk.fsync_min, disk.fsync_max);
            self.cluster[server].clock.set_rate(self.now, TRUE_RATE);
            self.reschedule_server(server);
        }
        self.cluster.note_healed(chosen);
        self.tell(What::QuorumHealed(chosen));
    }
}

/// `S1, S2 | S3, S4, S5`.
fn describe_groups(groups: &[u8]) -> String {
    let sides = (0..=u8::MAX).filter(|number| groups.contains(number)).map(|number| {
        let members = groups.iter().enumerate().filter(|(_, group)| **group == number);
        let members: ServerSet = members.filter_map(|(slot, _)| ServerId::new(slot as u8 + 1)).collect();
        members.to_string()
    });
    crate::text::joined(&sides.collect::<Vec<_>>(), " | ")
}
