//! Orderly Elections: what servers may count on of each other between one leader and the next.
//!
//! * **Patience**: who has told a leader that it ignores campaigns for a while helps nobody else to
//!   lead before that is over by its own clock, across restarts too, unless the leader itself asked
//!   for the campaign; and it doesn't go over to a candidate's term either (dissertation §4.2.3).
//! * **No campaign too soon**: not before the shortest election timeout is over since the server
//!   started, heard its leader, gave its vote or campaigned (Raft §5.2), unless it is told to.
//! * **No campaign for nothing**: not with a disk that hangs, for its own vote would wait there;
//!   and where servers ask first, not before a quorum has said that it would vote (§9.6). To be
//!   asked first disturbs nobody: nobody changes its term for it.
//! * **No vote of somebody who may have forgotten one**, nor for a log that lacks what the voter's
//!   disk has ever held (§5.4.1).
//! * **No leader without followers**: a leader that hears no quorum steps down (§6.2).
//! * **Election Safety**: whom a server takes for its term's leader does lead it.
//!
//! Each is looked at only where the rule or the setting that demands it is on.

use super::Property;
use super::by_server::ByServer;
use super::safety::{Checker, MACHINES, Verdict};
use super::taken::{Says, Taken, What};
use super::view::{MachineView, Machines};
use crate::raft::{
    Configuration, DiskId, EntryId, HardState, LogIndex, Output, Raft, Rule, ServerId, ServerSet, Standing, Term,
};
use crate::time::{Duration, Time};

/// So many of its rounds a leader may begin that should have stepped down: it looks when its timer
/// fires, and what it is told may come before that.
const ROUNDS_ALONE: u32 = 4;

/// By server.
#[derive(Clone, Debug)]
pub(super) struct Elections {
    of: ByServer<Record>,
    /// Whose disk is the one that it began with, as a founder.
    pub(super) founders: ServerSet,
}

/// What is known of one server. Times are by its own clock.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// When it took its last step.
    stepped: Time,
    /// Whether its operator has just told it to campaign.
    urged: bool,
    // ---- as a voter
    /// The leader's term, when that was promised something, and for how long.
    patience: (Term, Time, Duration),
    /// When it started, heard its leader, gave its vote or campaigned last.
    waits_since: Time,
    /// The last term in which a leader told it to campaign.
    told: Term,
    /// Who asked it for a vote last, in which term, and whether on the leader's wish.
    asked_by: (Term, Option<ServerId>, bool),
    /// The vote that was looked at last.
    voted: (Term, Option<ServerId>),
    /// Whom it takes for which term's leader.
    follows: (Term, Option<ServerId>),
    /// Which disk has been admitted under its name, by which entry.
    admitted: (DiskId, LogIndex),
    /// How its log ended before its disk lost entries; zero if it lacks none.
    lost: EntryId,
    // ---- as a candidate
    /// Who would vote for it, asked in which term.
    would_vote: (Term, ServerSet),
    /// So many writes were on their way to its disk after its last step, and since when the disk
    /// hangs and none of them has arrived.
    writing: (usize, Time),
    // ---- as a leader
    /// By server: when it was heard last.
    heard: [Time; MACHINES],
    /// Since which entry the membership is in force by which those are judged.
    judged_by: LogIndex,
    /// The latest round that it has begun, and how many of them without a quorum that is heard.
    round: u64,
    alone: u32,
    /// When it was last looked who was heard.
    alone_at: Time,
    /// Until when those have been heard recently enough that were a quorum when it was last looked.
    followed_until: Time,
}

impl Record {
    /// A leader is heard, for which the server is patient from now on. A new disk may hear an
    /// earlier one, and what the disk before promised holds on: it can't vote against it.
    fn follow(&mut self, term: Term, clock: Time, patience: Duration) {
        if term >= self.patience.0 {
            self.patience = (term, clock, patience);
        }
        self.waits_since = clock;
    }

