//! The clients: they look for the leader, wait, retry with the same serial number, and give up
//! honestly.
//!
//! A client has one operation under way at a time. Before its first write it opens a session
//! (dissertation §6.3), so that a write tried twice is applied once. It can't tell a lost request
//! from a lost answer: an operation without an answer ends as *unknown*, unless every single try
//! was refused.
//!
//! A client backs off: after each try without an answer in time, it waits longer for the next
//! answer, up to a bound. Otherwise it would never be served where a commit takes longer than a
//! try.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::parameters::{CERTAIN, ClientParameters};
use super::reach::Reach;
use crate::kv::{Key, Operation, Outcome, Query, Request, SessionId, Value};
use crate::raft::{Bytes, ServerId};
use crate::time::{Duration, Time};

/// A client's name. Client 1 is the person at the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u8);

impl ClientId {
    /// The person at the command line.
    pub const PERSON: ClientId = ClientId(1);

    /// Clients from this number on write long values, and seldom tell the servers which answers
    /// they have received. Their sessions therefore fill up to the limit and drop old answers
    /// unasked.
    pub(super) const SLACK: ClientId = ClientId(6);

    pub(super) fn slot(self) -> usize {
        usize::from(self.0).saturating_sub(1)
    }
}

/// `client 2`.
impl core::fmt::Display for ClientId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "client {}", self.0)
    }
}

/// What a client asks of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientRequest {
    /// The client that asks.
    pub client: ClientId,
    /// Its own number for this try.
    pub attempt: u64,
    /// What it asks for.
    pub call: Call,
}

/// What can be asked of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// A session, so that retries can be told from new commands.
    OpenSession,
    /// A change.
    Write {
        /// The client's session.
        session: SessionId,
        /// The change's number in it.
        serial: u64,
        /// What to change.
        operation: Operation,
    },
    /// A linearizable read.
    Read(Query),
    /// A command for a state machine that isn't the store.
    Command(Bytes),
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// The try it answers.
    pub attempt: u64,
    /// The answer.
    pub reply: Reply,
}

/// The kinds of answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// A session was opened.
    SessionOpened(SessionId),
    /// The operation was done, with this outcome.
    Done(Outcome),
    /// The session has expired. This try wasn't done; whether an earlier try was done is forgotten.
    SessionExpired,
    /// The server isn't the leader. This try was certainly not done.
    NotLeader(Option<ServerId>),
    /// The server can't do it now. This try was certainly not done.
    NotNow(crate::raft::Refusal),
    /// The server appended the command to its log and then lost its leadership: the command may or
    /// may not be done.
    Lost,
    /// The server is down, so nothing listens at its address. This try was certainly not done.
    Unreachable,
    /// What a state machine that isn't the store answers to a command.
    Answered(Bytes),
}

impl Reply {
    /// Whether the try that it answers has certainly done nothing.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Reply::NotLeader(_) | Reply::NotNow(_) | Reply::Unreachable)
    }
}

/// One operation of a client, from its beginning to its end: what a checker judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRecord {
    /// Numbers all operations of the run, from 1.
    pub number: u32,
    /// The client whose operation it is.
    pub client: ClientId,
    /// What was asked for.
    pub request: Request,
    /// When.
    pub began: Time,
    /// How it ended, and when.
    pub end: Option<(Time, End)>,
    /// Where it took effect, if it did. For a write this is its index in the log; for a read it is
    /// the last index that the answering store had applied. No server knows this of an unanswered
    /// operation, but the simulation does.
    pub point: Option<u64>,
    /// For a write that took effect: when the first store applied it, which is when its leader
    /// heard that it was committed.
    pub applied: Option<Time>,
    /// For a read: the highest index that any leader had committed when a server received its
    /// latest try. The read must show everything up to there.
    pub due: u64,
}

impl OperationRecord {
    /// Its answer or the honest reason why there is none, in words; empty while it is under way.
    pub fn answer(&self) -> String {
        self.end.as_ref().map_or_else(String::new, |(_, end)| end.to_string())
    }
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With an answer.
    Answered(Outcome),
    /// Certainly without effect.
    Failed(Trouble),
    /// It is unknown whether it was done.
    Unknown(Trouble),
}

/// In words.
impl core::fmt::Display for End {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            End::Answered(outcome) => outcome.fmt(f),
            End::Failed(trouble) => trouble.fmt(f),
            End::Unknown(trouble) => write!(f, "{trouble}; it may have been done, or may still be done"),
        }
    }
}

/// Why there was no answer, with what the world looked like when the client gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// How long it tried.
    pub within: Duration,
    /// What the cluster could do when it gave up.
    pub reach: Reach,
    /// Whether the client's session expired before an answer came.
    pub session_expired: bool,
}

