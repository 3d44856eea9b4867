//! Who connects to the port for peers and isn't one, and peers that don't behave.

use std::collections::VecDeque;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use raft_core::raft::DiskId;
use raftarium_node::peers::{Claim, LinkFault, Recognise, Refusal, Unrecognised};

use super::other::{Connection, hello};
use super::*;

/// Keeps the lines of the log, for the thread that it is set for.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<(tracing::Level, String)>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Words(String);
        impl tracing::field::Visit for Words {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut words = Words(String::new());
        event.record(&mut words);
        self.0.lock().unwrap().push((*event.metadata().level(), words.0));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// Both servers say so, at a level that is seen, where and what to do; and not for each attempt.
#[tokio::test]
async fn a_wrong_secret_is_warned_of_with_the_address_and_what_to_do() {
    let log = Log::default();
    let _until_the_end = tracing::subscriber::set_default(log.clone());
    let (one, two) = (Server::start(settings(1, &[OTHER_SECRET])).await, Server::usual(2).await);
    one.knows(&[&two]);
    two.refuses("secret", 30).await;
    one.fails_to_reach(2, "the dialler doesn't know a secret").await;
    let lines = log.0.lock().unwrap().clone();
    let warned = |words: &str| {
        let about: Vec<_> = lines.iter().filter(|(_, line)| line.contains(words)).collect();
        assert!(about.iter().all(|(level, _)| *level == tracing::Level::WARN), "{about:?}");
        assert!(about.iter().all(|(_, line)| line.contains("--secret-file") && line.contains("SIGHUP")), "{about:?}");
        about.len()
    };
    for about in [format!("S2 at {} isn't connected", two.address), "a connection from 127.0.0.1:".to_owned()] {
        let count = warned(&about);
        assert!((1..=10).contains(&count), "{count} lines: {lines:?}");
    }
}

#[tokio::test]
async fn nobody_joins_with_a_wrong_secret() {
    let (one, mut two) = (Server::start(settings(1, &[OTHER_SECRET])).await, Server::usual(2).await);
    one.knows(&[&two]);
    one.fails_to_reach(2, "the other side refused: the dialler doesn't know a secret").await;
    two.refuses("secret", 2).await;
    let refused = two.peers.report_listener().last_refused.unwrap();
    assert!(refused.ends_with("(it claims to be S1)"), "{refused}");
    two.nothing_came();
    assert!(!two.peers.report().iter().any(|peer| peer.heard));
}

#[tokio::test]
async fn an_acceptor_that_knows_nothing_learns_nothing() {
    // Whoever sits at a peer's address and doesn't know the secret gets a proof and no message.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let one = Server::usual(1).await;
    one.knows_at(2, &listener.local_addr().unwrap().to_string());
    let (mut stream, _) = within(listener.accept()).await.unwrap();
    one.peers.send(server(2), &numbered(1)).unwrap();
    let mut said = [0; 101];
    stream.read_exact(&mut said).await.unwrap();
    stream.write_all(&[&b"RAFTPEER\x00\x02\x00"[..], &[0; 40]].concat()).await.unwrap();
    let mut proof = [0; 32];
    stream.read_exact(&mut proof).await.unwrap();
    stream.write_all(&[0; 33]).await.unwrap();
    let mut rest = Vec::new();
    let _ = within(stream.read_to_end(&mut rest)).await;
    assert!(rest.is_empty(), "{rest:?}");
    one.fails_to_reach(2, "couldn't prove that it knows the cluster's secret").await;
}

#[tokio::test]
async fn servers_of_different_clusters_refuse_each_other() {
    let other = Settings { cluster: "other".to_owned(), ..settings(1, &[SECRET]) };
    let (one, two) = (Server::start(other).await, Server::usual(2).await);
    one.knows(&[&two]);
    one.fails_to_reach(2, "the two servers belong to different clusters").await;
    two.refuses("cluster", 1).await;
}

#[tokio::test]
async fn a_wrong_address_is_said_to_be_one() {
    let (one, three) = (Server::usual(1).await, Server::usual(3).await);
    one.knows_at(2, &three.address);
    one.fails_to_reach(2, "the address belongs to another server than the one that was dialled").await;
    three.refuses("address", 1).await;
    one.knows_at(2, &one.address);
    one.refuses("address", 1).await;

    let twin = Server::usual(3).await;
    let mut stream = TcpStream::connect(&twin.address).await.unwrap();
    stream.write_all(&hello(3, 3, 1)).await.unwrap();
    twin.refuses("myself", 1).await;
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_is_said_to_be_one() {
    let one = Server::usual(1).await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    one.knows_at(2, &gone.to_string());
    one.fails_to_reach(2, "no connection: ").await;
    one.knows_at(2, "there is no such address");
    one.fails_to_reach(2, "no connection: ").await;
}

#[tokio::test]
async fn another_protocol_gets_a_sentence() {
    let two = Server::usual(2).await;
    let mut stream = TcpStream::connect(&two.address).await.unwrap();
    // More than is read in the handshake: the answer must arrive all the same.
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "x".repeat(5000));
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("This port is for the other servers of a Raftarium cluster."), "{answer}");
    let refused = two.peers.report_listener().last_refused.unwrap();
    assert!(refused.ends_with("doesn't speak the peer protocol: it begins with \"GET / HTTP\""), "{refused}");

    // And a peer's address where another protocol is spoken.
    let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let one = Server::usual(1).await;
    one.knows_at(2, &http.local_addr().unwrap().to_string());
    let (mut stream, _) = within(http.accept()).await.unwrap();
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    one.fails_to_reach(2, "doesn't speak the peer protocol: it begins with \"HTTP/1.1 4\"").await;
}

