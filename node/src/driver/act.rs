//! What a driver does with what a step has decided.

use std::thread;

use raft_core::raft::{EntryId, Payload, Refusal};
use raft_core::state_machine::StateMachine;
use raft_core::time::Time;

use super::request::Waiter;
use super::run::{Driver, Taken};
use super::{Applied, Doubt, DriverError, Failure};

impl<M: StateMachine + Clone> Driver<'_, M> {
    /// Does what a step has decided, in the order in which the output's fields are declared.
    pub(super) fn act(&mut self, now: Time) {
        if self.out.listen {
            self.outside.audience.stepped(now, &self.raft, &self.out.observations);
        }
        for write in self.out.writes.drain(..) {
            self.disk.write(write);
        }
        for envelope in self.out.messages.drain(..) {
            let number = self.outside.network.send(envelope.to, &envelope.message);
            self.outside.audience.sent(now, envelope.to, &envelope.message, number);
        }
        if self.out.only_speaks() {
            return;
        }
        if let Some(snapshot) = self.out.restore.take() {
            if let Err(why) = self.machine.restore(snapshot.data()) {
                self.broken = Some(DriverError::Restore(why));
                return;
            }
            self.applied = snapshot.meta.last.index;
            self.outside.audience.restored(self.applied, &self.machine);
            // The entries that it covers are not applied one by one.
            let later = self.waiting.split_off(&self.applied.next());
            for (_, waiter) in std::mem::replace(&mut self.waiting, later).into_values() {
                waiter.fail(Failure::Unknown(Doubt::InSnapshot));
            }
        }
        self.apply();
        for id in self.out.reads.drain(..) {
            if let Some(look) = self.reading.remove(&id) {
                look(Ok((&self.machine, self.applied.0)));
            }
        }
        for (id, entry) in self.out.accepted.drain(..) {
            if let Some(waiter) = self.proposing.remove(&id)
                && let Some((_, former)) = self.waiting.insert(entry.index, (entry.term, waiter))
            {
                // This server leads again, and has put another entry there.
                former.fail(Failure::Overwritten);
            }
        }
        for id in std::mem::take(&mut self.out.transferred) {
            if let Some(reply) = self.transferring.remove(&id) {
                let _ = reply.send(Ok(()));
            } else {
                self.end_handover(id);
            }
        }
        for refused in std::mem::take(&mut self.out.refused) {
            let failure = match refused.reason {
                Refusal::NotLeader { leader } => Failure::NotLeader { leader },
                reason => Failure::Refused(reason),
            };
            if let Some(waiter) = self.proposing.remove(&refused.id) {
                waiter.fail(failure);
            } else if let Some(look) = self.reading.remove(&refused.id) {
                look(Err(failure));
            } else if let Some(reply) = self.transferring.remove(&refused.id) {
                let _ = reply.send(Err(failure));
            } else {
                self.end_handover(refused.id);
            }
        }
        if self.out.snapshot_wanted {
            self.take_snapshot();
        }
        self.greet_as_leader();
        self.hand_over();
    }

    fn apply(&mut self) {
        for (index, entry) in self.out.committed_entries() {
            let mut answer = Vec::new();
            if let Payload::Admission { server, disk } = entry.payload {
                self.outside.audience.admitted(index, server, disk);
            }
            if let Payload::Command(command) = &entry.payload {
                answer = self.machine.apply(index.0, command);
                self.outside.audience.applied(index, command, &answer);
            }
            self.applied = index;
            // Most entries have no waiter on most servers.
            if let Some((term, waiter)) = self.waiting.remove(&index) {
                let id = EntryId::new(index, entry.term);
                match waiter {
                    waiter if term != entry.term => waiter.fail(Failure::Overwritten),
                    Waiter::Command(reply) => drop(reply.send(Ok(Applied { entry: id, answer }))),
                    Waiter::Membership(reply) => drop(reply.send(Ok(id))),
                }
            }
        }
        self.out.committed.clear();
    }

    /// Takes the snapshot of a clone, in a thread of its own: it may take long.
    fn take_snapshot(&mut self) {
        let machine = self.machine.clone();
        let (index, tell) = (self.applied, self.snapshots.0.clone());
        let take = move || drop(tell.send(Taken { index, data: machine.snapshot().into() }));
        if let Err(why) = thread::Builder::new().name("snapshot".into()).spawn(take) {
            // It is asked for again.
            tracing::error!("a snapshot can't be taken: no thread can be started: {why}");
        }
    }

    /// Tells the audience once a term that this server leads and knows all that was committed.
    fn greet_as_leader(&mut self) {
        let term = self.raft.term();
        if self.raft.is_leader()
            && term > self.told_to_lead
            && self.raft.log().term_at(self.applied).is_some_and(|applied| applied == term)
        {
            self.told_to_lead = term;
            self.outside.audience.leads(term, &self.machine);
        }
    }
}
