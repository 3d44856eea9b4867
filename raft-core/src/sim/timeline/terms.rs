//! The terms of a branch: when each began, which server led it, and from when to when.

use crate::raft::{Observation, ServerId, Term};
use crate::shared::Shared;
use crate::sim::{News, What};
use crate::time::Time;

/// The most terms that a branch remembers. Beyond it, terms without a leader are forgotten first.
const KEPT_MAX: usize = 8_192;

/// A term, from when the first server entered it. It lasts until the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) term: Term,
    pub(super) began: Time,
    event: u64,
    pub(super) led: Option<Lead>,
}

/// A leadership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lead {
    pub(super) leader: ServerId,
    pub(super) since: Time,
    event: u64,
    /// When it crashed or stepped down, and at which event.
    pub(super) until: Option<(Time, u64)>,
}

/// All of them, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    spans: Shared<Span>,
}

impl Terms {
    /// Takes in a piece of news, which `event` brought.
    pub(super) fn note(&mut self, news: &News, event: u64) {
        let at = news.at;
        match news.what {
            What::Observed(_, Observation::Campaigned { term, pre_vote: false, .. })
            | What::Observed(_, Observation::TermAdopted { to: term, .. }) => self.begin(term, at, event),
            What::Observed(leader, Observation::BecameLeader { term, .. }) => {
                self.begin(term, at, event);
                let led = Lead { leader, since: at, event, until: None };
                let place = self.spans.partition_point(|span| span.term < term);
                if let Some(span) = self.spans.get_mut(place).filter(|span| span.term == term) {
                    span.led = Some(led);
                }
            }
            What::Observed(server, Observation::BecameFollower { .. }) | What::Crashed(server, ..) => {
                self.end(server, at, event);
            }
            _ => {}
        }
    }

    fn begin(&mut self, term: Term, began: Time, event: u64) {
        if self.spans.iter().next_back().is_some_and(|span| span.term >= term) {
            return;
        }
        if self.spans.len() == KEPT_MAX {
            self.thin();
        }
        self.spans.push(Span { term, began, event, led: None });
    }

    /// A server no longer leads, if it did.
    fn end(&mut self, server: ServerId, at: Time, event: u64) {
        let mut latest = (0..self.spans.len()).rev();
        let leads = |span: &Span| span.led.is_some_and(|led| led.leader == server);
        let Some(place) = latest.find(|place| self.spans.get(*place).is_some_and(leads)) else { return };
        // A leadership that has ended isn't written to, so that its chunk stays shared.
        if self.spans.get(place).and_then(|span| span.led).is_some_and(|led| led.until.is_none())
            && let Some(led) = self.spans.get_mut(place).and_then(|span| span.led.as_mut())
        {
            led.until = Some((at, event));
        }
    }

    fn thin(&mut self) {
        let mut kept = Shared::default();
        let led = self.spans.iter().filter(|span| span.led.is_some()).count();
        for (place, span) in self.spans.iter().enumerate() {
            if (span.led.is_some() && led < KEPT_MAX / 4 * 3) || place.is_multiple_of(2) {
                kept.push(*span);
            }
        }
        self.spans = kept;
    }

    pub(super) fn forget_after(&mut self, event: u64) {
        self.spans.truncate(self.spans.partition_point(|span| span.event <= event));
        for place in 0..self.spans.len() {
            let Some(led) = self.spans.get(place).and_then(|span| span.led) else { continue };
            let until = led.until.filter(|(_, ended)| *ended <= event);
            let known = (led.event <= event).then_some(Lead { until, ..led });
            if known != Some(led)
                && let Some(span) = self.spans.get_mut(place)
            {
                span.led = known;
            }
        }
    }

    /// The terms that were current at some time between these two.
    pub(super) fn between(&self, from: Time, to: Time) -> impl Iterator<Item = &Span> {
        let first = self.spans.partition_point(|span| span.began <= from).saturating_sub(1);
        (first..self.spans.len()).filter_map(|place| self.spans.get(place)).take_while(move |span| span.began <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::{CampaignReason, ServerSet};
    use alloc::vec::Vec;

    fn campaigned(term: u64) -> Observation {
        Observation::Campaigned { term: Term(term), pre_vote: false, why: CampaignReason::Asked }
    }

    fn won(term: u64) -> Observation {
        Observation::BecameLeader { term: Term(term), votes: ServerSet::first(3) }
    }

    fn noted(list: &[(u64, u8, Observation)]) -> Terms {
        let mut terms = Terms::default();
        for (event, server, observation) in list {
            let what = What::Observed(ServerId::new(*server).unwrap(), *observation);
            terms.note(&News { at: Time::from_millis(*event), what }, *event);
        }
        terms
    }

    #[test]
    fn a_term_begins_once_and_is_led_by_one() {
        let mut terms = noted(&[
            (10, 1, campaigned(1)),
            (20, 1, won(1)),
            (30, 2, campaigned(2)),
            (31, 3, campaigned(2)),
            (40, 2, campaigned(3)),
            (50, 2, won(3)),
        ]);
        terms.note(&News { at: Time::from_millis(60), what: What::Crashed(ServerId::new(2).unwrap(), 0) }, 60);
        let seen = |terms: &Terms| {
            let all = terms.between(Time::ZERO, Time::NEVER);
            all.map(|s| (s.term.0, s.event, s.led.map(|l| (l.leader.number(), l.event, l.until.map(|u| u.1)))))
                .collect::<Vec<_>>()
        };
        let all = [(1, 10, Some((1, 20, None))), (2, 30, None), (3, 40, Some((2, 50, Some(60))))];
        assert_eq!(seen(&terms), all);
        let current = |from, to| terms.between(Time::from_millis(from), Time::from_millis(to)).count();
        assert_eq!((current(0, 5), current(15, 20), current(15, 30), current(99, 99)), (0, 1, 2, 1));

        terms.forget_after(50);
        assert_eq!(seen(&terms)[2], (3, 40, Some((2, 50, None))));
        terms.forget_after(49);
        assert_eq!(seen(&terms)[2], (3, 40, None));
        terms.forget_after(39);
        assert_eq!(seen(&terms), all[..2]);
    }

    #[test]
    fn terms_without_a_leader_are_forgotten_first() {
        let mut terms = Terms::default();
        for term in 1..=3 * KEPT_MAX as u64 {
            terms.note(
                &News {
                    at: Time::from_millis(term),
                    what: What::Observed(ServerId::new(1).unwrap(), campaigned(term)),
                },
                term,
            );
            if term % 10 == 0 {
                let what = What::Observed(ServerId::new(1).unwrap(), won(term));
                terms.note(&News { at: Time::from_millis(term), what }, term);
            }
            assert!(terms.spans.len() <= KEPT_MAX);
        }
        assert_eq!(terms.spans.iter().filter(|span| span.led.is_some()).count(), 3 * KEPT_MAX / 10);
    }
}
