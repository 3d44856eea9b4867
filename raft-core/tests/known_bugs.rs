mod support;

#[path = "known_bugs/disks.rs"]
mod disks;
#[path = "known_bugs/elections.rs"]
mod elections;
#[path = "known_bugs/reads.rs"]
mod reads;
