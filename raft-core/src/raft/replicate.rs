//! A leader at work: heartbeats, streaming the log to each member, counting what is committed (Raft
//! §5.3, §5.4).

use alloc::vec::Vec;
use core::ops::ControlFlow::{self, Break, Continue};

use super::entry::{Entries, Entry, Payload};
use super::guards::is_full;
use super::io::{Output, Proposal, Refusal};
use super::message::{AppendEntries, AppendEntriesResponse, AppendOutcome, Message};
use super::observation::{Observation, StepDownReason};
use super::progress::{Progress, ProgressState};
use super::role::{Leader, Leadership};
use super::rules::Rule;
use super::server::Server;
use super::types::{EntryId, LogIndex, ServerId, ServerSet};
use crate::time::{Duration, Time};

impl Leader {
    // ---------------------------------------------------------------- proposals

    pub(super) fn on_propose(&mut self, server: &mut Server, proposal: Proposal, out: &mut Output) {
        let payload = Payload::Command(proposal.command);
        match self.refuses_proposal(server, &payload) {
            Some(reason) => out.refuse(proposal.id, reason),
            None => {
                let id = self.append_own(server, payload, out);
                out.accepted.push((proposal.id, id));
                self.replicate(server, out);
            }
        }
    }

    /// Commands that are proposed together stay together: they are one run from here on.
    pub(super) fn on_propose_batch(&mut self, server: &mut Server, proposals: Vec<Proposal>, out: &mut Output) {
        let after = server.log.last().index;
        let (term, me) = (server.hard_state.term, server.config.id);
        let mut id = EntryId::new(after, term);
        let accept = |Proposal { id: request, command }| {
            let payload = Payload::Command(command);
            let full = || is_full(id.index).then_some(Refusal::LogFull);
            if let Some(reason) = self.refuses_proposal(server, &payload).or_else(full) {
                out.refuse(request, reason);
                return None;
            }
            self.uncommitted_bytes += payload.size();
            id.index = id.index.next();
            out.accepted.push((request, id));
            out.observe(|| Observation::Appended { first: id.index, last: id, leader: me });
            Some(Entry { term, payload })
        };
        let entries = proposals.into_iter().filter_map(accept).collect::<Vec<_>>().into();
        if id.index > after {
            server.take_entries(&entries, 0, out);
            server.write_log(after);
            self.replicate(server, out);
        }
    }

    /// Puts an entry of the leader's own into the log, and on its way to the disk.
    pub(super) fn append_own(&mut self, server: &mut Server, payload: Payload, out: &mut Output) -> EntryId {
        self.uncommitted_bytes += payload.size();
        let after = server.log.last().index;
        let (id, replaced) = server.take_entry(Entry { term: server.hard_state.term, payload }, out);
        if let Some(before) = replaced {
            self.on_membership(server, before, out);
        }
        server.write_log(after);
        let me = server.config.id;
        out.observe(|| Observation::Appended { first: id.index, last: id, leader: me });
        id
    }

    fn refuses_proposal(&self, server: &Server, payload: &Payload) -> Option<Refusal> {
        if let Some(transfer) = &self.transfer {
            return Some(Refusal::Transferring { to: transfer.to });
        }
        if server.log_is_full() {
            return Some(Refusal::LogFull);
        }
        let (waiting, limit) = (self.uncommitted_bytes, server.config.uncommitted_bytes_max);
        let over = waiting > 0 && waiting + payload.size() > limit;
        over.then_some(Refusal::TooMuchUncommitted { waiting, limit })
    }

    // ---------------------------------------------------------------- time

    pub(super) fn on_timer(&mut self, server: &mut Server, out: &mut Output) -> ControlFlow<StepDownReason> {
        self.expire_reads(server, out);
        if server.disk_is_stalled() {
            return Break(server.disk_stall_reason());
        }
        self.expire_transfer(server, out);
        if server.now < self.heartbeat_due {
            return Continue(());
        }
        if server.config.check_quorum {
            let heard = self.heard_recently(server);
            if !server.members().has_quorum(heard) {
                return Break(StepDownReason::QuorumLost { heard });
            }
        }
        self.begin_round(server, out);
        Continue(())
    }

