//! One server among Byzantine peers: whatever they send, it must not panic, it must be able to
//! restart from its disk, and correct servers must be able to bring it up to date.
//!
//! [`World`] is a server with a disk. Its inputs are drawn from [`Choices`]: a random generator in
//! `extremes`, a fuzzer's bytes in `fuzz/fuzz_targets/step.rs`. Most fields of a message are what a
//! correct server would send now, so that it isn't refused at once; some are next to that, and some
//! are at the ends of their range. Assertions are checked after every input.

use std::collections::VecDeque;
use std::sync::Arc;

use raft_core::raft::{
    AppendEntries, AppendEntriesResponse, AppendOutcome, Claim, Config, Configuration, DiskId, Durable, Entries, Entry,
    EntryId, HardState, Input, InstallSnapshot, InstallSnapshotResponse, LogIndex, MembershipChange, Message,
    Observation, Output, Payload, Piece, PreVote, PreVoteResponse, Proposal, Raft, ReadIndex, ReadIndexResponse,
    ReadMode, RequestVote, RequestVoteResponse, Role, ServerId, ServerSet, Snapshot, SnapshotMeta, SnapshotProgress,
    Standing, Start, StartError, Term, TimeoutNow,
};
use raft_core::sim::Disk;
use raft_core::time::{Duration, Time};

/// Where a world takes its choices from.
pub trait Choices {
    /// A number below `limit`, which isn't zero.
    fn below(&mut self, limit: u64) -> u64;

    /// True once in `times`.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    /// In most cases `truth`; sometimes a number next to it, a small one, or one at the end of some
    /// range.
    fn number(&mut self, truth: u64) -> u64 {
        match self.below(32) {
            0 => self.one_of(&EXTREMES),
            1 => truth.wrapping_add(1),
            2 => truth.wrapping_sub(1),
            3 => self.below(8),
            _ => truth,
        }
    }
}

/// The ends of the ranges of all numbers in messages.
const EXTREMES: [u64; 16] = [
    0,
    1,
    (1 << 24) - 1,
    1 << 24,
    (1 << 24) + 1,
    1 << 32,
    1 << 53,
    (1 << 62) - 2,
    (1 << 62) - 1,
    1 << 62,
    (1 << 62) + 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX - 2,
    u64::MAX - 1,
    u64::MAX,
];

/// Impossible messages that are answered all the same, so that a leader that isn't at fault knows
/// that it is heard.
const ANSWERED: [&str; 2] = ["a snapshot whose checksum is wrong", "a snapshot larger than any that is taken"];

/// The server under test.
const ME: ServerId = server(1);

const fn server(number: u8) -> ServerId {
    match ServerId::new(number) {
        Some(server) => server,
        None => panic!("servers are numbered 1 to 127"),
    }
}

fn founders() -> Configuration {
    Configuration::of_voters(ServerSet::first(3))
}

/// Counts of what has happened, so that a test can check that it covers everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Inputs taken as a follower, pre-candidate, candidate, leader.
    pub roles: [u64; 4],
    /// Messages of each kind.
    pub messages: [u64; Message::COUNT],
    /// Messages ignored as impossible.
    pub impossible: u64,
    /// Terms that were further ahead than is believed.
    pub leaps: u64,
    /// Starts from a disk after a crash.
    pub restarts: u64,
    /// Disk images that no server starts from.
    pub bad_images: u64,
    /// Snapshots installed.
    pub installed: u64,
    /// Campaigns withheld for want of a term or an index.
    pub exhausted: u64,
    /// Worlds that correct servers brought up to date.
    pub brought_back: u64,
}

impl Seen {
    /// Adds another's counts.
    pub fn add(&mut self, other: &Seen) {
        for (sum, more) in self.roles.iter_mut().zip(other.roles) {
            *sum += more;
        }
        for (sum, more) in self.messages.iter_mut().zip(other.messages) {
            *sum += more;
        }
        self.impossible += other.impossible;
        self.leaps += other.leaps;
        self.restarts += other.restarts;
        self.bad_images += other.bad_images;
        self.installed += other.installed;
        self.exhausted += other.exhausted;
        self.brought_back += other.brought_back;
    }
}

/// A server, its disk and its clock.
pub struct World {
    config: Config,
    raft: Raft,
    disk: Disk,
    now: Time,
    out: Output,
    term_at_start: Term,
    inputs: u64,
    pub seen: Seen,
}

