//! Time travel: every seek leads to the same state as straight play, and nothing is lost.

use std::collections::BTreeSet;

use raft_core::raft::{Rules, ServerId};
use raft_core::sim::timeline::{Acted, BranchId, Moment, MomentKind, Position, STORY_MAX, Told};
use raft_core::sim::{Action, Listening, News, Profile, Scenario, Simulation, Target, Timeline, hunt};
use raft_core::time::{Duration, Time};

/// A busy cluster in a storm of every kind of fault, for thirty seconds.
fn stormy(seed: u64) -> Scenario {
    hunt(seed, None, Duration::from_secs(30), Profile::Full, Rules::ALL)
}

fn seconds(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

/// Everything that tells two states apart.
fn state(world: &Simulation) -> (u64, u64, Time) {
    (world.trace_hash(), world.events(), world.now())
}

fn played_to(scenario: &Scenario, time: Time) -> Simulation {
    let mut world = Simulation::new(scenario.clone()).expect("a test's scenario can be played");
    world.run_until(time);
    world
}

/// Scattered numbers, the same in every run of the tests.
fn scattered(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    })
}

fn moments(run: &Timeline) -> Vec<Moment> {
    run.playing().moments().copied().collect()
}

fn crash(number: u8) -> Action {
    Action::Crash(Target::Server(ServerId::new(number).expect("a test names servers from 1")))
}

#[test]
fn seeking_anywhere_comes_to_what_straight_play_comes_to() {
    for seed in 0..4 {
        let scenario = stormy(seed);
        let mut run = Timeline::new(scenario.clone()).unwrap();
        for target in scattered(seed).take(60) {
            let time = Time::from_micros(target % 30_000_000);
            let position = run.seek(time);
            let straight = played_to(&scenario, time);
            assert_eq!(state(run.world()), state(&straight), "seed {seed}, {time}");
            assert_eq!(position, Position { event: straight.events(), time });
            assert_eq!(run.world().scenario(), straight.scenario());
        }
        assert_eq!(run.branches().len(), 1, "to look is not to act");
    }
}

#[test]
fn seeking_an_event_stops_right_after_it() {
    let scenario = stormy(1);
    let mut run = Timeline::new(scenario.clone()).unwrap();
    run.play_until(seconds(20));
    let end = run.position().event;
    let mut world = Simulation::new(scenario).unwrap();
    let mut states = vec![state(&world)];
    while world.events() < end {
        world.step();
        states.push(state(&world));
    }
    for target in scattered(5).take(300) {
        let event = target % (end + 1);
        run.seek_event(event);
        assert_eq!(state(run.world()), states[event as usize]);
    }
    // A clock that stands between two events goes back to the one before.
    run.play_until(seconds(20));
    run.seek_event(end);
    assert_eq!(state(run.world()), states[end as usize]);
}

#[test]
fn a_step_back_undoes_a_step() {
    let mut run = Timeline::new(stormy(2)).unwrap();
    assert!(!run.step_back(), "there is nothing before the beginning");
    run.play_until(seconds(10));
    run.step();
    let mut states = Vec::new();
    for _ in 0..3_000 {
        states.push(state(run.world()));
        assert!(run.step());
    }
    let far = state(run.world());
    for expected in states.iter().rev() {
        assert!(run.step_back());
        assert_eq!(state(run.world()), *expected);
    }
    for _ in 0..3_000 {
        run.step();
    }
    assert_eq!(state(run.world()), far);
    run.seek_event(1);
    assert!(run.step_back() && !run.step_back());
    assert_eq!(run.position(), Position::default());
    assert_eq!(run.branches().len(), 1);
}

