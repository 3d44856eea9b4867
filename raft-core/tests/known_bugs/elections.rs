//! Terms, votes, pre-votes, and who gets to lead.

use crate::support::{Cluster, s};

#[test]
fn a_pre_vote_of_a_voter_in_an_older_term_counts() {
    let mut cluster = Cluster::with(3).log(s(1), 7, &[1, 1]).log(s(2), 5, &[1]).start();
    cluster.crash(s(3));
    cluster.elect(s(1));
    assert_eq!(cluster.term(s(2)), 8);
}
