//! A leader at work: heartbeats, streaming the log to each member, counting what is committed (Raft
//! §5.3, §5.4).

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::entry::{Entries, Entry, Payload};
use super::guards::is_full;
use super::io::{Output, Proposal, Refusal};
use super::message::{AppendEntries, AppendEntriesResponse, AppendOutcome, Message};
use super::observation::{Observation, StepDownReason};
use super::progress::{Progress, ProgressState};
use super::rules::Rule;
use super::types::{EntryId, LogIndex, ServerId, ServerSet};
use super::{Raft, Role};
use crate::time::{Duration, Time};

impl Raft {
    // ---------------------------------------------------------------- proposals

    pub(super) fn on_propose(&mut self, proposal: Proposal, out: &mut Output) {
        let payload = Payload::Command(proposal.command);
        match self.refuses_proposal(&payload) {
            Some(reason) => out.refuse(proposal.id, reason),
            None => {
                let id = self.append_own(payload, out);
                out.accepted.push((proposal.id, id));
                self.replicate(out);
            }
        }
    }

    /// Commands that are proposed together stay together: they are one run from here on.
    pub(super) fn on_propose_batch(&mut self, proposals: Vec<Proposal>, out: &mut Output) {
        let after = self.log.last().index;
        let (term, me) = (self.hard_state.term, self.config.id);
        let mut id = EntryId::new(after, term);
        let accept = |Proposal { id: request, command }| {
            let payload = Payload::Command(command);
            let full = || is_full(id.index).then_some(Refusal::LogFull);
            if let Some(reason) = self.refuses_proposal(&payload).or_else(full) {
                out.refuse(request, reason);
                return None;
            }
            if let Role::Leader(leader) = &mut self.role {
                leader.uncommitted_bytes += payload.size();
            }
            id.index = id.index.next();
            out.accepted.push((request, id));
            out.observe(|| Observation::Appended { first: id.index, last: id, leader: me });
            Some(Entry { term, payload })
        };
        let entries = proposals.into_iter().filter_map(accept).collect::<Vec<_>>().into();
        if id.index > after {
            self.take_entries(&entries, 0, out);
            self.write_log(after);
            self.replicate(out);
        }
    }

    fn refuses_proposal(&self, payload: &Payload) -> Option<Refusal> {
        let Role::Leader(leader) = &self.role else {
            return Some(Refusal::NotLeader { leader: self.leader });
        };
        if let Some(transfer) = &leader.transfer {
            return Some(Refusal::Transferring { to: transfer.to });
        }
        if self.log_is_full() {
            return Some(Refusal::LogFull);
        }
        let (waiting, limit) = (leader.uncommitted_bytes, self.config.uncommitted_bytes_max);
        let over = waiting > 0 && waiting + payload.size() > limit;
        over.then_some(Refusal::TooMuchUncommitted { waiting, limit })
    }

    // ---------------------------------------------------------------- time

    pub(super) fn on_leader_timer(&mut self, out: &mut Output) {
        if self.disk_is_stalled() {
            let why = self.disk_stall_reason();
            return self.become_follower(self.hard_state.term, why, out);
        }
        self.expire_transfer(out);
        let Role::Leader(leader) = &self.role else {
            return;
        };
        if self.now < leader.heartbeat_due {
            return;
        }
        if self.config.check_quorum {
            let heard = self.heard_recently();
            if !self.members().has_quorum(heard) {
                return self.become_follower(self.hard_state.term, StepDownReason::QuorumLost { heard }, out);
            }
        }
        self.begin_round(out);
    }

    /// The members heard within an election timeout, itself included. Not those that may not vote
    /// on their disks: who leads with them alone can commit nothing, and keeps others from being
    /// elected.
    fn heard_recently(&self) -> ServerSet {
        let Role::Leader(leader) = &self.role else {
            return ServerSet::EMPTY;
        };
        let patience = self.config.election_timeout_max;
        let heard =
            |member: ServerId| leader.progress(member).is_some_and(|p| p.heard + patience > self.now && !p.joins);
        self.members().members().those(&|member| member == self.config.id || heard(member))
    }

