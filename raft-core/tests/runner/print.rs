//! Prints what happened: the core's own sentences, short forms of messages, answers.

use std::collections::BTreeMap;

use raft_core::raft::{
    AppendEntries, AppendOutcome, Claim, Entry, EntryId, LogIndex, Message, Observation, Payload, ProgressState,
    RequestId, Role, ServerId, SnapshotProgress, Weight, Write,
};

use crate::support::{Answer, Cluster, Event, last_text};

/// How much is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Everything,
    /// Changes of the leader or the membership, answers to reads, refusals, violations.
    Turning,
    Nothing,
}

/// Prints the consequences of one command.
pub struct Printer<'a> {
    pub cluster: &'a Cluster,
    pub names: &'a BTreeMap<RequestId, String>,
    pub detail: Detail,
    /// Messages are moved by hand: print even those without consequences.
    pub one_by_one: bool,
    /// Time passes: print the times.
    pub timed: bool,
}

/// Messages that are only counted.
#[derive(Default)]
struct Counted {
    heartbeats: usize,
    answers: usize,
    on_the_way: usize,
    lost: usize,
}

impl Printer<'_> {
    pub fn print(&self, events: &[Event]) -> Vec<String> {
        if self.detail == Detail::Nothing {
            return Vec::new();
        }
        let mut lines = Vec::new();
        let mut counted = Counted::default();
        let mut arriving = arrivals(events);
        let mut time = None;
        let mut indent = "";
        for (position, event) in events.iter().enumerate() {
            let line = match event {
                Event::Timer(_, now) => {
                    (time, indent) = (self.timed.then_some(*now), "");
                    continue;
                }
                Event::Arrived(from, to, message) => {
                    indent = "  ";
                    if self.leads_to_nothing(message, &events[position + 1..]) {
                        let count = match message {
                            Message::AppendEntries(_) => &mut counted.heartbeats,
                            _ => &mut counted.answers,
                        };
                        *count += 1;
                        continue;
                    }
                    self.message(from, "→", to, message)
                }
                Event::Sent(from, to, message) => {
                    if let Some(times) = arriving.iter_mut().find(|(it, times)| *it == *event && *times > 0) {
                        times.1 -= 1; // It is printed where it arrives.
                        continue;
                    }
                    if self.timed && is_routine(message) {
                        counted.on_the_way += 1;
                        continue;
                    }
                    self.message(from, "⇢", to, message).map(|line| format!("{indent}{line}"))
                }
                Event::Lost(from, to, message) | Event::Missed(from, to, message) => {
                    if is_routine(message) && !self.one_by_one {
                        counted.lost += 1;
                        continue;
                    }
                    let indent = if matches!(event, Event::Missed(..)) { "" } else { indent };
                    self.message(from, "↛", to, message).map(|line| format!("{indent}{line}"))
                }
                Event::Applied(server, ..) => {
                    let again = position > 0 && is_applied_by(&events[position - 1], *server);
                    let all = events[position..].iter().take_while(|event| is_applied_by(event, *server));
                    let entries = if again { Vec::new() } else { all.filter_map(applied_text).collect() };
                    let print = !entries.is_empty() && self.detail == Detail::Everything;
                    print.then(|| format!("{indent}{server} applies {}.", shortened(&entries)))
                }
                other => self.line(other).map(|line| format!("{indent}{line}")),
            };
            if let Some(line) = line {
                if let Some(now) = time.take() {
                    lines.push(format!("at {now}"));
                }
                lines.push(line);
            }
        }
        if self.detail == Detail::Everything {
            lines.extend(counted.line());
        }
        lines
    }

    fn line(&self, event: &Event) -> Option<String> {
        let everything = self.detail == Detail::Everything;
        match event {
            Event::Observed(_, Observation::RequestRefused { .. }) => None, // The answer says it, by name.
            Event::Observed(server, observation) => {
                let sentence = observation.sentence(*server);
                (everything || sentence.weight == Weight::Turning).then_some(sentence.text)
            }
            Event::Writing(server, write) => {
                let held = everything && self.cluster.disk(*server).is_stalled();
                held.then(|| format!("{server}’s disk is given {}.", write_text(write)))
            }
            Event::Applied(..) => None, // Those of one step are printed together.
            Event::Restored(server, last) => {
                everything.then(|| format!("{server}’s store is now the snapshot’s, up to {last}."))
            }
            Event::Answered(server, id, answer) => self.answer(*server, *id, answer),
            Event::SnapshotWanted(server) => everything.then(|| format!("{server}’s log has outgrown its bound.")),
            Event::Violated(what) => Some(format!("VIOLATED: {what}.")),
            Event::Timer(..) | Event::Sent(..) | Event::Lost(..) | Event::Arrived(..) | Event::Missed(..) => None,
        }
    }

    fn answer(&self, server: ServerId, id: RequestId, answer: &Answer) -> Option<String> {
        let name = self.names.get(&id).map_or("The request", String::as_str);
        match answer {
            // The leader's own sentence says it.
            Answer::Accepted(_) => None,
            Answer::Read(seen) => Some(format!("{name} sees {}.", commands(seen))),
            Answer::Transferred => Some(format!("{name} succeeded, says {server}.")),
            Answer::Refused(reason) => Some(format!("{name} is refused by {server}: {reason}.")),
        }
    }

    fn message(&self, from: &ServerId, arrow: &str, to: &ServerId, message: &Message) -> Option<String> {
        (self.detail == Detail::Everything).then(|| message_line(*from, arrow, *to, message))
    }

    /// Whether an arriving message is routine, and has no consequence worth a line.
    fn leads_to_nothing(&self, message: &Message, after: &[Event]) -> bool {
        let follows = after.iter().take_while(|event| !matches!(event, Event::Arrived(..) | Event::Timer(..)));
        let quiet = |event: &Event| match event {
            Event::Applied(..) => applied_text(event).is_none(),
            Event::Sent(_, _, answer) | Event::Lost(_, _, answer) => is_routine(answer),
            other => self.line(other).is_none(),
        };
        !self.one_by_one && is_routine(message) && follows.into_iter().all(quiet)
    }
}

