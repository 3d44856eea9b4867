//! Grounds: what a server's decisions rest on. Most mistakes happen long before they do any harm,
//! and many never do: a read that no quorum confirmed shows the right value nearly always. So these
//! checks judge not only the result of a decision, but also whether the server knew enough to
//! decide so.
//!
//! * **Election Safety**: a leader has the votes of a quorum (Raft §5.2), and its own vote is on
//!   its own disk.
//! * **Fresh Reads**: a read is answered once a quorum has answered a round that began after the
//!   read came (dissertation §6.4), or while a quorum is bound to ignore campaigns (§6.4.1). A
//!   server that may not vote with its disk counts for neither.
//! * **Every Request Ends**: a confirmed read is answered at once, and an entry that a quorum holds
//!   is committed.
//!
//! [`super::elections`] checks how elections are held. Each is checked only while the rule that
//! demands it is on. Without the rule, only the consequences are judged.

use alloc::vec::Vec;

use super::Property;
use super::by_server::ByServer;
use super::replication::progress_of;
use super::requests::Asked;
use super::safety::{CheckResult, Checker, MACHINES};
use super::taken::{Content, Says, Taken};
use super::view::{MachineView, Machines, servers_where};
use crate::raft::{
    DiskId, LogIndex, Output, Raft, ReadIndex, ReadIndexResponse, Role, Rule, ServerId, ServerSet, Standing, Term,
};
use crate::time::{Duration, Time};

/// How many of a leader's rounds are remembered. No read waits for an answer to an earlier one.
const ROUNDS: usize = 64;

/// How long a leader watches another's clock before it must know how fast that clock runs.
const WATCHED: Duration = Duration::from_millis(2_500);

/// An answer that took no longer than this tells what the other's clock shows.
const PROMPT: Duration = Duration::from_millis(150);

/// Clocks are read in whole microseconds.
const READING: Duration = Duration::from_micros(2);

/// How many questions of followers are remembered.
const QUESTIONS: usize = 256;

/// What is known of each server.
#[derive(Clone, Debug)]
pub(super) struct Grounds {
    of: ByServer<Ground>,
}

#[derive(Clone, Debug, Default)]
struct Ground {
    /// The term that it leads, or led last.
    term: Term,
    /// When its rounds began.
    rounds: Vec<(u64, Time)>,
    /// For each server: when the latest round began that the server has answered; zero if none.
    heard: [Time; MACHINES],
    /// For each server: its clock compared with the leader's.
    watched: [Watched; MACHINES],
    /// The questions of followers: the follower, its disk, the question's number, and when it came.
    questions: Vec<(ServerId, DiskId, u64, Time)>,
    /// The last term in which it told another server to campaign.
    handed_over: Term,
}

/// A member's clock, as a leader could have watched it.
#[derive(Clone, Copy, Debug, Default)]
struct Watched {
    /// Since when it has answered promptly, and what the leader's clock and its own showed then.
    since: Time,
    clocks: (Time, Time),
    /// When it answered last.
    last: Time,
}

impl Ground {
    /// A leader sends something in this round.
    fn begin(&mut self, now: Time, round: u64) {
        if self.rounds.last().is_none_or(|(latest, _)| *latest < round) {
            if self.rounds.len() == 2 * ROUNDS {
                self.rounds.copy_within(ROUNDS.., 0);
                self.rounds.truncate(ROUNDS);
            }
            self.rounds.push((round, now));
        }
    }

    /// A server answers a round. Gives when the round began, if it is remembered.
    fn hear(&mut self, from: ServerId, round: u64) -> Option<Time> {
        let (_, began) = self.rounds.iter().rfind(|(sent, _)| *sent == round)?;
        let heard = &mut self.heard[from.slot()];
        *heard = (*heard).max(*began);
        Some(*began)
    }

    /// The place of a follower's question in the list.
    fn question(&self, from: ServerId, disk: DiskId, request: u64) -> Option<usize> {
        self.questions.iter().position(|(who, on, number, _)| (*who, *on, *number) == (from, disk, request))
    }
}

