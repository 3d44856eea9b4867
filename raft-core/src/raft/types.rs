//! The small types: [`Term`], [`LogIndex`], [`EntryId`], [`ServerId`], [`ServerSet`].
//!
//! Each is a type of its own, so that an index is never taken for a term, or either of them for a
//! server.

use core::fmt;

/// A term: Raft's logical clock, numbered with consecutive integers (Raft §5.1). Zero is before any
/// election.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term(pub u64);

/// A position in the log; the first entry has index 1, and 0 is "before the log" (Raft Figure 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogIndex(pub u64);

/// An entry's identity: no two different entries of a cluster share both index and term (Log
/// Matching, Raft §5.3).
///
/// It is ordered as Raft compares logs (Raft §5.4.1): by term first, then by index. Written `7@2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The term in which a leader created it. It is the first field, so that the derived order is
    /// Raft's.
    pub term: Term,
    /// Its index in the log.
    pub index: LogIndex,
}

/// The identity of a disk that a server runs on. A server that loses its disk comes back under its
/// old name with a new disk, and has forgotten everything on the old one, votes included. The two
/// must never be taken for each other (compare the directory ids of Kafka's KRaft).
///
/// Zero is the disk of a server that was there when its cluster began. The caller that starts a
/// server draws any other number at random, or counts: no two disks of one server may have the same
/// one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DiskId(pub u64);

/// A server's name: 1 to [`ServerId::MAX`]. Written `S3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(u8);

/// A set of servers, as a bitmap: to check a quorum is to count bits, and nothing is allocated.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ServerSet {
    /// One bit for each of the servers up to 63; `high` has one for each server beyond. There are
    /// two 64-bit words because to shift a number of 128 bits, or to look for its next bit, takes
    /// several times as long.
    low: u64,
    high: u64,
}

impl Term {
    /// The term before any election.
    pub const ZERO: Term = Term(0);
    /// The last term there is. No cluster gets there: see `guards`.
    pub const MAX: Term = Term(1 << 62);

    /// The term after this one.
    #[must_use]
    pub const fn next(self) -> Term {
        Term(self.0.saturating_add(1))
    }
}

impl LogIndex {
    /// The position before the first entry.
    pub const ZERO: LogIndex = LogIndex(0);
    /// The last position there is. No log gets there: see `guards`.
    pub const MAX: LogIndex = LogIndex(1 << 62);

    /// The index after this one.
    #[must_use]
    pub const fn next(self) -> LogIndex {
        LogIndex(self.0.saturating_add(1))
    }

    /// The index before this one; zero stays zero.
    #[must_use]
    pub const fn previous(self) -> LogIndex {
        LogIndex(self.0.saturating_sub(1))
    }

    /// The index `count` entries further on.
    #[must_use]
    pub const fn plus(self, count: u64) -> LogIndex {
        LogIndex(self.0.saturating_add(count))
    }

    /// How many entries lie in `(earlier, self]`; zero if `earlier` isn't earlier.
    pub const fn distance_from(self, earlier: LogIndex) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl EntryId {
    /// "Before the log": the last entry of an empty log.
    pub const ZERO: EntryId = EntryId { term: Term::ZERO, index: LogIndex::ZERO };

    /// The entry at `index` created in `term`.
    pub const fn new(index: LogIndex, term: Term) -> EntryId {
        EntryId { term, index }
    }
}

impl ServerId {
    /// The largest number a server can have: a [`ServerSet`] is a 128-bit map.
    pub const MAX: u8 = 127;

    /// The lowest number.
    pub const FIRST: ServerId = ServerId(1);

    /// The server numbered `number`, or `None` if that isn't 1 to [`ServerId::MAX`].
    pub const fn new(number: u8) -> Option<ServerId> {
        if number >= 1 && number <= ServerId::MAX { Some(ServerId(number)) } else { None }
    }

    /// Its number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its place when servers are kept in an array: number 1 is at 0.
    pub const fn slot(self) -> usize {
        self.0 as usize - 1
    }
}

impl ServerSet {
    /// No servers.
    pub const EMPTY: ServerSet = ServerSet { low: 0, high: 0 };

    /// Servers 1 to `count`.
    ///
    /// # Panics
    /// If `count` is over [`ServerId::MAX`].
    pub fn first(count: u8) -> ServerSet {
        assert!(count <= ServerId::MAX, "a cluster has at most {} servers, not {count}", ServerId::MAX);
        (1..=count).map(ServerId).collect()
    }

    /// The bit of `server` alone.
    #[inline]
    const fn only(server: ServerId) -> ServerSet {
        let bit = 1 << (server.0 % 64);
        if server.0 < 64 { ServerSet { low: bit, high: 0 } } else { ServerSet { low: 0, high: bit } }
    }

    /// Whether `server` is in the set.
    #[inline]
    pub const fn contains(self, server: ServerId) -> bool {
        let word = if server.0 < 64 { self.low } else { self.high };
        word >> (server.0 % 64) & 1 != 0
    }

