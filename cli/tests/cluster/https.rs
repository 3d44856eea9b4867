//! Clients of a real server that speaks HTTPS.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::Value;

use crate::fake::{Fake, Reply};
use crate::support::{FINE, Killed, command, folder, raftarium};

/// Writes an authority's certificate, and a certificate of it for 127.0.0.1 with its key.
fn certificates(folder: &Path, authority: &str) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    fs::write(folder.join(authority), params.self_signed(&key).unwrap().pem()).unwrap();
    let (issuer, own) = (Issuer::new(params, key), KeyPair::generate().unwrap());
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("key.pem"), own.serialize_pem()).unwrap();
}

#[test]
fn a_server_with_a_certificate_is_reached_by_https() {
    let folder = folder();
    let at = folder.path();
    certificates(at, "other.pem");
    certificates(at, "ca.pem");
    let node = "node --id 1 --data data --found --peer-listen 127.0.0.1:0 --http-listen 127.0.0.1:0 --json \
                --http-tls-cert cert.pem --http-tls-key key.pem --http-tls-ca ca.pem --log-level off";
    let mut node = command(at, &node.split_whitespace().collect::<Vec<_>>());
    let mut node = Killed(node.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(node.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let server = format!("https://{}", said["http"].as_str().unwrap());
    let ask = |arguments: &[&str]| raftarium(at, &[arguments, &["--servers", &server]].concat());

    ask(&["put", "x", "secret", "--ca", "ca.pem"]).ended(FINE);
    assert_eq!(ask(&["get", "x", "--ca", "ca.pem"]).ended(FINE).out(), "secret");
    assert!(ask(&["status", "--ca", "ca.pem"]).ended(FINE).out().contains("leader"));
    let mut watch = command(at, &["watch", "--from", "1", "--ca", "ca.pem", "--servers", &server]);
    let mut watch = Killed(watch.stdout(Stdio::piped()).spawn().unwrap());
    let mut change = String::new();
    BufReader::new(watch.0.stdout.take().unwrap()).read_line(&mut change).unwrap();
    assert!(change.contains("put x = secret"), "{change}");

    // Who isn't believed is told nothing, and no doubt is left.
    ask(&["put", "x", "other", "--ca", "other.pem"]).complained("its certificate isn't believed");
    assert_eq!(ask(&["get", "x", "--ca", "ca.pem"]).ended(FINE).out(), "secret");
    ask(&["get", "x"]).complained("https:// servers need --ca FILE");
    ask(&["get", "x", "--ca", "key.pem"]).complained("key.pem holds no certificate");
    let plain = server.replace("https://", "");
    raftarium(at, &["get", "x", "--servers", &plain]).complained("this port speaks HTTPS");
    raftarium(at, &["get", "x", "--ca", "ca.pem", "--servers", &plain]).complained("write https:// before each");
    let both = format!("{server},{plain}");
    raftarium(at, &["get", "x", "--ca", "ca.pem", "--servers", &both]).complained("write all of them alike");
}

#[test]
fn a_server_without_tls_is_said_to_have_none() {
    let folder = folder();
    certificates(folder.path(), "ca.pem");
    let fake = Fake::always(Reply::Close);
    let server = format!("https://{}", fake.address);
    let done = raftarium(folder.path(), &["get", "x", "--ca", "ca.pem", "--timeout", "1s", "--servers", &server]);
    done.complained("no server answers at");
    assert!(fake.received().iter().all(|request| !request.line.contains("/kv/x")), "{:?}", fake.received());
}

/// A handshake that fails carries no request: no doubt is left.
#[test]
fn a_write_to_a_server_that_answers_in_plain_text_is_known_not_to_be_done() {
    let folder = folder();
    certificates(folder.path(), "ca.pem");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let _ = connection.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
        }
    });
    for write in [&["put", "x", "1"][..], &["members", "remove", "2"]] {
        let options = ["--ca", "ca.pem", "--timeout", "1s", "--servers", &server];
        raftarium(folder.path(), &[write, &options].concat()).complained("it doesn't speak TLS");
    }
}
