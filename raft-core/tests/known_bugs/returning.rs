//! Servers that come back: with an empty disk, under their old name, to a cluster that remembers
//! them.

use raft_core::raft::{
    AppendEntries, AppendOutcome, Config, Entries, EntryId, Message, Observation, Payload, Refusal, ServerId, Standing,
};

use crate::support::{Answer, Cluster, ms, s, set};

/// S1, S2, and S3, which joined later, vote. Appends have one entry each.
fn joined_later() -> Cluster {
    let mut cluster = Cluster::with(2).config(|config| config.append_entries_max = 1).settled();
    cluster.join(s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[3]));
    cluster.run(ms(300));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[]));
    cluster.run(ms(200));
    assert_eq!(cluster.raft(s(1)).configuration().voters, set(&[1, 2, 3]));
    cluster
}

/// `server` loses its disk and is the voter's of that name no longer; then `leader` takes it out,
/// back in, and makes it a voter.
pub fn replace_disk(cluster: &mut Cluster, leader: ServerId, server: ServerId) {
    cluster.crash(server);
    cluster.restart_wiped(server);
    cluster.run(ms(200));
    give_vote_back(cluster, leader, server);
}

/// `leader` takes a voter out whose disk is another one by now, and back in.
pub fn give_vote_back(cluster: &mut Cluster, leader: ServerId, server: ServerId) {
    let mut others = cluster.raft(leader).configuration().voters;
    others.remove(server);
    cluster.change(leader, others, [server].into_iter().collect());
    cluster.run(ms(300));
    let change = cluster.change(leader, others.union([server].into_iter().collect()), set(&[]));
    assert!(matches!(cluster.answer(change), Some(Answer::Accepted(_))), "{:?}", cluster.answer(change));
    cluster.run(ms(200));
}

pub fn standing(cluster: &Cluster, server: u8) -> Standing {
    cluster.raft(s(server)).hard_state().standing
}

/// The log of a voter that joined later names it a learner before it names it a voter. Whoever
/// replays it on an empty disk comes to the first of the two, and must not take itself for that
/// learner.
#[test]
fn a_voter_that_lost_its_disk_does_not_vote_while_it_replays_how_it_joined() {
    let mut cluster = joined_later();
    let known_to_s2 = cluster.last(s(2));
    cluster.isolate(s(2));
    cluster.propose(s(1), "x=1");
    cluster.settle();
    assert_eq!(cluster.applied(s(1)), ["x=1"], "S1 and S3 have it");
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    cluster.hold(s(1), s(3));
    for _ in 0..400 {
        if cluster.last(s(3)).index >= known_to_s2.index {
            break;
        }
        match cluster.on_the_way(s(1), s(3)).is_empty() {
            true => cluster.advance(ms(10)),
            false => {
                cluster.deliver(s(1), s(3));
                cluster.deliver_all(s(3), s(1));
            }
        }
    }
    assert_eq!(cluster.last(s(3)), known_to_s2);
    assert_ne!(standing(&cluster, 3), Standing::Member);
    // S1 is gone, and only its log had what was answered. S2 alone must not lead.
    cluster.crash(s(1));
    cluster.drop_everything();
    cluster.heal();
    cluster.run(ms(3_000));
    assert_eq!(cluster.leader(), None, "{}", cluster.status());
}

/// The very messages by which a server once joined arrive again, at the same server on another
/// disk.
#[test]
fn messages_from_before_a_lost_disk_make_nobody_a_member() {
    let mut cluster = Cluster::settled(2);
    cluster.join(s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[3]));
    let mut heard: Vec<Message> = Vec::new();
    for _ in 0..30 {
        cluster.deliver_all(s(1), s(2));
        cluster.deliver_all(s(2), s(1));
        heard.extend(cluster.on_the_way(s(1), s(3)));
        cluster.deliver_all(s(1), s(3));
        cluster.deliver_all(s(3), s(1));
        cluster.advance(ms(10));
    }
    assert_eq!(standing(&cluster, 3), Standing::Member);
    cluster.crash(s(3));
    cluster.drop_everything();
    cluster.isolate(s(3));
    cluster.restart_wiped(s(3));
    for message in heard {
        cluster.arrive(s(1), s(3), message);
    }
    assert!(cluster.raft(s(3)).commit_index().0 > 2, "it has all that it once had");
    assert_eq!(standing(&cluster, 3), Standing::Joining);
}

