//! Replication: what leaders and followers must do for each other's logs. Most mistakes here are
//! harmless: something is sent again, or in vain, and the cluster is slower than it could be.
//!
//! * **Log Matching**: what a leader sends is what its log holds.
//! * **Verified Commit**: a follower commits no less than it has compared and its leader has
//!   committed (Raft Figure 2: "if leaderCommit > commitIndex, set commitIndex").
//! * **Monotonic State**: the index up to which a leader knows a member to match goes down only if
//!   the member says that it has lost entries, or may have another disk.
//! * **Durable Promise**: an entry that enters the log is handed to the disk in the same step.
//! * **Economy**: a follower that has the entry before an append takes the append's entries. A
//!   rejection says where the two logs may agree, and the leader goes back exactly there (Raft
//!   §5.3). What is sent together stays within the limits.
//! * **Orderly Elections**: leadership is handed to a voter that has the log, and nothing new
//!   enters the log meanwhile (dissertation §3.10).
//!
//! Each is checked only while the rules on which it rests are on.

use super::Property;
use super::by_server::ByServer;
use super::safety::{CheckResult, Checker, MACHINES};
use super::taken::{Content, Says, Taken};
use super::view::{MachineView, Machines};
use crate::clock::TRUE_RATE;
use crate::raft::{
    AppendEntries, AppendOutcome, Claim, DiskId, Entry, EntryId, Envelope, Log, LogIndex, Output, Payload, Progress,
    ProgressState, Raft, Role, Rule, ServerId, ServerSet, SnapshotProgress, Standing, Term,
};
use crate::time::{Duration, Time};

/// How many entries of an append are compared with the sender's log.
const COMPARED: usize = 16;

/// A learner that was last refused this long ago is watched anew.
const MOMENT: Duration = Duration::from_millis(100);

/// A learner keeps up if it has everything that the log had this many refusals ago: within an
/// election timeout.
const LOOKS: usize = 5;

/// A learner that has kept up this long must be made a voter: longer than the leader takes to be
/// sure of it.
const LONG: Duration = Duration::from_millis(2_500);

/// Parts of some violations.
const SENDS: &str = "sends an append";
const TELLS: &str = "tells another server to campaign";
const UNEXPECTED: &str = "there are too many, or they aren’t the next ones";

/// What is known of each server.
#[derive(Clone, Debug)]
pub(super) struct Replication {
    of: ByServer<Link>,
    /// The servers whose disks the world has destroyed: what others know of them may be older than
    /// that, and arrive late.
    destroyed: ServerSet,
}

/// What is known of one server.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    /// The last entry that was handed to its disk.
    written: EntryId,
    /// As a leader, for each member: the term, the round since when it counts, and the index up to
    /// which it matches; and the last probe that it was sent.
    matched: [(Term, u64, LogIndex); MACHINES],
    probes: [u64; MACHINES],
    /// As a leader: the members that have told it that their disk has lost entries, or is another
    /// one, and that have lost none since.
    told: ServerSet,
    /// How many writes were handed to its disk, and which messages wait for them.
    writes: usize,
    waits: Waits,
    /// As a leader: whether it was handing over leadership after its last step.
    hands_over: bool,
    /// Its term and the last index of its log at the end of each of the last seconds, the latest
    /// first.
    before: [(Term, LogIndex); 3],
    /// Whether its clock runs at another rate than the world's.
    odd: bool,
    /// As a leader, the learner that it has refused to make a voter because it lags.
    refused: RefusedLearner,
}

/// The messages that wait for a server's disk.
#[derive(Clone, Copy, Debug, Default)]
struct Waits {
    term: Term,
    count: usize,
    /// How many writes had been handed to the disk when the last of them came, without that step's
    /// and with them.
    writes: (usize, usize),
    /// The last of them, if it says how much its sender has: the receiver, the probe that it
    /// answers (or none), how far the log and the disk go; and its round.
    last: Option<([u64; 4], u64)>,
}

