//! Notable moments: those that a person can jump to, and that are painted on the tape.
//!
//! A branch keeps at most [`KEPT_MAX`] of them. When there are more, every second one of the most
//! routine kinds is left out, of those kept so far and of those still to come;
//! [`Branch::kept_of`](super::Branch::kept_of) says so.

use alloc::string::{String, ToString};
use core::fmt;

use crate::kv::Request;
use crate::raft::{Observation, ServerId};
use crate::shared::Shared;
use crate::sim::{ClientId, MomentKind, News, OperationRecord, Simulation, What};
use crate::time::Time;

/// The most moments a branch keeps.
pub const KEPT_MAX: usize = 16_384;

/// Something worth jumping to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub time: Time,
    /// The number of the event that brought it.
    pub event: u64,
    /// What.
    pub kind: MomentKind,
    /// The server it is about, if there is one.
    pub server: Option<ServerId>,
    /// The client it is about, if there is one.
    pub client: Option<ClientId>,
    /// The term of a campaign or an election, the index of a commit or a membership, the number of
    /// an operation, or the number of the life that a restart begins; else 0.
    pub number: u64,
}

impl MomentKind {
    const fn rank(self) -> Rank {
        match self {
            MomentKind::Commit | MomentKind::WriteBegan | MomentKind::WriteEnded => Rank::Routine,
            MomentKind::Election | MomentKind::Membership => Rank::Lasting,
            MomentKind::Violation => Rank::Last,
            _ => Rank::Frequent,
        }
    }
}

/// What is left out first when there are too many.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Routine,
    Frequent,
    Lasting,
    /// There is only one, and it stays.
    Last,
}

/// The moment that a piece of news is, if it is notable. `world` is the world right after the
/// event.
pub(super) fn notable(world: &Simulation, news: &News) -> Option<Moment> {
    let moment = |kind, number| Moment {
        time: news.at,
        event: world.events(),
        kind,
        server: news.server(),
        client: None,
        number,
    };
    Some(match &news.what {
        What::Observed(server, observation) => match observation {
            Observation::Campaigned { term, pre_vote: false, .. } => moment(MomentKind::Campaign, term.0),
            Observation::BecameLeader { term, .. } => moment(MomentKind::Election, term.0),
            // A follower learns of a commit from its leader, and doesn't know which servers hold
            // the entry.
            Observation::Committed { to, by, .. } if !by.is_empty() => moment(MomentKind::Commit, to.0),
            Observation::MembershipEntered { index, .. } if leads(world, *server) => {
                moment(MomentKind::Membership, index.0)
            }
            Observation::MembershipReverted { .. } => moment(MomentKind::Membership, 0),
            _ => return None,
        },
        What::Started(_, life) if *life > 1 => moment(MomentKind::Restart, u64::from(*life)),
        What::Began(operation) if is_write(operation) => {
            Moment { client: Some(operation.client), ..moment(MomentKind::WriteBegan, u64::from(operation.number)) }
        }
        What::Ended(operation) if is_write(operation) => {
            Moment { client: Some(operation.client), ..moment(MomentKind::WriteEnded, u64::from(operation.number)) }
        }
        _ => moment(news.moment()?, 0),
    })
}

/// The moment at which a property was violated.
pub(super) fn violation(world: &Simulation) -> Option<Moment> {
    let (time, event) = (world.violation()?.at, world.events());
    Some(Moment { time, event, kind: MomentKind::Violation, server: None, client: None, number: 0 })
}

fn is_write(operation: &OperationRecord) -> bool {
    matches!(operation.request, Request::Write(_))
}

fn leads(world: &Simulation, server: ServerId) -> bool {
    world.machine(server).and_then(|machine| machine.raft()).is_some_and(|raft| raft.is_leader())
}

/// A branch's moments, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    kept: Shared<Moment>,
    /// How often the moments of each rank except the last have been halved.
    halved: [u8; Rank::Last as usize],
    /// How many of each kind there were.
    seen: [u32; MomentKind::ALL.len()],
}

impl Moments {
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Moment> {
        self.kept.iter()
    }

    /// One of this many moments of a kind is kept.
    pub(super) fn every(&self, kind: MomentKind) -> u32 {
        self.halved.get(kind.rank() as usize).map_or(1, |halved| 1 << u32::from(*halved).min(31))
    }

    pub(super) fn note(&mut self, moment: Moment) {
        let every = self.every(moment.kind);
        let seen = &mut self.seen[moment.kind as usize];
        *seen = seen.wrapping_add(1);
        if seen.wrapping_sub(1).is_multiple_of(every) {
            self.kept.push(moment);
            if self.kept.len() > KEPT_MAX {
                self.thin();
            }
        }
    }

    /// Makes room for a quarter more: leaves out the most routine moments first.
    fn thin(&mut self) {
        for rank in [Rank::Routine, Rank::Frequent, Rank::Lasting] {
            let count = |moments: &Moments| moments.iter().filter(|moment| moment.kind.rank() == rank).count();
            while self.kept.len() > KEPT_MAX / 4 * 3 && count(self) > KEPT_MAX / 8 {
                self.halve(rank);
            }
        }
    }

    /// Leaves out every second moment of each kind of this rank.
    fn halve(&mut self, rank: Rank) {
        self.halved[rank as usize] += 1;
        let mut met = [0_u32; MomentKind::ALL.len()];
        let mut kept = Shared::default();
        for moment in self.kept.iter() {
            let met = &mut met[moment.kind as usize];
            *met += 1;
            if moment.kind.rank() != rank || !met.is_multiple_of(2) {
                kept.push(*moment);
            }
        }
        self.kept = kept;
    }

