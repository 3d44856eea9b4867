//! Lines on a terminal that are renewed in place. What was printed before stays above them.

use std::fmt::Write as _;
use std::io::Write as _;

use crossterm::Command;
use crossterm::cursor::{MoveToColumn, MoveUp};
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};

use unicode_width::UnicodeWidthStr;

use crate::Unusable;
use crate::text::Text;

/// The terminal's columns and rows.
pub fn size() -> (usize, usize) {
    let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    (columns.max(1).into(), rows.max(2).into())
}

/// The lines that stand there now.
#[derive(Default)]
pub struct Screen {
    /// How many columns each fills.
    widths: Vec<usize>,
    /// The lines, and how wide the terminal was.
    shown: (Vec<Text>, usize),
}

impl Screen {
    /// Puts lines in place of those that are there. Returns whether anybody still looks.
    pub fn draw(&mut self, lines: &[Text], columns: usize) -> Result<bool, Unusable> {
        if self.shown.1 == columns && self.shown.0 == lines {
            return Ok(true);
        }
        self.shown = (lines.to_vec(), columns);
        let mut bytes = String::new();
        let has_colours = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        add(&mut bytes, BeginSynchronizedUpdate);
        self.back(&mut bytes, columns);
        self.widths.clear();
        for line in lines {
            let plain = anstream::adapter::strip_str(line.as_str()).to_string();
            self.widths.push(plain.width());
            bytes += if has_colours { line.as_str() } else { &plain };
            bytes.push('\n');
        }
        add(&mut bytes, EndSynchronizedUpdate);
        write(&bytes)
    }

    /// Takes the lines away.
    pub fn clear(&mut self) -> Result<(), Unusable> {
        let mut bytes = String::new();
        self.back(&mut bytes, size().0);
        *self = Screen::default();
        write(&bytes).map(|_| ())
    }

    /// Goes to where the lines begin, and clears from there on. If the terminal has become
    /// narrower, each may take up several rows by now.
    fn back(&self, bytes: &mut String, columns: usize) {
        let rows: usize = self.widths.iter().map(|width| width.div_ceil(columns).max(1)).sum();
        if rows > 0 {
            add(bytes, MoveUp(rows.try_into().unwrap_or(u16::MAX)));
        }
        add(bytes, MoveToColumn(0));
        add(bytes, Clear(ClearType::FromCursorDown));
    }
}

fn add(bytes: &mut String, command: impl Command) {
    let mut ansi = String::new();
    // Writing to a String can't fail.
    let _ = command.write_ansi(&mut ansi);
    let _ = bytes.write_str(&ansi);
}

fn write(bytes: &str) -> Result<bool, Unusable> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Unusable(format!("the output can't be written: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_back_by_as_many_rows_as_the_lines_take_up() {
        let screen = Screen { widths: vec![10, 0, 41], ..Screen::default() };
        for (columns, rows) in [(80, 3), (41, 3), (20, 5), (10, 7)] {
            let mut bytes = String::new();
            screen.back(&mut bytes, columns);
            assert_eq!(bytes, format!("\x1b[{rows}A\x1b[1G\x1b[J"), "{columns}");
        }
        let mut bytes = String::new();
        Screen::default().back(&mut bytes, 80);
        assert_eq!(bytes, "\x1b[1G\x1b[J");
    }
}
