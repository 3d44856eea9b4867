//! Connections that other servers dial, and strangers: accepted, proven, read from.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use raft_core::raft::{Message, ServerId};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::dial::keep_alive;
use super::ended::{Ended, Refusal};
use super::frame::{Frame, LENGTH_BYTES, NUMBER_BYTES, OVERHEAD, Opener, Sealer};
use super::handshake::{self, Claim, Session, denied};
use super::peer::Peer;
use super::stream::{Stream, read_frame};
use super::{Incoming, Shared, Unrecognised};

/// The wait after the operating system couldn't accept a connection, perhaps for want of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How much is read from a stranger after it was refused. A connection that is closed with unread
/// bytes is reset, and the reason doesn't arrive.
const LAST_WORDS_BYTES: u64 = 16 * 1024;
/// How many messages, and how many bytes of them, wait on a link that is slowed down.
const SLOW_LINK_MESSAGES_MAX: usize = 1024;
const SLOW_LINK_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Accepts connections until this server stops.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    let mut ticket = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    ticket += 1;
                    shared.counts().accepted += 1;
                    let evicted = shared.unproven.enter(ticket, shared.settings.unproven_max);
                    connections.spawn(serve(shared.clone(), stream, address, ticket, evicted));
                }
                Err(error) => {
                    // One that was broken off before it was accepted says nothing about the next.
                    let of_connection = matches!(
                        error.kind(),
                        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
                    );
                    shared.log_refused("", &Ended::Broken(error));
                    if !of_connection {
                        sleep(ACCEPT_PAUSE).await;
                    }
                }
            },
            Some(_) = connections.join_next() => {}
            () = shared.stopped() => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

/// The connections that haven't proved themselves yet, oldest first. When there are too many, the
/// oldest must go: a server proves itself within a few round trips, a stranger never.
#[derive(Default)]
pub(super) struct Unproven {
    waiting: Mutex<VecDeque<(u64, oneshot::Sender<()>)>>,
}

impl Unproven {
    /// Adds a connection. What it returns ends when the connection must go.
    fn enter(&self, ticket: u64, max: usize) -> oneshot::Receiver<()> {
        let (evict, evicted) = oneshot::channel();
        let mut waiting = self.waiting.lock().expect("no holder panics");
        while waiting.len() >= max.max(1) {
            waiting.pop_front();
        }
        waiting.push_back((ticket, evict));
        evicted
    }

    fn leave(&self, ticket: u64) {
        let mut waiting = self.waiting.lock().expect("no holder panics");
        waiting.retain(|(other, _)| *other != ticket);
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.lock().expect("no holder panics").len()
    }
}

/// A connection that has proved itself.
struct Proven {
    stream: Box<dyn Stream>,
    session: Session,
    peer: Arc<Peer>,
    superseded: oneshot::Receiver<()>,
}

/// A connection that hasn't.
struct Unwelcome {
    ended: Ended,
    /// What was answered travels on it, if anything was.
    stream: Option<Box<dyn Stream>>,
}

impl From<Ended> for Unwelcome {
    fn from(ended: Ended) -> Unwelcome {
        Unwelcome { ended, stream: None }
    }
}

async fn serve(
    shared: Arc<Shared>,
    stream: TcpStream,
    address: SocketAddr,
    ticket: u64,
    mut evicted: oneshot::Receiver<()>,
) {
    let time_max = shared.settings.handshake_time_max;
    let proven = tokio::select! {
        proven = timeout(time_max, prove(&shared, stream, ticket)) => {
            proven.unwrap_or_else(|_| Err(Ended::TimedOut("the handshake").into()))
        }
        _ = &mut evicted => Err(Ended::Crowded.into()),
    };
    match proven {
        Ok(proven) => {
            shared.unproven.leave(ticket);
            let (peer, life) = (proven.peer.clone(), proven.session.life);
            tracing::info!(from = %peer.id, %address, life, "a peer has connected");
            shared.changed.send_replace(());
            let ended = hear(&shared, proven, ticket).await;
            peer.dismiss(ticket);
            shared.log_ended(peer.id, &address, &ended);
        }
        Err(Unwelcome { ended, stream }) => {
            shared.log_refused(&address.to_string(), &ended);
            if let Some(stream) = stream {
                tokio::select! {
                    _ = timeout(time_max, say_goodbye(stream)) => {}
                    _ = evicted => {}
                }
            }
            shared.unproven.leave(ticket);
        }
    }
}

/// Leads a connection through its handshake.
async fn prove(shared: &Shared, stream: TcpStream, ticket: u64) -> Result<Proven, Unwelcome> {
    stream.set_nodelay(true).map_err(Ended::Broken)?;
    let (mut stream, binding): (Box<dyn Stream>, _) = match &shared.settings.tls {
        Some(tls) => {
            let (stream, binding) = tls.accept(stream).await?;
            (Box::new(stream), binding)
        }
        None => (Box::new(stream), Default::default()),
    };
    let admit = async |from: ServerId, claim: Claim| {
        recognise(shared, from, claim).await?;
        let peer = shared.peer(from);
        match peer.admit(ticket) {
            Some(superseded) => Ok((peer, superseded)),
            None => Err(denied(Refusal::Superseded, format!("of {from}"))),
        }
    };
    match handshake::accept(&mut stream, &shared.identity, &binding, admit).await {
        Ok((session, (peer, superseded))) => Ok(Proven { stream, session, peer, superseded }),
        Err(ended) => Err(Unwelcome { ended, stream: Some(stream) }),
    }
}

