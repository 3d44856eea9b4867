//! Orderly Elections: what servers rely on between one leader and the next.
//!
//! * **Patience**: a server that has told a leader that it ignores campaigns for a while helps no
//!   other server to lead until that time is over by its own clock, across restarts too, unless the
//!   leader itself asked for the campaign. It doesn't go over to a candidate's term either
//!   (dissertation §4.2.3).
//! * **No campaign too soon**: a server campaigns only when the shortest election timeout is over
//!   since it started, heard its leader, gave its vote or campaigned (Raft §5.2), unless it is told
//!   to.
//! * **No campaign in vain**: a server doesn't campaign while its disk hangs, because its own vote
//!   would wait there. With pre-votes, it doesn't campaign before a quorum has said that it would
//!   vote, and a pre-vote's question makes no server change its term (§9.6).
//! * **No vote from a server that may have forgotten one**, and none for a log that lacks an entry
//!   that the voter's disk has ever held (Raft §5.4.1).
//! * **No leader without followers**: a leader that hears no quorum steps down (§6.2).
//! * **Election Safety**: the server that another takes for its term's leader does lead that term.
//!
//! Each is checked only while the rule or the setting that demands it is on.

use super::Property;
use super::by_server::ByServer;
use super::safety::{CheckResult, Checker, MACHINES};
use super::taken::{Content, Says, Taken};
use super::view::{MachineView, Machines};
use crate::raft::{
    Configuration, DiskId, EntryId, HardState, LogIndex, Output, Raft, Rule, ServerId, ServerSet, Standing, Term,
};
use crate::time::{Duration, Time};

/// How many rounds a leader may still begin when it should have stepped down: it checks only when
/// its timer fires, and requests may come before that.
const ROUNDS_ALONE: u32 = 4;

/// What is known of each server.
#[derive(Clone, Debug)]
pub(super) struct Elections {
    of: ByServer<Record>,
    /// The founders that still have the disk with which they began.
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
    /// The last promise to a leader: the leader's term, when it was given, and for how long.
    patience: (Term, Time, Duration),
    /// When it last started, heard its leader, gave its vote or campaigned.
    waits_since: Time,
    /// The last term in which a leader told it to campaign.
    told: Term,
    /// The last request for its vote: the term, the candidate, and whether a leader asked for the
    /// campaign.
    asked_by: (Term, Option<ServerId>, bool),
    /// The last vote that was checked.
    voted: (Term, Option<ServerId>),
    /// Its term, and which server it takes for the leader of that term.
    follows: (Term, Option<ServerId>),
    /// The disk that has been admitted under its name, and the entry that admitted it.
    admitted: (DiskId, LogIndex),
    /// How its log ended before its disk lost entries; zero if it lacks none.
    lost: EntryId,
    // ---- as a candidate
    /// The servers that would vote for it, and the term in which they were asked.
    would_vote: (Term, ServerSet),
    /// How many writes were under way to its disk after its last step, and since when the disk has
    /// hung without finishing one.
    writing: (usize, Time),
    // ---- as a leader
    /// For each server: when this one heard it last.
    heard: [Time; MACHINES],
    /// The entry of the membership by which they are judged.
    judged_by: LogIndex,
    /// The latest round that it has begun, and how many it has begun without hearing a quorum.
    round: u64,
    alone: u32,
    /// When the servers that it hears were last counted.
    alone_at: Time,
    /// Until when the quorum of the last count has been heard recently enough.
    followed_until: Time,
}

impl Record {
    /// The server hears a leader, and is patient for it from now on. A server with a new disk may
    /// hear an earlier leader; the promise made with the disk before still holds then, because the
    /// server can't vote against it.
    fn follow(&mut self, term: Term, clock: Time, patience: Duration) {
        if term >= self.patience.0 {
            self.patience = (term, clock, patience);
        }
        self.waits_since = clock;
    }

    /// A member answers its leader. A member that may not vote with its disk is no reason to lead
    /// on.
    #[inline]
    fn hear(&mut self, from: ServerId, says: &Says, clock: Time) {
        if !matches!(says, Says::Joins(_)) {
            self.heard[from.slot()] = clock;
        }
    }

