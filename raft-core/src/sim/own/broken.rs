//! State machines that break their contract, each in a way of its own, and what is told of it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::raft::Rules;
use crate::sim::{Action, Profile, Target, TimedAction, hunt};
use crate::state_machine::RestoreError;
use crate::time::Duration;

/// Adds up its commands' numbers, and answers with the sum before. What is wrong with it is up to
/// its hooks.
#[derive(Clone, Debug)]
struct Sum {
    sum: u64,
    /// What the sum was left at by the last command, where one remembers that.
    cache: Option<u64>,
    wrong: Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// Its snapshot is always empty.
    EmptySnapshot,
    /// Its cache survives a restore.
    StaleCache,
    /// It adds what it is restored from to what it has.
    RestoresByAdding,
    /// It refuses to be restored where it has a sum.
    RestoresOnlyNew,
    /// It can't apply the command at this index or later.
    PanicsAt(u64),
    /// It can't be checked once its sum is so high.
    PanicsWhenCheckedAt(u64),
}

impl StateMachine for Sum {
    fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8> {
        if let Wrong::PanicsAt(first) = self.wrong {
            assert!(index < first, "too much");
        }
        let before = if self.wrong == Wrong::StaleCache { self.cache.unwrap_or(self.sum) } else { self.sum };
        self.sum += u64::from(command[0]);
        self.cache = Some(self.sum);
        before.to_string().into_bytes()
    }

    fn snapshot(&self) -> Vec<u8> {
        if self.wrong == Wrong::EmptySnapshot { Vec::new() } else { self.sum.to_string().into_bytes() }
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        if self.wrong == Wrong::EmptySnapshot {
            return Ok(());
        }
        if self.wrong == Wrong::RestoresOnlyNew && self.sum > 0 {
            return Err(RestoreError::new("it is in use"));
        }
        let text = core::str::from_utf8(snapshot).map_err(RestoreError::new)?;
        let kept = if self.wrong == Wrong::RestoresByAdding { self.sum } else { 0 };
        self.sum = kept + text.parse::<u64>().map_err(RestoreError::new)?;
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if let Wrong::PanicsWhenCheckedAt(sum) = self.wrong {
            assert!(self.sum < sum, "too much");
        }
        Ok(())
    }
}

fn sum(wrong: Wrong) -> Service {
    let command = |ask: Ask, luck: &mut Luck| alloc::vec![1 + luck.below(200) as u8, ask.client.0, ask.number as u8];
    Service::new(move || Sum { sum: 0, cache: None, wrong }, command)
}

/// S3 is cut off, and then sent a snapshot; later S1 restarts from one of its own.
fn left_behind(seed: u64) -> Scenario {
    let mut scenario = Scenario::new(seed, 3);
    scenario.parameters.timing.snapshot_after_entries = 5;
    scenario.parameters.limits.entries_kept = 0;
    let (first, third) = (ServerId::new(1).unwrap(), ServerId::new(3).unwrap());
    let actions = [
        (1_500, Action::Isolate(Target::Server(third))),
        (4_000, Action::HealAll),
        (6_000, Action::Crash(Target::Server(first))),
        (6_500, Action::RestartAll),
    ];
    let timed = |(millis, action)| TimedAction { at: Time::from_millis(millis), action };
    scenario.actions = actions.into_iter().map(timed).collect();
    scenario
}

/// What is told of it, in the first seed that has something to tell.
fn told(service: &Service) -> Option<String> {
    (0..10).find_map(|seed| {
        let mut world = Simulation::hosting(left_behind(seed), service).unwrap();
        world.run_until(Time::from_secs(9));
        world.compare_states();
        world.violation().map(ToString::to_string)
    })
}

fn assert_told(service: &Service, parts: &[&str]) {
    let sentence = told(service).expect("it is found");
    for part in parts {
        assert!(sentence.contains(part), "“{part}” isn’t in: {sentence}");
    }
    assert!(sentence.chars().count() < crate::format::FACT_MAX, "{sentence}");
}

