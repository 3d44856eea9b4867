//! A real server: `raft-core`'s consensus with a disk, a network and clients.
//!
//! # Rooms
//! * [`storage`]: what a server must not forget, on a disk, and the folder it lives in.
//! * [`peers`]: messages between the servers, on connections that prove themselves.
//! * [`machine`]: the members' addresses, replicated around any state machine; [`store`]: the state
//!   machine that servers host.
//! * [`driver`]: the loop that owns [`Raft`](raft_core::raft::Raft) and carries out what it
//!   decides.
//! * [`changes`], [`events`], [`metrics`]: what is told of a server as it runs.
//! * [`http`]: what clients and administrators ask for; [`server`] puts a whole one together.
//!
//! `storage` and `peers` know nothing of each other, nor of anything after them in this list. The
//! driver knows neither the store nor HTTP: it hosts any
//! [`StateMachine`](raft_core::state_machine::StateMachine). To host one of your own, write what
//! [`server`] does with it in place of the store.

#![deny(missing_docs)]

pub mod changes;
mod clock;
pub mod driver;
pub mod events;
pub mod http;
pub mod machine;
pub mod metrics;
pub mod peers;
mod plain_file;
pub mod server;
pub mod storage;
pub mod store;
