//! Connections: how many, how long, and how they end.

use std::convert::Infallible;
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
        let first = in_time(First::of(&stream), limits, &mut stopped).await.unwrap_or(First::Nothing);
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
    if let Some(Some((stream, client))) = in_time(handshake, limits, &mut stopped).await {
        talk(stream, client, &place, serve, stopped).await;
    }
}

/// What a client brings, unless it takes too long: less is too long once the server stops.
async fn in_time<T>(brings: impl Future<Output = T>, limits: Limits, stopped: &mut watch::Receiver<bool>) -> Option<T> {
    tokio::select! {
        biased;
        brought = tokio::time::timeout(limits.arrival, brings) => brought.ok(),
        () = begun_too_late(limits, stopped) => None,
    }
}

/// Waits until the server has stopped for so long that nothing new is begun.
async fn begun_too_late(limits: Limits, stopped: &mut watch::Receiver<bool>) {
    // If nobody can say it any more, it has stopped.
    let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
    tokio::time::sleep(limits.last_request).await;
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

/// Answers a connection's requests until it ends. A connection that is closed while a request is on
/// its way leaves the client in doubt about it. So none is closed as soon as the server stops: the
/// next answer says that it is the last one, and only who asks nothing for a while isn't told.
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
    let router = TowerToHyperService::new(router);
    let (is_last, has_asked) = (stopped.clone(), AtomicBool::new(false));
    let service = hyper::service::service_fn(|mut request| {
        has_asked.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(client.clone());
        let (router, is_last) = (&router, is_last.clone());
        async move {
            let mut answer = match place.admit(&request, wait_max).await {
                Ok(()) => hyper::service::Service::call(router, request).await?,
                Err(problem) => {
                    let mut refused = problem.into_response();
                    refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    refused
                }
            };
            if *is_last.borrow() {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
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
        () = begun_too_late(limits, &mut stopped) => connection.as_mut().graceful_shutdown(),
        () = asks_nothing => return,
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::Instant;

    use super::*;

    const ASKS: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

    /// A client's side of a connection, and who can stop the server.
    async fn connected() -> (DuplexStream, watch::Sender<bool>) {
        // What a stream would look at, to see whether its reader has gone.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let looked_at = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let seen = Client { reading: Arc::new(looked_at.into_split().0) };
        let (client, server) = tokio::io::duplex(1 << 10);
        let (stop, stopped) = watch::channel(false);
        let router = Router::new().route("/", get(async || "answered"));
        let serve = Serve { router, limits: Limits::default(), https: None };
        let place = Arc::new(Places::new(1)).enter().await;
        tokio::spawn(async move { talk(server, seen, &place, serve, stopped).await });
        (client, stop)
    }

    /// Asks on a connection that stays open.
    async fn ask(client: &mut DuplexStream) -> String {
        client.write_all(ASKS).await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"answered") {
            read.push(client.read_u8().await.unwrap());
        }
        String::from_utf8(read).unwrap()
    }

    /// Asks, and reads up to the connection's end.
    async fn ask_for_the_last_time(client: &mut DuplexStream) {
        client.write_all(ASKS).await.unwrap();
        let mut read = String::new();
        client.read_to_string(&mut read).await.unwrap();
        assert!(read.starts_with("HTTP/1.1 200 OK\r\n") && read.contains("\r\nconnection: close\r\n"), "{read:?}");
    }

    /// The client couldn't know whether what it has sent was done.
    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_on_its_way_when_the_server_stops_is_answered() {
        let before_the_first = connected().await;
        let mut idle = connected().await;
        assert!(!ask(&mut idle.0).await.contains("connection:"));
        for (mut client, stop) in [before_the_first, idle] {
            stop.send_replace(true);
            tokio::time::sleep(Limits::default().last_request / 2).await;
            ask_for_the_last_time(&mut client).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_nothing_does_not_hold_up_the_end() {
        let silent = connected().await;
        let mut idle = connected().await;
        ask(&mut idle.0).await;
        for (mut client, stop) in [silent, idle] {
            let began = Instant::now();
            stop.send_replace(true);
            assert_eq!(client.read_to_end(&mut Vec::new()).await.unwrap(), 0);
            let (took, limit) = (began.elapsed(), Limits::default().last_request);
            assert!(took >= limit && took < 2 * limit, "{took:?}");
        }
    }
}
