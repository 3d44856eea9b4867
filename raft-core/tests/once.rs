//! Request keys in the simulated world: storms, in which clients hear nothing and ask again, don't
//! make a request carried out twice. Without the keys they do, and the hunt sees it.

use std::collections::BTreeMap;

use raft_core::kv::{self, Applied, Change, Command, Condition, Key, Operation, Store, Value};
use raft_core::once::{Answer, Envelope, Once, RequestKey, Settings};
use raft_core::sim::{Ask, OwnEnd, Service};
use raft_core::state_machine::{RestoreError, StateMachine};
use raft_core::time::Duration;
use raft_core::trial::{Hunt, own};

/// How often each request has been carried out: a client's number and its request's.
#[derive(Clone, Debug, Default)]
struct Ledger(BTreeMap<(u64, u64), u64>);

impl StateMachine for Ledger {
    fn apply(&mut self, _: u64, command: &[u8]) -> Vec<u8> {
        let Some([client, number]) = numbers(command) else { return b"no request".to_vec() };
        let times = self.0.entry((client, number)).or_default();
        *times += 1;
        format!("{client} {number} {times}").into_bytes()
    }

    fn snapshot(&self) -> Vec<u8> {
        let line = |((client, number), times): (&(u64, u64), &u64)| format!("{client} {number} {times}\n");
        self.0.iter().map(line).collect::<String>().into_bytes()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        self.0.clear();
        for line in snapshot.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let [client, number, times] = numbers(line).ok_or_else(|| RestoreError::new("a line is no request"))?;
            self.0.insert((client, number), times);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        match self.0.iter().find(|(_, times)| **times > 1) {
            Some(((client, number), times)) => {
                Err(format!("request {number} of client {client} was carried out {times} times"))
            }
            None => Ok(()),
        }
    }
}

/// The numbers in a line, if it has as many.
fn numbers<const COUNT: usize>(line: &[u8]) -> Option<[u64; COUNT]> {
    let words = std::str::from_utf8(line).ok()?.split(' ');
    let numbers: Option<Vec<u64>> = words.map(|word| word.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// All tries of a request have the same key.
fn key(ask: Ask) -> Option<RequestKey> {
    RequestKey::new(format!("{}/{}", ask.client.0, ask.number)).ok()
}

fn request(ask: Ask) -> Vec<u8> {
    Envelope { key: key(ask), command: format!("{} {}", ask.client.0, ask.number).into_bytes() }.encode()
}

/// The planted bug: the keys are left out of the snapshot.
#[derive(Clone, Debug)]
struct Forgetful(Once<Ledger>);

impl StateMachine for Forgetful {
    fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8> {
        self.0.apply(index, command)
    }

    fn snapshot(&self) -> Vec<u8> {
        Once::new(self.0.inner().clone(), *self.0.settings()).snapshot()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        self.0.restore(snapshot)
    }

    fn check(&self) -> Result<(), String> {
        self.0.check()
    }
}

fn once(settings: Settings) -> Once<Ledger> {
    Once::new(Ledger::default(), settings)
}

/// Snapshots grow with every request, so that they aren't compared at every entry.
fn service<M: StateMachine>(machine: impl Fn() -> M + Send + Sync + 'static) -> Service {
    Service::new(machine, |ask, _| request(ask)).compared_every(16)
}

fn short() -> Hunt {
    Hunt { length: Duration::from_secs(20), ..Hunt::default() }
}

#[test]
fn no_request_is_carried_out_twice_in_storms() {
    let service = service(|| once(Settings::default()));
    let mut repeated = 0;
    for seed in 0..16 {
        let played = own::play(&short().run(seed).unwrap(), &service).unwrap();
        assert_eq!(played.finding, None, "seed {seed}");
        for operation in played.world.own_operations() {
            let Some((_, OwnEnd::Answered(answer))) = &operation.end else { continue };
            repeated += usize::from(matches!(Answer::decode(answer), Ok(Answer::Repeated { .. })));
        }
    }
    // Storms did make clients ask again.
    assert!(repeated > 10, "only {repeated} requests were repeated");
}

#[test]
fn keys_left_out_of_the_snapshot_are_found() {
    let service = service(|| Forgetful(once(Settings::default())));
    let found = own::hunt(&service, &short(), 0..60).unwrap().found.expect("it is forgetful");
    assert_eq!(found.finding.name(), "State Machine Contract", "{found}");
}

#[test]
fn requests_that_are_carried_out_again_are_found() {
    let service = service(|| once(Settings { keys_max: 0, ..Settings::default() }));
    let found = own::hunt(&service, &short(), 0..30).unwrap().found.expect("no key is remembered");
    assert!(found.to_string().contains("was carried out 2 times"), "{found}");
}

#[test]
fn keys_that_expire_too_early_are_found() {
    let service = service(|| once(Settings { entries_max: 2, ..Settings::default() }));
    let found = own::hunt(&service, &short(), 0..60).unwrap().found.expect("keys expire before clients give up");
    assert!(found.to_string().contains("was carried out 2 times"), "{found}");
}

/// The store with request keys, as a server hosts it: what is answered fits what is there.
#[test]
fn a_store_with_request_keys_survives_storms() {
    let service = Service::new(
        || Once::new(Store::new(kv::Settings::default()), Settings::default()),
        |ask, luck| {
            let key_of_pair = Key::new(&format!("k{}", luck.below(3))).unwrap();
            let value = |number| Value::new([number as u8, 0xff]).unwrap();
            let operation = match luck.below(4) {
                0 => Operation::Delete { key: key_of_pair },
                1 => Operation::CompareAndSet {
                    key: key_of_pair,
                    expected: value(luck.below(3)),
                    new: value(luck.below(3)),
                },
                _ => Operation::Put { key: key_of_pair, value: value(luck.below(3)) },
            };
            let condition = match luck.below(4) {
                0 => Condition::Absent,
                1 => Condition::Revision(luck.below(200)),
                _ => Condition::Always,
            };
            Envelope { key: key(ask), command: Command::Direct { condition, operation }.encode() }.encode()
        },
    );
    if let Some(found) = own::hunt(&service, &short(), 0..8).unwrap().found {
        panic!("{found}");
    }
    let played = own::play(&short().run(3).unwrap(), &service).unwrap();
    let mut changes = 0;
    for operation in played.world.own_operations() {
        let Some((_, OwnEnd::Answered(answer))) = &operation.end else { continue };
        let Ok(Answer::Applied { answer }) = Answer::decode(answer) else { continue };
        let (_, command) = Envelope::open(&operation.command).unwrap();
        assert!(matches!(Applied::decode(&answer), Ok(Applied::Direct { .. })), "{operation:?}");
        let change = Change::of(operation.point.unwrap(), command, &answer).unwrap();
        changes += usize::from(change.is_some());
    }
    assert!(changes > 5, "only {changes} changes");
}
