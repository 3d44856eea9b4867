//! What an expression can ask of a world: the tables of its names.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::course::Values;
use super::value::{Kind, RoleWord, Value};
use crate::kv::{Asks, Key, Outcome, Request, in_words};
use crate::raft::{Entry, Log, LogIndex, Observation, Payload, Raft, Role, ServerId, ServerSet};
use crate::sim::{ClientId, End, Endpoint, Machine, News, OperationRecord, Simulation};
use crate::time::Time;

/// Something that happened in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Its name: [`Observation::NAMES`], [`News::KINDS`].
    pub kind: &'static str,
    /// The server that it is about, if it is about one.
    pub server: Option<ServerId>,
}

/// What an expression is about: a world, and what has happened there since a step began.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The world.
    pub world: &'a Simulation,
    /// When the step began.
    pub since: Time,
    /// What has happened since.
    pub happened: &'a [Happened],
    /// How many operations clients had begun by then.
    pub operations: u64,
    /// What names were given.
    pub bound: &'a Values,
}

impl Scene<'_> {
    /// The servers for which this is so.
    fn those(&self, are_so: impl Fn(&Machine) -> bool) -> ServerSet {
        self.world.machines().iter().filter(|machine| are_so(machine)).map(Machine::id).collect()
    }

    /// The newest membership that some server which is up has in force.
    fn members(&self, of: impl Fn(&Raft) -> ServerSet) -> ServerSet {
        let newest = self.rafts().max_by_key(|raft| (raft.configuration_index(), raft.commit_index()));
        newest.map_or(ServerSet::EMPTY, of)
    }

    fn rafts(&self) -> impl Iterator<Item = &Raft> {
        self.world.machines().iter().filter_map(Machine::raft)
    }

    /// What the person at the command line has asked for since the step began.
    fn asked(&self) -> impl DoubleEndedIterator<Item = &OperationRecord> {
        let since = self.operations;
        let mine = move |one: &&OperationRecord| one.client == ClientId::PERSON && u64::from(one.number) > since;
        self.world.operations().filter(mine)
    }

    fn ended(&self, so: impl Fn(&End) -> bool) -> usize {
        self.asked().filter(|one| one.end.as_ref().is_some_and(|(_, end)| so(end))).count()
    }
}

/// The log that a server has, or that is on its disk while it is down.
fn log(machine: &Machine) -> &Log {
    machine.raft().map_or(machine.disk().image().log(), Raft::log)
}

fn role(machine: &Machine) -> RoleWord {
    match machine.raft().map(Raft::role) {
        None => RoleWord::Crashed,
        Some(Role::Follower) => RoleWord::Follower,
        Some(Role::PreCandidate(_)) => RoleWord::PreCandidate,
        Some(Role::Candidate(_)) => RoleWord::Candidate,
        Some(Role::Leader(_)) => RoleWord::Leader,
    }
}

fn hard_state(machine: &Machine) -> crate::raft::HardState {
    machine.raft().map_or_else(|| machine.disk().image().hard_state(), Raft::hard_state)
}

fn votes(machine: &Machine) -> ServerSet {
    match machine.raft().map(Raft::role) {
        Some(Role::PreCandidate(campaign) | Role::Candidate(campaign)) => campaign.granted,
        _ => ServerSet::EMPTY,
    }
}

fn raft_index(machine: &Machine, of: impl Fn(&Raft) -> u64) -> Value {
    machine.raft().map_or(0, of).into()
}

fn number(values: &[Value]) -> u64 {
    let Some(Value::Number(number)) = values.first() else { return 0 };
    u64::try_from(*number).unwrap_or(0)
}

fn text(values: &[Value]) -> Cow<'_, str> {
    let Some(Value::Text(text)) = values.first() else { return Cow::Borrowed("") };
    Cow::Borrowed(text)
}

fn other(values: &[Value]) -> Option<ServerId> {
    let Some(Value::Server(server)) = values.first() else { return None };
    *server
}