/// What a deposed leader says of the membership is old: its word alone doesn't let anybody vote.
#[test]
fn an_admission_counts_only_once_it_is_committed() {
    let mut cluster = Cluster::settled(2);
    cluster.join(s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[3]));
    cluster.deliver(s(1), s(2));
    cluster.deliver(s(2), s(1));
    cluster.isolate(s(2));
    cluster.run(ms(100));
    let admission =
        cluster.raft(s(3)).log().iter_from(cluster.last(s(3)).index).next().map(|entry| entry.payload.clone());
    assert!(matches!(admission, Some(Payload::Admission { server, .. }) if server == s(3)), "{}", cluster.status());
    assert_eq!(standing(&cluster, 3), Standing::Joining);
    cluster.heal();
    cluster.run(ms(100));
    assert_eq!(standing(&cluster, 3), Standing::Member);
}

#[test]
fn founders_whose_disks_are_replaced_one_after_the_other_count_again() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "x=1");
    cluster.run(ms(100));
    for server in [3, 2] {
        replace_disk(&mut cluster, s(1), s(server));
        assert_eq!(standing(&cluster, server), Standing::Member);
    }
    // The last of the three founders' own disks goes.
    cluster.crash(s(1));
    cluster.run_until(ms(5_000), "S2 or S3 leads", |cluster| cluster.leader().is_some());
    let leader = cluster.leader().expect("somebody leads");
    cluster.restart_wiped(s(1));
    cluster.run(ms(200));
    assert_eq!(standing(&cluster, 1), Standing::Barred);
    let others = set(&[2, 3]);
    cluster.change(leader, others, set(&[1]));
    cluster.run(ms(300));
    cluster.change(leader, set(&[1, 2, 3]), set(&[]));
    cluster.run(ms(200));
    cluster.crash(leader);
    cluster.run_until(ms(5_000), "somebody leads", |cluster| cluster.leader().is_some());
    let leader = cluster.leader().expect("somebody leads");
    assert_eq!(cluster.applied(leader), ["x=1"], "and nothing is lost");
}

#[test]
fn a_voter_that_joined_later_and_lost_its_disk_counts_again_once_it_was_added_anew() {
    let mut cluster = joined_later();
    replace_disk(&mut cluster, s(1), s(3));
    cluster.crash(s(1));
    cluster.run_until(ms(5_000), "S2 or S3 leads", |cluster| cluster.leader().is_some());
}

#[test]
fn a_learner_whose_disk_was_not_admitted_yet_is_not_made_a_voter() {
    let mut cluster = Cluster::settled(3);
    cluster.join(s(4));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.settle();
    let change = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
    assert_eq!(cluster.refusal(change), Refusal::NotAdmitted { server: s(4) });
    cluster.run(ms(150));
    let change = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
    assert!(matches!(cluster.answer(change), Some(Answer::Accepted(_))));
}

/// The number is given to another disk while the old one is only away.
#[test]
fn a_server_whose_name_was_given_to_another_disk_does_not_vote_any_more() {
    let mut cluster = joined_later();
    let old = cluster.disk(s(3)).image().durable();
    replace_disk(&mut cluster, s(1), s(3));
    assert_eq!(standing(&cluster, 3), Standing::Member);
    cluster.crash(s(3));
    cluster.restart_from(s(3), old);
    cluster.run(ms(300));
    assert_eq!(standing(&cluster, 3), Standing::Barred, "{}", cluster.status());
}

/// S2, which joined later, removes itself. It alone has the entry that completes this, and forgets
/// in a restart that the one before was committed.
#[test]
fn a_removed_leader_that_joined_later_still_campaigns_after_a_restart_if_nobody_else_can() {
    let mut cluster = Cluster::led(1);
    cluster.join(s(2));
    cluster.change(s(1), set(&[1]), set(&[2]));
    cluster.run(ms(300));
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.run(ms(200));
    cluster.transfer(s(1), s(2));
    cluster.run(ms(300));
    assert!(cluster.leads(s(2)));
    cluster.change(s(2), set(&[1]), set(&[]));
    cluster.deliver(s(2), s(1));
    cluster.deliver_all(s(1), s(2));
    let joint = |server| cluster.raft(server).configuration().is_joint();
    assert!(joint(s(1)) && !joint(s(2)), "{}", cluster.status());
    cluster.crash(s(2));
    cluster.drop_everything();
    cluster.restart(s(2));
    cluster.run_until(ms(5_000), "somebody leads", |cluster| cluster.leader().is_some());
}

