//! What a world does that hosts another state machine than the store: makes it, applies what is
//! committed, has it compared with itself elsewhere, and plays its clients.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::client::{Client, Wish};
use super::contract::{Contract, Moment};
use super::diagnosis::both_lengths;
use super::{MakeMachine, OwnCall, OwnCounts, OwnEnd, OwnEvent, OwnMethod, OwnOperation, OwnWorld, Service};
use crate::hash::mix;
use crate::raft::{Bytes, Output, Payload, ServerId, Snapshot};
use crate::shared::Recent;
use crate::sim::client::{Answer, Call, ClientId, ClientRequest, Reply};
use crate::sim::flight::{Body, Endpoint};
use crate::sim::machine::{Hosted, Proposed};
use crate::sim::observers::Observers;
use crate::sim::parameters::MACHINES_MAX;
use crate::sim::script::Script;
use crate::sim::{Simulation, concern};
use crate::state_machine::StateMachine;
use crate::time::Time;

/// See the [module's essay](super).
#[derive(Clone, Debug)]
pub(super) struct Hosting {
    service: Service,
    clients: Vec<Client>,
    operations: Recent<OwnOperation>,
    contract: Contract,
    counts: OwnCounts,
    /// By server, the index of the snapshot that it last was seen to have.
    snapshots: Vec<u64>,
    /// The call under way.
    call: Option<OwnCall>,
}

impl Hosting {
    pub(super) fn new(script: &Script, service: &Service) -> Hosting {
        let (parameters, seed) = (script.parameters(), script.seed());
        let client = |number| {
            let of = |concern| mix(seed, concern, u64::from(number));
            Client::new(ClientId(number), of(concern::CLIENT), of(concern::OWN), parameters)
        };
        Hosting {
            clients: (1..=parameters.clients.count.saturating_add(1)).map(client).collect(),
            operations: Recent::new(service.operations_kept),
            contract: Contract::new(service.compared_every),
            counts: OwnCounts::default(),
            snapshots: alloc::vec![0; usize::from(MACHINES_MAX)],
            call: None,
            service: service.clone(),
        }
    }

    // ---------------------------------------------------------------- the state machine

    /// The same as for the store, with what is to be held against the state machine.
    fn apply(&mut self, world: &mut Simulation, server: ServerId, out: &mut Output) {
        self.count_snapshot(world, server, out);
        if let Some(snapshot) = out.restore.take() {
            let used = match world.cluster[server].process.as_ref().map(|process| &process.hosted) {
                Some(Hosted::Own(machine)) => Some(machine.clone()),
                _ => None,
            };
            let machine = self.restored(server, &snapshot, used, world.now, &mut world.observers);
            let Some(process) = &mut world.cluster[server].process else { return };
            let index = snapshot.meta.last.index;
            process.hosted = Hosted::Own(machine);
            process.applied = index;
            world.give_up_first(server, |before, _| before <= index);
        }
        for (index, entry) in out.committed_entries() {
            let Some(process) = &mut world.cluster[server].process else { return };
            let Hosted::Own(machine) = &mut process.hosted else { return };
            let (contract, mut moment) = self.moment(server, index.0, world.now, &mut world.observers);
            let answer = match &entry.payload {
                Payload::Command(command) => {
                    moment.calls(OwnMethod::Apply);
                    let answer = Bytes::from(machine.apply(index.0, command));
                    moment.calls(OwnMethod::Look);
                    contract.applied(server, index.0, command);
                    check(&**machine, &mut moment);
                    contract.compare_answer(&**machine, &answer, &mut moment);
                    Some(answer)
                }
                Payload::NoOp | Payload::Membership(_) | Payload::Admission { .. } => None,
            };
            process.applied = index;
            moment.calls(OwnMethod::Look);
            contract.compare_snapshot(&**machine, &mut moment);
            *moment.call = None;
            if let Some(Proposed { term, asker, .. }) = process.proposed.remove(index) {
                let reply = match answer {
                    Some(answer) if term == entry.term => Reply::Answered(answer),
                    _ => Reply::Lost,
                };
                let number = self.clients[asker.client.slot()].operation_of(asker.attempt);
                if let Some(record) = number.and_then(|number| self.record(number)) {
                    record.point = Some(index.0);
                }
                world.answer(server, asker, reply);
            }
        }
    }

