//! Requests as lines of text: `put x 1`, `get x`, `delete x`, `cas x 1 2`.
//!
//! Words are separated by white space. A word that contains white space is put in double quotes,
//! within which `\"`, `\\`, `\n`, `\t`, `\r` and `\u{1f980}` mean the same as in Rust. Outside of
//! quotes a backslash is just a backslash. So a line says texts alone: a value that is no text
//! can't be entered.

use super::operation::{Operation, Query, Request};
use super::text::{Field, Key, TextError, Value};
use crate::text::is_obeyed;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::iter::Peekable;
use core::str::{Chars, FromStr};

/// The first word of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `put KEY VALUE`
    Put,
    /// `get KEY`
    Get,
    /// `delete KEY`, or `del KEY`
    Delete,
    /// `cas KEY EXPECTED NEW`
    CompareAndSet,
}

impl Verb {
    /// Upper and lower case don't matter.
    fn from_word(word: &str) -> Option<Verb> {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        match () {
            () if is("put") => Some(Verb::Put),
            () if is("get") => Some(Verb::Get),
            () if is("delete") || is("del") => Some(Verb::Delete),
            () if is("cas") => Some(Verb::CompareAndSet),
            () => None,
        }
    }

    /// The word itself: `put`, `get`, `delete` or `cas`.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Put => "put",
            Verb::Get => "get",
            Verb::Delete => "delete",
            Verb::CompareAndSet => "cas",
        }
    }

    /// What follows it.
    fn fields(self) -> &'static [Field] {
        let most = &[Field::Key, Field::Value, Field::Value];
        match self {
            Verb::Get | Verb::Delete => &most[..1],
            Verb::Put => &most[..2],
            Verb::CompareAndSet => most,
        }
    }

    /// The arguments that it needs, in words.
    pub fn arguments(self) -> &'static str {
        match self {
            Verb::Put => "a key and a value",
            Verb::Get | Verb::Delete => "a key",
            Verb::CompareAndSet => "a key, the expected value and the new value",
        }
    }

    /// An example of a line.
    pub fn example(self) -> &'static str {
        match self {
            Verb::Put => "put x 1",
            Verb::Get => "get x",
            Verb::Delete => "delete x",
            Verb::CompareAndSet => "cas x 1 2",
        }
    }
}

/// Why a line is not a request. Columns count characters, from 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LineError {
    /// There is nothing on the line.
    Blank,
    /// The first word is not one of the four commands.
    UnknownVerb {
        /// The word, shortened if it is long.
        word: String,
    },
    /// Too few words follow.
    MissingArgument {
        /// The line's first word.
        verb: Verb,
    },
    /// Too many words follow.
    ExtraArgument {
        /// The line's first word.
        verb: Verb,
        /// Where the first word too many begins.
        column: u32,
        /// That word, shortened if it is long.
        word: String,
    },
    /// A quote is opened and not closed.
    UnclosedQuote {
        /// Where it is opened.
        column: u32,
    },
    /// A quote in the middle of a word, or a word right after a closing quote.
    TouchingQuote {
        /// Where the second of the two begins.
        column: u32,
    },
    /// A backslash within quotes with no meaning.
    UnknownEscape {
        /// Where the backslash is.
        column: u32,
    },
    /// A key or value of a length that isn't allowed.
    BadText {
        /// Where it begins.
        column: u32,
        /// What is wrong with it.
        error: TextError,
    },
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::Blank => f.write_str("type a command: put x 1, get x, delete x or cas x 1 2"),
            LineError::UnknownVerb { word } => {
                write!(f, "`{word}` is not a command: use put, get, delete or cas")
            }
            LineError::MissingArgument { verb } => {
                let (word, arguments, example) = (verb.word(), verb.arguments(), verb.example());
                write!(f, "{word} needs {arguments}: {example}")
            }
            LineError::ExtraArgument { verb, column, word } => {
                let (name, arguments) = (verb.word(), verb.arguments());
                write!(
                    f,
                    "{name} takes only {arguments}, so `{word}` at column {column} is too much: \
                     put a text that has spaces in double quotes"
                )
            }
            LineError::UnclosedQuote { column } => {
                write!(f, "the quote at column {column} is not closed: add a \"")
            }
            LineError::TouchingQuote { column } => write!(
                f,
                "two words touch at column {column}: put a space between them, \
                 or \\\" for a quote within quotes"
            ),
            LineError::UnknownEscape { column } => write!(
                f,
                "the backslash at column {column} stands for nothing: within quotes \
                 use \\\\ for a backslash, or \\\", \\n, \\t, \\r or \\u{{1f980}}"
            ),
            LineError::BadText { column, error } => write!(f, "at column {column}, {error}"),
        }
    }
}

