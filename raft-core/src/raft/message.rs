//! The messages between servers: one struct per message, with its sender, its receiver, and the
//! meaning of each field. All of them are declared in one table.
//!
//! | message | sender | receiver | means |
//! | --- | --- | --- | --- |
//! | [`PreVote`] | pre-candidate | voters | "would you vote for me?" (dissertation §9.6) |
//! | [`PreVoteResponse`] | any server | pre-candidate | "I would", or not |
//! | [`RequestVote`] | candidate | voters | "vote for me in this term" (Raft §5.2) |
//! | [`RequestVoteResponse`] | any server | candidate | "you have my vote", or not |
//! | [`AppendEntries`] | leader | members | "append these", or a heartbeat (Raft §5.3) |
//! | [`AppendEntriesResponse`] | member | leader | "our logs agree up to here", or not |
//! | [`InstallSnapshot`] | leader | a member too far behind | a piece of a snapshot (Raft §7) |
//! | [`InstallSnapshotResponse`] | member | leader | "I have that many bytes of it" |
//! | [`TimeoutNow`] | leader | its chosen successor | "campaign at once" (dissertation §3.10) |
//! | [`ReadIndex`] | follower | leader | "which index does my read need?" (dissertation §6.4) |
//! | [`ReadIndexResponse`] | leader | follower | "up to here", or "I can't say" |
//!
//! Every message carries its sender's term. A receiver that learns of a higher term adopts it (Raft
//! §5.1), except from pre-votes, which only speak about the term that *would* come.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::entry::Entries;
use super::membership::Configuration;
use super::types::{DiskId, EntryId, LogIndex, ServerId, Term};
use crate::hash::checksum;
use crate::time::{Duration, Time};

