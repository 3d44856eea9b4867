//! What servers have promised each other, and whether their disks have it: a vote (Raft §5.2), and
//! an acknowledgement of entries (Raft §5.3).
//!
//! A promise is judged twice. When it is sent, it must be on the sender's disk ("updated on stable
//! storage before responding", Raft Figure 2). After every crash, it must still be there. An
//! acknowledgement names an index. What counts is the entry that the leader has there, not what the
//! sender has.

use alloc::format;
use alloc::string::String;

use super::Property;
use super::by_server::ByServer;
use super::safety::{CheckResult, Checker};
use super::view::{MachineView, Machines};
use crate::raft::{
    AppendEntriesResponse, AppendOutcome, EntryId, Image, InstallSnapshotResponse, LogIndex, Raft, Rule, ServerId,
    SnapshotProgress, Standing, Term,
};
use crate::time::Time;

/// What each server has promised.
#[derive(Clone, Debug)]
pub(super) struct Promises {
    of: ByServer<Promised>,
}

/// What one server has promised.
#[derive(Clone, Copy, Debug, Default)]
struct Promised {
    /// The vote that it is known to have given in its latest term. It mustn't give another,
    /// whatever happens to its disk.
    vote: Option<(Term, ServerId)>,
    /// Whether its disk must have the vote.
    vote_kept: bool,
    /// The last entry that it has acknowledged, with the latest term in which it did, if its disk
    /// must have it.
    acknowledged: Option<(Term, EntryId)>,
}

impl Promises {
    pub(super) fn new(count: usize) -> Promises {
        Promises { of: ByServer::new(Promised::default(), count) }
    }

    /// The world has destroyed the log on a server's disk, and with `everything` its vote, too.
    pub(super) fn release(&mut self, server: ServerId, everything: bool) {
        let promised = &mut self.of[server];
        promised.acknowledged = None;
        promised.vote_kept &= !everything;
    }

    /// A server's disk is admitted. If the server gave its last vote with an earlier disk, which
    /// was lost, it hasn't been able to vote since. The candidate that got that vote can't win with
    /// it: its log lacks the entry that took away the server's right to vote, and a quorum of its
    /// own membership has that entry.
    pub(super) fn admit(&mut self, server: ServerId) {
        let promised = &mut self.of[server];
        if !promised.vote_kept {
            promised.vote = None;
        }
    }

    /// The last vote that a server is known to have given.
    pub(super) fn vote_of(&self, server: ServerId) -> Option<(Term, ServerId)> {
        self.of[server].vote
    }

    fn acknowledge(&mut self, server: ServerId, term: Term, id: EntryId) {
        let acknowledged = &mut self.of[server].acknowledged;
        if acknowledged.is_none_or(|(before, last)| term > before || last.index < id.index) {
            *acknowledged = Some((term, id));
        }
    }
}

impl Checker {
    /// Durable Promise: a server answers an append.
    #[inline]
    pub(super) fn check_acknowledged(
        &mut self,
        now: Time,
        raft: &Raft,
        (to, m): (ServerId, &AppendEntriesResponse),
        machines: &dyn Machines,
        image: &Image,
    ) -> CheckResult {
        match m.outcome {
            AppendOutcome::Matched(index) | AppendOutcome::Joining { matched: index, .. } => {
                if let AppendOutcome::Matched(_) = m.outcome {
                    self.check_vouches(now, raft, image)?;
                }
                let leader = machines.get(to.slot()).and_then(|machine| machine.raft());
                self.check_acknowledgement(now, raft, (m.term, index), leader, image)
            }
            AppendOutcome::Conflict { .. } => self.check_vouches(now, raft, image),
            AppendOutcome::Damaged { .. } | AppendOutcome::StaleTerm => Ok(()),
        }
    }

    /// Durable Promise: a server answers a piece of a snapshot.
    pub(super) fn check_installed(
        &mut self,
        now: Time,
        raft: &Raft,
        (to, m): (ServerId, &InstallSnapshotResponse),
        machines: &dyn Machines,
        image: &Image,
    ) -> CheckResult {
        if m.may_vote {
            self.check_vouches(now, raft, image)?;
        }
        let SnapshotProgress::Installed(index) = m.progress else { return Ok(()) };
        if index > raft.commit_index() {
            let (first, second) = ("answers a snapshot", "it acknowledges what no snapshot covers");
            self.out_of_order(Property::DurablePromise, now, raft.id(), first, second)?;
        }
        let leader = machines.get(to.slot()).and_then(|machine| machine.raft());
        self.check_acknowledgement(now, raft, (m.term, index), leader, image)
    }

