//! Checks after each step what must always hold: the properties of [`raft_core::check`], formulated
//! anew for a world whose whole state can be looked at.
//!
//! The simulator's checker must remember what here can be looked at: all logs, all disks. Only
//! facts that a state doesn't show are remembered, in [`History`], and are part of a state's
//! identity: who led which term, what leaders have committed and in which term, and how each server
//! last voted.

use std::fmt::Display;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use raft_core::check::{Property, Violation, whose_disks};
use raft_core::kv::{Applied, Command, Request, SessionId, Settings, Store};
use raft_core::raft::{
    AppendOutcome, Bytes, Claim, Configuration, DiskId, Entry, EntryId, LogIndex, Message, Output, Payload, Raft,
    ServerId, ServerSet, SnapshotProgress, Standing, Term, Write,
};
use raft_core::time::Time;

use crate::disk::Disk;
use crate::intern::{Identified, fingerprint};
use crate::node::Node;

/// The facts about the past that a state doesn't show.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The leader of each term.
    leaders: Vec<(Term, ServerId)>,
    /// The committed entries, as the first leader to commit each had it; the first one has index 1.
    committed: Vec<Entry>,
    /// For each term in which something was committed, the last index.
    committed_in: Vec<(Term, LogIndex)>,
    /// The membership that counted at the last commit.
    committed_under: Configuration,
    /// The latest vote that each server has sent.
    votes: Vec<Option<(Term, ServerId)>>,
    identity: u64,
}

impl History {
    /// The history of `servers` servers to which nothing has happened yet.
    pub fn new(servers: u8) -> History {
        History { votes: vec![None; usize::from(servers)], ..History::default() }
    }

    /// The highest index that a leader has committed.
    pub fn committed_index(&self) -> LogIndex {
        LogIndex(self.committed.len() as u64)
    }

    /// What the client tries next: to open a session, and once it has one, its only write.
    pub fn next_try(&self) -> Option<Bytes> {
        let session = self.commands().find(|(_, command)| matches!(command, Command::OpenSession { .. }));
        let command = match session {
            None => Command::OpenSession { client: 1 },
            Some((LogIndex(index), _)) => {
                let Ok(Request::Write(operation)) = "put x 1".parse() else { return None };
                Command::Apply { session: SessionId(index), serial: 1, oldest_awaited: 1, operation }
            }
        };
        Some(command.encode().into())
    }

    /// The committed commands, each with its index.
    fn commands(&self) -> impl Iterator<Item = (LogIndex, Command)> {
        let entries = (1..).map(LogIndex).zip(&self.committed);
        entries.filter_map(|(index, entry)| match &entry.payload {
            Payload::Command(bytes) => Some((index, Command::decode(bytes).ok()?)),
            _ => None,
        })
    }

    /// Exactly Once: a write takes effect once, however often it was committed.
    fn check_effects(&self, settings: &Settings) -> Verdict {
        let mut store = Store::new(*settings);
        let mut took_effect: Vec<(SessionId, u64, LogIndex)> = Vec::new();
        for (index, command) in self.commands() {
            let Applied::Answered { session, serial, duplicate: false, .. } = store.apply(index.0, &command.encode())
            else {
                continue;
            };
            let known = took_effect.iter().find(|(known, number, _)| (*known, *number) == (session, serial));
            if let Some((_, _, before)) = known {
                let first = format!("the write {serial} of {session} took effect at {before}");
                return fail(Property::ExactlyOnce, first, format_args!("it took effect again at {index}"));
            }
            took_effect.push((session, serial, index));
        }
        Ok(())
    }

    /// Lawful Membership: a leader appends `next` while `before` is in force (Raft §6; raft-dev, 10
    /// July 2015).
    fn check_change(
        &self,
        raft: &Raft,
        (since, before): (LogIndex, Configuration),
        (index, next): (LogIndex, Configuration),
    ) -> Verdict {
        let (me, term, commit) = (raft.id(), raft.term(), self.committed_index());
        let appends = format!("it appends another at {index}");
        if since > commit {
            let first = format!("{me}’s membership at {since} isn’t committed yet, only entries up to {commit} are");
            return fail(Property::LawfulMembership, first, appends);
        }
        // A later leader can have committed an entry of this one.
        if !before.is_joint() && !self.committed.iter().any(|entry| entry.term == term) {
            let first = format!("{me} leads term {term} and has committed no entry of that term yet");
            return fail(Property::LawfulMembership, first, appends);
        }
        if !quorums_meet(before, next) {
            let first = format!("a quorum of {} need not meet one of {}", describe(&before), describe(&next));
            let second = format!("{me} goes directly from the one to the other at {index}");
            return fail(Property::LawfulMembership, first, second);
        }
        Ok(())
    }

