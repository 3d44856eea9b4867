//! Peers on 127.0.0.1, strangers, and whoever sits on the way between them.

#[path = "../support/authority.rs"]
mod authority;
mod links;
mod other;
mod proxy;
mod strangers;
mod tls;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use raft_core::raft::{AppendEntries, Entry, EntryId, LogIndex, Message, Payload, ServerId, Term, TimeoutNow};
use raftarium_node::peers::{Incoming, PeerReport, Peers, Secrets, Settings};
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const SECRET: &str = "the secret of a cluster in a test";
const OTHER_SECRET: &str = "another secret of the same length";

fn server(number: u8) -> ServerId {
    ServerId::new(number).unwrap()
}

/// A small message that is known by its number.
fn numbered(number: u64) -> Message {
    Message::TimeoutNow(TimeoutNow { term: Term(number) })
}

/// A message whose encoding has exactly so many bytes.
fn sized(bytes: usize) -> Message {
    let message = |command: usize| {
        let entry = Entry { term: Term(1), payload: Payload::Command(vec![7; command][..].into()) };
        Message::AppendEntries(AppendEntries {
            term: Term(1),
            previous: EntryId::ZERO,
            entries: [entry].into_iter().collect(),
            commit: LogIndex::ZERO,
            round: 0,
            probe: 0,
        })
    };
    let length = |message: &Message| {
        let mut encoded = Vec::new();
        message.encode(&mut encoded);
        encoded.len()
    };
    let overhead = length(&message(bytes)) - bytes;
    let message = message(bytes - overhead);
    assert_eq!(length(&message), bytes, "its numbers have as many bytes as those of a message that much longer");
    message
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut encoded = Vec::new();
    message.encode(&mut encoded);
    encoded
}

/// A file of secrets.
fn secret_file(secrets: &[&str]) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    write_secrets(&file, secrets);
    file
}

fn write_secrets(file: &NamedTempFile, secrets: &[&str]) {
    std::fs::write(file.path(), secrets.join("\n")).unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// The settings of a server of the cluster `test`, with short times.
fn settings(number: u8, secrets: &[&str]) -> Settings {
    let secrets = Secrets::read(secret_file(secrets).path()).unwrap();
    Settings {
        reconnect_wait_min: Duration::from_millis(2),
        reconnect_wait_max: Duration::from_millis(20),
        ..Settings::new(server(number), "test", secrets)
    }
}

/// A running server.
struct Server {
    peers: Peers,
    id: ServerId,
    address: String,
    incoming: mpsc::Receiver<Incoming>,
}

impl Server {
    async fn start(settings: Settings) -> Server {
        Server::start_at("127.0.0.1:0", settings, 1000).await
    }

    async fn start_at(address: &str, settings: Settings, room: usize) -> Server {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, incoming) = mpsc::channel(room);
        let id = settings.me;
        Server { peers: Peers::start(settings, listener, sender), id, address, incoming }
    }

    /// A server with these settings that are all usual.
    async fn usual(number: u8) -> Server {
        Server::start(settings(number, &[SECRET])).await
    }

    /// Tells it where `others` are.
    fn knows(&self, others: &[&Server]) {
        self.peers.set_addresses(&others.iter().map(|other| (other.id, other.address.clone())).collect());
    }

    fn knows_at(&self, number: u8, address: &str) {
        self.peers.set_addresses(&BTreeMap::from([(server(number), address.to_owned())]));
    }

    fn report(&self, number: u8) -> PeerReport {
        let id = server(number);
        self.peers.report().into_iter().find(|report| report.id == id).expect("the peer is known")
    }

    async fn connected_to(&self, number: u8) {
        within(
            self.peers
                .wait_until(|peers| peers.report().iter().any(|peer| peer.id == server(number) && peer.connected)),
        )
        .await;
    }

    /// Waits until the attempt to connect has failed for a reason that contains these words.
    async fn fails_to_reach(&self, number: u8, words: &str) {
        let matches = |peer: &PeerReport| {
            peer.id == server(number) && peer.problem.as_ref().is_some_and(|problem| problem.contains(words))
        };
        let failed = self.peers.wait_until(|peers| peers.report().iter().any(matches));
        if tokio::time::timeout(LONG, failed).await.is_err() {
            panic!("no problem contains {words:?}: {:?}", self.peers.report());
        }
    }

    /// Waits until so many connections were refused for this reason.
    async fn refuses(&self, reason: &str, count: u64) {
        let refused = self
            .peers
            .wait_until(|peers| peers.report_listener().refused.get(reason).is_some_and(|refused| *refused >= count));
        if tokio::time::timeout(LONG, refused).await.is_err() {
            panic!("nobody is refused for {reason}: {:?}", self.peers.report_listener());
        }
    }

    /// Waits until so many connections of peers have ended for this reason.
    async fn ends(&self, reason: &str, count: u64) {
        let ended = self
            .peers
            .wait_until(|peers| peers.report_listener().ended.get(reason).is_some_and(|ended| *ended >= count));
        if tokio::time::timeout(LONG, ended).await.is_err() {
            panic!("no connection ends for {reason}: {:?}", self.peers.report_listener());
        }
    }

    async fn next(&mut self) -> Incoming {
        within(self.incoming.recv()).await.expect("the server runs")
    }

    /// Asserts that nothing has come besides what was taken.
    fn nothing_came(&mut self) {
        assert!(self.incoming.try_recv().is_err(), "a message came that nobody may send");
    }
}

