//! Drives the servers: starts and crashes them, feeds them their inputs, and carries out what they
//! decide.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::client::Reply;
use super::concern;
use super::disk::Disk;
use super::flight::{Body, Endpoint};
use super::machine::{Asker, Hosted, Missed, Process, Proposed};
use super::marks::Mark;
use super::news::What;
use super::own::OwnEvent;
use super::parameters::Parameters;
use super::queue::Event;
use super::{Simulation, store_settings};
use crate::hash::mix;
use crate::kv::{Applied, Store};
use crate::raft::{
    self, Config, Configuration, DiskId, EntryId, Envelope, Input, LogIndex, Observation, Output, Payload, Raft,
    Receipt, ServerId, ServerSet, Start,
};
use crate::time::{Duration, Time};

/// How long a server waits for the outcome of a command in its log, by its own clock. The command
/// can't be withdrawn, and without a quorum its outcome stays unknown; the client is told so.
fn patience(config: &Config) -> Duration {
    config.disk_stall_max.times(2) + config.election_timeout_max.times(2)
}

impl Simulation {
    pub(super) fn start(&mut self, server: ServerId) {
        let parameters = self.script.parameters();
        let Parameters { timing, limits, rules, .. } = *parameters;
        let founder = server.number() <= parameters.servers;
        let bootstrap = Configuration::of_voters(ServerSet::first(parameters.servers));
        let machine = &mut self.cluster[server];
        let first = machine.incarnation == 0;
        machine.incarnation += 1;
        // Each life has the seed of the first one, as if the server read it from a configuration
        // file.
        let life = u64::from(server.number()) << 32 | 1;
        let mut config = Config::new(server, mix(self.script.seed(), concern::RAFT, life));
        timing.apply_to(&mut config);
        limits.apply_to(&mut config);
        config.entries_kept = config.entries_kept.min(timing.snapshot_after_entries);
        config.rules = rules;
        if let Some(own) = machine.timing {
            own.apply_to(&mut config);
        }
        let settings = store_settings(rules);
        let image = machine.disk.image();
        let start = match founder && !machine.disk.is_wiped() {
            true if first => Start::Bootstrap(bootstrap),
            true => Start::Restart(image.durable(), bootstrap),
            // A server that joined, or lost its disk, knows only the members that its own log
            // names.
            false if image.is_blank() => Start::Join { disk: DiskId(u64::from(machine.incarnation)) },
            false => Start::Restart(image.durable(), Configuration::default()),
        };
        let hosted = match (&mut self.own, machine.disk.image().snapshot()) {
            (Some(own), snapshot) => {
                Hosted::Own(own.machine(server, snapshot.map(|snapshot| &**snapshot), self.now, &mut self.observers))
            }
            (None, Some(snapshot)) => Hosted::Store(
                Store::restore(snapshot.data(), settings)
                    .unwrap_or_else(|_| panic!("a synced snapshot can be read again")),
            ),
            (None, None) => Hosted::Store(Store::new(settings)),
        };
        let mut raft = Raft::new(config, start, machine.clock.read(self.now))
            .unwrap_or_else(|_| panic!("parameters were checked, and a disk image is a past state"));
        // A disk's log survives crashes. The new server shares with earlier checkpoints what the
        // disk's log shares with them.
        raft.share_log(machine.disk.image().log());
        machine.process = Some(Process {
            applied: raft.applied_index(),
            raft,
            hosted,
            proposed: Default::default(),
            reading: Vec::new(),
            requests: 0,
        });
        machine.wake = Time::NEVER;
        machine.started = self.now;
        let incarnation = machine.incarnation;
        self.revision += 1;
        self.tell(What::Started(server, incarnation));
        self.schedule_server(server);
        let machine = &self.cluster[server];
        if let Some(raft) = machine.raft() {
            let bootstrap = if founder && !machine.disk.is_wiped() { bootstrap } else { Configuration::default() };
            self.observers.judge(|checker| checker.started(self.now, raft, machine, bootstrap));
        }
        self.note_pace(server);
    }

