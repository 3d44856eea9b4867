//! The safety checker: it sees every step of every server, and remembers just enough to judge the
//! next.

use alloc::boxed::Box;
use alloc::fmt;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::by_server::ByServer;
use super::changes::{self, Memberships};
use super::economy::Economy;
use super::elections::Elections;
use super::grounds::Grounds;
use super::leavers::Leavers;
use super::promises::Promises;
use super::replication::{Replication, progress_of};
use super::requests::Requests;
use super::taken::{Content, Taken};
use super::view::{MachineView, Machines, servers_where};
use super::{Property, Violation};
use crate::kv;
use crate::raft::{
    AppendOutcome, Claim, Configuration, Entry, EntryId, Envelope, Log, LogIndex, Message, Output, Payload, Raft,
    Refusal, Rule, ServerId, ServerSet, Standing, Term, Write,
};
use crate::sorted::Sorted;
use crate::time::Time;

/// The most entries remembered that aren't committed.
pub const OPEN_MAX: usize = 4_096;

/// The most machines that are watched.
pub const MACHINES: usize = 16;

/// How often the committed log is compacted to what some server still needs, in entries.
const COMPACT_EVERY: u64 = 1_024;

/// Checks every step of every server against everything before. See the [module's essay](super).
#[derive(Clone, Debug)]
pub struct Checker {
    /// The leader of each term.
    leaders: Sorted<Term, ServerId>,
    /// Everything committed, as it was in the log of the first leader that committed it.
    committed: Log,
    /// For each term in which something was committed, the last index.
    committed_in: Vec<(Term, LogIndex)>,
    /// The committed memberships, beginning with the cluster's first.
    committed_memberships: Memberships,
    /// The membership whose quorum has the last committed entry.
    committed_under: Configuration,
    /// The servers whose disks the world has destroyed since then.
    destroyed: ServerSet,
    /// Uncommitted entries that some server has put into its log, each with the entry that it
    /// follows.
    open: Sorted<EntryId, (EntryId, Entry)>,
    pub(super) promises: Promises,
    pub(super) requests: Requests,
    pub(super) economy: Economy,
    pub(super) elections: Elections,
    pub(super) grounds: Grounds,
    pub(super) leavers: Leavers,
    pub(super) replication: Replication,
    seen: ByServer<Seen>,
    /// The message that the next server to step receives.
    taken: Taken,
    /// The memberships in each server's log.
    memberships: ByServer<Memberships>,
    /// Whether broken promises are passed over.
    only_harm: bool,
    /// A property that isn't checked, for tests of the others.
    #[cfg(test)]
    pub(crate) ignored: Option<Property>,
}

/// A server as it was after its last step.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    term: Term,
    commit: LogIndex,
    applied: LogIndex,
    /// The term that it led, zero if none, and the last entry that it had then.
    led: (Term, LogIndex),
    /// The term, and up to where its log has been compared with that of the term's leader, by what
    /// the leader sent.
    compared: (Term, LogIndex),
}

/// The result of a check. The violation is boxed: nearly always there is none, and one word is
/// returned faster than a dozen.
pub(super) type CheckResult = Result<(), Box<Violation>>;

/// Says what the facts of a violation are about, if there is one.
pub(super) trait About {
    /// It is about this server, too.
    fn by(self, server: Option<ServerId>) -> Self;
    /// It is about the entry at this index, too.
    fn at(self, index: LogIndex) -> Self;
}

impl About for CheckResult {
    fn by(mut self, server: Option<ServerId>) -> CheckResult {
        if let (Err(violation), Some(server)) = (&mut self, server) {
            violation.servers.insert(server);
        }
        self
    }

    fn at(mut self, index: LogIndex) -> CheckResult {
        if let Err(violation) = &mut self {
            let place = usize::from(violation.entries[0] > LogIndex::ZERO);
            violation.entries[place] = index;
        }
        self
    }
}

