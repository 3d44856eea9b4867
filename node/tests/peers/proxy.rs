//! Somebody who sits on the way between two servers, and changes what passes.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// What the proxy does with the frames of a dialler: it gets each one, with its number from 0, and
/// says what goes on.
type Meddle = fn(usize, Vec<u8>) -> Vec<Vec<u8>>;

/// Listens for a dialler, connects it with `target`, and meddles with what the dialler says in the
/// first connection. Later ones pass as they are.
async fn start(target: &str, handshake: fn(&mut Vec<u8>), meddle: Meddle) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, target) = (listener.local_addr().unwrap().to_string(), target.to_owned());
    tokio::spawn(async move {
        let honest: (fn(&mut Vec<u8>), Meddle) = (|_| {}, |_, frame| vec![frame]);
        for (handshake, meddle) in std::iter::once((handshake, meddle)).chain(std::iter::repeat(honest)) {
            let (dialler, _) = listener.accept().await.unwrap();
            let Ok(acceptor) = TcpStream::connect(&target).await else { continue };
            let (mut from_dialler, mut to_dialler) = dialler.into_split();
            let (mut from_acceptor, mut to_acceptor) = acceptor.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_acceptor, &mut to_dialler).await });
            tokio::spawn(async move { pass(&mut from_dialler, &mut to_acceptor, handshake, meddle).await });
        }
    });
    address
}

async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    handshake: fn(&mut Vec<u8>),
    meddle: Meddle,
) -> std::io::Result<()> {
    // The proof comes only after the challenge: each part is passed on as it comes.
    let mut hello = vec![0; 101];
    from.read_exact(&mut hello).await?;
    handshake(&mut hello);
    to.write_all(&hello).await?;
    let mut proof = [0; 32];
    from.read_exact(&mut proof).await?;
    to.write_all(&proof).await?;
    for number in 0.. {
        let length = from.read_u32().await?;
        let mut frame = length.to_be_bytes().to_vec();
        frame.resize(4 + length as usize, 0);
        from.read_exact(&mut frame[4..]).await?;
        for frame in meddle(number, frame) {
            to.write_all(&frame).await?;
        }
    }
    Ok(())
}

/// Sends messages 0, 1 and 2 through a proxy, and returns what arrived before the connection ended,
/// and why it ended.
async fn through(meddle: Meddle) -> (Vec<Message>, BTreeMap<&'static str, u64>) {
    let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
    one.knows_at(2, &start(&two.address, |_| {}, meddle).await);
    one.connected_to(2).await;
    for number in 0..3 {
        one.peers.send(server(2), &numbered(number)).unwrap();
    }
    within(two.peers.wait_until(|peers| !peers.report_listener().ended.is_empty())).await;
    let ended = two.peers.report_listener().ended;
    let mut came: Vec<Message> = Vec::new();
    while let Ok(incoming) = two.incoming.try_recv() {
        came.push(incoming.message);
    }
    // The server comes back to work by itself.
    gets_through(&one, &mut two, 9).await;
    (came, ended)
}

fn frame_error() -> BTreeMap<&'static str, u64> {
    BTreeMap::from([("frame", 1)])
}

#[tokio::test]
async fn an_altered_frame_ends_the_connection() {
    let (came, ended) = through(|number, mut frame| {
        if number == 1 {
            frame[4 + 8 + 1 + 8 + 1] ^= 1;
        }
        vec![frame]
    })
    .await;
    assert_eq!((came, ended), (vec![numbered(0)], frame_error()));
}

#[tokio::test]
async fn a_repeated_frame_ends_the_connection() {
    let (came, ended) = through(|_, frame| vec![frame.clone(), frame]).await;
    assert_eq!((came, ended), (vec![numbered(0)], frame_error()));
}

#[tokio::test]
async fn a_frame_that_is_left_out_is_noticed_at_the_next() {
    let (came, ended) = through(|number, frame| if number == 1 { vec![] } else { vec![frame] }).await;
    assert_eq!((came, ended), (vec![numbered(0)], frame_error()));
}

#[tokio::test]
async fn an_injected_frame_ends_the_connection() {
    let (came, ended) = through(|number, frame| {
        let mut injected = vec![0, 0, 0, 51];
        injected.resize(4 + 51, 0);
        if number == 1 { vec![injected, frame] } else { vec![frame] }
    })
    .await;
    assert_eq!((came, ended), (vec![numbered(0)], frame_error()));
}

#[tokio::test]
async fn an_altered_hello_proves_nothing() {
    // Its life, and its nonce: the acceptor can judge neither by itself.
    let alterations: [fn(&mut Vec<u8>); 2] = [|hello| hello[19] ^= 1, |hello| hello[40] ^= 1];
    for alter in alterations {
        let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
        one.knows_at(2, &start(&two.address, alter, |_, frame| vec![frame]).await);
        two.refuses("secret", 1).await;
        gets_through(&one, &mut two, 1).await;
        assert_eq!(two.peers.report_listener().refused, BTreeMap::from([("secret", 1)]));
    }
}

/// What a dialler once said is worth nothing in another connection.
#[tokio::test]
async fn a_recorded_connection_cannot_be_played_again() {
    let mut two = Server::usual(2).await;
    let mut connection = other::Connection::dial(&two.address, 5, SECRET.as_bytes()).await;
    let message = connection.message(1, &encoded(&numbered(1)));
    connection.stream.write_all(&message).await.unwrap();
    assert_eq!(two.next().await.message, numbered(1));
    let recorded = [&other::hello(1, 2, 5)[..], &connection.proof, &message].concat();
    let mut replay = TcpStream::connect(&two.address).await.unwrap();
    replay.write_all(&recorded).await.unwrap();
    let mut answer = Vec::new();
    replay.read_to_end(&mut answer).await.unwrap();
    assert_eq!((answer.len(), answer.last()), (51 + 1, Some(&5)), "a challenge, and the refusal of the proof");
    two.nothing_came();
    assert!(two.report(1).heard, "the true connection isn't disturbed");
}
