//! A planted bug for every property: something wrong that only this check notices. A check that is
//! switched off, or blind, fails here, and so does one that names another property.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU8, Ordering};

use super::safety::CheckResult;
use super::{Asked, Checker, Property, Violation, patience};
use crate::raft::{
    AppendEntries, AppendEntriesResponse, AppendOutcome, Committed, Config, Configuration, DiskId, Durable, Entries,
    Entry, EntryId, Envelope, HardState, Input, InstallSnapshot, InstallSnapshotResponse, LogIndex, LogWrite,
    MembershipChange, Message, Output, Payload, Piece, PreVote, PreVoteResponse, Raft, Receipt, Refusal, Refused,
    RequestVoteResponse, Rule, Rules, ServerId, ServerSet, Snapshot, SnapshotMeta, SnapshotProgress, Standing, Start,
    Term, TimeoutNow, Write,
};
use crate::sim::{Action, Machine, Scenario, Service, Simulation, TRUE_RATE, Target, TimedAction};
use crate::state_machine::{RestoreError, StateMachine};
use crate::time::{Duration, Time};

fn s(number: u8) -> ServerId {
    ServerId::new(number).expect("a server's number")
}

fn set(numbers: &[u8]) -> ServerSet {
    numbers.iter().map(|number| s(*number)).collect()
}

fn id(index: u64, term: u64) -> EntryId {
    EntryId::new(LogIndex(index), Term(term))
}

fn entry(term: u64, command: &str) -> Entry {
    Entry { term: Term(term), payload: Payload::Command(command.as_bytes().into()) }
}

fn no_op(term: u64) -> Entry {
    Entry { term: Term(term), payload: Payload::NoOp }
}

/// A write of these entries after that index.
fn write(after: u64, entries: Vec<Entry>) -> Write {
    let log = LogWrite { after: LogIndex(after), entries: entries.into() };
    Write { hard_state: None, snapshot: None, log: Some(log), receipt: Receipt { sequence: 1, last: id(0, 0) } }
}

fn writing(after: u64, entries: Vec<Entry>) -> Output {
    Output { writes: alloc::vec![write(after, entries)], ..Output::default() }
}

fn saying(to: u8, message: Message) -> Output {
    Output { messages: alloc::vec![Envelope { to: s(to), message }], ..Output::default() }
}

fn answer(term: u64, received: u64, outcome: AppendOutcome) -> Message {
    Message::AppendEntriesResponse(AppendEntriesResponse {
        term: Term(term),
        round: 1,
        probe: 0,
        clock: Time::ZERO,
        patience: Duration::ZERO,
        received: LogIndex(received),
        outcome,
    })
}

fn acknowledging(to: u8, term: u64, index: u64) -> Output {
    saying(to, answer(term, index, AppendOutcome::Matched(LogIndex(index))))
}

fn append(term: u64, previous: EntryId, entries: Vec<Entry>, commit: u64) -> AppendEntries {
    let entries: Entries = entries.into();
    AppendEntries { term: Term(term), previous, entries, commit: LogIndex(commit), round: 1, probe: 0 }
}

/// Five machines, and a checker that ignores one of the properties.
struct Stage {
    checker: Checker,
    machines: Vec<Machine>,
    now: Time,
}

impl Stage {
    fn new(voters: &[u8], ignored: Option<Property>) -> Stage {
        let mut checker = Checker::new(set(voters), 5);
        checker.ignored = ignored;
        checker.elections.founders = set(&[1, 2, 3, 4, 5]);
        let machines = (1..=5).map(|number| Machine::holding(s(number), HardState::default(), Vec::new())).collect();
        Stage { checker, machines, now: Time::ZERO }
    }

    /// Puts this on a machine's disk.
    fn disk(&mut self, server: u8, hard_state: HardState, entries: Vec<Entry>) {
        self.machines[usize::from(server) - 1] = Machine::holding(s(server), hard_state, entries);
    }

    /// A server starts from its machine's disk.
    fn start(&mut self, server: u8, voters: &[u8], rules: Rules) -> Result<Raft, Box<Violation>> {
        self.start_with(Config { rules, pre_vote: false, ..Config::new(s(server), 1) }, voters)
    }

    fn start_with(&mut self, config: Config, voters: &[u8]) -> Result<Raft, Box<Violation>> {
        let (me, bootstrap) = (config.id, Configuration::of_voters(set(voters)));
        let raft = self.another(config, voters);
        self.checker.started(self.now, &raft, &self.machines[me.slot()], bootstrap)?;
        self.checker.paced(self.now, me, TRUE_RATE, raft.config());
        Ok(raft)
    }

    /// A server with the same disk that the checker doesn't see.
    fn another(&self, config: Config, voters: &[u8]) -> Raft {
        let durable = self.machines[config.id.slot()].disk().image().durable();
        let start = Start::Restart(durable, Configuration::of_voters(set(voters)));
        Raft::new(config, start, self.now).expect("a disk that can be")
    }

    /// A server takes a step; gives what it decides. Its disk writes at once.
    fn step(&mut self, raft: &mut Raft, input: Input) -> Result<Output, Box<Violation>> {
        let mut out = Output::default();
        raft.step(self.now, input, &mut out);
        self.stepped(raft, &out)?;
        let machine = &mut self.machines[raft.id().slot()];
        out.writes.iter().for_each(|write| machine.write(write));
        Ok(out)
    }

    /// Tells the checker that a server decided this.
    fn stepped(&mut self, raft: &Raft, out: &Output) -> CheckResult {
        self.checker.stepped(self.now, raft, out, &self.machines)
    }

