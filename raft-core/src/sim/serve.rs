//! Clients and the servers they ask.

use alloc::string::ToString;

use super::Simulation;
use super::client::{Answer, Call, ClientId, ClientRequest, Conclusion, End, OperationRecord, Reply, Trouble, Wish};
use super::machine::Asker;
use super::marks::Mark;
use super::network::{Body, Endpoint};
use super::news::What;
use super::queue::Event;
use crate::check::Asked;
use crate::kv::{Applied, Command, Request};
use crate::raft::{self, Input, LogIndex, Raft, RequestId, ServerId};

impl Simulation {
    pub(super) fn serve(&mut self, server: ServerId, request: ClientRequest) {
        let mut asker = Asker { client: request.client, attempt: request.attempt, request: 0 };
        let mode = self.read_mode();
        if let Call::Read(_) = request.call {
            self.note_asked(request.client, request.attempt);
            if self.marks.is_some() && self.leads_unaware(server) {
                self.mark(Mark::ReadAtDeposedLeader);
            }
        }
        let Some(process) = &mut self.machines[server].process else {
            return self.answer(server, asker, Reply::Unreachable);
        };
        process.requests += 1;
        let id = process.requests;
        asker.request = id;
        let (asked, command) = match request.call {
            Call::Read(query) => {
                process.reading.push((asker, query));
                let what = if mode == raft::ReadMode::Lease { Asked::LeaseRead } else { Asked::Read };
                self.note_request(server, id, what);
                return self.feed(server, Input::Read { id, mode }, None);
            }
            Call::OpenSession => (Asked::Session, Command::OpenSession { client: u64::from(request.client.0) }),
            Call::Write { session, serial, operation } => {
                let oldest_awaited = oldest_awaited(request.client, serial);
                (Asked::Write, Command::Apply { session, serial, oldest_awaited, operation })
            }
        };
        self.note_request(server, id, asked);
        let proposal = raft::Proposal { id, command: command.encode().into() };
        self.feed(server, Input::Propose(proposal), Some(asker));
    }

    /// A server has been asked for something.
    fn note_request(&mut self, server: ServerId, id: RequestId, what: Asked) {
        if let Some(checker) = &mut self.checker {
            checker.asked(self.now, server, id, what);
        }
    }

    /// The operator gives a server an order: its number.
    pub(super) fn number_order(&mut self, server: ServerId, what: Asked) -> RequestId {
        let Some(process) = &mut self.machines[server].process else { return 0 };
        process.requests += 1;
        let id = process.requests;
        self.note_request(server, id, what);
        id
    }

    /// A server has answered a request, or refused it.
    pub(super) fn note_request_ended(&mut self, server: ServerId, id: RequestId) {
        if let Some(checker) = &mut self.checker {
            checker.ended(server, id);
        }
    }

    /// A server has carried out an order of the operator's, or has begun to.
    pub(super) fn note_obeyed(&mut self, server: ServerId, id: RequestId) {
        if let (Some(checker), Some(raft)) = (&self.checker, self.machines[server].raft()) {
            let verdict = checker.obeyed(self.now, raft, id);
            self.note_verdict(verdict);
        }
        self.note_request_ended(server, id);
    }

    /// Whether a server leads, and another one a later term.
    fn leads_unaware(&self, server: ServerId) -> bool {
        let leads = self.machines[server].raft().is_some_and(Raft::is_leader);
        leads && self.leader() != Some(server)
    }

    pub(super) fn answer(&mut self, server: ServerId, asker: Asker, reply: Reply) {
        self.note_request_ended(server, asker.request);
        let answer = Answer { attempt: asker.attempt, reply };
        self.send(Endpoint::Server(server), Endpoint::Client(asker.client), Body::Answer(answer));
    }

    pub(super) fn client_hears(&mut self, client: ClientId, answer: Answer) {
        let (now, servers) = (self.now, self.machines.len() as u8);
        let parameters = self.scenario.parameters.clients;
        if self.clients[client.slot()].is_late_session(&answer) {
            self.mark(Mark::SessionOpenedLate);
        }
        let conclusion = self.clients[client.slot()].take_answer(now, answer, servers, &parameters);
        if let Some(conclusion) = conclusion {
            self.conclude(client.slot(), conclusion);
        }
        self.client_acts(client.slot());
    }

    /// Lets a client do everything it has to do now.
    pub(super) fn client_acts(&mut self, slot: usize) {
        loop {
            let parameters = self.scenario.parameters.clients;
            let servers = self.machines.len() as u8;
            match self.clients[slot].wish(self.now, servers, &parameters) {
                Wish::Wait => break,
                Wish::Begin => self.client_begins(slot),
                Wish::End(conclusion) => self.conclude(slot, conclusion),
                Wish::Send(server, request) => {
                    let from = Endpoint::Client(request.client);
                    self.fold(4, (request.client, server));
                    self.send(from, Endpoint::Server(server), Body::Request(request));
                }
            }
        }
        self.schedule_client(slot);
    }

    pub(super) fn client_begins(&mut self, slot: usize) {
        let parameters = self.scenario.parameters.clients;
        let (now, servers) = (self.now, self.machines.len() as u8);
        let client = &mut self.clients[slot];
        let number = match client.waiting.is_empty() {
            false => client.waiting.remove(0),
            true => {
                let number = self.operations.len() as u32 + 1;
                let request = client.invent(number, servers, &parameters);
                let id = client.id;
                self.note_operation(id, request);
                number
            }
        };
        let Some(record) = self.operations.get_mut(number as usize - 1) else { return };
        record.began = now;
        let request = record.request.clone();
        self.fold(5, (number, &request));
        if let (Request::Read(_), Some(server)) = (&request, self.reads_at) {
            self.clients[slot].ask_first(server);
        }
        self.clients[slot].begin(now, number, request, &parameters);
        self.operations_revision += 1;
    }