#[test]
fn beyond_the_end_it_plays_on_and_what_is_known_stays_known() {
    let mut run = Timeline::new(stormy(3)).unwrap();
    assert!(run.is_at_end());
    run.seek(seconds(3));
    let end = run.playing().end();
    assert_eq!(end, run.position());
    run.seek(seconds(1));
    assert_eq!(run.play_until(Time::ZERO), 0, "a time in the past is no time to play to");
    assert_eq!((run.position().time, run.playing().end(), run.is_at_end()), (seconds(1), end, false));
    run.seek(seconds(4));
    assert_eq!((run.playing().end(), run.is_at_end()), (run.position(), true));
    let far = run.position().event + 500;
    assert_eq!(run.seek_event(far).event, far);
}

#[test]
fn acting_in_the_past_begins_a_branch_and_the_old_future_stays() {
    let mut run = Timeline::new(stormy(1)).unwrap();
    run.play_until(seconds(4));
    assert_eq!(run.act(crash(1)).unwrap(), Acted::Extended);
    run.play_until(seconds(12));
    assert_eq!(run.act(Action::Submit("put x 1".into())).unwrap(), Acted::Extended);
    run.play_until(seconds(14));
    let main = run.playing().id();
    let old = (state(run.world()), moments(&run), run.playing().end());

    run.seek(seconds(6));
    let at_the_fork = state(run.world());
    assert_eq!(run.act(crash(2)).unwrap(), Acted::Branched(BranchId(2)));
    let fork = run.playing().origin().unwrap();
    assert_eq!(fork, (main, Position { event: at_the_fork.1, time: seconds(6) }));
    assert_eq!(run.playing().interventions().len(), 2, "the first intervention is common to both");
    run.play_until(seconds(14));
    let new = (state(run.world()), moments(&run), run.playing().end());
    assert_ne!(new.0, old.0);
    assert_eq!(run.playing().name(), "branch 2");

    for _ in 0..3 {
        run.switch(main).unwrap();
        assert_eq!((state(run.world()), moments(&run), run.playing().end()), old);
        run.seek(seconds(6));
        assert_eq!(state(run.world()), at_the_fork);
        run.play_until(seconds(14));
        assert_eq!(state(run.world()), old.0, "played forward again it plays the same");
        run.switch(BranchId(2)).unwrap();
        assert_eq!((state(run.world()), moments(&run), run.playing().end()), new);
    }
    assert_eq!(run.branches().len(), 2);

    // Each branch is a scenario of its own.
    for (id, expected) in [(main, old.0), (BranchId(2), new.0)] {
        let straight = played_to(&run.recipe(id).unwrap(), seconds(14));
        assert_eq!(state(&straight), expected);
    }
    assert_eq!(run.recipe(BranchId(2)).unwrap(), *run.world().scenario());
}

#[test]
fn an_intervention_undone_by_a_step_back_can_be_done_differently() {
    let mut run = Timeline::new(Scenario::new(5, 3)).unwrap();
    run.play_until(seconds(2));
    for _ in 0..10 {
        run.step();
    }
    let before = state(run.world());
    run.act(crash(1)).unwrap();
    run.step_back();
    assert_eq!(state(run.world()), before);
    assert_eq!(run.act(crash(2)).unwrap(), Acted::Branched(BranchId(2)));
    let up: Vec<bool> = run.world().machines().iter().map(|machine| machine.is_up()).collect();
    assert_eq!(up, [true, false, true]);
    assert_eq!(run.branches()[0].interventions().len(), 1);

    // Two interventions at one moment are kept apart.
    run.act(crash(1)).unwrap();
    run.step_back();
    let up: Vec<bool> = run.world().machines().iter().map(|machine| machine.is_up()).collect();
    assert_eq!(up, [true, false, true]);
}

#[test]
fn a_refused_action_changes_nothing() {
    let mut run = Timeline::new(Scenario::new(5, 3)).unwrap();
    run.play_until(seconds(2));
    run.seek(seconds(1));
    let before = (state(run.world()), run.playing().end());
    assert!(run.act(crash(4)).is_err());
    assert!(run.act(Action::Submit("jump".into())).is_err());
    assert_eq!((state(run.world()), run.playing().end()), before);
    assert_eq!((run.branches().len(), run.playing().interventions().len()), (1, 0));
}