fn is_applied_by(event: &Event, server: ServerId) -> bool {
    matches!(event, Event::Applied(by, ..) if *by == server)
}

/// `4@2 x=1`; nothing for an entry without a command.
fn applied_text(event: &Event) -> Option<String> {
    match event {
        Event::Applied(_, id, payload @ Payload::Command(_)) => {
            Some(entry_text(id.index, &Entry { term: id.term, payload: payload.clone() }))
        }
        _ => None,
    }
}

/// How often each message arrives, keyed by the event of its sending.
fn arrivals(events: &[Event]) -> Vec<(Event, usize)> {
    let mut arriving: Vec<(Event, usize)> = Vec::new();
    for event in events {
        let (Event::Arrived(from, to, message) | Event::Missed(from, to, message)) = event else { continue };
        let sent = Event::Sent(*from, *to, message.clone());
        match arriving.iter_mut().find(|(it, _)| *it == sent) {
            Some((_, times)) => *times += 1,
            None => arriving.push((sent, 1)),
        }
    }
    arriving
}

/// A heartbeat, or an acknowledgement.
fn is_routine(message: &Message) -> bool {
    match message {
        Message::AppendEntries(m) => m.entries.is_empty(),
        Message::AppendEntriesResponse(m) => matches!(m.outcome, AppendOutcome::Matched(_)),
        _ => false,
    }
}

impl Counted {
    fn line(&self) -> Option<String> {
        let parts = [
            (self.heartbeats, "heartbeat"),
            (self.answers, "acknowledgement"),
            (self.on_the_way, "of them still on its way"),
            (self.lost, "lost"),
        ];
        let plural = |count: usize, what: &str| match what {
            "heartbeat" | "acknowledgement" => format!("{count} {what}{}", if count == 1 { "" } else { "s" }),
            "lost" => format!("{count} of either lost"),
            _ => format!("{count} of either on the way"),
        };
        let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| plural(*n, what)).collect();
        (!parts.is_empty()).then(|| format!("+ {}", parts.join(", ")))
    }
}

