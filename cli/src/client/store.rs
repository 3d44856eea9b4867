//! Keys and values: `put`, `get`, `delete`, `cas`, `list`.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Connection, EXIT_STATUS, Request, Safety, document, told};
use crate::output::{BOLD, STANDARD as STANDARD_INPUT, named};
use crate::text::{NAME_MAX, Text, shortened};
use crate::{Ending, Unusable, output};

/// The header by which the servers know a write again.
pub const KEY_HEADER: &str = "idempotency-key";

/// The longest value that is sent, in bytes. The servers' own limit may be lower.
const VALUE_BYTES_MAX: u64 = 64 << 20;

/// What isn't escaped in a path's or a query's part.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as a part of an address.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &PLAIN).to_string()
}

fn path_of(key: &str) -> String {
    format!("/kv/{}", encoded(key))
}

fn key_of(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("a key has at least one character".into()) } else { Ok(text.to_owned()) }
}

fn call_key(text: &str) -> Result<String, String> {
    let is_fine = (1..=128).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    if is_fine { Ok(text.to_owned()) } else { Err("a call's key has 1 to 128 visible characters of ASCII".into()) }
}

/// By which a write is made once however often it arrives.
#[derive(Args, Clone, Debug)]
struct Repeat {
    /// The idempotency key: the same call with the same key is done once. Drawn at random if it is
    /// left out
    #[arg(long, value_name = "KEY", value_parser = call_key)]
    key: Option<String>,
}

impl Repeat {
    fn header(&self) -> Result<(&'static str, String), Unusable> {
        if let Some(key) = &self.key {
            return Ok((KEY_HEADER, key.clone()));
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Unusable(format!("no idempotency key can be drawn: {error}; give one with --key")))?;
        Ok((KEY_HEADER, bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

/// Under which condition a write is done.
#[derive(Args, Clone, Debug)]
struct Condition {
    /// Only if the key has this revision
    #[arg(long, value_name = "REVISION", conflicts_with = "if_absent")]
    if_revision: Option<u64>,
    /// Only if the key has no value
    #[arg(long)]
    if_absent: bool,
}

impl Condition {
    fn header(&self) -> Option<(&'static str, String)> {
        match self.if_revision {
            Some(revision) => Some(("if-match", format!("\"{revision}\""))),
            None => self.if_absent.then(|| ("if-none-match", "*".to_owned())),
        }
    }
}

/// How fresh a read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Consistency {
    /// A quorum confirms it: everything acknowledged before is seen
    Linearizable,
    /// The leader's lease confirms it: as fresh, as long as clocks run evenly
    Lease,
    /// What the server has, which may be old
    Local,
}

impl Consistency {
    fn name(self) -> &'static str {
        match self {
            Consistency::Linearizable => "linearizable",
            Consistency::Lease => "lease",
            Consistency::Local => "local",
        }
    }
}

/// Where a value comes from.
fn value(argument: Option<&str>, file: Option<&Path>) -> Result<Vec<u8>, Unusable> {
    let mut bytes = Vec::new();
    let (name, read) = match (argument, file) {
        (Some(STANDARD_INPUT), _) => {
            ("the standard input".to_owned(), io::stdin().lock().take(VALUE_BYTES_MAX + 1).read_to_end(&mut bytes))
        }
        (Some(text), _) => return Ok(text.as_bytes().to_vec()),
        (None, Some(path)) => {
            let read = File::open(path).and_then(|file| file.take(VALUE_BYTES_MAX + 1).read_to_end(&mut bytes));
            (named(path), read)
        }
        (None, None) => unreachable!("the command line asks for one of them"),
    };
    read.map_err(|error| Unusable(format!("{name} can't be read: {error}")))?;
    if bytes.len() as u64 > VALUE_BYTES_MAX {
        return Err(Unusable(format!("{name} is too large: at most {VALUE_BYTES_MAX} bytes are sent")));
    }
    Ok(bytes)
}

/// Options of `put`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "Examples:\n  raftarium put colour blue\n  raftarium put photo --file cat.jpg --if-absent\n  date | raftarium put now -\n\n{EXIT_STATUS}"
))]
pub struct PutOptions {
    /// The key
    #[arg(value_name = "KEY", value_parser = key_of)]
    name: String,
    /// The value as text; - for the standard input
    #[arg(required_unless_present = "file", conflicts_with = "file", allow_hyphen_values = true)]
    value: Option<String>,
    /// A file with the value
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    condition: Condition,
    #[command(flatten)]
    repeat: Repeat,
    #[command(flatten)]
    connection: Connection,
}

/// Options of `get`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "A terminal gets the value with control characters escaped; anything else gets its bytes as they are.\n\n\
     Examples:\n  raftarium get colour\n  raftarium get photo > cat.jpg\n  raftarium get colour --json\n\n{EXIT_STATUS}"
))]
pub struct GetOptions {
    /// The key
    #[arg(value_name = "KEY", value_parser = key_of)]
    name: String,
    /// How fresh the answer must be
    #[arg(long, value_enum, default_value_t = Consistency::Linearizable)]
    consistency: Consistency,
    #[command(flatten)]
    connection: Connection,
}

