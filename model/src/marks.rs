//! Marks: rare states and events that a search must reach, or it shows little.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use raft_core::raft::{Output, Raft, Standing};

use crate::judge::Before;

/// A rare state or event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mark {
    /// A server was elected.
    Elected,
    /// A leader stopped leading.
    Deposed,
    /// A leader committed something.
    Committed,
    /// A server learned from its leader that something is committed.
    Followed,
    /// A server dropped conflicting entries.
    Truncated,
    /// A read was answered.
    ReadAnswered,
    /// A read was answered by a server that isn't the leader.
    ReadAtFollower,
    /// A read was answered under a lease, without a round of heartbeats.
    LeaseRead,
    /// A membership was committed.
    MembershipCommitted,
    /// A disk was admitted: a server on it may vote.
    DiskAdmitted,
    /// A server installed another server's snapshot.
    SnapshotInstalled,
    /// A leader lost power.
    LeaderCrashed,
    /// A server lost power during a write, and a prefix of it was on its disk.
    WriteTorn,
    /// A server lost power during a write, and all of it was on its disk.
    WriteSurvived,
}

impl Mark {
    /// All of them.
    pub const ALL: [Mark; 14] = [
        Mark::Elected,
        Mark::Deposed,
        Mark::Committed,
        Mark::Followed,
        Mark::Truncated,
        Mark::ReadAnswered,
        Mark::ReadAtFollower,
        Mark::LeaseRead,
        Mark::MembershipCommitted,
        Mark::DiskAdmitted,
        Mark::SnapshotInstalled,
        Mark::LeaderCrashed,
        Mark::WriteTorn,
        Mark::WriteSurvived,
    ];
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mark::Elected => "a leader is elected",
            Mark::Deposed => "a leader is deposed",
            Mark::Committed => "an entry is committed",
            Mark::Followed => "a follower learns of a commit",
            Mark::Truncated => "entries that conflict are dropped",
            Mark::ReadAnswered => "a read is answered",
            Mark::ReadAtFollower => "a follower answers a read",
            Mark::LeaseRead => "a lease answers a read",
            Mark::MembershipCommitted => "a membership is committed",
            Mark::DiskAdmitted => "a disk is admitted",
            Mark::SnapshotInstalled => "a snapshot is installed",
            Mark::LeaderCrashed => "a leader loses power",
            Mark::WriteTorn => "a write is torn",
            Mark::WriteSurvived => "a write survives a loss of power",
        })
    }
}

/// The marks that have been reached.
#[derive(Debug, Default)]
pub struct Marks(AtomicU32);

impl Marks {
    /// Records that a mark has been reached.
    pub fn meet(&self, mark: Mark) {
        let bit = 1 << mark as u32;
        if self.0.load(Ordering::Relaxed) & bit == 0 {
            self.0.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// The marks that have been reached.
    pub fn met(&self) -> Vec<Mark> {
        let bits = self.0.load(Ordering::Relaxed);
        Mark::ALL.into_iter().filter(|mark| bits & 1 << *mark as u32 != 0).collect()
    }

    /// Records the marks of one step of a server.
    pub fn stepped(&self, before: &Before, raft: &Raft, out: &Output) {
        let led = before.led.is_some();
        let committed = raft.commit_index() > before.commit;
        let index = raft.configuration_index();
        let happened = [
            (Mark::Elected, !led && raft.is_leader()),
            (Mark::Deposed, led && !raft.is_leader()),
            (Mark::Committed, committed && led),
            (Mark::Followed, committed && !led && out.restore.is_none()),
            (Mark::Truncated, out.writes.iter().filter_map(|w| w.log.as_ref()).any(|log| log.after < before.last)),
            (Mark::MembershipCommitted, before.commit < index && index <= raft.commit_index()),
            (Mark::DiskAdmitted, before.standing != Standing::Member && raft.hard_state().standing == Standing::Member),
            (Mark::SnapshotInstalled, out.restore.is_some()),
            (Mark::ReadAnswered, !out.reads.is_empty()),
            (Mark::ReadAtFollower, !out.reads.is_empty() && !raft.is_leader()),
        ];
        for (mark, _) in happened.into_iter().filter(|(_, happened)| *happened) {
            self.meet(mark);
        }
    }
}
