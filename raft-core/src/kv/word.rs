//! A key or a value as one word of a line. [`line`](super::line) reads it back if it is a text.

use crate::text::is_obeyed;
use core::fmt::{self, Write as _};

/// Bytes as one word of a line, without anything that a terminal would obey. A text is quoted where
/// it must be. What is no text is always quoted, and a byte that is no printable ASCII character
/// stands there as `\xff`; a quoted text never has this escape.
pub(super) struct Word<'a>(pub(super) &'a [u8]);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, true)
    }
}

/// Writes bytes as [`Word`] says. If they need not be one word, spaces and quotes in a text are no
/// reason to quote it.
pub(super) fn write(f: &mut fmt::Formatter<'_>, bytes: &[u8], one_word: bool) -> fmt::Result {
    let needs_quotes = |c: char| is_obeyed(c) || one_word && (c.is_whitespace() || c == '"');
    let text = core::str::from_utf8(bytes);
    if let Ok(text) = text
        && !text.is_empty()
        && !text.contains(needs_quotes)
    {
        return f.write_str(text);
    }
    f.write_char('"')?;
    match text {
        Ok(text) => text.chars().try_for_each(|c| write_char(f, c, true))?,
        Err(_) => bytes.iter().try_for_each(|byte| write_char(f, char::from(*byte), false))?,
    }
    f.write_char('"')
}

/// Writes a character of a text, or a byte.
fn write_char(f: &mut fmt::Formatter<'_>, c: char, is_text: bool) -> fmt::Result {
    match c {
        '"' | '\\' => write!(f, "\\{c}"),
        '\n' => f.write_str("\\n"),
        '\t' => f.write_str("\\t"),
        '\r' => f.write_str("\\r"),
        c if !is_text && !matches!(c, ' '..='~') => write!(f, "\\x{:02x}", c as u8),
        c if is_obeyed(c) => write!(f, "{}", c.escape_unicode()),
        c => f.write_char(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_word_that_a_line_would_split_or_lose_is_quoted() {
        for (text, word) in [("plain", "plain"), ("", "\"\""), ("two words", "\"two words\""), ("\"", "\"\\\"\"")] {
            assert_eq!(Word(text.as_bytes()).to_string(), word);
        }
    }

    #[test]
    fn what_would_turn_other_words_around_is_escaped() {
        assert_eq!(Word("ab\u{202e}c".as_bytes()).to_string(), r#""ab\u{202e}c""#);
        assert_eq!(Word("\u{2066}".as_bytes()).to_string(), r#""\u{2066}""#);
        // A text in a script that is written from right to left is as it is.
        assert_eq!(Word("שלום".as_bytes()).to_string(), "שלום");
    }

    #[test]
    fn what_is_no_text_is_escaped_and_looks_like_no_text() {
        for (bytes, word) in [(&b"\xff"[..], r#""\xff""#), (b"a b\0\xc3(\"\\", r#""a b\x00\xc3(\"\\""#)] {
            assert_eq!(Word(bytes).to_string(), word);
        }
        // A text that has the same characters has another form.
        assert_eq!(Word(b"\"\\xff\"").to_string(), r#""\"\\xff\"""#);
    }
}
