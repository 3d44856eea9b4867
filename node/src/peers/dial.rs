//! The connection to a peer: dialled, written to, and dialled again when it ends.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use raft_core::raft::ServerId;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::ended::Ended;
use super::frame::{Frame, FrameError, OVERHEAD, Opener, Sealer};
use super::handshake::{self, Claim, Session};
use super::peer::{KEPT_BYTES, Next, Peer};
use super::stream::{Stream, read_frame};
use super::{Settings, Shared};

/// Keeps a connection to `peer` as long as it has an address, until this server stops.
pub(super) async fn run(shared: Arc<Shared>, peer: Arc<Peer>) {
    let mut address = peer.address.subscribe();
    let mut claim = shared.claim.subscribe();
    let mut backoff = Backoff::new(&shared.settings);
    loop {
        let dialled = address.borrow_and_update().clone();
        let said = *claim.borrow_and_update();
        let (Some(dialled), Some(said)) = (dialled, said) else {
            tokio::select! {
                _ = address.changed() => continue,
                _ = claim.changed() => continue,
                () = shared.stopped() => return,
            }
        };
        let mut connected_at = None;
        let ended = tokio::select! {
            ended = connect_and_speak(&shared, &peer, &dialled, said, &mut connected_at) => ended,
            _ = address.changed() => Ended::Moved,
            _ = claim.changed() => Ended::Reclaimed,
        };
        if peer.disconnected(&ended, connected_at.is_some()) && !matches!(ended, Ended::Stopped) {
            shared.log_disconnected(peer.id, &dialled, &ended);
        }
        shared.changed.send_replace(());
        if matches!(ended, Ended::Moved | Ended::Reclaimed) {
            // That is another chance.
            backoff = Backoff::new(&shared.settings);
            continue;
        }
        let wait = backoff.next(connected_at.map(|at| at.elapsed()));
        tokio::select! {
            () = sleep(wait) => {}
            _ = address.changed() => {}
            _ = claim.changed() => {}
            () = shared.stopped() => return,
        }
    }
}

/// How long to wait before the next attempt.
struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    fn new(settings: &Settings) -> Backoff {
        let (min, max) = (settings.reconnect_wait_min, settings.reconnect_wait_max);
        Backoff { min, max, next: min.min(max) }
    }

    /// The wait after an attempt whose connection lasted so long, if there was one. It doubles from
    /// attempt to attempt, and half of it is random, so that servers don't dial in step. A
    /// connection that ends at once is no success.
    fn next(&mut self, lasted: Option<Duration>) -> Duration {
        if lasted.is_some_and(|lasted| lasted >= self.max) {
            self.next = self.min.min(self.max);
        }
        let wait = self.next;
        self.next = (wait * 2).min(self.max);
        // If the operating system has no randomness, the wait isn't random, and that is all.
        let share = getrandom::u32().unwrap_or(u32::MAX / 2);
        wait / 2 + (wait / 2).mul_f64(f64::from(share) / f64::from(u32::MAX))
    }
}

async fn connect_and_speak(
    shared: &Shared,
    peer: &Peer,
    address: &str,
    claim: Claim,
    connected_at: &mut Option<Instant>,
) -> Ended {
    let connected = tokio::select! {
        connected = timeout(shared.settings.handshake_time_max, connect(shared, peer.id, address, claim)) => connected,
        () = shared.stopped() => return Ended::Stopped,
    };
    let (stream, session) = match connected {
        Ok(Ok(connected)) => connected,
        Ok(Err(ended)) => return ended,
        Err(_) => return Ended::TimedOut("the connection and its handshake"),
    };
    *connected_at = Some(Instant::now());
    peer.connected(session.life);
    shared.changed.send_replace(());
    tracing::info!(to = %peer.id, address, life = session.life, "connected to a peer");
    speak(shared, peer, stream, session).await
}

/// Makes a connection and leads it through its handshake: who answers is `to`, and knows the
/// secret.
pub(super) async fn connect(
    shared: &Shared,
    to: ServerId,
    address: &str,
    claim: Claim,
) -> Result<(Box<dyn Stream>, Session), Ended> {
    let stream = TcpStream::connect(address).await.map_err(Ended::Unreachable)?;
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        // TCP can connect a port with itself if nobody listens there, and then nobody ever can.
        return Err(Ended::Unreachable(std::io::ErrorKind::ConnectionRefused.into()));
    }
    stream.set_nodelay(true).map_err(Ended::Broken)?;
    let (mut stream, binding): (Box<dyn Stream>, _) = match &shared.settings.tls {
        Some(tls) => {
            let (stream, binding) = tls.connect(stream).await?;
            (Box::new(stream), binding)
        }
        None => (Box::new(stream), Default::default()),
    };
    let session = handshake::dial(&mut stream, &shared.identity, claim, to, &binding).await?;
    Ok((stream, session))
}

