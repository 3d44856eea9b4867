//! What servers say to each other: one struct a message, with who sends it, to whom, and what each
//! field means.
//!
//! | message | sender | receiver | means |
//! | --- | --- | --- | --- |
//! | [`PreVote`] | pre-candidate | voters | "would you vote for me?" (dissertation §9.6) |
//! | [`PreVoteResponse`] | anyone | pre-candidate | "I would", or why not |
//! | [`RequestVote`] | candidate | voters | "vote for me in this term" (Raft §5.2) |
//! | [`RequestVoteResponse`] | anyone | candidate | "you have my vote", or not |
//! | [`AppendEntries`] | leader | members | "append these"; with no entries, a heartbeat (Raft §5.3) |
//! | [`AppendEntriesResponse`] | member | leader | "my log matches yours up to here", or where they part |
//! | [`InstallSnapshot`] | leader | a member too far behind | a piece of a snapshot (Raft §7) |
//! | [`InstallSnapshotResponse`] | member | leader | "I have that many bytes of it" |
//! | [`TimeoutNow`] | leader | its chosen successor | "campaign at once" (dissertation §3.10) |
//! | [`ReadIndex`] | follower | leader | "up to where must I apply before I answer a read?" (dissertation §6.4) |
//! | [`ReadIndexResponse`] | leader | follower | "up to here", or that it can't say |
//!
//! Every message carries its sender's term; a receiver that learns of a higher one adopts it (Raft
//! §5.1), except that pre-votes only speak about the term that *would* come.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::entry::Entries;
use super::membership::Configuration;
use super::types::{DiskId, EntryId, LogIndex, ServerId, Term};
use crate::hash::checksum;
use crate::time::{Duration, Time};

macro_rules! messages {
    ($($(#[$doc:meta])+ $message:ident($content:ty);)+) => {
        /// Any message between two servers.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Message {
            $($(#[$doc])+ $message($content),)+
        }

        impl Message {
            /// The sender's term.
            pub const fn term(&self) -> Term {
                match self {
                    $(Message::$message(m) => m.term,)+
                }
            }

            /// Its name in the paper's words, for people.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Message::$message(_) => stringify!($message),)+
                }
            }
        }
    };
}

messages! {
    /// See [`PreVote`].
    PreVote(PreVote);
    /// See [`PreVoteResponse`].
    PreVoteResponse(PreVoteResponse);
    /// See [`RequestVote`].
    RequestVote(RequestVote);
    /// See [`RequestVoteResponse`].
    RequestVoteResponse(RequestVoteResponse);
    /// See [`AppendEntries`].
    AppendEntries(AppendEntries);
    /// See [`AppendEntriesResponse`].
    AppendEntriesResponse(AppendEntriesResponse);
    /// See [`InstallSnapshot`]. Much larger than the others and rare: boxed, so that those are
    /// cheap to pass on.
    InstallSnapshot(Box<InstallSnapshot>);
    /// See [`InstallSnapshotResponse`].
    InstallSnapshotResponse(InstallSnapshotResponse);
    /// See [`TimeoutNow`].
    TimeoutNow(TimeoutNow);
    /// See [`ReadIndex`].
    ReadIndex(ReadIndex);
    /// See [`ReadIndexResponse`].
    ReadIndexResponse(ReadIndexResponse);
}

/// A message and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// The receiver.
    pub to: ServerId,
    /// What it is told.
    pub message: Message,
}

/// "Would you vote for me in the next term?" Asked before the term is raised, so that a server that
/// can't win doesn't disturb one that leads (dissertation §9.6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PreVote {
    /// The sender's current term; the term it would campaign in is the next one.
    pub term: Term,
    /// The last entry of its log.
    pub last: EntryId,
}

/// The answer to [`PreVote`]. It binds the receiver to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PreVoteResponse {
    /// The responder's own term.
    pub term: Term,
    /// The `term` of the question, by which a late answer is known.
    pub asked_in: Term,
    /// Whether it would vote so.
    pub granted: bool,
}

