//! What is read rather than watched: a server's whole state, what a message says, who sent what to
//! whom in a stretch of time.

use raft_core::kv::Command;
use raft_core::raft::{
    AppendOutcome, Leader, Message, Payload, ProgressState, Raft, Role, ServerId, ServerSet, SnapshotProgress,
};
use raft_core::sim::timeline::{Fate, Passage, Standing};
use raft_core::sim::{Body, Call, Machine, Reply, Simulation};
use raft_core::time::Time;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::messages::{MessageView, Messages};
use crate::story::{self, StoryLine};
use crate::view::{micros, shortened};
use crate::{Run, moment, to_js};

/// Entries of a message that are spelled out; the rest is counted.
const ENTRIES_SHOWN: usize = 4;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InspectorView {
    id: u8,
    up: bool,
    starts: u32,
    clock: f64,
    /// On the disk: term, vote, snapshot, last entry.
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
    standings: Vec<StandingView>,
    news: Vec<StoryLine>,
}

#[derive(Serialize)]
struct StandingView {
    time: f64,
    server: u8,
    term: f64,
    /// `crashed` and `paused` besides the roles.
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

/// Reading.
#[wasm_bindgen]
impl Run {
    /// All that a server knows, and what is on its disk.
    ///
    /// # Errors
    /// A sentence, if there is no such server.
    #[wasm_bindgen(unchecked_return_type = "InspectorView")]
    pub fn inspect(&self, server: u32) -> Result<JsValue, JsValue> {
        let id = self.server(server)?;
        let missing = || crate::Refusal(format!("there is no {id} in this cluster"));
        to_js(&inspector(self.world(), self.world().machine(id).ok_or_else(missing)?))
    }

    /// What a message on its way says: names and values, as many as it has. Nothing, if it has
    /// arrived.
    #[wasm_bindgen(js_name = messageFacts, unchecked_return_type = "[string, string][]")]
    pub fn message_facts(&self, message: f64) -> Result<JsValue, JsValue> {
        let flight = self.world().network().flights().find(|flight| flight.number == message as u64);
        to_js(&flight.map_or_else(Vec::new, |flight| body_facts(&flight.body)))
    }

    /// Who sent what to whom from one time to another on this branch, as far as it is known, how
    /// the servers stood, and what was told.
    #[wasm_bindgen(unchecked_return_type = "Packed<TrafficView>")]
    pub fn traffic(&mut self, from: f64, to: f64) -> Result<JsValue, JsValue> {
        let traffic = self.timeline.traffic(moment(from), moment(to));
        to_js(&TrafficView {
            from: micros(traffic.from),
            to: micros(traffic.to),
            messages: Messages::of(traffic.passages.iter().map(passage)),
            standings: traffic.standings.iter().map(standing).collect(),
            news: traffic.news.iter().map(story::line).collect(),
        })
    }

    /// Goes to right after the event that brought the sentence of that number.
    #[wasm_bindgen(js_name = seekNews)]
    pub fn seek_news(&mut self, number: f64) -> f64 {
        self.travel(|timeline| timeline.seek_news(number.max(0.0) as u64))
    }

    /// How the network is at present, and the timing of the servers.
    #[wasm_bindgen(unchecked_return_type = "DialsView")]
    pub fn dials(&self) -> Result<JsValue, JsValue> {
        let network = self.world().network().parameters();
        let parameters = &self.world().scenario().parameters;
        let (disk, timing) = (&parameters.disk, &parameters.timing);
        let length = |length: raft_core::time::Duration| length.as_micros() as f64;
        to_js(&DialsView {
            latency_min: length(network.latency_min),
            latency_max: length(network.latency_max),
            loss: f64::from(network.loss),
            duplication: f64::from(network.duplication),
            fsync_min: length(disk.fsync_min),
            fsync_max: length(disk.fsync_max),
            election_timeout_min: length(timing.election_timeout_min),
            election_timeout_max: length(timing.election_timeout_max),
            heartbeat_interval: length(timing.heartbeat_interval),
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
        heard: now.since(progress.heard).as_micros() as f64,
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

fn standing(standing: &Standing) -> StandingView {
    let Standing { at, server, up, paused, term, role } = *standing;
    let role = match (up, paused) {
        (false, _) => "crashed",
        (true, true) => "paused",
        (true, false) => role,
    };
    StandingView { time: micros(at), server: server.number(), term: term.0 as f64, role }
}

/// What a message says, in the words of the paper.
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
    let mut facts = vec![("term", message.term().to_string())];
    match message {
        Message::PreVote(m) => facts.push(("last entry", m.last.to_string())),
        Message::RequestVote(m) => facts.push(("last entry", m.last.to_string())),
        Message::PreVoteResponse(m) => facts.push(("granted", yes(m.granted))),
        Message::RequestVoteResponse(m) => facts.push(("granted", yes(m.granted))),
        Message::AppendEntries(m) => {
            facts.push(("previous entry", m.previous.to_string()));
            let mut entries: Vec<String> = m.entries.as_slice().iter().take(ENTRIES_SHOWN).map(entry).collect();
            match m.entries.len().saturating_sub(ENTRIES_SHOWN) {
                0 => {}
                more => entries.push(format!("and {more} more")),
            }
            if !entries.is_empty() {
                facts.push(("entries", raft_core::text::joined(&entries, " · ")));
            }
            facts.push(("leader’s commit index", m.commit.0.to_string()));
            facts.push(("round", m.round.to_string()));
        }
        Message::AppendEntriesResponse(m) => facts.push(match &m.outcome {
            AppendOutcome::Matched(index) => ("matches up to", index.to_string()),
            AppendOutcome::Conflict { previous, hint } => {
                ("refused", format!("lacks the entry at {previous}; the logs may agree up to {hint}"))
            }
            AppendOutcome::Joining { matched, .. } => ("matches on a new disk, up to", matched.to_string()),
            AppendOutcome::Damaged { last, .. } => ("refused", format!("its disk lost what comes after {last}")),
            AppendOutcome::StaleTerm => ("refused", String::from("the term is over")),
        }),
        Message::InstallSnapshot(m) => {
            facts.push(("stands for", format!("everything up to {}", m.meta.last)));
            facts.push(("piece", format!("from byte {} of {}", m.offset, m.size)));
        }
        Message::InstallSnapshotResponse(m) => facts.push(match m.progress {
            SnapshotProgress::Received(bytes) => ("has received", format!("{bytes} bytes")),
            SnapshotProgress::Installed(index) => ("has installed", format!("everything up to {index}")),
            SnapshotProgress::StaleTerm => ("refused", String::from("the term is over")),
        }),
        Message::TimeoutNow(_) => {}
        Message::ReadIndex(m) => facts.push(("request", m.request.to_string())),
        Message::ReadIndexResponse(m) => {
            facts.push(("index", m.index.map_or_else(|| String::from("none"), |index| index.0.to_string())));
        }
    }
    facts
}

fn entry(entry: &raft_core::raft::Entry) -> String {
    let words = match &entry.payload {
        Payload::NoOp => String::from("no-op"),
        Payload::Admission { server, .. } => format!("{server}’s disk"),
        Payload::Membership(configuration) => format!("members {}", configuration.voters),
        Payload::Command(bytes) => match Command::decode(bytes) {
            Ok(Command::OpenSession { client }) => format!("session for client {client}"),
            Ok(Command::Apply { operation, .. }) => shortened(&operation.to_string()),
            Err(_) => format!("{} bytes", bytes.len()),
        },
    };
    format!("{words} @{}", entry.term)
}

fn yes(granted: bool) -> String {
    String::from(if granted { "yes" } else { "no" })
}
