//! What a server says about itself.

use std::time::SystemTime;

use raft_core::raft::{Configuration, EntryId, LogIndex, Raft, Role, ServerId, Standing, Term};

use crate::peers::{PeerReport, Refusal};

/// A server's state, as it was after its last step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The server.
    pub server: ServerId,
    /// Its role: `follower`, `pre-candidate`, `candidate` or `leader`.
    pub role: &'static str,
    /// Its term.
    pub term: Term,
    /// Whom it voted for in this term.
    pub voted_for: Option<ServerId>,
    /// The leader of its term, if it knows one.
    pub leader: Option<ServerId>,
    /// The index of its log's first entry; what was before is in the snapshot.
    pub first_index: LogIndex,
    /// Its log's last entry; zero if the log has none and there is no snapshot.
    pub last: EntryId,
    /// How far its own disk has the log.
    pub durable: LogIndex,
    /// Everything up to here is committed, as far as it knows.
    pub commit: LogIndex,
    /// Its log is known to equal its leader's up to here; zero if it hasn't compared the two.
    pub agreed: LogIndex,
    /// Everything up to here is applied to its state machine.
    pub applied: LogIndex,
    /// Its latest snapshot's last entry.
    pub snapshot: Option<EntryId>,
    /// The membership in force.
    pub configuration: Configuration,
    /// The index that the membership is from.
    pub configuration_index: LogIndex,
    /// Its right to vote.
    pub standing: Standing,
    /// The index of the entry that decided its right to vote; zero if none did.
    pub decided_at: LogIndex,
    /// Whether it takes no part yet, because not all that found the cluster know its disk.
    pub is_founding: bool,
    /// How its log once ended, if its disk has lost entries that peers haven't sent again yet.
    pub lost: EntryId,
    /// What its disk had lost when this process read it last with something missing; none if it has
    /// lost nothing since the process started.
    pub loss: Option<Loss>,
    /// How often that was found since the process started.
    pub losses: u64,
    /// How its disk is.
    pub disk: DiskState,
    /// What a leader knows of the other members; empty otherwise.
    pub followers: Vec<Follower>,
}

/// Entries of the log that a disk has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The first of them.
    pub first: LogIndex,
    /// The last of them: how the log once ended.
    pub last: EntryId,
    /// When it was found, by the system's clock.
    pub found: SystemTime,
    /// When the log was whole again.
    pub repaired: Option<SystemTime>,
}

impl Loss {
    /// What a server lacks that has just been read from its disk, if its disk has lost anything.
    pub(super) fn of(raft: &Raft) -> Option<Loss> {
        let last = raft.hard_state().lost;
        let first = raft.log().last().index.next();
        (last != EntryId::ZERO).then(|| Loss { first, last, found: SystemTime::now(), repaired: None })
    }
}

/// Why a server may not vote whose disk isn't the one that it is known by, and what helps.
pub const OTHER_DISK: &str = "its folder holds another disk than the one that the other servers know it by: it was \
     put back from an older copy, or belongs elsewhere; remove the server from the members (raftarium members \
     remove), stop it, empty its folder, start it with --join, add it (raftarium members add), and promote it";

/// How a server's disk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskState {
    /// It takes writes.
    #[default]
    Fine,
    /// It is full. Writes wait for room.
    Full,
}

/// What a leader knows of another member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follower {
    /// The member.
    pub server: ServerId,
    /// Its log equals the leader's up to here.
    pub matched: LogIndex,
    /// How it is sent the log: `probe`, `replicate` or `snapshot`.
    pub state: &'static str,
    /// Whether it answered within an election timeout.
    pub answers: bool,
    /// Whether it may vote on the disk that it has, as it says; `None` before it has said so.
    pub may_vote: Option<bool>,
}