impl Checker {
    /// A checker for a cluster that begins with these voters, on at most `machines` machines,
    /// before anything has happened.
    pub fn new(voters: ServerSet, machines: u8) -> Checker {
        let count = usize::from(machines);
        let bootstrap = Configuration::of_voters(voters);
        Checker {
            leaders: Sorted::default(),
            committed: Log::after(EntryId::ZERO),
            committed_in: Vec::new(),
            committed_memberships: Memberships::new(bootstrap),
            committed_under: bootstrap,
            destroyed: ServerSet::EMPTY,
            open: Sorted::default(),
            promises: Promises::new(count),
            requests: Requests::new(count),
            economy: Economy::new(),
            elections: Elections::new(voters, count),
            grounds: Grounds::new(count),
            leavers: Leavers::new(count),
            replication: Replication::new(count),
            seen: ByServer::new(Seen::default(), count),
            taken: Taken::default(),
            memberships: ByServer::new(Memberships::default(), count),
            only_harm: false,
            #[cfg(test)]
            ignored: None,
        }
    }

    /// From now on, looks only for harm ([`Property::is_harm`]), and passes over broken promises.
    /// Passed over, too, is whatever one server does without grounds, such as to lead unelected:
    /// the harm is what comes of that.
    pub fn only_harm(&mut self) {
        self.only_harm = true;
    }

    /// Whether a property is checked.
    fn looks_at(&self, property: Property) -> bool {
        #[cfg(test)]
        if self.ignored == Some(property) {
            return false;
        }
        !self.only_harm || property.is_harm()
    }

    /// Makes a violation of two facts that can't both be right.
    #[cold]
    #[inline(never)]
    pub(super) fn broken(
        &self,
        property: Property,
        at: Time,
        first: fmt::Arguments<'_>,
        second: fmt::Arguments<'_>,
    ) -> CheckResult {
        if !self.looks_at(property) {
            return Ok(());
        }
        let (first, second) = (fmt::format(first), fmt::format(second));
        let (servers, entries) = Default::default();
        Err(Box::new(Violation { property, first, second, servers, entries, at }))
    }

    /// Makes a violation of what one server does, in words without numbers: its time tells where to
    /// look. Whatever the property, that is no harm yet, only what leads to it.
    #[cold]
    #[inline(never)]
    pub(super) fn out_of_order(
        &self,
        property: Property,
        at: Time,
        who: ServerId,
        first: &str,
        second: &str,
    ) -> CheckResult {
        if self.only_harm {
            return Ok(());
        }
        self.broken(property, at, format_args!("{who} {first}"), format_args!("{second}"))
    }

    /// A server started from its disk. `bootstrap` is its first membership, if it is a founder.
    ///
    /// # Errors
    /// The violation, if it starts with something else than its disk holds.
    pub fn started(
        &mut self,
        now: Time,
        raft: &Raft,
        machine: &dyn MachineView,
        bootstrap: Configuration,
    ) -> CheckResult {
        let image = machine.image();
        let me = raft.id();
        let before = self.seen[me];
        self.seen[me] = Seen {
            term: before.term.min(raft.term()),
            commit: raft.commit_index(),
            applied: raft.applied_index(),
            ..Seen::default()
        };
        let first = image.snapshot().map(|snapshot| self.committed_memberships.at(snapshot.meta.last.index));
        let first = first.unwrap_or((LogIndex::ZERO, bootstrap));
        self.memberships[me] = Memberships::of_disk(image, first);
        self.elections.started(raft, machine.clock_reading(now));
        self.grounds.started(raft);
        self.replication.started(raft);
        let hard_state = image.hard_state();
        let (held, found) = (image.log().last(), raft.log().last());
        if hard_state.term != raft.term() || held != found {
            let first = format_args!("the disk of {me} holds term {} and a log up to {held}", hard_state.term);
            let second = format_args!("it starts in term {} with a log up to {found}", raft.term());
            return self.broken(Property::MonotonicState, now, first, second);
        }
        Ok(())
    }

    /// The leader of a term.
    pub(super) fn leader_of(&self, term: Term) -> Option<ServerId> {
        self.leaders.get(term).copied()
    }

    /// The membership in force in a server's log, and since which entry.
    pub(super) fn membership_of(&self, server: ServerId) -> (LogIndex, Configuration) {
        self.memberships[server].latest()
    }

