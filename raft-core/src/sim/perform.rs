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
use crate::kv::Request;
use crate::raft::{Configuration, EntryId, Input, LogIndex, Raft, ServerId, ServerSet, Standing};
use crate::time::Duration;

/// What a disk loses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Everything, the vote and the term among it.
    Disk,
    /// A record of the log, and what follows it.
    Record,
}

impl Simulation {
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
            Action::Restart(server) => self.on_server(*server, |world, server| {
                if !world.cluster[server].is_up() {
                    world.start(server);
                }
            }),
            Action::RestartAll => {
                for server in self.cluster.servers().iter() {
                    if !self.cluster[server].is_up() {
                        self.start(server);
                    }
                }
            }
            Action::ResumeAll => {
                for server in self.cluster.servers().iter() {
                    self.resume(server);
                }
            }
            Action::Resume(server) => self.on_server(*server, Simulation::resume),
            Action::Campaign(server) => self.on_server(*server, |world, server| {
                let machine = &world.cluster[server];
                if machine.is_up() && !machine.is_paused() {
                    if let Some(checker) = world.observers.checker() {
                        checker.urged(server);
                    }
                    world.step_raft(server, Input::Campaign);
                }
            }),
            Action::SetClockRate { server, rate } => self.on_server(*server, |world, server| {
                world.cluster[server].clock.set_rate(now, *rate);
                world.tell(What::ClockRate(server, *rate));
                world.reschedule_server(server);
            }),
            Action::JumpClock { server, by } => {
                self.on_server(*server, |world, server| world.jump_clock(server, *by));
            }
            Action::ShiftClock { target, by } => self.on_target(*target, |world, server| {
                let machine = &world.cluster[server];
                if machine.is_paused() {
                    return; // It couldn't notice, and a lease may rest on its noticing.
                }
                if *by < 0 && machine.raft().is_some_and(|raft| raft.lease().is_ok()) {
                    world.observers.mark(Mark::LeaseSetBack);
                }
                world.jump_clock(server, *by);
                if world.cluster[server].is_up() {
                    world.step_raft(server, Input::TimerDue);
                }
            }),
            Action::StallDisk { server, stalled } => self.on_server(*server, |world, server| {
                world.stall_disk(server, *stalled);
            }),
            Action::FillDisk { server, full } => self.on_server(*server, |world, server| {
                world.fill_disk(server, *full);
            }),
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
                world.clients.read_at(Some(server));
                world.tell(What::ReadsAt(server));
            }),
            Action::ReadAnywhere => {
                if self.clients.read_at(None).is_some() {
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
                } else if let Ok(request) = line.parse::<Request>() {
                    let number = self.note_operation(ClientId::PERSON, request);
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

    fn jump_clock(&mut self, server: ServerId, micros: i64) {
        let clock = &mut self.cluster[server].clock;
        let before = clock.read(self.now);
        clock.jump(self.now, micros);
        let after = clock.read(self.now);
        if let Some(checker) = self.observers.checker() {
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

    /// What happened meanwhile happens now, in its order.
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
            // Later than now: an action takes no part in the instant it ends.
            self.queue.push(done + Duration::from_micros(1), Event::Synced { server, incarnation });
        }
        self.tell(What::DiskStalled(server, stalled));
    }

    /// The write fails: what is there is found out at the restart.
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
        if self.lose_disk(server) {
            self.replace(server);
        }
    }

    fn renew_disk(&mut self, server: ServerId) {
        if self.lose_disk(server) {
            self.renew(server);
        }
    }

    /// A server crashes; whether it could lose its disk, too.
    fn lose_disk(&mut self, server: ServerId) -> bool {
        let expendable = self.is_expendable(server, Loss::Disk);
        self.crash(server);
        if expendable {
            let now = self.now;
            let machine = &mut self.cluster[server];
            machine.disk.wipe();
            machine.disk_lost = now;
            self.note_destroyed(server, true);
            self.tell(What::Wiped(server));
        }
        expendable
    }

    fn rot(&mut self, server: ServerId) {
        let expendable = self.is_expendable(server, Loss::Record);
        self.crash(server);
        if expendable {
            self.cluster[server].disk.rot();
            self.note_destroyed(server, false);
            self.tell(What::Rotted(server));
        }
    }

    /// What a disk held is gone, its log or everything: nobody may be blamed for it.
    fn note_destroyed(&mut self, server: ServerId, everything: bool) {
        self.revision += 1;
        if let Some(checker) = self.observers.checker() {
            checker.destroyed(server, everything);
        }
    }

    /// Whether a correct cluster recovers from the loss of this server's disk, or of a record on
    /// it. The others' own losses count.
    ///
    /// What isn't committed yet, and may be once somebody counts on this server's holding it, must
    /// be held by a quorum without it. What is committed may be held by fewer: who has lost its
    /// disk doesn't vote, so that it is enough if every quorum of the others has somebody who holds
    /// it. Who has lost a record does vote.
    fn is_expendable(&self, server: ServerId, loss: Loss) -> bool {
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
                return true; // And so with everything before it.
            }
            if committed.is_some_and(|committed| index <= committed) {
                return loss == Loss::Disk && !may_have_quorum(rest.difference(holders));
            }
            if self.may_be_counted(server, id) {
                return false;
            }
            index = index.previous();
        }
        index == LogIndex::ZERO
    }

    /// Whether some leader may count on `server` for an entry: as long as anybody else has it, or
    /// the server leads itself.
    fn may_be_counted(&self, server: ServerId, id: EntryId) -> bool {
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

    /// Who isn't a voter, and who is one only in the membership that comes, may not take part in
    /// deciding whether somebody leads.
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
        self.network.set_cut(&mut self.observers, from, to, cut, self.now)
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

    /// The links among `servers` work again, as they should.
    fn heal_links(&mut self, servers: ServerSet) {
        for from in servers.iter() {
            for to in servers.iter().filter(|to| *to != from) {
                self.set_cut(from, to, false);
                self.network.impair(from, to, Impairment::default());
            }
        }
    }

    /// A bare quorum is chosen and mended; what else is broken stays so, or, where the draw is odd
    /// and those chosen lack nothing, all others are down. Servers that may not vote can't be in
    /// it.
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
        // Whoever has lost entries needs somebody who has them.
        let whole = able.those(&|server| self.cluster[server].disk.image().hard_state().is_whole());
        let alone = draw % 2 == 1 && enough(whole);
        let mut candidates: Vec<ServerId> = if alone { whole } else { able }.iter().collect();
        let mut chosen = ServerSet::EMPTY;
        while !enough(chosen) && !candidates.is_empty() {
            chosen.insert(candidates.swap_remove(random.random_range(0..candidates.len() as u32) as usize));
        }
        // Whatever else is asked of the membership must be possible with these.
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
        self.clients.read_at(None);
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
