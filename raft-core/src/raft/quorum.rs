//! Majorities. Raft needs one to elect a leader (§5.2) and one to commit an entry (§5.3, §5.4); any
//! two overlap.

use core::fmt;

use super::types::{ServerId, ServerSet};

/// The fewest servers that are more than half of `count`.
pub const fn majority_of(count: usize) -> usize {
    count / 2 + 1
}

/// Whether `servers` hold more than half of `voters`. Servers that aren't voters don't count.
/// Without voters there is no majority.
pub const fn is_majority(voters: ServerSet, servers: ServerSet) -> bool {
    servers.intersection(voters).len() >= majority_of(voters.len())
}

/// How many of some voters are so. In words: `3 of 5, a majority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    /// How many are.
    pub count: u8,
    /// How many voters there are.
    pub voters: u8,
}

impl Share {
    /// How many of `voters` are among `servers`.
    pub const fn of(voters: ServerSet, servers: ServerSet) -> Share {
        Share { count: voters.intersection(servers).len() as u8, voters: voters.len() as u8 }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share { count, voters } = *self;
        let enough = usize::from(count) >= majority_of(usize::from(voters));
        write!(f, "{count} of {voters}, {} majority", if enough { "a" } else { "no" })
    }
}

/// The highest value that a majority of `voters` has reached: of the values in descending order,
/// the majority's last.
///
/// Without voters it is the lowest value there is.
pub fn reached_by_majority<T: Copy + Ord + Default>(voters: ServerSet, reached: impl Fn(ServerId) -> T) -> T {
    let count = voters.len();
    if count == 0 {
        return T::default();
    }
    // Insertion into an array on the stack, which is small for a small cluster: this runs for every
    // acknowledgement.
    let wanted = majority_of(count);
    match wanted {
        ..=8 => highest_of(voters, reached, &mut [T::default(); 8][..wanted]),
        _ => highest_of(voters, reached, &mut [T::default(); majority_of(ServerId::MAX as usize)][..wanted]),
    }
}

/// Keeps the highest values, as many as `highest` has room for, in descending order. Returns the
/// last of them.
fn highest_of<T: Copy + Ord>(voters: ServerSet, reached: impl Fn(ServerId) -> T, highest: &mut [T]) -> T {
    let wanted = highest.len();
    for (seen, server) in voters.iter().enumerate() {
        let value = reached(server);
        let mut place = seen.min(wanted);
        while place > 0 && highest[place - 1] < value {
            if place < wanted {
                highest[place] = highest[place - 1];
            }
            place -= 1;
        }
        if place < wanted {
            highest[place] = value;
        }
    }
    highest[wanted - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_majority_is_more_than_half() {
        for (count, majority) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (9, 5)] {
            assert_eq!(majority_of(count), majority, "of {count}");
        }
        let servers = |numbers: &[u8]| numbers.iter().filter_map(|n| ServerId::new(*n)).collect::<ServerSet>();
        assert!(is_majority(servers(&[1, 2, 3]), servers(&[1, 3])));
        assert!(!is_majority(servers(&[1, 2, 3]), servers(&[1])));
        assert!(!is_majority(servers(&[1, 2, 3]), servers(&[1, 4, 5])), "strangers don't count");
        assert!(!is_majority(ServerSet::EMPTY, servers(&[1])), "nobody has no majority");
    }

    #[test]
    fn a_share_says_whether_it_is_a_majority() {
        let servers = |numbers: &[u8]| numbers.iter().filter_map(|n| ServerId::new(*n)).collect::<ServerSet>();
        let five = servers(&[1, 2, 3, 4, 5]);
        let words = |held: &[u8]| alloc::string::ToString::to_string(&Share::of(five, servers(held)));
        assert_eq!(words(&[1, 3, 5]), "3 of 5, a majority");
        assert_eq!(words(&[1, 3, 9]), "2 of 5, no majority", "strangers don't count");
    }

    #[test]
    fn the_majority_has_reached_the_middle() {
        let table: [(&[u64], u64); 7] = [
            (&[7], 7),
            (&[7, 5], 5),
            (&[7, 5, 6], 6),
            (&[1, 9, 9], 9),
            (&[4, 3, 2, 1], 2),
            (&[10, 9, 8, 3, 1], 8),
            (&[0, 0, 0, 9, 9], 0),
        ];
        for (reached, majority) in table {
            let voters = ServerSet::first(reached.len() as u8);
            assert_eq!(reached_by_majority(voters, |s| reached[s.slot()]), majority, "{reached:?}");
        }
        assert_eq!(reached_by_majority(ServerSet::EMPTY, |_| 9), 0);
    }

    #[test]
    fn it_agrees_with_sorting_on_every_small_cluster() {
        // All vectors of up to six values in 0..4: every tie and every order.
        for count in 1..=6_u8 {
            for code in 0..4_u32.pow(u32::from(count)) {
                let reached: Vec<u32> = (0..u32::from(count)).map(|i| code / 4_u32.pow(i) % 4).collect();
                let mut sorted = reached.clone();
                sorted.sort_unstable_by(|a, b| b.cmp(a));
                let expected = sorted[majority_of(sorted.len()) - 1];
                assert_eq!(
                    reached_by_majority(ServerSet::first(count), |s| reached[s.slot()]),
                    expected,
                    "{reached:?}"
                );
            }
        }
    }
}