    /// The last index that some leader has committed.
    pub fn committed_index(&self) -> LogIndex {
        self.committed.last().index
    }

    /// The entry that is committed at `index`, if it is remembered.
    pub(super) fn committed_id(&self, index: LogIndex) -> Option<EntryId> {
        self.committed.id_at(index)
    }

    /// Whether the leader of `term`, or of an earlier one, has committed an entry. A leader counts
    /// only promises of its own term.
    #[inline(never)]
    pub(super) fn is_committed_by(&self, term: Term, id: EntryId) -> bool {
        let first = self.committed_in.partition_point(|(_, last)| *last < id.index);
        self.committed_id(id.index) == Some(id)
            && self.committed_in.get(first).is_some_and(|(in_term, _)| *in_term <= term)
    }

    /// A server crashed. Its machine shows what the crash left on the disk.
    ///
    /// # Errors
    /// The violation, if something that had to be on the disk is gone.
    pub fn crashed(&mut self, now: Time, server: ServerId, machines: &dyn Machines) -> CheckResult {
        let seen = &mut self.seen[server];
        seen.led = Default::default();
        seen.compared = Default::default();
        self.economy.crashed(server);
        self.leavers.crashed(server);
        self.forget_requests(server);
        if let Some(machine) = machines.get(server.slot()) {
            self.check_kept(now, machine)?;
        }
        let id = self.committed.last();
        let holders = self.destroyed.union(holders(machines, id));
        if self.committed_under.has_quorum(holders) {
            return Ok(());
        }
        let first =
            format_args!("entry {id} was committed under the membership {}", changes::describe(&self.committed_under));
        let second = format_args!("after the crash of {server} {}", whose_disks(holders));
        self.broken(Property::DurableCommit, now, first, second).at(id.index)
    }

    /// The world has destroyed the log on a server's disk, and with `everything` the rest of it,
    /// too.
    pub fn destroyed(&mut self, server: ServerId, everything: bool) {
        self.destroyed.insert(server);
        self.replication.destroyed(server);
        if everything {
            self.elections.wiped(server);
        }
        self.promises.release(server, everything);
    }

    /// A server is about to receive another's message.
    pub fn received(&mut self, now: Time, server: ServerId, from: ServerId, message: &Message) {
        self.taken = Taken::of(from, message);
        if let Message::ReadIndex(m) = message {
            self.grounds.asked(now, server, from, m);
        }
    }

    /// A server took a step and decided `out`, which isn't carried out yet.
    ///
    /// # Errors
    /// The violation, if the step contradicts an earlier one.
    pub fn stepped(&mut self, now: Time, raft: &Raft, out: &Output, machines: &dyn Machines) -> CheckResult {
        self.check_step(now, raft, out, machines).by(Some(raft.id()))
    }

    fn check_step(&mut self, now: Time, raft: &Raft, out: &Output, machines: &dyn Machines) -> CheckResult {
        let me = raft.id();
        if now >= self.economy.ends {
            self.close_window(now, me, machines)?;
        }
        let taken = core::mem::take(&mut self.taken);
        let seen = &self.seen[me];
        let leads = if raft.is_leader() { raft.term() } else { Term::ZERO };
        let leads_before = seen.led.0;
        let routine = (seen.term, seen.commit, seen.led.0) == (raft.term(), raft.commit_index(), leads)
            && out.writes.is_empty()
            && out.committed.is_empty()
            && out.reads.is_empty()
            && out.restore.is_none();
        // Most steps are routine: they decide nothing, and only handle heartbeats and answers.
        if routine && self.check_routine(now, raft, &taken, machines)? {
            if let Content::Append { .. } = taken.content {
                self.seen[me].compared = self.compare(raft, &taken);
            }
        } else {
            self.check_decisions(now, raft, out, &taken, machines)?;
        }
        if !out.messages.is_empty() {
            self.check_messages(now, raft, out, &taken, machines)?;
        }
        self.check_held(now, raft, out, &taken)?;
        for refused in &out.refused {
            if let Refusal::LearnerBehind { server, matched, .. } = refused.reason {
                self.check_refusal(now, raft, server, matched)?;
            }
        }
        if out.messages.is_empty()
            && let Content::Append { previous, last, .. } = &taken.content
            && previous == last
        {
            self.check_answered(now, raft, &taken, machines)?;
        }
        self.elections.done(me);
        if raft.is_leader() || leads_before > Term::ZERO {
            self.check_leavers(now, raft, out, &taken)?;
            if let Content::Answer { .. } = taken.content {
                self.check_released(now, raft)?;
            }
        }
        self.check_requests(now, me)
    }

