//! What is on a disk, what is not yet, and what a crash leaves of it.

use raft_core::raft::{Config, EntryId, LogIndex, Message, Observation, Payload, Rule, ServerId};

use crate::support::{Cluster, Event, Setup, id, image, ms, s, set};

/// The entry at index 2 is written, overwritten, and written again, and only the first two writes
/// become durable.
#[test]
fn a_write_vouches_for_nothing_that_was_overwritten_after_it_even_by_the_same_entry() {
    let setup = Cluster::with(5).config(|config| {
        config.pre_vote = false;
        config.append_entries_max = 1;
    });
    let mut cluster = setup.led();
    cluster.hold_disk(s(5));
    // W1: S1's entry at index 2, which reaches S5 alone.
    cluster.propose(s(1), "first");
    cluster.deliver(s(1), s(5));
    cluster.isolate(s(1));
    // W2, W3: S2's term, and its entry at the same index.
    cluster.sleep(ms(150));
    cluster.campaign(s(2));
    for member in [s(3), s(4), s(5)] {
        cluster.deliver(s(2), member);
        cluster.deliver_all(member, s(2));
    }
    assert!(cluster.leads(s(2)));
    cluster.deliver(s(2), s(5));
    assert_eq!(cluster.last(s(5)), id(2, 2));
    cluster.drop_everything();
    cluster.crash(s(2));
    // W4, W5: S1's next term, and its old entry once more.
    cluster.heal();
    cluster.sleep(ms(300));
    cluster.fire_timer(s(1));
    cluster.drop_everything();
    while cluster.is_up(s(1)) && !cluster.leads(s(1)) {
        cluster.campaign(s(1));
        for member in [s(3), s(4), s(5)] {
            cluster.deliver_all(s(1), member);
            cluster.deliver_all(member, s(1));
        }
        assert!(cluster.term(s(1)) < 9, "{}", cluster.status());
    }
    cluster.run(ms(60));
    assert_eq!(cluster.raft(s(5)).log().id_at(LogIndex(2)), Some(id(2, 1)));
    // Everything becomes durable but the write that brought the old entry back.
    while cluster.disk(s(5)).image().log().last() != id(2, 2)
        || cluster.disk(s(5)).writes().iter().any(|w| w.hard_state.is_some())
    {
        cluster.fsync_one(s(5));
    }
    cluster.run(ms(120));
    assert_eq!(cluster.disk(s(5)).image().log().last(), id(2, 2));
    cluster.crash(s(5));
    cluster.restart(s(5));
    cluster.release_disk(s(5));
    cluster.run(ms(500));
    assert_eq!(cluster.applied(s(5)), cluster.applied(s(1)), "S5 catches up:\n{}", cluster.status());
}

/// Entries are on their way to a follower's disk when a snapshot replaces them.
#[test]
fn a_write_vouches_for_no_snapshot_that_came_after_it() {
    let mut cluster = Cluster::with(3).config(|config| config.entries_kept = 0).led();
    cluster.hold_disk(s(3));
    cluster.propose(s(1), "a");
    cluster.settle();
    cluster.cut_both(s(1), s(3));
    cluster.run(ms(350));
    cluster.propose(s(1), "b");
    cluster.propose(s(1), "c");
    cluster.settle();
    cluster.snapshot(s(1));
    cluster.heal();
    cluster.run(ms(60));
    cluster.take_events();
    // S1 knows nothing of S3 any more but that it must be sent the snapshot.
    let got_it = |event: &Event| matches!(event, Event::Arrived(_, to, Message::InstallSnapshot(_)) if *to == s(3));
    cluster.run(ms(200));
    assert!(cluster.take_events().iter().any(got_it));
    assert_eq!(cluster.raft(s(3)).log().base(), id(4, 1));
    // The entries become durable; the snapshot, written after them, does not.
    cluster.fsync_one(s(3));
    assert!(cluster.raft(s(3)).durable_index() <= cluster.disk(s(3)).image().log().last().index);
    cluster.run(ms(120));
    cluster.crash(s(3));
    cluster.restart(s(3));
    cluster.release_disk(s(3));
    cluster.run(ms(300));
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c"], "S3 catches up:\n{}", cluster.status());
}

