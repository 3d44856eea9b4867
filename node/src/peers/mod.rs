//! Messages between servers: [`Peers`] takes a message for a peer and sends it, and hands on what
//! peers send.
//!
//! # One connection each way
//! A server dials every peer whose address it knows, and sends on the connection that it dialled.
//! What it receives comes on connections that its peers dialled. On each, the other side sends
//! nothing but signs of life. A connection that ends is dialled again, after a wait that grows to
//! about a second and is random in part.
//!
//! # Messages may be lost
//! Raft expects that, and sends again. So nothing here waits for a slow peer: its queue is bounded
//! in messages and bytes, and what finds no room is dropped and counted. Messages that arrive keep
//! their order, and none arrives twice. In the other direction a peer that sends faster than this
//! server takes is not read from until there is room.
//!
//! # Lives
//! A process that starts draws a number at random, its *life*. A peer that restarts has another
//! one. What waited for the old life isn't sent to the new one. When a peer's newer connection has
//! proved itself, nothing from an older one is delivered any more. Which one is newer is decided by
//! the order in which they were accepted: a connection proves itself with what it has heard after
//! that moment, so that its process was alive then.
//!
//! # Strangers
//! Nobody speaks or listens who doesn't know the cluster's secret ([`Secrets`], [`handshake`]), and
//! nobody on the way alters, repeats, reorders or leaves out frames unnoticed ([`frame`]). What is
//! said can be read on the way, unless there is [`Tls`]. A stranger has one of a bounded number of
//! connections, for a bounded time; no claimed length allocates anything.
//!
//! # Caveats
//! All servers share the secret, and each can claim to be any other: Raft's servers trust each
//! other. `docs/peers.md` has the protocol byte by byte, and what is promised against whom.

mod accept;
mod dial;
mod ended;
pub mod frame;
pub mod handshake;
mod peer;
mod secrets;
mod stream;
mod throttle;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use raft_core::raft::{DiskId, LogIndex, Message, ServerId};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use accept::Unproven;
pub use ended::{Ended, FirstBytes, Refusal};
pub use handshake::Claim;
use handshake::Identity;
use peer::Peer;
pub use secrets::{Secrets, SecretsError, SecretsProblem};
use throttle::Throttle;
pub use tls::{Tls, TlsError, TlsFiles};
pub(crate) use tls::{chain, mismatch, private_key, roots, useless};

/// Who knows which disk each server has.
pub trait Recognise: fmt::Debug + Send + Sync + 'static {
    /// A peer has proved itself, and says that it votes on this disk, which was admitted by the
    /// entry at this index, or founded the cluster if that is zero. Nothing of it is delivered
    /// before this has returned `Ok`, and then the peer may count on being known by this disk, even
    /// after a crash of this server. It may block.
    ///
    /// # Errors
    /// When the peer must not be believed on this disk.
    fn recognise(&self, peer: ServerId, disk: DiskId, admitted_at: LogIndex) -> Result<(), Unrecognised>;
}

/// Why a peer isn't believed on the disk that it says it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unrecognised {
    /// It is known by another disk; in which words.
    Another(String),
    /// It couldn't be noted which disk it has, and why not.
    Unnoted(String),
}

/// Every disk is believed: for messages that nothing durable depends on.
#[derive(Clone, Copy, Debug)]
pub struct AnyDisk;

impl Recognise for AnyDisk {
    fn recognise(&self, _: ServerId, _: DiskId, _: LogIndex) -> Result<(), Unrecognised> {
        Ok(())
    }
}

/// How a server talks to its peers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This server.
    pub me: ServerId,
    /// The cluster's name: servers of another cluster are refused.
    pub cluster: String,
    /// What servers prove themselves with.
    pub secrets: Secrets,
    /// TLS, if what is sent must not be read on the way. All servers have it or none.
    pub tls: Option<Tls>,
    /// What this server says of its disk. If that isn't known yet, it dials nobody before
    /// [`Peers::claim`].
    pub claim: Option<Claim>,
    /// Who judges what the peers say of theirs.
    pub recognise: Arc<dyn Recognise>,
    /// The limit of a frame's length, in bytes; a message may have 49 bytes less. All servers
    /// should have the same: a longer frame ends the connection.
    pub frame_bytes_max: u32,
    /// How many messages wait for one peer.
    pub queue_messages_max: usize,
    /// How many bytes of messages wait for one peer. One message may be longer and wait alone.
    pub queue_bytes_max: usize,
    /// How many accepted connections may not have proved themselves yet. Beyond that the oldest is
    /// closed.
    pub unproven_max: usize,
    /// How long a connection may take to be made, and to prove itself.
    pub handshake_time_max: Duration,
    /// How often a server with nothing to say tells that it is there.
    pub keep_alive_interval: Duration,
    /// How long the other side may be silent; some keep-alive intervals.
    pub silence_max: Duration,
    /// The wait before the first attempt to connect again. It doubles from attempt to attempt, and
    /// up to half of it is left out at random.
    pub reconnect_wait_min: Duration,
    /// The longest wait between two attempts.
    pub reconnect_wait_max: Duration,
    /// How long a server that stops tries to send what waits.
    pub stop_time_max: Duration,
}

