//! Well-known stories about Raft, each a scenario file in `stories/`. The tests play each file and
//! check that what its note says happens. `raftarium replay raft-core/tests/stories/FILE` tells the
//! story in sentences.

use std::collections::BTreeSet;

use raft_core::check::Property;
use raft_core::check::linearizable::Verdict;
use raft_core::format::{Run, file};
use raft_core::raft::{EntryId, LogIndex, Observation, Raft, Rule, Rules, ServerId, StepDownReason, Term};
use raft_core::sim::{Listening, Machine, News, Simulation, What, check_run, history_of};
use raft_core::time::{Duration, Time};

const PARTIAL_PARTITION: &str = include_str!("stories/partial-partition.json");
const FIGURE_8: &str = include_str!("stories/figure-8.json");
const SPLIT_VOTE: &str = include_str!("stories/split-vote.json");
const DISRUPTIVE_SERVER: &str = include_str!("stories/disruptive-server.json");
const STALE_READ: &str = include_str!("stories/stale-read.json");

fn run(text: &str) -> Run {
    file::read(text).expect("a story is a scenario file").run
}

fn without_pre_vote_and_check_quorum(text: &str) -> Run {
    let mut run = run(text);
    run.scenario.parameters.timing.pre_vote = false;
    run.scenario.parameters.timing.check_quorum = false;
    run
}

fn with_all_rules(text: &str) -> Run {
    let mut run = run(text);
    run.scenario.parameters.rules = Rules::ALL;
    run
}

fn world(run: Run) -> Simulation {
    let mut world = Simulation::new(run.scenario).expect("a story makes a world");
    world.listen(Listening::News);
    world
}

fn server(number: u8) -> ServerId {
    ServerId::new(number).expect("servers are numbered from 1")
}