    /// The leader of a term.
    pub fn leader_of(&self, term: Term) -> Option<ServerId> {
        self.leaders.iter().find(|(led, _)| *led == term).map(|(_, leader)| *leader)
    }

    fn committed_at(&self, index: LogIndex) -> Option<&Entry> {
        self.committed.get(usize::try_from(index.previous().0).ok()?).filter(|_| index > LogIndex::ZERO)
    }

    fn committed_id(&self, index: LogIndex) -> Option<EntryId> {
        if index == LogIndex::ZERO {
            return Some(EntryId::ZERO);
        }
        self.committed_at(index).map(|entry| EntryId::new(index, entry.term))
    }
}

impl Hash for History {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let History { leaders, committed, committed_in, committed_under, votes, identity: _ } = self;
        (leaders, committed, committed_in, committed_under, votes).hash(state);
    }
}

impl Identified for History {
    fn fingerprint(&self) -> u64 {
        self.identity
    }
}

/// A server as it was before a step.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    term: Term,
    /// Its commit index.
    pub commit: LogIndex,
    applied: LogIndex,
    /// Whether it had the right to vote.
    pub standing: Standing,
    /// Where its log ended.
    pub last: LogIndex,
    /// The term it led, if it led.
    pub led: Option<Term>,
    configuration: Configuration,
    configuration_index: LogIndex,
}

impl Before {
    /// The server as it is now. Its membership is the latest one in its log, or else the one that
    /// it `began` with.
    pub fn of(raft: &Raft, began: Configuration) -> Before {
        let log = raft.log();
        let entries = (log.first_index().0..).map(LogIndex).zip(log.iter_from(log.first_index()));
        let memberships = entries.filter_map(|(index, entry)| match &entry.payload {
            Payload::Membership(configuration) => Some((index, **configuration)),
            _ => None,
        });
        let snapshot = raft.snapshot().map(|snapshot| (snapshot.meta.configuration_index, snapshot.meta.configuration));
        let first = snapshot.unwrap_or((LogIndex::ZERO, began));
        let (configuration_index, configuration) = memberships.last().unwrap_or(first);
        Before {
            term: raft.term(),
            commit: raft.commit_index(),
            applied: raft.applied_index(),
            standing: raft.hard_state().standing,
            last: raft.log().last().index,
            led: raft.is_leader().then(|| raft.term()),
            configuration,
            configuration_index,
        }
    }
}

/// Judges one step of one server.
pub struct Judge<'a> {
    /// All machines; the server's own is as it was before the step.
    pub nodes: &'a [Arc<Node>],
    /// The server's own disk, as it is now.
    pub disk: &'a Disk,
    /// The term and the index up to which the server has compared its log with its leader's, its
    /// latest input included.
    pub compared: (Term, LogIndex),
    /// The facts about the past.
    pub history: &'a mut Arc<History>,
    /// How the store treats retries, if there is a store.
    pub store: Option<Settings>,
}

type Verdict = Result<(), Violation>;

fn fail(property: Property, first: impl Display, second: impl Display) -> Verdict {
    let (first, second) = (first.to_string(), second.to_string());
    Err(Violation { property, first, second, servers: ServerSet::EMPTY, entries: [LogIndex::ZERO; 2], at: Time::ZERO })
}