impl World {
    /// A server that starts from some disk image, which can be invalid.
    pub fn new(c: &mut impl Choices) -> Result<World, StartError> {
        let config = config(c);
        let (start, image) = start(c);
        let raft = Raft::new(config.clone(), start, Time::from_secs(1))?;
        let durable = Durable { hard_state: raft.hard_state(), ..image };
        Ok(World {
            disk: Disk::holding(&durable),
            term_at_start: raft.term(),
            config,
            raft,
            now: Time::from_secs(1),
            out: Output::listening(),
            inputs: 0,
            seen: Seen::default(),
        })
    }

    /// Draws one event and plays it.
    pub fn step(&mut self, c: &mut impl Choices) {
        self.inputs += 1;
        self.seen.roles[role_number(self.raft.role())] += 1;
        self.pass_time(c);
        match c.below(64) {
            0 => self.crash_and_restart(c),
            1..=6 => self.sync(),
            7..=9 => {
                self.take(Input::TimerDue);
                let (deadline, now) = (self.raft.deadline(), self.now);
                assert!(deadline > now || now == Time::NEVER, "it would wake at once for ever: {deadline} at {now}");
            }
            10 => self.take(Input::Campaign),
            11..=14 => {
                let input = self.local(c);
                self.take(input);
            }
            _ => self.hear(c),
        }
        if self.out.snapshot_wanted && c.below(2) == 0 {
            let index = self.raft.applied_index();
            self.take(Input::SnapshotTaken { index, data: b"a state"[..].into() });
        }
    }

    fn pass_time(&mut self, c: &mut impl Choices) {
        self.now = match c.below(1_024) {
            0 => Time::from_micros(c.number(0)),
            1..=16 if self.now > Time::from_secs(1 << 20) => Time::from_secs(c.below(4)),
            _ => self.now + Duration::from_millis(c.below(30)),
        };
    }

    fn hear(&mut self, c: &mut impl Choices) {
        let from = server(c.one_of(&[1, 2, 2, 2, 2, 3, 3, 3, 4, 9, 127]));
        let message = by_wire(&message(c, &self.raft, from));
        self.seen.messages[message.place()] += 1;
        let (before, beyond) = (self.summary(), is_beyond_every_range(&message));
        self.take(Input::Message { from, message });
        let impossible = |seen: &Observation| match seen {
            Observation::ImpossibleMessage { what, .. } => Some(*what),
            _ => None,
        };
        let seen = self.out.observations.iter().find_map(impossible);
        assert!(seen.is_some() || !beyond, "a number that nothing reaches was believed");
        if let Some(what) = seen {
            self.seen.impossible += 1;
            self.seen.leaps += u64::from(what == "a term that is too far ahead");
            // If the message is only observed as impossible, nothing else may have happened.
            if self.out.observations.len() == 1 && !ANSWERED.contains(&what) {
                assert!(self.out.messages.is_empty() && self.out.writes.is_empty(), "{what}: {:?}", self.out);
                assert_eq!(self.summary(), before, "{what}");
            }
        }
    }

    /// The parts of the state that a message would change first.
    fn summary(&self) -> (HardState, EntryId, LogIndex, usize, Option<ServerId>) {
        let raft = &self.raft;
        (raft.hard_state(), raft.log().last(), raft.commit_index(), role_number(raft.role()), raft.leader())
    }

    fn local(&self, c: &mut impl Choices) -> Input {
        let id = self.inputs;
        let proposal = |id| Proposal { id, command: b"x=1"[..].into() };
        match c.below(8) {
            0 | 1 => Input::Propose(proposal(id)),
            2 => Input::ProposeBatch((0..c.below(4)).map(proposal).collect()),
            3 => Input::Read { id, mode: c.one_of(&[ReadMode::Confirmed, ReadMode::Lease]) },
            4 => {
                let index = LogIndex(c.number(self.raft.applied_index().0));
                Input::SnapshotTaken { index, data: b"a state"[..].into() }
            }
            5 | 6 => {
                Input::ChangeMembership { id, change: MembershipChange { voters: servers(c), learners: learners(c) } }
            }
            _ => Input::TransferLeadership { id, to: server(c.one_of(&[1, 2, 3, 9])) },
        }
    }

