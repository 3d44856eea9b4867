//! Leavers: servers that a membership removes. The leader sends a leaver the log up to the entry of
//! that membership, and tells it that the entry is committed, because no server talks to it
//! afterwards. The leader gives up only if the leaver falls silent (Lawful Membership).
//!
//! A leader reminds a server of its removal only if that server was removed and may not know it. It
//! doesn't remind a server of a later term, because the answer would depose the leader (Orderly
//! Elections).

use super::Property;
use super::by_server::ByServer;
use super::safety::{CheckResult, Checker, MACHINES};
use super::taken::{Content, Says, Taken};
use crate::raft::{LogIndex, Message, Output, Raft, Role, Rule, ServerId, ServerSet, Term};
use crate::time::Time;

/// What is known of each server.
#[derive(Clone, Debug)]
pub(super) struct Leavers {
    of: ByServer<Known>,
}

/// What is known of one server after its last step, if it led then.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    term: Term,
    /// The entry of the membership in force, and its members.
    since: LogIndex,
    members: ServerSet,
    /// The leavers to which it still sends the log.
    leaving: ServerSet,
    /// The leavers that it has told of their removal, in this term.
    told: ServerSet,
    /// For each leaver: when the leader heard it last.
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
    /// A server that leads, or led before, took a step. Its memberships are noted already.
    #[inline]
    pub(super) fn check_leavers(&mut self, now: Time, raft: &Raft, out: &Output, taken: &Taken) -> CheckResult {
        let leaving = if let Role::Leader(leader) = raft.role() { leader.leaving() } else { ServerSet::EMPTY };
        // A server leaves only by an entry that is written.
        let none = leaving.is_empty() && self.leavers.of[raft.id()].leaving.is_empty();
        if none && out.writes.is_empty() && raft.is_leader() {
            return Ok(());
        }
        self.note_leavers(now, raft, out, taken, leaving)
    }

    #[inline(never)]
    fn note_leavers(&mut self, now: Time, raft: &Raft, out: &Output, taken: &Taken, leaving: ServerSet) -> CheckResult {
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
    fn check_leaver(&mut self, now: Time, raft: &Raft, out: &Output, taken: &Taken, before: &Known) -> CheckResult {
        let (me, term) = (raft.id(), raft.term());
        let Known { since, members, leaving, .. } = self.leavers.of[me];
        // Without this rule memberships are in force only once committed, and servers leave at
        // other times.
        if !raft.config().rules.on(Rule::MembershipFollowsLog) {
            return Ok(());
        }
        let tells = |message: &Message| matches!(message, Message::AppendEntries(m) if m.commit >= since);
        let told: ServerSet = out.messages.iter().filter(|m| tells(&m.message)).map(|m| m.to).collect();
        let mut leave = before.leaving.union(before.members).difference(members);
        leave.remove(me);
        if !raft.is_leader() {
            // It steps down because its removal is committed, or for another reason. A leaver that
            // is being sent a snapshot couldn't use what it is told.
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
                "it tells no server that this is committed",
            );
        }
        let known = &mut self.leavers.of[me];
        known.told = known.told.union(told.intersection(leave.difference(leaving))).difference(members);
        let clock = self.elections.stepped(me);
        let silent = |server: ServerId| {
            let heard = before.heard[server.slot()];
            // Only once the membership is committed. And the clock may have been set back.
            before.since == since && (heard > clock || heard + raft.config().election_timeout_max <= clock)
        };
        let forgotten = leave.difference(leaving).difference(told);
        // A leaver that has installed a snapshot knows it from there.
        let snapshot = matches!(&taken.content, Content::Answer { says: Says::MayVote | Says::Joins(_), .. });
        let knows = |server: ServerId| snapshot && taken.from == Some(server);
        if forgotten.iter().any(|server| !silent(server) && !knows(server)) {
            let (first, second) = ("drops a server that leaves", "it hasn’t told that server");
            self.out_of_order(Property::LawfulMembership, now, me, first, second)?;
        }
        let late = taken.term < term && taken.from.is_some_and(|from| before.told.contains(from));
        let settled = since <= raft.commit_index();
        if leaving.difference(leave).is_empty() || settled && taken.term <= term && !late {
            return Ok(());
        }
        let second = "it can’t know of one, or the answer would depose it";
        self.out_of_order(Property::OrderlyElections, now, me, "tells a server of its removal", second)
    }
}
