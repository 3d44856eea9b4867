//! A real server: `raft-core`'s consensus with a disk, a network and clients.

#![deny(missing_docs)]

pub mod changes;
mod clock;
pub mod driver;
pub mod events;
pub mod http;
pub mod machine;
pub mod metrics;
pub mod peers;
pub mod server;
pub mod storage;
pub mod store;
