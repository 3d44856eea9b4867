//! Leavers: whom a membership leaves out is sent the log until it has that from there, and is told
//! that it is committed, for nobody talks to it any more afterwards. Its leader gives it up only
//! when it falls silent (Lawful Membership). And only who was removed, and may not know it, is
//! reminded: it asks for votes in no later term, for its answers would depose the leader (Orderly
//! Elections).

use super::Property;
use super::by_server::ByServer;
use super::safety::{Checker, MACHINES, Verdict};
use super::taken::{Says, Taken, What};
use crate::raft::{LogIndex, Message, Output, Raft, Role, Rule, ServerId, ServerSet, Term};
use crate::time::Time;

/// By server.
#[derive(Clone, Debug)]
pub(super) struct Leavers {
    of: ByServer<Known>,
}

/// What is known of one server, after its last step, if it led then.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    term: Term,
    /// Since when the membership in force is that, and who is in it.
    since: LogIndex,
    members: ServerSet,
    /// Whom it still sends the log.
    leaving: ServerSet,
    /// Who has known of its removal since, in this term.
    told: ServerSet,
    /// By server: when the leader has heard it last, of those.
    heard: [Time; MACHINES],
}

impl Leavers {
    pub(super) fn new(count: usize) -> Leavers {
        Leavers { of: ByServer::new(Known::default(), count) }
    }

    pub(super) fn crashed(&mut self, server: ServerId) {
        self.of[server] = Known::default();
    }
}

impl Checker {
    /// The step of a leader, or of one that led before; what it appends is known already.
    #[inline]
    pub(super) fn check_leavers(&mut self, now: Time, raft: &Raft, out: &Output, taken: &Taken) -> Verdict {
        let leaving = if let Role::Leader(leader) = raft.role() { leader.leaving() } else { ServerSet::EMPTY };
        // Nobody leaves but by what is written.
        let nobody = leaving.is_empty() && self.leavers.of[raft.id()].leaving.is_empty();
        if nobody && out.writes.is_empty() && raft.is_leader() {
            return Ok(());
        }
        self.note_leavers(now, raft, out, taken, leaving)
    }

    #[inline(never)]
    fn note_leavers(&mut self, now: Time, raft: &Raft, out: &Output, taken: &Taken, leaving: ServerSet) -> Verdict {
        let (me, term) = (raft.id(), raft.term());
        let (since, membership) = self.membership_of(me);
        let known = &mut self.leavers.of[me];
        if let Role::Leader(leader) = raft.role() {
            for server in leaving.iter() {
                known.heard[server.slot()] = leader.progress(server).map_or(Time::ZERO, |progress| progress.heard);
            }
        }
        if raft.is_leader() && (known.term, known.since, known.leaving) == (term, since, leaving) {
            return Ok(());
        }
        let before = *known;
        *known = Known { term, since, members: membership.members(), leaving, ..before };
        if before.term != term {
            known.told = ServerSet::EMPTY;
            return Ok(());
        }
        self.check_leaver(now, raft, out, taken, &before)
    }

    /// Something has changed since `before`.
    fn check_leaver(&mut self, now: Time, raft: &Raft, out: &Output, taken: &Taken, before: &Known) -> Verdict {
        let (me, term) = (raft.id(), raft.term());
        let Known { since, members, leaving, .. } = self.leavers.of[me];
        // Where memberships are in force from their commit on only, others leave at other times.
        if !raft.config().rules.on(Rule::MembershipFollowsLog) {
            return Ok(());
        }
        let tells = |message: &Message| matches!(message, Message::AppendEntries(m) if m.commit >= since);
        let told: ServerSet = out.messages.iter().filter(|m| tells(&m.message)).map(|m| m.to).collect();
        let mut leave = before.leaving.union(before.members).difference(members);
        leave.remove(me);
        if !raft.is_leader() {
            // It steps down because that is committed, or for another reason. Who is being sent a
            // snapshot couldn't understand what it is told.
            let committed = raft.commit_index();
            let removed = since <= committed
                && raft.log().id_at(committed).is_some_and(|id| id.term == term)
                && !self.membership_of(me).1.is_voter(me);
            if !removed || !told.is_empty() {
                return Ok(());
            }
            return self.out_of_order(
                Property::LawfulMembership,
                now,
                me,
                "leaves",
                "it tells nobody that this is committed",
            );
        }
        let known = &mut self.leavers.of[me];
        known.told = known.told.union(told.intersection(leave.difference(leaving))).difference(members);
        let clock = self.elections.stepped(me);
        let silent = |server: ServerId| {
            let heard = before.heard[server.slot()];
            // Not before the membership is committed. And the clock may have been set back.
            before.since == since && (heard > clock || heard + raft.config().election_timeout_max <= clock)
        };
        let forgotten = leave.difference(leaving).difference(told);
        // A snapshot that it has installed has told it so.
        let snapshot = matches!(&taken.what, What::Answer { says: Says::MayVote | Says::Joins(_), .. });
        let knows = |server: ServerId| snapshot && taken.from == Some(server);
        if forgotten.iter().any(|server| !silent(server) && !knows(server)) {
            let (first, second) = ("forgets who is leaving", "it hasn’t told them all");
            self.out_of_order(Property::LawfulMembership, now, me, first, second)?;
        }
        let late = taken.term < term && taken.from.is_some_and(|from| before.told.contains(from));
        let settled = since <= raft.commit_index();
        if leaving.difference(leave).is_empty() || settled && taken.term <= term && !late {
            return Ok(());
        }
        let second = "it can’t know that, or would be deposed for it";
        self.out_of_order(Property::OrderlyElections, now, me, "tells somebody that it was removed", second)
    }
}