    /// Gives the server an input, and checks the assertions.
    fn take(&mut self, input: Input) {
        self.raft.step(self.now, input, &mut self.out);
        for write in &self.out.writes {
            self.disk.submit(self.now, write.clone());
        }
        for seen in &self.out.observations {
            match seen {
                Observation::SnapshotInstalled { .. } => self.seen.installed += 1,
                Observation::CampaignWithheld { reason: raft_core::raft::WithheldReason::Exhausted } => {
                    self.seen.exhausted += 1;
                }
                _ => {}
            }
        }
        let raft = &self.raft;
        assert!(raft.term() <= Term::MAX, "term {}", raft.term());
        let believed = (self.inputs + 1).saturating_mul((1 << 24) + 1).saturating_add(self.term_at_start.0);
        assert!(raft.term().0 <= believed, "term {} after {} inputs", raft.term(), self.inputs);
        assert!(raft.log().last().index <= LogIndex::MAX, "the log ends at {}", raft.log().last());
        assert!(raft.log().last().term <= raft.term(), "{} in term {}", raft.log().last(), raft.term());
        assert!(raft.commit_index() <= raft.log().last().index && raft.applied_index() == raft.commit_index());
        assert!(raft.configuration_index() <= raft.log().last().index);
        let before_any_election = raft.term() == Term::ZERO;
        assert!(!before_any_election || raft.leader().is_none(), "{:?} leads term 0", raft.leader());
        if let Role::Leader(leader) = raft.role() {
            for progress in (1..=9).filter_map(|number| leader.progress(server(number))) {
                assert!(progress.acked_round <= leader.round(), "round {} is answered", progress.acked_round);
                assert!(progress.matched < progress.next && progress.next <= raft.log().last().index.next());
            }
        }
        self.nothing_said_is_impossible();
    }

    /// The server itself only sends what a correct server could send: a fresh server finds none of
    /// it impossible.
    fn nothing_said_is_impossible(&self) {
        if !self.inputs.is_multiple_of(16) {
            return;
        }
        let mut out = Output::listening();
        for envelope in &self.out.messages {
            let hard_state = HardState { term: envelope.message.term(), ..HardState::default() };
            let start = Start::Restart(Durable { hard_state, ..Durable::default() }, founders());
            let mut stranger = Raft::new(Config::new(server(5), 1), start, self.now).expect("it can start so");
            stranger.receive(self.now, ME, &envelope.message, &mut out);
            let impossible = |seen: &Observation| matches!(seen, Observation::ImpossibleMessage { .. });
            let found = out.observations.iter().find(|seen| impossible(seen));
            assert!(found.is_none(), "{found:?}: {:?}", envelope.message);
        }
    }

    /// The oldest write becomes durable.
    fn sync(&mut self) {
        if let Some(receipt) = self.disk.sync_one() {
            self.take(Input::Durable(receipt));
        }
    }

    /// The server must be able to restart from its disk, whatever it was sent before.
    fn crash_and_restart(&mut self, c: &mut impl Choices) {
        let parts = self.disk.unsynced_parts() as u64;
        self.disk.lose_power_after(c.below(parts + 1) as usize);
        self.seen.restarts += 1;
        let start = Start::Restart(self.disk.image().durable(), founders());
        self.raft = Raft::new(self.config.clone(), start, self.now)
            .unwrap_or_else(|error| panic!("it can't start from its own disk: {error}"));
        self.out.clear();
    }

