//! Measures how fast one server sends messages to another over loopback, with authentication codes:
//!
//! ```sh
//! cargo run --release -p raftarium-node --example peers
//! ```
//!
//! Both servers are in this process, on two threads. What is counted has arrived and is decoded. On
//! a machine that does other things, too, the share of a processor that this process got says what
//! to make of the figures.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant};

use raft_core::raft::{AppendEntries, Entry, EntryId, LogIndex, Message, Payload, ServerId, Term};
use raftarium_node::peers::{Peers, Secrets, Settings};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long each size is measured.
const TIME: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let (one, two) = (ServerId::FIRST, ServerId::new(2).expect("2 is a server's number"));
    // Whoever may read this file may know this secret.
    let mut secret = tempfile::NamedTempFile::new()?;
    writeln!(secret, "a secret for a measurement")?;
    let secrets = Secrets::read(secret.path())?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let (sender, mut incoming) = mpsc::channel(1024);
    let receiver = Peers::start(Settings::new(two, "measurement", secrets.clone()), listener, sender);
    let (sender, _nothing) = mpsc::channel(1);
    let here = TcpListener::bind("127.0.0.1:0").await?;
    let peers = Peers::start(Settings::new(one, "measurement", secrets), here, sender);
    peers.set_addresses(&BTreeMap::from([(two, address)]));
    peers.wait_until(|peers| peers.report().iter().any(|peer| peer.connected)).await;

    println!("{:>14}  {:>12}  {:>8}  {:>10}", "command, bytes", "messages/s", "MB/s", "processors");
    for command_bytes in [16, 256, 4096, 65_536, 1_048_576] {
        let Measured { messages, bytes, processor } = measure(&peers, two, &mut incoming, command_bytes).await;
        let [messages, bytes, processors] =
            [messages as f64, bytes as f64 / 1e6, processor.as_secs_f64()].map(|count| count / TIME.as_secs_f64());
        println!("{command_bytes:>14}  {messages:>12.0}  {bytes:>8.1}  {processors:>10.2}");
    }
    peers.stop().await;
    receiver.stop().await;
    Ok(())
}

struct Measured {
    /// Messages that arrived.
    messages: u64,
    /// The size of their frames, in bytes.
    bytes: u64,
    /// The processor time of both servers.
    processor: Duration,
}

/// The processor time of this process so far.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("it isn't negative")
}

/// Sends as fast as the queue takes messages of one command, and counts those that arrive and the
/// bytes of their frames.
async fn measure(
    peers: &Peers,
    to: ServerId,
    incoming: &mut mpsc::Receiver<raftarium_node::peers::Incoming>,
    command_bytes: usize,
) -> Measured {
    let entry = Entry { term: Term(1), payload: Payload::Command(vec![7; command_bytes][..].into()) };
    let message = Message::AppendEntries(AppendEntries {
        term: Term(1),
        previous: EntryId::ZERO,
        entries: [entry].into_iter().collect(),
        commit: LogIndex::ZERO,
        round: 0,
        probe: 0,
    });
    let (end, processor_before) = (Instant::now() + TIME, processor_time());
    let sending = tokio::spawn({
        let peers = peers.clone();
        async move {
            let mut sent = 0_u64;
            while Instant::now() < end {
                match peers.send(to, &message) {
                    Some(_) => sent += 1,
                    // The queue is full, and lasts much longer than this.
                    None => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
            sent
        }
    });
    let (mut messages, mut bytes) = (0, 0);
    while let Ok(Some(came)) = tokio::time::timeout_at(end.into(), incoming.recv()).await {
        messages += 1;
        bytes += came.bytes as u64;
    }
    let processor = processor_time() - processor_before;
    // What is still on the way isn't counted, and must not be counted for the next size.
    let sent = sending.await.expect("it doesn't panic");
    for _ in messages..sent {
        incoming.recv().await;
    }
    Measured { messages, bytes, processor }
}