    pub(super) fn crash(&mut self, server: ServerId) {
        self.crash_with(server, Disk::lose_power);
    }

    /// A server loses power. `lose_power` does that to its disk, and returns whether it tore a
    /// write.
    pub(super) fn crash_with(&mut self, server: ServerId, lose_power: fn(&mut Disk) -> bool) {
        let machine = &mut self.cluster[server];
        if machine.process.take().is_none() {
            return;
        }
        let unsynced = machine.disk.unsynced();
        let torn = lose_power(&mut machine.disk);
        machine.wake = Time::NEVER;
        machine.paused = None;
        self.revision += 1;
        if torn {
            self.observers.mark(Mark::WriteTorn);
        }
        self.tell(What::Crashed(server, unsynced));
        self.observers.judge(|checker| checker.crashed(self.now, server, self.cluster.machines()));
    }

    pub(super) fn wake(&mut self, at: Time, server: ServerId) -> bool {
        let machine = &mut self.cluster[server];
        if machine.wake != at {
            return false; // Superseded, or the machine crashed since.
        }
        machine.wake = Time::NEVER;
        let Some(process) = &machine.process else { return false };
        if let Some(missed) = &mut machine.paused {
            missed.push(Missed::Wake);
            return false;
        }
        if process.deadline() > machine.clock.read(at) {
            self.schedule_server(server);
            return false;
        }
        self.now = at;
        self.fold(2, server);
        self.on_timer(server);
        true
    }

    /// Something is due: a server's timer, or the deadline of a command that a client waits for.
    pub(super) fn on_timer(&mut self, server: ServerId) {
        let now = self.cluster[server].clock.read(self.now);
        self.give_up_first(server, |_, proposed| proposed.deadline <= now);
        self.step_raft(server, Input::TimerDue);
    }

    pub(super) fn synced(&mut self, server: ServerId) {
        self.fold(3, server);
        let now = self.now;
        let machine = &mut self.cluster[server];
        let (receipt, next) = machine.disk.synced(now);
        let incarnation = machine.incarnation;
        if let Some(next) = next {
            self.queue.push(next, Event::Synced { server, incarnation });
        }
        let Some(receipt) = receipt else { return };
        if let Some(missed) = &mut self.cluster[server].paused {
            return missed.push(Missed::Input(Input::Durable(receipt)));
        }
        self.step_raft(server, Input::Durable(receipt));
    }

    /// Feeds one input to a server and carries out everything it decides.
    pub(super) fn step_raft(&mut self, server: ServerId, input: Input) {
        self.feed(server, input, None);
    }

    /// Like [`Simulation::step_raft`], for an input on a client's behalf.
    pub(super) fn feed(&mut self, server: ServerId, input: Input, asker: Option<Asker>) {
        let mut out = self.begin_step();
        let now = self.now;
        let machine = &mut self.cluster[server];
        if let Some(process) = &mut machine.process {
            process.raft.step(machine.clock.read(now), input, &mut out);
            self.follow_up(server, &mut out, asker);
        }
        self.out = Some(out);
    }

    /// Like [`Simulation::step_raft`], for a message of another server. It is read in place, in the
    /// network, and then removed from there.
    pub(super) fn receive(&mut self, server: ServerId, from: ServerId, slot: usize) {
        let mut out = self.begin_step();
        let Simulation { cluster, network, observers, now, .. } = self;
        let machine = &mut cluster[server];
        let message = network.in_slot(slot).map(|flight| &flight.body);
        let received = match (&mut machine.process, message) {
            (Some(process), Some(Body::Raft(message))) => {
                if let Some(checker) = observers.checker_mut() {
                    checker.received(*now, server, from, message);
                }
                process.raft.receive(machine.clock.read(*now), from, message, &mut out);
                true
            }
            _ => false,
        };
        network.free(slot);
        if received {
            self.follow_up(server, &mut out, None);
        }
        self.out = Some(out);
    }

