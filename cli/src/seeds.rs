//! The seeds that a hunt plays: a range, as written on the command line.

use std::fmt;

use crate::text::{NAME_MAX, escaped};

/// A range of seeds that includes both ends, so that the largest number can be a seed, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    first: u64,
    last: u64,
}

impl Seeds {
    /// Reads `0..1000` (without 1000), `0..=999` or `17`.
    pub fn read(text: &str) -> Result<Seeds, String> {
        let seed = |text: &str| {
            let refused = |_| format!("“{}” is not a seed: write 0..1000, or 17", escaped(text, NAME_MAX));
            text.trim().parse::<u64>().map_err(refused)
        };
        let (first, last) = match (text.split_once("..="), text.split_once("..")) {
            (Some((first, last)), _) => (seed(first)?, Some(seed(last)?)),
            (_, Some((first, end))) => (seed(first)?, seed(end)?.checked_sub(1)),
            _ => (seed(text)?, Some(seed(text)?)),
        };
        match last {
            Some(last) if first <= last => Ok(Seeds { first, last }),
            _ => Err("the range is empty".into()),
        }
    }

    /// How many seeds there are: up to 2⁶⁴, which a `u64` can't hold.
    pub fn count(self) -> u128 {
        self.end() - u128::from(self.first)
    }

    /// The first.
    pub fn first(self) -> u64 {
        self.first
    }

    /// The number after the last.
    pub fn end(self) -> u128 {
        u128::from(self.last) + 1
    }

    /// The seed at this position, from 0.
    pub fn at(self, place: u64) -> Option<u64> {
        self.first.checked_add(place).filter(|seed| *seed <= self.last)
    }

    /// The seeds from this position on.
    pub fn from(self, place: u64) -> Option<Seeds> {
        self.at(place).map(|first| Seeds { first, ..self })
    }
}

/// In the form that [`Seeds::read`] reads: `0..1000`.
impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seeds { first, last } = self;
        match last.checked_add(1) {
            Some(end) => write!(f, "{first}..{end}"),
            None => write!(f, "{first}..={last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = u64::MAX;

    #[test]
    fn seeds_are_ranges() {
        let table = [
            ("3..7", 3, 6, 4),
            ("3..=7", 3, 7, 5),
            (" 7 ", 7, 7, 1),
            ("0", 0, 0, 1),
            ("18446744073709551615", MAX, MAX, 1),
            ("18446744073709551614..18446744073709551615", MAX - 1, MAX - 1, 1),
            ("18446744073709551614..=18446744073709551615", MAX - 1, MAX, 2),
            ("0..18446744073709551615", 0, MAX - 1, (1 << 64) - 1),
            ("0..=18446744073709551615", 0, MAX, 1 << 64),
        ];
        for (text, first, last, count) in table {
            let seeds = Seeds::read(text).unwrap();
            assert_eq!(seeds, Seeds { first, last });
            assert_eq!(seeds.count(), count, "{text}");
            assert_eq!(Seeds::read(&seeds.to_string()), Ok(seeds));
            assert_eq!((seeds.at(0), seeds.at(last - first)), (Some(first), Some(last)));
            assert_eq!((last - first).checked_add(1).and_then(|place| seeds.at(place)), None);
        }
        for text in ["7..3", "3..3", "0..0", "0..=", "", "a..b", "-1..3", "1...3", "18446744073709551616", "1..=0"] {
            assert!(Seeds::read(text).is_err(), "{text}");
        }
        assert_eq!(Seeds::read("3..7").unwrap().from(2), Seeds::read("5..7").ok());
        assert_eq!(Seeds::read("3..7").unwrap().from(4), None);
    }
}
