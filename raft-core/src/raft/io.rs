//! What goes into [`Raft::step`](super::Raft::step) and what comes out: [`Input`] and [`Output`].

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::entry::{Entries, Entry};
use super::membership::{ChangeError, MembershipChange};
use super::message::{Envelope, Message, Snapshot};
use super::observation::Observation;
use super::types::{DiskId, EntryId, LogIndex, ServerId, Term};
use crate::bytes::Bytes;

/// The caller's own number for a request, by which it recognizes the answer.
pub type RequestId = u64;

/// One thing that happened to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A message arrived.
    Message {
        /// Its sender.
        from: ServerId,
        /// What it says.
        message: Message,
    },
    /// [`Raft::deadline`](super::Raft::deadline) may have passed. Harmless at any other time.
    TimerDue,
    /// A write handed out earlier is on the disk for good, and so is every write before it.
    Durable(Receipt),
    /// A command for the state machine.
    Propose(Proposal),
    /// Several commands, replicated together.
    ProposeBatch(Vec<Proposal>),
    /// A linearizable read.
    Read {
        /// The caller's number for it.
        id: RequestId,
        /// How leadership is confirmed.
        mode: ReadMode,
    },
    /// The state machine's snapshot: [`Output::snapshot_wanted`] asked for it, or the caller took
    /// it for reasons of its own.
    SnapshotTaken {
        /// Index of the last entry applied before it was taken.
        index: LogIndex,
        /// The state machine's bytes.
        data: Arc<[u8]>,
    },
    /// An operator wants another membership.
    ChangeMembership {
        /// The caller's number for it.
        id: RequestId,
        /// The membership wanted.
        change: MembershipChange,
    },
    /// An operator wants another leader.
    TransferLeadership {
        /// The caller's number for it.
        id: RequestId,
        /// The server that should lead.
        to: ServerId,
    },
    /// Campaign now, as if the election timeout had passed.
    Campaign,
}

/// A command on its way into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The caller's number for it.
    pub id: RequestId,
    /// The command's bytes; the consensus module never looks inside.
    pub command: Bytes,
}

/// How a read is kept from being stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ReadMode {
    /// By a round of heartbeats that begins after the read arrived (ReadIndex, dissertation §6.4).
    /// Needs no clock.
    #[default]
    Confirmed,
    /// By the lease that earlier heartbeats gave, if it still holds; otherwise like
    /// [`ReadMode::Confirmed`]. Needs clocks that drift no more than
    /// [`Config::clock_drift_max`](super::Config::clock_drift_max) (dissertation §6.4.1).
    Lease,
}

/// What Raft must find again after a crash, besides log and snapshot (Raft Figure 2, persistent
/// state).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HardState {
    /// The latest term the server has seen.
    pub term: Term,
    /// The candidate it voted for in that term.
    pub voted_for: Option<ServerId>,
    /// Whether it may vote at all.
    pub standing: Standing,
    /// The index of the last admission that decided this standing; earlier admissions count no
    /// more, however often they are read again. Zero if none did.
    pub decided_at: LogIndex,
    /// How its log ended before the disk was found damaged; zero if nothing is missing. Until the
    /// log has grown back to there, the server votes as if it still had it all, and doesn't
    /// campaign: a damaged record is not an absent one (Protocol-Aware Recovery, FAST 2018).
    pub lost: EntryId,
    /// Which disk this is.
    pub disk: DiskId,
    /// A number for each life of this server in which it asked a leader for a read index. It is
    /// durable before the first question of a life leaves, so that an answer to an earlier life's
    /// question is never taken for an answer to this life's.
    pub asking_life: u32,
}

impl HardState {
    /// Whether the server may vote, and lacks no entries.
    pub fn is_whole(&self) -> bool {
        self.standing == Standing::Member && self.lost == EntryId::ZERO
    }
}