    /// Checks a step that decided nothing, if it received an append from a known leader, or an
    /// answer to one, or nothing that counts. Tells whether that was so.
    fn check_routine(
        &mut self,
        now: Time,
        raft: &Raft,
        taken: &Taken,
        machines: &dyn Machines,
    ) -> Result<bool, Box<Violation>> {
        let me = raft.id();
        let Some(machine) = machines.get(me.slot()) else { return Ok(false) };
        if !self.elections.hears(raft, machine.clock_reading(now), taken) {
            return Ok(false);
        }
        self.check_heard(now, raft, taken, machines)?;
        self.check_log(now, raft)?;
        self.check_taken(now, raft, taken, machines)?;
        Ok(true)
    }

    /// Checks a step that decided something.
    fn check_decisions(
        &mut self,
        now: Time,
        raft: &Raft,
        out: &Output,
        taken: &Taken,
        machines: &dyn Machines,
    ) -> CheckResult {
        let me = raft.id();
        let seen = self.seen[me];
        if raft.term() < seen.term {
            let (first, second) =
                (format_args!("{me} was in term {}", seen.term), format_args!("it is in term {}", raft.term()));
            self.broken(Property::MonotonicState, now, first, second)?;
        }
        if raft.commit_index() < seen.commit {
            let first = format_args!("{me} had committed up to {}", seen.commit);
            let second = format_args!("its commit index is {}", raft.commit_index());
            self.broken(Property::MonotonicState, now, first, second)?;
        }
        if raft.is_leader() {
            self.check_leader(now, raft, machines)?;
            self.check_demotion(now, raft, seen.commit)?;
        }
        // A leader that commits its own removal steps down in the same step.
        let led = raft.is_leader() || seen.led.0 == raft.term();
        if led && raft.commit_index() > seen.commit {
            self.check_commit(now, raft, machines)?;
        }
        let led_before = seen.led.0 == seen.term && seen.term > Term::ZERO;
        self.check_elections(now, raft, out, (seen.term, led_before), taken, machines)?;
        self.check_heard(now, raft, taken, machines)?;
        self.check_reads(now, raft, out, machines)?;
        self.check_replication(now, raft, out, taken, machines)?;
        for write in &out.writes {
            self.check_write(now, raft, write, machines)?;
        }
        let compared = self.compare(raft, taken);
        if !led && raft.commit_index() > seen.commit {
            self.check_comparison(now, raft, compared)?;
        }
        let applied = self.check_applied(now, raft, out)?;
        if out.snapshot_wanted {
            self.check_snapshot_wanted(now, raft)?;
        }
        self.seen[me] = Seen {
            term: raft.term(),
            commit: raft.commit_index(),
            applied,
            led: if raft.is_leader() { (raft.term(), raft.log().last().index) } else { Default::default() },
            compared,
        };
        Ok(())
    }