fn seconds(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

/// The leader of the highest term, and that term.
fn leadership(world: &Simulation) -> Option<(ServerId, Term)> {
    let leads = |raft: &&Raft| raft.is_leader();
    world.machines().iter().filter_map(Machine::raft).filter(leads).map(|r| (r.id(), r.term())).max_by_key(|l| l.1)
}

fn committed(world: &Simulation) -> LogIndex {
    world.machines().iter().filter_map(Machine::raft).map(Raft::commit_index).max().unwrap_or_default()
}

/// The servers that won an election, according to `news`.
fn winners(news: &[News]) -> Vec<ServerId> {
    let winner = |news: &News| match news.what {
        What::Observed(server, Observation::BecameLeader { .. }) => Some(server),
        _ => None,
    };
    news.iter().filter_map(winner).collect()
}

/// Asserts that the checkers have found nothing, and that what clients saw is linearizable.
fn assert_fine(world: &Simulation) {
    assert_eq!(world.violation(), None);
    let verdict = history_of(world.operations()).check();
    assert!(matches!(verdict, Verdict::Linearizable(_)), "{verdict:?}");
    check_run(world.operations()).unwrap_or_else(|contradiction| panic!("{contradiction}"));
}

/// Asserts that something is committed in every second from `from` to `to`.
fn assert_commits_go_on(world: &mut Simulation, from: u64, to: u64) {
    for second in from..to {
        let before = committed(world);
        world.run_until(seconds(second + 1));
        assert!(committed(world) > before, "nothing was committed in the second after {second} s");
    }
}

#[test]
fn partial_partition_leaves_a_leader_with_pre_vote_alone() {
    let mut world = world(run(PARTIAL_PARTITION));
    world.run_until(seconds(2));
    let leadership_before = leadership(&world);
    assert_eq!(leadership_before.map(|l| l.0), Some(server(3)), "the story begins with S3");
    world.take_news();
    assert_commits_go_on(&mut world, 2, 22);
    assert_eq!(leadership(&world), leadership_before);
    assert_eq!(winners(&world.take_news()), []);
    assert_fine(&world);
}

#[test]
fn partial_partition_makes_leadership_flap_without_pre_vote_and_check_quorum() {
    let mut world = world(without_pre_vote_and_check_quorum(PARTIAL_PARTITION));
    world.run_until(seconds(2));
    let (leader, term) = leadership(&world).expect("somebody leads");
    assert_eq!(leader, server(3), "the story begins with S3");
    world.take_news();
    world.run_until(seconds(44));
    let news = world.take_news();
    // Leadership changes hands again and again, still at the end, although a server backs off
    // longer after each lost campaign.
    let winners = winners(&news);
    assert!(winners.len() >= 8, "only {} elections were won", winners.len());
    let late = news.iter().filter(|news| news.at > seconds(42)).cloned().collect::<Vec<_>>();
    assert!(!deposed(&late).is_empty(), "it came to rest");
    let terms = world.machines().iter().filter_map(Machine::raft).map(Raft::term).max().unwrap_or_default();
    assert!(terms.0 >= term.0 + 8, "the term rose from {term} to {terms} only");
    // This is about progress: no property is violated.
    assert_fine(&world);
}

/// Plays Figure 8 and returns the entries that a leader of a later term replicated to a majority
/// while they were uncommitted.
fn older_entries_on_a_majority(world: &mut Simulation, until: Time) -> BTreeSet<EntryId> {
    let mut found = BTreeSet::new();
    while world.step_until(until) {
        let rafts: Vec<&Raft> = world.machines().iter().filter_map(Machine::raft).collect();
        let Some(leader) = rafts.iter().filter(|raft| raft.is_leader()).max_by_key(|raft| raft.term()) else {
            continue;
        };
        let committed = rafts.iter().map(|raft| raft.commit_index()).max().unwrap_or_default();
        for index in committed.0 + 1..=leader.log().last().index.0 {
            let Some(id) = leader.log().id_at(LogIndex(index)) else { continue };
            let holds = |raft: &&&Raft| raft.log().contains(id) && raft.durable_index() >= id.index;
            if id.term < leader.term() && rafts.iter().filter(holds).count() > rafts.len() / 2 {
                found.insert(id);
            }
        }
    }
    found
}

#[test]
fn figure_8_overwrites_what_only_looked_committed() {
    let run = with_all_rules(FIGURE_8);
    let until = run.until;
    let mut world = world(run);
    let looked_committed = older_entries_on_a_majority(&mut world, until);
    assert_fine(&world);
    let logs = || world.machines().iter().filter_map(Machine::raft).map(Raft::log);
    let is_overwritten = |id: &&EntryId| logs().all(|log| log.term_at(id.index).is_some_and(|term| term != id.term));
    let overwritten = looked_committed.iter().filter(is_overwritten).count();
    assert!(overwritten > 0, "of {looked_committed:?} every entry is still there");
    assert!(committed(&world) > looked_committed.last().expect("there is one").index, "nothing was committed since");
}

#[test]
#[cfg_attr(not(feature = "switchable-rules"), ignore = "no rule can be switched off in this build")]
fn figure_8_is_a_violation_without_the_rule() {
    let run = run(FIGURE_8);
    assert_eq!(run.scenario.parameters.rules.switched_off().collect::<Vec<_>>(), [Rule::CommitOnlyOwnTerm]);
    let until = run.until;
    let mut world = world(run);
    world.run_until(until);
    assert_eq!(world.violation().expect("a committed entry is lost").property, Property::LeaderCompleteness);
}

#[test]
fn split_vote_is_resolved_by_new_timeouts() {
    let mut world = world(run(SPLIT_VOTE));
    world.run_until(seconds(5));
    let news = world.take_news();
    let campaigned_in_term_1 = |news: &&News| match news.what {
        What::Observed(_, Observation::Campaigned { term, pre_vote, .. }) => term == Term(1) && !pre_vote,
        _ => false,
    };
    let votes_in_term_1 = |news: &News| match news.what {
        What::Observed(_, Observation::VoteGranted { candidate, term: Term(1), .. }) => Some(candidate),
        _ => None,
    };
    assert_eq!(news.iter().filter(campaigned_in_term_1).count(), 2);
    let mut votes: Vec<_> = news.iter().filter_map(votes_in_term_1).collect();
    votes.sort();
    assert_eq!(votes, [server(1), server(2)], "beside its own, each has one vote");
    let won = news.iter().find_map(|news| match news.what {
        What::Observed(_, Observation::BecameLeader { term, .. }) => Some((news.at, term)),
        _ => None,
    });
    let (at, term) = won.expect("somebody wins in the end");
    assert!(term > Term(1), "term 1 had a leader");
    assert!(at < seconds(2), "it took until {at}");
    assert!(committed(&world) > LogIndex(5), "commits go on");
    assert_fine(&world);
}

/// The servers that stepped down because of a higher term, and the senders of that term.
fn deposed(news: &[News]) -> Vec<(ServerId, ServerId)> {
    let deposed = |news: &News| match news.what {
        What::Observed(server, Observation::BecameFollower { why: StepDownReason::HigherTerm { by }, .. }) => {
            Some((server, by))
        }
        _ => None,
    };
    news.iter().filter_map(deposed).collect()
}

#[test]
fn disruptive_server_comes_back_unnoticed_with_pre_vote() {
    let mut world = world(run(DISRUPTIVE_SERVER));
    world.run_until(seconds(2));
    let leadership_before = leadership(&world);
    assert_eq!(leadership_before.map(|l| l.0), Some(server(1)), "the story begins with S1");
    assert_commits_go_on(&mut world, 2, 8);
    assert_eq!(leadership(&world), leadership_before);
    let terms: Vec<_> = world.machines().iter().filter_map(Machine::raft).map(Raft::term).collect();
    assert_eq!(Some(terms), leadership_before.map(|l| vec![l.1; 3]));
    assert_fine(&world);
}

#[test]
fn disruptive_server_deposes_the_leader_without_pre_vote_and_check_quorum() {
    let mut world = world(without_pre_vote_and_check_quorum(DISRUPTIVE_SERVER));
    world.run_until(seconds(4));
    let (leader, term) = leadership(&world).expect("somebody leads");
    assert_eq!(leader, server(1), "the story begins with S1");
    let disruptive = world.machine(server(3)).and_then(Machine::raft).expect("S3 runs");
    assert!(disruptive.term().0 >= term.0 + 4, "S3 is in term {} only", disruptive.term());
    assert!(disruptive.log().last() < world.machine(server(1)).and_then(Machine::raft).unwrap().log().last());
    world.take_news();
    world.run_until(seconds(8));
    let news = world.take_news();
    assert_eq!(deposed(&news).first(), Some(&(server(1), server(3))));
    let winners = winners(&news);
    assert!(!winners.is_empty() && winners[0] != server(3), "S3 lacks entries, but {winners:?} won");
    assert_fine(&world);
}

#[test]
fn stale_read_is_not_answered_by_a_deposed_leader() {
    let run = with_all_rules(STALE_READ);
    let until = run.until;
    let mut world = world(run);
    world.run_until(until);
    let leaders = world.machines().iter().filter_map(Machine::raft).filter(|raft| raft.is_leader()).count();
    assert_eq!(leaders, 1, "the old leader knows by now");
    assert_eq!(winners(&world.take_news()).len(), 2, "the old leader and its successor");
    assert_fine(&world);
}

#[test]
#[cfg_attr(not(feature = "switchable-rules"), ignore = "no rule can be switched off in this build")]
fn stale_read_is_a_violation_without_the_rule() {
    let run = run(STALE_READ);
    assert_eq!(run.scenario.parameters.rules.switched_off().collect::<Vec<_>>(), [Rule::ConfirmBeforeReading]);
    let until = run.until;
    let mut world = world(run);
    world.run_until(until);
    let violation = world.violation().cloned().expect("a read is stale");
    assert_eq!(violation.property, Property::FreshReads);
    // Another server has won since the leader was cut off, but the deposed leader still answers.
    assert_eq!(winners(&world.take_news()).len(), 2);
    assert!(violation.at + Duration::from_secs(1) < until, "{violation:?}");
}