#[test]
fn branches_are_renamed_deleted_and_looked_at_beside_each_other() {
    let mut run = Timeline::new(stormy(7)).unwrap();
    let main = run.playing().id();
    run.play_until(seconds(10));
    // Branches from branches: 2 leaves main at 3 s, 3 leaves 2 at 2 s, 4 leaves 3 at 5 s.
    let mut ends = vec![(main, state(run.world()))];
    for (second, number) in [(3, 1), (2, 2), (5, 3)] {
        run.seek(seconds(second));
        let Acted::Branched(id) = run.act(crash(number)).unwrap() else { panic!("that was the past") };
        run.play_until(seconds(10));
        ends.push((id, state(run.world())));
    }
    let origins = |run: &Timeline| -> Vec<_> {
        run.branches().iter().map(|b| (b.id().0, b.origin().map(|(from, at)| (from.0, at.time)))).collect()
    };
    assert_eq!(
        origins(&run),
        [(1, None), (2, Some((1, seconds(3)))), (3, Some((2, seconds(2)))), (4, Some((3, seconds(5))))]
    );

    for (id, expected) in &ends {
        assert_eq!(state(run.beside(*id, seconds(10)).unwrap()), *expected);
        let recipe = run.recipe(*id).unwrap();
        for time in [4, 7, 1, 9] {
            assert_eq!(state(run.beside(*id, seconds(time)).unwrap()), state(&played_to(&recipe, seconds(time))));
        }
        assert_eq!(run.beside(*id, seconds(99)).unwrap().now(), seconds(10), "beside does not play on");
    }
    assert_eq!(state(run.world()), ends[3].1);

    let names = |run: &Timeline| run.branches().iter().map(|branch| branch.name().to_owned()).collect::<Vec<_>>();
    run.rename(main, "  what happened ").unwrap();
    assert_eq!(names(&run), ["what happened", "branch 2", "branch 3", "branch 4"]);
    let refused =
        [run.rename(main, " "), run.rename(BranchId(9), "x"), run.delete(BranchId(4)), run.delete(BranchId(9))];
    assert_eq!(
        refused.map(|result| result.unwrap_err().to_string()),
        [
            "a branch needs a name: give it one",
            "there is no branch 9",
            "“branch 4” is being played: switch to another branch first",
            "there is no branch 9",
        ]
    );
    assert!(run.switch(BranchId(0)).is_err() && run.beside(BranchId(0), seconds(1)).is_err());

    // Deleting a branch doesn't affect the others.
    let holdings = run.holdings();
    run.delete(main).unwrap();
    assert_eq!(origins(&run), [(2, None), (3, Some((2, seconds(2)))), (4, Some((3, seconds(5))))]);
    run.delete(BranchId(3)).unwrap();
    assert_eq!(origins(&run), [(2, None), (4, Some((2, seconds(2))))]);
    run.delete(BranchId(2)).unwrap();
    assert_eq!(origins(&run), [(4, None)]);
    assert!(run.holdings().checkpoints < holdings.checkpoints);
    run.seek(seconds(1));
    run.seek(seconds(10));
    assert_eq!(state(run.world()), ends[3].1);
}