impl Judge<'_> {
    /// Judges a step of a server, whose output `out` hasn't been carried out yet.
    ///
    /// # Errors
    /// The violation, if there is one.
    pub fn stepped(&mut self, before: &Before, raft: &Raft, out: &Output) -> Verdict {
        let me = raft.id();
        if raft.term() < before.term {
            let first = format!("{me} was in term {}", before.term);
            return fail(Property::MonotonicState, first, format_args!("it is in term {}", raft.term()));
        }
        if raft.commit_index() < before.commit {
            let first = format!("{me} had committed up to {}", before.commit);
            return fail(Property::MonotonicState, first, format_args!("its commit index is {}", raft.commit_index()));
        }
        if raft.is_leader() && before.led != Some(raft.term()) {
            self.check_new_leader(raft)?;
        }
        // A leader that commits its own removal steps down in the same step.
        let led = raft.is_leader() || before.led == Some(raft.term());
        if led && raft.commit_index() > before.commit {
            self.check_commit(before, raft)?;
        }
        for write in &out.writes {
            self.check_write(before, raft, write)?;
        }
        let (compared_in, compared) = self.compared;
        let compared = if compared_in == raft.term() { compared } else { LogIndex::ZERO };
        if !led && raft.commit_index() > before.commit.max(compared) {
            let first = format!("{me} has compared its log with its leader’s up to {compared}");
            return fail(Property::VerifiedCommit, first, format_args!("it commits up to {}", raft.commit_index()));
        }
        for envelope in &out.messages {
            self.check_promise(raft, envelope.to, &envelope.message)?;
        }
        self.check_applied(before, raft, out)
    }

    /// Judges the answer to a read from a server that has applied everything up to `applied`; the
    /// answer must show what was committed up to `due`.
    ///
    /// # Errors
    /// The violation, if there is one.
    pub fn read_answered(server: ServerId, due: LogIndex, applied: LogIndex) -> Verdict {
        if applied >= due {
            return Ok(());
        }
        fail(
            Property::FreshReads,
            format_args!("entry {due} was committed when {server} was asked for a read"),
            format_args!("the answer comes from a store that had applied no further than {applied}"),
        )
    }

    fn disks(&self, me: ServerId) -> impl Iterator<Item = (ServerId, &Disk)> {
        self.nodes.iter().enumerate().filter_map(move |(slot, node)| {
            let id = ServerId::new(slot as u8 + 1)?;
            Some((id, if id == me { self.disk } else { &node.disk }))
        })
    }

    fn remember(&mut self, change: impl FnOnce(&mut History)) {
        let history = Arc::make_mut(self.history);
        change(history);
        history.identity = fingerprint(history);
    }

    fn check_write(&mut self, before: &Before, raft: &Raft, write: &Write) -> Verdict {
        let Some(log) = &write.log else { return Ok(()) };
        let me = raft.id();
        if raft.is_leader() && before.led == Some(raft.term()) && log.after < before.last {
            let first = format!("{me} led term {} with entries up to {}", raft.term(), before.last);
            return fail(Property::LeaderAppendOnly, first, format_args!("it dropped those after {}", log.after));
        }
        let Some(mut previous) = raft.log().id_at(log.after) else { return Ok(()) };
        let mut membership = (before.configuration_index, before.configuration);
        for entry in log.entries.as_slice() {
            let id = EntryId::new(previous.index.next(), entry.term);
            self.check_entry(me, previous, id, entry)?;
            if let Payload::Membership(next) = &entry.payload
                && raft.is_leader()
            {
                self.history.check_change(raft, membership, (id.index, **next))?;
                membership = (id.index, **next);
            }
            previous = id;
        }
        Ok(())
    }

    /// Log Matching: if two logs have an entry of the same index and term, these entries and their
    /// previous entries are equal.
    fn check_entry(&self, me: ServerId, previous: EntryId, id: EntryId, entry: &Entry) -> Verdict {
        let others = self.nodes.iter().enumerate().filter(|(slot, _)| *slot != me.slot());
        let in_memory = others.filter_map(|(_, node)| Some(node.raft.as_ref()?.log()));
        let on_disk = self.disks(me).map(|(_, disk)| disk.image().log());
        for log in in_memory.chain(on_disk) {
            let Some(known) = log.get(id.index).filter(|known| known.term == id.term) else { continue };
            let known_previous = log.id_at(id.index.previous());
            if known != entry || known_previous.is_some_and(|known| known != previous) {
                let known_previous = known_previous.unwrap_or_default();
                return fail(
                    Property::LogMatching,
                    format_args!("entry {id} is {:?} after {known_previous}", known.payload),
                    format_args!("{me} has it as {:?} after {previous}", entry.payload),
                );
            }
        }
        Ok(())
    }

    fn check_new_leader(&mut self, raft: &Raft) -> Verdict {
        let (me, term) = (raft.id(), raft.term());
        let other = self.history.leader_of(term);
        if let Some(other) = other.filter(|other| *other != me) {
            let first = format!("{other} led term {term}");
            return fail(Property::ElectionSafety, first, format_args!("{me} leads it too"));
        }
        if other.is_none() {
            self.remember(|history| history.leaders.push((term, me)));
        }
        let earlier = self.history.committed_in.iter().filter(|(committed_in, _)| *committed_in < term);
        let Some((committed_in, index)) = earlier.max_by_key(|(_, index)| *index).copied() else { return Ok(()) };
        let log = raft.log();
        let id = self.history.committed_id(index).unwrap_or_default();
        if index <= log.base().index || log.contains(id) {
            return Ok(());
        }
        fail(
            Property::LeaderCompleteness,
            format_args!("entry {id} was committed in term {committed_in}"),
            format_args!("{me} leads term {term} with a log that ends with {} and lacks it", log.last()),
        )
    }

    /// A leader raised its commit index.
    fn check_commit(&mut self, before: &Before, raft: &Raft) -> Verdict {
        let (me, commit, term) = (raft.id(), raft.commit_index(), raft.term());
        if commit <= self.history.committed_index() {
            return Ok(());
        }
        self.remember(|history| {
            while let Some(entry) = raft.log().get(history.committed_index().next())
                && history.committed_index() < commit
            {
                history.committed.push(entry.clone());
            }
            history.committed_under = before.configuration;
            match history.committed_in.last_mut() {
                Some((committed_in, index)) if *committed_in == term => *index = commit,
                _ => history.committed_in.push((term, commit)),
            }
        });
        if let Some(settings) = &self.store {
            self.history.check_effects(settings)?;
        }
        // The membership that was in force counts: in the same step the leader can have appended
        // the next one.
        let Some(id) = self.history.committed_id(commit) else { return Ok(()) };
        let holders = self.holders(me, id);
        if before.configuration.has_quorum(holders) {
            return Ok(());
        }
        fail(
            Property::DurableCommit,
            format_args!("{me} committed entry {id} in term {term}"),
            format_args!("{}", whose_disks(holders)),
        )
    }

    /// Judges the disk of a server that has just lost power.
    ///
    /// # Errors
    /// The violation, if a committed entry isn't on enough disks any more.
    pub fn crashed(&self, me: ServerId) -> Verdict {
        let Some(id) = self.history.committed_id(self.history.committed_index()) else { return Ok(()) };
        let holders = self.holders(me, id);
        if id.index == LogIndex::ZERO || self.history.committed_under.has_quorum(holders) {
            return Ok(());
        }
        fail(
            Property::DurableCommit,
            format_args!("entry {id} was committed"),
            format_args!("after {me} has lost power, {}", whose_disks(holders)),
        )
    }

    /// The servers that have an entry on their disks, or had it on a disk that was wiped.
    fn holders(&self, me: ServerId, id: EntryId) -> ServerSet {
        let holds = |disk: &Disk| disk.image().holds(id) || disk.number() > DiskId(1);
        self.disks(me).filter(|(_, disk)| holds(disk)).map(|(server, _)| server).collect()
    }

    fn check_promise(&mut self, raft: &Raft, to: ServerId, message: &Message) -> Verdict {
        let me = raft.id();
        let Some(claim) = message.claim() else { return Ok(()) };
        let (term, vote, matched) = match claim {
            Claim::RequestVote(m) => (m.term, Some(me), None),
            Claim::RequestVoteResponse(m) if m.granted => (m.term, Some(to), None),
            Claim::AppendEntriesResponse(m) => match m.outcome {
                AppendOutcome::Matched(index) | AppendOutcome::Joining { matched: index, .. } => {
                    (m.term, None, Some(index))
                }
                AppendOutcome::Conflict { .. } | AppendOutcome::Damaged { .. } | AppendOutcome::StaleTerm => {
                    return Ok(());
                }
            },
            Claim::InstallSnapshotResponse(m) => match m.progress {
                SnapshotProgress::Installed(index) => (m.term, None, Some(index)),
                SnapshotProgress::Received(_) | SnapshotProgress::StaleTerm => return Ok(()),
            },
            // They promise nothing.
            Claim::PreVote(_)
            | Claim::PreVoteResponse(_)
            | Claim::RequestVoteResponse(_)
            | Claim::AppendEntries(_)
            | Claim::InstallSnapshot(_)
            | Claim::TimeoutNow(_)
            | Claim::ReadIndex(_)
            | Claim::ReadIndexResponse(_) => return Ok(()),
        };
        let hard_state = self.disk.image().hard_state();
        if let Some(candidate) = vote {
            if let Some((_, other)) = self.history.votes[me.slot()]
                && self.history.votes[me.slot()].is_some_and(|(known, _)| known == term)
                && other != candidate
            {
                let first = format!("{me} voted for {other} in term {term}");
                return fail(Property::OneVoteATerm, first, format_args!("it votes for {candidate} in the same term"));
            }
            if self.history.votes[me.slot()] != Some((term, candidate)) {
                self.remember(|history| history.votes[me.slot()] = Some((term, candidate)));
            }
            if hard_state.term != term || hard_state.voted_for != Some(candidate) {
                return fail(
                    Property::DurablePromise,
                    format_args!("{me} says that it votes for {candidate} in term {term}"),
                    format_args!("its disk says {:?} in term {}", hard_state.voted_for, hard_state.term),
                );
            }
        }
        let Some(index) = matched else { return Ok(()) };
        // It acknowledges the leader's entry at that index. An entry that is in a snapshot by now
        // was committed.
        let leader = self.nodes.get(to.slot()).and_then(|node| node.raft.as_ref());
        let leader = leader.filter(|leader| leader.is_leader() && leader.term() == term);
        let meant = leader.unwrap_or(raft).log().id_at(index).or_else(|| self.history.committed_id(index));
        let id = meant.or_else(|| raft.log().id_at(index)).unwrap_or(EntryId::new(index, Term::ZERO));
        if self.disk.image().holds(id) && hard_state.term >= term {
            return Ok(());
        }
        fail(
            Property::DurablePromise,
            format_args!("{me} acknowledges entries up to {id} in term {term}"),
            format_args!("its disk ends with {} in term {}", self.disk.image().log().last(), hard_state.term),
        )
    }

    fn check_applied(&self, before: &Before, raft: &Raft, out: &Output) -> Verdict {
        let me = raft.id();
        let mut applied = before.applied;
        if let Some(snapshot) = &out.restore {
            let last = snapshot.meta.last;
            if last.index < applied {
                let first = format!("{me} had applied everything up to {applied}");
                return fail(Property::MonotonicState, first, format_args!("it went back to a snapshot up to {last}"));
            }
            if self.history.committed_id(last.index) != Some(last) {
                let first = format!("leaders have committed up to {}", self.history.committed_index());
                return fail(
                    Property::StateMachineSafety,
                    first,
                    format_args!("{me} took a snapshot up to {last}, which isn’t what they committed"),
                );
            }
            applied = last.index;
        }
        for (index, entry) in out.committed_entries() {
            if index != applied.next() {
                let first = format!("{me} had applied everything up to {applied}");
                return fail(Property::StateMachineSafety, first, format_args!("it applies {index} next"));
            }
            applied = index;
            match self.history.committed_at(index) {
                Some(known) if known == entry => {}
                Some(known) => {
                    let first = format!("{:?} of term {} was committed at {index}", known.payload, known.term);
                    let second = format!("{me} applies {:?} of term {}", entry.payload, entry.term);
                    return fail(Property::StateMachineSafety, first, second);
                }
                None => {
                    let first = format!("leaders have committed up to {} only", self.history.committed_index());
                    let second = format!("{me} applies {}", EntryId::new(index, entry.term));
                    return fail(Property::StateMachineSafety, first, second);
                }
            }
        }
        Ok(())
    }
}

/// Whether every quorum of one membership shares a server with every quorum of the other. There are
/// few enough servers to try all.
fn quorums_meet(before: Configuration, next: Configuration) -> bool {
    let everyone = before.all_voters().union(next.all_voters());
    let voters: Vec<ServerId> = everyone.iter().collect();
    (0..1_u32 << voters.len()).all(|side| {
        let one_side = voters.iter().enumerate().filter(|(bit, _)| side >> bit & 1 == 1).map(|(_, server)| *server);
        let one_side: ServerSet = one_side.collect();
        !(before.has_quorum(one_side) && next.has_quorum(everyone.difference(one_side)))
    })
}

fn describe(configuration: &Configuration) -> String {
    let Configuration { voters, outgoing, .. } = configuration;
    if configuration.is_joint() { format!("{voters} with {outgoing}") } else { format!("{voters}") }
}
