//! What can't be true, whichever server says it: messages that no correct server sends, and disk
//! images that no server leaves behind.
//!
//! Raft doesn't tolerate lies, but a lie mustn't cost more than it has to. A message that can be
//! seen to be impossible is observed and ignored before anything depends on it: it raises no term,
//! doesn't count as hearing a leader, and reaches neither the log nor the disk. So no input can
//! overflow an index, put entries out of order, or leave a disk from which no server can start.
//! What isn't impossible is believed.
//!
//! # Bounds
//! * **Terms** end at [`Term::MAX`] and **indexes** at [`LogIndex::MAX`], 2^62 each. At a million a
//!   second, that is 146,000 years away, and it leaves enough room in 64 bits for every sum that is
//!   made here. A server that gets there withholds its campaigns ([`WithheldReason::Exhausted`]). A
//!   leader refuses new entries ([`Refusal::LogFull`]) a little before the end.
//! * **A term is believed at most 2^24 ahead** ([`TERM_LEAP_MAX`]). Otherwise one message would be
//!   enough to use up all terms for good. Without pre-votes, a server that campaigns alone ten
//!   times a second gets that far in 19 days. The rest of such a message is ignored, but the term
//!   goes up as far as is believed: a server that really is that far behind reaches the others'
//!   term after several messages, and no server is shut out for ever. To use up all terms takes
//!   2^38 lies, three days at a million a second.
//! * **An entry's identity** has both a term and an index, or neither ([`EntryId::ZERO`]), and its
//!   term is no later than that of the message that names it.
//! * **A leader** has a term; term 0 is before any election.
//! * **A membership** has voters, and no server in it is a voter and a learner at once. **A disk**
//!   that is admitted has a number.
//! * **A snapshot** covers at least one entry, its membership is from no later than its last entry,
//!   and its pieces lie within it. It may have no membership at all, if a server that joined took
//!   it before the first membership in the log. (A snapshot that is too large is answered, so that
//!   the leader knows that it is heard.)
//! * **An answer to this leader** speaks of no entry after the leader's last.
//!
//! Rounds, probes, read numbers and clocks are only compared or echoed, and no arithmetic depends
//! on them: any value will do.
//!
//! [`Refusal::LogFull`]: super::Refusal::LogFull
//! [`WithheldReason::Exhausted`]: super::WithheldReason::Exhausted

use super::Raft;
use super::entry::Payload;
use super::io::{Durable, DurableError, Standing, Start};
use super::membership::{ChangeError, Configuration};
use super::message::{
    AppendEntries, AppendEntriesResponse, AppendOutcome, Claim, InstallSnapshot, InstallSnapshotResponse, Message,
    SnapshotMeta, SnapshotProgress,
};
use super::role::Leader;
use super::server::Server;
use super::start::StartError;
use super::types::{DiskId, EntryId, LogIndex, Term};

/// How far ahead of its own term a server believes a term.
pub(super) const TERM_LEAP_MAX: u64 = 1 << 24;

/// This many of the last indexes are kept for entries that a leader appends by itself: its first
/// entry, and the end of a joint membership.
const KEPT_FREE: u64 = 1 << 10;

impl Raft {
    /// What about this message shows that no correct server sent it, if anything does. It looks at
    /// the whole content of a message but at nothing that depends on this server's role, except for
    /// the length of a leader's log.
    pub(super) fn implausible(&self, message: &Message) -> Option<&'static str> {
        let in_answer = || self.role.leader()?.implausible_answer(&self.server, message);
        implausible(message).or_else(in_answer)
    }
}

impl Leader {
    /// The same for what an answer in this server's own term says about messages that this server
    /// sent as the leader.
    fn implausible_answer(&self, server: &Server, message: &Message) -> Option<&'static str> {
        if message.term() != server.hard_state.term {
            return None;
        }
        let last = server.log.last().index;
        let (round, beyond) = match message {
            // These answer a message of an earlier term, in which this server or another led.
            Message::AppendEntriesResponse(m) if m.outcome == AppendOutcome::StaleTerm => return None,
            Message::InstallSnapshotResponse(m) if m.progress == SnapshotProgress::StaleTerm => return None,
            Message::AppendEntriesResponse(m) => (m.round, implausible_outcome(m, last)),
            Message::InstallSnapshotResponse(m) => (m.round, implausible_progress(m, last)),
            _ => return None,
        };
        if round > self.rounds.latest() { Some("an answer to a round that hasn’t begun") } else { beyond }
    }
}

impl Server {
    /// How far a higher term is believed: see the bounds above.
    pub(super) fn believed(&self, term: Term) -> Term {
        term.min(Term(self.hard_state.term.0.saturating_add(TERM_LEAP_MAX)))
    }

    /// Whether there is no term left to campaign in, or no index left for a leader's first entry.
    pub(super) fn is_exhausted(&self) -> bool {
        self.hard_state.term >= Term::MAX || self.log_is_full()
    }

    /// Whether there is no index left for an entry that is asked for.
    pub(super) fn log_is_full(&self) -> bool {
        is_full(self.log.last().index)
    }
}

