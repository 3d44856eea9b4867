//! A whole server, put together: folder, peers, driver and API.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use raft_core::raft::{
    Config, Configuration, DiskId, LogIndex, Message, Observation, Raft, ServerId, ServerSet, Standing, Term,
};
use raft_core::time::Time;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::changes::Changes;
use crate::driver::{self, Audience, DiskState, DriverError, Founding, Handle, Network, Setup, Status};
use crate::events::{Events, Recorder};
use crate::http::access::{Access, AccessError};
use crate::http::{self, App, Https, HttpsFiles, Limits};
use crate::machine::{Address, AddressChange, Addresses};
use crate::metrics::Metrics;
use crate::peers::{self, Claim, Incoming, PeerReport, Peers, Recognise, Unrecognised};
use crate::storage::{DiskError, FileStorage, Folder, FolderError, FolderSettings, Founded, KnownDisks, Storage};
use crate::store::{self, Hosted};

/// The file in a server's folder with the members' addresses, as JSON. It is only a help: it may be
/// missing, old, or damaged.
const ADDRESSES: &str = "addresses.json";

/// How many messages of peers wait for the driver before their connections are read no further.
const INCOMING_MAX: usize = 4_096;

/// How many requests wait for the driver before further ones are refused.
const REQUESTS_MAX: usize = 16_384;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its number.
    pub server: ServerId,
    /// The cluster's name: 1 to 64 letters, digits, `-`, `_` and `.`.
    pub cluster: String,
    /// Its data folder.
    pub folder: PathBuf,
    /// Where it listens for its peers.
    pub peer_listen: SocketAddr,
    /// Where it listens for clients.
    pub http_listen: SocketAddr,
    /// Where the members are reached that it is started with, itself included. Addresses in the log
    /// count more.
    pub members: Addresses,
    /// What it does if its folder is new; none if it must not be.
    pub founding: Option<NewFolder>,
    /// The file with the secret that the servers share.
    pub secret: Option<PathBuf>,
    /// Certificates, if the connections between servers are encrypted.
    pub tls: Option<peers::TlsFiles>,
    /// Certificates, if clients speak HTTPS. All servers of a cluster have them or none.
    pub https: Option<HttpsFiles>,
    /// The file with the clients' tokens.
    pub client_tokens: Option<PathBuf>,
    /// The file with the administrators' tokens.
    pub administrator_tokens: Option<PathBuf>,
    /// Election timeouts are between this and twice as long.
    pub election_timeout: Duration,
    /// How often a leader sends heartbeats.
    pub heartbeat: Duration,
    /// The API's limits.
    pub limits: Limits,
    /// Whether links may be disturbed by requests.
    pub playground: bool,
}

/// What a server does whose data folder is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewFolder {
    /// It founds the cluster, together with the other members that it is started with.
    Found,
    /// It waits until it is added.
    Join,
}

