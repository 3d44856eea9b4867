//! Whether the state machines of all servers keep to their contract: what each said after each
//! entry, compared with what whoever came there first said.
//!
//! Of the first one's answer a digest, its length and its beginning are kept; of its snapshot a
//! digest, its length and, while there is room, its bytes. Memory is bounded: only the latest
//! entries are remembered ([`ENTRIES_KEPT`]), and so many bytes of snapshots ([`BYTES_KEPT`]).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::diagnosis::{Applied, Subject, both_lengths, diagnosis, quoted};
use super::{MakeMachine, OwnCall, OwnCounts, OwnMethod, OwnOperation};
use crate::hash::checksum;
use crate::raft::{Bytes, ServerId};
use crate::shared::Recent;
use crate::sim::observers::Observers;
use crate::sim::parameters::MACHINES_MAX;
use crate::state_machine::StateMachine;
use crate::time::Time;

/// So many entries at least are remembered. A server that is further behind is sent a snapshot.
const ENTRIES_KEPT: usize = 1 << 15;

/// So many bytes of snapshots are remembered, of the latest.
const BYTES_KEPT: usize = 4 << 20;

/// So many bytes of an answer are remembered.
const ANSWER_KEPT: usize = 64;

/// What all servers' state machines said.
#[derive(Clone, Debug)]
pub(super) struct Contract {
    /// Snapshots are compared only at indexes that are a multiple of this.
    every: u64,
    /// By index, from 1.
    said: Recent<Said>,
    /// So many bytes of snapshots are kept, the first of them at this position or later.
    bytes_kept: usize,
    first_kept: usize,
    /// By server.
    servers: Vec<Applied>,
}

/// What was said after an entry, by whoever came there first.
#[derive(Clone, Debug, Default)]
struct Said {
    answer: Option<First>,
    snapshot: Option<First>,
}

/// Something that was said, in short.
#[derive(Clone, Debug)]
struct First {
    server: ServerId,
    restored: Option<u64>,
    digest: u64,
    length: usize,
    /// The whole snapshot, if it is still kept; the beginning of an answer.
    bytes: Option<Bytes>,
}

/// What a state machine is compared for, and whom a difference is told.
pub(super) struct Moment<'a> {
    pub(super) server: ServerId,
    /// It has applied everything up to here.
    pub(super) index: u64,
    pub(super) now: Time,
    pub(super) observers: &'a mut Observers,
    pub(super) make: &'a MakeMachine,
    pub(super) operations: &'a Recent<OwnOperation>,
    pub(super) counts: &'a mut OwnCounts,
    /// The call under way.
    pub(super) call: &'a mut Option<OwnCall>,
}

impl Moment<'_> {
    /// The state machine is about to be called, for the entry at the moment's index.
    pub(super) fn calls(&mut self, what: OwnMethod) {
        *self.call = Some(OwnCall { server: self.server, what, index: self.index });
    }

    /// Something is wrong with a state machine.
    pub(super) fn broken(&mut self, first: &str, second: &str) {
        let now = self.now;
        self.observers.judge(|checker| checker.broke_contract(now, format_args!("{first}"), format_args!("{second}")));
    }

    /// Whether anybody wants to know of one thing more that is wrong: the first ends the run.
    fn is_open(&self) -> bool {
        self.observers.checker().is_some() && self.observers.violation().is_none()
    }
}

impl Contract {
    pub(super) fn new(every: u64) -> Contract {
        Contract {
            every,
            said: Recent::new(ENTRIES_KEPT),
            bytes_kept: 0,
            first_kept: 0,
            servers: alloc::vec![Applied::default(); usize::from(MACHINES_MAX)],
        }
    }

    /// A server's state machine is new, or was restored from the snapshot of that index.
    pub(super) fn begins(&mut self, server: ServerId, restored: Option<u64>) {
        self.servers[server.slot()] = Applied { restored, last: None };
    }

    /// A server's state machine has applied a command.
    pub(super) fn applied(&mut self, server: ServerId, index: u64, command: &Bytes) {
        self.servers[server.slot()].last = Some((index, command.clone()));
    }

    /// What is remembered of an entry; nothing if that is too long ago.
    fn said_at(&mut self, index: u64) -> Option<&mut Said> {
        let position = usize::try_from(index).ok()?.checked_sub(1)?;
        while self.said.len() <= position {
            self.forget_bytes();
            self.said.push(Said::default());
        }
        self.said.get_mut(position)
    }

    /// A server has answered the command at its index.
    pub(super) fn compare_answer(&mut self, machine: &dyn StateMachine, answer: &Bytes, moment: &mut Moment<'_>) {
        if !moment.is_open() {
            return;
        }
        let here = Applied::clone(&self.servers[moment.server.slot()]);
        let Some(said) = self.said_at(moment.index) else {
            moment.counts.too_late += 1;
            return;
        };
        let digest = checksum(answer);
        let Some(first) = &said.answer else {
            let bytes = Some(answer[..answer.len().min(ANSWER_KEPT)].into());
            let (server, restored) = (moment.server, here.restored);
            said.answer = Some(First { server, restored, digest, length: answer.len(), bytes });
            moment.counts.commands += 1;
            return;
        };
        moment.counts.answers_compared += 1;
        if (first.digest, first.length) == (digest, answer.len()) {
            return;
        }
        let first = first.clone();
        let said_first = quoted(first.bytes.as_deref().unwrap_or_default(), first.length);
        let command = command_in_words(&here, moment);
        let mut one = format!("{} answers {command} by {said_first}", in_words(first.server, first.restored));
        let mut other = in_words(moment.server, here.restored);
        let _ = write!(other, " answers it by {}", quoted(answer, answer.len()));
        if first.length > ANSWER_KEPT && answer.starts_with(first.bytes.as_deref().unwrap_or_default()) {
            one += ", of which no more is remembered";
        }
        let subject = Subject { machine, server: moment.server, here: &here, first: (first.server, first.restored) };
        let _ = write!(other, "; {}", diagnosis(&subject, moment.make));
        moment.broken(&one, &other);
    }

