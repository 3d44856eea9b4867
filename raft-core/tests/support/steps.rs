//! One step of a server, what follows from it, and what must hold after it.

use std::collections::VecDeque;

use raft_core::raft::{Entry, EntryId, Input, LogIndex, Output, Payload, RequestId, ServerId};

use super::{Answer, Cluster, Event, SNAPSHOT, parse_snapshot, write_snapshot};

impl Cluster {
    /// Gives `server` an input, and does everything that follows from it but the arrival of
    /// messages.
    #[track_caller]
    pub fn step(&mut self, server: ServerId, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut out = Output::listening();
        while let Some(input) = inputs.pop_front() {
            let now = self.clock(server);
            let raft = self.server_mut(server).raft.as_mut().unwrap_or_else(|| panic!("{server} is down"));
            raft.step(now, input, &mut out);
            self.act(server, &mut out);
            let place = self.server_mut(server);
            if !place.disk.is_stalled() {
                while let Some(receipt) = place.disk.sync_one() {
                    inputs.push_back(Input::Durable(receipt));
                }
            }
            if out.snapshot_wanted {
                self.events.push(Event::SnapshotWanted(server));
                if !self.snapshots_by_hand {
                    let place = self.server(server);
                    let (index, data) = (place.applied_index, write_snapshot(&place.applied));
                    inputs.push_back(Input::SnapshotTaken { index, data });
                }
            }
        }
        self.check(server);
    }

    /// Acts on one output, in the order its fields are declared.
    fn act(&mut self, server: ServerId, out: &mut Output) {
        self.events.extend(out.observations.drain(..).map(|observation| Event::Observed(server, observation)));
        let now = self.now;
        for write in out.writes.drain(..) {
            self.events.push(Event::Writing(server, write.clone()));
            self.server_mut(server).disk.submit(now, write);
        }
        for envelope in out.messages.drain(..) {
            let sent = self.put(server, envelope.to, envelope.message.clone());
            let event = if sent { Event::Sent } else { Event::Lost };
            self.events.push(event(server, envelope.to, envelope.message));
        }
        if let Some(snapshot) = out.restore.take() {
            self.restore(server, snapshot.meta.last, parse_snapshot(snapshot.data()));
        }
        for (index, entry) in out.committed_entries() {
            self.apply(server, index, entry.clone());
        }
        for id in out.reads.drain(..) {
            let seen = self.server(server).applied.clone();
            self.answered(server, id, Answer::Read(seen));
        }
        for (id, entry) in out.accepted.drain(..) {
            self.answered(server, id, Answer::Accepted(entry));
        }
        for id in out.transferred.drain(..) {
            self.answered(server, id, Answer::Transferred);
        }
        for refused in out.refused.drain(..) {
            self.answered(server, refused.id, Answer::Refused(refused.reason));
        }
        if let Some(reason) = out.snapshot_refused.take() {
            self.answered(server, SNAPSHOT, Answer::Refused(reason));
        }
    }

    fn answered(&mut self, server: ServerId, id: RequestId, answer: Answer) {
        self.events.push(Event::Answered(server, id, answer.clone()));
        self.answers.insert(id, answer);
    }

    fn apply(&mut self, server: ServerId, index: LogIndex, entry: Entry) {
        let place = self.server(server);
        if index != place.applied_index.next() {
            let after = place.applied_index;
            self.violated(format!("State machine safety: {server} applied {index} after {after}"));
        }
        if let Some(elsewhere) = self.history.get(&index)
            && *elsewhere != entry
        {
            let (one, other) = (EntryId::new(index, elsewhere.term), EntryId::new(index, entry.term));
            self.violated(format!("State machine safety: {server} applied {other} where {one} was applied before"));
        }
        self.events.push(Event::Applied(server, EntryId::new(index, entry.term), entry.payload.clone()));
        let place = self.server_mut(server);
        place.applied_index = index;
        if let Payload::Command(bytes) = &entry.payload {
            place.applied.push(String::from_utf8_lossy(bytes).into_owned());
        }
        self.history.entry(index).or_insert(entry);
    }

    fn restore(&mut self, server: ServerId, last: EntryId, commands: Vec<String>) {
        let before = self.history.range(..=last.index).filter_map(|(_, entry)| match &entry.payload {
            Payload::Command(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
        if !before.eq(commands.iter().cloned()) {
            self.violated(format!(
                "State machine safety: {server} restored a snapshot up to {last} that is not the history"
            ));
        }
        let place = self.server_mut(server);
        if last.index < place.applied_index {
            let ahead = place.applied_index;
            self.violated(format!("State machine safety: {server} went back from {ahead} to a snapshot up to {last}"));
        }
        self.events.push(Event::Restored(server, last));
        let place = self.server_mut(server);
        (place.applied, place.applied_index) = (commands, last.index);
    }

    fn check(&mut self, server: ServerId) {
        let raft = self.raft(server);
        if raft.is_leader() {
            let term = raft.term();
            let winner = *self.leaders.entry(term).or_insert(server);
            if winner != server {
                self.violated(format!("Election safety: {winner} and {server} lead term {term}"));
            }
        }
    }

    /// What must always hold doesn't.
    pub fn violated(&mut self, what: String) {
        assert!(self.tolerant, "{what}\n{}", self.status());
        if !self.violations.contains(&what) {
            self.events.push(Event::Violated(what.clone()));
            self.violations.push(what);
        }
    }
}
