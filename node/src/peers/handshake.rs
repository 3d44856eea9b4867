//! How two servers prove to each other that they know the cluster's secret, and agree on the keys
//! of their connection. `docs/peers.md` has it byte by byte.
//!
//! ```text
//! dialler                                            acceptor
//!    | hello: ids, life, nonce, cluster, claim           |
//!    | ------------------------------------------------> |
//!    |           challenge: life, nonce; or a refusal    |
//!    | <------------------------------------------------ |
//!    | the dialler's proof                               |
//!    | ------------------------------------------------> |
//!    |           the acceptor's proof; or a refusal      |
//!    | <------------------------------------------------ |
//! ```
//!
//! Both proofs, and both keys, are authentication codes of everything said before under the secret,
//! each with a label of its own. The dialler proves itself first: who merely connects to a server
//! gets nothing to guess the secret with.

use std::io;

use raft_core::raft::{DiskId, LogIndex, ServerId};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ended::{Ended, FirstBytes, Refusal};
use super::secrets::{Secret, Secrets, Tag};

/// The first bytes of both sides, in all versions.
pub const MAGIC: [u8; 8] = *b"RAFTPEER";
/// The version of the protocol that this is.
pub const VERSION: u16 = 2;

const START_BYTES: usize = MAGIC.len() + 2;
const GO_ON: u8 = 0;

/// What another protocol gets for an answer.
const NOT_THIS_PROTOCOL: &[u8] =
    b"This port is for the other servers of a Raftarium cluster. It speaks the peer protocol, and no other.\n";

/// A number that is used once: a connection's part of each side.
pub type Nonce = [u8; 32];

/// What a server says of the disk it runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The disk.
    pub disk: DiskId,
    /// If the server may vote on it: the index of the entry that admitted the disk, or zero if it
    /// founded the cluster. `None` if the server promises nothing to anyone yet.
    pub votes_since: Option<LogIndex>,
}

/// The first thing that a dialler says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The dialler.
    pub from: ServerId,
    /// The server that it means to talk to.
    pub to: ServerId,
    /// The dialler's life.
    pub life: u64,
    /// The dialler's nonce.
    pub nonce: Nonce,
    /// The cluster that the dialler belongs to: [`cluster_digest`] of its name.
    pub cluster: [u8; 32],
    /// The dialler's disk.
    pub claim: Claim,
}

/// What an acceptor answers to a [`Hello`] if it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The acceptor's life.
    pub life: u64,
    /// The acceptor's nonce.
    pub nonce: Nonce,
}

impl Hello {
    /// Its length, in bytes.
    pub const BYTES: usize = START_BYTES + 2 + 8 + 32 + 32 + 8 + 1 + 8;

    /// Its bytes.
    pub fn encode(&self) -> [u8; Hello::BYTES] {
        let mut bytes = Vec::with_capacity(Hello::BYTES);
        bytes.extend_from_slice(&start());
        bytes.extend_from_slice(&[self.from.number(), self.to.number()]);
        bytes.extend_from_slice(&self.life.to_be_bytes());
        bytes.extend_from_slice(&self.nonce);
        bytes.extend_from_slice(&self.cluster);
        bytes.extend_from_slice(&self.claim.disk.0.to_be_bytes());
        bytes.push(u8::from(self.claim.votes_since.is_some()));
        bytes.extend_from_slice(&self.claim.votes_since.unwrap_or_default().0.to_be_bytes());
        bytes.try_into().expect("all parts have fixed lengths")
    }

    /// Decodes the hello that is all of these bytes.
    ///
    /// # Errors
    /// When they are of another protocol or version, or name a server or a claim that can't be.
    pub fn decode(bytes: &[u8; Hello::BYTES]) -> Result<Hello, Ended> {
        let (start, rest) = bytes.split_first_chunk().expect("it is long enough");
        match version(start)? {
            VERSION => {}
            other => return Err(denied(Refusal::Version, format!("it speaks version {other}"))),
        }
        let server = |number| {
            let malformed = || denied(Refusal::Malformed, format!("there is no server {number}"));
            ServerId::new(number).ok_or_else(malformed)
        };
        let (from, to) = (server(rest[0])?, server(rest[1])?);
        let (life, nonce, cluster) = (part(rest, 2), part(rest, 10), part(rest, 42));
        let (disk, index) = (u64::from_be_bytes(part(rest, 74)), u64::from_be_bytes(part(rest, 83)));
        let votes_since = match (rest[82], index) {
            (0, 0) => None,
            (1, index) => Some(LogIndex(index)),
            (other, index) => {
                return Err(denied(Refusal::Malformed, format!("{from} claims votes by {other} and {index}")));
            }
        };
        let claim = Claim { disk: DiskId(disk), votes_since };
        Ok(Hello { from, to, life: u64::from_be_bytes(life), nonce, cluster, claim })
    }
}

