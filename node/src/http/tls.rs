//! HTTPS: the server's certificate, and the authority by which it knows the other servers.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::problem::{self, Kind, Problem};
use crate::peers::{TlsError, chain, mismatch, private_key, roots, useless};

/// The first byte of a connection that begins with TLS: a handshake record (RFC 8446 §5.1).
const HANDSHAKE: u8 = 0x16;

/// How much is read from a client that was told to speak HTTPS. A connection that is closed with
/// unread bytes is reset, and what it was told doesn't arrive.
const LAST_WORDS_BYTES: u64 = 16 << 10;

/// Where the parts of an [`Https`] are, as PEM files.
#[derive(Clone, Debug)]
pub struct HttpsFiles {
    /// This server's certificate, for the name or address by which clients and the other servers
    /// reach it, and the certificates between it and the authority's.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// The authorities that the other servers' certificates may come from: requests are handed on
    /// to them.
    pub authority: PathBuf,
}

/// What a server needs to speak HTTPS with its clients, and with the leader. A clone is cheap, and
/// sees what is reloaded.
#[derive(Clone)]
pub struct Https {
    shared: Arc<Shared>,
}

struct Shared {
    files: HttpsFiles,
    /// What new connections are made with. Never changed in place.
    current: RwLock<Configured>,
}

/// What was in the files.
#[derive(Clone)]
struct Configured {
    /// This server's certificate, and those between it and the authority's.
    chain: Vec<CertificateDer<'static>>,
    roots: Arc<RootCertStore>,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    /// Why the certificate won't be believed, if that is known.
    doubt: Option<Doubt>,
}

/// Why a certificate won't be believed.
#[derive(Clone, Debug)]
enum Doubt {
    /// Its time is over, or hasn't begun.
    OutOfTime(String),
    /// It doesn't come from the authority, say.
    Other(String),
}

impl Doubt {
    fn sentence(&self, files: &HttpsFiles) -> String {
        let (Doubt::OutOfTime(why) | Doubt::Other(why)) = self;
        let (certificate, authority) = (files.certificate.display(), files.authority.display());
        format!("the certificate {certificate}, judged by the authority {authority}: {why}")
    }
}

/// Judges this server's certificate as the other servers do.
fn judge(chain: &[CertificateDer<'_>], roots: &RootCertStore) -> Result<(), Doubt> {
    let other = |error: rustls::Error| Doubt::Other(error.to_string());
    let Some((own, others)) = chain.split_first() else { return Ok(()) };
    let parsed = ParsedCertificate::try_from(own).map_err(other)?;
    let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms.all;
    verify_server_cert_signed_by_trust_anchor(&parsed, roots, others, UnixTime::now(), algorithms).map_err(|error| {
        use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
        match error {
            rustls::Error::InvalidCertificate(
                ref why @ (Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }),
            ) => Doubt::OutOfTime(why.to_string()),
            error => other(error),
        }
    })
}

