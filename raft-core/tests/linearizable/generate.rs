//! Random histories, of a correct store and of one that is sometimes wrong.

use raft_core::check::linearizable::witness::Point;
use raft_core::check::linearizable::{End, History, OperationId, Outcome, Request};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

/// The parameters of a random history. Chances are in percent.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    pub operations: usize,
    pub clients: u64,
    pub keys: usize,
    /// How many values there are; 0: every write has its own.
    pub values: u32,
    pub reads: u32,
    pub swaps: u32,
    pub deletes: u32,
    /// How many operations never get an answer.
    pub unknown: u32,
    /// How many fail.
    pub failed: u32,
    /// How many answers have every detail that our own store's answers have.
    pub talkative: u32,
    /// How many answers are wrong.
    pub wrong: u32,
}

impl Recipe {
    pub const PLAIN: Recipe = Recipe {
        operations: 0,
        clients: 3,
        keys: 1,
        values: 0,
        reads: 40,
        swaps: 20,
        deletes: 10,
        unknown: 0,
        failed: 0,
        talkative: 50,
        wrong: 0,
    };
}

/// What a client is doing.
enum Doing {
    Nothing,
    /// Invoked, without effect yet.
    Waiting(OperationId, usize, Request<String>),
    /// In effect, not answered yet.
    Done(OperationId, Outcome<String>),
    /// Invoked, and will fail.
    Failing(OperationId),
}

/// A random history, and where each operation took effect.
pub fn generate(seed: u64, recipe: &Recipe) -> (History, Vec<Point>) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut history = History::new();
    let mut points = Vec::new();
    let mut store: Vec<Option<String>> = vec![None; recipe.keys];
    let mut doing: Vec<Doing> = (0..recipe.clients).map(|_| Doing::Nothing).collect();
    // Given up by the client; each can still take effect.
    let mut afloat: Vec<(OperationId, usize, Request<String>)> = Vec::new();
    let mut index = 0;
    let mut effect =
        |store: &mut Vec<Option<String>>, points: &mut Vec<Point>, id, key: usize, request: &Request<String>| {
            index += u64::from(*request != Request::Get);
            points.push(Point { operation: id, index, at: None });
            perform(&mut store[key], request)
        };
    while history.operations().len() < recipe.operations || doing.iter().any(|d| !matches!(d, Doing::Nothing)) {
        if !afloat.is_empty() && random.random_range(0..100) < 10 {
            let (id, key, request) = afloat.swap_remove(random.random_range(0..afloat.len()));
            if random.random_range(0..3) > 0 {
                effect(&mut store, &mut points, id, key, &request);
            }
        }
        let client = random.random_range(0..doing.len());
        let chance = random.random_range(0..100);
        doing[client] = match std::mem::replace(&mut doing[client], Doing::Nothing) {
            Doing::Nothing if history.operations().len() >= recipe.operations => Doing::Nothing,
            Doing::Nothing => {
                let key = random.random_range(0..recipe.keys);
                let request = invent(&mut random, recipe, history.operations().len(), store[key].as_deref());
                let id = history.invoke(client as u64, &format!("k{key}"), borrow(&request), None).unwrap();
                if chance < recipe.failed { Doing::Failing(id) } else { Doing::Waiting(id, key, request) }
            }
            Doing::Failing(id) => {
                history.complete(id, End::Failed, None).unwrap();
                Doing::Nothing
            }
            Doing::Waiting(id, key, request) if chance < recipe.unknown => {
                if chance % 2 == 0 {
                    history.complete(id, End::Unknown, None).unwrap();
                }
                afloat.push((id, key, request));
                Doing::Nothing
            }
            Doing::Waiting(id, key, request) => Doing::Done(id, effect(&mut store, &mut points, id, key, &request)),
            Doing::Done(id, mut outcome) => {
                if random.random_range(0..100) < recipe.wrong {
                    outcome = distort(&mut random, recipe, outcome);
                }
                if random.random_range(0..100) >= recipe.talkative {
                    outcome = reticent(outcome);
                }
                history.complete(id, End::Answered(borrow_outcome(&outcome)), None).unwrap();
                Doing::Nothing
            }
        };
    }
    (history, points)
}

