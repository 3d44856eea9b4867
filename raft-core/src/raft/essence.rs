//! The part of a server's state that decides what it does from now on: [`Raft::hash_essence`], for
//! tools that explore every state there is.
//!
//! A server's clock goes on for ever, so that no two of its states are equal. But a server asks
//! only how long ago something was, or how soon something is due, and beyond a bound that its
//! parameters give, it doesn't ask how long. So, if absolute time and random choices are left out,
//! a small cluster has finitely many states.

use core::hash::{Hash, Hasher};

use super::progress::{Progress, ProgressState, SnapshotTransfer};
use super::role::HandedOver;
use super::server::Server;
use super::{AppendEntriesResponse, Campaign, Config, Envelope, Leader, Message, Raft, Role, Transfer};
use crate::time::{Duration, Time};

/// A server's times, as seen from its present.
pub(super) struct Ages<'a> {
    pub(super) config: &'a Config,
    now: Time,
}

impl Ages<'_> {
    /// How long ago `past` was. Everything at least as long ago as `longest` is the same.
    pub(super) fn since(&self, past: Time, longest: Duration) -> Duration {
        self.now.since(past).min(longest)
    }

    /// The same, if zero stands for "never".
    fn since_if_ever(&self, past: Time, longest: Duration) -> Duration {
        if past == Time::ZERO { longest } else { self.since(past, longest) }
    }

    /// How soon `due` is.
    pub(super) fn until(&self, due: Time) -> Duration {
        due.since(self.now)
    }

    /// Feeds `state` with a message that waits for the disk. The clock reading in it counts only
    /// for leases.
    pub(super) fn hash_held(&self, envelope: &Envelope, state: &mut impl Hasher) {
        let Envelope { to, message } = envelope;
        let Message::AppendEntriesResponse(answer) = message else { return envelope.hash(state) };
        let AppendEntriesResponse { term, round, probe, clock, patience, received, outcome } = answer;
        (to, core::mem::discriminant(message), term, round, probe, patience, received, outcome).hash(state);
        if self.config.check_quorum {
            self.since(*clock, Duration::from_micros(u64::MAX)).hash(state);
        }
    }
}

impl Raft {
    /// Feeds `state` with everything that decides what this server does from now on. Two servers
    /// with the same parameters that feed it the same answer every sequence of inputs alike, if the
    /// times between the inputs are the same.
    ///
    /// Two things are left out: absolute time, and random choices, which are the generator's state
    /// and what it has drawn beyond the longest election timeout after slow campaigns. So the two
    /// servers may differ in their later election timeouts, unless [`Config::election_timeout_min`]
    /// and [`Config::election_timeout_max`] are the same. Also left out are the readings by which a
    /// leader may find out later that clocks run apart; what it has found out already is included.
    pub fn hash_essence(&self, state: &mut impl Hasher) {
        // Each new field must be listed here, so that its author decides whether it counts.
        let Raft { server, role } = self;
        let Server {
            config,
            random: _,
            now,
            hard_state,
            log,
            snapshot,
            membership,
            disk,
            commit,
            applied,
            leader,
            election_deadline,
            election_timeout: _,
            patient_until,
            slow_campaigns,
            slow_vote,
            campaigns,
            vote_needed,
            admissions,
            incoming,
            snapshot_asked,
            snapshot_tried,
            applied_bytes,
            reads,
            handed_over,
            agreed: _,
            slice: _,
        } = server;
        let ages = &Ages { config, now: *now };
        (hard_state, log.base(), log.last(), snapshot, membership).hash(state);
        for entry in log.iter_from(log.first_index()) {
            entry.hash(state);
        }
        disk.hash_essence(ages, state);
        (commit, applied, leader, self.agreed_index(), slow_campaigns, slow_vote, vote_needed, admissions).hash(state);
        (snapshot_asked, snapshot_tried, applied_bytes).hash(state);
        if config.draws_narrowly() {
            campaigns.hash(state);
        }
        reads.hash_essence(ages, state);
        if config.check_quorum {
            ages.until(*patient_until).hash(state);
        }
        incoming.is_some().hash(state);
        if let Some(incoming) = incoming {
            incoming.hash_essence(state);
        }
        handed_over.map(|HandedOver { id, to, deadline }| (id, to, ages.until(deadline))).hash(state);
        // The extra time after a slow campaign is drawn at random.
        let narrow = config.draws_narrowly() && *slow_campaigns == 0;
        let longest = if narrow { config.election_timeout_min.times(2) } else { config.election_timeout_max };
        let timeout = ages.until(*election_deadline).min(longest);
        core::mem::discriminant(role).hash(state);
        match role {
            Role::Follower => timeout.hash(state),
            Role::PreCandidate(Campaign { granted, refused }) | Role::Candidate(Campaign { granted, refused }) => {
                (granted, refused, timeout).hash(state);
            }
            // When it stops leading, it starts its election timer anew.
            Role::Leader(leader) => leader.hash_essence(ages, state),
        }
    }
}

