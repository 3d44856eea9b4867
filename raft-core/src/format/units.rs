//! Lengths of time and shares as people write them: `50ms`, `1.25s`, `2.5%`. Both directions are
//! exact: no floating point is involved.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use crate::sim::Ppm;
use crate::time::Duration;

/// A text that is no length of time, or no share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitError {
    /// Not a length of time.
    Duration(String),
    /// Not a share.
    Share(String),
    /// Digits too small to count: nothing is rounded silently.
    TooFine(String),
    /// Too large a number.
    TooLarge(String),
}

/// The most characters of a text that an error quotes.
const QUOTED_MAX: usize = 40;

/// The beginning of a text, for an error that names it.
pub(crate) fn quote(text: &str) -> String {
    // Not a slice, which would bring a lot of code into the page, for places between characters.
    let mut rest = text.chars();
    let mut quoted: String = rest.by_ref().take(QUOTED_MAX).collect();
    if !rest.as_str().is_empty() {
        quoted.push('…');
    }
    quoted
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnitError::Duration(text) => write!(f, "“{text}” is no length of time: write it like 50ms, 1.25s or 900us"),
            UnitError::Share(text) => write!(f, "“{text}” is no share: write it like 2.5%"),
            UnitError::TooFine(text) => write!(f, "“{text}” has more digits than count: round it"),
            UnitError::TooLarge(text) => write!(f, "“{text}” is too large"),
        }
    }
}

impl core::error::Error for UnitError {}

/// `50ms`, `1.25s`, `900us`: in seconds from one second on, and in the largest unit below that
/// otherwise.
///
/// ```
/// use raft_core::format::units::{duration, write_duration};
/// use raft_core::time::Duration;
/// assert_eq!(write_duration(Duration::from_millis(1_250)), "1.25s");
/// assert_eq!(duration("1.25s"), Ok(Duration::from_millis(1_250)));
/// ```
pub fn write_duration(length: Duration) -> String {
    match length.as_micros() {
        0 => String::from("0s"),
        micros @ 1..1_000 => format!("{micros}us"),
        micros @ 1_000..1_000_000 => decimal(micros, 3) + "ms",
        micros => decimal(micros, 6) + "s",
    }
}

/// Reads `50ms`, `1.25s`, `900us`, `2min` or `1h`.
///
/// # Errors
/// Whatever isn't a number with one of these units, or finer than a microsecond.
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    // The longer ones first, because some of them end with an s, too.
    let units = [("us", 0, 1), ("µs", 0, 1), ("ms", 3, 1), ("min", 6, 60), ("s", 6, 1), ("h", 6, 3_600)];
    let found = units.iter().find_map(|(unit, places, times)| Some((text.strip_suffix(unit)?, *places, *times)));
    let (number, places, times) = found.ok_or_else(|| UnitError::Duration(quote(text)))?;
    let micros = scaled(number.trim_end(), places).map_err(|fault| fault.of(text, UnitError::Duration))?;
    let micros = micros.checked_mul(times).ok_or_else(|| UnitError::TooLarge(quote(text)))?;
    Ok(Duration::from_micros(micros))
}

/// `2.5%`.
pub fn write_share(share: Ppm) -> String {
    decimal(u64::from(share), 4) + "%"
}

/// Reads `2.5%`.
///
/// # Errors
/// Whatever isn't a number with a percent sign, or finer than a millionth.
pub fn share(text: &str) -> Result<Ppm, UnitError> {
    let number = text.strip_suffix('%').ok_or_else(|| UnitError::Share(quote(text)))?;
    let millionths = scaled(number.trim_end(), 4).map_err(|fault| fault.of(text, UnitError::Share))?;
    Ppm::try_from(millionths).map_err(|_| UnitError::TooLarge(quote(text)))
}

/// A whole number with the point moved `places` to the left, without zeros at the end.
fn decimal(number: u64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let (whole, rest) = (number / unit, number % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let rest = format!("{rest:0places$}", places = places as usize);
    format!("{whole}.{}", rest.trim_end_matches('0'))
}

enum Fault {
    NoNumber,
    TooFine,
    TooLarge,
}

impl Fault {
    fn of(self, text: &str, no_number: fn(String) -> UnitError) -> UnitError {
        let wrong = match self {
            Fault::NoNumber => no_number,
            Fault::TooFine => UnitError::TooFine,
            Fault::TooLarge => UnitError::TooLarge,
        };
        wrong(quote(text))
    }
}

/// Reads a decimal number with the point moved `places` to the right.
fn scaled(text: &str, places: usize) -> Result<u64, Fault> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(rest) {
        return Err(Fault::NoNumber);
    }
    let rest = rest.trim_end_matches('0');
    if rest.len() > places {
        return Err(Fault::TooFine);
    }
    let mut number = Some(0_u64);
    let mut add = |digit: u8| {
        number = number.and_then(|number| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')));
    };
    whole.bytes().for_each(&mut add);
    rest.bytes().for_each(&mut add);
    (rest.len()..places).for_each(|_| add(b'0'));
    number.ok_or(Fault::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_people_write_them() {
        let table = [
            (0, "0s"),
            (1, "1us"),
            (900, "900us"),
            (1_500, "1.5ms"),
            (50_000, "50ms"),
            (999_999, "999.999ms"),
            (1_000_000, "1s"),
            (1_250_000, "1.25s"),
            (86_400_000_001, "86400.000001s"),
            (u64::MAX, "18446744073709.551615s"),
        ];
        for (micros, text) in table {
            assert_eq!(write_duration(Duration::from_micros(micros)), text);
            assert_eq!(duration(text), Ok(Duration::from_micros(micros)));
        }
        for (text, micros) in [("2min", 120_000_000), ("1.5h", 5_400_000_000), ("7 µs", 7), ("0.050s", 50_000)] {
            assert_eq!(duration(text), Ok(Duration::from_micros(micros)));
        }
    }

    #[test]
    fn shares_are_percents() {
        for (ppm, text) in [(0, "0%"), (1, "0.0001%"), (25_000, "2.5%"), (1_000_000, "100%"), (3_000_000, "300%")] {
            assert_eq!(write_share(ppm), text);
            assert_eq!(share(text), Ok(ppm));
        }
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        let sentence = |text: &str| duration(text).unwrap_err().to_string();
        assert_eq!(sentence("soon"), "“soon” is no length of time: write it like 50ms, 1.25s or 900us");
        for text in ["", "s", "1", ".5s", "1.s", "-1s", "1e3s", "1_000s", "+1s", "٣s"] {
            assert!(matches!(duration(text), Err(UnitError::Duration(_))), "{text}");
        }
        assert_eq!(sentence("0.5us"), "“0.5us” has more digits than count: round it");
        assert_eq!(sentence("99999999999999999999s"), "“99999999999999999999s” is too large");
        assert_eq!(share("5").unwrap_err().to_string(), "“5” is no share: write it like 2.5%");
        assert_eq!(share("0.00001%"), Err(UnitError::TooFine("0.00001%".into())));
        assert_eq!(share("9999999%"), Err(UnitError::TooLarge("9999999%".into())));
        let long = "9".repeat(100);
        assert!(sentence(&long).chars().count() < 130, "a long text is cut");
    }
}
