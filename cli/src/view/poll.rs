//! Asking all servers how they are, all the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use crate::client::exchange::{Outcome, is_address};
use crate::client::{Client, Request};

/// How often a server is asked.
const INTERVAL: Duration = Duration::from_millis(250);

/// How long a server may take to say how it is.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// The most servers that are asked: they name each other, and might not stop.
const SERVERS_MAX: usize = 128;

/// What a server says of itself. What is missing is as in an empty document: a later version may
/// say it in other words.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Its number.
    pub server: u8,
    /// Its cluster's name.
    pub cluster: String,
    /// Its role.
    pub role: String,
    /// Its term.
    pub term: u64,
    /// Its log.
    pub log: Log,
    /// Everything up to here is committed, as far as it knows.
    pub commit_index: u64,
    /// Everything up to here is applied.
    pub applied_index: u64,
    /// How its disk is.
    pub disk: String,
    /// Whether it may vote; it may not after it has lost its disk.
    pub may_vote: Option<bool>,
    /// How many of the voters it is connected with, itself included.
    pub voters_answering: Option<usize>,
    /// What its disk had lost of the log, if it has lost anything.
    pub lost_log: Option<LostLog>,
    /// Why it may not, and what helps, if it says that.
    pub no_vote_because: Option<String>,
    /// Whether it can be given requests: it knows a leader, and has applied what is committed.
    pub is_ready: Option<bool>,
    /// The members, as it knows them.
    pub members: Vec<Member>,
    /// The leader, as it knows it.
    pub leader: Option<Leader>,
    /// What it sees to be wrong around it, in sentences.
    pub troubles: Vec<String>,
}

/// A server's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Log {
    /// Its last entry.
    pub last: EntryId,
}

/// An entry's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EntryId {
    /// Its index.
    pub index: u64,
    /// Its term.
    pub term: u64,
}

/// Entries that a disk has lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct LostLog {
    /// The first of them.
    pub from_index: u64,
    /// The last of them.
    pub up_to: EntryId,
    /// When they were there again: seconds since 1970. None while they aren't.
    pub repaired_at: Option<u64>,
}

/// A member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Its number.
    pub server: u8,
    /// `voter`, `learner` or `leaving`.
    pub kind: String,
    /// Where clients reach it.
    pub http: Option<String>,
}

/// Who leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Leader {
    /// Its number.
    pub server: u8,
}

impl Status {
    /// Reads a document; none if it isn't one.
    pub fn read(json: &[u8]) -> Option<Status> {
        serde_json::from_slice(json).ok()
    }

    /// What it lacks of its log since its disk has lost it. It can't lead before it has that again.
    pub fn lacks(&self) -> Option<LostLog> {
        self.lost_log.filter(|lost| lost.repaired_at.is_none())
    }

    /// The number of the leader that it knows.
    pub fn leader_number(&self) -> Option<u8> {
        self.leader.as_ref().map(|leader| leader.server)
    }
}

/// Whose answers are believed. At a server's address, another one may have begun to listen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The cluster's name.
    pub cluster: String,
    /// Its servers' numbers, by the addresses where clients reach them.
    pub servers: BTreeMap<String, u8>,
}

impl Expected {
    /// Whether it is the server that is expected at this address.
    ///
    /// # Errors
    /// Who it is instead.
    pub fn check(&self, address: &str, status: &Status) -> Result<(), Silence> {
        let is_expected = self.servers.get(address).is_none_or(|server| *server == status.server);
        if is_expected && status.cluster == self.cluster {
            return Ok(());
        }
        Err(Silence::Stranger(format!("S{} of cluster {} answers here", status.server, status.cluster)))
    }
}

/// Why a server gave no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// None came.
    Unreachable(String),
    /// Somebody else answers at its address.
    Stranger(String),
}

impl Silence {
    /// Why, in words.
    pub fn why(&self) -> &str {
        let (Silence::Unreachable(why) | Silence::Stranger(why)) = self;
        why
    }
}

/// What a server said when it was asked last.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Where it is reached.
    pub address: String,
    /// Its answer, also as the document that it is; or why it gave none. None before it was asked.
    pub answer: Option<Result<(Status, Value), Silence>>,
}

impl Seen {
    /// Its status, if it answered.
    pub fn status(&self) -> Option<&Status> {
        self.answer.as_ref()?.as_ref().ok().map(|(status, _)| status)
    }

    #[cfg(test)]
    pub fn of(address: &str, status: &Status) -> Seen {
        Seen { address: address.into(), answer: Some(Ok((status.clone(), Value::Null))) }
    }
}

/// Asks servers until it is dropped.
pub struct Poll {
    shared: Arc<Shared>,
}

