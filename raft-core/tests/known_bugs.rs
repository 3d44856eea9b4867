#[path = "support/both_ways.rs"]
mod both_ways;
mod support;

#[path = "known_bugs/disks.rs"]
mod disks;
#[path = "known_bugs/elections.rs"]
mod elections;
#[path = "known_bugs/log.rs"]
mod log;
#[path = "known_bugs/membership.rs"]
mod membership;
#[path = "known_bugs/reads.rs"]
mod reads;