/// Whether a log that ends at `last` takes no more entries that are asked for: the rest is for
/// those that a leader appends by itself.
pub(super) const fn is_full(last: LogIndex) -> bool {
    last.0 >= LogIndex::MAX.0 - KEPT_FREE
}

/// What no server could say, whichever server receives it.
fn implausible(message: &Message) -> Option<&'static str> {
    if message.term() > Term::MAX {
        return Some("a term that no cluster reaches");
    }
    if message.term() == Term::ZERO && speaks_of_an_election(message) {
        return Some("a campaign or a leader in term 0");
    }
    let claim = message.claim()?;
    match claim {
        Claim::PreVote(m) => implausible_id(m.last, m.term),
        Claim::RequestVote(m) => implausible_id(m.last, m.term),
        Claim::AppendEntries(m) => implausible_append(m),
        Claim::InstallSnapshot(m) => implausible_piece(m),
        Claim::AppendEntriesResponse(m) => implausible_answer(m),
        Claim::InstallSnapshotResponse(m) => implausible_snapshot_answer(m),
        Claim::PreVoteResponse(m) if m.asked_in > Term::MAX => Some("an answer to a term that no cluster reaches"),
        Claim::PreVoteResponse(m) if m.granted && m.term > m.asked_in => {
            Some("a yes to a campaign of an older term than the voter’s")
        }
        Claim::ReadIndexResponse(m) if m.index.is_some_and(|index| index > LogIndex::MAX) => Some(INDEX_BEYOND_END),
        Claim::PreVoteResponse(_)
        | Claim::RequestVoteResponse(_)
        | Claim::TimeoutNow(_)
        | Claim::ReadIndex(_)
        | Claim::ReadIndexResponse(_) => None,
    }
}

impl Configuration {
    /// Checks that a cluster can have this membership: it has voters, and no server is a voter and
    /// a learner at once. (A voter that is about to become a learner is among the learners already
    /// while the old voters still count.)
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), ChangeError> {
        if self.voters.is_empty() {
            return Err(ChangeError::NoVoters);
        }
        match self.voters.intersection(self.learners).iter().next() {
            Some(server) => Err(ChangeError::VoterAndLearner(server)),
            None => Ok(()),
        }
    }
}

const SENSELESS_MEMBERSHIP: &str = "a membership that no cluster has";
const INDEX_BEYOND_END: &str = "an index that no log reaches";
const INDEX_WITHOUT_TERM: &str = "an entry with an index and no term, or a term and no index";

/// Whether a message says that there is a term in which a server campaigns or leads.
fn speaks_of_an_election(message: &Message) -> bool {
    message.is_from_leader() || matches!(message, Message::RequestVote(_))
}

/// What is wrong with the identity of an entry that a message of `term` names.
fn implausible_id(id: EntryId, term: Term) -> Option<&'static str> {
    if id.index > LogIndex::MAX {
        Some(INDEX_BEYOND_END)
    } else if id.term > term {
        Some("an entry of a later term than the message’s")
    } else if (id.index == LogIndex::ZERO) != (id.term == Term::ZERO) {
        Some(INDEX_WITHOUT_TERM)
    } else {
        None
    }
}

fn implausible_append(m: &AppendEntries) -> Option<&'static str> {
    if let what @ Some(_) = implausible_id(m.previous, m.term) {
        return what;
    }
    if m.commit > LogIndex::MAX || m.previous.index.plus(m.entries.len() as u64) > LogIndex::MAX {
        return Some(INDEX_BEYOND_END);
    }
    let mut term = m.previous.term;
    for entry in m.entries.as_slice() {
        if entry.term < term {
            return Some("entries whose terms go down");
        }
        if entry.term == Term::ZERO {
            return Some("entries of term 0");
        }
        if let what @ Some(_) = implausible_payload(&entry.payload) {
            return what;
        }
        term = entry.term;
    }
    if term > m.term { Some("entries of a later term than their leader’s") } else { None }
}

fn implausible_payload(payload: &Payload) -> Option<&'static str> {
    match payload {
        Payload::Membership(configuration) if configuration.check().is_err() => Some(SENSELESS_MEMBERSHIP),
        Payload::Admission { disk, .. } if *disk == DiskId::default() => {
            Some("an admission of a disk without a number")
        }
        Payload::NoOp | Payload::Command(_) | Payload::Membership(_) | Payload::Admission { .. } => None,
    }
}

fn implausible_piece(m: &InstallSnapshot) -> Option<&'static str> {
    let end = m.offset.saturating_add(m.piece.bytes().len() as u64);
    if end > m.size {
        return Some("a snapshot piece that doesn’t fit its whole");
    }
    if m.meta.last.index == LogIndex::ZERO {
        return Some("a snapshot of nothing");
    }
    implausible_id(m.meta.last, m.term).or_else(|| implausible_meta(&m.meta))
}

