//! What a person reads closely: a server's whole state, what a message says, who sent what to whom
//! in a stretch of time.

use std::fmt::Display;

use raft_core::kv;
use raft_core::raft::{Entries, FactTaker, Leader, Message, Payload, ProgressState, Raft, Role, ServerId, ServerSet};
use raft_core::sim::timeline::{Fate, Passage, ServerState};
use raft_core::sim::{Body, Call, Machine, Reply, Simulation};
use raft_core::time::Time;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::js::{PageError, length_micros, micros, moment};
use crate::json::to_js;
use crate::messages::{MessageView, Messages};
use crate::run::Run;
use crate::story::{self, StoryLine};
use crate::view::shortened;

/// How many entries of a message are spelled out; the rest is counted.
const ENTRIES_SHOWN: usize = 4;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InspectorView {
    id: u8,
    up: bool,
    starts: u32,
    clock: f64,
    /// On the disk: the term, the vote, the last entry.
    disk_term: f64,
    disk_vote: u8,
    disk_last: String,
    unsynced: u32,
    first_index: f64,
    last: String,
    snapshot: String,
    voters: String,
    learners: String,
    membership_index: f64,
    round: f64,
    ignores_campaigns: f64,
    peers: Vec<PeerView>,
    sessions: Vec<SessionView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PeerView {
    id: u8,
    match_index: f64,
    next_index: f64,
    state: &'static str,
    in_flight: u32,
    heard: f64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionView {
    id: f64,
    client: f64,
    last_used: f64,
    serial: f64,
    answer: String,
}

#[derive(Serialize)]
struct TrafficView {
    from: f64,
    to: f64,
    messages: Messages,
    states: Vec<ServerStateView>,
    news: Vec<StoryLine>,
}

#[derive(Serialize)]
struct ServerStateView {
    time: f64,
    server: u8,
    term: f64,
    /// A role, or `crashed` or `paused`.
    role: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DialsView {
    latency_min: f64,
    latency_max: f64,
    loss: f64,
    duplication: f64,
    fsync_min: f64,
    fsync_max: f64,
    election_timeout_min: f64,
    election_timeout_max: f64,
    heartbeat_interval: f64,
}

#[wasm_bindgen]
impl Run {
    /// All that a server knows, and what its disk holds.
    ///
    /// # Errors
    /// A sentence, if there is no such server.
    #[wasm_bindgen(unchecked_return_type = "InspectorView")]
    pub fn inspect(&self, server: u32) -> Result<JsValue, JsValue> {
        let id = self.server(server)?;
        let missing = || PageError(format!("there is no {id} in this cluster"));
        to_js(&inspector(self.world(), self.world().machine(id).ok_or_else(missing)?))
    }

    /// What a message on its way says, as names and values. Nothing, if it has arrived.
    #[wasm_bindgen(js_name = messageFacts, unchecked_return_type = "[string, string][]")]
    pub fn message_facts(&self, message: f64) -> Result<JsValue, JsValue> {
        let flight = self.world().network().flights().find(|flight| flight.number == message as u64);
        to_js(&flight.map_or_else(Vec::new, |flight| body_facts(&flight.body)))
    }

    /// Who sent what to whom from one time to another on this branch, as far as it is known; the
    /// servers' states meanwhile; and the sentences.
    #[wasm_bindgen(unchecked_return_type = "Packed<TrafficView>")]
    pub fn traffic(&mut self, from: f64, to: f64) -> Result<JsValue, JsValue> {
        let traffic = self.timeline.traffic(moment(from), moment(to));
        to_js(&TrafficView {
            from: micros(traffic.from),
            to: micros(traffic.to),
            messages: Messages::of(traffic.passages.iter().map(passage)),
            states: traffic.states.iter().map(state).collect(),
            news: traffic.news.iter().map(story::line).collect(),
        })
    }

    /// How the network is now, and the servers' timing.
    #[wasm_bindgen(unchecked_return_type = "DialsView")]
    pub fn dials(&self) -> Result<JsValue, JsValue> {
        let network = self.world().network().parameters();
        let parameters = &self.world().scenario().parameters;
        let (disk, timing) = (&parameters.disk, &parameters.timing);
        to_js(&DialsView {
            latency_min: length_micros(network.latency_min),
            latency_max: length_micros(network.latency_max),
            loss: f64::from(network.loss),
            duplication: f64::from(network.duplication),
            fsync_min: length_micros(disk.fsync_min),
            fsync_max: length_micros(disk.fsync_max),
            election_timeout_min: length_micros(timing.election_timeout_min),
            election_timeout_max: length_micros(timing.election_timeout_max),
            heartbeat_interval: length_micros(timing.heartbeat_interval),
        })
    }
}

fn inspector(world: &Simulation, machine: &Machine) -> InspectorView {
    let now = machine.clock_reading(world.now());
    let disk = machine.disk();
    let image = disk.image();
    let raft = machine.raft();
    let log = raft.map_or(image.log(), Raft::log);
    let members = raft.map(Raft::configuration);
    let names = |set: Option<ServerSet>| set.map_or_else(String::new, |set| set.to_string());
    let leader = raft.and_then(|raft| if let Role::Leader(leader) = raft.role() { Some(leader) } else { None });
    let base = log.base();
    InspectorView {
        id: machine.id().number(),
        up: machine.is_up(),
        starts: machine.incarnation(),
        clock: micros(now),
        disk_term: image.hard_state().term.0 as f64,
        disk_vote: image.hard_state().voted_for.map_or(0, ServerId::number),
        disk_last: image.log().last().to_string(),
        unsynced: disk.unsynced() as u32,
        first_index: log.first_index().0 as f64,
        last: log.last().to_string(),
        snapshot: if base.index.0 == 0 { String::new() } else { base.to_string() },
        voters: names(members.map(|members| members.voters)),
        learners: names(members.map(|members| members.learners)),
        membership_index: raft.map_or(0.0, |raft| raft.configuration_index().0 as f64),
        round: leader.map_or(0.0, |leader| leader.round() as f64),
        ignores_campaigns: raft
            .and_then(Raft::ignores_campaigns_until)
            .map_or(0.0, |until| length_micros(until.since(now))),
        peers: leader.map_or_else(Vec::new, |leader| peers(world, machine.id(), leader, now)),
        sessions: machine.store().map_or_else(Vec::new, |store| {
            let session = |session: &raft_core::kv::Session| {
                let newest = session.answers().next_back();
                SessionView {
                    id: session.id().0 as f64,
                    client: session.client() as f64,
                    last_used: session.last_used() as f64,
                    serial: newest.map_or(0.0, |(serial, _)| serial as f64),
                    answer: newest.map_or_else(String::new, |(_, outcome)| shortened(&outcome.to_string())),
                }
            };
            store.sessions().map(session).collect()
        }),
    }
}

fn peers(world: &Simulation, own: ServerId, leader: &Leader, now: Time) -> Vec<PeerView> {
    let others = world.machines().iter().map(Machine::id).filter(|id| *id != own);
    let known = others.filter_map(|id| Some((id, leader.progress(id)?)));
    let view = |(id, progress): (ServerId, &raft_core::raft::Progress)| PeerView {
        id: id.number(),
        match_index: progress.matched.0 as f64,
        next_index: progress.next.0 as f64,
        state: progress.state_name(),
        in_flight: if let ProgressState::Replicate(window) = &progress.state { window.len() as u32 } else { 0 },
        // It counts from when it began to lead, as long as nothing has come.
        heard: if progress.acked_round == 0 { -1.0 } else { length_micros(now.since(progress.heard)) },
    };
    known.map(view).collect()
}

fn passage(passage: &Passage) -> MessageView {
    let mut view = MessageView::of(&passage.flight);
    match passage.fate {
        Fate::UnderWay => {}
        Fate::Arrived(at) => (view.arrives, view.held) = (micros(at), 0.0),
        Fate::Lost(loss) => view.lost = micros(loss.at),
    }
    view
}

fn state(state: &ServerState) -> ServerStateView {
    let ServerState { at, server, up, paused, term, role } = *state;
    let role = match (up, paused) {
        (false, _) => "crashed",
        (true, true) => "paused",
        (true, false) => role,
    };
    ServerStateView { time: micros(at), server: server.number(), term: term.0 as f64, role }
}

/// What a message says, in the paper's words.
fn body_facts(body: &Body) -> Vec<(&'static str, String)> {
    match body {
        Body::Raft(message) => message_facts(message),
        Body::Request(request) => {
            let call = match &request.call {
                Call::OpenSession => String::from("open a session"),
                Call::Write { session, serial, operation } => {
                    format!("{} (session {}, serial {serial})", shortened(&operation.to_string()), session.0)
                }
                Call::Read(query) => shortened(&query.to_string()),
                Call::Command(_) => String::from("a command"),
            };
            vec![("asks", call)]
        }
        Body::Answer(answer) => {
            let reply = match &answer.reply {
                Reply::SessionOpened(session) => format!("session {} is open", session.0),
                Reply::Done(outcome) => shortened(&outcome.to_string()),
                Reply::SessionExpired => String::from("the session has expired"),
                Reply::NotLeader(None) => String::from("this server doesn’t lead"),
                Reply::NotLeader(Some(leader)) => format!("this server doesn’t lead, {leader} does"),
                Reply::NotNow(reason) => reason.to_string(),
                Reply::Lost => String::from("leadership was lost: perhaps done, perhaps not"),
                Reply::Unreachable => String::from("nobody listens there"),
                Reply::Answered(_) => String::from("an answer"),
            };
            vec![("answers", reply)]
        }
    }
}

fn message_facts(message: &Message) -> Vec<(&'static str, String)> {
    let mut facts = Facts(Vec::new());
    message.facts(&mut facts);
    facts.0
}

struct Facts(Vec<(&'static str, String)>);

impl FactTaker for Facts {
    fn text(&mut self, label: &'static str, text: &dyn Display) {
        self.0.push((label, text.to_string()));
    }

    fn entries(&mut self, label: &'static str, entries: &Entries) {
        let mut words: Vec<String> = entries.as_slice().iter().take(ENTRIES_SHOWN).map(entry).collect();
        match entries.len().saturating_sub(ENTRIES_SHOWN) {
            0 => {}
            more => words.push(format!("and {more} more")),
        }
        self.text(label, &raft_core::text::joined(&words, " · "));
    }
}

fn entry(entry: &raft_core::raft::Entry) -> String {
    let words = match &entry.payload {
        Payload::NoOp => String::from("no-op"),
        Payload::Admission { server, .. } => format!("{server}’s disk"),
        Payload::Membership(configuration) => format!("members {}", configuration.voters),
        Payload::Command(bytes) => shortened(&kv::in_words(bytes).1),
    };
    format!("{words} @{}", entry.term)
}
