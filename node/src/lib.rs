//! A real server: `raft-core`'s consensus with a disk, a network and clients.

#![deny(missing_docs)]

pub mod peers;
pub mod storage;