    /// A member answers its leader. Who may not vote on its disk elects nobody, and is no reason to
    /// lead on.
    #[inline]
    fn hear(&mut self, from: ServerId, says: &Says, clock: Time) {
        if !matches!(says, Says::Joins(_)) {
            self.heard[from.slot()] = clock;
        }
    }

    /// Whether the leader of the term before `term` told it to campaign.
    fn was_told(&self, term: Term) -> bool {
        self.told > Term::ZERO && self.told.next() == term
    }
}

impl Elections {
    pub(super) fn new(founders: ServerSet, count: usize) -> Elections {
        Elections { of: ByServer::new(Record::default(), count), founders }
    }

    /// A server has lost its disk.
    pub(super) fn wiped(&mut self, server: ServerId) {
        self.founders.remove(server);
        self.of[server].lost = EntryId::ZERO;
    }

    /// That a disk is admitted under a server's name is committed.
    pub(super) fn admit(&mut self, server: ServerId, disk: DiskId, index: LogIndex) {
        let admitted = &mut self.of[server].admitted;
        // It may be admitted more than once; the first time counts.
        if admitted.0 != disk {
            *admitted = (disk, index);
        }
    }

    /// A server starts, as patient as it is configured to be: whoever makes it less so takes that
    /// upon himself.
    pub(super) fn started(&mut self, raft: &Raft, clock: Time) {
        let record = &mut self.of[raft.id()];
        record.patience.2 = record.patience.2.min(raft.config().patience());
        record.waits_since = clock;
        record.lost = record.lost.max(raft.hard_state().lost);
        record.voted = (raft.term(), raft.hard_state().voted_for);
        record.follows = Default::default();
        record.writing = (0, clock);
    }

    /// A server leads from now on.
    pub(super) fn leads(&mut self, server: ServerId) {
        let record = &mut self.of[server];
        // Its first step tells when: all are heard then.
        (record.judged_by, record.round, record.alone) = (LogIndex(u64::MAX), 0, 0);
        record.followed_until = Time::ZERO;
    }

    /// Whether a server's disk has lost entries, and hasn't got them back.
    pub(super) fn lacks_entries(&self, server: ServerId) -> bool {
        self.of[server].lost > EntryId::ZERO
    }

    /// In a step that decided nothing, a follower hears its leader, or a leader a member, or
    /// nothing happens that counts; whether that is all, and the server follows whom it followed
    /// before.
    #[inline]
    pub(super) fn hears(&mut self, raft: &Raft, clock: Time, taken: &Taken) -> bool {
        let record = &mut self.of[raft.id()];
        let follows = (raft.term(), raft.leader());
        if follows != record.follows || clock < record.stepped {
            return false;
        }
        match &taken.what {
            What::Append { .. } => {
                if follows == (taken.term, taken.from) {
                    record.follow(taken.term, clock, raft.config().patience());
                }
            }
            What::Answer { says, .. } => {
                if let Some(from) = taken.from.filter(|_| taken.term == follows.0) {
                    record.hear(from, says, clock);
                }
            }
            // How its disk stands is looked at elsewhere.
            What::Other if record.writing.0 == 0 && record.lost == EntryId::ZERO => {}
            _ => return false,
        }
        record.stepped = clock;
        true
    }

    /// A server's clock when it took its last step.
    pub(super) fn stepped(&self, server: ServerId) -> Time {
        self.of[server].stepped
    }

    /// A step has been looked at.
    #[inline]
    pub(super) fn done(&mut self, server: ServerId) {
        self.of[server].urged = false;
    }

    /// Until when a server ignores campaigns for the leader of which term, by its own clock.
    pub(super) fn patient_until(&self, server: ServerId) -> (Term, Time) {
        let (term, since, length) = self.of[server].patience;
        (term, since + length)
    }
}