impl Challenge {
    /// Its length, in bytes.
    pub const BYTES: usize = START_BYTES + 1 + 8 + 32;

    /// Its bytes.
    pub fn encode(&self) -> [u8; Challenge::BYTES] {
        let mut bytes = Vec::with_capacity(Challenge::BYTES);
        bytes.extend_from_slice(&start());
        bytes.push(GO_ON);
        bytes.extend_from_slice(&self.life.to_be_bytes());
        bytes.extend_from_slice(&self.nonce);
        bytes.try_into().expect("all parts have fixed lengths")
    }

    /// Decodes what comes after the version and the status.
    fn decode_rest(rest: &[u8; 40]) -> Challenge {
        Challenge { life: u64::from_be_bytes(part(rest, 0)), nonce: part(rest, 8) }
    }
}

/// What stands for a cluster's name in a [`Hello`]: names may have any length, and nobody learns
/// them.
pub fn cluster_digest(name: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"raftarium cluster\0").chain_update(name).finalize().into()
}

/// All that was said before the proofs, and the secret that both sides prove to know.
struct Proofs {
    secret: Secret,
    transcript: [u8; 32],
}

impl Proofs {
    fn new(secret: Secret, transcript: [u8; 32]) -> Proofs {
        Proofs { secret, transcript }
    }

    fn of_dialler(&self) -> Tag {
        self.secret.tag(&[b"raftarium peer 2: proof of the dialler\0", &self.transcript])
    }

    fn of_acceptor(&self) -> Tag {
        self.secret.tag(&[b"raftarium peer 2: proof of the acceptor\0", &self.transcript])
    }

    fn key_of_dialler(&self) -> Tag {
        self.secret.tag(&[b"raftarium peer 2: key of the dialler\0", &self.transcript])
    }

    fn key_of_acceptor(&self) -> Tag {
        self.secret.tag(&[b"raftarium peer 2: key of the acceptor\0", &self.transcript])
    }
}

/// What ties a handshake to the TLS connection that it travels in, so that nobody carries it over
/// into another one; zeros without TLS.
pub(super) type Binding = [u8; 32];

fn transcript(hello: &[u8; Hello::BYTES], challenge: &[u8; Challenge::BYTES], binding: &Binding) -> [u8; 32] {
    let parts = Sha256::new().chain_update(b"raftarium peer 2: transcript\0");
    parts.chain_update(hello).chain_update(challenge).chain_update(binding).finalize().into()
}

/// Who this server is.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) me: ServerId,
    pub(super) life: u64,
    pub(super) cluster: [u8; 32],
    pub(super) secrets: Secrets,
}

/// A connection whose both sides have proved themselves.
pub(super) struct Session {
    /// The peer's life.
    pub(super) life: u64,
    /// What it was proven with.
    pub(super) secret: Secret,
    /// The key of the frames that this server sends.
    pub(super) key_out: Tag,
    /// The key of the frames that it receives.
    pub(super) key_in: Tag,
}

