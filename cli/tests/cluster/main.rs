//! The commands for real clusters: as clients of a server that the test plays, and as a cluster of
//! real processes.

mod clients;
mod fake;
mod https;
mod local;
mod story;
mod support;