    /// Two correct servers, whose logs are at least as long as everything that this one was sent,
    /// elect a leader, commit, and bring this one up to date.
    ///
    /// That is impossible if peers whose messages looked correct have used up the terms or the
    /// indexes, or have made the server believe that it alone is a quorum: then it commits what no
    /// other server knows.
    pub fn correct_servers_bring_it_back(mut self) -> Seen {
        while self.disk.unsynced() > 0 {
            self.sync();
        }
        let (term, last) = (self.raft.term(), self.raft.log().last().index);
        if term.0 > Term::MAX.0 - 100 || last.0 > LogIndex::MAX.0 - 2_000 {
            return self.seen;
        }
        if self.raft.configuration().has_quorum([ME].into_iter().collect()) {
            return self.seen;
        }
        let term = Term(term.0 + 5);
        let last = EntryId::new(last.next(), term);
        let (configuration, configuration_index) = (founders(), LogIndex::ZERO);
        let meta = SnapshotMeta { last, configuration, configuration_index };
        let snapshot = Some(Arc::new(Snapshot::new(meta, b"what is true"[..].into())));
        let hard_state = HardState { term, ..HardState::default() };
        let durable = Durable { hard_state, snapshot, entries: Vec::new() };
        let mut now = Time::from_secs(1);
        let correct = |number: u8| {
            let start = Start::Restart(durable.clone(), founders());
            Raft::new(Config::new(server(number), 1), start, now).expect("a correct server's disk")
        };
        let mut rafts = [self.raft.clone(), correct(2), correct(3)];
        let mut on_the_way: VecDeque<(ServerId, ServerId, Message)> = VecDeque::new();
        let (mut out, mut sent, mut proposed) = (Output::default(), 0, None);
        // An invented membership can have made the server the leader of its own cluster: then a
        // later term deposes it.
        for tick in 0..3_000 {
            now += Duration::from_millis(10);
            for raft in &mut rafts {
                if raft.deadline() <= now {
                    deliver(raft, now, Input::TimerDue, &mut out, &mut on_the_way);
                }
                if tick % 100 == 0 && raft.id() != ME && raft.is_leader() {
                    let command = b"true=1"[..].into();
                    deliver(raft, now, Input::Propose(Proposal { id: 1, command }), &mut out, &mut on_the_way);
                    proposed = Some(raft.log().last());
                }
            }
            while let Some((from, to, message)) = on_the_way.pop_front() {
                sent += 1;
                assert!(sent < 100_000, "a storm: {message:?} from {from} to {to}");
                if let Some(raft) = rafts.iter_mut().find(|raft| raft.id() == to) {
                    deliver(raft, now, Input::Message { from, message }, &mut out, &mut on_the_way);
                }
            }
            let has_it = |raft: &Raft| {
                let holds = |id: EntryId| raft.commit_index() >= id.index && raft.log().contains(id);
                proposed.is_some_and(holds) && raft.hard_state().lost == EntryId::ZERO
            };
            if rafts.iter().all(has_it) {
                self.seen.brought_back += 1;
                return self.seen;
            }
        }
        let state = |raft: &Raft| {
            let (role, commit) = (raft.role().name(), raft.commit_index());
            format!(
                "{} {role} of {:?}, {:?}, log to {}, commit {commit}, {:?}\n",
                raft.id(),
                raft.leader(),
                raft.hard_state(),
                raft.log().last(),
                raft.configuration()
            )
        };
        panic!(
            "correct servers don't bring it back within half a minute:\n{}",
            rafts.iter().map(state).collect::<String>()
        );
    }
}

/// Gives a server an input and does everything that follows, except the delivery of messages. The
/// disk is instant.
fn deliver(
    raft: &mut Raft,
    now: Time,
    input: Input,
    out: &mut Output,
    on_the_way: &mut VecDeque<(ServerId, ServerId, Message)>,
) {
    let mut inputs = VecDeque::from([input]);
    while let Some(input) = inputs.pop_front() {
        raft.step(now, input, out);
        inputs.extend(out.writes.iter().map(|write| Input::Durable(write.receipt)));
        let from = raft.id();
        on_the_way.extend(out.messages.drain(..).map(|envelope| (from, envelope.to, by_wire(&envelope.message))));
    }
}

fn role_number(role: &Role) -> usize {
    match role {
        Role::Follower => 0,
        Role::PreCandidate(_) => 1,
        Role::Candidate(_) => 2,
        Role::Leader(_) => 3,
    }
}

fn kind_number(message: &Message) -> usize {
    match message {
        Message::PreVote(_) => 0,
        Message::PreVoteResponse(_) => 1,
        Message::RequestVote(_) => 2,
        Message::RequestVoteResponse(_) => 3,
        Message::AppendEntries(_) => 4,
        Message::AppendEntriesResponse(_) => 5,
        Message::InstallSnapshot(_) => 6,
        Message::InstallSnapshotResponse(_) => 7,
        Message::TimeoutNow(_) => 8,
        Message::ReadIndex(_) => 9,
        Message::ReadIndexResponse(_) => 10,
    }
}

// -------------------------------------------------------------------- starts