/// Why a server can't start, or can't go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The options make no sense, or aren't safe.
    #[error("{0}")]
    Options(String),
    /// The data folder can't be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The secret can't be used.
    #[error(transparent)]
    Secret(#[from] peers::SecretsError),
    /// A certificate can't be used.
    #[error(transparent)]
    Tls(#[from] peers::TlsError),
    /// A token's file can't be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// An address can't be listened on.
    #[error("{what} can't listen on {address}: {source}")]
    Listen {
        /// Who wants to listen.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The driver can't start, or can't go on.
    #[error(transparent)]
    Driver(#[from] DriverError),
}

/// A server that runs.
pub struct Server {
    handle: Handle<Hosted>,
    running: driver::Running,
    serving: http::Serving,
    stopping: watch::Sender<bool>,
    peers: Peers,
    reloader: Reloader,
    http_address: SocketAddr,
    peer_address: SocketAddr,
    // Until the end, so that no other process takes the folder.
    _folder: Arc<Folder>,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// [`ServerError`], as a sentence that says what to do.
    pub async fn start(mut options: Options) -> Result<Server, ServerError> {
        check(&options)?;
        let connections_max = &mut options.limits.connections_max;
        *connections_max = (*connections_max).min(descriptors() / 2).max(1);
        let founders = founders(&options)?;
        let folder = Arc::new(open_folder(&options, founders)?);
        let founding = match folder.founded() {
            Founded::Bootstrap(voters) => Founding::Founder(Configuration::of_voters(voters)),
            Founded::Joining => Founding::Joiner,
        };
        if options.founding == Some(NewFolder::Found) && !folder.is_new() {
            tracing::info!(
                "{} holds this server's data, so it goes on with them: --found isn't needed any more",
                folder.path().display()
            );
        }
        let disks = Arc::new(KnownDisks::open(&folder)?);
        let secrets = match &options.secret {
            Some(path) => peers::Secrets::read(path)?,
            None => peers::Secrets::of_this_machine(&options.cluster),
        };
        let tls = options.tls.as_ref().map(peers::Tls::read).transpose()?;
        let https = options.https.as_ref().map(Https::read).transpose()?;
        let access = Access::read(options.client_tokens.as_deref(), options.administrator_tokens.as_deref())?;
        let peer_listener = listen("the server, for its peers,", options.peer_listen).await?;
        let http_listener = listen("the server, for clients,", options.http_listen).await?;
        let address_of = |listener: &TcpListener, wanted: SocketAddr| listener.local_addr().unwrap_or(wanted);
        let peer_address = address_of(&peer_listener, options.peer_listen);
        let http_address = address_of(&http_listener, options.http_listen);

        if https.is_none() && !access.is_open() && !is_loopback(http_address) {
            tracing::warn!(
                "clients' tokens and values travel to {http_address} as they are, and can be read on the way: \
                 use HTTPS (--http-tls-cert, --http-tls-key, --http-tls-ca), or a network that you trust"
            );
        }
        let (arrived, incoming) = mpsc::channel(INCOMING_MAX);
        let settings = peers::Settings {
            tls: tls.clone(),
            claim: None,
            recognise: Arc::new(Recogniser(Arc::clone(&disks))),
            ..peers::Settings::new(options.server, options.cluster.clone(), secrets.clone())
        };
        let peers = Peers::start(settings, peer_listener, arrived);
        let own = options.members.get(&options.server.number()).cloned();
        let listening = http::Listening { peer: peer_address, http: http_address, own };
        let mut members = options.members.clone();
        members.extend(remembered(&options.folder));
        // This server knows best where it listens itself.
        if let Some(own) = options.members.get(&options.server.number()) {
            members.insert(options.server.number(), own.clone());
        }
        members
            .entry(options.server.number())
            .or_insert_with(|| Address { peer: peer_address.to_string(), http: http_address.to_string() });
        let addresses = Arc::new(RwLock::new(members.clone()));
        let changes = Arc::new(Changes::default());
        let events = Arc::new(Events::new(&options.cluster, founders, peers.life()));
        let (introduce, mut introductions) = mpsc::unbounded_channel();
        let ears = Ears {
            changes: Arc::clone(&changes),
            recorder: Recorder::new(Arc::clone(&events), options.server, peers.life()),
            peers: peers.clone(),
            file: options.folder.join(ADDRESSES),
            given: members,
            logged: Addresses::new(),
            addresses: Arc::clone(&addresses),
            introduce,
            disks,
        };
        let (tell_founded, known_to_founders) = oneshot::channel();
        let other_founders = match folder.founded() {
            Founded::Bootstrap(voters) => voters.difference([options.server].into_iter().collect()),
            Founded::Joining => ServerSet::EMPTY,
        };
        let to_open = Arc::clone(&folder);
        let (handle, running) = driver::start(Setup {
            config: config(&options),
            founding,
            known_to_founders: (!other_founders.is_empty()).then_some(known_to_founders),
            disk: folder.disk_id(),
            open: Box::new(move || Ok(Box::new(FileStorage::open(&to_open)?) as Box<dyn Storage>)),
            machine: store::hosted(),
            network: Box::new(peers.clone()),
            audience: Box::new(ears),
            incoming,
            requests_max: REQUESTS_MAX,
        })?;
        tokio::spawn(tell_claims(handle.watch(), folder.disk_id(), peers.clone()));
        if handle.status().is_founding {
            let (peers, path) = (peers.clone(), options.folder.clone());
            tokio::spawn(async move {
                let met = meet_founders(&peers, options.server, other_founders, &path);
                // If the driver has ended, nobody waits for it.
                let _ = tell_founded.send(met.await);
            });
        }
        let proposer = handle.clone();
        tokio::spawn(async move {
            while let Some(change) = introductions.recv().await {
                let change: AddressChange = change;
                if let Ok(command) = change.command() {
                    // If it fails, the next leader tries again.
                    let _ = proposer.propose(command).await;
                }
            }
        });
        tokio::spawn(tell_of_full_disk(handle.watch(), options.folder.clone()));
        let was_current = Arc::new(AtomicBool::new(false));
        let (mut status, is_now) = (handle.watch(), Arc::clone(&was_current));
        tokio::spawn(async move {
            let current = status.wait_for(|status| http::cluster::is_current(status).is_ok()).await;
            is_now.store(current.is_ok(), Ordering::Relaxed);
        });
        {
            let known = addresses.read().unwrap_or_else(PoisonError::into_inner);
            let members: Vec<_> =
                known.iter().map(|(number, at)| format!("S{number} at {}/{}", at.peer, at.http)).collect();
            tracing::info!(
                "{} of cluster {} begins: version {}, data in {}; it listens at {peer_address} for its peers and at \
                 {http_address} for clients, and knows {}",
                options.server,
                options.cluster,
                env!("CARGO_PKG_VERSION"),
                options.folder.display(),
                members.join(", ")
            );
        }
        let (stopping, stopped) = watch::channel(false);
        let places = Arc::new(http::Places::new(options.limits.connections_max));
        let app = App {
            server: options.server,
            cluster: options.cluster,
            handle: handle.clone(),
            changes,
            peers: peers.clone(),
            addresses,
            access: access.clone(),
            limits: options.limits,
            metrics: Metrics::default(),
            events,
            was_current,
            playground: options.playground,
            stopping: stopped,
            listening,
            folder: options.folder,
            https: https.clone(),
            troubles: http::Troubles::default(),
            forwarder: http::Forwarder::new(https.clone(), secrets.clone()),
            lists: http::Room::for_answers(http::LISTS_BYTES_MAX),
            values: http::Room::for_answers(http::VALUES_BYTES_MAX),
            places: Arc::clone(&places),
            bodies: http::Room::for_bodies(http::BODIES_BYTES_MAX),
        };
        let app = Arc::new(app);
        tokio::spawn(http::look_around(Arc::clone(&app)));
        let serving = http::serve(http_listener, http::router(app), options.limits, https.clone(), places);
        let reloader = Reloader { secrets, access, tls, https };
        Ok(Server { handle, running, serving, stopping, peers, reloader, http_address, peer_address, _folder: folder })
    }

    /// Where clients reach it.
    pub fn http_address(&self) -> SocketAddr {
        self.http_address
    }

    /// Where its peers reach it.
    pub fn peer_address(&self) -> SocketAddr {
        self.peer_address
    }

    /// Its driver.
    pub fn handle(&self) -> &Handle<Hosted> {
        &self.handle
    }

    /// What reads its secrets, tokens and certificates again while it runs.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// Runs until `stop` is done or the server can't go on. Then it hands leadership over, answers
    /// what it can, and ends.
    ///
    /// # Errors
    /// Why it couldn't go on.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
        let early = tokio::select! {
            () = stop => None,
            ended = self.running.ended() => Some(ended),
        };
        // Streams don't end by themselves. Their clients go on at another server.
        self.stopping.send_replace(true);
        if early.is_none() {
            tracing::info!("stopping");
            self.handle.leave().await;
        }
        let status = self.handle.status();
        let goes_on_elsewhere = early.is_none() && status.leader.is_some_and(|leader| leader != status.server);
        if goes_on_elsewhere {
            // What is under way may need this server's disk, although another one leads.
            self.serving.stop().await;
        }
        let ended = match early {
            Some(ended) => ended,
            None => {
                self.handle.stop().await;
                self.running.ended().await
            }
        };
        // Nothing that peers say counts any more, while clients are told that the server stops.
        tokio::join!(self.serving.stop(), self.peers.stop());
        Ok(ended?)
    }
}

/// Reads a server's secrets, tokens and certificates again.
#[derive(Clone)]
pub struct Reloader {
    secrets: peers::Secrets,
    access: Access,
    tls: Option<peers::Tls>,
    https: Option<Https>,
}

impl Reloader {
    /// Reads the files. Returns what can't be used: it stays as it was, and keeps nothing else from
    /// being renewed.
    #[must_use]
    pub fn reload(&self) -> Vec<ServerError> {
        let secrets = self.secrets.reload().map_err(ServerError::from);
        let tls = self.tls.as_ref().map_or(Ok(()), |tls| tls.reload().map_err(ServerError::from));
        let https = self.https.as_ref().map_or(Ok(()), |https| https.reload().map_err(ServerError::from));
        let others = [secrets, tls, https].into_iter().filter_map(Result::err);
        self.access.reload().into_iter().map(ServerError::from).chain(others).collect()
    }
}

/// How many files and connections this process may have open, after it has asked for as many as it
/// can get. Clients get half of them, so that their number never keeps the server from its disk and
/// its peers.
fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // If that is refused, the limit stays as it was.
    let _ = setrlimit(Resource::Nofile, raised);
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Whether no other machine reaches this address.
fn is_loopback(address: SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_loopback(),
    }
}

/// Tells the peers on which disk this server votes, and whenever that changes.
async fn tell_claims(mut status: watch::Receiver<Arc<Status>>, disk: DiskId, peers: Peers) {
    loop {
        let votes_since = {
            let status = status.borrow_and_update();
            (status.standing == Standing::Member).then_some(status.decided_at)
        };
        peers.claim(Claim { disk, votes_since });
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// How long founders wait for the others before they complain.
const FOUNDING_PATIENCE: Duration = Duration::from_secs(10);

/// Waits until all others that found the cluster know this server by its disk. An error says that
/// one of them knows it by another disk, so that it is no founder.
async fn meet_founders(peers: &Peers, me: ServerId, others: ServerSet, folder: &Path) -> Result<(), String> {
    let missing = |peers: &Peers| {
        let met: ServerSet = peers.report().iter().filter(|peer| peer.life.is_some()).map(|peer| peer.id).collect();
        others.difference(met)
    };
    let denier = |peers: &Peers| {
        let denies = |peer: &PeerReport| peer.refusal == Some(peers::Refusal::Disk);
        peers.report().into_iter().find(denies).map(|peer| peer.id)
    };
    let names = |servers: ServerSet| servers.iter().map(|server| server.to_string()).collect::<Vec<_>>().join(", ");
    tracing::info!("this server is new: it takes no part before {} know it", names(others));
    let met = peers.wait_until(|peers| missing(peers).is_empty() || denier(peers).is_some());
    tokio::pin!(met);
    if tokio::time::timeout(FOUNDING_PATIENCE, &mut met).await.is_err() {
        tracing::warn!(
            "the cluster isn't founded yet: it begins when all servers that found it have met, and {} can't be \
             reached; start what isn't running, and see whether the addresses (--member) are right",
            names(missing(peers))
        );
        met.await;
    }
    let Some(denier) = denier(peers) else {
        tracing::info!("all servers that found the cluster have met");
        return Ok(());
    };
    let number = me.number();
    Err(format!(
        "{me} can't found the cluster: {denier} knows it by another disk than the one in {}, so its data were lost, or \
         are in another folder. If they are, start it with that one (--data). Else let the others give it their data: \
         `raftarium members remove {number}`, empty the folder, start this server with --join instead of --found, \
         `raftarium members add {number} PEER HTTP` with its addresses, and, when it has all, \
         `raftarium members promote {number}`. If the cluster never held anything, empty the folders of all its \
         servers, and found it again",
        folder.display()
    ))
}

/// Knows the peers by what is noted in this server's folder.
#[derive(Debug)]
struct Recogniser(Arc<KnownDisks>);

impl Recognise for Recogniser {
    fn recognise(&self, peer: ServerId, disk: DiskId, admitted_at: LogIndex) -> Result<(), Unrecognised> {
        self.0.recognise(peer, disk, admitted_at).map_err(|error| match &error {
            DiskError::Another { .. } => Unrecognised::Another(error.to_string()),
            DiskError::Failed { .. } => Unrecognised::Unnoted(error.to_string()),
        })
    }
}

fn check(options: &Options) -> Result<(), ServerError> {
    let wrong = |why: String| Err(ServerError::Options(why));
    let name = &options.cluster;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
        return wrong(format!("{name:?} is no cluster's name: 1 to 64 letters, digits, -, _ and ."));
    }
    if options.founding == Some(NewFolder::Join)
        && options.members.keys().all(|number| *number == options.server.number())
    {
        return wrong("a server that joins must know where the others are: name each with --member".into());
    }
    if !is_loopback(options.peer_listen) && options.secret.is_none() {
        return wrong(format!(
            "the server would listen for peers on {}, which other machines may reach, without a secret: \
             write one to a file that only you can read (openssl rand -hex 32) and give it with --secret-file",
            options.peer_listen
        ));
    }
    if !is_loopback(options.http_listen) && options.client_tokens.is_none() {
        return wrong(format!(
            "the server would listen for clients on {}, which other machines may reach, without a token: \
             write one to a file that only you can read (openssl rand -hex 32) and give it with --token-file",
            options.http_listen
        ));
    }
    if options.heartbeat.is_zero() || options.heartbeat * 2 > options.election_timeout {
        return wrong("the election timeout must be at least twice the heartbeat interval".into());
    }
    for address in options.members.values() {
        for address in [&address.peer, &address.http] {
            crate::machine::check_address(address).map_err(ServerError::Options)?;
        }
    }
    Ok(())
}

/// The members that the server is started with, as those that found the cluster.
fn founders(options: &Options) -> Result<ServerSet, ServerError> {
    let mut voters: ServerSet = options.members.keys().filter_map(|number| ServerId::new(*number)).collect();
    if options.founding == Some(NewFolder::Found) && !options.members.is_empty() && !voters.contains(options.server) {
        return Err(ServerError::Options(format!(
            "{} isn't among the members that found the cluster: name it, too",
            options.server
        )));
    }
    voters.insert(options.server);
    Ok(voters)
}

/// The addresses that the last run of this server knew.
fn remembered(folder: &Path) -> Addresses {
    let text = std::fs::read(folder.join(ADDRESSES)).unwrap_or_default();
    let addresses: Addresses = serde_json::from_slice(&text).unwrap_or_default();
    let is_fine = |address: &Address| {
        [&address.peer, &address.http].iter().all(|text| crate::machine::check_address(text).is_ok())
    };
    addresses.into_iter().filter(|(_, address)| is_fine(address)).collect()
}

fn open_folder(options: &Options, voters: ServerSet) -> Result<Folder, ServerError> {
    let founded = match options.founding {
        Some(NewFolder::Found) => Founded::Bootstrap(voters),
        Some(NewFolder::Join) => Founded::Joining,
        // What it is founded as stands in it.
        None if Folder::is_at(&options.folder) => Founded::Joining,
        // A voter that comes back with an empty disk has forgotten its votes.
        None => {
            return Err(ServerError::Options(format!(
                "{} holds no server's data: say --found if this server founds a new cluster, or --join if it waits \
                 to be added to one; if it had data there, remove it from the members first",
                options.folder.display()
            )));
        }
    };
    let settings = FolderSettings { cluster: options.cluster.clone(), server: options.server, founded };
    Ok(Folder::open_or_create(&options.folder, &settings)?)
}

fn config(options: &Options) -> Config {
    let duration = |duration: Duration| raft_core::time::Duration::from_micros(duration.as_micros() as u64);
    let mut seed = [0; 8];
    // Without randomness, servers draw the same timeouts as the last time, which is no harm.
    let _ = getrandom::fill(&mut seed);
    Config {
        election_timeout_min: duration(options.election_timeout),
        election_timeout_max: duration(options.election_timeout * 2),
        heartbeat_interval: duration(options.heartbeat),
        disk_stall_max: duration((options.election_timeout * 4).max(Duration::from_secs(2))),
        snapshot_after_entries: 50_000,
        snapshot_after_bytes: 32 << 20,
        entries_kept: 5_000,
        learner_lag_max: 1_000,
        ..Config::new(options.server, u64::from_le_bytes(seed))
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Listen { what, address, source })
}

/// Says in the log that the disk of this folder is full, and that it has room again.
async fn tell_of_full_disk(mut status: watch::Receiver<Arc<Status>>, folder: PathBuf) {
    let folder = folder.display();
    while status.wait_for(|status| status.disk == DiskState::Full).await.is_ok() {
        tracing::error!("the disk of {folder} is full: writes wait until there is room, and nothing is lost");
        if status.wait_for(|status| status.disk == DiskState::Fine).await.is_err() {
            return;
        }
        tracing::info!("the disk of {folder} has room again");
    }
}

impl Network for Peers {
    fn send(&self, to: ServerId, message: &Message) -> Option<u64> {
        Peers::send(self, to, message)
    }
}

/// Who hears what happens in the driver's thread.
struct Ears {
    changes: Arc<Changes>,
    recorder: Recorder,
    peers: Peers,
    /// Where the addresses are kept for the next start: a server that starts must reach its leader
    /// before it can learn from the log where that is.
    file: PathBuf,
    /// The addresses that the server was started with, and those of its last run.
    given: Addresses,
    /// Those of the log, as far as it was applied.
    logged: Addresses,
    /// The first, and over them the second.
    addresses: Arc<RwLock<Addresses>>,
    introduce: mpsc::UnboundedSender<AddressChange>,
    disks: Arc<KnownDisks>,
}

impl Ears {
    fn tell_addresses(&self) {
        let mut all = self.given.clone();
        all.extend(self.logged.clone());
        self.tell_peers(&all);
        *self.addresses.write().unwrap_or_else(PoisonError::into_inner) = all;
    }

    fn tell_peers(&self, all: &Addresses) {
        // If it can't be written, the next start needs to be told the addresses.
        let written = serde_json::to_vec_pretty(all).map_err(std::io::Error::from).and_then(|text| {
            let new = self.file.with_extension("new");
            std::fs::write(&new, text)?;
            std::fs::rename(&new, &self.file)
        });
        if let Err(error) = written {
            tracing::warn!("the members' addresses can't be kept in {}: {error}", self.file.display());
        }
        let peers = all.iter().filter_map(|(number, address)| Some((ServerId::new(*number)?, address.peer.clone())));
        self.peers.set_addresses(&peers.collect());
    }
}

impl Audience<Hosted> for Ears {
    fn admitted(&mut self, index: LogIndex, server: ServerId, disk: DiskId) {
        // This writes to the disk, but once for each server that joins.
        if let Err(error) = self.disks.admitted(server, disk, index) {
            tracing::warn!("{error}; after a restart this server may take an older disk for it");
        }
    }

    fn applied(&mut self, index: LogIndex, command: &[u8], answer: &[u8]) {
        self.changes.applied(index.0, store::change(index.0, command, answer));
        if let Some(change) = AddressChange::of(command) {
            change.apply(&mut self.logged);
            self.tell_addresses();
        }
    }

    fn restored(&mut self, index: LogIndex, machine: &Hosted) {
        self.changes.restart(index.0);
        self.logged = machine.addresses().clone();
        self.tell_addresses();
    }

    fn leads(&mut self, _: Term, machine: &Hosted) {
        // Servers that join learn from the log where the founders are.
        for (server, address) in &self.given {
            if let Some(id) = ServerId::new(*server)
                && !machine.addresses().contains_key(server)
            {
                // Meanwhile somebody may say that it is elsewhere.
                let _ = self.introduce.send(AddressChange::introduction(id, address.clone()));
            }
        }
    }

    fn listens(&mut self) -> bool {
        self.recorder.listens()
    }

    fn stepped(&mut self, now: Time, raft: &Raft, observations: &[Observation]) {
        self.recorder.stepped(now, raft, observations);
    }

    fn received(&mut self, now: Time, incoming: &Incoming) {
        self.recorder.received(now, incoming);
    }

    fn sent(&mut self, now: Time, to: ServerId, message: &Message, number: Option<u64>) {
        self.recorder.sent(now, to, message, number);
    }
}