impl Checker {
    /// A server's clock was set. Whose clock was set back isn't more patient for that; and a leader
    /// that was asleep meanwhile doesn't notice, and goes by what it showed when it heard somebody.
    pub fn clock_set(&mut self, server: ServerId, before: Time, after: Time) {
        let record = &mut self.elections.of[server];
        let (_, since, length) = &mut record.patience;
        if before >= *since + *length {
            *length = Duration::ZERO;
        }
        *since = (*since).min(after);
        record.waits_since = record.waits_since.min(after);
        // Whether it notices shows at its next step.
        record.writing.1 = record.writing.1.max(after);
        record.followed_until = Time::ZERO;
        self.replication.measure_anew(server, 0);
        self.grounds.clock_set(server);
    }

    /// A server is told to campaign, by whoever operates it.
    pub fn urged(&mut self, server: ServerId) {
        self.elections.of[server].urged = true;
    }

    /// A server's step, before which it was in that term, and led it or didn't.
    pub(super) fn check_elections(
        &mut self,
        now: Time,
        raft: &Raft,
        out: &Output,
        before: (Term, bool),
        taken: &Taken,
        machines: &dyn Machines,
    ) -> Verdict {
        let me = raft.id();
        let Some(machine) = machines.get(me.slot()) else { return Ok(()) };
        let clock = machine.clock_reading(now);
        let record = &mut self.elections.of[me];
        if clock < record.stepped {
            record.writing.1 = record.writing.1.min(clock);
        }
        record.stepped = clock;
        let unsynced = machine.unsynced();
        if unsynced < record.writing.0 || unsynced == 0 || !machine.is_stalled() {
            record.writing.1 = clock;
        }
        record.writing.0 = unsynced + out.writes.len();
        if record.lost > EntryId::ZERO && record.lost <= machine.image().log().last() {
            record.lost = EntryId::ZERO;
        }
        let unbarred = raft.hard_state().standing == Standing::Joining && raft.configuration().is_voter(me);
        if unbarred && raft.config().rules.on(Rule::BarAmnesiacVoters) {
            let (first, second) = ("has an empty disk that waits to be admitted", "its name is a voter’s already");
            self.out_of_order(Property::OneVoteATerm, now, me, first, second)?;
        }
        let (held, lost) = (machine.image().log().last().min(raft.log().last()), raft.hard_state().lost);
        if lost > EntryId::ZERO && held >= lost && !raft.is_writing() {
            let (first, second) = ("takes its disk for damaged", "all that it had lost is there again");
            self.out_of_order(Property::OrderlyElections, now, me, first, second)?;
        }
        let record = &mut self.elections.of[me];
        let follows = (raft.term(), raft.leader());
        let news = core::mem::replace(&mut record.follows, follows) != follows;
        match (taken.what, taken.from) {
            (What::Append { .. } | What::Piece { .. }, leader) if follows == (taken.term, leader) => {
                record.follow(taken.term, clock, raft.config().patience());
            }
            (What::Answer { says, .. }, Some(from)) if taken.term == raft.term() => record.hear(from, &says, clock),
            (What::Consent, Some(from)) if taken.term == before.0 => {
                if record.would_vote.0 != taken.term {
                    record.would_vote = (taken.term, ServerSet::EMPTY);
                }
                record.would_vote.1.insert(from);
            }
            (What::RequestVote { wished, .. }, from) => record.asked_by = (taken.term, from, wished),
            (What::TimeoutNow, _) => record.told = record.told.max(taken.term),
            _ => {}
        }
        if news {
            self.check_term(now, raft, before, taken, clock)?;
            self.check_leader_known(now, me, follows)?;
        }
        for write in &out.writes {
            if let Some(hard_state) = &write.hard_state {
                self.check_vote_given(now, raft, hard_state, taken, clock)?;
                self.check_admitted(now, me, hard_state, machine)?;
            }
        }
        Ok(())
    }

