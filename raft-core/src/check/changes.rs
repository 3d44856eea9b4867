//! Lawful membership: what must hold before a leader appends a membership (Raft §6).
//!
//! A membership is in force as soon as it is appended, committed or not. So at any time some
//! servers use one membership and some the next, and every majority of the one must share a server
//! with every majority of the other. That holds if
//! * the membership before is committed: no server can then win an election by an older one;
//! * the leader has committed an entry of its own term: otherwise a membership that a former leader
//!   appended may still be in force elsewhere (raft-dev, 10 July 2015);
//! * each new voter was a learner before, and so has the log (dissertation §4.2.1);
//! * a change of more than one voter goes through a joint membership, which needs the majorities of
//!   both.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::raft::{Configuration, Image, LogIndex, Payload, Raft, ServerSet};

/// The memberships of a log, oldest first, each with the entry that brought it. They are computed
/// from the log; the checker doesn't ask the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Memberships {
    /// The first is the one with which the log begins.
    known: Vec<(LogIndex, Configuration)>,
}

impl Memberships {
    pub(super) fn new(bootstrap: Configuration) -> Memberships {
        Memberships { known: alloc::vec![(LogIndex::ZERO, bootstrap)] }
    }

    /// The memberships in a disk's log. The log begins with `first`.
    pub(super) fn of_disk(image: &Image, first: (LogIndex, Configuration)) -> Memberships {
        let mut memberships = Memberships { known: alloc::vec![first] };
        let mut index = image.log().base().index;
        for entry in image.log().iter_from(image.log().first_index()) {
            index = index.next();
            if let Payload::Membership(configuration) = &entry.payload {
                memberships.append((index, **configuration));
            }
        }
        memberships
    }

    /// The membership in force.
    pub(super) fn latest(&self) -> (LogIndex, Configuration) {
        self.known.last().copied().unwrap_or_default()
    }

    /// The membership in force in a log that ends at `index`.
    pub(super) fn at(&self, index: LogIndex) -> (LogIndex, Configuration) {
        self.known.iter().rfind(|(at, _)| *at <= index).copied().unwrap_or_default()
    }

    pub(super) fn append(&mut self, membership: (LogIndex, Configuration)) {
        self.known.push(membership);
    }

    /// The log now begins with a snapshot up to `last`, at whose end this membership was in force,
    /// whatever the log said before.
    pub(super) fn begin_with(&mut self, last: LogIndex, membership: (LogIndex, Configuration)) {
        self.known.retain(|(at, _)| *at > last);
        self.known.insert(0, membership);
    }

    pub(super) fn truncate_after(&mut self, last: LogIndex) {
        if self.latest().0 <= last {
            return;
        }
        let mut place = 0;
        // What the log begins with stays.
        self.known.retain(|(at, _)| {
            place += 1;
            place == 1 || *at <= last
        });
    }
}

/// Whether this leader breaks the rules when it appends `after` at `index`, where `before` has been
/// in force since `since`. If so, gives the two facts that contradict each other. `commit` is the
/// last index known to be committed; `own_commit` says whether an entry of the leader's own term
/// is.
pub(super) fn unlawful(
    raft: &Raft,
    commit: LogIndex,
    own_commit: bool,
    (since, before): (LogIndex, Configuration),
    (index, after): (LogIndex, Configuration),
) -> Option<(String, String)> {
    let (me, term) = (raft.id(), raft.term());
    let appends = format!("it appends another, {}, at {index}", describe(&after));
    if since > commit {
        let first = format!("{me}’s membership at {since} isn’t committed yet, only entries up to {commit} are");
        return Some((first, appends));
    }
    // A leader that ends a joint membership may do so at any time: the joint one is only a
    // transition.
    if !before.is_joint() && !own_commit {
        let first = format!("{me} leads term {term} and has committed no entry of that term yet");
        return Some((first, appends));
    }
    let strangers = after.voters.difference(before.all_voters()).difference(before.learners);
    if !strangers.is_empty() {
        return Some((format!("{strangers} has nothing of {me}’s log yet, because it was no learner"), appends));
    }
    if !majorities_meet(before, after) {
        let first = format!("a majority of {} need not meet one of {}", describe(&before), describe(&after));
        return Some((first, format!("{me} goes directly from the one to the other at {index}")));
    }
    None
}

