//! Hunting in worlds that host a state machine of one's own.
//!
//! Whoever has written one ([`StateMachine`](crate::state_machine::StateMachine)) says what clients
//! ask of it ([`Service`]) and hunts from a test:
//! ```no_run
//! # use raft_core::sim::Service;
//! use raft_core::trial::{Hunt, own};
//!
//! # fn service() -> Service { unimplemented!() }
//! #[test]
//! fn it_survives_a_hundred_storms() {
//!     if let Some(found) = own::hunt(&service(), &Hunt::default(), 0..100).unwrap() {
//!         panic!("{found}");
//!     }
//! }
//! ```
//! `examples/bank.rs` is a whole one, with bugs to be found.
//!
//! # What is judged
//! What is checked while it goes on ([`sim::own`](crate::sim::own)), and liveness after the storm
//! as for the store: within the same bounds somebody leads, a command of the person's has been
//! answered, and all members that nothing is wrong with and that the leader reaches have applied
//! it. At the end, all states are compared once more.
//!
//! # Caveats
//! **A file or a link of such a run has no state machine in it.** [`Found::run`] can be written as
//! any [`Run`], and read again; but only [`play`], with the same service, plays it. The page and
//! `raftarium replay` would play the store in its place, and see nothing.
//!
//! A state machine that panics ends the test. Which seed that was is told by
//! `(0..100).inspect(|seed| eprintln!("seed {seed}"))` in place of the seeds.

use alloc::string::ToString;
use core::fmt;

use super::{
    CALM_AFTER, Failure, Finding, Hunt, Played, Playing, Stuck, committed_itself, shrink, too_slow_to_ask, who_has_it,
};
use crate::check::linearizable::WORK_DEFAULT;
use crate::format::Run;
use crate::raft::ServerId;
use crate::sim::{ClientId, OwnEnd, OwnOperation, ScenarioError, Service, Simulation};
use crate::time::Time;

/// The first run that fails, and how it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The run. Its seed is in its scenario.
    pub run: Run,
    /// What must not be.
    pub finding: Finding,
}

/// Plays the storm of each seed with that service, one after the other, until one fails; nothing if
/// none does.
///
/// # Errors
/// A hunt that makes no world.
pub fn hunt(
    service: &Service,
    hunt: &Hunt,
    seeds: impl IntoIterator<Item = u64>,
) -> Result<Option<Found>, ScenarioError> {
    for seed in seeds {
        let run = hunt.run(seed);
        if let Some(finding) = play(&run, service)?.finding {
            return Ok(Some(Found { run, finding }));
        }
    }
    Ok(None)
}

/// Plays a run with that service up to its moment, and judges it: [`trial::play`](super::play) for
/// a state machine of one's own.
///
/// # Errors
/// A run that can't be played.
pub fn play(run: &Run, service: &Service) -> Result<Played, ScenarioError> {
    let world = Simulation::hosting(run.scenario.clone(), service)?;
    let mut playing = Playing::of(world, run, what_is_missing);
    let mut unwatched = |_: &mut Simulation| true;
    playing.play(&mut unwatched);
    let judged = playing.judge(WORK_DEFAULT, &mut unwatched);
    let mut played = judged.unwrap_or_else(|| unreachable!("nobody breaks it off"));
    if played.finding.is_none() {
        played.world.compare_states();
        played.finding = played.world.violation().cloned().map(Finding::Violation);
    }
    Ok(played)
}

impl Found {
    /// Its seed.
    pub fn seed(&self) -> u64 {
        self.run.scenario.seed
    }

    /// The same failure in a run made small, with at most `tries_max` tries: fewer faults, a
    /// shorter time, a simpler world. With the same service, of course.
    #[must_use]
    pub fn shrink(&self, service: &Service, tries_max: u32) -> Found {
        let found = |run: &Run| play(run, service).ok()?.finding;
        let failure = |finding: Finding| Failure { kind: finding.name(), at: finding.at() };
        let shrunk = shrink(&self.run, &failure(self.finding.clone()), tries_max, |run| found(run).map(failure));
        // What the shrinker cut off comes after the failure.
        match found(&shrunk.run) {
            Some(finding) => Found { run: shrunk.run, finding },
            None => self.clone(),
        }
    }
}

/// What was found, and how to see it again.
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seed, servers) = (self.seed(), self.run.scenario.parameters.servers);
        writeln!(f, "seed {seed}, {servers} servers: {}", self.finding)?;
        write!(
            f,
            "to play it again: hunt in that seed alone, with the same service; or `trial::own::play` its run \
             (a file or a link of it doesn’t hold the state machine)"
        )
    }
}

impl core::error::Error for Found {}

/// What the cluster lacks to be back at work since `calm`.
fn what_is_missing(world: &Simulation, calm: Time) -> Option<Stuck> {
    let Some(leader) = world.leader() else { return Some(Stuck::NoLeader) };
    match index_asked_for(world, calm, leader) {
        Ok(index) => who_has_it(world, leader, index).err(),
        Err(stuck) => Some(stuck),
    }
}