// -------------------------------------------------------------------- short forms of messages

/// Whether a message is of this kind: its name in the paper, or `heartbeat`.
pub fn is_kind(message: &Message, kind: &str) -> bool {
    match message {
        Message::AppendEntries(m) if m.entries.is_empty() => kind == "heartbeat" || kind == "AppendEntries",
        _ => message.name() == kind,
    }
}

fn message_line(from: ServerId, arrow: &str, to: ServerId, message: &Message) -> String {
    let name = match message {
        Message::AppendEntries(m) if m.entries.is_empty() => "heartbeat",
        other => other.name(),
    };
    let yes_or_no = |granted: bool| if granted { "yes" } else { "no" }.to_owned();
    let text = match message.claim() {
        Some(Claim::PreVote(m)) => format!("log to {}", last_text(m.last)),
        Some(Claim::PreVoteResponse(m)) => yes_or_no(m.granted),
        Some(Claim::RequestVote(m)) => {
            let wish = if m.leadership_transfer { ", at the leader’s wish" } else { "" };
            format!("log to {}{wish}", last_text(m.last))
        }
        Some(Claim::RequestVoteResponse(m)) => yes_or_no(m.granted),
        Some(Claim::AppendEntries(m)) => append_text(m),
        Some(Claim::AppendEntriesResponse(m)) => match m.outcome {
            AppendOutcome::Matched(index) => format!("matches to {index}, round {}", m.round),
            AppendOutcome::Conflict { previous, hint } => {
                let hint = if hint == EntryId::ZERO { "the beginning".to_owned() } else { hint.to_string() };
                format!("not at {previous}, try {hint}")
            }
            AppendOutcome::Joining { matched, .. } => format!("matches to {matched} on a new disk, round {}", m.round),
            AppendOutcome::Damaged { last, .. } => format!("damaged, has {last}"),
            AppendOutcome::StaleTerm => "stale".to_owned(),
        },
        Some(Claim::InstallSnapshot(m)) => {
            let end = m.offset + m.piece.bytes().len() as u64;
            format!("up to {}, bytes {} to {end} of {}", m.meta.last, m.offset, m.size)
        }
        Some(Claim::InstallSnapshotResponse(m)) => match m.progress {
            SnapshotProgress::Received(bytes) => format!("has {bytes} bytes of the one up to {}", m.last),
            SnapshotProgress::Installed(index) => format!("matches to {index}"),
            SnapshotProgress::StaleTerm => "stale".to_owned(),
        },
        Some(Claim::TimeoutNow(_) | Claim::ReadIndex(_)) | None => String::new(),
        Some(Claim::ReadIndexResponse(m)) => match m.index {
            Some(index) => format!("read at {index}"),
            None => "ask somebody else".to_owned(),
        },
    };
    format!("{from}@{} {arrow} {to}  {name} {text}", message.term()).trim_end().to_owned()
}

fn append_text(m: &AppendEntries) -> String {
    let after = last_text(m.previous);
    if m.entries.is_empty() {
        return format!("after {after}; commit {}, round {}", m.commit, m.round);
    }
    format!("after {after}: {}; commit {}", entries_text(m.previous.index, m.entries.as_slice()), m.commit)
}

/// `4@2 x=1, 5@2 x=2`; only the first and the last of many.
fn entries_text(previous: LogIndex, entries: &[Entry]) -> String {
    let all: Vec<String> =
        entries.iter().enumerate().map(|(place, entry)| entry_text(previous.plus(place as u64 + 1), entry)).collect();
    shortened(&all)
}

/// The entries; only the first and the last of many.
fn shortened(all: &[String]) -> String {
    match all {
        [first, .., last] if all.len() > 6 => format!("{first}, ... {last} ({} entries)", all.len()),
        _ => all.join(", "),
    }
}

