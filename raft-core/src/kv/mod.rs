//! The replicated key-value store: what every server does with the committed entries of its log.
//!
//! This module knows nothing of consensus. It gets a log index as a plain `u64` and an entry's
//! bytes, in log order, and returns what the entry did. It uses nothing else (no clock, no
//! randomness, no addresses, no hash map's order). So servers that apply the same entries hold
//! equal stores, which is all that Raft needs from a state machine (Raft §2, §5.3).
//!
//! # Operations and queries
//!
//! A client asks for one [`Request`] at a time. An [`Operation`] changes the store (put, delete,
//! compare-and-set) and travels through the log. A [`Query`] only reads; it is answered by
//! [`Store::query`] on a server that knows that it may answer (read index or lease, dissertation
//! §6.4), and has no place in the log. Both give an [`Outcome`], which tells the client all there
//! is to know: whether the put replaced a value, which other value the compare-and-set found.
//!
//! A [`Key`] is 1 to 256 bytes of UTF-8, a [`Value`] 0 to 65,536 bytes of any kind. Both are
//! checked when they are made, and all other code relies on that. A clone is cheap: long ones are
//! shared.
//!
//! # Revisions, ranges and changes
//!
//! Each pair has a *revision*: the index of the entry that set it. The store has one, too: the
//! index of the last entry that changed a pair or removed one ([`Store::revision`]). A put is a
//! change even if it sets the value that was there. [`Store::range`] lists pairs in the order of
//! their keys, by prefix and from any key on. [`Change::of`] says what an entry changed, for
//! whoever watches the store, from the entry and its answer alone.
//!
//! # Commands
//!
//! A [`Command`] is what an entry carries, encoded to bytes. It opens a client session, applies an
//! operation within one, or applies an operation *directly*, without a session and on a
//! [`Condition`]: that the key has no value, or that its pair's revision is still the one that the
//! client knows. What an entry did is told by [`Applied`], which has an encoding, too: a driver
//! that knows only a [`StateMachine`](crate::state_machine::StateMachine) carries its bytes to
//! whoever asked. The encoding is small and has a version. Every command has exactly one encoding.
//! [`Command::decode`] takes any bytes without panicking, and says where they stop making sense. A
//! committed entry that makes no sense is skipped, on every server alike: to skip it on one server
//! and not on another would be worse than anything that it could contain.
//!
//! # Sessions: each operation takes effect once
//!
//! A client whose request timed out can't know whether the request was committed. If the client
//! just sends it again, it may be applied twice: a compare-and-set then reports "not swapped" to
//! the same client whose swap succeeded, and a delayed copy of an old put overwrites a newer value.
//! So (Raft §8, dissertation §6.3):
//!
//! * A client first opens a session through the log. The index at which that entry is applied
//!   becomes the session's id ([`SessionId`]): every server computes the same id, and no id is
//!   given twice.
//! * The client numbers its operations from 1 (the *serial*) and uses the same serial when it
//!   retries.
//! * The session remembers the outcome of each serial. A serial seen before is not executed again:
//!   the recorded outcome is the answer, marked as a duplicate ([`Applied::Answered`]).
//! * With each operation the client says which is the oldest serial whose answer it still awaits;
//!   outcomes below it are forgotten. A serial below it is refused
//!   ([`StoreRefusal::SerialTooOld`]): its answer has arrived, so this is a late copy from the
//!   network.
//!
//! The number of sessions is limited. When one too many is opened, the session that was used least
//! recently, counted in log indexes, expires ([`Settings::sessions_max`]). Optionally, a session
//! that is idle for too many entries expires, too ([`Settings::session_idle_max`]). The log alone
//! decides about expiry, never a clock: two servers' clocks would disagree about it, and then their
//! stores would, too. An operation in an expired session is refused, not executed, because only the
//! session knew whether an earlier try had been executed.
//!
//! A direct operation has no session: it is executed each time that it is in the log. Its
//! condition, or a request key ([`once`](crate::once)), can prevent what a retry would do.
//!
//! The recognition of retries can be switched off ([`Settings::deduplicate`]), to see why it
//! exists.
//!
//! # Snapshots
//!
//! [`Store::snapshot`] gives the whole state as bytes, including the sessions: a server that
//! restored the pairs but not the sessions would execute a retry that all others recognise
//! (dissertation §6.3). Equal states give equal bytes. [`Store::restore`] first checks a checksum,
//! then every length, order and bound, and names the byte at which a snapshot is wrong.
//!
//! # Comparing stores
//!
//! [`Store::digest`] is a number that equal stores share, kept up to date as entries are applied,
//! so that a checker can compare every server after every entry. It is the same on every platform.
//! The derived `Hash` of these types is *not* (it feeds a pointer-sized number to the hasher):
//! don't use it for anything that is compared between platforms.
//!
//! # The text form
//!
//! `put x 1`, `get x`, `delete x`, `cas x 1 2`: [`Request`] parses such lines, and prints as one.
//! Lines say texts; a value that is no text is shown escaped (`"\xff"`), and can't be entered so.
//!
//! # Caveats
//!
//! * The digest and the snapshot's checksum detect accidents, not attacks: neither is
//!   cryptographic.
//! * A session remembers at most [`Settings::answers_max`] outcomes. A client with more operations
//!   in flight may get `SerialTooOld` for one that was never executed. No operation is ever
//!   executed twice.
//! * A snapshot's pairs may claim one revision for two pairs, though an entry sets only one.
//!   Restoring doesn't look for that; everything else that can't be is refused.
//! * A client that retries the *opening* of a session may open two. The second does no harm; it
//!   expires in its turn.
//! * An idle session past [`Settings::session_idle_max`] is removed when it is next used or when
//!   the next session opens, not before; until then it is listed and is part of snapshots. This is
//!   the same on all servers.
//! * A remembered "not swapped" outcome keeps the value that it reports in memory, even after the
//!   store has dropped it. (Request keys remember it without the value if that is long:
//!   [`Store::REMEMBERED_BYTES_MAX`].)

mod applied;
mod change;
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
pub use applied::{Applied, StoreRefusal};
pub use change::Change;
pub use command::{Asks, Command, Condition, in_words};
pub use command_line::CommandLine;
pub use line::{LineError, Verb};
pub use operation::{Operation, Outcome, Query, Request};
pub use session::{Session, SessionId, Settings};
pub use snapshot::SnapshotError;
pub use store::Store;
pub use text::{Field, Key, TextError, Value};

/// The kinds of things that have digests. Things of different kinds with equal content have
/// different digests.
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
