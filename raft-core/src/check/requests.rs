//! Every request ends: a server answers or refuses each request within a bound (a read, a write,
//! the opening of a session, a change of the membership, a transfer of the leadership).
//!
//! The bound is as long as its disk and then another server's disk can take
//! ([`Config::disk_stall_max`](crate::raft::Config::disk_stall_max)), and some election timeouts:
//! until the server sees that it reaches no other, until another one leads, until the new leader
//! has answered. The time counts only while the server runs and isn't paused, and at the rate of
//! its own clock. When one of these changes, the count starts again. A crash ends all requests of a
//! server: it need not answer them.
//!
//! It is enough that the server sends an answer. Whether it arrives depends on the network.

use alloc::vec::Vec;

use super::Property;
use super::by_server::ByServer;
use super::safety::{CheckResult, Checker};
use crate::clock::TRUE_RATE;
use crate::raft::{Config, MembershipChange, Raft, RequestId, Rule, ServerId};
use crate::time::{Duration, Time};

/// What a server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A read, confirmed by a quorum.
    Read,
    /// A read by the leader's lease, if it has one.
    LeaseRead,
    /// A write.
    Write,
    /// The opening of a session.
    Session,
    /// A change of the membership.
    Change(MembershipChange),
    /// A transfer of the leadership, to whom.
    Transfer(ServerId),
}

/// The requests that haven't ended.
#[derive(Clone, Debug)]
pub(super) struct Requests {
    of: ByServer<Open>,
}

/// One server's requests.
#[derive(Clone, Debug, Default)]
struct Open {
    /// In the order in which they came.
    requests: Vec<PendingRequest>,
    /// How long each may take, by the world's clock; `None` while the server is paused, which then
    /// need not answer.
    limit: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct PendingRequest {
    id: RequestId,
    what: Asked,
    asked: Time,
    /// Since when its time counts.
    since: Time,
}

/// How long a request may take, by the server's own clock.
pub fn patience(config: &Config) -> Duration {
    config.disk_stall_max.times(2) + config.election_timeout_max.times(4)
}

impl Requests {
    pub(super) fn new(count: usize) -> Requests {
        Requests { of: ByServer::new(Open::default(), count) }
    }

    /// When a server was asked for the request of this number, and what it is.
    pub(super) fn asked_at(&self, server: ServerId, id: RequestId) -> Option<(Time, Asked)> {
        let requests = &self.of[server].requests;
        requests.iter().find(|request| request.id == id).map(|request| (request.asked, request.what))
    }
}

impl Checker {
    /// A server gets a request. Its answer will have the same number.
    pub fn asked(&mut self, now: Time, server: ServerId, id: RequestId, what: Asked) {
        self.requests.of[server].requests.push(PendingRequest { id, what, asked: now, since: now });
        if let Asked::Read | Asked::LeaseRead = what {
            self.economy.read();
        }
    }

    /// A server is about to say that it has carried out, or begun, an order of its operator.
    ///
    /// # Errors
    /// The violation, if that isn't true.
    pub fn obeyed(&self, now: Time, raft: &Raft, id: RequestId) -> CheckResult {
        let (me, configuration) = (raft.id(), raft.configuration());
        match self.requests.asked_at(me, id) {
            Some((_, Asked::Change(wanted)))
                if (configuration.voters, configuration.learners) != (wanted.voters, wanted.learners)
                    && raft.config().rules.on(Rule::MembershipFollowsLog) =>
            {
                let second = "it uses another";
                self.out_of_order(
                    Property::LawfulMembership,
                    now,
                    me,
                    "says that it has changed to a membership",
                    second,
                )
            }
            Some((_, Asked::Transfer(to))) if raft.leader() != Some(to) => {
                let second = "its successor doesn’t lead";
                self.out_of_order(Property::OrderlyElections, now, me, "says that leadership is handed over", second)
            }
            _ => Ok(()),
        }
    }

    /// A server has answered a request, or refused it.
    pub fn ended(&mut self, server: ServerId, id: RequestId) {
        self.requests.of[server].requests.retain(|request| request.id != id);
    }

    /// A server crashed: it need not answer any more.
    pub(super) fn forget_requests(&mut self, server: ServerId) {
        self.requests.of[server].requests.clear();
    }

    /// From now on a server's clock runs at `rate` parts per million of the world's; at 0 the
    /// server is paused. `config` says how long its requests may take.
    pub fn paced(&mut self, now: Time, server: ServerId, rate: u32, config: &Config) {
        self.economy.pace(server, rate, config);
        self.replication.measure_anew(server, rate);
        self.grounds.clock_set(server);
        let open = &mut self.requests.of[server];
        let patience = patience(config).as_micros().saturating_mul(u64::from(TRUE_RATE));
        open.limit = patience.checked_div(u64::from(rate)).map(Duration::from_micros);
        for request in &mut open.requests {
            request.since = now;
        }
    }

    /// Every Request Ends: none of the server's requests has been open for too long.
    #[inline]
    pub(super) fn check_requests(&self, now: Time, server: ServerId) -> CheckResult {
        let open = &self.requests.of[server];
        match (open.requests.first(), open.limit) {
            (Some(oldest), Some(limit)) if oldest.since + limit < now => self.unanswered(now, server, oldest, limit),
            _ => Ok(()),
        }
    }

    #[cold]
    fn unanswered(&self, now: Time, server: ServerId, request: &PendingRequest, limit: Duration) -> CheckResult {
        let what = match request.what {
            Asked::Read | Asked::LeaseRead => "a read",
            Asked::Write => "a write",
            Asked::Session => "a session",
            Asked::Change(_) => "a change of the membership",
            Asked::Transfer(_) => "a transfer of the leadership",
        };
        let first = format_args!("{server} was asked for {what} at {} and has run since", request.asked);
        let second = format_args!("after {limit} it hasn’t answered");
        self.broken(Property::EveryRequestEnds, now, first, second)
    }
}
