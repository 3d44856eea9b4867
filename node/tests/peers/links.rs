//! Links that somebody plays with.

use raftarium_node::peers::LinkFault;
use std::time::Instant;

use super::*;

const CUT: LinkFault = LinkFault { cut: true, delay: Duration::ZERO, loss_ppm: 0 };
const LOSSY: LinkFault = LinkFault { cut: false, delay: Duration::ZERO, loss_ppm: 1_000_000 };

fn slow(millis: u64) -> LinkFault {
    LinkFault { delay: Duration::from_millis(millis), ..LinkFault::default() }
}

#[tokio::test]
async fn a_cut_link_lets_nothing_through_until_it_is_healed() {
    let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
    one.knows(&[&two]);
    gets_through(&one, &mut two, 1).await;
    one.peers.set_link(server(2), CUT);
    assert_eq!(one.peers.send(server(2), &numbered(2)), None);
    one.peers.set_link(server(2), LinkFault::default());
    one.peers.send(server(2), &numbered(3)).unwrap();
    assert_eq!(two.next().await.message, numbered(3));

    two.peers.set_link_in(server(1), CUT);
    one.peers.send(server(2), &numbered(4)).unwrap();
    one.peers.send(server(2), &numbered(5)).unwrap();
    // Both have come when the connection ends; nothing says so earlier.
    one.peers.stop().await;
    two.ends("closed", 1).await;
    two.nothing_came();
    assert_eq!(two.report(1).dropped_in, 2);
    assert_eq!(one.report(2).reconnects, 0, "a cut link isn't a lost connection");
}

#[tokio::test]
async fn a_slow_link_delays_each_message_and_keeps_the_order() {
    for inwards in [false, true] {
        let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
        one.knows(&[&two]);
        one.connected_to(2).await;
        let set = |fault| {
            if inwards { two.peers.set_link_in(server(1), fault) } else { one.peers.set_link(server(2), fault) }
        };
        set(slow(150));
        let begin = Instant::now();
        for number in 0..100 {
            one.peers.send(server(2), &numbered(number)).unwrap();
        }
        assert_eq!(two.next().await.message, numbered(0));
        assert!(begin.elapsed() >= Duration::from_millis(150));
        for number in 1..100 {
            assert_eq!(two.next().await.message, numbered(number));
        }
        // A hundred delays one after the other would have taken 15 s.
        assert!(begin.elapsed() < Duration::from_secs(5), "messages are on their way together");

        // What is sent on the healed link doesn't overtake what is still on its way.
        one.peers.send(server(2), &numbered(200)).unwrap();
        if inwards {
            within(async {
                while two.report(1).messages_in < 101 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
            two.peers.set_link_in(server(1), LinkFault::default());
        } else {
            one.peers.set_link(server(2), LinkFault::default());
        }
        one.peers.send(server(2), &numbered(201)).unwrap();
        assert_eq!(two.next().await.message, numbered(200));
        assert_eq!(two.next().await.message, numbered(201));
    }
}

#[tokio::test]
async fn a_lossy_link_loses_messages_that_were_sent() {
    let (one, mut two) = (Server::usual(1).await, Server::usual(2).await);
    one.knows(&[&two]);
    one.connected_to(2).await;
    one.peers.set_link(server(2), LOSSY);
    assert!(one.peers.send(server(2), &numbered(1)).is_some(), "its sender doesn't learn of it");
    one.peers.set_link(server(2), LinkFault { loss_ppm: 500_000, ..LOSSY });
    for number in 0..1000 {
        one.peers.send(server(2), &numbered(number)).unwrap();
    }
    one.peers.set_link(server(2), LinkFault::default());
    one.peers.send(server(2), &numbered(5000)).unwrap();
    let mut came = 0;
    while two.next().await.message != numbered(5000) {
        came += 1;
    }
    // Twenty standard deviations on each side.
    assert!((190..810).contains(&came), "{came} of 1000");
    assert_eq!(one.report(2).dropped_out, 1001 - came);
}

#[tokio::test]
async fn a_slow_link_out_keeps_its_connection_alive() {
    let of = |number| Settings {
        keep_alive_interval: Duration::from_millis(10),
        silence_max: Duration::from_millis(1000),
        ..settings(number, &[SECRET])
    };
    let (one, mut two) = (Server::start(of(1)).await, Server::start(of(2)).await);
    one.knows(&[&two]);
    one.connected_to(2).await;
    one.peers.set_link(server(2), slow(1500));
    // New messages wake the writer all the time, and none of them may be sent yet.
    let first = one.peers.send(server(2), &numbered(0)).unwrap();
    let came = loop {
        one.peers.send(server(2), &numbered(1)).unwrap();
        tokio::select! {
            came = two.incoming.recv() => break came.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    };
    assert_eq!(came.number, first);
    assert_eq!(one.report(2).reconnects, 0);
}