fn implausible_meta(meta: &SnapshotMeta) -> Option<&'static str> {
    if meta.configuration_index > meta.last.index {
        Some("a snapshot whose membership is from after its end")
    } else if check_membership_of(meta).is_err() {
        Some(SENSELESS_MEMBERSHIP)
    } else {
        None
    }
}

/// Whether the membership of a snapshot makes sense, or isn't known.
fn check_membership_of(meta: &SnapshotMeta) -> Result<(), ChangeError> {
    let unknown = meta.configuration_index == LogIndex::ZERO && meta.configuration == Configuration::default();
    if unknown { Ok(()) } else { meta.configuration.check() }
}

fn implausible_answer(m: &AppendEntriesResponse) -> Option<&'static str> {
    let index_beyond_end = (m.received > LogIndex::MAX).then_some(INDEX_BEYOND_END);
    let outcome = match m.outcome {
        AppendOutcome::Matched(index) | AppendOutcome::Joining { matched: index, .. } => {
            (index > LogIndex::MAX).then_some(INDEX_BEYOND_END)
        }
        AppendOutcome::Conflict { previous, hint } | AppendOutcome::Damaged { previous, last: hint }
            if hint.index > previous || previous > LogIndex::MAX =>
        {
            Some("a hint at what comes after the conflict")
        }
        AppendOutcome::Conflict { hint: id, .. } | AppendOutcome::Damaged { last: id, .. } => {
            implausible_id(id, m.term)
        }
        AppendOutcome::StaleTerm => None,
    };
    outcome.or(index_beyond_end)
}

fn implausible_snapshot_answer(m: &InstallSnapshotResponse) -> Option<&'static str> {
    let index_beyond_end = match m.progress {
        SnapshotProgress::Installed(index) => index > LogIndex::MAX,
        SnapshotProgress::Received(_) | SnapshotProgress::StaleTerm => false,
    };
    // If another leader has been elected since, the answer's term may be older than the snapshot's.
    if index_beyond_end { Some(INDEX_BEYOND_END) } else { implausible_id(m.last, Term::MAX) }
}

/// What is wrong with an answer to a leader whose log ends at `last`.
fn implausible_outcome(m: &AppendEntriesResponse, last: LogIndex) -> Option<&'static str> {
    match m.outcome {
        AppendOutcome::Matched(index) | AppendOutcome::Joining { matched: index, .. } if index > last => {
            Some("a match beyond the leader’s log")
        }
        AppendOutcome::Conflict { previous, .. } | AppendOutcome::Damaged { previous, .. } if previous > last => {
            Some("a conflict beyond the leader’s log")
        }
        _ if m.received > last => Some("a match beyond the leader’s log"),
        _ => None,
    }
}

/// The same for an answer to a snapshot.
fn implausible_progress(m: &InstallSnapshotResponse, last: LogIndex) -> Option<&'static str> {
    let installed = if let SnapshotProgress::Installed(index) = m.progress { index } else { LogIndex::ZERO };
    (installed.max(m.last.index) > last).then_some("a snapshot beyond the leader’s log")
}

/// Checks that a server can start like this.
///
/// # Errors
/// The first thing found that no server leaves on its disk, or what is wrong with the membership
/// that the cluster was founded with.
pub(super) fn check_start(start: &Start) -> Result<(), StartError> {
    let founded = |bootstrap: &Configuration| bootstrap.check().map_err(StartError::Bootstrap);
    match start {
        Start::Bootstrap(bootstrap) => founded(bootstrap),
        // A server that joined a cluster doesn't know how it was founded. Without a disk number it
        // would never be admitted.
        Start::Restart(Durable { hard_state, .. }, _)
            if hard_state.standing == Standing::Joining && hard_state.disk == DiskId::default() =>
        {
            Err(StartError::DiskUnnamed)
        }
        // Such a disk may have held a vote before it was lost; nothing on it shows that it did not.
        Start::Restart(durable, bootstrap)
            if *bootstrap == Configuration::default() && *durable == Durable::default() =>
        {
            Err(StartError::Blank)
        }
        Start::Restart(durable, bootstrap) if *bootstrap == Configuration::default() => on_disk(durable),
        Start::Restart(durable, bootstrap) => founded(bootstrap).and_then(|()| on_disk(durable)),
        Start::Join { .. } => Ok(()), // `Raft::new` checks what it needs.
    }
}

fn on_disk(durable: &Durable) -> Result<(), StartError> {
    check_disk(durable).map_err(StartError::Durable)
}