    /// Adds `server`. Returns whether it was new.
    #[inline]
    pub const fn insert(&mut self, server: ServerId) -> bool {
        let new = !self.contains(server);
        *self = self.union(ServerSet::only(server));
        new
    }

    /// Takes `server` out.
    #[inline]
    pub const fn remove(&mut self, server: ServerId) {
        *self = self.difference(ServerSet::only(server));
    }

    /// How many there are.
    #[inline]
    pub const fn len(self) -> usize {
        // Most clusters have no servers there; and on a processor without an instruction for it,
        // counting takes many steps.
        let high = if self.high == 0 { 0 } else { self.high.count_ones() };
        (self.low.count_ones() + high) as usize
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.low | self.high == 0
    }

    /// The servers in either set.
    #[must_use]
    pub const fn union(self, other: ServerSet) -> ServerSet {
        ServerSet { low: self.low | other.low, high: self.high | other.high }
    }

    /// The servers in both sets.
    #[must_use]
    pub const fn intersection(self, other: ServerSet) -> ServerSet {
        ServerSet { low: self.low & other.low, high: self.high & other.high }
    }

    /// The servers in this set but not in `other`.
    #[must_use]
    pub const fn difference(self, other: ServerSet) -> ServerSet {
        ServerSet { low: self.low & !other.low, high: self.high & !other.high }
    }

    /// Whether all of its servers are in `other`.
    pub const fn is_subset_of(self, other: ServerSet) -> bool {
        self.difference(other).is_empty()
    }

    /// The servers for which `are_so` is true. The function is `dyn` so that one piece of code
    /// serves all callers.
    #[must_use]
    #[inline(never)]
    pub fn those(self, are_so: &dyn Fn(ServerId) -> bool) -> ServerSet {
        let mut those = ServerSet::EMPTY;
        for server in self.iter() {
            if are_so(server) {
                those.insert(server);
            }
        }
        those
    }

    /// The servers in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = ServerId> {
        let ServerSet { mut low, mut high } = self;
        core::iter::from_fn(move || {
            let number = if low != 0 {
                let first = low.trailing_zeros();
                low &= low - 1;
                first
            } else if high != 0 {
                let first = high.trailing_zeros();
                high &= high - 1;
                64 + first
            } else {
                return None;
            };
            Some(ServerId(number as u8))
        })
    }
}

impl FromIterator<ServerId> for ServerSet {
    fn from_iter<I: IntoIterator<Item = ServerId>>(servers: I) -> ServerSet {
        let mut set = ServerSet::EMPTY;
        for server in servers {
            set.insert(server);
        }
        set
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for LogIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// `7@2`: the entry at index 7 of term 2.
impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.index, self.term)
    }
}

/// `S3`.
impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{}", self.0)
    }
}

/// `S1, S2, S5`, or `nobody`.
impl fmt::Display for ServerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nobody");
        }
        for (position, server) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(", ")?;
            }
            fmt::Display::fmt(&server, f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for ServerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    #[test]
    fn logs_compare_by_term_and_then_by_index() {
        let id = |index, term| EntryId::new(LogIndex(index), Term(term));
        assert!(id(5, 3) > id(9, 2), "the later term wins, however short the log");
        assert!(id(9, 2) > id(5, 2), "in the same term the longer log wins");
        assert_eq!(id(7, 2).to_string(), "7@2");
    }

    #[test]
    fn a_server_set_is_a_set() {
        let s = |n| ServerId::new(n).unwrap();
        let mut set = ServerSet::first(3);
        assert_eq!(set.len(), 3);
        assert!(!set.insert(s(2)) && set.insert(s(127)));
        set.remove(s(1));
        assert_eq!(set.iter().map(ServerId::number).collect::<Vec<_>>(), [2, 3, 127]);
        assert_eq!(set.to_string(), "S2, S3, S127");
        assert_eq!(ServerSet::EMPTY.to_string(), "nobody");
        assert!(set.intersection(ServerSet::first(2)).is_subset_of(set));
        assert!(!set.is_subset_of(ServerSet::first(3)) && set.is_subset_of(set));
        assert_eq!(set.union(ServerSet::first(1)).difference(ServerSet::first(3)).len(), 1);
    }

    #[test]
    fn terms_and_indexes_end_far_below_their_numbers_and_never_start_anew() {
        const { assert!(Term::MAX.0 < u64::MAX / 2 && LogIndex::MAX.0 < u64::MAX / 2) };
        assert_eq!(Term(u64::MAX).next(), Term(u64::MAX));
        assert_eq!(LogIndex(u64::MAX).next(), LogIndex(u64::MAX));
        assert_eq!(LogIndex(u64::MAX - 1).plus(7), LogIndex(u64::MAX));
    }

    #[test]
    fn server_numbers_have_bounds() {
        assert_eq!(ServerId::new(0), None);
        assert_eq!(ServerId::new(128), None);
        assert_eq!(ServerId::new(127).map(ServerId::slot), Some(126));
    }
}
