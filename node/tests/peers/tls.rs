//! TLS between servers.

use std::path::{Path, PathBuf};

use raftarium_node::peers::{Tls, TlsFiles};
use rcgen::{CertificateParams, Issuer, KeyPair};
use tempfile::TempDir;

use super::authority::{certify, new_authority};
use super::*;

/// A certificate authority, and the files that it has made.
struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Authority {
        let folder = tempfile::tempdir().unwrap();
        let issuer = new_authority(&folder.path().join("authority.pem"));
        Authority { folder, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The files of a server whose certificate is for this name.
    fn files(&self, name: &str) -> TlsFiles {
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let (certificate, key) = (self.path("certificate.pem"), self.path("key.pem"));
        certify(&params, &self.issuer, &certificate, &key);
        let server_name = Tls::SERVER_NAME.to_owned();
        TlsFiles { certificate, key, authority: self.path("authority.pem"), server_name }
    }

    fn tls(&self) -> Tls {
        Tls::read(&self.files(Tls::SERVER_NAME)).unwrap()
    }
}

async fn with_tls(number: u8, tls: Tls) -> Server {
    Server::start(Settings { tls: Some(tls), ..settings(number, &[SECRET]) }).await
}

#[tokio::test]
async fn servers_with_certificates_of_one_authority_talk() {
    let authority = Authority::new();
    let (one, mut two) = (with_tls(1, authority.tls()).await, with_tls(2, authority.tls()).await);
    one.knows(&[&two]);
    let large = sized(1_000_000);
    one.peers.send(server(2), &large).unwrap();
    one.peers.send(server(2), &numbered(1)).unwrap();
    assert!(two.next().await.message == large);
    assert_eq!(two.next().await.message, numbered(1));
    one.peers.stop().await;
    two.ends("closed", 1).await;
}

#[tokio::test]
async fn the_secret_is_needed_with_tls_too() {
    let authority = Authority::new();
    let stranger = Settings { tls: Some(authority.tls()), ..settings(1, &[OTHER_SECRET]) };
    let (one, two) = (Server::start(stranger).await, with_tls(2, authority.tls()).await);
    one.knows(&[&two]);
    one.fails_to_reach(2, "the dialler doesn't know a secret").await;
}

#[tokio::test]
async fn certificates_of_another_authority_are_refused_by_both_sides() {
    let (ours, other) = (Authority::new(), Authority::new());
    // The dialler doesn't believe the acceptor.
    let (one, two) = (with_tls(1, other.tls()).await, with_tls(2, ours.tls()).await);
    one.knows(&[&two]);
    one.fails_to_reach(2, "TLS failed: invalid peer certificate: ").await;

    // The dialler believes, and the acceptor doesn't.
    let files = TlsFiles { authority: ours.path("authority.pem"), ..other.files(Tls::SERVER_NAME) };
    let three = with_tls(3, Tls::read(&files).unwrap()).await;
    three.knows(&[&two]);
    three.fails_to_reach(2, "TLS failed: received fatal alert").await;
    two.refuses("tls", 2).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let (one, two) =
        (with_tls(1, authority.tls()).await, with_tls(2, Tls::read(&authority.files("elsewhere")).unwrap()).await);
    one.knows(&[&two]);
    one.fails_to_reach(2, "TLS failed: invalid peer certificate: ").await;

    // The name can be chosen.
    let files = TlsFiles { server_name: "elsewhere".to_owned(), ..authority.files("elsewhere") };
    let (three, mut two) =
        (with_tls(3, Tls::read(&files).unwrap()).await, with_tls(2, Tls::read(&files).unwrap()).await);
    three.knows(&[&two]);
    gets_through(&three, &mut two, 1).await;
}

#[tokio::test]
async fn plain_and_tls_are_told_apart() {
    let authority = Authority::new();
    let (one, two) = (Server::usual(1).await, with_tls(2, authority.tls()).await);
    one.knows(&[&two]);
    one.fails_to_reach(2, "it speaks TLS, and this server has no TLS set up for its peers").await;
    two.refuses("tls", 1).await;

    two.knows(&[&one]);
    two.fails_to_reach(1, "perhaps the other side has no TLS set up").await;
    one.refuses("other_protocol", 1).await;
    assert!(one.peers.report_listener().last_refused.unwrap().contains("it speaks TLS"));
}

/// An authority is replaced while servers run: by a file with both, new certificates, and a file
/// with the new one alone.
#[tokio::test]
async fn certificates_are_renewed_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let copy = |from: PathBuf, to: &Path| std::fs::write(to, std::fs::read(from).unwrap()).unwrap();
    let tls_of_three = old.tls();
    let files = old.files(Tls::SERVER_NAME);
    let tls = Tls::read(&files).unwrap();
    let mut two = with_tls(2, tls.clone()).await;
    let stranger = with_tls(1, new.tls()).await;
    stranger.knows(&[&two]);
    stranger.fails_to_reach(2, "TLS failed: invalid peer certificate: ").await;

    // A file that is damaged changes nothing, though the others are new.
    let new_files = new.files(Tls::SERVER_NAME);
    copy(new_files.certificate, &files.certificate);
    std::fs::write(&files.key, "-----BEGIN PRIVATE KEY-----\nAAAA").unwrap();
    let damaged = tls.reload().unwrap_err().to_string();
    assert!(damaged.starts_with(&format!("the private key {}: ", files.key.display())), "{damaged}");
    copy(old.path("authority.pem"), &new.path("old.pem"));
    let three = with_tls(3, tls_of_three).await;
    three.knows(&[&two]);
    gets_through(&three, &mut two, 1).await;

    copy(new_files.key, &files.key);
    copy(new.path("authority.pem"), &files.authority);
    tls.reload().unwrap();
    gets_through(&stranger, &mut two, 2).await;
    // The connection that is there stays. A new one isn't made with what isn't believed any more.
    gets_through(&three, &mut two, 3).await;
    let four =
        with_tls(4, Tls::read(&TlsFiles { authority: new.path("old.pem"), ..new.files(Tls::SERVER_NAME) }).unwrap());
    let four = four.await;
    four.knows(&[&two]);
    four.fails_to_reach(2, "TLS failed: invalid peer certificate: ").await;
}