impl Grounds {
    pub(super) fn new(count: usize) -> Grounds {
        Grounds { of: ByServer::new(Ground::default(), count) }
    }

    /// A server starts.
    pub(super) fn started(&mut self, raft: &Raft) {
        self.of[raft.id()].questions.clear();
    }

    /// A server leads from now on.
    pub(super) fn leads(&mut self, server: ServerId, term: Term) {
        let ground = &mut self.of[server];
        ground.term = term;
        ground.rounds.clear();
        ground.heard.fill(Time::ZERO);
        ground.watched = Default::default();
    }

    /// A server's clock is set, or its rate changes: what it showed before is no measure any more.
    pub(super) fn clock_set(&mut self, server: ServerId) {
        for ground in self.of.iter_mut() {
            ground.watched[server.slot()] = Watched::default();
        }
        self.of[server].watched = Default::default();
    }

    /// A server is asked by another for a read index.
    pub(super) fn asked(&mut self, now: Time, server: ServerId, from: ServerId, m: &ReadIndex) {
        let questions = &mut self.of[server].questions;
        if questions.len() == QUESTIONS {
            questions.remove(0);
        }
        questions.push((from, m.disk, m.request, now));
    }

    /// The servers that have answered a round of the leader that began at `time` or later.
    fn heard_since(&self, leader: ServerId, time: Time) -> ServerSet {
        ServerSet::first(MACHINES as u8)
            .those(&|server| server == leader || self.of[leader].heard[server.slot()] >= time)
    }
}

impl Checker {
    /// A leader may have received an answer.
    #[inline]
    pub(super) fn check_heard(
        &mut self,
        now: Time,
        raft: &Raft,
        taken: &Taken,
        machines: &dyn Machines,
    ) -> CheckResult {
        let me = raft.id();
        if let Content::Answer { round, says } = &taken.content
            && !matches!(says, Says::Joins(_))
        {
            let ground = &mut self.grounds.of[me];
            if let Some(from) = taken.from.filter(|_| taken.term == ground.term)
                && let Some(began) = ground.hear(from, *round)
            {
                return self.check_clocks(now, raft, (from, began), machines);
            }
        }
        Ok(())
    }

    /// Fresh Reads: if another server answers promptly, the leader finds out that its clock runs
    /// twice as fast as the leader's own, or half as fast.
    #[inline(never)]
    fn check_clocks(
        &mut self,
        now: Time,
        raft: &Raft,
        (from, began): (ServerId, Time),
        machines: &dyn Machines,
    ) -> CheckResult {
        let (me, ground) = (raft.id(), &mut self.grounds.of[raft.id()]);
        let watched = &mut ground.watched[from.slot()];
        let begun = watched.since > Time::ZERO;
        let prompt = begun && now < began + PROMPT && now < watched.last + PROMPT.times(4);
        watched.last = now;
        if prompt && now < watched.since + WATCHED {
            return Ok(());
        }
        let (Some(mine), Some(theirs)) = (machines.get(me.slot()), machines.get(from.slot())) else { return Ok(()) };
        let clocks = (mine.clock_reading(now), theirs.clock_reading(now));
        let before = core::mem::replace(watched, Watched { since: now, clocks, last: now }).clocks;
        let (mine, theirs) = (clocks.0.since(before.0), clocks.1.since(before.1));
        let known = progress_of(raft, from).is_none_or(|progress| progress.drift.drifts());
        if !prompt || known || theirs <= mine.times(2) && mine <= theirs.times(2) {
            return Ok(());
        }
        let (first, second) = ("has watched another’s clock for long", "it doesn’t know that the two clocks run apart");
        self.out_of_order(Property::FreshReads, now, me, first, second)
    }

    /// Fresh Reads: a leader answers reads.
    pub(super) fn check_reads(&mut self, now: Time, raft: &Raft, out: &Output, machines: &dyn Machines) -> CheckResult {
        for id in &out.reads {
            if let Some((asked, what)) = self.requests.asked_at(raft.id(), *id).filter(|_| raft.is_leader()) {
                self.check_read(now, raft, asked, what == Asked::LeaseRead, machines)?;
            }
        }
        Ok(())
    }