#[test]
fn one_that_is_right_is_compared_and_restored_and_nothing_is_told_of_it() {
    assert_eq!(told(&sum(Wrong::Nothing)), None);
    let mut world = Simulation::hosting(left_behind(1), &sum(Wrong::Nothing)).unwrap();
    world.run_until(Time::from_secs(9));
    let counts = world.own_counts().unwrap();
    let OwnCounts { operations, commands, answers_compared, snapshots_compared, .. } = counts;
    assert!(commands > 20 && operations >= commands - counts.retries, "{counts:?}");
    assert!(answers_compared > commands && snapshots_compared > answers_compared, "{counts:?}");
    assert!(counts.snapshots_taken > 3 && counts.restores_new > 0 && counts.restores_over > 0, "{counts:?}");
    assert_eq!((counts.too_late, world.own_call()), (0, None));
    let mut twice = counts;
    twice.add(&counts);
    assert_eq!((twice.commands, twice.restores_over), (2 * counts.commands, 2 * counts.restores_over));
    assert_eq!(Simulation::new(left_behind(1)).unwrap().own_counts(), None);
}

#[test]
fn an_answer_that_depends_on_what_no_snapshot_holds_is_found() {
    let parts = [
        " answers the command at ",
        "(operation ",
        " (never restored)",
        " (restored from a snapshot of everything up to ",
        " answers it by “",
        "something that matters isn’t in its snapshot",
    ];
    assert_told(&sum(Wrong::EmptySnapshot), &parts);
}

#[test]
fn an_answer_in_the_order_of_a_hash_map_is_found_and_called_chance() {
    /// What was ever said, in an order that is another in each.
    #[derive(Clone, Debug, Default)]
    #[allow(clippy::disallowed_types, reason = "this is what must be found")]
    struct Heap(std::collections::HashSet<u8>);

    impl StateMachine for Heap {
        fn apply(&mut self, _: u64, command: &[u8]) -> Vec<u8> {
            self.0.insert(command[0]);
            self.0.iter().copied().collect()
        }
        fn snapshot(&self) -> Vec<u8> {
            self.0.iter().copied().collect::<BTreeSet<u8>>().into_iter().collect()
        }
        fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
            self.0 = snapshot.iter().copied().collect();
            Ok(())
        }
    }

    let service = Service::new(Heap::default, |_, luck| alloc::vec![luck.below(256) as u8]);
    assert_told(&service, &["isn’t deterministic: two that are restored from the same snapshot take the same command"]);
}

#[test]
fn a_snapshot_that_is_another_each_time_is_found_and_called_chance() {
    /// Its snapshot says how many were made before it, which is no part of its state.
    #[derive(Clone, Debug)]
    struct Marked(u8);

    impl StateMachine for Marked {
        fn apply(&mut self, _: u64, _: &[u8]) -> Vec<u8> {
            Vec::new()
        }
        fn snapshot(&self) -> Vec<u8> {
            alloc::vec![7, self.0]
        }
        fn restore(&mut self, _: &[u8]) -> Result<(), RestoreError> {
            Ok(())
        }
    }

    let made = core::sync::atomic::AtomicU8::new(0);
    let machine = move || Marked(made.fetch_add(1, core::sync::atomic::Ordering::Relaxed));
    // Not compared between servers, so that it is found where it is restored.
    let service = Service::new(machine, |_, _| alloc::vec![1]).compared_every(1_000_000);
    let parts =
        ["restored from it, makes another of the same: 2 and 2 bytes", "two that are restored from it make different"];
    assert_told(&service, &parts);
}

