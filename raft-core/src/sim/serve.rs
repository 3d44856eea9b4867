//! What clients and the servers that they ask do in the world.

use alloc::sync::Arc;

use super::Simulation;
use super::client::{Answer, Call, ClientId, ClientRequest, Conclusion, End, OperationRecord, Reply, Trouble, Wish};
use super::flight::{Body, Endpoint};
use super::machine::Asker;
use super::marks::Mark;
use super::news::What;
use super::own::OwnEvent;
use super::queue::Event;
use crate::check::Asked;
use crate::kv::{Applied, Command, Request};
use crate::raft::{self, Bytes, Input, LogIndex, Raft, RequestId, ServerId};
use crate::time::Time;

impl Simulation {
    pub(super) fn serve(&mut self, server: ServerId, request: ClientRequest) {
        let mut asker = Asker { client: request.client, attempt: request.attempt, request: 0 };
        let mode = self.read_mode();
        if let Call::Read(_) = request.call {
            self.note_asked(request.client, request.attempt);
            if self.observers.marks().is_some() && self.leads_unaware(server) {
                self.observers.mark(Mark::ReadAtDeposedLeader);
            }
        }
        let Some(process) = &mut self.cluster[server].process else {
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
            Call::OpenSession => {
                (Asked::Session, encoded(&Command::OpenSession { client: u64::from(request.client.0) }))
            }
            Call::Write { session, serial, operation } => {
                let oldest_awaited = oldest_awaited(request.client, serial);
                (Asked::Write, encoded(&Command::Apply { session, serial, oldest_awaited, operation }))
            }
            Call::Command(command) => (Asked::Write, command),
        };
        self.note_request(server, id, asked);
        self.feed(server, Input::Propose(raft::Proposal { id, command }), Some(asker));
    }

    /// A server has been asked for something.
    fn note_request(&mut self, server: ServerId, id: RequestId, what: Asked) {
        if let Some(checker) = self.observers.checker_mut() {
            checker.asked(self.now, server, id, what);
        }
    }

    /// The operator gives a server an order. Returns the order's number.
    pub(super) fn number_order(&mut self, server: ServerId, what: Asked) -> RequestId {
        let Some(process) = &mut self.cluster[server].process else { return 0 };
        process.requests += 1;
        let id = process.requests;
        self.note_request(server, id, what);
        id
    }

    /// A server has answered a request, or refused it.
    pub(super) fn note_request_ended(&mut self, server: ServerId, id: RequestId) {
        if let Some(checker) = self.observers.checker_mut() {
            checker.ended(server, id);
        }
    }

    /// A server has carried out an order of the operator, or has begun to.
    pub(super) fn note_obeyed(&mut self, server: ServerId, id: RequestId) {
        if let Some(raft) = self.cluster[server].raft() {
            self.observers.judge(|checker| checker.obeyed(self.now, raft, id));
        }
        self.note_request_ended(server, id);
    }

    /// Whether a server leads while another server leads a later term.
    fn leads_unaware(&self, server: ServerId) -> bool {
        let leads = self.cluster[server].raft().is_some_and(Raft::is_leader);
        leads && self.cluster.leader() != Some(server)
    }

    pub(super) fn answer(&mut self, server: ServerId, asker: Asker, reply: Reply) {
        self.note_request_ended(server, asker.request);
        let answer = Answer { attempt: asker.attempt, reply };
        self.send(Endpoint::Server(server), Endpoint::Client(asker.client), Body::Answer(answer));
    }

    pub(super) fn client_hears(&mut self, client: ClientId, answer: Answer) {
        if self.own.is_some() {
            return self.own_takes(OwnEvent::Answer(client, answer));
        }
        let (now, servers) = (self.now, self.cluster.len());
        let parameters = self.script.parameters().clients;
        if self.clients[client].is_late_session(&answer) {
            self.observers.mark(Mark::SessionOpenedLate);
        }
        let conclusion = self.clients[client].take_answer(now, answer, servers, &parameters);
        if let Some(conclusion) = conclusion {
            self.conclude(client, conclusion);
        }
        self.client_acts(client);
    }

    /// Lets a client do everything that is due.
    pub(super) fn client_acts(&mut self, client: ClientId) {
        if self.own.is_some() {
            return self.own_takes(OwnEvent::Wake(client));
        }
        loop {
            let parameters = self.script.parameters().clients;
            let servers = self.cluster.len();
            match self.clients[client].wish(self.now, servers, &parameters) {
                Wish::Wait => break,
                Wish::Begin => self.client_begins(client),
                Wish::End(conclusion) => self.conclude(client, conclusion),
                Wish::Send(server, request) => {
                    let from = Endpoint::Client(request.client);
                    self.fold(4, (request.client, server));
                    self.send(from, Endpoint::Server(server), Body::Request(request));
                }
            }
        }
        self.schedule_client(client);
    }