/// An acknowledgement from before the disk was lost comes while the server is sent its log again.
#[test]
fn a_late_acknowledgement_of_a_lost_disk_leaves_nobody_behind() {
    let mut cluster = Cluster::with(1).config(|config| config.append_entries_max = 1).led();
    cluster.join(s(2));
    cluster.change(s(1), set(&[1]), set(&[2]));
    cluster.run(ms(300));
    cluster.hold(s(2), s(1));
    for command in ["a", "b", "c", "d"] {
        cluster.propose(s(1), command);
    }
    cluster.settle();
    let place = cluster.on_the_way(s(2), s(1)).len() - 1;
    let late = cluster.take(s(2), s(1), place);
    assert!(matches!(&late, Message::AppendEntriesResponse(m) if matches!(m.outcome, AppendOutcome::Matched(_))));
    cluster.drop_everything();
    cluster.let_go(s(2), s(1));
    cluster.crash(s(2));
    cluster.restart_wiped(s(2));
    cluster.run_until(ms(3_000), "S2 has a part of the log", |cluster| cluster.last(s(2)).index.0 >= 2);
    cluster.arrive(s(2), s(1), late);
    cluster.run(ms(2_000));
    assert_eq!(cluster.applied(s(2)), ["a", "b", "c", "d"], "{}", cluster.status());
}

/// A disk that said it had written what it had not, or a backup that was put back: the server
/// doesn't know what it lacks.
#[test]
fn a_follower_that_lost_its_end_without_knowing_is_noticed_and_sent_it_again() {
    let mut cluster = Cluster::led(3);
    for command in ["a", "b", "c"] {
        cluster.propose(s(1), command);
    }
    cluster.run(ms(100));
    cluster.crash(s(3));
    let mut durable = cluster.disk(s(3)).image().durable();
    durable.entries.truncate(2);
    cluster.restart_from(s(3), durable);
    cluster.take_events();
    cluster.run(ms(500));
    let noticed = |it: &Observation| matches!(it, Observation::PeerDamaged { peer, .. } if *peer == s(3));
    assert!(cluster.observed(s(1), noticed));
    assert_eq!(cluster.applied(s(3)), ["a", "b", "c"]);
}

/// A rejection that was on its way when the follower got what it lacked says nothing about a loss.
#[test]
fn a_late_rejection_makes_nobody_believe_in_a_loss() {
    let mut cluster = Cluster::settled(3);
    cluster.isolate(s(3));
    cluster.propose(s(1), "a");
    cluster.settle();
    cluster.heal();
    // S3 lacks "a" and rejects what comes after it; S1 hears of that when S3 has it.
    let next = cluster.last(s(1));
    cluster.propose(s(1), "b");
    cluster.drop_all(s(1), s(3));
    let append = Message::AppendEntries(AppendEntries {
        term: cluster.raft(s(1)).term(),
        previous: next,
        entries: Entries::None,
        commit: next.index,
        round: 1,
        probe: 0,
    });
    cluster.arrive(s(1), s(3), append);
    let late = cluster.take(s(3), s(1), 0);
    cluster.run(ms(300));
    assert_eq!(cluster.applied(s(3)), ["a", "b"]);
    let before = cluster.matched(s(1), s(3));
    cluster.arrive(s(3), s(1), late);
    assert_eq!(cluster.matched(s(1), s(3)), before);
}

/// S2 leaves and comes back at once, before its leader has let it go, and has lost its disk in
/// between. It gets a snapshot first, by which nobody says whether it may vote.
#[test]
fn a_voter_that_comes_back_at_once_on_another_disk_is_not_promoted_for_what_it_was() {
    let mut cluster = Cluster::with(3).config(|config| config.entries_kept = 0).led();
    cluster.propose(s(1), "a");
    cluster.run(ms(100));
    cluster.crash(s(2));
    cluster.change(s(1), set(&[1, 3]), set(&[]));
    cluster.settle();
    cluster.change(s(1), set(&[1, 3]), set(&[2]));
    cluster.settle();
    // It has been silent for so long that S1 keeps no log for its sake.
    cluster.run(ms(500));
    cluster.snapshot(s(1));
    cluster.restart_wiped(s(2));
    cluster.run_until(ms(1_000), "S2 has the snapshot", |cluster| cluster.matched(s(1), s(2)) > 0);
    for _ in 0..100 {
        let change = cluster.change(s(1), set(&[1, 2, 3]), set(&[]));
        if matches!(cluster.answer(change), Some(Answer::Accepted(_))) {
            break;
        }
        cluster.run(ms(5));
    }
    cluster.run(ms(100));
    assert_eq!(cluster.raft(s(1)).configuration().voters, set(&[1, 2, 3]));
    assert_eq!(standing(&cluster, 2), Standing::Member, "{}", cluster.status());
}

