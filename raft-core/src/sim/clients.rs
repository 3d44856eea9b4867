//! All clients of a run, and the record of what each asked for and how it was answered.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use super::client::{Client, ClientId, End, OperationRecord};
use super::concern;
use super::parameters::Parameters;
use crate::hash::mix;
use crate::kv::{Applied, Request};
use crate::raft::{LogIndex, ServerId};
use crate::shared::Shared;
use crate::time::Time;

/// The clients and their operations.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    clients: Vec<Client>,
    /// The server that clients send reads to first, if one is set. Otherwise each asks the server
    /// that it takes for the leader.
    reads_at: Option<ServerId>,
    operations: Shared<OperationRecord>,
    /// The highest entry that any store has applied.
    applied_anywhere: LogIndex,
    /// Grows when an operation began or ended.
    revision: u64,
}

/// Clients are numbered from 1 without gaps, and only existing ones are ever named.
impl Index<ClientId> for Clients {
    type Output = Client;

    fn index(&self, client: ClientId) -> &Client {
        &self.clients[client.slot()]
    }
}

impl IndexMut<ClientId> for Clients {
    fn index_mut(&mut self, client: ClientId) -> &mut Client {
        &mut self.clients[client.slot()]
    }
}

impl Clients {
    /// The person, and as many others as the parameters say.
    pub(super) fn new(parameters: &Parameters, seed: u64) -> Clients {
        let client = |number| {
            let seed = mix(seed, concern::CLIENT, u64::from(number));
            Client::new(ClientId(number), seed, parameters.servers, &parameters.clients)
        };
        Clients {
            clients: (1..=parameters.clients.count.saturating_add(1)).map(client).collect(),
            reads_at: None,
            operations: Shared::default(),
            applied_anywhere: LogIndex::ZERO,
            revision: 0,
        }
    }

    /// The names of all clients.
    pub(super) fn names(&self) -> impl Iterator<Item = ClientId> + use<> {
        (1..=self.clients.len() as u8).map(ClientId)
    }

    /// The server that clients send reads to first, if one is set.
    pub(super) fn reads_at(&self) -> Option<ServerId> {
        self.reads_at
    }

    /// Sets the server that clients send reads to first. Returns the one that was set before.
    pub(super) fn set_reads_at(&mut self, server: Option<ServerId>) -> Option<ServerId> {
        core::mem::replace(&mut self.reads_at, server)
    }

    // ---------------------------------------------------------------- operations

    pub(super) fn operations(&self) -> impl DoubleEndedIterator<Item = &OperationRecord> {
        self.operations.iter()
    }

    /// How many operations have begun, or wait to begin.
    pub(super) fn begun(&self) -> u64 {
        self.operations.len() as u64
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The number that the next operation will have.
    pub(super) fn next_number(&self) -> u32 {
        self.operations.len() as u32 + 1
    }

    /// Records an operation that a client is to begin.
    pub(super) fn note(&mut self, now: Time, client: ClientId, request: Request) -> &OperationRecord {
        let number = self.next_number();
        let (end, point, applied) = (None, None, None);
        self.operations.push(OperationRecord { number, client, request, began: now, end, point, applied, due: 0 });
        self.revision += 1;
        self.operations.get(number as usize - 1).expect("it has just been recorded")
    }

    /// The record of an operation, unless it is forgotten.
    fn record(&mut self, number: u32) -> Option<&mut OperationRecord> {
        self.operations.get_mut(number as usize - 1)
    }

    /// An operation begins, which may have waited for its turn. Returns its request.
    pub(super) fn begin(&mut self, now: Time, number: u32) -> Option<Request> {
        let record = self.record(number)?;
        record.began = now;
        let request = record.request.clone();
        self.revision += 1;
        Some(request)
    }

    /// A client's operation has ended. Returns its record.
    pub(super) fn end(&mut self, now: Time, number: u32, end: End) -> Option<&OperationRecord> {
        self.revision += 1;
        let record = self.record(number)?;
        record.end = Some((now, end));
        Some(record)
    }

    /// A store applies the entry at `index`. Returns whether no store has applied it before.
    pub(super) fn is_first_to_apply(&mut self, index: LogIndex) -> bool {
        let first = index > self.applied_anywhere;
        self.applied_anywhere = self.applied_anywhere.max(index);
        first
    }

    /// An entry was applied for the first time in any store: its write takes effect there, whether
    /// or not the client ever hears of it. If the write had taken effect before, returns its
    /// operation and the earlier index.
    #[inline(never)]
    pub(super) fn took_effect(
        &mut self,
        now: Time,
        index: LogIndex,
        applied: &Applied,
    ) -> Option<(&OperationRecord, u64)> {
        let Applied::Answered { session, serial, duplicate: false, .. } = applied else { return None };
        let number = self.clients.iter().find_map(|client| client.operation_of(*session, *serial))?;
        self.revision += 1;
        let record = self.record(number)?;
        record.applied.get_or_insert(now);
        let before = record.point.replace(index.0)?;
        Some((record, before))
    }

    /// A server receives a try of a read, which must show everything up to `due`.
    pub(super) fn read_is_due(&mut self, client: ClientId, attempt: u64, due: LogIndex) {
        if let Some(record) = self.operation_tried(client, attempt) {
            record.due = due.0;
        }
    }

    /// A try of a read is answered from a store that has applied everything up to `index`.
    pub(super) fn read_is_answered(&mut self, client: ClientId, attempt: u64, index: LogIndex) {
        self.revision += 1;
        if let Some(record) = self.operation_tried(client, attempt) {
            record.point = Some(index.0);
        }
    }

    /// The operation that a try belongs to.
    fn operation_tried(&mut self, client: ClientId, attempt: u64) -> Option<&mut OperationRecord> {
        self.record(self[client].operation_of_attempt(attempt)?)
    }

    /// Forgets operations that are over, if `forgettable` allows it and nothing can change them any
    /// more.
    pub(super) fn forget(&mut self, forgettable: impl Fn(&OperationRecord) -> bool) {
        let Clients { operations, clients, .. } = self;
        operations.forget(|record| {
            let recalled = || clients.get(record.client.slot()).is_some_and(|client| client.recalls(record.number));
            record.end.is_some() && forgettable(record) && !recalled()
        });
    }

    /// The record of an operation, for tests that falsify it.
    #[cfg(test)]
    pub(super) fn falsify(&mut self, number: u32) -> &mut OperationRecord {
        self.record(number).expect("an operation of that number")
    }
}