    /// Checks the messages that a step sends.
    fn check_messages(
        &mut self,
        now: Time,
        raft: &Raft,
        out: &Output,
        taken: &Taken,
        machines: &dyn Machines,
    ) -> CheckResult {
        let (me, leads) = (raft.id(), raft.is_leader());
        let Some(machine) = machines.get(me.slot()) else { return Ok(()) };
        let image = machine.image();
        let mut asks = false;
        for Envelope { to, message } in &out.messages {
            let to = *to;
            self.count_messages(now, raft, to, message)?;
            let Some(claim) = message.claim() else { continue };
            match claim {
                Claim::AppendEntries(m) => {
                    self.begin_round(now, me, m.round);
                    if leads {
                        self.check_followers(now, raft, m.round)?;
                        self.check_sent(now, raft, (to, m), taken)?;
                    }
                }
                Claim::AppendEntriesResponse(m) => {
                    self.check_acknowledged(now, raft, (to, m), machines, image)?;
                    let rejected = matches!(m.outcome, AppendOutcome::Conflict { .. } | AppendOutcome::Damaged { .. });
                    if rejected && taken.from == Some(to) {
                        self.check_rejection(now, raft, &m.outcome, taken)?;
                    }
                }
                Claim::InstallSnapshot(m) => {
                    self.begin_round(now, me, m.round);
                    self.check_pieces(now, raft, to)?;
                }
                Claim::InstallSnapshotResponse(m) => self.check_installed(now, raft, (to, m), machines, image)?,
                Claim::PreVote(_) => asks = true,
                Claim::PreVoteResponse(m) => {
                    if m.granted {
                        self.check_consent_given(now, raft, (m.term, to), taken)?;
                    }
                }
                Claim::RequestVote(m) => {
                    self.check_vote(now, me, m.term, me, image)?;
                    if m.leadership_transfer {
                        self.check_wish(now, me, m.term)?;
                    }
                }
                Claim::RequestVoteResponse(m) => {
                    if m.granted {
                        self.check_vote(now, me, m.term, to, image)?;
                    }
                }
                Claim::TimeoutNow(m) => {
                    self.hand_over(me, m.term);
                    self.check_successor(now, raft, to, machines)?;
                }
                Claim::ReadIndex(_) => self.check_question(now, raft, machine)?,
                Claim::ReadIndexResponse(m) => self.check_answer(now, raft, (to, m), machines)?,
            }
        }
        if asks { self.check_questions(now, raft, machine) } else { Ok(()) }
    }

    /// Up to where the server's log is known to equal its leader's, after what it has just
    /// received: if the log has the last entry that the leader named, up to there (Log Matching).
    fn compare(&self, raft: &Raft, taken: &Taken) -> (Term, LogIndex) {
        let (compared_in, compared) = self.seen[raft.id()].compared;
        let (Content::Append { last, .. } | Content::Piece { last }) = &taken.content else {
            return (compared_in, compared);
        };
        // Most messages say nothing new. Only what the leader itself sent counts.
        let news = taken.term != compared_in || last.index > compared;
        if news && taken.term == raft.term() && self.leader_of(taken.term) == taken.from && raft.log().contains(*last) {
            (taken.term, last.index)
        } else {
            (compared_in, compared)
        }
    }

    /// Verified Commit: a follower raised its commit index.
    #[inline(never)]
    fn check_comparison(&self, now: Time, raft: &Raft, (term, compared): (Term, LogIndex)) -> CheckResult {
        let me = raft.id();
        let compared = if term == raft.term() { compared } else { LogIndex::ZERO };
        if raft.commit_index() <= compared {
            return Ok(());
        }
        let first = format_args!("{me} has compared its log with its leader’s up to {compared}");
        let second = format_args!("it commits up to {}", raft.commit_index());
        self.broken(Property::VerifiedCommit, now, first, second)
    }