/// "Vote for me" (Raft Figure 2, RequestVote RPC).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestVote {
    /// The candidate's term.
    pub term: Term,
    /// The last entry of its log, by which voters see whether it is up to date (Raft §5.4.1).
    pub last: EntryId,
    /// Whether the leader itself asked for this campaign ([`TimeoutNow`]): voters then answer
    /// although they hear from a leader (dissertation §4.2.3).
    pub leadership_transfer: bool,
}

/// The answer to [`RequestVote`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestVoteResponse {
    /// The voter's term.
    pub term: Term,
    /// Whether the candidate has its vote in that term.
    pub granted: bool,
}

/// "Append these entries" (Raft Figure 2, AppendEntries RPC). Without entries it is a heartbeat or
/// a probe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppendEntries {
    /// The leader's term.
    pub term: Term,
    /// The entry just before the new ones; the receiver must have it.
    pub previous: EntryId,
    /// The entries that follow it.
    pub entries: Entries,
    /// The leader's commit index.
    pub commit: LogIndex,
    /// The leader's heartbeat round, echoed in the answer: an answer to round *r* proves that the
    /// sender was still leader when *r* began (dissertation §6.4).
    pub round: u64,
    /// Which probe of this member's log this is, echoed in the answer: a rejection counts only
    /// while it answers the newest one.
    pub probe: u64,
}

/// The answer to [`AppendEntries`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AppendEntriesResponse {
    /// The responder's term.
    pub term: Term,
    /// Echo of [`AppendEntries::round`].
    pub round: u64,
    /// Echo of [`AppendEntries::probe`].
    pub probe: u64,
    /// What the responder's clock showed, by which the leader sees whether the clocks run apart.
    pub clock: Time,
    /// How long the responder ignores campaigns from when it heard this append; zero if it doesn't.
    /// Leases rest on it, and servers may be configured differently.
    pub patience: Duration,
    /// Where it matched: up to here the responder's log equals the leader's, whether it is on its
    /// disk yet or not. What has been received needn't be sent again, however slow the disk is; it
    /// counts for nothing else.
    pub received: LogIndex,
    /// What became of it.
    pub outcome: AppendOutcome,
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppendOutcome {
    /// The responder's log, durable on its disk, equals the leader's up to here.
    Matched(LogIndex),
    /// The same, from a server that may not vote on the disk it has.
    Joining {
        /// Up to where its log, durable on its disk, equals the leader's.
        matched: LogIndex,
        /// Its disk.
        disk: DiskId,
    },
    /// The responder doesn't have the entry the append builds on.
    Conflict {
        /// Index of the entry it should have had.
        previous: LogIndex,
        /// The last entry of its own that the leader could share: the highest at or before
        /// `previous` whose term is no later than the leader's there. Skips a whole term of
        /// divergence each round (Raft §5.3, end).
        hint: EntryId,
    },
    /// The responder's disk has lost entries that it may have acknowledged: it holds no more than
    /// up to here.
    Damaged {
        /// Index of the entry it should have had.
        previous: LogIndex,
        /// The last entry of its own that the leader could share, as in
        /// [`AppendOutcome::Conflict`].
        last: EntryId,
    },
    /// It comes from an older term than the responder's.
    StaleTerm,
}

/// What a snapshot stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SnapshotMeta {
    /// The last entry it covers.
    pub last: EntryId,
    /// The configuration in force at that entry.
    pub configuration: Configuration,
    /// Index of the entry that brought that configuration.
    pub configuration_index: LogIndex,
}

/// A snapshot of the state machine, with what the log needs to go on after it (Raft §7).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// What it stands for.
    pub meta: SnapshotMeta,
    data: Arc<[u8]>,
    /// Reading all of a large snapshot takes longer than all else that is done to send it: once is
    /// enough.
    checksum: u64,
}

/// A piece of a snapshot (Raft Figure 13).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InstallSnapshot {
    /// The leader's term.
    pub term: Term,
    /// Echoed, as in [`AppendEntries::round`].
    pub round: u64,
    /// The snapshot this is a piece of.
    pub meta: SnapshotMeta,
    /// How many bytes the whole has.
    pub size: u64,
    /// Checksum of the whole: pieces of two snapshots are never put together, even if they stand
    /// for the same entry.
    pub checksum: u64,
    /// Where in the whole this piece begins.
    pub offset: u64,
    /// The piece.
    pub piece: Piece,
}