#[test]
fn an_overwrite_torn_at_any_point_leaves_a_log_that_can_be_read() {
    // S3 has three entries of term 3 that nobody else has, and the leader of term 4 replaces them
    // by older ones and its own.
    let overwriting = || {
        let setup = Cluster::with(3).config(|config| config.pre_vote = false);
        let setup = setup.log(s(1), 3, &[1, 2, 2, 2]).log(s(2), 3, &[1, 2, 2, 2]).log(s(3), 3, &[1, 3, 3, 3]);
        let mut cluster = setup.start();
        cluster.hold_disk(s(3));
        cluster.sleep(ms(150));
        cluster.campaign(s(1));
        cluster.settle();
        assert!(cluster.leads(s(1)));
        assert_eq!(cluster.terms(s(3)), [1, 2, 2, 2, 4]);
        cluster
    };
    let parts = overwriting().disk(s(3)).unsynced_parts();
    assert!(parts >= 5, "the term, and four entries: {parts} parts");
    for kept in 0..=parts {
        let mut cluster = overwriting();
        cluster.crash_keeping(s(3), kept);
        cluster.restart(s(3));
        let terms = cluster.terms(s(3));
        assert!(terms.is_sorted(), "after {kept} of {parts} parts: {terms:?}");
        cluster.release_disk(s(3));
        cluster.run(ms(2_000));
        assert_eq!(cluster.terms(s(3)), cluster.terms(s(1)), "after {kept} of {parts} parts");
    }
}

#[test]
fn what_was_answered_survives_when_everybody_loses_power() {
    for synced in 0..8 {
        let mut cluster = Cluster::settled(3);
        for server in [s(1), s(2), s(3)] {
            cluster.hold_disk(server);
        }
        cluster.propose(s(1), "a");
        cluster.propose(s(1), "b");
        cluster.settle();
        assert_eq!(cluster.applied(s(1)), [""; 0], "nothing is durable anywhere");
        // So many writes become durable, one server after the other; and what follows from that.
        for turn in 0..synced {
            let server = s(turn % 3 + 1);
            if cluster.disk(server).unsynced() > 0 {
                cluster.fsync_one(server);
                cluster.settle();
            }
        }
        let answered = cluster.applied(s(1)).to_vec();
        for server in [s(1), s(2), s(3)] {
            cluster.crash(server);
        }
        for server in [s(1), s(2), s(3)] {
            cluster.restart(server);
            cluster.release_disk(server);
        }
        cluster.run(ms(2_000));
        let leader = cluster.leader().expect("somebody leads again");
        assert!(cluster.applied(leader).starts_with(&answered), "{answered:?} were answered after {synced} writes");
    }
}

#[test]
fn a_damaged_record_is_repaired_and_never_taken_for_an_absent_one() {
    // S3 has acknowledged 3@1 to S1, and S2 lacks it; then a record of S3's rots.
    let mut damaged = image(1, &[1]);
    damaged.hard_state.lost = id(3, 1);
    let mut cluster = Cluster::with(3).log(s(1), 1, &[1, 1, 1]).log(s(2), 1, &[1]).disk(s(3), damaged).start();
    cluster.isolate(s(1));
    cluster.sleep(ms(150));
    cluster.campaign(s(2));
    cluster.settle();
    assert!(!cluster.leads(s(2)), "S3 may have acknowledged what S2 lacks");
    cluster.campaign(s(3));
    cluster.settle();
    assert!(!cluster.leads(s(3)), "S3 may lack what it has acknowledged");
    cluster.heal();
    cluster.elect(s(1));
    cluster.run(ms(200));
    assert_eq!(cluster.terms(s(3)), cluster.terms(s(1)), "S1 has repaired it");
    assert_eq!(cluster.raft(s(3)).hard_state().lost, EntryId::ZERO);
    cluster.crash(s(1));
    cluster.elect(s(3));
}

