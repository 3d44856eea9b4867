//! Many connections: idle ones, busy ones, and ones that read too slowly or send nonsense. The
//! servers' memory stays bounded, and what is asked properly is answered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use raft_core::check::linearizable::Request;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::servers::{Cluster, Luck};

/// The most memory that a server may take, in KiB, whatever connects: its own, and 16 KiB for each
/// connection.
fn memory_max(connections: u64) -> u64 {
    300 * 1024 + 16 * connections
}

#[test]
#[ignore = "takes a minute; `cargo xtask test --only cluster` runs it"]
fn a_crowd_is_served_in_bounded_memory() {
    let number = |name: &str, default: u64| std::env::var(name).ok().map_or(default, |text| text.parse().unwrap());
    let (idle_wanted, busy) = (number("RAFTARIUM_IDLE", 3_000), number("RAFTARIUM_BUSY", 200));
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    // The servers take half of what they may have open for clients.
    let idle = idle_wanted.min(getrlimit(Resource::Nofile).current.map_or(u64::MAX, |limit| limit / 2 - 300));
    if idle < idle_wanted {
        println!("only {idle} idle connections: this process may open no more");
    }
    let cluster = Cluster::start(3);
    cluster.wait_until_one_leads();
    let leader = cluster.leader().unwrap();

    let mut idlers = Vec::new();
    for place in 0..idle {
        // One in eight at the port for peers, which takes few strangers at a time.
        let address = if place % 8 == 0 { cluster.peer_address(leader) } else { cluster.address(leader) };
        idlers.push(TcpStream::connect(address).unwrap());
    }
    // Some have begun a request, and don't go on.
    for stream in idlers.iter_mut().skip(1).step_by(50) {
        let _ = stream.write_all(b"PUT /kv/x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
    }
    // Some want to know everything, and read nothing.
    let mut deaf: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(cluster.address(leader)).unwrap()).collect();
    for (place, stream) in deaf.iter_mut().enumerate() {
        let path = if place % 2 == 0 { "/watch" } else { "/events" };
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
    }
    let (is_over, done, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..busy {
            let (cluster, is_over, done, failed) = (&cluster, &is_over, &done, &failed);
            scope.spawn(move || {
                let mut luck = Luck::new(number + 77);
                let value = "v".repeat(2_000);
                while !is_over.load(Ordering::Relaxed) {
                    let key = format!("k{}", luck.below(1_000));
                    let request =
                        if luck.below(2) == 0 { Request::Get } else { Request::Put { value: value.as_str() } };
                    let answer = cluster.ask(luck.below(cluster.count()), &key, &request, None);
                    let is_fine = answer.is_some_and(|answer| matches!(answer.status, 200 | 404));
                    if is_fine { done } else { failed }.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for nonsense in [
            &b"GET / HTTP/9.9\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET /kv/x HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
            &[b'a'; 100_000],
            &[0xff; 1_000],
        ] {
            for address in [cluster.address(leader), cluster.peer_address(leader)] {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                let _ = stream.write_all(nonsense);
                let _ = stream.shutdown(std::net::Shutdown::Write);
                // An answer or an end, and no hanging on.
                let mut answer = Vec::new();
                match stream.read_to_end(&mut answer) {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{nonsense:?}"),
                }
            }
        }
        // Load, for a while: that is what is measured.
        thread::sleep(Duration::from_secs(number("RAFTARIUM_CROWD_SECONDS", 20)));
        is_over.store(true, Ordering::Relaxed);
    });
    let (done, failed) = (done.into_inner(), failed.into_inner());
    let memory: Vec<u64> = (0..cluster.count()).map(|server| cluster.peak_memory(server)).collect();
    println!("{idle} idle, {busy} busy: {done} requests answered, {failed} not; memory at most {memory:?} KiB");
    assert!(failed * 100 <= done, "{failed} of {done} requests failed");
    assert!(done > busy * 10, "only {done} requests were answered");
    for peak in memory {
        assert!(peak < memory_max(idle + busy), "a server took {peak} KiB");
    }
    drop((idlers, deaf));
    cluster.wait_until_one_leads();
}
