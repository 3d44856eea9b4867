//! A follower's log: it takes appends, drops entries that conflict, and says where the logs differ
//! (Raft §5.3).

use alloc::sync::Arc;

use super::Configuration;
use super::entry::{Entries, Entry, Payload};
use super::io::{Output, Standing};
use super::log::Log;
use super::message::{AppendEntries, AppendEntriesResponse, AppendOutcome, Message};
use super::observation::Observation;
use super::quorum::Share;
use super::rules::Rule;
use super::server::Server;
use super::types::{EntryId, LogIndex, ServerId, ServerSet};
use crate::time::{Duration, Time};

/// How an append fits a log. The pure function [`fit`] decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The entry before the append isn't in the log.
    Gap,
    /// The first `known` entries are in the log already, and nothing conflicts.
    Extends {
        /// How many of the append's entries the log has.
        known: usize,
    },
    /// The first `known` entries are in the log already; the entries that follow them there
    /// conflict and must go.
    Conflicts {
        /// How many of the append's entries the log has.
        known: usize,
    },
}

/// How `entries` after `previous` fit a log. `last` is where that log ends, and `contains` tells
/// which entries it holds.
pub(super) fn fit(previous: EntryId, entries: &Entries, last: LogIndex, contains: impl Fn(EntryId) -> bool) -> Fit {
    if !contains(previous) {
        return Fit::Gap;
    }
    let mut known = 0;
    let mut index = previous.index;
    for entry in entries.as_slice() {
        index = index.next();
        if index > last {
            break;
        }
        if !contains(EntryId::new(index, entry.term)) {
            return Fit::Conflicts { known };
        }
        known += 1;
    }
    Fit::Extends { known }
}

impl AppendEntries {
    /// The answer of a server in the same term whose log equals the leader's up to `received`.
    /// `said` is what the server's clock shows, and its patience.
    #[inline]
    pub(super) fn answer(&self, said: (Time, Duration), received: LogIndex, outcome: AppendOutcome) -> Message {
        let AppendEntries { term, round, probe, .. } = *self;
        let (clock, patience) = said;
        Message::AppendEntriesResponse(AppendEntriesResponse { term, round, probe, clock, patience, received, outcome })
    }
}

impl Server {
    pub(super) fn on_append_entries(&mut self, from: ServerId, m: &AppendEntries, out: &mut Output) {
        // Committed entries are in the leader's log too (Leader Completeness). So if an append
        // begins before the commit index, or inside a snapshot, only the part after that needs a
        // look.
        let behind = self.commit.distance_from(m.previous.index);
        if behind > 0 {
            return self.on_old_append(from, m, behind, out);
        }
        let last = self.log.last();
        let log = &self.log;
        let fit = match fit(m.previous, &m.entries, last.index, |id| log.contains(id)) {
            Fit::Gap if !self.rule(Rule::CheckPreviousEntry) && goes_on_from(log, m) => Fit::Conflicts { known: 0 },
            fit => fit,
        };
        let known = match fit {
            Fit::Gap => return self.reject(from, m, out),
            Fit::Extends { known } | Fit::Conflicts { known } => known,
        };
        let keep_to = m.previous.index.plus(known as u64).min(last.index);
        let drop_tail = matches!(fit, Fit::Conflicts { .. }) || !self.rule(Rule::TruncateOnlyOnConflict);
        if drop_tail && keep_to < last.index {
            let conflict = m.entries.as_slice().get(known).map_or(m.term, |entry| entry.term);
            self.truncate(keep_to, EntryId::new(keep_to.next(), conflict), out);
        }
        let fresh = m.entries.len() > known;
        if fresh || self.log.last().index < last.index {
            if fresh {
                self.take_entries(&m.entries, known, out);
                let last = self.log.last();
                out.observe(|| Observation::Appended { first: keep_to.next(), last, leader: from });
            }
            self.write_log(keep_to);
            if let Entries::Many(_) = &m.entries {
                // A run of entries goes to the disk as it came, in one piece.
                let fresh = m.entries.skip(known);
                let bytes = fresh.size();
                self.slice = Some((keep_to.next(), fresh, bytes));
            }
        }
        let verified = m.previous.index.plus(m.entries.len() as u64).min(self.log.last().index);
        self.agree(from, m, verified, out);
    }

