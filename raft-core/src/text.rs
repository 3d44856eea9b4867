//! Joined texts.

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