    fn check_write(&mut self, now: Time, raft: &Raft, write: &Write, machines: &dyn Machines) -> CheckResult {
        let me = raft.id();
        if let Some(snapshot) = &write.snapshot {
            let meta = &snapshot.meta;
            let (since, membership) = self.committed_memberships.at(meta.last.index);
            self.memberships[me].begin_with(meta.last.index, (since, membership));
            // A server that joined knows no members before the first entry that names some.
            let says_nothing = meta.configuration.voters.is_empty();
            self.check_compaction(now, raft, meta.last.index)?;
            if !says_nothing && (meta.configuration_index, meta.configuration) != (since, membership) {
                let first = format_args!("{} is the membership since {since}", changes::describe(&membership));
                let (theirs, since) = (changes::describe(&meta.configuration), meta.configuration_index);
                let second = format_args!("a snapshot of {me} up to {} says {theirs} since {since}", meta.last);
                self.broken(Property::LawfulMembership, now, first, second)?;
            }
        }
        let Some(log) = &write.log else { return Ok(()) };
        let (term, last) = self.seen[me].led;
        if raft.is_leader() && term == raft.term() && log.after < last {
            let first = format_args!("{me} led term {term} with entries up to {last}");
            let second = format_args!("it dropped those after {}", log.after);
            self.broken(Property::LeaderAppendOnly, now, first, second)?;
        }
        self.memberships[me].truncate_after(log.after);
        self.release_overwritten(raft, log.after);
        let mut previous = raft.log().id_at(log.after);
        let mut index = log.after;
        for entry in log.entries.as_slice() {
            let id = EntryId::new(index.next(), entry.term);
            index = id.index;
            if let Some(previous) = previous.replace(id) {
                self.check_entry(now, me, previous, id, entry)?;
            }
            if let Payload::Admission { server, .. } = &entry.payload
                && raft.is_leader()
            {
                let (_, membership) = self.memberships[me].latest();
                // The votes of a voter's old disk may be on their way.
                if membership.is_joint() || !membership.learners.contains(*server) {
                    let (first, second) = ("admits a disk", "its server isn’t a settled learner");
                    self.out_of_order(Property::LawfulMembership, now, me, first, second)?;
                }
            }
            if let Payload::Membership(next) = &entry.payload {
                let (before, next) = (self.memberships[me].latest(), (id.index, **next));
                if raft.is_leader() {
                    self.replication.members_change(me);
                }
                self.memberships[me].append(next);
                if raft.is_leader() {
                    self.check_change(now, raft, before, next)?;
                    self.check_newcomers(now, raft, before, next, machines)?;
                }
            }
        }
        Ok(())
    }

    /// Lawful Membership: a leader appends a membership.
    fn check_change(
        &self,
        now: Time,
        raft: &Raft,
        before: (LogIndex, Configuration),
        after: (LogIndex, Configuration),
    ) -> CheckResult {
        // A later leader may have committed what this one appended.
        let term = raft.term();
        let own_commit = self.committed_in.iter().any(|(committed_in, _)| *committed_in == term)
            || self.committed.last_not_after(self.committed.last().index, term).term == term;
        match changes::unlawful(raft, self.committed.last().index, own_commit, before, after) {
            Some((first, second)) => {
                self.broken(Property::LawfulMembership, now, format_args!("{first}"), format_args!("{second}"))
            }
            None => Ok(()),
        }
    }

    /// Lawful Membership: a new voter knows that it is a member, and hardly lags (dissertation
    /// §4.2.1).
    fn check_newcomers(
        &self,
        now: Time,
        raft: &Raft,
        (since, before): (LogIndex, Configuration),
        (index, after): (LogIndex, Configuration),
        machines: &dyn Machines,
    ) -> CheckResult {
        let (me, log) = (raft.id(), raft.log());
        for newcomer in after.voters.difference(before.all_voters()).iter() {
            let votes = progress_of(raft, newcomer).is_none_or(|known| known.may_vote == Some(true));
            if !votes && raft.config().rules.on(Rule::BarAmnesiacVoters) {
                let (first, second) = ("makes a voter of a learner", "the learner hasn’t said that it may vote");
                self.out_of_order(Property::LawfulMembership, now, me, first, second)?;
            }
            let Some(machine) = machines.get(newcomer.slot()).filter(|_| self.replication.is_kept(newcomer)) else {
                continue;
            };
            let image = machine.image();
            let near = image.log().last().index.plus(raft.config().learner_lag_max) >= index.previous();
            let needed =
                self.replication.two_seconds_ago(me, raft.term()).filter(|_| !near).unwrap_or(since).max(since);
            // Another leader may have overwritten entries from a leader that was deposed and
            // doesn't know it.
            if image.hard_state().term > raft.term() || log.id_at(needed).is_none_or(|needed| image.holds(needed)) {
                continue;
            }
            let (first, second) = ("makes a voter of a learner", "the learner lacks entries");
            self.out_of_order(Property::LawfulMembership, now, me, first, second)?;
        }
        Ok(())
    }