fn entry_text(index: LogIndex, entry: &Entry) -> String {
    let what = match &entry.payload {
        Payload::NoOp => "(no-op)".to_owned(),
        Payload::Admission { server, .. } => format!("({server}’s disk)"),
        Payload::Command(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Payload::Membership(configuration) => {
            let joint = if configuration.is_joint() {
                format!("{} and ", numbers(configuration.outgoing.iter()))
            } else {
                String::new()
            };
            let learners = configuration.learners;
            let learners = if learners.is_empty() { String::new() } else { format!(" +{}", numbers(learners.iter())) };
            format!("({joint}{}{learners})", numbers(configuration.voters.iter()))
        }
    };
    let id = format!("{index}@{}", entry.term);
    if what == id { id } else { format!("{id} {what}") }
}

fn numbers(servers: impl Iterator<Item = ServerId>) -> String {
    servers.map(|server| server.to_string()).collect::<Vec<_>>().join(" ")
}

fn write_text(write: &Write) -> String {
    let mut parts = Vec::new();
    if let Some(hard_state) = write.hard_state {
        let vote = hard_state.voted_for.map_or("no vote".to_owned(), |to| format!("a vote for {to}"));
        parts.push(format!("term {} with {vote}", hard_state.term));
    }
    if let Some(snapshot) = &write.snapshot {
        parts.push(format!("a snapshot up to {}", snapshot.meta.last));
    }
    match &write.log {
        Some(log) if log.entries.is_empty() => parts.push(format!("nothing after {}", log.after)),
        Some(log) => parts.push(entries_text(log.after, log.entries.as_slice())),
        None => {}
    }
    parts.join(", ")
}

// -------------------------------------------------------------------- commands that print

/// A server's log, one word for each entry.
pub fn log(cluster: &Cluster, server: ServerId) -> String {
    let (log, whose) = if cluster.is_up(server) {
        (cluster.raft(server).log(), format!("{server}@{}", cluster.term(server)))
    } else {
        (cluster.disk(server).image().log(), format!("{server} (down)"))
    };
    let base = log.base();
    let beginning = if base.index == LogIndex::ZERO { String::new() } else { format!("[up to {base}] ") };
    let entries: Vec<String> = (1_u64..)
        .zip(log.iter_from(LogIndex::ZERO))
        .map(|(place, entry)| entry_text(base.index.plus(place), entry))
        .collect();
    let entries = if entries.is_empty() && beginning.is_empty() { "nothing".to_owned() } else { entries.join(", ") };
    format!("{whose}: {beginning}{entries}").trim_end().to_owned()
}

/// What a server's state machine has applied.
pub fn store(cluster: &Cluster, server: ServerId) -> String {
    format!("{server}: {}", commands(cluster.applied(server)))
}

fn commands(applied: &[String]) -> String {
    match applied {
        [] => "nothing".to_owned(),
        [first, .., last] if applied.len() > 6 => format!("{first} ... {last} ({} commands)", applied.len()),
        _ => applied.join(" "),
    }
}

/// What a leader knows of its members.
pub fn progress(cluster: &Cluster, leader: ServerId) -> Vec<String> {
    let Role::Leader(role) = cluster.raft(leader).role() else {
        return vec![format!("{leader} doesn’t lead.")];
    };
    let members = cluster.raft(leader).configuration().members();
    let line = |member: ServerId| {
        let progress = role.progress(member)?;
        let more = match &progress.state {
            ProgressState::Probe { waiting: true, .. } => ", a probe on its way".to_owned(),
            ProgressState::Probe { waiting: false, .. } => String::new(),
            ProgressState::Replicate(window) => format!(", {} on the way", window.len()),
            ProgressState::Snapshot(transfer) => {
                format!(", {} of {} bytes", transfer.offset, transfer.snapshot.data().len())
            }
        };
        let (matched, next) = (progress.matched, progress.next);
        Some(format!("{member}: {}, match {matched}, next {next}{more}", progress.state_name()))
    };
    members.iter().filter_map(line).collect()
}

/// Every message on its way.
pub fn in_flight(cluster: &Cluster) -> Vec<String> {
    let links = cluster.busy_links();
    let messages = links.into_iter().flat_map(|((from, to), _)| {
        cluster.on_the_way(from, to).into_iter().map(move |message| message_line(from, "⇢", to, &message))
    });
    messages.collect()
}