fn config(c: &mut impl Choices) -> Config {
    let mut config = Config::new(ME, c.below(1 << 16));
    config.pre_vote = !c.once_in(3);
    config.check_quorum = !c.once_in(3);
    config.entries_kept = c.one_of(&[0, 2, 256]);
    config.snapshot_after_entries = c.one_of(&[0, 4, 16]);
    if c.once_in(4) {
        config.append_entries_max = 2;
        config.window_appends_max = 2;
        config.snapshot_piece_max = 3;
        config.uncommitted_bytes_max = 64;
    }
    if c.once_in(8) {
        let most = u64::MAX;
        match c.below(6) {
            0 => config.clock_drift_max = most,
            1 => config.snapshot_piece_max = most,
            2 => config.disk_stall_max = Duration::from_micros(most),
            3 => config.election_timeout_max = Duration::from_micros(most),
            4 => config.learner_lag_max = most,
            _ => (config.window_bytes_max, config.append_bytes_max, config.uncommitted_bytes_max) = (most, most, most),
        }
    }
    config
}

/// How the server starts, and what is on its disk.
fn start(c: &mut impl Choices) -> (Start, Durable) {
    match c.below(8) {
        0 => return (Start::Bootstrap(founders()), Durable::default()),
        1 => return (Start::Join { disk: DiskId(7) }, Durable::default()),
        _ => {}
    }
    // Anywhere in the range of terms and indexes, often at its end.
    let first = c.one_of(&[1, 1, 1, 1 << 40, Term::MAX.0 - 4]);
    let snapshot = c.below(2) == 0;
    let base = if snapshot { EntryId::new(index_for_base(c), Term(c.number(first))) } else { EntryId::ZERO };
    let mut term = base.term.0.max(first);
    let entries = (0..c.below(6)).map(|_| {
        let next = term.saturating_add(u64::from(c.once_in(4)));
        term = c.number(next);
        Entry { term: Term(term), payload: payload(c) }
    });
    let entries: Vec<Entry> = entries.collect();
    let last_term = entries.last().map_or(base.term.0, |last| last.term.0);
    let term = last_term.max(first).saturating_add(c.below(2));
    let hard_state = HardState {
        term: Term(c.number(term)),
        voted_for: c.one_of(&[None, None, Some(ME), Some(server(2))]),
        standing: c.one_of(&[
            Standing::Member,
            Standing::Member,
            Standing::Member,
            Standing::Joining,
            Standing::Barred,
        ]),
        disk: disk(c),
        decided_at: c.one_of(&[LogIndex::ZERO, base.index]),
        asking_life: c.number(0) as u32,
        lost: if c.once_in(8) { EntryId::new(LogIndex(c.number(9)), Term(c.number(first))) } else { EntryId::ZERO },
    };
    let snapshot = snapshot.then(|| {
        let configuration_index = LogIndex(c.number(base.index.0.min(1)));
        let meta = SnapshotMeta { last: base, configuration: configuration(c), configuration_index };
        Arc::new(Snapshot::new(meta, b"a state"[..].into()))
    });
    let durable = Durable { hard_state, snapshot, entries };
    let bootstrap = if c.once_in(16) { configuration(c) } else { founders() };
    (Start::Restart(durable.clone(), bootstrap), durable)
}

fn index_for_base(c: &mut impl Choices) -> LogIndex {
    let truth = c.one_of(&[1, 5, 1 << 40, LogIndex::MAX.0 - 8]);
    LogIndex(c.number(truth))
}

// -------------------------------------------------------------------- messages

fn servers(c: &mut impl Choices) -> ServerSet {
    match c.below(8) {
        0 => ServerSet::EMPTY,
        1 => [ME].into_iter().collect(),
        2 => ServerSet::first(2),
        3 => ServerSet::first(4),
        4 => ServerSet::first(127),
        5 => [server(2), server(3), server(9)].into_iter().collect(),
        _ => ServerSet::first(3),
    }
}

fn learners(c: &mut impl Choices) -> ServerSet {
    if c.below(2) == 0 { ServerSet::EMPTY } else { [server(c.one_of(&[1, 2, 3, 4, 9, 127]))].into_iter().collect() }
}

fn configuration(c: &mut impl Choices) -> Configuration {
    if c.below(2) == 0 {
        return founders();
    }
    let outgoing = if c.once_in(4) { servers(c) } else { ServerSet::EMPTY };
    Configuration { voters: servers(c), outgoing, learners: learners(c) }
}

fn disk(c: &mut impl Choices) -> DiskId {
    DiskId(c.one_of(&[0, 7, 7, 8, u64::MAX]))
}