#[test]
fn moments_are_noted_once_in_order_and_can_be_gone_to() {
    let mut kinds = BTreeSet::new();
    for seed in 0..20 {
        let mut run = Timeline::new(stormy(seed)).unwrap();
        run.play_until(seconds(30));
        kinds.extend(run.playing().moments().map(|moment| moment.kind));
    }
    let expected = MomentKind::ALL.into_iter().filter(|kind| *kind != MomentKind::Violation);
    assert!(kinds.into_iter().eq(expected), "every kind there is occurs in some storm");

    let mut run = Timeline::new(stormy(6)).unwrap();
    run.play_until(seconds(28));
    let noted = moments(&run);
    assert!(noted.iter().map(|moment| moment.event).is_sorted());
    assert!(MomentKind::ALL.iter().all(|kind| run.playing().kept_of(*kind) == 1));
    for target in scattered(1).take(30) {
        run.seek(Time::from_micros(target % 28_000_000));
    }
    run.seek(seconds(28));
    assert_eq!(moments(&run), noted);

    // From the end to the beginning, election by election, and back.
    let elections: Vec<u64> =
        noted.iter().filter(|m| m.kind == MomentKind::Election).map(|moment| moment.event).collect();
    let mut met = Vec::new();
    while let Some(moment) = run.previous_moment(&[MomentKind::Election]) {
        assert_eq!(run.seek_event(moment.event), Position { event: moment.event, time: moment.time });
        let raft = run.world().machine(moment.server.unwrap()).unwrap().raft().unwrap();
        assert!(raft.is_leader() && raft.term().0 == moment.number, "{moment}");
        met.push(moment.event);
    }
    met.reverse();
    assert_eq!(met, elections);
    let crashed = run.play_to_moment(&[MomentKind::Crash], seconds(28)).unwrap();
    assert_eq!(run.position(), Position { event: crashed.event, time: crashed.time });
    assert!(!run.world().machine(crashed.server.unwrap()).unwrap().is_up());
    assert_eq!(run.next_moment(&[]), None);

    // To find a moment that isn't known yet, the run is played, up to a limit.
    let mut fresh = Timeline::new(stormy(6)).unwrap();
    let first = fresh.play_to_moment(&[MomentKind::Election], seconds(28)).unwrap();
    assert_eq!((first.event, fresh.position().event), (elections[0], elections[0]));
    assert_eq!(fresh.play_to_moment(&[MomentKind::Violation], seconds(2)), None);
    assert_eq!(fresh.position().time, seconds(2));
}

#[test]
fn the_story_leads_up_to_the_present_wherever_one_came_from() {
    let scenario = stormy(7);
    let mut world = Simulation::new(scenario.clone()).unwrap();
    world.listen(Listening::News);
    world.run_until(seconds(20));
    let all: Vec<Told> = world.take_news().into_iter().zip(1..).map(|(news, number)| Told { number, news }).collect();
    let up_to = |time: Time| all.partition_point(|told| told.news.at <= time);

    let mut run = Timeline::new(scenario).unwrap();
    run.seek(seconds(20));
    assert_eq!(run.told(), all.len() as u64);
    assert_eq!(run.story(0, usize::MAX), all[all.len().saturating_sub(STORY_MAX)..]);
    for (target, limit) in scattered(3).take(40).zip([1, 10, 100, 3_000].into_iter().cycle()) {
        let time = Time::from_micros(target % 20_000_000);
        run.seek(time);
        let here = up_to(time);
        assert_eq!(run.told(), here as u64);
        assert_eq!(run.story(0, limit), all[here.saturating_sub(limit)..here], "{time}");
        let after = here.saturating_sub(5);
        assert_eq!(run.story(after as u64, limit), all[after.max(here.saturating_sub(limit))..here]);
        assert!(run.story(run.told(), 10).is_empty());
        assert!(run.story(u64::MAX, 10).is_empty());
    }

    // A reader that continues where it stopped gets all news once, however often the run goes back.
    run.seek(Time::ZERO);
    let mut read: Vec<News> = Vec::new();
    let mut last = 0;
    for target in scattered(4).take(200) {
        let time = run.playing().end().time.min(seconds(20));
        run.seek(Time::from_micros(target % (time.as_micros() + 1)));
        let fresh = run.story(last, STORY_MAX);
        last = fresh.last().map_or(last, |told| told.number);
        read.extend(fresh.into_iter().map(|told| told.news));
    }
    assert_eq!(read, all.iter().map(|told| told.news.clone()).take(read.len()).collect::<Vec<_>>());
    assert!(read.len() > 1_000);
}

