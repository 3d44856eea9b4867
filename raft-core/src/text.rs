//! Texts put together.

use alloc::string::String;

/// Texts with something between them: the library's `join` of slices and of owned texts are two
/// pieces of code, each ten times as large as this one.
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
