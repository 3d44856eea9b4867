//! Wherever the machine stops, a start finds the first few calls: at least those that were
//! answered, and never a damage.

use super::*;

/// Calls, and what they leave one after the other; and how many operations they take.
struct Story {
    calls: Vec<Vec<Write>>,
    expected: Vec<Durable>,
    operations: u64,
}

impl Story {
    fn new(seed: u64) -> Story {
        let mut writer = Writer::new(seed);
        let mut expected = vec![writer.durable()];
        let mut calls = Vec::new();
        for _ in 0..8 {
            calls.push(writer.call());
            expected.push(writer.durable());
        }
        let files = new_folder();
        let before = files.operations();
        let (answered, error) = tell(&files, &calls);
        assert!(answered == calls.len() && error.is_none());
        let operations = files.operations() - before;
        Story { calls, expected, operations }
    }

    /// Starts a server on what is left, and goes on with the rest of the calls. Returns how many
    /// calls were found.
    fn go_on(&self, files: &SimulatedFiles, answered: usize, when: &str) -> usize {
        let (mut storage, loaded) = load(files).unwrap_or_else(|error| panic!("{when}: {error}"));
        assert_eq!(loaded.damaged, None, "{when}");
        let found = (answered..=answered + 1).find(|calls| self.expected.get(*calls) == Some(&loaded.durable));
        let found = found.unwrap_or_else(|| panic!("{when}: not what {answered} calls leave, or one more"));
        for call in &self.calls[found..] {
            storage.store(call).unwrap_or_else(|error| panic!("{when}: {error}"));
        }
        drop(storage);
        let loaded = load(files).unwrap_or_else(|error| panic!("{when}: {error}")).1;
        assert_eq!(Some(&loaded.durable), self.expected.last(), "{when}");
        assert_eq!(loaded.damaged, None, "{when}");
        found
    }
}

/// Makes the calls until one isn't answered with `Ok`. Returns how many were, and the error.
fn tell(files: &SimulatedFiles, calls: &[Vec<Write>]) -> (usize, Option<StorageError>) {
    let mut storage = match load(files) {
        Ok((storage, _)) => storage,
        Err(error) => return (0, Some(error)),
    };
    for (answered, call) in calls.iter().enumerate() {
        if let Err(error) = storage.store(call) {
            let again = storage.store(call).unwrap_err();
            assert!(!matches!(again, StorageError::Full), "what failed is used again: {again}");
            return (answered, Some(error));
        }
    }
    (calls.len(), None)
}

#[test]
fn a_power_failure_at_any_moment_leaves_what_was_answered() {
    let mut more = 0;
    for seed in 0..3 {
        let story = Story::new(seed);
        for operation in 0..story.operations {
            let files = new_folder();
            files.break_after(operation, Fault::Stopped);
            let (answered, _) = tell(&files, &story.calls);
            for power in 0..4 {
                let when = format!("seed {seed}, operation {operation}, power failure {power}");
                let left = files.after_power_failure(power + 100 * operation);
                more += usize::from(story.go_on(&left, answered, &when) > answered);
            }
        }
    }
    assert!(more > 0, "some calls are whole before they are answered");
}

#[test]
fn a_kill_at_any_moment_leaves_what_was_answered() {
    for seed in 10..13 {
        let story = Story::new(seed);
        for operation in 0..story.operations {
            let files = new_folder();
            files.break_after(operation, Fault::Stopped);
            let (answered, _) = tell(&files, &story.calls);
            let left = SimulatedFiles::of(&files.contents());
            story.go_on(&left, answered, &format!("seed {seed}, operation {operation}"));
        }
    }
}

#[test]
fn a_power_failure_while_a_server_starts_changes_nothing() {
    let story = Story::new(20);
    for operation in (0..story.operations).step_by(3) {
        let files = new_folder();
        files.break_after(operation, Fault::Stopped);
        let (answered, _) = tell(&files, &story.calls);
        let mut left = files.after_power_failure(operation);
        for again in 0..12 {
            left.break_after(again, Fault::Stopped);
            drop(load(&left));
            left = left.after_power_failure(again);
        }
        story.go_on(&left, answered, &format!("operation {operation}"));
    }
}

#[test]
fn after_a_failed_operation_nothing_is_stored_until_it_is_known_what_is_there() {
    let mut failed = 0;
    for seed in 30..32 {
        let story = Story::new(seed);
        for operation in 0..story.operations {
            let files = new_folder();
            files.break_after(operation, Fault::FailsOnce);
            let (answered, error) = tell(&files, &story.calls);
            files.mend();
            match error {
                None => {} // Nothing depended on it.
                Some(StorageError::Failed { what, source }) => {
                    failed += 1;
                    assert!(what.contains("simulated/") && source.to_string().contains("told to fail"), "{what}");
                }
                Some(other) => panic!("seed {seed}, operation {operation}: {other}"),
            }
            let when = format!("seed {seed}, operation {operation}");
            story.go_on(&files.after_power_failure(operation), answered, &when);
            story.go_on(&SimulatedFiles::of(&files.contents()), answered, &when);
        }
    }
    assert!(failed > 50, "{failed}");
}