    /// The members heard within an election timeout, this server included. Members that may not
    /// vote on their disks don't count: a leader that hears only them can commit nothing, and would
    /// keep others from being elected.
    fn heard_recently(&self, server: &Server) -> ServerSet {
        let patience = server.config.election_timeout_max;
        let heard =
            |member: ServerId| self.progress(member).is_some_and(|p| p.heard + patience > server.now && !p.joins);
        server.members().members().those(&|member| member == server.config.id || heard(member))
    }

    /// Begins a heartbeat round: every member that hasn't been sent anything lately is sent
    /// something.
    pub(super) fn begin_round(&mut self, server: &mut Server, out: &mut Output) {
        let half = server.config.heartbeat_interval.percent(50);
        let quiet_since = Time::from_micros(server.now.as_micros().saturating_sub(half.as_micros()));
        self.rounds.begin(server.now);
        self.assign_reads();
        self.forget_silent_leavers(server);
        let everyone = self.reads_wait_for_current_round();
        for member in self.peers(server).iter() {
            let Some(progress) = self.progress_mut(member) else {
                continue;
            };
            if everyone || progress.sent <= quiet_since {
                if let ProgressState::Probe { waiting, unanswered } = &mut progress.state {
                    // The last probe may be lost: ask again.
                    *unanswered |= *waiting;
                    *waiting = false;
                }
                self.send_heartbeat(server, member, out);
            }
        }
        self.schedule_heartbeat(server);
    }

    /// The next round begins when some member hasn't been sent anything for a heartbeat interval.
    fn schedule_heartbeat(&mut self, server: &Server) {
        let interval = server.config.heartbeat_interval;
        let oldest = self.progress.iter().flatten().map(|progress| progress.sent).min();
        let due = oldest.unwrap_or(server.now) + interval;
        // A member that was just added has been sent nothing yet, and a clock may have jumped:
        // never busy-wait.
        self.heartbeat_due = due.max(server.now + interval.percent(10));
    }

    // ---------------------------------------------------------------- sending

    /// Sends every member what it lacks, as far as its window allows.
    pub(super) fn replicate(&mut self, server: &mut Server, out: &mut Output) {
        for member in self.peers(server).iter() {
            self.send_entries(server, member, out);
        }
    }

    /// Sends `member` what it lacks, as far as its state allows.
    pub(super) fn send_entries(&mut self, server: &mut Server, member: ServerId, out: &mut Output) {
        let (last, round) = (server.log.last().index, self.rounds.latest());
        loop {
            let Some(progress) = self.progress_mut(member) else {
                return;
            };
            let asks_only = match &progress.state {
                ProgressState::Snapshot(_) => return,
                ProgressState::Probe { waiting: true, .. } => return,
                ProgressState::Probe { unanswered, .. } => *unanswered,
                ProgressState::Replicate(window) => {
                    let full = window.is_full(server.config.window_appends_max, server.config.window_bytes_max);
                    if progress.next > last || full {
                        return;
                    }
                    false
                }
            };
            let next = progress.next;
            let Some(previous) = server.log.id_at(next.previous()) else {
                return self.begin_snapshot(server, member, out);
            };
            let (entries, bytes) = if asks_only { (Entries::None, 0) } else { server.cut_slice(next) };
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
            self.send_append(server, member, previous, entries, out);
            if probing {
                return;
            }
        }
    }

    /// Sends something, whatever the state: what the member lacks, or an empty append.
    fn send_heartbeat(&mut self, server: &mut Server, member: ServerId, out: &mut Output) {
        let Some(progress) = self.progress(member) else {
            return;
        };
        match &progress.state {
            ProgressState::Probe { .. } => self.send_entries(server, member, out),
            ProgressState::Snapshot(_) => self.ask_for_pieces(server, member, out),
            ProgressState::Replicate(window) => {
                let full = || window.is_full(server.config.window_appends_max, server.config.window_bytes_max);
                if progress.next <= server.log.last().index && !full() {
                    return self.send_entries(server, member, out);
                }
                // An empty append after the entries that are known to match can't be rejected, and
                // doesn't overtake appends on their way. If the last entry that matches has been
                // compacted away meanwhile, any earlier place will do.
                let previous = server.log.id_at(progress.matched).unwrap_or(EntryId::ZERO);
                self.send_empty_append(server, member, previous, out);
            }
        }
    }

