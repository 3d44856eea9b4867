//! Text that is safe to print: it can't control a terminal.
//!
//! Notes, names, keys and values, and the errors that quote them, come from files, links, histories
//! and arguments: anybody could have written them. A terminal obeys some characters: they move,
//! hide or reverse text, change the title, even fill the clipboard. And a line break is enough to
//! forge a line of the command's own.
//!
//! So everything that is printed is a [`Text`], and everything that is added to one is escaped:
//! `\n`, `\u{1b}`. Only this module adds styles and line ends. JSON is escaped in JSON's own way,
//! and so keeps its meaning.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

use anstyle::Style;
use serde_json::Value;

/// A text that can be printed as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// An empty text.
    pub fn new() -> Text {
        Text::default()
    }

    /// A value as JSON, in several lines.
    pub fn json(value: &Value) -> Text {
        Text::of_json(&format!("{value:#}\n"))
    }

    /// JSON that is text already. JSON itself escapes only the control characters of ASCII.
    pub fn of_json(json: &str) -> Text {
        let mut text = Text::new();
        for character in json.chars() {
            if character == '\n' || is_harmless(character) {
                text.0.push(character);
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(text.0, "\\u{unit:04x}");
                }
            }
        }
        text
    }

    /// Lines that this program has made, with nothing from outside in them.
    pub fn of_lines(lines: &str) -> Text {
        let mut text = Text::new();
        for line in lines.lines() {
            text.line(line);
        }
        text
    }

    /// Adds words.
    pub fn add(&mut self, words: impl Display) -> &mut Text {
        // Writing to a String can't fail.
        let _ = write!(Escaping(&mut self.0), "{words}");
        self
    }

    /// Adds words in a style.
    pub fn styled(&mut self, style: Style, words: impl Display) -> &mut Text {
        let _ = write!(self.0, "{style}");
        self.add(words);
        let _ = write!(self.0, "{style:#}");
        self
    }

    /// Adds words and ends the line.
    pub fn line(&mut self, words: impl Display) -> &mut Text {
        self.add(words).end_line()
    }

    /// Ends the line.
    pub fn end_line(&mut self) -> &mut Text {
        self.0.push('\n');
        self
    }

    /// Adds another text.
    pub fn append(&mut self, other: &Text) -> &mut Text {
        self.0 += &other.0;
        self
    }

    /// The text, with the escape codes of its styles.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Escapes what is written to it.
struct Escaping<'a>(&'a mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The common case: this program's own words.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            self.0.push_str(text);
            return Ok(());
        }
        for character in text.chars() {
            match character {
                _ if is_harmless(character) => self.0.push(character),
                '\t' | '\n' | '\r' => self.0.extend(character.escape_default()),
                _ => self.0.extend(character.escape_unicode()),
            }
        }
        Ok(())
    }
}

/// A text from outside for where no [`Text`] can be used: escaped, and shortened if it is long.
pub fn escaped(text: &str, length_max: usize) -> String {
    let mut escaped = String::new();
    let _ = Escaping(&mut escaped).write_str(&shortened(text, length_max));
    escaped
}

/// Whether a terminal shows the character and does nothing else.
pub fn is_harmless(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\u{9f}' => false,
        // `escape_debug` knows which characters are visible. It would also escape a lone accent,
        // which does no harm after another character.
        _ => {
            let mut bytes = [b'x'; 5];
            let length = 1 + character.encode_utf8(&mut bytes[1..]).len();
            let word = std::str::from_utf8(&bytes[..length]).unwrap_or_default();
            word.escape_debug().nth(1) == Some(character)
        }
    }
}

/// How many characters of a name (a file, a key, an argument) are shown.
pub const NAME_MAX: usize = 200;

/// How many characters of a sentence are shown.
pub const SENTENCE_MAX: usize = 1_000;

/// The text, if it has at most `length_max` characters; otherwise its beginning and its end.
pub fn shortened(text: &str, length_max: usize) -> Cow<'_, str> {
    let end = length_max / 3;
    let start = length_max.saturating_sub(end + 1);
    if text.chars().nth(length_max).is_none() {
        return text.into();
    }
    let cut = |(place, _)| place;
    let first = text.char_indices().nth(start).map_or(text.len(), cut);
    let last = text.char_indices().rev().nth(end.saturating_sub(1)).map_or(0, cut);
    let last = if end == 0 { text.len() } else { last };
    format!("{}…{}", &text[..first], &text[last..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::BAD;

    /// Characters that can control a terminal or mislead a reader.
    const HOSTILE: [char; 24] = [
        '\0',
        '\u{7}',
        '\u{8}',
        '\t',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{90}',
        '\u{9b}',
        '\u{9d}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{200f}',
        '\u{2028}',
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{feff}',
        '\u{fffb}',
        '\u{e0041}',
        '\u{10ffff}',
    ];

    #[test]
    fn nothing_that_a_terminal_obeys_gets_into_a_text() {
        for character in HOSTILE {
            let mut text = Text::new();
            text.add(format_args!("a{character}b"));
            assert!(text.as_str().is_ascii() && text.as_str().len() > 3, "{:?}", text.as_str());
            assert!(text.as_str().chars().all(is_harmless));
        }
        let mut text = Text::new();
        text.line("\u{1b}]52;c;eA==\u{7}\n\u{202e}x\t").styled(BAD, "\u{9b}2J");
        assert_eq!(text.as_str(), format!("\\u{{1b}}]52;c;eA==\\u{{7}}\\n\\u{{202e}}x\\t\n{BAD}\\u{{9b}}2J{BAD:#}"));
    }

    #[test]
    fn people_s_letters_stay_as_they_are() {
        for letters in ["“S1’s” … µ ü é", "e\u{301}", "日本語", "हिन्दी", "עברית", "عربى", "😀❤\u{fe0f}", "–§×"]
        {
            assert_eq!(escaped(letters, 100), letters);
        }
    }

    #[test]
    fn json_says_the_same_after_it_is_escaped() {
        let hostile = serde_json::json!({ "note": HOSTILE.iter().collect::<String>(), "b": ["é 😀 \\ \"", 1] });
        let text = Text::json(&hostile);
        assert!(text.as_str().chars().all(|c| c == '\n' || is_harmless(c)), "{}", text.as_str());
        assert_eq!(serde_json::from_str::<Value>(text.as_str()).unwrap(), hostile);
    }

    #[test]
    fn long_texts_lose_their_middle() {
        let digits = "0123456789";
        for (length_max, shown) in [(10, digits), (99, digits), (9, "01234…789"), (4, "01…9"), (2, "0…"), (1, "…")]
        {
            assert_eq!(shortened(digits, length_max), shown);
        }
        assert_eq!(shortened("äöüß", 3), "ä…ß");
        assert_eq!(escaped(&"\u{1b}".repeat(9), 3), "\\u{1b}…\\u{1b}");
    }
}
