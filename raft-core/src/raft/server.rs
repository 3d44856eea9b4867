//! What every server has, whatever its role (Raft Figure 2, "state on all servers"), and the small
//! things that everybody needs.

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

/// What every server has, whatever its role. It doesn't know the role: what a role does with it is
/// said by methods of that role ([`role`](super::role)), and what all roles do by its own.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) config: Config,
    pub(super) random: Xoshiro256PlusPlus,
    /// The latest reading of this server's clock.
    pub(super) now: Time,

    // Persistent (Raft Figure 2); what is on the disk of it is `disk`'s business.
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
    /// The timeout that `election_deadline` came from, for those who draw it.
    pub(super) election_timeout: Duration,
    /// Until then, campaigns are ignored: a leader has been heard (dissertation §4.2.3).
    pub(super) patient_until: Time,
    /// Campaigns in a row that ran out of time, or were lost though the server's own vote took its
    /// time. The votes are on their way to slow disks, perhaps.
    pub(super) slow_campaigns: u32,
    /// Whether the latest vote of this server's own took long to write.
    pub(super) slow_vote: bool,
    /// How often it has campaigned, or asked whether it should, since it heard a leader.
    pub(super) campaigns: u32,
    /// Since it last heard a leader, somebody whose log is older has asked for its vote, though it
    /// is no voter by its own log.
    pub(super) vote_needed: bool,
    /// Entries of the log that admit a disk under this server's name, and that aren't known to be
    /// committed and on the disk yet.
    pub(super) admissions: Vec<(LogIndex, DiskId)>,
    pub(super) incoming: Option<IncomingSnapshot>,
    pub(super) snapshot_asked: bool,
    /// A snapshot up to here was too large: another is asked for when there is as much again to put
    /// into it.
    pub(super) snapshot_tried: LogIndex,
    /// The size of the entries applied since the last snapshot.
    pub(super) applied_bytes: u64,
    pub(super) reads: LocalReads,
    /// A leadership that this server gave away, until it is seen who leads.
    pub(super) handed_over: Option<HandedOver>,
    /// The log is known to equal that of this term's leader up to here, on the disk or not.
    pub(super) agreed: (Term, LogIndex),
    /// The entries last cut out of the log (or put into it together), from where on, and their
    /// size: members that are equally far, and the disk, get the same ones.
    pub(super) slice: Option<(LogIndex, Entries, u64)>,
}

impl Server {
    /// What every step ends with: the write it made, the entries it committed, the reads they
    /// release.
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

    /// Asserts an invariant of our own, unless rules that it rests on are switched off.
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

    /// The leader has just been heard.
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
            // Those that draw from so narrow a range campaign together time after time. Each time
            // waits for another time, and each server.
            let luck = mix(self.config.seed, u64::from(self.config.id.number()), u64::from(self.campaigns));
            let extra = luck % (min - (max - min));
            self.election_timeout = self.election_timeout + Duration::from_micros(extra);
        }
        if self.slow_campaigns > 0 {
            // Drawn, too, and from far apart: those whose disks are equally slow would go on
            // getting in each other's way otherwise, where all that are left must vote for the same
            // one.
            let allowance = self.slow_disk_allowance().as_micros();
            let extra = self.random.random_range(0..=allowance.saturating_mul(3));
            self.election_timeout = self.election_timeout + Duration::from_micros(extra);
        }
        self.election_deadline = self.now + self.election_timeout;
    }

    /// How much longer than an election timeout it may take, about, until this server campaigns
    /// again, for disks may be slow: twice as long after each campaign in vain, up to what two
    /// writes may take, for that is what a candidate needs. Who campaigns again sooner undoes what
    /// the others are about to promise.
    fn slow_disk_allowance(&self) -> Duration {
        let doubled = 1 << (self.slow_campaigns.saturating_sub(1)).min(16);
        self.config.election_timeout_min.times(doubled).min(self.config.disk_stall_max.times(2))
    }

    /// Refuses what only a leader does.
    pub(super) fn refuse_request(&self, id: RequestId, out: &mut Output) {
        out.refuse(id, Refusal::NotLeader { leader: self.leader });
    }

    /// Refuses what has been waited for too long, whoever leads: reads, and a leadership transfer.
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

    /// The same for the messages that are sent all the time: each is built where it will lie. To
    /// build it elsewhere and to copy it as soon as that is done takes longer than all the rest,
    /// for the processor has to wait until what was just written can be read.
    #[inline]
    pub(super) fn send_new(&self, to: ServerId, message: impl FnOnce() -> Message, out: &mut Output) {
        out.messages.extend(core::iter::once_with(|| Envelope { to, message: message() }));
    }

    /// The membership that counts.
    pub(super) fn members(&self) -> &Configuration {
        if self.rule(Rule::MembershipFollowsLog) { self.membership.current() } else { self.membership.at(self.commit) }
    }

    /// The clock went back: no deadline may lie further off than it did when it was set.
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