    /// Begins a heartbeat round: everyone who hasn't been sent anything lately is sent something.
    pub(super) fn begin_round(&mut self, out: &mut Output) {
        let half = self.config.heartbeat_interval.percent(50);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let quiet_since = Time::from_micros(self.now.as_micros().saturating_sub(half.as_micros()));
        leader.rounds.begin(self.now);
        leader.assign_reads();
        self.forget_silent_leavers();
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let everyone = leader.reads_wait_for_current_round();
        for member in self.peers().iter() {
            let Role::Leader(leader) = &mut self.role else {
                return;
            };
            let Some(progress) = leader.progress_mut(member) else {
                continue;
            };
            if everyone || progress.sent <= quiet_since {
                if let ProgressState::Probe { waiting, unanswered } = &mut progress.state {
                    // The last probe may be lost: ask again.
                    *unanswered |= *waiting;
                    *waiting = false;
                }
                self.send_heartbeat(member, out);
            }
        }
        self.schedule_heartbeat();
    }

    /// The next round begins when somebody hasn't been sent anything for a heartbeat interval.
    fn schedule_heartbeat(&mut self) {
        let interval = self.config.heartbeat_interval;
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let oldest = leader.progress.iter().flatten().map(|progress| progress.sent).min();
        let due = oldest.unwrap_or(self.now) + interval;
        // Somebody just added has been sent nothing yet; a clock may have jumped: never busy-wait.
        leader.heartbeat_due = due.max(self.now + interval.percent(10));
    }

    // ---------------------------------------------------------------- sending

    /// Sends every member what it lacks, as far as its window allows.
    pub(super) fn replicate(&mut self, out: &mut Output) {
        for member in self.peers().iter() {
            self.send_entries(member, out);
        }
    }

    /// Sends `member` what it lacks, as far as its state allows.
    pub(super) fn send_entries(&mut self, member: ServerId, out: &mut Output) {
        let last = self.log.last().index;
        loop {
            let mut asks_only = false;
            let Role::Leader(leader) = &mut self.role else {
                return;
            };
            let Some(progress) = leader.progress_mut(member) else {
                return;
            };
            match &mut progress.state {
                ProgressState::Snapshot(_) => return,
                ProgressState::Probe { waiting, unanswered } => {
                    if *waiting {
                        return;
                    }
                    asks_only = *unanswered;
                }
                ProgressState::Replicate(window) => {
                    let full = window.is_full(self.config.window_appends_max, self.config.window_bytes_max);
                    if progress.next > last || full {
                        return;
                    }
                }
            }
            let next = progress.next;
            let Some(previous) = self.log.id_at(next.previous()) else {
                return self.begin_snapshot(member, out);
            };
            let (entries, bytes) = if asks_only { (Entries::None, 0) } else { self.cut_slice(next) };
            let Role::Leader(leader) = &mut self.role else {
                return;
            };
            let round = leader.rounds.latest();
            let Some(progress) = leader.progress_mut(member) else {
                return;
            };
            let probing = match &mut progress.state {
                ProgressState::Probe { waiting, .. } => {
                    *waiting = true;
                    true
                }
                ProgressState::Replicate(window) => {
                    let last_sent = next.previous().plus(entries.len() as u64);
                    window.add(last_sent, bytes, round);
                    progress.next = last_sent.next();
                    false
                }
                ProgressState::Snapshot(_) => return,
            };
            self.send_append(member, previous, entries, out);
            if probing {
                return;
            }
        }
    }

    /// Sends something, whatever the state: what else there is to send, or an empty append.
    fn send_heartbeat(&mut self, member: ServerId, out: &mut Output) {
        let Role::Leader(leader) = &self.role else {
            return;
        };
        let Some(progress) = leader.progress(member) else {
            return;
        };
        match &progress.state {
            ProgressState::Probe { .. } => self.send_entries(member, out),
            ProgressState::Snapshot(_) => self.ask_for_pieces(member, out),
            ProgressState::Replicate(window) => {
                let full = || window.is_full(self.config.window_appends_max, self.config.window_bytes_max);
                if progress.next <= self.log.last().index && !full() {
                    return self.send_entries(member, out);
                }
                // An empty append after what is known to match can't be rejected, and doesn't
                // overtake what is on its way. Where it matches up to an entry compacted away
                // meanwhile, any earlier place will do.
                let previous = self.log.id_at(progress.matched).unwrap_or(EntryId::ZERO);
                self.send_empty_append(member, previous, out);
            }
        }
    }

    fn send_append(&mut self, member: ServerId, previous: EntryId, entries: Entries, out: &mut Output) {
        if let Some((round, probe)) = self.note_sent(member) {
            let (term, commit) = (self.hard_state.term, self.commit);
            let append = AppendEntries { term, previous, entries, commit, round, probe };
            self.send(member, Message::AppendEntries(append), out);
        }
    }

