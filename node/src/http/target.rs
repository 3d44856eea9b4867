//! What a request's address says, before anybody looks at what it is for.
//!
//! What isn't UTF-8 is refused, and not replaced: a condition that was read as another value would
//! hold where it mustn't.

use http::Uri;
use percent_encoding::percent_decode_str;

use super::problem::{Kind, Problem};

/// Refuses an address whose percent-encoding is broken, that isn't UTF-8, or that has parameters
/// where the request takes none.
///
/// # Errors
/// The response that says what is wrong.
pub(super) fn check(uri: &Uri, takes_parameters: bool) -> Result<(), Problem> {
    if !takes_parameters && uri.query().is_some_and(|query| !query.is_empty()) {
        return Err(Problem::new(Kind::BadRequest, "this request takes no parameters (what follows the ?)"));
    }
    for (what, text) in [("path", uri.path()), ("query", uri.query().unwrap_or_default())] {
        if !is_encoded(text) {
            let why = format!("the {what} has a % without two hexadecimal digits; write %25 for a percent sign");
            return Err(Problem::new(Kind::BadRequest, why));
        }
        // The separators are ASCII: if the whole is UTF-8, each part is.
        if percent_decode_str(text).decode_utf8().is_err() {
            let why = format!("the {what} isn't UTF-8; a value that is no text is given in base64");
            return Err(Problem::new(Kind::BadRequest, why));
        }
    }
    Ok(())
}

/// Whether two hexadecimal digits follow each percent sign.
fn is_encoded(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    parts.all(|part| part.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_encodings_and_what_is_no_text_are_refused() {
        let is_fine = |uri: &str| check(&uri.parse().unwrap(), true).is_ok();
        for uri in ["/kv/a", "/kv/%C3%A4%25", "/kv?prefix=%c3%a4&after=a+b", "/kv/%00"] {
            assert!(is_fine(uri), "{uri}");
        }
        for uri in ["/kv/%zz", "/kv/%", "/kv/a%4", "/kv/%FF", "/kv?prefix=%ff", "/kv/x?expected=%4g", "/kv?after=%"] {
            assert!(!is_fine(uri), "{uri}");
        }
    }
}
