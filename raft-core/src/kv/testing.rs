//! What the tests of this module share: short ways to make things, and random ones from a seed.

use super::{Applied, Command, Condition, Key, Operation, Outcome, Request, SessionId, Settings, Store, Value};
use alloc::string::String;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

pub(super) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

pub(super) fn value(text: &str) -> Value {
    Value::new(text).unwrap()
}

/// The operation that a line says.
pub(super) fn operation(line: &str) -> Operation {
    match line.parse() {
        Ok(Request::Write(operation)) => operation,
        other => panic!("{line}: {other:?}"),
    }
}

/// A command of a client that has one operation in flight.
pub(super) fn command(session: u64, serial: u64, line: &str) -> Command {
    Command::Apply { session: SessionId(session), serial, oldest_awaited: serial, operation: operation(line) }
}

/// A store that gives each command the next index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bench {
    pub(super) store: Store,
}

impl Bench {
    pub(super) fn new(settings: Settings) -> Self {
        Bench { store: Store::new(settings) }
    }

    pub(super) fn apply(&mut self, command: &Command) -> Applied {
        let index = self.store.applied_index() + 1;
        self.store.apply(index, &command.encode())
    }

    /// Opens a session; gives its id and the ids of those that expired for it.
    pub(super) fn open(&mut self) -> (u64, alloc::vec::Vec<u64>) {
        match self.apply(&Command::OpenSession { client: 9 }) {
            Applied::SessionOpened { session, client: 9, expired } => {
                (session.0, expired.iter().map(|id| id.0).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn run(&mut self, session: u64, serial: u64, line: &str) -> Applied {
        self.apply(&command(session, serial, line))
    }

    /// Runs an operation that must be answered; gives the outcome and whether it was a duplicate.
    pub(super) fn answer(&mut self, session: u64, serial: u64, line: &str) -> (Outcome, bool) {
        match self.run(session, serial, line) {
            Applied::Answered { session: its_session, serial: its_serial, outcome, duplicate } => {
                assert_eq!((its_session, its_serial), (SessionId(session), serial));
                (outcome, duplicate)
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.store.get(&key(name)).and_then(Value::as_str)
    }
}

pub(super) fn generator(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// A text of 1 to `chars_max` characters, many of them awkward.
pub(super) fn random_text(random: &mut Xoshiro256PlusPlus, chars_max: usize) -> String {
    const AWKWARD: [char; 24] = [
        'a',
        'b',
        'z',
        '0',
        ' ',
        '"',
        '\\',
        '\n',
        '\t',
        '\r',
        '\0',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{a0}',
        '\u{2028}',
        'é',
        '→',
        '🦀',
        '=',
        '{',
        '}',
        'u',
        '\u{10ffff}',
    ];
    let chars = random.random_range(1..=chars_max);
    (0..chars).map(|_| AWKWARD[random.random_range(0..AWKWARD.len())]).collect()
}

/// A value of up to `bytes_max` bytes: a text, or any bytes, or none.
pub(super) fn random_value(random: &mut Xoshiro256PlusPlus, bytes_max: usize) -> Value {
    match random.random_range(0..4) {
        0 => Value::new(
            (0..random.random_range(0..=bytes_max)).map(|_| random.random()).collect::<alloc::vec::Vec<u8>>(),
        ),
        _ => Value::new(random_text(random, bytes_max)),
    }
    .unwrap()
}

/// A condition; one in three names a revision of up to `revision_max`.
pub(super) fn random_condition(random: &mut Xoshiro256PlusPlus, revision_max: u64) -> Condition {
    match random.random_range(0..3) {
        0 => Condition::Always,
        1 => Condition::Absent,
        _ => Condition::Revision(random.random_range(0..=revision_max)),
    }
}

/// An operation with texts alone, as a line says it.
pub(super) fn random_operation(random: &mut Xoshiro256PlusPlus) -> Operation {
    let key = key(&random_text(random, 8));
    match random.random_range(0..3) {
        0 => Operation::Put { key, value: value(&random_text(random, 20)) },
        1 => Operation::Delete { key },
        _ => Operation::CompareAndSet {
            key,
            expected: value(&random_text(random, 20)),
            new: value(&random_text(random, 20)),
        },
    }
}

/// A number of any size: all lengths are equally likely.
pub(super) fn random_number(random: &mut Xoshiro256PlusPlus) -> u64 {
    let bits = random.random_range(0..64);
    random.random::<u64>() >> bits
}

pub(super) fn random_command(random: &mut Xoshiro256PlusPlus) -> Command {
    match random.random_range(0..6) {
        0 => return Command::OpenSession { client: random_number(random) },
        1 => {
            let condition = random_condition(random, u64::MAX);
            return Command::Direct { condition, operation: random_operation_of_bytes(random) };
        }
        _ => {}
    }
    let serial = random_number(random).max(1);
    Command::Apply {
        session: SessionId(random_number(random).max(1)),
        serial,
        oldest_awaited: random_number(random).clamp(1, serial),
        operation: random_operation_of_bytes(random),
    }
}

/// An operation whose values are of any kind.
fn random_operation_of_bytes(random: &mut Xoshiro256PlusPlus) -> Operation {
    match random_operation(random) {
        Operation::Put { key, .. } => Operation::Put { key, value: random_value(random, 20) },
        delete @ Operation::Delete { .. } => delete,
        Operation::CompareAndSet { key, .. } => {
            Operation::CompareAndSet { key, expected: random_value(random, 20), new: random_value(random, 20) }
        }
    }
}

/// A store after random commands: a few sessions, retries, late copies, pairs that came and went.
pub(super) fn random_store(seed: u64) -> Store {
    let mut random = generator(seed);
    let mut bench = Bench::new(Settings { sessions_max: 4, answers_max: 3, ..Settings::default() });
    let mut sessions = alloc::vec![bench.open().0];
    for _ in 0..random.random_range(0..80) {
        if random.random_range(0..8) == 0 {
            sessions.push(bench.open().0);
        }
        let lines = ["put x 1", "put y \"1 2\"", "del x", "cas x 1 2", "cas y 1 2"];
        if random.random_range(0..4) == 0 {
            let condition = random_condition(&mut random, bench.store.applied_index());
            let operation = operation(lines[random.random_range(0..lines.len())]);
            bench.apply(&Command::Direct { condition, operation });
        }
        let serial = random.random_range(1..12);
        let command = Command::Apply {
            session: SessionId(sessions[random.random_range(0..sessions.len())]),
            serial,
            oldest_awaited: serial - random.random_range(0..serial.min(3)),
            operation: if random.random_range(0..3) == 0 {
                random_operation(&mut random)
            } else {
                operation(lines[random.random_range(0..lines.len())])
            },
        };
        bench.apply(&command);
    }
    bench.store
}
