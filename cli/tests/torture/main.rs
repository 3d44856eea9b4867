//! Servers that are killed at random moments, under load: nothing that was acknowledged is lost,
//! and what clients saw is linearizable.
//!
//! Clients write, read, compare and delete, at random servers. Meanwhile servers get SIGKILL: one,
//! two, or all of them at once, and start again on what is on their disks. At the end every key is
//! read, and our own judge reads the history. A request whose outcome isn't known stays open in it;
//! half of the writes have an idempotency key, and are made again until they are answered.
//!
//! It is a part of its own (`cargo xtask test --only cluster`), for it takes a minute or more. How
//! often servers are killed: `RAFTARIUM_KILLS`, otherwise 100. `crowd` is about many connections at
//! a time.

#![cfg(target_os = "linux")]

mod crowd;
mod servers;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use raft_core::check::linearizable::{End, History, OperationId, Outcome, Request, Verdict};
use servers::{Answer, Cluster, Luck};

/// How many clients there are.
const CLIENTS: u64 = 8;

/// How many keys are in use at a time. They change after every kill, so that few operations with
/// unknown outcomes meet on one key: the judge's work grows with those.
const KEYS: u64 = 6;

/// How long a client goes on with one write that has an idempotency key.
const PATIENCE: Duration = Duration::from_secs(60);

struct World {
    history: Mutex<History>,
    epoch: AtomicU64,
    is_over: AtomicBool,
    next_client: AtomicU64,
    counts: [AtomicU64; 3],
}

const DONE: usize = 0;
const REFUSED: usize = 1;
const UNKNOWN: usize = 2;

impl World {
    fn count(&self, which: usize) {
        self.counts[which].fetch_add(1, Ordering::Relaxed);
    }

    fn begin(&self, client: u64, key: &str, request: Request<&str>) -> OperationId {
        self.history.lock().unwrap().invoke(client, key, request, None).unwrap()
    }

    fn end(&self, id: OperationId, end: End<&str>) {
        self.history.lock().unwrap().complete(id, end, None).unwrap();
    }

    fn new_client(&self) -> u64 {
        self.next_client.fetch_add(1, Ordering::Relaxed)
    }
}

/// What an answer says, if it answers the request.
fn outcome<'a>(request: &Request<&str>, answer: &'a Answer) -> Option<Outcome<&'a str>> {
    let flag = |name: &str| answer.json[name].as_bool();
    Some(match (request, answer.status) {
        (Request::Get, 200) => Outcome::Found(Some(&answer.text)),
        (Request::Get, 404) => Outcome::Found(None),
        (Request::Put { .. }, 200) => Outcome::Written { replaced: Some(flag("replaced")?) },
        (Request::Delete, 200) => Outcome::Deleted { existed: Some(flag("existed")?) },
        (Request::CompareAndSet { .. }, 200) => Outcome::Swapped,
        (Request::CompareAndSet { .. }, 409) => Outcome::NotSwapped { actual: Some(answer.json["value"].as_str()) },
        _ => return None,
    })
}

/// Whether the answer says that nothing was done.
fn is_certain_refusal(answer: &Answer) -> bool {
    matches!(answer.status, 503 | 507)
}

fn client(world: &World, cluster: &Cluster, number: u64, seed: u64) {
    let mut luck = Luck::new(seed ^ (number + 1) << 32);
    let mut name = world.new_client();
    let mut last_value = String::new();
    let mut operations = 0_u64;
    while !world.is_over.load(Ordering::Relaxed) {
        operations += 1;
        let key = format!("k{}-{}", world.epoch.load(Ordering::Relaxed), luck.below(KEYS));
        let value = format!("{number}.{operations}");
        let expected = last_value.clone();
        let request = match luck.below(10) {
            0..4 => Request::Put { value: value.as_str() },
            4..7 => Request::Get,
            7 => Request::Delete,
            _ => Request::CompareAndSet { expected: expected.as_str(), new: value.as_str() },
        };
        let id = world.begin(name, &key, request);
        let idempotency = (!matches!(request, Request::Get) && luck.below(2) == 0).then(|| format!("{seed}-{value}"));
        let began = Instant::now();
        let answered = loop {
            let server = luck.below(cluster.count());
            let answer = cluster.ask(server, &key, &request, idempotency.as_deref());
            let is_final = answer.as_ref().is_some_and(|answer| outcome(&request, answer).is_some());
            if is_final || idempotency.is_none() || began.elapsed() > PATIENCE {
                break answer;
            }
            // The next try may find another server, or the same one started again.
            thread::yield_now();
        };
        match answered {
            Some(answer) => match outcome(&request, &answer) {
                Some(found) => {
                    if let Outcome::Found(Some(value)) = found {
                        last_value = value.to_owned();
                    }
                    world.end(id, End::Answered(found));
                    world.count(DONE);
                }
                None if idempotency.is_none() && is_certain_refusal(&answer) => {
                    world.end(id, End::Failed);
                    world.count(REFUSED);
                }
                None => {
                    assert!([503, 504, 507].contains(&answer.status), "an answer that nobody expects: {answer:?}");
                    world.count(UNKNOWN);
                    name = world.new_client();
                }
            },
            // The connection broke, or wasn't made. A read has no effect in any case.
            None if matches!(request, Request::Get) => {
                world.end(id, End::Failed);
                world.count(REFUSED);
            }
            None => {
                world.count(UNKNOWN);
                // It may still be under way: this client waits for it for ever.
                name = world.new_client();
            }
        }
    }
}

