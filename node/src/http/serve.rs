//! Connections: how many, how long, and how they end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::{HeaderValue, header};
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
const HEAD_BYTES_MAX: usize = 16 << 10;

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
        let first = in_time(First::of(&stream), limits, &mut stopped).await.unwrap_or(First::Nothing);
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
    if let Some(Some(stream)) = in_time(handshake, limits, &mut stopped).await {
        talk(stream, router, limits, stopped).await;
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

/// Whoever reads nothing holds its connection only for so long.
fn stalling(stream: TcpStream, limits: Limits) -> TimeoutStream<TcpStream> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.stall));
    stream
}

/// Answers a connection's requests until it ends. A connection that is closed while a request is on
/// its way leaves the client in doubt about it. So none is closed as soon as the server stops: the
/// next answer says that it is the last one, and only who asks nothing for a while isn't told.
async fn talk<S>(stream: S, router: Router, limits: Limits, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.arrival).max_buf_size(HEAD_BYTES_MAX);
    // A client that has said all it will say still waits for the answer. Whoever is gone altogether
    // is noticed when the answer can't be written.
    builder.half_close(true);
    let router = TowerToHyperService::new(router);
    let is_last = stopped.clone();
    let service = hyper::service::service_fn(|request| {
        let answering = hyper::service::Service::call(&router, request);
        let is_last = is_last.clone();
        async move {
            let mut answer = answering.await?;
            if *is_last.borrow() {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // What is wrong with a connection was told to the other side, if that was possible.
        _ = connection.as_mut() => return,
        () = begun_too_late(limits, &mut stopped) => connection.as_mut().graceful_shutdown(),
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
    fn connected() -> (DuplexStream, watch::Sender<bool>) {
        let (client, server) = tokio::io::duplex(1 << 10);
        let (stop, stopped) = watch::channel(false);
        let router = Router::new().route("/", get(async || "answered"));
        tokio::spawn(talk(server, router, Limits::default(), stopped));
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
        let before_the_first = connected();
        let mut idle = connected();
        assert!(!ask(&mut idle.0).await.contains("connection:"));
        for (mut client, stop) in [before_the_first, idle] {
            stop.send_replace(true);
            tokio::time::sleep(Limits::default().last_request / 2).await;
            ask_for_the_last_time(&mut client).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_nothing_does_not_hold_up_the_end() {
        let silent = connected();
        let mut idle = connected();
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