/// A learner that was refused.
#[derive(Clone, Copy, Debug, Default)]
struct RefusedLearner {
    who: Option<ServerId>,
    term: Term,
    /// When it was refused last, and since when it has kept up nevertheless.
    at: Time,
    since: Time,
    /// How far the leader's log went at the last refusals, the latest first.
    lasts: [LogIndex; LOOKS],
}

impl Replication {
    pub(super) fn new(count: usize) -> Replication {
        Replication { of: ByServer::new(Link::default(), count), destroyed: ServerSet::EMPTY }
    }

    pub(super) fn started(&mut self, raft: &Raft) {
        let link = &mut self.of[raft.id()];
        (link.written, link.hands_over) = (raft.log().last(), false);
        link.waits = Waits::default();
    }

    /// A server leads from now on.
    pub(super) fn leads(&mut self, server: ServerId) {
        self.of[server].probes = [0; MACHINES];
    }

    /// A leader appends a membership: what it knows of the members may start again.
    pub(super) fn members_change(&mut self, leader: ServerId) {
        self.of[leader].matched = Default::default();
    }

    pub(super) fn destroyed(&mut self, server: ServerId) {
        self.destroyed.insert(server);
        for link in self.of.iter_mut() {
            link.told.remove(server);
        }
    }

    /// Whether a server's disk has never been destroyed.
    pub(super) fn is_kept(&self, server: ServerId) -> bool {
        !self.destroyed.contains(server)
    }

    /// A second is over.
    pub(super) fn second(&mut self, raft: &Raft) {
        let Link { before, odd, .. } = &mut self.of[raft.id()];
        let term = if *odd { Term::ZERO } else { raft.term() };
        *before = [(term, raft.log().last().index), before[0], before[1]];
    }

    /// A server's clock changed: what it showed before is no measure any more, and from now on it
    /// runs at that rate.
    pub(super) fn measure_anew(&mut self, server: ServerId, rate: u32) {
        let link = &mut self.of[server];
        (link.before, link.odd) = (Default::default(), rate != TRUE_RATE);
    }

    /// How far a leader's log went at least two seconds ago by the world's clock (two of the
    /// longest election timeouts), if it was in this term then.
    pub(super) fn two_seconds_ago(&self, leader: ServerId, term: Term) -> Option<LogIndex> {
        let (then, index) = self.of[leader].before[2];
        (then == term).then_some(index)
    }
}

/// The last entry up to `index` whose term is no later than `term`. Looks at one entry after the
/// other.
fn agreeing(log: &Log, index: LogIndex, term: Term) -> EntryId {
    let mut at = index.min(log.last().index);
    while at > log.base().index && log.get(at).is_some_and(|entry| entry.term > term) {
        at = at.previous();
    }
    log.get(at).map_or(log.base(), |entry| EntryId::new(at, entry.term))
}

/// What a leader knows of a member; `None` if the server doesn't lead.
pub(super) fn progress_of(raft: &Raft, member: ServerId) -> Option<&Progress> {
    match raft.role() {
        Role::Leader(leader) => leader.progress(member),
        _ => None,
    }
}

/// The least that a command counts towards a limit in bytes: its own bytes, and some for the entry
/// around it.
fn command_bytes(entry: &Entry) -> u64 {
    if let Payload::Command(bytes) = &entry.payload { 16 + bytes.len() as u64 } else { 0 }
}

impl Checker {
    /// A server took a step.
    pub(super) fn check_replication(
        &mut self,
        now: Time,
        raft: &Raft,
        out: &Output,
        taken: &Taken,
        machines: &dyn Machines,
    ) -> CheckResult {
        let me = raft.id();
        if !out.writes.is_empty() {
            self.note_written(now, raft, out)?;
        }
        self.check_log(now, raft)?;
        self.check_taken(now, raft, taken, machines)?;
        if let Role::Leader(leader) = raft.role() {
            let hands_over = leader.transfer().is_some();
            let before = core::mem::replace(&mut self.replication.of[me].hands_over, hands_over);
            if before && hands_over {
                self.check_handing_over(now, raft, out)?;
            }
        }
        Ok(())
    }

