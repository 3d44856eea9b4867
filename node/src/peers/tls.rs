//! TLS between servers: both sides show a certificate, and both verify it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::ended::Ended;
use super::handshake::{self, Binding};
use crate::plain_file;

/// What a server needs for TLS with its peers.
///
/// A certificate of the cluster's authority says that its owner is one of the servers, not which
/// one: who is who, the cluster's secret says. So the authority must be the cluster's own.
///
/// A clone is cheap, and sees what is reloaded.
#[derive(Clone)]
pub struct Tls {
    shared: Arc<Shared>,
}

struct Shared {
    files: TlsFiles,
    /// What new connections are made with. Never changed in place.
    current: RwLock<Arc<Configured>>,
}

/// What was in the files.
struct Configured {
    connector: TlsConnector,
    acceptor: TlsAcceptor,
    server_name: ServerName<'static>,
}

/// Where the parts of a [`Tls`] are, as PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// This server's certificate, and those between it and the authority's.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// The certificates of the authorities that peers' certificates may come from.
    pub authority: PathBuf,
    /// The name that every peer's certificate must be for; [`Tls::SERVER_NAME`] if there is no
    /// reason for another.
    pub server_name: String,
}

/// Why TLS can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or isn't PEM.
    #[error("the {what} {}: {problem}", .path.display())]
    File {
        /// Which file it is.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The name isn't one that a certificate can be for.
    #[error("\"{0}\" can't be the name in a certificate")]
    ServerName(String),
}

impl Tls {
    /// The name that every server's certificate is for, unless it is said otherwise. It isn't the
    /// name of a machine, so that servers can move.
    pub const SERVER_NAME: &str = "raftarium-peer";

    /// Reads the files.
    ///
    /// # Errors
    /// When one of them can't be read or used; the error says which.
    pub fn read(files: &TlsFiles) -> Result<Tls, TlsError> {
        let current = RwLock::new(Arc::new(Configured::read(files)?));
        Ok(Tls { shared: Arc::new(Shared { files: files.clone(), current }) })
    }

    /// Reads the files again, for the connections that are made from now on: a certificate can be
    /// renewed, and an authority replaced by way of a file that holds both. Those that are there
    /// stay.
    ///
    /// # Errors
    /// As for [`read`](Self::read); everything stays as it was then.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = Arc::new(Configured::read(&self.shared.files)?);
        *self.shared.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    fn current(&self) -> Arc<Configured> {
        Arc::clone(&self.shared.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The dialler's side.
    pub(super) async fn connect<S>(&self, stream: S) -> Result<(tokio_rustls::client::TlsStream<S>, Binding), Ended>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let current = self.current();
        let stream = current.connector.connect(current.server_name.clone(), stream).await.map_err(of_handshake)?;
        let binding = binding(|output| stream.get_ref().1.export_keying_material(output, LABEL, None))?;
        Ok((stream, binding))
    }

    /// The acceptor's side.
    pub(super) async fn accept<S>(&self, stream: S) -> Result<(tokio_rustls::server::TlsStream<S>, Binding), Ended>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let stream = self.current().acceptor.accept(stream).await.map_err(of_handshake)?;
        let binding = binding(|output| stream.get_ref().1.export_keying_material(output, LABEL, None))?;
        Ok((stream, binding))
    }
}

impl Configured {
    fn read(files: &TlsFiles) -> Result<Configured, TlsError> {
        let TlsFiles { certificate, key, authority, server_name } = files;
        let name = ServerName::try_from(server_name.clone()).map_err(|_| TlsError::ServerName(server_name.clone()))?;
        let chain = chain(certificate)?;
        let private = private_key(key)?;
        let roots = Arc::new(roots(authority)?);

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // Both sides are this program: there is no reason for an older version.
        let versions = [&rustls::version::TLS13];
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| file(AUTHORITY, authority, error.to_string()))?;
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)
            .expect("the provider has what TLS 1.3 needs")
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), private.clone_key())
            .map_err(|error| mismatch(key, certificate, &error))?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .expect("the provider has what TLS 1.3 needs")
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, private)
            .map_err(|error| mismatch(key, certificate, &error))?;
        Ok(Configured {
            connector: TlsConnector::from(Arc::new(client)),
            acceptor: TlsAcceptor::from(Arc::new(server)),
            server_name: name,
        })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.shared.files).finish_non_exhaustive()
    }
}

/// What the keying material that ties a handshake to its TLS connection is exported for (RFC 8446
/// §7.5).
const LABEL: &[u8] = b"EXPORTER-raftarium-peer-2";

fn binding(export: impl FnOnce(Binding) -> Result<Binding, rustls::Error>) -> Result<Binding, Ended> {
    export(Binding::default()).map_err(|error| Ended::Tls(error.to_string()))
}

fn of_handshake(error: std::io::Error) -> Ended {
    match handshake::of_stream(error) {
        Ended::Tls(problem) if problem.contains("corrupt message") => {
            Ended::Tls(format!("{problem}; perhaps the other side has no TLS set up"))
        }
        ended => ended,
    }
}

/// What the error calls a file.
const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";
const AUTHORITY: &str = "certificate of the authority";

/// A server's certificate, and those between it and the authority's.
pub(crate) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates(path).map_err(|problem| file(CERTIFICATE, path, problem))
}

/// The private key in a file.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let key = plain_file::read(path).map_err(pem::Error::Io).and_then(|text| PrivateKeyDer::from_pem_slice(&text));
    key.map_err(|error| file(KEY, path, sentence(&error)))
}

/// The authorities whose certificates are in a file.
pub(crate) fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let of_authority = |problem: String| file(AUTHORITY, path, problem);
    let mut roots = RootCertStore::empty();
    for root in certificates(path).map_err(of_authority)? {
        roots.add(root).map_err(|error| of_authority(error.to_string()))?;
    }
    Ok(roots)
}

/// A certificate that nobody will believe.
pub(crate) fn useless(certificate: &Path, why: String) -> TlsError {
    file(CERTIFICATE, certificate, why)
}

/// The private key is another certificate's.
pub(crate) fn mismatch(key: &Path, certificate: &Path, error: &rustls::Error) -> TlsError {
    file(KEY, key, format!("it doesn't go with the certificate {}: {error}", certificate.display()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = |path| {
        let text = plain_file::read(path).map_err(pem::Error::Io)?;
        CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>()
    };
    match read(path) {
        Ok(none) if none.is_empty() => Err(sentence(&pem::Error::NoItemsFound)),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(sentence(&error)),
    }
}

fn sentence(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "nothing of this kind is in it, as PEM".to_owned(),
        pem::Error::Io(error) => format!("it can't be read: {error}"),
        other => format!("it isn't valid PEM: {other}"),
    }
}

fn file(what: &'static str, path: &Path, problem: String) -> TlsError {
    TlsError::File { what, path: path.to_owned(), problem }
}
