//! The safety checker: fed with every step of every server, it remembers just enough to contradict the next.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Property, Violation, changes};
use crate::raft::{
    AppendOutcome, Configuration, Entry, EntryId, Log, LogIndex, Message, Output, Payload, Raft, ServerId, ServerSet,
    SnapshotProgress, Term, Write,
};
use crate::sim::Machine;
use crate::sorted::Sorted;
use crate::time::Time;

/// The most entries remembered that aren't committed.
pub const OPEN_MAX: usize = 4_096;

/// How often the committed log is compacted to what some server still needs, in entries.
const COMPACT_EVERY: u64 = 1_024;

/// Checks every step of every server against everything before. See the [module's essay](super).
#[derive(Clone, Debug)]
pub struct Checker {
    /// Who led each term.
    leaders: Sorted<Term, ServerId>,
    /// Everything committed, as the first leader to commit it had it.
    committed: Log,
    /// For each term in which something was committed, up to where.
    committed_in: Vec<(Term, LogIndex)>,
    /// Entries that some server has put into its log and that aren't committed, with the entry each follows.
    open: Sorted<EntryId, (EntryId, Entry)>,
    /// The vote that each server is known to have given in its latest term.
    votes: Vec<Option<(Term, ServerId)>>,
    seen: Vec<Seen>,
}

/// A server as it was after its last step.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    term: Term,
    commit: LogIndex,
    applied: LogIndex,
    /// The term it led and the last entry it had then.
    led: Option<(Term, LogIndex)>,
    /// The membership it went by, and since which entry.
    membership: (LogIndex, Configuration),
}

type Verdict = Result<(), Violation>;

impl Checker {
    /// A checker for a cluster of `servers`, before anything has happened.
    pub fn new(servers: ServerSet) -> Checker {
        let count = servers.iter().map(|server| server.slot() + 1).max().unwrap_or(0);
        Checker {
            leaders: Sorted::default(),
            committed: Log::after(EntryId::ZERO),
            committed_in: Vec::new(),
            open: Sorted::default(),
            votes: alloc::vec![None; count],
            seen: alloc::vec![Seen::default(); count],
        }
    }

    /// A server started from its disk.
    pub fn started(&mut self, server: ServerId, raft: &Raft) {
        let before = self.seen[server.slot()];
        self.seen[server.slot()] = Seen {
            term: before.term.min(raft.term()),
            commit: raft.commit_index(),
            applied: raft.applied_index(),
            led: None,
            membership: (raft.configuration_index(), *raft.configuration()),
        };
    }

    /// Up to where some leader has committed.
    pub fn committed_index(&self) -> LogIndex {
        self.committed.last().index
    }

    /// A server crashed: what it hadn't promised to anybody is forgotten.
    pub fn crashed(&mut self, server: ServerId) {
        self.seen[server.slot()].led = None;
    }

    /// A server took a step and decided `out`, which hasn't been carried out yet.
    ///
    /// # Errors
    /// The violation, if the step contradicts what was before.
    pub fn stepped(&mut self, now: Time, raft: &Raft, out: &Output, machines: &[Machine]) -> Verdict {
        let fail = |property, first, second| Err(Violation { property, first, second, at: now });
        let me = raft.id();
        let seen = self.seen[me.slot()];
        if raft.term() < seen.term {
            let (first, second) = (format!("{me} was in term {}", seen.term), format!("it is in term {}", raft.term()));
            return fail(Property::MonotonicState, first, second);
        }
        if raft.commit_index() < seen.commit {
            let first = format!("{me} had committed up to {}", seen.commit);
            return fail(Property::MonotonicState, first, format!("its commit index is {}", raft.commit_index()));
        }
        // A leader that commits its own removal steps down in the same step.
        let led = raft.is_leader() || seen.led.is_some_and(|(term, _)| term == raft.term());
        if !led && raft.commit_index() > seen.commit.max(raft.agreed_index()) && out.restore.is_none() {
            let first = format!("{me} knows its log to equal its leader’s up to {}", raft.agreed_index());
            return fail(Property::VerifiedCommit, first, format!("it commits up to {}", raft.commit_index()));
        }
        for write in &out.writes {
            self.check_write(now, raft, write)?;
        }
        if raft.is_leader() {
            self.check_leader(now, raft)?;
        }
        if led && raft.commit_index() > seen.commit {
            self.check_commit(now, raft, machines)?;
        }
        if !out.messages.is_empty() {
            self.check_promises(now, raft, out, machines)?;
        }
        let applied = self.check_applied(now, raft, out)?;
        self.seen[me.slot()] = Seen {
            term: raft.term(),
            commit: raft.commit_index(),
            applied,
            led: raft.is_leader().then(|| (raft.term(), raft.log().last().index)),
            membership: (raft.configuration_index(), *raft.configuration()),
        };
        Ok(())
    }