impl core::fmt::Display for Trouble {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.session_expired {
            return f.write_str("the session expired before an answer came");
        }
        write!(f, "no answer within {}", seconds(self.within))?;
        if self.reach.can_commit() { Ok(()) } else { write!(f, " ({})", self.reach) }
    }
}

/// `2 s`, `0.5 s`.
fn seconds(length: Duration) -> String {
    let millis = length.as_micros() / 1_000;
    if millis.is_multiple_of(1_000) {
        return format!("{} s", millis / 1_000);
    }
    let text = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    format!("{} s", text.trim_end_matches('0'))
}

/// Whom a client asks, and how long it waits for an answer: the same for whatever it asks for. What
/// is always inlined here is called in one place on the page, where each copy counts.
#[derive(Clone, Debug)]
pub(super) struct Seeker {
    /// Whom it asks next.
    guess: ServerId,
    /// Whom it asked last without a hint: hints may lead in circles, this goes round all servers.
    searched: ServerId,
    attempts: u64,
    /// How long it waits for the answer to a try.
    patience: Duration,
}

impl Seeker {
    /// Takes one of so many servers for the leader.
    #[inline(always)]
    pub(super) fn new(random: &mut Xoshiro256PlusPlus, servers: u8, parameters: &ClientParameters) -> Seeker {
        let guess = ServerId::new(random.random_range(1..=servers)).expect("a cluster has at least one server");
        Seeker { guess, searched: guess, attempts: 0, patience: parameters.attempt_timeout }
    }

    /// Begins a try: its number, whom to ask, and until when to wait for the answer.
    pub(super) fn begin(&mut self, now: Time) -> (u64, ServerId, Time) {
        self.attempts += 1;
        (self.attempts, self.guess, now + self.patience)
    }

    /// There was no answer in time.
    pub(super) fn wait_longer(&mut self, parameters: &ClientParameters) {
        self.patience = longer(self.patience, parameters);
    }

    /// Asks the next server in turn.
    pub(super) fn search(&mut self, servers: u8) {
        self.searched = successor(self.searched, servers);
        self.guess = self.searched;
    }

    /// There was an answer.
    pub(super) fn be_served(&mut self, parameters: &ClientParameters) {
        self.patience = self.patience.percent(50).max(parameters.attempt_timeout);
    }

    /// A reply came that isn't what was asked for: when to try again.
    #[inline(always)]
    pub(super) fn be_put_off(&mut self, now: Time, reply: &Reply, servers: u8) -> Time {
        match reply {
            Reply::NotLeader(Some(leader)) => {
                self.guess = *leader;
                return now;
            }
            Reply::NotLeader(None) | Reply::Unreachable => self.search(servers),
            _ => {}
        }
        now + BACK_OFF
    }
}

/// A client.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: ClientId,
    random: Xoshiro256PlusPlus,
    session: Option<SessionId>,
    serial: u64,
    seeker: Seeker,
    /// The server that its next operation asks first, if not the one that it takes for the leader.
    first: Option<ServerId>,
    pub(super) ongoing: Option<Ongoing>,
    /// Session, serial and number of the latest writes, for telling later that one took effect.
    recent: Vec<(SessionId, u64, u32)>,
    /// The person's commands that wait for their turn, as operation numbers.
    pub(super) waiting: Vec<u32>,
    /// When an idle client begins its next operation.
    next_at: Time,
    /// When the client is scheduled to wake.
    pub(super) wake: Time,
}

/// An operation under way.
#[derive(Clone, Debug)]
pub(super) struct Ongoing {
    pub(super) number: u32,
    request: Request,
    deadline: Time,
    /// The server that it asks first, if not the one that the client takes for the leader.
    first: Option<ServerId>,
    /// The number of the try under way; 0 between two tries.
    attempt: u64,
    next_try: Time,
    /// Tries of a write that were sent and not refused. Each of them may have been done, or may
    /// still be done.
    unsettled: u32,
    session_expired: bool,
    /// Whether the try under way is a write (and not the opening of a session before it).
    writing: bool,
}

/// What a client wants done next.
pub(super) enum Wish {
    /// Wait until something is due.
    Wait,
    /// Send this.
    Send(ServerId, ClientRequest),
    /// Begin an operation: the person's next command, or one that the client makes up.
    Begin,
    /// End the operation like this.
    End(Conclusion),
}

/// How an operation ends, before the world's state is added to it.
pub(super) enum Conclusion {
    Answered(Outcome),
    GivenUp { perhaps_done: bool, session_expired: bool },
}