    /// Durable Promise: nothing is in the log that wasn't handed to the disk.
    #[inline]
    pub(super) fn check_log(&self, now: Time, raft: &Raft) -> CheckResult {
        let (written, last) = (self.replication.of[raft.id()].written, raft.log().last());
        if written == last || written.index > last.index {
            return Ok(());
        }
        let second = "its disk was never handed them";
        self.out_of_order(Property::DurablePromise, now, raft.id(), "has entries in its log", second)
    }

    /// A follower has received an append from its leader, or a leader an answer from a member.
    #[inline]
    pub(super) fn check_taken(
        &mut self,
        now: Time,
        raft: &Raft,
        taken: &Taken,
        machines: &dyn Machines,
    ) -> CheckResult {
        match &taken.content {
            Content::Append { previous, last, commit }
                if (previous != last || *commit > raft.commit_index())
                    && (raft.term(), raft.leader()) == (taken.term, taken.from) =>
            {
                self.check_append_taken(now, raft, (*previous, *last, *commit))
            }
            Content::Answer { says, round } if taken.term == raft.term() => {
                self.check_match(now, raft, taken.from, (says, *round), machines)
            }
            _ => Ok(()),
        }
    }

    /// A leader sends an append.
    #[inline]
    pub(super) fn check_sent(
        &mut self,
        now: Time,
        raft: &Raft,
        (to, m): (ServerId, &AppendEntries),
        taken: &Taken,
    ) -> CheckResult {
        let probes = &mut self.replication.of[raft.id()].probes;
        let before = core::mem::replace(&mut probes[to.slot()], m.probe);
        if !m.entries.is_empty() {
            self.check_append(now, raft, m)?;
            self.check_stream(now, raft, (to, m), taken)?;
        } else if let Some(progress) = progress_of(raft, to)
            && m.previous.index > progress.matched
            && matches!(progress.state, ProgressState::Replicate(_))
            // It may have asked the member that it has just heard before it went on to stream.
            && taken.from != Some(to)
            && raft.configuration().members().contains(to)
        {
            let second = "it follows an entry that isn’t known to match";
            self.out_of_order(Property::Economy, now, raft.id(), "sends an append without entries", second)?;
        }
        // A rejection of an earlier probe counts for nothing.
        match &taken.content {
            Content::Answer { says: Says::Rejected { previous, hint, probe, .. }, .. }
                if taken.from == Some(to) && (before, m.probe) == (*probe, probe + 1) =>
            {
                self.check_step_back(now, raft, (to, *previous, *hint), m)
            }
            Content::Answer { says: Says::Rejected { probe, .. }, .. }
                if taken.from == Some(to) && *probe < before && before < m.probe =>
            {
                let (first, second) = ("goes back in a member’s log", "an earlier probe was rejected, not the last");
                self.out_of_order(Property::Economy, now, raft.id(), first, second)
            }
            _ => Ok(()),
        }
    }

    /// A follower rejects an append.
    #[inline(never)]
    pub(super) fn check_rejection(
        &self,
        now: Time,
        raft: &Raft,
        outcome: &AppendOutcome,
        taken: &Taken,
    ) -> CheckResult {
        let (AppendOutcome::Conflict { hint, .. } | AppendOutcome::Damaged { last: hint, .. }) = outcome else {
            return Ok(());
        };
        if matches!(outcome, AppendOutcome::Conflict { .. }) && self.elections.lacks_entries(raft.id()) {
            let (first, second) = ("has lost entries that its leader may count on", "it doesn’t say so");
            self.out_of_order(Property::DurablePromise, now, raft.id(), first, second)?;
        }
        match taken.content {
            Content::Append { previous, .. } => self.check_hint(now, raft, previous, *hint),
            _ => Ok(()),
        }
    }