impl Settings {
    /// The settings of server `me`; no TLS, nothing said of disks nor asked, and for the rest what
    /// suits most clusters.
    pub fn new(me: ServerId, cluster: impl Into<String>, secrets: Secrets) -> Settings {
        Settings {
            me,
            cluster: cluster.into(),
            secrets,
            tls: None,
            claim: Some(Claim::default()),
            recognise: Arc::new(AnyDisk),
            frame_bytes_max: 8 * 1024 * 1024,
            queue_messages_max: 4096,
            queue_bytes_max: 32 * 1024 * 1024,
            unproven_max: 64,
            handshake_time_max: Duration::from_secs(5),
            keep_alive_interval: Duration::from_secs(1),
            silence_max: Duration::from_secs(5),
            reconnect_wait_min: Duration::from_millis(50),
            reconnect_wait_max: Duration::from_secs(1),
            stop_time_max: Duration::from_secs(1),
        }
    }
}

/// A message from a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Who sent it.
    pub from: ServerId,
    /// The sender's life. When it changes, nothing more comes from earlier ones.
    pub life: u64,
    /// The message's number within the sender's life, over all its peers, ascending. With `life` it
    /// is the message's identity.
    pub number: u64,
    /// The message.
    pub message: Message,
    /// The size of its frame, in bytes.
    pub bytes: usize,
}

/// What is wrong with a link, in one direction: for people who play with faults. The default is
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkFault {
    /// No message gets through. The connection stays.
    pub cut: bool,
    /// Every message takes so much longer. Order is kept.
    pub delay: Duration,
    /// The chance that a message is lost, in parts of a million.
    pub loss_ppm: u32,
}

/// How it goes with one peer, since this server's start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerReport {
    /// The peer.
    pub id: ServerId,
    /// Where it is dialled, if that is known.
    pub address: Option<String>,
    /// Whether the connection that this server dials is there.
    pub connected: bool,
    /// Why it isn't, in a sentence: what ended the last connection or attempt.
    pub problem: Option<String>,
    /// What a person has to do about it, if it doesn't pass by itself.
    pub remedy: Option<&'static str>,
    /// The refusal that this is, if the peer has refused this server.
    pub refusal: Option<Refusal>,
    /// The life of the process that was last connected to. If there is one, a peer has recognised
    /// what this server said of its disk.
    pub life: Option<u64>,
    /// Whether the connection that the peer dials is there.
    pub heard: bool,
    /// Whether the last one that it dialled was refused, because it has another disk than the one
    /// it is known by.
    pub denied: bool,
    /// Messages that were sent.
    pub messages_out: u64,
    /// The size of their frames, in bytes.
    pub bytes_out: u64,
    /// Messages that were dropped instead: no address, no room, too long, a fault, no connection.
    pub dropped_out: u64,
    /// Messages that came.
    pub messages_in: u64,
    /// The size of their frames, in bytes.
    pub bytes_in: u64,
    /// Those of them that were dropped: a fault, or no message that this version knows.
    pub dropped_in: u64,
    /// Connections that were made after the first one.
    pub reconnects: u64,
    /// Messages that wait to be sent.
    pub queue_messages: usize,
    /// The size of these messages, in bytes.
    pub queue_bytes: usize,
    /// The fault of the link to the peer.
    pub fault_out: LinkFault,
    /// The fault of the link from the peer.
    pub fault_in: LinkFault,
}

/// What came to the port for peers, since this server's start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenerReport {
    /// Connections that were accepted.
    pub accepted: u64,
    /// Connections that haven't proved themselves yet.
    pub unproven: usize,
    /// Connections that didn't get through the handshake, by [`Ended::name`].
    pub refused: BTreeMap<&'static str, u64>,
    /// Connections of peers that ended later, by [`Ended::name`].
    pub ended: BTreeMap<&'static str, u64>,
    /// Where the last refused one came from, and why it was refused.
    pub last_refused: Option<String>,
}

