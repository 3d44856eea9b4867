//! Printing: colours only on a terminal, and no complaint when the reader has seen enough.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use raft_core::time::Duration;

use crate::Unusable;
use crate::text::{NAME_MAX, SENTENCE_MAX, Text, shortened};

pub const PLAIN: Style = Style::new();
pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const ODD: Style = AnsiColor::Yellow.on_default();

/// Prints to the standard output. A reader that has gone away (`| head`) ends the printing quietly.
pub fn print(text: &Text) -> Result<(), Unusable> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_str().as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Unusable(format!("the output can't be written: {error}"))),
    }
}

pub fn complain(why: &str) {
    let mut text = Text::new();
    text.styled(BAD, "error").add(": ").line(shortened(why, SENTENCE_MAX));
    tell_aside(&text);
}

/// A remark that is not part of the output.
pub fn remark(words: impl Display) {
    let mut text = Text::new();
    text.line(words);
    tell_aside(&text);
}

fn tell_aside(text: &Text) {
    // Nothing is left to be done if even that fails.
    let _ = anstream::stderr().lock().write_all(text.as_str().as_bytes());
}

/// Writes a file, or to the standard output if it is called `-`.
pub fn write(path: &Path, text: &Text) -> Result<(), Unusable> {
    if path.as_os_str() == "-" {
        return print(text);
    }
    std::fs::write(path, text.as_str()).map_err(|error| Unusable(format!("{} can't be written: {error}", named(path))))
}

/// The name of a file, or as much of it as a sentence has room for.
pub fn named(path: &Path) -> String {
    shortened(&path.to_string_lossy(), NAME_MAX).into_owned()
}

/// A number with commas between thousands.
pub fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of virtual time in the two largest units that it has: `16 h 40 min`, `25 s`.
pub fn roughly(length: Duration) -> String {
    let seconds = length.as_micros() / 1_000_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", grouped(seconds / 3_600), seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_for_people() {
        for (number, text) in [(0_u64, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
        for (seconds, text) in [(25, "25 s"), (61, "1 min 1 s"), (60_000, "16 h 40 min"), (3_600_000, "1,000 h 0 min")]
        {
            assert_eq!(roughly(Duration::from_secs(seconds)), text);
        }
    }
}