    /// Durable Promise: what has entered the log is handed to the disk.
    fn note_written(&mut self, now: Time, raft: &Raft, out: &Output) -> CheckResult {
        let (me, last) = (raft.id(), raft.log().last());
        let mut written = self.replication.of[me].written;
        for write in &out.writes {
            match &write.log {
                Some(log) if log.after > written.index && write.snapshot.is_none() => {
                    let second = "it leaves out entries before them";
                    self.out_of_order(Property::DurablePromise, now, me, "writes entries", second)?;
                }
                Some(log) => {
                    let index = log.after.plus(log.entries.len() as u64);
                    let term = log.entries.as_slice().last().map(|entry| entry.term);
                    written = EntryId::new(index, term.or(raft.log().term_at(index)).unwrap_or_default());
                }
                None if write.snapshot.is_some() => written = last,
                None => {}
            }
        }
        self.replication.of[me].written = written;
        Ok(())
    }

    /// Monotonic State: a member has answered a leader.
    #[inline]
    fn check_match(
        &mut self,
        now: Time,
        raft: &Raft,
        from: Option<ServerId>,
        (says, round): (&Says, u64),
        machines: &dyn Machines,
    ) -> CheckResult {
        let me = raft.id();
        let Some((from, progress)) = from.and_then(|from| Some((from, progress_of(raft, from)?))) else {
            return Ok(());
        };
        // The leader starts again with the round in which the server became a member, or may have
        // got another disk.
        let known = (raft.term(), progress.since_round, progress.matched);
        let link = &mut self.replication.of[me];
        let before = core::mem::replace(&mut link.matched[from.slot()], known);
        let tells = |machine: &dyn MachineView, disk: DiskId| {
            let hard_state = machine.image().hard_state();
            (hard_state.disk, hard_state.lost) == (disk, EntryId::ZERO)
        };
        if let (Says::Joins(Some(disk)), Some(machine)) = (says, machines.get(from.slot()))
            && round >= known.1
            && tells(machine, *disk)
        {
            link.told.insert(from);
        }
        let may_vote = progress.may_vote == Some(true) && raft.config().rules.on(Rule::BarAmnesiacVoters);
        // What is known of an earlier disk counts for nothing until the member says that it may
        // vote.
        if link.told.contains(from) && may_vote {
            self.check_counted(now, raft, from, known.2, machines)?;
        }
        if known.2 > before.2 {
            return Ok(());
        }
        if let Says::Rejected { lost: true, hint, .. } = says
            && known.2 < before.2
            && known.0 == before.0
        {
            self.replication.of[me].told.insert(from);
            let agreed = agreeing(raft.log(), hint.index, hint.term).index.min(hint.index);
            // With a server that has left and comes back, the leader starts again.
            if agreed >= before.2 && raft.configuration().members().contains(from) {
                let (first, second) = ("forgets how far a member’s log matches", "the member has lost nothing of that");
                self.out_of_order(Property::Economy, now, me, first, second)?;
            }
        }
        if !matches!(says, Says::Matched) || (before.0, before.1) != (known.0, known.1) || known.2 >= before.2 {
            return Ok(());
        }
        let (first, second) = ("knew how far a member’s log matches", "now it counts less");
        self.out_of_order(Property::MonotonicState, now, me, first, second)
    }

    /// Durable Promise: a leader that knows of a member's loss counts on the member up to
    /// `matched`.
    fn check_counted(
        &self,
        now: Time,
        raft: &Raft,
        from: ServerId,
        matched: LogIndex,
        machines: &dyn Machines,
    ) -> CheckResult {
        let Some(machine) = machines.get(from.slot()) else { return Ok(()) };
        let (image, id) = (machine.image(), raft.log().id_at(matched));
        let hard_state = image.hard_state();
        let holds = id.is_none_or(|id| image.holds(id)) && hard_state.standing == Standing::Member;
        if holds || hard_state.term > raft.term() {
            return Ok(());
        }
        let (first, second) = ("counts on a member’s entries", "the member has told it that it lost some");
        self.out_of_order(Property::DurablePromise, now, raft.id(), first, second)
    }

