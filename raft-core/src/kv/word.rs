//! A text as one word of a line, which [`line`](super::line) reads back.

use core::fmt::{self, Write as _};

/// A text as one word of a line: quoted where it must be, and without anything that a terminal
/// would obey.
pub(super) struct Word<'a>(pub(super) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs_quotes = |c: char| c.is_whitespace() || c.is_control() || c == '"';
        if !self.0.is_empty() && !self.0.contains(needs_quotes) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                c if c.is_control() => write!(f, "{}", c.escape_unicode())?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_word_that_a_line_would_split_or_lose_is_quoted() {
        for (text, word) in [("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("\"", "\"\\\"\"")] {
            assert_eq!(Word(text).to_string(), word);
        }
    }
}