    pub(super) fn forget_after(&mut self, event: u64) {
        self.kept.truncate(self.kept.partition_point(|moment| moment.event <= event));
    }

    /// The first of these kinds after an event.
    pub(super) fn after(&self, event: u64, kinds: &[MomentKind]) -> Option<Moment> {
        let first = self.kept.partition_point(|moment| moment.event <= event);
        (first..self.kept.len()).filter_map(|place| self.kept.get(place)).find(|m| kinds.contains(&m.kind)).copied()
    }

    /// The last of these kinds before an event.
    pub(super) fn before(&self, event: u64, kinds: &[MomentKind]) -> Option<Moment> {
        let end = self.kept.partition_point(|moment| moment.event < event);
        (0..end).rev().filter_map(|place| self.kept.get(place)).find(|m| kinds.contains(&m.kind)).copied()
    }

    /// The moments from one time to another, both included.
    pub(super) fn between(&self, from: Time, to: Time) -> impl Iterator<Item = &Moment> {
        let first = self.kept.partition_point(|moment| moment.time < from);
        (first..self.kept.len()).filter_map(|place| self.kept.get(place)).take_while(move |moment| moment.time <= to)
    }
}

/// A label: `S3 leads term 5`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match (self.server, self.client) {
            (Some(server), _) => server.to_string(),
            (None, Some(client)) => client.to_string(),
            (None, None) => String::new(),
        };
        let number = self.number;
        match self.kind {
            MomentKind::Campaign => write!(f, "{who} campaigns for term {number}"),
            MomentKind::Election => write!(f, "{who} leads term {number}"),
            MomentKind::Commit => write!(f, "{who} committed up to {number}"),
            MomentKind::WriteBegan => write!(f, "{who} began write {number}"),
            MomentKind::WriteEnded => write!(f, "{who} ended write {number}"),
            MomentKind::Crash => write!(f, "{who} crashed"),
            MomentKind::Restart => write!(f, "{who} restarted"),
            MomentKind::Pause => write!(f, "{who} is paused"),
            MomentKind::Resume => write!(f, "{who} runs again"),
            MomentKind::Clock => write!(f, "{who}’s clock is changed"),
            MomentKind::Disk => write!(f, "{who}’s disk is changed"),
            MomentKind::Cut if self.server.is_some() => write!(f, "{who} is cut off"),
            MomentKind::Cut => f.write_str("links are cut"),
            MomentKind::Heal => f.write_str("links work again"),
            MomentKind::Network => f.write_str("the network has changed"),
            MomentKind::Membership if number == 0 => write!(f, "{who} went back to an earlier membership"),
            MomentKind::Membership => write!(f, "{who} put the membership at {number} into force"),
            MomentKind::Violation => f.write_str("a property is violated"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn moment(event: u64, kind: MomentKind) -> Moment {
        Moment { time: Time::from_millis(event), event, kind, server: ServerId::new(3), client: None, number: 5 }
    }

    #[test]
    fn when_there_are_too_many_the_routine_ones_go_first_and_it_says_so() {
        let mut moments = Moments::default();
        let kinds = |moments: &Moments, kind| moments.iter().filter(|m| m.kind == kind).count();
        for event in 1..=200_000 {
            let kind = match event {
                e if e % 1_000 == 0 => MomentKind::Election,
                e if e % 100 == 0 => MomentKind::Crash,
                e if e % 2 == 0 => MomentKind::Commit,
                _ => MomentKind::WriteBegan,
            };
            moments.note(moment(event, kind));
            assert!(moments.kept.len() <= KEPT_MAX);
        }
        assert_eq!(kinds(&moments, MomentKind::Election), 200);
        assert_eq!(kinds(&moments, MomentKind::Crash), 1_800);
        assert_eq!((moments.every(MomentKind::Crash), moments.every(MomentKind::Violation)), (1, 1));
        let every = moments.every(MomentKind::Commit) as usize;
        assert_eq!(every, 16);
        assert!(kinds(&moments, MomentKind::Commit).abs_diff(98_000 / every) < 5, "old and new are as thin");
        assert!(moments.iter().map(|m| m.event).is_sorted());

        for event in 200_001..=400_000 {
            moments.note(moment(event, MomentKind::Election));
            assert!(moments.kept.len() <= KEPT_MAX);
        }
        moments.note(moment(400_001, MomentKind::Violation));
        assert!(moments.every(MomentKind::Election) > 1);
        assert_eq!(moments.iter().next_back().map(|m| m.kind), Some(MomentKind::Violation));
    }

    #[test]
    fn the_next_and_the_previous_are_found_and_neither_is_the_present_one() {
        use MomentKind::{Crash, Election};
        let mut moments = Moments::default();
        for (event, kind) in [(10, Election), (20, Crash), (20, Election), (30, Crash)] {
            moments.note(moment(event, kind));
        }
        let after = |event, kinds: &[_]| moments.after(event, kinds).map(|m| m.event);
        let before = |event, kinds: &[_]| moments.before(event, kinds).map(|m| m.event);
        assert_eq!((after(0, &[Election]), after(10, &[Election]), after(20, &[Election])), (Some(10), Some(20), None));
        assert_eq!(
            (before(20, &[Election]), before(30, &[Election]), before(10, &[Election])),
            (Some(10), Some(20), None)
        );
        assert_eq!((after(20, &[Election, Crash]), after(20, &[])), (Some(30), None));
        assert_eq!(moments.between(Time::from_millis(20), Time::from_millis(30)).count(), 3);
        let mut earlier = moments.clone();
        earlier.forget_after(20);
        assert_eq!(earlier.iter().map(|m| m.event).collect::<Vec<_>>(), [10, 20, 20]);
        assert_eq!(moments.iter().next().unwrap().to_string(), "S3 leads term 5");
    }
}
