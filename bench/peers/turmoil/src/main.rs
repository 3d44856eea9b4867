//! raft-rs in turmoil, on the simulators' workload: `raftarium-bench-turmoil SECONDS` prints one
//! line of JSON.
//!
//! Its clock advances in ticks, here of 10 ms; with 1 ms it would be several times slower. It
//! doesn't lose datagrams by itself, so this program drops them.

#[path = "../../node.rs"]
mod node;

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;

use cpu_time::ThreadTime;
use node::{ISOLATE_EVERY_SECONDS, ISOLATED_SECONDS, Node, PROPOSE_MILLIS, SERVERS, TICK_MILLIS};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use tokio::task::spawn_local;
use tokio::time::{Duration, interval, sleep};
use turmoil::net::UdpSocket;

const PORT: u16 = 7_000;
const CLOCK_TICK: Duration = Duration::from_millis(10);

/// The shared state.
struct World {
    nodes: Vec<Node>,
    random: Xoshiro256PlusPlus,
    isolated: u64,
    proposed: u64,
    delivered: u64,
}

type Shared = Rc<RefCell<World>>;

/// Lets a node do something, and sends its messages.
async fn step(world: &Shared, socket: &UdpSocket, id: u64, act: impl FnOnce(&mut World, &mut Vec<(u64, Vec<u8>)>)) {
    let mut packets = Vec::new();
    {
        let mut world = world.borrow_mut();
        act(&mut world, &mut packets);
        let World { random, isolated, .. } = &mut *world;
        let arrives = |to: u64| id != *isolated && to != *isolated && random.random_range(0..100_u32) > 0;
        let mut arrives = arrives;
        packets.retain(|(to, _)| arrives(*to));
    }
    for (to, packet) in packets {
        // A socket that isn't bound yet loses the packet, as a network would.
        let _ = socket.send_to(&packet, (format!("s{to}").as_str(), PORT)).await;
    }
}

async fn server(world: Shared, id: u64) -> turmoil::Result {
    let socket = Rc::new(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?);
    let slot = id as usize - 1;
    let (receiving, its_socket) = (Rc::clone(&world), Rc::clone(&socket));
    spawn_local(async move {
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
    let (proposing, its_socket) = (Rc::clone(&world), Rc::clone(&socket));
    spawn_local(async move {
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

/// Isolates the leader, heals, and so on to the end.
async fn driver(world: Shared, seconds: u64) -> turmoil::Result {
    let mut now = 0;
    while now + ISOLATE_EVERY_SECONDS <= seconds {
        let calm = if now == 0 { ISOLATE_EVERY_SECONDS } else { ISOLATE_EVERY_SECONDS - ISOLATED_SECONDS };
        sleep(Duration::from_secs(calm)).await;
        now += calm;
        if now >= seconds {
            return Ok(());
        }
        {
            let mut world = world.borrow_mut();
            world.isolated = node::leader(&world.nodes, 0).unwrap_or(1);
        }
        sleep(Duration::from_secs(ISOLATED_SECONDS)).await;
        now += ISOLATED_SECONDS;
        world.borrow_mut().isolated = 0;
    }
    sleep(Duration::from_secs(seconds - now)).await;
    Ok(())
}

fn main() {
    let seconds: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("a number of seconds");
    let nodes = (1..=SERVERS).map(Node::new).collect();
    let random = Xoshiro256PlusPlus::seed_from_u64(1);
    let world = Rc::new(RefCell::new(World { nodes, random, isolated: 0, proposed: 0, delivered: 0 }));
    let start = ThreadTime::now();
    let mut simulation = turmoil::Builder::new()
        .simulation_duration(Duration::from_secs(seconds + 10))
        .tick_duration(CLOCK_TICK)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(10))
        .udp_capacity(4_096)
        .rng_seed(1)
        .build();
    for id in 1..=SERVERS {
        let world = Rc::clone(&world);
        simulation.host(format!("s{id}"), move || server(Rc::clone(&world), id));
    }
    simulation.client("driver", driver(Rc::clone(&world), seconds));
    simulation.run().expect("a simulation without errors");
    let cpu_seconds = start.elapsed().as_secs_f64();
    let world = world.borrow();
    let applied = world.nodes.iter().map(|node| node.applied).max().unwrap_or(0);
    let delivered = world.delivered;
    println!(r#"{{"cpu_seconds": {cpu_seconds}, "delivered": {delivered}, "applied": {applied}}}"#);
}