    fn begin_step(&mut self) -> Box<Output> {
        let mut out = self.out.take().unwrap_or_default();
        out.listen = self.observers.want_observations();
        out
    }

    /// Carries out a step's decisions and feeds the results back to the server, until nothing is
    /// left to do.
    fn follow_up(&mut self, server: ServerId, out: &mut Output, asker: Option<Asker>) {
        // Any step may change what a server knows of its own log or, as a leader, of others' logs.
        self.revision += 1;
        if out.only_speaks() {
            self.check_step(server, out);
            self.send_messages(server, out);
        } else {
            self.follow_up_deeds(server, out, asker);
        }
        self.schedule_server(server);
    }

    #[inline(never)]
    fn follow_up_deeds(&mut self, server: ServerId, out: &mut Output, mut asker: Option<Asker>) {
        let mut snapshot_wanted = false;
        loop {
            let receipt = self.carry_out(server, out, asker.take());
            // The server asks for a snapshot once, so this is kept while it hears of a durable
            // write first.
            snapshot_wanted |= out.snapshot_wanted;
            let machine = &mut self.cluster[server];
            let Some(process) = &mut machine.process else { break };
            let input = match receipt {
                Some(receipt) => Input::Durable(receipt),
                None if core::mem::take(&mut snapshot_wanted) => {
                    let data = Arc::from(process.hosted.snapshot());
                    Input::SnapshotTaken { index: process.raft.applied_index(), data }
                }
                None => break,
            };
            process.raft.step(machine.clock.read(self.now), input, out);
        }
    }

    fn send_messages(&mut self, server: ServerId, out: &mut Output) {
        if out.messages.is_empty() {
            return;
        }
        let Simulation { queue, network, observers, cluster, now, .. } = self;
        for Envelope { to, message } in out.messages.drain(..) {
            if cluster.has(to) {
                let (from, to) = (Endpoint::Server(server), Endpoint::Server(to));
                network.send(queue, observers, *now, from, to, Body::Raft(message));
            }
        }
    }

    /// Carries out what a step decided, in the order that [`Output`] prescribes. Returns the
    /// receipt of its writes, if they are durable at once.
    fn carry_out(&mut self, server: ServerId, out: &mut Output, asker: Option<Asker>) -> Option<Receipt> {
        self.check_step(server, out);
        if !out.observations.is_empty() {
            self.note_observations(server, out);
        }
        let mut receipt = None;
        if !out.writes.is_empty() {
            self.give_up_dropped(server, out);
            receipt = self.write(server, out);
        }
        self.send_messages(server, out);
        for (request, id) in &out.accepted {
            match asker {
                Some(asker) => self.await_entry(server, *id, asker),
                None => self.note_obeyed(server, *request), // A change of the membership.
            }
        }
        if out.restore.is_some() || !out.committed.is_empty() {
            self.apply(server, out);
        }
        if !out.reads.is_empty() {
            self.answer_reads(server, out);
        }
        if !out.refused.is_empty() {
            for refused in out.refused.drain(..) {
                self.refuse(server, asker, refused);
            }
        }
        for request in out.transferred.drain(..) {
            self.note_obeyed(server, request);
        }
        receipt
    }

    fn note_observations(&mut self, server: ServerId, out: &mut Output) {
        for observation in out.observations.drain(..) {
            self.observers.count(&observation);
            if let Observation::BecameLeader { .. } = observation {
                let machine = &self.cluster[server];
                let slow = self.script.parameters().timing.election_timeout_min;
                if machine.timing.is_some() {
                    self.observers.mark(Mark::LeaderConfiguredDifferently);
                }
                if machine.disk.parameters().fsync_min >= slow {
                    self.observers.mark(Mark::ElectedOnSlowDisk);
                }
            }
            self.tell(What::Observed(server, observation));
        }
    }