    /// Log Matching: all servers agree on what an entry says and which one it follows.
    fn check_entry(&mut self, now: Time, me: ServerId, previous: EntryId, id: EntryId, entry: &Entry) -> CheckResult {
        let known = match self.committed.get(id.index) {
            Some(committed) if committed.term == id.term => {
                self.committed.id_at(id.index.previous()).map(|before| (before, committed))
            }
            _ => self.open.get(id).map(|(before, entry)| (*before, entry)),
        };
        match known {
            Some((before, known)) if before != previous || *known != *entry => {
                let first = format_args!("entry {id} was {} after {before}", describe(known));
                let second = format_args!("{me} has it as {} after {previous}", describe(entry));
                self.broken(Property::LogMatching, now, first, second).at(id.index)
            }
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

    fn check_leader(&mut self, now: Time, raft: &Raft, machines: &dyn Machines) -> CheckResult {
        let (me, term) = (raft.id(), raft.term());
        if self.seen[me].led.0 == term {
            return Ok(());
        }
        if let Some(other) = self.leaders.insert(term, me).filter(|other| *other != me) {
            let first = format_args!("{other} led term {term}");
            self.broken(Property::ElectionSafety, now, first, format_args!("{me} leads it too")).by(Some(other))?;
        }
        self.check_election(now, raft, machines)?;
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
        let first = format_args!("entry {id} was committed in term {committed_in}");
        let second = format_args!("{me} leads term {term} with a log that ends with {} and lacks it", log.last());
        self.broken(Property::LeaderCompleteness, now, first, second).by(self.leader_of(committed_in)).at(index)
    }

    /// A leader raised its commit index.
    fn check_commit(&mut self, now: Time, raft: &Raft, machines: &dyn Machines) -> CheckResult {
        let (me, commit) = (raft.id(), raft.commit_index());
        // An entry of an earlier term can still be overwritten, though a quorum has it. It is
        // committed together with one of the leader's own term.
        let last = raft.log().id_at(commit).unwrap_or_default();
        if last.term < raft.term() && raft.config().rules.on(Rule::CommitOnlyOwnTerm) {
            self.out_of_order(
                Property::VerifiedCommit,
                now,
                me,
                "leads",
                "it commits an entry of an earlier term by counting",
            )?;
        }
        let before = self.committed.last().index;
        if commit <= before {
            return Ok(());
        }
        self.note_committed(raft, machines);
        // Durable Commit. The leader counted by the membership in force before the step: as soon as
        // a joint one is committed, its leader appends the next. This step's writes haven't been
        // checked yet.
        let (_, configuration) = self.memberships[me].latest();
        let id = self.committed.last();
        let holders = holders(machines, id);
        (self.committed_under, self.destroyed) = (configuration, ServerSet::EMPTY);
        if configuration.has_quorum(holders) {
            return Ok(());
        }
        let first = format_args!("{me} committed entry {id} in term {}", raft.term());
        self.broken(Property::DurableCommit, now, first, format_args!("{}", whose_disks(holders))).at(id.index)
    }

    /// Remembers what a leader has committed.
    fn note_committed(&mut self, raft: &Raft, machines: &dyn Machines) {
        let (before, commit) = (self.committed.last().index, raft.commit_index());
        while self.committed.last().index < commit {
            let index = self.committed.last().index.next();
            let Some(entry) = raft.log().get(index) else { break };
            let id = self.committed.append(entry.clone());
            self.open.remove(id);
            match &entry.payload {
                Payload::Membership(configuration) => self.committed_memberships.append((index, **configuration)),
                Payload::Admission { server, disk } => {
                    self.elections.admit(*server, *disk, index);
                    self.promises.admit(*server);
                }
                Payload::NoOp | Payload::Command(_) => {}
            }
        }
        match self.committed_in.last_mut() {
            Some((term, index)) if *term == raft.term() => *index = commit,
            _ => self.committed_in.push((raft.term(), commit)),
        }
        if commit.0 / COMPACT_EVERY > before.0 / COMPACT_EVERY {
            self.forget(machines);
        }
    }

    /// Forgets the entries that every server has in a snapshot.
    fn forget(&mut self, machines: &dyn Machines) {
        let needed = (0..MACHINES).map_while(|slot| machines.get(slot)).fold(LogIndex(u64::MAX), |needed, machine| {
            let running = machine.raft().map_or(needed, |raft| raft.log().base().index);
            needed.min(running).min(machine.image().log().base().index)
        });
        if let Some(base) = self.committed.id_at(needed) {
            self.committed.compact_to(base);
            self.open.retain(|id| id.index > needed);
        }
    }

    /// State Machine Safety. Gives up to where the server has applied afterwards.
    fn check_applied(&self, now: Time, raft: &Raft, out: &Output) -> Result<LogIndex, Box<Violation>> {
        let me = raft.id();
        let mut applied = self.seen[me].applied;
        // Who led when the entry that is committed there came into the log.
        let taken_by = |index| self.committed.term_at(index).and_then(|term| self.leader_of(term));
        let contradiction = |index: LogIndex, first: fmt::Arguments<'_>, second: fmt::Arguments<'_>| {
            self.broken(Property::StateMachineSafety, now, first, second).by(taken_by(index)).at(index)
        };
        if let Some(snapshot) = &out.restore {
            let last = snapshot.meta.last;
            if last.index <= applied {
                let first = format_args!("{me} had applied everything up to {applied}");
                let second = format_args!("it went back to a snapshot up to {last}");
                self.broken(Property::MonotonicState, now, first, second)?;
            }
            if last.index > self.committed.base().index && !self.committed.contains(last) {
                let known = self.committed.last();
                contradiction(
                    last.index,
                    format_args!("the committed log ends with {known}"),
                    format_args!("{me} took a snapshot up to {last}"),
                )?;
            }
            applied = last.index;
        }
        for (index, entry) in out.committed_entries() {
            if index != applied.next() {
                let first = format_args!("{me} had applied everything up to {applied}");
                contradiction(index, first, format_args!("it applies {index} next"))?;
            }
            applied = index;
            if index <= self.committed.base().index {
                continue;
            }
            match self.committed.get(index) {
                Some(known) if known == entry => {}
                Some(known) => {
                    let first = format_args!("{} of term {} was committed at {index}", describe(known), known.term);
                    let second = format_args!("{me} applies {} of term {}", describe(entry), entry.term);
                    contradiction(index, first, second)?;
                }
                None => {
                    let last = self.committed.last();
                    contradiction(
                        index,
                        format_args!("leaders have committed up to {last} only"),
                        format_args!("{me} applies {}", EntryId::new(index, entry.term)),
                    )?;
                }
            }
        }
        Ok(applied)
    }
}

/// The servers whose disks have an entry and may vote. A disk that may not vote is a new one, which
/// has forgotten the promises of the one before.
fn holders(machines: &dyn Machines, id: EntryId) -> ServerSet {
    let holds = |machine: &dyn MachineView| {
        let image = machine.image();
        image.holds(id) && image.hard_state().standing == Standing::Member
    };
    servers_where(machines, &holds)
}

fn describe(entry: &Entry) -> String {
    match &entry.payload {
        Payload::NoOp => String::from("a no-op"),
        Payload::Membership(_) => String::from("a membership"),
        Payload::Admission { server, .. } => format!("the admission of {server}’s disk"),
        Payload::Command(bytes) => match kv::in_words(bytes) {
            (kv::Asks::Operation, words) => format!("“{words}”"),
            (kv::Asks::Session, words) => format!("a {words}"),
            (kv::Asks::Nothing, words) => words,
        },
    }
}

/// `only S2 has it on its disk`, for the end of a sentence.
pub fn whose_disks(holders: ServerSet) -> String {
    match holders.len() {
        0 => String::from("nobody has it on a disk"),
        1 => format!("only {holders} has it on its disk"),
        _ => format!("only {holders} have it on their disks"),
    }
}