/// The messages between this server and its peers. A clone is cheap, and the same.
///
/// It goes on until [`stop`](Self::stop), even if all clones are dropped.
#[derive(Clone)]
pub struct Peers {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    identity: Identity,
    incoming: mpsc::Sender<Incoming>,
    numbers: AtomicU64,
    runtime: Handle,
    peers: Mutex<BTreeMap<ServerId, Arc<Peer>>>,
    tasks: Mutex<Tasks>,
    unproven: Unproven,
    counts: Mutex<ListenerReport>,
    log: Throttle,
    /// Told when a connection is made, refused or ended.
    changed: watch::Sender<()>,
    /// What this server says of its disk.
    claim: watch::Sender<Option<Claim>>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Tasks {
    handles: Vec<JoinHandle<()>>,
    /// The peers that have a task which dials them.
    dialled: BTreeSet<ServerId>,
}

/// Lines in the log about strangers, in each interval.
const LOG_LINES_MAX: u32 = 10;
const LOG_INTERVAL: Duration = Duration::from_secs(10);

impl Peers {
    /// Accepts connections from peers on `listener`, and hands what they send to `incoming`. Sends
    /// nothing before [`set_addresses`](Self::set_addresses).
    ///
    /// # Panics
    /// If it is called outside of a tokio runtime, or the operating system has no random numbers.
    pub fn start(settings: Settings, listener: TcpListener, incoming: mpsc::Sender<Incoming>) -> Peers {
        let identity = Identity {
            me: settings.me,
            life: getrandom::u64().expect("the operating system has random numbers"),
            cluster: handshake::cluster_digest(&settings.cluster),
            secrets: settings.secrets.clone(),
        };
        let shared = Arc::new(Shared {
            identity,
            incoming,
            numbers: AtomicU64::new(1),
            runtime: Handle::current(),
            peers: Mutex::default(),
            tasks: Mutex::default(),
            unproven: Unproven::default(),
            counts: Mutex::default(),
            log: Throttle::new(LOG_LINES_MAX, LOG_INTERVAL),
            changed: watch::Sender::new(()),
            claim: watch::Sender::new(settings.claim),
            stop: watch::Sender::new(false),
            settings,
        });
        let accepting = shared.runtime.spawn(accept::run(shared.clone(), listener));
        shared.tasks().handles.push(accepting);
        Peers { shared }
    }

    /// This process's life: a number drawn at random at its start.
    pub fn life(&self) -> u64 {
        self.shared.identity.life
    }

    /// Sends a message, at once or when those before it are sent. Never blocks.
    ///
    /// Returns the message's number in this life; `None` if it was dropped because the peer has no
    /// address, its queue is full, the link is cut, or the message is longer than a frame may be. A
    /// number is no promise that it arrives.
    pub fn send(&self, to: ServerId, message: &Message) -> Option<u64> {
        if *self.shared.stop.borrow() {
            return None;
        }
        self.shared.peer(to).enqueue(message, &self.shared.numbers, &self.shared.settings)
    }

    /// Says where the peers are: each address is `host:port`, and may be looked up anew for every
    /// connection. Peers that aren't named have no address any more; their connections are closed,
    /// and those to a changed address are made anew. This server's own address is ignored.
    pub fn set_addresses(&self, addresses: &BTreeMap<ServerId, String>) {
        let me = self.shared.settings.me;
        for peer in self.shared.known() {
            if !addresses.contains_key(&peer.id) {
                peer.set_address(None);
            }
        }
        for (id, address) in addresses.iter().filter(|(id, _)| **id != me) {
            let peer = self.shared.peer(*id);
            peer.set_address(Some(address));
            let mut tasks = self.shared.tasks();
            if !*self.shared.stop.borrow() && tasks.dialled.insert(*id) {
                tasks.handles.push(self.shared.runtime.spawn(dial::run(self.shared.clone(), peer)));
            }
        }
    }

    /// Whether a peer answers at this address now: it is dialled once more, beside whatever
    /// connection there is, and proves itself.
    ///
    /// # Errors
    /// Why it isn't known to be there.
    pub async fn meet(&self, peer: ServerId, address: &str, time_max: Duration) -> Result<(), Ended> {
        let claim = self.shared.claim.borrow().unwrap_or_default();
        match timeout(time_max, dial::connect(&self.shared, peer, address, claim)).await {
            Ok(met) => met.map(|_| ()),
            Err(_) => Err(Ended::TimedOut("the connection and its handshake")),
        }
    }

    /// From now on this server says this of its disk. If that is something new, it connects to its
    /// peers anew, so that they know.
    pub fn claim(&self, claim: Claim) {
        self.shared.claim.send_if_modified(|said| said.replace(claim) != Some(claim));
    }