impl core::error::Error for LineError {}

/// The most characters of a word that an error repeats.
const REPEATED_CHARS_MAX: usize = 24;

impl FromStr for Request {
    type Err = LineError;

    fn from_str(line: &str) -> Result<Self, LineError> {
        let mut words = Words::new(line);
        let Some((verb, _)) = words.next_word()? else {
            return Err(LineError::Blank);
        };
        let Some(verb) = Verb::from_word(&verb) else {
            let word = shorten(&verb, REPEATED_CHARS_MAX);
            return Err(LineError::UnknownVerb { word });
        };
        let mut arguments = Arguments { verb, words };
        let mut texts = Vec::new();
        for field in verb.fields() {
            texts.push(arguments.next(*field)?);
        }
        arguments.end()?;
        let key = Key::checked(&texts[0]);
        let value = |place: usize| Value::checked(texts[place].as_bytes());
        Ok(match verb {
            Verb::Put => Request::Write(Operation::Put { key, value: value(1) }),
            Verb::Get => Request::Read(Query::Get { key }),
            Verb::Delete => Request::Write(Operation::Delete { key }),
            Verb::CompareAndSet => Request::Write(Operation::CompareAndSet { key, expected: value(1), new: value(2) }),
        })
    }
}

/// The words after the verb.
struct Arguments<'a> {
    verb: Verb,
    words: Words<'a>,
}

impl Arguments<'_> {
    /// The next word, as long as the field allows.
    fn next(&mut self, field: Field) -> Result<String, LineError> {
        let Some((word, column)) = self.words.next_word()? else {
            return Err(LineError::MissingArgument { verb: self.verb });
        };
        field.check(word.len() as u64).map_err(|error| LineError::BadText { column, error })?;
        Ok(word)
    }

    fn end(&mut self) -> Result<(), LineError> {
        match self.words.next_word()? {
            None => Ok(()),
            Some((word, column)) => {
                Err(LineError::ExtraArgument { verb: self.verb, column, word: shorten(&word, REPEATED_CHARS_MAX) })
            }
        }
    }
}

/// Splits a line into words.
struct Words<'a> {
    rest: Peekable<Chars<'a>>,
    /// The column of the next character.
    column: u32,
}

impl<'a> Words<'a> {
    fn new(line: &'a str) -> Self {
        Words { rest: line.chars().peekable(), column: 1 }
    }

    fn next_char(&mut self) -> Option<char> {
        let next = self.rest.next();
        self.column = self.column.saturating_add(u32::from(next.is_some()));
        next
    }

    fn next_char_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        match self.rest.peek() {
            Some(&next) if wanted(next) => self.next_char(),
            _ => None,
        }
    }

    /// The next word, unquoted, and the column at which it begins.
    fn next_word(&mut self) -> Result<Option<(String, u32)>, LineError> {
        while self.next_char_if(char::is_whitespace).is_some() {}
        let column = self.column;
        let word = match self.rest.peek() {
            None => return Ok(None),
            Some('"') => self.quoted()?,
            Some(_) => self.bare(),
        };
        match self.rest.peek() {
            Some(next) if !next.is_whitespace() => Err(LineError::TouchingQuote { column: self.column }),
            _ => Ok(Some((word, column))),
        }
    }

    fn bare(&mut self) -> String {
        let mut word = String::new();
        while let Some(next) = self.next_char_if(|c| !c.is_whitespace() && c != '"') {
            word.push(next);
        }
        word
    }

    fn quoted(&mut self) -> Result<String, LineError> {
        let opened = self.column;
        self.next_char();
        let mut word = String::new();
        loop {
            let column = self.column;
            match self.next_char() {
                None => return Err(LineError::UnclosedQuote { column: opened }),
                Some('"') => return Ok(word),
                Some('\\') => {
                    let escape = self.escape();
                    word.push(escape.ok_or(LineError::UnknownEscape { column })?);
                }
                Some(other) => word.push(other),
            }
        }
    }

    /// What comes after a backslash.
    fn escape(&mut self) -> Option<char> {
        match self.next_char()? {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'u' => {
                self.next_char_if(|c| c == '{')?;
                let mut code = 0u32;
                while let Some(digit) = self.next_char_if(|c| c.is_ascii_hexdigit()) {
                    // A char has at most six hexadecimal digits: no need to go on when it has more.
                    code = code.checked_mul(16)? + digit.to_digit(16)?;
                }
                self.next_char_if(|c| c == '}')?;
                char::from_u32(code)
            }
            same @ ('"' | '\\') => Some(same),
            _ => None,
        }
    }
}