#[tokio::test]
async fn a_later_version_is_refused_by_name() {
    let two = Server::usual(2).await;
    let mut stream = TcpStream::connect(&two.address).await.unwrap();
    stream.write_all(b"RAFTPEER\x00\x03and what version 3 says then").await.unwrap();
    let mut answer = Vec::new();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer, b"RAFTPEER\x00\x02\x01");
    two.refuses("version", 1).await;
    assert!(two.peers.report_listener().last_refused.unwrap().ends_with("(it speaks version 3)"));
}

#[tokio::test]
async fn who_says_nothing_must_go() {
    let quick = Settings { handshake_time_max: Duration::from_millis(200), ..settings(2, &[SECRET]) };
    let two = Server::start(quick).await;
    let mut silent = TcpStream::connect(&two.address).await.unwrap();
    let mut halfway = TcpStream::connect(&two.address).await.unwrap();
    halfway.write_all(&hello(1, 2, 1)).await.unwrap();
    let mut answer = Vec::new();
    within(silent.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.is_empty(), "{answer:?}");
    within(halfway.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer.len(), 51, "a challenge, and no proof");
    two.refuses("timed_out", 2).await;
    assert_eq!(two.peers.report_listener().unproven, 0);
}

#[tokio::test]
async fn ten_thousand_silent_connections_do_not_keep_a_peer_out() {
    let (one, mut two) =
        (Server::usual(1).await, Server::start(Settings { unproven_max: 16, ..settings(2, &[SECRET]) }).await);
    // This side keeps the latest hundred open; the server may close them whenever it likes.
    let mut open = VecDeque::new();
    for number in 0..10_000 {
        open.push_back(TcpStream::connect(&two.address).await.unwrap());
        if open.len() > 100 {
            open.pop_front();
        }
        if number % 1000 == 0 {
            assert!(two.peers.report_listener().unproven <= 16);
        }
    }
    one.knows(&[&two]);
    assert_eq!(gets_through(&one, &mut two, 1).await.message, numbered(1));
    let refused = |peers: &Peers| peers.report_listener().refused.values().sum::<u64>();
    within(two.peers.wait_until(|peers| refused(peers) >= 10_000 - 16)).await;
    assert!(two.peers.report_listener().unproven <= 16);
}

#[tokio::test]
async fn garbage_is_never_more_than_a_refusal() {
    let mut two = Server::usual(2).await;
    for seed in 0..200_u64 {
        let mut stream = TcpStream::connect(&two.address).await.unwrap();
        let mut said = hello(1, 2, seed).to_vec();
        let keep = usize::try_from(seed % 90).unwrap().min(said.len());
        said.truncate(keep);
        // An arithmetic mess, a different one each time.
        said.extend((0..300_u64).map(|at| ((at * (seed + 3) * 2_654_435_761) >> 13) as u8));
        let _ = stream.write_all(&said).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = within(stream.read_to_end(&mut answer)).await;
    }
    within(two.peers.wait_until(|peers| peers.report_listener().refused.values().sum::<u64>() == 200)).await;
    two.nothing_came();
    let one = Server::usual(1).await;
    one.knows(&[&two]);
    gets_through(&one, &mut two, 1).await;
}

#[tokio::test]
async fn frames_of_a_peer_that_does_not_behave_end_its_connection() {
    let limit = Settings { frame_bytes_max: 1000, ..settings(2, &[SECRET]) };
    let mut two = Server::start(limit).await;
    let secret = SECRET.as_bytes();
    let mut count = 0;
    for bytes in [
        1001_u32.to_be_bytes().to_vec(), // A length above the limit, and nothing more.
        u32::MAX.to_be_bytes().to_vec(),
        40_u32.to_be_bytes().to_vec(), // Shorter than any frame.
        Connection::dial(&two.address, 1, secret).await.message(1, b"of another connection"),
    ] {
        let mut connection = Connection::dial(&two.address, 1, secret).await;
        connection.stream.write_all(&bytes).await.unwrap();
        count += 1;
        two.ends("frame", count).await;
        within(connection.closed()).await;
    }
    for (kind, content) in [(2, &b""[..]), (0, b"x"), (1, b"1234567")] {
        let mut connection = Connection::dial(&two.address, 1, secret).await;
        let frame = connection.frame(kind, content);
        connection.stream.write_all(&frame).await.unwrap();
        count += 1;
        two.ends("frame", count).await;
    }
    two.nothing_came();
}

