//! raft-rs in madsim, on the simulators' workload: `raftarium-bench-madsim SECONDS` prints one line
//! of JSON.

#[path = "../../node.rs"]
mod node;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cpu_time::ThreadTime;
use madsim::net::UdpSocket;
use madsim::runtime::{Handle, Runtime};
use madsim::task::spawn;
use madsim::time::{Duration, interval, sleep};
use madsim::{Config, net};
use node::{ISOLATE_EVERY_SECONDS, ISOLATED_SECONDS, Node, PROPOSE_MILLIS, SERVERS, TICK_MILLIS};

/// The shared state. There is only one thread, but madsim's tasks must be `Send`.
struct World {
    nodes: Vec<Node>,
    isolated: u64,
    proposed: u64,
    delivered: u64,
}

type Shared = Arc<Mutex<World>>;

fn address(id: u64) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, id as u8], 7_000))
}

/// Lets a node do something, and sends its messages.
async fn step(world: &Shared, socket: &UdpSocket, id: u64, act: impl FnOnce(&mut World, &mut Vec<(u64, Vec<u8>)>)) {
    let mut packets = Vec::new();
    {
        let mut world = world.lock().expect("a world that is whole");
        act(&mut world, &mut packets);
        let isolated = world.isolated;
        packets.retain(|(to, _)| id != isolated && *to != isolated);
    }
    for (to, packet) in packets {
        // A socket that isn't bound yet loses the packet, as a network would.
        let _ = socket.send_to(address(to), &packet).await;
    }
}

async fn server(world: Shared, id: u64) {
    let socket = Arc::new(UdpSocket::bind(address(id)).await.expect("an address of its own"));
    let slot = id as usize - 1;
    let (receiving, its_socket) = (Arc::clone(&world), Arc::clone(&socket));
    spawn(async move {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let (length, _) = its_socket.recv_from(&mut buffer).await.expect("a socket that works");
            step(&receiving, &its_socket, id, |world, packets| {
                if world.isolated != id {
                    world.delivered += 1;
                    let message = node::decode(&buffer[..length]);
                    world.nodes[slot].receive(message, |m| packets.push((m.to, node::encode(&m))));
                }
            })
            .await;
        }
    });
    let (proposing, its_socket) = (Arc::clone(&world), Arc::clone(&socket));
    spawn(async move {
        let mut turns = interval(Duration::from_millis(PROPOSE_MILLIS));
        loop {
            turns.tick().await;
            step(&proposing, &its_socket, id, |world, packets| {
                if node::leader(&world.nodes, world.isolated) == Some(id) {
                    world.proposed += 1;
                    let number = world.proposed;
                    world.nodes[slot].propose(number, |m| packets.push((m.to, node::encode(&m))));
                }
            })
            .await;
        }
    });
    let mut turns = interval(Duration::from_millis(TICK_MILLIS));
    loop {
        turns.tick().await;
        step(&world, &socket, id, |world, packets| {
            world.nodes[slot].tick(|m| packets.push((m.to, node::encode(&m))));
        })
        .await;
    }
}

fn main() {
    let seconds: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("a number of seconds");
    let mut config = Config::default();
    config.net = net::Config {
        packet_loss_rate: 0.01,
        send_latency: Duration::from_millis(1)..Duration::from_millis(10),
        ..net::Config::default()
    };
    let nodes = (1..=SERVERS).map(Node::new).collect();
    let world = Arc::new(Mutex::new(World { nodes, isolated: 0, proposed: 0, delivered: 0 }));
    let start = ThreadTime::now();
    let shared = Arc::clone(&world);
    Runtime::with_seed_and_config(1, config).block_on(async move {
        for id in 1..=SERVERS {
            let host = Handle::current().create_node().name(format!("S{id}")).ip(address(id).ip()).build();
            host.spawn(server(Arc::clone(&shared), id));
        }
        let mut now = 0;
        while now + ISOLATE_EVERY_SECONDS <= seconds {
            let calm = if now == 0 { ISOLATE_EVERY_SECONDS } else { ISOLATE_EVERY_SECONDS - ISOLATED_SECONDS };
            sleep(Duration::from_secs(calm)).await;
            now += calm;
            if now >= seconds {
                return;
            }
            {
                let mut world = shared.lock().expect("a world that is whole");
                world.isolated = node::leader(&world.nodes, 0).unwrap_or(1);
            }
            sleep(Duration::from_secs(ISOLATED_SECONDS)).await;
            now += ISOLATED_SECONDS;
            shared.lock().expect("a world that is whole").isolated = 0;
        }
        sleep(Duration::from_secs(seconds - now)).await;
    });
    let cpu_seconds = start.elapsed().as_secs_f64();
    let world = world.lock().expect("a world that is whole");
    let applied = world.nodes.iter().map(|node| node.applied).max().unwrap_or(0);
    let delivered = world.delivered;
    println!(r#"{{"cpu_seconds": {cpu_seconds}, "delivered": {delivered}, "applied": {applied}}}"#);
}