/// A text in at most `chars_max` characters. What doesn't fit is cut off and marked with `…`;
/// what would be obeyed (a line break would break the layout) becomes `·`.
fn shorten(text: &str, chars_max: usize) -> String {
    let fits = text.chars().nth(chars_max).is_none();
    let kept = if fits { chars_max } else { chars_max.saturating_sub(1) };
    let visible = |c: char| if is_obeyed(c) { '·' } else { c };
    let mut short: String = text.chars().take(kept).map(visible).collect();
    if !fits && chars_max > 0 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::super::testing::{generator, key, operation, random_operation, random_text, value};
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    fn parse(line: &str) -> Result<Request, LineError> {
        line.parse()
    }

    fn refused(line: &str) -> LineError {
        match parse(line) {
            Err(error) => error,
            Ok(request) => panic!("{line:?} parsed as {request}"),
        }
    }

    fn put(name: &str, text: &str) -> Request {
        Request::Write(Operation::Put { key: key(name), value: value(text) })
    }

    #[test]
    fn an_error_obeys_nothing_that_stood_in_the_line() {
        let error = parse("pu\u{202e}t\u{7}x 1").unwrap_err().to_string();
        assert!(error.contains("pu·t·x"), "{error}");
    }

    #[test]
    fn the_four_commands() {
        let key = || key("x");
        let table = [
            ("put x 1", put("x", "1")),
            ("get x", Request::Read(Query::Get { key: key() })),
            ("delete x", Request::Write(Operation::Delete { key: key() })),
            (
                "cas x 1 2",
                Request::Write(Operation::CompareAndSet { key: key(), expected: value("1"), new: value("2") }),
            ),
        ];
        for (line, request) in table {
            assert_eq!(parse(line).as_ref(), Ok(&request));
            assert_eq!(request.to_string(), line);
        }
    }

    #[test]
    fn space_and_case_and_the_short_word_do_not_matter() {
        assert_eq!(parse("  PUT\tx \u{a0} 1  \n"), Ok(put("x", "1")));
        for line in ["del x", "DEL x", "Delete x"] {
            assert_eq!(parse(line), parse("delete x"), "{line}");
        }
        assert_eq!(parse("Get X").unwrap().key(), &key("X"), "but a key's case does");
        assert_eq!(parse("Cas x 1 2"), parse("cas x 1 2"));
    }

    #[test]
    fn quotes_hold_a_text_together() {
        let table = [
            (r#"put x "1 2""#, "1 2"),
            (r#"put x "say \"hi\"""#, "say \"hi\""),
            (r#"put x "a\\b""#, "a\\b"),
            (r#"put x "a\nb\tc\rd""#, "a\nb\tc\rd"),
            (r#"put x "\u{1f980}\u{1B}\u{0}""#, "🦀\u{1b}\0"),
            ("put x \"tab\tand\nbreak\"", "tab\tand\nbreak"),
            (r#"put x " ""#, " "),
            (r#"put x """#, ""),
            // Outside of quotes a backslash is just itself.
            (r"put x C:\new\", r"C:\new\"),
            ("put x 'a'", "'a'"),
        ];
        for (line, text) in table {
            assert_eq!(parse(line), Ok(put("x", text)), "{line}");
        }
        assert_eq!(parse(r#""put" "a key" 1"#), Ok(put("a key", "1")));
    }

    #[test]
    fn a_request_is_quoted_only_where_it_must_be() {
        let table = [
            ("plain", "plain"),
            ("C:\\x", "C:\\x"),
            ("naïve→🦀", "naïve→🦀"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("no\u{a0}break", "\"no\u{a0}break\""),
            ("\"", "\"\\\"\""),
            ("a\\b c", "\"a\\\\b c\""),
            ("\n\t\r", "\"\\n\\t\\r\""),
            ("\u{1b}[31m", "\"\\u{1b}[31m\""),
        ];
        for (text, quoted) in table {
            assert_eq!(put("x", text).to_string(), format!("put x {quoted}"));
        }
    }

    #[test]
    fn what_prints_parses_back() {
        let mut random = generator(9);
        for _ in 0..5_000 {
            let request = Request::Write(random_operation(&mut random));
            assert_eq!(parse(&request.to_string()), Ok(request));
            let query = Request::Read(Query::Get { key: key(&random_text(&mut random, 8)) });
            assert_eq!(parse(&query.to_string()), Ok(query));
        }
    }

    #[test]
    fn no_line_makes_it_panic() {
        let mut random = generator(10);
        for _ in 0..20_000 {
            let line = format!("put {}", random_text(&mut random, 30));
            if let Err(error) = parse(&line) {
                assert!(error.to_string().len() > 10);
            }
        }
    }

    #[test]
    fn errors_name_the_place() {
        let touching = |column| LineError::TouchingQuote { column };
        let unclosed = |column| LineError::UnclosedQuote { column };
        let escape = |column| LineError::UnknownEscape { column };
        let missing = |verb| LineError::MissingArgument { verb };
        let extra = |verb, column, word: &str| LineError::ExtraArgument { verb, column, word: word.to_string() };
        let empty = |column| LineError::BadText { column, error: TextError::Empty };
        let table = [
            ("", LineError::Blank),
            (" \t ", LineError::Blank),
            ("put", missing(Verb::Put)),
            ("put x", missing(Verb::Put)),
            ("get", missing(Verb::Get)),
            ("del", missing(Verb::Delete)),
            ("cas x 1", missing(Verb::CompareAndSet)),
            ("put x 1 2", extra(Verb::Put, 9, "2")),
            ("get  x y z", extra(Verb::Get, 8, "y")),
            ("delete é y", extra(Verb::Delete, 10, "y")),
            ("cas x 1 2 3", extra(Verb::CompareAndSet, 11, "3")),
            (r#"put x "1"#, unclosed(7)),
            (r#"put x "1\""#, unclosed(7)),
            (r#"put "x 1"#, unclosed(5)),
            (r#"put x "a\q""#, escape(9)),
            (r#"put x "a\"#, escape(9)),
            (r#"put x "\u41""#, escape(8)),
            (r#"put x "\u{41""#, escape(8)),
            (r#"put x "\u{d800}""#, escape(8)),
            (r#"put x "\u{110000}""#, escape(8)),
            (r#"put x "\u{fffffffff}""#, escape(8)),
            (r#"put x a"b""#, touching(8)),
            (r#"put x "a"b"#, touching(10)),
            (r#"put x "a""b""#, touching(10)),
            (r#"put "" 1"#, empty(5)),
            (r#"get """#, empty(5)),
            (r#"put x "\xff""#, escape(8)),
        ];
        for (line, error) in table {
            assert_eq!(refused(line), error, "{line}");
        }
    }

    #[test]
    fn limits_are_checked_where_the_text_begins() {
        let error = |field, bytes, bytes_max| TextError::TooLong { field, bytes, bytes_max };
        assert!(parse(&format!("get {}", "k".repeat(256))).is_ok());
        assert_eq!(
            refused(&format!("get  {}", "k".repeat(257))),
            LineError::BadText { column: 6, error: error(Field::Key, 257, 256) }
        );
        assert!(parse(&format!("put x {}", "v".repeat(65_536))).is_ok());
        assert_eq!(
            refused(&format!("put x {}", "v".repeat(65_537))),
            LineError::BadText { column: 7, error: error(Field::Value, 65_537, 65_536) }
        );
    }

    #[test]
    fn errors_say_what_to_do() {
        let table = [
            ("", "type a command: put x 1, get x, delete x or cas x 1 2"),
            ("pot x 1", "`pot` is not a command: use put, get, delete or cas"),
            ("put x", "put needs a key and a value: put x 1"),
            ("get", "get needs a key: get x"),
            ("del", "delete needs a key: delete x"),
            ("cas x 1", "cas needs a key, the expected value and the new value: cas x 1 2"),
            (
                "put x good morning",
                "put takes only a key and a value, so `morning` at column 12 is too much: \
                 put a text that has spaces in double quotes",
            ),
            ("put x \"1", "the quote at column 7 is not closed: add a \""),
            (
                "put x 5\"",
                "two words touch at column 8: put a space between them, \
                 or \\\" for a quote within quotes",
            ),
            (
                r#"put x "\d""#,
                "the backslash at column 8 stands for nothing: within quotes \
                 use \\\\ for a backslash, or \\\", \\n, \\t, \\r or \\u{1f980}",
            ),
            (r#"get """#, "at column 5, the key is empty: a key has 1 to 256 bytes"),
        ];
        for (line, words) in table {
            assert_eq!(refused(line).to_string(), words, "{line}");
        }
    }

    #[test]
    fn errors_repeat_no_more_of_a_word_than_one_can_read() {
        let long = "w".repeat(10_000);
        let shown = format!("{}…", "w".repeat(23));
        assert_eq!(refused(&long), LineError::UnknownVerb { word: shown.clone() });
        assert_eq!(
            refused(&format!("get x {long}")),
            LineError::ExtraArgument { verb: Verb::Get, column: 7, word: shown }
        );
    }

    #[test]
    fn an_operation_prints_as_its_request_does() {
        for line in ["put \"a b\" 1", "delete x", "cas x 1 \"2\\n\""] {
            assert_eq!(operation(line).to_string(), line);
        }
    }
}