fn check_disk(durable: &Durable) -> Result<(), DurableError> {
    let (term, lost) = (durable.hard_state.term, durable.hard_state.lost);
    if term > Term::MAX {
        return Err(DurableError::TermBeyondEnd(term));
    }
    if implausible_id(lost, term).is_some() {
        return Err(DurableError::Lost { lost, term });
    }
    let mut last = EntryId::ZERO;
    if let Some(snapshot) = &durable.snapshot {
        let meta = &snapshot.meta;
        last = meta.last;
        if last.index > LogIndex::MAX {
            return Err(DurableError::IndexBeyondEnd(last.index));
        }
        if last.index == LogIndex::ZERO || last.term == Term::ZERO {
            return Err(DurableError::NoTerm(last.index));
        }
        if meta.configuration_index > last.index {
            return Err(DurableError::MembershipAhead { index: meta.configuration_index, last });
        }
        let index = meta.configuration_index;
        check_membership_of(meta).map_err(|why| DurableError::Membership { index, why })?;
    }
    for entry in &durable.entries {
        if last.index >= LogIndex::MAX {
            return Err(DurableError::IndexBeyondEnd(last.index.next()));
        }
        if entry.term < last.term {
            return Err(DurableError::TermsOutOfOrder(last.index.next()));
        }
        last = EntryId::new(last.index.next(), entry.term);
        if last.term == Term::ZERO {
            return Err(DurableError::NoTerm(last.index));
        }
        if matches!(entry.payload, Payload::Admission { disk, .. } if disk == DiskId::default()) {
            return Err(DurableError::NoDisk(last.index));
        }
        if let Payload::Membership(configuration) = &entry.payload {
            configuration.check().map_err(|why| DurableError::Membership { index: last.index, why })?;
        }
    }
    if last.term > term { Err(DurableError::TermAhead { entry: last, term }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::string::ToString;
    use alloc::sync::Arc;
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::{
        Config, Entry, HardState, Input, MembershipChange, Observation, Output, Piece, PreVote, PreVoteResponse,
        Proposal, ReadIndex, ReadIndexResponse, Refusal, RequestVote, RequestVoteResponse, ServerId, ServerSet,
        Snapshot, TimeoutNow, WithheldReason,
    };
    use super::*;
    use crate::time::{Duration, Time};

    const END: u64 = u64::MAX;

    fn s(number: u8) -> ServerId {
        ServerId::new(number).unwrap()
    }

    fn id(index: u64, term: u64) -> EntryId {
        EntryId::new(LogIndex(index), Term(term))
    }

    fn founders() -> Configuration {
        Configuration::of_voters(ServerSet::first(3))
    }

    fn two_roles() -> Configuration {
        Configuration { learners: ServerSet::first(1), ..founders() }
    }

    fn entry(term: u64, payload: Payload) -> Entry {
        Entry { term: Term(term), payload }
    }

    fn durable(term: u64, terms: &[u64]) -> Durable {
        let hard_state = HardState { term: Term(term), ..HardState::default() };
        let entries = terms.iter().map(|term| entry(*term, Payload::NoOp)).collect();
        Durable { hard_state, snapshot: None, entries }
    }

    fn start(durable: Durable) -> Result<Raft, StartError> {
        Raft::new(Config::new(s(1), 1), Start::Restart(durable, founders()), Time::ZERO)
    }

    /// S1 of three, in term 3, with three entries.
    fn follower() -> Raft {
        start(durable(3, &[1, 1, 2])).unwrap()
    }

    /// The same, elected in term 4, with its first entry at 4.
    fn leader() -> Raft {
        let (mut raft, mut out) = (follower(), Output::default());
        let now = Time::from_secs(1);
        raft.step(now, Input::Campaign, &mut out);
        let yes = PreVoteResponse { term: Term(3), asked_in: Term(3), granted: true };
        raft.receive(now, s(2), &Message::PreVoteResponse(yes), &mut out);
        let receipt = out.writes[0].receipt;
        raft.step(now, Input::Durable(receipt), &mut out);
        let yes = RequestVoteResponse { term: Term(4), granted: true };
        raft.receive(now, s(2), &Message::RequestVoteResponse(yes), &mut out);
        assert!(raft.is_leader());
        raft
    }

    fn pre_vote(term: u64, last: EntryId) -> Message {
        Message::PreVote(PreVote { term: Term(term), last })
    }

    fn append(term: u64, previous: EntryId, entries: &[Entry], commit: u64) -> Message {
        let entries = entries.iter().cloned().collect();
        let (term, commit) = (Term(term), LogIndex(commit));
        Message::AppendEntries(AppendEntries { term, previous, entries, commit, round: END, probe: END })
    }

    fn answer(round: u64, received: u64, outcome: AppendOutcome) -> Message {
        let (term, received, clock, patience) = (Term(4), LogIndex(received), Time::NEVER, Duration::from_micros(END));
        let probe = END;
        Message::AppendEntriesResponse(AppendEntriesResponse { term, round, probe, clock, patience, received, outcome })
    }

    fn conflict(previous: u64, hint: EntryId) -> AppendOutcome {
        AppendOutcome::Conflict { previous: LogIndex(previous), hint }
    }

    fn piece(last: EntryId, configuration: Configuration, index: u64, size: u64, offset: u64) -> Message {
        let meta = SnapshotMeta { last, configuration, configuration_index: LogIndex(index) };
        let piece = Piece::of(&b"abc"[..].into(), 0, 3);
        let message = InstallSnapshot { term: Term(4), round: END, meta, size, checksum: END, offset, piece };
        Message::InstallSnapshot(Box::new(message))
    }

    fn snapshot_answer(round: u64, last: EntryId, progress: SnapshotProgress) -> Message {
        Message::InstallSnapshotResponse(InstallSnapshotResponse {
            term: Term(4),
            round,
            last,
            progress,
            may_vote: true,
        })
    }

    fn read_answer(index: u64) -> Message {
        let (term, disk, index) = (Term(4), DiskId(END), Some(LogIndex(index)));
        Message::ReadIndexResponse(ReadIndexResponse { term, disk, request: END, index })
    }

    #[test]
    fn what_no_server_says_is_told_from_what_one_could_at_the_very_bound() {
        let (term, index) = (Term::MAX.0, LogIndex::MAX.0);
        let membership = |configuration| entry(4, Payload::Membership(Arc::new(configuration)));
        let yes = |term, asked_in| {
            let (term, asked_in) = (Term(term), Term(asked_in));
            Message::PreVoteResponse(PreVoteResponse { term, asked_in, granted: true })
        };
        let vote = |term, last| Message::RequestVote(RequestVote { term: Term(term), last, leadership_transfer: true });
        let no_op = |term| entry(term, Payload::NoOp);
        let matched = |index| AppendOutcome::Matched(LogIndex(index));
        let installed = |index| SnapshotProgress::Installed(LogIndex(index));
        let damaged = |previous, last| AppendOutcome::Damaged { previous: LogIndex(previous), last };
        let joining = |index| AppendOutcome::Joining { matched: LogIndex(index), disk: DiskId(END) };
        let admits = |disk| entry(4, Payload::Admission { server: s(9), disk: DiskId(disk) });
        // Each case: what is wrong, a message with it, and the same message as it can be.
        let cases = [
            ("a term that no cluster reaches", pre_vote(term + 1, id(0, 0)), pre_vote(term, id(0, 0))),
            ("a term that no cluster reaches", pre_vote(END, id(0, 0)), pre_vote(0, id(0, 0))),
            ("an index that no log reaches", pre_vote(4, id(index + 1, 4)), pre_vote(4, id(index, 4))),
            ("an entry of a later term than the message’s", pre_vote(4, id(1, 5)), pre_vote(4, id(1, 4))),
            (INDEX_WITHOUT_TERM, pre_vote(4, id(0, 4)), pre_vote(4, id(1, 4))),
            (INDEX_WITHOUT_TERM, vote(4, id(4, 0)), vote(4, id(0, 0))),
            ("a campaign or a leader in term 0", vote(0, id(0, 0)), vote(1, id(0, 0))),
            ("an entry of a later term than the message’s", vote(4, id(1, 5)), vote(4, id(1, 4))),
            ("an answer to a term that no cluster reaches", yes(term, term + 1), yes(term, term)),
            ("a yes to a campaign of an older term than the voter’s", yes(4, 3), yes(4, 4)),
            ("a campaign or a leader in term 0", append(0, id(0, 0), &[], 0), append(1, id(0, 0), &[], 0)),
            ("an index that no log reaches", append(4, id(index, 4), &[no_op(4)], 0), append(4, id(index, 4), &[], 0)),
            (
                "an index that no log reaches",
                append(4, id(END, 4), &[no_op(4)], 0),
                append(4, id(1, 4), &[no_op(4)], 0),
            ),
            ("an index that no log reaches", append(4, id(1, 1), &[], index + 1), append(4, id(1, 1), &[], index)),
            ("an entry of a later term than the message’s", append(4, id(1, 5), &[], 0), append(4, id(1, 4), &[], 0)),
            (INDEX_WITHOUT_TERM, append(4, id(0, 1), &[], 0), append(4, id(0, 0), &[], 0)),
            ("entries whose terms go down", append(4, id(1, 2), &[no_op(1)], 0), append(4, id(1, 2), &[no_op(2)], 0)),
            ("entries of term 0", append(4, id(0, 0), &[no_op(0), no_op(1)], 0), append(4, id(0, 0), &[no_op(1)], 0)),
            (
                "entries of a later term than their leader’s",
                append(4, id(1, 2), &[no_op(5)], 0),
                append(4, id(1, 2), &[no_op(4)], 0),
            ),
            (
                "a membership that no cluster has",
                append(4, id(1, 1), &[membership(two_roles())], 0),
                append(4, id(1, 1), &[membership(founders())], 0),
            ),
            (
                "a membership that no cluster has",
                append(4, id(1, 1), &[membership(Configuration::default())], 0),
                append(4, id(1, 1), &[membership(Configuration { outgoing: ServerSet::first(4), ..founders() })], 0),
            ),
            (
                "a snapshot piece that doesn’t fit its whole",
                piece(id(9, 4), founders(), 9, 10, 8),
                piece(id(9, 4), founders(), 9, 10, 7),
            ),
            (
                "a snapshot piece that doesn’t fit its whole",
                piece(id(9, 4), founders(), 9, 10, END),
                piece(id(9, 4), founders(), 9, 3, 0),
            ),
            ("a snapshot of nothing", piece(id(0, 0), founders(), 0, 3, 0), piece(id(1, 1), founders(), 0, 3, 0)),
            (
                "an index that no log reaches",
                piece(id(index + 1, 4), founders(), 0, 3, 0),
                piece(id(index, 4), founders(), 0, 3, 0),
            ),
            (
                "an entry of a later term than the message’s",
                piece(id(9, 5), founders(), 0, 3, 0),
                piece(id(9, 4), founders(), 0, 3, 0),
            ),
            (
                "a snapshot whose membership is from after its end",
                piece(id(9, 4), founders(), 10, 3, 0),
                piece(id(9, 4), founders(), 9, 3, 0),
            ),
            (
                "a membership that no cluster has",
                piece(id(9, 4), Configuration::default(), 1, 3, 0),
                piece(id(9, 4), Configuration::default(), 0, 3, 0),
            ),
            (
                "a membership that no cluster has",
                piece(id(9, 4), two_roles(), 0, 3, 0),
                piece(id(9, 4), founders(), 0, 3, 0),
            ),
            ("an answer to a round that hasn’t begun", answer(2, 4, matched(4)), answer(1, 4, matched(4))),
            ("a match beyond the leader’s log", answer(1, 4, matched(5)), answer(1, 4, matched(0))),
            ("a match beyond the leader’s log", answer(1, 5, matched(4)), answer(1, 0, matched(4))),
            (
                "a conflict beyond the leader’s log",
                answer(1, 0, conflict(5, id(3, 2))),
                answer(1, 0, conflict(4, id(3, 2))),
            ),
            (
                "a hint at what comes after the conflict",
                answer(1, 0, conflict(2, id(3, 2))),
                answer(1, 0, conflict(3, id(3, 2))),
            ),
            (INDEX_WITHOUT_TERM, answer(1, 0, conflict(2, id(0, 2))), answer(1, 0, conflict(2, id(0, 0)))),
            (
                "a conflict beyond the leader’s log",
                answer(1, 0, damaged(5, id(3, 2))),
                answer(1, 0, damaged(4, id(3, 2))),
            ),
            (
                "a hint at what comes after the conflict",
                answer(1, 0, damaged(2, id(3, 2))),
                answer(1, 0, damaged(3, id(3, 2))),
            ),
            ("a match beyond the leader’s log", answer(1, 4, joining(5)), answer(1, 4, joining(4))),
            (
                "an admission of a disk without a number",
                append(4, id(1, 1), &[admits(0)], 0),
                append(4, id(1, 1), &[admits(1)], 0),
            ),
            (
                "an entry of a later term than the message’s",
                answer(1, 0, damaged(2, id(2, 5))),
                answer(1, 0, damaged(2, id(2, 4))),
            ),
            (
                "a snapshot beyond the leader’s log",
                snapshot_answer(1, id(4, 4), installed(5)),
                snapshot_answer(1, id(4, 4), installed(4)),
            ),
            (
                "a snapshot beyond the leader’s log",
                snapshot_answer(1, id(5, 4), installed(1)),
                snapshot_answer(0, id(4, 4), installed(1)),
            ),
            (
                "an answer to a round that hasn’t begun",
                snapshot_answer(2, id(4, 4), installed(1)),
                snapshot_answer(1, id(4, 4), SnapshotProgress::Received(END)),
            ),
            ("an index that no log reaches", read_answer(index + 1), read_answer(index)),
        ];
        let leader = leader();
        for (what, wrong, right) in cases {
            assert_eq!(leader.implausible(&wrong), Some(what), "{wrong:?}");
            assert_eq!(leader.implausible(&right), None, "{right:?}");
        }
        for never_wrong in [
            Message::TimeoutNow(TimeoutNow { term: Term(1) }),
            Message::ReadIndex(ReadIndex { term: Term(0), disk: DiskId(END), request: END }),
            Message::RequestVoteResponse(RequestVoteResponse { term: Term(4), granted: true }),
            answer(END, LogIndex::MAX.0, AppendOutcome::Matched(LogIndex::MAX)),
        ] {
            assert_eq!(follower().implausible(&never_wrong), None, "{never_wrong:?}");
        }
        // Whatever the role.
        for outcome in [
            AppendOutcome::Matched(LogIndex(index + 1)),
            joining(index + 1),
            conflict(index + 1, id(1, 1)),
            damaged(index + 1, id(1, 1)),
        ] {
            assert!(follower().implausible(&answer(1, 0, outcome)).is_some(), "{outcome:?}");
        }
        assert!(follower().implausible(&answer(1, index + 1, AppendOutcome::StaleTerm)).is_some());
        assert!(follower().implausible(&snapshot_answer(1, id(1, 1), installed(index + 1))).is_some());
        assert!(follower().implausible(&snapshot_answer(1, id(index + 1, 1), installed(1))).is_some());
    }

    #[test]
    fn an_impossible_message_changes_nothing_and_is_observed() {
        let messages = [append(9, id(0, 0), &[entry(0, Payload::NoOp)], 0), pre_vote(END, id(0, 0)), read_answer(END)];
        for mut raft in [follower(), leader()] {
            let (before, deadline, mut out) = (raft.hard_state(), raft.deadline(), Output::listening());
            for message in &messages {
                raft.receive(Time::from_secs(1), s(2), message, &mut out);
                assert!(matches!(out.observations[..], [Observation::ImpossibleMessage { from, .. }] if from == s(2)));
                assert!(out.messages.is_empty() && out.writes.is_empty());
            }
            assert_eq!((raft.hard_state(), raft.deadline()), (before, deadline));
        }
    }

    #[test]
    fn a_term_far_ahead_is_believed_a_part_of_the_way() {
        let leap = |term, believed| {
            let (mut raft, mut out) = (follower(), Output::listening());
            let message = Message::RequestVoteResponse(RequestVoteResponse { term: Term(term), granted: true });
            raft.receive(Time::from_secs(1), s(2), &message, &mut out);
            assert_eq!(raft.term(), Term(believed));
            out.observations.iter().any(|seen| matches!(seen, Observation::ImpossibleMessage { .. }))
        };
        assert!(!leap(3 + TERM_LEAP_MAX, 3 + TERM_LEAP_MAX));
        assert!(leap(4 + TERM_LEAP_MAX, 3 + TERM_LEAP_MAX));
        assert!(leap(Term::MAX.0, 3 + TERM_LEAP_MAX));
        assert!(leap(Term::MAX.0 + 1, 3), "and not at all where no term is");

        // A term that isn't believed makes no leader; but a real leader so far ahead is heard in
        // the end.
        let (mut raft, mut out) = (follower(), Output::listening());
        let far = 3 + 2 * TERM_LEAP_MAX + 1;
        for heard in [None, None, Some(s(2))] {
            raft.receive(Time::from_secs(1), s(2), &append(far, id(3, 2), &[], 0), &mut out);
            assert_eq!(raft.leader(), heard, "in term {}", raft.term());
        }
    }

    #[test]
    fn at_the_last_term_or_index_no_campaign_begins_and_nothing_goes_into_the_log() {
        let withheld = |durable: Durable| {
            let (mut raft, mut out) = (start(durable).unwrap(), Output::listening());
            raft.step(Time::from_secs(1), Input::Campaign, &mut out);
            out.observations.contains(&Observation::CampaignWithheld { reason: WithheldReason::Exhausted })
        };
        assert!(withheld(durable(Term::MAX.0, &[])) && !withheld(durable(Term::MAX.0 - 1, &[])));
        let full_at = LogIndex::MAX.0 - KEPT_FREE;
        assert!(withheld(ending_at(full_at)) && !withheld(ending_at(full_at - 1)));

        // A leader alone. After its first entry, only two more can be asked for.
        let alone = Configuration::of_voters(ServerSet::first(1));
        let image = ending_at(full_at - 3);
        let mut raft = Raft::new(Config::new(s(1), 1), Start::Restart(image, alone), Time::ZERO).unwrap();
        let (now, mut out) = (Time::from_secs(1), Output::listening());
        let mut refused = Vec::new();
        let proposal = |id| Proposal { id, command: b"x"[..].into() };
        let change = MembershipChange { voters: ServerSet::first(1), learners: [s(2)].into_iter().collect() };
        let mut inputs = vec![
            Input::ChangeMembership { id: 5, change },
            Input::Propose(proposal(4)),
            Input::ProposeBatch((1..4).map(proposal).collect()),
            Input::Campaign,
        ];
        while let Some(input) = inputs.pop() {
            raft.step(now, input, &mut out);
            refused.extend(out.refused.iter().map(|refused| (refused.id, refused.reason)));
            inputs.extend(out.writes.iter().map(|write| Input::Durable(write.receipt)));
        }
        assert_eq!(refused, [3, 4, 5].map(|id| (id, Refusal::LogFull)));
        assert_eq!((raft.log().last().index.0, raft.commit_index().0), (full_at, full_at));
    }

    /// A disk whose snapshot ends there.
    fn ending_at(index: u64) -> Durable {
        let configuration = Configuration::of_voters(ServerSet::first(1));
        let meta = SnapshotMeta { last: id(index, 3), configuration, configuration_index: LogIndex::ZERO };
        Durable { snapshot: Some(Arc::new(Snapshot::new(meta, b""[..].into()))), ..durable(3, &[]) }
    }

    #[test]
    fn a_disk_that_no_server_leaves_behind_is_refused_with_the_reason() {
        let snapshot = |last, configuration, index| {
            let meta = SnapshotMeta { last, configuration, configuration_index: LogIndex(index) };
            Durable { snapshot: Some(Arc::new(Snapshot::new(meta, b""[..].into()))), ..durable(3, &[]) }
        };
        let with = |mut durable: Durable, term, payload| {
            durable.entries.push(entry(term, payload));
            durable
        };
        let lost =
            |lost| Durable { hard_state: HardState { term: Term(3), lost, ..HardState::default() }, ..durable(3, &[]) };
        let membership = |configuration| Payload::Membership(Arc::new(configuration));
        let end = LogIndex::MAX.0;
        let admits = |disk| Payload::Admission { server: s(9), disk: DiskId(disk) };
        let cases = [
            (durable(Term::MAX.0 + 1, &[]), "none is after 4611686018427387904", durable(Term::MAX.0, &[])),
            (durable(3, &[1, 4]), "holds entry 2@4", durable(3, &[1, 3])),
            (durable(3, &[2, 1]), "go down at index 2", durable(3, &[2, 2])),
            (durable(3, &[0]), "index 1 is from before any election", durable(3, &[1])),
            (
                snapshot(id(end + 1, 3), founders(), 0),
                "entry at index 4611686018427387905",
                snapshot(id(end, 3), founders(), 0),
            ),
            (
                with(ending_at(end), 3, Payload::NoOp),
                "entry at index 4611686018427387905",
                with(ending_at(end - 1), 3, Payload::NoOp),
            ),
            (snapshot(id(7, 4), founders(), 0), "holds entry 7@4", snapshot(id(7, 3), founders(), 0)),
            (
                snapshot(id(0, 3), founders(), 0),
                "index 0 is from before any election",
                snapshot(id(1, 3), founders(), 0),
            ),
            (
                snapshot(id(7, 0), founders(), 0),
                "index 7 is from before any election",
                snapshot(id(7, 1), founders(), 0),
            ),
            (
                snapshot(id(7, 3), founders(), 8),
                "up to 7@3 has its membership from index 8",
                snapshot(id(7, 3), founders(), 7),
            ),
            (snapshot(id(7, 3), two_roles(), 7), "from index 7 can’t be: S1", snapshot(id(7, 3), founders(), 7)),
            (
                snapshot(id(7, 3), Configuration::default(), 1),
                "has no voters",
                snapshot(id(7, 3), Configuration::default(), 0),
            ),
            (with(ending_at(6), 3, admits(0)), "index 7 admits a disk", with(ending_at(6), 3, admits(1))),
            (with(ending_at(6), 2, Payload::NoOp), "go down at index 7", with(ending_at(6), 3, Payload::NoOp)),
            (
                with(ending_at(6), 3, membership(two_roles())),
                "from index 7 can’t be",
                with(ending_at(6), 3, membership(founders())),
            ),
            (lost(id(4, 4)), "have ended with 4@4 once", lost(id(4, 3))),
            (lost(id(end + 1, 1)), "have ended with", lost(id(end, 1))),
            (lost(id(4, 0)), "have ended with", lost(id(0, 0))),
        ];
        for (wrong, reason, right) in cases {
            let error = start(wrong).expect_err(reason).to_string();
            assert!(error.contains(reason) && error.contains("wipe the disk"), "{error}");
            assert!(start(right.clone()).is_ok(), "{right:?}");
        }
        let joining = |disk| {
            let hard_state = HardState { standing: Standing::Joining, disk: DiskId(disk), ..HardState::default() };
            start(Durable { hard_state, ..durable(0, &[]) })
        };
        assert_eq!(joining(0).unwrap_err(), StartError::DiskUnnamed);
        assert!(joining(1).is_ok());
        let begin = |configuration| Raft::new(Config::new(s(1), 1), Start::Bootstrap(configuration), Time::ZERO);
        assert!(begin(Configuration::default()).unwrap_err().to_string().contains("can’t be"));
        assert_eq!(begin(two_roles()).unwrap_err(), StartError::Bootstrap(ChangeError::VoterAndLearner(s(1))));
        assert!(begin(founders()).is_ok());
        let again =
            |configuration| Raft::new(Config::new(s(1), 1), Start::Restart(durable(3, &[]), configuration), Time::ZERO);
        assert!(again(two_roles()).is_err() && again(Configuration::default()).is_ok(), "who joined knows no founders");
        let blank = |bootstrap| {
            Raft::new(Config::new(s(1), 1), Start::Restart(Durable::default(), bootstrap), Time::ZERO).err()
        };
        assert_eq!((blank(Configuration::default()), blank(founders())), (Some(StartError::Blank), None));
    }

    #[test]
    fn no_parameter_and_no_clock_is_too_large_for_what_is_counted_with_it() {
        let mut config = Config::new(s(1), 1);
        config.clock_drift_max = u64::MAX;
        config.snapshot_piece_max = u64::MAX;
        config.election_timeout_max = Duration::from_micros(u64::MAX);
        config.disk_stall_max = Duration::from_micros(u64::MAX);
        let mut raft = Raft::new(config, Start::Restart(durable(3, &[1, 1, 2]), founders()), Time::ZERO).unwrap();
        let mut out = Output::default();
        for now in [1, u64::MAX - 1, u64::MAX, 5] {
            let now = Time::from_micros(now);
            raft.step(now, Input::TimerDue, &mut out);
            raft.step(now, Input::Campaign, &mut out);
            raft.receive(now, s(2), &append(4, id(3, 2), &[], 3), &mut out);
        }
        assert_eq!(raft.leader(), Some(s(2)));
    }
}