    pub(super) fn note_operation(&mut self, client: ClientId, request: Request) -> u32 {
        let number = self.operations.len() as u32 + 1;
        self.tell_with(|| What::Began(client, request.to_string()));
        self.operations.push(OperationRecord {
            number,
            client,
            request,
            began: self.now,
            end: None,
            point: None,
            due: 0,
        });
        self.operations_revision += 1;
        number
    }

    pub(super) fn conclude(&mut self, slot: usize, conclusion: Conclusion) {
        let parameters = self.scenario.parameters.clients;
        let end = match conclusion {
            Conclusion::Answered(outcome) => End::Answered(outcome),
            Conclusion::GivenUp { perhaps_done, session_expired } => {
                let trouble = self.trouble(session_expired);
                if perhaps_done { End::Unknown(trouble) } else { End::Failed(trouble) }
            }
        };
        let now = self.now;
        let client = self.clients[slot].id;
        let Some(number) = self.clients[slot].end(now, &parameters) else { return };
        self.operations_revision += 1;
        let Some(record) = self.operations.get_mut(number as usize - 1) else { return };
        record.end = Some((now, end));
        self.check_freshness(number);
        if self.listening
            && let Some(record) = self.operations.get(number as usize - 1)
        {
            self.tell(What::Ended(client, record.request.to_string(), record.answer()));
        }
    }

    pub(super) fn trouble(&self, session_expired: bool) -> Trouble {
        let reach = self.reach();
        let led = reach.largest.iter().any(|s| self.machines[s].raft().is_some_and(Raft::is_leader));
        Trouble {
            within: self.scenario.parameters.clients.operation_timeout,
            led,
            up: reach.running.len() as u8,
            voters: reach.voters.len() as u8,
            needed: reach.needed as u8,
            reachable: reach.largest.len() as u8,
            session_expired,
        }
    }

    pub(super) fn schedule_client(&mut self, slot: usize) {
        let client = &mut self.clients[slot];
        let due = client.due().max(self.now);
        if due < client.wake {
            client.wake = due;
            let client = client.id;
            self.queue.push(due, Event::ClientWake { client });
        } else if due > client.wake {
            // The earlier wake-up finds nothing to do and schedules the next.
        }
    }

    pub(super) fn read_mode(&self) -> raft::ReadMode {
        if self.scenario.parameters.clients.lease_reads { raft::ReadMode::Lease } else { raft::ReadMode::Confirmed }
    }

    /// An entry was applied for the first time anywhere: the write it carries has taken effect
    /// there, whether or not its client ever hears of it.
    #[inline(never)]
    pub(super) fn note_effect(&mut self, index: LogIndex, applied: &Applied) {
        let Applied::Answered { session, serial, duplicate: false, .. } = applied else { return };
        let number = self.clients.iter().find_map(|client| client.operation_of(*session, *serial));
        let Some(record) = number.and_then(|number| self.operations.get_mut(number as usize - 1)) else { return };
        let Some(before) = record.point.replace(index.0) else { return };
        if let Some(checker) = &self.checker {
            let verdict = checker.took_effect_again(
                self.now,
                format_args!("“{}” of {}", record.request, record.client),
                before,
                index.0,
            );
            self.note_verdict(verdict);
        }
    }

    /// A server takes a try of a read: what is committed by now, it must show.
    fn note_asked(&mut self, client: ClientId, attempt: u64) {
        let Some(checker) = &self.checker else { return };
        let due = checker.committed_index().0;
        let number = self.clients[client.slot()].operation_of_attempt(attempt);
        if let Some(record) = number.and_then(|number| self.operations.get_mut(number as usize - 1)) {
            record.due = due;
        }
    }

    /// An operation has ended. If it is a read that was answered, its client must have seen
    /// everything it was due.
    fn check_freshness(&mut self, number: u32) {
        let Some(record) = self.operations.get(number as usize - 1) else { return };
        let OperationRecord {
            request: Request::Read(_),
            end: Some((_, End::Answered(_))),
            point: Some(point),
            due,
            ..
        } = record
        else {
            return;
        };
        if let Some(checker) = &self.checker {
            let verdict = checker.answered_read(
                self.now,
                format_args!("“{}” of {}", record.request, record.client),
                *due,
                *point,
            );
            self.note_verdict(verdict);
        }
    }

    /// A read is answered from a store that has applied everything up to `index`.
    pub(super) fn note_read(&mut self, client: ClientId, attempt: u64, index: LogIndex) {
        let number = self.clients[client.slot()].operation_of_attempt(attempt);
        if let Some(record) = number.and_then(|number| self.operations.get_mut(number as usize - 1)) {
            record.point = Some(index.0);
        }
    }
}

/// The oldest serial whose answer a client still awaits, as it says. It has one operation at a
/// time, and awaits no older answer than this one's; but not all say so.
fn oldest_awaited(client: ClientId, serial: u64) -> u64 {
    if client < ClientId::SLACK { serial } else { (serial - serial % SAID_EVERY).max(1) }
}

/// More than a session remembers.
const SAID_EVERY: u64 = 24;