    /// A server has applied everything up to its index.
    pub(super) fn compare_snapshot(&mut self, machine: &dyn StateMachine, moment: &mut Moment<'_>) {
        if moment.index == 0 || !moment.index.is_multiple_of(self.every) || !moment.is_open() {
            return;
        }
        let bytes = machine.snapshot();
        let restored = self.servers[moment.server.slot()].restored;
        let Some(said) = self.said_at(moment.index) else {
            moment.counts.too_late += 1;
            return;
        };
        let digest = checksum(&bytes);
        let Some(first) = &said.snapshot else {
            let length = bytes.len();
            said.snapshot = Some(First { server: moment.server, restored, digest, length, bytes: Some(bytes.into()) });
            self.bytes_kept += length;
            self.forget_bytes();
            return;
        };
        moment.counts.snapshots_compared += 1;
        if (first.digest, first.length) != (digest, bytes.len()) {
            let first = first.clone();
            let lengths = both_lengths(first.bytes.as_deref(), first.length, &bytes);
            self.differ((first.server, first.restored), &lengths, machine, moment);
        }
    }

    /// Two servers have applied the same entries, and their snapshots aren't the same.
    pub(super) fn differ(
        &self,
        first: (ServerId, Option<u64>),
        lengths: &str,
        machine: &dyn StateMachine,
        moment: &mut Moment<'_>,
    ) {
        let here = &self.servers[moment.server.slot()];
        let (one, other) = (in_words(first.0, first.1), in_words(moment.server, here.restored));
        let mut facts = format!("{one} and {other} have both applied everything up to {}", moment.index);
        let _ = match here.last {
            Some(_) => write!(facts, ", {} the last", command_in_words(here, moment)),
            None => write!(facts, ", no command since"),
        };
        let subject = Subject { machine, server: moment.server, here, first };
        let why = diagnosis(&subject, moment.make);
        moment.broken(&facts, &format!("their state machines’ snapshots differ: {lengths}; {why}"));
    }

    /// Where a server's state machine comes from.
    pub(super) fn of(&self, server: ServerId) -> &Applied {
        &self.servers[server.slot()]
    }

    /// Forgets snapshots, the oldest first, until the others fit, and those of entries that will
    /// soon be forgotten themselves. Their digests stay.
    fn forget_bytes(&mut self) {
        let len = self.said.len();
        while self.first_kept < len && (self.bytes_kept > BYTES_KEPT || len - self.first_kept > ENTRIES_KEPT) {
            let said = self.said.get_mut(self.first_kept);
            if let Some(bytes) = said.and_then(|said| said.snapshot.as_mut()?.bytes.take()) {
                self.bytes_kept -= bytes.len();
            }
            self.first_kept += 1;
        }
    }
}

/// A server, and what its state machine was restored from.
pub(super) fn in_words(server: ServerId, restored: Option<u64>) -> String {
    match restored {
        Some(index) => format!("{server} (restored from a snapshot of everything up to {index})"),
        None => format!("{server} (never restored)"),
    }
}

/// The command that a server applied last: where it is, what it says, and who asked for it.
fn command_in_words(here: &Applied, moment: &Moment<'_>) -> String {
    let Some((index, command)) = &here.last else { return String::from("no command") };
    let mut words = format!("the command at {index}, {}", quoted(command, command.len()));
    let is_it = |operation: &&OwnOperation| operation.command == *command;
    let mut of_these_bytes = moment.operations.iter().rev().filter(is_it);
    let answered = moment.operations.iter().rev().find(|operation| operation.point == Some(*index));
    let known = answered.or_else(|| of_these_bytes.next().filter(|_| of_these_bytes.next().is_none()));
    if let Some(operation) = known {
        let _ = write!(words, " (operation {}, {})", operation.number, operation.client);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_are_forgotten_give_back_their_room() {
        let mut contract = Contract::new(1);
        let server = ServerId::new(1).unwrap();
        for index in (1..=5 * ENTRIES_KEPT as u64).step_by(2) {
            let said = contract.said_at(index).unwrap();
            said.snapshot = Some(First { server, restored: None, digest: 0, length: 1, bytes: Some([7][..].into()) });
            contract.bytes_kept += 1;
            assert!(contract.bytes_kept <= ENTRIES_KEPT / 2 + 1, "{} at {index}", contract.bytes_kept);
        }
        assert!(contract.said_at(1).is_none(), "it is too long ago");
    }

    #[test]
    fn bytes_of_snapshots_are_forgotten_where_there_is_no_room_and_never_counted_twice() {
        let mut contract = Contract::new(1);
        let server = ServerId::new(1).unwrap();
        for index in 1..=100_u64 {
            let bytes = alloc::vec![index as u8; 1 << 18];
            let said = contract.said_at(index).unwrap();
            let bytes = Some(bytes.into());
            said.snapshot = Some(First { server, restored: None, digest: 0, length: 1 << 18, bytes });
            contract.bytes_kept += 1 << 18;
            contract.forget_bytes();
            assert!(contract.bytes_kept <= BYTES_KEPT);
        }
        let kept = |said: &&Said| said.snapshot.as_ref().unwrap().bytes.is_some();
        assert_eq!(contract.said.iter().filter(kept).count(), BYTES_KEPT >> 18);
        assert!(contract.said.iter().rev().take(BYTES_KEPT >> 18).all(|said| kept(&said)), "the latest");
    }
}