fn stored(machine: &Machine, key: &str) -> Option<String> {
    let value = machine.store()?.get(&Key::new(key).ok()?)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What an entry is, in a few words.
fn entry(entry: &Entry) -> String {
    match &entry.payload {
        Payload::NoOp => "no-op".to_string(),
        Payload::Membership(_) => "membership".to_string(),
        Payload::Admission { .. } => "admission".to_string(),
        Payload::Command(bytes) => match in_words(bytes) {
            (Asks::Session, _) => "session".to_string(),
            (_, words) => words,
        },
    }
}

/// What a person was answered, in a word: `done`, what was read, `nothing` where there was no such
/// key, `no` for a compare-and-set that changed nothing, `failed`, `unknown`; nothing yet: empty.
fn answer(one: &OperationRecord) -> String {
    let Some((_, end)) = &one.end else { return String::new() };
    match end {
        End::Answered(Outcome::Found { value: Some(value) }) => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        End::Answered(Outcome::Found { value: None } | Outcome::Deleted { existed: false }) => "nothing".to_string(),
        End::Answered(Outcome::NotSwapped { .. }) => "no".to_string(),
        End::Answered(_) => "done".to_string(),
        End::Failed(_) => "failed".to_string(),
        End::Unknown(_) => "unknown".to_string(),
    }
}

/// A fact about the world.
pub struct WorldFact {
    /// Its name.
    pub name: &'static str,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What kinds of things it takes in parentheses.
    pub takes: &'static [Kind],
    /// What it is.
    pub about: &'static str,
    pub(super) read: fn(&Scene, &[Value]) -> Value,
}

/// A fact about a server. It is written after the server and a dot. About nobody, nothing is so,
/// and everything is 0 or empty.
pub struct ServerFact {
    /// Its name.
    pub name: &'static str,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What kinds of things it takes in parentheses.
    pub takes: &'static [Kind],
    /// What it is.
    pub about: &'static str,
    pub(super) read: fn(&Scene, &Machine, &[Value]) -> Value,
}

macro_rules! facts {
    ($list:ident: $Fact:ident; $($name:literal $(($($takes:ident),+))? -> $kind:ident, $about:literal, $read:expr;)+) => {
        /// All of them.
        pub const $list: &[$Fact] = &[$($Fact {
            name: $name,
            kind: Kind::$kind,
            takes: &[$($(Kind::$takes),+)?],
            about: $about,
            read: $read,
        },)+];
    };
}

facts! { WORLD_FACTS: WorldFact;
    "now" -> Time, "how long the run has gone on", |scene, _| scene.world.now().since(Time::ZERO).into();
    "elapsed" -> Time, "how long the step has gone on", |scene, _| scene.world.now().since(scene.since).into();
    "leader" -> Server, "the leader of the highest term among those that are up, or nobody", |scene, _| scene.world.leader().into();
    "leaders" -> Servers, "all that believe they lead", |scene, _| scene.those(|one| role(one) == RoleWord::Leader).into();
    "candidates" -> Servers, "all that ask for votes", |scene, _| scene.those(|one| role(one) == RoleWord::Candidate).into();
    "followers" -> Servers, "all that follow, or wait for a leader", |scene, _| scene.those(|one| role(one) == RoleWord::Follower).into();
    "servers" -> Servers, "all that there have been", |scene, _| scene.those(|_| true).into();
    "up" -> Servers, "all that aren’t crashed", |scene, _| scene.those(Machine::is_up).into();
    "voters" -> Servers, "the members that vote, as the newest membership in force has them", |scene, _| scene.members(|raft| raft.configuration().voters).into();
    "learners" -> Servers, "the members that don’t vote", |scene, _| scene.members(|raft| raft.configuration().learners).into();
    "outgoing" -> Servers, "while two memberships decide together, the voters of the older one", |scene, _| scene.members(|raft| raft.configuration().outgoing).into();
    "majority" -> Number, "how many of the voters are more than half", |scene, _| (scene.members(|raft| raft.configuration().voters).len() / 2 + 1).into();
    "term" -> Number, "the highest term of any server that is up", |scene, _| scene.rafts().map(|raft| raft.term().0).max().unwrap_or(0).into();
    "committed" -> Number, "the highest index that any server which is up knows to be committed", |scene, _| scene.rafts().map(|raft| raft.commit_index().0).max().unwrap_or(0).into();
    "violated" -> Flag, "whether a promise of Raft has been broken", |scene, _| scene.world.violation().is_some().into();
    "violation" -> Text, "which promise of Raft has been broken; empty where none has", |scene, _| scene.world.violation().map_or_else(String::new, |violation| violation.property.name().to_string()).into();
    "asked" -> Number, "how many commands you have sent in this step", |scene, _| scene.asked().count().into();
    "done" -> Number, "how many of them were answered", |scene, _| scene.ended(|end| matches!(end, End::Answered(_))).into();
    "refused" -> Number, "how many of them certainly did nothing", |scene, _| scene.ended(|end| matches!(end, End::Failed(_))).into();
    "unknown" -> Number, "how many of them may or may not have been done", |scene, _| scene.ended(|end| matches!(end, End::Unknown(_))).into();
    "waiting" -> Number, "how many of them have no answer yet", |scene, _| scene.asked().filter(|one| one.end.is_none()).count().into();
    "answer" -> Text, "the newest answer to one of them: done, the value that was read, nothing, no, failed, unknown", |scene, _| scene.asked().rev().find(|one| one.end.is_some()).map_or_else(String::new, answer).into();
    "command" -> Text, "the newest of them, as it was typed", |scene, _| scene.asked().next_back().map_or_else(String::new, |one| one.request.to_string()).into();
    "acknowledged" (Text) -> Text, "the value that the newest answered put of a key has set, whoever sent it", |scene, values| acknowledged(scene, &text(values)).into();
}

facts! { SERVER_FACTS: ServerFact;
    "up" -> Flag, "whether it isn’t crashed", |_, one, _| one.is_up().into();
    "paused" -> Flag, "whether it stands still", |_, one, _| one.is_paused().into();
    "role" -> Role, "crashed, follower, pre-candidate, candidate or leader", |_, one, _| Value::Role(role(one));
    "leads" -> Flag, "whether it believes that it leads", |_, one, _| (role(one) == RoleWord::Leader).into();
    "term" -> Number, "its term", |_, one, _| hard_state(one).term.0.into();
    "voted_for" -> Server, "whom it voted for in its term, or nobody", |_, one, _| hard_state(one).voted_for.into();
    "votes" -> Servers, "who has said yes to its campaign", |_, one, _| votes(one).into();
    "follows" -> Server, "the leader that it knows of, or nobody", |_, one, _| one.raft().and_then(Raft::leader).into();
    "votes_in_cluster" -> Flag, "whether it is a voter by the newest membership in force", |scene, one, _| scene.members(|raft| raft.configuration().voters).contains(one.id()).into();
    "learns" -> Flag, "whether it is a learner by the newest membership in force", |scene, one, _| scene.members(|raft| raft.configuration().learners).contains(one.id()).into();
    "first" -> Number, "the first index that its log still has", |_, one, _| log(one).first_index().0.into();
    "last" -> Number, "the last index of its log", |_, one, _| log(one).last().index.0.into();
    "last_term" -> Number, "the term of its last entry", |_, one, _| log(one).last().term.0.into();
    "term_at" (Number) -> Number, "the term of its entry at an index; 0 where it has none", |_, one, values| log(one).term_at(LogIndex(number(values))).map_or(0, |term| term.0).into();
    "committed" -> Number, "the index up to which it knows the log to be committed", |_, one, _| raft_index(one, |raft| raft.commit_index().0);
    "applied" -> Number, "the index up to which it has executed the log", |_, one, _| raft_index(one, |raft| raft.applied_index().0);
    "on_disk" -> Number, "the last index on its disk", |_, one, _| one.disk().image().log().last().index.0.into();
    "snapshot" -> Number, "the index up to which its snapshot reaches; 0 where it has none", |_, one, _| {
        let held = one.raft().map_or_else(|| one.disk().image().snapshot(), Raft::snapshot);
        held.map_or(0, |snapshot| snapshot.meta.last.index.0).into()
    };
    "entry" (Number) -> Text, "what its entry at an index is: a command as it is typed, no-op, session, membership, admission; empty where it has none", |_, one, values| {
        log(one).get(LogIndex(number(values))).map_or_else(String::new, entry).into()
    };
    "lease" -> Flag, "whether it leads and may answer a read at once, by its own clock", |scene, one, _| {
        let now = one.clock_reading(scene.world.now());
        one.raft().is_some_and(|raft| raft.is_leader() && raft.lease().is_ok_and(|until| now < until)).into()
    };
    "value" (Text) -> Text, "the value of a key in its store; empty where it has none", |_, one, values| stored(one, &text(values)).unwrap_or_default().into();
    "has" (Text) -> Flag, "whether its store has a key", |_, one, values| stored(one, &text(values)).is_some().into();
    "hears" (Server) -> Flag, "whether the link from another server to it is whole", |scene, one, values| other(values).is_some_and(|from| !scene.world.network().is_cut(Endpoint::Server(from), Endpoint::Server(one.id()))).into();
    "starts" -> Number, "how often it has been started", |_, one, _| Value::Number(one.incarnation().into());
    "writing" -> Flag, "whether something is on its way to its disk", |_, one, _| (one.disk().unsynced() > 0).into();
}

fn acknowledged(scene: &Scene, key: &str) -> String {
    let mut newest: Option<(Time, String)> = None;
    for one in scene.world.operations() {
        let Some((at, End::Answered(outcome))) = &one.end else { continue };
        let Request::Write(crate::kv::Operation::Put { key: of, value }) = &one.request else { continue };
        let is_newer = newest.as_ref().is_none_or(|(before, _)| before < at);
        if of.as_bytes() == key.as_bytes() && outcome.is_change() && is_newer {
            newest = Some((*at, String::from_utf8_lossy(value.as_bytes()).into_owned()));
        }
    }
    newest.map_or_else(String::new, |(_, value)| value)
}

/// Whether something of this name can happen.
pub(super) fn event_named(word: &str) -> Option<&'static str> {
    Observation::NAMES.iter().chain(News::KINDS).copied().find(|name| *name == word)
}

/// All names of what can happen, in order.
pub fn events() -> Vec<&'static str> {
    let mut all: Vec<&str> = Observation::NAMES.iter().chain(News::KINDS).copied().collect();
    all.sort_unstable();
    all
}

/// The tables of all names as Markdown: `docs/lessons.md`.
pub fn facts_in_words() -> String {
    let takes = |kinds: &[Kind]| -> String {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        if names.is_empty() { String::new() } else { format!("({})", names.join(", ")) }
    };
    let mut text = String::from("| name | is | what |\n| --- | --- | --- |\n");
    for fact in WORLD_FACTS {
        text += &format!("| `{}`{} | {} | {} |\n", fact.name, takes(fact.takes), fact.kind.name(), fact.about);
    }
    for fact in SERVER_FACTS {
        text += &format!("| `S1.{}`{} | {} | {} |\n", fact.name, takes(fact.takes), fact.kind.name(), fact.about);
    }
    text
}