#[test]
#[ignore = "takes a minute or more; `cargo xtask test --only cluster` runs it"]
fn nothing_acknowledged_is_lost_whoever_is_killed() {
    let kills: u64 = std::env::var("RAFTARIUM_KILLS").ok().map_or(100, |text| text.parse().unwrap());
    let seed: u64 = std::env::var("RAFTARIUM_SEED").ok().map_or_else(
        || std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 & 0xffff_ffff,
        |text| text.parse().unwrap(),
    );
    println!("seed {seed}, {kills} kills");
    let mut luck = Luck::new(seed);
    let cluster = Arc::new(Cluster::start(3));
    cluster.wait_until_one_leads();
    let world = Arc::new(World {
        history: Mutex::new(History::new()),
        epoch: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        next_client: AtomicU64::new(1),
        counts: [const { AtomicU64::new(0) }; 3],
    });
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (world, cluster) = (Arc::clone(&world), Arc::clone(&cluster));
            thread::spawn(move || client(&world, &cluster, number, seed))
        })
        .collect();
    let mut killed = 0;
    while killed < kills {
        // Load between the kills, for a random time: the moment of a kill is what is tried.
        thread::sleep(Duration::from_millis(luck.below(500)));
        let victims: Vec<u64> = match luck.below(10) {
            0..3 => (0..cluster.count()).collect(),
            3..5 => {
                let spared = luck.below(cluster.count());
                (0..cluster.count()).filter(|server| *server != spared).collect()
            }
            5..8 => cluster.leader().into_iter().collect(),
            _ => vec![luck.below(cluster.count())],
        };
        for victim in &victims {
            cluster.kill(*victim);
            killed += 1;
        }
        thread::sleep(Duration::from_millis(luck.below(300)));
        for victim in &victims {
            cluster.restart(*victim);
        }
        world.epoch.fetch_add(1, Ordering::Relaxed);
        // At least one server serves, so that there is something to lose the next time.
        cluster.wait_until_one_leads();
    }
    world.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("a client saw what can't be");
    }
    cluster.wait_until_one_leads();
    let seconds = began.elapsed().as_secs();

    // What is there now.
    let keys: Vec<String> = {
        let history = world.history.lock().unwrap();
        history.keys().map(|key| history.key(key).to_string()).collect()
    };
    for (place, key) in keys.iter().enumerate() {
        let server = place as u64 % cluster.count();
        let reader = world.new_client();
        let id = world.begin(reader, key, Request::Get);
        let answer = cluster.ask_until_answered(server, key);
        let found = outcome(&Request::Get, &answer).unwrap_or_else(|| panic!("{answer:?}"));
        world.end(id, End::Answered(found));
    }
    let history = world.history.lock().unwrap();
    let [done, refused, unknown] = [DONE, REFUSED, UNKNOWN].map(|which| world.counts[which].load(Ordering::Relaxed));
    println!(
        "{killed} kills in {seconds} s; {} operations on {} keys: {done} done, {refused} refused, {unknown} unknown",
        history.operations().len(),
        keys.len(),
    );
    assert!(done > kills, "there was hardly any load");
    match history.check() {
        Verdict::Linearizable(_) => {}
        verdict => {
            let path = std::env::temp_dir().join(format!("torture-{seed}.txt"));
            std::fs::write(&path, format!("{verdict:#?}\n{history:#?}\n")).unwrap();
            panic!("the history isn't linearizable: see {}", path.display());
        }
    }
}
