//! What a world does that hosts another state machine than the store: makes it, applies what is
//! committed, compares it with itself elsewhere, and plays its clients.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::Hasher;

use super::client::{Client, Wish};
use super::{OwnEnd, OwnEvent, OwnOperation, OwnWorld, Service, differ, is_wrong};
use crate::hash::{ThoroughHasher, mix};
use crate::raft::{Bytes, Output, Payload, ServerId, Snapshot};
use crate::shared::Shared;
use crate::sim::client::{Answer, Call, ClientId, ClientRequest, Reply};
use crate::sim::flight::{Body, Endpoint};
use crate::sim::machine::{Hosted, Proposed};
use crate::sim::observers::Observers;
use crate::sim::script::Script;
use crate::sim::{Simulation, concern};
use crate::state_machine::StateMachine;
use crate::time::Time;

/// See the [module's essay](super).
#[derive(Clone, Debug)]
pub(super) struct Hosting {
    service: Service,
    clients: Vec<Client>,
    operations: Shared<OwnOperation>,
    states: States,
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
            operations: Shared::default(),
            states: States { every: service.compared_every, seen: Shared::default() },
            service: service.clone(),
        }
    }

    // ---------------------------------------------------------------- the state machine

    /// The same as for the store, with what is to be held against the state machine.
    fn apply(&mut self, world: &mut Simulation, server: ServerId, out: &mut Output) {
        if let Some(snapshot) = out.restore.take() {
            let machine = self.machine(server, Some(&snapshot), world.now, &mut world.observers);
            let Some(process) = &mut world.cluster[server].process else { return };
            let index = snapshot.meta.last.index;
            process.hosted = Hosted::Own(machine);
            process.applied = index;
            world.give_up_first(server, |before, _| before <= index);
        }
        for (index, entry) in out.committed_entries() {
            let Some(process) = &mut world.cluster[server].process else { return };
            let Hosted::Own(machine) = &mut process.hosted else { return };
            let answer = match &entry.payload {
                Payload::Command(command) => {
                    let answer = machine.apply(index.0, command);
                    if let Err(why) = machine.check() {
                        is_wrong(&mut world.observers, world.now, server, index.0, &why);
                    }
                    Some(Bytes::from(answer))
                }
                Payload::NoOp | Payload::Membership(_) | Payload::Admission { .. } => None,
            };
            process.applied = index;
            self.states.compare(&**machine, server, index.0, world.now, &mut world.observers);
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
                }
                Wish::Send(server, attempt, command) => {
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
        let mut machine = (self.service.machine)();
        let Some(snapshot) = snapshot else { return machine };
        let index = snapshot.meta.last.index.0;
        let first = format_args!("there is a snapshot of everything up to {index}");
        if let Err(why) = machine.restore(snapshot.data()) {
            let second = format_args!("{server} can’t restore it: {why}");
            observers.judge(|checker| checker.broke_contract(now, first, second));
            return machine;
        }
        if *machine.snapshot() != **snapshot.data() {
            let second = format_args!("{server}, restored from it, makes another of the same");
            observers.judge(|checker| checker.broke_contract(now, first, second));
        }
        if let Err(why) = machine.check() {
            is_wrong(observers, now, server, index, &why);
        }
        self.states.compare(&*machine, server, index, now, observers);
        machine
    }

    fn take(&mut self, world: &mut Simulation, event: OwnEvent<'_>) {
        match event {
            OwnEvent::Apply(server, out) => self.apply(world, server, out),
            OwnEvent::Wake(client) => self.client_acts(world, client),
            OwnEvent::Answer(client, answer) => self.client_hears(world, client, answer),
            OwnEvent::Submit => {
                self.clients[ClientId::PERSON.slot()].want();
                self.client_acts(world, ClientId::PERSON);
            }
        }
    }

    fn operations(&self) -> &Shared<OwnOperation> {
        &self.operations
    }
}

/// The state after each entry, as whoever came there first had it: a digest of its snapshot.
#[derive(Clone, Debug)]
struct States {
    /// Only at indexes that are a multiple of this.
    every: u64,
    /// By index, the first `every`.
    seen: Shared<Option<(ServerId, u64)>>,
}

impl States {
    /// A server has applied everything up to `index`.
    fn compare(
        &mut self,
        machine: &dyn StateMachine,
        server: ServerId,
        index: u64,
        now: Time,
        observers: &mut Observers,
    ) {
        if index == 0 || !index.is_multiple_of(self.every) {
            return;
        }
        let bytes = machine.snapshot();
        let mut hasher = ThoroughHasher::new(bytes.len() as u64);
        hasher.write(&bytes);
        let digest = hasher.finish();
        let place = (index / self.every - 1) as usize;
        while self.seen.len() <= place {
            self.seen.push(None);
        }
        match self.seen.get_mut(place) {
            Some(Some((first, seen))) if *seen != digest => differ(observers, now, *first, server, index),
            Some(unseen @ None) => *unseen = Some((server, digest)),
            _ => {}
        }
    }
}