    /// A server that is alone in its cluster, or believes so, campaigns and leads. Its first entry
    /// is on its disk; the server is told so if `commits`.
    fn lead(&mut self, raft: &mut Raft, commits: bool) -> CheckResult {
        self.now += Duration::from_secs(1);
        let mut receipt = self.step(raft, Input::Campaign)?.writes.last().map(|write| write.receipt);
        while let Some(durable) = receipt.take().filter(|_| commits || !raft.is_leader()) {
            let mut out = self.step(raft, Input::Durable(durable))?;
            if !raft.is_leader() {
                // If it isn't alone, a second vote is enough for a server that counts no majority.
                let vote = RequestVoteResponse { term: raft.term(), granted: true };
                let message = Message::RequestVoteResponse(vote);
                out = self.step(raft, Input::Message { from: s(2), message })?;
            }
            receipt = out.writes.last().map(|write| write.receipt);
        }
        assert!(raft.is_leader(), "it leads");
        Ok(())
    }
}

/// Does something wrong before a checker that ignores one of the properties.
type Plant = fn(Option<Property>) -> CheckResult;

/// Two servers each believe that they are alone.
fn two_leaders(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    for server in [1, 2] {
        let mut raft = stage.start(server, &[server], Rules::ALL)?;
        stage.lead(&mut raft, false)?;
    }
    Ok(())
}

/// A leader cuts off its own log, and writes it once more.
fn a_leader_that_forgets(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut raft = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut raft, false)?;
    stage.stepped(&raft, &writing(0, alloc::vec![no_op(1)]))
}

/// Two logs differ in what an entry says.
fn an_entry_that_says_two_things(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let raft = stage.start(1, &[1, 2, 3], Rules::ALL)?;
    stage.stepped(&raft, &writing(0, alloc::vec![entry(1, "x")]))?;
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    stage.stepped(&raft, &writing(0, alloc::vec![entry(1, "y")]))
}

/// A server leads without what was committed.
fn a_leader_that_lacks_an_entry(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut raft = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut raft, true)?;
    let term = HardState { term: Term(4), ..HardState::default() };
    stage.disk(2, term, Vec::new());
    let mut other = stage.start(2, &[2], Rules::ALL)?;
    stage.lead(&mut other, false)
}

/// A server applies what wasn't committed.
fn an_entry_that_was_not_committed(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut raft = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut raft, true)?;
    let raft = stage.start(2, &[1], Rules::ALL)?;
    let committed = Committed { first: LogIndex(1), entries: Entries::One(entry(1, "x")) };
    stage.stepped(&raft, &Output { committed: alloc::vec![committed], ..Output::default() })
}

/// A server falls back into an earlier term.
fn a_term_that_goes_down(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    for term in [5, 3] {
        let hard_state = HardState { term: Term(term), ..HardState::default() };
        let durable = Durable { hard_state, ..Durable::default() };
        let voters = Configuration::of_voters(set(&[1, 2, 3]));
        let raft = Raft::new(Config::new(s(1), 1), Start::Restart(durable, voters), Time::ZERO);
        stage.stepped(&raft.expect("a disk that can be"), &Output::default())?;
    }
    Ok(())
}

/// A server that has forgotten its term as it starts.
fn a_term_that_is_forgotten(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    stage.disk(1, HardState { term: Term(5), ..HardState::default() }, Vec::new());
    let voters = Configuration::of_voters(set(&[1, 2, 3]));
    let raft = Raft::new(Config::new(s(1), 1), Start::Bootstrap(voters), Time::ZERO).expect("an empty disk");
    stage.checker.started(Time::ZERO, &raft, &stage.machines[0], voters)
}

/// A server loses its disk with its first vote, and gives a second.
fn two_votes(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    for candidate in [1, 3] {
        let hard_state = HardState { term: Term(7), voted_for: Some(s(candidate)), ..HardState::default() };
        stage.disk(2, hard_state, Vec::new());
        let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
        let vote = RequestVoteResponse { term: Term(7), granted: true };
        stage.stepped(&raft, &saying(candidate, Message::RequestVoteResponse(vote)))?;
        stage.checker.crashed(stage.now, s(2), &stage.machines)?;
        stage.checker.destroyed(s(2), true);
    }
    Ok(())
}

/// An acknowledgement of what is in memory only.
fn a_promise_without_a_disk(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    stage.disk(2, HardState { term: Term(1), ..HardState::default() }, Vec::new());
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    stage.stepped(&raft, &acknowledging(1, 1, 1))
}

/// A vote that isn't on the disk any more after a crash.
fn a_vote_that_a_crash_takes_away(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let voted = HardState { term: Term(7), voted_for: Some(s(1)), ..HardState::default() };
    stage.disk(2, voted, Vec::new());
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    let vote = RequestVoteResponse { term: Term(7), granted: true };
    stage.stepped(&raft, &saying(1, Message::RequestVoteResponse(vote)))?;
    stage.disk(2, HardState { term: Term(7), ..HardState::default() }, Vec::new());
    stage.checker.crashed(stage.now, s(2), &stage.machines)
}

/// An acknowledged entry that isn't on the disk any more after a crash.
fn an_entry_that_a_crash_takes_away(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let term = HardState { term: Term(1), ..HardState::default() };
    stage.disk(2, term, alloc::vec![no_op(1)]);
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    stage.stepped(&raft, &acknowledging(1, 1, 1))?;
    stage.disk(2, term, Vec::new());
    stage.checker.crashed(stage.now, s(2), &stage.machines)
}

/// A server acknowledges an entry of its own where its leader has another.
fn an_acknowledgement_of_something_else(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    stage.disk(1, HardState { term: Term(1), ..HardState::default() }, Vec::new());
    let mut leader = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut leader, false)?;
    stage.machines[0].run(leader);
    stage.disk(2, HardState { term: Term(2), ..HardState::default() }, alloc::vec![no_op(1)]);
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    stage.stepped(&raft, &acknowledging(1, 2, 1))
}