#[test]
fn a_damaged_record_is_repaired_by_a_leader_that_thought_it_matched() {
    let mut cluster = Cluster::led(3);
    for command in ["a", "b", "c"] {
        cluster.propose(s(1), command);
    }
    cluster.run(ms(100));
    assert_eq!(cluster.matched(s(1), s(3)), 4);
    cluster.crash(s(3));
    let mut damaged = image(1, &[]);
    damaged.entries = cluster.raft(s(1)).log().iter_from(LogIndex(1)).take(2).cloned().collect();
    damaged.hard_state.lost = id(4, 1);
    cluster.restart_from(s(3), damaged);
    cluster.run(ms(300));
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c"], "{}", cluster.status());
}

#[test]
fn a_server_that_lost_its_disk_never_votes_as_the_voter_it_was() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "a");
    cluster.run(ms(100));
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    // It catches up, as far as it is sent anything, and still has no vote.
    cluster.run(ms(500));
    cluster.crash(s(1));
    cluster.run(ms(2_000));
    assert_eq!(cluster.leader(), None, "S2 gets no vote from it, and it doesn't campaign:\n{}", cluster.status());
    // With S1 back the cluster works, and takes it in as a learner; another server votes in its
    // place.
    cluster.restart(s(1));
    cluster.run(ms(2_000));
    let leader = cluster.leader().expect("S1 and S2 are a majority");
    cluster.change(leader, set(&[1, 2]), set(&[3]));
    cluster.run(ms(300));
    assert_eq!(cluster.applied(s(3)), cluster.applied(leader), "{}", cluster.status());
}

#[test]
fn a_restart_resets_everything_that_is_volatile() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "a");
    cluster.run(ms(100));
    assert_eq!((cluster.commit(s(1)), cluster.raft(s(1)).applied_index()), (2, LogIndex(2)));
    cluster.crash(s(1));
    cluster.restart(s(1));
    let raft = cluster.raft(s(1));
    assert_eq!((raft.commit_index(), raft.applied_index()), (LogIndex::ZERO, LogIndex::ZERO));
    assert_eq!((raft.role().name(), raft.leader()), ("follower", None));
    assert_eq!((raft.term().0, raft.log().last()), (1, id(2, 1)));
    assert_eq!(cluster.applied(s(1)), [""; 0]);
}

#[test]
fn a_restart_resets_everything_that_is_volatile_in_the_simulated_world_too() {
    use raft_core::sim::{Action, Scenario, Simulation, Target};
    use raft_core::time::Time;
    let mut world = Simulation::new(Scenario::new(1, 3)).expect("the default parameters make a world");
    world.run_until(Time::from_secs(3));
    let leader = world.leader().expect("somebody leads");
    let before = world.machine(leader).and_then(|machine| machine.raft()).expect("it is up").commit_index();
    assert!(before > LogIndex(3));
    world.act(Action::Crash(Target::Server(leader))).expect("there is such a server");
    world.act(Action::Restart(leader)).expect("there is such a server");
    let machine = world.machine(leader).expect("there is such a server");
    let raft = machine.raft().expect("it is up again");
    assert_eq!((raft.commit_index(), raft.applied_index()), (LogIndex::ZERO, LogIndex::ZERO));
    assert_eq!((raft.role().name(), raft.leader()), ("follower", None));
    assert_eq!(machine.store().map(|store| (store.len(), store.applied_index())), Some((0, 0)));
}

#[test]
fn answers_to_heartbeats_do_not_pile_up_while_a_disk_hangs() {
    let mut cluster = Cluster::settled(5);
    cluster.hold_disk(s(3));
    cluster.crash(s(1));
    cluster.elect(s(2));
    cluster.run(ms(5_000));
    assert!(cluster.leads(s(2)), "S1's restart isn't needed: {}", cluster.status());
    let held = cluster.raft(s(3)).held_messages().len();
    assert!(held <= 4, "{held} messages wait after a hundred rounds");
    cluster.release_disk(s(3));
    cluster.run(ms(100));
    assert_eq!(cluster.matched(s(2), s(3)), cluster.last(s(2)).index.0);
}