struct Shared {
    expected: Option<Expected>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// By address.
    seen: BTreeMap<String, Seen>,
    /// How often something has changed.
    version: u64,
    is_over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Poll {
    /// Begins to ask the client's servers, and those that they name. If it is said what is expected
    /// of them, nobody else is listened to.
    pub fn start(client: Client, expected: Option<Expected>) -> Poll {
        let shared = Arc::new(Shared { expected, state: Mutex::default(), changed: Condvar::new() });
        for address in client.servers().to_vec() {
            ask_from_now_on(&shared, &client, address);
        }
        Poll { shared }
    }

    /// What all servers said last, by their numbers as far as they are known.
    pub fn seen(&self) -> Vec<Seen> {
        let state = self.shared.lock();
        let mut all: Vec<Seen> = state.seen.values().cloned().collect();
        let number = |seen: &Seen| number_of(seen, &all).unwrap_or(u8::MAX);
        let mut order: Vec<(u8, Seen)> = all.iter().map(|seen| (number(seen), seen.clone())).collect();
        order.sort_by(|(one, a), (other, b)| one.cmp(other).then_with(|| a.address.cmp(&b.address)));
        all = order.into_iter().map(|(_, seen)| seen).collect();
        all
    }

    /// Waits until something has changed, or so long.
    pub fn wait(&self, limit: Duration) {
        let state = self.shared.lock();
        let version = state.version;
        let waited = self.shared.changed.wait_timeout_while(state, limit, |state| state.version == version);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until every server has been asked once.
    pub fn wait_for_all(&self, limit: Duration) {
        let state = self.shared.lock();
        let is_open = |state: &mut State| state.seen.values().any(|seen| seen.answer.is_none());
        let waited = self.shared.changed.wait_timeout_while(state, limit, is_open);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
    }
}

/// The number of the server at an address: as it says, or as others do.
pub fn number_of(seen: &Seen, all: &[Seen]) -> Option<u8> {
    if let Some(status) = seen.status() {
        return Some(status.server);
    }
    let mut members = all.iter().filter_map(Seen::status).flat_map(|status| &status.members);
    members.find(|member| member.http.as_ref() == Some(&seen.address)).map(|member| member.server)
}

/// Asks a server on a thread of its own, unless one does already.
fn ask_from_now_on(shared: &Arc<Shared>, client: &Client, address: String) {
    {
        let mut state = shared.lock();
        if state.is_over || state.seen.contains_key(&address) || state.seen.len() >= SERVERS_MAX {
            return;
        }
        state.seen.insert(address.clone(), Seen { address: address.clone(), answer: None });
    }
    let (shared, client) = (Arc::clone(shared), client.clone());
    std::thread::spawn(move || {
        loop {
            let began = Instant::now();
            let answer = ask(&client, &address, shared.expected.as_ref());
            if let Ok((status, _)) = &answer {
                for member in status.members.iter().filter_map(|member| member.http.clone()) {
                    if is_address(&member) {
                        ask_from_now_on(&shared, &client, member);
                    }
                }
            }
            let mut state = shared.lock();
            let seen = state.seen.get_mut(&address).expect("it was put there before");
            if seen.answer.as_ref() != Some(&answer) {
                seen.answer = Some(answer);
                state.version += 1;
                shared.changed.notify_all();
            }
            // Others' news don't end the pause.
            let is_on = |state: &mut State| !state.is_over;
            let pause = INTERVAL.saturating_sub(began.elapsed());
            let waited = shared.changed.wait_timeout_while(state, pause, is_on);
            if waited.unwrap_or_else(PoisonError::into_inner).0.is_over {
                return;
            }
        }
    });
}

fn ask(client: &Client, address: &str, expected: Option<&Expected>) -> Result<(Status, Value), Silence> {
    match client.ask(address, &Request::get("/status".into()), ANSWER_MAX.min(client.timeout())) {
        Outcome::Done(answer) => {
            let document: Value = serde_json::from_slice(&answer.body)
                .map_err(|_| Silence::Stranger("its status isn't JSON".to_owned()))?;
            let status = Status::deserialize(&document)
                .map_err(|error| Silence::Stranger(format!("its status can't be read: {error}")))?;
            expected.map_or(Ok(()), |expected| expected.check(address, &status))?;
            Ok((status, document))
        }
        // It isn't a server's.
        Outcome::Problem(problem) if problem.kind.is_empty() => Err(Silence::Stranger(problem.sentence())),
        Outcome::Problem(problem) => Err(Silence::Unreachable(problem.sentence())),
        Outcome::NotSent(why) | Outcome::NoAnswer(why) => {
            Err(Silence::Unreachable(why.strip_prefix(&format!("{address}: ")).map_or(why.clone(), str::to_owned)))
        }
    }
}