/// A follower has five entries on its disk, none of them committed, and says that a snapshot
/// brought them.
fn an_answer_beyond_any_snapshot(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let hard_state = HardState { term: Term(1), ..HardState::default() };
    stage.disk(2, hard_state, (0..5).map(|_| no_op(1)).collect());
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    let progress = SnapshotProgress::Installed(LogIndex(5));
    let answer = InstallSnapshotResponse { term: Term(1), round: 1, last: id(5, 1), progress, may_vote: true };
    stage.stepped(&raft, &saying(1, Message::InstallSnapshotResponse(answer)))
}

/// A leader admits a voter's disk.
fn an_admission_of_a_voter(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut raft = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut raft, true)?;
    let admission = Payload::Admission { server: s(1), disk: DiskId(7) };
    stage.stepped(&raft, &writing(1, alloc::vec![Entry { term: Term(1), payload: admission }]))
}

/// A server wants a snapshot of nothing.
fn a_snapshot_of_nothing_new(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let raft = stage.start(1, &[1, 2, 3], Rules::ALL)?;
    stage.stepped(&raft, &Output { snapshot_wanted: true, ..writing(0, Vec::new()) })
}

/// A leader believes that it is alone, though there are three.
fn a_commit_on_one_disk(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let mut raft =
        stage.start(1, &[1, 2, 3], Rules::ALL.without(Rule::WinByMajority).without(Rule::CommitByMajority))?;
    stage.lead(&mut raft, true)
}

/// A joint membership is committed without the new majority, and in the same step the next one is
/// appended.
fn a_joint_commit_without_the_new_majority(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let joint = Configuration { outgoing: set(&[1]), ..Configuration::of_voters(set(&[1, 2, 3])) };
    let entries = alloc::vec![no_op(1), Entry { term: Term(1), payload: Payload::Membership(joint.into()) }];
    stage.disk(1, HardState { term: Term(1), ..HardState::default() }, entries);
    let mut raft = stage.start(1, &[1], Rules::ALL.without(Rule::WinByMajority).without(Rule::CommitByMajority))?;
    stage.lead(&mut raft, true)
}

/// A committed entry goes from the disk of a server that never said that it has it.
fn a_commit_that_a_crash_takes_away(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let term = HardState { term: Term(1), ..HardState::default() };
    stage.disk(2, term, alloc::vec![no_op(1)]);
    let mut raft =
        stage.start(1, &[1, 2, 3], Rules::ALL.without(Rule::WinByMajority).without(Rule::CommitByMajority))?;
    stage.lead(&mut raft, true)?;
    stage.disk(2, term, Vec::new());
    stage.checker.crashed(stage.now, s(2), &stage.machines)
}

/// A new leader changes the membership before it has committed anything.
fn a_change_too_early(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let mut raft = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut raft, false)?;
    let larger = Configuration::of_voters(set(&[1, 2, 3, 4]));
    stage.stepped(&raft, &writing(1, alloc::vec![Entry { term: Term(1), payload: Payload::Membership(larger.into()) }]))
}

/// A voter that was no learner before.
fn a_voter_out_of_nowhere(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut raft = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut raft, true)?;
    let larger = Configuration::of_voters(set(&[1, 4]));
    stage.stepped(&raft, &writing(1, alloc::vec![Entry { term: Term(1), payload: Payload::Membership(larger.into()) }]))
}

/// A leader with only its own vote and one that was never given.
fn an_election_without_votes(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let mut raft = stage.start(1, &[1, 2, 3], Rules::ALL)?;
    stage.lead(&mut raft, false)
}

/// A leader answers a read without asking any server.
fn a_read_without_confirmation(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let mut raft = stage.start(1, &[1, 2, 3], Rules::ALL.without(Rule::WinByMajority))?;
    stage.lead(&mut raft, false)?;
    stage.checker.asked(stage.now, s(1), 7, Asked::Read);
    stage.stepped(&raft, &Output { reads: alloc::vec![7], ..Output::default() })
}

/// A follower that has just heard its leader says that it would vote for another.
fn a_vote_too_early(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let mut leader = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut leader, false)?;
    let mut raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    let message = Message::AppendEntries(append(1, id(0, 0), Vec::new(), 0));
    stage.checker.received(stage.now, s(2), s(1), &message);
    stage.step(&mut raft, Input::Message { from: s(1), message })?;
    stage.now += Duration::from_millis(149);
    let early = PreVoteResponse { term: Term(1), asked_in: Term(1), granted: true };
    stage.stepped(&raft, &saying(3, Message::PreVoteResponse(early)))
}

/// A server goes over to the term of a candidate that only asks whether it would vote.
fn a_question_that_raises_a_term(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    stage.start(2, &[1, 2, 3], Rules::ALL)?;
    let question = Message::PreVote(PreVote { term: Term(5), last: id(0, 0) });
    stage.checker.received(stage.now, s(2), s(3), &question);
    stage.disk(2, HardState { term: Term(5), ..HardState::default() }, Vec::new());
    let raft = stage.another(Config::new(s(2), 1), &[1, 2, 3]);
    stage.stepped(&raft, &Output::default())
}

fn asking() -> Output {
    saying(3, Message::PreVote(PreVote { term: Term(0), last: id(0, 0) }))
}

/// A server campaigns right after its start.
fn a_campaign_too_soon(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    stage.now += raft.config().election_timeout_min.percent(99);
    stage.stepped(&raft, &asking())
}

/// A server campaigns though its own vote would never be on its disk.
fn a_campaign_on_a_disk_that_hangs(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    stage.stepped(&raft, &writing(0, Vec::new()))?;
    stage.machines[1].hang(write(0, Vec::new()));
    stage.now += raft.config().disk_stall_max.times(2);
    stage.stepped(&raft, &asking())
}

