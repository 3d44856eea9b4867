//! Why two state machines differ that have applied the same, as far as trying tells: whether one
//! isn't deterministic, or something that matters isn't in its snapshot.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};

use super::MakeMachine;
use crate::raft::{Bytes, ServerId};
use crate::state_machine::StateMachine;

/// How often two new ones are compared: an order that is another in each (a hash map's) may happen
/// to be the same in two of them.
const ROUNDS: u32 = 8;

/// The most characters of a command or an answer that are shown.
const SHOWN: usize = 48;

/// What the state machine of a server has come from.
#[derive(Clone, Debug, Default)]
pub(super) struct Applied {
    /// The index of the snapshot that it was restored from.
    pub(super) restored: Option<u64>,
    /// The command that it applied last since, and its index.
    pub(super) last: Option<(u64, Bytes)>,
}

/// A state machine that differs from another's.
pub(super) struct Subject<'a> {
    pub(super) machine: &'a dyn StateMachine,
    pub(super) server: ServerId,
    pub(super) here: &'a Applied,
    /// The other's server, and what it was restored from.
    pub(super) first: (ServerId, Option<u64>),
}

/// Why it differs, as the end of a sentence.
pub(super) fn diagnosis(subject: &Subject<'_>, make: &MakeMachine) -> String {
    if let Some(why) = chance(subject, make) {
        return format!("the state machine isn’t deterministic: {why}");
    }
    let restored = [(subject.server, subject.here.restored), subject.first];
    let mut restored = restored.iter().filter_map(|(server, index)| Some((server, (*index)?)));
    match restored.next() {
        None => "neither was ever restored, and copies of one do the same: what they do depends on something besides \
                 the commands (a clock, an address, something that all share)"
            .to_string(),
        Some(_) if forgets(subject, make) => format!(
            "something that matters isn’t in its snapshot: a copy of {}’s that is restored from its own snapshot \
             takes the same command otherwise",
            subject.server
        ),
        Some((server, index)) => format!(
            "trying shows no chance in it, and {server} was restored from the snapshot of everything up to {index}: \
             something that matters isn’t in that, or is left from before"
        ),
    }
}

/// What shows that it isn't deterministic, if anything does.
fn chance(subject: &Subject<'_>, make: &MakeMachine) -> Option<String> {
    let Subject { machine, server, here, .. } = subject;
    let snapshot = machine.snapshot();
    if machine.snapshot() != snapshot || machine.clone_boxed().snapshot() != snapshot {
        return Some(format!("two snapshots of {server}’s state differ"));
    }
    let next = here.last.as_ref().map(|(index, command)| (index + 1, command));
    let apply = |to: &mut Box<dyn StateMachine>| next.map(|(index, command)| to.apply(index, command));
    let restored = || {
        let mut new = make();
        new.restore(&snapshot).ok().map(|()| new)
    };
    for _ in 0..ROUNDS {
        let (mut one, mut other) = (machine.clone_boxed(), machine.clone_boxed());
        if apply(&mut one) != apply(&mut other) {
            return Some(format!("two copies of {server}’s answer the same command differently"));
        }
        if one.snapshot() != other.snapshot() {
            return Some(format!("two copies of {server}’s that apply the same command have different snapshots"));
        }
        if make().snapshot() != make().snapshot() {
            return Some("two that have applied nothing have different snapshots".to_string());
        }
        let (Some(mut one), Some(mut other)) = (restored(), restored()) else { return None };
        if one.snapshot() != other.snapshot() {
            return Some("two that are restored from the same snapshot make different ones".to_string());
        }
        if apply(&mut one) != apply(&mut other) || one.snapshot() != other.snapshot() {
            return Some("two that are restored from the same snapshot take the same command differently".to_string());
        }
    }
    None
}

/// Whether one that is restored from its snapshot takes the same command otherwise than itself.
fn forgets(subject: &Subject<'_>, make: &MakeMachine) -> bool {
    let Some((index, command)) = &subject.here.last else { return false };
    let (mut copy, mut restored) = (subject.machine.clone_boxed(), make());
    if restored.restore(&copy.snapshot()).is_err() {
        return false; // That is found where one is to be restored.
    }
    copy.apply(index + 1, command) != restored.apply(index + 1, command) || copy.snapshot() != restored.snapshot()
}

/// Bytes as text, or as what they are, shortened; `length` is that of the whole.
pub(super) fn quoted(bytes: &[u8], length: usize) -> String {
    let text = match core::str::from_utf8(bytes) {
        Ok(text) => text.escape_debug().to_string(),
        Err(_) => bytes.escape_ascii().to_string(),
    };
    let end = text.char_indices().nth(SHOWN).map(|(end, _)| end);
    let shown = &text[..end.unwrap_or(text.len())];
    let bytes_are = if length == 1 { "1 byte".to_string() } else { format!("{length} bytes") };
    if end.is_none() && bytes.len() == length {
        format!("“{shown}”")
    } else {
        format!("“{shown}…” ({bytes_are})")
    }
}

/// How long two snapshots are, and where they differ first; of the first, the bytes may be unknown.
pub(super) fn both_lengths(first: Option<&[u8]>, length: usize, second: &[u8]) -> String {
    let lengths = format!("{length} and {} bytes", second.len());
    let Some(first) = first else { return format!("{lengths}, the first of which are not kept any more") };
    let place = first.iter().zip(second).position(|(one, other)| one != other);
    let place = place.unwrap_or_else(|| first.len().min(second.len()));
    let from = |bytes: &[u8]| {
        let around = &bytes[place.saturating_sub(4).min(bytes.len())..bytes.len().min(place + 12)];
        around.escape_ascii().to_string()
    };
    format!("{lengths}, the first difference at byte {place}, in “{}” and “{}”", from(first), from(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_text_where_they_are_text_and_never_at_length() {
        assert_eq!(quoted(b"put x 1", 7), "“put x 1”");
        assert_eq!(quoted(b"a\nb", 3), "“a\\nb”");
        assert_eq!(quoted(b"\xff\x00", 2), "“\\xff\\x00”");
        assert_eq!(quoted(b"", 0), "“”");
        assert_eq!(quoted(b"ab", 900), "“ab…” (900 bytes)");
        let shown = quoted("ä".repeat(500).as_bytes(), 1_000);
        assert_eq!(shown, format!("“{}…” (1000 bytes)", "ä".repeat(SHOWN)));
    }

    #[test]
    fn the_first_difference_is_where_one_ends_or_is_another() {
        let told = both_lengths(Some(b"one two three"), 13, b"one two four!");
        assert_eq!(told, "13 and 13 bytes, the first difference at byte 8, in “two three” and “two four!”");
        let told = both_lengths(Some(b"abc"), 3, b"abcd");
        assert_eq!(told, "3 and 4 bytes, the first difference at byte 3, in “abc” and “abcd”");
        assert!(both_lengths(Some(b""), 0, b"x").contains("0 and 1 bytes, the first difference at byte 0"));
        assert!(both_lengths(None, 3, b"x").contains("not kept"));
    }
}
