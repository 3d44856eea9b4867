//! The secrets that servers of a cluster prove themselves with.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

/// The secrets of a cluster, read from a file: one a line. A server proves itself with the first,
/// and accepts all of them.
///
/// So a secret can be replaced while the cluster runs: append the new one to every server's file,
/// then make it the first everywhere, then delete the old one, and [`reload`](Self::reload) after
/// each step.
///
/// A clone is cheap, and sees what is reloaded. No secret is ever printed.
#[derive(Clone)]
pub struct Secrets {
    shared: Arc<Shared>,
}

struct Shared {
    /// None for what isn't secret.
    path: Option<PathBuf>,
    /// At least one. Never changed in place.
    current: watch::Sender<Arc<[Secret]>>,
}

/// One secret.
#[derive(Clone)]
pub(super) struct Secret {
    bytes: Arc<[u8]>,
}

/// The bytes of an HMAC-SHA-256.
pub(crate) type Tag = [u8; 32];

/// Why a file of secrets can't be used.
#[derive(Debug, thiserror::Error)]
#[error("the secret file {}: {problem}", .path.display())]
pub struct SecretsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: SecretsProblem,
}

/// What is wrong with a file of secrets.
#[derive(Debug, thiserror::Error)]
pub enum SecretsProblem {
    /// It isn't there, or can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is a folder or a device.
    #[error("it isn't a regular file")]
    NotAFile,
    /// Users besides its owner may read or write it.
    #[error("other users have access to it (its mode is {mode:03o}); allow the owner alone: chmod 600")]
    OpenToOthers {
        /// The file's permissions.
        mode: u32,
    },
    /// It holds nothing but empty lines.
    #[error("it is empty; put a secret of at least {} bytes into it", Secrets::BYTES_MIN)]
    Empty,
    /// A line is too short to be a secret.
    #[error("line {line} has {bytes} bytes; a secret has at least {}", Secrets::BYTES_MIN)]
    TooShort {
        /// Its number, from 1.
        line: usize,
        /// Its length without the end of the line.
        bytes: usize,
    },
    /// There are more secrets than anybody needs to replace one.
    #[error("it holds more than {} secrets", Secrets::COUNT_MAX)]
    TooMany,
    /// It is no file of secrets.
    #[error("it is longer than {} bytes", Secrets::FILE_BYTES_MAX)]
    TooLong,
}

impl Secrets {
    /// The length of the shortest secret, in bytes.
    pub const BYTES_MIN: usize = 16;
    /// The largest number of secrets in a file.
    pub const COUNT_MAX: usize = 8;
    /// The length of the longest file, in bytes.
    pub const FILE_BYTES_MAX: usize = 16 * 1024;

    /// Reads the secrets in the file at `path`. Ends of lines don't count, empty lines are skipped;
    /// everything else is part of a secret.
    ///
    /// # Errors
    /// When the file can't be read, others than its owner have access to it, it holds no secret, or
    /// one that is too short.
    pub fn read(path: impl Into<PathBuf>) -> Result<Secrets, SecretsError> {
        let path = path.into();
        match read(&path) {
            Ok(secrets) => Ok(Secrets::new(Some(path), secrets)),
            Err(problem) => Err(SecretsError { path, problem }),
        }
    }

    /// What servers prove themselves with that have no secret: everybody can know it. It keeps
    /// apart clusters that meet by mistake, and nobody who wants to get in. Only for servers that
    /// no other machine reaches.
    pub fn of_this_machine(cluster: &str) -> Secrets {
        let bytes = format!("raftarium: the cluster {cluster} has no secret").into_bytes();
        Secrets::new(None, Arc::new([Secret { bytes: bytes.into() }]))
    }

    fn new(path: Option<PathBuf>, secrets: Arc<[Secret]>) -> Secrets {
        Secrets { shared: Arc::new(Shared { path, current: watch::Sender::new(secrets) }) }
    }

    /// Reads the file again. Connections that were proven with a secret that isn't in it any more
    /// are closed.
    ///
    /// # Errors
    /// As for [`read`](Self::read); the secrets stay as they were then.
    pub fn reload(&self) -> Result<(), SecretsError> {
        let Some(path) = &self.shared.path else { return Ok(()) };
        let secrets = read(path).map_err(|problem| SecretsError { path: path.clone(), problem })?;
        self.shared.current.send_replace(secrets);
        Ok(())
    }

    /// The secret that this server proves itself with.
    pub(super) fn first(&self) -> Secret {
        self.shared.current.borrow().first().expect("there is at least one secret").clone()
    }

    /// Whether nobody else knows them.
    pub(crate) fn are_secret(&self) -> bool {
        self.shared.path.is_some()
    }

    /// A proof of something else than a connection of peers: an authentication code of these parts,
    /// one after the other. Parts have fixed lengths.
    pub(crate) fn prove(&self, parts: &[&[u8]]) -> Tag {
        self.first().tag(&[&[&b"raftarium forward 1\0"[..]], parts].concat())
    }

    /// Whether this is a proof of these parts with a secret that is accepted.
    pub(crate) fn is_proof(&self, parts: &[&[u8]], proof: &[u8]) -> bool {
        let parts = [&[&b"raftarium forward 1\0"[..]], parts].concat();
        self.accepted().iter().any(|secret| bool::from(secret.tag(&parts).ct_eq(proof)))
    }

    /// All that are accepted.
    pub(super) fn accepted(&self) -> Arc<[Secret]> {
        self.shared.current.borrow().clone()
    }