    /// Economy: messages wait for the disk. If an answer and the next one wait for the same write
    /// and differ only in the round, one of them is kept; otherwise both are.
    #[inline(never)]
    pub(super) fn check_held(&mut self, now: Time, raft: &Raft, out: &Output, taken: &Taken) -> CheckResult {
        let link = &mut self.replication.of[raft.id()];
        // An answer may rest on what its step writes, or on what was written before.
        let writes = (link.writes, link.writes + out.writes.len());
        link.writes = writes.1;
        if raft.held_messages().len() == 0 && link.waits.count == 0 {
            return Ok(());
        }
        self.check_waiting(now, raft, writes, taken)
    }

    #[inline(never)]
    fn check_waiting(&mut self, now: Time, raft: &Raft, writes: (usize, usize), taken: &Taken) -> CheckResult {
        let link = &mut self.replication.of[raft.id()];
        let mut held = raft.held_messages();
        let (term, count) = (raft.term(), held.len());
        let last = held.next_back().and_then(|Envelope { to, message }| match message.claim()? {
            Claim::AppendEntriesResponse(m) => match m.outcome {
                AppendOutcome::Matched(index) => Some(([to.slot() as u64, m.probe, m.received.0, index.0], m.round)),
                AppendOutcome::Joining { .. }
                | AppendOutcome::Conflict { .. }
                | AppendOutcome::Damaged { .. }
                | AppendOutcome::StaleTerm => None,
            },
            Claim::InstallSnapshotResponse(m) => match m.progress {
                SnapshotProgress::Installed(index) => {
                    Some(([to.slot() as u64, u64::MAX, m.last.index.0, index.0], m.round))
                }
                SnapshotProgress::Received(_) | SnapshotProgress::StaleTerm => None,
            },
            Claim::PreVote(_)
            | Claim::PreVoteResponse(_)
            | Claim::RequestVote(_)
            | Claim::RequestVoteResponse(_)
            | Claim::AppendEntries(_)
            | Claim::InstallSnapshot(_)
            | Claim::TimeoutNow(_)
            | Claim::ReadIndex(_)
            | Claim::ReadIndexResponse(_) => None,
        });
        let before = link.waits;
        // What was there before still waits for the same write.
        let stays = (before.term, before.last) == (term, last) && count <= before.count;
        let writes = if stays { before.writes } else { writes };
        link.waits = Waits { term, count, writes, last };
        let takes = matches!(taken.content, Content::Append { .. } | Content::Piece { .. });
        let added = takes && before.term == term && last != before.last;
        let (Some(old), Some(new)) = (before.last, last.filter(|_| added)) else { return Ok(()) };
        let alike = old.0 == new.0;
        let one = alike && before.writes.1 >= writes.0;
        let both = !alike || before.writes != writes || writes.0 < writes.1;
        if one && count == before.count || both && count == before.count + 1 {
            return Ok(());
        }
        let second = UNEXPECTED;
        self.out_of_order(Property::Economy, now, raft.id(), "lets answers wait", second)
    }

    /// Every Request Ends: a learner that always has what the leader's log had a moment before
    /// becomes a voter in the end, however busy the leader is.
    #[inline(never)]
    pub(super) fn check_refusal(
        &mut self,
        now: Time,
        raft: &Raft,
        learner: ServerId,
        matched: LogIndex,
    ) -> CheckResult {
        let (me, term, last) = (raft.id(), raft.term(), raft.log().last().index);
        let Link { refused, odd, .. } = &mut self.replication.of[me];
        let known = (refused.who, refused.term) == (Some(learner), term) && now < refused.at + MOMENT;
        if !known || *odd || matched < refused.lasts[LOOKS - 1] {
            *refused = RefusedLearner { who: Some(learner), term, since: now, lasts: [last; LOOKS], at: now };
        }
        refused.at = now;
        refused.lasts.rotate_right(1);
        refused.lasts[0] = last;
        let since = refused.since;
        if now < since + LONG {
            return Ok(());
        }
        let (first, second) =
            ("refuses to make a voter of a learner", "the learner has kept up with its log for seconds");
        self.out_of_order(Property::EveryRequestEnds, now, me, first, second)
    }

