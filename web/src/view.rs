//! What the page draws of a world: plain data, in the shape that `view.d.ts` says.

use raft_core::check::Violation;
use raft_core::kv;
use raft_core::raft::{
    Campaign, Configuration, Entry, Log, LogIndex, Payload, Raft, Role, ServerId, ServerSet, majority_of,
};
use raft_core::sim::{Endpoint, Impairment, Machine, OperationRecord, Simulation};
use raft_core::time::{Duration, Time};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::js::{length_micros, micros};
use crate::json::to_js;
use crate::messages::{MessageView, Messages};
use crate::run::Run;

/// The most characters of a text that are shown; the rest is cut off, with an ellipsis.
const TEXT_MAX: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frame {
    now: f64,
    events: f64,
    epoch: f64,
    branch: u32,
    branches: u32,
    end: f64,
    logs_revision: f64,
    operations_revision: f64,
    story_revision: f64,
    servers: Vec<ServerView>,
    messages: Messages,
    cuts: Vec<[u8; 2]>,
    impaired: Vec<[f64; 4]>,
    quorum: QuorumView,
    violation: Option<ViolationView>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServerView {
    id: u8,
    role: &'static str,
    term: f64,
    voted_for: u8,
    leader: u8,
    timer: f64,
    votes: Vec<&'static str>,
    last_index: f64,
    commit_index: f64,
    last_applied: f64,
    snapshot_index: f64,
    writing: bool,
    paused: bool,
    member: bool,
    clock_rate: u32,
    clock_ahead: f64,
    disk: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuorumView {
    words: String,
    can_commit: bool,
    majorities: Vec<[u8; 3]>,
}

#[derive(Serialize)]
pub struct ViolationView {
    property: &'static str,
    first: String,
    second: String,
    about: [f64; 4],
    time: f64,
}

impl ViolationView {
    pub fn of(property: &'static str, first: String, second: String, at: Time) -> ViolationView {
        // What it is about is for who found it to say.
        ViolationView { property, first, second, about: [0.0; 4], time: micros(at) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogView {
    server: u8,
    snapshot_index: f64,
    snapshot_term: f64,
    first: f64,
    entries: Vec<EntryView>,
    last_index: f64,
    commit_index: f64,
    last_applied: f64,
    durable_index: f64,
    match_index: f64,
    next_index: f64,
}

#[derive(Serialize)]
pub struct EntryView {
    term: f64,
    kind: &'static str,
    text: String,
}

#[derive(Serialize)]
pub struct StoreView {
    server: u8,
    pairs: Vec<(String, String)>,
}

#[derive(Serialize)]
pub struct OperationView {
    id: u32,
    client: u8,
    text: String,
    state: &'static str,
    answer: String,
    began: f64,
    ended: f64,
    point: f64,
    applied: f64,
}

#[wasm_bindgen]
impl Run {
    /// The cluster and its messages as they are now.
    ///
    /// # Errors
    /// None in practice: only if the view couldn't be made into JavaScript values.
    #[wasm_bindgen(unchecked_return_type = "Packed<Frame>")]
    pub fn frame(&self) -> Result<JsValue, JsValue> {
        to_js(&frame(self.world(), self.state()))
    }

    /// The part of every server's log from index `first` on, at most `count` entries each.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "LogView[]")]
    pub fn logs(&self, first: f64, count: u32) -> Result<JsValue, JsValue> {
        to_js(&logs(self.world(), first.max(1.0) as u64, count as usize))
    }

    /// What every server's store holds.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "StoreView[]")]
    pub fn stores(&self) -> Result<JsValue, JsValue> {
        to_js(&stores(self.world()))
    }

    /// The newest `limit` operations of all clients, oldest first.
    ///
    /// # Errors
    /// As for `frame`.
    #[wasm_bindgen(unchecked_return_type = "OperationView[]")]
    pub fn operations(&self, limit: u32) -> Result<JsValue, JsValue> {
        to_js(&operations(self.world(), limit as usize))
    }
}

impl Run {
    pub(crate) fn state(&self) -> RunState {
        let playing = self.timeline.playing();
        RunState {
            epoch: self.epoch,
            told: self.timeline.told(),
            branch: playing.id().0,
            branches: self.timeline.branches().len() as u32,
            end: playing.end().time,
        }
    }
}

fn index(index: LogIndex) -> f64 {
    index.0 as f64
}

/// What a frame says of the run, besides its world.
pub struct RunState {
    pub epoch: u64,
    pub told: u64,
    pub branch: u32,
    pub branches: u32,
    pub end: Time,
}

/// A number that changes with every change of the world and with every epoch: after going back, the
/// world's own count is what it was before.
fn revision(epoch: u64, revision: u64) -> f64 {
    (epoch << 28) as f64 + revision as f64
}

/// What a violation is about, as `aboutOf` in `www/run/about.js` reads it.
fn about(violation: &Violation) -> [f64; 4] {
    let servers = violation.servers.iter().fold(0_u32, |bits, server| bits | 1 << server.number());
    let [first, second] = violation.entries;
    [f64::from(servers), index(first), index(second), 0.0]
}

pub fn frame(world: &Simulation, state: RunState) -> Frame {
    let RunState { epoch, told, branch, branches, end } = state;
    Frame {
        now: micros(world.now()),
        events: world.events() as f64,
        epoch: epoch as f64,
        branch,
        branches,
        end: micros(end),
        logs_revision: revision(epoch, world.revision()),
        operations_revision: revision(epoch, world.operations_revision()),
        story_revision: revision(epoch, told),
        servers: world.machines().iter().map(|machine| server(world, machine)).collect(),
        messages: Messages::of(world.network().flights().map(MessageView::of)),
        cuts: cuts(world),
        impaired: impaired(world),
        quorum: quorum(world),
        violation: world.violation().map(|violation| ViolationView {
            property: violation.property.name(),
            first: violation.first.clone(),
            second: violation.second.clone(),
            about: about(violation),
            time: micros(violation.at),
        }),
    }
}

fn quorum(world: &Simulation) -> QuorumView {
    let reach = world.reach();
    let majority = |voters: ServerSet| {
        let (voting, answering) = (voters.len(), voters.intersection(reach.reached).len());
        [answering as u8, majority_of(voting) as u8, voting as u8]
    };
    let Configuration { voters, outgoing, .. } = reach.configuration;
    let sets = [voters, outgoing].into_iter().filter(|voters| *voters != ServerSet::EMPTY);
    QuorumView { words: reach.to_string(), can_commit: reach.can_commit(), majorities: sets.map(majority).collect() }
}

fn server(world: &Simulation, machine: &Machine) -> ServerView {
    let id = machine.id();
    let configuration = world.configuration();
    let member = configuration.members().contains(id);
    let clock_rate = machine.clock().rate();
    let clock_ahead = micros(machine.clock_reading(world.now())) - micros(world.now());
    let disk = match machine.disk() {
        disk if disk.is_stalled() => "stalled",
        disk if disk.is_full() => "full",
        disk if !disk.image().hard_state().is_whole() => "damaged",
        disk if *disk.parameters() == world.scenario().parameters.disk => "normal",
        _ => "slow",
    };
    let Some(raft) = machine.raft() else {
        // All that is left of a crashed server is on its disk.
        let image = machine.disk().image();
        let hard_state = image.hard_state();
        return ServerView {
            id: id.number(),
            role: "crashed",
            term: hard_state.term.0 as f64,
            voted_for: number(hard_state.voted_for),
            leader: 0,
            timer: 0.0,
            votes: Vec::new(),
            last_index: index(image.log().last().index),
            commit_index: 0.0,
            last_applied: 0.0,
            snapshot_index: index(image.log().base().index),
            writing: false,
            paused: false,
            member,
            clock_rate,
            clock_ahead,
            disk,
        };
    };
    let learner = !raft.configuration().is_voter(id);
    ServerView {
        id: id.number(),
        role: if learner && matches!(raft.role(), Role::Follower) { "learner" } else { raft.role().name() },
        term: raft.term().0 as f64,
        voted_for: number(raft.hard_state().voted_for),
        leader: number(raft.leader()),
        timer: timer(raft, machine.clock_reading(world.now())),
        votes: raft.role().campaign().map_or_else(Vec::new, |campaign| ballots(world, campaign)),
        last_index: index(raft.log().last().index),
        commit_index: index(raft.commit_index()),
        last_applied: index(raft.applied_index()),
        snapshot_index: index(raft.log().base().index),
        writing: raft.is_writing(),
        paused: machine.is_paused(),
        member,
        clock_rate,
        clock_ahead,
        disk,
    }
}

fn number(server: Option<ServerId>) -> u8 {
    server.map_or(0, ServerId::number)
}

/// The part of the election timeout, or of a leader's heartbeat interval, that is left.
fn timer(raft: &Raft, now: Time) -> f64 {
    let (deadline, whole) = match (raft.role(), raft.election_timer()) {
        (Role::Leader(leader), _) => (leader.heartbeat_due(), raft.config().heartbeat_interval),
        (_, Some(timer)) => timer,
        (_, None) => (now, Duration::ZERO),
    };
    let left = length_micros(deadline.since(now));
    if whole == Duration::ZERO { 0.0 } else { (left / length_micros(whole)).min(1.0) }
}

fn ballots(world: &Simulation, campaign: &Campaign) -> Vec<&'static str> {
    let ballot = |machine: &Machine| match machine.id() {
        id if campaign.granted.contains(id) => "granted",
        id if campaign.refused.contains(id) => "refused",
        _ => "waiting",
    };
    world.machines().iter().map(ballot).collect()
}

fn cuts(world: &Simulation) -> Vec<[u8; 2]> {
    let everyone = ServerSet::first(world.machines().len() as u8);
    let links = everyone.iter().flat_map(|from| everyone.iter().map(move |to| (from, to)));
    links
        .filter(|(from, to)| world.network().is_cut(Endpoint::Server(*from), Endpoint::Server(*to)))
        .map(|(from, to)| [from.number(), to.number()])
        .collect()
}

/// Directions of links that are worse than others: from, to, microseconds longer, parts per million
/// lost.
fn impaired(world: &Simulation) -> Vec<[f64; 4]> {
    let impaired = world.network().impaired();
    let view = |(from, to, impairment): (ServerId, ServerId, Impairment)| {
        let delay = length_micros(impairment.delay);
        [f64::from(from.number()), f64::from(to.number()), delay, f64::from(impairment.loss)]
    };
    impaired.map(view).collect()
}

pub fn logs(world: &Simulation, first: u64, count: usize) -> Vec<LogView> {
    let leader = world.leader().and_then(|leader| world.machine(leader)?.raft());
    world.machines().iter().map(|machine| log(machine, leader, LogIndex(first), count)).collect()
}

fn log(machine: &Machine, leader: Option<&Raft>, first: LogIndex, count: usize) -> LogView {
    let (log, commit, applied, durable): (&Log, _, _, _) = match machine.raft() {
        Some(raft) => (raft.log(), raft.commit_index(), raft.applied_index(), raft.durable_index()),
        None => {
            let log = machine.disk().image().log();
            (log, LogIndex::ZERO, LogIndex::ZERO, log.last().index)
        }
    };
    let marks = leader.and_then(|leader| match leader.role() {
        // A leader matches itself as far as its own disk does.
        Role::Leader(_) if leader.id() == machine.id() => {
            Some((leader.durable_index(), leader.log().last().index.next()))
        }
        Role::Leader(role) => role.progress(machine.id()).map(|progress| (progress.matched, progress.next)),
        _ => None,
    });
    let (match_index, next_index) = marks.unwrap_or_default();
    let first = first.max(log.first_index());
    LogView {
        server: machine.id().number(),
        snapshot_index: index(log.base().index),
        snapshot_term: log.base().term.0 as f64,
        first: index(first),
        entries: log.iter_from(first).take(count).map(entry).collect(),
        last_index: index(log.last().index),
        commit_index: index(commit),
        last_applied: index(applied),
        durable_index: index(durable),
        match_index: index(match_index),
        next_index: index(next_index),
    }
}

fn entry(entry: &Entry) -> EntryView {
    let (kind, text) = match &entry.payload {
        Payload::NoOp => ("no-op", String::from("no-op")),
        Payload::Admission { server, .. } => ("membership", format!("{server}’s disk")),
        Payload::Membership(configuration) => ("membership", configuration.voters.to_string()),
        Payload::Command(bytes) => match kv::in_words(bytes) {
            (kv::Asks::Session, words) => ("session", words),
            (_, words) => ("command", shortened(&words)),
        },
    };
    EntryView { term: entry.term.0 as f64, kind, text }
}

fn stores(world: &Simulation) -> Vec<StoreView> {
    let running = world.machines().iter().filter_map(|machine| Some((machine.id(), machine.store()?)));
    running
        .map(|(id, store)| {
            let pairs = store.iter().map(|(key, value)| (key.as_str().to_owned(), shortened(&value.to_string())));
            StoreView { server: id.number(), pairs: pairs.collect() }
        })
        .collect()
}

fn operations(world: &Simulation, limit: usize) -> Vec<OperationView> {
    let mut newest: Vec<OperationView> = world.operations().rev().take(limit).map(operation).collect();
    newest.reverse();
    newest
}

fn operation(record: &OperationRecord) -> OperationView {
    use raft_core::sim::End;
    let (state, ended) = match &record.end {
        None => ("pending", 0.0),
        Some((at, End::Answered(_))) => ("ok", micros(*at)),
        Some((at, End::Failed(_))) => ("failed", micros(*at)),
        Some((at, End::Unknown(_))) => ("unknown", micros(*at)),
    };
    OperationView {
        id: record.number,
        client: record.client.0,
        text: shortened(&record.request.to_string()),
        state,
        answer: shortened(&record.answer()),
        began: micros(record.began),
        ended,
        point: record.point.map_or(0.0, |point| point as f64),
        applied: record.applied.map_or(0.0, micros),
    }
}

pub fn shortened(text: &str) -> String {
    let mut rest = text.chars();
    let short: String = rest.by_ref().take(TEXT_MAX).collect();
    if rest.as_str().is_empty() { short } else { short + "…" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = "é".repeat(TEXT_MAX + 1);
        assert_eq!(shortened(&long), format!("{}…", "é".repeat(TEXT_MAX)));
        assert_eq!(shortened(&long[..2 * TEXT_MAX]), long[..2 * TEXT_MAX]);
    }
}
