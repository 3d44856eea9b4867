//! What a request's address says, and how its body comes, before anybody looks at what it is for.
//!
//! What isn't UTF-8 is refused, and not replaced: a condition that was read as another value would
//! hold where it mustn't. So is a body in an encoding that nobody here undoes: it would be stored
//! as another value.

use http::{HeaderMap, Uri, header};
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

/// Refuses a request whose body isn't what its bytes are, or that expects what isn't done here.
///
/// # Errors
/// The response that says what is wrong.
pub(super) fn check_body(headers: &HeaderMap) -> Result<(), Problem> {
    let has_other = |name, wanted: &str| {
        headers.get_all(name).iter().any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()))
    };
    let (kind, why) = if has_other(header::TRANSFER_ENCODING, "chunked") {
        // RFC 9112 §6.1 has 501 for it, which says that something is missing here.
        (Kind::BadRequest, "the header Transfer-Encoding works with chunked alone")
    } else if has_other(header::CONTENT_ENCODING, "identity") {
        (Kind::UnknownEncoding, "a value is stored as it comes: send it without Content-Encoding")
    } else if headers.contains_key(header::CONTENT_RANGE) {
        // RFC 9110 §14.5.
        (Kind::BadRequest, "a value is written whole: the header Content-Range doesn't work")
    } else if has_other(header::EXPECT, "100-continue") {
        // RFC 9110 §10.1.1.
        (Kind::ExpectationFailed, "the header Expect works with 100-continue alone")
    } else {
        return Ok(());
    };
    Err(Problem::new(kind, why))
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
    fn a_body_is_what_its_bytes_are() {
        let refused = |given: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.append(*name, http::HeaderValue::from_static(value));
            }
            check_body(&headers).err().map(|problem| problem.kind)
        };
        let fine = [("transfer-encoding", "Chunked"), ("content-encoding", "identity"), ("expect", "100-Continue")];
        assert_eq!(refused(&fine), None);
        for (given, kind) in [
            (&[("transfer-encoding", "gzip, chunked")][..], Kind::BadRequest),
            (&[("transfer-encoding", "gzip"), ("transfer-encoding", "chunked")], Kind::BadRequest),
            (&[("content-encoding", "gzip")], Kind::UnknownEncoding),
            (&[("content-encoding", "identity"), ("content-encoding", "br")], Kind::UnknownEncoding),
            (&[("content-range", "bytes 0-1/2")], Kind::BadRequest),
            (&[("expect", "nonsense")], Kind::ExpectationFailed),
            (&[("expect", "100-continue"), ("expect", "more")], Kind::ExpectationFailed),
        ] {
            assert_eq!(refused(given), Some(kind), "{given:?}");
        }
    }

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