    fn check_write(&mut self, now: Time, raft: &Raft, write: &Write) -> Verdict {
        let Some(log) = &write.log else { return Ok(()) };
        let me = raft.id();
        if let Some((term, last)) = self.seen[me.slot()].led
            && raft.is_leader()
            && term == raft.term()
            && log.after < last
        {
            return Err(Violation {
                property: Property::LeaderAppendOnly,
                first: format!("{me} led term {term} with entries up to {last}"),
                second: format!("it dropped those after {}", log.after),
                at: now,
            });
        }
        let Some(mut previous) = raft.log().id_at(log.after) else { return Ok(()) };
        let mut membership = self.seen[me.slot()].membership;
        for entry in log.entries.as_slice() {
            let id = EntryId::new(previous.index.next(), entry.term);
            self.check_entry(now, me, previous, id, entry)?;
            if let Payload::Membership(next) = &entry.payload
                && raft.is_leader()
            {
                let next = (id.index, **next);
                if let Some((first, second)) = changes::unlawful(raft, membership, next) {
                    return Err(Violation { property: Property::LawfulMembership, first, second, at: now });
                }
                membership = next;
            }
            previous = id;
        }
        Ok(())
    }

    /// Log Matching: everyone agrees on what an entry says and which one it follows.
    fn check_entry(&mut self, now: Time, me: ServerId, previous: EntryId, id: EntryId, entry: &Entry) -> Verdict {
        let known = match self.committed.get(id.index) {
            Some(committed) if committed.term == id.term => {
                self.committed.id_at(id.index.previous()).map(|before| (before, committed))
            }
            _ => self.open.get(id).map(|(before, entry)| (*before, entry)),
        };
        match known {
            Some((before, known)) if before != previous || *known != *entry => Err(Violation {
                property: Property::LogMatching,
                first: format!("entry {id} was {} after {before}", describe(known)),
                second: format!("{me} has it as {} after {previous}", describe(entry)),
                at: now,
            }),
            Some(_) => Ok(()),
            None => {
                if id.index > self.committed.base().index {
                    self.open.insert(id, (previous, entry.clone()));
                    if self.open.len() > OPEN_MAX {
                        self.open.remove_first();
                    }
                }
                Ok(())
            }
        }
    }

    fn check_leader(&mut self, now: Time, raft: &Raft) -> Verdict {
        let (me, term) = (raft.id(), raft.term());
        if self.seen[me.slot()].led.is_some_and(|(led, _)| led == term) {
            return Ok(());
        }
        if let Some(other) = self.leaders.insert(term, me).filter(|other| *other != me) {
            return Err(Violation {
                property: Property::ElectionSafety,
                first: format!("{other} led term {term}"),
                second: format!("{me} leads it too"),
                at: now,
            });
        }
        // Leader Completeness: what was committed in an earlier term must be in its log.
        let earlier = self.committed_in.partition_point(|(committed_in, _)| *committed_in < term);
        let Some((committed_in, index)) = earlier.checked_sub(1).map(|last| self.committed_in[last]) else {
            return Ok(());
        };
        let log = raft.log();
        let held = index <= log.base().index || log.term_at(index) == self.committed.term_at(index);
        if held {
            return Ok(());
        }
        let id = self.committed.id_at(index).unwrap_or_default();
        Err(Violation {
            property: Property::LeaderCompleteness,
            first: format!("entry {id} was committed in term {committed_in}"),
            second: format!("{me} leads term {term} with a log that ends with {} and lacks it", log.last()),
            at: now,
        })
    }

