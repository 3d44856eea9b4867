//! What a world tells: all that becomes of its messages and of what its clients ask for, in the
//! order in which it happens, and nothing twice.

#[path = "support/kept.rs"]
mod kept;

use std::collections::{BTreeMap, BTreeSet};

use kept::kept_as_made;
use raft_core::raft::{Rules, ServerId};
use raft_core::sim::{
    Action, Flight, Listening, LossReason, MessageEvent, MomentKind, News, Profile, Scenario, Simulation, What, hunt,
};
use raft_core::time::{Duration, Time};

/// All that is told of a storm's first seconds.
fn told(seed: u64) -> (Simulation, Vec<News>) {
    let scenario = hunt(seed, None, Duration::from_secs(20), Profile::Full, Rules::ALL);
    let mut world = Simulation::new(scenario).expect("a storm makes a world");
    world.listen(Listening::Messages);
    world.run_until(Time::from_secs(12));
    let news = world.take_news();
    (world, news)
}

fn messages(news: &[News]) -> impl Iterator<Item = (Time, &MessageEvent)> {
    news.iter().filter_map(|news| match &news.what {
        What::Message(event) => Some((news.at, event)),
        _ => None,
    })
}

#[test]
fn every_message_is_sent_once_and_then_arrives_or_is_lost_or_is_still_on_its_way() {
    let mut reasons = BTreeSet::new();
    let mut copies = 0;
    for seed in 0..8 {
        let (world, news) = told(seed);
        let mut sent: BTreeMap<u64, &Flight> = BTreeMap::new();
        let mut ended = BTreeSet::new();
        for (at, event) in messages(&news) {
            let number = event.message();
            match event {
                MessageEvent::Sent(flight) => {
                    assert_eq!(number, sent.len() as u64 + 1, "messages are numbered in the order of their being sent");
                    assert_eq!((flight.sent, flight.held), (at, None));
                    sent.insert(number, flight);
                }
                MessageEvent::Arrived(_) => {
                    assert!(sent[&number].sent <= at, "seed {seed}: {number} arrives before it was sent");
                    assert!(ended.insert(number), "seed {seed}: {number} had ended");
                }
                MessageEvent::Lost(_, loss) => {
                    assert!(sent[&number].sent <= loss.at && (loss.at >= at || loss.why == LossReason::Chance));
                    assert!(ended.insert(number), "seed {seed}: {number} had ended");
                    reasons.insert(format!("{:?}", loss.why));
                }
                MessageEvent::Duplicated { message, copy, by_hand } => {
                    assert!(!by_hand && copy < message, "a copy leaves first");
                    assert_eq!(sent[copy].body, sent[message].body);
                    copies += 1;
                }
                MessageEvent::Held(_) | MessageEvent::Released(_) => panic!("nobody touches a storm's messages"),
            }
        }
        assert_eq!(sent.len() as u64, world.network().sent());
        let certain = |flight: &Flight| flight.lost.is_some() == ended.contains(&flight.number);
        assert!(world.network().flights().all(certain), "seed {seed}: what is on its way has not arrived");
        let under_way: BTreeSet<u64> = world.network().flights().map(|flight| flight.number).collect();
        assert!(sent.keys().all(|number| ended.contains(number) || under_way.contains(number)), "seed {seed}");
    }
    assert!(copies > 10, "{copies} copies");
    assert_eq!(reasons.into_iter().collect::<Vec<_>>(), ["Chance", "Cut", "ReceiverDown"]);
}

#[test]
fn what_clients_ask_for_begins_and_ends_under_its_number() {
    for seed in 0..4 {
        let (world, news) = told(seed);
        let (mut began, mut ended) = (BTreeMap::new(), BTreeMap::new());
        for news in &news {
            match &news.what {
                What::Began(operation) => {
                    assert_eq!((operation.began, &operation.end), (news.at, &None));
                    let asked = (operation.client, operation.request.clone());
                    assert_eq!(began.insert(operation.number, asked), None);
                }
                What::Ended(operation) => {
                    assert_eq!(began[&operation.number], (operation.client, operation.request.clone()));
                    let (at, end) = operation.end.clone().expect("it has ended");
                    assert_eq!(at, news.at);
                    assert_eq!(ended.insert(operation.number, (at, end)), None);
                }
                _ => {}
            }
        }
        assert!(ended.len() > 10, "seed {seed}");
        assert_eq!(began.len() as u64, world.operations_begun());
        for record in world.operations() {
            assert_eq!(began[&record.number], (record.client, record.request.clone()), "seed {seed}");
            assert_eq!(ended.get(&record.number), record.end.as_ref(), "seed {seed}");
        }
    }
}