    /// An append that starts before what is committed here: only the part beyond can be news.
    fn on_old_append(&mut self, from: ServerId, m: &AppendEntries, behind: u64, out: &mut Output) {
        if behind < m.entries.len() as u64
            && let Some(previous) = self.log.id_at(self.commit)
        {
            let rest = AppendEntries { previous, entries: m.entries.skip(behind as usize), ..m.clone() };
            if rest.entries.as_slice().first().is_some_and(|first| first.term < previous.term) {
                out.observe(|| Observation::ImpossibleMessage { from, what: "entries older than what is committed" });
                return;
            }
            return self.on_append_entries(from, &rest, out);
        }
        self.agree(from, m, self.commit.min(self.disk.log()), out);
    }

    /// This append shows that the log equals the leader's up to `verified`; an earlier one may have
    /// shown more.
    fn agree(&mut self, leader: ServerId, m: &AppendEntries, verified: LogIndex, out: &mut Output) {
        let (term, before) = self.agreed;
        let received = if term == m.term { before.max(verified) } else { verified };
        let received = received.min(self.log.last().index);
        self.agreed = (m.term, received);
        self.learn_commit(m.commit, received, out);
        self.settle_admissions(out); // The answer says whether it may vote.
        // An earlier acknowledgement may have been lost, or the disk may have finished since.
        let durable = received.min(self.disk.log());
        // A leader must hear that its members are up, however slow their disks are, or it steps
        // down. Entries that are still being written are acknowledged by the answer to the append
        // that brought them, or to a later heartbeat.
        let asks_only =
            m.entries.is_empty() && self.hard_state_is_durable() && self.rule(Rule::PersistBeforeAcknowledging);
        let matched = if asks_only { durable } else { verified.max(durable) };
        let outcome = match self.hard_state.standing {
            Standing::Member => AppendOutcome::Matched(matched),
            _ => AppendOutcome::Joining { matched, disk: self.hard_state.disk },
        };
        let said = self.clock_and_patience();
        self.promise_log(matched, leader, || m.answer(said, received, outcome), out);
    }

    /// What every answer to an append says about the server itself: what its clock shows, and how
    /// long it ignores campaigns from now on.
    #[inline]
    pub(super) fn clock_and_patience(&self) -> (Time, Duration) {
        (self.now, self.config.patience())
    }

    fn reject(&mut self, leader: ServerId, m: &AppendEntries, out: &mut Output) {
        let hint = self.log.last_not_after(m.previous.index, m.previous.term);
        let (previous, mine) = (m.previous, self.log.term_at(m.previous.index));
        let (clock, patience) = self.clock_and_patience();
        out.observe(|| Observation::AppendRejected { leader, previous, mine, hint });
        let answer = AppendEntriesResponse {
            term: self.hard_state.term,
            round: m.round,
            probe: m.probe,
            clock,
            patience,
            received: LogIndex::ZERO,
            outcome: if self.disk_lost_entries() {
                AppendOutcome::Damaged { previous: m.previous.index, last: hint }
            } else {
                AppendOutcome::Conflict { previous: m.previous.index, hint }
            },
        };
        self.send(leader, Message::AppendEntriesResponse(answer), out);
    }

    fn truncate(&mut self, after: LogIndex, conflict: EntryId, out: &mut Output) {
        self.must_hold(after >= self.commit, "committed entries are never dropped");
        let dropped_to = self.log.last();
        out.observe(|| Observation::Truncated { after, dropped_to, conflict });
        self.log.truncate_after(after);
        self.disk.cut(after);
        self.admissions.retain(|(index, _)| *index <= after);
        if self.membership.truncate_after(after) {
            let configuration = *self.membership.current();
            out.observe(|| Observation::MembershipReverted { configuration });
        }
    }

    /// Puts entries at the end of the log, except the first `known` ones, which are there. A run is
    /// shared with the server that it came from.
    pub(super) fn take_entries(&mut self, entries: &Entries, known: usize, out: &mut Output) {
        match entries {
            Entries::Many(run) if !run.iter().any(|entry| entry.payload.is_about_members()) => {
                let run = run.part(known..run.len());
                let ends = run.first().zip(run.last());
                let in_order = ends.is_none_or(|(first, _)| first.term >= self.log.last().term);
                self.must_hold(in_order, "terms never go down along the log");
                let in_time = ends.is_none_or(|(_, last)| last.term <= self.hard_state.term);
                self.must_hold(in_time, "no entry is of a later term than its holder's");
                self.log.append_run(&run);
            }
            _ => {
                for entry in &entries.as_slice()[known..] {
                    self.take_entry(entry.clone(), out);
                }
            }
        }
    }