impl Status {
    /// Of a server that is as `raft` says.
    pub(super) fn of(raft: &Raft, applied: LogIndex, disk: DiskState) -> Status {
        let hard_state = raft.hard_state();
        Status {
            server: raft.id(),
            role: raft.role().name(),
            term: raft.term(),
            voted_for: hard_state.voted_for,
            leader: raft.leader(),
            first_index: raft.log().first_index(),
            last: raft.log().last(),
            durable: raft.durable_index(),
            commit: raft.commit_index(),
            agreed: raft.agreed_index(),
            applied,
            snapshot: raft.snapshot().map(|snapshot| snapshot.meta.last),
            configuration: *raft.configuration(),
            configuration_index: raft.configuration_index(),
            standing: hard_state.standing,
            decided_at: hard_state.decided_at,
            is_founding: false,
            lost: hard_state.lost,
            loss: None,
            losses: 0,
            disk,
            followers: Vec::new(),
        }
    }

    /// Notes what the disk has lost since the process started.
    pub(super) fn with_losses(mut self, loss: Option<Loss>, losses: u64) -> Status {
        (self.loss, self.losses) = (loss, losses);
        self
    }

    /// Notes what a leader knows of the other members at `now`.
    pub(super) fn with_followers(mut self, raft: &Raft, now: raft_core::time::Time) -> Status {
        if let Role::Leader(leader) = raft.role() {
            let timeout = raft.config().election_timeout_max;
            let others = self.configuration.members().iter().filter(|member| *member != self.server);
            self.followers = others
                .filter_map(|server| {
                    let progress = leader.progress(server)?;
                    Some(Follower {
                        server,
                        matched: progress.matched,
                        state: progress.state_name(),
                        answers: now.since(progress.heard) <= timeout,
                        may_vote: progress.may_vote,
                    })
                })
                .collect();
        }
        self
    }

    /// Why it may not vote, though its name has or had a vote, and what helps; `None` if it isn't
    /// so.
    pub fn barred(&self) -> Option<&'static str> {
        match self.standing {
            Standing::Member | Standing::Joining => None,
            Standing::Barred if self.decided_at > LogIndex::ZERO => Some(OTHER_DISK),
            Standing::Barred => Some(
                "its disk was empty, and its name had a vote already: remove it from the members (raftarium members \
                 remove), add it again, and promote it",
            ),
        }
    }

    /// Why its votes would not count, or it may give none, though its name has or had a vote;
    /// `None` if it isn't so. The `peers` say which disk they know it by.
    pub fn why_no_vote(&self, peers: &[PeerReport]) -> Option<&'static str> {
        let denied = peers.iter().any(|peer| peer.refusal == Some(Refusal::Disk));
        self.barred().or(denied.then_some(OTHER_DISK))
    }

    /// Whether it may vote, and would be believed.
    pub fn may_vote(&self, peers: &[PeerReport]) -> bool {
        self.standing == Standing::Member && self.why_no_vote(peers).is_none()
    }

    /// Whether it leads.
    pub fn leads(&self) -> bool {
        self.leader == Some(self.server) && self.role == "leader"
    }
}

/// Writes into the log what an operator wants to know of a server's state.
pub(super) fn tell_of(old: &Status, new: &Status) {
    if (old.leader, old.term, old.role) != (new.leader, new.term, new.role) {
        match new.leader {
            Some(leader) if leader == new.server => tracing::info!("this server leads in term {}", new.term.0),
            Some(leader) => tracing::info!("{leader} leads in term {}", new.term.0),
            None if old.leader.is_some() || old.role != new.role => {
                tracing::info!("no leader is known in term {}; this server is a {}", new.term.0, new.role);
            }
            None => {}
        }
    }
    if old.standing != Standing::Barred
        && let Some(why) = new.barred()
    {
        tracing::warn!("this server may not vote: {why}");
    }
    if old.configuration != new.configuration {
        tracing::info!("the membership is another from index {} on", new.configuration_index.0);
    }
    if old.lost != EntryId::ZERO && new.lost == EntryId::ZERO {
        tracing::info!("what the disk had lost is there again, up to {}", old.lost);
    }
    if old.snapshot != new.snapshot
        && let Some(last) = new.snapshot
    {
        tracing::info!("there is a snapshot of everything up to {last}");
    }
}
