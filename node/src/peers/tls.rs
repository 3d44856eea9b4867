//! TLS between servers: both sides show a certificate, and both verify it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::ended::Ended;
use super::handshake::{self, Binding};

/// What a server needs for TLS with its peers.
///
/// A certificate of the cluster's authority says that its owner is one of the servers, not which
/// one: who is who, the cluster's secret says. So the authority must be the cluster's own.
#[derive(Clone)]
pub struct Tls {
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
        let TlsFiles { certificate, key, authority, server_name } = files;
        let name = ServerName::try_from(server_name.clone()).map_err(|_| TlsError::ServerName(server_name.clone()))?;
        let of_certificate = |problem: String| file("certificate", certificate, problem);
        let of_key = |problem: String| file("private key", key, problem);
        let of_authority = |problem: String| file("certificate of the authority", authority, problem);

        let chain = certificates(certificate).map_err(of_certificate)?;
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| of_key(sentence(&error)))?;
        let mut roots = RootCertStore::empty();
        for root in certificates(authority).map_err(of_authority)? {
            roots.add(root).map_err(|error| of_authority(error.to_string()))?;
        }
        let roots = Arc::new(roots);

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // Both sides are this program: there is no reason for an older version.
        let versions = [&rustls::version::TLS13];
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone())
            .build()
            .map_err(|error| of_authority(error.to_string()))?;
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions)
            .expect("the provider has what TLS 1.3 needs")
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), private.clone_key())
            .map_err(|error| {
                of_key(format!("it doesn't go with the certificate {}: {error}", certificate.display()))
            })?;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .expect("the provider has what TLS 1.3 needs")
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, private)
            .map_err(|error| of_key(error.to_string()))?;
        Ok(Tls {
            connector: TlsConnector::from(Arc::new(client)),
            acceptor: TlsAcceptor::from(Arc::new(server)),
            server_name: name,
        })
    }

    /// The dialler's side.
    pub(super) async fn connect<S>(&self, stream: S) -> Result<(tokio_rustls::client::TlsStream<S>, Binding), Ended>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let stream = self.connector.connect(self.server_name.clone(), stream).await.map_err(of_handshake)?;
        let binding = binding(|output| stream.get_ref().1.export_keying_material(output, LABEL, None))?;
        Ok((stream, binding))
    }

    /// The acceptor's side.
    pub(super) async fn accept<S>(&self, stream: S) -> Result<(tokio_rustls::server::TlsStream<S>, Binding), Ended>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let stream = self.acceptor.accept(stream).await.map_err(of_handshake)?;
        let binding = binding(|output| stream.get_ref().1.export_keying_material(output, LABEL, None))?;
        Ok((stream, binding))
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// What the keying material that ties a handshake to its TLS connection is exported for (RFC 8446
/// §7.5).
const LABEL: &[u8] = b"EXPORTER-raftarium-peer-1";

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

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = |path| CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
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
