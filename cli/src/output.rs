//! Printing: colours only on a terminal, and no error when the reader closes the pipe.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use raft_core::time::Duration;

use crate::Unusable;
use crate::text::{NAME_MAX, SENTENCE_MAX, Text, shortened};

pub const PLAIN: Style = Style::new();
pub const BOLD: Style = Style::new().bold();
pub const DIM: Style = Style::new().dimmed();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const ODD: Style = AnsiColor::Yellow.on_default();

/// Prints to the standard output. Returns whether anybody still reads it: a closed pipe (`| head`)
/// ends the printing quietly.
pub fn print(text: &Text) -> Result<bool, Unusable> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_str().as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Unusable(format!("the output can't be written: {error}"))),
    }
}

pub fn complain(why: &str) {
    let mut text = Text::new();
    text.styled(BAD, "error").add(": ").line(shortened(why, SENTENCE_MAX));
    print_aside(&text);
}

/// Prints a remark that is not part of the output.
pub fn remark(words: impl Display) {
    let mut text = Text::new();
    text.line(words);
    print_aside(&text);
}

/// Prints to the standard error: what is not the output, or has no place in it.
pub fn print_aside(text: &Text) {
    // If even that fails, nothing can be done.
    let _ = anstream::stderr().lock().write_all(text.as_str().as_bytes());
}

/// Whether writing to one path overwrites the other, whatever they are called.
pub fn is_same_place(one: &Path, other: &Path) -> bool {
    if one == other {
        return true;
    }
    if let Ok(same) = same_file::is_same_file(one, other) {
        return same && one.is_file(); // Writing to a device overwrites nothing.
    }
    // One of them doesn't exist yet.
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    place(one).is_some_and(|place_of_one| place(other) == Some(place_of_one))
}

/// Writes a file.
pub fn write(path: &Path, text: &Text) -> Result<(), Unusable> {
    std::fs::write(path, text.as_str()).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Unusable {
    Unusable(format!("{} can't be written: {error}", named(path)))
}

/// The name that means the standard output, or the standard input.
pub const STANDARD: &str = "-";

/// Whether a path means the standard output, or the standard input.
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == STANDARD
}

/// A file that is written piece by piece, or the standard output if its name is `-`.
pub struct Log {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Log {
    pub fn create(path: &Path) -> Result<Log, Unusable> {
        let create = || File::create(path).map(BufWriter::new).map_err(|error| unwritable(path, &error));
        Ok(Log { path: path.to_owned(), file: if is_standard(path) { None } else { Some(create()?) } })
    }

    /// Its name, as shown to people.
    pub fn name(&self) -> String {
        if self.file.is_some() { named(&self.path) } else { "it".into() }
    }

    pub fn write(&mut self, text: &Text) -> Result<(), Unusable> {
        match &mut self.file {
            Some(file) => file.write_all(text.as_str().as_bytes()).map_err(|error| unwritable(&self.path, &error)),
            None => print(text).map(|_| ()),
        }
    }

    /// Flushes the file.
    pub fn finish(&mut self) -> Result<(), Unusable> {
        match &mut self.file {
            Some(file) => file.flush().map_err(|error| unwritable(&self.path, &error)),
            None => Ok(()),
        }
    }
}

/// A progress bar, if the output is a terminal.
pub fn progress(length: u64, template: &str) -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(template).expect("a template that was tried");
    ProgressBar::with_draw_target(Some(length), target).with_style(style)
}

/// The name of a file, shortened to fit into a sentence.
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

/// A length of virtual time in its two largest units: `16 h 40 min`, `25 s`.
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
