//! Any bytes as the life of a server among liars: what happens to it, and what it is told. It is
//! the world that the test `extremes` rolls dice for; here the fuzzer looks for choices that lead
//! somewhere new.
#![no_main]

#[allow(dead_code)] // The tests of the core use the rest.
#[path = "../../raft-core/tests/support/hostile.rs"]
mod hostile;

use hostile::{Choices, World};
use libfuzzer_sys::fuzz_target;

/// Choices from bytes: two of them for each, so that a byte changed is a choice changed. When they
/// are used up, every choice is the first.
struct Bytes<'a>(&'a [u8]);

impl Choices for Bytes<'_> {
    fn below(&mut self, limit: u64) -> u64 {
        let Some((chosen, rest)) = self.0.split_first_chunk() else {
            self.0 = &[];
            return 0;
        };
        self.0 = rest;
        u64::from(u16::from_le_bytes(*chosen)) % limit
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut choices = Bytes(bytes);
    if let Ok(mut world) = World::new(&mut choices) {
        while !choices.0.is_empty() {
            world.step(&mut choices);
        }
        world.correct_servers_bring_it_back();
    }
});