/// A server with pre-votes campaigns without waiting for the answers.
fn a_campaign_without_consent(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let raft = stage.start_with(Config::new(s(2), 1), &[1, 2, 3])?;
    stage.now += Duration::from_secs(1);
    let own_vote = HardState { term: Term(1), voted_for: Some(s(2)), ..HardState::default() };
    let write = Write { hard_state: Some(own_vote), log: None, ..write(0, Vec::new()) };
    stage.stepped(&raft, &Output { writes: alloc::vec![write], ..Output::default() })
}

/// A leader leads on though no server answers.
fn a_leader_without_followers(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let mut raft = stage.start(1, &[1, 2, 3], Rules::ALL.without(Rule::WinByMajority))?;
    stage.lead(&mut raft, false)?;
    for round in 2..100 {
        stage.now += raft.config().heartbeat_interval;
        let heartbeat = AppendEntries { round, ..append(1, id(0, 0), Vec::new(), 0) };
        stage.stepped(&raft, &saying(2, Message::AppendEntries(heartbeat)))?;
    }
    Ok(())
}

/// A server follows another that never led.
fn a_leader_that_never_led(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let mut raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    let message = Message::AppendEntries(append(1, id(0, 0), Vec::new(), 0));
    stage.step(&mut raft, Input::Message { from: s(1), message }).map(|_| ())
}

/// A leader commits what a quorum has but the next leader may overwrite.
fn a_commit_of_an_earlier_term(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    for server in [1, 2] {
        stage.disk(server, HardState { term: Term(1), ..HardState::default() }, alloc::vec![no_op(1)]);
    }
    let mut leader = stage.start(1, &[1, 2, 3], Rules::ALL.without(Rule::WinByMajority))?;
    let mut other = stage.another(Config::new(s(1), 1), &[1, 2, 3]);
    stage.lead(&mut leader, false)?;
    // A leader told it so; it has forgotten which.
    let message = Message::AppendEntries(append(2, id(1, 1), Vec::new(), 1));
    other.step(stage.now, Input::Message { from: s(3), message }, &mut Output::default());
    other.step(stage.now + Duration::from_secs(1), Input::TimerDue, &mut Output::default());
    stage.stepped(&other, &Output::default())
}

/// A leader, and a follower that has the leader's first entry and has just heard the leader.
fn two_in_order(stage: &mut Stage) -> Result<(Raft, Raft), Box<Violation>> {
    let mut leader = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut leader, true)?;
    stage.disk(2, HardState { term: Term(1), ..HardState::default() }, alloc::vec![no_op(1)]);
    let mut follower = stage.start(2, &[1, 2], Rules::ALL)?;
    let heartbeat = Message::AppendEntries(append(1, id(1, 1), Vec::new(), 0));
    stage.checker.received(stage.now, s(2), s(1), &heartbeat);
    stage.step(&mut follower, Input::Message { from: s(1), message: heartbeat })?;
    Ok((leader, follower))
}

/// A leader sends what it doesn't have.
fn an_append_out_of_nowhere(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let (leader, _) = two_in_order(&mut stage)?;
    let message = append(1, id(1, 1), alloc::vec![entry(1, "x")], 1);
    stage.stepped(&leader, &saying(2, Message::AppendEntries(message)))
}

/// A server has an entry in its log that its disk was never handed.
fn an_entry_that_no_disk_is_handed(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    stage.start(2, &[1, 2, 3], Rules::ALL)?;
    stage.disk(2, HardState { term: Term(1), ..HardState::default() }, alloc::vec![no_op(1)]);
    let raft = stage.another(Config::new(s(2), 1), &[1, 2, 3]);
    stage.stepped(&raft, &Output::default())
}

/// A follower sends its leader back further than it has to.
fn a_rejection_that_goes_too_far(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    stage.disk(2, HardState { term: Term(3), ..HardState::default() }, alloc::vec![no_op(1), no_op(1)]);
    let raft = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    let message = Message::AppendEntries(append(3, id(5, 3), Vec::new(), 0));
    stage.checker.received(stage.now, s(2), s(1), &message);
    let rejection = AppendOutcome::Conflict { previous: LogIndex(5), hint: id(1, 1) };
    stage.stepped(&raft, &saying(1, answer(3, 0, rejection)))
}

/// A follower leaves out what fits its log.
fn an_append_that_is_not_taken(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let (_, follower) = two_in_order(&mut stage)?;
    let message = Message::AppendEntries(append(1, id(1, 1), alloc::vec![entry(1, "x")], 0));
    stage.checker.received(stage.now, s(2), s(1), &message);
    stage.stepped(&follower, &Output::default())
}

/// A follower doesn't commit what it could.
fn a_commit_that_is_not_learned(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let (_, follower) = two_in_order(&mut stage)?;
    let message = Message::AppendEntries(append(1, id(1, 1), Vec::new(), 1));
    stage.checker.received(stage.now, s(2), s(1), &message);
    stage.stepped(&follower, &acknowledging(1, 1, 1))
}

/// A server without a vote is told to lead.
fn a_successor_without_a_vote(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let (leader, _) = two_in_order(&mut stage)?;
    stage.stepped(&leader, &saying(2, Message::TimeoutNow(TimeoutNow { term: Term(1) })))
}

/// A learner that has nothing yet is made a voter.
fn a_voter_that_knows_nothing(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let raft = one_with_a_learner(&mut stage)?;
    let larger = Configuration::of_voters(set(&[1, 4]));
    let promotes = Entry { term: Term(2), payload: Payload::Membership(larger.into()) };
    stage.stepped(&raft, &writing(3, alloc::vec![promotes]))
}

