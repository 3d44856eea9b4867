//! Ten million inputs with extreme values, to a server in every role: it doesn't panic, restarts
//! from its disk, and correct servers can bring it up to date. `support/hostile.rs` says how the
//! inputs are drawn and what is asserted after each.

mod support;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use support::hostile::{Choices, Seen, World};

struct Dice(Xoshiro256PlusPlus);

impl Choices for Dice {
    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(limit)) >> 64) as u64
    }
}

/// How many inputs there are in all, and in the life of one server.
const INPUTS: u64 = 10_000_000;
const LIFE: u64 = 500;

/// How many threads share the work.
const PARTS: u64 = 4;

fn part(part: u64) -> Seen {
    let mut total = Seen::default();
    let lives = INPUTS / PARTS / LIFE;
    let (mut lived, mut seed) = (0, part << 32);
    while lived < lives {
        seed += 1;
        let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(seed));
        match World::new(&mut dice) {
            Err(error) => {
                assert!(!error.to_string().is_empty());
                total.bad_images += 1;
            }
            Ok(mut world) => {
                for _ in 0..LIFE {
                    world.step(&mut dice);
                }
                total.add(&world.correct_servers_bring_it_back());
                lived += 1;
            }
        }
    }
    total
}

#[test]
fn no_message_makes_a_server_panic_spoils_its_disk_or_stops_it_for_ever() {
    let threads: Vec<_> = (0..PARTS).map(|number| std::thread::spawn(move || part(number))).collect();
    let mut seen = Seen::default();
    for thread in threads {
        seen.add(&thread.join().expect("every server survives"));
    }
    // The test covers enough: each role gets enough inputs, of every kind.
    assert_eq!(seen.roles.iter().sum::<u64>(), INPUTS);
    assert!(seen.roles.iter().all(|inputs| *inputs > INPUTS / 100), "{seen:?}");
    assert!(seen.messages.iter().all(|messages| *messages > INPUTS / 50), "{seen:?}");
    assert!(seen.impossible > INPUTS / 20 && seen.leaps > INPUTS / 1_000, "{seen:?}");
    assert!(seen.restarts > INPUTS / 100 && seen.installed > INPUTS / 1_000, "{seen:?}");
    assert!(seen.bad_images > 1_000 && seen.exhausted > 1_000 && seen.brought_back > INPUTS / LIFE / 4, "{seen:?}");
    println!("{seen:?}");
}
