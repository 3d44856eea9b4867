//! The replicated key-value store: what every server does with the entries its log has committed.
//!
//! This module knows no consensus. It is handed a log index as a plain `u64` and an entry's bytes,
//! in log order, and answers with what the entry did. Because it consults nothing else (no clock,
//! no randomness, no addresses, no hash map's order), servers that apply the same entries hold
//! equal stores, which is all that Raft asks of a state machine (Raft §2, §5.3).
//!
//! # Operations and queries
//!
//! A client asks for one [`Request`] at a time. An [`Operation`] changes the store (put, delete,
//! compare-and-set) and travels through the log. A [`Query`] only reads; it is answered by
//! [`Store::query`] on a server that knows it may answer (read index or lease, dissertation §6.4),
//! and has no place in the log. Both give an [`Outcome`], rich enough to tell the client the whole
//! truth: whether the put replaced something, which value stood in the way of the compare-and-set.
//!
//! A [`Key`] is 1 to 256 bytes of UTF-8, a [`Value`] 1 to 65,536. Both are checked when made, so
//! that everything past that point can rely on it, and both share their text: a clone is a counter
//! going up.
//!
//! # Commands
//!
//! A [`Command`] is what an entry carries, encoded to bytes. It either opens a client session or
//! applies an operation within one. The encoding is small and has a version; every command has
//! exactly one encoding; [`Command::decode`] looks at any bytes at all without panicking and says
//! where they stop making sense. A committed entry that makes no sense is skipped, and is skipped
//! alike everywhere: refusing it on one server and not on another would be worse than anything it
//! could contain.
//!
//! # Sessions: each operation takes effect once
//!
//! A client whose request timed out can't know whether it was committed. If it just sends it again,
//! it may be applied twice: a compare-and-set then reports "not swapped" to the very client whose
//! swap succeeded, and a delayed copy of an old put overwrites a newer value. So (Raft §8,
//! dissertation §6.3):
//!
//! * A client first opens a session through the log. The index at which that entry is applied names
//!   the session ([`SessionId`]): every server computes the same name, and none is ever given
//!   twice.
//! * The client numbers its operations from 1 (the *serial*) and uses the same serial when it
//!   retries.
//! * The session remembers the outcome of each serial. A serial seen before is not executed again:
//!   the recorded outcome is the answer, marked as a duplicate ([`Applied::Answered`]).
//! * With each operation the client says which is the oldest serial it still awaits; outcomes below
//!   it are forgotten. A serial below that is refused ([`Refusal::SerialTooOld`]): its answer has
//!   arrived, and what comes now is a straggler from the network.
//!
//! Sessions are bounded in number. Opening one too many expires the session used least recently,
//! counted in log indexes ([`Settings::sessions_max`]); optionally, so does being idle for too many
//! entries ([`Settings::session_idle_max`]). Expiry is decided by the log alone and never by a
//! clock, for two servers' clocks would disagree about it, and then their stores would too. An
//! operation in an expired session is refused, not executed: with the session went the only
//! knowledge of whether an earlier try had been executed.
//!
//! Recognising retries can be switched off ([`Settings::deduplicate`]) to see what it is for.
//!
//! # Snapshots
//!
//! [`Store::snapshot`] gives the whole state as bytes, sessions included: a server that restored
//! the pairs but not the sessions would execute a retry that all others recognise (dissertation
//! §6.3). Equal states give equal bytes. [`Store::restore`] checks a checksum first and then every
//! length, order and bound, and names the byte at which a snapshot is wrong.
//!
//! # Comparing stores
//!
//! [`Store::digest`] is a number that equal stores share, kept up to date as entries are applied,
//! so that a checker can compare every server after every entry. It is the same on every platform.
//! The derived `Hash` of these types is *not* (it feeds a pointer-sized number to the hasher):
//! don't let it into anything that is compared between machines.
//!
//! # The text form
//!
//! `put x 1`, `get x`, `delete x`, `cas x 1 2`: [`Request`] parses such lines and prints itself as
//! one.
//!
//! # Caveats
//!
//! * The digest and the snapshot's checksum catch accidents, not adversaries: neither is
//!   cryptographic.
//! * A session remembers at most [`Settings::answers_max`] outcomes. A client that keeps more
//!   operations than that in flight may be told `SerialTooOld` for one that was never executed. It
//!   is still never executed twice.
//! * A client whose *opening* of a session is retried may open two. The spare one does no harm; it
//!   is expired in its turn.
//! * An idle session past [`Settings::session_idle_max`] is removed when it is next used or when
//!   the next session opens, not before; until then it is listed and is part of snapshots. All
//!   servers do so alike.
//! * A remembered "not swapped" outcome holds on to the value it reports, even after the store has
//!   dropped it.

pub(crate) mod codec;
mod command;
mod command_line;
mod line;
mod machine;
mod operation;
mod pairs;
mod session;
mod snapshot;
mod store;
#[cfg(test)]
mod testing;
mod text;
mod word;

use crate::hash::Digest;
pub use command::Command;
pub use command_line::CommandLine;
pub use line::{LineError, Verb};
pub use operation::{Operation, Outcome, Query, Request};
pub use session::{Session, SessionId, Settings};
pub use snapshot::SnapshotError;
pub use store::{Applied, Refusal, Store};
pub use text::{Field, Key, TextError, Value};

/// What a digest is of: things of different kinds with equal content have different digests.
#[derive(Clone, Copy, Debug)]
enum Domain {
    Pair = 1,
    Session = 2,
    Answer = 3,
    Store = 4,
    Snapshot = 5,
}

impl Domain {
    /// The beginning of a digest of this kind.
    fn digest(self) -> Digest {
        Digest::new(self as u64)
    }
}