/// A leader of one, with S4 as a learner.
fn one_with_a_learner(stage: &mut Stage) -> Result<Raft, Box<Violation>> {
    let learning = Configuration { learners: set(&[4]), ..Configuration::of_voters(set(&[1])) };
    let joins = Entry { term: Term(1), payload: Payload::Membership(learning.into()) };
    stage.disk(1, HardState { term: Term(1), ..HardState::default() }, alloc::vec![no_op(1), joins]);
    let mut raft = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut raft, true)?;
    Ok(raft)
}

/// A learner is removed, and isn't sent anything any more.
fn a_leaver_that_is_told_nothing(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let raft = one_with_a_learner(&mut stage)?;
    let without = Configuration::of_voters(set(&[1]));
    stage
        .stepped(&raft, &writing(3, alloc::vec![Entry { term: Term(2), payload: Payload::Membership(without.into()) }]))
}

/// A leader reminds a server of its removal whose answer will depose the leader.
fn a_reminder_to_a_later_term(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut raft = one_with_a_learner(&mut stage)?;
    let question = |term| Message::PreVote(PreVote { term: Term(term), last: id(0, 0) });
    stage.checker.received(stage.now, s(1), s(5), &question(3));
    stage.step(&mut raft, Input::Message { from: s(5), message: question(1) }).map(|_| ())
}

/// A follower hears its leader, and says nothing.
fn a_heartbeat_without_an_answer(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let (_, follower) = two_in_order(&mut stage)?;
    let message = Message::AppendEntries(append(1, id(1, 1), Vec::new(), 0));
    stage.checker.received(stage.now, s(2), s(1), &message);
    stage.stepped(&follower, &Output::default())
}

/// A learner that has all of the log isn't made a voter.
fn a_learner_that_is_never_fit(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let raft = one_with_a_learner(&mut stage)?;
    let last = raft.log().last().index;
    for id in 0..60 {
        stage.now += Duration::from_millis(80);
        let reason = Refusal::LearnerBehind { server: s(4), matched: last, last };
        stage.stepped(&raft, &Output { refused: alloc::vec![Refused { id, reason }], ..Output::default() })?;
    }
    Ok(())
}

/// A leader is ordered to change to one membership, and uses another.
fn an_order_for_another_membership(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let raft = one_with_a_learner(&mut stage)?;
    let change = MembershipChange { voters: set(&[1, 4]), learners: ServerSet::EMPTY };
    stage.checker.asked(stage.now, s(1), 7, Asked::Change(change));
    stage.checker.obeyed(stage.now, &raft, 7)
}

/// A leader says that another one leads.
fn a_transfer_to_a_server_without_a_vote(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let raft = one_with_a_learner(&mut stage)?;
    stage.checker.asked(stage.now, s(1), 7, Asked::Transfer(s(2)));
    stage.checker.obeyed(stage.now, &raft, 7)
}

/// A server counts itself admitted before its disk knows that it is.
fn an_admission_without_a_disk(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 3], ignored);
    let joining = HardState { term: Term(1), disk: DiskId(7), standing: Standing::Joining, ..HardState::default() };
    stage.disk(2, joining, alloc::vec![no_op(1)]);
    let raft = stage.start(2, &[1, 3], Rules::ALL)?;
    stage.checker.elections.admit(s(2), DiskId(7), LogIndex(2));
    let member = HardState { standing: Standing::Member, ..joining };
    let write = Write { hard_state: Some(member), log: None, ..write(0, Vec::new()) };
    stage.stepped(&raft, &Output { writes: alloc::vec![write], ..Output::default() })
}

/// A disk that was admitted is taken for one that wasn't.
fn a_disk_that_is_barred_again(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 3], ignored);
    let member = HardState { term: Term(1), disk: DiskId(7), ..HardState::default() };
    stage.disk(2, member, alloc::vec![no_op(1)]);
    let raft = stage.start(2, &[1, 3], Rules::ALL)?;
    stage.checker.elections.admit(s(2), DiskId(7), LogIndex(1));
    let barred = HardState { standing: Standing::Barred, ..member };
    let write = Write { hard_state: Some(barred), log: None, ..write(0, Vec::new()) };
    stage.stepped(&raft, &Output { writes: alloc::vec![write], ..Output::default() })
}

/// A server with an empty disk says that it may vote.
fn a_vote_that_the_disk_does_not_have(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 3], ignored);
    let joining = HardState { term: Term(1), disk: DiskId(7), standing: Standing::Joining, ..HardState::default() };
    stage.disk(2, joining, Vec::new());
    let raft = stage.start(2, &[1, 3], Rules::ALL)?;
    stage.stepped(&raft, &acknowledging(1, 1, 0))
}

/// A server that could take a snapshot lets its log grow.
fn a_snapshot_that_is_never_taken(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut raft = stage.start_with(Config { snapshot_after_entries: 1, ..Config::new(s(1), 1) }, &[1])?;
    stage.lead(&mut raft, true)?;
    stage.machines[0].run(raft);
    let other = stage.start(2, &[1], Rules::ALL)?;
    stage.now += Duration::from_secs(1);
    stage.stepped(&other, &Output::default())
}

/// A snapshot tells of another membership than the log.
fn a_snapshot_of_another_membership(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut raft = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut raft, true)?;
    let configuration = Configuration::of_voters(set(&[1, 2]));
    let meta = SnapshotMeta { last: id(1, 1), configuration, configuration_index: LogIndex::ZERO };
    let snapshot = Some(Snapshot::new(meta, b"store"[..].into()).into());
    let write = Write { snapshot, log: None, ..write(0, Vec::new()) };
    stage.stepped(&raft, &Output { writes: alloc::vec![write], ..Output::default() })
}