    /// An append of nothing is by far the most frequent message: it doesn't carry about the room
    /// for entries.
    fn send_empty_append(&mut self, member: ServerId, previous: EntryId, out: &mut Output) {
        if let Some((round, probe)) = self.note_sent(member) {
            let (term, commit) = (self.hard_state.term, self.commit);
            let append = || AppendEntries { term, previous, entries: Entries::None, commit, round, probe };
            self.send_new(member, || Message::AppendEntries(append()), out);
        }
    }

    /// A member is being sent an append now: the round and the probe that it is told.
    fn note_sent(&mut self, member: ServerId) -> Option<(u64, u64)> {
        let now = self.now;
        let Role::Leader(leader) = &mut self.role else {
            return None;
        };
        let round = leader.rounds.latest();
        let progress = leader.progress_mut(member)?;
        progress.sent = now;
        Some((round, progress.probe))
    }

    /// The entries from `from` on that go into one append, and their size. Members equally far
    /// share them.
    fn cut_slice(&mut self, from: LogIndex) -> (Entries, u64) {
        if let Some((start, entries, bytes)) = &self.slice
            && *start == from
        {
            return (entries.clone(), *bytes);
        }
        let entries = self.log.slice(from, self.config.append_entries_max, self.config.append_bytes_max);
        let bytes = entries.size();
        self.slice = Some((from, entries.clone(), bytes));
        (entries, bytes)
    }

    /// All entries from `from` on: those that went into an append already, where that took all.
    pub(super) fn cut_everything(&self, from: LogIndex) -> Entries {
        let count = self.log.last().index.next().distance_from(from);
        match &self.slice {
            Some((start, entries, _)) if *start == from && entries.len() as u64 == count => entries.clone(),
            _ => self.log.slice(from, usize::MAX, u64::MAX),
        }
    }

    // ---------------------------------------------------------------- answers

    pub(super) fn on_append_entries_response(&mut self, from: ServerId, m: &AppendEntriesResponse, out: &mut Output) {
        // That answers an append of a term in which this server led before, and perhaps one of its
        // rounds that was numbered so: it proves nothing.
        let earlier = m.outcome == AppendOutcome::StaleTerm;
        if earlier || !self.note_heard(from, m.round, Some((m.clock, m.patience))) {
            return;
        }
        match m.outcome {
            AppendOutcome::StaleTerm => {}
            AppendOutcome::Matched(index) | AppendOutcome::Joining { matched: index, .. } => {
                self.note_standing(from, matches!(m.outcome, AppendOutcome::Matched(_)), m.round, out);
                self.on_matched(from, index, m.received, m.round, out);
                if let AppendOutcome::Joining { disk, .. } = m.outcome {
                    self.admit_disk(from, disk, out);
                }
            }
            AppendOutcome::Damaged { previous, last } => self.on_damaged(from, m.probe, previous, last, out),
            AppendOutcome::Conflict { previous, hint } => {
                self.note_standing(from, true, m.round, out);
                self.on_conflict(from, (m.round, m.probe), previous, hint, out);
            }
        }
        self.release_confirmed_reads(out);
    }

    /// A member says whether it may vote on the disk it has. Who may not speaks neither of a match
    /// nor of a conflict.
    pub(super) fn note_standing(&mut self, from: ServerId, may_vote: bool, round: u64, out: &mut Output) {
        let now = self.now;
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(known) = leader.progress(from).map(|progress| progress.may_vote) else { return };
        if !may_vote && known != Some(false) {
            // What the disk before it has said is on its way, perhaps, as answers to the rounds so
            // far.
            let round = leader.rounds.begin_quietly(now);
            if let Some(progress) = leader.progress_mut(from) {
                progress.begin_anew(round);
            }
        }
        let next = leader.rounds.latest() + 1;
        let Some(progress) = leader.progress_mut(from) else { return };
        if !may_vote {
            // There may have been a disk before this one that was damaged, and of which nothing was
            // expected either.
            (progress.may_vote, progress.joins, progress.vouches_since) = (Some(false), true, next);
        } else if round >= progress.vouches_since {
            (progress.may_vote, progress.joins) = (Some(true), false);
            if known != Some(true) {
                self.advance_commit(out); // What it has said counts from now on.
            }
        }
    }

    /// Whether what a member has acknowledged, and which rounds it has answered, counts where a
    /// quorum is needed: not before it has said that it may vote on the disk it has. Who has lost
    /// its disk may have promised something to a later leader on it.
    pub(super) fn counts(&self, progress: &Progress) -> bool {
        progress.may_vote == Some(true) || !self.rule(Rule::BarAmnesiacVoters)
    }