    /// A leader raised its commit index.
    fn check_commit(&mut self, now: Time, raft: &Raft, machines: &[Machine]) -> Verdict {
        let (me, commit) = (raft.id(), raft.commit_index());
        let before = self.committed.last().index;
        if commit <= before {
            return Ok(());
        }
        while self.committed.last().index < commit {
            let index = self.committed.last().index.next();
            let Some(entry) = raft.log().get(index) else { break };
            let id = self.committed.append(entry.clone());
            self.open.remove(id);
        }
        match self.committed_in.last_mut() {
            Some((term, index)) if *term == raft.term() => *index = commit,
            _ => self.committed_in.push((raft.term(), commit)),
        }
        if commit.0 / COMPACT_EVERY > before.0 / COMPACT_EVERY {
            self.forget(machines);
        }
        // Durable Commit. A membership that came after is somebody else's majority.
        if raft.configuration_index() > commit {
            return Ok(());
        }
        let id = self.committed.last();
        let holders: ServerSet = machines.iter().filter(|machine| is_durable(machine, id)).map(Machine::id).collect();
        if raft.configuration().has_quorum(holders) {
            return Ok(());
        }
        Err(Violation {
            property: Property::DurableCommit,
            first: format!("{me} committed entry {id} in term {}", raft.term()),
            second: format!("only {holders} have it on their disks"),
            at: now,
        })
    }

    /// Forgets what every server has in a snapshot.
    fn forget(&mut self, machines: &[Machine]) {
        let needed = machines.iter().map(|machine| {
            let running = machine.raft().map_or(LogIndex(u64::MAX), |raft| raft.log().base().index);
            running.min(machine.disk().image().log().base().index)
        });
        let Some(needed) = needed.min() else { return };
        if let Some(base) = self.committed.id_at(needed) {
            self.committed.compact_to(base);
            self.open.retain(|id| id.index > needed);
        }
    }

    fn check_promises(&mut self, now: Time, raft: &Raft, out: &Output, machines: &[Machine]) -> Verdict {
        let me = raft.id();
        let Some(image) = machines.get(me.slot()).map(|machine| machine.disk().image()) else { return Ok(()) };
        for envelope in &out.messages {
            let (term, vote, matched) = match &envelope.message {
                Message::RequestVote(m) => (m.term, Some(me), None),
                Message::RequestVoteResponse(m) if m.granted => (m.term, Some(envelope.to), None),
                Message::AppendEntriesResponse(m) => match m.outcome {
                    AppendOutcome::Matched(index) | AppendOutcome::Joining { matched: index, .. } => {
                        (m.term, None, Some(index))
                    }
                    AppendOutcome::Conflict { .. } | AppendOutcome::Damaged { .. } | AppendOutcome::StaleTerm => {
                        continue;
                    }
                },
                Message::InstallSnapshotResponse(m) => match m.progress {
                    SnapshotProgress::Installed(index) => (m.term, None, Some(index)),
                    _ => continue,
                },
                _ => continue,
            };
            let hard_state = image.hard_state();
            if let Some(candidate) = vote {
                if let Some((_, other)) = self.votes[me.slot()].filter(|(t, other)| *t == term && *other != candidate) {
                    return Err(Violation {
                        property: Property::OneVoteATerm,
                        first: format!("{me} voted for {other} in term {term}"),
                        second: format!("it votes for {candidate} in the same term"),
                        at: now,
                    });
                }
                self.votes[me.slot()] = Some((term, candidate));
                let durable = hard_state.term == term && hard_state.voted_for == Some(candidate);
                if !durable {
                    return Err(Violation {
                        property: Property::DurablePromise,
                        first: format!("{me} says that it votes for {candidate} in term {term}"),
                        second: format!("its disk says {}", describe_vote(hard_state.term, hard_state.voted_for)),
                        at: now,
                    });
                }
            }
            if let Some(index) = matched {
                // What the server has put into a snapshot meanwhile was committed.
                let known = raft.log().id_at(index).or_else(|| self.committed.id_at(index));
                let id = known.unwrap_or(EntryId::new(index, Term::ZERO));
                let durable = index <= image.log().base().index || image.log().contains(id);
                if !durable || hard_state.term < term {
                    return Err(Violation {
                        property: Property::DurablePromise,
                        first: format!("{me} acknowledges entries up to {id} in term {term}"),
                        second: format!("its disk ends with {} in term {}", image.log().last(), hard_state.term),
                        at: now,
                    });
                }
            }
        }
        Ok(())
    }