/// A follower commits entries that it hasn't compared.
fn a_commit_without_a_comparison(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1], ignored);
    let mut leader = stage.start(1, &[1], Rules::ALL)?;
    stage.lead(&mut leader, true)?;
    stage.disk(2, HardState { term: Term(1), ..HardState::default() }, alloc::vec![no_op(1)]);
    let mut raft = stage.start(2, &[1, 2], Rules::ALL)?;
    // The checker doesn't see the message.
    let heartbeat = Message::AppendEntries(append(1, id(1, 1), Vec::new(), 1));
    stage.step(&mut raft, Input::Message { from: s(1), message: heartbeat }).map(|_| ())
}

/// A request without an answer.
fn a_read_without_end(ignored: Option<Property>) -> CheckResult {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let raft = stage.start(1, &[1, 2, 3], Rules::ALL)?;
    stage.checker.asked(stage.now, s(1), 1, Asked::Read);
    stage.now += patience(raft.config());
    stage.stepped(&raft, &Output::default()).expect("it has that long");
    stage.now += Duration::from_micros(1);
    stage.stepped(&raft, &Output::default())
}

/// A small run with one client that reads and writes quickly.
fn run(rule: Rule, ignored: Option<Property>, seed: u64, actions: &[(u64, Action)]) -> CheckResult {
    let mut scenario = Scenario::new(seed, 3);
    scenario.parameters.rules = Rules::ALL.without(rule);
    scenario.parameters.timing.check_quorum = false;
    scenario.parameters.clients.count = 4;
    scenario.parameters.clients.extra_reads = 500_000;
    scenario.parameters.clients.think_time = Duration::from_millis(20);
    scenario.parameters.clients.attempt_timeout = Duration::from_millis(100);
    scenario.parameters.clients.keys = 1;
    scenario.parameters.network.latency_max = Duration::from_millis(40);
    let mut world = Simulation::new(scenario).expect("parameters that make a world");
    world.ignore(ignored);
    for (at, action) in actions {
        world.run_until(Time::from_millis(*at));
        world.act(action.clone()).expect("an action that makes sense");
    }
    world.run_until(Time::from_secs(20));
    world.violation().cloned().map_or(Ok(()), |violation| Err(Box::new(violation)))
}

/// A retry is applied again.
fn a_write_applied_twice(ignored: Option<Property>) -> CheckResult {
    run(Rule::DeduplicateRetries, ignored, 1, &[])
}

/// A leader that no server hears answers reads.
fn a_stale_read(ignored: Option<Property>) -> CheckResult {
    let isolations = (1..15).flat_map(|second| {
        [(second * 1_000, Action::Isolate(Target::Leader)), (second * 1_000 + 800, Action::HealAll)]
    });
    run(Rule::ConfirmBeforeReading, ignored, 1, &isolations.collect::<Vec<_>>())
}

/// The share of what is allowed that was used, in thousandths.
type Used = Result<u64, Box<Violation>>;

/// Tells a checker about two servers for five seconds: what one sends the other, and whether it
/// arrives.
fn traffic(ignored: Option<Property>, each: impl Fn(u64) -> Vec<(u8, u8, Message, bool)>, every: Duration) -> Used {
    let mut stage = Stage::new(&[1, 2, 3], ignored);
    let one = stage.start(1, &[1, 2, 3], Rules::ALL)?;
    let two = stage.start(2, &[1, 2, 3], Rules::ALL)?;
    for number in 1..=5_000_000 / every.as_micros() {
        stage.now += every;
        for (from, to, message, arrives) in each(number) {
            let out = saying(to, message);
            stage.stepped(if from == 1 { &one } else { &two }, &out)?;
            stage.checker.landed(s(from), s(to), number, &out.messages[0].message, !arrives);
        }
    }
    Ok(stage.checker.economy())
}

/// A leader and a follower that disagree for ever, at the speed of the network: 2 ms there and
/// back.
fn ping_pong(ignored: Option<Property>) -> Used {
    let probe = |number: u64| Message::AppendEntries(append(1, id(3 + number % 2, 1), Vec::new(), 0));
    let reject = || answer(1, 0, AppendOutcome::Damaged { previous: LogIndex(3), last: id(2, 1) });
    let each = |number| alloc::vec![(1, 2, probe(number), true), (2, 1, reject(), true)];
    traffic(ignored, each, Duration::from_millis(2))
}

fn piece(last: u64, offset: u64, whole: &alloc::sync::Arc<[u8]>) -> Message {
    let configuration = Configuration::of_voters(set(&[1, 2, 3]));
    let meta = SnapshotMeta { last: id(last, 1), configuration, configuration_index: LogIndex::ZERO };
    let piece = Piece::of(whole, offset, offset + 100);
    let size = whole.len() as u64;
    let message = InstallSnapshot { term: Term(1), round: 1, meta, size, checksum: 1, offset, piece };
    Message::InstallSnapshot(message.into())
}

/// A follower that is sent one snapshot after the other: ten pieces each, in 100 ms.
fn a_chase_of_snapshots(ignored: Option<Property>) -> Used {
    let whole: alloc::sync::Arc<[u8]> = alloc::vec![0; 1_000].into();
    let next = |number: u64| piece(number / 10 + 1, number % 10 * 100, &whole);
    traffic(ignored, |number| alloc::vec![(1, 2, next(number), true)], Duration::from_millis(10))
}

/// The pieces of one snapshot, each again and again.
fn pieces_that_multiply(ignored: Option<Property>) -> Used {
    let whole: alloc::sync::Arc<[u8]> = alloc::vec![0; 1_000].into();
    let next = |number: u64| (0..2 + number / 10).map(move |copy| (number + copy) % 10 * 100);
    let send = |number| next(number).map(|offset| (1, 2, piece(1, offset, &whole), true)).collect();
    traffic(ignored, send, Duration::from_millis(20))
}