    /// Puts an entry at the end of the log. A membership is in force at once (Raft §6), an
    /// admission when it is committed. Returns the entry's id, and the membership that was in force
    /// until now, if the entry replaces it.
    pub(super) fn take_entry(&mut self, entry: Entry, out: &mut Output) -> (EntryId, Option<Configuration>) {
        self.must_hold(entry.term >= self.log.last().term, "terms never go down along the log");
        self.must_hold(entry.term <= self.hard_state.term, "no entry is of a later term than its holder's");
        let configuration = match &entry.payload {
            Payload::Membership(configuration) => Some(Arc::clone(configuration)),
            Payload::Admission { server, disk } if *server == self.config.id => {
                self.admissions.push((self.log.last().index.next(), *disk));
                None
            }
            _ => None,
        };
        let id = self.log.append(entry);
        let replaced = configuration.map(|configuration| {
            // Messages may be sent in this same step because of the entry, and the part of the log
            // that was cut out for earlier ones lacks it.
            self.slice = None;
            let before = *self.membership.current();
            self.membership.append(id.index, *configuration);
            self.on_membership(before, id.index, out);
            before
        });
        (id, replaced)
    }

    /// The leader has committed up to `commit`. This log is known to equal the leader's up to
    /// `verified`.
    fn learn_commit(&mut self, commit: LogIndex, verified: LogIndex, out: &mut Output) {
        // Raft Figure 2: min(leaderCommit, index of last new entry). The entries beyond that may be
        // another leader's.
        let bound = if self.rule(Rule::CommitOnlyVerified) { verified } else { self.log.last().index };
        self.raise_commit(commit.min(bound), ServerSet::EMPTY, out);
    }

    pub(super) fn raise_commit(&mut self, to: LogIndex, by: ServerSet, out: &mut Output) {
        if to > self.commit {
            let from = self.commit;
            self.must_hold(to <= self.log.last().index, "only what the log holds is committed");
            self.commit = to;
            out.observe(|| {
                let members = self.members();
                let (share, outgoing) = (Share::of(members.voters, by), Share::of(members.outgoing, by));
                Observation::Committed { from, to, by, share, outgoing }
            });
        }
    }
}

/// Whether the entries' terms allow them to follow the log's own entries at that place. It holds
/// for a log that nothing else is checked of, too: the terms of every log are in order.
fn goes_on_from(log: &Log, m: &AppendEntries) -> bool {
    let before = log.term_at(m.previous.index.min(log.last().index));
    m.entries.as_slice().first().is_none_or(|first| before.is_some_and(|before| before <= first.term))
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Entry, Payload};
    use super::super::types::Term;
    use super::*;

    #[test]
    fn an_append_fits_extends_or_conflicts() {
        // The log, by term: index 1 is of term 1, and so on.
        let log = [1, 1, 2, 3];
        let contains = |id: EntryId| match id.index.0 {
            0 => id.term.0 == 0,
            index => log.get(index as usize - 1) == Some(&id.term.0),
        };
        let cases: [((u64, u64), &[u64], Fit); 10] = [
            ((0, 0), &[], Fit::Extends { known: 0 }),
            ((0, 0), &[1, 1], Fit::Extends { known: 2 }),
            ((4, 3), &[3], Fit::Extends { known: 0 }),
            ((3, 2), &[3, 3], Fit::Extends { known: 1 }),
            ((2, 1), &[2, 4], Fit::Conflicts { known: 1 }),
            ((2, 1), &[4], Fit::Conflicts { known: 0 }),
            ((3, 1), &[4], Fit::Gap),
            ((5, 3), &[3], Fit::Gap),
            ((4, 2), &[], Fit::Gap),
            ((2, 1), &[], Fit::Extends { known: 0 }),
        ];
        for ((index, term), entries, expected) in cases {
            let entries: Entries =
                entries.iter().map(|term| Entry { term: Term(*term), payload: Payload::NoOp }).collect();
            let previous = EntryId::new(LogIndex(index), Term(term));
            assert_eq!(fit(previous, &entries, LogIndex(4), contains), expected, "{previous} + {entries:?}");
        }
    }
}
