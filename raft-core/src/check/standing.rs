//! Who may vote on the disk it has, as far as a leader can know: what the members tell it, and what it makes of that.
//!
//! * **Durable Promise**: a server that says that it may vote has that on its disk.
//! * **One Vote a Term**: a leader that was told by a disk that it may not vote doesn't take its server for one that may, whatever was said on the
//!   disk before it and comes late.
//! * **Lawful Membership**: who becomes a voter has said that it may vote, and a majority of the voters hasn't said that it may not: it could elect
//!   nobody.

use super::Property;
use super::by_server::ByServer;
use super::safety::{Checker, MACHINES, Verdict};
use super::taken::{Says, Taken, What};
use crate::raft::{Configuration, DiskId, Image, LogIndex, Raft, Role, Rule, ServerId, Standing};
use crate::sim::Machine;
use crate::time::Time;

/// What leaders have been told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    of: ByServer<Leader>,
}

/// What one leader has been told in the term that it leads, or led last.
#[derive(Clone, Copy, Debug, Default)]
struct Leader {
    /// By member: the disk that said last that it may not vote.
    joins: [Option<DiskId>; MACHINES],
    /// By member: how far the leader's log went when it said last that it may vote; zero if never.
    vouched: [LogIndex; MACHINES],
}

impl Told {
    pub(super) fn new(count: usize) -> Told {
        Told { of: ByServer::new(Leader::default(), count) }
    }

    /// A server leads from now on.
    pub(super) fn leads(&mut self, server: ServerId) {
        self.of[server] = Leader::default();
    }
}

impl Checker {
    /// A member has answered its leader, which has made something of it.
    #[inline]
    pub(super) fn check_told(&mut self, now: Time, raft: &Raft, taken: &Taken, machines: &[Machine]) -> Verdict {
        let (What::Answer { says, .. }, Some(from), Role::Leader(leader)) = (&taken.what, taken.from, raft.role())
        else {
            return Ok(());
        };
        let me = raft.id();
        let Leader { joins, vouched } = &mut self.told.of[me];
        match says {
            Says::Joins { disk } => {
                joins[from.slot()] = disk.or(joins[from.slot()]);
                return Ok(());
            }
            Says::Rejected { lost: true, .. } => return Ok(()),
            Says::Matched | Says::Rejected { .. } | Says::MayVote => {}
        }
        if leader.progress(from).and_then(|progress| progress.may_vote) != Some(true) {
            return Ok(()); // It may have been said on an earlier disk.
        }
        vouched[from.slot()] = raft.log().last().index;
        let Some(joined) = joins[from.slot()].take().filter(|_| raft.config().rules.on(Rule::BarAmnesiacVoters)) else {
            return Ok(());
        };
        let Some(machine) = machines.get(from.slot()) else { return Ok(()) };
        let hard_state = machine.disk().image().hard_state();
        if hard_state.disk != joined || hard_state.standing == Standing::Member {
            return Ok(());
        }
        let second = "that was said on an earlier disk, and the one that it has now has said that it may not";
        self.out_of_order(Property::OneVoteATerm, now, me, "takes another for one that may vote", second)
    }

    /// A server says that it may vote.
    #[inline]
    pub(super) fn check_vouches(&self, now: Time, raft: &Raft, image: &Image) -> Verdict {
        if image.hard_state().standing == Standing::Member || !raft.config().rules.on(Rule::BarAmnesiacVoters) {
            return Ok(());
        }
        let (first, second) = ("says that it may vote", "its disk doesn’t know of that");
        self.out_of_order(Property::DurablePromise, now, raft.id(), first, second)
    }

    /// A leader appends a membership.
    pub(super) fn check_voters(
        &self,
        now: Time,
        raft: &Raft,
        before: &Configuration,
        after: &Configuration,
    ) -> Verdict {
        let me = raft.id();
        let Leader { joins, vouched } = &self.told.of[me];
        if after.voters == before.voters || !raft.config().rules.on(Rule::BarAmnesiacVoters) {
            return Ok(());
        }
        for newcomer in after.voters.difference(before.all_voters()).iter().filter(|newcomer| *newcomer != me) {
            if vouched[newcomer.slot()] < self.memberships[me].learns_since(newcomer) {
                let (first, second) =
                    ("makes a voter of a learner", "that hasn’t said since it is one that it may vote");
                self.out_of_order(Property::LawfulMembership, now, me, first, second)?;
            }
        }
        // Of an answer that came late it is known by now.
        let known = |voter: ServerId| match raft.role() {
            Role::Leader(leader) => leader.progress(voter).is_some_and(|progress| progress.may_vote == Some(true)),
            _ => false,
        };
        let may = after.voters.those(&|voter| voter == me || joins[voter.slot()].is_none() || known(voter));
        if before.is_joint() || Configuration::of_voters(after.voters).has_quorum(may) {
            return Ok(());
        }
        let (first, second) = ("changes the voters", "most of them have said that they may not vote");
        self.out_of_order(Property::LawfulMembership, now, me, first, second)
    }
}