#[test]
fn who_writes_the_number_of_its_questions_answers_heartbeats_meanwhile() {
    let mut cluster = Cluster::settled(3);
    cluster.crash(s(2));
    cluster.hold_disk(s(3));
    let read = cluster.read(s(3));
    cluster.run(ms(200));
    assert_eq!(cluster.answer(read), None, "the question waits for its number");
    cluster.run(ms(300));
    assert!(cluster.leads(s(1)), "S3 is heard while its disk writes:\n{}", cluster.status());
    cluster.release_disk(s(3));
    cluster.run(ms(100));
    assert!(cluster.leads(s(1)), "{}", cluster.status());
}

/// Runs with disks that take so many milliseconds for a write, one after the other on each; how
/// many it takes until something is so.
fn until(cluster: &mut Cluster, sync: impl Fn(ServerId) -> u64, is_so: impl Fn(&Cluster) -> bool) -> u64 {
    let servers = cluster.servers();
    servers.iter().filter(|server| sync(**server) > 0).for_each(|server| cluster.hold_disk(*server));
    let mut done_at: Vec<Option<u64>> = vec![None; servers.len()];
    for now in 0..30_000 {
        for (server, done_at) in servers.iter().zip(&mut done_at) {
            if *done_at == Some(now) {
                cluster.fsync_one(*server);
                *done_at = None;
            }
            let writes = cluster.disk(*server).unsynced() > 0;
            if done_at.is_none() && writes {
                *done_at = Some(now + sync(*server));
            }
        }
        cluster.run(ms(1));
        if is_so(cluster) {
            return now;
        }
    }
    panic!("not within 30 s:\n{}", cluster.status());
}

#[test]
fn somebody_is_elected_on_disks_as_slow_as_they_may_be() {
    for (count, sync) in [(3, 150), (3, 250), (3, 400), (3, 590), (5, 250), (5, 590)] {
        let committed = |cluster: &Cluster| cluster.leader().is_some_and(|leader| cluster.commit(leader) > 0);
        let taken = until(&mut Cluster::new(count), |_| sync, committed);
        assert!(taken < 30 * sync, "{count} servers with disks of {sync} ms: {taken} ms");
    }
}

/// Without pre-votes: S1 can't win, and its disk is fast. With each campaign the others write
/// another term, and while they do, they don't campaign.
#[test]
fn who_is_refused_at_once_leaves_the_others_the_time_that_their_disks_take() {
    for (count, sync) in [(2, 200), (3, 200), (3, 400), (3, 590), (5, 400)] {
        let mut setup = Cluster::with(count).config(|config| config.pre_vote = false).log(s(1), 1, &[1]);
        for server in 2..=count {
            setup = setup.log(s(server), 1, &[1, 1]);
        }
        let slow = |server: ServerId| if server == s(1) { 0 } else { sync };
        let taken = until(&mut setup.start(), slow, |cluster| cluster.leader().is_some());
        assert!(taken < 30 * sync, "{count} servers, slow disks of {sync} ms: {taken} ms");
    }
}

/// Members whose disks are slow are there all the same, and a leader that hears nothing of a quorum
/// steps down.
#[test]
fn a_leader_hears_of_its_members_while_their_disks_write() {
    let mut cluster = Cluster::settled(3);
    for member in [s(2), s(3)] {
        cluster.hold_disk(member);
    }
    cluster.propose(s(1), "is being written");
    cluster.settle();
    // Who lacks an entry is asked where its log ends, and that entry isn't on its disk yet.
    cluster.propose(s(1), "is lost");
    for member in [s(2), s(3)] {
        cluster.drop_all(s(1), member);
    }
    cluster.propose(s(1), "comes too early");
    cluster.run(ms(590));
    assert!(cluster.leads(s(1)), "{}", cluster.status());
    assert_eq!((cluster.commit(s(1)), cluster.matched(s(1), s(2))), (1, 1), "nobody but S1 has written it yet");
    for member in [s(2), s(3)] {
        cluster.release_disk(member);
    }
    cluster.run(ms(1));
    assert_eq!(cluster.commit(s(1)), 4, "acknowledged as soon as it is there, not with the next heartbeat");
}

