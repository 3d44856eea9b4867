//! A bank in the simulated world: how to put a state machine of your own there, and hunt for what
//! is wrong with it.
//!
//! * `cargo run --release -p raftarium-core --example bank` plays a bank that is right through two
//!   hundred storms: crashes, cut links, slow disks, clocks that jump, servers that come and go.
//! * `… -- --bug snapshot` and `… -- --bug retry` play one with a bug, until a storm finds it, and
//!   make that storm small. `--seeds 1000` tries more of them.
//!
//! Three things are to be written: the state machine, what clients ask of it, and a test that
//! hunts. They come here in this order.

use std::collections::BTreeMap;
use std::process::ExitCode;

use raft_core::raft::Bytes;
use raft_core::sim::{Ask, Luck, Service};
use raft_core::state_machine::{RestoreError, StateMachine};
use raft_core::trial::{Hunt, own};

// ------------------------------------------------------------------------ the state machine

/// So many accounts there are, and so much is in each at first.
const ACCOUNTS: usize = 5;
const ENDOWMENT: u64 = 100;

/// What is wrong with a bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    /// Its snapshot forgets which transfers have been made. A server that is restored from it makes
    /// one again that is in the log twice, and the others don't.
    ForgetfulSnapshot,
    /// A transfer that is asked for again is paid out again.
    PaidAgain,
}

/// Accounts, and what has been done for whom: all of it is the state, for all of it decides what
/// comes next.
#[derive(Clone, Debug)]
struct Bank {
    accounts: [u64; ACCOUNTS],
    /// By client, the number of its latest transfer, and whether there was enough for it. A client
    /// asks for one thing at a time, so that this is enough to know a transfer again that it asks
    /// for again. A `BTreeMap`, since a `HashMap` has another order on every server.
    served: BTreeMap<u64, (u64, bool)>,
    bug: Option<Bug>,
}

impl Bank {
    fn new(bug: Option<Bug>) -> Bank {
        Bank { accounts: [ENDOWMENT; ACCOUNTS], served: BTreeMap::new(), bug }
    }

    /// Whether there was enough for it.
    fn transfer(&mut self, from: usize, to: usize, amount: u64) -> bool {
        let enough = self.accounts[from] >= amount;
        if enough {
            self.accounts[from] -= amount;
            self.accounts[to] += amount;
        }
        enough
    }
}

impl StateMachine for Bank {
    /// A command is a line of numbers: the client, which of its transfers this is, from which
    /// account, to which, how much. One that makes no sense is answered, too: it is in the log, and
    /// every server must come past it.
    fn apply(&mut self, _index: u64, command: &[u8]) -> Vec<u8> {
        let Some([client, number, from, to, amount]) = numbers(command) else { return b"no transfer".to_vec() };
        let (from, to) = (from as usize, to as usize);
        if from.max(to) >= ACCOUNTS {
            return b"no such account".to_vec();
        }
        let enough = match self.served.get(&client) {
            // Somebody who heard nothing asks again: here lies what would be done twice. It is
            // told what it would have been told the first time.
            Some((latest, enough)) if *latest == number => {
                if self.bug == Some(Bug::PaidAgain) && *enough {
                    self.accounts[to] += amount;
                }
                *enough
            }
            // An old try comes late, and nobody waits for its answer any more.
            Some((latest, _)) if *latest > number => return b"long done".to_vec(),
            _ => self.transfer(from, to, amount),
        };
        self.served.insert(client, (number, enough));
        if enough { b"done".to_vec() } else { b"not enough".to_vec() }
    }

    /// A line of accounts, and one for each client.
    fn snapshot(&self) -> Vec<u8> {
        let mut text = self.accounts.map(|account| account.to_string()).join(" ");
        if self.bug != Some(Bug::ForgetfulSnapshot) {
            for (client, (number, enough)) in &self.served {
                text += &format!("\n{client} {number} {}", u8::from(*enough));
            }
        }
        text.into_bytes()
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let mut lines = snapshot.split(|byte| *byte == b'\n');
        let accounts = lines.next().and_then(numbers);
        self.accounts = accounts.ok_or_else(|| RestoreError::new(format!("it has no {ACCOUNTS} accounts")))?;
        self.served.clear();
        for line in lines {
            let [client, number, enough] = numbers(line).ok_or_else(|| RestoreError::new("a line is no client"))?;
            self.served.insert(client, (number, enough == 1));
        }
        Ok(())
    }

    /// Money is neither made nor lost. Asked after every command, on every server.
    fn check(&self) -> Result<(), String> {
        let (sum, due) = (self.accounts.iter().sum::<u64>(), ENDOWMENT * ACCOUNTS as u64);
        if sum == due { Ok(()) } else { Err(format!("there are {sum} in all accounts, and {due} were paid in")) }
    }
}

/// The numbers in a line, if it has as many.
fn numbers<const COUNT: usize>(line: &[u8]) -> Option<[u64; COUNT]> {
    let words = std::str::from_utf8(line).ok()?.split(' ');
    let numbers: Option<Vec<u64>> = words.map(|word| word.parse().ok()).collect();
    numbers?.try_into().ok()
}

// ------------------------------------------------------------------------ its clients

