//! Places in a run, and what was done there by hand.

use crate::sim::Action;
use crate::time::Time;

/// A place in a run. Ordered by events, then by time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// How many events have been played.
    pub event: u64,
    /// Where the clock stands.
    pub time: Time,
}

/// An action that a person took, and its place among the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intervention {
    /// The position at which it was taken; it is itself the next event.
    pub after: Position,
    /// What.
    pub action: Action,
}