    fn send_append(
        &mut self,
        server: &Server,
        member: ServerId,
        previous: EntryId,
        entries: Entries,
        out: &mut Output,
    ) {
        if let Some((round, probe)) = self.note_sent(server, member) {
            let (term, commit) = (server.hard_state.term, server.commit);
            let append = AppendEntries { term, previous, entries, commit, round, probe };
            server.send(member, Message::AppendEntries(append), out);
        }
    }

    /// An empty append is by far the most frequent message, so it has its own code, without the
    /// room for entries.
    fn send_empty_append(&mut self, server: &Server, member: ServerId, previous: EntryId, out: &mut Output) {
        if let Some((round, probe)) = self.note_sent(server, member) {
            let (term, commit) = (server.hard_state.term, server.commit);
            let append = || AppendEntries { term, previous, entries: Entries::None, commit, round, probe };
            server.send_new(member, || Message::AppendEntries(append()), out);
        }
    }

    /// Notes that an append is sent to a member now. Returns the round and the probe that the
    /// append carries.
    fn note_sent(&mut self, server: &Server, member: ServerId) -> Option<(u64, u64)> {
        let now = server.now;
        let round = self.rounds.latest();
        let progress = self.progress_mut(member)?;
        progress.sent = now;
        Some((round, progress.probe))
    }

    // ---------------------------------------------------------------- answers

    pub(super) fn on_append_entries_response(
        &mut self,
        server: &mut Server,
        from: ServerId,
        m: &AppendEntriesResponse,
        out: &mut Output,
    ) -> Leadership {
        // This answers an append of a term in which this server led before. One of its rounds then
        // may have had this number. It proves nothing.
        let earlier = m.outcome == AppendOutcome::StaleTerm;
        if earlier || !self.note_heard(server, from, m.round, Some((m.clock, m.patience))) {
            return Continue(());
        }
        match m.outcome {
            AppendOutcome::StaleTerm => {}
            AppendOutcome::Matched(index) | AppendOutcome::Joining { matched: index, .. } => {
                let may_vote = matches!(m.outcome, AppendOutcome::Matched(_));
                self.note_standing(server, from, may_vote, m.round, out)?;
                self.on_matched(server, from, index, m.received, m.round, out)?;
                if let AppendOutcome::Joining { disk, .. } = m.outcome {
                    self.admit_disk(server, from, disk, out);
                }
            }
            AppendOutcome::Damaged { previous, last } => self.on_damaged(server, from, m.probe, previous, last, out),
            AppendOutcome::Conflict { previous, hint } => {
                self.note_standing(server, from, true, m.round, out)?;
                self.on_conflict(server, from, (m.round, m.probe), previous, hint, out);
            }
        }
        self.release_confirmed_reads(server, out);
        Continue(())
    }

    /// A member says whether it may vote on the disk it has. A member that may not vote reports
    /// neither a match nor a conflict.
    pub(super) fn note_standing(
        &mut self,
        server: &mut Server,
        from: ServerId,
        may_vote: bool,
        round: u64,
        out: &mut Output,
    ) -> Leadership {
        let now = server.now;
        let Some(known) = self.progress(from).map(|progress| progress.may_vote) else { return Continue(()) };
        if !may_vote && known != Some(false) {
            // Answers of the disk that it had before may still be on their way: they are to the
            // rounds so far.
            let round = self.rounds.begin_quietly(now);
            if let Some(progress) = self.progress_mut(from) {
                progress.begin_anew(round);
            }
        }
        let next = self.rounds.latest() + 1;
        let Some(progress) = self.progress_mut(from) else { return Continue(()) };
        if !may_vote {
            // There may have been a disk before this one that was damaged, and that wasn't counted
            // on either.
            (progress.may_vote, progress.joins, progress.vouches_since) = (Some(false), true, next);
        } else if round >= progress.vouches_since {
            (progress.may_vote, progress.joins) = (Some(true), false);
            if known != Some(true) {
                self.advance_commit(server, out)?; // What it has said counts from now on.
            }
        }
        Continue(())
    }