    /// Hands a step's writes to the disk. Returns their receipt, if they are durable at once.
    fn write(&mut self, server: ServerId, out: &mut Output) -> Option<Receipt> {
        let now = self.now;
        let disk = &mut self.cluster[server].disk;
        if disk.writes_at_once() {
            let receipts = out.writes.iter().map(|write| disk.write_at_once(write));
            let last = receipts.last();
            out.writes.clear();
            return last;
        }
        let mut receipt = None;
        for write in out.writes.drain(..) {
            let machine = &mut self.cluster[server];
            let incarnation = machine.incarnation;
            let instant = machine.disk.is_instant();
            let done = machine.disk.submit(now, write);
            if machine.disk.waits_for_room() {
                self.observers.mark(Mark::WriteWaitedForRoom);
            }
            if let Some(done) = done {
                if done.since(now) >= self.script.parameters().timing.election_timeout_min {
                    self.observers.mark(Mark::WriteSlow);
                }
                if instant {
                    receipt = self.cluster[server].disk.synced(now).0;
                } else {
                    self.queue.push(done, Event::Synced { server, incarnation });
                }
            }
        }
        receipt
    }

    pub(super) fn check_step(&mut self, server: ServerId, out: &Output) {
        if let Some(raft) = self.cluster[server].raft() {
            self.observers.judge(|checker| checker.stepped(self.now, raft, out, self.cluster.machines()));
        }
    }

    pub(super) fn apply(&mut self, server: ServerId, out: &mut Output) {
        if self.own.is_some() {
            return self.own_takes(OwnEvent::Apply(server, out));
        }
        if let Some(snapshot) = out.restore.take()
            && let Some(process) = &mut self.cluster[server].process
        {
            let settings = store_settings(self.script.parameters().rules);
            let store = Store::restore(snapshot.data(), settings)
                .unwrap_or_else(|_| panic!("a snapshot arrives whole or not at all"));
            process.hosted = Hosted::Store(store);
            process.applied = snapshot.meta.last.index;
            // The snapshot doesn't say what became of the commands that it covers.
            self.give_up_first(server, |index, _| index <= snapshot.meta.last.index);
        }
        for (index, entry) in out.committed_entries() {
            let Some(process) = &mut self.cluster[server].process else { return };
            let Hosted::Store(store) = &mut process.hosted else { return };
            let applied = match &entry.payload {
                Payload::Command(bytes) => Some(store.apply(index.0, bytes)),
                Payload::NoOp | Payload::Membership(_) | Payload::Admission { .. } => None,
            };
            process.applied = index;
            let proposed = process.proposed.remove(index);
            if let Some(applied) = &applied
                && self.clients.is_first_to_apply(index)
            {
                self.note_effect(index, applied);
            }
            if let Some(Proposed { term, asker, .. }) = proposed {
                let reply = match applied {
                    Some(applied) if term == entry.term => reply_to(applied),
                    _ => Reply::Lost,
                };
                self.answer(server, asker, reply);
            }
        }
    }

    pub(super) fn answer_reads(&mut self, server: ServerId, out: &mut Output) {
        for id in out.reads.drain(..) {
            let Some(process) = &mut self.cluster[server].process else { return };
            let Some(place) = process.reading.iter().position(|(asker, _)| asker.request == id) else { continue };
            let (asker, query) = process.reading.swap_remove(place);
            // Reads are the store's: no client of another state machine asks for one.
            let Hosted::Store(store) = &process.hosted else { continue };
            let outcome = store.query(&query);
            let index = process.applied;
            self.clients.read_is_answered(asker.client, asker.attempt, index);
            self.answer(server, asker, Reply::Done(outcome));
        }
    }

    pub(super) fn refuse(&mut self, server: ServerId, asker: Option<Asker>, refused: raft::Refused) {
        let Some(process) = &mut self.cluster[server].process else { return };
        let read = process.reading.iter().position(|(asker, _)| asker.request == refused.id);
        let asker = match read {
            Some(place) => Some(process.reading.swap_remove(place).0),
            None => asker,
        };
        let Some(asker) = asker else { return self.note_request_ended(server, refused.id) };
        let reply = match refused.reason {
            raft::Refusal::NotLeader { leader } => Reply::NotLeader(leader),
            reason => Reply::NotNow(reason),
        };
        self.answer(server, asker, reply);
    }

