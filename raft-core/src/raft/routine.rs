//! The messages that a healthy cluster sends all the time: a leader's empty append to a follower
//! that has everything, and the answer, which tells the leader nothing new.
//!
//! These are by far the most common messages of every cluster. Each is the general case with
//! nothing to do: [`Raft::on_message`] and the end of a step would look for entries, conflicts,
//! commits, writes, reads and a snapshot, and find none. This file sees at once that they wouldn't.
//! It does only what such a message is for: it notes the leader, when it was heard, and whether the
//! clocks run apart. A test compares the two ways.

use super::Raft;
use super::entry::Entries;
use super::io::{Output, Standing};
use super::message::{AppendEntries, AppendEntriesResponse, AppendOutcome, Message};
use super::progress::ProgressState;
use super::role::{Leader, Role};
use super::server::Server;
use super::types::ServerId;

impl Raft {
    /// Takes a message if all it changes is times, and perhaps reads that it releases. Returns
    /// whether it did; otherwise nothing has happened.
    ///
    /// Such a message changes neither log, commit index, disk nor snapshot. So its step needs no
    /// end: the step before has handed out everything there was to write, to apply or to ask for.
    #[inline]
    pub(super) fn on_routine(&mut self, from: ServerId, message: &Message, out: &mut Output) -> bool {
        let Raft { server, role } = self;
        match (message, role) {
            (Message::AppendEntries(m), Role::Follower) => server.on_routine_append(from, m, out),
            (Message::AppendEntriesResponse(m), Role::Leader(leader)) => leader.on_routine_answer(server, from, m, out),
            _ => false,
        }
    }
}

impl Server {
    /// From the leader that this server follows. It is after the last entry of both logs, which is
    /// on the disk here, and tells of no new commit.
    fn on_routine_append(&mut self, from: ServerId, m: &AppendEntries, out: &mut Output) -> bool {
        let last = self.log.last();
        let routine = m.term == self.hard_state.term
            && self.leader == Some(from)
            && matches!(m.entries, Entries::None)
            && m.previous == last
            && m.commit <= self.commit
            && self.hard_state.standing == Standing::Member
            && last.index <= self.disk.log()
            && self.hard_state_is_durable();
        if routine {
            self.hear_leader();
            self.agreed = (m.term, last.index);
            let said = self.clock_and_patience();
            self.send_new(from, || m.answer(said, last.index, AppendOutcome::Matched(last.index)), out);
        }
        routine
    }
}

