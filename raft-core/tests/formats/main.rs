//! Runs as links and files, and what comes of runs as logs: whatever is written is read again, and
//! nothing else is.

mod files;
mod findings;
mod histories;
mod links;
mod pairs;
mod runs;
mod schema;
mod traces;