    /// A member answered: it is alive, and it knew the leader when `round` was current. Whether it
    /// is one, with the disk it has.
    pub(super) fn note_heard(&mut self, from: ServerId, round: u64, said: Option<(Time, Duration)>) -> bool {
        let Role::Leader(leader) = &mut self.role else {
            return false;
        };
        let began = leader.rounds.began(round);
        let Some(progress) = leader.progress_mut(from) else {
            return false;
        };
        if round < progress.since_round {
            return false; // From before the member had this place, or this disk.
        }
        progress.hear(round, began, said, self.now, &self.config);
        true
    }

    /// `member` holds everything up to `index` on its disk, and has `received` what its disk may
    /// still be writing.
    pub(super) fn on_matched(
        &mut self,
        member: ServerId,
        index: LogIndex,
        received: LogIndex,
        round: u64,
        out: &mut Output,
    ) {
        let (last, now, limit) = (self.log.last().index, self.now, self.config.election_timeout_max);
        let learns = self.members().learners.contains(member);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let latest = leader.rounds.latest();
        let Some(progress) = leader.progress_mut(member) else {
            return;
        };
        let news = progress.matches(index, latest);
        if learns {
            progress.catch_up.note(progress.matched, last, now, limit);
        }
        let lost_from = match &progress.state {
            ProgressState::Probe { .. } => {
                progress.become_replicate();
                None
            }
            ProgressState::Snapshot(transfer) => {
                if progress.matched >= transfer.snapshot.meta.last.index {
                    progress.become_replicate();
                }
                None
            }
            ProgressState::Replicate(window) => window.lost_before(round, received).then_some(progress.matched.next()),
        };
        if let Some(from) = lost_from {
            progress.become_probe(from);
            out.observe(|| Observation::Resent { peer: member, from });
        }
        if news {
            // What is committed already needs no counting, unless it is counted by another
            // membership now.
            if index > self.commit || self.membership.current_index() > self.commit {
                self.advance_commit(out);
            }
            self.continue_transfer(out);
            self.let_go(out);
        }
        self.send_entries(member, out);
    }

    fn on_conflict(
        &mut self,
        from: ServerId,
        (round, probe): (u64, u64),
        previous: LogIndex,
        hint: EntryId,
        out: &mut Output,
    ) {
        // Where the hint's term is later than ours there, our own log skips back too.
        let agreed = self.log.last_not_after(hint.index, hint.term);
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let Some(progress) = leader.progress_mut(from) else {
            return;
        };
        let snapshot = matches!(progress.state, ProgressState::Snapshot(_));
        if probe != progress.probe || snapshot {
            return; // It answers an earlier probe.
        }
        if previous <= progress.matched {
            if round > progress.matched_round {
                // It had that entry on its disk before it was asked, and has it no longer, and
                // doesn't know: a disk that lied, or was put back.
                return self.on_damaged(from, probe, previous, hint, out);
            }
            return; // It has been settled since.
        }
        let before = progress.next;
        // Where even the log's beginning is later than that, what comes next is a snapshot.
        progress.become_probe(agreed.index.min(hint.index).next().min(previous));
        let to = progress.next;
        out.observe(|| Observation::BackedOff { peer: from, from: before, to });
        self.send_entries(from, out);
    }

    /// A member's disk has lost what it had acknowledged, or is another one: what was known to
    /// match is no longer, if it lies beyond what is left.
    fn on_damaged(&mut self, from: ServerId, probe: u64, previous: LogIndex, last: EntryId, out: &mut Output) {
        let agreed = self.log.last_not_after(last.index, last.term);
        let now = self.now;
        let Role::Leader(leader) = &mut self.role else { return };
        // What it acknowledged before the loss is on its way, perhaps, as answers to the rounds so
        // far.
        let round = leader.rounds.begin_quietly(now);
        let Some(progress) = leader.progress_mut(from) else { return };
        // And whether it may vote it says with the next match.
        (progress.since_round, progress.may_vote) = (round, Some(false));
        if probe != progress.probe || matches!(progress.state, ProgressState::Snapshot(_)) {
            return;
        }
        // As after a conflict: where even the log's beginning is later than that, what comes next
        // is a snapshot.
        let to = agreed.index.min(last.index);
        // Where it lacks no more than is known, something has only overtaken what comes before it.
        let lost = to < progress.matched;
        let before = progress.next;
        if lost {
            progress.forget_match();
        }
        progress.become_probe(to.next().min(previous));
        let to = progress.next;
        out.observe(|| match lost {
            true => Observation::PeerDamaged { peer: from, last },
            false => Observation::BackedOff { peer: from, from: before, to },
        });
        self.send_entries(from, out);
    }