#[tokio::test]
async fn a_frame_that_is_cut_off_is_dropped() {
    let mut two = Server::usual(2).await;
    let mut connection = Connection::dial(&two.address, 1, SECRET.as_bytes()).await;
    let whole = connection.message(1, &encoded(&numbered(1)));
    let half = connection.message(2, &encoded(&numbered(2)));
    connection.stream.write_all(&whole).await.unwrap();
    connection.stream.write_all(&half[..half.len() - 1]).await.unwrap();
    drop(connection);
    two.ends("closed", 1).await;
    assert_eq!(two.next().await.message, numbered(1));
    two.nothing_came();
}

#[tokio::test]
async fn a_message_that_is_not_understood_is_skipped() {
    let mut two = Server::usual(2).await;
    let mut connection = Connection::dial(&two.address, 7, SECRET.as_bytes()).await;
    for (number, message) in [(3, &[1, 200, 5][..]), (4, b""), (5, &encoded(&numbered(5)))] {
        let frame = connection.message(number, message);
        connection.stream.write_all(&frame).await.unwrap();
    }
    let came = two.next().await;
    assert_eq!((came.from, came.life, came.number, came.message), (server(1), 7, 5, numbered(5)));
    let report = two.report(1);
    assert_eq!((report.messages_in, report.dropped_in), (3, 2));
}

#[tokio::test]
async fn a_newer_connection_of_a_peer_supersedes_the_older_one() {
    let mut two = Server::usual(2).await;
    let secret = SECRET.as_bytes();
    let mut old = Connection::dial(&two.address, 1, secret).await;
    let first = old.message(1, &encoded(&numbered(1)));
    old.stream.write_all(&first).await.unwrap();
    assert_eq!(two.next().await.life, 1);

    let mut new = Connection::dial(&two.address, 2, secret).await;
    let late = old.message(2, &encoded(&numbered(2)));
    // It may be closed already.
    let _ = old.stream.write_all(&late).await;
    let fresh = new.message(1, &encoded(&numbered(3)));
    new.stream.write_all(&fresh).await.unwrap();
    let came = two.next().await;
    assert_eq!((came.life, came.message), (2, numbered(3)));
    two.ends("superseded", 1).await;
    within(old.closed()).await;
    two.nothing_came();
    assert!(two.report(1).heard);
}

