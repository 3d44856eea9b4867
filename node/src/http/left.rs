//! Whether the voters that are left without a server are a majority that is there. Without one, the
//! cluster could neither commit the removal nor anything after it, and nobody could undo it.

use raft_core::raft::{ServerId, ServerSet};
use tokio::time::timeout;

use super::App;
use super::cluster::SEEN_MAX;
use crate::driver::Status;
use crate::peers::PeerReport;

/// The voters of a membership to come, by whether they are there, as the leader sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    voters: ServerSet,
    /// Those that answer and may vote.
    voting: ServerSet,
    /// Those that answer and may not vote, or haven't said yet whether they may.
    barred: ServerSet,
}

impl Left {
    /// What is left without a server. What is connected may stand still, and what answered a moment
    /// ago may be gone: only both together count.
    fn without(server: ServerId, status: &Status, peers: &[PeerReport]) -> Left {
        let voters = status.configuration.voters.difference(std::iter::once(server).collect());
        let connected: ServerSet =
            peers.iter().filter(|peer| peer.connected && !peer.denied).map(|peer| peer.id).collect();
        let there = status.followers.iter().filter(|follower| follower.answers && connected.contains(follower.server));
        let (mut voting, mut barred) = (ServerSet::EMPTY, ServerSet::EMPTY);
        for follower in there {
            let set = if follower.may_vote == Some(true) { &mut voting } else { &mut barred };
            set.insert(follower.server);
        }
        voting.insert(status.server);
        Left { voters, voting: voting.intersection(voters), barred: barred.intersection(voters) }
    }

    fn is_majority(self) -> bool {
        self.voting.len() * 2 > self.voters.len()
    }

    /// Why it is none, and what to do first.
    fn sentence(self, server: ServerId) -> String {
        let absent = self.voters.difference(self.voting).difference(self.barred);
        let mut lacks = Vec::new();
        if !absent.is_empty() {
            lacks.push(format!("{} {} answer", names(absent), if absent.len() == 1 { "doesn't" } else { "don't" }));
        }
        if !self.barred.is_empty() {
            lacks.push(format!("{} may not vote", names(self.barred)));
        }
        let (is, number) = (if self.voters.len() == 1 { "voter is" } else { "voters are" }, server.number());
        format!(
            "without {server} the {is} {}, and {}: that is no majority, and nobody could lead any more. Nothing was \
             changed: remove {} first, or bring back what is missing; or say that nobody is to look (raftarium members \
             remove {number} --unseen, ?unseen=true)",
            names(self.voters),
            lacks.join(", and "),
            names(self.voters.difference(self.voting)),
        )
    }
}

/// Servers by name: `S1, S2 and S3`.
fn names(servers: ServerSet) -> String {
    let mut names: Vec<_> = servers.iter().map(|server| server.to_string()).collect();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// Why a server mustn't be taken out now, and what to do first; none if it may. A leader that has
/// just begun waits a moment until it has heard the others.
pub(super) async fn hindrance(app: &App, server: ServerId) -> Option<String> {
    let left = |status: &Status| Left::without(server, status, &app.peers.report());
    let now = app.handle.status();
    // The last voter can't be removed at all, and a learner isn't missed.
    if !now.configuration.is_voter(server) || left(&now).voters.is_empty() {
        return None;
    }
    let mut status = app.handle.watch();
    let may_be_done = status.wait_for(|status| !status.leads() || left(status).is_majority());
    match timeout(SEEN_MAX, may_be_done).await {
        Ok(_) => None,
        Err(_) => Some(left(&app.handle.status()).sentence(server)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[u8]) -> ServerSet {
        numbers.iter().filter_map(|number| ServerId::new(*number)).collect()
    }

    #[test]
    fn a_majority_of_those_that_are_left_must_be_there_and_vote() {
        let left = |voters: &[u8], voting: &[u8], barred: &[u8]| {
            let left = Left { voters: set(voters), voting: set(voting), barred: set(barred) };
            (!left.is_majority()).then(|| left.sentence(ServerId::new(2).unwrap()))
        };
        assert_eq!(left(&[1, 3], &[1, 3], &[]), None);
        assert_eq!(left(&[1, 3, 4], &[1, 4], &[3]), None);
        let why = left(&[1, 3], &[1], &[]).unwrap();
        assert!(why.starts_with("without S2 the voters are S1 and S3, and S3 doesn't answer: that is no"), "{why}");
        assert!(why.contains("remove S3 first") && why.contains("members remove 2 --unseen"), "{why}");
        let why = left(&[1, 3, 4, 5], &[1, 5], &[3]).unwrap();
        assert!(why.contains("S1, S3, S4 and S5, and S4 doesn't answer, and S3 may not vote:"), "{why}");
        assert!(why.contains("remove S3 and S4 first"), "{why}");
        assert!(left(&[1], &[], &[]).unwrap().contains("the voter is S1, and S1 doesn't answer"));
    }
}