fn invent(random: &mut Xoshiro256PlusPlus, recipe: &Recipe, number: usize, now: Option<&str>) -> Request<String> {
    let mut fresh = || match recipe.values {
        0 => number.to_string(),
        values => random.random_range(0..values).to_string(),
    };
    let (value, other) = (fresh(), fresh());
    let kind = random.random_range(0..100);
    if kind < recipe.reads {
        Request::Get
    } else if kind < recipe.reads + recipe.swaps {
        // In most cases the present value, so that it swaps.
        let expected = now.filter(|_| random.random_range(0..4) > 0).map_or(other, str::to_owned);
        Request::CompareAndSet { expected, new: value }
    } else if kind < recipe.reads + recipe.swaps + recipe.deletes {
        Request::Delete
    } else {
        Request::Put { value }
    }
}

/// Performs a request as a plain store does.
pub fn perform(register: &mut Option<String>, request: &Request<String>) -> Outcome<String> {
    match request {
        Request::Get => Outcome::Found(register.clone()),
        Request::Put { value } => Outcome::Written { replaced: Some(register.replace(value.clone()).is_some()) },
        Request::Delete => Outcome::Deleted { existed: Some(register.take().is_some()) },
        Request::CompareAndSet { expected, new } if register.as_ref() == Some(expected) => {
            *register = Some(new.clone());
            Outcome::Swapped
        }
        Request::CompareAndSet { .. } => Outcome::NotSwapped { actual: Some(register.clone()) },
    }
}

fn distort(random: &mut Xoshiro256PlusPlus, recipe: &Recipe, outcome: Outcome<String>) -> Outcome<String> {
    let values = if recipe.values == 0 { recipe.operations as u32 } else { recipe.values };
    let other = (random.random_range(0..5) > 0).then(|| random.random_range(0..values).to_string());
    match outcome {
        Outcome::Found(_) => Outcome::Found(other),
        Outcome::Written { replaced } => Outcome::Written { replaced: replaced.map(|replaced| !replaced) },
        Outcome::Deleted { existed } => Outcome::Deleted { existed: existed.map(|existed| !existed) },
        Outcome::Swapped => Outcome::NotSwapped { actual: Some(other) },
        Outcome::NotSwapped { .. } if random.random_range(0..2) == 0 => Outcome::Swapped,
        Outcome::NotSwapped { .. } => Outcome::NotSwapped { actual: Some(other) },
    }
}

/// The same answer from a system that reports fewer details.
fn reticent(outcome: Outcome<String>) -> Outcome<String> {
    match outcome {
        Outcome::Written { .. } => Outcome::Written { replaced: None },
        Outcome::Deleted { .. } => Outcome::Deleted { existed: None },
        Outcome::NotSwapped { .. } => Outcome::NotSwapped { actual: None },
        other => other,
    }
}

pub fn borrow(request: &Request<String>) -> Request<&str> {
    match request {
        Request::Get => Request::Get,
        Request::Put { value } => Request::Put { value },
        Request::Delete => Request::Delete,
        Request::CompareAndSet { expected, new } => Request::CompareAndSet { expected, new },
    }
}

pub fn borrow_outcome(outcome: &Outcome<String>) -> Outcome<&str> {
    match outcome {
        Outcome::Found(value) => Outcome::Found(value.as_deref()),
        Outcome::Written { replaced } => Outcome::Written { replaced: *replaced },
        Outcome::Deleted { existed } => Outcome::Deleted { existed: *existed },
        Outcome::Swapped => Outcome::Swapped,
        Outcome::NotSwapped { actual } => Outcome::NotSwapped { actual: actual.as_ref().map(Option::as_deref) },
    }
}

/// A request of the history with its texts.
pub fn request(history: &History, id: OperationId) -> Request<String> {
    let text = |id| history.text(id).to_string();
    match history.operation(id).request {
        Request::Get => Request::Get,
        Request::Put { value } => Request::Put { value: text(value) },
        Request::Delete => Request::Delete,
        Request::CompareAndSet { expected, new } => Request::CompareAndSet { expected: text(expected), new: text(new) },
    }
}

/// An answer of the history with its texts.
pub fn answer(history: &History, id: OperationId) -> Option<Outcome<String>> {
    let text = |id| history.text(id).to_string();
    history.operation(id).answer().map(|(_, outcome)| match outcome {
        Outcome::Found(value) => Outcome::Found(value.map(text)),
        Outcome::Written { replaced } => Outcome::Written { replaced },
        Outcome::Deleted { existed } => Outcome::Deleted { existed },
        Outcome::Swapped => Outcome::Swapped,
        Outcome::NotSwapped { actual } => Outcome::NotSwapped { actual: actual.map(|actual| actual.map(text)) },
    })
}

/// Whether `said` is a correct answer to an operation with the result `done`, with or without
/// details.
pub fn agrees(said: &Outcome<String>, done: &Outcome<String>) -> bool {
    said == done || *said == reticent(done.clone())
}