#[tokio::test]
async fn what_waits_for_room_is_not_delivered_after_a_newer_connection() {
    let mut two = Server::start_at("127.0.0.1:0", settings(2, &[SECRET]), 1).await;
    let secret = SECRET.as_bytes();
    let mut old = Connection::dial(&two.address, 1, secret).await;
    for number in 1..=3 {
        let message = old.message(number, &encoded(&numbered(number)));
        old.stream.write_all(&message).await.unwrap();
    }
    // The first fills the room. All the others wait: the second for room, the third in the socket.
    within(async {
        while two.peers.report().first().is_none_or(|peer| peer.messages_in < 2) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut new = Connection::dial(&two.address, 2, secret).await;
    let fresh = new.message(1, &encoded(&numbered(4)));
    new.stream.write_all(&fresh).await.unwrap();
    two.ends("superseded", 1).await;
    assert_eq!(two.next().await.message, numbered(1));
    assert_eq!(two.next().await.message, numbered(4));
    two.nothing_came();
}

#[tokio::test]
async fn a_connection_that_was_accepted_earlier_is_the_older_one() {
    let mut two = Server::usual(2).await;
    let early = TcpStream::connect(&two.address).await.unwrap();
    let accepted = |peers: &Peers| peers.report_listener().accepted;
    within(async {
        while accepted(&two.peers) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut late = Connection::dial(&two.address, 2, SECRET.as_bytes()).await;
    let refusal = Connection::prove(early, 1, SECRET.as_bytes()).await.err();
    assert_eq!(refusal, Some(6));
    two.refuses("superseded", 1).await;
    let message = late.message(1, &encoded(&numbered(1)));
    late.stream.write_all(&message).await.unwrap();
    assert_eq!(two.next().await.life, 2);
}

/// The settings of a server that is quick to speak and to give up.
fn impatient(number: u8, silence: u64) -> Settings {
    Settings {
        keep_alive_interval: Duration::from_millis(10),
        silence_max: Duration::from_millis(silence),
        ..settings(number, &[SECRET])
    }
}

#[tokio::test]
async fn a_peer_that_is_dead_is_noticed_from_both_sides() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let one = Server::start(impatient(1, 50)).await;
    one.knows_at(2, &listener.local_addr().unwrap().to_string());
    let (stream, _) = within(listener.accept()).await.unwrap();
    let _dead = Connection::accept(stream, 1, SECRET.as_bytes()).await;
    one.fails_to_reach(2, "nothing was heard from the other side for too long").await;

    let two = Server::start(impatient(2, 50)).await;
    let mut dead = Connection::dial(&two.address, 1, SECRET.as_bytes()).await;
    assert_eq!(dead.read().await, (0, vec![]), "it tells that it is there");
    two.ends("silent", 1).await;
}

#[tokio::test]
async fn a_peer_that_has_nothing_to_say_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let one = Server::start(impatient(1, 10_000)).await;
    one.knows_at(2, &listener.local_addr().unwrap().to_string());
    let (stream, _) = within(listener.accept()).await.unwrap();
    let mut two = Connection::accept(stream, 1, SECRET.as_bytes()).await;
    for _ in 0..3 {
        assert_eq!(within(two.read()).await, (0, vec![]));
    }
    let keep_alive = two.frame(0, b"");
    two.stream.write_all(&keep_alive).await.unwrap();
    one.peers.send(server(2), &numbered(8)).unwrap();
    let number = one.peers.send(server(2), &numbered(9)).unwrap();
    loop {
        let (kind, content) = within(two.read()).await;
        if kind == 1 && content[..8] == number.to_be_bytes() {
            assert_eq!(content[8..], encoded(&numbered(9)));
            break;
        }
    }
    // An acceptor has no message to send on this connection.
    let message = two.message(1, &encoded(&numbered(1)));
    two.stream.write_all(&message).await.unwrap();
    one.fails_to_reach(2, "a frame claims").await;
}

#[tokio::test]
async fn what_waited_for_a_process_is_not_sent_to_its_successor() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let one = Server::usual(1).await;
    one.knows_at(2, &listener.local_addr().unwrap().to_string());
    let (stream, _) = within(listener.accept()).await.unwrap();
    let first = Connection::accept(stream, 1, SECRET.as_bytes()).await;
    one.connected_to(2).await;
    // A slow link: the message still waits when the process ends.
    one.peers.set_link(server(2), LinkFault { delay: Duration::from_secs(3600), ..LinkFault::default() });
    one.peers.send(server(2), &numbered(1)).unwrap();
    drop(first);
    let (stream, _) = within(listener.accept()).await.unwrap();
    assert_eq!(one.report(2).queue_messages, 1);
    let _second = Connection::accept(stream, 2, SECRET.as_bytes()).await;
    within(one.peers.wait_until(|_| one.report(2).life == Some(2))).await;
    let report = one.report(2);
    assert_eq!((report.queue_messages, report.dropped_out), (0, 1));
}

/// Knows server 1 by one disk, and notes nothing.
#[derive(Debug)]
struct KnowsDisk(DiskId);

impl Recognise for KnowsDisk {
    fn recognise(&self, _: ServerId, disk: DiskId, _: LogIndex) -> Result<(), Unrecognised> {
        if disk == self.0 { Ok(()) } else { Err(Unrecognised::Another("it has another".to_owned())) }
    }
}

/// It is refused while it says that it votes, and told why. Who promises nothing may speak.
#[tokio::test]
async fn a_peer_with_another_disk_than_it_is_known_by_does_not_speak() {
    let votes = Claim { disk: DiskId(5), votes_since: Some(LogIndex(3)) };
    let mut two = Server::start(Settings { recognise: Arc::new(KnowsDisk(DiskId(6))), ..settings(2, &[SECRET]) }).await;
    let one = Server::start(Settings { claim: None, ..settings(1, &[SECRET]) }).await;
    one.knows(&[&two]);
    one.peers.claim(votes);
    one.fails_to_reach(2, "the dialler has another disk than the one that the other server knows it by").await;
    assert_eq!(one.report(2).refusal, Some(Refusal::Disk));
    assert!(one.report(2).life.is_none(), "it was never recognised");
    two.refuses("disk", 1).await;
    assert!(two.report(1).denied);

    one.peers.claim(Claim { votes_since: None, ..votes });
    one.connected_to(2).await;
    one.peers.send(server(2), &numbered(1)).unwrap();
    assert_eq!(within(two.incoming.recv()).await.unwrap().message, numbered(1));
    assert_eq!((one.report(2).refusal, two.report(1).denied), (None, false));

    // The connection that was made without a claim doesn't outlive it.
    one.peers.claim(votes);
    one.fails_to_reach(2, "the dialler has another disk").await;
    one.peers.claim(Claim { disk: DiskId(6), ..votes });
    one.connected_to(2).await;
}
