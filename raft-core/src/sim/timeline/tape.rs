//! The tape: a summary of a stretch of a branch, no finer than it will be painted.

use alloc::vec::Vec;

use super::branches::Branch;
use super::moments::Moment;
use crate::raft::{ServerId, Term};
use crate::sim::MomentKind;
use crate::time::Time;

/// The most buckets a stretch is divided into.
pub const BUCKETS_MAX: u32 = 8_192;

/// A stretch of a branch: at most as many bands as buckets, and at most one mark for each kind in
/// each bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tape {
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub to: Time,
    /// How many buckets it is divided into.
    pub buckets: u32,
    /// The terms, in order. Before the first band there is no term yet.
    pub bands: Vec<Band>,
    /// What happened, by bucket.
    pub marks: Vec<TapeMark>,
    /// Whether routine moments have been left out somewhere in the branch, so that counts are too
    /// low.
    pub thinned: bool,
}

/// A term on the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// Where it begins on the tape.
    pub from: Time,
    /// Where it ends on the tape.
    pub to: Time,
    /// The term. Of several that are too short to paint, this is the last.
    pub term: Term,
    /// How many terms it stands for.
    pub terms: u32,
    /// The term's leader, if it had one, and where on the tape its leadership begins and ends.
    pub led: Option<(ServerId, Time, Time)>,
}

/// Moments of one kind in one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TapeMark {
    /// The bucket, from 0.
    pub bucket: u32,
    /// How many there are.
    pub count: u32,
    /// The first of them.
    pub first: Moment,
}

/// Summarises a stretch of a branch, in `buckets` parts (1 to [`BUCKETS_MAX`]; else the nearest).
pub(super) fn paint(branch: &Branch, from: Time, to: Time, buckets: u32) -> Tape {
    let buckets = buckets.clamp(1, BUCKETS_MAX);
    let to = to.max(from);
    let thinned = MomentKind::ALL.iter().any(|kind| branch.kept_of(*kind) > 1);
    let scale = Scale { from, to, buckets };
    Tape { from, to, buckets, bands: bands(branch, scale), marks: marks(branch, scale), thinned }
}

#[derive(Clone, Copy)]
struct Scale {
    from: Time,
    to: Time,
    buckets: u32,
}

impl Scale {
    /// The bucket of a time on the tape; the tape's end belongs to the last.
    fn bucket(self, time: Time) -> u32 {
        let length = self.to.since(self.from).as_micros().max(1);
        // Saturates, because the product doesn't fit into 64 bits on a tape of more than seventy
        // years.
        let bucket = time.since(self.from).as_micros().saturating_mul(u64::from(self.buckets)) / length;
        (bucket as u32).min(self.buckets - 1)
    }

    fn clip(self, time: Time) -> Time {
        time.clamp(self.from, self.to)
    }
}

fn bands(branch: &Branch, scale: Scale) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    let end = branch.end().time;
    if end < scale.from {
        return bands;
    }
    let mut spans = branch.terms.between(scale.from, scale.to.min(end)).peekable();
    while let Some(span) = spans.next() {
        let from = scale.clip(span.began);
        let next = spans.peek().map_or(end, |next| next.began);
        let led = span.led.and_then(|led| {
            let until = led.until.map_or(next, |(until, _)| until.min(next));
            // A server that wins a term after the next term has begun leads none that the tape
            // shows.
            let seen = led.since <= scale.to.min(next) && until >= scale.from;
            seen.then(|| (led.leader, scale.clip(led.since), scale.clip(until)))
        });
        let band = Band { from, to: scale.clip(next), term: span.term, terms: 1, led };
        match bands.last_mut() {
            Some(last) if scale.bucket(last.from) == scale.bucket(from) => {
                *last = Band { from: last.from, terms: last.terms + 1, ..band };
            }
            _ => bands.push(band),
        }
    }
    bands
}

fn marks(branch: &Branch, scale: Scale) -> Vec<TapeMark> {
    let mut marks: Vec<TapeMark> = Vec::new();
    // The place of the latest mark of each kind.
    let mut latest = [usize::MAX; MomentKind::ALL.len()];
    for moment in branch.moments.between(scale.from, scale.to) {
        let bucket = scale.bucket(moment.time);
        let place = &mut latest[moment.kind as usize];
        match marks.get_mut(*place) {
            Some(mark) if mark.bucket == bucket => mark.count += 1,
            _ => {
                *place = marks.len();
                marks.push(TapeMark { bucket, count: 1, first: *moment });
            }
        }
    }
    marks
}