impl Leader {
    /// From a member that has everything, and was known to have it. A read may have waited for this
    /// answer.
    fn on_routine_answer(
        &mut self,
        server: &mut Server,
        from: ServerId,
        m: &AppendEntriesResponse,
        out: &mut Output,
    ) -> bool {
        let last = server.log.last().index;
        if m.term != server.hard_state.term || m.round > self.rounds.latest() {
            return false;
        }
        let began = self.rounds.began(m.round);
        let Some(progress) = self.progress_mut(from) else { return false };
        // If all of the log matches, nothing is on its way, and there is nothing to send.
        let routine = progress.matched == last
            && m.round >= progress.since_round
            && progress.may_vote == Some(true)
            && matches!(progress.state, ProgressState::Replicate(_))
            && matches!(m.outcome, AppendOutcome::Matched(index) if index <= last);
        if routine {
            progress.hear(m.round, began, Some((m.clock, m.patience)), server.now, &server.config);
            if !self.pending_reads.is_empty() {
                self.release_confirmed_reads(server, out);
                server.finish(out);
            }
        }
        routine
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::VecDeque;
    use alloc::format;
    use alloc::vec::Vec;

    use rand::rngs::Xoshiro256PlusPlus;
    use rand::{RngExt, SeedableRng};

    use super::super::{
        Config, Configuration, EntryId, Envelope, Input, LogIndex, Proposal, ReadMode, Receipt, Rule, Rules, ServerSet,
        Start, Term,
    };
    use super::*;
    use crate::time::{Duration, Time};

    /// Four servers among which everything happens in any order: messages are lost, doubled and
    /// overtaken, disks are slow, clocks are set back.
    struct Disorder {
        dice: Xoshiro256PlusPlus,
        servers: Vec<Raft>,
        clocks: Vec<Time>,
        on_the_way: Vec<(ServerId, Envelope)>,
        writing: Vec<VecDeque<Receipt>>,
        out: Output,
        requests: u64,
        /// No message reaches this server, or leaves it.
        cut_off: usize,
        /// How many messages were routine: appends, answers.
        routine: (usize, usize),
    }

    impl Disorder {
        fn new(seed: u64, rules: Rules) -> Disorder {
            let voters = ServerSet::first(4);
            let start = |id| {
                let config = Config {
                    rules,
                    // Without this check no server waits for a leader to go silent, so there are
                    // more campaigns.
                    check_quorum: seed.is_multiple_of(2),
                    snapshot_after_entries: 12,
                    entries_kept: 4,
                    append_entries_max: 3,
                    ..Config::new(id, seed)
                };
                Raft::new(config, Start::Bootstrap(Configuration::of_voters(voters)), Time::ZERO)
            };
            Disorder {
                dice: Xoshiro256PlusPlus::seed_from_u64(seed),
                servers: voters.iter().map(|id| start(id).expect("a configuration that makes sense")).collect(),
                clocks: alloc::vec![Time::ZERO; 4],
                on_the_way: Vec::new(),
                writing: alloc::vec![VecDeque::new(); 4],
                out: Output::listening(),
                requests: 0,
                cut_off: 0,
                routine: (0, 0),
            }
        }

        fn happen(&mut self) {
            let slot = self.dice.random_range(0..self.servers.len());
            self.requests += 1;
            let id = self.requests;
            match self.dice.random_range(0..1_000_u32) {
                0..=7 => self.step(slot, Input::Campaign),
                8..=9 => {
                    let to = self.servers[self.dice.random_range(0..self.servers.len())].id();
                    self.step(slot, Input::TransferLeadership { id, to });
                }
                10..=20 => self.step(slot, Input::Propose(Proposal { id, command: b"x=1".as_slice().into() })),
                21..=40 => self.step(slot, Input::Read { id, mode: ReadMode::Confirmed }),
                41..=45 => self.cut_off = slot,
                46..=50 => self.clocks[slot] = Time::from_micros(self.clocks[slot].as_micros().saturating_sub(1_000)),
                51..=150 => {
                    let passed = Duration::from_micros(self.dice.random_range(0..20_000));
                    for slot in 0..self.servers.len() {
                        self.clocks[slot] += passed;
                        if self.servers[slot].deadline() <= self.clocks[slot] {
                            self.step(slot, Input::TimerDue);
                        }
                    }
                }
                151..=400 => {
                    // One disk is slower than the others.
                    if (slot > 0 || self.dice.random_ratio(1, 8))
                        && let Some(receipt) = self.writing[slot].pop_front()
                    {
                        self.step(slot, Input::Durable(receipt));
                    }
                }
                401.. => self.deliver(),
            }
        }

        fn step(&mut self, slot: usize, input: Input) {
            self.servers[slot].step(self.clocks[slot], input, &mut self.out);
            self.carry_out(slot);
        }

        fn carry_out(&mut self, slot: usize) {
            let from = self.servers[slot].id();
            self.on_the_way.extend(self.out.messages.drain(..).map(|envelope| (from, envelope)));
            self.writing[slot].extend(self.out.writes.iter().map(|write| write.receipt));
            if self.out.snapshot_wanted {
                let index = self.servers[slot].applied_index();
                self.step(slot, Input::SnapshotTaken { index, data: b"x".as_slice().into() });
            }
        }

        /// A message arrives. Copies of its receiver also take some messages that no correct server
        /// would send.
        fn deliver(&mut self) {
            if self.on_the_way.is_empty() {
                return;
            }
            // One of the oldest; most arrive once.
            let place = self.dice.random_range(0..self.on_the_way.len().min(6));
            let (from, Envelope { to, mut message }) = match self.dice.random_range(0..20) {
                0 => return drop(self.on_the_way.remove(place)),
                1 => self.on_the_way[place].clone(),
                _ => self.on_the_way.remove(place),
            };
            let slot = to.slot();
            if self.cut_off == slot || self.cut_off == from.slot() {
                return;
            }
            for _ in 0..4 {
                let from = self.servers[self.dice.random_range(0..self.servers.len())].id();
                let forged = self.forge(slot);
                self.compare(slot, from, &forged);
            }
            if let Message::AppendEntriesResponse(m) = &mut message
                && self.dice.random_ratio(1, 50)
            {
                let hint = self.servers[slot].log().last();
                // A lie.
                m.outcome = AppendOutcome::Conflict { previous: hint.index.next(), hint };
            }
            self.compare(slot, from, &message);
            self.servers[slot].receive(self.clocks[slot], from, &message, &mut self.out);
            self.carry_out(slot);
        }

        /// A message that a server might take for routine, or one that is slightly wrong.
        fn forge(&mut self, slot: usize) -> Message {
            let raft = &self.servers[slot];
            let (last, clock) = (raft.log().last(), self.clocks[slot]);
            let round = if let Role::Leader(leader) = raft.role() { leader.round() } else { 1 };
            let append: bool = self.dice.random();
            let mut off = |right: u64| match self.dice.random_range(0..12) {
                0 => right + 1,
                1 => right.saturating_sub(1),
                _ => right,
            };
            let (term, round) = (Term(off(raft.term().0)), off(round));
            let index = LogIndex(off(last.index.0));
            if append {
                let previous = EntryId::new(index, Term(off(last.term.0)));
                let commit = LogIndex(off(raft.commit_index().0));
                Message::AppendEntries(AppendEntries {
                    term,
                    previous,
                    entries: Entries::None,
                    commit,
                    round,
                    probe: 0,
                })
            } else {
                let outcome = AppendOutcome::Matched(index);
                let answer = AppendEntriesResponse {
                    term,
                    round,
                    probe: 0,
                    clock,
                    patience: Duration::from_millis(150),
                    received: index,
                    outcome,
                };
                Message::AppendEntriesResponse(answer)
            }
        }

        /// Two copies of a server take a message, one of them as if there were no routine messages.
        fn compare(&mut self, slot: usize, from: ServerId, message: &Message) {
            let now = self.clocks[slot];
            let [mut short, mut general, mut asked] = core::array::from_fn(|_| self.servers[slot].clone());
            let [mut out, mut expected] = core::array::from_fn(|_| Output::listening());
            short.receive(now, from, message, &mut out);
            general.read_clock(now);
            general.on_message(from, message, &mut expected);
            general.server.finish(&mut expected);
            assert_eq!(out, expected, "{message:?} from {from}");
            assert_eq!(format!("{short:?}"), format!("{general:?}"), "{message:?} from {from}");
            if asked.on_routine(from, message, &mut out) {
                let (appends, answers) = &mut self.routine;
                *if asked.is_leader() { answers } else { appends } += 1;
            }
        }
    }

    #[test]
    fn what_is_routine_is_what_the_general_case_makes_of_it() {
        let mut routine = (0, 0);
        // All rules, and then, one at a time, each rule about appends and their answers switched
        // off.
        let without = [
            Rule::CheckPreviousEntry,
            Rule::CommitOnlyVerified,
            Rule::PersistBeforeAcknowledging,
            Rule::TruncateOnlyOnConflict,
            Rule::RefuseStaleTerms,
            Rule::StepDownOnHigherTerm,
        ];
        let rules = without.map(|rule| Rules::ALL.without(rule)).into_iter().chain([Rules::ALL; 6]);
        for (seed, rules) in (1..).zip(rules) {
            let mut disorder = Disorder::new(seed, rules);
            (0..20_000).for_each(|_| disorder.happen());
            routine = (routine.0 + disorder.routine.0, routine.1 + disorder.routine.1);
        }
        assert!(routine.0 > 1_000 && routine.1 > 1_000, "hardly anything was routine: {routine:?}");
    }
}
