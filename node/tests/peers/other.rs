//! The peer protocol once more, written after `docs/peers.md` and not with the library's code: a
//! server that says whatever a test wants it to say.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that has proved itself.
pub struct Connection {
    pub stream: TcpStream,
    /// What the dialler proved itself with.
    pub proof: [u8; 32],
    key_out: [u8; 32],
    key_in: [u8; 32],
    sent: u64,
    received: u64,
}

pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut code: Hmac<Sha256> = Hmac::new_from_slice(key).unwrap();
    parts.iter().for_each(|part| code.update(part));
    code.finalize().into_bytes().into()
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().into()
}

/// The disk numbered 5, on which the server votes as a founder.
const DISK: [u8; 17] = [0, 0, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0];

/// The hello of server `from` of the cluster `test`.
pub fn hello(from: u8, to: u8, life: u64) -> [u8; 101] {
    let cluster = sha256(&[b"raftarium cluster\0", b"test"]);
    let nonce = [9; 32];
    let parts = [&b"RAFTPEER\x00\x02"[..], &[from, to], &life.to_be_bytes(), &nonce, &cluster, &DISK];
    parts.concat().try_into().unwrap()
}

fn transcript(hello: &[u8], challenge: &[u8]) -> [u8; 32] {
    sha256(&[b"raftarium peer 2: transcript\0", hello, challenge, &[0; 32]])
}

impl Connection {
    /// Dials `address` as server 1, and proves itself to server 2.
    pub async fn dial(address: &str, life: u64, secret: &[u8]) -> Connection {
        let stream = TcpStream::connect(address).await.unwrap();
        Connection::prove(stream, life, secret).await.expect("the proof is accepted")
    }

    /// Proves itself to server 2, as server 1; else the number of the refusal.
    pub async fn prove(mut stream: TcpStream, life: u64, secret: &[u8]) -> Result<Connection, u8> {
        let hello = hello(1, 2, life);
        stream.write_all(&hello).await.unwrap();
        let mut challenge = [0; 51];
        stream.read_exact(&mut challenge).await.unwrap();
        assert_eq!(challenge[..11], *b"RAFTPEER\x00\x02\x00");
        let transcript = transcript(&hello, &challenge);
        let mine = hmac(secret, &[b"raftarium peer 2: proof of the dialler\0", &transcript]);
        stream.write_all(&mine).await.unwrap();
        let status = stream.read_u8().await.unwrap();
        if status != 0 {
            return Err(status);
        }
        let mut proof = [0; 32];
        stream.read_exact(&mut proof).await.unwrap();
        assert_eq!(proof, hmac(secret, &[b"raftarium peer 2: proof of the acceptor\0", &transcript]));
        Ok(Connection {
            stream,
            proof: mine,
            key_out: hmac(secret, &[b"raftarium peer 2: key of the dialler\0", &transcript]),
            key_in: hmac(secret, &[b"raftarium peer 2: key of the acceptor\0", &transcript]),
            sent: 0,
            received: 0,
        })
    }

    /// Lets whoever has dialled prove itself, as whichever server it means.
    pub async fn accept(mut stream: TcpStream, life: u64, secret: &[u8]) -> Connection {
        let mut hello = [0; 101];
        stream.read_exact(&mut hello).await.unwrap();
        let challenge = [&b"RAFTPEER\x00\x02\x00"[..], &life.to_be_bytes(), &[8; 32]].concat();
        stream.write_all(&challenge).await.unwrap();
        let transcript = transcript(&hello, &challenge);
        let mut proof = [0; 32];
        stream.read_exact(&mut proof).await.unwrap();
        assert_eq!(proof, hmac(secret, &[b"raftarium peer 2: proof of the dialler\0", &transcript]));
        let mine = hmac(secret, &[b"raftarium peer 2: proof of the acceptor\0", &transcript]);
        stream.write_all(&[&[0], &mine[..]].concat()).await.unwrap();
        Connection {
            stream,
            proof,
            key_out: hmac(secret, &[b"raftarium peer 2: key of the acceptor\0", &transcript]),
            key_in: hmac(secret, &[b"raftarium peer 2: key of the dialler\0", &transcript]),
            sent: 0,
            received: 0,
        }
    }

    /// The bytes of the next frame.
    pub fn frame(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let length = 8 + 1 + content.len() as u32 + 32;
        let counter = self.sent.to_be_bytes();
        let mut frame = [&length.to_be_bytes()[..], &counter, &[kind], content].concat();
        frame.extend(hmac(&self.key_out, &[&frame]));
        self.sent += 1;
        frame
    }

    /// The bytes of the next frame, with a message.
    pub fn message(&mut self, number: u64, message: &[u8]) -> Vec<u8> {
        self.frame(1, &[&number.to_be_bytes(), message].concat())
    }

    /// Reads the next frame: its kind and its content.
    pub async fn read(&mut self) -> (u8, Vec<u8>) {
        let length = self.stream.read_u32().await.unwrap();
        let mut frame = vec![0; length as usize];
        self.stream.read_exact(&mut frame).await.unwrap();
        let code = frame.split_off(frame.len() - 32);
        assert_eq!(code, hmac(&self.key_in, &[&length.to_be_bytes(), &frame]));
        assert_eq!(frame[..8], self.received.to_be_bytes());
        self.received += 1;
        (frame[8], frame.split_off(9))
    }

    /// Waits until the other side closes; what it says before isn't looked at.
    pub async fn closed(mut self) {
        let mut rest = Vec::new();
        // A reset closes it, too.
        let _ = self.stream.read_to_end(&mut rest).await;
    }
}