/// A client moves some money about. `ask` says who it is and which of its transfers this is: with
/// both in the command, the bank knows one again. Nothing but `ask` and `luck` may matter here.
fn transfer(ask: Ask, luck: &mut Luck) -> Vec<u8> {
    let (from, to) = (luck.below(ACCOUNTS as u64), luck.below(ACCOUNTS as u64));
    format!("{} {} {from} {to} {}", ask.client.0, ask.number, luck.below(60)).into_bytes()
}

fn service(bug: Option<Bug>) -> Service {
    Service::new(move || Bank::new(bug), transfer)
}

// ------------------------------------------------------------------------ the hunt

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((bug, seeds)) = parse(&arguments) else {
        eprintln!("usage: bank [--bug snapshot|retry] [--seeds NUMBER]");
        return ExitCode::from(2);
    };
    let service = service(bug);
    let hunted = match own::hunt(&service, &Hunt::default(), 0..seeds) {
        Ok(hunted) => hunted,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    // What was found, and what was put to the test: “none found anything” says nothing of what
    // never happened.
    println!("{hunted}");
    let Some(found) = hunted.found else {
        return if hunted.storms > 0 { ExitCode::SUCCESS } else { ExitCode::from(2) };
    };
    let small = found.shrink(&service, 400);
    let (before, after) = (found.run.scenario.actions.len(), small.run.scenario.actions.len());
    println!("\nmade small, from {before} actions to {after}:\n{small}");
    // The small run is played again by the same call that a test would have for it, and the world
    // is there to be looked at.
    if let Ok(played) = own::play(&small.run, &service) {
        println!("\nthe last that was asked for there:");
        let operations: Vec<_> = played.world.own_operations().collect();
        for operation in operations.iter().rev().take(5).rev() {
            let end = operation.end.as_ref().map_or("still under way".to_string(), |(_, end)| end.to_string());
            println!("  {}  {} asks for “{}”: {end}", operation.began, operation.client, text(&operation.command));
        }
        for machine in played.world.machines() {
            println!("  {}  {:?}", machine.id(), machine.state_machine());
        }
    }
    ExitCode::FAILURE
}

fn text(command: &Bytes) -> String {
    String::from_utf8_lossy(command).into_owned()
}

/// Which bug, and how many seeds; nothing if it isn't understood.
fn parse(arguments: &[String]) -> Option<(Option<Bug>, u64)> {
    let (mut bug, mut seeds) = (None, 200);
    for pair in arguments.chunks(2) {
        match (pair[0].as_str(), pair.get(1)?.as_str()) {
            ("--bug", "snapshot") => bug = Some(Bug::ForgetfulSnapshot),
            ("--bug", "retry") => bug = Some(Bug::PaidAgain),
            ("--seeds", number) => seeds = number.parse().ok()?,
            _ => return None,
        }
    }
    Some((bug, seeds))
}

/// What a developer has in the tests of a state machine.
#[cfg(test)]
mod tests {
    use super::*;

    /// The first failure among so many seeds, if there is one.
    fn first_failure(bug: Option<Bug>, seeds: u64) -> Option<own::Found> {
        let hunted = own::hunt(&service(bug), &Hunt::default(), 0..seeds).expect("a hunt that can be played");
        assert!(hunted.found.is_some() || hunted.gaps().is_empty(), "{hunted}");
        hunted.found
    }

    #[test]
    fn the_bank_survives() {
        if let Some(found) = first_failure(None, 40) {
            panic!("{found}");
        }
    }

    #[test]
    fn a_snapshot_that_forgets_is_found() {
        let found = first_failure(Some(Bug::ForgetfulSnapshot), 40).expect("a failure").to_string();
        assert!(found.contains("something that matters isn’t in"), "{found}");
    }

    #[test]
    fn a_transfer_that_is_paid_again_is_found() {
        let found = first_failure(Some(Bug::PaidAgain), 40).expect("a failure").to_string();
        assert!(found.contains("in all accounts, and 500 were paid in"), "{found}");
    }

    /// What the hunt can't tell, a plain test does.
    #[test]
    fn a_transfer_is_made_once_however_often_it_is_asked_for() {
        let mut bank = Bank::new(None);
        assert_eq!(bank.apply(1, b"2 1 0 1 70"), b"done");
        assert_eq!(bank.apply(2, b"2 1 0 1 70"), b"done");
        assert_eq!(bank.accounts, [30, 170, 100, 100, 100]);
        assert_eq!(bank.apply(3, b"2 2 0 1 70"), b"not enough");
        assert_eq!(bank.apply(4, b"2 1 0 1 70"), b"long done");
        for nonsense in [&b"2 3 0 5 1"[..], b"2 3 0 1", b"", b"2 3 0 1 -1", b"\xff"] {
            let answer = bank.apply(5, nonsense);
            assert!([b"no such account".to_vec(), b"no transfer".to_vec()].contains(&answer));
        }
        let mut restored = Bank::new(None);
        restored.restore(&bank.snapshot()).expect("its own snapshot");
        assert_eq!((restored.accounts, &restored.served), (bank.accounts, &bank.served));
        assert!(restored.restore(b"1 2 3").is_err());
    }

    #[test]
    fn arguments_are_understood_or_refused() {
        let parse = |line: &str| parse(&line.split_whitespace().map(String::from).collect::<Vec<_>>());
        assert_eq!(parse(""), Some((None, 200)));
        assert_eq!(parse("--bug retry --seeds 7"), Some((Some(Bug::PaidAgain), 7)));
        assert_eq!(parse("--bug"), None);
        assert_eq!(parse("--bug other"), None);
    }
}
