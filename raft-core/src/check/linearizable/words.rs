//! Operations in words.

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};

use super::history::{End, History, KeyId, OperationId, Outcome, Request};
use super::interner::TextId;
use super::meaning::{ABSENT, Register, value};
use crate::text::{is_obeyed, joined};

/// The most characters of a text that a sentence quotes.
const QUOTED_MAX: usize = 32;

/// A key or a value for people to read: in quotes if it would otherwise be unclear where it begins
/// and ends, and cut if it is long.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        let plain = |c: char| !c.is_whitespace() && !is_obeyed(c) && !"\"',;()".contains(c);
        let (shown, cut) = match text.char_indices().nth(QUOTED_MAX) {
            Some((end, _)) => (&text[..end], true),
            None => (text, false),
        };
        if !shown.is_empty() && shown.chars().all(plain) {
            f.write_str(shown)?
        } else {
            write!(f, "{shown:?}")?
        }
        if cut { f.write_char('…') } else { Ok(()) }
    }
}

impl History {
    /// An operation with its client, its time and its answer: `client 2's get x (1.200 s to 1.250
    /// s) found 1`. If the history has no times, it gives the numbers of the events, counted from
    /// 1.
    pub fn describe(&self, id: OperationId) -> String {
        let mut words = self.name_operation(id);
        if let Some((_, outcome)) = self.operation(id).answer() {
            words += &self.answer_in_words(outcome);
        }
        words
    }

    /// `client 2's get x (1.200 s to 1.250 s)`.
    pub(super) fn name_operation(&self, id: OperationId) -> String {
        let operation = self.operation(id);
        let text = |id: TextId| Quoted(self.text(id));
        let mut words =
            format!("client {}'s {} {}", operation.client, operation.request.name(), self.quoted_key(operation.key));
        // Writing to a String can't fail.
        let _ = match operation.request {
            Request::Get | Request::Delete => Ok(()),
            Request::Put { value } => write!(words, " {}", text(value)),
            Request::CompareAndSet { expected, new } => write!(words, " {} {}", text(expected), text(new)),
        };
        let event = operation.invoked + 1;
        let _ = match (operation.end, operation.began, operation.ended) {
            (Some((_, End::Answered(_))), Some(began), Some(ended)) => write!(words, " ({began} to {ended})"),
            (Some((end, End::Answered(_))), ..) => write!(words, " (events {event} to {})", end + 1),
            (Some((_, End::Failed)), Some(began), Some(ended)) => write!(words, " ({began} to {ended}, failed)"),
            (Some((end, End::Failed)), ..) => write!(words, " (events {event} to {}, failed)", end + 1),
            (_, Some(began), _) => write!(words, " (from {began}, not answered)"),
            (_, None, _) => write!(words, " (from event {event}, not answered)"),
        };
        words
    }

    fn answer_in_words(&self, outcome: Outcome<TextId>) -> String {
        match outcome {
            Outcome::Found(found) => format!(" found {}", self.value_in_words(found)),
            Outcome::Written { replaced: None } | Outcome::Deleted { existed: None } => String::new(),
            Outcome::Written { replaced: Some(true) } => " replaced a value".into(),
            Outcome::Written { replaced: Some(false) } => " replaced no value".into(),
            Outcome::Deleted { existed: Some(true) } => " removed a value".into(),
            Outcome::Deleted { existed: Some(false) } => " found no value".into(),
            Outcome::Swapped => " swapped".into(),
            Outcome::NotSwapped { actual: None } => " did not swap".into(),
            Outcome::NotSwapped { actual: Some(actual) } => {
                format!(" found {} and did not swap", self.value_in_words(actual))
            }
        }
    }

    pub(super) fn quoted_key(&self, key: KeyId) -> Quoted<'_> {
        Quoted(self.key(key))
    }

    fn value_in_words(&self, value: Option<TextId>) -> String {
        value.map_or("no value".into(), |id| format!("{}", Quoted(self.text(id))))
    }

    /// `1`, `no value`.
    pub(super) fn register_in_words(&self, register: Register) -> String {
        self.value_in_words(value(register))
    }

    /// What an operation does that gives the key this value: `set x to 1`, `deleted x`.
    pub(super) fn setting_in_words(&self, key: KeyId, register: Register) -> String {
        let key = self.quoted_key(key);
        if register == ABSENT {
            format!("deleted {key}")
        } else {
            format!("set {key} to {}", self.register_in_words(register))
        }
    }
}

/// `a`, `a and b`, `a, b and c`, and after a few: `a, b, c and 7 more`.
pub(super) fn list(items: &[String]) -> String {
    const LISTED_MAX: usize = 6;
    let (shown, more) = if items.len() > LISTED_MAX { items.split_at(LISTED_MAX - 1) } else { (items, &[][..]) };
    match (shown, more) {
        ([], _) => String::new(),
        ([only], []) => only.clone(),
        ([first @ .., last], []) => format!("{} and {last}", joined(first, ", ")),
        _ => format!("{} and {} more", joined(shown, ", "), more.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;
    use alloc::string::ToString;

    #[test]
    fn operations_say_who_what_when_and_with_which_answer() {
        let mut history = History::new();
        let at = |seconds| Some(Time::from_secs(seconds));
        let mut note = |request, end: Option<End<&str>>, times: [Option<Time>; 2]| {
            let id = history.invoke(7, "x", request, times[0]).unwrap();
            if let Some(end) = end {
                history.complete(id, end, times[1]).unwrap();
            }
            history.describe(id)
        };
        let answered = |outcome| Some(End::Answered(outcome));
        let timed = [at(1), at(2)];
        let cas = Request::CompareAndSet { expected: "1", new: "a b" };
        assert_eq!(
            note(Request::Get, answered(Outcome::Found(None)), [None; 2]),
            "client 7's get x (events 1 to 2) found no value"
        );
        assert_eq!(note(Request::Get, None, [None; 2]), "client 7's get x (from event 3, not answered)");
        assert_eq!(note(Request::Get, Some(End::Unknown), timed), "client 7's get x (from 1.000 s, not answered)");
        assert_eq!(note(Request::Delete, Some(End::Failed), timed), "client 7's delete x (1.000 s to 2.000 s, failed)");
        assert_eq!(
            note(cas, answered(Outcome::NotSwapped { actual: Some(Some("")) }), timed),
            "client 7's cas x 1 \"a b\" (1.000 s to 2.000 s) found \"\" and did not swap"
        );
        let put = Request::Put { value: "1" };
        assert_eq!(
            note(put, answered(Outcome::Written { replaced: Some(true) }), timed),
            "client 7's put x 1 (1.000 s to 2.000 s) replaced a value"
        );
    }

    #[test]
    fn what_turns_words_around_is_spelled_out() {
        assert_eq!(Quoted("a\u{202e}b").to_string(), "\"a\\u{202e}b\"");
        assert_eq!(Quoted("a\u{200f}").to_string(), "\"a\\u{200f}\"");
    }

    #[test]
    fn long_texts_are_cut_and_lists_end() {
        assert_eq!(Quoted(&"é".repeat(40)).to_string(), "é".repeat(32) + "…");
        let items: alloc::vec::Vec<_> = ('a'..='h').map(String::from).collect();
        assert_eq!(list(&items[..0]), "");
        assert_eq!(list(&items[..1]), "a");
        assert_eq!(list(&items[..3]), "a, b and c");
        assert_eq!(list(&items[..6]), "a, b, c, d, e and f");
        assert_eq!(list(&items), "a, b, c, d, e and 3 more");
    }
}