/// The dialler's side of a handshake.
pub(super) async fn dial<S>(
    stream: &mut S,
    mine: &Identity,
    claim: Claim,
    to: ServerId,
    binding: &Binding,
) -> Result<Session, Ended>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let nonce = nonce()?;
    let hello = Hello { from: mine.me, to, life: mine.life, nonce, cluster: mine.cluster, claim }.encode();
    write(stream, &hello).await?;

    let version = read_start(stream).await?.1;
    if version != VERSION {
        return Err(Ended::OtherVersion(version));
    }
    let mut status = [0];
    read(stream, &mut status).await?;
    may_go_on(status[0])?;
    let mut rest = [0; 40];
    read(stream, &mut rest).await?;
    let challenge = Challenge::decode_rest(&rest);

    let proofs = Proofs::new(mine.secrets.first(), transcript(&hello, &challenge.encode(), binding));
    write(stream, &proofs.of_dialler()).await?;
    read(stream, &mut status).await?;
    may_go_on(status[0])?;
    let mut proof = Tag::default();
    read(stream, &mut proof).await?;
    if !bool::from(proofs.of_acceptor().ct_eq(&proof)) {
        return Err(Ended::Unproven);
    }
    Ok(Session {
        life: challenge.life,
        key_out: proofs.key_of_dialler(),
        key_in: proofs.key_of_acceptor(),
        secret: proofs.secret,
    })
}

/// The acceptor's side of a handshake. `admit` is asked when the dialler has proved itself, before
/// it hears so, and says why not: what it does before it agrees, the dialler can count on.
///
/// A dialler that is refused is told why.
pub(super) async fn accept<S, T, A>(
    stream: &mut S,
    mine: &Identity,
    binding: &Binding,
    admit: impl FnOnce(ServerId, Claim) -> A,
) -> Result<(Session, T), Ended>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Future<Output = Result<T, Ended>>,
{
    let ended = match hear_hello(stream, mine).await {
        Ok(hello) => match challenge(stream, mine, &hello, binding).await {
            Ok(proofs) => match admit(hello.from, hello.claim).await {
                Ok(admission) => {
                    write(stream, &[&[GO_ON], &proofs.of_acceptor()[..]].concat()).await?;
                    let session = Session {
                        life: hello.life,
                        key_out: proofs.key_of_acceptor(),
                        key_in: proofs.key_of_dialler(),
                        secret: proofs.secret,
                    };
                    return Ok((session, admission));
                }
                Err(ended) => ended,
            },
            Err(ended) => ended,
        },
        Err(ended) => {
            match &ended {
                Ended::OtherProtocol(_) => write(stream, NOT_THIS_PROTOCOL).await?,
                // A refusal before the challenge stands in its place.
                Ended::Denied { .. } => write(stream, &start()).await?,
                _ => {}
            }
            ended
        }
    };
    if let Ended::Denied { refusal, .. } = ended {
        write(stream, &[refusal.number()]).await?;
    }
    Err(ended)
}

/// Reads a hello and judges what it claims.
async fn hear_hello<S: AsyncRead + Unpin>(stream: &mut S, mine: &Identity) -> Result<Hello, Ended> {
    let mut bytes = [0; Hello::BYTES];
    let (start, version) = read_start(stream).await?;
    if version != VERSION {
        // A later version's hello may have another length.
        return Err(denied(Refusal::Version, format!("it speaks version {version}")));
    }
    bytes[..START_BYTES].copy_from_slice(&start);
    read(stream, &mut bytes[START_BYTES..]).await?;
    let hello = Hello::decode(&bytes)?;
    let Hello { from, to, .. } = hello;
    if hello.cluster != mine.cluster {
        return Err(denied(Refusal::Cluster, format!("it claims to be {from} of another one")));
    }
    if to != mine.me {
        return Err(denied(Refusal::Address, format!("{from} dialled {to}, and this is {}", mine.me)));
    }
    if from == mine.me {
        return Err(denied(Refusal::Myself, format!("it claims to be {from}")));
    }
    Ok(hello)
}

/// Lets the dialler prove that it knows an accepted secret.
async fn challenge<S>(stream: &mut S, mine: &Identity, hello: &Hello, binding: &Binding) -> Result<Proofs, Ended>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let challenge = Challenge { life: mine.life, nonce: nonce()? }.encode();
    write(stream, &challenge).await?;
    let mut proof = Tag::default();
    read(stream, &mut proof).await?;
    let transcript = transcript(&hello.encode(), &challenge, binding);
    for secret in &*mine.secrets.accepted() {
        let proofs = Proofs::new(secret.clone(), transcript);
        if bool::from(proofs.of_dialler().ct_eq(&proof)) {
            return Ok(proofs);
        }
    }
    Err(denied(Refusal::Secret, format!("it claims to be {}", hello.from)))
}

