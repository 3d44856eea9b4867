//! A client of a state machine that isn't the store: it finds the leader, waits, and asks again
//! with the same bytes.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::{Ask, Luck, Service};
use crate::raft::{Bytes, ServerId};
use crate::sim::client::{Answer, ClientId, Reply, Seeker, think};
use crate::sim::parameters::{ClientParameters, Parameters};
use crate::time::Time;

/// A client.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: ClientId,
    random: Xoshiro256PlusPlus,
    luck: Luck,
    seeker: Seeker,
    /// How many commands it has made.
    asked: u64,
    ongoing: Option<Ongoing>,
    /// So many the person still wants.
    waiting: u32,
    /// When an idle client begins its next operation.
    next_at: Time,
}

/// An operation under way.
#[derive(Clone, Debug)]
struct Ongoing {
    number: u32,
    command: Bytes,
    deadline: Time,
    /// The number of the try under way; 0 between two tries.
    attempt: u64,
    next_try: Time,
    /// Tries that were sent and not refused: any of them may have been done, or may be yet.
    unsettled: u32,
    /// Whether it has been asked for again while an earlier try was unsettled.
    retried: bool,
}

/// What a client wants done next.
pub(super) enum Wish {
    /// Nothing until then.
    Wait(Time),
    /// Begin an operation.
    Begin,
    /// Ask this server for that, as this try; `again` if this is the first that comes while another
    /// is unsettled.
    Send { server: ServerId, attempt: u64, command: Bytes, again: bool },
    /// Give up the operation of that number, which may have been done.
    GiveUp { number: u32, perhaps_done: bool },
}

impl Client {
    pub(super) fn new(id: ClientId, seed: u64, luck: u64, parameters: &Parameters) -> Client {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let seeker = Seeker::new(&mut random, parameters.servers, &parameters.clients);
        let next_at = match id {
            ClientId::PERSON => Time::NEVER,
            _ => Time::ZERO + think(&mut random, &parameters.clients),
        };
        Client { id, random, luck: Luck::of(luck), seeker, asked: 0, ongoing: None, waiting: 0, next_at }
    }

    /// The person wants one more.
    pub(super) fn want(&mut self) {
        self.waiting += 1;
    }

    /// The operation that this try belongs to.
    pub(super) fn operation_of(&self, attempt: u64) -> Option<u32> {
        self.ongoing.as_ref().filter(|ongoing| ongoing.attempt == attempt).map(|ongoing| ongoing.number)
    }

    /// What it does at `now`, in a world of so many servers.
    pub(super) fn wish(&mut self, now: Time, servers: u8, parameters: &ClientParameters) -> Wish {
        let Some(ongoing) = &mut self.ongoing else {
            let due = if self.waiting > 0 { Time::ZERO } else { self.next_at };
            return if now >= due { Wish::Begin } else { Wish::Wait(due) };
        };
        if now >= ongoing.deadline {
            if ongoing.attempt != 0 {
                self.seeker.wait_longer(parameters);
            }
            return Wish::GiveUp { number: ongoing.number, perhaps_done: ongoing.unsettled > 0 };
        }
        if now < ongoing.next_try {
            return Wish::Wait(ongoing.next_try.min(ongoing.deadline));
        }
        if ongoing.attempt != 0 {
            self.seeker.wait_longer(parameters);
            self.seeker.search(servers);
        }
        let (attempt, server, patient_until) = self.seeker.begin(now);
        ongoing.attempt = attempt;
        ongoing.next_try = patient_until;
        let again = ongoing.unsettled > 0 && !core::mem::replace(&mut ongoing.retried, true);
        ongoing.unsettled += 1;
        Wish::Send { server, attempt, command: ongoing.command.clone(), again }
    }

    /// Begins the operation of that number: what it asks for.
    pub(super) fn begin(&mut self, now: Time, number: u32, service: &Service, parameters: &ClientParameters) -> Bytes {
        self.waiting = self.waiting.saturating_sub(1);
        self.asked += 1;
        let ask = Ask { client: self.id, number: self.asked };
        let command = Bytes::from((service.command)(ask, &mut self.luck));
        let deadline = now + parameters.operation_timeout;
        let (attempt, unsettled, retried, next_try) = (0, 0, false, now);
        self.ongoing =
            Some(Ongoing { number, command: command.clone(), deadline, attempt, next_try, unsettled, retried });
        command
    }

    /// An operation is over.
    pub(super) fn end(&mut self, now: Time, parameters: &ClientParameters) {
        self.ongoing = None;
        if self.id != ClientId::PERSON {
            self.next_at = now + think(&mut self.random, parameters);
        }
    }

    /// An answer came: the operation that it ends, if it does, and what the state machine says.
    pub(super) fn hear(
        &mut self,
        now: Time,
        answer: Answer,
        servers: u8,
        parameters: &ClientParameters,
    ) -> Option<(u32, Bytes)> {
        // To an earlier try, which has been given up, it says nothing new.
        let ongoing = self.ongoing.as_mut().filter(|ongoing| ongoing.attempt == answer.attempt)?;
        ongoing.attempt = 0;
        // A request is delivered at most once, so a refusal settles its own try, and says nothing
        // about earlier ones.
        ongoing.unsettled -= u32::from(answer.reply.is_refusal());
        if let Reply::Answered(said) = answer.reply {
            self.seeker.be_served(parameters);
            return Some((ongoing.number, said));
        }
        ongoing.next_try = self.seeker.be_put_off(now, &answer.reply, servers);
        None
    }
}