/// A disk that does one write after the other, each within the limit, hasn't stalled, however many
/// wait.
#[test]
fn a_disk_that_finishes_writes_has_not_stalled() {
    let mut cluster = Cluster::led(1);
    cluster.hold_disk(s(1));
    for _ in 0..4 {
        cluster.propose(s(1), "x");
    }
    for _ in 0..4 {
        cluster.run(ms(590));
        assert!(cluster.leads(s(1)));
        cluster.fsync_one(s(1));
    }
    cluster.propose(s(1), "x");
    cluster.run(ms(610));
    assert!(!cluster.leads(s(1)), "now it has");
}

#[test]
fn a_server_whose_disk_hangs_does_not_campaign() {
    let mut cluster = Cluster::led(3);
    cluster.hold_disk(s(3));
    cluster.propose(s(1), "x=1");
    cluster.settle();
    cluster.isolate(s(3));
    cluster.run(ms(1_000));
    cluster.take_events();
    cluster.run(ms(2_000));
    assert!(!cluster.observed(s(3), |it| matches!(it, Observation::Campaigned { .. })), "it could promise nothing");
    assert!(cluster.observed(s(3), |it| matches!(it, Observation::CampaignWithheld { .. })), "and says why");
}

#[test]
fn commands_that_come_together_are_all_written_however_little_goes_into_one_append() {
    let little = |config: &mut Config| (config.append_entries_max, config.window_appends_max) = (1, 1);
    let mut cluster = Cluster::with(3).config(little).led();
    cluster.propose_batch(s(1), &["a", "b", "c"]);
    assert_eq!(cluster.disk(s(1)).image().log().last(), cluster.last(s(1)));
    cluster.run(ms(100));
    for server in cluster.servers() {
        assert_eq!(cluster.disk(server).image().log().last(), cluster.last(server), "{server}");
    }
    cluster.crash(s(1));
    cluster.restart(s(1));
    assert_eq!(cluster.last(s(1)).index.0, 4);
}

/// Without two of the rules, a new leader ends a joint membership in the step in which it begins to
/// lead.
#[test]
fn two_entries_that_enter_the_log_at_once_are_both_written() {
    let setup = Cluster::with(1).without(Rule::CommitOnlyOwnTerm).without(Rule::MembershipFollowsLog);
    let mut cluster = setup.led();
    cluster.join(s(2));
    cluster.change(s(1), set(&[1]), set(&[2]));
    cluster.run(ms(300));
    cluster.hold_disk(s(1));
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.fsync_one(s(1));
    cluster.crash(s(1));
    cluster.drop_everything();
    cluster.restart(s(1));
    let last = cluster.raft(s(1)).log().get(cluster.last(s(1)).index).map(|entry| entry.payload.clone());
    assert!(matches!(last, Some(Payload::Membership(configuration)) if configuration.is_joint()));
    cluster.release_disk(s(1));
    let before = cluster.last(s(1)).index.0;
    cluster.elect(s(1));
    assert_eq!((cluster.last(s(1)).index.0, cluster.disk(s(1)).image().log().last()), (before + 2, cluster.last(s(1))));
}

#[test]
fn a_damaged_log_is_repaired_once_what_it_lacked_is_on_the_disk() {
    let mut damaged = image(1, &[1]);
    damaged.hard_state.lost = id(3, 1);
    let mut cluster = Cluster::with(3).log(s(1), 1, &[1, 1, 1]).log(s(2), 1, &[1, 1, 1]).disk(s(3), damaged).start();
    cluster.hold_disk(s(3));
    cluster.elect(s(1));
    cluster.run(ms(100));
    assert!(cluster.last(s(3)) >= id(3, 1), "it is here again");
    // First comes the term, then the entries.
    cluster.fsync_one(s(3));
    assert_eq!(cluster.raft(s(3)).hard_state().lost, id(3, 1));
    cluster.release_disk(s(3));
    assert_eq!(cluster.raft(s(3)).hard_state().lost, EntryId::ZERO);
}