/// A server that never answers is sent a hundred entries with each heartbeat.
fn a_dead_peer_that_is_sent_everything(ignored: Option<Property>) -> Used {
    let entries: Vec<Entry> = (0..100).map(|_| entry(1, "a command as long as they are")).collect();
    let send = |_| alloc::vec![(1, 2, Message::AppendEntries(append(1, id(1, 1), entries.clone(), 0)), false)];
    traffic(ignored, send, Duration::from_millis(50))
}

/// Two answers to each question.
fn answers_without_a_question(ignored: Option<Property>) -> Used {
    let heartbeat = || Message::AppendEntries(append(1, id(0, 0), Vec::new(), 0));
    let too_late = || answer(2, 0, AppendOutcome::StaleTerm);
    let send = |_| alloc::vec![(1, 2, heartbeat(), true), (2, 1, too_late(), true), (2, 1, too_late(), true)];
    traffic(ignored, send, Duration::from_millis(50))
}

/// A state machine that isn't the store, and doesn't keep to what is asked of one.
#[derive(Clone, Debug)]
enum Broken {
    /// Each is another.
    Differs(u8),
    /// It can't read its own snapshots.
    Unreadable,
    /// What it was restored to has another snapshot.
    Ages(u8),
    /// It can't be.
    Wrong,
}