impl Leader {
    fn hash_essence(&self, ages: &Ages, state: &mut impl Hasher) {
        let Leader {
            progress,
            leaving,
            told,
            first_own,
            heartbeat_due,
            rounds,
            pending_reads,
            read_round,
            uncommitted_bytes,
            transfer,
            lease_given_up,
        } = self;
        (leaving, told, first_own, ages.until(*heartbeat_due), pending_reads.len(), read_round).hash(state);
        for read in pending_reads {
            read.hash_essence(ages, state);
        }
        (uncommitted_bytes, lease_given_up).hash(state);
        rounds.hash_essence(ages, state);
        let transfer =
            transfer.map(|Transfer { id, to, deadline, handed_over }| (id, to, ages.until(deadline), handed_over));
        transfer.hash(state);
        progress.len().hash(state);
        for progress in progress {
            progress.is_some().hash(state);
            if let Some(progress) = progress {
                progress.hash_essence(ages, state);
            }
        }
    }
}

impl Progress {
    fn hash_essence(&self, ages: &Ages, state: &mut impl Hasher) {
        let Progress {
            matched,
            next,
            state: doing,
            probe,
            since_round,
            matched_round,
            may_vote,
            vouches_since,
            joins,
            admitted,
            catch_up,
            acked_round,
            acked_round_began,
            heard,
            patience,
            drift,
            sent,
            careful,
        } = self;
        let Config { election_timeout_min, election_timeout_max, heartbeat_interval, .. } = ages.config;
        (matched, next, probe, since_round, matched_round, may_vote, vouches_since, joins, acked_round, careful)
            .hash(state);
        (ages.since_if_ever(*sent, *heartbeat_interval), ages.since(*heard, *election_timeout_max)).hash(state);
        catch_up.hash_essence(ages, state);
        admitted.map(|(disk, at, index)| (disk, ages.since(at, election_timeout_max.times(2)), index)).hash(state);
        core::mem::discriminant(doing).hash(state);
        match doing {
            ProgressState::Probe { waiting, unanswered } => (waiting, unanswered).hash(state),
            ProgressState::Replicate(window) => window.hash(state),
            ProgressState::Snapshot(SnapshotTransfer { snapshot, offset, sent, moved_round, anew_round }) => {
                (snapshot, offset, sent, moved_round, anew_round).hash(state);
            }
        }
        if ages.config.check_quorum {
            (ages.since_if_ever(*acked_round_began, *election_timeout_min), patience, drift.drifts()).hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::hash::Hasher;

    use super::super::{
        AppendEntries, Configuration, Entries, Entry, EntryId, Input, LogIndex, Output, Payload, Proposal, ReadMode,
        RequestVoteResponse, ServerId, ServerSet, Start, Term,
    };
    use super::*;
    use crate::hash::ThoroughHasher;

    fn server(number: u8) -> ServerId {
        ServerId::new(number).unwrap()
    }

    fn essence(raft: &Raft) -> u64 {
        let mut hasher = ThoroughHasher::new(0);
        raft.hash_essence(&mut hasher);
        hasher.finish()
    }

    /// A server that starts at `begin` and takes each input that many milliseconds later.
    fn run(begin: Time, inputs: &[(u64, Input)]) -> Raft {
        let timeout = Duration::from_millis(150);
        let config = Config { election_timeout_max: timeout, pre_vote: false, ..Config::new(server(1), 1) };
        let voters = Configuration::of_voters(ServerSet::first(3));
        let mut raft = Raft::new(config, Start::Bootstrap(voters), begin).unwrap();
        let mut out = Output::default();
        for (millis, input) in inputs {
            let now = begin + Duration::from_millis(*millis);
            raft.step(now, input.clone(), &mut out);
            for write in core::mem::take(&mut out.writes) {
                raft.step(now, Input::Durable(write.receipt), &mut out);
            }
        }
        raft
    }

    fn vote(from: u8, term: u64) -> Input {
        let answer = RequestVoteResponse { term: Term(term), granted: true };
        Input::Message { from: server(from), message: Message::RequestVoteResponse(answer) }
    }

    #[test]
    fn when_it_happened_makes_no_difference() {
        let inputs = [
            (150, Input::TimerDue),
            (160, vote(2, 1)),
            (170, Input::Propose(Proposal { id: 1, command: b"x".as_slice().into() })),
            (210, Input::TimerDue),
        ];
        for count in 0..=inputs.len() {
            let early = run(Time::from_secs(1), &inputs[..count]);
            let late = run(Time::from_secs(1_000), &inputs[..count]);
            assert_eq!(essence(&early), essence(&late), "after {count} inputs");
        }
    }

    /// A message that waits for the disk says what the clock showed when it was written.
    #[test]
    fn when_a_message_was_held_back_makes_no_difference() {
        let held = |begin: Time, check_quorum| {
            let mut raft = run(begin, &[]);
            raft.server.config.check_quorum = check_quorum;
            let append = AppendEntries {
                term: Term(1),
                previous: EntryId::ZERO,
                entries: [Entry { term: Term(1), payload: Payload::NoOp }].into_iter().collect::<Entries>(),
                commit: LogIndex::ZERO,
                round: 1,
                probe: 1,
            };
            let input = Input::Message { from: server(2), message: Message::AppendEntries(append) };
            raft.step(begin + Duration::from_millis(10), input, &mut Output::default());
            assert_eq!(raft.held_messages().len(), 1);
            essence(&raft)
        };
        for check_quorum in [false, true] {
            let [early, late] = [1, 1_000].map(|begin| held(Time::from_secs(begin), check_quorum));
            assert_eq!(early, late);
        }
    }

    #[test]
    fn whatever_happens_makes_one() {
        let mut seen: Vec<u64> = Vec::new();
        let inputs = [
            (150, Input::TimerDue),
            (160, vote(2, 1)),
            (170, Input::Propose(Proposal { id: 1, command: b"x".as_slice().into() })),
            (180, Input::Read { id: 2, mode: ReadMode::Confirmed }),
            (250, Input::TimerDue),
            (260, vote(3, 2)),
        ];
        for count in 0..=inputs.len() {
            let raft = run(Time::from_secs(1), &inputs[..count]);
            let now = essence(&raft);
            assert!(!seen.contains(&now), "input {count} leaves no trace in {raft:?}");
            seen.push(now);
        }
        let damaged = {
            let mut raft = run(Time::from_secs(1), &[]);
            raft.server.hard_state.lost = EntryId::new(LogIndex(1), Term(1));
            raft
        };
        assert!(!seen.contains(&essence(&damaged)));
    }

    #[test]
    fn how_soon_it_will_campaign_makes_one() {
        let idle = |millis| run(Time::from_secs(1), &[(millis, Input::TimerDue)]);
        assert_ne!(essence(&idle(10)), essence(&idle(20)));
        // A disk with an older write stalls sooner.
        let pending = |later: u64| {
            let mut raft = run(Time::from_secs(1), &[]);
            let mut out = Output::default();
            let now = Time::from_secs(1) + Duration::from_millis(150);
            raft.step(now, Input::TimerDue, &mut out);
            raft.step(now + Duration::from_millis(later), vote(2, 0), &mut out);
            raft
        };
        assert_ne!(essence(&pending(1)), essence(&pending(2)));
    }
}