/// A server's right to vote, which a lost disk takes away. The server has it back once the leader
/// has appended an entry that admits this very disk as a learner's
/// ([`Payload::Admission`](super::Payload::Admission)), and that entry is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It may vote if a configuration counts it.
    #[default]
    Member,
    /// It started with an empty disk and waits to be added.
    Joining,
    /// It started with an empty disk under a name that already had a vote. It has forgotten what it
    /// promised then, and an old vote may still be on its way: it must not vote before its name has
    /// left the voters and its disk has been admitted.
    Barred,
}

/// One write for the server's disk. Its parts become durable together. If a crash comes before
/// that, any number of the first parts may be durable, in the order in which they are declared here
/// (each entry counts as a part).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The new hard state, if it changed.
    pub hard_state: Option<HardState>,
    /// A snapshot that replaces everything up to its last entry. The log after it stays, unless
    /// [`Write::log`] says otherwise.
    pub snapshot: Option<Arc<Snapshot>>,
    /// What happens to the log.
    pub log: Option<LogWrite>,
    /// Hand this back, in [`Input::Durable`], when the whole write is on the disk for good.
    pub receipt: Receipt,
}

impl Write {
    /// How many parts it has: the hard state, the snapshot, the cut of the log with its first
    /// entry, and each further entry.
    pub fn parts(&self) -> usize {
        usize::from(self.hard_state.is_some())
            + usize::from(self.snapshot.is_some())
            + self.log.as_ref().map_or(0, |log| log.entries.len().max(1))
    }
}

/// The log's part of a write: keep everything up to `after`, drop the rest, append `entries`.
///
/// The disk must do it atomically, or in an order that a crash can't leave half done (truncating
/// and appending are one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogWrite {
    /// Entries beyond this index are dropped.
    pub after: LogIndex,
    /// The entries that follow it.
    pub entries: Entries,
}

/// Identifies a write: by its number, and by the identity of the log's last entry then. The index
/// alone doesn't identify a write, because the same index may be overwritten while the first write
/// is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Receipt {
    /// Counts writes since the server started.
    pub sequence: u64,
    /// The log's last entry once the write is done.
    pub last: EntryId,
}

/// Committed entries to apply to the state machine, in order, each exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The index of the first entry.
    pub first: LogIndex,
    /// The entries: as many as came together.
    pub entries: Entries,
}

/// A proposal, read, change or transfer that was refused, and why. No request is dropped in
/// silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The caller's number for it.
    pub id: RequestId,
    /// Why.
    pub reason: Refusal,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// This server doesn't lead; `leader` is the one it knows of.
    NotLeader {
        /// Where to ask instead.
        leader: Option<ServerId>,
    },
    /// It led when the request came, and stopped before the request was decided. A proposal may
    /// still be committed.
    LeadershipLost,
    /// Leadership is being handed to `to`: ask again in a moment.
    Transferring {
        /// The successor.
        to: ServerId,
    },
    /// More uncommitted bytes wait than the limit allows.
    TooMuchUncommitted {
        /// Bytes waiting.
        waiting: u64,
        /// The limit.
        limit: u64,
    },
    /// The leader hasn't committed an entry of its own term yet, and must not change the membership
    /// before that (raft-dev, 2015).
    NoOwnCommitYet,
    /// A membership change is still under way, at this index.
    ChangeInProgress {
        /// Index of the change that isn't committed yet.
        index: LogIndex,
    },
    /// The membership asked for makes no sense.
    Senseless(ChangeError),
    /// A learner that should vote hasn't been admitted with the disk it has now. Until then it
    /// gives no votes, and a quorum that needs them couldn't be reached. Ask again in a moment.
    NotAdmitted {
        /// The learner.
        server: ServerId,
    },
    /// A learner that should vote is too far behind.
    LearnerBehind {
        /// The learner.
        server: ServerId,
        /// Its log is known to match up to here.
        matched: LogIndex,
        /// The leader's last entry.
        last: LogIndex,
    },
    /// The server that leadership should go to can't lead: it doesn't vote, or it is the leader
    /// itself.
    CannotLead {
        /// The server.
        server: ServerId,
    },
    /// The chosen successor didn't take over within an election timeout; this server goes on
    /// leading.
    TransferTimedOut {
        /// The server that should have led.
        to: ServerId,
    },
    /// A read could not be confirmed in time, or the entries that it must show did not come in
    /// time.
    ReadTimedOut,
    /// The snapshot's index isn't applied yet, or the snapshot is older than the latest one.
    SnapshotUseless,
    /// The snapshot is larger than any member accepts
    /// ([`Config::snapshot_size_max`](super::Config::snapshot_size_max)).
    SnapshotTooLarge {
        /// Its size in bytes.
        size: u64,
        /// The most bytes that one may have.
        limit: u64,
    },
    /// The log has reached [`LogIndex::MAX`], except for a few indexes that are kept for the
    /// leader.
    LogFull,
}