/// Some bytes of a shared buffer.
#[derive(Clone, Debug)]
pub struct Piece {
    whole: Arc<[u8]>,
    from: u64,
    to: u64,
}

/// The answer to [`InstallSnapshot`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InstallSnapshotResponse {
    /// The responder's term.
    pub term: Term,
    /// Echo of the round.
    pub round: u64,
    /// The last entry the snapshot covers: which snapshot this is about.
    pub last: EntryId,
    /// How far the responder is with it.
    pub progress: SnapshotProgress,
    /// Whether the responder may vote on the disk it has, and knows that after a crash, too.
    pub may_vote: bool,
}

/// How far a member is with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotProgress {
    /// It has this many bytes, from the start; the next piece should begin there.
    Received(u64),
    /// It is done with it: its log, durable on its disk, equals the leader's up to here.
    Installed(LogIndex),
    /// It comes from an older term than the responder's.
    StaleTerm,
}

/// "Campaign at once": the last step of a leadership transfer (dissertation §3.10).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimeoutNow {
    /// The leader's term.
    pub term: Term,
}

/// A follower's question on behalf of a read (dissertation §6.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReadIndex {
    /// The follower's term.
    pub term: Term,
    /// The follower's disk: a question from a disk that was lost is nobody's.
    pub disk: DiskId,
    /// The follower's own number for the question, of all that it ever asked with this disk.
    pub request: u64,
}

/// The answer to [`ReadIndex`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReadIndexResponse {
    /// The responder's term.
    pub term: Term,
    /// Echo of [`ReadIndex::disk`].
    pub disk: DiskId,
    /// Echo of [`ReadIndex::request`].
    pub request: u64,
    /// Apply up to here, then answer. `None`: the responder can't say, for it doesn't lead.
    pub index: Option<LogIndex>,
}

impl Message {
    /// Whether it comes from a server that leads `term()`, so that hearing it is hearing the
    /// leader.
    pub const fn is_from_leader(&self) -> bool {
        matches!(self, Message::AppendEntries(_) | Message::InstallSnapshot(_) | Message::TimeoutNow(_))
    }
}

impl Piece {
    /// The bytes `from..to` of `whole`; both are brought within its length.
    pub fn of(whole: &Arc<[u8]>, from: u64, to: u64) -> Piece {
        let to = to.min(whole.len() as u64);
        Piece { whole: Arc::clone(whole), from: from.min(to), to }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.whole[self.from as usize..self.to as usize]
    }

    /// Takes in what comes next in the same buffer; whether `next` is that.
    pub(super) fn join(&mut self, next: &Piece) -> bool {
        let follows = Arc::ptr_eq(&self.whole, &next.whole) && self.to == next.from;
        if follows {
            self.to = next.to;
        }
        follows
    }

    /// The bytes in a buffer that holds nothing else: the piece's own, if it is all of that.
    pub(super) fn into_buffer(self) -> Arc<[u8]> {
        if self.bytes().len() == self.whole.len() { self.whole } else { self.bytes().into() }
    }
}

/// By content: where in its buffer a piece lies is nobody's business.
impl PartialEq for Piece {
    fn eq(&self, other: &Piece) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Piece {}

impl core::hash::Hash for Piece {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl Snapshot {
    /// A snapshot of these bytes of the state machine's; reads them once, for their checksum.
    pub fn new(meta: SnapshotMeta, data: Arc<[u8]>) -> Snapshot {
        let checksum = checksum(&data);
        Snapshot { meta, data, checksum }
    }

    /// The state machine's own bytes.
    pub fn data(&self) -> &Arc<[u8]> {
        &self.data
    }

    /// A checksum of the data (`hash/checksum.rs`), to tell two snapshots apart; it is no protection
    /// against malice.
    pub fn checksum(&self) -> u64 {
        self.checksum
    }
}