#[test]
fn what_a_person_does_to_a_message_is_told_to_everybody() {
    let mut world = Simulation::new(Scenario::new(1, 3)).expect("three servers make a world");
    world.run_until(Time::from_secs(2));
    world.listen(Listening::News);
    let number = loop {
        assert!(world.step());
        if let Some(flight) = world.network().flights().find(|flight| flight.lost.is_none()) {
            break flight.number;
        }
    };
    world.take_news();
    let mut act = |action| {
        world.act(action).expect("it makes sense");
        let mut news = world.take_news();
        news.retain(|news| matches!(news.what, What::Message(_)));
        let [news] = &news[..] else { panic!("one piece of news, not {news:?}") };
        assert!(!news.is_of_traffic());
        (news.kind(), news.sentence().text)
    };
    let said = |kind, text: &str| (kind, format!("Message {number} {text}."));
    assert_eq!(act(Action::HoldMessage(number)), said("message-held", "is held where it is"));
    assert_eq!(act(Action::DuplicateMessage(number)), said("message-duplicated", "is sent once more"));
    assert_eq!(act(Action::DropMessage(number)), said("message-lost", "is lost"));
    world.act(Action::DropMessage(number)).expect("it makes sense");
    assert!(world.take_news().iter().all(|news| !matches!(news.what, What::Message(_))), "it is gone");
}

#[test]
fn kinds_of_moments_and_those_whom_news_are_about_come_from_the_table() {
    let server = ServerId::new(2).expect("a server");
    let news = |what| News { at: Time::ZERO, what };
    assert_eq!(news(What::Paused(server)).server(), Some(server));
    assert_eq!(news(What::Cut(server, server)).server(), None, "a link is about two");
    assert_eq!(news(What::AllHealed).server(), None);
    assert_eq!(MomentKind::WriteBegan.name(), "write-began");
}

/// The values in a sentence, so that sentences of one form are found to be so: servers, numbers,
/// lengths, entries, quoted texts.
fn form(sentence: &str) -> String {
    let mut form = String::new();
    let mut rest = sentence.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '0'..='9' => {
                while rest.peek().is_some_and(|next| next.is_ascii_digit() || "@.".contains(*next)) {
                    rest.next();
                }
                form.push('0');
            }
            _ => form.push(letter),
        }
    }
    while form.contains("S0, S0") {
        form = form.replace("S0, S0", "S0");
    }
    form
}

/// What a client that gave up is told, whatever it asked for, with the first of the reasons only:
/// they come in any combination.
fn shortened(sentence: &str) -> String {
    let Some((_, told)) = sentence.split_once(" gave up on ") else { return sentence.to_owned() };
    let (_, told) = told.split_once(':').expect("a request and what is told");
    let Some((before, reasons)) = told.split_once('(') else { return told.to_owned() };
    let (reasons, after) = reasons.split_once(')').expect("both brackets");
    let (reasons, verdict) = reasons.rsplit_once(':').unwrap_or((reasons, ""));
    let first = reasons.split(',').next().expect("a reason");
    format!("{before}{first}{verdict}{after}")
}

/// Everything that hunted runs say, one sentence of each form, with the values that it had. Whoever
/// changes the words reads here what becomes of them.
#[test]
fn every_sentence_is_in_the_list() {
    let mut sentences: BTreeMap<(&str, String), String> = BTreeMap::new();
    for seed in 0..150 {
        let scenario = hunt(seed, None, Duration::from_secs(30), Profile::Full, Rules::ALL);
        let mut world = Simulation::new(scenario).expect("a storm makes a world");
        world.listen(Listening::News);
        world.run_until(Time::from_secs(40));
        for news in world.take_news() {
            let sentence = news.sentence().text;
            // Whatever the client asked for.
            let known = match &news.what {
                What::Began(record) | What::Ended(record) => {
                    let request = record.request.to_string();
                    let kind = request.split(' ').next().expect("a request is some words");
                    form(&shortened(&sentence.replace(&request, kind)))
                }
                _ => form(&sentence),
            };
            sentences.entry((news.kind(), known)).or_insert(sentence);
        }
    }
    let mut list = String::from(
        "# What a run says\n\n\
         One sentence of each form that 150 hunted runs say, by the kind of what happened. Made by \
         `UPDATE_DOCS=1 cargo test -p raftarium-core --test told`; don’t edit it by hand.\n",
    );
    let mut last = "";
    for ((kind, _), sentence) in &sentences {
        if *kind != last {
            list += &format!("\n**{kind}**\n");
            last = kind;
        }
        list += &format!("* {sentence}\n");
    }
    for sentence in sentences.values() {
        let apostrophe = sentence.as_bytes().windows(3).any(|w| w[1] == b'\'' && w[0].is_ascii_lowercase());
        assert!(!apostrophe, "another apostrophe than elsewhere: {sentence}");
        assert!(
            !sentence.contains("@0") && !sentence.contains("nobody have") && !sentence.contains(".."),
            "{sentence}"
        );
        assert!(sentence.ends_with('.') && sentence.starts_with(|first: char| first.is_uppercase()), "{sentence}");
    }
    kept_as_made("docs/sentences.md", |_| list.clone());
}