/// Judges whether a certificate is for the name or address in `host:port`.
fn judge_name(chain: &[CertificateDer<'_>], address: &str) -> Result<(), Doubt> {
    let Some(own) = chain.first() else { return Ok(()) };
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    // What can't be a name in a certificate can't be reached by HTTPS either.
    let name = ServerName::try_from(host).map_err(|error| Doubt::Other(format!("{host}: {error}")))?;
    let parsed = ParsedCertificate::try_from(own).map_err(|error| Doubt::Other(error.to_string()))?;
    verify_server_name(&parsed, &name)
        .map_err(|_| Doubt::Other(format!("it isn't for {host}, by which this server is reached (raftarium members)")))
}

impl Https {
    /// Reads the files.
    ///
    /// # Errors
    /// When one of them can't be read or used; the error says which.
    pub fn read(files: &HttpsFiles) -> Result<Https, TlsError> {
        let current = Configured::read(files)?;
        // A server that starts has no better one, and a clock may be wrong.
        if let Some(why) = current.doubt.as_ref() {
            tracing::warn!("clients and the other servers won't believe this server: {}", why.sentence(files));
        }
        let current = RwLock::new(current);
        Ok(Https { shared: Arc::new(Shared { files: files.clone(), current }) })
    }

    /// Reads the files again, for the connections that are made from now on.
    ///
    /// # Errors
    /// As for [`read`](Self::read), or when the certificate is out of its time; everything stays as
    /// it was then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let files = &self.shared.files;
        let new = Configured::read(files)?;
        match &new.doubt {
            Some(Doubt::OutOfTime(why)) => {
                return Err(useless(&files.certificate, format!("{why}; the one before stays in use")));
            }
            // There may be reasons: its authority is about to be replaced, say.
            Some(doubt) => tracing::warn!("the other servers may not believe this server: {}", doubt.sentence(files)),
            None => {}
        }
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    fn current(&self) -> Configured {
        self.shared.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why this server's certificate isn't believed, as it is now, by those who reach the server at
    /// `address` (`host:port`), or of whom that isn't known.
    pub(super) fn doubt(&self, address: Option<&str>) -> Option<String> {
        let current = self.current();
        let doubt = judge(&current.chain, &current.roots).and_then(|()| match address {
            Some(address) => judge_name(&current.chain, address),
            None => Ok(()),
        });
        Some(doubt.err()?.sentence(&self.shared.files))
    }

    /// How the other servers are spoken to.
    pub(super) fn client(&self) -> Arc<ClientConfig> {
        self.current().client
    }

    /// Leads a client's connection through its handshake. Who speaks plain HTTP is told so. None if
    /// it is no connection of a client.
    pub(super) async fn accept<S>(&self, first: First, stream: S) -> Option<tokio_rustls::server::TlsStream<S>>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        match first {
            First::Handshake => {
                let accepted = TlsAcceptor::from(self.current().server).accept(stream).await;
                accepted.inspect_err(|error| tracing::debug!("a client's TLS failed: {error}")).ok()
            }
            First::Other => {
                // Whether it arrives or not, there is nothing more to do.
                let _ = say_https(stream).await;
                None
            }
            First::Nothing => None,
        }
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https").field("files", &self.shared.files).finish_non_exhaustive()
    }
}

/// What a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// TLS.
    Handshake,
    /// Something else; plain HTTP, most likely.
    Other,
    /// It ended before anything came.
    Nothing,
}

impl First {
    /// Looks at the first byte, and leaves it to be read.
    pub(super) async fn of(stream: &TcpStream) -> First {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(1..) if first[0] == HANDSHAKE => First::Handshake,
            Ok(1..) => First::Other,
            Ok(0) | Err(_) => First::Nothing,
        }
    }
}

/// Answers what is probably a request in plain HTTP.
async fn say_https<S>(stream: S) -> io::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    say(stream, "this port speaks HTTPS: write https:// in place of http://").await
}

/// Answers who begins with TLS. It isn't understood, and can be seen by whoever looks at what came.
pub(super) async fn say_http<S>(stream: S) -> io::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    say(stream, "this port speaks HTTP: write http:// in place of https://").await
}

async fn say<S>(mut stream: S, why: &str) -> io::Result<()>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let problem = Problem::new(Kind::BadRequest, why);
    let body = format!("{}\n", problem.document());
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: {}\r\ncontent-length: {}\r\n{}: 1\r\nconnection: close\r\n\r\n{body}",
        problem::MEDIA_TYPE,
        body.len(),
        super::forward::SPEAKS_HTTPS,
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(LAST_WORDS_BYTES), &mut tokio::io::sink()).await?;
    Ok(())
}

impl Configured {
    fn read(files: &HttpsFiles) -> Result<Configured, TlsError> {
        let HttpsFiles { certificate, key, authority } = files;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (chain, roots) = (chain(certificate)?, roots(authority)?);
        let doubt = judge(&chain, &roots).err();
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has what these versions need")
            .with_no_client_auth()
            .with_single_cert(chain.clone(), private_key(key)?)
            .map_err(|error| mismatch(key, certificate, &error))?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = Arc::new(trusting(roots.clone()));
        Ok(Configured { chain, roots: Arc::new(roots), server: Arc::new(server), client, doubt })
    }
}

/// Speaks to servers whose certificates come from these authorities.
pub(super) fn trusting(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has what these versions need")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