    /// A client waits for the outcome of an entry.
    fn await_entry(&mut self, server: ServerId, id: EntryId, asker: Asker) {
        let machine = &mut self.cluster[server];
        let Some(process) = &mut machine.process else { return };
        let deadline = machine.clock.read(self.now) + patience(process.raft.config());
        process.proposed.insert(id.index, Proposed { term: id.term, asker, deadline });
    }

    /// Tells the clients whose commands this step has truncated from the log.
    fn give_up_dropped(&mut self, server: ServerId, out: &Output) {
        let Some(process) = &self.cluster[server].process else { return };
        let cut = out.writes.iter().filter_map(|write| write.log.as_ref().map(|log| log.after)).min();
        let Some(after) = cut.filter(|after| process.proposed.last().is_some_and(|last| last > *after)) else { return };
        let dropped: Vec<LogIndex> = process
            .proposed
            .iter()
            .filter(|(index, proposed)| *index > after && process.raft.log().term_at(*index) != Some(proposed.term))
            .map(|(index, _)| *index)
            .collect();
        for index in dropped {
            self.give_up(server, index);
        }
    }

    /// Goes through the commands that clients wait for, in log order, and tells each client that
    /// the outcome is unknown, as long as `lost` is true.
    pub(super) fn give_up_first(&mut self, server: ServerId, lost: impl Fn(LogIndex, &Proposed) -> bool) {
        while let Some(process) = &self.cluster[server].process
            && let Some(index) =
                process.proposed.first().filter(|(index, proposed)| lost(*index, proposed)).map(|(index, _)| *index)
        {
            self.give_up(server, index);
        }
    }

    fn give_up(&mut self, server: ServerId, index: LogIndex) {
        let Some(process) = &mut self.cluster[server].process else { return };
        if let Some(proposed) = process.proposed.remove(index) {
            self.answer(server, proposed.asker, Reply::Lost);
        }
    }

    /// Tells the checker how fast a server's time passes: at its clock's rate, or not at all while
    /// it is paused.
    pub(super) fn note_pace(&mut self, server: ServerId) {
        let machine = &self.cluster[server];
        if let (Some(checker), Some(raft)) = (self.observers.checker_mut(), machine.raft()) {
            let rate = if machine.is_paused() { 0 } else { machine.clock.rate() };
            checker.paced(self.now, server, rate, raft.config());
        }
    }

    /// Like [`Simulation::schedule_server`], after a change of the server's clock.
    pub(super) fn reschedule_server(&mut self, server: ServerId) {
        let machine = &mut self.cluster[server];
        machine.wake = Time::NEVER;
        if let Some(process) = &mut machine.process {
            // If the clock was set back, no client waits longer because of that.
            let latest = machine.clock.read(self.now) + patience(process.raft.config());
            for proposed in process.proposed.values_mut() {
                proposed.deadline = proposed.deadline.min(latest);
            }
        }
        self.schedule_server(server);
        self.note_pace(server);
    }

    pub(super) fn schedule_server(&mut self, server: ServerId) {
        let machine = &mut self.cluster[server];
        let Some(process) = &machine.process else { return };
        let deadline = machine.clock.world_time_of(process.deadline()).max(self.now);
        if deadline < machine.wake {
            machine.wake = deadline;
            self.queue.push(deadline, Event::Wake { server });
        }
    }
}

fn reply_to(applied: Applied) -> Reply {
    match applied {
        Applied::SessionOpened { session, .. } => Reply::SessionOpened(session),
        Applied::Answered { outcome, .. } => Reply::Done(outcome),
        // Clients of the world have sessions, and none asks for anything outside of them.
        Applied::Refused(_) | Applied::Direct { .. } => Reply::SessionExpired,
    }
}