    /// Orderly Elections: nothing new enters the log of a leader that hands over, or its successor
    /// would never have the whole log.
    #[inline(never)]
    fn check_handing_over(&self, now: Time, raft: &Raft, out: &Output) -> CheckResult {
        let me = raft.id();
        let mut appended =
            out.writes.iter().filter_map(|write| write.log.as_ref()).flat_map(|log| log.entries.as_slice());
        let new = |entry: &Entry| match entry.payload {
            Payload::Command(_) => true,
            // Unless it ends a change that began before.
            Payload::Membership(_) => !self.membership_of(me).1.is_joint(),
            Payload::NoOp | Payload::Admission { .. } => false,
        };
        if !appended.any(new) {
            return Ok(());
        }
        let (first, second) = ("hands leadership over", "it takes something new into its log");
        self.out_of_order(Property::OrderlyElections, now, me, first, second)
    }

    /// Log Matching, and Economy: a leader sends an append.
    #[inline(never)]
    fn check_append(&self, now: Time, raft: &Raft, m: &AppendEntries) -> CheckResult {
        let (me, log, config, entries) = (raft.id(), raft.log(), raft.config(), m.entries.as_slice());
        let bytes: u64 = entries.iter().map(command_bytes).sum();
        if entries.len() > config.append_entries_max || bytes > config.append_bytes_max && entries.len() > 1 {
            let (first, second) = ("sends entries together", "there are more than an append may hold");
            self.out_of_order(Property::Economy, now, me, first, second)?;
        }
        if m.previous.index >= log.base().index && log.id_at(m.previous.index) != Some(m.previous) {
            self.out_of_order(Property::LogMatching, now, me, SENDS, "its log lacks the entry before it")?;
        }
        for (entry, index) in entries.iter().zip(m.previous.index.0 + 1..).take(COMPARED) {
            if log.get(LogIndex(index)).is_some_and(|own| own == entry) {
                continue;
            }
            self.out_of_order(Property::LogMatching, now, me, SENDS, "its log lacks an entry of it")?;
        }
        Ok(())
    }

    /// Economy: entries go out one append after the other, from what is known to match on, and no
    /// more of them than the window holds.
    #[inline(never)]
    fn check_stream(&self, now: Time, raft: &Raft, (to, m): (ServerId, &AppendEntries), taken: &Taken) -> CheckResult {
        let Some(progress) = progress_of(raft, to) else { return Ok(()) };
        let ProgressState::Replicate(window) = &progress.state else { return Ok(()) };
        let begins = matches!(taken.content, Content::Answer { says: Says::Matched, .. }) && taken.from == Some(to);
        let skips = begins && window.len() == 1 && m.previous.index > progress.matched;
        if !skips && window.len() <= raft.config().window_appends_max {
            return Ok(());
        }
        let second = UNEXPECTED;
        self.out_of_order(Property::Economy, now, raft.id(), "streams entries", second)
    }

    /// Economy: a follower rejects an append, and says where the logs may agree.
    fn check_hint(&self, now: Time, raft: &Raft, previous: EntryId, hint: EntryId) -> CheckResult {
        let (me, best) = (raft.id(), agreeing(raft.log(), previous.index, previous.term));
        if hint == best || raft.log().base().index > previous.index {
            return Ok(());
        }
        let (first, second) = ("lacks the entry before an append", "it doesn’t say where the two logs may agree");
        self.out_of_order(Property::Economy, now, me, first, second)
    }