/// Hands all messages to a macro. A row gives a message's number on the wire, its name in the
/// paper's words, its short name for the page, whether it is a question, an answer (and which field
/// says yes or no) or a word that isn't answered, which servers send it, its kind
/// ([`MessageKind`](crate::sim::MessageKind)), whether it [claims](Claim) something or is plain,
/// and its fields in the order in which they travel, its term first. After a field comes the fact
/// that people see of it ([`Message::facts`]): its label, or the function that writes it.
///
/// The structs, the bytes on the wire (`wire.rs`), the JSON (`format/message.rs`), the list in
/// `docs/formats.md`, and what the page says about a message are all made from this table. A new
/// message is a row here, and a handler in the table of roles and messages. If it claims something,
/// the compiler asks for its guards and checks. Never give a message's number on the wire to
/// another message, and never change its fields. New messages come last, because the trace hash
/// tells messages apart by their order.
macro_rules! messages {
    ($then:ident) => {
        $then! {
            /// "Would you vote for me in the next term?" Asked before the term is raised, so that a
            /// server that can't win doesn't disturb one that leads (dissertation §9.6).
            1 PreVote "pre-vote", Question from Anyone, Votes, claims {
                /// The sender's current term; the term it would campaign in is the next one.
                term: Term,
                /// The last entry of its log.
                last: EntryId => "last entry",
            }
            /// The answer to [`PreVote`]. It binds the receiver to nothing.
            2 PreVoteResponse "pre-vote-answer", Answer(granted) from Anyone, Votes, claims {
                /// The responder's own term.
                term: Term,
                /// The `term` of the question, by which a late answer is known.
                asked_in: Term,
                /// Whether it would vote for that candidate.
                granted: bool => "granted",
            }
            /// "Vote for me" (Raft Figure 2, RequestVote RPC).
            3 RequestVote "request-vote", Question from Anyone, Votes, claims {
                /// The candidate's term.
                term: Term,
                /// The last entry of its log, by which voters see whether the log is up to date
                /// (Raft §5.4.1).
                last: EntryId => "last entry",
                /// Whether the leader itself asked for this campaign ([`TimeoutNow`]): voters then
                /// answer even if they hear a leader (dissertation §4.2.3).
                leadership_transfer: bool,
            }
            /// The answer to [`RequestVote`].
            4 RequestVoteResponse "vote", Answer(granted) from Anyone, Votes, claims {
                /// The voter's term.
                term: Term,
                /// Whether the candidate has its vote in that term.
                granted: bool => "granted",
            }
            /// "Append these entries" (Raft Figure 2, AppendEntries RPC). Without entries it is a
            /// heartbeat or a probe.
            5 AppendEntries "append", Question from Leader, Appends, claims {
                /// The leader's term.
                term: Term,
                /// The entry just before the new ones; the receiver must have it.
                previous: EntryId => "previous entry",
                /// The entries that follow it.
                entries: Entries => "entries",
                /// The leader's commit index.
                commit: LogIndex => "leader’s commit index",
                /// The leader's heartbeat round, echoed in the answer: an answer to round *r*
                /// proves that the sender was still leader when *r* began (dissertation §6.4).
                round: u64 => "round",
                /// The number of this probe of the member's log, echoed in the answer: a rejection
                /// counts only if it answers the newest probe.
                probe: u64,
            }
            /// The answer to [`AppendEntries`].
            6 AppendEntriesResponse "append-answer", Answer(outcome) from Anyone, Acknowledgements, claims {
                /// The responder's term.
                term: Term,
                /// Echo of [`AppendEntries::round`].
                round: u64,
                /// Echo of [`AppendEntries::probe`].
                probe: u64,
                /// What the responder's clock showed; the leader sees from it whether the clocks
                /// run apart.
                clock: Time,
                /// How long the responder ignores campaigns from when it heard this append; zero if
                /// it doesn't ignore them. Leases depend on it, and servers may be configured
                /// differently.
                patience: Duration,
                /// Up to here the responder's log equals the leader's, whether it is on the disk
                /// yet or not. Received entries needn't be sent again, however slow the disk is;
                /// they count for nothing else.
                received: LogIndex,
                /// What became of it.
                outcome: AppendOutcome => by outcome,
            }
            // This message is much larger than the others, and rare. It is boxed so that the others
            // are cheap to pass on.
            /// A piece of a snapshot (Raft Figure 13).
            7 InstallSnapshot in Box "snapshot", Question from Leader, Snapshots, claims {
                /// The leader's term.
                term: Term,
                /// Echoed, as in [`AppendEntries::round`].
                round: u64,
                /// The snapshot this is a piece of.
                meta: SnapshotMeta => by stands_for,
                /// How many bytes the whole has.
                size: u64,
                /// Checksum of the whole: pieces of two snapshots are never put together, even if
                /// both snapshots end at the same entry.
                checksum: u64,
                /// Where in the whole this piece begins.
                offset: u64 => by piece,
                /// The piece.
                piece: Piece,
            }
            /// The answer to [`InstallSnapshot`].
            8 InstallSnapshotResponse "snapshot-answer", Answer(progress) from Anyone, Acknowledgements, claims {
                /// The responder's term.
                term: Term,
                /// Echo of the round.
                round: u64,
                /// The last entry the snapshot covers: which snapshot this is about.
                last: EntryId,
                /// How far the responder is with it.
                progress: SnapshotProgress => by progress,
                /// Whether the responder may vote on the disk it has, and would still know that
                /// after a crash.
                may_vote: bool,
            }
            /// "Campaign at once": the last step of a leadership transfer (dissertation §3.10).
            9 TimeoutNow "timeout-now", Word from Leader, Transfers, claims {
                /// The leader's term.
                term: Term,
            }
            /// A follower's question on behalf of a read (dissertation §6.4).
            10 ReadIndex "read-index", Question from Anyone, Reads, claims {
                /// The follower's term.
                term: Term,
                /// The follower's disk: no read waits for an answer to a question of a disk that
                /// was lost.
                disk: DiskId,
                /// The follower's own number for the question; it gives each number once per disk.
                request: u64 => "request",
            }
            /// The answer to [`ReadIndex`].
            11 ReadIndexResponse "read-index-answer", Answer(index) from Anyone, Reads, claims {
                /// The responder's term.
                term: Term,
                /// Echo of [`ReadIndex::disk`].
                disk: DiskId,
                /// Echo of [`ReadIndex::request`].
                request: u64,
                /// Apply up to here, then answer. `None`: the responder can't say, because it
                /// doesn't lead.
                index: Option<LogIndex> => "index",
            }
        }
    };
}
pub(crate) use messages;

/// What stands for the message in the enum: itself, or a box with it.
macro_rules! placed {
    ($message:ident) => { $message };
    ($message:ident $box:ident) => { $box<$message> };
}

