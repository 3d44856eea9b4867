//! A world in which only the test acts.

use raft_core::raft::ServerId;
use raft_core::sim::{Scenario, Simulation};

pub fn s(number: u8) -> ServerId {
    ServerId::new(number).expect("a test names servers from 1")
}

/// A cluster without clients: only the test uses it.
pub fn quiet(seed: u64, servers: u8) -> Simulation {
    let mut scenario = Scenario::new(seed, servers);
    scenario.parameters.clients.count = 0;
    Simulation::new(scenario).expect("the default parameters make a world")
}