fn start() -> [u8; START_BYTES] {
    let mut bytes = [0; START_BYTES];
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    bytes[MAGIC.len()..].copy_from_slice(&VERSION.to_be_bytes());
    bytes
}

fn version(start: &[u8; START_BYTES]) -> Result<u16, Ended> {
    if start[..MAGIC.len()] != MAGIC {
        return Err(Ended::OtherProtocol(FirstBytes::new(start)));
    }
    Ok(u16::from_be_bytes(part(start, MAGIC.len())))
}

/// Reads the bytes that are alike in all versions. Another protocol is noticed at its first wrong
/// byte: it may wait for an answer before it says more.
async fn read_start<S: AsyncRead + Unpin>(stream: &mut S) -> Result<([u8; START_BYTES], u16), Ended> {
    let mut bytes = [0; START_BYTES];
    let mut read = 0;
    while read < START_BYTES {
        match stream.read(&mut bytes[read..]).await.map_err(of_stream)? {
            0 => return Err(Ended::ClosedEarly),
            count => read += count,
        }
        let magic = &bytes[..read.min(MAGIC.len())];
        if !MAGIC.starts_with(magic) {
            return Err(Ended::OtherProtocol(FirstBytes::new(&bytes[..read])));
        }
    }
    Ok((bytes, version(&bytes)?))
}

fn may_go_on(status: u8) -> Result<(), Ended> {
    match (status, Refusal::of(status)) {
        (GO_ON, _) => Ok(()),
        (_, Some(refusal)) => Err(Ended::Refused(refusal)),
        (number, None) => Err(Ended::RefusedOtherwise(number)),
    }
}

pub(super) fn denied(refusal: Refusal, detail: String) -> Ended {
    Ended::Denied { refusal, detail }
}

fn nonce() -> Result<Nonce, Ended> {
    let mut nonce = Nonce::default();
    getrandom::fill(&mut nonce).map_err(|error| Ended::Broken(io::Error::other(error.to_string())))?;
    Ok(nonce)
}

/// The `N` bytes from `offset`, which are there.
fn part<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    bytes[offset..offset + N].try_into().expect("the slice has that length")
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S, bytes: &mut [u8]) -> Result<(), Ended> {
    stream.read_exact(bytes).await.map(|_| ()).map_err(of_stream)
}

