//! The forms for narrow places, such as a log's cells: `x=1`, `del x`, `x:1→2`.

use super::command::Command;
use super::operation::{Operation, Query, Request};
use alloc::string::String;

/// A text in at most `chars_max` characters. What doesn't fit is cut off and marked with `…`;
/// control characters (a line break would tear the cell) become `·`.
pub(super) fn shorten(text: &str, chars_max: usize) -> String {
    let fits = text.chars().nth(chars_max).is_none();
    let kept = if fits {
        chars_max
    } else {
        chars_max.saturating_sub(1)
    };
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
    let count = |text: &str| text.chars().take(chars_max + 1).count();
    let prefixes: usize = parts.iter().map(|(prefix, _)| count(prefix)).sum();
    let mut left = chars_max.saturating_sub(prefixes);
    let mut room = [0; N];
    // From the shortest text to the longest, each takes what it needs up to an equal share of what
    // is left.
    let mut order: [usize; N] = core::array::from_fn(|at| at);
    order.sort_by_key(|&at| count(parts[at].1));
    for (taken, &at) in order.iter().enumerate() {
        let share = left / (N - taken);
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
            Operation::Put { key, value } => {
                fit([("", key.as_str()), ("=", value.as_str())], chars_max)
            }
            Operation::Delete { key } => fit([("del ", key.as_str())], chars_max),
            Operation::CompareAndSet { key, expected, new } => fit(
                [
                    ("", key.as_str()),
                    (":", expected.as_str()),
                    ("→", new.as_str()),
                ],
                chars_max,
            ),
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