    /// A member answered: it is alive, and it knew the leader when `round` was current. Returns
    /// whether the answer is from a member, on the disk that it has now.
    pub(super) fn note_heard(
        &mut self,
        server: &Server,
        from: ServerId,
        round: u64,
        said: Option<(Time, Duration)>,
    ) -> bool {
        let began = self.rounds.began(round);
        let Some(progress) = self.progress_mut(from) else {
            return false;
        };
        if round < progress.since_round {
            return false; // From before the member had this place, or this disk.
        }
        progress.hear(round, began, said, server.now, &server.config);
        true
    }

    /// `member` holds everything up to `index` on its disk, and has `received` entries that its
    /// disk may still be writing.
    pub(super) fn on_matched(
        &mut self,
        server: &mut Server,
        member: ServerId,
        index: LogIndex,
        received: LogIndex,
        round: u64,
        out: &mut Output,
    ) -> Leadership {
        let (last, now, limit) = (server.log.last().index, server.now, server.config.election_timeout_max);
        let learns = server.members().learners.contains(member);
        let latest = self.rounds.latest();
        let Some(progress) = self.progress_mut(member) else {
            return Continue(());
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
            // Entries that are committed already needn't be counted, unless another membership
            // counts them now.
            if index > server.commit || server.membership.current_index() > server.commit {
                self.advance_commit(server, out)?;
            }
            self.continue_transfer(server, out);
            self.let_go(server, out);
        }
        self.send_entries(server, member, out);
        Continue(())
    }

    fn on_conflict(
        &mut self,
        server: &mut Server,
        from: ServerId,
        (round, probe): (u64, u64),
        previous: LogIndex,
        hint: EntryId,
        out: &mut Output,
    ) {
        // If the hint's term is later than the leader's there, the leader skips back in its own log
        // too.
        let agreed = server.log.last_not_after(hint.index, hint.term);
        let Some(progress) = self.progress_mut(from) else {
            return;
        };
        let snapshot = matches!(progress.state, ProgressState::Snapshot(_));
        if probe != progress.probe || snapshot {
            return; // It answers an earlier probe.
        }
        if previous <= progress.matched {
            if round > progress.matched_round {
                // The member had that entry on its disk before it was asked, has lost it, and
                // doesn't know it: its disk lied, or an old disk was put back.
                return self.on_damaged(server, from, probe, previous, hint, out);
            }
            return; // It has been settled since.
        }
        let before = progress.next;
        // If that is before the beginning of this log, the next thing to send is a snapshot.
        progress.become_probe(agreed.index.min(hint.index).next().min(previous));
        let to = progress.next;
        out.observe(|| Observation::BackedOff { peer: from, from: before, to });
        self.send_entries(server, from, out);
    }

    /// A member's disk has lost entries that it had acknowledged, or is another disk: entries
    /// beyond those that are left are no longer known to match.
    fn on_damaged(
        &mut self,
        server: &mut Server,
        from: ServerId,
        probe: u64,
        previous: LogIndex,
        last: EntryId,
        out: &mut Output,
    ) {
        let agreed = server.log.last_not_after(last.index, last.term);
        let now = server.now;
        // Acknowledgements from before the loss may still be on their way: they answer the rounds
        // so far.
        let round = self.rounds.begin_quietly(now);
        let Some(progress) = self.progress_mut(from) else { return };
        // The member says with its next match whether it may vote.
        (progress.since_round, progress.may_vote) = (round, Some(false));
        if probe != progress.probe || matches!(progress.state, ProgressState::Snapshot(_)) {
            return;
        }
        // As after a conflict: if that is before the beginning of this log, the next thing to send
        // is a snapshot.
        let to = agreed.index.min(last.index);
        // If it lacks no entry that is known to match, an append has only overtaken the one before
        // it.
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
        self.send_entries(server, from, out);
    }

    // ---------------------------------------------------------------- commitment