    /// Waits until `secret` isn't accepted any more.
    pub(super) async fn withdrawn(&self, secret: &Secret) {
        let mut changes = self.shared.current.subscribe();
        let gone = changes.wait_for(|current| !current.iter().any(|accepted| accepted.equals(secret))).await;
        gone.expect("`self` has the sender");
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

impl Secret {
    /// The authentication code of these parts, one after the other, under this secret.
    pub(super) fn tag(&self, parts: &[&[u8]]) -> Tag {
        let mut code = keyed(&self.bytes);
        parts.iter().for_each(|part| code.update(part));
        code.finalize().into_bytes().into()
    }

    fn equals(&self, other: &Secret) -> bool {
        self.bytes.ct_eq(&other.bytes).into()
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Secret {
        Secret { bytes: text.as_bytes().into() }
    }
}

/// HMAC-SHA-256 with this key.
pub(super) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of HMAC may have any length")
}

fn read(path: &Path) -> Result<Arc<[Secret]>, SecretsProblem> {
    let file = match crate::plain_file::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => return Err(SecretsProblem::NotAFile),
        opened => opened?,
    };
    let metadata = file.metadata()?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretsProblem::OpenToOthers { mode });
        }
    }
    let mut content = Vec::new();
    file.take(Secrets::FILE_BYTES_MAX as u64 + 1).read_to_end(&mut content)?;
    parse(&content)
}

fn parse(content: &[u8]) -> Result<Arc<[Secret]>, SecretsProblem> {
    if content.len() > Secrets::FILE_BYTES_MAX {
        return Err(SecretsProblem::TooLong);
    }
    let mut secrets = Vec::new();
    for (line, bytes) in (1..).zip(content.split(|byte| *byte == b'\n')) {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        match bytes.len() {
            0 => continue,
            short if short < Secrets::BYTES_MIN => return Err(SecretsProblem::TooShort { line, bytes: short }),
            _ if secrets.len() == Secrets::COUNT_MAX => return Err(SecretsProblem::TooMany),
            _ => secrets.push(Secret { bytes: bytes.into() }),
        }
    }
    if secrets.is_empty() { Err(SecretsProblem::Empty) } else { Ok(secrets.into()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const OLD: &str = "the old secret of a cluster";
    const NEW: &str = "the new secret of a cluster";

    fn write(path: &Path, content: &str, mode: u32) {
        std::fs::write(path, content).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn refused(content: &str, mode: u32) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, content, mode);
        let sentence = Secrets::read(&path).unwrap_err().to_string();
        sentence.replace(&path.display().to_string(), "F")
    }

    #[test]
    fn a_file_of_secrets_is_read_without_the_ends_of_its_lines() {
        for content in [format!("{OLD}\n{NEW}\n"), format!("{OLD}\r\n\n{NEW}"), format!("\n{OLD}\n{NEW}\r\n\n")] {
            let secrets = parse(content.as_bytes()).unwrap();
            let read: Vec<&[u8]> = secrets.iter().map(|secret| &*secret.bytes).collect();
            assert_eq!(read, [OLD.as_bytes(), NEW.as_bytes()]);
        }
        let shortest = parse(b"0123456789abcdef\n").unwrap();
        assert_eq!(&*shortest[0].bytes, b"0123456789abcdef");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_refused_in_a_sentence() {
        let of_all = |mode| {
            format!(
                "the secret file F: other users have access to it (its mode is {mode}); allow the owner alone: chmod 600"
            )
        };
        assert_eq!(refused(OLD, 0o644), of_all("644"));
        assert_eq!(refused(OLD, 0o640), of_all("640"));
        assert_eq!(refused(OLD, 0o602), of_all("602"));
        assert_eq!(
            refused("\n\r\n", 0o600),
            "the secret file F: it is empty; put a secret of at least 16 bytes into it"
        );
        let short = format!("{OLD}\n\n0123456789abcde\n");
        assert_eq!(refused(&short, 0o600), "the secret file F: line 3 has 15 bytes; a secret has at least 16");
        assert_eq!(refused(&format!("{OLD}\n").repeat(9), 0o600), "the secret file F: it holds more than 8 secrets");
        assert_eq!(refused(&"x".repeat(16385), 0o400), "the secret file F: it is longer than 16384 bytes");

        let folder = tempfile::tempdir().unwrap();
        let missing = Secrets::read(folder.path().join("no")).unwrap_err();
        assert!(matches!(missing.problem, SecretsProblem::Unreadable(_)), "{missing}");
        let no_file = Secrets::read(folder.path()).unwrap_err();
        assert!(matches!(no_file.problem, SecretsProblem::NotAFile), "{no_file}");
    }

    #[test]
    fn a_reload_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, OLD, 0o600);
        let secrets = Secrets::read(&path).unwrap();
        let clone = secrets.clone();
        write(&path, "short", 0o600);
        secrets.reload().unwrap_err();
        assert!(secrets.first().equals(&Secret::of(OLD)));
        write(&path, &format!("{NEW}\n{OLD}"), 0o600);
        secrets.reload().unwrap();
        assert!(clone.first().equals(&Secret::of(NEW)), "a clone sees it, too");
        assert_eq!(clone.accepted().len(), 2);
    }

    #[test]
    fn secrets_are_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write(&path, OLD, 0o600);
        let printed = format!("{:?}", Secrets::read(&path).unwrap());
        assert!(printed.starts_with("Secrets") && !printed.contains("old"), "{printed}");
    }
}
