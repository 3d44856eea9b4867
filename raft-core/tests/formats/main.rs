//! Runs as links and files, and logs of runs: everything that is written can be read again, and
//! nothing else can be read.

mod files;
mod findings;
mod histories;
#[path = "../support/kept.rs"]
mod kept;
mod links;
mod pairs;
mod recordings;
mod runs;
mod schema;
mod traces;