    /// One Vote a Term: who is admitted has that on its disk, or a leader that can't commit it may
    /// count on it. Lawful Membership: nobody bars it again but by admitting another disk.
    fn check_admitted(&self, now: Time, me: ServerId, hard_state: &HardState, machine: &dyn MachineView) -> Verdict {
        let (image, (disk, index)) = (machine.image(), self.elections.of[me].admitted);
        let barred = hard_state.standing != Standing::Member && image.hard_state().standing == Standing::Member;
        if barred && hard_state.disk == disk {
            let (first, second) = ("takes itself for barred", "its own disk was admitted last");
            self.out_of_order(Property::LawfulMembership, now, me, first, second)?;
        }
        let news = hard_state.standing == Standing::Member && image.hard_state().standing != Standing::Member;
        if !news || hard_state.disk != disk || image.log().last().index >= index {
            return Ok(());
        }
        let (first, second) = ("counts itself admitted", "its disk doesn’t know of that");
        self.out_of_order(Property::OneVoteATerm, now, me, first, second)
    }

    /// A server has taken a heartbeat and says nothing: it must, whatever its disk is still
    /// writing, or its leader hears nobody (dissertation §6.2).
    pub(super) fn check_answered(&self, now: Time, raft: &Raft, taken: &Taken, machines: &dyn Machines) -> Verdict {
        let hard_state = raft.hard_state();
        // No promise rests on the number of the life that asks, where nothing else is being
        // written.
        let asks = |machine: &dyn MachineView| {
            let image = machine.image().hard_state();
            image != hard_state && HardState { asking_life: hard_state.asking_life, ..image } == hard_state
        };
        let durable = raft.hard_state_is_durable()
            || raft.unfinished_writes() == 1 && machines.get(raft.id().slot()).is_some_and(asks);
        if !durable || (raft.term(), raft.leader()) != (taken.term, taken.from) {
            return Ok(());
        }
        self.out_of_order(Property::OrderlyElections, now, raft.id(), "hears its leader", "it doesn’t answer")
    }

    /// A server says that it would vote for somebody.
    pub(super) fn check_consent_given(
        &self,
        now: Time,
        raft: &Raft,
        asked: (Term, ServerId),
        taken: &Taken,
    ) -> Verdict {
        self.check_voter(now, raft, taken)?;
        self.check_patience(now, raft, asked, self.elections.of[raft.id()].stepped)
    }

    /// A server says that its leader wishes it to campaign.
    pub(super) fn check_wish(&self, now: Time, me: ServerId, term: Term) -> Verdict {
        if self.elections.of[me].was_told(term) {
            return Ok(());
        }
        let second = "no leader told it to campaign";
        self.out_of_order(Property::OrderlyElections, now, me, "says that its leader wishes it", second)
    }

    /// A server asks who would vote for it.
    pub(super) fn check_questions(&mut self, now: Time, raft: &Raft, machine: &dyn MachineView) -> Verdict {
        let me = raft.id();
        let Record { stepped: clock, urged, .. } = self.elections.of[me];
        self.check_voter(now, raft, &Taken::default())?;
        self.check_campaign(now, raft, clock)?;
        let hard_state = machine.image().hard_state();
        if !urged && (hard_state.term, hard_state.voted_for) != (raft.term(), raft.hard_state().voted_for) {
            let second = "its last vote isn’t on its disk yet";
            self.out_of_order(Property::OrderlyElections, now, me, "campaigns", second)?;
        }
        self.elections.of[me].waits_since = clock;
        Ok(())
    }

    /// Whom a server takes for its term's leader.
    fn check_leader_known(&self, now: Time, me: ServerId, (term, leader): (Term, Option<ServerId>)) -> Verdict {
        let Some(leader) = leader.filter(|leader| *leader != me) else { return Ok(()) };
        if self.leader_of(term) == Some(leader) {
            return Ok(());
        }
        self.out_of_order(Property::ElectionSafety, now, me, "takes another for its term’s leader", "that never led it")
    }