    /// The server received a message in a step. `before` is its term before the step.
    fn take(&mut self, raft: &Raft, taken: &Taken, before: Term, clock: Time) {
        match (taken.content, taken.from) {
            (Content::Append { .. } | Content::Piece { .. }, leader)
                if (raft.term(), raft.leader()) == (taken.term, leader) =>
            {
                self.follow(taken.term, clock, raft.config().patience());
            }
            (Content::Answer { says, .. }, Some(from)) if taken.term == raft.term() => self.hear(from, &says, clock),
            (Content::Consent, Some(from)) if taken.term == before => {
                if self.would_vote.0 != taken.term {
                    self.would_vote = (taken.term, ServerSet::EMPTY);
                }
                self.would_vote.1.insert(from);
            }
            (Content::RequestVote { wished, .. }, from) => self.asked_by = (taken.term, from, wished),
            (Content::TimeoutNow, _) => self.told = self.told.max(taken.term),
            _ => {}
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

    /// The entry that admits a disk under a server's name is committed.
    pub(super) fn admit(&mut self, server: ServerId, disk: DiskId, index: LogIndex) {
        let admitted = &mut self.of[server].admitted;
        // A disk may be admitted more than once; the first time counts.
        if admitted.0 != disk {
            *admitted = (disk, index);
        }
    }

    /// A server starts, as patient as its configuration says: an operator who makes it less patient
    /// takes responsibility for that.
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
        // All servers count as heard at its first step.
        (record.judged_by, record.round, record.alone) = (LogIndex(u64::MAX), 0, 0);
        record.followed_until = Time::ZERO;
    }

    /// Whether a server's disk has lost entries that it hasn't got back.
    pub(super) fn lacks_entries(&self, server: ServerId) -> bool {
        self.of[server].lost > EntryId::ZERO
    }

    /// A step decided nothing. Notes that a follower heard its leader, or a leader a member. Tells
    /// whether that was all: the server follows the same leader as before, and nothing else
    /// happened that needs a check.
    #[inline]
    pub(super) fn hears(&mut self, raft: &Raft, clock: Time, taken: &Taken) -> bool {
        let record = &mut self.of[raft.id()];
        let follows = (raft.term(), raft.leader());
        if follows != record.follows || clock < record.stepped {
            return false;
        }
        match &taken.content {
            Content::Append { .. } => {
                if follows == (taken.term, taken.from) {
                    record.follow(taken.term, clock, raft.config().patience());
                }
            }
            Content::Answer { says, .. } => {
                if let Some(from) = taken.from.filter(|_| taken.term == follows.0) {
                    record.hear(from, says, clock);
                }
            }
            // The state of its disk needs the full checks.
            Content::Other if record.writing.0 == 0 && record.lost == EntryId::ZERO => {}
            _ => return false,
        }
        record.stepped = clock;
        true
    }

    /// A server took a step: notes its clock, and the state of its disk.
    fn note_disk(&mut self, raft: &Raft, out: &Output, machine: &dyn MachineView, clock: Time) {
        let record = &mut self.of[raft.id()];
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
    }

    /// A server's clock when it took its last step.
    pub(super) fn stepped(&self, server: ServerId) -> Time {
        self.of[server].stepped
    }

    /// A step has been checked.
    #[inline]
    pub(super) fn done(&mut self, server: ServerId) {
        self.of[server].urged = false;
    }

    /// Until when a server ignores campaigns, by its own clock, and the term of the leader for
    /// which it does.
    pub(super) fn patient_until(&self, server: ServerId) -> (Term, Time) {
        let (term, since, length) = self.of[server].patience;
        (term, since + length)
    }
}

impl Checker {
    /// A server's clock was set. A server whose clock was set back isn't more patient for it. A
    /// leader that was paused meanwhile doesn't notice, and uses what its clock showed when it
    /// heard a member.
    pub fn clock_set(&mut self, server: ServerId, before: Time, after: Time) {
        let record = &mut self.elections.of[server];
        let (_, since, length) = &mut record.patience;
        if before >= *since + *length {
            *length = Duration::ZERO;
        }
        *since = (*since).min(after);
        record.waits_since = record.waits_since.min(after);
        // Its next step shows whether it notices.
        record.writing.1 = record.writing.1.max(after);
        record.followed_until = Time::ZERO;
        self.replication.measure_anew(server, 0);
        self.grounds.clock_set(server);
    }

    /// A server's operator tells it to campaign.
    pub fn urged(&mut self, server: ServerId) {
        self.elections.of[server].urged = true;
    }