    /// Economy: a leader goes back after a rejection.
    #[inline(never)]
    fn check_step_back(
        &self,
        now: Time,
        raft: &Raft,
        (from, previous, hint): (ServerId, LogIndex, EntryId),
        m: &AppendEntries,
    ) -> CheckResult {
        let (me, log) = (raft.id(), raft.log());
        let matched = progress_of(raft, from).map_or(LogIndex::ZERO, |progress| progress.matched);
        let best = agreeing(log, hint.index, hint.term).index.min(hint.index).min(previous.previous()).max(matched);
        if m.previous.index == best || best < log.base().index {
            return Ok(());
        }
        let (first, second) = ("is told up to where two logs may agree", "it doesn’t go back there");
        self.out_of_order(Property::Economy, now, me, first, second)
    }

    /// Economy, and Verified Commit: a follower has received an append from its leader.
    #[inline(never)]
    fn check_append_taken(
        &self,
        now: Time,
        raft: &Raft,
        (previous, last, commit): (EntryId, EntryId, LogIndex),
    ) -> CheckResult {
        let (me, log, rules) = (raft.id(), raft.log(), &raft.config().rules);
        let strict = [Rule::CheckPreviousEntry, Rule::TruncateOnlyOnConflict, Rule::CommitOnlyVerified];
        if !log.covers(previous) || !strict.into_iter().all(|rule| rules.on(rule)) {
            return Ok(());
        }
        if !log.covers(last) {
            let (first, second) = ("has the entry before an append", "it doesn’t take the append’s entries");
            self.out_of_order(Property::Economy, now, me, first, second)?;
        }
        let due = commit.min(last.index);
        if raft.commit_index() >= due {
            return Ok(());
        }
        let (first, second) = ("has entries that its leader has committed", "it doesn’t commit them");
        self.out_of_order(Property::VerifiedCommit, now, me, first, second)
    }

    /// Economy: of a snapshot, as many bytes are under way as have been confirmed and a piece more,
    /// or as the window holds: no more, and no less.
    pub(super) fn check_pieces(&self, now: Time, raft: &Raft, to: ServerId) -> CheckResult {
        let Some(ProgressState::Snapshot(transfer)) = progress_of(raft, to).map(|progress| &progress.state) else {
            return Ok(());
        };
        let (config, on_its_way) = (raft.config(), transfer.sent - transfer.offset);
        let piece = config.snapshot_piece_max;
        let window = config.window_bytes_max.min(piece.saturating_mul(config.window_appends_max as u64));
        let allowed = window.min(transfer.offset.saturating_add(piece));
        let all = transfer.sent == transfer.snapshot.data().len() as u64;
        if (all || on_its_way >= allowed) && on_its_way <= allowed.saturating_add(piece) {
            return Ok(());
        }
        let second = "too much of it is under way, or too little";
        self.out_of_order(Property::Economy, now, raft.id(), "sends a snapshot", second)
    }

    /// Orderly Elections: a leader tells another server to campaign.
    pub(super) fn check_successor(
        &self,
        now: Time,
        raft: &Raft,
        heir: ServerId,
        machines: &dyn Machines,
    ) -> CheckResult {
        let (me, log) = (raft.id(), raft.log());
        let memberships = [*raft.configuration(), self.membership_of(me).1];
        if !memberships.iter().any(|membership| membership.voters.contains(heir)) {
            self.out_of_order(Property::OrderlyElections, now, me, TELLS, "that server has no vote")?;
        }
        // A leader that stays in the membership waits until its successor has everything; one that
        // leaves can't.
        let needed = if raft.is_leader() { Some(log.last()) } else { log.id_at(raft.commit_index()) };
        let (Some(needed), Some(machine)) = (needed, machines.get(heir.slot())) else { return Ok(()) };
        let image = machine.image();
        // Another leader may have overwritten entries from a leader that was deposed and doesn't
        // know it.
        if image.holds(needed) || image.hard_state().term > raft.term() || !self.replication.is_kept(heir) {
            return Ok(());
        }
        self.out_of_order(Property::OrderlyElections, now, me, TELLS, "that server lacks entries")
    }
}