    /// A server that is asked for its vote, or whether it would give it, goes over to a later term.
    fn check_term(&self, now: Time, raft: &Raft, (before, led): (Term, bool), taken: &Taken, clock: Time) -> Verdict {
        let (me, term, config) = (raft.id(), raft.term(), raft.config());
        if term <= before {
            return Ok(());
        }
        match (taken.what, taken.from) {
            (What::PreVote { .. }, _) => {
                let (first, second) = ("was only asked whether it would vote", "it goes over to a later term");
                self.out_of_order(Property::OrderlyElections, now, me, first, second)
            }
            (What::RequestVote { wished: false, .. }, Some(candidate)) => {
                if led && config.check_quorum && config.rules.on(Rule::IgnoreCampaignsUnderLeader) {
                    let second = "it goes over to a candidate’s term";
                    return self.out_of_order(Property::OrderlyElections, now, me, "leads", second);
                }
                self.check_patience(now, raft, (taken.term, candidate), clock)
            }
            _ => Ok(()),
        }
    }

    /// A server gives its vote, or campaigns, which is to vote for itself.
    fn check_vote_given(&mut self, now: Time, raft: &Raft, vote: &HardState, taken: &Taken, clock: Time) -> Verdict {
        let me = raft.id();
        let record = &mut self.elections.of[me];
        let given = (vote.term, vote.voted_for);
        // What was given before is written once more with something else.
        let Some(candidate) = vote.voted_for.filter(|_| record.voted != given) else { return Ok(()) };
        record.voted = given;
        let wished = if candidate == me {
            record.was_told(vote.term)
        } else {
            record.asked_by == (vote.term, Some(candidate), true)
        };
        let promised = record.patience.0;
        if wished {
            // And so has that leader given its lease up.
            record.patience.2 = Duration::ZERO;
        } else if vote.term > promised {
            self.check_patience(now, raft, (vote.term, candidate), clock)?;
        }
        self.check_voter(now, raft, taken)?;
        if candidate == me && !wished {
            if raft.config().pre_vote {
                self.check_consent(now, raft, vote.term)?;
            } else {
                self.check_campaign(now, raft, clock)?;
            }
        }
        // Where servers ask first, they wait from then on.
        if candidate != me || !raft.config().pre_vote {
            self.elections.of[me].waits_since = clock;
        }
        Ok(())
    }

    /// A server votes, or would vote, for whoever asks it, or campaigns.
    fn check_voter(&self, now: Time, raft: &Raft, taken: &Taken) -> Verdict {
        let (me, rules) = (raft.id(), &raft.config().rules);
        let record = &self.elections.of[me];
        let disk = raft.hard_state().disk;
        let remembers = self.elections.founders.contains(me) || disk == record.admitted.0 && disk != DiskId::default();
        if !remembers && rules.on(Rule::BarAmnesiacVoters) {
            self.out_of_order(Property::OneVoteATerm, now, me, "votes", "it may have forgotten another vote")?;
        }
        let theirs = match taken.what {
            What::PreVote { last } | What::RequestVote { last, .. } => last,
            _ => raft.log().last(),
        };
        if theirs >= raft.log().last().max(record.lost) || !rules.on(Rule::CompareLogsBeforeVoting) {
            return Ok(());
        }
        self.out_of_order(Property::OrderlyElections, now, me, "votes", "its disk has had more than the candidate")
    }

    /// Patience: a server votes, or would vote, or goes over to a candidate's term, which no leader
    /// wished for.
    fn check_patience(&self, now: Time, raft: &Raft, (term, candidate): (Term, ServerId), clock: Time) -> Verdict {
        let me = raft.id();
        let (promised, until) = self.elections.patient_until(me);
        // A leader's own questions may come late.
        let to_its_leader = self.leader_of(promised) == Some(candidate);
        if promised > term
            || to_its_leader
            || clock >= until
            || !raft.config().rules.on(Rule::IgnoreCampaignsUnderLeader)
        {
            return Ok(());
        }
        let (first, second) = ("promised its leader patience", "it helps another to lead too soon");
        self.out_of_order(Property::OrderlyElections, now, me, first, second)
    }

