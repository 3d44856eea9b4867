//! Connections: how many, how long, and how they end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use http::{HeaderValue, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, Join, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_io_timeout::TimeoutStream;

use super::Limits;
use super::places::{Place, Places};
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
pub fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    https: Option<Https>,
    places: Arc<Places>,
) -> Serving {
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(listener, Serve { router, limits, https }, places, stopped));
    Serving { stop, task }
}

/// How connections are served.
#[derive(Clone)]
struct Serve {
    router: Router,
    limits: Limits,
    https: Option<Https>,
}

async fn accept(listener: TcpListener, serve: Serve, places: Arc<Places>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            place = places.enter() => place,
            _ = stopped.changed() => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                place.is_taken();
                connections.spawn(begin(stream, Arc::new(place), serve.clone(), stopped.clone()));
            }
            Err(error) => {
                tracing::warn!("a connection can't be accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    // Who has connected already may have sent a request.
    if let Ok(listener) = listener.into_std() {
        while let Some(place) = places.try_enter()
            && let Ok((stream, _)) = listener.accept()
        {
            if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                connections.spawn(begin(stream, Arc::new(place), serve.clone(), stopped.clone()));
            }
        }
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN_MAX, drained).await;
}

/// Serves a connection, which has its place as long as it is open.
async fn begin(stream: TcpStream, place: Arc<Place>, serve: Serve, mut stopped: watch::Receiver<bool>) {
    let limits = serve.limits;
    // Answers are small, and each is waited for.
    let _ = stream.set_nodelay(true);
    let Some(https) = &serve.https else {
        // Who says nothing is let go.
        let first = tokio::select! {
            first = tokio::time::timeout(limits.arrival, First::of(&stream)) => first.unwrap_or(First::Nothing),
            _ = stopped.changed() => First::Nothing,
        };
        let (stream, client) = stalling(stream, limits);
        return match first {
            First::Handshake => {
                // Whether it arrives or not, there is nothing more to do.
                let _ = tokio::time::timeout(limits.arrival, tls::say_http(stream)).await;
            }
            First::Other => talk(stream, client, &place, serve, stopped).await,
            First::Nothing => {}
        };
    };
    let handshake = async {
        let first = First::of(&stream).await;
        let (stream, client) = stalling(stream, limits);
        https.accept(first, stream).await.map(|stream| (stream, client))
    };
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(limits.arrival, handshake) => accepted,
        // There is no request yet.
        _ = stopped.changed() => return,
    };
    if let Ok(Some((stream, client))) = accepted {
        talk(stream, client, &place, serve, stopped).await;
    }
}

/// A client's connection. Whoever reads nothing holds it only for so long.
type Connection = Pin<Box<TimeoutStream<Join<Reading, OwnedWriteHalf>>>>;

fn stalling(stream: TcpStream, limits: Limits) -> (Connection, Client) {
    let (reading, writing) = stream.into_split();
    let reading = Arc::new(reading);
    let client = Client { reading: Arc::clone(&reading) };
    let mut stream = TimeoutStream::new(tokio::io::join(Reading { reading }, writing));
    stream.set_write_timeout(Some(limits.stall));
    (Box::pin(stream), client)
}

/// Reads a connection that others look at.
struct Reading {
    reading: Arc<OwnedReadHalf>,
}

impl AsyncRead for Reading {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream: &TcpStream = (*self.reading).as_ref();
        loop {
            std::task::ready!(stream.poll_read_ready(context))?;
            match stream.try_read(into.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(|bytes| into.advance(bytes))),
            }
        }
    }
}

/// Who is at the other end of a connection: goes with each request.
#[derive(Clone, Debug)]
pub(super) struct Client {
    reading: Arc<OwnedReadHalf>,
}

/// How often is looked for the end of a client that has sent what nobody reads yet.
const LOOK: Duration = Duration::from_secs(1);

impl Client {
    /// Waits until the client has ended its side of the connection. Of one that only reads a stream
    /// that means that it has gone.
    pub(super) async fn gone(self) {
        let stream: &TcpStream = (*self.reading).as_ref();
        while let Ok(1..) = stream.peek(&mut [0]).await {
            // It may have sent more than the request: what TLS says at its end, say.
            match stream.ready(tokio::io::Interest::READABLE).await {
                Ok(ready) if !ready.is_read_closed() => tokio::time::sleep(LOOK).await,
                Ok(_) | Err(_) => return,
            }
        }
    }
}

async fn talk<S>(stream: S, client: Client, place: &Place, serve: Serve, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Serve { router, limits, .. } = serve;
    // A place that is kept for others isn't waited in for long.
    let wait_max = limits.request / 5;
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.arrival).max_buf_size(HEAD_BYTES_MAX);
    // A client that has said all it will say still waits for the answer. Whoever is gone altogether
    // is noticed when the answer can't be written; streams look for it.
    builder.half_close(true);
    let has_asked = AtomicBool::new(false);
    let router = TowerToHyperService::new(router);
    let service = hyper::service::service_fn(|mut request| {
        has_asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(client.clone());
        let router = &router;
        async move {
            if let Err(problem) = place.admit(&request, wait_max).await {
                let mut refused = problem.into_response();
                refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                return Ok(refused);
            }
            hyper::service::Service::call(router, request).await
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let asks_nothing = async {
        tokio::time::sleep(wait_max).await;
        if !place.is_kept() || has_asked.load(Ordering::Relaxed) {
            std::future::pending().await
        }
    };
    tokio::select! {
        // What is wrong with a connection was told to the other side, if that was possible.
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|is_stopped| *is_stopped) => connection.as_mut().graceful_shutdown(),
        () = asks_nothing => return,
    }
    if !has_asked.load(Ordering::Relaxed) {
        let ended = tokio::time::timeout(FIRST_REQUEST_MAX, connection.as_mut()).await;
        if ended.is_ok() || !has_asked.load(Ordering::Relaxed) {
            return;
        }
    }
    let _ = connection.await;
}