    /// What the contract needs to judge a server's state machine by.
    fn moment<'a>(
        &'a mut self,
        server: ServerId,
        index: u64,
        now: Time,
        observers: &'a mut Observers,
    ) -> (&'a mut Contract, Moment<'a>) {
        let Hosting { service, operations, contract, counts, call, .. } = self;
        (contract, Moment { server, index, now, observers, make: &*service.machine, operations, counts, call })
    }

    /// Counts a snapshot that the server has taken since it was last seen.
    fn count_snapshot(&mut self, world: &Simulation, server: ServerId, out: &Output) {
        let raft = world.cluster[server].raft();
        let index = raft.and_then(|raft| raft.snapshot()).map_or(0, |snapshot| snapshot.meta.last.index.0);
        let before = core::mem::replace(&mut self.snapshots[server.slot()], index);
        if out.restore.is_none() && index > before {
            self.counts.snapshots_taken += 1;
        }
    }

    /// What a server goes on with that has that snapshot: a new state machine, restored from it. A
    /// used one is restored from it, too, over what it was, and must then be the same; the server
    /// may go on with that one.
    fn restored(
        &mut self,
        server: ServerId,
        snapshot: &Snapshot,
        used: Option<Box<dyn StateMachine>>,
        now: Time,
        observers: &mut Observers,
    ) -> Box<dyn StateMachine> {
        let (index, data) = (snapshot.meta.last.index.0, snapshot.data());
        match used {
            Some(_) => self.counts.restores_over += 1,
            None => self.counts.restores_new += 1,
        }
        self.snapshots[server.slot()] = index;
        let came_from = self.contract.of(server).clone();
        self.contract.begins(server, Some(index));
        let (contract, mut moment) = self.moment(server, index, now, observers);
        moment.calls(OwnMethod::Restore);
        let mut new = (moment.make)();
        let fact = format!("there is a snapshot of everything up to {index}");
        if let Err(why) = new.restore(data) {
            moment.broken(&fact, &format!("{server} can’t restore it: {why}"));
            *moment.call = None;
            return new;
        }
        let again = new.snapshot();
        if *again != **data {
            let lengths = both_lengths(Some(data), data.len(), &again);
            let why = by_chance(moment.make, data, &*new);
            let second = format!("{server}, restored from it, makes another of the same: {lengths}{why}");
            moment.broken(&fact, &second);
        }
        check(&*new, &mut moment);
        // One that was restored just now has been used, too.
        let goes_on = used.is_some() && mix(index, concern::OWN, u64::from(server.number())).is_multiple_of(2);
        let was = match (&used, came_from.last, came_from.restored) {
            (None, ..) => format!("{server}, restored from it twice"),
            (_, Some((last, _)), _) => {
                format!("{server}, restored from it over what it was after the command at {last}")
            }
            (_, None, Some(before)) => {
                format!("{server}, restored from it over what a snapshot up to {before} made it")
            }
            (_, None, None) => format!("{server}, which had applied nothing, restored from it"),
        };
        let mut over = used.unwrap_or_else(|| new.clone());
        match over.restore(data) {
            Err(why) => moment.broken(&fact, &format!("{was}, can’t be: {why}; a new state machine can")),
            Ok(()) => {
                let over_it = over.snapshot();
                if over_it != again {
                    let lengths = both_lengths(Some(&again), again.len(), &over_it);
                    let why = by_chance(moment.make, data, &*new);
                    let second = format!("{was}, makes another snapshot than a new state machine: {lengths}{why}");
                    moment.broken(&fact, &second);
                }
                check(&*over, &mut moment);
            }
        }
        let machine = if goes_on { over } else { new };
        contract.compare_snapshot(&*machine, &mut moment);
        *moment.call = None;
        machine
    }

    /// Compares the states of all servers that have applied the same entries.
    fn compare_all(&mut self, world: &mut Simulation) {
        let Simulation { cluster, observers, now, .. } = world;
        let mut states: Vec<(u64, ServerId, Vec<u8>, &dyn StateMachine)> = Vec::new();
        for machine in cluster.machines() {
            if let Some(process) = &machine.process
                && let Hosted::Own(hosted) = &process.hosted
            {
                let (server, index) = (machine.id(), process.applied.0);
                self.call = Some(OwnCall { server, what: OwnMethod::Look, index });
                states.push((index, server, hosted.snapshot(), &**hosted));
            }
        }
        self.call = None;
        states.sort_by_key(|(index, server, ..)| (*index, *server));
        for pair in states.windows(2) {
            let [(index, one, first, _), (other_index, other, second, machine)] = pair else { continue };
            if index != other_index {
                continue;
            }
            self.counts.snapshots_compared += 1;
            if first != second {
                let lengths = both_lengths(Some(first), first.len(), second);
                let one = (*one, self.contract.of(*one).restored);
                let (contract, mut moment) = self.moment(*other, *index, *now, observers);
                contract.differ(one, &lengths, *machine, &mut moment);
            }
        }
    }

    // ---------------------------------------------------------------- clients

    fn record(&mut self, number: u32) -> Option<&mut OwnOperation> {
        self.operations.get_mut(number as usize - 1)
    }

    /// Lets a client do everything it has to do now.
    fn client_acts(&mut self, world: &mut Simulation, id: ClientId) {
        let (now, servers, parameters) = (world.now, world.cluster.len(), world.script.parameters().clients);
        loop {
            match self.clients[id.slot()].wish(now, servers, &parameters) {
                Wish::Wait(due) => return world.wake_client(id, due),
                Wish::Begin => {
                    let number = self.operations.len() as u32 + 1;
                    let command = self.clients[id.slot()].begin(now, number, &self.service, &parameters);
                    world.fold(5, (number, &command));
                    let record = OwnOperation { number, client: id, command, began: now, end: None, point: None };
                    self.operations.push(record);
                    self.counts.operations += 1;
                }
                Wish::Send { server, attempt, command, again } => {
                    self.counts.retries += u64::from(again);
                    world.fold(4, (id, server, attempt));
                    let request = ClientRequest { client: id, attempt, call: Call::Command(command) };
                    world.send(Endpoint::Client(id), Endpoint::Server(server), Body::Request(request));
                }
                Wish::GiveUp { number, perhaps_done } => {
                    let trouble = world.trouble(false);
                    let end = if perhaps_done { OwnEnd::Unknown(trouble) } else { OwnEnd::Failed(trouble) };
                    self.end(world, id, number, end);
                }
            }
        }
    }

    fn client_hears(&mut self, world: &mut Simulation, id: ClientId, answer: Answer) {
        let (servers, parameters) = (world.cluster.len(), world.script.parameters().clients);
        if let Some((number, said)) = self.clients[id.slot()].hear(world.now, answer, servers, &parameters) {
            self.end(world, id, number, OwnEnd::Answered(said));
        }
        self.client_acts(world, id);
    }

    fn end(&mut self, world: &Simulation, id: ClientId, number: u32, end: OwnEnd) {
        self.clients[id.slot()].end(world.now, &world.script.parameters().clients);
        if let Some(record) = self.record(number) {
            record.end = Some((world.now, end));
        }
    }
}