/// Long after this a test has failed; no test that passes waits for it.
const LONG: Duration = Duration::from_secs(30);

async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future).await.expect("what is waited for happens")
}

/// Waits until a message that is sent again and again has arrived at `to`: the first may be lost
/// with a connection.
async fn gets_through(from: &Server, to: &mut Server, number: u64) -> Incoming {
    within(async {
        loop {
            from.peers.send(to.id, &numbered(number));
            tokio::select! {
                incoming = to.incoming.recv() => break incoming.expect("the server runs"),
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_arrive_once_in_order_with_their_life_and_number() {
    let (one, mut two, mut three) = (Server::usual(1).await, Server::usual(2).await, Server::usual(3).await);
    one.knows(&[&two, &three]);
    let mut sent = Vec::new();
    for number in 0..200 {
        sent.push(one.peers.send(server(2), &numbered(number)).unwrap());
        one.peers.send(server(3), &numbered(number + 1000)).unwrap();
    }
    for (number, message_number) in (0..200).zip(sent) {
        let bytes = 4 + 41 + 8 + encoded(&numbered(number)).len();
        let expected = Incoming {
            from: server(1),
            life: one.peers.life(),
            number: message_number,
            message: numbered(number),
            bytes,
        };
        assert_eq!(two.next().await, expected);
        assert_eq!(three.next().await.message, numbered(number + 1000));
    }
    let (out, incoming) = (one.report(2), two.report(1));
    assert_eq!((out.connected, out.problem, out.life), (true, None, Some(two.peers.life())));
    assert_eq!((out.messages_out, out.dropped_out, out.reconnects, out.queue_messages), (200, 0, 0, 0));
    assert_eq!((incoming.messages_in, incoming.bytes_in, incoming.heard), (200, out.bytes_out, true));
    assert!(!out.heard && !incoming.connected, "the other way needs a connection of its own");
    assert_ne!(one.peers.life(), two.peers.life());
}

#[tokio::test]
async fn both_sides_speak_on_connections_of_their_own() {
    let (mut one, mut two) = (Server::usual(1).await, Server::usual(2).await);
    one.knows(&[&two]);
    two.knows(&[&one]);
    one.peers.send(server(2), &numbered(1)).unwrap();
    two.peers.send(server(1), &numbered(2)).unwrap();
    assert_eq!(two.next().await.message, numbered(1));
    assert_eq!(one.next().await.message, numbered(2));
    assert!(one.report(2).heard && one.report(2).connected);
}

#[tokio::test]
async fn what_cannot_be_sent_is_dropped_and_counted() {
    // Somebody who accepts and says nothing: the queue waits for a handshake.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let one = Server::start(Settings { queue_messages_max: 3, queue_bytes_max: 1000, ..settings(1, &[SECRET]) }).await;
    assert_eq!(one.peers.send(server(2), &numbered(1)), None, "it has no address");
    one.knows_at(2, &silent.local_addr().unwrap().to_string());
    let (_silent, _) = within(silent.accept()).await.unwrap();
    let numbers: Vec<_> = (0..5).map(|number| one.peers.send(server(2), &numbered(number)).is_some()).collect();
    assert_eq!(numbers, [true, true, true, false, false]);
    let report = one.report(2);
    assert_eq!((report.queue_messages, report.dropped_out), (3, 3));

    one.knows_at(3, &silent.local_addr().unwrap().to_string());
    assert!(one.peers.send(server(3), &sized(1001)).is_some(), "it waits alone");
    assert!(one.peers.send(server(3), &numbered(1)).is_none());
    assert_eq!(one.report(3).queue_bytes, 1001);
    one.knows_at(4, &silent.local_addr().unwrap().to_string());
    assert!(one.peers.send(server(4), &sized(500)).is_some());
    assert!(one.peers.send(server(4), &sized(500)).is_some());
    assert!(one.peers.send(server(4), &numbered(1)).is_none());
    assert_eq!(one.report(3).queue_messages, 0, "it has no address any more");
}

#[tokio::test]
async fn a_message_may_be_as_long_as_the_limit_allows() {
    let limit = 1000;
    let of = |number| Settings { frame_bytes_max: limit, ..settings(number, &[SECRET]) };
    let (one, mut two) = (Server::start(of(1)).await, Server::start(of(2)).await);
    one.knows(&[&two]);
    let longest = limit as usize - 49;
    for bytes in [longest - 1, longest] {
        assert!(one.peers.send(server(2), &sized(bytes)).is_some());
        assert_eq!(two.next().await.message, sized(bytes));
    }
    assert_eq!(one.peers.send(server(2), &sized(longest + 1)), None);
    assert_eq!(one.report(2).dropped_out, 1);

    // A peer with a higher limit.
    let three = Server::start(settings(3, &[SECRET])).await;
    three.knows(&[&two]);
    three.peers.send(server(2), &sized(longest)).unwrap();
    assert_eq!(two.next().await.message, sized(longest));
    three.peers.send(server(2), &sized(longest + 1)).unwrap();
    two.ends("frame", 1).await;
    two.nothing_came();
}

#[tokio::test]
async fn large_messages_come_whole() {
    let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
    one.knows(&[&two]);
    let large = sized(8 * 1024 * 1024 - 49);
    for number in 0..3 {
        one.peers.send(server(2), &large).unwrap();
        one.peers.send(server(2), &numbered(number)).unwrap();
        assert!(two.next().await.message == large);
        assert_eq!(two.next().await.message, numbered(number));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_more_is_not_written_to_without_end() {
    let of = |number| Settings { queue_messages_max: 10, ..settings(number, &[SECRET]) };
    let (one, mut two) = (Server::start(of(1)).await, Server::start_at("127.0.0.1:0", of(2), 1).await);
    one.knows(&[&two]);
    one.connected_to(2).await;
    // Far more than sockets and queues hold. The first that is dropped says that they are full.
    let message = sized(1_000_000);
    let mut sent = 0;
    within(async {
        while one.peers.send(server(2), &message).is_some() {
            sent += 1;
            assert!(sent < 1000, "the other side's memory must be full");
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(one.report(2).connected, "who is slow isn't dead");
    for _ in 0..sent {
        assert!(two.next().await.message == message);
    }
    gets_through(&one, &mut two, 5).await;
    assert_eq!(one.report(2).reconnects, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_restarts_is_dialled_again_and_is_another_life() {
    let one = Server::usual(1).await;
    let mut two = Server::usual(2).await;
    one.knows(&[&two]);
    two.knows(&[&one]);
    gets_through(&one, &mut two, 1).await;
    two.connected_to(1).await;
    let (address, life) = (two.address.clone(), two.peers.life());
    two.peers.stop().await;
    within(one.peers.wait_until(|peers| peers.report().iter().any(|peer| !peer.connected && peer.problem.is_some())))
        .await;
    one.fails_to_reach(2, "no connection: ").await;

    let mut two = Server::start_at(&address, settings(2, &[SECRET]), 1000).await;
    one.connected_to(2).await;
    assert_eq!(gets_through(&one, &mut two, 2).await.message, numbered(2));
    let report = one.report(2);
    assert_eq!((report.life, report.reconnects), (Some(two.peers.life()), 1));
    assert_ne!(two.peers.life(), life);
}

#[tokio::test]
async fn a_server_that_stops_sends_what_waits_and_frees_its_port() {
    let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
    one.knows(&[&two]);
    one.connected_to(2).await;
    for number in 0..100 {
        one.peers.send(server(2), &numbered(number)).unwrap();
    }
    within(one.peers.stop()).await;
    for number in 0..100 {
        assert_eq!(two.next().await.message, numbered(number));
    }
    assert_eq!(one.peers.send(server(2), &numbered(0)), None);
    TcpListener::bind(&one.address).await.unwrap();
    two.ends("closed", 1).await;
    assert!(!two.report(1).heard);
}

#[tokio::test]
async fn addresses_change_while_servers_run() {
    let one = Server::usual(1).await;
    let mut first = Server::usual(2).await;
    let mut second = Server::usual(2).await;
    one.knows(&[&first]);
    gets_through(&one, &mut first, 1).await;
    one.knows(&[&second]);
    first.ends("closed", 1).await;
    assert_eq!(gets_through(&one, &mut second, 2).await.message, numbered(2));
    one.knows(&[]);
    second.ends("closed", 1).await;
    assert_eq!(one.peers.send(server(2), &numbered(3)), None);
    let report = one.report(2);
    assert_eq!((report.address, report.connected), (None, false));
    one.knows(&[&first]);
    gets_through(&one, &mut first, 4).await;
}

#[tokio::test]
async fn when_nobody_takes_messages_connections_end() {
    let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
    one.knows(&[&two]);
    gets_through(&one, &mut two, 1).await;
    two.incoming.close();
    while two.incoming.recv().await.is_some() {}
    one.peers.send(server(2), &numbered(2));
    two.ends("deaf", 1).await;
}

#[tokio::test]
async fn a_secret_is_replaced_while_servers_run() {
    let files = [secret_file(&[SECRET]), secret_file(&[SECRET])];
    let secrets: Vec<_> = files.iter().map(|file| Secrets::read(file.path()).unwrap()).collect();
    let of = |number: u8| Settings { secrets: secrets[usize::from(number) - 1].clone(), ..settings(number, &[SECRET]) };
    let (one, mut two) = (Server::start(of(1)).await, Server::start(of(2)).await);
    one.knows(&[&two]);
    gets_through(&one, &mut two, 1).await;
    for step in [&[SECRET, OTHER_SECRET][..], &[OTHER_SECRET, SECRET]] {
        for (file, secrets) in files.iter().zip(&secrets) {
            write_secrets(file, step);
            secrets.reload().unwrap();
        }
    }
    one.peers.send(server(2), &numbered(2)).unwrap();
    assert_eq!(two.next().await.message, numbered(2));
    assert_eq!(one.report(2).reconnects, 0, "the old secret is still accepted");

    write_secrets(&files[1], &[OTHER_SECRET]);
    secrets[1].reload().unwrap();
    two.ends("withdrawn", 1).await;
    within(one.peers.wait_until(|_| one.report(2).reconnects == 1)).await;
    assert_eq!(gets_through(&one, &mut two, 3).await.message, numbered(3));
    assert_eq!(two.peers.report_listener().refused, BTreeMap::new(), "nobody was locked out in between");
}

#[tokio::test]
async fn a_clone_is_the_same() {
    let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
    one.knows(&[&two]);
    let clones: Vec<Arc<Peers>> = (0..3).map(|_| Arc::new(one.peers.clone())).collect();
    for clone in &clones {
        clone.send(server(2), &numbered(1)).unwrap();
    }
    let numbers = [two.next().await.number, two.next().await.number, two.next().await.number];
    assert!(numbers[0] < numbers[1] && numbers[1] < numbers[2]);
}
