//! The forms for narrow places, such as a log's cells: `x=1`, `del x`, `x:1→2`.

use super::command::Command;
use super::operation::{Operation, Query, Request};
use alloc::string::String;

/// A text in at most `chars_max` characters. What doesn't fit is cut off and marked with `…`;
/// control characters (a line break would tear the cell) become `·`.
pub(super) fn shorten(text: &str, chars_max: usize) -> String {
    let fits = text.chars().nth(chars_max).is_none();
    let kept = if fits { chars_max } else { chars_max.saturating_sub(1) };
    let visible = |c: char| if c.is_control() { '·' } else { c };
    let mut short: String = text.chars().take(kept).map(visible).collect();
    if !fits && chars_max > 0 {
        short.push('…');
    }
    short
}

/// Writes `texts`, each after its prefix, in about `chars_max` characters. When they don't all fit,
/// the short ones stay whole and the long ones share what is left; each keeps at least two
/// characters, so that very narrow limits are exceeded rather than leaving nothing to read.
fn fit<const N: usize>(parts: [(&str, &str); N], chars_max: usize) -> String {
    // No more than this can matter, and texts may be long.
    let count_max = chars_max.saturating_add(3);
    let count = |text: &str| text.chars().take(count_max).count();
    let prefixes: usize = parts.iter().map(|(prefix, _)| count(prefix)).sum();
    let mut left = chars_max.saturating_sub(prefixes);
    let mut room = [0; N];
    // From the shortest text to the longest, each takes what it needs up to an equal share of what
    // is left.
    let mut waiting = [true; N];
    for taken in 0..N {
        let Some(at) = (0..N).filter(|&at| waiting[at]).min_by_key(|&at| count(parts[at].1)) else { break };
        let share = left / (N - taken);
        waiting[at] = false;
        room[at] = count(parts[at].1).min(share.max(2));
        left = left.saturating_sub(room[at]);
    }
    let mut short = String::new();
    for ((prefix, text), room) in parts.iter().zip(room) {
        short.push_str(prefix);
        short.push_str(&shorten(text, room));
    }
    short
}

impl Operation {
    /// The operation in about `chars_max` characters: `x=1`, `del x`, `x:1→2`. For reading only: it
    /// can't be parsed back.
    ///
    /// ```
    /// use raft_core::kv::{Key, Operation, Value};
    /// let put = Operation::Put {
    ///     key: Key::new("x").unwrap(),
    ///     value: Value::new("a rather long value").unwrap(),
    /// };
    /// assert_eq!(put.short(8), "x=a rat…");
    /// ```
    pub fn short(&self, chars_max: usize) -> String {
        match self {
            Operation::Put { key, value } => fit([("", key.as_str()), ("=", value.as_str())], chars_max),
            Operation::Delete { key } => fit([("del ", key.as_str())], chars_max),
            Operation::CompareAndSet { key, expected, new } => {
                fit([("", key.as_str()), (":", expected.as_str()), ("→", new.as_str())], chars_max)
            }
        }
    }
}

impl Query {
    /// The query in about `chars_max` characters: `get x`.
    pub fn short(&self, chars_max: usize) -> String {
        fit([("get ", self.key().as_str())], chars_max)
    }
}

impl Request {
    /// The request in about `chars_max` characters: `x=1`, `del x`, `x:1→2`, `get x`.
    pub fn short(&self, chars_max: usize) -> String {
        match self {
            Request::Write(operation) => operation.short(chars_max),
            Request::Read(query) => query.short(chars_max),
        }
    }
}

impl Command {
    /// The command in about `chars_max` characters: an operation's short form, or `open`.
    pub fn short(&self, chars_max: usize) -> String {
        match self {
            Command::OpenSession { .. } => String::from("open"),
            Command::Apply { operation, .. } => operation.short(chars_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{command, generator, operation, random_operation};
    use super::*;

    #[test]
    fn what_fits_is_whole() {
        let table = [
            ("put x 1", "x=1"),
            ("put x \"1 2\"", "x=1 2"),
            ("delete x", "del x"),
            ("cas x 1 2", "x:1→2"),
            ("get x", "get x"),
        ];
        for (line, short) in table {
            let request: Request = line.parse().unwrap();
            assert_eq!(request.short(5), short);
            assert_eq!(request.short(1_000_000), short);
        }
        assert_eq!(command(1, 1, "put x 1").short(5), "x=1");
        assert_eq!(Command::OpenSession { client: 3 }.short(5), "open");
    }

    #[test]
    fn what_does_not_fit_is_shared_out() {
        let table = [
            ("put x 123456789", 8, "x=12345…"),
            ("put x 123456", 8, "x=123456"),
            ("put abcdefghi 1", 8, "abcde…=1"),
            ("put abcdefghi 123456789", 9, "abc…=123…"),
            ("put abcdefghi 123456789", 10, "abc…=1234…"),
            ("delete abcdefghi", 8, "del abc…"),
            ("get abcdefghi", 8, "get abc…"),
            ("cas x 123456 abcdef", 9, "x:12…→ab…"),
            ("cas x 1 abcdef", 8, "x:1→abc…"),
            ("cas abcd 1234 ABCD", 13, "ab…:1234→ABCD"),
        ];
        for (line, chars_max, short) in table {
            let request: Request = line.parse().unwrap();
            assert_eq!(request.short(chars_max), short, "{line}");
        }
    }

    #[test]
    fn too_narrow_still_says_something() {
        assert_eq!(operation("put abc def").short(0), "a…=d…");
        assert_eq!(operation("cas abc def ghi").short(3), "a…:d…→g…");
        assert_eq!(operation("delete ab").short(1), "del ab");
    }

    #[test]
    fn control_characters_do_not_tear_a_cell() {
        assert_eq!(operation(r#"put x "a\nb\u{1b}""#).short(9), "x=a·b·");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(shorten("héé", 3), "héé");
        assert_eq!(shorten("héé🦀", 3), "hé…");
        assert_eq!(shorten("ab", 1), "…");
        assert_eq!(shorten("ab", 0), "");
        assert_eq!(shorten("", 0), "");
    }

    #[test]
    fn limits_are_kept_from_eight_characters_on() {
        let mut random = generator(7);
        for _ in 0..2_000 {
            let operation = random_operation(&mut random);
            for chars_max in 8..40 {
                let short = operation.short(chars_max);
                let chars = short.chars().count();
                assert!(chars <= chars_max, "{short:?} has more than {chars_max}");
                assert!(chars + 1 >= chars_max || !short.contains('…'), "{short:?}");
            }
        }
    }
}