/// What a failed read says in a handshake.
pub(super) fn of_stream(error: io::Error) -> Ended {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Ended::ClosedEarly,
        _ => Ended::of_stream(error),
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), Ended> {
    stream.write_all(bytes).await.map_err(Ended::of_stream)?;
    stream.flush().await.map_err(Ended::of_stream)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;
    use tokio::io::duplex;

    use super::*;

    const PLAIN: Binding = [0; 32];
    const CLAIM: Claim = Claim { disk: DiskId(5), votes_since: Some(LogIndex(6)) };

    fn server(number: u8) -> ServerId {
        ServerId::new(number).unwrap()
    }

    fn identity(number: u8, secrets: &[&str]) -> Identity {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), secrets.join("\n")).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        let secrets = Secrets::read(file.path()).unwrap();
        Identity { me: server(number), life: u64::from(number) * 100, cluster: cluster_digest("test"), secrets }
    }

    const OLD: &str = "the old secret of a cluster";
    const NEW: &str = "the new secret of a cluster";

    async fn shake(
        dialler: &Identity,
        acceptor: &Identity,
        bindings: [&Binding; 2],
    ) -> (Result<Session, Ended>, Result<Session, Ended>) {
        let (mut near, mut far) = duplex(1000);
        tokio::join!(dial(&mut near, dialler, CLAIM, server(2), bindings[0]), async {
            accept(&mut far, acceptor, bindings[1], async |from, claim| match (from, claim) == (server(1), CLAIM) {
                true => Ok(()),
                false => Err(denied(Refusal::Disk, "not this one".to_owned())),
            })
            .await
            .map(|(session, ())| session)
        })
    }

    #[tokio::test]
    async fn two_servers_that_know_the_secret_agree_on_keys_of_their_own_for_each_direction() {
        let (one, two) = (identity(1, &[OLD]), identity(2, &[OLD]));
        let (dialled, accepted) = shake(&one, &two, [&PLAIN, &PLAIN]).await;
        let (dialled, accepted) = (dialled.unwrap(), accepted.unwrap());
        assert_eq!(dialled.life, 200);
        assert_eq!(accepted.life, 100);
        assert_eq!((dialled.key_out, dialled.key_in), (accepted.key_in, accepted.key_out));
        assert_ne!(dialled.key_out, dialled.key_in);
        let (again, _) = shake(&one, &two, [&PLAIN, &PLAIN]).await;
        assert_ne!(again.unwrap().key_out, dialled.key_out, "every connection has keys of its own");
    }

    #[tokio::test]
    async fn a_secret_is_replaced_server_by_server() {
        let steps: [&[&str]; 4] = [&[OLD], &[OLD, NEW], &[NEW, OLD], &[NEW]];
        for (before, after) in steps.iter().zip(&steps[1..]) {
            for (one, two) in [(before, after), (after, before)] {
                let (dialled, accepted) = shake(&identity(1, one), &identity(2, two), [&PLAIN, &PLAIN]).await;
                assert!(dialled.is_ok() && accepted.is_ok(), "{one:?} and {two:?}");
            }
        }
        let (dialled, accepted) = shake(&identity(1, &[OLD]), &identity(2, &[NEW]), [&PLAIN, &PLAIN]).await;
        assert!(matches!(dialled, Err(Ended::Refused(Refusal::Secret))));
        assert!(matches!(accepted, Err(Ended::Denied { refusal: Refusal::Secret, .. })));
    }

    #[tokio::test]
    async fn a_handshake_is_worth_nothing_in_another_tls_connection() {
        let (one, two) = (identity(1, &[OLD]), identity(2, &[OLD]));
        let (dialled, accepted) = shake(&one, &two, [&[1; 32], &[2; 32]]).await;
        assert!(dialled.is_err() && accepted.is_err());
    }

    #[tokio::test]
    async fn what_a_dialler_claims_is_judged_before_its_proof() {
        let two = identity(2, &[OLD]);
        for (refusal, dialler) in [
            (Refusal::Cluster, Identity { cluster: cluster_digest("other"), ..identity(1, &[OLD]) }),
            (Refusal::Myself, identity(2, &[OLD])),
        ] {
            let (dialled, accepted) = shake(&dialler, &two, [&PLAIN, &PLAIN]).await;
            assert!(matches!(dialled, Err(Ended::Refused(told)) if told == refusal));
            assert!(matches!(accepted, Err(Ended::Denied { refusal: said, .. }) if said == refusal));
        }
        let (dialled, _) = shake(&identity(1, &[OLD]), &identity(3, &[OLD]), [&PLAIN, &PLAIN]).await;
        assert!(matches!(dialled, Err(Ended::Refused(Refusal::Address))));
    }

    /// An acceptor that doesn't know the secret can send back what it has heard, or anything.
    #[tokio::test]
    async fn an_acceptor_that_does_not_know_the_secret_is_not_believed() {
        for reflect in [true, false] {
            let one = identity(1, &[OLD]);
            let (mut near, mut far) = duplex(1000);
            let (dialled, ()) = tokio::join!(dial(&mut near, &one, CLAIM, server(2), &PLAIN), async {
                let mut hello = [0; Hello::BYTES];
                far.read_exact(&mut hello).await.unwrap();
                let nonce = Hello::decode(&hello).unwrap().nonce;
                far.write_all(&Challenge { life: 100, nonce }.encode()).await.unwrap();
                let mut proof = Tag::default();
                far.read_exact(&mut proof).await.unwrap();
                let proof = if reflect { proof } else { Tag::default() };
                far.write_all(&[&[GO_ON], &proof[..]].concat()).await.unwrap();
            });
            assert!(matches!(dialled, Err(Ended::Unproven)));
        }
    }

    #[tokio::test]
    async fn a_later_version_is_told_which_one_is_spoken_here() {
        let two = identity(2, &[OLD]);
        let (mut near, mut far) = duplex(1000);
        near.write_all(b"RAFTPEER\x00\x07and whatever version 7 says").await.unwrap();
        let accepted = accept(&mut far, &two, &PLAIN, async |_, _| Ok(())).await;
        assert!(matches!(accepted, Err(Ended::Denied { refusal: Refusal::Version, .. })));
        let mut answer = [0; 11];
        near.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"RAFTPEER\x00\x02\x01");

        // And the other way round.
        let (mut near, mut far) = duplex(1000);
        far.write_all(b"RAFTPEER\x00\x07\x01").await.unwrap();
        let dialled = dial(&mut near, &identity(1, &[OLD]), CLAIM, server(2), &PLAIN).await;
        let sentence = dialled.err().unwrap().to_string();
        assert_eq!(sentence, "the other side speaks version 7 of the peer protocol, and this server version 2");
    }

    #[tokio::test]
    async fn another_protocol_is_answered_at_its_first_wrong_byte() {
        for said in [&b"GET / HTTP/1.1\r\n"[..], b"RAFTPEE?", b"\n"] {
            let (mut near, mut far) = duplex(1000);
            near.write_all(said).await.unwrap();
            let accepted = accept(&mut far, &identity(2, &[OLD]), &PLAIN, async |_, _| Ok(())).await;
            assert!(matches!(accepted, Err(Ended::OtherProtocol(_))));
            drop(far);
            let mut answer = Vec::new();
            near.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer, NOT_THIS_PROTOCOL);
        }
    }

    #[tokio::test]
    async fn a_handshake_that_stops_anywhere_is_an_error_of_its_own() {
        let one = identity(1, &[OLD]);
        let hello =
            Hello { from: server(1), to: server(2), life: 1, nonce: [1; 32], cluster: one.cluster, claim: CLAIM }
                .encode();
        for length in 0..=hello.len() {
            let (mut near, mut far) = duplex(1000);
            near.write_all(&hello[..length]).await.unwrap();
            near.shutdown().await.unwrap();
            let accepted = accept(&mut far, &identity(2, &[OLD]), &PLAIN, async |_, _| Ok(())).await;
            assert!(matches!(accepted, Err(Ended::ClosedEarly)), "{length}");
        }
        let challenge = Challenge { life: 1, nonce: [1; 32] }.encode();
        for length in 0..=challenge.len() {
            let (mut near, mut far) = duplex(1000);
            far.write_all(&challenge[..length]).await.unwrap();
            far.shutdown().await.unwrap();
            let dialled = dial(&mut near, &one, CLAIM, server(2), &PLAIN).await;
            assert!(matches!(dialled, Err(Ended::ClosedEarly)), "{length}");
        }
    }

    #[test]
    fn the_bytes_of_hello_and_challenge_are_these() {
        let claim = Claim { disk: DiskId(0x0506), votes_since: None };
        let hello = Hello { from: server(1), to: server(127), life: 0x0102, nonce: [3; 32], cluster: [4; 32], claim };
        let start = [&b"RAFTPEER\x00\x02\x01\x7f\0\0\0\0\0\0\x01\x02"[..], &[3; 32], &[4; 32]].concat();
        let no_vote = [&start[..], b"\0\0\0\0\0\0\x05\x06\0\0\0\0\0\0\0\0\0"].concat();
        assert_eq!(hello.encode()[..], no_vote);
        let votes = Hello { claim: Claim { votes_since: Some(LogIndex(0x0708)), ..hello.claim }, ..hello };
        let vote = [&start[..], b"\0\0\0\0\0\0\x05\x06\x01\0\0\0\0\0\0\x07\x08"].concat();
        assert_eq!(votes.encode()[..], vote);
        let challenge = Challenge { life: 0x0102, nonce: [3; 32] };
        assert_eq!(challenge.encode()[..], [&b"RAFTPEER\x00\x02\0\0\0\0\0\0\0\x01\x02"[..], &[3; 32]].concat());
    }

    proptest! {
        #[test]
        fn a_hello_has_one_form(bytes in prop::collection::vec(any::<u8>(), Hello::BYTES), ours in any::<bool>()) {
            let mut bytes: [u8; Hello::BYTES] = bytes.try_into().unwrap();
            if ours {
                bytes[..START_BYTES].copy_from_slice(&start());
            }
            match Hello::decode(&bytes) {
                Ok(hello) => prop_assert_eq!(hello.encode(), bytes),
                Err(ended) => prop_assert!(!ended.to_string().is_empty()),
            }
        }
    }
}
