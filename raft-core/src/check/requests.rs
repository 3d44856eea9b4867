//! Every request ends: whoever asks a server for something is answered, or refused, within a bound
//! (a read, a write, the opening of a session, a change of the membership, a transfer of the
//! leadership).
//!
//! A server may need as long as its disk and those of the others may take
//! ([`Config::disk_stall_max`](crate::raft::Config::disk_stall_max)), one after the other, and some
//! election timeouts: until it sees that nobody can be reached, until somebody else leads, until
//! that one has answered. The time counts only while the server runs, isn't paused, and by the rate
//! of its own clock; where somebody touches any of these, it counts anew. A crash ends what was
//! asked: nobody answers then, and nobody has to.
//!
//! That an answer is sent is enough here. Whether it arrives is the network's business.

use alloc::vec::Vec;

use super::Property;
use super::by_server::ByServer;
use super::safety::{Checker, Verdict};
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

/// One server's.
#[derive(Clone, Debug, Default)]
struct Open {
    /// In the order in which they came.
    requests: Vec<Request>,
    /// How long they may take in all, by the world's clock; nothing is asked of a server that
    /// stands still.
    limit: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    id: RequestId,
    what: Asked,
    asked: Time,
    /// From when its time counts.
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

    /// When a server was asked for what has this number, and what that is.
    pub(super) fn asked_at(&self, server: ServerId, id: RequestId) -> Option<(Time, Asked)> {
        let requests = &self.of[server].requests;
        requests.iter().find(|request| request.id == id).map(|request| (request.asked, request.what))
    }
}

impl Checker {
    /// A server is asked for something, under a number by which the answer will be known.
    pub fn asked(&mut self, now: Time, server: ServerId, id: RequestId, what: Asked) {
        self.requests.of[server].requests.push(Request { id, what, asked: now, since: now });
        if let Asked::Read | Asked::LeaseRead = what {
            self.economy.read();
        }
    }

    /// A server is about to say that an order of its operator is carried out, or begun.
    ///
    /// # Errors
    /// The violation, if that isn't so.
    pub fn obeyed(&self, now: Time, raft: &Raft, id: RequestId) -> Verdict {
        let (me, configuration) = (raft.id(), raft.configuration());
        match self.requests.asked_at(me, id) {
            Some((_, Asked::Change(wanted)))
                if (configuration.voters, configuration.learners) != (wanted.voters, wanted.learners)
                    && raft.config().rules.on(Rule::MembershipFollowsLog) =>
            {
                let second = "it goes by another";
                self.out_of_order(Property::LawfulMembership, now, me, "has taken the order for a membership", second)
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

    /// A server crashed: nobody waits for its answers any more.
    pub(super) fn forget_requests(&mut self, server: ServerId) {
        self.requests.of[server].requests.clear();
    }

    /// From now on a server's clock runs at `rate` parts per million of the world's; at 0 the
    /// server stands still. `config` says how patient one must be.
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

    /// Every Request Ends: none of the server's has been open for too long.
    #[inline]
    pub(super) fn check_requests(&self, now: Time, server: ServerId) -> Verdict {
        let open = &self.requests.of[server];
        match (open.requests.first(), open.limit) {
            (Some(oldest), Some(limit)) if oldest.since + limit < now => self.unanswered(now, server, oldest, limit),
            _ => Ok(()),
        }
    }

    #[cold]
    fn unanswered(&self, now: Time, server: ServerId, request: &Request, limit: Duration) -> Verdict {
        let what = match request.what {
            Asked::Read | Asked::LeaseRead => "a read",
            Asked::Write => "a write",
            Asked::Session => "a session",
            Asked::Change(_) => "a change of the membership",
            Asked::Transfer(_) => "a transfer of the leadership",
        };
        let first = format_args!("{server} was asked for {what} at {} and has been at work since", request.asked);
        let second = format_args!("after {limit} it has said nothing of it");
        self.broken(Property::EveryRequestEnds, now, first, second)
    }
}