/// The claim of a message, if its row says that it makes one.
macro_rules! claimed {
    (type claims $message:ident) => { &'a $message };
    (type plain $message:ident) => { core::convert::Infallible };
    (value claims $message:ident $m:ident) => { Some(Claim::$message($m)) };
    (value plain $message:ident $m:ident) => { { let _ = $m; None } };
}

/// Whether messages of that kind are acknowledgements.
macro_rules! acknowledges {
    (Acknowledgements) => {
        true
    };
    ($other:ident) => {
        false
    };
}

macro_rules! define_messages {
    ($(
        $(#[$doc:meta])+
        $number:literal $message:ident $(in $box:ident)? $sign:literal,
        $turn:ident $(($yes:ident))? from $sender:ident, $kind:ident, $weight:ident {
            $($(#[$of_field:meta])+ $field:ident: $type:ty $(=> $($label:literal)? $(by $said:ident)?)?,)+
        }
    )+) => {
        /// Any message between two servers.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Message {
            $(
                #[doc = concat!("See [`", stringify!($message), "`].")]
                $message(placed!($message $($box)?)),
            )+
        }

        $(
            $(#[$doc])+
            #[derive(Clone, Debug, PartialEq, Eq, Hash)]
            pub struct $message {
                $($(#[$of_field])+ pub $field: $type,)+
            }
        )+

        /// The part of a message, beyond its term, that can be impossible or untrue. Code that
        /// guards against that, or checks it, must handle each of these. Plain messages have no
        /// such part, so no claim can be made of them.
        #[derive(Clone, Copy, Debug)]
        pub enum Claim<'a> {
            $(
                #[doc = concat!("See [`", stringify!($message), "`](struct@", stringify!($message), ").")]
                $message(claimed!(type $weight $message)),
            )+
        }

        impl Message {
            /// How many messages there are.
            pub const COUNT: usize = [$($number),+].len();

            /// The short names of all messages, in the order of the table, one per line. It is one
            /// text because a list of texts takes more bytes.
            pub const SIGNS: &str = concat!($($sign, "\n"),+);

            /// What else is drawn as a message of a kind of its own: these follow, a line each.
            pub const OTHER_SIGNS: &str = "heartbeat\nrequest\nanswer";

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

            /// Its place in the table, from 0.
            pub fn place(&self) -> usize {
                enum Place {
                    $($message,)+
                }
                match self {
                    $(Message::$message(_) => Place::$message as usize,)+
                }
            }

            /// Whether it asks, answers or does neither.
            pub const fn turn(&self) -> Turn {
                match self {
                    $(Message::$message(_) => Turn::$turn,)+
                }
            }

            /// Which servers send it.
            pub const fn sender(&self) -> Sender {
                match self {
                    $(Message::$message(_) => Sender::$sender,)+
                }
            }

            /// Whether it is a member's answer to what the leader appends.
            pub const fn is_acknowledgement(&self) -> bool {
                match self {
                    $(Message::$message(_) => acknowledges!($kind),)+
                }
            }

            /// What it claims, if it isn't plain.
            #[inline(always)]
            pub const fn claim(&self) -> Option<Claim<'_>> {
                match self {
                    $(Message::$message(m) => claimed!(value $weight $message m),)+
                }
            }

            /// Whether it is an answer that says yes. Other messages don't.
            pub fn says_yes(&self) -> bool {
                match self {
                    $(Message::$message(_m) => true $(&& _m.$yes.is_yes())?,)+
                }
            }
        }
    };
}
messages!(define_messages);

/// Whether a message asks, answers or does neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its receiver always answers, even if only to say that it is behind.
    Question,
    /// It answers a question, and is sent only then.
    Answer,
    /// It isn't answered.
    Word,
}

/// Which servers send a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Any server.
    Anyone,
    /// Only the leader of the message's term.
    Leader,
}

/// The field of an answer that says yes or no.
trait Yes {
    /// Whether it says yes.
    fn is_yes(&self) -> bool;
}

impl Yes for bool {
    fn is_yes(&self) -> bool {
        *self
    }
}

impl Yes for Option<LogIndex> {
    fn is_yes(&self) -> bool {
        self.is_some()
    }
}

impl Yes for AppendOutcome {
    fn is_yes(&self) -> bool {
        match self {
            AppendOutcome::Matched(_) | AppendOutcome::Joining { .. } => true,
            AppendOutcome::Conflict { .. } | AppendOutcome::Damaged { .. } | AppendOutcome::StaleTerm => false,
        }
    }
}

impl Yes for SnapshotProgress {
    fn is_yes(&self) -> bool {
        match self {
            SnapshotProgress::Received(_) | SnapshotProgress::Installed(_) => true,
            SnapshotProgress::StaleTerm => false,
        }
    }
}

/// A message and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Envelope {
    /// The receiver.
    pub to: ServerId,
    /// What the receiver is told.
    pub message: Message,
}

/// The result of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppendOutcome {
    /// The responder's log, durable on its disk, equals the leader's up to here.
    Matched(LogIndex),
    /// The same, from a server that may not vote on the disk it has.
    Joining {
        /// Its log, durable on its disk, equals the leader's up to here.
        matched: LogIndex,
        /// Its disk.
        disk: DiskId,
    },
    /// The responder doesn't have the entry that the append builds on.
    Conflict {
        /// Index of the entry it should have had.
        previous: LogIndex,
        /// The last entry of its own that the leader may share: the highest at or before `previous`
        /// whose term is no later than the leader's there. It skips a whole term of divergence per
        /// round (Raft §5.3, end).
        hint: EntryId,
    },
    /// The responder's disk has lost entries that it may have acknowledged: it holds entries only
    /// up to here.
    Damaged {
        /// Index of the entry it should have had.
        previous: LogIndex,
        /// The last entry of its own that the leader may share, as in [`AppendOutcome::Conflict`].
        last: EntryId,
    },
    /// The append is of an older term than the responder's.
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
    /// To read all of a large snapshot takes longer than everything else that is done to send it,
    /// so it is read only once.
    checksum: u64,
}