/// Sees to it that a peer is known by the disk that it says it votes on. One that doesn't vote
/// promises nothing that it could have forgotten.
async fn recognise(shared: &Shared, from: ServerId, claim: Claim) -> Result<(), Ended> {
    let Claim { disk, votes_since: Some(since) } = claim else { return Ok(()) };
    let recognise = shared.settings.recognise.clone();
    // It may write to a disk.
    let recognised = tokio::task::spawn_blocking(move || recognise.recognise(from, disk, since)).await;
    match recognised.map_err(|error| Ended::Broken(std::io::Error::other(error)))? {
        Ok(()) => Ok(()),
        Err(Unrecognised::Another(detail)) => {
            shared.peer(from).deny();
            Err(denied(Refusal::Disk, detail))
        }
        Err(Unrecognised::Unnoted(detail)) => Err(denied(Refusal::Unnoted, detail)),
    }
}

/// Closes a connection so that what was answered arrives.
async fn say_goodbye(mut stream: Box<dyn Stream>) {
    // Whether it arrives or not, there is nothing more to do.
    let _ = stream.shutdown().await;
    let _ = tokio::io::copy(&mut stream.take(LAST_WORDS_BYTES), &mut tokio::io::sink()).await;
}

/// Reads what a peer sends, until the connection ends.
async fn hear(shared: &Shared, proven: Proven, ticket: u64) -> Ended {
    let Proven { stream, session, peer, superseded } = proven;
    let (reader, writer) = tokio::io::split(stream);
    let receiver = Receiver {
        shared,
        peer: &peer,
        ticket,
        life: session.life,
        opener: Opener::new(&session.key_in, shared.settings.frame_bytes_max),
        buffer: BytesMut::new(),
        link: VecDeque::new(),
        link_bytes: 0,
    };
    tokio::select! {
        ended = receiver.run(reader) => ended,
        ended = keep_alive(writer, Sealer::new(&session.key_out), shared.settings.keep_alive_interval) => ended,
        _ = superseded => Ended::Superseded,
        () = shared.identity.secrets.withdrawn(&session.secret) => Ended::Withdrawn,
        () = shared.stopped() => Ended::Stopped,
    }
}

struct Receiver<'a> {
    shared: &'a Shared,
    peer: &'a Peer,
    ticket: u64,
    life: u64,
    opener: Opener,
    buffer: BytesMut,
    /// What is on its way on a link that is slowed down, and when it arrives.
    link: VecDeque<(Instant, Incoming)>,
    link_bytes: usize,
}

impl Receiver<'_> {
    async fn run<R: AsyncRead + Unpin>(mut self, mut reader: R) -> Ended {
        let silence_max = self.shared.settings.silence_max;
        loop {
            let due = self.link.front().map(|(due, _)| *due);
            let room = self.link.len() < SLOW_LINK_MESSAGES_MAX && self.link_bytes < SLOW_LINK_BYTES_MAX;
            let step = tokio::select! {
                biased;
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let (_, incoming) = self.link.pop_front().expect("something is due");
                    self.link_bytes -= incoming.bytes;
                    self.deliver(incoming).await
                }
                frame = read_frame(&mut reader, &mut self.buffer, &mut self.opener, silence_max), if room => match frame {
                    Ok(Frame::KeepAlive) => Ok(()),
                    Ok(Frame::Message { number, message }) => self.on_message(number, &message).await,
                    Err(ended) => Err(ended),
                },
            };
            if let Err(ended) = step {
                return ended;
            }
        }
    }

    async fn on_message(&mut self, number: u64, message: &[u8]) -> Result<(), Ended> {
        let bytes = LENGTH_BYTES + OVERHEAD + NUMBER_BYTES + message.len();
        let Some(due) = self.peer.arrived(bytes) else { return Ok(()) };
        let message = match Message::decode(message) {
            Ok(message) => message,
            Err(error) => {
                // The peer has sealed it: it may be of a version that knows more messages.
                self.peer.unusable();
                self.shared.log_unusable(self.peer.id, &error);
                return Ok(());
            }
        };
        let incoming = Incoming { from: self.peer.id, life: self.life, number, message, bytes };
        if self.link.is_empty() && due <= Instant::now() {
            return self.deliver(incoming).await;
        }
        self.link_bytes += bytes;
        self.link.push_back((due, incoming));
        Ok(())
    }

    /// Waits until there is room for the message. Meanwhile nothing more is read.
    async fn deliver(&self, incoming: Incoming) -> Result<(), Ended> {
        let room = self.shared.incoming.reserve().await.map_err(|_| Ended::Deaf)?;
        // A newer connection may have been made during the wait.
        if self.peer.deliver(self.ticket, || room.send(incoming)) { Ok(()) } else { Err(Ended::Superseded) }
    }
}
