//! Words and signs of an expression.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::format::units;
use crate::raft::ServerId;

/// An expression that isn't one, or asks for what there isn't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// The character, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub why: String,
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.why)
    }
}

impl core::error::Error for ExpressionError {}

/// A word or a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, a keyword, a role, a kind of event.
    Word(String),
    Server(ServerId),
    Number(i64),
    /// Microseconds.
    Time(i64),
    Text(String),
    Sign(&'static str),
    End,
}

/// As an error quotes it.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) => write!(f, "“{}”", units::quote(word)),
            Token::Server(server) => write!(f, "“{server}”"),
            Token::Number(number) => write!(f, "“{number}”"),
            Token::Time(micros) => write!(f, "“{micros}us”"),
            Token::Text(text) => write!(f, "the text “{}”", units::quote(text)),
            Token::Sign(sign) => write!(f, "“{sign}”"),
            Token::End => f.write_str("the end"),
        }
    }
}

/// The longer ones first.
const SIGNS: [&str; 15] = ["!=", "<=", ">=", "=", "<", ">", "+", "-", "(", ")", "{", "}", ",", ":", "."];

/// The most characters of an expression.
const LENGTH_MAX: usize = 1_000;

/// All of them, each with its column.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    let letters: Vec<char> = text.chars().collect();
    let error = |at: usize, why: String| ExpressionError { column: at + 1, why };
    if letters.len() > LENGTH_MAX {
        return Err(error(LENGTH_MAX, format!("an expression has at most {LENGTH_MAX} characters")));
    }
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&first) = letters.get(at) {
        let rest = &letters[at..];
        let run = |is_part: &dyn Fn(usize, char) -> bool| -> String {
            let long = rest.iter().enumerate().take_while(|(place, letter)| is_part(*place, **letter)).count();
            rest[..long].iter().collect()
        };
        let (long, token) = if first.is_whitespace() {
            at += 1;
            continue;
        } else if first.is_ascii_alphabetic() {
            // A hyphen belongs to a word if a letter follows it.
            let word = run(&|place, letter| {
                let joins = letter == '-' && rest.get(place + 1).is_some_and(char::is_ascii_alphabetic);
                letter.is_ascii_alphanumeric() || letter == '_' || joins
            });
            (word.len(), server(&word).map_or_else(|| Token::Word(word.clone()), Token::Server))
        } else if first.is_ascii_digit() {
            let number = run(&|place, letter| {
                let point = letter == '.' && rest.get(place + 1).is_some_and(char::is_ascii_digit);
                letter.is_ascii_alphanumeric() || letter == 'µ' || point
            });
            let token = if number.bytes().all(|byte| byte.is_ascii_digit()) {
                number.parse().ok().map(Token::Number)
            } else {
                let length = units::duration(&number).map_err(|why| error(at, why.to_string()))?;
                i64::try_from(length.as_micros()).ok().map(Token::Time)
            };
            let token = token.ok_or_else(|| error(at, format!("“{}” is too large", units::quote(&number))))?;
            (number.chars().count(), token)
        } else if first == '"' {
            let text: String = rest[1..].iter().take_while(|letter| **letter != '"').collect();
            let long = text.chars().count() + 2;
            if at + long > letters.len() {
                return Err(error(at, "a text begins here and doesn’t end: it ends with a \"".to_owned()));
            }
            (long, Token::Text(text))
        } else {
            let begins = |sign: &&&str| sign.chars().enumerate().all(|(i, letter)| rest.get(i) == Some(&letter));
            match SIGNS.iter().find(begins) {
                Some(sign) => (sign.len(), Token::Sign(sign)),
                None => return Err(error(at, format!("“{first}” has no meaning here"))),
            }
        };
        found.push((at + 1, token));
        at += long;
    }
    found.push((letters.len() + 1, Token::End));
    Ok(found)
}

/// `S3`.
fn server(word: &str) -> Option<ServerId> {
    let number = word.strip_prefix('S').filter(|number| !number.starts_with('0'))?;
    ServerId::new(number.parse().ok()?)
}
