//! Reads that are not written to the log.

use raft_core::raft::Message;

use crate::support::{Answer, Cluster, ms, s};

/// S2 hears S1, on whose patience S1's lease rests, but learns of a later term by accident. The candidate of that term asks for
/// its vote then.
#[test]
fn a_voter_that_hears_a_leader_does_not_vote_even_in_its_own_term() {
    let mut cluster = Cluster::with(3).config(|config| config.pre_vote = false).start();
    cluster.sleep(ms(150));
    cluster.campaign(s(2));
    let late = cluster.take(s(2), s(3), 0);
    cluster.drop_everything();
    cluster.elect(s(1));
    cluster.run(ms(60));
    cluster.cut_both(s(1), s(3));
    cluster.hold(s(3), s(2));
    let term = cluster.term(s(1));
    cluster.time_out(s(3));
    assert_eq!(cluster.term(s(3)), term + 1, "S3 hears nobody and campaigns");
    // S3 refuses an old question of S2's, which tells S2 the term; only then S3's own question arrives.
    cluster.arrive(s(2), s(3), late);
    assert!(matches!(cluster.deliver_nth(s(3), s(2), 1), Message::RequestVoteResponse(_)));
    assert_eq!(cluster.term(s(2)), term + 1);
    assert!(matches!(cluster.deliver(s(3), s(2)), Message::RequestVote(_)));
    cluster.isolate(s(1));
    cluster.let_go(s(3), s(2));
    cluster.settle();
    if cluster.leads(s(3)) {
        cluster.propose(s(3), "x=1");
        cluster.settle();
    }
    let read = cluster.lease_read(s(1));
    if let Some(Answer::Read(seen)) = cluster.answer(read) {
        assert_eq!(seen, cluster.applied(s(3)), "S1 answers under its lease what S3 has changed");
    }
}
