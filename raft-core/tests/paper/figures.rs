//! Figure 7: the logs that a leader of term 8 may find, and how it brings each into line.

use crate::support::{Cluster, id, ms, s};

/// The leader's log, at the top of the figure.
const LEADER: [u64; 10] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];

/// The follower's log, and the term it may have been in.
fn brought_into_line(follower: &[u64], term: u64) {
    // S1 is elected for term 8 with the votes of S3 and S4, whose logs are its own; S2 is the
    // follower of the figure.
    let mut cluster = Cluster::with(4).log(s(1), 7, &LEADER).log(s(2), term, follower);
    for voter in [s(3), s(4)] {
        cluster = cluster.log(voter, 7, &LEADER);
    }
    let mut cluster = cluster.led();
    assert_eq!(cluster.term(s(1)), 8);
    cluster.run(ms(100));
    let mut expected = LEADER.to_vec();
    expected.push(8);
    for server in cluster.servers() {
        assert_eq!(cluster.terms(server), expected, "{server}");
        assert_eq!((cluster.commit(server), cluster.last(server)), (11, id(11, 8)));
        assert_eq!(cluster.applied(server), cluster.applied(s(1)));
    }
    // And it stays so when the power fails.
    cluster.crash(s(2));
    cluster.restart(s(2));
    assert_eq!(cluster.terms(s(2)), expected);
}

#[test]
fn figure_7_a_a_follower_that_misses_the_last_entry_gets_it() {
    brought_into_line(&[1, 1, 1, 4, 4, 5, 5, 6, 6], 6);
}

#[test]
fn figure_7_b_a_follower_that_misses_many_entries_gets_them() {
    brought_into_line(&[1, 1, 1, 4], 4);
}

#[test]
fn figure_7_c_an_extra_entry_of_the_same_term_goes() {
    brought_into_line(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6], 6);
}

#[test]
fn figure_7_d_extra_entries_of_a_later_term_go() {
    brought_into_line(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7], 7);
}

#[test]
fn figure_7_e_entries_too_many_and_too_few_are_put_right() {
    brought_into_line(&[1, 1, 1, 4, 4, 4, 4], 4);
}

#[test]
fn figure_7_f_the_uncommitted_entries_of_two_terms_are_replaced() {
    brought_into_line(&[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3], 3);
}

#[test]
fn figure_7_all_followers_at_once() {
    let logs: [(u64, &[u64]); 6] = [
        (6, &[1, 1, 1, 4, 4, 5, 5, 6, 6]),
        (4, &[1, 1, 1, 4]),
        (6, &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]),
        (7, &[1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]),
        (4, &[1, 1, 1, 4, 4, 4, 4]),
        (3, &[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]),
    ];
    let mut cluster = Cluster::with(7).log(s(1), 7, &LEADER);
    for (number, (term, log)) in (2..).zip(logs) {
        cluster = cluster.log(s(number), term, log);
    }
    let mut cluster = cluster.start();
    // "A scenario like this can occur": a, b, e and f vote for it, c and d don't.
    cluster.elect(s(1));
    cluster.run(ms(100));
    for server in cluster.servers() {
        assert_eq!(cluster.terms(server), [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8], "{server}");
        assert_eq!(cluster.commit(server), 11);
    }
}