#[test]
fn an_error_says_which_file_is_wrong() {
    let authority = Authority::new();
    let good = authority.files(Tls::SERVER_NAME);
    let refused = |files: &TlsFiles| Tls::read(files).unwrap_err().to_string();
    let named = |path: &Path| path.display().to_string();

    let missing = authority.path("missing.pem");
    let sentence = refused(&TlsFiles { certificate: missing.clone(), ..good.clone() });
    assert!(sentence.starts_with(&format!("the certificate {}: it can't be read: ", named(&missing))), "{sentence}");
    let sentence = refused(&TlsFiles { authority: missing.clone(), ..good.clone() });
    assert!(sentence.starts_with(&format!("the certificate of the authority {}: ", named(&missing))), "{sentence}");
    let sentence = refused(&TlsFiles { key: good.certificate.clone(), ..good.clone() });
    let nothing = "nothing of this kind is in it, as PEM";
    assert_eq!(sentence, format!("the private key {}: {nothing}", named(&good.certificate)));
    let sentence = refused(&TlsFiles { certificate: good.key.clone(), ..good.clone() });
    assert_eq!(sentence, format!("the certificate {}: {nothing}", named(&good.key)));

    let other = Authority::new().files(Tls::SERVER_NAME);
    std::fs::create_dir_all(other.key.parent().unwrap()).unwrap();
    std::fs::write(&other.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let sentence = refused(&TlsFiles { key: other.key.clone(), ..good.clone() });
    let start = format!("the private key {}: it doesn't go with the certificate ", named(&other.key));
    assert!(sentence.starts_with(&start), "{sentence}");
    let sentence = refused(&TlsFiles { server_name: "not a name!".to_owned(), ..good });
    assert_eq!(sentence, "\"not a name!\" can't be the name in a certificate");
}