/// Where the first command that the person asked for since then, and was answered, is in the log; 0
/// if it didn't ask for one in time.
fn index_asked_for(world: &Simulation, calm: Time, leader: ServerId) -> Result<u64, Stuck> {
    let asked = || {
        let of_person = |operation: &&OwnOperation| operation.client == ClientId::PERSON && operation.began >= calm;
        world.own_operations().filter(of_person)
    };
    let is_answered = |operation: &OwnOperation| matches!(operation.end, Some((_, OwnEnd::Answered(_))));
    let answered = |operation: &OwnOperation| is_answered(operation).then_some(operation.point?);
    let timeout = world.scenario().parameters.clients.operation_timeout;
    let in_time = |operation: &&OwnOperation| operation.began + timeout <= calm + CALM_AFTER;
    if let Some(index) = asked().find_map(answered) {
        return Ok(index);
    }
    let Some(last) = asked().rfind(in_time) else { return Ok(0) };
    if too_slow_to_ask(world, calm)
        && let Some(index) = committed_itself(world, leader)
    {
        return Ok(index);
    }
    let why = last.end.as_ref().map_or_else(|| "none yet".to_string(), |(_, end)| end.to_string());
    Err(Stuck::NoAnswer { asked: alloc::format!("command {}", last.number), why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Profile;
    use crate::state_machine::{RestoreError, StateMachine};
    use crate::time::Duration;
    use alloc::string::String;
    use alloc::vec::Vec;

    /// Adds up what it is given; where it is `forgetful`, it isn't what it was after a restart.
    #[derive(Clone, Debug, Default)]
    struct Sum {
        sum: u64,
        forgetful: bool,
    }

    impl StateMachine for Sum {
        fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8> {
            self.sum += index * command.len() as u64;
            self.snapshot()
        }

        fn snapshot(&self) -> Vec<u8> {
            self.sum.to_le_bytes().to_vec()
        }

        fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
            let sum = u64::from_le_bytes(snapshot.try_into().map_err(RestoreError::new)?);
            self.sum = if self.forgetful { sum / 2 } else { sum };
            Ok(())
        }

        fn check(&self) -> Result<(), String> {
            Ok(())
        }
    }

    fn service(forgetful: bool) -> Service {
        Service::new(move || Sum { forgetful, ..Sum::default() }, |ask, _| alloc::vec![7; ask.number as usize % 9])
    }

    fn short() -> Hunt {
        Hunt { length: Duration::from_secs(20), ..Hunt::default() }
    }

    #[test]
    fn a_state_machine_that_is_right_survives() {
        let found = hunt(&service(false), &short(), 0..20).unwrap();
        assert_eq!(found, None);
        let played = play(&short().run(3), &service(false)).unwrap();
        let answered = |operation: &&OwnOperation| matches!(operation.end, Some((_, OwnEnd::Answered(_))));
        let person = |operation: &&OwnOperation| operation.client == ClientId::PERSON;
        assert!(played.world.own_operations().filter(person).filter(answered).count() > 3);
    }

    #[test]
    fn what_is_found_can_be_played_again_and_made_small() {
        let wrong = service(true);
        let found = hunt(&wrong, &short(), 0..20).unwrap().expect("it is forgetful");
        let sentence = found.to_string();
        let begins = alloc::format!("seed {}, ", found.seed());
        assert!(sentence.starts_with(&begins), "{sentence}");
        assert!(sentence.contains("restored from it, makes another of the same"), "{sentence}");
        let again = play(&short().run(found.seed()), &wrong).unwrap().finding;
        assert_eq!(again.as_ref(), Some(&found.finding));
        let small = found.shrink(&wrong, 60);
        assert_eq!(small.finding.name(), "State Machine Contract");
        assert!(small.run.scenario.actions.len() * 2 < found.run.scenario.actions.len(), "{small}");
        assert_eq!(play(&small.run, &wrong).unwrap().finding, Some(small.finding));
        assert_eq!(play(&found.run, &service(false)).unwrap().finding, None, "it is not the world's fault");
    }

    #[test]
    fn a_cluster_that_does_not_come_back_to_work_is_found() {
        let mut run = Hunt { profile: Profile::Calm, ..short() }.run(1);
        assert_eq!(play(&run, &service(false)).unwrap().finding, None);
        // No answer comes within a millisecond.
        run.scenario.parameters.clients.operation_timeout = Duration::from_millis(1);
        let finding = play(&run, &service(false)).unwrap().finding.expect("a finding");
        let sentence = finding.to_string();
        assert!(sentence.contains("after a storm, no write has been answered"), "{sentence}");
    }

    #[test]
    fn a_scenario_that_makes_no_world_is_refused() {
        let mut run = short().run(1);
        run.scenario.parameters.servers = 0;
        assert!(play(&run, &service(false)).is_err());
    }
}