/// Everything that one step decided. The caller owns it, acts on it, and hands it in again, so that
/// nothing is allocated in the steady state. Act on the fields in the order in which they are
/// declared; `messages` can be sent at once, whatever the disk does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// For the disk. Later writes must not become durable before earlier ones.
    pub writes: Vec<Write>,
    /// For the network. Nothing here depends on a write that isn't durable.
    pub messages: Vec<Envelope>,
    /// Replace the state machine by this snapshot, before you apply `committed`.
    pub restore: Option<Arc<Snapshot>>,
    /// For the state machine; see [`Output::committed_entries`].
    pub committed: Vec<Committed>,
    /// Reads that can be answered now, once `committed` is applied.
    pub reads: Vec<RequestId>,
    /// Proposals and membership changes that entered the log, and the entry of each. They may still
    /// be lost with the leader.
    pub accepted: Vec<(RequestId, EntryId)>,
    /// Leadership transfers that succeeded: the chosen successor has been heard to lead.
    pub transferred: Vec<RequestId>,
    /// Requests refused.
    pub refused: Vec<Refused>,
    /// Why the snapshot just handed in was not taken.
    pub snapshot_refused: Option<Refusal>,
    /// The log has outgrown its bound: take a snapshot of the state machine and hand it in.
    pub snapshot_wanted: bool,
    /// What happened and why, if [`Output::listen`] is set.
    pub observations: Vec<Observation>,
    /// Whether the caller wants observations; they cost nothing otherwise.
    pub listen: bool,
}

impl Output {
    /// An empty output that collects observations.
    pub fn listening() -> Output {
        Output { listen: true, ..Output::default() }
    }

    /// The entries to apply, each with its index: the content of [`Output::committed`], one by one.
    pub fn committed_entries(&self) -> impl Iterator<Item = (LogIndex, &Entry)> {
        let of = |run: &'_ Committed| (run.first.0..).map(LogIndex);
        self.committed.iter().flat_map(move |run| of(run).zip(run.entries.as_slice()))
    }

    /// Whether there is nothing to do except to send the messages, if there are any.
    #[inline]
    pub fn only_speaks(&self) -> bool {
        // This is so after most steps. One comparison answers it instead of nine.
        let asked = self.reads.len() | self.accepted.len() | self.transferred.len() | self.refused.len();
        let told = self.writes.len() | self.committed.len() | self.observations.len();
        asked | told == 0 && self.restore.is_none() && !self.snapshot_wanted
    }

    /// Empties it for the next step, keeping its memory.
    #[inline]
    pub fn clear(&mut self) {
        self.snapshot_refused = None;
        // After most steps, a driver that takes the messages out leaves nothing behind.
        if !self.messages.is_empty() || !self.only_speaks() {
            self.empty();
        }
    }

    fn empty(&mut self) {
        self.snapshot_wanted = false;
        self.writes.clear();
        self.messages.clear();
        self.restore = None;
        self.committed.clear();
        self.reads.clear();
        self.accepted.clear();
        self.transferred.clear();
        self.refused.clear();
        self.observations.clear();
    }

    /// Notes an observation, if the caller wants them.
    pub(super) fn observe(&mut self, observation: impl FnOnce() -> Observation) {
        if self.listen {
            self.observations.push(observation());
        }
    }