    /// A server took a step. `before` is its term before the step, and whether it led it.
    pub(super) fn check_elections(
        &mut self,
        now: Time,
        raft: &Raft,
        out: &Output,
        before: (Term, bool),
        taken: &Taken,
        machines: &dyn Machines,
    ) -> CheckResult {
        let me = raft.id();
        let Some(machine) = machines.get(me.slot()) else { return Ok(()) };
        let clock = machine.clock_reading(now);
        self.elections.note_disk(raft, out, machine, clock);
        self.check_disk(now, raft, machine)?;
        let record = &mut self.elections.of[me];
        let follows = (raft.term(), raft.leader());
        let news = core::mem::replace(&mut record.follows, follows) != follows;
        record.take(raft, taken, before.0, clock);
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

    /// One Vote a Term, and Orderly Elections: a server knows whether its disk may vote, and
    /// whether it lacks entries.
    fn check_disk(&self, now: Time, raft: &Raft, machine: &dyn MachineView) -> CheckResult {
        let me = raft.id();
        let unbarred = raft.hard_state().standing == Standing::Joining && raft.configuration().is_voter(me);
        if unbarred && raft.config().rules.on(Rule::BarAmnesiacVoters) {
            let (first, second) = ("has an empty disk that waits to be admitted", "the server is a voter already");
            self.out_of_order(Property::OneVoteATerm, now, me, first, second)?;
        }
        let (held, lost) = (machine.image().log().last().min(raft.log().last()), raft.hard_state().lost);
        if lost > EntryId::ZERO && held >= lost && !raft.is_writing() {
            let (first, second) = ("counts its disk as damaged", "everything that it had lost is there again");
            self.out_of_order(Property::OrderlyElections, now, me, first, second)?;
        }
        Ok(())
    }

    /// One Vote a Term: a server counts itself admitted only when its disk has the admission;
    /// otherwise a leader that can't commit the entry could use the vote. Lawful Membership: only
    /// the admission of another disk bars the server again.
    fn check_admitted(
        &self,
        now: Time,
        me: ServerId,
        hard_state: &HardState,
        machine: &dyn MachineView,
    ) -> CheckResult {
        let (image, (disk, index)) = (machine.image(), self.elections.of[me].admitted);
        let barred = hard_state.standing != Standing::Member && image.hard_state().standing == Standing::Member;
        if barred && hard_state.disk == disk {
            let (first, second) = ("counts itself as barred", "the disk that was admitted last is its own");
            self.out_of_order(Property::LawfulMembership, now, me, first, second)?;
        }
        let news = hard_state.standing == Standing::Member && image.hard_state().standing != Standing::Member;
        if !news || hard_state.disk != disk || image.log().last().index >= index {
            return Ok(());
        }
        let (first, second) = ("counts itself as admitted", "the admission isn’t on its disk yet");
        self.out_of_order(Property::OneVoteATerm, now, me, first, second)
    }

    /// A server has received a heartbeat and doesn't answer. It must, whatever its disk is still
    /// writing, or its leader hears no quorum (dissertation §6.2).
    pub(super) fn check_answered(&self, now: Time, raft: &Raft, taken: &Taken, machines: &dyn Machines) -> CheckResult {
        let hard_state = raft.hard_state();
        // The number of the life that asks backs no promise. If only this is being written, the
        // rest is durable.
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

    /// A server says that it would vote for another.
    pub(super) fn check_consent_given(
        &self,
        now: Time,
        raft: &Raft,
        asked: (Term, ServerId),
        taken: &Taken,
    ) -> CheckResult {
        self.check_voter(now, raft, taken)?;
        self.check_patience(now, raft, asked, self.elections.of[raft.id()].stepped)
    }

    /// A server says that its leader told it to campaign.
    pub(super) fn check_wish(&self, now: Time, me: ServerId, term: Term) -> CheckResult {
        if self.elections.of[me].was_told(term) {
            return Ok(());
        }
        let second = "no leader did";
        self.out_of_order(Property::OrderlyElections, now, me, "says that its leader told it to campaign", second)
    }

    /// A server asks the others whether they would vote for it.
    pub(super) fn check_questions(&mut self, now: Time, raft: &Raft, machine: &dyn MachineView) -> CheckResult {
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

    /// Election Safety: a server takes another for its term's leader.
    fn check_leader_known(&self, now: Time, me: ServerId, (term, leader): (Term, Option<ServerId>)) -> CheckResult {
        let Some(leader) = leader.filter(|leader| *leader != me) else { return Ok(()) };
        if self.leader_of(term) == Some(leader) {
            return Ok(());
        }
        self.out_of_order(
            Property::ElectionSafety,
            now,
            me,
            "takes another for its term’s leader",
            "that one never led it",
        )
    }

    /// A server may have gone over to a later term because it was asked for its vote, or whether it
    /// would vote.
    fn check_term(
        &self,
        now: Time,
        raft: &Raft,
        (before, led): (Term, bool),
        taken: &Taken,
        clock: Time,
    ) -> CheckResult {
        let (me, term, config) = (raft.id(), raft.term(), raft.config());
        if term <= before {
            return Ok(());
        }
        match (taken.content, taken.from) {
            (Content::PreVote { .. }, _) => {
                let (first, second) = ("was only asked whether it would vote", "it goes over to a later term");
                self.out_of_order(Property::OrderlyElections, now, me, first, second)
            }
            (Content::RequestVote { wished: false, .. }, Some(candidate)) => {
                if led && config.check_quorum && config.rules.on(Rule::IgnoreCampaignsUnderLeader) {
                    let second = "it goes over to a candidate’s term";
                    return self.out_of_order(Property::OrderlyElections, now, me, "leads", second);
                }
                self.check_patience(now, raft, (taken.term, candidate), clock)
            }
            _ => Ok(()),
        }
    }

    /// A server gives its vote. To campaign is to vote for itself.
    fn check_vote_given(
        &mut self,
        now: Time,
        raft: &Raft,
        vote: &HardState,
        taken: &Taken,
        clock: Time,
    ) -> CheckResult {
        let me = raft.id();
        let record = &mut self.elections.of[me];
        let given = (vote.term, vote.voted_for);
        // A vote given before is written again together with something else.
        let Some(candidate) = vote.voted_for.filter(|_| record.voted != given) else { return Ok(()) };
        record.voted = given;
        let wished = if candidate == me {
            record.was_told(vote.term)
        } else {
            record.asked_by == (vote.term, Some(candidate), true)
        };
        let promised = record.patience.0;
        if wished {
            // The leader that asked for it has given up its lease.
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
        // With pre-votes, a candidate has waited since its questions.
        if candidate != me || !raft.config().pre_vote {
            self.elections.of[me].waits_since = clock;
        }
        Ok(())
    }

    /// A server votes, says that it would vote, or campaigns.
    fn check_voter(&self, now: Time, raft: &Raft, taken: &Taken) -> CheckResult {
        let (me, rules) = (raft.id(), &raft.config().rules);
        let record = &self.elections.of[me];
        let disk = raft.hard_state().disk;
        let remembers = self.elections.founders.contains(me) || disk == record.admitted.0 && disk != DiskId::default();
        if !remembers && rules.on(Rule::BarAmnesiacVoters) {
            self.out_of_order(Property::OneVoteATerm, now, me, "votes", "it may have forgotten another vote")?;
        }
        let theirs = match taken.content {
            Content::PreVote { last } | Content::RequestVote { last, .. } => last,
            _ => raft.log().last(),
        };
        if theirs >= raft.log().last().max(record.lost) || !rules.on(Rule::CompareLogsBeforeVoting) {
            return Ok(());
        }
        self.out_of_order(Property::OrderlyElections, now, me, "votes", "its disk has held more than the candidate")
    }

    /// Patience: a server votes, says that it would vote, or goes over to a candidate's term, and
    /// no leader asked for the campaign.
    fn check_patience(&self, now: Time, raft: &Raft, (term, candidate): (Term, ServerId), clock: Time) -> CheckResult {
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
        let (first, second) = ("promised its leader to ignore campaigns", "it helps another to lead too soon");
        self.out_of_order(Property::OrderlyElections, now, me, first, second)
    }

    /// A server campaigns, or asks whether it should, and no leader told it to.
    fn check_campaign(&self, now: Time, raft: &Raft, clock: Time) -> CheckResult {
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

    /// With pre-votes: a server campaigns in `term`.
    fn check_consent(&self, now: Time, raft: &Raft, term: Term) -> CheckResult {
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

    /// A leader begins a round: it must have heard a quorum recently.
    #[inline]
    pub(super) fn check_followers(&mut self, now: Time, raft: &Raft, round: u64) -> CheckResult {
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

    /// Counts which servers the leader has heard recently.
    fn check_followed(&mut self, now: Time, raft: &Raft, since: LogIndex) -> CheckResult {
        let (me, config) = (raft.id(), raft.config());
        let record = &mut self.elections.of[me];
        let clock = record.stepped;
        if record.judged_by != since {
            // A new member hasn't had the time to answer.
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
        // A leader that was paused receives at one moment what came meanwhile, and begins rounds
        // for it.
        let at_once = core::mem::replace(&mut record.alone_at, clock) == clock;
        record.alone = if followed { 0 } else { record.alone + u32::from(!at_once) };
        if record.alone < ROUNDS_ALONE {
            return Ok(());
        }
        self.out_of_order(Property::OrderlyElections, now, me, "leads on", "it hears no quorum any more")
    }

    /// Whether these are a quorum of the membership that the server uses, or of the one that it
    /// used before this step.
    pub(super) fn by_either(&self, raft: &Raft, servers: ServerSet) -> bool {
        let memberships: [Configuration; 2] = [*raft.configuration(), self.membership_of(raft.id()).1];
        memberships.iter().any(|membership| membership.has_quorum(servers))
    }
}
