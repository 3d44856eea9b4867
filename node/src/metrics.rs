//! Counters and gauges, in the text form of Prometheus (OpenMetrics).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::driver::{DiskState, Status};
use crate::peers::PeerReport;

/// The media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OnRoute {
    method: String,
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfPeer {
    peer: u8,
}

type PeerGauge = Family<OfPeer, Gauge<u64, AtomicU64>>;
type PeerCounter = Family<OfPeer, Counter>;

/// What is counted of clients' connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// How many are open.
    pub open: u64,
    /// How often one has found all places for clients taken.
    pub times_full: u64,
}

/// The metrics of a server.
///
/// What counts since the start is a counter, and its samples end in `_total`; what says how the
/// server is now is a gauge. Terms and indexes are gauges: they are places, and outlive the
/// process.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<OnRoute, Histogram, fn() -> Histogram>,
    server: ServerGauges,
    losses: Counter,
    connections_full: Counter,
    peers: PeerGauges,
    peer_counts: PeerCounters,
}

/// Declares metrics of one type: field, metric's name, help.
macro_rules! metrics {
    ($name:ident $metric_type:ty { $($field:ident $metric:literal $help:literal;)* }) => {
        #[derive(Default)]
        struct $name { $($field: $metric_type,)* }

        impl $name {
            fn register(&self, registry: &mut Registry) {
                $(registry.register($metric, $help, self.$field.clone());)*
            }
        }
    };
}

metrics! {
    ServerGauges Gauge<u64, AtomicU64> {
        term "raftarium_term" "The server's term";
        leads "raftarium_is_leader" "1 if the server leads";
        has_leader "raftarium_has_leader" "1 if the server knows a leader";
        commit "raftarium_commit_index" "Everything up to this index is committed, as far as the server knows";
        applied "raftarium_applied_index" "Everything up to this index is applied";
        last "raftarium_last_index" "The index of the log's last entry";
        durable "raftarium_durable_index" "The server's own disk has the log up to this index";
        first "raftarium_first_index" "The index of the log's first entry";
        voters "raftarium_voters" "How many servers vote";
        learners "raftarium_learners" "How many members don't vote";
        may_vote "raftarium_may_vote" "1 if the server may vote";
        disk_full "raftarium_disk_full" "1 if the disk is full and writes wait for room";
        connections "raftarium_http_connections" "Connections to the port for clients that are open";
        repairing "raftarium_repairing" "1 if the disk has lost entries that peers haven't sent again yet";
    }
}

metrics! {
    PeerGauges PeerGauge {
        connected "raftarium_peer_connected" "1 if messages can be sent to the peer, which is a member";
        matched "raftarium_peer_matched_index" "The peer's log equals this leader's up to this index";
    }
}

metrics! {
    PeerCounters PeerCounter {
        messages_in "raftarium_peer_messages_received" "Messages received from the peer since the start";
        messages_out "raftarium_peer_messages_sent" "Messages sent to the peer since the start";
        bytes_in "raftarium_peer_bytes_received" "Bytes of messages received from the peer since the start";
        bytes_out "raftarium_peer_bytes_sent" "Bytes of messages sent to the peer since the start";
        dropped "raftarium_peer_messages_dropped" "Messages to the peer that were dropped here since the start";
        reconnects "raftarium_peer_reconnects" "Connections to the peer that were opened again since the start";
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut registry = Registry::default();
        let requests = Family::default();
        registry.register("raftarium_http_requests", "Requests answered since the start", requests.clone());
        // From half a millisecond to 8 seconds.
        let durations = Family::new_with_constructor(
            (|| Histogram::new(prometheus_client::metrics::histogram::exponential_buckets(0.000_5, 2.0, 15)))
                as fn() -> Histogram,
        );
        registry.register("raftarium_http_request_seconds", "How long requests took to be answered", durations.clone());
        let losses = Counter::default();
        let help = "How often entries of the log were missing on the disk since the start";
        registry.register("raftarium_log_losses", help, losses.clone());
        let connections_full = Counter::default();
        let help = "How often a connection found all places for clients taken since the start";
        registry.register("raftarium_http_connections_full", help, connections_full.clone());
        let (server, peers, peer_counts) = (ServerGauges::default(), PeerGauges::default(), PeerCounters::default());
        server.register(&mut registry);
        peers.register(&mut registry);
        peer_counts.register(&mut registry);
        Metrics { registry, requests, durations, server, losses, connections_full, peers, peer_counts }
    }
}

impl Metrics {
    /// Counts a request that was answered.
    pub fn answered(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        // A stranger's method mustn't make a new time series.
        let known =
            [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];
        let method = if known.contains(method) { method.as_str() } else { "other" }.to_owned();
        let answered = Answered { method: method.clone(), route: route.to_owned(), status: status.as_u16() };
        self.requests.get_or_create(&answered).inc();
        let on_route = OnRoute { method, route: route.to_owned() };
        self.durations.get_or_create(&on_route).observe(took.as_secs_f64());
    }

    /// All metrics as text.
    pub fn text(&self, status: &Status, peers: &[PeerReport], connections: Connections) -> String {
        let gauges = &self.server;
        let number = |set: raft_core::raft::ServerSet| set.iter().count() as u64;
        for (gauge, value) in [
            (&gauges.term, status.term.0),
            (&gauges.leads, u64::from(status.leads())),
            (&gauges.has_leader, u64::from(status.leader.is_some())),
            (&gauges.commit, status.commit.0),
            (&gauges.applied, status.applied.0),
            (&gauges.last, status.last.index.0),
            (&gauges.durable, status.durable.0),
            (&gauges.first, status.first_index.0),
            (&gauges.voters, number(status.configuration.all_voters())),
            (&gauges.learners, number(status.configuration.learners)),
            (&gauges.may_vote, u64::from(status.may_vote(peers))),
            (&gauges.disk_full, u64::from(status.disk == DiskState::Full)),
            (&gauges.connections, connections.open),
            (&gauges.repairing, u64::from(status.lost.index.0 > 0)),
        ] {
            gauge.set(value);
        }
        // Others have counted already: these counters repeat what they say.
        self.losses.inner().store(status.losses, Ordering::Relaxed);
        self.connections_full.inner().store(connections.times_full, Ordering::Relaxed);
        let (gauges, counters) = (&self.peers, &self.peer_counts);
        let members = status.configuration.members();
        // One that was removed isn't missed.
        gauges.connected.clear();
        for peer in peers {
            let of = OfPeer { peer: peer.id.number() };
            if members.is_empty() || members.contains(peer.id) {
                gauges.connected.get_or_create(&of).set(u64::from(peer.connected));
            }
            for (family, value) in [
                (&counters.messages_in, peer.messages_in),
                (&counters.messages_out, peer.messages_out),
                (&counters.bytes_in, peer.bytes_in),
                (&counters.bytes_out, peer.bytes_out),
                (&counters.dropped, peer.dropped_out),
                (&counters.reconnects, peer.reconnects),
            ] {
                family.get_or_create(&of).inner().store(value, Ordering::Relaxed);
            }
        }
        gauges.matched.clear();
        for follower in &status.followers {
            gauges.matched.get_or_create(&OfPeer { peer: follower.server.number() }).set(follower.matched.0);
        }
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
