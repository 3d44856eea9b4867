//! Requests as lines of text: `put x 1`, `get x`, `delete x`, `cas x 1 2`.
//!
//! Words are separated by white space. A word with white space in it is put in double quotes,
//! within which `\"`, `\\`, `\n`, `\t`, `\r` and `\u{1f980}` stand for what they stand for in Rust.
//! Outside of quotes a backslash is just itself.

use super::operation::{Operation, Query, Request};
use super::short::shorten;
use super::text::{Key, TextError, Value};
use alloc::string::String;
use core::fmt::{self, Write as _};
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
    /// Any mix of upper and lower case will do.
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

    /// What must follow it, in words.
    pub fn arguments(self) -> &'static str {
        match self {
            Verb::Put => "a key and a value",
            Verb::Get | Verb::Delete => "a key",
            Verb::CompareAndSet => "a key, the expected value and the new value",
        }
    }

    /// A line to imitate.
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
    /// The first word is none of the four.
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
    /// A backslash within quotes that stands for nothing.
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
            LineError::Blank => {
                f.write_str("type a command: put x 1, get x, delete x or cas x 1 2")
            }
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

/// How long a word may be when an error repeats it.
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
        let request = match verb {
            Verb::Put => Request::Write(Operation::Put {
                key: arguments.next(Key::new)?,
                value: arguments.next(Value::new)?,
            }),
            Verb::Get => Request::Read(Query::Get {
                key: arguments.next(Key::new)?,
            }),
            Verb::Delete => Request::Write(Operation::Delete {
                key: arguments.next(Key::new)?,
            }),
            Verb::CompareAndSet => Request::Write(Operation::CompareAndSet {
                key: arguments.next(Key::new)?,
                expected: arguments.next(Value::new)?,
                new: arguments.next(Value::new)?,
            }),
        };
        arguments.end()?;
        Ok(request)
    }
}

/// The words after the verb.
struct Arguments<'a> {
    verb: Verb,
    words: Words<'a>,
}

impl Arguments<'_> {
    fn next<T>(&mut self, make: fn(&str) -> Result<T, TextError>) -> Result<T, LineError> {
        match self.words.next_word()? {
            None => Err(LineError::MissingArgument { verb: self.verb }),
            Some((word, column)) => {
                make(&word).map_err(|error| LineError::BadText { column, error })
            }
        }
    }

    fn end(&mut self) -> Result<(), LineError> {
        match self.words.next_word()? {
            None => Ok(()),
            Some((word, column)) => Err(LineError::ExtraArgument {
                verb: self.verb,
                column,
                word: shorten(&word, REPEATED_CHARS_MAX),
            }),
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
        Words {
            rest: line.chars().peekable(),
            column: 1,
        }
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
            Some(next) if !next.is_whitespace() => Err(LineError::TouchingQuote {
                column: self.column,
            }),
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
        let unclosed = LineError::UnclosedQuote { column: opened };
        self.next_char();
        let mut word = String::new();
        loop {
            let column = self.column;
            match self.next_char() {
                None => return Err(unclosed),
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