    /// Every Request Ends: a leader has received an answer. It must release the reads that it knows
    /// to be confirmed, and commit what it knows a quorum to hold. While its own disk is still
    /// writing, it may wait for that.
    #[inline(never)]
    pub(super) fn check_released(&self, now: Time, raft: &Raft) -> CheckResult {
        let Role::Leader(leader) = raft.role() else { return Ok(()) };
        let (me, committed) = (raft.id(), raft.commit_index());
        let (awaited, waits) = (leader.round_awaited(), committed < raft.log().last().index && !raft.is_writing());
        if awaited.is_none() && !waits {
            return Ok(());
        }
        let voter = |server: ServerId| leader.progress(server).filter(|progress| progress.may_vote == Some(true));
        let members = raft.configuration();
        if let Some(round) = awaited
            && members.has_quorum(
                members.members().those(&|server| {
                    server == me || voter(server).is_some_and(|progress| progress.acked_round >= round)
                }),
            )
        {
            let (first, second) = ("keeps a read waiting", "a quorum has confirmed it");
            self.out_of_order(Property::EveryRequestEnds, now, me, first, second)?;
        }
        let held = |due: LogIndex| {
            members.has_quorum(members.members().those(&|server| match voter(server) {
                _ if server == me => raft.durable_index() >= due,
                known => known.is_some_and(|progress| progress.matched >= due),
            }))
        };
        if !waits || !held(committed.next()) {
            return Ok(());
        }
        // Entries of earlier leaders are committed together with one of its own.
        let last = raft.log().last().index;
        let first_own = raft.log().last_not_after(last, Term(raft.term().0.saturating_sub(1))).index.next();
        if first_own > last || !held(first_own.max(committed.next())) {
            return Ok(());
        }
        let (first, second) = ("commits no more than before", "a quorum holds more, and it knows that");
        self.out_of_order(Property::EveryRequestEnds, now, me, first, second)
    }

    /// A leader sends something in this round.
    #[inline]
    pub(super) fn begin_round(&mut self, now: Time, leader: ServerId, round: u64) {
        self.grounds.of[leader].begin(now, round);
    }

    /// A leader tells another server to campaign.
    pub(super) fn hand_over(&mut self, leader: ServerId, term: Term) {
        self.grounds.of[leader].handed_over = term;
    }

    /// Durable Promise: a follower asks its leader for a read index. Its disk must know the number
    /// of its life.
    pub(super) fn check_question(&self, now: Time, raft: &Raft, machine: &dyn MachineView) -> CheckResult {
        if machine.image().hard_state().asking_life >= raft.hard_state().asking_life {
            return Ok(());
        }
        let second = "its disk lacks the number of the life that asks";
        self.out_of_order(Property::DurablePromise, now, raft.id(), "asks for a read index", second)
    }

    /// Fresh Reads: a leader answers a follower's question.
    pub(super) fn check_answer(
        &mut self,
        now: Time,
        raft: &Raft,
        (to, m): (ServerId, &ReadIndexResponse),
        machines: &dyn Machines,
    ) -> CheckResult {
        let ground = &mut self.grounds.of[raft.id()];
        // A question that comes twice may be answered twice: first the first.
        let Some(place) = ground.question(to, m.disk, m.request) else { return Ok(()) };
        let (_, _, _, asked) = ground.questions.remove(place);
        if m.index.is_some() { self.check_read(now, raft, asked, false, machines) } else { Ok(()) }
    }

