//! The HTTP API of servers in this process: what it answers, and that its document says so.

#[path = "../support/authority.rs"]
mod authority;
mod client;
mod cluster;
mod connections;
mod disks;
mod document;
mod forward;
mod pairs;
mod streams;
mod surroundings;
mod tls;