impl StateMachine for Broken {
    fn apply(&mut self, _: u64, _: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn snapshot(&self) -> Vec<u8> {
        match self {
            Broken::Differs(number) | Broken::Ages(number) => alloc::vec![*number],
            Broken::Unreadable | Broken::Wrong => Vec::new(),
        }
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        match self {
            Broken::Differs(number) => *number = snapshot[0],
            Broken::Ages(number) => *number = snapshot[0] + 1,
            Broken::Unreadable => return Err(RestoreError::new("it is empty")),
            Broken::Wrong => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if let Broken::Wrong = self { Err("it is wrong".to_string()) } else { Ok(()) }
    }
}

/// A world whose servers host a state machine that is broken, and restart.
fn hosting(broken: fn(u8) -> Broken, ignored: Option<Property>) -> CheckResult {
    let made = AtomicU8::new(0);
    let service = Service::new(move || broken(made.fetch_add(1, Ordering::Relaxed)), |_, _| Vec::new());
    let mut scenario = Scenario::new(7, 3);
    scenario.parameters.timing.snapshot_after_entries = 4;
    let crash = (3_000, Action::Crash(Target::Server(s(1))));
    for (millis, action) in [crash, (3_500, Action::RestartAll)] {
        scenario.actions.push(TimedAction { at: Time::from_millis(millis), action });
    }
    let mut world = Simulation::hosting(scenario, &service).expect("a world");
    world.ignore(ignored);
    world.run_until(Time::from_secs(6));
    world.violation().map_or(Ok(()), |violation| Err(Box::new(violation.clone())))
}

fn a_state_machine_of_which_each_is_another(ignored: Option<Property>) -> CheckResult {
    hosting(Broken::Differs, ignored)
}

fn a_snapshot_that_is_unreadable(ignored: Option<Property>) -> CheckResult {
    hosting(|_| Broken::Unreadable, ignored)
}

fn a_snapshot_of_something_else(ignored: Option<Property>) -> CheckResult {
    hosting(|_| Broken::Ages(1), ignored)
}

fn a_state_machine_that_cannot_be(ignored: Option<Property>) -> CheckResult {
    hosting(|_| Broken::Wrong, ignored)
}

const PLANTED: &[(Property, Plant)] = &[
    (Property::StateMachineContract, a_state_machine_of_which_each_is_another),
    (Property::StateMachineContract, a_snapshot_that_is_unreadable),
    (Property::StateMachineContract, a_snapshot_of_something_else),
    (Property::StateMachineContract, a_state_machine_that_cannot_be),
    (Property::LogMatching, an_append_out_of_nowhere),
    (Property::DurablePromise, an_entry_that_no_disk_is_handed),
    (Property::Economy, a_rejection_that_goes_too_far),
    (Property::Economy, an_append_that_is_not_taken),
    (Property::VerifiedCommit, a_commit_that_is_not_learned),
    (Property::OrderlyElections, a_successor_without_a_vote),
    (Property::LawfulMembership, a_voter_that_knows_nothing),
    (Property::ElectionSafety, two_leaders),
    (Property::ElectionSafety, an_election_without_votes),
    (Property::ElectionSafety, a_leader_that_never_led),
    (Property::LeaderAppendOnly, a_leader_that_forgets),
    (Property::LogMatching, an_entry_that_says_two_things),
    (Property::LeaderCompleteness, a_leader_that_lacks_an_entry),
    (Property::StateMachineSafety, an_entry_that_was_not_committed),
    (Property::MonotonicState, a_term_that_goes_down),
    (Property::MonotonicState, a_term_that_is_forgotten),
    (Property::OneVoteATerm, two_votes),
    (Property::DurablePromise, a_promise_without_a_disk),
    (Property::DurablePromise, a_vote_that_a_crash_takes_away),
    (Property::DurablePromise, an_entry_that_a_crash_takes_away),
    (Property::DurablePromise, an_acknowledgement_of_something_else),
    (Property::DurablePromise, an_answer_beyond_any_snapshot),
    (Property::LawfulMembership, an_admission_of_a_voter),
    (Property::Economy, a_snapshot_of_nothing_new),
    (Property::DurableCommit, a_commit_on_one_disk),
    (Property::DurableCommit, a_joint_commit_without_the_new_majority),
    (Property::DurableCommit, a_commit_that_a_crash_takes_away),
    (Property::ExactlyOnce, a_write_applied_twice),
    (Property::LawfulMembership, a_change_too_early),
    (Property::LawfulMembership, a_voter_out_of_nowhere),
    (Property::LawfulMembership, a_snapshot_of_another_membership),
    (Property::FreshReads, a_stale_read),
    (Property::FreshReads, a_read_without_confirmation),
    (Property::OrderlyElections, a_vote_too_early),
    (Property::OrderlyElections, a_question_that_raises_a_term),
    (Property::OrderlyElections, a_campaign_too_soon),
    (Property::OrderlyElections, a_campaign_on_a_disk_that_hangs),
    (Property::OrderlyElections, a_campaign_without_consent),
    (Property::OrderlyElections, a_leader_without_followers),
    (Property::VerifiedCommit, a_commit_without_a_comparison),
    (Property::VerifiedCommit, a_commit_of_an_earlier_term),
    (Property::EveryRequestEnds, a_read_without_end),
    (Property::LawfulMembership, a_leaver_that_is_told_nothing),
    (Property::LawfulMembership, an_order_for_another_membership),
    (Property::OrderlyElections, a_reminder_to_a_later_term),
    (Property::OrderlyElections, a_transfer_to_a_server_without_a_vote),
    (Property::OrderlyElections, a_heartbeat_without_an_answer),
    (Property::EveryRequestEnds, a_learner_that_is_never_fit),
    (Property::OneVoteATerm, an_admission_without_a_disk),
    (Property::LawfulMembership, a_disk_that_is_barred_again),
    (Property::DurablePromise, a_vote_that_the_disk_does_not_have),
    (Property::Economy, a_snapshot_that_is_never_taken),
    (Property::Economy, |ignored| ping_pong(ignored).map(|_| ())),
    (Property::Economy, |ignored| a_chase_of_snapshots(ignored).map(|_| ())),
    (Property::Economy, |ignored| pieces_that_multiply(ignored).map(|_| ())),
    (Property::Economy, |ignored| a_dead_peer_that_is_sent_everything(ignored).map(|_| ())),
    (Property::Economy, |ignored| answers_without_a_question(ignored).map(|_| ())),
];

#[test]
fn every_property_notices_what_is_planted_for_it_and_no_other_does() {
    for property in Property::ALL {
        let name = property.name();
        assert!(PLANTED.iter().any(|(planted, _)| *planted == property), "nothing is planted for {name}");
    }
    for (number, (property, plant)) in PLANTED.iter().enumerate() {
        let name = property.name();
        let violation = plant(None).expect_err(&alloc::format!("{name} doesn't notice number {number}"));
        assert_eq!(violation.property, *property, "number {number}: {violation}");
        assert_eq!(plant(Some(*property)), Ok(()), "without {name}, nothing is noticed of number {number}");
    }
}

/// What the facts of some plants are about: the servers, and the entries.
#[test]
fn a_violation_says_which_servers_and_which_entries_it_is_about() {
    let plants: [(Plant, &[u8], [u64; 2]); 5] = [
        (two_leaders, &[1, 2], [0, 0]),
        (a_leader_that_forgets, &[1], [0, 0]),
        (an_entry_that_says_two_things, &[2], [1, 0]),
        (a_leader_that_lacks_an_entry, &[1, 2], [1, 0]),
        (two_votes, &[2], [0, 0]),
    ];
    for (number, (plant, servers, entries)) in plants.into_iter().enumerate() {
        let violation = plant(None).expect_err("it is noticed");
        assert_eq!(violation.servers, set(servers), "number {number}: {violation}");
        assert_eq!(violation.entries.map(|index| index.0), entries, "number {number}: {violation}");
    }
}

/// S2 has acknowledged an entry in term 1, whose leader didn't commit it. The leader of term 3 did,
/// without S2. Now S2 hears the leader of term 2, which has another entry there.
#[test]
fn an_acknowledgement_does_not_bind_if_its_term_has_not_committed_the_entry() {
    let mut stage = Stage::new(&[1], None);
    stage.disk(2, HardState { term: Term(1), ..HardState::default() }, alloc::vec![no_op(1)]);
    let mut follower = stage.start(2, &[1, 2, 3], Rules::ALL).unwrap();
    stage.stepped(&follower, &acknowledging(1, 1, 1)).unwrap();
    stage.disk(1, HardState { term: Term(2), ..HardState::default() }, alloc::vec![no_op(1)]);
    stage.disk(3, HardState { term: Term(1), ..HardState::default() }, Vec::new());
    let mut other = stage.start(3, &[3], Rules::ALL).unwrap();
    stage.lead(&mut other, false).unwrap();
    let mut leader = stage.start(1, &[1], Rules::ALL).unwrap();
    stage.lead(&mut leader, true).unwrap();
    assert_eq!((leader.term(), leader.commit_index()), (Term(3), LogIndex(2)));
    let m = append(2, EntryId::ZERO, alloc::vec![no_op(2)], 0);
    stage.step(&mut follower, Input::Message { from: s(3), message: Message::AppendEntries(m) }).unwrap();
    assert_eq!(stage.machines[1].disk().image().log().last(), id(1, 2));
    stage.checker.crashed(stage.now, s(2), &stage.machines).unwrap();
}

#[test]
fn a_storm_uses_more_than_twice_what_is_allowed() {
    let storms = [ping_pong, a_chase_of_snapshots, pieces_that_multiply, a_dead_peer_that_is_sent_everything];
    for (number, storm) in storms.into_iter().enumerate() {
        let used = storm(Some(Property::Economy)).expect("the property is ignored");
        assert!(used >= 2_000, "storm {number} used {used} thousandths");
    }
}
