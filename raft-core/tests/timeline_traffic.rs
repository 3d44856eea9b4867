//! The traffic of a stretch of a run: every message with its fate, and every server's state.

use std::collections::BTreeMap;

use raft_core::raft::ServerId;
use raft_core::sim::timeline::{Fate, PASSAGES_MAX, Traffic};
use raft_core::sim::{Action, Endpoint, Loss, LossReason, Profile, Scenario, Simulation, Target, Timeline, hunt};
use raft_core::time::{Duration, Time};

fn stormy(seed: u64) -> Scenario {
    hunt(seed, None, Duration::from_secs(10), Profile::Full, raft_core::raft::Rules::ALL)
}

fn seconds(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

fn server(number: u8) -> ServerId {
    ServerId::new(number).expect("a test names servers from 1")
}

/// Message number, fate.
fn passages(traffic: &Traffic) -> Vec<(u64, Fate)> {
    traffic.passages.iter().map(|passage| (passage.flight.number, passage.fate)).collect()
}

#[test]
fn a_stretch_has_every_message_that_was_sent_in_it() {
    for seed in 0..4 {
        let scenario = stormy(seed);
        let mut world = Simulation::new(scenario.clone()).unwrap();
        let mut seen = BTreeMap::new();
        while world.step_until(seconds(6)) {
            seen.extend(world.network().flights().map(|flight| (flight.number, flight.sent)));
        }
        let mut run = Timeline::new(scenario).unwrap();
        run.play_until(seconds(6));
        let traffic = run.traffic(seconds(4), seconds(6));
        let numbers: Vec<u64> = traffic.passages.iter().map(|passage| passage.flight.number).collect();
        assert!(numbers.is_sorted(), "seed {seed}");
        let sent_within = seen.iter().filter(|(_, sent)| **sent > seconds(4)).map(|(number, _)| *number);
        let found = traffic.passages.iter().filter(|p| p.flight.sent > seconds(4)).map(|p| p.flight.number);
        assert!(sent_within.eq(found), "seed {seed}");
        let (from, to) = (traffic.from, traffic.to);
        assert_eq!((from, to), (seconds(4), seconds(6)));
        for passage in &traffic.passages {
            match passage.fate {
                Fate::Arrived(at) => assert!(passage.flight.sent <= at && at <= to),
                Fate::Lost(Loss { at, .. }) => assert!(passage.flight.sent <= at && at <= to),
                Fate::UnderWay => assert!(passage.flight.held.is_some() || passage.flight.arrives >= to),
            }
        }
    }
}

#[test]
fn looking_on_finds_what_looking_anew_finds() {
    for seed in 0..4 {
        let mut run = Timeline::new(stormy(seed)).unwrap();
        for tenth in 10..60 {
            let now = Time::from_millis(tenth * 100);
            let from = Time::from_millis(tenth * 100 - 500);
            run.play_until(now);
            let on = run.traffic(from, now).clone();
            let mut anew = run.clone();
            anew.traffic(Time::ZERO, Time::ZERO);
            let anew = anew.traffic(from, now);
            let within = |traffic: &Traffic| -> Vec<(u64, Fate)> {
                let over = |fate| matches!(fate, Fate::Arrived(at) | Fate::Lost(Loss { at, .. }) if at <= from);
                passages(traffic).into_iter().filter(|(_, fate)| !over(*fate)).collect()
            };
            assert_eq!(within(&on), within(anew), "seed {seed}, {now}");
            let news = |traffic: &Traffic| -> Vec<u64> {
                traffic.news.iter().filter(|told| told.news.at > from).map(|told| told.number).collect()
            };
            assert_eq!(news(&on), news(anew));
            let stood = |traffic: &Traffic| -> Vec<_> {
                traffic.states.iter().filter(|state| state.at > from).copied().collect()
            };
            assert_eq!(stood(&on), stood(anew));
        }
    }
}

#[test]
fn what_became_of_a_message() {
    let mut run = Timeline::new(Scenario::new(1, 3)).unwrap();
    run.play_until(seconds(2));
    let leader = run.world().leader().unwrap();
    let [near, far] = [1, 2, 3].map(server).into_iter().filter(|s| *s != leader).collect::<Vec<_>>()[..] else {
        panic!("three servers");
    };
    run.act(Action::Crash(Target::Server(near))).unwrap();
    run.act(Action::Cut { from: leader, to: far }).unwrap();
    run.play_until(Time::from_millis(2_130));
    let traffic = run.traffic(seconds(2), Time::from_millis(2_130));
    let to = |traffic: &Traffic, receiver: ServerId| -> Vec<Fate> {
        let mine = traffic.passages.iter().filter(|passage| {
            passage.flight.from == Endpoint::Server(leader) && passage.flight.to == Endpoint::Server(receiver)
        });
        mine.map(|passage| passage.fate).filter(|fate| *fate != Fate::UnderWay).collect()
    };
    assert!(!to(traffic, near).is_empty() && !to(traffic, far).is_empty());
    let lost =
        |fates: Vec<Fate>, why| fates.into_iter().all(|fate| matches!(fate, Fate::Lost(loss) if loss.why == why));
    assert!(lost(to(traffic, near), LossReason::ReceiverDown));
    assert!(lost(to(traffic, far), LossReason::Cut));
    let down = traffic.states.iter().find(|state| state.server == near && !state.up).unwrap();
    assert_eq!((down.at, down.role), (seconds(2), ""));

    // Dropped by hand while it was held: it never arrives, and it was lost when it was dropped.
    let on_its_way = |run: &Timeline| {
        let mut flights = run.world().network().flights();
        flights.find(|flight| flight.lost.is_none() && flight.to != Endpoint::Server(near)).map(|flight| flight.number)
    };
    let held = loop {
        match on_its_way(&run) {
            Some(number) => break number,
            None => assert!(run.step()),
        }
    };
    run.act(Action::HoldMessage(held)).unwrap();
    run.act(Action::DropMessage(held)).unwrap();
    let now = run.world().now();
    let traffic = run.traffic(seconds(2), now);
    assert!(passages(traffic).contains(&(held, Fate::Lost(Loss { at: now, why: LossReason::Dropped }))));
    assert!(traffic.passages.len() < PASSAGES_MAX);
}

#[test]
fn another_branch_and_a_new_intervention_are_looked_at_anew() {
    let mut run = Timeline::new(Scenario::new(1, 3)).unwrap();
    run.play_until(seconds(3));
    let before = passages(run.traffic(seconds(1), seconds(3)));
    run.seek(seconds(2));
    run.act(Action::Crash(Target::Leader)).unwrap();
    run.play_until(seconds(3));
    let after = passages(run.traffic(seconds(1), seconds(3)));
    assert_ne!(before, after);
    let first = run.branches()[0].id();
    run.switch(first).unwrap();
    assert_eq!(passages(run.traffic(seconds(1), seconds(3))), before);
}

#[test]
fn however_long_the_stretch_its_messages_are_bounded() {
    let mut run = Timeline::new(Scenario::new(1, 9)).unwrap();
    run.play_until(seconds(60));
    let traffic = run.traffic(Time::ZERO, seconds(60));
    assert!(traffic.passages.len() <= PASSAGES_MAX);
    assert!(traffic.from > Time::ZERO && traffic.to == seconds(60));
    let from = traffic.from;
    assert!(traffic.passages.iter().all(|passage| match passage.fate {
        Fate::Arrived(at) | Fate::Lost(Loss { at, .. }) => at >= from,
        Fate::UnderWay => true,
    }));
}

#[test]
fn a_piece_of_news_leads_to_the_event_that_brought_it() {
    let mut run = Timeline::new(stormy(3)).unwrap();
    run.play_until(seconds(8));
    let end = run.position();
    let story = run.story(0, 4_000);
    for told in story.iter().step_by(97) {
        let position = run.seek_news(told.number);
        assert_eq!(position.time, told.news.at);
        assert!(run.told() >= told.number);
        assert!(run.step_back());
        assert!(run.told() < told.number, "no earlier event brought it");
    }
    assert_eq!(run.seek_news(u64::MAX).event, end.event, "no further than what is known");
}