/// Options of `delete`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "Examples:\n  raftarium delete colour\n  raftarium delete colour --if-revision 12\n\n{EXIT_STATUS}"
))]
pub struct DeleteOptions {
    /// The key
    #[arg(value_name = "KEY", value_parser = key_of)]
    name: String,
    /// Only if the key has this revision
    #[arg(long, value_name = "REVISION")]
    if_revision: Option<u64>,
    #[command(flatten)]
    repeat: Repeat,
    #[command(flatten)]
    connection: Connection,
}

/// Options of `cas`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "Example:\n  raftarium cas colour blue green    only if it is blue now\n\n{EXIT_STATUS}"
))]
pub struct CasOptions {
    /// The key
    #[arg(value_name = "KEY", value_parser = key_of)]
    name: String,
    /// The value that it must have, as text
    #[arg(allow_hyphen_values = true)]
    expected: String,
    /// The new value as text; - for the standard input
    #[arg(required_unless_present = "file", conflicts_with = "file", allow_hyphen_values = true)]
    new: Option<String>,
    /// A file with the new value
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    repeat: Repeat,
    #[command(flatten)]
    connection: Connection,
}

/// Options of `list`.
#[derive(Args)]
#[command(after_help = EXIT_STATUS, after_long_help = format!(
    "The list comes in pages, each as fresh as --consistency says; what changes between two pages may be missing. \
     With --json, each pair is a line.\n\n\
     Examples:\n  raftarium list\n  raftarium list user/ --keys-only\n\n{EXIT_STATUS}"
))]
pub struct ListOptions {
    /// Only keys that begin so
    #[arg(default_value = "", hide_default_value = true)]
    prefix: String,
    /// Only keys after this one
    #[arg(long, value_name = "KEY")]
    after: Option<String>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Without values
    #[arg(long)]
    keys_only: bool,
    /// How fresh the answer must be
    #[arg(long, value_enum, default_value_t = Consistency::Linearizable)]
    consistency: Consistency,
    #[command(flatten)]
    connection: Connection,
}

/// `raftarium put`.
pub fn put(options: &PutOptions) -> Result<Ending, Unusable> {
    let value = value(options.value.as_deref(), options.file.as_deref())?;
    let headers = [Some(options.repeat.header()?), options.condition.header()];
    write(&options.connection, "PUT", path_of(&options.name), headers, Some(&value))
}

/// `raftarium delete`.
pub fn delete(options: &DeleteOptions) -> Result<Ending, Unusable> {
    let condition = Condition { if_revision: options.if_revision, if_absent: false };
    let headers = [Some(options.repeat.header()?), condition.header()];
    write(&options.connection, "DELETE", path_of(&options.name), headers, None)
}

/// `raftarium cas`.
pub fn cas(options: &CasOptions) -> Result<Ending, Unusable> {
    let value = value(options.new.as_deref(), options.file.as_deref())?;
    let path = format!("{}?expected={}", path_of(&options.name), encoded(&options.expected));
    write(&options.connection, "PUT", path, [Some(options.repeat.header()?), None], Some(&value))
}