#[test]
fn a_state_that_depends_on_the_server_is_found_and_called_so() {
    /// Knows how many were made before it, and lets that show only once it has applied something.
    #[derive(Clone, Debug)]
    struct Numbered(u8, u8);

    impl StateMachine for Numbered {
        fn apply(&mut self, _: u64, _: &[u8]) -> Vec<u8> {
            self.1 = self.0.min(1);
            Vec::new()
        }
        fn snapshot(&self) -> Vec<u8> {
            alloc::vec![self.1]
        }
        fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
            self.1 = snapshot[0];
            Ok(())
        }
    }

    let made = core::sync::atomic::AtomicU8::new(0);
    let number = move || Numbered(made.fetch_add(1, core::sync::atomic::Ordering::Relaxed) % 100, 0);
    let parts = [
        "1 and 1 bytes, the first difference at byte 0, in “\\x0",
        "neither was ever restored, and copies of one do the same",
        "the command at ",
    ];
    assert_told(&Service::new(number, |_, _| alloc::vec![1]), &parts);
}

#[test]
fn a_restore_that_adds_to_what_was_there_is_found() {
    let sentence = told(&sum(Wrong::RestoresByAdding)).expect("it is found");
    assert!(sentence.contains("makes another snapshot than a new state machine: "), "{sentence}");
    assert_told(
        &sum(Wrong::RestoresOnlyNew),
        &["restored from it over what it was after the command at ", "it is in use"],
    );
}

#[test]
fn a_restore_that_leaves_what_matters_and_no_snapshot_shows_is_found() {
    assert_told(&sum(Wrong::StaleCache), &["answers it by", "restored from a snapshot of everything up to"]);
}

#[test]
fn what_is_left_of_one_that_was_used_is_found_where_a_new_one_has_nothing_left() {
    /// Keys, each of which comes and goes. Restoring forgets none.
    #[derive(Clone, Debug, Default)]
    struct Keys(BTreeSet<u8>);

    impl StateMachine for Keys {
        fn apply(&mut self, _: u64, command: &[u8]) -> Vec<u8> {
            let there = self.0.remove(&command[0]) || !self.0.insert(command[0]);
            alloc::vec![u8::from(there)]
        }
        fn snapshot(&self) -> Vec<u8> {
            self.0.iter().copied().collect()
        }
        fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
            self.0.extend(snapshot);
            Ok(())
        }
    }

    let service = Service::new(Keys::default, |_, luck| alloc::vec![luck.below(16) as u8]);
    assert_told(&service, &["S3, restored from it over what it was after the command at ", "the first difference at"]);
}

#[test]
fn operations_are_kept_up_to_a_bound() {
    let service = sum(Wrong::Nothing).operations_kept(10);
    let mut world = Simulation::hosting(left_behind(1), &service).unwrap();
    for second in 1..9 {
        world.run_until(Time::from_secs(second));
        let begun = world.own_counts().unwrap().operations;
        let kept: Vec<u64> = world.own_operations().map(|operation| u64::from(operation.number)).collect();
        assert!(kept.len() <= 20 && kept.last().is_none_or(|last| *last == begun), "{kept:?}");
        assert!(kept.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    }
    assert!(world.own_counts().unwrap().operations > 20);
    assert!(world.own_operations().any(|operation| operation.end.is_some() && operation.point.is_some()));
}

#[test]
fn who_catches_a_panic_learns_where_it_was() {
    let panicked = |wrong| {
        let scenario = hunt(3, Some(3), Duration::from_secs(20), Profile::Crashes, Rules::ALL);
        let mut world = Simulation::hosting(scenario, &sum(wrong)).unwrap();
        let caught = catch_unwind(AssertUnwindSafe(|| world.run_until(Time::from_secs(20))));
        caught.expect_err("it comes so far");
        assert!(world.now() > Time::ZERO && world.own_operations().count() > 3);
        world.own_call().expect("it has not returned")
    };
    let call = panicked(Wrong::PanicsAt(20));
    assert_eq!(call.what, OwnMethod::Apply);
    assert!((20..25).contains(&call.index), "{call}");
    assert_eq!(call.to_string(), format!("{} applies the entry at {}", call.server, call.index));
    let call = panicked(Wrong::PanicsWhenCheckedAt(500));
    assert_eq!(call.what, OwnMethod::Look);
    let sentence = format!("{} is asked for its state after the entry at {}", call.server, call.index);
    assert_eq!(call.to_string(), sentence);
}