    pub(super) fn refuse(&mut self, id: RequestId, reason: Refusal) {
        self.refused.push(Refused { id, reason });
        self.observe(|| Observation::RequestRefused { reason });
    }
}

/// What a server finds on its disk when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    /// The hard state.
    pub hard_state: HardState,
    /// The snapshot, if there is one.
    pub snapshot: Option<Arc<Snapshot>>,
    /// The entries that follow the snapshot (or, without one, the beginning), in order.
    pub entries: Vec<Entry>,
}

/// A disk image that can't be a server's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurableError {
    /// The terms of the log go down at this index.
    TermsOutOfOrder(LogIndex),
    /// The log holds an entry of a later term than the hard state's.
    TermAhead {
        /// The entry.
        entry: EntryId,
        /// The hard state's term.
        term: Term,
    },
    /// The server's term is later than [`Term::MAX`].
    TermBeyondEnd(Term),
    /// There is an entry at this index, after [`LogIndex::MAX`].
    IndexBeyondEnd(LogIndex),
    /// The entry at this index, or the snapshot that ends there, is from before any election.
    NoTerm(LogIndex),
    /// The membership from this index makes no sense.
    Membership {
        /// The index of the entry that brought it.
        index: LogIndex,
        /// What is wrong with it.
        why: ChangeError,
    },
    /// The snapshot's membership is from after its last entry.
    MembershipAhead {
        /// The index that the membership is said to be from.
        index: LogIndex,
        /// The snapshot's last entry.
        last: EntryId,
    },
    /// The entry at this index admits a disk without a number.
    NoDisk(LogIndex),
    /// The entries that the disk is said to have lost can't have been there.
    Lost {
        /// How the log is said to have ended.
        lost: EntryId,
        /// The hard state's term.
        term: Term,
    },
}

impl core::fmt::Display for DurableError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            DurableError::TermsOutOfOrder(index) => {
                write!(f, "the log’s terms go down at index {index}")
            }
            DurableError::TermAhead { entry, term } => {
                write!(f, "the log holds entry {entry} but the server’s term is {term}")
            }
            DurableError::TermBeyondEnd(term) => {
                write!(f, "the server’s term is {term}, and none is after {}", Term::MAX)
            }
            DurableError::IndexBeyondEnd(index) => {
                write!(f, "there is an entry at index {index}, and none is after {}", LogIndex::MAX)
            }
            DurableError::NoTerm(index) => write!(f, "what stands at index {index} is from before any election"),
            DurableError::Membership { index, why } => write!(f, "the membership from index {index} can’t be: {why}"),
            DurableError::MembershipAhead { index, last } => {
                write!(f, "the snapshot up to {last} has its membership from index {index}, after its end")
            }
            DurableError::NoDisk(index) => write!(f, "the entry at index {index} admits a disk without a number"),
            DurableError::Lost { lost, term } => {
                write!(f, "the log is said to have ended with {lost} once, but the server’s term is {term}")
            }
        }?;
        f.write_str(": the disk image is corrupt, so wipe the disk and let the server join anew")
    }
}

impl core::error::Error for DurableError {}

/// How a server starts: in a new cluster, again after a stop, or as a new member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A new cluster begins with this server among these voters. Each of the voters must be started
    /// like this, once.
    Bootstrap(super::membership::Configuration),
    /// The server ran before. This is what its disk holds, and the configuration that the cluster
    /// was bootstrapped with, or the default one if the server joined later. A server that joined
    /// and crashed before anything was on its disk must join once more.
    Restart(Durable, super::membership::Configuration),
    /// The server's disk is empty and the cluster exists: the server waits until it is added as a
    /// learner. The same goes for a server that lost its disk, because a driver can't always tell
    /// it from a new one.
    Join {
        /// A number that no earlier disk of this server had, and not zero; for example, drawn from
        /// the operating system's randomness. Two disks with the same number look like one disk to
        /// the other servers: a vote that was lost with the first one could be given again with the
        /// second.
        disk: DiskId,
    },
}