fn payload(c: &mut impl Choices) -> Payload {
    match c.below(5) {
        0 => Payload::NoOp,
        4 => Payload::Admission { server: server(c.one_of(&[1, 2, 4])), disk: disk(c) },
        1 => Payload::Membership(configuration(c).into()),
        _ => Payload::Command(b"x=1"[..].into()),
    }
}

/// An entry that the server has, or could have had.
fn id(c: &mut impl Choices, raft: &Raft) -> EntryId {
    let last = raft.log().last();
    let index = match c.below(8) {
        0 => raft.commit_index().0,
        1 => raft.log().base().index.0,
        2 => last.index.0.saturating_sub(c.below(4)),
        3 => last.index.0.saturating_add(c.below(4)),
        _ => last.index.0,
    };
    let index = LogIndex(c.number(index));
    let term = raft.log().term_at(index).unwrap_or(last.term);
    EntryId::new(index, Term(c.number(term.0)))
}

/// A message as it arrives where it has travelled as bytes.
fn by_wire(message: &Message) -> Message {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    let arrived = Message::decode(&bytes).expect("what is written can be read");
    assert_eq!(arrived, *message);
    arrived
}

/// What a correct server might say now, but for a field or two.
fn message(c: &mut impl Choices, raft: &Raft, from: ServerId) -> Message {
    let kind = match raft.role() {
        Role::PreCandidate(_) if c.below(2) == 0 => 1,
        Role::Candidate(_) if c.below(2) == 0 => 3,
        Role::Leader(_) if c.below(2) == 0 => 5,
        _ => c.below(11),
    };
    // A later term would end a campaign or a leadership at once.
    let term = match raft.role() {
        Role::Follower => raft.term().0 + u64::from(c.once_in(6)),
        _ if c.once_in(8) => c.number(raft.term().0),
        _ => raft.term().0,
    };
    let term = Term(if matches!(raft.role(), Role::Follower) { c.number(term) } else { term });
    let (round, probe, next) = match raft.role() {
        Role::Leader(leader) => {
            let progress = leader.progress(from);
            (leader.round(), progress.map_or(0, |p| p.probe), progress.map_or(LogIndex::ZERO, |p| p.next))
        }
        _ => (1, 0, raft.log().last().index.next()),
    };
    match kind {
        0 => Message::PreVote(PreVote { term, last: id(c, raft) }),
        1 => {
            let asked_in = Term(c.number(raft.term().0));
            Message::PreVoteResponse(PreVoteResponse { term, asked_in, granted: !c.once_in(4) })
        }
        2 => Message::RequestVote(RequestVote { term, last: id(c, raft), leadership_transfer: c.below(2) == 0 }),
        3 => Message::RequestVoteResponse(RequestVoteResponse { term, granted: !c.once_in(4) }),
        4 => Message::AppendEntries(append(c, raft, term)),
        5 => {
            let last = raft.log().last().index;
            let outcome = match c.below(8) {
                0 => AppendOutcome::StaleTerm,
                1 => AppendOutcome::Conflict { previous: LogIndex(c.number(next.previous().0)), hint: id(c, raft) },
                2 => AppendOutcome::Damaged { previous: LogIndex(c.number(next.previous().0)), last: id(c, raft) },
                3 => AppendOutcome::Joining { matched: LogIndex(c.number(last.0)), disk: disk(c) },
                _ => {
                    let matched = last.0.saturating_sub(c.below(3));
                    AppendOutcome::Matched(LogIndex(c.number(matched)))
                }
            };
            Message::AppendEntriesResponse(AppendEntriesResponse {
                term,
                round: c.number(round),
                probe: c.number(probe),
                clock: Time::from_micros(c.number(1_000_000)),
                patience: Duration::from_micros(c.number(150_000)),
                received: LogIndex(c.number(last.0)),
                outcome,
            })
        }
        6 => Message::InstallSnapshot(Box::new(piece(c, raft, term))),
        7 => {
            let last = raft.snapshot().map_or(EntryId::ZERO, |snapshot| snapshot.meta.last);
            let last = if c.once_in(4) { id(c, raft) } else { last };
            let progress = match c.below(4) {
                0 => SnapshotProgress::StaleTerm,
                1 => SnapshotProgress::Installed(LogIndex(c.number(last.index.0))),
                _ => SnapshotProgress::Received(c.number(3)),
            };
            Message::InstallSnapshotResponse(InstallSnapshotResponse {
                term,
                round: c.number(round),
                last,
                progress,
                may_vote: true,
            })
        }
        8 => Message::TimeoutNow(TimeoutNow { term }),
        9 => Message::ReadIndex(ReadIndex { term, disk: disk(c), request: c.number(7) }),
        _ => {
            let mine = raft.hard_state();
            let disk = if c.once_in(4) { disk(c) } else { mine.disk };
            let request = u64::from(mine.asking_life) << 32 | c.below(4);
            let request = c.number(request);
            let index = (!c.once_in(4)).then(|| LogIndex(c.number(raft.commit_index().0)));
            Message::ReadIndexResponse(ReadIndexResponse { term, disk, request, index })
        }
    }
}