    fn client_begins(&mut self, id: ClientId) {
        let parameters = self.script.parameters().clients;
        let (now, servers) = (self.now, self.cluster.len());
        let next = self.clients.next_number();
        let client = &mut self.clients[id];
        let number = match client.waiting.is_empty() {
            false => client.waiting.remove(0),
            true => {
                let request = client.invent(next, servers, &parameters);
                self.note_operation(id, request)
            }
        };
        let Some(request) = self.clients.begin(now, number) else { return };
        self.fold(5, (number, &request));
        if let (Request::Read(_), Some(server)) = (&request, self.clients.reads_at()) {
            self.clients[id].ask_first(server);
        }
        self.clients[id].begin(now, number, request, &parameters);
    }

    pub(super) fn note_operation(&mut self, client: ClientId, request: Request) -> u32 {
        let record = self.clients.note(self.now, client, request);
        self.observers.tell(self.now, || What::Began(Arc::new(record.clone())));
        record.number
    }

    fn conclude(&mut self, client: ClientId, conclusion: Conclusion) {
        let parameters = self.script.parameters().clients;
        let end = match conclusion {
            Conclusion::Answered(outcome) => End::Answered(outcome),
            Conclusion::GivenUp { perhaps_done, session_expired } => {
                let trouble = self.trouble(session_expired);
                if perhaps_done { End::Unknown(trouble) } else { End::Failed(trouble) }
            }
        };
        let now = self.now;
        let Some(number) = self.clients[client].end(now, &parameters) else { return };
        let Some(record) = self.clients.end(now, number, end) else { return };
        // An answered read must have shown its client everything that was due.
        if let OperationRecord {
            request: Request::Read(_),
            end: Some((_, End::Answered(_))),
            point: Some(point),
            due,
            ..
        } = record
        {
            let read = format_args!("“{}” of {}", record.request, record.client);
            self.observers.judge(|checker| checker.answered_read(now, read, *due, *point));
        }
        self.observers.tell(now, || What::Ended(Arc::new(record.clone())));
    }

    #[inline(always)]
    pub(super) fn trouble(&self, session_expired: bool) -> Trouble {
        Trouble { within: self.script.parameters().clients.operation_timeout, reach: self.reach(), session_expired }
    }

    pub(super) fn schedule_client(&mut self, client: ClientId) {
        let due = self.clients[client].due();
        self.wake_client(client, due);
    }

    /// Schedules a client that has something to do then.
    #[inline(always)]
    pub(super) fn wake_client(&mut self, client: ClientId, due: Time) {
        let due = due.max(self.now);
        let client = &mut self.clients[client];
        if due < client.wake {
            client.wake = due;
            let client = client.id;
            self.queue.push(due, Event::ClientWake { client });
        } else if due > client.wake {
            // The earlier wake-up finds nothing to do and schedules the next.
        }
    }

    pub(super) fn read_mode(&self) -> raft::ReadMode {
        if self.script.parameters().clients.lease_reads { raft::ReadMode::Lease } else { raft::ReadMode::Confirmed }
    }

    /// An entry was applied for the first time in any store: its write takes effect, and must not
    /// have taken effect before.
    #[inline(never)]
    pub(super) fn note_effect(&mut self, index: LogIndex, applied: &Applied) {
        if let Some((record, before)) = self.clients.took_effect(self.now, index, applied) {
            let write = format_args!("“{}” of {}", record.request, record.client);
            self.observers.judge(|checker| checker.took_effect_again(self.now, write, before, index.0));
        }
    }

    /// A server receives a try of a read, which must show everything that is committed by now.
    fn note_asked(&mut self, client: ClientId, attempt: u64) {
        if let Some(checker) = self.observers.checker() {
            self.clients.read_is_due(client, attempt, checker.committed_index());
        }
    }
}

fn encoded(command: &Command) -> Bytes {
    command.encode().into()
}

/// The oldest serial whose answer a client still awaits, as it tells the servers. A client has one
/// operation at a time, so it awaits no older answer than this one's; but some clients tell so only
/// now and then.
fn oldest_awaited(client: ClientId, serial: u64) -> u64 {
    if client < ClientId::SLACK { serial } else { (serial - serial % SAID_EVERY).max(1) }
}

/// How often such a client tells so, in serials: more than a session remembers.
const SAID_EVERY: u64 = 24;