/// Whether every quorum of the one has a server in common with every quorum of the other, as far as
/// the kind of change tells.
fn majorities_meet(before: Configuration, after: Configuration) -> bool {
    let enters = after.outgoing == before.voters && !before.is_joint();
    let leaves = before.is_joint() && after.voters == before.voters && !after.is_joint();
    let keeps = after.voters == before.voters && after.outgoing == before.outgoing;
    let one = !before.is_joint() && !after.is_joint() && difference(before.voters, after.voters) <= 1;
    enters || leaves || keeps || one
}

/// `S1, S2, S3`, or for a joint membership `S1, S4, S5 with S1, S2, S3`.
pub(super) fn describe(configuration: &Configuration) -> String {
    let Configuration { voters, outgoing, .. } = configuration;
    if configuration.is_joint() { format!("{voters} with {outgoing}") } else { format!("{voters}") }
}

/// How many servers are in only one of the two.
fn difference(one: ServerSet, other: ServerSet) -> usize {
    one.difference(other).len() + other.difference(one).len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::ServerId;

    fn set(numbers: &[u8]) -> ServerSet {
        numbers.iter().filter_map(|number| ServerId::new(*number)).collect()
    }

    fn simple(voters: &[u8]) -> Configuration {
        Configuration::of_voters(set(voters))
    }

    fn joint(voters: &[u8], outgoing: &[u8]) -> Configuration {
        Configuration { outgoing: set(outgoing), ..simple(voters) }
    }

    #[test]
    fn a_snapshot_replaces_what_the_log_said_of_its_time() {
        let mut memberships = Memberships::new(simple(&[1, 2, 3]));
        memberships.append((LogIndex(4), joint(&[1, 4], &[1, 2, 3])));
        memberships.append((LogIndex(9), simple(&[1, 2])));
        memberships.begin_with(LogIndex(6), (LogIndex(2), simple(&[2, 3])));
        assert_eq!(memberships.latest(), (LogIndex(9), simple(&[1, 2])));
        memberships.truncate_after(LogIndex(6));
        assert_eq!(memberships.latest(), (LogIndex(2), simple(&[2, 3])), "what was appended at 4 was another leader’s");
        memberships.truncate_after(LogIndex(1));
        assert_eq!(memberships.at(LogIndex(1)), (LogIndex::ZERO, Configuration::default()));
        assert_eq!(memberships.latest(), (LogIndex(2), simple(&[2, 3])), "what the log begins with stays");
    }

    /// Tries all sets: no two quorums are disjoint.
    fn always_meet(before: Configuration, after: Configuration) -> bool {
        let everyone = before.all_voters().union(after.all_voters());
        let members: alloc::vec::Vec<ServerId> = everyone.iter().collect();
        (0..1_u32 << members.len()).all(|side| {
            let of_one: ServerSet =
                members.iter().enumerate().filter(|(bit, _)| side & 1 << bit != 0).map(|(_, server)| *server).collect();
            !(before.has_quorum(of_one) && after.has_quorum(everyone.difference(of_one)))
        })
    }

    #[test]
    fn what_is_lawful_has_majorities_that_meet() {
        let lawful = [
            (simple(&[1, 2, 3]), joint(&[1, 4, 5], &[1, 2, 3])),
            (joint(&[1, 4, 5], &[1, 2, 3]), simple(&[1, 4, 5])),
            (simple(&[1, 2, 3]), simple(&[1, 2, 3, 4])),
            (simple(&[1, 2, 3, 4]), simple(&[1, 2, 4])),
            (simple(&[1, 2, 3]), Configuration { learners: set(&[4]), ..simple(&[1, 2, 3]) }),
        ];
        for (before, after) in lawful {
            assert!(majorities_meet(before, after) && always_meet(before, after), "{before:?} to {after:?}");
        }
    }

    #[test]
    fn what_could_be_decided_apart_is_unlawful() {
        let unlawful = [
            (simple(&[1, 2, 3]), simple(&[1, 4, 5])),
            (simple(&[1, 2, 3]), simple(&[1, 2, 3, 4, 5, 6])),
            (joint(&[1, 4, 5], &[1, 2, 3]), simple(&[2, 3, 6])),
            (simple(&[1, 2, 3]), joint(&[1, 4], &[1, 4, 5])),
        ];
        for (before, after) in unlawful {
            assert!(!majorities_meet(before, after) && !always_meet(before, after), "{before:?} to {after:?}");
        }
    }
}