impl Client {
    pub(super) fn new(id: ClientId, seed: u64, servers: u8, parameters: &ClientParameters) -> Client {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let seeker = Seeker::new(&mut random, servers, parameters);
        let next_at = if id == ClientId::PERSON { Time::NEVER } else { Time::ZERO + think(&mut random, parameters) };
        Client {
            id,
            random,
            session: None,
            serial: 0,
            seeker,
            first: None,
            ongoing: None,
            recent: Vec::new(),
            waiting: Vec::new(),
            next_at,
            wake: Time::NEVER,
        }
    }

    /// The number of the operation that this serial of this session belongs to, if it is one of
    /// this client's latest.
    pub(super) fn operation_of(&self, session: SessionId, serial: u64) -> Option<u32> {
        // Serials only grow, so that most serials of other clients lie outside this range.
        let (oldest, latest) = (self.recent.first()?.1, self.recent.last()?.1);
        if !(oldest..=latest).contains(&serial) {
            return None;
        }
        let known = self.recent.iter().rev().find(|(s, n, _)| (*s, *n) == (session, serial));
        known.map(|(.., number)| *number)
    }

    /// Whether this operation is among its latest writes, so that it may still turn out to have
    /// taken effect.
    pub(super) fn recalls(&self, number: u32) -> bool {
        self.recent.iter().any(|(.., latest)| *latest == number)
    }

    /// The number of the operation that this try belongs to.
    pub(super) fn operation_of_attempt(&self, attempt: u64) -> Option<u32> {
        self.ongoing.as_ref().filter(|ongoing| ongoing.attempt == attempt).map(|ongoing| ongoing.number)
    }

    /// When it next has something to do.
    pub(super) fn due(&self) -> Time {
        match &self.ongoing {
            Some(ongoing) => ongoing.next_try.min(ongoing.deadline),
            None if !self.waiting.is_empty() => Time::ZERO,
            None => self.next_at,
        }
    }

    /// What it does at `now`.
    pub(super) fn wish(&mut self, now: Time, servers: u8, parameters: &ClientParameters) -> Wish {
        let Some(ongoing) = &mut self.ongoing else {
            return if now >= self.due() { Wish::Begin } else { Wish::Wait };
        };
        if now >= ongoing.deadline {
            if ongoing.attempt != 0 {
                self.seeker.wait_longer(parameters);
            }
            let (perhaps_done, session_expired) = (ongoing.unsettled > 0, ongoing.session_expired);
            return Wish::End(Conclusion::GivenUp { perhaps_done, session_expired });
        }
        if now < ongoing.next_try {
            return Wish::Wait;
        }
        if ongoing.attempt != 0 {
            // No answer in time: perhaps this server is gone, perhaps it is slow.
            self.seeker.wait_longer(parameters);
            self.seeker.search(servers);
        }
        let (attempt, guess, patient_until) = self.seeker.begin(now);
        let server = ongoing.first.take().unwrap_or(guess);
        ongoing.attempt = attempt;
        ongoing.next_try = patient_until;
        ongoing.writing = matches!((&ongoing.request, self.session), (Request::Write(_), Some(_)));
        let call = match (&ongoing.request, self.session) {
            (Request::Read(query), _) => Call::Read(query.clone()),
            (Request::Write(_), None) => Call::OpenSession,
            (Request::Write(operation), Some(session)) => {
                ongoing.unsettled += 1;
                let write = (session, self.serial, ongoing.number);
                if self.recent.last() != Some(&write) {
                    if self.recent.len() == RECENT {
                        self.recent.remove(0);
                    }
                    self.recent.push(write);
                }
                Call::Write { session, serial: self.serial, operation: operation.clone() }
            }
        };
        Wish::Send(server, ClientRequest { client: self.id, attempt, call })
    }

    /// The next operation is asked of this server first.
    pub(super) fn ask_first(&mut self, server: ServerId) {
        self.first = Some(server);
    }

    /// Begins an operation.
    pub(super) fn begin(&mut self, now: Time, number: u32, request: Request, parameters: &ClientParameters) {
        if let Request::Write(_) = request {
            self.serial += 1;
        }
        self.ongoing = Some(Ongoing {
            number,
            request,
            deadline: now + parameters.operation_timeout,
            first: self.first.take(),
            attempt: 0,
            next_try: now,
            unsettled: 0,
            session_expired: false,
            writing: false,
        });
    }

    /// An operation is over.
    pub(super) fn end(&mut self, now: Time, parameters: &ClientParameters) -> Option<u32> {
        if self.id != ClientId::PERSON {
            self.next_at = now + think(&mut self.random, parameters);
        }
        self.ongoing.take().map(|ongoing| ongoing.number)
    }

