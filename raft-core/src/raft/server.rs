//! The state that every server has, whatever its role (Raft Figure 2, "state on all servers"), and
//! the small functions that all roles need.

use alloc::sync::Arc;
use alloc::vec::Vec;

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use super::config::Config;
use super::durability::Disk;
use super::entry::Entries;
use super::io::{Committed, HardState, Output, Refusal, RequestId};
use super::log::Log;
use super::membership::{Configuration, MembershipLog};
use super::message::{Envelope, Message, Snapshot};
use super::reads::LocalReads;
use super::role::HandedOver;
use super::rules::{Rule, Rules};
use super::snapshots::IncomingSnapshot;
use super::types::{DiskId, LogIndex, ServerId, Term};
use crate::hash::mix;
use crate::time::{Duration, Time};

/// The state that every server has, whatever its role. It doesn't know the role. What one role does
/// with it is in methods of that role ([`role`](super::role)); what all roles do is in methods of
/// its own.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) config: Config,
    pub(super) random: Xoshiro256PlusPlus,
    /// The latest reading of this server's clock.
    pub(super) now: Time,

    // Persistent (Raft Figure 2). `disk` knows how much of it is on the disk.
    pub(super) hard_state: HardState,
    pub(super) log: Log,
    pub(super) snapshot: Option<Arc<Snapshot>>,
    pub(super) membership: MembershipLog,
    pub(super) disk: Disk,

    // Volatile.
    pub(super) commit: LogIndex,
    /// Everything up to here has been handed out to be applied.
    pub(super) applied: LogIndex,
    pub(super) leader: Option<ServerId>,
    pub(super) election_deadline: Time,
    /// The timeout that `election_deadline` came from, for pages that draw it.
    pub(super) election_timeout: Duration,
    /// Campaigns are ignored until then: a leader has been heard (dissertation §4.2.3).
    pub(super) patient_until: Time,
    /// Campaigns in a row that ran out of time, or that were lost when the server's own vote took
    /// long. Perhaps the votes wait for slow disks.
    pub(super) slow_campaigns: u32,
    /// Whether the latest vote of this server's own took long to write.
    pub(super) slow_vote: bool,
    /// How often it has campaigned, or asked whether it should, since it last heard a leader.
    pub(super) campaigns: u32,
    /// Whether a server with an older log has asked for its vote since it last heard a leader,
    /// although it is no voter by its own log.
    pub(super) vote_needed: bool,
    /// Entries of the log that admit a disk under this server's name, and that aren't known yet to
    /// be committed and on the disk.
    pub(super) admissions: Vec<(LogIndex, DiskId)>,
    pub(super) incoming: Option<IncomingSnapshot>,
    pub(super) snapshot_asked: bool,
    /// A snapshot up to here was too large. The next one is asked for when as much again has come
    /// to put into it.
    pub(super) snapshot_tried: LogIndex,
    /// The size of the entries applied since the last snapshot.
    pub(super) applied_bytes: u64,
    pub(super) reads: LocalReads,
    /// A leadership that this server handed over, until the next leader is known.
    pub(super) handed_over: Option<HandedOver>,
    /// The log is known to equal that of this term's leader up to here, whether it is on the disk
    /// or not.
    pub(super) agreed: (Term, LogIndex),
    /// The entries that were last cut out of the log (or put into it together), with their first
    /// index and their size. Members that are equally far, and the disk, get the same ones.
    pub(super) slice: Option<(LogIndex, Entries, u64)>,
}

impl Server {
    /// The end of every step: the write that it made, the entries that it committed, and the reads
    /// that they release.
    pub(super) fn finish(&mut self, out: &mut Output) {
        if !self.admissions.is_empty() {
            self.settle_admissions(out);
        }
        self.flush_write(out);
        while self.applied < self.commit {
            let first = self.applied.next();
            let entries = self.log.shared(first, self.commit);
            if entries.is_empty() {
                break;
            }
            self.applied = self.applied.plus(entries.len() as u64);
            self.applied_bytes += entries.size();
            out.committed.push(Committed { first, entries });
        }
        self.reads.take_applied(self.applied, out);
        out.snapshot_wanted = self.wants_snapshot();
    }

    /// Whether a safety rule holds.
    #[inline]
    pub(super) fn rule(&self, rule: Rule) -> bool {
        self.config.rules.on(rule)
    }