/// Sends what there is to send, until the connection ends.
async fn speak(shared: &Shared, peer: &Peer, stream: Box<dyn Stream>, session: Session) -> Ended {
    let (reader, mut writer) = tokio::io::split(stream);
    let Session { key_out, key_in, secret, .. } = session;
    let write = async {
        let ended = write(shared, peer, &mut writer, Sealer::new(&key_out)).await;
        if matches!(ended, Ended::Stopped) && writer.shutdown().await.is_ok() {
            // The peer reads what is on its way and closes the connection, too. To close it on
            // this side now could destroy that: a keep-alive of the peer would be answered with a
            // reset.
            std::future::pending::<()>().await;
        }
        ended
    };
    let ended = tokio::select! {
        ended = write => ended,
        ended = listen(reader, Opener::new(&key_in, OVERHEAD as u32), shared.settings.silence_max) => ended,
        () = shared.identity.secrets.withdrawn(&secret) => Ended::Withdrawn,
    };
    if *shared.stop.borrow() { Ended::Stopped } else { ended }
}

/// Writes what waits, all of it at once, and a keep-alive when nothing does.
async fn write(shared: &Shared, peer: &Peer, writer: &mut WriteHalf<Box<dyn Stream>>, mut sealer: Sealer) -> Ended {
    let mut stop = shared.stop.subscribe();
    let mut batch = Vec::new();
    let mut keep_alive = Instant::now() + shared.settings.keep_alive_interval;
    loop {
        let wake_at = match peer.seal(&mut sealer, &mut batch, Instant::now()) {
            Next::Batch => keep_alive,
            _ if *stop.borrow() => return Ended::Stopped,
            Next::NotBefore(due) => due.min(keep_alive),
            Next::Nothing => keep_alive,
        };
        if batch.is_empty() && Instant::now() >= keep_alive {
            sealer.keep_alive(&mut batch);
        }
        if batch.is_empty() {
            tokio::select! {
                () = peer.wake.notified() => {}
                () = sleep_until(wake_at) => {}
                _ = stop.changed() => {}
            }
            continue;
        }
        if let Err(error) = flush(writer, &batch).await {
            return Ended::of_stream(error);
        }
        keep_alive = Instant::now() + shared.settings.keep_alive_interval;
        batch.clear();
        if batch.capacity() > KEPT_BYTES {
            batch = Vec::new();
        }
    }
}

async fn flush<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &[u8]) -> std::io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}

/// Listens to the acceptor, which says nothing but that it is there.
async fn listen<R: AsyncRead + Unpin>(mut reader: R, mut opener: Opener, silence_max: Duration) -> Ended {
    let mut buffer = BytesMut::new();
    loop {
        match read_frame(&mut reader, &mut buffer, &mut opener, silence_max).await {
            Ok(Frame::KeepAlive) => {}
            // Its limit leaves no room for a message.
            Ok(Frame::Message { .. }) => return FrameError::UnknownKind(1).into(),
            Err(ended) => return ended,
        }
    }
}

/// Tells the dialler, from time to time, that this server is there.
pub(super) async fn keep_alive<W: AsyncWrite + Unpin>(mut writer: W, mut sealer: Sealer, interval: Duration) -> Ended {
    loop {
        sleep(interval).await;
        let mut frame = Vec::new();
        sealer.keep_alive(&mut frame);
        if let Err(error) = flush(&mut writer, &frame).await {
            return Ended::of_stream(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff(min: u64, max: u64) -> Backoff {
        let (min, max) = (Duration::from_millis(min), Duration::from_millis(max));
        Backoff { min, max, next: min.min(max) }
    }

    fn assert_within(wait: Duration, millis: u64) {
        let longest = Duration::from_millis(millis);
        assert!(longest / 2 <= wait && wait <= longest, "{wait:?} isn't {longest:?} or up to half less");
    }

    #[test]
    fn waits_double_up_to_the_longest_and_differ() {
        let mut waits = backoff(50, 1000);
        for longest in [50, 100, 200, 400, 800, 1000, 1000] {
            assert_within(waits.next(None), longest);
        }
        let first = waits.next(None);
        assert!((0..20).any(|_| waits.next(None) != first), "they are random");
        assert_within(backoff(2000, 1000).next(None), 1000);
    }

    #[test]
    fn only_a_connection_that_lasts_is_a_success() {
        let mut waits = backoff(50, 1000);
        assert_within(waits.next(None), 50);
        assert_within(waits.next(Some(Duration::from_millis(999))), 100);
        assert_within(waits.next(Some(Duration::from_millis(1000))), 50);
        assert_within(waits.next(None), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_noticed_and_a_keep_alive_breaks_it() {
        let (near, mut far) = tokio::io::duplex(1000);
        let (interval, silence_max) = (Duration::from_secs(1), Duration::from_secs(5));
        let speaks = tokio::spawn(async move {
            tokio::select! {
                ended = keep_alive(&mut far, Sealer::new(&[7; 32]), interval) => panic!("{ended}"),
                () = sleep(Duration::from_secs(60)) => std::future::pending::<()>().await,
            }
        });
        let begin = Instant::now();
        let ended = listen(near, Opener::new(&[7; 32], OVERHEAD as u32), silence_max).await;
        assert!(matches!(ended, Ended::Silent), "{ended}");
        let heard = begin.elapsed();
        assert!(heard >= Duration::from_secs(64) && heard <= Duration::from_secs(66), "{heard:?}");
        speaks.abort();
    }
}