    /// Whether an answer opens a session and belongs to a try that has been given up.
    pub(super) fn is_late_session(&self, answer: &Answer) -> bool {
        let current = self.ongoing.as_ref().is_some_and(|ongoing| ongoing.attempt == answer.attempt);
        !current && self.session.is_none() && matches!(answer.reply, Reply::SessionOpened(_))
    }

    /// Takes an answer. Returns how the operation ends, if the answer ends it.
    pub(super) fn take_answer(
        &mut self,
        now: Time,
        answer: Answer,
        servers: u8,
        parameters: &ClientParameters,
    ) -> Option<Conclusion> {
        if self.is_late_session(&answer) {
            self.take_late_session(now, &answer);
        }
        let ongoing = self.ongoing.as_mut()?;
        if answer.attempt != ongoing.attempt {
            return None; // To an earlier try, which has been given up.
        }
        ongoing.attempt = 0;
        ongoing.next_try = now;
        if matches!(answer.reply, Reply::SessionOpened(_) | Reply::Done(_)) {
            self.seeker.be_served(parameters);
        }
        // A request is delivered at most once, so a refusal settles its own try, and says nothing
        // about earlier ones.
        if answer.reply.is_refusal() {
            ongoing.unsettled = ongoing.unsettled.saturating_sub(u32::from(ongoing.writing));
        }
        match answer.reply {
            Reply::SessionOpened(session) => self.session = Some(session),
            Reply::Done(outcome) => return Some(Conclusion::Answered(outcome)),
            Reply::SessionExpired => {
                self.session = None;
                ongoing.session_expired = true;
                let perhaps_done = ongoing.unsettled > 1;
                return Some(Conclusion::GivenUp { perhaps_done, session_expired: true });
            }
            reply => ongoing.next_try = self.seeker.be_put_off(now, &reply, servers),
        }
        None
    }

    /// Any session will do: the client doesn't wait for the one that it asked for later.
    fn take_late_session(&mut self, now: Time, answer: &Answer) {
        let Reply::SessionOpened(session) = answer.reply else { return };
        self.session = Some(session);
        if let Some(ongoing) = &mut self.ongoing
            && matches!(ongoing.request, Request::Write(_))
        {
            ongoing.attempt = 0;
            ongoing.next_try = now;
        }
    }

    /// Makes up the client's next command, in a world with this many servers.
    pub(super) fn invent(&mut self, number: u32, servers: u8, parameters: &ClientParameters) -> Request {
        const NAMES: [&str; 8] = ["x", "y", "z", "a", "b", "c", "d", "e"];
        let key = self.random.random_range(0..u32::from(parameters.keys.max(1)));
        let key = match NAMES.get(key as usize) {
            Some(name) => Key::new(name),
            None => Key::new(&format!("k{key}")),
        };
        let key = key.unwrap_or_else(|_| panic!("a short name is a key"));
        // A world without extra reads draws nothing here, so that its other draws stay the same.
        if parameters.extra_reads > 0 && self.random.random_range(0..CERTAIN) < parameters.extra_reads {
            self.first = ServerId::new(self.random.random_range(1..=servers));
            return Query::Get { key }.into();
        }
        let digits = if self.id < ClientId::SLACK { 0 } else { LONG };
        let value =
            |number: u32| Value::new(format!("{number:0digits$}")).unwrap_or_else(|_| panic!("a number is a value"));
        match self.random.random_range(0..10_u32) {
            0..=5 => Operation::Put { key, value: value(number) }.into(),
            6..=7 => Query::Get { key }.into(),
            8 => {
                let expected = number.saturating_sub(self.random.random_range(1..8_u32));
                Operation::CompareAndSet { key, expected: value(expected), new: value(number) }.into()
            }
            _ => Operation::Delete { key }.into(),
        }
    }
}

/// How many of its latest writes a client remembers. An unanswered write may take effect much
/// later, but hardly after so many others.
const RECENT: usize = 32;

/// How many digits the long values have that some clients write.
const LONG: usize = 60;

/// How long a client waits before its next try, where trying at once would be useless.
const BACK_OFF: Duration = Duration::from_millis(30);

/// Twice the patience, but no longer than a whole operation may take.
fn longer(patience: Duration, parameters: &ClientParameters) -> Duration {
    patience.times(2).min(parameters.operation_timeout).max(patience)
}

fn successor(server: ServerId, servers: u8) -> ServerId {
    ServerId::new(server.number() % servers + 1).unwrap_or(server)
}

pub(super) fn think(random: &mut Xoshiro256PlusPlus, parameters: &ClientParameters) -> Duration {
    let average = parameters.think_time.as_micros();
    Duration::from_micros(random.random_range(average / 2..=average + average / 2))
}
