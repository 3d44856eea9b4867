//! Connections: how many, how long, and how they end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_io_timeout::TimeoutStream;

use super::Limits;
use super::tls::{self, First, Https};

/// The most bytes of a request's line and headers.
pub(super) const HEAD_BYTES_MAX: usize = 16 << 10;

/// How long connections may take to finish when the server stops.
const DRAIN_MAX: Duration = Duration::from_secs(3);

/// How long a connection may take to bring its first request when the server stops. Nobody can know
/// whether one is on its way, and what has brought none must not hold up the server's end.
const FIRST_REQUEST_MAX: Duration = Duration::from_millis(500);

/// How long to wait after a connection couldn't be accepted: the process has no descriptors left,
/// say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The task that serves connections.
#[derive(Debug)]
pub struct Serving {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Takes no more connections, and waits for a moment until requests are answered.
    pub async fn stop(&mut self) {
        if !self.stop.send_replace(true) {
            let _ = (&mut self.task).await;
        }
    }
}

/// Serves the API on a listener, by HTTPS if that is set up.
pub fn serve(listener: TcpListener, router: Router, limits: Limits, https: Option<Https>) -> Serving {
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(listener, router, limits, https, stopped));
    Serving { stop, task }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    https: Option<Https>,
    mut stopped: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(limits.connections_max));
    let mut connections = JoinSet::new();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            _ = stopped.changed() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let connection = begin(stream, router.clone(), limits, https.clone(), stopped.clone());
                connections.spawn(holding(permit, connection));
            }
            Err(error) => {
                tracing::warn!("a connection can't be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Who has connected already may have sent a request.
    if let Ok(listener) = listener.into_std() {
        while let Ok(permit) = Arc::clone(&room).try_acquire_owned()
            && let Ok((stream, _)) = listener.accept()
        {
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                let connection = begin(stream, router.clone(), limits, https.clone(), stopped.clone());
                connections.spawn(holding(permit, connection));
            }
        }
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN_MAX, drained).await;
}

/// Serves a connection, which has one of the bounded number of places as long as it is open.
async fn holding<P>(place: P, connection: impl Future<Output = ()>) {
    connection.await;
    drop(place);
}

async fn begin(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    https: Option<Https>,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small, and each is waited for.
    let _ = stream.set_nodelay(true);
    let Some(https) = https else {
        // Who says nothing is let go.
        let first = tokio::select! {
            first = tokio::time::timeout(limits.arrival, First::of(&stream)) => first.unwrap_or(First::Nothing),
            _ = stopped.changed() => First::Nothing,
        };
        let stream = Box::pin(stalling(stream, limits));
        return match first {
            First::Handshake => {
                // Whether it arrives or not, there is nothing more to do.
                let _ = tokio::time::timeout(limits.arrival, tls::say_http(stream)).await;
            }
            First::Other => talk(stream, router, limits, stopped).await,
            First::Nothing => {}
        };
    };
    let handshake = async {
        let first = First::of(&stream).await;
        https.accept(first, Box::pin(stalling(stream, limits))).await
    };
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(limits.arrival, handshake) => accepted,
        // There is no request yet.
        _ = stopped.changed() => return,
    };
    if let Ok(Some(stream)) = accepted {
        talk(stream, router, limits, stopped).await;
    }
}

/// Whoever reads nothing holds its connection only for so long.
fn stalling(stream: TcpStream, limits: Limits) -> TimeoutStream<TcpStream> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.stall));
    stream
}

async fn talk<S>(stream: S, router: Router, limits: Limits, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.arrival).max_buf_size(HEAD_BYTES_MAX);
    // A client that has said all it will say still waits for the answer. Whoever is gone altogether
    // is noticed when the answer can't be written.
    builder.half_close(true);
    let has_asked = AtomicBool::new(false);
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(|request| {
        has_asked.store(true, Ordering::Relaxed);
        hyper::service::Service::call(&router, request)
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // What is wrong with a connection was told to the other side, if that was possible.
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|is_stopped| *is_stopped) => connection.as_mut().graceful_shutdown(),
    }
    if !has_asked.load(Ordering::Relaxed) {
        let ended = tokio::time::timeout(FIRST_REQUEST_MAX, connection.as_mut()).await;
        if ended.is_ok() || !has_asked.load(Ordering::Relaxed) {
            return;
        }
    }
    let _ = connection.await;
}