/// So many servers that campaign without asking first.
fn blunt(count: u8) -> Setup {
    Cluster::with(count).config(|config| config.pre_vote = false)
}

/// How long it takes from now until `server`'s election timer runs out.
fn waits(cluster: &Cluster, server: u8) -> u64 {
    let (due, _) = cluster.raft(s(server)).election_timer().expect("it doesn't lead");
    due.since(cluster.clock(s(server))).as_micros() / 1_000
}

#[test]
fn nobody_campaigns_again_while_its_last_vote_is_written() {
    let mut cluster = blunt(3).start();
    cluster.hold_disk(s(1));
    cluster.time_out(s(1));
    cluster.time_out(s(1));
    assert_eq!(cluster.term(s(1)), 1, "it would undo what its disk is about to promise");
    cluster.fsync(s(1));
    cluster.time_out(s(1));
    assert_eq!(cluster.term(s(1)), 2);
}

#[test]
fn the_time_that_an_answer_may_take_begins_when_a_slow_disk_has_written_the_vote() {
    // The vote for itself, and for another.
    for candidate in [1, 2] {
        let mut cluster = blunt(3).start();
        cluster.hold_disk(s(1));
        cluster.sleep(ms(150));
        cluster.campaign(s(candidate));
        cluster.deliver_all(s(candidate), s(3 - candidate));
        cluster.sleep(ms(160));
        cluster.fsync(s(1));
        assert!(waits(&cluster, 1) >= 150, "{} ms", waits(&cluster, 1));
    }
}

#[test]
fn who_loses_campaigns_after_slow_votes_waits_longer_and_longer() {
    let mut cluster = blunt(3).log(s(2), 1, &[1]).log(s(3), 1, &[1]).start();
    cluster.hold_disk(s(1));
    cluster.sleep(ms(150));
    for _ in 0..5 {
        cluster.time_out(s(1));
        cluster.sleep(ms(100));
        cluster.fsync(s(1));
        cluster.settle();
        assert_eq!(cluster.raft(s(1)).role().name(), "follower", "the others' logs are longer");
    }
    cluster.time_out(s(1));
    assert!(waits(&cluster, 1) > 600, "{} ms", waits(&cluster, 1));
}

#[test]
fn servers_whose_disks_are_equally_slow_wait_unequally_long() {
    let mut cluster = blunt(9).start();
    let mut waited = Vec::new();
    for server in 1..=9 {
        cluster.isolate(s(server));
        for _ in 0..5 {
            cluster.time_out(s(server));
        }
        waited.push(waits(&cluster, server));
    }
    waited.sort_unstable();
    assert!(waited[8] - waited[0] > 300, "{waited:?}");
}

/// A server's disk loses the last entry, which the server knows; that entry.
fn restart_without_the_last_entry(cluster: &mut Cluster, server: ServerId) -> EntryId {
    let entries = cluster.disk(server).image().durable().entries.len();
    cluster.restart_damaged(server, entries - 1)
}

/// S3's log is repaired on its disk, and the write that says so isn't there yet when it crashes.
/// Nobody else has everything.
#[test]
fn a_log_that_was_repaired_before_a_crash_lacks_nothing_after_it() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "a");
    cluster.run(ms(100));
    cluster.isolate(s(2));
    cluster.propose(s(1), "b");
    cluster.settle();
    cluster.run(ms(60));
    let lost = restart_without_the_last_entry(&mut cluster, s(3));
    cluster.hold_disk(s(3));
    cluster.run(ms(100));
    while cluster.disk(s(3)).image().log().last() != lost {
        cluster.fsync_one(s(3));
    }
    cluster.settle();
    cluster.crash(s(3));
    cluster.crash(s(1));
    cluster.heal();
    cluster.restart(s(3));
    cluster.release_disk(s(3));
    cluster.run(ms(5_000));
    assert!(cluster.leads(s(3)), "{}", cluster.status());
}