fn write(
    connection: &Connection,
    method: &'static str,
    path: String,
    headers: [Option<(&'static str, String)>; 2],
    body: Option<&[u8]>,
) -> Result<Ending, Unusable> {
    let headers = headers.into_iter().flatten().collect();
    let request = Request { method, path, headers, body, safety: Safety::Keyed };
    let answered = connection.client()?.call(&request).and_then(|answer| Ok((document(&answer)?, answer.replayed)));
    let (mut done, replayed) = match answered {
        Ok(done) => done,
        Err(failure) => return told(&failure, connection.json),
    };
    if connection.json {
        done["replayed"] = replayed.into();
        output::print(&Text::of_json(&format!("{done}\n")))?;
        return Ok(Ending::Fine);
    }
    let is = |name: &str| done[name].as_bool();
    let what = match (is("replaced"), is("existed")) {
        (Some(true), _) => "replaced",
        (Some(false), _) => "new",
        (_, Some(true)) => "deleted",
        (_, Some(false)) => "nothing to delete",
        (None, None) => "done",
    };
    let mut text = Text::new();
    text.add(what).add(", revision ").add(&done["revision"]);
    if replayed {
        text.add(" (done before, by a call with the same key)");
    }
    output::print(text.end_line()).map(|_| Ending::Fine)
}

/// `raftarium get`.
pub fn get(options: &GetOptions) -> Result<Ending, Unusable> {
    let connection = &options.connection;
    let request = Request::get(format!("{}?consistency={}", path_of(&options.name), options.consistency.name()));
    let answer = match connection.client()?.call(&request) {
        Ok(answer) => answer,
        Err(failure) => return told(&failure, connection.json),
    };
    if connection.json {
        let revision = answer.etag.as_deref().and_then(|etag| etag.parse::<u64>().ok());
        let mut pair = json!({ "key": options.name, "revision": revision });
        match std::str::from_utf8(&answer.body) {
            Ok(text) => pair["value"] = text.into(),
            Err(_) => pair["value_base64"] = STANDARD.encode(&answer.body).into(),
        }
        output::print(&Text::of_json(&format!("{pair}\n")))?;
    } else if io::stdout().is_terminal() {
        output::print(shown(&answer.body).end_line())?;
    } else {
        raw(&answer.body)?;
    }
    Ok(Ending::Fine)
}

/// Writes a value's bytes as they are, for what isn't a terminal.
fn raw(bytes: &[u8]) -> Result<(), Unusable> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Unusable(format!("the output can't be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// A value for people: what a terminal would obey, and what isn't text, is escaped.
pub fn shown(bytes: &[u8]) -> Text {
    let mut text = Text::new();
    for chunk in bytes.utf8_chunks() {
        text.add(chunk.valid());
        for byte in chunk.invalid() {
            text.add(format_args!("\\x{byte:02x}"));
        }
    }
    text
}

/// The same for a place in a sentence.
pub fn shown_in_short(bytes: &[u8]) -> Text {
    match std::str::from_utf8(bytes) {
        Ok(text) => shown(shortened(text, NAME_MAX).as_bytes()),
        Err(_) if bytes.len() <= NAME_MAX => shown(bytes),
        Err(_) => {
            let mut text = shown(&bytes[..NAME_MAX]);
            text.add("…");
            text
        }
    }
}

/// The value in a document of the API.
pub fn value_in(document: &Value) -> Option<Vec<u8>> {
    match (document["value"].as_str(), document["value_base64"].as_str()) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (None, Some(base64)) => STANDARD.decode(base64).ok(),
        (None, None) => None,
    }
}

/// `raftarium list`.
pub fn list(options: &ListOptions) -> Result<Ending, Unusable> {
    /// The most keys that the servers put into one page.
    const PAGE_MAX: u64 = 1_000;
    /// The most pairs in a page: values can be large.
    const PAIRS_MAX: u64 = 100;
    let connection = &options.connection;
    let client = connection.client()?;
    let mut after = options.after.clone();
    let mut left = options.limit.unwrap_or(u64::MAX);
    while left > 0 {
        let limit = left.min(if options.keys_only { PAGE_MAX } else { PAIRS_MAX });
        let mut path = format!(
            "/kv?prefix={}&limit={limit}&keys_only={}&consistency={}",
            encoded(&options.prefix),
            options.keys_only,
            options.consistency.name()
        );
        if let Some(after) = &after {
            path += &format!("&after={}", encoded(after));
        }
        let page = match client.call(&Request::get(path)).and_then(|answer| document(&answer)) {
            Ok(page) => page,
            Err(failure) => return told(&failure, connection.json),
        };
        let pairs = page["pairs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut text = Text::new();
        for pair in pairs {
            if connection.json {
                text.append(&Text::of_json(&format!("{pair}\n")));
                continue;
            }
            text.styled(BOLD, pair["key"].as_str().unwrap_or("?"));
            if let Some(value) = value_in(pair) {
                text.add(" = ").append(&shown(&value));
            }
            text.end_line();
        }
        if !output::print(&text)? {
            break;
        }
        left = left.saturating_sub(pairs.len() as u64);
        let next = page["next"].as_str().map(str::to_owned);
        // A page that doesn't come further would be asked for without end.
        if next.is_none() || next == after {
            break;
        }
        after = next;
    }
    Ok(Ending::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_whole_parts_of_a_path() {
        assert_eq!(path_of("a/b c?d#é%"), "/kv/a%2Fb%20c%3Fd%23%C3%A9%25");
        assert_eq!(path_of("plain-1.x_~"), "/kv/plain-1.x_~");
    }

    #[test]
    fn a_call_s_key_is_what_a_header_can_hold() {
        assert!(call_key("order-17").is_ok() && call_key(&"x".repeat(128)).is_ok());
        for wrong in ["", "a b", "é", "a\n", &"x".repeat(129)] {
            assert!(call_key(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_value_on_a_terminal_does_nothing_there() {
        assert_eq!(shown(b"a\x1b[2J\xff\xfe\xc3\xa9\n").as_str(), "a\\u{1b}[2J\\xff\\xfeé\\n");
    }

    #[test]
    fn conditions_are_headers() {
        let condition = |if_revision, if_absent| Condition { if_revision, if_absent }.header();
        assert_eq!(condition(Some(7), false), Some(("if-match", "\"7\"".into())));
        assert_eq!(condition(None, true), Some(("if-none-match", "*".into())));
        assert_eq!(condition(None, false), None);
    }
}
