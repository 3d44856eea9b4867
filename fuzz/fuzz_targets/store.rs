//! Any bytes as a command, an answer and a snapshot of the store, and of the layer of request keys
//! around it; and as commands one after the other, each with its length before it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raft_core::kv::{Applied, Change, Command, Settings, Store};
use raft_core::once::{self, Answer, Envelope, Once};
use raft_core::state_machine::StateMachine;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(command) = Command::decode(bytes) {
        assert_eq!(command.encode(), bytes, "a command has one form");
    }
    if let Ok(applied) = Applied::decode(bytes) {
        assert_eq!(applied.encode(), bytes, "an answer has one form");
    }
    if let Ok(envelope) = Envelope::decode(bytes) {
        assert_eq!(envelope.encode(), bytes, "an envelope has one form");
    }
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(answer.encode(), bytes, "an answer has one form");
    }

    let new = || Once::new(Store::new(Settings::default()), once::Settings { keys_max: 4, ..Default::default() });
    let mut machine = new();
    if machine.restore(bytes).is_ok() {
        assert_eq!(machine.snapshot(), bytes, "a snapshot has one form");
    }
    if let Ok(store) = Store::restore(bytes, Settings::default()) {
        assert_eq!(store.snapshot(), bytes, "a snapshot has one form");
    }

    let (mut machine, mut rest, mut index) = (new(), bytes, 0);
    while let Some((length, after)) = rest.split_first() {
        let (command, after) = after.split_at(after.len().min(usize::from(*length)));
        (rest, index) = (after, index + 1);
        let answer = Answer::decode(&machine.apply(index, command)).expect("an answer");
        if let Answer::Applied { answer } = answer {
            let (_, command) = Envelope::open(command).expect("it was applied");
            Change::of(index, command, &answer).expect("the store's answer to this command");
        }
    }
    machine.check().expect("it keeps its books");
    let mut restored = new();
    restored.restore(&machine.snapshot()).expect("its own snapshot");
    assert_eq!(restored, machine);
});