    /// Fresh Reads: a leader answers a read that came at `asked`.
    fn check_read(&self, now: Time, raft: &Raft, asked: Time, by_lease: bool, machines: &dyn Machines) -> CheckResult {
        let (me, term, rules) = (raft.id(), raft.term(), &raft.config().rules);
        let enough = |servers: ServerSet| self.by_either(raft, servers);
        let confirmed = self.grounds.heard_since(me, asked);
        if enough(confirmed) || !rules.on(Rule::ConfirmBeforeReading) {
            return Ok(());
        }
        let bound = |machine: &dyn MachineView| {
            let (promised, until) = self.elections.patient_until(machine.id());
            // A server that has lost its disk has lost its vote, too, perhaps one for a later
            // leader.
            let given = self.promises.vote_of(machine.id());
            let remembers = machine.image().hard_state().standing == Standing::Member
                || given.is_none_or(|(voted, _)| voted <= term);
            promised == term && machine.clock_reading(now) < until && remembers || machine.id() == me
        };
        let bound = servers_where(machines, &bound);
        let leases = [Rule::LeaseFromSending, Rule::GiveUpLeaseOnTransfer, Rule::IgnoreCampaignsUnderLeader];
        let handed_over = self.grounds.of[me].handed_over == term;
        // By the leader's own clock a lease lasts nine tenths of the shortest election timeout,
        // because clocks differ by a tenth at most. A server that has lost its disk may have
        // promised something to another leader before.
        let patience = raft.config().election_timeout_min.percent(90) + READING;
        let over = |machine: &dyn MachineView| {
            let clock = machine.clock();
            let due = clock.read(now).as_micros().saturating_sub(patience.as_micros());
            clock.showed(Time::from_micros(due)).is_some_and(|lately| {
                let vouches = |server: ServerId| {
                    let known = progress_of(raft, server).is_some_and(|progress| progress.may_vote == Some(true));
                    known || server == me || !rules.on(Rule::BarAmnesiacVoters)
                };
                !enough(self.grounds.heard_since(me, lately).those(&vouches))
            })
        };
        if by_lease && rules.on(Rule::LeaseFromSending) && machines.get(me.slot()).is_some_and(over) {
            let (first, second) = ("answers a read under a lease", "the lease is over by its own clock");
            self.out_of_order(Property::FreshReads, now, me, first, second)?;
        }
        if by_lease && (!leases.into_iter().all(|rule| rules.on(rule)) || enough(bound) && !handed_over) {
            return Ok(());
        }
        let (first, second) = ("answers a read", "no quorum has confirmed since that it leads");
        self.out_of_order(Property::FreshReads, now, me, first, second)
    }

    /// Election Safety: a server begins to lead. It must have been elected.
    pub(super) fn check_election(&mut self, now: Time, raft: &Raft, machines: &dyn Machines) -> CheckResult {
        let (me, term) = (raft.id(), raft.term());
        self.grounds.leads(me, term);
        self.replication.leads(me);
        self.elections.leads(me);
        let (_, membership) = self.membership_of(me);
        let voted = |machine: &dyn MachineView| match self.promises.vote_of(machine.id()) {
            _ if machine.id() == me => {
                let hard_state = machine.image().hard_state();
                hard_state.term == term && hard_state.voted_for == Some(me)
            }
            // Its votes before the last one aren't remembered.
            Some((voted, candidate)) => voted > term || (voted, candidate) == (term, me),
            None => false,
        };
        let votes = servers_where(machines, &voted);
        let rules = &raft.config().rules;
        if membership.has_quorum(votes)
            || ![Rule::WinByMajority, Rule::PersistBeforeVoting].iter().all(|r| rules.on(*r))
        {
            return Ok(());
        }
        self.out_of_order(Property::ElectionSafety, now, me, "leads", "no quorum has voted for it")
    }

    /// Lawful Membership: a leader that isn't a voter any more, and has committed that, doesn't
    /// lead on. If it was elected as a non-voter, because its log was needed, it doesn't lead
    /// beyond the first commit of its term.
    pub(super) fn check_demotion(&self, now: Time, raft: &Raft, committed: LogIndex) -> CheckResult {
        let me = raft.id();
        let (since, membership) = self.membership_of(me);
        let own = raft.log().id_at(committed).is_some_and(|id| id.term == raft.term());
        if since > committed || !own || membership.is_joint() || membership.voters.contains(me) {
            return Ok(());
        }
        self.out_of_order(Property::LawfulMembership, now, me, "has committed that it is no voter", "it leads on")
    }
}