    /// Commits what a quorum holds (Raft §5.3, §5.4.2).
    pub(super) fn advance_commit(&mut self, server: &mut Server, out: &mut Output) -> Leadership {
        let (me, own) = (server.config.id, server.own_match());
        let matched = |s: ServerId| {
            if s == me {
                own
            } else {
                self.progress(s).filter(|p| server.counts(p)).map_or(LogIndex::ZERO, |p| p.matched)
            }
        };
        let members = server.members();
        let held = if server.rule(Rule::CommitByMajority) {
            members.reached_by_quorum(matched)
        } else {
            members.all_voters().iter().map(matched).max().unwrap_or(LogIndex::ZERO)
        };
        if held <= server.commit {
            return Continue(());
        }
        let Some(id) = server.log.id_at(held) else {
            return Continue(());
        };
        if id.term < server.hard_state.term && server.rule(Rule::CommitOnlyOwnTerm) {
            let term = server.hard_state.term;
            out.observe(|| Observation::CommitWaitsForOwnTerm { held: id, term });
            return Continue(());
        }
        let by =
            if out.listen { members.all_voters().those(&|voter| matched(voter) >= held) } else { ServerSet::EMPTY };
        let bytes = server.log.bytes_in(server.commit, held);
        let first_own = self.first_own;
        let had_own = server.commit >= first_own;
        server.raise_commit(held, by, out);
        self.uncommitted_bytes = self.uncommitted_bytes.saturating_sub(bytes);
        if !had_own && held >= first_own {
            self.start_waiting_reads(server, out);
        }
        self.on_membership_committed(server, out)
    }

    /// Every member that the log is sent to, without the leader itself.
    fn peers(&self, server: &Server) -> ServerSet {
        let mut peers = server.members().members().union(self.leaving);
        peers.remove(server.config.id);
        peers
    }

    /// Tells `members` what is committed, after everything that was sent to them before.
    pub(super) fn tell_commit(&mut self, server: &Server, members: ServerSet, out: &mut Output) {
        for member in members.intersection(self.peers(server)).iter() {
            let Some(progress) = self.progress(member) else {
                continue;
            };
            // An append after the entries known to match can't be rejected; if too few are known,
            // it goes after those on their way.
            let known = progress.matched >= server.membership.current_index();
            let after = if known { progress.matched } else { progress.next.previous() };
            if let Some(previous) = server.log.id_at(after) {
                self.send_empty_append(server, member, previous, out);
            }
        }
    }

    /// Keeps a progress for every server that the log is sent to, and for no other.
    pub(super) fn follow_members(&mut self, server: &Server) {
        let (next, now, me) = (server.log.last().index.next(), server.now, server.config.id);
        let members = self.peers(server);
        let mut since = None;
        let slots = members.iter().map(|member| member.slot() + 1).max().unwrap_or(0);
        self.progress.resize(slots, None);
        for slot in 0..slots {
            let member =
                u8::try_from(slot + 1).ok().and_then(ServerId::new).filter(|m| *m != me && members.contains(*m));
            let place = &mut self.progress[slot];
            match (member, place.is_some()) {
                (Some(_), false) => {
                    // Answers from an earlier membership of this server may still be on their way:
                    // they are to earlier rounds.
                    let round = *since.get_or_insert_with(|| self.rounds.begin_quietly(now));
                    *place = Some(Progress::new(next, round, now));
                }
                (None, true) => *place = None,
                _ => {}
            }
        }
    }
}

impl Server {
    /// The entries from `from` on that go into one append, and their size. Members that are equally
    /// far share them.
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

    /// All entries from `from` on: the same ones that went into an append already, if that took all
    /// of them.
    pub(super) fn cut_everything(&self, from: LogIndex) -> Entries {
        let count = self.log.last().index.next().distance_from(from);
        match &self.slice {
            Some((start, entries, _)) if *start == from && entries.len() as u64 == count => entries.clone(),
            _ => self.log.slice(from, usize::MAX, u64::MAX),
        }
    }

    /// Whether a member's acknowledgements and answers to rounds count for a quorum: not before it
    /// has said that it may vote on the disk it has. A server that lost its disk may have promised
    /// something to a later leader on it.
    pub(super) fn counts(&self, progress: &Progress) -> bool {
        progress.may_vote == Some(true) || !self.rule(Rule::BarAmnesiacVoters)
    }

    /// The highest index that a leader may count for itself.
    pub(super) fn own_match(&self) -> LogIndex {
        if self.rule(Rule::PersistBeforeCounting) { self.disk.log() } else { self.log.last().index }
    }
}