#[test]
fn no_change_leaves_a_majority_of_voters_that_may_not_vote() {
    let mut cluster = Cluster::settled(3);
    cluster.crash(s(2));
    cluster.restart_wiped(s(2));
    cluster.run(ms(100));
    for voters in [&[1, 2][..], &[2, 3]] {
        let change = cluster.change(s(1), set(voters), set(&[]));
        assert_eq!(cluster.refusal(change), Refusal::NotAdmitted { server: s(2) });
    }
    let change = cluster.change(s(1), set(&[1, 3]), set(&[]));
    assert!(matches!(cluster.answer(change), Some(Answer::Accepted(_))));
}

/// It gets a snapshot first, by which it doesn't say whether it may vote.
#[test]
fn a_learner_that_has_only_a_snapshot_so_far_is_not_made_a_voter() {
    let mut cluster = Cluster::with(3).config(|config| config.entries_kept = 0).settled();
    cluster.join(s(4));
    cluster.isolate(s(4));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.run(ms(500));
    cluster.snapshot(s(1));
    cluster.heal();
    cluster.run_until(ms(1_000), "S4 has the snapshot", |cluster| cluster.matched(s(1), s(4)) > 0);
    let change = cluster.change(s(1), set(&[1, 2, 3, 4]), set(&[]));
    assert_eq!(cluster.refusal(change), Refusal::NotAdmitted { server: s(4) });
}

/// What it is told of how it joined is in a snapshot.
#[test]
fn a_voter_that_lost_its_disk_learns_from_a_snapshot_that_it_may_not_vote() {
    let mut cluster = Cluster::with(3).config(|config| config.entries_kept = 0).led();
    cluster.propose(s(1), "a");
    cluster.run(ms(100));
    cluster.crash(s(3));
    cluster.run(ms(500));
    cluster.snapshot(s(1));
    cluster.restart_wiped(s(3));
    cluster.run(ms(300));
    assert_eq!((cluster.applied(s(3)), standing(&cluster, 3)), (&["a".to_owned()][..], Standing::Barred));
}

#[test]
fn an_admission_counts_only_once_it_is_on_the_disk() {
    let mut cluster = Cluster::settled(2);
    cluster.join(s(3));
    cluster.hold(s(3), s(1));
    cluster.change(s(1), set(&[1, 2]), set(&[3]));
    cluster.run(ms(50));
    // Now S1 hears that S3 has joined.
    cluster.hold_disk(s(3));
    cluster.let_go(s(3), s(1));
    cluster.run(ms(100));
    assert_eq!(cluster.commit(s(3)), cluster.last(s(1)).index.0, "S3 knows that it is committed");
    assert_eq!(standing(&cluster, 3), Standing::Joining);
    cluster.release_disk(s(3));
    assert_eq!(standing(&cluster, 3), Standing::Member);
}

/// What it would say otherwise is that it has lost nothing and may vote, and after a crash it
/// couldn't.
#[test]
fn who_rejects_an_append_says_that_it_may_vote_only_once_that_is_on_the_disk() {
    let mut cluster = Cluster::settled(2);
    cluster.join(s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[3]));
    let mut steps = 0;
    while cluster.raft(s(3)).hard_state().standing != Standing::Member {
        // Its log is on its disk, its standing isn't.
        cluster.release_disk(s(3));
        cluster.hold_disk(s(3));
        cluster.run(ms(1));
        steps += 1;
        assert!(steps < 1_000, "{}", cluster.status());
    }
    assert_eq!(cluster.disk(s(3)).image().hard_state().standing, Standing::Joining);
    // It lacks what this builds on.
    let term = cluster.raft(s(1)).term();
    let previous = EntryId::new(cluster.last(s(3)).index.plus(2), term);
    let append =
        AppendEntries { term, previous, entries: Entries::None, commit: previous.index, round: 1_000, probe: 0 };
    let said = |cluster: &mut Cluster| {
        cluster.drop_everything();
        cluster.arrive(s(1), s(3), Message::AppendEntries(append.clone()));
        match &cluster.on_the_way(s(3), s(1))[..] {
            [Message::AppendEntriesResponse(m)] => m.outcome,
            others => panic!("{others:?}"),
        }
    };
    let early = said(&mut cluster);
    assert!(matches!(early, AppendOutcome::Damaged { .. }), "{early:?}");
    cluster.release_disk(s(3));
    let late = said(&mut cluster);
    assert!(matches!(late, AppendOutcome::Conflict { .. }), "{late:?}");
}