/// The entry that is lost lies beyond what the leader knew to match, and so its loss tells it
/// nothing new.
#[test]
fn an_acknowledgement_of_what_is_lost_counts_no_more_whatever_was_known() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "a");
    cluster.run(ms(100));
    cluster.isolate(s(2));
    cluster.hold(s(3), s(1));
    cluster.propose(s(1), "b");
    cluster.deliver_all(s(1), s(3));
    let late = cluster.take(s(3), s(1), 0);
    restart_without_the_last_entry(&mut cluster, s(3));
    cluster.propose(s(1), "c");
    cluster.deliver_all(s(1), s(3));
    let told = cluster.take(s(3), s(1), 0);
    cluster.arrive(s(3), s(1), told);
    cluster.drop_all(s(1), s(3));
    cluster.arrive(s(3), s(1), late);
    assert!(cluster.matched(s(1), s(3)) <= cluster.disk(s(3)).image().log().last().index.0);
}

/// A learner that has installed a snapshot on a disk that hangs is asked about it all the time.
#[test]
fn answers_about_a_snapshot_that_wait_for_a_disk_are_no_more_for_waiting_longer() {
    let setup = Cluster::with(2).learners(set(&[3])).config(|config| config.entries_kept = 0);
    let mut cluster = setup.led();
    cluster.isolate(s(3));
    for number in 0..5 {
        cluster.propose(s(1), &format!("x={number}"));
        cluster.run(ms(100));
    }
    // Its term is on the way to that disk, too: whatever S3 says waits for that.
    cluster.transfer(s(1), s(2));
    cluster.run(ms(500));
    cluster.snapshot(s(2));
    cluster.hold_disk(s(3));
    cluster.heal();
    cluster.run(ms(4_000));
    assert!(cluster.commit(s(3)) > 0, "S3 has installed the snapshot:\n{}", cluster.status());
    let waiting = cluster.raft(s(3)).held_messages();
    assert!(waiting.len() <= 4, "{} answers wait, the last of them {:?}", waiting.len(), waiting.last());
}

/// What S1 wrote as a leader, and nobody has, is unreadable on its disk. It may have been
/// committed, for all that S1 knows, so that S1 refuses S2; and S2 alone is no majority. No Raft
/// can tell.
#[test]
fn what_only_a_damaged_disk_held_stops_a_cluster_of_two() {
    let mut cluster = Cluster::led(2);
    cluster.propose(s(1), "a");
    cluster.settle();
    cluster.isolate(s(1));
    cluster.propose(s(1), "b");
    let kept = cluster.last(s(2)).index.0 as usize;
    cluster.restart_damaged(s(1), kept);
    cluster.heal();
    cluster.run(ms(60_000));
    assert_eq!(cluster.leader(), None, "{}", cluster.status());
}

/// The same with three, all of them there and two of them whole: S2 goes by a membership that
/// nobody else has, which needs the vote of S3, whose disk is damaged.
#[test]
fn what_only_a_damaged_disk_held_stops_a_cluster_whose_memberships_need_it() {
    let mut cluster = Cluster::new(3);
    cluster.elect(s(2));
    cluster.propose(s(2), "a");
    cluster.run(ms(100));
    let kept = cluster.last(s(2)).index.0 as usize;
    cluster.isolate(s(2));
    cluster.change(s(2), set(&[1, 3]), set(&[]));
    cluster.sleep(ms(400));
    cluster.campaign(s(3));
    while !cluster.leads(s(3)) {
        assert!(cluster.deliver_all(s(3), s(1)) + cluster.deliver_all(s(1), s(3)) > 0, "{}", cluster.status());
    }
    cluster.isolate(s(3));
    cluster.propose(s(3), "b");
    cluster.restart_damaged(s(3), kept);
    cluster.heal();
    cluster.run(ms(60_000));
    assert_eq!(cluster.leader(), None, "{}", cluster.status());
}
