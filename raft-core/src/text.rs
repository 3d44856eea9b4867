//! Joined texts, and what in a text is more than a sign.

use alloc::string::String;

/// Joins texts, with `between` between them. The standard library's `join` is compiled separately
/// for slices and for owned texts, each time to ten times as much code as this.
pub fn joined<T: AsRef<str>>(texts: &[T], between: &str) -> String {
    let mut all = String::new();
    for text in texts {
        if !all.is_empty() {
            all += between;
        }
        all += text.as_ref();
    }
    all
}

/// Whether a terminal or a browser would do something else with it than show it: a control
/// character, or one that [turns around](turns_around) other words.
pub fn is_obeyed(c: char) -> bool {
    c.is_control() || turns_around(c)
}

/// Whether it changes the direction of what comes after it, be that somebody else's words.
pub fn turns_around(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