/// Whether one of the message's bounded numbers is beyond every bound. Rounds, probes, clocks and
/// the like are unbounded.
fn is_beyond_every_range(message: &Message) -> bool {
    let mut numbers = vec![message.term().0];
    let mut name = |id: EntryId| numbers.extend([id.term.0, id.index.0]);
    match message.claim() {
        Some(Claim::PreVote(m)) => name(m.last),
        Some(Claim::PreVoteResponse(m)) => numbers.push(m.asked_in.0),
        Some(Claim::RequestVote(m)) => name(m.last),
        Some(Claim::AppendEntries(m)) => {
            name(m.previous);
            numbers.push(m.commit.0);
            numbers.extend(m.entries.as_slice().iter().map(|entry| entry.term.0));
        }
        Some(Claim::AppendEntriesResponse(m)) => match m.outcome {
            AppendOutcome::Matched(index) | AppendOutcome::Joining { matched: index, .. } => numbers.push(index.0),
            AppendOutcome::Conflict { previous, hint } | AppendOutcome::Damaged { previous, last: hint } => {
                name(hint);
                numbers.push(previous.0);
            }
            AppendOutcome::StaleTerm => {}
        },
        Some(Claim::InstallSnapshot(m)) => {
            name(m.meta.last);
            numbers.push(m.meta.configuration_index.0);
            // A snapshot that is too large is answered, unless its term is old.
            numbers.extend((m.size <= 1 << 62).then_some(m.offset));
        }
        Some(Claim::InstallSnapshotResponse(m)) => {
            name(m.last);
            if let SnapshotProgress::Installed(index) = m.progress {
                numbers.push(index.0);
            }
        }
        Some(Claim::ReadIndexResponse(m)) => numbers.extend(m.index.map(|index| index.0)),
        Some(Claim::RequestVoteResponse(_) | Claim::TimeoutNow(_) | Claim::ReadIndex(_)) | None => {}
    }
    numbers.into_iter().any(|number| number > 1 << 62)
}

fn append(c: &mut impl Choices, raft: &Raft, term: Term) -> AppendEntries {
    let previous = id(c, raft);
    let mut last = previous.term.0.max(1);
    let entries: Entries = (0..c.one_of(&[0, 0, 1, 1, 2, 3, 20]))
        .map(|_| {
            let truth = if c.once_in(3) { term.0 } else { last };
            last = c.number(truth);
            Entry { term: Term(last), payload: payload(c) }
        })
        .collect();
    let commit = previous.index.0.saturating_add(entries.len() as u64).saturating_sub(c.below(3));
    AppendEntries {
        term,
        previous,
        entries,
        commit: LogIndex(c.number(commit)),
        round: c.number(1),
        probe: c.number(0),
    }
}

fn piece(c: &mut impl Choices, raft: &Raft, term: Term) -> InstallSnapshot {
    let last = if c.below(2) == 0 { id(c, raft) } else { EntryId::new(raft.log().last().index.plus(c.below(3)), term) };
    let configuration_index = LogIndex(c.number(last.index.0.min(1)));
    let meta = SnapshotMeta { last, configuration: configuration(c), configuration_index };
    let snapshot = Snapshot::new(meta.clone(), b"a state"[..].into());
    let size = snapshot.data().len() as u64;
    let (offset, to) = c.one_of(&[(0, size), (0, size), (0, 3), (3, size), (size, size)]);
    InstallSnapshot {
        term,
        round: c.number(1),
        meta,
        size: c.number(size),
        checksum: c.number(snapshot.checksum()),
        offset: c.number(offset),
        piece: Piece::of(snapshot.data(), offset, to),
    }
}