#[test]
fn an_admission_that_is_dropped_from_the_log_lets_nobody_vote() {
    let mut cluster = Cluster::settled(3);
    cluster.join(s(4));
    cluster.hold(s(4), s(1));
    cluster.change(s(1), set(&[1, 2, 3]), set(&[4]));
    cluster.run(ms(50));
    // Only S4 hears of its admission; S2 leads next, and commits something else in its place.
    for one in [1, 4] {
        for other in [2, 3] {
            cluster.cut_both(s(one), s(other));
        }
    }
    cluster.let_go(s(4), s(1));
    cluster.settle();
    let place = cluster.last(s(4)).index;
    let admission = cluster.raft(s(4)).log().get(place).map(|entry| entry.payload.clone());
    assert!(matches!(admission, Some(Payload::Admission { .. })));
    cluster.crash(s(1));
    cluster.elect(s(2));
    for (from, to) in [(2, 4), (4, 2)] {
        cluster.mend(s(from), s(to));
    }
    while cluster.last(s(4)).term.0 == 1 {
        cluster.advance(ms(10));
        cluster.deliver_all(s(4), s(2));
        for other in [3, 4] {
            cluster.deliver_all(s(2), s(other));
        }
        cluster.deliver_all(s(3), s(2));
    }
    assert_eq!(cluster.raft(s(4)).commit_index(), place);
    assert_eq!(standing(&cluster, 4), Standing::Joining);
    cluster.run(ms(100));
    assert_eq!(standing(&cluster, 4), Standing::Member, "S2 has admitted it since");
}

/// S3 is removed, loses its disk, and is added again; then an acknowledgement from before all that
/// comes.
#[test]
fn an_acknowledgement_from_before_a_removal_counts_for_nothing_after_it() {
    let mut cluster = Cluster::settled(3);
    cluster.hold(s(3), s(1));
    cluster.propose(s(1), "a");
    cluster.settle();
    let late = cluster.take(s(3), s(1), 0);
    assert!(matches!(&late, Message::AppendEntriesResponse(m) if matches!(m.outcome, AppendOutcome::Matched(_))));
    cluster.drop_everything();
    cluster.crash(s(3));
    cluster.change(s(1), set(&[1, 2]), set(&[]));
    cluster.run(ms(500));
    cluster.change(s(1), set(&[1, 2]), set(&[3]));
    cluster.settle();
    cluster.arrive(s(3), s(1), late);
    assert_eq!(cluster.matched(s(1), s(3)), 0, "that disk is gone");
}

/// S1 leads, cut off; S2 was elected with the vote of S3 and has committed "x" with it; then S3 has
/// lost its disk, and hears S1.
fn a_stale_leader_and_a_new_disk() -> Cluster {
    let mut cluster = Cluster::settled(3);
    cluster.isolate(s(1));
    cluster.sleep(ms(160));
    cluster.campaign(s(2));
    cluster.settle();
    cluster.propose(s(2), "x");
    cluster.settle();
    assert_eq!(cluster.applied(s(2)), ["x"]);
    cluster.crash(s(3));
    cluster.isolate(s(2));
    cluster.restart_wiped(s(3));
    cluster.mend(s(1), s(3));
    cluster.mend(s(3), s(1));
    cluster.fire_timer(s(1));
    cluster
}

#[test]
fn a_stale_leader_commits_nothing_with_a_disk_that_has_forgotten_its_successor() {
    let mut cluster = a_stale_leader_and_a_new_disk();
    cluster.settle();
    cluster.propose(s(1), "y");
    cluster.settle();
    assert!(cluster.leads(s(1)));
    assert_eq!(cluster.applied(s(1)), [""; 0]);
}