    // ---------------------------------------------------------------- commitment

    /// Commits what a quorum holds (Raft §5.3, §5.4.2).
    pub(super) fn advance_commit(&mut self, out: &mut Output) {
        let Role::Leader(leader) = &self.role else {
            return;
        };
        let (me, own) = (self.config.id, self.own_match());
        let matched = |s: ServerId| {
            if s == me {
                own
            } else {
                leader.progress(s).filter(|p| self.counts(p)).map_or(LogIndex::ZERO, |p| p.matched)
            }
        };
        let members = self.members();
        let held = if self.rule(Rule::CommitByMajority) {
            members.reached_by_quorum(matched)
        } else {
            members.all_voters().iter().map(matched).max().unwrap_or(LogIndex::ZERO)
        };
        if held <= self.commit {
            return;
        }
        let Some(id) = self.log.id_at(held) else {
            return;
        };
        if id.term < self.hard_state.term && self.rule(Rule::CommitOnlyOwnTerm) {
            let term = self.hard_state.term;
            out.observe(|| Observation::CommitWaitsForOwnTerm { held: id, term });
            return;
        }
        let by = if out.listen { members.members().those(&|server| matched(server) >= held) } else { ServerSet::EMPTY };
        let bytes = self.log.bytes_in(self.commit, held);
        let first_own = leader.first_own;
        let had_own = self.commit >= first_own;
        self.raise_commit(held, by, out);
        if let Role::Leader(leader) = &mut self.role {
            leader.uncommitted_bytes = leader.uncommitted_bytes.saturating_sub(bytes);
        }
        if !had_own && held >= first_own {
            self.start_waiting_reads(out);
        }
        self.on_membership_committed(out);
    }

    /// Everyone the log is sent to.
    fn peers(&self) -> ServerSet {
        let mut peers = self.members().members().union(self.leaving());
        peers.remove(self.config.id);
        peers
    }

    /// Those that the membership in force leaves out, as long as they needn't know it.
    pub(super) fn leaving(&self) -> ServerSet {
        if let Role::Leader(leader) = &self.role { leader.leaving } else { ServerSet::EMPTY }
    }

    /// Tells `servers` what is committed, after everything that was sent to them before.
    pub(super) fn tell_commit(&mut self, servers: ServerSet, out: &mut Output) {
        for server in servers.intersection(self.peers()).iter() {
            let Role::Leader(leader) = &self.role else {
                return;
            };
            let Some(progress) = leader.progress(server) else {
                continue;
            };
            // What is known to match can't be rejected; without that, it goes after what is on its
            // way.
            let known = progress.matched >= self.membership.current_index();
            let after = if known { progress.matched } else { progress.next.previous() };
            if let Some(previous) = self.log.id_at(after) {
                self.send_empty_append(server, previous, out);
            }
        }
    }

    /// A progress for everyone the log is sent to, and for nobody else.
    pub(super) fn follow_members(&mut self) {
        let (next, now, me) = (self.log.last().index.next(), self.now, self.config.id);
        let members = self.peers();
        let Role::Leader(leader) = &mut self.role else {
            return;
        };
        let mut since = None;
        let slots = members.iter().map(|member| member.slot() + 1).max().unwrap_or(0);
        leader.progress.resize(slots, None);
        for slot in 0..slots {
            let member =
                u8::try_from(slot + 1).ok().and_then(ServerId::new).filter(|m| *m != me && members.contains(*m));
            let place = &mut leader.progress[slot];
            match (member, place.is_some()) {
                (Some(_), false) => {
                    // Answers from an earlier time in the membership may still be on their way:
                    // they are to earlier rounds.
                    let round = *since.get_or_insert_with(|| leader.rounds.begin_quietly(now));
                    *place = Some(Progress::new(next, round, now));
                }
                (None, true) => *place = None,
                _ => {}
            }
        }
    }

    /// Appends a membership of the leader's own making, and sends it to everyone in it.
    pub(super) fn append_membership(&mut self, configuration: super::Configuration, out: &mut Output) -> EntryId {
        let id = self.append_own(Payload::Membership(Arc::new(configuration)), out);
        self.replicate(out);
        id
    }
}