    /// One Vote a Term, and Durable Promise: `me` votes for `candidate`.
    pub(super) fn check_vote(
        &mut self,
        now: Time,
        me: ServerId,
        term: Term,
        candidate: ServerId,
        image: &Image,
    ) -> CheckResult {
        if let Some((_, other)) = self.promises.of[me].vote.filter(|(t, other)| *t == term && *other != candidate) {
            let first = format_args!("{me} voted for {other} in term {term}");
            self.broken(Property::OneVoteATerm, now, first, format_args!("it votes for {candidate} in the same term"))?;
        }
        let promised = &mut self.promises.of[me];
        (promised.vote, promised.vote_kept) = (Some((term, candidate)), true);
        let hard_state = image.hard_state();
        if hard_state.term == term && hard_state.voted_for == Some(candidate) {
            return Ok(());
        }
        let first = format_args!("{me} says that it votes for {candidate} in term {term}");
        self.broken(Property::DurablePromise, now, first, format_args!("its disk says {}", describe_vote(image)))
    }

    /// Durable Promise: a server says that it may vote.
    #[inline(never)]
    pub(super) fn check_vouches(&self, now: Time, raft: &Raft, image: &Image) -> CheckResult {
        if image.hard_state().standing == Standing::Member || !raft.config().rules.on(Rule::BarAmnesiacVoters) {
            return Ok(());
        }
        let (first, second) = ("says that it may vote", "its disk isn’t admitted");
        self.out_of_order(Property::DurablePromise, now, raft.id(), first, second)
    }

    /// Durable Promise: the server says that the log on its disk equals the leader's up to `index`.
    fn check_acknowledgement(
        &mut self,
        now: Time,
        raft: &Raft,
        (term, index): (Term, LogIndex),
        leader: Option<&Raft>,
        image: &Image,
    ) -> CheckResult {
        let me = raft.id();
        // A leader never changes its own log. What it has put into a snapshot was committed. If it
        // leads no longer, no server counts on the promise, and the server's own log is the best
        // guess at which entry is meant.
        let leader = leader.filter(|leader| leader.is_leader() && leader.term() == term);
        let meant = leader.unwrap_or(raft).log().id_at(index).or_else(|| self.committed_id(index));
        let id = meant.or_else(|| raft.log().id_at(index)).unwrap_or(EntryId::new(index, Term::ZERO));
        self.promises.acknowledge(me, term, id);
        if image.holds(id) && image.hard_state().term >= term {
            return Ok(());
        }
        self.forgotten(now, me, (term, id), image)
    }

    /// What a server has acknowledged isn't on its disk. Of an entry that it lacks, the term may
    /// not be known.
    #[inline(never)]
    fn forgotten(&self, now: Time, me: ServerId, (term, id): (Term, EntryId), image: &Image) -> CheckResult {
        let first = format_args!("{me} acknowledged up to entry {} in term {term}", id.index);
        let second = format_args!("its disk ends with {} in term {}", image.log().last(), image.hard_state().term);
        self.broken(Property::DurablePromise, now, first, second)
    }

    /// A server drops its entries after `after` for a later leader than the one to which it has
    /// acknowledged them. It need not hold them any more, even if others commit them in a term
    /// after that one.
    #[inline]
    pub(super) fn release_overwritten(&mut self, raft: &Raft, after: LogIndex) {
        if let Some((term, id)) = self.promises.of[raft.id()].acknowledged
            && id.index > after
            && raft.term() > term
            && !self.is_committed_by(term, id)
        {
            self.promises.of[raft.id()].acknowledged = None;
        }
    }

    /// Durable Promise, after a crash: what the server has promised must still be on its disk.
    pub(super) fn check_kept(&self, now: Time, machine: &dyn MachineView) -> CheckResult {
        let (me, image) = (machine.id(), machine.image());
        let (promised, hard_state) = (self.promises.of[me], image.hard_state());
        if let Some((term, candidate)) = promised.vote.filter(|_| promised.vote_kept)
            && (hard_state.term < term || hard_state.term == term && hard_state.voted_for != Some(candidate))
        {
            let first = format_args!("{me} voted for {candidate} in term {term}");
            let second = format_args!("after its crash its disk says {}", describe_vote(image));
            self.broken(Property::DurablePromise, now, first, second)?;
        }
        // A leader of a later term may have overwritten it, unless it was committed by then. A
        // leader that commits it later doesn't count a promise to another leader.
        if let Some((term, id)) = promised.acknowledged
            && (hard_state.term <= term || self.is_committed_by(term, id))
            && (hard_state.term < term || !image.holds(id))
        {
            self.forgotten(now, me, (term, id), image)?;
        }
        Ok(())
    }
}

fn describe_vote(image: &Image) -> String {
    let hard_state = image.hard_state();
    match hard_state.voted_for {
        Some(vote) => format!("a vote for {vote} in term {}", hard_state.term),
        None => format!("no vote in term {}", hard_state.term),
    }
}