#[test]
fn a_tape_is_as_fine_as_it_is_asked_for() {
    let mut run = Timeline::new(stormy(8)).unwrap();
    run.play_until(seconds(28));
    let main = run.playing().id();
    let noted = moments(&run);
    for (from, to, buckets) in [(0, 28, 1_000), (0, 28, 10), (5, 7, 40), (0, 100, 50), (20, 20, 9), (0, 28, 0)] {
        let tape = run.tape(main, seconds(from), seconds(to), buckets).unwrap();
        assert_eq!(tape.buckets, buckets.max(1));
        assert!(tape.bands.len() <= tape.buckets as usize);
        assert!(tape.marks.len() <= tape.buckets as usize * MomentKind::ALL.len());
        assert!(tape.bands.iter().all(|band| band.from <= band.to && band.from >= tape.from && band.to <= tape.to));
        assert!(tape.bands.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].term < pair[1].term));
        let counted: usize = tape.marks.iter().map(|mark| mark.count as usize).sum();
        let there = noted.iter().filter(|m| (seconds(from)..=seconds(to)).contains(&m.time)).count();
        assert_eq!((counted, tape.thinned), (there, false));
        assert!(tape.marks.iter().map(|mark| mark.first.event).is_sorted());
    }
    let whole = run.tape(main, Time::ZERO, seconds(28), 8_192).unwrap();
    assert_eq!(whole.bands.last().unwrap().to, seconds(28));
    for moment in noted.iter().filter(|moment| moment.kind == MomentKind::Election) {
        let band = whole.bands.iter().find(|band| band.term.0 == moment.number).expect("every term has its band");
        let Some((leader, since, until)) = band.led else {
            assert!(moment.time > band.to, "only who won when the next term had begun isn't shown");
            continue;
        };
        assert_eq!((Some(leader), since), (moment.server, moment.time));
        assert!(until >= since && until <= band.to);
    }
    let far = run.tape(main, seconds(50), Time::NEVER, u32::MAX).unwrap();
    assert!(far.bands.is_empty() && far.marks.is_empty());
    assert!(run.tape(BranchId(2), Time::ZERO, seconds(1), 5).is_err());
}

#[test]
#[cfg_attr(not(feature = "switchable-rules"), ignore = "no rule can be switched off in this build")]
fn a_violation_ends_the_run_and_can_be_gone_back_from() {
    use raft_core::raft::Rule;
    let mut found = None;
    for seed in 0..200 {
        let mut scenario = stormy(seed);
        scenario.parameters.rules = scenario.parameters.rules.without(Rule::VoteOncePerTerm);
        let mut run = Timeline::new(scenario).unwrap();
        run.seek(seconds(25));
        if run.world().violation().is_some() {
            found = Some(run);
            break;
        }
    }
    let mut run = found.expect("without one vote a term, some storm elects two leaders in one");
    let end = run.position();
    assert!(end.time < seconds(25));
    let last = *run.playing().moments().next_back().unwrap();
    assert_eq!((last.kind, last.event), (MomentKind::Violation, end.event));
    assert_eq!(run.act(crash(1)).unwrap(), Acted::RunIsOver);
    assert!(!run.step());
    let violated = state(run.world());
    assert!(run.step_back() && run.world().violation().is_none());
    assert!(run.step() && run.world().violation().is_some());
    assert_eq!(state(run.world()), violated);
    run.seek_event(end.event / 2);
    assert_eq!(run.next_moment(&[MomentKind::Violation]), Some(last));
    assert_eq!(run.act(crash(1)).unwrap(), Acted::Branched(BranchId(2)));
    assert_eq!(run.playing().moments().filter(|m| m.kind == MomentKind::Violation).count(), 0);
}