    /// State Machine Safety. Where the server stands afterwards.
    fn check_applied(&self, now: Time, raft: &Raft, out: &Output) -> Result<LogIndex, Violation> {
        let me = raft.id();
        let mut applied = self.seen[me.slot()].applied;
        let contradiction = |first: String, second: String| {
            Err(Violation { property: Property::StateMachineSafety, first, second, at: now })
        };
        if let Some(snapshot) = &out.restore {
            let last = snapshot.meta.last;
            if last.index < applied {
                return Err(Violation {
                    property: Property::MonotonicState,
                    first: format!("{me} had applied everything up to {applied}"),
                    second: format!("it went back to a snapshot up to {last}"),
                    at: now,
                });
            }
            if last.index > self.committed.base().index && !self.committed.contains(last) {
                let known = self.committed.last();
                return contradiction(
                    format!("the committed log ends with {known}"),
                    format!("{me} took a snapshot up to {last}"),
                );
            }
            applied = last.index;
        }
        for (index, entry) in out.committed_entries() {
            if index != applied.next() {
                return contradiction(
                    format!("{me} had applied everything up to {applied}"),
                    format!("it applies {index} next"),
                );
            }
            applied = index;
            if index <= self.committed.base().index {
                continue;
            }
            match self.committed.get(index) {
                Some(known) if known == entry => {}
                Some(known) => {
                    let first = format!("{} of term {} was committed at {index}", describe(known), known.term);
                    return contradiction(first, format!("{me} applies {} of term {}", describe(entry), entry.term));
                }
                None => {
                    let last = self.committed.last();
                    return contradiction(
                        format!("leaders have committed up to {last} only"),
                        format!("{me} applies {}", EntryId::new(index, entry.term)),
                    );
                }
            }
        }
        Ok(applied)
    }
}

fn is_durable(machine: &Machine, id: EntryId) -> bool {
    let log = machine.disk().image().log();
    id.index <= log.base().index || log.contains(id)
}

fn describe(entry: &Entry) -> String {
    match &entry.payload {
        Payload::NoOp => String::from("a no-op"),
        Payload::Membership(_) => String::from("a membership"),
        Payload::Admission { server, .. } => format!("the admission of {server}’s disk"),
        Payload::Command(bytes) => match crate::kv::Command::decode(bytes) {
            Ok(crate::kv::Command::Apply { operation, .. }) => format!("“{operation}”"),
            Ok(crate::kv::Command::OpenSession { client }) => format!("a session for client {client}"),
            Err(_) => format!("{} bytes", bytes.len()),
        },
    }
}

fn describe_vote(term: Term, vote: Option<ServerId>) -> String {
    match vote {
        Some(vote) => format!("a vote for {vote} in term {term}"),
        None => format!("no vote in term {term}"),
    }
}