/// Some bytes of a shared buffer.
#[derive(Clone, Debug)]
pub struct Piece {
    whole: Arc<[u8]>,
    from: u64,
    to: u64,
}

/// How far a member is with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotProgress {
    /// It has this many bytes, from the start; the next piece should begin there.
    Received(u64),
    /// It needs no more of it: its log, durable on its disk, equals the leader's up to here.
    Installed(LogIndex),
    /// The piece is of an older term than the responder's.
    StaleTerm,
}

impl Message {
    /// Whether it comes from the leader of `term()`, so that the receiver has heard its leader.
    pub const fn is_from_leader(&self) -> bool {
        matches!(self.sender(), Sender::Leader)
    }
}

impl Piece {
    /// The bytes `from..to` of `whole`; both bounds are limited to its length.
    pub fn of(whole: &Arc<[u8]>, from: u64, to: u64) -> Piece {
        let to = to.min(whole.len() as u64);
        Piece { whole: Arc::clone(whole), from: from.min(to), to }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.whole[self.from as usize..self.to as usize]
    }

    /// Appends `next`, if it follows this piece in the same buffer. Returns whether it does.
    pub(super) fn join(&mut self, next: &Piece) -> bool {
        let follows = Arc::ptr_eq(&self.whole, &next.whole) && self.to == next.from;
        if follows {
            self.to = next.to;
        }
        follows
    }

    /// The bytes in a buffer that holds nothing else: the piece's own buffer, if the piece is all
    /// of it.
    pub(super) fn into_buffer(self) -> Arc<[u8]> {
        if self.bytes().len() == self.whole.len() { self.whole } else { self.bytes().into() }
    }
}

/// By content: its place in its buffer doesn't matter.
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
    /// A snapshot of these bytes of the state machine. Reads them once, for their checksum.
    pub fn new(meta: SnapshotMeta, data: Arc<[u8]>) -> Snapshot {
        let checksum = checksum(&data);
        Snapshot { meta, data, checksum }
    }

    /// The state machine's own bytes.
    pub fn data(&self) -> &Arc<[u8]> {
        &self.data
    }

    /// A checksum of the data (`hash/checksum.rs`), to tell two snapshots apart; it doesn't protect
    /// against malice.
    pub fn checksum(&self) -> u64 {
        self.checksum
    }
}
