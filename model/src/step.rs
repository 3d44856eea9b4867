//! A step of one machine: its server takes inputs, and its output is judged and carried out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use raft_core::kv::Settings;
use raft_core::raft::{EntryId, Input, LogIndex, Message, Output, Raft, Rule, ServerId};

use crate::judge::{Before, Judge};
use crate::model::Model;
use crate::node::{Flight, Node};
use crate::panics;
use crate::state::{State, Trouble};
use crate::world::World;

/// A step of one machine.
pub struct Step<'a> {
    pub(crate) model: &'a Model,
    pub(crate) id: ServerId,
    /// The machine; the others don't change.
    pub(crate) node: Node,
    /// The messages that it has sent.
    pub(crate) sent: Vec<Arc<Flight>>,
    /// What went wrong, if anything.
    pub(crate) trouble: Option<Trouble>,
    /// The world before the step.
    pub(crate) state: &'a mut State,
}

thread_local! {
    static OUTPUT: RefCell<Output> = RefCell::default();
}

impl Step<'_> {
    /// A message arrives.
    pub fn take_message(&mut self, flight: &Flight) {
        self.take(Input::Message { from: flight.from, message: flight.message.clone() });
    }

    /// Gives the server an input, and then all inputs that follow at once.
    pub fn take(&mut self, input: Input) {
        let compares = match &input {
            Input::Message { from, message } => what_it_compares(message).filter(|_| {
                // Only messages that the leader itself has sent count.
                self.state.history.leader_of(message.term()) == Some(*from)
            }),
            _ => None,
        };
        let mut out = OUTPUT.take();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front()
            && self.trouble.is_none()
        {
            let Some(mut raft) = self.node.raft.take() else { break };
            let (before, clock) = (Before::of(&raft, self.model.began(&self.node.disk)), self.node.clock);
            // After a panic, the changed data is dropped.
            let stepped = panics::catch(|| {
                raft.step(clock, input, &mut out);
                raft
            });
            match stepped {
                Err(panic) => self.trouble = Some(Trouble::Panic(panic)),
                Ok(raft) => {
                    if let Some(last) = compares.filter(|last| raft.log().contains(*last)) {
                        let (term, before) = self.node.compared;
                        let before = if term == raft.term() { before } else { LogIndex::ZERO };
                        self.node.compared = (raft.term(), before.max(last.index));
                    }
                    self.model.marks.stepped(&before, &raft, &out);
                    self.judge(&before, &raft, &out);
                    // After trouble, the writes can be invalid.
                    if self.trouble.is_none() {
                        self.carry_out(&raft, &mut out, &mut inputs);
                    }
                    self.node.raft = Some(raft);
                }
            }
        }
        OUTPUT.set(out);
    }

    fn judge(&mut self, before: &Before, raft: &Raft, out: &Output) {
        let State { nodes, history, .. } = &mut *self.state;
        let World { retries, rules, .. } = self.model.world;
        let store =
            retries.then(|| Settings { deduplicate: rules.on(Rule::DeduplicateRetries), ..Settings::default() });
        let Node { disk, compared, .. } = &self.node;
        let mut judge = Judge { nodes, disk, compared: *compared, history, store };
        if let Err(violation) = judge.stepped(before, raft, out) {
            self.trouble = Some(Trouble::Violation(violation));
        }
    }

    /// Judges what a loss of power has left.
    pub fn judge_crash(&mut self) {
        let State { nodes, history, .. } = &mut *self.state;
        let judge = Judge { nodes, disk: &self.node.disk, compared: Default::default(), history, store: None };
        if let Err(violation) = judge.crashed(self.id) {
            self.trouble = Some(Trouble::Violation(violation));
        }
    }

    /// Carries out a step's output. Inputs that follow at once go to `inputs`.
    fn carry_out(&mut self, raft: &Raft, out: &mut Output, inputs: &mut VecDeque<Input>) {
        for write in out.writes.drain(..) {
            self.node.disk.submit(write);
        }
        if !self.model.world.slow_disks
            && let Some(receipt) = self.node.disk.sync_all()
        {
            inputs.push_back(Input::Durable(receipt));
        }
        for envelope in out.messages.drain(..) {
            if envelope.to.number() <= self.model.world.servers {
                let flight = Flight::new(self.id, envelope.to, envelope.message, self.model.is_timeless());
                self.sent.push(self.model.flights.the(flight));
            }
        }
        let applied = raft.applied_index();
        for read in out.reads.drain(..) {
            let asked = self.node.reads.iter().position(|(asked, _)| *asked == read);
            let Some((_, due)) = asked.map(|place| self.node.reads.swap_remove(place)) else { continue };
            if let Err(violation) = Judge::read_answered(self.id, due, applied) {
                self.trouble.get_or_insert(Trouble::Violation(violation));
            }
        }
        for refused in out.refused.drain(..) {
            self.node.reads.retain(|(read, _)| *read != refused.id);
        }
        if out.snapshot_wanted {
            // The applied index stands for the state machine's content.
            let data = Arc::from(applied.0.to_be_bytes().as_slice());
            inputs.push_back(Input::SnapshotTaken { index: applied, data });
        }
    }

    /// The server stops, and its memory is lost.
    pub fn crash(&mut self) {
        self.node.raft = None;
        self.node.reads.clear();
        self.node.compared = Default::default();
    }
}

/// The last entry that a leader names in a message: a log that has it equals the leader's up to it.
fn what_it_compares(message: &Message) -> Option<EntryId> {
    match message {
        Message::AppendEntries(m) => Some(match m.entries.as_slice().last() {
            Some(entry) => EntryId::new(m.previous.index.plus(m.entries.len() as u64), entry.term),
            None => m.previous,
        }),
        Message::InstallSnapshot(m) => Some(m.meta.last),
        _ => None,
    }
}