    /// Breaks the link to a peer, or heals it.
    pub fn set_link(&self, to: ServerId, fault: LinkFault) {
        self.shared.peer(to).set_fault_out(fault);
    }

    /// Breaks the link from a peer, or heals it.
    pub fn set_link_in(&self, from: ServerId, fault: LinkFault) {
        self.shared.peer(from).set_fault_in(fault);
    }

    /// How it goes with each peer that has or had an address, has connected, or was sent to.
    pub fn report(&self) -> Vec<PeerReport> {
        self.shared.known().iter().map(|peer| peer.report()).collect()
    }

    /// What came to the port for peers.
    pub fn report_listener(&self) -> ListenerReport {
        ListenerReport { unproven: self.shared.unproven.len(), ..self.shared.counts().clone() }
    }

    /// Waits until `holds` is true. It is asked now, and whenever a connection was made, refused or
    /// ended; not for every message.
    pub async fn wait_until(&self, mut holds: impl FnMut(&Peers) -> bool) {
        let mut changed = self.shared.changed.subscribe();
        while !holds(self) {
            changed.changed().await.expect("`self` has the sender");
        }
    }

    /// Sends what waits, as far as that takes no longer than the settings allow, and closes all
    /// connections. When it returns, the port is free, and nothing more is delivered.
    pub async fn stop(&self) {
        self.shared.stop.send_replace(true);
        let handles = std::mem::take(&mut self.shared.tasks().handles);
        let aborts: Vec<_> = handles.iter().map(JoinHandle::abort_handle).collect();
        let all = async {
            for handle in handles {
                // A task that panicked has said so.
                let _ = handle.await;
            }
        };
        tokio::pin!(all);
        if timeout(self.shared.settings.stop_time_max, &mut all).await.is_err() {
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
            all.await;
        }
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("settings", &self.shared.settings).finish_non_exhaustive()
    }
}

impl Shared {
    /// What is known about a server. There are never more than [`ServerId::MAX`].
    fn peer(&self, id: ServerId) -> Arc<Peer> {
        let mut peers = self.peers.lock().expect("no holder panics");
        peers.entry(id).or_insert_with(|| Arc::new(Peer::new(id))).clone()
    }

    fn known(&self) -> Vec<Arc<Peer>> {
        self.peers.lock().expect("no holder panics").values().cloned().collect()
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().expect("no holder panics")
    }

    /// Waits until this server stops.
    async fn stopped(&self) {
        self.stop.subscribe().wait_for(|stop| *stop).await.expect("`self` has the sender");
    }

    fn counts(&self) -> MutexGuard<'_, ListenerReport> {
        self.counts.lock().expect("no holder panics")
    }

    /// A connection didn't get through the handshake.
    fn log_refused(&self, address: &str, ended: &Ended) {
        {
            let mut counts = self.counts();
            *counts.refused.entry(ended.name()).or_default() += 1;
            counts.last_refused = Some(format!("{address}: {ended}"));
        }
        self.changed.send_replace(());
        if let Some(withheld) = self.log.pass() {
            match ended.remedy() {
                None => tracing::warn!(address, withheld, "a connection to the port for peers: {ended}"),
                Some(remedy) => {
                    tracing::warn!(withheld, "a connection from {address} to the port for peers: {ended}; {remedy}");
                }
            }
        }
    }

    /// A peer that this server dials isn't connected, for another reason than before.
    fn log_disconnected(&self, to: ServerId, address: &str, ended: &Ended) {
        match ended.remedy() {
            // It may pass: the peer isn't there yet, say.
            None => tracing::info!(%to, address, "a peer isn't connected: {ended}"),
            Some(remedy) => {
                if let Some(withheld) = self.log.pass() {
                    tracing::warn!(withheld, "{to} at {address} isn't connected: {ended}; {remedy}");
                }
            }
        }
    }

    /// A peer's connection has ended.
    fn log_ended(&self, from: ServerId, address: &SocketAddr, ended: &Ended) {
        *self.counts().ended.entry(ended.name()).or_default() += 1;
        self.changed.send_replace(());
        if let Some(withheld) = self.log.pass() {
            tracing::info!(%from, %address, withheld, "a peer's connection has ended: {ended}");
        }
    }

    /// A peer has sent a message that this version doesn't understand.
    fn log_unusable(&self, from: ServerId, error: &dyn fmt::Display) {
        if let Some(withheld) = self.log.pass() {
            tracing::warn!(%from, withheld, "a peer sent what is no message: {error}");
        }
    }
}