    /// A server campaigns, or asks whether it should, which no leader wished for.
    fn check_campaign(&self, now: Time, raft: &Raft, clock: Time) -> Verdict {
        let (me, config) = (raft.id(), raft.config());
        let record = &self.elections.of[me];
        let (writing, since) = record.writing;
        if writing > 0 && clock >= since + config.disk_stall_max.times(2) {
            self.out_of_order(Property::OrderlyElections, now, me, "campaigns", "its disk hangs")?;
        }
        let soonest = record.waits_since + config.election_timeout_min;
        if record.urged || clock >= soonest {
            return Ok(());
        }
        let second = "its election timeout isn’t over";
        self.out_of_order(Property::OrderlyElections, now, me, "campaigns", second)
    }

    /// A server that asks first campaigns in `term`.
    fn check_consent(&self, now: Time, raft: &Raft, term: Term) -> Verdict {
        let me = raft.id();
        let (asked_in, mut would_vote) = self.elections.of[me].would_vote;
        if asked_in.next() != term {
            would_vote = ServerSet::EMPTY;
        }
        would_vote.insert(me);
        if self.by_either(raft, would_vote) || !raft.config().rules.on(Rule::WinByMajority) {
            return Ok(());
        }
        let second = "no quorum has said that it would vote for it";
        self.out_of_order(Property::OrderlyElections, now, me, "campaigns", second)
    }

    /// A leader begins a round: it has heard a quorum not so long ago.
    #[inline]
    pub(super) fn check_followers(&mut self, now: Time, raft: &Raft, round: u64) -> Verdict {
        let (since, _) = self.membership_of(raft.id());
        let record = &mut self.elections.of[raft.id()];
        if round <= record.round {
            return Ok(());
        }
        record.round = round;
        if record.judged_by == since && record.stepped < record.followed_until {
            return Ok(());
        }
        self.check_followed(now, raft, since)
    }

    /// It is looked who was heard when.
    fn check_followed(&mut self, now: Time, raft: &Raft, since: LogIndex) -> Verdict {
        let (me, config) = (raft.id(), raft.config());
        let record = &mut self.elections.of[me];
        let clock = record.stepped;
        if record.judged_by != since {
            // Whoever is new hasn't had the time to answer.
            record.judged_by = since;
            record.heard.fill(clock);
        }
        let patience = config.election_timeout_max.times(2);
        record.heard[me.slot()] = clock;
        let (mut heard, mut until) = (ServerSet::EMPTY, Time::NEVER);
        for server in ServerSet::first(MACHINES as u8).iter() {
            let patient_until = record.heard[server.slot()] + patience;
            if patient_until > clock {
                heard.insert(server);
                until = until.min(patient_until);
            }
        }
        let followed = !config.check_quorum || self.by_either(raft, heard);
        let record = &mut self.elections.of[me];
        record.followed_until = if followed { until } else { Time::ZERO };
        // Whoever was asleep takes at one moment what has come meanwhile, and begins rounds for it.
        let at_once = core::mem::replace(&mut record.alone_at, clock) == clock;
        record.alone = if followed { 0 } else { record.alone + u32::from(!at_once) };
        if record.alone < ROUNDS_ALONE {
            return Ok(());
        }
        self.out_of_order(Property::OrderlyElections, now, me, "leads on", "it hears no quorum any more")
    }

    /// Whether these are a quorum by the membership that the server goes by, or by the one that it
    /// went by before this step.
    pub(super) fn by_either(&self, raft: &Raft, servers: ServerSet) -> bool {
        let memberships: [Configuration; 2] = [*raft.configuration(), self.membership_of(raft.id()).1];
        memberships.iter().any(|membership| membership.has_quorum(servers))
    }
}