#[test]
fn a_stale_leader_confirms_no_read_with_a_disk_that_has_forgotten_its_successor() {
    let mut cluster = a_stale_leader_and_a_new_disk();
    let asked_at_once = cluster.read(s(1));
    cluster.settle();
    for read in [asked_at_once, cluster.read(s(1)), cluster.lease_read(s(1))] {
        cluster.settle();
        assert!(!matches!(cluster.answer(read), Some(Answer::Read(_))), "x was answered before");
    }
}

/// The leader knows that S3 may not vote; then something comes that S3 said on the disk before.
#[test]
fn what_the_disk_before_acknowledged_says_nothing_of_the_new_ones_vote() {
    let mut cluster = Cluster::new(3);
    cluster.sleep(ms(150));
    cluster.hold(s(3), s(1));
    cluster.campaign(s(1));
    cluster.settle();
    cluster.run(ms(50));
    let matched = |message: &Message| matches!(message, Message::AppendEntriesResponse(m) if matches!(m.outcome, AppendOutcome::Matched(_)));
    let late = cluster.on_the_way(s(3), s(1)).into_iter().find(matched).expect("it has acknowledged something");
    cluster.drop_everything();
    cluster.let_go(s(3), s(1));
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    cluster.run(ms(300));
    for late in [None, Some(late)] {
        if let Some(late) = late {
            cluster.arrive(s(3), s(1), late);
        }
        let change = cluster.change(s(1), set(&[1, 3]), set(&[]));
        assert_eq!(cluster.refusal(change), Refusal::NotAdmitted { server: s(3) });
    }
}

/// The leader has just been told that S3 has nothing any more, and not yet whether it may vote.
#[test]
fn whose_loss_was_told_is_not_taken_for_a_voter_that_votes() {
    let mut cluster = Cluster::led(3);
    cluster.propose(s(1), "a");
    cluster.run(ms(100));
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    cluster.drop_everything();
    cluster.propose(s(1), "b");
    cluster.deliver(s(1), s(3));
    let told = cluster.deliver(s(3), s(1));
    assert!(matches!(told, Message::AppendEntriesResponse(m) if matches!(m.outcome, AppendOutcome::Damaged { .. })));
    let change = cluster.change(s(1), set(&[1, 3]), set(&[]));
    assert_eq!(cluster.refusal(change), Refusal::NotAdmitted { server: s(3) });
}

/// S3 is being sent a snapshot when it loses its disk, and the new one goes on taking pieces. Then
/// something comes that the disk before said long ago.
#[test]
fn what_the_disk_before_acknowledged_says_nothing_of_one_that_takes_a_snapshot() {
    let small = |config: &mut Config| {
        config.entries_kept = 0;
        config.snapshot_piece_max = 4;
    };
    let mut cluster = Cluster::with(3).config(small).led();
    cluster.run(ms(50));
    cluster.hold(s(1), s(3));
    cluster.hold(s(3), s(1));
    cluster.run(ms(60));
    cluster.deliver_all(s(1), s(3));
    let matched = |message: &Message| matches!(message, Message::AppendEntriesResponse(m) if matches!(m.outcome, AppendOutcome::Matched(_)));
    let late = cluster.on_the_way(s(3), s(1)).into_iter().find(matched).expect("it has acknowledged something");
    cluster.propose(s(1), "a long command");
    // Nothing is kept for who is silent.
    cluster.run(ms(700));
    cluster.snapshot(s(1));
    cluster.drop_everything();
    let is_piece = |message: &Message| matches!(message, Message::InstallSnapshot(_));
    for _ in 0..20 {
        if cluster.on_the_way(s(1), s(3)).iter().any(is_piece) {
            break;
        }
        cluster.run(ms(50));
        cluster.deliver_all(s(1), s(3));
        cluster.deliver_all(s(3), s(1));
    }
    // It has voted for S2, say.
    cluster.crash(s(3));
    cluster.restart_wiped(s(3));
    cluster.isolate(s(2));
    let read = cluster.read(s(1));
    for _ in 0..3 {
        for piece in cluster.on_the_way(s(1), s(3)).into_iter().filter(is_piece) {
            cluster.arrive(s(1), s(3), piece);
        }
        let answers = cluster.on_the_way(s(3), s(1));
        cluster.drop_everything();
        for answer in answers {
            cluster.arrive(s(3), s(1), answer);
        }
    }
    cluster.arrive(s(3), s(1), late);
    assert!(!matches!(cluster.answer(read), Some(Answer::Read(_))), "{}", cluster.status());
}