/// What to say of one that was restored from a snapshot and makes others, if chance explains that:
/// another one, restored from the same, makes yet others.
fn by_chance(make: &MakeMachine, snapshot: &[u8], restored: &dyn StateMachine) -> &'static str {
    let mut other = make();
    if other.restore(snapshot).is_ok() && other.snapshot() != restored.snapshot() {
        "; the state machine isn’t deterministic: two that are restored from it make different ones"
    } else {
        ""
    }
}

/// What a state machine says must hold of it is asked for.
fn check(machine: &dyn StateMachine, moment: &mut Moment<'_>) {
    if let Err(why) = machine.check() {
        moment.broken(&format!("{} has applied everything up to {}", moment.server, moment.index), &why);
    }
}

/// All that is the world's own, taken out of it for as long as something happens to both. It gets
/// back even when a state machine panics, so that the world can be asked where that was.
struct Lent<'a> {
    world: &'a mut Simulation,
    own: Option<Box<Hosting>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(own) = self.own.take() {
            self.world.own = Some(own);
        }
    }
}

impl OwnWorld for Hosting {
    fn clone_boxed(&self) -> Box<dyn OwnWorld> {
        Box::new(self.clone())
    }

    fn machine(
        &mut self,
        server: ServerId,
        snapshot: Option<&Snapshot>,
        now: Time,
        observers: &mut Observers,
    ) -> Box<dyn StateMachine> {
        if let Some(snapshot) = snapshot {
            return self.restored(server, snapshot, None, now, observers);
        }
        self.snapshots[server.slot()] = 0;
        self.contract.begins(server, None);
        (self.service.machine)()
    }

    fn take(self: Box<Self>, world: &mut Simulation, event: OwnEvent<'_>) {
        let mut lent = Lent { world, own: Some(self) };
        let Lent { world, own: Some(own) } = &mut lent else { return };
        match event {
            OwnEvent::Apply(server, out) => own.apply(world, server, out),
            OwnEvent::Wake(client) => own.client_acts(world, client),
            OwnEvent::Answer(client, answer) => own.client_hears(world, client, answer),
            OwnEvent::Submit => {
                own.clients[ClientId::PERSON.slot()].want();
                own.client_acts(world, ClientId::PERSON);
            }
            OwnEvent::Compare => own.compare_all(world),
        }
    }

    fn operations(&self) -> &Recent<OwnOperation> {
        &self.operations
    }

    fn counts(&self) -> OwnCounts {
        self.counts
    }

    fn call(&self) -> Option<OwnCall> {
        self.call
    }
}