    /// Asserts an invariant of our own code, unless rules that it depends on are switched off.
    #[inline]
    #[track_caller]
    pub(super) fn must_hold(&self, invariant: bool, what: &str) {
        assert!(
            invariant || self.config.rules != Rules::ALL,
            "{}: {what} (term {}, log {}..{}, commit {}, applied {})",
            self.config.id,
            self.hard_state.term,
            self.log.base(),
            self.log.last(),
            self.commit,
            self.applied,
        );
    }

    /// Notes that the leader was heard just now.
    #[inline]
    pub(super) fn hear_leader(&mut self) {
        self.patient_until = self.now + self.config.election_timeout_min;
        (self.slow_campaigns, self.campaigns) = (0, 0);
        self.arm_election_timer();
    }

    #[inline]
    pub(super) fn arm_election_timer(&mut self) {
        let (min, max) = (self.config.election_timeout_min.as_micros(), self.config.election_timeout_max.as_micros());
        self.election_timeout = Duration::from_micros(self.random.random_range(min..=max));
        if self.campaigns > 0 && self.config.draws_narrowly() {
            // Servers that draw from so narrow a range campaign together time after time. This adds
            // a wait that differs from campaign to campaign and from server to server.
            let luck = mix(self.config.seed, u64::from(self.config.id.number()), u64::from(self.campaigns));
            let extra = luck % (min - (max - min));
            self.election_timeout = self.election_timeout + Duration::from_micros(extra);
        }
        if self.slow_campaigns > 0 {
            // This wait is drawn at random, and from a wide range. Otherwise servers with equally
            // slow disks would go on disturbing each other when all the servers that are left must
            // vote for the same one.
            let allowance = self.slow_disk_allowance().as_micros();
            let extra = self.random.random_range(0..=allowance.saturating_mul(3));
            self.election_timeout = self.election_timeout + Duration::from_micros(extra);
        }
        self.election_deadline = self.now + self.election_timeout;
    }

    /// How much longer than an election timeout this server waits, about, before it campaigns
    /// again, because disks may be slow. It doubles after each campaign in vain, up to the time of
    /// two writes, because a candidate needs two. A server that campaigns again sooner undoes what
    /// the others are about to promise.
    fn slow_disk_allowance(&self) -> Duration {
        let doubled = 1 << (self.slow_campaigns.saturating_sub(1)).min(16);
        self.config.election_timeout_min.times(doubled).min(self.config.disk_stall_max.times(2))
    }

    /// Refuses a request that only a leader can serve.
    pub(super) fn refuse_request(&self, id: RequestId, out: &mut Output) {
        out.refuse(id, Refusal::NotLeader { leader: self.leader });
    }

    /// Refuses requests that have waited too long, whatever the role: reads, and a leadership
    /// transfer.
    #[inline]
    pub(super) fn expire_requests(&mut self, out: &mut Output) {
        self.reads.expire(self.now, out);
        self.expire_handed_over(out);
    }

    /// When [`Server::expire_requests`] has something to refuse.
    #[inline]
    pub(super) fn request_deadline(&self) -> Time {
        let handed_over = self.handed_over.as_ref().map_or(Time::NEVER, |handed_over| handed_over.deadline);
        handed_over.min(self.reads.deadline())
    }

    pub(super) fn send(&self, to: ServerId, message: Message, out: &mut Output) {
        out.messages.push(Envelope { to, message });
    }

    /// The same for the messages that are sent all the time: each is built in its final place. To
    /// build it elsewhere and then copy it takes longer than all the rest, because the processor
    /// has to wait until what was just written can be read.
    #[inline]
    pub(super) fn send_new(&self, to: ServerId, message: impl FnOnce() -> Message, out: &mut Output) {
        out.messages.extend(core::iter::once_with(|| Envelope { to, message: message() }));
    }

    /// The membership in force.
    pub(super) fn members(&self) -> &Configuration {
        if self.rule(Rule::MembershipFollowsLog) { self.membership.current() } else { self.membership.at(self.commit) }
    }

    /// The clock went back: no deadline may be further away than it was when it was set.
    pub(super) fn clock_went_back(&mut self, now: Time) {
        let latest = now + self.config.election_timeout_max;
        self.election_deadline = self.election_deadline.min(latest);
        self.patient_until = self.patient_until.min(now + self.config.election_timeout_min);
        self.reads.clock_went_back(latest);
        if let Some(handed_over) = &mut self.handed_over {
            handed_over.deadline = handed_over.deadline.min(latest);
        }
        self.disk.clock_went_back(now);
    }
}
